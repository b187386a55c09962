//! Which of the rows beside a row are its neighbours: those that no broken link parts from it.

use super::window::Chunk;
use crate::bits::{Bits, ROWS, word, word_of};
use crate::kernel::{Limit, Sample};

/// What keeps neighbours apart, told by their values alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Apart {
    /// Whether a null ends a segment.
    pub(crate) at_nulls: bool,
    /// The longest step that does not end it.
    pub(crate) max_gap: Option<Limit>,
}

/// The links between the rows of one window.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    apart: Apart,
    /// Which rows of the column start a segment, known before a value is read.
    starts: Option<Bits<'a>>,
    /// The row of the column that the window begins at.
    first: usize,
}

/// For 64 rows, which members of the window they have: furthest row back first, the row itself in the middle of all five.
#[derive(Clone, Copy)]
pub(crate) struct Reached(pub(crate) [u64; 5]);

impl<'a> Links<'a> {
    /// The links in a window that begins at a row of the column.
    pub(crate) fn new(apart: Apart, starts: Option<Bits<'a>>, first: usize) -> Self {
        Self { apart, starts, first }
    }

    /// Whether nothing but the starts of segments parts the rows of a window, and nothing is null.
    pub(crate) fn only_starts_part<Y: Sample, X: Sample>(self, window: &[Chunk<'_, Y, X>]) -> bool {
        self.apart.max_gap.is_none() && window.iter().all(Chunk::is_whole)
    }

    /// Whether any segments are known to start within the column.
    pub(crate) fn has_starts(self) -> bool {
        self.starts.is_some()
    }

    /// Which members 64 rows have where nothing but the starts of segments parts them.
    #[inline(always)]
    pub(crate) fn reached_between_starts(self, reach: usize, row: usize) -> Reached {
        let (before, after) = (self.same(0, row), self.same(1, row));
        let mut reached = [0, before, u64::MAX, after, 0];
        if reach > 1 {
            reached[0] = before & self.same(-1, row);
            reached[4] = after & self.same(2, row);
        }
        Reached(reached)
    }

    /// Which members 64 rows of a window have.
    #[inline(always)]
    pub(crate) fn reached<Y: Sample, X: Sample>(self, window: &[Chunk<'_, Y, X>], row: usize) -> Reached {
        let reach = window.len() / 2;
        let this = self.exists(&window[reach], row);
        let before = this & self.exists(&window[reach - 1], row) & self.linked(&window[reach - 1..=reach], 0, row);
        let after = this & self.exists(&window[reach + 1], row) & self.linked(&window[reach..=reach + 1], 1, row);
        let mut reached = [0, before, this, after, 0];
        if let [first, _, _, _, last] = window {
            reached[0] = before & self.exists(first, row) & self.linked(&window[..2], -1, row);
            reached[4] = after & self.exists(last, row) & self.linked(&window[3..], 2, row);
        }
        Reached(reached)
    }

    #[inline(always)]
    fn exists<Y: Sample, X: Sample>(self, member: &Chunk<'_, Y, X>, row: usize) -> u64 {
        let exists = word_of(member.exists, row);
        if self.apart.at_nulls {
            exists & member.known(row)
        } else {
            exists
        }
    }

    /// Where one member and the next one, so many rows ahead of the row itself, are in one segment.
    #[inline(always)]
    fn linked<Y: Sample, X: Sample>(self, pair: &[Chunk<'_, Y, X>], ahead: isize, row: usize) -> u64 {
        let same = self.same(ahead, row);
        match self.apart.max_gap {
            Some(limit) => same & within(limit, &pair[0], &pair[1], row),
            None => same,
        }
    }

    /// Where no segment starts so many rows ahead of 64 rows.
    #[inline(always)]
    fn same(self, ahead: isize, row: usize) -> u64 {
        self.starts
            .map_or(u64::MAX, |starts| match (self.first + row).checked_add_signed(ahead) {
                Some(row) => !starts.word(row),
                // There is no row before the first one.
                None => !starts.word(0) << 1,
            })
    }
}

/// Where the step from one row to another is no longer than the limit. One to or from a null is not known to be longer.
fn within<Y: Sample, X: Sample>(limit: Limit, earlier: &Chunk<'_, Y, X>, later: &Chunk<'_, Y, X>, row: usize) -> u64 {
    let (Some(earlier), Some(later)) = (&earlier.x, &later.x) else {
        return u64::MAX;
    };
    let mut beyond = [0; ROWS];
    let steps = earlier.values[row..].iter().zip(&later.values[row..]);
    for (beyond, (earlier, later)) in beyond.iter_mut().zip(steps) {
        *beyond = u8::from(later.is_beyond(*earlier, limit));
    }
    !(word(&beyond) & earlier.known(row) & later.known(row))
}
