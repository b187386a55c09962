"""The operators that a function of whole frames is called with: which expressions these are, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from polars_grad._batches.stitch import Column, Operator
from polars_grad._engine.operator import OperatorExpr, spec_of
from polars_grad._engine.plugin import is_on_grid, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from polars_grad._engine.operator import Spec


def specs_of(function: str, exprs: Iterable[Any], named: Mapping[str, Any]) -> list[Spec]:
    """Return the operators that expressions are."""
    flat = [item for expr in exprs for item in (expr if isinstance(expr, (list, tuple)) else [expr])]
    specs = [
        *(_spec(function, expr) for expr in flat),
        *(_spec(function, expr, name) for name, expr in named.items()),
    ]
    seen = set()
    for spec in specs:
        output = output_of(spec)
        if output in seen:
            msg = f'several operators give a column `{output}`; name them, by `name=...` or `.alias("name")`'
            raise ValueError(msg)
        seen |= {output} - {None}
    return specs


def output_of(spec: Spec) -> str | None:
    """Name of the column that an operator gives, if it is known without the frame."""
    return spec.expression().meta.output_name(raise_if_undetermined=False)


def _spec(function: str, expr: Any, name: str | None = None) -> Spec:
    spec = spec_of(expr)
    if spec is None:
        allowed = f"{function} takes operators such as `pg.gradient(...)`"
        given = "" if name is None else f" for `{name}`"
        if not isinstance(expr, pl.Expr):
            msg = f"{allowed}, got {type(expr).__name__}{given}"
            raise TypeError(msg)
        if isinstance(expr, OperatorExpr):
            msg = f"{allowed} along one axis, got several{given}; give one operator for each axis"
        else:
            if is_on_grid(expr):
                msg = (
                    f"functions of a grid need whole columns{given}, but {function} has a few rows at a time; use them "
                    "in `with_columns` of a frame in memory"
                )
                raise ValueError(msg)
            over = ".over(" in str(expr)
            hint = "; give the keys as `by=`" if over else "; compute other expressions before or after it"
            got = f"got {shown(expr)}{given}{hint}"
            msg = f"{allowed}, with no other method than `alias` and `name` called on them, {got}"
        raise ValueError(msg)
    if not is_inside(spec) and spec.extent == "segment":
        (operator,) = spec.operator
        msg = (
            f"`{operator}` needs whole segments, but {function} has a few rows at a time; use it in `with_columns` of "
            "a frame in memory"
        )
        raise ValueError(msg)
    if not is_inside(spec) and "x_period" in spec.domain:
        msg = (
            f"`x_period` makes the last row stand before the first, but {function} has a few rows at a time; use it in "
            "`with_columns` of a frame in memory"
        )
        raise ValueError(msg)
    return spec if name is None else _spec(function, spec.expression().alias(name))


def shared(function: str, specs: Sequence[Spec]) -> tuple[pl.Expr | None, tuple[pl.Expr, ...]]:
    """Return the x and the keys that operators down the rows have in common."""
    down = [spec for spec in specs if not is_inside(spec)]
    with_x = [spec.x for spec in down if spec.x is not None]
    for x in with_x[1:]:
        if not x.meta.eq(with_x[0]):
            raise ValueError(_differ(function, "x", with_x[0], x))
    for spec in down[1:]:
        same = len(spec.by) == len(down[0].by) and all(
            key.meta.eq(other) for key, other in zip(spec.by, down[0].by, strict=True)
        )
        if not same:
            raise ValueError(_differ(function, "by", *map(_listed, (down[0].by, spec.by))))
    return with_x[0] if with_x else None, down[0].by if down else ()


def _differ(function: str, argument: str, one: Any, other: Any) -> str:
    both = " and ".join(shown(each) if isinstance(each, pl.Expr) else each for each in (one, other))
    return f"operators in one {function} must share `{argument}`, got {both}; use one call for each"


def _listed(keys: Sequence[pl.Expr]) -> str:
    return f"[{', '.join(map(shown, keys))}]" if keys else "none"


def is_inside(spec: Spec) -> bool:
    """Tell whether an operator stays inside of cells, so that no row reads another."""
    return bool(spec.domain.get("axis", 0) != 0)


def along_cells(spec: Spec) -> pl.Series | None:
    """Return the coordinates along an axis inside of cells, where they are the same for all rows."""
    if not is_inside(spec) or spec.x is None or spec.x.meta.root_names():
        return None
    coordinates = pl.select(spec.x).to_series()
    return coordinates if len(coordinates) == 1 else None


def operators_of(
    spec: Spec,
    y: Iterable[Column],
    x: Column | pl.Series | None,
    by: tuple[Column, ...],
    outputs: Iterable[str],
    *,
    sigma: Column | None = None,
) -> list[Operator]:
    """Apply a spec to columns of batches, each of which gives an output."""
    inside = is_inside(spec)
    # An operator that needs whole segments has been refused.
    extent = "rows" if inside else spec.extent
    reach = (0, 0) if inside else _ORDER_OF_THREE if extent == "before" else spec.reach or (0, 0)
    skips = not inside and spec.domain.get("nulls") == "skip"
    merges = not inside and spec.domain.get("duplicates", "error") != "error"
    return [
        Operator(column, x, by, output, spec.kwargs, reach, skips, merges, extent, sigma, spec.weighs)
        for column, output in zip(y, outputs, strict=True)
    ]


# Of the rows that it has passed, an operator reads the last to go on, and one more to see whether x turns.
_ORDER_OF_THREE = (2, 0)


def named_operators(
    function: str, exprs: Iterable[Any], named: Mapping[str, Any]
) -> tuple[list[Operator], Column | None, tuple[Column, ...]]:
    """Return operators, the x and the keys that they share, where all columns are given by name."""
    specs = specs_of(function, exprs, named)

    def column(argument: str, value: pl.Expr, output: str | None) -> Column:
        if not value.meta.is_column():
            msg = (
                f"`{argument}` of `{output}` must be the name of a column in {function}, got {shown(value)}; "
                "compute it first, as a column of the frame"
            )
            raise ValueError(msg)
        return Column(value.meta.output_name(), value.meta.output_name())

    operators = []
    for spec in specs:
        output = output_of(spec)
        y = column("y", spec.y, output)
        by = tuple(column("by", key, output) for key in spec.by)
        along: Column | pl.Series | None = along_cells(spec)
        if along is None and spec.x is not None:
            along = column("x", spec.x, output)
        sigma = None if spec.sigma is None else column("sigma", spec.sigma, output)
        operators += operators_of(spec, [y], along, by, [str(output)], sigma=sigma)
    x, keys = shared(function, specs)
    # They are columns, as those of each operator are.
    return operators, None if x is None else column("x", x, None), tuple(column("by", key, None) for key in keys)


def flag(name: str, value: Any) -> bool:
    """Check an option that shares its name with what could be a column."""
    if not isinstance(value, bool):
        hint = f'; a column of this name is made by `.alias("{name}")`' if isinstance(value, pl.Expr) else ""
        msg = f"`{name}` must be True or False, got {value if not hint else type(value).__name__}{hint}"
        raise TypeError(msg)
    return value


def names_of(argument: str, value: Any) -> list[str]:
    """Return the names of no, one or several columns."""
    names = [] if value is None else [*value] if isinstance(value, (list, tuple)) else [value]
    for name in names:
        if not isinstance(name, str):
            hint = f'; a column of this name is made by `.alias("{argument}")`' if isinstance(name, pl.Expr) else ""
            msg = f"`{argument}` must be the name of a column, or a list of names, got {type(name).__name__}{hint}"
            raise TypeError(msg)
    return names
