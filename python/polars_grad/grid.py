"""Fields on a grid in long format: rows are its points, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad import _arguments as check
from polars_grad import _plugin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import polars as pl

__all__ = ["divergence", "magnitude", "partials"]


def partials(
    f: str | pl.Expr,
    wrt: str | pl.Expr | Sequence[str | pl.Expr],
    *,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | Sequence[float | timedelta | str | None] | None = None,
    strict: bool = True,
) -> pl.Expr:
    r"""
    Differentiate a field on a grid with respect to each of its coordinates.

    Each row is a point of a rectilinear grid; rows may come in any order. The derivative
    :math:`\partial f / \partial x` is the gradient of `f` along x, by the formula of :func:`polars_grad.gradient`,
    within the lines of points where all other coordinates are equal. On a full grid the partial derivatives are those
    of `numpy.gradient` of the N-dimensional array [1]_.

    Parameters
    ----------
    f
        The field: a name or an expression of any dtype that `gradient` takes.
    wrt
        The coordinates: one or several names or expressions, numbers or times. They are compared exactly: points on
        one line have equal coordinates, not nearly equal ones.
    per
        The unit of time in the derivative by a temporal coordinate: a timedelta or a duration string; one second unless
        given.
    edge_order
        The order of accuracy at the ends of lines, 1 or 2.
    by
        Several fields in one frame, time steps or layers: one or several key columns that tell them apart.
    nulls
        What a null in `f` does to the points beside it: "propagate", "skip" or "split".
    max_gap
        Points on a line further apart than this do not belong together: the line ends there. One for all coordinates,
        or a sequence of one, or None, for each. Without it a missing point is a wider step.
    strict
        What to do about a point that comes twice, or a coordinate that is NaN or infinite: True is an error, False
        gives nulls there.

    Returns
    -------
    Expr
        A struct with the name and the length of `f` and one field for each coordinate, of its name. Their dtypes are
        those of `gradient`: Float64, but that of `f` where it is Float32 or Float16, and Duration for a time over a
        number.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        When the query is planned, if `f` or a coordinate has no differences; when it runs, if a point comes twice or
        a coordinate is not finite, and `strict` is set.

    Notes
    -----
    Null and NaN contract: that of `gradient`, along each line. A point without one of its coordinates is on no line:
    its derivatives are null.

    The whole columns are needed; on the streaming engine they are held in memory. The coordinates are at work at the
    same time, with some 40 bytes a row for each.

    References
    ----------
    .. [1] https://numpy.org/doc/stable/reference/generated/numpy.gradient.html

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> points = pl.DataFrame({"x": [0, 1, 2, 0, 1, 2], "y": [0, 0, 0, 1, 1, 1], "f": [1.0, 2.0, 6.0, 3.0, 4.0, 5.0]})
    >>> points.select(pg.partials("f", wrt=["y", "x"]).struct.unnest())
    shape: (6, 2)
    ┌──────┬─────┐
    │ y    ┆ x   │
    │ ---  ┆ --- │
    │ f64  ┆ f64 │
    ╞══════╪═════╡
    │ 2.0  ┆ 1.0 │
    │ 2.0  ┆ 2.5 │
    │ -1.0 ┆ 4.0 │
    │ 2.0  ┆ 1.0 │
    │ 2.0  ┆ 1.0 │
    │ -1.0 ┆ 1.0 │
    └──────┴─────┘

    Beside the coordinates, under names of their own:

    >>> slopes = pg.partials("f", wrt=["x", "y"]).name.prefix_fields("df_d").struct.unnest()
    >>> points.with_columns(slopes).columns
    ['x', 'y', 'f', 'df_dx', 'df_dy']
    """
    return _on_grid(
        "partials", f, wrt, per=per, edge_order=edge_order, by=by, nulls=nulls, max_gap=max_gap, strict=strict
    )


def magnitude(
    f: str | pl.Expr,
    wrt: str | pl.Expr | Sequence[str | pl.Expr],
    *,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | Sequence[float | timedelta | str | None] | None = None,
    strict: bool = True,
) -> pl.Expr:
    r"""
    Give the length of the gradient of a field on a grid: how steep it is, whatever the direction.

    .. math:: |\nabla f| = \sqrt{(\partial f / \partial x)^2 + (\partial f / \partial y)^2 + \dots}

    with the partial derivatives of :func:`polars_grad.partials`, whose parameters, errors and contracts these are.

    Parameters
    ----------
    f
        The field, of numbers.
    wrt
        The coordinates, all in one unit.
    per
        The unit of time in the derivative by a temporal coordinate.
    edge_order
        The order of accuracy at the ends of lines, 1 or 2.
    by
        Key columns that tell several fields in one frame apart.
    nulls
        What a null in `f` does to the points beside it: "propagate", "skip" or "split".
    max_gap
        Points on a line further apart than this do not belong together: one for all coordinates or one for each.
    strict
        Whether a point that comes twice or has no place is an error, or gives nulls.

    Returns
    -------
    Expr
        A column with the name of `f`: Float64, or the dtype of `f` where it is Float32 or Float16. It is null where one
        of the derivatives is, and NaN where one is.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        Where `partials` raises it; when the query is planned also if a derivative is a Duration.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> hill = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "height": [0.0, 3.0, 4.0, 7.0]})
    >>> hill.select(pg.magnitude("height", wrt=["x", "y"]))["height"].to_list()
    [5.0, 5.0, 5.0, 5.0]
    """
    return _on_grid(
        "magnitude", f, wrt, per=per, edge_order=edge_order, by=by, nulls=nulls, max_gap=max_gap, strict=strict
    )


def divergence(
    v: str | pl.Expr,
    wrt: str | pl.Expr | Sequence[str | pl.Expr],
    *,
    per: timedelta | str | None = None,
    edge_order: Literal[1, 2] = 1,
    by: str | pl.Expr | Sequence[str | pl.Expr] | None = None,
    nulls: Literal["propagate", "skip", "split"] = "propagate",
    max_gap: float | timedelta | str | Sequence[float | timedelta | str | None] | None = None,
    strict: bool = True,
) -> pl.Expr:
    r"""
    Give the divergence of a vector field on a grid: how much more flows out of a point than into it.

    .. math:: \nabla \cdot v = \partial v_x / \partial x + \partial v_y / \partial y + \dots

    with the partial derivatives of :func:`polars_grad.partials`, whose parameters, errors and contracts these are.

    Parameters
    ----------
    v
        The vectors: a struct or an Array of numbers, one component for each coordinate. Where the fields of a struct
        are called like the coordinates these belong together; if none is, components are in the order of `wrt`.
    wrt
        The coordinates.
    per
        The unit of time in the derivative by a temporal coordinate.
    edge_order
        The order of accuracy at the ends of lines, 1 or 2.
    by
        Key columns that tell several fields in one frame apart.
    nulls
        What a null in a component does to the points beside it: "propagate", "skip" or "split".
    max_gap
        Points on a line further apart than this do not belong together: one for all coordinates or one for each.
    strict
        Whether a point that comes twice or has no place is an error, or gives nulls.

    Returns
    -------
    Expr
        A column with the name of `v`: Float64, or the dtype of the components where it is Float32 or Float16. It is
        null where one of the derivatives is, and NaN where one is.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        Where `partials` raises it; when the query is planned also if `v` has not one component for each coordinate.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> flow = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "u": [0.0, 2, 0, 2], "v": [0.0, 0, 3, 3]})
    >>> flow.select(pg.divergence(pl.struct("u", "v"), wrt=["x", "y"]))["u"].to_list()
    [5.0, 5.0, 5.0, 5.0]
    """
    return _on_grid(
        "divergence", v, wrt, per=per, edge_order=edge_order, by=by, nulls=nulls, max_gap=max_gap, strict=strict
    )


def _on_grid(operator: str, field: Any, wrt: Any, *, by: Any, max_gap: Any, **arguments: Any) -> pl.Expr:
    coordinates = check.columns("wrt", wrt)
    names = [column.meta.output_name(raise_if_undetermined=False) for column in coordinates]
    if len(set(names) - {None}) < len(names) - names.count(None):
        msg = f"`wrt` must name different coordinates, got {', '.join(map(str, names))}"
        raise ValueError(msg)
    gaps = check.one_each("max_gap", max_gap, coordinates) if isinstance(max_gap, (list, tuple)) else [max_gap]
    return _plugin.on_grid(
        operator,
        check.column("v" if operator == "divergence" else "f", field),
        coordinates,
        [] if by is None else check.columns("by", by),
        options=[check.options(x=wrt, spacing=None, max_gap=gap, **arguments) for gap in gaps],
    )
