"""`y_period`: angles and times of day, against `numpy.unwrap` and exact arithmetic."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import inspect
import math
import re
from datetime import datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import oracle
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from registry import CASES, Case
from strategies import assert_same, inf, nan

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENGINES: list[Any] = ["in-memory", "streaming"]
EPSILON = Fraction(2) ** -52
IS_POLARS_2 = int(pl.__version__.split(".")[0]) > 1
EDGE_ORDERS = pytest.mark.parametrize("edge_order", [1, 2])
seeds = st.integers(0, 2**32)


def gradient(y: Sequence[Any], x: Sequence[Any] | None = None, dtype: Any = None, **options: Any) -> list[Any]:
    """The gradient of some values, over rows or some coordinates."""
    columns = [pl.Series("y", y, dtype=dtype), *([] if x is None else [pl.Series("x", x)])]
    return pl.DataFrame(columns).select(pg.gradient("y", None if x is None else "x", **options))["y"].to_list()


# Examples


@EDGE_ORDERS
@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt16, pl.Int128, pl.Float64, pl.Float32, pl.Decimal(5, 1)], ids=str)
def test_headings(dtype: Any, edge_order: Any) -> None:
    y = [350, 355, 0, 5]
    assert gradient(y, dtype=dtype, y_period=360, edge_order=edge_order) == [5.0] * 4
    assert gradient(y[::-1], dtype=dtype, y_period=360, edge_order=edge_order) == [-5.0] * 4
    assert gradient(y, [0, 1, 5, 9], dtype=dtype, y_period=360) == [5.0, 4.25, 1.25, 1.25]


def test_radians() -> None:
    y = [3.0, 3.1, 3.2 - 2 * math.pi, 3.3 - 2 * math.pi]
    assert gradient(y, y_period=2 * math.pi) == pytest.approx([0.1] * 4, rel=1e-14)
    assert gradient(y, y_period=math.tau) == gradient(y, y_period=2 * math.pi)


@pytest.mark.parametrize("period", ["24h", "1d", timedelta(days=1), np.timedelta64(1, "D")], ids=str)
def test_times_of_day(period: Any) -> None:
    """Sunrise, high water: over rows a duration, over time a pure ratio."""
    y = [time(23, 30), time(23, 50), time(0, 10), time(0, 30)]
    assert gradient(y, y_period=period) == [timedelta(minutes=20)] * 4
    assert gradient(y, [0, 2, 4, 6], y_period=period) == [timedelta(minutes=10)] * 4
    days = [datetime(2024, 1, day) for day in (1, 2, 3, 4)]
    assert gradient(y, days, y_period=period) == pytest.approx([20 / 1440] * 4)


def test_durations() -> None:
    y = [timedelta(hours=hours) for hours in (22, 23, 0, 1)]
    for unit in ("ms", "us", "ns"):
        assert gradient(y, dtype=pl.Duration(unit), y_period="24h") == [timedelta(hours=1)] * 4
    on_dates = [datetime(2024, 1, 1, 22), datetime(2024, 1, 5, 23)]
    assert gradient(on_dates, y_period="1d") == [timedelta(hours=1)] * 2


def test_half_a_period_keeps_its_sign() -> None:
    """As in `numpy.unwrap`: neither way is shorter."""
    for period in (360, 1, 2**20, 0.5, 7):
        half = period / 2
        for rise in (half, -half, 3 * half, -3 * half, 101 * half, -101 * half):
            got = gradient([0.0, rise], y_period=period)
            assert got == [math.copysign(half, rise)] * 2
            assert got[0] == np.diff(np.unwrap([0.0, rise], period=period))[0]


def test_half_a_period_of_a_decimal() -> None:
    """The period is taken by its digits: 2.3 is 230 hundredths."""
    decimals = [Decimal("0.00"), Decimal("1.15")]
    for period in (2.3, Decimal("2.3")):
        assert gradient(decimals, dtype=pl.Decimal(10, 2), y_period=period) == [1.15] * 2
        assert gradient(decimals[::-1], dtype=pl.Decimal(10, 2), y_period=period) == [-1.15] * 2


# numpy/lib/tests/test_function_base.py, TestUnwrap, in rises: two rows have the rise between them as their gradient. A
# threshold other than half a period (`discont`) is not offered.


def rises(y: Sequence[float], period: float) -> list[float]:
    """The rise between each two adjacent values."""
    frame = pl.DataFrame({"y": [[before, after] for before, after in pairwise(y)]})
    return [each[0] for each in frame.select(pg.gradient("y", axis=1, y_period=period))["y"].to_list()]


def test_numpy_simple() -> None:
    assert rises([1.0, 1.0 + 2 * np.pi], 2 * np.pi) == pytest.approx([0.0], abs=1e-15)
    assert max(map(abs, rises(np.random.default_rng(0).random(1000) * 100, 2 * np.pi))) <= np.pi


def test_numpy_period() -> None:
    assert rises([1, 1 + 256], 255) == [1.0]
    assert max(map(abs, rises(np.random.default_rng(1).random(1000) * 1000, 255))) <= 255 / 2
    wrapped = np.mod(np.array([0, 75, 150, 225, 300]), 255)
    assert rises(wrapped, 255) == [75.0] * 4
    assert gradient(wrapped, y_period=255) == [75.0] * 5
    uneven = np.mod(np.array([0, 75, 150, 225, 300, 430]), 250)
    assert rises(uneven, 250) == np.diff([0, 75, 150, 225, 300, 180]).tolist()
    assert np.unwrap(uneven, period=250).tolist() == [0, 75, 150, 225, 300, 180]


@EDGE_ORDERS
@given(seed=seeds)
def test_it_is_the_gradient_of_numpys_unwrap(seed: int, edge_order: Any) -> None:
    """Where no rise is so near to half a period that rounding decides."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(3, 60))
    period = float(rng.choice([360.0, 2 * np.pi, 1.0, 24.0]))
    rise = rng.uniform(-0.49, 0.49, rows) * period
    turns = rng.integers(-3, 4, rows)
    y = np.cumsum(rise) + turns * period if seed % 2 else np.mod(np.cumsum(rise), period)
    t = np.cumsum(rng.uniform(0.5, 1.5, rows))
    expected = np.gradient(np.unwrap(y, period=period), t, edge_order=edge_order)
    got = gradient(y, t, y_period=period, edge_order=edge_order)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11 * period)
    even = gradient(y, y_period=period, edge_order=edge_order)
    expected = np.gradient(np.unwrap(y, period=period), edge_order=edge_order)
    np.testing.assert_allclose(even, expected, rtol=0, atol=1e-11 * period)


