//! Units of the numbers in a column.

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
