"""Gradients of Dask DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars.exceptions import ComputeError

from polars_grad import _arguments as check
from polars_grad import functions
from polars_grad._optional import load
from polars_grad._partitions import Gradient, Halo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

__all__ = ["gradient"]


def gradient(
    ddf: Any,
    y: str,
    x: str | None = None,
    *,
    name: str | None = None,
    presorted: bool = False,
    spacing: float | timedelta | str | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | Sequence[str] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | None = None,
    strict: bool = True,
) -> Any:
    """
    Add the gradient of `y` with respect to `x` to a Dask DataFrame.

    The slopes are those of `gradient` on all rows in one frame, to the bit; for the formulas see
    :func:`polars_grad.gradient`. It needs `pip install polars-grad[dask]`, on the workers too.

    Rows in any order are shuffled by key, and sorted by key and `x` in each partition. Rows that are sorted already
    stay where they are, with `presorted=True`: groups may reach over any number of partitions, and each partition gets
    only the few rows before and after it that it needs.

    Parameters
    ----------
    ddf
        The rows: a Dask DataFrame of pandas partitions, of columns in numpy, nullable or pyarrow dtypes.
    y
        The name of the column to differentiate, of any dtype that `gradient` takes; not object.
    x
        The name of the coordinate, likewise. None takes rows to be one step apart, and needs `presorted`.
    name
        The name of the new column, which takes the place of a column of that name; that of `y` unless given.
    presorted
        Whether rows are sorted by (`by`, `x`) already, from each partition to the next: each key rising as polars
        sorts, missing keys first, NaN of a float last, categories as their strings; within a group `x` rising or
        falling. It is checked. Without `by` all rows are one series, and must be presorted.
    spacing
        Instead of `x`, one constant step from row to row: a number, a timedelta or a duration string such as "10ms".
    per
        The unit of time in the result when `x` or `spacing` is temporal: a timedelta or a duration string such as
        "1h"; one second unless given.
    edge_order
        The order of accuracy at the ends, 1 or 2.
    by
        Differentiate each group by itself: the names of one or several key columns. Missing is a key like any other.
    nulls
        What a null in `y` or `x` does to the rows around it: "propagate", "skip" or "split".
    max_gap
        Neighbours further apart in `x` than this do not belong together: a number, or for a temporal `x` a timedelta
        or a duration string.
    strict
        What to do about an `x` that repeats, turns, or is NaN or infinite: True is an error, False gives nulls there.
        Keys out of order are an error in any case.

    Returns
    -------
    dask.dataframe.DataFrame
        The columns of `ddf` and the gradient, each row with its index. Presorted rows keep their order, partitions and
        divisions. Others are in as many partitions as before, each sorted by key and rising `x`; whole groups are in
        one partition, and divisions are unknown.

        The gradient has a pyarrow dtype if `y` has one, a nullable dtype if `y` is nullable, else one of numpy:
        float64, or float32 and float16 from these, or timedelta64 where `y` is temporal and `x` is not.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    ImportError
        At once, if Dask cannot be imported.
    polars.exceptions.ComputeError
        At once, if a dtype is not one of those allowed. When it is computed, if presorted keys are not sorted, or `x`
        is not strictly monotonic within a segment and `strict` is set; or if a partition is no longer what it was.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.gradient`. Nulls are NaT, None, and what is missing in a nullable
    or pyarrow column. NaN in a float column of numpy is a value, as it is to numpy, although pandas calls it missing:
    it makes NaN of the slopes beside it, whatever `nulls` says; `ddf.astype({"y": "Float64"})` makes it missing. Where
    the gradient is null it is missing in a nullable or pyarrow column, and NaN or NaT in one of numpy.

    In rows to be sorted a null in `x` comes first in its group; by `nulls="skip"` it makes no difference where. Rows of
    equal `x` have no order there, so with `strict=False` the slope next to them may be that of any.

    By `presorted=True` the keys, `x` and `y` are read once at the call, to find the first and last rows of each
    partition; the rest is lazy. No partition waits in memory for another. If they are costly to compute, persist them
    before. An unsorted frame is shuffled when it is computed, and a group must fit into a partition.

    Examples
    --------
    >>> import pandas as pd
    >>> import dask.dataframe as dd
    >>> import polars_grad.dask
    >>> df = pd.DataFrame({"id": [2, 1, 2, 1, 2], "t": [3, 0, 0, 2, 1], "y": [9.0, 5.0, 0.0, 4.0, 1.0]})
    >>> slopes = polars_grad.dask.gradient(dd.from_pandas(df, npartitions=2), "y", x="t", by="id", name="dy_dt")
    >>> slopes.compute().sort_index()
       id  t    y  dy_dt
    0   2  3  9.0    4.0
    1   1  0  5.0   -0.5
    2   2  0  0.0    1.0
    3   1  2  4.0   -0.5
    4   2  1  1.0    2.0

    Sorted rows, a group of which is in both partitions:

    >>> ddf = dd.from_pandas(df.sort_values(["id", "t"], ignore_index=True), npartitions=2)
    >>> slopes = polars_grad.dask.gradient(ddf, "y", x="t", by="id", name="dy_dt", presorted=True)
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
    check.new_name(name)
    check.name_of("y", y)
    if x is not None:
        check.name_of("x", x)
    keys = check.names_of_keys(by)
    options: dict[str, Any] = {
        "spacing": spacing,
        "per": per,
        "edge_order": edge_order,
        "nulls": nulls,
        "max_gap": max_gap,
        "strict": strict,
    }
    functions.gradient(y, x, by=keys or None, **options)
    if not check.flag("presorted", presorted):
        _check_sortable(x, keys)
    _check_columns(ddf, {"y": [y], "x": [] if x is None else [x], "by": keys})

    work = Gradient(y, x, keys, name or y, ddf.dtypes[y], options)
    meta = work.meta(ddf._meta, presorted=presorted)  # noqa: SLF001 (the name in Dask's own documentation)
    if not presorted:
        # Longer than any other, the name of the column of ours is none of them.
        own = "_" * (1 + max(len(str(column)) for column in ddf.columns))
        shuffled = ddf.assign(**{own: ddf[keys].map_partitions(work.hashed, meta=(own, "uint64"))}).shuffle(own)
        slopes = shuffled.map_partitions(
            work.sorted,
            meta=work.meta(shuffled._meta, presorted=False),  # noqa: SLF001
            required_columns=work.columns,
        )
        return slopes[list(meta.columns)]
    edges = dask.compute(*map(dask.delayed(work.edges), ddf[work.columns].to_delayed()))
    halos = dd.from_map(_given, work.halos(list(edges)), meta=meta[[]])
    return ddf.map_partitions(
        work.between, halos, meta=meta, align_dataframes=False, enforce_metadata=False, required_columns=work.columns
    )


def _check_sortable(x: str | None, keys: list[str]) -> None:
    if not keys:
        msg = (
            "without `by` rows must be sorted by x, with `presorted=True`; "
            "use `ddf.sort_values(x)` for rows in any order"
        )
        raise ValueError(msg)
    if x is None:
        msg = "rows of a group have no order without `x`: give `x`, or rows in order with `presorted=True`"
        raise ValueError(msg)


def _check_columns(ddf: Any, arguments: dict[str, list[str]]) -> None:
    for argument, names in arguments.items():
        for name in names:
            if name not in ddf.columns:
                hint = f"; make a column of the index by `ddf.assign({name}=ddf.index)`" * (name == ddf.index.name)
                columns = ", ".join(f"`{column}`" for column in ddf.columns)
                msg = f"`{argument}` must be a column of `ddf`, got {name!r}, but its columns are {columns}{hint}"
                raise ValueError(msg)
            if argument != "by" and ddf.dtypes[name] == "object":
                msg = (
                    f"`{argument}` must be numbers or times, but column `{name}` is of dtype object; "
                    'give it a dtype of its own by `astype`, such as "date32[pyarrow]" or '
                    "`pd.ArrowDtype(pa.decimal128(38, 9))`"
                )
                raise ComputeError(msg)


def _given(halo: Halo) -> Halo:
    return halo
