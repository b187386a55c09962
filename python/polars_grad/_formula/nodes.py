"""
Reads an expression of Polars into a tree.

The only module that knows the names and the form of Polars' nodes, from the JSON of an expression. A node with a name
or an option that is not listed here is an error.
"""

from __future__ import annotations

import json
import math
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import polars as pl

from polars_grad._formula.tree import ONE, TWO, ZERO, Node, constant, node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    Fields: TypeAlias = Mapping[str, "Node | Fields"]

# Nodes without options, and their kinds in a tree.
_KINDS = {
    "BinaryExpr.Plus": "add",
    "BinaryExpr.Minus": "sub",
    "BinaryExpr.Multiply": "mul",
    "BinaryExpr.TrueDivide": "div",
    "BinaryExpr.FloorDivide": "floordiv",
    "BinaryExpr.Modulus": "mod",
    "BinaryExpr.Eq": "eq",
    "BinaryExpr.NotEq": "ne",
    "BinaryExpr.Lt": "lt",
    "BinaryExpr.LtEq": "le",
    "BinaryExpr.Gt": "gt",
    "BinaryExpr.GtEq": "ge",
    "BinaryExpr.EqValidity": "eq_missing",
    "BinaryExpr.NotEqValidity": "ne_missing",
    "BinaryExpr.And": "and",
    "BinaryExpr.Or": "or",
    "BinaryExpr.Xor": "xor",
    "Abs": "abs",
    "Atan2": "arctan2",
    "Boolean.IsFinite": "is_finite",
    "Boolean.IsInfinite": "is_infinite",
    "Boolean.IsNan": "is_nan",
    "Boolean.IsNotNan": "is_not_nan",
    "Boolean.IsNotNull": "is_not_null",
    "Boolean.IsNull": "is_null",
    "Boolean.Not": "not",
    "Ceil": "ceil",
    "Coalesce": "coalesce",
    "Exp": "exp",
    "FillNull": "fill_null",
    "Floor": "floor",
    "Log": "log",
    "Log1p": "log1p",
    "MaxHorizontal": "max_horizontal",
    "MinHorizontal": "min_horizontal",
    "Negate": "neg",
    "Pow.Cbrt": "cbrt",
    "Pow.Generic": "pow",
    "Pow.Sqrt": "sqrt",
    "Sign": "sign",
    "Trigonometry.ArcCos": "arccos",
    "Trigonometry.ArcCosh": "arccosh",
    "Trigonometry.ArcSin": "arcsin",
    "Trigonometry.ArcSinh": "arcsinh",
    "Trigonometry.ArcTan": "arctan",
    "Trigonometry.ArcTanh": "arctanh",
    "Trigonometry.Cos": "cos",
    "Trigonometry.Cosh": "cosh",
    "Trigonometry.Cot": "cot",
    "Trigonometry.Degrees": "degrees",
    "Trigonometry.Radians": "radians",
    "Trigonometry.Sin": "sin",
    "Trigonometry.Sinh": "sinh",
    "Trigonometry.Tan": "tan",
    "Trigonometry.Tanh": "tanh",
    "Ternary": "when",
}
# Nodes with options: their kinds, and all options that they have.
_KINDS_WITH_OPTIONS = {
    "Boolean.IsBetween": ("is_between", ("closed",)),
    "Clip": ("clip", ("has_min", "has_max")),
    "Round": ("round", ("decimals", "mode")),
    "SumHorizontal": ("sum_horizontal", ("ignore_nulls",)),
}
# Kinds that take inputs as they are. All others take numbers, integers as floats.
_ANY_DTYPE = {"eq", "ne", "eq_missing", "ne_missing", "and", "or", "xor"}
_FLOATS = {"Float16": pl.Float16, "Float32": pl.Float32, "Float64": pl.Float64}
_STRICT = {"Strict": True, "NonStrict": False}
# Kinds that take Booleans, and their operators.
_OF_BOOLEANS = {"and": "&", "or": "|", "xor": "^", "not": "~"}
# The position of the input of a kind that is a condition.
_PREDICATE = ("when", 2)
_TRUE = {"Literal": {"Scalar": {"Boolean": True}}}
_NULL = {"Literal": {"Scalar": {"Null": "Null"}}}
# How the zero of a branch is written.
_NO_SLOPE = {"Literal": {"Scalar": {"Int8": 0}}}
# Nodes that only rename.
_RENAMED = {"Alias", "KeepName", "RenameAlias"}
# Nodes around structs.
_STRUCT, _WITH_FIELDS, _FIELD, _FIELD_OF_STRUCT = "AsStruct", "StructEval", "Field", "StructExpr.FieldByName"
# Functions whose variants have names of their own.
_NAMESPACES = {"Bitwise", "Boolean", "Business", "Pow", "Range", "Trigonometry"}
# What an error calls nodes that are no methods.
_CALLED = {
    "AnonymousFunction": "a Python function (numpy makes one, also by `np.float64(2) * x`)",
    "FfiPlugin": "a plugin function",
}
_ELSE = (
    'compute it into a column first, give a callable and `method="numeric"`, or differentiate samples with '
    "`gradient(x=...)`"
)
# How Polars displays a Python function.
_PYTHON = re.compile(r"\bpython_udf\(")


