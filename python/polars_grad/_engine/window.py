"""Windows of a number of rows, or of a length of x."""

from __future__ import annotations

from typing import Any

from polars_grad._engine.lengths import amount, whole

# More rows than any column has.
_MOST_ROWS = 2**63 - 1


def rows_of(size: Any, name: str = "window_size") -> int | None:
    """Return the rows of a window; `None` if its size is a length of x."""
    rows = whole(size)
    if rows is not None and rows > _MOST_ROWS:
        msg = f"`{name}` must be at most 2**63 - 1 rows, got {rows}"
        raise ValueError(msg)
    return rows


def check_odd(what: str, rows: int, *, fewest: int) -> None:
    """Refuse an even number of rows."""
    if rows % 2 == 0:
        allowed = " or ".join(str(odd) for odd in (rows - 1, rows + 1) if odd >= fewest)
        msg = f"{what} must be odd, got {rows}; take {allowed}"
        raise ValueError(msg)


def length_of(size: Any, x: Any) -> dict[str, Any]:
    """Return the length of a window, which needs an x."""
    if x is None:
        msg = f"`window_size` as a length needs `x`, got {size!r}; give `x`, or a number of rows as an int"
        raise ValueError(msg)
    return {"length": amount("window_size", size)}


def min_samples_of(value: Any) -> int:
    """Return a number of rows, in any range."""
    rows = rows_of(value, "min_samples")
    if rows is None:
        msg = f"`min_samples` must be a whole number of rows, got {value!r}"
        raise TypeError(msg)
    return rows
