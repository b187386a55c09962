//! Points: y and, where there is one, x, as one struct column that can be shifted as a whole.
//!
//! A struct column has a validity of its own. Once shifted, it alone tells the end of a segment (no point there) from
//! a null in the data (a point without a y or an x).

use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;

use super::bitmap;

/// The column of points `(y, x)`, named like y.
///
/// # Errors
///
/// `ShapeMismatch` where y and x differ in length.
pub(crate) fn points(y: &Series, x: Option<&Series>) -> PolarsResult<Series> {
    let fields = points_fields(&y.field(), x.map(|x| x.field()).as_deref());
    let columns = [Some(y), x].into_iter().flatten().zip(fields);
    let columns: Vec<_> = columns
        .map(|(column, field)| column.clone().with_name(field.name))
        .collect();
    Ok(StructChunked::from_series(y.name().clone(), y.len(), columns.iter())?.into_series())
}

/// Which points have both their y and their x; `None` if all.
pub(crate) fn known(points: &Series) -> PolarsResult<Option<Bitmap>> {
    let fields = points.struct_()?.fields_as_series();
    if fields.iter().all(|field| !field.has_nulls()) {
        return Ok(None);
    }
    let known = fields.iter().map(|field| field.is_not_null()).reduce(|a, b| a & b);
    Ok(known.as_ref().map(bitmap))
}

/// The fields of the column of points: named like their columns, or told apart where those share a name.
pub(crate) fn points_fields(y: &Field, x: Option<&Field>) -> Vec<Field> {
    let mut fields = vec![y.clone()];
    if let Some(x) = x {
        if x.name() == y.name() {
            fields[0].set_name(format!("{} (y)", y.name()).into());
        }
        fields.push(x.clone());
    }
    fields
}
