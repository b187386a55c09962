//! `rolling_slope`: the slope of the least-squares line in a moving window.
//!
//! ```text
//! window    of rows: the row and those before it; centred: as many on both sides
//!           of a length of x: the rows whose x is in the length up to that of the row; centred: half of it on both sides
//! slope     that of the line through the rows of the window; null if a row is null, if they are fewer than
//!           `min_samples`, or if all x are equal
//! ```
//!
//! The fit is in [`kernel::line`](crate::kernel); with a column `sigma`, by which a row has the weight 1/sigma², in
//! [`kernel::line::weighted`](crate::kernel).

use std::ops::Range;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Describe, Extent, Output, Reason, RowError, Scan, Segment, SigmaUse};
use crate::domain::Length;
use crate::kernel::differences::{Column, Differences, Even, Periodic};
use crate::kernel::line::{self, Points, Slopes, weighted};
use crate::kernel::{Limit, Sample, Scale, angles};
use crate::segments::Slice;
use crate::units::{PlanError, Units};

/// The slope of the least-squares line in a moving window.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use polars_grad::{RollingSlope, WindowSize};
///
/// let of_rows = RollingSlope::new(WindowSize::Rows(21))?.center(true)?;
/// let of_time = RollingSlope::new(Duration::from_secs(300))?.min_samples(10)?;
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(try_from = "Unchecked", into = "Unchecked")
)]
pub struct RollingSlope {
    window: WindowSize,
    min_samples: Option<usize>,
    center: bool,
    closed: Option<Closed>,
    sigma: Option<Length>,
    with_error: bool,
    /// The window and half of it in the numbers of x, once these are known.
    limits: Option<[Limit; 2]>,
}

/// The size of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum WindowSize {
    /// A number of rows.
    Rows(usize),
    /// A length of an x that does not fall. Its ends are compared exactly.
    Length(Length),
}

impl<L: Into<Length>> From<L> for WindowSize {
    fn from(length: L) -> Self {
        Self::Length(length.into())
    }
}

/// Which ends of a window of a length belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Closed {
    /// The later one.
    Right,
    /// The earlier one.
    Left,
    /// Both.
    Both,
    /// None.
    None,
}

impl Default for RollingSlope {
    fn default() -> Self {
        Self {
            window: WindowSize::Rows(5),
            min_samples: None,
            center: false,
            closed: None,
            sigma: None,
            with_error: false,
            limits: None,
        }
    }
}

impl RollingSlope {
    /// The slope in a window that ends at the row.
    ///
    /// # Errors
    ///
    /// A window of fewer than two rows.
    pub fn new(window: impl Into<WindowSize>) -> Result<Self, String> {
        Self {
            window: window.into(),
            ..Self::default()
        }
        .checked()
    }

    /// The fewest rows of a window that has a slope: by default all rows of one of rows, and two of one of a length.
    ///
    /// # Errors
    ///
    /// Fewer than two, or more than the window has.
    pub fn min_samples(mut self, rows: usize) -> Result<Self, String> {
        self.min_samples = Some(rows);
        self.checked()
    }

    /// Whether the row is in the middle of its window.
    ///
    /// # Errors
    ///
    /// An even number of rows.
    pub fn center(mut self, center: bool) -> Result<Self, String> {
        self.center = center;
        self.checked()
    }

    /// Which ends belong to a window of a length: by default the row itself, of a centred one both.
    ///
    /// # Errors
    ///
    /// A window of rows.
    pub fn closed(mut self, closed: Closed) -> Result<Self, String> {
        self.closed = Some(closed);
        self.checked()
    }

    /// The standard deviation of y, for the standard error: in the unit of y. For one in each row see
    /// [`Domain::sigma`](crate::Domain::sigma).
    #[must_use]
    pub fn sigma(mut self, sigma: impl Into<Length>) -> Self {
        self.sigma = Some(sigma.into());
        self
    }

