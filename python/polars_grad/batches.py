"""Operators on rows that come in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_grad._batches import stitch as _stitch
from polars_grad._batches.specs import named_operators

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polars_grad._engine.operator import OperatorExpr

__all__ = ["stitch"]


def stitch(
    batches: Iterable[Any], /, *exprs: OperatorExpr | Sequence[OperatorExpr], **named_exprs: OperatorExpr
) -> Iterator[pl.DataFrame]:
    """
    Add columns of operators to rows that come in batches, sorted by the operators' `by` and `x`.

    The result is that of `df.with_columns(...)` on all rows in one frame, to the bit, wherever the rows are cut. It is
    for engines that hand out ordered batches: databases, readers, streams.

    Parameters
    ----------
    batches
        The rows: polars DataFrames, or objects with Arrow's PyCapsule interface, such as the batches and tables of
        pyarrow. All have the same columns; any may be empty. They are sorted by `by` as polars sorts: each key rising,
        a later one within equal values of those before it, nulls first, NaN last, categories as their strings. Within
        a group rows are in the order of `x`, rising or falling.
    *exprs
        Operators, such as `pg.gradient("y", x="t", by="id")`. They share `by` and `x`; those without an `x` go with any
        others. All other arguments may differ. Columns are given by name.
    **named_exprs
        Further operators, whose columns are named by the keyword.

    Returns
    -------
    Iterator of DataFrame
        The columns of the batches and those of the operators, which replace columns of the same name. All rows come out
        in their order, each as soon as its neighbors are known, so that the frames end elsewhere than the batches. No
        frame comes out if no batch went in.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not allowed, if operators differ in `by` or `x`, or if two give a column of the same
        name. When a batch is read that is no frame.
    polars.exceptions.ComputeError
        When a batch is read, if a dtype is not supported, if keys are not sorted, or if `x` is not strictly monotonic
        within a segment and the operator is strict. The error names the first wrong row, the column and the group.
    polars.exceptions.PolarsError
        When a batch is read whose columns are not those of the batches before it, or that lacks a column.

    Notes
    -----
    Operators have the null and NaN contracts that they have as expressions. A null in `x` may stand anywhere in its
    group.

    Memory holds a batch and a few rows. With `nulls="skip"` a row waits for the next rows of its group without a null,
    and the rows between wait with it. In a window of a length a row waits until `x` has passed it by the part of the
    window after it, so that a trailing window comes out one row late; where such a window has more than 10,000 rows,
    until about as many are new. An operator that needs whole segments is an error. Small batches cost time: 100,000
    rows are a good size.

    `y`, `x` and `by` are names or `pl.col(name)`: an expression might need rows of other batches. Compute it before, as
    a column of the batches.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> batches = [
    ...     pl.DataFrame({"id": ["a", "a"], "t": [0, 1], "y": [0.0, 1.0]}),
    ...     pl.DataFrame({"id": ["a", "b", "b"], "t": [3, 0, 2], "y": [9.0, 5.0, 4.0]}),
    ... ]
    >>> for rows in pg.stitch(batches, dy_dt=pg.gradient("y", x="t", by="id")):
    ...     print(rows.rows())
    [('a', 0, 0.0, 1.0)]
    [('a', 1, 1.0, 2.0), ('a', 3, 9.0, 4.0), ('b', 0, 5.0, -0.5)]
    [('b', 2, 4.0, -0.5)]
    """
    if isinstance(batches, (pl.DataFrame, pl.LazyFrame, str)) or not hasattr(batches, "__iter__"):
        hint = "; put a single one in a list" if hasattr(batches, "__arrow_c_stream__") else ""
        hint = "; use `lf.grad.with_columns(...)`" if isinstance(batches, pl.LazyFrame) else hint
        msg = f"`batches` must be an iterable of frames, got {type(batches).__name__}{hint}"
        raise TypeError(msg)
    operators, _, by = named_operators("`pg.stitch`", exprs, named_exprs)
    return _stitch.stitch(map(_frame, batches), operators, by)


def _frame(batch: Any) -> pl.DataFrame:
    if isinstance(batch, pl.DataFrame):
        return batch
    if hasattr(batch, "__arrow_c_stream__") or hasattr(batch, "__arrow_c_array__"):
        return pl.DataFrame(batch)
    msg = f"`batches` must give polars DataFrames or Arrow data, got {type(batch).__name__}"
    raise TypeError(msg)
