"""Integrals and windows of a length over partitions: sums go from one to the next, windows reach over several."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partitions_test import sorted_rows
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from rows import evenly, in_polars, nan, partitioned, readings

import polars_grad as pg
import polars_grad.dask

pytestmark = pytest.mark.usefixtures("here")

with_columns = polars_grad.dask.with_columns

OPERATORS: dict[str, Any] = {
    "total": pg.integral,
    "held": lambda *columns, **domain: pg.integral(*columns, hold=True, initial=1.5, **domain),
    "trailing": lambda *columns, **domain: pg.rolling_slope(*columns, window_size=120.0, **domain),
    "short": lambda *columns, **domain: pg.rolling_slope(*columns, window_size=5.0, closed="both", **domain),
    "centred": lambda *columns, **domain: pg.rolling_slope(*columns, window_size=300.0, center=True, **domain),
    "rows": lambda *columns, **domain: pg.rolling_slope(*columns, window_size=3, **domain),
    "gradient": pg.gradient,
}
options = st.fixed_dictionaries(
    {
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "max_gap": st.sampled_from([None, 20.0, 90.0]),
        "duplicates": st.sampled_from(["error", "first", "last", "mean"]),
        "strict": st.just(False),
    }
)


def assert_same_rows(got: pd.DataFrame, rows: pd.DataFrame, operators: dict[str, Any]) -> None:
    """Each row with the results that it has in one frame."""
    expected = in_polars(rows).with_columns(**operators)
    got = in_polars(got.loc[rows.index])
    if rows.dtypes["y"] == "float64":
        expected = expected.with_columns(pl.col(*operators).fill_null(nan))
    assert_frame_equal(got, expected, check_exact=True)


@given(data=st.data(), rows=sorted_rows(), options=options, by=st.sampled_from([["k", "j"], None]))
@settings(max_examples=30)
def test_presorted_rows_cut_anywhere(data: st.DataObject, rows: pd.DataFrame, options: Any, by: Any) -> None:
    if data.draw(st.booleans()):
        repeated = rows["x"].where(rows["x"].isna(), rows["x"] // 10 * 10)
        rows = rows.assign(x=repeated.astype(rows.dtypes["x"]))
    names = data.draw(st.lists(st.sampled_from([*OPERATORS]), min_size=1, max_size=3, unique=True))
    operators = {name: OPERATORS[name]("y", "x", by=by, **options) for name in names}
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=12)))
    got = with_columns(partitioned(rows, cuts), **operators, presorted=True)
    assert_same_rows(got.compute(), rows, operators)


@given(data=st.data(), rows=sorted_rows(), options=options)
@settings(max_examples=20)
def test_rows_in_any_order(data: st.DataObject, rows: pd.DataFrame, options: Any) -> None:
    # Where x is missing there is no order to find again.
    rows = rows[rows["x"].notna()]
    in_order = rows.iloc[in_polars(rows).select(pl.arg_sort_by(["k", "j", "x"])).to_series().to_numpy()]
    shuffled = in_order.iloc[data.draw(st.permutations(range(len(rows))))]
    names = data.draw(st.lists(st.sampled_from([*OPERATORS]), min_size=1, max_size=3, unique=True))
    operators = {name: OPERATORS[name]("y", "x", by=["k", "j"], **options) for name in names}
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=6)))
    got = with_columns(partitioned(shuffled, cuts), **operators)
    assert_same_rows(got.compute(), in_order, operators)


@pytest.mark.parametrize(("size", "count"), [(1, 50), (7, 200), (400, 400)])
def test_many_partitions_away(size: int, count: int) -> None:
    """Windows and groups that are longer than many partitions."""
    rows = readings(count, 2)
    operators = {
        "slope": pg.rolling_slope("y", "x", window_size="20m", by="id", nulls="skip", per="1h"),
        "centred": pg.rolling_slope("y", "x", window_size="1h", center=True, by="id", nulls="split"),
        "total": pg.integral("y", "x", by="id", nulls="skip", per="1h"),
        "held": pg.integral("y", "x", by="id", nulls="split", hold=True),
        "until": pg.integral("y", "x", by="id"),
    }
    got = with_columns(evenly(rows, size), **operators, presorted=True).compute()
    assert_same_rows(got, rows, operators)


def test_an_x_that_repeats_beside_a_null_is_not_checked_as_in_the_whole() -> None:
    """Wherever partitions end: a row beside a null is null, and its x is not read."""
    x = pd.array([0.0, None, 0.0, 0.0, None, 5.0, 6.0], dtype="Float64")
    rows = pd.DataFrame({"k": 1, "x": x, "y": pd.array(range(7), dtype="Float64")})
    for operator in (pg.gradient, pg.derivative):
        operators = {"slope": operator("y", x="x", by="k")}
        for size in range(1, 8):
            got = with_columns(evenly(rows, size), **operators, presorted=True).compute()
            assert_same_rows(got, rows, operators)


def test_a_null_behind_the_end_of_a_halo() -> None:
    """A partition sees two repeated x of the one after it, but not the null behind them, by which none is checked."""
    for edge_order in (1, 2):
        for x in ([0.0, 1.0, 2.0, None, 3.0, 3.0, None, 4.0, 5.0], [0.0, None, 3.0, 3.0, None, 4.0, 4.0, None, 5.0]):
            rows = pd.DataFrame({"x": pd.array(x, dtype="Float64"), "y": pd.array(range(9), dtype="Float64")})
            operators: dict[str, Any] = {"slope": pg.gradient("y", x="x", edge_order=edge_order)}
            for size in range(1, 9):
                got = with_columns(evenly(rows, size), **operators, presorted=True).compute()
                assert_same_rows(got, rows, operators)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_what_is_not_sorted(size: int) -> None:
    """Found when it is computed, and named, in every partition that cannot be right."""
    rows = pd.DataFrame({"k": 1, "x": [0.0, 1, 2, 3, 3, 5, 6, 7], "y": 1.0}, index=[f"r{row}" for row in range(8)])
    total = with_columns(evenly(rows, size), total=pg.integral("y", "x", by="k"), presorted=True)
    with pytest.raises(
        ComputeError, match=r"in the row with index r4, column `total`: `x` must be finite and strictly"
    ):
        total.compute()
    if size < 8:
        with pytest.raises(ComputeError, match=r"in the row with index r4, column `total`"):
            total.partitions[total.npartitions - 1].compute()
        assert len(total.partitions[0].compute()) == size
    falling = rows.assign(x=[0.0, 1, 2, 3, 2.5, 5, 6, 7])
    slope = pg.rolling_slope("y", "x", window_size=10.0, by="k")
    with pytest.raises(
        ComputeError, match=r"in the row with index r4, column `slope`: `x` must be finite and strictly"
    ):
        with_columns(evenly(falling, size), slope=slope, presorted=True).compute()


def test_keys_that_are_not_sorted() -> None:
    rows = pd.DataFrame({"k": [1, 2, 1], "x": [0.0, 1.0, 2.0], "y": 1.0})
    for size in (1, 2, 3):
        ddf = with_columns(evenly(rows, size), total=pg.integral("y", "x", by="k"), presorted=True)
        with pytest.raises(ComputeError, match=r"rows must be sorted by key, but in the row with index 2"):
            ddf.compute()
