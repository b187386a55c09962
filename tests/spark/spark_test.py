"""On Spark, with executors in processes of their own, slopes are those of Polars, to the bit."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import subprocess
import sys
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest
from polars import selectors
from polars.exceptions import ColumnNotFoundError, ComputeError
from polars.testing import assert_frame_equal
from pyspark.errors import PythonException
from pyspark.sql import functions, types
from strategies import assert_same, nan

import polars_grad as pg
import polars_grad.spark
from polars_grad._batches import specs as _specs
from polars_grad._batches import stitch as _stitch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyspark.sql import DataFrame, SparkSession

PAGE = Path(__file__).parents[2] / "docs" / "larger-than-memory.md"
EPOCH = datetime(2024, 1, 1, tzinfo=timezone.utc)


def readings(seed: int, rows: int = 500) -> pl.DataFrame:
    """Rows in no order; an x that does not repeat, and all else with nulls and whatever a float can be."""
    random = Random(seed)

    def some_null(values: Sequence[Any]) -> list[Any]:
        return [None if random.random() < 0.1 else value for value in values]

    def any_of(values: Sequence[Any]) -> list[Any]:
        return random.choices(values, k=rows)

    ticks = random.sample(range(10 * rows), rows)
    y = [random.choice([nan, 0.0, -0.0, random.gauss(0, 1), random.gauss(1e9, 1)]) for _ in range(rows)]
    return pl.DataFrame(
        {
            "row": range(rows),
            "k": any_of(["", "a", "B", "é", "\U0001f4c8", None, "a string too long to be held in place"]),
            "j": any_of([0.0, -0.0, nan, -1.5, None, float("inf")]),
            "day": any_of([date(1969, 12, 31), None, date(2024, 2, 29)]),
            "t": some_null([tick / 8 for tick in ticks]),
            "at": some_null([EPOCH + timedelta(microseconds=tick) for tick in ticks]),
            "y": some_null(y),
            "y32": pl.Series(some_null(y), dtype=pl.Float32),
            "count": some_null([random.randrange(-(2**63), 2**63) for _ in range(rows)]),
            "price": pl.Series([Decimal(tick).scaleb(-2) for tick in ticks], dtype=pl.Decimal(12, 2)),
            "when": some_null([EPOCH.replace(tzinfo=None) + timedelta(seconds=tick) for tick in ticks]),
        }
    )


def to_spark(spark: SparkSession, frame: pl.DataFrame) -> DataFrame:
    sdf = spark.createDataFrame(frame.to_arrow(compat_level=pl.CompatLevel.oldest()))
    # Spark takes times without a zone to be of the session's.
    for name in frame.select(selectors.datetime(time_zone=None)).columns:
        sdf = sdf.withColumn(name, functions.col(name).cast("timestamp_ntz"))
    return sdf.repartition(4)


def to_polars(sdf: DataFrame) -> pl.DataFrame:
    rows = sdf.toArrow()
    fields = [
        field.with_type(pa.timestamp("us", "UTC")) if field.type == pa.timestamp("us", "+05:30") else field
        for field in rows.schema
    ]
    return pl.DataFrame(rows.cast(pa.schema(fields)))


def with_slope(sdf: DataFrame, y: str, x: str | None = None, *, order_by: Any = None, **arguments: Any) -> DataFrame:
    """Add the column `slope`, the gradient of y."""
    return polars_grad.spark.with_columns(sdf, slope=pg.gradient(y, x, **arguments), order_by=order_by)


def expected(
    frame: pl.DataFrame, y: str, x: str | None = None, *, order_by: Any = (), **arguments: Any
) -> pl.DataFrame:
    """What Polars makes of the sorted rows, in the order that these had."""
    by = arguments.get("by") or []
    columns = [*([by] if isinstance(by, str) else by), *order_by, *([x] if x else []), y]
    slope = pg.gradient(y, x, **arguments).alias("slope")
    return frame.sort(columns).with_columns(slope).sort("row")


# The result is that of Polars


@pytest.fixture(scope="session")
def frame() -> pl.DataFrame:
    return readings(seed=0)


@pytest.fixture(scope="session")
def sdf(spark: SparkSession, frame: pl.DataFrame) -> DataFrame:
    return to_spark(spark, frame).cache()


def test_executors_are_processes_of_their_own(spark: SparkSession) -> None:
    def parents(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            # Python's worker is a child of a daemon, and that of an executor.
            status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="utf-8")
            executor = int(re.findall(r"PPid:\t(\d+)", status)[0])
            yield pa.RecordBatch.from_pydict({"executor": [executor] * len(batch)})

    both = spark.range(2, numPartitions=2).mapInArrow(parents, "executor long", barrier=True)
    executors = {row.executor for row in both.collect()}
    assert len(executors) == 2
    assert not executors & {os.getpid(), os.getppid()}


KEYS: list[Any] = [None, "k", ["j"], ["k", "j"], ["day", "k"]]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"edge_order": 2},
    {"nulls": "skip"},
    {"nulls": "skip", "edge_order": 2, "max_gap": 30},
    {"nulls": "split"},
    {"nulls": "split", "edge_order": 2, "max_gap": 2.5},
]


@pytest.mark.parametrize("by", KEYS, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_rows_in_any_order(sdf: DataFrame, frame: pl.DataFrame, by: Any, options: dict[str, Any]) -> None:
    """Groups are spread over all partitions; nulls are in keys, x and y, and both zeros and NaN in keys and y."""
    arguments = {"y": "y", "x": "t", "by": by, **options}
    got = to_polars(with_slope(sdf, **arguments)).sort("row")
    whole = expected(frame, **arguments)
    assert_frame_equal(got, whole, check_exact=True)
    assert_same(got["slope"], whole["slope"])


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_windows_of_a_length_and_integrals(sdf: DataFrame, frame: pl.DataFrame, nulls: Any) -> None:
    domain = {"x": "t", "by": "k", "nulls": nulls}
    operators = {
        "total": pg.integral("y", **domain),
        "held": pg.integral("y", hold=True, initial=2.5, max_gap=2.5, **domain),
        "trailing": pg.rolling_slope("y", window_size=20.0, **domain),
        "centred": pg.rolling_slope("y", window_size=60.0, center=True, closed="left", with_error=True, **domain),
    }
    got = to_polars(polars_grad.spark.with_columns(sdf, **operators)).sort("row")
    whole = frame.sort("k", "t", "y").with_columns(**operators).sort("row")
    assert_frame_equal(got, whole, check_exact=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"y": "y32", "x": "t"},
        {"y": "count", "x": "at", "per": "1h"},
        {"y": "count", "x": "price", "nulls": "skip"},
        {"y": "price", "x": "when", "per": timedelta(minutes=1), "max_gap": "90s", "edge_order": 2},
        {"y": "when", "x": "at", "nulls": "split"},
        {"y": "at", "x": "t", "nulls": "skip"},
        {"y": "day", "x": "price", "nulls": "skip"},
        {"y": "y", "order_by": ["row"], "spacing": "10ms", "per": "1m"},
        {"y": "count", "order_by": ["price"], "spacing": 0.25, "edge_order": 2, "nulls": "skip"},
    ],
    ids=str,
)
def test_any_type(sdf: DataFrame, frame: pl.DataFrame, arguments: dict[str, Any]) -> None:
    for by in (None, "k"):
        got = to_polars(with_slope(sdf, by=by, **arguments)).sort("row")
        assert_same(got["slope"], expected(frame, by=by, **arguments)["slope"])


@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
@pytest.mark.parametrize("edge_order", [1, 2])
def test_an_x_that_repeats_is_null_if_not_strict(spark: SparkSession, nulls: Any, edge_order: Any) -> None:
    """Also the slopes beside it do not depend on the order in which rows arrive."""
    random = Random(1)
    frame = pl.DataFrame(
        {
            "row": range(300),
            "k": random.choices("ab", k=300),
            "x": random.choices([nan, None, float("inf"), *range(200)], k=300),
            "y": [random.choice([None, random.random()]) for _ in range(300)],
        },
        strict=False,
    )
    arguments: dict[str, Any] = {"x": "x", "by": "k", "strict": False, "nulls": nulls, "edge_order": edge_order}
    whole = expected(frame, "y", **arguments)
    got = to_polars(with_slope(to_spark(spark, frame), "y", **arguments))
    assert_same(got.sort("row")["slope"], whole["slope"])
    assert 0 < whole["slope"].null_count() < 300


@pytest.mark.parametrize("duplicates", ["first", "last", "mean"])
@pytest.mark.parametrize("nulls", ["propagate", "skip", "split"])
def test_rows_of_one_x_are_one_point(spark: SparkSession, nulls: Any, duplicates: Any) -> None:
    """Of many batches and partitions; rows of one x are in the order of y."""
    random = Random(2)
    frame = pl.DataFrame(
        {
            "row": range(300),
            "k": random.choices("ab", k=300),
            "x": random.choices([None, *range(40)], k=300),
            "y": [random.choice([None, random.random(), random.random()]) for _ in range(300)],
        }
    )
    arguments: dict[str, Any] = {"x": "x", "by": "k", "nulls": nulls, "duplicates": duplicates}
    got = to_polars(with_slope(to_spark(spark, frame), "y", **arguments))
    whole = expected(frame, "y", **arguments)["slope"]
    assert_same(got.sort("row")["slope"], whole)
    assert whole.null_count() < 300


def test_a_falling_x_in_an_order_of_its_own(spark: SparkSession) -> None:
    frame = pl.DataFrame({"row": [3, 0, 2, 1, 4], "x": [1, 10, 3, 6, 0], "y": [5.0, 1.0, 2.0, 8.0, 0.0]})
    arguments: dict[str, Any] = {"x": "x", "order_by": ["row"]}
    got = to_polars(with_slope(to_spark(spark, frame), "y", **arguments))
    assert_same(got.sort("row")["slope"], expected(frame, "y", **arguments)["slope"])


def test_a_group_of_many_batches(spark: SparkSession) -> None:
    """Beside small ones; and a wait, longer than a batch, for the next row that counts."""
    rows = 10_000
    random = Random(2)
    frame = pl.DataFrame(
        {
            "row": range(rows),
            "k": [random.choice(["a", "b"]) if row % 100 == 0 else "large" for row in range(rows)],
            "t": random.sample(range(10 * rows), rows),
            "y": [random.random() for _ in range(rows)],
        }
    ).with_columns(y=pl.when(~pl.col("t").is_between(40_000, 45_000)).then("y"))
    sdf = to_spark(spark, frame)
    for nulls in ("propagate", "skip"):
        arguments: dict[str, Any] = {"y": "y", "x": "t", "by": "k", "nulls": nulls}
        got = to_polars(with_slope(sdf, **arguments)).sort("row")
        assert_frame_equal(got, expected(frame, **arguments), check_exact=True)


# All other columns stay what they are


def test_columns_of_all_types_are_carried_along(spark: SparkSession) -> None:
    literals = {
        "the `id` of it": "id",
        "THE `ID` OF IT": "id",
        "a.b": "cast(id as byte)",
        "at": "timestamp'2024-03-31 01:59:59.999999 Europe/Paris' + make_interval(0, 0, 0, 0, 0, id, 0)",
        "when": "timestamp_ntz'1969-12-31 23:59:59.999999'",
        "day": "date'0001-01-01'",
        "price": "cast(id as decimal(38, 18))",
        "span": "if(id = 1, null, interval '1 02:03:04.000005' day to second)",
        "text": "if(id = 2, null, 'é')",
        "bytes": "x'00ff'",
        "list": "array(id, null)",
        "struct": "named_struct('a', array(timestamp'2024-01-01'), 'b', cast(null as string))",
        "map": "map('a', array(id), 'b', null)",
        "nothing": "null",
        "single": "cast(id as float)",
        "yes": "id % 2 = 0",
        "t": "id",
        "y": "cast(id * id as double)",
    }
    sdf = spark.range(20).select(*(functions.expr(text).alias(name) for name, text in literals.items()))
    slopes = polars_grad.spark.with_columns(sdf, pg.gradient("y", "t", by="a.b").alias("y.slope"))
    assert slopes.columns == [*literals, "y.slope"]
    assert slopes.schema == types.StructType(
        [*sdf.schema, types.StructField("y.slope", types.DoubleType(), nullable=True)]
    )
    got, whole = (rows.toArrow().sort_by("t") for rows in (slopes, sdf))
    assert got.drop_columns(["y.slope"]).equals(whole)
    assert got["y.slope"].null_count == 20


def test_a_new_column_replaces_one_of_its_name(spark: SparkSession) -> None:
    """All operators read what came in."""
    frame = pl.DataFrame(
        {"y": [0.0, 1.0, 9.0], "t": [0, 1, 3], "z": [7, 8, 9]},
        schema={"y": pl.Float32, "t": pl.Int32, "z": pl.Int32},
    )
    sdf = to_spark(spark, frame)
    slope, step = pg.gradient("y", "t"), pg.gradient("t", "t", nulls="skip")
    for names in (["y", "t"], ["t", "y"], ["z", "d"], ["d", "z"]):
        exprs = dict(zip(names, [slope, step], strict=True))
        slopes = polars_grad.spark.with_columns(sdf, **exprs)
        whole = frame.with_columns(**exprs)
        assert slopes.columns == whole.columns
        assert slopes.schema[names[0]].dataType == types.FloatType()
        assert_frame_equal(to_polars(slopes).sort(whole.columns), whole.sort(whole.columns))


SEVERAL = [
    pg.gradient("y", x="t", by="k", nulls="skip").alias("skip"),
    pg.gradient("y", x="t", by="k", edge_order=2, nulls="split").alias("split"),
    pg.gradient("count", x="t", by="k", nulls="skip", max_gap=30).alias("j"),
    pg.gradient("y32", by="k").alias("steps"),
]


def test_several_operators(sdf: DataFrame, frame: pl.DataFrame) -> None:
    """Each with the neighbors that it skips or does not skip."""
    got = to_polars(polars_grad.spark.with_columns(sdf, SEVERAL)).sort("row")
    whole = frame.sort("k", "t", "y", "count", "y32").with_columns(SEVERAL).sort("row")
    assert got.columns == whole.columns
    for name in ("skip", "split", "j", "steps"):
        assert_same(got[name], whole[name])


@pytest.mark.parametrize("nulls", ["propagate", "skip"])
def test_a_column_of_standard_deviations(spark: SparkSession, nulls: Any) -> None:
    row = pl.int_range(300, eager=True)
    frame = pl.DataFrame({"row": row, "k": row % 3, "t": row * 1.5, "y": (row * 7 % 31).cast(pl.Float64)})
    frame = frame.with_columns(s=pl.when(row % 17 != 3).then(0.5 + pl.col("row") % 7))
    line = pg.rolling_slope("y", "t", window_size=4, sigma="s", by="k", nulls=nulls).alias("line")
    error = pg.derivative("y", "t", with_error=True, sigma="s", by="k", nulls=nulls).alias("error")
    got = to_polars(polars_grad.spark.with_columns(to_spark(spark, frame), line, error)).sort("row")
    assert_frame_equal(got, frame.with_columns(line, error), check_exact=True)


def test_no_operators(sdf: DataFrame) -> None:
    assert polars_grad.spark.with_columns(sdf) is sdf


def test_structs_are_structs(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of operators with several outputs; no operator has any yet, so a worker's part runs here."""
    evaluate = _stitch.evaluate

    def with_error(y: pl.Series, *rest: Any) -> pl.Series:
        return pl.DataFrame({"value": evaluate(y, *rest), "error": y}).to_struct(y.name)

    monkeypatch.setattr(_stitch, "evaluate", with_error)
    frame = pl.DataFrame({"t": [0, 1, 3], "y": [0.0, 1.0, 9.0]})
    slopes = polars_grad.spark.with_columns(to_spark(spark, frame), d=pg.gradient("y", x="t"))
    doubles = [types.StructField(name, types.DoubleType()) for name in ("value", "error")]
    assert slopes.schema["d"].dataType == types.StructType(doubles)
    operators, _, by = _specs.named_operators("test", [], {"d": pg.gradient("y", x="t")})
    batches = frame.rename({"t": "_0", "y": "_1"}).to_arrow().to_batches(max_chunksize=2)
    out = polars_grad.spark._stitched(batches, read={"t": 0, "y": 1}, put={"d": 2}, operators=operators, by=by)
    table = pa.Table.from_batches(out)
    assert table.schema.field("_2").type == pa.struct({"value": pa.float64(), "error": pa.float64()})
    assert [row["value"] for row in table["_2"].to_pylist()] == [1.0, 2.0, 4.0]


