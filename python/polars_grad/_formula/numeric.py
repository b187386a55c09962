"""
The derivative of a function of expressions, from its values beside each row.

Central differences of several steps, each half of the one before, are extrapolated to a step of zero (Richardson), in
the table of Ridders: of all extrapolations a row takes the one that differs least from those it is made of.
"""

from __future__ import annotations

from functools import reduce
from itertools import count, pairwise
from math import comb
from typing import TYPE_CHECKING

from polars_grad._formula import build
from polars_grad._formula.nodes import Native
from polars_grad._formula.tree import Node, constant, node, select

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

LARGEST_ORDER = 4
# The first step, as a part of 1 + |x|, and the number of extrapolations one after the other.
_FIRST, _COLUMNS = 0.125, 4
# The number of steps by order: the rounding of a difference grows with the power of 1 / step.
_STEPS = {1: 8, 2: 8, 3: 6, LARGEST_ORDER: 5}
_NAMES = map(str, count())


def derivative(function: Callable[[pl.Expr], pl.Expr], x: pl.Expr, order: int) -> pl.Expr:
    """Return the derivative of a function with respect to a column of floats."""
    scale = 1.0 + x.abs()
    table = [[_difference(function, x, scale, order, _FIRST / 2**step) for step in range(_STEPS[order])]]
    # The result where no extrapolation is a number: the difference of the longest step is none either.
    best = table[0][0]
    candidates = []
    for column in range(1, _COLUMNS + 1):
        before = table[-1]
        # The error of a central difference is a series in the square of the step.
        weight = constant(1 / (4**column - 1))
        table.append([fine + weight * (fine - coarse) for coarse, fine in pairwise(before)])
        for value, (coarse, fine) in zip(table[-1], pairwise(before), strict=True):
            # Two steps are too few where the longest one leaves the domain of the function.
            valid = node("is_finite", value if column > 1 else value + table[0][0])
            error = node("max_horizontal", node("abs", value - fine), node("abs", value - coarse))
            candidates.append((value, node("when", error, node("null"), valid)))
    least = node("min_horizontal", *(error for _, error in candidates))
    for value, error in candidates:
        best = select(node("eq", error, least), value, best)
    return build.expression(best)


def _difference(function: Callable[[pl.Expr], pl.Expr], x: pl.Expr, scale: pl.Expr, order: int, step: float) -> Node:
    """Return the central difference of an order, divided by the power of the step."""
    terms = []
    for number in range(order + 1):
        shift = (order / 2 - number) * step
        value = _native(function(x + shift * scale if shift else x))
        terms.append(constant((-1.0) ** number * comb(order, number)) * value)
    width = constant(step) * _native(scale)
    return reduce(Node.__add__, terms) / (width if order == 1 else node("pow", width, constant(float(order))))


def _native(expr: pl.Expr) -> Node:
    return node("native", detail=Native(("numeric", next(_NAMES)), expr))
