//! Windows of a length of x over rows that come in batches: which rows are settled, and which are still read.
//!
//! A row is settled once x has passed it by the length after it, or its segment has ended. Rows that are settled are
//! kept as long as a row that is not may read them.

use std::ops::Range;

use super::rules::BreakRules;
use super::slice::Slice;
use crate::bits::Bits;
use crate::kernel::{Limit, Sample};

/// Adjacent rows in the order of x, and the lengths that an operator reads.
#[derive(Clone, Copy)]
pub(crate) struct Lengths<'a, Y, X> {
    pub(crate) y: Slice<'a, Y>,
    pub(crate) x: Slice<'a, X>,
    /// The rows that start a group.
    pub(crate) groups: Bits<'a>,
    pub(crate) breaks: BreakRules,
    /// Whether rows with a null count as absent.
    pub(crate) skip_nulls: bool,
    pub(crate) before: Limit,
    pub(crate) after: Limit,
}

/// What a row is to the windows around it.
enum Row<X> {
    /// Nothing: it counts as absent.
    Absent,
    /// In a window if it stands between two of its rows.
    WithoutX,
    /// The end of a segment.
    Break,
    /// The end of the windows of both sides.
    NotFinite,
    /// A row of its window, and whether it may be at a gap.
    At(X, bool),
}

impl<Y: Sample, X: Sample> Lengths<'_, Y, X> {
    fn height(&self) -> usize {
        self.x.values.len()
    }

    fn row(&self, row: usize) -> Row<X> {
        let is_valid = self.y.validity.is_none_or(|valid| valid.get(row));
        match self.x.get(row) {
            x if self.skip_nulls && !(is_valid && x.is_some()) => Row::Absent,
            x if self.breaks.at_nulls && !(is_valid && x.is_some()) => Row::Break,
            None => Row::WithoutX,
            Some(x) if x.zero_unless_finite() != 0.0 => Row::NotFinite,
            Some(x) => Row::At(x, is_valid),
        }
    }

    /// Whether a gap is between two adjacent rows; `None` is a row without an x.
    fn is_gap(&self, x: X, other: Option<X>) -> bool {
        let limit = self.breaks.max_gap;
        limit.is_some_and(|limit| other.is_some_and(|other| x.is_beyond(other, limit)))
    }

    /// The first row that later rows may change; the number of rows if there is none.
    pub(crate) fn settled(&self) -> usize {
        let mut settled = self.height();
        // The last x of the segment, the x of the next row with one, and that of the next row if a gap may be there.
        let (mut last, mut next, mut adjacent) = (None, None, None);
        for row in (0..self.height()).rev() {
            match self.row(row) {
                Row::Absent => {},
                Row::WithoutX => adjacent = None,
                Row::Break | Row::NotFinite => break,
                Row::At(x, is_valid) => {
                    let fell = next.is_some_and(|next: X| next < x);
                    let passed = last.is_some_and(|last: X| last.is_beyond(x, self.after));
                    if fell || passed || (is_valid && self.is_gap(x, adjacent)) {
                        break;
                    }
                    last = last.or(Some(x));
                    next = Some(x);
                    adjacent = is_valid.then_some(x);
                    settled = row;
                },
            }
            if self.groups.get(row) {
                break;
            }
        }
        settled
    }

    /// The rows before `first` that it and later rows may read: those within the length before it, and one more, which
    /// ends the window and by which order is checked.
    pub(crate) fn read_later(&self, first: usize) -> Vec<Range<usize>> {
        let mut start = first;
        let mut end = None;
        let x_of_first = (first < self.height()).then(|| self.row(first));
        let (mut own, mut adjacent) = match x_of_first {
            Some(Row::At(x, is_valid)) => (Some(x), is_valid.then_some(x)),
            _ => (None, None),
        };
        let starts_group = first < self.height() && self.groups.get(first);
        for row in (0..if starts_group { 0 } else { first }).rev() {
            match self.row(row) {
                Row::Absent => {},
                Row::WithoutX => adjacent = None,
                Row::Break | Row::NotFinite => {
                    end = Some(row);
                    break;
                },
                Row::At(x, is_valid) => {
                    let fell_or_left = own.is_some_and(|own: X| own < x || own.is_beyond(x, self.before));
                    if fell_or_left || (is_valid && self.is_gap(x, adjacent)) {
                        end = Some(row);
                        break;
                    }
                    own = own.or(Some(x));
                    adjacent = is_valid.then_some(x);
                    start = row;
                },
            }
            if self.groups.get(row) {
                break;
            }
        }
        let mut read: Vec<_> = self.counted(start..first).collect();
        if let Some(row) = end {
            // A row without an x between them says that there is no gap.
            let next = if self.skip_nulls { row + 1 } else { start.min(row + 2) };
            read.insert(0, row..next);
        }
        read
    }

    /// The rows at the start that earlier rows may read: those within the length after the first one.
    #[cfg_attr(not(feature = "python"), allow(dead_code))] // Partitions are Python's.
    pub(crate) fn read_earlier(&self) -> Vec<Range<usize>> {
        let (mut first, mut before, mut adjacent) = (None, None, None);
        let is_outside = |&row: &usize| {
            if row > 0 && self.groups.get(row) {
                return true;
            }
            match self.row(row) {
                Row::Absent => false,
                Row::WithoutX => {
                    adjacent = None;
                    false
                },
                Row::Break | Row::NotFinite => true,
                Row::At(x, is_valid) => {
                    let fell = before.is_some_and(|before: X| x < before);
                    let passed = first.is_some_and(|first: X| x.is_beyond(first, self.after));
                    let is_gap = is_valid && self.is_gap(x, adjacent);
                    first = first.or(Some(x));
                    before = Some(x);
                    adjacent = is_valid.then_some(x);
                    fell || passed || is_gap
                },
            }
        };
        let end = (0..self.height()).find(is_outside).unwrap_or(self.height());
        // The row at the end may be one that breaks a segment.
        self.counted(0..self.height().min(end + 1)).collect()
    }

    /// Ranges of the rows that do not count as absent.
    fn counted(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let mut row = rows.start;
        std::iter::from_fn(move || {
            let is_absent = |row: usize| self.skip_nulls && matches!(self.row(row), Row::Absent);
            while row < rows.end && is_absent(row) {
                row += 1;
            }
            let start = row;
            while row < rows.end && !is_absent(row) {
                row += 1;
            }
            (start < row).then_some(start..row)
        })
    }
}
