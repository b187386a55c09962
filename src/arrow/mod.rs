//! Arrays of Apache Arrow in, arrays out, without Polars.
//!
//! ```
//! use std::sync::Arc;
//! use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, TimestampSecondArray};
//! use polars_grad::{Domain, Gradient, arrow};
//!
//! let y = Float64Array::from(vec![Some(0.0), Some(1.0), Some(9.0), None]);
//! let slopes = arrow::evaluate(&y, Gradient::new(), &Domain::new())?;
//! assert_eq!(&*slopes, &Float64Array::from(vec![Some(1.0), Some(4.5), None, None]) as &dyn Array);
//!
//! let at: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, 1, 3, 4]));
//! let batch = RecordBatch::try_from_iter([("y", Arc::new(y) as ArrayRef), ("at", at)])?;
//! let slopes = arrow::evaluate_in(&batch, "y", Gradient::new(), &Domain::new().x("at"))?;
//! assert_eq!(&*slopes, &Float64Array::from(vec![Some(1.0), Some(2.0), None, None]) as &dyn Array);
//! # Ok::<(), arrow_schema::ArrowError>(())
//! ```

mod groups;
mod numbers;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float16Type, Float32Type, Float64Type, Int32Type, Int64Type, UInt8Type,
};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int8Array, Int64Array, PrimitiveArray, RecordBatch, StringArray, StructArray,
    make_array, new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, Field, Fields, TimeUnit};

use self::groups::Groups;
use self::numbers::{Physical, info, nanoseconds};
use crate::bits::Bits;
use crate::column::{Mode, WholeColumn, WrongRow};
use crate::domain::{Domain, Nulls};
use crate::inputs::Inputs;
use crate::operators::{Operator, Reason};
use crate::plan::{Plan, all_ticks, ticks};
use crate::run::{Parts, Results};
use crate::segments::{Part, halves};
use crate::units::{Kind, PlanError, Unit};
use crate::unsorted::{around_message, given, in_group, message, wrong_step};

/// Evaluates an operator over `y`, row by row.
///
/// - `y`: any number, or a time; sliced or not, with or without nulls. Arrays of `f64`, `f32`, `i64` and times of 64 bits
///   are read in place, and the result is the one allocation of its size. Groups that are not contiguous, and skipped
///   nulls, take 4 bytes per row besides.
/// - [`x`](Domain::x): of the same types or boolean, as long as `y`.
/// - [`sigma`](Domain::sigma): the standard deviation of each `y`, for operators that give errors or fit rows.
/// - [`by`](Domain::by): keys of any type that Arrow can compare, as long as `y`. Floats are equal keys if their
///   bits are.
///
/// Runs on the calling thread: engines on Arrow have a thread per batch. For the batches of a stream use
/// [`Live`](crate::Live), which gives the same results.
///
/// # Returns
///
/// An array as long as `y`; for a slope, such as that of `Gradient`:
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
///   [`strict`](Domain::strict) is off.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use arrow_array::{Array, ArrayRef, Float64Array, Int32Array};
/// use polars_grad::{Domain, Gradient, arrow};
///
/// let id: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 1, 2]));
/// let y = Float64Array::from(vec![0.0, 5.0, 2.0, 4.0]);
/// let slopes = arrow::evaluate(&y, Gradient::new(), &Domain::new().by([id]))?;
/// assert_eq!(&*slopes, &Float64Array::from(vec![2.0, -1.0, 2.0, -1.0]) as &dyn Array);
/// # Ok::<(), arrow_schema::ArrowError>(())
/// ```
pub fn evaluate(
    y: &dyn Array,
    operator: impl Into<Operator>,
    domain: &Domain<ArrayRef>,
) -> Result<ArrayRef, ArrowError> {
    let keys: Vec<_> = (1..=domain.by.len()).map(|number| format!("key {number}")).collect();
    let names = Inputs {
        y: "y",
        x: Some("x"),
        sigma: Some("sigma"),
    };
    named(&operator.into(), names, &y.slice(0, y.len()), &keys, domain)
}

