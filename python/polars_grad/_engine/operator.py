"""Operators: what a function of one returns, and how it registers."""
# ruff: noqa: SLF001 (a subclass sets and reads what its base class has)

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
from polars.expr.name import ExprNameNameSpace

from polars_grad._engine import columns as _columns
from polars_grad._engine import domain as _domain
from polars_grad._engine import plugin as _plugin
from polars_grad._engine import series as _series
from polars_grad._engine import sigma as _sigma
from polars_grad._engine.documentation import documented

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Function = TypeVar("Function", bound=Callable[..., "OperatorExpr"])

# Every operator, by name.
OPERATORS: dict[str, Callable[..., OperatorExpr]] = {}
# The arguments that each shares with others.
DOMAINS: dict[str, type] = {}


def operator(domain: type) -> Callable[[Function], Function]:
    """Register the function of an operator, and complete its docstring and its signature by those of a domain."""

    def register(function: Function) -> Function:
        OPERATORS[function.__name__] = function
        DOMAINS[function.__name__] = domain
        return documented(domain)(function)

    return register


def apply(
    name: str,
    options: Mapping[str, Any],
    y: Any,
    x: Any,
    domain: Mapping[str, Any],
    *,
    sigma: Any = None,
    weighs: bool = False,
) -> OperatorExpr:
    """
    Return the operator of this name, with its options, on columns and a domain as users give them.

    `weighs` says whether it weighs rows by a column `sigma`. On an `Eager` series it is evaluated at once, and the
    result is a series.
    """
    allowed = DOMAINS[name].__annotations__
    axis = domain.get("axis", 0)
    if isinstance(axis, (tuple, list)) and not isinstance(y, _series.Eager):
        return _along_axes(name, options, y, x, domain, sigma=sigma, weighs=weighs)
    options, deviations = _sigma.split(sigma, options, weighs=weighs)
    if isinstance(y, _series.Eager):
        return _series.evaluated(  # type: ignore[return-value]
            name, options, y.series, x, domain, allowed=allowed, sigma=deviations
        )
    checked = _domain.checked(name, domain, has_x=x is not None, allowed=allowed)
    values = _columns.column("y", y)
    inside = checked.get("axis", 0) != 0
    coordinate = None if x is None else _columns.coordinates(x) if inside else _columns.column("x", x)
    by = domain.get("by")
    keys = () if by is None else tuple(_columns.keys("by", by))
    deviation = None if deviations is None else _columns.column("sigma", deviations, _sigma.ALLOWED)
    return Spec({name: options}, checked, values, coordinate, keys, deviation, weighs).expression()


def _along_axes(
    name: str, options: Mapping[str, Any], y: Any, x: Any, domain: Mapping[str, Any], **sigma: Any
) -> OperatorExpr:
    parts = _domain.each_axis(domain, x)
    results = [apply(name, options, y, x, own, **sigma) for x, own in parts]
    # It reads along several axes at once, which is no single operator to those who ask for its specification.
    return OperatorExpr.of(_plugin.fields([*results], [f"axis_{own['axis']}" for _, own in parts]), None)


@dataclass(frozen=True, eq=False)
class Spec:
    """An operator and the columns that it is evaluated on."""

    operator: Mapping[str, Any]
    """The name of the operator, and its options."""
    domain: Mapping[str, Any]
    """The domain without columns, as the plugin takes it: what differs from the defaults."""
    y: pl.Expr
    x: pl.Expr | None = None
    by: tuple[pl.Expr, ...] = ()
    sigma: pl.Expr | None = None
    weighs: bool = False
    """Whether rows are weighed by sigma, so that one without it counts as null."""
    rename: tuple[Callable[[pl.Expr], pl.Expr], ...] = field(default=())
    """The calls of `alias` and the methods of `name` on the result, in their order."""

    def expression(self) -> OperatorExpr:
        """Return the expression anew, built of these columns and renamed."""
        columns = [column for column in (self.y, self.x, self.sigma) if column is not None]
        expr = _plugin.evaluated(columns, self.by, self.kwargs)
        for rename in self.rename:
            expr = rename(expr)
        return OperatorExpr.of(expr, self)

    def on(self, y: pl.Expr, x: pl.Expr | None, by: tuple[pl.Expr, ...]) -> Spec:
        """Return the same operator on other columns."""
        return replace(self, y=y, x=x, by=tuple(by))

    @property
    def reach(self) -> tuple[int, int] | None:
        """The number of rows before and after its own that the operator reads; None if it is no number of rows."""
        return _plugin.extent(self.kwargs)[2]

    @property
    def extent(self) -> str:
        """What the operator reads: "rows", "lengths" of x, all rows "before" its own, or the whole "segment"."""
        return _plugin.extent(self.kwargs)[1]

    @property
    def kwargs(self) -> dict[str, Any]:
        """The operator and its domain, as the plugin takes them."""
        columns = {} if self.sigma is None else {"has_sigma": True}
        return {"operator": self.operator, "domain": self.domain, **columns}


