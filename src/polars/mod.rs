//! Operators on Polars series and expressions.
//!
//! `faces` → `evaluator` (`nested` and `grid` for other shapes) → `groups`, `numbers` → the engine.

#[cfg(feature = "python")]
mod carry;
mod display;
mod evaluator;
mod faces;
mod failure;
mod grid;
mod groups;
mod lagged;
mod nested;
mod numbers;
mod take;
mod unsorted;

use std::ops::Range;

use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;

use self::evaluator::Evaluator;
use crate::bits::Bits;
use crate::domain::Domain;
use crate::inputs::Inputs;
use crate::operators::Operator;
use crate::parallel::par_ranges;
use crate::units::PlanError;

#[cfg(feature = "lazy")]
pub use self::faces::ExprGrad;
pub use self::grid::{curl, divergence, laplacian, magnitude, partials};
pub use self::nested::gradient_horizontal;

/// Evaluates an operator over `y`, row by row.
///
/// - `y`: any number, or a `Date`, `Datetime`, `Duration`, `Time`, or lists or arrays of them; as a `Series`, a `Column`,
///   a `Float64Chunked` or a `Float32Chunked`. It is neither copied nor rechunked.
/// - `operator`: such as [`Gradient`](crate::Gradient).
/// - [`x`](Domain::x): the coordinate, of the same dtypes or Boolean, strictly rising or falling. Without it rows are
///   [`spacing`](Domain::spacing) apart.
/// - [`sigma`](Domain::sigma): the standard deviation of each y, for operators that give errors or fit rows. Inside cells
///   it has the shape of y.
/// - [`axis`](Domain::axis): down the rows, where each index in the cells of a nested column is a column of its own; or
///   inside cells, where each cell is evaluated by itself. There x has the shape of y, or is a list or an array of the
///   coordinates along the axis, one for each row or one for all.
/// - [`by`](Domain::by): the keys, each of the length of `y` or a single value. The result is that of `.over(by)`, row
///   for row. Contiguous groups are evaluated in place. Others need an index per row, the memory of Polars' `group_by`,
///   and a copy of a y or an x in several chunks.
///
/// # Returns
///
/// A column with the name and the length of `y`. For a slope, such as that of `Gradient`:
///
/// | `y` | `x` | result |
/// |---|---|---|
/// | `Float32`, `Float16` | any | the dtype of `y`, computed in `f64` |
/// | temporal | number, rows | `Duration` |
/// | temporal | temporal | `Float64`, a pure ratio |
/// | any other | any | `Float64` |
///
/// Lists and arrays stay lists and arrays, with that dtype inside. Over a temporal x a slope is per second, or per
/// [`per`](Domain::per). An operator with several outputs gives a struct.
///
/// A null makes every row null whose window contains it, its own included. A NaN in `y` makes the rows NaN that read
/// it.
/// A segment that is too short for the operator is null.
///
/// # Errors
///
/// - [`InvalidOperation`](PolarsError::InvalidOperation): a dtype that has no differences, a Boolean `y`, `per` without
///   a temporal x, a `spacing` of zero.
/// - [`ShapeMismatch`](PolarsError::ShapeMismatch): y, x and the keys differ in length.
/// - [`ComputeError`](PolarsError::ComputeError): `x` is not strictly monotonic, or not finite, or cells that belong
///   together differ in length, and [`strict`](Domain::strict) is set.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, Gradient, evaluate};
///
/// let t = Series::new("t".into(), [0.0, 1.0, 3.0]);
/// let y = Series::new("y".into(), [0.0, 1.0, 9.0]); // t²
/// let dy_dt = evaluate(&y, Gradient::new(), &Domain::new().x(t))?;
/// assert_eq!(dy_dt, Series::new("y".into(), [1.0, 2.0, 4.0]));
///
/// let id = Series::new("id".into(), ["a", "b", "a"]);
/// let dy = evaluate(&y, Gradient::new(), &Domain::new().by([id]))?;
/// assert_eq!(dy, Series::new("y".into(), [Some(9.0), None, Some(9.0)]));
///
/// let waves = Series::new("wave".into(), [Series::new("".into(), [0.0, 1.0, 4.0]), Series::new("".into(), [5.0, 4.0])]);
/// let slopes = evaluate(&waves, Gradient::new(), &Domain::new().axis(1).spacing(0.5))?;
/// let expected = [Series::new("".into(), [2.0, 4.0, 6.0]), Series::new("".into(), [-2.0, -2.0])];
/// assert_eq!(slopes, Series::new("wave".into(), expected));
/// # PolarsResult::Ok(())
/// ```
pub fn evaluate<Y: Differentiable>(y: &Y, operator: impl Into<Operator>, domain: &Domain<Column>) -> PolarsResult<Y> {
    let y = y.to_series();
    let columns = Inputs {
        y: &y,
        x: domain.x.as_ref().map(Column::as_materialized_series),
        sigma: domain.sigma.as_ref().map(Column::as_materialized_series),
    };
    let planned = columns.map(|column| column.field().into_owned());
    let evaluator = Evaluator::new(&operator.into(), planned.as_ref(), domain)?;
    Y::from_series(evaluator.of_columns(columns, &series(&domain.by))?)
}

/// A column that [`evaluate`] takes and returns.
pub trait Differentiable: sealed::Sealed + Sized {
    /// The column as a `Series`, without a copy.
    #[doc(hidden)]
    fn to_series(&self) -> Series;
    /// The result as a column of the same kind.
    #[doc(hidden)]
    fn from_series(series: Series) -> PolarsResult<Self>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! differentiable {
    ($($column:ty: $to:expr, $from:expr;)*) => {$(
        impl sealed::Sealed for $column {}
        impl Differentiable for $column {
            fn to_series(&self) -> Series {
                $to(self)
            }
            fn from_series(series: Series) -> PolarsResult<Self> {
                $from(series)
            }
        }
    )*};
}

differentiable! {
    Series: Series::clone, Ok;
    Column: |column: &Column| column.as_materialized_series().clone(), |series| Ok(Column::from(series));
    Float64Chunked: |column: &Float64Chunked| column.clone().into_series(), |series: Series| Ok(series.f64()?.clone());
    Float32Chunked: |column: &Float32Chunked| column.clone().into_series(), |series: Series| Ok(series.f32()?.clone());
}

impl From<PlanError> for PolarsError {
    fn from(PlanError(message): PlanError) -> Self {
        Self::InvalidOperation(message.into())
    }
}

fn series(columns: &[Column]) -> Vec<Series> {
    columns.iter().map(Column::as_materialized_series).cloned().collect()
}

fn fields(columns: &[Series]) -> Vec<Field> {
    columns.iter().map(|column| column.field().into_owned()).collect()
}

/// Parts of a column of the dtype of this one, on several threads where they pay.
fn series_in_parallel(
    column: &Series,
    rows: usize,
    work: impl Fn(Range<usize>) -> PolarsResult<Series> + Sync,
) -> PolarsResult<Series> {
    let mut whole = column.clear();
    for part in par_ranges(rows, 1, work)? {
        whole.append_owned(part)?;
    }
    Ok(whole)
}

/// The values of a Boolean column, in one piece.
fn bitmap(flags: &BooleanChunked) -> Bitmap {
    flags.rechunk().downcast_as_array().values().clone()
}

fn bits(bitmap: &Bitmap) -> Bits<'_> {
    let (bytes, offset, _) = bitmap.as_slice();
    Bits::new(bytes, offset)
}
