"""Tables in Markdown, padded so that they read as well in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streaming_run import COPY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from grouped import Case
    from rounds import Medians
    from streaming import Cost

ABOUT_COLUMNS = """\
Each cell: the median time, and its ratio to that of the yardstick `y + t` on the same frame. An eager frame evaluates
the parts of the shift expression as often as they are written, a lazy frame once: see the last case."""
ABOUT_GROUPS = """\
Groups of unequal size, irregular x. Groups that stand one after the other are compared with the gradient of the whole
column, which knows of no groups; shuffled rows with `group_by().agg("y")`, which brings together the values of each
group and computes nothing."""
ABOUT_SLOW_GROUPS = """\
The same with those who do something for each group. They are called twice, the first time to warm up; "-" where a call
would take longer than about 5 s.

![Time per call against the number of groups](grouped.png)"""
ABOUT_CELLS = """\
10 million values in cells of one length, against the gradient of one column of them. First without x, then with a
coordinate for each value."""
ABOUT_GRIDS = """\
5 million points in long format, against one sort of the frame by its coordinates. Where the points stand in order, that
is a look at them."""
ABOUT_STREAMS = """\
Two columns in, two columns out. Peak memory is that of the whole process, file pages mapped into it included."""


def met(rows: Iterable[Sequence[str]]) -> str:
    """Tabulate the numbers to reach."""
    return table(("work", "at most", "measured"), rows)


def medians(results: Mapping[int, Medians], what: str = "rows") -> str:
    """Tabulate one case: who, by how many rows or groups."""
    names = max(results.values(), key=len)
    body = [(name, *(cell(name, at) for at in results.values())) for name in names]
    return table(("median, ratio to the first", *(f"{count:,} {what}" for count in results)), body)


def columns(results: Mapping[str, Medians]) -> str:
    """Tabulate cases beside each other: who, by case."""
    names = next(iter(results.values()))
    body = [(name, *(cell(name, at) for at in results.values())) for name in names]
    return table(("median, ratio to the first", *results), body)


def groups(results: Mapping[Case, Mapping[int, Medians]]) -> Iterator[str]:
    """Tabulate cases of groups, each under its title."""
    for case, by_count in results.items():
        yield f"### {case.rows:,} rows, {case.title}"
        yield medians(by_count, "groups")


def streams(results: Mapping[int, Mapping[str, Cost]]) -> str:
    """Tabulate the streaming runs."""
    body = [
        (f"{rows:,} rows: {name}", timed(cost.seconds), times(cost.seconds / costs[COPY].seconds), megabytes(cost))
        for rows, costs in results.items()
        for name, cost in costs.items()
    ]
    return table(("query", "median", "ratio to the copy", "peak memory"), body)


def cell(name: str, at: Medians) -> str:
    """Write a median and its ratio to the yardstick, which is the first."""
    yardstick = next(iter(at.values()))
    return f"{timed(at[name])}, {times(at[name] / yardstick)}" if name in at else "-"


def megabytes(cost: Cost) -> str:
    """Write a peak of memory."""
    return f"{cost.peak_bytes / 1e6:,.0f} MB"


def timed(seconds: float) -> str:
    """Write a time with three digits."""
    unit, size = next(((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3)) if seconds >= size), ("µs", 1e-6))
    amount = seconds / size
    return f"{amount:.{2 if amount < 9.995 else 1 if amount < 99.95 else 0}f} {unit}"


def times(ratio: float) -> str:
    """Write a ratio."""
    return f"{ratio:.{2 if ratio < 9.995 else 0}f}x"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Lay out rows under a head, the first column to the left and the others to the right."""
    rows = [tuple(head), *map(tuple, body)]
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    rule = ["-" * first, *("-" * (width - 1) + ":" for width in others)]
    lines = [[name.ljust(first), *map(str.rjust, cells, others)] for name, *cells in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:]))
