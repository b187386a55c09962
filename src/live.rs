//! The derivative of a live feed: points in, finished slopes out a step behind.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::{self, Display};
use std::hash::Hash;
use std::time::Duration;

use crate::bits::Bits;
use crate::kernel::{Sample, stencil};
use crate::neighbours::{Chunk, Column, Links};
use crate::options::{GradientOptions, Nulls};
use crate::piece::Slopes;
use crate::plan::{Described, Plan, Refused};
use crate::unit::Unit;

/// A differentiator for points that arrive one by one, or batch by batch, from any number of sources.
///
/// Each key is a column of its own. A slope is finished as soon as its stencil is complete: one point of the same key
/// later, with [`EdgeOrder::Second`](crate::EdgeOrder::Second) two. The formulas and rules are those of `gradient` on a
/// whole column, and the slopes are the same bit for bit, however the feed is cut. Memory is proportional to the number
/// of keys: four points each.
///
/// - `K`: what tells the sources apart; `()` for a single one.
/// - `Y`, `X`: the numbers of the points, [`f64`] unless said: any [`Sample`], of which integers are subtracted as such.
///
/// # Examples
///
/// ```
/// use polars_grad::{GradientOptions, LiveGradient};
///
/// let mut live = LiveGradient::new(&GradientOptions::new())?;
/// assert_eq!(live.push("a", Some(0.0), Some(0.0))?, None);
/// assert_eq!(live.push("b", Some(0.0), Some(5.0))?, None);
/// let slope = live.push("a", Some(1.0), Some(1.0))?.expect("the first point of a has its neighbour");
/// assert_eq!((slope.key, slope.row, slope.slope), ("a", 0, Some(1.0)));
/// let slope = live.push("a", Some(3.0), Some(9.0))?.expect("the second point of a has both neighbours");
/// assert_eq!((slope.row, slope.slope), (2, Some(2.0)));
///
/// // At the end the last points are finished, in the order of their rows. One alone has no slope.
/// let last: Vec<_> = live.finish().into_iter().map(|slope| (slope.row, slope.slope)).collect();
/// assert_eq!(last, [(1, None), (3, Some(4.0))]);
/// # Ok::<(), polars_grad::LiveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LiveGradient<K, Y = f64, X = f64> {
    plan: Plan,
    reach: usize,
    skip_nulls: bool,
    strict: bool,
    rows: u64,
    sources: HashMap<K, Past<Y, X>>,
}

/// A finished slope.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished<K> {
    /// The source.
    pub key: K,
    /// Which of all the points this is the slope at: the first one pushed is 0.
    pub row: u64,
    /// The slope, or `None` by the rules for nulls, short segments and a broken x.
    pub slope: Option<f64>,
}

/// Why a point is not taken, or a feed cannot begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveError {
    message: String,
    row: Option<u64>,
}

impl LiveError {
    /// Which of all the points was not taken, counting those that were; `None` for an option that does not fit.
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

impl From<Refused> for LiveError {
    fn from(Refused(message): Refused) -> Self {
        Self { message, row: None }
    }
}

#[derive(Clone, Copy, Debug)]
struct Point<Y, X> {
    row: u64,
    x: Option<X>,
    y: Option<Y>,
}

/// The last points of a source, the newest last; `None` before its first one.
type Past<Y, X> = [Option<Point<Y, X>>; 4];

impl<K: Clone + Eq + Hash, Y: Sample + Default, X: Sample + Default + Display> LiveGradient<K, Y, X> {
    /// A feed whose x are numbers.
    ///
    /// # Errors
    ///
    /// An option that does not fit: `per`, a `max_gap` in time, a `spacing` (the x are given).
    pub fn new(options: &GradientOptions<()>) -> Result<Self, LiveError> {
        Self::of(options, Unit::NUMBER)
    }

    /// A feed whose x are times, counted in ticks of such a length, mostly as [`i64`]; slopes are per second, or
    /// [`per`](GradientOptions::per).
    ///
    /// ```
    /// use std::time::Duration;
    /// use polars_grad::{GradientOptions, LiveGradient};
    ///
    /// let per_hour = GradientOptions::new().per(Duration::from_secs(3600));
    /// let mut live = LiveGradient::<(), f64, i64>::over_time(&per_hour, Duration::from_millis(1))?;
    /// live.push((), Some(1_763_740_800_000), Some(20.0))?;
    /// let slope = live.push((), Some(1_763_740_860_000), Some(20.5))?.expect("a minute later");
    /// assert_eq!(slope.slope, Some(30.0));
    /// # Ok::<(), polars_grad::LiveError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An option that does not fit: a `max_gap` in numbers, a `spacing`; a tick of zero or beyond 292 years.
    pub fn over_time(options: &GradientOptions<()>, tick: Duration) -> Result<Self, LiveError> {
        match i64::try_from(tick.as_nanos()) {
            Ok(nanoseconds) if nanoseconds > 0 => Self::of(options, Unit::Time { nanoseconds }),
            _ => Err(Refused(format!("`tick` must be from 1 ns to 292 years long, got {tick:?}")).into()),
        }
    }

    fn of(options: &GradientOptions<()>, unit: Unit) -> Result<Self, LiveError> {
        if !options.by.is_empty() || options.x.is_some() || options.spacing.is_some() {
            let message = "a live feed gets x and key with each point; drop `x`, `by` and `spacing` from the options";
            return Err(Refused(message.into()).into());
        }
        let column = |name, unit| Described {
            name,
            dtype: &"a live feed of numbers; one of times begins with `over_time`",
            unit: Some(unit),
            is_bool: false,
            axes: 0,
        };
        Ok(Self {
            plan: Plan::new(column("y", Unit::NUMBER), Some(column("x", unit)), options)?,
            reach: options.edge_order.reach(),
            skip_nulls: options.nulls == Nulls::Skip,
            strict: options.strict,
            rows: 0,
            sources: HashMap::new(),
        })
    }

