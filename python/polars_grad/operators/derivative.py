"""The n-th derivative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from polars_grad._engine.domain import RingDomain, flag, one_of
from polars_grad._engine.lengths import whole
from polars_grad._engine.operator import OperatorExpr, apply, operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn
    from polars_grad._engine.lengths import Duration

__all__ = ["derivative"]

_LARGEST = 8
_LARGEST_SUM = 12


@operator(RingDomain)
def derivative(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    order: int = 1,
    accuracy: int = 2,
    edge_accuracy: int | None = None,
    side: Literal["center", "backward", "forward"] = "center",
    with_error: bool = False,
    sigma: float | Duration | IntoColumn | None = None,
    **domain: Unpack[RingDomain],
) -> OperatorExpr:
    r"""
    Differentiate `y` with respect to `x` any number of times, at any accuracy, on any grid.

    The result at a row is :math:`p^{(n)}(x_i)`, the derivative of order `n` of the polynomial

    .. math:: p(x) = \sum_k f[x_0, \dots, x_k] \prod_{m<k} (x - x_m)

    through the `order + accuracy` rows nearest by count, in Newton's form: the :math:`f[x_0, \dots, x_k]` are divided
    differences [1]_. For an even number of rows it is the mean of the two polynomials that have the odd row on the left
    and on the right. The error falls with the power `accuracy` of the step. Only differences of adjacent rows are
    read, so that no digits are lost where `y` or `x` has a large offset.

    Parameters
    ----------
    <y>
    <x>
    order
        The order of the derivative, 1 to 8: 1 is a velocity, 2 an acceleration.
    accuracy
        The order of the error, 1 to 8. The sum of `order` and `accuracy` is at most 12.
    edge_accuracy
        The order of the error at the ends of a segment, 1 to 8, where the rows on both sides are not there: such a
        row takes the `order + edge_accuracy` rows at the nearer end. None is that of `accuracy`. With
        `side="center"` only. A segment with fewer rows is null.
    side
        Which rows are read.

        - "center": as many before as after the row.
        - "backward": the `order + accuracy` rows up to its own. Nothing leaks from a later `x`; where `x` repeats,
          `duplicates="first"` reads no later row either.
        - "forward": those from its own on.

        Rows without enough rows on their side are null.
    with_error
        Whether to give a struct of the derivative and its errors.

        - `value`: the derivative.
        - `truncation`: how far it is from the derivative with `accuracy + 2`, an estimate of the error that the finite
          step makes. Null where the two rows more are not there, or null.
        - `stderr`: the standard error that noise in `y` makes, :math:`\sqrt{\sum_k w_k^2 \sigma^2}` with the weights
          :math:`w_k` of the values of `y`, and :math:`\sigma_k` where each has its own. Null without `sigma`, and
          where a row of the stencil has none.
    sigma
        The standard deviation of the noise in `y`, in the unit of `y`, with `with_error=True` only. One for all rows: a
        number, or for a temporal `y` a timedelta or a duration string. Or one for each row: the name of a column, an
        expression, a Series or a 1-D array, of numbers or, for a temporal `y`, of Durations; for a `y` of cells of the
        shape of `y`. A string such as "3ms" is a duration; a column of such a name is `pl.col("3ms")`. With a column
        whole columns are needed, as with `by`.
    <domain>

    Returns
    -------
    Expr
        A column with the name and the length of `y`: Float64, or the dtype of `y` if that is Float32 or Float16, in the
        unit of `y` per the unit of `x` to the power `order`. For a temporal `y` it is a Duration over rows or a number,
        of order 1 only, and Float64 over a temporal `x`. Lists and Arrays keep their shape. With `with_error` a struct
        of three such columns.

    Raises
    ------
    <errors>
    polars.exceptions.ComputeError
        When it runs, with `strict`: if a `sigma` is not finite and positive in a row without a null `y` or `x`. With
        `strict=False` it counts as null.

    Notes
    -----
    Null contract: no value is invented. With `nulls="propagate"` every row that reads a null is null. A null in `sigma`
    is felt by `stderr` only.

    NaN contract: a NaN in `y` is a value. It gives NaN in every row that reads it, whatever its weight there.

    `derivative(order=1, accuracy=2)` is `gradient(edge_order=2)`, and with `edge_accuracy=1` it is `gradient`, to the
    bit.

    Noise: if each `y` has independent noise of standard deviation :math:`\sigma` and rows are a step :math:`h` apart,
    the standard error of a derivative of order :math:`n` is :math:`c \, \sigma / h^n`. The factor
    :math:`c = \sqrt{\sum_k w_k^2}` is, by `accuracy`, for
    centred stencils and for `side="backward"`:

    ===== ==== ==== ==== ==== ========== ========== ==========
    order 1-2  3-4  5-6  7-8  backward 1 backward 2 backward 4
    ===== ==== ==== ==== ==== ========== ========== ==========
    1     0.71 0.95 1.08 1.17 1.41       2.55       5.58
    2     2.45 3.13 3.46 3.65 2.45       6.78       26.3
    3     1.58 2.70 3.52 4.15 4.47       16.8       98.4
    4     8.37 13.4 16.7 19.0 8.37       39.8       324
    ===== ==== ==== ==== ==== ========== ========== ==========

    A higher accuracy does not help against noise, and no stencil of few rows does. `savgol` and `rolling_slope` fit
    many rows instead: `savgol` local polynomials, `rolling_slope` the line through the rows of a window.

    <notes>

    References
    ----------
    .. [1] B. Fornberg, Generation of Finite Difference Formulas on Arbitrarily Spaced Grids, Mathematics of
       Computation 51, no. 184 (1988), 699-706, for the same polynomials as weights of values.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"t": [0.0, 1.0, 3.0, 4.0, 6.0], "y": [0.0, 1.0, 27.0, 64.0, 216.0]})
    >>> df.select(
    ...     velocity=pg.derivative("y", x="t", accuracy=3),
    ...     acceleration=pg.derivative("y", x="t", order=2),
    ...     causal=pg.derivative("y", x="t", order=2, accuracy=1, side="backward"),
    ... )
    shape: (5, 3)
    ┌──────────┬──────────────┬────────┐
    │ velocity ┆ acceleration ┆ causal │
    │ ---      ┆ ---          ┆ ---    │
    │ f64      ┆ f64          ┆ f64    │
    ╞══════════╪══════════════╪════════╡
    │ 0.0      ┆ 0.0          ┆ null   │
    │ 3.0      ┆ 6.0          ┆ null   │
    │ 27.0     ┆ 18.0         ┆ 8.0    │
    │ 48.0     ┆ 24.0         ┆ 16.0   │
    │ 108.0    ┆ 36.0         ┆ 26.0   │
    └──────────┴──────────────┴────────┘
    """
    options = checked(order, accuracy, edge_accuracy, side)
    if flag("with_error", with_error):
        options["with_error"] = True
    return apply("derivative", options, y, x, domain, sigma=sigma)


def checked(order: Any, accuracy: Any, edge_accuracy: Any, side: Any = "center") -> dict[str, Any]:
    """Check which stencils are meant, and return them as the plugin takes them."""
    options = {
        "order": _number("order", order),
        "accuracy": _number("accuracy", accuracy),
        "side": one_of("side", side, ("center", "backward", "forward")),
    }
    if options["order"] + options["accuracy"] > _LARGEST_SUM:
        msg = f"the sum of `order` and `accuracy` must be at most {_LARGEST_SUM}, got {order} and {accuracy}"
        raise ValueError(msg)
    if edge_accuracy is not None:
        options["edge_accuracy"] = _edge_accuracy(edge_accuracy, **options)
    return options


def _edge_accuracy(edge_accuracy: Any, *, order: int, accuracy: int, side: str) -> int:
    if side != "center":
        msg = f'`edge_accuracy` is for the ends of `side="center"`, got side={side!r}; drop it'
        raise ValueError(msg)
    number = _number("edge_accuracy", edge_accuracy)
    least = max(1, (order + accuracy) // 2 - order)
    if number < least:
        msg = (
            f"`edge_accuracy` must be at least {least} for `order` {order} and `accuracy` {accuracy}, got {number}: "
            "the rows next to an end must be among those that it reads"
        )
        raise ValueError(msg)
    return number


def _number(name: str, value: Any) -> int:
    number = whole(value)
    if number is None:
        msg = f"`{name}` must be a whole number from 1 to {_LARGEST}, got {value!r}"
        raise TypeError(msg)
    if not 1 <= number <= _LARGEST:
        msg = f"`{name}` must be from 1 to {_LARGEST}, got {number}"
        raise ValueError(msg)
    return number
