"""The pressure tendency at three New York airports in 2013, in hPa per hour, from hourly readings with gaps."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import polars as pl

import polars_grad as pg

HERE = Path(__file__).parent


def readings(path: Path) -> pl.DataFrame:
    """Read the weather, sorted by airport and time; one pressure in ten is null, and some hours are missing."""
    return pl.read_parquet(path, columns=["origin", "time", "pressure"]).sort("origin", "time")


def with_tendency(weather: pl.DataFrame) -> pl.DataFrame:
    """Add the tendency between readings of successive hours, with one-sided differences next to missing ones."""
    return weather.with_columns(
        tendency=pg.gradient("pressure", x="time", per="1h", by="origin", nulls="skip", max_gap="90m")
    )


def steepest_falls(weather: pl.DataFrame, count: int = 2) -> pl.DataFrame:
    """Find the hours of the steepest falls at each airport."""
    falls = pl.all().bottom_k_by("tendency", count)
    return weather.drop_nulls("tendency").group_by("origin").agg(falls).explode(pl.exclude("origin")).sort("tendency")


def chart(weather: pl.DataFrame, path: Path) -> None:
    """Draw the pressure and its tendency in the days around the steepest fall of the year."""
    storm = weather.drop_nulls("tendency").bottom_k(1, by="tendency")["time"].item()
    days = pl.duration(days=2)
    around = weather.filter(pl.col("time").is_between(pl.lit(storm) - days, pl.lit(storm) + days))
    mpl.use("agg")
    figure, (above, below) = plt.subplots(2, sharex=True, figsize=(9, 5.5), layout="constrained")
    for (airport,), rows in around.group_by("origin", maintain_order=True):
        above.plot(rows["time"], rows["pressure"], ".-", label=airport)
        below.plot(rows["time"], rows["tendency"], ".-", label=airport)
    above.set(ylabel="pressure (hPa)", title="The steepest fall of 2013 over New York")
    above.legend(frameon=False)
    below.axhline(0, color="0.7", linewidth=0.8, zorder=0)
    below.set(ylabel="tendency (hPa/h)")
    figure.autofmt_xdate()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print the steepest falls and save the chart."""
    weather = with_tendency(readings(HERE / "data" / "nyc_weather_2013.parquet"))
    known = weather["tendency"].count()
    print(f"{weather.height} readings, {weather['pressure'].count()} pressures, {known} tendencies")
    print(steepest_falls(weather))
    picture = HERE / "pressure_tendency.png"
    chart(weather, picture)
    print(f"chart: {picture.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
