"""The one place that calls the compiled plugin."""

from __future__ import annotations

import pickle
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.exceptions import ComputeError
from polars.plugins import register_plugin_function

# Importing the library while Python holds its lock lets its allocator find that of Polars.
from polars_grad import _internal
from polars_grad._engine.columns import name_of, unlike, with_distinct_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polars_grad._internal import State

_LIBRARY = Path(__file__).parent.parent
# How Polars displays a call of this plugin.
_OURS = re.compile(r"polars_grad[/\\]_internal\.[^:\s]*:(\w+)\(")
_QUOTED = re.compile(r'"[^"]*"')
# A method called on an expression, as Polars displays it.
_CALLED = re.compile(r"\.(\w+)\(")

# With more lagged copies than these the whole column is faster, and takes no more memory.
_MOST_LAGS = 8

Options = dict[str, Any]
Reach = tuple[int, int]


def evaluated(columns: list[pl.Expr], keys: Sequence[pl.Expr], kwargs: Options) -> pl.Expr:
    """
    Return the expression of an operator, in the form that evaluates its columns once: y, x and sigma, if given.

    `kwargs` are the operator and its domain, and whether there is a sigma.
    """
    for column in columns:
        name_of(column)
    domain = kwargs["domain"]
    if domain.get("axis", 0) != 0:
        return _call("evaluate_cells", columns, kwargs)
    reads_lags, _, reach = extent(kwargs)
    far = not reads_lags or reach is None or sum(reach) > _MOST_LAGS
    if keys or reach is None or far or any(map(holds_operator, columns)):
        # Lagged copies of another operator would evaluate it once for each, and nested fields are planned slowly.
        return _call("evaluate_whole", [_points(columns, kwargs), *_structs(keys)], kwargs, is_elementwise=False)
    if all(column.meta.is_column_selection(allow_aliasing=True) or _is_series(column) for column in columns):
        return _call("evaluate_lagged", _lags(_points(columns, kwargs), reach), kwargs)
    return _evaluated_once(columns, kwargs, reach)


def _evaluated_once(columns: list[pl.Expr], kwargs: Options, reach: Reach) -> pl.Expr:
    """Evaluate the columns into fields, and lag these: Polars has no other way to use an expression twice."""
    names = [column.meta.output_name(raise_if_undetermined=False) for column in columns]
    fields = [name for name in names if name is not None and name.isidentifier()]
    if len({*fields}) < len(columns):
        # `pl.field` takes a name such as "^a$" for a pattern.
        fields = ["y", "x"][: len(columns)]
        if len(columns) > 1 and names[1] is not None:
            kwargs = {**kwargs, "x_name": names[1]}
    # Unlike `pl.struct`, the plugin checks dtypes: a y or an x that is a struct would look like a lag. The names of its
    # fields are those that Polars finds, which are not always those that it tells beforehand.
    points = _call("points", columns, kwargs).struct.rename_fields(fields)
    before, after = reach
    lag = unlike(fields)
    this = pl.struct(pl.field(name) for name in fields)
    lags = [
        this.shift(-ahead).alias(f"{lag}{number}")
        for number, ahead in enumerate((*range(-before, 0), *range(1, after + 1)))
    ]
    return _call("evaluate_fields", [points.struct.with_fields(lags)], kwargs)


def _points(columns: list[pl.Expr], kwargs: Options) -> pl.Expr:
    """Put y, x and sigma into one struct column, so that they can be shifted as one."""
    names = {column.meta.output_name(raise_if_undetermined=False) for column in columns}
    if None in names or len(names) < len(columns):
        # `pl.struct` would put all of several y into one struct, and takes no name twice.
        return _call("points", columns, kwargs)
    return pl.struct(columns)


def _lags(points: pl.Expr, reach: Reach) -> list[pl.Expr]:
    before, after = reach
    return [points.shift(-ahead) if ahead else points for ahead in range(-before, after + 1)]


def _is_series(column: pl.Expr) -> bool:
    return column.meta.is_literal(allow_aliasing=True)


def holds_operator(expr: pl.Expr) -> bool:
    """
    Whether an operator of this package is somewhere in an expression.

    Polars displays all inputs of an expression in microseconds, where reading its nodes takes a hundred times as long.
    Where the display leaves one out, the result is the same, only slower.
    """
    return _OURS.search(str(expr)) is not None


def is_on_grid(expr: pl.Expr) -> bool:
    """Whether a function of a grid is somewhere in an expression."""
    return any(call[1] == "on_grid" for call in _OURS.finditer(str(expr)))


