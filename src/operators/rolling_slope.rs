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
//! [`kernel::weighted`](crate::kernel).

use std::ops::Range;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::{Columns, Describe, Extent, Output, Reason, RowError, Scan, Segment, SigmaUse};
use crate::domain::Length;
use crate::kernel::differences::{Column, Differences, Even, Periodic};
use crate::kernel::line::{self, Points, Slopes};
use crate::kernel::{Limit, Sample, weighted};
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
    /// A length of x.
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
        let windows = self.windows(segment)?;
        let read = windows
            .iter()
            .flatten()
            .fold(None, |read: Option<Range<usize>>, window| {
                let read = read.unwrap_or_else(|| window.clone());
                Some(read.start.min(window.start)..read.end.max(window.end))
            });
        let Some(read) = read else {
            results.push_nulls(windows.len());
            return Ok(());
        };
        let y_values = &segment.y.values[read.clone()];
        let y: Box<dyn Differences> = match segment.units.period {
            Some(period) => Box::new(Periodic::new(y_values, period)),
            None => Box::new(Column::new(y_values)),
        };
        let x: Box<dyn Differences> = match segment.x {
            Some(x) => Box::new(Column::new(&x.values[read.clone()])),
            None => Box::new(Even),
        };
        let sigma = match self.sigma {
            Some(Length::Step(sigma)) => Some(sigma),
            _ => None,
        };
        let points = Points { x: &*x, y: &*y, sigma };
        self.push_slopes(points, &windows, read.start, segment, results);
        Ok(())
    }
}

impl RollingSlope {
    /// Fits the windows, which are counted from the start of the segment, as the points are from `first` on.
    fn push_slopes<Y, X>(
        self,
        points: Points<'_>,
        windows: &[Option<Range<usize>>],
        first: usize,
        segment: &Segment<'_, Y, X>,
        results: &mut Columns<f64>,
    ) {
        let fitted: Vec<_> = windows
            .iter()
            .flatten()
            .map(|window| window.start - first..window.end - first)
            .collect();
        let mut values = vec![0.0; fitted.len()];
        let mut errors = vec![0.0; if self.with_error { fitted.len() } else { 0 }];
        let slopes = Slopes {
            values: &mut values,
            errors: &mut errors,
        };
        // Windows of one size follow each other row by row, if none is null.
        let follow_each_other = fitted.iter().zip(0..).all(|(window, row)| {
            let size = fitted[0].len();
            *window == (row..row + size)
        });
        let missing = match (segment.sigma, fitted.first()) {
            (Some(sigma), _) => weighted::fit(points, &sigma[first..], &fitted, slopes),
            (None, Some(window)) if follow_each_other => line::rolling(points, window.len(), slopes),
            (None, _) => line::ranges(points, &fitted, slopes),
        };
        let mut missing = missing.into_iter().peekable();
        let scales = &segment.units.scales;
        let mut place = 0;
        for window in windows {
            let mut row = [None, None];
            if let Some(window) = window {
                if missing.next_if_eq(&place).is_none() {
                    row[0] = Some(scales[0].apply(values[place]));
                    // Two points have no residual.
                    let is_known = self.sigma.is_some() || segment.sigma.is_some();
                    let has_error = self.with_error && (is_known || window.len() > 2);
                    row[1] = has_error.then(|| scales[1].apply(errors[place]));
                }
                place += 1;
            }
            results.push(&row);
        }
    }

    /// The window of each row; `None` if it has no slope.
    fn windows<Y: Sample, X: Sample>(self, segment: &Segment<'_, Y, X>) -> Result<Vec<Option<Range<usize>>>, RowError> {
        let spans = match (self.window, self.limits, segment.x) {
            (WindowSize::Length(_), Some(limits), Some(x)) => self.of_length(segment, x, limits)?,
            (WindowSize::Rows(size), ..) => self.of_rows(size, segment)?,
            (WindowSize::Length(_), ..) => return Ok(vec![None; segment.rows.len()]),
        };
        let nulls = Nulls::new(segment);
        let rows = segment.rows.clone().zip(spans);
        let windows = rows.map(|(row, span)| {
            span.filter(|span| span.len() >= self.fewest() && !nulls.is_in(span) && !nulls.is_in(&(row..row + 1)))
        });
        Ok(windows.collect())
    }

