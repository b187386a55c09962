//! Fields on a grid, each row one of its points: the gradient along its lines, which are groups of rows.

mod lines;
mod ranks;

use polars::prelude::arity::binary_elementwise_values;
use polars::prelude::*;

use self::lines::Grid;
use super::evaluator::Evaluator;
use super::nested::Cells;
use super::unsorted::group;
use super::{fields, series};
use crate::domain::Domain;
use crate::operators::Operator;
use crate::parallel::par_map;

/// The derivatives of a field on a grid with respect to each of its coordinates.
///
/// Each row is a point of a rectilinear grid; rows may come in any order. The derivative along a coordinate is the
/// [`gradient`](crate::gradient) within the lines of points that have all other coordinates in common. On a full grid it
/// is that of [`numpy.gradient`][numpy] of the array.
///
/// - `field`: of any dtype that `gradient` takes.
/// - `wrt`: the coordinates, numbers or times, compared exactly. A point without one of them is on no line.
/// - [`by`](Domain::by): keys that tell several fields apart. [`max_gap`](Domain::max_gap) ends a line at
///   a wide step; without it a missing point is no more than that. [`per`](Domain::per) is for coordinates that
///   are times. `x`, `spacing` and `axis` are not for grids.
///
/// # Returns
///
/// A struct with the name and the length of `field`, and a field for each coordinate, of its name and of the dtype that
/// `gradient` says. Nulls and NaN are those of `gradient` along each line.
///
/// # Errors
///
/// Those of `gradient`, of [`strict`](Domain::strict) also where a point comes twice or is not finite.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, Gradient, partials};
///
/// let points = df!("x" => [0, 1, 0, 1], "y" => [0, 0, 1, 1], "f" => [0.0, 3.0, 4.0, 7.0])?;
/// let wrt = [points.column("x")?.clone(), points.column("y")?.clone()];
/// let slopes = partials(points.column("f")?, &wrt, Gradient::new(), &Domain::new())?;
/// let expected = df!("x" => [3.0; 4], "y" => [4.0; 4])?;
/// assert_eq!(slopes.struct_()?.clone().unnest(), expected);
/// # PolarsResult::Ok(())
/// ```
///
/// [numpy]: https://numpy.org/doc/stable/reference/generated/numpy.gradient.html
pub fn partials(
    field: &Column,
    wrt: &[Column],
    operator: impl Into<Operator>,
    domain: &Domain<Column>,
) -> PolarsResult<Column> {
    on_grid(Reduction::Partials, field, wrt, &operator.into(), domain)
}

/// The length of the gradient of a field on a grid: `√((∂f/∂x)² + (∂f/∂y)² + …)`, of the derivatives that
/// [`partials`] gives.
///
/// It is `Float64`, or of the dtype of `field` where that is a smaller float; null where one of the derivatives is.
///
/// # Errors
///
/// Those of [`partials`]; also where a derivative is a `Duration`.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, Gradient, magnitude};
///
/// let hill = df!("x" => [0, 1, 0, 1], "y" => [0, 0, 1, 1], "height" => [0.0, 3.0, 4.0, 7.0])?;
/// let wrt = [hill.column("x")?.clone(), hill.column("y")?.clone()];
/// let steepness = magnitude(hill.column("height")?, &wrt, Gradient::new(), &Domain::new())?;
/// assert_eq!(steepness, Column::new("height".into(), [5.0; 4]));
/// # PolarsResult::Ok(())
/// ```
pub fn magnitude(
    field: &Column,
    wrt: &[Column],
    operator: impl Into<Operator>,
    domain: &Domain<Column>,
) -> PolarsResult<Column> {
    on_grid(Reduction::Magnitude, field, wrt, &operator.into(), domain)
}

/// The divergence of a field of vectors on a grid: `∂v₁/∂x₁ + ∂v₂/∂x₂ + …`, of derivatives as [`partials`] gives them.
///
/// - `field`: structs or arrays with a component for each coordinate. The fields of a struct belong to the coordinates of
///   their names; if none is called like one, they are in the order of `wrt`, as those of an array are.
///
/// It is `Float64`, or of the dtype of the components where that is a smaller float; null where one of the derivatives is.
///
/// # Errors
///
/// Those of [`partials`]; also where the vectors have not one component for each coordinate.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, Gradient, divergence};
///
/// let flow = df!("x" => [0, 1, 0, 1], "y" => [0, 0, 1, 1], "u" => [0.0, 2.0, 0.0, 2.0], "v" => [0.0, 0.0, 3.0, 3.0])?;
/// let wrt = [flow.column("x")?.clone(), flow.column("y")?.clone()];
/// let vectors = flow.select(["u", "v"])?.into_struct("flow".into()).into_column();
/// let source = divergence(&vectors, &wrt, Gradient::new(), &Domain::new())?;
/// assert_eq!(source, Column::new("flow".into(), [5.0; 4]));
/// # PolarsResult::Ok(())
/// ```
pub fn divergence(
    field: &Column,
    wrt: &[Column],
    operator: impl Into<Operator>,
    domain: &Domain<Column>,
) -> PolarsResult<Column> {
    on_grid(Reduction::Divergence, field, wrt, &operator.into(), domain)
}

