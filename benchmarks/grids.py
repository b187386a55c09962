"""Fields on a grid, in long format: the partial derivatives along all coordinates, on a plane and on a sphere."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import TYPE_CHECKING, Any

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
# Longitudes and latitudes.
GLOBE = (3_160, 1_580)
ON_SPHERE = 'metric="sphere"'
SPHERE_LIMIT = 1.5
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
    plane = Case(title, sizes, contenders, [Target(label, PARTIALS, LIMIT, SORT) for label in sizes], rounds=5)
    return [plane, _globe(largest)]


def _globe(largest: int) -> Case:
    longitudes, latitudes = (round(length * (largest / LARGEST) ** 0.5) for length in GLOBE)
    label = f"{longitudes} x {latitudes}, shuffled"
    targets = [Target(label, f"{name}({ON_SPHERE})", SPHERE_LIMIT, name) for name in (PARTIALS, *OTHERS)]
    title = f"Fields of about {GLOBE[0] * GLOBE[1]:,} points on a globe"
    return Case(title, {label: (longitudes, latitudes)}, on_globe, targets, rounds=5)


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


OTHERS = ("magnitude", "divergence", "curl", "laplacian")


def on_globe(shape: tuple[int, int]) -> Contenders:
    """Return the functions of a grid on longitudes and latitudes as lengths, and as what they are."""
    rng = np.random.default_rng(0)
    lon, lat = np.arange(shape[0]) * 360 / shape[0], (np.arange(shape[1]) + 0.5) * 180 / shape[1] - 90
    u, v = rng.standard_normal((2, *shape))
    columns = {"lon": np.repeat(lon, shape[1]), "lat": np.tile(lat, shape[0]), "u": u.ravel(), "v": v.ravel()}
    order = rng.permutation(u.size)
    frame = pl.DataFrame(columns)[order]
    wind = pl.struct("u", "v")
    plain: dict[str, Any] = {"wrt": ["lon", "lat"]}
    sphere = {**plain, "metric": "sphere", "radius": 1.0}
    parallel = np.cos(np.radians(lat))
    across = np.gradient(u, np.radians(lon), axis=0) / parallel
    up = np.gradient(v * parallel, np.radians(lat), axis=1) / parallel
    # Terms that cancel are compared by their size.
    size = (np.abs(across) + np.abs(up)).ravel()[order]
    expected = [(across + up).ravel()[order] / size]
    got = [frame.select(pg.divergence(wind, **sphere)).to_series().to_numpy() / size]
    agree("a globe", {NUMPY: expected, ON_SPHERE: got}, tolerance=1e-9)
    contenders: Contenders = {}
    for name in (PARTIALS, *OTHERS):
        function, field = getattr(pg, name), wind if name in ("divergence", "curl") else pl.col("u")
        for label, domain in ((name, plain), (f"{name}({ON_SPHERE})", sphere)):
            contenders[label] = partial(frame.select, function(field, **domain))
    return contenders


PART = Part("Fields on a grid", ABOUT, cases)
