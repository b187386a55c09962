"""`increase` and `rate` against exact arithmetic, against vectors of other systems, and against each other's faces."""

# ruff: noqa: DTZ001 (times without a zone are a dtype)
from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import accumulate, pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from counter_oracle import WrongRowError, counter
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from ids import shown
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same, inf, nan

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENGINES: list[Any] = ["in-memory", "streaming"]
COUNTERS = pytest.mark.parametrize("operator", [pg.increase, pg.rate], ids=["increase", "rate"])
EPSILON = Fraction(2) ** -52


def increase(y: Any, *x: Any, dtype: Any = None, **options: Any) -> list[Any]:
    """The increase of some values, over some coordinates."""
    columns = [pl.Series("y", y, dtype=dtype), *(pl.Series("x", values) for values in x)]
    return pl.DataFrame(columns).select(pg.increase("y", *(["x"] if x else []), **options))["y"].to_list()


def rate(y: Any, x: Any, dtype: Any = None, **options: Any) -> list[Any]:
    """The rate of some values."""
    frame = pl.DataFrame([pl.Series("y", y, dtype=dtype), pl.Series("x", x)])
    return frame.select(pg.rate("y", "x", **options))["y"].to_list()


# Examples


STEPS = [0, 10, 20, 30, 40, 50]
RESETS = [100, 150, 20, 60, 60, 5]


def test_a_fall_is_a_reset() -> None:
    assert increase(RESETS) == [None, 50, 20, 40, 0, 5]
    assert increase(RESETS, STEPS) == [None, 50, 20, 40, 0, 5]
    assert increase(RESETS, reset="null") == [None, 50, None, 40, 0, None]
    assert rate(RESETS, STEPS) == [None, 5.0, 2.0, 4.0, 0.0, 0.5]
    assert rate(RESETS, STEPS, reset="null") == [None, 5.0, None, 4.0, 0.0, None]


@pytest.mark.parametrize("wrap", [2**32, 2.0**32, Decimal(2**32), "u32"], ids=repr)
@pytest.mark.parametrize("dtype", [pl.UInt32, pl.Int64, pl.UInt64, pl.UInt128, pl.Float64, pl.Decimal(38, 0)])
def test_a_fall_may_be_a_wrap_around(wrap: Any, dtype: Any) -> None:
    y = [2**32 - 10, 5, 3_000_000_000, 7]
    assert increase(y, dtype=dtype, wrap=wrap) == [None, 15, 2_999_999_995, 1_294_967_303]
    assert rate(y, [0, 2, 4, 6], dtype=dtype, wrap=wrap) == [None, 7.5, 1_499_999_997.5, 647_483_651.5]
    assert increase(y, dtype=dtype, wrap=wrap, reset="null") == [None, 15, 2_999_999_995, 1_294_967_303]


