"""Dtypes that are read in other numbers: which numbers these are does not change a bit of a result."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_series_equal
from registry import CASES, LENGTHS, Case
from strategies import assert_same

import polars_grad as pg

# More rows than are read at once.
GROUP_ROWS, GROUPS = 700, 14
# The ends of 64 bits.
LEAST, MOST = -(2**63), 2**63 - 1
# What 64 bits do not hold.
LARGE = 10**30
# Each with the x that it is given; a length and a gap need one.
OF_ROWS = [*CASES, Case("rolling_slope", {"window_size": 90, "with_error": True})]
NEED_X = [*LENGTHS, Case("integral", {"max_gap": 8.5})]
READS = [*((case, x) for case in OF_ROWS for x in (None, "x", "same")), *((case, "x") for case in NEED_X)]


def decimals(values: list[int | None], scale: int, *, over_large: list[bool] | None = None) -> pl.Series:
    """Return a column of decimals; where `over_large`, a null whose memory holds a large number."""
    whole = [value or 0 for value in values]
    valid = [value is not None for value in values]
    if over_large is not None:
        whole = [LARGE if large else value for value, large in zip(whole, over_large, strict=True)]
        valid = [valid and not large for valid, large in zip(valid, over_large, strict=True)]
    memory = b"".join(value.to_bytes(16, "little", signed=True) for value in whole)
    bits = np.packbits(np.array(valid, dtype=bool), bitorder="little").tobytes()
    array = pa.Array.from_buffers(pa.decimal128(38, scale), len(values), [pa.py_buffer(bits), pa.py_buffer(memory)])
    return pl.Series("", array)


def frame(*, nulls: bool) -> pl.DataFrame:
    """Groups of adjacent rows; each second one is of large numbers, or of nulls over them, and shorter than a window.

    Some numbers are at the ends of 64 bits, so that their differences need all of these.
    """
    rng = np.random.default_rng(7)
    group, y, x, large = [], [], [], []
    for number in range(2 * GROUPS):
        is_large = number % 2 == 1
        rows = 3 if is_large else GROUP_ROWS
        top = LARGE if is_large else 0
        values = (rng.integers(-500, 500, rows).cumsum() + (1 - number) * 10**15).tolist()
        steps = rng.integers(100, 900, rows).cumsum().tolist()
        if number % 6 == 0:
            values[200:202] = [LEAST, MOST]
            steps = [LEAST, *(step for step in steps[1:-1]), MOST]
        group += [number] * rows
        y += [None if row % 97 == 5 and not is_large else top + value for row, value in enumerate(values)]
        x += [top + step for step in steps]
        large += [is_large] * rows
    over_large = large if nulls else None
    return pl.DataFrame(
        {
            "g": group,
            "y": decimals(y, 3, over_large=over_large),
            "x": decimals(x, 2, over_large=over_large),
            "same": decimals(x, 3, over_large=over_large),
            "large": large,
        }
    )


FRAMES = {nulls: frame(nulls=nulls) for nulls in (False, True)}


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("order", ["sorted", "shuffled"])
@pytest.mark.parametrize(("case", "x"), READS, ids=str)
def test_decimals_have_the_same_bits_beside_large_ones(case: Case, x: str | None, order: str, nulls: bool) -> None:
    """As alone, where 64 bits hold all numbers."""
    mixed = FRAMES[nulls]
    if order == "shuffled":
        mixed = mixed.sample(fraction=1.0, shuffle=True, seed=3).sort("x", nulls_last=True)
    expression = case("y", x, by="g").alias("result")
    alone = mixed.filter(~pl.col("large")).select(expression).to_series()
    beside = mixed.with_columns(expression).filter(~pl.col("large")).get_column("result")
    assert alone.null_count() < alone.len()
    fields = alone.struct.fields if alone.dtype == pl.Struct else [None]
    for name in fields:
        assert_same(*(column if name is None else column.struct.field(name) for column in (beside, alone)))


@given(st.lists(st.integers(-6, 6), min_size=3, max_size=40), st.sampled_from([0, LEAST, MOST, LARGE]), st.data())
@settings(deadline=None)
def test_decimals_around_the_ends_of_64_bits_have_exact_differences(
    steps: list[int], top: int, data: st.DataObject
) -> None:
    """Those of small integers, in shifted copies of any chunks."""
    y = np.cumsum(steps).tolist()
    cut = data.draw(st.integers(0, len(y)))
    column = pl.concat([decimals([top + value for value in part], 0) for part in (y[:cut], y[cut:])], rechunk=False)
    got = pl.DataFrame({"y": column}).select(pg.gradient("y")).to_series()
    expected = pl.DataFrame({"y": y}, schema={"y": pl.Int64}).select(pg.gradient("y")).to_series()
    assert_series_equal(got, expected, check_exact=True)


def test_slopes_of_float16_are_rounded_once() -> None:
    """To the nearest float of 16 bits: of 32 bits, these numbers are halfway between two."""
    # Slopes beside the middle between 1 + k/1024 and the next, as a float of 64 bits tells them apart.
    slopes = [1 + (2 * k + 1) / 2048 + side * 2.0**-40 for k in range(1024) for side in (-1, 1)]
    lines = [pl.DataFrame({"line": k, "y": [0.0, 1.0], "x": [0.0, 1 / slope]}) for k, slope in enumerate(slopes)]
    frame = pl.concat(lines).with_columns(pl.col("y").cast(pl.Float16))
    got = frame.select(pg.gradient("y", x="x", by="line")).to_series()
    assert got.dtype == pl.Float16
    expected = np.float16(slopes)
    assert (expected != np.float16(np.float32(slopes))).any()
    np.testing.assert_array_equal(got.to_numpy().reshape(-1, 2), np.stack([expected, expected], axis=1))


@given(st.lists(st.integers(0, 2**16 - 1), min_size=3, max_size=60))
@settings(deadline=None)
def test_float16_of_any_bits(bits: list[int]) -> None:
    """Subnormal numbers, signed zeros, infinities and NaNs, as numpy reads and writes them."""
    halves = np.array(bits, dtype=np.uint16).view(np.float16)
    got = pl.DataFrame({"y": halves}).select(pg.gradient("y")).to_series()
    with np.errstate(all="ignore"):
        wide = halves.astype(np.float64)
        expected = ((wide[2:] - wide[:-2]) / 2 + wide[1:-1] * 0).astype(np.float16)
    np.testing.assert_array_equal(got.to_numpy()[1:-1], expected)


def test_decimal_results_are_exact() -> None:
    """A gain in the dtype of the counter, on both sides of 64 bits."""
    y = pl.Series("y", [Decimal("92233720368547758.07"), Decimal("92233720368547758.08"), Decimal("1e20")])
    y = y.cast(pl.Decimal(38, 2))
    got = pl.DataFrame({"y": y}).select(pg.increase("y")).to_series()
    assert got.to_list() == [None, Decimal("0.01"), Decimal("99907766279631452241.92")]
