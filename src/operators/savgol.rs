//! `savgol`: the derivative of a polynomial fitted to the rows around each row (Savitzky and Golay 1964), on any x.
//!
//! ```text
//! window    of rows: as many before as after the row; where an end is nearer, the first or last full window
//!           of a length of x: the rows whose x is within half of it
//! result    the derivative at the row of the polynomial of least squares through the window; null if a row is null, or
//!           if they are fewer than `min_samples`
//! ```
//!
//! The fits are in [`kernel::polynomial`](crate::kernel). Full windows of evenly spaced rows have the same weights each
//! time, which are in [`kernel::polynomial::gram`](crate::kernel).

use std::ops::Range;
use std::sync::Arc;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::rolling_slope::{Nulls, not_finite};
use super::{Columns, Describe, Extent, Measure, Output, Reason, RowError, Scan, Segment, SigmaUse, WindowSize};
use crate::domain::Length;
use crate::kernel::differences::{Column, Even, Periodic, Rises};
use crate::kernel::polynomial::gram::Filter;
use crate::kernel::polynomial::{self, Errors, Fitter, MAX_DEGREE, Memory, Model, Window};
use crate::kernel::{Limit, Sample, Scale, angles, is_monotonic};
use crate::segments::Slice;
use crate::units::{PlanError, Units};

/// The derivative of a polynomial fitted to the rows around each row, or its value: a Savitzky–Golay filter.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use polars_grad::{Edges, Savgol, Weights, WindowSize};
///
/// let slope = Savgol::new(WindowSize::Rows(21), 2)?;
/// let acceleration = Savgol::new(WindowSize::Rows(21), 3)?.order(2)?.edges(Edges::Null);
/// let smooth = Savgol::new(Duration::from_secs(300), 2)?.order(0)?.weights(Weights::Tricube);
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(try_from = "Unchecked", into = "Unchecked")
)]
pub struct Savgol {
    options: Options,
    /// Half of the window in the numbers of x, once these are known.
    half: Option<Limit>,
    /// The weights of full windows, once rows are known to be evenly spaced.
    filter: Option<Arc<Filter>>,
}

/// The options, which are stored as they are.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(default, deny_unknown_fields)
)]
struct Options {
    window_size: WindowSize,
    degree: usize,
    order: usize,
    min_samples: Option<usize>,
    edges: Edges,
    weights: Weights,
    sigma: Option<Length>,
    with_error: bool,
}

#[cfg(feature = "serde")]
use Options as Unchecked;

/// What rows get whose window passes an end of the segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Edges {
    /// The polynomial of the nearest full window; of a window of a length, that of the rows that are there.
    #[default]
    Fit,
    /// Null.
    Null,
}

/// The weights of the rows of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Weights {
    /// All the same.
    #[default]
    Uniform,
    /// `(1 - d³)³`, where `d` is the distance from the row: 1 at half a length; in a window of rows, one step, on the
    /// average, beyond the furthest row.
    Tricube,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window_size: WindowSize::Rows(5),
            degree: 2,
            order: 1,
            min_samples: None,
            edges: Edges::Fit,
            weights: Weights::Uniform,
            sigma: None,
            with_error: false,
        }
    }
}

impl TryFrom<Options> for Savgol {
    type Error = String;

    fn try_from(options: Options) -> Result<Self, String> {
        let Options { degree, order, .. } = options;
        if !(1..=MAX_DEGREE).contains(&degree) {
            return Err(format!("`degree` must be from 1 to {MAX_DEGREE}, got {degree}"));
        }
        if order > degree {
            return Err(format!(
                "`order` must be from 0 to `degree`, which is {degree}, got {order}"
            ));
        }
        let fewest = degree + 1;
        match (options.window_size, options.min_samples) {
            (WindowSize::Rows(rows), _) if rows % 2 == 0 => {
                let (below, above) = (rows.saturating_sub(1), rows + 1);
                return Err(format!(
                    "`window_size` must be odd, got {rows}; take {below} or {above}"
                ));
            },
            (WindowSize::Rows(rows), _) if rows <= degree => {
                return Err(format!(
                    "`window_size` must be more rows than `degree`, which is {degree}, got {rows}"
                ));
            },
            (WindowSize::Rows(most), Some(rows)) if rows < fewest || rows > most => {
                return Err(format!(
                    "`min_samples` must be from {fewest}, one more than `degree`, to the {most} rows of the window, got {rows}"
                ));
            },
            (WindowSize::Length(_), Some(rows)) if rows < fewest => {
                return Err(format!(
                    "`min_samples` must be at least {fewest}, one more than `degree`, got {rows}"
                ));
            },
            _ => {},
        }
        Ok(Self {
            options,
            half: None,
            filter: None,
        })
    }
}

