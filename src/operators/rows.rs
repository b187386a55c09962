//! Inputs and outputs of an operator: adjacent rows of a column, and results with their validity.

use std::ops::Range;

use crate::bits::{Bitmap, ROWS};
use crate::kernel::{Sample, Scale, periodic};
use crate::plan::ResultUnits;
use crate::segments::{Lag, Reach, SegmentRules};

/// Adjacent rows, their lagged copies, and what ends a segment among them.
pub(crate) struct Rows<'a, 'b, Y, X> {
    /// Furthest row back first; the rows themselves are at `reach.before`. All have one length.
    pub(crate) lags: &'b [Lag<'a, Y, X>],
    pub(crate) reach: Reach,
    pub(crate) rules: SegmentRules<'b>,
    pub(crate) units: &'b ResultUnits,
    /// Whether a row that is wrong is an error, or null.
    pub(crate) strict: bool,
}

impl<Y: Copy, X: Copy> Rows<'_, '_, Y, X> {
    pub(crate) fn len(&self) -> usize {
        self.lags[0].len()
    }
}

impl<Y: Sample, X: Sample> Rows<'_, '_, Y, X> {
    /// Visits the rows in tiles whose y are relative to each row: sums of rises to the nearest multiple of a period.
    ///
    /// Local: a wrong y changes the results of the rows that read it, and no others.
    ///
    /// # Errors
    ///
    /// That of `visit`.
    pub(crate) fn relative(
        &self,
        period: f64,
        mut visit: impl FnMut(&Rows<'_, '_, f64, X>) -> Result<(), RowError>,
    ) -> Result<(), RowError> {
        /// Rows of all lags that fit into the first-level cache.
        const TILE: usize = 8 * ROWS;
        let this = self.reach.before;
        // Between floats the loops take rises to be in the unit of the result.
        let (factor, units) = if X::INTEGER || self.lags[0].x.is_none() {
            (1.0, self.units.clone())
        } else {
            let units = ResultUnits {
                scales: vec![Scale::ONE; self.units.scales.len()],
                ..self.units.clone()
            };
            (self.units.scales[0].apply(1.0), units)
        };
        let mut columns = vec![Vec::new(); self.lags.len()];
        for start in (0..self.len()).step_by(TILE) {
            let rows = start..self.len().min(start + TILE);
            columns[this] = self.lags[this].y.values[rows.clone()]
                .iter()
                .map(|y| y.zero_unless_finite())
                .collect();
            let rise = |earlier: usize, row: usize| {
                let [earlier, later] = [earlier, earlier + 1].map(|lag| self.lags[lag].y.values[row]);
                periodic(later, earlier, period) * factor
            };
            for lag in (0..this).rev() {
                let next = &columns[lag + 1];
                columns[lag] = next
                    .iter()
                    .zip(rows.clone())
                    .map(|(y, row)| y - rise(lag, row))
                    .collect();
            }
            for lag in this + 1..self.lags.len() {
                let before = &columns[lag - 1];
                columns[lag] = before
                    .iter()
                    .zip(rows.clone())
                    .map(|(y, row)| y + rise(lag - 1, row))
                    .collect();
            }
            let lags = self.lags.iter().zip(&columns).map(|(lag, y)| lag.with_y(&rows, y));
            let tile = Rows {
                lags: &lags.collect::<Vec<_>>(),
                reach: self.reach,
                rules: self.rules.from(start),
                units: &units,
                strict: self.strict,
            };
            visit(&tile).map_err(|error| error.map_row(|row| start + row))?;
        }
        Ok(())
    }
}

/// A row that has no result because a value is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowError {
    /// The row, in the order in which rows are neighbours.
    pub(crate) row: usize,
    pub(crate) reason: Reason,
}

/// Why a row has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The x of some adjacent rows are not finite and strictly monotonic, or fall where they must rise.
    Unsorted {
        /// The first of these rows, relative to `row`.
        first: isize,
        /// The number of these rows.
        rows: usize,
    },
    /// The y of a row is none that the operator takes.
    Outside {
        /// That row, relative to the row of the error.
        ahead: isize,
    },
    /// The rows of a group go round the period of x, or further.
    #[cfg(any(feature = "polars", feature = "arrow"))]
    Around {
        /// The number of these rows.
        rows: usize,
    },
    /// The result does not fit in its dtype.
    TooLarge,
}