def shown(expr: pl.Expr) -> str:
    """Return an expression as errors show it: as Polars does, but without what is inside of this package."""
    # Names may have parentheses.
    text = _QUOTED.sub('""', str(expr))
    calls = [*_OURS.finditer(text)]
    if not calls:
        return str(expr)
    depth, end = 1, calls[-1].end()
    while depth and end < len(text):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    what = "`gradient_horizontal`" if calls[-1][1] == "across" else "an operator"
    if end == len(text):
        return what
    method = _CALLED.match(text, end)
    if method is None:
        return f"{what} in a larger expression"
    return f"{what} with `.{method[1].removeprefix('strict_')}()` called on it"


def on_grid(
    field: pl.Expr, coordinates: list[pl.Expr], keys: list[pl.Expr], *, reduction: str, operator: Options, domains: Any
) -> pl.Expr:
    """Differentiate along the lines of grids, and reduce the partial derivatives."""
    name_of(field)
    kwargs = {"reduction": reduction, "operator": operator, "domains": domains}
    return _call("on_grid", [field, *_structs(coordinates), *_structs(keys)], kwargs, is_elementwise=False)


def across(columns: list[pl.Expr], x: pl.Expr | None, kwargs: Options) -> pl.Expr:
    """Evaluate an operator across columns."""
    return _call("across", [*_structs(columns), *([] if x is None else [x])], kwargs)


def fields(columns: list[pl.Expr], names: list[str]) -> pl.Expr:
    """Put columns into a struct that has the name of the first; several columns at once into several structs."""
    return _call("fields", columns, {"names": names})


def _structs(columns: Sequence[pl.Expr]) -> list[pl.Expr]:
    """One struct, if there is any column: in it an expression of several columns is not several results."""
    return [pl.struct(with_distinct_names(columns))] if columns else []


def _call(function: str, args: list[pl.Expr], kwargs: Options, *, is_elementwise: bool = True) -> pl.Expr:
    # Elementwise is true of what knows of other rows only by columns that Polars has shifted.
    return register_plugin_function(
        plugin_path=_LIBRARY,
        function_name=function,
        args=args,
        kwargs=kwargs,
        is_elementwise=is_elementwise,
    )


def extent(kwargs: Mapping[str, Any]) -> tuple[bool, str, Reach | None]:
    """
    Return how far an operator reads.

    That is whether lagged copies of the columns are enough; whether it reads "rows", "lengths" of x, all rows "before"
    its own, or the whole "segment"; and the number of rows before and after its own, None if it is no number of rows.
    """
    return _extent(_pickled(kwargs))


_extent = lru_cache(maxsize=256)(_internal.extent)


def _pickled(kwargs: Mapping[str, Any]) -> bytes:
    return pickle.dumps(dict(kwargs), protocol=5)


def evaluate(
    y: pl.Series, x: pl.Series | None, keys: list[pl.Series], kwargs: Options, sigma: pl.Series | None = None
) -> pl.Series:
    """Evaluate an operator on series, without a frame and an expression."""
    _check_widths(y, x, sigma, *keys)
    return _internal.evaluate(y, x, sigma, keys, _pickled(kwargs))


def resume(
    y: pl.Series, x: pl.Series | None, keys: list[pl.Series], kwargs: Options, *, passed: int, state: State | None
) -> tuple[pl.Series, State]:
    """
    Evaluate an operator that reads all rows before on sorted rows, the first of which it has passed before.

    `state` is what it had reached after these; what it has reached after all of them is returned with the result.
    """
    _check_widths(y, x, *keys)
    return _internal.resume(y, x, keys, _pickled(kwargs), passed, state)


def carry(
    y: pl.Series, x: pl.Series, keys: list[pl.Series], kwargs: Options, read_by: str
) -> tuple[int, list[tuple[int, int]]]:
    """
    Return what other rows read of sorted rows, for an operator that reads lengths of x.

    That is the number of rows that no later row changes, and the ranges of rows that are read: of the "settled" ones by
    all others, or of all rows by "later" or by "earlier" ones.
    """
    _check_widths(y, x, *keys)
    return _internal.carry(y, x, keys, _pickled(kwargs), read_by)


def _check_widths(*columns: pl.Series | None) -> None:
    for column in columns:
        if column is not None and column.dtype.is_nested() and _has_width_0(column.dtype):
            # Polars panics when it imports one.
            given = f"column `{column.name}` is {column.dtype}"
            msg = f"arrays must have a width of at least 1, but {given}; drop it, or cast it to a list"
            raise ComputeError(msg)


def _has_width_0(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Array):
        return dtype.size == 0 or _has_width_0(dtype.inner)  # type: ignore[arg-type]
    if isinstance(dtype, pl.List):
        return _has_width_0(dtype.inner)  # type: ignore[arg-type]
    return isinstance(dtype, pl.Struct) and any(_has_width_0(field.dtype) for field in dtype.fields)  # type: ignore[arg-type]
