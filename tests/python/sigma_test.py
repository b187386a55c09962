"""A column `sigma`: weighted least squares and standard errors in fractions; every face, nulls, points, errors."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ids import shown
from polars.exceptions import ComputeError, PolarsError
from polars.testing import assert_frame_equal, assert_series_equal
from strategies import assert_same

import polars_grad as pg

EPS = Fraction(2) ** -52
# Each operator that takes a column of standard deviations.
CASES: list[tuple[Any, dict[str, Any]]] = [
    (pg.derivative, {"with_error": True}),
    (pg.derivative, {"with_error": True, "order": 2, "accuracy": 3, "edge_accuracy": 1}),
    (pg.derivative, {"with_error": True, "accuracy": 3, "side": "backward"}),
    (pg.rolling_slope, {"window_size": 4, "with_error": True}),
    (pg.rolling_slope, {"window_size": 5, "center": True, "min_samples": 3}),
]
STREAMED = pytest.mark.parametrize(("function", "options"), CASES, ids=shown)


def frame(rows: int = 600, *, nulls: bool = True) -> pl.DataFrame:
    """Rows of three groups, one after the other, with nulls in each column."""
    rng = np.random.default_rng(7)
    data = pl.DataFrame(
        {
            "k": np.arange(rows) * 3 // rows,
            "t": np.cumsum(rng.uniform(0.5, 1.5, rows)),
            "y": rng.normal(size=rows) + 1e6,
            "s": 10.0 ** rng.uniform(-2, 2, rows),
        }
    )
    row = pl.int_range(pl.len())
    holes = [(row % 37 != number * 11).alias(f"{name}_is_there") for number, name in enumerate("yst")]
    if not nulls:
        return data
    holey = [pl.when(hole).then(pl.col(name)) for hole, name in zip(holes, "yst", strict=True)]
    return data.with_columns(holey)


# Exact arithmetic


def weighted_line(points: list[tuple[Any, Any, Any]]) -> tuple[Fraction, Fraction, Fraction] | None:
    """The slope of the weighted line, the sum of its absolute terms, and the square of its standard error."""
    xs, ys, sigmas = ([Fraction(value) for value in column] for column in zip(*points, strict=True))
    weights = [1 / sigma**2 for sigma in sigmas]
    total = sum(weights)
    x_mean, y_mean = (sum(w * v for w, v in zip(weights, values, strict=True)) / total for values in (xs, ys))
    xx = sum(w * (x - x_mean) ** 2 for w, x in zip(weights, xs, strict=True))
    if xx == 0:
        return None
    terms = [w * (x - x_mean) * (y - y_mean) / xx for w, x, y in zip(weights, xs, ys, strict=True)]
    return sum(terms, Fraction(0)), sum(map(abs, terms), Fraction(0)), 1 / xx


numbers = st.integers(-(2**20), 2**20).map(lambda number: number / 64) | st.floats(-1e3, 1e3)
steps = st.integers(1, 2**10).map(lambda number: number / 16) | st.floats(0.01, 100)
sigmas = st.sampled_from([0.01, 0.3, 1.0, 1.5, 40.0]) | st.floats(1e-3, 1e3)


@given(
    rows=st.lists(st.tuples(numbers, steps, sigmas), min_size=1, max_size=50),
    size=st.integers(2, 20),
    y_offset=st.sampled_from([0.0, -1e9]),
    x_offset=st.sampled_from([0.0, 1.7e9]),
    by_length=st.booleans(),
)
def test_a_weighted_line_is_exact(
    rows: list[tuple[float, float, float]], size: int, y_offset: float, x_offset: float, *, by_length: bool
) -> None:
    points, position = [], x_offset
    for value, step, sigma in rows:
        position += step
        points.append((position, value + y_offset, sigma))
    if by_length:
        length = size * 7.5
        windows = [
            [p for p in points if Fraction(own) - Fraction(length) < Fraction(p[0]) <= own] for own, *_ in points
        ]
        window, fewest = {"window_size": length}, 2
    else:
        windows = [points[max(0, row - size + 1) : row + 1] for row in range(len(points))]
        window, fewest = {"window_size": size}, size
    data = pl.DataFrame(points, schema=["x", "y", "s"], orient="row")
    slope = pg.rolling_slope("y", x="x", sigma="s", with_error=True, **window)
    for got, window_of in zip(data.select(slope).to_series(), windows, strict=True):
        expected = weighted_line(window_of) if len(window_of) >= fewest else None
        if expected is None:
            assert got is None
        else:
            exact, terms, variance = expected
            assert abs(Fraction(got["value"]) - exact) <= 4 * EPS * terms + Fraction(5e-324)
            assert got["stderr"] == pytest.approx(math.sqrt(variance), rel=1e-12)


def weights_of(xs: list[Fraction], own: Fraction, order: int) -> list[Fraction]:
    """The weights of the values in the derivative at `own` of the polynomial through rows at `xs`."""
    weights = []
    for k, x_k in enumerate(xs):
        # The Lagrange polynomial of the row, in powers of x - own.
        powers = [Fraction(1)]
        for j, x_j in enumerate(xs):
            if j != k:
                root, scale = x_j - own, 1 / (x_k - x_j)
                shifted = [Fraction(0), *powers]
                powers = [(a - root * b) * scale for a, b in zip(shifted, [*powers, Fraction(0)], strict=True)]
        weights.append(powers[order] * math.factorial(order))
    return weights


def stencil(row: int, rows: int, order: int, accuracy: int, side: str) -> list[range] | None:
    """The rows whose polynomials are averaged at a row."""
    count = order + accuracy
    half = count // 2
    if side == "center" and half <= row < rows - half:
        first = row - half
        return [range(first, first + count)] if count % 2 else [range(f, f + count) for f in (first, first + 1)]
    first = {"backward": row - count + 1, "forward": row}.get(side, 0 if row <= rows - 1 - row else rows - count)
    return [range(first, first + count)] if first >= 0 and first + count <= rows else None


@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("side", ["center", "backward", "forward"])
@pytest.mark.parametrize(("order", "accuracy"), [(1, 1), (1, 2), (1, 4), (2, 2), (2, 3), (3, 2), (4, 4)])
def test_the_standard_error_is_that_of_exact_weights(order: int, accuracy: int, side: Any, *, even: bool) -> None:
    rows = 80
    data = frame(rows, nulls=False)
    xs = [Fraction(row) for row in range(rows)] if even else [Fraction(x) for x in data["t"]]
    variances = [Fraction(sigma) ** 2 for sigma in data["s"]]
    options: dict[str, Any] = {"order": order, "accuracy": accuracy, "side": side, "with_error": True}
    got = data.select(pg.derivative("y", None if even else "t", sigma="s", **options)).to_series()
    for row in range(rows):
        parts = stencil(row, rows, order, accuracy, side)
        if parts is None:
            assert got[row] is None
            continue
        total = dict.fromkeys(range(rows), Fraction(0))
        for part in parts:
            for other, weight in zip(part, weights_of([xs[r] for r in part], xs[row], order), strict=True):
                total[other] += weight / len(parts)
        exact = sum(weight**2 * variances[other] for other, weight in total.items())
        assert got[row]["stderr"] == pytest.approx(math.sqrt(exact), rel=1e-11), row
    # The other fields are those without it.
    plain = data.select(pg.derivative("y", None if even else "t", **options)).to_series().struct.unnest()
    assert_frame_equal(got.struct.unnest().drop("stderr"), plain.drop("stderr"), check_exact=True)


def test_one_sigma_for_all_rows_and_a_column_of_it_agree() -> None:
    data = frame(nulls=False).with_columns(s=0.25)
    for function, options in CASES:
        column, number = (
            data.select(function("y", "t", sigma=sigma, **options | {"with_error": True})).to_series().struct.unnest()
            for sigma in ("s", 0.25)
        )
        assert_frame_equal(column, number, rel_tol=1e-12)


@pytest.mark.parametrize("exponent", [-300, -170, 170, 290])
def test_deviations_of_any_size(exponent: int) -> None:
    data = frame(200, nulls=False)
    scale = 10.0**exponent
    for function, own in CASES:
        options = own | {"with_error": True}
        plain, scaled = (
            data.with_columns(pl.col("s") * factor).select(function("y", "t", sigma="s", **options)).to_series()
            for factor in (1.0, scale)
        )
        got = scaled.struct.field("stderr") / scale
        assert_series_equal(got, plain.struct.field("stderr"), rel_tol=1e-12)
        assert_series_equal(scaled.struct.field("value"), plain.struct.field("value"), rel_tol=1e-12)


# Faces


@STREAMED
@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_every_face_has_the_same_bits(function: Any, options: dict[str, Any], nulls: Any) -> None:
    data = frame()
    domain = {**options, "nulls": nulls}
    call = function("y", "t", sigma="s", by="k", **domain)
    expected = data.select(call).to_series()
    assert 0 < expected.null_count() < expected.len()
    over = function("y", "t", sigma="s", **domain)
    assert_same(data.select(over.over("k")).to_series(), expected)
    agg = data.group_by("k", maintain_order=True).agg(over).explode("y", empty_as_null=False)["y"]
    assert_same(agg, expected)
    parts = [part.select(over).to_series() for part in data.partition_by("k")]
    assert_same(pl.concat(parts), expected)
    interleaved = data.with_row_index().sort(pl.int_range(pl.len()).over("k"), "k")
    assert_same(interleaved.with_columns(y=call).sort("index")["y"], expected)

    series = getattr(data["y"].grad, function.__name__)
    for sigma in (data["s"], data["s"].to_list(), pl.Series(data["s"].to_list())):
        assert_same(series(x=data["t"], sigma=sigma, by=data["k"], **domain), expected)
    for sigma in (pl.col("s"), pl.col("s") * 1.0, data["s"], (pl.col("s") / 1.0).alias("y"), pl.col("s").alias("t")):
        again = function("y", "t", sigma=sigma, by="k", **domain)
        assert_same(data.select(again).to_series(), expected)
    assert_same(
        data.select(pl.col("y").grad.__getattribute__(function.__name__)("t", sigma="s", by="k", **domain)).to_series(),
        expected,
    )

    chunks = pl.concat([data[:101], data[101:102], data[102:]], rechunk=False)
    batches = [data[start : start + 37] for start in range(0, data.height, 37)]
    for engine in ("in-memory", "streaming"):
        assert_same(chunks.lazy().select(call).collect(engine=engine).to_series(), expected)
        added = data.lazy().grad.with_columns(d=call, e=function("y", "t", sigma=pl.col("s") * 1, by="k", **domain))
        added = added.collect(engine=engine)
        assert_same(added["d"].alias("y"), expected)
        assert_same(added["e"].alias("y"), expected)
    assert_same(pl.concat(pg.stitch(batches, d=call))["d"].alias("y"), expected)


@STREAMED
def test_cells(function: Any, options: dict[str, Any]) -> None:
    data = frame(nulls=False).with_columns(pl.when(pl.int_range(pl.len()) % 31 != 5).then("s").alias("s"))
    flat = function("y", "t", sigma="s", **options)
    expected = data.select(flat.over("k")).to_series()
    lists = data.group_by("k", maintain_order=True).all()
    inside = function("y", pl.col("t"), sigma="s", axis=1, **options)
    assert_same(lists.select(inside).to_series().explode(empty_as_null=False), expected)
    arrays = lists.with_columns(pl.col("y", "t", "s").list.to_array(200))
    assert_same(arrays.select(inside).to_series().explode(empty_as_null=False), expected)
    series = getattr(lists["y"].grad, function.__name__)
    assert_same(series(x=lists["t"], sigma=lists["s"], axis=1, **options).explode(empty_as_null=False), expected)
    # Each place down the rows is a column; one sigma a row is that of each of its values.
    columns = data.select("k", "t", "s", y=pl.concat_arr("y", pl.col("y") * 3), ss=pl.concat_arr("s", pl.col("s") * 3))
    for sigma, second in (("ss", pl.col("s") * 3), ("s", pl.col("s"))):
        down = columns.select(function("y", "t", sigma=sigma, by="k", **options)).to_series()
        by_place = [
            data.select(function(pl.col("y") * factor, "t", sigma=own, by="k", **options)).to_series()
            for factor, own in ((1, pl.col("s")), (3, second))
        ]
        for place, own in enumerate(by_place):
            assert_same(down.arr.get(place), own)


def test_literals_aggregations_and_a_name_that_is_a_duration() -> None:
    data = frame(nulls=False)
    expected = data.with_columns(s=pl.lit(2.0)).select(pg.derivative("y", "t", with_error=True, sigma="s")).to_series()
    literal = data.select(pg.derivative("y", "t", with_error=True, sigma=pl.lit(2.0))).to_series()
    assert_same(literal, expected)
    mean = pg.rolling_slope("y", "t", window_size=4, sigma=pl.col("s").mean().over("k"))
    of_group = pg.rolling_slope("y", "t", window_size=4, sigma=pl.col("s").mean())
    assert_frame_equal(
        data.select(of_group.over("k")),
        pl.concat(part.select(mean) for part in data.partition_by("k")),
        check_exact=True,
    )
    named = data.rename({"s": "3ms"})
    assert named.select(pg.rolling_slope("y", "t", window_size=4, sigma=pl.col("3ms"))).height == data.height


@pytest.mark.parametrize(
    "dtype",
    [
        pl.Float64,
        pl.Float32,
        pl.Float16,
        pl.Int8,
        pl.UInt16,
        pl.Int64,
        pl.UInt64,
        pl.Int128,
        pl.UInt128,
        pl.Decimal(12, 3),
    ],
    ids=str,
)
def test_sigma_of_any_number(dtype: Any) -> None:
    rows = pl.int_range(300)
    data = pl.select(y=(rows * 7 % 13).cast(pl.Float64), s=(1 + rows * 5 % 9).cast(pl.Float64))
    data = data.with_columns(pl.when(rows % 50 != 7).then("s").alias("s"))
    for function, options in CASES:
        call = function("y", spacing=1, sigma="s", **options)
        got = data.with_columns(pl.col("s").cast(dtype)).select(call).to_series()
        assert_same(got, data.select(call).to_series())


def test_the_unit_of_sigma_is_that_of_y() -> None:
    data = frame(nulls=False).with_columns(pl.col("y", "s").round(6))
    microseconds = (pl.col("y") * 1e6).round().cast(pl.Int64)
    times = data.select(
        "t",
        y=pl.lit(datetime(2024, 1, 1)) + pl.duration(microseconds=microseconds),  # noqa: DTZ001, a dtype
        s=pl.duration(nanoseconds=(pl.col("s") * 1e9).round().cast(pl.Int64)).cast(pl.Duration("ns")),
        decimal=pl.col("y").round(6).cast(pl.Decimal(28, 6)),
        number="s",
    )
    for function, own in CASES:
        options = own | {"with_error": True}
        if options.get("order") == 2:
            continue
        expected = data.select(function("y", "t", sigma="s", **options)).to_series().struct.unnest()
        got = times.select(function("y", "t", sigma="s", **options)).to_series().struct.unnest()
        seconds = got.select(pl.all().dt.total_microseconds() / 1e6)
        assert_frame_equal(seconds, expected, abs_tol=1e-5, rel_tol=1e-6)
        decimals = times.select(function("decimal", "t", sigma="number", **options)).to_series().struct.unnest()
        assert_frame_equal(decimals, expected, rel_tol=1e-6, abs_tol=1e-5)


# Nulls


def test_a_null_sigma_is_felt_by_the_standard_error_only() -> None:
    data = frame(nulls=False).with_columns(pl.when(pl.int_range(pl.len()) != 300).then("s").alias("s"))
    for nulls in ("propagate", "skip", "split"):
        got = data.select(pg.derivative("y", "t", accuracy=4, with_error=True, sigma="s", nulls=nulls)).to_series()
        assert got.null_count() == 0
        got = got.struct.unnest()
        plain = data.select(pg.derivative("y", "t", accuracy=4, with_error=True)).to_series().struct.unnest()
        assert_frame_equal(got.drop("stderr"), plain.drop("stderr"), check_exact=True)
        assert got["stderr"].is_null().arg_true().to_list() == [298, 299, 300, 301, 302]
    nothing = data.with_columns(s=None).select(pg.derivative("y", "t", with_error=True, sigma="s"))
    assert nothing.to_series().struct.field("stderr").null_count() == data.height


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_a_null_sigma_counts_as_a_null_y_where_rows_are_weighed(nulls: Any) -> None:
    data = frame(nulls=False)
    hole = pl.int_range(pl.len()) % 29 != 3
    without_sigma = data.with_columns(pl.when(hole).then("s").alias("s"))
    without_y = data.with_columns(pl.when(hole).then("y").alias("y"))
    slope = pg.rolling_slope("y", "t", window_size=4, sigma="s", with_error=True, nulls=nulls, by="k")
    expected = without_y.select(slope)
    assert_frame_equal(without_sigma.select(slope), expected, check_exact=True)
    batches = [without_sigma[start : start + 23] for start in range(0, data.height, 23)]
    assert_frame_equal(pl.concat(pg.stitch(batches, y=slope)).select("y"), expected, check_exact=True)
    assert without_sigma.with_columns(s=None).select(slope).to_series().null_count() == data.height


# Points


@given(
    rows=st.lists(
        st.tuples(st.none() | st.integers(-9, 9), st.integers(0, 1), st.none() | st.integers(1, 9)), max_size=40
    ),
    duplicates=st.sampled_from(["first", "last", "mean"]),
    number=st.integers(0, len(CASES) - 1),
)
def test_the_sigma_of_a_point(rows: list[tuple[Any, int, Any]], duplicates: Any, number: int) -> None:
    """That of the row whose y it has, or that of the mean: the root of the sum of squares over the number of rows."""
    function, options = CASES[number]
    options = options | {"with_error": True}
    weighs = function is pg.rolling_slope
    schema = {"y": pl.Float64, "x": pl.Int64, "s": pl.Float64}
    data = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("x").cum_sum())
    counts = pl.col("y").is_not_null() & (pl.col("s").is_not_null() | (not weighs))
    own = [pl.col(name).filter(counts) for name in ("y", "s")]
    take = {
        "first": [column.first() for column in own],
        "last": [column.last() for column in own],
        "mean": [
            own[0].mean(),
            pl.when(own[1].null_count() == 0).then((own[1] ** 2).sum().sqrt() / own[1].len()),
        ],
    }[duplicates]
    points = data.group_by("x", maintain_order=True).agg(y=take[0], s=take[1])
    of_points = points.select("x", d=function("y", "x", sigma="s", **options))
    merged = data.select(function("y", "x", sigma="s", duplicates=duplicates, **options)).to_series().alias("d")
    expected = data.join(of_points, on="x", how="left", maintain_order="left").select(pl.when(counts).then("d"))
    got = data.with_columns(d=merged).select(pl.when(counts).then("d"))
    assert_frame_equal(got.unnest("d"), expected.unnest("d"), rel_tol=1e-12, abs_tol=1e-12)
    assert data.with_columns(d=merged).filter(~counts)["d"].null_count() == data.filter(~counts).height


# Errors


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"s": 0.0}, r"`sigma` must be finite and positive, but in column `s` there is 0\.0"),
    ({"s": -1.5}, r"but in column `s` there is -1\.5"),
    ({"s": math.nan}, "but in column `s` there is NaN"),
    ({"s": math.inf}, "but in column `s` there is inf"),
]


@STREAMED
@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=str)
def test_a_sigma_that_is_not_positive(
    function: Any, options: dict[str, Any], wrong: dict[str, float], message: str
) -> None:
    data = frame(nulls=False).with_columns(
        pl.when(pl.int_range(pl.len()) == 400).then(wrong["s"]).otherwise("s").alias("s")
    )
    call = function("y", "t", sigma="s", by="k", **options)
    in_group = message + ".*`k` = 2.*strict=False"
    with pytest.raises(ComputeError, match=in_group):
        data.select(call)
    with pytest.raises(ComputeError, match="row 400.*" + in_group):
        list(pg.stitch([data[:390], data[390:]], d=call))
    with pytest.raises(ComputeError, match=message):
        data.group_by("k").all().select(function("y", pl.col("t"), sigma="s", axis=1, **options))
    lenient = function("y", "t", sigma="s", by="k", strict=False, **options)
    missing = data.with_columns(pl.when(pl.int_range(pl.len()) != 400).then("s").alias("s"))
    assert_frame_equal(data.select(lenient), missing.select(call), check_exact=True)
    # Without a y, or an x, there is nothing to weigh.
    for name in ("y", "t"):
        unread = data.with_columns(pl.when(pl.int_range(pl.len()) != 400).then(name).alias(name))
        assert unread.select(call).height == data.height


DTYPES: list[tuple[Any, str]] = [
    (
        pl.col("s").cast(pl.String),
        "`sigma` must be numbers where y is, but column `s` is String.* y column `y` is Float64",
    ),
    (pl.col("s") > 1, "`sigma` must be numbers where y is, but column `s` is Boolean"),
    (pl.duration(seconds="s").alias("s"), "`sigma` must be numbers where y is, but column `s` is Duration"),
    (pl.struct("s").alias("s"), "`sigma` must be numbers where y is, but column `s` is Struct"),
    (
        pl.concat_list("s").alias("s"),
        "`sigma` must have the shape of y column `y`, which is Float64, but column `s` is List",
    ),
]


@STREAMED
@pytest.mark.parametrize(("sigma", "message"), DTYPES, ids=shown)
def test_dtypes_are_refused_at_planning(function: Any, options: dict[str, Any], sigma: pl.Expr, message: str) -> None:
    lf = frame(10).lazy().with_columns(sigma)
    message = message.replace("Float64", "(Float64|f64)").replace("Boolean", "(Boolean|bool)")
    message = message.replace("String", "(String|str)").replace("Struct", "(?i:struct)").replace("List", "(?i:list)")
    message = message.replace("Duration", "(?i:duration)")
    for call in (function("y", "t", sigma="s", **options), function("y", "t", sigma=pl.col("s"), by="k", **options)):
        with pytest.raises((ComputeError, PolarsError), match=message):
            lf.select(call).collect_schema()
        with pytest.raises((ComputeError, PolarsError), match=message):
            lf.grad.with_columns(call).collect_schema()
    times = lf.with_columns(y=pl.duration(seconds="y"), s=1.0).select(function("y", "t", sigma="s", **options))
    if options.get("order") != 2:
        with pytest.raises((ComputeError, PolarsError), match="`sigma` must be durations where y is temporal"):
            times.collect_schema()


ARGUMENTS: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (pg.derivative, {"sigma": "s"}, ValueError, "`with_error=True`"),
    (pg.derivative, {"sigma": pl.col("s")}, ValueError, "`with_error=True`"),
    (pg.derivative, {"sigma": "3ms"}, ValueError, "`with_error=True`"),
    (pg.rolling_slope, {"window_size": 3, "sigma": Decimal(1)}, ValueError, "`with_error=True`"),
    (pg.rolling_slope, {"window_size": 3, "sigma": timedelta(1)}, ValueError, "`with_error=True`"),
    (pg.rolling_slope, {"window_size": 3, "sigma": [1.0]}, TypeError, r"or a column .*got list.*sigma=pl.Series"),
    (pg.rolling_slope, {"window_size": 3, "sigma": {"s"}}, TypeError, "or a column .*got set"),
    (pg.rolling_slope, {"window_size": 3, "sigma": np.ones((2, 2))}, ValueError, "`sigma` must be a 1-D array"),
    (pg.gradient, {"sigma": "s"}, TypeError, "unexpected keyword argument 'sigma'"),
]


@pytest.mark.parametrize(("function", "options", "error", "message"), ARGUMENTS, ids=shown)
def test_wrong_arguments(function: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        function("y", "t", **options)


def test_wrong_arguments_of_frames_and_series() -> None:
    data = frame(10)
    with pytest.raises(ValueError, match=r"`sigma` of `d` must be the name of a column in `pg\.stitch`"):
        pg.stitch([data], d=pg.rolling_slope("y", "t", window_size=3, sigma=pl.col("s") * 2))
    two = pg.rolling_slope("y", "t", window_size=3, sigma=pl.col("s", "t"))
    with pytest.raises((ValueError, PolarsError), match="`sigma` must be one column, got 2: s, t"):
        data.lazy().grad.with_columns(two.alias("d")).collect()
    with pytest.raises(ValueError, match="`sigma` must be as long as the series: got 3 and 10 values"):
        data["y"].grad.rolling_slope(window_size=3, sigma=[1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match="`sigma` must be a series or values of the same length, got str"):
        data["y"].grad.rolling_slope(window_size=3, sigma="s")
    lists = data.select(pl.implode("y", "s")).with_columns(pl.col("s").list.head(3))
    with pytest.raises(ComputeError, match="`sigma` must have as many values as y in each cell, but column `s` has 3"):
        lists.select(pg.rolling_slope("y", window_size=3, sigma="s", axis=1))
