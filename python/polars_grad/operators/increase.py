"""The increase of a counter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine import counter
from polars_grad._engine.domain import AmountDomain
from polars_grad._engine.operator import OperatorExpr, apply, operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn
    from polars_grad._engine.counter import Wrap
    from polars_grad._engine.lengths import Length

__all__ = ["increase"]


@operator(AmountDomain)
def increase(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    reset: Literal["restart", "null"] = "restart",
    wrap: Wrap | None = None,
    max_rate: Length | None = None,
    **domain: Unpack[AmountDomain],
) -> OperatorExpr:
    r"""
    Compute what a counter gained from the row before: its increase, where a fall is a reset or a wrap-around.

    With the rise :math:`d = y_i - y_{i-1}` the increase is

    .. math::

        \begin{cases}
            d            & d \ge 0 \\
            d + w        & d < 0 \text{, if } 0 \le d + w < w / 2 \text{ for the wrap } w \\
            y_i          & \text{else: the counter started again from zero}
        \end{cases}

    The first row of a segment is null: what it gained is unknown. The sum of the increases is the total, exactly for
    integers, Decimals and Durations. Nothing is extrapolated or smoothed.

    Parameters
    ----------
    <y.amounts>
    <x>
    <reset>
    <wrap>
    <max_rate>
    <domain>

    Returns
    -------
    Expr
        A column with the name, the length and the dtype of `y`: unsigned integers stay unsigned. Lists and Arrays keep
        their shape.

    Raises
    ------
    <errors>
    polars.exceptions.ComputeError
        When it runs, with `strict`: also if `x` falls, since a log that begins with the newest row would turn each rise
        into a reset (sort it, or reverse it); if `y` is not from 0 to below `wrap`; or if an increase does not fit in
        the dtype of `y`, or a UInt128 is 2\ :sup:`127` or more. A float overflows to infinity instead.

    Notes
    -----
    Null contract: no value is invented. With `nulls="propagate"` a null makes its own row and the next one null, and
    the total loses what the counter gained there. With `nulls="skip"` the row after the nulls has all of it: take this
    for totals. Of the rows of a repeated `x`, with `duplicates`, the first has the increase and the others have 0.

    NaN contract: a NaN in `y` is a value. It gives NaN in its own row and in the next.

    For a smooth rate in the middle of two rows take the gradient of the counter without its resets:
    `pg.gradient(pg.increase("y").fill_null(0).cum_sum(), x="t")`. The increase is evaluated once.

    <notes>

    References
    ----------
    .. [1] Prometheus, `increase` and `rate`, https://prometheus.io/docs/prometheus/latest/querying/functions/, for the
       rule of resets. They extrapolate to the ends of a window; this does not.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"t": [0, 10, 20, 30, 40, 50], "requests": [100, 150, 20, None, 60, 5]})
    >>> df.with_columns(
    ...     new=pg.increase("requests", nulls="skip"),
    ...     known=pg.increase("requests"),
    ...     unbroken=pg.increase("requests", reset="null"),
    ... )
    shape: (6, 5)
    ┌─────┬──────────┬──────┬───────┬──────────┐
    │ t   ┆ requests ┆ new  ┆ known ┆ unbroken │
    │ --- ┆ ---      ┆ ---  ┆ ---   ┆ ---      │
    │ i64 ┆ i64      ┆ i64  ┆ i64   ┆ i64      │
    ╞═════╪══════════╪══════╪═══════╪══════════╡
    │ 0   ┆ 100      ┆ null ┆ null  ┆ null     │
    │ 10  ┆ 150      ┆ 50   ┆ 50    ┆ 50       │
    │ 20  ┆ 20       ┆ 20   ┆ 20    ┆ null     │
    │ 30  ┆ null     ┆ null ┆ null  ┆ null     │
    │ 40  ┆ 60       ┆ 40   ┆ null  ┆ null     │
    │ 50  ┆ 5        ┆ 5    ┆ 5     ┆ null     │
    └─────┴──────────┴──────┴───────┴──────────┘

    A counter of 32 bits that wraps around once and is reset once:

    >>> octets = pl.DataFrame({"octets": [2**32 - 10, 5, 3_000_000_000, 7]}, schema={"octets": pl.UInt32})
    >>> octets.select(pg.increase("octets", wrap="u32"))["octets"].to_list()
    [None, 15, 2999999995, 1294967303]
    """
    return apply("increase", counter.options(reset, wrap, max_rate), y, x, domain)
