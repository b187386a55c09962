//! Expressions in lazy frames.

use polars::prelude::*;

use super::points::points;
use crate::domain::Domain;
use crate::inputs::Inputs;
use crate::operators::Operator;
use crate::polars::evaluator::Evaluator;
use crate::polars::grid::{OnGrid, Reduction, second};
use crate::polars::lagged::Lagged;
use crate::polars::{fields, series};

/// Operators as methods of [`Expr`].
pub trait ExprGrad {
    /// Evaluates an operator over this column, row by row: [`evaluate`](crate::evaluate) in a lazy frame.
    ///
    /// Works in `select`, `with_columns`, `filter`, `.over(...)` and `group_by().agg()`, for several columns at once, on
    /// the in-memory and on the streaming engine: Polars' own `shift` finds the neighbours. With
    /// [`by`](Domain::by), [`Nulls::Skip`](crate::Nulls::Skip) and [`duplicates`](Domain::duplicates), and for operators
    /// that read whole segments, the whole column is needed in memory. For thousands of groups `by` is far faster than
    /// `.over`, which evaluates once per group.
    ///
    /// The result has the name and the length of this column, and the dtype that [`evaluate`](crate::evaluate) says.
    ///
    /// # Errors
    ///
    /// Those of [`evaluate`](crate::evaluate): of dtypes and options when the query is planned, of an unsorted x when it
    /// runs. Polars adds the position in the query.
    ///
    /// # Examples
    ///
    /// ```
    /// use polars::prelude::*;
    /// use polars_grad::{Domain, ExprGrad, Gradient};
    ///
    /// let frame = df!("t" => [0.0, 1.0, 3.0, 0.0, 2.0], "y" => [0.0, 1.0, 9.0, 5.0, 1.0], "id" => [1, 1, 1, 2, 2])?;
    /// // A name is a column: `.x("t")` is `.x(col("t"))`.
    /// let domain = Domain::new().x("t");
    ///
    /// let slopes = frame.lazy().select([
    ///     col("y").grad(Gradient::new(), domain.clone().by(["id"])).alias("by"),
    ///     col("y").grad(Gradient::new(), domain).over([col("id")])?.alias("over"),
    /// ]);
    /// let expected = [1.0, 2.0, 4.0, -2.0, -2.0];
    /// assert_eq!(slopes.collect()?, df!("by" => expected, "over" => expected)?);
    /// # PolarsResult::Ok(())
    /// ```
    fn grad(self, operator: impl Into<Operator>, domain: Domain<Expr>) -> Expr;

    /// The derivatives of this field on a grid with respect to each of its coordinates:
    /// [`partials`](crate::partials) in a lazy frame. Whole columns are needed in memory.
    ///
    /// ```
    /// use polars::prelude::*;
    /// use polars_grad::{Domain, ExprGrad, Gradient};
    ///
    /// let points = df!("x" => [0, 1, 0, 1], "y" => [0, 0, 1, 1], "f" => [0.0, 3.0, 4.0, 7.0])?.lazy();
    /// let wrt = || [col("x"), col("y")];
    /// let steepness = points.select([
    ///     col("f").magnitude(wrt(), Gradient::new(), Domain::new()),
    ///     col("f").partials(wrt(), Gradient::new(), Domain::new()).struct_().field_by_name("y"),
    /// ]);
    /// assert_eq!(steepness.collect()?, df!("f" => [5.0; 4], "y" => [4.0; 4])?);
    /// # PolarsResult::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`partials`](crate::partials), of dtypes when the query is planned.
    fn partials(self, wrt: impl IntoIterator<Item = Expr>, operator: impl Into<Operator>, domain: Domain<Expr>)
    -> Expr;

    /// The length of the gradient of this field: [`magnitude`](crate::magnitude) in a lazy frame.
    fn magnitude(
        self,
        wrt: impl IntoIterator<Item = Expr>,
        operator: impl Into<Operator>,
        domain: Domain<Expr>,
    ) -> Expr;

    /// The divergence of this field of vectors: [`divergence`](crate::divergence) in a lazy frame.
    fn divergence(
        self,
        wrt: impl IntoIterator<Item = Expr>,
        operator: impl Into<Operator>,
        domain: Domain<Expr>,
    ) -> Expr;

    /// The curl of this field of vectors: [`curl`](crate::curl) in a lazy frame.
    fn curl(self, wrt: impl IntoIterator<Item = Expr>, operator: impl Into<Operator>, domain: Domain<Expr>) -> Expr;

