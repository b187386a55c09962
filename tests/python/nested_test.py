"""Cells: along an axis inside of them each cell is a column, down the rows each place in them is one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal, assert_series_equal
from strategies import EXPORTS_NULL_ARRAYS, assert_same, frames, in_chunks, inf, nan, rising, tame_floats, wild_floats

import polars_grad as pg

FLOATS = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-12}
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def arrays(values: np.ndarray, name: str = "f") -> pl.Series:
    """A column of arrays: the first axis down the rows."""
    flat = pl.Series(name, values.ravel())
    return flat.reshape(values.shape) if values.size else flat.cast(pl.Float64)


def lists(values: np.ndarray, name: str = "f") -> pl.Series:
    series = arrays(values, name)
    dtype: Any = series.dtype.base_type()
    inner: Any = pl.Series(values[:0].ravel()).dtype
    for _ in values.shape[1:]:
        inner = pl.List(inner)
    assert dtype == pl.Array
    return pl.Series(name, values.tolist(), dtype=inner)


shapes = st.lists(st.integers(2, 5), min_size=2, max_size=4).map(tuple)


# numpy's N-dimensional gradient


SEED = np.array([[27, 34, 18, 33], [32, 46, 55, 29]])


def test_the_documented_examples() -> None:
    """Down the rows and inside of them: what `np.gradient(SEED)` gives as a list of two arrays."""
    frame = pl.DataFrame({"f": SEED})
    down, inside = np.gradient(SEED)
    assert frame.select(pg.gradient("f"))["f"].to_list() == down.tolist()
    assert frame.select(pg.gradient("f", axis=1))["f"].to_list() == inside.tolist()
    both = frame.select(pg.gradient("f", axis=(0, 1)).struct.unnest())
    assert both.columns == ["axis_0", "axis_1"]
    assert both["axis_0"].to_list() == [[5.0, 12.0, 37.0, -4.0]] * 2
    assert both["axis_1"].to_list() == [[7.0, -4.5, -0.5, 15.0], [14.0, 11.5, -8.5, -26.0]]


def test_numpys_matrix_examples() -> None:
    """From numpy's tests: `test_masked`, `test_specific_axes`, `test_args`, in one image a row."""
    matrix = np.array([[1.0, 1.0], [3.0, 4.0]])
    frame = pl.DataFrame({"f": matrix[None]})
    assert frame.select(pg.gradient("f", axis=1))["f"][0].to_list() == [[2.0, 3.0], [2.0, 3.0]]
    assert frame.select(pg.gradient("f", axis=2))["f"][0].to_list() == [[0.0, 0.0], [1.0, 1.0]]
    each = frame.select(pg.gradient("f", axis=(2, 1)).struct.unnest())
    assert each.columns == ["axis_2", "axis_1"]
    cube = np.arange(25.0).reshape(1, 5, 5) ** 1.5
    uneven = [1.0, 2.0, 5.0, 9.0, 11.0]
    got = pl.DataFrame({"f": cube}).select(pg.gradient("f", axis=(1, 2), x=(uneven, [0, 2, 3, 7, 9])).struct.unnest())
    for column, expected in zip(got, np.gradient(cube[0], uneven, [0, 2, 3, 7, 9]), strict=True):
        assert_allclose(column.to_numpy()[0], expected, rtol=1e-13)
    got = pl.DataFrame({"f": cube}).select(pg.gradient("f", axis=(1, 2), spacing=(2, 3.0)).struct.unnest())
    for column, expected in zip(got, np.gradient(cube[0], 2, 3.0), strict=True):
        assert_allclose(column.to_numpy()[0], expected, rtol=1e-13)


