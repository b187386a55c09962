"""The namespace `grad` on expressions and series: each method hands over to a function of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_grad import functions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

__all__ = ["ExprGrad", "SeriesGrad"]


@pl.api.register_expr_namespace("grad")
class ExprGrad:
    """Derivatives of an expression: `pl.col("y").grad`."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def gradient(
        self,
        x: str | pl.Expr | None = None,
        *,
        spacing: float | timedelta | str | None = None,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        nulls: Literal["propagate"] = "propagate",
        strict: bool = True,
    ) -> pl.Expr:
        """
        Differentiate the expression with respect to `x`: see :func:`polars_grad.gradient`.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_grad
        >>> df = pl.DataFrame({"t": [0, 1, 3], "a": [0, 1, 9], "b": [5, 5, 5]})
        >>> df.select(pl.col("a", "b").grad.gradient(x="t"))
        shape: (3, 2)
        ┌─────┬─────┐
        │ a   ┆ b   │
        │ --- ┆ --- │
        │ f64 ┆ f64 │
        ╞═════╪═════╡
        │ 1.0 ┆ 0.0 │
        │ 2.0 ┆ 0.0 │
        │ 4.0 ┆ 0.0 │
        └─────┴─────┘
        """
        return functions.gradient(
            self._expr,
            x,
            spacing=spacing,
            per=per,
            edge_order=edge_order,
            nulls=nulls,
            strict=strict,
        )


@pl.api.register_series_namespace("grad")
class SeriesGrad:
    """Derivatives of a series: `pl.Series(...).grad`."""

    def __init__(self, series: pl.Series) -> None:
        self._series = series

    def gradient(
        self,
        x: pl.Series | Sequence[Any] | None = None,
        *,
        spacing: float | timedelta | str | None = None,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        nulls: Literal["propagate"] = "propagate",
        strict: bool = True,
    ) -> pl.Series:
        """
        Differentiate the series with respect to `x`, a series or values of the same length.

        See :func:`polars_grad.gradient` for everything else.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_grad
        >>> pl.Series("y", [0.0, 1.0, 9.0]).grad.gradient([0.0, 1.0, 3.0])
        shape: (3,)
        Series: 'y' [f64]
        [
            1.0
            2.0
            4.0
        ]
        """
        y = pl.col("y").alias(self._series.name)
        columns = {"y": self._series}
        if x is not None:
            columns["x"] = _values(x)
        if "x" in columns and len(columns["x"]) != len(self._series):
            msg = f"`x` must be as long as the series: got {len(columns['x'])} and {len(self._series)} values"
            raise ValueError(msg)
        slope = functions.gradient(
            y,
            None if x is None else pl.col("x").alias(columns["x"].name or "x"),
            spacing=spacing,
            per=per,
            edge_order=edge_order,
            nulls=nulls,
            strict=strict,
        )
        return pl.DataFrame(columns).select(slope).to_series()


def _values(x: Any) -> pl.Series:
    if isinstance(x, pl.Series):
        return x
    if isinstance(x, (str, pl.Expr)) or not hasattr(x, "__len__"):
        msg = f"`x` must be a series or values of the same length, got {type(x).__name__}"
        raise TypeError(msg)
    return pl.Series("x", x)
