"""The cases of rolling_slope on one column: windows of rows and of a length of time, groups."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import flat
import polars as pl
from agreement import agree
from case import LARGEST, Case, by_rows
from peers import usable
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable

    from peers import Call
    from rounds import Contenders

SLOPE, COVARIANCE = "rolling_slope", "rolling_cov / rolling_var"
BY = "rolling_slope(by=), 1,000 groups"
ROLLING = "rolling().agg(cov / var)"
DATA_SCIENCE, ANTA = "polars-ds, rolling_lin_reg", "polars-anta, linear_regression_slope"
SHORT = 21
# Rows of a window, and the limit against Polars' own moments.
WINDOWS = {SHORT: 1 / 3, 1_001: 1 / 2}
LENGTH, OF_LENGTH = "5m", 1 / 5
GROUPS, OF_GROUPS = 1_000, 1.5
# Some 300 rows a window, each window summed on its own.
SLOW = (1_000, 10_000, 100_000, 1_000_000)
# polars-ds updates an inverse from row to row, whose errors grow: its first rows are compared.
COMPARED = 1_000


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    sizes, last = by_rows(largest, *flat.SIZES), by_rows(largest, LARGEST)
    of_rows = [
        Case(
            f"Float64, windows of {window:,} rows",
            sizes,
            partial(contenders, window),
            [Target(label, SLOPE, limit, COVARIANCE) for label in last],
            seconds=3,
        )
        for window, limit in WINDOWS.items()
    ]
    return [
        *of_rows,
        Case(f"Float64, even spacing, windows of {SHORT} rows", sizes, even),
        Case(
            f"Float64, windows of {SHORT} rows, contiguous groups",
            by_rows(largest, 10_000, 1_000_000, LARGEST),
            groups,
            [Target(label, BY, OF_GROUPS, SLOPE) for label in last],
        ),
        Case(
            f'Float64 over Datetime (µs), windows of "{LENGTH}"',
            by_rows(largest, *SLOW),
            of_length,
            [Target(label, SLOPE, OF_LENGTH, ROLLING) for label in by_rows(largest, SLOW[-1])],
            rounds=3,
        ),
    ]


def contenders(window: int, rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows)
    slope = pg.rolling_slope("y", x="t", window_size=window)
    covariance = pl.rolling_cov("y", "t", window_size=window) / pl.col("t").rolling_var(window)
    answers: dict[str, Callable[[], Any]] = {
        SLOPE: lambda: data.select(slope),
        COVARIANCE: lambda: data.select(covariance),
    }
    # Those of Polars lose digits where t is large, and keep the errors of rows that have left.
    agree(f"rolling_slope, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=1e-2)

    def data_science() -> Call:
        import polars_ds  # noqa: PLC0415, imported where it is compared

        fit = polars_ds.rolling_lin_reg("t", target="y", window_size=window, add_bias=True)
        return lambda: data.select(fit.struct.field("coeffs").list.first())

    peers = {DATA_SCIENCE: data_science} if window == SHORT and rows <= flat.SLOW_UP_TO else {}
    answers |= usable(peers, partial(compare, answers[SLOPE]().head(COMPARED), tolerance=1e-2))
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")), **answers}


def even(rows: int) -> Contenders:
    """Return the contenders on this many evenly spaced rows, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows)
    slope = pg.rolling_slope("y", window_size=SHORT)

    def anta() -> Call:
        import polars_anta  # noqa: PLC0415, imported where it is compared

        fit = polars_anta.linear_regression_slope(pl.col("y"), SHORT)
        return lambda: data.select(fit)

    answer = data.select(slope)
    return {
        flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("t")),
        SLOPE: lambda: data.select(slope),
        **usable({ANTA: anta}, partial(compare, answer, tolerance=1e-6)),
    }


def groups(rows: int) -> Contenders:
    """Return the contenders on this many rows in groups, once their answers agree."""
    data = flat.frame(flat.WORKS[0], rows).with_columns(id=pl.int_range(pl.len()) * GROUPS // rows)
    slope = pg.rolling_slope("y", x="t", window_size=SHORT)
    grouped = pg.rolling_slope("y", x="t", window_size=SHORT, by="id")
    got = {BY: data.select(grouped), ".over()": data.select(slope.over("id"))}
    agree(f"rolling_slope by groups, {rows:,} rows", got, tolerance=0.0)
    return {SLOPE: lambda: data.select(slope), BY: lambda: data.select(grouped)}


def of_length(rows: int) -> Contenders:
    """Return the contenders on this many times, once their answers agree."""
    data = flat.frame(replace(flat.WORKS[0], x="time"), rows)
    data = data.with_columns(seconds=(pl.col("t") - pl.col("t").first()).dt.total_microseconds() / 1e6)
    slope = pg.rolling_slope("y", x="t", window_size=LENGTH)
    windows = data.rolling("t", period=LENGTH)
    fit = pl.cov("y", "seconds") / pl.col("seconds").var()
    answers: dict[str, Callable[[], Any]] = {
        SLOPE: lambda: data.select(slope),
        ROLLING: lambda: windows.agg(fit).select("y"),
    }
    got = {name: call() for name, call in answers.items()}
    agree(f'rolling_slope, "{LENGTH}", {rows:,} rows', got, tolerance=1e-6)
    return {flat.YARDSTICK: lambda: data.select(pl.col("y") + pl.col("f")), **answers}


def compare(expected: pl.DataFrame, name: str, answer: pl.DataFrame, *, tolerance: float) -> None:
    """Compare the first rows of the answer of a peer with those expected."""
    first = answer.head(len(expected))
    agree(f"rolling_slope, {len(expected):,} rows", {SLOPE: expected, name: first}, tolerance=tolerance)