impl RowError {
    /// The x at some lags of a row are not strictly monotonic.
    pub(crate) fn unsorted(row: usize, reach: Reach, reads: &Range<usize>) -> Self {
        let reason = Reason::Unsorted {
            first: reads.start as isize - reach.before as isize,
            rows: reads.len(),
        };
        Self { row, reason }
    }

    /// The same error with another row number.
    pub(crate) fn map_row(self, map: impl FnOnce(usize) -> usize) -> Self {
        Self {
            row: map(self.row),
            ..self
        }
    }
}

impl Reason {
    /// The y of the row before (0) or of the row (1) is none that the operator takes.
    pub(crate) fn outside(of_pair: usize) -> Self {
        Self::Outside {
            ahead: of_pair as isize - 1,
        }
    }

    /// The rows that are wrong, given the row of the error.
    #[cfg_attr(not(any(feature = "polars", feature = "arrow")), allow(dead_code))] // A live feed has one row.
    pub(crate) fn reads(&self, row: usize) -> Range<usize> {
        match *self {
            Self::Unsorted { first, rows } => {
                let first = row.saturating_add_signed(first);
                first..first + rows
            },
            Self::Outside { ahead } => {
                let row = row.saturating_add_signed(ahead);
                row..row + 1
            },
            _ => row..row + 1,
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

    /// Appends a row: a value for each output, each `None` if it is null.
    pub(crate) fn push(&mut self, values: &[Option<O>])
    where
        O: Copy + Default,
    {
        for (field, value) in self.fields.iter_mut().zip(values) {
            field.push(*value);
        }
    }

    /// Appends rows that are null in each output.
    pub(crate) fn push_nulls(&mut self, rows: usize)
    where
        O: Copy + Default,
    {
        for field in &mut self.fields {
            field.push_nulls(rows);
        }
    }

    /// Sets the results of a row that has been appended: a value for each output.
    pub(crate) fn set(&mut self, row: usize, values: &[O])
    where
        O: Copy,
    {
        for (field, value) in self.fields.iter_mut().zip(values) {
            field.values[row] = *value;
            if let Some(validity) = &mut field.validity {
                validity.set(row, 1);
            }
        }
    }

    /// Sets the results of rows of a mask, of 64 from a row on, that have been appended: values for each output.
    pub(crate) fn set_all(&mut self, row: usize, mask: u64, values: &[[O; ROWS]])
    where
        O: Copy + Default,
    {
        for (field, values) in self.fields.iter_mut().zip(values) {
            let rows = field.values[row..].iter_mut().take(ROWS).enumerate();
            for (place, value) in rows {
                *value = if mask >> place & 1 != 0 {
                    values[place]
                } else {
                    O::default()
                };
            }
            if let Some(validity) = &mut field.validity {
                validity.set(row, mask);
            }
        }
    }

    pub(crate) fn into_parts(self) -> Vec<(Vec<O>, Option<Vec<u8>>)> {
        let part = |field: Column<O>| (field.values, field.validity.map(Bitmap::into_bytes));
        self.fields.into_iter().map(part).collect()
    }
}

impl<O> Column<O> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Appends the result of a row; `None` is null.
    pub(crate) fn push(&mut self, value: Option<O>)
    where
        O: Copy + Default,
    {
        if value.is_none() {
            self.validity();
        }
        self.values.push(value.unwrap_or_default());
        if let Some(validity) = &mut self.validity {
            validity.push(u64::from(value.is_some()), 1);
        }
    }

    /// Appends rows that are null.
    fn push_nulls(&mut self, rows: usize)
    where
        O: Copy + Default,
    {
        if rows == 0 {
            return;
        }
        self.validity().extend(rows, |_| 0);
        if self.values.is_empty() && rows >= self.values.capacity() {
            // Zeroed memory, of which the system gives no page until it is written to.
            self.values = vec![O::default(); rows];
        } else {
            self.values.resize(self.values.len() + rows, O::default());
        }
    }

    /// The validity of all rows so far.
    fn validity(&mut self) -> &mut Bitmap {
        let rows = self.values.len();
        let capacity = self.values.capacity();
        self.validity.get_or_insert_with(|| {
            let mut all = Bitmap::with_capacity(capacity);
            all.extend(rows, |_| u64::MAX);
            all
        })
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
