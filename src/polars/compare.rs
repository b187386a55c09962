//! Keys compared with those before, 64 at a time.
//!
//! All functions take keys from the row before the first block on, and a word of bits per block, to which they add the
//! rows that start a run. They tell whether keys rise wherever no run had started yet.

use num_traits::AsPrimitive;
use polars_arrow::array::{BinaryViewArrayGeneric, View, ViewType};

use crate::bits::{ROWS, places, word};

/// Integers by their bits, in the order of signed ones, which most keys are.
///
/// The first ones of runs are noted, unless these are so short that nobody will ask.
///
/// Measured: Polars' own comparison, compiled for any processor, takes three times as long.
pub(super) fn integers<T, S>(keys: &[T], starts: &mut [u64], firsts: &mut Option<Vec<i64>>) -> bool
where
    T: Copy + PartialEq + AsPrimitive<S>,
    S: Copy + PartialOrd + AsPrimitive<i64>,
{
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx512f") && has!("avx512dq") && has!("avx512vl") {
            // SAFETY: the processor has just been asked for these features; with them it has AVX2.
            return unsafe { integers_avx512(keys, starts, firsts) };
        }
        if has!("avx2") {
            // SAFETY: the processor has just been asked for the feature.
            return unsafe { integers_avx2(keys, starts, firsts) };
        }
    }
    integers_portable(keys, starts, firsts)
}

/// [`integers_portable`] compiled for a family of processors.
#[cfg(target_arch = "x86_64")]
macro_rules! integers_on {
    ($name:ident, $features:literal) => {
        #[target_feature(enable = $features)]
        fn $name<T, S>(keys: &[T], starts: &mut [u64], firsts: &mut Option<Vec<i64>>) -> bool
        where
            T: Copy + PartialEq + AsPrimitive<S>,
            S: Copy + PartialOrd + AsPrimitive<i64>,
        {
            integers_portable(keys, starts, firsts)
        }
    };
}

#[cfg(target_arch = "x86_64")]
integers_on!(integers_avx2, "avx2");
#[cfg(target_arch = "x86_64")]
integers_on!(integers_avx512, "avx2,avx512f,avx512dq,avx512vl");

#[inline(always)]
fn integers_portable<T, S>(keys: &[T], starts: &mut [u64], firsts: &mut Option<Vec<i64>>) -> bool
where
    T: Copy + PartialEq + AsPrimitive<S>,
    S: Copy + PartialOrd + AsPrimitive<i64>,
{
    /// So many keys are soon looked at, whatever becomes of them.
    const FEW: usize = 4_096;
    let mut rising = true;
    for (block, starts) in starts.iter_mut().enumerate() {
        let first = block * ROWS;
        let mut rest = None;
        let keys = pairs(&keys[first..], &mut rest);
        ask_for_next(keys);
        let (mut changed, mut fell) = (0, 0);
        for row in 0..ROWS {
            let (before, this) = (keys[row], keys[row + 1]);
            changed |= u64::from(before != this) << row;
            fell |= u64::from(before.as_() > this.as_()) << row;
        }
        rising &= fell & !*starts == 0;
        *starts |= changed;
        match firsts {
            Some(found) if found.len() > first / 2 + FEW => *firsts = None,
            Some(found) => found.extend(places(*starts, ROWS).map(|row| keys[row + 1].as_().as_())),
            None => {},
        }
    }
    rising
}

/// The first keys, as many as the compiler knows of; of fewer the last one again, which starts no run.
#[inline(always)]
fn pairs<'a, T: Copy>(keys: &'a [T], rest: &'a mut Option<[T; ROWS + 1]>) -> &'a [T; ROWS + 1] {
    match keys.first_chunk() {
        Some(keys) => keys,
        None => rest.insert(std::array::from_fn(|row| keys[row.min(keys.len() - 1)])),
    }
}

/// Has memory brought into the cache that lies some way behind some values.
///
/// Measured: a single column of integers comes twice as fast. By itself the processor does not look beyond the page.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables, reason = "nothing is asked"))]
fn ask_for_next<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        const AHEAD: usize = 4_096;
        const LINE: usize = 64;
        const MOST: usize = 4_096;
        let next = values.as_ptr().cast::<i8>().wrapping_add(AHEAD);
        for line in (0..size_of_val(values).min(MOST)).step_by(LINE) {
            // SAFETY: any address may be asked for, be there memory or not.
            #[allow(unused_unsafe, reason = "newer compilers know that")]
            unsafe {
                _mm_prefetch::<_MM_HINT_T0>(next.wrapping_add(line));
            }
        }
    }
}

/// Strings, in the order of their bytes. Those that Polars keeps in one place are the same; only others have to be read.
pub(super) fn strings<T: ViewType + Ord + ?Sized>(keys: &BinaryViewArrayGeneric<T>, starts: &mut [u64]) -> bool {
    let views = keys.views();
    let mut rising = true;
    for (block, starts) in starts.iter_mut().enumerate() {
        let first = block * ROWS;
        let mut rest = None;
        let views = pairs(&views[first..], &mut rest);
        ask_for_next(views);
        let Changes { changed, fell } = if views.iter().fold(true, |all, view| all & view.is_inline()) {
            in_views(views)
        } else if let Some((bytes, length)) = in_a_row(keys, views) {
            of_one_length(bytes, length)
        } else {
            one_by_one(keys, first, views)
        };
        rising &= fell & !*starts == 0;
        *starts |= changed;
    }
    rising
}

