"""Integrals and windows of a length in batches have the bits of the whole column, by what is carried between them."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import math
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same, inf, nan, wild_floats

import polars_grad as pg
from polars_grad._batches.specs import named_operators
from polars_grad._batches.stitch import windows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES: list[Any] = ["in-memory", "streaming"]

domains = st.fixed_dictionaries(
    {
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "max_gap": st.sampled_from([None, 2.0, 5.5]),
        "duplicates": st.sampled_from(["error", "first", "last", "mean"]),
        "by": st.sampled_from([None, "k"]),
    }
)
slopes = st.builds(
    lambda size, center, closed, fewest, with_error, period: (
        lambda **domain: pg.rolling_slope(
            "y",
            "x",
            window_size=size,
            center=center,
            closed=closed,
            min_samples=fewest,
            with_error=with_error,
            y_period=period,
            **domain,
        )
    ),
    st.sampled_from([0.5, 1.0, 3.0, 4.5, 1000.0]),
    st.booleans(),
    st.sampled_from([None, "right", "left", "both", "none"]),
    st.sampled_from([None, 3]),
    st.booleans(),
    st.sampled_from([None, 360.0]),
)
integrals = st.builds(
    lambda initial, hold: lambda **domain: pg.integral("y", "x", initial=initial, hold=hold, **domain),
    st.sampled_from([0.0, 2.5]),
    st.booleans(),
)


@st.composite
def rows(draw: st.DrawFn, *, sort: bool) -> pl.DataFrame:
    """Groups in order; steps of x that repeat, and if not sorted fall or lead to no number; nulls in x and y."""
    count = draw(st.integers(0, 30))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    fall = [] if sort else [st.just(-2.0)]
    step = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 2.0, 6.0]), st.floats(0.01, 3.0), *fall)
    frame = pl.DataFrame(
        {"k": sorted(column(st.integers(0, 2))), "x": column(step), "y": column(wild_floats)},
        schema={"k": pl.Int64, "x": pl.Float64, "y": pl.Float64},
    ).with_columns(pl.col("x").cum_sum().over("k"))
    strange = st.sampled_from([False] * 12 + ([] if sort else [nan, inf, -inf]) + [None])
    if draw(st.booleans()):
        x = [own if odd is False else odd for own, odd in zip(frame["x"], column(strange), strict=True)]
        frame = frame.with_columns(pl.Series("x", x, dtype=pl.Float64))
    if draw(st.booleans()):
        absent = pl.Series(column(st.sampled_from([False, False, False, True])), dtype=pl.Boolean)
        frame = frame.with_columns(y=pl.when(~absent).then("y"))
    return frame


@st.composite
def cuts(draw: st.DrawFn, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    single = [*range(frame.height)]
    places = draw(st.one_of(st.just(single), st.lists(st.integers(0, frame.height), max_size=frame.height + 3)))
    return iter([frame[start:end] for start, end in pairwise([0, *sorted(places), frame.height])])


def outcome(call: Any) -> pl.DataFrame | str:
    try:
        return call()
    except ComputeError as error:
        return str(error)


@given(data=st.data(), operator=slopes | integrals, domain=domains, strict=st.booleans())
def test_any_cutting_gives_the_bits_of_the_whole(
    data: st.DataObject, operator: Any, domain: dict[str, Any], *, strict: bool
) -> None:
    """Or its error, if x is in no order."""
    frame = data.draw(rows(sort=strict and data.draw(st.booleans())))
    if domain["by"] is None:
        frame = frame.with_columns(x=pl.col("x") + pl.col("k") * 1e3)
    expression = operator(strict=strict, **domain).alias("out")
    expected = outcome(lambda: frame.with_columns(expression))
    got = outcome(lambda: pl.concat(pg.stitch(data.draw(cuts(frame)), expression)))
    if isinstance(expected, str):
        assert isinstance(got, str)
        # The stitcher tells the row too.
        assert got.startswith("in row ")
        reason = "`x` must" + expected.split("`x` must", 1)[1].split("\n", 1)[0]
        # Batches are in no window.
        assert got.endswith(reason.replace(', use `.over(..., order_by="x")`', ""))
    else:
        assert isinstance(got, pl.DataFrame), got
        assert got.columns == expected.columns
        for name in expected.columns:
            assert_same(got[name], expected[name])


X_DTYPES = [
    pl.Int8(),
    pl.UInt64(),
    pl.Int128(),
    pl.Float32(),
    pl.Decimal(20, 1),
    pl.Date(),
    pl.Datetime("us"),
    pl.Datetime("ms", "UTC"),
    pl.Duration("ns"),
]


@pytest.mark.parametrize("dtype", X_DTYPES, ids=str)
@pytest.mark.parametrize("center", [False, True])
def test_lengths_are_compared_in_any_dtype(dtype: pl.DataType, center: bool) -> None:
    """Windows that end just at a row, and just before."""
    whole = [0, 1, 2, 3, 5, 7, 7, 8, 20, 21, 23, 40, 41, 42, 100]
    x = pl.Series("x", whole, dtype=pl.Int64)
    size: Any = 6.0
    if dtype.is_temporal():
        days = x.cast(pl.Duration("ms")) * 86_400_000
        x = days.cast(dtype) if isinstance(dtype, pl.Duration) else (pl.Series("x", [datetime(2024, 1, 1)]) + days)
        size = timedelta(days=6)
    frame = pl.DataFrame({"x": x.cast(dtype), "y": [row**2 % 11 for row in range(len(x))]})
    for closed in ("right", "left", "both", "none"):
        slope = pg.rolling_slope("y", "x", window_size=size, center=center, closed=closed)
        expected = frame.with_columns(slope=slope)
        for cut in (1, 2, 5):
            batches = [frame[start : start + cut] for start in range(0, frame.height, cut)]
            assert_frame_equal(pl.concat(pg.stitch(batches, slope=slope)), expected, check_exact=True)


def test_a_row_waits_until_x_has_passed_it_by_the_length() -> None:
    frame = pl.DataFrame({"k": [0] * 8 + [1], "x": [0, 1, 2, 3, 3, 9, 10, 11, 0], "y": range(9)})
    for slope, heights in (
        # Rows of equal x belong together, so that the last one waits for another.
        (pg.rolling_slope("y", "x", window_size=2.0, by="k"), [0, 1, 2, 3, 3, 5, 6, 7, 8]),
        (pg.rolling_slope("y", "x", window_size=4.0, center=True, by="k"), [0, 0, 0, 1, 1, 5, 5, 5, 8]),
        (pg.rolling_slope("y", "x", window_size=4.0, center=True, by="k", max_gap=5), [0, 0, 0, 1, 1, 5, 5, 5, 8]),
        (pg.integral("y", "x", by="k", duplicates="mean"), [0, 1, 2, 3, 3, 5, 6, 7, 8]),
        (pg.integral("x", by="k"), [*range(1, 10)]),
    ):
        given, known = 0, []

        def batches() -> Iterator[pl.DataFrame]:
            nonlocal given
            for row in range(9):
                given = row + 1
                yield frame[row : row + 1]

        out = [0] * 10
        for part in pg.stitch(batches(), out=slope):
            known.append(part)
            out[given] = sum(map(len, known))
        reached = [max(out[: row + 2]) for row in range(9)]
        assert reached[:8] == heights[:8], str(slope)
        assert sum(map(len, known)) == 9


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_memory_holds_the_rows_of_a_window(nulls: Any) -> None:
    """However many rows there have been, and however long the nulls."""
    slope = pg.rolling_slope("y", "x", window_size=20.0, center=True, nulls=nulls)
    total = pg.integral("y", "x", nulls=nulls)
    for expression, most in ((slope, 60), (total, 12)):
        operators, _, _ = named_operators("test", [expression], {})
        (window,) = windows_of(operators)
        taken = 0
        for start in range(0, 5_000, 10):
            x = range(start, start + 10)
            # No y for a while: only "skip" looks for the next one.
            y = [None if 2_000 < own < 4_000 or own % 13 == 0 else float(own) for own in x]
            window.append(pl.DataFrame({"x": x, "y": y}, schema={"x": pl.Int64, "y": pl.Float64}))
            if window.is_due:
                window.advance(at_end=False)
            window.take(window.known - taken)
            taken = window.known
            waits = nulls == "skip" and expression is slope and 2_000 <= start < 4_010
            assert waits or sum(map(len, window._parts)) <= most
            assert waits or taken >= start - most


@pytest.mark.parametrize("engine", ENGINES)
def test_lazy_frames_are_the_whole(engine: Any) -> None:
    row = pl.int_range(30_000)
    frame = pl.select(
        k=row // 9_000,
        t=pl.from_epoch(row * 60 + row % 7, time_unit="s"),
        y=pl.when(row % 101 > 0).then(((row * 31) % 1009) / 7 + 1e6),
    )
    operators = {
        "slope": pg.rolling_slope("y", "t", window_size="1h", by="k", nulls="skip", per="1h"),
        "centred": pg.rolling_slope("y", "t", window_size="30m", center=True, by="k"),
        "total": pg.integral("y", "t", by="k", nulls="split", hold=True, per="1h"),
        "until": pg.integral("y", "t", by="k"),
        "gradient": pg.gradient("y", "t", by="k"),
    }
    expected = frame.with_columns(**operators)
    got = frame.lazy().grad.with_columns(**operators).collect(engine=engine)
    assert_frame_equal(got, expected, check_exact=True)
    # From one to another, and only what is used.
    again = pl.col("total") - 1e6
    chained = (
        frame.lazy().grad.with_columns(**operators).grad.with_columns(d=pg.integral(again, "t", by="k")).select("d")
    )
    assert_frame_equal(
        chained.collect(engine=engine), expected.select(d=pg.integral(again, "t", by="k")), check_exact=True
    )


def test_the_first_wrong_row_is_named_for_any_cuts() -> None:
    frame = pl.DataFrame({"k": [0] * 9, "x": [0.0, 1, 2, None, None, 1.5, 4, 4, 5], "y": [1.0] * 9})
    for expression, message in (
        (
            pg.rolling_slope("y", "x", window_size=3.0, by="k"),
            "in row 5, counted from 0, column `out`: `x` must be fin",
        ),
        (pg.integral("y", "x", by="k", nulls="skip"), "in row 5, counted from 0, column `out`: `x` must be fin"),
        (pg.integral("y", "x", by="k", nulls="split"), "in row 7, counted from 0, column `out`: `x` must be fin"),
    ):
        for size in range(1, 10):
            batches = [frame[start : start + size] for start in range(0, 9, size)]
            with pytest.raises(ComputeError) as caught:
                list(pg.stitch(batches, out=expression))
            assert str(caught.value).startswith(message), size


def test_a_null_ends_the_integral_across_batches() -> None:
    frame = pl.DataFrame({"k": [0, 0, 0, 0, 1, 1], "y": [1.0, None, 1.0, 1.0, 2.0, 2.0]})
    batches = [frame[row : row + 1] for row in range(6)]
    total = pl.concat(pg.stitch(batches, y=pg.integral("y", by="k")))["y"]
    assert total.to_list() == [0.0, None, None, None, 0.0, 2.0]
    nothing = frame.with_columns(y=pl.lit(math.nan))
    assert pl.concat(pg.stitch([nothing[:3], nothing[3:]], y=pg.integral("y")))["y"].is_nan().all()


def test_cells_down_the_rows_need_whole_columns() -> None:
    frame = pl.DataFrame({"x": [0, 1], "y": [[1.0], [2.0]]})
    for expression in (pg.integral("y", "x"), pg.rolling_slope("y", "x", window_size=2.0)):
        with pytest.raises(ComputeError, match="of cells down the rows needs whole columns"):
            list(pg.stitch([frame], expression))
    inside = pg.integral("y", axis=1)
    assert_frame_equal(pl.concat(pg.stitch([frame[:1], frame[1:]], inside)), frame.with_columns(inside))
