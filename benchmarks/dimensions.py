"""Arrays in cells and fields on a grid: data, and who computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from agreement import agree
from flat import NUMPY

import polars_grad as pg

if TYPE_CHECKING:
    from rounds import Contenders

VALUES = 10_000_000
WIDTHS = (10, 100, 1_000)
FLAT = "one column of the same values"
ARRAY, LIST = "Array, `axis=1`", "List, `axis=1`"
SHAPES = ((2_000, 2_500), (170, 170, 173))
SORT = "one sort of the frame"
PARTIALS = "partials"


def of_cells(width: int, *, x: bool) -> Contenders:
    """Differentiate inside of cells of so many values: rows a step apart, or with coordinates."""
    rng = np.random.default_rng(0)
    shape = (VALUES // width, width)
    y, t = rng.standard_normal(VALUES), np.cumsum(rng.uniform(0.5, 1.5, VALUES))
    flat = pl.DataFrame({"y": y, "t": t})
    arrays = pl.DataFrame({"y": y.reshape(shape), "t": t.reshape(shape)})
    lists = arrays.select(pl.all().arr.to_list())
    one = t[:width]
    options: dict[str, Any] = {"x": "t"} if x else {}
    inside = pg.gradient("y", axis=1, **options)
    calls: dict[str, Any] = {
        FLAT: lambda: flat.select(pg.gradient("y", **options)),
        ARRAY: lambda: arrays.select(inside),
        LIST: lambda: lists.select(inside),
    }
    if x:
        calls[f"{ARRAY}, one x for all rows"] = lambda: arrays.select(pg.gradient("y", x=one, axis=1))
        calls[f"{NUMPY}, one x for all rows"] = lambda: np.gradient(y.reshape(shape), one, axis=1)
    else:
        calls["Array, `axis=0`"] = lambda: arrays.select(pg.gradient("y"))
        calls[NUMPY] = lambda: np.gradient(y.reshape(shape), axis=1)
    return calls


def check_cells(width: int, computed_by: Contenders) -> None:
    """Stop unless those who do the same agree."""
    inside = {name: call for name, call in computed_by.items() if name != FLAT and "axis=0" not in name}
    one = {name: [answer(call).ravel()] for name, call in inside.items() if "one x" in name}
    others = {name: [answer(call).ravel()] for name, call in inside.items() if "one x" not in name}
    for answers in (one, others):
        if answers:
            agree(f"cells of {width:,}", answers, tolerance=1e-8)


def answer(call: Any) -> Any:
    """Lay out what was computed as an array."""
    result = call()
    return np.vstack(result["y"].to_list()) if isinstance(result, pl.DataFrame) else result


def of_grid(shape: tuple[int, ...], *, shuffled: bool) -> Contenders:
    """Differentiate a field, along each of its coordinates."""
    rng = np.random.default_rng(0)
    axes = [np.cumsum(rng.uniform(0.5, 1.5, length)) for length in shape]
    names = [f"x{axis}" for axis in range(len(shape))]
    coordinates = zip(names, np.meshgrid(*axes, indexing="ij"), strict=True)
    field = rng.standard_normal(shape)
    frame = pl.DataFrame({**{name: x.ravel() for name, x in coordinates}, "f": field.ravel()})
    if shuffled:
        frame = frame.sample(fraction=1, shuffle=True, seed=0)
    partials = pg.partials("f", wrt=names)
    in_order = frame.sort(names).select(partials.struct.unnest())
    expected = [slopes.ravel() for slopes in np.gradient(field, *axes)]
    agree(f"a grid of {shape}", {NUMPY: expected, PARTIALS: in_order}, tolerance=1e-8)
    return {
        SORT: lambda: frame.sort(names),
        PARTIALS: lambda: frame.select(partials),
        f"{NUMPY}, the array in hand": lambda: np.gradient(field, *axes),
    }
