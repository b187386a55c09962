"""
The domain: where an operator is evaluated.

Operators share these arguments. A new one is a line in `AmountDomain` (in `Shared`, if it belongs to grids too; in
`Domain`, if it is about differences of y; in `RingDomain`, if it is about rows on both sides), a row in `ARGUMENTS` and
a few lines in `checked`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, TypedDict

from polars_grad._engine import lengths as _lengths

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import Literal

    from polars_grad._engine.columns import IntoColumns
    from polars_grad._engine.lengths import Duration, Length

_MOST_AXES = 64


class Shared(TypedDict, total=False):
    """The arguments of operators that functions of grids and of columns side by side have too."""

    per: Duration | None
    nulls: Literal["propagate", "skip", "split"]
    strict: bool


class AmountDomain(Shared, total=False):
    """The arguments by keyword that all operators take."""

    spacing: Length | Sequence[Length] | None
    by: IntoColumns | None
    axis: int | tuple[int, ...]
    max_gap: Length | None
    duplicates: Literal["error", "first", "last", "mean"]


class Domain(AmountDomain, total=False):
    """The arguments by keyword of operators that read differences of `y`."""

    y_period: Length | None


class RingDomain(Domain, total=False):
    """The arguments by keyword of operators that read some rows, or a length, on both sides of a row."""

    x_period: Length | Sequence[Length | None] | None


@dataclass(frozen=True)
class Argument:
    """The default of an argument, and what its documentation says."""

    default: Any
    text: str


ARGUMENTS = {
    "spacing": Argument(
        None,
        """
        A constant step from row to row, or from value to value inside of cells, instead of `x`: a number, a timedelta
        or a duration string such as "10ms". For several axes one for all, or a tuple with one for each.
        """,
    ),
    "per": Argument(
        None,
        """
        The unit of time, if steps are times, of what is per `x` or times `x`: a slope, an integral, or `max_rate`. A
        timedelta or a duration string such as "1h"; one second by default. Other results, such as an increase or a
        turning point, have no such unit.
        """,
    ),
    "by": Argument(
        None,
        """
        Evaluate each group by itself. One or several key columns, as names, expressions, Series or 1-D arrays, of any
        dtype that Polars can group by. Rows with equal keys form a group, wherever they stand. A null is a key like any
        other. What reads other rows inside of `y` or `x`, such as `cum_sum()` or `mean()`, needs an `.over` of its own.
        """,
    ),
    "axis": Argument(
        0,
        """
        The axis to evaluate along, for List and Array columns. 0 runs down the rows: each place in the cells is a
        column of its own. 1 and further axes run inside of the cells, outermost first, and each cell is evaluated by
        itself. -1 is the innermost axis. A tuple of axes gives a struct with the fields `axis_0`, `axis_1`, ...
        """,
    ),
    "nulls": Argument(
        "propagate",
        """
        What a null in `y` or `x` does to the rows around it. The row of the null itself is always null.

        - "propagate": every row whose window touches the null is null.
        - "skip": the result is that of the column, or group, without the rows that have a null. Without `x`, the rows
          that remain are one step apart.
        - "split": the null ends a segment. The rows on both sides of it are ends.
        """,
    ),
    "max_gap": Argument(
        None,
        """
        The longest step in `x` within a segment. Where two rows are further apart, the segment ends, and both rows are
        ends. A number, or for a temporal `x` a timedelta or a duration string. The comparison is exact, in the units of
        `x`: float coordinates carry rounding noise, so that `max_gap=0.1` cuts some steps of a 10 Hz clock in float
        seconds. For those use one and a half steps, here 0.15, or a temporal `x` and a duration. With a Decimal `x`,
        0.3 means exactly three tenths.
        """,
    ),
    "duplicates": Argument(
        "error",
        """
        What adjacent rows of equal `x` within a segment are.

        - "error": an `x` that repeats, see `strict`.
        - "first", "last", "mean": one point, whose y is the first, the last or the mean of those that are not null.
          Each row of the point gets its result; a row with a null y is null itself. With "last" and "mean" a later row
          of the same `x` changes those before it, also where an operator reads no later rows.
        """,
    ),
    "strict": Argument(
        True,  # noqa: FBT003, the default
        """
        What to do if `x` repeats, turns, or is NaN or infinite: True is an error, False gives null in the rows whose
        window touches such a step. Each segment is checked by itself. With `nulls="propagate"` the rows on the two
        sides of a null are not compared.
        """,
    ),
    "y_period": Argument(
        None,
        """
        The period of a `y` that wraps around: 360 for degrees, `2 * math.pi` for radians, "24h" for times of day; a
        number, or a timedelta or a duration string for a temporal `y`. Each rise is taken to the nearest multiple of
        it, so that 355 to 5 degrees is a rise of 10. A rise of exactly half a period keeps its sign, as in
        `numpy.unwrap`.
        """,
    ),
    "x_period": Argument(
        None,
        """
        The period of an `x` that goes round: 360 for longitudes, "24h" for times of day, 12 for months; a number, or a
        timedelta or a duration string for a temporal `x`. With `spacing` it is a multiple of that. The last row of a
        group then stands before its first, one period away, so that no row is an end. `max_gap` and `nulls="split"`
        open the ring: the rows from the last gap around to the first one are one segment. A group that spans a whole
        period, such as one whose last row repeats the first, is an error, and with `strict=False` null beside the
        seam. A group of one row is null. A window of more rows than its group has reads some of them again, a period
        on, as rows of their own, also in a `stderr`. For several axes one for all, or a tuple with one, or None, for
        each. It needs whole columns.
        """,
    ),
}


# How lengths and units are read.
_LENGTHS: dict[str, Callable[[Any], Any]] = {
    "per": _lengths.per,
    "max_gap": _lengths.max_gap,
    "y_period": partial(_lengths.amount, "y_period"),
    "x_period": partial(_lengths.amount, "x_period"),
}


def checked(function: str, domain: Mapping[str, Any], *, has_x: bool, allowed: Collection[str]) -> dict[str, Any]:
    """
    Check the arguments that are no columns, and return what differs from the defaults as the plugin takes it.

    `axis` must be a single one, and `spacing` that of this axis.
    """
    for name in domain:
        if name not in allowed:
            msg = f"{function}() got an unexpected keyword argument '{name}'"
            raise TypeError(msg)
    given = {name: domain.get(name, argument.default) for name, argument in ARGUMENTS.items()}
    if has_x and given["spacing"] is not None:
        msg = "`x` and `spacing` exclude each other: give the coordinate column, or one constant step"
        raise ValueError(msg)
    options: dict[str, Any] = {
        "nulls": one_of("nulls", given["nulls"], ("propagate", "skip", "split")),
        "duplicates": one_of("duplicates", given["duplicates"], ("error", "first", "last", "mean")),
        "strict": flag("strict", given["strict"]),
        "axis": axis(given["axis"]),
    }
    options = {name: value for name, value in options.items() if value != ARGUMENTS[name].default}
    if given["spacing"] is not None:
        options["spacing"] = _lengths.spacing(given["spacing"])
    if not has_x:
        _check_without_x(given, options)
    options.update({name: read(given[name]) for name, read in _LENGTHS.items() if given[name] is not None})
    if given["by"] is not None and options.get("axis", 0) != 0:
        raise ValueError(_BY_INSIDE.format(options["axis"]))
    return options


def _check_without_x(given: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Refuse what is said about x where there is none."""
    if given["per"] is not None and "nanoseconds" not in options.get("spacing", {}):
        msg = '`per` is the unit of a temporal x: give `x`, or `spacing` as a duration such as "10ms"'
        raise ValueError(msg)
    if given["max_gap"] is not None:
        msg = "`max_gap` is a distance in x: give `x`, the coordinate column"
        raise ValueError(msg)
    if given["x_period"] is not None and "spacing" not in options:
        msg = "`x_period` is a length of x: give `x`, the coordinate column, or `spacing`, a constant step"
        raise ValueError(msg)
    if "duplicates" in options:
        msg = "`duplicates` are rows of equal x: give `x`, the coordinate column"
        raise ValueError(msg)


