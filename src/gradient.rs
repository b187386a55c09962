//! Series in, Series out: plan → neighbours → kernel → finish.

use std::cmp::Ordering;
use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread::Builder;

use arrow::array::PrimitiveArray;
use arrow::bitmap::BitmapBuilder;
use num_traits::AsPrimitive;
use polars::prelude::*;

use crate::kernel::{Sample, Scale};
use crate::neighbours::{Window, in_step};
use crate::options::GradientOptions;
use crate::piece;
use crate::plan::Plan;
use crate::points::points;
use crate::quantity::canonical;

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
/// - `y`: any number, or a `Date`, `Datetime`, `Duration`, `Time`.
/// - `x`: the coordinate, of the same dtypes or boolean, strictly rising or falling. `None` takes rows to be
///   [`spacing`](GradientOptions::spacing) apart.
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
///   a temporal x.
/// - [`ShapeMismatch`](PolarsError::ShapeMismatch): `x` and `y` differ in length.
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
/// let dy_dt = gradient(&y, Some(&t), &GradientOptions::default())?;
/// assert_eq!(dy_dt, Series::new("y".into(), [1.0, 2.0, 4.0]));
/// # PolarsResult::Ok(())
/// ```
///
/// [numpy]: https://numpy.org/doc/stable/reference/generated/numpy.gradient.html
pub fn gradient(y: &Series, x: Option<&Series>, options: &GradientOptions) -> PolarsResult<Series> {
    let plan = Plan::new(&y.field(), x.map(|x| x.field()).as_deref(), options)?;
    let window = Window::of_column(&points(y, x)?, options.edge_order.reach())?;
    gradient_of(&window, &plan, options.strict)
}

/// The gradient of points whose neighbours are known.
pub(crate) fn gradient_of(window: &Window, plan: &Plan, strict: bool) -> PolarsResult<Series> {
    let y = window.field(0);
    let x = window.has_x().then(|| window.field(1));
    let name = window.this().name().clone();
    if [Some(&y), x.as_ref()]
        .into_iter()
        .flatten()
        .any(|column| column[0].dtype().is_null())
    {
        return Ok(Series::full_null(name, window.this().len(), &plan.dtype));
    }
    let numbers = |columns: &[Series]| columns.iter().map(canonical).collect::<PolarsResult<Vec<_>>>();
    let task = Task {
        window,
        y: numbers(&y)?,
        x: x.as_deref().map(numbers).transpose()?,
        scale: plan.scale,
        on_broken: |row| {
            let x = x.as_deref().unwrap_or_default();
            if strict { Err(not_monotonic(x, row)?) } else { Ok(()) }
        },
    };
    let slopes = task.dispatch_y()?.with_name(name);
    finish(&slopes, &plan.dtype, strict)
}

struct Task<'a, F> {
    window: &'a Window,
    y: Vec<Series>,
    x: Option<Vec<Series>>,
    scale: Scale,
    on_broken: F,
}

impl<F: Fn(usize) -> PolarsResult<()> + Sync> Task<'_, F> {
    fn dispatch_y(&self) -> PolarsResult<Series> {
        match self.y[0].dtype() {
            DataType::Float64 => self.dispatch_x::<Float64Type, Float64Type>(),
            DataType::Float32 => self.dispatch_x::<Float32Type, Float32Type>(),
            DataType::Int64 => self.dispatch_x::<Int64Type, Float64Type>(),
            _ => self.dispatch_x::<Int128Type, Float64Type>(),
        }
    }

    fn dispatch_x<Y, O>(&self) -> PolarsResult<Series>
    where
        Y: PolarsNumericType<Native: Sample>,
        O: PolarsNumericType,
        ChunkedArray<O>: IntoSeries,
        f64: AsPrimitive<O::Native>,
    {
        match self.x.as_deref().map(|x| x[0].dtype()) {
            None | Some(DataType::Float64) => self.run::<Y, Float64Type, O>(),
            Some(DataType::Float32) => self.run::<Y, Float32Type, O>(),
            Some(DataType::Int64) => self.run::<Y, Int64Type, O>(),
            Some(_) => self.run::<Y, Int128Type, O>(),
        }
    }

    fn run<Y, X, O>(&self) -> PolarsResult<Series>
    where
        Y: PolarsNumericType<Native: Sample>,
        X: PolarsNumericType<Native: Sample>,
        O: PolarsNumericType,
        ChunkedArray<O>: IntoSeries,
        f64: AsPrimitive<O::Native>,
    {
        let y = typed::<Y>(&self.y)?;
        let x = self.x.as_deref().map(typed::<X>).transpose()?;
        let members = self.window.chunks(&y, x.as_deref());

        let chunk = |rows: Range<usize>| {
            let mut slopes = Vec::with_capacity(rows.len());
            let mut validity = BitmapBuilder::with_capacity(rows.len());
            in_step(&members, rows, |start, window| {
                match piece::differentiate(window, self.scale, |row| (self.on_broken)(start + row), &mut slopes)? {
                    Some(valid) => validity.extend_from_bitmap(&valid),
                    None => validity.extend_constant(window[0].len(), true),
                }
                Ok(())
            })?;
            Ok(PrimitiveArray::from_vec(slopes).with_validity(validity.into_opt_validity()))
        };
        let chunks = in_parallel(self.window.this().len(), chunk)?;
        Ok(ChunkedArray::<O>::from_chunk_iter(PlSmallStr::EMPTY, chunks).into_series())
    }
}