impl From<Savgol> for Options {
    fn from(operator: Savgol) -> Self {
        operator.options
    }
}

impl Savgol {
    /// The first derivative of a polynomial of some degree, from 1 to 6.
    ///
    /// # Errors
    ///
    /// Another degree, or a window of an even number of rows or of at most as many as the degree.
    pub fn new(window: impl Into<WindowSize>, degree: usize) -> Result<Self, String> {
        Options {
            window_size: window.into(),
            degree,
            ..Options::default()
        }
        .try_into()
    }

    /// The order of the derivative: 0 is the smoothed value.
    ///
    /// # Errors
    ///
    /// More than the degree.
    pub fn order(self, order: usize) -> Result<Self, String> {
        Options { order, ..self.options }.try_into()
    }

    /// The fewest rows of a window that has a result: by default all rows of one of rows, and one more than the degree of
    /// one of a length.
    ///
    /// # Errors
    ///
    /// At most as many as the degree, or more than the window has.
    pub fn min_samples(self, rows: usize) -> Result<Self, String> {
        let min_samples = Some(rows);
        Options {
            min_samples,
            ..self.options
        }
        .try_into()
    }

    /// What rows get whose window passes an end.
    #[must_use]
    pub fn edges(mut self, edges: Edges) -> Self {
        self.options.edges = edges;
        self
    }

    /// The weights of the rows of a window.
    #[must_use]
    pub fn weights(mut self, weights: Weights) -> Self {
        self.options.weights = weights;
        self
    }

    /// The standard deviation of y, for the standard error: in the unit of y.
    #[must_use]
    pub fn sigma(mut self, sigma: impl Into<Length>) -> Self {
        self.options.sigma = Some(sigma.into());
        self
    }

    /// Whether the result has the standard error as well: a struct of `value` and `stderr`.
    #[must_use]
    pub fn with_error(mut self, with_error: bool) -> Self {
        self.options.with_error = with_error;
        self
    }

    fn fewest(&self) -> usize {
        self.options.min_samples.unwrap_or(match self.options.window_size {
            WindowSize::Rows(rows) => rows,
            WindowSize::Length(_) => self.options.degree + 1,
        })
    }
}

impl Describe for Savgol {
    fn extent(&self) -> Extent {
        match (self.options.window_size, self.options.edges) {
            // A row at an end reads the nearest full window.
            (WindowSize::Rows(rows), Edges::Fit) => Extent::rows(rows - 1, rows - 1),
            (WindowSize::Rows(rows), Edges::Null) => Extent::rows(rows / 2, rows / 2),
            (WindowSize::Length(length), _) => Extent::Lengths {
                before: length,
                after: length,
            },
        }
    }

    fn outputs(&self) -> Vec<Output> {
        let order = self.options.order;
        let measure = match order {
            0 => Measure::Value,
            order => Measure::PerX(order as i32),
        };
        let value = Output {
            measure,
            ..Output::per_x(order as i32)
        };
        if self.options.with_error {
            vec![
                Output { name: "value", ..value },
                Output {
                    name: "stderr",
                    ..Output::per_x(order as i32)
                },
            ]
        } else {
            vec![value]
        }
    }

    fn needs_rising_x(&self) -> bool {
        matches!(self.options.window_size, WindowSize::Length(_))
    }

