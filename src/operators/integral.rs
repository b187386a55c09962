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

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Describe, Extent, Output, Reached, Reason, RowError, Scan, Segment, Takes};
use crate::kernel::{Sample, is_monotonic};

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
        let scale = segment.units.scales[0];
        let zero = Y::of_integer(segment.units.zero);
        let mut reached = segment.reached.get();
        if segment.rows.start == 0 {
            reached = Reached {
                result: reached.result,
                start: reached.result.filter(|_| self.hold).unwrap_or(self.initial),
                ..Reached::default()
            };
        }
        let start = reached.start;
        let [value, rest] = reached.sum;
        let mut sum = Sum { value, rest };
        // From the first null on the integral is unknown.
        let mut is_known = !reached.is_unknown;
        let mut nan = if reached.is_nan { f64::NAN } else { 0.0 };
        for row in segment.rows.clone() {
            is_known &= segment.is_valid(row);
            if is_known {
                // A NaN at the first row is one of its segment, though no area is left of it.
                if segment.y.values[row].is_nan() {
                    nan = f64::NAN;
                }
                match segment.step(row) {
                    Some(_) if row == 0 => {},
                    Some(step) => {
                        let [before, this] = [row - 1, row].map(|row| 0.5 * segment.y.values[row].minus(zero));
                        sum.add(before, step);
                        sum.add(this, step);
                    },
                    None if segment.strict => {
                        let reason = Reason::Unsorted {
                            first: -(row.min(2) as isize),
                            rows: row.min(2) + 1,
                        };
                        return Err(RowError { row, reason });
                    },
                    None => is_known = false,
                }
            }
            let area = if sum.value == 0.0 {
                0.0
            } else {
                scale.apply(sum.total())
            };
            let result = is_known.then_some(start + area + nan);
            reached.result = result.or(reached.result);
            results.first().push(result);
        }
        segment.reached.set(Reached {
            sum: [sum.value, sum.rest],
            is_nan: nan.is_nan(),
            is_unknown: !is_known,
            ..reached
        });
        Ok(())
    }
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// The step to a row from the one before, neither of which is null, and zero to the first row; `None` if x is not
    /// finite, or not strictly monotonic with the two rows before.
    fn step(&self, row: usize) -> Option<f64> {
        let Some(x) = self.x else { return Some(1.0) };
        let before = row.saturating_sub(1);
        is_monotonic(&x.values[row.saturating_sub(2)..=row]).then(|| x.values[row].minus(x.values[before]))
    }
}

/// A sum of products as a pair of floats: its rounding errors are summed as well (Kahan, Neumaier).
#[derive(Clone, Copy, Default)]
struct Sum {
    value: f64,
    rest: f64,
}

impl Sum {
    fn add(&mut self, a: f64, b: f64) {
        let term = a * b;
        let rest_of_term = a.mul_add(b, -term);
        let sum = self.value + term;
        let seen = sum - self.value;
        let rest_of_sum = (self.value - (sum - seen)) + (term - seen);
        self.value = sum;
        let rest = rest_of_sum + rest_of_term;
        if rest.is_finite() {
            self.rest += rest;
        }
    }

    fn total(self) -> f64 {
        self.value + self.rest
    }
}
