"""Windows of a number of rows, or of a length of x."""

from __future__ import annotations

from typing import Any

from polars_grad._engine.lengths import amount, whole


def rows_of(size: Any) -> int | None:
    """Return the rows of a window; `None` if its size is a length of x."""
    return whole(size)


def length_of(size: Any, x: Any) -> dict[str, Any]:
    """Return the length of a window, which needs an x."""
    if x is None:
        msg = f"`window_size` as a length needs `x`, got {size!r}; give `x`, or a number of rows as an int"
        raise ValueError(msg)
    return {"length": amount("window_size", size)}


def min_samples_of(value: Any) -> int:
    """Return a number of rows, in any range."""
    rows = rows_of(value)
    if rows is None:
        msg = f"`min_samples` must be a whole number of rows, got {value!r}"
        raise TypeError(msg)
    return rows
