//! `increase`: what a counter gained from the row before, in the dtype of y.
//!
//! The formula is in [`kernel::Counter`](crate::kernel). The sum of the increases is the total.

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::counter::{Counter, counter_methods};
use super::{Columns, Describe, Evaluate, Extent, Float, Output, Repeats, Reset, RowError, Rows, Takes};
use crate::domain::Length;
use crate::kernel::Sample;
use crate::units::{PlanError, Units};

/// The increase of a counter from row to row, in the dtype of y: exact for integers, Decimals and durations.
///
/// # Examples
///
/// ```
/// use polars_grad::{Increase, Reset};
///
/// let increase = Increase::new().reset(Reset::Null).wrap(2_f64.powi(32));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Increase(Counter);

counter_methods!(Increase);

impl Describe for Increase {
    fn extent(&self) -> Extent {
        Extent::rows(1, 0)
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::of_y()]
    }

    fn takes(&self) -> Takes {
        Takes::Amounts
    }

    fn needs_rising_x(&self) -> bool {
        true
    }

    fn takes_y_period(&self) -> bool {
        false
    }

    fn repeats(&self) -> Repeats {
        Repeats::FirstThenZero
    }

    fn resolved(&self, units: &Units) -> Result<Self, PlanError> {
        self.0.resolved(units).map(Self)
    }
}

impl Evaluate for Increase {
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        self.0.evaluate_rows(rows, false, results)
    }

    fn evaluate_exactly<Y: Sample, X: Sample>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<i128>,
    ) -> Result<(), RowError> {
        self.0.evaluate_exactly(rows, results)
    }
}
