"""Turning points: by hand, against scipy, against an oracle in exact arithmetic, and the same bits on every face."""
# ruff: noqa: DTZ001 (times without a zone are a dtype)

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_series_equal
from scipy.signal import find_peaks
from strategies import frames, in_chunks

import polars_grad as pg

KIND = pl.Enum(["max", "min"])


def of(y: Any, x: Any = None, **options: Any) -> list[tuple[int, str, Any, Any]]:
    """The row, the kind, the x and the y of each turning point."""
    columns = {"y": y} if x is None else {"y": y, "x": x}
    frame = pl.DataFrame({name: pl.Series(values) for name, values in columns.items()})
    return events(frame.select(pg.turning_points("y", None if x is None else "x", **options)).to_series())


def events(turns: pl.Series) -> list[tuple[int, str, Any, Any]]:
    return turns.to_frame("turn").with_row_index().drop_nulls("turn").unnest("turn").rows()


# By hand.


def test_a_turning_point_is_the_vertex_of_a_parabola() -> None:
    x = [-3.0, -1.0, 0.0, 2.0, 4.0]
    # (x - 0.25)², which no row has at its vertex.
    assert of([(value - 0.25) ** 2 for value in x], x) == [(2, "min", 0.25, 0.0)]
    assert of([3 - (value - 0.25) ** 2 for value in x], x) == [(2, "max", 0.25, 3.0)]
    falling = x[::-1]
    assert of([(value - 0.25) ** 2 for value in falling], falling) == [(2, "min", 0.25, 0.0)]


def test_without_x_rows_are_numbered() -> None:
    y = [0.0, 3.0, 1.0, 1.0, 5.0]
    assert of(y) == [(1, "max", 1.1, 3.025), (2, "min", 2.5, 1.0)]
    assert of(y, spacing=-0.5) == [(1, "max", -0.55, 3.025), (2, "min", -1.25, 1.0)]
    assert of(y, spacing="1h") == [
        (1, "max", timedelta(hours=1.1), 3.025),
        (2, "min", timedelta(hours=2.5), 1.0),
    ]
    grouped = pl.DataFrame({"k": [1, 2, 1, 2, 1], "y": [0.0, 7.0, 3.0, 5.0, 0.0]})
    assert events(grouped.select(pg.turning_points("y", by="k")).to_series()) == [(2, "max", 1.0, 3.0)]


def test_a_plateau_is_one_event_at_its_middle() -> None:
    assert of([0, 2, 2, 2, 0]) == [(2, "max", 2.0, 2.0)]
    # Of two middle rows the earlier one, with the middle of both.
    assert of([0, 2, 2, 0]) == [(1, "max", 1.5, 2.0)]
    # The middle of x, not the x of the middle row.
    assert of([3, 2, 2, 2, 4], [0.0, 1.0, 2.0, 5.0, 6.0]) == [(2, "min", 3.0, 2.0)]
    # A step on the way is none.
    assert of([0, 1, 1, 2, 3]) == []
    assert of([2, 2, 1, 0, 0]) == []


def test_the_ends_of_a_segment_are_no_turning_points() -> None:
    for y in ([], [1.0], [1.0, 2.0], [1.0, 1.0, 1.0], [3.0, 2.0, 1.0], [1.0, 1.0, 0.0]):
        assert of(pl.Series(y, dtype=pl.Float64)) == []
    y, x = [0.0, 2.0, 0.0, 2.0, 0.0], [0.0, 1.0, 2.0, 9.0, 10.0]
    assert [row for row, *_ in of(y, x)] == [1, 2, 3]
    assert [row for row, *_ in of(y, x, max_gap=2)] == [1]


@pytest.mark.parametrize("wrong", [None, math.nan])
def test_a_null_or_a_nan_ends_the_curve(wrong: float | None) -> None:
    y = [0.0, 2.0, wrong, 0.0, 2.0, 1.0]
    for nulls in ("propagate", "split"):
        assert [row for row, *_ in of(y, nulls=nulls)] == [4]
    # A NaN is no null.
    skipped = [row for row, *_ in of(y, nulls="skip")]
    assert skipped == ([1, 3, 4] if wrong is None else [4])
    # Rows that remain are numbered.
    if wrong is None:
        assert of([0.0, None, 2.0, 0.0], nulls="skip") == [(2, "max", 1.0, 2.0)]


