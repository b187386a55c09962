"""`savgol`: exact least squares in fractions, parity with scipy, edges, nulls, groups, batches, errors, times."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same

import polars_grad as pg

EPS = Fraction(2) ** -52
Points = list[tuple[Fraction, Fraction]]


class Fit(NamedTuple):
    """The derivative at a row, and sums of absolute terms: what rounding errors are measured by."""

    value: Fraction
    terms: Fraction
    """Of the values of y, as rises from the row, times their weights."""
    basis: Fraction
    """Of the same, for each orthogonal polynomial."""
    weights: list[Fraction]
    """Of the values of y."""


def fitted(
    points: Points,
    own: int,
    degree: int,
    order: int,
    width: Fraction | None = None,
    *,
    sigma: list[Fraction] | None = None,
) -> Fit:
    """Fit a polynomial by least squares to exact numbers, made of powers orthogonalized as Gram and Schmidt did."""
    x0, y0 = points[own]
    x, rises = [x - x0 for x, _ in points], [y - y0 for _, y in points]
    kernel = [Fraction(1) if width is None else (1 - abs(each / width) ** 3) ** 3 for each in x]
    if sigma is not None:
        kernel = [each / deviation**2 for each, deviation in zip(kernel, sigma, strict=True)]

    def product(a: list[Fraction], b: list[Fraction]) -> Fraction:
        return sum((k * left * right for k, left, right in zip(kernel, a, b, strict=True)), Fraction(0))

    basis: list[tuple[list[Fraction], list[Fraction]]] = []  # coefficients by power, and values at the rows
    weights = [Fraction(0)] * len(x)
    size = Fraction(0)
    for power in range(degree + 1):
        coefficients = [Fraction(each == power) for each in range(degree + 1)]
        values = [each**power for each in x]
        for others, at_rows in basis:
            part = product(at_rows, values) / product(at_rows, at_rows)
            coefficients = [a - part * b for a, b in zip(coefficients, others, strict=True)]
            values = [a - part * b for a, b in zip(values, at_rows, strict=True)]
        basis.append((coefficients, values))
        gain = math.factorial(order) * coefficients[order] / product(values, values)
        parts = [gain * k * each for k, each in zip(kernel, values, strict=True)]
        weights = [w + part for w, part in zip(weights, parts, strict=True)]
        size += sum(abs(part * rise) for part, rise in zip(parts, rises, strict=True))
    terms = [w * rise for w, rise in zip(weights, rises, strict=True)]
    level = y0 if order == 0 else Fraction(0)
    return Fit(sum(terms, level), sum(map(abs, terms), abs(level)), size + abs(level), weights)


def check(got: list[float | None], expected: list[Fit | None], *, weighted: bool = False) -> None:
    assert len(got) == len(expected)
    for value, exact in zip(got, expected, strict=True):
        if exact is None:
            assert value is None
        else:
            assert value is not None
            # A row near the border of the window has a weight near zero, and its distance from the border is rounded.
            allowed = 10**6 * EPS * exact.basis if weighted else 16 * EPS * exact.terms
            assert abs(Fraction(value) - exact.value) <= allowed + Fraction(5e-324)


# With outliers, whose weight may be zero or almost zero.
numbers = (
    st.integers(-(2**20), 2**20).map(lambda number: number / 64)
    | st.floats(-1e3, 1e3)
    | st.sampled_from([0.0, 1e9, -1e9])
)
# Within a factor of ten.
steps = st.integers(1, 10).map(lambda number: number / 8) | st.floats(0.125, 1.25)


@given(
    rows=st.lists(st.tuples(numbers, steps), min_size=1, max_size=40),
    half=st.integers(1, 8),
    data=st.data(),
    y_offset=st.sampled_from([0.0, 1e9]),
    x_offset=st.sampled_from([0.0, 1.7e9]),
    has_x=st.booleans(),
)
def test_windows_of_rows_are_exact(
    rows: list[tuple[float, float]], half: int, data: st.DataObject, y_offset: float, x_offset: float, *, has_x: bool
) -> None:
    size = 2 * half + 1
    degree = data.draw(st.integers(1, min(3, size - 1)))
    order = data.draw(st.integers(0, degree))
    fewest = data.draw(st.none() | st.integers(degree + 1, size))
    edges: Any = data.draw(st.sampled_from(["fit", "null"]))
    x = [float(row) for row in range(len(rows))]
    if has_x:
        position, x = x_offset, []
        for _, step in rows:
            position += step
            x.append(position)
    y = [value + y_offset for value, _ in rows]
    points = [(Fraction(a), Fraction(b)) for a, b in zip(x, y, strict=True)]
    expected: list[Fit | None] = []
    for row in range(len(points)):
        start = max(0, min(row - half, len(points) - size))
        window = points[start : start + size]
        passes = row < half or row + half >= len(points)
        is_null = len(window) < (fewest or size) or (passes and edges == "null")
        expected.append(None if is_null else fitted(window, row - start, degree, order))
    options: dict[str, Any] = {"window_size": size, "degree": degree, "order": order, "edges": edges}
    frame = pl.DataFrame({"x": x, "y": y})
    got = frame.select(pg.savgol("y", "x" if has_x else None, min_samples=fewest, **options))
    check(got.to_series().to_list(), expected)


@pytest.mark.parametrize(("size", "rows"), [(5, 120), (21, 90), (101, 112)])
@pytest.mark.parametrize("has_x", [False, True])
def test_noise_is_exact_in_the_terms_of_its_values(size: int, rows: int, *, has_x: bool) -> None:
    rng = np.random.default_rng(size)
    x = np.cumsum(rng.uniform(0.1, 1.0, rows)) + 1.7e9 if has_x else np.arange(rows, dtype=float)
    y = rng.normal(size=rows) + 1e6
    points = [(Fraction(a), Fraction(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    for degree, order in [(1, 1), (2, 0), (2, 1), (3, 2)]:
        slope = pg.savgol("y", "x" if has_x else None, window_size=size, degree=degree, order=order)
        got = pl.DataFrame({"x": x, "y": y}).select(slope).to_series()
        for row in range(0, rows, 1 if size < 100 else 9):
            start = max(0, min(row - size // 2, rows - size))
            exact = fitted(points[start : start + size], row - start, degree, order)
            assert abs(Fraction(got[row]) - exact.value) <= 16 * EPS * exact.terms


@pytest.mark.parametrize(
    "x",
    [
        # As far to the right as to the left, but for the rounding of decimals.
        [-0.10200000000000001, -0.002, 0.098, 0.938],
        [-0.08, 0.02, 0.12000000000000001, 0.97],
        [-0.0049999999999999906, 0.1, 0.20500000000000002, 1.075],
        [-0.13, -0.01, 0.11, 0.6],
        # Exactly as far.
        [0.25, 0.5, 0.75, 1.125],
    ],
)
@pytest.mark.parametrize("weights", [None, "tricube"])
def test_a_weight_of_almost_nothing_keeps_its_digits(x: list[float], weights: Any) -> None:
    """The second derivative of a cubic at a row in the middle of two others has no part of the fourth row."""
    y = [0.3, 0.3, 0.3, 1e9]
    points = [(Fraction(a), Fraction(b)) for a, b in zip(x, y, strict=True)]
    options: dict[str, Any] = {"window_size": 5, "min_samples": 4, "degree": 3, "order": 2}
    got = pl.DataFrame({"x": x, "y": y}).select(pg.savgol("y", "x", weights=weights, **options)).to_series()
    # Of four rows whatever their weights are.
    exact = fitted(points, 1, 3, 2)
    assert abs(Fraction(got[1]) - exact.value) <= 4 * EPS * exact.terms


@pytest.mark.parametrize("size", [3, 5, 7, 21])
@pytest.mark.parametrize("steps", ["even", "whole", "random"])
def test_an_outlier_loses_no_digits_of_the_others(size: int, steps: str) -> None:
    rng = np.random.default_rng(size)
    rows = 2 * size + 3
    step = {"even": np.ones(rows), "whole": rng.integers(1, 10, rows), "random": rng.uniform(0.1, 1.0, rows)}[steps]
    x = np.cumsum(step.astype(float))
    domain = None if steps == "even" else "x"
    for outlier in range(0, rows, max(1, size // 3)):
        for base in (np.zeros(rows), rng.normal(size=rows)):
            y = base.copy()
            y[outlier] = 1e9
            points = [(Fraction(a), Fraction(b)) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
            for degree, order in [(1, 1), (2, 0), (2, 1), (3, 2)][: 1 if size == 3 else 4]:
                slope = pg.savgol("y", domain, window_size=size, degree=degree, order=order)
                got = pl.DataFrame({"x": x, "y": y}).select(slope).to_series().to_list()
                at = range(max(0, outlier - size), min(rows, outlier + size), 1 if size < 10 else 5)
                starts = [max(0, min(row - size // 2, rows - size)) for row in at]
                exact = [
                    fitted(points[start : start + size], row - start, degree, order)
                    for row, start in zip(at, starts, strict=True)
                ]
                check([got[row] for row in at], list(exact))


@given(
    rows=st.lists(st.tuples(numbers, st.integers(1, 6)), min_size=1, max_size=40),
    size=st.integers(2, 40),
    data=st.data(),
    temporal=st.booleans(),
    weighted=st.booleans(),
)
def test_windows_of_a_length_are_exact(
    rows: list[tuple[float, int]], size: int, data: st.DataObject, *, temporal: bool, weighted: bool
) -> None:
    degree = data.draw(st.integers(1, 3))
    order = data.draw(st.integers(0, degree))
    edges: Any = data.draw(st.sampled_from(["fit", "null"]))
    x, position = [], 0
    for _, step in rows:
        position += step
        x.append(position)
    half = Fraction(size, 2)
    points = [(Fraction(own), Fraction(value)) for own, (value, _) in zip(x, rows, strict=True)]
    expected: list[Fit | None] = []
    for own, _ in points:
        window = [
            point for point in points if abs(point[0] - own) < half or (not weighted and abs(point[0] - own) == half)
        ]
        passes = own - half < x[0] or own + half > x[-1]
        is_null = len(window) <= degree or (passes and edges == "null")
        place = [each for each, _ in window].index(own)
        expected.append(None if is_null else fitted(window, place, degree, order, half if weighted else None))
    frame = pl.DataFrame({"x": x, "y": [value for value, _ in rows]})
    window_size: Any = float(size)
    if temporal:
        frame = frame.with_columns(pl.from_epoch("x", time_unit="s"))
        window_size = timedelta(seconds=size)
    kernel: Any = "tricube" if weighted else None
    got = frame.select(
        pg.savgol("y", x="x", window_size=window_size, degree=degree, order=order, edges=edges, weights=kernel)
    )
    check(got.to_series().to_list(), expected, weighted=weighted)


@pytest.mark.parametrize("size", [3, 5, 7, 21])
def test_even_spacing_is_scipy(size: int) -> None:
    from scipy.signal import savgol_filter

    rng = np.random.default_rng(size)
    y = rng.normal(size=60)
    frame = pl.DataFrame({"y": y})
    for degree in range(1, min(7, size)):
        for order in range(degree + 1):
            got = frame.select(pg.savgol("y", window_size=size, degree=degree, order=order, spacing=0.5)).to_series()
            expected = savgol_filter(y, size, degree, deriv=order, delta=0.5, mode="interp")
            scale = np.abs(expected).max() + 1
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9 * scale, err_msg=f"{degree} {order}")


def test_cells_and_groups_are_scipy() -> None:
    from scipy.signal import savgol_filter

    y = np.random.default_rng(1).normal(size=(4, 15))
    expected = savgol_filter(y, 7, 3, deriv=1, axis=1)
    cells = pl.DataFrame({"y": y}, schema={"y": pl.Array(pl.Float64, 15)})
    got = cells.select(pg.savgol("y", window_size=7, degree=3, axis=1)).to_series().to_numpy()
    np.testing.assert_allclose(got, expected, atol=1e-13)
    long = pl.DataFrame({"y": y.T.ravel(), "k": np.tile(np.arange(4), 15)})
    by = long.select(pg.savgol("y", window_size=7, degree=3, by="k")).to_series().to_numpy()
    np.testing.assert_allclose(by.reshape(15, 4).T, expected, atol=1e-13)


@given(
    rows=st.lists(st.tuples(st.none() | numbers, st.integers(1, 9), st.integers(0, 2)), max_size=60),
    size=st.sampled_from([3, 7, 20.0]),
    has_x=st.booleans(),
)
def test_groups_and_skipped_nulls_are_frames_of_their_own(
    rows: list[tuple[Any, int, int]], size: Any, *, has_x: bool
) -> None:
    frame = pl.DataFrame(
        {"x": [step for _, step, _ in rows], "y": [y for y, _, _ in rows], "k": [key for _, _, key in rows]},
        schema={"x": pl.Int64, "y": pl.Float64, "k": pl.Int64},
    ).with_columns(pl.col("x").cum_sum())
    frame = frame.with_row_index()
    x = "x" if has_x or isinstance(size, float) else None
    parts = [frame[:0], *frame.partition_by("k", maintain_order=True)]
    plain = pg.savgol("y", x, window_size=size)
    alone = pl.concat(part.drop_nulls("y").select("index", slope=plain) for part in parts)
    expected = frame.join(alone, on="index", how="left", maintain_order="left")["slope"].alias("y")
    skipping = pg.savgol("y", x, window_size=size, nulls="skip")
    assert_same(frame.select(skipping.over("k")).to_series(), expected)
    assert_same(frame.select(pg.savgol("y", x, window_size=size, nulls="skip", by="k")).to_series(), expected)


def test_a_null_and_a_nan_are_felt_by_the_windows_that_hold_them() -> None:
    y: list[float | None] = [float(row) for row in range(12)]
    y[5] = None
    for x in (None, "x"):
        frame = pl.DataFrame({"x": range(12), "y": y})
        got = frame.select(pg.savgol("y", x, window_size=5)).to_series()
        assert got.to_list() == [*[1.0] * 3, *[None] * 5, *[1.0] * 4]
        # With weight zero or not.
        nan = frame.with_columns(pl.col("y").fill_null(math.nan)).select(pg.savgol("y", x, window_size=5)).to_series()
        assert nan.is_nan().to_list() == got.is_null().to_list()
        split = frame.select(pg.savgol("y", x, window_size=5, nulls="split")).to_series()
        assert split.to_list() == [*[1.0] * 5, None, *[1.0] * 6]


def test_an_x_that_repeats_or_turns() -> None:
    x = [0.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    frame = pl.DataFrame({"x": x, "y": x})
    for size in (3, 2.5):
        slope = pg.savgol("y", x="x", window_size=size, degree=1)
        with pytest.raises(ComputeError, match=r"strictly .*3.0 is followed by 3.0"):
            frame.select(slope)
        got = frame.select(pg.savgol("y", x="x", window_size=size, degree=1, strict=False)).to_series().to_list()
        assert got == [1.0, 1.0, 1.0, None, None, 1.0, 1.0, 1.0, 1.0] or size != 3
        assert got.count(None) >= 2
        once = frame.select(pg.savgol("y", x="x", window_size=size, degree=1, duplicates="first")).to_series().to_list()
        assert once == [1.0] * 9
    falling = frame.select(pl.all().reverse()).unique("x", maintain_order=True)
    assert falling.select(pg.savgol("y", x="x", window_size=5)).to_series().to_list() == [1.0] * 8
    with pytest.raises(ComputeError, match="strictly rising"):
        falling.select(pg.savgol("y", x="x", window_size=2.5))


@pytest.mark.parametrize("weighted", [False, True])
def test_errors(weighted: bool) -> None:
    """The standard error is that of the values weighted by the filter; from residuals it estimates sigma."""
    rng = np.random.default_rng(4)
    x = np.cumsum(rng.uniform(0.5, 1.5, 4_000))
    kernel: Any = "tricube" if weighted else None
    frame = pl.DataFrame({"x": x, "y": np.sin(x / 40) + rng.normal(0, 0.3, x.size)})
    options: dict[str, Any] = {"window_size": 21, "degree": 2, "weights": kernel, "with_error": True}
    known = frame.select(pg.savgol("y", x="x", sigma=0.3, **options)).to_series().struct.unnest()
    own, rest = 100, list(range(90, 111))
    units = np.eye(21)
    weights = [
        pl.DataFrame({"x": x[rest], "y": unit})
        .select(pg.savgol("y", x="x", window_size=21, weights=kernel))
        .item(10, 0)
        for unit in units
    ]
    assert known["stderr"][own] == pytest.approx(0.3 * math.hypot(*weights), rel=1e-9)
    estimated = frame.select(pg.savgol("y", x="x", **options)).to_series().struct.unnest()
    assert estimated["value"].equals(known["value"])
    ratio = (estimated["stderr"] / known["stderr"]).pow(2).mean()
    assert ratio == pytest.approx(1, abs=0.05)
    few = frame.select(pg.savgol("y", x="x", window_size=3, with_error=True)).to_series()
    assert few.struct.field("stderr").is_null().all()
    assert few.struct.field("value").is_not_null().all()


@pytest.mark.parametrize("has_x", [False, True])
@pytest.mark.parametrize("weights", [None, "tricube"])
def test_rows_are_weighed_by_a_column_of_deviations(weights: Any, *, has_x: bool) -> None:
    rng = np.random.default_rng(11)
    x = np.cumsum(rng.uniform(0.5, 1.5, 40)) if has_x else np.arange(40.0)
    y = rng.normal(size=40)
    sigma = 10.0 ** rng.uniform(-2, 2, 40)
    frame = pl.DataFrame({"x": x, "y": y, "s": sigma})
    slope = pg.savgol("y", x="x" if has_x else None, window_size=7, weights=weights, with_error=True, sigma="s")
    got = frame.select(slope).to_series().struct.unnest()
    for row in range(40):
        start = min(max(row - 3, 0), 33)
        read = range(start, start + 7)
        points = [(Fraction(x[each]), Fraction(y[each])) for each in read]
        deviations = [Fraction(sigma[each]) for each in read]
        furthest = max(abs(points[0][0] - Fraction(x[row])), abs(points[-1][0] - Fraction(x[row])))
        width = furthest * Fraction(8, 6) if weights else None
        exact = fitted(points, row - start, 2, 1, width, sigma=deviations)
        assert got["value"][row] == pytest.approx(float(exact.value), rel=1e-9, abs=1e-13 * float(exact.basis))
        variance = sum((w * s) ** 2 for w, s in zip(exact.weights, deviations, strict=True))
        assert got["stderr"][row] == pytest.approx(math.sqrt(variance), rel=1e-9)
    # Without errors the same values; where all are the same, those without a sigma.
    alone = frame.select(pg.savgol("y", x="x" if has_x else None, window_size=7, weights=weights, sigma="s"))
    assert_same(alone.to_series(), got["value"].alias("y"))
    same = frame.with_columns(s=2.0).select(slope).to_series().struct.field("value")
    plain = frame.select(pg.savgol("y", x="x" if has_x else None, window_size=7, weights=weights)).to_series()
    assert same.to_list() == pytest.approx(plain.to_list(), rel=1e-12)
    holes = frame.with_columns(s=pl.when(pl.int_range(40) != 20).then("s")).select(slope).to_series()
    assert holes.is_null().sum() == 7
    with pytest.raises(pl.exceptions.ComputeError, match="`sigma` must be finite and positive"):
        frame.with_columns(s=pl.lit(0.0)).select(slope)


def test_errors_do_not_change_values() -> None:
    frame = pl.DataFrame({"y": np.random.default_rng(2).normal(size=80)})
    for order in (0, 1, 2):
        plain = frame.select(pg.savgol("y", window_size=9, order=order)).to_series()
        both = frame.select(pg.savgol("y", window_size=9, order=order, with_error=True)).to_series()
        assert_same(both.struct.field("value").alias("y"), plain)


TIMES = {
    pl.Date: [date(2024, 1, 1) + timedelta(days=3 * day + day % 2) for day in range(9)],
    pl.Datetime("ns"): [datetime(2024, 1, 1) + timedelta(minutes=10 * row + row % 3) for row in range(9)],  # noqa: DTZ001
    pl.Datetime("ms", "Europe/Berlin"): [datetime(2024, 1, 1) + timedelta(hours=row) for row in range(9)],  # noqa: DTZ001
    pl.Duration("us"): [timedelta(seconds=row * row) for row in range(9)],
    pl.Time: [time(1, 10 + row, row * row % 7) for row in range(9)],
}


@pytest.mark.parametrize("dtype", TIMES, ids=str)
def test_a_smoothed_time_keeps_its_dtype(dtype: Any) -> None:
    y = pl.Series("y", TIMES[dtype]).cast(dtype) if dtype != pl.Datetime("ms", "Europe/Berlin") else None
    if y is None:
        y = pl.Series("y", TIMES[dtype], dtype=pl.Datetime("ms")).dt.replace_time_zone("Europe/Berlin")
    got = y.to_frame().select(pg.savgol("y", window_size=5, order=0)).to_series()
    assert got.dtype == dtype
    physical = y.to_physical().cast(pl.Int64)
    points = [(Fraction(row), Fraction(value)) for row, value in enumerate(physical)]
    for row, value in enumerate(got.to_physical()):
        start = max(0, min(row - 2, len(points) - 5))
        exact = fitted(points[start : start + 5], row - start, 2, 0)
        assert abs(value - exact.value) <= Fraction(51, 100)
    both = y.to_frame().select(pg.savgol("y", window_size=5, order=0, with_error=True, sigma="1h")).to_series()
    assert both.struct.field("value").alias("y").equals(got)
    assert both.struct.field("stderr").dtype.base_type() == pl.Duration


def test_order_0_keeps_floats_and_makes_floats_of_integers() -> None:
    for dtype, expected in [(pl.Float32, pl.Float32), (pl.Int32, pl.Float64), (pl.UInt64, pl.Float64)]:
        y = pl.Series("y", range(9), dtype=dtype)
        got = y.to_frame().select(pg.savgol("y", window_size=5, order=0)).to_series()
        assert got.dtype == expected
        assert got.to_list() == list(range(9))
    decimals = pl.Series("y", range(9)).cast(pl.Decimal(10, 2)).to_frame()
    got = decimals.select(pg.savgol("y", window_size=5, order=0)).to_series()
    assert got.dtype == pl.Float64
    assert got.to_list() == list(range(9))


def test_angles_and_times_of_day_wrap() -> None:
    y = [(350 + 5 * row) % 360 for row in range(12)]
    frame = pl.DataFrame({"y": [float(each) for each in y], "x": range(12)})
    for x in (None, "x"):
        assert frame.select(pg.savgol("y", x, window_size=5, y_period=360)).to_series().to_list() == [5.0] * 12
        smooth = frame.select(pg.savgol("y", x, window_size=5, order=0, y_period=360)).to_series()
        assert smooth.to_list() == [float(each) for each in y]
    clock = pl.Series(
        "y", [(timedelta(hours=23) + row * timedelta(minutes=20)) % timedelta(days=1) for row in range(9)]
    )
    times = (pl.Series([datetime(2024, 1, 1)] * 9) + clock).dt.time().alias("y").to_frame()  # noqa: DTZ001
    got = times.select(pg.savgol("y", window_size=5, order=0, y_period="24h"))
    assert got.equals(times)


def test_time_per_hour_to_the_power_of_the_order() -> None:
    at = [datetime(2024, 1, 1) + timedelta(minutes=row * row) for row in range(9)]  # noqa: DTZ001
    hours = [row * row / 60 for row in range(9)]
    frame = pl.DataFrame({"at": at, "y": [3 * hour**2 for hour in hours]})
    for size in (5, "2h"):
        slope = pg.savgol("y", x="at", window_size=size, per="1h", min_samples=3)
        got = frame.select(slope).to_series().to_list()
        known = [pair for pair in zip(got, hours, strict=True) if pair[0] is not None]
        assert len(known) > 6
        assert all(value == pytest.approx(6 * hour, abs=1e-9) for value, hour in known)
        bend = frame.select(pg.savgol("y", x="at", window_size=size, order=2, per="1h")).to_series().drop_nulls()
        assert bend.to_list() == [pytest.approx(6.0)] * len(bend)


def test_values_at_the_ends_of_the_range() -> None:
    y = [1e308 * (-1) ** row for row in range(9)]
    frame = pl.DataFrame({"y": y, "x": [float(row) for row in range(9)]})
    for x in (None, "x"):
        got = frame.select(pg.savgol("y", x, window_size=5, order=0)).to_series()
        small = (pl.DataFrame({"y": y, "x": frame["x"]}).with_columns(pl.col("y") * 2.0**-100)).select(
            pg.savgol("y", x, window_size=5, order=0)
        )
        np.testing.assert_allclose(got.to_numpy() * 2.0**-100, small.to_series().to_numpy(), rtol=1e-14)
        tiny = frame.with_columns(pl.col("y") * 1e-615).select(pg.savgol("y", x, window_size=5))
        assert tiny.to_series().is_finite().all()


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("x", [None, "t"])
def test_batches_and_engines_give_the_same_bits(engine: Any, x: Any) -> None:
    rows = pl.int_range(3_000)
    frame = pl.select(k=rows // 700, t=rows * 1.5 + (rows * 7 % 5) / 4, y=((rows * 31) % 101) / 7 + 1e6)
    slope = pg.savgol("y", x, window_size=21, by="k")
    expected = frame.with_columns(s=slope)
    assert expected["s"].null_count() == 0
    assert_frame_equal(frame.lazy().with_columns(s=slope).collect(engine=engine), expected, check_exact=True)
    assert_frame_equal(frame.lazy().grad.with_columns(s=slope).collect(engine=engine), expected, check_exact=True)
    batches = [frame[start : start + 173] for start in range(0, frame.height, 173)]
    assert_frame_equal(pl.concat(pg.stitch(batches, s=slope)), expected, check_exact=True)
    parts = [part.select(pg.savgol("y", x, window_size=21)).to_series() for part in frame.partition_by("k")]
    assert_same(pl.concat(parts).alias("s"), expected["s"])


def test_wrong_options_are_errors() -> None:
    for options, error, message in (
        ({"window_size": 4}, ValueError, "must be odd, got 4; take 3 or 5"),
        ({"window_size": 3, "degree": 3}, ValueError, "must be more rows than `degree`, which is 3, got 3"),
        ({"window_size": 9, "degree": 7}, ValueError, "`degree` must be from 1 to 6, got 7"),
        ({"window_size": 9, "order": 3}, ValueError, r"`order` must be from 0 to 2 \(`degree`\), got 3"),
        ({"window_size": 9, "order": 1.0}, TypeError, "`order` must be a whole number"),
        (
            {"window_size": 9, "min_samples": 2},
            ValueError,
            "from 3 to the 9 rows of the window, as `degree` is 2, got 2",
        ),
        ({"window_size": "5m"}, ValueError, "needs `x`"),
        ({"window_size": True, "x": "x"}, TypeError, "`window_size` must be a number"),
        ({"window_size": -2.0, "x": "x"}, ValueError, "must be finite and positive"),
        ({"window_size": 5, "edges": "mirror"}, ValueError, "`edges` must be 'fit' or 'null', got 'mirror'"),
        ({"window_size": 5, "weights": "gauss"}, ValueError, "`weights` must be None or 'tricube', got 'gauss'"),
        ({"window_size": 5, "sigma": 1.0}, ValueError, "`with_error=True`"),
    ):
        with pytest.raises(error, match=message):
            pg.savgol("y", **options)
    frame = pl.DataFrame({"x": [0.0, 1.0, 2.0], "y": [1.0, 2.0, 3.0], "at": pl.Series([0, 1, 2]).cast(pl.Datetime)})
    with pytest.raises(ComputeError, match="`window_size` must be a number where x is one"):
        frame.select(pg.savgol("y", x="x", window_size="5m"))
    with pytest.raises(ComputeError, match="temporal y over a number has no derivative of order 2"):
        frame.select(pg.savgol("at", window_size=3, order=2))


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_value_that_its_dtype_cannot_hold_has_no_error(engine: Any) -> None:
    last = 2**63 - 1
    y = pl.Series("y", [last - 100, last, last]).cast(pl.Datetime("us"))
    smooth = pg.savgol("y", window_size=3, degree=1, order=0, with_error=True, strict=False)
    expected = [True, True, False]
    eager = y.to_frame().select(smooth).unnest("y")
    lazy = y.to_frame().lazy().select(smooth.struct.unnest()).collect(engine=engine)
    for frame in (eager, lazy):
        assert frame.select(pl.all().is_not_null()).to_dict(as_series=False) == {"value": expected, "stderr": expected}
