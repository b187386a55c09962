"""Every node that formulas may consist of, on the installed Polars: a new version cannot change an answer silently.

Each exact derivative is compared with central differences of the expression itself. So a node that is read as another
function, or with its inputs in another order, fails here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import polars_grad as pg
from polars_grad._formula import build, nodes, rules
from polars_grad._formula.tree import node, ordered

if TYPE_CHECKING:
    from collections.abc import Callable

x, y = pl.col("x"), pl.col("y")

# By kind: formulas of x and y with that node, and the kinds that are not in the expression of a formula.
FORMULAS: dict[str, list[pl.Expr]] = {
    "abs": [(x - 1).abs()],
    "add": [x + y, 2 + x],
    "and": [pl.when((x > 1) & (y > 1)).then(x**2).otherwise(x**3)],
    "arccos": [(x / 4).arccos()],
    "arccosh": [(x + 1).arccosh()],
    "arcsin": [(x / 4).arcsin()],
    "arcsinh": [x.arcsinh()],
    "arctan": [x.arctan()],
    "arctan2": [pl.arctan2(x, y), pl.arctan2(y, x)],
    "arctanh": [(x / 4).arctanh()],
    "cast": [(x**2).cast(pl.Float64), (x**2).cast(pl.Float64, strict=False)],
    "cbrt": [x.cbrt()],
    "ceil": [x.ceil() * x],
    "clip": [(x**2).clip(0.5, 2), (x**2).clip(lower_bound=y), (x**2).clip(upper_bound=y), y.clip(x / 2, x**2)],
    "coalesce": [pl.coalesce(x**2, y), pl.coalesce(pl.when(x > 1).then(x**3), x**2)],
    "cos": [x.cos()],
    "cosh": [x.cosh()],
    "cot": [x.cot()],
    "degrees": [(x**2).degrees()],
    "div": [x / y, y / x, 1 / x],
    "eq": [pl.when(x == y).then(x).otherwise(x**2)],
    "eq_missing": [pl.when(x.eq_missing(y)).then(x).otherwise(x**2)],
    "exp": [x.exp()],
    "fill_null": [(x**2).fill_null(y), pl.when(x > 1).then(x**3).fill_null(x**2)],
    "floor": [x.floor() * x],
    "floordiv": [(x // 0.7) * x, (y // x) * x],
    "ge": [pl.when(x >= y).then(x**3).otherwise(x**2)],
    "gt": [pl.when(x > y).then(x**3).otherwise(x**2)],
    "is_between": [pl.when(x.is_between(1, y, closed="left")).then(x**3).otherwise(x**2)],
    "is_finite": [pl.when((1 / (x - x)).is_finite()).then(x).otherwise(x**2)],
    "is_infinite": [pl.when((1 / (x - x)).is_infinite()).then(x).otherwise(x**2)],
    "is_nan": [pl.when((x - 5).log().is_nan()).then(x).otherwise(x**2)],
    "is_not_nan": [x.log().fill_nan(y)],
    "is_not_null": [pl.when(x.is_not_null()).then(x**3).otherwise(x)],
    "is_null": [pl.when(x.is_null()).then(x).otherwise(x**3)],
    "le": [pl.when(x <= y).then(x**3).otherwise(x**2)],
    "log": [x.log(), x.log(2), x.log10(), x.log(y + 2), y.log(x + 2)],
    "log1p": [x.log1p()],
    "lt": [pl.when(x < y).then(x**3).otherwise(x**2)],
    "max_horizontal": [pl.max_horizontal(x, y), pl.max_horizontal(x**2, y, 1.1)],
    "min_horizontal": [pl.min_horizontal(x, y), pl.min_horizontal(x**2, y, 1.1)],
    "mod": [x % 0.7, y % x, (x**2) % (y + 0.1)],
    "mul": [x * y, x * x, 3 * x],
    "ne": [pl.when(x != y).then(x**2).otherwise(x)],
    "ne_missing": [pl.when(x.ne_missing(y)).then(x**2).otherwise(x)],
    "neg": [-(x**2)],
    "not": [pl.when(~(x > 1)).then(x**2).otherwise(x**3)],
    "null": [pl.when(x > 0).then(x**2).otherwise(None)],
    "or": [pl.when((x > 1) | (y > 1)).then(x**2).otherwise(x**3)],
    "pow": [x**2, x**3, x**5, x**-1, x**-2, x**0.5, x**y, y**x, 2**x, x**x],
    "radians": [(x**2).radians()],
    "round": [x.round(1) * x, x.round(0, mode="half_away_from_zero") * x],
    "sign": [(x - 1).sign() * x],
    "sin": [x.sin()],
    "sinh": [x.sinh()],
    "sqrt": [x.sqrt()],
    "sub": [x - y, y - x, 1 - x],
    "sum_horizontal": [pl.sum_horizontal(x, y, x**2), pl.sum_horizontal(x, x**2, ignore_nulls=False)],
    "tan": [(x / 3).tan()],
    "tanh": [x.tanh()],
    "when": [pl.when(x > 1).then(x**2).when(y > 1).then(x**3).otherwise(2)],
    "xor": [pl.when((x > 1) ^ (y > 1)).then(x**2).otherwise(x**3)],
    # Written, and read, by derivatives of derivatives only.
    "float": [x * y],
    "native": [pl.when(y == 1.9).then(x).otherwise(x**2)],
    "constant": [3 * x],
    "variable": [x.sin()],
    "kink": [pg.derivative_of((x**2 + y).sqrt(), "x")],
    "no_slope": [pg.derivative_of(pl.when(x > 1).then(x**2).otherwise(y), "x")],
    "not_negative": [pg.derivative_of(x.log(), "x"), pg.derivative_of((x * y).log1p(), "x")],
    "sech_squared": [pg.derivative_of(x.tanh(), "x")],
    "struct": [pg.gradient_of(x**2 * y.sin(), ["x", "y"]).struct.field("x")],
}
RENAMED = {
    "alias": (x**2).alias("z"),
    "keep": (x**2).alias("z").name.keep(),
    "suffix": (x**2).name.suffix("z"),
    "prefix": (x**2).name.prefix("z"),
}
FIELDS = {
    "field of a struct": pl.struct(x, (x**2).alias("z")).struct.field("z"),
    "with_fields": pl.struct(x.alias("z"), y)
    .struct.with_fields((pl.field("z") * pl.field("y")).alias("p"))
    .struct.with_fields(pl.field("p").sin().alias("z"))
    .struct.field("z"),
    "column in with_fields": pl.struct(x.alias("z"))
    .struct.with_fields((pl.field("z") * y * x).alias("p"))
    .struct.field("p"),
    "struct in a field": pl.struct(pl.struct(x.alias("a")).alias("s")).struct.field("s").struct.field("a"),
    "derivative": pg.derivative_of(x.sin() * x**2 / (1 + x**2), "x"),
    "second derivative": pg.derivative_of(x.sin() * x**2 / (1 + y * x**2), "x", order=2),
    "gradient": pg.gradient_of(x.sin() * y / (y + x), ["y", "x"]).struct.field("x"),
    "hessian": pg.hessian_of(x.sin() * y / (y + x), ["y", "x"]).struct.field("x").struct.field("y"),
}
# Away from kinks, jumps, and the ends of domains.
POINTS = [0.27, 0.53, 0.86, 1.18, 1.62, 2.21]
FRAME = pl.DataFrame({"x": POINTS, "y": [1.37, 0.58, 1.9, 0.44, 1.07, 2.6]})
STEP = 1e-5

cases = [
    *[
        pytest.param(formula, id=f"{kind} {at}")
        for kind, several in FORMULAS.items()
        for at, formula in enumerate(several)
    ],
    *[pytest.param(formula, id=name) for name, formula in {**RENAMED, **FIELDS}.items()],
]


def values(frame: pl.DataFrame, formula: pl.Expr) -> Any:
    return frame.select(formula).to_series().to_numpy()


def differences(formula: pl.Expr, column: str) -> Any:
    """Fourth-order central differences: no other knowledge of the formula than its values."""
    at = {shift: values(FRAME.with_columns(pl.col(column) + shift * STEP * 64), formula) for shift in (-2, -1, 1, 2)}
    return (8 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12 * STEP * 64)


@pytest.mark.parametrize("formula", cases)
def test_the_derivative_is_that_of_differences(formula: pl.Expr) -> None:
    for column in sorted({"x", *formula.meta.root_names()}):
        got = values(FRAME, pg.derivative_of(formula, column))
        np.testing.assert_allclose(got, differences(formula, column), rtol=1e-7, atol=1e-7, err_msg=column)


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
@pytest.mark.parametrize("formula", cases)
def test_nulls_and_dtype_are_those_of_the_formula(formula: pl.Expr, dtype: Any) -> None:
    frame = pl.DataFrame(
        {"x": [0.5, None, 1.5, None, 0.0], "y": [1.25, 0.75, None, None, 0.0]}, schema={"x": dtype, "y": dtype}
    )
    expected = frame.select(formula).to_series()
    for column in sorted({"x", *formula.meta.root_names()}):
        for order in (1, 2):
            query = frame.lazy().select(pg.derivative_of(formula, column, order=order))
            got = query.collect().to_series()
            assert got.is_null().to_list() == expected.is_null().to_list(), (column, order)
            # Polars takes some formulas of a number and a Float32 for a Float64.
            assert got.dtype in (dtype, expected.dtype), (column, order)
            assert query.collect_schema().dtypes() == [got.dtype], (column, order)


@pytest.mark.parametrize("formula", cases)
def test_a_tree_is_written_as_it_was_read(formula: pl.Expr) -> None:
    variables = [nodes.variable(x), nodes.variable(y)]
    assert None not in variables
    again = build.expression(nodes.read(formula, variables))  # type: ignore[arg-type]
    np.testing.assert_array_equal(values(FRAME, again), values(FRAME, formula))


def test_every_kind_that_is_read_is_walked() -> None:
    read = {*nodes._KINDS.values(), *(kind for kind, _ in nodes._KINDS_WITH_OPTIONS.values()), "cast"}
    assert read <= {*FORMULAS}
    written = {"struct", "float", "native", "constant", "variable", "null", "zero", "no_slope"}
    assert {*rules._RULES, *rules._PIECEWISE_CONSTANT} | written == {*build._WRITERS}
    assert {*FORMULAS} == {*build._WRITERS} - {"zero"}


@pytest.mark.parametrize("kind", FORMULAS)
def test_formulas_have_the_kind_that_they_are_listed_under(kind: str) -> None:
    if kind == "struct":
        return
    variables = [nodes.variable(x), nodes.variable(y)]
    for formula in FORMULAS[kind]:
        expected = {"no_slope": "constant", "float": "variable", "native": "variable"}.get(kind, kind)
        if formula.meta.root_names() and kind != "log":
            assert expected in {each.kind for each in ordered(nodes.read(formula, variables))}, formula


def with_another(name: str, change: Callable[[Any], None]) -> None:
    """Read a formula whose JSON is changed as a new version of Polars might change it."""
    form = json.loads(FORMULAS[name][0].meta.serialize(format="json"))
    change(form)
    reader = nodes._Reader(json.dumps(form), [nodes.variable(x)])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="has no rule"):
        reader.read(None)


def test_an_option_that_is_not_known_is_an_error() -> None:
    def add_option(form: Any) -> None:
        form["Function"]["function"]["Clip"]["strict"] = True

    def rename(form: Any) -> None:
        form["Function"]["function"] = "Exponential"

    def nest(form: Any) -> None:
        form["Function"]["function"] = {"Exp": {"base": 2}}

    def operate(form: Any) -> None:
        form["BinaryExpr"]["op"] = "PlusSaturating"

    with_another("clip", add_option)
    with_another("exp", rename)
    with_another("exp", nest)
    with_another("add", operate)


def test_equal_parts_are_one_node() -> None:
    variable = nodes.variable(x)
    assert variable is not None
    first = nodes.read((x * 2 + y.exp()).sin() + (2 * x + y.exp()).sin(), [variable])
    assert first.inputs[0] is first.inputs[1]
    assert node("sin", first) is node("sin", first)
    # JSON has one null for all of them.
    special = [pl.lit(value) for value in (float("nan"), float("inf"), float("-inf"))]
    assert len({nodes.read(x * value, [variable]) for value in special}) == 3
