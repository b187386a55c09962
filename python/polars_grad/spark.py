"""Operators on Spark data frames: Spark shuffles and sorts, its Python workers stitch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors
from polars.exceptions import ColumnNotFoundError, ComputeError

from polars_grad._batches.optional import load
from polars_grad._batches.specs import named_operators, names_of
from polars_grad._batches.stitch import stitch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from polars_grad._batches.stitch import Column, Operator
    from polars_grad._engine.operator import OperatorExpr

for _package in ("pyspark", "pyarrow"):
    load(_package, needed_by="`polars_grad.spark`", install="pip install 'polars-grad[spark]'")

import pyarrow as pa  # noqa: E402
from pyspark.sql import DataFrame, types  # noqa: E402

__all__ = ["with_columns"]

_TYPES: dict[Any, tuple[types.DataType, pa.DataType]] = {
    pl.Boolean: (types.BooleanType(), pa.bool_()),
    pl.Int8: (types.ByteType(), pa.int8()),
    pl.Int16: (types.ShortType(), pa.int16()),
    pl.Int32: (types.IntegerType(), pa.int32()),
    pl.Int64: (types.LongType(), pa.int64()),
    pl.Float32: (types.FloatType(), pa.float32()),
    pl.Float64: (types.DoubleType(), pa.float64()),
    pl.String: (types.StringType(), pa.string()),
    pl.Duration: (types.DayTimeIntervalType(), pa.duration("us")),
}


def with_columns(
    sdf: DataFrame,
    /,
    *exprs: OperatorExpr | Sequence[OperatorExpr],
    order_by: str | Sequence[str] | None = None,
    **named_exprs: OperatorExpr,
) -> DataFrame:
    """
    Add columns of operators to a Spark data frame, whose rows may be in any order.

    The result is that of `df.with_columns(...)` on all rows in one polars frame, to the bit. Spark brings the rows of a
    group together and sorts them, on disk where memory is short. Its Python workers read them once for all operators,
    in Arrow batches, and hold a few of these and no whole group, besides the rows in a window of a length.

    Parameters
    ----------
    sdf
        The rows, in any order, of Spark 4.
    *exprs
        Operators, such as `pg.gradient("y", x="t", by="id")`. They share `by` and `x`; those without an `x` go with any
        others. All other arguments may differ. Columns are given by name; keys are not nested. Without `by` all rows
        are one group, which one task sorts and reads.
    order_by
        The names of the columns to sort each group by, instead of `x`. Needed if there is no `x`, since rows of Spark
        have no order of their own.
    **named_exprs
        Further operators, whose columns are named by the keyword. A column named "order_by" is made with
        `.alias("order_by")`.

    Returns
    -------
    pyspark.sql.DataFrame
        The columns of `sdf`, as they are, and those of the operators, which replace columns of the same name. A
        Duration is a day-time interval, a struct is a struct. Its rows are in another order. Nothing runs before an
        action of Spark.

    Raises
    ------
    ImportError
        When this module is imported, if pyspark or pyarrow cannot be imported.
    TypeError, ValueError, polars.exceptions.ColumnNotFoundError
        At once, if an argument is not allowed or names no column, or if operators differ in `by` or `x`.
    polars.exceptions.ComputeError
        At once, if a type is not supported.
    pyspark.errors.PythonException
        When it runs, if `x` is not strictly monotonic within a segment and the operator is strict. It quotes the error
        of the worker, which names the column and the group.

    Notes
    -----
    Operators have the null and NaN contracts that they have as expressions, on rows sorted by Spark: a null `x` comes
    before all others of its group and a NaN after them. Rows of equal `x` are sorted by `y`, so that the result is the
    same in any run.

    Keys are equal as in polars: 0.0 is -0.0, NaN is one key, strings are equal by their bytes.

    With `nulls="skip"` a row waits for the next rows of its group without a null, and the rows between wait with it:
    the longest run of nulls must fit into memory.

    Executors need this package, as installed there by Spark's own means. Nothing but the public interface of data
    frames is used.

    Examples
    --------
    >>> import polars_grad as pg
    >>> import polars_grad.spark
    >>> rows = [("a", 3, 9.0), ("b", 0, 5.0), ("a", 0, 0.0), ("b", 2, 4.0), ("a", 1, 1.0)]
    >>> sdf = spark.createDataFrame(rows, "id string, t int, y double")
    >>> slopes = polars_grad.spark.with_columns(sdf, dy_dt=pg.gradient("y", x="t", by="id"))
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
    operators, x, by = named_operators("`polars_grad.spark.with_columns`", exprs, named_exprs)
    order = names_of("order_by", order_by)
    _check_columns(sdf, operators, order)
    reads_rows = any(operator.reads_others for operator in operators)
    if reads_rows and x is None and not order:
        msg = "`order_by` must be given without `x`, got none: rows of a Spark frame have no order of their own"
        raise ValueError(msg)
    if not operators:
        return sdf
    places = {column: place for place, column in enumerate(sdf.columns)}
    # Names of our own, since PySpark takes a dot or a backtick in a name for syntax.
    rows = sdf.toDF(*map(_at, range(len(sdf.columns))))

    def at(columns: Iterable[str]) -> list[str]:
        return [_at(places[column]) for column in dict.fromkeys(columns)]

    read = {name: places[name] for operator in operators for name in operator.reads}
    empty = _frame(rows.limit(0).select(*at(read)).toArrow(), [*read])
    (planned,) = stitch([empty], operators, by, columns=[operator.output for operator in operators])
    fields = list(sdf.schema.fields)
    put = {}
    for output, dtype in planned.schema.items():
        place = put[output] = places.get(output, len(fields))
        fields[place : place + 1] = [types.StructField(output, _types(output, dtype)[0])]
    if reads_rows:
        keys = at(key.name for key in by)
        rows = rows.repartition(*keys) if keys else rows.repartition(1)
        # By y and sigma at last, so that rows of one x do not stand as they arrived.
        reading = [operator for operator in operators if operator.reads_others]
        values = [*(o.y.name for o in reading), *(o.sigma.name for o in reading if o.sigma is not None)]
        last = [*([] if x is None else [x.name]), *values]
        rows = rows.sortWithinPartitions(*keys, *[name for name in at([*order, *last]) if name not in keys])
    stitched = partial(_stitched, read=read, put=put, operators=operators, by=by)
    return rows.mapInArrow(stitched, types.StructType(fields))


