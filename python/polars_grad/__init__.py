"""
Derivatives of tabular data: `numpy.gradient` for Polars.

Importing the package registers the namespace `grad` on expressions, series and lazy frames.

Examples
--------
>>> import polars as pl
>>> import polars_grad as pg
>>> pl.DataFrame({"y": [1, 4, 9]}).select(pl.col("y").grad.gradient())["y"].to_list()
[3.0, 4.0, 5.0]
"""

from polars_grad.batches import stitch
from polars_grad.formula import derivative_of, gradient_of, hessian_of
from polars_grad.grid import curl, divergence, laplacian, magnitude, partials
from polars_grad.horizontal import gradient_horizontal
from polars_grad.namespace import ExprGrad, LazyFrameGrad, SeriesGrad
from polars_grad.operators.derivative import derivative
from polars_grad.operators.gradient import gradient
from polars_grad.operators.increase import increase
from polars_grad.operators.integral import integral
from polars_grad.operators.rate import rate
from polars_grad.operators.rolling_slope import rolling_slope
from polars_grad.operators.savgol import savgol
from polars_grad.operators.turning_points import turning_points
from polars_grad.versions import __version__ as __version__
from polars_grad.versions import show_versions

__all__ = [
    "ExprGrad",
    "LazyFrameGrad",
    "SeriesGrad",
    "curl",
    "derivative",
    "derivative_of",
    "divergence",
    "gradient",
    "gradient_horizontal",
    "gradient_of",
    "hessian_of",
    "increase",
    "integral",
    "laplacian",
    "magnitude",
    "partials",
    "rate",
    "rolling_slope",
    "savgol",
    "show_versions",
    "stitch",
    "turning_points",
]
