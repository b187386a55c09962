//! Slices in, slices out: the stencil and nothing of data frames.

mod interior;
mod sample;
pub mod stencil;

pub use interior::{Neighbours, even, irregular};
pub use sample::{Sample, Scale};