    /// The Laplacian of this field: [`laplacian`](crate::laplacian) in a lazy frame.
    fn laplacian(self, wrt: impl IntoIterator<Item = Expr>, domain: Domain<Expr>) -> Expr;
}

impl ExprGrad for Expr {
    fn grad(self, operator: impl Into<Operator>, mut domain: Domain<Expr>) -> Expr {
        let operator = operator.into();
        let (x, sigma) = (domain.x.take(), domain.sigma.take());
        let x_name = x.as_ref().map(name).unwrap_or_default();
        let has_sigma = sigma.is_some();
        let columns: Vec<_> = std::iter::once(self).chain(x).chain(sigma).collect();
        let keys = std::mem::take(&mut domain.by);
        // The columns are inputs of the expression, so the domain has none.
        let domain: Domain<()> = domain.map_columns(|_| ());
        let task = Task {
            operator,
            domain,
            x_name,
            has_sigma,
        };
        if task.domain.axis != 0 {
            return inside(columns, task);
        }
        let checked = task.clone();
        let to_points = move |columns: &[Series]| to_points(Inputs::of_list(columns, has_sigma));
        let points = elementwise("points", columns, to_points, move |fields| {
            // Checked here: within groups the columns have no names.
            let columns = checked.columns(fields);
            Evaluator::new(&checked.operator, columns, &checked.domain)?;
            let fields_of_points = fields.iter().zip(names(columns));
            let fields_of_points = fields_of_points.map(|(field, name)| Field::new(name.into(), field.dtype().clone()));
            Ok(Field::new(
                fields[0].name().clone(),
                DataType::Struct(fields_of_points.collect()),
            ))
        });
        if keys.is_empty() && !has_sigma && task.operator.reads_lags(&task.domain) {
            lagged(&points, task)
        } else {
            whole(points, keys, task)
        }
    }

    fn partials(
        self,
        wrt: impl IntoIterator<Item = Expr>,
        operator: impl Into<Operator>,
        domain: Domain<Expr>,
    ) -> Expr {
        on_grid(Reduction::Partials, self, wrt, operator.into(), domain)
    }

    fn magnitude(
        self,
        wrt: impl IntoIterator<Item = Expr>,
        operator: impl Into<Operator>,
        domain: Domain<Expr>,
    ) -> Expr {
        on_grid(Reduction::Magnitude, self, wrt, operator.into(), domain)
    }

    fn divergence(
        self,
        wrt: impl IntoIterator<Item = Expr>,
        operator: impl Into<Operator>,
        domain: Domain<Expr>,
    ) -> Expr {
        on_grid(Reduction::Divergence, self, wrt, operator.into(), domain)
    }

    fn curl(self, wrt: impl IntoIterator<Item = Expr>, operator: impl Into<Operator>, domain: Domain<Expr>) -> Expr {
        on_grid(Reduction::Curl, self, wrt, operator.into(), domain)
    }

    fn laplacian(self, wrt: impl IntoIterator<Item = Expr>, domain: Domain<Expr>) -> Expr {
        on_grid(Reduction::Laplacian, self, wrt, second(), domain)
    }
}

/// The names of the fields of points. Within groups Polars passes columns without names, so fixed names are used.
fn names<C>(columns: Inputs<C>) -> impl Iterator<Item = &'static str> {
    let Inputs { x, sigma, .. } = columns;
    std::iter::once("y").chain(x.map(|_| "x")).chain(sigma.map(|_| "sigma"))
}

fn to_points(columns: Inputs<&Series>) -> PolarsResult<Series> {
    let mut names = names(columns);
    let fields = columns.map(|column| column.clone().with_name(names.next().unwrap_or_default().into()));
    Ok(points(fields.as_ref())?.with_name(columns.y.name().clone()))
}

/// An operator and its domain.
#[derive(Clone)]
struct Task {
    operator: Operator,
    domain: Domain<()>,
    x_name: PlSmallStr,
    /// Whether the last of the columns is sigma.
    has_sigma: bool,
}

impl Task {
    /// The columns of a list.
    fn columns<'a, C>(&self, columns: &'a [C]) -> Inputs<&'a C> {
        Inputs::of_list(columns, self.has_sigma)
    }

    fn evaluator(&self, columns: Inputs<&Field>) -> PolarsResult<Evaluator> {
        Ok(Evaluator {
            x_name: self.x_name.clone(),
            ..Evaluator::new(&self.operator, columns, &self.domain)?
        })
    }

    fn of_points(&self, points: &Field) -> PolarsResult<Evaluator> {
        let DataType::Struct(fields) = points.dtype() else {
            polars_bail!(InvalidOperation: "expected a column of points, got {}", points.dtype());
        };
        self.evaluator(self.columns(fields))
    }

    fn output(self) -> impl Fn(&[Field]) -> PolarsResult<Field> {
        move |fields| Ok(Field::new(fields[0].name().clone(), self.of_points(&fields[0])?.dtype))
    }
}

