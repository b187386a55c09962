"""Operators across columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine import columns as _columns
from polars_grad._engine import domain as _domain
from polars_grad._engine import plugin as _plugin
from polars_grad._engine.documentation import documented
from polars_grad._engine.domain import ARGUMENTS, Argument, Shared, one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl
    from typing_extensions import Unpack

    from polars_grad._engine.lengths import Length

__all__ = ["gradient_horizontal"]


class RowDomain(Shared, total=False):
    """The arguments by keyword of operators across columns."""

    spacing: Length | None
    max_gap: Length | None
    x_period: Length | None
    y_period: Length | None


_ARGUMENTS = {
    **ARGUMENTS,
    "spacing": Argument(
        None,
        """
        A constant step from column to column instead of `x`: a number, a timedelta or a duration string.
        """,
    ),
    "x_period": Argument(
        None,
        """
        The period of an `x` that goes round, such as 360 for sensors around a pipe or 12 for the months of a year. The
        last column then stands before the first, one period away, so that no column is an end. It needs `x` or
        `spacing`.
        """,
    ),
    "y_period": Argument(
        None,
        """
        The period of values that wrap around: 360 for degrees, `2 * math.pi` for radians, "24h" for times of day; a
        number, or a timedelta or a duration string for temporal columns. Each rise is taken to the nearest multiple of
        it. A rise of exactly half a period keeps its sign, as in `numpy.unwrap`.
        """,
    ),
}


@documented(RowDomain, _ARGUMENTS)
def gradient_horizontal(
    *columns: str | pl.Expr | Iterable[str | pl.Expr],
    x: str | pl.Expr | Sequence[Any] | None = None,
    edge_order: Literal[1, 2] = 1,
    **domain: Unpack[RowDomain],
) -> pl.Expr:
    """
    Differentiate across columns, each row by itself: for sensors side by side.

    The formula is that of :func:`polars_grad.gradient`, where the neighbours of a value are the values in the columns
    before and after.

    Parameters
    ----------
    *columns
        The columns, in their order along `x`: names, expressions or selectors, one by one or in a list. All of one
        dtype that `gradient` takes, or all numbers. Integers and Decimals of different dtypes stay exact.
    x
        The coordinates of the columns: a sequence with one for each, or a List or Array column with those of each row,
        as a name or an expression. None takes columns to be one step apart.
    <edge_order>
    <domain>

    Returns
    -------
    Expr
        A struct with the name of the first column, and a field for each column, named like it. A column whose name is
        taken by one before it has a number after its name. The dtype is that of `gradient`: Float32 or Float16 for
        columns of that dtype, Duration for temporal columns over numbers, else Float64.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        When the query is planned: if the columns have no dtype in common, or one without differences. When it runs,
        with `strict`: if `x` has another length than the row, or is not strictly monotonic.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.gradient`, along the row. Rows do not depend on each other, so
    that every engine evaluates them batch by batch.

    For an Array instead of a struct: `pl.concat_arr("s0", "s1", "s2").grad.gradient(x=[0.0, 0.5, 2.0], axis=1)`.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> depths = pl.DataFrame({"s0": [10.0, 20.0], "s1": [11.0, 19.0], "s2": [17.0, 16.0]})
    >>> depths.select(pg.gradient_horizontal(["s0", "s1", "s2"], x=[0.0, 0.5, 2.0])).unnest("s0")
    shape: (2, 3)
    ┌──────┬──────┬──────┐
    │ s0   ┆ s1   ┆ s2   │
    │ ---  ┆ ---  ┆ ---  │
    │ f64  ┆ f64  ┆ f64  │
    ╞══════╪══════╪══════╡
    │ 2.0  ┆ 2.5  ┆ 4.0  │
    │ -2.0 ┆ -2.0 ┆ -2.0 │
    └──────┴──────┴──────┘
    """
    across = [column for item in columns for column in (item if isinstance(item, (list, tuple)) else [item])]
    edges = int(one_of("edge_order", edge_order, (1, 2)))
    checked = _domain.checked("gradient_horizontal", domain, has_x=x is not None, allowed=RowDomain.__annotations__)
    kwargs = {"operator": {"gradient": {"edge_order": edges}}, "domain": checked}
    coordinates = None if x is None else _columns.coordinates(x)
    return _plugin.across(_columns.keys("columns", across), coordinates, kwargs)
