"""One column against one x: the cases, their data, and who computes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from agreement import agree

import polars_grad  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rounds import Contenders

YARDSTICK = "y + t"
OURS = "grad.gradient"
NUMPY = "numpy.gradient"
STEP = 0.5
SECOND = np.timedelta64(1, "s")


@dataclass(frozen=True)
class Case:
    """One kind of work: what y and x are, and which options are set."""

    title: str
    y: Literal["float64", "float32"] = "float64"
    x: Literal["number", "time", "spacing"] = "number"
    edge_order: Literal[1, 2] = 1
    nulls: float = 0.0
    lazy: bool = False
    tolerance: float = 1e-9


CASES = (
    Case("Float64, irregular x"),
    Case("Float32, irregular x", y="float32", tolerance=1e-4),
    # The others turn times into seconds since the first, which costs digits.
    Case("Float64 over Datetime (µs)", x="time", tolerance=1e-6),
    Case(f"Float64, `spacing={STEP}`", x="spacing"),
    Case("Float64, irregular x, 10 % nulls in y", nulls=0.1),
    Case("Float64, irregular x, `edge_order=2`", edge_order=2),
    Case("Float64, irregular x, in a lazy frame", lazy=True),
)


def settle_allocator() -> None:
    """Free one large array, for numpy's best case: until then glibc fetches every array anew from the system."""
    np.empty(31_000_000, np.uint8)


def frame(case: Case, rows: int) -> pl.DataFrame:
    """Make noise over irregular steps; `f` is what the yardstick adds to y."""
    rng = np.random.default_rng(0)
    y = pl.Series(rng.standard_normal(rows).astype(case.y))
    if case.nulls:
        y = pl.select(pl.when(pl.Series(rng.random(rows) >= case.nulls)).then(y)).to_series()
    t = coordinates(case, rows, rng)
    # No sum of a float and a time exists, so that its yardstick reads as many bytes from a column of floats.
    f = pl.Series(np.arange(rows, dtype=np.float64)) if case.x == "time" else t
    return pl.DataFrame({"y": y, "t": t, "f": f}).rechunk()


def coordinates(case: Case, rows: int, rng: np.random.Generator) -> pl.Series:
    """Draw a rising x."""
    if case.x == "time":
        micros = np.cumsum(rng.integers(500_000, 1_500_000, rows))
        return pl.Series(np.datetime64(datetime(2024, 1, 1), "us") + micros)  # noqa: DTZ001
    if case.y == "float32":
        # Whole numbers within ±2^24 at 10 million rows: each is a float32 of its own.
        return pl.Series((np.cumsum(rng.integers(1, 6, rows)) - rows * 3 // 2).astype("float32"))
    return pl.Series(np.cumsum(rng.uniform(0.5, 1.5, rows)))


def check(case: Case, data: pl.DataFrame, computed_by: Contenders | None = None) -> None:
    """Stop unless all contenders give the same answer."""
    computed_by = computed_by or contenders(case, data)
    answers = {name: call() for name, call in computed_by.items() if name != YARDSTICK}
    agree(f"{case.title}, {len(data):,} rows", answers, tolerance=case.tolerance)


def contenders(case: Case, data: pl.DataFrame, *, slow: bool = True) -> Contenders:
    """Name everybody who computes this case."""
    calls = {
        YARDSTICK: select(case, data, pl.col("y") + pl.col("f")),
        OURS: select(case, data, gradient(case)),
        NUMPY: with_numpy(case, data),
    }
    if slow:
        calls["map_batches(numpy.gradient)"] = select(case, data, with_map_batches(case))
        calls["shift expression"] = select(case, data, shifts(case))
    return calls


def select(case: Case, data: pl.DataFrame, wanted: pl.Expr) -> Callable[[], pl.DataFrame]:
    """Evaluate an expression, in an eager frame or a lazy one."""
    return (lambda: data.lazy().select(wanted).collect()) if case.lazy else (lambda: data.select(wanted))


def gradient(case: Case) -> pl.Expr:
    """Write the case with this package."""
    if case.x == "spacing":
        return pl.col("y").grad.gradient(spacing=STEP, edge_order=case.edge_order)  # type: ignore[attr-defined, no-any-return]
    return pl.col("y").grad.gradient(x="t", edge_order=case.edge_order)  # type: ignore[attr-defined, no-any-return]


def with_numpy(case: Case, data: pl.DataFrame) -> Callable[[], Any]:
    """Call numpy, with the arrays in hand."""
    y, t = data["y"].to_numpy(), data["t"].to_numpy()
    return lambda: [numpy_gradient(case, y, t)]


def with_map_batches(case: Case) -> pl.Expr:
    """Call numpy from within Polars, arrays and back included."""

    def call(columns: Sequence[pl.Series]) -> pl.Series:
        y, t = columns
        return pl.Series(y.name, numpy_gradient(case, y.to_numpy(), t.to_numpy()))

    return pl.map_batches(["y", "t"], call, return_dtype=pl.Float32 if case.y == "float32" else pl.Float64)


def numpy_gradient(case: Case, y: Any, t: Any) -> Any:
    """Write the case with numpy, which takes no times."""
    if case.x == "spacing":
        return np.gradient(y, STEP, edge_order=case.edge_order)
    return np.gradient(y, (t - t[0]) / SECOND if case.x == "time" else t, edge_order=case.edge_order)


def shifts(case: Case) -> pl.Expr:
    """Write the case with Polars alone."""
    if case.x == "spacing":
        return even_shifts(pl.col("y"))
    t = pl.col("t")
    x = (t - t.first()).dt.total_microseconds() / 1e6 if case.x == "time" else t
    return uneven_shifts(pl.col("y"), x, case.edge_order)


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
