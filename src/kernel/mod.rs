//! Slices in, slopes out: the stencil and nothing of data frames.
//!
//! # Example
//!
//! `y = x²` on an irregular grid. How rows find their neighbours is up to the caller; here they are next to each other, in
//! columns that have one value more at either end, and are one segment.
//!
//! ```
//! use polars_grad::kernel::{Neighbours, Points, Scale, Sides, irregular};
//!
//! let x = [f64::NAN, 0.0, 1.0, 3.0, 4.0, f64::NAN];
//! let y = [f64::NAN, 0.0, 1.0, 9.0, 16.0, f64::NAN];
//! let points = Points { y: Neighbours::padded(&y), x: Neighbours::padded(&x), scale: Scale::ONE };
//! let unsorted = |row| Err(format!("x is not strictly monotonic at row {row}"));
//! let mut slopes: Vec<f64> = Vec::new();
//! irregular(points, Sides::of_segment(4), unsorted, &mut slopes)?;
//! assert_eq!(slopes, [1.0, 2.0, 6.0, 7.0]);
//! # Ok::<(), String>(())
//! ```

mod sample;
mod slopes;
pub mod stencil;

pub use sample::{Limit, Rise, Sample, Scale};
pub use slopes::{Neighbours, Points, Sides, even, irregular};
