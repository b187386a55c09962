"""Write `stitched.csv`: random points and the slopes that the stitcher gives them, for the live feed to agree with."""

from __future__ import annotations

from itertools import product
from math import inf, nan
from pathlib import Path
from random import Random

import polars as pl

import polars_grad as pg

FILE = Path(__file__).with_suffix(".csv")


def points(random: Random, *, strict: bool) -> pl.DataFrame:
    """Groups of many lengths; nulls, NaN and gaps, and if not strict an x that now and then turns or is no number."""
    rows = []
    for key in [None, "a", "b", "c", "d"]:
        x = random.uniform(-50, 50)
        for _ in range(random.choice([1, 2, 3, 8, 20])):
            x += random.choice([0.25, 1.0, 1.0, random.uniform(0.1, 3.0), 20.0])
            strange = [x - 30.0, nan, inf] if not strict and random.random() < 0.1 else []
            y = random.choice([random.uniform(-1e3, 1e3), random.uniform(-1e3, 1e3), 1e9 + x, 0.0, -0.0])
            rows.append(
                (
                    key,
                    None if random.random() < 0.08 else random.choice(strange or [x]),
                    None if random.random() < 0.12 else nan if random.random() < 0.03 else y,
                )
            )
    return pl.DataFrame(rows, schema={"id": pl.String, "x": pl.Float64, "y": pl.Float64}, orient="row")


def table() -> pl.DataFrame:
    """Every combination of options, on points of its own."""
    random = Random(20)
    cases = []
    for edge_order, nulls, max_gap, strict in product(
        (1, 2), ("propagate", "skip", "split"), (None, 2.5), (True, False)
    ):
        rows = points(random, strict=strict)
        batches = [rows[start : start + 5] for start in range(0, len(rows), 5)]
        slope = pg.gradient("y", "x", by="id", edge_order=edge_order, nulls=nulls, max_gap=max_gap, strict=strict)
        slopes = pg.stitch(batches, slope=slope)
        options = {"edge_order": edge_order, "nulls": nulls, "max_gap": max_gap, "strict": strict}
        columns = [
            pl.lit(value, pl.Float64 if name == "max_gap" else None).alias(name) for name, value in options.items()
        ]
        cases.append(pl.concat(slopes).select(*columns, pl.all()))
    return pl.concat(cases)


if __name__ == "__main__":
    # With as many digits as it takes to read the same number again.
    table().write_csv(FILE)
