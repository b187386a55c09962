"""Batches stitched together are the whole, to the bit, wherever they are cut; what is not sorted is an error."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from groups_test import KEYS, keyed_frames
from groups_test import key as key_column
from hypothesis import given
from hypothesis import strategies as st
from ids import shown
from polars.exceptions import ComputeError, PolarsError
from polars.testing import assert_frame_equal
from strategies import assert_same, frames, nan, wild_floats

import polars_grad as pg
from polars_grad._batches import stitch as _stitch

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDERED = [kind for kind, (_, dtype) in KEYS.items() if not dtype.is_nested()]

options = st.fixed_dictionaries(
    {
        "edge_order": st.sampled_from([1, 2]),
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "max_gap": st.sampled_from([None, 20.0, 90.0]),
    }
)
without_x = st.fixed_dictionaries(
    {
        "edge_order": st.sampled_from([1, 2]),
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "spacing": st.sampled_from([None, 0.25]),
    }
)


@st.composite
def in_batches(draw: st.DrawFn, frame: pl.DataFrame) -> list[pl.DataFrame]:
    """Cut anywhere, often into single rows; some batches are empty."""
    rows = st.integers(0, len(frame))
    cuts = draw(st.one_of(st.just([*range(len(frame))]), st.lists(rows, max_size=len(frame) + 3)))
    return [frame[start:end] for start, end in pairwise([0, *sorted(cuts), len(frame)])]


def stitched(batches: Sequence[pl.DataFrame], *columns: Any, **arguments: Any) -> pl.DataFrame:
    return pl.concat(pg.stitch(batches, slope=pg.gradient(*columns, **arguments)))


# The result is that of the whole


@given(data=st.data(), frame=keyed_frames(), options=options, without_x=without_x)
def test_any_cutting_gives_the_bits_of_the_whole(
    data: st.DataObject, frame: pl.DataFrame, options: dict[str, Any], without_x: dict[str, Any]
) -> None:
    """Without keys, with one and with two of any dtype that has an order."""
    names = [name for name in ("k", "j") if not frame.schema[name].is_nested()]
    for by in ([], names[:1], names):
        whole = frame.sort(by, maintain_order=True) if by else frame
        batches = data.draw(in_batches(whole))
        for arguments in ({"x": "x", **options}, without_x):
            slope = pg.gradient("y", by=by or None, **arguments)
            got = stitched(batches, "y", by=by or None, **arguments)
            assert_frame_equal(got.drop("slope"), whole)
            assert_same(got["slope"], whole.select(slope.alias("slope")).to_series())


def test_an_x_that_repeats_before_a_null_is_not_checked_as_in_the_whole() -> None:
    """Wherever batches end: a row beside a null is null, and its x is not read."""
    frame = pl.DataFrame({"k": [1] * 7, "x": [0.0, None, 0.0, 0.0, None, 5.0, 6.0], "y": [0.0, 1, 2, 3, 4, 5, 6]})
    expected = frame.with_columns(slope=pg.gradient("y", x="x", by="k"))
    for size in range(1, 8):
        batches = [frame[start : start + size] for start in range(0, frame.height, size)]
        assert_frame_equal(pl.concat(pg.stitch(batches, slope=pg.gradient("y", x="x", by="k"))), expected)


@given(data=st.data(), frame=frames(), options=options)
def test_an_x_in_any_order_is_an_error_or_null_as_in_the_whole(
    data: st.DataObject, frame: pl.DataFrame, options: dict[str, Any]
) -> None:
    x = data.draw(
        st.lists(st.one_of(wild_floats, st.integers(0, 3), st.none()), min_size=len(frame), max_size=len(frame))
    )
    frame = frame.with_columns(pl.Series("x", x, dtype=pl.Float64)).sort("k", maintain_order=True)
    batches = data.draw(in_batches(frame))
    lenient = pg.gradient("y", "x", by="k", strict=False, **options).alias("slope")
    assert_same(
        stitched(batches, "y", "x", by=["k"], strict=False, **options)["slope"], frame.select(lenient).to_series()
    )
    try:
        slopes = frame.select(pg.gradient("y", "x", by="k", **options).alias("slope")).to_series()
    except ComputeError:
        with pytest.raises(ComputeError, match="strictly monotonic"):
            stitched(batches, "y", "x", by=["k"], **options)
    else:
        assert_same(stitched(batches, "y", "x", by=["k"], **options)["slope"], slopes)


several = st.lists(
    st.tuples(
        st.sampled_from(["y", "z", "x", "i"]),
        st.booleans(),
        st.sampled_from([1, 2]),
        st.sampled_from(["propagate", "skip", "split"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@given(data=st.data(), frame=keyed_frames(), several=several)
def test_any_number_of_operators(data: st.DataObject, frame: pl.DataFrame, several: list[Any]) -> None:
    """Each with options of its own, none sees rows that another leaves out."""
    frame = frame.with_columns(z=pl.col("y").shift().reverse(), i=pl.int_range(pl.len()) ** 2 % 7)
    by = [name for name in ("k", "j") if not frame.schema[name].is_nested()] or None
    whole = frame.sort(by, maintain_order=True) if by else frame
    operators = [
        pg.gradient(y, x="x" if with_x else None, by=by, edge_order=edge_order, nulls=nulls, strict=strict).alias(
            f"d{number}"
        )
        for number, (y, with_x, edge_order, nulls, strict) in enumerate(several)
    ]
    got = pl.concat(pg.stitch(data.draw(in_batches(whole)), operators))
    expected = whole.with_columns(operators)
    assert got.columns == expected.columns
    for name in expected.columns:
        assert_same(got[name], expected[name])


@pytest.mark.parametrize(
    "arguments",
    [
        {"x": "at", "per": "1h"},
        {"x": "at", "max_gap": "5d", "edge_order": 2},
        {"x": "falling"},
        {"spacing": "10ms", "per": "1m"},
        {"x": pl.col("at"), "nulls": "skip"},
    ],
    ids=shown,
)
def test_times_and_steps(arguments: dict[str, Any]) -> None:
    at = [datetime(2024, 1, day) for day in (1, 2, 4, 7, 11, 12, 29, 30)]
    frame = pl.DataFrame({"at": at, "falling": [-(row**2) for row in range(8)], "y": [3, 1, 4, 1, 5, 9, 2, 6]})
    batches = [frame[row : row + 1] for row in range(8)]
    expected = frame.select(pg.gradient("y", **arguments).alias("slope")).to_series()
    assert_same(stitched(batches, "y", **arguments)["slope"], expected)


def test_a_new_column_may_replace_one_that_is_read() -> None:
    """All operators read what came in, and the order of columns is that of `with_columns`."""
    frame = pl.DataFrame({"t": [0, 1, 3, 4, 6], "y": [0.0, 1.0, 9.0, 16.0, 36.0]})
    for names in (["y", "t"], ["t", "y"], ["d", "t"], ["y", "d"], ["", "y"], ["t", ""]):
        slopes = {names[0]: pg.gradient("y", "t"), names[1]: pg.gradient("t", "t", nulls="skip")}
        got = pl.concat(pg.stitch([frame[:2], frame[2:3], frame[3:]], **slopes))
        assert_frame_equal(got, frame.with_columns(**slopes))


def test_no_rows_at_all() -> None:
    frame = pl.DataFrame(schema={"k": pl.String, "y": pl.Int64})
    assert stitched([frame, frame], "y", by=["k"]).schema == {**frame.schema, "slope": pl.Float64}
    assert list(pg.stitch([], pg.gradient("y"))) == []


def test_no_operators() -> None:
    frame = pl.DataFrame({"y": [1, 2, 3]})
    assert_frame_equal(pl.concat(pg.stitch([frame[:2], frame[2:]])), frame)


def test_results_may_be_structs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of operators with several outputs are; no operator has any yet."""
    evaluate = _stitch.evaluate

    def with_error(y: pl.Series, *rest: Any) -> pl.Series:
        return pl.DataFrame({"value": evaluate(y, *rest), "error": y}).to_struct(y.name)

    monkeypatch.setattr(_stitch, "evaluate", with_error)
    frame = pl.DataFrame({"t": [0, 1, 3, 4, 6], "y": [0.0, 1.0, None, 16.0, 36.0]})
    for nulls in ("propagate", "skip"):
        slope = pg.gradient("y", "t", nulls=nulls)
        got = pl.concat(pg.stitch([frame[row : row + 1] for row in range(5)], slope=slope, y=pg.gradient("t")))
        whole = frame.select(pl.struct(value=slope, error="y")).to_series()
        assert_same(got["slope"], whole.alias("slope"))
        assert got["y"].struct.field("error").to_list() == frame["t"].to_list()


