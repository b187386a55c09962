//! Series in, Series out: plan → neighbours → sweep → finish.

mod changes;
#[cfg(feature = "lazy")]
mod expr;
mod groups;
mod numbers;
#[cfg(feature = "python")]
mod plugin;
mod points;
mod unsorted;
mod window;

use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::Bitmap;

use self::groups::Groups;
use self::numbers::described;
use self::points::{known, points};
use self::unsorted::{group, not_monotonic};
use self::window::Window;
use crate::bits::Bits;
use crate::neighbours::{Gathered, Segments};
use crate::options::{GradientOptions, Nulls};
use crate::piece::Slopes;
use crate::plan::{Plan, Refused, Slope, whole};
use crate::sweep::{Parts, Sweep};

#[cfg(feature = "lazy")]
pub use self::expr::ExprGradient;

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
/// - `y`: any number, or a `Date`, `Datetime`, `Duration`, `Time`; as a `Series`, a `Column`, a `Float64Chunked` or a
///   `Float32Chunked`, none of which is copied or rechunked.
/// - [`x`](GradientOptions::x): the coordinate, of the same dtypes or boolean, strictly rising or falling. Without it
///   rows are [`spacing`](GradientOptions::spacing) apart.
/// - [`by`](GradientOptions::by): the keys, each of the length of `y` or a single value. The answer is that of
///   `.over(by)`, row for row. Groups that stand one after the other are differentiated in place; others are brought
///   together and put back, for which y, x, the result and a number per row are held once more.
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
/// Over a temporal x the slope is per second, or per [`per`](GradientOptions::per).
///
/// A null makes null every row whose stencil touches it, its own included. A NaN in `y` makes NaN the row before, its
/// own and the row after. Fewer rows than the edge order needs give nulls.
///
/// # Errors
///
/// - [`InvalidOperation`](PolarsError::InvalidOperation): a dtype that has no differences, a boolean `y`, `per` without
///   a temporal x, a `spacing` of zero.
/// - [`ShapeMismatch`](PolarsError::ShapeMismatch): y, x and the keys differ in length.
/// - [`ComputeError`](PolarsError::ComputeError): `x` is not strictly monotonic, or not finite, and
///   [`strict`](GradientOptions::strict) is set.
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
/// # PolarsResult::Ok(())
/// ```
///
/// [numpy]: https://numpy.org/doc/stable/reference/generated/numpy.gradient.html
pub fn gradient<Y: Differentiable>(y: &Y, options: &GradientOptions<Column>) -> PolarsResult<Y> {
    let y = y.to_series();
    let x = options.x.as_ref().map(Column::as_materialized_series);
    let by: Vec<_> = options.by.iter().map(Column::as_materialized_series).cloned().collect();
    let plan = Typed::new(&y.field(), x.map(|x| x.field()).as_deref(), options)?;
    Y::from_series(gradient_of_column(&points(&y, x)?, &by, &plan, options)?)
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

/// A plan, the dtype that its slopes will have, and what errors call x.
struct Typed {
    plan: Plan,
    dtype: DataType,
    x_name: PlSmallStr,
}

impl Typed {
    fn new<C>(y: &Field, x: Option<&Field>, options: &GradientOptions<C>) -> PolarsResult<Self> {
        let plan = Plan::new(described(y), x.map(described), options)?;
        let dtype = match plan.slope {
            Slope::Duration { nanoseconds: 1 } => DataType::Duration(TimeUnit::Nanoseconds),
            Slope::Duration { nanoseconds: 1_000 } => DataType::Duration(TimeUnit::Microseconds),
            Slope::Duration { .. } => DataType::Duration(TimeUnit::Milliseconds),
            Slope::Number if matches!(y.dtype(), DataType::Float32 | DataType::Float16) => y.dtype().clone(),
            Slope::Number => DataType::Float64,
        };
        let x_name = x.map(|x| x.name().clone()).unwrap_or_default();
        Ok(Self { plan, dtype, x_name })
    }

    #[cfg(any(feature = "lazy", feature = "python"))]
    fn of_points<C>(points: &Field, options: &GradientOptions<C>) -> PolarsResult<Self> {
        let DataType::Struct(fields) = points.dtype() else {
            polars_bail!(InvalidOperation: "`gradient` takes a column of points, got {}", points.dtype());
        };
        Self::new(&fields[0], fields.get(1), options)
    }
}

impl From<Refused> for PolarsError {
    fn from(Refused(message): Refused) -> Self {
        Self::InvalidOperation(message.into())
    }
}

/// The gradient of points whose neighbours somebody else has found.
#[cfg(any(feature = "lazy", feature = "python"))]
fn gradient_of_window<C>(window: &Window, plan: &Typed, options: &GradientOptions<C>) -> PolarsResult<Series> {
    let slopes = slopes(window, None, plan, options.strict, |_| Ok(String::new()))?;
    finish(&in_order(slopes), window.this().name(), &plan.dtype, options.strict)
}

/// The gradient of a whole column of points, group by group.
fn gradient_of_column<C>(
    points: &Series,
    by: &[Series],
    plan: &Typed,
    options: &GradientOptions<C>,
) -> PolarsResult<Series> {
    let height = points.len();
    let by = by
        .iter()
        .map(|key| as_long(key, height))
        .collect::<PolarsResult<Vec<_>>>()?;
    let groups = Groups::new(&by, height)?;
    let known = match options.nulls {
        Nulls::Skip => known(points)?,
        _ => None,
    };
    let gathered = Gathered::needed(bits(&groups.starts), groups.rows, known.as_ref().map(bits), height);
    let points = match &gathered {
        Some(gathered) => &taken(points, gathered.rows())?,
        None => points,
    };
    let segments = match &gathered {
        Some(gathered) => gathered.segments(),
        None => &Segments::new(bits(&groups.starts), height),
    };
    let row = |position: usize| match &gathered {
        Some(gathered) => gathered.rows()[position] as usize,
        None => position,
    };
    let window = Window::of_column(points, options.edge_order.reach())?;
    let slopes = slopes(&window, Some(segments), plan, options.strict, |position| {
        group(&by, row(position))
    })?;
    let slopes = match (&gathered, slopes) {
        (None, slopes) => in_order(slopes),
        (Some(gathered), Parts::F64(parts)) => {
            let parts = parts.into_iter().map(Slopes::into_parts);
            column::<Float64Type>([gathered.put_back(parts, height)])
        },
        (Some(gathered), Parts::F32(parts)) => {
            let parts = parts.into_iter().map(Slopes::into_parts);
            column::<Float32Type>([gathered.put_back(parts, height)])
        },
    };
    finish(&slopes, points.name(), &plan.dtype, options.strict)
}

/// The slopes of points whose neighbours are known, as the numbers they are computed as.
///
/// `group` names the group of a row, for errors.
fn slopes(
    window: &Window,
    segments: Option<&Segments>,
    typed: &Typed,
    strict: bool,
    group: impl Fn(usize) -> PolarsResult<String> + Sync,
) -> PolarsResult<Parts> {
    let rows = window.this().len();
    if window.has_nulls_only() {
        return Ok(Parts::F64(vec![Slopes::nulls(rows)]));
    }
    let columns = window.columns()?;
    let sweep = Sweep {
        rows,
        scale: typed.plan.scale,
        apart: typed.plan.apart,
        segments,
        on_all_cores: true,
    };
    sweep.run(&window.members(&columns)?, |row, read| {
        if strict {
            Err(not_monotonic(&typed.x_name, &columns.x[read], row, &group(row)?)?)
        } else {
            Ok(())
        }
    })
}

/// The slopes of a column, in its own order.
fn in_order(slopes: Parts) -> Series {
    match slopes {
        Parts::F64(parts) => column::<Float64Type>(parts.into_iter().map(Slopes::into_parts)),
        Parts::F32(parts) => column::<Float32Type>(parts.into_iter().map(Slopes::into_parts)),
    }
}

/// Values and the bits of those that are valid, chunk by chunk.
fn column<T>(chunks: impl IntoIterator<Item = (Vec<T::Native>, Option<Vec<u8>>)>) -> Series
where
    T: PolarsNumericType,
    ChunkedArray<T>: IntoSeries,
{
    let chunks = chunks.into_iter().map(|(values, validity)| {
        let validity = validity.map(|bytes| Bitmap::from_u8_vec(bytes, values.len()));
        PrimitiveArray::from_vec(values).with_validity(validity)
    });
    ChunkedArray::<T>::from_chunk_iter(PlSmallStr::EMPTY, chunks).into_series()
}

/// Rows of a column, in another order.
fn taken(column: &Series, rows: &[IdxSize]) -> PolarsResult<Series> {
    series_in_parallel(column, rows.len(), |part| column.take_slice(&rows[part]))
}

/// Parts of a column made from another one, on all cores worth it.
fn series_in_parallel(
    column: &Series,
    rows: usize,
    work: impl Fn(std::ops::Range<usize>) -> PolarsResult<Series> + Sync,
) -> PolarsResult<Series> {
    let mut whole = column.clear();
    for part in crate::threads::in_parallel(rows, work)? {
        whole.append_owned(part)?;
    }
    Ok(whole)
}

fn bits(bitmap: &Bitmap) -> Bits<'_> {
    let (bytes, offset, _) = bitmap.as_slice();
    Bits::new(bytes, offset)
}

/// A key of one value is the key of every row.
fn as_long(key: &Series, height: usize) -> PolarsResult<Series> {
    match key.len() {
        length if length == height => Ok(key.clone()),
        1 => Ok(key.new_from_index(0, height)),
        length => polars_bail!(
            ShapeMismatch: "key `{}` must be as long as y: got {length} and {height} rows", key.name()
        ),
    }
}

/// Slopes as computed → the dtype promised.
fn finish(slopes: &Series, name: &PlSmallStr, dtype: &DataType, strict: bool) -> PolarsResult<Series> {
    match dtype {
        DataType::Duration(unit) => {
            let slopes = slopes.f64()?;
            let whole: Int64Chunked = slopes
                .iter()
                .map(|slope| slope.and_then(whole))
                .collect_ca_trusted(name.clone());
            polars_ensure!(
                !strict || whole.null_count() == slopes.null_count(),
                ComputeError: "the gradient of `{name}` does not fit in a {dtype}; \
                cast y to an integer, or {} to get nulls there",
                if cfg!(feature = "python") { "pass `strict=False`" } else { "turn `strict` off" }
            );
            Ok(whole.into_duration(*unit).into_series())
        },
        _ => Ok(slopes.cast(dtype)?.with_name(name.clone())),
    }
}
