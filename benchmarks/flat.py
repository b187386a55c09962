"""One column over one x: the cases of gradient, their data, and its contenders."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from agreement import agree
from case import Case, by_rows
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rounds import Contenders

YARDSTICK = "y + t"
OURS = "grad.gradient"
SERIES = "Series.grad.gradient"
NUMPY = "numpy.gradient"
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
# Above this many rows most cases leave out the slow contenders.
SLOW_UP_TO = 1_000_000
STEP = 0.5
SECOND = np.timedelta64(1, "s")
ABOUT = """\
Each cell: the median time, and its ratio to that of the baseline `y + t` on the same frame. An eager frame evaluates
the parts of the shift expression as often as they are written, a lazy frame once: see the last case."""


@dataclass(frozen=True)
class Work:
    """What y and x are, and which options are set."""

    title: str
    y: Literal["float64", "float32", "int32"] = "float64"
    x: Literal["number", "time", "spacing"] = "number"
    edge_order: Literal[1, 2] = 1
    nulls: float = 0.0
    lazy: bool = False
    tolerance: float = 1e-9
    limits: Mapping[int, float] = field(default_factory=dict, hash=False)
    """The most time as a multiple of that of the baseline, by number of rows."""
    seconds: float = 1.0
    slow: bool = False
    """Whether slow contenders take part at every size."""


WORKS = (
    Work("Float64, irregular x", limits={1_000: 2.5, 100_000: 2.0, 10_000_000: 1.0}, seconds=3, slow=True),
    Work("Float32, irregular x", y="float32", tolerance=1e-4),
    Work("Int32 y and x", y="int32", limits={10_000_000: 1.3}),
    # The other contenders convert times to seconds since the first, which costs digits.
    Work("Float64 over Datetime (µs)", x="time", tolerance=1e-6, limits={10_000_000: 1.1}),
    Work(f"Float64, `spacing={STEP}`", x="spacing"),
    Work("Float64, irregular x, 10 % nulls in y", nulls=0.1),
    Work("Float64, irregular x, `edge_order=2`", edge_order=2, limits={10_000_000: 1.25}),
    Work("Float64, irregular x, in a lazy frame", lazy=True, slow=True),
)
SERIES_LIMIT = 4


def cases(largest: int) -> list[Case]:
    """Return the cases of at most this many rows."""
    return [case(work, largest) for work in WORKS]


def case(work: Work, largest: int) -> Case:
    """Return a case with the targets of its sizes."""
    sizes = by_rows(largest, *SIZES)
    targets = [
        Target(label, OURS, work.limits[rows], YARDSTICK) for label, rows in sizes.items() if rows in work.limits
    ]
    if work is WORKS[0]:
        targets += [Target(label, SERIES, SERIES_LIMIT, NUMPY) for label in by_rows(largest, 1_000)]
    return Case(work.title, sizes, partial(contenders, work), targets, seconds=work.seconds, rounds=25)


def settle_allocator() -> None:
    """Free one large array, for numpy's best case: until then glibc requests every array from the system."""
    np.empty(31_000_000, np.uint8)


def frame(work: Work, rows: int) -> pl.DataFrame:
    """Make noise over irregular steps; the baseline adds `f` to y."""
    rng = np.random.default_rng(0)
    y = pl.Series(integers(rng, rows) if work.y == "int32" else rng.standard_normal(rows).astype(work.y))
    if work.nulls:
        y = pl.select(pl.when(pl.Series(rng.random(rows) >= work.nulls)).then(y)).to_series()
    t = coordinates(work, rows, rng)
    # A float and a time have no sum: the baseline reads a column of floats of the same width.
    f = pl.Series(np.arange(rows, dtype=np.float64)) if work.x == "time" else t
    return pl.DataFrame({"y": y, "t": t, "f": f}).rechunk()


def integers(rng: np.random.Generator, rows: int) -> Any:
    """Draw integers whose sum with any x is an Int32."""
    return rng.integers(-(2**20), 2**20, rows, dtype=np.int32)


