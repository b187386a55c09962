//! Arrays of Apache Arrow in, arrays out, without Polars.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampSecondArray};
//! use polars_grad::{GradientOptions, arrow};
//!
//! let y = Float64Array::from(vec![Some(0.0), Some(1.0), Some(9.0), None]);
//! let slopes = arrow::gradient(&y, &GradientOptions::new())?;
//! assert_eq!(&*slopes, &Float64Array::from(vec![Some(1.0), Some(4.5), None, None]) as &dyn Array);
//!
//! let at: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1, 3, 4]));
//! let batch = RecordBatch::try_from_iter([("y", Arc::new(y) as ArrayRef), ("at", at)])?;
//! let slopes = arrow::gradient_in(&batch, "y", &GradientOptions::new().x("at"))?;
//! assert_eq!(&*slopes, &Float64Array::from(vec![Some(1.0), Some(2.0), None, None]) as &dyn Array);
//! # Ok::<(), arrow_schema::ArrowError>(())
//! ```

mod groups;
mod numbers;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, PrimitiveArray, RecordBatch, make_array, new_null_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};

use self::groups::Groups;
use self::numbers::{Canonical, described};
use crate::bits::Bits;
use crate::neighbours::Gathered;
use crate::options::{GradientOptions, Nulls};
use crate::plan::{Plan, Refused, Slope, whole};
use crate::sweep::{Found, Member, Part, Parts, Sweep};
use crate::unsorted::{in_group, message, wrong_step};

/// The derivative of `y` with respect to [`x`](GradientOptions::x), row by row.
///
/// In the interior, with `h1 = x[i] - x[i-1]`, `h2 = x[i+1] - x[i]`, `d1 = y[i] - y[i-1]` and `d2 = y[i+1] - y[i]`, it
/// is the slope of the parabola through the three points, `(d1/h1 * h2 + d2/h2 * h1) / (h1 + h2)`: second-order accurate
/// on any grid, and the same as [`numpy.gradient`][numpy].
///
/// - `y`: any number, or a time; sliced or not, with or without nulls. Arrays of `f64`, `f32`, `i64` and times of 64 bits
///   are read in place, and the slopes are the one allocation of their size. Rows that do not stand together (keys in
///   turns, nulls that are skipped) take a number each besides.
/// - [`x`](GradientOptions::x): of the same types or boolean, as long as `y`.
/// - [`by`](GradientOptions::by): keys of any type that Arrow can compare, as long as `y`. Floats are equal keys if their
///   bits are.
///
/// Runs on the calling thread: engines on Arrow have a thread per batch. Over the batches of a stream go on with
/// [`LiveGradient`](crate::LiveGradient), whose slopes are the same.
///
/// # Returns
///
/// An array as long as `y`:
///
/// | `y` | `x` | result |
/// |---|---|---|
/// | `Float32`, `Float16` | any | the type of `y`, computed in `f64` |
/// | a time | number, rows | `Duration` in the unit of `y`; of a `Date32` in microseconds |
/// | a time | a time | `Float64`, a pure ratio |
/// | any other | any | `Float64` |
///
/// Nulls and NaN are treated as [`Nulls`] says and as in a Polars column.
///
/// # Errors
///
/// - [`InvalidArgumentError`](ArrowError::InvalidArgumentError): a type that has no differences, an option that does not
///   fit, columns that differ in length.
/// - [`ComputeError`](ArrowError::ComputeError): an x that is not finite and strictly monotonic, unless
///   [`strict`](GradientOptions::strict) is off.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Array, ArrayRef, Float64Array, Int32Array};
/// use polars_grad::{GradientOptions, arrow};
///
/// let id: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 1, 2]));
/// let y = Float64Array::from(vec![0.0, 5.0, 2.0, 4.0]);
/// let slopes = arrow::gradient(&y, &GradientOptions::new().by([id]))?;
/// assert_eq!(&*slopes, &Float64Array::from(vec![2.0, -1.0, 2.0, -1.0]) as &dyn Array);
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
///
/// [numpy]: https://numpy.org/doc/stable/reference/generated/numpy.gradient.html
pub fn gradient(y: &dyn Array, options: &GradientOptions<ArrayRef>) -> Result<ArrayRef, ArrowError> {
    let keys: Vec<_> = (1..=options.by.len()).map(|number| format!("key {number}")).collect();
    named(("y", y.slice(0, y.len())), "x", &keys, options)
}

