//! `integral`: the running trapezoid, the way back from a rate to an amount.
//!
//! ```text
//! for each segment
//!     start = initial; with `hold` what the segment before it in its group reached
//!     for each row
//!         result = start + the sum of the trapezoids up to the row
//! ```
//!
//! The sums are pairs of floats, in blocks of rows: see [`trapezoids`](crate::kernel::trapezoids).

use std::cell::RefCell;
use std::ops::Range;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

#[cfg(any(feature = "polars", feature = "arrow"))]
use super::Sums;
use super::{Columns, Describe, Extent, Output, Reached, Reason, RowError, Scan, Segment, Takes, Valid};
use crate::bits::{ROWS, movemask, set_bits};
use crate::kernel::stencil::inverse_power_of_two;
use crate::kernel::trapezoids::{BLOCK, Blocks, CHUNK};
use crate::kernel::{Sample, Scale, is_monotonic};

/// The cumulative integral of y over x, by trapezoids.
///
/// # Examples
///
/// ```
/// use polars_grad::Integral;
///
/// let energy = Integral::new().hold(true);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Integral {
    initial: f64,
    hold: bool,
}

impl Integral {
    /// Zero at the first row of each segment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value at the first row of each segment.
    #[must_use]
    pub fn initial(mut self, initial: f64) -> Self {
        self.initial = initial;
        self
    }

    /// Whether a segment goes on from what the one before it in its group reached.
    #[must_use]
    pub fn hold(mut self, hold: bool) -> Self {
        self.hold = hold;
        self
    }
}

impl Describe for Integral {
    fn extent(&self) -> Extent {
        Extent::Before
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::per_x(-1)]
    }

    fn takes(&self) -> Takes {
        Takes::Numbers
    }

    fn takes_y_period(&self) -> bool {
        false
    }
}