    fn takes_x_period(&self) -> bool {
        // Where x goes round, no window passes an end.
        self.options.edges == Edges::Fit
    }

    fn uses_sigma(&self) -> Result<SigmaUse, &'static str> {
        match self.options.sigma {
            Some(_) => Err("has a `sigma` for all rows"),
            None => Ok(SigmaUse::Weights),
        }
    }

    fn resolved(&self, units: &Units) -> Result<Self, PlanError> {
        let Options {
            degree, order, weights, ..
        } = self.options;
        let mut resolved = self.clone();
        let sigma = self.options.sigma.map(|sigma| units.of_y("sigma", sigma)).transpose()?;
        resolved.options.sigma = sigma.map(Length::Step);
        match self.options.window_size {
            WindowSize::Length(length) => {
                let whole = units.of_x("window_size", length)?;
                resolved.half = Some(Limit {
                    float: whole.float / 2.0,
                    integer: whole.integer / 2,
                });
            },
            WindowSize::Rows(rows) if !units.has_x() && weights == Weights::Uniform => {
                resolved.filter = Some(Arc::new(Filter::new(rows / 2, degree, order)));
            },
            WindowSize::Rows(_) => {},
        }
        Ok(resolved)
    }
}

impl Scan for Savgol {
    fn evaluate_segment<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<f64>,
    ) -> Result<(), RowError> {
        let scales = &segment.units.scales;
        let is_level = self.options.order == 0;
        // A smoothed value is the sum of the row's own and of what the fit adds.
        let fit_scales = if is_level {
            [Scale::ONE, *scales.last().unwrap_or(&Scale::ONE)]
        } else {
            [scales[0], *scales.last().unwrap_or(&Scale::ONE)]
        };
        let zero = Y::of_integer(segment.units.zero);
        self.for_each_tile(segment, fit_scales, is_level.then_some(zero), |tile| {
            if is_level {
                for (value, row) in tile.values.iter_mut().zip(tile.first..) {
                    *value = scales[0].apply(segment.y.values[row].minus(zero) + *value);
                }
            }
            results.extend(&[(&tile.values, &tile.valid), (&tile.errors, &tile.have_errors)]);
        })
    }

    fn evaluate_exactly<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<i128>,
    ) -> Result<(), RowError> {
        let scales = &segment.units.scales;
        let fit_scales = [Scale::ONE, *scales.last().unwrap_or(&Scale::ONE)];
        // Means of points have a fraction.
        let parts = scales[0].denominator as i128;
        // The level is exact.
        self.for_each_tile(segment, fit_scales, None, |tile| {
            for (place, row) in (tile.first..tile.first + tile.values.len()).enumerate() {
                let own = segment.y.values[row].to_integer();
                let value = rounded(own, tile.values[place], parts).filter(|_| tile.valid[place]);
                let error = tile.errors.get(place).filter(|_| tile.have_errors[place]);
                results.push(&[value, error.map(|error| error.round_ties_even() as i128)]);
            }
        })
    }
}

/// `(own + change) / parts` as a whole number, half to even; `None` if the change is not finite.
fn rounded(own: i128, change: f64, parts: i128) -> Option<i128> {
    let whole = change.floor();
    if !whole.is_finite() {
        return None;
    }
    let sum = own.checked_add(whole as i128)?;
    let quotient = sum.div_euclid(parts);
    let rest = sum.rem_euclid(parts) as f64 + (change - whole);
    let half = 0.5 * parts as f64;
    let goes_up = rest > half || (rest == half && quotient % 2 != 0);
    Some(quotient + i128::from(goes_up))
}

/// The results of some rows.
struct Tile {
    first: usize,
    values: Vec<f64>,
    valid: Vec<bool>,
    /// Empty unless errors are asked for, like `have_errors`.
    errors: Vec<f64>,
    have_errors: Vec<bool>,
}

