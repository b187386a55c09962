"""`x_period`: rings are columns padded by hand with the rows of their other end, to the bit."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import math
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ids import shown
from numpy.testing import assert_allclose
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same, frames, nan

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINES: list[Any] = ["in-memory", "streaming"]
# The rows that are put before and behind a group by hand: more than any of these operators reads.
PADDED = 12
OPERATORS: list[tuple[Any, dict[str, Any]]] = [
    (pg.gradient, {}),
    (pg.gradient, {"edge_order": 2}),
    (pg.derivative, {"order": 2}),
    (pg.derivative, {"accuracy": 4, "edge_accuracy": 2}),
    (pg.derivative, {"order": 3, "accuracy": 3}),
    (pg.derivative, {"side": "backward"}),
    (pg.derivative, {"side": "forward", "accuracy": 3}),
    (pg.derivative, {"with_error": True, "sigma": 0.5}),
    (pg.savgol, {"window_size": 3}),
    (pg.savgol, {"window_size": 3, "order": 2, "weights": "tricube"}),
]
each_operator = pytest.mark.parametrize(("operator", "options"), OPERATORS, ids=shown)


def padded(ring: pl.DataFrame, period: Any) -> pl.DataFrame:
    """A group with the rows that come before and after it, each as many periods away as it is laps."""
    points = ring["x"].n_unique()
    if points < 2:
        # A row, or a point of several, is no neighbour of its own.
        return ring.with_columns(lap=pl.lit(0))
    known = ring["x"].drop_nulls().unique(maintain_order=True)
    if len(known) > 1 and known[0] > known[1]:
        period = -period
    ring = ring.with_columns(pl.col("x").cast(pl.Int128)) if ring["x"].dtype == pl.UInt64 else ring
    laps = []
    for lap in range(-math.ceil(PADDED / points), math.ceil(PADDED / points) + 1):
        part = ring.with_columns(lap=pl.lit(lap))
        if lap < 0:
            part = part.with_columns(x=pl.col("x") - period * -lap)
        elif lap > 0:
            part = part.with_columns(x=pl.col("x") + period * lap)
        laps.append(part.with_columns(pl.col("x").cast(ring["x"].dtype)))
    return pl.concat(laps)


def by_hand(frame: pl.DataFrame, expression: pl.Expr, period: Any, nulls: str = "propagate") -> pl.Series:
    """The result of each group `k` on its own, padded."""
    results = []
    for group in frame.with_row_index("row").partition_by("k", maintain_order=True):
        ring = group.filter(pl.col("x").is_not_null() & pl.col("y").is_not_null()) if nulls == "skip" else group
        around = padded(ring, period).with_columns(result=expression)
        results.append(
            group.select("row").join(around.filter(pl.col("lap") == 0), "row", how="left", maintain_order="left")
        )
    return pl.concat(results).sort("row")["result"]


def around(y: list[Any], x: list[Any] | None = None, operator: Any = pg.gradient, **options: Any) -> list[Any]:
    columns = [pl.Series("y", y), *([] if x is None else [pl.Series("x", x)])]
    return pl.DataFrame(columns).select(operator("y", None if x is None else "x", **options))["y"].to_list()


# By hand


@given(
    frame=frames(),
    case=st.sampled_from(OPERATORS),
    nulls=st.sampled_from(["propagate", "skip", "split"]),
    max_gap=st.none() | st.floats(1.0, 90.0),
    falls=st.booleans(),
)
def test_any_rings_are_padded_columns(
    frame: pl.DataFrame, case: Any, nulls: str, max_gap: float | None, falls: bool
) -> None:
    operator, options = case
    # Two rows of a ring are at least a step apart, those at the ends too.
    period = 1.0 + (frame["x"].max() or 0.0) - (frame["x"].min() or 0.0)
    frame = frame.reverse() if falls else frame
    domain = {"x": "x", "nulls": nulls, "max_gap": max_gap, **options}
    ring = {**domain, "x_period": period}
    expected = by_hand(frame, operator("y", **domain), period, nulls).alias("y")
    assert_same(frame.select(operator("y", by="k", **ring)).to_series(), expected)
    for engine in ENGINES:
        over = frame.lazy().select(operator("y", **ring).over("k")).collect(engine=engine)
        assert_same(over.to_series(), expected)
    series = getattr(frame["y"].grad, operator.__name__)(**{**ring, "x": frame["x"], "by": frame["k"]})
    assert_same(series, expected)


@pytest.mark.parametrize("dtype", [pl.Float64, pl.Int64, pl.Decimal(10, 2)], ids=str)
def test_windows_of_a_length_go_round(dtype: Any) -> None:
    x = [0, 1, 3, 4, 6, 9, 10, 12, 13, 15]
    frame = pl.DataFrame({"x": pl.Series(x).cast(dtype), "y": [3.0, -1, 4, 1, -5, 9, 2, -6, 5, 3], "k": [0] * 10})
    options: dict[str, Any] = {"x": "x", "window_size": 8.0, "order": 0}
    expected = by_hand(frame, pg.savgol("y", **options), 17).alias("y")
    assert_same(frame.select(pg.savgol("y", **options, x_period=17)).to_series(), expected)
    with pytest.raises(pl.exceptions.ComputeError, match="`x_period` must be at least as long as `window_size`"):
        frame.select(pg.savgol("y", **{**options, "window_size": 40.0}, x_period=17))


# With standard deviations

WEIGHED: list[tuple[Any, dict[str, Any]]] = [
    (pg.derivative, {"with_error": True}),
    (pg.derivative, {"with_error": True, "order": 2, "accuracy": 3}),
    (pg.derivative, {"with_error": True, "side": "backward"}),
    (pg.savgol, {"window_size": 3}),
    (pg.savgol, {"window_size": 5, "degree": 1, "with_error": True}),
    (pg.savgol, {"window_size": 5, "min_samples": 3, "weights": "tricube", "order": 0, "with_error": True}),
]


@given(
    frame=frames(),
    case=st.sampled_from(WEIGHED),
    nulls=st.sampled_from(["propagate", "skip", "split"]),
    max_gap=st.none() | st.floats(1.0, 90.0),
    duplicates=st.sampled_from(["error", "first", "last", "mean"]),
    y_period=st.sampled_from([None, 360.0]),
    holes=st.sets(st.integers(0, 39), max_size=4),
    falls=st.booleans(),
    strict=st.booleans(),
)
def test_rings_with_a_column_sigma(
    frame: pl.DataFrame, case: Any, nulls: str, duplicates: str, holes: set[int], *, falls: bool, **domain: Any
) -> None:
    operator, options = case
    row = pl.int_range(pl.len())
    frame = frame.with_columns(
        s=pl.when(~row.is_in(list(holes))).then(0.25 + row * 7 % 11),
        x=pl.col("x") if duplicates == "error" else (pl.col("x") / 40).floor() * 40,
    )
    period = 1.0 + (frame["x"].max() or 0.0) - (frame["x"].min() or 0.0)
    frame = frame.reverse() if falls else frame
    domain = {"x": "x", "sigma": "s", "nulls": nulls, "duplicates": duplicates, **domain, **options}
    # A fit takes a row without sigma as one without y.
    by_hand_of = frame.with_columns(y=pl.when(pl.col("s").is_not_null()).then("y")) if operator is pg.savgol else frame
    expected = by_hand(by_hand_of, operator("y", **domain), period, nulls).alias("y")
    assert_same(frame.select(operator("y", by="k", **domain, x_period=period)).to_series(), expected)


@pytest.mark.parametrize(("operator", "options"), WEIGHED, ids=shown)
def test_rings_with_sigma_of_any_x(operator: Any, options: dict[str, Any]) -> None:
    """Steps of one size that close the ring, others that do not, times, and the cells of a list."""
    rows = 12
    frame = pl.DataFrame(
        {
            "hour": [2 * row for row in range(rows)],
            "x": [30.0 * row for row in range(rows)],
            "y": [float(row * row % 7) for row in range(rows)],
            "s": [0.5 + row % 3 for row in range(rows)],
            "k": [0] * rows,
        }
    ).with_columns(at=pl.datetime(2024, 1, 1, pl.col("hour")))
    own = {"sigma": "s", **options}

    def got(**domain: Any) -> pl.Series:
        return frame.select(operator("y", **domain, **own)).to_series()

    expected = by_hand(frame, operator("y", spacing=30, **own), 360).alias("y")
    assert_same(got(spacing=30, x_period=360), expected)
    # The seam is wider than a step.
    open_ring = by_hand(frame, operator("y", "x", **own), 400).alias("y")
    assert_same(got(x="x", x_period=400), open_ring)
    assert_frame_equal(got(spacing=25, x_period=400).to_frame(), got(x=pl.col("x") / 1.2, x_period=400).to_frame())
    by_time = by_hand(frame.with_columns(x="at"), operator("y", "x", per="1h", **own), timedelta(days=1)).alias("y")
    assert_same(got(x="at", per="1h", x_period="24h"), by_time)
    cells = frame.group_by("k").all()
    inside = operator("y", pl.col("x"), axis=1, x_period=400, **own)
    assert_same(cells.select(inside).to_series().explode(empty_as_null=False), open_ring)


COORDINATES: list[tuple[Any, Any, Any]] = [
    (pl.Int64, [-170, -60, 10, 150], 360),
    (pl.UInt64, [2**63, 2**63 + 11, 2**63 + 20, 2**63 + 300], 360),
    (pl.Int128, [10**30, 10**30 + 7, 10**30 + 20, 10**30 + 300], 360),
    (pl.Int16, [-170, -60, 10, 150], 360),
    (pl.Float64, [-170.0, -60.5, 10.25, 150.0], 360),
    (pl.Float32, [-170.0, -60.5, 10.25, 150.0], 360),
    (pl.Decimal(10, 2), [Decimal("0.10"), Decimal("0.35"), Decimal("0.60"), Decimal("0.95")], 1.0),
    (pl.Date, [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 4), date(2024, 1, 7)], "1w"),
    (pl.Datetime("ns"), [datetime(2024, 1, 1, hour) for hour in (0, 1, 7, 20)], "24h"),
    (pl.Duration("ms"), [timedelta(hours=hour) for hour in (0, 1, 7, 20)], timedelta(days=1)),
]


@each_operator
@pytest.mark.parametrize(("dtype", "x", "period"), COORDINATES, ids=shown)
def test_coordinates_of_any_dtype_are_moved_exactly(
    dtype: Any, x: Any, period: Any, operator: Any, options: Any
) -> None:
    frame = pl.DataFrame({"x": pl.Series(x, dtype=dtype), "y": [0.25, 1.0, -3.0, 7.5], "k": 0})
    length = {"1w": timedelta(weeks=1), "24h": timedelta(hours=24)}.get(period, period)
    length = Decimal(str(period)) if dtype.is_decimal() else length
    for each in (frame, frame.reverse()):
        expected = by_hand(each, operator("y", "x", **options), length).alias("y")
        assert_same(each.select(operator("y", "x", x_period=period, **options)).to_series(), expected)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt8, pl.Int128, pl.Float32, pl.Float64, pl.Datetime("us")])
def test_y_keeps_its_dtype_and_its_differences(dtype: Any) -> None:
    y = [7, 1, 200, 30]
    frame = pl.DataFrame({"x": [0, 1, 3, 6], "y": pl.Series(y).cast(dtype), "k": 0})
    expected = by_hand(frame, pg.gradient("y", "x"), 8).alias("y")
    assert_same(frame.select(pg.gradient("y", "x", x_period=8)).to_series(), expected)


def test_a_period_that_is_no_whole_number_of_steps_of_x() -> None:
    """Days of the year are whole, the year is not."""
    days, y = [1, 90, 182, 300], [3.0, 1.0, 4.0, 1.5]
    expected = around(y, [float(day) for day in days], x_period=365.2425)
    far = [day + 2**60 for day in days]
    for x in (pl.Series(days), pl.Series(days, dtype=pl.Int8 if max(days) < 128 else pl.Int16), pl.Series(far)):
        frame = pl.DataFrame({"x": x, "y": y})
        assert frame.select(pg.gradient("y", "x", x_period=365.2425))["y"].to_list() == pytest.approx(
            expected, rel=1e-14
        )


@pytest.mark.parametrize("rows", [2, 3, 4, 7, 24])
@pytest.mark.parametrize("step", [15.0, 360 / 7, -1.5, 0.1])
def test_even_steps_are_those_of_numpy(rows: int, step: float) -> None:
    y = np.sin(np.arange(rows) * 1.7) * 9
    wrapped = np.pad(y, 2, mode="wrap")
    expected = np.gradient(wrapped, step)[2:-2]
    frame = pl.DataFrame({"y": y})
    for edge_order in (1, 2):
        got = frame.select(pg.gradient("y", spacing=step, x_period=rows * abs(step), edge_order=edge_order))
        assert got["y"].to_list() == expected.tolist()
    period = timedelta(minutes=rows)
    got = frame.select(pg.gradient("y", spacing="1m", per="1m", x_period=period))
    assert got["y"].to_list() == np.gradient(wrapped)[2:-2].tolist()


def test_steps_that_do_not_go_all_the_way_round_leave_a_wide_one() -> None:
    y = [3.0, 1.0, 4.0]
    expected = around(y, [0, 90, 180], x_period=360)
    assert around(y, spacing=90, x_period=360) == pytest.approx(expected, rel=1e-15)
    # Each group by itself: the ring that is closed has the formula of even steps.
    frame = pl.DataFrame({"y": [*y, *y, 0.5], "k": [1] * 3 + [2] * 4})
    got = frame.select(pg.gradient("y", spacing=90, x_period=360, by="k"))["y"].to_list()
    assert got == [*around(y, spacing=90, x_period=360), *around([*y, 0.5], spacing=90, x_period=360)]


# What it is for


def test_a_sine_around_the_circle_has_no_ends() -> None:
    errors = []
    for rows in (36, 72, 144):
        angle = np.arange(rows) * 360 / rows + 3
        y = np.sin(np.radians(angle))
        slope = np.array(around(y.tolist(), angle.tolist(), x_period=360)) * 180 / math.pi
        errors.append(np.abs(slope - np.cos(np.radians(angle))).max())
        # Every row has the error of the centred formula, and rows that begin elsewhere the same slopes.
        turned = np.array(around(np.roll(y, 5).tolist(), spacing=360 / rows, x_period=360)) * 180 / math.pi
        assert_allclose(np.roll(turned, -5), slope, rtol=0, atol=1e-12)
    assert [a / b for a, b in pairwise(errors)] == pytest.approx([4, 4], rel=0.02)


def test_a_year_of_months() -> None:
    """January follows December."""
    y = [5.0, 6.0, 9.0, 12.0, 16.0, 19.0, 21.0, 21.0, 18.0, 13.0, 9.0, 6.0]
    slope = around(y, list(range(1, 13)), x_period=12)
    assert slope[0] == (6.0 - 6.0) / 2
    assert slope[11] == (5.0 - 9.0) / 2
    assert sum(slope) == 0


def test_angles_of_angles() -> None:
    """Wind directions by the hour: both go round."""
    assert around([350.0, 355.0, 5.0, 345.0], [0, 6, 12, 18], x_period=24, y_period=360) == [
        pytest.approx(each) for each in (10 / 12, 15 / 12, -10 / 12, -15 / 12)
    ]


# Gaps and nulls


def test_gaps_open_the_ring() -> None:
    x, y = [0.0, 10.0, 200.0, 340.0, 350.0], [1.0, 3.0, 5.0, 2.0, 4.0]
    # 340, 350, 360 and 370 are one segment, 200 is alone.
    expected = around([2.0, 4.0, 1.0, 3.0], [340.0, 350.0, 360.0, 370.0])
    assert around(y, x, x_period=360, max_gap=20) == [*expected[2:], None, *expected[:2]]
    # The seam is a gap itself.
    wide = [30.0, 40.0, 50.0, 300.0]
    assert around(y[:4], wide, x_period=360, max_gap=60) == around(y[:4], wide, max_gap=60)


def test_a_null_at_the_seam() -> None:
    x, y = [0, 90, 180, 270], [0.0, 1.0, 5.0, None]
    inside = pytest.approx(5 / 180)
    assert around(y, x, x_period=360) == [None, inside, None, None]
    assert around(y, x, x_period=360, nulls="split") == [1 / 90, inside, 4 / 90, None]
    skipped = around(y[:3], x[:3], x_period=360)
    assert around(y, x, x_period=360, nulls="skip") == [*skipped, None]
    missing = [0, 90, 180, None]
    assert around([0.0, 1.0, 5.0, 2.0], missing, x_period=360) == [None, inside, None, None]
    # NaN is a value, on both sides of it.
    assert [math.isnan(slope) for slope in around([0.0, 1.0, 5.0, nan], x, x_period=360)] == [True, False, True, True]


def test_a_row_alone_has_no_neighbour() -> None:
    assert around([1.0], [5], x_period=360) == [None]
    assert around([1.0, None], [5, 6], x_period=360, nulls="skip") == [None, None]
    # Of two rows each is the neighbour of the other on both sides.
    assert around([1.0, 3.0], [0, 180], x_period=360) == [0.0, 0.0]
    assert around([], pl.Series([], dtype=pl.Float64).to_list(), x_period=360) == []


def test_repeated_points_are_merged_first() -> None:
    x, y = [0, 0, 90, 180, 270, 270], [1.0, 3.0, 5.0, 2.0, 7.0, 9.0]
    merged = around([2.0, 5.0, 2.0, 8.0], [0, 90, 180, 270], x_period=360)
    assert around(y, x, x_period=360, duplicates="mean") == [merged[0], *merged[:3], merged[3], merged[3]]
    with pytest.raises(ComputeError, match="goes from 0 to 360"):
        around([1.0, 2.0, 1.0], [0, 90, 360], x_period=360, duplicates="first")


# Cells and columns side by side


def test_each_cell_is_a_ring() -> None:
    y = [[0.0, 1.0, 0.0, -1.0], [3.0, 1.0, 4.0, 1.0]]
    expected = [around(cell, [0, 90, 180, 270], x_period=360) for cell in y]
    frame = pl.DataFrame({"y": y, "k": [1, 2]})
    for dtype in (pl.List(pl.Float64), pl.Array(pl.Float64, 4)):
        cells = frame.with_columns(pl.col("y").cast(dtype))
        for x in ({"x": [0, 90, 180, 270]}, {"spacing": 90}):
            for engine in ENGINES:
                got = cells.lazy().select(pg.gradient("y", axis=1, x_period=360, **x)).collect(engine=engine)
                assert [list(cell) for cell in got["y"].to_list()] == [
                    pytest.approx(cell, rel=1e-15) for cell in expected
                ]
        # Batches have whole cells.
        (stitched,) = pg.stitch([cells], dy=pg.gradient("y", axis=1, x_period=360, spacing=90))
        assert_same(stitched["dy"], cells.select(dy=pg.gradient("y", axis=1, x_period=360, spacing=90))["dy"])


def test_each_place_down_the_rows_is_a_ring() -> None:
    first, second = [0.0, 1.0, 0.0, -1.0], [3.0, 1.0, 4.0, 1.0]
    expected = [
        list(pair) for pair in zip(*(around(each, spacing=90, x_period=360) for each in (first, second)), strict=True)
    ]
    for dtype in (pl.List(pl.Float64), pl.Array(pl.Float64, 2)):
        frame = pl.DataFrame({"y": pl.Series([list(pair) for pair in zip(first, second, strict=True)], dtype=dtype)})
        assert [list(cell) for cell in frame.select(pg.gradient("y", spacing=90, x_period=360))["y"]] == expected
    both = frame.select(pg.gradient("y", axis=(0, 1), spacing=(90, 1), x_period=(360, None)))["y"].struct.field(
        "axis_0"
    )
    assert [list(cell) for cell in both] == expected


def test_columns_side_by_side() -> None:
    months = [f"m{month}" for month in range(1, 5)]
    frame = pl.DataFrame({name: [value] for name, value in zip(months, [3.0, 1.0, 4.0, 1.0], strict=True)})
    got = frame.select(pg.gradient_horizontal(months, spacing=1, x_period=4)).unnest("m1").row(0)
    assert list(got) == around([3.0, 1.0, 4.0, 1.0], spacing=1, x_period=4)


# Grids


def test_lines_of_a_grid_are_rings() -> None:
    lon, lat = np.array([0.0, 50.0, 120.0, 200.0, 310.0]), np.array([-60.0, -10.0, 30.0])
    field = np.random.default_rng(0).normal(size=(5, 3))
    frame = pl.DataFrame({"lon": np.repeat(lon, 3), "lat": np.tile(lat, 5), "f": field.ravel()})
    frame = frame.with_row_index().sample(fraction=1, shuffle=True, seed=0)
    around_lon = np.concatenate([lon[-2:] - 360, lon, lon[:2] + 360])
    across, along = np.gradient(np.pad(field, ((2, 2), (0, 0)), mode="wrap"), around_lon, lat)
    slopes = frame.select("index", pg.partials("f", ["lon", "lat"], x_period={"lon": 360}).struct.unnest()).sort(
        "index"
    )
    assert_allclose(slopes["lon"], across[2:-2].ravel(), rtol=1e-12)
    assert_allclose(slopes["lat"], along[2:-2].ravel(), rtol=1e-12)
    # The others are made of these.
    length = frame.select("index", pg.magnitude("f", ["lon", "lat"], x_period={"lon": 360})).sort("index")["f"]
    assert_allclose(length, np.hypot(slopes["lon"], slopes["lat"]), rtol=1e-14)
    vectors = frame.with_columns(v=pl.struct(lon="f", lat=-pl.col("f")))
    domain: dict[str, Any] = {"wrt": ["lon", "lat"], "x_period": {"lon": 360}}
    both = vectors.select("index", d=pg.divergence("v", **domain), c=pg.curl("v", **domain)).sort("index")
    assert_allclose(both["d"], slopes["lon"] - slopes["lat"], rtol=1e-12)
    assert_allclose(both["c"], -slopes["lon"] - slopes["lat"], rtol=1e-12)
    second = {"order": 2, "edge_accuracy": None, **domain}
    each = frame.select("index", pg.partials("f", **second).struct.unnest()).sort("index")
    assert each["lat"].is_null().all()
    wave = frame.filter(pl.col("lat") == 30.0).sort("lon")
    bent = wave.select(pg.laplacian("f", "lon", x_period={"lon": 360}))["f"]
    assert_same(bent, wave.select(pg.derivative("f", "lon", order=2, x_period=360))["f"])


def test_a_line_of_a_grid_that_goes_round_twice() -> None:
    frame = pl.DataFrame({"lon": [0, 180, 360] * 2, "lat": [0] * 3 + [10] * 3, "f": [1.0, 2.0, 1.0, 3.0, 4.0, 3.0]})
    with pytest.raises(
        ComputeError, match=r"`lon` goes from 0 to 360 in the group `lat` = 0; drop the row that repeats"
    ):
        frame.select(pg.partials("f", ["lon", "lat"], x_period={"lon": 360}))


# Errors


def test_a_group_that_spans_a_period_shows_both_ends() -> None:
    frame = pl.DataFrame(
        {"x": [0.0, 90.0, 0.0, 180.0, 400.0], "y": [1.0, 2.0, 3.0, 4.0, 5.0], "k": ["a"] * 2 + ["b"] * 3}
    )
    message = (
        '`x` must span less than one `x_period`, but column `x` goes from 0.0 to 400.0 in the group `k` = "b"; drop '
        "the row that repeats the first one, tell laps apart by keys, or pass `strict=False` to get nulls there"
    )
    with pytest.raises(ComputeError, match=re.escape(message)):
        frame.select(pg.gradient("y", "x", by="k", x_period=360))
    got = frame.select(pg.gradient("y", "x", by="k", x_period=360, strict=False))["y"].to_list()
    assert got[:2] == around([1.0, 2.0], [0.0, 90.0], x_period=360)
    assert got[2:] == [None, around([3.0, 4.0, 5.0], [0.0, 180.0, 400.0])[1], None]
    with pytest.raises(ComputeError, match="there are 5 rows a `spacing` apart"):
        frame.select(pg.gradient("y", spacing=90, x_period=360))
    assert around([1.0, 2.0, 4.0], spacing=180, x_period=360, strict=False) == [None, 3 / 360, None]


def test_less_than_a_period_is_exact() -> None:
    far = 2**60
    assert around([1.0, 2.0], [far, far + 359], x_period=360)[0] is not None
    with pytest.raises(ComputeError, match="x_period"):
        around([1.0, 2.0], [far, far + 360], x_period=360)
    nanoseconds = pl.Series([0, 86_400 * 10**9 - 1]).cast(pl.Datetime("ns"))
    frame = pl.DataFrame({"x": nanoseconds, "y": [1.0, 2.0]})
    step = Fraction(86_400 * 10**9 - 1, 10**9)
    slope = frame.select(pg.gradient("y", "x", x_period="1d"))["y"][0]
    # The step across the seam is a nanosecond.
    assert slope == pytest.approx(float((1 / step * Fraction(1, 10**9) - 10**9 * step) / 86_400), rel=1e-14)


ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"x_period": 360}, ValueError, "`x_period` is a length of x: give `x`, the coordinate column, or `spacing`"),
    ({"x": "x", "x_period": 0}, ValueError, "`x_period` must be finite and positive, got 0"),
    ({"x": "x", "x_period": nan}, ValueError, "`x_period` must be finite and positive, got nan"),
    ({"x": "x", "x_period": [360]}, TypeError, "`x_period` must be a number, a timedelta or a duration string"),
    ({"x": "x", "x_period": True}, TypeError, "`x_period` must be a number, a timedelta or a duration string"),
    ({"x": "x", "x_period": "1y"}, ValueError, "months, quarters and years have no constant length"),
    ({"x": "x", "x_period": "1d"}, ComputeError, "`x_period` must be a number where x is one"),
    ({"x": "at", "x_period": 360}, ComputeError, "`x_period` must be a duration where x is temporal"),
    ({"spacing": 1, "x_period": "1d"}, ComputeError, "`x_period` must be a number as `spacing` is, got a duration"),
    ({"spacing": "1h", "x_period": 24}, ComputeError, "`x_period` must be a duration as `spacing` is, got a number"),
    ({"x": "day", "x_period": "36h"}, ComputeError, "`x_period` must be a whole number of the steps of x"),
    ({"x": "price", "x_period": 0.125}, ComputeError, "`x_period` must be a whole number of the steps of x"),
    ({"spacing": 7, "x_period": 360}, ComputeError, "must be a whole number of steps of `spacing`, got 51.4"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), ARGUMENTS, ids=shown)
def test_wrong_arguments(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0], "y": [1.0, 2.0], "at": [time(1), time(2)]})
    frame = frame.with_columns(day=pl.lit(date(2024, 1, 1)), price=pl.lit(Decimal("0.01")))
    with pytest.raises(kind, match=re.escape(message)):
        frame.lazy().select(pg.gradient("y", **arguments)).collect_schema()


def test_times_of_day() -> None:
    at = [time(1), time(13), time(23)]
    hours = around([1.0, 5.0, 2.0], [1, 13, 23], x_period=24)
    assert around([1.0, 5.0, 2.0], at, x_period="24h", per="1h") == hours


OTHERS: list[tuple[Callable[..., pl.Expr], dict[str, Any]]] = [
    (pg.increase, {"x": "x"}),
    (pg.rate, {"x": "x"}),
    (pg.integral, {"x": "x"}),
    (pg.rolling_slope, {"x": "x", "window_size": 3}),
]


@pytest.mark.parametrize(("operator", "arguments"), OTHERS, ids=shown)
def test_operators_that_have_no_ring(operator: Callable[..., pl.Expr], arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'x_period'"):
        operator("y", **arguments, x_period=360)


def test_whole_columns_are_needed() -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0], "y": [1.0, 2.0]})
    slope = pg.gradient("y", "x", x_period=360)
    message = "`x_period` makes the last row stand before the first, but {} has a few rows at a time"
    with pytest.raises(ValueError, match=message.format("`pg.stitch`")):
        pg.stitch([frame], slope)
    with pytest.raises(ValueError, match=message.format("`grad.with_columns`")):
        frame.lazy().grad.with_columns(slope)


PERIODS: list[tuple[Any, type[Exception], str]] = [
    (360, TypeError, '`x_period` must be the periods of coordinates, such as {"lon": 360}, got int'),
    (
        {"longitude": 360},
        ValueError,
        "`x_period` must be of coordinates in `wrt`, which are `lon`, `lat`, got 'longitude'",
    ),
    ({"lon": -360}, ValueError, "`x_period` must be finite and positive, got -360"),
    ({"lon": "a day"}, ValueError, "`x_period` must be a duration such as"),
]


@pytest.mark.parametrize(("periods", "kind", "message"), PERIODS, ids=shown)
def test_wrong_periods_of_a_grid(periods: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=re.escape(message)):
        pg.partials("f", ["lon", "lat"], x_period=periods)