fn on_grid(
    reduction: Reduction,
    field: &Column,
    wrt: &[Column],
    operator: &Operator,
    domain: &Domain<Column>,
) -> PolarsResult<Column> {
    let (field, wrt, by) = (field.as_materialized_series(), series(wrt), series(&domain.by));
    let domains = std::slice::from_ref(domain);
    let on_grid = OnGrid::new(reduction, operator, &field.field(), &fields(&wrt), domains)?;
    on_grid.of(field, &wrt, &by).map(Column::from)
}

/// What the partial derivatives become.
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(feature = "python", derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub(crate) enum Reduction {
    /// A struct of them, each named like its coordinate.
    Partials,
    /// The length of that vector.
    Magnitude,
    /// The sum of each component's own, for a field of vectors.
    Divergence,
}

impl Reduction {
    #[cfg(feature = "lazy")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Partials => "partials",
            Self::Magnitude => "magnitude",
            Self::Divergence => "divergence",
        }
    }
}

/// An operator whose columns' dtypes are known.
pub(crate) struct OnGrid {
    reduction: Reduction,
    along: Vec<Along>,
    pub(crate) dtype: DataType,
}

/// The derivative along one coordinate.
struct Along {
    coordinate: PlSmallStr,
    /// Which component of the field is differentiated, if that is a vector.
    component: Option<usize>,
    evaluator: Evaluator,
}

impl OnGrid {
    /// `domains` are one for all coordinates, or one for each.
    pub(crate) fn new<C: Clone>(
        reduction: Reduction,
        operator: &Operator,
        field: &Field,
        wrt: &[Field],
        domains: &[Domain<C>],
    ) -> PolarsResult<Self> {
        polars_ensure!(!wrt.is_empty(), InvalidOperation: "`wrt` must name at least one coordinate, got none");
        if let Some(domain) = domains.iter().find(|domain| domain.x.is_some() || domain.axis != 0) {
            let given = if domain.x.is_some() { "x" } else { "axis" };
            polars_bail!(InvalidOperation: "on a grid `wrt` names the coordinates, got `{given}` too; drop it");
        }
        if let Some(nested) = wrt.iter().find(|x| x.dtype().is_nested()) {
            polars_bail!(
                InvalidOperation: "coordinates must be numbers or times, but `{}` is {}", nested.name(), nested.dtype()
            );
        }
        let components = match reduction {
            Reduction::Divergence => components(field, wrt)?,
            _ => wrt.iter().map(|_| (None, field.clone())).collect(),
        };
        let any_is_time = wrt.iter().any(|x| x.dtype().is_temporal());
        let along = wrt
            .iter()
            .zip(components)
            .enumerate()
            .map(|(axis, (x, (component, field)))| {
                let domain = domains.get(axis).unwrap_or(&domains[0]);
                let mut domain = domain.clone().map_columns(|_| ());
                // The unit is for whichever coordinate is a time.
                domain.per = domain.per.filter(|_| x.dtype().is_temporal() || !any_is_time);
                Ok(Along {
                    coordinate: x.name().clone(),
                    component,
                    evaluator: Evaluator {
                        is_grid: true,
                        ..Evaluator::new(operator, &field, Some(x), &domain)?
                    },
                })
            });
        let along = along.collect::<PolarsResult<Vec<_>>>()?;
        let dtype = match reduction {
            Reduction::Partials => {
                let fields = along
                    .iter()
                    .map(|along| Field::new(along.coordinate.clone(), along.evaluator.dtype.clone()));
                DataType::Struct(fields.collect())
            },
            _ => sum(field.name(), along.iter().map(|along| &along.evaluator.dtype))?,
        };
        Ok(Self {
            reduction,
            along,
            dtype,
        })
    }