/// One result per core for a column long enough to pay for the threads, in the order of the rows; else a single one.
///
/// The threads live as long as the call: a plugin cannot borrow those of Polars, and a pool of its own would compete with
/// them. On the streaming engine, which keeps all cores busy with short batches, no thread is ever started.
fn in_parallel<T: Send>(rows: usize, work: impl Fn(Range<usize>) -> PolarsResult<T> + Sync) -> PolarsResult<Vec<T>> {
    const ROWS_PER_THREAD: usize = 1 << 19;
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let parts = cores.min(rows / ROWS_PER_THREAD).max(1);
    let work = &work;
    let part = move |index: usize| rows * index / parts..rows * (index + 1) / parts;
    std::thread::scope(|scope| {
        let spawn = |index| (index, Builder::new().spawn_scoped(scope, move || work(part(index))));
        let others: Vec<_> = (1..parts).map(spawn).collect();
        let first = work(part(0));
        let others = others.into_iter().map(|(index, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // The system has no thread to spare.
            Err(_) => work(part(index)),
        });
        std::iter::once(first).chain(others).collect()
    })
}

fn typed<T: PolarsNumericType>(columns: &[Series]) -> PolarsResult<Vec<&ChunkedArray<T>>> {
    columns.iter().map(|column| column.unpack()).collect()
}

/// Slopes as computed → the dtype promised.
fn finish(slopes: &Series, dtype: &DataType, strict: bool) -> PolarsResult<Series> {
    match dtype {
        DataType::Duration(unit) => {
            let slopes = slopes.f64()?;
            let whole: Int64Chunked = slopes
                .iter()
                .map(|slope| slope.and_then(whole))
                .collect_ca_trusted(slopes.name().clone());
            polars_ensure!(
                !strict || whole.null_count() == slopes.null_count(),
                ComputeError: "the gradient of `{}` does not fit in a {dtype}; \
                cast y to an integer, or pass `strict=False` to get nulls there", slopes.name()
            );
            Ok(whole.into_duration(*unit).into_series())
        },
        _ => slopes.cast(dtype),
    }
}

/// The nearest whole number, if there is one.
fn whole(slope: f64) -> Option<i64> {
    let nearest = slope.round_ties_even();
    let fits = nearest >= i64::MIN as f64 && nearest < i64::MAX as f64;
    fits.then_some(nearest as i64)
}

/// What is wrong with x around a row, in the words of the column.
fn not_monotonic(x: &[Series], row: usize) -> PolarsResult<PolarsError> {
    let around = x.iter().map(|x| x.get(row)).collect::<PolarsResult<Vec<_>>>()?;
    let steps = || {
        around
            .windows(2)
            .filter(|step| !step[0].is_null() && !step[1].is_null())
    };
    let order = |step: &[AnyValue]| step[0].partial_cmp(&step[1]);
    let first = steps().next().and_then(order);
    let wrong = |step: &&[AnyValue]| {
        let order = order(step);
        order.is_none() || order == Some(Ordering::Equal) || order != first || !step.iter().all(is_finite)
    };
    let (before, after) = steps()
        .find(wrong)
        .or_else(|| steps().next())
        .map_or_else(Default::default, |step| (show(&step[0]), show(&step[1])));
    let name = x[0].name();
    Ok(polars_err!(
        ComputeError: "`x` must be finite and strictly monotonic, but in column `{name}` {before} is followed by \
        {after}; sort by `{name}`, use `.over(..., order_by=\"{name}\")`, drop duplicates, \
        or pass `strict=False` to get nulls there"
    ))
}

fn is_finite(value: &AnyValue) -> bool {
    match value {
        AnyValue::Float64(value) => value.is_finite(),
        AnyValue::Float32(value) => value.is_finite(),
        AnyValue::Float16(value) => f32::from(*value).is_finite(),
        _ => true,
    }
}

/// A coordinate in full: all digits of a float, an instant in UTC.
fn show(value: &AnyValue) -> String {
    match value {
        AnyValue::Float64(value) => format!("{value:?}"),
        AnyValue::Float32(value) => format!("{value:?}"),
        AnyValue::Datetime(value, unit, Some(_)) => format!("{} UTC", AnyValue::Datetime(*value, *unit, None)),
        value => value.to_string(),
    }
}
