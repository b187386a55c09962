"""The gradient in exact arithmetic, written from the formulas and from nothing else."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

Point = tuple[Any, Any]  # x and y, each a fraction or None


class Slope(NamedTuple):
    """A slope, and the largest of the terms whose sum it is: what rounding errors are measured by."""

    value: Fraction
    term: Fraction


class NotMonotonicError(ValueError):
    """A stencil whose x are all there, and neither rise nor fall strictly."""


def gradient(
    y: Sequence[Any],
    x: Sequence[Any] | None = None,
    *,
    edge_order: int = 1,
    keys: Sequence[Hashable] | None = None,
    nulls: str = "propagate",
    max_gap: Fraction | None = None,
    strict: bool = False,
) -> list[Slope | None]:
    """Differentiate finite numbers and nulls, per key; a stencil that is not strictly monotonic has no slope."""
    groups: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys or [None] * len(y)):
        groups.setdefault(key, []).append(row)
    slopes: list[Slope | None] = [None] * len(y)
    for group in groups.values():
        there = [row for row in group if nulls != "skip" or not (y[row] is None or (x is not None and x[row] is None))]
        # Without x, rows are one step apart.
        points = [
            (_exact(place if x is None else x[row]), None if y[row] is None else _exact(y[row]))
            for place, row in enumerate(there)
        ]
        for start, end in _segments(points, nulls, max_gap):
            for place in range(start, end):
                slopes[there[place]] = _slope(points[start:end], place - start, edge_order, strict=strict)
    return slopes


def _exact(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


def _segments(points: list[Point], nulls: str, max_gap: Fraction | None) -> Iterator[tuple[int, int]]:
    """Where segments start and end; with "split" each null is one of its own."""
    cuts = [0]
    for place, (before, this) in enumerate(itertools.pairwise(points), start=1):
        known = before[0] is not None and this[0] is not None
        apart = max_gap is not None and known and abs(this[0] - before[0]) > max_gap
        if apart or (nulls == "split" and None in (*before, *this)):
            cuts.append(place)
    return itertools.pairwise([*cuts, len(points)])


def _slope(points: list[Point], position: int, edge_order: int, *, strict: bool) -> Slope | None:
    last = len(points) - 1
    if last < edge_order:
        return None
    inside = 0 < position < last
    inwards = points if position < last else points[::-1]
    stencil = inwards[position - 1 : position + 2] if inside else inwards[: edge_order + 1]
    x = [point[0] for point in stencil if point[0] is not None]
    y = [point[1] for point in stencil if point[1] is not None]
    h = [after - before for before, after in itertools.pairwise(x)]
    if len(x) == len(stencil) and not (all(step > 0 for step in h) or all(step < 0 for step in h)):
        if strict:
            raise NotMonotonicError
        return None
    if None in [*itertools.chain(*stencil)]:
        return None
    s = [(after - before) / step for (before, after), step in zip(itertools.pairwise(y), h, strict=True)]
    if inside:
        terms = [s[0] * h[1] / (h[0] + h[1]), s[1] * h[0] / (h[0] + h[1])]
    elif edge_order == 1:
        terms = s
    else:
        terms = [s[0] * (2 * h[0] + h[1]) / (h[0] + h[1]), -s[1] * h[0] / (h[0] + h[1])]
    return Slope(sum(terms, Fraction(0)), max(map(abs, terms)))
