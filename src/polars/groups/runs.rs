//! Finds the runs of equal keys.

use std::ops::Range;

use bytemuck::cast_slice;
use polars::prelude::*;
use polars::series::BitRepr;
use polars_arrow::bitmap::Bitmap;

use super::compare::integers;
use super::strings::strings;
use super::unique::integers_are_unique;
use crate::bits::{ROWS, high_mask};
use crate::parallel::par_ranges;
use crate::polars::{bitmap, bits};

/// The runs of equal keys in a column.
pub(super) struct Runs {
    /// Which rows start a run.
    pub(super) starts: Bitmap,
    /// Whether the rows are known to be sorted by the keys, ascending, so that no key comes back.
    pub(super) sorted: bool,
    /// Whether no key comes back; known only for a single column of integers in a narrow range that soon turns out to be
    /// unsorted.
    pub(super) unique: Option<bool>,
}

impl Runs {
    /// # Errors
    ///
    /// That of Polars for a dtype that it cannot compare.
    pub(super) fn new(keys: &[Series], height: usize) -> PolarsResult<Self> {
        /// With shorter chunks on average the column is rechunked.
        const CHUNK: usize = 4_096;
        let keys = keys.iter().map(|key| match key.n_chunks() {
            chunks if chunks > 1 + height / CHUNK => key.rechunk(),
            _ => key.clone(),
        });
        let keys: Vec<_> = keys.collect();
        let parts = par_ranges(height, ROWS, |rows| RunsPart::new(&keys, rows))?;
        let starts: Vec<_> = parts.iter().map(|part| cast_slice::<_, u8>(&part.starts)).collect();
        let starts = starts.concat();
        let sorted = parts.iter().all(|part| part.sorted);
        let first_keys: Option<Vec<_>> = parts.into_iter().map(|part| part.first_keys).collect();
        Ok(Self {
            starts: Bitmap::from_u8_vec(starts, height),
            sorted,
            unique: first_keys
                .filter(|_| !sorted)
                .and_then(|keys| integers_are_unique(&keys)),
        })
    }
}

/// The runs in a range of rows that begins at a multiple of 64.
struct RunsPart {
    rows: Range<usize>,
    /// Which rows start a run, 64 rows per word.
    starts: Vec<u64>,
    sorted: bool,
    /// The first key of each run, for a single column of integers without nulls, as far as it is of use.
    first_keys: Option<Vec<i64>>,
}

impl RunsPart {
    fn new(keys: &[Series], rows: Range<usize>) -> PolarsResult<Self> {
        let mut starts = vec![0; rows.len().div_ceil(ROWS)];
        if rows.start == 0 && !rows.is_empty() {
            starts[0] = 1;
        }
        let mut part = Self {
            rows,
            starts,
            sorted: true,
            first_keys: (keys.len() == 1).then(Vec::new),
        };
        for key in keys {
            part.mark(key)?;
        }
        // The bytes of a word are those of a bitmap.
        part.starts.iter_mut().for_each(|word| *word = word.to_le());
        Ok(part)
    }

    /// Marks where one key changes.
    fn mark(&mut self, key: &Series) -> PolarsResult<()> {
        // The chunk of the previous row. Rows are compared chunk by chunk, since Polars would first align the chunks of a
        // column and of its shifted self by a copy.
        let (mut index, mut chunk) = (0, 0..key.chunks()[0].len());
        let mut row = self.rows.start;
        while row < self.rows.end {
            while chunk.end < row {
                index += 1;
                chunk = chunk.end..chunk.end + key.chunks()[index].len();
            }
            let end = match self.rows.end {
                end if end <= chunk.end => end,
                _ => row + (chunk.end - row) / ROWS * ROWS,
            };
            if row > 0 && row < end {
                let before = row - 1 - chunk.start;
                let values = key.select_chunk(index).slice(before as i64, end - row + 1);
                self.mark_within(&values, row)?;
                row = end;
            } else {
                // A block across chunks. The very first row is compared with itself.
                let end = self.rows.end.min(row + ROWS);
                let mut values = key.slice(row.saturating_sub(1) as i64, 1);
                values.append_owned(key.slice(row as i64, end - row))?;
                self.mark_within(&values.rechunk(), row)?;
                row = end;
            }
        }
        Ok(())
    }

    /// Marks where the key changes from `row` on, given the keys from the row before on in one chunk.
    fn mark_within(&mut self, keys: &Series, row: usize) -> PolarsResult<()> {
        let pairs = keys.len() - 1;
        let starts = &mut self.starts[(row - self.rows.start) / ROWS..][..pairs.div_ceil(ROWS)];
        let physical = keys.to_physical_repr();
        // Floats with different bits may be equal: zeros and NaN.
        let compare_bits = !physical.has_nulls() && !physical.dtype().is_float();
        let first_keys = &mut self.first_keys;
        macro_rules! integers {
            ($keys:expr, $signed:ty) => {
                integers::<_, $signed>($keys.downcast_as_array().values(), starts, first_keys)
            };
        }
        self.sorted &= match physical.bit_repr().filter(|_| compare_bits) {
            Some(BitRepr::U8(keys)) => integers!(keys, i8),
            Some(BitRepr::U16(keys)) => integers!(keys, i16),
            Some(BitRepr::U32(keys)) => integers!(keys, i32),
            Some(BitRepr::U64(keys)) => integers!(keys, i64),
            _ => {
                *first_keys = None;
                match physical.dtype() {
                    DataType::String if compare_bits => strings(physical.str()?.downcast_as_array(), starts),
                    DataType::Binary if compare_bits => strings(physical.binary()?.downcast_as_array(), starts),
                    _ => {
                        compare_by_polars(keys, starts)?;
                        false
                    },
                }
            },
        };
        Ok(())
    }
}