# Exact arithmetic, by group and segment


def unwrapped(y: Sequence[Fraction | None], keys: Sequence[Any], period: Fraction) -> list[Fraction | None]:
    """Each value, group by group, moved by periods to the value known before it."""
    last: dict[Any, tuple[Fraction, Fraction]] = {}
    moved: list[Fraction | None] = []
    for value, key in zip(y, keys, strict=True):
        if value is None:
            moved.append(None)
            continue
        before, at = last.get(key, (value, value))
        rise = value - before
        size = abs(rise) % period
        size = size - period if 2 * size > period else size
        at += size if rise > 0 else -size
        last[key] = (value, at)
        moved.append(at)
    return moved


DTYPES: dict[str, tuple[Any, int]] = {
    "Int16": (pl.Int16, 1),
    "UInt8": (pl.UInt8, 1),
    "Int32": (pl.Int32, 1),
    "Int64": (pl.Int64, 1),
    "UInt64": (pl.UInt64, 1),
    "Int128": (pl.Int128, 1),
    "Float64": (pl.Float64, 8),
    "Float32": (pl.Float32, 8),
    "Decimal": (pl.Decimal(12, 1), 10),
}


@pytest.mark.parametrize("name", DTYPES)
@EDGE_ORDERS
@given(seed=seeds)
def test_any_gradient_is_that_of_exact_arithmetic(name: str, edge_order: Any, seed: int) -> None:
    """Groups in any order, nulls of each kind, gaps; also as `over`, on both engines, and in batches."""
    random = Random(seed)
    dtype, ticks = DTYPES[name]
    rows = random.randint(1, 30)
    period = random.choice([24, 100, 360])
    top = min(random.choice([1, 5]) * period * ticks, 255 if name == "UInt8" else 10**9)
    often = random.choice([0.0, 0.15])

    def some_null(values: list[Any]) -> list[Any]:
        return [None if random.random() < often else value for value in values]

    y = some_null([Fraction(random.randrange(top), ticks) for _ in range(rows)])
    x = some_null([*accumulate(random.choice([1, 2, 3, 9]) for _ in range(rows))])
    keys = [random.choice("abc") for _ in range(rows)]
    if random.random() < 0.5:
        keys.sort()
    domain: dict[str, Any] = {
        "nulls": random.choice(["propagate", "skip", "split"]),
        "max_gap": random.choice([None, 4]),
    }
    skips = domain["nulls"] == "skip"
    known = [None if skips and at is None else value for value, at in zip(y, x, strict=True)]
    exact = oracle.gradient(unwrapped(known, keys, Fraction(period)), x, edge_order=edge_order, keys=keys, **domain)
    values = [value if value is None else float(value) for value in y]
    if dtype.is_decimal():
        values = [value if value is None else Decimal(str(value)) for value in values]
    elif dtype.is_integer():
        values = [value if value is None else int(value) for value in values]
    frame = pl.DataFrame(
        [pl.Series("y", values, dtype=dtype), pl.Series("x", x, dtype=pl.Int64), pl.Series("k", keys)],
    )
    options = {"edge_order": edge_order, "y_period": period, **domain}
    got = frame.select(pg.gradient("y", "x", by="k", **options)).to_series()
    rounding = Fraction(2) ** -24 if dtype == pl.Float32 else Fraction(0)
    for value, slope in zip(got, exact, strict=True):
        assert (value is None) == (slope is None)
        if slope is not None:
            assert abs(Fraction(value) - slope.value) <= 4 * EPSILON * slope.term + rounding * abs(slope.value)
    assert_same(frame.select(pg.gradient("y", "x", **options).over("k")).to_series(), got)
    lazy = frame.lazy().select(pg.gradient("y", "x", by="k", **options))
    assert_same(lazy.collect(engine=random.choice(ENGINES)).to_series(), got)
    in_order = frame.with_columns(slope=got).sort("k", maintain_order=True)
    cuts = [0, *sorted(random.randint(0, rows) for _ in range(4)), rows]
    batches = [in_order.drop("slope")[start:end] for start, end in pairwise(cuts)]
    came = pl.concat(pg.stitch(batches, slope=pg.gradient("y", "x", by="k", **options)))
    assert_frame_equal(came, in_order, check_exact=True)


