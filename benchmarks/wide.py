"""Many columns against one x, in one select."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from agreement import agree
from flat import NUMPY, OURS, YARDSTICK, uneven_shifts

import polars_grad as pg

if TYPE_CHECKING:
    from rounds import Contenders

COLUMNS = 1_000
ROWS = 10_000


def frame() -> pl.DataFrame:
    """Make noise over irregular steps."""
    rng = np.random.default_rng(0)
    columns = {f"y{number}": rng.standard_normal(ROWS) for number in range(COLUMNS)}
    return pl.DataFrame({"t": np.cumsum(rng.uniform(0.5, 1.5, ROWS))} | columns)


def check(computed_by: Contenders) -> None:
    """Stop unless all contenders give the same answer."""
    answers = {name: call() for name, call in computed_by.items() if name != YARDSTICK}
    agree(f"{COLUMNS:,} columns", answers, tolerance=1e-9)


def contenders(data: pl.DataFrame) -> Contenders:
    """Name everybody who computes this."""
    y, t = pl.all().exclude("t"), pl.col("t")
    yardstick, ours, native = y + t, y.grad.gradient(x="t"), uneven_shifts(y, t, 1)  # type: ignore[attr-defined]
    operators = pg.gradient(y, x="t")
    x, *columns = (series.to_numpy() for series in data)
    return {
        YARDSTICK: lambda: data.select(yardstick),
        OURS: lambda: data.select(ours),
        f"{OURS}, lazy frame": lambda: data.lazy().select(ours).collect(),
        "grad.with_columns": lambda: data.lazy().grad.with_columns(operators).drop("t").collect(),  # type: ignore[attr-defined]
        NUMPY: lambda: [np.gradient(column, x) for column in columns],
        "shift expression": lambda: data.select(native),
    }
