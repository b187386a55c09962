//! The expressions of Polars: as a Python plugin and in lazy frames of Rust.

#[cfg(feature = "lazy")]
mod lazy;
#[cfg(feature = "python")]
mod plugin;
mod points;

#[cfg(feature = "lazy")]
pub use self::lazy::ExprGrad;
