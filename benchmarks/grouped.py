"""Groups: the cases, their data, and who differentiates each group by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
from agreement import agree
from flat import uneven_shifts

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rounds import Contenders

UNGROUPED = "gradient without groups"
GATHER = 'group_by().agg("y")'
YARDSTICKS = (UNGROUPED, GATHER)
BY = "gradient(by=)"
SHIFTS = "shift expression.over()"
MAP_BATCHES = "map_batches(numpy.gradient).over()"
PANDAS = "pandas.apply(numpy.gradient)"
# They do something for each group, and so take seconds where there are many: up to so many groups each joins in.
SLOW = {"gradient.over()": 100_000, SHIFTS: 100_000, MAP_BATCHES: 100_000, PANDAS: 10_000}
KEYS = {
    "integer": [pl.col("group").alias("id")],
    # Polars keeps up to 12 bytes in the column itself, and longer ones apart.
    "short": [pl.format("dev-{}", pl.col("group").cast(pl.String).str.zfill(7)).alias("id")],
    "long": [pl.format("device-{}", pl.col("group").cast(pl.String).str.zfill(7)).alias("id")],
    "two": [(pl.col("group") // 32).alias("site"), (pl.col("group") % 32).alias("device")],
}


@dataclass(frozen=True)
class Case:
    """One kind of work: how the rows of a group stand, what the keys are, and how many groups there are."""

    title: str
    shuffled: bool = False
    sorted_keys: bool = True
    keys: Literal["integer", "short", "long", "two"] = "integer"
    rows: int = 10_000_000
    groups: tuple[int, ...] = (10, 1_000, 100_000, 1_000_000)
    slow: bool = False

    @property
    def yardstick(self) -> str:
        """Name what nobody could do without: the slopes alone, or bringing the rows of a group together."""
        return GATHER if self.shuffled else UNGROUPED

    @property
    def by(self) -> list[str]:
        """Name the key columns."""
        return [key.meta.output_name() for key in KEYS[self.keys]]


FEW = (1_000, 1_000_000)
WITH_SLOW = (10, 100, 1_000, 10_000, 100_000)
CASES = (
    Case("integer keys, one group after the other"),
    Case("integer keys in no order, one group after the other", sorted_keys=False),
    Case("integer keys, shuffled", shuffled=True),
    Case("strings of 11 bytes as keys, one group after the other", keys="short", groups=FEW),
    Case("strings of 14 bytes as keys, one group after the other", keys="long", groups=FEW),
    Case("strings of 14 bytes as keys, shuffled", keys="long", groups=FEW, shuffled=True),
    Case("two key columns, one group after the other", keys="two", groups=FEW),
    Case("two key columns, shuffled", keys="two", groups=FEW, shuffled=True),
)
CASES_WITH_SLOW = (
    Case("one group after the other", rows=1_000_000, groups=WITH_SLOW, slow=True),
    Case("shuffled", rows=1_000_000, groups=WITH_SLOW, slow=True, shuffled=True),
)


def shortened(case: Case) -> Case:
    """Take a tenth of the rows, and groups of a hundred rows at least."""
    rows = case.rows // 10
    return replace(case, rows=rows, groups=tuple(groups for groups in case.groups if groups * 100 <= rows))


def frame(case: Case, groups: int) -> pl.DataFrame:
    """Make noise over irregular steps in groups of unequal size; `rise` never falls, t starts anew in each group."""
    rng = np.random.default_rng(0)
    sizes = 2 + np.bincount(rng.integers(groups, size=case.rows - 2 * groups), minlength=groups)
    group = np.repeat(np.arange(groups) if case.sorted_keys else rng.permutation(groups), sizes)
    rise = np.cumsum(rng.uniform(0.5, 1.5, case.rows))
    t = rise - np.repeat(rise[np.cumsum(sizes) - sizes], sizes)
    if case.shuffled:
        group, t = rng.permutation(group), rise
    data = pl.DataFrame({"group": group, "y": rng.standard_normal(case.rows), "t": t, "rise": rise})
    return data.with_columns(KEYS[case.keys])


def check(case: Case, data: pl.DataFrame, computed_by: Contenders) -> None:
    """Stop unless all contenders give the answer of numpy."""
    answers = {name: call() for name, call in computed_by.items() if name not in YARDSTICKS}
    agree(f"{case.rows:,} rows, {case.title}", {"numpy.gradient": [with_numpy(data)]} | answers, tolerance=1e-9)


def with_numpy(data: pl.DataFrame) -> Any:
    """Run over all groups at once, brought together, and set the ends of each afterwards: fast enough to check with."""
    group = data["group"].to_numpy()
    order = np.argsort(group, kind="stable")
    group, y, t = (column[order] for column in (group, data["y"].to_numpy(), data["t"].to_numpy()))
    # Between two groups x may come back to where it was.
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.gradient(y, t)
    borders = np.flatnonzero(np.diff(group))
    first, last = np.append(0, borders + 1), np.append(borders, len(y) - 1)
    slopes[first] = (y[first + 1] - y[first]) / (t[first + 1] - t[first])
    slopes[last] = (y[last] - y[last - 1]) / (t[last] - t[last - 1])
    answer = np.empty_like(slopes)
    answer[order] = slopes
    return answer


def contenders(case: Case, data: pl.DataFrame, groups: int) -> Contenders:
    """Name everybody who computes this case with so many groups."""
    yardstick = {
        UNGROUPED: lambda: data.select(pg.gradient("y", x="rise")),
        GATHER: lambda: data.group_by(case.by).agg("y"),
    }
    calls = {
        case.yardstick: yardstick[case.yardstick],
        BY: lambda: data.select(pg.gradient("y", x="t", by=case.by)),
    }
    if not case.slow:
        return calls
    slow: dict[str, Callable[[], Any]] = dict(zip(SLOW, with_slow(case, data), strict=True))
    return calls | {name: call for name, call in slow.items() if groups <= SLOW[name]}


def with_slow(case: Case, data: pl.DataFrame) -> Sequence[Callable[[], Any]]:
    """Write the case in the order of `SLOW`; shifts are faster in a lazy frame, `map_batches` in an eager one."""
    ours, shifts = pg.gradient("y", x="t"), uneven_shifts(pl.col("y"), pl.col("t"), 1)
    mapped = pl.map_batches(["y", "t"], numpy_gradient, return_dtype=pl.Float64)
    table = pd.DataFrame({name: data[name].to_numpy() for name in (*case.by, "y", "t")})
    by_group = table.groupby(case.by, sort=False, group_keys=False)[["y", "t"]]

    def with_pandas() -> Any:
        # One group after the other: only the index says which row is which.
        slopes = by_group.apply(lambda rows: pd.Series(np.gradient(rows["y"], rows["t"]), rows.index))
        return [slopes.reindex(table.index).to_numpy()]

    return (
        lambda: data.lazy().select(ours.over(case.by)).collect(),
        lambda: data.lazy().select(shifts.over(case.by)).collect(),
        lambda: data.select(mapped.over(case.by)),
        with_pandas,
    )


def numpy_gradient(columns: Sequence[pl.Series]) -> pl.Series:
    """Differentiate the rows of one group."""
    y, t = columns
    return pl.Series(y.name, np.gradient(y.to_numpy(), t.to_numpy()))