impl Savgol {
    /// Visits the results of all rows of a segment, in the scales of the value and of its error. `zero` is the y that means
    /// zero where results are rounded together with the y of their rows.
    fn for_each_tile<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        scales: [Scale; 2],
        zero: Option<Y>,
        visit: impl FnMut(&mut Tile),
    ) -> Result<(), RowError> {
        let windows = Windows::new(self, segment, zero)?;
        let y = segment.y.values;
        let Some(period) = segment.units.period else {
            return self.evaluate_over(segment, windows, &Column::new(y), scales, visit);
        };
        let angles = angles(y, period);
        self.evaluate_over(segment, windows, &Periodic::new(&angles, period), scales, visit)
    }

    fn evaluate_over<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        windows: Windows<'_, Y, X>,
        y: &impl Rises,
        scales: [Scale; 2],
        visit: impl FnMut(&mut Tile),
    ) -> Result<(), RowError> {
        match segment.x {
            Some(x) => self.evaluate(segment, windows, y, &Column::new(x.values), scales, visit),
            None => self.evaluate(segment, windows, y, &Even, scales, visit),
        }
    }

    fn evaluate<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        mut windows: Windows<'_, Y, X>,
        y: &impl Rises,
        x: &impl Rises,
        scales: [Scale; 2],
        mut visit: impl FnMut(&mut Tile),
    ) -> Result<(), RowError> {
        /// Rows whose results fit into the first-level cache.
        const ROWS: usize = 1_024;
        let mut fitter = Fitter {
            y,
            x,
            sigma: segment.sigma,
            model: self.model(segment.sigma.is_some()),
            scales,
            memory: Memory::default(),
        };
        let with_error = self.options.with_error;
        let rows = segment.rows.clone();
        // Rows in the middle of a full window of evenly spaced rows.
        let full = match (&self.filter, self.options.window_size) {
            (Some(_), WindowSize::Rows(size)) if segment.y.values.len() >= size && segment.sigma.is_none() => {
                size / 2..segment.y.values.len() - size / 2
            },
            _ => 0..0,
        };
        let mut fits = Vec::new();
        for first in rows.clone().step_by(ROWS) {
            let tile_rows = first..rows.end.min(first + ROWS);
            let count = tile_rows.len();
            let mut tile = Tile {
                first,
                values: vec![0.0; count],
                valid: vec![false; count],
                errors: vec![0.0; if with_error { count } else { 0 }],
                have_errors: vec![false; if with_error { count } else { 0 }],
            };
            fits.clear();
            let filtered = full.start.clamp(first, tile_rows.end)..full.end.clamp(first, tile_rows.end);
            let is_simple = windows.nulls.is_empty() && !with_error;
            if is_simple {
                tile.valid[filtered.start - first..filtered.end - first].fill(true);
            }
            let skipped = if is_simple { filtered.clone() } else { first..first };
            for row in (first..skipped.start).chain(skipped.end..tile_rows.end) {
                let Some(window) = windows.next(row)? else { continue };
                tile.valid[row - first] = true;
                if with_error {
                    let has_residual = window.len() > self.options.degree + 1;
                    tile.have_errors[row - first] =
                        has_residual || self.options.sigma.is_some() || segment.sigma.is_some();
                }
                if with_error || !full.contains(&row) {
                    let level = windows.level(row);
                    fits.push(Window {
                        row,
                        rows: window,
                        level,
                    });
                }
            }
            let (mut values, mut errors) = (
                vec![0.0; fits.len()],
                vec![0.0; if with_error { fits.len() } else { 0 }],
            );
            fitter.fit(&fits, &mut values, &mut errors);
            for (index, window) in fits.iter().enumerate() {
                tile.values[window.row - first] = values[index];
                if with_error {
                    tile.errors[window.row - first] = errors[index];
                }
            }
            if let Some(filter) = &self.filter {
                let values = &mut tile.values[filtered.start - first..filtered.end - first];
                filter.apply(y, filtered.start, scales[0], values);
            }
            visit(&mut tile);
        }
        Ok(())
    }

    fn model(&self, has_deviations: bool) -> Model {
        let Options {
            degree,
            order,
            weights,
            sigma,
            with_error,
            ..
        } = self.options;
        Model {
            degree,
            order,
            weights: match (weights, self.half) {
                (Weights::Uniform, _) => polynomial::Weights::Uniform,
                (Weights::Tricube, None) => polynomial::Weights::TricubeOfRows,
                (Weights::Tricube, Some(half)) => polynomial::Weights::TricubeOfLength(half.float),
            },
            errors: match sigma {
                _ if !with_error => Errors::None,
                _ if has_deviations => Errors::Deviations,
                Some(Length::Step(sigma)) => Errors::Sigma(sigma),
                _ => Errors::Residuals,
            },
        }
    }
}

