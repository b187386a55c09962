//! Fields on a grid, one row per point: derivatives along the lines of the grid, which are groups of rows.

mod lines;
mod ranks;
mod reduce;
mod sort;
mod sphere;
mod table;
mod vector;

use std::iter::repeat_n;

use polars::prelude::*;

use self::lines::Grid;
use self::reduce::{difference, length, reduce, reduced_dtype};
use self::sphere::{LATITUDE, Metric, Sphere, Terms};
use self::vector::{component, components, planes};
use super::evaluator::Evaluator;
use super::groups::{Groups, broadcast};
use super::numbers::info;
use super::unsorted::{LENIENT, Remedy, group};
use super::{fields, series};
use crate::domain::Domain;
use crate::inputs::Inputs;
use crate::operators::{Derivative, Operator};
use crate::parallel::try_par_map;

/// The derivatives of a field on a grid with respect to each of its coordinates.
///
/// Each row is a point of a rectilinear grid, in any order. The derivative along a coordinate is the
/// operator, a [`Gradient`](crate::Gradient) or a [`Derivative`](crate::Derivative), within each line of points that share
/// all other coordinates. On a full grid the gradient is that of [`numpy.gradient`][numpy] of the array. Points of a curvilinear grid, such as longitudes and latitudes of a
/// projected one, share no coordinates: differentiate with respect to the axes of the grid instead.
///
/// - `field`: of any dtype that `gradient` takes.
/// - `wrt`: the coordinates, numbers or times, compared exactly. A point with a null coordinate is on no line.
/// - [`by`](Domain::by): keys that tell several grids apart. [`max_gap`](Domain::max_gap) ends a line at a
///   wide step; without it a missing point only makes a step wider. [`per`](Domain::per) applies to temporal
///   coordinates. `x`, `spacing` and `axis` are errors.
///
/// # Returns
///
/// A struct with the name and the length of `field`, and a field for each coordinate, of its name and of the dtype that
/// `gradient` says. Nulls and NaN are those of `gradient` along each line.
///
/// # Errors
///
/// Those of `gradient`; with [`strict`](Domain::strict) also where a point comes twice or is not finite, and where
/// no two points share all coordinates but one.
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

/// The curl of a field of vectors on a grid, of derivatives as [`partials`] gives them.
///
/// - `field`: structs or arrays with two or three components, which belong to the coordinates as in [`divergence`].
///
/// Two components give a column, `∂v₁/∂x₀ − ∂v₀/∂x₁`. Three give a struct of the components of the curl, with fields named
/// like the coordinates. The order of `wrt` is the orientation. Dtypes and nulls are those of [`divergence`], for each
/// component.
///
/// # Errors
///
/// Those of [`divergence`]; also for another number of components than two or three.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, Gradient, curl};
///
/// let spin = df!("x" => [0, 1, 0, 1], "y" => [0, 0, 1, 1], "u" => [0.0, 0.0, -2.0, -2.0], "v" => [0.0, 2.0, 0.0, 2.0])?;
/// let wrt = [spin.column("x")?.clone(), spin.column("y")?.clone()];
/// let vectors = spin.select(["u", "v"])?.into_struct("spin".into()).into_column();
/// assert_eq!(curl(&vectors, &wrt, Gradient::new(), &Domain::new())?, Column::new("spin".into(), [4.0; 4]));
/// # PolarsResult::Ok(())
/// ```
pub fn curl(
    field: &Column,
    wrt: &[Column],
    operator: impl Into<Operator>,
    domain: &Domain<Column>,
) -> PolarsResult<Column> {
    on_grid(Reduction::Curl, field, wrt, &operator.into(), domain)
}

/// The Laplacian of a field on a grid: `∂²f/∂x² + ∂²f/∂y² + …`, the sum of its second
/// [derivatives](crate::Derivative) of accuracy 2, at the ends of lines too.
///
/// It is `Float64`, or of the dtype of `field` where that is a smaller float; null where one of the derivatives is, as on
/// lines of fewer than four points.
///
/// # Errors
///
/// Those of [`partials`]; also for a temporal `field`.
///
/// # Examples
///
/// ```
/// use polars::prelude::*;
/// use polars_grad::{Domain, laplacian};
///
/// let bowl = df!("x" => [0.0, 1.0, 3.0, 4.0], "f" => [0.0, 1.0, 9.0, 16.0])?; // x²
/// let curvature = laplacian(bowl.column("f")?, &[bowl.column("x")?.clone()], &Domain::new())?;
/// assert_eq!(curvature, Column::new("f".into(), [2.0; 4]));
/// # PolarsResult::Ok(())
/// ```
pub fn laplacian(field: &Column, wrt: &[Column], domain: &Domain<Column>) -> PolarsResult<Column> {
    on_grid(Reduction::Laplacian, field, wrt, &second(), domain)
}

