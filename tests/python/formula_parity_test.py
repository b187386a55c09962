"""The cases of numdifftools' own tests, with its points and known derivatives.

`test_numdifftools.py` of numdifftools 0.11 has 35 tests, of which 33 run without `-m slow`. These cases ask of
`derivative_of`, `gradient_of` and `hessian_of` what the tests ask of `Derivative`, `Gradient`, `Jacobian`, `Hessdiag`
and `Hessian`: one row for each point. A Jacobian is the gradient of each component, `Hessdiag` the diagonal of a
Hessian, a directional derivative the gradient along a direction. Methods, orders of accuracy and steps of differences
have no counterpart in an exact derivative; where one test runs through them the case is run once, and once with
`method="numeric"` for first derivatives of one variable.

29 of the 33 are here. These do not apply, since they ask for the inside of an algorithm or for complex numbers:

- `TestRichardson.test_central_forward_backward`, `TestRichardson.test_complex`: weights of extrapolations;
- `TestDerivative.test_default_scale`: the scale of steps;
- `TestHessian.test_complex_hessian_issue_35`: a function with imaginary values.

Of two tests of `full_output` the estimate is checked, but not its error estimate and step. The two slow ones,
`test_issue_27a` and `test_issue_27b`, guard against memory of size n²; they run here with 100 variables.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Points = Sequence[float] | Sequence[Sequence[float]]

TOLERANCE = {"rtol": 1e-7, "atol": 1e-13}


def frame(points: Any) -> pl.DataFrame:
    """One row for each point, one column `x0`, `x1`, … for each coordinate."""
    rows = np.atleast_2d(np.asarray(points, dtype=float))
    return pl.DataFrame({f"x{at}": rows[:, at] for at in range(rows.shape[1])})


def derivative(f: Callable[[pl.Expr], Any], points: Any, order: int = 1, **options: Any) -> Any:
    data = pl.DataFrame({"x": np.atleast_1d(np.asarray(points, dtype=float))})
    return data.select(pg.derivative_of(f, "x", order=order, **options)).to_series().to_numpy()


def gradient(f: Callable[..., Any], points: Any) -> Any:
    data = frame(points)
    fields = data.select(pg.gradient_of(f, data.columns)).to_series()
    return fields.struct.unnest().to_numpy()


def hessian(f: Callable[..., Any], points: Any) -> Any:
    data = frame(points)
    rows = data.select(pg.hessian_of(f, data.columns)).to_series()
    return np.array([[[*line.values()] for line in matrix.values()] for matrix in rows])


def hessdiag(f: Callable[..., Any], points: Any) -> Any:
    return np.array([np.diag(matrix) for matrix in hessian(f, points)])


def rosen(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """The function of Rosenbrock, as in numdifftools: with the factor 105."""
    return (1 - x) ** 2 + 105 * (y - x**2) ** 2


class TestDerivative:
    def test_directional_diff(self) -> None:
        direction = np.array([1, -1]) / math.sqrt(2)
        np.testing.assert_allclose(gradient(rosen, [2, 3]) @ direction, 743.87633380824832)

    def test_infinite_functions(self) -> None:
        # Differences of infinities are NaN. An infinite constant is a constant.
        assert np.isnan(derivative(lambda x: x * 0 + math.inf, 0.0, method="numeric")).all()
        assert derivative(lambda x: x * 0 + math.inf, 0.0) == 0

    @pytest.mark.parametrize("order", range(1, 7))
    def test_high_order_derivative_cos(self, order: int) -> None:
        expected = (0.0, -1.0, 0.0, 1.0, 0.0, -1.0, 0.0)[order]
        np.testing.assert_allclose(derivative(pl.Expr.cos, math.pi / 2, order), expected, atol=1e-15)
        if order <= 4:
            got = derivative(pl.Expr.cos, math.pi / 2, order, method="numeric")
            np.testing.assert_allclose(got, expected, atol=1e-4)

    @settings(max_examples=15)
    @given(st.floats(0, 10))
    @example(7.6564547238847105)
    @example(8.9428143931508)
    @example(2.2204460492503134e-14)
    def test_derivative_of_cos_x(self, x: float) -> None:
        expected = (-np.sin(x), -np.cos(x), np.sin(x), np.cos(x)) * 2
        for order in range(1, 8):
            got = derivative(pl.Expr.cos, x, order)
            np.testing.assert_allclose(got, expected[order - 1], rtol=1e-12, atol=1e-14)
        for order in range(1, 5):
            got = derivative(pl.Expr.cos, x, order, method="numeric")
            np.testing.assert_allclose(got, expected[order - 1], rtol=1e-6, atol=1e-6)

    def test_fun_with_additional_parameters(self) -> None:
        def func(x: pl.Expr, a: float, b: float = 1) -> pl.Expr:
            return b * a * x * x * x

        for f in (lambda x: func(x, 1.0, b=2), lambda x: func(x, pl.lit(1.0), b=2)):
            for method in ("exact", "numeric"):
                np.testing.assert_allclose(derivative(f, [0.0, 1.0], method=method), [0, 6], **TOLERANCE)
            np.testing.assert_allclose(gradient(f, [[0.0], [1.0]]), [[0], [6]], **TOLERANCE)
            np.testing.assert_allclose(hessian(f, [[0.0], [1.0]]), [[[0]], [[12]]], **TOLERANCE)
            np.testing.assert_allclose(hessdiag(f, [[0.0], [1.0]]), [[0], [12]], **TOLERANCE)

    def test_derivative_with_step_options(self) -> None:
        def func(x: pl.Expr, a: float, b: float = 1) -> pl.Expr:
            return b * a * x * x * x

        for result in (derivative, gradient, hessian, hessdiag):
            np.testing.assert_allclose(result(lambda x: func(x, 1.0, b=2), 0.0), 0, atol=1e-13)

    def test_derivative_cube(self) -> None:
        for method in ("exact", "numeric"):
            got = derivative(lambda x: x * x * x, np.full(6, 2.0), method=method)
            assert got.shape == (6,)
            np.testing.assert_allclose(got, 12, rtol=1e-8)

    def test_derivative_exp(self) -> None:
        for method in ("exact", "numeric"):
            np.testing.assert_allclose(derivative(pl.Expr.exp, 0.0, method=method), 1, rtol=1e-8)

    def test_derivative_sin(self) -> None:
        x = np.linspace(0, 2 * np.pi, 13)
        for method in ("exact", "numeric"):
            np.testing.assert_allclose(derivative(pl.Expr.sin, x, method=method), np.cos(x), atol=1e-8)

    def test_backward_derivative_on_sinh(self) -> None:
        for method in ("exact", "numeric"):
            np.testing.assert_allclose(derivative(pl.Expr.sinh, 0.0, method=method), 1)

    def test_central_and_forward_derivative_on_log(self) -> None:
        np.testing.assert_allclose(derivative(pl.Expr.log, 0.001), 1000)
        # The long steps of the differences leave the domain of the logarithm; nearer to its end all do.
        np.testing.assert_allclose(derivative(pl.Expr.log, 0.01, method="numeric"), 100, rtol=1e-4)
        assert np.isnan(derivative(pl.Expr.log, 0.001, method="numeric"))


class TestJacobian:
    @settings(max_examples=15)
    @given(st.floats(-1000, 1000))
    def test_scalar_to_vector(self, x: float) -> None:
        components = [lambda x: x, lambda x: x**2, lambda x: x**3]
        for f, expected in zip(components, [1, 2 * x, 3 * x**2], strict=True):
            np.testing.assert_allclose(derivative(f, x), expected, rtol=1e-14)
            np.testing.assert_allclose(derivative(f, x, method="numeric"), expected, rtol=1e-3, atol=1e-6)

    def test_on_scalar_function(self) -> None:
        got = gradient(lambda x, y, z: x * y * z + x.exp() * y, [3.0, 5.0, 7.0])
        np.testing.assert_allclose(got, [[135.42768462, 41.08553692, 15.0]])

    def test_on_vector_valued_function(self) -> None:
        for t in np.arange(0, 1, 0.1):
            y = 1 + 2 * math.exp(0.75 * t)
            got = gradient(lambda a, b, c, t=t, y=y: (a + b * (c * t).exp() - y) ** 2, [1, 2, 0.75])
            np.testing.assert_allclose(got, np.zeros((1, 3)), atol=1e-12)

    def test_on_matrix_valued_function(self) -> None:
        points = np.array([(1, 2, 3, 4), (5, 6, 7, 8)], dtype=float).T
        squares, cubes = (lambda x, y: x**2 + y**2), (lambda x, y: x**3 + y**3)
        np.testing.assert_allclose(gradient(squares, points).T, [[2, 4, 6, 8], [10, 12, 14, 16]])
        np.testing.assert_allclose(gradient(cubes, points).T, [[3, 12, 27, 48], [75, 108, 147, 192]])

    def test_issue_68(self) -> None:
        np.testing.assert_allclose(gradient(lambda x, y: x**2 + y**2 - 1, [1.0, 2.0]), [[2.0, 4.0]])

    def test_issue_25(self) -> None:
        points = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
        np.testing.assert_allclose(gradient(lambda *x: x[0], [1.0, 2.0]), [[1.0, 0.0]])
        np.testing.assert_allclose(gradient(lambda *x: x[1], [1.0, 2.0]), [[0.0, 1.0]])
        got = gradient(lambda x, y, z: x * y * z**2, points)
        np.testing.assert_allclose(got, [[18.0, 9.0, 12.0], [180.0, 144.0, 240.0]])
        got = gradient(lambda x, y, z: x * y * z, points)
        np.testing.assert_allclose(got, [[6.0, 3.0, 2.0], [30.0, 24.0, 20.0]])

    def test_issue_27(self) -> None:
        count = 100
        got = [gradient(lambda *x, at=at: x[at] ** 2, np.ones(count))[0] for at in (0, 50, 99)]
        np.testing.assert_allclose(got, 2 * np.eye(count)[[0, 50, 99]])

    def test_jacobian_fulloutput(self) -> None:
        np.testing.assert_allclose(gradient(lambda x, y: x + y, [1, 3]), [[1, 1]])


class TestGradient:
    def test_issue_39(self) -> None:
        got = gradient(lambda x, y: 1.0 / (x.exp() + y.cos() + 10), [1.0, 2.0])
        np.testing.assert_allclose(got, [[-0.017961123762187736, 0.0060082083648822]])

    def test_directional_diff(self) -> None:
        # Along a line: one variable, the distance from the point.
        side = 1 / math.sqrt(2)
        got = derivative(lambda t: rosen(2 + t * side, 3 - t * side), 0.0)
        np.testing.assert_allclose(got, 743.87633380824832)

    def test_gradient_fulloutput(self) -> None:
        np.testing.assert_allclose(gradient(lambda x, y: x + y, [1, 3]), [[1, 1]])

    def test_gradient(self) -> None:
        got = gradient(lambda *x: pl.sum_horizontal(each**2 for each in x), [1, 2, 3])
        np.testing.assert_allclose(got, [[2.0, 4.0, 6.0]])


class TestHessdiag:
    @staticmethod
    def of(x: pl.Expr, y: pl.Expr, z: pl.Expr) -> pl.Expr:
        return x + y**2 + z**3

    def test_complex(self) -> None:
        np.testing.assert_allclose(hessdiag(self.of, [1, 2, 3]), [[0.0, 2.0, 18.0]])

    @given(st.tuples(*[st.floats(-100, 100)] * 3))
    @example((0.0, 16.003907623933742, 68.02057249966789))
    @example((1.2009289063e-314, 1.2009289063e-314, 1.2009289063e-314))
    @example((88.01663712016305, 88.01663712016305, 88.01663712016305))
    @example((0.0, 19.945812226807096, 54.11322414875562))
    def test_fixed_step(self, point: tuple[float, float, float]) -> None:
        np.testing.assert_allclose(hessdiag(self.of, point), [[0, 2, 6 * point[2]]], rtol=1e-15)

    def test_default_step(self) -> None:
        np.testing.assert_allclose(hessdiag(self.of, [[1, 2, 3], [1, 2, 3]]), [[0.0, 2.0, 18.0]] * 2)


class TestHessian:
    def test_run_hamiltonian(self) -> None:
        # Two ions in a harmonic trap, at rest; SI units.
        mass, frequency = 39.96 * 1.66e-27, 2e6 * math.pi
        coulomb = 1.602176634e-19**2 / (4 * math.pi * 8.8541878128e-12)
        apart = (coulomb / (4 * mass * frequency**2)) ** (1 / 3)
        got = hessian(lambda x, y: 0.5 * mass * frequency**2 * (x**2 + y**2) + coulomb / (x - y).abs(), [-apart, apart])
        np.testing.assert_allclose(got, [[[5.23748385e-12, -2.61873829e-12], [-2.61873829e-12, 5.23748385e-12]]], 1e-4)

    def test_hessian_cos_x_y_at_0_0(self) -> None:
        got = hessian(lambda x, y: (x - y).cos(), [0, 0])
        np.testing.assert_allclose(got, [[[-1.0, 1.0], [1.0, -1.0]]])

    def test_on_scalar_function(self) -> None:
        x, y, z = 3.0, 5.0, 7.0
        expected = [[math.exp(x) * y, math.exp(x) + z, y], [math.exp(x) + z, 0, x], [y, x, 0]]
        got = hessian(lambda x, y, z: x * y * z + x.exp() * y, [x, y, z])
        np.testing.assert_allclose(got, [expected])

    def test_on_vector_valued_function(self) -> None:
        x, y = 3.0, 5.0
        sin, cos = math.sin(x * y), math.cos(x * y)
        of_cos = [[-y * y * cos, -x * y * cos - sin], [-x * y * cos - sin, -x * x * cos]]
        of_sin = [[-y * y * sin, cos - x * y * sin], [cos - x * y * sin, -x * x * sin]]
        np.testing.assert_allclose(hessian(lambda x, y: (x * y).cos(), [x, y]), [of_cos])
        np.testing.assert_allclose(hessian(lambda x, y: (x * y).sin(), [x, y]), [of_sin])
