//! `rate`: the increase of a counter per x.
//!
//! The formula is in [`kernel::Counter`](crate::kernel).

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::counter::{Counter, counter_methods};
use super::{Columns, Describe, Evaluate, Extent, Float, Output, Reset, RowError, Rows, Takes};
use crate::domain::Length;
use crate::kernel::Sample;
use crate::units::{PlanError, Units};

/// The increase of a counter per x, from row to row.
///
/// # Examples
///
/// ```
/// use polars_grad::Rate;
///
/// let rate = Rate::new().wrap(2_f64.powi(32)).max_rate(1e9);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Rate(Counter);

counter_methods!(Rate);

impl Describe for Rate {
    fn extent(&self) -> Extent {
        Extent::rows(1, 0)
    }

    fn outputs(&self) -> Vec<Output> {
        vec![Output::per_x(1)]
    }

    fn takes(&self) -> Takes {
        Takes::Amounts
    }

    fn needs_rising_x(&self) -> bool {
        true
    }

    fn needs_steps(&self) -> bool {
        true
    }

    fn takes_y_period(&self) -> bool {
        false
    }

    fn resolved(&self, units: &Units) -> Result<Self, PlanError> {
        self.0.resolved(units).map(Self)
    }
}

impl Evaluate for Rate {
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        self.0.evaluate_rows(rows, true, results)
    }
}
