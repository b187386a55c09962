"""
What findiff, numdifftools and MetPy test of the stencils that `derivative` and the functions of grids have too.

The cases are theirs, asked in the words of this package: findiff's `acc` is `accuracy`, its `Diff(axis, h)` a constant
step and its `Diff(axis, x)` a coordinate. On even spacing the stencils are the same. On any other they differ for even
orders: findiff takes three points for the second derivative, whose error is of order 1 there. Here it is the mean of
two stencils of four points, whose error is of order 2. MetPy's three points are `accuracy=1`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_almost_equal

import polars_grad as pg


def of_array(y: Any, x: Any = None, **options: Any) -> np.ndarray:
    """The derivative of an array, with NaN for null."""
    x = None if x is None else pl.Series(x, dtype=pl.Float64)
    result: pl.Series = pl.Series(y, dtype=pl.Float64).grad.derivative(x, **options)
    return result.to_numpy()


def weights(offsets: list[int], row: int, **options: Any) -> np.ndarray:
    """The weights of rows at these offsets from a row of a long column: the derivatives of columns that are 1 there."""
    rows = 2 * abs(row) + 30
    place = row if row >= 0 else rows + row
    columns = [np.arange(rows) == place + offset for offset in offsets]
    return np.array([of_array(column.astype(float), **options)[place] for column in columns])


def mesh(*axes: np.ndarray) -> tuple[pl.DataFrame, list[str], list[np.ndarray]]:
    """The points of a grid, the names of the coordinates, and their values in the order of rows."""
    values = [each.ravel() for each in np.meshgrid(*axes, indexing="ij")]
    names = ["x", "y", "z"][: len(axes)]
    return pl.DataFrame(dict(zip(names, values, strict=True))), names, values


def on_grid(frame: pl.DataFrame, expr: pl.Expr) -> dict[str, np.ndarray]:
    """The result by field; one without fields is called by the name of its column."""
    result = frame.select(expr).to_series()
    columns = result.struct.unnest().get_columns() if isinstance(result.dtype, pl.Struct) else [result]
    return {column.name: column.to_numpy() for column in columns}


# findiff: tests of coefficients

COEFFICIENTS: dict[tuple[int, int], tuple[list[float], list[float]]] = {
    # Centred, and forward; backward is the mirror image, with the other sign for odd orders.
    (1, 2): ([-1 / 2, 0, 1 / 2], [-3 / 2, 2, -1 / 2]),
    (2, 2): ([1, -2, 1], [2, -5, 4, -1]),
    (1, 4): ([1 / 12, -2 / 3, 0, 2 / 3, -1 / 12], [-25 / 12, 4, -3, 4 / 3, -1 / 4]),
    (2, 4): ([-1 / 12, 4 / 3, -5 / 2, 4 / 3, -1 / 12], [15 / 4, -77 / 6, 107 / 6, -13, 61 / 12, -5 / 6]),
}


@pytest.mark.parametrize(("order", "accuracy"), COEFFICIENTS)
def test_findiff_coefficients(order: int, accuracy: int) -> None:
    options = {"order": order, "accuracy": accuracy}
    centred, forward = COEFFICIENTS[order, accuracy]
    half = len(centred) // 2
    assert_allclose(weights([*range(-half, half + 1)], 15, **options), centred, atol=1e-14)
    offsets = [*range(len(forward))]
    sign = (-1) ** order
    for row, side in ((15, "forward"), (0, "center")):
        assert_allclose(weights(offsets, row, side=side, **options), forward, rtol=1e-13)
    for row, side in ((15, "backward"), (-1, "center")):
        mirrored = weights([-offset for offset in offsets], row, side=side, **options)
        assert_allclose(mirrored, sign * np.array(forward), rtol=1e-13)


@pytest.mark.parametrize(("order", "accuracy"), [(1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (4, 4)])
def test_findiff_accuracy_is_the_power_of_the_step(order: int, accuracy: int) -> None:
    """Also where the step is halved on an uneven grid, and at the ends."""

    def error(size: float) -> np.ndarray:
        x = size * np.array([0, 1, 1.5, 3, 4.5, 5, 7, 8, 8.5, 10, 11, 12.5, 13])
        return np.abs(of_array(np.exp(x), x, order=order, accuracy=accuracy) - np.exp(x))

    powers = np.log2(error(0.08) / error(0.04))
    assert np.median(powers) > accuracy - 0.2


def test_findiff_non_uniform_on_an_even_grid() -> None:
    """Equal coefficients by either way."""
    x = np.linspace(0, 10, 100)
    y = np.sin(3 * x)
    for order in (1, 2, 3):
        even = of_array(y, spacing=float(x[1] - x[0]), order=order)
        assert_allclose(of_array(y, x, order=order), even, atol=1e-9)


# findiff: operators on arrays


def test_findiff_first_derivative_of_a_cubic_needs_accuracy() -> None:
    x = np.linspace(0, 1, 11)
    assert np.abs(of_array(x**3, spacing=0.1) - 3 * x**2).max() > 1e-3
    assert_array_almost_equal(of_array(x**3, spacing=0.1, accuracy=4), 3 * x**2)


def test_findiff_second_derivative_of_a_parabola() -> None:
    x = np.linspace(0, 1, 101)
    assert_array_almost_equal(of_array(x**2, spacing=0.01, order=2), np.full(101, 2.0))


def test_findiff_sine() -> None:
    x = np.linspace(0, np.pi, 100)
    assert_array_almost_equal(of_array(np.sin(x), spacing=float(x[1]), accuracy=4), np.cos(x), decimal=5)


@pytest.mark.parametrize("accuracy", [4, 6])
def test_findiff_different_accuracies_on_a_grid_of_two_steps(accuracy: int) -> None:
    x = np.r_[np.arange(0, 4, 0.05), np.arange(4, 10, 1)]
    y = np.exp(-(x**2))
    assert_array_almost_equal(of_array(y, x, accuracy=accuracy), -2 * x * y, decimal=4)


def test_findiff_gradient() -> None:
    axes = [np.linspace(-1, 1, 50)] * 3
    frame, names, (x, y, z) = mesh(*axes)
    frame = frame.with_columns(f=np.sin(x) * np.sin(y) * np.sin(z))
    got = on_grid(frame, pg.partials("f", wrt=names, accuracy=4, edge_accuracy=4))
    assert_array_almost_equal(got["x"], np.cos(x) * np.sin(y) * np.sin(z))
    assert_array_almost_equal(got["y"], np.sin(x) * np.cos(y) * np.sin(z))
    assert_array_almost_equal(got["z"], np.sin(x) * np.sin(y) * np.cos(z))


def test_findiff_divergence() -> None:
    frame, names, (x, y, z) = mesh(*[np.linspace(-1, 1, 50)] * 3)
    f = np.sin(x) * np.sin(y) * np.sin(z)
    v = pl.struct(u=pl.lit(pl.Series(f)), v=pl.lit(pl.Series(f)), w=pl.lit(pl.Series(f))).alias("v")
    got = on_grid(frame, pg.divergence(v, wrt=names, accuracy=4, edge_accuracy=4))["v"]
    expected = np.cos(x) * np.sin(y) * np.sin(z) + np.sin(x) * np.cos(y) * np.sin(z) + np.sin(x) * np.sin(y) * np.cos(z)
    assert_array_almost_equal(got, expected)


def test_findiff_curl_in_space() -> None:
    frame, names, (x, y, z) = mesh(*[np.linspace(-1, 1, 50)] * 3)
    frame = frame.with_columns(f=np.sin(x) * np.sin(y) * np.sin(z))
    v = pl.struct(u="f", v="f", w="f")
    got = on_grid(frame, pg.curl(v, wrt=names, accuracy=4, edge_accuracy=4))
    f_x, f_y, f_z = (
        np.cos(x) * np.sin(y) * np.sin(z),
        np.sin(x) * np.cos(y) * np.sin(z),
        np.sin(x) * np.sin(y) * np.cos(z),
    )
    for name, expected in (("x", f_y - f_z), ("y", f_z - f_x), ("z", f_x - f_y)):
        assert_array_almost_equal(got[name], expected)


@pytest.mark.parametrize("is_even", [True, False])
def test_findiff_curl_in_the_plane(is_even: bool) -> None:
    axis = np.linspace(-1, 1, 50)
    frame, names, (x, y) = mesh(*[axis if is_even else np.sin(axis * np.pi / 2)] * 2)
    turning = frame.with_columns(u=-np.sin(y) * np.cos(x), v=np.sin(x) * np.cos(y))
    got = on_grid(turning, pg.curl(pl.struct("u", "v"), wrt=names, accuracy=4, edge_accuracy=4))["u"]
    assert_array_almost_equal(got, 2 * np.cos(x) * np.cos(y), decimal=4)
    # The gradient of x² + y² does not turn.
    still = frame.with_columns(u=2 * x, v=2 * y)
    assert_array_almost_equal(on_grid(still, pg.curl(pl.struct("u", "v"), wrt=names))["u"], np.zeros(len(x)))


def test_findiff_curl_of_one_or_four_dimensions_is_an_error() -> None:
    for names in (["x"], ["x", "y", "z", "t"]):
        with pytest.raises(ValueError, match="2 or 3"):
            pg.curl("v", wrt=names)


def test_findiff_laplacian() -> None:
    frame, names, (x, y, z) = mesh(*[np.linspace(0, 1, 50)] * 3)
    got = on_grid(frame.with_columns(f=x**3 + y**3 + z**3), pg.laplacian("f", wrt=names))["f"]
    assert_array_almost_equal(got, 6 * x + 6 * y + 6 * z)


def test_findiff_error_estimate() -> None:
    """The difference of two accuracies."""
    x = np.linspace(0, 2 * np.pi, 200)
    frame = pl.DataFrame({"x": x, "y": np.sin(x)})
    for order, exact in ((1, np.cos(x)), (2, -np.sin(x))):
        got = on_grid(frame, pg.derivative("y", "x", order=order, with_error=True))
        error = np.abs(got["value"] - exact)[10:-10]
        assert_allclose(got["truncation"][10:-10], error, atol=1e-2 * error.max())


# numdifftools: tests of Fornberg's weights

CENTRAL_WEIGHTS = {
    (1, 2): np.array([-1, 0, 1]) / 2,
    (1, 4): np.array([1, -8, 0, 8, -1]) / 12,
    (1, 6): np.array([-1, 9, -45, 0, 45, -9, 1]) / 60,
    (1, 8): np.array([3, -32, 168, -672, 0, 672, -168, 32, -3]) / 840,
    (2, 1): np.array([1, -2, 1]),
    (2, 3): np.array([-1, 16, -30, 16, -1]) / 12,
    (2, 5): np.array([2, -27, 270, -490, 270, -27, 2]) / 180,
    (2, 7): np.array([-9, 128, -1008, 8064, -14350, 8064, -1008, 128, -9]) / 5040,
    (3, 2): np.array([-1, 2, 0, -2, 1]) / 2,
    (4, 1): np.array([1, -4, 6, -4, 1]),
}


@pytest.mark.parametrize(("order", "accuracy"), CENTRAL_WEIGHTS)
def test_numdifftools_central_weights(order: int, accuracy: int) -> None:
    expected = CENTRAL_WEIGHTS[order, accuracy]
    half = len(expected) // 2
    got = weights([*range(-half, half + 1)], 15, order=order, accuracy=accuracy)
    assert_allclose(got, expected, atol=1e-14)


@pytest.mark.parametrize("order", range(1, 7))
def test_numdifftools_derivative_of_an_exponential(order: int) -> None:
    """Two points more on each side than the derivative needs, and one more than that at the ends."""
    x = np.linspace(-1, 1, 25)
    inside = order // 2 + 2
    accuracy = 2 * inside + 1 - order
    got = of_array(np.exp(x), x, order=order, accuracy=accuracy, edge_accuracy=accuracy + 1)
    assert_allclose(got[inside:-inside], np.exp(x)[inside:-inside], atol=1e-5)
    assert_allclose(got, np.exp(x), atol=1e-4)


# MetPy: tests of derivatives; the second one from three points

CELSIUS = ([0, 1.25, 3.75], [13.5, 12, 10])
X, Y = np.array([0.0, 2.0, 7.0]), np.array([1.0, 5.0, 11.0, 13.0])


def paraboloid() -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    frame, _, (y, x) = mesh(Y, X)
    frame = frame.rename({"x": "y", "y": "x"})
    return frame.with_columns(f=0.5 * (x - 3) ** 2 + 0.25 * (y - 1.5) ** 2), x, y


def test_metpy_first_derivative() -> None:
    x, y = CELSIUS
    assert_array_almost_equal(of_array(y, x), [-1.333333, -1.06666667, -0.5333333], 5)
    assert_array_almost_equal(of_array([0, 1, 2]), [1, 1, 1])


def test_metpy_second_derivative() -> None:
    x, y = CELSIUS
    assert_array_almost_equal(of_array(y, x, order=2, accuracy=1), [0.2133333] * 3, 5)
    assert_array_almost_equal(of_array([0, 1, 2], order=2, accuracy=1), [0, 0, 0])


def test_metpy_first_derivative_masked() -> None:
    y = pl.Series([0.0, 1.0, 2.0, None, 4.0, 5.0, 6.0])
    expected = [1.0, 1.0, None, None, None, 1.0, 1.0]
    assert y.grad.derivative().to_list() == expected
    assert y.grad.derivative(range(7)).to_list() == expected


def test_metpy_derivatives_in_the_plane() -> None:
    frame, x, y = paraboloid()
    first = on_grid(frame, pg.partials("f", wrt=["y", "x"], edge_accuracy=2))
    assert_array_almost_equal(first["x"], x - 3)
    assert_array_almost_equal(first["y"], 0.5 * (y - 1.5))
    second = on_grid(frame, pg.partials("f", wrt=["y", "x"], order=2, accuracy=1))
    assert_array_almost_equal(second["x"], np.full(12, 1.0))
    assert_array_almost_equal(second["y"], np.full(12, 0.5))


def test_metpy_laplacian() -> None:
    """From three points: the sum of second derivatives of accuracy 1."""
    frame, *_ = paraboloid()
    second = pg.partials("f", wrt=["y", "x"], order=2, accuracy=1)
    got = frame.select(second.struct.unnest()).sum_horizontal().to_numpy()
    assert_array_almost_equal(got, np.full(12, 1.5))


def test_metpy_too_few_points_are_null() -> None:
    """An error there, and null here, where a column has many lines and groups."""
    x, y = CELSIUS
    for column in (pl.Series(y[:2]), pl.Series(y[:1])):
        near = pl.Series(x[: len(column)], dtype=pl.Float64)
        assert column.grad.derivative(near, order=2, accuracy=1).null_count() == len(column)
