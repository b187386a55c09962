"""
The cases of each operator on one column.

An operator has an entry here: a function that takes a number of rows and returns its cases of at most that many. The
benchmark does not run, and a test fails, while one is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import counters
import derivative
import flat
import integral
import rolling
import savgol
import turning
from case import Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from case import Case

CASES_BY_OPERATOR: dict[str, Callable[[int], list[Case]]] = {
    "gradient": flat.cases,
    "derivative": derivative.cases,
    "increase": counters.increases,
    "rate": counters.rates,
    "integral": integral.cases,
    "rolling_slope": rolling.cases,
    "savgol": savgol.cases,
    "turning_points": turning.cases,
}

PARTS = [Part(f"`{name}` of one column", flat.ABOUT, cases) for name, cases in CASES_BY_OPERATOR.items()]
PARTS.append(counters.PART)
