//! The lines of a grid: points that share all coordinates but one, sorted by that one.
//!
//! A dense grid has a table of its points, from which lines are read; the rows of a sparse one are sorted.

use polars::prelude::*;

use super::sort::arg_sort;
use super::table::{Table, located};
use crate::polars::bitmap;
use crate::polars::groups::{Groups, broadcast, check_height};
use crate::polars::take::{filter, take};
use crate::polars::unsorted::LENIENT;

/// The points of one grid or of several, in any order.
pub(super) struct Grid {
    pub(super) coordinates: Vec<Series>,
    /// Keys that tell grids apart.
    keys: Vec<Series>,
    table: Option<Table>,
}

impl Grid {
    /// # Errors
    ///
    /// If `strict` is set, where a coordinate is not finite; otherwise such a point is on no line. Also for more rows than
    /// the index type of Polars counts.
    pub(super) fn new(coordinates: &[Series], keys: &[Series], rows: usize, strict: bool) -> PolarsResult<Self> {
        check_height("a grid", rows)?;
        let keys = keys
            .iter()
            .map(|key| broadcast(key, rows))
            .collect::<PolarsResult<Vec<_>>>()?;
        let coordinates = coordinates
            .iter()
            .map(|column| finite(&broadcast(column, rows)?, strict));
        let coordinates = coordinates.collect::<PolarsResult<Vec<_>>>()?;
        let table = Table::new(&coordinates, &keys, rows)?;
        Ok(Self {
            coordinates,
            keys,
            table,
        })
    }

    /// The columns that are constant along the lines of one axis: the keys and the other coordinates.
    pub(super) fn other_keys(&self, axis: usize) -> Vec<Series> {
        let coordinates = self.coordinates.iter().enumerate();
        let others = coordinates.filter(|&(index, _)| index != axis).map(|(_, other)| other);
        self.keys.iter().chain(others).cloned().collect()
    }

    /// The lines along one axis as groups of rows. A point with a null coordinate is on none.
    pub(super) fn lines(&self, axis: usize) -> PolarsResult<Groups> {
        if let Some(table) = &self.table {
            return Ok(table.lines(axis + 1));
        }
        let mut order = arg_sort(&self.coordinates[axis])?;
        if let Some(located) = located(&self.coordinates) {
            let located = bitmap(&located);
            order.retain(|&row| located.get_bit(row as usize));
        }
        let keys = self.other_keys(axis);
        let keys = keys
            .iter()
            .map(|key| take(key, &order))
            .collect::<PolarsResult<Vec<_>>>()?;
        let Groups { starts, rows } = Groups::new(&keys, order.len())?;
        let rows = match rows {
            Some(rows) => rows.into_iter().map(|position| order[position as usize]).collect(),
            None => order,
        };
        Ok(Groups::permuted(starts, rows, self.coordinates[axis].len()))
    }

    /// Whether any of the grids has more than one point.
    pub(super) fn has_pairs(&self) -> PolarsResult<bool> {
        let rows = self.coordinates[0].len();
        let (keys, points) = match located(&self.coordinates) {
            Some(located) => {
                let keys = self.keys.iter().map(|key| filter(key, &located));
                (
                    keys.collect::<PolarsResult<Vec<_>>>()?,
                    located.sum().unwrap_or(0) as usize,
                )
            },
            None => (self.keys.clone(), rows),
        };
        Ok(Groups::new(&keys, points)?.has_pairs())
    }
}

/// A coordinate with nulls for values that are not finite.
fn finite(column: &Series, strict: bool) -> PolarsResult<Series> {
    if !column.dtype().is_float() {
        return Ok(column.clone());
    }
    let wrong = column.is_not_null() & !column.is_finite()?.fill_null_with_values(false)?;
    match wrong.first_true_idx() {
        None => Ok(column.clone()),
        Some(row) if strict => polars_bail!(
            ComputeError: "coordinates must be finite, but in column `{}` there is {}; \
            drop such rows, or {} to get nulls there",
            column.name(),
            column.get(row)?,
            LENIENT
        ),
        Some(_) => column.zip_with(
            &!wrong,
            &Series::full_null(column.name().clone(), column.len(), column.dtype()),
        ),
    }
}
