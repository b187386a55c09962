"""Operators on series, without frames and expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_grad._engine import columns as _columns
from polars_grad._engine import domain as _domain
from polars_grad._engine import plugin as _plugin
from polars_grad._engine.lengths import is_duration_string, is_length

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Eager:
    """A series that the function of an operator is to be evaluated on at once."""

    __slots__ = ("series",)

    def __init__(self, series: pl.Series) -> None:
        self.series = series


def evaluated(
    name: str,
    options: Mapping[str, Any],
    y: pl.Series,
    x: Any,
    domain: Mapping[str, Any],
    *,
    allowed: Collection[str],
    sigma: Any = None,
) -> pl.Series:
    """Return the result of an operator on a series."""
    axis = domain.get("axis", 0)
    if isinstance(axis, (tuple, list)):
        parts = _domain.each_axis(domain, x)
        results = {
            f"axis_{own['axis']}": evaluated(name, options, y, x, own, allowed=allowed, sigma=sigma) for x, own in parts
        }
        return pl.DataFrame(results).to_struct(y.name)
    checked = _domain.checked(name, domain, has_x=x is not None, allowed=allowed)
    _columns.check_name(y.name)
    coordinate = None if x is None else _coordinate(x, len(y), inside=checked.get("axis", 0) != 0)
    by = domain.get("by")
    keys = [] if by is None else _keys(by, len(y))
    deviations = None if sigma is None else _values("sigma", sigma, len(y))
    kwargs = {"operator": {name: dict(options)}, "domain": checked}
    return _plugin.evaluate(y, coordinate, keys, kwargs, deviations)


def _coordinate(x: Any, length: int, *, inside: bool) -> pl.Series:
    if inside and _is_sequence(x) and not (isinstance(x, pl.Series) and x.dtype.is_nested()):
        return _columns.coordinate_cell(x)
    return _values("x", x, length)


def _keys(by: Any, length: int) -> list[pl.Series]:
    several = isinstance(by, (list, tuple)) and by and all(isinstance(key, pl.Series) for key in by)
    keys = [_values("by", key, length) for key in (by if several else [by])]
    names = _columns.distinct([key.name for key in keys])
    return [key if key.name == name else key.alias(str(name)) for key, name in zip(keys, names, strict=True)]


def _values(argument: str, values: Any, length: int) -> pl.Series:
    if not _is_sequence(values):
        msg = f"`{argument}` must be a series or values of the same length, got {type(values).__name__}"
        raise TypeError(msg + _hint(argument, values))
    if len(values) != length:
        msg = f"`{argument}` must be as long as the series: got {len(values)} and {length} values"
        raise ValueError(msg)
    column = _columns.series(argument, values)
    _columns.check_name(column.name)
    return column


def _hint(argument: str, value: Any) -> str:
    if argument == "x" and (is_length(value) or (isinstance(value, str) and is_duration_string(value))):
        return f"; for a constant step use `spacing={value!r}`"
    return f"; for a column of a frame use `{argument}=df[{value!r}]`" if isinstance(value, str) else ""


def _is_sequence(values: Any) -> bool:
    return hasattr(values, "__len__") and not isinstance(values, (str, bytes, pl.Expr))
