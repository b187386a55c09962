"""What pages and docstrings advise holds: recipes for data that is not as simple as that of their examples."""

from __future__ import annotations

import re
from math import radians
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.exceptions import ComputeError, PolarsError

import polars_grad as pg

DOCS = Path(__file__).parents[2] / "docs"
QUESTIONS = DOCS / "questions.md"
CODE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

with_docs = pytest.mark.skipif(not DOCS.exists(), reason="the documentation is not beside the tests")


def sections() -> list[Any]:
    """The code of each answer, with that at the head of the page before it."""
    if not QUESTIONS.exists():
        return []
    head, *answers = QUESTIONS.read_text(encoding="utf-8").split("\n## ")
    (start,) = CODE.findall(head)
    return [pytest.param([start, *CODE.findall(answer)], id=answer.partition("\n")[0]) for answer in answers]


@pytest.mark.parametrize("blocks", sections())
def test_each_answer_runs_alone(blocks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder: what a reader has who installed the package."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    assert len(blocks) > 1
    for block in blocks:
        exec(block, names)


@with_docs
def test_the_speed_of_several_vehicles() -> None:
    """Far apart in latitude, and one of them across 180 degrees."""
    (blocks,) = [section.values[0] for section in sections() if "GPS" in str(section.id)]
    *before, last = "\n".join(blocks).strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join([*before, f"speeds = {last}"]), names)
    found = names["speeds"].group_by("vehicle").agg("metres_per_second").sort("vehicle").rows()
    metres = 6_371_000 * radians(1)
    assert found == [("bus", [round(metres * 0.00018 / 2, 1)] * 3), ("ship", [round(metres * 0.0001, 1)] * 3)]


@with_docs
def test_the_acceleration_of_a_vehicle_that_stands_still() -> None:
    """Null, and not NaN."""
    motion = next(
        block for block in CODE.findall((DOCS / "gallery" / "gps.md").read_text("utf-8")) if "motion" in block
    )
    names: dict[str, Any] = {}
    exec("import math\nimport polars as pl\nimport polars_grad as pg\n" + motion.partition("\nride =")[0], names)
    seconds = pl.int_range(8, eager=True)
    parked = pl.select(time=pl.lit(seconds).cast(pl.Duration("ms")) * 1000, latitude=60.0, longitude=10.0)
    found = parked.select(names["motion"](pg.derivative).struct.unnest())
    assert found.to_dict(as_series=False) == {"speed": [0.0] * 8, "acceleration": [None] * 8, "jerk": [None] * 8}


@pytest.mark.parametrize("nulls", ["skip", "split"])
def test_the_definite_integral_where_the_last_row_is_null(nulls: Any) -> None:
    frame = pl.DataFrame({"k": [0, 0, 0, 1, 1], "t": [0, 1, 2, 0, 1], "y": [1.0, 1.0, None, 2.0, 2.0]})
    total = pg.integral("y", x="t", nulls=nulls)
    found = frame.group_by("k").agg(last=total.last(), known=total.drop_nulls().last()).sort("k")
    assert found.rows() == [(0, None, 1.0), (1, 2.0, 2.0)]


