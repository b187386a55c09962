"""`max_gap`, `nulls="split"` and `nulls="skip"`: where a segment ends, and which rows it does without."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import accumulate
from math import nextafter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import oracle
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from strategies import EXTREMES, assert_same, frames, in_chunks, inf, nan

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINES: list[Any] = ["in-memory", "streaming"]
EDGE_ORDERS = pytest.mark.parametrize("edge_order", [1, 2])
NULLS: list[Any] = ["propagate", "skip", "split"]
EPSILON = Fraction(1, 2**52)


def gradient(y: Any, x: Any = None, **options: Any) -> pl.Series:
    columns = {"y": y} if x is None else {"y": y, "x": x}
    frame = pl.DataFrame({name: pl.Series(values, strict=False) for name, values in columns.items()})
    return frame.select(pg.gradient("y", None if x is None else "x", **options)).to_series()


# Small examples

Y = [0.0, 1.0, 4.0, 9.0, 16.0, 25.0]
X = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]
EXAMPLES: list[tuple[dict[str, Any], list[Any] | None, list[Any], list[float | None]]] = [
    # max_gap: one-sided differences on both sides of a gap
    ({"max_gap": 2}, X, Y, [1, 2, 3, 7, 8, 9]),
    ({"max_gap": 2}, X[::-1], Y, [-1, -2, -3, -7, -8, -9]),
    ({"max_gap": 2, "edge_order": 2}, X, Y, [0, 2, 4, 6, 8, 10]),
    ({"max_gap": 100}, X, Y, [1, 2, 24.625 / 9, 56.625 / 9, 8, 9]),
    ({"max_gap": 0.5}, X, Y, [None] * 6),
    # exactly as far as allowed is no gap
    ({"max_gap": 8, "edge_order": 2}, [0, 8, 16], [0, 8, 24], [0.5, 1.5, 2.5]),
    ({"max_gap": 7}, [0, 8, 16], [0, 8, 24], [None] * 3),
    # alone between two gaps, and at either end
    ({"max_gap": 1}, [0, 1, 5, 9, 10], [0, 1, 5, 7, 9], [1, 1, None, 2, 2]),
    ({"max_gap": 1}, [0, 4, 5, 9], [0, 1, 5, 7], [None, 4, 4, None]),
    # too short for a parabola
    ({"max_gap": 1, "edge_order": 2}, [0, 1, 5, 6, 7], [0, 1, 0, 1, 4], [None, None, 0, 2, 4]),
    # each segment has a direction of its own
    ({"max_gap": 3}, [0, 1, 2, 9, 8, 7], Y, [1, 2, 3, -7, -8, -9]),
    ({"max_gap": 3}, [5, 6, 0, 1], [0, 1, 5, 7], [1, 1, 2, 2]),
    # split: a null ends a segment
    ({"nulls": "split"}, None, [0, 1, 4, None, 16, 25, 36], [1, 2, 3, None, 9, 10, 11]),
    ({"nulls": "split", "edge_order": 2}, None, [0, 1, 4, None, 16, 25], [0, 2, 4, None, None, None]),
    ({"nulls": "split"}, [0, 1, None, 3, 4], [0, 1, 4, 9, 16], [1, 1, None, 7, 7]),
    ({"nulls": "split"}, [0, 1, None, 3, 4], [0, None, 4, 9, 16], [None, None, None, 7, 7]),
    ({"nulls": "split"}, [0, 1, 2], [None, 1, None], [None] * 3),
    ({"nulls": "split"}, [0, 1, 1, 0, -1], [0, 2, None, 0, 3], [2, 2, None, -3, -3]),
    # skip: a row with a null is not there
    ({"nulls": "skip"}, None, [0, None, 4, 9], [4, None, 4.5, 5]),
    ({"nulls": "skip"}, [0, 1, 2, 3], [0, None, 4, 9], [2, None, 4, 5]),
    ({"nulls": "skip"}, [0, 1, None, 3, 4], [0, 1, 4, 9, 16], [1, 2, None, 6, 7]),
    ({"nulls": "skip"}, [0, None, 2], [0, 1, None], [None] * 3),
    ({"nulls": "skip"}, None, [None, None, 3, None, 5, None], [None, None, 2, None, 2, None]),
    ({"nulls": "skip", "edge_order": 2}, None, [0, None, 1, None, 4], [0, None, 2, None, 4]),
    ({"nulls": "skip", "spacing": 0.5}, None, [0, None, 4, 9], [8, None, 9, 10]),
    # a step to or from a null is not known to be a gap; without that row, or past it, it is one
    ({"max_gap": 5}, [0, 1, None, 100, 101], [0, 1, 4, 9, 16], [1, None, None, None, 7]),
    ({"max_gap": 5, "nulls": "skip"}, [0, 1, None, 100, 101], [0, 1, 4, 9, 16], [1, 1, None, 7, 7]),
    ({"max_gap": 5, "nulls": "split"}, [0, 1, None, 100, 101], [0, 1, 4, 9, 16], [1, 1, None, 7, 7]),
    # skipping widens a step
    ({"max_gap": 1, "nulls": "skip"}, [0, 1, 2, 3], [0, 1, None, 9], [1, 1, None, None]),
    ({"max_gap": 1, "nulls": "split"}, [0, 1, 2, 3], [0, 1, None, 9], [1, 1, None, None]),
    ({"max_gap": 1}, [0, 1, 5, 6], [0, 1, None, 9], [1, 1, None, None]),
]


@pytest.mark.parametrize(
    ("options", "x", "y", "slopes"), EXAMPLES, ids=[f"{row[0]} x={row[1]} y={row[2]}" for row in EXAMPLES]
)
def test_small_examples(
    options: dict[str, Any], x: list[Any] | None, y: list[Any], slopes: list[float | None], engine: Any
) -> None:
    expected = [slope if slope is None else pytest.approx(slope, abs=1e-15) for slope in slopes]
    assert gradient(y, x, **options).to_list() == expected
    columns = {"y": y} if x is None else {"y": y, "x": x}
    # The same among other groups, by `by` and by `over`.
    frame = pl.concat([pl.DataFrame(columns).with_columns(k=pl.lit(k)) for k in "abc"]).lazy()
    frame = frame.with_row_index("row").sort(pl.col("row") % len(y), maintain_order=True)
    of = ("y", None if x is None else "x")
    got = frame.select("k", by=pg.gradient(*of, by="k", **options), over=pg.gradient(*of, **options).over("k"))
    for _, group in got.collect(engine=engine).group_by("k"):
        assert group["by"].to_list() == group["over"].to_list() == expected


# Exact arithmetic


class Kind(NamedTuple):
    """A dtype of x, and one count of it in seconds or as a number."""

    dtype: Any
    count: Fraction
    is_time: bool = False

    def column(self, counts: list[int | None]) -> pl.Series:
        whole = pl.Series("x", counts, dtype=pl.Int64)
        if self.is_time or self.count == 1:
            return whole.cast(self.dtype)
        return (whole.cast(pl.Float64) * float(self.count)).cast(self.dtype)

    def gap(self, counts: Fraction) -> tuple[Any, Fraction]:
        """As an argument, and exactly."""
        if self.is_time:
            nanoseconds = int(counts * self.count * 10**9)
            return f"{nanoseconds}ns", Fraction(nanoseconds, 10**9)
        return float(counts * self.count), counts * self.count


DAY, NANOSECOND = Fraction(86400), Fraction(1, 10**9)
UNITS: dict[Any, Fraction] = {"ms": 1_000_000 * NANOSECOND, "us": 1_000 * NANOSECOND, "ns": NANOSECOND}
KINDS = {
    **{
        name: Kind(getattr(pl, name), Fraction(1))
        for name in ("Int8", "Int32", "Int64", "Int128", "UInt8", "UInt64", "UInt128")
        if hasattr(pl, name)
    },
    "Float64": Kind(pl.Float64, Fraction(1, 8)),
    "Float32": Kind(pl.Float32, Fraction(1, 8)),
    "Decimal": Kind(pl.Decimal(38, 2), Fraction(1, 100)),
    "Date": Kind(pl.Date, DAY, is_time=True),
    "Time": Kind(pl.Time, NANOSECOND, is_time=True),
    **{f"Datetime {unit}": Kind(pl.Datetime(unit), count, is_time=True) for unit, count in UNITS.items()},
    **{f"Datetime {unit} zone": Kind(pl.Datetime(unit, "Europe/Paris"), UNITS[unit], is_time=True) for unit in UNITS},
    **{f"Duration {unit}": Kind(pl.Duration(unit), count, is_time=True) for unit, count in UNITS.items()},
}


@given(data=st.data())
@settings(max_examples=400)
def test_any_segments_are_those_of_exact_arithmetic(data: st.DataObject) -> None:
    """Any x, gaps, nulls, disorder, keys and options; with `by`, in `over`, in `agg`; both engines; any chunks."""
    draw = data.draw
    rows = draw(st.integers(1, 14), label="rows")
    each = {"min_size": rows, "max_size": rows}
    direction = draw(st.sampled_from([1, -1]))
    steps = draw(st.lists(st.sampled_from([1, 1, 2, 3, 8]), **each))
    flaws = draw(
        st.one_of(st.just({}), st.dictionaries(st.integers(0, rows - 1), st.sampled_from([0, -1]), max_size=2))
    )
    counts = [*accumulate(direction * step * flaws.get(row, 1) for row, step in enumerate(steps))]
    some = st.lists(st.sampled_from([False, False, False, True]), **each)

    def some_null(values: list[int]) -> list[int | None]:
        return [None if absent else value for value, absent in zip(values, draw(some), strict=True)]

    kind = KINDS[draw(st.sampled_from([*KINDS]), label="kind of x")]
    x = kind.column(some_null([count - min(counts) for count in counts]))
    y = pl.Series("y", some_null(draw(st.lists(st.integers(-9, 9), **each))))
    y = y.cast(draw(st.sampled_from([pl.Int8, pl.Int64, pl.Float64, pl.Decimal(9, 0)])))
    keys = draw(st.one_of(st.just(["a"] * rows), st.lists(st.sampled_from("ab"), **each)))
    frame = pl.DataFrame([draw(in_chunks(column)) for column in (y, x, pl.Series("k", keys))])

    gap = draw(st.sampled_from([None, *(Fraction(halves, 2) for halves in (2, 3, 4, 5, 6, 15, 16))]), label="gap")
    max_gap, exact_gap = (None, None) if gap is None else kind.gap(gap)
    options = {"edge_order": draw(st.sampled_from([1, 2])), "nulls": draw(st.sampled_from(NULLS))}
    strict = draw(st.booleans(), label="strict")

    for coordinate in ("x", None):
        exact_x = (
            [count if count is None else count * kind.count for count in some_counts(x, kind)] if coordinate else None
        )
        limits = (max_gap, exact_gap) if coordinate else (None, None)
        of = {**options, "max_gap": limits[0], "strict": strict}
        queries = contexts(frame, lambda by, of=of, coordinate=coordinate: pg.gradient("y", coordinate, by=by, **of))
        try:
            exact = oracle.gradient(y.to_list(), exact_x, keys=keys, **{**of, "max_gap": limits[1]})
        except oracle.NotMonotonicError:
            for query in queries:
                with pytest.raises(ComputeError, match="`x` must be finite and strictly monotonic"):
                    query()
            continue
        for query in queries:
            got = query()
            assert got.is_null().to_list() == [slope is None for slope in exact]
            for value, slope in zip(got, exact, strict=True):
                assert slope is None or abs(Fraction(value) - slope.value) <= 4 * EPSILON * slope.term


def some_counts(x: pl.Series, kind: Kind) -> list[int | None]:
    if kind.is_time or kind.count == 1:
        return x.to_physical().to_list()
    return [value if value is None else round(float(value) / float(kind.count)) for value in x]


def contexts(frame: pl.DataFrame, slope: Callable[[str | None], pl.Expr]) -> list[Callable[[], pl.Series]]:
    """The gradient by the key `k`, in each way that there is."""

    def agg(engine: Any) -> pl.Series:
        query = frame.lazy().with_row_index("row").group_by("k").agg("row", slope=slope(None))
        return query.explode("row", "slope", empty_as_null=False).sort("row").collect(engine=engine)["slope"]

    def select(slope: pl.Expr, engine: Any) -> pl.Series:
        return frame.lazy().select(slope).collect(engine=engine).to_series()

    ways = [slope("k"), slope(None).over("k"), *([slope(None)] if frame["k"].n_unique() == 1 else [])]
    return [
        query for engine in ENGINES for query in (partial(agg, engine), *(partial(select, way, engine) for way in ways))
    ]


# What each is the same as, to the bit: NaN, infinity and small floats too

wild = st.fixed_dictionaries({"edge_order": st.sampled_from([1, 2]), "strict": st.booleans()})


@st.composite
def wild_frames(draw: st.DrawFn) -> pl.DataFrame:
    dtype = draw(st.sampled_from([pl.Float64, pl.Float32, pl.Float16] if hasattr(pl, "Float16") else [pl.Float64]))
    return draw(frames()).with_row_index("row").with_columns(pl.col("y").cast(dtype))


@given(frame=wild_frames(), options=wild)
def test_skip_is_the_gradient_of_the_rows_that_remain(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    for x in ("x", None):
        known = pl.col("y").is_not_null() & (pl.col("x").is_not_null() if x else True)
        for by in (None, "k"):
            slope = pg.gradient("y", x, **options)
            rest = frame.rechunk().filter(known).select("row", d=slope.over(by) if by else slope)
            expected = frame.join(rest, on="row", how="left", maintain_order="left")["d"].rename("y")
            for engine in ENGINES:
                got = frame.lazy().select(pg.gradient("y", x, by=by, nulls="skip", **options)).collect(engine=engine)
                assert_same(got.to_series(), expected)


@given(frame=wild_frames(), options=wild, max_gap=st.sampled_from([None, 10.0, 60.0]))
def test_split_and_max_gap_are_groups(frame: pl.DataFrame, options: dict[str, Any], max_gap: float | None) -> None:
    """Rows of the same key, between two nulls and two gaps, by themselves."""
    cut = pl.col("y").is_null() | pl.col("x").is_null()
    cut = cut | cut.shift(1, fill_value=False)
    if max_gap is not None:
        # No rounded difference of these x is so near to the gap that it would matter.
        cut = cut | (pl.col("x").diff().abs() > max_gap).fill_null(value=False)
    for by in ([], ["k"]):
        numbered = frame.rechunk().with_columns(part=cut.cum_sum().over(by) if by else cut.cum_sum())
        expected = numbered.select(pg.gradient("y", "x", **options).over(*by, "part")).to_series()
        slope = pg.gradient("y", "x", by=by or None, nulls="split", max_gap=max_gap, **options)
        for engine in ENGINES:
            assert_same(frame.lazy().select(slope).collect(engine=engine).to_series(), expected)


@given(frame=wild_frames(), options=wild)
def test_without_nulls_and_gaps_all_are_the_same(frame: pl.DataFrame, options: dict[str, Any]) -> None:
    frame = frame.drop_nulls(["y", "x"])
    for by in (None, "k"):
        expected = frame.select(pg.gradient("y", "x", by=by, **options)).to_series()
        for nulls in NULLS:
            for max_gap in (None, 1e9, 1e300):
                got = frame.select(pg.gradient("y", "x", by=by, nulls=nulls, max_gap=max_gap, **options)).to_series()
                assert_same(got, expected)


@EDGE_ORDERS
def test_skip_is_numpy_of_what_is_valid(edge_order: Any) -> None:
    rng = np.random.default_rng(1)
    y, x, valid = rng.normal(size=300), np.cumsum(rng.uniform(1, 2, 300)), rng.random(300) < 0.7
    frame = pl.DataFrame({"y": y, "x": x, "valid": valid})
    only = pl.when("valid").then(pl.col("y"))
    for coordinate, axis in (("x", [x[valid]]), (None, [])):
        got = frame.select(pg.gradient(only, coordinate, nulls="skip", edge_order=edge_order)).to_series()
        assert got.is_null().to_list() == (~valid).tolist()
        expected = np.gradient(y[valid], *axis, edge_order=edge_order)
        np.testing.assert_allclose(got.drop_nulls(), expected, rtol=1e-12)


@pytest.mark.parametrize("nulls", NULLS)
def test_more_rows_than_one_thread_takes(nulls: Any) -> None:
    """Segments and nulls at every distance from where the threads part."""
    rows = 1_200_000
    frame = pl.select(x=pl.int_range(rows) + pl.int_range(rows) // 17 * 5, y=pl.int_range(rows) * 7919 % 1009)
    frame = frame.with_columns(y=pl.when(pl.col("y") > 40).then("y"))
    whole = frame.select(pg.gradient("y", "x", nulls=nulls, max_gap=3)).to_series()
    for start, end in ((0, 9_000), (595_000, 605_000), (rows - 9_000, rows)):
        # What is left or right of a segment has no part in it.
        part = frame[start:end].select(pg.gradient("y", "x", nulls=nulls, max_gap=3)).to_series()
        assert_same(whole[start + 17 : end - 17], part[17:-17])
    assert whole.null_count() >= frame["y"].null_count()


# Whether a step is a gap, exactly


def gaps(pairs: list[tuple[Any, Any]], max_gap: Any, dtype: Any) -> list[bool]:
    """Whether the step from one value to the other is a gap: then both rows are alone, and null."""
    frame = pl.DataFrame(
        {
            "pair": [number for number in range(len(pairs)) for _ in "ab"],
            "x": pl.Series([value for pair in pairs for value in pair], dtype=dtype),
            "y": [0.0, 1.0] * len(pairs),
        }
    )
    alone = [
        frame.select(slope.is_null()).to_series()
        for slope in (
            pg.gradient("y", "x", by="pair", max_gap=max_gap),
            pg.gradient("y", "x", max_gap=max_gap).over("pair"),
        )
    ]
    assert alone[0].to_list() == alone[1].to_list()
    return alone[0].gather_every(2).to_list()


magnitudes = st.one_of(st.floats(1e-3, 1e3), st.floats(1e-300, 1e300), st.sampled_from([0.1, 0.3, 1e16, 2.0**53]))


@pytest.mark.parametrize("dtype", ["Float64", "Float32"])
@given(data=st.data())
def test_floats_around_the_gap(data: st.DataObject, dtype: str) -> None:
    """As in exact arithmetic, whatever the difference is rounded to."""
    gap = data.draw(magnitudes)
    pairs = []
    for start in data.draw(st.lists(st.one_of(magnitudes, magnitudes.map(lambda value: -value)), min_size=1)):
        near = start + gap
        pairs += [(start, end) for end in (near, nextafter(near, inf), nextafter(near, -inf)) if abs(end) < inf]
    stored = [tuple(pl.Series(pair, dtype=getattr(pl, dtype)).to_list()) for pair in pairs]
    pairs = [(a, b) for a, b in stored if a != b and abs(a) < inf and abs(b) < inf]
    exact = [abs(Fraction(b) - Fraction(a)) > Fraction(gap) for a, b in pairs]
    assert gaps(pairs, gap, getattr(pl, dtype)) == exact
    assert gaps([pair[::-1] for pair in pairs], gap, getattr(pl, dtype)) == exact


@pytest.mark.parametrize(
    ("pair", "max_gap", "is_gap"),
    [
        ((0.1, 0.4), 0.3, True),  # 0.30000000000000004
        ((0.0, 0.3), 0.3, False),
        ((0.2, 0.3), 0.1, False),  # 0.09999999999999998
        ((1.0, 1.1), 0.1, True),  # 0.10000000000000009
        ((-1e-17, 1.0), 1.0, True),  # rounded, they are 1.0 apart
        ((1e-17, 1.0), 1.0, False),
        ((1e16, 1e16 + 2), 1.9999999999999998, True),
        ((-1.7e308, 1.7e308), 1.7e308, True),  # a difference that no float holds
        ((-5e-324, 5e-324), 5e-324, True),
        ((0.0, 5e-324), 5e-324, False),
    ],
)
def test_floats_at_the_edge_of_rounding(pair: tuple[float, float], max_gap: float, is_gap: bool) -> None:
    assert gaps([pair, pair[::-1]], max_gap, pl.Float64) == [is_gap] * 2


@pytest.mark.parametrize(("dtype", "low", "high"), EXTREMES)
def test_extreme_integers(dtype: Any, low: int, high: int) -> None:
    """Steps that the dtype cannot hold, or a float only rounded."""
    half = (high - low + 1) // 2
    pairs = [(low, high), (low, high - 1), (low, low + half), (low, low + half + 1), (low, low + half - 1)]
    pairs += [(high, high - half), (high, high - half - 1), (high - 1, high), (low + 1, low)]
    for max_gap in (0.5, 1, half / 2, half, 2.0 * half, 1e300):
        exact = [abs(b - a) > Fraction(max_gap) for a, b in pairs]
        assert gaps(pairs, max_gap, dtype) == exact


@given(data=st.data())
def test_any_integers_around_the_gap(data: st.DataObject) -> None:
    dtype, low, high = data.draw(st.sampled_from(EXTREMES))
    gap = data.draw(st.one_of(st.integers(1, 2**53), st.integers(1, 2**20).map(lambda value: value / 4)))
    starts = data.draw(st.lists(st.integers(low, high - 2**54), min_size=1))
    ends = [start + max(1, int(gap) + near) for start, near in zip(starts, [-1, 0, 1] * len(starts), strict=False)]
    pairs = [*zip(starts, ends, strict=True)]
    assert gaps(pairs, gap, dtype) == [b - a > Fraction(gap) for a, b in pairs]


def test_nanosecond_epochs() -> None:
    """A float could not tell the instants apart."""
    epoch = 1_700_000_000_000_000_000
    pairs = [(epoch, epoch + step) for step in (1, 99, 100, 101, 200)]
    for dtype in (pl.Int64, pl.UInt64, pl.Int128):
        assert gaps(pairs, 99.5, dtype) == [False, False, True, True, True]
        for max_gap in (100, 100.5):
            assert gaps(pairs, max_gap, dtype) == [False, False, False, True, True]
    for dtype in (pl.Datetime("ns"), pl.Datetime("ns", "Asia/Kolkata"), pl.Duration("ns")):
        instants = [pl.Series(pair).cast(dtype) for pair in pairs]
        assert [is_a_gap_in(x, "100ns") for x in instants] == [False, False, False, True, True]


def is_a_gap_in(x: pl.Series, max_gap: Any) -> bool:
    return gradient([0.0, 1.0], x, max_gap=max_gap).null_count() == 2


def test_decimals_take_a_number_by_its_digits() -> None:
    """0.3 is three tenths, not the float next to it."""
    dtype = pl.Decimal(38, 20)
    more = Decimal("0.30000000000000000001")
    pairs = [(Decimal(0), Decimal("0.3")), (Decimal("0.1"), Decimal("0.4")), (Decimal(0), more), (more, Decimal("0.3"))]
    for max_gap in (0.3, Decimal("0.3")):
        assert gaps(pairs, max_gap, dtype) == [False, False, True, False]
    assert gaps([(Decimal(0), Decimal("9.99")), (Decimal(0), Decimal("0.01"))], 0.001, pl.Decimal(3, 2)) == [True, True]
    assert gaps([(Decimal(0), Decimal("9.99"))], 1e300, pl.Decimal(3, 2)) == [False]
    for scale, gap, is_gap in ((38, 0.5, True), (38, 1.5, True), (38, 2.0, False), (38, 9.0, False), (0, 1e37, True)):
        least, most = (Decimal((sign, (9,) * 38, -scale)) for sign in (1, 0))
        assert gaps([(least, most), (most, least)], gap, pl.Decimal(38, scale)) == [is_gap] * 2
    assert gaps([(Decimal(0), Decimal(2**58)), (Decimal(-1), Decimal(2**58))], 2**58, pl.Decimal(38, 0)) == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("x", "max_gap", "is_gap"),
    [
        ([date(2024, 2, 28), date(2024, 2, 29)], "1d", False),
        ([date(2024, 2, 28), date(2024, 3, 1)], "1d", True),
        ([date(2024, 1, 1), date(2024, 1, 2)], "23h", True),
        ([date(2024, 1, 1), date(2024, 1, 2)], "36h", False),
        ([date(2024, 1, 1), date(2024, 1, 3)], timedelta(hours=47), True),
        ([date(1, 1, 1), date(9999, 12, 31)], "15000w", True),
        ([time(1), time(2)], "1h", False),
        ([time(1), time(2, 0, 0, 1)], "1h", True),
        ([time(0), time(23, 59, 59)], "1d", False),
        ([timedelta(0), timedelta(milliseconds=2)], "2ms", False),
        ([timedelta(0), timedelta(milliseconds=2)], "1ms999us999ns", True),
        ([datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 30)], "90m", False),
        ([datetime(2024, 1, 1), datetime(2024, 1, 1, 1, 30, 0, 1)], timedelta(minutes=90), True),
        ([datetime(2024, 1, 2), datetime(2024, 1, 1)], "1d", False),
        ([datetime(2024, 1, 2), datetime(2024, 1, 1)], "1439m", True),
    ],
    ids=str,
)
def test_times(x: list[Any], max_gap: Any, is_gap: bool) -> None:
    assert is_a_gap_in(pl.Series(x), max_gap) == is_gap


@pytest.mark.parametrize("unit", UNITS)
def test_times_finer_than_their_unit(unit: Any) -> None:
    """A gap between two counts of the column, and one longer than any."""
    count = int(UNITS[unit] * 10**9)
    for dtype in (pl.Datetime(unit), pl.Datetime(unit, "America/New_York"), pl.Duration(unit)):
        x = pl.Series([10**15, 10**15 + 2]).cast(dtype)
        for nanoseconds in (1, count, 2 * count - 1, 2 * count, 2 * count + 1, 3 * count - 1):
            assert is_a_gap_in(x, f"{nanoseconds}ns") == (2 * count > nanoseconds)
        extremes = pl.Series([-(2**63) + 1, 2**63 - 1]).cast(dtype)
        assert is_a_gap_in(extremes, f"{2**63 - 1}ns")


def test_a_day_of_a_zone_has_as_many_hours_as_it_has() -> None:
    """Neighbours are as far apart as time passed between them."""
    midnights = pl.Series([datetime(2024, 3, 31), datetime(2024, 4, 1)]).dt.replace_time_zone("Europe/Paris")
    assert not is_a_gap_in(midnights, "23h")
    assert is_a_gap_in(midnights, "22h")
    in_autumn = pl.Series([datetime(2024, 10, 27), datetime(2024, 10, 28)]).dt.replace_time_zone("Europe/Paris")
    assert is_a_gap_in(in_autumn, "24h")
    assert not is_a_gap_in(in_autumn, "25h")


def test_booleans_as_x() -> None:
    assert not is_a_gap_in(pl.Series([False, True]), 1)
    assert is_a_gap_in(pl.Series([False, True]), 0.5)


# An x out of order


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_nan_and_infinity_are_never_further(value: float, engine: Any) -> None:
    """They are an error of order, not a way to end a segment."""
    frame = pl.LazyFrame({"x": [0.0, 1.0, value, 3.0, 4.0], "y": Y[:5]})
    for nulls in NULLS:
        for by in (None, pl.lit(1)):
            options = {"max_gap": 1.5, "nulls": nulls, "by": by}
            with pytest.raises(ComputeError, match="`x` must be finite and strictly monotonic"):
                frame.select(pg.gradient("y", "x", **options)).collect(engine=engine)
            slopes = frame.select(pg.gradient("y", "x", strict=False, **options)).collect(engine=engine)["y"]
            assert slopes.to_list() == [1.0, None, None, None, 7.0]


def test_a_nan_in_y_ends_no_segment() -> None:
    for options in ({"max_gap": 1}, {"nulls": "split"}, {"nulls": "skip"}, {"nulls": "split", "max_gap": 1}):
        slopes = gradient([0.0, 1.0, nan, 9.0, 16.0, 25.0], [0, 1, 2, 3, 4, 5], **options)
        assert slopes.is_nan().to_list() == [False, True, True, True, False, False]
        assert slopes.null_count() == 0


def test_each_segment_is_judged_by_itself(engine: Any) -> None:
    """Disorder in one is none in another; across a gap or a null x may turn and repeat."""
    frame = pl.LazyFrame(
        {
            "far apart": [0, 1, 2, 50, 50, 51, 9, 8, 7],
            "with nulls": [0, 1, None, 1, 0, None, 5, 5, 6],
            "y": Y + Y[:3],
        }
    )
    cases = [("far apart", {"max_gap": 10}, [1, 2, 3, None, None, 9, -1, -2, -3])]
    cases.append(("with nulls", {"nulls": "split"}, [1, 1, None, -7, -7, None, None, None, 3]))
    for x, options, expected in cases:
        with pytest.raises(ComputeError, match=r"is followed by (50|5);"):
            frame.select(pg.gradient("y", x, **options)).collect(engine=engine)
        slopes = frame.select(pg.gradient("y", x, strict=False, **options)).collect(engine=engine)["y"]
        assert slopes.to_list() == expected
    repaired = frame.with_columns(pl.when(pl.col("far apart") != 50).then("far apart").name.keep())
    slopes = repaired.select(pg.gradient("y", "far apart", max_gap=10, nulls="split")).collect(engine=engine)["y"]
    assert slopes.to_list() == [1, 2, 3, None, None, None, -1, -2, -3]


def test_a_row_that_is_skipped_hides_its_x_and_joins_its_neighbours() -> None:
    assert gradient([1, None, 3, 4], [0, 9, 1, 2], nulls="skip").to_list() == [2.0, None, 1.5, 1.0]
    with pytest.raises(ComputeError, match="`x` 1 is followed by 1;"):
        gradient([1, None, 3, 4], [1, 9, 1, 2], nulls="skip")
    assert gradient([1, None, 3, 4], [1, 9, 1, 2], nulls="skip", strict=False).to_list() == [None, None, None, 1.0]


# Dtypes and columns without values


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize(
    ("dtype", "of_result"),
    [
        (pl.Int32, pl.Float64),
        (pl.Float32, pl.Float32),
        (pl.Decimal(9, 1), pl.Float64),
        (pl.Datetime("ms"), pl.Duration("ms")),
        (pl.Date, pl.Duration("us")),
    ],
)
def test_dtypes_are_the_same_and_nothing_but_nulls_is_null(nulls: Any, dtype: Any, of_result: Any) -> None:
    for values in ([0, 2, None, 6, 8], [None] * 5, []):
        y = pl.Series(values, dtype=pl.Int64).cast(dtype)
        for slopes in (gradient(y, nulls=nulls), gradient(y, range(len(values)), nulls=nulls, max_gap=5)):
            assert slopes.dtype == of_result
            touched = {1, 2, 3} if nulls == "propagate" else {2}
            assert slopes.is_null().to_list() == [values[0] is None or row in touched for row in range(len(values))]


def test_columns_of_type_null() -> None:
    nothing = pl.Series([None] * 3, dtype=pl.Null)
    for nulls in NULLS:
        assert gradient(nothing, nulls=nulls).to_list() == [None] * 3
        assert gradient([1, 2, 3], nothing, nulls=nulls).to_list() == [None] * 3


def test_per_and_units_hold_in_each_segment() -> None:
    at = pl.Series([datetime(2024, 1, day, hour) for day, hour in ((1, 0), (1, 2), (5, 0), (5, 1))])
    assert gradient([0, 4, 9, 12], at, per="1h", max_gap="2h").to_list() == [2.0, 2.0, 3.0, 3.0]
    assert gradient([0, None, 9, 12], at, per="1h", nulls="skip", max_gap="2h").to_list() == [None, None, 3.0, 3.0]
