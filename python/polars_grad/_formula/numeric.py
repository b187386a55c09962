"""
The derivative of a function of expressions, from its values beside each row.

Central differences of several steps, each half of the one before, are extrapolated to a step of zero (Richardson), in
the table of Ridders: of all extrapolations a row takes the one that differs least from those it is made of.
"""

from __future__ import annotations

from functools import reduce
from math import comb, inf, ldexp
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_ORDER = 4
# The first step, as a part of 1 + |x|, and the number of steps.
_FIRST, _STEPS = 0.125, 8


def derivative(function: Callable[[pl.Expr], pl.Expr], x: pl.Expr, order: int) -> pl.Expr:
    """Return the derivative of a function with respect to a column of floats."""
    scale = 1.0 + x.abs()
    values = {}
    for step in range(_STEPS):
        for position, _ in _stencil(order):
            shift = position * ldexp(_FIRST, -step)
            values[step, position] = function(x + shift * scale if shift else x).alias(f"f{step}_{position}")
    struct = pl.struct(scale.alias("scale"), *values.values())
    struct = struct.struct.with_fields(_difference(order, step).alias(f"d{step}_0") for step in range(_STEPS))
    for column in range(1, _STEPS):
        struct = struct.struct.with_fields(
            _extrapolated(step, column).alias(f"d{step}_{column}") for step in range(column, _STEPS)
        )
    entries = [(step, column) for step in range(1, _STEPS) for column in range(1, step + 1)]
    struct = struct.struct.with_fields(_error(*entry).alias("e{}_{}".format(*entry)) for entry in entries)
    struct = struct.struct.with_fields(
        pl.min_horizontal(pl.field("e{}_{}".format(*entry)) for entry in entries).alias("e")
    )
    return struct.struct.with_fields(_best(entries).alias("result")).struct.field("result")


def _stencil(order: int) -> list[tuple[float, int]]:
    """Return the positions, in steps, and the weights of the central difference."""
    return [(order / 2 - number, (-1) ** number * comb(order, number)) for number in range(order + 1)]


def _difference(order: int, step: int) -> pl.Expr:
    terms = [weight * pl.field(f"f{step}_{position}") for position, weight in _stencil(order)]
    total: pl.Expr = reduce(lambda first, second: first + second, terms)
    return total / (ldexp(_FIRST, -step) * pl.field("scale")) ** order


def _extrapolated(step: int, column: int) -> pl.Expr:
    # The error of a central difference is a series in the square of the step.
    fine, coarse = pl.field(f"d{step}_{column - 1}"), pl.field(f"d{step - 1}_{column - 1}")
    return fine + (fine - coarse) / (4**column - 1)


def _error(step: int, column: int) -> pl.Expr:
    value = pl.field(f"d{step}_{column}")
    fine, coarse = pl.field(f"d{step}_{column - 1}"), pl.field(f"d{step - 1}_{column - 1}")
    error = pl.max_horizontal((value - fine).abs(), (value - coarse).abs())
    # Where the function is not defined on both sides, a shorter step may be.
    return pl.when(value.is_finite() & fine.is_finite() & coarse.is_finite()).then(error).otherwise(inf)


def _best(entries: list[tuple[int, int]]) -> pl.Expr:
    """Return the entry of the least error; without any, the difference of the shortest step."""
    result = pl.field(f"d{_STEPS - 1}_0")
    for step, column in entries:
        is_best = (pl.field(f"e{step}_{column}") == pl.field("e")) & (pl.field("e") < inf)
        result = pl.when(is_best).then(pl.field(f"d{step}_{column}")).otherwise(result)
    return result
