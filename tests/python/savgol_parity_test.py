"""`savgol` and `rolling_slope` beside others: the cases of scipy's and PyNumDiff's own tests, and `linregress`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy.signal import savgol_coeffs, savgol_filter
from scipy.stats import linregress

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable


def as_savgol_filter(
    x: Any, window_length: int, polyorder: int, *, deriv: int = 0, delta: float = 1.0, axis: int = -1
) -> Any:
    """`scipy.signal.savgol_filter(mode="interp")`, evaluated by `savgol`."""
    x = np.moveaxis(np.asarray(x, dtype=float), axis, -1)
    lines = pl.DataFrame({"y": x.reshape(-1, x.shape[-1])}, schema={"y": pl.Array(pl.Float64, x.shape[-1])})
    slope = pg.savgol("y", window_size=window_length, degree=polyorder, order=deriv, spacing=delta, axis=1)
    return np.moveaxis(lines.select(slope).to_series().to_numpy().reshape(x.shape), -1, axis)


def as_savgol_coeffs(
    window_length: int, polyorder: int, deriv: int = 0, delta: float = 1.0, pos: int | None = None
) -> Any:
    """`scipy.signal.savgol_coeffs(use="dot")`: what each value of a single window counts at one of its rows."""
    units = np.eye(window_length)
    own = window_length // 2 if pos is None else pos
    return as_savgol_filter(units, window_length, polyorder, deriv=deriv, delta=delta)[:, own]


@pytest.mark.parametrize("pos", [None, 0, 1, 4])
@pytest.mark.parametrize(("window_length", "polyorder"), [(5, 1), (5, 3), (7, 2), (9, 4), (11, 6), (31, 3)])
def test_coefficients_of_scipy(window_length: int, polyorder: int, pos: int | None) -> None:
    for deriv in range(polyorder + 1):
        expected = savgol_coeffs(window_length, polyorder, deriv=deriv, delta=0.5, pos=pos, use="dot")
        got = as_savgol_coeffs(window_length, polyorder, deriv, 0.5, pos)
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


def test_coefficients_keep_polynomials() -> None:
    """The derivative of a polynomial of the degree, on the rows of one window."""
    for polyorder in range(1, 6):
        rows = np.arange(-4.0, 5.0)
        for power in range(polyorder + 1):
            for deriv in range(polyorder + 1):
                expected = math.factorial(power) if power == deriv else 0.0
                got = as_savgol_coeffs(9, polyorder, deriv) @ rows**power
                assert got == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_edges_of_scipy(axis: int) -> None:
    """Parabolas are found to the ends, along any axis."""
    t = np.linspace(-5, 5, 21)
    delta = t[1] - t[0]
    curves = np.array([t, t**2, 3 * t - t**2])
    slopes = np.array([np.ones_like(t), 2 * t, 3 - 2 * t])
    bends = np.array([0 * t, 0 * t + 2, 0 * t - 2])
    for deriv, expected in enumerate((curves, slopes, bends)):
        given, wanted = (curves.T, expected.T) if axis == 0 else (curves, expected)
        got = as_savgol_filter(given, 7, 3, deriv=deriv, delta=delta, axis=axis)
        np.testing.assert_allclose(got, wanted, atol=1e-11)
        np.testing.assert_allclose(got, savgol_filter(given, 7, 3, deriv=deriv, delta=delta, axis=axis), atol=1e-11)


def test_three_dimensions_of_scipy() -> None:
    t = np.linspace(-5, 5, 21)
    z = np.array([[t, t**2 - t], [t**3 - t, 2 * t**3]])
    for axis in range(3):
        turned = np.moveaxis(z, -1, axis)
        got = as_savgol_filter(turned, 7, 3, deriv=1, delta=t[1] - t[0], axis=axis)
        expected = savgol_filter(turned, 7, 3, deriv=1, delta=t[1] - t[0], axis=axis)
        np.testing.assert_allclose(got, expected, atol=1e-10)


def test_a_window_as_long_as_the_signal() -> None:
    x = np.random.default_rng(3).normal(size=9)
    for deriv in range(4):
        np.testing.assert_allclose(as_savgol_filter(x, 9, 3, deriv=deriv), savgol_filter(x, 9, 3, deriv), atol=1e-12)


# The functions of PyNumDiff's tests, and their derivatives; whether a parabola is one.
FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], bool]] = {
    "constant": (lambda t: 0 * t + 1, lambda t: 0 * t, True),
    "line": (lambda t: 2 * t + 1, lambda t: 0 * t + 2, True),
    "parabola": (lambda t: t**2 - t + 1, lambda t: 2 * t - 1, True),
    "sine": (lambda t: np.sin(3 * t) + 1 / 2, lambda t: 3 * np.cos(3 * t), False),
    "damped": (lambda t: np.exp(-t) * np.sin(5 * t), lambda t: np.exp(-t) * (5 * np.cos(5 * t) - np.sin(5 * t)), False),
    "logistic": (lambda t: 1 / (1 + np.exp(-4 * t + 6)), lambda t: 1 / np.cosh(2 * t - 3) ** 2, False),
}


def as_savgoldiff(x: Any, dt: float, degree: int, window_size: int) -> tuple[Any, Any]:
    """The value and the derivative by a filter of evenly spaced rows, like `pynumdiff.polynomial_fit.savgoldiff`."""
    fits = pl.DataFrame({"x": x}).select(
        value=pg.savgol("x", window_size=window_size, degree=degree, order=0, spacing=dt),
        slope=pg.savgol("x", window_size=window_size, degree=degree, spacing=dt),
    )
    return fits["value"].to_numpy(), fits["slope"].to_numpy()


def as_polydiff(x: Any, t: Any, degree: int, window_size: int) -> tuple[Any, Any]:
    """The value and the derivative by a polynomial in each window, like `pynumdiff.polynomial_fit.polydiff`."""
    fits = pl.DataFrame({"x": x, "t": t}).select(
        value=pg.savgol("x", x="t", window_size=window_size, degree=degree, order=0, weights="tricube"),
        slope=pg.savgol("x", x="t", window_size=window_size, degree=degree, weights="tricube"),
    )
    return fits["value"].to_numpy(), fits["slope"].to_numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("irregular", [False, True])
def test_cases_of_pynumdiff(name: str, *, irregular: bool) -> None:
    """Without noise parabolas are exact and curves close; with noise, errors are those of the filter's weights."""
    function, derivative, is_parabola = FUNCTIONS[name]
    rng = np.random.default_rng(5)
    dt, rows, size = 0.01, 300, 11
    t = np.cumsum(rng.uniform(0.5, 1.5, rows)) * dt if irregular else np.arange(rows) * dt
    x, slope = function(t), derivative(t)

    def fits(x: Any) -> tuple[Any, Any]:
        return as_polydiff(x, t, 2, size) if irregular else as_savgoldiff(x, dt, 2, size)

    value, got = fits(x)
    inside = slice(size, -size)
    if is_parabola:
        np.testing.assert_allclose(value, x, atol=1e-13)
        np.testing.assert_allclose(got, slope, atol=1e-11)
    else:
        assert np.abs(value - x).max() < 2e-3
        assert np.abs((got - slope)[inside]).max() < 0.1
    noise = 0.01
    value, got = fits(x + rng.normal(0, noise, rows))
    assert np.sqrt(np.mean((value - x)[inside] ** 2)) < noise
    # Of a line in the window: 12 / n³ of the squared noise over the squared step.
    expected = noise / dt * math.sqrt(12 / size**3)
    assert np.sqrt(np.mean((got - slope)[inside] ** 2)) < 2.5 * expected