@pytest.mark.parametrize(("name", "bits"), [("u8", 8), ("u16", 16), ("u32", 32), ("u64", 64)])
def test_a_wrap_by_its_name(name: str, bits: int) -> None:
    dtype = {8: pl.UInt8, 16: pl.UInt16, 32: pl.UInt32, 64: pl.UInt64}[bits]
    top = 2**bits
    y = [top - 3, 4, top - 1, 0, top // 2]
    # From 4 to top - 1 and from 0 to the middle are rises.
    expected = [None, 7, top - 5, 1, top // 2]
    assert increase(y, dtype=dtype, wrap=name) == expected
    assert increase(y, dtype=dtype, wrap=top) == expected
    assert increase(y, dtype=pl.Int128, wrap=name) == expected


def test_a_gain_of_half_the_range_is_a_restart() -> None:
    """A wrap-around gains less than half of the range."""
    assert increase([200, 71], wrap=256) == [None, 127]
    assert increase([200, 72], wrap=256) == [None, 72]
    assert increase([200, 72], wrap=256, reset="null") == [None, None]
    # An odd range has no middle.
    assert increase([4, 1], wrap=5) == [None, 2]
    assert increase([4, 2], wrap=5) == [None, 2]
    assert increase([4, 2], wrap=5, reset="null") == [None, None]


def test_a_fall_to_a_negative_value_is_null() -> None:
    assert increase([5, -3, 2, -4, 0]) == [None, None, 5, None, 4]
    assert increase([-5, -3, -4, -4]) == [None, 2, None, 0]
    assert increase([5.0, -3.0, 2.0], reset="null") == [None, None, 5.0]


@COUNTERS
def test_a_rate_above_the_highest_is_null(operator: Any) -> None:
    """Also for the increase, whose rate is its own over the step; exactly at the limit it is not above."""
    for dtype in (pl.Int64, pl.UInt8, pl.UInt64, pl.Float64, pl.Float32, pl.Int128, pl.Decimal(10, 1)):
        frame = pl.DataFrame(
            {"y": pl.Series([0, 30, 70, 5, 5], dtype=dtype), "x": [0, 10, 20, 30, 31]},
        )
        got = frame.select(operator("y", "x", max_rate=3))["y"].to_list()
        assert [value is None for value in got] == [True, False, True, False, False], dtype
    rows = pl.DataFrame({"y": [0, 30, 70, 5, 5]})
    if operator is pg.increase:
        assert rows.select(pg.increase("y", max_rate=30))["y"].to_list() == [None, 30, None, 5, 0]
    even = operator("y", spacing="10s", per="1m", max_rate=180)
    assert rows.select(even)["y"].is_null().to_list() == [True, False, True, False, False]


def test_the_first_row_of_a_segment_is_null() -> None:
    """What it gained is unknown, which is not zero."""
    assert increase([]) == []
    assert increase([7]) == [None]
    assert increase([7, 7]) == [None, 0]
    frame = pl.DataFrame({"k": list("aabb"), "x": [0, 1, 0, 9], "y": [5, 6, 7, 9]})
    assert frame.select(pg.increase("y", "x", by="k"))["y"].to_list() == [None, 1, None, 2]
    assert frame.select(pg.increase("y", "x", by="k", max_gap=5))["y"].to_list() == [None, 1, None, None]
    # A gap parts rows before their order matters: x may begin again.
    assert frame[[3, 0, 1]].select(pg.increase("y", "x", max_gap=5))["y"].to_list() == [None, None, 1]


def test_only_skipped_nulls_conserve_the_total() -> None:
    y = [1, None, 5, None, None, 7, 2]
    assert increase(y, nulls="skip") == [None, None, 4, None, None, 2, 2]
    for nulls in ("propagate", "split"):
        assert increase(y, nulls=nulls) == [None] * 6 + [2]
    assert rate(y, [0, 1, 2, 3, 4, 8, 9], nulls="skip") == [None, None, 2.0, None, None, 1 / 3, 2.0]
    assert rate([0, 4], [None, 1], nulls="skip") == [None, None]


def test_a_counter_of_more_than_127_bits() -> None:
    counter = [2**127 - 3, 2**127 - 1, 2**127 + 4, 2**127 + 6]
    with pytest.raises(
        ComputeError, match=r"the increase of `y` does not fit in u128: y goes from .*; cast y to a float, or pass"
    ):
        increase(counter, dtype=pl.UInt128)
    assert increase(counter, dtype=pl.UInt128, strict=False) == [None, 2, None, None]


def test_a_float_overflows_to_infinity() -> None:
    assert increase([-1.7e308, 1.7e308, 1.7e308]) == [None, inf, 0.0]


def test_nan_and_infinity_are_values() -> None:
    got = increase([1.0, nan, 3.0, inf, 2.0, 5.0, inf, inf])
    assert [value is None or (math.isnan(value) and "nan") or value for value in got] == [
        *(True, "nan", "nan", inf, 2.0, 3.0, inf, "nan"),
    ]
    got = rate([1.0, nan, 3.0, 5.0], [0.0, 1.0, 2.0, 4.0], max_rate=0.5)
    assert [got[0], got[3]] == [None, None]
    assert math.isnan(got[1])
    assert math.isnan(got[2])


def test_a_result_that_a_float_holds_is_returned() -> None:
    """Whatever the rise is on the way."""
    assert rate([-1e308, 1e308], [0.0, 10.0]) == [None, 2e307]
    assert rate([0.0, 1e300], [datetime(2024, 1, 1), datetime(2024, 1, 2)], per="1ns") == [None, 1e300 / 86_400e9]
    assert rate([0.0, 1e-300], [0.0, 1e-200]) == [None, 1e-100]


# Types


INTEGERS = [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Int128, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64]
if hasattr(pl, "UInt128"):
    INTEGERS.append(pl.UInt128)


def bounds(dtype: Any) -> tuple[int, int]:
    """The smallest and the largest of an integer dtype."""
    bits = int(re.findall(r"\d+", str(dtype))[0])
    return (0, 2**bits - 1) if dtype.is_unsigned_integer() else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def extremes(dtype: Any) -> tuple[int, int]:
    """The smallest and the largest of an integer dtype whose differences fit into 128 bits with a sign."""
    low, high = bounds(dtype)
    return max(low, -(2**126)), min(high, 2**127 - 1 if low == 0 else 2**126 - 1)


@dataclass(frozen=True)
class Kind:
    """A dtype as whole ticks, and a tick as a user gives it."""

    dtype: Any
    ticks: int = 1
    """The number of ticks in 1, for numbers."""

    def __str__(self) -> str:
        return str(self.dtype)

    def column(self, ticks: Sequence[int | None], name: str = "y") -> pl.Series:
        if self.dtype.is_integer():
            return pl.Series(name, ticks, dtype=self.dtype)
        if self.dtype.is_temporal():
            return pl.Series(name, ticks, dtype=pl.Int64).cast(self.dtype)
        return pl.Series(name, [tick if tick is None else self.number(tick) for tick in ticks], dtype=self.dtype)

    def number(self, tick: int) -> Any:
        """The value of some ticks."""
        if self.dtype.is_temporal():
            return f"{tick}{self.dtype.time_unit}"
        if self.dtype.is_decimal():
            return Decimal(tick).scaleb(-self.dtype.scale)
        return tick if self.dtype.is_integer() else tick / self.ticks

    def of(self, column: pl.Series) -> list[Any]:
        """The ticks of a column, exactly."""
        assert column.dtype == self.dtype
        if self.dtype.is_temporal():
            return column.to_physical().to_list()
        return [value if value is None else Fraction(value) * self.ticks for value in column.to_list()]

    def holds(self, tick: Any) -> bool:
        if self.dtype.is_integer():
            low, high = bounds(self.dtype)
            return low <= tick <= high
        return not self.dtype.is_decimal() or abs(tick) < 10**self.dtype.precision


FLOATS = [Kind(pl.Float64, 8), Kind(pl.Float32, 8), Kind(pl.Float16, 8)]
DECIMALS = [Kind(pl.Decimal(10, 2), 100), Kind(pl.Decimal(38, 1), 10), Kind(pl.Decimal(5, 0))]
DURATIONS = [Kind(pl.Duration(unit)) for unit in ("ms", "us", "ns")]
KINDS = [*map(Kind, INTEGERS), *FLOATS, *DECIMALS, *DURATIONS]
seeds = st.integers(0, 2**32)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.mark.parametrize("wrap", [0.7, 1.1, 1.15, 2.3, 4.35, 1.13, 9.95])
def test_the_wrap_of_a_decimal_is_taken_by_its_digits(wrap: float) -> None:
    """No nearest float: hundredths are whole numbers here."""
    last = Decimal(str(wrap)) - Decimal("0.01")
    for given_as in (wrap, Decimal(str(wrap))):
        y = [last, Decimal(0), last, Decimal("0.02")]
        expected = [None, Decimal("0.01"), last, Decimal("0.03")]
        assert increase(y, dtype=pl.Decimal(10, 2), wrap=given_as) == expected
        got = rate(y, [0, 1, 2, 3], dtype=pl.Decimal(10, 2), wrap=given_as)
        assert got[1:] == pytest.approx([*map(float, expected[1:])], rel=1e-13)
        outside = pl.Series([Decimal(0), last + Decimal("0.01")], dtype=pl.Decimal(10, 2)).alias("y")
        for operator in (pg.increase("y", wrap=given_as), pg.rate("y", spacing=1, wrap=given_as)):
            with pytest.raises(ComputeError, match="from 0 to below `wrap`"):
                outside.to_frame().select(operator)


def test_the_wrap_of_a_float_need_not_be_whole() -> None:
    assert increase([2.25, 0.25, 2.0, 1.5], wrap=2.5) == [None, 0.5, 1.75, 1.5]


@each_kind
def test_an_increase_has_the_dtype_of_y_and_a_rate_is_a_float(kind: Kind, engine: Any) -> None:
    frame = pl.DataFrame([kind.column([3, 9, 4]), pl.Series("x", [0, 2, 4])]).lazy()
    expressions = [pg.increase("y").alias("a"), pg.increase("y", "x").alias("b"), pg.rate("y", "x").alias("c")]
    got = frame.select(expressions)
    schema = got.collect_schema()
    floating = {pl.Float32: pl.Float32, pl.Float16: pl.Float16}.get(kind.dtype, pl.Float64)
    assert list(schema.values()) == [kind.dtype, kind.dtype, kind.dtype if kind.dtype.is_temporal() else floating]
    rows = got.collect(engine=engine)
    assert rows.schema == schema
    assert kind.of(rows["a"]) == kind.of(rows["b"]) == [None, 6, 4]


def some_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, values, st.none())


@dataclass(frozen=True)
class Drawn:
    """A counter, its coordinates and keys, and the options of its operator, in ticks."""

    kind: Kind
    y: list[int | None]
    x: list[int | None]
    keys: list[str]
    frame: pl.DataFrame
    wrap: int | None
    max_rate: Fraction | None
    max_gap: int | None
    plain: dict[str, Any]

    @property
    def given(self) -> dict[str, Any]:
        """The options as a user gives them."""
        options: dict[str, Any] = {**self.plain, "max_gap": self.max_gap}
        if self.wrap is not None:
            options["wrap"] = self.kind.number(self.wrap)
        if self.max_rate is not None:
            whole = self.kind.dtype.is_temporal()
            options["max_rate"] = self.kind.number(self.max_rate) if whole else float(self.max_rate / self.kind.ticks)
        return options

    def exact(self, *, strict: bool, **more: Any) -> list[Any]:
        """What the rules say."""
        return counter(
            self.y,
            self.x,
            keys=self.keys,
            wrap=self.wrap,
            max_rate=self.max_rate,
            max_gap=self.max_gap,
            strict=strict,
            **self.plain,
            **more,
        )


def drawn(kind: Kind, seed: int, *, limits: bool) -> Drawn:
    """Up to 25 rows of up to three keys in any order; some falls, nulls and steps too far."""
    # A generator of one's own: few examples of hypothesis differ as much.
    random = Random(seed)
    rows = random.randint(1, 25)
    wrap = random.choice([None, None, 5, 40, 100])
    wrap = wrap and wrap * random.choice([1, 23])
    unsigned = kind.dtype.is_integer() and not kind.holds(-1)
    low = 0 if wrap is not None or unsigned else -6
    high = random.choice([9, 90]) if wrap is None else min(wrap - 1, 100)
    y: list[int | None] = [random.randint(low, high) for _ in range(rows)]
    if kind.dtype.is_integer() and wrap is None and random.random() < 0.3:
        y = [random.choice([tick, *extremes(kind.dtype)]) for tick in y]
    elif random.random() < 0.5:
        # A counter that rises for a while.
        y = [total % (wrap or 60) % 100 for total in accumulate(random.randint(0, 9) for _ in range(rows))]
    often = random.choice([0.0, 0.05, 0.3])
    y = [None if random.random() < often else tick for tick in y]
    x = [
        None if random.random() < often else at
        for at in accumulate(random.choice([1, 1, 2, 3, 6]) for _ in range(rows))
    ]
    keys = [random.choice("abc"[: 1 + seed % 3]) for _ in range(rows)]
    columns = [kind.column(y), pl.Series("x", x, dtype=pl.Int64), pl.Series("k", keys)]
    cut = random.randint(0, rows)
    return Drawn(
        kind,
        y,
        x,
        keys,
        pl.DataFrame([pl.concat([column[:cut], column[cut:]], rechunk=False) for column in columns]),
        wrap,
        random.choice([Fraction(1), Fraction(4), Fraction(30)]) if limits else None,
        random.choice([None, 3, 12]),
        {
            "reset": random.choice(["restart", "null"]),
            "nulls": random.choice(["propagate", "skip", "split"]),
        },
    )


def assert_increase_is_exact(case: Drawn) -> None:
    operator = pg.increase("y", "x", by="k", **case.given, strict=False)
    lenient = case.exact(strict=False, holds=case.kind.holds)
    got = case.frame.select(operator).to_series()
    assert case.kind.of(got) == lenient
    strict = pg.increase("y", "x", by="k", **case.given)
    try:
        expected = case.exact(strict=True, holds=case.kind.holds)
    except WrongRowError:
        with pytest.raises(ComputeError, match="does not fit in"):
            case.frame.select(strict)
    else:
        assert case.kind.of(case.frame.select(strict).to_series()) == expected


@each_kind
@given(seed=seeds)
@settings(max_examples=40)
def test_any_increase_is_that_of_exact_arithmetic(kind: Kind, seed: int) -> None:
    assert_increase_is_exact(drawn(kind, seed, limits=False))


@each_kind
@given(seed=seeds)
@settings(max_examples=40)
def test_any_increase_below_the_highest_rate(kind: Kind, seed: int) -> None:
    case = drawn(kind, seed, limits=True)
    # One that is too fast and does not fit is null, or wrong: either will do.
    unlimited = case.exact(strict=False)
    assume(all(gain is None or kind.holds(gain) for gain in unlimited))
    assert_increase_is_exact(case)


@each_kind
@given(seed=seeds)
@settings(max_examples=40)
def test_any_rate_is_that_of_exact_arithmetic(kind: Kind, seed: int) -> None:
    """Within 4 machine epsilons."""
    case = drawn(kind, seed, limits=seed % 2 == 0)
    got = case.frame.select(pg.rate("y", "x", by="k", **case.given)).to_series()
    exact = case.exact(strict=True, per_x=True)
    if kind.dtype.is_temporal():
        # A duration, rounded to whole ticks.
        ticks = got.to_physical().to_list()
        assert [tick is None for tick in ticks] == [tick is None for tick in exact]
        assert all(tick is None or abs(tick - each) <= Fraction(1, 2) for tick, each in zip(ticks, exact, strict=True))
        return
    digits = {pl.Float32: 2**-24, pl.Float16: 2**-11}.get(kind.dtype, 0.0)
    assert_within(got, [each if each is None else each / kind.ticks for each in exact], 4 * EPSILON + Fraction(digits))


def assert_within(got: pl.Series, exact: Sequence[Any], tolerance: Fraction) -> None:
    """Each result is null where the exact one is, else within a part of it; those that its dtype cannot hold aside."""
    values = got.to_list()
    assert [value is None for value in values] == [value is None for value in exact]
    largest = {pl.Float32: 3e38, pl.Float16: 65_000.0}.get(got.dtype, 1.7e308)
    for value, each in zip(values, exact, strict=True):
        if value is not None and abs(each) < largest:
            assert abs(Fraction(value) - each) <= tolerance * abs(each), (value, each)


wide = st.floats(0, 1e12, allow_subnormal=False).map(lambda value: value if value > 1e-12 else 0.0)


@given(y=st.lists(wide, min_size=2, max_size=20), steps=st.lists(st.floats(1e-9, 1e9), min_size=20, max_size=20))
def test_rates_of_floats_of_any_size(y: list[float], steps: list[float]) -> None:
    x = [*accumulate(steps)][: len(y)]
    assume(all(after > before for before, after in pairwise(x)))
    frame = pl.DataFrame({"y": y, "x": x})
    exact = counter([*map(Fraction, y)], [*map(Fraction, x)], per_x=True)
    assert_within(frame.select(pg.rate("y", "x")).to_series(), exact, 4 * EPSILON)


@pytest.mark.parametrize("wraps", [False, True], ids=["rises", "wraps"])
@given(data=st.data(), dtype=st.sampled_from([dtype for dtype in INTEGERS if bounds(dtype)[1] > 2**60]))
def test_rates_of_large_integers(data: st.DataObject, dtype: Any, wraps: bool) -> None:
    """Differences are exact, and so are wrap-arounds: digits that a float has not are in neither lost."""
    low, high = bounds(dtype)
    wrap = min(high + 1, 2**64) if wraps else None
    low, high = (0, wrap - 1) if wrap else (low, high)
    middle = st.sampled_from([low, high, (low + high) // 2, 2**53 if low <= 2**53 <= high else high])
    values = st.builds(lambda at, by: min(max(low, at + by), high), middle, st.integers(-5_000, 5_000))
    y = data.draw(st.lists(values, min_size=2, max_size=8))
    x = [*range(0, 3 * len(y), 3)]
    frame = pl.DataFrame([pl.Series("y", y, dtype=dtype), pl.Series("x", x)])
    got = frame.select(pg.rate("y", "x", wrap=wrap)).to_series()
    assert_within(got, counter(y, x, wrap=wrap, per_x=True), 4 * EPSILON)


@pytest.mark.parametrize("dtype", [dtype for dtype in INTEGERS if dtype.is_unsigned_integer()], ids=str)
def test_unsigned_integers_use_their_whole_range(dtype: Any) -> None:
    _, high = extremes(dtype)
    y = [0, high, 3, high - 1, high]
    assert increase(y, dtype=dtype) == [None, high, 3, high - 4, 1]
    assert increase(y, dtype=dtype, strict=False) == [None, high, 3, high - 4, 1]
    assert_within(
        pl.Series(rate(y, [0, 1, 2, 3, 4], dtype=dtype)),
        [None, high, 3, high - 4, 1],
        4 * EPSILON,
    )


# Times


def test_temporal_coordinates() -> None:
    start = datetime(2024, 1, 1)
    at = [start + timedelta(minutes=minutes) for minutes in (0, 30, 45, 105)]
    for unit in ("ms", "us", "ns"):
        frame = pl.DataFrame({"y": [0, 60, 10, 70], "at": pl.Series(at, dtype=pl.Datetime(unit))})
        for per, factor in ((None, 1 / 3600), ("1h", 1), (timedelta(days=1), 24), ("30m", 0.5)):
            got = frame.select(pg.rate("y", "at", per=per))["y"]
            assert_within(
                got, [None, *(Fraction(factor).limit_denominator(4000) * each for each in (120, 40, 60))], 4 * EPSILON
            )
        assert frame.select(pg.increase("y", "at"))["y"].to_list() == [None, 60, 10, 60]
        slow = frame.select(pg.increase("y", "at", per="1h", max_rate=100))["y"]
        assert slow.to_list() == [None, None, 10, 60]
        assert frame.select(pg.rate("y", "at", max_gap="30m", per="1h"))["y"].to_list() == [None, 120.0, 40.0, None]
    days = pl.DataFrame({"y": [0, 60, 10], "at": [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 4)]})
    assert days.select(pg.rate("y", "at", per="1d"))["y"].to_list() == [None, 60.0, 5.0]
    clock = pl.DataFrame({"y": [0, 60, 10], "at": [time(1), time(2), time(4)]})
    assert clock.select(pg.rate("y", "at", per="1h"))["y"].to_list() == [None, 60.0, 5.0]


def test_counters_of_time() -> None:
    """Seconds of work: an increase is a Duration, a rate over time the part of it that was worked."""
    hours = [0, 2, 5, 1]
    frame = pl.DataFrame(
        {
            "busy": pl.Series([timedelta(hours=each) for each in hours], dtype=pl.Duration("ms")),
            "at": [datetime(2024, 1, 1, hour) for hour in (0, 4, 8, 12)],
            "run": [0, 4, 8, 12],
        }
    )
    gains = [None, *(timedelta(hours=each) for each in (2, 3, 1))]
    assert frame.select(pg.increase("busy", "at"))["busy"].to_list() == gains
    assert frame.select(pg.rate("busy", "at"))["busy"].to_list() == [None, 0.5, 0.75, 0.25]
    assert frame.select(pg.rate("busy", "at", max_rate=0.6))["busy"].to_list() == [None, 0.5, None, 0.25]
    per_run = frame.select(pg.rate("busy", "run"))["busy"]
    assert per_run.to_list() == [None, timedelta(minutes=30), timedelta(minutes=45), timedelta(minutes=15)]
    slow = frame.select(pg.rate("busy", "run", max_rate="40m"))["busy"]
    assert slow.to_list() == [None, timedelta(minutes=30), None, timedelta(minutes=15)]
    wrapped = frame.select(pg.increase("busy", wrap="6h"))["busy"]
    assert wrapped.to_list() == [None, timedelta(hours=2), timedelta(hours=3), timedelta(hours=2)]


def test_a_constant_step() -> None:
    frame = pl.DataFrame({"y": [0, 60, 10]})
    assert frame.select(pg.rate("y", spacing=4))["y"].to_list() == [None, 15.0, 2.5]
    assert frame.select(pg.rate("y", spacing="10ms"))["y"].to_list() == [None, 6_000.0, 1_000.0]
    assert frame.select(pg.rate("y", spacing=timedelta(seconds=15), per="1m"))["y"].to_list() == [None, 240.0, 40.0]


# Totals


def total(y: Sequence[Any], wrap: int | None = None) -> Any:
    """What a counter gained from its first value that is known to its last."""
    known = [value for value in y if value is not None]
    return sum(gain for gain in counter(known, wrap=wrap) if gain is not None)


counts = st.lists(some_null(st.integers(0, 2**62)), min_size=1, max_size=40)


@given(data=st.data(), y=counts, dtype=st.sampled_from([pl.Int64, pl.UInt64, pl.Int128, pl.Decimal(38, 0)]))
def test_the_sum_of_increases_is_the_total(data: st.DataObject, y: list[int | None], dtype: Any) -> None:
    """Of the whole, of parts that share their border rows, of batches, and of each group."""
    keys = data.draw(st.lists(st.sampled_from("abc"), min_size=len(y), max_size=len(y)))
    frame = pl.DataFrame([pl.Series("y", y, dtype=dtype), pl.Series("k", keys)]).with_row_index("x")
    exact = pl.col("y").cast(pl.Int128)

    def gained(rows: pl.DataFrame, **domain: Any) -> int:
        return int(rows.select(pg.increase("y", nulls="skip", **domain)).select(exact).sum().item())

    assert gained(frame) == gained(frame, x="x") == total(y)
    cuts = data.draw(st.lists(st.integers(0, len(y) - 1), max_size=5))
    known = frame.drop_nulls("y")
    borders = [0, *sorted(cut for cut in cuts if cut < known.height), known.height - 1]
    assert sum(gained(known[start : end + 1]) for start, end in pairwise(borders)) == total(y)
    batches = [frame[start:end] for start, end in pairwise([0, *sorted(cuts), len(y)])]
    came = pl.concat(pg.stitch(batches, gain=pg.increase("y", nulls="skip")))
    assert int(came["gain"].cast(pl.Int128).sum()) == total(y)
    by_key = frame.select("k", gain=pg.increase("y", by="k", nulls="skip").cast(pl.Int128))
    assert dict(by_key.group_by("k").sum().iter_rows()) == {
        key: total([value for value, own in zip(y, keys, strict=True) if own == key]) for key in {*keys}
    }


@given(rises=st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=60), start=st.integers(0, 2**32 - 1))
def test_a_counter_of_32_bits_counts_on(rises: list[int], start: int) -> None:
    """Whatever it has wrapped around, the total is what was counted."""
    y = [value % 2**32 for value in accumulate(rises, initial=start)]
    assert increase(y, dtype=pl.UInt32, wrap="u32") == [None, *rises]
    sums = pl.DataFrame({"y": pl.Series(y, dtype=pl.UInt32)}).select(pg.increase("y", wrap="u32").cast(pl.Int64).sum())
    assert sums.item() == sum(rises)


@given(y=st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=2, max_size=40))
def test_the_sum_of_increases_of_floats(y: list[float]) -> None:
    frame = pl.DataFrame({"y": y})
    gains = frame.select(pg.increase("y"))["y"].drop_nulls().to_list()
    exact = total([*map(Fraction, y)])
    assert abs(sum(map(Fraction, gains)) - exact) <= EPSILON * sum(map(Fraction, y))


