"""`integral` is at most 4 machine epsilons of its absolute terms from the exact sum, for any numbers and times."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ids import shown
from strategies import assert_same

import polars_grad as pg

EPS = Fraction(2) ** -52


def exact(points: list[tuple[Any, Any]], initial: float = 0.0, scale: Fraction = Fraction(1)) -> list[tuple[Any, Any]]:
    """The integral at each row, and the sum of the absolute terms up to it."""
    total = size = Fraction(0)
    results = [(Fraction(initial), abs(Fraction(initial)))]
    for (before, y_before), (this, y_this) in pairwise([(Fraction(x), Fraction(y)) for x, y in points]):
        halves = [y / 2 * (this - before) * scale for y in (y_before, y_this)]
        total += sum(halves)
        size += sum(map(abs, halves))
        results.append((Fraction(initial) + total, abs(Fraction(initial)) + size))
    return results if points else []


def check(got: list[float], expected: list[tuple[Any, Any]]) -> None:
    assert len(got) == len(expected)
    for value, (total, size) in zip(got, expected, strict=True):
        # Subnormal results have fewer digits.
        assert abs(Fraction(value) - total) <= 4 * EPS * size + Fraction(5e-324)


numbers = st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from([1e-150, -1e150, 1e12, 0.1, 0.0])
steps = st.floats(0.01, 100.0) | st.sampled_from([1e-12, 1e9, 1.0])


@given(
    rows=st.lists(st.tuples(numbers, steps), max_size=80),
    offset=st.sampled_from([0.0, 1e9, -1e12]),
    falling=st.booleans(),
    initial=st.sampled_from([0.0, -3.75, 1e9]),
    size=st.integers(1, 7),
)
def test_floats(rows: list[tuple[float, float]], offset: float, *, falling: bool, initial: float, size: int) -> None:
    x = [-own if falling else own for own in accumulate((step for _, step in rows), initial=1.0)][: len(rows)]
    if any(before == this for before, this in pairwise(x)):
        # A step that the x before it swallows is no step.
        return
    y = [value + offset for value, _ in rows]
    frame = pl.DataFrame({"x": x, "y": y}, schema={"x": pl.Float64, "y": pl.Float64})
    total = pg.integral("y", "x", initial=initial)
    got = frame.select(total).to_series()
    check(got.to_list(), exact(list(zip(x, y, strict=True)), initial))
    if rows:
        batches = [frame[start : start + size] for start in range(0, frame.height, size)]
        assert_same(pl.concat(pg.stitch(batches, y=total))["y"], got)


@pytest.mark.parametrize("y_dtype", [pl.Int8, pl.UInt64, pl.Int64, pl.Int128, pl.Decimal(30, 2)], ids=str)
@pytest.mark.parametrize("x_dtype", [pl.UInt32, pl.Int64, pl.UInt64, pl.Decimal(20, 3)], ids=str)
@given(data=st.data())
def test_whole_numbers(y_dtype: Any, x_dtype: Any, data: st.DataObject) -> None:
    """Large ones far from zero too: steps are exact."""
    low, high = (-128, 127) if y_dtype == pl.Int8 else (0, 2**63) if y_dtype == pl.UInt64 else (-(2**62), 2**62)
    ys = data.draw(st.lists(st.integers(low, high), min_size=1, max_size=30))
    first = 2**31 if x_dtype == pl.UInt32 else 2**53
    rises = st.lists(st.integers(1, 10**6), min_size=len(ys), max_size=len(ys))
    xs = list(accumulate(data.draw(rises), initial=first))[: len(ys)]
    scale = Fraction(1)
    frame = pl.DataFrame({"x": pl.Series(xs).cast(pl.Int64).cast(x_dtype)}).with_columns(
        y=pl.Series(ys, dtype=pl.Int128).cast(y_dtype)
    )
    got = frame.select(pg.integral("y", "x")).to_series().to_list()
    check(got, exact(list(zip(xs, ys, strict=True)), scale=scale))


@pytest.mark.parametrize(("unit", "ticks"), [("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize(("per", "seconds"), [(None, 1), ("1h", 3600), ("7ms", Fraction(7, 1000))])
@given(data=st.data())
def test_times(unit: Any, ticks: int, per: Any, seconds: Any, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(numbers, st.integers(1, 10**9)), min_size=1, max_size=40))
    start = 1_700_000_000 * ticks
    xs = list(accumulate((step for _, step in rows), initial=start))[: len(rows)]
    ys = [y for y, _ in rows]
    frame = pl.DataFrame({"x": pl.Series(xs).cast(pl.Datetime(unit)), "y": ys})
    got = frame.select(pg.integral("y", "x", per=per)).to_series().to_list()
    check(got, exact(list(zip(xs, ys, strict=True)), scale=Fraction(1) / ticks / Fraction(seconds)))


@given(rows=st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 100)), min_size=1, max_size=60))
def test_the_integral_of_a_gradient_of_a_line_is_the_line(rows: list[tuple[int, int]]) -> None:
    x = list(accumulate((step for _, step in rows), initial=0))[: len(rows)]
    frame = pl.DataFrame({"x": x, "y": [3.0 * own for own in x]})
    back = frame.select(pg.integral(pg.gradient("y", "x"), "x", initial=0.0)).to_series()
    assert back.to_list() == frame["y"].to_list() or len(rows) == 1


def test_a_million_small_terms_lose_nothing() -> None:
    """A plain running sum is wrong in the twelfth digit."""
    frame = pl.select(y=pl.repeat(0.1, 1_000_001))
    got = frame.select(pg.integral("y")).to_series()[-1]
    assert got == float(Fraction(0.1) * 1_000_000)
    assert math.isclose(got, 1e5)


def test_heights_at_the_end_of_the_range_of_floats() -> None:
    """Halves are added first, so that neither a sum nor areas that cancel leave the range."""
    frame = pl.DataFrame({"y": [1.7e308, 1.7e308, -1.7e308, -1.7e308], "x": [0.0, 0.5, 1.0, 1.5]})
    assert frame.select(pg.integral("y", "x")).to_series().to_list() == [0.0, 0.85e308, 0.85e308, 0.0]
    far = pl.DataFrame({"y": [1.7e308, -1.7e308, 1.7e308], "x": [0.0, 1e10, 3e10]})
    assert far.select(pg.integral("y", "x")).to_series().to_list() == [0.0, 0.0, 0.0]
    # An area that is too large itself is infinite, and stays so.
    beyond = pl.DataFrame({"y": [1.7e308, 1.7e308, 0.0, 0.0], "x": [0.0, 10.0, 11.0, 12.0]})
    assert beyond.select(pg.integral("y", "x")).to_series().to_list() == [0.0, math.inf, math.inf, math.inf]


@pytest.mark.parametrize(
    "options",
    [{}, {"by": "k"}, {"max_gap": 1.49999}, {"by": "k", "hold": True, "initial": 2.0}],
    ids=shown,
)
def test_columns_long_enough_for_several_threads(options: dict[str, Any]) -> None:
    """They have the bits of batches, which one thread adds up."""
    rows, random = 600_000, np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "x": np.cumsum(random.uniform(0.5, 1.5, rows)),
            "y": random.normal(size=rows),
            "k": np.arange(rows) // 430_001,
        }
    )
    total = pg.integral("y", "x", **options)
    whole = frame.select(total).to_series()
    batches = (frame[start : start + 99_991] for start in range(0, rows, 99_991))
    assert_same(pl.concat(pg.stitch(batches, y=total))["y"], whole)
    if not options:
        x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
        areas = np.diff(x) * (y[1:] + y[:-1]) / 2
        assert abs(whole[-1] - math.fsum(areas)) <= 1e-15 * math.fsum(np.abs(areas))
    null = pl.when(pl.int_range(pl.len()) != rows // 2).then("y").alias("y")
    unknown = frame.with_columns(null).select(pg.integral("y", "x")).to_series()
    assert unknown.is_null().arg_true().to_list() == list(range(rows // 2, rows))


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_areas_over_times_do_not_overflow_on_the_way(unit: Any) -> None:
    """In ticks they are up to a billion times as large as in seconds."""
    time = pl.Series([0, 1, 2]).cast(pl.Int64) * {"ns": 10**9, "us": 10**6, "ms": 10**3}[unit]
    for dtype in (pl.Datetime(unit), pl.Duration(unit)):
        frame = pl.DataFrame({"x": time.cast(dtype), "y": [1e300, 1e300, -3e300]})
        assert frame.select(pg.integral("y", "x")).to_series().to_list() == [0.0, 1e300, 0.0]
        tiny = frame.select(pg.integral(pl.lit(3e-307), "x")).to_series()
        assert tiny.to_list() == pytest.approx([0.0, 3e-307, 6e-307], rel=4 * 2**-52, abs=0)
