"""The table that `tests/stitched.rs` holds the live feed to is what the stitcher gives, wherever rows are cut."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest
from strategies import assert_same

DATA = Path(__file__).parents[1] / "data"
TABLE = DATA / "stitched.csv"


@pytest.mark.skipif(not TABLE.exists(), reason="the table is not beside the tests")
def test_the_table_of_the_live_feed_is_that_of_the_stitcher(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(DATA)])
    from stitched import OPTIONS, stitched

    dtypes = {"max_gap": pl.Float64, "id": pl.String, "x": pl.Float64, "y": pl.Float64, "result": pl.Float64}
    table = pl.read_csv(TABLE, schema_overrides=dtypes)
    cases = table.partition_by(OPTIONS, maintain_order=True)
    assert len(cases) == 84
    for case in cases:
        options = case.select(OPTIONS).row(0, named=True)
        rows = case.select("id", "x", "y")
        for size in (1, 7, len(rows)):
            assert_same(stitched(rows, size, **options)["result"], case["result"])
