//! What a user can ask of a gradient: the one struct that every face shares.

use serde::{Deserialize, Serialize};

/// How to differentiate. [`Default`] is what `numpy.gradient` does, on rows one step apart.
///
/// # Examples
///
/// ```
/// use polars_grad::{EdgeOrder, GradientOptions, Spacing};
///
/// let options = GradientOptions {
///     spacing: Spacing::Step(0.5),
///     edge_order: EdgeOrder::Second,
///     ..GradientOptions::default()
/// };
/// # assert!(options.strict);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GradientOptions {
    /// The step from row to row where there is no coordinate column.
    pub spacing: Spacing,
    /// The unit of a temporal x in the result, in nanoseconds; `None` is one second.
    pub per: Option<i64>,
    /// The order of accuracy at the ends of a segment.
    pub edge_order: EdgeOrder,
    /// What a null in y or x does to the rows around it.
    pub nulls: Nulls,
    /// Neighbours further apart in x than this are none: the segment ends there. Positive, and of the kind of x: a
    /// number, or a time for a temporal x.
    pub max_gap: Option<Spacing>,
    /// Whether an x that is not strictly monotonic is an error; otherwise its rows are null.
    pub strict: bool,
}

impl Default for GradientOptions {
    fn default() -> Self {
        Self {
            spacing: Spacing::default(),
            per: None,
            edge_order: EdgeOrder::default(),
            nulls: Nulls::default(),
            max_gap: None,
            strict: true,
        }
    }
}

/// A length along x: the constant step from row to row, or the longest one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// A number in the user's own unit; finite and not zero.
    Step(f64),
    /// A time, in nanoseconds; not zero.
    Nanoseconds(i64),
}

impl Default for Spacing {
    fn default() -> Self {
        Self::Step(1.0)
    }
}

/// The order of accuracy of the one-sided differences at the ends of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
