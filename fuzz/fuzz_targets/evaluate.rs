//! Random Arrow arrays, keys and options: a result or an error in words, and the same one however the arrays are stored.

#![no_main]

use std::sync::Arc;
use std::time::Duration;

use arbitrary::Arbitrary;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, DurationMicrosecondType, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32SecondType, Time64NanosecondType, TimestampMillisecondType,
    TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, NullArray, PrimitiveArray, StringArray, UInt32Array, make_array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::ArrowError;
use arrow_select::concat::concat;
use arrow_select::take::take;
use libfuzzer_sys::fuzz_target;
use polars_grad::{
    Derivative, Domain, Duplicates, EdgeOrder, Gradient, Increase, Integral, Nulls, Operator, Rate, Reset, Side, arrow,
};

fuzz_target!(|case: Case| case.check());

#[derive(Arbitrary, Debug)]
struct Case {
    rows: u16,
    y: Column,
    x: Option<Column>,
    keys: Option<[Option<Column>; 2]>,
    operator: AnyOperator,
    spacing: Option<Length>,
    per: Option<Duration>,
    max_gap: Option<Length>,
    nulls: AnyNulls,
    duplicates: AnyDuplicates,
    y_period: Option<Length>,
    x_period: Option<Length>,
    strict: bool,
    axis: i8,
    padding: [u8; 2],
    /// Columns of different lengths, and options that exclude each other.
    careless: bool,
}

#[derive(Arbitrary, Debug)]
struct Column {
    dtype: Dtype,
    values: Values,
    valid: Option<Vec<bool>>,
}

#[derive(Arbitrary, Debug)]
enum Values {
    /// Any values; floats by their bits.
    Any(Vec<u64>),
    /// Small numbers, few of them distinct.
    Few(Vec<u8>),
    /// The sums of small steps.
    Rising(i64, Vec<u8>),
    Falling(i64, Vec<u8>),
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Dtype {
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float16,
    Float32,
    Float64,
    Decimal(i8),
    Date32,
    Date64,
    Time32,
    Time64,
    Milliseconds,
    Nanoseconds,
    Duration,
    Boolean,
    Null,
    String,
}

#[derive(Arbitrary, Debug)]
enum AnyOperator {
    SecondOrderEdges,
    Derivative {
        order: u8,
        accuracy: u8,
        edge_accuracy: u8,
        side: AnySide,
    },
    Counter {
        per_x: bool,
        restarts: bool,
        wrap: Option<Length>,
        max_rate: Option<Length>,
    },
    Integral {
        initial: f64,
        hold: bool,
    },
    Default(u8),
}

#[derive(Arbitrary, Debug)]
enum AnyDuplicates {
    Error,
    First,
    Last,
    Mean,
}

#[derive(Arbitrary, Debug)]
enum AnySide {
    Center,
    Backward,
    Forward,
}

#[derive(Arbitrary, Debug)]
enum AnyNulls {
    Propagate,
    Skip,
    Split,
}

#[derive(Arbitrary, Debug)]
enum Length {
    Any(f64),
    Small(u8),
    Time(Duration),
    Seconds(u8),
}

/// The columns of a case.
#[derive(Clone)]
struct Columns {
    y: ArrayRef,
    x: Option<ArrayRef>,
    by: Vec<ArrayRef>,
}

type Outcome = Result<ArrayRef, String>;

impl Case {
    fn check(&self) {
        let Some(operator) = self.operator.operator() else {
            return;
        };
        // Mostly few rows; more than a tile of the engine now and then.
        let rows = usize::from(if self.rows < u16::MAX - 256 {
            self.rows % 256
        } else {
            40_000 + self.rows % 256
        });
        let columns = self.columns(rows);
        let outcome = self.evaluate(&operator, &columns);
        Self::check_result(&columns, &outcome);

        let [before, after] = self.padding.map(usize::from);
        let sliced = columns.map(|array| {
            // Rows of the array itself, from its first one on.
            let padded = |rows: usize| {
                let rows = (0..rows).filter_map(|row| Some(row.checked_rem(array.len())? as u32));
                take(array, &UInt32Array::from_iter_values(rows), None).expect("rows of the array")
            };
            let (front, back) = (padded(before), padded(after));
            let whole = concat(&[&*front, &**array, &*back]).expect("of one type");
            whole.slice(front.len(), array.len())
        });
        assert_same(&outcome, &self.evaluate(&operator, &sliced), "sliced");
        assert_same(
            &outcome,
            &self.evaluate(&operator, &columns.map(other_under_nulls)),
            "under nulls",
        );
        if rows < 256 && !self.careless {
            self.check_groups(&operator, &columns, &outcome);
        }
    }

