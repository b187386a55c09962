//! Adjacent rows as slices and bitmaps.

use crate::bits::{Bits, word_or_ones};

/// Adjacent rows of a column, read in place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) validity: Option<Bits<'a>>,
}

impl<T: Copy> Slice<'_, T> {
    /// The value at a row, unless it is null.
    pub(crate) fn get(&self, row: usize) -> Option<T> {
        let valid = self.validity.is_none_or(|validity| validity.get(row));
        valid.then(|| self.values[row])
    }

    /// Mask of valid rows, of 64.
    #[inline(always)]
    pub(crate) fn valid(&self, row: usize) -> u64 {
        word_or_ones(self.validity, row)
    }
}

/// Adjacent rows of a lagged copy of y and x.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lag<'a, Y, X> {
    pub(crate) y: Slice<'a, Y>,
    pub(crate) x: Option<Slice<'a, X>>,
    /// Rows that exist; others are beyond the end of the group. `None` if all exist.
    pub(crate) in_group: Option<Bits<'a>>,
}

impl<Y: Copy, X: Copy> Lag<'_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.y.values.len()
    }

    /// Whether all rows exist, and no value is null.
    pub(crate) fn is_complete(&self) -> bool {
        let x = self.x.and_then(|x| x.validity);
        self.in_group.is_none() && self.y.validity.is_none() && x.is_none()
    }

    /// Mask of rows, of 64, where neither y nor x is null.
    #[inline(always)]
    pub(crate) fn valid(&self, row: usize) -> u64 {
        self.y.valid(row) & self.x.map_or(u64::MAX, |x| x.valid(row))
    }

    /// Mask of rows, of 64, that exist.
    #[inline(always)]
    pub(crate) fn in_group(&self, row: usize) -> u64 {
        word_or_ones(self.in_group, row)
    }
}
