//! The lines of a grid: its points that differ in one coordinate only, in the order of that one.
//!
//! Where most places of the grid are taken, a table of them tells who stands on a line; else the rows are sorted.

use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use super::ranks::ranks;
use crate::parallel::par_map;
use crate::polars::groups::Groups;
use crate::polars::groups::broadcast;
use crate::polars::unsorted::LENIENT;

/// The points of one grid, or of several, in any order.
pub(super) struct Grid {
    pub(super) coordinates: Vec<Series>,
    /// What tells one grid from another.
    keys: Vec<Series>,
    table: Option<Table>,
}

impl Grid {
    /// # Errors
    ///
    /// Where a coordinate is not finite, if `strict` is set; otherwise its point is on no line.
    pub(super) fn new(coordinates: &[Series], keys: &[Series], rows: usize, strict: bool) -> PolarsResult<Self> {
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

    /// What all points of a line along one coordinate have in common.
    pub(super) fn beside(&self, axis: usize) -> Vec<Series> {
        let coordinates = self.coordinates.iter().enumerate();
        let others = coordinates.filter(|&(index, _)| index != axis).map(|(_, other)| other);
        self.keys.iter().chain(others).cloned().collect()
    }

    /// The rows of all lines along one coordinate. A point that does not know its place is on none.
    pub(super) fn lines(&self, axis: usize) -> PolarsResult<Groups> {
        if let Some(table) = &self.table {
            return Ok(table.lines(axis + 1));
        }
        let order = self.coordinates[axis].arg_sort(SortOptions::default());
        let order = match known(&self.coordinates) {
            Some(known) => order.filter(&known.take(&order)?)?,
            None => order,
        };
        let beside = self
            .beside(axis)
            .iter()
            .map(|column| column.take(&order))
            .collect::<PolarsResult<Vec<_>>>()?;
        let Groups { starts, rows } = Groups::new(&beside, order.len())?;
        let order: Vec<_> = order.into_no_null_iter().collect();
        let rows = match rows {
            Some(rows) => rows.into_iter().map(|position| order[position as usize]).collect(),
            None => order,
        };
        Ok(Groups {
            starts,
            rows: Some(rows),
        })
    }
}

/// A coordinate with nulls for what is not finite.
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

/// Which points know their place; `None` if all do.
fn known(coordinates: &[Series]) -> Option<BooleanChunked> {
    let partly_known = coordinates.iter().filter(|column| column.has_nulls());
    partly_known.map(|column| column.is_not_null()).reduce(|a, b| a & b)
}

/// The row of each place of a grid, the last axis innermost.
struct Table {
    /// The number of rows, whether they have a place or not.
    height: usize,
    /// The number of grids, and of different coordinates along each axis.
    lengths: Vec<usize>,
    rows: Vec<IdxSize>,
}

impl Table {
    const NOBODY: IdxSize = IdxSize::MAX;

    /// `None` where most places would be empty, or a point comes twice.
    fn new(coordinates: &[Series], keys: &[Series], rows: usize) -> PolarsResult<Option<Self>> {
        let most_places = rows.saturating_mul(4).min(IdxSize::MAX as usize);
        let (mut places, grids) = numbered(keys, rows)?;
        let limit = most_places / grids.max(1);
        let ranked = par_map(coordinates.len(), rows, |axis| ranks(&coordinates[axis], limit))?;
        let Some(ranked) = ranked.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let lengths: Vec<_> = [grids]
            .into_iter()
            .chain(ranked.iter().map(|(_, length)| *length))
            .collect();
        let size = lengths
            .iter()
            .fold(1_usize, |size, &length| size.saturating_mul(length));
        if size > most_places {
            return Ok(None);
        }
        for (ranks, length) in ranked {
            for (place, rank) in places.iter_mut().zip(ranks) {
                *place = *place * length as IdxSize + rank;
            }
        }
        let known = known(coordinates);
        let mut table = vec![Self::NOBODY; size];
        for (row, place) in places.into_iter().enumerate() {
            if known.as_ref().is_some_and(|known| known.get(row) != Some(true)) {
                continue;
            }
            let taken = std::mem::replace(&mut table[place as usize], row as IdxSize);
            if taken != Self::NOBODY {
                return Ok(None);
            }
        }
        Ok(Some(Self {
            height: rows,
            lengths,
            rows: table,
        }))
    }

    fn lines(&self, axis: usize) -> Groups {
        let length = self.lengths[axis];
        let step: usize = self.lengths[axis + 1..].iter().product();
        let mut rows = Vec::with_capacity(self.height);
        let mut starts = MutableBitmap::from_len_zeroed(self.height);
        for line in 0..self.rows.len().checked_div(length).unwrap_or(0) {
            let first = line / step * step * length + line % step;
            if rows.len() < self.height {
                starts.set(rows.len(), true);
            }
            let places = (first..).step_by(step).take(length);
            rows.extend(places.map(|place| self.rows[place]).filter(|&row| row != Self::NOBODY));
        }
        let are_all = rows.len() == self.height;
        let as_they_are = are_all && rows.iter().enumerate().all(|(position, &row)| position == row as usize);
        let starts = Bitmap::from(starts).sliced(0, rows.len());
        Groups {
            starts,
            rows: (!as_they_are).then_some(rows),
        }
    }
}

/// The number of each row's group, and how many groups there are.
fn numbered(keys: &[Series], height: usize) -> PolarsResult<(Vec<IdxSize>, usize)> {
    if keys.is_empty() {
        return Ok((vec![0; height], 1));
    }
    let Groups { starts, rows } = Groups::new(keys, height)?;
    let mut numbers = vec![0; height];
    let mut count = 0;
    for position in 0..height {
        count += usize::from(starts.get_bit(position));
        let row = rows.as_ref().map_or(position, |rows| rows[position] as usize);
        numbers[row] = (count - 1) as IdxSize;
    }
    Ok((numbers, count))
}
