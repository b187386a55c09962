"""Docstrings and signatures, put together from what functions share."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, TypeVar

from polars_grad._engine.domain import ARGUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polars_grad._engine.domain import Argument

    Function = TypeVar("Function", bound=Callable[..., Any])

# Arguments of several functions that are not of the domain. Those of one function are described in its docstring. What
# follows a dot tells texts for one argument apart.
PARAMETERS = {
    "y": """
        The column: a name, an expression, a Series or a 1-D array. Any integer, float or Decimal, or a Date, Datetime,
        Duration or Time; or Lists or Arrays of these, of any depth. A literal or an aggregation is a column of the
        height of the frame or group.
        """,
    "y.amounts": """
        The column: a name, an expression, a Series or a 1-D array. Any integer, float, Decimal or Duration; or Lists or
        Arrays of these, of any depth. A literal or an aggregation is a column of the height of the frame or group.
        """,
    "y.numbers": """
        The column: a name, an expression, a Series or a 1-D array. Any integer, float or Decimal; or Lists or Arrays of
        these, of any depth. A literal or an aggregation is a column of the height of the frame or group.
        """,
    "x": """
        The coordinate: a name, an expression, a Series or a 1-D array, of any integer, float, Decimal, temporal or
        Boolean dtype. It must strictly rise or fall within each segment. None takes rows to be one step apart. For `y`
        of cells it may also be a column of the shape of `y`, with a coordinate for each value. Inside of cells (`axis`
        1 and further): a List or Array column with the coordinates along the axis in each row, or a sequence of them
        for all rows. For several axes a tuple of these.
        """,
    "edge_order": """
        The order of accuracy at the two ends of a segment, 1 or 2. A segment with fewer than `edge_order + 1` rows is
        null.
        """,
    "reset": """
        What a fall of `y` is, unless it wraps around.

        - "restart": the counter started again from zero, so that it gained its own value. A fall to a negative value is
          null.
        - "null": the gain is unknown, and null.
        """,
    "wrap": """
        The number at which the counter wraps around to zero, such as `2**32`; or "u8", "u16", "u32" or "u64". For a
        Duration a timedelta or a duration string. A fall is a wrap-around if the gain is then less than half of `wrap`,
        else a reset.
        """,
    "max_rate": """
        The highest rate that is possible, in the unit of :func:`polars_grad.rate`; a timedelta or a duration string
        where that is a Duration. A row whose rate is above it is null.
        """,
    "sigma": """
        The standard deviation of `y`, in its unit, from which the standard error is computed; without it that is
        estimated from the residuals. One for all rows, with `with_error=True` only: a number, or for a temporal `y` a
        timedelta or a duration string. Or one for each row, by which rows are weighed: the name of a column, an
        expression, a Series or a 1-D array, of numbers or, for a temporal `y`, of Durations; for a `y` of cells of the
        shape of `y`. A string such as "3ms" is a duration; a column of such a name is `pl.col("3ms")`.
        """,
}

# What methods of a Series take instead.
OF_SERIES = {
    "x": """
        The coordinate: a Series, an array or a list with one value for each of `y`, of any integer, float, Decimal,
        temporal or Boolean dtype. It must strictly rise or fall within each segment. None takes rows to be one step
        apart. Inside of cells (`axis` 1 and further): a List or Array Series with the coordinates in each row, or a
        sequence of the coordinates along the axis. For several axes a tuple of these.
        """,
    "sigma": """
        The standard deviation of the values, in their unit. One for all of them, with `with_error=True` only: a number,
        or for a temporal series a timedelta or a duration string. Or one for each: a Series, an array or a list, of
        numbers or, for a temporal series, of Durations; a fit then weighs each value by 1/sigma².
        """,
    "by": """
        Evaluate each group by itself: a Series, an array or a list of keys, one for each value of `y`, or a list of
        several Series. Rows with equal keys form a group, wherever they stand. A null is a key like any other.
        """,
}

# Parts of sections.
SECTIONS = {
    "errors": """
        TypeError, ValueError
            At once, if an argument is not one of those allowed.
        polars.exceptions.ComputeError
            When the query is planned: if `y` or `x` has another dtype than those above, if `per` is given and `x` is
            not temporal, if `max_gap` is of another kind than `x`, or if `y` has no such axis. When it runs, with
            `strict`: if `x` is not strictly monotonic within a segment, or if cells that belong together differ in
            length.
        """,
    "notes": """
        A segment is a run of rows that belong together: the column, or the group, cut at `max_gap` and, with
        `nulls="split"`, at nulls. No result reads beyond its segment.

        Integers and times are subtracted as integers: nothing wraps around, and nanoseconds since 1970 keep every
        digit.

        Cells: a null in a cell is null in the result, and a null cell counts as a cell of nulls for the rows beside it.
        Down the rows, cells of different lengths are an error, or null with `strict=False`, as are coordinates whose
        number is not that of the values in their cell. Inside of cells rows do not depend on each other.

        The result has the same bits in `select`, `with_columns`, `filter`, `over`, `agg`, `when` and `list.eval`, on
        every engine and for any chunks. An expression given as `y` or `x` is evaluated once.

        `by="id"` gives the rows that `.over("id")` gives, in one pass over all groups, while `over` calls the plugin
        once for each group. Use `by` for many groups, and `over` for its `order_by` and inside of other window
        expressions.

        `by` and `nulls="skip"` need whole columns: the streaming engine holds `y`, `x`, the keys and the result in
        memory. So does a `y` or an `x` that contains an operator of this package. Interleaved groups, and columns with
        skipped rows, take 4 bytes a row besides. For data larger than memory see `LazyFrame.grad.with_columns`.
        """,
}

_PLACEHOLDER = re.compile(r"^<([\w.]+)>$", re.MULTILINE)
_PARAMETER = re.compile(r"^\*?(\w+)\n((?:(?: .*)?\n)*)", re.MULTILINE)


def documented(
    domain: type, arguments: Mapping[str, Argument] = ARGUMENTS, *, parameters: Mapping[str, str] = PARAMETERS
) -> Callable[[Function], Function]:
    """
    Complete a function whose `**` are the arguments of a domain.

    In its docstring a line `<name>` is replaced with the shared text of that name, and `<domain>` with the arguments of
    the domain. Its signature has each of these by name, with its default.
    """
    shared = {name: argument for name, argument in arguments.items() if name in domain.__annotations__}
    texts = {**parameters, **{name: argument.text for name, argument in shared.items()}}

    def text_of(placeholder: re.Match[str]) -> str:
        name = placeholder[1]
        if name in SECTIONS:
            return inspect.cleandoc(SECTIONS[name])
        return "\n".join(_paragraph(name, texts[name]) for name in ([*shared] if name == "domain" else [name]))

    def complete(function: Function) -> Function:
        if function.__doc__ is not None:
            function.__doc__ = _PLACEHOLDER.sub(text_of, inspect.cleandoc(function.__doc__))
        function.__signature__ = _signature(function, domain, shared)  # type: ignore[attr-defined]
        return function

    return complete


def _paragraph(name: str, text: str) -> str:
    lines = inspect.cleandoc(text).splitlines()
    return "\n".join([name.partition(".")[0], *(f"    {line}" if line else "" for line in lines)])


def _signature(function: Callable[..., Any], domain: type, shared: Mapping[str, Argument]) -> inspect.Signature:
    own = inspect.signature(function)
    parameters = [each for each in own.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    for name, argument in shared.items():
        annotation = domain.__annotations__[name]
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=argument.default,
                annotation=getattr(annotation, "__forward_arg__", annotation),
            )
        )
    return own.replace(parameters=parameters)


def method_of(
    function: Callable[..., Any],
    call: Callable[..., Any],
    *,
    subject: str,
    texts: Mapping[str, str],
    returns: str | None,
) -> Callable[..., Any]:
    """
    Complete a method that calls a function with its own object as the first argument.

    The method is documented as the function is, without the first argument and with `texts` for some of the others.
    """
    signature = inspect.signature(function)
    first, *rest = signature.parameters.values()
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = signature.replace(parameters=[this, *rest])
    if returns is not None:
        signature = signature.replace(return_annotation=f"pl.{returns}")
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__name__ = function.__name__
    if function.__doc__ is not None:
        text = _without(inspect.cleandoc(function.__doc__), first.name, subject, texts)
        call.__doc__ = text.replace("\n-------\nExpr\n", f"\n-------\n{returns or 'Expr'}\n", 1)
    return call


def _without(text: str, first: str, subject: str, texts: Mapping[str, str]) -> str:
    head, parameters, tail = re.split(r"(?<=\nParameters\n----------\n)|(?=\nReturns\n-------\n)", text, maxsplit=2)

    def paragraph(match: re.Match[str]) -> str:
        name = match[1]
        if name == first:
            return ""
        return f"{_paragraph(name, texts[name])}\n" if name in texts else match[0]

    summary, blank, rest = head.partition("\n\n")
    return f"{summary}{blank}`{first}` is {subject}.{blank}{rest}{_PARAMETER.sub(paragraph, parameters)}{tail}"
