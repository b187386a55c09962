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
#[cfg(any(feature = "polars", feature = "arrow"))]
use crate::kernel::turns::cut;
use crate::kernel::turns::{
    Extreme, Heights, Origin, OriginOfX, Plateaus, Steps, Swings, Unwrapped, Vertices, extremes, is_ordered, vertex,
};
use crate::kernel::{Sample, angles, is_monotonic};
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
        let is_ordered = segment.is_ordered(segment.around());
        if let Some(x) = segment.x.filter(|_| segment.strict && !is_ordered) {
            check(x, segment.rows.clone())?;
        }
        if segment.units.period.is_none() && is_ordered {
            if self.swing == 0.0 {
                segment.mark_all(results);
            } else {
                segment.mark_swings(self.swing, results);
            }
            return Ok(());
        }
        let first = results.first().len();
        results.push_nulls(segment.rows.len());
        let y = segment.y.values;
        match segment.units.period {
            Some(period) => {
                let angles = angles(y, period);
                self.mark(segment, &Unwrapped::new(&angles, period), first, results);
            },
            None => self.mark(segment, &y, first, results),
        }
        Ok(())
    }

    #[cfg(any(feature = "polars", feature = "arrow"))]
    fn cut<Y: Sample, X: Sample>(&self, segment: &Segment<'_, Y, X>) -> Option<usize> {
        let Segment { y, rows, units, .. } = segment;
        // Where x turns a curve ends. Angles are added up along the curve.
        if units.period.is_some() || !segment.is_ordered(rows.clone()) {
            return None;
        }
        cut(y.values, y.validity, rows.clone(), self.swing)
    }
}

impl TurningPoints {
    /// Marks the extremes of some rows of a segment, whose results begin at `first`.
    fn mark<Y: Sample, X: Sample>(
        self,
        segment: &Segment<'_, Y, X>,
        heights: &impl Heights,
        first: usize,
        results: &mut Columns<f64>,
    ) {
        for run in segment.runs(segment.around()) {
            let is_cut = run.start < segment.rows.start;
            extremes(heights, run, is_cut, self.swing, |extreme| {
                segment.set(extreme, heights, first, results);
            });
        }
    }
}

