//! A gathered tile: ranges of a row order with their halos.

use std::ops::Range;

use num_traits::AsPrimitive;

use super::slice::{Gathered, Lag, Slice};
use crate::bits::{Bitmap, Bits};
use crate::segments::Reach;

/// Consecutive ranges, each with a halo: on either side the rows that an operator reads beyond it.
///
/// A position counts rows in the row order, a place counts rows in the tile.
pub(crate) struct Tile<Y, X> {
    /// Each with the place of its first row.
    ranges: Vec<(usize, Range<usize>)>,
    reach: Reach,
    starts: Vec<u8>,
    y: Gathered<Y>,
    x: Option<Gathered<X>>,
    sigma: Option<Vec<f64>>,
}

impl<Y: Copy, X: Copy> Tile<Y, X> {
    /// Gathers ranges of a column, given the order of its rows and the positions that start a segment.
    pub(crate) fn new<I: AsPrimitive<usize>>(
        y: &Slice<Y>,
        x: Option<&Slice<X>>,
        sigma: Option<&[f64]>,
        rows: &[I],
        starts: Bits,
        ranges: Vec<Range<usize>>,
        reach: Reach,
    ) -> Self {
        let mut read = Vec::new();
        let mut starts_here = Bitmap::default();
        let mut gather = |range: Range<usize>| {
            let place = read.len();
            // Beyond the ends of the order the values are arbitrary, since a segment ends there.
            let there = range.start.saturating_sub(reach.before)..rows.len().min(range.end + reach.after);
            let before = there.start + reach.before - range.start;
            let after = range.end + reach.after - there.end;
            read.extend((0..before).map(|_| rows[there.start]));
            read.extend_from_slice(&rows[there.clone()]);
            read.extend((0..after).map(|_| rows[there.end - 1]));
            starts_here.extend(before, |_| u64::MAX);
            starts_here.extend(there.len(), |place| {
                starts.word(there.start + place) | u64::from(place == 0)
            });
            starts_here.extend(after, |_| u64::MAX);
            (place, range)
        };
        let ranges = ranges.into_iter().map(&mut gather).collect();
        Self {
            ranges,
            reach,
            starts: starts_here.into_bytes(),
            y: y.gather(&read),
            x: x.map(|x| x.gather(&read)),
            sigma: sigma.map(|sigma| read.iter().map(|row| sigma[row.as_()]).collect()),
        }
    }

    /// The lags of all rows but the first and last halo.
    pub(crate) fn lags(&self) -> Vec<Lag<'_, Y, X>> {
        let rows = self.y.values.len() + 1 - self.reach.rows();
        let lag = |first: usize| Lag {
            y: self.y.rows(first, rows),
            x: self.x.as_ref().map(|x| x.rows(first, rows)),
            in_group: None,
        };
        (0..self.reach.rows()).map(lag).collect()
    }

    /// The standard deviations, from the first row of the first halo on.
    pub(crate) fn sigma(&self) -> Option<&[f64]> {
        self.sigma.as_deref()
    }

    /// The rows that start a segment, from the first row of the first halo on.
    pub(crate) fn starts(&self) -> Bits<'_> {
        Bits::new(&self.starts, 0)
    }

    /// The ranges, each with the place of its first row.
    pub(crate) fn ranges(&self) -> &[(usize, Range<usize>)] {
        &self.ranges
    }

    /// The position of a place, which may be in a halo.
    pub(crate) fn position(&self, place: usize) -> usize {
        let next = self
            .ranges
            .partition_point(|(first, _)| *first <= place + self.reach.before);
        let (first, range) = &self.ranges[next.saturating_sub(1)];
        (range.start + place).saturating_sub(*first)
    }
}
