"""`grad.with_columns` is `with_columns` for any size: the same results, as a lazy frame like any other."""

from __future__ import annotations

import io
import re
import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs
import pytest
from groups_test import keyed_frames
from hypothesis import given, settings
from ids import shown
from polars.exceptions import ColumnNotFoundError, ComputeError
from polars.io.plugins import register_io_source
from polars.testing import assert_frame_equal
from portability_test import RUN_QUERY
from stitch_test import options

import polars_grad as pg
from polars_grad import frames
from polars_grad._batches import source as _source

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
        patch.setattr(_source, "FEWEST_ROWS", 1)
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


def with_d(lf: pl.LazyFrame, y: Any = "y", **arguments: Any) -> pl.LazyFrame:
    return lf.grad.with_columns(d=pg.gradient(y, **(arguments or BY)))


# The result is that of the expression


@given(frame=keyed_frames(), options=options)
@settings(max_examples=40)
def test_any_frame_gives_the_bits_of_the_expression(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    by = [name for name in ("k", "j") if not frame.schema[name].is_nested()]
    frame = frame.sort(by, maintain_order=True) if by else frame
    arguments = {"x": "x", "by": by or None, **options}
    query = with_d(frame.lazy(), **arguments)
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
    ("keys that are told apart by a computed one", "z", {"by": ["k", pl.col("k").str.len_chars()]}),
    ("x and y of one name", "t", {"x": "t", "by": "k"}),
    ("a constant step", "z", {"spacing": "10ms", "per": "1h", "by": "k"}),
    ("rows", cs.by_name("z"), {"edge_order": 2}),
    ("an aggregation", pl.col("z").mean(), {"x": "t"}),
    ("an aggregation, by key", pl.col("z").sum(), {"by": "k"}),
    ("a literal", pl.lit(1.0).alias("y"), {"x": "t"}),
    ("a literal as x", "z", {"x": pl.lit(1.0), "strict": False}),
    ("a series", pl.lit(pl.Series("s", range(ROWS))) ** 2, {"x": "t"}),
    ("a gradient", pg.gradient("z", x="t", by="k") * 2, {"x": "t", "by": "k"}),
]


@pytest.mark.parametrize(("y", "arguments"), [row[1:] for row in EXPRESSIONS], ids=[row[0] for row in EXPRESSIONS])
def test_expressions(y: Any, arguments: dict[str, Any], frame: pl.DataFrame, engine: Any) -> None:
    """Also alone, where a scalar has nothing but the frame to tell its height from."""
    for nulls in ("propagate", "skip"):
        query = with_d(frame.lazy(), y, nulls=nulls, **arguments)
        slopes = frame.lazy().with_columns(d=pg.gradient(y, nulls=nulls, **arguments)).collect()
        assert_frame_equal(query.collect(engine=engine), slopes, check_exact=True)
        assert_frame_equal(query.select("d").collect(engine=engine), slopes.select("d"), check_exact=True)


