//! Derivatives of tabular data: `numpy.gradient` for Polars columns, on any grid, with nulls, exact for integers and times.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "polars")]
//! # fn main() -> polars::prelude::PolarsResult<()> {
//! use polars::prelude::*;
//! use polars_grad::{GradientOptions, gradient};
//!
//! let t = Series::new("t".into(), [0.0, 1.0, 3.0]);
//! let y = Series::new("y".into(), [Some(0.0), Some(1.0), None]);
//! let dy_dt = gradient(&y, &GradientOptions::new().x(t))?;
//! assert_eq!(dy_dt.f64()?.to_vec(), [Some(1.0), None, None]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "polars"))]
//! # fn main() {}
//! ```
//!
//! # Why this crate
//!
//! - Differences are divided before they are weighed, integers and times subtracted as integers: the answer keeps its
//!   digits where `numpy.gradient` loses them.
//! - Nulls, NaN, short and unsorted columns each have a stated result; nothing is invented, nothing panics.
//! - One pass, one division a row, vector instructions where the processor has them.
//!
//! # Features
//!
//! - `polars` (default): [`gradient`] on `Series`.
//! - `python`: the plugin of the Python package. It sets the global allocator; not for dependents.
//! - none: [`kernel`], slices in, slopes out, for other engines.

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed needs less of it.
mod bits;
pub mod kernel;
mod live;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed needs less of it.
mod neighbours;
mod options;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed needs less of it.
mod piece;
mod plan;
#[cfg(feature = "polars")]
mod polars;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod sweep;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod threads;
mod unit;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod unsorted;

pub use live::{Finished, LiveError, LiveGradient};
pub use options::{EdgeOrder, GradientOptions, Nulls, Spacing};
#[cfg(feature = "lazy")]
pub use polars::ExprGradient;
#[cfg(feature = "polars")]
pub use polars::{Differentiable, gradient};
