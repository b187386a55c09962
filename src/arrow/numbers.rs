//! Converts an array of any type to numbers with exact differences, and finds their unit.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, make_array};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, TimeUnit};
use bytemuck::cast_slice;

use crate::bits::Bits;
use crate::segments::{Chunk, Contiguous, Half, Number, Numbers};
use crate::units::{ColumnInfo, Opaque, SPARE_BITS_OF_64, Unit, spare_bits_of_decimal};

/// A column as a plan sees it.
pub(super) fn info<'a>(name: &'a str, array: &'a dyn Array) -> ColumnInfo<'a> {
    ColumnInfo {
        name,
        dtype: array.data_type(),
        unit: unit(array.data_type()),
        opaque: match array.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Opaque::Text,
            _ => Opaque::Other,
        },
        is_bool: array.data_type() == &DataType::Boolean,
        is_instant: array.data_type().is_temporal() && !matches!(array.data_type(), DataType::Duration(_)),
        is_float: array.data_type().is_floating(),
        zero: match array.data_type() {
            DataType::UInt64 => i64::MIN.into(),
            _ => 0,
        },
        spare_bits: match array.data_type() {
            DataType::Decimal128(precision, _) => spare_bits_of_decimal((*precision).into()),
            dtype if dtype.is_integer() || dtype.is_temporal() => SPARE_BITS_OF_64,
            _ => 0,
        },
        axes: 0,
    }
}

/// The nanoseconds of a unit of time.
pub(super) fn nanoseconds(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

/// The unit of an array; `None` if its type has no differences.
fn unit(dtype: &DataType) -> Option<Unit> {
    use DataType as D;
    let time = |unit: &TimeUnit| Unit::Time {
        nanoseconds: nanoseconds(*unit),
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

/// An array of primitive values, and which of them are null.
pub(super) struct Physical {
    array: ArrayRef,
    nulls: Option<NullBuffer>,
}

impl Physical {
    /// # Errors
    ///
    /// That of Arrow for an array that does not match its type.
    pub(super) fn new(array: &ArrayRef) -> Result<Self, ArrowError> {
        use DataType as D;
        let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
        let array: ArrayRef = match array.data_type() {
            // Booleans and nulls are not stored as numbers.
            D::Boolean => {
                let bits = array.as_boolean().values();
                Arc::new(Float64Array::from_iter_values(bits.iter().map(f64::from)))
            },
            D::Null => Arc::new(Float64Array::from_value(0.0, array.len())),
            // What 64 bits count is in the unit.
            D::Date64 | D::Timestamp(..) | D::Duration(_) | D::Time64(_) => {
                make_array(array.to_data().into_builder().data_type(D::Int64).build()?)
            },
            _ => array.clone(),
        };
        Ok(Self { array, nulls })
    }

    /// The canonical numbers: read in place, or converted when they are read.
    pub(super) fn numbers(&self) -> Numbers<'_> {
        use DataType as D;
        let array = &self.array;
        let validity = self
            .nulls
            .as_ref()
            .map(|nulls| Bits::new(nulls.validity(), nulls.offset()));
        macro_rules! chunk {
            ($variant:ident, $type:ty) => {
                Numbers::$variant(vec![Chunk::new(values::<$type>(array), validity)])
            };
            ($variant:ident, $type:ty, converted) => {
                Numbers::$variant(vec![Chunk::converted(values::<$type>(array), validity)])
            };
        }
        match array.data_type() {
            D::Float32 => chunk!(F32, Float32Type),
            D::Float16 => {
                let halves = cast_slice::<_, Half>(values::<Float16Type>(array));
                Numbers::F64(vec![Chunk::converted(halves, validity)])
            },
            D::Int8 => chunk!(F64, Int8Type, converted),
            D::Int16 => chunk!(F64, Int16Type, converted),
            D::Int32 => chunk!(F64, Int32Type, converted),
            D::UInt8 => chunk!(F64, UInt8Type, converted),
            D::UInt16 => chunk!(F64, UInt16Type, converted),
            D::UInt32 => chunk!(F64, UInt32Type, converted),
            D::UInt64 => chunk!(I64, UInt64Type, converted),
            D::Date32 => chunk!(I64, Date32Type, converted),
            D::Time32(TimeUnit::Second) => chunk!(I64, Time32SecondType, converted),
            D::Time32(_) => chunk!(I64, Time32MillisecondType, converted),
            D::Decimal128(..) => chunk!(I128, Decimal128Type),
            D::Int64 => chunk!(I64, Int64Type),
            _ => chunk!(F64, Float64Type),
        }
    }

    /// How the values of two rows compare; `None` where one is not finite.
    pub(super) fn order(&self, a: usize, b: usize) -> Option<Ordering> {
        match self.numbers() {
            Numbers::F64(chunks) => order(&chunks, a, b),
            Numbers::F32(chunks) => order(&chunks, a, b),
            Numbers::I64(chunks) => order(&chunks, a, b),
            Numbers::I128(chunks) => order(&chunks, a, b),
        }
    }
}

fn values<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

fn order<T: Number>(chunks: &[Chunk<'_, T>], a: usize, b: usize) -> Option<Ordering> {
    let column = Contiguous::new(chunks);
    let (a, b) = (column.slice().values[a], column.slice().values[b]);
    let finite = a.zero_unless_finite() == 0.0 && b.zero_unless_finite() == 0.0;
    a.partial_cmp(&b).filter(|_| finite)
}
