"""Arguments as users write them: checked, and turned into what the plugin takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from decimal import Decimal
from math import inf, isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_PART = r"(\d+)(ns|us|µs|ms|s|m|h|d|w)"
_CALENDAR = re.compile(r"\d(mo|q|y)")
_LONGEST = 2**63 - 1
_MOST_AXES = 64


def column(name: str, value: Any) -> pl.Expr:
    """A column name or an expression."""
    if isinstance(value, str):
        return pl.col(value)
    if isinstance(value, pl.Expr):
        return value
    msg = f"`{name}` must be a column name or an expression, got {type(value).__name__}"
    raise TypeError(msg + _column_hint(name, value))


def name_of(argument: str, value: Any) -> str:
    """A column name, where an expression could look at rows that are not there."""
    if not isinstance(value, str):
        hint = "; compute an expression first, as a column" if isinstance(value, pl.Expr) else ""
        msg = f"`{argument}` must be a column name, got {type(value).__name__}{hint}"
        raise TypeError(msg)
    return value


def names_of_keys(value: Any) -> list[str]:
    """No, one or several names of key columns."""
    if value is None:
        return []
    names = list(value) if isinstance(value, (list, tuple)) else [value]
    if not names:
        msg = "`by` must name at least one column, got none; leave it out for a single group"
        raise ValueError(msg)
    return [name_of("by", name) for name in names]


def new_name(value: Any) -> None:
    """The name of the column to be added, or None for that of y."""
    if value is not None and not isinstance(value, str):
        msg = f"`name` must be the name of a column, got {type(value).__name__}"
        raise TypeError(msg)


def coordinates(value: Any) -> pl.Expr:
    """A column name or an expression, or one coordinate for each place along an axis inside of cells."""
    if isinstance(value, (str, pl.Expr)):
        return column("x", value)
    if isinstance(value, (bytes, Mapping, AbstractSet)) or not hasattr(value, "__len__"):
        msg = f"`x` must be a column name, an expression or a sequence of coordinates, got {type(value).__name__}"
        raise TypeError(msg + _column_hint("x", value))
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
    return pl.lit(pl.Series(name, [values], dtype=pl.Array(values.dtype, len(values))))


def axis(value: Any) -> int:
    """A whole number, no larger than any array has axes."""
    number = int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None
    if number is None or abs(number) > _MOST_AXES:
        msg = f"`axis` must be a whole number or a tuple of them, got {value!r}"
        raise TypeError(msg)
    return number


def axes(value: Sequence[Any]) -> list[int]:
    """Several axes, none of them twice."""
    numbers = [axis(number) for number in value]
    if not numbers or len(set(numbers)) < len(numbers):
        msg = f"`axis` must be a whole number or a tuple of different ones, got {value!r}"
        raise ValueError(msg)
    return numbers


def one_each(name: str, value: Any, axes: Sequence[Any]) -> list[Any]:
    """An argument for each axis."""
    if not isinstance(value, (list, tuple)):
        msg = f"`{name}` must be a tuple with one for each axis, got {type(value).__name__}"
        raise TypeError(msg)
    if len(value) != len(axes):
        msg = f"`{name}` must have one for each of {len(axes)} axes, got {len(value)}"
        raise ValueError(msg)
    return list(value)


def columns(name: str, value: Any) -> list[pl.Expr]:
    """One or several columns."""
    if not isinstance(value, (list, tuple)):
        return [column(name, value)]
    if not value:
        hint = "; leave it out for a single group" if name == "by" else ""
        msg = f"`{name}` must name at least one column, got none{hint}"
        raise ValueError(msg)
    return [column(name, item) for item in value]


def _column_hint(name: str, value: Any) -> str:
    if isinstance(value, pl.Series):
        return f"; for values that are not a column of the frame use `{name}=pl.lit(series)`"
    if name == "x" and isinstance(value, (Real, timedelta)):
        return f"; for a constant step use `spacing={value!r}`"
    if name in ("by", "wrt", "columns"):
        return "; several go in one flat list of these"
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return f"; for several columns use `pl.col({', '.join(map(repr, value))})`"
    return ""


def _spacing(value: Any) -> dict[str, float | int]:
    """A constant step: a number in the user's own unit, or a time in nanoseconds."""
    if isinstance(value, (str, timedelta)):
        nanoseconds = duration("spacing", value)
        if nanoseconds == 0:
            msg = f"`spacing` must not be zero, got {value!r}"
            raise ValueError(msg)
        return {"nanoseconds": nanoseconds}
    if not _is_number(value):
        hint = '; for a column of coordinates use `x="..."`' if isinstance(value, pl.Expr) else ""
        msg = f"`spacing` must be a number, a timedelta or a duration string, got {type(value).__name__}{hint}"
        raise TypeError(msg)
    step = _float(value)
    if not isfinite(step) or step == 0.0:
        msg = f"`spacing` must be a finite Float64 and not zero, got {value}"
        raise ValueError(msg)
    return {"step": step}


