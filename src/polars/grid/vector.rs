//! Fields of vectors: which component belongs to which coordinate.

use polars::prelude::*;

use crate::polars::nested::Cells;

/// The component of each coordinate: the one of its name or, if none has the name of a coordinate, that at its index.
///
/// # Errors
///
/// Where there are not as many components as coordinates, or only some have the name of one.
pub(super) fn components(function: &str, vector: &Field, wrt: &[Field]) -> PolarsResult<Vec<(Option<usize>, Field)>> {
    let components: Vec<_> = match vector.dtype() {
        DataType::Struct(components) => components.clone(),
        DataType::Array(inner, width) => vec![Field::new(vector.name().clone(), (**inner).clone()); *width],
        other => polars_bail!(
            InvalidOperation: "`{function}` takes a vector, a struct or an array of one component for each coordinate, \
            but column `{}` is {other}",
            vector.name()
        ),
    };
    polars_ensure!(
        components.len() == wrt.len(),
        InvalidOperation: "`{function}` takes one component for each coordinate, but column `{}` has {} and `wrt` {}",
        vector.name(), components.len(), wrt.len()
    );
    let of_name = |x: &Field| components.iter().position(|component| component.name() == x.name());
    let by_name: Vec<_> = wrt.iter().filter_map(of_name).collect();
    let order = match by_name.len() {
        0 => (0..wrt.len()).collect(),
        named if named == wrt.len() => by_name,
        _ => polars_bail!(
            InvalidOperation: "components of `{}` must be named like the coordinates, all of them or none; rename them",
            vector.name()
        ),
    };
    Ok(order
        .into_iter()
        .map(|index| (Some(index), components[index].clone()))
        .collect())
}

/// The derivatives of which each component of a curl is the difference: the axis and the component of both.
///
/// # Errors
///
/// For another number of coordinates than two or three.
pub(super) fn planes(vector: &Field, wrt: &[Field]) -> PolarsResult<Vec<[[usize; 2]; 2]>> {
    let plane = |first: usize, second: usize| [[first, second], [second, first]];
    match wrt.len() {
        2 => Ok(vec![plane(0, 1)]),
        3 => Ok(vec![plane(1, 2), plane(2, 0), plane(0, 1)]),
        other => polars_bail!(
            InvalidOperation: "`curl` is that of 2 or 3 components, but column `{}` has {other}",
            vector.name()
        ),
    }
}

pub(super) fn component(vector: &Series, index: usize) -> PolarsResult<Series> {
    match vector.dtype() {
        DataType::Struct(_) => Ok(vector.struct_()?.fields_as_series().swap_remove(index)),
        _ => Cells::new(vector)?.nth(index),
    }
}
