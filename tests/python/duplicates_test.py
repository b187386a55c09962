"""`duplicates`: rows of equal x are one point, for every operator, with every other argument, in any batches."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import oracle
import polars as pl
import pytest
from counter_oracle import counter, points_of
from hypothesis import given, settings
from hypothesis import strategies as st
from ids import shown
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same, inf, nan

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENGINES: list[Any] = ["in-memory", "streaming"]
EPSILON = Fraction(2) ** -52
RULES = ("first", "last", "mean")
each_rule = pytest.mark.parametrize("duplicates", RULES)
seeds = st.integers(0, 2**32)


def apply(operator: Any, y: Sequence[Any], x: Sequence[Any], dtype: Any = None, **options: Any) -> list[Any]:
    """The result of an operator on some values."""
    frame = pl.DataFrame([pl.Series("y", y, dtype=dtype), pl.Series("x", x)])
    return frame.select(operator("y", "x", **options))["y"].to_list()


# Examples


DTYPES = [pl.Int8, pl.UInt32, pl.Int64, pl.UInt64, pl.Int128, pl.Float64, pl.Float32, pl.Decimal(10, 1)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rows_of_one_time(dtype: Any) -> None:
    """With "mean" the points (0, 0), (1, 2), (2, 4)."""
    t, y = [0, 1, 1, 2], [0, 1, 3, 4]
    assert apply(pg.gradient, y, t, dtype, duplicates="mean") == [2.0] * 4
    assert apply(pg.gradient, y, t, dtype, duplicates="first") == [1.0, 2.0, 2.0, 3.0]
    assert apply(pg.gradient, y, t, dtype, duplicates="last") == [3.0, 2.0, 2.0, 1.0]
    assert apply(pg.derivative, y, t, dtype, duplicates="mean") == [2.0] * 4
    assert apply(pg.rate, y, t, dtype, duplicates="mean") == [None, 2.0, 2.0, 2.0]
    assert apply(pg.rate, y, t, dtype, duplicates="first") == [None, 1.0, 1.0, 3.0]
    assert apply(pg.increase, y, t, dtype, duplicates="first") == [None, 1, 0, 3]
    assert apply(pg.increase, y, t, dtype, duplicates="last") == [None, 3, 0, 1]


def test_the_first_row_of_a_run_has_the_increase() -> None:
    """The others have 0, so that the sum is the total; every row has the rate."""
    x, y = [0, 0, 2, 2, 2, 3], [1, 2, 4, 9, 7, 8]
    assert apply(pg.increase, y, x, duplicates="first") == [None, 0, 3, 0, 0, 4]
    assert apply(pg.increase, y, x, duplicates="last") == [None, 0, 5, 0, 0, 1]
    assert apply(pg.rate, y, x, duplicates="last") == [None, None, 2.5, 2.5, 2.5, 1.0]
    floats = [*map(float, y)]
    assert apply(pg.increase, floats, x, duplicates="mean") == [None, 0.0, (4 + 8 / 3) - 1.5, 0.0, 0.0, 8 - (4 + 8 / 3)]


@each_rule
def test_a_null_in_a_run_is_null_itself(duplicates: Any) -> None:
    """It propagates only if all of the run are null."""
    x = [0, 1, 1, 1, 2]
    for nulls in ("propagate", "skip"):
        got = apply(pg.gradient, [0, None, 2, None, 4], x, duplicates=duplicates, nulls=nulls)
        assert got == [2.0, None, 2.0, None, 2.0]
        got = apply(pg.increase, [0.0, None, 2.0, 2.0, 4.0], x, duplicates=duplicates, nulls=nulls)
        assert got == [None, None, 2.0, 0.0, 2.0]
    empty = [0, None, None, None, 4]
    assert apply(pg.gradient, empty, x, duplicates=duplicates) == [None] * 5
    assert apply(pg.gradient, empty, x, duplicates=duplicates, nulls="skip") == [2.0, None, None, None, 2.0]
    assert apply(pg.gradient, [0, 2, None, 4, 8], x, duplicates=duplicates, nulls="split") == [2.0, 2.0, None, 4.0, 4.0]
    # A null x is no run.
    got = apply(pg.gradient, [0, 1, 2, 3, 9], [0, None, None, 3, 6], duplicates=duplicates, nulls="skip")
    assert got == [1.0, None, None, 1.5, 2.0]


@each_rule
def test_one_point_is_too_little(duplicates: Any) -> None:
    assert apply(pg.gradient, [1, 2, 3], [7, 7, 7], duplicates=duplicates) == [None] * 3
    assert apply(pg.gradient, [1, 2, 3], [7, 7, 8], duplicates=duplicates, edge_order=2) == [None] * 3
    assert apply(pg.rate, [1, 2, 3], [7, 7, 7], duplicates=duplicates) == [None] * 3
    assert apply(pg.increase, [1.0, 2.0, 3.0], [7, 7, 7], duplicates=duplicates) == [None, 0.0, 0.0]
    assert apply(pg.gradient, [], [], pl.Int64, duplicates=duplicates) == []
    assert apply(pg.gradient, [None, None], [1, 1], pl.Int64, duplicates=duplicates) == [None] * 2


@each_rule
def test_what_a_repeated_coordinate_may_be(duplicates: Any) -> None:
    """Of any dtype; zero has no sign."""
    start = datetime(2024, 1, 1)
    at = [start, start + timedelta(seconds=1), start + timedelta(seconds=1), start + timedelta(seconds=2)]
    y = [0, 2, 2, 4]
    for x in (
        pl.Series([-1.0, 0.0, -0.0, 1.0]),
        pl.Series([0, 1, 1, 2], dtype=pl.UInt8),
        pl.Series([0, 1, 1, 2], dtype=pl.Int128),
        pl.Series([0, 1, 1, 2], dtype=pl.Float32),
        pl.Series([Decimal(0), Decimal(1), Decimal(1), Decimal(2)], dtype=pl.Decimal(5, 1)),
        pl.Series(at, dtype=pl.Datetime("ms")),
        pl.Series(at, dtype=pl.Datetime("ns", "UTC")),
        pl.Series([2, 1, 1, 0]) * -1,
    ):
        assert apply(pg.gradient, y, x, duplicates=duplicates) == [2.0] * 4, x.dtype
    assert apply(pg.gradient, y, [2, 1, 1, 0], duplicates=duplicates) == [-2.0] * 4
    assert apply(pg.gradient, [0, 2], [False, True], duplicates=duplicates) == [2.0] * 2


@each_rule
def test_a_nan_in_a_run(duplicates: Any) -> None:
    """A value: "first" and "last" may leave it out, a mean cannot."""
    got = apply(pg.gradient, [0.0, 1.0, nan, 3.0, 4.0, 5.0, 6.0], [0, 1, 1, 2, 3, 4, 5], duplicates=duplicates)
    assert [math.isnan(slope) for slope in got[:4]] == [duplicates != "first"] * 4
    assert not any(map(math.isnan, got[4:]))


def test_times_of_day_and_angles() -> None:
    """The mean of a run is on the short way round."""
    x = [0, 1, 1, 2]
    assert apply(pg.gradient, [340, 350, 350, 0], x, duplicates="first", y_period=360) == [10.0] * 4
    assert apply(pg.gradient, [340, 350, 10, 20], x, duplicates="mean", y_period=360) == [20.0] * 4
    assert apply(pg.gradient, [340.0, 10.0, 350.0, 20.0], x, duplicates="mean", y_period=360) == [20.0] * 4


# Exact arithmetic


TICKS: dict[str, tuple[Any, int]] = {
    "Int64": (pl.Int64, 1),
    "UInt64": (pl.UInt64, 1),
    "Int32": (pl.Int32, 1),
    "Decimal": (pl.Decimal(12, 1), 10),
    "Float64": (pl.Float64, 8),
    "Float32": (pl.Float32, 8),
}


class Drawn:
    """Groups in any order, whose x repeats; nulls, gaps."""

    def __init__(self, seed: int, name: str = "Float64", *, falls: bool = True) -> None:
        self.random = random = Random(seed)
        dtype, ticks = TICKS[name]
        rows = random.randint(1, 30)
        often = random.choice([0.0, 0.15, 0.4])
        top = 100 if name == "Float32" else 10_000
        self.y = self.some_null([Fraction(random.randrange(top), ticks) for _ in range(rows)], often)
        steps = random.choice([[0, 1], [0, 0, 0, 1], [1, 2], [0, 1, 2, 9]])
        self.x = self.some_null([*accumulate(random.choice(steps) for _ in range(rows))], often / 2)
        if falls and random.random() < 0.3:
            self.x = [None if at is None else -at for at in self.x]
        self.keys = [random.choice("abc") for _ in range(rows)]
        if random.random() < 0.4:
            self.keys.sort()
        self.nulls = random.choice(["propagate", "skip", "split"])
        self.max_gap = random.choice([None, 4])
        self.duplicates = random.choice(RULES)
        values: list[Any] = [value if value is None else float(value) for value in self.y]
        if dtype.is_integer():
            values = [value if value is None else int(value) for value in values]
        elif dtype.is_decimal():
            values = [value if value is None else Decimal(str(value)) for value in values]
        columns = [pl.Series("y", values, dtype=dtype), pl.Series("x", self.x, dtype=pl.Int64)]
        cut = random.randint(0, rows)
        self.frame = pl.DataFrame(
            [pl.concat([each[:cut], each[cut:]], rechunk=False) for each in columns] + [pl.Series("k", self.keys)]
        )

    def some_null(self, values: list[Any], often: float) -> list[Any]:
        return [None if self.random.random() < often else value for value in values]

    @property
    def domain(self) -> dict[str, Any]:
        return {"nulls": self.nulls, "max_gap": self.max_gap, "duplicates": self.duplicates}

    def groups(self) -> list[list[int]]:
        """The rows of each group; with "skip" those without a null."""
        groups: dict[str, list[int]] = {}
        for row, key in enumerate(self.keys):
            group = groups.setdefault(key, [])
            if self.nulls != "skip" or not (self.y[row] is None or self.x[row] is None):
                group.append(row)
        return [*groups.values()]

    def is_null(self, row: int) -> bool:
        return self.y[row] is None or self.x[row] is None

    def batches(self, frame: pl.DataFrame) -> list[pl.DataFrame]:
        random, rows = self.random, frame.height
        cuts = [*range(rows)] if random.random() < 0.5 else sorted(random.randint(0, rows) for _ in range(4))
        return [frame[start:end] for start, end in pairwise([0, *cuts, rows])]


@pytest.mark.parametrize("name", TICKS)
@pytest.mark.parametrize("edge_order", [1, 2])
@given(seed=seeds)
def test_any_gradient_is_that_of_the_points(name: str, edge_order: Any, seed: int) -> None:
    case = Drawn(seed, name)
    exact: list[oracle.Slope | None] = [None] * case.frame.height
    spread = Fraction(0)
    for group in case.groups():
        points = points_of(case.y, case.x, group, nulls=case.nulls, duplicates=case.duplicates)
        slopes = oracle.gradient(
            [y for _, _, y in points],
            [x for _, x, _ in points],
            edge_order=edge_order,
            nulls="propagate" if case.nulls == "skip" else case.nulls,
            max_gap=case.max_gap,
        )
        for (rows, _, _), slope in zip(points, slopes, strict=True):
            for row in rows:
                exact[row] = None if case.is_null(row) else slope
    got = case.frame.select(pg.gradient("y", "x", by="k", edge_order=edge_order, **case.domain)).to_series()
    if case.duplicates == "mean" and not name.startswith(("Int64", "UInt64", "Decimal")):
        # Their mean is a float.
        spread = 4 * EPSILON * max([abs(value) for value in case.y if value is not None], default=Fraction(0))
    rounding = Fraction(2) ** -24 if name == "Float32" else Fraction(0)
    for value, slope in zip(got, exact, strict=True):
        assert (value is None) == (slope is None)
        if slope is not None:
            error = abs(Fraction(value) - slope.value)
            assert error <= 4 * EPSILON * slope.term + rounding * abs(slope.value) + spread


@pytest.mark.parametrize("name", TICKS)
@given(seed=seeds)
def test_any_counter_is_that_of_the_points(name: str, seed: int) -> None:
    case = Drawn(seed, name, falls=False)
    rules = {"keys": case.keys, **case.domain}
    reset = case.random.choice(["restart", "null"])
    is_float = name.startswith("Float")
    if is_float or case.duplicates != "mean":
        got = case.frame.select(pg.increase("y", "x", by="k", reset=reset, **case.domain)).to_series().to_list()
        assert_near(got, counter(case.y, case.x, reset=reset, **rules), name, case)
    got = case.frame.select(pg.rate("y", "x", by="k", reset=reset, **case.domain)).to_series().to_list()
    assert_near(got, counter(case.y, case.x, reset=reset, per_x=True, **rules), name, case)


def assert_near(got: list[Any], exact: list[Any], name: str, case: Drawn) -> None:
    largest = max([abs(value) for value in case.y if value is not None], default=Fraction(0))
    spread = 4 * EPSILON * largest if case.duplicates == "mean" and name.startswith(("Float", "Int32")) else Fraction(0)
    rounding = 4 * EPSILON + (Fraction(2) ** -24 if name == "Float32" else 0)
    for value, each in zip(got, exact, strict=True):
        assert (value is None) == (each is None), (got, exact)
        if each is not None:
            assert abs(Fraction(value) - each) <= rounding * abs(each) + spread


@given(seed=seeds)
def test_the_sum_of_increases_is_the_total(seed: int) -> None:
    """That of the points, since one row of each has the increase."""
    case = Drawn(seed, "Int64", falls=False)
    duplicates = case.random.choice(["first", "last"])
    frame = case.frame.select("y", x=pl.col("x").fill_null(strategy="forward").fill_null(0))
    got = frame.select(pg.increase("y", "x", nulls="skip", duplicates=duplicates).sum()).item()
    known = [row for row, value in enumerate(frame["y"]) if value is not None]
    points = points_of(frame["y"], frame["x"], known, nulls="skip", duplicates=duplicates)
    assert got == sum(gain or 0 for gain in counter([y for _, _, y in points]))


# Means


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt64, pl.Int128, pl.Decimal(20, 1), pl.Decimal(38, 1)], ids=str)
@given(seed=seeds)
@settings(max_examples=40)
def test_the_mean_of_integers_keeps_its_fraction(dtype: Any, seed: int) -> None:
    """Whatever their size: within 4 machine epsilons of the largest term."""
    random = Random(seed)
    offset = random.choice([0, 2**53, 2**62, -(2**62)])
    offset = (
        2**63 + 2**62 if dtype == pl.UInt64 and random.random() < 0.5 else abs(offset) if dtype == pl.UInt64 else offset
    )
    x = [*accumulate(random.choice([0, 0, 1, 3]) for _ in range(random.randint(2, 12)))]
    y = [offset + random.randrange(20) for _ in x]
    tens = 10 if dtype.is_decimal() else 1
    values = [Decimal(each).scaleb(-1) if dtype.is_decimal() else each for each in y]
    got = apply(pg.gradient, values, x, dtype, duplicates="mean")
    points = points_of(y, x, range(len(y)), nulls="propagate", duplicates="mean")
    slopes = oracle.gradient([each for _, _, each in points], [at for _, at, _ in points])
    exact = [slope for (rows, _, _), slope in zip(points, slopes, strict=True) for _ in rows]
    for value, slope in zip(got, exact, strict=True):
        assert (value is None) == (slope is None)
        if slope is not None:
            assert abs(Fraction(value) * tens - slope.value) <= 4 * EPSILON * slope.term


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32], ids=str)
def test_the_mean_of_small_integers_keeps_its_fraction(dtype: Any) -> None:
    """As that of larger ones: also where a float of that size has few digits left."""
    top = int(pl.select(dtype.max()).item())
    y, x = [top, top, top - 1, top, top - 1], [0, 1, 1, 1, 2]
    third = Fraction(1, 3)
    got = apply(pg.gradient, y, x, dtype, duplicates="mean")
    for value, slope in zip(got, [-third, *[-Fraction(1, 2)] * 3, third - 1], strict=True):
        assert abs(Fraction(value) - slope) <= 4 * EPSILON


def test_the_mean_of_times() -> None:
    y = [datetime(2024, 1, 1, 0, 0, seconds) for seconds in (0, 1, 2, 2, 5)]
    for unit in ("ms", "us", "ns"):
        frame = pl.DataFrame({"x": [0, 1, 1, 1, 2], "y": pl.Series(y, dtype=pl.Datetime(unit))})
        ticks = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
        got = frame.select(pg.gradient("y", "x", duplicates="mean"))["y"]
        assert got.dtype == pl.Duration(unit)
        exact = [Fraction(5, 3), *[Fraction(5, 2)] * 3, Fraction(10, 3)]
        for value, each in zip(got.to_physical(), exact, strict=True):
            assert abs(value - each * ticks) <= Fraction(1, 2)


def test_a_mean_does_not_overflow() -> None:
    """The first value plus the mean of differences."""
    got = apply(pg.gradient, [0.0, 1.5e308, 1.7e308, 1.6e308], [0.0, 1e10, 1e10, 2e10], duplicates="mean")
    assert got == pytest.approx([1.6e298, 8e297, 8e297, 0.0], rel=1e-15)
    top = [2**63 - 1] * 4
    assert apply(pg.gradient, top, [0, 1, 1, 2], pl.Int64, duplicates="mean") == [0.0] * 4
    both = [-(2**63), 2**63 - 1, -(2**63), 2**63 - 1]
    assert apply(pg.gradient, both, [0, 0, 1, 1], pl.Int64, duplicates="mean") == [0.0] * 4


# The column of points has the same bits


USES: dict[str, Callable[..., pl.Expr]] = {
    "gradient": pg.gradient,
    "gradient, edge_order=2": lambda *columns, **domain: pg.gradient(*columns, edge_order=2, **domain),
    "derivative": lambda *columns, **domain: pg.derivative(*columns, order=2, accuracy=3, **domain),
    "derivative, backward": lambda *columns, **domain: pg.derivative(*columns, side="backward", **domain),
    "derivative, forward": lambda *columns, **domain: pg.derivative(*columns, side="forward", order=3, **domain),
    "increase": lambda *columns, **domain: pg.increase(*columns, strict=False, **domain),
    "rate": lambda *columns, **domain: pg.rate(*columns, strict=False, **domain),
    "integral": pg.integral,
}
each_use = pytest.mark.parametrize("use", USES)


@each_use
@given(seed=seeds)
def test_results_are_those_of_a_column_of_points(use: str, seed: int) -> None:
    case, operator = Drawn(seed), USES[use]
    points = [
        (
            [row for row in rows if not case.is_null(row)],
            x,
            None if y is None else as_float(case, rows, y),
            case.keys[rows[0]],
        )
        for group in case.groups()
        for rows, x, y in points_of(case.y, case.x, group, nulls=case.nulls, duplicates=case.duplicates)
    ]
    column = pl.DataFrame(
        {
            "x": [x for _, x, _, _ in points],
            "y": [y for *_, y, _ in points],
            "k": [key for *_, key in points],
        },
        schema={"x": pl.Int64, "y": pl.Float64, "k": pl.String},
    )
    plain = {"nulls": "propagate" if case.nulls == "skip" else case.nulls, "max_gap": case.max_gap}
    result = column.select(operator("y", "x", by="k", **plain)).to_series().to_list()
    expected: list[Any] = [None] * case.frame.height
    for (rows, *_), value in zip(points, result, strict=True):
        for place, row in enumerate(rows):
            expected[row] = 0.0 if use == "increase" and place else value
    got = case.frame.select(operator("y", "x", by="k", **case.domain)).to_series()
    assert_same(got, pl.Series("y", expected, dtype=pl.Float64))


def as_float(case: Drawn, rows: list[int], y: Fraction) -> float:
    """The y of a point; a mean is the first value plus the mean of the differences to it."""
    if case.duplicates != "mean":
        return float(y)
    first, *others = (float(value) for row in rows if (value := case.y[row]) is not None)
    return first + sum(each - first for each in others) / (len(others) + 1)


# Faces


@each_use
@each_rule
@given(seed=seeds)
@settings(max_examples=25)
def test_contexts_engines_and_batches(use: str, duplicates: Any, seed: int) -> None:
    """A run may cross batches, and be longer than several of them."""
    case, operator = Drawn(seed), USES[use]
    domain = {**case.domain, "duplicates": duplicates}
    frame, by = case.frame, operator("y", "x", by="k", **domain).alias("result")
    expected = frame.select(by).to_series()
    alone = operator("y", "x", **domain).alias("result")
    parts = frame.with_row_index("row").partition_by("k", maintain_order=True)
    assert_same(pl.concat(part.with_columns(alone) for part in parts).sort("row")["result"], expected)
    assert_same(frame.select(alone.over("k")).to_series(), expected)
    for engine in ENGINES:
        assert_same(frame.lazy().select(by).collect(engine=engine).to_series(), expected)
    in_order = frame.with_columns(result=expected).sort("k", maintain_order=True)
    rows = in_order.drop("result")
    assert_frame_equal(pl.concat(pg.stitch(case.batches(rows), by)), in_order, check_exact=True)
    streamed = rows.lazy().grad.with_columns(by).collect(engine=case.random.choice(ENGINES))
    assert_frame_equal(streamed, in_order, check_exact=True)


@given(seed=seeds)
def test_operators_with_and_without_points_in_one_pass(seed: int) -> None:
    """None sees rows that another leaves out, and none has points of another."""
    case = Drawn(seed)
    rows = case.frame.sort("k", maintain_order=True)
    operators = [
        USES[use](
            "y" if use == "increase" else case.random.choice(["y", "x"]),
            None if plain else "x",
            by="k",
            nulls=case.random.choice(["propagate", "skip", "split"]),
            **({} if plain else {"duplicates": case.random.choice(RULES)}),
        ).alias(f"{number}")
        for number, (use, plain) in enumerate(
            [("gradient", True), ("gradient", False), ("derivative", False), ("increase", False), ("derivative", True)]
        )
    ]
    assert_frame_equal(
        pl.concat(pg.stitch(case.batches(rows), operators)), rows.with_columns(operators), check_exact=True
    )


def test_a_run_waits_for_its_last_row() -> None:
    """And for its neighbours; then all of it comes out."""
    frame = pl.DataFrame({"x": [0, 1, 1, 1, 2, 2, 3], "y": [0.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0]})
    slope = pg.gradient("y", "x", duplicates="mean")
    came = [each.height for each in pg.stitch([frame[row : row + 1] for row in range(7)], slope=slope)]
    assert sum(came) == 7
    assert max(came) >= 3
    backward = pg.rate("y", "x", duplicates="first").alias("rate")
    assert pl.concat(pg.stitch([frame[:3], frame[3:]], backward))["rate"].to_list() == [None, *[1.0] * 3, 4.0, 4.0, 2.0]


def test_the_method_of_a_series() -> None:
    y, x, k = pl.Series([0, 1, 3, 4, 9]), pl.Series([0, 1, 1, 2, 2]), pl.Series([1, 1, 1, 1, 1])
    for duplicates in RULES:
        frame = pl.DataFrame({"y": y, "x": x})
        expected = frame.select(pg.gradient("y", "x", duplicates=duplicates)).to_series().alias("")
        assert_same(y.grad.gradient(x, duplicates=duplicates), expected)
        assert_same(y.grad.gradient(x.to_list(), by=k, duplicates=duplicates), expected)
    assert y.grad.increase(x, duplicates="last").to_list() == [None, 3, 0, 6, 0]


REPEATED = pl.DataFrame({"k": list("aaaabbb"), "x": [0, 1, 1, 2, 5, 5, 6], "y": [0.0, 1.0, 3.0, 4.0, 1.0, 2.0, 9.0]})


@each_rule
def test_inside_of_cells(duplicates: Any, engine: Any) -> None:
    """Each is a column."""
    frame = pl.DataFrame({"k": list("aaaabbb"), "x": [0, 1, 1, 2, 5, 5, 6], "y": [0.0, 1.0, 3.0, 4.0, 1.0, 2.0, 9.0]})
    flat = frame.select("k", pg.gradient("y", "x", duplicates=duplicates).over("k"))
    expected = flat.group_by("k", maintain_order=True).agg("y")
    cells = frame.group_by("k", maintain_order=True).agg("x", "y").lazy()
    inside = cells.select("k", pg.gradient("y", "x", axis=1, duplicates=duplicates))
    assert_frame_equal(inside.collect(engine=engine), expected, check_exact=True)
    shared = cells.head(1).select(pg.gradient("y", [0, 1, 1, 2], axis=1, duplicates=duplicates))
    assert shared.collect(engine=engine)["y"].to_list() == expected["y"].head(1).to_list()


@each_rule
@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
@pytest.mark.parametrize("dtype", [pl.Array(pl.Float64, 2), pl.List(pl.Float64)], ids=["Array", "List"])
def test_down_the_rows_of_cells(dtype: Any, nulls: Any, duplicates: Any) -> None:
    """Each place is a column."""
    frame = REPEATED.with_columns(z=-pl.col("y"))
    pairs = frame.with_columns(cell=pl.concat_list("y", "z").cast(dtype))
    for operator in (pg.gradient, pg.rate, pg.increase):
        domain = {"duplicates": duplicates, "by": "k", "nulls": nulls}
        down = pairs.select(operator("cell", "x", **domain))["cell"]
        both = frame.select(operator(pl.col("y", "z"), "x", **domain))
        assert [*map(tuple, down.to_list())] == both.rows()


def test_list_eval_of_points() -> None:
    points = pl.DataFrame({"points": [[{"x": 0, "y": 0}, {"x": 1, "y": 1}, {"x": 1, "y": 3}, {"x": 2, "y": 4}], []]})
    y, x = pl.element().struct.field("y"), pl.element().struct.field("x")
    got = points.select(pl.col("points").list.eval(pg.gradient(y, x, duplicates="mean")))
    assert got["points"].to_list() == [[2.0] * 4, []]


def test_many_rows() -> None:
    """More than one thread takes, in one group and in many; each run is one row of the grouped frame."""
    rows = 400_000
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"k": np.sort(rng.integers(0, 50, rows)), "x": np.cumsum(rng.integers(0, 2, rows)), "y": rng.normal(size=rows)}
    )
    for keys in ([], ["k"]):
        points = frame.group_by([*keys, "x"], maintain_order=True).agg(pl.col("y").first(), size=pl.len())
        expected = points.select(
            pg.gradient("y", "x", by=keys or None).repeat_by("size").explode(empty_as_null=False)
        ).to_series()
        for shuffled in (frame, frame.sort("x", maintain_order=True)):
            if keys or shuffled is frame:
                slope = pg.gradient("y", "x", by=keys or None, duplicates="first")
                got = shuffled.with_columns(slope=slope)
                got = got.sort("k", maintain_order=True) if keys else got
                assert_same(got["slope"], expected.alias("slope"))


# Errors


@each_rule
@pytest.mark.parametrize(
    ("operator", "x", "words"),
    [
        (pg.gradient, [0, 1, 1, 0], "`x` must be finite and strictly monotonic, but in column `x` 1 is followed by 0"),
        (pg.gradient, [0.0, 1.0, 1.0, nan], "column `x` 1.0 is followed by NaN"),
        (pg.gradient, [0.0, 1.0, inf, inf], "column `x` 1.0 is followed by inf"),
        (pg.gradient, [0.0, nan, nan, 1.0], "column `x` 0.0 is followed by NaN"),
        (pg.rate, [2, 2, 1, 1], "`x` must be finite and strictly rising, but in column `x` 2 is followed by 1"),
        (pg.increase, [2, 2, 1, 1], "`x` must be finite and strictly rising, but in column `x` 2 is followed by 1"),
    ],
    ids=shown,
)
def test_an_x_that_turns_is_still_an_error(operator: Any, x: list[Any], words: str, duplicates: Any) -> None:
    frame = pl.DataFrame({"k": ["a"] * 4, "x": x, "y": [1.0, 2.0, 3.0, 4.0]})
    for by in (None, "k"):
        with pytest.raises(ComputeError, match=re.escape(words)):
            frame.select(operator("y", "x", by=by, duplicates=duplicates))
        with pytest.raises(ComputeError, match=re.escape(words)):
            list(pg.stitch([frame[:3], frame[3:]], operator("y", "x", by=by, duplicates=duplicates)))
        lenient = frame.select(operator("y", "x", by=by, duplicates=duplicates, strict=False))["y"]
        assert lenient.null_count() > 0
    with pytest.raises(ComputeError, match=r"in the group `k` = \"a\""):
        frame.select(operator("y", "x", by="k", duplicates=duplicates))


def test_by_default_an_x_that_repeats_is_an_error() -> None:
    for operator in (pg.gradient, pg.derivative, pg.increase, pg.rate):
        advice = r"column `x` 1 is followed by 1; merge repeated `x` with `duplicates=\"mean\"`, tell series apart"
        with pytest.raises(ComputeError, match=advice):
            apply(operator, [1, 2, 3, 4], [0, 1, 1, 2])
        with pytest.raises(ComputeError, match=r"column `x` 1 is followed by 1"):
            apply(operator, [1, 2, 3, 4], [0, 1, 1, 2], duplicates="error")
        assert None in apply(operator, [1, 2, 3, 4], [0, 1, 1, 2], strict=False)


@pytest.mark.parametrize("operator", [pg.gradient, pg.derivative, pg.increase, pg.rate, pg.integral])
@pytest.mark.parametrize("value", ["median", "Mean", None, True, 0, ["first"]], ids=repr)
def test_a_wrong_value_is_an_error_at_once(operator: Any, value: Any) -> None:
    words = rf"`duplicates` must be 'error', 'first', 'last' or 'mean', got {re.escape(repr(value))}"
    with pytest.raises(ValueError, match=words):
        operator("y", "x", duplicates=value)


@pytest.mark.parametrize("operator", [pg.gradient, pg.derivative, pg.increase])
def test_there_are_none_without_x(operator: Any) -> None:
    for spacing in (None, 2.0):
        with pytest.raises(ValueError, match="`duplicates` are rows of equal x: give `x`, the coordinate column"):
            operator("y", spacing=spacing, duplicates="mean")
        operator("y", spacing=spacing, duplicates="error")
