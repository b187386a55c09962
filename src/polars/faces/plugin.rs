//! The Python plugin: the expressions that Polars' engines call, and functions of series.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "the signatures that the macro asks for"
)]

use polars::prelude::*;
use polars_arrow::array::{Array, StructArray};
use pyo3::prelude::*;
use pyo3_polars::derive::{_parse_kwargs, polars_expr};
use pyo3_polars::error::PyPolarsErr;
use pyo3_polars::{PolarsAllocator, PySeries};
use serde::Deserialize;

use super::points::{points as to_points, points_fields};
use crate::dispatch::{Registers, widest};
use crate::domain::Domain;
use crate::inputs::Inputs;
use crate::kernel::trapezoids::{RunningSum, Sum};
use crate::operators::{Extent, Operator, Reach, Reached};
use crate::parallel::limit;
use crate::polars::carry::Ask;
use crate::polars::evaluator::Evaluator;
use crate::polars::grid::{OnGrid, Reduction};
use crate::polars::lagged::Lagged;
use crate::polars::nested::{Across, check_widths};
use crate::polars::unsorted::Remedy;

// Polars may free the memory of a column. With its allocator results are passed without a copy and its page faults:
// five times as fast for 10 million rows.
#[global_allocator]
static ALLOCATOR: PolarsAllocator = PolarsAllocator::new();

#[pymodule]
fn _internal(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("DEBUG", cfg!(debug_assertions))?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(registers, module)?)?;
    module.add_function(wrap_pyfunction!(threads, module)?)?;
    module.add_function(wrap_pyfunction!(extent, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(resume, module)?)?;
    module.add_function(wrap_pyfunction!(carry, module)?)
}

/// The widest vector registers that the kernels use on this processor.
#[pyfunction]
fn registers() -> &'static str {
    match widest() {
        #[cfg(target_arch = "x86_64")]
        Registers::Avx512 => "AVX-512",
        #[cfg(target_arch = "x86_64")]
        Registers::Avx2 => "AVX2",
        Registers::Baseline if cfg!(target_arch = "x86_64") => "SSE2",
        Registers::Baseline if cfg!(target_arch = "aarch64") => "NEON",
        Registers::Baseline => "those of every processor of this kind",
    }
}

/// The most threads that one call of an operator may use.
#[pyfunction]
fn threads() -> usize {
    limit()
}

/// The keyword arguments of most plugin functions: an operator and its domain.
#[derive(Deserialize)]
struct Kwargs {
    operator: Operator,
    domain: Domain<String>,
    /// The name of x in errors, if it is not that of its column.
    #[serde(default)]
    x_name: Option<String>,
    /// Whether the last of the columns is sigma.
    #[serde(default)]
    has_sigma: bool,
}

impl Kwargs {
    /// The columns of a list.
    fn columns<'a, C>(&self, columns: &'a [C]) -> Inputs<&'a C> {
        Inputs::of_list(columns, self.has_sigma)
    }

    fn evaluator(&self, columns: Inputs<&Field>) -> PolarsResult<Evaluator> {
        let mut evaluator = Evaluator::new(&self.operator, columns, &self.domain)?;
        if let Some(name) = &self.x_name {
            evaluator.x_name = name.into();
        }
        Ok(evaluator)
    }

    /// The evaluator of series, whose errors suggest no window.
    fn of_series(&self, columns: Inputs<&Field>) -> PolarsResult<Evaluator> {
        let mut evaluator = self.evaluator(columns)?;
        if evaluator.remedy == Remedy::Rows {
            evaluator.remedy = Remedy::Series;
        }
        Ok(evaluator)
    }

    /// The evaluator of a column of points.
    fn of_points(&self, points: &Field) -> PolarsResult<Evaluator> {
        self.evaluator(self.columns(fields_of(points)?))
    }
}