def each_axis(domain: Mapping[str, Any], x: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Return the x and the domain of each of several axes."""
    several = axes(domain["axis"])
    by = domain.get("by")
    if by is not None and 0 not in several:
        raise ValueError(_BY_INSIDE.format(domain["axis"]))
    coordinates = [None] * len(several) if x is None else one_each("x", x, several)
    steps = domain.get("spacing")
    steps = one_each("spacing", steps, several) if isinstance(steps, (tuple, list)) else [steps] * len(several)
    own = [{**domain, "axis": axis, "spacing": step} for axis, step in zip(several, steps, strict=True)]
    for each in own:
        each["by"] = by if each["axis"] == 0 else None
    periods = domain.get("x_period")
    if isinstance(periods, (tuple, list)):
        for each, period in zip(own, one_each("x_period", periods, several), strict=True):
            each["x_period"] = period
    return list(zip(coordinates, own, strict=True))


_BY_INSIDE = "`by` groups rows, but `axis` {} stays inside of each; drop one of them"


def axis(value: Any) -> int:
    """Return a whole number, no larger than any array has axes."""
    number = _lengths.whole(value)
    if number is None or abs(number) > _MOST_AXES:
        msg = f"`axis` must be a whole number or a tuple of them, got {value!r}"
        raise TypeError(msg)
    return number


def axes(value: Sequence[Any]) -> list[int]:
    """Return several axes, none of them twice."""
    numbers = [axis(number) for number in value]
    if not numbers or len(set(numbers)) < len(numbers):
        msg = f"`axis` must be a whole number or a tuple of different ones, got {value!r}"
        raise ValueError(msg)
    return numbers


def one_each(name: str, value: Any, several: Sequence[Any]) -> list[Any]:
    """Return an argument for each axis."""
    if not isinstance(value, (list, tuple)):
        msg = f"`{name}` must be a tuple with one for each axis, got {type(value).__name__}"
        raise TypeError(msg)
    if len(value) != len(several):
        msg = f"`{name}` must have one for each of {len(several)} axes, got {len(value)}"
        raise ValueError(msg)
    return list(value)


def one_of(name: str, value: Any, allowed: tuple[Any, ...], *, or_else: str = "") -> Any:
    """Return one of a few numbers or strings; not what merely compares equal, or cannot be compared."""
    if isinstance(value, bool) or not isinstance(value, (Real, str)) or value not in allowed:
        choice = " or ".join(filter(None, [", ".join(map(repr, allowed[:-1])), repr(allowed[-1])]))
        msg = f"`{name}` must be {or_else}{choice}, got {value!r}"
        raise ValueError(msg)
    return value


def flag(name: str, value: Any) -> bool:
    """Return True or False, and nothing that only passes for it."""
    if not isinstance(value, bool):
        msg = f"`{name}` must be True or False, got {value!r}"
        raise TypeError(msg)
    return value
