"""`gradient` is `numpy.gradient` over its documented options for one axis. Seeds are from numpy's own tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import rising, tame_floats

import polars_grad as pg

FLOATS = ["float16", "float32", "float64"]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
TOLERANCE = {"float16": 2e-3, "float32": 1e-6}

SEED = [1, 2, 4, 7, 11, 16]
SEED_X = [0.0, 1.0, 1.5, 3.5, 4.0, 6.0]


def gradient(y: Any, x: Any = None, **options: Any) -> pl.Series:
    frame = pl.DataFrame({"y": pl.Series(y)} if x is None else {"y": pl.Series(y), "x": pl.Series(x)})
    return frame.select(pg.gradient("y", None if x is None else "x", **options)).to_series()


def assert_parity(y: np.ndarray, *spacing: Any, edge_order: Any = 1) -> None:
    """Compare with numpy: a scalar is our `spacing`, an array our `x`."""
    x = spacing[0] if spacing and np.ndim(spacing[0]) else None
    options = {"spacing": spacing[0]} if spacing and x is None else {}
    got = gradient(y, x, edge_order=edge_order, **options)
    expected = np.gradient(y, *spacing, edge_order=edge_order)
    np.testing.assert_allclose(got.to_numpy(), expected, rtol=TOLERANCE.get(str(y.dtype), 1e-13), atol=1e-13)


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", [(), (2.0,), (-0.5,), (SEED_X,), (SEED_X[::-1],)], ids=str)
def test_the_documented_examples(dtype: str, edge_order: int, spacing: tuple[Any, ...]) -> None:
    assert_parity(np.array(SEED, dtype=dtype), *spacing, edge_order=edge_order)


def test_the_documented_results() -> None:
    assert gradient(SEED).to_list() == [1.0, 1.5, 2.5, 3.5, 4.5, 5.0]
    assert gradient(SEED, spacing=2.0).to_list() == [0.5, 0.75, 1.25, 1.75, 2.25, 2.5]
    np.testing.assert_allclose(gradient(SEED, SEED_X), [1.0, 3.0, 3.5, 6.7, 6.9, 2.5], rtol=1e-15)


@pytest.mark.parametrize(
    ("x", "edge_order", "expected"),
    [
        ([0.0, 1, 2, 3, 4, 5], 1, [2.0, 1.5, 1.0, 1.0, 0.5, 0.0]),
        ([0.0, 1, 2, 3, 4, 5], 2, [2.5, 1.5, 1.0, 1.0, 0.5, -0.5]),
        ([0.0, 0.5, 1, 3, 5, 7], 1, [4.0, 3.0, 1.7, 0.5, 0.25, 0.0]),
        ([0.0, 0.5, 1, 3, 5, 7], 2, [5.0, 3.0, 1.7, 0.5, 0.25, -0.25]),
    ],
)
def test_spacing_and_edge_order(x: list[float], edge_order: Any, expected: list[float]) -> None:
    y = [0.0, 2.0, 3.0, 4.0, 5.0, 5.0]
    np.testing.assert_allclose(gradient(y, x, edge_order=edge_order), expected, rtol=1e-15, atol=0.0)


def test_a_constant_step_may_be_negative_and_of_any_numpy_scalar() -> None:
    y = np.array([0, 1, 4, 9, 16], dtype=np.int32)
    for step in (3, 3.0, -2, np.float32(0.25), np.float64(0.1), np.int16(3), np.uint8(3)):
        assert_parity(y, step)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_second_order_accurate(edge_order: Any) -> None:
    """Within 3 % of a cubic's derivative on ten points, at the ends too if `edge_order` is 2."""
    x = np.linspace(0, 1, 10)
    y = 2 * x**3 + 4 * x**2 + 2 * x
    slopes = gradient(y, x, edge_order=edge_order).to_numpy()
    error = np.abs(slopes / (6 * x**2 + 8 * x + 2) - 1)
    assert (error[1:-1] < 0.03).all()
    assert (error < 0.03).all() == (edge_order == 2)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_falling_integers_do_not_wrap_around(dtype: str) -> None:
    assert gradient(np.array([5, 4, 3, 2, 1], dtype)).to_list() == [-1.0] * 5
    assert gradient(np.array([0, 2, 4]), np.array([3, 2, 1], dtype)).to_list() == [-2.0] * 3


