//! The points of a key that are still read, and the results that new ones finish.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::Display;
use std::iter::{once, repeat_n};
use std::ops::Range;

use super::LiveError;
use crate::bits::{Bitmap, Bits};
use crate::kernel::{Sample, is_monotonic};
use crate::operators::{Columns, Extent, Form, MAX_OUTPUTS, Reach, Reached, RowError, RowOperator, Rows, Scanned};
use crate::plan::Plan;
use crate::segments::{Lag, Lengths, SegmentRules, Segments, Slice};

/// What all sources of a feed have in common.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) plan: Plan,
    /// The lags that the operator reads, if it is evaluated by rows.
    pub(super) reach: Reach,
    pub(super) skip_nulls: bool,
    pub(super) strict: bool,
}

/// A row, or several of one x.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<Y, X> {
    pub(super) row: u64,
    pub(super) x: Option<X>,
    pub(super) y: Option<Y>,
}

/// The outputs at a point.
pub(super) type Values = [Option<f64>; MAX_OUTPUTS];

/// The points that are still read, the newest last.
#[derive(Clone, Debug)]
pub(super) enum Past<Y, X> {
    /// A number of points, `None` before the first one and after the last; for operators that are evaluated by rows.
    Window(VecDeque<Option<Point<Y, X>>>),
    /// As many as the operator reads, the first of which have been settled.
    Buffer {
        points: Vec<Point<Y, X>>,
        settled: usize,
        reached: Reached,
    },
}

impl<Y: Sample + Default, X: Sample + Default + Display> Past<Y, X> {
    pub(super) fn new(settings: &Settings) -> Self {
        match settings.plan.operator.form() {
            Form::Rows(_) => Self::Window(repeat_n(None, settings.kept()).collect()),
            Form::Segments(_) => Self::Buffer {
                points: Vec::new(),
                settled: 0,
                reached: Reached::default(),
            },
        }
    }

    /// Checks that a point may follow: after the open one, if there is one, which follows the past.
    ///
    /// # Errors
    ///
    /// An x that is not finite, or in the wrong order, if the feed is strict.
    pub(super) fn check(
        &self,
        settings: &Settings,
        open: Option<Point<Y, X>>,
        point: Point<Y, X>,
    ) -> Result<(), LiveError> {
        if !settings.strict {
            return Ok(());
        }
        match self {
            Self::Window(past) => {
                let past = past.iter().copied().flatten().chain(open).collect::<Vec<_>>();
                settings.check_order(&past, &point)
            },
            Self::Buffer {
                points,
                settled,
                reached,
            } => {
                let points: Vec<_> = points.iter().copied().chain(open).chain([point]).collect();
                let last = points.len() - 1;
                let (completed, first) = match settings.plan.operator.extent() {
                    Extent::Before => (None, *settled),
                    Extent::Rows(Reach { after, .. }) if after > 0 => (last.checked_sub(after), last),
                    _ => (None, last),
                };
                // The row whose window ends with the point, and the point's own.
                let mut judged = completed
                    .map(|row| row..row + 1)
                    .into_iter()
                    .chain(once(first..points.len()));
                let evaluated = judged.try_for_each(|rows| {
                    let evaluated = settings.over_segments(&points, rows, true, &Cell::new(*reached));
                    evaluated.map(drop)
                });
                evaluated.map_err(|RowError { row, reason }| {
                    let read = reason.reads(row).map(|row| &points[row]);
                    let read: Vec<_> = read.filter_map(|point| Some((point.row, point.x?))).collect();
                    settings.unsorted(&read, point.row)
                })
            },
        }
    }

    /// Adds a point, and returns the results that it finishes.
    pub(super) fn follow(&mut self, settings: &Settings, point: Point<Y, X>) -> Vec<(u64, Values)> {
        match self {
            Self::Window(past) => settings.shift(past, Some(point)).into_iter().collect(),
            Self::Buffer {
                points,
                settled,
                reached,
            } => {
                points.push(point);
                let (known, read) = settings.carry(points);
                let results = settings.results(points, *settled..known, reached);
                *settled = read.iter().map(Range::len).sum();
                *points = read
                    .into_iter()
                    .chain(once(known..points.len()))
                    .flatten()
                    .map(|row| points[row])
                    .collect();
                results
            },
        }
    }

    /// The results at the last points.
    pub(super) fn finish(&mut self, settings: &Settings) -> Vec<(u64, Values)> {
        match self {
            Self::Window(past) => (0..settings.reach.after)
                .filter_map(|_| settings.shift(past, None))
                .collect(),
            Self::Buffer {
                points,
                settled,
                reached,
            } => settings.results(points, *settled..points.len(), reached),
        }
    }
}