def test_inside_of_cells() -> None:
    """No row reads another, so each comes out at once, in any order of keys; coordinates are no order of rows."""
    frame = pl.DataFrame({"k": [2, 1, 1], "wave": [[0.0, 1.0, 4.0], None, [5.0, 4.0, 1.0]], "at": [[0, 1, 3]] * 3})
    for arguments in ({}, {"x": "at"}, {"x": [0, 1, 3]}, {"spacing": 0.5, "nulls": "skip"}):
        slope = pg.gradient("wave", axis=1, **arguments)
        batches = pg.stitch([frame[:1], frame[1:]], slope=slope)
        assert_frame_equal(next(batches), frame[:1].with_columns(slope=slope))
        assert_frame_equal(pl.concat(batches), frame[1:].with_columns(slope=slope))
    both = {"slope": pg.gradient("wave", axis=1, x="at"), "k": pg.gradient("k", x="k", strict=False)}
    assert_frame_equal(pl.concat(pg.stitch([frame[:1], frame[1:]], **both)), frame.with_columns(**both))


# A row comes out as soon as its neighbours are known


@pytest.mark.parametrize("edge_order", [1, 2])
def test_rows_wait_for_their_neighbours_only(edge_order: Any) -> None:
    frame = pl.DataFrame({"y": range(100)})
    read = 0

    def batches() -> Any:
        nonlocal read
        for start in range(0, 100, 10):
            read = start + 10
            yield frame[start:read]

    known = 0
    for rows in pg.stitch(batches(), slope=pg.gradient("y", edge_order=edge_order)):
        assert known + len(rows) in (read - edge_order, 100)
        known += len(rows)
    assert known == 100


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_rows_before_and_after_need_not_be_as_many(nulls: Any) -> None:
    """A backward operator alone waits for nothing; with others all wait for the one that reads the furthest."""
    frame = pl.DataFrame(
        {
            "k": [row // 17 for row in range(60)],
            "t": [row + row % 3 / 4 for row in range(60)],
            "y": [row * 7919 % 101 if row % 7 else None for row in range(60)],
        }
    )
    domain: dict[str, Any] = {"x": "t", "by": "k", "nulls": nulls}
    backward = pg.derivative("y", side="backward", order=2, **domain).alias("backward")
    forward = pg.derivative("y", side="forward", accuracy=3, **domain).alias("forward")
    center = pg.derivative("y", order=3, accuracy=4, **domain).alias("center")
    for operators in (
        [backward],
        [forward],
        [center],
        [backward, forward],
        [center, backward, pg.gradient("t", by="k")],
    ):
        expected = frame.with_columns(operators)
        for size in (1, 4, 60):
            batches = [frame[start : start + size] for start in range(0, 60, size)]
            came = list(pg.stitch(batches, operators))
            assert_frame_equal(pl.concat(came), expected, check_exact=True)
            if len(operators) == 1 and operators[0] is backward:
                assert len(came) == len(batches)


@pytest.mark.parametrize("size", [1, 10])
def test_a_skipped_row_waits_only_behind_one_that_counts(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is not paid for by evaluating the same rows for each batch again."""
    evaluated = []
    evaluate = _stitch.evaluate

    def counting(y: pl.Series, *rest: Any) -> pl.Series:
        evaluated.append(len(y))
        return evaluate(y, *rest)

    monkeypatch.setattr(_stitch, "evaluate", counting)
    nulls = [None] * 1000
    frame = pl.DataFrame({"y": [*nulls, 1.0, *nulls, 2.0, 4.0, *nulls]})
    batches = [frame[start : start + size] for start in range(0, len(frame), size)]
    came = [len(rows) for rows in pg.stitch(batches, slope=pg.gradient("y", nulls="skip"))]
    assert came[: 1000 // size] == [size] * (1000 // size)
    assert sum(came) == len(frame)
    assert sum(evaluated) < 5 * len(frame)


def test_rows_wait_for_all_operators_and_no_longer() -> None:
    """One that skips nulls makes others wait; what these have found meanwhile is kept."""
    frame = pl.DataFrame({"y": [1.0, 2.0, *[None] * 8, 9.0, 5.0], "z": [float(row**2 % 7) for row in range(12)]})
    operators = {"dy": pg.gradient("y", nulls="skip"), "dz": pg.gradient("z", edge_order=2)}
    heights = []
    frames = []
    for rows in pg.stitch([frame[row : row + 1] for row in range(12)], **operators):
        frames.append(rows)
        heights.append(len(rows))
    assert_frame_equal(pl.concat(frames), frame.with_columns(**operators), check_exact=True)
    assert heights[0] == 1
    assert max(heights) >= 8


# Arguments are checked at once; batches are frames or Arrow data


ROWS = pl.DataFrame({"k": ["a", "a", "a", "b", "b"], "t": [0, 1, 3, 0, 2], "y": [0.0, 1.0, 9.0, None, 4.0]})


class Stream:
    """Arrow's interface and nothing else."""

    def __init__(self, rows: pl.DataFrame) -> None:
        self.rows = rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.rows.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "of",
    [
        lambda rows: rows,
        Stream,
        lambda rows: rows.to_arrow(),
        lambda rows: rows.to_arrow().combine_chunks().to_batches()[0],
    ],
    ids=["polars", "capsule", "table", "record batch"],
)
def test_batches_may_be_frames_or_arrow(of: Any) -> None:
    batches = [of(ROWS[:2]), of(ROWS[2:4]), of(ROWS[4:])]
    for arguments in ({}, {"edge_order": 2}, {"nulls": "skip"}, {"max_gap": 1}, {"nulls": "split", "strict": False}):
        expected = ROWS.with_columns(pg.gradient("y", "t", by="k", **arguments).alias("slope"))
        assert_frame_equal(stitched(batches, "y", "t", by="k", **arguments), expected, check_exact=True)


def test_a_reader_is_batches() -> None:
    reader = ROWS.to_arrow().to_reader(max_chunksize=2)
    slope = pg.gradient("y", by=["k"], spacing="10ms", per="1m")
    assert_frame_equal(pl.concat(pg.stitch(reader, slope)), ROWS.with_columns(slope), check_exact=True)


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        (ROWS, "`batches` must be an iterable of frames, got DataFrame; put a single one in a list"),
        (ROWS.lazy(), r"got LazyFrame; use `lf.grad.with_columns\(...\)`"),
        (Stream(ROWS), "got Stream; put a single one in a list"),
        (3, "got int$"),
        ("rows.parquet", "got str$"),
    ],
    ids=shown,
)
def test_batches_are_frames(batches: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        pg.stitch(batches, pg.gradient("y"))


SUM = pl.col("y").sum()
WRONG: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: [pg.gradient(pl.col("y") * 2)],
        ValueError,
        r"`y` of `y` must be the name of a column in `pg.stitch`, got",
    ),
    (lambda: [pg.gradient(pl.col("y", "t")).name.suffix("'")], ValueError, "`y` of .* must be the name of a column"),
    (
        lambda: [pg.gradient("y", x=pl.col("t") + 1)],
        ValueError,
        "`x` of `y` .* compute it first, as a column of the frame",
    ),
    (lambda: [pg.gradient("y", x=pl.Series("s", range(5)))], ValueError, "`x` of `y` must be the name of a column"),
    (lambda: [pg.gradient(pl.Series("s", range(5)))], ValueError, "`y` of `s` must be the name of a column"),
    (lambda: [pg.gradient("y", by=["k", SUM])], ValueError, "`by` of `y` must be the name of a column"),
    (lambda: [pg.gradient("wave", x=pl.col("at") * 2, axis=1)], ValueError, "`x` of `wave` must be the name of a col"),
    (lambda: [SUM], ValueError, "`pg.stitch` takes operators such as `pg.gradient"),
    (
        lambda: [pg.gradient("y") * 2],
        ValueError,
        "no other method than `alias` and `name`.* compute other expressions bef",
    ),
    (lambda: [pg.gradient("y").over("k")], ValueError, "give the keys as `by=`"),
    (lambda: ["y"], TypeError, "takes operators such as `pg.gradient.*got str"),
    (lambda: [None], TypeError, "got NoneType"),
    (lambda: [pg.gradient("y", by="k"), pg.gradient("t")], ValueError, "must share `by`, got .*k.* and none"),
    (lambda: [pg.gradient("y", by="k"), pg.gradient("t", by=["k", "j"])], ValueError, "must share `by`"),
    (lambda: [pg.gradient("y", x="t"), pg.gradient("z"), pg.gradient("t", x="z")], ValueError, "must share `x`"),
    (lambda: [pg.gradient("y"), pg.gradient("y", x="t")], ValueError, "several operators give a column `y`"),
]


