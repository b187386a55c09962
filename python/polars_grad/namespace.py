"""The namespace `grad` on expressions, series and lazy frames: a method calls the function of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from polars_grad._engine.documentation import OF_SERIES
from polars_grad._engine.methods import Method, Namespace, OperatorMethod, Own_co
from polars_grad._engine.operator import OperatorExpr
from polars_grad._engine.series import Eager
from polars_grad.frames import with_columns
from polars_grad.grid import curl, divergence, laplacian, magnitude, partials
from polars_grad.operators.derivative import derivative
from polars_grad.operators.gradient import gradient
from polars_grad.operators.increase import increase
from polars_grad.operators.integral import integral
from polars_grad.operators.rate import rate
from polars_grad.operators.rolling_slope import rolling_slope
from polars_grad.operators.savgol import savgol
from polars_grad.operators.turning_points import turning_points

if TYPE_CHECKING:
    from typing import ClassVar

__all__ = ["ExprGrad", "LazyFrameGrad", "SeriesGrad"]


class _Operators(Namespace[Own_co]):
    """The operators, as methods of expressions and of series."""

    derivative = OperatorMethod(derivative)
    gradient = OperatorMethod(gradient)
    increase = OperatorMethod(increase)
    integral = OperatorMethod(integral)
    rate = OperatorMethod(rate)
    rolling_slope = OperatorMethod(rolling_slope)
    savgol = OperatorMethod(savgol)
    turning_points = OperatorMethod(turning_points)


@pl.api.register_expr_namespace("grad")
class ExprGrad(_Operators[OperatorExpr]):
    """Derivatives of an expression: `pl.col("y").grad`."""

    subject: ClassVar = "the expression that the method is called on"

    curl = Method(curl)
    divergence = Method(divergence)
    laplacian = Method(laplacian)
    magnitude = Method(magnitude)
    partials = Method(partials)


@pl.api.register_series_namespace("grad")
class SeriesGrad(_Operators[pl.Series]):
    """Derivatives of a series: `pl.Series(...).grad`."""

    subject: ClassVar = "the series that the method is called on, and the result is a series"
    returns: ClassVar = "Series"
    texts: ClassVar = OF_SERIES

    def __init__(self, series: pl.Series) -> None:
        super().__init__(Eager(series))


@pl.api.register_lazyframe_namespace("grad")
class LazyFrameGrad(Namespace[pl.LazyFrame]):
    """Operators on columns of a lazy frame of any size: `lf.grad`."""

    subject: ClassVar = "the lazy frame that the method is called on"

    with_columns = Method(with_columns)
