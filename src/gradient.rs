//! Series in, Series out: plan → neighbours → sweep → finish.

use polars::prelude::*;

use crate::neighbours::{Gathered, Groups, Segments, Window};
use crate::options::{GradientOptions, Nulls};
use crate::plan::Plan;
use crate::points::{known, points};
use crate::sweep;
use crate::unsorted;

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
    gradient_by(y, x, &[], options)
}

/// [`gradient`] of each group by itself.
///
/// - `by`: the keys, each of the length of `y` or a single value, of any dtype that Polars groups by. Rows of equal keys
///   form a group, wherever they stand; a null is a key like any other.
///
/// The answer is that of `.over(by)`, row for row. Groups that stand one after the other are differentiated in place;
/// others are brought together and put back, for which y, x, the result and a number per row are held once more.
///
/// # Errors
///
/// Those of [`gradient`]; the group is named in the message.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{GradientOptions, gradient_by};
///
/// let id = Series::new("id".into(), ["a", "b", "a", "b"]);
/// let y = Series::new("y".into(), [0.0, 5.0, 2.0, 4.0]);
/// let dy = gradient_by(&y, None, &[id], &GradientOptions::default())?;
/// assert_eq!(dy, Series::new("y".into(), [2.0, -1.0, 2.0, -1.0]));
/// # PolarsResult::Ok(())
/// ```
pub fn gradient_by(y: &Series, x: Option<&Series>, by: &[Series], options: &GradientOptions) -> PolarsResult<Series> {
    let plan = Plan::new(&y.field(), x.map(|x| x.field()).as_deref(), options)?;
    gradient_of_column(&points(y, x)?, by, &plan, options)
}

/// The gradient of points whose neighbours somebody else has found.
#[cfg(feature = "python")]
pub(crate) fn gradient_of_window(window: &Window, plan: &Plan, options: &GradientOptions) -> PolarsResult<Series> {
    let slopes = sweep::slopes(window, None, plan, options.strict, |_| Ok(String::new()))?;
    finish(&slopes, &plan.dtype, options.strict)
}

/// The gradient of a whole column of points, group by group.
pub(crate) fn gradient_of_column(
    points: &Series,
    by: &[Series],
    plan: &Plan,
    options: &GradientOptions,
) -> PolarsResult<Series> {
    let height = points.len();
    let by = by
        .iter()
        .map(|key| as_long(key, height))
        .collect::<PolarsResult<Vec<_>>>()?;
    let mut groups = Groups::new(&by, height)?;
    let known = if options.nulls == Nulls::Skip {
        known(points)?
    } else {
        None
    };
    let gathered = match (known, groups.rows.take()) {
        (Some(known), rows) => Some(Gathered::known(&groups.starts, rows.as_deref(), &known)),
        (None, Some(rows)) => Some(Gathered::new(groups.starts.clone(), rows)),
        (None, None) => None,
    };
    let reach = options.edge_order.reach();
    let slopes = match &gathered {
        None => {
            let window = Window::of_column(points, reach)?;
            let group = |row| unsorted::group(&by, row);
            sweep::slopes(
                &window,
                Some(&Segments::new(&groups.starts)),
                plan,
                options.strict,
                group,
            )?
        },
        Some(gathered) => {
            let window = Window::of_column(&gathered.take(points)?, reach)?;
            let group = |position| unsorted::group(&by, gathered.row(position));
            let segments = Segments::new(gathered.starts());
            gathered.put_back(
                &sweep::slopes(&window, Some(&segments), plan, options.strict, group)?,
                height,
            )?
        },
    };
    finish(&slopes, &plan.dtype, options.strict)
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
