//! Scatter: several threads write results in an order other than that of the column.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// One value per row, set in any order from any thread: the inverse of a gather.
///
/// Values are atomic, so that setting a row twice is not a data race. A relaxed store compiles to a plain one.
pub(crate) struct ScatterBuffer<T: Atomic> {
    values: Vec<T::Cell>,
}

impl<T: Atomic> ScatterBuffer<T> {
    /// Zero in each row.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            values: T::zeroed(rows),
        }
    }

    /// # Panics
    ///
    /// If `row` is out of bounds.
    #[inline(always)]
    pub(crate) fn set(&self, row: usize, value: T) {
        value.store(&self.values[row]);
    }

    pub(crate) fn into_values(self) -> Vec<T> {
        // In place: source and target have one size.
        self.values.into_iter().map(T::load).collect()
    }
}

/// A value that is stored as atomic integers.
pub(crate) trait Atomic: Copy {
    type Cell: Send + Sync;

    fn zeroed(rows: usize) -> Vec<Self::Cell>;
    fn store(self, cell: &Self::Cell);
    fn load(cell: Self::Cell) -> Self;
}

macro_rules! atomic {
    ($($float:ty: $bits:ty = $cell:ty;)*) => {$(
        impl Atomic for $float {
            type Cell = $cell;

            fn zeroed(rows: usize) -> Vec<$cell> {
                // The allocator zeroes a vector of integers; it would not zero one of atomics.
                vec![0 as $bits; rows].into_iter().map(<$cell>::new).collect()
            }

            #[inline(always)]
            fn store(self, cell: &$cell) {
                cell.store(self.to_bits(), Ordering::Relaxed);
            }

            #[inline(always)]
            fn load(cell: $cell) -> Self {
                Self::from_bits(cell.into_inner())
            }
        }
    )*};
}

atomic! {
    f64: u64 = AtomicU64;
    f32: u32 = AtomicU32;
}

macro_rules! atomic_integer {
    ($($integer:ty = $cell:ty;)*) => {$(
        impl Atomic for $integer {
            type Cell = $cell;

            fn zeroed(rows: usize) -> Vec<$cell> {
                vec![0; rows].into_iter().map(<$cell>::new).collect()
            }

            #[inline(always)]
            fn store(self, cell: &$cell) {
                cell.store(self, Ordering::Relaxed);
            }

            #[inline(always)]
            fn load(cell: $cell) -> Self {
                cell.into_inner()
            }
        }
    )*};
}

atomic_integer! {
    u8 = AtomicU8;
    u32 = AtomicU32;
    u64 = AtomicU64;
}

impl Atomic for i128 {
    type Cell = [AtomicU64; 2];

    fn zeroed(rows: usize) -> Vec<Self::Cell> {
        (0..rows).map(|_| [const { AtomicU64::new(0) }; 2]).collect()
    }

    #[inline(always)]
    fn store(self, [low, high]: &Self::Cell) {
        let bits = self.cast_unsigned();
        low.store(bits as u64, Ordering::Relaxed);
        high.store((bits >> 64) as u64, Ordering::Relaxed);
    }

    #[inline(always)]
    fn load([low, high]: Self::Cell) -> Self {
        i128::from(high.into_inner().cast_signed()) << 64 | i128::from(low.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_128_bits_come_back() {
        let numbers = [0, -1, i128::MAX, i128::MIN, 1 << 64, -(1 << 64), (1 << 64) - 1];
        let buffer = ScatterBuffer::new(numbers.len());
        for (row, number) in numbers.into_iter().enumerate() {
            buffer.set(row, number);
        }
        assert_eq!(buffer.into_values(), numbers);
    }
}