/// [`gradient`] of a column of a batch; the options name the other columns.
///
/// # Errors
///
/// Those of [`gradient`], and what Arrow says of a name that there is not.
pub fn gradient_in(batch: &RecordBatch, y: &str, options: &GradientOptions<String>) -> Result<ArrayRef, ArrowError> {
    let column = |name: &str| {
        let index = batch.schema_ref().index_of(name)?;
        Ok::<_, ArrowError>(batch.column(index).clone())
    };
    let x = options.x.as_deref().unwrap_or("x");
    let columns = options.clone().try_map_columns(|name| column(&name))?;
    named((y, column(y)?), x, &options.by, &columns)
}

impl From<Refused> for ArrowError {
    fn from(Refused(message): Refused) -> Self {
        Self::InvalidArgumentError(message)
    }
}

fn named(
    (y_name, y): (&str, ArrayRef),
    x_name: &str,
    key_names: &[String],
    options: &GradientOptions<ArrayRef>,
) -> Result<ArrayRef, ArrowError> {
    let x = options.x.as_ref();
    let plan = Plan::new(described(y_name, &y), x.map(|x| described(x_name, x)), options)?;
    let height = y.len();
    let names = x
        .map(|_| x_name)
        .into_iter()
        .chain(key_names.iter().map(String::as_str));
    for (name, column) in names.zip(x.into_iter().chain(&options.by)) {
        if column.len() != height {
            let length = column.len();
            return Err(Refused(format!("`{name}` must be as long as y: got {length} and {height} rows")).into());
        }
    }
    let result = result_type(&plan, y.data_type());
    if y.data_type().is_null() || x.is_some_and(|x| x.data_type().is_null()) {
        return Ok(new_null_array(&result, height));
    }

    let groups = Groups::new(&options.by, height)?;
    let known = match options.nulls {
        Nulls::Skip => NullBuffer::union(y.logical_nulls().as_ref(), x.and_then(Array::logical_nulls).as_ref()),
        _ => None,
    };
    let known = known.as_ref().map(|known| Bits::new(known.validity(), known.offset()));
    let starts = Bits::new(&groups.starts, 0);
    let order = Gathered::needed(starts, groups.rows, known, height);
    let points = Points {
        y: Canonical::new(&y),
        x: x.map(Canonical::new),
    };
    let reach = options.edge_order.reach();
    let found = match &order {
        None => points.shifted(reach, starts),
        Some(order) => Found::Gathered {
            column: points.member(0),
            order,
            starts: order.starts(starts),
            reach,
        },
    };
    let sweep = Sweep {
        rows: height,
        scale: plan.scale,
        apart: plan.apart,
        on_all_cores: false,
    };
    let slopes = sweep.run(&found, |position, read| {
        if !options.strict {
            return Ok(());
        }
        let row = |position: usize| order.as_ref().map_or(position, |order| order.rows()[position] as usize);
        let rows = read.map(|member| row(position + member - reach));
        let group = group(key_names, &options.by, row(position))?;
        Err(not_monotonic(x_name, x.zip(points.x.as_ref()), rows, &group)?)
    })?;
    match slopes {
        Parts::F32(parts) => Ok(Arc::new(array::<Float32Type>(parts))),
        Parts::F64(parts) => finish(array::<Float64Type>(parts), y_name, &result, options.strict),
    }
}

/// y, and x where there is one, as numbers.
struct Points {
    y: Canonical,
    x: Option<Canonical>,
}

impl Points {
    fn shifted<'a>(&'a self, reach: usize, starts: Bits<'a>) -> Found<'a, u32> {
        let reach = reach as isize;
        Found::Shifted {
            members: (-reach..=reach).map(|ahead| self.member(ahead)).collect(),
            starts: Some(starts),
            together: 1,
        }
    }

