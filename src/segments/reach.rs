//! The reach of an operator.

use std::ops::Range;

/// A number of rows before and after a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Rows before it.
    pub before: usize,
    /// Rows after it.
    pub after: usize,
}

impl Reach {
    /// All rows of a window: those before, the row itself, those after.
    pub(crate) fn rows(self) -> usize {
        self.before + 1 + self.after
    }

    /// The range of these rows within `all` rows.
    pub(crate) fn within(self, all: Self) -> Range<usize> {
        all.before - self.before..all.before + 1 + self.after
    }
}
