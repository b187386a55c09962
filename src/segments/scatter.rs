//! Results that are written in another order than that of the column, by several threads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A value for each row of a column, to be set in any order from any thread: the inverse of a gather.
///
/// Values are atomic, so that a row that is set twice is no data race. A relaxed store costs what a plain one costs.
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
    /// Where there is no such row.
    #[inline(always)]
    pub(crate) fn set(&self, row: usize, value: T) {
        value.store(&self.values[row]);
    }

    pub(crate) fn into_values(self) -> Vec<T> {
        // In place: source and target have one size.
        self.values.into_iter().map(T::load).collect()
    }
}

/// A float that is stored as an atomic integer.
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
                // Zeroed by the allocator, as no vector of atomics is.
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
