//! Derivatives of tabular data: `numpy.gradient` for columns, on any grid, with nulls, gaps and groups, exact for integers
//! and times.
//!
//! # Example
//!
//! ```
//! # #[cfg(feature = "polars")]
//! # fn main() -> polars::prelude::PolarsResult<()> {
//! use polars::prelude::*;
//! use polars_grad::{Domain, Gradient, evaluate};
//!
//! let t = Series::new("t".into(), [0.0, 1.0, 3.0]);
//! let y = Series::new("y".into(), [Some(0.0), Some(1.0), None]);
//! let dy_dt = evaluate(&y, Gradient::new(), &Domain::new().x(t))?;
//! assert_eq!(dy_dt.f64()?.to_vec(), [Some(1.0), None, None]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "polars"))]
//! # fn main() {}
//! ```
//!
//! # Why this crate
//!
//! - Differences are divided before they are weighted. Integers and times are subtracted as integers. The result keeps
//!   digits that `numpy.gradient` loses.
//! - Nulls, NaN, gaps, short and unsorted columns each have a documented result; no value is invented, nothing panics.
//! - One pass for all groups, with one division per row and the vector instructions of the processor.
//! - One engine: every face below gives the same bits.
//!
//! # Features
//!
//! | feature | what it adds | depends on |
//! |---|---|---|
//! | `polars` (default) | `evaluate` over a `Series`, `Column` or chunked array; `partials` of fields on a grid | Polars |
//! | `lazy` | `ExprGrad`: `col("y").grad(...)` in lazy frames | Polars' lazy engine |
//! | `arrow` | `arrow::evaluate` over the arrays and batches of Apache Arrow | the `arrow-*` crates |
//! | `serde` | operators and domains that can be stored; part of `polars` | serde |
//! | none | [`Live`], points one by one; [`kernel`], slices in, slices out | num-traits |
//! | `python` | the plugin of the Python package. It sets the global allocator; not for dependents | Polars, `PyO3` |
//!
//! The versions of Polars (0.55) and Arrow (60) are part of the interface, as their types are.

// On docs.rs each item names the feature that it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "arrow")]
pub mod arrow;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed uses a part of it.
mod bits;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod column;
mod dispatch;
mod domain;
mod inputs;
pub mod kernel;
mod live;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed uses a part of it.
mod operators;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod parallel;
mod plan;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod points;
#[cfg(feature = "polars")]
mod polars;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod prefetch;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod run;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed uses a part of it.
mod segments;
mod units;
#[cfg(any(feature = "polars", feature = "arrow"))]
mod unsorted;

pub use domain::{Domain, Duplicates, Length, Nulls};
pub use live::{Finished, Live, LiveError};
// A glob, so that an operator is registered in one place.
pub use operators::*;
#[cfg(feature = "lazy")]
pub use polars::ExprGrad;
#[cfg(feature = "polars")]
pub use polars::{Differentiable, curl, divergence, evaluate, gradient_horizontal, laplacian, magnitude, partials};