    /// Whether the result has the standard error as well: a struct of `value` and `stderr`.
    #[must_use]
    pub fn with_error(mut self, with_error: bool) -> Self {
        self.with_error = with_error;
        self
    }

    fn checked(self) -> Result<Self, String> {
        let fewest = self.min_samples.unwrap_or(2);
        match self.window {
            WindowSize::Rows(rows) if rows < 2 => {
                return Err(format!("`window_size` must be at least 2 rows, got {rows}"));
            },
            WindowSize::Rows(rows) if self.center && rows % 2 == 0 => {
                let (below, above) = (rows - 1, rows + 1);
                return Err(format!(
                    "a centred `window_size` must be odd, got {rows}; take {below} or {above}"
                ));
            },
            WindowSize::Rows(rows) if fewest > rows => {
                return Err(format!(
                    "`min_samples` must be at most the {rows} rows of the window, got {fewest}"
                ));
            },
            WindowSize::Rows(_) if self.closed.is_some() => {
                return Err("`closed` is about windows of a length, but `window_size` is a number of rows".into());
            },
            _ => {},
        }
        if fewest < 2 {
            return Err(format!("`min_samples` must be at least 2, got {fewest}"));
        }
        Ok(self)
    }

    fn fewest(self) -> usize {
        self.min_samples.unwrap_or(match self.window {
            WindowSize::Rows(rows) => rows,
            WindowSize::Length(_) => 2,
        })
    }

    /// The rows before and after the row in a window of rows.
    fn around(self, rows: usize) -> [usize; 2] {
        if self.center { [rows / 2; 2] } else { [rows - 1, 0] }
    }
}

/// The options as they are stored.
#[cfg(feature = "serde")]
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Unchecked {
    window_size: WindowSize,
    min_samples: Option<usize>,
    center: bool,
    closed: Option<Closed>,
    sigma: Option<Length>,
    with_error: bool,
}

