//! Numbers keys by their places in narrow ranges of integers.

use std::marker::PhantomData;
use std::ops::Range;
use std::slice;

use num_traits::AsPrimitive;
use polars::prelude::*;
use polars::series::BitRepr;
use polars_arrow::bitmap::Bitmap;

use crate::bits::Bits;
use crate::dispatch::{Kernel, dispatch};
use crate::parallel::{even_ranges, par_map};
use crate::polars::bits;
use crate::segments::Numbered;

/// Numbers combinations of integer keys; `None` if a key is no integer, or the keys span more combinations than `count`.
pub(super) fn number_dense(keys: &[Series], count: usize) -> Option<Numbered<IdxSize>> {
    /// The number of rows that are looked at before all are.
    const SAMPLE: usize = 1_000;
    let keys = keys.iter().map(Integers::new).collect::<Option<Vec<_>>>()?;
    let ranges = even_ranges(count);
    let sample = 0..count.min(SAMPLE);
    spans(&keys, slice::from_ref(&sample), count)?;
    let (spans, limit) = spans(&keys, &ranges, count)?;
    let parts = par_map(ranges.len(), count, |part| {
        let rows = &ranges[part];
        let mut numbers = vec![0; rows.len()];
        for (key, span) in keys.iter().zip(&spans) {
            key.append(rows.clone(), *span, &mut numbers);
        }
        numbers
    });
    Some(Numbered { parts, limit })
}

/// The span of each key in all ranges of rows, and the number of combinations; `None` if it exceeds `most`.
fn spans(keys: &[Integers], rows: &[Range<usize>], most: usize) -> Option<(Vec<Span>, usize)> {
    let mut limit = 1_usize;
    let spans = keys.iter().map(|key| {
        let span = key.span(rows)?;
        limit = limit.checked_mul(span.length).filter(|&limit| limit <= most)?;
        Some(span)
    });
    Some((spans.collect::<Option<_>>()?, limit))
}

/// The integers from one on, and after them the null if there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: i64,
    length: usize,
}

/// A column of integers.
struct Integers {
    bits: BitRepr,
    validity: Option<Bitmap>,
}

/// Calls a function with the integers of a column and the signed type of their size.
macro_rules! with_integers {
    ($bits:expr, |$values:ident, $signed:ident| $call:expr) => {
        match $bits {
            BitRepr::U8(column) => with_integers!(@signed column, $values, $signed, i8, $call),
            BitRepr::U16(column) => with_integers!(@signed column, $values, $signed, i16, $call),
            BitRepr::U32(column) => with_integers!(@signed column, $values, $signed, i32, $call),
            BitRepr::U64(column) => with_integers!(@signed column, $values, $signed, i64, $call),
            _ => None,
        }
    };
    (@signed $column:ident, $values:ident, $signed:ident, $type:ty, $call:expr) => {{
        type $signed = $type;
        let $values = $column.downcast_as_array().values();
        Some($call)
    }};
}

impl Integers {
    /// `None` for other dtypes, and for integers of 128 bits.
    fn new(key: &Series) -> Option<Self> {
        let physical = key.to_physical_repr();
        if !physical.dtype().is_integer() {
            return None;
        }
        let physical = physical.rechunk();
        let bits = physical.bit_repr()?;
        let validity = physical.chunks()[0].validity().filter(|_| physical.has_nulls());
        (!matches!(bits, BitRepr::U128(_))).then(|| Self {
            bits,
            validity: validity.cloned(),
        })
    }

    /// The span of all ranges of rows; `None` if no `usize` holds its length. It may be too long where there are nulls.
    fn span(&self, rows: &[Range<usize>]) -> Option<Span> {
        let count = rows.iter().map(Range::len).sum();
        let extremes = with_integers!(&self.bits, |values, Signed| {
            par_map(rows.len(), count, |part| {
                dispatch(Extremes {
                    values: &values[rows[part].clone()],
                    order: PhantomData::<Signed>,
                })
            })
        })?;
        let min = extremes.iter().map(|&(min, _)| min).min()?;
        let max = extremes.iter().map(|&(_, max)| max).max()?;
        let length = usize::try_from(max.checked_sub(min)?).ok()?.checked_add(1)?;
        Some(Span {
            first: min,
            length: length.checked_add(usize::from(self.validity.is_some()))?,
        })
    }

