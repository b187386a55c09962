"""The cases of derivative on one column."""

from __future__ import annotations

from functools import partial
from math import factorial
from typing import TYPE_CHECKING, Any

import flat
import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, by_rows
from peers import usable
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from peers import Call
    from rounds import Contenders

DERIVATIVE, FINDIFF = "derivative", "findiff, set-up included"
# Orders of the derivative and of its error.
ORDERS = ((2, 2), (1, 4))
LIMIT, OF_FINDIFF = 1 / 2, 1 / 100
# The rows at each end of a column whose answers are compared.
COMPARED = 5_000


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    sizes = by_rows(largest, *flat.SIZES)
    limits = ((LIMIT, flat.NUMPY), (OF_FINDIFF, FINDIFF))
    targets = [Target(label, DERIVATIVE, *limit) for label in by_rows(largest, LARGEST) for limit in limits]
    return [
        Case(f"Float64, `order={order}, accuracy={accuracy}`", sizes, partial(contenders, order, accuracy), targets)
        for order, accuracy in ORDERS
    ]


def contenders(order: int, accuracy: int, rows: int) -> Contenders:
    """Return the contenders on this many rows, once the answer agrees with weights on both ends."""
    data = flat.frame(flat.WORKS[0], rows)
    y, t = data["y"].to_numpy(), data["t"].to_numpy()
    wanted = pg.derivative("y", x="t", order=order, accuracy=accuracy)
    calls: dict[str, Callable[[], Any]] = {
        flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")),
        DERIVATIVE: lambda: data.select(wanted),
        # Of order 1 and accuracy 2: a measure of time only.
        flat.NUMPY: lambda: np.gradient(y, t),
    }
    got = calls[DERIVATIVE]()["y"].to_numpy()
    size = order + accuracy
    for part, whole in ((slice(COMPARED), slice(-size)), (slice(-COMPARED, None), slice(size, None))):
        answers = {"weights": with_weights(y[part], t[part], order, accuracy), DERIVATIVE: got[part]}
        answers = {name: [answer[whole]] for name, answer in answers.items()}
        agree(f"order {order}, accuracy {accuracy}, {rows:,} rows", answers, tolerance=1e-8)

    def findiff() -> Call:
        from findiff import Diff  # noqa: PLC0415, imported where it is compared

        # On irregular steps its second derivative has other weights: the answers are the same on a parabola.
        part = t[:COMPARED]
        parabola = {1: 2 * part, 2: np.full_like(part, 2)}[order]
        answer = (Diff(0, part, acc=accuracy) ** order)(part * part)
        agree(f"findiff, order {order}", {"of a parabola": [parabola], FINDIFF: [answer]}, tolerance=1e-6)
        # Its operator is made for an x, and serves any y on it.
        return lambda: (Diff(0, t, acc=accuracy) ** order)(y)

    return calls | usable({FINDIFF: findiff}, lambda _name, _answer: None)


def with_weights(y: Any, t: Any, order: int, accuracy: int) -> Any:
    """Sum values times weights that differentiate all polynomials of lower degree than the number of rows read."""
    size = order + accuracy
    rows = np.arange(len(y))
    first = rows - size // 2
    # An even number of rows has no middle: the mean of the two windows that are nearest to it.
    second = first + 1 - size % 2
    inside = (first >= 0) & (second + size <= len(y))
    end = np.where(first < 0, 0, len(y) - size)
    starts = [np.where(inside, start, end) for start in (first, second)]
    moments = np.zeros(size)
    moments[order] = factorial(order)
    slopes = []
    for start in starts:
        window = start[:, None] + np.arange(size)
        powers = (t[window] - t[:, None])[:, None, :] ** np.arange(size)[:, None]
        weights = np.linalg.solve(powers, np.broadcast_to(moments[:, None], (len(y), size, 1)))[..., 0]
        slopes.append((weights * y[window]).sum(axis=1))
    return np.mean(slopes, axis=0)
