"""Functions of whole frames: for rows in order, in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_grad import _arguments as check
from polars_grad._optional import load
from polars_grad._source import from_batches, to_batches
from polars_grad._stitch import check_keys, stitch
from polars_grad.functions import gradient

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

__all__ = ["with_gradient"]


def with_gradient(
    lf: pl.LazyFrame,
    y: str | pl.Expr,
    x: str | pl.Expr | None = None,
    *,
    name: str | None = None,
    spacing: float | timedelta | str | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | None = None,
    strict: bool = True,
    progress: bool = False,
) -> pl.LazyFrame:
    """
    Add the gradient of `y` with respect to `x` to a lazy frame of any size, whose rows are sorted by (`by`, `x`).

    The answers are those of `lf.with_columns(gradient(...))`, to the bit, and so are the formulas: see
    :func:`polars_grad.gradient`. The rows are read once, in the batches of the streaming engine; in memory are a few
    batches and no whole column, whatever the number of rows and groups.

    Parameters
    ----------
    lf
        The rows, sorted by `by` as `lf.sort(by)` sorts them: each key rising, a later one within equal values of those
        before it, nulls first. Within a group in the order of `x`, rising or falling.
    y
        The column to differentiate: a name or an expression of one column, of any dtype that `gradient` takes.
    x
        The coordinate: a name or an expression. None takes rows to be one step apart.
    name
        The name of the new column, which takes the place of a column of that name; that of `y` unless given.
    spacing
        Instead of `x`, one constant step from row to row: a number, a timedelta or a duration string such as "10ms".
    per
        The unit of time in the result when `x` or `spacing` is temporal: a timedelta or a duration string such as
        "1h"; one second unless given.
    edge_order
        The order of accuracy at the ends, 1 or 2.
    by
        Differentiate each group by itself: one or several key columns, names or expressions, of any dtype that has an
        order (not lists, arrays, structs or objects). A null is a key like any other, and comes first.
    nulls
        What a null in `y` or `x` does to the rows around it: "propagate", "skip" or "split".
    max_gap
        Neighbours further apart in `x` than this do not belong together: a number, or for a temporal `x` a timedelta
        or a duration string.
    strict
        What to do about an `x` that repeats, turns, or is NaN or infinite: True is an error, False gives nulls there.
        Keys out of order are an error in any case.
    progress
        Show the number of rows read so far, by the package tqdm.

    Returns
    -------
    LazyFrame
        The columns of `lf` and the gradient, rows in the order of `lf`. Nothing runs before it is collected or sunk.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    ImportError
        At once, if `progress` is set and tqdm cannot be imported.
    polars.exceptions.ComputeError
        When the query is planned, if a dtype is not one of those allowed; when it runs, if keys are not sorted, or `x`
        is not strictly monotonic within a segment and `strict` is set. It names the row, and the group.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.gradient`. A null in `x` may stand anywhere in its group.

    By `nulls="skip"` a row waits for the next one of its group without a null, and in memory with it the rows between:
    as many as the longest run of nulls has.

    Every row is checked: each key against the one before, each `x` as `gradient` does. What is not sorted is an error
    and never another answer. For rows in any order that fit into memory use `gradient(..., by=...)`.

    `y`, `x` and `by` may be any expressions, of one row or of many; they are evaluated by the streaming engine. The
    result can be filtered, joined, sliced, sunk and differentiated again. Columns that are not asked for are not read,
    and if the gradient is not, nothing is differentiated or checked.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> lf = pl.LazyFrame({"id": ["a", "a", "a", "b", "b"], "t": [0, 1, 3, 0, 2], "y": [0.0, 1.0, 9.0, 5.0, 4.0]})
    >>> pg.with_gradient(lf, "y", x="t", by="id", name="dy_dt").collect()
    shape: (5, 4)
    ┌─────┬─────┬─────┬───────┐
    │ id  ┆ t   ┆ y   ┆ dy_dt │
    │ --- ┆ --- ┆ --- ┆ ---   │
    │ str ┆ i64 ┆ f64 ┆ f64   │
    ╞═════╪═════╪═════╪═══════╡
    │ a   ┆ 0   ┆ 0.0 ┆ 1.0   │
    │ a   ┆ 1   ┆ 1.0 ┆ 2.0   │
    │ a   ┆ 3   ┆ 9.0 ┆ 4.0   │
    │ b   ┆ 0   ┆ 5.0 ┆ -0.5  │
    │ b   ┆ 2   ┆ 4.0 ┆ -0.5  │
    └─────┴─────┴─────┴───────┘

    From file to file, however large:

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> lf.sink_parquet(folder / "sorted.parquet")
    >>> slopes = pl.scan_parquet(folder / "sorted.parquet").grad.with_gradient("y", x="t", by="id", name="dy_dt")
    >>> slopes.sink_parquet(folder / "slopes.parquet")
    >>> pl.scan_parquet(folder / "slopes.parquet").filter(pl.col("dy_dt") > 1).collect().height
    2
    """
    if not isinstance(lf, pl.LazyFrame):
        hint = "; use `df.lazy()`, or `df.with_columns(pg.gradient(...))`" if isinstance(lf, pl.DataFrame) else ""
        msg = f"`lf` must be a LazyFrame, got {type(lf).__name__}{hint}"
        raise TypeError(msg)
    check.new_name(name)
    options: dict[str, Any] = {
        "spacing": spacing,
        "per": per,
        "edge_order": edge_order,
        "nulls": nulls,
        "max_gap": max_gap,
        "strict": strict,
    }
    slope = gradient(y, x, by=by, **options)
    points = {"y": check.column("y", y)} if x is None else {"y": check.column("y", y), "x": check.column("x", x)}
    if check.flag("progress", progress):
        _tqdm()
    query = _Query(lf, slope, points, [] if by is None else check.columns("by", by), name, options, progress)
    return from_batches(query.batches, query.schema)


@dataclass(frozen=True)
class _Query:
    """A gradient to be added to a lazy frame, once that runs."""

    lf: pl.LazyFrame
    slope: pl.Expr
    points: dict[str, pl.Expr]
    keys: list[pl.Expr]
    name: str | None
    options: dict[str, Any]
    progress: bool

    def schema(self) -> pl.Schema:
        """Give the columns of the result, or an error if they cannot be told or differentiated."""
        for argument, column in self.points.items():
            names = self._schema_of(column).names()
            if len(names) != 1:
                msg = f"`{argument}` must be one column, got {len(names)}: {', '.join(names)}"
                raise ValueError(msg)
        for key in self.keys:
            check_keys(self._schema_of(key))
        ((name, dtype),) = self._schema_of(self.slope).items()
        return pl.Schema({**self._schema_of(pl.all()), self.name or name: dtype})

    def batches(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Give all rows, of the columns needed."""
        (name,) = [self.name] if self.name else self._schema_of(self.slope)
        if name not in columns:
            return self._read(self.lf.select(columns))
        names = self._schema_of(pl.all()).names()
        # Longer than any other, the name of a column of ours is none of them.
        prefix = "_" * (1 + max(map(len, names)))
        carried: dict[str, pl.Expr] = {}
        own: set[str] = set()

        def columns_of(argument: pl.Expr) -> list[pl.Expr]:
            """Columns of a batch; an expression may look at all rows, so it is evaluated before there are batches."""
            if argument.meta.is_column():
                own.update(argument.meta.root_names())
                return [argument]
            struct = f"{prefix}{len(carried)}"
            carried[struct] = pl.struct(argument)
            return [pl.col(struct).struct.field(field).alias(field) for field in self._schema_of(argument)]

        points = [column for argument in self.points.values() for column in columns_of(argument)]
        by = [column for argument in self.keys for column in columns_of(argument)]
        kept = [column for column in names if column in own or (column in columns and column != name)]
        rows = self._read(self.lf.select(kept, **carried))
        return stitch(rows, *points, by=by, name=name, **self.options)

    def _read(self, lf: pl.LazyFrame) -> Iterator[pl.DataFrame]:
        return _counted(to_batches(lf)) if self.progress else to_batches(lf)

    def _schema_of(self, columns: pl.Expr) -> pl.Schema:
        return self.lf.select(columns).collect_schema()


def _counted(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    with _tqdm()(unit=" rows", unit_scale=True) as bar:
        for batch in batches:
            bar.update(batch.height)
            yield batch


def _tqdm() -> Any:
    return load("tqdm.auto", needed_by="`progress=True`", install="pip install tqdm").tqdm