@given(data=st.data(), shape=shapes, edge_order=st.sampled_from([1, 2]))
def test_any_axis_is_that_of_numpy(data: st.DataObject, shape: tuple[int, ...], edge_order: Any) -> None:
    values = data.draw(st.lists(tame_floats, min_size=math.prod(shape), max_size=math.prod(shape)))
    array = np.array(values).reshape(shape)
    for axis, length in enumerate(shape):
        if length <= edge_order:
            continue
        x = rising(data.draw, length)
        for column in (arrays(array), lists(array)):
            frame = pl.DataFrame({"f": data.draw(in_chunks(column))})
            given_x: dict[str, Any] = {"x": x}
            if axis == 0:
                frame = frame.with_columns(x=pl.Series(x))
                given_x = {"x": "x"}
            for options, spacing in (({}, []), ({"spacing": 0.5}, [0.5]), (given_x, [x])):
                got = frame.select(pg.gradient("f", axis=axis, edge_order=edge_order, **options))["f"]
                assert got.dtype == column.dtype
                expected = np.gradient(array, *spacing, axis=axis, edge_order=edge_order)
                assert_allclose(np.array(got.to_list()), expected, rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_any_dtype(dtype: str, axis: int) -> None:
    array = np.array([[[1, 2, 4], [7, 11, 16]], [[3, 5, 9], [2, 2, 1]], [[8, 1, 5], [0, 4, 4]]], dtype=dtype)
    for column in (arrays(array), lists(array)):
        got = pl.DataFrame(column).select(pg.gradient("f", axis=axis))["f"]
        expected = np.gradient(array, axis=axis)
        assert got.dtype == (column.dtype if dtype in FLOATS else pl.Series("", arrays(expected)).dtype) or isinstance(
            got.dtype, pl.List
        )
        assert_allclose(np.array(got.to_list()), expected, rtol=FLOATS.get(dtype, 1e-13))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_coordinate_for_each_value(axis: int) -> None:
    rng = np.random.default_rng(1)
    array = rng.normal(size=(4, 3, 5))
    x = np.cumsum(rng.uniform(0.1, 1, size=array.shape), axis=axis)
    lines = [np.moveaxis(values, axis, 0).reshape(array.shape[axis], -1).T for values in (array, x)]
    expected = np.array([np.gradient(y, x) for y, x in zip(*lines, strict=True)]).T
    expected = np.moveaxis(expected.reshape(np.moveaxis(array, axis, 0).shape), 0, axis)
    for make in (arrays, lists):
        frame = pl.DataFrame([make(array), make(x, "x")])
        got = frame.select(pg.gradient("f", x="x", axis=axis))["f"]
        assert_allclose(np.array(got.to_list()), expected, rtol=1e-12)


@pytest.mark.parametrize("make", [arrays, lists])
def test_the_coordinates_of_each_row(make: Any) -> None:
    """One axis of coordinates for an image, along whichever of its axes."""
    rng = np.random.default_rng(2)
    images = rng.normal(size=(3, 4, 4))
    x = np.cumsum(rng.uniform(0.1, 1, size=(3, 4)), axis=1)
    frame = pl.DataFrame([make(images), make(x, "x")])
    for axis in (1, 2):
        got = frame.select(pg.gradient("f", x="x", axis=axis))["f"]
        expected = [np.gradient(image, x, axis=axis - 1) for image, x in zip(images, x, strict=True)]
        assert_allclose(np.array(got.to_list()), expected, rtol=1e-12)


# Along an axis inside of cells each cell is a group


options = st.fixed_dictionaries(
    {
        "edge_order": st.sampled_from([1, 2]),
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "max_gap": st.sampled_from([None, 20.0]),
        "strict": st.sampled_from([False]),
    }
)


@st.composite
def ragged(draw: st.DrawFn) -> pl.DataFrame:
    """Lists `y` and `x` of the same lengths, some empty, some null, with nulls within."""
    rows = draw(st.integers(0, 8))
    columns: dict[str, list[Any]] = {"y": [], "x": []}
    for _ in range(rows):
        length = draw(st.integers(0, 8))
        y = draw(st.lists(st.one_of(wild_floats, st.none()), min_size=length, max_size=length))
        x: list[Any] = rising(draw, length)
        if length and draw(st.booleans()):
            x[draw(st.integers(0, length - 1))] = draw(st.sampled_from([None, nan, x[0]]))
        columns["y"].append(draw(st.sampled_from([y, y, y, None])))
        columns["x"].append(draw(st.sampled_from([x, x, x, None])))
    return pl.DataFrame(
        [draw(in_chunks(pl.Series(name, values, dtype=pl.List(pl.Float64)))) for name, values in columns.items()]
    )


def cell_by_cell(frame: pl.DataFrame, **arguments: Any) -> list[Any]:
    """The gradient of each cell as a column."""
    slopes: list[Any] = []
    for y, x in frame.select("y", "x").iter_rows():
        if y is None:
            slopes.append(None)
            continue
        column = pl.DataFrame({"y": y, "x": [None] * len(y) if x is None else x}, {"y": pl.Float64, "x": pl.Float64})
        slopes.append(column.select(pg.gradient("y", **arguments)).to_series().to_list())
    return slopes


@given(frame=ragged(), options=options)
def test_each_list_is_a_column(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    without_x = {name: value for name, value in options.items() if name != "max_gap"}
    for arguments in ({"x": "x", **options}, {"spacing": 0.25, **without_x}):
        expected = pl.Series("y", cell_by_cell(frame, **arguments), dtype=pl.List(pl.Float64))
        slope = pg.gradient("y", axis=1, **arguments)
        for engine in ("in-memory", "streaming"):
            assert_series_equal(frame.lazy().select(slope).collect(engine=engine)["y"], expected, check_exact=True)
        # Cells within cells, as a slice of a longer column.
        nested = pl.concat([frame[:1], frame, frame[:2]]).select(
            pl.concat_list(pl.col(name).implode()) for name in "yx"
        )
        got = nested.select(pg.gradient("y", **{**arguments, "axis": 2}))["y"]
        cells = pl.Series("y", [cell for row in got.to_list() for cell in row], dtype=expected.dtype)
        assert_series_equal(cells[len(frame[:1]) :][: len(frame)], expected, check_exact=True)


def at(column: str, place: int) -> pl.Expr:
    """What arrays have at a place; Polars 1 asks no array whether it is null."""
    return pl.when(pl.col(column).is_not_null()).then(pl.col(column).arr.get(place)).alias(column)


@given(data=st.data(), frame=frames(), options=options)
def test_each_place_down_the_rows_is_a_column(
    data: st.DataObject, frame: pl.DataFrame, options: dict[str, Any]
) -> None:
    """With keys and without; one x for all places, or one for each."""
    y = pl.concat_arr("y", pl.col("y").reverse(), pl.col("y") * 2)
    x = pl.concat_arr("x", pl.col("x") * 2, "x")
    if EXPORTS_NULL_ARRAYS:
        # A cell that is null is a row of nulls.
        y, x = pl.when("mask").then(y), pl.when(pl.col("mask").reverse()).then(x)
    cells = frame.select("x", "k", y=y, each=x)
    cells = cells.with_columns(data.draw(in_chunks(cells["y"])))
    without_x = {name: value for name, value in options.items() if name != "max_gap"}
    for by in (None, "k"):
        for arguments in ({"x": "x", **options}, {"x": "each", **options}, {"spacing": 0.25, **without_x}):
            slopes = cells.select(pg.gradient("y", by=by, **arguments))["y"]
            assert slopes.dtype == pl.Array(pl.Float64, 3)
            assert_series_equal(slopes.is_null(), cells["y"].is_null())
            for place in range(3):
                column = cells.with_columns(at("y", place), at("each", place))
                expected = column.select(
                    pl.when(cells["y"].is_not_null()).then(pg.gradient("y", by=by, **arguments)).alias("y")
                )["y"]
                assert_same(slopes.to_frame().select(at("y", place))["y"], expected)


@given(frame=frames(), options=options)
def test_lists_down_the_rows_are_arrays(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    arrays = pl.concat_arr("y", "x")
    frame = frame.with_columns(f=pl.when("mask").then(arrays) if EXPORTS_NULL_ARRAYS else arrays)
    slope = pg.gradient("f", x="x", by="k", **options)
    expected = frame.select(slope.arr.to_list())
    assert_frame_equal(frame.with_columns(pl.col("f").arr.to_list()).select(slope), expected, check_exact=True)


CONTEXTS = {
    "select": lambda slope: slope,
    "over": lambda slope: slope.over("k"),
    "over in order": lambda slope: slope.over("k", order_by="x"),
    "when": lambda slope: pl.when(pl.col("k") == "a").then(slope),
    "shift": lambda slope: slope.shift(1),
    "slice": lambda slope: slope.head(5),
}


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", ["array", "list"])
def test_every_context_on_every_engine(context: str, axis: int, dtype: str, engine: str) -> None:
    """Against the same query over a column for each place, put together after it."""
    rows = 30
    rng = np.random.default_rng(3)
    values = rng.normal(size=(rows, 4))
    frame = pl.DataFrame({"k": ["a", "b", "a"] * 10, "x": np.arange(rows) ** 1.5, "f": values})
    if dtype == "list":
        frame = frame.with_columns(pl.col("f").arr.to_list())
    within = CONTEXTS[context]
    slope = within(pg.gradient("f", axis=axis, **({"x": "x"} if axis == 0 else {"spacing": 0.5})))
    got = frame.lazy().select(slope.alias("f")).collect(engine=engine)["f"]
    if axis == 0:
        places = [pl.col("f").arr.get(place) if dtype == "array" else pl.col("f").list.get(place) for place in range(4)]
        each = [within(place.grad.gradient(x="x")).alias(str(index)) for index, place in enumerate(places)]
        expected = frame.select(each).to_numpy()
    else:
        slopes = pl.Series("f", np.gradient(values, 0.5, axis=1))
        expected = as_rows(frame.with_columns(slopes).select(within(pl.col("f")).alias("f"))["f"])
    assert_allclose(as_rows(got), np.array(expected, dtype=float), rtol=1e-13)


def as_rows(cells: pl.Series) -> np.ndarray:
    return np.array([[nan] * 4 if row is None else row for row in cells.to_list()], dtype=float)


def test_in_agg(engine: str) -> None:
    frame = pl.DataFrame({"k": ["a", "b", "a", "a"], "f": [[1.0, 2.0], [5.0, 7.0], [2.0, 4.0], [5.0, 1.0]]})
    frame = frame.with_columns(g=pl.col("f").list.to_array(2))
    for column in "fg":
        query = (
            frame.lazy().group_by("k", maintain_order=True).agg(pg.gradient(column), inside=pg.gradient(column, axis=1))
        )
        got = query.collect(engine=engine)
        assert got[column].to_list() == [[[1.0, 2.0], [2.0, -0.5], [3.0, -3.0]], [[None, None]]]
        assert got["inside"].to_list() == [[[1.0, 1.0], [2.0, 2.0], [-4.0, -4.0]], [[2.0, 2.0]]]


# What does not fit


def test_lists_of_different_lengths_are_no_neighbours() -> None:
    frame = pl.DataFrame({"f": [[1.0], [2.0], [4.0, 5.0], [6.0, 8.0], None, [7.0, 7.0]], "k": [1, 1, 2, 2, 2, 2]})
    with pytest.raises(
        ComputeError, match=r"one length to be neighbours, but in column `f` one of 1 values meets one of 2"
    ):
        frame.select(pg.gradient("f"))
    got = frame.select(pg.gradient("f", strict=False))["f"].to_list()
    assert got == [[1.0], [None], [None, None], [None, None], None, [None, None]]
    # Groups are on their own.
    got = frame.select(pg.gradient("f", by="k"))["f"].to_list()
    assert got == [[1.0], [1.0], [2.0, 3.0], [None, None], None, [None, None]]
    with pytest.raises(ComputeError, match=r"in the group `k` = 1"):
        frame.select(pg.gradient("f", by=pl.lit(1).alias("k")))
    with pytest.raises(ComputeError, match=r"one length down the rows, but in column `f` there are 1 and 2 values"):
        frame.select(pg.gradient("f", nulls="skip"))
    got = frame[2:].select(pg.gradient("f", nulls="skip"))["f"].to_list()
    assert got == [[2.0, 3.0], [1.5, 1.0], None, [1.0, -1.0]]


def test_coordinates_of_another_length() -> None:
    frame = pl.DataFrame({"f": [[1.0, 2.0], [4.0, 5.0, 7.0]], "x": [[0.0, 2.0], [0.0, 1.0]]})
    for x in ("x", [0.0, 2.0]):
        with pytest.raises(
            ComputeError, match=r"as many values as y in each cell, but column `x` has 2 and column `.*` has 3"
        ):
            frame.select(pg.gradient("f", x=x, axis=1))
        got = frame.select(pg.gradient("f", x=x, axis=1, strict=False))["f"].to_list()
        assert got == [[0.5, 0.5], [None, None, None]]


WRONG_AXES = {
    "flat": ("y", {"axis": 1}, r"`axis` must be 0, down the rows, as y column `y` is f64 with no axis inside, got 1"),
    "too far": ("f", {"axis": 2}, r"inside of y column `f`, which is list\[f64\], from 1 to 1 or from -1 to -1, got 2"),
    "too far back": ("f", {"axis": -2}, r"got -2"),
    "a coordinate a row": ("f", {"axis": 1, "x": "y"}, r"a list or an array of the coordinates.*but column `y` is f64"),
    "cells for a column": ("y", {"x": "f"}, r"one coordinate a row, but column `f` is list\[f64\]"),
    "strings": ("s", {"axis": 1}, r"numeric or temporal y, but column `s` is list\[str\]"),
    "no unit": ("f", {"axis": 1, "x": "f", "per": "1h"}, r"`per` is the unit of a temporal x"),
}


@pytest.mark.parametrize("case", WRONG_AXES)
def test_what_does_not_fit_fails_when_planned(case: str) -> None:
    column, arguments, message = WRONG_AXES[case]
    frame = pl.LazyFrame({"f": [[1.0, 2.0]], "y": [1.0], "s": [["a"]]})
    with pytest.raises(ComputeError, match=message):
        frame.select(pg.gradient(column, **arguments)).collect_schema()


WRONG_ARGUMENTS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "axis": ({"axis": 1.0}, TypeError, r"`axis` must be a whole number or a tuple of them, got 1.0"),
    "a flag": ({"axis": True}, TypeError, r"`axis` must be a whole number"),
    "no axes": ({"axis": ()}, ValueError, r"`axis` must be a whole number or a tuple of different ones, got \(\)"),
    "one twice": ({"axis": (1, 1)}, ValueError, r"different ones, got \(1, 1\)"),
    "by": ({"axis": 1, "by": "k"}, ValueError, r"`by` groups rows, but `axis` 1 stays inside of each"),
    "by with several": ({"axis": (1, 2), "by": "k"}, ValueError, r"`by` groups rows, but `axis` \(1, 2\)"),
    "x for several": ({"axis": (1, 2), "x": "x"}, TypeError, r"`x` must be a tuple with one for each axis, got str"),
    "too few x": ({"axis": (1, 2), "x": ("x",)}, ValueError, r"`x` must have one for each of 2 axes, got 1"),
    "too many steps": ({"axis": (1,), "spacing": (1.0, 2.0)}, ValueError, r"`spacing` must have one for each of 1"),
    "a number": ({"axis": 1, "x": 0.5}, TypeError, r"a sequence of coordinates, got float; for a constant step use"),
    "a matrix": ({"axis": 1, "x": [[0.0, 1.0]]}, ValueError, r"`x` must have one axis, got List"),
    "rows": (
        {"x": [0.0, 1.0]},
        TypeError,
        r"`x` must be a column name, an expression, a series or a 1-D array, got list",
    ),
}


@pytest.mark.parametrize("case", WRONG_ARGUMENTS)
def test_wrong_arguments_fail_at_once(case: str) -> None:
    arguments, kind, message = WRONG_ARGUMENTS[case]
    with pytest.raises(kind, match=message):
        pg.gradient("f", **arguments)


@pytest.mark.parametrize("axis", [0, 1])
def test_an_x_out_of_order(axis: int) -> None:
    x = [0.0, 2.0, 1.0]
    frame = pl.DataFrame({"f": np.ones((3, 3)), "x": x})
    remedy = "sort by `x`" if axis == 0 else "sort each cell by `x`"
    with pytest.raises(ComputeError, match=rf"in column `x` 2.0 is followed by 1.0; {remedy}"):
        frame.select(pg.gradient("f", x=x if axis else "x", axis=axis))


# Sizes at their ends


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("dtype", [pl.List(pl.Float64), pl.Array(pl.Float64, 2), pl.List(pl.Null)])
def test_nothing_to_differentiate(dtype: Any, axis: int, engine: str) -> None:
    empty = pl.Series("f", [], dtype=dtype)
    null = pl.Series("f", [None, None, None], dtype=dtype)
    for column in (empty, null):
        slope = pg.gradient("f", axis=axis)
        got = pl.LazyFrame(column).select(slope).collect(engine=engine)["f"]
        assert got.len() == column.len()
        assert got.null_count() == column.len()
        assert got.dtype == (pl.List(pl.Float64) if isinstance(dtype, pl.List) else dtype)


@pytest.mark.parametrize("values", [[], [[]], [None]], ids=["empty", "a cell", "null"])
@pytest.mark.parametrize("axis", [0, 1])
def test_arrays_without_width(values: list[Any], axis: int, engine: Any) -> None:
    """Polars itself cannot hand them to a plugin without losing rows."""
    frame = pl.LazyFrame({"f": pl.Series(values, dtype=pl.Array(pl.Float64, 0))})
    with pytest.raises(ComputeError, match="arrays must have a width of at least 1, but column `f` is"):
        frame.select(pg.gradient("f", axis=axis)).collect(engine=engine)


def test_one_value_has_no_slope() -> None:
    frame = pl.DataFrame({"f": [[1.0], [], None, [2.0, 5.0]]})
    assert frame.select(pg.gradient("f", axis=1))["f"].to_list() == [[None], [], None, [3.0, 3.0]]
    assert frame[:1].select(pg.gradient("f"))["f"].to_list() == [[None]]


def test_infinite_and_missing_values_stay_in_their_cells() -> None:
    frame = pl.DataFrame({"f": [[1.0, nan, 3.0, 4.0], [1.0, 2.0, 3.0, inf], [None, 2.0, 3.0, 4.0]]})
    first, second, third = frame.select(pg.gradient("f", axis=1))["f"].to_list()
    assert [math.isnan(slope) for slope in first] == [True, True, True, False]
    assert second == [1.0, 1.0, inf, inf]
    assert third == [None, None, 1.0, 1.0]


def test_times_inside_of_cells() -> None:
    frame = pl.DataFrame({"f": [[1, 4], [2, 3]], "at": [[0, 1_800], [0, 7_200]]})
    at = pl.col("at").list.eval(pl.element().cast(pl.Int64).mul(1_000).cast(pl.Datetime("ms", "Europe/Berlin")))
    frame = frame.with_columns(at.alias("at"))
    assert frame.select(pg.gradient("f", x="at", axis=1, per="1h"))["f"].to_list() == [[6.0, 6.0], [0.5, 0.5]]
    slopes = frame.select(pg.gradient("at", axis=1))["at"]
    assert slopes.dtype == pl.List(pl.Duration("ms"))
    assert [slope.total_seconds() for slope in slopes[0]] == [1800.0, 1800.0]


def test_a_series_by_itself() -> None:
    f = pl.Series("f", SEED)
    assert f.grad.gradient(axis=1).to_list() == np.gradient(SEED, axis=1).tolist()
    x = [0.0, 1.0, 3.0, 4.0]
    assert_allclose(f.grad.gradient(x, axis=1).to_numpy(), np.gradient(SEED, x, axis=1))
    assert_allclose(f.grad.gradient(pl.Series([x, x]), axis=1).to_numpy(), np.gradient(SEED, x, axis=1))
    assert_allclose(f.grad.gradient([0.0, 5.0]).to_numpy(), np.gradient(SEED, [0.0, 5.0], axis=0))
    got = f.grad.gradient(([0.0, 5.0], x), axis=(0, 1))
    for field, expected in zip(got.struct.fields, np.gradient(SEED, [0.0, 5.0], x), strict=True):
        assert_allclose(got.struct.field(field).to_numpy(), expected)


def test_more_values_than_one_thread_takes() -> None:
    """In parts, the last one not the longest."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(12_345, 97))
    x = np.cumsum(rng.uniform(0.1, 1, 97))
    frame = pl.DataFrame({"f": values})
    assert_allclose(
        frame.select(pg.gradient("f", x=x, axis=1))["f"].to_numpy(),
        np.gradient(values, x, axis=1),
        rtol=1e-9,
        atol=1e-12,
    )
    assert_allclose(frame.select(pg.gradient("f"))["f"].to_numpy(), np.gradient(values, axis=0), rtol=1e-9, atol=1e-12)