def test_cells(spark: SparkSession) -> None:
    """Inside of cells no row reads another, and nothing is shuffled; results may be arrays and structs."""
    frame = pl.DataFrame({"row": [2, 0, 1], "v": [[0.0, 1.0], [1.0, 5.0], None]})
    sdf = to_spark(spark, frame)
    inside, down = pg.gradient("v", x=[0.0, 0.5], axis=1), pg.gradient("v", x="row")
    whole = frame.sort("row")
    got = polars_grad.spark.with_columns(sdf, d=inside)
    assert "Exchange" not in got._jdf.queryExecution().executedPlan().toString().split("MapInArrow")[0]
    assert_frame_equal(to_polars(got).sort("row"), whole.with_columns(d=inside))
    got = to_polars(polars_grad.spark.with_columns(sdf, d=inside, e=down)).sort("row")
    assert_frame_equal(got, whole.with_columns(d=inside, e=down))
    assert got.schema["d"] == pl.List(pl.Float64)


@pytest.mark.parametrize(
    ("y", "x", "dtype"),
    [
        ("small", "price", types.DoubleType()),
        ("price", "small", types.DoubleType()),
        ("single", "at", types.FloatType()),
        ("at", "small", types.DayTimeIntervalType()),
        ("when", "small", types.DayTimeIntervalType()),
        ("day", "small", types.DayTimeIntervalType()),
        ("span", "small", types.DayTimeIntervalType()),
        ("span", "day", types.DoubleType()),
        ("nothing", "small", types.DoubleType()),
    ],
)
def test_the_type_is_known_before_anything_runs(spark: SparkSession, y: str, x: str, dtype: types.DataType) -> None:
    """And it is the type of no rows."""
    schema = (
        "small byte, price decimal(10, 2), single float, at timestamp, when timestamp_ntz, day date, "
        "span interval day to second, nothing void"
    )
    slopes = with_slope(spark.createDataFrame([], schema), y, x, by="small")
    assert slopes.schema["slope"] == types.StructField("slope", dtype, nullable=True)
    assert slopes.collect() == []


