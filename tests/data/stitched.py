"""Write `stitched.csv`: random points and the results that the stitcher gives them, for the live feed to agree with."""

from __future__ import annotations

from functools import partial
from itertools import product
from math import inf, nan
from pathlib import Path
from random import Random
from typing import Any

import polars as pl

import polars_grad as pg

FILE = Path(__file__).with_suffix(".csv")


OPERATORS = {
    "gradient": pg.gradient,
    "gradient_2": partial(pg.gradient, edge_order=2),
    "integral": pg.integral,
    "held": partial(pg.integral, initial=2.5, hold=True),
    "rows": partial(pg.rolling_slope, window_size=3),
    "trailing": partial(pg.rolling_slope, window_size=3.0),
    "centred": partial(pg.rolling_slope, window_size=5.0, center=True, closed="left"),
}
OPTIONS = ["operator", "nulls", "duplicates", "max_gap", "strict"]


def points(random: Random, *, strict: bool, repeats: bool) -> pl.DataFrame:
    """Groups of many lengths; nulls, NaN and gaps, and if not strict an x that now and then turns or is no number."""
    rows = []
    for key in [None, "a", "b"]:
        x = random.uniform(-50, 50)
        for _ in range(random.choice([1, 2, 3, 8, 20])):
            x += (
                0.0
                if repeats and random.random() < 0.4
                else random.choice([0.25, 1.0, 1.0, random.uniform(0.1, 3), 20])
            )
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


def stitched(rows: pl.DataFrame, size: int, operator: str, **domain: Any) -> pl.DataFrame:
    """The rows with the first output of an operator, from batches of so many rows."""
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    return pl.concat(pg.stitch(batches, result=OPERATORS[operator]("y", "x", by="id", **domain)))


def table() -> pl.DataFrame:
    """Every operator with every rule of nulls, on points of its own."""
    random = Random(20)
    cases = []
    for operator, nulls, strict, merges in product(
        OPERATORS, ("propagate", "skip", "split"), (True, False), (False, True)
    ):
        duplicates = random.choice(["first", "last", "mean"]) if merges else "error"
        options = {
            "operator": operator,
            "nulls": nulls,
            "duplicates": duplicates,
            "max_gap": random.choice([None, 2.5]),
            "strict": strict,
        }
        rows = points(random, strict=strict, repeats=merges or operator in {"rows", "trailing", "centred"})
        columns = [
            pl.lit(value, pl.Float64 if name == "max_gap" else None).alias(name) for name, value in options.items()
        ]
        cases.append(stitched(rows, 5, **options).select(*columns, pl.all()))
    return pl.concat(cases)


if __name__ == "__main__":
    # With as many digits as it takes to read the same number again.
    table().write_csv(FILE)
