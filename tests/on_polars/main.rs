//! The faces for Polars, in one executable: each would link all of Polars, 300 MB.

#[path = "../oracle/mod.rs"]
mod oracle;

mod dtypes;
mod gradient;
mod grid;
mod hostile;
mod lazy;
mod nested;
mod operators;
