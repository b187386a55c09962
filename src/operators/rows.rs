//! Inputs and outputs of an operator: adjacent rows of a column, and results with their validity.

use std::ops::Range;

use crate::bits::{Bitmap, ROWS};
use crate::kernel::Scale;
use crate::segments::{Lag, Reach, SegmentRules};

/// Adjacent rows, their lagged copies, and what ends a segment among them.
pub(crate) struct Rows<'a, 'b, Y, X> {
    /// Furthest row back first; the rows themselves are at `reach.before`. All have one length.
    pub(crate) lags: &'b [Lag<'a, Y, X>],
    pub(crate) reach: Reach,
    pub(crate) rules: SegmentRules<'b>,
    /// One for each output.
    pub(crate) scales: &'b [Scale],
    /// Whether an unsorted x is an error, or gives nulls.
    pub(crate) strict: bool,
}

impl<Y: Copy, X: Copy> Rows<'_, '_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.lags[0].len()
    }
}

/// A row whose x is not finite and strictly monotonic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsorted {
    /// The row, in the order in which rows are neighbours.
    pub(crate) row: usize,
    /// The lags that are read there.
    pub(crate) reads: Range<usize>,
}

impl Unsorted {
    /// The same error with another row number.
    #[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed checks x when it arrives.
    pub(crate) fn map_row(self, map: impl FnOnce(usize) -> usize) -> Self {
        Self {
            row: map(self.row),
            ..self
        }
    }
}

/// The outputs of an operator, row by row.
#[derive(Debug)]
pub(crate) struct Columns<O> {
    pub(super) fields: Vec<Column<O>>,
}

/// One output and which of its rows are valid.
#[derive(Debug)]
pub(crate) struct Column<O> {
    pub(super) values: Vec<O>,
    /// `None` while all rows are valid.
    validity: Option<Bitmap>,
}

/// The values of an output, and a bit for each unless all are valid.
pub(crate) type Part<O> = (Vec<O>, Option<Vec<u8>>);

impl<O> Columns<O> {
    pub(crate) fn with_capacity(outputs: usize, rows: usize) -> Self {
        let column = || Column {
            values: Vec::with_capacity(rows),
            validity: None,
        };
        Self {
            fields: std::iter::repeat_with(column).take(outputs).collect(),
        }
    }

    /// The only output, or the first.
    pub(crate) fn first(&mut self) -> &mut Column<O> {
        &mut self.fields[0]
    }

    pub(crate) fn into_parts(self) -> Vec<Part<O>> {
        let part = |field: Column<O>| (field.values, field.validity.map(Bitmap::into_bytes));
        self.fields.into_iter().map(part).collect()
    }
}

impl<O> Column<O> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn values_mut(&mut self) -> &mut Vec<O> {
        &mut self.values
    }

    /// Appends the validity of rows whose values have been appended.
    pub(crate) fn extend_validity(&mut self, valid: &Valid) {
        if self.validity.is_none() && valid.words.iter().any(|&word| word != u64::MAX) {
            let mut all = Bitmap::with_capacity(self.values.capacity());
            all.extend(self.values.len() - valid.rows, |_| u64::MAX);
            self.validity = Some(all);
        }
        if let Some(validity) = &mut self.validity {
            validity.extend(valid.rows, |row| {
                valid.words.get(row / ROWS).copied().unwrap_or(u64::MAX)
            });
        }
    }
}

/// Which rows are valid, 64 rows per word. Rows after the last word are valid.
#[derive(Debug)]
pub(crate) struct Valid {
    words: Vec<u64>,
    rows: usize,
}

impl Valid {
    /// All rows are valid.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            words: Vec::new(),
            rows,
        }
    }

    /// Sets the validity of the 64 rows from `row` on, a multiple of 64 that rises from call to call.
    #[inline(always)]
    pub(crate) fn push(&mut self, row: usize, word: u64) {
        // Usually all rows are valid.
        if word != u64::MAX || !self.words.is_empty() {
            self.words.resize(row / ROWS, u64::MAX);
            self.words.push(word);
        }
    }

    pub(crate) fn set(&mut self, row: usize, valid: bool) {
        let words = self.words.len().max(self.rows.div_ceil(ROWS));
        self.words.resize(words, u64::MAX);
        let (word, bit) = (&mut self.words[row / ROWS], 1 << (row % ROWS));
        *word = if valid { *word | bit } else { *word & !bit };
    }
}

/// Element type of results.
pub(crate) trait Float: Copy + Default + Send + Sync + 'static {}

impl Float for f64 {}
impl Float for f32 {}
