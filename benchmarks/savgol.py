"""The cases of savgol on one column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flat
import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, by_rows
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Contenders

SAVGOL, SCIPY, SLIDING = "savgol", "scipy.signal.savgol_filter", "polyfit of each window"
WINDOW, DEGREE = 21, 2
# polyfit is called for each row.
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
            [Target(label, SAVGOL, 1 / 100, SLIDING) for label in by_rows(largest, FEW)],
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

    def sliding() -> np.ndarray:
        """Fit the window around each row by `numpy.polyfit`, as the sliding `polydiff` of PyNumDiff does."""
        slopes = np.empty(rows)
        for row in range(rows):
            start = min(max(row - WINDOW // 2, 0), rows - WINDOW)
            window = slice(start, start + WINDOW)
            # Relative to the row, the slope is the coefficient of degree 1.
            slopes[row] = np.polyfit(t[window] - t[row], y[window], DEGREE)[-2]
        return slopes

    answers: dict[str, Callable[[], Any]] = {SAVGOL: lambda: data.select(slope), SLIDING: sliding}
    got = {SAVGOL: data.select(slope), SLIDING: [sliding()]}
    agree(f"savgol on an irregular x, {rows:,} rows", got, tolerance=1e-6)
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")), **answers}
