//! Operators over a live feed: points in, finished results out.
//!
//! - `source`: the points of one key: merged where x repeats, checked, evaluated
//! - `past`: the points of a key that are still read, and the results that they finish

mod past;
mod source;

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::hash::Hash;
use std::iter::repeat_n;
use std::time::Duration;

use self::past::{Settings, Values};
use self::source::{Pushed, Source};
use crate::domain::{Domain, Duplicates, Nulls};
use crate::inputs::Inputs;
use crate::kernel::{Sample, mean_of_floats, mean_of_integers};
use crate::operators::{Extent, Operator};
use crate::plan::Plan;
use crate::units::{ColumnInfo, Opaque, PlanError, SPARE_BITS_OF_64, SPARE_BITS_OF_128, Unit};

/// An operator over points that arrive one by one, or batch by batch, from any number of sources.
///
/// Each key is a group. A result is finished once all points that the operator reads have arrived: for `Gradient` one
/// point of the same key later, with [`EdgeOrder::Second`](crate::EdgeOrder::Second) two; for a window of a length once
/// x has passed the point by the part of the window after it, so that a trailing window is one point late; for
/// `Integral` at once. With [`duplicates`](Domain::duplicates) the points of one x are finished together, once x has
/// moved on. The results have the same bits as those of a whole column. Memory holds, for each key, the points that the
/// operator reads.
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
/// assert_eq!(live.push("a", Some(0.0), Some(0.0))?, []);
/// assert_eq!(live.push("b", Some(0.0), Some(5.0))?, []);
/// let first = &live.push("a", Some(1.0), Some(1.0))?[0]; // which has its neighbour now
/// assert_eq!((first.key, first.row, first.value()), ("a", 0, Some(1.0)));
/// let second = &live.push("a", Some(3.0), Some(9.0))?[0]; // which has both
/// assert_eq!((second.row, second.value()), (2, Some(2.0)));
///
/// // At the end the last points are finished, in the order of their rows. One alone has no slope.
/// let last: Vec<_> = live.finish().into_iter().map(|slope| (slope.row, slope.value())).collect();
/// assert_eq!(last, [(1, None), (3, Some(4.0))]);
/// # Ok::<(), polars_grad::LiveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Live<K, Y = f64, X = f64> {
    settings: Settings,
    rows: u64,
    sources: Sources<K, Y, X>,
}

/// The sources by key, and the numbers that the y of their points are.
#[derive(Clone, Debug)]
enum Sources<K, Y, X> {
    /// Those that are pushed.
    Own(HashMap<K, Source<Y, Y, X>>),
    /// Means of floats.
    Means(HashMap<K, Source<f64, Y, X>>),
    /// Means of integers, with binary digits after the point.
    WholeMeans(HashMap<K, Source<i128, Y, X>>),
}

