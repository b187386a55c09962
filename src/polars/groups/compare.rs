//! Keys compared with those before, 64 at a time.
//!
//! All functions take keys from the row before the first block on, and a word of bits per block, to which they add the
//! rows that start a run. They tell whether keys rise wherever no run had started yet.

use std::marker::PhantomData;

use num_traits::AsPrimitive;

use crate::bits::{ROWS, set_bits};
use crate::dispatch::{Kernel, dispatch};

/// Integers by their bits, in the order of signed ones of type `S`, which most keys are.
///
/// The first ones of runs are noted, unless these are so short that nobody will ask.
///
/// Measured: Polars' own comparison, compiled for any processor, takes three times as long.
pub(super) fn integers<T, S>(keys: &[T], starts: &mut [u64], firsts: &mut Option<Vec<i64>>) -> bool
where
    T: Copy + PartialEq + AsPrimitive<S>,
    S: Copy + PartialOrd + AsPrimitive<i64>,
{
    dispatch(Integers {
        keys,
        starts,
        firsts,
        order: PhantomData::<S>,
    })
}

struct Integers<'a, T, S> {
    keys: &'a [T],
    starts: &'a mut [u64],
    firsts: &'a mut Option<Vec<i64>>,
    order: PhantomData<S>,
}

impl<T, S> Kernel for Integers<'_, T, S>
where
    T: Copy + PartialEq + AsPrimitive<S>,
    S: Copy + PartialOrd + AsPrimitive<i64>,
{
    type Output = bool;

    #[inline(always)]
    fn run(self) -> bool {
        /// So many keys are soon looked at, whatever becomes of them.
        const FEW: usize = 4_096;
        let Self {
            keys, starts, firsts, ..
        } = self;
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
                Some(found) => found.extend(set_bits(*starts, ROWS).map(|row| keys[row + 1].as_().as_())),
                None => {},
            }
        }
        rising
    }
}

/// The first keys, as many as the compiler knows of; of fewer the last one again, which starts no run.
#[inline(always)]
pub(super) fn pairs<'a, T: Copy>(keys: &'a [T], rest: &'a mut Option<[T; ROWS + 1]>) -> &'a [T; ROWS + 1] {
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
pub(super) fn ask_for_next<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        const AHEAD: usize = 2_048;
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
