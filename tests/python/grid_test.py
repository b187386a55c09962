"""Fields on a grid: each partial derivative is the gradient within the lines of the grid, in any order of rows."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal, assert_series_equal
from strategies import inf, nan, rising, tame_floats, wild_floats

import polars_grad as pg


def long(field: np.ndarray, *axes: Any) -> pl.DataFrame:
    """The field `f` in long format, with the coordinates `x0`, `x1`, ... and the place `row` in the array."""
    grid = np.meshgrid(*axes, indexing="ij")
    columns = {f"x{axis}": values.ravel() for axis, values in enumerate(grid)}
    return pl.DataFrame({**columns, "f": field.ravel()}).with_row_index("row")


def shuffled(frame: pl.DataFrame, seed: int = 0) -> pl.DataFrame:
    return frame.sample(fraction=1, shuffle=True, seed=seed)


def back(frame: pl.DataFrame, slopes: pl.Expr) -> pl.DataFrame:
    """Struct fields in the order of the array."""
    return frame.select("row", slopes.alias("_")).sort("row")["_"].struct.unnest()


def names(field: np.ndarray) -> list[str]:
    return [f"x{axis}" for axis in range(field.ndim)]


# On a full grid it is numpy.gradient of the array


@given(data=st.data(), shape=st.lists(st.integers(2, 5), min_size=1, max_size=3), edge_order=st.sampled_from([1, 2]))
def test_a_full_grid_is_the_array_of_numpy(data: st.DataObject, shape: list[int], edge_order: Any) -> None:
    shape = [length + edge_order - 1 for length in shape]
    size = math.prod(shape)
    field = np.array(data.draw(st.lists(tame_floats, min_size=size, max_size=size))).reshape(shape)
    axes = [rising(data.draw, length) for length in shape]
    frame = shuffled(long(field, *axes), data.draw(st.integers(0, 9)))
    expected = np.gradient(field, *axes, edge_order=edge_order)
    slopes = pg.partials("f", wrt=names(field), edge_accuracy=edge_order)
    for engine in ("in-memory", "streaming"):
        got = back(frame.lazy().with_columns(f="f").collect(engine=engine), slopes)
        assert got.columns == names(field)
        for column, partial in zip(got, expected if len(shape) > 1 else [expected], strict=True):
            assert_allclose(column.to_numpy(), np.ravel(partial), rtol=1e-6, atol=1e-6)


def test_the_documented_mesh() -> None:
    """A 2-by-3 mesh with spacings dy and dx."""
    dx, dy = 2.0, 3.0
    x, y = [index * dx for index in range(3)], [index * dy for index in range(2)]
    field = np.array([[10, 20, 30], [40, 50, 60]])
    frame = long(field, y, x).rename({"x0": "y", "x1": "x"})
    got = frame.select(pg.partials("f", wrt=["y", "x"]).struct.unnest())
    down, across = np.gradient(field, dy, dx)
    assert got["y"].to_list() == down.ravel().tolist() == [10.0] * 6
    assert got["x"].to_list() == across.ravel().tolist() == [5.0] * 6


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Int64, pl.UInt8, pl.Decimal(10, 2)])
def test_dtypes(dtype: Any) -> None:
    field = np.array([[1, 2, 4], [7, 11, 16], [0, 1, 5]])
    frame = shuffled(long(field, [0, 1, 3], [0.0, 0.5, 2.0])).with_columns(pl.col("f").cast(dtype))
    got = back(frame, pg.partials("f", wrt=["x0", "x1"]))
    assert got.dtypes == [pl.Float32 if dtype == pl.Float32 else pl.Float64] * 2
    for column, partial in zip(got, np.gradient(field.astype(float), [0, 1, 3], [0, 0.5, 2]), strict=True):
        assert_allclose(column.to_numpy(), partial.ravel(), rtol=1e-6)


# On any grid it is the gradient of the sorted rows


@st.composite
def sparse(draw: st.DrawFn) -> pl.DataFrame:
    """Some points of some grids, in any order, with nulls in the field."""
    points = [(k, x, y) for k in "ab" for x in (-1.5, 0.0, 0.25, 7.0) for y in (3, 1, 2)]
    rows = draw(st.permutations(points))[: draw(st.integers(0, len(points)))]
    f = draw(st.lists(st.one_of(wild_floats, st.none()), min_size=len(rows), max_size=len(rows)))
    frame = pl.DataFrame(rows, {"k": pl.String, "x": pl.Float64, "y": pl.Int64}, orient="row")
    return frame.with_columns(f=pl.Series(f, dtype=pl.Float64)).with_row_index("row")


@given(
    frame=sparse(),
    edge_order=st.sampled_from([1, 2]),
    nulls=st.sampled_from(["propagate", "skip", "split"]),
    gaps=st.sampled_from([None, 1.6, (2.0, 1), (None, 1)]),
)
def test_missing_points_are_wider_steps_or_gaps(frame: pl.DataFrame, edge_order: Any, nulls: Any, gaps: Any) -> None:
    # Points that form no grid are an error if strict.
    options: dict[str, Any] = {"nulls": nulls, "strict": False}
    slopes = pg.partials("f", wrt=["x", "y"], by="k", max_gap=gaps, edge_accuracy=edge_order, **options)
    got = frame.with_columns(slopes.struct.unnest())
    options["edge_order"] = edge_order
    each = gaps if isinstance(gaps, tuple) else (gaps, gaps)
    for x, other, gap in (("x", "y", each[0]), ("y", "x", each[1])):
        in_order = frame.sort("k", other, x)
        expected = in_order.with_columns(slope=pg.gradient("f", x=x, by=["k", other], max_gap=gap, **options))
        assert_series_equal(got[x], expected.sort("row")["slope"], check_names=False, check_exact=True)


@given(frame=sparse())
def test_magnitude_and_divergence_are_of_the_partials(frame: pl.DataFrame) -> None:
    # Points that form no grid are an error if strict.
    options: dict[str, Any] = {"wrt": ["x", "y"], "by": "k", "strict": False}
    partials = frame.select(pg.partials("f", **options).struct.unnest())
    lengths = [
        None if None in pair else nan if any(map(math.isnan, pair)) else math.hypot(*pair) for pair in partials.rows()
    ]
    got = frame.select(pg.magnitude("f", **options))["f"]
    assert_series_equal(got, pl.Series("f", lengths, dtype=pl.Float64), rel_tol=1e-15)
    vectors = frame.with_columns(g=pl.col("f") * 3 - pl.col("x"))
    each = [
        pl.col("f").grad.partials("x", by=["k", "y"], strict=False),
        pl.col("g").grad.partials("y", by=["k", "x"], strict=False),
    ]
    expected = vectors.select(each).select(pl.col("f").struct.field("x") + pl.col("g").struct.field("y"))["x"]
    for vector in (pl.struct("f", "g"), pl.concat_arr("f", "g"), pl.struct(y="g", x="f")):
        got = vectors.select(pg.divergence(vector.alias("v"), **options))["v"]
        assert_series_equal(got, expected, check_names=False, check_exact=True)


def test_long_and_short_vectors() -> None:
    frame = pl.DataFrame({"x": [0.0, 1, 0, 1], "y": [0.0, 0, 1, 1], "f": [0.0, 3, 4, 7]})
    for scale in (1.0, 1e300, 1e-300, 0.0):
        got = frame.select(pg.magnitude(pl.col("f") * scale, wrt=["x", "y"]))["f"]
        assert got.to_list() == pytest.approx([5 * scale] * 4, rel=1e-15)


# Order of rows, contexts, engines


def test_several_fields_and_expressions() -> None:
    field = np.arange(12.0).reshape(3, 4) ** 2
    frame = shuffled(long(field, range(3), range(4))).with_columns(g=pl.col("f") / 2)
    got = frame.select(pl.col("f", "g").grad.partials(wrt=["x0", "x1"]))
    assert got.columns == ["f", "g"]
    assert_series_equal(got["f"].struct.field("x1") / 2, got["g"].struct.field("x1"))
    half = frame.select(pg.partials("f", wrt=[pl.col("x0") / 2, pl.col("x1").alias("across")]))["f"]
    assert half.struct.fields == ["x0", "across"]
    assert_series_equal(half.struct.field("x0"), got["f"].struct.field("x0") * 2)


def test_in_over_and_agg(engine: str) -> None:
    field = np.random.default_rng(0).normal(size=(2, 3, 4))
    frame = shuffled(long(field, range(2), range(3), range(4)))
    by = frame.select("row", pg.partials("f", wrt=["x1", "x2"], by="x0"))
    over = frame.lazy().select("row", pg.partials("f", wrt=["x1", "x2"]).over("x0")).collect(engine=engine)
    assert_frame_equal(over, by)
    agg = frame.lazy().group_by("x0").agg(pg.partials("f", wrt=["x1", "x2"])).collect(engine=engine)
    expected = frame.select("x0", f=by["f"]).group_by("x0").agg("f")
    assert_frame_equal(agg.sort("x0"), expected.sort("x0"))


def test_a_key_may_be_called_like_a_coordinate() -> None:
    frame = pl.DataFrame({"x": [0, 1, 2, 3] * 2, "y": [0] * 4 + [1] * 4, "f": [1.0, 2.0, 5.0, 7.0] * 2})
    got = frame.select(pg.partials("f", ["x", "y"], by=pl.col("x") // 2).struct.unnest())
    assert got.to_dict(as_series=False) == {"x": [1.0, 1.0, 2.0, 2.0] * 2, "y": [0.0] * 8}


def test_times_as_a_coordinate() -> None:
    frame = pl.DataFrame({"t": [0, 0, 2, 2], "x": [0.0, 1.0, 0.0, 1.0], "f": [1.0, 2.0, 5.0, 8.0]})
    frame = frame.with_columns((pl.col("t") * 3_600_000).cast(pl.Datetime("ms", "UTC")))
    got = frame.select(pg.partials("f", wrt=["t", "x"], per="1h").struct.unnest())
    assert got.to_dict(as_series=False) == {"t": [2.0, 3.0, 2.0, 3.0], "x": [1.0, 1.0, 3.0, 3.0]}
    got = frame.select(pg.partials("f", wrt=["t", "x"], per="1h", max_gap=["90m", None]).struct.unnest())
    assert got["t"].to_list() == [None] * 4


# Points that are none


def test_a_point_without_a_coordinate_is_on_no_line() -> None:
    frame = pl.DataFrame({"x": [0, 1, 2, None, 1], "y": [0, 0, 0, 0, None], "f": [0.0, 1.0, 4.0, 9.0, 5.0]})
    frame = pl.concat([frame, pl.DataFrame({"x": [2], "y": [None], "f": [1.0]}, frame.schema)])
    got = frame.select(pg.partials("f", wrt=["x", "y"]).struct.unnest())
    assert got["x"].to_list() == [1.0, 2.0, 3.0, None, None, None]
    assert got["y"].null_count() == 6


@pytest.mark.parametrize(
    "dtype", [pl.Float32, pl.Float16, pl.Int8, pl.UInt64, pl.Int128, pl.Decimal(10, 1), pl.Date, pl.Boolean]
)
def test_coordinates_of_any_dtype(dtype: Any) -> None:
    frame = shuffled(long(np.array([[0, 1], [4, 7]]), [0, 1], [0, 1])).with_columns(pl.col("x0", "x1").cast(dtype))
    got = back(
        frame, pg.partials("f", wrt=["x0", "x1"]) if dtype != pl.Date else pg.partials("f", ["x0", "x1"], per="1d")
    )
    assert got.to_dict(as_series=False) == {"x0": [4.0, 6.0, 4.0, 6.0], "x1": [1.0, 1.0, 3.0, 3.0]}


def test_zero_has_no_sign() -> None:
    frame = pl.DataFrame({"x": [0.0, -0.0, 1.0, 1.0], "y": [0, 1, 0, 1], "f": [0.0, 1.0, 4.0, 7.0]})
    got = frame.select(pg.partials("f", wrt=["x", "y"]).struct.unnest())
    assert got.to_dict(as_series=False) == {"x": [4.0, 6.0, 4.0, 6.0], "y": [1.0, 1.0, 3.0, 3.0]}


def test_points_strewn_about_and_points_of_a_grid() -> None:
    """On a diagonal no two points share a line; with a whole grid beside it they do."""
    rows = pl.int_range(50, eager=True)
    strewn = pl.DataFrame({"x": rows, "y": rows, "f": rows * rows})
    with pytest.raises(ComputeError, match="the points must be those of a rectilinear grid"):
        strewn.select(pg.partials("f", wrt=["x", "y"]))
    lenient = pg.partials("f", wrt=["x", "y"], strict=False)
    assert strewn.select(lenient.struct.unnest()).null_count().row(0) == (50, 50)
    full = pl.DataFrame({"x": [0, 1, 2] * 3, "y": [0, 0, 0, 1, 1, 1, 2, 2, 2], "f": [0, 1, 4, 1, 2, 5, 4, 5, 8]}) - 10
    both = shuffled(pl.concat([strewn, full]))
    got = both.with_columns(pg.partials("f", wrt=["x", "y"]).struct.rename_fields(["fx", "fy"]).struct.unnest())
    assert_frame_equal(
        got.filter(pl.col("x") < 0).sort("y", "x").select("fx", "fy"),
        full.select(pg.partials("f", wrt=["x", "y"]).struct.rename_fields(["fx", "fy"]).struct.unnest()),
    )


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_no_place_and_no_value(nulls: Any) -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0, None, 2.0, 3.0], "f": [1.0, 2.0, 4.0, None, 8.0]})
    got = frame.select(pg.partials("f", "x", nulls=nulls).struct.unnest())["x"].to_list()
    expected = {"propagate": [1.0, None, None, None, None], "skip": [1.0, 5 / 3, None, None, 3.0]}
    assert got == pytest.approx(expected.get(nulls, [1.0, 1.0, None, None, None]), nan_ok=True)


def test_points_that_come_twice() -> None:
    frame = pl.DataFrame({"x": [0, 1, 1, 0, 1], "y": [0, 0, 0, 1, 1], "f": [0.0, 1.0, 4.0, 9.0, 5.0]})
    message = r"in column `x` 1 is followed by 1 in the group `y` = 0; drop duplicates, tell grids apart with `by`"
    with pytest.raises(ComputeError, match=message):
        frame.select(pg.partials("f", wrt=["x", "y"]))
    got = frame.select(pg.partials("f", wrt=["x", "y"], strict=False).struct.unnest())
    assert got["x"].to_list() == [1.0, None, None, -4.0, -4.0]
    nans = frame.with_columns(x=pl.Series([0.0, 1.0, nan, 0.0, 1.0]))
    for value, shown in ((nan, "NaN"), (inf, "inf")):
        odd = nans.with_columns(pl.col("x").replace(nan, value))
        with pytest.raises(ComputeError, match=f"coordinates must be finite, but in column `x` there is {shown}"):
            odd.select(pg.partials("f", wrt=["x", "y"]))
        # Such a point is on no line, and no other point's neighbour.
        got = odd.select(pg.partials("f", wrt=["x", "y"], strict=False).struct.unnest())
        assert got["x"].to_list() == [1.0, 1.0, None, -4.0, -4.0]
        assert got["y"].to_list() == [9.0, 4.0, None, 9.0, 4.0]


def test_nothing_to_differentiate(engine: str) -> None:
    empty = pl.LazyFrame(schema={"x": pl.Int64, "y": pl.Float64, "f": pl.Float32, "v": pl.Array(pl.Float64, 2)})
    query = empty.select(
        pg.partials("f", wrt=["x", "y"]),
        pg.magnitude("f", wrt=["x", "y"]).alias("m"),
        pg.divergence("v", wrt=["x", "y"]),
    )
    got = query.collect(engine=engine)
    assert got.schema == query.collect_schema()
    assert got.schema == {"f": pl.Struct({"x": pl.Float32, "y": pl.Float32}), "m": pl.Float32, "v": pl.Float64}
    one = pl.DataFrame({"x": [1], "f": [2.0]}).select(pg.partials("f", wrt="x").struct.unnest())
    assert one.to_dict(as_series=False) == {"x": [None]}


PLANNED = {
    "strings": (pg.partials("s", wrt="x"), r"`partials` takes a numeric or temporal field, but column `s` is str"),
    "a string as coordinate": (
        pg.partials("f", wrt=["x", "s"]),
        r"`partials` takes a numeric or temporal coordinate, but column `s` is str",
    ),
    "times to add": (pg.laplacian("t", wrt="x"), r"`laplacian` takes a field of numbers, but column `t` is datetime"),
    "no vector to turn": (pg.curl("f", wrt=["x", "t"]), r"`curl` takes a vector, a struct or an array.*`f` is f64"),
    "times": (pg.magnitude("t", wrt="x"), r"only numbers can be added up, but a partial derivative of `t` is duration"),
    "no vector": (pg.divergence("f", wrt=["x"]), r"`divergence` takes a vector, a struct or an array.*`f` is f64"),
    "half a name": (pg.divergence(pl.struct("f", "x"), wrt=["x", "t"]), r"all of them or none"),
    "cells": (
        pg.partials("f", wrt=pl.concat_list("x")),
        r"coordinates must be numbers or times, but `x` is list\[f64\]",
    ),
    "too short": (pg.divergence(pl.struct("f"), wrt=["x", "t"]), r"column `f` has 1 and `wrt` 2"),
    "no time": (pg.partials("f", wrt="x", per="1h"), r"`per` is the unit of a temporal x, but x column `x` is f64"),
}


@pytest.mark.parametrize("case", PLANNED)
def test_what_does_not_fit_fails_when_planned(case: str) -> None:
    slopes, message = PLANNED[case]
    schema = {"x": pl.Float64, "f": pl.Float64, "s": pl.String, "t": pl.Datetime("ms")}
    with pytest.raises(ComputeError, match=message):
        pl.LazyFrame(schema=schema).select(slopes).collect_schema()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"wrt": []}, ValueError, r"`wrt` must name at least one column, got none"),
        ({"wrt": 1}, TypeError, r"`wrt` must be a column name or an expression, got int"),
        ({"wrt": ["x", pl.col("x")]}, ValueError, r"`wrt` must name different coordinates, got x, x"),
        ({"wrt": [["x"]]}, TypeError, r"got list; several go in one flat list"),
        ({"wrt": "x", "max_gap": [1, 2]}, ValueError, r"`max_gap` must have one for each of 1"),
        ({"wrt": "x", "edge_accuracy": 9}, ValueError, r"`edge_accuracy` must be from 1 to 8, got 9"),
        ({"wrt": "x", "accuracy": 8}, ValueError, r"`edge_accuracy` must be at least 3"),
        ({"wrt": "x", "by": []}, ValueError, r"`by` must name at least one column"),
    ],
)
@pytest.mark.parametrize("function", [pg.partials, pg.magnitude, pg.divergence])
def test_wrong_arguments_fail_at_once(function: Any, arguments: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        function("f", **arguments)


# Higher derivatives


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
@pytest.mark.parametrize(
    "options", [{"order": 2}, {"accuracy": 4, "edge_accuracy": 4}, {"order": 3, "accuracy": 1}], ids=str
)
def test_partials_are_derivatives_along_the_lines(options: dict[str, Any], nulls: Any) -> None:
    x, y = [0.0, 0.5, 2.0, 2.5, 4.0, 7.0, 7.5], [1, 2, 4, 5, 6, 9]
    rng = np.random.default_rng(3)
    frame = shuffled(long(rng.normal(size=(len(x), len(y))), x, y))
    frame = frame.with_columns(f=pl.when(pl.col("row") != 20).then("f"))
    got = frame.with_columns(pg.partials("f", wrt=["x0", "x1"], nulls=nulls, **options).struct.unnest()).sort("row")
    options = {"edge_accuracy": 1, **options}
    for axis, other in (("x0", "x1"), ("x1", "x0")):
        slope = pg.derivative("f", x=axis, by=other, nulls=nulls, **options)
        expected = frame.sort(other, axis).with_columns(slope=slope).sort("row")["slope"]
        assert_series_equal(got[axis], expected, check_names=False, check_exact=True)


def test_the_laplacian_is_the_sum_of_second_derivatives(engine: str) -> None:
    axes = [0.0, 1.0, 3.0, 4.5, 5.0], [2.0, 2.5, 3.0, 7.0], [0.0, 0.5, 1.0, 3.0, 4.0, 4.5]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    frame = shuffled(long(x**2 * z + y**3 - x * y + z**2, *axes))
    got = frame.lazy().select("row", value=pg.laplacian("f", wrt=["x0", "x1", "x2"])).collect(engine=engine).sort("row")
    assert_allclose(got["value"].to_numpy(), (2 * z + 6 * y + 2).ravel(), atol=1e-11)
    second = frame.select(pg.partials("f", wrt=["x0", "x1", "x2"], order=2, edge_accuracy=2).struct.unnest())
    expected = frame.select("row", value=second.sum_horizontal()).sort("row")["value"]
    assert_allclose(got["value"].to_numpy(), expected.to_numpy(), rtol=1e-14)
    single = frame.with_columns(pl.col("f").cast(pl.Float32)).select(pg.laplacian("f", wrt=["x0", "x1", "x2"]))
    assert single.schema == {"f": pl.Float32}
    line = pl.DataFrame({"x": [0.0, 1.0, 2.0], "f": [0.0, 1.0, 4.0]})
    assert line.select(pg.laplacian("f", wrt="x"))["f"].to_list() == [None] * 3


def test_the_curl_in_the_plane_and_in_space() -> None:
    axes = [0.0, 1.0, 3.0], [2.0, 2.5, 4.0], [0.0, 0.5, 2.0]
    x, y, z = (values.ravel() for values in np.meshgrid(*axes, indexing="ij"))
    frame = pl.DataFrame({"x": x, "y": y, "z": z, "u": y * z, "v": 3 * x * z, "w": -2 * x * y})
    frame = shuffled(frame.with_row_index("row"))
    wrt, v = ["x", "y", "z"], pl.struct("u", "v", "w")
    got = frame.select("row", pg.curl(v, wrt=wrt).alias("_")).sort("row")["_"].struct.unnest()
    assert got.columns == wrt
    for name, expected in (("x", -2 * x - 3 * x), ("y", y + 2 * y), ("z", 3 * z - z)):
        assert_allclose(got[name].to_numpy(), expected, atol=1e-12)
    # In each plane it is the component across it; fields of the names of coordinates are told by these.
    flat = frame.select("row", "x", "y", value=pg.curl(pl.struct("u", "v"), wrt=["x", "y"], by="z")).sort("row")
    assert_allclose(flat["value"].to_numpy(), 2 * z, atol=1e-12)
    named = frame.select("row", value=pg.curl(pl.struct(y="v", x="u"), wrt=["x", "y"], by="z")).sort("row")
    assert named["value"].equals(flat["value"])
    turned = frame.select("row", value=pg.curl(pl.struct("v", "u"), wrt=["y", "x"], by="z")).sort("row")
    assert_allclose(turned["value"].to_numpy(), -2 * z, atol=1e-12)
    array = frame.select("row", value=pg.curl(pl.concat_arr("u", "v"), wrt=["x", "y"], by="z")).sort("row")
    assert array["value"].equals(flat["value"])
    for points in (["x"], ["x", "y", "z", "t"]):
        with pytest.raises(ValueError, match="`wrt` must name the 2 or 3 coordinates of a curl"):
            pg.curl("v", wrt=points)


# Columns as an axis


@given(data=st.data(), rows=st.integers(0, 6), width=st.integers(1, 5))
def test_columns_side_by_side_are_cells(data: st.DataObject, rows: int, width: int) -> None:
    cells = st.lists(st.one_of(wild_floats, st.none()), min_size=rows, max_size=rows)
    frame = pl.DataFrame({f"s{place}": pl.Series(data.draw(cells), dtype=pl.Float64) for place in range(width)})
    x = rising(data.draw, width)
    for options in ({}, {"x": x}, {"spacing": 0.5}, {"x": x, "max_gap": 20.0}, {"nulls": "skip"}, {"nulls": "split"}):
        got = frame.select(pg.gradient_horizontal(frame.columns, **options))
        assert got.columns == ["s0"]
        expected = frame.select(pl.concat_arr(pl.all()).grad.gradient(axis=1, **options))["s0"]
        for place, column in enumerate(got["s0"].struct.unnest()):
            assert column.name == f"s{place}"
            assert_series_equal(column, expected.arr.get(place), check_names=False, check_exact=True)


def test_columns_are_named_as_in_polars() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": [3, 5], "c": [9, 9]})
    expected = {"a": [2.0, 3.0], "b": [4.0, 3.5], "c": [6.0, 4.0]}
    for columns in (["a", "b", "c"], [["a", "b", "c"]], [pl.all()], ["a", pl.col("b", "c")]):
        got = frame.select(pg.gradient_horizontal(*columns))
        assert got.columns == ["a"]
        assert got["a"].struct.unnest().to_dict(as_series=False) == expected
    each_row = frame.with_columns(x=pl.Series([[0, 1, 2], [0, 2, 4]]))
    got = each_row.select(pg.gradient_horizontal("a", "b", "c", x="x"))["a"].struct.unnest()
    assert got.to_dict(as_series=False) == {"a": [2.0, 1.5], "b": [4.0, 1.75], "c": [6.0, 2.0]}


def test_dtypes_side_by_side(engine: str) -> None:
    frame = pl.LazyFrame(
        {"i": [2**53], "j": [2**53 + 1], "f": [1.0], "g": [2.0], "t": [0], "u": [7]},
        {"i": pl.Int64, "j": pl.UInt64, "f": pl.Float32, "g": pl.Float32, "t": pl.Time, "u": pl.Time},
    )
    one = frame.select(pg.gradient_horizontal("i", "j").struct.unnest()).collect(engine=engine)
    assert one.to_dict(as_series=False) == {"i": [1.0], "j": [1.0]}
    small = frame.select(pg.gradient_horizontal("f", "g").struct.unnest()).collect(engine=engine)
    assert small.dtypes == [pl.Float32, pl.Float32]
    times = frame.select(pg.gradient_horizontal("t", "u").struct.unnest()).collect(engine=engine)
    assert times.dtypes == [pl.Duration("ns")] * 2
    with pytest.raises(
        ComputeError, match="columns must be of one dtype, or all be numbers, but `i` is i64 and `t` is time"
    ):
        frame.select(pg.gradient_horizontal("i", "t")).collect_schema()
    with pytest.raises(ComputeError, match=r"columns must be of numbers or times, but `i` is list\[i64\]"):
        frame.select(pg.gradient_horizontal(pl.concat_list("i"))).collect_schema()
    zoned = frame.select(pl.col("i", "j").cast(pl.Int64).cast(pl.Datetime("us", "Europe/Berlin")))
    assert zoned.select(pg.gradient_horizontal("i", "j").struct.unnest()).collect(engine=engine).rows() == [
        (timedelta(microseconds=1), timedelta(microseconds=1))
    ]


@pytest.mark.parametrize(
    ("columns", "options", "kind", "message"),
    [
        ([], {}, ValueError, r"`columns` must name at least one column, got none"),
        ([1], {}, TypeError, r"`columns` must be a column name or an expression, got int"),
        (["a"], {"x": 1.0}, TypeError, r"`x` must be a column name, an expression or a sequence of coordinates"),
        (["a"], {"x": []}, ValueError, r"`x` must have one coordinate for each place along the axis, got none"),
        (["a"], {"x": [1.0], "spacing": 2}, ValueError, r"`x` and `spacing` exclude each other"),
    ],
)
def test_wrong_columns_fail_at_once(columns: Any, options: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        pg.gradient_horizontal(*columns, **options)


def test_not_as_many_coordinates_as_columns() -> None:
    frame = pl.DataFrame({"a": [1], "b": [3]})
    with pytest.raises(
        ComputeError, match=r"as many values as y in each cell, but column `x` has 3 and column `.*` has 2"
    ):
        frame.select(pg.gradient_horizontal("a", "b", x=[1, 2, 3]))
