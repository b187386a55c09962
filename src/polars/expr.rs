//! Expressions in lazy frames.

use polars::prelude::*;

use super::column::{Gradient, NO_GROUP};
use super::grid::{OnGrid, Reduction};
use super::points::points;
use super::window::Window;
use super::{fields, series};
use crate::options::{GradientOptions, Nulls};

/// Derivatives as methods of [`Expr`].
pub trait ExprGradient {
    /// The derivative of this column with respect to [`x`](GradientOptions::x), row by row: [`gradient`](crate::gradient)
    /// in a lazy frame.
    ///
    /// Works in `select`, `with_columns`, `filter`, `.over(...)` and `group_by().agg()`, for several columns at once, on
    /// the in-memory and on the streaming engine: Polars' own `shift` finds the neighbours. With
    /// [`by`](GradientOptions::by) and [`Nulls::Skip`] the whole column is needed in memory; thousands of groups are far
    /// faster by `by` than by `.over`, which calls the gradient once per group.
    ///
    /// The result has the name and the length of this column, and the dtype that [`gradient`](crate::gradient) says.
    ///
    /// # Errors
    ///
    /// Those of [`gradient`](crate::gradient): of dtypes and options when the query is planned, of an unsorted x when it
    /// runs. Polars wraps them in the place in the query.
    ///
    /// # Examples
    ///
    /// ```
    /// use polars::prelude::*;
    /// use polars_grad::{ExprGradient, GradientOptions};
    ///
    /// let frame = df!("t" => [0.0, 1.0, 3.0, 0.0, 2.0], "y" => [0.0, 1.0, 9.0, 5.0, 1.0], "id" => [1, 1, 1, 2, 2])?;
    /// // A name is a column: `.x("t")` is `.x(col("t"))`.
    /// let options = GradientOptions::new().x("t");
    ///
    /// let slopes = frame.lazy().select([
    ///     col("y").gradient(options.clone().by(["id"])).alias("by"),
    ///     col("y").gradient(options).over([col("id")])?.alias("over"),
    /// ]);
    /// let expected = [1.0, 2.0, 4.0, -2.0, -2.0];
    /// assert_eq!(slopes.collect()?, df!("by" => expected, "over" => expected)?);
    /// # PolarsResult::Ok(())
    /// ```
    fn gradient(self, options: GradientOptions<Expr>) -> Expr;

    /// The derivatives of this field on a grid with respect to each of its coordinates:
    /// [`partials`](crate::partials) in a lazy frame. Whole columns are needed in memory.
    ///
    /// ```
    /// use polars::prelude::*;
    /// use polars_grad::{ExprGradient, GradientOptions};
    ///
    /// let points = df!("x" => [0, 1, 0, 1], "y" => [0, 0, 1, 1], "f" => [0.0, 3.0, 4.0, 7.0])?.lazy();
    /// let wrt = || [col("x"), col("y")];
    /// let steepness = points.select([
    ///     col("f").magnitude(wrt(), GradientOptions::new()),
    ///     col("f").partials(wrt(), GradientOptions::new()).struct_().field_by_name("y"),
    /// ]);
    /// assert_eq!(steepness.collect()?, df!("f" => [5.0; 4], "y" => [4.0; 4])?);
    /// # PolarsResult::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`partials`](crate::partials), of dtypes when the query is planned.
    fn partials(self, wrt: impl IntoIterator<Item = Expr>, options: GradientOptions<Expr>) -> Expr;

    /// The length of the gradient of this field: [`magnitude`](crate::magnitude) in a lazy frame.
    fn magnitude(self, wrt: impl IntoIterator<Item = Expr>, options: GradientOptions<Expr>) -> Expr;

    /// The divergence of this field of vectors: [`divergence`](crate::divergence) in a lazy frame.
    fn divergence(self, wrt: impl IntoIterator<Item = Expr>, options: GradientOptions<Expr>) -> Expr;
}

impl ExprGradient for Expr {
    fn gradient(self, mut options: GradientOptions<Expr>) -> Expr {
        let x = options.x.take();
        let x_name = x.as_ref().map(name).unwrap_or_default();
        let columns: Vec<_> = std::iter::once(self).chain(x).collect();
        if options.axis != 0 {
            return inside(columns, options.map_columns(|_| ()), x_name);
        }
        let keys = std::mem::take(&mut options.by);
        // Columns are inputs of the expression by now: nothing is left to be mapped.
        let options: GradientOptions<()> = options.map_columns(|_| ());
        let checked = options.clone();
        let points = elementwise("points", columns, to_points, move |fields| {
            // Here the columns still have their names.
            Gradient::new(&fields[0], fields.get(1), &checked)?;
            let fields_of_points = fields.iter().zip(FIELDS);
            let fields_of_points = fields_of_points.map(|(field, name)| Field::new(name.into(), field.dtype().clone()));
            Ok(Field::new(
                fields[0].name().clone(),
                DataType::Struct(fields_of_points.collect()),
            ))
        });
        let asked = Asked { options, x_name };
        if keys.is_empty() && asked.options.nulls != Nulls::Skip {
            shifted(&points, asked)
        } else {
            whole(points, keys, asked)
        }
    }

