"""The cumulative integral."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polars_grad._engine.domain import AmountDomain, flag
from polars_grad._engine.lengths import finite
from polars_grad._engine.operator import OperatorExpr, apply, operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn

__all__ = ["integral"]


@operator(AmountDomain)
def integral(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    initial: float = 0.0,
    hold: bool = False,
    **domain: Unpack[AmountDomain],
) -> OperatorExpr:
    r"""
    Integrate `y` over `x` up to each row, by trapezoids: energy from power, distance from speed.

    .. math:: \text{initial} + \sum_{k=1}^{i} \frac{y_{k-1} + y_k}{2} (x_k - x_{k-1})

    over the rows of the segment. Differences of `x` are exact, and the sum is compensated: its error does not grow with
    the number of rows.

    Parameters
    ----------
    <y.numbers>
    <x>
    initial
        The value at the first row of each segment.
    hold
        Whether a segment goes on from what the one before it in its group reached, so that a gap adds nothing and the
        total is kept.
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `y`: Float64, or the dtype of `y` if that is Float32 or Float16; in the
        unit of `y` times that of `x`, or times `per` if `x` is temporal. Lists and Arrays keep their shape.

    Raises
    ------
    <errors>

    Notes
    -----
    Null contract: a null row is null. With `nulls="propagate"` so are all rows after it in its segment, since the
    integral is unknown there. "skip" lets the trapezoid span it, "split" ends the segment.

    NaN contract: a NaN in `y` gives NaN from its row to the end of the segment.

    As an expression it needs whole columns, which the streaming engine holds in memory. In `grad.with_columns`,
    `stitch`, on Spark and on Dask the sum goes on from batch to batch, with the same bits. The definite integral is
    `.last()`.

    <notes>

    References
    ----------
    .. [1] https://docs.scipy.org/doc/scipy/reference/generated/scipy.integrate.cumulative_trapezoid.html

    Examples
    --------
    >>> from datetime import datetime
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame(
    ...     {"at": [datetime(2024, 6, 1, hour) for hour in (8, 9, 11, 12)], "watts": [0.0, 400.0, 600.0, 200.0]}
    ... )
    >>> df.with_columns(watt_hours=pg.integral("watts", x="at", per="1h"))["watt_hours"].to_list()
    [0.0, 200.0, 1200.0, 1600.0]
    """
    return apply("integral", {"initial": finite("initial", initial), "hold": flag("hold", hold)}, y, x, domain)
