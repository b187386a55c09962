//! What a user can ask of a gradient: the one struct that every face shares.

use std::convert::Infallible;
use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How to differentiate, and over what. [`new`](Self::new) is what `numpy.gradient` does: rows one step apart.
///
/// `C` is what a column is where the gradient is taken: an expression, a column, an array, or the name of one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use polars_grad::{EdgeOrder, GradientOptions, Nulls};
///
/// let options: GradientOptions<String> = GradientOptions::new()
///     .x("time")
///     .by(["station"])
///     .per(Duration::from_secs(3600))
///     .max_gap(Duration::from_secs(5400))
///     .nulls(Nulls::Skip)
///     .edge_order(EdgeOrder::Second);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(default, deny_unknown_fields, bound(deserialize = "C: Deserialize<'de>"))
)]
pub struct GradientOptions<C> {
    pub(crate) x: Option<C>,
    pub(crate) by: Vec<C>,
    pub(crate) spacing: Option<Spacing>,
    pub(crate) per: Option<i64>,
    pub(crate) edge_order: EdgeOrder,
    pub(crate) axis: isize,
    pub(crate) nulls: Nulls,
    pub(crate) max_gap: Option<Spacing>,
    pub(crate) strict: bool,
}

impl<C> Default for GradientOptions<C> {
    fn default() -> Self {
        Self {
            x: None,
            by: Vec::new(),
            spacing: None,
            per: None,
            edge_order: EdgeOrder::default(),
            axis: 0,
            nulls: Nulls::default(),
            max_gap: None,
            strict: true,
        }
    }
}

impl<C> GradientOptions<C> {
    /// Rows one step apart, `edge_order` 1, nulls propagate, a broken x is an error.
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

    /// The keys, of any dtype that can be grouped: rows of equal keys are differentiated by themselves, wherever they
    /// stand. A null is a key like any other.
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
    pub fn spacing(mut self, spacing: impl Into<Spacing>) -> Self {
        self.spacing = Some(spacing.into());
        self
    }

    /// The unit of a temporal x in the result; one second unless given.
    #[must_use]
    pub fn per(mut self, unit: Duration) -> Self {
        self.per = Some(nanoseconds(unit));
        self
    }

    /// The order of accuracy at the ends of segments.
    #[must_use]
    pub fn edge_order(mut self, edge_order: EdgeOrder) -> Self {
        self.edge_order = edge_order;
        self
    }

    /// The axis to differentiate along: 0, the default, is down the rows, 1 and further ones are inside the cells of a list
    /// or array column, outermost first; negative ones count from the innermost.
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

    /// Neighbours further apart in x than this are none: the segment ends there. A positive number, or a [`Duration`]
    /// where x is a time.
    #[must_use]
    pub fn max_gap(mut self, gap: impl Into<Spacing>) -> Self {
        self.max_gap = Some(gap.into());
        self
    }

    /// Whether an x that is not finite and strictly monotonic is an error (the default); otherwise its rows are null.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// The same options over other columns: of names, say, made expressions.
    ///
    /// ```
    /// use polars_grad::GradientOptions;
    ///
    /// let by_name: GradientOptions<String> = GradientOptions::new().x("t");
    /// let upper: GradientOptions<String> = by_name.map_columns(|name| name.to_uppercase());
    /// assert_eq!(upper, GradientOptions::new().x("T"));
    /// ```
    #[must_use]
    pub fn map_columns<D>(self, mut f: impl FnMut(C) -> D) -> GradientOptions<D> {
        let Ok(options) = self.try_map_columns(|column| Ok::<_, Infallible>(f(column)));
        options
    }

    pub(crate) fn try_map_columns<D, E>(self, mut f: impl FnMut(C) -> Result<D, E>) -> Result<GradientOptions<D>, E> {
        Ok(GradientOptions {
            x: self.x.map(&mut f).transpose()?,
            by: self.by.into_iter().map(f).collect::<Result<_, E>>()?,
            spacing: self.spacing,
            per: self.per,
            edge_order: self.edge_order,
            axis: self.axis,
            nulls: self.nulls,
            max_gap: self.max_gap,
            strict: self.strict,
        })
    }
}

/// A length along x: the constant step from row to row, or the longest one.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Spacing {
    /// A number in the user's own unit.
    Step(f64),
    /// A time, in nanoseconds.
    Nanoseconds(i64),
}

impl From<f64> for Spacing {
    fn from(step: f64) -> Self {
        Self::Step(step)
    }
}

impl From<Duration> for Spacing {
    /// A time beyond 292 years becomes the longest that 64 bits of nanoseconds hold.
    fn from(time: Duration) -> Self {
        Self::Nanoseconds(nanoseconds(time))
    }
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// The order of accuracy of the one-sided differences at the ends of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(Serialize, Deserialize),
    serde(try_from = "u8", into = "u8")
)]
pub enum EdgeOrder {
    /// The two-point difference; a segment needs two rows.
    #[default]
    First,
    /// The three-point one-sided formula; a segment needs three rows.
    Second,
}

impl EdgeOrder {
    /// How far from its row a stencil reaches.
    pub(crate) fn reach(self) -> usize {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }
}

impl TryFrom<u8> for EdgeOrder {
    type Error = String;

    fn try_from(order: u8) -> Result<Self, Self::Error> {
        match order {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            _ => Err(format!("`edge_order` must be 1 or 2, got {order}")),
        }
    }
}

impl From<EdgeOrder> for u8 {
    fn from(order: EdgeOrder) -> Self {
        match order {
            EdgeOrder::First => 1,
            EdgeOrder::Second => 2,
        }
    }
}

/// What a null in y or x does to the rows around it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Nulls {
    /// Null wherever the stencil touches it, its own row included.
    #[default]
    Propagate,
    /// As if the rows with a null were absent; they are null themselves.
    Skip,
    /// A null ends a segment: one-sided differences on both sides of it.
    Split,
}
