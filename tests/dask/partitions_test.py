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
from polars.testing import assert_frame_equal
from rows import assert_slopes, evenly, in_polars, nan, partitioned, readings, with_slope

import polars_grad as pg
import polars_grad.dask
from polars_grad._batches import stitch as _stitch

pytestmark = pytest.mark.usefixtures("here")

with_columns = polars_grad.dask.with_columns
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
    slopes = with_slope(partitioned(in_order, cuts), by=by, presorted=True, strict=False, **options)
    assert slopes.npartitions == len(cuts) + 1
    got = slopes.compute()
    assert got.dtypes.to_dict() == slopes.dtypes.to_dict()
    assert list(got.index) == list(in_order.index)
    assert_slopes(got, in_order, by, strict=False, **options)


@given(data=st.data(), rows=sorted_rows(), options=options)
def test_presorted_rows_without_keys_or_x(data: st.DataObject, rows: pd.DataFrame, options: Any) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=12)))
    ddf = partitioned(rows, cuts)
    got = with_slope(ddf, presorted=True, strict=False, **options).compute()
    assert_slopes(got, rows, None, strict=False, **options)
    without_x = {**options, "max_gap": None, "spacing": 0.25}
    got = with_slope(ddf, "y", None, presorted=True, by=["k", "j"], **without_x).compute()
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
    slopes = with_slope(partitioned(shuffled, cuts), by=by, **options)
    got = slopes.compute()
    assert got.dtypes.to_dict() == slopes.dtypes.to_dict()
    assert_slopes(got, in_order, by, **options)


@given(data=st.data(), rows=sorted_rows(), options=options, duplicates=st.sampled_from(["first", "last", "mean"]))
def test_presorted_rows_of_one_x_are_one_point(
    data: st.DataObject, rows: pd.DataFrame, options: Any, duplicates: str
) -> None:
    """Also where partitions are cut between them, and where the rows of one x fill some."""
    repeated = rows["x"].where(rows["x"].isna(), rows["x"] // 100 * 100)
    rows = rows.assign(x=repeated.astype(rows.dtypes["x"]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=12)))
    arguments = {"strict": False, "duplicates": duplicates, **options}
    slopes = with_slope(partitioned(rows, cuts), by=["k", "j"], presorted=True, **arguments)
    assert_slopes(slopes.compute(), rows, ["k", "j"], **arguments)


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
        slopes = with_slope(evenly(rows, 2), "y", x, by="k", presorted=True)
        assert slopes.dtypes["slope"] == expected
        got = slopes.compute()
        assert got.dtypes["slope"] == expected
        # One row alone has no slope.
        assert got["slope"].isna().tolist() == [False] * 4 + [True]
        assert_slopes(got, rows, "k", x)


def test_nan_of_numpy_is_a_value_and_missing_is_null() -> None:
    rows = pd.DataFrame({"x": range(5), "y": [0.0, 1.0, nan, 9.0, 16.0]})
    slopes = with_slope(evenly(rows, 2), presorted=True, nulls="skip").compute()
    assert slopes["slope"].isna().tolist() == [False, True, True, True, False]
    for dtype in ("Float64", "double[pyarrow]"):
        slopes = with_slope(evenly(rows.astype({"y": dtype}), 2), presorted=True, nulls="skip").compute()
        assert slopes["slope"].tolist() == [1.0, 2.0, pd.NA, 6.0, 7.0]


def test_a_new_column_may_replace_one_that_is_read() -> None:
    rows = pd.DataFrame({"k": [1, 1, 1, 2, 2], "t": [0, 1, 3, 0, 2], "y": [0.0, 1.0, 9.0, 5.0, 4.0]})
    slope, step = pg.gradient("y", "t", by="k"), pg.gradient("t", by="k")
    for presorted in (False, True):
        for names in (["y", "t"], ["t", "y"], ["k", "d"], ["d", "k"], ["", "y"]):
            exprs = dict(zip(names, [slope, step], strict=True))
            got = with_columns(evenly(rows, 2), **exprs, presorted=presorted).compute().sort_index()
            assert_frame_equal(in_polars(got), in_polars(rows).with_columns(**exprs))


def test_lists_are_of_pyarrow() -> None:
    cells = pd.ArrowDtype(pa.list_(pa.float64()))
    rows = pd.DataFrame({"t": [0, 1, 3], "v": pd.Series([[0.0, 1.0], [1.0, 5.0], [9.0, 2.0]], dtype=cells)})
    inside, down = pg.gradient("v", axis=1).alias("inside"), pg.gradient("v", x="t").alias("down")
    for exprs in ([inside], [inside, down]):
        slopes = with_columns(evenly(rows, 2), exprs, presorted=True)
        got = slopes.compute()
        assert got.dtypes.to_dict() == slopes.dtypes.to_dict()
        assert_frame_equal(in_polars(got), in_polars(rows).with_columns(exprs))


