"""`rolling_slope`: exact least squares in fractions, windows of rows and of lengths, groups, nulls, batches, errors."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same

import polars_grad as pg

EPS = Fraction(2) ** -52


def line(points: list[tuple[Any, Any]]) -> tuple[Fraction, Fraction] | None:
    """The slope of the least-squares line, and the sum of its absolute terms; None if all x are equal."""
    xs, ys = ([Fraction(value) for value in column] for column in zip(*points, strict=True))
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    xx = sum((x - x_mean) ** 2 for x in xs)
    if xx == 0:
        return None
    terms = [(x - x_mean) * (y - y_mean) / xx for x, y in zip(xs, ys, strict=True)]
    return sum(terms), sum(map(abs, terms))


def check(got: list[float | None], windows: list[list[tuple[Any, Any]] | None], fewest: int) -> None:
    assert len(got) == len(windows)
    for slope, window in zip(got, windows, strict=True):
        expected = line(window) if window is not None and len(window) >= fewest else None
        if expected is None:
            assert slope is None
        else:
            exact, size = expected
            assert slope is not None
            # Results are rounded; subnormal ones have fewer digits.
            assert abs(Fraction(slope) - exact) <= 4 * EPS * size + Fraction(5e-324)


numbers = st.integers(-(2**20), 2**20).map(lambda number: number / 64) | st.floats(-1e3, 1e3)
steps = st.integers(1, 2**10).map(lambda number: number / 16) | st.floats(0.01, 100)


@given(
    rows=st.lists(st.tuples(numbers, steps), min_size=1, max_size=60),
    size=st.integers(2, 25),
    data=st.data(),
    y_offset=st.sampled_from([0.0, 1e9, -1e12]),
    x_offset=st.sampled_from([0.0, 1.7e9]),
)
def test_windows_of_rows_are_exact(
    rows: list[tuple[float, float]], size: int, data: st.DataObject, y_offset: float, x_offset: float
) -> None:
    center = data.draw(st.booleans()) and size % 2 == 1
    fewest = data.draw(st.none() | st.integers(2, size))
    x, y, position = [], [], x_offset
    for value, step in rows:
        position += step
        x.append(position)
        y.append(value + y_offset)
    before, after = (size // 2, size // 2) if center else (size - 1, 0)
    points = list(zip(x, y, strict=True))
    windows = [points[max(0, row - before) : row + after + 1] for row in range(len(points))]
    frame = pl.DataFrame({"x": x, "y": y})
    got = frame.select(pg.rolling_slope("y", x="x", window_size=size, center=center, min_samples=fewest)).to_series()
    check(got.to_list(), windows, size if fewest is None else fewest)


def cauchy(rows: int, seed: int) -> list[float]:
    """Cubes of Cauchy's numbers: one row may outweigh all others."""
    draw = random.Random(seed).random
    return [math.tan(math.pi * (draw() - 0.5)) ** 3 for _ in range(rows)]


LONG_X: dict[str, list[float]] = {
    "numbers of any size": cauchy(400, 13),
    "epoch seconds": [1.7e9 + row + number for row, number in enumerate(cauchy(400, 13))],
    "an offset of 1e12": [1e12 + 0.37 * row for row in range(400)],
    "a row far away": [row + 1e9 * (row == 200) for row in range(400)],
}


@pytest.mark.parametrize("name", LONG_X)
def test_long_windows_are_exact(name: str) -> None:
    """Windows of more than 64 rows, in whatever order x is, and their standard errors."""
    x = LONG_X[name]
    for y in (cauchy(400, 113), [1e12 + row % 7 for row in range(400)]):
        frame = pl.DataFrame({"x": x, "y": y})
        for size, step in (65, 7), (300, 50):
            slope = pg.rolling_slope("y", x="x", window_size=size, with_error=True)
            fits = frame.select(slope).to_series()
            for row in range(size - 1, 400, step):
                points = list(zip(x, y, strict=True))[row - size + 1 : row + 1]
                check([fits[row]["value"]], [points], size)
                assert fits[row]["stderr"] == pytest.approx(standard_error(points), rel=1e-9)


def standard_error(points: list[tuple[float, float]]) -> float:
    """The standard error of the slope, from the residuals."""
    xs, ys = ([Fraction(value) for value in column] for column in zip(*points, strict=True))
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    xx = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)) / xx
    residuals = sum((y - y_mean - slope * (x - x_mean)) ** 2 for x, y in zip(xs, ys, strict=True))
    return math.sqrt(residuals / (len(points) - 2) / xx)