# Vectors of other systems, as data; what these do with the first row, and with windows, is ours to add.


@dataclass(frozen=True)
class Vector:
    """A counter and what another system's tests say of it."""

    y: list[float]
    x: list[float]
    delta: float | None = None
    gains: list[float | None] | None = None
    rates: list[float | None] | None = None
    resets: int | None = None
    reset_sum: float | None = None


def every(seconds: float, count: int) -> list[float]:
    return [seconds * row for row in range(count)]


# timescaledb-toolkit: crates/counter-agg/src/tests.rs and extension/src/counter_agg.rs. `delta` is that from the first
# to the last value, resets added; `idelta` and `irate` are those of the first and of the last pair.
TIMESCALE = {
    "one point": Vector([10], [20], delta=0, resets=0),
    "a point added": Vector([0, 10], [0, 5], delta=10, resets=0, reset_sum=0),
    "points added": Vector([0, 10, 20, 20, 50, 10], every(5, 6), delta=60, resets=1, reset_sum=50),
    "delta, simple": Vector([10, 20], [0, 10], delta=10),
    "delta, with a reset": Vector([10, 20, 10], [0, 10, 20], delta=20),
    "combined": Vector([0, 10, 20, 30, 50, 10, 40], every(5, 7), delta=90, resets=1, reset_sum=50),
    "combined at a reset": Vector([50, 10], [0, 25], delta=10, resets=1, reset_sum=50),
    "several resets": Vector([0, 10, 20, 10, 40, 20, 40], every(5, 7), delta=100, resets=2, reset_sum=60),
    "extraction, simple": Vector([0, 5, 20, 30], every(5, 4), delta=30, gains=[5, 15, 10], rates=[1, 3, 2], resets=0),
    "extraction, with resets": Vector(
        [10, 5, 30, 15], every(5, 4), delta=45, gains=[5, 25, 15], rates=[1, 5, 3], resets=2, reset_sum=40
    ),
    "prometheus": Vector([15, 20, 25], [5, 10, 15], delta=10, rates=[1, 1]),
    "prometheus, with a reset": Vector([40, 20, 40], [20, 30, 40], delta=40, rates=[2, 2]),
    "in and out": Vector([10, 20, 30, 20, 10, 20, 10, 30, 10], every(60, 9), delta=100, resets=4, reset_sum=100),
    "a decrease": Vector([30, 10], [0, 60], delta=10, gains=[10]),
    "an increase": Vector([10, 30], [0, 60], delta=20, gains=[20]),
    "down and up to the same": Vector([30, 10, 30], every(60, 3), delta=30, gains=[10, 20]),
    "up and down to the same": Vector([10, 30, 10], every(60, 3), delta=30, gains=[20, 10]),
}
# flux: stdlib/universe/increase_test.flux and difference_nonnegative_reset_test.flux. Its increase is the running sum.
FLUX = {
    "increase, first table": Vector([1, 2, 3, 5, 0, 1], every(10, 6), gains=[1, 1, 2, 0, 1], delta=5),
    "increase, second table": Vector(
        [2, 4, 4, 0, 2, 10, 4, 20, 7, 10], every(10, 10), gains=[2, 0, 0, 2, 8, 4, 16, 7, 3], delta=42
    ),
    "increase, negative difference": Vector(
        [4302, 4844, 5091, 13, 215, 762, 1108], every(10, 7), gains=[542, 247, 13, 202, 547, 346], delta=1897
    ),
    "difference, eth0": Vector([100, 120, 10, 15, 20, 40], every(10, 6), gains=[20, 10, 5, 5, 20]),
    "difference, eth1": Vector([1000, 1005, 0, 1, 2, 10], every(10, 6), gains=[5, 0, 1, 1, 8]),
}
# flux: derivative with `nonNegative`, stdlib/universe/derivative_nonnegative_test.flux and derivative_test.go. There a
# fall is null.
FLUX_DERIVATIVE = {
    "per 100 ms": Vector(
        [4, 4, 0, 2, 10, 4, 20, 7, 10], every(100, 9), rates=[0, None, 0.02, 0.08, None, 0.16, None, 0.03]
    ),
    "non negative": Vector([20, 10, 20], [1, 2, 3], rates=[None, 10]),
    "one table": Vector([2, 1, 2], [1, 2, 3], rates=[None, 1]),
    "several values": Vector([20, 10, 0], [1, 2, 3], rates=[None, None]),
}
# VictoriaMetrics: app/vmselect/promql/rollup_test.go. Values without resets, their differences and slopes per second
# (there moved by a row); `increase_pure` takes a counter to begin at zero.
VICTORIA = Vector(
    [123, 34, 44, 21, 54, 34, 99, 12, 44, 32, 34, 34],
    [5, 15, 24, 36, 49, 60, 78, 80, 97, 115, 120, 130],
    delta=398 - 123,
    gains=[34, 10, 21, 33, 34, 65, 12, 32, 32, 2, 0],
    rates=[
        *(3400, 1111.111111111111, 1750, 2538.461538461538, 3090.909090909091, 3611.111111111111),
        *(6000, 1882.3529411764705, 1777.7777777777776, 400, 0),
    ],
    resets=5,
)


