"""Tables in Markdown, padded so that they can be read in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from case import Case, Part
    from rounds import Medians
    from streaming import Cost

ABOUT_STREAMS = """\
## From Parquet to Parquet on the streaming engine

Two columns in; two columns out, or four for three operators. Peak memory is that of the whole process, mapped file
pages included."""


def reached(rows: Iterable[Sequence[str]]) -> str:
    """Tabulate the numbers to reach."""
    return table(("work", "at most", "measured"), rows)


def part(about: Part, results: Mapping[Case, Mapping[str, Medians]]) -> str:
    """Write a part: a table per case."""
    cases = (f"### {case.title}\n\n{medians(sizes)}" for case, sizes in results.items())
    return "\n\n".join((f"## {about.title}", about.about, *cases))


def medians(results: Mapping[str, Medians]) -> str:
    """Tabulate one case: contenders by size."""
    names = max(results.values(), key=len)
    body = [(name, *(cell(name, at) for at in results.values())) for name in names]
    return table(("median, ratio to the first", *results), body)


def streams(results: Mapping[int, Mapping[str, Cost]]) -> str:
    """Write the streaming part, with ratios to the first contender."""
    body = []
    for rows, costs in results.items():
        baseline = next(iter(costs.values())).seconds
        for name, cost in costs.items():
            peak = f"{cost.peak_bytes / 1e6:,.0f} MB"
            body.append((f"{rows:,} rows: {name}", duration(cost.seconds), times(cost.seconds / baseline), peak))
    return f"{ABOUT_STREAMS}\n\n{table(('query', 'median', 'ratio to the copy', 'peak memory'), body)}"


def cell(name: str, at: Medians) -> str:
    """Write a median and its ratio to that of the baseline, which is the first."""
    baseline = next(iter(at.values()))
    return f"{duration(at[name])}, {times(at[name] / baseline)}" if name in at else "-"


def duration(seconds: float) -> str:
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
