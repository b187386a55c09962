"""Operators nested in one expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from agreement import agree
from case import Case, Part, by_rows
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from rounds import Contenders

LEVELS = 6
ONE, NESTED = "one gradient", f"{LEVELS} nested gradients"
LIMIT = 8
SIZES = (1_000, 100_000, 1_000_000)
ABOUT = "Each level differentiates the one inside it; y and t are Float64, with irregular steps."


def cases(largest: int) -> list[Case]:
    """Return the case."""
    targets = [Target(label, NESTED, LIMIT, ONE) for label in by_rows(largest, SIZES[0])]
    return [Case("Nested gradients", by_rows(largest, *SIZES), contenders, targets, rounds=25)]


def contenders(rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    rng = np.random.default_rng(0)
    y, t = rng.standard_normal(rows), np.cumsum(rng.uniform(0.5, 1.5, rows))
    data = pl.DataFrame({"y": y, "t": t})
    one, nested = pg.gradient("y", x="t"), pl.col("y")
    for _ in range(LEVELS):
        nested = pg.gradient(nested, x="t")

    def in_steps() -> pl.DataFrame:
        frame = data
        for _ in range(LEVELS):
            frame = frame.with_columns(one)
        return frame.select("y")

    def with_numpy() -> list[np.ndarray]:
        slopes = y
        for _ in range(LEVELS):
            slopes = np.gradient(slopes, t)
        return [slopes]

    answers = {
        NESTED: lambda: data.select(nested),
        f"{LEVELS} calls of with_columns": in_steps,
        f"{LEVELS} calls of numpy.gradient": with_numpy,
    }
    agree(f"{LEVELS} levels, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-8)
    return {ONE: lambda: data.select(one), **answers}


PART = Part("Nested operators", ABOUT, cases)