@dataclass(frozen=True)
class Native:
    """An expression that is used as it is; two of the same text are equal."""

    text: tuple[str, str]
    expr: pl.Expr = field(compare=False, repr=False)


@dataclass(frozen=True)
class Variable:
    """A column that formulas are differentiated with respect to."""

    text: str
    """The JSON of its expression."""
    name: str
    expr: pl.Expr = field(compare=False, repr=False)


class _Part(NamedTuple):
    """A part of an expression."""

    form: Any
    """Its JSON."""
    expr: pl.Expr | None
    """None inside of `with_fields`: outside of it `pl.field` has no meaning, so no part of it is used as it is."""
    fields: Fields | None
    """The fields that `pl.field` means there."""

    @property
    def key(self) -> tuple[int, bool, int]:
        """What two parts have in common that are read alike."""
        return id(self.form), self.expr is None, id(self.fields)


def variable(expr: pl.Expr) -> Variable | None:
    """Return the variable that an expression is: a column or the element of a list."""
    form = json.loads(_json(expr))
    if not _is_column(form):
        return None
    return Variable(json.dumps(form), "element" if form == "Element" else form["Column"], expr)


def read(expr: pl.Expr, variables: Iterable[Variable]) -> Node:
    """Return the tree of an expression, in which parts without variables are single nodes."""
    try:
        return _Reader(_json(expr), variables).read(expr)
    except RecursionError:
        msg = "`f` is nested too deeply to be read; compute a part of it into a column first"
        raise ValueError(msg) from None


def _json(expr: pl.Expr) -> str:
    try:
        return expr.meta.serialize(format="json")
    except Exception as error:
        cause = "a Python function" if _PYTHON.search(str(expr)) else "a node"
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        msg = f"`f` contains {cause} that Polars cannot serialize, so its formula cannot be read ({reason}); {_ELSE}"
        raise ValueError(msg) from error


_FORMS_OF_INPUTS: dict[str, Callable[[Any], list[Any]]] = {
    "Alias": lambda value: value[:1],
    "BinaryExpr": lambda value: [value["left"], value["right"]],
    "Cast": lambda value: [value["expr"]],
    "Function": lambda value: list(value["input"]),
    "KeepName": lambda value: [value],
    "RenameAlias": lambda value: [value["expr"]],
    "StructEval": lambda value: [value["expr"]],
    "Ternary": lambda value: [value["truthy"], value["falsy"], value["predicate"]],
}