@pytest.mark.parametrize(("exprs", "kind", "message"), WRONG, ids=[row[2][:40] for row in WRONG])
def test_expressions_are_checked_before_anything_is_read(exprs: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        pg.stitch([], *exprs())


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match=r"several operators give a column `d`; name them, .* `.alias"):
        pg.stitch([], pg.gradient("y").alias("d"), d=pg.gradient("t"))
    with pytest.raises(TypeError, match="got int for `d`"):
        pg.stitch([], d=1)


def test_what_is_no_frame_is_an_error_where_it_comes() -> None:
    rows = pg.stitch([ROWS[:3], {"y": [1.0]}], pg.gradient("y", "t", by="k"))
    assert len(next(rows)) == 2
    with pytest.raises(TypeError, match="`batches` must give polars DataFrames or Arrow data, got dict"):
        next(rows)


def test_batches_of_other_columns_are_an_error() -> None:
    for other in (ROWS[3:].drop("t"), ROWS[3:].cast({"y": pl.Float32})):
        with pytest.raises(PolarsError):
            list(pg.stitch([ROWS[:3], other], pg.gradient("y")))
    with pytest.raises(PolarsError, match="absent"):
        list(pg.stitch([ROWS], pg.gradient("absent")))


def test_keys_without_an_order() -> None:
    frame = ROWS.with_columns(pl.concat_list("t").alias("list"))
    with pytest.raises(ComputeError, match=r"key `list` is List\(Int64\), which has no order"):
        list(pg.stitch([frame], pg.gradient("y", by="list")))


