//! The operators, one file each, and what the engine asks of them.
//!
//! An operator is a small struct of options. It implements [`Describe`], and is evaluated in one of two ways:
//!
//! - by rows ([`Stencil`], or [`Evaluate`] with a loop of its own): from the few rows around each row, which are lagged
//!   copies of the column;
//! - by segments ([`Scan`]): from all rows of a segment at once.
//!
//! Its line in `operators!` adds it to every face.

mod counter;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod cuts;
mod describe;
mod rows;
mod scan;
mod stencil;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use num_traits::AsPrimitive;

#[cfg(feature = "polars")]
use crate::domain::{Domain, Duplicates, Nulls};
use crate::kernel::Sample;
use crate::units::{PlanError, Units};

pub use self::counter::Reset;
pub use self::describe::Extent;
pub use crate::segments::Reach;

pub(crate) use self::describe::{Describe, Measure, Output, Repeats, SigmaUse, Takes};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use self::rows::Column;
pub(crate) use self::rows::{Columns, Float, Reason, RowError, Rows, Valid};
pub(crate) use self::scan::{Reached, Scan, Scanned, Segment};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use self::scan::{SegmentTarget, Sums};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use self::stencil::Target;
pub(crate) use self::stencil::{Evaluate, MAX_OUTPUTS, MAX_REACH, Values};
#[allow(unused_imports)] // For operators that are evaluated row by row.
pub(crate) use self::stencil::{Stencil, Window, row_by_row, value};

/// Declares the modules of the operators and the enums of all of them.
macro_rules! operators {
    (
        by rows: { $($row_module:ident: $row:ident,)* }
        by segments: { $($segment_module:ident: $segment:ident,)* }
    ) => {
        operators!(@declare $($row_module: $row,)* $($segment_module: $segment,)*);

        /// The operators that are evaluated by rows.
        #[derive(Clone, Copy)]
        pub(crate) enum RowOperator<'a> {
            $($row(&'a $row),)*
        }

        /// The operators that are evaluated by segments.
        #[derive(Clone, Copy)]
        pub(crate) enum SegmentOperator<'a> {
            $($segment(&'a $segment),)*
        }

        impl Operator {
            pub(crate) fn form(&self) -> Form<'_> {
                match self {
                    $(Self::$row(operator) => Form::Rows(RowOperator::$row(operator)),)*
                    $(Self::$segment(operator) => Form::Segments(SegmentOperator::$segment(operator)),)*
                }
            }
        }

        impl RowOperator<'_> {
            /// Appends the results of some rows to those before.
            ///
            /// # Errors
            ///
            /// A row that is wrong, if `rows` are strict.
            pub(crate) fn evaluate<Y: Sample, X: Sample, O: Float>(
                self,
                rows: &Rows<'_, '_, Y, X>,
                results: &mut Columns<O>,
            ) -> Result<(), RowError>
            where
                f64: AsPrimitive<O>,
            {
                match self {
                    $(Self::$row(operator) => operator.evaluate_rows(rows, results),)*
                }
            }

            /// Appends exact results to those before, for integers whose results keep their dtype.
            ///
            /// # Errors
            ///
            /// A row that is wrong, if `rows` are strict.
            pub(crate) fn evaluate_exactly<Y: Sample, X: Sample>(
                self,
                rows: &Rows<'_, '_, Y, X>,
                results: &mut Columns<i128>,
            ) -> Result<(), RowError> {
                match self {
                    $(Self::$row(operator) => operator.evaluate_exactly(rows, results),)*
                }
            }
        }

        impl SegmentOperator<'_> {
            /// Appends the results of a segment to those before.
            ///
            /// # Errors
            ///
            /// A row that is wrong, if the segment is strict.
            #[inline(never)]
            pub(crate) fn evaluate<Y: Sample, X: Sample>(
                self,
                segment: &Segment<'_, Y, X>,
                results: &mut Columns<f64>,
            ) -> Result<(), RowError> {
                match self {
                    $(Self::$segment(operator) => operator.evaluate_segment(segment, results),)*
                }
            }

            /// Appends the results of several short segments to those before. Returns whether it has.
            #[inline(never)]
            pub(crate) fn evaluate_short<Y: Sample, X: Sample>(
                self,
                segments: &Segment<'_, Y, X>,
                starts: u64,
                results: &mut Columns<f64>,
            ) -> bool {
                match self {
                    $(Self::$segment(operator) => operator.evaluate_short(segments, starts, results),)*
                }
            }

            /// Appends exact results to those before, for integers whose results keep their dtype.
            ///
            /// # Errors
            ///
            /// A row that is wrong, if the segment is strict.
            pub(crate) fn evaluate_exactly<Y: Sample, X: Sample>(
                self,
                segment: &Segment<'_, Y, X>,
                results: &mut Columns<i128>,
            ) -> Result<(), RowError> {
                match self {
                    $(Self::$segment(operator) => operator.evaluate_exactly(segment, results),)*
                }
            }
        }

        #[cfg(any(feature = "polars", feature = "arrow"))]
        impl SegmentOperator<'_> {
            /// How far around its own row the operator reads.
            pub(crate) fn extent(self) -> Extent {
                match self {
                    $(Self::$segment(operator) => operator.extent(),)*
                }
            }

            /// The rows of a block, if segments may be cut between blocks.
            pub(crate) fn block(self) -> Option<usize> {
                match self {
                    $(Self::$segment(operator) => operator.block(),)*
                }
            }

            /// The first of the rows of a segment at which it may be cut.
            pub(crate) fn cut<Y: Sample, X: Sample>(self, segment: &Segment<'_, Y, X>) -> Option<usize> {
                match self {
                    $(Self::$segment(operator) => operator.cut(segment),)*
                }
            }

            /// The sums of some blocks of a segment.
            pub(crate) fn sums<Y: Sample, X: Sample>(self, segment: &Segment<'_, Y, X>, sums: &mut Sums) {
                match self {
                    $(Self::$segment(operator) => operator.sums(segment, sums),)*
                }
            }

            /// What is reached behind some blocks of a segment, after what was reached before them, if any are.
            pub(crate) fn reached(self, before: Option<Reached>, sums: &Sums) -> Reached {
                match self {
                    $(Self::$segment(operator) => operator.reached(before, sums),)*
                }
            }
        }
    };
    (@declare $($module:ident: $operator:ident,)*) => {
        $(
            mod $module;
            pub use self::$module::$operator;
        )*

        /// An operator with its options, the argument of every face.
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

            /// The name of the operator in Python and in messages.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$operator(_) => stringify!($module),)*
                }
            }

            /// What the operator is, whatever the values.
            pub(crate) fn describe(&self) -> &dyn Describe {
                match self {
                    $(Self::$operator(operator) => operator,)*
                }
            }

            /// The operator with its lengths in the numbers of the columns.
            ///
            /// # Errors
            ///
            /// An option that does not fit the columns.
            pub(crate) fn resolved(&self, units: &Units) -> Result<Self, PlanError> {
                match self {
                    $(Self::$operator(operator) => Ok(Self::$operator(operator.resolved(units)?)),)*
                }
            }
        }
    };
}

