"""A gradient of rows that arrive in batches: the one function behind all that outgrows memory."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from polars.exceptions import ComputeError

from polars_grad.functions import gradient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def stitch(
    batches: Iterable[pl.DataFrame],
    y: str | pl.Expr,
    x: str | pl.Expr | None = None,
    *,
    name: str,
    by: Sequence[str | pl.Expr] = (),
    edge_order: Literal[1, 2] = 1,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    **options: Any,
) -> Iterator[pl.DataFrame]:
    """
    Add the column `name`, the gradient of all rows, to batches of rows that are sorted by `by` and `x`.

    Rows come out in the order they came in, each as soon as its neighbours are known. `y`, `x` and `by` are columns of
    a batch, by name or as an expression that looks at no other row; everything else is as in `gradient`.

    Memory holds a batch and a few rows. By `nulls="skip"` a row waits for the next one of its group without a null, and
    the rows between with it.
    """
    keys = [pl.col(key) if isinstance(key, str) else key for key in by]
    slope = gradient(y, x, by=keys or None, edge_order=edge_order, nulls=nulls, **options).alias(name)
    point = [pl.col(column) if isinstance(column, str) else column for column in (y, x) if column is not None]
    counts = pl.all_horizontal(column.is_not_null() for column in point) if nulls == "skip" else None

    window: pl.DataFrame | None = None
    # Rows at the start of the window that have been seen before, and those of them that were handed on.
    seen = handed_on = 0
    # The place of the window's row 0 among all rows, if none had been left out.
    first = 0
    for batch in batches:
        window = batch if window is None else pl.concat([window, batch])
        # Fewer new rows than old ones would make a long wait for a neighbour one of quadratic time.
        if window.height < 2 * seen:
            continue
        slopes = _differentiate(window, slope, keys, first)
        neighbours, known = _end(window, edge_order, counts)
        yield window[handed_on:known].with_columns(slopes[handed_on:known])
        first += known - len(neighbours)
        window = pl.concat([window[neighbours], window[known:]])
        seen, handed_on = window.height, len(neighbours)
    if window is not None:
        # Where the rows end, the last segment ends.
        yield window[handed_on:].with_columns(_differentiate(window, slope, keys, first)[handed_on:])


def _end(window: pl.DataFrame, reach: int, counts: pl.Expr | None) -> tuple[list[int], int]:
    """Find the first row that more rows may change, and the rows before it that its stencil may read."""
    if counts is None:
        last = list(range(window.height)[-2 * reach :])
    else:
        last = window.select(counts).to_series().arg_true()[-2 * reach :].to_list()
    neighbours, waiting = last[:-reach], last[-reach:]
    return neighbours, waiting[0] if waiting else window.height


def _differentiate(window: pl.DataFrame, slope: pl.Expr, keys: list[pl.Expr], first: int) -> pl.DataFrame:
    """Differentiate rows with sorted keys; `first` is the place of row 0, for errors."""
    _check_order(window, keys, first)
    try:
        return window.select(slope)
    except ComputeError as error:
        if _fails(window[:0], slope):
            raise
        # No row is wrong by itself, but with those before it.
        rows = bisect_left(range(window.height), x=True, key=lambda height: _fails(window[:height], slope))
        reason = str(error).removeprefix("the plugin failed with message: ").split("\n\n")[0]
        msg = f"in row {first + rows - 1}, counted from 0: {reason}"
        raise ComputeError(msg) from None


def _fails(window: pl.DataFrame, slope: pl.Expr) -> bool:
    try:
        window.select(slope)
    except ComputeError:
        return True
    return False


def _check_order(window: pl.DataFrame, keys: list[pl.Expr], first: int) -> None:
    """Raise an error where a key is less than the one before, in the order of `sort`: nulls first."""
    falls = pl.lit(value=False)
    for key in reversed(keys):
        for part in (key, key.is_not_null()):
            before = part.shift(1)
            falls = (part < before) | (part.eq_missing(before) & falls)
    row = window.select(falls.fill_null(value=False).arg_true().first()).item()
    if row is not None:
        names = ", ".join(f'"{key.meta.output_name()}"' for key in keys)
        msg = (
            f"rows must be sorted by key, but in row {first + row}, counted from 0, {_shown(window[row], keys)} comes "
            f"after {_shown(window[row - 1], keys)}; sort by {names} and then by x, nulls first as `.sort` puts them"
        )
        raise ComputeError(msg)


def _shown(row: pl.DataFrame, keys: list[pl.Expr]) -> str:
    """The key of a row, in words."""
    shown = []
    for key in keys:
        value = row.select(key).item()
        text = f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value)
        shown.append(f"`{key.meta.output_name()}` = {text}")
    return ", ".join(shown)