type Reads = (bool, &'static str, Option<(usize, usize)>);

/// Whether lagged copies of the columns are enough; what an operator reads: "rows", "lengths" of x, all rows "before" or
/// the whole "segment"; and the rows before and after its own, if it reads a number of rows.
#[pyfunction]
fn extent(kwargs: &[u8]) -> PyResult<Reads> {
    let Kwargs {
        operator,
        domain,
        has_sigma,
        ..
    } = _parse_kwargs(kwargs).map_err(PyPolarsErr::from)?;
    let (reads, rows) = match operator.extent() {
        Extent::Rows(Reach { before, after }) => ("rows", Some((before, after))),
        Extent::Lengths { .. } => ("lengths", None),
        Extent::Before => ("before", None),
        Extent::Segment => ("segment", None),
    };
    Ok((operator.reads_lags(&domain) && !has_sigma, reads, rows))
}

/// The result of series, along any axis, without a frame and an expression.
#[pyfunction]
fn evaluate(
    py: Python<'_>,
    y: PySeries,
    x: Option<PySeries>,
    sigma: Option<PySeries>,
    by: Vec<PySeries>,
    kwargs: &[u8],
) -> PyResult<PySeries> {
    let kwargs: Kwargs = _parse_kwargs(kwargs).map_err(PyPolarsErr::from)?;
    let columns = Inputs { y, x, sigma }.map(|PySeries(column)| column);
    let by: Vec<_> = by.into_iter().map(|PySeries(key)| key).collect();
    let evaluate = || {
        let planned = columns.as_ref().map(|column| column.field().into_owned());
        kwargs.of_series(planned.as_ref())?.of_columns(columns.as_ref(), &by)
    };
    py.detach(evaluate)
        .map(PySeries)
        .map_err(|error| compute_error(py, &error))
}

/// What an operator has reached: its last result, where its segment started, the number of its rows, the sums of its
/// blocks and of the rows after them as pairs, and whether the rest of the segment is null.
type State = (Option<f64>, f64, usize, [(f64, f64); 2], bool);

/// The result of sorted rows, the first of which have been evaluated before, and what is reached in all of them.
#[pyfunction]
fn resume(
    py: Python<'_>,
    y: PySeries,
    x: Option<PySeries>,
    by: Vec<PySeries>,
    kwargs: &[u8],
    rows: usize,
    state: Option<State>,
) -> PyResult<(PySeries, State)> {
    let kwargs: Kwargs = _parse_kwargs(kwargs).map_err(PyPolarsErr::from)?;
    let (PySeries(y), x) = (y, x.map(|PySeries(x)| x));
    let by: Vec<_> = by.into_iter().map(|PySeries(key)| key).collect();
    let reached = state.map(|(result, start, rows, sums, is_unknown)| {
        let [offset, sum] = sums.map(|(value, rest)| Sum { value, rest });
        Reached {
            result,
            start,
            sum: RunningSum { rows, offset, sum },
            is_unknown,
        }
    });
    let evaluate = || {
        let fields = Inputs::new(&y, x.as_ref()).map(|column| column.field().into_owned());
        let evaluator = kwargs.of_series(fields.as_ref())?;
        evaluator.resumed(&y, x.as_ref(), &by, rows, reached.unwrap_or_default())
    };
    let (result, reached) = py.detach(evaluate).map_err(|error| compute_error(py, &error))?;
    let Reached {
        result: last,
        start,
        sum: RunningSum { rows, offset, sum },
        is_unknown,
    } = reached;
    let sums = [offset, sum].map(|Sum { value, rest }| (value, rest));
    Ok((PySeries(result), (last, start, rows, sums, is_unknown)))
}

/// Windows of a length over sorted rows: the number of rows that no later row changes, and the ranges of rows that are
/// read by those "settled" later, by "later" rows, or by "earlier" rows.
#[pyfunction]
fn carry(
    py: Python<'_>,
    y: PySeries,
    x: PySeries,
    by: Vec<PySeries>,
    kwargs: &[u8],
    read_by: &str,
) -> PyResult<(usize, Vec<(usize, usize)>)> {
    let kwargs: Kwargs = _parse_kwargs(kwargs).map_err(PyPolarsErr::from)?;
    let (PySeries(y), PySeries(x)) = (y, x);
    let by: Vec<_> = by.into_iter().map(|PySeries(key)| key).collect();
    let ask = match read_by {
        "settled" => Ask::Settled,
        "later" => Ask::Later,
        _ => Ask::Earlier,
    };
    let fields = Inputs::new(y.field(), Some(x.field())).map(std::borrow::Cow::into_owned);
    let carry = || kwargs.of_series(fields.as_ref())?.carry(&y, &x, &by, ask);
    let (settled, ranges) = py.detach(carry).map_err(|error| compute_error(py, &error))?;
    Ok((
        settled,
        ranges.into_iter().map(|range| (range.start, range.end)).collect(),
    ))
}

/// The error that an expression raises, whatever its kind.
fn compute_error(py: Python<'_>, error: &PolarsError) -> PyErr {
    let class = py
        .import("polars.exceptions")
        .and_then(|module| module.getattr("ComputeError"));
    match class.and_then(|class| class.call1((error.to_string(),))) {
        Ok(error) => PyErr::from_value(error),
        Err(other) => other,
    }
}

fn named_like(field: &Field, dtype: DataType) -> Field {
    Field::new(field.name().clone(), dtype)
}

fn points_output(fields: &[Field], kwargs: Kwargs) -> PolarsResult<Field> {
    check_widths(fields)?;
    // Checked here: within groups the columns have no names.
    let columns = kwargs.columns(fields);
    kwargs.evaluator(columns)?;
    Ok(named_like(
        &fields[0],
        DataType::Struct(points_fields(columns.map(Field::clone))),
    ))
}

/// `y` and, if given, `x` and `sigma` → the column of points.
#[polars_expr(output_type_func_with_kwargs=points_output)]
fn points(inputs: &[Series], kwargs: Kwargs) -> PolarsResult<Series> {
    // The dtypes have been checked when the query was planned.
    to_points(kwargs.columns(inputs))
}

fn of_points_output(fields: &[Field], kwargs: Kwargs) -> PolarsResult<Field> {
    check_widths(fields_of(&fields[0])?)?;
    if let Some(keys) = fields.get(1).filter(|keys| matches!(keys.dtype(), DataType::Struct(_))) {
        check_widths(fields_of(keys)?)?;
    }
    Ok(named_like(&fields[0], kwargs.of_points(&fields[0])?.dtype))
}

/// Points and their lagged copies, furthest row back first → the result.
#[polars_expr(output_type_func_with_kwargs=of_points_output)]
fn evaluate_lagged(inputs: &[Series], kwargs: Kwargs) -> PolarsResult<Series> {
    of_lags(inputs, &kwargs)
}

fn of_lags(points: &[Series], kwargs: &Kwargs) -> PolarsResult<Series> {
    let this = kwargs.operator.reach().before;
    let evaluator = kwargs.of_points(&points[this].field())?;
    let result = evaluator.of_lagged(&Lagged::of_points(points, this)?);
    // The group of a row is not known here: Polars has split the rows into groups and batches.
    result.map_err(|failure| evaluator.error(failure, |_| Ok(String::new())))
}

fn of_fields_output(fields: &[Field], kwargs: Kwargs) -> PolarsResult<Field> {
    let (points, _) = split_lags(fields_of(&fields[0])?, |field| field.dtype());
    check_widths(points)?;
    // The struct has the name of y, its field may have one that is made up.
    let y = named_like(&fields[0], points[0].dtype().clone());
    let columns = Inputs::new(&y, points.get(1));
    Ok(named_like(&fields[0], kwargs.evaluator(columns)?.dtype))
}

/// The y and x of a struct, and the lagged copies of points that follow them.
fn split_lags<T>(fields: &[T], dtype: impl Fn(&T) -> &DataType) -> (&[T], &[T]) {
    let lags = fields
        .iter()
        .position(|field| matches!(dtype(field), DataType::Struct(_)));
    fields.split_at(lags.unwrap_or(fields.len()))
}

/// A struct of y, x and lagged copies of points → the result.
#[polars_expr(output_type_func_with_kwargs=of_fields_output)]
fn evaluate_fields(inputs: &[Series], kwargs: Kwargs) -> PolarsResult<Series> {
    let fields = inputs[0].struct_()?.fields_as_series();
    let (this, lags) = split_lags(&fields, |field| field.dtype());
    let (before, after) = lags.split_at(kwargs.operator.reach().before.min(lags.len()));
    let y = this[0].clone().with_name(inputs[0].name().clone());
    let this = to_points(Inputs::new(&y, this.get(1)))?;
    let lags: Vec<_> = before.iter().chain([&this]).chain(after).cloned().collect();
    Ok(of_lags(&lags, &kwargs)?.with_name(inputs[0].name().clone()))
}

/// A whole column of points and, if there are keys, a struct of them → the result.
#[polars_expr(output_type_func_with_kwargs=of_points_output)]
fn evaluate_whole(inputs: &[Series], kwargs: Kwargs) -> PolarsResult<Series> {
    let fields = columns_of(inputs.first())?;
    let result = kwargs
        .of_points(&inputs[0].field())?
        .of_columns(kwargs.columns(&fields), &columns_of(inputs.get(1))?);
    Ok(for_import(result?.with_name(inputs[0].name().clone())))
}

/// A struct whose words have no nulls of their own. Polars looks up each word that it imports, twice as fast without
/// them, and makes null what is in a row that is null.
fn for_import(mut result: Series) -> Series {
    let has_words = |fields: &[Field]| fields.first().is_some_and(|field| field.dtype().is_enum());
    if !matches!(result.dtype(), DataType::Struct(fields) if has_words(fields)) {
        return result;
    }
    // SAFETY: dtypes and lengths stay as they are.
    for chunk in unsafe { result.chunks_mut() } {
        if let Some(array) = chunk.as_any().downcast_ref::<StructArray>() {
            let mut values = array.values().to_vec();
            values[0] = values[0].with_validity(None);
            let validity = array.validity().cloned();
            *chunk = StructArray::new(array.dtype().clone(), array.len(), values, validity).boxed();
        }
    }
    result
}

/// The columns of a struct. Passed as one input, an expression of several columns does not expand into several results.
fn columns_of(structure: Option<&Series>) -> PolarsResult<Vec<Series>> {
    structure.map_or(Ok(Vec::new()), |columns| Ok(columns.struct_()?.fields_as_series()))
}

fn fields_of(structure: &Field) -> PolarsResult<&[Field]> {
    match structure.dtype() {
        DataType::Struct(fields) => Ok(fields),
        other => polars_bail!(InvalidOperation: "expected a struct of columns, got {other}"),
    }
}

fn cells_output(fields: &[Field], kwargs: Kwargs) -> PolarsResult<Field> {
    check_widths(fields)?;
    let columns = kwargs.columns(fields);
    Ok(named_like(&fields[0], kwargs.evaluator(columns)?.dtype))
}

/// y and, if given, x and sigma → the result inside of their cells.
#[polars_expr(output_type_func_with_kwargs=cells_output)]
fn evaluate_cells(inputs: &[Series], kwargs: Kwargs) -> PolarsResult<Series> {
    let columns = kwargs.columns(inputs);
    let planned = columns.map(|column| column.field().into_owned());
    kwargs.evaluator(planned.as_ref())?.of_columns(columns, &[])
}

#[derive(Deserialize)]
struct FieldsKwargs {
    names: Vec<String>,
}

fn fields_output(fields: &[Field], kwargs: FieldsKwargs) -> PolarsResult<Field> {
    let named = fields.iter().zip(kwargs.names);
    let named = named.map(|(field, name)| Field::new(name.into(), field.dtype().clone()));
    Ok(named_like(&fields[0], DataType::Struct(named.collect())))
}

/// Columns → a struct of them with other names, named like the first.
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
    reduction: Reduction,
    operator: Operator,
    domains: Vec<Domain<String>>,
}