class OperatorExpr(pl.Expr):
    """
    The expression of an operator, which knows what it is.

    `alias`, the methods of `name`, copies and pickles keep that. Every other method gives an ordinary expression.
    """

    _spec: Spec | None

    @classmethod
    def of(cls, expr: pl.Expr, spec: Spec | None) -> OperatorExpr:
        """Return an expression with what it is."""
        new = cls.__new__(cls)
        new._pyexpr = expr._pyexpr
        new._spec = spec
        return new

    @classmethod
    def _from_pyexpr(cls, pyexpr: Any) -> pl.Expr:
        # Methods of Polars make their results by it.
        return pl.Expr._from_pyexpr(pyexpr)

    def plain(self) -> pl.Expr:
        """Return the expression alone."""
        return pl.Expr._from_pyexpr(self._pyexpr)

    def alias(self, name: str) -> OperatorExpr:
        """Rename the result."""
        return self._renamed(Rename("alias", (name,)))

    @property
    def name(self) -> _Names:
        """Rename the result in other ways."""
        return _Names(self)

    def _renamed(self, rename: Rename) -> OperatorExpr:
        spec = None if self._spec is None else replace(self._spec, rename=(*self._spec.rename, rename))
        return self.of(rename(self.plain()), spec)

    def __copy__(self) -> OperatorExpr:
        return self.of(self, self._spec)

    def __deepcopy__(self, memo: dict[int, Any]) -> OperatorExpr:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        return OperatorExpr.of, (self.plain(), self._spec)


# Shown by `help` as for any expression.
OperatorExpr.alias.__doc__ = pl.Expr.alias.__doc__


def spec_of(expr: Any) -> Spec | None:
    """Return the operator that an expression is; None for any other expression, and what is none."""
    return expr._spec if isinstance(expr, OperatorExpr) else None


class Rename:
    """A call of `alias`, or of a method of `name`, on an expression."""

    def __init__(self, method: str, arguments: tuple[Any, ...], options: Mapping[str, Any] | None = None) -> None:
        self.method = method
        self.arguments = arguments
        self.options = dict(options or {})

    def __call__(self, expr: pl.Expr) -> pl.Expr:
        """Return the expression renamed."""
        target = expr if self.method == "alias" else expr.name
        renamed: pl.Expr = getattr(target, self.method)(*self.arguments, **self.options)
        return renamed

    def __reduce__(self) -> tuple[Any, ...]:
        return _loaded, (self.method, _dumped((self.arguments, self.options)))


def _dumped(arguments: Any) -> bytes:
    try:
        return pickle.dumps(arguments)
    except (AttributeError, TypeError, pickle.PicklingError):
        # A lambda given to `name.map`: what Polars pickles it with.
        dumped: bytes = import_module("cloudpickle").dumps(arguments)
        return dumped


def _loaded(method: str, dumped: bytes) -> Rename:
    return Rename(method, *pickle.loads(dumped))  # noqa: S301, part of a pickle


class _Names(ExprNameNameSpace):
    """The namespace `name`, whose methods rename an operator."""

    def __init__(self, expr: OperatorExpr) -> None:
        super().__init__(expr)
        self._expr = expr

    if TYPE_CHECKING:

        def keep(self) -> OperatorExpr: ...
        def map(self, function: Callable[[str], str]) -> OperatorExpr: ...
        def map_fields(self, function: Callable[[str], str]) -> OperatorExpr: ...
        def prefix(self, prefix: str) -> OperatorExpr: ...
        def prefix_fields(self, prefix: str) -> OperatorExpr: ...
        def replace(self, pattern: str, value: str, *, literal: bool = False) -> OperatorExpr: ...
        def strip_prefix(self, prefix: str) -> OperatorExpr: ...
        def strip_suffix(self, suffix: str) -> OperatorExpr: ...
        def suffix(self, suffix: str) -> OperatorExpr: ...
        def suffix_fields(self, suffix: str) -> OperatorExpr: ...
        def to_lowercase(self) -> OperatorExpr: ...
        def to_uppercase(self) -> OperatorExpr: ...


def _renaming(method: str) -> Callable[..., OperatorExpr]:
    def rename(names: _Names, *arguments: Any, **options: Any) -> OperatorExpr:
        return names._expr._renamed(Rename(method, arguments, options))

    rename.__name__ = method
    rename.__doc__ = getattr(ExprNameNameSpace, method).__doc__
    return rename


for _method in vars(ExprNameNameSpace):
    if not _method.startswith("_"):
        setattr(_Names, _method, _renaming(_method))