#[cfg(feature = "serde")]
impl Default for Unchecked {
    fn default() -> Self {
        RollingSlope::default().into()
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for RollingSlope {
    type Error = String;

    fn try_from(options: Unchecked) -> Result<Self, String> {
        Self {
            window: options.window_size,
            min_samples: options.min_samples,
            center: options.center,
            closed: options.closed,
            sigma: options.sigma,
            with_error: options.with_error,
            limits: None,
        }
        .checked()
    }
}

#[cfg(feature = "serde")]
impl From<RollingSlope> for Unchecked {
    fn from(options: RollingSlope) -> Self {
        Self {
            window_size: options.window,
            min_samples: options.min_samples,
            center: options.center,
            closed: options.closed,
            sigma: options.sigma,
            with_error: options.with_error,
        }
    }
}

impl Describe for RollingSlope {
    fn extent(&self) -> Extent {
        match self.window {
            WindowSize::Rows(rows) => {
                let [before, after] = self.around(rows);
                Extent::rows(before, after)
            },
            WindowSize::Length(length) => {
                let (half, none) = match length {
                    Length::Step(length) => (Length::Step(length / 2.0), Length::Step(0.0)),
                    Length::Nanoseconds(length) => {
                        (Length::Nanoseconds(length / 2 + length % 2), Length::Nanoseconds(0))
                    },
                };
                let [before, after] = if self.center { [half; 2] } else { [length, none] };
                Extent::Lengths { before, after }
            },
        }
    }

    fn outputs(&self) -> Vec<Output> {
        let slope = Output::per_x(1);
        if self.with_error {
            vec![
                Output { name: "value", ..slope },
                Output {
                    name: "stderr",
                    ..slope
                },
            ]
        } else {
            vec![slope]
        }
    }

    fn uses_sigma(&self) -> Result<SigmaUse, &'static str> {
        match self.sigma {
            Some(_) => Err("has a `sigma` for all rows"),
            None => Ok(SigmaUse::Weights),
        }
    }

    fn needs_rising_x(&self) -> bool {
        matches!(self.window, WindowSize::Length(_))
    }

    fn resolved(&self, units: &Units) -> Result<Self, PlanError> {
        let limits = match self.window {
            WindowSize::Rows(_) => None,
            WindowSize::Length(length) => {
                let whole = units.of_x("window_size", length)?;
                let half = Limit {
                    float: whole.float / 2.0,
                    integer: whole.integer / 2,
                };
                Some([whole, half])
            },
        };
        let sigma = self.sigma.map(|sigma| units.of_y("sigma", sigma)).transpose()?;
        Ok(Self {
            limits,
            sigma: sigma.map(Length::Step),
            ..*self
        })
    }
}

impl Scan for RollingSlope {
    fn evaluate_segment<Y: Sample, X: Sample>(
        &self,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<f64>,
    ) -> Result<(), RowError> {
        let rows = segment.rows.clone();
        let mut windows = Windows::new(*self, segment)?;
        let read = windows.read.clone();
        let y_values = &segment.y.values[read.clone()];
        let narrowed = segment.units.narrowed;
        let angles = segment
            .units
            .period
            .map_or(Vec::new(), |period| angles(y_values, period));
        let y: Box<dyn Differences> = match segment.units.period {
            Some(period) => Box::new(Periodic::new(&angles, period)),
            None => Box::new(Column::new(y_values).narrowed(narrowed[0])),
        };
        let x: Box<dyn Differences> = match segment.x {
            Some(x) => Box::new(Column::new(&x.values[read]).narrowed(narrowed[1])),
            None => Box::new(Even),
        };
        let sigma = match self.sigma {
            Some(Length::Step(sigma)) => Some(sigma),
            _ => None,
        };
        let points = Points { x: &*x, y: &*y, sigma };
        let mut tile = Tile::default();
        let mut row = rows.start;
        while row < rows.end {
            if windows.full.contains(&row) {
                row = self.fit_full(points, &windows, row, &mut tile);
            } else {
                tile.clear();
                while row < rows.end && !windows.full.contains(&row) && tile.has_room() {
                    tile.windows.push(windows.next(row)?);
                    row += 1;
                }
                self.fit_any(points, &windows, &mut tile);
            }
            tile.push_to(results, &segment.units.scales);
        }
        Ok(())
    }
}

/// Adjacent rows whose windows are fitted together, and their slopes.
#[derive(Default)]
struct Tile {
    /// `None` for a row without a slope. Empty if all windows are full.
    windows: Vec<Option<Range<usize>>>,
    values: Vec<f64>,
    valid: Vec<bool>,
    /// Empty unless errors are asked for, like `have_errors`.
    errors: Vec<f64>,
    have_errors: Vec<bool>,
    memory: line::Memory,
}

impl Tile {
    /// The fewest rows of a tile: their windows and results fit into the second-level cache.
    const ROWS: usize = 4_096;

    /// The number of rows with windows of a size: many, compared with those that the first one reads.
    fn rows(size: usize) -> usize {
        Self::ROWS.max(16 * size)
    }

    fn clear(&mut self) {
        self.windows.clear();
    }

    /// Whether the tile takes another row.
    fn has_room(&self) -> bool {
        let rows = self.windows.len();
        let size = self.windows.last().and_then(Option::as_ref).map_or(0, Range::len);
        rows < Self::rows(size)
    }

    /// Makes room for results, all of them null.
    fn reset(&mut self, rows: usize, with_error: bool) {
        let errors = if with_error { rows } else { 0 };
        for (numbers, count) in [(&mut self.values, rows), (&mut self.errors, errors)] {
            numbers.clear();
            numbers.resize(count, 0.0);
        }
        for (valid, count) in [(&mut self.valid, rows), (&mut self.have_errors, errors)] {
            valid.clear();
            valid.resize(count, false);
        }
    }

    /// Sets results to null.
    fn set_null(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            self.valid[place] = false;
            if let Some(has_error) = self.have_errors.get_mut(place) {
                *has_error = false;
            }
        }
    }

