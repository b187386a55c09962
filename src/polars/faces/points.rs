//! Points: y and x as one struct column, which is shifted as a whole.
//!
//! A struct column has its own validity. After a shift it is null beyond the end of a group, whereas a null in the data
//! is a null field of a valid struct.

use polars::prelude::*;

use crate::polars::groups::broadcast;

/// The column of points `(y, x)`, named like y.
///
/// # Errors
///
/// `ShapeMismatch` where y and x differ in length.
pub(super) fn points(y: &Series, x: Option<&Series>) -> PolarsResult<Series> {
    let rows = match y.len() {
        1 => x.map_or(1, |x| x.len()),
        rows => rows,
    };
    let fields = points_fields(&y.field(), x.map(|x| x.field()).as_deref());
    let columns = [Some(y), x].into_iter().flatten().zip(fields);
    let columns = columns.map(|(column, field)| Ok(broadcast(column, rows)?.with_name(field.name)));
    let columns = columns.collect::<PolarsResult<Vec<_>>>()?;
    Ok(StructChunked::from_series(y.name().clone(), rows, columns.iter())?.into_series())
}

/// The y and the x of a column of points.
pub(super) fn y_and_x(points: &Series) -> PolarsResult<(Series, Option<Series>)> {
    let mut fields = points.struct_()?.fields_as_series().into_iter();
    let y = fields
        .next()
        .ok_or_else(|| polars_err!(ComputeError: "points must have a y"))?;
    Ok((y, fields.next()))
}

/// The fields of the column of points, named like their columns. If these share a name, that of y is changed.
pub(super) fn points_fields(y: &Field, x: Option<&Field>) -> Vec<Field> {
    let mut fields = vec![y.clone()];
    if let Some(x) = x {
        if x.name() == y.name() {
            fields[0].set_name(format!("{} (y)", y.name()).into());
        }
        fields.push(x.clone());
    }
    fields
}