def test_large_integers() -> None:
    """Their rises are exact, and so is what remains of them: the smallest units of an angle in 64 bits."""
    circle = 2**32
    y = [circle * 5 - 3, circle * 9 + 4, 12, 3]
    for dtype in (pl.Int64, pl.UInt64, pl.Int128):
        assert gradient(y, dtype=dtype, y_period=circle) == [7.0, 7.5, -0.5, -9.0]


# Those of order 0 are values of y.
PERIODIC = [
    case
    for case in CASES
    if "y_period" in inspect.signature(getattr(pg, case.name)).parameters and case.options.get("order") != 0
]


@pytest.mark.parametrize("case", PERIODIC, ids=str)
def test_numbers_any_number_of_turns_away(case: Case) -> None:
    """Integers that are no floats, and floats whose number of turns is none."""
    angles = [3, 11, 25, 31, 20, 17, 4, 350, 340, 331, 1, 12, 22, 35, 41, 30, 21]
    x = pl.Series("x", [row + row % 3 / 4 for row in range(len(angles))])
    shown = case("y", "x", y_period=360)
    if case.name == "turning_points":
        # Heights are values of y.
        shown = shown.struct.field("kind", "x")
    turns = [0, 2**53, -(2**54), 10**16, 1, -(10**16), 2**50]
    numbers = [angle + 360 * turns[row % len(turns)] for row, angle in enumerate(angles)]
    integers = pl.DataFrame([pl.Series("y", numbers), x])
    assert_frame_equal(
        integers.select(shown), integers.select(y=pl.Series(angles), x="x").select(shown), check_exact=True
    )
    floats = [math.ldexp(angle, 20 * (row % 50)) for row, angle in enumerate(angles)]
    far = pl.DataFrame([pl.Series("y", floats), x])
    near = pl.DataFrame([pl.Series("y", [math.fmod(number, 360) for number in floats]), x])
    assert_frame_equal(far.select(shown), near.select(shown), check_exact=True)