/// [`evaluate`] over a column of a batch; the domain names the other columns.
///
/// # Errors
///
/// Those of [`evaluate`], and that of Arrow for a name that is not in the batch.
pub fn evaluate_in(
    batch: &RecordBatch,
    y: &str,
    operator: impl Into<Operator>,
    domain: &Domain<String>,
) -> Result<ArrayRef, ArrowError> {
    let column = |name: &str| {
        let index = batch.schema_ref().index_of(name)?;
        Ok::<_, ArrowError>(batch.column(index).clone())
    };
    let names = Inputs {
        y,
        x: domain.x.as_deref(),
        sigma: domain.sigma.as_deref(),
    };
    let columns = domain.clone().try_map_columns(|name| column(&name))?;
    named(&operator.into(), names, &column(y)?, &domain.by, &columns)
}

impl From<PlanError> for ArrowError {
    fn from(PlanError(message): PlanError) -> Self {
        Self::InvalidArgumentError(message)
    }
}

/// The rows that count, if nulls are skipped and there are any.
///
/// # Errors
///
/// `ComputeError` for more rows than 32 bits count.
fn skipped(
    y: &ArrayRef,
    x: Option<&ArrayRef>,
    weights: Option<&ArrayRef>,
    nulls: Nulls,
) -> Result<Option<NullBuffer>, ArrowError> {
    if nulls != Nulls::Skip {
        return Ok(None);
    }
    let [of_y, of_x, weights] = [Some(y), x, weights].map(|column| column.and_then(Array::logical_nulls));
    let valid = NullBuffer::union(
        NullBuffer::union(of_y.as_ref(), of_x.as_ref()).as_ref(),
        weights.as_ref(),
    );
    if valid.is_some() && u32::try_from(y.len()).is_err() {
        let (most, height) = (u32::MAX, y.len());
        return Err(ArrowError::ComputeError(format!(
            "skipped nulls take at most {most} rows, got {height}; evaluate a part of the column at a time, or use \
            `Live`, which takes any number"
        )));
    }
    Ok(valid)
}