@pytest.mark.skipif(not hasattr(types, "TimeType"), reason="this Spark has no times of day")
def test_times_of_day(spark: SparkSession) -> None:
    """As y, as x and as a key."""
    times = [time(1, 2, 3, microseconds) for microseconds in (0, 1, 3)]
    sdf = spark.createDataFrame([(at, row) for row, at in enumerate(times)], "at time, y int")
    slopes = with_slope(sdf, "at", "y").collect()
    assert sorted(row.slope for row in slopes) == [timedelta(microseconds=steps) for steps in (1, 2, 2)]
    slopes = with_slope(sdf, "y", "at").collect()
    assert [row.slope for row in sorted(slopes)] == [1e6, 5 / 6 * 1e6, 5e5]
    assert [row.at for row in with_slope(sdf, "y", "y", by="at").sort("at").collect()] == times


# Errors reach the user


def test_an_x_that_repeats_is_an_error_that_names_its_group(spark: SparkSession) -> None:
    rows = [("a", 0.0, 1), ("b", 1.0, 2), ("a", 1.0, 3), ("b", 1.0, 4)]
    slopes = with_slope(spark.createDataFrame(rows, "k string, t double, y int"), "y", "t", by="k")
    with pytest.raises(PythonException) as caught:
        slopes.collect()
    assert "column `slope`: `x` must be" in str(caught.value)
    assert 'in column `t` 1.0 is followed by 1.0 in the group `k` = "b"' in str(caught.value)
    assert "ComputeError" in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"y": "z"}, ColumnNotFoundError, "`y` must be the name of one column, got 'z'; there are k, t, y, s, list"),
        ({"x": "T"}, ColumnNotFoundError, "`x` must be the name of one column, got 'T'"),
        ({"by": ["k", "z"]}, ColumnNotFoundError, "`by` must be the name of one column, got 'z'"),
        ({"by": "twice"}, ColumnNotFoundError, "`by` must be the name of one column, got 'twice'"),
        ({"order_by": ["k", "z"]}, ColumnNotFoundError, "`order_by` must be the name of one column, got 'z'"),
        ({"y": pl.col("y") * 2}, ValueError, "`y` of `y` must be the name of a column in `polars_grad.spark.with_colu"),
        ({"x": pl.col("t", "y")}, ValueError, "`x` of `y` must be the name of a column"),
        ({"by": [pl.col("k") + "a"]}, ValueError, "`by` of `y` must be the name of a column"),
        ({"x": None}, ValueError, "`order_by` must be given without `x`"),
        ({"order_by": 1}, TypeError, "`order_by` must be the name of a column, or a list of names, got int"),
        ({"order_by": pg.gradient("y")}, TypeError, r'a column of this name is made by `.alias\("order_by"\)`'),
        ({"d": pl.col("y")}, ValueError, "`polars_grad.spark.with_columns` takes operators such as"),
        ({"d": functions.lit}, TypeError, "got function for `d`"),
        ({"d": pg.gradient("y", x="t")}, ValueError, "must share `by`"),
        ({"max_gap": "1h"}, ComputeError, "max_gap"),
        ({"per": "1h"}, ComputeError, "per"),
        ({"y": "s"}, ComputeError, "`s` is str"),
        ({"x": "list"}, ComputeError, "`list` is list"),
        ({"by": "list"}, ComputeError, "key `list` is List.*, which has no order"),
        ({"by": "folded"}, ValueError, "`folded` has the collation UTF8_LCASE"),
    ],
    ids=str,
)
def test_wrong_arguments_are_errors_at_once(
    spark: SparkSession, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    schema = "k string, t double, y int, s string, list array<int>, folded string collate UTF8_LCASE"
    sdf = spark.createDataFrame([], schema).select(
        "*", functions.lit(1).alias("twice"), functions.lit(2).alias("twice")
    )
    of_frame = {name: value for name, value in arguments.items() if name in ("order_by", "d")}
    of_gradient = {name: value for name, value in arguments.items() if name not in of_frame}
    slope = pg.gradient(**{"y": "y", "x": "t", "by": "k", **of_gradient})
    with pytest.raises(error, match=message):
        polars_grad.spark.with_columns(sdf, slope, **of_frame)


def test_not_a_spark_frame(frame: pl.DataFrame) -> None:
    with pytest.raises(TypeError, match="`sdf` must be a Spark DataFrame, got DataFrame"):
        polars_grad.spark.with_columns(frame, pg.gradient("y", "t"))  # type: ignore[arg-type]


def test_without_pyspark() -> None:
    """The package does not look for it, and its module says how to install it."""
    program = """
import sys
import polars_grad
assert not {"pyspark", "pyarrow"} & {*sys.modules}
sys.modules["pyspark"] = None
try:
    import polars_grad.spark
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert "`polars_grad.spark` needs pyspark" in done.stdout
    assert "install it with `pip install 'polars-grad[spark]'`" in done.stdout


# What is written down is true


def test_every_argument_is_documented() -> None:
    text = inspect.cleandoc(polars_grad.spark.with_columns.__doc__ or "")
    parameters = text.split("Parameters\n----------\n")[1].split("\n\nReturns\n")[0]
    documented = [name.strip("*") for name in re.findall(r"^[*]*\w+$", parameters, re.MULTILINE)]
    assert documented == [*inspect.signature(polars_grad.spark.with_columns).parameters]


def test_the_example_of_the_docstring(spark: SparkSession) -> None:
    (example,) = doctest.DocTestFinder(exclude_empty=True, recurse=False).find(
        polars_grad.spark.with_columns, "with_columns", globs={"spark": spark}
    )
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(example, out=told.append)
    assert not runner.failures, "".join(told)
    assert runner.tries


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_the_page_about_larger_data(spark: SparkSession, tmp_path: Path) -> None:
    row = pl.int_range(3_000)
    unsorted = pl.select(id=row * 7 % 3, t=row * 0.5, y=(row * 7919 % 1009).cast(pl.Float64))
    unsorted.sample(fraction=1, shuffle=True, seed=0).write_parquet(tmp_path / "unsorted.parquet")
    blocks = re.findall(r"^```python spark\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(block.replace('parquet("', f'parquet("{tmp_path}/'), {"spark": spark})
    whole = unsorted.sort("id", "t").with_columns(dy_dt=pg.gradient("y", x="t", by="id"))
    assert_frame_equal(pl.read_parquet(tmp_path / "slopes/*.parquet").sort("id", "t"), whole, check_exact=True)
