"""Derivatives of formulas: of expressions, and of functions of expressions."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import reduce
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from polars_grad._engine.domain import one_of
from polars_grad._engine.lengths import is_number, nearest_float, whole
from polars_grad._formula import build, numeric, rules
from polars_grad._formula import nodes as _nodes
from polars_grad._formula.tree import Node, node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from polars_grad._formula.nodes import Variable

    IntoFormula: TypeAlias = pl.Expr | Callable[..., Any]
    IntoVariable: TypeAlias = str | pl.Expr

__all__ = ["derivative_of", "gradient_of", "hessian_of"]

# Of a formula whose derivatives do not grow: those of all others are too long far before.
_LARGEST_ORDER = 1000
# The names that an error shows of a list.
_MOST_NAMES = 10


def derivative_of(
    f: IntoFormula,
    wrt: IntoVariable,
    *,
    order: int = 1,
    method: Literal["exact", "numeric"] = "exact",
) -> pl.Expr:
    r"""
    Differentiate a formula exactly, by the rules of calculus.

    A Polars expression is a formula already: its derivative is another expression of native functions, without a
    Python function in it. Use :func:`polars_grad.gradient` for the derivative of samples in a column, whose formula is
    not known.

    Parameters
    ----------
    f
        The formula: an expression, or a function that takes the expression of `wrt` and returns one, or a number. What
        does not contain `wrt` may be any expression. What contains it may consist of

        - ``+ - * / // % **``, `neg`, `abs`, `sign`, `sqrt`, `cbrt`, `exp`, `log`, `log1p`,
        - `sin`, `cos`, `tan`, `cot`, `sinh`, `cosh`, `tanh`, their inverse functions, `pl.arctan2`, `degrees`,
          `radians`,
        - `floor`, `ceil`, `round`, `clip`, `pl.min_horizontal`, `pl.max_horizontal`, `pl.sum_horizontal`,
        - `pl.when`, `fill_null`, `fill_nan`, `pl.coalesce`, comparisons, `is_between`, `is_null`, `is_nan` and their
          like, ``& | ^ ~``,
        - casts to a float, `alias`, the methods of `name`, fields of `pl.struct` and of `with_fields`, and so also
          derivatives made by this function.
    wrt
        The variable: the name of a column, `pl.col(name)`, or `pl.element()` within `list.eval`. Integers, Booleans
        and Decimals are taken as Float64.
    order
        The order of the derivative, from 1 to 1,000; with `method="numeric"` at most 4.
    method
        "exact" differentiates the formula. "numeric" takes a function `f` and evaluates it beside each row: central
        differences of eight to five steps, extrapolated to a step of zero (Richardson's extrapolation in the table of
        Ridders [1]_). Then `f` may contain anything, also Python functions. Expect about ten correct digits for the
        first order, and one or two less for each further one.

    Returns
    -------
    Expr
        A column with the name, the length and the dtype of `f`.

        ================================== ==========================
        dtypes of `wrt` and other columns  dtype of the result
        ================================== ==========================
        Float32 only                       Float32
        Integer, Boolean, Decimal          Float64
        mixed floats                       that of `f`
        Duration, `wrt` a number           that of `f`
        ================================== ==========================

    Raises
    ------
    TypeError
        At once, if `f` is no expression and no function of one argument, if it fails on an expression, or if `wrt` is
        no column.
    ValueError
        At once, if `f` contains something else than listed above, such as a function that mixes rows (`shift`, `sum`,
        `over`), a selector or a pattern; if `f` is an expression without `wrt`; if `order` or `method` is not one of
        those allowed.
    polars.exceptions.InvalidOperationError
        When the query is planned, if a column has a dtype without arithmetic, such as String. An expression has no
        schema, so the error is that of Polars, which says to cast.
    polars.exceptions.SchemaError
        When the query is planned, if `f` is a Duration and its derivative 0 by structure, on a branch or everywhere: a
        zero is a number.

    Notes
    -----
    Null contract: the result is null where `f` is null, and nowhere else. A formula without any column has the length
    of `wrt`, and is null where that is null.

    NaN contract: NaN and infinities are those of the formula of the derivative. It is NaN where the function is not
    defined, such as that of `log` below zero, and infinite where the slope is, such as that of `sqrt` at zero.

    At a kink the result is the mean of both sides: 0 for the slope of `abs` at zero, half the slope of ``x`` for that
    of ``x.clip(0, 1)`` at 0 and 1. At a jump it is the mean of the slopes, so `floor`, `ceil`, `round`, `sign`, ``//``
    and comparisons have the derivative 0. Of `pl.when`, `fill_null` and `pl.coalesce` only the branch that a row takes
    counts. The border between two branches is not looked at.

    Factors that are 0 or 1 by structure vanish. What is equal in the formula and its derivative is evaluated once,
    in fields of a struct. Polars plans 40 nested functions in a few hundredths of a second.

    References
    ----------
    .. [1] C. J. F. Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4, no. 2
       (1982), 75-76.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"x": [0.0, 1.0, 2.0, None]})
    >>> y = pl.col("x") ** 3
    >>> df.with_columns(
    ...     y=y,
    ...     slope=pg.derivative_of(y, "x"),
    ...     curvature=pg.derivative_of(lambda x: x**3, "x", order=2),
    ... )
    shape: (4, 4)
    ┌──────┬──────┬───────┬───────────┐
    │ x    ┆ y    ┆ slope ┆ curvature │
    │ ---  ┆ ---  ┆ ---   ┆ ---       │
    │ f64  ┆ f64  ┆ f64   ┆ f64       │
    ╞══════╪══════╪═══════╪═══════════╡
    │ 0.0  ┆ 0.0  ┆ 0.0   ┆ 0.0       │
    │ 1.0  ┆ 1.0  ┆ 3.0   ┆ 6.0       │
    │ 2.0  ┆ 8.0  ┆ 12.0  ┆ 12.0      │
    │ null ┆ null ┆ null  ┆ null      │
    └──────┴──────┴───────┴───────────┘

    Branches and kinks:

    >>> df.select(pg.derivative_of(pl.when(pl.col("x") > 1).then(pl.col("x").log()).otherwise(0), "x"))["x"].to_list()
    [0.0, 0.0, 0.5, 0.0]
    >>> df.select(pg.derivative_of((pl.col("x") - 1).abs(), "x"))["x"].to_list()
    [-1.0, 0.0, 1.0, None]

    A function of numpy is a Python function to Polars:

    >>> import numpy as np
    >>> df.select(pg.derivative_of(lambda x: np.exp(x), "x", method="numeric").round(6))["x"].to_list()
    [1.0, 2.718282, 7.389056, None]
    """
    variable = _variable(wrt)
    times = whole(order)
    if times is None or not 1 <= times <= _LARGEST_ORDER:
        msg = f"`order` must be a whole number from 1 to {_LARGEST_ORDER}, got {order!r}"
        raise ValueError(msg)
    if one_of("method", method, ("exact", "numeric")) == "numeric":
        return _numeric(f, variable, times)
    formula = _formula(f, [variable], needed=[variable])
    return formula.expression(*formula.like([formula.derivative(*[variable] * times)]))


def gradient_of(f: IntoFormula, wrt: IntoVariable | Sequence[IntoVariable]) -> pl.Expr:
    r"""
    Differentiate a formula exactly with respect to each of several columns.

    .. math:: \nabla f = (\partial f / \partial x, \partial f / \partial y, \dots)

    with the rules of :func:`polars_grad.derivative_of`.

    Parameters
    ----------
    f
        The formula: an expression, or a function that takes one expression for each of `wrt` and returns one, or a
        number. It may consist of what `derivative_of` takes.
    wrt
        The variables: one or several columns, each as its name or as `pl.col(name)`.

    Returns
    -------
    Expr
        A struct with the name and the length of `f`, and one field for each of `wrt`, named like it. Each has the dtype
        that `derivative_of` gives: Float32 of Float32 columns, Float64 of integers, Booleans and Decimals.

    Raises
    ------
    TypeError, ValueError
        Where `derivative_of` raises it, and if `wrt` names a column twice. An expression must contain all of `wrt`; the
        derivative of a function with respect to a column that it does not use is 0.
    polars.exceptions.InvalidOperationError
        When the query is planned, if a column has a dtype without arithmetic, such as String. An expression has no
        schema, so the error is that of Polars, which says to cast.

    Notes
    -----
    Null and NaN contract: that of `derivative_of`. All fields are null where `f` is null; the struct itself never is.

    All derivatives share what they have in common, and it is evaluated once.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"u": [3.0, 5.0], "i": [2.0, 4.0]})
    >>> df.select(pg.gradient_of(pl.col("u") / pl.col("i"), wrt=["u", "i"]).struct.unnest())
    shape: (2, 2)
    ┌──────┬─────────┐
    │ u    ┆ i       │
    │ ---  ┆ ---     │
    │ f64  ┆ f64     │
    ╞══════╪═════════╡
    │ 0.5  ┆ -0.75   │
    │ 0.25 ┆ -0.3125 │
    └──────┴─────────┘
    """
    variables = _variables(wrt)
    formula = _formula(f, variables, needed=variables)
    return formula.expression(formula.by_name(formula.like(list(map(formula.derivative, variables)))))


def hessian_of(f: IntoFormula, wrt: IntoVariable | Sequence[IntoVariable]) -> pl.Expr:
    r"""
    Differentiate a formula exactly twice, with respect to each pair of columns: its Hessian matrix.

    .. math:: H_{ij} = \partial^2 f / \partial x_i \partial x_j

    with the rules of :func:`polars_grad.derivative_of`.

    Parameters
    ----------
    f
        The formula: an expression, or a function that takes one expression for each of `wrt` and returns one, or a
        number. It may consist of what `derivative_of` takes.
    wrt
        The variables: one or several columns, each as its name or as `pl.col(name)`.

    Returns
    -------
    Expr
        A struct with the name and the length of `f`, and one field for each of `wrt`, named like it: a row of the
        matrix, which is a struct of the same fields. Each number has the dtype that `derivative_of` gives: Float32 of
        Float32 columns, Float64 of integers, Booleans and Decimals.

    Raises
    ------
    TypeError, ValueError
        Where `derivative_of` raises it, and if `wrt` names a column twice. An expression must contain one of `wrt`; the
        derivatives with respect to the others are 0.
    polars.exceptions.InvalidOperationError
        When the query is planned, if a column has a dtype without arithmetic, such as String. An expression has no
        schema, so the error is that of Polars, which says to cast.

    Notes
    -----
    Null and NaN contract: that of `derivative_of`. All numbers are null where `f` is null; the structs never are.

    The matrix is symmetric: each mixed derivative is evaluated once.

    Examples
    --------
    >>> import polars as pl
    >>> import polars_grad as pg
    >>> df = pl.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0]})
    >>> df.select(pg.hessian_of(lambda x, y: x**2 * y, wrt=["x", "y"]).alias("h"))["h"].to_list()[0]
    {'x': {'x': 6.0, 'y': 2.0}, 'y': {'x': 2.0, 'y': 0.0}}
    """
    variables = _variables(wrt)
    formula = _formula(f, variables, needed=())
    # Mixed derivatives are the same in both orders: one of them is enough.
    pairs = list(combinations_with_replacement(variables, 2))
    second = dict(zip(pairs, formula.like([formula.derivative(*pair) for pair in pairs]), strict=True))
    rows = [[second.get((row, column)) or second[column, row] for column in variables] for row in variables]
    return formula.expression(formula.by_name(list(map(formula.by_name, rows))))


@dataclass(frozen=True)
class _Formula:
    """A formula that is read."""

    tree: Node
    variables: list[Variable]
    name: str

    def derivative(self, *variables: Variable) -> Node:
        """Return the derivative with respect to one variable after the other."""
        for each in variables:
            if each not in self.tree.variables:
                # Not a constant, so that a column that does not exist is an error.
                return node("zero", detail=each)
        return reduce(rules.derivative, variables, self.tree)

    def like(self, results: list[Node]) -> list[Node]:
        """Return results that are null where the formula is, with its dtype and its height."""
        return build.null_as(self.tree, results, [node("variable", detail=each) for each in self.variables])

    def by_name(self, results: list[Node]) -> Node:
        """Return a struct with a result for each variable."""
        return node("struct", *results, detail=tuple(each.name for each in self.variables))

    def expression(self, result: Node) -> pl.Expr:
        """Return the expression of a result, named like the formula."""
        return build.expression(result).alias(self.name)


def _listed(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(map(repr, names[:_MOST_NAMES]))
    more = len(names) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def _formula(f: Any, variables: list[Variable], *, needed: Sequence[Variable]) -> _Formula:
    """Read an expression, which must contain a variable and those needed, or what a function returns."""
    expr = f if isinstance(f, pl.Expr) else _called(f, [each.expr for each in variables])
    tree = _nodes.read(expr, variables)
    expected = needed if tree.variables else variables
    missing = [each.name for each in expected if each not in tree.variables]
    if missing and isinstance(f, pl.Expr):
        columns = list(dict.fromkeys(expr.meta.root_names()))
        has = f"its columns are {_listed(columns)}" if columns else "it has no column"
        msg = (
            f"`f` does not contain {', '.join(map(repr, missing))}, {has}; for the derivative of samples in a column "
            "use `gradient(y, x=...)`"
        )
        raise ValueError(msg)
    return _Formula(tree, variables, _name_of(expr))


def _called(f: Any, arguments: list[pl.Expr]) -> pl.Expr:
    """Call a function with expressions, and return the expression that it returns."""
    if not callable(f):
        hint = f"; for a column use `pl.col({f!r})`" if isinstance(f, str) else ""
        hint = "; for the derivative of samples use `gradient(y, x=...)`" if isinstance(f, pl.Series) else hint
        msg = (
            '`f` must be an expression such as `pl.col("x").sin()` or a function such as `lambda x: x.sin()`, got '
            f"{type(f).__name__}{hint}"
        )
        raise TypeError(msg)
    _check_arguments(f, len(arguments))
    try:
        result = f(*arguments)
    except TypeError as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        msg = (
            f"`f` fails on an expression ({reason}); use the methods of expressions, such as `x.sin()` and "
            "`pl.when(...)`, instead of `math.sin(x)` and `if`"
        )
        raise TypeError(msg) from error
    if isinstance(result, pl.Expr):
        return result
    if is_number(result):
        return pl.lit(nearest_float(result))
    hint = "; is a `return` missing?" if result is None else ""
    msg = f"`f` must return an expression or a number, got {type(result).__name__}{hint}"
    raise TypeError(msg)


def _check_arguments(f: Callable[..., Any], count: int) -> None:
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        # Not known of functions that are not written in Python.
        return
    try:
        signature.bind(*range(count))
    except TypeError as error:
        msg = f"`f` must take as many arguments as `wrt` has columns, {count}, but its signature is {signature}"
        raise TypeError(msg) from error


def _numeric(f: Any, variable: Variable, order: int) -> pl.Expr:
    if isinstance(f, pl.Expr):
        msg = (
            '`method="numeric"` evaluates `f` beside each row, so `f` must be a function such as `lambda x: x.sin()`, '
            "got an expression"
        )
        raise TypeError(msg)
    if order > numeric.LARGEST_ORDER:
        msg = f'`order` must be at most {numeric.LARGEST_ORDER} with `method="numeric"`, got {order}'
        raise ValueError(msg)
    name = _name_of(_called(f, [variable.expr]))
    result = numeric.derivative(lambda x: _called(f, [x]), build.as_float(variable.expr), order)
    return result.alias(name)


def _variables(wrt: Any) -> list[Variable]:
    given = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    variables = [_variable(each) for each in given]
    if len({*variables}) < len(variables) or not variables:
        names = ", ".join(repr(each.name) for each in variables) or "none"
        msg = f"`wrt` must name different columns, at least one, got {names}"
        raise ValueError(msg)
    return variables


def _variable(wrt: Any) -> Variable:
    expr = pl.col(wrt) if isinstance(wrt, str) else wrt
    found = _nodes.variable(expr) if isinstance(expr, pl.Expr) else None
    if found is not None:
        return found
    if not isinstance(expr, pl.Expr):
        several = "; for several columns use `gradient_of`" if isinstance(wrt, (list, tuple)) else ""
        msg = f"`wrt` must be a column, as its name or as `pl.col(name)`, got {type(wrt).__name__}{several}"
        raise TypeError(msg)
    pattern = f"; to Polars {wrt!r} is a pattern, so rename such a column first" if isinstance(wrt, str) else ""
    msg = f"`wrt` must be a single column, as its name or as `pl.col(name)`, got {wrt!s}{pattern}"
    raise ValueError(msg)


def _name_of(expr: pl.Expr) -> str:
    return expr.meta.output_name(raise_if_undetermined=False) or ""