def assert_vector(vector: Vector, rates: list[Any], gains: list[Any]) -> None:
    assert gains[0] is rates[0] is None
    if vector.delta is not None:
        assert sum(gain for gain in gains if gain is not None) == vector.delta
    if vector.gains is not None:
        assert gains[1:] == vector.gains
    if vector.rates is not None:
        assert rates[1:] == pytest.approx(vector.rates, rel=1e-15)
    unbroken = increase(vector.y, reset="null")[1:]
    falls = [before for before, gain in zip(vector.y, unbroken, strict=False) if gain is None]
    if vector.resets is not None:
        assert len(falls) == vector.resets
    if vector.reset_sum is not None:
        assert sum(falls) == vector.reset_sum


@pytest.mark.parametrize("name", TIMESCALE)
def test_vectors_of_timescale(name: str) -> None:
    vector = TIMESCALE[name]
    for dtype in (pl.Float64, pl.Int64, pl.UInt32):
        assert_vector(vector, rate(vector.y, vector.x, dtype), increase(vector.y, dtype=dtype))


@pytest.mark.parametrize("name", FLUX)
def test_vectors_of_flux(name: str) -> None:
    vector = FLUX[name]
    for dtype in (pl.Float64, pl.Int64, pl.UInt64):
        assert_vector(vector, rate(vector.y, vector.x, dtype), increase(vector.y, vector.x, dtype=dtype))