/// The windows of the rows of a segment.
struct Windows<'a, Y, X> {
    operator: &'a Savgol,
    segment: &'a Segment<'a, Y, X>,
    nulls: Nulls,
    order: Order,
    zero: Option<Y>,
    /// The rows around the last one whose x is within half a length.
    around: Option<Range<usize>>,
}

impl<'a, Y: Sample, X: Sample> Windows<'a, Y, X> {
    fn new(operator: &'a Savgol, segment: &'a Segment<'a, Y, X>, zero: Option<Y>) -> Result<Self, RowError> {
        let Segment { x, rows, .. } = segment;
        let length = segment.y.values.len();
        let order = match (x, operator.options.window_size) {
            (None, _) => Order::Sorted,
            (Some(x), WindowSize::Rows(size)) => {
                let read = rows.start.saturating_sub(size)..length.min(rows.end + size);
                if x.validity.is_none() && is_monotonic(&x.values[read]) {
                    Order::Sorted
                } else {
                    Order::of_steps(*x)
                }
            },
            (Some(x), WindowSize::Length(_)) => {
                if segment.strict {
                    check_rising(*x, rows)?;
                }
                let rises = x.values.first() <= x.values.last();
                if x.validity.is_none() && rises && is_monotonic(x.values) {
                    Order::Sorted
                } else {
                    Order::of_runs(*x)
                }
            },
        };
        Ok(Self {
            operator,
            segment,
            nulls: Nulls::new(segment),
            order,
            zero,
            around: None,
        })
    }

    /// The size of the y of a row that its result is rounded with.
    fn level(&self, row: usize) -> f64 {
        let level = |zero| self.segment.y.values[row].minus(zero).abs();
        self.zero.map_or(0.0, level)
    }

    /// The window of a row; `None` if it has no result. Rows must be asked for in their order.
    fn next(&mut self, row: usize) -> Result<Option<Range<usize>>, RowError> {
        let window = match (self.operator.options.window_size, self.operator.half, self.segment.x) {
            (WindowSize::Rows(size), ..) => self.of_rows(size, row)?,
            (WindowSize::Length(_), Some(half), Some(x)) => self.of_length(x, half, row),
            (WindowSize::Length(_), ..) => None,
        };
        Ok(window.filter(|window| window.len() >= self.operator.fewest() && !self.nulls.is_in(window)))
    }

    /// The window of a row, which is the same for rows near an end.
    fn of_rows(&self, size: usize, row: usize) -> Result<Option<Range<usize>>, RowError> {
        let rows = self.segment.y.values.len();
        let half = size / 2;
        let passes_an_end = row < half || row + half >= rows;
        if passes_an_end && self.operator.options.edges == Edges::Null {
            return Ok(None);
        }
        let start = row.saturating_sub(half).min(rows.saturating_sub(size));
        let window = start..rows.min(start + size);
        if window.len() < self.operator.fewest() {
            return Ok(None);
        }
        let Some(wrong) = self.order.wrong_row(&window) else {
            return Ok(Some(window));
        };
        let has_null = self
            .segment
            .x
            .is_some_and(|x| window.clone().any(|row| x.get(row).is_none()));
        if has_null || !self.segment.strict {
            return Ok(None);
        }
        let reason = Reason::Unsorted {
            first: window.start as isize - row as isize,
            rows: wrong + 1 - window.start,
        };
        Err(RowError { row, reason })
    }

