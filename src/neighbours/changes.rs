//! Where a column changes from one row to the next.

use std::ops::{BitXor, Range};

use arrow::array::{BinaryViewArrayGeneric, ViewType};
use arrow::bitmap::{Bitmap, BitmapBuilder};
use num_traits::AsPrimitive;
use polars::prelude::*;
use polars::series::BitRepr;

use crate::kernel::{ROWS, places, word};

/// Which of some rows differ from the row before; the very first row of a column counts as the same.
///
/// # Errors
///
/// What Polars says of a dtype that it cannot compare.
pub(super) fn changes(column: &Series, rows: Range<usize>) -> PolarsResult<Bitmap> {
    let mut changes = BitmapBuilder::with_capacity(rows.len());
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
            match &last {
                _ if start > 0 => {},
                Some(last) => changes.extend_from_bitmap(&compare(last, &chunk.slice(0, 1))?),
                None => changes.push(false),
            }
            let first = start.saturating_sub(1);
            changes.extend_from_bitmap(&within(&chunk.slice(first as i64, end - first))?);
        }
        if !chunk.is_empty() {
            last = Some(chunk.slice(-1, 1));
        }
    }
    Ok(changes.freeze())
}

/// The changes within one chunk: a bit less than it has rows.
fn within(chunk: &Series) -> PolarsResult<Bitmap> {
    let pairs = chunk.len() - 1;
    if pairs == 0 {
        return Ok(Bitmap::new());
    }
    let physical = chunk.to_physical_repr();
    let changes = match (physical.dtype(), physical.bit_repr()) {
        _ if physical.has_nulls() => None,
        (DataType::String, _) => physical.str()?.downcast_iter().next().map(strings),
        (DataType::Binary, _) => physical.binary()?.downcast_iter().next().map(strings),
        // Floats are equal to others than those of the same bits.
        (DataType::Float64 | DataType::Float32 | DataType::Float16, _) => None,
        (_, Some(BitRepr::U8(chunk))) => chunk.downcast_iter().next().map(|chunk| numbers(chunk.values())),
        (_, Some(BitRepr::U16(chunk))) => chunk.downcast_iter().next().map(|chunk| numbers(chunk.values())),
        (_, Some(BitRepr::U32(chunk))) => chunk.downcast_iter().next().map(|chunk| numbers(chunk.values())),
        (_, Some(BitRepr::U64(chunk))) => chunk.downcast_iter().next().map(|chunk| numbers(chunk.values())),
        _ => None,
    };
    match changes {
        Some(changes) => Ok(changes),
        None => compare(&chunk.slice(0, pairs), &chunk.slice(1, pairs)),
    }
}

/// Any two columns, as Polars does: two nulls are the same, and so are two NaN.
fn compare(before: &Series, these: &Series) -> PolarsResult<Bitmap> {
    let mut changes = BitmapBuilder::with_capacity(these.len());
    for chunk in these.not_equal_missing(before)?.downcast_iter() {
        changes.extend_from_bitmap(chunk.values());
    }
    Ok(changes.freeze())
}

fn numbers<T: Copy + BitXor<Output = T> + AsPrimitive<u64>>(values: &[T]) -> Bitmap {
    block_by_block(values, |before, this| (before ^ this).as_(), |_| true)
}

/// Strings that Polars keeps in the same place are the same; only others have to be read.
fn strings<T: ViewType + PartialEq + ?Sized>(array: &BinaryViewArrayGeneric<T>) -> Bitmap {
    block_by_block(
        array.views(),
        |before, this| halves(before.as_u128() ^ this.as_u128()),
        |row| array.value(row) != array.value(row + 1),
    )
}

/// Zero only if both halves are.
fn halves(bits: u128) -> u64 {
    (bits >> 64) as u64 | bits as u64
}

/// Whether each value but the last is followed by a different one: one that differs in some bits, and is `confirmed` to.
///
/// Measured: Polars' own comparison, compiled for any processor, takes three times as long.
fn block_by_block<T: Copy>(values: &[T], bits: impl Fn(T, T) -> u64, confirmed: impl Fn(usize) -> bool) -> Bitmap {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has just been asked for the feature.
        return unsafe { block_by_block_avx2(values, bits, confirmed) };
    }
    block_by_block_portable(values, bits, confirmed)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn block_by_block_avx2<T: Copy>(values: &[T], bits: impl Fn(T, T) -> u64, confirmed: impl Fn(usize) -> bool) -> Bitmap {
    block_by_block_portable(values, bits, confirmed)
}

#[inline(always)]
fn block_by_block_portable<T: Copy>(
    values: &[T],
    bits: impl Fn(T, T) -> u64,
    confirmed: impl Fn(usize) -> bool,
) -> Bitmap {
    let length = values.len() - 1;
    let mut words = Vec::with_capacity(length.div_ceil(ROWS) * size_of::<u64>());
    for start in (0..length).step_by(ROWS) {
        let rows = ROWS.min(length - start);
        let (before, these) = (&values[start..start + rows], &values[start + 1..=start + rows]);
        let differ = |row: usize| bits(before[row], these[row]);
        let mut changes = 0;
        if (0..rows).fold(0, |any, row| any | differ(row)) != 0 {
            let mut flags = [0; ROWS];
            for row in 0..rows {
                flags[row] = u8::from(differ(row) != 0);
            }
            changes = word(&flags);
            for place in places(changes, rows).filter(|place| !confirmed(start + place)) {
                changes ^= 1 << place;
            }
        }
        words.extend_from_slice(&changes.to_le_bytes());
    }
    Bitmap::from_u8_vec(words, length)
}
