"""Steps, gaps and units: numbers and lengths of time as users write them, and as the plugin takes them."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from decimal import Decimal
from math import inf, isfinite, nan
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np

    Duration: TypeAlias = timedelta | np.timedelta64 | str
    Length: TypeAlias = float | Duration

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\N{MICRO SIGN}s": 1_000,
    "\N{GREEK SMALL LETTER MU}s": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
_PART = re.compile(rf"([0-9]+)({'|'.join(_NANOSECONDS)})")
_DURATION = re.compile(rf"([+-]?)((?:{_PART.pattern})+)")
_CALENDAR = re.compile(r"[0-9](mo|q|y)")
_LONGEST = 2**63 - 1


def spacing(value: Any) -> dict[str, float | int]:
    """Return a constant step: a number in the user's own unit, or a time in nanoseconds."""
    if is_duration(value):
        nanoseconds = duration("spacing", value)
        if nanoseconds == 0:
            msg = f"`spacing` must not be zero, got {value!r}"
            raise ValueError(msg)
        return {"nanoseconds": nanoseconds}
    if not is_number(value):
        hint = '; for a column of coordinates use `x="..."`' if isinstance(value, pl.Expr) else ""
        msg = f"`spacing` must be a number, a timedelta or a duration string, got {type(value).__name__}{hint}"
        raise TypeError(msg)
    step = nearest_float(value)
    if not isfinite(step) or step == 0.0:
        msg = f"`spacing` must be a finite Float64 and not zero, got {value}"
        raise ValueError(msg)
    return {"step": step}


def max_gap(value: Any) -> dict[str, float | int]:
    """Return the longest step within a segment: a number in the unit of x, or a time in nanoseconds."""
    if is_duration(value):
        return {"nanoseconds": _positive("max_gap", value)}
    if not is_number(value):
        msg = f"`max_gap` must be a number, a timedelta or a duration string, got {type(value).__name__}"
        raise TypeError(msg)
    gap = nearest_float(value)
    if not isfinite(gap) or gap <= 0.0:
        msg = f"`max_gap` must be finite and positive, got {value}"
        raise ValueError(msg)
    if isinstance(value, Integral) and gap != value:
        msg = f"`max_gap` is compared exactly and must be a number that Float64 holds, got {value}"
        raise ValueError(msg)
    return {"step": gap}


def amount(name: str, value: Any) -> dict[str, float | int]:
    """Return a positive amount of y or a length of x: a number in its unit, or a time in nanoseconds."""
    if is_duration(value):
        return {"nanoseconds": _positive(name, value)}
    return {"step": number(name, value, or_else=", a timedelta or a duration string")}


def number(name: str, value: Any, *, or_else: str = "") -> float:
    """Return a positive number."""
    if not is_number(value):
        msg = f"`{name}` must be a number{or_else}, got {type(value).__name__}"
        raise TypeError(msg)
    float64 = nearest_float(value)
    if not isfinite(float64) or float64 <= 0.0:
        msg = f"`{name}` must be finite and positive, got {value}"
        raise ValueError(msg)
    if isinstance(value, Integral) and float64 != value:
        msg = f"`{name}` must be a number that Float64 holds, got {value}"
        raise ValueError(msg)
    return float64


def finite(name: str, value: Any) -> float:
    """Return a finite number."""
    if not is_number(value):
        msg = f"`{name}` must be a number, got {value!r}"
        raise TypeError(msg)
    float64 = nearest_float(value)
    if not isfinite(float64):
        msg = f"`{name}` must be finite, got {value!r}"
        raise ValueError(msg)
    return float64


def per(value: Any) -> int:
    """Return the unit of a temporal x, in nanoseconds."""
    if not is_duration(value):
        msg = f'`per` must be a timedelta or a duration string such as "1h", got {type(value).__name__}'
        raise TypeError(msg)
    return _positive("per", value)


