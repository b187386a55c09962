//! Slices in, slopes out: the stencil and nothing of data frames.
//!
//! # Example
//!
//! `y = x²` on an irregular grid. How rows find their neighbours is up to the caller; here they are next to each other,
//! and the first and the last row, which have only one, stand in for the other one themselves.
//!
//! ```
//! use polars_grad::kernel::{Neighbours, Points, Scale, Sides, irregular};
//!
//! let x = [0.0, 1.0, 3.0, 4.0];
//! let y = [0.0, 1.0, 9.0, 16.0];
//! let points = Points {
//!     y: Neighbours { previous: &[0.0, 0.0, 1.0, 9.0], this: &y, next: &[1.0, 9.0, 16.0, 16.0] },
//!     x: Neighbours { previous: &[0.0, 0.0, 1.0, 3.0], this: &x, next: &[1.0, 3.0, 4.0, 4.0] },
//!     scale: Scale::ONE,
//! };
//! let sides = |_| Sides { before: !1, after: !(1 << 3), known: u64::MAX };
//! let unsorted = |row| Err(format!("x is not strictly monotonic at row {row}"));
//! let mut slopes: Vec<f64> = Vec::new();
//! irregular(points, sides, unsorted, &mut slopes)?;
//! assert_eq!(slopes, [1.0, 2.0, 6.0, 7.0]);
//! # Ok::<(), String>(())
//! ```

mod sample;
mod slopes;
pub mod stencil;

pub use sample::{Limit, Rise, Sample, Scale};
pub use slopes::{Neighbours, Points, Sides, even, irregular};
