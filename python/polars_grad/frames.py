"""Operators on lazy frames larger than memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from polars_grad._batches.optional import load
from polars_grad._batches.source import from_batches, to_batches, unlike
from polars_grad._batches.specs import along_cells, flag, is_inside, operators_of, shared, specs_of
from polars_grad._batches.stitch import Column, check_key, stitch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from polars_grad._batches.stitch import Operator
    from polars_grad._engine.operator import OperatorExpr, Spec

__all__ = ["with_columns"]

_FUNCTION = "`grad.with_columns`"


def with_columns(
    lf: pl.LazyFrame,
    /,
    *exprs: OperatorExpr | Sequence[OperatorExpr],
    progress: bool = False,
    **named_exprs: OperatorExpr,
) -> pl.LazyFrame:
    """
    Add columns of operators to a lazy frame of any size, whose rows are sorted by the operators' `by` and `x`.

    The result is that of `lf.with_columns(...)` with the same expressions, to the bit. The rows are read once for all
    operators, in batches of the streaming engine. Memory holds a few batches and no whole column, whatever the number
    of rows and groups.

    Parameters
    ----------
    lf
        The rows, sorted by `by` as `lf.sort(by)` sorts them: each key rising, a later one within equal values of those
        before it, nulls first. Within a group they are in the order of `x`, rising or falling.
    *exprs
        Operators, such as `pg.gradient("y", x="t", by="id")`. They share `by` and `x`; those without an `x` go with any
        others. All other arguments may differ. An operator on several columns adds a column for each.
    progress
        Show the number of rows read so far, using the package tqdm.
    **named_exprs
        Further operators, whose columns are named by the keyword. A column named "progress" is made with
        `.alias("progress")`.

    Returns
    -------
    LazyFrame
        The columns of `lf` and those of the operators, which replace columns of the same name. The rows keep their
        order. Nothing runs before it is collected or sunk.

    Raises
    ------
    TypeError, ValueError
        At once, if an expression is not an operator, if operators differ in `by` or `x`, or if two give a column of the
        same name.
    ImportError
        At once, if `progress` is set and tqdm cannot be imported.
    polars.exceptions.ComputeError
        When the query is planned, if a dtype is not supported, or if two selectors give a column of the same name. When
        it runs, if keys are not sorted, or if `x` is not strictly monotonic within a segment and the operator is
        strict. The error names the first wrong row, the column and the group.

    Notes
    -----
    Operators have the null and NaN contracts that they have as expressions. A null in `x` may stand anywhere in its
    group.

    All operators read the columns of `lf` as they are, also where another operator replaces one.

    Each key is compared with the key before it, and each `x` is checked by the operators. Rows that are not sorted are
    an error and never give another result. For rows in any order that fit into memory use `lf.with_columns(...)`.

    `y`, `x` and `by` may be any expressions, of one row or of many. They are evaluated by the streaming engine. A
    method called on an operator, other than `alias` and those of `name`, makes another expression, which is an error
    here.

    With `nulls="skip"` a row waits for the next rows of its group without a null, and the rows between wait with it:
    the longest run of nulls must fit into memory. So must the rows in a window of a length. An operator that needs
    whole segments is an error.

    The result can be filtered, joined, sliced, sunk and differentiated again. Columns that are not used are not read,
    and operators whose columns are not used are not evaluated or checked.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> lf = pl.LazyFrame({"id": ["a", "a", "a", "b", "b"], "t": [0, 1, 3, 0, 2], "y": [0.0, 1.0, 9.0, 5.0, 4.0]})
    >>> lf.grad.with_columns(
    ...     dy_dt=pg.gradient("y", x="t", by="id"),
    ...     step=pg.gradient("t", by="id"),
    ... ).collect()
    shape: (5, 5)
    ┌─────┬─────┬─────┬───────┬──────┐
    │ id  ┆ t   ┆ y   ┆ dy_dt ┆ step │
    │ --- ┆ --- ┆ --- ┆ ---   ┆ ---  │
    │ str ┆ i64 ┆ f64 ┆ f64   ┆ f64  │
    ╞═════╪═════╪═════╪═══════╪══════╡
    │ a   ┆ 0   ┆ 0.0 ┆ 1.0   ┆ 1.0  │
    │ a   ┆ 1   ┆ 1.0 ┆ 2.0   ┆ 1.5  │
    │ a   ┆ 3   ┆ 9.0 ┆ 4.0   ┆ 2.0  │
    │ b   ┆ 0   ┆ 5.0 ┆ -0.5  ┆ 2.0  │
    │ b   ┆ 2   ┆ 4.0 ┆ -0.5  ┆ 2.0  │
    └─────┴─────┴─────┴───────┴──────┘

    From file to file, however large:

    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> lf.sink_parquet(folder / "sorted.parquet")
    >>> slopes = pl.scan_parquet(folder / "sorted.parquet").grad.with_columns(dy_dt=pg.gradient("y", x="t", by="id"))
    >>> slopes.sink_parquet(folder / "slopes.parquet")
    >>> pl.scan_parquet(folder / "slopes.parquet").filter(pl.col("dy_dt") > 1).collect().height
    2
    """
    if not isinstance(lf, pl.LazyFrame):
        hint = "; use `df.lazy()`, or `df.with_columns(...)`" if isinstance(lf, pl.DataFrame) else ""
        msg = f"`lf` must be a LazyFrame, got {type(lf).__name__}{hint}"
        raise TypeError(msg)
    if flag("progress", progress):
        _tqdm()
    specs = specs_of(_FUNCTION, exprs, named_exprs)
    x, by = shared(_FUNCTION, specs)
    query = _Query(lf, specs, x, by, progress)
    return from_batches(query.batches, lambda: query.plan.schema)


@dataclass(frozen=True)
class _Query:
    """Operators to be evaluated on a lazy frame once that runs."""

    lf: pl.LazyFrame
    specs: list[Spec]
    x: pl.Expr | None
    by: tuple[pl.Expr, ...]
    progress: bool

    # Polars asks several times for the schema of a source, and each time would plan all queries below it.
    @cached_property
    def plan(self) -> _Plan:
        """Columns and operators, or an error if these do not fit the frame."""
        return _Planner(self).plan()

    def batches(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Return all rows, of some of the columns."""
        plan, needed = self.plan, {*columns}
        operators = [operator for operator in plan.operators if operator.output in needed]
        if not operators:
            # Without columns only heights are needed: a literal beside the columns of the frame has its height.
            lf = self.lf.select(cs.by_name(columns)) if columns else self.lf.with_columns(height=None).select("height")
            return self._read(lf, len(columns))
        outputs = {operator.output for operator in operators}
        read = {key.name for key in plan.by}.union(*(operator.reads for operator in operators))
        own = [name for name in plan.own if name in read or (name in needed and name not in outputs)]
        computed = {name: column for name, column in plan.computed.items() if name in read}
        structs = {name: plan.structs[name] for column in computed.values() for name in column.meta.root_names()}
        # A selector, since a name such as "^a$" is a pattern.
        lf = self.lf.with_columns(**structs).select(cs.by_name(own), **computed)
        rows = self._read(lf, len(own) + len(computed))
        return stitch(rows, operators, plan.by, columns=columns)

    def _read(self, lf: pl.LazyFrame, columns: int) -> Iterator[pl.DataFrame]:
        return _counted(to_batches(lf, columns)) if self.progress else to_batches(lf, columns)


