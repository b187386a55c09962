"""Derivatives of formulas: rules, kinks, branches, nulls, dtypes, names, contexts, evaluation, errors."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from polars.exceptions import ColumnNotFoundError, InvalidOperationError, SchemaError
from polars.testing import assert_frame_equal, assert_series_equal

import polars_grad as pg
from polars_grad._formula import build

if TYPE_CHECKING:
    from collections.abc import Callable

nan, inf = math.nan, math.inf
x, y, z = pl.col("x"), pl.col("y"), pl.col("z")
E = math.e


def at(points: Any, f: Any, order: int = 1, **options: Any) -> list[Any]:
    """The derivative of a formula of x at some points."""
    return pl.DataFrame({"x": points}).select(pg.derivative_of(f, "x", order=order, **options)).to_series().to_list()


def close(got: list[Any], expected: list[Any]) -> None:
    assert [each is None for each in got] == [each is None for each in expected]
    numbers = [(a, b) for a, b in zip(got, expected, strict=True) if a is not None]
    np.testing.assert_allclose(*zip(*numbers, strict=True), rtol=1e-14, atol=1e-15)


# Rules where a formula of a textbook goes wrong.


@pytest.mark.parametrize(
    ("f", "points", "expected"),
    [
        (x**0, [0.0, -2.0, inf], [0.0, 0.0, 0.0]),
        (x**1, [0.0, -2.0, inf], [1.0, 1.0, 1.0]),
        (x**2, [0.0, -2.0], [0.0, -4.0]),
        (x**3, [0.0, -2.0], [0.0, 12.0]),
        (x**-1, [0.0, -2.0], [-inf, -0.25]),
        (x**-3, [1.0, -2.0], [-3.0, -3 / 16]),
        (x**0.5, [0.0, 4.0, -1.0], [inf, 0.25, nan]),
        (x**1.5, [0.0, 4.0], [0.0, 3.0]),
        (2**x, [0.0, 3.0], [math.log(2), 8 * math.log(2)]),
        (0**x, [1.0, 2.0], [0.0, 0.0]),
        (x**x, [1.0, E], [1.0, 2 * E**E]),
        (x.sqrt(), [0.0, 4.0, -1.0], [inf, 0.25, nan]),
        (x.cbrt(), [0.0, 8.0, -8.0], [inf, 1 / 12, 1 / 12]),
        (x.log(), [0.0, 2.0, -2.0], [inf, 0.5, nan]),
        (x.log(10), [2.0, -2.0], [0.5 / math.log(10), nan]),
        (x.log1p(), [-1.0, 1.0, -3.0], [inf, 0.5, nan]),
        (x.tan(), [0.0, 1.0], [1.0, 1 + math.tan(1) ** 2]),
        (x.tanh(), [0.0, 400.0, -1000.0], [1.0, 0.0, 0.0]),
        (x.arcsin(), [0.0, 1.0, 2.0], [1.0, inf, nan]),
        (x.arccosh(), [1.0, 2.0, -2.0], [inf, 1 / math.sqrt(3), nan]),
        (x.arctanh(), [0.0, 1.0, 2.0], [1.0, inf, nan]),
        (x.arctan(), [1e200, -1e200], [0.0, 0.0]),
        (x / x, [2.0, 1e-200], [0.0, 0.0]),
        (1e300 * x / 1e300, [2.0], [1.0]),
        (pl.arctan2(x, 2 * x), [2.0], [0.0]),
    ],
)
def test_rules_at_hard_points(f: pl.Expr, points: list[float], expected: list[float]) -> None:
    close(at(points, f), expected)


def test_higher_orders() -> None:
    close(at([0.0, 0.5, 2.0], x**4, 4), [24.0, 24.0, 24.0])
    close(at([0.0, 0.5, 2.0], x**4, 5), [0.0, 0.0, 0.0])
    close(at([0.7], x.sin(), 9), [math.cos(0.7)])
    # At 1 the exponent of the first derivative is 0, but it varies.
    close(at([1.0], x**x, 3), [3.0])
    for order in (1, 2, 3):
        close(at([-0.3, 0.4], x.exp() * x, order), [math.exp(p) * (p + order) for p in (-0.3, 0.4)])


def test_the_tails_of_tanh() -> None:
    for order in (1, 2, 3):
        assert at([-1000.0, 400.0], x.tanh(), order) == [0.0, 0.0]
        # Of e^(-2u) all digits are left, where 1 - tanh(u)² has none.
        close(at([15.0], x.tanh(), order), [-((-2.0) ** order) * 2 * math.exp(-30) * (1 - 2**order * math.exp(-30))])


def test_exponents_in_a_column() -> None:
    frame = pl.DataFrame({"x": [0.0, 0.0, 0.0, 2.0, nan], "n": [0, 1, 2, 3, 0]})
    got = frame.select(pg.derivative_of(x ** pl.col("n"), "x")).to_series().to_list()
    assert got == [0.0, 1.0, 0.0, 12.0, 0.0]
    unsigned = frame.select(pg.derivative_of(x ** pl.col("n").cast(pl.UInt8), "x")).to_series().to_list()
    assert unsigned == got


# Kinks and jumps.


@pytest.mark.parametrize(
    ("f", "points", "expected"),
    [
        (x.abs(), [-2.0, 0.0, 3.0], [-1.0, 0.0, 1.0]),
        (x.clip(0, 1), [-1.0, 0.0, 0.5, 1.0, 2.0], [0.0, 0.5, 1.0, 0.5, 0.0]),
        (x.clip(lower_bound=0), [-1.0, 0.0, 2.0], [0.0, 0.5, 1.0]),
        (x.clip(upper_bound=0), [-1.0, 0.0, 2.0], [1.0, 0.5, 0.0]),
        (x.clip(1, 1), [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]),
        (x.clip(2, 1), [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]),
        (x.clip(2 * x, 3), [-1.0, 1.0, 2.0, 4.0], [1.0, 2.0, 2.0, 2.0]),
        (pl.max_horizontal(x, -x), [-2.0, 0.0, 3.0], [-1.0, 0.0, 1.0]),
        (pl.max_horizontal(x, 2 * x), [-2.0, 0.0, 3.0], [1.0, 1.5, 2.0]),
        (pl.min_horizontal(x, 2 * x, 5 * x), [-2.0, 0.0, 3.0], [5.0, 3.0, 1.0]),
        (pl.max_horizontal(x, 2 * x, 5 * x), [-2.0, 0.0, 3.0], [1.0, 3.0, 5.0]),
        (pl.max_horizontal(x, 1), [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]),
        (pl.max_horizontal(x), [0.0, 1.0], [1.0, 1.0]),
        (x.floor() + x.ceil() + x.round() + x.sign(), [0.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
        ((x > 1).cast(pl.Float64) + (x > 1), [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]),
        (x // 2, [0.5, 2.0], [0.0, 0.0]),
        (x % 2, [-0.5, 0.5, 2.0], [1.0, 1.0, 1.0]),
        (5 % x, [-2.0, 2.0, 5.0], [3.0, -2.0, -0.5]),
    ],
)
def test_kinks_have_the_mean_of_both_sides(f: pl.Expr, points: list[float], expected: list[float]) -> None:
    close(at(points, f), expected)


def test_the_root_of_a_square() -> None:
    close(at([-2.0, 0.0, 3.0, None], (x**2).sqrt()), [-1.0, 0.0, 1.0, None])
    close(at([-2.0, 0.0, 3.0], (x**4).sqrt(), 2), [2.0, nan, 2.0])
    close(at([0.0, 2.0], (x**2 - 1).sqrt()), [nan, 2 / math.sqrt(3)])
    cone = pl.DataFrame({"x": [0.0, 3.0], "y": [0.0, 4.0]}).select(pg.gradient_of((x**2 + y**2).sqrt(), ["x", "y"]))
    assert cone.to_series().to_list() == [{"x": 0.0, "y": 0.0}, {"x": 0.6, "y": 0.8}]


def test_the_second_derivative_at_a_kink() -> None:
    close(at([-1.0, 0.0, 1.0], pl.max_horizontal(x**2, x**3 / 3), 2), [2.0, 1.0, 2.0])
    close(at([-1.0, 0.0, 1.0], pl.max_horizontal(x**2, x**3, 4 * x**2), 2), [8.0, 4.0, 8.0])


# Branches.


def test_only_the_branch_taken_counts() -> None:
    f = pl.when(x > 0).then(x.log()).when(x < -1).then((-x).sqrt()).otherwise(x**2)
    close(at([-4.0, -0.5, 0.0, 2.0], f), [-0.25, -1.0, 0.0, 0.5])
    # A NaN or an infinity in a branch that is not taken does not show.
    close(at([0.0], pl.when(x == 0).then(1.0).otherwise(x.sin() / x)), [0.0])


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    "f",
    [
        *(x.clip(0, 1).sqrt(), x.clip(0, 1).cbrt(), x.clip(0, 1) ** 0.5, x.clip(0, 1) ** 1.5, x.clip(0, 1).arcsin()),
        *(x.clip(-1, 1).arccos(), x.clip(1, 2).arccosh(), x.clip(0, 1).log(), x.clip(-1, 1).arctanh()),
        *(pl.max_horizontal(x, 0).sqrt(), pl.when(x > 0).then(x).otherwise(0).sqrt(), (x.clip(0, 1) - 1).log1p()),
        *(((x > 0) * x).cbrt(), ((x / 7).round() * x).cbrt(), (x // -5 * x) ** 0.5, ((x > 0) * x).sqrt()),
        *((x - 9) ** x.clip(2, 3), (x - 9) ** pl.when(x > 0).then(2).otherwise(x.floor())),
    ],
    ids=str,
)
def test_a_branch_that_is_constant_has_no_slope(f: pl.Expr, order: int) -> None:
    (slope,) = at([-3.0], f, order)
    # The last two are powers of -12.
    power = {1: {2: -24.0, -3: -3 * 12.0**-4}, 2: {2: 2.0, -3: -12 * 12.0**-5}}[order]
    expected = power[2] if "clip([dyn int: 2" in str(f) else power[-3] if "floor" in str(f) else 0.0
    assert slope == pytest.approx(expected, rel=1e-14)


def test_filled_values() -> None:
    frame = pl.DataFrame({"x": [1.0, None, 3.0], "y": [10.0, 20.0, None]})
    got = frame.select(
        a=pg.derivative_of((x**2).fill_null(7), "x"),
        b=pg.derivative_of(pl.coalesce(y, x**2), "x"),
        c=pg.derivative_of(pl.coalesce(x**2, y), "y"),
        d=pg.derivative_of((x.log() * y).fill_nan(x), "x"),
        e=pg.derivative_of(pl.when(x > 2).then(x**2), "x"),
        f=pg.derivative_of(pl.sum_horizontal(x**2, y), "x"),
        g=pg.derivative_of(pl.sum_horizontal(x**2, y, ignore_nulls=False), "x"),
        h=pg.derivative_of(pl.max_horizontal(x**2, y), "x"),
    )
    assert got.to_dict(as_series=False) == {
        "a": [2.0, 0.0, 6.0],
        "b": [0.0, 0.0, 6.0],
        "c": [0.0, 1.0, 0.0],
        "d": [10.0, None, None],
        "e": [None, None, 6.0],
        "f": [2.0, 0.0, 6.0],
        "g": [2.0, None, None],
        "h": [0.0, 0.0, 6.0],
    }


# Nulls, dtypes, names, lengths.


@pytest.mark.parametrize(
    "f",
    [
        *(2 * x, x * y, x + y, x**2 * y, x / y, (x + y).floor(), x - x, 0 * x, x.clip(0, y), x + None, (x > y) * x),
        *(pl.when(y > 0).then(x).otherwise(None), x.fill_null(1) * y, pl.coalesce(x, y), pl.max_horizontal(x, y)),
        *(x**y, y**x, x.log() * 3, x % y, x // y, pl.sum_horizontal(x, y, ignore_nulls=False)),
        *(x.cast(pl.Float32) + 1, pl.when(x.is_null()).then(y).otherwise(x**2)),
    ],
    ids=str,
)
@pytest.mark.parametrize("order", [1, 2])
def test_null_where_the_formula_is_null(f: pl.Expr, order: int) -> None:
    frame = pl.DataFrame({"x": [1.5, None, 0.5, None], "y": [2.0, 1.0, None, None]})
    got, value = frame.select(pg.derivative_of(f, "x", order=order).alias("got"), f.alias("value"))
    assert got.is_null().to_list() == value.is_null().to_list()
    assert got.dtype == value.dtype


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, 2, None], pl.Int8, pl.Float64),
        ([1, 2, None], pl.UInt64, pl.Float64),
        ([1, 2, None], pl.Int128, pl.Float64),
        ([True, False, None], pl.Boolean, pl.Float64),
        ([Decimal("1.5"), Decimal(2), None], pl.Decimal(10, 2), pl.Float64),
        ([1.0, 2.0, None], pl.Float32, pl.Float32),
        ([1.0, 2.0, None], pl.Float64, pl.Float64),
    ],
)
@pytest.mark.parametrize(
    "f", [2 * x, x**2, x.exp() / (1 + x), x.clip(0, 1), x - 3, x.log(2), 2**x, x.clip(0, 1) * x.sin() / x], ids=str
)
def test_dtypes(values: list[Any], dtype: Any, expected: Any, f: pl.Expr) -> None:
    query = pl.LazyFrame({"x": pl.Series(values, dtype=dtype)}).select(
        pg.derivative_of(f, "x").alias("d"),
        pg.gradient_of(f, "x").struct.field("x").alias("g"),
        pg.hessian_of(f, "x").struct.field("x").struct.field("x").alias("h"),
    )
    got = query.collect()
    assert got.dtypes == [expected] * 3
    assert got.schema == query.collect_schema()
    assert got["d"].is_null().to_list() == [False, False, True]
    assert_series_equal(got["d"], got["g"], check_names=False)


def test_durations_beside_the_variable() -> None:
    second, frame = timedelta(seconds=1), pl.LazyFrame({"x": [0.5, 2.0, None], "k": [1.0, 3.0, 2.0], "n": [1, 2, 3]})
    frame = frame.with_columns(d=pl.col("n") * pl.lit(second))
    d = pl.col("d")
    for f, expected in (
        (x * second, [second, second, None]),
        (x * d, [second, 2 * second, None]),
        (3 - x, [-1.0, -1.0, None]),
        (second * 2.5 - x * d, [-second, -2 * second, None]),
        (x * d + pl.col("k") * second, [second, 2 * second, None]),
        (x**2 * d, [second, 8 * second, None]),
        (d / x, [-4 * second, -second / 2, None]),
        (x.exp().log() * d, [second, 2 * second, None]),
        (x * d / pl.lit(second), [1.0, 2.0, None]),
    ):
        query = frame.select(pg.derivative_of(f, "x"), f.alias("f"))
        got = query.collect()
        assert got.dtypes[0] == query.collect_schema().dtypes()[0] == got["f"].dtype
        assert got.to_series().to_list() == expected
    twice = frame.select(pg.derivative_of(x**2 * d, "x", order=2)).collect().to_series()
    assert twice.to_list() == [2 * second, 4 * second, None]
    gradient = frame.select(pg.gradient_of(x * d + pl.col("k") * second, ["x", "k"]).alias("g")).collect()["g"]
    assert gradient.to_list()[:2] == [{"x": second, "k": second}, {"x": 2 * second, "k": second}]
    # A number is no duration: zero has no dtype here.
    for f, order in ((x * second, 2), (pl.when(x > 1).then(x * d).otherwise(d), 1), (x.floor() * d, 1)):
        with pytest.raises(SchemaError, match="supertype"):
            frame.select(pg.derivative_of(f, "x", order=order)).collect_schema()


def test_unsigned_columns_beside_the_variable() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0], "n": pl.Series([3, 0], dtype=pl.UInt8)})
    assert frame.select(pg.derivative_of(1 - pl.col("n") * x, "x")).to_series().to_list() == [-3.0, 0.0]
    assert frame.select(pg.derivative_of(x - pl.col("n"), "x")).to_series().to_list() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("f", "name"),
    [(x.sin() * y, "x"), (y * x, "y"), ((x * y).alias("f"), "f"), (2 * x, "literal"), (x.name.suffix("_2"), "x_2")],
)
def test_the_name_is_that_of_the_formula(f: pl.Expr, name: str) -> None:
    frame = pl.DataFrame({"x": [1.0], "y": [2.0]})
    assert frame.select(f).columns == [name]
    assert frame.select(pg.derivative_of(f, "x")).columns == [name]
    assert frame.select(pg.gradient_of(f, ["x"])).columns == [name]
    assert frame.select(pg.derivative_of(lambda _: f, "x", method="numeric")).columns == [name]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_the_length_is_that_of_the_frame(rows: int) -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, None][:rows]}, schema={"x": pl.Float64})
    for f in (
        lambda _: 3,
        lambda _: pl.lit(3.0),
        lambda x: x * 0,
        lambda x: 2 * x,
        lambda x: x**2,
        lambda _: y.sum(),
        lambda x: x * y.sum(),
    ):
        got = frame.with_columns(y=1.0).select(pg.derivative_of(f, "x"))
        assert got.height == rows
        assert got.dtypes == [pl.Float64]
    assert at([1.0, None, 3.0], lambda _: 3) == [0.0, None, 0.0]


# Gradients and Hessians.


def test_gradients_and_hessians() -> None:
    frame = pl.DataFrame({"x": [1, 2], "y": [3.0, 4.0], "z": [0.5, 2.0]})
    f = x**2 * y.log() / z
    got = frame.select(g=pg.gradient_of(f, ["x", y, "z"]), h=pg.hessian_of(f, ["x", "y", "z"]))
    for row, (a, b, c) in zip(got.rows(named=True), frame.rows(), strict=True):
        close([*row["g"].values()], [2 * a * math.log(b) / c, a * a / b / c, -a * a * math.log(b) / c / c])
        xy, xz, yz = 2 * a / b / c, -2 * a * math.log(b) / c**2, -a * a / b / c**2
        assert [*row["h"]] == ["x", "y", "z"]
        close([*row["h"]["x"].values()], [2 * math.log(b) / c, xy, xz])
        close([*row["h"]["y"].values()], [xy, -a * a / b**2 / c, yz])
        close([*row["h"]["z"].values()], [xz, yz, 2 * a * a * math.log(b) / c**3])


def test_variables_that_a_function_does_not_use() -> None:
    frame = pl.DataFrame({"x": [1.0, None], "y": [None, 2.0]})
    got = frame.select(g=pg.gradient_of(lambda x, _: x**2, ["x", "y"]), h=pg.hessian_of(lambda x, _: x**2, ["x", "y"]))
    assert got["g"].to_list() == [{"x": 2.0, "y": 0.0}, {"x": None, "y": None}]
    assert got["h"].to_list()[0] == {"x": {"x": 2.0, "y": 0.0}, "y": {"x": 0.0, "y": 0.0}}

    of_expression = frame.select(h=pg.hessian_of(x**2, ["x", "y"]))
    assert_frame_equal(of_expression, got.select("h"))
    # They must be columns nevertheless.
    for wrong in (
        pg.hessian_of(x**2, ["x", "z"]),
        pg.gradient_of(lambda x, _: x**2, ["x", "z"]),
        pg.derivative_of(lambda _: x**2, "z"),
        pg.derivative_of(lambda _: 3, "z"),
    ):
        with pytest.raises(ColumnNotFoundError, match="z"):
            frame.select(wrong)


def test_a_function_is_the_expression_that_it_returns() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    got = frame.select(a=pg.derivative_of(lambda x: x**2 * pl.col("y") * pl.col("x"), "x"))
    assert_frame_equal(got, frame.select(a=pg.derivative_of(x**2 * y * x, x)))


def test_derivatives_of_derivatives() -> None:
    frame = pl.DataFrame({"x": [0.3, 1.2, None], "y": [2.0, 0.7, 1.0]})
    f = x.sin() * (-(x**2)).exp() / (1 + y * x**3) + x.log() * y
    once = pg.derivative_of(f, "x")
    twice = pg.derivative_of(once, "x")
    mixed = pg.derivative_of(pg.gradient_of(f, ["y", "x"]).struct.field("x"), "y")
    thrice = pg.derivative_of(pg.hessian_of(f, ["x", "y"]).struct.field("x").struct.field("y"), "x")
    expected = frame.select(
        a=pg.derivative_of(f, "x", order=2),
        b=pg.hessian_of(f, ["x", "y"]).struct.field("x").struct.field("y"),
        c=pg.derivative_of(pg.derivative_of(f, "y"), "x", order=2),
        d=pg.derivative_of(f, "x", order=3),
    )
    got = frame.select(a=twice, b=mixed, c=thrice, d=pg.derivative_of(twice, "x"))
    assert_frame_equal(got, expected, rel_tol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        *((x**2).sqrt(), (1 - x**2).sqrt(), (x**4).sqrt() * x, (x**2 + y**2).sqrt(), x.abs().sqrt(), (y * x).sqrt()),
        *(x.tanh(), x.tanh().abs() * x, x.clip(0, 1) ** 2, pl.max_horizontal(x**2, x**3, 4 * x**2), x.abs() ** 3),
        *(pl.when(x > 0).then(x**2).otherwise(x**3), (x % 1) ** 2, x.clip(0, 1).sqrt(), x.log() * x.abs()),
        *(
            x.log(),
            (x * y).log(10),
            (y - x).log1p(),
            x.arctanh(),
            x.clip(0).log(),
            x.sqrt(),
            x**0.5 * x,
            x.cbrt(),
            x**x,
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [pl.Float64, pl.Float32])
def test_nested_derivatives_are_those_of_higher_orders(f: pl.Expr, dtype: Any) -> None:
    frame = pl.DataFrame(
        {"x": [-400.0, -2.0, -0.5, 0.0, 0.0, 0.5, 1.0, 15.0, 400.0, None], "y": [0.0, 1.0, 0.5, 0.0, 2.0] * 2},
        schema={"x": dtype, "y": dtype},
    )
    d = pg.derivative_of
    for order, nested in ((2, d(d(f, "x"), "x")), (3, d(d(d(f, "x"), "x"), "x")), (3, d(d(f, "x", order=2), "x"))):
        expected, got = frame.select(d(f, "x", order=order).alias("d"), nested.alias("nested"))
        assert_series_equal(got, expected, check_names=False, rel_tol=1e-12 if dtype == pl.Float64 else 1e-4)


# Contexts.

F = x.sin() * (-(x**2)).exp() / (1 + x**3) * pl.col("w")


def test_every_context_has_the_same_bits(engine: Any) -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame({"x": rng.uniform(0, 2, 50), "w": rng.uniform(1, 2, 50), "k": rng.integers(0, 4, 50)})
    frame = frame.with_columns(x=pl.when(pl.int_range(pl.len()) % 7 != 3).then("x"))
    for order in (1, 2, 3):
        d = pg.derivative_of(F, "x", order=order).alias("d")
        expected = frame.select(d)["d"]
        lazy = frame.lazy().with_columns(d).collect(engine=engine)
        assert_series_equal(lazy["d"], expected, check_exact=True)
        assert_series_equal(frame.with_columns(d.over("k"))["d"], expected, check_exact=True)
        assert_series_equal(frame.with_columns(d.over("k", order_by="x"))["d"], expected, check_exact=True)
        grouped = frame.with_row_index().lazy().group_by("k").agg("index", d).collect(engine=engine)
        assert_series_equal(
            grouped.explode("index", "d", empty_as_null=True).sort("index")["d"], expected, check_exact=True
        )
        kept = frame.lazy().filter(d > 0).collect(engine=engine)
        assert_frame_equal(kept, frame.filter(expected > 0))
        chosen = frame.select(pl.when(x > 1).then(d))["d"]
        assert_series_equal(chosen, frame.select(pl.when(x > 1).then(expected).alias("d"))["d"], check_exact=True)
        assert_series_equal(pl.concat([frame[:13], frame[13:]], rechunk=False).select(d)["d"], expected)


def test_in_lists() -> None:
    element = pl.element()
    frame = pl.DataFrame({"values": [[1.0, 2.0, None], [], None, [3.0]]})
    got = frame.select(pl.col("values").list.eval(pg.derivative_of(element**2 * element.log(), element)))
    expected = [2 * v * math.log(v) + v for v in (1.0, 2.0, 3.0)]
    lists = got.to_series().to_list()
    close([*lists[0], *lists[3]], [expected[0], expected[1], None, expected[2]])
    assert lists[1:3] == [[], None]


def test_what_does_not_contain_the_variable_is_any_expression() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 8.0], "k": ["a", "a", "b"], "d": ["u", "v", "u"]})
    other = y.sum().over("k") + y.shift(1, fill_value=0).map_batches(lambda s: s * 2, return_dtype=pl.Float64)
    got = frame.select(a=pg.derivative_of(other * x**2, "x"), b=other * 2 * x)
    assert got["a"].to_list() == got["b"].to_list()
    flagged = pg.derivative_of(pl.when(pl.col("d") == "u").then(x**2).otherwise(x), "x")
    assert frame.select(flagged).to_series().to_list() == [2.0, 1.0, 6.0]


def test_an_operator_beside_the_variable() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0], "y": [1.0, 4.0, 9.0]})
    got = frame.select(pg.derivative_of(x**2 * pg.gradient("y"), "x")).to_series()
    assert got.to_list() == [6.0, 16.0, 30.0]


def test_a_stored_derivative_needs_no_python() -> None:
    d = pg.gradient_of(x.sin() * x.log() * y, ["x", "y"])
    stored = pl.Expr.deserialize(d.meta.serialize())
    frame = pl.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    assert_frame_equal(frame.select(stored), frame.select(d))


# What is evaluated.


def test_equal_parts_are_evaluated_once(engine: Any) -> None:
    counted: list[int] = []

    def count(column: pl.Series) -> pl.Series:
        counted.append(len(column))
        return column * 2

    other = y.map_batches(count, return_dtype=pl.Float64)
    f = (x * other).sin() * (x * other).exp() / (1 + (x * other) ** 2)
    frame = pl.DataFrame({"x": [0.5, 1.0], "y": [1.0, 0.3]})
    for order in (1, 2, 3):
        counted.clear()
        frame.select(pg.derivative_of(f, "x", order=order))
        assert counted == [2]
        frame.lazy().select(pg.derivative_of(f, "x", order=order)).collect(engine=engine)
        assert counted == [2, 2]
    counted.clear()
    frame.select(pg.hessian_of(f, ["x"]), pl.lit(1))
    assert counted == [2]
    text = str(pg.derivative_of(f, "x", order=3))
    assert [text.count(each) for each in (".sin()", ".cos()", ".exp()")] == [1, 1, 1]


def test_zeros_and_ones_vanish() -> None:
    assert pg.derivative_of(x.sin() + 3, "x").meta.eq(build.as_float(x).cos().alias("x"))
    assert pg.derivative_of(3 * x**4 * 2 - x, "x", order=3).meta.undo_aliases().meta.eq(144.0 * build.as_float(x))
    assert pg.derivative_of(x / 4 + x / 4, "x", order=1).meta.eq(pg.derivative_of(x.alias("x") * 0.5, "x"))


def test_the_same_formula_gives_the_same_expression() -> None:
    first, second = (pg.derivative_of(x.sin() * x.exp() * y.log(), "x", order=2) for _ in range(2))
    assert first.meta.eq(second)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_forty_levels(order: int) -> None:
    f = x
    for level in range(40):
        f = (f + level / 8).sin() if level % 2 else f * 1.01
    start = time.perf_counter()
    query = pl.LazyFrame({"x": [0.1, 0.2, None]}).select(pg.derivative_of(f, "x", order=order))
    got = query.collect().to_series()
    # Not a measurement: without sharing this takes 2**40 steps, and with one chain of structs half a minute.
    assert time.perf_counter() - start < 10
    step = 1e-3
    around = pl.DataFrame({"x": [0.1 + step, 0.1 - step]})
    lower = pg.derivative_of(f, "x", order=order - 1) if order > 1 else f
    above, below = around.select(lower).to_series()
    assert got[0] == pytest.approx((above - below) / (2 * step), rel=1e-3)
    assert got[2] is None


@pytest.mark.parametrize("f", [x, x.sin(), pl.struct(a=x, b=y).struct.field("a") * y], ids=str)
def test_parts_that_are_written_often_are_read_once(f: pl.Expr) -> None:
    one = pg.derivative_of(f, "x")
    for _ in range(12):
        f = f + f * 0.5
    start = time.perf_counter()
    got = pg.derivative_of(f, "x")
    # Not a measurement: the JSON has 12,000 parts, which take four times as long if each is read.
    assert time.perf_counter() - start < 2
    frame = pl.DataFrame({"x": [0.5, 1.0, None], "y": [2.0, 3.0, 1.0]})
    assert_frame_equal(frame.select(got), frame.select(one * 1.5**12), check_exact=False)
    assert len(str(got)) < 3_000


def test_numbers_that_are_written_alike_differ() -> None:
    f = x * inf + x * nan + x * -inf
    assert at([1.0], x * inf) == [inf]
    assert at([1.0], x * -inf) == [-inf]
    assert math.isnan(at([1.0], f)[0])
    got = pl.DataFrame({"x": [1.0]}).select(pg.gradient_of(pl.when(x > 0).then(x * inf).otherwise(x * -inf), "x"))
    assert got.to_series().struct.field("x").to_list() == [inf]
    assert at([2.0], x * 0.0 + x * -0.0) == [0.0]


def test_long_sums() -> None:
    f = sum((x**power for power in range(2, 200)), x)
    close(at([1.0], f), [float(sum(range(200)))])


# The numeric method.


def test_numeric_derivatives_of_opaque_functions() -> None:
    points = np.linspace(0.1, 3, 20)
    expected = [np.cos(points), -np.sin(points), -np.cos(points), np.sin(points)]
    for order, tolerance in enumerate((1e-12, 1e-9, 1e-6, 1e-4), start=1):
        got = at(points, np.sin, order, method="numeric")
        np.testing.assert_allclose(got, expected[order - 1], atol=tolerance)
    assert at([1.0, None], np.exp, method="numeric")[1] is None


def test_numeric_derivatives_evaluate_each_point_once() -> None:
    counted: list[int] = []

    def f(x: pl.Expr) -> pl.Expr:
        return x.map_batches(lambda s: (counted.append(1), s.sin())[1], return_dtype=pl.Float64)

    at([1.0, 2.0], f, method="numeric")
    assert len(counted) == 16


def test_numeric_derivatives_at_the_end_of_a_domain_are_nan_or_right() -> None:
    for point in (1e-4, 1e-3, 0.01, 0.1):
        (got,) = at([point], lambda x: x.log(), method="numeric")
        assert math.isnan(got) or got == pytest.approx(1 / point, rel=1e-3)
    close(at([0.0, -0.001], lambda x: x.abs(), method="numeric"), [0.0, -1.0])


# Errors.


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (x.shift(1), "`shift`"),
        (x - x.mean(), "`mean`"),
        (x * x.sum().over("y"), "`over`"),
        (x.cum_sum(), "`cum_sum`"),
        (x.diff(), "`diff`"),
        (x.rank(), "`rank`"),
        (x.sort(), "`sort`"),
        (x.round_sig_figs(2), "`round_sf`"),
        (pl.mean_horizontal(x, y), "`mean_horizontal`"),
        (x.rolling_mean(2), "`rolling`"),
        (x.str.len_chars(), "`len_chars`"),
        (x.map_elements(lambda v: v, return_dtype=pl.Float64), r"a Python function \(numpy makes one.*\)"),
        (pg.gradient("x"), "a plugin function"),
        (pl.struct(x, y), "`as_struct`"),
        (pl.when(x > x.mean()).then(x).otherwise(0), "`mean`"),
    ],
)
def test_a_node_without_a_rule_is_named(f: pl.Expr, words: str) -> None:
    with pytest.raises(ValueError, match=f"`f` contains {words}, which has no rule") as error:
        pg.derivative_of(f, "x")
    assert 'method="numeric"' in str(error.value)
    assert "gradient(x=...)" in str(error.value)


ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: pg.derivative_of(pl.all() * x, "x"), ValueError, "selector, a pattern or several columns"),
    (lambda: pg.derivative_of(pl.col("x", "y") * 2, "x"), ValueError, "selector, a pattern or several columns"),
    (lambda: pg.derivative_of(pl.col("^x.*$") * 2, "x"), ValueError, "selector, a pattern or several columns"),
    (lambda: pg.derivative_of(x.cast(pl.Int32), "x"), ValueError, "casts to Int32, which has no derivative"),
    (lambda: pg.derivative_of(x * y, "z"), ValueError, r"`f` does not contain 'z', its columns are 'x', 'y'.*gradient"),
    (lambda: pg.derivative_of(pl.lit(1), "z"), ValueError, "does not contain 'z', it has no column"),
    (lambda: pg.gradient_of(x**2, ["x", "y"]), ValueError, "does not contain 'y', its columns are 'x'"),
    (lambda: pg.hessian_of(x**2, ["y", "z"]), ValueError, "does not contain 'y', 'z', its columns are 'x'"),
    (lambda: pg.derivative_of("x", "x"), TypeError, r"`f` must be an expression .* got str; for a column use `pl.col"),
    (lambda: pg.derivative_of(pl.Series([1]), "x"), TypeError, r"got Series; for the derivative of samples use"),
    (lambda: pg.derivative_of(None, "x"), TypeError, "`f` must be an expression .* got NoneType"),
    (lambda: pg.derivative_of(lambda _: None, "x"), TypeError, "must return an expression .* is a `return` missing"),
    (lambda: pg.derivative_of(lambda _: "x", "x"), TypeError, "must return an expression or a number, got str"),
    (lambda: pg.derivative_of(lambda _: np.timedelta64(1), "x"), TypeError, "must return an .*, got timedelta64"),
    (lambda: pg.derivative_of(math.sin, "x"), TypeError, r"`f` fails on an expression .* such as `x.sin\(\)`"),
    (lambda: pg.derivative_of(lambda x: x if x > 0 else -x, "x"), TypeError, "`f` fails on an expression"),
    (lambda: pg.gradient_of(lambda x: x, ["x", "y"]), TypeError, r"as many arguments as `wrt` has columns, 2"),
    (lambda: pg.derivative_of(x, ["x", "y"]), TypeError, "got list; for several columns use `gradient_of`"),
    (lambda: pg.derivative_of(x, 1), TypeError, "`wrt` must be a column, .* got int"),
    (lambda: pg.derivative_of(x, "^x$"), ValueError, r"`wrt` must be a single column.*'\^x\$' is a pattern, so rename"),
    (lambda: pg.derivative_of(x.struct.field("a"), x), ValueError, "takes a field of the variable 'x'; unnest it"),
    (lambda: pg.derivative_of(x & 1, x), ValueError, "contains `&` of a number, as which variables are taken"),
    (lambda: pg.derivative_of(x ^ 2, x), ValueError, r"contains `\^` of a number.*; for a power write `\*\*`"),
    (lambda: pg.derivative_of(~x, x), ValueError, "contains `~` of a number.*combine comparisons"),
    (lambda: pg.derivative_of(x, x * 2), ValueError, "`wrt` must be a single column"),
    (lambda: pg.gradient_of(x * y, ["x", x]), ValueError, "`wrt` must name different columns, .* got 'x', 'x'"),
    (lambda: pg.gradient_of(x, []), ValueError, "`wrt` must name different columns, at least one, got none"),
    (lambda: pg.derivative_of(x, "x", order=0), ValueError, "`order` must be a whole number from 1 to 1000, got 0"),
    (
        lambda: pg.derivative_of(x, "x", order=10**400),
        ValueError,
        "`order` must be a whole number from 1 to 1000, got 10",
    ),
    (lambda: pg.derivative_of(x, "x", order=1.5), ValueError, "`order` must be a whole number"),
    (lambda: pg.derivative_of(x, "x", order=np.timedelta64(2, "s")), ValueError, "`order` must be a whole number"),
    (lambda: pg.derivative_of(x, "x", method="fast"), ValueError, "`method` must be 'exact' or 'numeric', got 'fast'"),
    (lambda: pg.derivative_of(x, "x", method="numeric"), TypeError, "`f` must be a function such as"),
    (lambda: pg.derivative_of(lambda x: x, "x", order=5, method="numeric"), ValueError, "`order` must be at most 4"),
]


@pytest.mark.parametrize(("call", "kind", "words"), ERRORS)
def test_errors_in_words(call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words) as error:
        call()
    assert str(error.value)[:1] in ("`", "a") or str(error.value)[0].islower()


def test_errors_of_the_frame() -> None:
    frame = pl.DataFrame({"x": [1.0], "s": ["a"]})
    with pytest.raises(ColumnNotFoundError, match="z"):
        frame.lazy().select(pg.derivative_of(z**2, "z")).collect_schema()
    named = "'s'" if build._PLANS_BOOLEAN_PRODUCTS else "String"
    for f in (pl.col("s") ** 2, pl.col("s") * 2):
        with pytest.raises(InvalidOperationError, match=named):
            frame.lazy().select(pg.derivative_of(f, "s")).collect_schema()


def test_a_formula_that_polars_cannot_serialize() -> None:
    class Unpicklable:
        def __reduce__(self) -> Any:
            message = "no"
            raise TypeError(message)

    held = Unpicklable()
    f = x * y.map_batches(lambda s: (held, s)[1], return_dtype=pl.Float64)
    with pytest.raises(ValueError, match="a Python function that Polars cannot serialize"):
        pg.derivative_of(f, "x")


def test_a_formula_nested_too_deeply_to_be_read() -> None:
    f = x
    for _ in range(2_000):
        f = -f
    with pytest.raises(ValueError, match="nested too deeply"):
        pg.derivative_of(f, "x")
