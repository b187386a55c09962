"""The gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine.domain import RingDomain, one_of
from polars_grad._engine.operator import OperatorExpr, apply, operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn

__all__ = ["gradient"]


@operator(RingDomain)
def gradient(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    edge_order: Literal[1, 2] = 1,
    **domain: Unpack[RingDomain],
) -> OperatorExpr:
    r"""
    Differentiate `y` with respect to `x`, row by row: `numpy.gradient`.

    With :math:`h_1 = x_i - x_{i-1}`, :math:`h_2 = x_{i+1} - x_i`, :math:`d_1 = y_i - y_{i-1}` and
    :math:`d_2 = y_{i+1} - y_i`, the result in the interior of a segment is the slope of the parabola through the three
    points,

    .. math:: \frac{\frac{d_1}{h_1} h_2 + \frac{d_2}{h_2} h_1}{h_1 + h_2}

    which is second-order accurate on any grid. At the two ends it is the slope between the last two points or, with
    `edge_order=2`, the slope of the parabola through the last three. Computed from divided differences, it keeps its
    digits where `y` has a large offset.

    Parameters
    ----------
    <y>
    <x>
    <edge_order>
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `y`.

        ====================== ================== ==========================
        dtype of `y`           dtype of `x`       dtype of the result
        ====================== ================== ==========================
        Float32, Float16       any                that of `y`, from Float64
        temporal               number, or rows    Duration
        temporal               temporal           Float64, a pure ratio
        any other              any                Float64
        ====================== ================== ==========================

        Lists and Arrays keep their shape, with the dtype of the result inside.

    Raises
    ------
    <errors>

    Notes
    -----
    Null contract: no value is invented. With `nulls="propagate"` a null makes its own row and the row on each side of
    it null; with `edge_order=2` also an end that reads it from two rows away.

    NaN contract: a NaN in `y` is a value. It gives NaN in its own row, the row before and the row after. An infinite
    `y` gives NaN in its own row, or an infinite slope at an end of a segment. NaN and infinity in `x` are not
    monotonic.

    <notes>

    The formula is that of numpy [1]_, in the form of Fornberg [2]_ for arbitrary spacing.

    References
    ----------
    .. [1] https://numpy.org/doc/stable/reference/generated/numpy.gradient.html
    .. [2] B. Fornberg, Generation of Finite Difference Formulas on Arbitrarily Spaced Grids, Mathematics of
       Computation 51, no. 184 (1988), 699-706.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"t": [0.0, 1.0, 3.0, 4.0], "y": [0.0, 1.0, 9.0, 16.0]})
    >>> df.with_columns(dy_dt=pg.gradient("y", x="t"))
    shape: (4, 3)
    ┌─────┬──────┬───────┐
    │ t   ┆ y    ┆ dy_dt │
    │ --- ┆ ---  ┆ ---   │
    │ f64 ┆ f64  ┆ f64   │
    ╞═════╪══════╪═══════╡
    │ 0.0 ┆ 0.0  ┆ 1.0   │
    │ 1.0 ┆ 1.0  ┆ 2.0   │
    │ 3.0 ┆ 9.0  ┆ 6.0   │
    │ 4.0 ┆ 16.0 ┆ 7.0   │
    └─────┴──────┴───────┘

    The same as a method, with a parabola at the ends too, on rows a constant step apart:

    >>> df.select(pl.col("y").grad.gradient(spacing=0.5, edge_order=2))
    shape: (4, 1)
    ┌──────┐
    │ y    │
    │ ---  │
    │ f64  │
    ╞══════╡
    │ -5.0 │
    │ 9.0  │
    │ 15.0 │
    │ 13.0 │
    └──────┘

    In a window, per hour:

    >>> from datetime import datetime
    >>> df = pl.DataFrame(
    ...     {
    ...         "id": ["a", "a", "b", "b"],
    ...         "at": [datetime(2024, 1, 1, hour) for hour in (0, 2, 0, 1)],
    ...         "level": [10, 14, 7, 4],
    ...     }
    ... )
    >>> df.with_columns(hourly=pg.gradient("level", x="at", per="1h").over("id"))
    shape: (4, 4)
    ┌─────┬─────────────────────┬───────┬────────┐
    │ id  ┆ at                  ┆ level ┆ hourly │
    │ --- ┆ ---                 ┆ ---   ┆ ---    │
    │ str ┆ datetime[μs]        ┆ i64   ┆ f64    │
    ╞═════╪═════════════════════╪═══════╪════════╡
    │ a   ┆ 2024-01-01 00:00:00 ┆ 10    ┆ 2.0    │
    │ a   ┆ 2024-01-01 02:00:00 ┆ 14    ┆ 2.0    │
    │ b   ┆ 2024-01-01 00:00:00 ┆ 7     ┆ -3.0   │
    │ b   ┆ 2024-01-01 01:00:00 ┆ 4     ┆ -3.0   │
    └─────┴─────────────────────┴───────┴────────┘

    Groups in any order, with a gap that no difference should reach over:

    >>> df = pl.DataFrame(
    ...     {
    ...         "id": ["a", "b", "a", "b", "a", "a"],
    ...         "t": [0, 0, 1, 2, 9, 10],
    ...         "y": [0.0, 7.0, 1.0, 1.0, 5.0, 9.0],
    ...     }
    ... )
    >>> df.with_columns(dy_dt=pg.gradient("y", x="t", by="id", max_gap=3))
    shape: (6, 4)
    ┌─────┬─────┬─────┬───────┐
    │ id  ┆ t   ┆ y   ┆ dy_dt │
    │ --- ┆ --- ┆ --- ┆ ---   │
    │ str ┆ i64 ┆ f64 ┆ f64   │
    ╞═════╪═════╪═════╪═══════╡
    │ a   ┆ 0   ┆ 0.0 ┆ 1.0   │
    │ b   ┆ 0   ┆ 7.0 ┆ -3.0  │
    │ a   ┆ 1   ┆ 1.0 ┆ 1.0   │
    │ b   ┆ 2   ┆ 1.0 ┆ -3.0  │
    │ a   ┆ 9   ┆ 5.0 ┆ 4.0   │
    │ a   ┆ 10  ┆ 9.0 ┆ 4.0   │
    └─────┴─────┴─────┴───────┘

    Vectors over time, a velocity for each position; and waveforms, each by itself:

    >>> df = pl.DataFrame({"t": [0.0, 0.5, 1.0], "at": [[0.0, 0.0], [1.0, 0.0], [2.0, 3.0]]})
    >>> df.select(pg.gradient("at", x="t"))["at"].to_list()
    [[2.0, 0.0], [2.0, 3.0], [2.0, 6.0]]
    >>> df = pl.DataFrame({"wave": [[0.0, 1.0, 4.0, 9.0], [5.0, 4.0]]})
    >>> df.select(pg.gradient("wave", spacing=0.5, axis=1))["wave"].to_list()
    [[2.0, 4.0, 8.0, 10.0], [-2.0, -2.0]]

    The example of numpy's documentation, along both of its axes:

    >>> df = pl.DataFrame({"f": [[1.0, 2.0, 6.0], [3.0, 4.0, 5.0]]})
    >>> df.select(pg.gradient("f", axis=(0, 1)).struct.unnest()).to_dict(as_series=False)
    {'axis_0': [[2.0, 2.0, -1.0], [2.0, 2.0, -1.0]], 'axis_1': [[1.0, 2.5, 4.0], [1.0, 1.0, 1.0]]}
    """
    return apply("gradient", {"edge_order": int(one_of("edge_order", edge_order, (1, 2)))}, y, x, domain)
