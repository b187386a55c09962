"""Times as x, as y, as a step: in which unit the slope is."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_grad as pg

UNITS: Any = ["ms", "us", "ns"]
ZONES = [None, "UTC", "Europe/Paris", "Asia/Kolkata"]
NOON = datetime(2024, 5, 1, 12)
PER: list[tuple[Any, timedelta]] = [
    (None, timedelta(seconds=1)),
    ("1s", timedelta(seconds=1)),
    ("1h", timedelta(hours=1)),
    ("1h30m", timedelta(hours=1.5)),
    ("250ms", timedelta(milliseconds=250)),
    ("7us", timedelta(microseconds=7)),
    ("7\N{MICRO SIGN}s", timedelta(microseconds=7)),
    ("7\N{GREEK SMALL LETTER MU}s", timedelta(microseconds=7)),
    ("+1h30m", timedelta(hours=1.5)),
    (np.timedelta64(90, "m"), timedelta(hours=1.5)),
    (np.timedelta64(7_000, "ns"), timedelta(microseconds=7)),
    ("1d", timedelta(days=1)),
    ("1w2d", timedelta(days=9)),
    (timedelta(minutes=10), timedelta(minutes=10)),
    (timedelta(microseconds=1), timedelta(microseconds=1)),
]
PERS = pytest.mark.parametrize(("per", "length"), PER, ids=[str(per) for per, _ in PER])


def gradient(y: Any, x: Any = None, **options: Any) -> pl.Series:
    columns = {"y": y} if x is None else {"y": y, "x": x}
    frame = pl.DataFrame({name: pl.Series(values) for name, values in columns.items()})
    return frame.select(pg.gradient("y", None if x is None else "x", **options)).to_series()


# A time as x


@PERS
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", ZONES)
def test_a_datetime_as_x(unit: Any, zone: str | None, per: Any, length: timedelta) -> None:
    """Per second unless said, whatever unit the column counts in and wherever it is shown."""
    minutes = [0, 1, 3, 6]
    at = pl.Series([NOON + timedelta(minutes=minute) for minute in minutes])
    at = at.dt.replace_time_zone("UTC").dt.convert_time_zone(zone) if zone else at
    slopes = gradient([5 * minute for minute in minutes], at.dt.cast_time_unit(unit), per=per)
    assert slopes.to_list() == [float(5 * Fraction(length / timedelta(minutes=1)))] * 4


@PERS
@pytest.mark.parametrize("unit", UNITS)
def test_a_duration_as_x(unit: Any, per: Any, length: timedelta) -> None:
    elapsed = pl.Series([timedelta(hours=hours) for hours in (0, 2, 3)]).dt.cast_time_unit(unit)
    slopes = gradient([0.0, -6.0, -9.0], elapsed, per=per)
    assert slopes.to_list() == pytest.approx([-3 * length / timedelta(hours=1)] * 3, rel=1e-15)


@PERS
def test_a_date_as_x(per: Any, length: timedelta) -> None:
    days = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 8)]
    slopes = gradient([0, 3, 6, 27], days, per=per)
    assert slopes.to_list() == pytest.approx([3 * length / timedelta(days=1)] * 4, rel=1e-15)


@PERS
def test_a_time_of_day_as_x(per: Any, length: timedelta) -> None:
    slopes = gradient([0, 15, 60], [time(1), time(1, 15), time(2)], per=per)
    assert slopes.to_list() == pytest.approx([length / timedelta(minutes=1)] * 3, rel=1e-15)


def test_time_passes_evenly_when_clocks_are_changed() -> None:
    """From one to three o'clock in one hour in spring, in three hours in autumn."""
    for day, hours in ((datetime(2024, 3, 31), 1), (datetime(2024, 10, 27), 3)):
        local = pl.Series([day.replace(hour=1), day.replace(hour=3)]).dt.replace_time_zone("Europe/Paris")
        assert gradient([0.0, 6.0], local, per="1h").to_list() == [6.0 / hours] * 2
        assert gradient(local).dt.total_hours().to_list() == [hours] * 2


def test_nanoseconds_are_a_unit_too() -> None:
    at = pl.Series([0, 100, 300]).cast(pl.Datetime("ns"))
    assert gradient([0, 1, 3], at, per="100ns").to_list() == [1.0] * 3
    assert gradient([0, 1, 3], at, per="1ns").to_list() == [0.01] * 3


def test_small_floats_over_time_stay_small() -> None:
    at = pl.Series([0, 60, 120]).cast(pl.Datetime("ms"))
    for dtype in (pl.Float32, *([pl.Float16] if hasattr(pl, "Float16") else [])):
        slopes = gradient(pl.Series([0.0, 1.0, 2.0], dtype=dtype), at, per="120ms")
        assert slopes.dtype == dtype
        assert slopes.to_list() == [2.0] * 3


# A constant step


