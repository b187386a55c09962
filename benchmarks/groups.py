"""Groups: the cases, their data, and the contenders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
from agreement import agree
from case import Case, Part
from flat import uneven_shifts
from targets import Target

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rounds import Contenders

UNGROUPED = "gradient without groups"
GATHER = 'group_by().agg("y")'
LIMITS = {UNGROUPED: 2.0, GATHER: 2.5}
BY = "gradient(by=)"
SHIFTS = "shift expression.over()"
MAP_BATCHES = "map_batches(numpy.gradient).over()"
PANDAS = "pandas.apply(numpy.gradient)"
# One call per group takes seconds with many groups: the most groups that each of these is measured with.
SLOW = {"gradient.over()": 100_000, SHIFTS: 100_000, MAP_BATCHES: 100_000, PANDAS: 10_000}
FEWEST_ROWS = 10
KEYS = {
    "integer": [pl.col("group").alias("id")],
    # Polars keeps up to 12 bytes in the column itself, and longer strings apart.
    "short": [pl.format("dev-{}", pl.col("group").cast(pl.String).str.zfill(7)).alias("id")],
    "long": [pl.format("device-{}", pl.col("group").cast(pl.String).str.zfill(7)).alias("id")],
    "two": [(pl.col("group") // 32).alias("site"), (pl.col("group") % 32).alias("device")],
}
ABOUT = """\
Groups of unequal size, irregular x. The baseline of contiguous groups is the gradient of the whole column without
groups. That of shuffled rows is `group_by().agg("y")`, which brings together the values of each group and computes
nothing."""
ABOUT_SLOW = """\
The same with contenders that make one call per group; "-" where a call would take longer than about 5 s.
[How fast](fast.md#groups) draws these tables."""


@dataclass(frozen=True)
class Work:
    """How the rows of a group lie, what the keys are, and how many groups there are."""

    title: str
    shuffled: bool = False
    sorted_keys: bool = True
    keys: Literal["integer", "short", "long", "two"] = "integer"
    rows: int = 10_000_000
    groups: tuple[int, ...] = (10, 1_000, 100_000, 1_000_000)
    slow: bool = False

    @property
    def baseline(self) -> str:
        """Name the least work that a contender cannot avoid: the slopes alone, or gathering the rows of each group."""
        return GATHER if self.shuffled else UNGROUPED

    @property
    def by(self) -> list[str]:
        """Name the key columns."""
        return [key.meta.output_name() for key in KEYS[self.keys]]


FEW = (1_000, 1_000_000)
WITH_SLOW = (10, 100, 1_000, 10_000, 100_000)
WORKS = (
    Work("contiguous, sorted integer keys"),
    Work("contiguous, unsorted integer keys", sorted_keys=False),
    Work("shuffled, integer keys", shuffled=True),
    Work("contiguous, strings of 11 bytes", keys="short", groups=FEW),
    Work("contiguous, strings of 14 bytes", keys="long", groups=FEW),
    Work("shuffled, strings of 14 bytes", keys="long", groups=FEW, shuffled=True),
    Work("contiguous, two key columns", keys="two", groups=FEW),
    Work("shuffled, two key columns", keys="two", groups=FEW, shuffled=True),
)
WORKS_WITH_SLOW = (
    Work("contiguous", rows=1_000_000, groups=WITH_SLOW, slow=True),
    Work("shuffled", rows=1_000_000, groups=WITH_SLOW, slow=True, shuffled=True),
)


def cases(works: Sequence[Work], largest: int) -> list[Case]:
    """Return cases of at most this many rows."""
    return [case(work, min(work.rows, largest)) for work in works]


def case(work: Work, rows: int) -> Case:
    """Return a case with its targets, without the sizes whose groups would be too short."""
    sizes = {f"{groups:,} groups": groups for groups in work.groups if groups * FEWEST_ROWS <= rows}
    targets = [] if work.slow else [Target(label, BY, LIMITS[work.baseline], work.baseline) for label in sizes]
    return Case(f"{rows:,} rows, {work.title}", sizes, partial(contenders, work, rows), targets)


def frame(work: Work, rows: int, groups: int) -> pl.DataFrame:
    """Make noise over irregular steps in groups of unequal size; `rise` never falls, t starts anew in each group."""
    rng = np.random.default_rng(0)
    sizes = 2 + np.bincount(rng.integers(groups, size=rows - 2 * groups), minlength=groups)
    group = np.repeat(np.arange(groups) if work.sorted_keys else rng.permutation(groups), sizes)
    rise = np.cumsum(rng.uniform(0.5, 1.5, rows))
    t = rise - np.repeat(rise[np.cumsum(sizes) - sizes], sizes)
    if work.shuffled:
        group, t = rng.permutation(group), rise
    data = pl.DataFrame({"group": group, "y": rng.standard_normal(rows), "t": t, "rise": rise})
    return data.with_columns(KEYS[work.keys])


def contenders(work: Work, rows: int, groups: int) -> Contenders:
    """Return the contenders on this many groups, once their answers agree with numpy."""
    data = frame(work, rows, groups)
    baselines: dict[str, Callable[[], Any]] = {
        UNGROUPED: lambda: data.select(pg.gradient("y", x="rise")),
        GATHER: lambda: data.group_by(work.by).agg("y"),
    }
    answers: dict[str, Callable[[], Any]] = {BY: lambda: data.select(pg.gradient("y", x="t", by=work.by))}
    if work.slow:
        slow = dict(zip(SLOW, with_slow(work, data), strict=True))
        answers |= {name: call for name, call in slow.items() if groups <= SLOW[name]}
    given = {name: call() for name, call in answers.items()}
    agree(f"{rows:,} rows, {work.title}", {"numpy.gradient": [with_numpy(data)]} | given, tolerance=1e-9)
    return {work.baseline: baselines[work.baseline], **answers}


def with_numpy(data: pl.DataFrame) -> Any:
    """Differentiate all groups at once, gathered, and set their ends afterwards: fast enough to check with."""
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


def with_slow(work: Work, data: pl.DataFrame) -> Sequence[Callable[[], Any]]:
    """Write the work in the order of `SLOW`; shifts are faster in a lazy frame, `map_batches` in an eager one."""
    ours, shifts = pg.gradient("y", x="t"), uneven_shifts(pl.col("y"), pl.col("t"), 1)
    mapped = pl.map_batches(["y", "t"], numpy_gradient, return_dtype=pl.Float64)
    table = pd.DataFrame({name: data[name].to_numpy() for name in (*work.by, "y", "t")})
    by_group = table.groupby(work.by, sort=False, group_keys=False)[["y", "t"]]

    def with_pandas() -> Any:
        # One group after the other: only the index says which row is which.
        slopes = by_group.apply(lambda rows: pd.Series(np.gradient(rows["y"], rows["t"]), rows.index))
        return [slopes.reindex(table.index).to_numpy()]

    return (
        lambda: data.lazy().select(ours.over(work.by)).collect(),
        lambda: data.lazy().select(shifts.over(work.by)).collect(),
        lambda: data.select(mapped.over(work.by)),
        with_pandas,
    )


def numpy_gradient(columns: Sequence[pl.Series]) -> pl.Series:
    """Differentiate the rows of one group."""
    y, t = columns
    return pl.Series(y.name, np.gradient(y.to_numpy(), t.to_numpy()))


PARTS = [
    Part("Groups", ABOUT, partial(cases, WORKS)),
    Part("Groups, all contenders", ABOUT_SLOW, partial(cases, WORKS_WITH_SLOW)),
]
