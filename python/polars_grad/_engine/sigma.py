"""`sigma`, the standard deviation of y: one for all rows, or a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polars_grad._engine.lengths import amount, is_duration_string, is_length

if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWED = "a number, a timedelta or a duration string, or a column (a name, an expression, a series or a 1-D array)"


def split(sigma: Any, options: Mapping[str, Any], *, weighs: bool) -> tuple[dict[str, Any], Any]:
    """
    Return the options of an operator together with a sigma for all rows, and the sigma that is a column.

    A column of an operator that `weighs` rows by it has a use without `with_error`; any other sigma has none.
    """
    own = dict(options)
    if sigma is None:
        return own, None
    # A number, or a duration: a name that is a duration as well needs `pl.col`.
    is_constant = is_length(sigma) or (isinstance(sigma, str) and is_duration_string(sigma))
    if not options.get("with_error") and (is_constant or not weighs):
        msg = "`sigma` is for the standard error: give `with_error=True` too, or drop it"
        raise ValueError(msg)
    if not is_constant:
        return own, sigma
    own["sigma"] = amount("sigma", sigma)
    return own, None
