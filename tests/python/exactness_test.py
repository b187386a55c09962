"""Slopes against exact rational arithmetic: at most four machine epsilons of the largest term away."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import oracle
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import EXTREMES

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EPSILON = Fraction(1, 2**52)
SMALLEST = Fraction(1, 2**1074)  # the float next to zero
NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000}
PER = {"1s": 10**9, "1h": 3600 * 10**9, "1d": 86400 * 10**9}


def assert_exact(y: pl.Series, x: pl.Series | None, exact_x: Sequence[Any] | None = None, **options: Any) -> None:
    """Both edge orders; `exact_x` is x in the unit of the result where that is not its own."""
    frame = pl.DataFrame({"y": y} if x is None else {"y": y, "x": x})
    if exact_x is None:
        exact_x = None if x is None else x.to_list()
    for edge_order in (1, 2):
        slopes = pg.gradient("y", None if x is None else "x", edge_order=edge_order, **options)
        got = frame.select(slopes).to_series().to_list()
        expected = oracle.gradient(y.to_list(), exact_x, edge_order=edge_order)
        for row, (value, slope) in enumerate(zip(got, expected, strict=True)):
            assert (value is None) == (slope is None), f"row {row}: {value} for {slope}"
            if slope is not None:
                error = abs(Fraction(value) - slope.value)
                assert error <= 4 * max(EPSILON * slope.term, SMALLEST), f"row {row}: {value} for {float(slope.value)}"


def noise(rows: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=rows)


def uneven(rows: int, low: float = 0.1, high: float = 2.0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(2).uniform(low, high, rows))


GRIDS = {
    "irregular": (noise(500), uneven(500)),
    "falling": (noise(500), -uneven(500)),
    "dense around zero": (noise(500), np.sort(noise(500))),
    "y around 1e9": (1e9 + noise(500), uneven(500)),
    "y and x around 1e12": (1e12 + noise(500), 1e12 + uneven(500, 1.0)),
    "steps of six magnitudes": (noise(500), np.cumsum(10.0 ** (3 * np.sin(np.arange(500))))),
    "steps around 1e-150": (noise(500), 1e-150 * uneven(500)),
    "steps around 1e150": (noise(500), 1e150 * uneven(500)),
    "steps growing from 1e-150 to 1e150": (noise(700), 10.0 ** np.linspace(-150, 150, 700)),
    "steps shrinking to 1e-150 and growing": (
        noise(500) * 10.0 ** (90 * np.cos(np.arange(500))),
        np.concatenate([-(10.0 ** np.linspace(150, -150, 250)), 10.0 ** np.linspace(-150, 150, 250)]),
    ),
}


@pytest.mark.parametrize("grid", GRIDS)
def test_floats(grid: str) -> None:
    y, x = GRIDS[grid]
    assert_exact(pl.Series("y", y), pl.Series("x", x))


@pytest.mark.parametrize("step", [1.0, 0.1, -3.7, 1e-150, 1e150])
@pytest.mark.parametrize("offset", [0.0, 1e9, 1e12])
def test_floats_a_constant_step_apart(step: float, offset: float) -> None:
    y = offset + noise(500)
    assert_exact(pl.Series("y", y), None, [row * Fraction(step) for row in range(500)], spacing=step)


@st.composite
def finite(draw: st.DrawFn, smallest: float, largest: float) -> float:
    """A float of any magnitude within bounds, or zero."""
    magnitude = draw(st.floats(smallest, largest))
    return draw(st.sampled_from([-1.0, 0.0, 1.0])) * magnitude


@given(st.data())
def test_any_floats(data: st.DataObject) -> None:
    x = sorted(data.draw(st.sets(finite(1e-150, 1e150), min_size=2, max_size=12)))
    assume(all(after - before >= 1e-150 for before, after in pairwise(x)))
    y = data.draw(st.lists(finite(1e-100, 1e100), min_size=len(x), max_size=len(x)))
    assert_exact(pl.Series("y", y), pl.Series("x", x))


@given(st.data())
def test_any_floats_in_groups_with_nulls(data: st.DataObject) -> None:
    """Rows of a key need not be next to each other."""
    rows = data.draw(st.integers(1, 25))
    y = data.draw(st.lists(st.one_of(st.none(), finite(1e-3, 1e12)), min_size=rows, max_size=rows))
    steps = data.draw(st.lists(st.floats(1e-3, 1e3), min_size=rows, max_size=rows))
    keys = data.draw(st.lists(st.sampled_from("abc"), min_size=rows, max_size=rows))
    x = list(accumulate(steps))
    frame = pl.DataFrame({"y": y, "x": x, "k": keys}, schema_overrides={"y": pl.Float64})
    for edge_order in (1, 2):
        got = frame.select(pg.gradient("y", "x", edge_order=edge_order).over("k")).to_series()
        for value, slope in zip(got, oracle.gradient(y, x, edge_order=edge_order, keys=keys), strict=True):
            assert (value is None) == (slope is None)
            if slope is not None:
                assert abs(Fraction(value) - slope.value) <= 4 * EPSILON * slope.term


@pytest.mark.parametrize(("dtype", "epsilon"), [(pl.Float32, 2.0**-24), (pl.Float16, 2.0**-11)])
def test_small_floats_are_computed_in_float64_and_rounded_once(dtype: Any, epsilon: float) -> None:
    y = pl.Series("y", 100 + noise(500), dtype=dtype)
    for x in (pl.Series("x", uneven(500)), pl.Series("x", uneven(500), dtype=pl.Float32)):
        got = pl.DataFrame([y, x]).select(pg.gradient("y", "x")).to_series()
        assert got.dtype == dtype
        for value, slope in zip(got.to_list(), oracle.gradient(y.to_list(), x.to_list()), strict=True):
            # Half a unit in the last place, and the error of the value that was rounded.
            assert slope is not None
            bound = Fraction(epsilon) * abs(slope.value) + 8 * EPSILON * slope.term
            assert abs(Fraction(value) - slope.value) <= bound


@pytest.mark.parametrize(("dtype", "low", "high"), EXTREMES)
def test_extreme_integers(dtype: Any, low: int, high: int) -> None:
    y = pl.Series("y", [low, high, low, low + 1, high - 1, high, (low + high) // 2], dtype=dtype)
    assert_exact(y, None)
    assert_exact(y, pl.Series("x", [0, 1, 3, 4, 5, 9, 10]))
    x = pl.Series("x", [low, low + 1, low + 100, (low + high) // 2, high - 7, high - 1, high], dtype=dtype)
    assert_exact(y, x)
    assert_exact(y, x.reverse())


@pytest.mark.parametrize(("dtype", "low", "high"), EXTREMES)
@given(data=st.data())
def test_any_integers(data: st.DataObject, dtype: Any, low: int, high: int) -> None:
    numbers = st.one_of(st.integers(low, high), st.integers(high - 9, high), st.integers(low, low + 9))
    x = sorted(data.draw(st.sets(numbers, min_size=2, max_size=12)))
    y = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    assert_exact(pl.Series("y", y, dtype=dtype), pl.Series("x", x, dtype=dtype))
    assert_exact(pl.Series("y", y, dtype=dtype), None)


@pytest.mark.parametrize("scale", [0, 2, 18, 38])
@given(data=st.data())
def test_decimals(data: st.DataObject, scale: int) -> None:
    largest = 10**38 - 1
    numbers = st.one_of(st.integers(-largest, largest), st.integers(-99, 99))
    x = sorted(data.draw(st.sets(numbers, min_size=2, max_size=8)))
    y = data.draw(st.lists(numbers, min_size=len(x), max_size=len(x)))
    dtype = pl.Decimal(38, scale)

    def decimals(values: list[int]) -> list[Decimal]:
        return [Decimal((value < 0, tuple(map(int, str(abs(value)))), -scale)) for value in values]

    assert_exact(pl.Series("y", decimals(y), dtype=dtype), None)
    assert_exact(pl.Series("y", decimals(y), dtype=dtype), pl.Series("x", decimals(x), dtype=dtype))
    assert_exact(pl.Series("y", decimals(y), dtype=dtype), pl.Series("x", range(len(x))))


EPOCHS = 1_700_000_000_000_000_000 + np.cumsum(np.random.default_rng(3).integers(1, 200, 500))


def test_nanosecond_epochs_a_hundred_nanoseconds_apart() -> None:
    """As numbers and as times; a float64 could not tell the rows apart."""
    y = pl.Series("y", noise(500))
    assert_exact(y, pl.Series("x", EPOCHS))
    assert_exact(y, pl.Series("x", EPOCHS.astype(np.uint64)[::-1]))
    for per, nanoseconds in PER.items():
        in_unit = [Fraction(int(epoch), nanoseconds) for epoch in EPOCHS]
        assert_exact(y, pl.Series("x", EPOCHS).cast(pl.Datetime("ns")), in_unit, per=per)
        assert_exact(y, pl.Series("x", EPOCHS).cast(pl.Datetime("ns", "Asia/Kolkata")), in_unit, per=per)
        assert_exact(y, pl.Series("x", EPOCHS).cast(pl.Duration("ns")), in_unit, per=per)


@pytest.mark.parametrize("unit", NANOSECONDS)
@pytest.mark.parametrize("per", PER)
def test_times_in_any_unit(unit: Any, per: str) -> None:
    counts = np.cumsum(np.random.default_rng(4).integers(1, 2**40, 200))
    in_unit = [Fraction(int(count) * NANOSECONDS[unit], PER[per]) for count in counts]
    for dtype in (pl.Datetime(unit), pl.Duration(unit)):
        assert_exact(pl.Series("y", noise(200)), pl.Series("x", counts).cast(dtype), in_unit, per=per)
        assert_exact(pl.Series("y", counts[::-1] * 7), pl.Series("x", counts).cast(dtype), in_unit, per=per)


@given(st.data())
def test_a_constant_column_has_slope_zero(data: st.DataObject) -> None:
    rows = data.draw(st.integers(3, 20))
    steps = data.draw(st.lists(st.floats(1e-3, 1e9), min_size=rows, max_size=rows))
    x = np.cumsum(steps)
    constant = data.draw(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False).map(lambda value: pl.Series("y", [value] * rows)),
            st.integers(-(2**63), 2**63 - 1).map(lambda value: pl.Series("y", [value] * rows, dtype=pl.Int64)),
            st.integers(0, 2**64 - 1).map(lambda value: pl.Series("y", [value] * rows, dtype=pl.UInt64)),
        )
    )
    frame = pl.DataFrame([constant, pl.Series("x", x)])
    for edge_order in (1, 2):
        slopes = frame.select(
            irregular=pg.gradient("y", "x", edge_order=edge_order),
            even=pg.gradient("y", spacing=0.1, edge_order=edge_order),
        )
        assert slopes["irregular"].to_list() == slopes["even"].to_list() == [0.0] * rows


def grid(data: st.DataObject, largest_step: int, start: int = 0) -> list[int]:
    steps = data.draw(st.lists(st.integers(1, largest_step), min_size=2, max_size=20))
    return list(accumulate(steps, initial=start))


def slopes_of(y: pl.Series, x: pl.Series, **options: Any) -> set[float]:
    frame = pl.DataFrame([y.rename("y"), x.rename("x")])
    return {
        slope
        for edge_order in (1, 2)
        for slope in frame.select(pg.gradient("y", "x", edge_order=edge_order, **options)).to_series()
    }


@given(st.data())
def test_a_line_on_a_grid_of_whole_numbers_has_its_slope(data: st.DataObject) -> None:
    x = grid(data, 2**36, start=data.draw(st.integers(-(2**30), 2**30)))
    slope = data.draw(st.integers(-(2**12), 2**12))
    y = [slope * value + 5 for value in x]
    assert slopes_of(pl.Series(y), pl.Series(x)) == {float(slope)}
    assert slopes_of(pl.Series(y, dtype=pl.Float64), pl.Series(x, dtype=pl.Float64)) == {float(slope)}
    assert slopes_of(pl.Series(y, dtype=pl.Int128), pl.Series(x, dtype=pl.Float64)) == {float(slope)}


@given(st.data())
def test_a_line_on_a_grid_of_binary_fractions_has_its_slope(data: st.DataObject) -> None:
    x = [value / 1024 for value in grid(data, 2**16, start=data.draw(st.integers(-(2**30), 2**30)))]
    slope = data.draw(st.integers(-(2**12), 2**12)) / 64
    assert slopes_of(pl.Series([slope * value for value in x]), pl.Series(x)) == {slope}


def lines(largest_step: int, largest_slope: int) -> Iterator[tuple[np.ndarray, int]]:
    """Uneven grids of whole numbers, each with a slope; the same ones each time, as a rounding error is rare."""
    rng = np.random.default_rng(5)
    for _ in range(150):
        yield np.cumsum(rng.integers(1, largest_step, 20)), int(rng.integers(-largest_slope, largest_slope))


@pytest.mark.parametrize("unit", NANOSECONDS)
@pytest.mark.parametrize("per", PER)
def test_a_line_over_whole_seconds_hours_or_days_has_its_slope(unit: Any, per: str) -> None:
    """Rows any whole number of `per` apart, from some instant on."""
    count = PER[per] // NANOSECONDS[unit]
    for x, slope in lines(2**12, 2**12):
        times = pl.Series(x * count + 1_234_567_890_123)
        assert slopes_of(pl.Series(slope * x), times.cast(pl.Datetime(unit)), per=per) == {float(slope)}
        assert slopes_of(pl.Series(1.0 * slope * x), times.cast(pl.Duration(unit)), per=per) == {float(slope)}


@pytest.mark.parametrize("unit", NANOSECONDS)
@pytest.mark.parametrize("per", PER)
def test_a_line_over_times_any_number_of_units_apart_has_its_slope(unit: Any, per: str) -> None:
    """Up to 17 minutes apart in nanoseconds; y rises by `slope` with each unit of the column."""
    count = PER[per] // NANOSECONDS[unit]
    for x, slope in lines(2**40, 2**6):
        times = pl.Series(x).cast(pl.Datetime(unit))
        assert slopes_of(pl.Series(slope * x), times, per=per) == {float(slope * count)}


@given(st.data())
def test_a_line_in_time_over_time_has_its_slope(data: st.DataObject) -> None:
    x = grid(data, 2**20)
    slope = data.draw(st.integers(-(2**10), 2**10))
    y = pl.Series([slope * value for value in x]).cast(pl.Duration("us"))
    assert slopes_of(y, pl.Series(x).cast(pl.Datetime("us"))) == {float(slope)}
    # Microseconds over milliseconds: the units cancel, the thousand stays.
    assert slopes_of(y, pl.Series(x).cast(pl.Datetime("ms"))) == {float(Fraction(slope, 1000))}


def test_a_line_with_a_constant_step_has_its_slope() -> None:
    y = pl.DataFrame({"y": range(0, 700, 7)})
    for spacing, slope in ((0.5, 14.0), ("100ms", 70.0), (timedelta(microseconds=1), 7e6), ("1h", 7 / 3600)):
        assert set(y.select(pg.gradient("y", spacing=spacing, edge_order=2)).to_series()) == {slope}
