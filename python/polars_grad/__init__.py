"""
Derivatives of tabular data: `numpy.gradient` for Polars.

Importing the package registers the namespace `grad` on expressions and series.

Examples
--------
>>> import polars as pl
>>> import polars_grad as pg
>>> pl.DataFrame({"y": [1, 4, 9]}).select(pl.col("y").grad.gradient())["y"].to_list()
[3.0, 4.0, 5.0]
"""

from polars_grad.functions import gradient
from polars_grad.namespace import ExprGrad, SeriesGrad

__all__ = ["ExprGrad", "SeriesGrad", "gradient"]
