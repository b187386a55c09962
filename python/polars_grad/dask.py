"""Operators on Dask DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polars.exceptions import ComputeError

from polars_grad._batches.optional import load
from polars_grad._batches.partitions import Halo, Work
from polars_grad._batches.specs import flag, named_operators, names_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polars_grad._batches.stitch import Column, Operator
    from polars_grad._engine.operator import OperatorExpr

__all__ = ["with_columns"]


def with_columns(
    ddf: Any,
    /,
    *exprs: OperatorExpr | Sequence[OperatorExpr],
    presorted: bool = False,
    order_by: str | Sequence[str] | None = None,
    **named_exprs: OperatorExpr,
) -> Any:
    """
    Add columns of operators to a Dask DataFrame.

    The result is that of `df.with_columns(...)` on all rows in one polars frame, to the bit. It needs
    `pip install polars-grad[dask]`, on the workers too.

    Rows in any order are shuffled by key, and sorted by key and `x` in each partition. Rows that are sorted already
    stay where they are, with `presorted=True`: groups may extend over any number of partitions, and each partition gets
    only the rows before and after it that it needs.

    Parameters
    ----------
    ddf
        The rows: a Dask DataFrame of pandas partitions, of columns in numpy, nullable or pyarrow dtypes.
    *exprs
        Operators, such as `pg.gradient("y", x="t", by="id")`. They share `by` and `x`; those without an `x` go with any
        others. All other arguments may differ. Columns are given by name; `y` and `x` are not of dtype object.
    presorted
        Whether rows are sorted by `by` and `x` already, from each partition to the next: each key rising as polars
        sorts, missing keys first, NaN of a float last, categories as their strings; within a group `x` rising or
        falling. It is checked. Without `by` all rows are one series, and must be presorted.
    order_by
        The names of the columns to sort each group by, instead of `x`. Needed if there is no `x`, unless rows are
        presorted.
    **named_exprs
        Further operators, whose columns are named by the keyword. Columns named "presorted" and "order_by" are made
        with `.alias`.

    Returns
    -------
    dask.dataframe.DataFrame
        The columns of `ddf` and those of the operators, which replace columns of the same name; each row with its
        index. Presorted rows keep their order, partitions and divisions. Others are in as many partitions as before,
        each sorted by key and rising `x`; whole groups are in one partition, and divisions are unknown.

        A column has a pyarrow dtype if its `y` has one, or if it holds structs or lists; a nullable dtype if `y` is
        nullable; else a dtype of numpy.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not allowed, or if operators differ in `by` or `x`.
    ImportError
        At once, if Dask cannot be imported.
    polars.exceptions.ComputeError
        At once, if a dtype is not supported. When it is computed, if presorted keys are not sorted, if `x` is not
        strictly monotonic within a segment and the operator is strict, or if a partition is no longer what it was. The
        error names the index of the first wrong row in a partition, the column and the group.

    Notes
    -----
    Operators have the null and NaN contracts that they have as expressions. Nulls are NaT, None, and what is missing in
    a nullable or pyarrow column. NaN in a float column of numpy is a value, as it is to numpy, although pandas calls it
    missing: it gives NaN around it, whatever `nulls` says; `ddf.astype({"y": "Float64"})` makes it missing. Where a
    result is null it is missing in a nullable or pyarrow column, and NaN or NaT in one of numpy.

    In rows to be sorted a null in `x` comes first in its group; with `nulls="skip"` its place makes no difference. Rows
    of equal `x` have no order, so that with `strict=False` the results next to them may change from run to run.

    With `presorted=True` the keys, `x` and `y` are read once at the call, to find the first and last rows of each
    partition; the rest is lazy. No partition waits in memory for another. An `integral` adds up at the call, from each
    partition to the next. If the columns are costly to compute, persist them before. A frame in any order is shuffled
    when it is computed, and a group must fit into a partition.

    Examples
    --------
    >>> import pandas as pd
    >>> import dask.dataframe as dd
    >>> import polars_grad as pg
    >>> import polars_grad.dask
    >>> df = pd.DataFrame({"id": [2, 1, 2, 1, 2], "t": [3, 0, 0, 2, 1], "y": [9.0, 5.0, 0.0, 4.0, 1.0]})
    >>> ddf = dd.from_pandas(df, npartitions=2)
    >>> slopes = polars_grad.dask.with_columns(ddf, dy_dt=pg.gradient("y", x="t", by="id"))
    >>> slopes.compute().sort_index()
       id  t    y  dy_dt
    0   2  3  9.0    4.0
    1   1  0  5.0   -0.5
    2   2  0  0.0    1.0
    3   1  2  4.0   -0.5
    4   2  1  1.0    2.0

    Sorted rows, a group of which is in both partitions:

    >>> ddf = dd.from_pandas(df.sort_values(["id", "t"], ignore_index=True), npartitions=2)
    >>> slopes = polars_grad.dask.with_columns(ddf, dy_dt=pg.gradient("y", x="t", by="id"), presorted=True)
    >>> slopes.compute()
       id  t    y  dy_dt
    0   1  0  5.0   -0.5
    1   1  2  4.0   -0.5
    2   2  0  0.0    1.0
    3   2  1  1.0    2.0
    4   2  3  9.0    4.0
    """
    dask, dd = (
        load(module, needed_by="`polars_grad.dask`", install="pip install polars-grad[dask]")
        for module in ("dask", "dask.dataframe")
    )
    if not isinstance(ddf, dd.DataFrame):
        msg = f"`ddf` must be a Dask DataFrame, got {type(ddf).__name__}; use `dd.from_pandas(df, ...)` to make one"
        raise TypeError(msg)
    operators, x, by = named_operators("`polars_grad.dask.with_columns`", exprs, named_exprs)
    order = names_of("order_by", order_by)
    if flag("presorted", presorted) and order:
        msg = "`order_by` sorts rows, and `presorted=True` says that they are sorted: give one of them"
        raise ValueError(msg)
    _check_columns(ddf, operators, order)
    if not operators:
        return ddf
    reads = dict.fromkeys([name for operator in operators for name in operator.reads] + order)
    work = Work(operators, by, {name: ddf.dtypes[name] for name in reads})
    meta = work.evaluate(ddf._meta)  # noqa: SLF001 (the name in Dask's own documentation)
    if not any(operator.reads_others for operator in operators):
        return ddf.map_partitions(work.evaluate, meta=meta, required_columns=work.columns)
    if not presorted:
        order = order or _order(x, by)
        # Longer than any other, the name of the column of ours is none of them.
        own = "_" * (1 + max(len(str(column)) for column in ddf.columns))
        keys = ddf[[key.name for key in by]]
        shuffled = ddf.assign(**{own: keys.map_partitions(work.hashed, meta=(own, "uint64"))}).shuffle(own)
        sorted_rows = shuffled.map_partitions(
            work.sorted,
            order,
            meta=work.evaluate(shuffled._meta),  # noqa: SLF001
            required_columns=work.columns,
        )
        return sorted_rows[list(meta.columns)]
    parts = ddf[work.columns].to_delayed()
    edges: list[Any] = list(map(dask.delayed(work.edges), parts))
    passed: list[Any] = []
    for part in parts if work.passes else []:
        passed.append(dask.delayed(work.passed)(part, passed[-1] if passed else None))
    edges, passed = dask.compute(edges, passed)
    halos = dd.from_map(_given, work.halos(edges, passed), meta=meta[[]])
    return ddf.map_partitions(
        work.between, halos, meta=meta, align_dataframes=False, enforce_metadata=False, required_columns=work.columns
    )


def _order(x: Column | None, by: Sequence[Column]) -> list[str]:
    """Return the columns that groups are sorted by."""
    if not by:
        msg = (
            "without `by` rows must be sorted by x, with `presorted=True`; "
            "use `ddf.sort_values(x)` for rows in any order"
        )
        raise ValueError(msg)
    if x is None:
        msg = (
            "rows of a group have no order without `x`: give `x`, or the columns to sort by as `order_by`, or rows "
            "in order with `presorted=True`"
        )
        raise ValueError(msg)
    return [x.name]


def _check_columns(ddf: Any, operators: Sequence[Operator], order_by: Sequence[str]) -> None:
    for operator in operators:
        for argument, name in operator.arguments:
            _check_column(ddf, argument, name)
            if argument != "by" and ddf.dtypes[name] == "object":
                msg = (
                    f"`{argument}` must be numbers or times, but column `{name}` is of dtype object; "
                    'give it a dtype of its own by `astype`, such as "date32[pyarrow]" or '
                    "`pd.ArrowDtype(pa.decimal128(38, 9))`"
                )
                raise ComputeError(msg)
    for name in order_by:
        _check_column(ddf, "order_by", name)


def _check_column(ddf: Any, argument: str, name: str) -> None:
    if name not in ddf.columns:
        hint = f"; make a column of the index by `ddf.assign({name}=ddf.index)`" * (name == ddf.index.name)
        columns = ", ".join(f"`{column}`" for column in ddf.columns)
        msg = f"`{argument}` must be a column of `ddf`, got {name!r}, but its columns are {columns}{hint}"
        raise ValueError(msg)


def _given(halo: Halo) -> Halo:
    return halo
