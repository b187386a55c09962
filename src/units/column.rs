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

#[cfg(all(test, any(feature = "polars", feature = "arrow")))]
impl<'a> ColumnInfo<'a> {
    /// A column of 64-bit floats.
    pub(crate) fn of_floats(name: &'a str) -> Self {
        Self {
            name,
            dtype: &"f64",
            unit: Some(Unit::NUMBER),
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