impl Scan for Integral {
    fn evaluate_segment<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<f64>,
    ) -> Result<(), RowError> {
        let rows = segment.rows.clone();
        let mut reached = segment.reached.get();
        if rows.start == 0 {
            reached = Reached {
                result: reached.result,
                start: reached.result.filter(|_| self.hold).unwrap_or(self.initial),
                ..Reached::default()
            };
        }
        let scale = scale_of_areas(segment);
        let values = results.first().values_mut();
        let mut known = 0;
        BLOCKS.with_borrow_mut(|blocks| {
            while known < rows.len() && !reached.is_unknown {
                let first = rows.start + known;
                let count = match (reached.sum.place(), rows.end - first) {
                    (0, left @ ..BLOCK) => left,
                    (0, left) => left.min(CHUNK) / BLOCK * BLOCK,
                    // To the end of the block.
                    (place, left) => left.min(BLOCK - place),
                };
                let wanted = read(segment, blocks, first..first + count);
                let areas = blocks.add_to(&mut reached.sum, wanted);
                append(areas, reached.start, scale, values);
                known += wanted;
                if wanted < count {
                    let row = first + wanted;
                    if segment.strict && segment.is_valid(row) {
                        let reason = Reason::Unsorted {
                            first: -(row.min(2) as isize),
                            rows: row.min(2) + 1,
                        };
                        return Err(RowError { row, reason });
                    }
                    // From the first null on the integral is unknown.
                    reached.is_unknown = true;
                }
            }
            Ok(())
        })?;
        if known > 0 {
            reached.result = values.last().copied();
        }
        results.first().extend_validity(&Valid::new(known));
        results.push_nulls(rows.len() - known);
        segment.reached.set(reached);
        Ok(())
    }

    fn evaluate_short<Y: Sample, X: Sample>(
        &self,
        segments: &Segment<'_, Y, X>,
        starts: u64,
        results: &mut Columns<f64>,
    ) -> bool {
        let rows = segments.rows.len();
        let are_valid = segments.valid(0) | !(u64::MAX >> (ROWS - rows)) == u64::MAX;
        // What a segment goes on from is known once the one before it has been evaluated.
        if self.hold || !are_valid {
            return false;
        }
        BLOCKS.with_borrow_mut(|blocks| {
            if let Some(x) = segments.x.map(|x| x.values) {
                blocks.take_steps(1, x, factor_of_steps(segments), false);
                let are_finite = set_bits(starts, rows).all(|row| x[row].zero_unless_finite() == 0.0);
                if !are_finite || !blocks.are_sorted(rows, starts) {
                    return false;
                }
            } else {
                blocks.take_even_steps(rows);
            }
            blocks.take_areas(None, segments.y.values, Y::of_integer(segments.units.zero), starts);
            append_short(blocks, rows, starts, self.initial, scale_of_areas(segments), results);
            true
        })
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn block(&self) -> Option<usize> {
        // What a segment goes on from is known once the one before it has been evaluated.
        (!self.hold).then_some(BLOCK)
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn sums<Y: Sample, X: Sample>(&self, segment: &Segment<'_, Y, X>, sums: &mut Sums) {
        BLOCKS.with_borrow_mut(|blocks| {
            for first in segment.rows.clone().step_by(CHUNK) {
                let rows = first..segment.rows.end.min(first + CHUNK);
                if read(segment, blocks, rows.clone()) < rows.len() {
                    sums.is_unknown = true;
                    break;
                }
                sums.blocks.extend_from_slice(blocks.sums(rows.len()));
            }
        });
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn reached(&self, before: Option<Reached>, sums: &Sums) -> Reached {
        let mut reached = before.unwrap_or(Reached {
            start: self.initial,
            ..Reached::default()
        });
        reached.sum.add_blocks(&sums.blocks);
        reached.is_unknown |= sums.is_unknown;
        reached
    }
}

thread_local! {
    /// Used again from segment to segment: these may be short.
    static BLOCKS: RefCell<Blocks> = RefCell::default();
}

/// Reads rows of a segment. Returns the number of rows before the first one that is null, or whose x is not strictly
/// monotonic with the two before it.
fn read<Y: Sample, X: Sample>(segment: &Segment<'_, Y, X>, blocks: &mut Blocks, rows: Range<usize>) -> usize {
    let first = rows.start;
    let end = first + valid(segment, &rows);
    let sorted = read_steps(segment, blocks, first..end);
    let y = segment.y.values;
    let before = first.checked_sub(1).map(|before| y[before]);
    let zero = Y::of_integer(segment.units.zero);
    blocks.take_areas(before, &y[first..first + sorted], zero, 0);
    sorted
}

/// Reads the steps to rows of a segment that are not null. Returns the number of rows before the first one whose x is not
/// strictly monotonic with the two before it.
fn read_steps<Y: Sample, X: Sample>(segment: &Segment<'_, Y, X>, blocks: &mut Blocks, rows: Range<usize>) -> usize {
    let Some(x) = segment.x.map(|x| x.values) else {
        blocks.take_even_steps(rows.len());
        return rows.len();
    };
    let Range { start: first, end } = rows;
    let factor = factor_of_steps(segment);
    let falls = |first: usize| x[first + 1] < x[first];
    let is_sorted = match first {
        // The first row has no step to it, and one that is alone has none at all.
        0 => end > 1 && blocks.take_steps(1, &x[..end], factor, falls(0)),
        1 => end == 1 || blocks.take_steps(0, &x[..end], factor, falls(0)),
        _ => blocks.take_steps(0, &x[first - 1..end], factor, falls(first - 2)),
    };
    if is_sorted {
        return rows.len();
    }
    first_not(|row| sorted(x, row), rows)
}

/// The power of two by which steps are multiplied, so that they are about in the unit of the result.
///
/// An area in nanoseconds is a billion times that in seconds, and may be too large for a float though the result is not.
fn factor_of_steps<Y: Sample, X: Sample>(segment: &Segment<'_, Y, X>) -> f64 {
    if X::INTEGER && segment.x.is_some() {
        inverse_power_of_two(segment.units.scales[0].denominator).min(1.0)
    } else {
        1.0
    }
}

/// The number of rows before the first one that is null.
fn valid<Y: Sample, X: Sample>(segment: &Segment<'_, Y, X>, rows: &Range<usize>) -> usize {
    if segment.y.validity.is_none() && segment.x.is_none_or(|x| x.validity.is_none()) {
        return rows.len();
    }
    first_not(|row| segment.valid(row), rows.clone())
}

/// The number of rows before the first one whose bit is not set in the masks of 64 rows.
fn first_not(mask: impl Fn(usize) -> u64, rows: Range<usize>) -> usize {
    let mut row = rows.start;
    while row < rows.end {
        let ones = mask(row).trailing_ones() as usize;
        row += ones;
        if ones < ROWS {
            break;
        }
    }
    rows.len().min(row - rows.start)
}

/// Mask of the 64 rows from `first` on whose x are finite and strictly monotonic with the two rows before.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "conditions without branches stay in vector registers"
)]
#[inline(never)]
fn sorted<X: Sample>(x: &[X], first: usize) -> u64 {
    let mut sorted = [0; ROWS];
    let rows = x.len().min(first + ROWS);
    let ends = first..rows.min(first.max(2));
    for row in ends.clone() {
        sorted[row - first] = u8::from(is_monotonic(&x[..=row]));
    }
    for (sorted, x) in sorted[ends.len()..]
        .iter_mut()
        .zip(x[ends.end.saturating_sub(2)..rows].windows(3))
    {
        // The one in between is finite then.
        let are_finite = (x[0].zero_unless_finite() == 0.0) & (x[2].zero_unless_finite() == 0.0);
        let (rise, fall) = ((x[0] < x[1]) & (x[1] < x[2]), (x[0] > x[1]) & (x[1] > x[2]));
        *sorted = u8::from(are_finite & (rise | fall));
    }
    movemask(&sorted)
}