operators! {
    by rows: {
        derivative: Derivative,
        gradient: Gradient,
        increase: Increase,
        rate: Rate,
    }
    by segments: {
        integral: Integral,
        rolling_slope: RollingSlope,
        savgol: Savgol,
        turning_points: TurningPoints,
    }
}

pub use self::derivative::Side;
pub use self::gradient::EdgeOrder;
pub use self::rolling_slope::{Closed, WindowSize};
pub use self::savgol::{Edges, Weights};

/// How an operator is evaluated.
#[derive(Clone, Copy)]
pub(crate) enum Form<'a> {
    Rows(RowOperator<'a>),
    Segments(SegmentOperator<'a>),
}

impl Operator {
    /// How far around its own row the operator reads.
    #[must_use]
    pub fn extent(&self) -> Extent {
        self.describe().extent()
    }

    /// Whether lagged copies of the column are enough, without keys: which rows are neighbours does not depend on values.
    #[cfg(feature = "polars")]
    pub(crate) fn reads_lags<C>(&self, domain: &Domain<C>) -> bool {
        let adjacent =
            domain.nulls != Nulls::Skip && domain.duplicates == Duplicates::Error && domain.x_period.is_none();
        adjacent && matches!(self.form(), Form::Rows(_))
    }

    /// The lags that the operator reads: none but the row itself if it is evaluated by segments.
    pub(crate) fn reach(&self) -> Reach {
        match (self.form(), self.extent()) {
            (Form::Rows(_), Extent::Rows(reach)) => reach,
            _ => Reach { before: 0, after: 0 },
        }
    }
}
