"""Mistakes that mypy and pyright find: each line is an error of the kind in its comments. It is checked, not run."""

from __future__ import annotations

import polars as pl

import polars_grad as pg

pg.gradient()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.gradient("y", x="t", edge_order=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.gradient("y", "t", 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.gradient("y", windows=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.gradient("y", nulls="drop")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.gradient("y", strict="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.gradient("y", duplicates="median")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.derivative("y", order="2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.derivative("y", side="left")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.rolling_slope("y")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.rolling_slope("y", window_size=5, closed="middle")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.increase("n", reset="zero")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.increase("n", y_period=360)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.partials("f")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.derivative_of(pl.col("x"), wrt="x", method="symbolic")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# Chained, and as methods.
pl.col("y").pipe(pg.gradient, x="t", edge_order=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pl.col("y").pipe(pg.gradient, windows=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
pg.ExprGrad(pl.col("y")).gradient("t", edge_order=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.SeriesGrad(pl.Series([1.0])).gradient(windows=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]

# A plain expression is not an operator.
pl.LazyFrame().pipe(lambda lf: pg.LazyFrameGrad(lf).with_columns(dy=pl.col("y")))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
pg.stitch([pl.DataFrame()], dy=pl.col("y"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

# No type checker sees the namespaces that a package registers: `pipe` is the typed way to chain.
pl.col("y").grad.gradient("t")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
pl.Series([1.0]).grad.gradient()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
