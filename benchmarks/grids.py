"""Fields on a grid, in long format: the partial derivatives along all coordinates."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, Part
from flat import NUMPY
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from rounds import Contenders

SHAPES = ((2_000, 2_500), (170, 170, 173))
SORT = "one sort of the frame"
PARTIALS = "partials"
LIMIT = 3.0
ABOUT = """\
Points in long format, in order and shuffled. The baseline is one sort of the frame by its coordinates, which is fast on
points in order."""


def cases(largest: int) -> list[Case]:
    """Return the case: five million points, or fewer in the same proportion."""
    shapes = [tuple(round(length * (largest / LARGEST) ** (1 / len(shape))) for length in shape) for shape in SHAPES]
    sizes = {
        f"{' x '.join(map(str, shape))}, {'shuffled' if shuffled else 'in order'}": (shape, shuffled)
        for shape in shapes
        for shuffled in (False, True)
    }
    title = f"Fields of about {prod(shapes[0]):,} points"
    return [Case(title, sizes, contenders, [Target(label, PARTIALS, LIMIT, SORT) for label in sizes], rounds=5)]


def contenders(size: tuple[tuple[int, ...], bool]) -> Contenders:
    """Return the contenders on a grid of this shape, in order or shuffled, once their answers agree."""
    shape, shuffled = size
    rng = np.random.default_rng(0)
    axes = [np.cumsum(rng.uniform(0.5, 1.5, length)) for length in shape]
    names = [f"x{axis}" for axis in range(len(shape))]
    coordinates = zip(names, np.meshgrid(*axes, indexing="ij"), strict=True)
    field = rng.standard_normal(shape)
    frame = pl.DataFrame({**{name: x.ravel() for name, x in coordinates}, "f": field.ravel()})
    order = rng.permutation(frame.height) if shuffled else np.arange(frame.height)
    frame = frame[order]
    partials = pg.partials("f", wrt=names)
    expected = [slopes.ravel()[order] for slopes in np.gradient(field, *axes)]
    got = frame.select(partials.struct.unnest())
    agree(f"a grid of {shape}", {NUMPY: expected, PARTIALS: got}, tolerance=1e-8)
    return {
        SORT: lambda: frame.sort(names),
        PARTIALS: lambda: frame.select(partials),
        f"{NUMPY} of the array": lambda: np.gradient(field, *axes),
    }


PART = Part("Fields on a grid", ABOUT, cases)
