"""Gradients of Spark data frames: Spark shuffles and sorts, its Python workers stitch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from polars import selectors
from polars.exceptions import ColumnNotFoundError

from polars_grad._optional import load
from polars_grad._stitch import stitch
from polars_grad.frames import with_gradient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import timedelta

for _package in ("pyspark", "pyarrow"):
    load(_package, needed_by="`polars_grad.spark`", install="pip install 'polars-grad[spark]'")

import pyarrow as pa  # noqa: E402
from pyspark.sql import DataFrame, types  # noqa: E402

__all__ = ["gradient"]

_SPARK_TYPES = {
    pl.Float32: types.FloatType(),
    pl.Float64: types.DoubleType(),
    pl.Duration: types.DayTimeIntervalType(),
}


def gradient(
    sdf: DataFrame,
    y: str,
    x: str | None = None,
    *,
    name: str | None = None,
    order_by: str | Sequence[str] | None = None,
    spacing: float | timedelta | str | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | Sequence[str] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | None = None,
    strict: bool = True,
) -> DataFrame:
    """
    Add the gradient of `y` with respect to `x` to a Spark data frame, whose rows may be in any order.

    The formulas are those of :func:`polars_grad.gradient`, and so are the answers, to the bit. Spark brings the rows of
    a group together and sorts them, on disk where memory is short; its Python workers read them once, in Arrow batches,
    and hold a few of these and no whole group.

    Parameters
    ----------
    sdf
        The rows, in any order, of Spark 4.
    y
        The name of the column to differentiate, of any number or a date, timestamp or day-time interval.
    x
        The name of the coordinate. Each group is sorted by it.
    name
        The name of the new column, which takes the place of a column of that name; that of `y` unless given.
    order_by
        The names of the columns to sort each group by, instead of `x`. Needed if there is no `x`, since rows of Spark
        have no order of their own.
    spacing
        Instead of `x`, one constant step from row to row: a number, a timedelta or a duration string such as "10ms".
    per
        The unit of time in the result when `x` or `spacing` is temporal: a timedelta or a duration string such as
        "1h"; one second unless given.
    edge_order
        The order of accuracy at the ends, 1 or 2.
    by
        Differentiate each group by itself: the names of one or several key columns, not nested ones. A null is a key
        like any other. Without it all rows are one group, which one task sorts and differentiates.
    nulls
        What a null in `y` or `x` does to the rows around it: "propagate", "skip" or "split".
    max_gap
        Neighbours further apart in `x` than this do not belong together: a number, or for a temporal `x` a timedelta
        or a duration string.
    strict
        What to do about an `x` that repeats or is NaN or infinite: True is an error, False gives nulls there.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of `sdf`, as they are, and the gradient: a double, of a float a float, of a time over a number a
        day-time interval. Its rows are in another order. Nothing runs before an action of Spark.

    Raises
    ------
    ImportError
        When this module is imported, if pyspark or pyarrow cannot be.
    TypeError, ValueError, polars.exceptions.ColumnNotFoundError
        At once, if an argument is not one of those allowed, or names no column.
    polars.exceptions.ComputeError
        At once, if a column is of a type that cannot be differentiated or sorted by.
    pyspark.errors.PythonException
        When it runs, if `x` is not strictly monotonic within a segment and `strict` is set; it quotes the error of the
        worker, which names the group.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.gradient`, of rows sorted by Spark. There a null `x` comes before
    all others of its group and a NaN after them.

    Rows of equal `x` are sorted by `y`: the answer is the same in any run.

    Keys are equal as in Polars: 0.0 is -0.0, NaN is one key, strings are equal by their bytes.

    By `nulls="skip"` a row waits for the next one of its group without a null, and in memory with it the rows between:
    as many as the longest run of nulls has.

    Executors need this package, as installed there by Spark's own means. Nothing but the public interface of data
    frames is used.

    Examples
    --------
    >>> import polars_grad.spark
    >>> rows = [("a", 3, 9.0), ("b", 0, 5.0), ("a", 0, 0.0), ("b", 2, 4.0), ("a", 1, 1.0)]
    >>> sdf = spark.createDataFrame(rows, "id string, t int, y double")
    >>> slopes = polars_grad.spark.gradient(sdf, "y", x="t", by="id", name="dy_dt")
    >>> slopes.orderBy("id", "t").show()
    +---+---+---+-----+
    | id|  t|  y|dy_dt|
    +---+---+---+-----+
    |  a|  0|0.0|  1.0|
    |  a|  1|1.0|  2.0|
    |  a|  3|9.0|  4.0|
    |  b|  0|5.0| -0.5|
    |  b|  2|4.0| -0.5|
    +---+---+---+-----+
    """
    if not isinstance(sdf, DataFrame):
        msg = f"`sdf` must be a Spark DataFrame, got {type(sdf).__name__}"
        raise TypeError(msg)
    keys, order = _names(sdf, "by", by), _names(sdf, "order_by", order_by)
    points = [*_names(sdf, "x", x), *_names(sdf, "y", y)]
    if x is None and not order:
        msg = "`order_by` must be given without `x`, got none: rows of a Spark frame have no order of their own"
        raise ValueError(msg)
    options: dict[str, Any] = {
        "spacing": spacing,
        "per": per,
        "edge_order": edge_order,
        "nulls": nulls,
        "max_gap": max_gap,
        "strict": strict,
    }
    places = {column: place for place, column in enumerate(sdf.columns)}
    # Names of our own, since PySpark takes a dot or a backtick in a name for syntax.
    rows = sdf.toDF(*map(_at, range(len(sdf.columns))))

    def at(columns: Iterable[str]) -> list[str]:
        return [_at(places[column]) for column in dict.fromkeys(columns)]

    read = {column: places[column] for column in [*keys, *points]}
    empty = _frame(rows.limit(0).select(*at(read)).toArrow(), [*read])
    planned = with_gradient(empty.lazy(), y, x, name=name, by=by, **options).collect_schema()
    new = y if name is None else name
    place = places.get(new, len(sdf.columns))
    fields = list(sdf.schema.fields)
    fields[place : place + 1] = [types.StructField(new, _SPARK_TYPES[planned[new].base_type()])]

    gathered = rows.repartition(*at(keys)) if keys else rows.repartition(1)
    # By y at last, so that rows of one x do not stand as they arrived.
    ordered = gathered.sortWithinPartitions(*at([*keys, *order, *points]))
    stitched = partial(_stitched, read=read, place=place, y=y, x=x, by=keys, name=new, **options)
    return ordered.mapInArrow(stitched, types.StructType(fields))


def _names(sdf: DataFrame, argument: str, value: Any) -> list[str]:
    """The names of columns that there are."""
    names = list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]
    for name in names:
        if not isinstance(name, str):
            hint = "; make a column of an expression by `withColumn`"
            msg = f"`{argument}` must be the name of a column, got {type(name).__name__}{hint}"
            raise TypeError(msg)
        if sdf.columns.count(name) != 1:
            msg = f"`{argument}` must be the name of one column, got {name!r}; there are {', '.join(sdf.columns)}"
            raise ColumnNotFoundError(msg)
        collation = getattr(sdf.schema[name].dataType, "collation", "UTF8_BINARY")
        if argument == "by" and collation != "UTF8_BINARY":
            hint = f"; use `sdf.withColumn({name!r}, collate({name!r}, 'UTF8_BINARY'))`"
            msg = f"keys are compared by their bytes, but `{name}` has the collation {collation}{hint}"
            raise ValueError(msg)
    return names


def _at(place: int) -> str:
    return f"_{place}"


def _stitched(
    batches: Iterable[pa.RecordBatch], *, read: dict[str, int], place: int, name: str, **arguments: Any
) -> Iterator[pa.RecordBatch]:
    """Add the gradient to the sorted rows of a partition; all other columns go past Polars, as they are."""
    waiting: list[pa.Table] = []

    def frames() -> Iterator[pl.DataFrame]:
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            waiting.append(rows)
            yield _frame(rows.select([*read.values()]), [*read])

    for known in stitch(frames(), name=name, **arguments):
        all_rows = pa.concat_tables(waiting)
        rows, waiting[:] = all_rows.slice(0, known.height), [all_rows.slice(known.height)]
        put = rows.set_column if place < rows.num_columns else rows.add_column
        yield from put(place, _at(place), known[name].to_arrow()).to_batches()


def _frame(rows: pa.Table, names: list[str]) -> pl.DataFrame:
    """The rows as a frame, with the types that Polars has."""
    # Not every zone of Spark is one of Polars ("+05:30"), and an instant has the same slope in any.
    instants = pa.timestamp("us", "UTC")
    fields = [
        field.with_type(instants) if pa.types.is_timestamp(field.type) and field.type.tz else field
        for field in rows.schema
    ]
    frame = pl.DataFrame(rows.cast(pa.schema(fields)).rename_columns(names))
    # Spark's difference of times has microseconds, as this one has.
    return frame.with_columns(selectors.time().cast(pl.Duration("us")))
