"""The slope of the Cumberland Mountains at the Jacksboro fault, and its direction, from elevations on a grid."""

from __future__ import annotations

from math import cos, radians
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from matplotlib.cbook import get_sample_data
from matplotlib.colors import LightSource
from PIL import Image

import polars_grad as pg

HERE = Path(__file__).parent
METRES_PER_DEGREE = 111_195  # on a sphere of 6371 km


def elevations() -> pl.DataFrame:
    """
    Read elevations in metres: one row per point of a grid of three seconds of arc.

    The data is a sample of the Shuttle Radar Topography Mission (public domain) that comes with matplotlib. Degrees are
    converted to metres with the length of a degree at the middle of the map; the error is below half a percent.
    """
    dem = get_sample_data("jacksboro_fault_dem.npz")
    rows, columns = dem["elevation"].shape
    # The file states its northern edge as the southern one: Cross Mountain, 1077 m, is at 36.198° N.
    middle = dem["ymax"] - dem["dy"] * rows / 2
    north = np.arange(rows)[::-1] * dem["dy"] * METRES_PER_DEGREE
    east = np.arange(columns) * dem["dx"] * METRES_PER_DEGREE * cos(radians(middle))
    north, east = np.meshgrid(north, east, indexing="ij")
    return pl.DataFrame({"east": east.ravel(), "north": north.ravel(), "elevation": dem["elevation"].ravel()})


def with_slope(points: pl.DataFrame) -> pl.DataFrame:
    """Add the rise per metre to the east and to the north, and the slope in degrees."""
    place = ["east", "north"]
    return points.with_columns(
        pg.partials("elevation", wrt=place).name.prefix_fields("rise_").struct.unnest(),
        slope=pg.magnitude("elevation", wrt=place).arctan().degrees(),
    )


def squares(side: int) -> list[pl.Expr]:
    """Return the keys of squares on the map with sides of `side` metres."""
    return [(pl.col(name) // side).alias(f"{name}_square") for name in ("east", "north")]


def steepest(points: pl.DataFrame, count: int = 5) -> pl.DataFrame:
    """Find the steepest places, at most one per square of two kilometres."""
    places = points.sort("slope", descending=True).group_by(squares(2000), maintain_order=True).first().head(count)
    return places.select(pl.col("east", "north").round(), "elevation", pl.col("slope").round(1))


def chart(points: pl.DataFrame, path: Path) -> None:
    """Draw the slope on shaded relief, with arrows downhill: means over squares of 1500 m."""
    rows = points["north"].n_unique()
    elevation, slope = (points[name].to_numpy().reshape(rows, -1) for name in ("elevation", "slope"))
    extent = [0, points["east"].max() / 1000, 0, points["north"].max() / 1000]
    downhill = points.group_by(squares(1500)).mean()
    mpl.use("agg")
    figure, axes = plt.subplots(figsize=(8, 6.6), layout="constrained")
    image = axes.imshow(slope, cmap="YlOrBr", vmin=0, vmax=40, extent=extent)
    relief = LightSource(315, 45).hillshade(elevation, vert_exag=2, dx=75, dy=93)
    axes.imshow(relief, cmap="gray", alpha=0.35, extent=extent)
    east, north = (downhill[name] / 1000 for name in ("east", "north"))
    across, up = (-downhill[name] for name in ("rise_east", "rise_north"))
    axes.quiver(east, north, across, up, color="#0b3c6f", width=0.0028, scale=6, minlength=0.5)
    axes.set(xlabel="east (km)", ylabel="north (km)", title="Slope at the Jacksboro fault, Tennessee")
    figure.colorbar(image, label="slope (degrees)", shrink=0.8)
    figure.canvas.draw()
    # Fewer colours make a smaller file.
    Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB").quantize(128).save(path, optimize=True)


def main() -> None:
    """Print the steepest places and save the map."""
    points = with_slope(elevations())
    slope = points["slope"]
    print(f"{slope.len()} points, half of them steeper than {slope.median():.0f}°, a tenth {slope.quantile(0.9):.0f}°")
    print(steepest(points))
    picture = HERE / "terrain_slope.png"
    chart(points, picture)
    print(f"map: {picture.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
