//! Columns in the form that the engine reads: chunks of numbers with exact differences, and bitmaps.

use std::ops::Range;

use bytemuck::{Pod, cast_slice};
use num_traits::AsPrimitive;

use crate::bits::{Bitmap, Bits, word_or_ones};
use crate::dispatch::{Kernel, dispatch};
use crate::kernel::Sample;
use crate::segments::narrow::copy_low_halves;
use crate::segments::{Gathered, Slice};

/// A column, chunk by chunk, as one of the four types whose differences are exact.
#[derive(Clone, Debug)]
pub(crate) enum Numbers<'a> {
    F64(Vec<Chunk<'a, f64>>),
    F32(Vec<Chunk<'a, f32>>),
    I64(Vec<Chunk<'a, i64>>),
    I128(Vec<Chunk<'a, i128>>),
}

/// A column that owns its numbers.
pub(crate) enum OwnedNumbers {
    F64(Gathered<f64>),
    F32(Gathered<f32>),
    I64(Gathered<i64>),
    I128(Gathered<i128>),
}

impl OwnedNumbers {
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        fn chunks<T: Number>(column: &Gathered<T>) -> Vec<Chunk<'_, T>> {
            let Slice { values, validity } = column.slice();
            vec![Chunk::new(values, validity)]
        }
        match self {
            Self::F64(column) => Numbers::F64(chunks(column)),
            Self::F32(column) => Numbers::F32(chunks(column)),
            Self::I64(column) => Numbers::I64(chunks(column)),
            Self::I128(column) => Numbers::I128(chunks(column)),
        }
    }
}

impl<'a> Numbers<'a> {
    /// Some adjacent rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Numbers<'a> {
        match self {
            Self::F64(chunks) => Numbers::F64(of_rows(chunks, rows)),
            Self::F32(chunks) => Numbers::F32(of_rows(chunks, rows)),
            Self::I64(chunks) => Numbers::I64(of_rows(chunks, rows)),
            Self::I128(chunks) => Numbers::I128(of_rows(chunks, rows)),
        }
    }

    /// Copies rows in the given order.
    pub(crate) fn gather<I: AsPrimitive<usize>>(&self, rows: &[I]) -> OwnedNumbers {
        match self {
            Self::F64(chunks) => OwnedNumbers::F64(Contiguous::new(chunks).slice().gather(rows)),
            Self::F32(chunks) => OwnedNumbers::F32(Contiguous::new(chunks).slice().gather(rows)),
            Self::I64(chunks) => OwnedNumbers::I64(Contiguous::new(chunks).slice().gather(rows)),
            Self::I128(chunks) => OwnedNumbers::I128(Contiguous::new(chunks).slice().gather(rows)),
        }
    }

    /// The whole numbers that are nearest to each number plus a distance.
    pub(crate) fn plus(&self, distances: &[f64]) -> Vec<i64> {
        match self {
            Self::F64(chunks) => plus(chunks, distances),
            Self::F32(chunks) => plus(chunks, distances),
            Self::I64(chunks) => plus(chunks, distances),
            Self::I128(chunks) => plus(chunks, distances),
        }
    }
}

/// Some rows of a column.
pub(super) fn of_rows<'a, T: Number>(chunks: &[Chunk<'a, T>], rows: Range<usize>) -> Vec<Chunk<'a, T>> {
    let mut start = 0;
    let mut parts = Vec::new();
    for chunk in chunks {
        let end = start + chunk.len();
        let (from, to) = (rows.start.max(start), rows.end.min(end));
        if from < to {
            parts.push(chunk.slice(from - start, to - from));
        }
        start = end;
    }
    parts
}