def _positive(name: str, value: Any) -> int:
    nanoseconds = duration(name, value)
    if nanoseconds <= 0:
        msg = f"`{name}` must be longer than zero, got {value!r}"
        raise ValueError(msg)
    return nanoseconds


def is_duration(value: Any) -> bool:
    """Whether a value is a length of time: a timedelta of the standard library, pandas or numpy, or a string."""
    return isinstance(value, (str, timedelta)) or _is_timedelta64(value)


def is_duration_string(value: str) -> bool:
    """Whether a string is a length of time, such as "1h30m"."""
    return _DURATION.fullmatch(value) is not None


def whole(value: Any) -> int | None:
    """Return a whole number as an int; `None` for anything else."""
    # numpy's timedelta64 is an Integral.
    is_whole = isinstance(value, Integral) and not isinstance(value, bool) and not _is_timedelta64(value)
    return int(value) if is_whole else None


def is_length(value: Any) -> bool:
    """Whether a value is a number or a length of time."""
    return is_number(value) or isinstance(value, timedelta) or _is_timedelta64(value)


def duration(name: str, value: Any) -> int:
    """Return a length of time in nanoseconds."""
    if isinstance(value, str):
        nanoseconds = _parsed(name, value)
    elif isinstance(value, timedelta):
        # The timedelta of pandas is one of the standard library with nanoseconds besides.
        nanoseconds = value // timedelta(microseconds=1) * 1_000 + getattr(value, "nanoseconds", 0)
    else:
        nanoseconds = _of_timedelta64(name, value)
    if abs(nanoseconds) > _LONGEST:
        msg = f"`{name}` must be shorter than 292 years, got {value!r}"
        raise ValueError(msg)
    return nanoseconds


def _parsed(name: str, value: str) -> int:
    match = _DURATION.fullmatch(value)
    if match is None:
        hint = "; months, quarters and years have no constant length" if _CALENDAR.search(value) else ""
        msg = f'`{name}` must be a duration such as "10ms", "1h30m" or "1d", got {value!r}{hint}'
        raise ValueError(msg)
    nanoseconds = sum(int(count) * _NANOSECONDS[unit] for count, unit in _PART.findall(match[2]))
    return -nanoseconds if match[1] == "-" else nanoseconds


def _is_timedelta64(value: Any) -> bool:
    # numpy is no dependency: a value of its type exists only where it has been imported.
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.timedelta64)


# Attoseconds in a unit of numpy's: the finest that it has.
_ATTOSECONDS = {
    "as": 1,
    "fs": 10**3,
    "ps": 10**6,
    **{unit: 10**9 * _NANOSECONDS[unit.lower()] for unit in ("ns", "us", "ms", "s", "m", "h", "D", "W")},
}


def _of_timedelta64(name: str, value: np.timedelta64) -> int:
    import numpy as np  # noqa: PLC0415, no dependency

    unit, count = np.datetime_data(value.dtype)
    if np.isnat(value) or unit not in _ATTOSECONDS:
        hint = "; months and years have no constant length" if unit in ("M", "Y") else ""
        msg = f"`{name}` must be a timedelta64 with a unit from weeks to nanoseconds, got {value!r}{hint}"
        raise ValueError(msg)
    attoseconds = int(value.astype(np.int64)) * count * _ATTOSECONDS[unit]
    nanoseconds, rest = divmod(attoseconds, 10**9)
    if rest:
        msg = f"`{name}` must be a whole number of nanoseconds, got {value!r}"
        raise ValueError(msg)
    return nanoseconds


def nearest_float(value: Any) -> float:
    """Return the float nearest to a number: infinite beyond the largest one."""
    try:
        return float(value)
    except OverflowError:
        return inf
    except ValueError:
        # The signalling NaN of a Decimal.
        return nan


def is_number(value: Any) -> bool:
    """Whether a value is a real number, of Python or numpy."""
    # numpy registers its time differences as integers.
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool) and not _is_timedelta64(value)