@pytest.mark.parametrize("name", FLUX_DERIVATIVE)
def test_vectors_of_the_derivative_of_flux(name: str) -> None:
    vector = FLUX_DERIVATIVE[name]
    for dtype in (pl.Float64, pl.Int64, pl.UInt64):
        got = rate(vector.y, vector.x, dtype, reset="null")
        assert got == [None, *vector.rates]


def test_vectors_of_flux_with_nulls() -> None:
    """There a null takes no part: that is "skip"."""
    times = [1, 2, 3]
    assert rate([2, None, 8], times, reset="null", nulls="skip") == [None, None, 3.0]
    assert rate([None, 10, 20], times, reset="null", nulls="skip") == [None, None, 10.0]
    assert rate([None, 1.0, 8.0, 9.0, 10.0], [2, 2, 4, 4, 6], duplicates="first", nulls="skip")[-1] == 1.0


def test_vectors_of_victoria_metrics() -> None:
    in_seconds = [millisecond / 1000 for millisecond in VICTORIA.x]
    assert_vector(VICTORIA, rate(VICTORIA.y, in_seconds), increase(VICTORIA.y))
    at = pl.Series(VICTORIA.x).cast(pl.Duration("ms"))
    assert_vector(VICTORIA, rate(VICTORIA.y, at, pl.UInt8), increase(VICTORIA.y, at, dtype=pl.UInt8))
    # One of which the first value counts.
    counted = pl.DataFrame({"y": VICTORIA.y}).select(pg.increase("y").fill_null(pl.col("y")).cum_sum())["y"]
    assert counted.to_list() == [123, 157, 167, 188, 221, 255, 320, 332, 364, 396, 398, 398]
    # Repeated times: the slope from one time to the next, of the last values.
    got = rate([1, 2, 3, 4, 5, 6, 7], [0.1, 0.1, 0.2, 0.2, 0.3, 0.4, 0.4], duplicates="last")
    assert got == pytest.approx([None, None, 20, 20, 10, 20, 20])