/// The operator of a [`laplacian`].
pub(crate) fn second() -> Operator {
    let second = Derivative::new(2, 2);
    second.expect("an order and an accuracy that are allowed").into()
}

/// The other operator of a [`laplacian`], on a sphere.
fn first() -> Operator {
    let first = Derivative::new(1, 2);
    first.expect("an order and an accuracy that are allowed").into()
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

/// How the partial derivatives are combined.
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(feature = "python", derive(serde::Deserialize), serde(rename_all = "snake_case"))]
pub(crate) enum Reduction {
    /// A struct of them, each field named like its coordinate.
    Partials,
    /// The length of that vector.
    Magnitude,
    /// The sum over the components of a vector, each differentiated along its own coordinate.
    Divergence,
    /// The differences of the derivatives of each two components along the coordinates of each other.
    Curl,
    /// The sum of them, which are second derivatives.
    Laplacian,
}

impl Reduction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Partials => "partials",
            Self::Magnitude => "magnitude",
            Self::Divergence => "divergence",
            Self::Curl => "curl",
            Self::Laplacian => "laplacian",
        }
    }

    /// An error that names the function, and not the operator along its lines, if a column has no differences.
    fn check(self, column: &Field, what: &str, is_allowed: bool) -> PolarsResult<()> {
        let info = info(column);
        polars_ensure!(
            is_allowed && info.unit.is_some(),
            InvalidOperation: "`{}` takes a numeric or temporal {what}, but column `{}` is {}; {}",
            self.name(), info.name, info.dtype, info.remedy(true)
        );
        Ok(())
    }
}

/// Partial derivatives, planned from the dtypes of the columns.
pub(crate) struct OnGrid {
    reduction: Reduction,
    coordinates: Vec<PlSmallStr>,
    along: Vec<Along>,
    sphere: Option<Sphere>,
    pub(crate) dtype: DataType,
}

/// A derivative that a reduction takes.
struct Part {
    /// The index of the coordinate.
    axis: usize,
    operator: Operator,
    /// The field, or a component of it.
    field: Field,
    /// The index of this component, of a field of vectors.
    component: Option<usize>,
    metric: Option<Metric>,
}

impl Part {
    /// Those of a field.
    fn all(
        reduction: Reduction,
        operator: &Operator,
        field: &Field,
        wrt: &[Field],
        sphere: Option<Sphere>,
    ) -> PolarsResult<Vec<Self>> {
        let part = |axis, operator: &Operator, metric| Self {
            axis,
            operator: operator.clone(),
            field: field.clone(),
            component: None,
            metric,
        };
        let metric = |axis, of| sphere.and_then(|_| Metric::of(operator, axis, of));
        let pairs: Vec<_> = match reduction {
            Reduction::Divergence => (0..wrt.len()).map(|axis| [axis, axis]).collect(),
            Reduction::Curl => planes(field, wrt)?.into_iter().flatten().collect(),
            _ => {
                let each = (0..wrt.len()).map(|axis| part(axis, operator, metric(axis, None)));
                let tangent = sphere.filter(|_| reduction == Reduction::Laplacian);
                let tangent = tangent.map(|_| part(LATITUDE, &first(), Some(Metric::Tangent)));
                return Ok(each.chain(tangent).collect());
            },
        };
        let components = components(reduction.name(), field, wrt)?;
        let pairs = pairs.into_iter().map(|[axis, of]| {
            let (component, ref field) = components[of];
            Self {
                field: field.clone(),
                component,
                ..part(axis, operator, metric(axis, Some(of)))
            }
        });
        Ok(pairs.collect())
    }

    fn along<C>(self, x: &Field, domain: &Domain<C>) -> PolarsResult<Along> {
        let evaluator = |y: &Field| {
            PolarsResult::Ok(Evaluator {
                remedy: Remedy::Grid,
                ..Evaluator::new(&self.operator, Inputs::new(y, Some(x)), domain)?
            })
        };
        let of_field = evaluator(&self.field)?;
        let dtype = of_field.dtype.clone();
        let evaluator = match self.metric {
            None => of_field,
            Some(metric) => evaluator(&metric.weighted_field(&self.field))?,
        };
        Ok(Along {
            axis: self.axis,
            component: self.component,
            evaluator,
            metric: self.metric,
            dtype,
        })
    }
}

