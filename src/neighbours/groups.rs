//! Groups by key: one after the other as they stand, or brought together.
//!
//! Keys mostly come in runs, of a whole group or of a row each where they take turns. The runs are found by comparing
//! each key with the one before; only the first keys of the runs are then grouped, by Polars' own `group_by`.

use std::ops::Range;

use arrow::bitmap::{Bitmap, BitmapBuilder, MutableBitmap};
use polars::prelude::*;

use crate::threads::in_parallel;

/// The rows of a column, group after group.
pub(crate) struct Groups {
    /// Where a group starts, in the order of `rows`.
    pub(crate) starts: Bitmap,
    /// Row numbers; `None` where the groups stand one after the other already.
    pub(crate) rows: Option<Vec<IdxSize>>,
}

impl Groups {
    /// A group per combination of keys, null being a key like any other; without keys a single one.
    ///
    /// # Errors
    ///
    /// `ComputeError` for more rows than Polars numbers; what Polars says of keys that it cannot group.
    pub(crate) fn new(keys: &[Series], height: usize) -> PolarsResult<Self> {
        let starts = run_starts(keys, height)?;
        let firsts: Vec<_> = starts.true_idx_iter().map(|row| row as IdxSize).collect();
        let in_place = Self { starts, rows: None };
        if firsts.len() < 2 {
            return Ok(in_place);
        }
        polars_ensure!(
            IdxSize::try_from(height).is_ok(),
            ComputeError: "`by` takes at most {} rows, got {height}", IdxSize::MAX
        );
        let first_keys = keys.iter().map(|key| key.take_slice(&firsts)).collect::<PolarsResult<Vec<_>>>()?;
        if is_strictly_sorted(&first_keys) {
            return Ok(in_place);
        }
        let first_keys: Vec<_> = first_keys.into_iter().map(Series::into_column).collect();
        let runs = DataFrame::new(firsts.len(), first_keys.clone())?
            .group_by_with_series(first_keys, firsts.len() >= PARALLEL, false)?
            .into_groups();
        if runs.len() == firsts.len() {
            return Ok(in_place);
        }
        Ok(brought_together(&runs, &firsts, height))
    }

    /// Which row stands at a position.
    pub(crate) fn row(&self, position: usize) -> usize {
        self.rows.as_ref().map_or(position, |rows| rows[position] as usize)
    }
}

/// From so many runs on it pays to group them on all cores.
const PARALLEL: usize = 100_000;

/// The rows of all runs, group after group.
fn brought_together(runs: &GroupsType, firsts: &[IdxSize], height: usize) -> Groups {
    let end = |run: usize| firsts.get(run + 1).map_or(height as IdxSize, |&next| next);
    let mut rows = Vec::with_capacity(height);
    let mut starts = MutableBitmap::from_len_zeroed(height);
    for group in runs.iter() {
        starts.set(rows.len(), true);
        let mut push = |run: IdxSize| rows.extend(firsts[run as usize]..end(run as usize));
        match group {
            GroupsIndicator::Idx((_, runs)) => runs.iter().copied().for_each(push),
            GroupsIndicator::Slice([first, length]) => (first..first + length).for_each(&mut push),
        }
    }
    Groups {
        starts: starts.freeze(),
        rows: Some(rows),
    }
}

/// Where a run of equal keys starts.
fn run_starts(keys: &[Series], height: usize) -> PolarsResult<Bitmap> {
    let parts = in_parallel(height, |rows| {
        let mut starts = MutableBitmap::from_len_zeroed(rows.len());
        if rows.start == 0 && !rows.is_empty() {
            starts.set(0, true);
        }
        keys.iter()
            .try_fold(starts.freeze(), |starts, key| Ok(&starts | &changes(key, rows.clone())?))
    })?;
    let mut starts = BitmapBuilder::with_capacity(height);
    for part in &parts {
        starts.extend_from_bitmap(part);
    }
    Ok(starts.freeze())
}

/// Where a key differs from the one before it; the very first counts as the same.
fn changes(key: &Series, rows: Range<usize>) -> PolarsResult<Bitmap> {
    let mut changes = BitmapBuilder::with_capacity(rows.len());
    let mut last: Option<Series> = None;
    let mut chunk_end = 0;
    // Chunk by chunk: Polars would copy a column to compare it with itself one row further on.
    for index in 0..key.n_chunks() {
        let chunk_start = chunk_end;
        chunk_end += key.chunks()[index].len();
        let (start, end) = (chunk_start.max(rows.start), chunk_end.min(rows.end));
        let chunk = key.select_chunk(index);
        if start < end {
            let first = start - chunk_start;
            let before = match first {
                0 => last.take(),
                row => Some(chunk.slice(row as i64 - 1, 1)),
            };
            match before {
                Some(before) => append_changes(&mut changes, &before, &chunk.slice(first as i64, 1))?,
                None => changes.push(false),
            }
            let pairs = end - start - 1;
            let [these, next] = [first, first + 1].map(|row| chunk.slice(row as i64, pairs));
            append_changes(&mut changes, &these, &next)?;
        }
        if !chunk.is_empty() {
            last = Some(chunk.slice(-1, 1));
        }
    }
    Ok(changes.freeze())
}

fn append_changes(changes: &mut BitmapBuilder, before: &Series, these: &Series) -> PolarsResult<()> {
    if !these.is_empty() {
        for chunk in these.not_equal_missing(before)?.downcast_iter() {
            changes.extend_from_bitmap(chunk.values());
        }
    }
    Ok(())
}

/// Whether keys only rise or only fall from row to row, and so never come back; false where Polars cannot tell.
fn is_strictly_sorted(keys: &[Series]) -> bool {
    const GLANCE: usize = 1_000;
    let before = |keys: &[Series], length: usize| each(keys, |key| key.slice(0, length - 1));
    let these = |keys: &[Series], length: usize| each(keys, |key| key.slice(1, length - 1));
    let is_sorted = |length: usize| {
        let (before, these) = (before(keys, length), these(keys, length));
        [(&before, &these), (&these, &before)]
            .into_iter()
            .any(|(low, high)| is_below(low, high).is_ok_and(|below| below.sum() == Some(length as IdxSize - 1)))
    };
    let length = keys[0].len();
    is_sorted(length.min(GLANCE)) && (length <= GLANCE || is_sorted(length))
}

fn each(keys: &[Series], change: impl Fn(&Series) -> Series) -> Vec<Series> {
    keys.iter().map(change).collect()
}

/// Where the first keys that differ rise from `low` to `high`.
fn is_below(low: &[Series], high: &[Series]) -> PolarsResult<BooleanChunked> {
    let below = low[0].lt(&high[0])?;
    if low.len() == 1 {
        return Ok(below);
    }
    let equal = low[0].equal(&high[0])?;
    Ok(below | (equal & is_below(&low[1..], &high[1..])?))
}
