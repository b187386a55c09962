//! The trait of operators that are evaluated segment by segment.

use std::cell::Cell;
use std::ops::Range;

use super::SegmentOperator;
use super::describe::Describe;
use super::rows::{Columns, RowError};
use crate::bits::Bits;
use crate::kernel::Sample;
use crate::kernel::trapezoids::RunningSum;
#[cfg(any(feature = "polars", feature = "arrow"))]
use crate::kernel::trapezoids::Sum;
use crate::segments::{Segments, Slice};
use crate::units::ResultUnits;

/// A segment: adjacent rows that belong together.
pub(crate) struct Segment<'a, Y, X> {
    pub(crate) y: Slice<'a, Y>,
    /// As long as y. Without it rows are one step apart.
    pub(crate) x: Option<Slice<'a, X>>,
    /// The standard deviation of each y, in the numbers of y: finite and positive, or NaN on rows that an operator that
    /// weighs by them finds null.
    pub(crate) sigma: Option<&'a [f64]>,
    /// The rows to be evaluated: all, if the operator reads the whole segment.
    pub(crate) rows: Range<usize>,
    pub(crate) units: &'a ResultUnits,
    /// Whether a row that is wrong is an error, or null.
    pub(crate) strict: bool,
    /// The number of rows of the group before the segment.
    pub(crate) rows_of_group: usize,
    /// What the operator has reached in the rows of the group before these.
    pub(crate) reached: &'a Cell<Reached>,
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// Whether neither y nor x is null.
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        let valid = |validity: Option<Bits>| validity.is_none_or(|valid| valid.get(row));
        valid(self.y.validity) && self.x.is_none_or(|x| valid(x.validity))
    }

    /// Mask of 64 rows where neither y nor x is null. Bits beyond the end are unspecified.
    pub(crate) fn valid(&self, row: usize) -> u64 {
        self.y.valid(row) & self.x.map_or(u64::MAX, |x| x.valid(row))
    }
}

/// What an operator that passes over a group has reached in it: all that it needs to go on in another batch, besides
/// the last rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Reached {
    /// The last result of the group that is not null.
    pub(crate) result: Option<f64>,
    /// The result at the first row of the segment.
    pub(crate) start: f64,
    /// The sum of the rows of the segment.
    pub(crate) sum: RunningSum,
    /// Whether the rest of the segment is null.
    pub(crate) is_unknown: bool,
}

/// The sums of blocks of a segment, one after another.
#[cfg(any(feature = "polars", feature = "arrow"))]
#[derive(Clone, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) blocks: Vec<Sum>,
    /// Whether the rest of the segment is null.
    pub(crate) is_unknown: bool,
}

#[cfg(any(feature = "polars", feature = "arrow"))]
impl Sums {
    pub(crate) fn with_capacity(blocks: usize) -> Self {
        Self {
            blocks: Vec::with_capacity(blocks),
            is_unknown: false,
        }
    }
}

/// An operator that reads windows of any size, or passes over the whole segment.
pub(crate) trait Scan: Describe {
    /// Appends the results of some rows of a segment to those before, in the units of the outputs.
    ///
    /// # Errors
    ///
    /// A row that is wrong, counted from the start of the segment, if the segment is strict.
    fn evaluate_segment<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<f64>,
    ) -> Result<(), RowError>;

    /// [`evaluate_segment`](Self::evaluate_segment) for a y of integers, if an output has the dtype of y. All outputs are
    /// whole numbers then.
    ///
    /// # Errors
    ///
    /// Those of `evaluate_segment`.
    fn evaluate_exactly<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<i128>,
    ) -> Result<(), RowError> {
        results.push_nulls(segment.rows.len());
        Ok(())
    }

    /// Appends the results of several short segments, given as one of at most 64 rows, some of which start a segment.
    /// Returns whether it has; if not, they are evaluated one by one.
    fn evaluate_short<Y: Sample, X: Sample>(
        &self,
        segments: &Segment<'_, Y, X>,
        starts: u64,
        results: &mut Columns<f64>,
    ) -> bool {
        let _ = (segments, starts, results);
        false
    }

    /// The rows of a block, if a segment may be cut between blocks: the rows behind a cut are evaluated from the
    /// [`sums`](Self::sums) of the blocks before it. If not, a group is evaluated in one piece.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn block(&self) -> Option<usize> {
        None
    }

    /// The first of the rows of a segment at which it may be cut: the results from there on do not change if the rows
    /// before are evaluated apart, and neither do theirs.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn cut<Y: Sample, X: Sample>(&self, segment: &Segment<'_, Y, X>) -> Option<usize> {
        let _ = segment;
        None
    }

    /// Appends the sums of some blocks of a segment.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn sums<Y: Sample, X: Sample>(&self, segment: &Segment<'_, Y, X>, sums: &mut Sums) {
        let _ = (segment, sums);
    }

    /// What is reached behind some blocks of a segment; they are its first ones if `before` is `None`.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn reached(&self, before: Option<Reached>, sums: &Sums) -> Reached {
        let _ = sums;
        before.unwrap_or_default()
    }
}

