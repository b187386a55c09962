//! Slices in, slopes out: the formulas and the loop over the rows, without data frames.
//!
//! # Example
//!
//! `y = x²` on an irregular grid. All rows are one segment, and the columns are padded with one value at each end.
//!
//! ```
//! use polars_grad::kernel::{NeighborMask, Points, Scale, ThreePoint, irregular};
//!
//! let x = [f64::NAN, 0.0, 1.0, 3.0, 4.0, f64::NAN];
//! let y = [f64::NAN, 0.0, 1.0, 9.0, 16.0, f64::NAN];
//! let points = Points { y: ThreePoint::padded(&y), x: ThreePoint::padded(&x), scale: Scale::ONE };
//! let mut slopes: Vec<f64> = Vec::new();
//! irregular(points, NeighborMask::of_segment(4), true, &mut slopes)
//!     .map_err(|row| format!("x is not strictly monotonic at row {row}"))?;
//! assert_eq!(slopes, [1.0, 2.0, 6.0, 7.0]);
//! # Ok::<(), String>(())
//! ```

mod counter;
pub(crate) mod differences;
mod double;
mod five_rows;
pub(crate) mod line;
mod mean;
pub(crate) mod newton;
pub(crate) mod polynomial;
mod quad_double;
mod sample;
mod slopes;
pub mod stencil;
pub(crate) mod trapezoids;
#[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed has no segments.
pub(crate) mod turns;
mod wide;

pub(crate) use counter::{Counter, Pair, Wrong};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use mean::{float_mean, float_rise, has_mean, whole_mean, whole_rise};
pub(crate) use mean::{mean_of_floats, mean_of_integers};
pub use sample::{Limit, Rise, Sample, Scale, is_monotonic};
pub(crate) use sample::{angles, periodic, periodic_rises};
pub(crate) use slopes::three_point;
pub use slopes::{NeighborMask, Points, ThreePoint, even, irregular};
