//! The operators, one file each, and what the engine asks of them.
//!
//! An operator is a small struct of options that implements [`Describe`] and [`Stencil`]. Its line in `operators!` puts it on
//! every face.

use std::ops::Range;

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::evaluate::{Columns, Rows, Unsorted, row_by_row};
use crate::kernel::Sample;

/// Declares the modules of the operators and the enum of all of them.
macro_rules! operators {
    ($($module:ident: $operator:ident),* $(,)?) => {
        $(
            mod $module;
            pub use self::$module::$operator;
        )*

        /// Any operator, with its options: what every face takes.
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
        #[non_exhaustive]
        pub enum Operator {
            $(
                #[doc = concat!("[`", stringify!($operator), "`](crate::", stringify!($operator), ")")]
                $operator($operator),
            )*
        }

        $(
            impl From<$operator> for Operator {
                fn from(operator: $operator) -> Self {
                    Self::$operator(operator)
                }
            }
        )*

        impl Operator {
            /// Every operator, with its default options.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$operator($operator::default()),)*]
            }

            /// The name of the operator, as the Python function and messages spell it.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$operator(_) => stringify!($module),)*
                }
            }

            fn stencil(&self) -> &dyn Describe {
                match self {
                    $(Self::$operator(operator) => operator,)*
                }
            }

            /// Appends the results of some rows to those before.
            ///
            /// # Errors
            ///
            /// An unsorted x, if `strict`.
            pub(crate) fn evaluate<Y: Sample, X: Sample, O: Float>(
                &self,
                rows: &Rows<'_, '_, Y, X>,
                results: &mut Columns<O>,
            ) -> Result<(), Unsorted>
            where
                f64: AsPrimitive<O>,
            {
                match self {
                    $(Self::$operator(operator) => operator.evaluate_rows(rows, results),)*
                }
            }
        }
    };
}

operators! {
    derivative: Derivative,
    gradient: Gradient,
}

pub use self::derivative::Side;
pub use self::gradient::EdgeOrder;

impl Operator {
    /// How many rows before and after its own the operator may read.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.stencil().reach()
    }

    pub(crate) fn outputs(&self) -> Vec<Output> {
        self.stencil().outputs()
    }
}

/// The most rows before or after its own that an operator may read.
pub(crate) const MAX_REACH: usize = 15;

/// The most columns of a result.
pub(crate) const MAX_OUTPUTS: usize = 3;

/// A number of rows before and after a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Rows before it.
    pub before: usize,
    /// Rows after it.
    pub after: usize,
}

impl Reach {
    /// All rows of a window: those before, the row itself, those after.
    pub(crate) fn rows(self) -> usize {
        self.before + 1 + self.after
    }

    /// The places of these rows among `all` rows.
    pub(crate) fn within(self, all: Self) -> Range<usize> {
        all.before - self.before..all.before + 1 + self.after
    }
}

/// One column of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Output {
    /// The name of the field where an operator has several outputs; one alone is the whole result.
    pub(crate) name: &'static str,
    /// The power of x by which the rise of y is divided: 0 for a rise, 1 for a slope, 2 for a curvature.
    pub(crate) order: u32,
}

impl Output {
    /// The only output of an operator: y per `x^order`.
    pub(crate) const fn per_x(order: u32) -> Self {
        Self { name: "", order }
    }
}

/// The results at one row, one for each output; `None` is null.
pub(crate) type Values = [Option<f64>; MAX_OUTPUTS];

/// The result at one row of an operator with one output.
pub(crate) fn value(result: f64) -> Values {
    let mut values = [None; MAX_OUTPUTS];
    values[0] = Some(result);
    values
}

/// The rows that an operator reads at one row: adjacent, of one segment, without nulls, in the order of x.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// The rise of y from each row to the next, rounded once.
    pub(crate) rises: &'a [f64],
    /// The step of x from each row to the next, rounded once: all positive or all negative. Without an x each is 1.
    pub(crate) steps: &'a [f64],
    /// How many of the rows are before the row itself.
    #[allow(dead_code, reason = "not every operator asks where in its window the row is")]
    pub(crate) before: usize,
}

/// What the engine asks of an operator before it reads a value.
pub(crate) trait Describe {
    /// How many rows before and after its own the operator may read, at most [`MAX_REACH`] each.
    fn reach(&self) -> Reach;

    /// The columns of the result.
    fn outputs(&self) -> Vec<Output>;
}

/// An operator whose result at a row is a function of a few rows around it.
pub(crate) trait Stencil: Describe {
    /// The rows that are read at a row with `available` rows of its segment around it, at most the reach; `None` where
    /// the segment is too short, which makes the row null.
    fn reads(&self, available: Reach) -> Option<Reach>;

    /// The results at one row, in the numbers of the columns: the engine brings them to the units of the outputs.
    fn evaluate(&self, window: Window<'_>) -> Values;
}

/// An operator with a loop of its own over the rows. A [`Stencil`] is evaluated row by row.
pub(crate) trait Evaluate: Describe {
    /// Appends the results of adjacent rows to those before.
    ///
    /// # Errors
    ///
    /// An unsorted x, if `rows` are strict.
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), Unsorted>
    where
        f64: AsPrimitive<O>;
}

impl<S: Stencil> Evaluate for S {
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), Unsorted>
    where
        f64: AsPrimitive<O>,
    {
        row_by_row(self, rows, results)
    }
}

/// The float that results are stored as.
pub(crate) trait Float: Copy + Default + Send + Sync + 'static {}

impl Float for f64 {}
impl Float for f32 {}