    fn partials(self, wrt: impl IntoIterator<Item = Expr>, options: GradientOptions<Expr>) -> Expr {
        on_grid(Reduction::Partials, self, wrt, options)
    }

    fn magnitude(self, wrt: impl IntoIterator<Item = Expr>, options: GradientOptions<Expr>) -> Expr {
        on_grid(Reduction::Magnitude, self, wrt, options)
    }

    fn divergence(self, wrt: impl IntoIterator<Item = Expr>, options: GradientOptions<Expr>) -> Expr {
        on_grid(Reduction::Divergence, self, wrt, options)
    }
}

/// The fields of points. Group by group Polars hands over columns without names, so theirs are of no use.
const FIELDS: [&str; 2] = ["y", "x"];

fn to_points(columns: &[Series]) -> PolarsResult<Series> {
    let rows = columns.iter().map(|column| column.len()).max().unwrap_or_default();
    let as_long = |(column, name): (&Series, &str)| {
        let column = column.clone().with_name(name.into());
        if column.len() == 1 {
            column.new_from_index(0, rows)
        } else {
            column
        }
    };
    let fields: Vec<_> = columns.iter().zip(FIELDS).map(as_long).collect();
    Ok(points(&fields[0], fields.get(1))?.with_name(columns[0].name().clone()))
}

/// What a gradient of points has to know.
#[derive(Clone)]
struct Asked {
    options: GradientOptions<()>,
    x_name: PlSmallStr,
}

impl Asked {
    fn of(&self, points: &Field) -> PolarsResult<Gradient> {
        let gradient = Gradient::of_points(points, &self.options)?;
        Ok(Gradient {
            x_name: self.x_name.clone(),
            ..gradient
        })
    }

    fn output(self) -> impl Fn(&[Field]) -> PolarsResult<Field> {
        move |fields| Ok(Field::new(fields[0].name().clone(), self.of(&fields[0])?.dtype))
    }
}

/// What errors call an x.
fn name(x: &Expr) -> PlSmallStr {
    match x {
        Expr::Column(name) | Expr::Alias(_, name) => name.clone(),
        _ => "x".into(),
    }
}

/// y and x → slopes inside of their cells, a function of each row alone.
fn inside(columns: Vec<Expr>, options: GradientOptions<()>, x_name: PlSmallStr) -> Expr {
    let checked = options.clone();
    let slopes = move |columns: &[Series]| {
        let x = columns.get(1);
        let x_field = x.map(|x| Field::new(x_name.clone(), x.dtype().clone()));
        Gradient::new(&columns[0].field(), x_field.as_ref(), &options)?.of_columns(&columns[0], x, &[])
    };
    elementwise("gradient", columns, slopes, move |fields| {
        let gradient = Gradient::new(&fields[0], fields.get(1), &checked)?;
        Ok(Field::new(fields[0].name().clone(), gradient.dtype))
    })
}

/// Points and their shifted copies → slopes, a function of each row alone.
fn shifted(points: &Expr, asked: Asked) -> Expr {
    let reach = asked.options.edge_order.reach() as i64;
    let window = (-reach..=reach).map(|ahead| match ahead {
        0 => points.clone(),
        _ => points.clone().shift(lit(-ahead)),
    });
    let output = asked.clone().output();
    let slopes = move |window: &[Series]| {
        let gradient = asked.of(&window[0].field())?;
        gradient.of_window(&Window::of_shifted(window.iter())?, NO_GROUP)
    };
    elementwise("gradient", window.collect(), slopes, output)
}

/// A whole column of points and its keys → slopes.
fn whole(points: Expr, keys: Vec<Expr>, asked: Asked) -> Expr {
    let output = asked.clone().output();
    let slopes = move |columns: &mut [Column]| {
        let columns = series(columns);
        let gradient = asked.of(&columns[0].field())?;
        gradient.of_column(&columns[0], &columns[1..]).map(Column::from)
    };
    let columns: Vec<_> = std::iter::once(points).chain(keys).collect();
    named(
        "gradient",
        apply_multiple(slopes, columns, move |_, fields| output(fields), false),
    )
}

/// A field, its coordinates and the keys of its grids → what its partial derivatives become.
fn on_grid(
    operator: Reduction,
    field: Expr,
    wrt: impl IntoIterator<Item = Expr>,
    mut options: GradientOptions<Expr>,
) -> Expr {
    let keys = std::mem::take(&mut options.by);
    let mut columns = vec![field];
    columns.extend(wrt);
    let first_key = columns.len();
    columns.extend(keys);
    let options = [options.map_columns(|_| ())];
    let of = move |fields: &[Field]| OnGrid::new(operator, &fields[0], &fields[1..first_key], &options);
    let planned = of.clone();
    let values = move |columns: &mut [Column]| {
        let columns = series(columns);
        let on_grid = of(&fields(&columns))?;
        on_grid
            .of(&columns[0], &columns[1..first_key], &columns[first_key..])
            .map(Column::from)
    };
    let output = move |_: &Schema, fields: &[Field]| Ok(Field::new(fields[0].name().clone(), planned(fields)?.dtype));
    named(operator.name(), apply_multiple(values, columns, output, false))
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
