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

#[cfg(test)]
mod tests {
    use std::iter::once;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::segments::order::{RowOrder, Scatter};

    fn bitmap(bits: impl Iterator<Item = bool>) -> Vec<u8> {
        let mut bitmap = Bitmap::default();
        bits.for_each(|bit| bitmap.push(bit.into(), 1));
        bitmap.into_bytes()
    }

    proptest! {
        #[test]
        fn gathered_rows_are_those_of_the_order_and_scattered_ones_come_back(
            rows in vec((0_u8..4, any::<bool>(), proptest::option::weighted(0.8, -9_i32..9)), 1..200),
            (before, after) in (0_usize..4, 0_usize..4),
            (skip, cuts) in (any::<bool>(), any::<[prop::sample::Index; 2]>()),
        ) {
            // The naive order: rows sorted by their keys, without those to skip.
            let mut sorted: Vec<u32> = (0..rows.len() as u32).collect();
            sorted.sort_by_key(|&row| rows[row as usize].0);
            let group = |position: usize| rows[sorted[position] as usize].0;
            let differs = |position| position == 0 || group(position) != group(position - 1);
            let starts = bitmap((0..sorted.len()).map(differs));
            let kept = bitmap(rows.iter().map(|row| row.1));
            let is_kept = |row: &u32| !skip || rows[*row as usize].1;
            let expected: Vec<u32> = sorted.iter().copied().filter(is_kept).collect();

            let valid = skip.then(|| Bits::new(&kept, 0));
            let order = RowOrder::new(Bits::new(&starts, 0), Some(sorted.clone()), valid, rows.len());
            let order = order.expect("an order of its own");
            prop_assert_eq!(order.rows(), &expected[..]);
            let starts = order.starts(Bits::new(&starts, 0));
            let group = |position: usize| rows[expected[position] as usize].0;
            let starts_group = |position| position == 0 || group(position) != group(position - 1);
            for position in 0..expected.len() {
                prop_assert_eq!(starts.get(position), starts_group(position));
            }

            let values: Vec<f64> = rows.iter().map(|row| row.2.map_or(f64::NAN, f64::from)).collect();
            let present = bitmap(rows.iter().map(|row| row.2.is_some()));
            let column = Slice { values: &values, validity: Some(Bits::new(&present, 0)) };
            let gathered = order.gather(&values);
            let taken: Vec<_> = expected.iter().map(|&row| values[row as usize].to_bits()).collect();
            prop_assert_eq!(gathered.iter().map(|value| value.to_bits()).collect::<Vec<_>>(), taken);

            let mut cuts = cuts.map(|cut| cut.index(expected.len() + 1));
            cuts.sort_unstable();
            let [first, second] = cuts;
            let segments = order.segments(starts);
            let groups = (0..expected.len()).filter(|&position| starts_group(position)).count();
            prop_assert_eq!(segments.len(), groups.max(1));
            let scatter = Scatter::new(&order, 1, rows.len());
            let mut nulls = vec![Vec::new()];
            let mut seen = Vec::new();
            let reach = Reach { before, after };
            for mut ranges in [vec![0..first, second..expected.len()], once(first..second).collect()] {
                ranges.retain(|range| !range.is_empty());
                if ranges.is_empty() {
                    continue;
                }
                let x = Some(&column);
                let tile = Tile::new(&column, x, Some(&values), order.rows(), starts, ranges, reach);
                let lags = tile.lags();
                prop_assert_eq!(lags.len(), reach.rows());
                let own = tile.sigma().expect("a sigma");
                for (place, range) in tile.ranges() {
                    for (place, position) in (*place..).zip(range.clone()) {
                        prop_assert_eq!(tile.position(place), position);
                        // The first row that is gathered counts as a start, which nothing reads.
                        if before > 0 || position > range.start {
                            prop_assert_eq!(tile.starts().get(place + before), starts_group(position));
                        }
                        for (lag, ahead) in lags.iter().zip(-(before as isize)..) {
                            let Some(&row) = position.checked_add_signed(ahead).and_then(|at| expected.get(at)) else {
                                continue;
                            };
                            let value = rows[row as usize].2.map(f64::from);
                            prop_assert_eq!(lag.y.get(place), value);
                            prop_assert_eq!(lag.x.and_then(|x| x.get(place)), value);
                            let sigma = own[(place + before).wrapping_add_signed(ahead)];
                            prop_assert_eq!(sigma.to_bits(), values[row as usize].to_bits());
                        }
                        seen.push(position);
                    }
                }
                let results = &lags[before].y;
                let valid = bitmap((0..results.values.len()).map(|row| results.get(row).is_some()));
                scatter.set(&[(results.values.to_vec(), Some(valid))], tile.ranges(), &mut nulls);
            }
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..expected.len()));
            let (back, validity) = scatter.into_column(&[nulls]).pop().expect("a column");
            for (row, (value, given)) in back.iter().zip(&rows).enumerate() {
                let given = given.2.filter(|_| is_kept(&(row as u32)));
                let valid = validity.as_ref().is_none_or(|bytes| Bits::new(bytes, 0).get(row));
                prop_assert_eq!(valid.then_some(*value), given.map(f64::from));
            }
        }
    }
}
