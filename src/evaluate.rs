//! Adjacent rows of a column → results and their validity.

use std::ops::Range;

use num_traits::AsPrimitive;

use crate::bits::{Bitmap, ROWS};
use crate::kernel::{Sample, Scale, is_monotonic};
use crate::operators::{Float, MAX_REACH, Reach, Stencil, Values, Window};
use crate::segments::{Lag, SegmentRules};

/// Adjacent rows, the copies of them that are shifted, and what ends a segment among them.
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
    /// The same with rows counted from elsewhere.
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
    fields: Vec<Column<O>>,
}

/// One output and which of its rows are valid.
#[derive(Debug)]
pub(crate) struct Column<O> {
    values: Vec<O>,
    /// `None` as long as all are.
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
    pub(crate) fn extend_validity(&mut self, valid: Valid) {
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

/// Which of some rows are valid: 64 rows a word, and all rows after the last word.
#[derive(Debug)]
pub(crate) struct Valid {
    words: Vec<u64>,
    rows: usize,
}

impl Valid {
    /// All of them.
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            words: Vec::new(),
            rows,
        }
    }

    /// Sets the validity of the 64 rows from `row` on, a multiple of 64 that rises from call to call.
    #[inline(always)]
    pub(crate) fn push(&mut self, row: usize, word: u64) {
        // Mostly there is nothing to note.
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

/// Evaluates an operator row by row.
///
/// ```text
/// for each row
///     available = rows of its segment around it, at most the reach
///     window = the rows that the operator reads; null where there are too few, or one is null
///     check that x is finite and strictly monotonic in the window
///     results = evaluate(rises, steps), in the units of the outputs; NaN where a y of the window is
/// ```
///
/// # Errors
///
/// An unsorted x, if `rows` are strict.
pub(crate) fn row_by_row<S: Stencil, Y: Sample, X: Sample, O: Float>(
    operator: &S,
    rows: &Rows<'_, '_, Y, X>,
    results: &mut Columns<O>,
) -> Result<(), Unsorted>
where
    f64: AsPrimitive<O>,
{
    const MAX_LAGS: usize = 2 * MAX_REACH + 1;
    let length = rows.len();
    let mut valid: Vec<_> = results.fields.iter().map(|_| Valid::new(length)).collect();
    for first in (0..length).step_by(ROWS) {
        let in_segment: [u64; MAX_LAGS] = rows.rules.in_segment(rows.lags, rows.reach.before, first);
        for place in 0..ROWS.min(length - first) {
            let row = first + place;
            let has = |lag: usize| in_segment[lag] >> place & 1 != 0;
            let differences = match window(operator, rows, has) {
                Some(reads) => Differences::new(rows, row, reads)?,
                None => None,
            };
            let values = differences.map(|differences| differences.evaluate(operator));
            for (output, field) in results.fields.iter_mut().enumerate() {
                let value = values.and_then(|values| values[output]);
                let value = value.map(|value| rows.scales[output].apply(value));
                if value.is_none() {
                    valid[output].set(row, false);
                }
                field.values.push(value.unwrap_or_default().as_());
            }
        }
    }
    for (field, valid) in results.fields.iter_mut().zip(valid) {
        field.extend_validity(valid);
    }
    Ok(())
}

/// The lags that an operator reads at a row, given which of them are in its segment.
fn window<S: Stencil, Y, X>(
    operator: &S,
    rows: &Rows<'_, '_, Y, X>,
    in_segment: impl Fn(usize) -> bool,
) -> Option<Range<usize>> {
    let Reach { before, after } = rows.reach;
    if !in_segment(before) {
        return None;
    }
    let available = Reach {
        before: (0..before).rev().take_while(|&lag| in_segment(lag)).count(),
        after: (before + 1..=before + after).take_while(|&lag| in_segment(lag)).count(),
    };
    Some(operator.reads(available)?.within(rows.reach))
}

/// The rises and steps of a window.
struct Differences {
    rises: [f64; 2 * MAX_REACH],
    steps: [f64; 2 * MAX_REACH],
    count: usize,
    before: usize,
    /// NaN where a y of the window is, else 0.
    nan: f64,
}

impl Differences {
    /// `None` where a value is null or x is unsorted.
    fn new<Y: Sample, X: Sample>(
        rows: &Rows<'_, '_, Y, X>,
        row: usize,
        reads: Range<usize>,
    ) -> Result<Option<Self>, Unsorted> {
        let mut differences = Self {
            rises: [0.0; 2 * MAX_REACH],
            steps: [1.0; 2 * MAX_REACH],
            count: reads.len() - 1,
            before: rows.reach.before - reads.start,
            nan: 0.0,
        };
        let lags = &rows.lags[reads.clone()];
        let Some(monotonic) = differences.read_x(lags, row) else {
            return Ok(None);
        };
        if !monotonic {
            return if rows.strict {
                Err(Unsorted { row, reads })
            } else {
                Ok(None)
            };
        }
        Ok(differences.read_y(lags, row).map(|()| differences))
    }

    /// Takes the steps; returns whether x is finite and strictly monotonic, or `None` where it is null.
    fn read_x<Y: Sample, X: Sample>(&mut self, lags: &[Lag<'_, Y, X>], row: usize) -> Option<bool> {
        let mut x = lags.iter().filter_map(|lag| lag.x).map(|x| x.get(row));
        let Some(first) = x.next() else { return Some(true) };
        let mut previous = first?;
        let mut monotonic = is_monotonic(&[previous]);
        let (mut rising, mut falling) = (true, true);
        for (step, x) in self.steps.iter_mut().zip(x) {
            let x = x?;
            rising &= previous < x;
            falling &= previous > x;
            monotonic &= (rising || falling) && x.zero_unless_finite() == 0.0;
            *step = x.minus(previous);
            previous = x;
        }
        Some(monotonic)
    }

    /// Takes the rises; `None` where y is null.
    fn read_y<Y: Sample, X: Sample>(&mut self, lags: &[Lag<'_, Y, X>], row: usize) -> Option<()> {
        let mut y = lags.iter().map(|lag| lag.y.get(row));
        let mut previous = y.next()??;
        let mut any_nan = previous.is_nan();
        for (rise, y) in self.rises.iter_mut().zip(y) {
            let y = y?;
            any_nan |= y.is_nan();
            *rise = y.minus(previous);
            previous = y;
        }
        if any_nan {
            self.nan = f64::NAN;
        }
        Some(())
    }

    fn evaluate<S: Stencil>(&self, operator: &S) -> Values {
        let window = Window {
            rises: &self.rises[..self.count],
            steps: &self.steps[..self.count],
            before: self.before,
        };
        operator
            .evaluate(window)
            .map(|value| value.map(|value| value + self.nan))
    }
}
