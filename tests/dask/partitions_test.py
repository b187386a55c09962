"""Rows cut into partitions have the slopes of the same rows in Polars, to the bit; all in this process."""

from __future__ import annotations

import doctest
import inspect
import math
import re
from itertools import accumulate
from typing import Any

import dask.dataframe as dd
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.exceptions import ComputeError
from rows import assert_slopes, evenly, in_polars, nan, partitioned, readings

import polars_grad as pg
import polars_grad.dask

pytestmark = pytest.mark.usefixtures("here")

gradient = polars_grad.dask.gradient
FAMILIES = ["numpy", "nullable", "pyarrow"]
DECIMAL = pd.ArrowDtype(pa.decimal128(25, 3))

options = st.fixed_dictionaries(
    {
        "edge_order": st.sampled_from([1, 2]),
        "nulls": st.sampled_from(["propagate", "skip", "split"]),
        "max_gap": st.sampled_from([None, 20.0, 90.0]),
    }
)


@st.composite
def sorted_rows(draw: st.DrawFn) -> pd.DataFrame:
    """Up to 30 rows by two keys; nulls in x and y, NaN in y, in any family of dtypes."""
    family = draw(st.sampled_from(FAMILIES))
    count = draw(st.integers(1, 30))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    x = accumulate(column(st.floats(0.01, 100.0)))
    y = column(st.one_of(st.floats(-1e6, 1e6), st.sampled_from([nan, math.inf, -0.0])))
    null = [draw(st.sampled_from([[False], [False, False, True]])) for _ in range(2)]
    absent = [column(st.sampled_from(choice)) for choice in null]
    frame = pl.DataFrame(
        {
            "k": column(st.sampled_from([None, "a", "b"])),
            "j": column(st.sampled_from([1, 2])),
            "x": [None if gone else value for value, gone in zip(x, absent[0], strict=True)],
            "y": [None if gone else value for value, gone in zip(y, absent[1], strict=True)],
        },
        schema={"k": pl.String, "j": pl.Int64, "x": pl.Float64, "y": pl.Float64},
    ).sort("k", "j", maintain_order=True)
    if family == "numpy":
        # A missing x of numpy is NaN, and out of order.
        frame = frame.with_columns(pl.col("x").interpolate().fill_null(strategy="forward").fill_null(-1.0))
        frame = frame.with_columns(x=pl.int_range(pl.len()) + pl.col("x") / 1e9)
    arrow = frame.to_arrow()
    rows = arrow.to_pandas(types_mapper=pd.ArrowDtype) if family == "pyarrow" else arrow.to_pandas()
    if family == "nullable":
        rows = rows.assign(x=_nullable(frame["x"]), y=_nullable(frame["y"]))
    rows.index = pd.Index(draw(st.permutations(range(count))), name="row")
    return rows


def _nullable(column: pl.Series) -> Any:
    missing = column.is_null().to_numpy(writable=True)
    return pd.arrays.FloatingArray(column.fill_null(0).to_numpy(writable=True), missing)


@given(data=st.data(), rows=sorted_rows(), options=options)
def test_presorted_rows_cut_anywhere(data: st.DataObject, rows: pd.DataFrame, options: Any) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=12)))
    by = data.draw(st.sampled_from([["k", "j"], "k"]))
    in_order = rows if by != "k" else rows.iloc[in_polars(rows)["k"].arg_sort().to_numpy()]
    slopes = gradient(
        partitioned(in_order, cuts), "y", "x", by=by, name="slope", presorted=True, strict=False, **options
    )
    assert slopes.npartitions == len(cuts) + 1
    got = slopes.compute()
    assert got.dtypes.to_dict() == slopes.dtypes.to_dict()
    assert list(got.index) == list(in_order.index)
    assert_slopes(got, in_order, by, strict=False, **options)


@given(data=st.data(), rows=sorted_rows(), options=options)
def test_presorted_rows_without_keys_or_x(data: st.DataObject, rows: pd.DataFrame, options: Any) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=12)))
    ddf = partitioned(rows, cuts)
    got = gradient(ddf, "y", "x", name="slope", presorted=True, strict=False, **options).compute()
    assert_slopes(got, rows, None, strict=False, **options)
    without_x = {**options, "max_gap": None, "spacing": 0.25}
    got = gradient(ddf, "y", name="slope", presorted=True, by=["k", "j"], **without_x).compute()
    assert_slopes(got, rows, ["k", "j"], None, **without_x)


