"""Columns as users give them: names, expressions, series and arrays."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import count
from typing import TYPE_CHECKING, Any

import polars as pl

from polars_grad._engine.lengths import is_length
from polars_grad._engine.scalar import is_scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    import numpy as np

    IntoColumn: TypeAlias = str | pl.Expr | pl.Series | np.ndarray[Any, Any]
    IntoColumns: TypeAlias = IntoColumn | Sequence[IntoColumn]

__all__ = ["column", "columns", "coordinates", "full_height", "is_array", "is_scalar", "keys"]


def column(name: str, value: Any, allowed: str = "a column name, an expression, a series or a 1-D array") -> pl.Expr:
    """
    Return the expression of a column: a name, an expression, or the values of a series or an array.

    A literal or an aggregation is a column of the height of the frame or group.
    """
    return full_height(_expression(name, value, allowed))


def columns(name: str, value: Any) -> list[pl.Expr]:
    """Return the expressions of one or several columns."""
    return [full_height(expr) for expr in keys(name, value)]


def keys(name: str, value: Any) -> list[pl.Expr]:
    """Return the expressions of one or several columns, of which literals are one value for all rows."""
    if not isinstance(value, (list, tuple)):
        return [_expression(name, value, "a column name or an expression")]
    if not value:
        hint = "; leave it out for a single group" if name == "by" else ""
        msg = f"`{name}` must name at least one column, got none{hint}"
        raise ValueError(msg)
    return [_expression(name, item, "a column name or an expression") for item in value]


def full_height(expr: pl.Expr) -> pl.Expr:
    """Repeat a literal or an aggregation for each row of the frame, or of the group."""
    # `pl.len()` is the height in every context; `pl.when` takes its height from the predicate, and the name of `then`.
    return pl.when(pl.int_range(pl.len()) >= 0).then(expr) if is_scalar(expr) else expr


def coordinates(value: Any) -> pl.Expr:
    """Return the coordinates inside of cells: a column of cells, or one coordinate for each place along an axis."""
    if isinstance(value, (str, pl.Expr)):
        return _expression("x", value, "")
    return pl.lit(coordinate_cell(value))


def coordinate_cell(value: Any) -> pl.Series:
    """Return the coordinates along an axis as a series of one cell."""
    if isinstance(value, (str, bytes, pl.Expr, Mapping, AbstractSet)) or not hasattr(value, "__len__"):
        msg = f"`x` must be a column name, an expression or a sequence of coordinates, got {type(value).__name__}"
        raise TypeError(msg + _hint("x", value))
    values = value if isinstance(value, pl.Series) else pl.Series("x", value)
    name = values.name or "x"
    if values.dtype.is_nested():
        msg = (
            f"`x` must have one axis, got {values.dtype} coordinates; for a coordinate per value use `x=pl.lit(series)`"
        )
        raise ValueError(msg)
    if not len(values):
        msg = "`x` must have one coordinate for each place along the axis, got none"
        raise ValueError(msg)
    return pl.Series(name, [values], dtype=pl.Array(values.dtype, len(values)))


def is_array(value: Any) -> bool:
    """Whether a value is an array of numpy, which is no dependency."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def series(name: str, value: Any) -> pl.Series:
    """Return a series with a name: its own, or else that of the argument."""
    if isinstance(value, pl.Series):
        return value if value.name else value.alias(name)
    if is_array(value) and value.ndim != 1:
        msg = f"`{name}` must be a 1-D array, got one of shape {value.shape}"
        raise ValueError(msg)
    return pl.Series(name, value)


def _expression(name: str, value: Any, allowed: str) -> pl.Expr:
    if isinstance(value, str):
        return pl.col(value)
    if isinstance(value, pl.Expr):
        return value
    if isinstance(value, pl.Series) or is_array(value):
        return pl.lit(series(name, value))
    msg = f"`{name}` must be {allowed}, got {type(value).__name__}"
    raise TypeError(msg + _hint(name, value))


def _hint(name: str, value: Any) -> str:
    if name == "x" and is_length(value):
        return f"; for a constant step use `spacing={value!r}`"
    if name in ("by", "wrt", "columns"):
        return "; several go in one flat list of these"
    return _hint_of_list(name, value) if isinstance(value, (list, tuple)) else ""


def _hint_of_list(name: str, values: Sequence[Any]) -> str:
    if not values or not all(isinstance(value, str) for value in values):
        return f"; for values that are no column use `{name}=pl.Series(...)`"
    names = ", ".join(map(repr, values))
    if len(values) == 1:
        return f"; give the name alone, {names}"
    several = f"; for several columns use `pl.col({names})`"
    hints = {
        "y": several,
        "f": several,
        "v": f"; for the components of vectors use `pl.struct({names})`",
        "x": "; one for each of several axes goes with a tuple as `axis`",
    }
    return hints.get(name, "")


def name_of(expr: pl.Expr) -> str | None:
    """Return the name of a column, if it is known without the frame."""
    name = expr.meta.output_name(raise_if_undetermined=False)
    if name is not None:
        check_name(name)
    return name


def check_name(name: str) -> None:
    """Refuse a name that cannot be passed on."""
    if "\0" in name:
        # Arrow's interface ends a name there, and Polars panics.
        msg = f"a column name with a NUL character cannot be passed to a plugin, got {name!r}; rename the column"
        raise ValueError(msg)


def with_distinct_names(exprs: Sequence[pl.Expr]) -> list[pl.Expr]:
    """Rename columns whose name is taken by one before them, to a name that none has."""
    names = list(map(name_of, exprs))
    renamed = zip(exprs, names, distinct(names), strict=True)
    return [expr if name == other or other is None else expr.alias(other) for expr, name, other in renamed]


def distinct(names: Sequence[str | None]) -> list[str | None]:
    """Replace names that stand further up already by such that no column has; None is a name that is not known."""
    taken = {*names}
    seen: set[str | None] = set()
    replaced: list[str | None] = []
    for name in names:
        free = name
        if name is not None and name in seen:
            free = next(other for number in count(1) if (other := f"{name} ({number})") not in taken)
        taken.add(free)
        seen.add(free)
        replaced.append(free)
    return replaced


def unlike(names: Iterable[str]) -> str:
    """Return a name that is longer than any of these, and so none of them."""
    return "_" * (1 + max(map(len, names), default=0))