impl<Y: Sample, X: Sample> Segment<'_, Y, X> {
    /// The rows to be evaluated and those beside them.
    fn around(&self) -> Range<usize> {
        self.rows.start.saturating_sub(1)..self.y.values.len().min(self.rows.end + 1)
    }

    /// Whether no x of some rows is null, and all are in order.
    fn is_ordered(&self, rows: Range<usize>) -> bool {
        self.x
            .is_none_or(|x| x.validity.is_none() && is_ordered(&x.values[rows]))
    }

    /// Appends the results of some rows of a segment whose x is in order, with every extreme.
    fn mark_all(&self, results: &mut Columns<f64>) {
        /// With so many turns in 64 rows, the vertices of all of them take less time.
        const MANY: u32 = 6;
        let (first, y) = (results.first().len(), self.y.values);
        let mut plateaus = Plateaus::default();
        let mut vertices = Vertices::NONE;
        let mut one_by_one: Vec<Extreme> = Vec::new();
        self.for_each_block(|block, steps| {
            let mut nulls = 0;
            for Word {
                start,
                rows,
                turns,
                steps,
                ..
            } in self.words(block, steps)
            {
                let [max, min] = turns;
                if (max | min).count_ones() < MANY {
                    one_by_one.extend(extremes_at(start, max | min, max));
                    nulls += rows;
                } else {
                    results.push_nulls(std::mem::take(&mut nulls));
                    let right = self.vertices(start, turns, &mut vertices);
                    results.push_worded(rows, max | min, &vertices.is_min, &vertices.places);
                    one_by_one.extend(extremes_at(start, (max | min) & !right, max));
                }
                plateaus.follow(start, steps[0], |plateau| {
                    if plateau.first < self.rows.end {
                        one_by_one.push(plateau);
                    }
                });
            }
            results.push_nulls(nulls);
            for extreme in one_by_one.drain(..) {
                self.set(extreme, &y, first, results);
            }
        });
    }

    /// The same with the extremes that the curve leaves by a swing.
    fn mark_swings(&self, min_swing: f64, results: &mut Columns<f64>) {
        let (first, y) = (results.first().len(), self.y.values);
        let mut swings = if self.rows.start > 0 {
            Swings::behind_cut(min_swing, &y, self.rows.start)
        } else {
            Swings::new(min_swing)
        };
        let mut plateaus = Plateaus::default();
        let mut left: Vec<Extreme> = Vec::new();
        self.for_each_block(|block, steps| {
            for word in self.words(block, steps) {
                results.push_nulls(word.rows);
                plateaus.follow(word.start, word.steps[0], |plateau| {
                    if plateau.first < self.rows.end {
                        left.push(plateau);
                    }
                });
                swings.follow(&y, (word.start, word.mask), word.steps, word.turns, &left, |extreme| {
                    self.set(extreme, &y, first, results);
                });
                left.clear();
            }
        });
        if self.rows.end < y.len() {
            swings.end(&y, self.rows.end, |extreme| self.set(extreme, &y, first, results));
        }
    }

    /// Visits the rows to be evaluated in blocks: the first row, and the steps to the rows and to the 64 rows after them.
    fn for_each_block(&self, mut visit: impl FnMut(usize, &[Steps])) {
        /// Words of rows whose results fit into the first-level cache.
        const WORDS: usize = 32;
        // How a plateau at the end goes on is seen in the row after it.
        let seen = self.y.values.len().min(self.rows.end + 1);
        let mut steps = [Steps::default(); WORDS + 1];
        for block in (self.rows.start..seen).step_by(WORDS * ROWS) {
            let words = WORDS.min((seen - block).div_ceil(ROWS));
            // The last rows of a word turn by the steps to the rows after it.
            let steps = &mut steps[..=words];
            self.find_steps(block, steps);
            visit(block, steps);
        }
    }

    /// The words of a block.
    fn words<'a>(&'a self, block: usize, steps: &'a [Steps]) -> impl Iterator<Item = Word> + 'a {
        (block..).step_by(ROWS).zip(steps.windows(2)).map(|(start, pair)| {
            let rows = ROWS.min(self.rows.end - start);
            let mask = u64::MAX.checked_shr((ROWS - rows) as u32).unwrap_or_default();
            let steps = [pair[0], pair[1]];
            Word {
                start,
                rows,
                mask,
                steps,
                turns: steps[0].turns(steps[1]).map(|turns| turns & mask),
            }
        })
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
        let row = first + extreme.middle() - self.rows.start;
        results.set_worded(row, word, &self.vertex(extreme, heights));
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

    /// Runs of at least three of some rows without a null or a NaN, whose x is strictly monotonic. A row at which x turns
    /// ends a run and begins another.
    fn runs(&self, rows: Range<usize>) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let (mut start, mut way) = (rows.start, None);
        let mut push = |run: Range<usize>| {
            if run.len() > 2 {
                runs.push(run);
            }
        };
        for row in rows.start + 1..rows.end {
            let step = self.step_to(row);
            if step.is_none() || (way.is_some() && way != step) {
                push(start..row);
                start = if step.is_none() { row } else { row - 1 };
            }
            way = step;
        }
        push(start..rows.end);
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

/// At most 64 rows of a segment.
struct Word {
    start: usize,
    /// The number of rows to be evaluated, and their mask.
    rows: usize,
    mask: u64,
    /// The steps to 64 rows, and to the 64 rows after them.
    steps: [Steps; 2],
    /// Masks of the maxima and the minima of their own height.
    turns: [u64; 2],
}

/// The rows of a mask of 64 rows, which are maxima if they are in `max`.
fn extremes_at(start: usize, rows: u64, max: u64) -> impl Iterator<Item = Extreme> {
    set_bits(rows, ROWS).map(move |place| Extreme::at(start + place, max >> place & 1 != 0))
}

/// An error if the x of one of some rows and the rows beside it are not finite and strictly monotonic.
fn check<X: Sample>(x: Slice<'_, X>, rows: Range<usize>) -> Result<(), RowError> {
    for row in rows.start.max(1)..rows.end.min(x.values.len().saturating_sub(1)) {
        let window = row - 1..row + 2;
        let is_valid = window.clone().all(|row| x.get(row).is_some());
        if is_valid && !is_monotonic(&x.values[window]) {
            let reason = Reason::Unsorted { first: -1, rows: 3 };
            return Err(RowError { row, reason });
        }
    }
    Ok(())
}
