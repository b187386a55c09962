"""The gradient of a column: typed, documented, one call into the plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad import _arguments as check
from polars_grad import _plugin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import polars as pl

__all__ = ["gradient"]


def gradient(
    y: str | pl.Expr,
    x: str | pl.Expr | Sequence[Any] | None = None,
    *,
    spacing: float | timedelta | str | Sequence[float | timedelta | str] | None = None,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    axis: int | tuple[int, ...] = 0,
    by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | None = None,
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
        Duration or Time; or Lists or Arrays of them, of any depth.
    x
        The coordinate: a name or an expression of one of these dtypes, or Boolean; strictly rising or falling. None
        takes rows to be one step apart. For cells also a column of the shape of `y`, with a coordinate for each value.
        Inside of cells, a List or Array column with the coordinates along the axis in each row, or a sequence of
        them for all rows. For several axes a tuple of these.
    spacing
        Instead of `x`, one constant step from row to row, or from value to value: a number, a timedelta or a duration
        string such as "10ms". For several axes one for all, or a tuple.
    per
        The unit of time in the result when `x` or `spacing` is temporal: a timedelta or a duration string such as
        "1h"; one second unless given.
    edge_order
        The order of accuracy at the ends, 1 or 2. A segment of fewer than `edge_order + 1` rows is null.
    axis
        0 is down the rows: each place in the cells of a List or Array column is then a column of its own. 1 and
        further axes are inside of the cells, outermost first, where each cell is on its own; -1 is the innermost.
        Several in a tuple give a struct of their gradients, with the fields `axis_0`, `axis_1`, ...
    by
        Differentiate each group by itself: one or several key columns, names or expressions of any dtype that Polars
        groups by. Rows of equal keys form a group, wherever they stand; null is a key like any other.
    nulls
        What a null in `y` or `x` does to the rows around it; its own row is null in any case.

        - "propagate": every row whose stencil touches it is null.
        - "skip": none is; the gradient is that of the column, or group, without such rows. Without `x` the rows that
          remain are one step apart.
        - "split": none is; a null ends a segment, and one-sided differences stand on both sides of it.
    max_gap
        Neighbours further apart in `x` than this do not belong together: the segment ends there, with one-sided
        differences on both sides. A number, or for a temporal `x` a timedelta or a duration string. The comparison is
        exact, in the units of `x`; by a Decimal `x`, 0.3 means three tenths.
    strict
        What to do about an `x` that repeats, turns, or is NaN or infinite next to the row: True is an error, False
        gives nulls where the stencil touches it. Each segment is judged by itself; under "propagate" the rows on the
        two sides of a null are not compared.

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

        Lists and Arrays stay such, with the dtype of the result inside.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        When the query is planned, if `y` or `x` has no differences (strings, lists, ..., a Boolean `y`) or `per` meets
        an `x` that is not temporal, or `max_gap` is of another kind than `x`, or `y` has no such axis; when it runs, if
        `x` is not strictly monotonic within a segment, or cells that belong together differ in length, and `strict` is
        set.

    Notes
    -----
    A segment is what belongs together: the column or the group, cut at `max_gap` and by `nulls="split"` at nulls.

    Null contract: no value is invented. A null makes its row null, and by "propagate" each row next to it; with
    `edge_order=2` the ends read two rows inwards.

    NaN contract: a NaN in `y` is a value and gives NaN in its own row, the row before and the row after. An infinite
    `y` gives NaN in its own row, at an end of a segment an infinite slope. NaN and infinity in `x` are not monotonic.

    Integers and times are subtracted as integers: nothing wraps around, and nanoseconds since 1970 keep every digit.

    Cells: what is null stays null, and a null cell is a cell of nulls to those beside it. Down the rows cells have
    neighbours of their own length only: another length is an error, or with `strict=False` null there. So are
    coordinates that are not as many as the values of their cell. Inside of cells no row knows of another.

    The result is the same in `select`, `over`, `agg`, and on every engine. It is elementwise in `y`, `x` and their
    shifted copies; the expressions are evaluated once per copy by an eager frame, `.lazy()` evaluates them once.

    `by="id"` gives the rows that `.over("id")` gives, but in one pass over all groups; `over` calls the plugin once per
    group. Use `by` for many groups, `over` for its `order_by` and inside of other window expressions.

    `by` and `nulls="skip"` need whole columns: on the streaming engine `y`, `x`, the keys and the result are held in
    memory. Groups that do not stand one after the other, and rows that are skipped, take 4 bytes a row besides, what
    Polars' own `group_by` needs, and a copy of a `y` or an `x` that is in several chunks.

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
    options = {"per": per, "edge_order": edge_order, "nulls": nulls, "max_gap": max_gap, "strict": strict}
    if not isinstance(axis, (tuple, list)):
        return _along(check.axis(axis), y, x, spacing=spacing, by=by, **options)
    axes = check.axes(axis)
    if by is not None and 0 not in axes:
        raise ValueError(_BY_INSIDE.format(axis))
    columns = [None] * len(axes) if x is None else check.one_each("x", x, axes)
    steps = check.one_each("spacing", spacing, axes) if isinstance(spacing, (tuple, list)) else [spacing] * len(axes)
    slopes = [
        _along(axis, y, x, spacing=step, by=by if axis == 0 else None, **options)
        for axis, x, step in zip(axes, columns, steps, strict=True)
    ]
    return _plugin.fields(slopes, [f"axis_{axis}" for axis in axes])


_BY_INSIDE = "`by` groups rows, but `axis` {} stays inside of each; drop one of them"


def _along(axis: int, y: Any, x: Any, *, by: Any, **arguments: Any) -> pl.Expr:
    options = {"axis": axis, **check.options(x=x, **arguments)}
    values = check.column("y", y)
    if axis != 0:
        if by is not None:
            raise ValueError(_BY_INSIDE.format(axis))
        return _plugin.gradient_inside(values, None if x is None else check.coordinates(x), options=options)
    points = _plugin.points(values, None if x is None else check.column("x", x))
    if by is None and options["nulls"] != "skip":
        return _plugin.gradient_shifted(points, reach=options["edge_order"], options=options)
    return _plugin.gradient_whole(points, [] if by is None else check.columns("by", by), options=options)
