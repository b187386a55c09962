"""
Whether an expression is a scalar: a literal, an aggregation, or computed from nothing else.

`Expr.meta.is_scalar` says so from Polars 2 on, for expressions that Polars can resolve without the frame. For all
others the nodes of the expression are read, from its JSON form. Only this module knows the names of these nodes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from polars.exceptions import PolarsError

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

# Functions with one value for a whole column. Other aggregations are nodes of their own, `Agg`.
_AGGREGATIONS = {
    "ApproxNUnique",
    "ArgMax",
    "ArgMin",
    "Correlation",
    "Entropy",
    "Kurtosis",
    "LowerBound",
    "MaxBy",
    "MinBy",
    "NullCount",
    "Product",
    "Quantile",
    "Skew",
    "UpperBound",
}
_NESTED_AGGREGATIONS = {
    "Bitwise": {"And", "Or", "Xor"},
    "Boolean": {"Any", "All", "HasNulls", "IsEmpty", "IsSorted"},
    "StringExpr": {"ConcatVertical"},
}
# Functions whose result has a length of its own, even if they are given a single value.
_OTHER_LENGTHS = {
    "Append",
    "ArgUnique",
    "ArgWhere",
    "DropNans",
    "DropNulls",
    "ExtendConstant",
    "GatherEvery",
    "Hist",
    "Mode",
    "RLE",
    "Random",
    "Range",
    "Repeat",
    "Reshape",
    "SearchSorted",
    "TopK",
    "Unique",
    "UniqueCounts",
    "ValueCounts",
}
# How Polars displays the calls of Python functions. They are not written as JSON: that pickles them with all they hold,
# which may take long, fail, or never end, if they hold the expression itself.
_PYTHON = re.compile(r"\b(python_udf|fold|reduce|cum_fold|cum_reduce|rolling_map|map_field_names|name\.map)\(")
# How it displays an aggregation as the last step of an expression.
_AGGREGATED = re.compile(
    r"\.(mean|sum|min|max|std|var|median|product|first|last|item|count|len|n_unique|quantile|null_count)"
    r"\((\[[^\[\]]*\])?\)(\.alias\(\"[^\"]*\"\)|\.cast\(\w+\))*$"
)


def is_scalar(expr: pl.Expr) -> bool:
    """Whether an expression has one value for all rows, which Polars repeats for each."""
    if expr.meta.is_column_selection(allow_aliasing=True):
        return False
    decide = getattr(expr.meta, "is_scalar", None)
    # It panics on several fields of a struct at once.
    if decide is not None and not expr.meta.has_multiple_outputs():
        try:
            return bool(decide())
        except PolarsError:
            # It looks for the types of columns, in vain: in selectors, Python functions, `list.eval` and fields.
            pass
    return is_scalar_by_its_nodes(expr)


def is_scalar_by_its_nodes(expr: pl.Expr) -> bool:
    """
    Decide by the JSON form of an expression.

    For an expression with a Python function in it, only an aggregation as its last step is seen.
    """
    display = str(expr)
    if _PYTHON.search(display):
        return _AGGREGATED.search(display) is not None
    return _is_scalar(json.loads(expr.meta.serialize(format="json")))


def _is_scalar(node: Any) -> bool:
    if isinstance(node, str):
        return node == "Len"
    ((kind, value),) = node.items()
    if kind in _INPUTS:
        return all(map(_is_scalar, _INPUTS[kind](value)))
    decide = _NODES.get(kind)
    return decide is not None and decide(value)


def _is_scalar_call(flags: str, inputs: list[Any]) -> bool:
    """Whether a function that Polars does not know gives a single value."""
    return "RETURNS_SCALAR" in flags or ("ROW_SEPARABLE" in flags and all(map(_is_scalar, inputs)))


def _is_scalar_function(function: Any, inputs: list[Any]) -> bool:
    name, details = (function, None) if isinstance(function, str) else next(iter(function.items()))
    if name == "FfiPlugin" and details is not None:
        return _is_scalar_call(details["flags"]["flags"], inputs)
    if name in _NESTED_AGGREGATIONS:
        # A name, or a name with options.
        detail = details if isinstance(details, str) else next(iter(details or ()), None)
        if detail in _NESTED_AGGREGATIONS[name]:
            return True
    if name in _AGGREGATIONS:
        return True
    return name not in _OTHER_LENGTHS and all(map(_is_scalar, inputs))


# Nodes that are a scalar if all of these inputs are.
_INPUTS: dict[str, Callable[[Any], list[Any]]] = {
    "Alias": lambda value: value[:1],
    "BinaryExpr": lambda value: [value["left"], value["right"]],
    "Cast": lambda value: [value["expr"]],
    "Eval": lambda value: [value["expr"]],
    "KeepName": lambda value: [value],
    "RenameAlias": lambda value: [value["expr"]],
    "Sort": lambda value: [value["expr"]],
    "SortBy": lambda value: [value["expr"]],
    "StructEval": lambda value: [value["expr"]],
    "Ternary": lambda value: [value["predicate"], value["truthy"], value["falsy"]],
}
_NODES: dict[str, Callable[[Any], bool]] = {
    "Agg": lambda value: "AggGroups" not in value,
    "AnonymousFunction": lambda value: _is_scalar_call(value["options"]["flags"], value["input"]),
    "Function": lambda value: _is_scalar_function(value["function"], value["input"]),
    "Gather": lambda value: bool(value["returns_scalar"]),
    "Literal": lambda value: not {"Series", "Range"} & {*value},
}