CLOSED = {
    "right": lambda x, own, size: own - size < x <= own,
    "left": lambda x, own, size: own - size <= x < own,
    "both": lambda x, own, size: own - size <= x <= own,
    "none": lambda x, own, size: own - size < x < own,
}
CENTERED = {
    "right": lambda x, own, size: own - size / 2 < x <= own + size / 2,
    "left": lambda x, own, size: own - size / 2 <= x < own + size / 2,
    "both": lambda x, own, size: own - size / 2 <= x <= own + size / 2,
    "none": lambda x, own, size: own - size / 2 < x < own + size / 2,
}


@given(
    rows=st.lists(st.tuples(numbers, st.integers(0, 6)), min_size=1, max_size=60),
    size=st.integers(1, 30),
    closed=st.sampled_from([None, "right", "left", "both", "none"]),
    center=st.booleans(),
    fewest=st.none() | st.integers(2, 5),
    temporal=st.booleans(),
)
def test_windows_of_a_length_are_exact(
    rows: list[tuple[float, int]], size: int, closed: Any, *, center: bool, fewest: int | None, temporal: bool
) -> None:
    """Rows of equal x enter and leave together."""
    x, position = [], 0
    for _, step in rows:
        position += step
        x.append(position)
    points = [(own, value) for own, (value, _) in zip(x, rows, strict=True)]
    is_in = (CENTERED if center else CLOSED)[closed or ("both" if center else "right")]
    windows = [[point for point in points if is_in(point[0], own, Fraction(size))] for own in x]
    frame = pl.DataFrame({"x": x, "y": [value for value, _ in rows]})
    window: Any = float(size)
    if temporal:
        frame = frame.with_columns(pl.from_epoch("x", time_unit="s"))
        window = timedelta(seconds=size)
    slope = pg.rolling_slope("y", x="x", window_size=window, closed=closed, center=center, min_samples=fewest)
    check(frame.select(slope).to_series().to_list(), windows, fewest or 2)


@given(
    rows=st.lists(st.tuples(st.none() | numbers, st.integers(1, 9), st.integers(0, 2)), max_size=80),
    size=st.sampled_from([2, 3, 7, 4.0, 20.0]),
)
def test_groups_and_skipped_nulls_are_frames_of_their_own(rows: list[tuple[Any, int, int]], size: Any) -> None:
    frame = pl.DataFrame(
        {"x": [step for _, step, _ in rows], "y": [y for y, _, _ in rows], "k": [key for _, _, key in rows]},
        schema={"x": pl.Int64, "y": pl.Float64, "k": pl.Int64},
    ).with_columns(pl.col("x").cum_sum())
    frame = frame.with_row_index()
    plain = pg.rolling_slope("y", x="x", window_size=size)
    parts = [frame[:0], *frame.partition_by("k", maintain_order=True)]
    alone = pl.concat(part.drop_nulls("y").select("index", slope=plain) for part in parts)
    expected = frame.join(alone, on="index", how="left", maintain_order="left")["slope"].alias("y")
    skipping = pg.rolling_slope("y", x="x", window_size=size, nulls="skip")
    assert_same(frame.select(skipping.over("k")).to_series(), expected)
    assert_same(
        frame.select(pg.rolling_slope("y", x="x", window_size=size, nulls="skip", by="k")).to_series(), expected
    )


def test_a_null_is_felt_by_the_windows_that_hold_it() -> None:
    frame = pl.DataFrame({"x": [0, 1, 2, 3, 4, 5], "y": [0.0, 1.0, None, 3.0, 4.0, 5.0]})
    rows = frame.select(pg.rolling_slope("y", x="x", window_size=2)).to_series().to_list()
    assert rows == [None, 1.0, None, None, 1.0, 1.0]
    length = frame.select(pg.rolling_slope("y", x="x", window_size=2.0)).to_series().to_list()
    assert length == [None, 1.0, None, None, 1.0, 1.0]
    split = frame.select(pg.rolling_slope("y", x="x", window_size=2, nulls="split")).to_series().to_list()
    assert split == rows


def test_an_unordered_x_is_a_regression_and_a_constant_has_slope_zero() -> None:
    frame = pl.DataFrame({"x": [3.0, 1.0, 2.0, 1.0], "y": [6.0, 2.0, 4.0, 2.0], "c": [0.1] * 4})
    assert frame.select(pg.rolling_slope("y", x="x", window_size=4)).to_series().to_list() == [None, None, None, 2.0]
    assert frame.select(pg.rolling_slope("c", x="x", window_size=3)).to_series().to_list() == [None, None, 0.0, 0.0]
    same = pl.DataFrame({"x": [1.0, 1.0], "y": [1.0, 2.0]})
    assert same.select(pg.rolling_slope("y", x="x", window_size=2)).to_series().to_list() == [None, None]


