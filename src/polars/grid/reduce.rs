//! Partial derivatives reduced to one column: their sum, or the length of the vector.

use polars::prelude::arity::binary_elementwise_values;
use polars::prelude::*;
use polars_arrow::array::PrimitiveArray;
use polars_arrow::compute::utils::combine_validities_and;

/// The dtype of partial derivatives reduced to one column.
pub(super) fn reduced_dtype<'a>(
    name: &str,
    mut dtypes: impl Iterator<Item = &'a DataType> + Clone,
) -> PolarsResult<DataType> {
    if let Some(other) = dtypes.clone().find(|dtype| !dtype.is_float()) {
        polars_bail!(
            InvalidOperation: "only numbers can be added up, but a partial derivative of `{name}` is {other}; \
            use `partials` and cast them"
        );
    }
    let first = dtypes.next().unwrap_or(&DataType::Float64);
    let is_uniform = dtypes.all(|dtype| dtype == first);
    Ok(if is_uniform { first.clone() } else { DataType::Float64 })
}

/// Combines columns value by value, beginning with `start`; null where a column is. The result takes the memory of the
/// first column.
pub(super) fn reduce(columns: Vec<Series>, start: f64, step: impl Fn(f64, f64) -> f64) -> PolarsResult<Series> {
    let mut columns = columns.into_iter().map(|column| {
        let column = column.cast(&DataType::Float64)?.f64()?.rechunk().into_owned();
        PolarsResult::Ok(column.downcast_as_array().clone())
    });
    let (mut values, mut validity) = match columns.next() {
        Some(first) => {
            let (_, values, validity) = first?.into_inner();
            (
                values.into_mut().right_or_else(|shared| shared.as_slice().to_vec()),
                validity,
            )
        },
        None => (Vec::new(), None),
    };
    for value in &mut values {
        *value = step(start, *value);
    }
    for column in columns {
        let column = column?;
        for (all, value) in values.iter_mut().zip(column.values().as_slice()) {
            *all = step(*all, *value);
        }
        validity = combine_validities_and(validity.as_ref(), column.validity());
    }
    let array = PrimitiveArray::from_vec(values).with_validity(validity);
    Ok(Float64Chunked::with_chunk("".into(), array).into_series())
}

/// `a - b`; null where one of them is.
pub(super) fn difference(a: &Series, b: &Series) -> PolarsResult<Series> {
    let (a, b) = (a.cast(&DataType::Float64)?, b.cast(&DataType::Float64)?);
    let difference: Float64Chunked = binary_elementwise_values(a.f64()?, b.f64()?, |a: f64, b: f64| a - b);
    Ok(difference.into_series())
}

/// `√(a² + b²)` without overflow. (`f64::hypot` would require a newer C library than many systems have.)
pub(super) fn length(a: f64, b: f64) -> f64 {
    let (long, short) = if a.abs() < b.abs() {
        (b.abs(), a.abs())
    } else {
        (a.abs(), b.abs())
    };
    if long == 0.0 || long.is_infinite() {
        // NaN if either is NaN.
        return long + short;
    }
    let ratio = short / long;
    long * ratio.mul_add(ratio, 1.0).sqrt()
}
