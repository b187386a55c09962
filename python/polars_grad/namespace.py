"""The namespace `grad` on expressions, series and lazy frames: a method hands over to the function of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_grad import _arguments as check
from polars_grad import frames, functions, grid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

__all__ = ["ExprGrad", "LazyFrameGrad", "SeriesGrad"]


@pl.api.register_expr_namespace("grad")
class ExprGrad:
    """Derivatives of an expression: `pl.col("y").grad`."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def gradient(
        self,
        x: str | pl.Expr | Sequence[Any] | None = None,
        *,
        spacing: float | timedelta | str | Sequence[float | timedelta | str] | None = None,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        axis: int | tuple[int, ...] = 0,
        by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
        nulls: Literal["propagate", "skip", "split"] = "propagate",
        max_gap: float | timedelta | str | None = None,
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
            axis=axis,
            by=by,
            nulls=nulls,
            max_gap=max_gap,
            strict=strict,
        )

    def partials(
        self,
        wrt: str | pl.Expr | Sequence[str | pl.Expr],
        *,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
        nulls: Literal["propagate", "skip", "split"] = "propagate",
        max_gap: float | timedelta | str | Sequence[float | timedelta | str | None] | None = None,
        strict: bool = True,
    ) -> pl.Expr:
        """
        Differentiate the expression with respect to each coordinate of a grid: see :func:`polars_grad.partials`.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_grad
        >>> df = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "f": [0.0, 3.0, 4.0, 7.0]})
        >>> df.select(pl.col("f").grad.partials(wrt=["x", "y"]))["f"].to_list()[0]
        {'x': 3.0, 'y': 4.0}
        """
        return grid.partials(
            self._expr,
            wrt,
            per=per,
            edge_order=edge_order,
            by=by,
            nulls=nulls,
            max_gap=max_gap,
            strict=strict,
        )

    def magnitude(
        self,
        wrt: str | pl.Expr | Sequence[str | pl.Expr],
        *,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
        nulls: Literal["propagate", "skip", "split"] = "propagate",
        max_gap: float | timedelta | str | Sequence[float | timedelta | str | None] | None = None,
        strict: bool = True,
    ) -> pl.Expr:
        """
        Give the length of the gradient on a grid: see :func:`polars_grad.magnitude`.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_grad
        >>> df = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "f": [0.0, 3.0, 4.0, 7.0]})
        >>> df.select(pl.col("f").grad.magnitude(wrt=["x", "y"]))["f"].to_list()
        [5.0, 5.0, 5.0, 5.0]
        """
        return grid.magnitude(
            self._expr,
            wrt,
            per=per,
            edge_order=edge_order,
            by=by,
            nulls=nulls,
            max_gap=max_gap,
            strict=strict,
        )

    def divergence(
        self,
        wrt: str | pl.Expr | Sequence[str | pl.Expr],
        *,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
        nulls: Literal["propagate", "skip", "split"] = "propagate",
        max_gap: float | timedelta | str | Sequence[float | timedelta | str | None] | None = None,
        strict: bool = True,
    ) -> pl.Expr:
        """
        Give the divergence of vectors on a grid: see :func:`polars_grad.divergence`.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_grad
        >>> df = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "f": [0.0, 3.0, 4.0, 7.0]})
        >>> vectors = pl.struct("f", g=2 * pl.col("f"))
        >>> df.select(vectors.grad.divergence(wrt=["x", "y"]))["f"].to_list()
        [11.0, 11.0, 11.0, 11.0]
        """
        return grid.divergence(
            self._expr,
            wrt,
            per=per,
            edge_order=edge_order,
            by=by,
            nulls=nulls,
            max_gap=max_gap,
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
        spacing: float | timedelta | str | Sequence[float | timedelta | str] | None = None,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        axis: int | tuple[int, ...] = 0,
        by: pl.Series | Sequence[Any] | None = None,
        nulls: Literal["propagate", "skip", "split"] = "propagate",
        max_gap: float | timedelta | str | None = None,
        strict: bool = True,
    ) -> pl.Series:
        """
        Differentiate the series with respect to `x`, a series or values of the same length.

        Inside of cells `x` is a series of such cells, or the coordinates along the axis.

        `by` takes keys like that too, or a list of several series. For everything else see
        :func:`polars_grad.gradient`.

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
        columns = {"y": self._series}

        def column(argument: str, values: Any, name: str) -> pl.Expr:
            columns[name] = _values(argument, values, len(self._series))
            return pl.col(name).alias(columns[name].name or name)

        def coordinates(axis: Any, values: Any, name: str) -> Any:
            if values is None:
                return None
            if isinstance(axis, (tuple, list)):
                each = check.one_each("x", values, axis)
                named = [f"x{number}" for number in range(len(each))]
                return list(map(coordinates, axis, each, named))
            inside = axis != 0 and not (isinstance(values, pl.Series) and values.dtype.is_nested())
            return values if inside else column("x", values, name)

        keys: list[Any] = [by]
        if isinstance(by, (list, tuple)) and by and all(isinstance(key, pl.Series) for key in by):
            keys = list(by)
        slope = functions.gradient(
            pl.col("y").alias(self._series.name),
            coordinates(axis, x, "x"),
            spacing=spacing,
            per=per,
            edge_order=edge_order,
            axis=axis,
            by=None if by is None else [column("by", key, f"by{number}") for number, key in enumerate(keys)],
            nulls=nulls,
            max_gap=max_gap,
            strict=strict,
        )
        return pl.DataFrame(columns).select(slope).to_series()


@pl.api.register_lazyframe_namespace("grad")
class LazyFrameGrad:
    """Derivatives of columns of a lazy frame larger than memory: `lf.grad`."""

    def __init__(self, lf: pl.LazyFrame) -> None:
        self._lf = lf

    def with_gradient(
        self,
        y: str | pl.Expr,
        x: str | pl.Expr | None = None,
        *,
        name: str | None = None,
        spacing: float | timedelta | str | None = None,
        per: timedelta | str | None = None,
        edge_order: Literal[1, 2] = 1,
        by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
        nulls: Literal["propagate", "skip", "split"] = "propagate",
        max_gap: float | timedelta | str | None = None,
        strict: bool = True,
        progress: bool = False,
    ) -> pl.LazyFrame:
        """
        Add the gradient of `y` to rows sorted by (`by`, `x`): see :func:`polars_grad.with_gradient`.

        Examples
        --------
        >>> import polars as pl
        >>> import polars_grad
        >>> lf = pl.LazyFrame({"t": [0, 1, 3], "y": [0, 1, 9]})
        >>> lf.grad.with_gradient("y", x="t", name="dy_dt").filter(pl.col("dy_dt") > 1).collect()
        shape: (2, 3)
        ┌─────┬─────┬───────┐
        │ t   ┆ y   ┆ dy_dt │
        │ --- ┆ --- ┆ ---   │
        │ i64 ┆ i64 ┆ f64   │
        ╞═════╪═════╪═══════╡
        │ 1   ┆ 1   ┆ 2.0   │
        │ 3   ┆ 9   ┆ 4.0   │
        └─────┴─────┴───────┘
        """
        return frames.with_gradient(
            self._lf,
            y,
            x,
            name=name,
            spacing=spacing,
            per=per,
            edge_order=edge_order,
            by=by,
            nulls=nulls,
            max_gap=max_gap,
            strict=strict,
            progress=progress,
        )


def _values(argument: str, values: Any, length: int) -> pl.Series:
    if isinstance(values, (str, pl.Expr)) or not hasattr(values, "__len__"):
        msg = f"`{argument}` must be a series or values of the same length, got {type(values).__name__}"
        raise TypeError(msg)
    if len(values) != length:
        msg = f"`{argument}` must be as long as the series: got {len(values)} and {length} values"
        raise ValueError(msg)
    return values if isinstance(values, pl.Series) else pl.Series(argument, values)
