//! A dense table of the points of a grid.

use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use super::ranks::ranks;
use crate::parallel::try_par_map;
use crate::polars::groups::Groups;

/// The row of each point of one grid or of several, with an entry for each combination of coordinates.
pub(super) struct Table {
    /// The number of rows, those without a point included.
    height: usize,
    /// The number of grids, then of distinct coordinates along each axis.
    lengths: Vec<usize>,
    /// In C order: grids outermost, the last axis innermost.
    rows: Vec<IdxSize>,
}

impl Table {
    const EMPTY: IdxSize = IdxSize::MAX;

    /// `None` if three quarters of the entries would be empty, or a point comes twice.
    pub(super) fn new(coordinates: &[Series], keys: &[Series], rows: usize) -> PolarsResult<Option<Self>> {
        let max_size = rows.saturating_mul(4).min(IdxSize::MAX as usize);
        let (mut entries, grids) = group_ids(keys, rows)?;
        let limit = max_size / grids.max(1);
        let ranked = try_par_map(coordinates.len(), rows, |axis| ranks(&coordinates[axis], limit))?;
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
        if size > max_size {
            return Ok(None);
        }
        for (ranks, length) in ranked {
            for (entry, rank) in entries.iter_mut().zip(ranks) {
                *entry = *entry * length as IdxSize + rank;
            }
        }
        let located = located(coordinates);
        let mut table = vec![Self::EMPTY; size];
        for (row, entry) in entries.into_iter().enumerate() {
            if located.as_ref().is_some_and(|located| located.get(row) != Some(true)) {
                continue;
            }
            let previous = std::mem::replace(&mut table[entry as usize], row as IdxSize);
            if previous != Self::EMPTY {
                return Ok(None);
            }
        }
        Ok(Some(Self {
            height: rows,
            lengths,
            rows: table,
        }))
    }

    /// The lines along one axis, 1 being the first coordinate.
    pub(super) fn lines(&self, axis: usize) -> Groups {
        let length = self.lengths[axis];
        let step: usize = self.lengths[axis + 1..].iter().product();
        let mut rows = Vec::with_capacity(self.height);
        let mut starts = MutableBitmap::from_len_zeroed(self.height);
        for line in 0..self.rows.len().checked_div(length).unwrap_or(0) {
            let first = line / step * step * length + line % step;
            if rows.len() < self.height {
                starts.set(rows.len(), true);
            }
            let entries = (first..).step_by(step).take(length);
            rows.extend(entries.map(|entry| self.rows[entry]).filter(|&row| row != Self::EMPTY));
        }
        let in_place = rows.len() == self.height && rows.iter().enumerate().all(|(index, &row)| index == row as usize);
        let starts = Bitmap::from(starts).sliced(0, rows.len());
        if in_place {
            Groups::contiguous(starts)
        } else {
            Groups::permuted(starts, rows, self.height)
        }
    }
}

/// The index of each row's group, and the number of groups.
fn group_ids(keys: &[Series], height: usize) -> PolarsResult<(Vec<IdxSize>, usize)> {
    if keys.is_empty() {
        return Ok((vec![0; height], 1));
    }
    let groups = Groups::new(keys, height)?;
    let mut ids = vec![0; height];
    let mut count = 0;
    for position in 0..height {
        count += usize::from(groups.starts.get_bit(position));
        ids[groups.row(position)] = (count - 1) as IdxSize;
    }
    Ok((ids, count))
}

/// Which points have all coordinates; `None` if all do.
pub(super) fn located(coordinates: &[Series]) -> Option<BooleanChunked> {
    let with_nulls = coordinates.iter().filter(|column| column.has_nulls());
    with_nulls.map(|column| column.is_not_null()).reduce(|a, b| a & b)
}
