//! A column of points and its shifted copies.
//!
//! Who shifts is free: `shift` on a whole column, Polars' engine per group or per batch.

use std::ops::Range;

use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::bits;
use super::numbers::{canonical, numbers, repeated};
use crate::sweep::Member;

/// A column of points and its shifted copies, furthest row back first, the column itself in the middle.
pub(super) struct Window {
    members: Vec<Shifted>,
}

/// A column of points, or a copy of it shifted some rows, in chunks.
pub(super) struct Shifted {
    pub(super) y: Series,
    pub(super) x: Option<Series>,
    /// How many successive points share an x.
    pub(super) share: usize,
    /// How many successive points are in one cell, if they are in arrays.
    pub(super) cell: usize,
    /// Where each chunk has a point at all: elsewhere it is beyond the end of its group.
    pub(super) exists: Vec<Option<Bitmap>>,
}

impl Window {
    pub(super) fn new(members: Vec<Shifted>) -> Self {
        Self { members }
    }

    /// The window of whole columns: one segment from the first row to the last.
    pub(super) fn of_column(points: &Series, reach: usize) -> PolarsResult<Self> {
        let reach = reach as i64;
        let shifted: Vec<_> = (-reach..=reach).map(|ahead| points.shift(-ahead)).collect();
        Self::of_shifted(shifted.iter())
    }

    /// The window of whole columns within which groups start.
    pub(super) fn of_groups(points: &Series, starts: &Bitmap, reach: usize) -> PolarsResult<Self> {
        let mut window = Self::of_column(points, reach)?;
        if starts.set_bits() > 1 {
            for (index, member) in window.members.iter_mut().enumerate() {
                member.end_at(starts, index as isize - reach as isize);
            }
        }
        Ok(window)
    }

    /// The window of columns that somebody else has shifted.
    ///
    /// # Errors
    ///
    /// `ShapeMismatch` where they differ in length. One point stands for all rows: a literal arrives like that.
    pub(super) fn of_shifted<'a>(points: impl Iterator<Item = &'a Series> + Clone) -> PolarsResult<Self> {
        let rows = points
            .clone()
            .map(|points| points.len())
            .find(|&rows| rows != 1)
            .unwrap_or(1);
        let member = |points: &Series| {
            let points = points.struct_()?;
            match points.len() {
                length if length == rows => Ok(Shifted::new(points)),
                1 => Ok(Shifted::new(&points.new_from_index(0, rows))),
                length => polars_bail!(
                    ShapeMismatch: "a column and its shifted copy must have the same length, got {rows} and {length}"
                ),
            }
        };
        Ok(Self::new(points.map(member).collect::<PolarsResult<_>>()?))
    }

    pub(super) fn members(&self) -> &[Shifted] {
        &self.members
    }

    /// The points of each row itself.
    pub(super) fn this(&self) -> &Shifted {
        &self.members[self.members.len() / 2]
    }

    /// Whether y or x is of the type that knows no values, and so may not have the chunks of the points either.
    pub(super) fn has_nulls_only(&self) -> bool {
        let this = self.this();
        this.y.dtype().is_null() || this.x.as_ref().is_some_and(|x| x.dtype().is_null())
    }

    pub(super) fn columns(&self) -> PolarsResult<Columns> {
        let y = self.members.iter().map(|member| canonical(&member.y));
        let x = self.members.iter().filter_map(|member| member.x.as_ref());
        let share = self.this().share;
        let numbers_of_x = x.clone().map(|x| repeated(canonical(x)?, share));
        Ok(Columns {
            y: y.collect::<PolarsResult<_>>()?,
            numbers_of_x: numbers_of_x.collect::<PolarsResult<_>>()?,
            x: x.cloned().collect(),
            share,
        })
    }

    /// The window as the sweep reads it.
    pub(super) fn to_sweep<'a>(&'a self, columns: &'a Columns) -> PolarsResult<Vec<Member<'a>>> {
        let member = |(index, member): (usize, &'a Shifted)| {
            Ok(Member {
                y: numbers(&columns.y[index])?,
                x: columns.numbers_of_x.get(index).map(numbers).transpose()?,
                exists: member.exists.iter().map(|exists| exists.as_ref().map(bits)).collect(),
            })
        };
        self.members.iter().enumerate().map(member).collect()
    }
}

impl Shifted {
    pub(super) fn new(points: &StructChunked) -> Self {
        let mut fields = points.fields_as_series().into_iter();
        Self {
            y: fields.next().expect("points have a y"),
            x: fields.next(),
            share: 1,
            cell: 1,
            exists: points.chunks().iter().map(|chunk| chunk.validity().cloned()).collect(),
        }
    }

    /// Columns whose chunks are those of y, and where there are points.
    pub(super) fn with(y: Series, x: Option<Series>, (share, cell): (usize, usize), exists: Option<&Bitmap>) -> Self {
        let mut start = 0;
        let exists_in = |length: usize| {
            start += length;
            let exists = exists?.clone().sliced(start - length, length);
            (exists.unset_bits() > 0).then_some(exists)
        };
        let exists = y.chunk_lengths().map(exists_in).collect();
        Self {
            y,
            x,
            share,
            cell,
            exists,
        }
    }

    /// Where there are points, in one piece; `None` if everywhere.
    pub(super) fn exists(&self) -> Option<Bitmap> {
        if self.exists.iter().all(Option::is_none) {
            return None;
        }
        let mut bits = BitmapBuilder::with_capacity(self.y.len());
        for (chunk, exists) in self.y.chunks().iter().zip(&self.exists) {
            match exists {
                Some(exists) => bits.extend_from_bitmap(exists),
                None => bits.extend_constant(chunk.len(), true),
            }
        }
        Some(bits.freeze())
    }

    /// Ends at the starts of groups a column that has been shifted so many rows back.
    fn end_at(&mut self, starts: &Bitmap, ahead: isize) {
        let mut first = 0;
        for (chunk, exists) in self.y.chunks().iter().zip(&mut self.exists) {
            let linked = (first..first + chunk.len()).map(|row| {
                let other = row.saturating_add_signed(ahead).min(starts.len() - 1);
                (row.min(other) + 1..=row.max(other)).all(|between| !starts.get_bit(between))
            });
            let linked: Bitmap = linked.collect();
            *exists = Some(exists.take().map_or_else(|| linked.clone(), |exists| &exists & &linked));
            first += chunk.len();
        }
    }
}

/// The columns of all the window's members: y and x as numbers, and x as it was.
pub(super) struct Columns {
    y: Vec<Series>,
    numbers_of_x: Vec<Series>,
    x: Vec<Series>,
    share: usize,
}

impl Columns {
    /// The x of some of the members at a row, as they were.
    pub(super) fn x_at(&self, members: Range<usize>, row: usize) -> PolarsResult<Vec<AnyValue<'_>>> {
        self.x[members].iter().map(|x| x.get(row / self.share)).collect()
    }
}
