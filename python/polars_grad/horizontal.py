"""The gradient across columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad import _arguments as check
from polars_grad import _plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    import polars as pl

__all__ = ["gradient_horizontal"]


def gradient_horizontal(
    *columns: str | pl.Expr | Iterable[str | pl.Expr],
    x: str | pl.Expr | Sequence[Any] | None = None,
    spacing: float | timedelta | str | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | None = None,
    strict: bool = True,
) -> pl.Expr:
    """
    Differentiate across columns, in each row by itself: for sensors side by side.

    The formula is that of :func:`polars_grad.gradient`: the neighbours of a value are those in the columns before and
    after.

    Parameters
    ----------
    *columns
        The columns, in their order along `x`: names, expressions or selectors, one by one or in a list. All of one
        dtype that `gradient` takes, or all numbers; mixed integers stay exact.
    x
        The coordinates of the columns: a sequence with one for each, or a List or Array column with those of each row,
        by name or as an expression. None takes columns to be one step apart.
    spacing
        Instead of `x`, one constant step from column to column: a number, a timedelta or a duration string.
    per
        The unit of time in the result when `x` or `spacing` is temporal; one second unless given.
    edge_order
        The order of accuracy at the first and the last column, 1 or 2.
    nulls
        What a null does to the columns beside it: "propagate", "skip" or "split".
    max_gap
        Neighbours further apart in `x` than this do not belong together.
    strict
        What to do about an `x` that repeats, turns, or is NaN or infinite: True is an error, False gives nulls there.

    Returns
    -------
    Expr
        A struct with a field for each column, of its name, called like the first. The dtype is that which `gradient`
        gives for a column: Float64, Float32 or Float16 for columns of that type, Duration for times across numbers.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        When the query is planned, if the columns have no dtype in common or no differences; when it runs, if `x` has
        another length, or is not strictly monotonic and `strict` is set.

    Notes
    -----
    Null and NaN contract: that of `gradient`, along the row. The rows know nothing of each other, so every engine takes
    them batch by batch.

    For an Array instead of a struct: `pl.concat_arr("s0", "s1", "s2").grad.gradient(x=[0.0, 0.5, 2.0], axis=1)`.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> depths = pl.DataFrame({"s0": [10.0, 20.0], "s1": [11.0, 19.0], "s2": [17.0, 16.0]})
    >>> depths.select(pg.gradient_horizontal(["s0", "s1", "s2"], x=[0.0, 0.5, 2.0])).unnest("s0")
    shape: (2, 3)
    ┌──────┬──────┬──────┐
    │ s0   ┆ s1   ┆ s2   │
    │ ---  ┆ ---  ┆ ---  │
    │ f64  ┆ f64  ┆ f64  │
    ╞══════╪══════╪══════╡
    │ 2.0  ┆ 2.5  ┆ 4.0  │
    │ -2.0 ┆ -2.0 ┆ -2.0 │
    └──────┴──────┴──────┘
    """
    across = [column for item in columns for column in (item if isinstance(item, (list, tuple)) else [item])]
    options = check.options(
        x=x, spacing=spacing, per=per, edge_order=edge_order, nulls=nulls, max_gap=max_gap, strict=strict
    )
    coordinates = None if x is None else check.coordinates(x)
    return _plugin.gradient_horizontal(check.columns("columns", across), coordinates, options=options)