/// The name of x in errors.
fn name(x: &Expr) -> PlSmallStr {
    match x {
        Expr::Column(name) | Expr::Alias(_, name) => name.clone(),
        _ => "x".into(),
    }
}

/// The result inside cells, a function of each row alone.
fn inside(columns: Vec<Expr>, task: Task) -> Expr {
    let planned = task.clone();
    let result = move |columns: &[Series]| {
        let columns = task.columns(columns);
        let fields = columns.map(|column| column.field().into_owned());
        task.evaluator(fields.as_ref())?.of_columns(columns, &[])
    };
    let name = planned.operator.name();
    elementwise(name, columns, result, move |fields| {
        let evaluator = Evaluator::new(&planned.operator, planned.columns(fields), &planned.domain)?;
        Ok(Field::new(fields[0].name().clone(), evaluator.dtype))
    })
}

/// The result of points and their lagged copies, a function of each row alone.
fn lagged(points: &Expr, task: Task) -> Expr {
    let reach = task.operator.reach();
    let lags = (-(reach.before as i64)..=reach.after as i64).map(|ahead| match ahead {
        0 => points.clone(),
        _ => points.clone().shift(lit(-ahead)),
    });
    let (name, output) = (task.operator.name(), task.clone().output());
    let result = move |points: &[Series]| {
        let evaluator = task.of_points(&points[reach.before].field())?;
        let result = evaluator.of_lagged(&Lagged::of_points(points, reach.before)?);
        // The group of a row is not known here: Polars has split the rows into groups and batches.
        result.map_err(|failure| evaluator.error(failure, |_| Ok(String::new())))
    };
    elementwise(name, lags.collect(), result, output)
}

/// The result of a whole column of points and its keys.
fn whole(points: Expr, keys: Vec<Expr>, task: Task) -> Expr {
    let (name, output) = (task.operator.name(), task.clone().output());
    let result = move |columns: &mut [Column]| {
        let columns = series(columns);
        let fields = columns[0].struct_()?.fields_as_series();
        let result = task
            .of_points(&columns[0].field())?
            .of_columns(task.columns(&fields), &columns[1..])?;
        Ok(Column::from(result.with_name(columns[0].name().clone())))
    };
    let columns: Vec<_> = std::iter::once(points).chain(keys).collect();
    named(
        name,
        apply_multiple(result, columns, move |_, fields| output(fields), false),
    )
}

/// The reduced partial derivatives of a field, from its coordinates and the keys of its grids.
fn on_grid(
    reduction: Reduction,
    field: Expr,
    wrt: impl IntoIterator<Item = Expr>,
    operator: Operator,
    mut domain: Domain<Expr>,
) -> Expr {
    let keys = std::mem::take(&mut domain.by);
    let mut columns = vec![field];
    columns.extend(wrt);
    let first_key = columns.len();
    columns.extend(keys);
    let domains = [domain.map_columns(|_| ())];
    let of = move |fields: &[Field]| OnGrid::new(reduction, &operator, &fields[0], &fields[1..first_key], &domains);
    let planned = of.clone();
    let values = move |columns: &mut [Column]| {
        let columns = series(columns);
        let on_grid = of(&fields(&columns))?;
        on_grid
            .of(&columns[0], &columns[1..first_key], &columns[first_key..])
            .map(Column::from)
    };
    let output = move |_: &Schema, fields: &[Field]| Ok(Field::new(fields[0].name().clone(), planned(fields)?.dtype));
    named(reduction.name(), apply_multiple(values, columns, output, false))
}

fn elementwise(
    name: &'static str,
    columns: Vec<Expr>,
    function: impl Fn(&[Series]) -> PolarsResult<Series> + Send + Sync + 'static,
    output: impl Fn(&[Field]) -> PolarsResult<Field> + Send + Sync + 'static,
) -> Expr {
    let function = move |columns: &mut [Column]| function(&series(columns)).map(Column::from);
    named(name, map_multiple(function, columns, move |_, fields| output(fields)))
}

/// The name that `explain` shows.
fn named(name: &'static str, mut function: Expr) -> Expr {
    if let Expr::AnonymousFunction { fmt_str, .. } = &mut function {
        **fmt_str = name.into();
    }
    function
}
