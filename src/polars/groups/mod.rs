//! Groups by key: one after the other as they stand, or brought together.
//!
//! Keys mostly come in runs, of a whole group or of a row each where they take turns. The runs are found by comparing
//! each key with the one before; only the first keys of the runs are then grouped, by Polars' own `group_by`.

mod compare;
mod runs;
mod strings;
mod unique;

use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use self::runs::Runs;
use super::series_in_parallel;

/// The rows of a column, group after group.
#[derive(Clone)]
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
        let Runs {
            starts,
            rising,
            distinct,
        } = Runs::new(keys, height)?;
        let runs = starts.set_bits();
        if runs < 2 || rising || distinct == Some(true) {
            return Ok(Self { starts, rows: None });
        }
        polars_ensure!(
            IdxSize::try_from(height).is_ok(),
            ComputeError: "`by` takes at most {} rows, got {height}", IdxSize::MAX
        );
        let first_keys = || {
            keys.iter()
                .map(|key| at(key, &starts))
                .collect::<PolarsResult<Vec<_>>>()
        };
        if runs > height / 2 {
            // Hardly any runs: unless they are in order, the rows themselves are brought together.
            if are_strictly_sorted(&each(keys, |key| key.slice(0, GLANCE))) && are_strictly_sorted(&first_keys()?) {
                return Ok(Self { starts, rows: None });
            }
            return brought_together(keys, height, height, Vec::extend_from_slice);
        }
        let first_keys = first_keys()?;
        if distinct.is_none() && keys_are_unique(&first_keys)? {
            return Ok(Self { starts, rows: None });
        }
        let firsts: Vec<_> = starts.true_idx_iter().map(|row| row as IdxSize).collect();
        let end = |run: usize| firsts.get(run + 1).map_or(height as IdxSize, |&next| next);
        brought_together(&first_keys, runs, height, |rows, group| {
            for &run in group {
                rows.extend(firsts[run as usize]..end(run as usize));
            }
        })
    }
}

/// A key of the length of the column; a single value is repeated.
pub(crate) fn broadcast(key: &Series, height: usize) -> PolarsResult<Series> {
    match key.len() {
        length if length == height => Ok(key.clone()),
        1 => Ok(key.new_from_index(0, height)),
        length => polars_bail!(
            ShapeMismatch: "column `{}` must be as long as y: got {length} and {height} rows", key.name()
        ),
    }
}

/// All rows, group after group, each where Polars' own `group_by` finds its keys; `append` appends the rows of a group.
fn brought_together(
    keys: &[Series],
    count: usize,
    height: usize,
    append: impl Fn(&mut Vec<IdxSize>, &[IdxSize]),
) -> PolarsResult<Groups> {
    /// From so many keys on it pays to group them on all cores.
    const PARALLEL: usize = 100_000;
    // Keys may share a name, the columns of a frame may not.
    let keys = keys
        .iter()
        .enumerate()
        .map(|(number, key)| key.clone().with_name(number.to_string().into()));
    let keys: Vec<_> = keys.map(Series::into_column).collect();
    let frame = DataFrame::new(count, keys.clone())?;
    let groups = frame
        .group_by_with_series(keys, count >= PARALLEL, false)?
        .into_groups();

    let mut rows = Vec::with_capacity(height);
    let mut starts = MutableBitmap::from_len_zeroed(height);
    for group in groups.iter() {
        starts.set(rows.len(), true);
        match group {
            GroupsIndicator::Idx((_, group)) => append(&mut rows, group),
            GroupsIndicator::Slice([first, length]) => append(&mut rows, &(first..first + length).collect::<Vec<_>>()),
        }
    }
    Ok(Groups {
        starts: starts.freeze(),
        rows: Some(rows),
    })
}

/// The values of a column where a bit is set.
fn at(column: &Series, places: &Bitmap) -> PolarsResult<Series> {
    series_in_parallel(column, column.len(), |rows| {
        let places = BooleanChunked::from_bitmap(PlSmallStr::EMPTY, places.clone().sliced(rows.start, rows.len()));
        column.slice(rows.start as i64, rows.len()).filter(&places)
    })
}

/// Whether no combination of keys comes twice.
fn keys_are_unique(keys: &[Series]) -> PolarsResult<bool> {
    let count = keys[0].len();
    if are_strictly_sorted(&each(keys, |key| key.slice(0, GLANCE))) && are_strictly_sorted(keys) {
        return Ok(true);
    }
    let distinct = match keys {
        [key] => key.n_unique()?,
        keys => StructChunked::from_series(PlSmallStr::EMPTY, count, keys.iter())?
            .into_series()
            .n_unique()?,
    };
    Ok(distinct == count)
}

/// Keys that are looked at before all of them are.
const GLANCE: usize = 1_000;

/// Whether keys only rise or only fall from row to row, and so never come back; false where Polars cannot tell.
fn are_strictly_sorted(keys: &[Series]) -> bool {
    let pairs = keys[0].len() - 1;
    let (before, these) = (
        each(keys, |key| key.slice(0, pairs)),
        each(keys, |key| key.slice(1, pairs)),
    );
    let always = |below: BooleanChunked| below.sum() == Some(pairs as IdxSize);
    [(&before, &these), (&these, &before)]
        .into_iter()
        .any(|(low, high)| is_below(low, high).is_ok_and(always))
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
