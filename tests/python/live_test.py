"""The table that `tests/stitched.rs` holds the live feed to is what the stitcher gives, wherever rows are cut."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from strategies import assert_same

import polars_grad as pg

TABLE = Path(__file__).parents[1] / "data" / "stitched.csv"


@pytest.mark.skipif(not TABLE.exists(), reason="the table is not beside the tests")
def test_the_table_of_the_live_feed_is_that_of_the_stitcher() -> None:
    dtypes = {"max_gap": pl.Float64, "id": pl.String, "x": pl.Float64, "y": pl.Float64, "slope": pl.Float64}
    table = pl.read_csv(TABLE, schema_overrides=dtypes)
    cases = table.partition_by("edge_order", "nulls", "max_gap", "strict", maintain_order=True)
    assert len(cases) == 24
    for case in cases:
        options = case.select("edge_order", "nulls", "max_gap", "strict").row(0, named=True)
        rows = case.select("id", "x", "y")
        for size in (1, 7, len(rows)):
            batches = [rows[start : start + size] for start in range(0, len(rows), size)]
            slopes = pl.concat(pg.stitch(batches, slope=pg.gradient("y", "x", by="id", **options)))
            assert_same(slopes["slope"], case["slope"])
