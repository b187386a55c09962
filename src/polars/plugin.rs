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

use super::points::{points as to_points, points_fields};
use super::window::Window;
use super::{Typed, gradient_of_column, gradient_of_window};
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
    let plan = Typed::of_points(&fields[0], &kwargs.options)?;
    Ok(Field::new(fields[0].name().clone(), plan.dtype))
}

/// Points and their shifted copies, furthest row back first → slopes.
#[polars_expr(output_type_func_with_kwargs=gradient_output)]
fn gradient_shifted(inputs: &[Series], kwargs: GradientKwargs) -> PolarsResult<Series> {
    let window = Window::of_shifted(inputs.iter())?;
    let plan = Typed::of_points(&inputs[0].field(), &kwargs.options)?;
    gradient_of_window(&window, &plan, &kwargs.options)
}

/// A whole column of points and, if there are keys, a struct of them → slopes.
#[polars_expr(output_type_func_with_kwargs=gradient_output)]
fn gradient_whole(inputs: &[Series], kwargs: GradientKwargs) -> PolarsResult<Series> {
    let plan = Typed::of_points(&inputs[0].field(), &kwargs.options)?;
    let keys = match inputs.get(1) {
        Some(keys) => keys.struct_()?.fields_as_series(),
        None => Vec::new(),
    };
    gradient_of_column(&inputs[0], &keys, &plan, &kwargs.options)
}
