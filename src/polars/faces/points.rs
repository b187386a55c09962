//! Points: y, x and sigma as one struct column, which is shifted as a whole.
//!
//! A struct column has its own validity. After a shift it is null beyond the end of a group, whereas a null in the data
//! is a null field of a valid struct.

use polars::prelude::*;

use crate::inputs::Inputs;
use crate::polars::groups::broadcast;

/// The column of points `(y, x, sigma)`, named like y.
///
/// # Errors
///
/// `ShapeMismatch` where the columns differ in length.
pub(super) fn points(columns: Inputs<&Series>) -> PolarsResult<Series> {
    let all = || [Some(columns.y), columns.x, columns.sigma].into_iter().flatten();
    let lengths = all().map(|column| column.len());
    let rows = lengths.into_iter().find(|&rows| rows != 1).unwrap_or(1);
    let fields = points_fields(columns.map(|column| column.field().into_owned()));
    let fields = all().zip(fields);
    let fields = fields.map(|(column, field)| Ok(broadcast(column, rows)?.with_name(field.name)));
    let fields = fields.collect::<PolarsResult<Vec<_>>>()?;
    Ok(StructChunked::from_series(columns.y.name().clone(), rows, fields.iter())?.into_series())
}

/// The fields of the column of points, named like their columns. Where these share a name, that of y is changed, and then
/// that of sigma.
pub(super) fn points_fields(columns: Inputs<Field>) -> Vec<Field> {
    let renamed = |field: Field, argument: &str, others: [Option<&Field>; 2]| {
        let is_taken = others.into_iter().flatten().any(|other| other.name() == field.name());
        let name = if is_taken {
            format!("{} ({argument})", field.name()).into()
        } else {
            field.name().clone()
        };
        Field::new(name, field.dtype)
    };
    let Inputs { y, x, sigma } = columns;
    let y = renamed(y, "y", [x.as_ref(), sigma.as_ref()]);
    let sigma = sigma.map(|sigma| renamed(sigma, "sigma", [x.as_ref(), None]));
    [Some(y), x, sigma].into_iter().flatten().collect()
}