def test_linregress_window_by_window() -> None:
    rng = np.random.default_rng(11)
    x = 1.7e9 + np.cumsum(rng.uniform(0.5, 5, 80))
    y = 1e3 + np.sin(x / 20) + rng.normal(0, 0.1, 80)
    frame = pl.DataFrame({"x": x, "y": y})
    rows = frame.select(pg.rolling_slope("y", x="x", window_size=9, with_error=True)).to_series().struct.unnest()
    line = frame.select(pg.savgol("y", x="x", window_size=9, degree=1, with_error=True)).to_series().struct.unnest()
    length = frame.select(pg.rolling_slope("y", x="x", window_size=20.0)).to_series()
    for row in range(8, 80):
        window = slice(row - 8, row + 1)
        fit = linregress(x[window] - x[row], y[window])
        assert rows["value"][row] == pytest.approx(fit.slope, rel=1e-9)
        assert rows["stderr"][row] == pytest.approx(fit.stderr, rel=1e-6)
        assert line["value"][row - 4] == pytest.approx(fit.slope, rel=1e-9)
        assert line["stderr"][row - 4] == pytest.approx(fit.stderr, rel=1e-6)
        near = (x > x[row] - 20) & (x <= x[row])
        if near.sum() > 1:
            assert length[row] == pytest.approx(linregress(x[near] - x[row], y[near]).slope, rel=1e-9)