    /// Appends the results in the units of the outputs.
    fn push_to(&mut self, results: &mut Columns<f64>, scales: &[Scale]) {
        for (numbers, scale) in [&mut self.values, &mut self.errors].into_iter().zip(scales) {
            if *scale != Scale::ONE {
                for number in numbers {
                    *number = scale.apply(*number);
                }
            }
        }
        results.extend(&[(&self.values, &self.valid), (&self.errors, &self.have_errors)]);
    }
}

impl RollingSlope {
    /// Fits adjacent rows from a row on whose windows are full. Returns the first row after them.
    fn fit_full<Y: Sample, X: Sample>(
        self,
        points: Points<'_>,
        windows: &Windows<'_, Y, X>,
        row: usize,
        tile: &mut Tile,
    ) -> usize {
        let size = windows.before + 1 + windows.after;
        let end = windows.full.end.min(row + Tile::rows(size));
        tile.reset(end - row, self.with_error);
        tile.valid.fill(true);
        tile.have_errors.fill(self.sigma.is_some() || size > 2);
        let slopes = Slopes {
            values: &mut tile.values,
            errors: &mut tile.errors,
        };
        let missing = line::rolling(
            points,
            row - windows.before - windows.read.start,
            size,
            slopes,
            &mut tile.memory,
        );
        tile.set_null(missing);
        end
    }

    /// Fits the windows of a tile.
    fn fit_any<Y: Sample, X: Sample>(self, points: Points<'_>, windows: &Windows<'_, Y, X>, tile: &mut Tile) {
        tile.reset(tile.windows.len(), self.with_error);
        let first = windows.read.start;
        let (places, fitted): (Vec<_>, Vec<_>) = tile
            .windows
            .iter()
            .enumerate()
            .filter_map(|(place, window)| {
                let window = window.as_ref()?;
                Some((place, window.start - first..window.end - first))
            })
            .unzip();
        let mut values = vec![0.0; fitted.len()];
        let mut errors = vec![0.0; if self.with_error { fitted.len() } else { 0 }];
        let slopes = Slopes {
            values: &mut values,
            errors: &mut errors,
        };
        let sigma = windows.segment.sigma;
        let missing = match sigma {
            Some(sigma) => weighted::fit(points, &sigma[first..], &fitted, slopes),
            None => line::ranges(points, &fitted, slopes, &mut tile.memory),
        };
        for (index, &place) in places.iter().enumerate() {
            tile.values[place] = values[index];
            tile.valid[place] = true;
            if self.with_error {
                // Two points have no residual.
                tile.errors[place] = errors[index];
                tile.have_errors[place] = self.sigma.is_some() || sigma.is_some() || fitted[index].len() > 2;
            }
        }
        tile.set_null(missing.into_iter().map(|index| places[index]));
    }
}

/// The windows of the rows of a segment.
struct Windows<'a, Y, X> {
    operator: RollingSlope,
    segment: &'a Segment<'a, Y, X>,
    nulls: Nulls,
    /// The rows of the segment that windows may hold.
    read: Range<usize>,
    /// The rows before and after the row in a window of rows.
    before: usize,
    after: usize,
    /// Rows whose windows are full windows of rows without a null.
    full: Range<usize>,
    /// Whether some x are not finite.
    is_strange: bool,
    cursor: Cursor<X>,
}

/// Where a window of a length has come to.
struct Cursor<X> {
    /// The next row.
    row: usize,
    /// The first row that is not before the window, and the first one after it.
    first: usize,
    last: usize,
    /// The last row with an x.
    previous: Option<(usize, X)>,
    /// The x before the first row after the window.
    tip: Option<X>,
    /// The row at which x fell last, or began again after one that is not finite: a window must not reach beyond.
    fell: Option<usize>,
}

