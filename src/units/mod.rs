//! What the numbers of columns and results mean, and what is given in their units.

/// Returns an error in words.
macro_rules! refuse {
    ($($message:tt)*) => { return Err($crate::units::PlanError(format!($($message)*))) };
}

pub(crate) use refuse;

mod amounts;
mod column;
mod scale;

pub(crate) use amounts::{Units, limit, shown};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use amounts::{positive, shifted};
#[cfg(any(feature = "polars", feature = "arrow"))]
pub(crate) use column::spare_bits_of_decimal;
pub(crate) use column::{ColumnInfo, Opaque, SPARE_BITS_OF_64, SPARE_BITS_OF_128};
pub(crate) use scale::{Ratio, Step, parts, power_of_ten, scale};

use crate::kernel::Scale;

/// The meaning of a difference of 1 in the canonical numbers of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A plain number, in units of `10^-decimals`.
    Number { decimals: usize },
    /// A time, in units of this many nanoseconds.
    Time { nanoseconds: i64 },
}

impl Unit {
    pub(crate) const NUMBER: Self = Self::Number { decimals: 0 };
    pub(crate) const NANOSECONDS_OF_DAY: i64 = 86_400_000_000_000;
    pub(crate) const DAY: Self = Self::Time {
        nanoseconds: Self::NANOSECONDS_OF_DAY,
    };

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Time { .. })
    }
}

/// What a result counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Numbers: floats of the width of y if y is a float, else 64-bit floats.
    Number,
    /// Numbers: 64-bit floats, whatever y is.
    Float64,
    /// Durations in ticks of this many nanoseconds.
    Duration { nanoseconds: i64 },
    /// The numbers of y, in its dtype.
    OfY,
    /// Places on x: in its dtype if that is temporal or Float32, else 64-bit floats. A temporal one is in ticks from the x
    /// of its row.
    OfX,
    /// Indices of words.
    Word(&'static [&'static str]),
}

impl Kind {
    /// Numbers as 64-bit floats.
    pub(crate) fn or_float64(self) -> Self {
        if self == Self::Number { Self::Float64 } else { self }
    }
}

/// How the numbers of the columns become those of the result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResultUnits {
    /// Whether the first output is a word, which has no scale.
    pub(crate) has_words: bool,
    /// One for each output that is a number.
    pub(crate) scales: Vec<Scale>,
    /// That of y per x.
    pub(crate) rate: Scale,
    /// The number of y that means zero.
    pub(crate) zero: i128,
    /// The number of x that means zero, if x is a number: places on a temporal x are distances from the x of the row.
    pub(crate) zero_of_x: Option<i128>,
    /// The period of y, in its numbers.
    pub(crate) period: Option<f64>,
    /// Whether the numbers of y, and those of x, are of 128 bits and read in 64, which hold these rows of them.
    pub(crate) narrowed: [bool; 2],
}

/// Why an operator has no result for these columns and this domain.
#[derive(Debug)]
pub(crate) struct PlanError(pub(crate) String);
