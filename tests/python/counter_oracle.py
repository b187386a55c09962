"""Counters in exact arithmetic, and points of repeated x, written from the rules and from nothing else."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

Number = Any  # an integer, a fraction, or None for a null


class WrongRowError(ValueError):
    """A row that a strict counter refuses."""


def counter(
    y: Sequence[Number],
    x: Sequence[Number] | None = None,
    *,
    keys: Sequence[Hashable] | None = None,
    nulls: str = "propagate",
    duplicates: str = "error",
    **rules: Any,
) -> list[Any]:
    """
    Return what a counter gained in each row, or with `per_x` its rate.

    Without x rows are one step apart, nulls that are skipped included in no step.
    """
    groups: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys or [None] * len(y)):
        groups.setdefault(key, []).append(row)
    results: list[Any] = [None] * len(y)
    for group in groups.values():
        there = [row for row in group if nulls != "skip" or not (y[row] is None or (x is not None and x[row] is None))]
        points = points_of(y, x, there, nulls=nulls, duplicates=duplicates)
        gains = [None, *(_gain(before, this, **rules) for before, this in itertools.pairwise(points))]
        for (rows, _, _), gain in zip(points, gains, strict=False):
            rest = gain
            for row in rows:
                if y[row] is not None and (x is None or x[row] is not None):
                    results[row] = rest
                    # The first row has all of it.
                    rest = rest if rules.get("per_x") else 0
    return results


Point = tuple[list[int], Number, Number]


def points_of(
    y: Sequence[Number], x: Sequence[Number] | None, rows: Sequence[int], *, nulls: str, duplicates: str
) -> list[Point]:
    """Return the rows, the x and the y of each point: a row, or a run of rows of equal x."""
    runs: list[list[int]] = []
    for place, row in enumerate(rows):
        joins = False
        if place and x is not None and duplicates != "error":
            before = rows[place - 1]
            joins = x[row] is not None and x[row] == x[before]
            if nulls == "split" and None in (y[row], y[before]):
                joins = False
        if joins:
            runs[-1].append(row)
        else:
            runs.append([row])
    return [
        (run, place if x is None else x[run[0]], _of_run([y[row] for row in run], duplicates))
        for place, run in enumerate(runs)
    ]


def _of_run(values: list[Number], duplicates: str) -> Number:
    known = [value for value in values if value is not None]
    if not known:
        return None
    if duplicates == "mean":
        return Fraction(sum(map(Fraction, known)), len(known))
    return known[-1] if duplicates == "last" else known[0]


def _gain(
    before: Point,
    this: Point,
    *,
    reset: str = "restart",
    wrap: Number = None,
    max_rate: Number = None,
    max_gap: Number = None,
    strict: bool = False,
    per_x: bool = False,
    holds: Callable[[Number], bool] = lambda _: True,
) -> Number:
    (_, x0, y0), (_, x1, y1) = before, this
    if None in (x0, y0, x1, y1) or (max_gap is not None and abs(x1 - x0) > max_gap):
        return None
    outside = wrap is not None and not (0 <= y0 < wrap and 0 <= y1 < wrap)
    if x1 <= x0 or outside:
        return _wrong(strict=strict)
    gain = y1 - y0
    if gain < 0:
        if wrap is not None and 2 * (gain + wrap) < wrap:
            gain += wrap
        elif reset == "restart" and y1 >= 0:
            gain = y1
        else:
            return None
    rate = Fraction(gain) / Fraction(x1 - x0)
    if max_rate is not None and rate > max_rate:
        return None
    if per_x:
        return rate
    return gain if holds(gain) else _wrong(strict=strict)


def _wrong(*, strict: bool) -> None:
    if strict:
        raise WrongRowError
