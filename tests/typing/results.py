"""Types of results, as mypy and pyright infer them. The file is checked, not run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import polars as pl
from typing_extensions import assert_type

import polars_grad as pg
from polars_grad._engine.operator import OperatorExpr

assert_type(pg.__version__, str)
pg.show_versions()

# An operator is an expression, and one that knows what it is.
slope = pg.gradient("y", x="t", edge_order=2, per="1h", by=["a", pl.col("b")], nulls="skip", max_gap=3, strict=False)
assert_type(slope, OperatorExpr)
expr: pl.Expr = slope
assert_type(slope.alias("slope"), OperatorExpr)
assert_type(slope.name.suffix("_dt"), OperatorExpr)
assert_type(slope * 2, pl.Expr)
assert_type(slope.over("id"), pl.Expr)

assert_type(pg.derivative(pl.col("y"), x="t", order=2, accuracy=4, side="backward"), OperatorExpr)
assert_type(pg.increase("n", reset="null", wrap="u32"), OperatorExpr)
assert_type(pg.rate("n", x="t", max_rate=1e6), OperatorExpr)
assert_type(pg.integral("p", x="t", hold=True, duplicates="mean"), OperatorExpr)
assert_type(pg.rolling_slope("y", x="t", window_size="5m", closed="both"), OperatorExpr)
assert_type(pg.turning_points("y", x="t", min_swing=0.5, nulls="skip"), OperatorExpr)
assert_type(pg.derivative("y", x="t", sigma=pl.col("s"), with_error=True), OperatorExpr)


def columns(length: timedelta, values: np.ndarray) -> None:
    """Columns and lengths may be given in any of these ways."""
    for y in ("y", pl.col("y"), pl.Series([1.0]), values):
        pg.gradient(y)
    for x in ("t", pl.col("t"), pl.Series([1.0]), values, [1.0, 2.0]):
        pg.gradient("y", x)
    for gap in (3, 3.0, "1h", length):
        pg.gradient("y", x="t", max_gap=gap)


# Chained: `Expr.grad` is known at run time only, `pipe` keeps the types.
assert_type(pl.col("y").pipe(pg.gradient, x="t", per="1h"), OperatorExpr)
assert_type(pl.col("y").pipe(pg.derivative, x="t", order=2), OperatorExpr)
assert_type(pl.col("y").abs().pipe(pg.rate, x="t").fill_null(0), pl.Expr)

# The namespaces have the arguments of the functions, and series as results.
assert_type(pg.ExprGrad(pl.col("y")).gradient("t", edge_order=2), OperatorExpr)
assert_type(pg.SeriesGrad(pl.Series([1.0, 2.0])).gradient(spacing=0.5), pl.Series)
assert_type(pg.SeriesGrad(pl.Series([1, 2])).increase(), pl.Series)
assert_type(pg.ExprGrad(pl.col("f")).partials(wrt=["x", "y"]), pl.Expr)
assert_type(pg.LazyFrameGrad(pl.LazyFrame()).with_columns(dy=slope), pl.LazyFrame)


def cubed(x: pl.Expr) -> pl.Expr:
    """A formula."""
    return x**3


# Grids and formulas.
assert_type(pg.partials("f", wrt=["x", "y"], accuracy=4), pl.Expr)
assert_type(pg.magnitude("f", wrt=["x", "y"]), pl.Expr)
assert_type(pg.divergence(pl.struct("u", "v"), wrt=["x", "y"]), pl.Expr)
assert_type(pg.curl(pl.struct("u", "v"), wrt=["x", "y"]), pl.Expr)
assert_type(pg.laplacian("f", wrt=["x", "y"]), pl.Expr)
assert_type(pg.derivative_of(pl.col("x").sin(), wrt="x"), pl.Expr)
assert_type(pg.derivative_of(cubed, wrt="x", order=2, method="numeric"), pl.Expr)
assert_type(pg.gradient_of(pl.col("x") * pl.col("y"), wrt=["x", "y"]), pl.Expr)
assert_type(pg.hessian_of(pl.col("x") * pl.col("y"), wrt=["x", "y"]), pl.Expr)

# Frames.
batches = pg.stitch([pl.DataFrame()], dy=slope)
rows: Iterator[pl.DataFrame] = iter(batches)