impl<'a, Y: Sample, X: Sample> Windows<'a, Y, X> {
    fn new(operator: RollingSlope, segment: &'a Segment<'a, Y, X>) -> Result<Self, RowError> {
        let (rows, length) = (segment.rows.clone(), segment.y.values.len());
        let nulls = Nulls::new(segment);
        let mut windows = Self {
            operator,
            segment,
            nulls,
            read: 0..length,
            before: 0,
            after: 0,
            full: 0..0,
            is_strange: false,
            cursor: Cursor {
                row: 0,
                first: 0,
                last: 0,
                previous: None,
                tip: None,
                fell: None,
            },
        };
        if let WindowSize::Rows(size) = operator.window {
            let [before, after] = operator.around(size);
            let read = rows.start.saturating_sub(before)..length.min(rows.end + after);
            let strange = segment.x.and_then(|x| first_not_finite(x, read.clone()));
            if let Some(row) = strange
                && segment.strict
            {
                return Err(not_finite(row));
            }
            (windows.before, windows.after, windows.read) = (before, after, read);
            windows.is_strange = strange.is_some();
            if windows.nulls.is_empty() && strange.is_none() && segment.sigma.is_none() && length >= size {
                windows.full = rows.start.max(before)..rows.end.min(length - after);
            }
        }
        Ok(windows)
    }

    /// The window of a row; `None` if it has no slope. Rows must be asked for in their order.
    fn next(&mut self, row: usize) -> Result<Option<Range<usize>>, RowError> {
        let window = match (self.operator.window, self.operator.limits, self.segment.x) {
            (WindowSize::Rows(_), ..) => self.of_rows(row),
            (WindowSize::Length(_), Some(limits), Some(x)) => self.of_length(x, limits, row)?,
            (WindowSize::Length(_), ..) => None,
        };
        let has_null = |window: &Range<usize>| self.nulls.is_in(window) || self.nulls.is_in(&(row..row + 1));
        Ok(window.filter(|window| window.len() >= self.operator.fewest() && !has_null(window)))
    }

    fn of_rows(&self, row: usize) -> Option<Range<usize>> {
        let window = row.saturating_sub(self.before)..self.segment.y.values.len().min(row + self.after + 1);
        let is_finite = |row: usize| {
            let x = self.segment.x.and_then(|x| x.get(row));
            x.is_none_or(|x| x.zero_unless_finite() == 0.0)
        };
        (!self.is_strange || window.clone().all(is_finite)).then_some(window)
    }

    /// Moves a window of a length to a row.
    fn of_length(&mut self, x: Slice<'_, X>, limits: [Limit; 2], row: usize) -> Result<Option<Range<usize>>, RowError> {
        while self.cursor.row < row {
            // A row that is not evaluated.
            self.pass(x, limits);
        }
        if self.segment.strict
            && let Some(error) = self.cursor.wrong(x)
        {
            return Err(error);
        }
        if !self.pass(x, limits) {
            return Ok(None);
        }
        let Some(own) = x.get(row) else { return Ok(None) };
        let RollingSlope { center, .. } = self.operator;
        let limit = limits[usize::from(center)];
        let holds_last = self.holds_ends()[1];
        let is_after = |x: X| match (center, holds_last) {
            (true, true) => x.is_beyond(own, limit),
            (true, false) => x > own && x.reaches(own, limit),
            (false, true) => x > own,
            (false, false) => x >= own,
        };
        let Cursor {
            first, last, tip, fell, ..
        } = &mut self.cursor;
        if *last < row {
            (*last, *tip) = (row, None);
        }
        while *last < x.values.len() && !x.get(*last).is_some_and(is_after) {
            // Without an x a row belongs to the window if it stands between two of its rows.
            if let Some(x) = x.get(*last) {
                if x.zero_unless_finite() != 0.0 || tip.is_some_and(|tip| x < tip) {
                    break;
                }
                *tip = Some(x);
            }
            *last += 1;
        }
        let mut end = *last;
        while end > *first && x.get(end - 1).is_none() {
            end -= 1;
        }
        if !holds_last && !center {
            end = (*first..row)
                .rev()
                .find(|&row| x.get(row).is_some_and(|x| x < own))
                .map_or(*first, |row| row + 1);
        }
        let reaches_fall = fell.is_some_and(|fell| *first == fell);
        Ok((!reaches_fall).then_some(*first..end))
    }