impl GridKwargs {
    fn on_grid(&self, field: &Field, wrt: &Field) -> PolarsResult<OnGrid> {
        OnGrid::new(self.reduction, &self.operator, field, fields_of(wrt)?, &self.domains)
    }
}

fn grid_output(fields: &[Field], kwargs: GridKwargs) -> PolarsResult<Field> {
    check_widths(fields)?;
    Ok(named_like(&fields[0], kwargs.on_grid(&fields[0], &fields[1])?.dtype))
}

/// A field, a struct of its coordinates and, if there are keys, a struct of them → the reduced partial derivatives.
#[polars_expr(output_type_func_with_kwargs=grid_output)]
fn on_grid(inputs: &[Series], kwargs: GridKwargs) -> PolarsResult<Series> {
    let on_grid = kwargs.on_grid(&inputs[0].field(), &inputs[1].field())?;
    on_grid.of(&inputs[0], &columns_of(inputs.get(1))?, &columns_of(inputs.get(2))?)
}

impl Kwargs {
    fn across(&self, columns: &Field, x: Option<&Field>) -> PolarsResult<Across> {
        Across::new(&self.operator, fields_of(columns)?, x, &self.domain)
    }
}

fn across_output(fields: &[Field], kwargs: Kwargs) -> PolarsResult<Field> {
    check_widths(fields)?;
    Ok(named_like(
        &fields[0],
        kwargs.across(&fields[0], fields.get(1))?.dtype(),
    ))
}

/// A struct of columns and, if given, the cells of their coordinates → a struct of the results across them.
#[polars_expr(output_type_func_with_kwargs=across_output)]
fn across(inputs: &[Series], kwargs: Kwargs) -> PolarsResult<Series> {
    let x = inputs.get(1);
    let across = kwargs.across(&inputs[0].field(), x.map(|x| x.field()).as_deref())?;
    across.of(&columns_of(inputs.first())?, x)
}
