//! The domain: where an operator is evaluated. Every operator and every face shares it.

use std::convert::Infallible;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// Where an operator is evaluated: the coordinate, the groups, and what belongs together.
///
/// [`new`](Self::new) takes all rows as one group whose rows are one step apart. `C` is the type of a column on the face
/// that is used: an expression, a column, an array, or the name of one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use polars_grad::{Domain, Nulls};
///
/// let domain: Domain<String> = Domain::new()
///     .x("time")
///     .by(["station"])
///     .per(Duration::from_secs(3600))
///     .max_gap(Duration::from_secs(5400))
///     .nulls(Nulls::Skip);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(default, deny_unknown_fields, bound(deserialize = "C: Deserialize<'de>"))
)]
pub struct Domain<C> {
    pub(crate) x: Option<C>,
    pub(crate) sigma: Option<C>,
    pub(crate) by: Vec<C>,
    pub(crate) spacing: Option<Length>,
    pub(crate) per: Option<i64>,
    pub(crate) axis: isize,
    pub(crate) nulls: Nulls,
    pub(crate) max_gap: Option<Length>,
    pub(crate) duplicates: Duplicates,
    pub(crate) strict: bool,
    pub(crate) y_period: Option<Length>,
    pub(crate) x_period: Option<Length>,
    pub(crate) sphere: Option<f64>,
}

impl<C> Default for Domain<C> {
    fn default() -> Self {
        Self {
            x: None,
            sigma: None,
            by: Vec::new(),
            spacing: None,
            per: None,
            axis: 0,
            nulls: Nulls::default(),
            max_gap: None,
            duplicates: Duplicates::default(),
            strict: true,
            y_period: None,
            x_period: None,
            sphere: None,
        }
    }
}

impl<C> Domain<C> {
    /// Rows one step apart in one group, nulls propagate, an unsorted x is an error.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The coordinate: any number, boolean or time, strictly rising or falling within each segment.
    #[must_use]
    pub fn x(mut self, x: impl Into<C>) -> Self {
        self.x = Some(x.into());
        self
    }

    /// The standard deviation of y in each row, in the unit of y: positive numbers, or durations where y is temporal. For
    /// [`Derivative`](crate::Derivative) with errors, whose standard error is null where one of its rows has none, and for
    /// [`RollingSlope`](crate::RollingSlope), which weighs a row by 1/sigma² and takes one without sigma as null.
    #[must_use]
    pub fn sigma(mut self, sigma: impl Into<C>) -> Self {
        self.sigma = Some(sigma.into());
        self
    }

    /// The keys, of any dtype that can be grouped. Rows with equal keys form a group, wherever they are. A null is a
    /// key like any other.
    #[must_use]
    pub fn by<I>(mut self, keys: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<C>,
    {
        self.by = keys.into_iter().map(Into::into).collect();
        self
    }

    /// The step from row to row, instead of a coordinate: a number (finite, not zero) or a [`Duration`].
    #[must_use]
    pub fn spacing(mut self, spacing: impl Into<Length>) -> Self {
        self.spacing = Some(spacing.into());
        self
    }

    /// The unit of a temporal x in the result; one second unless given.
    #[must_use]
    pub fn per(mut self, unit: Duration) -> Self {
        self.per = Some(nanoseconds(unit));
        self
    }

    /// The axis: 0, the default, is down the rows; 1 and further ones are inside the cells of a list or array column,
    /// outermost first; negative ones count from the innermost.
    #[must_use]
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// What a null in y or x does to the rows around it.
    #[must_use]
    pub fn nulls(mut self, nulls: Nulls) -> Self {
        self.nulls = nulls;
        self
    }

    /// The longest step in x within a segment: a longer one ends it. A positive number, or a [`Duration`] where x is
    /// temporal.
    #[must_use]
    pub fn max_gap(mut self, gap: impl Into<Length>) -> Self {
        self.max_gap = Some(gap.into());
        self
    }

    /// What adjacent rows of equal x are.
    #[must_use]
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = duplicates;
        self
    }

