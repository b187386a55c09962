//! The options of counters, which `increase` and `rate` share.

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Float, Reason, RowError, Rows, Valid};
use crate::domain::Length;
use crate::kernel::{self, Pair, Sample, TooLarge, Wrong};
use crate::plan::{PlanError, ResultUnits, Units};

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

    /// The exact gain between two numbers, counted from zero, over a step of x.
    pub(super) fn exactly(self, levels: [i128; 2], step: f64, units: &ResultUnits) -> Result<Option<i128>, Reason> {
        let rules = self.rules(units, false);
        if let Some(wrong) = levels.iter().position(|&level| rules.is_exactly_outside(level)) {
            return Err(Reason::outside(wrong));
        }
        let [before, this] = levels;
        let gain = rules.exact_gain(before, this).map_err(|TooLarge| Reason::TooLarge)?;
        Ok(gain.filter(|&gain| !rules.is_too_fast(gain as f64, step)))
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
        let this = rows.reach.before;
        let [before, own] = [&rows.lags[this - 1], &rows.lags[this]];
        let pair = |before, this| Pair { before, this };
        let y = pair(before.y.values, own.y.values);
        let x = match (before.x, own.x) {
            (Some(before), Some(own)) => Some(Pair {
                before: before.values,
                this: own.values,
            }),
            _ => None,
        };
        let is_read = |row: usize| {
            let in_segment: [u64; 2] = rows.rules.in_segment(rows.lags, this, row);
            in_segment[0] & in_segment[1] & before.valid(row) & own.valid(row)
        };
        let mut valid = Valid::new(rows.len());
        let mut row = 0;
        let field = results.first();
        let append = |values: &[f64], are_valid: u64| {
            field
                .values_mut()
                .extend(values.iter().map(|value| AsPrimitive::<O>::as_(*value)));
            valid.push(row, are_valid | crate::bits::high_mask(values.len()));
            row += values.len();
        };
        let rules = self.rules(rows.units, per_x);
        let zero = Y::of_integer(rows.units.zero);
        let evaluated = rules.over(y, x, zero, rows.strict, is_read, append);
        evaluated.map_err(|(row, wrong)| match wrong {
            Wrong::Unsorted => RowError::unsorted(row, rows.reach, &(this - 1..this + 1)),
            Wrong::Outside(of_pair) => RowError {
                row,
                reason: Reason::outside(of_pair),
            },
        })?;
        results.first().extend_validity(&valid);
        Ok(())
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