# What is not sorted is an error that names the place


UNSORTED: list[tuple[dict[str, list[Any]], int, str, str]] = [
    ({"k": ["a", "b", "b", "a"]}, 3, '`k` = "a"', '`k` = "b"'),
    ({"k": ["b", "b", "a", "b"]}, 2, '`k` = "a"', '`k` = "b"'),
    ({"k": [1, 2, None, 3]}, 2, "`k` = null", "`k` = 2"),
    ({"k": [nan, 1.0, 2.0, 3.0]}, 1, "`k` = 1.0", "`k` = nan"),
    ({"k": [1, 1, 2, 2], "j": [5, 6, 6, 5]}, 3, "`k` = 2, `j` = 5", "`k` = 2, `j` = 6"),
    ({"k": [None, None, 2, 2], "j": [1, None, 6, 7]}, 1, "`k` = null, `j` = null", "`k` = null, `j` = 1"),
    ({"k": [1, 2, 1, 2], "j": [1, 2, 3, 4]}, 2, "`k` = 1, `j` = 3", "`k` = 2, `j` = 2"),
]


@pytest.mark.parametrize(("keys", "row", "this", "before"), UNSORTED, ids=str)
def test_keys_out_of_order(keys: dict[str, list[Any]], row: int, this: str, before: str) -> None:
    frame = pl.DataFrame({**keys, "x": range(4), "y": range(4)})
    for size in (1, 2, 3, 4):
        for arguments in ({}, {"strict": False}, {"nulls": "skip"}):
            with pytest.raises(ComputeError) as caught:
                stitched([frame[at : at + size] for at in range(0, 4, size)], "y", "x", by=[*keys], **arguments)
            message = str(caught.value)
            assert f"in row {row}, counted from 0, {this} comes after {before}; sort by" in message
            assert all(f"`{name}`" in message for name in keys)