class _Reader:
    """Reads the parts of one expression, those that are equal once."""

    def __init__(self, text: str, variables: Iterable[Variable]) -> None:
        self._variables = {each.text: node("variable", detail=each) for each in variables}
        self._forms = _Forms(text, self._variables)
        # With the parts, so that the objects live whose ids are the keys.
        self._nodes: dict[Any, tuple[_Part, Node]] = {}
        self._structs: dict[Any, tuple[_Part, Fields]] = {}

    def read(self, expr: pl.Expr | None) -> Node:
        """Return the tree of the expression."""
        return self._read(_Part(self._forms.root, expr, None))

    def _read(self, part: _Part, *, raw: bool = False) -> Node:
        """Return the tree of a part: of a number or, if `raw`, of what is used as it is."""
        key = (*part.key, raw)
        if key in self._nodes:
            return self._nodes[key][1]
        name, value = _name(part.form)
        # `when(True)` is how a zero of the dtype of a variable is written.
        if name in _RENAMED or (name == "Ternary" and part.form[name]["predicate"] == _TRUE):
            found = self._read(_inputs(part)[0], raw=raw)
        elif (leaf := self._leaf(part)) is not None:
            # An unsigned integer has no negative, for one.
            found = node("float", detail=leaf.detail) if leaf.kind == "native" and not raw else leaf
        else:
            kind, detail = _kind(name, value) or _refuse(part)
            inputs = []
            for position, each in enumerate(_inputs(part)):
                inputs.append(self._read(each, raw=kind in _ANY_DTYPE or (kind, position) == _PREDICATE))
            _check_bits(kind, inputs)
            found = _simplified(kind, *inputs) or node(kind, *inputs, detail=detail)
        self._nodes[key] = part, found
        return found

    def _leaf(self, part: _Part) -> Node | None:
        """Return the node of a part that is read as a whole."""
        number = _number(part.form)
        if number is not None:
            return constant(number)
        if part.form == _NULL:
            return node("null")
        if part.expr is not None and not self._forms.depends(part.form):
            # NaN and infinities differ in the display only.
            return node("native", detail=Native((json.dumps(part.form), str(part.expr)), part.expr))
        if _name(part.form)[0] in (_FIELD, _FIELD_OF_STRUCT):
            found = self._field(part)
            return found if isinstance(found, Node) else _refuse(part)
        if _is_column(part.form):
            text = json.dumps(part.form)
            return self._variables.get(text) or node("native", detail=Native((text, text), _column(part.form)))
        return None

    def _field(self, part: _Part) -> Node | Fields:
        """Return a field of a struct."""
        name, value = _name(part.form)
        fields = part.fields if name == _FIELD else self._fields(_inputs(part)[0])
        field_name = value[0] if name == _FIELD else value
        if fields is None or field_name not in fields:
            _refuse(part)
        return fields[field_name]

    def _fields(self, part: _Part) -> Fields:
        """Return the fields of a struct by name."""
        if part.key not in self._structs:
            self._structs[part.key] = part, self._fresh_fields(part)
        return self._structs[part.key][1]

    def _fresh_fields(self, part: _Part) -> Fields:
        name, value = _name(part.form)
        if name in _RENAMED:
            return self._fields(_inputs(part)[0])
        if name == _STRUCT:
            return {_name_of(each): self._node_or_fields(each) for each in _inputs(part)}
        if name == _WITH_FIELDS and value.get("variant", "WithFields") == "WithFields":
            fields = self._fields(_inputs(part)[0])
            inside = [_Part(each, None, fields) for each in value["evaluation"]]
            return {**fields, **{_name_of(each): self._node_or_fields(each) for each in inside}}
        if name in (_FIELD, _FIELD_OF_STRUCT):
            found = self._field(part)
            return _refuse(part) if isinstance(found, Node) else found
        if _is_column(part.form):
            msg = f"`f` takes a field of the variable {value or 'element'!r}; unnest it, and differentiate by the field"
            raise ValueError(msg)
        return _refuse(part)

    def _node_or_fields(self, part: _Part) -> Node | Fields:
        name, _ = _name(part.form)
        if name in _RENAMED:
            return self._node_or_fields(_inputs(part)[0])
        if name in (_STRUCT, _WITH_FIELDS):
            return self._fields(part)
        is_field = name in (_FIELD, _FIELD_OF_STRUCT) and (part.expr is None or self._forms.depends(part.form))
        return self._field(part) if is_field else self._read(part, raw=True)