def test_what_victoria_metrics_does_otherwise() -> None:
    """It takes a small fall for jitter of replicas, and counts negative values."""
    assert increase([100, 95, 120, 140, 137, 50]) == [None, 95, 25, 20, 137, 50]
    assert increase([-100, -200, -300, -400]) == [None] * 4


# Faces


def log() -> pl.DataFrame:
    """Two keys that take turns, with resets, wrap-arounds, a null and a gap."""
    rows = 36
    return pl.DataFrame(
        {
            "k": ["a", "b", "b"] * (rows // 3),
            "x": [row + row // 20 * 50 for row in range(rows)],
            "at": [datetime(2024, 1, 1) + timedelta(seconds=row * row) for row in range(rows)],
            "y": pl.Series(
                [None if row == 17 else (row * row * 11 + row % 5 * 60) % 256 for row in range(rows)], dtype=pl.UInt8
            ),
            "z": [float((row * 13) % 97) / 4 for row in range(rows)],
        }
    )


@dataclass(frozen=True)
class Use:
    """An operator with some of its options."""

    operator: Callable[..., pl.Expr]
    y: str = "y"
    x: str | None = "x"
    options: dict[str, Any] = field(default_factory=dict)

    def __call__(self, **domain: Any) -> pl.Expr:
        return self.operator(self.y, self.x, **self.options, **domain)


CASES = {
    "increase": Use(pg.increase),
    "increase, rows": Use(pg.increase, x=None, options={"nulls": "skip"}),
    "increase, wrap": Use(pg.increase, options={"wrap": "u8", "max_gap": 40, "nulls": "skip"}),
    "increase, null": Use(pg.increase, y="z", options={"reset": "null"}),
    "increase, max_rate": Use(pg.increase, y="z", x="at", options={"max_rate": 1.5, "per": "1s"}),
    "rate": Use(pg.rate),
    "rate, wrap": Use(pg.rate, x="at", options={"wrap": 256, "per": "1m", "nulls": "split"}),
    "rate, max_rate": Use(pg.rate, y="z", options={"max_rate": 5, "reset": "null", "max_gap": 40}),
}
each_case = pytest.mark.parametrize("name", CASES)


def alone(frame: pl.DataFrame, expression: pl.Expr) -> pl.Series:
    """Each key's rows as a frame of their own, where the rows were."""
    parts = frame.with_row_index("row").partition_by("k", maintain_order=True)
    return pl.concat(part.with_columns(result=expression) for part in parts).sort("row")["result"]


@each_case
def test_contexts(name: str, engine: Any) -> None:
    frame, operator = log(), CASES[name]()
    result = operator.alias("result")
    whole, by_key = frame.select(result).to_series(), alone(frame, operator)
    lazy = frame.lazy()
    queries = {
        "select": (lazy.select(result), whole),
        "with_columns": (lazy.with_columns(result).select("result"), whole),
        "by": (lazy.select(CASES[name](by="k").alias("result")), by_key),
        "over": (lazy.select(result.over("k")), by_key),
        "agg": (
            lazy.with_row_index("row")
            .group_by("k")
            .agg("row", result)
            .explode("row", "result", empty_as_null=False)
            .sort("row")
            .select("result"),
            by_key,
        ),
        "when": (
            lazy.select(result=pl.when(pl.col("x") > 10).then(operator)),
            pl.select(pl.when(frame["x"] > 10).then(whole)).to_series().alias("result"),
        ),
        "filter": (lazy.with_columns(result).filter(pl.col("x") > 10).select("result"), whole.filter(frame["x"] > 10)),
        "order_by": (
            lazy.sort("z", "k", descending=True)
            .with_columns(result.over("k", order_by="x"))
            .sort("x")
            .select("result"),
            by_key,
        ),
        "chunks": (pl.concat([lazy.slice(0, 5), lazy.slice(5, 1), lazy.slice(6)]).select(result), whole),
        "grad.with_columns": (lazy.grad.with_columns(result).select("result"), whole),
    }
    for context, (query, expected) in queries.items():
        got = query.collect(engine=engine)
        assert query.collect_schema() == got.schema, context
        assert_same(got.to_series(), expected)


@each_case
@pytest.mark.parametrize("size", [1, 2, 7, 36])
def test_batches(name: str, size: int) -> None:
    frame = log().sort("k", maintain_order=True)
    operators = {"whole": CASES[name]().over("k"), "by": CASES[name](by="k")}
    expected = frame.with_columns(result=operators["whole"])
    assert_frame_equal(frame.with_columns(result=operators["by"]), expected, check_exact=True)
    batches = [frame[start : start + size] for start in range(0, frame.height, size)]
    came = list(pg.stitch(batches, result=operators["by"]))
    assert_frame_equal(pl.concat(came), expected, check_exact=True)
    if CASES[name].options.get("nulls") != "skip":
        # It reads no later row, so that no row waits.
        assert len(came) == len(batches)
    for engine in ENGINES:
        got = frame.lazy().grad.with_columns(result=operators["by"]).collect(engine=engine)
        assert_frame_equal(got, expected, check_exact=True)


def test_the_method_of_a_series() -> None:
    frame = log()
    y, z, x, k = (frame[name] for name in ("y", "z", "x", "k"))
    assert_same(y.grad.increase(), frame.select(pg.increase("y")).to_series())
    assert_same(y.grad.increase(x, by=k, wrap="u8"), frame.select(pg.increase("y", "x", by="k", wrap=256)).to_series())
    assert_same(z.grad.rate(x, max_rate=5.0), frame.select(pg.rate("z", "x", max_rate=5.0)).to_series())
    assert_same(z.grad.rate(x.to_list(), reset="null"), frame.select(pg.rate("z", "x", reset="null")).to_series())
    assert_same(z.grad.rate(spacing="1s"), frame.select(pl.col("z").grad.rate(spacing="1s")).to_series())


def test_several_columns_at_once(engine: Any) -> None:
    frame = log()
    got = frame.lazy().select(pl.col("y", "z").grad.increase("x", by="k")).collect(engine=engine)
    assert got.schema == {"y": pl.UInt8, "z": pl.Float64}
    for name in ("y", "z"):
        assert_same(got[name], alone(frame, pg.increase(name, "x")).alias(name))


def test_list_eval() -> None:
    frame = pl.DataFrame({"y": [[1, 5, 2], [], None, [7], [3, None, 9]]})
    element = pl.element()
    assert frame.select(pl.col("y").list.eval(element.grad.increase()))["y"].to_list() == [
        *([None, 4, 2], [], None, [None], [None] * 3)
    ]
    skipped = frame.select(pl.col("y").list.eval(element.grad.increase(nulls="skip")))["y"].to_list()
    assert skipped[-1] == [None, None, 6]
    points = pl.DataFrame({"points": [[{"x": 0, "y": 1}, {"x": 2, "y": 5}], [{"x": 4, "y": 6}, {"x": 5, "y": 1}]]})
    y, x = element.struct.field("y"), element.struct.field("x")
    assert points.select(pl.col("points").list.eval(pg.rate(y, x)))["points"].to_list() == [[None, 2.0], [None, 1.0]]


@each_case
def test_inside_of_cells(name: str, engine: Any) -> None:
    """Each cell is a column."""
    frame = log()
    cells = frame.group_by("k", maintain_order=True).agg(pl.all())
    got = cells.lazy().select("k", result=CASES[name](axis=1)).collect(engine=engine)
    expected = frame.with_columns(result=CASES[name]().over("k")).group_by("k", maintain_order=True).agg("result")
    assert_frame_equal(got, expected, check_exact=True)


def test_cells_keep_their_shape() -> None:
    lists = pl.DataFrame({"y": pl.Series([[1, 5, 2], [7], None, [], [None, 3]], dtype=pl.List(pl.UInt16))})
    got = lists.select(pg.increase("y", axis=1))
    assert got.schema == lists.schema
    assert got["y"].to_list() == [[None, 4, 2], [None], None, [], [None, None]]
    rates = lists.select(pg.rate("y", spacing=2, axis=1))["y"]
    assert rates.dtype == pl.List(pl.Float64)
    assert rates.to_list()[0] == [None, 2.0, 1.0]
    same = lists.head(1).select(pg.rate("y", [0, 2, 3], axis=-1))["y"].to_list()
    assert same == [[None, 2.0, 2.0]]
    arrays = pl.DataFrame({"y": pl.Series([[1, 250], [4, 3]], dtype=pl.Array(pl.UInt8, 2))})
    assert arrays.select(pg.increase("y", axis=1, reset="null"))["y"].to_list() == [[None, 249], [None, None]]


@pytest.mark.parametrize("dtype", [pl.Array(pl.UInt8, 2), pl.List(pl.UInt8)])
@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_down_the_rows_of_cells(dtype: Any, nulls: Any, engine: Any) -> None:
    """Each place in the cells is a counter."""
    frame = log().with_columns(pl.col("z").cast(pl.UInt8))
    cells = frame.with_columns(cell=pl.concat_list("y", "z").cast(dtype)).lazy()
    for operator, x in ((pg.increase, None), (pg.increase, "x"), (pg.rate, "x")):
        for by in (None, "k"):
            for options in ({}, {"wrap": 256}, {"max_rate": 20}, {"reset": "null"}):
                arguments = {"nulls": nulls, "by": by, **options}
                got = cells.select(operator("cell", x, **arguments)).collect(engine=engine)["cell"]
                expected = frame.select(operator(pl.col("y", "z"), x, **arguments))
                for place, name in enumerate(("y", "z")):
                    own = got.arr.get(place) if dtype == pl.Array else got.list.get(place)
                    assert_same(own.alias(name), expected[name])


def test_a_y_that_is_an_expression_is_evaluated_once(engine: Any) -> None:
    calls = 0

    def counted(column: pl.Series) -> pl.Series:
        nonlocal calls
        calls += 1
        return column

    frame = pl.DataFrame({"y": RESETS, "x": STEPS}).lazy()
    y = pl.col("y").map_batches(counted, return_dtype=pl.Int64)
    assert frame.select(pg.increase(y, "x")).collect(engine=engine)["y"].to_list() == [None, 50, 20, 40, 0, 5]
    assert calls == 1
    slope = pg.gradient(pg.increase(y, "x").fill_null(0).cum_sum(), "x")
    got = frame.select(slope).collect(engine=engine)["y"]
    assert calls == 2
    assert got.to_list() == [5.0, 3.5, 3.0, 2.0, 0.25, 0.5]


@given(data=st.data())
@example(data=None)
def test_any_cutting_gives_the_whole(data: st.DataObject | None) -> None:
    """Options of all kinds, in any batches."""
    frame = log().sort("k", maintain_order=True)
    if data is None:
        cuts: list[int] = [*range(frame.height)]
    else:
        cuts = sorted(data.draw(st.lists(st.integers(0, frame.height), max_size=8)))
    operators = [use(by="k").alias(name) for name, use in CASES.items() if use.x != "at"]
    batches = [frame[start:end] for start, end in pairwise([0, *cuts, frame.height])]
    assert_frame_equal(pl.concat(pg.stitch(batches, operators)), frame.with_columns(operators), check_exact=True)


# Errors


NEWEST_FIRST = pl.DataFrame({"k": ["a", "a", "b", "b"], "x": [0, 1, 5, 4], "y": [1, 2, 3, 4]})


@COUNTERS
@pytest.mark.parametrize("domain", [{}, {"by": "k"}, {"nulls": "skip"}, {"nulls": "split"}, {"duplicates": "first"}])
def test_a_falling_x_is_an_error_that_says_to_sort(operator: Any, domain: dict[str, Any], engine: Any) -> None:
    query = NEWEST_FIRST.lazy()
    with pytest.raises(ComputeError, match=r"strictly rising, but in column `x` 5 is followed by 4.*sort by `x`"):
        query.select(operator("y", "x", **domain)).collect(engine=engine)
    with pytest.raises(ComputeError, match=r"row 3, counted from 0, column `y`:.*5 is followed by 4.*sort by `x`"):
        list(pg.stitch([NEWEST_FIRST[:1], NEWEST_FIRST[1:]], operator("y", "x", **domain)))
    lenient = query.select(operator("y", "x", strict=False, **domain)).collect(engine=engine)["y"]
    assert lenient.is_null().to_list() == [True, False, "by" in domain, True]


def test_the_group_of_a_falling_x_is_named() -> None:
    with pytest.raises(ComputeError, match=r"5 is followed by 4.*`k` = \"b\""):
        NEWEST_FIRST.select(pg.increase("y", "x", by="k"))


@COUNTERS
@pytest.mark.parametrize("x", [[0.0, nan, 2.0], [0.0, inf, 2.0], [0.0, 0.0, 2.0]], ids=str)
def test_an_x_that_is_not_finite_or_repeats(operator: Any, x: list[float]) -> None:
    frame = pl.DataFrame({"x": x, "y": [1, 2, 3]})
    with pytest.raises(ComputeError, match=r"finite and strictly rising, but in column `x` 0.0 is followed by"):
        frame.select(operator("y", "x"))
    got = frame.select(operator("y", "x", strict=False))["y"]
    assert got.is_null().to_list()[:2] == [True, True]


@COUNTERS
def test_a_y_outside_of_the_wrap(operator: Any, engine: Any) -> None:
    """The error shows the y, wherever it stands; with `strict=False` both rows that read it are null."""
    for row, wrong in ((0, 300), (1, 256), (2, -1), (3, 10_000)):
        for dtype in (pl.Int32, pl.Int64, pl.Float64):
            y = [5, 6, 7, 9]
            y[row] = wrong
            frame = pl.DataFrame({"k": ["a"] * 4, "x": [0, 1, 2, 3], "y": pl.Series(y, dtype=dtype)}).lazy()
            shown = f"{wrong}.0" if dtype == pl.Float64 else f"{wrong}"
            with pytest.raises(
                ComputeError, match=rf"from 0 to below `wrap`, but in column `y` there is {shown};.*strict=False"
            ):
                frame.select(operator("y", "x", wrap=256)).collect(engine=engine)
            with pytest.raises(ComputeError, match=rf"there is {shown} in the group `k` = \"a\""):
                frame.select(operator("y", "x", wrap="u8", by="k")).collect(engine=engine)
            got = frame.select(operator("y", "x", wrap=256, strict=False)).collect(engine=engine)["y"]
            assert got.is_null().to_list() == [each in (0, row, row + 1) for each in range(4)]


@pytest.mark.parametrize(
    ("dtype", "y"),
    [
        (pl.Int8, [-100, 100]),
        (pl.Int16, [-(2**15), 2**15 - 1]),
        (pl.Int32, [-(2**31), 2**31 - 1]),
        (pl.Int64, [-(2**63), 2**63 - 1]),
        (pl.Int128, [-(2**127), 2**127 - 1]),
        (pl.Decimal(4, 2), [Decimal("-99.99"), Decimal("99.99")]),
        (pl.Duration("ns"), [timedelta(days=-100_000), timedelta(days=100_000)]),
    ],
    ids=str,
)
def test_an_increase_that_the_dtype_cannot_hold(dtype: Any, y: list[Any], engine: Any) -> None:
    frame = pl.DataFrame({"y": pl.Series([*y, y[1]], dtype=dtype)}).lazy()
    with pytest.raises(ComputeError, match=r"the increase of `y` does not fit in .*cast y to a .*strict=False"):
        frame.select(pg.increase("y")).collect(engine=engine)
    got = frame.select(pg.increase("y", strict=False)).collect(engine=engine)["y"]
    assert got.is_null().to_list() == [True, True, False]
    if not dtype.is_temporal():
        assert frame.select(pg.rate("y", spacing=1)).collect(engine=engine)["y"].null_count() == 1
    groups = pl.concat([frame.slice(1).with_columns(k=pl.lit("a")), frame.with_columns(k=pl.lit("b"))])
    with pytest.raises(ComputeError, match=r'does not fit in .* in the group `k` = "b"; cast y to a .*strict=False'):
        groups.select(pg.increase("y", by="k")).collect(engine=engine)


@COUNTERS
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (date(2024, 1, 1), "takes a number or a Duration, but column `y` is date"),
        (datetime(2024, 1, 1), "takes a number or a Duration, but column `y` is datetime"),
        (time(1), "takes a number or a Duration, but column `y` is time"),
        ("1", "takes a number or a Duration, but column `y` is str"),
        (True, "has no meaning for booleans, but y column `y` is bool"),
        ({"a": 1}, "takes a number or a Duration, but column `y` is struct"),
    ],
    ids=str,
)
def test_a_y_that_is_no_counter_is_an_error_when_planned(operator: Any, y: Any, words: str) -> None:
    frame = pl.LazyFrame({"y": [y, y], "x": [0, 1], "k": [0, 0]})
    for domain in ({}, {"by": "k"}, {"nulls": "skip"}):
        with pytest.raises(ComputeError, match=words):
            frame.select(operator("y", "x", **domain)).collect_schema()
    with pytest.raises(ComputeError, match=words):
        frame.grad.with_columns(d=operator("y", "x")).collect_schema()


