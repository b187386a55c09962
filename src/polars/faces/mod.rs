//! Polars expressions: the Python plugin, and lazy frames in Rust.

#[cfg(feature = "lazy")]
mod lazy;
#[cfg(feature = "python")]
mod plugin;
mod points;

#[cfg(feature = "lazy")]
pub use self::lazy::ExprGrad;
