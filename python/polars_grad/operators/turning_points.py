"""The turning points of a curve."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from polars_grad._engine.domain import Domain
from polars_grad._engine.lengths import amount, duration, is_duration, is_number, nearest_float
from polars_grad._engine.operator import OperatorExpr, apply, operator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Unpack

    from polars_grad._engine.columns import IntoColumn
    from polars_grad._engine.lengths import Length

__all__ = ["turning_points"]


@operator(Domain)
def turning_points(
    y: IntoColumn,
    x: IntoColumn | Sequence[Any] | None = None,
    *,
    min_swing: Length = 0.0,
    **domain: Unpack[Domain],
) -> OperatorExpr:
    r"""
    Find where a curve turns: its maxima and minima, and between which rows they are.

    .. math::
        x_i + \frac{d_1 h_2^2 + d_2 h_1^2}{2 (d_1 h_2 - d_2 h_1)}, \qquad
        y_i + \frac{(d_1 h_2^2 + d_2 h_1^2)^2}{4 (d_1 h_2 - d_2 h_1) h_1 h_2 (h_1 + h_2)}

    the vertex of the parabola through a row that is higher than both its neighbors, or lower, where `d` are the rises
    and `h` the steps before and after the row. It lies within half a step of the row.

    Adjacent rows of one height between two lower rows, or two higher ones, are a plateau: one turning point, with the
    height of the plateau and the middle of its x. It stands in the middle row, the earlier one of two, as in
    `scipy.signal.find_peaks`.

    Parameters
    ----------
    <y.amounts>
    <x>
    min_swing
        The least difference between a turning point and the next, in the unit of `y`: a number, or a timedelta or a
        duration string for a Duration. Maxima and minima come in turns, and each counts once the curve has left it by
        this much. Between two that count, the highest row is the maximum and the lowest one the minimum; of equal ones
        the first. By default each rise and fall counts.
    <domain>

    Returns
    -------
    Expr
        A struct with the name and the length of `y`, null in all other rows, so that a filter by `is_not_null()` leaves
        the turning points. Its fields:

        - `kind`: "max" or "min", an Enum.
        - `x`: where the curve turns. In the dtype of a temporal `x`, rounded to its unit, or of a Float32, else
          Float64. Without `x` the number of the row in its group, from 0, times `spacing`; a Duration of nanoseconds if
          that is one.
        - `y`: the value there: Float64, or a Duration of the unit of `y`.

        Lists and Arrays keep their shape.

    Raises
    ------
    <errors>

    Notes
    -----
    Null contract: a null ends the curve on both sides, unless `nulls="skip"` leaves out its row. The first and the last
    row of a segment, and the rows next to a null, are never turning points: the curve may go on rising there.

    NaN contract: a NaN in `y` is no turning point, and ends the curve on both sides like a null. An infinite `y` is
    higher than any other.

    Rows of equal `x` that `duplicates` makes one point have its turning point in the first of them.

    Instants, such as a Datetime, have no height: cast such a `y` to a Duration or a number. With `y_period` the value
    stays near that of the row, so it may be beyond the period.

    The parabola is that of three rows. Where one step is much longer than the other, it may rise far above them.

    Whole segments are needed. It is no operator of `grad.with_columns`, `stitch` and other engines.

    <notes>

    References
    ----------
    .. [1] https://docs.scipy.org/doc/scipy/reference/generated/scipy.signal.find_peaks.html

    Examples
    --------
    High and low water, from hourly levels of the sea:

    >>> from datetime import datetime, timedelta
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> start = datetime(2024, 6, 1)
    >>> tide = pl.DataFrame(
    ...     {
    ...         "at": [start + timedelta(hours=hour) for hour in range(10)],
    ...         "meters": [2.5, 3.0, 2.5, 1.0, 0.1, 0.1, 1.0, 0.9, 2.0, 2.5],
    ...     }
    ... )
    >>> tide.select(turn=pg.turning_points("meters", x="at", min_swing=0.5)).drop_nulls().unnest("turn")
    shape: (2, 3)
    ┌──────┬─────────────────────┬─────┐
    │ kind ┆ x                   ┆ y   │
    │ ---  ┆ ---                 ┆ --- │
    │ enum ┆ datetime[μs]        ┆ f64 │
    ╞══════╪═════════════════════╪═════╡
    │ max  ┆ 2024-06-01 01:00:00 ┆ 3.0 │
    │ min  ┆ 2024-06-01 04:30:00 ┆ 0.1 │
    └──────┴─────────────────────┴─────┘
    """
    return apply("turning_points", _options(min_swing), y, x, domain)


def _options(min_swing: Any) -> dict[str, Any]:
    if is_duration(min_swing):
        nanoseconds = duration("min_swing", min_swing)
        is_negative, is_zero = nanoseconds < 0, nanoseconds == 0
    elif is_number(min_swing):
        swing = nearest_float(min_swing)
        is_negative, is_zero = not isfinite(swing) or swing < 0, swing == 0
    else:
        is_negative = is_zero = False
    if is_negative:
        msg = f"`min_swing` must be finite and not negative, got {min_swing!r}"
        raise ValueError(msg)
    return {} if is_zero else {"min_swing": amount("min_swing", min_swing)}