PLANNED: list[tuple[Callable[[], pl.Expr], str]] = [
    (lambda: pg.increase("d", wrap=24), "`wrap` must be a duration where y is temporal, but y column `d` is duration"),
    (lambda: pg.increase("y", wrap="24h"), "`wrap` must be a number where y is one, but y column `y` is i64"),
    (lambda: pg.rate("d", "x", max_rate=2), "`max_rate` must be a duration where the rate is one"),
    (lambda: pg.rate("d", "at", max_rate="2s"), "`max_rate` must be a number where the rate is one"),
    (lambda: pg.rate("y", "x", max_rate="2s"), "`max_rate` must be a number where the rate is one"),
    (lambda: pg.rate("y", spacing=-1), "`spacing` must be positive for `rate`, got -1; reverse the rows"),
    (lambda: pg.increase("y", spacing="-1s"), "`spacing` must be positive for `increase`, got -1s; reverse the rows"),
    (lambda: pg.rate("y", "x", per="1h"), "`per` is the unit of a temporal x, but x column `x` is i64"),
    (lambda: pg.rate("y", "s"), "takes a numeric or temporal x, but column `s` is str"),
]


@pytest.mark.parametrize(("make", "words"), PLANNED, ids=[words for _, words in PLANNED])
def test_options_that_do_not_fit_the_columns(make: Callable[[], pl.Expr], words: str) -> None:
    frame = pl.LazyFrame(
        {"y": [1, 2], "d": [timedelta(1), timedelta(2)], "x": [0, 1], "s": ["a", "b"], "at": [datetime(2024, 1, 1)] * 2}
    )
    with pytest.raises(ComputeError, match=re.escape(words)):
        frame.select(make()).collect_schema()


