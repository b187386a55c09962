"""The options of counters, as users give them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polars_grad._engine.domain import one_of
from polars_grad._engine.lengths import amount

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from polars_grad._engine.lengths import Length

    Wrap: TypeAlias = Length | Literal["u8", "u16", "u32", "u64"]

_WRAPS = {"u8": 2**8, "u16": 2**16, "u32": 2**32, "u64": 2**64}


def options(reset: Any, wrap: Any, max_rate: Any) -> dict[str, Any]:
    """Return the options of a counter as the plugin takes them."""
    given: dict[str, Any] = {"reset": one_of("reset", reset, ("restart", "null"))}
    if wrap is not None:
        given["wrap"] = amount("wrap", _range(wrap))
    if max_rate is not None:
        given["max_rate"] = amount("max_rate", max_rate)
    return given


def _range(wrap: Any) -> Any:
    """Return the number that a name of an unsigned integer stands for."""
    if not isinstance(wrap, str):
        return wrap
    if wrap not in _WRAPS and not wrap[-1:].isalpha():
        msg = f'`wrap` must be a number, "u8", "u16", "u32" or "u64", or a timedelta or a duration string, got {wrap!r}'
        raise ValueError(msg)
    return _WRAPS.get(wrap, wrap)
