"""The cases of scipy's own tests of `cumulative_trapezoid`, called through an adapter, and scipy itself beside it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

import polars_grad as pg


def cumulative_trapezoid(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, initial: float | None = None) -> Any:
    """Lines along the axis are groups of a frame."""
    y = np.moveaxis(np.asarray(y, dtype=float), axis, -1)
    lines, length = y.reshape(math.prod(y.shape[:-1]), -1) if y.size else y[None], y.shape[-1]
    frame = pl.DataFrame({"y": lines.ravel(), "line": np.repeat(np.arange(len(lines)), length)})
    if x is None:
        total = pg.integral("y", spacing=dx, by="line", initial=initial or 0.0)
    else:
        x = np.asarray(x, dtype=float)
        x = np.broadcast_to(x, y.shape) if x.ndim == 1 else np.moveaxis(x, axis, -1)
        frame = frame.with_columns(x=x.reshape(-1))
        total = pg.integral("y", "x", by="line", initial=initial or 0.0)
    result = frame.select(total).to_series().to_numpy().reshape(y.shape)
    return np.moveaxis(result if initial is not None else result[..., 1:], -1, axis)


def trapezoids(y: Any, x: Any = None, dx: float = 1.0, axis: int = -1, initial: float | None = None) -> Any:
    """The definition, in numpy."""
    y = np.moveaxis(np.asarray(y, dtype=float), axis, -1)
    steps: Any = dx
    if x is not None:
        x = np.asarray(x, dtype=float)
        steps = np.diff(x if x.ndim == 1 else np.moveaxis(x, axis, -1))
    sums = np.cumsum(steps * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)
    if initial is not None:
        sums = np.concatenate([np.zeros((*y.shape[:-1], 1)), sums], axis=-1) + initial
    return np.moveaxis(sums, -1, axis)


LINE = np.linspace(-2, 2, num=5)
CUBE = np.arange(3 * 2 * 4).reshape(3, 2, 4)

CASES = {
    "one axis": ({"y": LINE, "x": LINE, "initial": 0}, [0.0, -1.5, -2.0, -1.5, 0.0]),
    "one axis, without the first": ({"y": LINE, "x": LINE}, [-1.5, -2.0, -1.5, 0.0]),
    "x of the shape of y": (
        {"y": CUBE, "x": CUBE, "initial": 0},
        [
            [[0.0, 0.5, 2.0, 4.5], [0.0, 4.5, 10.0, 16.5]],
            [[0.0, 8.5, 18.0, 28.5], [0.0, 12.5, 26.0, 40.5]],
            [[0.0, 16.5, 34.0, 52.5], [0.0, 20.5, 42.0, 64.5]],
        ],
    ),
    **{
        f"x of the shape of y, axis {axis}": ({"y": CUBE, "x": CUBE, "axis": axis, "initial": initial}, None)
        for axis in (0, 1, 2)
        for initial in (None, 0)
    },
    "one x along the last axis": (
        {"y": CUBE, "x": np.arange(4) ** 2, "initial": 0},
        [
            [[0.0, 0.5, 5.0, 17.5], [0.0, 4.5, 21.0, 53.5]],
            [[0.0, 8.5, 37.0, 89.5], [0.0, 12.5, 53.0, 125.5]],
            [[0.0, 16.5, 69.0, 161.5], [0.0, 20.5, 85.0, 197.5]],
        ],
    ),
    "one x along the first axis": ({"y": CUBE, "x": np.arange(3) ** 2, "axis": 0}, None),
    "one x along the middle axis": ({"y": CUBE, "x": np.arange(2) ** 2, "axis": 1}, None),
    "no x": ({"y": LINE}, [-1.5, -2.0, -1.5, 0.0]),
    "no x, from zero": ({"y": LINE, "initial": 0}, [0.0, -1.5, -2.0, -1.5, 0.0]),
    "a step": ({"y": LINE, "dx": 3}, [-4.5, -6.0, -4.5, 0.0]),
    "a step, from zero": ({"y": LINE, "dx": 3, "initial": 0}, [0.0, -4.5, -6.0, -4.5, 0.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cases_of_scipy(name: str) -> None:
    arguments, expected = CASES[name]
    got = cumulative_trapezoid(**arguments)
    assert_allclose(got, trapezoids(**arguments), rtol=1e-15)
    if expected is not None:
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("seed", range(5))
def test_beside_scipy(seed: int) -> None:
    """In one run, where scipy is installed: within the rounding of its running sum."""
    integrate = pytest.importorskip("scipy.integrate")
    random = np.random.default_rng(seed)
    x = np.cumsum(random.uniform(0.1, 2.0, 500))
    y = random.normal(size=(3, 500))
    for arguments in ({"x": x}, {"dx": 0.25}, {"x": x, "initial": 0}):
        got = cumulative_trapezoid(y, **arguments)
        assert_allclose(got, integrate.cumulative_trapezoid(y, **arguments), rtol=1e-12, atol=1e-12)


def test_no_points_have_no_integral() -> None:
    """scipy raises; a column without rows has no results."""
    assert cumulative_trapezoid(np.zeros((0,)), initial=0).shape == (0,)
