//! Series in, Series out: types → neighbours → sweep → finish.

mod column;
mod display;
#[cfg(feature = "lazy")]
mod expr;
mod grid;
mod groups;
mod nested;
mod numbers;
#[cfg(feature = "python")]
mod plugin;
mod points;
mod take;
mod unsorted;
mod window;

use std::ops::Range;

use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;

use self::column::Gradient;
use crate::bits::Bits;
use crate::options::GradientOptions;
use crate::plan::Refused;
use crate::threads::in_parallel;

#[cfg(feature = "lazy")]
pub use self::expr::ExprGradient;
pub use self::grid::{divergence, magnitude, partials};
pub use self::nested::gradient_horizontal;

/// The derivative of `y` with respect to `x`, row by row.
///
/// In the interior, with `h1 = x[i] - x[i-1]`, `h2 = x[i+1] - x[i]`, `d1 = y[i] - y[i-1]` and `d2 = y[i+1] - y[i]`, it
/// is the slope of the parabola through the three points,
///
/// ```text
/// (d1/h1 * h2 + d2/h2 * h1) / (h1 + h2)
/// ```
///
/// which is second-order accurate on any grid and the same as [`numpy.gradient`][numpy]. At the ends it is the
/// two-point difference, or with [`EdgeOrder::Second`](crate::EdgeOrder::Second) the one-sided three-point formula.
///
/// - `y`: any number, or a `Date`, `Datetime`, `Duration`, `Time`, or lists or arrays of them; as a `Series`, a `Column`,
///   a `Float64Chunked` or a `Float32Chunked`, none of which is copied or rechunked.
/// - [`x`](GradientOptions::x): the coordinate, of the same dtypes or boolean, strictly rising or falling. Without it
///   rows are [`spacing`](GradientOptions::spacing) apart.
/// - [`axis`](GradientOptions::axis): down the rows, where each place in the cells of a nested column is a column of its
///   own; or inside of the cells, where each cell is on its own. There x has the shape of y, or is a list or an array of
///   the coordinates along the axis, one for each row or one for all.
/// - [`by`](GradientOptions::by): the keys, each of the length of `y` or a single value. The answer is that of
///   `.over(by)`, row for row. Groups that stand one after the other are differentiated in place; others take a
///   number per row besides, what Polars' own `group_by` needs, and a copy of a y or an x that is in several chunks.
///
/// # Returns
///
/// A column with the name and the length of `y`:
///
/// | `y` | `x` | result |
/// |---|---|---|
/// | `Float32`, `Float16` | any | the dtype of `y`, computed in `f64` |
/// | temporal | number, rows | `Duration` |
/// | temporal | temporal | `Float64`, a pure ratio |
/// | any other | any | `Float64` |
///
/// Lists and arrays stay such, with that dtype inside. Over a temporal x the slope is per second, or per [`per`](GradientOptions::per).
///
/// A null makes null every row whose stencil touches it, its own included. A NaN in `y` makes NaN the row before, its
/// own and the row after. Fewer rows than the edge order needs give nulls.
///
/// # Errors
///
/// - [`InvalidOperation`](PolarsError::InvalidOperation): a dtype that has no differences, a boolean `y`, `per` without
///   a temporal x, a `spacing` of zero.
/// - [`ShapeMismatch`](PolarsError::ShapeMismatch): y, x and the keys differ in length.
/// - [`ComputeError`](PolarsError::ComputeError): `x` is not strictly monotonic, or not finite, or cells that belong
///   together differ in length, and [`strict`](GradientOptions::strict) is set.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{GradientOptions, gradient};
///
/// let t = Series::new("t".into(), [0.0, 1.0, 3.0]);
/// let y = Series::new("y".into(), [0.0, 1.0, 9.0]); // t²
/// let dy_dt = gradient(&y, &GradientOptions::new().x(t))?;
/// assert_eq!(dy_dt, Series::new("y".into(), [1.0, 2.0, 4.0]));
///
/// let id = Series::new("id".into(), ["a", "b", "a"]);
/// let dy = gradient(&y, &GradientOptions::new().by([id]))?;
/// assert_eq!(dy, Series::new("y".into(), [Some(9.0), None, Some(9.0)]));
///
/// let waves = Series::new("wave".into(), [Series::new("".into(), [0.0, 1.0, 4.0]), Series::new("".into(), [5.0, 4.0])]);
/// let slopes = gradient(&waves, &GradientOptions::new().axis(1).spacing(0.5))?;
/// let expected = [Series::new("".into(), [2.0, 4.0, 6.0]), Series::new("".into(), [-2.0, -2.0])];
/// assert_eq!(slopes, Series::new("wave".into(), expected));
/// # PolarsResult::Ok(())
/// ```
///
/// [numpy]: https://numpy.org/doc/stable/reference/generated/numpy.gradient.html
pub fn gradient<Y: Differentiable>(y: &Y, options: &GradientOptions<Column>) -> PolarsResult<Y> {
    let y = y.to_series();
    let x = options.x.as_ref().map(Column::as_materialized_series);
    let by = series(&options.by);
    let gradient = Gradient::new(&y.field(), x.map(|x| x.field()).as_deref(), options)?;
    Y::from_series(gradient.of_columns(&y, x, &by)?)
}

/// A column that [`gradient`] takes, and gives back.
pub trait Differentiable: sealed::Sealed + Sized {
    /// The column as a `Series`, without a copy.
    #[doc(hidden)]
    fn to_series(&self) -> Series;
    /// The gradient as a column of the same kind.
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

impl From<Refused> for PolarsError {
    fn from(Refused(message): Refused) -> Self {
        Self::InvalidOperation(message.into())
    }
}

fn series(columns: &[Column]) -> Vec<Series> {
    columns.iter().map(Column::as_materialized_series).cloned().collect()
}

fn fields(columns: &[Series]) -> Vec<Field> {
    columns.iter().map(|column| column.field().into_owned()).collect()
}

/// Parts of a column of the dtype of this one, on all cores worth it.
fn series_in_parallel(
    column: &Series,
    rows: usize,
    work: impl Fn(Range<usize>) -> PolarsResult<Series> + Sync,
) -> PolarsResult<Series> {
    let mut whole = column.clear();
    for part in in_parallel(rows, work)? {
        whole.append_owned(part)?;
    }
    Ok(whole)
}

/// The values of flags, in one piece.
fn bitmap(flags: &BooleanChunked) -> Bitmap {
    flags.rechunk().downcast_as_array().values().clone()
}

fn bits(bitmap: &Bitmap) -> Bits<'_> {
    let (bytes, offset, _) = bitmap.as_slice();
    Bits::new(bytes, offset)
}