/// The numbers of points as columns.
struct PointColumns<Y, X> {
    y: (Vec<Y>, Vec<u8>),
    x: (Vec<X>, Vec<u8>),
    starts: Vec<u8>,
}

impl<Y: Sample + Default, X: Sample + Default> PointColumns<Y, X> {
    fn new(points: &[Point<Y, X>]) -> Self {
        let mut starts = Bitmap::default();
        starts.extend(points.len(), |row| u64::from(row == 0));
        Self {
            y: column(points.iter().map(|point| point.y)),
            x: column(points.iter().map(|point| point.x)),
            starts: starts.into_bytes(),
        }
    }

    fn y(&self) -> Slice<'_, Y> {
        slice(&self.y)
    }

    fn x(&self) -> Slice<'_, X> {
        slice(&self.x)
    }

    fn starts(&self) -> Bits<'_> {
        Bits::new(&self.starts, 0)
    }
}

fn column<T: Default>(numbers: impl Iterator<Item = Option<T>>) -> (Vec<T>, Vec<u8>) {
    let mut valid = Bitmap::default();
    let values = numbers.map(|number| {
        valid.push(number.is_some().into(), 1);
        number.unwrap_or_default()
    });
    (values.collect(), valid.into_bytes())
}

fn slice<T>((values, validity): &(Vec<T>, Vec<u8>)) -> Slice<'_, T> {
    Slice {
        values,
        validity: Some(Bits::new(validity, 0)),
    }
}

impl Settings {
    /// The number of points kept of a source: those that the operator and the check of x read.
    fn kept(&self) -> usize {
        self.reach.rows().max(2)
    }

    /// Checks that the x of a point is finite, and strictly monotonic with the two before it.
    fn check_order<Y, X: Sample + Display>(&self, past: &[Point<Y, X>], point: &Point<Y, X>) -> Result<(), LiveError> {
        let breaks = self.plan.breaks;
        let ends_segment = |point: &Point<Y, X>| breaks.at_nulls && point.y.is_none();
        let mut read: Vec<(u64, X)> = Vec::new();
        for point in once(point).chain(past.iter().rev()).take(3) {
            let Some(x) = point.x.filter(|_| !ends_segment(point)) else {
                break;
            };
            if let (Some(limit), Some(&(_, next))) = (breaks.max_gap, read.last())
                && next.is_beyond(x, limit)
            {
                break;
            }
            read.push((point.row, x));
        }
        read.reverse();
        let x: Vec<_> = read.iter().map(|&(_, x)| x).collect();
        let must_rise = self.plan.operator.describe().needs_rising_x();
        if is_monotonic(&x) && !(must_rise && x.windows(2).any(|step| step[0] > step[1])) {
            return Ok(());
        }
        Err(self.unsorted(&read, point.row))
    }

    /// The error of a point whose x is wrong, together with those before it.
    fn unsorted<X: Display>(&self, read: &[(u64, X)], row: u64) -> LiveError {
        let shown: Vec<_> = read.iter().map(|(row, x)| format!("{x} (point {row})")).collect();
        let must_rise = self.plan.operator.describe().needs_rising_x();
        let order = if must_rise { "rising" } else { "monotonic" };
        let message = format!(
            "`x` must be finite and strictly {order}, but got {} in a row; sort the feed, merge what repeats with \
            `duplicates`, drop what is not finite, or turn `strict` off to get nulls there",
            shown.join(", ")
        );
        LiveError {
            message,
            row: Some(row),
        }
    }

    /// The error of a number that has no mean.
    pub(super) fn too_large(&self, row: u64) -> LiveError {
        let bits = 126 - self.plan.mean_digits;
        let message = format!("`y` must be below 2^{bits} for a mean of `duplicates`, but that of point {row} is not");
        LiveError {
            message,
            row: Some(row),
        }
    }

    /// Adds a point, or the end of the feed; returns the result that it finishes.
    fn shift<Y: Sample + Default, X: Sample + Default>(
        &self,
        past: &mut VecDeque<Option<Point<Y, X>>>,
        next: Option<Point<Y, X>>,
    ) -> Option<(u64, Values)> {
        past.pop_front();
        past.push_back(next);
        let window: Vec<_> = past.iter().skip(self.kept() - self.reach.rows()).copied().collect();
        let this = window[self.reach.before]?;
        let Form::Rows(operator) = self.plan.operator.form() else {
            return None;
        };
        Some((this.row, self.over_window(operator, &window)))
    }