    fn columns(&self, rows: usize) -> Columns {
        let longer = rows + usize::from(self.careless);
        let keys = self.keys.iter().flatten().flatten();
        Columns {
            y: self.y.array(rows),
            x: self.x.as_ref().map(|x| x.array(longer)),
            by: keys.map(|key| key.array(rows)).collect(),
        }
    }

    fn domain(&self, columns: &Columns) -> Domain<ArrayRef> {
        let mut domain = Domain::new().strict(self.strict).nulls(match self.nulls {
            AnyNulls::Propagate => Nulls::Propagate,
            AnyNulls::Skip => Nulls::Skip,
            AnyNulls::Split => Nulls::Split,
        });
        if self.careless {
            domain = domain.axis(self.axis.into());
        }
        if let Some(x) = &columns.x {
            domain = domain.x(x.clone());
        }
        if let Some(spacing) = &self.spacing
            && (self.careless || self.x.is_none())
        {
            domain = domain.spacing(spacing.length());
        }
        domain = domain.duplicates(match self.duplicates {
            AnyDuplicates::Error => Duplicates::Error,
            AnyDuplicates::First => Duplicates::First,
            AnyDuplicates::Last => Duplicates::Last,
            AnyDuplicates::Mean => Duplicates::Mean,
        });
        if let Some(period) = &self.y_period {
            domain = domain.y_period(period.length());
        }
        if let Some(period) = &self.x_period {
            domain = domain.x_period(period.length());
        }
        if let Some(per) = self.per {
            domain = domain.per(per);
        }
        if let Some(max_gap) = &self.max_gap
            && (self.careless || self.x.is_some())
        {
            domain = domain.max_gap(max_gap.length());
        }
        domain.by(columns.by.clone())
    }

    fn evaluate(&self, operator: &Operator, columns: &Columns) -> Outcome {
        let result = arrow::evaluate(&columns.y, operator.clone(), &self.domain(columns));
        result.map_err(|error| match error {
            ArrowError::InvalidArgumentError(message) | ArrowError::ComputeError(message) => message,
            other => panic!("an error of another kind: {other}"),
        })
    }

    fn check_result(columns: &Columns, outcome: &Outcome) {
        match outcome {
            Ok(result) => {
                assert_eq!(result.len(), columns.y.len());
                result.to_data().validate_full().expect("as its type says");
                // An array of type Null has no bits that say so.
                let missing = result.logical_nulls();
                let inputs = [Some(&columns.y), columns.x.as_ref()];
                for input in inputs.into_iter().flatten() {
                    let Some(nulls) = input.logical_nulls() else { continue };
                    for row in (0..nulls.len()).filter(|&row| nulls.is_null(row)) {
                        assert!(
                            missing.as_ref().is_some_and(|missing| missing.is_null(row)),
                            "row {row} is null in an input and not in the result"
                        );
                    }
                }
            },
            Err(message) => assert!(!message.is_empty()),
        }
    }

    /// Groups have the results that they have alone, and fail if one of them does.
    fn check_groups(&self, operator: &Operator, columns: &Columns, outcome: &Outcome) {
        // No rows are no groups, of which none could fail alone.
        if columns.by.is_empty() || columns.y.is_empty() {
            return;
        }
        for group in groups(&columns.by) {
            let rows = UInt32Array::from(group.clone());
            let mut alone = columns.map(|array| take(array, &rows, None).expect("rows of the array"));
            alone.by.clear();
            match (outcome, self.evaluate(operator, &alone)) {
                (Ok(result), alone) => {
                    let result = take(result, &rows, None).expect("rows of the result");
                    assert_same(&Ok(result), &alone, "alone");
                },
                (Err(_), Ok(_)) => {},
                (Err(_), Err(_)) => return,
            }
        }
        assert!(outcome.is_ok(), "no group fails alone, but together: {outcome:?}");
    }
}

impl Columns {
    fn map(&self, f: impl Fn(&ArrayRef) -> ArrayRef) -> Self {
        Self {
            y: f(&self.y),
            x: self.x.as_ref().map(&f),
            by: self.by.iter().map(f).collect(),
        }
    }
}

/// The rows of each group, where floats are equal if their bits are.
fn groups(keys: &[ArrayRef]) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for row in 0..keys[0].len() {
        let cell = |row: usize| keys.iter().map(|key| key.slice(row, 1).to_data()).collect::<Vec<_>>();
        let number = u32::try_from(row).expect("few rows");
        match groups.iter_mut().find(|group| cell(group[0] as usize) == cell(row)) {
            Some(group) => group.push(number),
            None => groups.push(vec![number]),
        }
    }
    groups
}

