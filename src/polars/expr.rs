//! Expressions in lazy frames.

use polars::prelude::*;

use super::points::{points, points_fields};
use super::window::Window;
use super::{Typed, gradient_of_column, gradient_of_window};
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
    /// runs. Polars wraps them in the place of the query; [`PolarsError::remove_context`] takes that off.
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
}

impl ExprGradient for Expr {
    fn gradient(self, mut options: GradientOptions<Expr>) -> Expr {
        let columns: Vec<_> = std::iter::once(self).chain(options.x.take()).collect();
        let keys = std::mem::take(&mut options.by);
        // Columns are inputs of the expression by now: nothing is left to be mapped.
        let options: GradientOptions<()> = options.map_columns(|_| ());
        let points = elementwise("points", columns, to_points, |fields| {
            let dtype = DataType::Struct(points_fields(&fields[0], fields.get(1)));
            Ok(Field::new(fields[0].name().clone(), dtype))
        });
        if keys.is_empty() && options.nulls != Nulls::Skip {
            shifted(&points, options)
        } else {
            whole(points, keys, options)
        }
    }
}

fn to_points(columns: &[Series]) -> PolarsResult<Series> {
    let rows = columns.iter().map(|column| column.len()).max().unwrap_or_default();
    let as_long = |column: &Series| match column.len() {
        1 => column.new_from_index(0, rows),
        _ => column.clone(),
    };
    let columns: Vec<_> = columns.iter().map(as_long).collect();
    points(&columns[0], columns.get(1))
}

/// Points and their shifted copies → slopes, a function of each row alone.
fn shifted(points: &Expr, options: GradientOptions<()>) -> Expr {
    let reach = options.edge_order.reach() as i64;
    let window = (-reach..=reach).map(|ahead| match ahead {
        0 => points.clone(),
        _ => points.clone().shift(lit(-ahead)),
    });
    let dtype = output(options.clone());
    let slopes = move |window: &[Series]| {
        let plan = Typed::of_points(&window[0].field(), &options)?;
        gradient_of_window(&Window::of_shifted(window.iter())?, &plan, &options)
    };
    elementwise("gradient", window.collect(), slopes, dtype)
}

/// A whole column of points and its keys → slopes.
fn whole(points: Expr, keys: Vec<Expr>, options: GradientOptions<()>) -> Expr {
    let dtype = output(options.clone());
    let slopes = move |columns: &mut [Column]| {
        let columns = series(columns);
        let plan = Typed::of_points(&columns[0].field(), &options)?;
        gradient_of_column(&columns[0], &columns[1..], &plan, &options).map(Column::from)
    };
    let columns: Vec<_> = std::iter::once(points).chain(keys).collect();
    named(
        "gradient",
        apply_multiple(slopes, columns, move |_, fields| dtype(fields), false),
    )
}

fn output(options: GradientOptions<()>) -> impl Fn(&[Field]) -> PolarsResult<Field> {
    move |fields| {
        Ok(Field::new(
            fields[0].name().clone(),
            Typed::of_points(&fields[0], &options)?.dtype,
        ))
    }
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

fn series(columns: &[Column]) -> Vec<Series> {
    columns
        .iter()
        .map(|column| column.as_materialized_series().clone())
        .collect()
}

/// The name that `explain` shows.
fn named(name: &'static str, mut function: Expr) -> Expr {
    if let Expr::AnonymousFunction { fmt_str, .. } = &mut function {
        **fmt_str = name.into();
    }
    function
}