fn plus<T: Number>(chunks: &[Chunk<'_, T>], distances: &[f64]) -> Vec<i64> {
    let column = Contiguous::new(chunks);
    let rows = column.slice().values.iter().zip(distances);
    let sum = |(number, distance): (&T, &f64)| number.to_integer().saturating_add(distance.round_ties_even() as i128);
    rows.map(sum)
        .map(|sum| i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
        .collect()
}

/// Element type of a canonical column.
pub(crate) trait Number: Sample + Default + Send + Sync + std::fmt::Debug + 'static {
    /// A type of fewer bits that may hold the same numbers; this one itself if there is none.
    type Narrow: Number;

    /// Whether there is one.
    const IS_WIDE: bool = false;

    /// Copies numbers in fewer bits. Returns whether these hold all of them.
    fn narrow(_: &[Self], _: &mut [Self::Narrow]) -> bool {
        false
    }
}

impl Number for f64 {
    type Narrow = Self;
}

impl Number for f32 {
    type Narrow = Self;
}

impl Number for i64 {
    type Narrow = Self;
}

impl Number for i128 {
    type Narrow = i64;

    const IS_WIDE: bool = true;

    fn narrow(values: &[Self], narrow: &mut [i64]) -> bool {
        copy_low_halves(values, narrow)
    }
}

/// Adjacent rows of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk<'a, T> {
    pub(crate) values: Values<'a, T>,
    pub(crate) validity: Option<Bits<'a>>,
}

/// The values of a chunk: read in place, or converted from another type a tile at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a, T> {
    InPlace(&'a [T]),
    Converted(Source<'a, T>),
}

/// Values of another type, and how to convert them.
///
/// Converting a tile in the cache takes a fraction of the time of converting the column, which writes to memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a, T> {
    bytes: &'a [u8],
    width: usize,
    append: fn(&[u8], &mut Vec<T>),
}

impl<'a, T: Number> Chunk<'a, T> {
    pub(crate) fn new(values: &'a [T], validity: Option<Bits<'a>>) -> Self {
        Self {
            values: Values::InPlace(values),
            validity,
        }
    }

    /// Values of another type, which are converted when they are read.
    pub(crate) fn converted<S: Convert<T>>(values: &'a [S], validity: Option<Bits<'a>>) -> Self {
        let source = Source {
            bytes: cast_slice(values),
            width: size_of::<S>(),
            append: |bytes, converted| {
                dispatch(Conversion::<S, T> {
                    values: cast_slice(bytes),
                    converted,
                });
            },
        };
        Self {
            values: Values::Converted(source),
            validity,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self.values {
            Values::InPlace(values) => values.len(),
            Values::Converted(source) => source.bytes.len() / source.width,
        }
    }

    pub(crate) fn slice(&self, offset: usize, length: usize) -> Self {
        let values = match self.values {
            Values::InPlace(values) => Values::InPlace(&values[offset..offset + length]),
            Values::Converted(source) => Values::Converted(Source {
                bytes: &source.bytes[offset * source.width..][..length * source.width],
                ..source
            }),
        };
        Self {
            values,
            validity: self.validity.map(|validity| validity.from(offset)),
        }
    }

    /// The value at a row, unless it is null.
    pub(super) fn get(&self, row: usize) -> Option<T> {
        if self.validity.is_some_and(|validity| !validity.get(row)) {
            return None;
        }
        match self.values {
            Values::InPlace(values) => Some(values[row]),
            Values::Converted(_) => {
                let mut value = Vec::with_capacity(1);
                self.slice(row, 1).append_to(&mut value);
                value.pop()
            },
        }
    }

    /// Appends the values to others.
    pub(crate) fn append_to(&self, values: &mut Vec<T>) {
        match self.values {
            Values::InPlace(own) => values.extend_from_slice(own),
            Values::Converted(source) => (source.append)(source.bytes, values),
        }
    }

    /// Whether `next` is the same memory, one row further on.
    pub(crate) fn is_one_row_before(&self, next: &Self) -> bool {
        match (self.values, next.values) {
            (Values::Converted(this), Values::Converted(next)) => {
                this.width == next.width && this.bytes.as_ptr().wrapping_add(this.width) == next.bytes.as_ptr()
            },
            _ => false,
        }
    }
}

/// A conversion to a [`Number`] that keeps differences and order.
pub(crate) trait Convert<T>: Pod {
    /// Whether it waits for the processor, not for memory.
    const COMPUTES: bool = false;