@given(data=st.data(), rows=sorted_rows(), options=options)
def test_rows_in_any_order(data: st.DataObject, rows: pd.DataFrame, options: Any) -> None:
    by = data.draw(st.sampled_from([["k", "j"], ["k"], "j"]))
    names = [by] if isinstance(by, str) else by
    # Where x is missing there is no order to find again.
    rows = rows[rows["x"].notna()]
    in_order = rows.iloc[in_polars(rows).select(pl.arg_sort_by([*names, "x"])).to_series().to_numpy()]
    shuffled = in_order.iloc[data.draw(st.permutations(range(len(rows))))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=6)))
    slopes = gradient(partitioned(shuffled, cuts), "y", "x", by=by, name="slope", **options)
    got = slopes.compute()
    assert got.dtypes.to_dict() == slopes.dtypes.to_dict()
    assert_slopes(got, in_order, by, **options)


# Dtypes


@pytest.mark.parametrize(
    ("y", "over_rows", "over_time"),
    [
        ("float64", "float64", "float64"),
        ("float32", "float32", "float32"),
        ("float16", "float16", "float16"),
        ("int8", "float64", "float64"),
        ("uint64", "float64", "float64"),
        ("Float32", "Float32", "Float32"),
        ("Int64", "Float64", "Float64"),
        ("float[pyarrow]", "float[pyarrow]", "float[pyarrow]"),
        ("int32[pyarrow]", "double[pyarrow]", "double[pyarrow]"),
        (DECIMAL, "double[pyarrow]", "double[pyarrow]"),
        ("datetime64[ns]", "timedelta64[ns]", "float64"),
        ("timedelta64[ms]", "timedelta64[ms]", "float64"),
        ("datetime64[us, UTC]", "timedelta64[us]", "float64"),
        ("timestamp[us][pyarrow]", "duration[us][pyarrow]", "double[pyarrow]"),
    ],
)
def test_dtypes_of_slopes(y: Any, over_rows: str, over_time: str) -> None:
    values = pd.Series([5, 8, 10, 4, 7])
    values = values.astype("datetime64[ns]").dt.tz_localize("UTC") if "UTC" in str(y) else values
    rows = pd.DataFrame({"k": [1, 1, 1, 1, 2], "t": pd.to_datetime([0, 1, 2, 3, 4], unit="s"), "y": values.astype(y)})
    for x, expected in ((None, over_rows), ("t", over_time)):
        slopes = gradient(evenly(rows, 2), "y", x, by="k", name="slope", presorted=True)
        assert slopes.dtypes["slope"] == expected
        got = slopes.compute()
        assert got.dtypes["slope"] == expected
        # One row alone has no slope.
        assert got["slope"].isna().tolist() == [False] * 4 + [True]
        assert_slopes(got, rows, "k", x)


def test_nan_of_numpy_is_a_value_and_missing_is_null() -> None:
    rows = pd.DataFrame({"x": range(5), "y": [0.0, 1.0, nan, 9.0, 16.0]})
    slopes = gradient(evenly(rows, 2), "y", "x", presorted=True, nulls="skip").compute()
    assert slopes["y"].isna().tolist() == [False, True, True, True, False]
    for dtype in ("Float64", "double[pyarrow]"):
        slopes = gradient(evenly(rows.astype({"y": dtype}), 2), "y", "x", presorted=True, nulls="skip").compute()
        assert slopes["y"].tolist() == [1.0, 2.0, pd.NA, 6.0, 7.0]


def test_the_new_column_may_take_the_place_of_one_that_is_read() -> None:
    rows = pd.DataFrame({"k": [1, 1, 1, 2, 2], "t": [0, 1, 3, 0, 2], "y": [0.0, 1.0, 9.0, 5.0, 4.0]})
    for presorted in (False, True):
        for name in ("y", "t", "k", None):
            got = gradient(evenly(rows, 2), "y", "t", by="k", name=name, presorted=presorted).compute().sort_index()
            slopes = in_polars(rows).select(pg.gradient("y", "t", by="k")).to_series().to_list()
            assert got[name or "y"].tolist() == slopes
            assert list(got.columns) == list(rows.columns)