    /// Appends this key to the combinations of those before.
    fn append(&self, rows: Range<usize>, span: Span, numbers: &mut [IdxSize]) {
        let validity = self.validity.as_ref().map(|validity| bits(validity).from(rows.start));
        with_integers!(&self.bits, |values, Signed| dispatch(Append {
            values: &values[rows],
            validity,
            span,
            numbers,
            order: PhantomData::<Signed>,
        }));
    }
}

/// The least and the largest of some integers.
struct Extremes<'a, T, S> {
    values: &'a [T],
    order: PhantomData<S>,
}

impl<T, S> Kernel for Extremes<'_, T, S>
where
    T: AsPrimitive<S>,
    S: Copy + Ord + AsPrimitive<i64>,
{
    type Output = (i64, i64);

    // Reading the keys takes longer than comparing them.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) -> (i64, i64) {
        let Some(first) = self.values.first() else {
            return (i64::MAX, i64::MIN);
        };
        let (mut min, mut max) = (first.as_(), first.as_());
        for value in self.values {
            min = min.min(value.as_());
            max = max.max(value.as_());
        }
        (min.as_(), max.as_())
    }
}

/// `number * length + place in the span`
struct Append<'a, T, S> {
    values: &'a [T],
    validity: Option<Bits<'a>>,
    span: Span,
    numbers: &'a mut [IdxSize],
    order: PhantomData<S>,
}

impl<T, S> Kernel for Append<'_, T, S>
where
    T: AsPrimitive<S>,
    S: Copy + AsPrimitive<i64>,
{
    type Output = ();

    const WIDEST: bool = false;

    #[expect(clippy::cast_sign_loss, reason = "no value is below the first")]
    #[inline(always)]
    fn run(self) {
        let Span { first, length } = self.span;
        // All numbers are below the limit, which is a number of rows.
        let length = length as IdxSize;
        let place = |value: &T| {
            let value: i64 = value.as_().as_();
            value.wrapping_sub(first) as IdxSize
        };
        let rows = self.numbers.iter_mut().zip(self.values);
        match self.validity {
            None => rows.for_each(|(number, value)| *number = *number * length + place(value)),
            Some(valid) => rows.enumerate().for_each(|(row, (number, value))| {
                *number = *number * length + if valid.get(row) { place(value) } else { length - 1 };
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn numbers(keys: &[Series]) -> Option<Vec<IdxSize>> {
        let numbered = number_dense(keys, keys[0].len())?;
        let numbers = numbered.parts.concat();
        assert!(numbers.iter().all(|&number| (number as usize) < numbered.limit));
        Some(numbers)
    }

    proptest! {
        #[test]
        fn equal_combinations_have_equal_numbers(rows in vec((-3..4_i64, proptest::option::of(0..3_u8)), 40..90)) {
            let (a, b): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            let keys = [Series::new("a".into(), a), Series::new("b".into(), b)];
            let numbers = numbers(&keys).expect("at most 7 times 4 combinations");
            for (row, number) in rows.iter().zip(&numbers) {
                for (other, of_other) in rows.iter().zip(&numbers) {
                    prop_assert_eq!(row == other, number == of_other);
                }
            }
        }
    }

    #[test]
    fn integers_of_any_size_and_sign_are_numbered_by_their_place() {
        for dtype in [
            DataType::Int8,
            DataType::Int16,
            DataType::Int32,
            DataType::Int64,
            DataType::Duration(TimeUnit::Microseconds),
        ] {
            let key = Series::new("key".into(), [-1_i64, 1, 0, -2])
                .cast(&dtype)
                .expect("small");
            assert_eq!(numbers(&[key]), Some(vec![1, 3, 2, 0]), "{dtype}");
        }
        let ends = [i64::MAX, i64::MIN, i64::MAX - 1];
        assert_eq!(numbers(&[Series::new("key".into(), ends)]), None);
        let largest = Series::new("key".into(), [u64::MAX, u64::MAX - 1, u64::MAX]);
        assert_eq!(numbers(&[largest]), Some(vec![1, 0, 1]));
    }

    #[test]
    fn other_dtypes_and_wide_ranges_are_not_numbered() {
        let key = |length: i64| Series::new("key".into(), [0, length - 1, 0, 1]);
        assert!(numbers(&[key(4)]).is_some());
        assert_eq!(numbers(&[key(5)]), None);
        assert_eq!(numbers(&[key(2), key(3)]), None);
        assert_eq!(numbers(&[Series::new("key".into(), [0.0, 1.0])]), None);
        assert_eq!(numbers(&[Series::new("key".into(), ["a", "b"])]), None);
    }
}