@dataclass(frozen=True)
class _Plan:
    """
    The columns of a query, and its operators.

    An expression may look at all rows, so that it is evaluated before there are batches: `structs` hold the columns of
    one expression each, and `computed` are these columns. Their names are no names of the frame.
    """

    schema: pl.Schema
    own: list[str]
    structs: dict[str, pl.Expr]
    computed: dict[str, pl.Expr]
    operators: list[Operator]
    by: list[Column]


class _Planner:
    """Plans a query on a frame without rows."""

    def __init__(self, query: _Query) -> None:
        self.query = query
        self.schema = query.lf.collect_schema()
        self.empty = self.schema.to_frame(eager=False)
        self.prefix = unlike(self.schema)
        self.structs: dict[str, pl.Expr] = {}
        self.computed: dict[str, pl.Expr] = {}

    def plan(self) -> _Plan:
        """Return the plan, or an error if operators do not fit the frame."""
        x = None if self.query.x is None else self.single("x", self.query.x)
        by = tuple(dict.fromkeys(key for column in self.query.by for key in self.keys(column)))
        sigmas = [None if spec.sigma is None else self.single("sigma", spec.sigma) for spec in self.query.specs]
        outputs = self.empty.select(spec.expression() for spec in self.query.specs).collect_schema()
        names = iter(outputs)
        specs = zip(self.query.specs, sigmas, strict=True)
        operators = [operator for spec, sigma in specs for operator in self.operators(spec, x, sigma, by, names)]
        schema = pl.Schema({**self.schema, **outputs})
        return _Plan(schema, list(self.schema), self.structs, self.computed, operators, list(by))

    def operators(
        self, spec: Spec, x: Column | None, sigma: Column | None, by: tuple[Column, ...], outputs: Iterator[str]
    ) -> list[Operator]:
        """Return an operator for each column of y."""
        columns = self.columns(spec.y)
        names = list(islice(outputs, len(columns)))
        if not is_inside(spec):
            return operators_of(spec, columns, None if spec.x is None else x, by, names, sigma=sigma)
        # Coordinates along an axis inside of cells have nothing to do with the order of rows.
        along: Column | pl.Series | None = along_cells(spec)
        if along is None and spec.x is not None:
            along = self.single("x", spec.x)
        return operators_of(spec, columns, along, (), names, sigma=sigma)

    def single(self, argument: str, column: pl.Expr) -> Column:
        """Return what must be one column of the batches."""
        columns = self.columns(column)
        if len(columns) != 1:
            msg = (
                f"`{argument}` must be one column, got {len(columns)}: {', '.join(column.shown for column in columns)}"
            )
            raise ValueError(msg)
        return columns[0]

    def keys(self, column: pl.Expr) -> list[Column]:
        """Return keys as columns of the batches."""
        for name, dtype in self.schema_of(column).items():
            check_key(name, dtype)
        return self.columns(column)

    def columns(self, column: pl.Expr) -> list[Column]:
        """Return columns of the batches."""
        names = self.schema_of(column).names()
        if column.meta.is_column_selection():
            return [Column(name, name) for name in names]
        struct = f"{self.prefix}{len(self.structs)}"
        columns = [Column(f"{struct}_{number}", name) for number, name in enumerate(names)]
        self.structs[struct] = pl.struct(column).struct.rename_fields([own for own, _ in columns])
        self.computed.update({own: pl.col(struct).struct.field(own) for own, _ in columns})
        return columns

    def schema_of(self, column: pl.Expr) -> pl.Schema:
        if column.meta.is_column():
            name = column.meta.output_name()
            if name in self.schema:
                return pl.Schema({name: self.schema[name]})
        return self.empty.select(column).collect_schema()


def _counted(batches: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    with _tqdm()(unit=" rows", unit_scale=True) as bar:
        for batch in batches:
            bar.update(batch.height)
            yield batch


def _tqdm() -> Any:
    return load("tqdm.auto", needed_by="`progress=True`", install="pip install tqdm").tqdm
