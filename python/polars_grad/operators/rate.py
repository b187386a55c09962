"""The rate of a counter."""

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

__all__ = ["rate"]


@operator(AmountDomain)
def rate(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    reset: Literal["restart", "null"] = "restart",
    wrap: Wrap | None = None,
    max_rate: Length | None = None,
    **domain: Unpack[AmountDomain],
) -> OperatorExpr:
    r"""
    Compute how fast a counter grew since the row before: its increase per `x`.

    .. math:: \frac{\text{increase}_i}{x_i - x_{i-1}}

    with the increase of :func:`polars_grad.increase`. The first row of a segment is null.

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
        A column with the name and the length of `y`: Float64, or the dtype of `y` if that is Float32 or Float16. A
        Duration stays one over rows or a number. Lists and Arrays keep their shape.

    Raises
    ------
    <errors>
    ValueError
        At once, if there is neither `x` nor `spacing`.
    polars.exceptions.ComputeError
        When it runs, with `strict`: also if `x` falls (sort the rows, or reverse them), or if `y` is not from 0 to
        below `wrap`.

    Notes
    -----
    Null contract: no value is invented. With `nulls="propagate"` a null makes its own row and the next one null. With
    `nulls="skip"` the rate of the row after the nulls is that over all of the time.

    NaN contract: a NaN in `y` is a value. It gives NaN in its own row and in the next.

    <notes>

    References
    ----------
    .. [1] Prometheus, `rate`, https://prometheus.io/docs/prometheus/latest/querying/functions/, for the rule of resets.
       It averages over a window and extrapolates to its ends; this does neither.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"t": [0, 10, 20, 40], "requests": [100, 150, 20, 60]})
    >>> df.with_columns(per_second=pg.rate("requests", x="t"))
    shape: (4, 3)
    ┌─────┬──────────┬────────────┐
    │ t   ┆ requests ┆ per_second │
    │ --- ┆ ---      ┆ ---        │
    │ i64 ┆ i64      ┆ f64        │
    ╞═════╪══════════╪════════════╡
    │ 0   ┆ 100      ┆ null       │
    │ 10  ┆ 150      ┆ 5.0        │
    │ 20  ┆ 20       ┆ 2.0        │
    │ 40  ┆ 60       ┆ 2.0        │
    └─────┴──────────┴────────────┘
    """
    if x is None and domain.get("spacing") is None:
        msg = "`rate` must know how far rows are apart: give `x`, the coordinate column, or `spacing`, a constant step"
        raise ValueError(msg)
    return apply("rate", counter.options(reset, wrap, max_rate), y, x, domain)
