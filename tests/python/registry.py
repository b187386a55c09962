"""The operators that are registered, with options: what suites of all operators run through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars_grad as pg
from polars_grad._engine.operator import OPERATORS, spec_of

if TYPE_CHECKING:
    import polars as pl

# Options besides the defaults, the ones that reach furthest last. An operator that is not here has its defaults only.
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "gradient": [{"edge_order": 2}],
    "derivative": [
        {"order": 2, "edge_accuracy": 1},
        {"side": "backward"},
        {"with_error": True},
        {"order": 1, "accuracy": 4},
    ],
    "increase": [{"reset": "null"}],
    "integral": [{"hold": True, "initial": 2.0}],
    "rate": [{"reset": "null", "max_rate": 9.0}],
    "turning_points": [{"min_swing": 2.0}],
    "rolling_slope": [{"window_size": 4, "with_error": True}, {"window_size": 5, "center": True, "min_samples": 2}],
    "savgol": [
        {"window_size": 5, "degree": 3, "order": 2, "edges": "null"},
        {"window_size": 7, "min_samples": 3, "weights": "tricube"},
        {"window_size": 5, "with_error": True},
        {"window_size": 5, "order": 0},
        {"window_size": 7},
    ],
}
# Options without a default.
REQUIRED: dict[str, dict[str, Any]] = {"rolling_slope": {"window_size": 3}, "savgol": {"window_size": 3}}
# Operators that must know how far rows are apart: here one step, where a test gives no x.
NEED_STEPS = {"rate"}
# Operators that need a rising x.
NEED_RISING_X = {"increase", "rate"}
# Operators that take an x that repeats and turns.
TAKE_ANY_X = {"rolling_slope"}
# Operators whose results are events, null in all other rows.
GIVE_EVENTS = {"turning_points"}
# Operators with a result for a segment of one row.
TAKE_ONE_ROW = {"integral"}


@dataclass(frozen=True)
class Case:
    """An operator with some options."""

    name: str
    options: dict[str, Any] = field(default_factory=dict, hash=False)

    def __call__(self, y: Any, x: Any = None, **domain: Any) -> pl.Expr:
        """Return the expression of the operator."""
        return getattr(pg, self.name)(y, x, **self.options, **self._spaced(x, domain))

    def of(self, y: Any, *x: Any, **domain: Any) -> Any:
        """Call the operator as a method of an expression or of a series."""
        return getattr(y.grad, self.name)(*x, **self.options, **self._spaced(x[0] if x else None, domain))

    def _spaced(self, x: Any, domain: dict[str, Any]) -> dict[str, Any]:
        needs_steps = self.name in NEED_STEPS or "x_period" in self.options
        return {"spacing": 1, **domain} if x is None and needs_steps else domain

    @property
    def streams(self) -> bool:
        """Whether rows may arrive in batches: whether no whole segment is needed."""
        return spec_of(self("y", "x")).extent != "segment" and "x_period" not in self.options

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"


# Each operator with each of its options.
CASES = [Case(name, options) for name in OPERATORS for options in (REQUIRED.get(name, {}), *OPTIONS.get(name, []))]
# Windows of a length, which need an x.
LENGTHS = [
    Case("rolling_slope", {"window_size": 20.0}),
    Case("rolling_slope", {"window_size": 150.0, "center": True, "closed": "left", "with_error": True}),
    Case("savgol", {"window_size": 60.0, "degree": 1, "min_samples": 2}),
    Case("savgol", {"window_size": 60.0, "degree": 1, "edges": "null"}),
]
# All that take rows in batches, with an x that rises.
STREAMED = [*(case for case in CASES if case.streams), *LENGTHS]
# Operators whose last row stands before the first, for suites that do not ask what is beyond the ends of a column.
RINGS = [
    Case("gradient", {"x_period": 1e5}),
    Case("derivative", {"order": 2, "accuracy": 3, "x_period": 1e5}),
    Case("savgol", {"window_size": 5, "x_period": 1e5}),
]
# Each operator once.
FURTHEST = [[case for case in CASES if case.name == name][-1] for name in OPERATORS]