@pytest.mark.parametrize("kind", [int, float, Fraction, np.int8, np.int64, np.float32, np.float64, np.float16])
def test_a_number_as_spacing(kind: Any) -> None:
    assert gradient([0, 1, 4], spacing=kind(2)).to_list() == [0.5, 1.0, 1.5]
    assert gradient([0, 1, 4], spacing=kind(-2)).to_list() == [-0.5, -1.0, -1.5]


def test_an_unsigned_number_as_spacing() -> None:
    assert gradient([4, 1, 0], spacing=np.uint8(2)).to_list() == [-1.5, -1.0, -0.5]


@pytest.mark.parametrize(
    ("spacing", "step"),
    [
        ("10ms", timedelta(milliseconds=10)),
        ("1h30m", timedelta(hours=1.5)),
        ("-1d12h", timedelta(days=-1.5)),
        ("1w", timedelta(weeks=1)),
        ("5us", timedelta(microseconds=5)),
        ("5\N{MICRO SIGN}s", timedelta(microseconds=5)),
        ("5\N{GREEK SMALL LETTER MU}s", timedelta(microseconds=5)),
        ("+1h30m", timedelta(hours=1.5)),
        (np.timedelta64(2, "W"), timedelta(weeks=2)),
        (np.timedelta64(-3, "D"), timedelta(days=-3)),
        (np.timedelta64(3, "h"), timedelta(hours=3)),
        (np.timedelta64(5, "30m"), timedelta(hours=2.5)),
        (np.timedelta64(7, "s"), timedelta(seconds=7)),
        (np.timedelta64(7, "ms"), timedelta(milliseconds=7)),
        (np.timedelta64(7, "us"), timedelta(microseconds=7)),
        (np.timedelta64(7_000_000, "ps"), timedelta(microseconds=7)),
        (np.timedelta64(7_000_000_000, "fs"), timedelta(microseconds=7)),
        ("1s500ms", timedelta(seconds=1.5)),
        (timedelta(milliseconds=10), timedelta(milliseconds=10)),
        (timedelta(days=-2), timedelta(days=-2)),
    ],
    ids=str,
)
def test_a_time_as_spacing(spacing: Any, step: timedelta) -> None:
    """Per second, or per `per`."""
    second, hour = step / timedelta(seconds=1), step / timedelta(hours=1)
    assert gradient([0, 1, 4], spacing=spacing).to_list() == pytest.approx(
        [1 / second, 2 / second, 3 / second], rel=1e-15
    )
    assert gradient([0, 1, 4], spacing=spacing, per="1h").to_list() == pytest.approx(
        [1 / hour, 2 / hour, 3 / hour], rel=1e-15
    )


class Timedelta(timedelta):
    """A timedelta as pandas has it: with nanoseconds besides."""

    nanoseconds = 100


def test_nanoseconds_as_spacing() -> None:
    for spacing in ("100ns", np.timedelta64(100, "ns"), Timedelta(0)):
        assert gradient([0, 1, 3], spacing=spacing, per="1us").to_list() == [10.0, 15.0, 20.0]
    for per in ("1100ns", np.timedelta64(1100, "ns"), Timedelta(microseconds=1)):
        assert gradient([0, 1], spacing="1us", per=per).to_list() == pytest.approx([1.1, 1.1])


def test_a_gap_in_any_kind_of_time() -> None:
    at = pl.Series([NOON, NOON + timedelta(seconds=1), NOON + timedelta(seconds=3)])
    for gap in ("1s", "+1s", timedelta(seconds=1), np.timedelta64(1, "s"), np.timedelta64(1_000_000, "us")):
        assert gradient([0, 1, 4], at, max_gap=gap).to_list() == [1.0, 1.0, None]


def test_a_window_in_any_kind_of_time() -> None:
    """A timedelta64 counts as a whole number for `numbers`, and for `int` if it is of nanoseconds."""
    at = pl.Series([NOON + row * timedelta(seconds=1) for row in range(8)])
    frame = pl.DataFrame({"at": at, "y": [0.0, 1.0, 4.0, 3.0, 7.0, 1.0, 2.0, 9.0]})
    for operator in (pg.rolling_slope, pg.savgol):
        expected = frame.select(operator("y", x="at", window_size=timedelta(seconds=5)))
        for window in ("5s", np.timedelta64(5, "s"), np.timedelta64(5_000_000_000, "ns")):
            assert_frame_equal(frame.select(operator("y", x="at", window_size=window)), expected, check_exact=True)


def test_a_time_is_no_whole_number() -> None:
    length: Any = np.timedelta64(3, "ns")
    for build in (
        lambda: pg.gradient("y", axis=length),
        lambda: pg.derivative("y", order=length),
        lambda: pg.savgol("y", window_size=5, degree=length),
        lambda: pg.rolling_slope("y", window_size=5, min_samples=length),
    ):
        with pytest.raises(TypeError, match="must be a whole number"):
            build()