def _check_columns(sdf: DataFrame, operators: Sequence[Operator], order_by: Sequence[str]) -> None:
    for operator in operators:
        for argument, name in operator.arguments:
            _check_column(sdf, argument, name)
    for name in order_by:
        _check_column(sdf, "order_by", name)


def _check_column(sdf: DataFrame, argument: str, name: str) -> None:
    if sdf.columns.count(name) != 1:
        msg = f"`{argument}` must be the name of one column, got {name!r}; there are {', '.join(sdf.columns)}"
        raise ColumnNotFoundError(msg)
    collation = getattr(sdf.schema[name].dataType, "collation", "UTF8_BINARY")
    if argument == "by" and collation != "UTF8_BINARY":
        hint = f"; use `sdf.withColumn({name!r}, collate({name!r}, 'UTF8_BINARY'))`"
        msg = f"keys are compared by their bytes, but `{name}` has the collation {collation}{hint}"
        raise ValueError(msg)


def _types(name: str, dtype: pl.DataType) -> tuple[types.DataType, pa.DataType]:
    """Return the types of a column in Spark and on the way there."""
    if isinstance(dtype, (pl.List, pl.Array)):
        in_spark, in_arrow = _types(name, dtype.inner)  # type: ignore[arg-type]
        return types.ArrayType(in_spark), pa.list_(in_arrow)
    if isinstance(dtype, pl.Struct):
        fields = {field.name: _types(name, field.dtype) for field in dtype.fields}  # type: ignore[arg-type]
        return (
            types.StructType([types.StructField(field, in_spark) for field, (in_spark, _) in fields.items()]),
            pa.struct([pa.field(field, in_arrow) for field, (_, in_arrow) in fields.items()]),
        )
    try:
        return _TYPES[dtype.base_type()]
    except KeyError:
        msg = f"column `{name}` would be {dtype}, which has no type of Spark"
        raise ComputeError(msg) from None


def _at(place: int) -> str:
    return f"_{place}"


def _stitched(
    batches: Iterable[pa.RecordBatch],
    *,
    read: dict[str, int],
    put: dict[str, int],
    operators: Sequence[Operator],
    by: Sequence[Column],
) -> Iterator[pa.RecordBatch]:
    """Add outputs to the sorted rows of a partition; all other columns go past Polars, as they are."""
    waiting: list[pa.Table] = []

    def frames() -> Iterator[pl.DataFrame]:
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            waiting.append(rows)
            yield _frame(rows.select([*read.values()]), [*read])

    for known in stitch(frames(), operators, by, columns=[*put]):
        all_rows = pa.concat_tables(waiting)
        rows, waiting[:] = all_rows.slice(0, known.height), [all_rows.slice(known.height)]
        for output, place in put.items():
            column = known[output].to_arrow().cast(_types(output, known.schema[output])[1])
            replaced = place < rows.num_columns
            rows = (rows.set_column if replaced else rows.add_column)(place, _at(place), column)
        yield from rows.to_batches()


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
