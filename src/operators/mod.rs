//! The operators, one file each, and what the engine asks of them.
//!
//! An operator is a small struct of options that implements [`Describe`] and [`Stencil`]. Its line in `operators!` adds
//! it to every face.

mod rows;
mod stencil;

use num_traits::AsPrimitive;
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use crate::kernel::Sample;

pub use crate::segments::Reach;

#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use self::rows::Part;
pub(crate) use self::rows::{Columns, Float, Rows, Unsorted, Valid};
pub(crate) use self::stencil::{Describe, Evaluate, MAX_OUTPUTS, MAX_REACH, Output, Values};
#[allow(unused_imports)] // For operators that are evaluated row by row.
pub(crate) use self::stencil::{Stencil, Window, row_by_row, value};

/// Declares the modules of the operators and the enum of all of them.
macro_rules! operators {
    ($($module:ident: $operator:ident),* $(,)?) => {
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