def test_the_swing_starts_anew_after_a_null() -> None:
    y = [0.0, 5.0, 4.0, None, 0.0, 5.0, 1.0]
    assert [row for row, *_ in of(y, min_swing=2)] == [5]


def test_an_infinite_y_is_higher_than_any_other() -> None:
    inf = math.inf
    assert of([0.0, inf, 0.0, -inf, -inf, 1.0]) == [(1, "max", 1.0, inf), (3, "min", 3.5, -inf)]


def test_heights_of_any_size() -> None:
    for power in (-308, -200, 0, 200, 308):
        high = float(f"1e{power}")
        assert of([-high, high, -high]) == [(1, "max", 1.0, high)]
        assert of([-high, high, -high], min_swing=high) == [(1, "max", 1.0, high)]
        assert of([0.0, 1.0, 0.0], [-high, 0.0, high]) == [(1, "max", 0.0, 1.0)]


def test_min_swing_keeps_alternating_extremes() -> None:
    y = [0.0, 5.0, 4.0, 5.0, 1.0, 2.0, 1.0, 6.0, 5.0]
    assert [(row, kind) for row, kind, *_ in of(y, min_swing=3)] == [(1, "max"), (4, "min")]
    # Left by exactly the swing.
    assert [row for row, *_ in of(y, min_swing=1)] == [1, 2, 3, 4, 5, 6, 7]
    assert of(y, min_swing=1) == of(y) == of(y, min_swing=0) == of(y, min_swing="0s")
    assert of(y, min_swing=7) == []
    # The start is no extreme, and what leaves it needs no swing to get there.
    assert [row for row, *_ in of([9.0, 8.5, 8.8, 2.0, 5.0], min_swing=3)] == [3]
    assert [row for row, *_ in of([0.0, 0.1, -9.0], min_swing=3)] == [1]


def test_an_angle_is_followed_across_its_period() -> None:
    y = [340.0, 355.0, 10.0, 5.0, 350.0, 1.0]
    assert [(row, kind) for row, kind, *_ in of(y, y_period=360)] == [(2, "max"), (4, "min")]
    # A plateau of 0 and 360, and a value beyond the period.
    assert of([350.0, 0.0, 360.0, 340.0], y_period=360) == [(1, "max", 1.5, 0.0)]
    assert of([357.0, 359.0, 359.0 - 1.5], y_period=360)[0][3] > 359.0
    for swing, rows in ((11, [2, 4]), (16, [2]), (20, [2]), (21, [])):
        assert [row for row, *_ in of([340, 355, 10, 5, 350, 1], y_period=360, min_swing=swing)] == rows


def test_points_of_equal_x_turn_in_their_first_row() -> None:
    y, x = [0.0, None, 1.0, 5.0, 0.0], [0.0, 1.0, 1.0, 1.0, 2.0]
    expected = {"first": 1.0, "last": 5.0, "mean": 3.0}
    for duplicates, height in expected.items():
        assert of(y, x, duplicates=duplicates) == [(2, "max", 1.0, height)]
    whole = of([0, 1, 2, 0], [0, 1, 1, 2], duplicates="mean")
    assert whole == [(1, "max", 1.0, 1.5)]
    times = [datetime(2024, 1, day) for day in (1, 2, 2, 3)]
    assert of([0, 1, 2, 0], times, duplicates="mean") == [(1, "max", times[1], 1.5)]


# Dtypes.


