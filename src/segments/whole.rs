//! The segments of a whole column, as ranges of its rows.

use std::ops::Range;

use super::rules::{BreakRules, beyond};
use super::slice::Slice;
use crate::bits::{Bitmap, Bits, ROWS, word_or_ones};
use crate::kernel::Sample;

/// Where the segments and the groups of a column begin.
pub(crate) struct Segments<'a> {
    rows: usize,
    groups: Bits<'a>,
    /// The rows that start a segment, if there are more than groups.
    starts: Option<Vec<u8>>,
    /// The rows that are in no segment, as nulls end segments.
    nulls: Option<Vec<u8>>,
}

/// Adjacent rows of one segment, or of none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) rows: Range<usize>,
    /// The whole segment.
    pub(crate) segment: Range<usize>,
    /// The first row of the group.
    pub(crate) group: usize,
    /// Whether the row is in no segment.
    pub(crate) is_null: bool,
}

impl<'a> Segments<'a> {
    /// The segments of a column of groups.
    pub(crate) fn new<Y: Sample, X: Sample>(
        y: Slice<'_, Y>,
        x: Option<Slice<'_, X>>,
        breaks: BreakRules,
        groups: Bits<'a>,
    ) -> Self {
        let rows = y.values.len();
        if !breaks.at_nulls && breaks.max_gap.is_none() && rows > 0 && groups.get(0) {
            return Self {
                rows,
                groups,
                starts: None,
                nulls: None,
            };
        }
        let x_valid = x.and_then(|x| x.validity);
        let valid = |row: usize| word_or_ones(y.validity, row) & word_or_ones(x_valid, row);
        let gaps = breaks.max_gap.zip(x.map(|x| x.values));
        // Steps to and from a null in x end no segment.
        let beyond = |row: usize| match (gaps, row.checked_sub(1)) {
            (Some((limit, x)), Some(before)) => {
                let beyond = beyond(limit, &x[before..rows - 1], &x[row..]);
                beyond & word_or_ones(x_valid, before) & word_or_ones(x_valid, row)
            },
            // No row is before the first one.
            (Some((limit, x)), None) => {
                let beyond = beyond(limit, &x[..rows - 1], &x[1..]) << 1;
                beyond & word_or_ones(x_valid, 0) << 1 & word_or_ones(x_valid, 0)
            },
            (None, _) => 0,
        };
        Self::of_words(rows, breaks.at_nulls, groups, &valid, &beyond)
    }

    /// The same from masks of 64 rows: of those that are not null, and of those that are too far from the row before.
    fn of_words(
        rows: usize,
        at_nulls: bool,
        groups: Bits<'a>,
        valid: &dyn Fn(usize) -> u64,
        beyond: &dyn Fn(usize) -> u64,
    ) -> Self {
        let (mut starts, mut nulls) = (Bitmap::with_capacity(rows), Bitmap::default());
        // Nothing is before the first row.
        let mut before = 0;
        for row in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - row);
            let mut first = beyond(row) | groups.word(row) | u64::from(row == 0);
            if at_nulls {
                let valid = valid(row);
                first |= !valid | !(valid << 1 | before >> (ROWS - 1));
                before = valid;
                nulls.push(!valid, count);
            }
            starts.push(first, count);
        }
        Self {
            rows,
            groups,
            starts: Some(starts.into_bytes()),
            nulls: at_nulls.then(|| nulls.into_bytes()),
        }
    }

    /// The rows of a part of the column. With `whole_groups` a group belongs to the part that it begins in.
    pub(crate) fn rows_of(&self, part: Range<usize>, whole_groups: bool) -> Range<usize> {
        if whole_groups {
            self.next(self.groups, part.start)..self.next(self.groups, part.end)
        } else {
            part
        }
    }

    /// The segments of a part of the column, in order, and the [rows](Self::rows_of) of the part in each.
    pub(crate) fn of_part(&self, part: Range<usize>, whole_groups: bool) -> OfPart<'_> {
        let rows = self.rows_of(part, whole_groups);
        OfPart {
            segments: self,
            group: self.before(self.groups, rows.start),
            start: self.start(rows.start),
            rows,
        }
    }

    /// Whether a row is the first of its group.
    pub(crate) fn starts_group(&self, row: usize) -> bool {
        self.groups.get(row)
    }

    /// The whole segment of a row.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    pub(crate) fn around(&self, row: usize) -> Range<usize> {
        self.start(row)..self.next(self.starts(), row + 1)
    }

    /// The first row of the segment of a row.
    fn start(&self, row: usize) -> usize {
        self.before(self.starts(), row)
    }

    fn starts(&self) -> Bits<'_> {
        self.starts.as_ref().map_or(self.groups, |starts| Bits::new(starts, 0))
    }

    /// The last row up to one whose bit is set; the row itself if there is none.
    fn before(&self, bits: Bits, row: usize) -> usize {
        bits.last_one(self.rows.min(row + 1)).unwrap_or(row)
    }

    /// The first row from one on whose bit is set; the number of rows if there is none.
    fn next(&self, bits: Bits, row: usize) -> usize {
        bits.next_one(row, self.rows)
    }
}

