"""On a cluster of two processes: slopes are those of the same rows in Polars, and errors come back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dask
import dask.dataframe as dd
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.exceptions import ComputeError
from polars.testing import assert_series_equal
from rows import assert_slopes, evenly, in_polars, nan, partitioned, readings, with_slope

import polars_grad as pg
import polars_grad.dask

if TYPE_CHECKING:
    from distributed import Client

pytestmark = pytest.mark.usefixtures("cluster")


ALL_OPTIONS: list[dict[str, Any]] = [
    {},
    {"per": "1h", "edge_order": 2},
    {"nulls": "skip", "max_gap": "60s"},
    {"nulls": "split", "edge_order": 2, "strict": False},
]


@pytest.mark.parametrize("arguments", ALL_OPTIONS, ids=str)
@pytest.mark.parametrize("by", ["id", ["name", "j"]], ids=str)
def test_on_a_cluster(by: Any, arguments: dict[str, Any]) -> None:
    rows = readings()
    slopes = with_slope(evenly(rows, 301), by=by, presorted=True, **arguments)
    assert_slopes(slopes.compute(), rows, by, **arguments)
    shuffled = evenly(rows.sample(frac=1, random_state=3), 301)
    slopes = with_slope(shuffled, by=by, **arguments)
    assert not slopes.known_divisions
    assert_slopes(slopes.compute(), rows, by, **arguments)


@pytest.mark.parametrize("dtype", ["float64", "float32", "Float64", "double[pyarrow]"])
def test_missing_is_not_nan_and_zeros_have_signs(dtype: str) -> None:
    """On the way between processes too."""
    y = pl.Series([0.0, -0.0, nan, None, 5.0, -0.0, -0.0, -0.0, 7.0, 3.0, 0.0, 0.0]).to_arrow()
    rows = pd.DataFrame({"k": [1] * 12, "x": range(12), "y": pd.array(y, dtype="double[pyarrow]").astype(dtype)})
    for presorted in (False, True):
        for nulls in ("skip", "propagate"):
            arguments = {"presorted": presorted, "nulls": nulls}
            slopes = with_slope(evenly(rows, 5), by="k", **arguments).compute()
            assert_slopes(slopes, rows, "k", nulls=nulls)


SEVERAL = [
    pg.gradient("y", x="x", by="id", nulls="skip").alias("skip"),
    pg.gradient("y", x="x", by="id", edge_order=2, nulls="split").alias("split"),
    pg.gradient("j", x="x", by="id", nulls="skip", per="1h").alias("j"),
    pg.gradient("x", by="id").alias("step"),
]


@pytest.mark.parametrize("presorted", [False, True])
def test_several_operators(presorted: bool) -> None:
    """Each has the neighbors that it skips or does not skip; one replaces a column that others read."""
    rows = readings(800)
    ddf = evenly(rows if presorted else rows.sample(frac=1, random_state=5), 37)
    slopes = polars_grad.dask.with_columns(ddf, SEVERAL, presorted=presorted)
    got = slopes.compute()
    assert got.dtypes.to_dict() == slopes.dtypes.to_dict()
    assert list(got.columns) == [*rows.columns, "skip", "split", "step"]
    got = got.loc[rows.index]
    expected = in_polars(rows).with_columns(SEVERAL)
    for name in ("skip", "split", "j", "step"):
        assert_series_equal(in_polars(got)[name], expected[name], check_exact=True)


def test_both_processes_take_part(cluster: Client) -> None:
    slopes = with_slope(evenly(readings(), 100), by="id", presorted=True).persist()
    cluster.gather(cluster.compute(slopes))
    held = cluster.has_what()
    assert len(held) == 2
    assert all(held.values())


def test_a_neighbour_many_partitions_away() -> None:
    """Partitions of one row, of none, and of rows that do not count."""
    y = pd.array([0.0, *[None] * 9, 50.0, 7.0, *[None] * 3, 9.0], dtype="Float64")
    rows = pd.DataFrame({"x": range(16), "y": y})
    for edge_order in (1, 2):
        arguments = {"nulls": "skip", "edge_order": edge_order}
        for cuts in (range(1, 16), [1, 1, 3, 3, 3, 8, 9, 12, 12, 15, 16, 16]):
            slopes = with_slope(partitioned(rows, cuts), presorted=True, **arguments)
            assert_slopes(slopes.compute(), rows, None, **arguments)


def test_no_rows_at_all() -> None:
    rows = readings()[:0]
    for presorted in (False, True):
        slopes = with_slope(partitioned(rows, [0, 0]), by="id", presorted=presorted)
        assert_slopes(slopes.compute(), rows, "id")


# Errors reach the user, and never another result


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("nulls", ["propagate", "skip"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_what_is_not_sorted(size: int, nulls: Any, edge_order: Any) -> None:
    rows = pd.DataFrame({"k": list("aaabbb"), "x": [0, 1, 2, 0, 1, 2], "y": pd.array([1.0] * 6, dtype="Float64")})
    rows.index = pd.Index([f"row {row}" for row in range(6)])
    rows.loc["row 4", "y"] = None
    arguments = {"presorted": True, "nulls": nulls, "edge_order": edge_order}
    assert len(with_slope(evenly(rows, size), by="k", **arguments).compute()) == 6
    turned = rows.assign(k=list("aababb"))
    expected = 'in the row with index row 3, `k` = "a" comes after `k` = "b"; sort by `k` and then by x'
    with pytest.raises(ComputeError, match=re.escape(expected)):
        with_slope(evenly(turned, size), by="k", strict=False, **arguments).compute()
    repeated = rows.assign(x=[0, 1, 1, 0, 1, 2])
    with pytest.raises(
        ComputeError,
        match=r"in the row with index row 2, column `slope`: .* in column `x` 1 is followed by 1 in the gr",
    ):
        with_slope(evenly(repeated, size), by="k", **arguments).compute()


def test_the_first_wrong_row_of_a_partition_is_named() -> None:
    """Of any operator, whatever rows it skips."""
    y = pd.array([0.0, None, None, 3.0, 4.0, 5.0], dtype="Float64")
    rows = pd.DataFrame({"x": [0, 1, 2, 2, 4, 4], "y": y, "z": range(6)})
    skipping, adjacent = pg.gradient("y", x="x", nulls="skip").alias("dy"), pg.gradient("z", x="x").alias("dz")
    for operators in ([skipping, adjacent], [adjacent, skipping]):
        slopes = polars_grad.dask.with_columns(evenly(rows, 6), operators, presorted=True)
        with pytest.raises(ComputeError, match="in the row with index 3, column `dz`: "):
            slopes.compute()
    slopes = polars_grad.dask.with_columns(evenly(rows, 6), skipping, presorted=True)
    with pytest.raises(ComputeError, match="in the row with index 5, column `dy`: "):
        slopes.compute()


def test_a_key_that_comes_back_far_away() -> None:
    """Also behind empty partitions."""
    rows = pd.DataFrame({"k": [1, 1, 2, 2, 1, 1], "x": range(6), "y": range(6)})
    for cuts in ([2, 4], [2, 2, 4, 4, 4], [1, 2, 3, 4, 5]):
        with pytest.raises(ComputeError, match="in the row with index 4, `k` = 1 comes after `k` = 2"):
            with_slope(partitioned(rows, cuts), by="k", presorted=True).compute()


def test_the_order_of_rows_that_do_not_count() -> None:
    """Only rows whose y is missing are out of order, on two sides of a border."""
    y = pd.array([0.0, 1.0, None, None, 2.0], dtype="Float64")
    rows = pd.DataFrame({"k": [1, 1, 2, 1, 3], "x": range(5), "y": y})
    for cuts in ([], [3], [2, 3], [1, 2, 3, 3, 4]):
        with pytest.raises(ComputeError, match="in the row with index 3, `k` = 1 comes after `k` = 2"):
            with_slope(partitioned(rows, cuts), by="k", presorted=True, nulls="skip").compute()


def test_a_repeated_x_in_rows_to_be_sorted() -> None:
    rows = pd.DataFrame({"k": [1, 2, 1, 2], "x": [0, 5, 1, 5], "y": range(4)})
    with pytest.raises(ComputeError, match="in column `x` 5 is followed by 5 in the group `k` = 2"):
        with_slope(evenly(rows, 1), by="k").compute()
    slopes = with_slope(evenly(rows, 1), by="k", strict=False).compute()
    assert slopes.sort_index()["slope"].isna().tolist() == [False, True, False, True]


DECIMAL = pd.ArrowDtype(pa.decimal128(9, 3))

KEYS: dict[str, pd.Series] = {
    "float64": pd.Series([1.0, nan, -0.0, 0.0, -nan, 2.0] * 3, dtype="float64"),
    "float32": pd.Series([1.0, nan, 0.0] * 6, dtype="float32"),
    "float[pyarrow]": pd.Series([1.0, None, 0.0] * 6, dtype="float[pyarrow]"),
    "Int64": pd.Series([1, None, 0] * 6, dtype="Int64"),
    "int64[pyarrow]": pd.Series([2**60, None, 2**60 + 1] * 6, dtype="int64[pyarrow]"),
    "boolean": pd.Series([True, None, False] * 6, dtype="boolean"),
    "bool[pyarrow]": pd.Series([True, False, None] * 6, dtype="bool[pyarrow]"),
    "object": pd.Series(["a", None, nan, ""] * 5, dtype=object)[:18],
    "str": pd.Series(["a", None, ""] * 6),
    "category": pd.Series(["b", None, "a"] * 6, dtype="category"),
    "category of numbers": pd.Series([3, None, 1] * 6, dtype="category"),
    "datetime": pd.Series(pd.to_datetime(["2024-01-01", None, "2023-01-01"] * 6)),
    "zoned": pd.Series(pd.to_datetime(["2024-01-01", None] * 9)).dt.tz_localize("Europe/Berlin"),
    "binary[pyarrow]": pd.Series([b"\xff\xfe", None, b"", b"a"] * 4).astype(pd.ArrowDtype(pa.binary())),
    "date32[pyarrow]": pd.Series(pd.to_datetime(["2024-01-01", None] * 9)).astype("date32[pyarrow]"),
    "decimal": pd.Series(["1.10", None, "1.1"] * 6).astype(DECIMAL),
}


@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_any_dtype(kind: str) -> None:
    """Equal to Polars is equal to the shuffle, also where a partition has nothing missing and another has."""
    keys = pd.concat([KEYS[kind].dropna(), KEYS[kind]], ignore_index=True)
    rows = pd.DataFrame({"k": keys, "x": range(len(keys)), "y": [row**2 % 7 for row in range(len(keys))]})
    in_order = rows.iloc[in_polars(rows)["k"].arg_sort().to_numpy()]
    # Strings as they are, not as Dask would have them.
    with dask.config.set({"dataframe.convert-string": False}):
        for size in (1, 4):
            assert_slopes(with_slope(evenly(rows, size), by="k").compute(), in_order, "k")
            presorted = with_slope(evenly(in_order, size), by="k", presorted=True)
            assert_slopes(presorted.compute(), in_order, "k")


def test_presorted_rows_keep_index_and_divisions() -> None:
    rows = readings(100).set_index("x", drop=False)
    ddf = dd.from_pandas(rows.sort_index(), npartitions=5)
    slopes = with_slope(ddf.assign(at=ddf.index), "y", "at", presorted=True)
    assert slopes.known_divisions
    assert slopes.divisions == ddf.divisions
    assert slopes.index.name == "x"
    moment = rows.index[40]
    assert slopes.loc[moment:].compute()["slope"].equals(slopes.compute().loc[moment:, "slope"])


def test_sorted_by_dask_is_sorted() -> None:
    rows = readings(500).drop(columns="name")
    ddf = evenly(rows.sample(frac=1, random_state=1), 60).sort_values("x")
    assert_slopes(with_slope(ddf, presorted=True).compute(), rows, None)
    ddf = evenly(rows.sample(frac=1, random_state=1), 60).sort_values(["id", "x"])
    assert_slopes(with_slope(ddf, by="id", presorted=True).compute(), rows, "id")


@pytest.mark.parametrize("presorted", [False, True])
def test_the_result_is_a_frame_like_any_other(presorted: bool) -> None:
    """Parts, columns, filters, the gradient of a gradient: what Dask leaves out makes no difference."""
    rows = readings(600)
    ddf = evenly(rows, 70)
    slopes = with_slope(ddf, by="id", presorted=presorted)
    whole = slopes.compute()
    if presorted:
        pd.testing.assert_frame_equal(slopes.partitions[3].compute(), whole.iloc[210:280])
        pd.testing.assert_frame_equal(slopes.head(5), whole.head(5))
        pd.testing.assert_frame_equal(slopes.tail(5), whole.tail(5))
    for columns in (["slope"], ["j", "slope"], ["id"], ["x", "y"]):
        pd.testing.assert_frame_equal(slopes[columns].compute().sort_index(), whole[columns].sort_index())
    steep = slopes[slopes["slope"] > 0.05].compute().sort_index()
    pd.testing.assert_frame_equal(steep, whole[(whole["slope"] > 0.05).fillna(value=False)].sort_index())
    again = with_slope(slopes, "slope", by="id", name="curve", presorted=presorted).compute().sort_index()
    expected = in_polars(whole.sort_index()).select(pg.gradient("slope", "x", by="id").alias("curve")).to_series()
    assert_series_equal(in_polars(again)["curve"], expected, check_exact=True)
