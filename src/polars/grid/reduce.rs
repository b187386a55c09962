//! Partial derivatives reduced to one column: their sum, or the length of the vector.

use polars::prelude::arity::binary_elementwise_values;
use polars::prelude::*;

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

/// Combines columns value by value, beginning with `start`; null where a column is.
pub(super) fn reduce(columns: &[Series], start: f64, step: impl Fn(f64, f64) -> f64) -> PolarsResult<Series> {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut all = Float64Chunked::full("".into(), start, rows);
    for column in columns {
        all = binary_elementwise_values(&all, column.cast(&DataType::Float64)?.f64()?, &step);
    }
    Ok(all.into_series())
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