    /// The period of a y that wraps around, such as 360 for degrees or a day for times of day: rises are taken to the
    /// nearest multiple of it. A positive number, or a [`Duration`] where y is temporal.
    #[must_use]
    pub fn y_period(mut self, period: impl Into<Length>) -> Self {
        self.y_period = Some(period.into());
        self
    }

    /// The period of an x that goes round, such as 360 for longitudes or a day for times of day: the last row of a group
    /// stands before its first one, so that no row is an end. A positive number, or a [`Duration`] where x is temporal;
    /// without an x a multiple of [`spacing`](Self::spacing).
    ///
    /// A group must end before its first row comes again. [`max_gap`](Self::max_gap) and [`Nulls::Split`] open the ring.
    /// For [`Gradient`](crate::Gradient) and [`Derivative`](crate::Derivative), of whole columns; not in a live feed.
    #[must_use]
    pub fn x_period(mut self, period: impl Into<Length>) -> Self {
        self.x_period = Some(period.into());
        self
    }

    /// The radius of the sphere that a grid is on, whose first two coordinates are longitudes and latitudes in degrees:
    /// derivatives are by lengths in its unit, with the metric terms of these coordinates. A third coordinate is a height
    /// that is small against the radius. At the poles derivatives along parallels are null.
    ///
    /// For grids only. There [`x_period`](Self::x_period) is then that of longitudes.
    #[must_use]
    pub fn sphere(mut self, radius: f64) -> Self {
        self.sphere = Some(radius);
        self
    }

    /// Whether an x that is not finite and strictly monotonic is an error (the default) or gives nulls.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The same domain with other columns, such as expressions instead of names.
    ///
    /// ```
    /// use polars_grad::Domain;
    ///
    /// let by_name: Domain<String> = Domain::new().x("t");
    /// let upper: Domain<String> = by_name.map_columns(|name| name.to_uppercase());
    /// assert_eq!(upper, Domain::new().x("T"));
    /// ```
    #[must_use]
    pub fn map_columns<D>(self, mut f: impl FnMut(C) -> D) -> Domain<D> {
        let Ok(domain) = self.try_map_columns(|column| Ok::<_, Infallible>(f(column)));
        domain
    }

    pub(crate) fn try_map_columns<D, E>(self, mut f: impl FnMut(C) -> Result<D, E>) -> Result<Domain<D>, E> {
        Ok(Domain {
            x: self.x.map(&mut f).transpose()?,
            sigma: self.sigma.map(&mut f).transpose()?,
            by: self.by.into_iter().map(f).collect::<Result<_, E>>()?,
            spacing: self.spacing,
            per: self.per,
            axis: self.axis,
            nulls: self.nulls,
            max_gap: self.max_gap,
            duplicates: self.duplicates,
            strict: self.strict,
            y_period: self.y_period,
            x_period: self.x_period,
            sphere: self.sphere,
        })
    }
}

/// A length along x.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Length {
    /// A number in the user's own unit.
    Step(f64),
    /// A duration, in nanoseconds.
    Nanoseconds(i64),
}

impl From<f64> for Length {
    fn from(step: f64) -> Self {
        Self::Step(step)
    }
}

impl From<Duration> for Length {
    /// A duration beyond 292 years becomes the longest that 64 bits of nanoseconds hold.
    fn from(time: Duration) -> Self {
        Self::Nanoseconds(nanoseconds(time))
    }
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// What a null in y or x does to the rows around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Nulls {
    /// Null in every row whose window contains it, its own row included.
    #[default]
    Propagate,
    /// Rows with a null count as absent. They are null themselves.
    Skip,
    /// A null ends a segment: one-sided differences on both sides of it.
    Split,
}

/// What adjacent rows of equal x within a segment are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Duplicates {
    /// An x that is not strictly monotonic: an error, or null if not [`strict`](Domain::strict).
    #[default]
    Error,
    /// One point, whose y is the first that is not null. Each of its rows gets the result of the point.
    First,
    /// One point, whose y is the last that is not null: a later row changes those before it.
    Last,
    /// One point, whose y is the mean of those that are not null: a later row changes those before it.
    Mean,
}