    /// Moves the first row of a window of a length to that of the next row. Returns whether the row has a finite x.
    fn pass(&mut self, x: Slice<'_, X>, limits: [Limit; 2]) -> bool {
        let limit = limits[usize::from(self.operator.center)];
        let holds_first = self.holds_ends()[0];
        let cursor = &mut self.cursor;
        let row = cursor.row;
        cursor.row += 1;
        let Some(own) = x.get(row) else { return false };
        let previous = cursor.previous.replace((row, own));
        if own.zero_unless_finite() != 0.0 {
            return false;
        }
        if previous.is_some_and(|(_, before)| own < before || before.zero_unless_finite() != 0.0) {
            (cursor.first, cursor.last, cursor.tip, cursor.fell) = (row, row, None, Some(row));
        }
        let is_before = |x: X| {
            if holds_first {
                own.is_beyond(x, limit)
            } else {
                own.reaches(x, limit)
            }
        };
        while cursor.first < row && x.get(cursor.first).is_none_or(is_before) {
            cursor.first += 1;
        }
        true
    }

    /// Whether the first and the last end of a window of a length belong to it.
    fn holds_ends(&self) -> [bool; 2] {
        let RollingSlope { closed, center, .. } = self.operator;
        match closed.unwrap_or(if center { Closed::Both } else { Closed::Right }) {
            Closed::Right => [false, true],
            Closed::Left => [true, false],
            Closed::Both => [true, true],
            Closed::None => [false, false],
        }
    }
}

impl<X: Sample> Cursor<X> {
    /// What is wrong with the x of the next row.
    fn wrong(&self, x: Slice<'_, X>) -> Option<RowError> {
        let row = self.row;
        let own = x.get(row)?;
        if own.zero_unless_finite() != 0.0 {
            return Some(not_finite(row));
        }
        let (before, previous) = self.previous?;
        if own >= previous && previous.zero_unless_finite() == 0.0 {
            return None;
        }
        let reason = Reason::Unsorted {
            first: before as isize - row as isize,
            rows: row + 1 - before,
        };
        Some(RowError { row, reason })
    }
}

/// The first of some rows whose x is not finite.
fn first_not_finite<X: Sample>(x: Slice<'_, X>, rows: Range<usize>) -> Option<usize> {
    if x.validity.is_none() {
        // Without branches, for vector registers.
        let values = &x.values[rows.clone()];
        let are_finite = values.iter().fold(true, |all, x| all & (x.zero_unless_finite() == 0.0));
        if are_finite {
            return None;
        }
    }
    rows.into_iter()
        .find(|&row| x.get(row).is_some_and(|x| x.zero_unless_finite() != 0.0))
}

/// The number of rows with a null before each row; `None` if there are none.
pub(super) struct Nulls(Option<Vec<usize>>);

impl Nulls {
    pub(super) fn new<Y: Sample, X: Sample>(segment: &Segment<'_, Y, X>) -> Self {
        if segment.y.validity.is_none() && segment.x.is_none_or(|x| x.validity.is_none()) {
            return Self(None);
        }
        let mut nulls = vec![0];
        let mut count = 0;
        for row in 0..segment.y.values.len() {
            count += usize::from(!segment.is_valid(row));
            nulls.push(count);
        }
        Self(Some(nulls))
    }

    /// Whether it is known that there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn is_in(&self, rows: &Range<usize>) -> bool {
        self.0.as_ref().is_some_and(|nulls| nulls[rows.start] < nulls[rows.end])
    }
}

/// The error of a row whose x is not finite.
pub(super) fn not_finite(row: usize) -> RowError {
    let reason = Reason::Unsorted {
        first: -(row.min(1) as isize),
        rows: row.min(1) + 1,
    };
    RowError { row, reason }
}
