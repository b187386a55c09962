"""
Writes a tree as an expression of Polars in which every step is evaluated once.

Polars evaluates an expression as often as it is written, or shares it on one level only. A step that is used more than
once therefore becomes a field of a struct, which is evaluated once and read by name.
"""

from __future__ import annotations

from collections import Counter
from functools import reduce
from typing import TYPE_CHECKING

import polars as pl

from polars_grad._engine.scalar import is_scalar
from polars_grad._formula.tree import ZERO, Node, node, ordered, select

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# Until Polars 2.0 the product of a Boolean and a float has no dtype in a plan. The quotient has, but its errors do not
# name the column.
_PLANS_BOOLEAN_PRODUCTS = [*map(int, pl.__version__.split(".")[:2])] >= [2, 1]
# Kinds that cost nothing where they are written.
_FREE = {"constant", "null", "no_slope"}
# Kinds that stand in the first struct: what is inside of `with_fields` cannot be used again as it is.
_LEAVES = {"variable", "native", "float", "zero"}
# Kinds whose result Polars takes for a Float64 if their first input is a constant and the second one a Float32.
_TYPED_BY_FIRST = {"div", "pow", "arctan2"}
# Kinds that are written with an input in several places, and which one.
_REPEATED = {"not_negative": 0, "kink": 1}
# Kinds whose result has the dtype of their inputs, if all but one are constants or equal.
_TYPED_AS_INPUT = {
    *(
        "add",
        "sub",
        "mul",
        "mod",
        "pow",
        "neg",
        "abs",
        "sign",
        "floor",
        "ceil",
        "round",
        "not_negative",
        "sqrt",
        "cbrt",
    ),
    *("exp", "log", "log1p", "sin", "cos", "tan", "cot", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"),
    *("arcsinh", "arccosh", "arctanh", "degrees", "radians"),
}
# Kinds whose result is null where an input is null, and only there, and has their common dtype.
_NULL_AS_INPUTS = {
    *("div", "floordiv", "arctan2", "kink", "sech_squared"),
    *_TYPED_AS_INPUT,
}
# The zero of a branch. Of a float it is one, and with a duration, of which it is none, it has no common dtype.
_NO_SLOPE = node("no_slope")


def null_as(formula: Node, results: list[Node], variables: Iterable[Node]) -> list[Node]:
    """
    Return results that are null where the formula is null, with its dtype and its height.

    A formula without columns, or of aggregations only, has the height of the variables.
    """
    wanted = _sources(formula)
    if all(each.kind in ("float", "native") and is_scalar(each.detail.expr) for each in wanted):
        wanted |= {*variables}
    missing = [wanted - _sources(result) for result in results]
    # One mask for all results, so that it is evaluated once.
    sources = sorted(set[Node]().union(*missing), key=lambda each: each.index)
    if not sources:
        return results
    valid = reduce(lambda first, second: node("and", first, second), (node("is_not_null", each) for each in sources))
    # What is null in the other rows brings in the dtype.
    null = _with_dtype_of(formula)
    if not _sources(formula).issuperset(sources):
        null = reduce(lambda first, second: node("add", first, second), sources)
    return [select(valid, result, null) if lacks else result for result, lacks in zip(results, missing, strict=True)]


def _with_dtype_of(root: Node) -> Node:
    """Return a tree that is null where another is, with its dtype, and that costs less."""
    cheap: dict[Node, Node] = {}
    for each in ordered(root):
        inputs = [cheap[input_] for input_ in each.inputs]
        telling = [input_ for input_ in inputs if input_.kind != "constant"]
        if each.kind not in _NULL_AS_INPUTS or not telling:
            cheap[each] = each
        elif len({*telling}) == 1 and (each.kind in _TYPED_AS_INPUT or (each.kind == "div" and len(telling) == 1)):
            cheap[each] = telling[0]
        else:
            cheap[each] = node(each.kind, *inputs, detail=each.detail)
    return cheap[root]


def _sources(root: Node) -> set[Node]:
    """Return the nodes on whose nulls and dtypes those of a tree depend."""
    waiting, seen = [root], {root}
    sources = set()
    while waiting:
        each = waiting.pop()
        if each.kind in _NULL_AS_INPUTS:
            fresh = {*each.inputs} - seen
            seen |= fresh
            waiting.extend(fresh)
        elif each.kind != "constant":
            sources.add(each)
    return sources


def as_float(expr: pl.Expr) -> pl.Expr:
    """Return a column as floats: Float32 as it is, any other number as Float64."""
    return expr * 1.0 if _PLANS_BOOLEAN_PRODUCTS else expr / 1.0


def expression(root: Node) -> pl.Expr:
    """Return the expression of a tree."""
    typed = _with_typed_constants(root)
    nodes = ordered(typed)
    shared = _shared(nodes)
    return _with_fields(typed, nodes, shared) if shared else _written(nodes, {})[typed]


def _shared(nodes: list[Node]) -> set[Node]:
    """Return the nodes that are used more than once."""
    uses = Counter(each for parent in nodes for each in parent.inputs)
    uses.update(parent.inputs[_REPEATED[parent.kind]] for parent in nodes if parent.kind in _REPEATED)
    return {each for each in nodes if uses[each] > 1 and each.kind not in _FREE}


def _with_typed_constants(root: Node) -> Node:
    """Give the dtype of a variable to constants that Polars would take for a Float64 beside a Float32."""
    nodes = ordered(root)
    variables = [each for each in nodes if each.kind == "variable"]
    if not variables:
        return root
    zero = node("zero", detail=variables[0].detail)
    typed: dict[Node, Node] = {}
    for each in nodes:
        inputs = [typed[input_] for input_ in each.inputs]
        if each.kind in _TYPED_BY_FIRST or (each.kind == "when" and {inputs[0].kind, inputs[1].kind} <= _FREE):
            at = 1 if inputs[0].kind == "null" else 0
            if inputs[at].kind == "constant":
                inputs[at] = node("add", zero, inputs[at]) if inputs[at].detail else zero
        elif each.kind == "when":
            inputs = [_NO_SLOPE if input_ is ZERO else input_ for input_ in inputs]
        typed[each] = node(each.kind, *inputs, detail=each.detail)
    return typed[root]


def _with_fields(root: Node, nodes: list[Node], shared: set[Node]) -> pl.Expr:
    """
    Evaluate shared nodes as fields of structs, each on the first level that has all that it reads.

    The struct of a level is made inside of the one before, of new fields and of those that later levels read. Polars
    plans such levels in linear time, and a chain of `with_fields` in cubic time.
    """
    level: dict[Node, int] = {}
    for each in nodes:
        level[each] = max((level[input_] + _is_field(input_, shared) for input_ in each.inputs), default=0)
    last_read = dict.fromkeys(nodes, 0)
    for each in nodes:
        for input_ in each.inputs:
            last_read[input_] = max(last_read[input_], level[each])
    # A node that is read later is a field too: otherwise all that it reads would have to be kept.
    kept_nodes = [
        each for each in nodes if _is_field(each, shared) or (level[each] < last_read[each] and each.kind not in _FREE)
    ]
    fields = {each: f"f{number}" for number, each in enumerate(kept_nodes)}
    new: list[list[pl.Expr]] = [[] for _ in range(level[root])]
    kept: list[list[pl.Expr]] = [[] for _ in range(level[root])]
    written = _written(nodes, fields)
    for each, name in fields.items():
        new[level[each]].append(written[each].alias(name))
        for later in range(level[each] + 1, last_read[each]):
            kept[later].append(pl.field(name))
    result = written[root]
    for fields_kept, fields_new in zip(reversed(kept), reversed(new), strict=True):
        result = pl.struct(*fields_kept, *fields_new).struct.with_fields(result.alias("result")).struct.field("result")
    return result


def _is_field(each: Node, shared: set[Node]) -> bool:
    return each in shared or each.kind in _LEAVES


def _written(nodes: list[Node], fields: Mapping[Node, str]) -> dict[Node, pl.Expr]:
    """Write each node, with its inputs as fields where they are fields."""
    written: dict[Node, pl.Expr] = {}
    for each in nodes:
        inputs = [pl.field(fields[input_]) if input_ in fields else written[input_] for input_ in each.inputs]
        written[each] = _WRITERS[each.kind](each.detail, *inputs)
    return written


def _method(name: str) -> Callable[..., pl.Expr]:
    def write(_detail: None, *inputs: pl.Expr) -> pl.Expr:
        result: pl.Expr = getattr(pl.Expr, name)(*inputs)
        return result

    return write


def _clip(bounds: tuple[bool, bool], value: pl.Expr, *limits: pl.Expr) -> pl.Expr:
    has_low, has_high = bounds
    return value.clip(limits[0] if has_low else None, limits[-1] if has_high else None)


def _struct(names: tuple[str, ...], *inputs: pl.Expr) -> pl.Expr:
    return pl.struct(value.alias(name) for name, value in zip(names, inputs, strict=True))


_WRITERS: dict[str, Callable[..., pl.Expr]] = {
    **{
        name: _method(name)
        for name in (
            *("abs", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctanh", "cbrt", "ceil", "cos", "cosh"),
            *("cot", "degrees", "exp", "fill_null", "floor", "floordiv", "log1p", "mod", "neg", "pow", "radians"),
            *("sign", "sin", "sinh", "sqrt", "tan", "tanh", "xor", "eq", "ne", "lt", "le", "gt", "ge", "eq_missing"),
            *("ne_missing", "add", "sub", "mul", "is_null", "is_not_null", "is_nan", "is_not_nan", "is_finite"),
            *("is_infinite",),
        )
    },
    "and": lambda _, u, v: u & v,
    "arctan2": lambda _, u, v: pl.arctan2(u, v),
    "cast": lambda detail, u: u.cast(detail[0], strict=detail[1]),
    "clip": _clip,
    "coalesce": lambda _, *inputs: pl.coalesce(inputs),
    "constant": pl.lit,
    "div": lambda _, u, v: u / v,
    "float": lambda native: as_float(native.expr),
    "is_between": lambda detail, u, low, high: u.is_between(low, high, closed=detail[0]),
    "kink": lambda _, slope, du, root: pl.when((du == 0) & (root == 0)).then(du).otherwise(slope),
    "log": lambda base, u: u.log(base),
    "max_horizontal": lambda _, *inputs: pl.max_horizontal(inputs),
    "min_horizontal": lambda _, *inputs: pl.min_horizontal(inputs),
    "native": lambda native: native.expr,
    "no_slope": lambda _: pl.lit(0, dtype=pl.Int8),
    "not": lambda _, u: ~u,
    "not_negative": lambda _, u: pl.when(u < 0).then(u.sqrt()).otherwise(u),
    "null": lambda _: pl.lit(None),
    "or": lambda _, u, v: u | v,
    "round": lambda detail, u: u.round(detail[0], mode=detail[1]),
    "sech_squared": lambda _, quotient, _u: quotient,
    "struct": _struct,
    "sum_horizontal": lambda detail, *inputs: pl.sum_horizontal(inputs, ignore_nulls=detail[0]),
    "variable": lambda variable: as_float(variable.expr),
    "zero": lambda variable: pl.when(pl.lit(True)).then(0.0).otherwise(as_float(variable.expr)),  # noqa: FBT003
    "when": lambda _, then, otherwise, condition: pl.when(condition).then(then).otherwise(otherwise),
}
