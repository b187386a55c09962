//! `turning_points`: where a curve turns from rising to falling, or back.
//!
//! ```text
//! for each run of rows without a null, a NaN, or a break of the order of x
//!     for each extreme, a row or a plateau, that the curve leaves by `min_swing`
//!         the row in its middle = { max or min, x and y of the vertex of the parabola through it and its neighbours }
//!                                 of a plateau: the middle of its x, and its y
//! ```
//!
//! Extremes and vertices are in [`kernel::turns`](crate::kernel).

use std::cmp::Ordering;
use std::ops::Range;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Describe, Extent, Output, Reason, Repeats, RowError, Scan, Segment, Takes};
use crate::domain::Length;
use crate::kernel::turns::{Extreme, Heights, Unwrapped, extremes, vertex};
use crate::kernel::{Sample, is_monotonic};
use crate::plan::{PlanError, Units};
use crate::segments::Slice;

/// The rows at which a curve turns: its maxima and minima, with their places and values.
///
/// # Examples
///
/// ```
/// use polars_grad::TurningPoints;
///
/// let tides = TurningPoints::new().min_swing(0.3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct TurningPoints {
    min_swing: Option<Length>,
    /// The swing in the numbers of y, once these are known.
    #[cfg_attr(feature = "serde", serde(skip))]
    swing: f64,
}

impl TurningPoints {
    /// Every extreme.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The least difference between an extreme and the next: an extreme counts once the curve has left it by this much.
    /// In the unit of y.
    #[must_use]
    pub fn min_swing(mut self, min_swing: impl Into<Length>) -> Self {
        self.min_swing = Some(min_swing.into());
        self
    }
}

impl Describe for TurningPoints {
    fn extent(&self) -> Extent {
        Extent::Segment
    }

    fn outputs(&self) -> Vec<Output> {
        vec![
            Output::word("kind", &["max", "min"]),
            Output::place("x"),
            Output::level("y"),
        ]
    }

    fn takes(&self) -> Takes {
        Takes::Amounts
    }

    fn repeats(&self) -> Repeats {
        Repeats::FirstThenNull
    }

    fn resolved(&self, units: &Units) -> Result<Self, PlanError> {
        let swing = match self.min_swing {
            None | Some(Length::Step(0.0)) => 0.0,
            Some(swing) => units.of_y("min_swing", swing)?,
        };
        Ok(Self { swing, ..*self })
    }
}

impl Scan for TurningPoints {
    fn evaluate_segment<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<f64>,
    ) -> Result<(), RowError> {
        if let Some(x) = segment.x.filter(|_| segment.strict) {
            check(x)?;
        }
        match segment.units.period {
            None => self.mark(segment, &segment.y.values, results),
            Some(period) => self.mark(segment, &Unwrapped::new(segment.y.values, period), results),
        }
        Ok(())
    }
}

impl TurningPoints {
    fn mark<Y: Sample, X: Sample>(
        self,
        segment: &Segment<'_, Y, X>,
        heights: &impl Heights,
        results: &mut Columns<f64>,
    ) {
        let first = results.first().len();
        results.push_nulls(segment.y.values.len());
        for run in segment.runs() {
            extremes(heights, run, self.swing, |extreme| {
                results.set(first + extreme.middle(), &segment.event(extreme, heights));
            });
        }
    }
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// The kind, the x and the y of an extreme.
    fn event(&self, extreme: Extreme, heights: &impl Heights) -> [f64; 3] {
        let row = extreme.middle();
        let [offset, height] = if extreme.first == extreme.last {
            let rises = [heights.rise(row - 1, row), heights.rise(row, row + 1)];
            let half_steps = [self.half_step(row - 1, row), self.half_step(row, row + 1)];
            vertex(rises.map(|rise| 0.5 * rise), half_steps)
        } else {
            let half_of_row = self.half_step(extreme.first, row);
            let half = self.half_step(extreme.first, extreme.last);
            [half - half_of_row - half_of_row, 0.0]
        };
        let units = self.units;
        let x = match (self.x, units.zero_of_x) {
            (Some(x), Some(zero)) => x.values[row].minus(X::of_integer(zero)) + offset,
            (Some(_), None) => offset,
            (None, _) => (self.rows_of_group + row) as f64 + offset,
        };
        let y = self.y.values[row].minus(Y::of_integer(units.zero)) + height;
        let kind = if extreme.is_max { 0.0 } else { 1.0 };
        [kind, units.scales[1].apply(x), units.scales[2].apply(y)]
    }

    /// Half of the step from a row to a later one.
    fn half_step(&self, from: usize, to: usize) -> f64 {
        match self.x {
            Some(x) => x.values[to].half_minus(x.values[from]),
            None => 0.5 * (to - from) as f64,
        }
    }

    /// Runs of at least three rows without a null or a NaN, whose x is strictly monotonic. A row at which x turns ends a
    /// run and begins another.
    fn runs(&self) -> Vec<Range<usize>> {
        let rows = self.y.values.len();
        let mut runs = Vec::new();
        let (mut start, mut way) = (0, None);
        let mut push = |run: Range<usize>| {
            if run.len() > 2 {
                runs.push(run);
            }
        };
        for row in 1..rows {
            let step = self.step_to(row);
            if step.is_none() || (way.is_some() && way != step) {
                push(start..row);
                start = if step.is_none() { row } else { row - 1 };
            }
            way = step;
        }
        push(start..rows);
        runs
    }

    /// Whether x rises or falls to a row from the one before; `None` if one of them is unknown, or x repeats.
    fn step_to(&self, row: usize) -> Option<Ordering> {
        let before = row - 1;
        let is_known = |row: usize| {
            let y = self.y.values[row];
            // What is infinite has no remainder.
            self.is_valid(row) && !y.is_nan() && (self.units.period.is_none() || y.zero_unless_finite() == 0.0)
        };
        if !is_known(before) || !is_known(row) {
            return None;
        }
        let Some(x) = self.x else {
            return Some(Ordering::Less);
        };
        let step = &x.values[before..=row];
        step[0].partial_cmp(&step[1]).filter(|_| is_monotonic(step))
    }
}

/// An error if an x is not finite and strictly monotonic among three adjacent rows.
fn check<X: Sample>(x: Slice<'_, X>) -> Result<(), RowError> {
    for row in 1..x.values.len().saturating_sub(1) {
        let window = row - 1..row + 2;
        let is_valid = window.clone().all(|row| x.get(row).is_some());
        if is_valid && !is_monotonic(&x.values[window]) {
            let reason = Reason::Unsorted { first: -1, rows: 3 };
            return Err(RowError { row, reason });
        }
    }
    Ok(())
}