@pytest.mark.parametrize("family", ["float64", "Float64", "double[pyarrow]"])
def test_structs_are_of_pyarrow(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of operators with several outputs; no operator has any yet."""
    evaluate = _stitch.evaluate

    def with_error(y: pl.Series, *rest: Any) -> pl.Series:
        return pl.DataFrame({"value": evaluate(y, *rest), "error": y}).to_struct(y.name)

    monkeypatch.setattr(_stitch, "evaluate", with_error)
    rows = pd.DataFrame({"k": [1, 1, 2, 2], "t": range(4), "y": pd.Series([0.0, 1.0, 4.0, 9.0], dtype=family)})
    for presorted in (False, True):
        slopes = with_slope(evenly(rows, 3), "y", "t", by="k", presorted=presorted)
        got = slopes.compute().sort_index()
        assert got.dtypes["slope"] == slopes.dtypes["slope"]
        assert str(slopes.dtypes["slope"]) == "struct<value: double, error: double>[pyarrow]"
        values = [{"value": slope, "error": y} for slope, y in zip([1.0, 1.0, 5.0, 5.0], rows["y"], strict=True)]
        assert got["slope"].tolist() == values


@pytest.mark.parametrize("nulls", ["propagate", "skip"])
def test_a_column_of_standard_deviations(nulls: Any) -> None:
    rows = readings(300, 3)[["id", "x", "y"]]
    rows = rows.assign(s=pd.array([None if row % 17 == 3 else 0.5 + row % 7 for row in range(300)], dtype="Float64"))
    line = pg.rolling_slope("y", "x", window_size=4, sigma="s", by="id", nulls=nulls).alias("line")
    error = pg.derivative("y", "x", with_error=True, sigma="s", by="id", nulls=nulls).alias("error")
    expected = in_polars(rows).select(line, error)
    for presorted in (False, True):
        got = with_columns(evenly(rows, 29), line, error, presorted=presorted).compute().loc[rows.index]
        assert_frame_equal(in_polars(got[["line", "error"]]), expected, check_exact=True)
    with pytest.raises(ValueError, match="`sigma` must be a column of `ddf`, got 'noise'"):
        with_columns(evenly(rows, 29), line=pg.rolling_slope("y", "x", window_size=4, sigma="noise"))


def test_operators_inside_of_cells_need_no_order() -> None:
    cells = pd.ArrowDtype(pa.list_(pa.float64()))
    rows = pd.DataFrame({"v": pd.Series([[0.0, 1.0], [1.0, 5.0], [9.0, 2.0]], dtype=cells)})
    got = with_columns(evenly(rows, 2), d=pg.gradient("v", x=[0.0, 0.5], axis=1)).compute()
    assert_frame_equal(in_polars(got), in_polars(rows).with_columns(d=pg.gradient("v", x=[0.0, 0.5], axis=1)))


def test_rows_sorted_by_other_columns() -> None:
    """Without x, or where x is no order."""
    rows = pd.DataFrame({"k": [1, 2, 1, 2, 1], "at": [3, 0, 1, 9, 2], "y": [9.0, 5.0, 1.0, 4.0, 7.0]})
    slope = pg.gradient("y", by="k", spacing=0.5)
    got = with_columns(evenly(rows, 2), d=slope, order_by="at").compute().sort_index()
    expected = in_polars(rows.sort_values("at")).with_columns(d=slope)
    assert got.loc[rows.sort_values("at").index, "d"].tolist() == expected["d"].to_list()


def test_bytes_as_keys() -> None:
    """Also such as are no UTF-8, and those that differ in these only."""
    keys = [b"\xff\xfe", b"\xff", b"", None, b"a", b"\x80"] * 3
    for dtype in (pa.binary(), pa.large_binary()):
        rows = pd.DataFrame({"k": pd.Series(keys).astype(pd.ArrowDtype(dtype)), "x": range(18), "y": range(18)})
        in_order = rows.iloc[in_polars(rows)["k"].arg_sort().to_numpy()]
        assert_slopes(with_slope(evenly(rows, 4), by="k").compute(), in_order, "k")
        assert_slopes(with_slope(evenly(in_order, 4), by="k", presorted=True).compute(), in_order, "k")


def test_keys_of_dtype_object_are_strings_or_dates() -> None:
    """Others could be equal across partitions and not to the shuffle."""
    rows = pd.DataFrame({"k": pd.Series([1, 1, 2], dtype=object), "x": range(3), "y": range(3)})
    for presorted in (False, True):
        with pytest.raises(ComputeError, match="key `k` of dtype object holds Int64; give it a dtype of its own"):
            with_slope(evenly(rows, 2), by="k", presorted=presorted).compute()


# What is read, and when


# Dask itself calls what pandas 3.1 deprecates.
@pytest.mark.filterwarnings("ignore:The inplace keyword")
def test_only_what_is_needed_is_read(tmp_path: Any) -> None:
    readings(600).to_parquet(tmp_path / "rows.parquet", index=False)
    slopes = with_slope(dd.read_parquet(tmp_path), by="id", presorted=True)[["slope"]]
    (read,) = slopes.simplify().expr.find_operations(dd.dask_expr.io.parquet.ReadParquet)
    assert sorted(read.columns) == ["id", "x", "y"]


@pytest.mark.parametrize("part", [0, 1])
def test_partitions_that_fail_name_the_same_row(part: int) -> None:
    """Whichever of them is computed first."""
    rows = pd.DataFrame({"k": list("aaabbb"), "x": [0, 1, 1, 0, 1, 2], "y": pd.array([1.0] * 6, dtype="Float64")})
    rows.index = pd.Index([f"row {row}" for row in range(6)])
    rows.loc["row 4", "y"] = None
    slopes = with_slope(evenly(rows, 2), by="k", presorted=True)
    with pytest.raises(ComputeError, match="in the row with index row 2, column `slope`: "):
        slopes.partitions[part].compute()


def test_rows_that_change_after_the_call() -> None:
    source = pd.DataFrame({"x": range(4), "y": range(4)})
    left = [4]
    ddf = dd.from_map(lambda _: source[: left[0]], [0], meta=source[:0])
    slopes = with_slope(ddf, presorted=True)
    left[0] = 3
    with pytest.raises(ComputeError, match="a partition has 3 rows, but had 4 when its neighbors were looked for"):
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
        (
            {"y": pl.col("y") * 2},
            ValueError,
            "`y` of `y` must be the name of a column in `polars_grad.dask.with_columns`",
        ),
        ({"x": pl.col("x") + 1}, ValueError, "`x` of `y` must be the name of a column"),
        ({"by": ["k", pl.col("k") + 1]}, ValueError, "`by` of `y` must be the name of a column"),
        ({"presorted": 1}, TypeError, "`presorted` must be True or False, got 1"),
        ({"presorted": pg.gradient("y")}, TypeError, 'a column of this name is made by `.alias("presorted")`'),
        ({"order_by": pg.gradient("y")}, TypeError, 'a column of this name is made by `.alias("order_by")`'),
        ({"order_by": "x", "presorted": True}, ValueError, "`order_by` sorts rows, and `presorted=True` says that"),
        ({"order_by": ["x", "z"]}, ValueError, "`order_by` must be a column of `ddf`, got 'z'"),
        ({"by": None}, ValueError, "without `by` rows must be sorted by x, with `presorted=True`; use `ddf.sort_val"),
        ({"x": None}, ValueError, "rows of a group have no order without `x`"),
        ({"y": "z"}, ValueError, "`y` must be a column of `ddf`, got 'z', but its columns are `k`, `x`, `y`, `o`, `s`"),
        ({"x": "at"}, ValueError, "make a column of the index by `ddf.assign(at=ddf.index)`"),
        ({"by": ["k", "z"]}, ValueError, "`by` must be a column of `ddf`, got 'z'"),
        ({"y": "o"}, ComputeError, "`y` must be numbers or times, but column `o` is of dtype object"),
        ({"y": "s"}, ComputeError, "column `s` is str; parse it first"),
        ({"per": "1h"}, ComputeError, "`per`"),
        ({"d": pl.col("y")}, ValueError, "`polars_grad.dask.with_columns` takes operators such as"),
        ({"d": pg.gradient("y", x="x", by=["k", "s"])}, ValueError, "must share `by`"),
    ],
    ids=str,
)
def test_arguments_are_checked_at_once(arguments: Any, kind: type[Exception], message: str) -> None:
    ddf = dd.from_map(lambda _: pytest.fail("nothing is to be read"), [0], meta=ROWS[:0])
    of_gradient = {name: value for name, value in arguments.items() if name in ("y", "x", "by", "per")}
    of_frame = {name: value for name, value in arguments.items() if name not in {"ddf", *of_gradient}}
    slope = pg.gradient(**{"y": "y", "x": "x", "by": "k", **of_gradient})
    with pytest.raises(kind, match=re.escape(message)):
        with_columns(arguments.get("ddf", ddf), slope, **of_frame)


def test_no_operators() -> None:
    assert with_columns(evenly(ROWS[["k", "x"]], 2)).compute().equals(ROWS[["k", "x"]])


# The documentation


def test_examples_of_the_docstring() -> None:
    told: list[str] = []
    (example,) = [test for test in doctest.DocTestFinder().find(polars_grad.dask) if test.examples]
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=told.append)
    assert not told, "".join(told)


def test_every_argument_is_documented() -> None:
    parameters = inspect.cleandoc(with_columns.__doc__).split("Parameters\n----------\n")[1].split("\n\nReturns\n")[0]
    documented = [line for line in parameters.splitlines() if re.fullmatch(r"[*]*\w+", line)]
    assert [line.strip("*") for line in documented] == [*inspect.signature(with_columns).parameters]
