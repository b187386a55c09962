//! Adjacent rows as the operators read them: slices and bitmaps.

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

    /// Mask of the valid ones of 64 rows.
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
    /// Where there is such a row: elsewhere it is beyond the end of the group.
    pub(crate) in_group: Option<Bits<'a>>,
}

impl<Y: Copy, X: Copy> Lag<'_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.y.values.len()
    }

    /// Whether all rows are there, and no value is null.
    pub(crate) fn is_complete(&self) -> bool {
        let x = self.x.and_then(|x| x.validity);
        self.in_group.is_none() && self.y.validity.is_none() && x.is_none()
    }

    /// Mask of those of 64 rows where neither y nor x is null.
    #[inline(always)]
    pub(crate) fn valid(&self, row: usize) -> u64 {
        self.y.valid(row) & self.x.map_or(u64::MAX, |x| x.valid(row))
    }

    /// Mask of those of 64 rows that are there.
    #[inline(always)]
    pub(crate) fn in_group(&self, row: usize) -> u64 {
        word_or_ones(self.in_group, row)
    }
}
