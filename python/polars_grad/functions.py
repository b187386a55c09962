"""The functions: typed, documented, one call each into the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad import _arguments as check
from polars_grad import _plugin

if TYPE_CHECKING:
    from datetime import timedelta

    import polars as pl

__all__ = ["gradient"]


def gradient(
    y: str | pl.Expr,
    x: str | pl.Expr | None = None,
    *,
    spacing: float | timedelta | str | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    nulls: Literal["propagate"] = "propagate",
    strict: bool = True,
) -> pl.Expr:
    r"""
    Differentiate `y` with respect to `x`, row by row.

    In the interior, with :math:`h_1 = x_i - x_{i-1}`, :math:`h_2 = x_{i+1} - x_i`, :math:`d_1 = y_i - y_{i-1}` and
    :math:`d_2 = y_{i+1} - y_i`, the result is the slope of the parabola through the three points,

    .. math:: \frac{\frac{d_1}{h_1} h_2 + \frac{d_2}{h_2} h_1}{h_1 + h_2}

    which is second-order accurate on any grid. At the two ends it is the two-point difference, or with `edge_order=2`
    the one-sided three-point formula. This is `numpy.gradient`, computed from divided differences: it keeps its digits
    where `y` sits on a large offset.

    Parameters
    ----------
    y
        The column to differentiate: a name or an expression. Any integer, float or decimal, or a Date, Datetime,
        Duration or Time.
    x
        The coordinate: a name or an expression of one of these dtypes, or Boolean; strictly rising or falling. None
        takes rows to be one step apart.
    spacing
        Instead of `x`, one constant step from row to row: a number, a timedelta or a duration string such as "10ms".
    per
        The unit of time in the result when `x` or `spacing` is temporal: a timedelta or a duration string such as
        "1h"; one second unless given.
    edge_order
        The order of accuracy at the ends, 1 or 2. A column, or a group, of fewer than `edge_order + 1` rows is null.
    nulls
        "propagate": a null in `y` or `x` makes null every row whose stencil touches it, its own row included.
    strict
        What to do about an `x` that repeats, turns, or is NaN or infinite next to the row: True is an error, False
        gives nulls where the stencil touches it. Rows on the two sides of a null are not compared.

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

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        When the query is planned, if `y` or `x` has no differences (strings, lists, ..., a Boolean `y`) or `per` meets
        an `x` that is not temporal; when it runs, if `x` is not strictly monotonic and `strict` is set.

    Notes
    -----
    Null contract: no value is invented. A null makes its row null, and each row next to it; with `edge_order=2` the
    ends read two rows inwards.

    NaN contract: a NaN in `y` is a value and gives NaN in its own row, the row before and the row after. An infinite
    `y` gives NaN in its own row, at an end of a segment an infinite slope. NaN and infinity in `x` are not monotonic.

    Integers and times are subtracted as integers: nothing wraps around, and nanoseconds since 1970 keep every digit.

    The result is elementwise in `y`, `x` and their shifted copies, so it is the same in `select`, `over`, `agg`, and on
    every engine. The expressions are evaluated once per copy by an eager frame; `.lazy()` evaluates them once.

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

    Per group, per hour:

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
    """
    if x is not None and spacing is not None:
        msg = "`x` and `spacing` exclude each other: give the coordinate column, or one constant step"
        raise ValueError(msg)
    order = check.edge_order(edge_order)
    options: dict[str, Any] = {
        "edge_order": order,
        "nulls": check.one_of("nulls", nulls, ("propagate",)),
        "strict": check.flag("strict", strict),
    }
    if spacing is not None:
        options["spacing"] = check.spacing(spacing)
    if per is not None:
        options["per"] = check.per(per)
        if x is None and "nanoseconds" not in options.get("spacing", {}):
            msg = '`per` is the unit of a temporal x: give `x`, or `spacing` as a duration such as "10ms"'
            raise ValueError(msg)

    points = _plugin.points(check.column("y", y), None if x is None else check.column("x", x))
    return _plugin.gradient(points, reach=order, options=options)