/// An element type of results, and how an operator by segments is evaluated to it.
pub(crate) trait SegmentTarget: Copy + Default + Send + Sync + 'static {
    /// Appends the results of a segment to those before.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if the segment is strict.
    fn evaluate<Y: Sample, X: Sample>(
        operator: SegmentOperator<'_>,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<Self>,
    ) -> Result<(), RowError>;

    /// [`Scan::evaluate_short`], if results of this type come from there.
    fn evaluate_short<Y: Sample, X: Sample>(
        operator: SegmentOperator<'_>,
        segments: &Segment<'_, Y, X>,
        starts: u64,
        results: &mut Columns<Self>,
    ) -> bool {
        let _ = (operator, segments, starts, results);
        false
    }
}

impl SegmentTarget for f64 {
    fn evaluate<Y: Sample, X: Sample>(
        operator: SegmentOperator<'_>,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<Self>,
    ) -> Result<(), RowError> {
        operator.evaluate(segment, results)
    }

    fn evaluate_short<Y: Sample, X: Sample>(
        operator: SegmentOperator<'_>,
        segments: &Segment<'_, Y, X>,
        starts: u64,
        results: &mut Columns<Self>,
    ) -> bool {
        operator.evaluate_short(segments, starts, results)
    }
}

impl SegmentTarget for i128 {
    fn evaluate<Y: Sample, X: Sample>(
        operator: SegmentOperator<'_>,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<Self>,
    ) -> Result<(), RowError> {
        operator.evaluate_exactly(segment, results)
    }
}

/// Segments of a column, and the operator that is evaluated on them.
#[derive(Clone, Copy)]
pub(crate) struct Scanned<'a, Y, X> {
    pub(crate) operator: SegmentOperator<'a>,
    pub(crate) y: Slice<'a, Y>,
    pub(crate) x: Option<Slice<'a, X>>,
    pub(crate) sigma: Option<&'a [f64]>,
    pub(crate) segments: &'a Segments<'a>,
    pub(crate) units: &'a ResultUnits,
    pub(crate) strict: bool,
    /// Whether groups are evaluated in one piece.
    pub(crate) whole_groups: bool,
}

impl<Y: Sample, X: Sample> Scanned<'_, Y, X> {
    /// Evaluates a part of the rows. The first `settled` rows are null: they have been evaluated before, up to what
    /// has been reached.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if the run is strict.
    pub(crate) fn evaluate<O: SegmentTarget>(
        self,
        part: Range<usize>,
        settled: usize,
        reached: &Cell<Reached>,
    ) -> Result<Columns<O>, RowError> {
        // Known beforehand: results that outgrow their memory are copied.
        let rows = self.segments.rows_of(part.clone(), self.whole_groups).len();
        let mut results = Columns::with_capacity(self.units.scales.len(), rows);
        if self.units.has_words {
            results = results.with_words(rows);
        }
        let mut segments = self.segments.of_part(part, self.whole_groups);
        loop {
            // What is reached at the end of a part is that of a segment which is evaluated by itself.
            if let (0, Some((rows, starts))) = (settled, segments.short()) {
                let several = self.segment(rows.clone(), 0..rows.len(), 0, reached);
                if O::evaluate_short(self.operator, &several, starts, &mut results) {
                    segments.pass(&rows);
                    continue;
                }
            }
            let Some(found) = segments.next() else {
                return Ok(results);
            };
            let rows = found.rows.start.max(settled.min(found.rows.end))..found.rows.end;
            results.push_nulls(rows.start - found.rows.start);
            if !rows.is_empty() && self.segments.starts_group(rows.start) {
                reached.take();
            }
            if found.is_null {
                results.push_nulls(rows.len());
            } else if !rows.is_empty() {
                let Range { start, .. } = found.segment;
                let rows = rows.start - start..rows.end - start;
                let segment = self.segment(found.segment, rows, start.saturating_sub(found.group), reached);
                let evaluated = O::evaluate(self.operator, &segment, &mut results);
                evaluated.map_err(|error| error.map_row(|row| start + row))?;
            }
        }
    }

    /// Rows of a segment. Not inlined: [`evaluate`](Self::evaluate) is compiled for each pair of types.
    #[inline(never)]
    fn segment<'b>(
        &'b self,
        segment: Range<usize>,
        rows: Range<usize>,
        rows_of_group: usize,
        reached: &'b Cell<Reached>,
    ) -> Segment<'b, Y, X> {
        Segment {
            y: self.y.part(&segment),
            x: self.x.map(|x| x.part(&segment)),
            sigma: self.sigma.map(|sigma| &sigma[segment]),
            rows,
            units: self.units,
            strict: self.strict,
            rows_of_group,
            reached,
        }
    }
}

#[cfg(any(feature = "polars", feature = "arrow"))]
impl<Y: Sample, X: Sample> Scanned<'_, Y, X> {
    /// Appends the sums of blocks of a segment that begins at the row `segment`.
    pub(crate) fn sums(self, segment: usize, blocks: Range<usize>, sums: &mut Sums) {
        self.operator
            .sums(&self.beginning(segment, blocks, &Cell::default()), sums);
    }

    /// The first of some rows at which a segment that begins at the row `segment` may be cut.
    pub(crate) fn cut(self, segment: usize, rows: Range<usize>) -> Option<usize> {
        let cut = self.operator.cut(&self.beginning(segment, rows, &Cell::default()));
        cut.map(|row| segment + row)
    }

    /// A segment up to the end of the rows to be read.
    fn beginning<'b>(&'b self, segment: usize, read: Range<usize>, reached: &'b Cell<Reached>) -> Segment<'b, Y, X> {
        let rows = read.start - segment..read.end - segment;
        self.segment(segment..read.end, rows, 0, reached)
    }
}
