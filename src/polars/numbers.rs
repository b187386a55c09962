//! Columns as quantities: any dtype → numbers with exact differences, and the unit they count.

use std::iter::repeat_n;

use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::bitmap::BitmapBuilder;

use super::bits;
use super::nested::{axes, leaf};
use crate::neighbours::Column as Slice;
use crate::plan::Described;
use crate::sweep::Numbers;
use crate::unit::Unit;

/// A column as a plan sees it.
pub(crate) fn described(field: &Field) -> Described<'_> {
    Described {
        name: field.name(),
        dtype: field.dtype(),
        unit: unit(leaf(field.dtype())),
        is_bool: leaf(field.dtype()).is_bool(),
        axes: axes(field.dtype()),
    }
}

/// The unit of a column, or `None` where its dtype has no differences.
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

/// A canonical column as slices, chunk by chunk.
pub(crate) fn numbers(canonical: &Series) -> PolarsResult<Numbers<'_>> {
    Ok(match canonical.dtype() {
        DataType::Float64 => Numbers::F64(slices(canonical.f64()?)),
        DataType::Float32 => Numbers::F32(slices(canonical.f32()?)),
        DataType::Int64 => Numbers::I64(slices(canonical.i64()?)),
        _ => Numbers::I128(slices(canonical.i128()?)),
    })
}

fn slices<T: PolarsNumericType>(column: &ChunkedArray<T>) -> Vec<Slice<'_, T::Native>> {
    let slice = |array| {
        let array: &PrimitiveArray<T::Native> = array;
        Slice {
            values: array.values().as_slice(),
            validity: array.validity().map(bits),
        }
    };
    column.downcast_iter().map(slice).collect()
}

/// The column as `Float64`, `Float32`, `Int64` or `Int128`, with the differences, the order and the chunks it had.
pub(crate) fn canonical(column: &Series) -> PolarsResult<Series> {
    use DataType as D;
    let numbers = match column.dtype() {
        D::Float64 | D::Float32 | D::Int64 | D::Int128 => column.clone(),
        D::Datetime(..) | D::Duration(_) | D::Time | D::Decimal(..) => column.to_physical_repr().into_owned(),
        D::Date => cast(&column.to_physical_repr(), &D::Int64)?,
        // Moved down by half their range, unsigned integers keep both order and differences.
        D::UInt64 => moved::<_, Int64Type>(column.u64()?, |v| (v ^ (1 << 63)).cast_signed()),
        D::UInt128 => moved::<_, Int128Type>(column.u128()?, |v| (v ^ (1 << 127)).cast_signed()),
        _ => cast(column, &D::Float64)?,
    };
    Ok(numbers)
}

/// A canonical column with each value so many times.
pub(super) fn repeated(numbers: Series, times: usize) -> PolarsResult<Series> {
    Ok(match numbers.dtype() {
        _ if times == 1 => numbers,
        DataType::Float64 => each(numbers.f64()?, times),
        DataType::Float32 => each(numbers.f32()?, times),
        DataType::Int64 => each(numbers.i64()?, times),
        _ => each(numbers.i128()?, times),
    })
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

/// A cast that keeps the chunks: Polars' own answers a column of nothing but nulls with a single one.
fn cast(column: &Series, dtype: &DataType) -> PolarsResult<Series> {
    let cast = column.cast(dtype)?;
    if cast.n_chunks() == column.n_chunks() {
        return Ok(cast);
    }
    let nulls = cast.rechunk();
    let slices = column.chunk_lengths().scan(0, |start, length| {
        let chunk = nulls.chunks()[0].sliced(*start, length);
        *start += length;
        Some(chunk)
    });
    Series::try_from((column.name().clone(), slices.collect::<Vec<_>>()))
}

fn moved<U, S>(column: &ChunkedArray<U>, to_signed: impl Fn(U::Native) -> S::Native) -> Series
where
    U: PolarsNumericType,
    S: PolarsNumericType,
    ChunkedArray<S>: IntoSeries,
{
    let chunks = column.downcast_iter().map(|array| {
        let values: Vec<_> = array.values_iter().map(|&value| to_signed(value)).collect();
        PrimitiveArray::from_vec(values).with_validity(array.validity().cloned())
    });
    ChunkedArray::<S>::from_chunk_iter(column.name().clone(), chunks).into_series()
}
