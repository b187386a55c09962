"""`metric="sphere"`: spherical harmonics, solid rotation, and the formulas of the literature on the same grid."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from ids import shown
from numpy.testing import assert_allclose
from polars.exceptions import ComputeError
from polars.testing import assert_frame_equal
from strategies import assert_same

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

RADIUS = 6_371_000.0
GLOBE: dict[str, Any] = {"wrt": ["lon", "lat"], "metric": "sphere", "x_period": {"lon": 360}}


def globe(step: float, *, poles: bool = False) -> pl.DataFrame:
    """All points of a grid, with their longitudes and latitudes in radians too."""
    lat = np.arange(-90.0, 90.0 + step, step) if poles else np.arange(-90.0 + step / 2, 90.0, step)
    lon = np.arange(0.0, 360.0, step)
    frame = pl.DataFrame({"lon": np.repeat(lon, len(lat)), "lat": np.tile(lat, len(lon))})
    return frame.with_columns(l=pl.col("lon").radians(), p=pl.col("lat").radians())


def errors(results: Callable[[pl.DataFrame], pl.DataFrame], steps: tuple[float, ...] = (6.0, 3.0, 1.5)) -> list[float]:
    """The largest error between 60 degrees north and south for smaller and smaller steps: `got` and `expected`."""
    worst = []
    for step in steps:
        away = results(globe(step)).filter(pl.col("lat").abs() < 60)
        worst.append(float(away.select((pl.col("got") - pl.col("expected")).abs().max()).item()))
    return worst


def order(worst: list[float]) -> list[float]:
    return [float(np.log2(a / b)) for a, b in pairwise(worst)]


SIN, COS = pl.col("p").sin(), pl.col("p").cos()
# Spherical harmonics by their degree.
HARMONICS: list[tuple[int, pl.Expr]] = [
    (1, SIN),
    (1, COS * pl.col("l").cos()),
    (2, 3 * SIN**2 - 1),
    (2, SIN * COS * pl.col("l").sin()),
    (3, COS**3 * (3 * pl.col("l")).cos()),
    (4, COS**2 * (7 * SIN**2 - 1) * (2 * pl.col("l")).sin()),
]


@pytest.mark.parametrize(("degree", "harmonic"), HARMONICS, ids=shown)
def test_the_laplacian_of_a_harmonic_is_a_multiple_of_it(degree: int, harmonic: pl.Expr) -> None:
    def results(frame: pl.DataFrame) -> pl.DataFrame:
        frame = frame.with_columns(f=harmonic)
        return frame.with_columns(
            got=pg.laplacian("f", **GLOBE) * RADIUS**2, expected=-degree * (degree + 1) * pl.col("f")
        )

    worst = errors(results)
    assert order(worst) == pytest.approx([2, 2], abs=0.2)
    assert worst[-1] < 0.01 * degree**3


def test_air_that_turns_with_the_earth() -> None:
    """Solid rotation has no divergence, and the vorticity 2 Omega sin(lat)."""
    omega = 7.292e-5

    def results(frame: pl.DataFrame) -> pl.DataFrame:
        wind = pl.struct(u=omega * RADIUS * COS, v=pl.lit(0.0))
        return frame.with_columns(
            got=pg.curl(wind, **GLOBE), expected=2 * omega * SIN, divergence=pg.divergence(wind, **GLOBE)
        )

    worst = errors(results)
    assert order(worst) == pytest.approx([2, 2], abs=0.1)
    assert worst[-1] < 1e-3 * omega
    assert_allclose(results(globe(3.0))["divergence"], 0, atol=1e-18)
    # Right up to the poles: the relative error is that of any other latitude.
    near = results(globe(1.5)).filter(pl.col("lat").abs().is_between(85, 88.5))
    assert_allclose(near["got"], near["expected"], rtol=1e-3)


def test_a_rotation_about_another_axis() -> None:
    """The wind crosses the poles, and is not constant along parallels."""
    tilt = 0.7
    west = np.cos(tilt) * COS + np.sin(tilt) * SIN * pl.col("l").cos()
    north = -np.sin(tilt) * pl.col("l").sin()
    axis = 2 * (np.cos(tilt) * SIN - np.sin(tilt) * COS * pl.col("l").cos())

    def results(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(
            got=pg.curl(pl.struct(west.alias("u"), north.alias("v")), **GLOBE) * RADIUS, expected=axis
        )

    assert order(errors(results)) == pytest.approx([2, 2], abs=0.2)
    # Both terms of its divergence have one and the same error.
    wind = globe(6.0).with_columns(d=pg.divergence(pl.struct(west.alias("u"), north.alias("v")), **GLOBE) * RADIUS)
    assert_allclose(wind.filter(pl.col("lat").abs() < 80)["d"], 0, atol=1e-12)


def test_a_flow_with_a_potential() -> None:
    """The divergence of its gradient is a Laplacian, that of a harmonic."""
    potential = COS**2 * (2 * pl.col("l")).cos()
    west, north = -2 * COS * (2 * pl.col("l")).sin(), -2 * COS * SIN * (2 * pl.col("l")).cos()

    def results(frame: pl.DataFrame) -> pl.DataFrame:
        flow = pl.struct(west.alias("u"), north.alias("v"))
        return frame.with_columns(got=pg.divergence(flow, **GLOBE) * RADIUS, expected=-6 * potential)

    assert order(errors(results)) == pytest.approx([2, 2], abs=0.2)
    # It does not turn: the errors of both terms are one and the same.
    flow = pl.struct(west.alias("u"), north.alias("v"))
    turning = globe(6.0).with_columns(c=pg.curl(flow, **GLOBE) * RADIUS).filter(pl.col("lat").abs() < 80)
    assert_allclose(turning["c"], 0, atol=1e-12)


@pytest.mark.parametrize("accuracy", [2, 4])
def test_a_gradient_has_the_accuracy_that_is_asked_for(accuracy: int) -> None:
    potential = COS**2 * (2 * pl.col("l")).sin() + SIN**3
    options = {**GLOBE, "accuracy": accuracy, "edge_accuracy": accuracy}
    east = 2 * COS * (2 * pl.col("l")).cos()
    north = -2 * COS * SIN * (2 * pl.col("l")).sin() + 3 * SIN**2 * COS
    for component, expected in (("lon", east), ("lat", north)):

        def results(frame: pl.DataFrame, component: str = component, expected: pl.Expr = expected) -> pl.DataFrame:
            slopes = pg.partials(potential.alias("f"), **options)
            return frame.with_columns(got=slopes.struct.field(component) * RADIUS, expected=expected)

        assert order(errors(results)) == pytest.approx([accuracy, accuracy], abs=0.2)


def by_numpy(frame: pl.DataFrame, name: str) -> np.ndarray:
    """A column as an array, longitudes down."""
    rows = frame["lon"].n_unique()
    return frame[name].to_numpy().reshape(rows, -1)


def test_the_formulas_on_the_same_grid() -> None:
    """Derivatives of numpy and exact metric terms."""
    rng = np.random.default_rng(0)
    frame = globe(10.0).with_columns(u=rng.normal(size=648), v=rng.normal(size=648))
    u, v, p = (by_numpy(frame, name) for name in "uvp")
    lon = np.radians(np.arange(-10.0, 370.0, 10.0))

    def along(field: np.ndarray) -> np.ndarray:
        return np.gradient(np.pad(field, ((1, 1), (0, 0)), mode="wrap"), lon, axis=0)[1:-1]

    def up(field: np.ndarray) -> np.ndarray:
        return np.gradient(field, p[0], axis=1)

    got = frame.select(
        divergence=pg.divergence(pl.struct("u", "v"), **GLOBE),
        vorticity=pg.curl(pl.struct("u", "v"), **GLOBE),
        slopes=pg.partials("u", **GLOBE),
        steepness=pg.magnitude("u", **GLOBE),
    )
    scale = RADIUS * np.cos(p)
    assert_allclose(
        by_numpy(frame.with_columns(got), "divergence"), (along(u) + up(v * np.cos(p))) / scale, rtol=1e-10, atol=1e-18
    )
    assert_allclose(
        by_numpy(frame.with_columns(got), "vorticity"), (along(v) - up(u * np.cos(p))) / scale, rtol=1e-10, atol=1e-18
    )
    slopes = got["slopes"].struct.unnest()
    assert_allclose(slopes["lon"], (along(u) / scale).ravel(), rtol=1e-10, atol=1e-18)
    assert_allclose(slopes["lat"], (up(u) / RADIUS).ravel(), rtol=1e-10, atol=1e-18)
    assert_allclose(got["steepness"], np.hypot(slopes["lon"], slopes["lat"]), rtol=1e-13)


def test_metpy_on_the_same_grid() -> None:
    """Its formulas write the derivatives of products out: they differ by their error, which is of order 2."""
    wind = {"u": COS * (1 + SIN * (3 * pl.col("l")).cos()), "v": COS**2 * (2 * pl.col("l")).sin()}
    exact = {
        "curl": 2 * SIN + (2 * SIN**2 - COS**2) * (3 * pl.col("l")).cos() + 2 * COS * (2 * pl.col("l")).cos(),
        "divergence": -3 * SIN * (3 * pl.col("l")).sin() - 3 * COS * SIN * (2 * pl.col("l")).sin(),
    }
    apart: dict[str, list[float]] = {name: [] for name in exact}
    for step in (4.0, 2.0, 1.0):
        frame = globe(step).with_columns(**wind)
        u, v, p = (by_numpy(frame, name) for name in "uvp")
        lon = np.radians(np.arange(-step, 360 + step, step))
        away = np.abs(p[0]) < np.radians(60)

        def along(field: np.ndarray, lon: np.ndarray = lon, p: np.ndarray = p) -> np.ndarray:
            return np.gradient(np.pad(field, ((1, 1), (0, 0)), mode="wrap"), lon, axis=0)[1:-1] / np.cos(p)

        def up(field: np.ndarray, lat: np.ndarray = p[0]) -> np.ndarray:
            return np.gradient(field, lat, axis=1)

        metpy = {
            "curl": along(v) - up(u) + u * np.tan(p),
            "divergence": along(u) + up(v) - v * np.tan(p),
        }
        for name, theirs in metpy.items():
            got = getattr(pg, name)(pl.struct("u", "v"), **GLOBE) * RADIUS
            ours = by_numpy(frame.with_columns(got=got), "got")
            expected = by_numpy(frame.with_columns(exact=exact[name]), "exact")
            apart[name].append(float(np.abs(ours - theirs)[:, away].max()))
            for each in (ours, theirs):
                assert np.abs(each - expected)[:, away].max() < 3e-3 * step**2
    for differences in apart.values():
        assert order(differences) == pytest.approx([2, 2], abs=0.2)


def test_what_flows_over_a_parallel_is_what_diverges_beyond_it() -> None:
    """The fluxes of the divergence add up: over the whole sphere to nothing."""
    frame = globe(5.0).with_columns(u=pl.col("l").sin() * COS, v=COS**2 * (pl.col("l").cos() + SIN))
    wind = frame.with_columns(d=pg.divergence(pl.struct("u", "v"), **GLOBE) * RADIUS)
    total = wind.select((pl.col("d") * COS).sum() / (pl.col("d").abs() * COS).sum()).item()
    assert abs(total) < 1e-3


def test_a_constant_is_flat() -> None:
    frame = globe(15.0).with_columns(f=pl.lit(7.25))
    got = frame.select(a=pg.laplacian("f", **GLOBE), b=pg.magnitude("f", **GLOBE))
    assert got["a"].to_list() == got["b"].to_list() == [0.0] * frame.height


def test_at_the_poles_what_depends_on_parallels_is_null() -> None:
    frame = globe(30.0, poles=True).with_columns(f=SIN, u=COS, v=pl.lit(0.0))
    got = frame.select(
        "lat",
        pg.partials("f", **GLOBE).struct.unnest().name.prefix("d"),
        m=pg.magnitude("f", **GLOBE),
        d=pg.divergence(pl.struct("u", "v"), **GLOBE),
        c=pg.curl(pl.struct("u", "v"), **GLOBE),
        l=pg.laplacian("f", **GLOBE),
    )
    is_pole = got["lat"].abs() == 90
    assert got["dlat"].null_count() == 0
    for name in ("dlon", "m", "d", "c", "l"):
        assert_same(got[name].is_null().alias(""), is_pole.alias(""))


def test_a_region_has_ends() -> None:
    """Without `x_period` longitudes do not go round."""
    frame = globe(10.0).filter(pl.col("lon").is_between(0, 40)).with_columns(f=pl.col("l") * COS)
    slopes = frame.with_columns(pg.partials("f", ["lon", "lat"], metric="sphere").struct.unnest().name.prefix("d"))
    assert_allclose(slopes["dlon"] * RADIUS, 1.0, rtol=1e-12)


def test_a_height_is_a_length() -> None:
    frame = globe(30.0).join(pl.DataFrame({"z": [0.0, 100.0, 300.0]}), how="cross")
    frame = frame.with_columns(f=SIN * pl.col("z"), u=COS * pl.col("z"), v=SIN, w=2 * pl.col("z"))
    space: dict[str, Any] = {**GLOBE, "wrt": ["lon", "lat", "z"]}
    slopes = frame.select(pg.partials("f", **space).struct.unnest())
    assert_allclose(slopes["z"], frame.select(SIN).to_series(), rtol=1e-12)
    flat = frame.select(pg.partials("f", **GLOBE, by="z").struct.unnest())
    assert_frame_equal(slopes.select("lon", "lat"), flat)
    wind = pl.struct("u", "v", "w")
    total = frame.select(pg.divergence(wind, **space))["u"]
    level = frame.select(pg.divergence(pl.struct("u", "v"), **GLOBE, by="z"))["u"]
    assert_allclose(total, level + 2.0, rtol=1e-12)
    turning = frame.select(pg.curl(wind, **space).struct.unnest())
    assert_same(turning["z"], frame.select(pg.curl(pl.struct("u", "v"), **GLOBE, by="z"))["u"].alias("z"))
    assert_allclose(turning["lon"], 0, atol=1e-18)
    assert_allclose(turning["lat"], frame.select(COS).to_series(), rtol=1e-12)
    bent = frame.with_columns(f=SIN + 3 * pl.col("z") ** 2)
    # A second derivative reads four levels.
    assert bent.select(pg.laplacian("f", **space))["f"].is_null().all()
    deep = globe(30.0).join(pl.DataFrame({"z": [0.0, 1.0, 3.0, 4.0]}), how="cross")
    deep = deep.with_columns(f=SIN, g=SIN + 3 * pl.col("z") ** 2)
    both = deep.select(f=pg.laplacian("f", **GLOBE, by="z"), g=pg.laplacian("g", **space))
    assert_allclose(both["g"], both["f"] + 6, rtol=1e-12)


def test_names_of_components_and_the_order_of_rows() -> None:
    frame = globe(10.0).with_columns(u=COS * pl.col("l").sin(), v=SIN * pl.col("l").cos())
    expected = frame.select(d=pg.divergence(pl.struct("u", "v"), **GLOBE), c=pg.curl(pl.struct("u", "v"), **GLOBE))
    named = pl.struct(lat="v", lon="u")
    got = frame.select(d=pg.divergence(named, **GLOBE), c=pg.curl(named, **GLOBE))
    assert_frame_equal(got, expected)
    mixed = frame.with_columns(expected).with_row_index().sample(fraction=1, shuffle=True, seed=0)
    assert_same(mixed.select(pg.curl(pl.struct("u", "v"), **GLOBE))["u"].alias("c"), mixed["c"])


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Int16, pl.Decimal(10, 3), pl.UInt64])
def test_dtypes(dtype: Any) -> None:
    frame = globe(15.0).with_columns(f=(1000 * (2 + SIN * pl.col("l").cos())).round().cast(dtype))
    wide = frame.with_columns(pl.col("f").cast(pl.Float64))
    result = dtype if dtype == pl.Float32 else pl.Float64
    for expression in (
        pg.magnitude("f", **GLOBE),
        pg.laplacian("f", **GLOBE),
        pg.divergence(pl.struct(a="f", b="f"), **GLOBE).alias("f"),
        pg.partials("f", **GLOBE).struct.field("lat").alias("f"),
    ):
        got, expected = frame.select(expression)["f"], wide.select(expression)["f"]
        assert got.dtype == result
        # Rounded once.
        assert_allclose(got, expected.cast(result), rtol=1e-7 if dtype == pl.Float32 else 1e-9, atol=1e-22)
        for angle in (pl.Float32, pl.Int32):
            narrow = frame.with_columns(pl.col("lon").cast(angle), pl.col("lat").cast(pl.Float32))
            assert_allclose(narrow.select(expression)["f"], expected, rtol=1e-5, atol=1e-18)


def test_the_radius() -> None:
    frame = globe(20.0).with_columns(f=SIN * pl.col("l").sin())
    metres, unit = (frame.select(pg.laplacian("f", **GLOBE, **radius))["f"] for radius in ({}, {"radius": 1}))
    assert_allclose(metres * RADIUS**2, unit, rtol=1e-12)
    kilometres = frame.select(pg.magnitude("f", **GLOBE, radius=6371.0))["f"]
    assert_allclose(frame.select(pg.magnitude("f", **GLOBE))["f"], kilometres / 1000, rtol=1e-14)


def test_lazy_frames_and_keys() -> None:
    frame = pl.concat(globe(20.0).with_columns(k=pl.lit(k), f=SIN * k + COS * pl.col("l").sin()) for k in (1, 2))
    expression = pg.laplacian("f", **GLOBE, by="k")
    expected = pl.concat(part.select(pg.laplacian("f", **GLOBE)) for part in frame.partition_by("k"))
    assert_frame_equal(frame.select(expression), expected)
    for engine in ("in-memory", "streaming"):
        assert_frame_equal(frame.lazy().select(expression).collect(engine=engine), expected)  # type: ignore[call-overload]
    assert_frame_equal(frame.select(pl.col("f").grad.laplacian(**GLOBE, by="k")), expected)


# Errors


def test_a_latitude_beyond_a_pole() -> None:
    frame = pl.DataFrame({"lon": [0, 10, 0, 10], "lat": [80.0, 80.0, 91.5, 91.5], "f": [1.0, 2.0, 4.0, 8.0]})
    message = (
        "latitudes must be from -90 to 90 degrees, but in column `lat` there is 91.5; `wrt` is the longitude and the "
        "latitude in this order; correct them, or pass `strict=False` to get nulls there"
    )
    with pytest.raises(ComputeError, match=re.escape(message)):
        frame.select(pg.partials("f", ["lon", "lat"], metric="sphere"))
    got = frame.select(pg.partials("f", ["lon", "lat"], metric="sphere", strict=False).struct.unnest())
    assert got["lat"].to_list() == [None] * 4
    assert [slope is None for slope in got["lon"]] == [False, False, True, True]


ARGUMENTS: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"metric": "globe"}, ValueError, "`metric` must be None or 'sphere', got 'globe'"),
    ({"metric": np.ones(2)}, ValueError, "`metric` must be None or 'sphere', got array([1., 1.])"),
    ({"radius": 1.0}, ValueError, '`radius` is that of a sphere: give `metric="sphere"` too, or drop it'),
    ({"metric": "sphere", "radius": 0}, ValueError, "`radius` must be finite and positive, got 0"),
    ({"metric": "sphere", "radius": "1km"}, TypeError, "`radius` must be a number, got str"),
    ({"metric": "sphere", "wrt": ["lon"]}, ValueError, "`wrt` must be the longitude and the latitude, in this order"),
    (
        {"metric": "sphere", "wrt": ["lon", "at"]},
        ComputeError,
        "longitudes and latitudes must be numbers, in degrees, but column `at` is",
    ),
    ({"metric": "sphere", "f": "at"}, ComputeError, "takes a field of numbers, but column `at` is"),
]


@pytest.mark.parametrize(("arguments", "kind", "message"), ARGUMENTS, ids=shown)
def test_wrong_arguments(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    frame = pl.DataFrame({"lon": [0.0], "lat": [0.0], "f": [1.0]}).with_columns(at=pl.lit(0).cast(pl.Duration))
    with pytest.raises(kind, match=re.escape(message)):
        frame.lazy().select(pg.partials(**{"f": "f", "wrt": ["lon", "lat"], **arguments})).collect_schema()
