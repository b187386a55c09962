"""The gradient in exact arithmetic, written from the formulas and from nothing else."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

Point = tuple[Fraction, Fraction]


class Slope(NamedTuple):
    """A slope, and the largest of the terms whose sum it is: what rounding errors are measured by."""

    value: Fraction
    term: Fraction


def gradient(
    y: Sequence[Any],
    x: Sequence[Any] | None = None,
    *,
    edge_order: int = 1,
    keys: Sequence[Hashable] | None = None,
) -> list[Slope | None]:
    """Differentiate finite numbers and nulls, per key; a stencil that is not strictly monotonic has no slope."""
    x = range(len(y)) if x is None else x
    rows_of: dict[Hashable, list[int]] = {}
    for row, key in enumerate(keys or [None] * len(y)):
        rows_of.setdefault(key, []).append(row)
    slopes: list[Slope | None] = [None] * len(y)
    for rows in rows_of.values():
        points = [None if x[row] is None or y[row] is None else (Fraction(x[row]), Fraction(y[row])) for row in rows]
        for position, row in enumerate(rows):
            slopes[row] = _slope(points, position, edge_order)
    return slopes


def _slope(points: list[Point | None], position: int, edge_order: int) -> Slope | None:
    last = len(points) - 1
    if last < edge_order:
        return None
    inside = 0 < position < last
    inwards = points if position < last else points[::-1]
    stencil = inwards[position - 1 : position + 2] if inside else inwards[: edge_order + 1]
    known = [point for point in stencil if point is not None]
    h = [b[0] - a[0] for a, b in itertools.pairwise(known)]
    if len(known) < len(stencil) or not (all(step > 0 for step in h) or all(step < 0 for step in h)):
        return None
    s = [(b[1] - a[1]) / step for a, b, step in zip(known, known[1:], h, strict=False)]
    if inside:
        terms = [s[0] * h[1] / (h[0] + h[1]), s[1] * h[0] / (h[0] + h[1])]
    elif edge_order == 1:
        terms = s
    else:
        terms = [s[0] * (2 * h[0] + h[1]) / (h[0] + h[1]), -s[1] * h[0] / (h[0] + h[1])]
    return Slope(sum(terms, Fraction(0)), max(map(abs, terms)))
