//! Rows grouped by keys.
//!
//! Equal keys usually form runs: of a whole group, or of single rows where groups alternate. Each key is compared with
//! the one before to find the runs; only the first key of each run then goes through Polars' `group_by`.

mod compare;
mod runs;
mod strings;
mod unique;

use polars::prelude::*;
use polars_arrow::bitmap::{Bitmap, MutableBitmap};

use self::runs::Runs;
use super::series_in_parallel;
use super::take::filter;

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
        let Runs { starts, sorted, unique } = Runs::new(keys, height)?;
        let runs = starts.set_bits();
        if runs < 2 || sorted || unique == Some(true) {
            return Ok(Self::contiguous(starts));
        }
        check_height("`by`", height)?;
        let first_keys = || {
            keys.iter()
                .map(|key| first_of_runs(key, &starts))
                .collect::<PolarsResult<Vec<_>>>()
        };
        if runs > height / 2 {
            // Runs average under two rows: unless they are sorted, grouping the rows themselves is cheaper.
            if are_strictly_sorted(&map(keys, |key| key.slice(0, SAMPLE))) && are_strictly_sorted(&first_keys()?) {
                return Ok(Self::contiguous(starts));
            }
            return group_by(keys, height, height, Vec::extend_from_slice);
        }
        let first_keys = first_keys()?;
        if unique.is_none() && are_unique(&first_keys)? {
            return Ok(Self::contiguous(starts));
        }
        let first_rows: Vec<_> = starts.true_idx_iter().map(|row| row as IdxSize).collect();
        let end = |run: usize| first_rows.get(run + 1).map_or(height as IdxSize, |&next| next);
        group_by(&first_keys, runs, height, |rows, runs| {
            for &run in runs {
                rows.extend(first_rows[run as usize]..end(run as usize));
            }
        })
    }

    /// The rows whose key is not that of the row before.
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

/// Groups `count` keys with Polars' `group_by`; `append` appends the rows of the keys at some indices.
fn group_by(
    keys: &[Series],
    count: usize,
    height: usize,
    append: impl Fn(&mut Vec<IdxSize>, &[IdxSize]),
) -> PolarsResult<Groups> {
    /// From this many keys on grouping on all cores pays.
    const PARALLEL: usize = 100_000;
    // Keys may share a name, the columns of a frame may not.
    let keys = keys.iter().enumerate();
    let keys = keys.map(|(index, key)| key.clone().with_name(index.to_string().into()).into_column());
    let keys: Vec<_> = keys.collect();
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
    Ok(Groups::permuted(starts.freeze(), rows, height))
}

/// The keys at the starts of runs.
fn first_of_runs(key: &Series, starts: &Bitmap) -> PolarsResult<Series> {
    series_in_parallel(key, key.len(), |rows| {
        let starts = BooleanChunked::from_bitmap(PlSmallStr::EMPTY, starts.clone().sliced(rows.start, rows.len()));
        filter(&key.slice(rows.start as i64, rows.len()), &starts)
    })
}

/// Whether no combination of keys comes twice.
fn are_unique(keys: &[Series]) -> PolarsResult<bool> {
    let count = keys[0].len();
    if are_strictly_sorted(&map(keys, |key| key.slice(0, SAMPLE))) && are_strictly_sorted(keys) {
        return Ok(true);
    }
    let unique = match keys {
        [key] => key.n_unique()?,
        keys => StructChunked::from_series(PlSmallStr::EMPTY, count, keys.iter())?
            .into_series()
            .n_unique()?,
    };
    Ok(unique == count)
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
        // Polars gives the groups in no particular order.
        let mut rows = groups.rows.clone().expect("alternating keys");
        rows.sort_unstable();
        assert_eq!(rows, [0, 1, 2, 3, 4]);
        assert_eq!(groups.starts.set_bits(), 3);
        assert!(groups.has_pairs());
    }
}
