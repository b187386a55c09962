"""A query is data: it can be stored, sent to another process, and run there."""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import polars_grad as pg

if TYPE_CHECKING:
    from conftest import Run

FRAME = pl.DataFrame({"k": ["a", "b", "a", "b"], "t": [0, 1, 2, 3], "y": [1.0, 2.0, 4.0, 8.0]})
SLOPES = {
    "plain": pg.gradient("y"),
    "with options": pg.gradient("y", "t", edge_order=2, strict=False),
    "spaced": pg.gradient("y", spacing="10ms", per="1h"),
    "over": pl.col("y").grad.gradient("t").over("k"),
    "several": pl.col("y", "t").grad.gradient("t"),
    "computed": pg.gradient(pl.col("y") * 2, pl.col("t") + 1).name.suffix("_slope"),
    "nested": pg.gradient(pg.gradient("y", "t"), "t", by="k"),
    "constant": pg.gradient(pl.col("y").mean()),
    "a series": pg.gradient("y", FRAME["t"]),
    "a grid": pg.partials("y", wrt="t"),
}
ALL = pytest.mark.parametrize("name", SLOPES)

# Knows of Polars alone: no import of polars_grad.
RUN_QUERY = """
import sys
import polars as pl

pl.LazyFrame.deserialize(sys.argv[1]).sink_parquet(sys.argv[2])
assert "polars_grad" not in sys.modules
"""


@ALL
def test_a_query_runs_in_another_process(name: str, run: Run, tmp_path: Path) -> None:
    lazy = FRAME.lazy().select(SLOPES[name])
    lazy.serialize(tmp_path / "query")
    done = run(RUN_QUERY, tmp_path / "query", tmp_path / "slopes")
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "slopes").equals(lazy.collect())


def test_columns_of_a_frame_are_computed_in_another_process(run: Run, tmp_path: Path) -> None:
    """Where it loads the package by its name."""
    lazy = FRAME.lazy().sort("k", "t").grad.with_columns(slope=pg.gradient("y", "t", by="k"))
    lazy.serialize(tmp_path / "query")
    program = "import sys; import polars as pl; pl.LazyFrame.deserialize(sys.argv[1]).sink_parquet(sys.argv[2])"
    done = run(program, tmp_path / "query", tmp_path / "slopes")
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "slopes").equals(lazy.collect())


@ALL
def test_a_query_says_nothing_of_where_it_was_written(name: str) -> None:
    """The plugin is found relative to the Python that runs the query."""
    written = FRAME.lazy().select(SLOPES[name]).serialize()
    assert b"polars_grad" in written
    for folder in {sys.prefix, sys.base_prefix, str(Path(pg.__file__).parent), str(Path.home())} - {"/"}:
        assert folder.encode() not in written


@ALL
def test_an_expression_comes_back_the_same(name: str) -> None:
    slope = SLOPES[name]
    written = slope.meta.serialize()
    for copy in (pl.Expr.deserialize(io.BytesIO(written)), pickle.loads(pickle.dumps(slope))):
        assert copy.meta.eq(slope)
        assert FRAME.select(copy).equals(FRAME.select(slope))


def test_different_options_are_different_expressions() -> None:
    assert not pg.gradient("y", edge_order=1).meta.eq(pg.gradient("y", edge_order=2))
    assert pg.gradient("y", edge_order=2).meta.eq(pl.col("y").grad.gradient(edge_order=2))