class _Forms:
    """
    The JSON of an expression, of which equal parts are one object.

    Expressions share what they are made of, and their JSON repeats it: that of `f = f + f * f`, done 20 times, has
    millions of parts, and about 20 different ones.
    """

    def __init__(self, text: str, variables: Iterable[str]) -> None:
        self._parts: dict[Any, Any] = {}
        self._columns = [json.loads(each) for each in variables]
        self._dependent: set[int] = set()
        self.root = json.loads(text, object_pairs_hook=self._part)

    def depends(self, form: Any) -> bool:
        """Whether a part is one of the variables, or contains one."""
        return id(form) in self._dependent if isinstance(form, dict) else form in self._columns

    def _part(self, items: list[tuple[str, Any]]) -> Any:
        key = tuple((name, _identity(value)) for name, value in items)
        found = self._parts.get(key)
        if found is not None:
            return found
        form = dict(items)
        if "Selector" in form:
            msg = (
                "`f` contains a selector, a pattern or several columns at once; write a formula of single columns, "
                "each as `pl.col(name)`"
            )
            raise ValueError(msg)
        if form in self._columns or any(self._has_variable(each) for each in form.values()):
            self._dependent.add(id(form))
        # Numbers that JSON has not differ, but are written alike.
        self._parts[len(self._parts) if None in form.values() else key] = form
        return form

    def _has_variable(self, value: Any) -> bool:
        return any(map(self._has_variable, value)) if isinstance(value, list) else self.depends(value)


def _identity(value: Any) -> Any:
    """Return what is equal for the same values only, where equal parts are one object."""
    if isinstance(value, list):
        return tuple(map(_identity, value))
    return id(value) if isinstance(value, dict) else repr(value)


def _name(form: Any) -> tuple[str, Any]:
    """Return the name of a node, with that of its operator or function, and its options."""
    if not isinstance(form, dict):
        return form, None
    name, value = next(iter(form.items()))
    if name == "BinaryExpr":
        return f"{name}.{value['op']}", None
    if name == "Ternary":
        return name, None
    if name != "Function":
        return name, value
    name, value = _variant(value["function"])
    inner, options = _variant(value)
    # Names of variants begin with a capital, those of options do not.
    return (f"{name}.{inner}", options) if inner[:1].isupper() else (name, value)


def _variant(value: Any) -> tuple[str, Any]:
    if isinstance(value, dict) and len(value) == 1:
        return next(iter(value.items()))
    return (value, None) if isinstance(value, str) else ("", value)


def _kind(name: str, value: Any) -> tuple[str, Any] | None:
    """Return the kind of a node in a tree and its options, if it is known with all of them."""
    if name == "Cast":
        dtype, strict = _FLOATS.get(_dtype_name(value)), _STRICT.get(value["options"])
        return None if dtype is None or strict is None else ("cast", (dtype, strict))
    if name in _KINDS_WITH_OPTIONS and isinstance(value, dict):
        kind, options = _KINDS_WITH_OPTIONS[name]
        return (kind, tuple(map(_option, map(value.get, options)))) if value.keys() == {*options} else None
    return (_KINDS[name], None) if name in _KINDS and value is None else None


def _option(value: Any) -> Any:
    """Return an option as methods take it: variants have names such as `HalfToEven`."""
    return _snake_case(value) if isinstance(value, str) else value


def _inputs(part: _Part) -> list[_Part]:
    """Return the inputs of a node."""
    name, value = next(iter(part.form.items()))
    forms = _FORMS_OF_INPUTS[name](value)
    # Polars hands them out last to first; those of `with_fields` after the struct.
    exprs = [None] * len(forms) if part.expr is None else part.expr.meta.pop()[::-1][: len(forms)]
    return [_Part(form, expr, part.fields) for form, expr in zip(forms, exprs, strict=True)]


def _name_of(part: _Part) -> str:
    """Return the name of a field of a struct."""
    if part.expr is not None:
        return part.expr.meta.output_name()
    name, value = _name(part.form)
    named: str = value[1] if name == "Alias" else value[0] if name == _FIELD else _refuse(part)
    return named


def _is_column(form: Any) -> bool:
    return form == "Element" or (isinstance(form, dict) and form.keys() == {"Column"})


def _column(form: Any) -> pl.Expr:
    return pl.element() if form == "Element" else pl.col(form["Column"])


def _number(form: Any) -> float | None:
    """Return the number that a literal is; None for anything else, and for numbers that JSON has not."""
    if form == _NO_SLOPE:
        return 0.0
    literal = form.get("Literal") if isinstance(form, dict) else None
    dynamic = literal.get("Dyn") if isinstance(literal, dict) else None
    number = next(iter(dynamic.values())) if isinstance(dynamic, dict) else None
    if isinstance(number, (int, float)) and abs(number) <= sys.float_info.max and float(number) == number:
        return float(number)
    return None