    /// The points so many rows ahead of each.
    fn member(&self, ahead: isize) -> Member<'_> {
        let (y, exists) = self.y.ahead(ahead);
        let x = self.x.as_ref().map(|x| x.ahead(ahead).0);
        Member { y, x, exists }
    }
}

/// The error for an x that is not strictly monotonic among some rows.
fn not_monotonic(
    name: &str,
    x: Option<(&ArrayRef, &Canonical)>,
    rows: impl Iterator<Item = usize>,
    group: &str,
) -> Result<ArrowError, ArrowError> {
    let Some((x, numbers)) = x else {
        return Err(Refused("rows that are a step apart cannot be unsorted".into()).into());
    };
    let known: Vec<_> = rows.filter(|&row| x.is_valid(row)).collect();
    let wrong = wrong_step(&known, |&before, &after| numbers.order(before, after));
    let shown = |index: usize| show(x, known[index]);
    let hint = "sort by it, drop duplicates, or turn `strict` off to get nulls there";
    let message = message(name, &shown(wrong)?, &shown(wrong + 1)?, group, hint);
    Ok(ArrowError::ComputeError(message))
}

/// The group of a row, by its keys.
fn group(names: &[String], keys: &[ArrayRef], row: usize) -> Result<String, ArrowError> {
    let shown = names
        .iter()
        .zip(keys)
        .map(|(name, key)| Ok(format!("`{name}` = {}", show(key, row)?)));
    Ok(in_group(&shown.collect::<Result<Vec<_>, ArrowError>>()?))
}

/// A value in full: an instant in UTC, as time zones are not compiled in, or its number where the calendar ends.
fn show(array: &ArrayRef, row: usize) -> Result<String, ArrowError> {
    let value = array.slice(row, 1);
    let (value, zone) = match value.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let instant = DataType::Timestamp(*unit, None);
            (
                make_array(value.to_data().into_builder().data_type(instant).build()?),
                " UTC",
            )
        },
        _ => (value, ""),
    };
    let options = FormatOptions::new().with_display_error(false);
    if let Ok(shown) = ArrayFormatter::try_new(&value, &options)?.value(0).try_to_string() {
        return Ok(shown + zone);
    }
    let number = make_array(value.to_data().into_builder().data_type(DataType::Int64).build()?);
    Ok(format!(
        "{} ({})",
        number.as_primitive::<Int64Type>().value(0),
        array.data_type()
    ))
}

/// A single part: all of it was swept on this thread. Of a column without rows there is none.
fn array<T: ArrowPrimitiveType>(parts: Vec<Part<T::Native>>) -> PrimitiveArray<T> {
    let (values, validity) = parts.into_iter().next().unwrap_or_default();
    let rows = values.len();
    let nulls = validity.map(|bytes| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows)));
    PrimitiveArray::new(values.into(), nulls)
}

fn result_type(plan: &Plan, y: &DataType) -> DataType {
    match plan.slope {
        Slope::Number if matches!(y, DataType::Float32 | DataType::Float16) => y.clone(),
        Slope::Number => DataType::Float64,
        Slope::Duration { nanoseconds } => DataType::Duration(match nanoseconds {
            1 => TimeUnit::Nanosecond,
            1_000 => TimeUnit::Microsecond,
            1_000_000 => TimeUnit::Millisecond,
            _ => TimeUnit::Second,
        }),
    }
}

/// Slopes as computed → the type promised.
fn finish(slopes: Float64Array, name: &str, result: &DataType, strict: bool) -> Result<ArrayRef, ArrowError> {
    match result {
        DataType::Duration(_) => {
            let durations: Int64Array = slopes.iter().map(|slope| slope.and_then(whole)).collect();
            if strict && durations.null_count() > slopes.null_count() {
                return Err(ArrowError::ComputeError(format!(
                    "the gradient of `{name}` does not fit in a {result}; cast y to an integer, or turn `strict` off \
                    to get nulls there"
                )));
            }
            arrow_cast::cast(&durations, result)
        },
        DataType::Float16 => arrow_cast::cast(&slopes, result),
        _ => Ok(Arc::new(slopes)),
    }
}
