"""The cases of integral on one column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flat
import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, by_rows
from scipy.integrate import cumulative_trapezoid
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Contenders

INTEGRAL, SCIPY, BY = "integral", "scipy.integrate.cumulative_trapezoid", "integral(by=), 1,000 groups"
LIMITS = {flat.YARDSTICK: 1.5, SCIPY: 1 / 3}
GROUPS = 1_000


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    sizes = by_rows(largest, *flat.SIZES)
    targets = [
        Target(label, INTEGRAL, limit, name) for label in by_rows(largest, LARGEST) for name, limit in LIMITS.items()
    ]
    return [Case("Float64, irregular x", sizes, partial(contenders), targets)]


def contenders(rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows).with_columns(id=pl.int_range(pl.len()) * GROUPS // rows)
    y, t = data["y"].to_numpy(), data["t"].to_numpy()
    whole, grouped = pg.integral("y", x="t"), pg.integral("y", x="t", by="id")
    answers: dict[str, Callable[[], Any]] = {
        INTEGRAL: lambda: data.select(whole),
        SCIPY: lambda: [cumulative_trapezoid(y, t, initial=0)],
    }
    agree(f"integral, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-6 * np.sqrt(rows))
    return {
        flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")),
        **answers,
        BY: lambda: data.select(grouped),
    }