    fn of_rows<Y: Sample, X: Sample>(
        self,
        size: usize,
        segment: &Segment<'_, Y, X>,
    ) -> Result<Vec<Option<Range<usize>>>, RowError> {
        let length = segment.y.values.len();
        let [before, after] = self.around(size);
        let rows = segment.rows.clone();
        let read = rows.start.saturating_sub(before)..length.min(rows.end + after);
        let strange = segment.x.and_then(|x| {
            let is_strange = |row: &usize| x.get(*row).is_some_and(|x| x.zero_unless_finite() != 0.0);
            read.clone().find(is_strange)
        });
        if let Some(row) = strange
            && segment.strict
        {
            return Err(not_finite(row));
        }
        let is_finite = |row: usize| {
            let x = segment.x.and_then(|x| x.get(row));
            x.is_none_or(|x| x.zero_unless_finite() == 0.0)
        };
        let span = |row: usize| {
            let span = row.saturating_sub(before)..length.min(row + after + 1);
            (strange.is_none() || span.clone().all(is_finite)).then_some(span)
        };
        Ok(rows.map(span).collect())
    }

    fn of_length<Y: Sample, X: Sample>(
        self,
        segment: &Segment<'_, Y, X>,
        x: Slice<'_, X>,
        [whole, half]: [Limit; 2],
    ) -> Result<Vec<Option<Range<usize>>>, RowError> {
        let rows = segment.rows.clone();
        let length = x.values.len();
        let limit = if self.center { half } else { whole };
        let closed = self
            .closed
            .unwrap_or(if self.center { Closed::Both } else { Closed::Right });
        let (holds_first, holds_last) = match closed {
            Closed::Right => (false, true),
            Closed::Left => (true, false),
            Closed::Both => (true, true),
            Closed::None => (false, false),
        };
        let is_before = |row: usize, own: X| {
            x.get(row).is_some_and(|x| {
                if holds_first {
                    own.is_beyond(x, limit)
                } else {
                    own.reaches(x, limit)
                }
            })
        };
        let is_after = |row: usize, own: X| {
            let after = |x: X| match (self.center, holds_last) {
                (true, true) => x.is_beyond(own, limit),
                (true, false) => x > own && x.reaches(own, limit),
                (false, true) => x > own,
                (false, false) => x >= own,
            };
            x.get(row).is_some_and(after)
        };
        let mut spans = Vec::with_capacity(rows.len());
        let is_finite = |x: X| x.zero_unless_finite() == 0.0;
        // The first row that is not before the window, the first one after it, and the last row with an x.
        let (mut first, mut last, mut previous) = (0, 0, None);
        // The x before the first row after the window.
        let mut tip = None;
        // The row at which x fell last, or began again after one that is not finite: a window must not reach beyond.
        let mut fell = None;
        let is_read = |row: usize| row >= rows.start;
        for row in 0..rows.end {
            let Some(own) = x.get(row) else {
                if is_read(row) {
                    spans.push(None);
                }
                continue;
            };
            if !is_finite(own) {
                if is_read(row) {
                    if segment.strict {
                        return Err(not_finite(row));
                    }
                    spans.push(None);
                }
                previous = Some((row, own));
                continue;
            }
            if previous.is_some_and(|(_, before): (usize, X)| own < before || !is_finite(before)) {
                if segment.strict && is_read(row) {
                    let reason = Reason::Unsorted {
                        first: previous.map_or(0, |(before, _)| before as isize - row as isize),
                        rows: previous.map_or(1, |(before, _)| row + 1 - before),
                    };
                    return Err(RowError { row, reason });
                }
                (first, last, tip, fell) = (row, row, None, Some(row));
            }
            previous = Some((row, own));
            while first < row && (x.get(first).is_none() || is_before(first, own)) {
                first += 1;
            }
            if !is_read(row) {
                continue;
            }
            if last < row {
                (last, tip) = (row, None);
            }
            while last < length && !is_after(last, own) {
                // Without an x a row belongs to the window if it stands between two of its rows.
                if let Some(x) = x.get(last) {
                    if !is_finite(x) || tip.is_some_and(|tip| x < tip) {
                        break;
                    }
                    tip = Some(x);
                }
                last += 1;
            }
            let mut end = last;
            while end > first && x.get(end - 1).is_none() {
                end -= 1;
            }
            if !holds_last && !self.center {
                end = (first..row)
                    .rev()
                    .find(|&row| x.get(row).is_some_and(|x| x < own))
                    .map_or(first, |row| row + 1);
            }
            let reaches_fall = fell.is_some_and(|fell| first == fell);
            spans.push((!reaches_fall).then_some(first..end));
        }
        Ok(spans)
    }
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
