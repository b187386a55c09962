"""Functions of batches: for whoever brings rows in order, a few at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_grad import _arguments as check
from polars_grad import _stitch
from polars_grad.functions import gradient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta

__all__ = ["stitch"]


def stitch(
    batches: Iterable[Any],
    y: str,
    x: str | None = None,
    *,
    name: str | None = None,
    spacing: float | timedelta | str | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | Sequence[str] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | None = None,
    strict: bool = True,
) -> Iterator[pl.DataFrame]:
    """
    Add the gradient of `y` with respect to `x` to rows that come in batches, sorted by (`by`, `x`).

    The answers are those of `gradient` on all rows in one frame, to the bit, wherever they are cut; for the formulas
    see :func:`polars_grad.gradient`. It is for engines that hand out ordered batches: databases, readers, streams.

    Parameters
    ----------
    batches
        The rows: polars DataFrames, or whatever speaks Arrow's PyCapsule interface, such as the batches and tables of
        pyarrow. All have the same columns; any may be empty. They are sorted by `by` as polars sorts: each key rising,
        a later one within equal values of those before it, nulls first, NaN last, categories as their strings. Within
        a group rows are in the order of `x`, rising or falling.
    y
        The name of the column to differentiate, of any dtype that `gradient` takes.
    x
        The name of the coordinate. None takes rows to be one step apart.
    name
        The name of the new column, which takes the place of a column of that name; that of `y` unless given.
    spacing
        Instead of `x`, one constant step from row to row: a number, a timedelta or a duration string such as "10ms".
    per
        The unit of time in the result when `x` or `spacing` is temporal: a timedelta or a duration string such as
        "1h"; one second unless given.
    edge_order
        The order of accuracy at the ends, 1 or 2.
    by
        Differentiate each group by itself: the names of one or several key columns, of any dtype that has an order
        (not lists, arrays, structs or objects). A null is a key like any other, and comes first.
    nulls
        What a null in `y` or `x` does to the rows around it: "propagate", "skip" or "split".
    max_gap
        Neighbours further apart in `x` than this do not belong together: a number, or for a temporal `x` a timedelta
        or a duration string.
    strict
        What to do about an `x` that repeats, turns, or is NaN or infinite: True is an error, False gives nulls there.
        Keys out of order are an error in any case.

    Returns
    -------
    Iterator of DataFrame
        The columns of the batches and the gradient, all rows in their order. A row comes out as soon as its neighbours
        are known, so the batches are cut elsewhere than those that went in; none come out if none went in.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed. When it is read, if a batch is no frame.
    polars.exceptions.ComputeError
        When a batch is read, if a dtype is not one of those allowed, if keys are not sorted, or if `x` is not strictly
        monotonic within a segment and `strict` is set. It names the row, and the group.
    polars.exceptions.PolarsError
        When a batch is read whose columns are not those of the batches before it, or lack one that is named.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.gradient`. A null in `x` may stand anywhere in its group.

    In memory are a batch and a few rows; by `nulls="skip"` a row waits for the next one of its group without a null,
    and the rows between with it. Small batches cost time: some 100,000 rows are a good size.

    An expression in place of a name could look at rows of other batches; compute it in the batches, as a column.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> batches = [
    ...     pl.DataFrame({"id": ["a", "a"], "t": [0, 1], "y": [0.0, 1.0]}),
    ...     pl.DataFrame({"id": ["a", "b", "b"], "t": [3, 0, 2], "y": [9.0, 5.0, 4.0]}),
    ... ]
    >>> for rows in pg.stitch(batches, "y", x="t", by="id", name="dy_dt"):
    ...     print(rows.rows())
    [('a', 0, 0.0, 1.0)]
    [('a', 1, 1.0, 2.0), ('a', 3, 9.0, 4.0), ('b', 0, 5.0, -0.5)]
    [('b', 2, 4.0, -0.5)]
    """
    if isinstance(batches, (pl.DataFrame, pl.LazyFrame, str)) or not hasattr(batches, "__iter__"):
        hint = "; put a single one in a list" if hasattr(batches, "__arrow_c_stream__") else ""
        hint = "; use `lf.grad.with_gradient(...)`" if isinstance(batches, pl.LazyFrame) else hint
        msg = f"`batches` must be an iterable of frames, got {type(batches).__name__}{hint}"
        raise TypeError(msg)
    check.new_name(name)
    columns = [check.name_of("y", y)] if x is None else [check.name_of("y", y), check.name_of("x", x)]
    keys = check.names_of_keys(by)
    options: dict[str, Any] = {
        "spacing": spacing,
        "per": per,
        "edge_order": edge_order,
        "nulls": nulls,
        "max_gap": max_gap,
        "strict": strict,
    }
    gradient(y, x, by=keys or None, **options)
    return _stitch.stitch(map(_frame, batches), *columns, by=keys, name=name or y, **options)


def _frame(batch: Any) -> pl.DataFrame:
    if isinstance(batch, pl.DataFrame):
        return batch
    if hasattr(batch, "__arrow_c_stream__") or hasattr(batch, "__arrow_c_array__"):
        return pl.DataFrame(batch)
    msg = f"`batches` must give polars DataFrames or Arrow data, got {type(batch).__name__}"
    raise TypeError(msg)
