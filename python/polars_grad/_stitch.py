"""A gradient of rows that arrive in batches: the one function behind all that outgrows memory."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from polars.exceptions import ComputeError

from polars_grad.functions import gradient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def stitch(
    batches: Iterable[pl.DataFrame],
    y: str | pl.Expr,
    x: str | pl.Expr | None = None,
    *,
    name: str,
    by: Sequence[str | pl.Expr] = (),
    edge_order: Literal[1, 2] = 1,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    place: Callable[[int], str] = "row {}, counted from 0".format,
    **options: Any,
) -> Iterator[pl.DataFrame]:
    """
    Add the column `name`, the gradient of all rows, to batches of rows that are sorted by `by` and `x`.

    Rows come out in the order they came in, each as soon as its neighbours are known. `y`, `x` and `by` are columns of
    a batch, by name or as an expression that looks at no other row; `place` says in errors which row is meant;
    everything else is as in `gradient`.

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

    def where(row: int) -> str:
        return place(first + row)

    for batch in batches:
        if window is None:
            for key in keys:
                check_keys(batch[:0].select(key).schema)
        window = batch if window is None else pl.concat([window, batch])
        # Fewer new rows than old ones would make a long wait for a neighbour one of quadratic time.
        if window.height < 2 * seen:
            continue
        slopes = _differentiate(window, slope, keys, where)
        neighbours, known = _end(window, edge_order, counts)
        yield window[handed_on:known].with_columns(slopes[handed_on:known])
        first += known - len(neighbours)
        window = pl.concat([*(window[row : row + 1] for row in neighbours), window[known:]])
        seen, handed_on = window.height, len(neighbours)
    if window is not None:
        # Where the rows end, the last segment ends.
        yield window[handed_on:].with_columns(_differentiate(window, slope, keys, where)[handed_on:])


def check_keys(schema: pl.Schema) -> None:
    """Refuse keys that cannot be sorted."""
    for name, dtype in schema.items():
        if dtype.is_nested() or dtype == pl.Object:
            msg = f"rows must be sorted by key, but key `{name}` is {dtype}, which has no order"
            raise ComputeError(msg)


def _end(window: pl.DataFrame, reach: int, counts: pl.Expr | None) -> tuple[list[int], int]:
    """Find the first row that later rows may change, and the rows before it that are still read."""
    if counts is None:
        last = list(range(window.height)[-2 * reach :])
    else:
        last = window.select(counts).to_series().arg_true()[-2 * reach :].to_list()
    neighbours, waiting = last[:-reach], last[-reach:]
    known = waiting[0] if waiting else window.height
    # The order of keys is that of all rows, also of those that do not count.
    if known > 0 and known - 1 not in neighbours:
        neighbours.append(known - 1)
    return neighbours, known


def _differentiate(
    window: pl.DataFrame, slope: pl.Expr, keys: list[pl.Expr], where: Callable[[int], str]
) -> pl.DataFrame:
    """Differentiate rows, if they are sorted."""
    names = [key.meta.output_name() for key in keys]
    values = window.select(key.alias(str(number)) for number, key in enumerate(keys))
    fall = _fall(values)
    rows = window[:fall]
    try:
        slopes = rows.select(slope)
    except ComputeError as error:
        if _fails(rows[:0], slope):
            raise
        # No row is wrong by itself, but with those before it.
        height = bisect_left(range(rows.height), x=True, key=lambda height: _fails(rows[:height], slope))
        reason = str(error).removeprefix("the plugin failed with message: ").split("\n\n")[0]
        msg = f"in {where(height - 1)}: {reason}"
        raise ComputeError(msg) from None
    if fall is not None:
        this, before = (_shown(names, values.row(row)) for row in (fall, fall - 1))
        msg = (
            f"rows must be sorted by key, but in {where(fall)}, {this} comes after {before}; "
            f"sort by {', '.join(f'`{name}`' for name in names)} and then by x, nulls first as `.sort` puts them"
        )
        raise ComputeError(msg)
    return slopes


def _fails(window: pl.DataFrame, slope: pl.Expr) -> bool:
    try:
        window.select(slope)
    except ComputeError:
        return True
    return False


def _fall(keys: pl.DataFrame) -> int | None:
    """Find the first row less than the one before, in the order of `sort`: nulls first."""
    falls = None
    for key in reversed(keys.get_columns()):
        for part in (key, key.is_not_null()) if key.null_count() else (key,):
            before, this = part[:-1], part[1:]
            less = this < before
            falls = less if falls is None else less | (this.eq_missing(before) & falls)
    return None if falls is None or not falls.any() else int(falls.arg_true()[0]) + 1


def _shown(names: list[str], key: tuple[Any, ...]) -> str:
    """A key in words, as other errors show it."""
    values = (f'"{value}"' if isinstance(value, str) else "null" if value is None else str(value) for value in key)
    return ", ".join(f"`{name}` = {value}" for name, value in zip(names, values, strict=True))