def test_rises_beyond_the_digits_of_a_float() -> None:
    """Integers are subtracted as integers, and the period too."""
    top = [2**64 - 4, 1, 6]
    assert gradient(top, dtype=pl.UInt64, y_period=2**64) == [5.0] * 3
    far = [0, 360 * 2**52 + 90]
    for dtype in (pl.Int64, pl.UInt64, pl.Int128):
        assert gradient(far, dtype=dtype, y_period=360) == [90.0] * 2


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("side", ["center", "backward", "forward"])
def test_derivatives_of_angles(order: Any, side: Any, engine: Any) -> None:
    """Each operator on differences: the derivative of the angle as it would be without a period."""
    rows = 40
    t = np.cumsum(np.random.default_rng(3).uniform(0.5, 1.5, rows))
    smooth = 40 * t + 25 * np.sin(t)
    frame = pl.DataFrame({"t": t, "smooth": smooth, "y": np.mod(smooth, 360.0)}).lazy()
    options = {"order": order, "accuracy": 3, "side": side}
    got = frame.select(
        pg.derivative("y", "t", y_period=360, **options), expected=pg.derivative("smooth", "t", **options)
    ).collect(engine=engine)
    assert got["y"].null_count() == got["expected"].null_count()
    np.testing.assert_allclose(got["y"], got["expected"], rtol=0, atol=1e-8)
    default = frame.select(
        a=pg.derivative("y", "t", y_period=360), b=pg.gradient("y", "t", edge_order=2, y_period=360)
    ).collect(engine=engine)
    assert_same(default["a"], default["b"].alias("a"))


# One wrong sample


@EDGE_ORDERS
@pytest.mark.parametrize("value", [0.0, 123.0, 181.0, 1e9, nan, None, inf])
@pytest.mark.parametrize("even", [True, False])
def test_a_wrong_sample_harms_its_neighbours_only(value: float | None, edge_order: Any, even: bool) -> None:
    """Never by unwrapping the column: after it all is as before."""
    rows = 30
    y = [float(row * 17 % 360) for row in range(rows)]
    x = None if even else [row + row % 3 / 4 for row in range(rows)]
    before = gradient(y, x, y_period=360, edge_order=edge_order)
    assert even is False or before == [17.0] * rows
    for wrong in (0, 1, 12, rows - 1):
        got = gradient([*y[:wrong], value, *y[wrong + 1 :]], x, y_period=360, edge_order=edge_order)
        felt = {wrong - 1, wrong, wrong + 1}
        if edge_order == 2:
            felt |= {0} if wrong <= 2 else {rows - 1} if wrong >= rows - 3 else set()
        for row in range(rows):
            if row not in felt:
                assert got[row] == before[row], (wrong, row)
        if value is None:
            assert got[wrong] is None
        elif math.isnan(value):
            assert math.isnan(got[wrong])


def test_a_period_longer_than_any_rise_changes_nothing() -> None:
    """To the bit, on irregular grids too."""
    rng = np.random.default_rng(5)
    frame = pl.DataFrame({"y": rng.normal(size=500), "t": np.cumsum(rng.uniform(0.5, 1.5, 500))})
    for options in ({"edge_order": 1}, {"edge_order": 2}):
        got = frame.select(pg.gradient("y", "t", y_period=1e6, **options), plain=pg.gradient("y", "t", **options))
        np.testing.assert_allclose(got["y"], got["plain"], rtol=1e-14, atol=1e-14)


# Types and faces


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float16])
def test_small_floats_stay_small(dtype: Any) -> None:
    got = pl.DataFrame({"y": pl.Series([350, 355, 0, 5], dtype=dtype)}).select(pg.gradient("y", y_period=360))
    assert got.schema == {"y": dtype}
    assert got["y"].to_list() == [5.0] * 4


