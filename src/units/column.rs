//! What is known of a column before its values are.

use std::fmt::Display;

use super::Unit;

/// A column as a plan sees it.
#[derive(Clone, Copy)]
pub(crate) struct ColumnInfo<'a> {
    pub(crate) name: &'a str,
    pub(crate) dtype: &'a dyn Display,
    /// `None` where the dtype has no differences.
    pub(crate) unit: Option<Unit>,
    /// What it holds where the dtype has no differences.
    pub(crate) opaque: Opaque,
    pub(crate) is_bool: bool,
    /// Whether it is a point in time, not an amount.
    pub(crate) is_instant: bool,
    pub(crate) is_float: bool,
    /// The canonical number that means zero.
    pub(crate) zero: i128,
    /// The number of bits that 128 have left for a fraction, if the canonical numbers are integers; else 0.
    pub(crate) spare_bits: u32,
    /// The number of axes inside of a cell.
    pub(crate) axes: usize,
}

/// What a column without differences holds.
#[derive(Clone, Copy)]
pub(crate) enum Opaque {
    /// Strings.
    #[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed has none.
    Text,
    /// Bytes, or the objects of Python, which Polars passes on as such.
    #[cfg_attr(not(feature = "polars"), allow(dead_code))]
    Bytes,
    /// Anything else.
    Other,
}

impl ColumnInfo<'_> {
    /// What to do about a column without differences, where its values may be times or must be numbers.
    pub(crate) fn remedy(&self, takes_times: bool) -> &'static str {
        match self.opaque {
            Opaque::Text if !cfg!(feature = "python") => "parse it first",
            Opaque::Text if takes_times => {
                "parse it first, times with `.str.to_datetime()`, numbers with `.cast(pl.Float64)`"
            },
            Opaque::Text => "parse it first, with `.cast(pl.Float64)`",
            Opaque::Bytes if cfg!(feature = "python") => "cast it first; Polars passes on an Object column as binary",
            _ => "cast it first",
        }
    }
}

#[cfg(all(test, any(feature = "polars", feature = "arrow")))]
impl<'a> ColumnInfo<'a> {
    /// A column of 64-bit floats.
    pub(crate) fn of_floats(name: &'a str) -> Self {
        Self {
            name,
            dtype: &"f64",
            unit: Some(Unit::NUMBER),
            opaque: Opaque::Other,
            is_bool: false,
            is_instant: false,
            is_float: true,
            zero: 0,
            spare_bits: 0,
            axes: 0,
        }
    }
}

/// The bits that a number of at most 64 bits leaves for a fraction, where it has 128.
pub(crate) const SPARE_BITS_OF_64: u32 = 62;

/// The bits for a fraction of a number that may have 128 bits: larger ones than the rest holds have no mean.
pub(crate) const SPARE_BITS_OF_128: u32 = 58;

/// The bits that a decimal of so many digits leaves for a fraction.
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) fn spare_bits_of_decimal(digits: usize) -> u32 {
    let largest = 10_u128.saturating_pow(digits as u32);
    let spare = largest.leading_zeros().saturating_sub(2);
    spare.clamp(SPARE_BITS_OF_128, SPARE_BITS_OF_64)
}