    /// Takes a point, `None` standing for a null; returns the slope that it finishes.
    ///
    /// # Errors
    ///
    /// An x that is not finite, or not strictly monotonic with the two points before, unless
    /// [`strict`](GradientOptions::strict) is off. The point then is not taken, and the feed can go on without it.
    pub fn push(&mut self, key: K, x: Option<X>, y: Option<Y>) -> Result<Option<Finished<K>>, LiveError> {
        let point = Point { row: self.rows, x, y };
        if self.skip_nulls && (x.is_none() || y.is_none()) {
            self.rows += 1;
            let (row, slope) = (point.row, None);
            return Ok(Some(Finished { key, row, slope }));
        }
        let past = self.sources.get(&key).copied().unwrap_or_default();
        if self.strict {
            self.check(&past, &point)?;
        }
        let slope = self.slope(&past, Some(point));
        self.rows += 1;
        self.sources.insert(key.clone(), follow(past, Some(point)));
        Ok(slope.map(|(row, slope)| Finished { key, row, slope }))
    }

    /// Takes a batch of points `(key, x, y)`, and appends the slopes that they finish, in the order of the points.
    ///
    /// # Errors
    ///
    /// Those of [`push`](Self::push); the points before the broken one are taken, their slopes appended.
    pub fn extend<I>(&mut self, points: I, finished: &mut Vec<Finished<K>>) -> Result<(), LiveError>
    where
        I: IntoIterator<Item = (K, Option<X>, Option<Y>)>,
    {
        for (key, x, y) in points {
            finished.extend(self.push(key, x, y)?);
        }
        Ok(())
    }

    /// Ends the feed: the slopes at the last points of every key, in the order of the points.
    #[must_use]
    pub fn finish(self) -> Vec<Finished<K>> {
        let mut finished = Vec::new();
        for (key, &past) in &self.sources {
            let mut past = past;
            for _ in 0..self.reach {
                let slope = self.slope(&past, None);
                finished.extend(slope.map(|(row, slope)| Finished {
                    key: key.clone(),
                    row,
                    slope,
                }));
                past = follow(past, None);
            }
        }
        finished.sort_by_key(|slope| slope.row);
        finished
    }

    /// Whether the x of a point leads on from those before it.
    fn check(&self, [.., a, b]: &Past<Y, X>, point: &Point<Y, X>) -> Result<(), LiveError> {
        let linked = |point: &Point<Y, X>| point.x.filter(|_| !self.plan.apart.at_nulls || point.y.is_some());
        let Some(x) = linked(point) else { return Ok(()) };
        let before = [a, b].map(|past| past.as_ref().and_then(linked));
        let step = |from: Option<X>, to: X| {
            let from = from?;
            let is_gap = self.plan.apart.max_gap.is_some_and(|limit| to.is_beyond(from, limit));
            (!is_gap).then(|| to.minus(from))
        };
        let is_finite = x.taint() == 0.0;
        let last = step(before[1], x);
        let leads_on = last.is_none_or(|last| {
            let first = before[1].and_then(|b| step(before[0], b)).unwrap_or(last);
            stencil::monotonic(first, last)
        });
        if is_finite && leads_on {
            return Ok(());
        }
        let shown: Vec<_> = [*a, *b, Some(*point)]
            .iter()
            .flatten()
            .filter_map(|point| Some(format!("{} (point {})", point.x?, point.row)))
            .collect();
        let message = format!(
            "`x` must be finite and strictly monotonic, but got {} in a row; sort the feed, drop duplicates, or turn \
            `strict` off to get nulls there",
            shown.join(", ")
        );
        Err(LiveError {
            message,
            row: Some(point.row),
        })
    }

    /// The slope at the point whose stencil the next one, or the end of the feed, completes.
    fn slope(&self, past: &Past<Y, X>, next: Option<Point<Y, X>>) -> Option<(u64, Option<f64>)> {
        let window: Vec<_> = past[4 - 2 * self.reach..].iter().copied().chain([next]).collect();
        let this = window[self.reach]?;
        let values = window.iter().map(|point| {
            let x = point.and_then(|point| point.x);
            let y = point.and_then(|point| point.y);
            let known = [y.is_some(), x.is_some(), point.is_some()];
            ([y.unwrap_or_default()], [x.unwrap_or_default()], known.map(bit))
        });
        let values: Vec<_> = values.collect();
        let members = values.iter().map(|(y, x, [y_known, x_known, exists])| Chunk {
            y: Column {
                values: y,
                validity: Some(*y_known),
            },
            x: Some(Column {
                values: x,
                validity: Some(*x_known),
            }),
            exists: Some(*exists),
        });
        let members: Vec<_> = members.collect();
        let mut slopes = Slopes::<f64>::with_capacity(1);
        let links = Links::new(self.plan.apart, None, 0);
        let Ok(()) = slopes.append(&members, links, self.plan.scale, &mut |_, _| Ok::<_, Infallible>(()));
        let (slopes, validity) = slopes.into_parts();
        Some((this.row, validity.is_none().then_some(slopes[0])))
    }
}

fn follow<Y: Copy, X: Copy>([_, a, b, c]: Past<Y, X>, next: Option<Point<Y, X>>) -> Past<Y, X> {
    [a, b, c, next]
}

fn bit(set: bool) -> Bits<'static> {
    Bits::new(if set { &[1] } else { &[0] }, 0)
}
