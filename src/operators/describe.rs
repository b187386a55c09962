//! What an operator is, whatever the values.

use crate::domain::Length;
use crate::segments::Reach;
use crate::units::{PlanError, Units};

/// How far around its own row an operator reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// A number of rows.
    Rows(Reach),
    /// Lengths of x before and after: at least what the operator reads, both ends included. A length of zero are the
    /// rows of the same x.
    Lengths {
        /// The length before the row.
        before: Length,
        /// The length after the row.
        after: Length,
    },
    /// All rows of the segment up to its own.
    Before,
    /// The whole segment.
    Segment,
}

impl Extent {
    /// Some rows before and after.
    pub(crate) const fn rows(before: usize, after: usize) -> Self {
        Self::Rows(Reach { before, after })
    }
}

/// One column of a result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Output {
    /// The name of the field; empty if the operator has a single output, which is the whole result.
    pub(crate) name: &'static str,
    /// What its numbers are.
    pub(crate) measure: Measure,
    /// The standard deviation of y by which the output is multiplied: a number in the unit of y, or a time.
    pub(crate) sigma: Option<Length>,
}

/// What the numbers of an output are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// A rise of y per power of x: the power is 0 for a rise, 1 for a slope, 2 for a second derivative, -1 for an
    /// integral.
    PerX(i32),
    /// A rise of y, in its dtype: an integer, a Decimal and a duration keep theirs.
    Rise,
    /// A value of y, counted from its zero: a 64-bit float, or a duration.
    Level,
    /// A value of y near that of its row: a time keeps its dtype.
    Value,
    /// A place on x: its number if x is one, its distance from the row in ticks if x is a time, and without an x its
    /// distance from the first row of the group.
    Place,
    /// One of some words, by its index.
    Word(&'static [&'static str]),
}

impl Measure {
    /// The power of x by which y is divided.
    pub(crate) const fn power(self) -> i32 {
        match self {
            Self::PerX(power) => power,
            _ => 0,
        }
    }
}

impl Output {
    /// The only output of an operator: y per `x^order`.
    pub(crate) const fn per_x(order: i32) -> Self {
        Self {
            name: "",
            measure: Measure::PerX(order),
            sigma: None,
        }
    }

    /// The only output of an operator: a y, in its dtype.
    pub(crate) const fn of_y() -> Self {
        Self::field("", Measure::Rise)
    }

    /// A value of y, counted from its zero.
    pub(crate) const fn level(name: &'static str) -> Self {
        Self::field(name, Measure::Level)
    }

    /// A place on x.
    pub(crate) const fn place(name: &'static str) -> Self {
        Self::field(name, Measure::Place)
    }

    /// One of some words.
    pub(crate) const fn word(name: &'static str, words: &'static [&'static str]) -> Self {
        Self::field(name, Measure::Word(words))
    }

    const fn field(name: &'static str, measure: Measure) -> Self {
        Self {
            name,
            measure,
            sigma: None,
        }
    }
}

/// The kinds of y that an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// All that have differences: numbers, instants and durations.
    Differences,
    /// Amounts, which have a zero: numbers and durations.
    Amounts,
    /// Numbers.
    Numbers,
}

/// What an operator does with a column of standard deviations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SigmaUse {
    /// It computes the errors of its results, which are null where a row has no deviation.
    Errors,
    /// It weighs the rows. One without a deviation counts as null.
    Weights,
}

/// What rows of one x get, where these are one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// Each the result of the point.
    Each,
    /// The first the result of the point, the others zero.
    FirstThenZero,
    /// The first the result of the point, the others null.
    FirstThenNull,
}

/// The properties of an operator that do not depend on values.
pub(crate) trait Describe {
    /// How far around its own row the operator reads: by rows, at most [`MAX_REACH`](super::MAX_REACH) each, if it is
    /// evaluated by rows.
    fn extent(&self) -> Extent;

    /// The columns of the result.
    fn outputs(&self) -> Vec<Output>;

    /// What y may be.
    fn takes(&self) -> Takes {
        Takes::Differences
    }

    /// Whether x must rise, not fall.
    fn needs_rising_x(&self) -> bool {
        false
    }

    /// Whether rows must be a known step apart: by x or by `spacing`.
    fn needs_steps(&self) -> bool {
        false
    }

    /// Whether y may have a period.
    fn takes_y_period(&self) -> bool {
        true
    }

    /// Whether x may have a period, so that rows at the two ends of a group are neighbours: only if the operator reads a
    /// number of rows, or a length, around its own.
    fn takes_x_period(&self) -> bool {
        false
    }

    /// What it does with a column of standard deviations.
    ///
    /// # Errors
    ///
    /// Why it takes none.
    fn uses_sigma(&self) -> Result<SigmaUse, &'static str> {
        Err("takes no `sigma`")
    }

    /// What the rows of one point get.
    fn repeats(&self) -> Repeats {
        Repeats::Each
    }

    /// The operator with its lengths in the numbers of the columns.
    ///
    /// # Errors
    ///
    /// An option that does not fit the columns.
    fn resolved(&self, _units: &Units) -> Result<Self, PlanError>
    where
        Self: Sized + Clone,
    {
        Ok(self.clone())
    }
}
