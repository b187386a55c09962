//! Where a column changes from one row to the next.

use std::cmp::Ordering;
use std::ops::{BitXor, Range};

use num_traits::AsPrimitive;
use polars::prelude::*;
use polars::series::BitRepr;
use polars_arrow::array::{BinaryViewArrayGeneric, ViewType};
use polars_arrow::bitmap::{Bitmap, BitmapBuilder};

use super::bitmap;
use crate::bits::{ROWS, places, word};

/// How some rows compare with the rows before.
pub(super) struct Changes {
    /// Which of them differ; the very first row of a column counts as the same.
    pub(super) places: Bitmap,
    /// Which of them are less, if that can be told.
    pub(super) falls: Option<Bitmap>,
}

/// # Errors
///
/// What Polars says of a dtype that it cannot compare.
pub(super) fn changes(column: &Series, rows: Range<usize>) -> PolarsResult<Changes> {
    let mut places = BitmapBuilder::with_capacity(rows.len());
    let mut falls = Some(BitmapBuilder::with_capacity(rows.len()));
    let mut last: Option<Series> = None;
    let mut chunk_end = 0;
    // Chunk by chunk: Polars would copy a column to compare it with itself one row further on.
    for index in 0..column.n_chunks() {
        let chunk_start = chunk_end;
        chunk_end += column.chunks()[index].len();
        let (start, end) = (chunk_start.max(rows.start), chunk_end.min(rows.end));
        let chunk = column.select_chunk(index);
        if start < end {
            let (start, end) = (start - chunk_start, end - chunk_start);
            let mut append = |changes: Changes| {
                places.extend_from_bitmap(&changes.places);
                match (&mut falls, changes.falls) {
                    (Some(falls), Some(here)) => falls.extend_from_bitmap(&here),
                    _ => falls = None,
                }
            };
            match &last {
                _ if start > 0 => {},
                Some(last) => {
                    // Two rows in one chunk are compared in the same order as any others.
                    let mut pair = last.clone();
                    pair.append(&chunk.slice(0, 1))?;
                    append(within(&pair.rechunk())?);
                },
                None => append(Changes {
                    places: Bitmap::new_zeroed(1),
                    falls: Some(Bitmap::new_zeroed(1)),
                }),
            }
            let first = start.saturating_sub(1);
            append(within(&chunk.slice(first as i64, end - first))?);
        }
        if !chunk.is_empty() {
            last = Some(chunk.slice(-1, 1));
        }
    }
    Ok(Changes {
        places: places.freeze(),
        falls: falls.map(BitmapBuilder::freeze),
    })
}

/// The changes within one chunk: a bit less than it has rows.
fn within(chunk: &Series) -> PolarsResult<Changes> {
    let pairs = chunk.len() - 1;
    let physical = chunk.to_physical_repr();
    let changes = match (physical.dtype(), physical.bit_repr()) {
        _ if physical.has_nulls() => None,
        (DataType::String, _) => Some(strings(physical.str()?.downcast_as_array())),
        (DataType::Binary, _) => Some(strings(physical.binary()?.downcast_as_array())),
        // Floats are equal to others than those of the same bits.
        (DataType::Float64 | DataType::Float32 | DataType::Float16, _) => None,
        (_, Some(BitRepr::U8(chunk))) => Some(numbers::<_, i8>(chunk.downcast_as_array().values())),
        (_, Some(BitRepr::U16(chunk))) => Some(numbers::<_, i16>(chunk.downcast_as_array().values())),
        (_, Some(BitRepr::U32(chunk))) => Some(numbers::<_, i32>(chunk.downcast_as_array().values())),
        (_, Some(BitRepr::U64(chunk))) => Some(numbers::<_, i64>(chunk.downcast_as_array().values())),
        _ => None,
    };
    match changes {
        Some(changes) => Ok(changes),
        None => Ok(Changes {
            places: differ(&chunk.slice(0, pairs), &chunk.slice(1, pairs))?,
            falls: None,
        }),
    }
}