fn assert_same(outcome: &Outcome, other: &Outcome, how: &str) {
    match (outcome, other) {
        // Floats of arrays are compared by their bits, NaN included.
        (Ok(a), Ok(b)) => assert!(a.to_data() == b.to_data(), "{how}: {a:?} is now {b:?}"),
        (a, b) => assert_eq!(a.as_ref().err(), b.as_ref().err(), "{how}"),
    }
}

/// The same column with other bytes where it is null.
fn other_under_nulls(array: &ArrayRef) -> ArrayRef {
    let data = array.to_data();
    let (Some(nulls), Some(width)) = (data.nulls(), data.data_type().primitive_width()) else {
        return array.clone();
    };
    let mut bytes = data.buffers()[0].as_slice().to_vec();
    for row in (0..data.len()).filter(|&row| nulls.is_null(row)) {
        let start = (data.offset() + row) * width;
        bytes[start..start + width].fill(0x5a);
    }
    // Times of day and Decimals have bytes that are no value.
    let changed = data.clone().into_builder().buffers(vec![bytes.into()]).build();
    changed.map_or_else(|_| array.clone(), make_array)
}

impl Column {
    fn array(&self, rows: usize) -> ArrayRef {
        let valid = self.valid.as_ref().filter(|valid| !valid.is_empty());
        let nulls = valid.map(|valid| valid.iter().copied().cycle().take(rows).collect::<NullBuffer>());
        let bits = self.values.bits(rows);
        match self.dtype {
            Dtype::Int8 => primitive::<Int8Type>(&bits, nulls, |bits| bits as i8),
            Dtype::Int16 => primitive::<Int16Type>(&bits, nulls, |bits| bits as i16),
            Dtype::Int32 => primitive::<Int32Type>(&bits, nulls, |bits| bits as i32),
            Dtype::Int64 => primitive::<Int64Type>(&bits, nulls, |bits| bits as i64),
            Dtype::UInt8 => primitive::<UInt8Type>(&bits, nulls, |bits| bits as u8),
            Dtype::UInt16 => primitive::<UInt16Type>(&bits, nulls, |bits| bits as u16),
            Dtype::UInt32 => primitive::<UInt32Type>(&bits, nulls, |bits| bits as u32),
            Dtype::UInt64 => primitive::<UInt64Type>(&bits, nulls, |bits| bits),
            Dtype::Float16 => primitive::<Float16Type>(&bits, nulls, |bits| F16::from_f64(self.values.float(bits))),
            Dtype::Float32 => primitive::<Float32Type>(&bits, nulls, |bits| self.values.float(bits) as f32),
            Dtype::Float64 => primitive::<Float64Type>(&bits, nulls, |bits| self.values.float(bits)),
            Dtype::Decimal(scale) => {
                let values = bits.iter().map(|&bits| i128::from(bits as i64));
                let values = Decimal128Array::new(values.collect::<Vec<_>>().into(), nulls);
                let scale = scale.rem_euclid(39);
                // 64 bits are 19 digits.
                Arc::new(
                    values
                        .with_precision_and_scale(38, scale)
                        .expect("a scale within the precision"),
                )
            },
            Dtype::Date32 => primitive::<Date32Type>(&bits, nulls, |bits| bits as i32),
            Dtype::Date64 => primitive::<Date64Type>(&bits, nulls, |bits| bits as i64),
            Dtype::Time32 => primitive::<Time32SecondType>(&bits, nulls, |bits| (bits % 86_400) as i32),
            Dtype::Time64 => primitive::<Time64NanosecondType>(&bits, nulls, |bits| (bits % 86_400_000_000_000) as i64),
            Dtype::Milliseconds => primitive::<TimestampMillisecondType>(&bits, nulls, |bits| bits as i64),
            Dtype::Nanoseconds => primitive::<TimestampNanosecondType>(&bits, nulls, |bits| bits as i64),
            Dtype::Duration => primitive::<DurationMicrosecondType>(&bits, nulls, |bits| bits as i64),
            Dtype::Boolean => {
                let values = bits.iter().map(|bits| bits % 2 == 1).collect::<Vec<_>>();
                Arc::new(BooleanArray::new(values.into(), nulls))
            },
            Dtype::Null => Arc::new(NullArray::new(rows)),
            Dtype::String => {
                let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                let strings = bits.iter().enumerate();
                let strings = strings.map(|(row, bits)| valid(row).then(|| (bits % 5).to_string()));
                Arc::new(strings.collect::<StringArray>())
            },
        }
    }
}

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

