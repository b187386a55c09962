"""One streaming query in one process: `streaming_run.py WHAT SOURCE TARGET` prints what it cost as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Sequence

MAKE = "make"
COPY = "copy"
PRODUCTS = {1: "y * t", 3: "y * t, three times"}
FRAMES = {1: "grad.with_columns", 3: "grad.with_columns, three operators"}
GRADIENT = "grad.gradient"
WHOLE = "map_batches(numpy.gradient)"
ROW_GROUP = 500_000


def main() -> None:
    """Make the data, or run one query over it."""
    what, source, target = sys.argv[1:]
    start = perf_counter()
    if what == MAKE:
        make(int(source), target)
    else:
        query(what, pl.scan_parquet(source)).sink_parquet(target, engine="streaming")
    print(json.dumps({"seconds": perf_counter() - start, "peak_bytes": peak_bytes()}))


def make(rows: int, target: str) -> None:
    """Write noise over irregular steps."""
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"t": np.cumsum(rng.uniform(0.5, 1.5, rows)), "y": rng.standard_normal(rows)})
    frame.write_parquet(target, compression="zstd", row_group_size=ROW_GROUP)


def query(what: str, source: pl.LazyFrame) -> pl.LazyFrame:
    """Replace y and, with three of a kind, add two columns; the rows are one group."""
    y, t = pl.col("y"), pl.col("t")
    for count in (1, 3):
        if what == PRODUCTS[count]:
            return source.with_columns([y * t, (y * t).alias("y1"), (y * t).alias("y2")][:count])
        if what == FRAMES[count]:
            slopes = [
                pg.gradient("y", x="t"),
                pg.gradient("y", x="t", nulls="skip").alias("y1"),
                pg.gradient("y", x="t", edge_order=2).alias("y2"),
            ]
            return source.grad.with_columns(slopes[:count])  # type: ignore[attr-defined]
    if what == GRADIENT:
        return source.with_columns(pg.gradient("y", x="t"))
    if what == WHOLE:
        return source.with_columns(pl.map_batches(["y", "t"], whole_column, return_dtype=pl.Float64))
    return source


def whole_column(columns: Sequence[pl.Series]) -> pl.Series:
    """Differentiate what the engine has gathered into one column."""
    y, t = columns
    return pl.Series(y.name, np.gradient(y.to_numpy(), t.to_numpy()))


def peak_bytes() -> int:
    """Read the high-water mark of this process' memory."""
    status = Path("/proc/self/status")
    if status.exists():
        # On Linux `ru_maxrss` starts from the peak of the process that started this one; this mark starts from zero.
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    import resource  # noqa: PLC0415

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