def _simplified(kind: str, *inputs: Node) -> Node | None:
    """Return a simpler node for a logarithm, and the node that was written with several."""
    if kind == "log":
        return _logarithm(*inputs)
    if kind == "when":
        return _kink(*inputs) or _not_negative(*inputs)
    if kind == "mul" and ONE in inputs:
        return inputs[inputs[0] is ONE]
    if kind == "div":
        return inputs[0] if inputs[1] is ONE else _sech_squared(*inputs)
    if kind == "add" and all(each.kind == "constant" for each in inputs):
        return inputs[0] + inputs[1]
    return None


def _check_bits(kind: str, inputs: list[Node]) -> None:
    """Refuse the bits of numbers."""
    if kind in _OF_BOOLEANS and any(each.kind in ("variable", "constant") for each in inputs):
        hint = "; for a power write `**`" if kind == "xor" else ""
        msg = (
            f"`f` contains `{_OF_BOOLEANS[kind]}` of a number, as which variables are taken, and bits have no "
            f"derivative; combine comparisons, such as `(x > 0) & (x < 1)`{hint}"
        )
        raise ValueError(msg)


def _kink(slope: Node, otherwise: Node, condition: Node) -> Node | None:
    """Return the slope of a root with its mean at a kink, which differentiates further unlike its branches."""
    if condition.kind != "and":
        return None
    at_zero = condition.inputs[1]
    root = at_zero.inputs[0] if at_zero.kind == "eq" else ONE
    is_kink = condition.inputs == (node("eq", _compared(slope), ZERO), node("eq", root, ZERO))
    return node("kink", otherwise, slope, root) if is_kink and otherwise is slope / (TWO * root) else None


def _not_negative(root: Node, value: Node, condition: Node) -> Node | None:
    """Return a value that is NaN where it is negative, which is no branch of a formula."""
    is_root = root.kind == "sqrt" and root.inputs[0] is value
    is_negative = condition is node("lt", _compared(value), ZERO)
    return node("not_negative", value) if is_root and is_negative else None


def _compared(value: Node) -> Node:
    """Return a value as a comparison takes it: a column as it is."""
    return node("native", detail=value.detail) if value.kind == "float" else value


def _sech_squared(one: Node, divisor: Node) -> Node | None:
    """Return 1 / cosh², whose derivative does not overflow."""
    is_square = one is ONE and divisor.kind == "mul" and divisor.inputs[0] is divisor.inputs[1]
    if not is_square or divisor.inputs[0].kind != "cosh":
        return None
    return node("sech_squared", node("div", one, divisor), *divisor.inputs[0].inputs)


def _logarithm(value: Node, base: Node) -> Node:
    if base.kind == "constant" and base.detail > 0 and base.detail != 1:
        return node("log", value, detail=base.detail)
    return node("div", node("log", value, detail=math.e), node("log", base, detail=math.e))


def _refuse(part: _Part) -> NoReturn:
    """Name a node that has no rule, and say what else to do."""
    name, value = _name(part.form)
    if name == "Cast":
        msg = f"`f` casts to {_dtype_name(value)}, which has no derivative; cast to a float, or use `floor` or `round`"
        raise ValueError(msg)
    if name == "Agg":
        name = next(iter(value)) if isinstance(value, dict) else name
    namespace, _, variant = name.partition(".")
    has_variants = namespace.endswith("Expr") or namespace in _NAMESPACES
    method = variant if has_variants and variant else namespace.removesuffix("Expr")
    called = _CALLED.get(name) or f"`{_snake_case(method)}`"
    msg = f"`f` contains {called}, which has no rule: a derivative is taken of functions of single rows; {_ELSE}"
    raise ValueError(msg)


def _dtype_name(cast: Any) -> str:
    """Return the name of the dtype that a cast is to, without its own options."""
    dtype = cast["dtype"].get("Literal") if isinstance(cast["dtype"], dict) else None
    name = next(iter(dtype)) if isinstance(dtype, dict) else dtype
    return name if isinstance(name, str) else "another dtype"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
