"""The cases of rolling_slope on one column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flat
import polars as pl
from agreement import agree
from case import LARGEST, Case, by_rows
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Contenders

SLOPE, COVARIANCE = "rolling_slope", "rolling_cov / rolling_var"
# Rows of a window, and the limit against Polars' own moments.
WINDOWS = {21: 1 / 3, 1_001: 1 / 2}


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    return [
        Case(
            f"Float64, windows of {window:,} rows",
            by_rows(largest, *flat.SIZES),
            partial(contenders, window),
            [Target(label, SLOPE, limit, COVARIANCE) for label in by_rows(largest, LARGEST)],
            seconds=3,
        )
        for window, limit in WINDOWS.items()
    ]


def contenders(window: int, rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows)
    slope = pg.rolling_slope("y", x="t", window_size=window)
    covariance = pl.rolling_cov("y", "t", window_size=window) / pl.col("t").rolling_var(window)
    answers: dict[str, Callable[[], Any]] = {
        SLOPE: lambda: data.select(slope),
        COVARIANCE: lambda: data.select(covariance),
    }
    # Those of Polars lose digits where t is large, and keep the errors of rows that have left.
    agree(f"rolling_slope, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-2)
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")), **answers}