def test_nan_is_gone_after_its_windows() -> None:
    frame = pl.DataFrame({"y": [0.0, math.nan, 2.0, 3.0, 4.0]})
    got = frame.select(pg.rolling_slope("y", window_size=2)).to_series().to_list()
    assert got[0] is None
    assert math.isnan(got[1])
    assert math.isnan(got[2])
    assert got[3:] == [1.0, 1.0]


def test_errors_of_the_slope() -> None:
    """From the residuals: that of linear regression; from sigma: sigma over the root of the sum of squares."""
    frame = pl.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [0.0, 1.0, 1.0, 3.0]})
    got = frame.select(pg.rolling_slope("y", x="x", window_size=4, with_error=True)).to_series()[3]
    residuals = [y - (0.9 * x - 0.1) for x, y in zip(frame["x"], frame["y"], strict=True)]
    assert got["value"] == pytest.approx(0.9)
    assert got["stderr"] == pytest.approx(math.sqrt(sum(rest**2 for rest in residuals) / 2 / 5))
    known = pg.rolling_slope("y", x="x", window_size=2, with_error=True, sigma=0.5)
    assert frame.select(known).to_series()[1]["stderr"] == pytest.approx(0.5 / math.sqrt(0.5))
    two = frame.select(pg.rolling_slope("y", x="x", window_size=2, with_error=True)).to_series()[1]
    assert two == {"value": 1.0, "stderr": None}


def test_time_per_hour_and_angles() -> None:
    at = [datetime(2024, 1, 1) + timedelta(minutes=minute) for minute in range(0, 50, 10)]  # noqa: DTZ001
    frame = pl.DataFrame({"at": at, "y": [350.0, 355.0, 0.0, 5.0, 10.0]})
    slope = pg.rolling_slope("y", x="at", window_size="25m", per="1h", y_period=360)
    assert frame.select(slope).to_series().to_list() == [None, *[pytest.approx(30.0)] * 4]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_batches_and_engines_give_the_same_bits(engine: Any) -> None:
    rows = pl.int_range(5_000)
    frame = pl.select(k=rows // 700, t=rows * 1.5 + (rows * 7 % 5) / 4, y=((rows * 31) % 101) / 7 + 1e6)
    slope = pg.rolling_slope("y", x="t", window_size=21, by="k")
    expected = frame.with_columns(s=slope)
    assert_frame_equal(frame.lazy().with_columns(s=slope).collect(engine=engine), expected, check_exact=True)
    assert_frame_equal(frame.lazy().grad.with_columns(s=slope).collect(engine=engine), expected, check_exact=True)
    batches = [frame[start : start + 173] for start in range(0, frame.height, 173)]
    assert_frame_equal(pl.concat(pg.stitch(batches, s=slope)), expected, check_exact=True)
    parts = [part.select(pg.rolling_slope("y", x="t", window_size=21)).to_series() for part in frame.partition_by("k")]
    assert_same(pl.concat(parts).alias("s"), expected["s"])


def test_wrong_options_are_errors() -> None:
    for options, error, message in (
        ({"window_size": 1}, ValueError, "at least 2 rows, got 1"),
        ({"window_size": 4, "center": True}, ValueError, "must be odd, got 4; take 3 or 5"),
        ({"window_size": 4, "closed": "left"}, ValueError, "`closed` is about windows of a length"),
        ({"window_size": 4, "min_samples": 5}, ValueError, "from 2 to the 4 rows"),
        ({"window_size": 4, "min_samples": 2.5}, TypeError, "`min_samples` must be a whole number"),
        ({"window_size": "5m"}, ValueError, "needs `x`"),
        ({"window_size": True, "x": "x"}, TypeError, "`window_size` must be a number"),
        ({"window_size": -2.0, "x": "x"}, ValueError, "must be finite and positive"),
        ({"window_size": 4, "sigma": 1.0}, ValueError, "`with_error=True`"),
    ):
        with pytest.raises(error, match=message):
            pg.rolling_slope("y", **options)
    frame = pl.DataFrame({"x": [0.0, 2.0, 1.0], "y": [1.0, 2.0, 3.0]})
    with pytest.raises(ComputeError, match=r"strictly rising.*2.0 is followed by 1.0"):
        frame.select(pg.rolling_slope("y", x="x", window_size=5.0))
    got = frame.select(pg.rolling_slope("y", x="x", window_size=5.0, strict=False)).to_series().to_list()
    assert got == [None, 0.5, None]
    with pytest.raises(ComputeError, match="`window_size` must be a number where x is one"):
        frame.select(pg.rolling_slope("y", x="x", window_size="5m"))
    with pytest.raises(ComputeError, match="must be finite"):
        frame.with_columns(x=math.nan).select(pg.rolling_slope("y", x="x", window_size=2))
