//! Rows grouped by keys.
//!
//! Equal keys usually form runs: of a whole group, or of single rows where groups alternate. Each key is compared with
//! the one before to find the runs; only the first key of each run is then numbered, by its place in a narrow range of
//! integers or in a hash table, and runs are sorted by these numbers.

mod compare;
mod dense;
mod runs;
mod strings;
mod unique;

use std::ops::Range;

use polars::prelude::row_encode::encode_rows_unordered;
use polars::prelude::*;
use polars::series::BitRepr;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use self::dense::number_dense;
use self::runs::Runs;
use super::series_in_parallel;
use super::take::filter;
use crate::parallel::{even_ranges, try_par_map};
use crate::segments::{Grouped, Numbered, number_by_hash};

/// The rows of a column, group after group.
///
/// Made by [`contiguous`](Self::contiguous) and [`permuted`](Self::permuted), which state the invariants.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    /// Which positions start a group: positions in `rows`, or rows of the column if `rows` is `None`.
    pub(crate) starts: Bitmap,
    /// The row at each position, no row twice; `None` if the groups are contiguous in the column.
    pub(crate) rows: Option<Vec<IdxSize>>,
}

impl Groups {
    /// Groups that are contiguous in the column: `starts` has a bit per row, and the first row starts a group.
    pub(crate) fn contiguous(starts: Bitmap) -> Self {
        debug_assert!(starts.is_empty() || starts.get_bit(0), "the first row starts a group");
        Self { starts, rows: None }
    }

    /// Groups whose rows are anywhere in a column of `height` rows; rows that are not listed belong to no group.
    ///
    /// `rows` must be distinct and below `height`: several threads scatter results to them. `starts` has a bit per
    /// listed row.
    pub(crate) fn permuted(starts: Bitmap, rows: Vec<IdxSize>, height: usize) -> Self {
        debug_assert_eq!(starts.len(), rows.len(), "a bit per row");
        debug_assert!(starts.is_empty() || starts.get_bit(0), "the first row starts a group");
        debug_assert!(are_distinct_rows(&rows, height), "no row twice, none beyond the column");
        Self {
            starts,
            rows: Some(rows),
        }
    }

    /// One group per distinct combination of keys, null being a key like any other; without keys a single group.
    ///
    /// # Errors
    ///
    /// `ComputeError` for more rows than the index type of Polars counts; that of Polars for keys that it cannot group.
    pub(crate) fn new(keys: &[Series], height: usize) -> PolarsResult<Self> {
        if keys.is_empty() {
            let mut starts = MutableBitmap::from_len_zeroed(height);
            if height > 0 {
                starts.set(0, true);
            }
            return Ok(Self::contiguous(starts.freeze()));
        }
        let Runs { starts, sorted, unique } = Runs::new(keys, height)?;
        // Bits are counted only where the number of runs matters.
        if sorted || unique == Some(true) {
            return Ok(Self::contiguous(starts));
        }
        let runs = starts.set_bits();
        if runs < 2 {
            return Ok(Self::contiguous(starts));
        }
        check_height("`by`", height)?;
        // Where runs average under two rows, grouping the rows themselves is cheaper, unless they are sorted.
        let are_short = runs > height / 2;
        let may_be_sorted = are_strictly_sorted(&map(keys, |key| key.slice(0, SAMPLE)));
        if !are_short || may_be_sorted {
            let first_keys = keys.iter().map(|key| first_of_runs(key, &starts));
            let first_keys: Vec<_> = first_keys.collect::<PolarsResult<_>>()?;
            if may_be_sorted && are_strictly_sorted(&first_keys) {
                return Ok(Self::contiguous(starts));
            }
            if !are_short {
                return Ok(Self::of_runs(&grouped(&first_keys, runs)?, starts, height));
            }
        }
        Ok(Self::of_rows(grouped(keys, height)?, starts, height))
    }

    /// Groups of single rows, given the starts of runs of equal keys.
    fn of_rows(grouped: Grouped<IdxSize>, run_starts: Bitmap, height: usize) -> Self {
        if grouped.groups() == run_starts.set_bits() {
            return Self::contiguous(run_starts);
        }
        let mut starts = MutableBitmap::from_len_zeroed(height);
        grouped.starts().for_each(|start| starts.set(start, true));
        Self::permuted(starts.freeze(), grouped.indices, height)
    }

    /// Groups of runs, given their starts.
    fn of_runs(grouped: &Grouped<IdxSize>, run_starts: Bitmap, height: usize) -> Self {
        if grouped.groups() == run_starts.set_bits() {
            return Self::contiguous(run_starts);
        }
        let first_rows: Vec<_> = run_starts.true_idx_iter().map(|row| row as IdxSize).collect();
        let end = |run: usize| first_rows.get(run + 1).map_or(height as IdxSize, |&next| next);
        let mut rows = Vec::with_capacity(height);
        let mut starts = MutableBitmap::from_len_zeroed(height);
        let mut runs = grouped.indices.iter();
        for &length in grouped.lengths.iter().filter(|&&length| length > 0) {
            starts.set(rows.len(), true);
            for &run in runs.by_ref().take(length as usize) {
                rows.extend(first_rows[run as usize]..end(run as usize));
            }
        }
        Self::permuted(starts.freeze(), rows, height)
    }

    /// The rows whose key is not that of the row before.
    #[cfg(feature = "python")]
    pub(crate) fn run_starts(keys: &[Series], height: usize) -> PolarsResult<Bitmap> {
        Ok(Runs::new(keys, height)?.starts)
    }

    /// The number of rows that belong to a group.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The row at a position.
    pub(crate) fn row(&self, position: usize) -> usize {
        self.rows.as_ref().map_or(position, |rows| rows[position] as usize)
    }

