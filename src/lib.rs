//! Derivatives of tabular data: `numpy.gradient` for Polars, and past it.

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
pub use gradient::gradient;
#[cfg(feature = "polars")]
pub use options::{EdgeOrder, GradientOptions, Nulls, Spacing};
