//! Decides which adjacent rows belong to the same segment.

use super::slice::Lag;
use crate::bits::{Bits, ROWS, movemask};
use crate::kernel::{Limit, Sample};

/// Rules by which values end a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BreakRules {
    /// Whether a null ends it.
    pub(crate) at_nulls: bool,
    /// The longest step that does not end it.
    pub(crate) max_gap: Option<Limit>,
}

/// Rules for the ends of segments in a range of rows of a column.
#[derive(Clone, Copy)]
pub(crate) struct SegmentRules<'a> {
    breaks: BreakRules,
    /// The rows of the column that start a segment, as far as they are known before any value is read.
    starts: Option<Bits<'a>>,
    /// The index of the first row in the column.
    first: usize,
}

impl<'a> SegmentRules<'a> {
    /// The rules for rows from `first` on.
    pub(crate) fn new(breaks: BreakRules, starts: Option<Bits<'a>>, first: usize) -> Self {
        Self { breaks, starts, first }
    }

    /// The rules for rows from `row` of these on.
    pub(crate) fn from(self, row: usize) -> Self {
        Self {
            first: self.first + row,
            ..self
        }
    }

    /// Whether only known starts end segments in these rows, and no value is null.
    pub(crate) fn only_starts<Y: Sample, X: Sample>(self, lags: &[Lag<'_, Y, X>]) -> bool {
        self.breaks.max_gap.is_none() && lags.iter().all(Lag::is_complete)
    }

    /// Whether any starts are known.
    pub(crate) fn has_starts(self) -> bool {
        self.starts.is_some()
    }

    /// For each lag, the mask of the 64 rows whose segment contains it, if only known starts end segments.
    ///
    /// The rows themselves are the middle lag.
    #[inline(always)]
    pub(crate) fn between_starts<const LAGS: usize>(self, row: usize) -> [u64; LAGS] {
        let this = LAGS / 2;
        let mut masks = [u64::MAX; LAGS];
        for lag in (0..this).rev() {
            masks[lag] = masks[lag + 1] & self.same((lag + 1) as isize - this as isize, row);
        }
        for lag in this + 1..LAGS {
            masks[lag] = masks[lag - 1] & self.same((lag - this) as isize, row);
        }
        masks
    }

    /// For each lag, the mask of the 64 rows whose segment contains it. The rows themselves are lag `this`. Masks of
    /// lags that do not exist are zero.
    #[inline(always)]
    pub(crate) fn in_segment<const LAGS: usize, Y: Sample, X: Sample>(
        self,
        lags: &[Lag<'_, Y, X>],
        this: usize,
        row: usize,
    ) -> [u64; LAGS] {
        let mut masks = [0; LAGS];
        masks[this] = self.exists(&lags[this], row);
        for lag in (0..this).rev() {
            let linked = self.linked(&lags[lag], &lags[lag + 1], (lag + 1) as isize - this as isize, row);
            masks[lag] = masks[lag + 1] & self.exists(&lags[lag], row) & linked;
        }
        for lag in this + 1..LAGS.min(lags.len()) {
            let linked = self.linked(&lags[lag - 1], &lags[lag], (lag - this) as isize, row);
            masks[lag] = masks[lag - 1] & self.exists(&lags[lag], row) & linked;
        }
        masks
    }

    #[inline(always)]
    fn exists<Y: Sample, X: Sample>(self, lag: &Lag<'_, Y, X>, row: usize) -> u64 {
        let exists = lag.in_group(row);
        if self.breaks.at_nulls {
            exists & lag.valid(row)
        } else {
            exists
        }
    }

    /// Mask of rows where two adjacent lags, the later one `ahead` rows ahead, are in one segment.
    #[inline(always)]
    fn linked<Y: Sample, X: Sample>(
        self,
        earlier: &Lag<'_, Y, X>,
        later: &Lag<'_, Y, X>,
        ahead: isize,
        row: usize,
    ) -> u64 {
        let same = self.same(ahead, row);
        match self.breaks.max_gap {
            Some(limit) => same & within(limit, earlier, later, row),
            None => same,
        }
    }

    /// Mask of rows `i` where row `i + ahead` does not start a segment.
    #[inline(always)]
    fn same(self, ahead: isize, row: usize) -> u64 {
        let Some(starts) = self.starts else { return u64::MAX };
        let row = self.first + row;
        match row.checked_add_signed(ahead) {
            Some(row) => !starts.word(row),
            // No row is before the first one.
            None => !starts.word(0) << (ahead.unsigned_abs() - row),
        }
    }
}

/// Mask of rows whose step from one lag to the next is within the limit. Steps to and from nulls are.
fn within<Y: Sample, X: Sample>(limit: Limit, earlier: &Lag<'_, Y, X>, later: &Lag<'_, Y, X>, row: usize) -> u64 {
    let (Some(earlier), Some(later)) = (&earlier.x, &later.x) else {
        return u64::MAX;
    };
    let beyond = beyond(limit, &earlier.values[row..], &later.values[row..]);
    !(beyond & earlier.valid(row) & later.valid(row))
}

/// Mask of at most 64 rows whose step from one column to another exceeds the limit.
#[inline(never)]
pub(super) fn beyond<X: Sample>(limit: Limit, earlier: &[X], later: &[X]) -> u64 {
    let mut beyond = [0; ROWS];
    for (beyond, (earlier, later)) in beyond.iter_mut().zip(earlier.iter().zip(later)) {
        *beyond = u8::from(later.is_beyond(*earlier, limit));
    }
    movemask(&beyond)
}