    /// Whether a group has more than one row.
    pub(crate) fn has_pairs(&self) -> bool {
        self.starts.set_bits() < self.len()
    }
}

/// # Errors
///
/// `ComputeError` for more rows than the index type of Polars counts.
pub(crate) fn check_height(argument: &str, height: usize) -> PolarsResult<()> {
    polars_ensure!(
        IdxSize::try_from(height).is_ok(),
        ComputeError: "{argument} takes at most {} rows, got {height}", IdxSize::MAX
    );
    Ok(())
}

/// A column of the given height; a single value is repeated.
pub(crate) fn broadcast(column: &Series, height: usize) -> PolarsResult<Series> {
    match column.len() {
        length if length == height => Ok(column.clone()),
        1 => Ok(column.new_from_index(0, height)),
        length => polars_bail!(
            ShapeMismatch: "column `{}` must be as long as y: got {length} and {height} rows", column.name()
        ),
    }
}

/// The indices of equal keys, `count` of them.
///
/// Polars' own `group_by` starts the thread pool of the Polars inside of the plugin, beside that of the process.
fn grouped(keys: &[Series], count: usize) -> PolarsResult<Grouped<IdxSize>> {
    let numbered = match number_dense(keys, count) {
        Some(numbered) => numbered,
        None => number_any(keys, count)?,
    };
    Ok(numbered.group())
}

/// Numbers `count` keys of any dtype.
fn number_any(keys: &[Series], count: usize) -> PolarsResult<Numbered<IdxSize>> {
    let state = PlRandomState::default();
    let ranges = even_ranges(count);
    let single = keys.first().filter(|_| keys.len() == 1);
    // Floats with different bits may be equal: zeros and NaN.
    let by_value = |key: &&Series| !key.has_nulls() && !key.dtype().is_float();
    if let Some(key) = single.filter(by_value) {
        let physical = key.to_physical_repr();
        macro_rules! by_value {
            ($keys:expr) => {{
                let keys = $keys.rechunk();
                let part = |rows: &Range<usize>| keys.downcast_as_array().clone().sliced(rows.start, rows.len());
                let parts: Vec<_> = ranges.iter().map(part).collect();
                let parts: Vec<_> = parts.iter().map(|part| part.values_iter()).collect();
                return Ok(number_by_hash(&parts, &state));
            }};
        }
        match physical.bit_repr() {
            Some(BitRepr::U32(keys)) => by_value!(keys),
            Some(BitRepr::U64(keys)) => by_value!(keys),
            _ if physical.dtype() == &DataType::String => by_value!(physical.str()?),
            _ => {},
        }
    }
    let encoded = try_par_map(ranges.len(), count, |part| {
        let rows = &ranges[part];
        let columns = keys
            .iter()
            .map(|key| key.slice(rows.start as i64, rows.len()).into_column());
        // One chunk, without nulls: a null has an encoding of its own.
        encode_rows_unordered(&columns.collect::<Vec<_>>())
    })?;
    let parts: Vec<_> = encoded
        .iter()
        .map(|rows| rows.downcast_as_array().values_iter())
        .collect();
    Ok(number_by_hash(&parts, &state))
}

/// The keys at the starts of runs.
fn first_of_runs(key: &Series, starts: &Bitmap) -> PolarsResult<Series> {
    series_in_parallel(key, key.len(), |rows| {
        let starts = BooleanChunked::from_bitmap(PlSmallStr::EMPTY, starts.clone().sliced(rows.start, rows.len()));
        filter(&key.slice(rows.start as i64, rows.len()), &starts)
    })
}

/// The number of keys that are tested before all are.
const SAMPLE: usize = 1_000;

/// Whether keys are sorted, either way, without repetition; false where Polars cannot order them.
fn are_strictly_sorted(keys: &[Series]) -> bool {
    let pairs = keys[0].len() - 1;
    let previous = map(keys, |key| key.slice(0, pairs));
    let next = map(keys, |key| key.slice(1, pairs));
    let always = |less: BooleanChunked| less.sum() == Some(pairs as IdxSize);
    [(&previous, &next), (&next, &previous)]
        .into_iter()
        .any(|(left, right)| is_less(left, right).is_ok_and(always))
}

fn map(keys: &[Series], change: impl Fn(&Series) -> Series) -> Vec<Series> {
    keys.iter().map(change).collect()
}

/// Where `left` comes before `right` in lexicographic order of the keys.
fn is_less(left: &[Series], right: &[Series]) -> PolarsResult<BooleanChunked> {
    let less = left[0].lt(&right[0])?;
    if left.len() == 1 {
        return Ok(less);
    }
    let equal = left[0].equal(&right[0])?;
    Ok(less | (equal & is_less(&left[1..], &right[1..])?))
}

fn are_distinct_rows(rows: &[IdxSize], height: usize) -> bool {
    let mut seen = MutableBitmap::from_len_zeroed(height);
    rows.iter().all(|&row| {
        let is_new = (row as usize) < height && !seen.get(row as usize);
        if is_new {
            seen.set(row as usize, true);
        }
        is_new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(debug_assertions, should_panic = "no row twice, none beyond the column")]
    fn an_order_with_a_row_twice_is_refused_in_debug_builds() {
        Groups::permuted(Bitmap::from([true, false]), vec![1, 1], 2);
    }

    #[test]
    fn groups_list_each_row_once() {
        let key = Series::new("key".into(), [1, 2, 1, 2, 3]);
        let groups = Groups::new(&[key], 5).expect("integers");
        // Groups are in no particular order.
        let mut rows = groups.rows.clone().expect("alternating keys");
        rows.sort_unstable();
        assert_eq!(rows, [0, 1, 2, 3, 4]);
        assert_eq!(groups.starts.set_bits(), 3);
        assert!(groups.has_pairs());
    }
}