    fn over_window<Y: Sample + Default, X: Sample + Default>(
        &self,
        operator: RowOperator<'_>,
        window: &[Option<Point<Y, X>>],
    ) -> Values {
        let columns = window.iter().map(|point| {
            let x = point.and_then(|point| point.x);
            let y = point.and_then(|point| point.y);
            let valid = [y.is_some(), x.is_some(), point.is_some()];
            ([y.unwrap_or_default()], [x.unwrap_or_default()], valid.map(bit))
        });
        let columns: Vec<_> = columns.collect();
        let lags = columns.iter().map(|(y, x, [y_valid, x_valid, in_group])| Lag {
            y: Slice {
                values: y,
                validity: Some(*y_valid),
            },
            x: Some(Slice {
                values: x,
                validity: Some(*x_valid),
            }),
            in_group: Some(*in_group),
        });
        let rows = Rows {
            lags: &lags.collect::<Vec<_>>(),
            reach: self.reach,
            sigma: None,
            rules: SegmentRules::new(self.plan.breaks, None, 0),
            units: &self.plan.units,
            // An x is checked when it arrives.
            strict: false,
        };
        let mut results = Columns::<f64>::with_capacity(self.plan.outputs.len(), 1);
        match operator.evaluate(&rows, &mut results) {
            Ok(()) => values_of(results, 1).pop().unwrap_or_default(),
            Err(_) => Values::default(),
        }
    }

    /// The number of points that no later one changes, and those of them that are still read.
    fn carry<Y: Sample + Default, X: Sample + Default>(&self, points: &[Point<Y, X>]) -> (usize, Vec<Range<usize>>) {
        let rows = |before: usize, after: usize| {
            let known = points.len().saturating_sub(after);
            (known, once(known.saturating_sub(before)..known).collect())
        };
        match (self.plan.operator.extent(), self.plan.lengths) {
            (Extent::Rows(reach), _) => rows(reach.before, reach.after),
            (Extent::Lengths { .. }, Some([before, after])) => {
                let columns = PointColumns::new(points);
                let lengths = Lengths {
                    y: columns.y(),
                    x: columns.x(),
                    groups: columns.starts(),
                    breaks: self.plan.breaks,
                    skip_nulls: self.skip_nulls,
                    before,
                    after,
                };
                let known = lengths.settled();
                (known, lengths.read_later(known))
            },
            // The sum goes on from the last point, and one more tells whether x turns.
            _ => rows(2, 0),
        }
    }

    /// The results of some of the points.
    fn results<Y: Sample + Default, X: Sample + Default>(
        &self,
        points: &[Point<Y, X>],
        part: Range<usize>,
        reached: &mut Reached,
    ) -> Vec<(u64, Values)> {
        let cell = Cell::new(*reached);
        // An x is checked when it arrives.
        let results = self
            .over_segments(points, part.clone(), false, &cell)
            .unwrap_or_default();
        *reached = cell.get();
        points[part].iter().map(|point| point.row).zip(results).collect()
    }

    /// Evaluates an operator of segments on some of the points: all that it has not passed, if it passes over them.
    fn over_segments<Y: Sample + Default, X: Sample + Default>(
        &self,
        points: &[Point<Y, X>],
        part: Range<usize>,
        strict: bool,
        reached: &Cell<Reached>,
    ) -> Result<Vec<Values>, RowError> {
        let Form::Segments(operator) = self.plan.operator.form() else {
            return Ok(Vec::new());
        };
        let columns = PointColumns::new(points);
        let scanned = Scanned {
            operator,
            y: columns.y(),
            x: Some(columns.x()),
            sigma: None,
            segments: &Segments::new(columns.y(), Some(columns.x()), self.plan.breaks, columns.starts()),
            units: &self.plan.units,
            strict,
            whole_groups: self.plan.is_sequential(),
        };
        let rows = part.len();
        let (evaluated, passed) = if self.plan.is_sequential() {
            (0..part.end, part.start)
        } else {
            (part, 0)
        };
        let results = scanned.evaluate(evaluated, passed, reached)?;
        let mut values = values_of(results, rows + passed);
        Ok(values.split_off(passed))
    }
}

/// The results of rows, one for each output.
fn values_of(results: Columns<f64>, rows: usize) -> Vec<Values> {
    let mut values = vec![Values::default(); rows];
    for (output, (numbers, validity)) in results.into_parts().into_iter().enumerate() {
        for (row, (values, number)) in values.iter_mut().zip(numbers).enumerate() {
            let is_valid = validity.as_ref().is_none_or(|bytes| Bits::new(bytes, 0).get(row));
            values[output] = Some(number).filter(|_| is_valid);
        }
    }
    values
}

fn bit(set: bool) -> Bits<'static> {
    Bits::new(if set { &[1] } else { &[0] }, 0)
}