/// Which of some strings differ from the one before, and which of those come before it.
struct Changes {
    changed: u64,
    fell: u64,
}

/// Compares strings that fit into their views.
#[inline(always)]
fn in_views(views: &[View; ROWS + 1]) -> Changes {
    // The bytes as they are compared, filled up with zeros; then the length.
    let order = |view: View| (view.as_u128() >> 32).swap_bytes() | u128::from(view.length);
    let (mut changed, mut fell) = (0, 0);
    for row in 0..ROWS {
        changed |= u64::from(views[row].as_u128() != views[row + 1].as_u128()) << row;
    }
    for row in places(changed, ROWS) {
        fell |= u64::from(order(views[row]) > order(views[row + 1])) << row;
    }
    Changes { changed, fell }
}

/// The bytes of 65 longer strings that lie one after the other, and the length that all of them have.
#[inline(always)]
fn in_a_row<'a, T: ViewType + ?Sized>(
    keys: &'a BinaryViewArrayGeneric<T>,
    views: &[View; ROWS + 1],
) -> Option<(&'a [u8], usize)> {
    let View {
        length,
        buffer_idx,
        offset,
        ..
    } = views[0];
    let mut other = 0;
    for row in 0..ROWS {
        let (before, this) = (views[row], views[row + 1]);
        other |= this.length ^ length;
        other |= this.buffer_idx ^ buffer_idx;
        other |= this.offset.wrapping_sub(before.offset) ^ length;
    }
    if other != 0 {
        return None;
    }
    let (start, length) = (offset as usize, length as usize);
    let bytes = &keys.data_buffers()[buffer_idx as usize][start..];
    Some((&bytes[..(ROWS + 1) * length], length))
}

/// Compares strings in a row as one piece of memory with what is a string further on.
///
/// Measured: half the time of reading string by string.
#[inline(always)]
fn of_one_length(bytes: &[u8], length: usize) -> Changes {
    ask_for_next(bytes);
    let (before, this) = (bytes.as_chunks::<ROWS>().0, bytes[length..].as_chunks::<ROWS>().0);
    let (mut changed, mut fell) = (0, 0);
    // The first byte that differs tells all there is to know of a string.
    let mut next = 0;
    for (chunk, (before, this)) in before.iter().zip(this).enumerate() {
        if before == this {
            continue;
        }
        let differ = word(&std::array::from_fn(|byte| u8::from(before[byte] != this[byte])));
        for place in places(differ, ROWS) {
            let byte = chunk * ROWS + place;
            if byte >= next {
                let row = byte / length;
                changed |= 1 << row;
                fell |= u64::from(before[place] > this[place]) << row;
                next = (row + 1) * length;
            }
        }
    }
    Changes { changed, fell }
}

/// Compares strings wherever they are, given the views from the first one on.
#[inline(always)]
fn one_by_one<T: ViewType + Ord + ?Sized>(
    keys: &BinaryViewArrayGeneric<T>,
    first: usize,
    views: &[View; ROWS + 1],
) -> Changes {
    ask_for_next(between(keys, views[0], views[ROWS]));
    let (mut changed, mut fell) = (0, 0);
    for row in 0..ROWS {
        changed |= u64::from(!is_same(keys, views[row], views[row + 1])) << row;
    }
    for row in places(changed, ROWS) {
        fell |= u64::from(keys.value(first + row) > keys.value(first + row + 1)) << row;
    }
    Changes { changed, fell }
}

/// Whether two strings say the same.
#[inline(always)]
fn is_same<T: ViewType + ?Sized>(keys: &BinaryViewArrayGeneric<T>, one: View, other: View) -> bool {
    if one.is_inline() || one.length != other.length || one.prefix != other.prefix {
        return one.as_u128() == other.as_u128();
    }
    let (one, other) = (bytes_of(keys, one), bytes_of(keys, other));
    let eight = |bytes: &[u8], place: usize| u64::from_ne_bytes(*bytes[place..].first_chunk().expect("a long string"));
    let differ = |place| eight(one, place) ^ eight(other, place);
    match one.len() {
        // Two words and no jump: after the four bytes that a view has, and up to the end.
        length @ ..=20 => differ(4) | differ(length - 8) == 0,
        _ => one == other,
    }
}

/// The bytes of a string that does not fit into a view.
#[inline(always)]
fn bytes_of<T: ViewType + ?Sized>(keys: &BinaryViewArrayGeneric<T>, view: View) -> &[u8] {
    let start = view.offset as usize;
    &keys.data_buffers()[view.buffer_idx as usize][start..start + view.length as usize]
}

/// The bytes from one string to another, if they lie in that order in one place.
fn between<T: ViewType + ?Sized>(keys: &BinaryViewArrayGeneric<T>, one: View, other: View) -> &[u8] {
    let bytes = || {
        let bytes = keys.data_buffers().get(one.buffer_idx as usize)?;
        bytes.get(one.offset as usize..other.offset as usize)
    };
    let apart = one.is_inline() || other.is_inline() || one.buffer_idx != other.buffer_idx;
    if apart { None } else { bytes() }.unwrap_or_default()
}
