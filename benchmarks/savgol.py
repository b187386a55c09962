"""The cases of savgol on one column."""

from __future__ import annotations

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

SAVGOL, SCIPY, POLYDIFF = "savgol", "scipy.signal.savgol_filter", "PyNumDiff, polydiff"
WINDOW, DEGREE = 21, 2
# polydiff fits the window around each row in Python.
FEW = 10_000


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    return [
        Case(
            f"Float64, even spacing, {WINDOW} rows",
            by_rows(largest, *flat.SIZES),
            even,
            [Target(label, SAVGOL, 1 / 2, SCIPY) for label in by_rows(largest, LARGEST)],
            seconds=3,
        ),
        Case(
            f"Float64, irregular x, {WINDOW} rows, degree {DEGREE}",
            by_rows(largest, FEW),
            irregular,
            [Target(label, SAVGOL, 1 / 100, POLYDIFF) for label in by_rows(largest, FEW)],
            seconds=3,
            rounds=3,
        ),
    ]


def even(rows: int) -> Contenders:
    """Return the contenders on this many evenly spaced rows, once their answers agree."""
    from scipy.signal import savgol_filter  # noqa: PLC0415, imported where it is compared

    data = flat.frame(flat.WORKS[0], rows)
    y = data["y"].to_numpy()
    slope = pg.savgol("y", window_size=WINDOW, degree=DEGREE)
    answers: dict[str, Callable[[], Any]] = {
        SAVGOL: lambda: data.select(slope),
        SCIPY: lambda: savgol_filter(y, WINDOW, DEGREE, deriv=1),
    }
    got = {SAVGOL: data.select(slope), SCIPY: [answers[SCIPY]()]}
    agree(f"savgol, {rows:,} rows", got, tolerance=1e-9)
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")), **answers}


def irregular(rows: int) -> Contenders:
    """Return the contenders on this many irregular rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows)
    y, t = data["y"].to_numpy(), data["t"].to_numpy()
    slope = pg.savgol("y", x="t", window_size=WINDOW, degree=DEGREE)

    sliding = np.empty(rows)
    for row in range(rows):
        start = min(max(row - WINDOW // 2, 0), rows - WINDOW)
        window = slice(start, start + WINDOW)
        # Relative to the row, the slope is the coefficient of degree 1.
        sliding[row] = np.polyfit(t[window] - t[row], y[window], DEGREE)[-2]
    got = {SAVGOL: data.select(slope), "polyfit of each window": [sliding]}
    agree(f"savgol on an irregular x, {rows:,} rows", got, tolerance=1e-6)

    def polydiff() -> Call:
        import pynumdiff  # noqa: PLC0415, imported where it is compared

        # It averages the fits of all windows that hold a row: on noise its answers are others, on a parabola the same.
        slopes = pynumdiff.polydiff(t * t, t, DEGREE, WINDOW)[1]
        agree(f"polydiff of a parabola, {rows:,} rows", {"2t": [2 * t], POLYDIFF: [slopes]}, tolerance=1e-6)
        return lambda: pynumdiff.polydiff(y, t, DEGREE, WINDOW)

    return {
        flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")),
        SAVGOL: lambda: data.select(slope),
        **usable({POLYDIFF: polydiff}, lambda _name, _answer: None),
    }
