//! Rows of a column by index or by mask.
//!
//! Polars fails to select no rows at all from Arrays in several chunks ("concat requires input of at least one array"),
//! at any depth of the dtype. An empty selection is answered here.

use polars::prelude::*;

use super::series_in_parallel;

/// The values at these rows.
///
/// # Errors
///
/// Where a row is out of bounds.
pub(super) fn take(column: &Series, rows: &[IdxSize]) -> PolarsResult<Series> {
    if rows.is_empty() {
        return Ok(column.clear());
    }
    column.take_slice(rows)
}

/// The values at these rows; a null where the row is null.
///
/// # Errors
///
/// Where a row is out of bounds.
pub(super) fn take_or_null(column: &Series, rows: &IdxCa) -> PolarsResult<Series> {
    if rows.null_count() == rows.len() {
        return Ok(Series::full_null(column.name().clone(), rows.len(), column.dtype()));
    }
    column.take(rows)
}

/// [`take`] on several cores.
pub(super) fn take_parallel(column: &Series, rows: &[IdxSize]) -> PolarsResult<Series> {
    series_in_parallel(column, rows.len(), |part| take(column, &rows[part]))
}

/// The values where the mask is set.
///
/// # Errors
///
/// Where the mask is not as long as the column.
pub(super) fn filter(column: &Series, mask: &BooleanChunked) -> PolarsResult<Series> {
    if mask.len() == column.len() && !mask.any() {
        return Ok(column.clear());
    }
    column.filter(mask)
}