@pytest.mark.parametrize(
    ("x", "dtype", "vertex"),
    [
        (pl.Series([0, 3, 6], dtype=pl.Int64), pl.Float64, 3.5),
        (pl.Series([2**63, 2**63 + 4096, 2**63 + 8192], dtype=pl.UInt64), pl.Float64, 2.0**63 + 4096 + 2048 / 3),
        (pl.Series([-3, 0, 3], dtype=pl.Int8), pl.Float64, 0.5),
        (pl.Series([0, 3, 6], dtype=pl.Float32), pl.Float32, 3.5),
        (pl.Series([Decimal("0.0"), Decimal("0.3"), Decimal("0.6")]), pl.Float64, 0.35),
        (pl.Series([date(2024, 1, day) for day in (1, 4, 7)]), pl.Date, date(2024, 1, 4)),
        (pl.Series([date(2024, 1, day) for day in (1, 9, 17)]), pl.Date, date(2024, 1, 10)),
        (pl.Series([time(0), time(3), time(6)]), pl.Time, time(3, 30)),
        (pl.Series([timedelta(hours=hour) for hour in (0, 3, 6)]), pl.Duration("us"), timedelta(hours=3.5)),
        *(
            (
                pl.Series([datetime(2024, 1, 1, hour) for hour in (0, 3, 6)], dtype=pl.Datetime(unit, zone)),
                pl.Datetime(unit, zone),
                pl.Series([datetime(2024, 1, 1, 3, 30)], dtype=pl.Datetime(unit, zone))[0],
            )
            for unit in ("ms", "us", "ns")
            for zone in (None, "UTC", "Europe/Paris")
        ),
    ],
    ids=lambda value: repr(value.dtype) if isinstance(value, pl.Series) else None,
)
def test_dtypes_of_x(x: pl.Series, dtype: Any, vertex: Any) -> None:
    frame = pl.DataFrame({"x": x, "y": [0.0, 4.0, 2.0]}).lazy().select(pg.turning_points("y", x="x"))
    got = frame.collect()
    assert got.schema == frame.collect_schema() == {"y": pl.Struct({"kind": KIND, "x": dtype, "y": pl.Float64})}
    (kind, at, y) = got["y"][1].values()
    assert (kind, at) == ("max", pytest.approx(vertex) if isinstance(vertex, float) else vertex)
    assert y == pytest.approx(4 + 1 / 12)


@pytest.mark.parametrize(
    ("dtype", "of_result"),
    [
        *((dtype, pl.Float64) for dtype in (pl.Int8, pl.UInt64, pl.Int128, pl.Float32, pl.Decimal(20, 3))),
        *((pl.Duration(unit), pl.Duration(unit)) for unit in ("ms", "us", "ns")),
    ],
    ids=str,
)
def test_dtypes_of_y(dtype: Any, of_result: Any) -> None:
    y = pl.Series("y", [1, 3, 1, 1, 2]).cast(dtype)
    turns = y.grad.turning_points()
    assert turns.dtype == pl.Struct({"kind": KIND, "x": pl.Float64, "y": of_result})
    expected = pl.Series("y", [None, 3, 1, None, None]).cast(dtype).cast(of_result)
    assert_series_equal(turns.struct.field("y"), expected)
    assert turns.struct.field("kind").to_list() == [None, "max", "min", None, None]


def test_a_duration_is_rounded_to_its_unit_and_takes_a_swing_of_time() -> None:
    y = pl.Series("y", [0, 4, 3, 9, 0], dtype=pl.Duration("ms"))
    assert events(y.grad.turning_points())[0] == (1, "max", 1.3, timedelta(milliseconds=4))
    assert [row for row, *_ in events(y.grad.turning_points(min_swing="5ms"))] == [3]
    assert [row for row, *_ in events(y.grad.turning_points(min_swing=timedelta(milliseconds=1)))] == [1, 2, 3]


def test_nanoseconds_of_this_century_keep_every_digit() -> None:
    start = 1_763_740_800_123_456_789
    x = pl.Series([start, start + 1_001, start + 2_003], dtype=pl.Datetime("ns"))
    turns = pl.Series("y", [0.0, 1.0, 1.0 - 1e-9]).grad.turning_points(x)
    assert turns.struct.field("x").cast(pl.Int64)[1] == start + 1_001 + 501
    plateau = pl.Series("y", [0, 1, 1, 0]).grad.turning_points(
        pl.Series([0, start, start + 3, start + 9], dtype=pl.Datetime("ns"))
    )
    # The middle is 1.5 ticks on, rounded to even.
    assert plateau.struct.field("x").cast(pl.Int64)[1] == start + 2