/// Any two columns, as Polars compares them: two nulls are the same, and so are two NaN.
fn differ(before: &Series, these: &Series) -> PolarsResult<Bitmap> {
    Ok(bitmap(&these.not_equal_missing(before)?))
}

/// Numbers by their bits; in the order of signed ones, which most keys are.
fn numbers<T: Copy + BitXor<Output = T> + AsPrimitive<u64> + AsPrimitive<S>, S: Copy + PartialOrd + 'static>(
    values: &[T],
) -> Changes {
    block_by_block(
        values,
        |before, this| (before ^ this).as_(),
        |before, this| AsPrimitive::<S>::as_(before) > this.as_(),
        |_| Ordering::Less,
    )
}

/// Strings that Polars keeps in the same place are the same; only others have to be read.
fn strings<T: ViewType + Ord + ?Sized>(array: &BinaryViewArrayGeneric<T>) -> Changes {
    block_by_block(
        array.views(),
        |before, this| halves(before.as_u128() ^ this.as_u128()),
        |_, _| false,
        |row| array.value(row).cmp(array.value(row + 1)),
    )
}

/// Zero only if both halves are.
fn halves(bits: u128) -> u64 {
    (bits >> 64) as u64 | bits as u64
}

/// Compares each value but the last with the one after it, by their bits; where these differ, `order` has the last word.
///
/// Measured: Polars' own comparison, compiled for any processor, takes three times as long.
fn block_by_block<T: Copy>(
    values: &[T],
    bits: impl Fn(T, T) -> u64,
    falls: impl Fn(T, T) -> bool,
    order: impl Fn(usize) -> Ordering,
) -> Changes {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just been asked for the feature.
        return unsafe { block_by_block_avx2(values, bits, falls, order) };
    }
    block_by_block_portable(values, bits, falls, order)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn block_by_block_avx2<T: Copy>(
    values: &[T],
    bits: impl Fn(T, T) -> u64,
    falls: impl Fn(T, T) -> bool,
    order: impl Fn(usize) -> Ordering,
) -> Changes {
    block_by_block_portable(values, bits, falls, order)
}

#[inline(always)]
fn block_by_block_portable<T: Copy>(
    values: &[T],
    bits: impl Fn(T, T) -> u64,
    falls: impl Fn(T, T) -> bool,
    order: impl Fn(usize) -> Ordering,
) -> Changes {
    let length = values.len() - 1;
    let size = length.div_ceil(ROWS) * size_of::<u64>();
    let (mut changes, mut all_falls) = (Vec::with_capacity(size), Vec::with_capacity(size));
    for start in (0..length).step_by(ROWS) {
        let rows = ROWS.min(length - start);
        let (before, these) = (&values[start..start + rows], &values[start + 1..=start + rows]);
        let any = (0..rows).fold(0, |any, row| any | bits(before[row], these[row]));
        let (mut changed, mut fallen) = (0, 0);
        if any != 0 {
            let (mut differ, mut fall) = ([0; ROWS], [0; ROWS]);
            for row in 0..rows {
                let (before, this) = (before[row], these[row]);
                differ[row] = u8::from(bits(before, this) != 0);
                fall[row] = u8::from(falls(before, this));
            }
            (changed, fallen) = (word(&differ), word(&fall));
            for place in places(changed, rows) {
                match order(start + place) {
                    Ordering::Less => {},
                    Ordering::Equal => changed ^= 1 << place,
                    Ordering::Greater => fallen |= 1 << place,
                }
            }
        }
        changes.extend_from_slice(&changed.to_le_bytes());
        all_falls.extend_from_slice(&fallen.to_le_bytes());
    }
    Changes {
        places: Bitmap::from_u8_vec(changes, length),
        falls: Some(Bitmap::from_u8_vec(all_falls, length)),
    }
}