def test_keys_of_dtype_object_are_strings_or_dates() -> None:
    """Others could be equal across partitions and not to the shuffle."""
    rows = pd.DataFrame({"k": pd.Series([1, 1, 2], dtype=object), "x": range(3), "y": range(3)})
    for presorted in (False, True):
        with pytest.raises(ComputeError, match="key `k` of dtype object holds Int64; give it a dtype of its own"):
            gradient(evenly(rows, 2), "y", "x", by="k", presorted=presorted).compute()


# What is read, and when


# Dask itself calls what pandas 3.1 deprecates.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_only_what_is_needed_is_read(tmp_path: Any) -> None:
    readings(600).to_parquet(tmp_path / "rows.parquet", index=False)
    slopes = gradient(dd.read_parquet(tmp_path), "y", "x", by="id", name="slope", presorted=True)[["slope"]]
    (read,) = slopes.simplify().expr.find_operations(dd.dask_expr.io.parquet.ReadParquet)
    assert sorted(read.columns) == ["id", "x", "y"]


def test_rows_that_change_after_the_call() -> None:
    source = pd.DataFrame({"x": range(4), "y": range(4)})
    left = [4]
    ddf = dd.from_map(lambda _: source[: left[0]], [0], meta=source[:0])
    slopes = gradient(ddf, "y", "x", presorted=True)
    left[0] = 3
    with pytest.raises(ComputeError, match="a partition has 3 rows, but had 4 when its neighbours were looked for"):
        slopes.compute()


ROWS = pd.DataFrame(
    {
        "k": [1, 1, 2],
        "x": [0.0, 1.0, 0.0],
        "y": [1.0, 2.0, 3.0],
        "o": [object()] * 3,
        "s": pd.array(list("abc"), dtype="string"),
    },
    index=pd.Index([5, 6, 7], name="at"),
)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"ddf": ROWS}, TypeError, "`ddf` must be a Dask DataFrame, got DataFrame; use `dd.from_pandas(df, ...)`"),
        ({"y": pl.col("y")}, TypeError, "`y` must be a column name, got Expr"),
        ({"x": 1.0}, TypeError, "`x` must be a column name, got float"),
        ({"by": []}, ValueError, "`by` must name at least one column"),
        ({"name": 3}, TypeError, "`name` must be the name of a column, got int"),
        ({"edge_order": 3}, ValueError, "`edge_order` must be 1 or 2, got 3"),
        ({"presorted": 1}, TypeError, "`presorted` must be True or False, got 1"),
        ({"by": None}, ValueError, "without `by` rows must be sorted by x, with `presorted=True`; use `ddf.sort_val"),
        ({"x": None}, ValueError, "rows of a group have no order without `x`"),
        ({"y": "z"}, ValueError, "`y` must be a column of `ddf`, got 'z', but its columns are `k`, `x`, `y`, `o`, `s`"),
        ({"x": "at"}, ValueError, "make a column of the index by `ddf.assign(at=ddf.index)`"),
        ({"by": ["k", "z"]}, ValueError, "`by` must be a column of `ddf`, got 'z'"),
        ({"y": "o"}, ComputeError, "`y` must be numbers or times, but column `o` is of dtype object"),
        ({"y": "s"}, ComputeError, "column `s` is str; cast it first"),
        ({"per": "1h"}, ComputeError, "`per`"),
    ],
    ids=str,
)
def test_arguments_are_checked_at_once(arguments: Any, kind: type[Exception], message: str) -> None:
    ddf = dd.from_map(lambda _: pytest.fail("nothing is to be read"), [0], meta=ROWS[:0])
    with pytest.raises(kind, match=re.escape(message)):
        gradient(**{"ddf": ddf, "y": "y", "x": "x", "by": "k", **arguments})


# The documentation


def test_examples_of_the_docstring() -> None:
    told: list[str] = []
    (example,) = [test for test in doctest.DocTestFinder().find(polars_grad.dask) if test.examples]
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=told.append)
    assert not told, "".join(told)


def test_every_option_of_gradient_is_taken_and_documented() -> None:
    own = {"ddf", "name", "presorted"}
    of_frame, of_expression = (
        [
            (row.name, row.kind, row.default)
            for row in inspect.signature(function).parameters.values()
            if row.name != "axis"
        ]
        for function in (gradient, pg.gradient)
    )
    assert [row for row in of_frame if row[0] not in own] == of_expression
    parameters = inspect.cleandoc(gradient.__doc__).split("Parameters\n----------\n")[1].split("\n\nReturns\n")[0]
    assert [line for line in parameters.splitlines() if re.fullmatch(r"\w+", line)] == [row[0] for row in of_frame]
