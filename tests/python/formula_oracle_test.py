"""Derivatives of random formulas are those of mpmath with 40 digits, to 1e-12 · (1 + |value|), for orders 1 to 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

DIGITS = 40
TOLERANCE = 1e-12
# The largest value, and derivative up to the order that is tested, of any part of a formula.
LARGEST = 1e3
# The least distance from a kink or a jump, and from where a function is not differentiable: the rounding of its
# argument alone is felt there.
NEAR, NEAR_SINGULAR = 1e-3, 0.05


class Formula(NamedTuple):
    """A formula as an expression and as a function of mpmath, with all formulas that it is made of."""

    expr: pl.Expr
    function: Callable[[Any], Any]
    parts: tuple[Callable[[Any], Any], ...]


def real(value: Any) -> Any:
    """Refuse a complex number, which Polars has as NaN."""
    if mp.im(value) != 0 or not mp.isfinite(value):
        raise ValueError
    return mp.re(value)


def apart(u: Any, v: Any, *, distance: float = NEAR) -> Any:
    """Refuse a kink, where there is no derivative to compare with."""
    if abs(u - v) < distance:
        raise ValueError
    return u


def regular(u: Any, *singular: float) -> Any:
    """Refuse what is too near to where a function is not differentiable."""
    for each in singular:
        apart(u, each, distance=NEAR_SINGULAR)
    return u


def unary(name: str, method: Callable[[pl.Expr], pl.Expr], function: Callable[[Any], Any]) -> Any:
    def make(u: Formula) -> Formula:
        own = lambda x: real(function(u.function(x)))  # noqa: E731
        return Formula(method(u.expr), own, (*u.parts, own))

    make.__name__ = name
    return make


def binary(name: str, method: Callable[..., pl.Expr], function: Callable[[Any, Any], Any]) -> Any:
    def make(u: Formula, v: Formula) -> Formula:
        own = lambda x: real(function(u.function(x), v.function(x)))  # noqa: E731
        return Formula(method(u.expr, v.expr), own, (*u.parts, *v.parts, own))

    make.__name__ = name
    return make


UNARY = [
    unary("neg", lambda u: -u, lambda u: -u),
    unary("abs", pl.Expr.abs, lambda u: abs(apart(u, 0))),
    unary("sqrt", pl.Expr.sqrt, lambda u: mp.sqrt(regular(u, 0))),
    unary("cbrt", pl.Expr.cbrt, lambda u: mp.sign(u) * mp.cbrt(abs(regular(u, 0)))),
    unary("exp", pl.Expr.exp, mp.exp),
    unary("log", pl.Expr.log, lambda u: mp.log(regular(u, 0))),
    unary("log10", pl.Expr.log10, lambda u: mp.log(regular(u, 0)) / mp.log(10)),
    unary("log1p", pl.Expr.log1p, lambda u: mp.log(1 + regular(u, -1))),
    unary("sin", pl.Expr.sin, mp.sin),
    unary("cos", pl.Expr.cos, mp.cos),
    unary("tan", pl.Expr.tan, mp.tan),
    unary("cot", pl.Expr.cot, mp.cot),
    unary("sinh", pl.Expr.sinh, mp.sinh),
    unary("cosh", pl.Expr.cosh, mp.cosh),
    unary("tanh", pl.Expr.tanh, mp.tanh),
    unary("arcsin", pl.Expr.arcsin, lambda u: mp.asin(regular(u, -1, 1))),
    unary("arccos", pl.Expr.arccos, lambda u: mp.acos(regular(u, -1, 1))),
    unary("arctan", pl.Expr.arctan, mp.atan),
    unary("arcsinh", pl.Expr.arcsinh, mp.asinh),
    unary("arccosh", pl.Expr.arccosh, lambda u: mp.acosh(regular(u, 1))),
    unary("arctanh", pl.Expr.arctanh, lambda u: mp.atanh(regular(u, -1, 1))),
    unary("degrees", pl.Expr.degrees, mp.degrees),
    unary("radians", pl.Expr.radians, mp.radians),
    unary("square", lambda u: u**2, lambda u: u**2),
    unary("cube", lambda u: u**3, lambda u: u**3),
    unary("reciprocal", lambda u: u**-1, lambda u: 1 / regular(u, 0)),
    unary("power", lambda u: u**2.5, lambda u: regular(u, 0) ** mp.mpf(2.5)),
    unary("exponential", lambda u: 2**u, lambda u: mp.mpf(2) ** u),
]
BINARY = [
    binary("add", lambda u, v: u + v, lambda u, v: u + v),
    binary("sub", lambda u, v: u - v, lambda u, v: u - v),
    binary("mul", lambda u, v: u * v, lambda u, v: u * v),
    binary("div", lambda u, v: u / v, lambda u, v: u / regular(v, 0)),
    binary("pow", lambda u, v: u**v, lambda u, v: mp.exp(v * mp.log(regular(u, 0)))),
    binary("arctan2", pl.arctan2, lambda u, v: mp.atan2(u, v) + 0 * regular(abs(u) + abs(v), 0)),
    binary("max", pl.max_horizontal, lambda u, v: max(apart(u, v), v)),
    binary("when", lambda u, v: pl.when(u < v).then(u * v).otherwise(v), lambda u, v: u * v if apart(u, v) < v else v),
]
numbers = st.integers(1, 40).flatmap(lambda number: st.sampled_from([number / 8, -number / 8]))


def constant(value: float) -> Formula:
    return Formula(pl.lit(value), lambda _: mp.mpf(value), ())


formulas = st.recursive(
    st.one_of(
        st.just(Formula(pl.col("x"), lambda x: x, ())),
        st.just(Formula(pl.col("x"), lambda x: x, ())),
        numbers.map(constant),
    ),
    lambda inner: st.one_of(
        st.builds(lambda make, u: make(u), st.sampled_from(UNARY), inner),
        st.builds(lambda make, u, v: make(u, v), st.sampled_from(BINARY), inner, inner),
    ),
    max_leaves=6,
)


def taylor(function: Callable[[Any], Any], x: float, order: int) -> list[Any] | None:
    """Return the derivatives up to an order, if all are real and of moderate size."""
    try:
        found = [value * mp.factorial(at) for at, value in enumerate(mp.taylor(function, mp.mpf(x), order))]
    except (ArithmeticError, ValueError, TypeError):
        return None
    return found if all(abs(value) <= LARGEST for value in found) else None


@settings(max_examples=150)
@given(formulas, st.floats(-4, 4).map(lambda x: round(x, 3)), st.integers(1, 3))
def test_random_formulas(formula: Formula, x: float, order: int) -> None:
    assume(formula.expr.meta.root_names())
    with mp.workdps(DIGITS):
        derivatives = [taylor(part, x, order) for part in formula.parts]
        assume(None not in derivatives)
        expected = taylor(formula.function, x, order)
        assert expected is not None
        frame = pl.DataFrame({"x": [x]})
        got = frame.select(pg.derivative_of(formula.expr, "x", order=order)).item()
        assert abs(mp.mpf(got) - expected[order]) <= TOLERANCE * (1 + abs(expected[order])), (formula.expr, x, order)


FIXED: list[tuple[str, Callable[[Any, Any], Any]]] = [
    ("waves", lambda x, m: m.sin(x) * m.exp(-x * x) / (1 + x * x * x)),
    ("quotients", lambda x, m: (1 + x) / (2 + m.cos(x)) / (3 + x * x)),
    ("nested", lambda x, m: m.log(1 + m.sqrt(1 + m.tan(x / 3) * m.tan(x / 3)))),
    ("logistic", lambda x, m: 1 / (1 + m.exp(-3 * x))),
    ("gauss", lambda x, m: m.exp(-(x - 1) * (x - 1) / 2) / m.sqrt(2 + x)),
    ("chirp", lambda x, m: m.sin(40 * x * x) / 20),
    ("steep", lambda x, m: m.tanh(5 * x) * m.cosh(x)),
]


class OfExpressions:
    """The functions of mpmath, on expressions."""

    def __getattr__(self, name: str) -> Callable[[pl.Expr], pl.Expr]:
        return lambda u: getattr(u, name)()


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("formula", [formula for _, formula in FIXED], ids=[name for name, _ in FIXED])
def test_formulas_of_practice(formula: Callable[[Any, Any], Any], order: int) -> None:
    points = [-0.9, -0.31, 0.0, 0.127, 0.5, 1.3, 2.75]
    got = pl.DataFrame({"x": points}).select(pg.derivative_of(lambda x: formula(x, OfExpressions()), "x", order=order))
    with mp.workdps(DIGITS):
        for x, value in zip(points, got.to_series(), strict=True):
            expected = mp.diff(lambda at: formula(at, mp), mp.mpf(x), order)
            # The chirp has third derivatives of 1e6, made of terms as large.
            assert abs(mp.mpf(value) - expected) <= TOLERANCE * (1 + abs(expected)), x


def test_formulas_of_practice_with_jax() -> None:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    points = [-0.9, -0.31, 0.127, 0.5, 1.3, 2.75]
    for _, formula in FIXED:
        function = lambda x: formula(x, jax.numpy)  # noqa: B023, E731
        for order in (1, 2, 3):
            function = jax.grad(function)
            got = pl.DataFrame({"x": points}).select(
                pg.derivative_of(lambda x: formula(x, OfExpressions()), "x", order=order)  # noqa: B023
            )
            for x, value in zip(points, got.to_series(), strict=True):
                assert value == pytest.approx(float(function(x)), rel=1e-11, abs=1e-11)
