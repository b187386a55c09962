"""The slope of the least-squares line in a moving window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine.domain import Domain, flag, one_of
from polars_grad._engine.operator import OperatorExpr, apply, operator
from polars_grad._engine.window import check_odd, length_of, min_samples_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn
    from polars_grad._engine.lengths import Length

__all__ = ["rolling_slope"]


@operator(Domain)
def rolling_slope(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    window_size: Length,
    min_samples: int | None = None,
    center: bool = False,
    closed: Literal["right", "left", "both", "none"] | None = None,
    sigma: Length | IntoColumn | None = None,
    with_error: bool = False,
    **domain: Unpack[Domain],
) -> OperatorExpr:
    r"""
    Fit a line to the rows of a moving window, and return its slope: the derivative of noisy data.

    .. math:: \frac{\sum_j (x_j - \bar x)(y_j - \bar y)}{\sum_j (x_j - \bar x)^2}

    over the rows `j` of the window, the least-squares slope; with a column `sigma` sums and means have the weights
    :math:`1/\sigma_j^2`. A trailing window, the default, lags: its slope is that of
    half a window ago. `center=True` has no lag, and reads rows after its own.

    Parameters
    ----------
    <y>
    <x.rolling>
    window_size
        The window. An int is a number of rows, at least 2: the row and those before it. A float, a Decimal, a timedelta
        or a duration string such as "5m" is a length of `x`: the rows whose `x` is within it, up to that of the row,
        also later ones of the same `x`. The ends are compared exactly, in the units of `x`: in float seconds, whose
        steps carry rounding noise, 0.5 holds 5 or 6 rows of a 10 Hz clock. Take half a step less, here 0.45 for 5 rows,
        or a temporal `x` and a duration.
    min_samples
        The fewest rows of a window that has a slope. By default all rows of a window of rows, and 2 of one of a length:
        at the start of a segment, and after a hole in the rows, these may be close together, and their slope mostly
        noise.
    center
        Whether the row is in the middle of its window. A number of rows must be odd then.
    closed
        Which ends of a window of a length belong to it: "right" by default, "both" with `center`. "left" and "none"
        leave out the later end, and with it the row itself unless it is in the middle.
    <sigma>
    with_error
        Whether to return a struct with the fields `value` and `stderr`, the standard error of the slope.
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `y`: Float64, or the dtype of `y` if that is Float32 or Float16, in the
        unit of `y` per that of `x`. A Duration for a temporal `y` over rows or a number, Float64 over a temporal `x`.
        With `with_error` a struct of two such fields. Lists and Arrays keep their shape.

    Raises
    ------
    <errors>
    polars.exceptions.ComputeError
        When it runs, with `strict`: if `x` falls within a segment and the window is a length of it, or if `x` is not
        finite, or if a `sigma` is not finite and positive in a row without a null `y` or `x`. In a window of rows `x`
        may repeat and turn, so that the slope is the regression of one column on another.

    Notes
    -----
    Null contract: a null row is null. With `nulls="propagate"` so is every window that holds it; "skip" fits the rows
    that remain, and a window of rows then reaches further back. A window whose x are all equal is null. A null in a
    column `sigma` counts as one in `y`; so does a wrong one with `strict=False`.

    NaN contract: a NaN in `y` gives NaN in every row whose window holds it, and in no other.

    Windows of up to 64 rows, and all with a column `sigma`, are fitted in two passes over their rows. Longer ones are
    added up from two parts that they share with the windows beside them, with twice the digits of a float [1]_. No row
    is subtracted when it leaves the window, so that errors do not accumulate, and large offsets cost no digits. The
    slope of a row depends on the rows of its window only. With a column `sigma` this takes time in proportion to the
    length of a window, else long windows take as much as short ones.

    As an expression with `window_size` as a length it needs whole columns. In `grad.with_columns`, `stitch`, on Spark
    and on Dask a row waits until `x` has passed it by the part of the window after it, so that a trailing window comes
    out one row late, and the rows of a window must fit into memory.

    <notes>

    References
    ----------
    .. [1] T. J. Dekker, A Floating-Point Technique for Extending the Available Precision, Numerische Mathematik 18
       (1971), 224-242.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"t": [0.0, 1.0, 2.0, 4.0, 5.0], "y": [0.0, 1.0, 3.0, 4.0, 5.0]})
    >>> df.with_columns(
    ...     rows=pg.rolling_slope("y", x="t", window_size=3),
    ...     length=pg.rolling_slope("y", x="t", window_size=2.5),
    ...     centred=pg.rolling_slope("y", x="t", window_size=3, center=True, min_samples=2),
    ... )
    shape: (5, 5)
    ┌─────┬─────┬──────────┬────────┬──────────┐
    │ t   ┆ y   ┆ rows     ┆ length ┆ centred  │
    │ --- ┆ --- ┆ ---      ┆ ---    ┆ ---      │
    │ f64 ┆ f64 ┆ f64      ┆ f64    ┆ f64      │
    ╞═════╪═════╪══════════╪════════╪══════════╡
    │ 0.0 ┆ 0.0 ┆ null     ┆ null   ┆ 1.0      │
    │ 1.0 ┆ 1.0 ┆ null     ┆ 1.0    ┆ 1.5      │
    │ 2.0 ┆ 3.0 ┆ 1.5      ┆ 1.5    ┆ 0.928571 │
    │ 4.0 ┆ 4.0 ┆ 0.928571 ┆ 0.5    ┆ 0.642857 │
    │ 5.0 ┆ 5.0 ┆ 0.642857 ┆ 1.0    ┆ 1.0      │
    └─────┴─────┴──────────┴────────┴──────────┘
    """
    options: dict[str, Any] = {
        "window_size": _window(window_size, x, center=flag("center", center), closed=closed),
        "center": center,
        "with_error": flag("with_error", with_error),
    }
    if min_samples is not None:
        options["min_samples"] = _min_samples(min_samples, options["window_size"].get("rows"))
    if closed is not None:
        options["closed"] = one_of("closed", closed, ("right", "left", "both", "none"))
    return apply("rolling_slope", options, y, x, domain, sigma=sigma, weighs=True)


def _window(size: Any, x: Any, *, center: bool, closed: Any) -> dict[str, Any]:
    rows = rows_of(size)
    if rows is None:
        return length_of(size, x)
    if rows < 2:  # noqa: PLR2004, a line has two points
        msg = f"`window_size` must be at least 2 rows, got {rows}; a length of x is a float or a duration"
        raise ValueError(msg)
    if center:
        check_odd("a centred `window_size`", rows, fewest=2)
    if closed is not None:
        msg = f"`closed` is about windows of a length, but `window_size` is {rows} rows; drop one of them"
        raise ValueError(msg)
    return {"rows": rows}


def _min_samples(value: Any, most: int | None) -> int:
    rows = min_samples_of(value)
    if rows < 2 or (most is not None and rows > most):  # noqa: PLR2004, a line has two points
        allowed = "at least 2" if most is None else f"from 2 to the {most} rows of the window"
        msg = f"`min_samples` must be {allowed}, got {rows}"
        raise ValueError(msg)
    return rows
