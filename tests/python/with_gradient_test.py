"""`with_gradient` is `with_columns(gradient(...))` for any size: the same answers, as a lazy frame like any other."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs
import pytest
from errors_test import ARGUMENTS
from groups_test import keyed_frames
from hypothesis import given, settings
from polars.exceptions import ColumnNotFoundError, ComputeError
from polars.io.plugins import register_io_source
from polars.testing import assert_frame_equal
from portability_test import RUN_QUERY
from stitch_test import options

import polars_grad as pg
from polars_grad import _source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Run

ROWS = 1000
ENGINES: list[Any] = ["in-memory", "streaming"]
BY: dict[str, Any] = {"x": "t", "by": ["k", "j"], "nulls": "skip", "max_gap": 9, "edge_order": 2}


@pytest.fixture(scope="module", autouse=True)
def small_batches() -> Iterator[None]:
    """Of so few values that even these frames are cut in many places."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_source, "VALUES_PER_BATCH", 60)
        yield


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """Sorted groups of all lengths, many of them across the borders of batches of eight rows; some nulls."""
    row = pl.int_range(ROWS)
    return pl.select(
        k=(row // 100).cast(pl.String),
        j=(row % 100 * (row % 100)) // 1500,
        t=row * 1.5 + row % 3 * 0.25 + row // 50 * 10,
        y=pl.when(row % 7 != 3).then((row * 7919 % 1009).cast(pl.Float64)),
        z=row * row,
    )


@pytest.fixture
def lf(frame: pl.DataFrame) -> pl.LazyFrame:
    return frame.lazy()


@pytest.fixture
def expected(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(d=pg.gradient("y", **BY))


# The answer is that of the expression


@given(frame=keyed_frames(), options=options)
@settings(max_examples=40)
def test_any_frame_gives_the_bits_of_the_expression(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    by = [name for name in ("k", "j") if not frame.schema[name].is_nested()]
    frame = frame.sort(by, maintain_order=True) if by else frame
    arguments = {"x": "x", "by": by or None, **options}
    query = pg.with_gradient(frame.lazy(), "y", name="d", **arguments)
    expected = frame.with_columns(d=pg.gradient("y", **arguments))
    assert query.collect_schema() == expected.schema
    for engine in ENGINES:
        assert_frame_equal(query.collect(engine=engine), expected, check_exact=True)


EXPRESSIONS: list[tuple[str, Any, dict[str, Any]]] = [
    ("y of many rows", pl.col("z").cum_sum().shift(1), {"x": "t"}),
    ("a y without a column", pl.int_range(pl.len()), {"x": "t", "by": "k"}),
    ("x of many rows", "z", {"x": pl.int_range(pl.len()).sqrt()}),
    ("a key that is computed", "z", {"x": "t", "by": pl.col("k").str.len_chars()}),
    ("a key of one value", "z", {"x": "t", "by": pl.lit(1).alias("one")}),
    ("keys by a selector", "z", {"x": "t", "by": cs.by_name("k", "j")}),
    ("several keys of one name", "z", {"by": ["k", "k", pl.col("k")]}),
    ("x and y of one name", "t", {"x": "t", "by": "k"}),
    ("a constant step", "z", {"spacing": "10ms", "per": "1h", "by": "k"}),
    ("rows", cs.by_name("z"), {"edge_order": 2}),
]


@pytest.mark.parametrize(("y", "arguments"), [row[1:] for row in EXPRESSIONS], ids=[row[0] for row in EXPRESSIONS])
def test_expressions(y: Any, arguments: dict[str, Any], frame: pl.DataFrame, engine: Any) -> None:
    got = frame.lazy().grad.with_gradient(y, name="d", **arguments).collect(engine=engine)
    slopes = frame.lazy().with_columns(pg.gradient(y, **arguments).alias("d")).collect()
    assert_frame_equal(got, slopes, check_exact=True)


def test_without_a_name_it_takes_the_place_of_y_as_in_with_columns(frame: pl.DataFrame) -> None:
    for name in (None, "y", "t", "k"):
        got = frame.lazy().grad.with_gradient("y", x="t", by="k", name=name)
        expected = frame.with_columns(pg.gradient("y", x="t", by="k").alias(name or "y"))
        assert got.collect_schema() == expected.schema
        assert_frame_equal(got.collect(), expected)


@pytest.mark.parametrize("names", [["", " ", "_", "__"], ["_0", "__1", "___2", "x"]])
def test_any_names_of_columns(names: list[str]) -> None:
    frame = pl.DataFrame({name: [1, 2, 4, 8, 16] for name in names})
    got = pg.with_gradient(frame.lazy(), names[0], x=names[1], by=pl.lit(0), name="d")
    assert got.collect().columns == [*names, "d"]
    assert got.collect()["d"].to_list() == [1.0] * 5


def test_no_rows(frame: pl.DataFrame, engine: Any) -> None:
    got = frame.clear().lazy().grad.with_gradient("y", name="d", **BY).collect(engine=engine)
    assert_frame_equal(got, frame.clear().with_columns(d=pl.lit(None, pl.Float64)))


# The result is a lazy frame like any other


COMPOSED: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "filter by the gradient": lambda lf: lf.filter(pl.col("d") > 1),
    "filter by another column": lambda lf: lf.filter(pl.col("z") % 3 == 0).select("d"),
    "filter by many rows": lambda lf: lf.filter(pl.col("d") > pl.col("d").mean()),
    "head": lambda lf: lf.head(13),
    "head of none": lambda lf: lf.head(0),
    "head of more than there is": lambda lf: lf.head(ROWS + 1),
    "head and filter": lambda lf: lf.head(30).filter(pl.col("y") > 300),
    "filter and head": lambda lf: lf.filter(pl.col("y") > 300).head(30),
    "slice": lambda lf: lf.slice(17, 200),
    "tail": lambda lf: lf.tail(9),
    "projection": lambda lf: lf.select("d", "z"),
    "the gradient alone": lambda lf: lf.select(pl.col("d").max()),
    "all but the gradient": lambda lf: lf.select("z", "k"),
    "length": lambda lf: lf.select(pl.len()),
    "new columns": lambda lf: lf.with_columns(e=pl.col("d") * 2),
    "group_by": lambda lf: lf.group_by("k").agg(pl.col("d").max()).sort("k"),
    "join": lambda lf: lf.join(lf.select("k", "t", e="d"), on=["k", "t"], maintain_order="left"),
    "concat": lambda lf: pl.concat([lf, lf.with_columns(d=-pl.col("d"))]),
    "sort": lambda lf: lf.sort("d", "z", descending=True),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_composition(name: str, lf: pl.LazyFrame, expected: pl.DataFrame, engine: Any) -> None:
    compose = COMPOSED[name]
    got = compose(lf.grad.with_gradient("y", name="d", **BY)).collect(engine=engine)
    assert_frame_equal(got, compose(expected.lazy()).collect(), check_exact=True)


def test_a_gradient_of_a_gradient_of_a_gradient(lf: pl.LazyFrame, frame: pl.DataFrame, engine: Any) -> None:
    got, expected = lf, frame
    for y, name in (("z", "d1"), ("d1", "d2"), ("d2", "d3")):
        got = got.grad.with_gradient(y, x="t", by="k", name=name)
        expected = expected.with_columns(pg.gradient(y, x="t", by="k").alias(name))
    assert_frame_equal(got.collect(engine=engine), expected, check_exact=True)


def test_after_a_filter_a_join_and_a_sort(lf: pl.LazyFrame, engine: Any) -> None:
    names = pl.LazyFrame({"k": [str(k) for k in range(10)], "name": list("jihgfedcba")})
    rows = lf.filter(pl.col("z") % 5 != 0).join(names, on="k").sort("name", "t")
    got = rows.grad.with_gradient("y", x="t", by="name", name="d").collect(engine=engine)
    expected = rows.collect().with_columns(d=pg.gradient("y", x="t", by="name"))
    assert_frame_equal(got, expected, check_exact=True)


@pytest.mark.parametrize("kind", ["parquet", "ipc", "csv"])
def test_from_file_to_file(kind: str, lf: pl.LazyFrame, expected: pl.DataFrame, tmp_path: Path) -> None:
    def sink(lf: pl.LazyFrame, path: Path, **more: Any) -> None:
        getattr(lf, f"sink_{kind}")(path, **more)

    sink(lf, tmp_path / "rows", **({"row_group_size": 30} if kind == "parquet" else {}))
    scanned = getattr(pl, f"scan_{kind}")(
        tmp_path / "rows", **({"schema": lf.collect_schema()} if kind == "csv" else {})
    )
    sink(scanned.grad.with_gradient("y", name="d", **BY), tmp_path / "slopes")
    got = getattr(pl, f"read_{kind}")(tmp_path / "slopes", **({"schema": expected.schema} if kind == "csv" else {}))
    assert_frame_equal(got, expected)


def test_several_queries_at_once(lf: pl.LazyFrame, expected: pl.DataFrame) -> None:
    query = lf.grad.with_gradient("y", name="d", **BY)
    for got in pl.collect_all([query, query, query.filter(pl.col("d").is_not_null())], engine="streaming"):
        assert_frame_equal(got, expected.filter(pl.col("d").is_not_null()) if len(got) < ROWS else expected)


def test_a_query_runs_in_another_process(lf: pl.LazyFrame, expected: pl.DataFrame, run: Run, tmp_path: Path) -> None:
    query = lf.grad.with_gradient("y", name="d", **BY)
    query.serialize(tmp_path / "query")
    done = run(RUN_QUERY.replace("not in", "in"), tmp_path / "query", tmp_path / "slopes")
    assert done.returncode == 0, done.stderr
    assert_frame_equal(pl.read_parquet(tmp_path / "slopes"), expected)
    again = pl.LazyFrame.deserialize(io.BytesIO((tmp_path / "query").read_bytes()))
    assert_frame_equal(again.collect(), expected)


# Nothing runs before it must, nor more than must


class Watched:
    """A source of rows that keeps account of what was asked of it."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame
        self.read = 0
        self.columns: set[str] = set()
        self.lf = register_io_source(self._rows, schema=frame.schema)

    def _rows(
        self, with_columns: list[str] | None, predicate: pl.Expr | None, _n_rows: int | None, _batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        self.columns.update(with_columns or self.frame.columns)
        for start in range(0, len(self.frame), 10):
            rows = self.frame[start : start + 10]
            self.read += len(rows)
            rows = rows.select(with_columns or self.frame.columns)
            yield rows if predicate is None else rows.filter(predicate)


def test_nothing_is_read_before_it_is_collected(frame: pl.DataFrame) -> None:
    source = Watched(frame)
    query = source.lf.grad.with_gradient("y", name="d", **BY).filter(pl.col("d") > 0).head(5)
    assert query.collect_schema().names() == [*frame.columns, "d"]
    assert query.explain()
    assert source.read == 0
    query.collect()
    assert source.read > 0


def test_only_columns_needed_are_read(frame: pl.DataFrame) -> None:
    for columns, read in ((["d"], {"k", "t", "y"}), (["d", "z"], {"k", "t", "y", "z"}), (["z"], {"z"})):
        source = Watched(frame)
        source.lf.grad.with_gradient("y", x="t", by="k", name="d").select(columns).collect()
        assert source.columns == read


def test_a_head_leaves_the_rest_unread(frame: pl.DataFrame, engine: Any) -> None:
    source = Watched(pl.concat([frame.select("y")] * 200))
    rows = source.lf.grad.with_gradient("y", name="d").grad.with_gradient("d", name="e").head(5).collect(engine=engine)
    assert len(rows) == 5
    assert source.read < len(source.frame)


# Errors


@pytest.mark.parametrize(("arguments", "kind", "words"), ARGUMENTS, ids=[str(row[0])[:40] for row in ARGUMENTS])
def test_wrong_arguments_fail_at_once(arguments: dict[str, Any], kind: type[Exception], words: list[str]) -> None:
    source = pl.LazyFrame({"y": [1.0], "t": [0.0]})
    with pytest.raises(kind) as caught:
        pg.with_gradient(source, **{"y": "y", **arguments})
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("lf", "arguments", "words"),
    [
        (pl.DataFrame({"y": [1]}), {}, "`lf` must be a LazyFrame, got DataFrame; use `df.lazy()`"),
        ("rows.parquet", {}, "`lf` must be a LazyFrame, got str"),
        (pl.LazyFrame({"y": [1]}), {"name": 1}, "`name` must be the name of a column, got int"),
        (pl.LazyFrame({"y": [1]}), {"name": pl.col("d")}, "`name` must be the name of a column, got Expr"),
        (pl.LazyFrame({"y": [1]}), {"progress": 1}, "`progress` must be True or False, got 1"),
    ],
    ids=str,
)
def test_arguments_of_its_own(lf: Any, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=re.escape(words)):
        pg.with_gradient(lf, "y", **arguments)


PLANS: list[tuple[dict[str, Any], str]] = [
    ({"y": "k"}, "`k` is str"),
    ({"y": "z", "x": "k"}, "`k` is str"),
    ({"y": "z", "x": "t", "per": "1h"}, "`per`"),
    ({"y": cs.numeric(), "by": "k"}, "`y` must be one column, got 4: j, t, y, z"),
    ({"y": cs.temporal()}, "`y` must be one column, got 0"),
    ({"y": "y", "x": pl.col("t", "z")}, "`x` must be one column, got 2: t, z"),
    ({"y": "y", "by": pl.concat_list("z")}, "key `z` is List(Int64), which has no order"),
]


@pytest.mark.parametrize(("arguments", "words"), PLANS, ids=[row[1] for row in PLANS])
def test_wrong_columns_fail_when_planned(arguments: dict[str, Any], words: str, lf: pl.LazyFrame) -> None:
    query = lf.grad.with_gradient(**arguments)
    for run in (query.collect_schema, query.collect):
        with pytest.raises((ComputeError, ValueError), match=re.escape(words)):
            run()


def test_an_unknown_column(lf: pl.LazyFrame) -> None:
    for arguments in ({"y": "nope"}, {"y": "y", "x": "nope"}, {"y": "y", "by": "nope"}):
        with pytest.raises((ColumnNotFoundError, ComputeError), match="nope"):
            lf.grad.with_gradient(**arguments).collect()


def test_rows_out_of_order(frame: pl.DataFrame, engine: Any) -> None:
    """However far down, and whatever is made of the result."""
    unsorted = pl.concat([frame, frame[:20]]).lazy().grad.with_gradient("y", name="d", **BY)
    for query in (unsorted, unsorted.select("d"), unsorted.grad.with_gradient("d", name="e", by="k")):
        with pytest.raises(
            ComputeError, match=r'in row 1000, counted from 0, `k` = "0", `j` = 0 comes after `k` = "9"'
        ):
            query.collect(engine=engine)
    turning = frame.with_columns(t=pl.when(pl.col("z") != 530**2).then("t").otherwise(0.0)).lazy()
    with pytest.raises(ComputeError, match=r'in row 53\d, counted from 0: .*in the group `k` = "5"'):
        turning.grad.with_gradient("z", x="t", by="k").collect(engine=engine)
    lenient = turning.grad.with_gradient("z", x="t", by="k", strict=False, name="d").collect(engine=engine)
    assert lenient["d"].null_count() == 2


# Progress and interruption


def test_progress_counts_the_rows_read(lf: pl.LazyFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = []

    class Bar:
        def __init__(self, **_how: Any) -> None: ...
        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            counted.append("closed")

        def update(self, rows: int) -> None:
            counted.append(rows)

    monkeypatch.setitem(sys.modules, "tqdm", type(sys)("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", type(sys)("tqdm.auto"))
    sys.modules["tqdm.auto"].tqdm = Bar
    lf.grad.with_gradient("y", progress=True).collect()
    assert sum(counted[:-1]) == ROWS
    assert counted[-1] == "closed"


def test_progress_without_tqdm(lf: pl.LazyFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"`progress=True` needs tqdm.*`pip install tqdm`"):
        lf.grad.with_gradient("y", progress=True)


INTERRUPT = """
import os
import signal
import sys
import time

import polars as pl
import polars_grad as pg
from polars.io.plugins import register_io_source

BATCHES = 100_000
read = 0


def rows(*_):
    global read
    for _ in range(BATCHES):
        read += 1
        if read == 100:
            os.kill(os.getpid(), signal.SIGINT)
        yield frame


frame = pl.DataFrame({"y": range(1000)})
query = register_io_source(rows, schema=frame.schema).grad.with_gradient("y", name="d")
interrupted = 0
try:
    # One signal interrupts the streaming engine twice; the in-memory engine of Polars 1 makes it an error of its own.
    try:
        query.select(pl.col("d").sum()).collect(engine=sys.argv[1])
    except (KeyboardInterrupt, pl.exceptions.ComputeError):
        interrupted += 1
        time.sleep(0.1)
except KeyboardInterrupt:
    interrupted += 1
assert interrupted
before = None
while before != read:
    before = read
    time.sleep(0.3)
assert read < BATCHES
read = BATCHES
assert query.head(3).collect()["d"].to_list() == [1.0] * 3
"""


@pytest.mark.parametrize("how", ["in-memory", "streaming"])
def test_an_interrupt_stops_the_query_and_nothing_goes_on(how: str, run: Run) -> None:
    done = run(INTERRUPT, how)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_cells_down_the_rows(nulls: Any) -> None:
    """Vectors over time, particle by particle."""
    rows = pl.int_range(100, eager=True)
    frame = pl.DataFrame(
        {"id": rows // 33, "t": (rows % 33) ** 2, "v": pl.concat([rows % 7, rows % 5]).reshape((100, 2))}
    )
    frame = frame.with_columns(w=pl.col("v").arr.to_list())
    for y in ("v", "w"):
        got = frame.lazy().grad.with_gradient(y, x="t", by="id", name="slope", nulls=nulls).collect()
        expected = frame.with_columns(slope=pg.gradient(y, x="t", by="id", nulls=nulls))
        assert_frame_equal(got, expected, check_exact=True)
