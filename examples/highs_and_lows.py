"""The highs and lows of the temperature at three New York airports in 2013, from hourly readings with gaps."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import polars as pl

import polars_grad as pg

HERE = Path(__file__).parent
# The least swing between a high and a low, in °F.
SWING = 7
WEEK = datetime(2013, 9, 22, tzinfo=timezone.utc)


def readings(path: Path) -> pl.DataFrame:
    """Read the temperatures, sorted by airport and time."""
    return pl.read_parquet(path, columns=["origin", "time", "temp"]).sort("origin", "time")


def highs_and_lows(weather: pl.DataFrame) -> pl.DataFrame:
    """Find the turning points at each airport; a gap of more than six hours ends the curve."""
    turn = pg.turning_points("temp", x="time", by="origin", nulls="skip", max_gap="6h", min_swing=SWING)
    return weather.select("origin", turn=turn).drop_nulls().unnest("turn")


def chart(weather: pl.DataFrame, turns: pl.DataFrame, path: Path) -> None:
    """Draw a week of readings and its turning points."""
    end = WEEK + timedelta(days=7)
    weather = weather.filter(pl.col("time").is_between(WEEK, end))
    turns = turns.filter(pl.col("x").is_between(WEEK, end))
    mpl.use("agg")
    figure, axes = plt.subplots(3, sharex=True, sharey=True, figsize=(9, 6), layout="constrained")
    for axis, ((airport,), rows) in zip(axes, weather.group_by("origin", maintain_order=True), strict=True):
        axis.plot(rows["time"], rows["temp"], ".-", color="0.6", markersize=3, linewidth=0.8)
        for kind, marker, color in (("max", "^", "tab:red"), ("min", "v", "tab:blue")):
            found = turns.filter(pl.col("origin") == airport, pl.col("kind") == kind)
            axis.plot(found["x"], found["y"], marker, color=color, label=kind)
        axis.set(ylabel=f"{airport} (°F)")
    axes[0].set(title=f"Highs and lows at least {SWING} °F apart")
    axes[0].legend(frameon=False, ncols=2)
    figure.autofmt_xdate()
    figure.savefig(path, dpi=150)


def main() -> None:
    """Print how many there are and save the chart."""
    weather = readings(HERE / "data" / "nyc_weather_2013.parquet")
    turns = highs_and_lows(weather)
    print(turns.group_by("origin", "kind").len().sort("origin", "kind"))
    picture = HERE / "highs_and_lows.png"
    chart(weather, turns, picture)
    print(f"chart: {picture.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
