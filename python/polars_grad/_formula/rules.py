"""
The rules of calculus: the derivative of a tree.

The rule of a kind takes the node and the derivatives of its inputs. At a kink the derivative is the mean of both sides;
at a jump it is that of the slopes on both sides.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING

from polars_grad._formula.tree import ONE, TWO, ZERO, Node, constant, is_zero, mean, node, ordered, select

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    # Nodes are passed by position: the node itself, and the derivatives of its inputs.
    Rule = Callable[..., Node]


def derivative(root: Node, variable: Hashable) -> Node:
    """Return the derivative of a tree with respect to a variable."""
    derivatives: dict[Node, Node] = {}
    for each in ordered(root):
        if variable not in each.variables:
            derivatives[each] = ZERO
        elif each.kind == "variable":
            derivatives[each] = ONE
        elif each.kind in _PIECEWISE_CONSTANT:
            derivatives[each] = ZERO
        else:
            derivatives[each] = _RULES[each.kind](each, *(derivatives[input_] for input_ in each.inputs))
    return derivatives[root]


def _of(kind: str, value: Node) -> Node:
    return node(kind, value)


def _product(product: Node, du: Node, dv: Node) -> Node:
    u, v = product.inputs
    return du * v + u * dv


def _quotient(quotient: Node, du: Node, dv: Node) -> Node:
    # The quotient itself is at hand: (u' - q v') / v instead of (u' v - u v') / v².
    return (du - quotient * dv) / quotient.inputs[1]


def _modulus(modulus: Node, du: Node, dv: Node) -> Node:
    # u mod v = u - v * floor(u / v). Where it jumps, the mean of both sides has the mean of both floors.
    u, v = modulus.inputs
    if is_zero(dv):
        return du
    floor, ceil = node("floordiv", u, v), -node("floordiv", -u, v)
    return du - dv * (constant(0.5) * (floor + ceil - ONE))


def _over(du: Node, divisor: Node) -> Node:
    """Divide a derivative; 0 / 0 is 0 where a branch is constant, as in `u.clip(0).sqrt()`."""
    return _unless_constant(du, node("eq", divisor, ZERO), du / divisor)


def _unless_constant(du: Node, where: Node, product: Node) -> Node:
    """Return the product of a derivative with something infinite or NaN; 0 where the derivative is 0 on a branch."""
    return select(node("and", where, node("eq", du, ZERO)), ZERO, product) if du.branches else product


def _square_root(root: Node, du: Node) -> Node:
    if du.branches or du.kind == "constant":
        return _over(du, TWO * root)
    # Where u and u' are 0, as in the root of x², both sides have opposite slopes, and a mean of 0. What further
    # derivatives are there the rules cannot say: they are those of 0 / 0.
    return node("kink", du / (TWO * root), du, root)


def _power(power: Node, du: Node, dv: Node) -> Node:
    base, exponent = power.inputs
    of_base, of_exponent = ZERO, ZERO
    if not is_zero(du):
        of_base = du * _power_by_base(base, exponent)
        if exponent.kind != "constant" or exponent.detail < 1:
            of_base = _unless_constant(du, node("eq", base, ZERO), of_base)
    if not is_zero(dv):
        of_exponent = dv * _power_by_exponent(power)
        if base.kind != "constant" or base.detail < 0:
            of_exponent = _unless_constant(dv, node("lt", base, ZERO), of_exponent)
    return of_base + of_exponent


def _power_by_base(base: Node, exponent: Node) -> Node:
    if exponent.kind != "constant":
        # Not 0 * 0**-1, which is NaN. An exponent that varies is not 0 for long.
        vanishes = node("eq", exponent, ZERO)
        if exponent.variables:
            vanishes = node("and", vanishes, node("eq", base, ZERO))
        return select(vanishes, ZERO, exponent * node("pow", base, exponent - ONE))
    number = exponent.detail
    if number in (0.0, 1.0, 2.0):
        return (ZERO, ONE, TWO * base)[int(number)]
    if number < 0 and number.is_integer():
        # A division takes a fraction of the time of a negative power.
        return exponent / (base * base if number == -1 else node("pow", base, constant(1 - number)))
    return exponent * (base * base if number == 3.0 else node("pow", base, constant(number - 1)))  # noqa: PLR2004


def _power_by_exponent(power: Node) -> Node:
    base, exponent = power.inputs
    if base.kind == "constant" and base.detail > 0:
        return power * constant(math.log(base.detail))
    # 0**v is 0 for all positive v, and log(0) is infinite.
    vanishes = node("and", node("eq", base, ZERO), node("gt", exponent, ZERO))
    return select(vanishes, power, power * node("log", base, detail=math.e))


def _logarithm(logarithm: Node, du: Node) -> Node:
    (u,) = logarithm.inputs
    return _over(du, _where_defined(u) * constant(math.log(logarithm.detail)))


def _where_defined(value: Node) -> Node:
    """Return a node that is NaN where it is negative, as the function is whose derivative it is in."""
    return node("not_negative", value)


def _extreme(extreme: Node, *derivatives: Node) -> Node:
    """Return the derivative of the largest or the smallest input; Polars leaves out null and NaN."""
    reached = [node("eq", each, extreme) for each in extreme.inputs]
    if len(reached) == 1:
        return derivatives[0]
    if len(reached) == 2:  # noqa: PLR2004
        du, dv = derivatives
        return select(node("and", *reached), mean(du, dv), select(reached[0], du, dv))
    # Of the inputs that are equal, one has the steepest slope to the left and one to the right.
    slopes = [node("when", slope, _NULL, where) for slope, where in zip(derivatives, reached, strict=True)]
    return mean(node("max_horizontal", *slopes), node("min_horizontal", *slopes))


def _clipped(clipped: Node, du: Node, *of_bounds: Node) -> Node:
    has_low, has_high = clipped.detail
    u, *bounds = clipped.inputs
    inside = node("eq", clipped, u)
    result = du
    for bound, slope in zip(bounds, of_bounds, strict=True):
        at_bound = select(inside, mean(du, slope), slope)
        result = select(node("eq", clipped, bound), at_bound, result)
    if has_low and has_high and not _are_ordered(*bounds):
        both = node("and", *(node("eq", clipped, bound) for bound in bounds))
        result = select(both, mean(*of_bounds), result)
    return result


def _are_ordered(low: Node, high: Node) -> bool:
    return low.kind == high.kind == "constant" and low.detail < high.detail


def _sum(total: Node, *derivatives: Node) -> Node:
    (ignore_nulls,) = total.detail
    terms = [
        select(node("is_null", each), ZERO, slope) if ignore_nulls else slope
        for each, slope in zip(total.inputs, derivatives, strict=True)
        if not is_zero(slope)
    ]
    return reduce(Node.__add__, terms, ZERO)


def _first_valid(first_valid: Node, *derivatives: Node) -> Node:
    *slopes, result = derivatives
    for each, slope in zip(first_valid.inputs[-2::-1], reversed(slopes), strict=True):
        result = select(node("is_null", each), result, slope)
    return result


def _branch(branch: Node, then: Node, otherwise: Node, _condition: Node) -> Node:
    return select(branch.inputs[2], then, otherwise)


def _linear(kind: str, factor: float) -> Rule:
    def rule(_node: Node, du: Node) -> Node:
        return constant(factor * du.detail) if du.kind == "constant" else _of(kind, du)

    return rule


def _cast(cast: Node, du: Node) -> Node:
    return du if du.kind == "constant" else node("cast", du, detail=cast.detail)


def _of_sine(ratio: Node) -> Node:
    """Return sqrt(1 - u²), to the last digits near 1."""
    return _of("sqrt", (ONE - ratio) * (ONE + ratio))


def _sech_squared(u: Node) -> Node:
    """Return 1 / cosh²: to the last digits where 1 - tanh² has none, and with a derivative that does not overflow."""
    cosh = _of("cosh", u)
    return node("sech_squared", ONE / (cosh * cosh), u)


_NULL = node("null")
_PIECEWISE_CONSTANT = {
    *("eq", "ne", "lt", "le", "gt", "ge", "eq_missing", "ne_missing", "and", "or", "xor", "not", "is_between"),
    *("is_null", "is_not_null", "is_nan", "is_not_nan", "is_finite", "is_infinite"),
    *("sign", "floor", "ceil", "round", "floordiv"),
}
_RULES: dict[str, Rule] = {
    "add": lambda _, du, dv: du + dv,
    "sub": lambda _, du, dv: du - dv,
    "mul": _product,
    "div": _quotient,
    "mod": _modulus,
    "pow": _power,
    "neg": lambda _, du: -du,
    "abs": lambda f, du: du * _of("sign", f.inputs[0]),
    "not_negative": lambda _, du: du,
    "kink": lambda _kink, of_slope, _of_du, _of_root: of_slope,
    "sqrt": _square_root,
    "cbrt": lambda f, du: _over(du, constant(3.0) * (f * f)),
    "exp": lambda f, du: du * f,
    "log": _logarithm,
    "log1p": lambda f, du: _over(du, _where_defined(ONE + f.inputs[0])),
    "sin": lambda f, du: du * _of("cos", f.inputs[0]),
    "cos": lambda f, du: -(du * _of("sin", f.inputs[0])),
    "tan": lambda f, du: du * (ONE + f * f),
    "cot": lambda f, du: -(du * (ONE + f * f)),
    "sinh": lambda f, du: du * _of("cosh", f.inputs[0]),
    "cosh": lambda f, du: du * _of("sinh", f.inputs[0]),
    "tanh": lambda f, du: du * _sech_squared(f.inputs[0]),
    "sech_squared": lambda f, _of_quotient, du: -(du * (TWO * (f * _of("tanh", f.inputs[1])))),
    "arcsin": lambda f, du: _over(du, _of_sine(f.inputs[0])),
    "arccos": lambda f, du: -_over(du, _of_sine(f.inputs[0])),
    "arctan": lambda f, du: du / (ONE + f.inputs[0] * f.inputs[0]),
    "arcsinh": lambda f, du: du / _of("sqrt", ONE + f.inputs[0] * f.inputs[0]),
    "arccosh": lambda f, du: _over(du, _of("sqrt", f.inputs[0] - ONE) * _of("sqrt", f.inputs[0] + ONE)),
    "arctanh": lambda f, du: _over(du, _where_defined((ONE - f.inputs[0]) * (ONE + f.inputs[0]))),
    "arctan2": lambda f, du, dv: (du * f.inputs[1] - f.inputs[0] * dv) / _squares(*f.inputs),
    "degrees": _linear("degrees", math.degrees(1.0)),
    "radians": _linear("radians", math.radians(1.0)),
    "cast": _cast,
    "clip": _clipped,
    "min_horizontal": _extreme,
    "max_horizontal": _extreme,
    "sum_horizontal": _sum,
    "fill_null": _first_valid,
    "coalesce": _first_valid,
    "when": _branch,
}


def _squares(u: Node, v: Node) -> Node:
    return u * u + v * v