def coordinates(work: Work, rows: int, rng: np.random.Generator) -> pl.Series:
    """Draw a rising x."""
    if work.x == "time":
        micros = np.cumsum(rng.integers(500_000, 1_500_000, rows))
        return pl.Series(np.datetime64(datetime(2024, 1, 1), "us") + micros)  # noqa: DTZ001
    if work.y != "float64":
        # Whole numbers within ±2^24 at 10 million rows: Float32 holds each of them.
        return pl.Series((np.cumsum(rng.integers(1, 6, rows)) - rows * 3 // 2).astype(work.y))
    return pl.Series(np.cumsum(rng.uniform(0.5, 1.5, rows)))


def contenders(work: Work, rows: int) -> Contenders:
    """Return the contenders on this many rows, once their answers agree."""
    data = frame(work, rows)
    answers: dict[str, Callable[[], Any]] = {OURS: select(work, data, pg.gradient("y", **options(work, "t")))}
    if not work.lazy:
        answers[SERIES] = on_series(work, data)
    answers[NUMPY] = with_numpy(work, data)
    if work.slow or rows <= SLOW_UP_TO:
        answers["map_batches(numpy.gradient)"] = select(work, data, with_map_batches(work))
        answers["shift expression"] = select(work, data, shifts(work))
    agree(f"{work.title}, {rows:,} rows", {name: call() for name, call in answers.items()}, tolerance=work.tolerance)
    return {YARDSTICK: select(work, data, pl.col("y") + pl.col("f")), **answers}


def select(work: Work, data: pl.DataFrame, wanted: pl.Expr) -> Callable[[], pl.DataFrame]:
    """Evaluate an expression, in an eager frame or a lazy one."""
    return (lambda: data.lazy().select(wanted).collect()) if work.lazy else (lambda: data.select(wanted))


def on_series(work: Work, data: pl.DataFrame) -> Callable[[], Any]:
    """Call the method of a Series."""
    y, t = data["y"], data["t"]
    return lambda: [y.grad.gradient(**options(work, t))]  # type: ignore[attr-defined]


def options(work: Work, x: Any) -> dict[str, Any]:
    """Return the arguments of gradient."""
    return ({"spacing": STEP} if work.x == "spacing" else {"x": x}) | {"edge_order": work.edge_order}


def with_numpy(work: Work, data: pl.DataFrame) -> Callable[[], Any]:
    """Call numpy, with the arrays in hand."""
    y, t = data["y"].to_numpy(), data["t"].to_numpy()
    return lambda: [numpy_gradient(work, y, t)]


def with_map_batches(work: Work) -> pl.Expr:
    """Call numpy from within Polars, arrays and back included."""

    def call(columns: Sequence[pl.Series]) -> pl.Series:
        y, t = columns
        return pl.Series(y.name, numpy_gradient(work, y.to_numpy(), t.to_numpy()))

    return pl.map_batches(["y", "t"], call, return_dtype=pl.Float32 if work.y == "float32" else pl.Float64)


def numpy_gradient(work: Work, y: Any, t: Any) -> Any:
    """Write the work with numpy, which takes no times."""
    if work.x == "spacing":
        return np.gradient(y, STEP, edge_order=work.edge_order)
    return np.gradient(y, (t - t[0]) / SECOND if work.x == "time" else t, edge_order=work.edge_order)


def shifts(work: Work) -> pl.Expr:
    """Write the work with Polars alone."""
    if work.x == "spacing":
        return even_shifts(pl.col("y"))
    t = pl.col("t")
    x = (t - t.first()).dt.total_microseconds() / 1e6 if work.x == "time" else t
    return uneven_shifts(pl.col("y"), x, work.edge_order)


def even_shifts(y: pl.Expr) -> pl.Expr:
    """Write the differences with one step."""
    before, after = y.shift(1), y.shift(-1)
    inside = (after - before) / (2 * STEP)
    first, last = (after - y) / STEP, (y - before) / STEP
    return pl.when(before.is_null()).then(first).when(after.is_null()).then(last).otherwise(inside)


def uneven_shifts(y: pl.Expr, x: pl.Expr, edge_order: int) -> pl.Expr:
    """Write the slope of the parabola through three points, and its ends; the first step and the last are null."""
    h1, h2 = x - x.shift(1), x.shift(-1) - x
    s1, s2 = (y - y.shift(1)) / h1, (y.shift(-1) - y) / h2
    first, last = s2, s1
    if edge_order == 2:
        first = s2 + (s2 - s2.shift(-1)) * h2 / (h2 + h2.shift(-1))
        last = s1 + (s1 - s1.shift(1)) * h1 / (h1 + h1.shift(1))
    inside = (s1 * h2 + s2 * h1) / (h1 + h2)
    return pl.when(h1.is_null()).then(first).when(h2.is_null()).then(last).otherwise(inside)
