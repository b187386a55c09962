//! Converts a column of any dtype to numbers with exact differences, and finds their unit.

use std::iter::repeat_n;

use bytemuck::cast_slice;
use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::BitmapBuilder;

use super::bits;
use super::nested::{axes, leaf};
use crate::segments::{Chunk, Half, Number, Numbers};
use crate::units::{ColumnInfo, Opaque, SPARE_BITS_OF_64, SPARE_BITS_OF_128, Unit, spare_bits_of_decimal};

/// A column as a plan sees it.
pub(crate) fn info(field: &Field) -> ColumnInfo<'_> {
    ColumnInfo {
        name: field.name(),
        dtype: field.dtype(),
        unit: unit(leaf(field.dtype())),
        opaque: match field.dtype() {
            DataType::String => Opaque::Text,
            DataType::Binary => Opaque::Bytes,
            _ => Opaque::Other,
        },
        is_bool: leaf(field.dtype()).is_bool(),
        is_instant: matches!(
            leaf(field.dtype()),
            DataType::Date | DataType::Datetime(..) | DataType::Time
        ),
        zero: match leaf(field.dtype()) {
            DataType::UInt64 => i64::MIN.into(),
            DataType::UInt128 => i128::MIN,
            _ => 0,
        },
        is_float: leaf(field.dtype()).is_float(),
        spare_bits: match leaf(field.dtype()) {
            DataType::Decimal(precision, _) => spare_bits_of_decimal(*precision),
            DataType::Int128 => SPARE_BITS_OF_128,
            DataType::UInt128 => 0,
            dtype if dtype.is_integer() || dtype.is_temporal() => SPARE_BITS_OF_64,
            _ => 0,
        },
        axes: axes(field.dtype()),
    }
}

/// The unit of a column; `None` if its dtype has no differences.
fn unit(dtype: &DataType) -> Option<Unit> {
    use DataType as D;
    let unit = match dtype {
        D::Decimal(_, decimals) => Unit::Number { decimals: *decimals },
        D::Date => Unit::DAY,
        D::Datetime(unit, _) | D::Duration(unit) => Unit::Time {
            nanoseconds: match unit {
                TimeUnit::Nanoseconds => 1,
                TimeUnit::Microseconds => 1_000,
                TimeUnit::Milliseconds => 1_000_000,
            },
        },
        D::Time => Unit::Time { nanoseconds: 1 },
        D::Boolean | D::Null => Unit::NUMBER,
        numeric if numeric.is_primitive_numeric() => Unit::NUMBER,
        _ => return None,
    };
    Some(unit)
}

/// The physical numbers of a column, without their unit.
pub(crate) struct Physical {
    column: Series,
    /// Whether the numbers count days.
    is_date: bool,
}

impl Physical {
    pub(crate) fn new(column: &Series) -> PolarsResult<Self> {
        let numbers = match column.dtype() {
            // Booleans are stored as bits, and nulls not at all.
            DataType::Boolean | DataType::Null => column.cast(&DataType::Float64)?,
            _ => column.to_physical_repr().into_owned(),
        };
        Ok(Self {
            column: numbers,
            is_date: column.dtype() == &DataType::Date,
        })
    }

    /// The canonical numbers: read in place, or converted when they are read.
    pub(crate) fn numbers(&self) -> PolarsResult<Numbers<'_>> {
        use DataType as D;
        let column = &self.column;
        Ok(match column.dtype() {
            D::Float64 => Numbers::F64(chunks(column.f64()?, Chunk::new)),
            D::Float32 => Numbers::F32(chunks(column.f32()?, Chunk::new)),
            D::Int64 => Numbers::I64(chunks(column.i64()?, Chunk::new)),
            D::Int128 => Numbers::I128(chunks(column.i128()?, Chunk::new)),
            D::Int32 if self.is_date => Numbers::I64(chunks(column.i32()?, Chunk::converted)),
            D::Int8 => Numbers::F64(chunks(column.i8()?, Chunk::converted)),
            D::Int16 => Numbers::F64(chunks(column.i16()?, Chunk::converted)),
            D::Int32 => Numbers::F64(chunks(column.i32()?, Chunk::converted)),
            D::UInt8 => Numbers::F64(chunks(column.u8()?, Chunk::converted)),
            D::UInt16 => Numbers::F64(chunks(column.u16()?, Chunk::converted)),
            D::UInt32 => Numbers::F64(chunks(column.u32()?, Chunk::converted)),
            D::UInt64 => Numbers::I64(chunks(column.u64()?, Chunk::converted)),
            D::UInt128 => Numbers::I128(chunks(column.u128()?, Chunk::converted)),
            D::Float16 => Numbers::F64(chunks(column.f16()?, |values, validity| {
                Chunk::converted(cast_slice::<_, Half>(values), validity)
            })),
            other => polars_bail!(InvalidOperation: "expected numbers, got {other}"),
        })
    }
}

