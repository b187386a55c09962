//! Operators over a live feed: points in, finished results out.

use std::collections::{HashMap, VecDeque};
use std::fmt::{self, Display};
use std::hash::Hash;
use std::time::Duration;

use crate::bits::Bits;
use crate::domain::{Domain, Duplicates, Nulls};
use crate::kernel::{Sample, is_monotonic};
use crate::operators::{Columns, Form, MAX_OUTPUTS, Operator, Reach, Rows};
use crate::plan::{ColumnInfo, Plan, PlanError};
use crate::segments::{Lag, SegmentRules, Slice};
use crate::unit::Unit;

/// An operator over points that arrive one by one, or batch by batch, from any number of sources.
///
/// Each key is a group. A result is finished once all points that the operator reads have arrived: for `Gradient` one
/// point of the same key later, with [`EdgeOrder::Second`](crate::EdgeOrder::Second) two. The results have the same
/// bits as those of a whole column. Memory holds, for each key, the points that the operator reads.
///
/// - `K`: the type of the keys; `()` for a single source.
/// - `Y`, `X`: the numbers of the points, any [`Sample`]; [`f64`] by default. Integers are subtracted as integers.
///
/// # Examples
///
/// ```
/// use polars_grad::{Domain, Gradient, Live};
///
/// let mut live = Live::new(Gradient::new(), &Domain::new())?;
/// assert_eq!(live.push("a", Some(0.0), Some(0.0))?, None);
/// assert_eq!(live.push("b", Some(0.0), Some(5.0))?, None);
/// let slope = live.push("a", Some(1.0), Some(1.0))?.expect("the first point of a has its neighbour");
/// assert_eq!((slope.key, slope.row, slope.value()), ("a", 0, Some(1.0)));
/// let slope = live.push("a", Some(3.0), Some(9.0))?.expect("the second point of a has both neighbours");
/// assert_eq!((slope.row, slope.value()), (2, Some(2.0)));
///
/// // At the end the last points are finished, in the order of their rows. One alone has no slope.
/// let last: Vec<_> = live.finish().into_iter().map(|slope| (slope.row, slope.value())).collect();
/// assert_eq!(last, [(1, None), (3, Some(4.0))]);
/// # Ok::<(), polars_grad::LiveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Live<K, Y = f64, X = f64> {
    plan: Plan,
    reach: Reach,
    skip_nulls: bool,
    strict: bool,
    rows: u64,
    sources: HashMap<K, Past<Y, X>>,
}

/// A finished result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished<K> {
    /// The source.
    pub key: K,
    /// The point that the result is at: the first one pushed is 0.
    pub row: u64,
    values: [Option<f64>; MAX_OUTPUTS],
    outputs: usize,
}

impl<K> Finished<K> {
    /// The result, or the first of several; `None` where it is null.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.values[0]
    }

    /// All outputs of the operator, each `None` where it is null.
    #[must_use]
    pub fn values(&self) -> &[Option<f64>] {
        &self.values[..self.outputs]
    }
}

/// Why a point was refused, or a feed could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveError {
    message: String,
    row: Option<u64>,
}

impl LiveError {
    /// The number of the refused point, counting from 0; `None` for an option that does not fit.
    #[must_use]
    pub fn row(&self) -> Option<u64> {
        self.row
    }
}

impl Display for LiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LiveError {}

impl From<PlanError> for LiveError {
    fn from(PlanError(message): PlanError) -> Self {
        Self { message, row: None }
    }
}

#[derive(Clone, Copy, Debug)]
struct Point<Y, X> {
    row: u64,
    x: Option<X>,
    y: Option<Y>,
}

/// The last points of a source, the newest last; `None` before its first one and after its last.
type Past<Y, X> = VecDeque<Option<Point<Y, X>>>;

impl<K: Clone + Eq + Hash, Y: Sample + Default, X: Sample + Default + Display> Live<K, Y, X> {
    /// A feed whose x are numbers.
    ///
    /// # Errors
    ///
    /// An option that does not fit: `per`, a `max_gap` in time, a `spacing` (the x are given).
    pub fn new(operator: impl Into<Operator>, domain: &Domain<()>) -> Result<Self, LiveError> {
        Self::of(&operator.into(), domain, Unit::NUMBER)
    }