    /// The rows whose x is within half a length.
    fn of_length(&mut self, x: Slice<'_, X>, half: Limit, row: usize) -> Option<Range<usize>> {
        let own = x.get(row).filter(|own| own.zero_unless_finite() == 0.0)?;
        let run = self.order.run(row, x.values.len());
        let Options { edges, weights, .. } = self.operator.options;
        let is_within = |row: usize| {
            let other = x.get(row)?;
            // The weight of a tricube is zero at half a length, which is no row of the window.
            let is_outside = match weights {
                Weights::Uniform => own.is_beyond(other, half),
                Weights::Tricube => own.reaches(other, half),
            };
            Some(!is_outside)
        };
        let Range { mut start, mut end } = self.around.take().unwrap_or_else(|| {
            let before = (run.start..row).rev().take_while(|&row| is_within(row) != Some(false));
            row - before.count()..row + 1
        });
        start = start.max(run.start);
        while is_within(start) != Some(true) {
            start += 1;
        }
        end = end.max(row + 1);
        while end < run.end && is_within(end) != Some(false) {
            end += 1;
        }
        self.around = Some(start..end);
        if edges == Edges::Null {
            // By the ends of the run, since batches hold no more of the segment.
            let is_known = |row: &usize| x.get(*row).is_some();
            let ends = [run.clone().find(is_known), run.clone().rev().find(is_known)];
            let is_near = |end: usize| x.get(end).is_some_and(|end| !own.reaches(end, half));
            if ends.into_iter().flatten().any(is_near) {
                return None;
            }
        }
        // Where x is out of order, the rows beyond may be within the length.
        let nothing_before = (run.start..start).rev().all(|row| x.get(row).is_none());
        if (nothing_before && run.start > 0) || (end == run.end && run.end < x.values.len()) {
            return None;
        }
        let last = (start..end).rev().find(|&row| x.get(row).is_some())?;
        Some(start..last + 1)
    }
}

/// Checks that x is finite and rises up to each of some rows, without those that are null.
fn check_rising<X: Sample>(x: Slice<'_, X>, rows: &Range<usize>) -> Result<(), RowError> {
    let known = |row: &usize| x.get(*row).is_some();
    let mut previous = (0..rows.start).rev().find(known);
    for row in rows.clone().filter(known) {
        if x.values[row].zero_unless_finite() != 0.0 {
            return Err(not_finite(row));
        }
        if let Some(before) = previous
            && x.values[before].zero_unless_finite() == 0.0
            && x.values[row] <= x.values[before]
        {
            let reason = Reason::Unsorted {
                first: before as isize - row as isize,
                rows: row + 1 - before,
            };
            return Err(RowError { row, reason });
        }
        previous = Some(row);
    }
    Ok(())
}

/// Where x is in order.
enum Order {
    /// Everywhere.
    Sorted,
    /// For each row, the first row from which x rises, and falls, up to it: beyond the row where it is not finite.
    Steps { rising: Vec<usize>, falling: Vec<usize> },
    /// Where rising runs begin. A row that is not finite is a run of its own, and a null belongs to the run before.
    Runs(Vec<usize>),
}

impl Order {
    fn of_steps<X: Sample>(x: Slice<'_, X>) -> Self {
        let (mut rising, mut falling): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for row in 0..x.values.len() {
            let before = row
                .checked_sub(1)
                .and_then(|before| x.get(before))
                .zip(rising.last().zip(falling.last()));
            let [up, down] = match (x.get(row), before) {
                (Some(own), _) if own.zero_unless_finite() != 0.0 => [row + 1; 2],
                (Some(own), Some((before, (&up, &down)))) => [
                    if own > before { up } else { row },
                    if own < before { down } else { row },
                ],
                _ => [row; 2],
            };
            rising.push(up);
            falling.push(down);
        }
        Self::Steps { rising, falling }
    }

