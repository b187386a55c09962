"""The one place that talks to the compiled plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from polars.plugins import register_plugin_function

# Importing the library while Python holds its lock lets its allocator find that of Polars.
import polars_grad._internal  # noqa: F401

_LIBRARY = Path(__file__).parent


def points(y: pl.Expr, x: pl.Expr | None) -> pl.Expr:
    """Pair y with x in one struct column, so that both can be shifted as one."""
    columns = [y] if x is None else [y, x]
    names = {_name(column) for column in columns}
    if None in names or len(names) < len(columns):
        # `pl.struct` would put all of several y into one struct, and takes no name twice.
        return _call("points", columns)
    return pl.struct(columns)


def _name(column: pl.Expr) -> str | None:
    """The name of a column, if it is known without the frame."""
    name = column.meta.output_name(raise_if_undetermined=False)
    if name is not None and "\0" in name:
        # Arrow's interface ends a name there, and Polars panics.
        msg = f"a column name with a NUL character cannot be passed to a plugin, got {name!r}; rename the column"
        raise ValueError(msg)
    return name


def gradient_shifted(points: pl.Expr, *, reach: int, options: dict[str, Any]) -> pl.Expr:
    """Apply the stencil to points and their neighbours, found by Polars' own `shift`."""
    window = [points.shift(-ahead) if ahead else points for ahead in range(-reach, reach + 1)]
    return _call("gradient_shifted", window, options=options)


def gradient_whole(points: pl.Expr, keys: list[pl.Expr], *, options: dict[str, Any]) -> pl.Expr:
    """Find groups of keys and rows without nulls in the whole column, and apply the stencil within them."""
    return _call("gradient_whole", [points, *_structs(keys)], is_elementwise=False, options=options)


def on_grid(
    operator: str, field: pl.Expr, coordinates: list[pl.Expr], keys: list[pl.Expr], *, options: list[dict[str, Any]]
) -> pl.Expr:
    """Differentiate along the lines of grids, and reduce the partial derivatives to what the operator says."""
    columns = [field, *_structs(coordinates), *_structs(keys)]
    _name(field)
    return _call("on_grid", columns, is_elementwise=False, operator=operator, options=options)


def gradient_horizontal(columns: list[pl.Expr], x: pl.Expr | None, *, options: dict[str, Any]) -> pl.Expr:
    """Apply the stencil across columns."""
    return _call("gradient_horizontal", [*_structs(columns), *([] if x is None else [x])], options=options)


def _structs(columns: list[pl.Expr]) -> list[pl.Expr]:
    """One struct, if there is any column: in it an expression of several columns is not several results."""
    names: set[str | None] = set()
    distinct = []
    for number, column in enumerate(columns):
        name = _name(column)
        distinct.append(column.alias(f"{name} ({number})") if name is not None and name in names else column)
        names.add(name)
    return [pl.struct(distinct)] if distinct else []


def gradient_inside(y: pl.Expr, x: pl.Expr | None, *, options: dict[str, Any]) -> pl.Expr:
    """Apply the stencil inside of the cells of y."""
    columns = [y] if x is None else [y, x]
    for column in columns:
        _name(column)
    return _call("gradient_inside", columns, options=options)


def fields(columns: list[pl.Expr], names: list[str]) -> pl.Expr:
    """Put columns into a struct that has the name of the first; several columns at once into several structs."""
    return _call("fields", columns, names=names)


def _call(function: str, args: list[pl.Expr], *, is_elementwise: bool = True, **kwargs: Any) -> pl.Expr:
    # Elementwise is true of what knows of other rows only by columns that Polars has shifted.
    return register_plugin_function(
        plugin_path=_LIBRARY,
        function_name=function,
        args=args,
        kwargs=kwargs,
        is_elementwise=is_elementwise,
    )
