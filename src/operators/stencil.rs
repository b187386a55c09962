//! The traits of operators, and the loop over rows for operators without a loop of their own.

use std::ops::Range;

use num_traits::AsPrimitive;

use super::RowOperator;
use super::describe::Describe;
use super::rows::{Columns, Float, RowError, Rows, Valid};
use crate::bits::ROWS;
use crate::kernel::{Sample, is_monotonic, periodic};
use crate::segments::{Lag, Reach};

/// The most rows before or after its own that an operator may read.
pub(crate) const MAX_REACH: usize = 17;

/// The most columns of a result.
pub(crate) const MAX_OUTPUTS: usize = 3;

/// The results at one row, one for each output; `None` is null.
pub(crate) type Values = [Option<f64>; MAX_OUTPUTS];

/// The result at one row of an operator with one output.
#[allow(dead_code)] // For operators that are evaluated row by row.
pub(crate) fn value(result: f64) -> Values {
    let mut values = [None; MAX_OUTPUTS];
    values[0] = Some(result);
    values
}

/// The rows that an operator reads at one row. They are adjacent, in one segment, not null, and sorted by x.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window<'a> {
    /// The rise of y from each row to the next, rounded once.
    pub(crate) rises: &'a [f64],
    /// The step of x from each row to the next, rounded once: all positive or all negative. Without an x each is 1.
    pub(crate) steps: &'a [f64],
    /// How many of the rows are before the row itself.
    #[allow(dead_code)] // For operators that are evaluated row by row.
    pub(crate) before: usize,
}

/// An operator whose result at a row is a function of a few rows around it.
pub(crate) trait Stencil: Describe {
    /// The rows to read at a row, given the `available` rows around it: those of its segment, at most the reach. `None`
    /// if these are too few; the row is then null.
    fn reads(&self, available: Reach) -> Option<Reach>;

    /// The results at one row, in the units of the window. The engine converts them to the units of the outputs.
    fn evaluate(&self, window: Window<'_>) -> Values;
}

/// An operator with a loop of its own over the rows. A [`Stencil`] is evaluated row by row.
pub(crate) trait Evaluate: Describe {
    /// Appends the results of adjacent rows to those before.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if `rows` are strict.
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>;

    /// Appends the exact results of integers whose results keep their dtype.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if `rows` are strict.
    fn evaluate_exactly<Y: Sample, X: Sample>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<i128>,
    ) -> Result<(), RowError> {
        // The outputs of most operators are floats.
        results.push_nulls(rows.len());
        Ok(())
    }
}

impl<S: Stencil> Evaluate for S {
    fn evaluate_rows<Y: Sample, X: Sample, O: Float>(
        &self,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<O>,
    ) -> Result<(), RowError>
    where
        f64: AsPrimitive<O>,
    {
        row_by_row(self, rows, results)
    }
}

/// Evaluates an operator row by row.
///
/// ```text
/// for each row
///     available = rows of its segment around it, at most the reach
///     window = the rows that the operator reads; null if the segment has too few, or if one is null
///     check that x is finite and strictly monotonic in the window
///     results = evaluate(rises, steps), in the units of the outputs; NaN if a rise of the window is NaN
/// ```
///
/// # Errors
///
/// A row that is wrong, if `rows` are strict.
pub(crate) fn row_by_row<S: Stencil, Y: Sample, X: Sample, O: Float>(
    operator: &S,
    rows: &Rows<'_, '_, Y, X>,
    results: &mut Columns<O>,
) -> Result<(), RowError>
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
                let value = value.map(|value| rows.units.scales[output].apply(value));
                if value.is_none() {
                    valid[output].set(row, false);
                }
                field.values.push(value.unwrap_or_default().as_());
            }
        }
    }
    for (field, valid) in results.fields.iter_mut().zip(valid) {
        field.extend_validity(&valid);
    }
    Ok(())
}