def test_a_large_integer_keeps_its_height() -> None:
    y = pl.Series("y", [2**63, 2**63 + 2048, 2**63], dtype=pl.UInt64)
    assert events(y.grad.turning_points()) == [(1, "max", 1.0, 2.0**63 + 2048)]


# Against scipy.

levels = st.lists(st.integers(0, 4), max_size=60)


@given(levels=levels, is_float=st.booleans())
def test_rows_are_those_of_find_peaks(levels: list[int], is_float: bool) -> None:
    """Plateaus of any width among them."""
    y = pl.Series("y", levels, dtype=pl.Float64 if is_float else pl.Int64)
    turns = events(y.grad.turning_points())
    for kind, sign in (("max", 1.0), ("min", -1.0)):
        peaks, found = find_peaks(sign * y.cast(pl.Float64).to_numpy(), plateau_size=1)
        got = [turn for turn in turns if turn[1] == kind]
        assert [row for row, *_ in got] == peaks.tolist()
        middles = (found["left_edges"] + found["right_edges"]) / 2
        for (_, _, x, _), middle, width in zip(got, middles, found["plateau_sizes"], strict=True):
            assert abs(x - middle) <= 0.5 if width == 1 else x == middle


def test_a_long_walk_has_the_peaks_of_scipy() -> None:
    """Longer than what is evaluated at once."""
    rng = np.random.default_rng(0)
    walk = np.round(rng.standard_normal(300_000).cumsum(), 1)
    for y in (walk, rng.standard_normal(200_000), np.sin(np.arange(200_000) * 0.01)):
        turns = pl.Series("y", y).grad.turning_points()
        kinds = turns.struct.field("kind").cast(pl.String).fill_null("none").to_numpy()
        np.testing.assert_array_equal(np.flatnonzero(kinds == "max"), find_peaks(y)[0])
        np.testing.assert_array_equal(np.flatnonzero(kinds == "min"), find_peaks(-y)[0])


@pytest.mark.parametrize("min_swing", [2.0, 40.0, 400.0, 1e9])
def test_a_long_walk_swings_as_row_by_row(min_swing: float) -> None:
    """Several threads follow it, none from an extreme that it knows."""
    walk = np.random.default_rng(0).standard_normal(400_000).cumsum().tolist()
    found: list[tuple[int, str]] = []
    furthest, kinds = {"max": 0, "min": 0}, ["max", "min"]
    for row, height in enumerate(walk):
        for kind in kinds:
            back = walk[furthest[kind]] - height if kind == "max" else height - walk[furthest[kind]]
            if back < 0:
                furthest[kind] = row
            elif back >= min_swing:
                found += [(furthest[kind], kind)] if furthest[kind] > 0 else []
                kinds = ["min" if kind == "max" else "max"]
                furthest[kinds[0]] = row
                break
    turns = events(pl.Series("y", walk).grad.turning_points(min_swing=min_swing))
    assert [(row, kind) for row, kind, *_ in turns] == found
    assert (len(found) > 10) == (min_swing < 100)


# Against an oracle.

Row = tuple[int, Fraction, float]


def curves(rows: list[tuple[int, Any, Any]], nulls: str, max_gap: float | None) -> list[list[Row]]:
    """Runs of rows (row, x, y) that belong together."""
    if nulls == "skip":
        rows = [row for row in rows if None not in row]
    runs: list[list[Row]] = [[]]
    for place, (row, x, y) in enumerate(rows):
        if x is None or y is None or math.isnan(y):
            runs.append([])
            continue
        at = Fraction(place if x is math.inf else x)
        if max_gap is not None and runs[-1] and abs(at - runs[-1][-1][1]) > Fraction(max_gap):
            runs.append([])
        runs[-1].append((row, at, y))
    return runs


