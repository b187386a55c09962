//! The trait of operators that are evaluated segment by segment.

use std::ops::Range;

use super::describe::Describe;
use super::rows::{Columns, RowError};
use crate::bits::Bits;
use crate::kernel::Sample;
use crate::plan::ResultUnits;
use crate::segments::Slice;

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
    /// The number of rows of its group that come before its own in the results.
    pub(crate) rows_of_group: usize,
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// Whether neither y nor x is null.
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        let valid = |validity: Option<Bits>| validity.is_none_or(|valid| valid.get(row));
        valid(self.y.validity) && self.x.is_none_or(|x| valid(x.validity))
    }

    /// The results of earlier rows of the group.
    pub(crate) fn group_results<'r>(
        &self,
        results: &'r mut Columns<f64>,
    ) -> impl DoubleEndedIterator<Item = Option<f64>> + use<'r, Y, X> {
        let results = results.first();
        let rows = results.len();
        (rows - self.rows_of_group..rows).map(|row| results.get(row))
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
}
