"""Coordinates that go round: the cases of `x_period`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import flat
import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, Part, by_rows
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Contenders

RING, OPEN, PADDED = "gradient(x_period=)", "gradient", "numpy.gradient(numpy.pad)"
BY_RING, BY_OPEN = "gradient(by=, x_period=), 1,000 groups", "gradient(by=), 1,000 groups"
GROUPS = 1_000
LIMIT = 1.1
ABOUT = """\
Float64 over irregular x whose last row stands before the first, in one ring and in 1,000 contiguous ones."""


def cases(largest: int) -> list[Case]:
    """Return the case of at most this many rows."""
    targets = [
        Target(label, ring, LIMIT, plain)
        for label in by_rows(largest, LARGEST)
        for ring, plain in ((RING, OPEN), (BY_RING, BY_OPEN))
    ]
    return [Case("Float64, irregular x", by_rows(largest, *flat.SIZES), contenders, targets)]


def contenders(rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows).with_columns(id=pl.int_range(pl.len()) * GROUPS // rows)
    y, t = data["y"].to_numpy(), data["t"].to_numpy()
    period = 2.0 * rows
    ring, plain = pg.gradient("y", x="t", x_period=period), pg.gradient("y", x="t")
    rings, groups = pg.gradient("y", x="t", by="id", x_period=period), pg.gradient("y", x="t", by="id")

    def padded() -> list[np.ndarray]:
        around = np.concatenate([t[-1:] - period, t, t[:1] + period])
        return [np.gradient(np.pad(y, 1, mode="wrap"), around)[1:-1]]

    answers: dict[str, Callable[[], Any]] = {RING: lambda: data.select(ring), PADDED: padded}
    agree(f"rings, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-9)
    return {
        OPEN: lambda: data.select(plain),
        **answers,
        BY_OPEN: lambda: data.select(groups),
        BY_RING: lambda: data.select(rings),
    }


PART = Part("Coordinates that go round", ABOUT, cases)