SEVERAL: dict[str, list[Any]] = {
    "options of their own": [
        pg.gradient("y", x="t", by="k", nulls="skip").alias("skip"),
        pg.gradient("y", x="t", by="k", nulls="split", edge_order=2).alias("split"),
        pg.gradient("y", x="t", by="k", strict=False, max_gap=9).alias("gap"),
        pg.gradient("y", by="k", spacing="1s", per="1h").alias("no x"),
    ],
    "several columns": [pg.gradient(pl.col("y", "z"), x="t", by="k").name.suffix("'")],
    "a selector": [pg.gradient(cs.numeric() - cs.by_name("j"), x="t", by=["k", "j"], nulls="skip").name.suffix("'")],
    "several columns, computed": [pg.gradient(pl.col("y", "z").cum_sum(), x="t", by="k").name.prefix("d ")],
    "a selector of no column": [pg.gradient(cs.temporal(), x="t", by="k"), pg.gradient("z", by="k")],
    "each column as it came in": [
        pg.gradient("z", x="t", by="k").alias("t"),
        pg.gradient("t", x="t", by="k").alias("z"),
        pg.gradient("y", x="t", by="k").alias("k"),
    ],
    "one computed y, twice": [
        pg.gradient(pl.col("z").cum_sum(), x="t", by="k", nulls="skip"),
        pg.gradient(pl.col("z").cum_sum(), x="t", by="k").alias("twice"),
    ],
    "no name": [pg.gradient("z", x="t", by="k").alias(""), pg.gradient("y", x="t", by="k")],
    "a list of them": [[pg.gradient("z", by="k"), pg.gradient("y", x="t", by="k")]],
    "none": [],
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_operators(name: str, frame: pl.DataFrame, engine: Any) -> None:
    exprs = SEVERAL[name]
    query = frame.lazy().grad.with_columns(*exprs)
    expected = frame.with_columns(*exprs)
    assert query.collect_schema() == expected.schema
    assert_frame_equal(query.collect(engine=engine), expected, check_exact=True)
    for column in expected.columns:
        got = query.select(column).collect(engine=engine)
        assert_frame_equal(got, expected.select(column), check_exact=True)


def test_named_and_unnamed(frame: pl.DataFrame) -> None:
    """The name of y, of `alias`, or of the keyword; an empty one is a name."""
    for name in ("y", "t", "k", "d", ""):
        slope = pg.gradient("y", x="t", by="k")
        expected = frame.with_columns(slope.alias(name))
        for query in (
            frame.lazy().grad.with_columns(slope.alias(name)),
            frame.lazy().grad.with_columns(**{name: slope}),
            frame.lazy().grad.with_columns(**{name: slope.alias("other")}),
        ):
            assert query.collect_schema() == expected.schema
            assert_frame_equal(query.collect(), expected)
    assert_frame_equal(frame.lazy().grad.with_columns(slope).collect(), frame.with_columns(slope))


def test_a_column_that_is_named_like_an_argument(frame: pl.DataFrame) -> None:
    slope = pg.gradient("y", x="t", by="k")
    names = {"lf": slope, "exprs": slope, "named_exprs": slope}
    got = frame.lazy().grad.with_columns(slope.alias("progress"), **names)
    assert_frame_equal(got.collect(), frame.with_columns(slope.alias("progress")).with_columns(**names))


@pytest.mark.parametrize("names", [["", " ", "_", "__"], ["_0", "__1", "___2", "x"], ["a", "b", "^a$", "*"]])
def test_any_names_of_columns(names: list[str]) -> None:
    frame = pl.DataFrame({name: [1, 2, 4, 8, 16] for name in names})
    got = with_d(frame.lazy(), names[0], x=names[1], by=pl.lit(0))
    assert got.collect().columns == [*names, "d"]
    assert got.collect()["d"].to_list() == [1.0] * 5


def test_no_rows(frame: pl.DataFrame, engine: Any) -> None:
    got = with_d(frame.clear().lazy()).collect(engine=engine)
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
    got = compose(with_d(lf)).collect(engine=engine)
    assert_frame_equal(got, compose(expected.lazy()).collect(), check_exact=True)


def test_a_gradient_of_a_gradient_of_a_gradient(lf: pl.LazyFrame, frame: pl.DataFrame, engine: Any) -> None:
    got, expected = lf, frame
    for y, name in (("z", "d1"), ("d1", "d2"), ("d2", "d3")):
        slope = pg.gradient(y, x="t", by="k").alias(name)
        got, expected = got.grad.with_columns(slope), expected.with_columns(slope)
    assert_frame_equal(got.collect(engine=engine), expected, check_exact=True)


def test_after_a_filter_a_join_and_a_sort(lf: pl.LazyFrame, engine: Any) -> None:
    names = pl.LazyFrame({"k": [str(k) for k in range(10)], "name": list("jihgfedcba")})
    rows = lf.filter(pl.col("z") % 5 != 0).join(names, on="k").sort("name", "t")
    got = with_d(rows, x="t", by="name").collect(engine=engine)
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
    sink(with_d(scanned), tmp_path / "slopes")
    got = getattr(pl, f"read_{kind}")(tmp_path / "slopes", **({"schema": expected.schema} if kind == "csv" else {}))
    assert_frame_equal(got, expected)


def test_several_queries_at_once(lf: pl.LazyFrame, expected: pl.DataFrame) -> None:
    query = with_d(lf)
    for got in pl.collect_all([query, query, query.filter(pl.col("d").is_not_null())], engine="streaming"):
        assert_frame_equal(got, expected.filter(pl.col("d").is_not_null()) if len(got) < ROWS else expected)


def test_a_query_runs_in_another_process(lf: pl.LazyFrame, expected: pl.DataFrame, run: Run, tmp_path: Path) -> None:
    query = with_d(lf)
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
    query = with_d(source.lf).filter(pl.col("d") > 0).head(5)
    assert query.collect_schema().names() == [*frame.columns, "d"]
    assert query.explain()
    assert source.read == 0
    query.collect()
    assert source.read > 0


def test_only_columns_needed_are_read(frame: pl.DataFrame) -> None:
    operators = {"d": pg.gradient("y", x="t", by="k"), "e": pg.gradient("z", by="k")}
    for columns, read in (
        (["d"], {"k", "t", "y"}),
        (["d", "z"], {"k", "t", "y", "z"}),
        (["e"], {"k", "z"}),
        (["z"], {"z"}),
    ):
        source = Watched(frame)
        source.lf.grad.with_columns(**operators).select(columns).collect()
        assert source.columns == read


def test_a_length_needs_no_column(frame: pl.DataFrame, engine: Any) -> None:
    query = with_d(Watched(frame).lf)
    assert query.select(pl.len()).collect(engine=engine).item() == ROWS
    nested = query.grad.with_columns(e=pg.gradient("d")).grad.with_columns(f=pg.gradient("e"))
    assert nested.select(pl.len()).collect(engine=engine).item() == ROWS


def test_a_head_leaves_the_rest_unread(frame: pl.DataFrame, engine: Any) -> None:
    source = Watched(pl.concat([frame.select("y")] * 200))
    query = source.lf.grad.with_columns(d=pg.gradient("y")).grad.with_columns(e=pg.gradient("d")).head(5)
    assert len(query.collect(engine=engine)) == 5
    assert source.read < len(source.frame)


def test_a_chain_plans_each_frame_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not twice as many for each frame on top: that would be four thousand."""
    planned = []
    planner = frames._Planner.plan

    def plan(self: Any) -> Any:
        planned.append(self)
        return planner(self)

    monkeypatch.setattr(frames._Planner, "plan", plan)
    lf = pl.LazyFrame({"t": range(50), "s0": range(50)})
    for number in range(12):
        lf = lf.grad.with_columns(pg.gradient(f"s{number}", x="t").alias(f"s{number + 1}"))
    lf.collect_schema()
    lf.explain()
    assert lf.collect().width == 14
    assert len(planned) == 12


def test_a_join_with_itself_reads_its_source_once(frame: pl.DataFrame, engine: Any) -> None:
    source = Watched(frame)
    query = source.lf.grad.with_columns(d=pg.gradient("y", x="t", by="k"))
    joined = query.join(query.group_by("k").agg(largest=pl.col("d").max()), on="k")
    assert joined.collect(engine=engine).height == ROWS
    assert source.read == ROWS


FILTERS = """
import sys

sys.modules["cloudpickle"] = None

import polars as pl
import polars_grad as pg

def steep(slope):
    return slope > 1

lf = pl.LazyFrame({"t": [0, 1, 3], "y": [0, 1, 9]}).grad.with_columns(d=pg.gradient("y", x="t"))
values = iter([True, False, True])
for predicate in (lambda slope: slope > 1, steep, lambda _: next(values)):
    filtered = lf.filter(pl.col("d").map_elements(predicate, return_dtype=pl.Boolean))
    assert filtered.collect(engine=sys.argv[1]).height == 2
batches = lf.filter(pl.col("d").map_batches(lambda slopes: slopes > 1, return_dtype=pl.Boolean))
assert batches.select("t").collect(engine=sys.argv[1])["t"].to_list() == [1, 3]
assert lf.filter(pl.col("d") > 1).head(1).collect(engine=sys.argv[1])["t"].to_list() == [1]
"""


@pytest.mark.filterwarnings("ignore::polars.exceptions.PolarsInefficientMapWarning")
@pytest.mark.parametrize("how", ["in-memory", "streaming"])
def test_a_filter_that_calls_python_needs_nothing_installed(how: str, run: Run) -> None:
    """Nor can what it calls always be pickled."""
    done = run("import warnings; warnings.simplefilter('ignore')\n" + FILTERS, how)
    assert done.returncode == 0, done.stderr


def test_a_filter_is_right_without_optimizations(lf: pl.LazyFrame, expected: pl.DataFrame, engine: Any) -> None:
    query = with_d(lf).filter(pl.col("d") > 1).select("d", "z")
    for optimizations in (pl.QueryOptFlags.none(), pl.QueryOptFlags(projection_pushdown=False)):
        got = query.collect(engine=engine, optimizations=optimizations)
        assert_frame_equal(got, expected.filter(pl.col("d") > 1).select("d", "z"))


# Errors


@pytest.mark.parametrize(
    ("lf", "more", "kind", "words"),
    [
        (pl.DataFrame({"y": [1]}), {}, TypeError, "`lf` must be a LazyFrame, got DataFrame; use `df.lazy()`"),
        ("rows.parquet", {}, TypeError, "`lf` must be a LazyFrame, got str"),
        (pl.LazyFrame({"y": [1]}), {"progress": 1}, TypeError, "`progress` must be True or False, got 1"),
        (pl.LazyFrame({"y": [1]}), {"progress": pg.gradient("y")}, TypeError, 'is made by `.alias("progress")`'),
        (pl.LazyFrame({"y": [1]}), {"d": pl.col("y")}, ValueError, "`grad.with_columns` takes operators such as"),
        (pl.LazyFrame({"y": [1]}), {"d": pg.gradient("y").over("y")}, ValueError, "give the keys as `by=`"),
        (pl.LazyFrame({"y": [1]}), {"d": pg.gradient("y", axis=(0, 1))}, ValueError, "give one operator for each axis"),
        (pl.LazyFrame({"y": [1]}), {"d": "y"}, TypeError, "got str for `d`"),
        (pl.LazyFrame({"y": [1]}), {"y": pg.gradient("y")}, ValueError, "several operators give a column `y`"),
    ],
    ids=shown,
)
def test_arguments(lf: Any, more: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=re.escape(words)):
        frames.with_columns(lf, pg.gradient("y"), **more)


PLANS: list[tuple[list[Any], str]] = [
    ([pg.gradient("k")], "`k` is str"),
    ([pg.gradient("z", x="k")], "`k` is str"),
    ([pg.gradient("z", x="t", per="1h")], "`per`"),
    ([pg.gradient("y", x=pl.col("t", "z"))], "`x` must be one column, got 2: t, z"),
    ([pg.gradient("y", x=cs.temporal())], "`x` must be one column, got 0"),
    ([pg.gradient("y", by=pl.concat_list("z"))], "key `z` is List(Int64), which has no order"),
    ([pg.gradient("y"), pg.gradient(cs.numeric())], "duplicate output name 'y'"),
    ([pg.gradient("nope")], "nope"),
    ([pg.gradient("y", x="nope")], "nope"),
    ([pg.gradient("y", by="nope")], "nope"),
]


@pytest.mark.parametrize(("exprs", "words"), PLANS, ids=[row[1] for row in PLANS])
def test_wrong_columns_fail_when_planned(exprs: list[Any], words: str, lf: pl.LazyFrame) -> None:
    query = lf.grad.with_columns(exprs)
    for run in (query.collect_schema, query.collect):
        with pytest.raises((ComputeError, ColumnNotFoundError), match=re.escape(words)):
            run()


def test_rows_out_of_order(frame: pl.DataFrame, engine: Any) -> None:
    """However far down, and whatever is made of the result."""
    unsorted = with_d(pl.concat([frame, frame[:20]]).lazy())
    for query in (unsorted, unsorted.select("d"), unsorted.grad.with_columns(e=pg.gradient("d", by="k"))):
        with pytest.raises(
            ComputeError, match=r'in row 1000, counted from 0, `k` = "0", `j` = 0 comes after `k` = "9"'
        ):
            query.collect(engine=engine)
    turning = frame.with_columns(t=pl.when(pl.col("z") != 530**2).then("t").otherwise(0.0)).lazy()
    with pytest.raises(ComputeError, match=r'in row 53\d, counted from 0, column `d`: .*in the group `k` = "5"'):
        with_d(turning, "z", x="t", by="k").collect(engine=engine)
    lenient = with_d(turning, "z", x="t", by="k", strict=False).collect(engine=engine)
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
    lf.grad.with_columns(pg.gradient("y"), progress=True).collect()
    assert sum(counted[:-1]) == ROWS
    assert counted[-1] == "closed"


def test_progress_without_tqdm(lf: pl.LazyFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"`progress=True` needs tqdm.*`pip install tqdm`"):
        lf.grad.with_columns(pg.gradient("y"), progress=True)


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
query = register_io_source(rows, schema=frame.schema).grad.with_columns(d=pg.gradient("y"))
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
        slope = pg.gradient(y, x="t", by="id", nulls=nulls).alias("slope")
        got = frame.lazy().grad.with_columns(slope).collect()
        assert_frame_equal(got, frame.with_columns(slope), check_exact=True)
