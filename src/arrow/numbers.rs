//! Arrays as quantities: any type → numbers with exact differences, and the unit they count.

use std::cmp::Ordering;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Time32MillisecondType, Time32SecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use crate::bits::Bits;
use crate::neighbours::{Column, moved};
use crate::plan::Described;
use crate::sweep::Numbers;
use crate::unit::Unit;

/// A column as a plan sees it.
pub(super) fn described<'a>(name: &'a str, array: &'a dyn Array) -> Described<'a> {
    Described {
        name,
        dtype: array.data_type(),
        unit: unit(array.data_type()),
        is_bool: array.data_type() == &DataType::Boolean,
        axes: 0,
    }
}

/// The unit of an array, or `None` where its type has no differences.
fn unit(dtype: &DataType) -> Option<Unit> {
    use DataType as D;
    let time = |unit: &TimeUnit| Unit::Time {
        nanoseconds: match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        },
    };
    let unit = match dtype {
        D::Decimal128(_, decimals) => Unit::Number {
            decimals: usize::try_from(*decimals).ok()?,
        },
        D::Date32 => Unit::DAY,
        D::Date64 => time(&TimeUnit::Millisecond),
        D::Timestamp(unit, _) | D::Duration(unit) | D::Time32(unit) | D::Time64(unit) => time(unit),
        D::Boolean | D::Null => Unit::NUMBER,
        numeric if numeric.is_numeric() && !numeric.is_decimal() => Unit::NUMBER,
        _ => return None,
    };
    Some(unit)
}

/// An array as `f64`, `f32`, `i64` or `i128`; without a copy where it is made of such.
pub(super) struct Canonical {
    values: Values,
    nulls: Option<NullBuffer>,
}

enum Values {
    F64(ScalarBuffer<f64>),
    F32(ScalarBuffer<f32>),
    I64(ScalarBuffer<i64>),
    I128(ScalarBuffer<i128>),
}

impl Canonical {
    pub(super) fn new(array: &ArrayRef) -> Self {
        use DataType as D;
        let values = match array.data_type() {
            D::Float64 => Values::F64(array.as_primitive::<Float64Type>().values().clone()),
            D::Float32 => Values::F32(array.as_primitive::<Float32Type>().values().clone()),
            D::Float16 => floats::<Float16Type>(array),
            D::Int8 => floats::<Int8Type>(array),
            D::Int16 => floats::<Int16Type>(array),
            D::Int32 => floats::<Int32Type>(array),
            D::UInt8 => floats::<UInt8Type>(array),
            D::UInt16 => floats::<UInt16Type>(array),
            D::UInt32 => floats::<UInt32Type>(array),
            // Moved down by half their range, unsigned integers keep both order and differences.
            D::UInt64 => integers::<UInt64Type>(array, |value| (value ^ (1 << 63)).cast_signed()),
            D::Date32 => integers::<Date32Type>(array, i64::from),
            D::Time32(TimeUnit::Second) => integers::<Time32SecondType>(array, i64::from),
            D::Time32(_) => integers::<Time32MillisecondType>(array, i64::from),
            D::Decimal128(..) => Values::I128(array.as_primitive::<Decimal128Type>().values().clone()),
            D::Boolean => Values::F64(array.as_boolean().values().iter().map(f64::from).collect()),
            D::Null => Values::F64(vec![0.0; array.len()].into()),
            // Integers and times of 64 bits, whatever they count.
            _ => Values::I64(ScalarBuffer::new(
                array.to_data().buffers()[0].clone(),
                array.offset(),
                array.len(),
            )),
        };
        Self {
            values,
            nulls: array.logical_nulls().filter(|nulls| nulls.null_count() > 0),
        }
    }

    /// The numbers, and where there are any, of the rows so many ahead of each.
    pub(super) fn ahead(&self, rows: isize) -> (Numbers<'_>, Vec<Option<Bits<'_>>>) {
        let validity = self
            .nulls
            .as_ref()
            .map(|nulls| Bits::new(nulls.validity(), nulls.offset()));
        macro_rules! ahead {
            ($variant:ident, $values:expr) => {{
                let column = Column {
                    values: $values,
                    validity,
                };
                let (columns, exists) = moved(column, rows).unzip();
                (Numbers::$variant(columns), exists)
            }};
        }
        match &self.values {
            Values::F64(values) => ahead!(F64, values),
            Values::F32(values) => ahead!(F32, values),
            Values::I64(values) => ahead!(I64, values),
            Values::I128(values) => ahead!(I128, values),
        }
    }

    /// How the values of two rows compare, both being finite.
    pub(super) fn order(&self, a: usize, b: usize) -> Option<Ordering> {
        let finite = |value: f64| value.is_finite().then_some(value);
        match &self.values {
            Values::F64(values) => finite(values[a])?.partial_cmp(&finite(values[b])?),
            Values::F32(values) => finite(values[a].into())?.partial_cmp(&finite(values[b].into())?),
            Values::I64(values) => Some(values[a].cmp(&values[b])),
            Values::I128(values) => Some(values[a].cmp(&values[b])),
        }
    }
}

fn floats<T: ArrowPrimitiveType<Native: Into<f64>>>(array: &ArrayRef) -> Values {
    Values::F64(
        array
            .as_primitive::<T>()
            .values()
            .iter()
            .map(|&value| value.into())
            .collect(),
    )
}

fn integers<T: ArrowPrimitiveType>(array: &ArrayRef, to_integer: impl Fn(T::Native) -> i64) -> Values {
    Values::I64(
        array
            .as_primitive::<T>()
            .values()
            .iter()
            .map(|&value| to_integer(value))
            .collect(),
    )
}
