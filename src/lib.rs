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
//! let dy_dt = gradient(&y, Some(&t), &GradientOptions::default())?;
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

pub mod kernel;

#[cfg(feature = "polars")]
mod gradient;
#[cfg(feature = "polars")]
mod neighbours;
#[cfg(feature = "polars")]
mod options;
#[cfg(feature = "polars")]
mod piece;
#[cfg(feature = "polars")]
mod plan;
#[cfg(feature = "python")]
mod plugin;
#[cfg(feature = "polars")]
mod points;
#[cfg(feature = "polars")]
mod quantity;
#[cfg(feature = "polars")]
mod sweep;
#[cfg(feature = "polars")]
mod threads;
#[cfg(feature = "polars")]
mod unsorted;

#[cfg(feature = "polars")]
pub use gradient::{gradient, gradient_by};
#[cfg(feature = "polars")]
pub use options::{EdgeOrder, GradientOptions, Nulls, Spacing};