    fn convert(self) -> T;
}

macro_rules! convert {
    ($($source:ty => $target:ty: $convert:expr;)*) => {$(
        impl Convert<$target> for $source {
            #[inline(always)]
            fn convert(self) -> $target {
                let convert: fn(Self) -> $target = $convert;
                convert(self)
            }
        }
    )*};
}

convert! {
    i8 => f64: f64::from;
    i16 => f64: f64::from;
    i32 => f64: f64::from;
    u8 => f64: f64::from;
    u16 => f64: f64::from;
    u32 => f64: f64::from;
    // The days of a Date.
    i32 => i64: i64::from;
    // Unsigned integers moved down by half their range keep order and differences.
    u64 => i64: |value| (value ^ (1 << 63)).cast_signed();
    u128 => i128: |value| (value ^ (1 << 127)).cast_signed();
}

struct Conversion<'a, 'b, S, T> {
    values: &'a [S],
    converted: &'b mut Vec<T>,
}

impl<S: Convert<T>, T> Kernel for Conversion<'_, '_, S, T> {
    type Output = ();

    const WIDEST: bool = S::COMPUTES;

    #[inline(always)]
    fn run(self) {
        self.converted.extend(self.values.iter().map(|value| value.convert()));
    }
}

/// A column in one contiguous slice.
#[derive(Debug)]
pub(crate) struct Contiguous<'a, T> {
    chunk: Option<Chunk<'a, T>>,
    values: Vec<T>,
    validity: Option<Vec<u8>>,
}

impl<'a, T: Number> Contiguous<'a, T> {
    /// Copies the values, unless they are a single chunk that is read in place.
    pub(crate) fn new(chunks: &[Chunk<'a, T>]) -> Self {
        let mut column = Self {
            chunk: None,
            values: Vec::new(),
            validity: None,
        };
        match chunks {
            [chunk] if matches!(chunk.values, Values::InPlace(_)) => column.chunk = Some(*chunk),
            chunks => {
                let rows = chunks.iter().map(Chunk::len).sum();
                column.values.reserve_exact(rows);
                for chunk in chunks {
                    chunk.append_to(&mut column.values);
                }
                if chunks.iter().any(|chunk| chunk.validity.is_some()) {
                    let mut validity = Bitmap::with_capacity(rows);
                    for chunk in chunks {
                        validity.extend(chunk.len(), |row| word_or_ones(chunk.validity, row));
                    }
                    column.validity = Some(validity.into_bytes());
                }
            },
        }
        column
    }

    pub(crate) fn slice(&self) -> Slice<'_, T> {
        match self.chunk {
            Some(Chunk {
                values: Values::InPlace(values),
                validity,
            }) => Slice { values, validity },
            _ => Slice {
                values: &self.values,
                validity: self.validity.as_ref().map(|bytes| Bits::new(bytes, 0)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted<S: Convert<T>, T: Number>(values: &[S]) -> Vec<T> {
        let mut converted = Vec::new();
        Chunk::converted(values, None).append_to(&mut converted);
        converted
    }

    #[test]
    fn conversions_keep_order_and_differences() {
        assert_eq!(converted::<u32, f64>(&[0, u32::MAX]), [0.0, 4_294_967_295.0]);
        assert_eq!(converted::<i8, f64>(&[i8::MIN, 0, i8::MAX]), [-128.0, 0.0, 127.0]);
        let [low, high] = converted::<u64, i64>(&[0, u64::MAX])[..] else {
            panic!("two values")
        };
        assert_eq!((low, high), (i64::MIN, i64::MAX));
        let [low, high] = converted::<u128, i128>(&[0, u128::MAX])[..] else {
            panic!("two values")
        };
        assert_eq!((low, high), (i128::MIN, i128::MAX));
    }

    #[test]
    fn several_chunks_become_one_piece_with_their_nulls() {
        let (first, second) = ([1_i64, 2], [3_i64, 4, 5]);
        let valid = [0b101_u8];
        let chunks = [
            Chunk::new(&first[..], None),
            Chunk::new(&second[..], Some(Bits::new(&valid, 0))),
        ];
        let column = Contiguous::new(&chunks);
        let slice = column.slice();
        let values: Vec<_> = (0..5).map(|row| slice.get(row)).collect();
        assert_eq!(values, [Some(1), Some(2), Some(3), None, Some(5)]);
    }
}