fn named(
    operator: &Operator,
    names: Inputs<&str>,
    y: &ArrayRef,
    key_names: &[String],
    domain: &Domain<ArrayRef>,
) -> Result<ArrayRef, ArrowError> {
    let (x, sigma) = (domain.x.as_ref(), domain.sigma.as_ref());
    let (y_name, x_name) = (names.y, names.x.unwrap_or_default());
    let columns = Inputs {
        y: (y_name, y),
        x: names.x.zip(x),
        sigma: names.sigma.zip(sigma),
    };
    let plan = Plan::new(operator, columns.map(|(name, column)| info(name, column)), domain)?;
    let height = y.len();
    let keys = key_names.iter().map(String::as_str).zip(&domain.by);
    for (name, column) in columns.x.into_iter().chain(columns.sigma).chain(keys) {
        if column.len() != height {
            let length = column.len();
            return Err(PlanError(format!("`{name}` must be as long as y: got {length} and {height} rows")).into());
        }
    }
    let result = result_type(&plan, y.data_type(), x.map(Array::data_type));
    if y.data_type().is_null() || x.is_some_and(|x| x.data_type().is_null()) {
        return Ok(new_null_array(&result, height));
    }

    let groups = Groups::new(&domain.by, height)?;
    let valid = skipped(y, x, sigma.filter(|_| plan.weighs()), domain.nulls)?;
    let valid = valid.as_ref().map(|valid| Bits::new(valid.validity(), valid.offset()));
    let starts = Bits::new(&groups.starts, 0);
    let physical = columns.try_map(|(_, column)| Physical::new(column))?;
    let column = WholeColumn {
        inputs: physical.as_ref().map(Physical::numbers),
        height,
        rows: groups.rows,
        starts,
        valid,
    };
    let mode = Mode {
        strict: domain.strict,
        parallel: false,
    };
    let planned = Planned {
        plan: &plan,
        result: &result,
        y_name,
        x: physical.x.as_ref(),
        keys: (key_names, &domain.by),
        strict: domain.strict,
    };
    let WrongRow { row, reads, reason } = match plan.over(column, mode, None) {
        Ok(Results { words, numbers }) => {
            return match numbers {
                Parts::F32(parts) => planned.finish(words, parts, array::<Float32Type>),
                Parts::F64(parts) => planned.finish(words, parts, array::<Float64Type>),
                Parts::I128(parts) => planned.finish(words, parts, integers),
            };
        },
        Err(error) => error,
    };
    let group = group(key_names, &domain.by, row)?;
    let message = match reason {
        Reason::Unsorted { .. } => {
            let must_rise = operator.describe().needs_rising_x();
            return Err(not_monotonic(
                x_name,
                x.zip(physical.x.as_ref()),
                reads.into_iter(),
                must_rise,
                &group,
            )?);
        },
        Reason::Around { rows } => {
            let shown = x.into_iter().flat_map(|x| reads.iter().map(move |&row| show(x, row)));
            let shown = shown.collect::<Result<Vec<_>, _>>()?;
            around_message(x_name, &shown, rows, &group, "turn `strict` off to get nulls there")
        },
        Reason::Outside { .. } => format!(
            "`y` must be from 0 to below `wrap`, but in `{y_name}` there is {}{group}; correct `wrap`, or turn `strict` off to \
            get nulls there",
            show(y, reads[0])?
        ),
        Reason::Deviation => format!(
            "`sigma` must be finite and positive, but in `{}` there is {}{group}; correct it, or turn `strict` off to get \
            nulls there",
            names.sigma.unwrap_or_default(),
            show(sigma.unwrap_or(y), row)?
        ),
        Reason::TooLarge { .. } => format!(
            "the {} of `{y_name}` does not fit in {result}{}{group}; cast y to a float, or turn `strict` off to get nulls \
            there",
            operator.name(),
            given(&reads.iter().map(|&row| show(y, row)).collect::<Result<Vec<_>, _>>()?)
        ),
    };
    Err(ArrowError::ComputeError(message))
}

/// The error for an x that is not strictly monotonic among some rows.
fn not_monotonic(
    name: &str,
    x: Option<(&ArrayRef, &Physical)>,
    rows: impl Iterator<Item = usize>,
    must_rise: bool,
    group: &str,
) -> Result<ArrowError, ArrowError> {
    let Some((x, numbers)) = x else {
        return Err(PlanError("rows that are a step apart cannot be unsorted".into()).into());
    };
    let known: Vec<_> = rows.filter(|&row| x.is_valid(row)).collect();
    let wrong = wrong_step(&known, must_rise, |&before, &after| numbers.order(before, after));
    let pair = &known[wrong..known.len().min(wrong + 2)];
    let is_finite = matches!(pair, &[before, after] if numbers.order(before, after).is_some());
    let shown = pair.iter().map(|&row| show(x, row));
    let shown = shown.collect::<Result<Vec<_>, _>>()?;
    let hint = if is_finite {
        "sort by it, merge what repeats with `duplicates`, tell series apart with `by`"
    } else {
        "drop such rows"
    };
    let hint = format!("{hint}, or turn `strict` off to get nulls there");
    let message = message(name, must_rise, &shown, group, &hint);
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

/// A value with all its digits. Instants are shown in UTC, as time zones are not compiled in; beyond the calendar, as
/// numbers.
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

/// What the results of an evaluation become.
struct Planned<'a> {
    plan: &'a Plan,
    result: &'a DataType,
    y_name: &'a str,
    x: Option<&'a Physical>,
    keys: (&'a [String], &'a [ArrayRef]),
    strict: bool,
}