    pub(crate) fn of(&self, field: &Series, wrt: &[Series], by: &[Series]) -> PolarsResult<Series> {
        let grid = Grid::new(wrt, by, field.len(), self.along[0].evaluator.strict)?;
        let partials = par_map(self.along.len(), field.len(), |axis| {
            let along = &self.along[axis];
            let field = along
                .component
                .map_or_else(|| Ok(field.clone()), |index| component(field, index))?;
            let beside = grid.beside(axis);
            let x = Some(&grid.coordinates[axis]);
            let partial = along.evaluator.of_groups(&field, x, grid.lines(axis)?);
            let partial = partial.map_err(|failure| along.evaluator.error(failure, |row| group(&beside, row)))?;
            PolarsResult::Ok(partial.with_name(along.coordinate.clone()))
        })?;
        let (name, rows) = (field.name().clone(), field.len());
        match self.reduction {
            Reduction::Partials => Ok(StructChunked::from_series(name, rows, partials.iter())?.into_series()),
            Reduction::Magnitude => Ok(reduced(&partials, 0.0, length)?.cast(&self.dtype)?.with_name(name)),
            Reduction::Divergence => Ok(reduced(&partials, -0.0, |a, b| a + b)?
                .cast(&self.dtype)?
                .with_name(name)),
        }
    }
}

/// Each coordinate's component of a vector: the one of its name, or if none is called like one that in its place.
///
/// # Errors
///
/// Where there are not as many of them, or only some are called like coordinates.
fn components(vector: &Field, wrt: &[Field]) -> PolarsResult<Vec<(Option<usize>, Field)>> {
    let components: Vec<_> = match vector.dtype() {
        DataType::Struct(components) => components.clone(),
        DataType::Array(inner, width) => vec![Field::new(vector.name().clone(), (**inner).clone()); *width],
        other => polars_bail!(
            InvalidOperation: "`divergence` takes a vector, a struct or an array of one component for each coordinate, \
            but column `{}` is {other}",
            vector.name()
        ),
    };
    polars_ensure!(
        components.len() == wrt.len(),
        InvalidOperation: "`divergence` takes one component for each coordinate, but column `{}` has {} and `wrt` {}",
        vector.name(), components.len(), wrt.len()
    );
    let of_name = |x: &Field| components.iter().position(|component| component.name() == x.name());
    let by_name: Vec<_> = wrt.iter().filter_map(of_name).collect();
    let order = match by_name.len() {
        0 => (0..wrt.len()).collect(),
        known if known == wrt.len() => by_name,
        _ => polars_bail!(
            InvalidOperation: "components of `{}` must be called like the coordinates, all of them or none; rename them",
            vector.name()
        ),
    };
    Ok(order
        .into_iter()
        .map(|index| (Some(index), components[index].clone()))
        .collect())
}

fn component(vector: &Series, index: usize) -> PolarsResult<Series> {
    match vector.dtype() {
        DataType::Struct(_) => Ok(vector.struct_()?.fields_as_series().swap_remove(index)),
        _ => Cells::new(vector)?.at(index),
    }
}

/// The dtype of a sum of partial derivatives.
fn sum<'a>(name: &str, mut dtypes: impl Iterator<Item = &'a DataType> + Clone) -> PolarsResult<DataType> {
    if let Some(other) = dtypes.clone().find(|dtype| !dtype.is_float()) {
        polars_bail!(
            InvalidOperation: "only numbers can be added up, but a partial derivative of `{name}` is {other}; \
            use `partials` and cast them"
        );
    }
    let first = dtypes.next().unwrap_or(&DataType::Float64);
    let one = dtypes.all(|dtype| dtype == first);
    Ok(if one { first.clone() } else { DataType::Float64 })
}

fn reduced(columns: &[Series], start: f64, step: impl Fn(f64, f64) -> f64) -> PolarsResult<Series> {
    let rows = columns.first().map_or(0, |column| column.len());
    let mut all = Float64Chunked::full("".into(), start, rows);
    for column in columns {
        all = binary_elementwise_values(&all, column.cast(&DataType::Float64)?.f64()?, &step);
    }
    Ok(all.into_series())
}

/// `√(a² + b²)` without overflow. (That of the C library would ask for one younger than many systems have.)
fn length(a: f64, b: f64) -> f64 {
    let (long, short) = if a.abs() < b.abs() {
        (b.abs(), a.abs())
    } else {
        (a.abs(), b.abs())
    };
    if long == 0.0 || long.is_infinite() {
        // Not a number if the other one is none.
        return long + short;
    }
    let ratio = short / long;
    long * ratio.mul_add(ratio, 1.0).sqrt()
}
