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
use crate::bits::{ROWS, set_bits};
use crate::domain::Length;
use crate::kernel::turns::{Extreme, Heights, Turns, Unwrapped, extremes, is_ordered, vertex};
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
        let is_ordered = segment.x.is_none_or(|x| x.validity.is_none() && is_ordered(x.values));
        if let Some(x) = segment.x.filter(|_| segment.strict && !is_ordered) {
            check(x)?;
        }
        let first = results.first().len();
        results.push_nulls(segment.y.values.len());
        match segment.units.period {
            Some(period) => self.mark(segment, &Unwrapped::new(segment.y.values, period), first, results),
            None if is_ordered && self.swing == 0.0 => segment.mark_all(first, results),
            None => self.mark(segment, &segment.y.values, first, results),
        }
        Ok(())
    }
}

impl TurningPoints {
    /// Marks the extremes of a segment whose results begin at `first`.
    fn mark<Y: Sample, X: Sample>(
        self,
        segment: &Segment<'_, Y, X>,
        heights: &impl Heights,
        first: usize,
        results: &mut Columns<f64>,
    ) {
        for run in segment.runs() {
            extremes(heights, run, self.swing, |extreme| {
                results.set(first + extreme.middle(), &segment.event(extreme, heights));
            });
        }
    }
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// Marks every extreme of a segment whose x is in order, 64 rows at a time.
    fn mark_all(&self, first: usize, results: &mut Columns<f64>) {
        let rows = self.y.values.len();
        let (y, x) = (self.y.values, self.x.map(|x| x.values));
        let mut turns = Turns::NONE;
        // The row after the last plateau.
        let mut seen = 0;
        for start in (0..rows).step_by(ROWS) {
            turns.find(y, x, start);
            let turn = (turns.max | turns.min) & self.valid_around(start);
            if turn != 0 {
                let (values, right) = self.events(&turns, start);
                results.set_all(first + start, turn, &values);
                for place in set_bits(turn & !right, ROWS) {
                    self.set(Extreme::at(start + place, turns.max >> place & 1 != 0), first, results);
                }
            }
            for place in set_bits(turns.flat, ROWS.min(rows - start)) {
                let plateau = start + place;
                if plateau > seen {
                    let plateau = self.plateau(plateau - 1);
                    seen = plateau.last + 1;
                    if self.turns(plateau) {
                        self.set(plateau, first, results);
                    }
                }
            }
        }
    }

    /// The plateau that begins at a row.
    fn plateau(&self, first: usize) -> Extreme {
        let y = &self.y.values[first..];
        let width = y.iter().take_while(|&&height| height == y[0]).count();
        let before = first.checked_sub(1).map(|before| self.y.values[before]);
        Extreme {
            first,
            last: first + width - 1,
            is_max: before.is_some_and(|before| before < y[0]),
        }
    }

    /// Whether the rows on both sides of a plateau are lower, or higher.
    fn turns(&self, plateau: Extreme) -> bool {
        let Extreme { first, last, is_max } = plateau;
        let y = self.y.values;
        let (Some(before), Some(after)) = (first.checked_sub(1), y.get(last + 1)) else {
            return false;
        };
        let turns = if is_max {
            after < &y[last]
        } else {
            y[before] > y[first] && after > &y[last]
        };
        turns && (before..=last + 1).all(|row| self.is_valid(row))
    }

    /// Mask of the rows, of 64, that are not null and have neighbours that are not.
    fn valid_around(&self, start: usize) -> u64 {
        let Some(valid) = self.y.validity else {
            return u64::MAX;
        };
        let own = valid.word(start);
        let bit = |row: usize| u64::from(row < self.y.values.len() && valid.get(row));
        let before = own << 1 | start.checked_sub(1).map_or(0, bit);
        let after = own >> 1 | bit(start + ROWS) << (ROWS - 1);
        own & before & after
    }

    fn set(&self, extreme: Extreme, first: usize, results: &mut Columns<f64>) {
        results.set(first + extreme.middle(), &self.event(extreme, &self.y.values));
    }

    /// The kinds, the x and the y of 64 rows that turn, and a mask of those that are right.
    fn events(&self, turns: &Turns, start: usize) -> ([[f64; ROWS]; 3], u64) {
        let mut kinds = [0.0; ROWS];
        let mut right = turns.usual;
        let [mut x, mut y] = [turns.x, turns.y];
        let rows = ROWS.min(self.y.values.len() - start);
        let units = self.units;
        let zero = Y::of_integer(units.zero);
        for (place, &own) in self.y.values[start..start + rows].iter().enumerate() {
            y[place] = own.minus(zero) + y[place];
            kinds[place] = f64::from(turns.min >> place & 1 != 0);
        }
        match (self.x, units.zero_of_x) {
            (Some(values), Some(zero)) => {
                let zero = X::of_integer(zero);
                for (place, &own) in values.values[start..start + rows].iter().enumerate() {
                    x[place] = own.minus(zero) + x[place];
                }
            },
            (Some(_), None) => {},
            (None, _) => {
                for (row, x) in (self.rows_of_group + start..).zip(&mut x) {
                    *x = row as f64 + *x;
                }
            },
        }
        right &= units.scales[1].apply_all(&mut x) & units.scales[2].apply_all(&mut y);
        ([kinds, x, y], right)
    }

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
