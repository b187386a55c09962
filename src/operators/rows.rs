//! Inputs and outputs of an operator: adjacent rows of a column, and results with their validity.

use std::ops::Range;

use crate::bits::{Bitmap, ROWS};
use crate::kernel::{Sample, Scale, periodic_rises};
use crate::segments::{Lag, Part, Reach, SegmentRules};
use crate::units::ResultUnits;

/// Adjacent rows, their lagged copies, and what ends a segment among them.
pub(crate) struct Rows<'a, 'b, Y, X> {
    /// Furthest row back first; the rows themselves are at `reach.before`. All have one length.
    pub(crate) lags: &'b [Lag<'a, Y, X>],
    pub(crate) reach: Reach,
    /// The standard deviations of y, from the first lag of the first row to the last lag of the last one: finite and
    /// positive, or NaN.
    pub(crate) sigma: Option<&'b [f64]>,
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
        let y: Vec<_> = self.lags.iter().map(|lag| lag.y.values).collect();
        let mut columns = vec![Vec::new(); y.len()];
        for start in (0..self.len()).step_by(TILE) {
            let rows = start..self.len().min(start + TILE);
            relative(&y, this, rows.clone(), [period, factor], &mut columns);
            let lags = self.lags.iter().zip(&columns).map(|(lag, y)| lag.with_y(&rows, y));
            let tile = Rows {
                lags: &lags.collect::<Vec<_>>(),
                reach: self.reach,
                sigma: None,
                rules: self.rules.from(start),
                units: &units,
                strict: self.strict,
            };
            visit(&tile).map_err(|error| error.map_row(|row| start + row))?;
        }
        Ok(())
    }
}

/// The y of some rows of each lag, relative to the lag `this`: sums of rises to the nearest multiple of a period, times a
/// factor.
fn relative<Y: Sample>(
    lags: &[&[Y]],
    this: usize,
    rows: Range<usize>,
    [period, factor]: [f64; 2],
    columns: &mut [Vec<f64>],
) {
    let y = |lag: usize| &lags[lag][rows.clone()];
    let length = rows.len();
    // Usually the lags are one column, shifted: a rise is that of the next row of the lag before, and is computed once.
    let are_shifted = lags
        .windows(2)
        .all(|pair| std::ptr::eq(pair[0].as_ptr().wrapping_add(1), pair[1].as_ptr()));
    let first = |lag: usize| if are_shifted { lag } else { lag * length };
    let mut rises = vec![0.0; lags.len() * length];
    for lag in 0..lags.len() - 1 {
        let computed = if are_shifted && lag > 0 { length - 1 } else { 0 };
        let (later, earlier) = (&y(lag + 1)[computed..], &y(lag)[computed..]);
        periodic_rises(later, earlier, period, &mut rises[first(lag)..][computed..length]);
    }
    let rises = |lag: usize| &rises[first(lag)..][..length];
    columns[this].clear();
    columns[this].extend(y(this).iter().map(|y| y.zero_unless_finite()));
    for lag in (0..this).rev() {
        let (earlier, later) = columns.split_at_mut(lag + 1);
        earlier[lag].clear();
        earlier[lag].extend(later[0].iter().zip(rises(lag)).map(|(y, rise)| y - rise * factor));
    }
    for lag in this..lags.len() - 1 {
        let (earlier, later) = columns.split_at_mut(lag + 1);
        later[0].clear();
        later[0].extend(earlier[lag].iter().zip(rises(lag)).map(|(y, rise)| y + rise * factor));
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
    /// The standard deviation of the row is not finite and positive.
    Deviation,
    /// The result does not fit in its dtype.
    TooLarge {
        /// The number of rows before it that it is computed from.
        before: usize,
    },
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
            Self::TooLarge { before } => row.saturating_sub(before)..row + 1,
            Self::Deviation => row..row + 1,
            #[cfg(any(feature = "polars", feature = "arrow"))]
            Self::Around { .. } => row..row + 1,
        }
    }
}

/// The outputs of an operator, row by row.
#[derive(Debug)]
pub(crate) struct Columns<O> {
    /// The output that is a word, by its index, if the operator has one.
    words: Option<Column<u8>>,
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
        let column = || Column::with_capacity(rows);
        Self {
            words: None,
            fields: std::iter::repeat_with(column).take(outputs).collect(),
        }
    }

    /// The same with a column of words before the numbers.
    pub(crate) fn with_words(self, rows: usize) -> Self {
        Self {
            words: Some(Column::with_capacity(rows)),
            ..self
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

    /// Appends rows: the values of each output and which of them are valid.
    pub(crate) fn extend(&mut self, outputs: &[(&[O], &[bool])])
    where
        O: Copy,
    {
        for (field, (values, valid)) in self.fields.iter_mut().zip(outputs) {
            field.values.extend_from_slice(values);
            let mut all = Valid::new(valid.len());
            if !valid.iter().all(|&valid| valid) {
                for (row, &valid) in valid.iter().enumerate() {
                    all.set(row, valid);
                }
            }
            field.extend_validity(&all);
        }
    }

    /// Appends rows that are null in each output.
    pub(crate) fn push_nulls(&mut self, rows: usize)
    where
        O: Copy + Default,
    {
        if let Some(words) = &mut self.words {
            words.push_nulls(rows);
        }
        for field in &mut self.fields {
            field.push_nulls(rows);
        }
    }

    /// Appends at most 64 rows, those of a mask valid: a word, by its index, and a value for each output.
    pub(crate) fn push_worded(&mut self, rows: usize, valid: u64, words: &[u8; ROWS], values: &[[O; ROWS]])
    where
        O: Copy,
    {
        if let Some(column) = &mut self.words {
            column.push_all(&words[..rows], valid);
        }
        for (field, values) in self.fields.iter_mut().zip(values) {
            field.push_all(&values[..rows], valid);
        }
    }

    /// Sets the results of a row that has been appended: a word, by its index, and a value for each output.
    pub(crate) fn set_worded(&mut self, row: usize, word: u8, values: &[O])
    where
        O: Copy,
    {
        if let Some(words) = &mut self.words {
            words.set(row, word);
        }
        for (field, value) in self.fields.iter_mut().zip(values) {
            field.set(row, *value);
        }
    }

    /// The words, if the operator gives any, and the numbers.
    pub(crate) fn into_worded(mut self) -> (Option<Part<u8>>, Vec<Part<O>>) {
        let words = self.words.take().map(Column::into_part);
        (words, self.into_parts())
    }

    pub(crate) fn into_parts(self) -> Vec<Part<O>> {
        self.fields.into_iter().map(Column::into_part).collect()
    }
}

impl<O> Column<O> {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self {
            values: Vec::with_capacity(rows),
            validity: None,
        }
    }

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
        if rows > 0 {
            self.validity().extend(rows, |_| 0);
            self.values.resize(self.values.len() + rows, O::default());
        }
    }

    /// Appends at most 64 rows, those of a mask valid.
    fn push_all(&mut self, values: &[O], valid: u64)
    where
        O: Copy,
    {
        self.validity().push(valid, values.len());
        self.values.extend_from_slice(values);
    }

    /// Sets the result of a row that has been appended.
    fn set(&mut self, row: usize, value: O) {
        self.values[row] = value;
        if let Some(validity) = &mut self.validity {
            validity.set(row);
        }
    }

    pub(crate) fn into_part(self) -> Part<O> {
        (self.values, self.validity.map(Bitmap::into_bytes))
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