/// A finished result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished<K> {
    /// The source.
    pub key: K,
    /// The point that the result is at: the first one pushed is 0.
    pub row: u64,
    values: Values,
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
    /// let a_minute_later = live.push((), Some(1_763_740_860_000), Some(20.5))?;
    /// assert_eq!(a_minute_later[0].value(), Some(30.0));
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
        if operator.extent() == Extent::Segment {
            let name = operator.name();
            let message = format!("`{name}` needs whole segments, which a live feed does not keep; evaluate a column");
            return Err(PlanError(message).into());
        }
        if domain.x_period.is_some() {
            let message = "a live feed takes no `x_period`: the last point, which stands before the first one, has not \
                           arrived yet; evaluate a column";
            return Err(PlanError(message.into()).into());
        }
        let column = |name, unit| ColumnInfo {
            name,
            dtype: &"a live feed of numbers (one of times begins with `over_time`)",
            unit: Some(unit),
            opaque: Opaque::Other,
            is_bool: false,
            is_instant: false,
            is_float: !Y::INTEGER,
            zero: 0,
            spare_bits: match size_of::<Y>() {
                _ if !Y::INTEGER => 0,
                16 => SPARE_BITS_OF_128,
                _ => SPARE_BITS_OF_64,
            },
            axes: 0,
        };
        Ok(Self {
            settings: Settings {
                plan: Plan::new(
                    operator,
                    Inputs::new(column("y", Unit::NUMBER), Some(column("x", unit))),
                    domain,
                )?,
                reach: operator.reach(),
                skip_nulls: domain.nulls == Nulls::Skip,
                strict: domain.strict,
            },
            rows: 0,
            sources: match domain.duplicates {
                Duplicates::Mean if Y::INTEGER => Sources::WholeMeans(HashMap::new()),
                Duplicates::Mean => Sources::Means(HashMap::new()),
                _ => Sources::Own(HashMap::new()),
            },
        })
    }

    /// Takes a point, where `None` is a null, and returns the results that it finishes.
    ///
    /// # Errors
    ///
    /// An x that is not finite, or in the wrong order after the points before, unless [`strict`](Domain::strict) is
    /// off; a y that is too large for a mean. The point is then refused, and the feed can go on without it.
    pub fn push(&mut self, key: K, x: Option<X>, y: Option<Y>) -> Result<Vec<Finished<K>>, LiveError> {
        let row = Pushed { row: self.rows, x, y };
        let results = match (&mut self.sources, self.settings.plan.duplicates) {
            (Sources::Own(sources), Duplicates::Last) => {
                take(&self.settings, sources, &key, row, &|numbers: &[Y]| {
                    numbers.last().copied()
                })
            },
            (Sources::Own(sources), _) => take(&self.settings, sources, &key, row, &|numbers: &[Y]| {
                numbers.first().copied()
            }),
            (Sources::Means(sources), _) => {
                let period = self.settings.plan.units.period;
                take(&self.settings, sources, &key, row, &|numbers: &[Y]| {
                    mean_of_floats(numbers.iter().copied(), period)
                })
            },
            (Sources::WholeMeans(sources), _) => {
                let means = whole_means(&self.settings);
                take(&self.settings, sources, &key, row, &means)
            },
        }?;
        self.rows += 1;
        let keys = repeat_n(key, results.len());
        let finished = keys
            .zip(results)
            .map(|(key, (row, values))| self.finished(key, row, values));
        Ok(finished.collect())
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
        let settings = &self.settings;
        let results = match std::mem::replace(&mut self.sources, Sources::Own(HashMap::new())) {
            Sources::Own(sources) => match settings.plan.duplicates {
                Duplicates::Last => last_of(settings, sources, &|numbers: &[Y]| numbers.last().copied()),
                _ => last_of(settings, sources, &|numbers: &[Y]| numbers.first().copied()),
            },
            Sources::Means(sources) => {
                let period = settings.plan.units.period;
                last_of(settings, sources, &|numbers: &[Y]| {
                    mean_of_floats(numbers.iter().copied(), period)
                })
            },
            Sources::WholeMeans(sources) => last_of(settings, sources, &whole_means(settings)),
        };
        let mut finished: Vec<_> = results
            .into_iter()
            .map(|(key, row, values)| self.finished(key, row, values))
            .collect();
        finished.sort_by_key(|result| result.row);
        finished
    }

    fn finished(&self, key: K, row: u64, values: Values) -> Finished<K> {
        Finished {
            key,
            row,
            values,
            outputs: self.settings.plan.outputs.len(),
        }
    }
}

/// The mean of the integers of a point.
fn whole_means<Y: Sample>(settings: &Settings) -> impl Fn(&[Y]) -> Option<i128> {
    let digits = settings.plan.mean_digits;
    let period = settings.plan.units.period;
    let period = period.map(|period| (period / 2_f64.powi(digits as i32)) as i128);
    move |numbers| mean_of_integers(numbers.iter().copied(), digits, period)
}

/// Takes a row of a source.
fn take<K, P, Y, X>(
    settings: &Settings,
    sources: &mut HashMap<K, Source<P, Y, X>>,
    key: &K,
    row: Pushed<Y, X>,
    merged: &dyn Fn(&[Y]) -> Option<P>,
) -> Result<Vec<(u64, Values)>, LiveError>
where
    K: Clone + Eq + Hash,
    P: Sample + Default,
    Y: Sample,
    X: Sample + Default + Display,
{
    if let Some(source) = sources.get_mut(key) {
        return source.take(settings, row, merged);
    }
    let mut source = Source::new(settings);
    let results = source.take(settings, row, merged)?;
    sources.insert(key.clone(), source);
    Ok(results)
}

/// The results at the last points of all sources.
fn last_of<K, P, Y, X>(
    settings: &Settings,
    sources: HashMap<K, Source<P, Y, X>>,
    merged: &dyn Fn(&[Y]) -> Option<P>,
) -> Vec<(K, u64, Values)>
where
    K: Clone,
    P: Sample + Default,
    Y: Sample,
    X: Sample + Default + Display,
{
    let of_source = |(key, source): (K, Source<P, Y, X>)| {
        let results = source.finish(settings, merged).into_iter();
        results.map(move |(row, values)| (key.clone(), row, values))
    };
    sources.into_iter().flat_map(of_source).collect()
}