def oracle(run: list[Row], min_swing: float) -> dict[int, tuple[str, Fraction, Fraction]]:
    """From extremes of slices, without a state."""
    plateaus = [[*rows] for _, rows in groupby(run, key=lambda row: row[2])]
    heights = [rows[0][2] for rows in plateaus]
    # Places at which the curve has come back by the swing, and the furthest place before.
    found: dict[int, tuple[str, Fraction, Fraction]] = {}
    start, kind = 0, None
    while True:
        for end in range(start + 1, len(heights)):
            seen = heights[start : end + 1]
            if kind != "min" and seen[-1] < max(seen) and max(seen) - seen[-1] >= min_swing:
                kind, place = "max", start + seen.index(max(seen))
            elif kind != "max" and seen[-1] > min(seen) and seen[-1] - min(seen) >= min_swing:
                kind, place = "min", start + seen.index(min(seen))
            else:
                continue
            if place > 0:
                found |= event(plateaus, place, kind)
            start, kind = end, "min" if kind == "max" else "max"
            break
        else:
            return found


def event(plateaus: list[list[Row]], place: int, kind: str) -> dict[int, tuple[str, Fraction, Fraction]]:
    rows = plateaus[place]
    row, x, height = rows[(len(rows) - 1) // 2]
    y = Fraction(height) if math.isfinite(height) else height
    if len(rows) > 1:
        return {row: (kind, (rows[0][1] + rows[-1][1]) / 2, y)}
    (_, x0, y0), (_, x2, y2) = plateaus[place - 1][-1], plateaus[place + 1][0]
    h1, h2, d1, d2 = x - x0, x2 - x, y - Fraction(y0), Fraction(y2) - y
    n, m = d1 * h2**2 + d2 * h1**2, d1 * h2 - d2 * h1
    return {row: (kind, x + n / (2 * m), y + n**2 / (4 * m * h1 * h2 * (h1 + h2)))}


numbers = st.one_of(st.integers(-20, 20).map(lambda value: value / 4), st.floats(-1e3, 1e3).map(lambda y: round(y, 3)))


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """Keys in any order; y of few levels or many, with nulls and NaN; x that rises or falls, as a number or a time."""
    rows = draw(st.integers(0, 60))
    each = {"min_size": rows, "max_size": rows}
    y = draw(st.lists(st.one_of(numbers, numbers, numbers, numbers, st.sampled_from([None, math.nan])), **each))
    steps = draw(st.lists(st.integers(1, 12), **each))
    sign = draw(st.sampled_from([1, -1]))
    x = [sign * int(value) for value in np.cumsum(steps)]
    unknown = draw(st.sets(st.integers(0, max(0, rows - 1)), max_size=2))
    x = pl.Series("x", [None if row in unknown else value for row, value in enumerate(x)], dtype=pl.Int64)
    k = draw(st.lists(st.sampled_from("ab"), **each))
    columns = [pl.Series("k", k, dtype=pl.String), x, pl.Series("y", y, dtype=pl.Float64)]
    return pl.DataFrame([draw(in_chunks(column)) for column in columns])


X_DTYPES: list[Any] = [None, pl.Float64, pl.Int64, pl.Datetime("ns"), pl.Duration("ms")]


@given(
    table=tables(),
    dtype=st.sampled_from(X_DTYPES),
    max_gap=st.none() | st.integers(3, 11),
    options=st.fixed_dictionaries(
        {
            "nulls": st.sampled_from(["propagate", "skip", "split"]),
            "min_swing": st.sampled_from([0, 0.25, 1, 3.5, 20.0]),
            "by": st.sampled_from([None, "k"]),
        }
    ),
)
def test_any_curve_turns_where_exact_arithmetic_says(
    table: pl.DataFrame, dtype: Any, max_gap: Any, options: dict[str, Any]
) -> None:
    is_time = dtype is not None and dtype.is_temporal()
    gap: dict[str, Any] = {}
    if dtype is None:
        max_gap = None
    elif max_gap is not None:
        unit = "ns" if dtype == pl.Datetime else "ms"
        gap["max_gap"] = f"{max_gap}{unit}" if is_time else max_gap
    frame = table if dtype is None else table.with_columns(pl.col("x").cast(dtype))
    got = frame.select(pg.turning_points("y", None if dtype is None else "x", **options, **gap)).to_series()
    rows = table.with_row_index().with_columns(k="k" if options["by"] else pl.lit("a"))
    expected = {}
    for _, group in rows.group_by("k"):
        points = [(row, math.inf if dtype is None else x, y) for row, _, x, y in group.rows()]
        for run in curves(points, options["nulls"], max_gap):
            expected |= oracle(run, options["min_swing"])
    turns = events(got)
    assert [row for row, *_ in turns] == sorted(expected)
    at = got.struct.field("x").cast(pl.Int64 if is_time else pl.Float64)
    for row, kind, _, y in turns:
        of_kind, of_x, of_y = expected[row]
        assert kind == of_kind
        # Distances of a few thousand steps, from small integers: the only rounding is that of the division.
        assert abs(at[row] - of_x) <= (Fraction(1, 2) if is_time else 1e-13 * (1 + abs(of_x)))
        assert abs(y - of_y) <= 1e-12 * (1 + abs(of_y))


# The same bits on every face.


def faces(frame: pl.DataFrame, **options: Any) -> dict[str, pl.Series]:
    turns = pg.turning_points("y", "x", **options)
    lazy = frame.lazy()
    cells = frame.select(pl.col("y", "x").implode())
    results = {
        "series": frame["y"].grad.turning_points(frame["x"], **options),
        "method": frame.select(pl.col("y").grad.turning_points("x", **options)).to_series(),
        "in memory": lazy.select(turns).collect(engine="in-memory").to_series(),
        "streaming": lazy.select(turns).collect(engine="streaming").to_series(),
        "expressions": frame.select(pg.turning_points(pl.col("y") + 0, pl.col("x") + 0, **options)).to_series(),
        "one chunk": frame.rechunk().select(turns).to_series(),
        "over": frame.select(turns.over(pl.lit(1))).to_series(),
        "by": frame.select(pg.turning_points("y", "x", by=pl.lit(1), **options)).to_series(),
        "agg": lazy.group_by(pl.lit(1))
        .agg(turns)
        .collect()
        .select(pl.col("y").explode(empty_as_null=False))
        .to_series(),
        "cell": cells.select(pg.turning_points("y", "x", axis=1, **options).explode(empty_as_null=False)).to_series(),
        "down the rows": frame.select(
            pg.turning_points(pl.concat_list("y"), pl.concat_list("x"), **options).list.first()
        ).to_series(),
    }
    interleaved = pl.concat([frame.with_columns(k=1), frame.with_columns(k=2)]).with_row_index()
    interleaved = interleaved.sort(pl.col("index") % frame.height, maintain_order=True)
    shuffled = interleaved.with_columns(turn=pg.turning_points("y", "x", by="k", **options)).sort("index")
    results["interleaved"] = shuffled[: frame.height]["turn"].alias("y")
    return results


@given(frame=frames(), nulls=st.sampled_from(["propagate", "skip", "split"]), min_swing=st.sampled_from([0, 5.0]))
def test_every_face_has_the_same_bits(frame: pl.DataFrame, nulls: Any, min_swing: float) -> None:
    if nulls != "skip":
        frame = frame.rechunk()
    expected, *others = faces(frame, nulls=nulls, min_swing=min_swing).values()
    for got in others:
        assert_series_equal(got, expected, check_exact=True)


def test_all_fields_are_null_where_a_row_does_not_turn() -> None:
    """Words are handed to Polars without nulls of their own."""
    frame = pl.DataFrame({"x": [0, 1, 2, 3, 4, 5], "y": [0.0, 2.0, 1.0, 1.0, 2.0, None]})
    turns = [None, "max", "min", None, None, None]
    for face, got in faces(frame).items():
        assert got.struct.field("kind").cast(pl.String).to_list() == turns, face
        assert got.struct.unnest().null_count().row(0) == (4, 4, 4), face
        assert got.is_null().to_list() == [turn is None for turn in turns], face


def test_threads_have_the_times_of_their_rows() -> None:
    rows = 270_000
    y = np.random.default_rng(0).standard_normal(rows)
    frame = pl.DataFrame({"y": y}).with_row_index("k").with_columns(pl.col("k") // 9_000)
    frame = frame.with_columns(x=pl.int_range(pl.len()).cast(pl.Datetime("ms")))
    by = frame.select(pg.turning_points("y", "x", by="k")).to_series()
    assert_series_equal(by, frame.select(pg.turning_points("y", "x").over("k")).to_series(), check_exact=True)


def test_a_filter_gives_the_events(engine: Any) -> None:
    frame = pl.DataFrame({"t": [0, 1, 2, 3, 4], "y": [0.0, 2.0, 0.0, 2.0, 0.0]}).lazy()
    query = frame.with_columns(turn=pg.turning_points("y", x="t")).filter(pl.col("turn").is_not_null())
    got = query.select("t", pl.col("turn").struct.field("kind")).collect(engine=engine)
    assert got.rows() == [(1, "max"), (2, "min"), (3, "max")]
    maxima = frame.select(pg.turning_points("y", x="t")).filter(pl.col("y").struct.field("kind") == "max")
    assert maxima.collect(engine=engine).height == 2


# Errors.


@pytest.mark.parametrize(
    ("min_swing", "error", "words"),
    [
        (-1, ValueError, "`min_swing` must be finite and not negative, got -1"),
        (math.nan, ValueError, "`min_swing` must be finite and not negative, got nan"),
        (math.inf, ValueError, "`min_swing` must be finite and not negative, got inf"),
        ("-5s", ValueError, "`min_swing` must be finite and not negative, got '-5s'"),
        ("5x", ValueError, "`min_swing` must be a duration such as"),
        (True, TypeError, "`min_swing` must be a number, a timedelta or a duration string, got bool"),
        (None, TypeError, "`min_swing` must be a number, a timedelta or a duration string, got NoneType"),
    ],
)
def test_a_wrong_swing_is_an_error_at_once(min_swing: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        pg.turning_points("y", min_swing=min_swing)


def test_a_swing_is_of_the_kind_of_y() -> None:
    with pytest.raises(ComputeError, match="`min_swing` must be a number where y is one, but y column `y` is f64"):
        of([1.0, 2.0], min_swing="5s")
    with pytest.raises(ComputeError, match="`min_swing` must be a duration where y is temporal"):
        of([timedelta(1), timedelta(2)], min_swing=5)


@pytest.mark.parametrize("y", [datetime(2024, 1, 1), date(2024, 1, 1), time(1)])
def test_an_instant_has_no_height(y: Any) -> None:
    with pytest.raises(ComputeError, match="`turning_points` takes a number or a Duration, but column `y` is"):
        of([y, y])


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ([0.0, 1.0, 1.0, 2.0], "1.0 is followed by 1.0"),
        ([0.0, 1.0, 0.5, 2.0], "1.0 is followed by 0.5"),
        ([0.0, 1.0, math.nan, 2.0], "1.0 is followed by NaN"),
    ],
)
def test_an_x_out_of_order_is_an_error_or_null(x: list[float], words: str) -> None:
    y = [0.0, 2.0, 1.0, 3.0]
    for domain in ({}, {"nulls": "skip"}, {"by": pl.lit(1)}):
        with pytest.raises(ComputeError, match=words):
            of(y, x, **domain)
        assert of(y, x, strict=False, **domain) == []


def test_a_row_that_does_not_read_what_is_out_of_order_is_not_null() -> None:
    y = [0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 0.0]
    x = [0.0, 1.0, 2.0, 3.0, 3.0, 4.0, 5.0]
    assert [row for row, *_ in of(y, x, strict=False)] == [1, 2, 5]
    # At 3 x turns: the rows beside it read no turn.
    x = [0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0]
    assert [row for row, *_ in of(y, x, strict=False)] == [1, 2, 4, 5]


def test_it_is_no_operator_on_batches() -> None:
    frame = pl.DataFrame({"x": [0.0, 1.0], "y": [1.0, 3.0]})
    for call in (
        lambda: frame.lazy().grad.with_columns(d=pg.turning_points("y", "x")),
        lambda: next(pg.stitch([frame], d=pg.turning_points("y", "x"))),
    ):
        with pytest.raises(ValueError, match=r"`turning_points` needs whole segments"):
            call()