impl Planned<'_> {
    /// Converts results to the type of the plan.
    fn finish<O>(
        &self,
        words: Vec<Part<u8>>,
        numbers: Vec<Vec<Part<O>>>,
        array_of: impl Fn(Part<O>) -> ArrayRef,
    ) -> Result<ArrayRef, ArrowError> {
        // There is a single part: Arrow engines have a thread per batch.
        let numbers = numbers.into_iter().next().unwrap_or_default();
        let words = words.into_iter().next().map(array::<UInt8Type>);
        let columns: Vec<_> = words.into_iter().chain(numbers.into_iter().map(array_of)).collect();
        let outputs = &self.plan.outputs;
        let DataType::Struct(fields) = self.result else {
            return self.finish_column(&columns[0], outputs[0].kind, self.result);
        };
        let finished = columns.iter().zip(outputs).zip(fields);
        let finished =
            finished.map(|((column, output), field)| self.finish_column(column, output.kind, field.data_type()));
        let mut finished = finished.collect::<Result<Vec<_>, _>>()?;
        // A row without its first output has no result.
        let nulls = finished[0].nulls().cloned();
        // Where the first output does not fit in its type, the others are null too.
        if finished[0].null_count() > columns[0].null_count() {
            for column in &mut finished[1..] {
                let masked = NullBuffer::union(column.nulls(), nulls.as_ref());
                *column = make_array(column.to_data().into_builder().nulls(masked).build()?);
            }
        }
        Ok(Arc::new(StructArray::try_new(fields.clone(), finished, nulls)?))
    }

    fn finish_column(&self, values: &ArrayRef, kind: Kind, result: &DataType) -> Result<ArrayRef, ArrowError> {
        let finished = match (values.data_type(), result) {
            (_, result) if kind == Kind::OfX && result.is_temporal() => self.places(values, result)?,
            (_, DataType::Dictionary(..)) => words(values, kind)?,
            (DataType::Float64, DataType::Duration(_)) => {
                let values = values.as_primitive::<Float64Type>();
                let durations = match all_ticks(values.values()) {
                    Some(ticks) => Int64Array::new(ticks.into(), values.nulls().cloned()),
                    None => values.iter().map(|value| value.and_then(ticks)).collect(),
                };
                arrow_cast::cast(&durations, result)?
            },
            (DataType::Decimal128(..), DataType::Duration(_)) => {
                arrow_cast::cast(&arrow_cast::cast(&whole(values)?, &DataType::Int64)?, result)?
            },
            (DataType::Decimal128(..), DataType::Decimal128(precision, scale)) => {
                let values = values.as_primitive::<Decimal128Type>();
                let fits = 10_i128.pow((*precision).into());
                let values = values.unary_opt::<_, Decimal128Type>(|value| (value.abs() < fits).then_some(value));
                Arc::new(values.with_precision_and_scale(*precision, *scale)?)
            },
            (DataType::Decimal128(..), DataType::Time32(unit) | DataType::Time64(unit)) => {
                // A time of day, modulo a day.
                let day = Unit::NANOSECONDS_OF_DAY / nanoseconds(*unit);
                let of_day = |value: i128| value.rem_euclid(day.into());
                let values = values.as_primitive::<Decimal128Type>();
                temporal(&values.unary::<_, Decimal128Type>(of_day), result)?
            },
            (DataType::Decimal128(..), _) if result.is_temporal() => temporal(values.as_primitive(), result)?,
            (DataType::Decimal128(..), _) => arrow_cast::cast(&whole(values)?, result)?,
            // A cast may round twice.
            (DataType::Float64, DataType::Float16) => {
                let values = values.as_primitive::<Float64Type>();
                let halves = ScalarBuffer::from(halves(values.values()));
                Arc::new(PrimitiveArray::<Float16Type>::new(halves, values.nulls().cloned()))
            },
            _ => arrow_cast::cast(values, result)?,
        };
        if self.strict && finished.null_count() > values.null_count() {
            let is_lost = |row: &usize| finished.is_null(*row) && values.is_valid(*row);
            let row = (0..finished.len()).find(is_lost).unwrap_or_default();
            let (key_names, keys) = self.keys;
            let given = match (values.data_type(), result) {
                (_, DataType::Decimal128(..)) => String::new(),
                (DataType::Decimal128(..), _) => format!(": it is {}", show(&whole(values)?, row)?),
                _ => format!(": it is {}", show(values, row)?),
            };
            return Err(ArrowError::ComputeError(format!(
                "the {} of `{}` does not fit in {result}{given}{}; cast y to a wider type, or turn `strict` off to get nulls \
                there",
                self.plan.operator.name(),
                self.y_name,
                group(key_names, keys, row)?
            )));
        }
        Ok(finished)
    }

    /// The places at some distances from a temporal x.
    fn places(&self, distances: &ArrayRef, result: &DataType) -> Result<ArrayRef, ArrowError> {
        let Some(x) = self.x else {
            return Err(PlanError("places on a temporal x need it".into()).into());
        };
        let distances = distances.as_primitive::<Float64Type>();
        let ticks = Int64Array::new(x.numbers().plus(distances.values()).into(), distances.nulls().cloned());
        match result {
            DataType::Date32 | DataType::Time32(_) => {
                arrow_cast::cast(&arrow_cast::cast(&ticks, &DataType::Int32)?, result)
            },
            // The same numbers of 64 bits.
            result => Ok(make_array(
                ticks.into_data().into_builder().data_type(result.clone()).build()?,
            )),
        }
    }
}