@pytest.mark.parametrize("edge_order", [1, 2])
def test_a_time_as_spacing_is_a_column_of_such_steps(edge_order: Any) -> None:
    y = [1.0, 7.0, -3.0, 0.5, 2.0]
    at = pl.Series([NOON + row * timedelta(milliseconds=40) for row in range(5)])
    spaced = gradient(y, spacing="40ms", per="1h", edge_order=edge_order)
    assert spaced.to_list() == pytest.approx(gradient(y, at, per="1h", edge_order=edge_order).to_list(), rel=1e-15)


# A time as y


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        *[(pl.Series([0, 2, 6]).cast(pl.Datetime(unit, zone)), pl.Duration(unit)) for unit in UNITS for zone in ZONES],
        *[(pl.Series([0, 2, 6]).cast(pl.Duration(unit)), pl.Duration(unit)) for unit in UNITS],
        (pl.Series([0, 2, 6]).cast(pl.Time), pl.Duration("ns")),
    ],
    ids=lambda value: str(value.dtype) if isinstance(value, pl.Series) else "",
)
def test_a_time_over_rows_or_numbers_is_a_duration(y: pl.Series, dtype: pl.DataType) -> None:
    """Of the unit of y, to the nearest whole one of them."""
    for x, expected in (
        (None, [2, 3, 4]),
        ([0, 1, 2], [2, 3, 4]),
        ([0.0, 0.5, 2.5], [4, 4, 2]),
        ([4, 2, 1], [-1, -3, -4]),
    ):
        slopes = gradient(y, x)
        assert slopes.dtype == dtype
        assert slopes.to_physical().to_list() == expected
    assert gradient(y, spacing=-0.5).to_physical().to_list() == [-4, -6, -8]


def test_a_date_over_rows_is_a_duration_in_microseconds() -> None:
    slopes = gradient([date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 4)])
    assert slopes.dtype == pl.Duration("us")
    assert slopes.to_list() == [timedelta(days=1), timedelta(days=1.5), timedelta(days=2)]


def test_a_duration_is_rounded_to_the_nearest() -> None:
    """Never towards zero; half to even."""
    y = pl.Series([0, 1, 3, 6, 10]).cast(pl.Duration("us"))
    assert gradient(y, spacing=4).to_physical().to_list() == [0, 0, 1, 1, 1]
    assert gradient(y, spacing=-4).to_physical().to_list() == [0, 0, -1, -1, -1]
    assert gradient(y).to_physical().to_list() == [1, 2, 2, 4, 4]


Y_OVER_X: list[tuple[Any, Any]] = [
    ([timedelta(hours=hours) for hours in (0, 1, 3)], [NOON + timedelta(hours=2 * hours) for hours in (0, 1, 3)]),
    ([NOON + timedelta(hours=hours) for hours in (0, 1, 3)], [timedelta(hours=2 * hours) for hours in (0, 1, 3)]),
    ([NOON + timedelta(days=days) for days in (0, 1, 3)], [date(2024, 1, 1 + 2 * days) for days in (0, 1, 3)]),
    ([date(2024, 1, 1 + days) for days in (0, 1, 3)], [date(2024, 1, 1 + 2 * days) for days in (0, 1, 3)]),
    ([time(hour) for hour in (1, 2, 4)], [timedelta(hours=2 * hours) for hours in (1, 2, 4)]),
]


@pytest.mark.parametrize(("y", "x"), Y_OVER_X)
@pytest.mark.parametrize("y_unit", UNITS)
@pytest.mark.parametrize("x_unit", UNITS)
def test_a_time_over_a_time_is_a_pure_ratio(y: Any, x: Any, y_unit: Any, x_unit: Any) -> None:
    """Whatever the two count in."""

    def in_unit(values: Any, unit: Any) -> pl.Series:
        column = pl.Series(values)
        has_unit = isinstance(column.dtype, (pl.Datetime, pl.Duration))
        return column.dt.cast_time_unit(unit) if has_unit else column

    slopes = gradient(in_unit(y, y_unit), in_unit(x, x_unit))
    assert slopes.dtype == pl.Float64
    assert slopes.to_list() == [0.5, 0.5, 0.5]


def test_a_time_over_a_constant_time_is_a_pure_ratio() -> None:
    late_by = pl.Series([timedelta(milliseconds=count) for count in (0, 1, 4)])
    for spacing in ("10ms", timedelta(milliseconds=10)):
        assert gradient(late_by, spacing=spacing).to_list() == [0.1, 0.2, 0.3]


def test_a_decimal_keeps_its_decimals() -> None:
    """In y and in x, over time too."""
    price = pl.Series(["1.10", "2.20", "4.40"]).cast(pl.Decimal(10, 2))
    assert gradient(price).to_list() == [1.1, 1.65, 2.2]
    assert gradient([0, 11, 33], price).to_list() == [10.0, 10.0, 10.0]
    at = pl.Series([NOON + timedelta(hours=hours) for hours in (0, 1, 3)])
    assert gradient(price, at, per="1h").to_list() == [1.1, 1.1, 1.1]
