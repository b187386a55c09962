"""From file to file a streamed gradient needs less memory than a whole column, and `grad.with_columns` needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run

pytest.importorskip("resource", reason="the peak of a process's memory is read from resource.getrusage")

ROWS = 12_000_000
WRITE = """
import sys
import polars as pl

row = pl.int_range(int(sys.argv[2]))
frame = pl.LazyFrame().select(k=row // 100_000, t=row * 1.5, y=(row * 7919 % 1009).cast(pl.Float64))
frame.sink_parquet(sys.argv[1], row_group_size=200_000, compression="lz4")
"""
MEASURE = """
import re
import resource
import sys
from pathlib import Path

import numpy as np
import polars as pl
import polars_grad as pg


def whole_column(points):
    y, t = (points.struct.field(name).to_numpy() for name in "yt")
    return pl.Series(np.gradient(y, t))


kind, source, target = sys.argv[1:]
rows = pl.scan_parquet(source)
y, t = pl.col("y"), pl.col("t")
slopes = {
    "streamed": rows.with_columns(d=pg.gradient("y", "t")),
    "whole column": rows.with_columns(d=pl.struct("y", "t").map_batches(whole_column, return_dtype=pl.Float64)),
    "products": rows.with_columns(d=y * t, e=y + t, f=y - t),
    "one operator": rows.grad.with_columns(d=pg.gradient("y", "t", by="k")),
    "three operators": rows.grad.with_columns(
        d=pg.gradient("y", "t", by="k"),
        e=pg.gradient("y", "t", by="k", nulls="skip"),
        f=pg.gradient("y", by="k", edge_order=2, nulls="split"),
    ),
}[kind]
slopes.sink_parquet(target, compression="lz4")
# Linux counts into `ru_maxrss` the peak of the process that started this one.
status = Path("/proc/self/status")
peak = re.search(r"VmHWM:\\s*(\\d+)", status.read_text()) if status.exists() else None
print(peak.group(1) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
CHECK = """
import sys
import polars as pl

streamed, whole = (pl.read_parquet(path, columns=["d"])["d"] for path in sys.argv[1:])
print((streamed - whole).abs().max(), len(streamed))
"""


@pytest.fixture
def succeed(run: Run) -> Callable[..., str]:
    """Run a program to its end, and give what it printed."""

    def succeed(program: str, *arguments: object) -> str:
        done = run(program, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return succeed


def test_peak_memory_of_a_streaming_query(succeed: Callable[..., str], tmp_path: Path) -> None:
    source = tmp_path / "points.parquet"
    succeed(WRITE, source, ROWS)
    peak = {
        kind: int(succeed(MEASURE, kind, source, tmp_path / f"{kind}.parquet")) for kind in ("streamed", "whole column")
    }
    error, rows = succeed(CHECK, tmp_path / "streamed.parquet", tmp_path / "whole column.parquet").split()
    assert float(error) < 1e-9
    assert int(rows) == ROWS
    assert peak["streamed"] < 0.75 * peak["whole column"]


@pytest.mark.parametrize("kind", ["one operator", "three operators"])
def test_peak_memory_does_not_grow_with_the_rows(kind: str, succeed: Callable[..., str], tmp_path: Path) -> None:
    """Beyond what the engine and the operating system keep of the files."""
    peak = {}
    for rows in (ROWS // 2, 2 * ROWS):
        source = tmp_path / f"{rows}.parquet"
        succeed(WRITE, source, rows)
        peak[rows] = 1024 * int(succeed(MEASURE, kind, source, tmp_path / f"slopes of {rows}.parquet"))
        assert pl.scan_parquet(tmp_path / f"slopes of {rows}.parquet").select(pl.len()).collect().item() == rows
    columns = 4 if kind == "one operator" else 6
    bytes_added = (2 * ROWS - ROWS // 2) * columns * 8
    assert peak[2 * ROWS] - peak[ROWS // 2] < 0.4 * bytes_added
    # What the engine itself keeps of a file differs from machine to machine by a hundred megabytes.
    products = 1024 * int(succeed(MEASURE, "products", source, tmp_path / "products.parquet"))
    assert peak[2 * ROWS] < products + 200e6