    fn of_runs<X: Sample>(x: Slice<'_, X>) -> Self {
        let mut starts = vec![0];
        let mut previous: Option<X> = None;
        for row in 0..x.values.len() {
            let Some(own) = x.get(row) else { continue };
            if own.zero_unless_finite() == 0.0 {
                if previous.is_some_and(|before| own <= before) {
                    starts.push(row);
                }
                previous = Some(own);
            } else {
                starts.extend([row, row + 1]);
                previous = None;
            }
        }
        Self::Runs(starts)
    }

    /// The first row of a window at which x is not strictly monotonic up to it.
    fn wrong_row(&self, window: &Range<usize>) -> Option<usize> {
        let Self::Steps { rising, falling } = self else {
            return None;
        };
        let is_wrong = |row: &usize| rising[*row] > window.start && falling[*row] > window.start;
        if is_wrong(&(window.end - 1)) {
            window.clone().find(is_wrong)
        } else {
            None
        }
    }

    /// The rising run of a row, of some rows.
    fn run(&self, row: usize, rows: usize) -> Range<usize> {
        let Self::Runs(starts) = self else { return 0..rows };
        let next = starts.partition_point(|&start| start <= row);
        let end = starts.get(next).copied().unwrap_or(rows);
        starts[next - 1]..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_options_are_errors() {
        let of_rows = |rows, degree| Savgol::new(WindowSize::Rows(rows), degree);
        for (result, message) in [
            (of_rows(4, 2), "`window_size` must be odd, got 4; take 3 or 5"),
            (
                of_rows(3, 3),
                "`window_size` must be more rows than `degree`, which is 3, got 3",
            ),
            (of_rows(9, 7), "`degree` must be from 1 to 6, got 7"),
            (of_rows(9, 0), "`degree` must be from 1 to 6, got 0"),
            (
                of_rows(9, 2).and_then(|savgol| savgol.order(3)),
                "`order` must be from 0 to `degree`, which is 2, got 3",
            ),
            (
                of_rows(9, 2).and_then(|savgol| savgol.min_samples(10)),
                "`min_samples` must be from 3, one more than `degree`, to the 9 rows of the window, got 10",
            ),
            (
                Savgol::new(2.0, 2).and_then(|savgol| savgol.min_samples(2)),
                "`min_samples` must be at least 3, one more than `degree`, got 2",
            ),
        ] {
            assert_eq!(result.expect_err("wrong"), message);
        }
    }

    #[test]
    fn a_changed_number_is_rounded_half_to_even() {
        for (own, change, parts, expected) in [
            (1, 0.5, 1, Some(2)),
            (2, 0.5, 1, Some(2)),
            (2, -0.5, 1, Some(2)),
            (1, -0.5, 1, Some(0)),
            (-1, 0.4, 1, Some(-1)),
            (1 << 60, 0.75, 1, Some((1 << 60) + 1)),
            // Sixteenths.
            (24, 0.0, 16, Some(2)),
            (23, 0.5, 16, Some(1)),
            (-24, 0.0, 16, Some(-2)),
            (0, f64::NAN, 1, None),
            (0, f64::INFINITY, 1, None),
        ] {
            assert_eq!(rounded(own, change, parts), expected, "{own} + {change} / {parts}");
        }
    }

    #[test]
    fn an_x_out_of_order_is_found_where_a_window_holds_it() {
        let x = [0.0, 1.0, 2.0, 2.0, 1.0, 0.0, f64::NAN, 5.0, 6.0];
        let slice = Slice {
            values: &x,
            validity: None,
        };
        let order = Order::of_steps(slice);
        for (window, wrong) in [
            (0..3, None),
            (0..4, Some(3)),
            (1..4, Some(3)),
            (3..6, None),
            (2..6, Some(3)),
            (4..7, Some(6)),
            (7..9, None),
            (5..6, None),
        ] {
            assert_eq!(order.wrong_row(&window), wrong, "{window:?}");
        }
        let order = Order::of_runs(slice);
        for (row, run) in [(0, 0..3), (2, 0..3), (3, 3..4), (5, 5..6), (6, 6..7), (8, 7..9)] {
            assert_eq!(order.run(row, x.len()), run, "{row}");
        }
    }
}
