"""Counters, angles and repeated coordinates: the cases of increase and rate, of `y_period` and of `duplicates`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import flat
import numpy as np
import polars as pl
from agreement import agree
from case import LARGEST, Case, Part, by_rows
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rounds import Contenders

RATE, INCREASE = "rate", "increase"
EXPRESSION, LAZY = "when(d < 0) expression", "when(d < 0) expression, lazy"
PERIOD, UNWRAP = "gradient(y_period=)", "numpy.gradient(numpy.unwrap)"
MEAN, BY = 'gradient(by=, duplicates="mean")', "gradient(by=)"
# Of the gradient and of the counter; the groups of the repeated coordinates.
PERIOD_LIMIT, DUPLICATES_LIMIT, GROUPS = 1 / 10, 2, 1_000
DEGREES = 360.0
# A counter is reset, or wraps around, after about as many rows.
RUN = 1_000
ABOUT = """\
Headings that wrap around at 360, against `numpy.unwrap`. Rows of which two or more have the same x, against the same
rows with an x that rises."""


@dataclass(frozen=True)
class Work:
    """What a counter is, and the limits of its rate or its increase against other contenders."""

    title: str
    y: Literal["float64", "int64", "uint32"] = "float64"
    x: Literal["number", "time"] = "number"
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    limits: Mapping[str, float] = field(default_factory=dict, hash=False)


RATES = (
    Work("Float64, irregular x", limits={flat.YARDSTICK: 1.2, LAZY: 1 / 2}),
    Work("Int64, irregular x", y="int64"),
    Work("Int64 over Datetime (µs)", y="int64", x="time"),
    Work('UInt32, irregular x, `wrap="u32"`', y="uint32", options={"wrap": "u32"}),
)
INCREASES = (
    Work("Float64"),
    Work("Int64", y="int64"),
    Work('UInt32, `wrap="u32"`', y="uint32", options={"wrap": "u32"}),
)


def rates(largest: int) -> list[Case]:
    """Return the cases of rate on at most this many rows."""
    return cases(RATE, RATES, largest)


def increases(largest: int) -> list[Case]:
    """Return the cases of increase on at most this many rows."""
    return cases(INCREASE, INCREASES, largest)


def cases(operator: str, works: tuple[Work, ...], largest: int) -> list[Case]:
    """Return the cases of an operator of counters."""
    sizes = by_rows(largest, *flat.SIZES)
    return [
        Case(
            work.title,
            sizes,
            partial(contenders, operator, work),
            [
                Target(label, operator, limit, name)
                for label in by_rows(largest, LARGEST)
                for name, limit in work.limits.items()
            ],
            seconds=1.5,
        )
        for work in works
    ]


def frame(work: Work, rows: int) -> pl.DataFrame:
    """Make a counter that rises by noise, with resets or wrap-arounds; the baseline adds `f` to y."""
    rng = np.random.default_rng(0)
    gains = rng.integers(0, 2**32 // RUN, rows)
    total = np.cumsum(gains)
    if work.y == "uint32":
        y = pl.Series(total % 2**32, dtype=pl.UInt32)
    else:
        starts = np.flatnonzero(rng.random(rows) < 1 / RUN)
        before = np.zeros(rows, np.int64)
        before[starts] = np.diff(total[starts] - gains[starts], prepend=0)
        y = pl.Series((total - np.cumsum(before)).astype(work.y))
    t = flat.coordinates(flat.Work("", x=work.x), rows, rng)
    f = pl.Series(np.arange(rows, dtype=np.float64)) if work.x == "time" or work.y != "float64" else t
    return pl.DataFrame({"y": y, "t": t, "f": f}).rechunk()


def contenders(operator: str, work: Work, rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = frame(work, rows)
    per_x = operator == RATE
    wanted = (pg.rate if per_x else pg.increase)("y", x="t", **work.options)
    expression = by_hand(work, per_x=per_x)
    answers: dict[str, Callable[[], Any]] = {
        operator: lambda: data.select(wanted),
        EXPRESSION: lambda: data.select(expression),
        LAZY: lambda: data.lazy().select(expression).collect(),
    }
    given = {"numpy": [with_numpy(work, data, per_x=per_x)], **{name: call() for name, call in answers.items()}}
    agree(f"{operator}, {work.title}, {rows:,} rows", given, tolerance=1e-6 if work.x == "time" else 1e-9)
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("f")), **answers}


def by_hand(work: Work, *, per_x: bool) -> pl.Expr:
    """Write a counter with Polars alone; unsigned integers would wrap around in their differences."""
    y = pl.col("y").cast(pl.Int64) if work.y == "uint32" else pl.col("y")
    rise = y.diff()
    gain = pl.when(rise < 0).then(rise + 2**32 if "wrap" in work.options else y).otherwise(rise)
    if not per_x:
        return gain
    step = pl.col("t").diff()
    return gain / (step.dt.total_microseconds() / 1e6 if work.x == "time" else step)


def with_numpy(work: Work, data: pl.DataFrame, *, per_x: bool) -> Any:
    """Compute the answer, to check with."""
    y = data["y"].to_numpy().astype(np.float64)
    gain = np.diff(y, prepend=np.nan)
    gain = np.where(gain < 0, gain + 2**32 if "wrap" in work.options else y, gain)
    if per_x:
        t = data["t"].to_numpy()
        step = np.diff(t) / flat.SECOND if work.x == "time" else np.diff(t)
        gain[1:] /= step
    return gain


# Angles


def angles(largest: int) -> list[Case]:
    """Return the case of angles."""
    targets = [Target(label, PERIOD, PERIOD_LIMIT, UNWRAP) for label in by_rows(largest, LARGEST)]
    return [Case("Headings, irregular x", by_rows(largest, *flat.SIZES), of_angles, targets, seconds=3)]


def of_angles(rows: int) -> Contenders:
    """Return the contenders on this many headings, once their answers agree."""
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.uniform(0.5, 1.5, rows))
    y = np.mod(np.cumsum(rng.uniform(-150, 150, rows)), DEGREES)
    data = pl.DataFrame({"y": y, "t": t})
    periodic, plain = pg.gradient("y", x="t", y_period=DEGREES), pg.gradient("y", x="t")
    answers: dict[str, Callable[[], Any]] = {
        PERIOD: lambda: data.select(periodic),
        UNWRAP: lambda: [np.gradient(np.unwrap(y, period=DEGREES), t)],
    }
    # The unwrapped column drifts away from zero, and loses digits.
    agree(f"headings, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-6)
    baselines = {
        flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")),
        "gradient without a period": lambda: data.select(plain),
    }
    return {**baselines, **answers}


# Repeated coordinates


def repeated(largest: int) -> list[Case]:
    """Return the case of repeated coordinates."""
    sizes = {label: rows for label, rows in by_rows(largest, *flat.SIZES).items() if rows >= 2 * GROUPS}
    targets = [Target(label, MEAN, DUPLICATES_LIMIT, BY) for label in by_rows(largest, LARGEST)]
    return [Case(f"Repeated x, {GROUPS:,} contiguous groups", sizes, of_repeated, targets, seconds=3)]


def of_repeated(rows: int) -> Contenders:
    """Return the contenders on this many rows, half of which have the x of the row before, once their answers agree."""
    rng = np.random.default_rng(0)
    t = np.cumsum(rng.integers(0, 2, rows)).astype(np.float64)
    data = pl.DataFrame(
        {
            "id": np.arange(rows) * GROUPS // rows,
            "t": t,
            "rise": t + np.arange(rows) * 1e-9,
            "y": rng.standard_normal(rows),
        }
    )
    plain = pg.gradient("y", x="rise", by="id")
    rules = {rule: pg.gradient("y", x="t", by="id", duplicates=rule) for rule in ("first", "last", "mean")}
    grouped = data.lazy().group_by("id", "t", maintain_order=True).agg(pl.col("y").mean(), size=pl.len())
    slope = pg.gradient("y", x="t", by="id").repeat_by("size").explode(empty_as_null=False)
    by_hand = grouped.select(slope)
    answers: dict[str, Callable[[], Any]] = {
        MEAN: lambda: data.select(rules["mean"]),
        "mean by group_by, gradient, explode": by_hand.collect,
    }
    agree(f"repeated x, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-9)
    others = {f'gradient(by=, duplicates="{rule}")': partial(data.select, rules[rule]) for rule in ("first", "last")}
    return {BY: lambda: data.select(plain), **answers, **others}


def of_period_and_duplicates(largest: int) -> list[Case]:
    """Return the cases of both."""
    return [*angles(largest), *repeated(largest)]


PART = Part("Angles and repeated coordinates", ABOUT, of_period_and_duplicates)