@pytest.mark.parametrize("kind", ORDERED)
def test_sorted_is_what_sort_makes(kind: str) -> None:
    """And any other order is not, whatever the dtype of the key."""
    labels = [0, 0, 1, 2, 3, 3, 4]
    frame = pl.DataFrame([key_column(kind, labels), pl.Series("y", labels)])
    whole = frame.sort("k", maintain_order=True)
    assert len(stitched([whole[:3], whole[3:]], "y", by=["k"])) == len(labels)
    if whole["k"].n_unique() > 1:
        turned = whole.reverse()
        with pytest.raises(ComputeError, match="rows must be sorted by key"):
            stitched([turned[:3], turned[3:]], "y", by=["k"])


@given(data=st.data())
def test_the_place_does_not_depend_on_the_cutting(data: st.DataObject) -> None:
    """Of keys and of x; with rows left out before it, rows that wait, and several operators that fail."""
    keys = data.draw(st.lists(st.sampled_from([None, 1, 2, 3]), min_size=2, max_size=12))
    x = data.draw(st.lists(st.integers(0, 20), min_size=len(keys), max_size=len(keys)))
    y = data.draw(st.lists(st.sampled_from([None, 1.0, 5.0]), min_size=len(keys), max_size=len(keys)))
    frame = pl.DataFrame({"k": keys, "x": x, "y": y}, schema={"k": pl.Int64, "x": pl.Int64, "y": pl.Float64})
    frame = frame.with_columns(z=pl.col("y").reverse())
    frame = data.draw(st.sampled_from([frame, frame.sort("k", maintain_order=True)]))
    options = st.tuples(st.sampled_from("yz"), st.sampled_from(["propagate", "skip", "split"]), st.integers(1, 2))
    operators = [
        pg.gradient(y, "x", by="k", nulls=nulls, edge_order=edge_order).alias(f"d{number}")
        for number, (y, nulls, edge_order) in enumerate(data.draw(st.lists(options, min_size=1, max_size=3)))
    ]

    def outcome(batches: list[pl.DataFrame]) -> str:
        try:
            return str(pl.concat(pg.stitch(batches, operators)).rows())
        except ComputeError as error:
            return str(error)

    single_rows = [frame[row : row + 1] for row in range(len(frame))]
    places = {outcome(data.draw(in_batches(frame))), outcome(single_rows), outcome([frame])}
    assert len(places) == 1


