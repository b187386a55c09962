"""Streamed from file to file, a gradient needs a part of the memory that the whole column needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

pytest.importorskip("resource", reason="the peak of a process's memory is read from resource.getrusage")

ROWS = 12_000_000
WRITE = f"""
import sys
import polars as pl

row = pl.int_range({ROWS})
frame = pl.LazyFrame().select(t=row * 1.5, y=(row * 7919 % 1009).cast(pl.Float64))
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
slope = {
    "streamed": pg.gradient("y", "t"),
    "whole column": pl.struct("y", "t").map_batches(whole_column, return_dtype=pl.Float64),
}[kind]
pl.scan_parquet(source).with_columns(d=slope).sink_parquet(target, compression="lz4")
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


def test_peak_memory_of_a_streaming_query(run: Run, tmp_path: Path) -> None:
    def succeed(program: str, *arguments: object) -> str:
        done = run(program, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    source = tmp_path / "points.parquet"
    succeed(WRITE, source)
    peak = {
        kind: int(succeed(MEASURE, kind, source, tmp_path / f"{kind}.parquet")) for kind in ("streamed", "whole column")
    }
    error, rows = succeed(CHECK, tmp_path / "streamed.parquet", tmp_path / "whole column.parquet").split()
    assert float(error) < 1e-9
    assert int(rows) == ROWS
    assert peak["streamed"] < 0.75 * peak["whole column"]