@pytest.mark.parametrize("dtype", INTEGERS)
def test_jumps_across_the_whole_range_do_not_wrap_around(dtype: str) -> None:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    jump = float(high - low)
    assert gradient(np.array([low, high, low], dtype)).to_list() == [jump, 0.0, -jump]
    assert gradient(np.array([0, 1]), np.array([low, high], dtype)).to_list() == [1 / jump] * 2


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_a_big_jump_of_signed_integers(dtype: str) -> None:
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    assert gradient(np.array([-1, high], dtype), np.array([1, 3])).to_list() == [(high + 1) // 2] * 2
    assert gradient(np.array([low // 2, 0]), np.array([-1, high], dtype)).to_list() == [0.5] * 2


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_keep_their_type(dtype: str) -> None:
    y = np.array([1, 2, 3], dtype=dtype)
    assert gradient(y).dtype == pl.Series(y).dtype
    assert gradient(y, np.arange(3.0)).dtype == pl.Series(y).dtype


def test_dates_and_times() -> None:
    """numpy cuts the half day off 0.5 and 31.5 days; a Duration in microseconds keeps it."""
    y = np.array(
        ["1910-08-16", "1910-08-11", "1910-08-10", "1910-08-12", "1910-10-12", "1910-12-12", "1912-12-12"],
        dtype="datetime64[D]",
    )
    half_days = [-10, -6, 1, 63, 122, 792, 1462]
    for dtype in (pl.Date, pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("ns")):
        slopes = gradient(pl.Series(y).cast(dtype))
        assert slopes.dtype == pl.Duration("us" if dtype == pl.Date else dtype.time_unit)
        assert slopes.dt.total_hours().to_list() == [12 * count for count in half_days]
    whole_days = [int(count / 2) for count in half_days]
    assert whole_days == [-5, -3, 0, 31, 61, 396, 731] == np.gradient(y).astype(int).tolist()
    np.testing.assert_array_equal(gradient(y).to_numpy(), np.gradient(y.astype("datetime64[us]")))


def test_durations() -> None:
    """numpy divides timedeltas as integers, here of days; a Duration in microseconds has room for the rest."""
    days = np.array([-5, -3, 10, 12, 61, 321, 300], dtype="timedelta64[D]")
    slopes = gradient(days.astype("timedelta64[us]"))
    assert (slopes.dt.total_hours() / 24).to_list() == [2.0, 7.5, 7.5, 25.5, 154.5, 119.5, -21.0]
    assert np.gradient(days).astype(int).tolist() == [2, 7, 7, 25, 154, 119, -21]
    np.testing.assert_array_equal(slopes.to_numpy(), np.gradient(days.astype("timedelta64[us]")))


def test_too_few_rows_are_null_where_numpy_raises() -> None:
    assert gradient(np.arange(2)).to_list() == [1.0, 1.0]
    assert gradient(np.arange(3), edge_order=2).to_list() == [1.0, 1.0, 1.0]
    for rows, edge_order in ((0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        with pytest.raises(ValueError, match="too small"):
            np.gradient(np.arange(rows), edge_order=edge_order)
        assert gradient(np.arange(rows), edge_order=edge_order).to_list() == [None] * rows


@given(st.data())
def test_random_data(data: st.DataObject) -> None:
    rows = data.draw(st.integers(3, 30))
    y = np.array(data.draw(st.lists(tame_floats, min_size=rows, max_size=rows)))
    x = data.draw(st.one_of(st.just(None), st.floats(0.01, 100.0), st.composite(rising)(rows).map(np.array)))
    edge_order = data.draw(st.sampled_from([1, 2]))
    if isinstance(x, np.ndarray) and data.draw(st.booleans(), label="falling"):
        x = -x
    got = gradient(y, x, edge_order=edge_order) if np.ndim(x) else gradient(y, spacing=x, edge_order=edge_order)
    expected = np.gradient(y, *([] if x is None else [x]), edge_order=edge_order)
    # numpy's form adds y / h that must cancel: this is the size of its rounding errors.
    smallest = np.abs(np.diff(x)).min() if np.ndim(x) else x or 1.0
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12 * np.abs(y).max() / smallest)
