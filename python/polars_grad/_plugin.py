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
    names: set[str | None] = set()
    for number, key in enumerate(keys):
        name = _name(key)
        if name is not None and name in names:
            keys[number] = key.alias(f"{name} ({number})")
        names.add(name)
    # One struct, so that an expression of several columns is several keys and not several results.
    by = [pl.struct(keys)] if keys else []
    return _call("gradient_whole", [points, *by], is_elementwise=False, options=options)


def _call(function: str, args: list[pl.Expr], *, is_elementwise: bool = True, **kwargs: Any) -> pl.Expr:
    # Elementwise is true of what knows of other rows only by columns that Polars has shifted.
    return register_plugin_function(
        plugin_path=_LIBRARY,
        function_name=function,
        args=args,
        kwargs=kwargs,
        is_elementwise=is_elementwise,
    )
