//! Slices in, slopes out: the stencil and nothing of data frames.
//!
//! # Example
//!
//! The interior rows of `y = x²` on an irregular grid; how rows find their neighbours is up to the caller, here they are
//! next to each other.
//!
//! ```
//! use polars_grad::kernel::{Neighbours, Scale, irregular};
//!
//! fn windows(column: &[f64]) -> Neighbours<'_, f64> {
//!     let n = column.len();
//!     Neighbours { previous: &column[..n - 2], this: &column[1..n - 1], next: &column[2..] }
//! }
//!
//! let x = [0.0, 1.0, 3.0, 4.0];
//! let y = [0.0, 1.0, 9.0, 16.0];
//! let mut slopes: Vec<f64> = Vec::new();
//! let unsorted = |row| Err(format!("x is not strictly monotonic at row {row}"));
//! irregular(windows(&y), windows(&x), Scale::ONE, |_| true, unsorted, &mut slopes)?;
//! assert_eq!(slopes, [2.0, 6.0]);
//! # Ok::<(), String>(())
//! ```

mod interior;
mod sample;
pub mod stencil;

pub use interior::{Neighbours, even, irregular};
pub use sample::{Limit, Rise, Sample, Scale};