/// An element type of results, and how an operator by rows is evaluated to it.
pub(crate) trait Target: Copy + Default + Send + Sync + 'static {
    /// Appends the results of some rows to those before.
    ///
    /// # Errors
    ///
    /// A row that is wrong, if `rows` are strict.
    fn evaluate<Y: Sample, X: Sample>(
        operator: RowOperator<'_>,
        rows: &Rows<'_, '_, Y, X>,
        results: &mut Columns<Self>,
    ) -> Result<(), RowError>;
}

macro_rules! target {
    ($($type:ty: $evaluate:ident;)*) => {$(
        impl Target for $type {
            fn evaluate<Y: Sample, X: Sample>(
                operator: RowOperator<'_>,
                rows: &Rows<'_, '_, Y, X>,
                results: &mut Columns<Self>,
            ) -> Result<(), RowError> {
                operator.$evaluate(rows, results)
            }
        }
    )*};
}

target! {
    f64: evaluate;
    f32: evaluate;
    i128: evaluate_exactly;
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
pub(super) struct Differences {
    rises: [f64; 2 * MAX_REACH],
    steps: [f64; 2 * MAX_REACH],
    /// What to add for the exact steps.
    rests: [f64; 2 * MAX_REACH],
    count: usize,
    before: usize,
    /// NaN if a rise of the window is NaN, else 0: a y is NaN, or two in a row are infinite.
    pub(super) nan: f64,
}

impl Differences {
    /// `None` if a value is null or x is unsorted.
    pub(super) fn new<Y: Sample, X: Sample>(
        rows: &Rows<'_, '_, Y, X>,
        row: usize,
        reads: Range<usize>,
    ) -> Result<Option<Self>, RowError> {
        let mut differences = Self {
            rises: [0.0; 2 * MAX_REACH],
            steps: [1.0; 2 * MAX_REACH],
            rests: [0.0; 2 * MAX_REACH],
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
                Err(RowError::unsorted(row, rows.reach, &reads))
            } else {
                Ok(None)
            };
        }
        Ok(differences.read_y(lags, row, rows.units.period).map(|()| differences))
    }

    /// Takes the steps. Returns whether x is finite and strictly monotonic; `None` if a value is null.
    fn read_x<Y: Sample, X: Sample>(&mut self, lags: &[Lag<'_, Y, X>], row: usize) -> Option<bool> {
        let mut x = lags.iter().filter_map(|lag| lag.x).map(|x| x.get(row));
        let Some(first) = x.next() else { return Some(true) };
        let mut previous = first?;
        let mut monotonic = is_monotonic(&[previous]);
        let (mut rising, mut falling) = (true, true);
        for ((step, rest), x) in self.steps.iter_mut().zip(&mut self.rests).zip(x) {
            let x = x?;
            rising &= previous < x;
            falling &= previous > x;
            monotonic &= (rising || falling) && x.zero_unless_finite() == 0.0;
            (*step, *rest) = x.split_minus(previous, 1.0);
            previous = x;
        }
        Some(monotonic)
    }

    /// Takes the rises; `None` if a value of y is null.
    fn read_y<Y: Sample, X: Sample>(&mut self, lags: &[Lag<'_, Y, X>], row: usize, period: Option<f64>) -> Option<()> {
        let mut y = lags.iter().map(|lag| lag.y.get(row));
        let mut previous = y.next()??;
        let mut any_nan = previous.is_nan();
        for (rise, y) in self.rises.iter_mut().zip(y) {
            let y = y?;
            *rise = period.map_or_else(|| y.minus(previous), |period| periodic(y, previous, period));
            any_nan |= rise.is_nan();
            previous = y;
        }
        if any_nan {
            self.nan = f64::NAN;
        }
        Some(())
    }

    pub(super) fn window(&self) -> Window<'_> {
        Window {
            rises: &self.rises[..self.count],
            steps: &self.steps[..self.count],
            before: self.before,
        }
    }

    /// What to add to the steps of the window for the exact ones.
    pub(super) fn rests(&self) -> &[f64] {
        &self.rests[..self.count]
    }

    fn evaluate<S: Stencil>(&self, operator: &S) -> Values {
        operator
            .evaluate(self.window())
            .map(|value| value.map(|value| value + self.nan))
    }
}
