"""The cases of turning_points on one column."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import flat
import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, by_rows
from scipy.signal import find_peaks
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Contenders

TURNS, PEAKS = "turning_points", "scipy.signal.find_peaks"
BY, MAP_GROUPS = "turning_points(by=), 1,000 groups", "map_groups(find_peaks), 1,000 groups"
SWING = "turning_points(min_swing=)"
# The limits, and the numbers of rows that they are for.
LIMITS = {TURNS: (LARGEST, 2, PEAKS), BY: (1_000_000, 1 / 10, MAP_GROUPS)}
GROUPS = 1_000


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    sizes = by_rows(largest, *flat.SIZES)
    targets = [
        Target(label, name, limit, other)
        for name, (rows, limit, other) in LIMITS.items()
        for label in by_rows(largest, rows)
    ]
    return [Case("noise over irregular x", sizes, partial(contenders), targets, seconds=3)]


def contenders(rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows).with_columns(id=pl.int_range(pl.len()) * GROUPS // rows)
    y = data["y"].to_numpy()
    whole, swings = pg.turning_points("y", x="t"), pg.turning_points("y", x="t", min_swing=1.0)
    grouped = pg.turning_points("y", x="t", by="id")
    turns = data.select(whole)["y"].struct.field("kind").cast(pl.String).fill_null("")
    peaks = {
        TURNS: [(turns == "max").arg_true().to_numpy()],
        PEAKS: [find_peaks(y)[0]],
    }
    agree(f"turning_points, {rows:,} rows", peaks, tolerance=0.0)
    answers: dict[str, Callable[[], Any]] = {
        TURNS: lambda: data.select(whole),
        PEAKS: lambda: find_peaks(y),
        SWING: lambda: data.select(swings),
        BY: lambda: data.select(grouped),
        MAP_GROUPS: lambda: data.group_by("id", maintain_order=True).map_groups(peaks_of_group),
    }
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")), **answers}


def peaks_of_group(group: pl.DataFrame) -> pl.DataFrame:
    """Return the vertices of the maxima and the minima of a group, with numpy."""
    y, x = group["y"].to_numpy(), group["t"].to_numpy()
    row = np.concatenate([find_peaks(y)[0], find_peaks(-y)[0]])
    d1, d2, h1, h2 = y[row] - y[row - 1], y[row + 1] - y[row], x[row] - x[row - 1], x[row + 1] - x[row]
    n, m = d1 * h2**2 + d2 * h1**2, d1 * h2 - d2 * h1
    return pl.DataFrame({"x": x[row] + n / m / 2, "y": y[row] + n**2 / (4 * m * h1 * h2 * (h1 + h2))})