fn primitive<T: ArrowPrimitiveType>(
    bits: &[u64],
    nulls: Option<NullBuffer>,
    value: impl Fn(u64) -> T::Native,
) -> ArrayRef {
    let values = bits.iter().map(|&bits| value(bits)).collect::<Vec<_>>();
    Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
}

impl Values {
    /// As many values as there are rows, from the beginning again where these are more.
    fn bits(&self, rows: usize) -> Vec<u64> {
        let cycled = |values: &[u8]| {
            let values: Vec<_> = if values.is_empty() { vec![1] } else { values.to_vec() };
            values.into_iter().map(i64::from).cycle().take(rows)
        };
        let sums = |start: i64, steps: &[u8], sign: i64| {
            let sums = cycled(steps).scan(start, |sum, step| {
                *sum = sum.wrapping_add(sign * step);
                Some(*sum as u64)
            });
            sums.collect()
        };
        match self {
            Self::Any(values) if values.is_empty() => vec![0; rows],
            Self::Any(values) => values.iter().copied().cycle().take(rows).collect(),
            Self::Few(values) => cycled(values).map(|value| value as u64).collect(),
            Self::Rising(start, steps) => sums(*start, steps, 1),
            Self::Falling(start, steps) => sums(*start, steps, -1),
        }
    }

    fn float(&self, bits: u64) -> f64 {
        match self {
            Self::Any(_) => f64::from_bits(bits),
            _ => bits as i64 as f64 / 8.0,
        }
    }
}

impl AnyOperator {
    /// `None` where its options exclude each other.
    fn operator(&self) -> Option<Operator> {
        match self {
            Self::SecondOrderEdges => Some(Gradient::new().edge_order(EdgeOrder::Second).into()),
            Self::Derivative {
                order,
                accuracy,
                edge_accuracy,
                side,
            } => {
                let [order, accuracy, edge_accuracy] =
                    [order, accuracy, edge_accuracy].map(|&number| usize::from(number % 10));
                let derivative = Derivative::new(order, accuracy).ok()?;
                let derivative = match side {
                    AnySide::Center => derivative.edge_accuracy(edge_accuracy).ok()?,
                    AnySide::Backward => derivative.side(Side::Backward),
                    AnySide::Forward => derivative.side(Side::Forward),
                };
                Some(derivative.into())
            },
            Self::Counter {
                per_x,
                restarts,
                wrap,
                max_rate,
            } => {
                let reset = if *restarts { Reset::Restart } else { Reset::Null };
                macro_rules! counter {
                    ($operator:ident) => {{
                        let mut counter = $operator::new().reset(reset);
                        if let Some(wrap) = wrap {
                            counter = counter.wrap(wrap.length());
                        }
                        if let Some(rate) = max_rate {
                            counter = counter.max_rate(rate.length());
                        }
                        Some(counter.into())
                    }};
                }
                if *per_x { counter!(Rate) } else { counter!(Increase) }
            },
            Self::Integral { initial, hold } => Some(Integral::new().initial(*initial).hold(*hold).into()),
            Self::Default(number) => {
                let all = Operator::all();
                Some(all[usize::from(*number) % all.len()].clone())
            },
        }
    }
}

impl Length {
    fn length(&self) -> polars_grad::Length {
        match self {
            Self::Any(step) => (*step).into(),
            Self::Small(step) => (f64::from(*step) / 4.0).into(),
            Self::Time(time) => (*time).into(),
            Self::Seconds(seconds) => Duration::from_secs((*seconds).into()).into(),
        }
    }
}