def test_an_x_out_of_order_names_row_column_and_group() -> None:
    frame = pl.DataFrame({"k": ["a"] * 3 + ["b"] * 4, "t": [0, 1, 2, 0, 3, 2, 4], "y": range(7)})
    operators = [pg.gradient("y", by="k").alias("steps"), pg.gradient("y", "t", by="k").alias("dy")]
    for size in (1, 2, 3, 7):
        with pytest.raises(ComputeError) as caught:
            list(pg.stitch([frame[at : at + size] for at in range(0, 7, size)], operators))
        message = str(caught.value)
        assert message.startswith("in row 5, counted from 0, column `dy`: `x` must be finite and strictly monotonic")
        assert 'in column `t` 3 is followed by 2 in the group `k` = "b"' in message


def test_the_first_of_several_wrong_rows_is_named() -> None:
    """Whatever column, and though an operator that skips nulls waits with rows that it has not yet evaluated."""
    frame = pl.DataFrame(
        {
            "k": [1] * 11 + [0],
            "t": [0, 1, 2, 3, 3, 5, 6, 7, 8, 8, 10, 11],
            "y": [1.0, None, None, 4.0, 5.0, *[None] * 7],
            "z": [float(row) for row in range(12)],
        }
    )
    skipping = pg.gradient("y", "t", by="k", nulls="skip").alias("dy")
    lenient = pg.gradient("z", "t", by="k", strict=False).alias("dz")
    strict = pg.gradient("z", "t", by="k").alias("dz")
    cases = [
        ([strict, skipping], frame, "in row 4, counted from 0, column `dz`: "),
        ([skipping, strict], frame, "in row 4, counted from 0, column `dy`: "),
        ([lenient, skipping], frame, "in row 4, counted from 0, column `dy`: "),
        ([strict, skipping], frame.with_columns(y=pl.lit(1.0)), "in row 4, counted from 0, column `dz`: "),
        ([lenient], frame, "rows must be sorted by key, but in row 11, counted from 0, `k` = 0 comes after `k` = 1"),
        ([strict], frame[5:], "in row 4, counted from 0, column `dz`: "),
        ([skipping], frame[5:], "rows must be sorted by key, but in row 6, counted from 0, "),
    ]
    for operators, rows, message in cases:
        for size in (1, 2, 5, 12):
            with pytest.raises(ComputeError) as caught:
                list(pg.stitch([rows[at : at + size] for at in range(0, len(rows), size)], operators))
            assert str(caught.value).startswith(message)


def test_a_wrong_dtype_has_no_place() -> None:
    frame = pl.DataFrame({"y": ["a", "b"]})
    with pytest.raises(ComputeError, match="`y` is str") as caught:
        stitched([frame], "y")
    assert "in row" not in str(caught.value)