/// From the areas that are added up, of steps times their factor, to results.
fn scale_of_areas<Y: Sample, X: Sample>(segment: &Segment<'_, Y, X>) -> Scale {
    let Scale { numerator, denominator } = segment.units.scales[0];
    Scale {
        numerator,
        denominator: denominator * factor_of_steps(segment),
    }
}

/// Appends the results of several short segments that have been taken. One function for all types of numbers.
#[inline(never)]
fn append_short(blocks: &mut Blocks, rows: usize, starts: u64, start: f64, scale: Scale, results: &mut Columns<f64>) {
    append(
        blocks.add_short(rows, starts),
        start,
        scale,
        results.first().values_mut(),
    );
    results.first().extend_validity(&Valid::new(rows));
}

/// Appends results: areas in the unit of the result, after `start`.
fn append(areas: &[f64], start: f64, scale: Scale, results: &mut Vec<f64>) {
    if scale == Scale::ONE {
        results.extend(areas.iter().map(|area| area + start));
        return;
    }
    for areas in areas.chunks(ROWS) {
        let mut scaled = [0.0; ROWS];
        scaled[..areas.len()].copy_from_slice(areas);
        let in_range = scale.apply_all(&mut scaled);
        for place in set_bits(!in_range, ROWS).take_while(|&place| place < areas.len()) {
            scaled[place] = scale.apply(areas[place]);
        }
        for area in &mut scaled {
            *area += start;
        }
        results.extend_from_slice(&scaled[..areas.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_with_the_two_before_them() {
        let mut x: Vec<f64> = (0..200).map(f64::from).collect();
        x[50] = 49.0;
        x[63] = f64::NAN;
        x[120..].reverse();
        x[150] = f64::INFINITY;
        x[199] = f64::NEG_INFINITY;
        for first in (0..x.len()).step_by(ROWS) {
            let sorted = sorted(&x, first);
            for row in first..x.len().min(first + ROWS) {
                let expected = is_monotonic(&x[row.saturating_sub(2)..=row]);
                assert_eq!(sorted >> (row - first) & 1 != 0, expected, "row {row}");
            }
        }
    }
}
