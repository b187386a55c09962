//! What the numbers of a column count.

/// What one step of a column's canonical numbers means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A plain number, counted in steps of `10^-decimals`.
    Number { decimals: usize },
    /// A time, counted in steps of so many nanoseconds.
    Time { nanoseconds: i64 },
}

impl Unit {
    pub(crate) const NUMBER: Self = Self::Number { decimals: 0 };
    pub(crate) const DAY: Self = Self::Time {
        nanoseconds: 86_400_000_000_000,
    };

    pub(crate) fn is_time(self) -> bool {
        matches!(self, Self::Time { .. })
    }
}