@with_docs
def test_the_page_of_errors() -> None:
    """Each of its cells raises what the page says: an error of arguments, of a plan or of rows, in one line of ours."""
    text = (DOCS / "errors.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(CODE.findall(text)[0], names)
    cells = re.findall(r"^```{code-cell}\n:tags: \[raises-exception\]\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(cells) > 30
    for cell in cells:
        with pytest.raises((ValueError, TypeError, PolarsError)) as caught:
            exec(cell, names)
        ours = str(caught.value).partition("\n")[0]
        assert "_internal" not in ours
        assert "panicked" not in ours


def test_the_rows_of_a_window_on_a_float_clock() -> None:
    """The most rows that each window has, of a clock of 10 Hz in seconds."""
    clock = pl.DataFrame({"t": np.arange(200) / 10}).with_columns(y=pl.col("t"))

    def rows(operator: Any, size: float, **options: Any) -> set[int]:
        """The numbers of rows that windows away from the ends have."""
        having = [
            clock.select(operator("y", x="t", window_size=size, min_samples=n, **options)) for n in (2, 3, 4, 5, 6)
        ]
        counts = sum(frame.to_series().is_not_null().cast(pl.Int64) for frame in having) + 1
        return {*counts[10:-10].to_list()}

    assert rows(pg.rolling_slope, 0.5) == {5, 6}
    assert rows(pg.rolling_slope, 0.45) == {5}
    narrow = {"degree": 1, "edges": "null"}
    assert rows(pg.savgol, 0.4, **narrow) == {3, 4, 5}
    assert rows(pg.savgol, 0.5, **narrow) == {5}


def test_a_running_sum_inside_of_a_gradient_by_group() -> None:
    """It needs `over`: `by` does not reach into `y`."""
    mixed = pl.DataFrame({"k": ["a", "b"] * 3, "t": [0, 0, 1, 1, 2, 2], "n": [0, 0, 1, 10, 2, 20]})
    total = pg.increase("n").fill_null(0).cum_sum()
    slopes = mixed.select(by=pg.gradient(total.over("k"), x="t", by="k"), over=pg.gradient(total, x="t").over("k"))
    assert slopes["by"].to_list() == slopes["over"].to_list() == [1.0, 10.0] * 3
    assert mixed.select(pg.gradient(total, x="t", by="k")).to_series().to_list() != [1.0, 10.0] * 3


def test_what_later_rows_of_the_same_x_change() -> None:
    """Those of `duplicates` "last" and "mean", and those of a window of a length; none with "first"."""
    frame = pl.DataFrame({"t": [0, 1, 1], "y": [0.0, 1.0, 5.0]})

    def changed(slope: pl.Expr) -> bool:
        before, after = frame[:2].select(slope), frame.select(slope)[:2]
        return not before.equals(after)

    for how in ("first", "last", "mean"):
        for slope in (
            pg.derivative("y", x="t", accuracy=1, side="backward", duplicates=how),
            pg.rate("y", x="t", duplicates=how),
            pg.rolling_slope("y", x="t", window_size=5.0, duplicates=how),
        ):
            assert changed(slope) == (how != "first")
    assert changed(pg.rolling_slope("y", x="t", window_size=5.0))
    assert not changed(pg.rolling_slope("y", x="t", window_size=2))


def test_trailing_windows_of_a_length_come_out_one_row_late() -> None:
    rows = pl.DataFrame({"t": range(9), "y": [float(t * t) for t in range(9)]})
    batches = [rows[row : row + 1] for row in range(9)]
    for size, late in ((3.0, 1), (3, 0)):
        known = 0
        stitched = pg.stitch(iter(batches), slope=pg.rolling_slope("y", x="t", window_size=size))
        for row, part in enumerate(stitched, start=late):
            known += part.height
            assert known == (row + 1 - late if row < 9 else 9)
        assert known == 9


def test_an_x_that_must_rise() -> None:
    """In windows of a length; those of a number of rows, and any other operator but counters, take one that falls."""
    falling = pl.DataFrame({"v": [5.0, 4.0, 3.0, 2.0, 1.0], "q": [1.0, 2.0, 3.0, 4.0, 5.0]})
    for operator in (pg.savgol, pg.rolling_slope):
        with pytest.raises(ComputeError, match=r"must be finite.* rising"):
            falling.select(operator("q", x="v", window_size=3.0))
        of_rows = falling.select(operator("q", x="v", window_size=3)).to_series().drop_nulls()
        of_length = falling.sort("v").select(operator("q", x="v", window_size=3.0)).to_series().drop_nulls()
        assert [*of_rows.round(12), *of_length.round(12)] == [-1.0] * (len(of_rows) + len(of_length))


def test_a_line_through_a_number_of_rows_takes_x_in_any_order() -> None:
    """So that a forgotten `by` is no error."""
    mixed = pl.DataFrame({"k": ["a", "b"] * 3, "t": [0, 0, 1, 1, 2, 2], "y": [0.0, 10.0, 1.0, 20.0, 2.0, 30.0]})
    assert mixed.select(pg.rolling_slope("y", x="t", window_size=3, by="k")).to_series().to_list()[-2:] == [1.0, 10.0]
    assert mixed.select(pg.rolling_slope("y", x="t", window_size=3)).to_series().to_list()[-2:] != [1.0, 10.0]
    said = {"rolling_slope": "there a forgotten `by` is no error", "rate": "It must strictly rise within each segment."}
    for name, words in said.items():
        for text in (getattr(pg, name).__doc__, getattr(pg.SeriesGrad, name).__doc__):
            assert words in " ".join(str(text).split())