    /// A feed whose x are times that count ticks of the given length, usually as [`i64`]. Slopes are per second, or per
    /// [`per`](Domain::per).
    ///
    /// ```
    /// use std::time::Duration;
    /// use polars_grad::{Domain, Gradient, Live};
    ///
    /// let per_hour = Domain::new().per(Duration::from_secs(3600));
    /// let mut live = Live::<(), f64, i64>::over_time(Gradient::new(), &per_hour, Duration::from_millis(1))?;
    /// live.push((), Some(1_763_740_800_000), Some(20.0))?;
    /// let slope = live.push((), Some(1_763_740_860_000), Some(20.5))?.expect("a minute later");
    /// assert_eq!(slope.value(), Some(30.0));
    /// # Ok::<(), polars_grad::LiveError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An option that does not fit: a `max_gap` in numbers, a `spacing`; a tick of zero or beyond 292 years.
    pub fn over_time(operator: impl Into<Operator>, domain: &Domain<()>, tick: Duration) -> Result<Self, LiveError> {
        match i64::try_from(tick.as_nanos()) {
            Ok(nanoseconds) if nanoseconds > 0 => Self::of(&operator.into(), domain, Unit::Time { nanoseconds }),
            _ => Err(PlanError(format!("`tick` must be from 1 ns to 292 years long, got {tick:?}")).into()),
        }
    }

    fn of(operator: &Operator, domain: &Domain<()>, unit: Unit) -> Result<Self, LiveError> {
        if !domain.by.is_empty() || domain.x.is_some() || domain.spacing.is_some() {
            let message = "a live feed gets x and key with each point; drop `x`, `by` and `spacing` from the domain";
            return Err(PlanError(message.into()).into());
        }
        if matches!(operator.form(), Form::Segments(_)) {
            let name = operator.name();
            let message = format!("`{name}` reads whole segments, which a live feed does not keep; evaluate a column");
            return Err(PlanError(message).into());
        }
        if domain.duplicates != Duplicates::Error {
            let message = "a live feed takes no `duplicates`: merge points of equal x before they are pushed";
            return Err(PlanError(message.into()).into());
        }
        if domain.x_period.is_some() {
            let message = "a live feed takes no `x_period`: the last point, which stands before the first one, has not \
                           arrived yet; evaluate a column";
            return Err(PlanError(message.into()).into());
        }
        let column = |name, unit| ColumnInfo {
            name,
            dtype: &"a live feed of numbers; one of times begins with `over_time`",
            unit: Some(unit),
            is_bool: false,
            is_instant: false,
            is_float: true,
            zero: 0,
            spare_bits: 0,
            axes: 0,
        };
        Ok(Self {
            plan: Plan::new(operator, column("y", Unit::NUMBER), Some(column("x", unit)), domain)?,
            reach: operator.reach(),
            skip_nulls: domain.nulls == Nulls::Skip,
            strict: domain.strict,
            rows: 0,
            sources: HashMap::new(),
        })
    }

    /// Takes a point, where `None` is a null, and returns the result that it finishes.
    ///
    /// # Errors
    ///
    /// An x that is not finite, or not strictly monotonic with the two points before, unless
    /// [`strict`](Domain::strict) is off. The point is then refused, and the feed can go on without it.
    pub fn push(&mut self, key: K, x: Option<X>, y: Option<Y>) -> Result<Option<Finished<K>>, LiveError> {
        let point = Point { row: self.rows, x, y };
        if self.skip_nulls && (x.is_none() || y.is_none()) {
            self.rows += 1;
            return Ok(Some(self.finished(key, point.row, [None; MAX_OUTPUTS])));
        }
        if self.strict {
            self.check(self.sources.get(&key), &point)?;
        }
        self.rows += 1;
        let mut past = self.sources.remove(&key).unwrap_or_else(|| self.no_past());
        let result = self.follow(&mut past, Some(point));
        self.sources.insert(key.clone(), past);
        Ok(result.map(|(row, values)| self.finished(key, row, values)))
    }