def test_faces(engine: Any) -> None:
    rows = 24
    frame = pl.DataFrame(
        {
            "k": ["a", "b", "b"] * (rows // 3),
            "x": [row + row % 3 / 4 for row in range(rows)],
            "y": [row * 50 % 360 for row in range(rows)],
        }
    )
    slope = pg.gradient("y", "x", y_period=360)
    whole = frame.select(slope).to_series()
    parts = frame.with_row_index("row").partition_by("k", maintain_order=True)
    by_key = pl.concat(part.with_columns(y=slope) for part in parts).sort("row")["y"]
    lazy = frame.lazy()
    queries = [
        (lazy.select(slope), whole),
        (lazy.with_columns(slope).select("y"), whole),
        (lazy.grad.with_columns(slope).select("y"), whole),
        (lazy.select(slope.over("k")), by_key),
        (lazy.select(pg.gradient("y", "x", by="k", y_period=360)), by_key),
        (lazy.reverse().with_columns(slope.over("k", order_by="x")).sort("x").select("y"), by_key),
        # Up to Polars 1 this panics in memory: it masks the points, a struct that `shift` has left in two chunks.
        *([(lazy.select(pl.when(pl.col("x") > 0).then(slope).otherwise(slope)), whole)] if IS_POLARS_2 else []),
        (lazy.select(pl.col("y").grad.gradient("x", y_period=360)), whole),
        (lazy.select(pg.gradient(pl.col("y") + 720, "x", y_period=360).alias("y")), whole),
    ]
    for query, expected in queries:
        assert_same(query.collect(engine=engine).to_series(), expected)
    assert_same(frame["y"].grad.gradient(frame["x"], y_period=360), whole)
    grouped = lazy.group_by("k").agg("x", slope).explode("x", "y", empty_as_null=False).sort("x")
    assert_same(grouped.collect(engine=engine)["y"], by_key)


def test_cells() -> None:
    """Inside of them, down the rows, and in `list.eval`."""
    frame = pl.DataFrame({"y": [[350, 355, 0], [10, 350], [], None]})
    expected = [[5.0] * 3, [-20.0] * 2, [], None]
    assert frame.select(pg.gradient("y", axis=1, y_period=360))["y"].to_list() == expected
    evaluated = frame.select(pl.col("y").list.eval(pl.element().grad.gradient(y_period=360)))
    assert evaluated["y"].to_list() == expected
    for dtype in (pl.Array(pl.Int32, 2), pl.List(pl.Int32)):
        down = pl.DataFrame({"y": pl.Series([[350, 5], [355, 0], [0, 355]], dtype=dtype)})
        for nulls in ("propagate", "skip"):
            got = down.select(pg.gradient("y", y_period=360, nulls=nulls))["y"].to_list()
            assert got == [[5.0, -5.0]] * 3
    waves = pl.DataFrame({"y": [[350, 355, 0], [340, 345, 350]]})
    both = waves.select(pg.gradient("y", axis=(0, 1), y_period=360).struct.unnest())
    assert both["axis_0"].to_list() == [[-10.0] * 3] * 2
    assert both["axis_1"].to_list() == [[5.0] * 3] * 2


# Errors


AT_ONCE: list[tuple[Any, type[Exception], str]] = [
    (0, ValueError, "`y_period` must be finite and positive, got 0"),
    (-360, ValueError, "`y_period` must be finite and positive, got -360"),
    (nan, ValueError, "`y_period` must be finite and positive, got nan"),
    (inf, ValueError, "`y_period` must be finite and positive, got inf"),
    (2**64 + 1, ValueError, "`y_period` must be a number that Float64 holds, got 18446744073709551617"),
    ("0h", ValueError, "`y_period` must be longer than zero, got '0h'"),
    ("-24h", ValueError, "`y_period` must be longer than zero, got '-24h'"),
    ("degrees", ValueError, "`y_period` must be a duration such as"),
    ("1mo", ValueError, "months, quarters and years have no constant length"),
    (True, TypeError, "`y_period` must be a number, a timedelta or a duration string, got bool"),
    ([360], TypeError, "`y_period` must be a number, a timedelta or a duration string, got list"),
    (pl.lit(360), TypeError, "`y_period` must be a number, a timedelta or a duration string, got Expr"),
]


@pytest.mark.parametrize("operator", [pg.gradient, pg.derivative], ids=["gradient", "derivative"])
@pytest.mark.parametrize(("period", "error", "words"), AT_ONCE, ids=str)
def test_a_wrong_period_is_an_error_at_once(operator: Any, period: Any, error: type[Exception], words: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: operator("y", y_period=period),
        lambda: getattr(pl.col("y").grad, operator.__name__)(y_period=period),
        lambda: getattr(pl.Series([1, 2]).grad, operator.__name__)(y_period=period),
    ]
    for call in calls:
        with pytest.raises(error, match=re.escape(words)):
            call()


@pytest.mark.parametrize("operator", [pg.gradient, pg.derivative], ids=["gradient", "derivative"])
def test_a_period_of_another_kind_is_an_error_when_planned(operator: Any) -> None:
    frame = pl.LazyFrame({"n": [1, 2], "t": [time(1), time(2)], "d": [timedelta(1), timedelta(2)]})
    for y, period, words in (
        ("n", "24h", "`y_period` must be a number where y is one, but y column `n` is i64"),
        ("t", 24, "`y_period` must be a duration where y is temporal, but y column `t` is time"),
        ("d", 24.0, "`y_period` must be a duration where y is temporal, but y column `d` is duration"),
    ):
        with pytest.raises(ComputeError, match=re.escape(words)):
            frame.select(operator(y, y_period=period)).collect_schema()
        with pytest.raises(ComputeError, match=re.escape(words)):
            frame.grad.with_columns(slope=operator(y, y_period=period)).collect_schema()


# On grids and across columns


def wrapping_field() -> tuple[pl.DataFrame, np.ndarray[Any, Any]]:
    """A grid of angles whose steps are below half a turn, and the angles without a wrap."""
    rng = np.random.default_rng(0)
    x, y = (np.cumsum(rng.uniform(0.5, 1.5, points)) for points in (7, 6))
    angle = np.add.outer(*(np.cumsum(rng.uniform(-80, 80, points)) for points in (7, 6)))
    columns = {"x": np.repeat(x, 6), "y": np.tile(y, 7), "unwrapped": angle.ravel()}
    return pl.DataFrame(columns).with_columns(angle=pl.col("unwrapped") % 360), angle


@pytest.mark.parametrize("metric", [None, "sphere"])
@pytest.mark.parametrize("function", [pg.partials, pg.magnitude, pg.laplacian])
def test_a_field_of_angles(function: Any, metric: Any) -> None:
    frame, _ = wrapping_field()
    frame = frame.sample(fraction=1, shuffle=True, seed=0)
    options = {} if metric is None else {"metric": metric, "radius": 60.0}
    got = frame.select(function("angle", ["x", "y"], y_period=360, **options).alias("slope"))
    expected = frame.select(function("unwrapped", ["x", "y"], **options).alias("slope"))
    assert_frame_equal(got, expected, rel_tol=1e-9, abs_tol=1e-9)


@EDGE_ORDERS
def test_angles_side_by_side(edge_order: Any) -> None:
    _, angle = wrapping_field()
    names = [f"c{column}" for column in range(angle.shape[1])]
    rows, unwrapped = (pl.DataFrame(values, names, orient="row") for values in (angle % 360, angle))
    across = pg.gradient_horizontal(names, edge_order=edge_order, y_period=360)
    expected = unwrapped.select(pg.gradient_horizontal(names, edge_order=edge_order))
    assert_frame_equal(rows.select(across), expected, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("function", [pg.divergence, pg.curl])
def test_the_components_of_a_vector_have_no_period(function: Any) -> None:
    with pytest.raises(TypeError, match="y_period"):
        function("v", ["x", "y"], y_period=360)


def test_a_counter_has_a_wrap_and_no_period() -> None:
    for operator in (pg.increase, pg.rate, pg.integral):
        with pytest.raises(TypeError, match="y_period"):
            operator("y", "x", y_period=360)