fn chunks<'a, T: PolarsNumericType, N>(
    column: &'a ChunkedArray<T>,
    chunk: impl Fn(&'a [T::Native], Option<crate::bits::Bits<'a>>) -> Chunk<'a, N>,
) -> Vec<Chunk<'a, N>> {
    let arrays = column.downcast_iter();
    arrays
        .map(|array| chunk(array.values().as_slice(), array.validity().map(bits)))
        .collect()
}

/// The column as `Float64`, `Float32`, `Int64` or `Int128`, with its differences, order and chunks.
pub(crate) fn canonical(column: &Series) -> PolarsResult<Series> {
    let physical = Physical::new(column)?;
    let name = column.name();
    if matches!(
        physical.column.dtype(),
        DataType::Float64 | DataType::Float32 | DataType::Int64 | DataType::Int128
    ) {
        return Ok(physical.column);
    }
    Ok(match physical.numbers()? {
        Numbers::F64(chunks) => converted::<Float64Type>(&chunks, name),
        Numbers::F32(chunks) => converted::<Float32Type>(&chunks, name),
        Numbers::I64(chunks) => converted::<Int64Type>(&chunks, name),
        Numbers::I128(chunks) => converted::<Int128Type>(&chunks, name),
    })
}

fn converted<T: PolarsNumericType<Native: Number>>(chunks: &[Chunk<'_, T::Native>], name: &PlSmallStr) -> Series
where
    ChunkedArray<T>: IntoSeries,
{
    let arrays = chunks.iter().map(|chunk| {
        let mut values = Vec::with_capacity(chunk.len());
        chunk.append_to(&mut values);
        let validity = chunk
            .validity
            .map(|bits| (0..chunk.len()).map(|row| bits.get(row)).collect());
        PrimitiveArray::from_vec(values).with_validity(validity)
    });
    ChunkedArray::<T>::from_chunk_iter(name.clone(), arrays).into_series()
}

/// A column with each value repeated `times` times.
pub(super) fn repeated(column: Physical, times: usize) -> PolarsResult<Physical> {
    if times == 1 {
        return Ok(column);
    }
    let Physical { column, is_date } = column;
    let numbers = canonical(&if is_date {
        column.cast(&DataType::Int64)?
    } else {
        column
    })?;
    let column = match numbers.dtype() {
        DataType::Float64 => each(numbers.f64()?, times),
        DataType::Float32 => each(numbers.f32()?, times),
        DataType::Int64 => each(numbers.i64()?, times),
        _ => each(numbers.i128()?, times),
    };
    Ok(Physical { column, is_date: false })
}

fn each<T: PolarsNumericType>(column: &ChunkedArray<T>, times: usize) -> Series
where
    ChunkedArray<T>: IntoSeries,
{
    let chunks = column.downcast_iter().map(|array| {
        let mut values = Vec::with_capacity(array.len() * times);
        for &value in array.values().iter() {
            values.extend(repeat_n(value, times));
        }
        PrimitiveArray::from_vec(values).with_validity(array.validity().map(|validity| {
            let mut bits = BitmapBuilder::with_capacity(array.len() * times);
            for bit in validity {
                bits.extend_constant(times, bit);
            }
            bits.freeze()
        }))
    });
    ChunkedArray::<T>::from_chunk_iter(column.name().clone(), chunks).into_series()
}
