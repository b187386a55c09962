//! The options of counters, which `increase` and `rate` share.

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Float, Reason, RowError, Rows, Valid};
use crate::bits::{ROWS, high_mask};
use crate::domain::Length;
use crate::kernel::{self, Pair, Sample, Wrong};
use crate::units::{PlanError, ResultUnits, Units};

/// What a fall of a counter is, unless it wraps around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Reset {
    /// The counter started again from zero: it gained its value.
    #[default]
    Restart,
    /// The gain is unknown.
    Null,
}

/// The options of a counter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(default, deny_unknown_fields)
)]
pub(super) struct Counter {
    pub(super) reset: Reset,
    pub(super) wrap: Option<Length>,
    pub(super) max_rate: Option<Length>,
}

impl Counter {
    /// The options in the numbers of y and of its rate.
    pub(super) fn resolved(self, units: &Units) -> Result<Self, PlanError> {
        let wrap = self.wrap.map(|wrap| units.whole_of_y("wrap", wrap)).transpose()?;
        let max_rate = self.max_rate.map(|rate| units.of_rate("max_rate", rate)).transpose()?;
        Ok(Self {
            wrap: wrap.map(Length::Step),
            max_rate: max_rate.map(Length::Step),
            ..self
        })
    }

    fn rules(self, units: &ResultUnits, per_x: bool) -> kernel::Counter {
        let number = |length| match length {
            Some(Length::Step(number)) => Some(number),
            _ => None,
        };
        kernel::Counter {
            restarts: self.reset == Reset::Restart,
            wrap: number(self.wrap).unwrap_or(0.0),
            max_rate: number(self.max_rate).unwrap_or(f64::INFINITY),
            scale: units.rate,
            per_x,
        }
    }

    /// Appends the gains of adjacent rows, or with `per_x` their rates.
    pub(super) fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        self,
        rows: &Rows<'_, '_, Y, X>,
        per_x: bool,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        let rules = self.rules(rows.units, per_x);
        let zero = Y::of_integer(rows.units.zero);
        let mut valid = Valid::new(rows.len());
        let mut block = [0.0; ROWS];
        for first in (0..rows.len()).step_by(ROWS) {
            let (y, x) = pairs(rows, first);
            let block_valid = rules.results(y, x, zero, are_read(rows, first), rows.strict, &mut block);
            let block_valid = block_valid.map_err(|(place, wrong)| wrong.error(rows, first + place))?;
            let values = block[..y.this.len()].iter().map(|value| AsPrimitive::<O>::as_(*value));
            results.first().values_mut().extend(values);
            valid.push(first, block_valid | high_mask(y.this.len()));
        }
        results.first().extend_validity(&valid);
        Ok(())
    }

    /// Appends the exact gains of adjacent rows.
    pub(super) fn evaluate_exactly<Y: Sample, X: Sample>(
        self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<i128>,
    ) -> Result<(), RowError> {
        let rules = self.rules(rows.units, false);
        let zero = Y::of_integer(rows.units.zero);
        let mut valid = Valid::new(rows.len());
        let mut block = [0; ROWS];
        for first in (0..rows.len()).step_by(ROWS) {
            let (y, x) = pairs(rows, first);
            let block_valid = rules.exact_gains(y, x, zero, are_read(rows, first), rows.strict, &mut block);
            let block_valid = block_valid.map_err(|(place, wrong)| wrong.error(rows, first + place))?;
            results.first().values_mut().extend_from_slice(&block[..y.this.len()]);
            valid.push(first, block_valid | high_mask(y.this.len()));
        }
        results.first().extend_validity(&valid);
        Ok(())
    }
}

/// At most 64 rows from `first` on, and the rows before them.
fn pairs<'a, Y: Sample, X: Sample>(rows: &Rows<'a, '_, Y, X>, first: usize) -> (Pair<'a, Y>, Option<Pair<'a, X>>) {
    let this = rows.reach.before;
    let [before, own] = [&rows.lags[this - 1], &rows.lags[this]];
    let block = first..rows.len().min(first + ROWS);
    let y = Pair {
        before: &before.y.values[block.clone()],
        this: &own.y.values[block.clone()],
    };
    let x = match (before.x, own.x) {
        (Some(before), Some(own)) => Some(Pair {
            before: &before.values[block.clone()],
            this: &own.values[block],
        }),
        _ => None,
    };
    (y, x)
}

/// Mask of the 64 rows from `first` on that are in one segment with the row before, neither of which is null.
fn are_read<Y: Sample, X: Sample>(rows: &Rows<'_, '_, Y, X>, first: usize) -> u64 {
    if rows.rules.only_starts(rows.lags) {
        let [before, _]: [u64; 2] = rows.rules.between_starts(first);
        return before;
    }
    let this = rows.reach.before;
    let in_segment: [u64; 2] = rows.rules.in_segment(rows.lags, this, first);
    in_segment[0] & in_segment[1] & rows.lags[this - 1].valid(first) & rows.lags[this].valid(first)
}

impl Wrong {
    fn error<Y, X>(self, rows: &Rows<'_, '_, Y, X>, row: usize) -> RowError {
        let this = rows.reach.before;
        match self {
            Self::Unsorted => RowError::unsorted(row, rows.reach, &(this - 1..this + 1)),
            Self::Outside(of_pair) => RowError {
                row,
                reason: Reason::outside(of_pair),
            },
            Self::TooLarge => RowError {
                row,
                reason: Reason::TooLarge { before: 1 },
            },
        }
    }
}

/// The builder methods of an operator that has the options of a counter.
macro_rules! counter_methods {
    ($operator:ident) => {
        impl $operator {
            /// A counter that starts again from zero where it falls.
            #[must_use]
            pub fn new() -> Self {
                Self::default()
            }

            /// What a fall is.
            #[must_use]
            pub fn reset(mut self, reset: Reset) -> Self {
                self.0.reset = reset;
                self
            }

            /// The number at which the counter wraps around to zero, such as 2³². A fall is a wrap-around if the gain is
            /// then less than half of it. For a duration a [`Duration`](std::time::Duration).
            #[must_use]
            pub fn wrap(mut self, wrap: impl Into<Length>) -> Self {
                self.0.wrap = Some(wrap.into());
                self
            }

            /// The highest rate: above it the row is null. A number in the unit of the rate; a
            /// [`Duration`](std::time::Duration) where that is one.
            #[must_use]
            pub fn max_rate(mut self, rate: impl Into<Length>) -> Self {
                self.0.max_rate = Some(rate.into());
                self
            }
        }
    };
}

pub(super) use counter_methods;
