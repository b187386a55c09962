"""The derivative of a polynomial fitted to the rows around each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine.domain import RingDomain, flag, one_of
from polars_grad._engine.lengths import whole
from polars_grad._engine.operator import OperatorExpr, apply, operator
from polars_grad._engine.window import check_odd, length_of, min_samples_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn
    from polars_grad._engine.lengths import Length

__all__ = ["savgol"]

_HIGHEST = 6


@operator(RingDomain)
def savgol(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    window_size: Length,
    degree: int = 2,
    order: int = 1,
    min_samples: int | None = None,
    edges: Literal["fit", "null"] = "fit",
    weights: Literal["tricube"] | None = None,
    sigma: Length | IntoColumn | None = None,
    with_error: bool = False,
    **domain: Unpack[RingDomain],
) -> OperatorExpr:
    r"""
    Fit a polynomial to the rows around each row, and return its derivative there: a Savitzky–Golay filter.

    The result at a row is :math:`p^{(n)}(x_i)`, the derivative of order `n`, of the polynomial `p` of least squares

    .. math:: \min_p \sum_j v_j \, (y_j - p(x_j))^2

    over the rows `j` of the window around the row [1]_, with :math:`v_j / \sigma_j^2` in place of :math:`v_j` if
    `sigma` is a column. Where rows are evenly spaced (without `x`) it is
    `scipy.signal.savgol_filter(mode="interp")`; on any other grid it is the local polynomial regression.

    Parameters
    ----------
    <y>
    <x.savgol>
    window_size
        The window, centred on the row. An int is a number of rows: odd, and more than `degree`. A float, a Decimal, a
        timedelta or a duration string such as "5m" is a length of `x`: the rows whose `x` is within half of it. The
        ends are compared exactly, in the units of `x`: in float seconds, whose steps carry rounding noise, 0.4 holds 3
        to 5 rows of a 10 Hz clock, and 0.5 always 5.
    degree
        The degree of the polynomial, 1 to 6. A higher one follows the signal more closely, and its noise.
    order
        The order of the derivative, 0 to `degree`. 0 is the smoothed value.
    min_samples
        The fewest rows of a window that has a result. By default all rows of a window of rows, and `degree + 1` of one
        of a length, which may be close together at a hole in the rows: their derivative is mostly noise.
    edges
        What rows get whose window passes an end of their segment.

        - "fit": the derivative, at the row, of the polynomial of the nearest full window. Of a window of a length it is
          that of the rows within half of it.
        - "null": null.
    weights
        The weights :math:`v_j`. None is 1 for each row. "tricube" is :math:`(1 - |d|^3)^3` of the distance
        :math:`d` from the row. :math:`d` is 1 at half a length. In a window of rows it is 1 beyond the furthest row, by
        a step on the average: a row that enters or leaves has little weight.
    <sigma>
    with_error
        Whether to return a struct with the fields `value` and `stderr`, the standard error.
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `y`: Float64, or the dtype of `y` if that is Float32 or Float16, in the
        unit of `y` per the unit of `x` to the power `order`. Of order 0 a temporal `y` keeps its dtype; a Time is taken
        modulo a day. Of order 1 it is a Duration over rows or a number, and Float64 over a temporal `x`. With
        `with_error` a struct of two such fields, where the error of a time is a Duration. Lists and Arrays keep their
        shape.

    Raises
    ------
    <errors>
    polars.exceptions.ComputeError
        When it runs, with `strict`: if `x` falls and the window is a length of it, or if a `sigma` is not finite and
        positive in a row without a null `y` or `x`.

    Notes
    -----
    Null contract: a null row is null, and a null in a column `sigma` counts as one in `y`. With `nulls="propagate"` so
    is every row whose window holds a null; "skip" fits the rows that remain, and a window of rows then reaches further.

    NaN contract: a NaN or an infinity in `y` gives NaN in every row whose window holds it, weight zero or not.

    Near an end several rows share the nearest full window. With fewer rows than a window a segment is null, unless
    `min_samples` allows it: then all its rows are the window.

    Only differences from the row are read, so that large offsets cost no digits and a constant has exactly the
    derivative 0. On any grid the fit is made of orthogonal polynomials [2]_; no system of equations is solved. The
    result of a row depends on the rows of its window only.

    With `y_period` a smoothed value is near the `y` of its row, and may lie beyond the period.

    The standard error is :math:`\sigma \sqrt{\sum_j w_j^2}` with the weights :math:`w_j` of the values of `y` in the
    result. Without `sigma` the variance is that of the residuals of the window; it is null for a window of
    `degree + 1` rows, which has none. The polynomial is taken to be the truth: what the signal bends more counts as
    noise.

    As an expression with `window_size` as a length it needs whole columns. In `grad.with_columns`, `stitch`, on Spark
    and Dask it does not.

    <notes>

    References
    ----------
    .. [1] A. Savitzky and M. J. E. Golay, Smoothing and Differentiation of Data by Simplified Least Squares Procedures,
       Analytical Chemistry 36, no. 8 (1964), 1627-1639.
    .. [2] G. E. Forsythe, Generation and Use of Orthogonal Polynomials for Data-Fitting with a Digital Computer,
       Journal of the Society for Industrial and Applied Mathematics 5, no. 2 (1957), 74-88.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"t": [1.0, 2.0, 3.0, 5.0, 6.0, 7.0], "y": [1.0, 4.0, 9.0, 25.0, 36.0, 49.0]})
    >>> df.with_columns(
    ...     slope=pg.savgol("y", x="t", window_size=5),
    ...     acceleration=pg.savgol("y", x="t", window_size=5, order=2),
    ...     length=pg.savgol("y", x="t", window_size=4.0, degree=1),
    ... ).with_columns(pl.selectors.float().round(6))
    shape: (6, 5)
    ┌─────┬──────┬───────┬──────────────┬──────────┐
    │ t   ┆ y    ┆ slope ┆ acceleration ┆ length   │
    │ --- ┆ ---  ┆ ---   ┆ ---          ┆ ---      │
    │ f64 ┆ f64  ┆ f64   ┆ f64          ┆ f64      │
    ╞═════╪══════╪═══════╪══════════════╪══════════╡
    │ 1.0 ┆ 1.0  ┆ 2.0   ┆ 2.0          ┆ 4.0      │
    │ 2.0 ┆ 4.0  ┆ 4.0   ┆ 2.0          ┆ 4.0      │
    │ 3.0 ┆ 9.0  ┆ 6.0   ┆ 2.0          ┆ 6.142857 │
    │ 5.0 ┆ 25.0 ┆ 10.0  ┆ 2.0          ┆ 9.857143 │
    │ 6.0 ┆ 36.0 ┆ 12.0  ┆ 2.0          ┆ 12.0     │
    │ 7.0 ┆ 49.0 ┆ 14.0  ┆ 2.0          ┆ 12.0     │
    └─────┴──────┴───────┴──────────────┴──────────┘
    """
    polynomial = _whole("degree", degree, 1, _HIGHEST)
    options: dict[str, Any] = {
        "window_size": _window(window_size, x, polynomial),
        "degree": polynomial,
        "order": _whole("order", order, 0, polynomial, " (`degree`)"),
        "edges": one_of("edges", edges, ("fit", "null")),
        "with_error": flag("with_error", with_error),
    }
    if min_samples is not None:
        options["min_samples"] = _min_samples(min_samples, polynomial + 1, options["window_size"].get("rows"))
    if weights is not None:
        options["weights"] = one_of("weights", weights, ("tricube",), or_else="None or ")
    if edges == "null" and domain.get("x_period") is not None:
        msg = "`edges` has no meaning where x goes round, since no row is an end; drop it, or drop `x_period`"
        raise ValueError(msg)
    return apply("savgol", options, y, x, domain, sigma=sigma, weighs=True)


def _window(size: Any, x: Any, degree: int) -> dict[str, Any]:
    rows = rows_of(size)
    if rows is None:
        return length_of(size, x)
    if rows <= degree:
        fewest = degree + 1 + degree % 2
        msg = f"`window_size` must be more rows than `degree`, which is {degree}, got {rows}; take {fewest} or more"
        raise ValueError(msg)
    check_odd("`window_size`", rows, fewest=degree + 1)
    return {"rows": rows}


def _min_samples(value: Any, fewest: int, most: int | None) -> int:
    rows = min_samples_of(value)
    if rows < fewest or (most is not None and rows > most):
        allowed = f"at least {fewest}" if most is None else f"from {fewest} to the {most} rows of the window"
        msg = f"`min_samples` must be {allowed}, as `degree` is {fewest - 1}, got {rows}"
        raise ValueError(msg)
    return rows


def _whole(name: str, value: Any, least: int, most: int, hint: str = "") -> int:
    number = whole(value)
    if number is None:
        msg = f"`{name}` must be a whole number from {least} to {most}{hint}, got {value!r}"
        raise TypeError(msg)
    if not least <= number <= most:
        msg = f"`{name}` must be from {least} to {most}{hint}, got {number}"
        raise ValueError(msg)
    return number
