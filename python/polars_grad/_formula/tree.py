"""
The tree of a formula: nodes, of which equal ones are one object, and the arithmetic on them.

Arithmetic drops structural zeros and ones, and folds constants where the result is exact.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable


class Node:
    """
    A step of a formula: its kind, its inputs, and what else the kind needs.

    Made by `node` only, which returns the same object for equal arguments: nodes are equal if they are identical.
    """

    __slots__ = ("__weakref__", "branches", "detail", "index", "inputs", "kind", "variables")

    def __init__(self, kind: str, inputs: tuple[Node, ...], detail: Any) -> None:
        self.kind = kind
        self.inputs = inputs
        self.detail = detail
        # Larger than that of any input.
        self.index = next(_INDICES)
        # Whether it may be zero in a whole range.
        self.branches: bool = kind in _VANISHING or any(each.branches for each in inputs)
        own = {detail} if kind == "variable" else frozenset()
        self.variables: frozenset[Any] = frozenset(own).union(*(each.variables for each in inputs))

    def __add__(self, other: Node) -> Node:
        if is_zero(self) or is_zero(other):
            return other if is_zero(self) else self
        if self is other:
            return TWO * self
        if other.kind == "neg":
            return self - other.inputs[0]
        if self.kind == "neg":
            return other - self.inputs[0]
        return _folded(lambda a, b: a + b, self, other) or node("add", self, other)

    def __sub__(self, other: Node) -> Node:
        if is_zero(other):
            return self
        if is_zero(self):
            return -other
        if other.kind == "neg":
            return self + other.inputs[0]
        return _folded(lambda a, b: a - b, self, other) or node("sub", self, other)

    def __mul__(self, other: Node) -> Node:
        if is_zero(self) or is_zero(other):
            return ZERO
        if self is ONE or other is ONE:
            return other if self is ONE else self
        if self.kind == "neg":
            return -(self.inputs[0] * other)
        if other.kind == "neg":
            return -(self * other.inputs[0])
        return _folded(lambda a, b: a * b, self, other) or _product(self, other)

    def __truediv__(self, other: Node) -> Node:
        if is_zero(self):
            return ZERO
        if other is ONE:
            return self
        if self.kind == "neg":
            return -(self.inputs[0] / other)
        if other.kind == "neg":
            return -(self / other.inputs[0])
        if self.kind == "constant" and self.detail < 0:
            return -(constant(-self.detail) / other)
        return _folded(lambda a, b: a / b, self, other) or node("div", self, other)

    def __neg__(self) -> Node:
        if self.kind == "neg":
            return self.inputs[0]
        if self.kind == "constant":
            return constant(-self.detail) if self.detail else ZERO
        return node("neg", self)


# Kinds that may be zero in a whole range where their inputs are not.
_VANISHING = {
    *("when", "floor", "ceil", "round", "floordiv", "and", "or", "xor", "not", "is_between", "is_null", "is_not_null"),
    *("eq", "ne", "lt", "le", "gt", "ge", "eq_missing", "ne_missing"),
}
_INDICES = count()
_NODES: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
# Kinds whose inputs may change places without another result, to the bit.
_COMMUTATIVE = {"add", "mul"}


def node(kind: str, *inputs: Node, detail: Any = None) -> Node:
    """Return the node of a kind, as it is, without arithmetic on it."""
    if kind in _COMMUTATIVE:
        inputs = tuple(sorted(inputs, key=lambda each: (each.kind != "constant", each.index)))
    # 0.0 and -0.0 are equal, but different constants.
    key = (kind, inputs, repr(detail) if kind == "constant" else detail)
    found = _NODES.get(key)
    if found is None:
        found = _NODES[key] = Node(kind, inputs, detail)
    return found


def constant(value: float) -> Node:
    """Return the node of a number."""
    return node("constant", detail=value)


ZERO, ONE, TWO = constant(0.0), constant(1.0), constant(2.0)


def is_zero(value: Node) -> bool:
    """Whether a node is zero by structure."""
    return value.kind == "constant" and value.detail == 0


def select(condition: Node, then: Node, otherwise: Node) -> Node:
    """Return `then` where a condition holds, and `otherwise` where it does not or is null."""
    return then if then is otherwise else node("when", then, otherwise, condition)


def mean(first: Node, second: Node) -> Node:
    """Return the mean of two nodes."""
    return first if first is second else constant(0.5) * (first + second)


def ordered(root: Node) -> list[Node]:
    """Return all nodes of a tree, each once and after its inputs."""
    seen = {root}
    waiting = [root]
    while waiting:
        fresh = {*waiting.pop().inputs} - seen
        seen |= fresh
        waiting.extend(fresh)
    return sorted(seen, key=lambda each: each.index)


def _product(first: Node, second: Node) -> Node:
    """Multiply with the constants of both in front, as one: 2 * u times 3 * v is 6 * (u * v)."""
    scale, rest = _scaled(first)
    other_scale, other_rest = _scaled(second)
    factor = _folded(lambda a, b: a * b, scale, other_scale)
    if factor is None or (scale is ONE and other_scale is ONE):
        return node("mul", first, second)
    product = other_rest if rest is ONE else rest if other_rest is ONE else rest * other_rest
    if factor.detail < 0:
        return -(constant(-factor.detail) * product)
    return product if factor is ONE else node("mul", factor, product)


def _scaled(value: Node) -> tuple[Node, Node]:
    """Split a node into a constant and what it multiplies."""
    if value.kind == "constant":
        return value, ONE
    if value.kind == "mul" and value.inputs[0].kind == "constant":
        return value.inputs[0], value.inputs[1]
    return ONE, value


def _folded(function: Callable[[Any, Any], Any], first: Node, second: Node) -> Node | None:
    """Return the constant that two constants give, if a float holds it exactly."""
    if first.kind != "constant" or second.kind != "constant":
        return None
    try:
        exact = function(Fraction(first.detail), Fraction(second.detail))
        value = float(exact)
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
    return constant(value) if math.isfinite(value) and Fraction(value) == exact else None
