"""Derivatives of a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numdifftools
import numpy as np
import polars as pl
from agreement import agree
from case import Case, Part, by_rows
from scipy.differentiate import derivative
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from rounds import Contenders

FORMULA, FIRST, THIRD = "the formula itself", "derivative_of", "derivative_of, order 3"
SCIPY, NUMDIFFTOOLS = "scipy.differentiate", "numdifftools"
SIZES = (1_000, 100_000, 1_000_000)
LIMITS = ((FIRST, 4, FORMULA), (THIRD, 25, FORMULA), (FIRST, 1 / 20, SCIPY), (FIRST, 1 / 60, NUMDIFFTOOLS))
ABOUT = "x is Float64; the other contenders call the formula written with numpy, on an array."


def cases(largest: int) -> list[Case]:
    """Return the case."""
    targets = [Target(label, *limit) for label in by_rows(largest, SIZES[-1]) for limit in LIMITS]
    return [Case("sin(x) · exp(-x²) / (1 + x³)", by_rows(largest, *SIZES), contenders, targets)]


def contenders(rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = pl.DataFrame({"x": np.random.default_rng(0).uniform(0, 3, rows)})
    x, array = pl.col("x"), data["x"].to_numpy()
    formula = x.sin() * (-(x**2)).exp() / (1 + x**3)
    first, third = (pg.derivative_of(formula, "x", order=order) for order in (1, 3))
    of_third = pg.derivative_of(pg.derivative_of(pg.derivative_of(formula, "x"), "x"), "x")
    answers: dict[str, Callable[[], Any]] = {
        FIRST: lambda: data.select(first),
        SCIPY: lambda: [derivative(with_numpy, array).df],
        NUMDIFFTOOLS: lambda: [numdifftools.Derivative(with_numpy)(array)],
    }
    agree(f"first derivative, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-8)
    agree(
        f"third derivative, {rows:,} rows", {"nested": data.select(of_third), THIRD: data.select(third)}, tolerance=1e-9
    )
    return {FORMULA: lambda: data.select(formula), THIRD: lambda: data.select(third), **answers}


def with_numpy(x: Any) -> Any:
    """Write the formula with numpy."""
    return np.sin(x) * np.exp(-(x**2)) / (1 + x**3)


PART = Part("Derivatives of a formula", ABOUT, cases)
