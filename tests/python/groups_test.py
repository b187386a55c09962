"""`by`: each group is differentiated as if it were alone, which is what `.over` does, wherever its rows stand."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ids import shown
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from portability_test import RUN_QUERY
from strategies import EXPORTS_NULL_ARRAYS, assert_same, frames, in_chunks, nan

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import Run

ENGINES: list[Any] = ["in-memory", "streaming"]
EDGE_ORDERS = pytest.mark.parametrize("edge_order", [1, 2])

# Five values of each dtype, null among them; some are the same key in other bits.
INSTANTS = [datetime(2024, 1, day) for day in (1, 2, 3)]
KEYS: dict[str, tuple[Sequence[Any], Any]] = {
    "String": (["a", "b", "", None, "a string too long to be held in place"], pl.String),
    "Categorical": (["b", "a", "c", None, "d"], pl.Categorical),
    "Enum": (["b", "a", "c", None, "d"], pl.Enum(["d", "c", "b", "a"])),
    "Binary": ([b"a", b"\xff", b"", None, b"\0"], pl.Binary),
    "Boolean": ([True, False, True, None, False], pl.Boolean),
    "Int8": ([0, -128, 127, None, 1], pl.Int8),
    "UInt64": ([0, 2**64 - 1, 2**63, None, 1], pl.UInt64),
    "Int128": ([0, -(2**127), 2**127 - 1, None, 1], pl.Int128),
    "Float32": ([0.0, nan, 1.5, None, -0.0], pl.Float32),
    "Float64": ([0.0, nan, 1.5, None, -0.0], pl.Float64),
    "Decimal": ([Decimal("0.1"), Decimal("-5.0"), Decimal("9.9"), None, Decimal(0)], pl.Decimal(38, 1)),
    "Date": ([date(2024, 1, 1), date(1, 1, 1), date(9999, 1, 1), None, date(1970, 1, 1)], pl.Date),
    "Datetime": ([*INSTANTS, None, datetime(1970, 1, 1)], pl.Datetime("ns")),
    "Datetime with a zone": ([*INSTANTS, None, datetime(1970, 1, 1)], pl.Datetime("ms", "Europe/Paris")),
    "Duration": ([timedelta(1), timedelta(-1), timedelta(0), None, timedelta(2)], pl.Duration("us")),
    "Time": ([time(1), time(0), time(23, 59), None, time(2)], pl.Time),
    "List": ([[1], [1, 2], [], None, [None]], pl.List(pl.Int64)),
    "List of strings": ([["a"], ["a", "b"], [], None, ["b"]], pl.List(pl.String)),
    "Array": ([[1, 2], [2, 1], [0, 0], None if EXPORTS_NULL_ARRAYS else [3, 3], [1, None]], pl.Array(pl.Int64, 2)),
    "Struct": (
        [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": None}, None, {"a": None, "b": None}],
        pl.Struct({"a": pl.Int64, "b": pl.String}),
    ),
    "Null": ([None] * 5, pl.Null),
}


def key(kind: str, labels: Sequence[int], name: str = "k") -> pl.Series:
    values, dtype = KEYS[kind]
    return pl.Series(name, [values[label] for label in labels], dtype=dtype)


@st.composite
def label_lists(draw: st.DrawFn, rows: int) -> list[int]:
    """Of up to five groups: in any order, sorted, each in one piece, or taking turns in runs."""
    labels = draw(st.lists(st.integers(0, 4), min_size=rows, max_size=rows))
    order = draw(st.sampled_from(["any", "sorted", "in one piece", "runs"]))
    if order == "sorted":
        labels.sort()
    elif order == "in one piece":
        labels.sort(key=draw(st.permutations(range(5))).index)
    elif order == "runs":
        labels = [label for label in labels for _ in range(3)][:rows]
    return labels


@st.composite
def keyed_frames(draw: st.DrawFn) -> pl.DataFrame:
    """A frame with keys `k` and `j` of any dtype, and y of several."""
    frame = draw(frames(max_rows=30))
    keys = [
        draw(in_chunks(key(draw(st.sampled_from([*KEYS])), draw(label_lists(len(frame))), name))) for name in ("k", "j")
    ]
    dtype = draw(st.sampled_from([pl.Float64, pl.Float32, pl.Int64, pl.UInt8, pl.Duration("ms")]))
    if not dtype.is_float():
        whole = frame["y"].fill_nan(0.0).clip(0, 250).cast(pl.Int64).cast(dtype)
        frame = frame.with_columns(y=whole)
    return frame.with_columns(*keys, y=frame["y"].cast(dtype))


options = st.fixed_dictionaries(
    {
        "edge_order": st.sampled_from([1, 2]),
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "max_gap": st.sampled_from([None, 20.0, 90.0]),
    }
)


@pytest.fixture
def frame() -> pl.DataFrame:
    """Three groups of ragged lengths, taking turns; a null is one key."""
    keys = ["a", "b", None, "a", "a", "b", "a", None, "b", None, "a", None, "b", "c"]
    rows = len(keys)
    return pl.DataFrame(
        {
            "k": keys,
            "j": [row % 2 for row in range(rows)],
            "x": [row + 0.25 * (row % 3) for row in range(rows)],
            "y": [float(row**3 % 101) for row in range(rows)],
            "z": [None if row == 4 else row * row for row in range(rows)],
        }
    )


# The answer is that of `.over`


@given(frame=keyed_frames(), options=options)
@settings(max_examples=300)
def test_by_is_over_to_the_bit(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    """Any dtype of keys, order of rows, chunks, data and options; on both engines."""
    whole = frame.rechunk()
    for names in (["k"], ["k", "j"]):
        expected = whole.select(pg.gradient("y", "x", **options).over(names)).to_series()
        slope = pg.gradient("y", "x", by=names, **options)
        assert_same(frame.select(slope).to_series(), expected)
        for engine in ENGINES:
            assert_same(frame.lazy().select(slope).collect(engine=engine).to_series(), expected)
    rows = {"edge_order": options["edge_order"], "nulls": options["nulls"]}
    expected = whole.select(pg.gradient("y", **rows).over("k")).to_series()
    assert_same(frame.select(pg.gradient("y", by="k", **rows)).to_series(), expected)


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_any_dtype(kind: str, engine: Any) -> None:
    """Sorted, shuffled and in runs; a null is a key of its own, all NaN are one, and zero has no sign."""
    rows = 60
    shuffled = np.random.default_rng(1).integers(0, 5, rows).tolist()
    for labels in (sorted(shuffled), shuffled, [row // 4 % 5 for row in range(rows)], [3] * rows, [1] * rows):
        frame = pl.DataFrame({"k": key(kind, labels), "y": [float(row * row) for row in range(rows)]})
        got = frame.lazy().select(pg.gradient("y", by="k")).collect(engine=engine).to_series()
        assert_same(got, frame.select(pg.gradient("y").over("k")).to_series())
        values = ["zero" if value == 0 else repr(value) for value in frame["k"].to_list()]
        for one in set(values):
            here = [row for row, value in enumerate(values) if value == one]
            y = frame["y"].to_numpy()[here]
            assert got.gather(here).to_list() == (np.gradient(y).tolist() if len(here) > 1 else [None])


@EDGE_ORDERS
def test_each_group_is_numpy(edge_order: Any) -> None:
    """Ragged groups with rows enough, in one piece and shuffled."""
    rng = np.random.default_rng(2)
    keys = np.repeat(np.arange(40), rng.integers(3, 30, 40))
    for order in (np.arange(len(keys)), rng.permutation(len(keys))):
        frame = pl.DataFrame(
            {"k": keys[order], "y": rng.normal(size=len(keys)), "x": np.cumsum(rng.uniform(1, 2, len(keys)))}
        )
        got = frame.select(pg.gradient("y", "x", by="k", edge_order=edge_order)).to_series().to_numpy()
        for k in range(40):
            here = keys[order] == k
            y, x = frame["y"].to_numpy()[here], frame["x"].to_numpy()[here]
            np.testing.assert_allclose(got[here], np.gradient(y, x, edge_order=edge_order), rtol=1e-12)


def test_groups_too_short_are_null() -> None:
    frame = pl.DataFrame({"k": list("abbccc"), "y": [1, 2, 4, 1, 4, 9]})
    for by_row in (frame, frame[[5, 0, 1, 4, 2, 3]]):
        first, second = (by_row.select("k", d=pg.gradient("y", by="k", edge_order=order)) for order in (1, 2))
        assert first.filter(k="a")["d"].to_list() == [None]
        assert sorted(first.filter(k="b")["d"]) == [2.0, 2.0]
        assert first["d"].null_count() == 1
        assert second.filter(pl.col("k") != "c")["d"].to_list() == [None] * 3
        assert second.filter(k="c")["d"].null_count() == 0


@pytest.mark.parametrize("kind", KEYS)
def test_no_row_and_one_row(kind: str, engine: Any) -> None:
    for rows in (0, 1):
        for dtype, of_result in ((pl.Float32, pl.Float32), (pl.Int8, pl.Float64), (pl.Date, pl.Duration("us"))):
            frame = pl.LazyFrame({"k": key(kind, [0] * rows), "y": pl.Series([0] * rows).cast(dtype)})
            for options in ({}, {"nulls": "skip"}, {"edge_order": 2}):
                slopes = frame.select(pg.gradient("y", by="k", **options)).collect(engine=engine)["y"]
                assert slopes.dtype == of_result
                assert slopes.to_list() == [None] * rows


# How keys are given


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("k", ["k"]),
        (pl.col("k"), ["k"]),
        (["k"], ["k"]),
        (("k", "j"), ["k", "j"]),
        ([pl.col("j"), "k"], ["k", "j"]),
        (pl.col("k", "j"), ["k", "j"]),
        (["k", pl.col("j", "s")], ["k", "j", "s"]),
        (cs.string(), ["k", "s"]),
        ([cs.string(), cs.by_name("j")], ["k", "s", "j"]),
        (pl.col("^(k|j)$"), ["k", "j"]),
        (pl.struct("k", "j"), ["k", "j"]),
        (pl.col("k").alias("y"), ["k"]),
        (pl.col("j") * 2 + 1, ["j"]),
        (pl.col("x").floor() % 2 == 0, [pl.col("x").floor() % 2 == 0]),
        ([pl.lit(1), "k"], ["k"]),
        (["k", "x"], ["k", "x"]),
    ],
    ids=shown,
)
def test_names_expressions_and_selectors(frame: pl.DataFrame, by: Any, names: list[Any], engine: Any) -> None:
    frame = frame.with_columns(s=pl.col("k").fill_null("a"))
    got = frame.lazy().select(pg.gradient("y", "x", by=by)).collect(engine=engine).to_series()
    assert_same(got, frame.select(pg.gradient("y", "x").over(names)).to_series())


@pytest.mark.parametrize("one", [pl.lit(1), pl.lit("a"), pl.lit(None), pl.col("k").first(), pl.len()], ids=str)
def test_one_key_for_all_rows_is_one_group(frame: pl.DataFrame, one: pl.Expr, engine: Any) -> None:
    """A literal or an aggregation; of no rows too."""
    for rows in (frame, frame.head(0)):
        got = rows.lazy().select(pg.gradient("y", "x", by=one)).collect(engine=engine).to_series()
        assert_same(got, rows.select(pg.gradient("y", "x")).to_series())


def test_y_or_x_may_be_a_key(frame: pl.DataFrame) -> None:
    repeated = pl.concat([frame, frame])
    for name in ("y", "x"):
        expected = repeated.select(pg.gradient("y", "x", strict=False).over(name)).to_series()
        assert_same(repeated.select(pg.gradient("y", "x", by=name, strict=False)).to_series(), expected)
        expected = repeated.select(pg.gradient("y").over(name)).to_series()
        assert_same(repeated.select(pg.gradient("y", by=name)).to_series(), expected)


def test_several_y_at_once(frame: pl.DataFrame, engine: Any) -> None:
    for columns in (pl.col("y", "z"), pl.exclude("k", "j", "x"), cs.by_name("y", "z")):
        got = frame.lazy().with_columns(columns.grad.gradient("x", by=["k", "j"])).collect(engine=engine)
        for name in ("y", "z"):
            assert_same(got[name], frame.select(pg.gradient(name, "x").over("k", "j")).to_series())


def test_the_method_of_a_series(frame: pl.DataFrame) -> None:
    """Keys are series or values of its length, or several series."""
    y, x, k, j = (frame[name] for name in "yxkj")
    for by in (k, k.to_list(), [k], (k,)):
        assert_same(y.grad.gradient(x, by=by), frame.select(pg.gradient("y", "x", by="k")).to_series())
    for numbers in (j, j.to_list(), j.to_numpy()):
        assert_same(y.grad.gradient(by=numbers), frame.select(pg.gradient("y", by="j")).to_series())
    assert_same(y.grad.gradient(x, by=[k, j]), frame.select(pg.gradient("y", "x", by=["k", "j"])).to_series())


def test_keys_of_one_name(frame: pl.DataFrame) -> None:
    expected = frame.select(pg.gradient("y", "x").over("k", "j")).to_series()
    for by in (["k", "j", "k"], ["k", pl.col("j").alias("k")]):
        assert_same(frame.select(pg.gradient("y", "x", by=by)).to_series(), expected)
    assert_same(frame["y"].grad.gradient(frame["x"], by=[frame["k"], frame["j"].rename("k")]), expected)


# Where it stands


def test_inside_over_and_agg(frame: pl.DataFrame, engine: Any) -> None:
    """The keys of both count."""
    expected = frame.select(pg.gradient("y", "x").over("j", "k")).to_series()
    slope = pg.gradient("y", "x", by="k")
    lazy = frame.lazy()
    assert_same(lazy.select(slope.over("j")).collect(engine=engine).to_series(), expected)
    agg = lazy.with_row_index("row").group_by("j").agg("row", slope).explode("row", "y", empty_as_null=False)
    assert_same(agg.sort("row").collect(engine=engine)["y"], expected)
    ordered = frame.sample(fraction=1.0, shuffle=True, seed=3).lazy().with_columns(slope.over("j", order_by="x"))
    assert_same(ordered.collect(engine=engine).sort("x")["y"], expected)
    one_key = lazy.group_by("j", maintain_order=True).agg(pg.gradient("y", "x", by=pl.lit(1)))
    assert one_key.collect(engine=engine).equals(
        frame.group_by("j", maintain_order=True).agg(pg.gradient("y", "x")), null_equal=True
    )


@pytest.mark.parametrize(
    "cut",
    [
        lambda rows: rows.filter(pl.col("k") == "a"),
        lambda rows: rows.filter(pl.col("x") > 3),
        lambda rows: rows.slice(3, 6),
        lambda rows: rows.slice(-6, 4),
        lambda rows: rows.head(5),
        lambda rows: rows.tail(5),
        lambda rows: rows.sort("k", "x", nulls_last=True, maintain_order=True),
        lambda rows: rows.sort("y", "x"),
        lambda rows: rows.reverse(),
    ],
    ids=["filter by key", "filter", "slice", "slice from the end", "head", "tail", "sort by key", "sort", "reverse"],
)
def test_before_and_after(frame: pl.DataFrame, cut: Callable[[Any], Any], engine: Any) -> None:
    """What is cut off before is no neighbour; what is cut off after was one."""
    slope = pg.gradient("y", "x", by="k", strict=False).alias("d")
    over = pg.gradient("y", "x", strict=False).over("k").alias("d")
    after = cut(frame.lazy().with_columns(slope)).collect(engine=engine)
    assert_frame_equal(after, cut(frame.with_columns(over)), check_exact=True)
    before = cut(frame.lazy()).with_columns(slope).collect(engine=engine)
    assert_frame_equal(before, cut(frame).with_columns(over), check_exact=True)


def test_filter_by_the_slope_and_when_then(frame: pl.DataFrame, engine: Any) -> None:
    slope, over = pg.gradient("y", "x", by="k"), pg.gradient("y", "x").over("k")
    lazy = frame.lazy()
    assert_frame_equal(lazy.filter(slope > 0).collect(engine=engine), frame.filter(over > 0))
    hidden = pl.when(pl.col("x") > 5).then(slope)
    assert_same(
        lazy.select(hidden).collect(engine=engine).to_series(),
        frame.select(pl.when(pl.col("x") > 5).then(over)).to_series(),
    )


def test_two_gradients_in_a_row_and_side_by_side(frame: pl.DataFrame, engine: Any) -> None:
    twice = pl.col("y").grad.gradient("x", by="k").grad.gradient("x", by="k")
    got = frame.lazy().select(twice, pg.gradient("y", "x", by="j").alias("j"), pg.gradient("y", "x").alias("all"))
    slopes = got.collect(engine=engine)
    once = frame.with_columns(pg.gradient("y", "x").over("k"))
    assert_same(slopes["y"], once.select(pg.gradient("y", "x").over("k")).to_series())
    assert_same(slopes["j"], frame.select(pg.gradient("y", "x").over("j").alias("j")).to_series())
    assert_same(slopes["all"], frame.select(pg.gradient("y", "x").alias("all")).to_series())


def test_from_parquet_to_parquet(tmp_path: Path, engine: Any) -> None:
    rows = 1000
    row = pl.int_range(rows)
    frame = pl.select(k=row * 7919 % 13, s=(row // 100).cast(pl.String), x=row * 1.5, y=(row * 7919 % 1009) * 0.5)
    frame.write_parquet(tmp_path / "points.parquet", row_group_size=64)
    for by in ("k", "s", ["k", "s"]):
        lazy = pl.scan_parquet(tmp_path / "points.parquet").with_columns(d=pg.gradient("y", "x", by=by))
        lazy.sink_parquet(tmp_path / "slopes.parquet", engine=engine)
        expected = frame.with_columns(d=pg.gradient("y", "x").over(by))
        assert_frame_equal(pl.read_parquet(tmp_path / "slopes.parquet"), expected, check_exact=True)
        some = lazy.filter(pl.col("k") == 5).select("d").tail(20).collect(engine=engine)
        assert_frame_equal(some, expected.filter(k=5).select("d").tail(20), check_exact=True)


def test_a_stored_query_runs_in_another_process(frame: pl.DataFrame, run: Run, tmp_path: Path) -> None:
    lazy = frame.lazy().select(
        pg.gradient("y", "x", by=["k", pl.col("j") > 0], max_gap=5, nulls="skip"),
        pg.gradient("z", "x", max_gap=5, nulls="split"),
    )
    lazy.serialize(tmp_path / "query")
    done = run(RUN_QUERY, tmp_path / "query", tmp_path / "slopes")
    assert done.returncode == 0, done.stderr
    assert pl.read_parquet(tmp_path / "slopes").equals(lazy.collect())


# Long columns


LONG = 1_200_000  # rows enough for several threads


def long_frame(keys: np.ndarray) -> pl.DataFrame:
    rng = np.random.default_rng(4)
    columns = {"k": keys, "x": np.cumsum(rng.uniform(0.5, 1.5, len(keys))), "y": rng.normal(size=len(keys))}
    return pl.DataFrame(columns).with_columns(z=pl.when(pl.col("y") < 1).then("y"))


@pytest.mark.parametrize("order", ["in one piece", "runs", "shuffled"])
def test_more_rows_than_one_thread_takes(order: str) -> None:
    """To the bit, whole and in chunks, keys as numbers and as strings; also where nulls are skipped."""
    row = np.arange(LONG)
    keys = {
        "in one piece": row // 1201,
        "runs": row // 7 % 1000,
        "shuffled": np.random.default_rng(5).integers(0, 1000, LONG),
    }[order]
    frame = long_frame(keys)
    chunks = pl.concat([frame[:5], frame[5:700_001], frame[700_001:]], rechunk=False)
    for name, options in (("y", {}), ("y", {"max_gap": 500.0}), ("z", {"nulls": "skip", "edge_order": 2})):
        expected = frame.select(pg.gradient(name, "x", **options).over("k")).to_series()
        slope = pg.gradient(name, "x", by="k", **options)
        assert_same(frame.select(slope).to_series(), expected)
        assert_same(chunks.select(slope).to_series(), expected)
        assert_same(chunks.with_columns(pl.col("k").cast(pl.String)).select(slope).to_series(), expected)


@pytest.mark.parametrize("shuffled", [False, True])
def test_as_many_groups_as_pairs(shuffled: bool) -> None:
    keys = np.arange(LONG) // 2
    if shuffled:
        keys = np.random.default_rng(6).permutation(keys)
    frame = long_frame(keys)
    y, x = (frame.sort("k", maintain_order=True)[name].to_numpy().reshape(-1, 2) for name in "yx")
    slope_of = np.diff(y)[:, 0] / np.diff(x)[:, 0]
    np.testing.assert_array_equal(frame.select(pg.gradient("y", "x", by="k")).to_series(), slope_of[keys])
    alone = frame.select(pg.gradient("y", "x", by=["k", "x"])).to_series()
    assert alone.null_count() == LONG


@pytest.mark.parametrize("rows_per_chunk", [1, 3])
def test_many_chunks(rows_per_chunk: int) -> None:
    frame = long_frame(np.random.default_rng(7).integers(0, 9, 2000))
    for whole in (frame, frame.sort("k", maintain_order=True)):
        parts = [whole[row : row + rows_per_chunk] for row in range(0, 2000, rows_per_chunk)]
        chunked = pl.concat(parts, rechunk=False).with_columns(whole["y"])
        for name, options in (("y", {}), ("z", {"nulls": "skip"}), ("z", {"nulls": "split", "edge_order": 2})):
            slope = pg.gradient(name, "x", by="k", **options)
            assert_same(chunked.select(slope).to_series(), whole.select(slope).to_series())


# An x out of order


def test_only_the_broken_group_is_null_if_not_strict(engine: Any) -> None:
    """And of that group only what its stencils touch; where one group ends and the next begins, there is no step."""
    x = {"a": [0, 1, 2, 3], "b": [5, 6, 6, 7], "c": [3, 2, 1, 0]}
    rows = [(k, place) for k in "abc" for place in range(4)]
    for order in (rows, sorted(rows, key=lambda row: row[1])):
        frame = pl.LazyFrame({"k": [k for k, _ in order], "x": [x[k][place] for k, place in order]})
        frame = frame.with_columns(y=2 * pl.col("x"))
        with pytest.raises(ComputeError, match=r'`x` 6 is followed by 6 in the group `k` = "b";'):
            frame.select(pg.gradient("y", "x", by="k")).collect(engine=engine)
        slopes = frame.select("k", pg.gradient("y", "x", by="k", strict=False)).collect(engine=engine)
        assert slopes.filter(k="b")["y"].to_list() == [2.0, None, None, 2.0]
        assert set(slopes.filter(pl.col("k") != "b")["y"]) == {2.0}


@pytest.mark.parametrize("groups", [3, 1000, 100_000])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_one_broken_row_among_many(groups: int, edge_order: Any) -> None:
    """Named by its group, and without a slope as are those beside it; however many groups take turns."""
    frame = long_frame(np.random.default_rng(8).integers(0, groups, LONG))
    key = frame["k"][LONG // 2]
    before, broken = frame.with_row_index().filter(k=key)["index"].gather([3, 4])
    x = frame["x"].to_numpy().copy()
    x[broken] = x[before]
    frame = frame.with_columns(x=x)
    options: dict[str, Any] = {"by": "k", "edge_order": edge_order}
    with pytest.raises(ComputeError, match=rf"{x[before]} is followed by {x[broken]} in the group `k` = {key};"):
        frame.select(pg.gradient("y", "x", **options))
    slopes = frame.select("k", pg.gradient("y", "x", strict=False, **options)).with_row_index()
    broken_here = slopes.filter(pl.col("k") == key, pl.col("y").is_null())["index"].to_list()
    assert broken_here == [before, broken]
    expected = long_frame(frame["k"].to_numpy()).select(pg.gradient("y", "x", **options))["y"]
    others = slopes.filter(pl.col("k") != key)
    assert_same(others["y"], expected.gather(others["index"]))


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt8, pl.Int32, pl.Int64, pl.UInt64, pl.Int128])
@pytest.mark.parametrize("comes_back", [False, True])
@pytest.mark.parametrize("far", [False, True])
def test_runs_of_integers_in_no_order(dtype: Any, comes_back: bool, far: bool) -> None:
    """Whether one comes back is told from few numbers or from many, close together or far apart."""
    keys = [7, 3, 100, 0, 55, 54, 9]
    if far:
        # As far as the dtype goes.
        keys[1:3] = [pl.select(bound).item() for bound in (dtype.min(), dtype.max())]
    if comes_back:
        keys[-1] = keys[0]
    frame = pl.DataFrame({"k": pl.Series([key for key in keys for _ in range(3)], dtype=dtype)})
    frame = frame.with_columns(y=pl.int_range(pl.len()) ** 2)
    by, over = frame.select(pg.gradient("y", by="k")), frame.select(pg.gradient("y").over("k"))
    assert_same(by["y"], over["y"])
    assert (by["y"][2] != 4.0 - 1.0) == comes_back


@pytest.mark.parametrize(
    ("keys", "dtype"),
    [
        (([2**63, 1], [2**63]), pl.UInt64),
        (([2**31, 1], [2**31]), pl.UInt32),
        ((["b", "a"], ["b"]), pl.Categorical(pl.Categories.random())),
        ((["b", "a"], ["b"]), pl.String),
    ],
    ids=shown,
)
def test_a_key_that_comes_back_in_another_chunk(keys: tuple[list[Any], list[Any]], dtype: Any) -> None:
    """Whatever the order is by which keys are seen to rise: it is one order, within chunks and from one to the next."""
    chunks = [pl.DataFrame({"k": pl.Series(chunk, dtype=dtype)}) for chunk in keys]
    frame = pl.concat(chunks, rechunk=False).with_columns(y=pl.Series([1.0, 2.0, 5.0]))
    assert frame["k"].n_chunks() == 2
    assert frame.select(pg.gradient("y", by="k"))["y"].to_list() == [4.0, None, 4.0]


def test_keys_in_order_and_not() -> None:
    """A later key may fall where one before it changes, and nowhere else."""
    frame = pl.DataFrame(
        {"a": [1, 1, 1, 2, 2, 2], "b": ["x", "x", "y", "a", "a", "x"], "y": [0.0, 1.0, 9.0, 2.0, 5.0, 7.0]}
    )
    for by in (["a", "b"], ["b", "a"]):
        for rows in (frame, frame[::-1], frame[[0, 2, 1, 3, 4, 5]], frame[[3, 0, 1, 2, 4, 5]]):
            got, over = rows.select(pg.gradient("y", by=by)), rows.select(pg.gradient("y").over(by))
            assert_same(got["y"], over["y"])