/// The derivative along one coordinate.
struct Along {
    /// The index of the coordinate.
    axis: usize,
    /// The index of the component that is differentiated, of a field of vectors.
    component: Option<usize>,
    evaluator: Evaluator,
    metric: Option<Metric>,
    /// The dtype of the derivative.
    dtype: DataType,
}

impl Along {
    /// The derivative on a grid, along these lines.
    fn of(&self, field: &Series, grid: &Grid, lines: Groups, terms: Option<&Terms>) -> PolarsResult<Series> {
        let component = self.component.map(|index| component(field, index)).transpose()?;
        let field = component.unwrap_or_else(|| field.clone());
        let derivative = |field: &Series| {
            let columns = Inputs::new(field, Some(&grid.coordinates[self.axis]));
            let derivative = self.evaluator.of_groups(columns, lines);
            derivative.map_err(|failure| {
                let keys = grid.other_keys(self.axis);
                self.evaluator.error(failure, |row| group(&keys, row))
            })
        };
        match terms.zip(self.metric) {
            None => derivative(&field),
            Some((terms, metric)) => {
                let derivative = derivative(&terms.weighted(&field, metric)?)?;
                terms.scaled(derivative, metric)
            },
        }
    }
}

impl OnGrid {
    /// `domains` has one item for all coordinates, or one for each.
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
        if reduction == Reduction::Laplacian && field.dtype().is_temporal() {
            polars_bail!(
                InvalidOperation: "`laplacian` takes a field of numbers, but column `{}` is {}; cast it first",
                field.name(), field.dtype()
            );
        }
        let is_vector = matches!(reduction, Reduction::Divergence | Reduction::Curl);
        if is_vector && domains.iter().any(|domain| domain.y_period.is_some()) {
            polars_bail!(
                InvalidOperation: "the components of a vector do not wrap around, but `y_period` is given; drop it"
            );
        }
        let sphere = domains[0].sphere;
        let sphere = sphere
            .map(|radius| Sphere::new(radius, reduction, field, wrt))
            .transpose()?;
        let any_is_time = wrt.iter().any(|x| x.dtype().is_temporal());
        let parts = Part::all(reduction, operator, field, wrt, sphere)?;
        for column in parts.iter().map(|part| &part.field) {
            reduction.check(column, "field", !info(column).is_bool)?;
        }
        for x in wrt {
            reduction.check(x, "coordinate", true)?;
        }
        let along = parts.into_iter().map(|part| {
            let x = &wrt[part.axis];
            let domain = domains.get(part.axis).unwrap_or(&domains[0]);
            let mut domain = domain.clone().map_columns(|_| ());
            // `per` is for the temporal coordinates; without any it is an error.
            domain.per = domain.per.filter(|_| x.dtype().is_temporal() || !any_is_time);
            if domain.sphere.take().is_some() && domains.len() == 1 && part.axis > 0 {
                // Only longitudes go round.
                domain.x_period = None;
            }
            part.along(x, &domain)
        });
        let along = along.collect::<PolarsResult<Vec<_>>>()?;
        let dtypes = || along.iter().map(|along| &along.dtype);
        let coordinates: Vec<_> = wrt.iter().map(|x| x.name().clone()).collect();
        let structure = |dtypes: Vec<DataType>| {
            let fields = coordinates.iter().zip(dtypes);
            DataType::Struct(fields.map(|(name, dtype)| Field::new(name.clone(), dtype)).collect())
        };
        let dtype = match reduction {
            Reduction::Partials => structure(dtypes().cloned().collect()),
            Reduction::Curl if wrt.len() > 2 => {
                let dtypes: Vec<_> = dtypes().collect();
                let pairs = dtypes
                    .chunks(2)
                    .map(|pair| reduced_dtype(field.name(), pair.iter().copied()));
                structure(pairs.collect::<PolarsResult<_>>()?)
            },
            _ => reduced_dtype(field.name(), dtypes())?,
        };
        Ok(Self {
            reduction,
            coordinates,
            along,
            sphere,
            dtype,
        })
    }

    pub(crate) fn of(&self, field: &Series, wrt: &[Series], by: &[Series]) -> PolarsResult<Series> {
        let lengths = std::iter::once(field).chain(wrt).chain(by).map(|column| column.len());
        let rows = lengths.into_iter().find(|&rows| rows != 1).unwrap_or(1);
        let field = &broadcast(field, rows)?;
        let strict = self.along[0].evaluator.strict;
        let checked = self.sphere.map(|_| Sphere::checked(wrt, strict)).transpose()?;
        let grid = Grid::new(checked.as_deref().unwrap_or(wrt), by, rows, strict)?;
        let terms = self.sphere.map(|sphere| sphere.terms(&grid.coordinates)).transpose()?;
        let partial = |(index, lines): (usize, Groups)| {
            let along: &Along = &self.along[index];
            let partial = along.of(field, &grid, lines, terms.as_ref())?;
            PolarsResult::Ok((index, partial.with_name(self.coordinates[along.axis].clone())))
        };
        let indices = |axis| (0..self.along.len()).filter(move |&index| self.along[index].axis == axis);
        let axes = 0..self.coordinates.len();
        // What only some axes have is left to all threads together: one thread would wait for the other.
        let fewest = axes.map(|axis| indices(axis).count()).min().unwrap_or(0);
        let axes = try_par_map(self.coordinates.len(), rows, |axis| {
            // The lines along an axis are found once.
            let lines = grid.lines(axis)?;
            let has_lines = lines.has_pairs();
            let indices: Vec<_> = indices(axis).collect();
            let lines = repeat_n(lines, indices.len());
            let mut left = indices.into_iter().zip(lines);
            let partials = left.by_ref().take(fewest).map(partial);
            let partials = partials.collect::<PolarsResult<Vec<_>>>()?;
            PolarsResult::Ok((partials, has_lines, left))
        })?;
        let (mut partials, mut has_lines) = (Vec::new(), false);
        for (of_axis, has_pairs, left) in axes {
            has_lines |= has_pairs;
            partials.extend(of_axis);
            for left in left {
                partials.push(partial(left)?);
            }
        }
        partials.sort_by_key(|&(index, _)| index);
        let partials: Vec<_> = partials.into_iter().map(|(_, partial)| partial).collect();
        if strict && !has_lines && self.coordinates.len() > 1 && grid.has_pairs()? {
            return Err(self.not_rectilinear());
        }
        let name = field.name().clone();
        match self.reduction {
            Reduction::Partials => {
                // On a sphere derivatives have not been rounded to smaller floats yet.
                let partials = partials
                    .iter()
                    .zip(&self.along)
                    .map(|(partial, along)| partial.cast(&along.dtype));
                let partials = partials.collect::<PolarsResult<Vec<_>>>()?;
                Ok(StructChunked::from_series(name, rows, partials.iter())?.into_series())
            },
            Reduction::Magnitude => Ok(reduce(partials, 0.0, length)?.cast(&self.dtype)?.with_name(name)),
            Reduction::Divergence | Reduction::Laplacian => {
                let sum = reduce(partials, -0.0, |a, b| a + b)?;
                Ok(sum.cast(&self.dtype)?.with_name(name))
            },
            Reduction::Curl => {
                let pairs = partials.chunks(2).map(|pair| difference(&pair[0], &pair[1]));
                let mut curl = pairs.collect::<PolarsResult<Vec<_>>>()?;
                let DataType::Struct(fields) = &self.dtype else {
                    return Ok(curl.swap_remove(0).cast(&self.dtype)?.with_name(name));
                };
                let fields = fields.iter().zip(&curl);
                let fields =
                    fields.map(|(field, column)| Ok(column.cast(field.dtype())?.with_name(field.name().clone())));
                let fields = fields.collect::<PolarsResult<Vec<_>>>()?;
                Ok(StructChunked::from_series(name, rows, fields.iter())?.into_series())
            },
        }
    }

    fn not_rectilinear(&self) -> PolarsError {
        let names: Vec<_> = self.coordinates.iter().map(|name| format!("`{name}`")).collect();
        polars_err!(
            ComputeError: "the points must be those of a rectilinear grid, whose lines are points that share all coordinates \
            but one, but no two points of {} do, and so none has a neighbour; coordinates are compared exactly: round those \
            that should be equal, name the axes of the grid in `wrt`, or {} to get nulls",
            names.join(", "),
            LENIENT
        )
    }
}
