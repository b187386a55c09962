//! A column of points and its shifted copies.
//!
//! Who shifts is free: `shift` on a whole column, Polars' engine per group or per batch.

use polars::prelude::*;

use super::bits;
use super::numbers::{canonical, numbers};
use crate::sweep::Member;

/// A column of points and its shifted copies, furthest row back first, the column itself in the middle.
pub(crate) struct Window {
    points: Vec<StructChunked>,
}

impl Window {
    /// The window of whole columns: one segment from the first row to the last.
    pub(crate) fn of_column(points: &Series, reach: usize) -> PolarsResult<Self> {
        let reach = reach as i64;
        let shifted: Vec<_> = (-reach..=reach).map(|ahead| points.shift(-ahead)).collect();
        Self::of_shifted(shifted.iter())
    }

    /// The window of columns that somebody else has shifted.
    ///
    /// # Errors
    ///
    /// `ShapeMismatch` where they differ in length. One point stands for all rows: a literal arrives like that.
    pub(crate) fn of_shifted<'a>(points: impl Iterator<Item = &'a Series> + Clone) -> PolarsResult<Self> {
        let rows = points
            .clone()
            .map(|points| points.len())
            .find(|&rows| rows != 1)
            .unwrap_or(1);
        let member = |points: &Series| {
            let points = points.struct_()?;
            match points.len() {
                length if length == rows => Ok(points.clone()),
                1 => Ok(points.new_from_index(0, rows)),
                length => polars_bail!(
                    ShapeMismatch: "a column and its shifted copy must have the same length, got {rows} and {length}"
                ),
            }
        };
        Ok(Self {
            points: points.map(member).collect::<PolarsResult<_>>()?,
        })
    }

    /// The points of each row itself.
    pub(crate) fn this(&self) -> &StructChunked {
        &self.points[self.points.len() / 2]
    }

    /// Whether y or x is of the type that knows no values, and so may not have the chunks of the points either.
    pub(crate) fn has_nulls_only(&self) -> bool {
        self.this().struct_fields().iter().any(|field| field.dtype().is_null())
    }

    /// One field of all the window's points.
    fn field(&self, index: usize) -> Vec<Series> {
        self.points
            .iter()
            .map(|points| points.fields_as_series()[index].clone())
            .collect()
    }

    pub(crate) fn columns(&self) -> PolarsResult<Columns> {
        let x = (self.this().struct_fields().len() > 1).then(|| self.field(1));
        let canonical = |columns: &[Series]| columns.iter().map(canonical).collect::<PolarsResult<Vec<_>>>();
        Ok(Columns {
            y: canonical(&self.field(0))?,
            numbers_of_x: x.as_deref().map(canonical).transpose()?,
            x: x.unwrap_or_default(),
        })
    }

    /// The window as the sweep reads it.
    pub(crate) fn members<'a>(&'a self, columns: &'a Columns) -> PolarsResult<Vec<Member<'a>>> {
        let member = |(index, points): (usize, &'a StructChunked)| {
            let exists = points.chunks().iter().map(|chunk| chunk.validity().map(bits));
            Ok(Member {
                y: numbers(&columns.y[index])?,
                x: columns.numbers_of_x.as_ref().map(|x| numbers(&x[index])).transpose()?,
                exists: exists.collect(),
            })
        };
        self.points.iter().enumerate().map(member).collect()
    }
}

/// The columns of all the window's points: y and x as numbers, and x as it was.
pub(crate) struct Columns {
    pub(crate) y: Vec<Series>,
    numbers_of_x: Option<Vec<Series>>,
    pub(crate) x: Vec<Series>,
}
