//! Standard deviations: a column of any numbers as one float for each row.
//!
//! They are converted once, as a whole column, so that no loop over rows is compiled for their type. NaN stands for a row
//! without one.

use super::column::{Chunk, Contiguous, Number, Numbers};
use super::reach::Reach;
use crate::bits::{Bitmap, Bits, ROWS, word_or_ones};
use crate::kernel::Scale;

/// The standard deviations of a column.
pub(crate) struct Deviations {
    /// In the numbers of y: finite and positive, or NaN.
    pub(crate) values: Vec<f64>,
    /// The first row whose number is not finite and positive.
    pub(crate) wrong: Option<usize>,
}

impl Deviations {
    /// The deviations of rows that count, from numbers whose `zero` means zero.
    pub(crate) fn new(numbers: &Numbers, zero: i128, scale: Scale, counts: Bits) -> Self {
        match numbers {
            Numbers::F64(chunks) => Self::of_chunks(chunks, zero, scale, counts),
            Numbers::F32(chunks) => Self::of_chunks(chunks, zero, scale, counts),
            Numbers::I64(chunks) => Self::of_chunks(chunks, zero, scale, counts),
            Numbers::I128(chunks) => Self::of_chunks(chunks, zero, scale, counts),
        }
    }

    fn of_chunks<T: Number>(chunks: &[Chunk<'_, T>], zero: i128, scale: Scale, counts: Bits) -> Self {
        let column = Contiguous::new(chunks);
        let column = column.slice();
        let zero = T::of_integer(zero);
        let mut wrong = None;
        let deviation = |row: usize| {
            let number = column.get(row).filter(|_| counts.get(row));
            let number = number.map_or(f64::NAN, |number| {
                let number = number.minus(zero);
                let is_deviation = number > 0.0 && number.is_finite();
                if !is_deviation {
                    wrong = wrong.or(Some(row));
                }
                if is_deviation { number } else { f64::NAN }
            });
            scale.apply(number)
        };
        Self {
            values: (0..column.values.len()).map(deviation).collect(),
            wrong,
        }
    }

    /// A bit for each row that has one.
    pub(crate) fn are_known(&self) -> Vec<u8> {
        let mut known = Bitmap::with_capacity(self.values.len());
        known.extend(self.values.len(), |row| {
            let rows = self.values[row..].iter().take(ROWS).enumerate();
            rows.fold(0, |word, (place, value)| word | u64::from(!value.is_nan()) << place)
        });
        known.into_bytes()
    }
}

/// Deviations with those of the rows beyond both ends that an operator reads: there are none.
pub(crate) fn padded(values: &[f64], reach: Reach) -> Vec<f64> {
    let beyond = |rows| std::iter::repeat_n(f64::NAN, rows);
    let mut padded = Vec::with_capacity(values.len() + reach.before + reach.after);
    padded.extend(beyond(reach.before));
    padded.extend_from_slice(values);
    padded.extend(beyond(reach.after));
    padded
}

impl<'a> Numbers<'a> {
    /// A bit for each row that is not null.
    pub(crate) fn are_valid(&self) -> Vec<u8> {
        fn of_chunks<T: Number>(chunks: &[Chunk<'_, T>]) -> Vec<u8> {
            let mut valid = Bitmap::default();
            for chunk in chunks {
                valid.extend(chunk.len(), |row| word_or_ones(chunk.validity, row));
            }
            valid.into_bytes()
        }
        match self {
            Numbers::F64(chunks) => of_chunks(chunks),
            Numbers::F32(chunks) => of_chunks(chunks),
            Numbers::I64(chunks) => of_chunks(chunks),
            Numbers::I128(chunks) => of_chunks(chunks),
        }
    }

    /// The same numbers where other rows are null.
    pub(crate) fn with_validity(self, valid: Bits<'a>) -> Self {
        fn of_chunks<'a, T: Number>(mut chunks: Vec<Chunk<'a, T>>, valid: Bits<'a>) -> Vec<Chunk<'a, T>> {
            let mut first = 0;
            for chunk in &mut chunks {
                chunk.validity = Some(valid.from(first));
                first += chunk.len();
            }
            chunks
        }
        match self {
            Numbers::F64(chunks) => Numbers::F64(of_chunks(chunks, valid)),
            Numbers::F32(chunks) => Numbers::F32(of_chunks(chunks, valid)),
            Numbers::I64(chunks) => Numbers::I64(of_chunks(chunks, valid)),
            Numbers::I128(chunks) => Numbers::I128(of_chunks(chunks, valid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_no_deviations_are_found_where_rows_count() {
        let (first, second) = ([2_i64, -1, 0], [4_i64, 8]);
        let valid = [0b10];
        let chunks = vec![
            Chunk::new(&first[..], None),
            Chunk::new(&second[..], Some(Bits::new(&valid, 0))),
        ];
        let numbers = Numbers::I64(chunks);
        let halves = Scale {
            numerator: 1.0,
            denominator: 2.0,
        };
        let deviations = |counts: &[u8]| Deviations::new(&numbers, 0, halves, Bits::new(counts, 0));
        let all = deviations(&[0b11111]);
        assert_eq!(all.wrong, Some(1));
        assert_eq!(all.are_known(), [0b10001, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!([all.values[0], all.values[4]], [1.0, 4.0]);
        assert_eq!(deviations(&[0b11001]).wrong, None);
        assert_eq!(numbers.are_valid(), [0b10111, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn unsigned_numbers_are_counted_from_their_zero() {
        let moved = [i64::MIN + 3, i64::MAX];
        let numbers = Numbers::I64(vec![Chunk::new(&moved[..], None)]);
        let deviations = Deviations::new(&numbers, i64::MIN.into(), Scale::ONE, Bits::new(&[0b11], 0));
        assert_eq!(deviations.values, [3.0, u64::MAX as f64]);
    }
}
