"""Fields on a grid in long format: rows are its points, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine import columns as _columns
from polars_grad._engine import domain as _domain
from polars_grad._engine import lengths as _lengths
from polars_grad._engine import plugin as _plugin
from polars_grad._engine.documentation import documented
from polars_grad._engine.domain import ARGUMENTS, Argument, Shared, one_of
from polars_grad.operators.derivative import checked as checked_stencils

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn, IntoColumns
    from polars_grad._engine.lengths import Length

__all__ = ["curl", "divergence", "laplacian", "magnitude", "partials"]


class GridDomain(Shared, total=False):
    """The arguments by keyword that all functions of a grid take."""

    by: IntoColumns | None
    max_gap: Length | Sequence[Length | None] | None
    x_period: Mapping[str, Length] | None
    metric: Literal["sphere"] | None
    radius: float


class FieldDomain(GridDomain, total=False):
    """The arguments by keyword of functions of a scalar field."""

    y_period: Length | None


_ARGUMENTS = {
    **ARGUMENTS,
    "by": Argument(
        None,
        """
        Several fields in one frame, such as time steps or layers: one or several key columns that tell them apart, as
        names or expressions.
        """,
    ),
    "nulls": Argument(
        "propagate",
        """
        What a null in the field does to the points beside it on a line: "propagate", "skip" or "split", as in
        :func:`polars_grad.gradient`.
        """,
    ),
    "max_gap": Argument(
        None,
        """
        The longest step from point to point within a line, which otherwise ends there. One for all coordinates, or a
        sequence with one, or None, for each. Without it a missing point makes a wider step.
        """,
    ),
    "x_period": Argument(
        None,
        """
        The periods of coordinates that go round, by their names: `{"lon": 360}`. The last point of a line along such a
        coordinate stands before its first, one period away, so that neither is an end. A line that spans a whole period
        is an error: drop the points that come twice.
        """,
    ),
    "metric": Argument(
        None,
        """
        What the coordinates measure. None: lengths, or whatever else, each by itself. "sphere": `wrt` is the longitude
        and the latitude in this order, in degrees, and a height if there is one; derivatives are by lengths, in the
        unit of `radius`, with the metric terms of these coordinates. Components of vectors point to the
        east and to the north. At the poles what depends on a derivative along the parallel is null. A latitude beyond
        90 degrees is an error, or null with `strict=False`. Longitudes go round only with `x_period`. Beside a pole
        one-sided differences need an `edge_accuracy` of at least 2.
        """,
    ),
    "radius": Argument(
        6_371_000.0,
        """
        The radius of the sphere: by default that of the Earth, in metres. The height is small against it.
        """,
    ),
    "y_period": Argument(
        None,
        """
        The period of a field that wraps around, such as a phase or a direction: 360 for degrees, `2 * math.pi` for
        radians; a number, or a timedelta or a duration string for a temporal `f`. Each rise along a line is taken to
        the nearest multiple of it. A rise of exactly half a period keeps its sign, as in `numpy.unwrap`.
        """,
    ),
    "strict": Argument(
        True,  # noqa: FBT003, the default
        """
        What to do if a point is repeated, if a coordinate is NaN or infinite, or if the points form no grid because no
        two of them share all coordinates but one: True is an error, False gives null there.
        """,
    ),
}
_PARAMETERS = {
    "wrt": """
        The coordinates, numbers or times: one or several names or expressions. They are compared exactly: points on one
        line have equal coordinates, and not nearly equal ones. Round computed coordinates first.
        """,
    "accuracy": """
        The order of the error, 1 to 8, as in :func:`polars_grad.derivative`. 2 reads one point on each side.
        """,
    "edge_accuracy": """
        The order of the error at the two ends of a line, 1 to 8. None is that of `accuracy`.
        """,
}
_of_field = documented(FieldDomain, _ARGUMENTS, parameters=_PARAMETERS)
_of_vector = documented(GridDomain, _ARGUMENTS, parameters=_PARAMETERS)


@_of_field
def partials(
    f: IntoColumn,
    wrt: IntoColumns,
    *,
    order: int = 1,
    accuracy: int = 2,
    edge_accuracy: int | None = 1,
    **domain: Unpack[FieldDomain],
) -> pl.Expr:
    r"""
    Differentiate a field on a grid with respect to each of its coordinates.

    Each row is a point of a rectilinear grid, in any order. The derivative :math:`\partial f / \partial x` is that of
    `f` along x, as :func:`polars_grad.derivative` gives it, within the lines of points where all other coordinates are
    equal. By default it is :func:`polars_grad.gradient`: on a full grid the partial derivatives are those of
    `numpy.gradient` of the N-dimensional array [1]_.

    A grid is rectilinear if its points lie on straight lines along the coordinates: all points of a row of the grid
    share the same y, all points of a column the same x. Distances between lines may vary, and points may be missing. On
    a curvilinear grid, such as one of a rotated map projection, no two points share a coordinate: take its own indices
    as coordinates there.

    Parameters
    ----------
    f
        The field: a name, an expression, a Series or a 1-D array of any dtype that `gradient` takes.
    <wrt>
    order
        The order of the derivatives, 1 to 8: 2 gives :math:`\partial^2 f / \partial x^2`.
    <accuracy>
    <edge_accuracy>
    <domain>

    Returns
    -------
    Expr
        A struct with the name and the length of `f`, and one field for each coordinate, named like it. Each has the
        dtype that `derivative` gives:

        ====================== ================== ==========================
        dtype of `f`           coordinate         dtype of the derivative
        ====================== ================== ==========================
        Float32, Float16       any                that of `f`, from Float64
        temporal               number             Duration, of order 1 only
        temporal               temporal           Float64, a pure ratio
        any other              any                Float64
        ====================== ================== ==========================

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        When the query is planned: if `f` or a coordinate has a dtype without differences, or `per` is given and no
        coordinate is temporal. When it runs, with `strict`: if a point is repeated, if a coordinate is not finite, or
        if the points form no grid.

    Notes
    -----
    Null and NaN contract: that of `gradient`, along each line. A point with a null coordinate is on no line, and its
    derivatives are null.

    Whole columns are needed, which the streaming engine holds in memory. Coordinates are computed in parallel, with
    about 40 bytes a row for each.

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

    With the coordinates, and other names:

    >>> slopes = pg.partials("f", wrt=["x", "y"]).name.prefix_fields("df_d").struct.unnest()
    >>> points.with_columns(slopes).columns
    ['x', 'y', 'f', 'df_dx', 'df_dy']
    """
    return _on_grid("partials", f, wrt, checked_stencils(order, accuracy, edge_accuracy), domain)


@_of_field
def magnitude(
    f: IntoColumn,
    wrt: IntoColumns,
    *,
    accuracy: int = 2,
    edge_accuracy: int | None = 1,
    **domain: Unpack[FieldDomain],
) -> pl.Expr:
    r"""
    Compute the magnitude of the gradient of a field on a grid: its steepness, in whichever direction.

    .. math:: |\nabla f| = \sqrt{(\partial f / \partial x)^2 + (\partial f / \partial y)^2 + \dots}

    with the partial derivatives of :func:`polars_grad.partials`. All coordinates should have one unit.

    Parameters
    ----------
    f
        The field: a name, an expression, a Series or a 1-D array of numbers.
    <wrt>
    <accuracy>
    <edge_accuracy>
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `f`: of the dtype of `f` if that is Float32 or Float16, else Float64.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        Where `partials` raises it. When the query is planned, also if a derivative is a Duration.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.partials`. The result is null where one of the derivatives is
    null, and otherwise NaN where one is NaN.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> hill = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "height": [0.0, 3.0, 4.0, 7.0]})
    >>> hill.select(pg.magnitude("height", wrt=["x", "y"]))["height"].to_list()
    [5.0, 5.0, 5.0, 5.0]
    """
    return _on_grid("magnitude", f, wrt, checked_stencils(1, accuracy, edge_accuracy), domain)


@_of_vector
def divergence(
    v: IntoColumn,
    wrt: IntoColumns,
    *,
    accuracy: int = 2,
    edge_accuracy: int | None = 1,
    **domain: Unpack[GridDomain],
) -> pl.Expr:
    r"""
    Compute the divergence of a vector field on a grid: the net flow out of each point.

    .. math:: \nabla \cdot v = \partial v_x / \partial x + \partial v_y / \partial y + \dots

    with the partial derivatives of :func:`polars_grad.partials`.

    Parameters
    ----------
    v
        The vectors: a struct or an Array of numbers, with one component for each coordinate. If the fields of a struct
        have the names of the coordinates, each belongs to the coordinate of its name. If none has, they are in the
        order of `wrt`.
    <wrt>
    <accuracy>
    <edge_accuracy>
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `v`: of the dtype of the components if that is Float32 or Float16, else
        Float64.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        Where `partials` raises it. When the query is planned, also if `v` has not one component for each coordinate.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.partials`. The result is null where one of the derivatives is
    null, and otherwise NaN where one is NaN.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> flow = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "u": [0.0, 2, 0, 2], "v": [0.0, 0, 3, 3]})
    >>> flow.select(pg.divergence(pl.struct("u", "v"), wrt=["x", "y"]))["u"].to_list()
    [5.0, 5.0, 5.0, 5.0]
    """
    return _on_grid("divergence", v, wrt, checked_stencils(1, accuracy, edge_accuracy), domain)


@_of_vector
def curl(
    v: IntoColumn,
    wrt: IntoColumns,
    *,
    accuracy: int = 2,
    edge_accuracy: int | None = 1,
    **domain: Unpack[GridDomain],
) -> pl.Expr:
    r"""
    Compute the curl of a vector field on a grid: how fast the field turns around each point.

    .. math::

        (\nabla \times v)_z = \partial v_y / \partial x - \partial v_x / \partial y

    and so on in a circle, with the partial derivatives of :func:`polars_grad.partials`.

    Parameters
    ----------
    v
        The vectors: a struct or an Array of two or three numbers. If the fields of a struct have the names of the
        coordinates, each belongs to the coordinate of its name. If none has, they are in the order of `wrt`.
    <wrt>
        Their order is the orientation: that of `["y", "x"]` has the opposite sign of that of `["x", "y"]`.
    <accuracy>
    <edge_accuracy>
    <domain>

    Returns
    -------
    Expr
        With two components a column with the name and the length of `v`: the component across the plane. With three a
        struct with a field for each coordinate, named like it. They have the dtype of the components if that is Float32
        or Float16, else Float64.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        Where `divergence` raises it.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.partials`. A component is null where one of its two derivatives is
    null, and otherwise NaN where one is NaN.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> spin = pl.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "u": [0.0, 0, -2, -2], "v": [0.0, 2, 0, 2]})
    >>> spin.select(pg.curl(pl.struct("u", "v"), wrt=["x", "y"]))["u"].to_list()
    [4.0, 4.0, 4.0, 4.0]
    """
    return _on_grid("curl", v, wrt, checked_stencils(1, accuracy, edge_accuracy), domain)


@_of_field
def laplacian(f: IntoColumn, wrt: IntoColumns, **domain: Unpack[FieldDomain]) -> pl.Expr:
    r"""
    Compute the Laplacian of a field on a grid: how far each point is from the mean of its surroundings.

    .. math:: \nabla^2 f = \partial^2 f / \partial x^2 + \partial^2 f / \partial y^2 + \dots

    Each term is :func:`polars_grad.derivative` of order 2 and accuracy 2, at the ends of lines too. On even spacing
    that is :math:`(f_{i-1} - 2 f_i + f_{i+1}) / h^2` inside. On any other it reads a point more on each side, since
    three points have an error of order 1 there.

    Parameters
    ----------
    f
        The field: a name, an expression, a Series or a 1-D array of numbers.
    <wrt>
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `f`: of the dtype of `f` if that is Float32 or Float16, else Float64.
        Lines of fewer than four points are null.

    Raises
    ------
    TypeError, ValueError
        At once, if an argument is not one of those allowed.
    polars.exceptions.ComputeError
        Where `partials` raises it. When the query is planned, also if `f` is temporal.

    Notes
    -----
    Null and NaN contract: that of :func:`polars_grad.partials`. The result is null where one of the derivatives is
    null, and otherwise NaN where one is NaN.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> bowl = pl.DataFrame({"x": [0.0, 1.0, 3.0, 4.0]}).join(pl.DataFrame({"y": [0.0, 2.0, 3.0, 7.0]}), how="cross")
    >>> bowl = bowl.with_columns(f=pl.col("x") ** 2 + 3 * pl.col("y") ** 2)
    >>> bowl.select(pg.laplacian("f", wrt=["x", "y"]))["f"].round(12).unique().to_list()
    [8.0]
    """
    return _on_grid("laplacian", f, wrt, checked_stencils(2, 2, 2), domain)


_VECTORS = ("curl", "divergence")
_FLAT, _SPATIAL = 2, 3


def _on_grid(reduction: str, field: Any, wrt: Any, stencils: dict[str, Any], domain: GridDomain) -> pl.Expr:
    coordinates = _columns.columns("wrt", wrt)
    names = [_columns.name_of(column) for column in coordinates]
    if len(set(names) - {None}) < len(names) - names.count(None):
        msg = f"`wrt` must name different coordinates, got {', '.join(map(str, names))}"
        raise ValueError(msg)
    if reduction == "curl" and None not in names and len(names) not in (_FLAT, _SPATIAL):
        msg = f"`wrt` must name the 2 or 3 coordinates of a curl, got {len(names)}"
        raise ValueError(msg)
    gaps = domain.get("max_gap")
    several = (
        _domain.one_each("max_gap", gaps, coordinates) if isinstance(gaps, (list, tuple)) else [gaps] * len(coordinates)
    )
    periods = _periods(domain.get("x_period"), names)
    sphere = _sphere(domain, names)
    by = domain.get("by")
    return _plugin.on_grid(
        _columns.column("v" if reduction in _VECTORS else "f", field),
        coordinates,
        [] if by is None else _columns.keys("by", by),
        reduction=reduction,
        operator={"derivative": stencils},
        domains=[
            {
                **_domain.checked(
                    reduction,
                    {**domain, "max_gap": gap, "x_period": period},
                    has_x=True,
                    allowed=(GridDomain if reduction in _VECTORS else FieldDomain).__annotations__,
                ),
                **sphere,
            }
            for gap, period in zip(several, periods, strict=True)
        ],
    )


def _sphere(domain: GridDomain, names: Sequence[str | None]) -> dict[str, float]:
    """Return the radius of the sphere that the grid is on, if it is on one."""
    metric = domain.get("metric")
    if metric is None:
        if "radius" in domain:
            msg = '`radius` is that of a sphere: give `metric="sphere"` too, or drop it'
            raise ValueError(msg)
        return {}
    one_of("metric", metric, ("sphere",), or_else="None or ")
    if None not in names and len(names) not in (_FLAT, _SPATIAL):
        msg = (
            "on a sphere `wrt` must be the longitude and the latitude, in this order, and a height if there is one, "
            f"got {', '.join(map(str, names))}"
        )
        raise ValueError(msg)
    return {"sphere": _lengths.number("radius", domain.get("radius", _ARGUMENTS["radius"].default))}


def _periods(periods: Any, names: Sequence[str | None]) -> list[Any]:
    """Return the period of each coordinate."""
    if periods is None:
        return [None] * len(names)
    if not isinstance(periods, Mapping):
        msg = f'`x_period` must be the periods of coordinates, such as {{"lon": 360}}, got {type(periods).__name__}'
        raise TypeError(msg)
    unknown = [name for name in periods if name not in names]
    if unknown:
        known = ", ".join(f"`{name}`" for name in names if name is not None) or "expressions of unknown names"
        msg = f"`x_period` must be of coordinates in `wrt`, which are {known}, got {unknown[0]!r}"
        raise ValueError(msg)
    return [periods.get(name) for name in names]