    /// Takes a batch of points `(key, x, y)`, and appends the results that they finish, in the order of the points.
    ///
    /// # Errors
    ///
    /// Those of [`push`](Self::push). The points before it have been taken, and their results appended.
    pub fn extend<I>(&mut self, points: I, finished: &mut Vec<Finished<K>>) -> Result<(), LiveError>
    where
        I: IntoIterator<Item = (K, Option<X>, Option<Y>)>,
    {
        for (key, x, y) in points {
            finished.extend(self.push(key, x, y)?);
        }
        Ok(())
    }

    /// Ends the feed: the results at the last points of every key, in the order of the points.
    #[must_use]
    pub fn finish(mut self) -> Vec<Finished<K>> {
        let mut finished = Vec::new();
        for (key, mut past) in std::mem::take(&mut self.sources) {
            for _ in 0..self.reach.after {
                let result = self.follow(&mut past, None);
                finished.extend(result.map(|(row, values)| self.finished(key.clone(), row, values)));
            }
        }
        finished.sort_by_key(|result| result.row);
        finished
    }

    fn finished(&self, key: K, row: u64, values: [Option<f64>; MAX_OUTPUTS]) -> Finished<K> {
        Finished {
            key,
            row,
            values,
            outputs: self.plan.outputs.len(),
        }
    }

    /// Checks that the x of a point is finite, and strictly monotonic with the two before it.
    fn check(&self, past: Option<&Past<Y, X>>, point: &Point<Y, X>) -> Result<(), LiveError> {
        let ends_segment = |point: &Point<Y, X>| self.plan.breaks.at_nulls && point.y.is_none();
        let mut read: Vec<(u64, X)> = Vec::new();
        let newest_first = std::iter::once(point).chain(past.into_iter().flatten().rev().flatten());
        for point in newest_first.take(3) {
            let Some(x) = point.x.filter(|_| !ends_segment(point)) else {
                break;
            };
            if let (Some(limit), Some(&(_, next))) = (self.plan.breaks.max_gap, read.last())
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
        let shown: Vec<_> = read.iter().map(|(row, x)| format!("{x} (point {row})")).collect();
        let order = if must_rise { "rising" } else { "monotonic" };
        let message = format!(
            "`x` must be finite and strictly {order}, but got {} in a row; sort the feed, drop duplicates, or turn \
            `strict` off to get nulls there",
            shown.join(", ")
        );
        Err(LiveError {
            message,
            row: Some(point.row),
        })
    }

    fn no_past(&self) -> Past<Y, X> {
        std::iter::repeat_n(None, self.kept()).collect()
    }

    /// The number of points kept of a source: those that the operator and the check of x read.
    fn kept(&self) -> usize {
        self.reach.rows().max(2)
    }

    /// Adds a point, or the end of the feed; returns the result that it finishes.
    fn follow(&self, past: &mut Past<Y, X>, next: Option<Point<Y, X>>) -> Option<(u64, [Option<f64>; MAX_OUTPUTS])> {
        past.pop_front();
        past.push_back(next);
        let window: Vec<_> = past.iter().skip(self.kept() - self.reach.rows()).copied().collect();
        let this = window[self.reach.before]?;
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
            rules: SegmentRules::new(self.plan.breaks, None, 0),
            units: &self.plan.units,
            // An x is checked when it arrives.
            strict: false,
        };
        let mut results = Columns::<f64>::with_capacity(self.plan.outputs.len(), 1);
        let mut values = [None; MAX_OUTPUTS];
        if let Form::Rows(operator) = self.plan.operator.form()
            && operator.evaluate(&rows, &mut results).is_ok()
        {
            for (value, (numbers, validity)) in values.iter_mut().zip(results.into_parts()) {
                let valid = validity.is_none_or(|bytes| Bits::new(&bytes, 0).get(0));
                *value = numbers.first().copied().filter(|_| valid);
            }
        }
        Some((this.row, values))
    }
}

fn bit(set: bool) -> Bits<'static> {
    Bits::new(if set { &[1] } else { &[0] }, 0)
}