/// A dictionary of words, from their indices.
fn words(indices: &ArrayRef, kind: Kind) -> Result<ArrayRef, ArrowError> {
    let Kind::Word(words) = kind else {
        return Err(PlanError("an output of words has no words".into()).into());
    };
    let indices: Int8Array = indices.as_primitive::<UInt8Type>().unary(u8::cast_signed);
    let words = StringArray::from_iter_values(words);
    Ok(Arc::new(DictionaryArray::try_new(indices, Arc::new(words))?))
}

fn array<T: ArrowPrimitiveType>((values, validity): Part<T::Native>) -> ArrayRef {
    let rows = values.len();
    let nulls = validity.map(|bytes| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows)));
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
}

/// Integers of 128 bits, which Arrow has as decimals.
fn integers((values, validity): Part<i128>) -> ArrayRef {
    let rows = values.len();
    let nulls = validity.map(|bytes| NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows)));
    Arc::new(PrimitiveArray::<Decimal128Type>::new(values.into(), nulls))
}

fn result_type(plan: &Plan, y: &DataType, x: Option<&DataType>) -> DataType {
    let dtype = |kind| match kind {
        Kind::Number if matches!(y, DataType::Float32 | DataType::Float16) => y.clone(),
        Kind::Number | Kind::Float64 => DataType::Float64,
        Kind::OfY => y.clone(),
        Kind::OfX => match x {
            Some(x) if x.is_temporal() || x == &DataType::Float32 => x.clone(),
            _ => DataType::Float64,
        },
        Kind::Word(_) => DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
        Kind::Duration { nanoseconds } => DataType::Duration(match nanoseconds {
            1 => TimeUnit::Nanosecond,
            1_000 => TimeUnit::Microsecond,
            1_000_000 => TimeUnit::Millisecond,
            _ => TimeUnit::Second,
        }),
    };
    match &plan.outputs[..] {
        [output] => dtype(output.kind),
        outputs => {
            let fields = outputs
                .iter()
                .map(|output| Field::new(output.name, dtype(output.kind), true));
            DataType::Struct(fields.collect::<Fields>())
        },
    }
}

/// Times that whole numbers count; null where a number does not fit.
fn temporal(values: &PrimitiveArray<Decimal128Type>, result: &DataType) -> Result<ArrayRef, ArrowError> {
    let counts: ArrayRef = if result.primitive_width() == Some(size_of::<i32>()) {
        Arc::new(values.unary_opt::<_, Int32Type>(|value| value.try_into().ok()))
    } else {
        Arc::new(values.unary_opt::<_, Int64Type>(|value| value.try_into().ok()))
    };
    let data = counts.to_data().into_builder().data_type(result.clone());
    Ok(make_array(data.build()?))
}

/// Decimals without a fraction.
fn whole(values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let values = values.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(values.with_precision_and_scale(38, 0)?))
}