/// The segments of a part of a column, one after another.
pub(crate) struct OfPart<'a> {
    segments: &'a Segments<'a>,
    /// Those that are left.
    rows: Range<usize>,
    /// The first rows of the group and of the segment before these.
    group: usize,
    start: usize,
}

impl OfPart<'_> {
    /// The rows of several short segments that follow, at most 64 rows, and which of them start a segment. At least one
    /// segment is left behind them.
    pub(crate) fn short(&self) -> Option<(Range<usize>, u64)> {
        /// From so many on they are short.
        const STARTS: u32 = 5;
        let Range { start, end } = self.rows;
        if self.segments.nulls.is_some() || end - start < ROWS {
            return None;
        }
        let starts = self.segments.starts().word(start);
        if starts & 1 == 0 || starts.count_ones() < STARTS {
            return None;
        }
        let last = starts.ilog2();
        Some((start..start + last as usize, starts ^ 1 << last))
    }

    /// Passes over the rows of short segments.
    pub(crate) fn pass(&mut self, rows: &Range<usize>) {
        let groups = self.segments.groups.word(rows.start) & u64::MAX >> (ROWS - rows.len());
        if groups != 0 {
            self.group = rows.start + groups.ilog2() as usize;
        }
        self.rows.start = rows.end;
    }
}

impl Iterator for OfPart<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let Range { start: row, end } = self.rows;
        if row >= end {
            return None;
        }
        let segments = self.segments;
        if segments.groups.get(row) {
            self.group = row;
        }
        let starts = segments.starts();
        if starts.get(row) {
            self.start = row;
        }
        let segment = self.start..segments.next(starts, row + 1);
        self.rows.start = segment.end.min(end);
        Some(Found {
            rows: row..self.rows.start,
            segment,
            group: self.group,
            is_null: segments
                .nulls
                .as_ref()
                .is_some_and(|nulls| Bits::new(nulls, 0).get(row)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: Range<usize>, segment: Range<usize>, group: usize) -> Found {
        Found {
            rows,
            segment,
            group,
            is_null: false,
        }
    }

    #[test]
    fn parts_are_cut_at_segments_or_at_groups() {
        let y = [0.0_f64; 10];
        let x = [0.0, 1.0, 2.0, 9.0, 10.0, 0.0, 1.0, 2.0, 3.0, 4.0];
        let slice = |values| Slice { values, validity: None };
        let limit = crate::kernel::Limit { float: 3.0, integer: 3 };
        let breaks = BreakRules {
            at_nulls: false,
            max_gap: Some(limit),
        };
        let groups = [0b10_0001, 0];
        let segments = Segments::new(slice(&y), Some(slice(&x)), breaks, Bits::new(&groups, 0));
        let all: Vec<_> = segments.of_part(0..10, false).collect();
        assert_eq!(
            all,
            [found(0..3, 0..3, 0), found(3..5, 3..5, 0), found(5..10, 5..10, 5)]
        );
        let part: Vec<_> = segments.of_part(1..7, false).collect();
        assert_eq!(
            part,
            [found(1..3, 0..3, 0), found(3..5, 3..5, 0), found(5..7, 5..10, 5)]
        );
        assert_eq!(
            segments.of_part(1..7, true).collect::<Vec<_>>(),
            [found(5..10, 5..10, 5)]
        );
        assert_eq!(segments.of_part(0..1, true).count(), 2);
        assert_eq!(segments.of_part(6..10, true).count(), 0);
    }

    #[test]
    fn nulls_that_end_segments_are_in_none() {
        let y = [0.0_f64; 4];
        let valid = [0b1101];
        let y = Slice {
            values: &y,
            validity: Some(Bits::new(&valid, 0)),
        };
        let breaks = BreakRules {
            at_nulls: true,
            max_gap: None,
        };
        let segments = Segments::new::<_, f64>(y, None, breaks, Bits::new(&[1], 0));
        let all: Vec<_> = segments
            .of_part(0..4, true)
            .map(|found| (found.rows, found.is_null))
            .collect();
        assert_eq!(all, [(0..1, false), (1..2, true), (2..4, false)]);
    }
}
