//! `integral`: the running trapezoid, the way back from a rate to an amount.
//!
//! ```text
//! for each segment
//!     start = initial; with `hold` what the segment before it in its group reached
//!     sum = 0
//!     for each row after the first
//!         sum += (half of y + half of the y before) * step      as a pair of floats, so that no digit is lost
//!         result = start + sum
//! ```

use std::ops::Range;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Describe, Extent, Output, Reached, Reason, RowError, Scan, Segment, Takes, Valid};
use crate::bits::{ROWS, movemask, set_bits};
use crate::dispatch::{Kernel, dispatch};
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
        let (rows, scale) = (segment.rows.clone(), segment.units.scales[0]);
        let zero = Y::of_integer(segment.units.zero);
        let mut reached = segment.reached.get();
        if rows.start == 0 {
            reached = Reached {
                result: reached.result,
                start: reached.result.filter(|_| self.hold).unwrap_or(self.initial),
                // A NaN at the first row is one of its segment, though no area is left of it.
                is_nan: segment.y.values[0].is_nan(),
                ..Reached::default()
            };
        }
        if reached.is_unknown {
            results.push_nulls(rows.len());
            return Ok(());
        }
        let start = Start {
            value: reached.start,
            nan: if reached.is_nan { f64::NAN } else { 0.0 },
        };
        let [value, rest] = reached.sum;
        let mut sum = Sum { value, rest };
        let mut block = Block::new();
        let values = results.first().values_mut();
        let mut known = 0;
        for first in rows.clone().step_by(ROWS) {
            let count = ROWS.min(rows.end - first);
            let valid = segment.valid(first);
            let sorted = segment.x.map_or(u64::MAX, |x| sorted(x.values, first));
            // From the first null on the integral is unknown.
            let wanted = count.min((valid & sorted).trailing_ones() as usize);
            let block_rows = first..first + wanted;
            block.take_halves(segment.y.values, zero, block_rows.clone());
            if let Some(x) = segment.x {
                block.take_steps(x.values, block_rows);
            }
            dispatch(Trapezoids {
                block: &mut block,
                rows: usize::from(first == 0)..wanted,
                sum: &mut sum,
            });
            block.append(wanted, start, scale, values);
            known += wanted;
            if wanted < count {
                let row = first + wanted;
                if segment.strict && valid >> wanted & 1 != 0 {
                    let reason = Reason::Unsorted {
                        first: -(row.min(2) as isize),
                        rows: row.min(2) + 1,
                    };
                    return Err(RowError { row, reason });
                }
                break;
            }
        }
        if known > 0 {
            reached.result = values.last().copied();
        }
        results.first().extend_validity(&Valid::new(known));
        results.push_nulls(rows.len() - known);
        segment.reached.set(Reached {
            sum: [sum.value, sum.rest],
            is_nan: reached.is_nan || sum.value.is_nan(),
            is_unknown: known < rows.len(),
            ..reached
        });
        Ok(())
    }
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

/// What is added to the area at each row.
#[derive(Clone, Copy)]
struct Start {
    value: f64,
    nan: f64,
}

/// At most 64 rows, as floats: one loop for all types of numbers.
struct Block {
    /// Halves of y, from that of the row before the first one on.
    halves: [f64; ROWS + 1],
    /// From the row before each.
    steps: [f64; ROWS],
    /// The sums up to each row, without and with their rests.
    values: [f64; ROWS],
    totals: [f64; ROWS],
}

impl Block {
    fn new() -> Self {
        Self {
            halves: [0.0; ROWS + 1],
            steps: [1.0; ROWS],
            values: [0.0; ROWS],
            totals: [0.0; ROWS],
        }
    }

    #[inline(never)]
    fn take_halves<Y: Sample>(&mut self, y: &[Y], zero: Y, rows: Range<usize>) {
        // The first row has none before it.
        let missing = usize::from(rows.start == 0);
        let y = &y[rows.start + missing - 1..rows.end];
        for (half, y) in self.halves[missing..].iter_mut().zip(y) {
            *half = 0.5 * y.minus(zero);
        }
    }

    #[inline(never)]
    fn take_steps<X: Sample>(&mut self, x: &[X], rows: Range<usize>) {
        let missing = usize::from(rows.start == 0);
        let pairs = x[rows.start + missing - 1..rows.end].windows(2);
        for (step, x) in self.steps[missing..].iter_mut().zip(pairs) {
            *step = x[1].minus(x[0]);
        }
    }

    /// Appends the results of the first rows.
    fn append(&mut self, rows: usize, start: Start, scale: Scale, results: &mut Vec<f64>) {
        let mut areas = self.totals;
        let in_range = scale.apply_all(&mut areas);
        for place in set_bits(!in_range, ROWS) {
            areas[place] = scale.apply(self.totals[place]);
        }
        let areas = areas.iter().zip(&self.values).take(rows);
        results.extend(areas.map(|(&area, &value)| start.value + if value == 0.0 { 0.0 } else { area } + start.nan));
    }
}

/// Sums the trapezoids of some rows of a block.
struct Trapezoids<'a> {
    block: &'a mut Block,
    rows: Range<usize>,
    sum: &'a mut Sum,
}

impl Kernel for Trapezoids<'_> {
    type Output = ();

    // A sum adds one number after the other.
    const WIDEST: bool = false;

    #[inline(always)]
    fn run(self) {
        let Self { block, rows, sum } = self;
        let mut running = *sum;
        for row in rows {
            let [before, this] = [block.halves[row], block.halves[row + 1]];
            running.add(before, block.steps[row]);
            running.add(this, block.steps[row]);
            block.values[row] = running.value;
            block.totals[row] = running.total();
        }
        *sum = running;
    }
}

/// A sum of products as a pair of floats: its rounding errors are summed as well (Kahan, Neumaier).
#[derive(Clone, Copy, Default)]
struct Sum {
    value: f64,
    rest: f64,
}

impl Sum {
    #[inline(always)]
    fn add(&mut self, a: f64, b: f64) {
        let term = a * b;
        let rest_of_term = a.mul_add(b, -term);
        let sum = self.value + term;
        let seen = sum - self.value;
        let rest_of_sum = (self.value - (sum - seen)) + (term - seen);
        self.value = sum;
        let rest = rest_of_sum + rest_of_term;
        self.rest += if rest.is_finite() { rest } else { 0.0 };
    }

    #[inline(always)]
    fn total(self) -> f64 {
        self.value + self.rest
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
