//! The Python plugin: the expressions that Polars' engines call.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the macro's signatures"
)]

use polars::prelude::*;
use pyo3::prelude::*;
use pyo3_polars::PolarsAllocator;
use pyo3_polars::derive::polars_expr;
use serde::Deserialize;

use super::column::{Gradient, NO_GROUP};
use super::grid::{OnGrid, Reduction};
use super::nested::Across;
use super::points::{points as to_points, points_fields};
use super::window::Window;

use crate::options::GradientOptions;

// The memory of a column may be freed by Polars: with its allocator results cross over without a copy's worth of page
// faults (5 times as fast on 10 million rows).
#[global_allocator]
static ALLOCATOR: PolarsAllocator = PolarsAllocator::new();

#[pymodule]
fn _internal(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("DEBUG", cfg!(debug_assertions))
}

fn points_output(fields: &[Field]) -> PolarsResult<Field> {
    let dtype = DataType::Struct(points_fields(&fields[0], fields.get(1)));
    Ok(Field::new(fields[0].name().clone(), dtype))
}

/// `y` and, if given, `x` → the column of points.
#[polars_expr(output_type_func=points_output)]
fn points(inputs: &[Series]) -> PolarsResult<Series> {
    to_points(&inputs[0], inputs.get(1))
}

#[derive(Deserialize)]
struct GradientKwargs {
    options: GradientOptions<String>,
}

fn gradient_output(fields: &[Field], kwargs: GradientKwargs) -> PolarsResult<Field> {
    let gradient = Gradient::of_points(&fields[0], &kwargs.options)?;
    Ok(Field::new(fields[0].name().clone(), gradient.dtype))
}

/// Points and their shifted copies, furthest row back first → slopes.
#[polars_expr(output_type_func_with_kwargs=gradient_output)]
fn gradient_shifted(inputs: &[Series], kwargs: GradientKwargs) -> PolarsResult<Series> {
    let gradient = Gradient::of_points(&inputs[0].field(), &kwargs.options)?;
    gradient.of_window(&Window::of_shifted(inputs.iter())?, NO_GROUP)
}

/// A whole column of points and, if there are keys, a struct of them → slopes.
#[polars_expr(output_type_func_with_kwargs=gradient_output)]
fn gradient_whole(inputs: &[Series], kwargs: GradientKwargs) -> PolarsResult<Series> {
    let gradient = Gradient::of_points(&inputs[0].field(), &kwargs.options)?;
    let keys = columns_of(inputs.get(1))?;
    gradient.of_column(&inputs[0], &keys)
}

/// The columns of a struct: in one, an expression of several columns is not several results.
fn columns_of(structure: Option<&Series>) -> PolarsResult<Vec<Series>> {
    structure.map_or(Ok(Vec::new()), |columns| Ok(columns.struct_()?.fields_as_series()))
}

fn fields_of(structure: &Field) -> PolarsResult<&[Field]> {
    match structure.dtype() {
        DataType::Struct(fields) => Ok(fields),
        other => polars_bail!(InvalidOperation: "expected a struct of columns, got {other}"),
    }
}

fn inside_output(fields: &[Field], kwargs: GradientKwargs) -> PolarsResult<Field> {
    let gradient = Gradient::new(&fields[0], fields.get(1), &kwargs.options)?;
    Ok(Field::new(fields[0].name().clone(), gradient.dtype))
}

/// y and, if given, x → slopes inside of their cells.
#[polars_expr(output_type_func_with_kwargs=inside_output)]
fn gradient_inside(inputs: &[Series], kwargs: GradientKwargs) -> PolarsResult<Series> {
    let (y, x) = (&inputs[0], inputs.get(1));
    Gradient::new(&y.field(), x.map(|x| x.field()).as_deref(), &kwargs.options)?.of_columns(y, x, &[])
}

#[derive(Deserialize)]
struct FieldsKwargs {
    names: Vec<String>,
}

fn fields_output(fields: &[Field], kwargs: FieldsKwargs) -> PolarsResult<Field> {
    let named = fields.iter().zip(kwargs.names);
    let named = named.map(|(field, name)| Field::new(name.into(), field.dtype().clone()));
    Ok(Field::new(fields[0].name().clone(), DataType::Struct(named.collect())))
}

/// Columns → a struct of them by other names, called like the first.
#[polars_expr(output_type_func_with_kwargs=fields_output)]
fn fields(inputs: &[Series], kwargs: FieldsKwargs) -> PolarsResult<Series> {
    let named = inputs.iter().zip(kwargs.names);
    let named: Vec<_> = named
        .map(|(column, name)| column.clone().with_name(name.into()))
        .collect();
    Ok(StructChunked::from_series(inputs[0].name().clone(), inputs[0].len(), named.iter())?.into_series())
}

#[derive(Deserialize)]
struct GridKwargs {
    operator: Reduction,
    options: Vec<GradientOptions<String>>,
}

fn grid_output(fields: &[Field], kwargs: GridKwargs) -> PolarsResult<Field> {
    let on_grid = OnGrid::new(kwargs.operator, &fields[0], fields_of(&fields[1])?, &kwargs.options)?;
    Ok(Field::new(fields[0].name().clone(), on_grid.dtype))
}

/// A field, a struct of its coordinates and, if there are keys, a struct of them → what its partial derivatives become.
#[polars_expr(output_type_func_with_kwargs=grid_output)]
fn on_grid(inputs: &[Series], kwargs: GridKwargs) -> PolarsResult<Series> {
    let (field, wrt) = (&inputs[0], inputs[1].field());
    let on_grid = OnGrid::new(kwargs.operator, &field.field(), fields_of(&wrt)?, &kwargs.options)?;
    on_grid.of(field, &columns_of(inputs.get(1))?, &columns_of(inputs.get(2))?)
}

fn across(columns: &Field, x: Option<&Field>, kwargs: &GradientKwargs) -> PolarsResult<Across> {
    Across::new(fields_of(columns)?, x, &kwargs.options)
}

fn horizontal_output(fields: &[Field], kwargs: GradientKwargs) -> PolarsResult<Field> {
    let across = across(&fields[0], fields.get(1), &kwargs)?;
    Ok(Field::new(fields[0].name().clone(), across.dtype()))
}

/// A struct of columns and, if given, the cells of their coordinates → a struct of the slopes across them.
#[polars_expr(output_type_func_with_kwargs=horizontal_output)]
fn gradient_horizontal(inputs: &[Series], kwargs: GradientKwargs) -> PolarsResult<Series> {
    let x = inputs.get(1);
    let across = across(&inputs[0].field(), x.map(|x| x.field()).as_deref(), &kwargs)?;
    across.of(&columns_of(inputs.first())?, x)
}
