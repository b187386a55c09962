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
use crate::kernel::turns::{
    Extreme, Heights, Origin, OriginOfX, Plateaus, Steps, Unwrapped, Vertices, extremes, is_ordered, vertex,
};
use crate::kernel::{Sample, is_monotonic};
use crate::segments::Slice;
use crate::units::{PlanError, Units};

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
        if segment.units.period.is_none() && is_ordered && self.swing == 0.0 {
            segment.mark_all(first, results);
            return Ok(());
        }
        results.push_nulls(segment.y.values.len());
        match segment.units.period {
            Some(period) => self.mark(segment, &Unwrapped::new(segment.y.values, period), first, results),
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
                segment.set(extreme, heights, first, results);
            });
        }
    }
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// Appends the results of a segment whose x is in order, with every extreme.
    fn mark_all(&self, first: usize, results: &mut Columns<f64>) {
        /// Words of rows whose results fit into the first-level cache.
        const WORDS: usize = 32;
        /// With so many turns in 64 rows, the vertices of all of them take less time.
        const MANY: u32 = 6;
        let y = self.y.values;
        let mut steps = [Steps::default(); WORDS + 1];
        let mut plateaus = Plateaus::default();
        let mut vertices = Vertices::NONE;
        let mut one_by_one: Vec<Extreme> = Vec::new();
        for block in (0..y.len()).step_by(WORDS * ROWS) {
            let words = WORDS.min((y.len() - block).div_ceil(ROWS));
            // The last rows of a word turn by the steps to the rows after it.
            let steps = &mut steps[..=words];
            self.find_steps(block, steps);
            let mut nulls = 0;
            for (start, pair) in (block..).step_by(ROWS).zip(steps.windows(2)) {
                let rows = ROWS.min(y.len() - start);
                let turns @ [max, min] = pair[0].turns(pair[1]);
                if (max | min).count_ones() < MANY {
                    one_by_one.extend(extremes_at(start, max | min, max));
                    nulls += rows;
                } else {
                    results.push_nulls(std::mem::take(&mut nulls));
                    let right = self.vertices(start, turns, &mut vertices);
                    results.push_worded(rows, max | min, &vertices.is_min, &vertices.places);
                    one_by_one.extend(extremes_at(start, (max | min) & !right, max));
                }
                plateaus.follow(start, pair[0], |plateau| one_by_one.push(plateau));
            }
            results.push_nulls(nulls);
            for extreme in one_by_one.drain(..) {
                self.set(extreme, &y, first, results);
            }
        }
    }

    /// Finds the steps to the rows from `first` on, none beside a null.
    fn find_steps(&self, first: usize, steps: &mut [Steps]) {
        Steps::find(self.y.values, first, steps);
        if let Some(valid) = self.y.validity {
            for (start, steps) in (first..self.y.values.len()).step_by(ROWS).zip(steps) {
                let is_before = start.checked_sub(1).is_some_and(|before| valid.get(before));
                *steps = steps.among(valid.word(start), is_before);
            }
        }
    }

    /// Computes the vertices of the turns among 64 rows, in the units of the results. Returns a mask of those that are
    /// right.
    fn vertices(&self, start: usize, turns: [u64; 2], vertices: &mut Vertices) -> u64 {
        let x = self.x.map(|x| x.values);
        vertices.compute((self.y.values, x), start, turns, self.origin());
        let scaled = self.units.scales.iter().zip(&mut vertices.places);
        scaled.fold(vertices.usual, |right, (scale, values)| right & scale.apply_all(values))
    }

    /// Sets the results of the row in the middle of an extreme.
    fn set(&self, extreme: Extreme, heights: &impl Heights, first: usize, results: &mut Columns<f64>) {
        let word = u8::from(!extreme.is_max);
        results.set_worded(first + extreme.middle(), word, &self.vertex(extreme, heights));
    }

    /// The x and the y of an extreme.
    fn vertex(&self, extreme: Extreme, heights: &impl Heights) -> [f64; 2] {
        let row = extreme.middle();
        let [offset, height] = if extreme.first == extreme.last {
            let rises = [heights.half_rise(row - 1, row), heights.half_rise(row, row + 1)];
            let steps = [self.half_step(row - 1, row), self.half_step(row, row + 1)];
            vertex(rises, steps)
        } else {
            let half_of_row = self.half_step(extreme.first, row);
            let half = self.half_step(extreme.first, extreme.last);
            [half - half_of_row - half_of_row, 0.0]
        };
        let origin = self.origin();
        let x = match (origin.x, self.x) {
            (OriginOfX::Zero(zero), Some(x)) => x.values[row].minus(zero) + offset,
            (OriginOfX::Count(before), _) => before + row as f64 + offset,
            _ => offset,
        };
        let y = self.y.values[row].minus(origin.y) + height;
        [self.units.scales[0].apply(x), self.units.scales[1].apply(y)]
    }

    fn origin(&self) -> Origin<Y, X> {
        let units = self.units;
        Origin {
            y: Y::of_integer(units.zero),
            x: match (self.x, units.zero_of_x) {
                (None, _) => OriginOfX::Count(self.rows_of_group as f64),
                (Some(_), Some(zero)) => OriginOfX::Zero(X::of_integer(zero)),
                (Some(_), None) => OriginOfX::Row,
            },
        }
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

/// The rows of a mask of 64 rows, which are maxima if they are in `max`.
fn extremes_at(start: usize, rows: u64, max: u64) -> impl Iterator<Item = Extreme> {
    set_bits(rows, ROWS).map(move |place| Extreme::at(start + place, max >> place & 1 != 0))
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