AT_ONCE: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"reset": "zero"}, ValueError, "`reset` must be 'restart' or 'null', got 'zero'"),
    ({"reset": None}, ValueError, "`reset` must be 'restart' or 'null', got None"),
    ({"reset": True}, ValueError, "`reset` must be 'restart' or 'null', got True"),
    ({"wrap": 0}, ValueError, "`wrap` must be finite and positive, got 0"),
    ({"wrap": -256}, ValueError, "`wrap` must be finite and positive, got -256"),
    ({"wrap": nan}, ValueError, "`wrap` must be finite and positive, got nan"),
    ({"wrap": 2**64 - 1}, ValueError, "`wrap` must be a number that Float64 holds, got 18446744073709551615"),
    ({"wrap": "u128"}, ValueError, '`wrap` must be a number, "u8", "u16", "u32" or "u64"'),
    ({"wrap": "i32"}, ValueError, '`wrap` must be a number, "u8", "u16", "u32" or "u64"'),
    ({"wrap": "0s"}, ValueError, "`wrap` must be longer than zero, got '0s'"),
    ({"wrap": True}, TypeError, "`wrap` must be a number"),
    ({"wrap": [256]}, TypeError, "`wrap` must be a number"),
    ({"max_rate": 0}, ValueError, "`max_rate` must be finite and positive, got 0"),
    ({"max_rate": inf}, ValueError, "`max_rate` must be finite and positive, got inf"),
    ({"max_rate": "1x"}, ValueError, '`max_rate` must be a duration such as "10ms"'),
    ({"max_rate": pl.col("m")}, TypeError, "`max_rate` must be a number, a timedelta or a duration string, got Expr"),
    ({"y_period": 360}, TypeError, "y_period"),
    ({"edge_order": 2}, TypeError, "edge_order"),
]


@COUNTERS
@pytest.mark.parametrize(("options", "error", "words"), AT_ONCE, ids=shown)
def test_wrong_options_are_errors_at_once(
    operator: Any, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words)):
        operator("y", "x", **options)
    with pytest.raises(error, match=re.escape(words)):
        getattr(pl.Series([1, 2]).grad, operator.__name__)([0, 1], **options)


def test_a_rate_needs_to_know_how_far_rows_are_apart() -> None:
    for call in (partial(pg.rate, "y"), pl.col("y").grad.rate, pl.Series([1, 2]).grad.rate):
        with pytest.raises(ValueError, match=r"`rate` must know how far rows are apart: give `x`.*or `spacing`"):
            call()


def test_a_mean_of_integers_is_no_integer() -> None:
    """Their increase cannot be one either; their rate can."""
    frame = pl.DataFrame({"x": [0, 0, 1], "y": [1, 2, 4]})
    with pytest.raises(
        ComputeError, match=r"`duplicates` \"mean\" gives a fraction, which the increase of y column `y`"
    ):
        frame.lazy().select(pg.increase("y", "x", duplicates="mean")).collect_schema()
    assert frame.select(pg.rate("y", "x", duplicates="mean"))["y"].to_list() == [None, None, 2.5]
