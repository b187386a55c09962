"""Rows, cut into partitions, and the comparison that tests end in."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import polars.selectors as cs
from polars.testing import assert_frame_equal, assert_series_equal

import polars_grad as pg
import polars_grad.dask

if TYPE_CHECKING:
    from collections.abc import Sequence

nan = math.nan


def partitioned(rows: pd.DataFrame, cuts: Sequence[int]) -> dd.DataFrame:
    """Cut into partitions, some of which may be empty."""
    parts = [rows.iloc[start:end] for start, end in pairwise([0, *cuts, len(rows)])]
    return dd.from_map(lambda part: part, parts, meta=rows.iloc[:0])


def evenly(rows: pd.DataFrame, size: int) -> dd.DataFrame:
    return partitioned(rows, range(size, len(rows), size))


def in_polars(rows: pd.DataFrame) -> pl.DataFrame:
    """NaN stays NaN, but for objects; decimals of any precision."""
    for name in rows.columns[rows.dtypes == "object"]:
        rows = rows.assign(**{name: rows[name].where(rows[name].notna(), None)})
    return pl.from_pandas(rows, nan_to_null=False).with_columns(cs.decimal().cast(pl.Decimal(38, 3)))


def with_slope(
    ddf: dd.DataFrame,
    y: str = "y",
    x: str | None = "x",
    *,
    name: str = "slope",
    presorted: bool = False,
    **arguments: Any,
) -> dd.DataFrame:
    """Add the column `slope`, the gradient of y."""
    return polars_grad.dask.with_columns(ddf, pg.gradient(y, x, **arguments).alias(name), presorted=presorted)


def assert_slopes(got: pd.DataFrame, rows: pd.DataFrame, by: Any, x: str | None = "x", **arguments: Any) -> None:
    """`rows` are sorted; each must have come out once, with its slope."""
    assert sorted(got.index) == sorted(rows.index)
    got = got.loc[rows.index]
    expected = in_polars(rows).select(pg.gradient("y", x, by=by, **arguments).alias("slope")).to_series()
    assert_frame_equal(in_polars(got.drop(columns="slope")), in_polars(rows), check_exact=True)
    slopes = in_polars(got)["slope"]
    if isinstance(got.dtypes["slope"], np.dtype) and slopes.dtype.is_float():
        expected = expected.fill_null(nan)
    assert_series_equal(slopes, expected, check_exact=True)
    if slopes.dtype.is_float():
        # That -0.0 is 0.0 to a comparison is not enough.
        signs = [np.signbit(column.fill_null(0.0).fill_nan(0.0).to_numpy()) for column in (slopes, expected)]
        np.testing.assert_array_equal(*signs)


def readings(rows: int = 4000, groups: int = 7) -> pd.DataFrame:
    """By key and time; one reading in ten is missing, groups are of many sizes."""
    random = np.random.default_rng(7)
    ids = np.sort(random.integers(0, groups, rows) * random.integers(0, 2, rows))
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(random.integers(1, 90, rows)), unit="s")
    y = pd.array(random.normal(size=rows).cumsum(), dtype="Float64")
    y[random.random(rows) < 0.1] = pd.NA
    ids = pd.Series(ids)
    return pd.DataFrame(
        {"id": ids, "name": ids.map(lambda key: None if key == 0 else f"n{key}"), "j": ids % 2, "x": at, "y": y},
        index=pd.Index(range(rows), name="row"),
    )