def _max_gap(value: Any) -> dict[str, float | int]:
    """The longest step between neighbours: a number in the unit of x, or a time in nanoseconds."""
    if isinstance(value, (str, timedelta)):
        nanoseconds = duration("max_gap", value)
        if nanoseconds <= 0:
            msg = f"`max_gap` must be longer than zero, got {value!r}"
            raise ValueError(msg)
        return {"nanoseconds": nanoseconds}
    if not _is_number(value):
        msg = f"`max_gap` must be a number, a timedelta or a duration string, got {type(value).__name__}"
        raise TypeError(msg)
    gap = _float(value)
    if not isfinite(gap) or gap <= 0.0:
        msg = f"`max_gap` must be finite and positive, got {value}"
        raise ValueError(msg)
    if isinstance(value, Integral) and gap != value:
        msg = f"`max_gap` is compared exactly and must be a number that Float64 holds, got {value}"
        raise ValueError(msg)
    return {"step": gap}


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf


def _is_number(value: Any) -> bool:
    # numpy registers its time differences as integers.
    is_time = type(value).__name__ == "timedelta64"
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool) and not is_time


def _per(value: Any) -> int:
    """The unit of a temporal x, in nanoseconds."""
    if not isinstance(value, (str, timedelta)):
        msg = f'`per` must be a timedelta or a duration string such as "1h", got {type(value).__name__}'
        raise TypeError(msg)
    nanoseconds = duration("per", value)
    if nanoseconds <= 0:
        msg = f"`per` must be longer than zero, got {value!r}"
        raise ValueError(msg)
    return nanoseconds


def options(
    *, x: Any, spacing: Any, per: Any, edge_order: Any, nulls: Any, max_gap: Any, strict: Any
) -> dict[str, Any]:
    """Everything that is not a column, as the plugin takes it."""
    if x is not None and spacing is not None:
        msg = "`x` and `spacing` exclude each other: give the coordinate column, or one constant step"
        raise ValueError(msg)
    checked: dict[str, Any] = {
        "edge_order": _edge_order(edge_order),
        "nulls": one_of("nulls", nulls, ("propagate", "skip", "split")),
        "strict": flag("strict", strict),
    }
    if spacing is not None:
        checked["spacing"] = _spacing(spacing)
    if per is not None:
        checked["per"] = _per(per)
        if x is None and "nanoseconds" not in checked.get("spacing", {}):
            msg = '`per` is the unit of a temporal x: give `x`, or `spacing` as a duration such as "10ms"'
            raise ValueError(msg)
    if max_gap is not None:
        if x is None:
            msg = "`max_gap` is a distance in x: give `x`, the coordinate column"
            raise ValueError(msg)
        checked["max_gap"] = _max_gap(max_gap)
    return checked


def _edge_order(value: Any) -> int:
    """1 or 2."""
    return int(one_of("edge_order", value, (1, 2)))


def one_of(name: str, value: Any, allowed: tuple[Any, ...]) -> Any:
    """One of a few numbers or strings; not what merely compares equal, or cannot be compared."""
    if isinstance(value, bool) or not isinstance(value, (Real, str)) or value not in allowed:
        choice = " or ".join([", ".join(map(repr, allowed[:-1])), repr(allowed[-1])])
        msg = f"`{name}` must be {choice}, got {value!r}"
        raise ValueError(msg)
    return value


def flag(name: str, value: Any) -> bool:
    """True or False, and nothing that only passes for it."""
    if not isinstance(value, bool):
        msg = f"`{name}` must be True or False, got {value!r}"
        raise TypeError(msg)
    return value


def duration(name: str, value: str | timedelta) -> int:
    """A constant length of time, in nanoseconds."""
    if isinstance(value, timedelta):
        nanoseconds = value // timedelta(microseconds=1) * 1_000
    else:
        nanoseconds = _parse_duration(name, value)
    if abs(nanoseconds) > _LONGEST:
        msg = f"`{name}` must be shorter than 292 years, got {value!r}"
        raise ValueError(msg)
    return nanoseconds


def _parse_duration(name: str, value: str) -> int:
    sign, text = (-1, value[1:]) if value.startswith("-") else (1, value)
    if not re.fullmatch(f"({_PART})+", text):
        hint = "; months, quarters and years have no constant length" if _CALENDAR.search(text) else ""
        msg = f'`{name}` must be a duration such as "10ms", "1h30m" or "1d", got {value!r}{hint}'
        raise ValueError(msg)
    return sign * sum(int(count) * _NANOSECONDS[unit] for count, unit in re.findall(_PART, text))