/// Marks changes with Polars' comparison of columns of any dtype, where null equals null and NaN equals NaN.
fn compare_by_polars(keys: &Series, starts: &mut [u64]) -> PolarsResult<()> {
    let pairs = keys.len() - 1;
    let changed = bitmap(&keys.slice(1, pairs).not_equal_missing(&keys.slice(0, pairs))?);
    for (block, starts) in starts.iter_mut().enumerate() {
        let row = block * ROWS;
        *starts |= bits(&changed).word(row) & !high_mask(pairs - row);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Small numbers as keys of several dtypes, in the same order, and whether runs of the dtype are tested for order.
    fn keys_of(numbers: &[i64]) -> Vec<(Series, bool)> {
        let whole = Series::new("key".into(), numbers);
        let text = |name: &str| {
            let text = numbers.iter().map(|number| format!("{name} {number:03}"));
            Series::new("key".into(), text.collect::<Vec<_>>())
        };
        let cast = |dtype| whole.cast(&dtype).expect("small numbers");
        let nulls = numbers.iter().map(|&number| (number > 0).then_some(number));
        vec![
            (cast(DataType::Int8), true),
            (cast(DataType::UInt16), true),
            (cast(DataType::Date), true),
            (cast(DataType::UInt64), true),
            (text("k"), true),
            (text("a longer one"), true),
            (text("longer than a view, and stored apart"), true),
            (text("k").cast(&DataType::Binary).expect("bytes"), true),
            (cast(DataType::Float64), false),
            (cast(DataType::Int128), false),
            (Series::new("key".into(), nulls.collect::<Vec<_>>()), false),
        ]
    }

    fn in_chunks(keys: &Series, cuts: &[usize]) -> Series {
        let mut whole = keys.clear();
        let mut start = 0;
        for end in cuts.iter().map(|cut| cut % (keys.len() + 1)).chain([keys.len()]) {
            if start <= end {
                whole
                    .append_owned(keys.slice(start as i64, end - start))
                    .expect("the same dtype");
                start = end;
            }
        }
        whole
    }

    fn numbers() -> impl Strategy<Value = Vec<i64>> {
        let runs = vec((0..9_i64, 1..90_usize), 1..12);
        (runs, any::<bool>()).prop_map(|(mut runs, sorted)| {
            if sorted {
                runs.sort_unstable();
            }
            runs.into_iter()
                .flat_map(|(number, length)| std::iter::repeat_n(number, length))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn runs_match_a_row_by_row_comparison(numbers in numbers(), cuts in vec(0..1_000_usize, 0..5)) {
            let height = numbers.len();
            let starts: Vec<_> = (0..height).map(|row| row == 0 || numbers[row] != numbers[row - 1]).collect();
            let sorted = numbers.is_sorted();
            let first_keys: PlHashSet<_> = numbers.iter().collect();
            let unique = first_keys.len() == starts.iter().filter(|&&start| start).count();
            for (keys, is_ordered) in keys_of(&numbers) {
                let keys = in_chunks(&keys, &cuts);
                let runs = Runs::new(std::slice::from_ref(&keys), height).expect("keys of one dtype");
                prop_assert_eq!(runs.starts.iter().collect::<Vec<_>>(), starts.clone(), "{}", keys.dtype());
                prop_assert!(!runs.sorted || sorted, "{}", keys.dtype());
                prop_assert!(runs.sorted == sorted || !is_ordered, "{}", keys.dtype());
                prop_assert!(runs.unique.is_none_or(|found| found == unique), "{}", keys.dtype());
            }
        }

        #[test]
        fn parts_match_the_whole(numbers in numbers(), cuts in vec(0..1_000_usize, 0..3), part in 0..9_usize) {
            let height = numbers.len();
            let cut = (part * ROWS).min(height / ROWS * ROWS);
            for (keys, _) in keys_of(&numbers) {
                let keys = [in_chunks(&keys, &cuts)];
                let part = |rows| RunsPart::new(&keys, rows).expect("keys of one dtype");
                let (whole, first, second) = (part(0..height), part(0..cut), part(cut..height));
                prop_assert_eq!(&whole.starts, &[first.starts, second.starts].concat());
                prop_assert_eq!(whole.sorted, first.sorted && second.sorted);
            }
        }
    }

    #[test]
    fn a_later_key_may_decrease_where_an_earlier_one_changes() {
        let [a, b] = [[1, 1, 2, 2], [5, 6, 0, 1]].map(|key| Series::new("key".into(), key));
        let runs = |keys: &[Series]| Runs::new(keys, 4).expect("integers");
        assert!(runs(&[a.clone(), b.clone()]).sorted);
        assert!(!runs(&[b, a]).sorted);
    }
}
