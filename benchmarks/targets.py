"""The numbers to reach, and whether they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dimensions import ARRAY, FLAT, LIST, PARTIALS, SORT
from flat import NUMPY, OURS, YARDSTICK
from grouped import BY, GATHER, UNGROUPED
from streaming_run import COPY, GRADIENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from grouped import Case
    from rounds import Medians
    from streaming import Cost

AGAINST_YARDSTICK = {10_000_000: 1.2, 100_000: 1.6, 1_000: 3.0}
AGAINST_NUMPY = 12
AGAINST_COPY = 1.6
INSIDE_AGAINST_FLAT, WIDE = 1.5, 100
PARTIALS_AGAINST_SORT = 3.0
BY_AGAINST = {UNGROUPED: 2.0, GATHER: 2.5}


def rows(flat: Mapping[int, Medians], streams: Mapping[int, Mapping[str, Cost]]) -> Iterator[tuple[str, str, str]]:
    """List work, target and measured."""
    for count, limit in AGAINST_YARDSTICK.items():
        ratio = flat[count][OURS] / flat[count][YARDSTICK]
        yield f"{count:,} rows, irregular x", f"{limit:g}x `{YARDSTICK}`", verdict(f"{ratio:.2f}x", ratio <= limit)
    largest = flat[max(flat)]
    speed = largest[NUMPY] / largest[OURS]
    target = f"1/{AGAINST_NUMPY} of `{NUMPY}`"
    yield f"{max(flat):,} rows, irregular x", target, verdict(f"1/{speed:.1f}", speed >= AGAINST_NUMPY)
    for count, costs in streams.items():
        ratio = costs[GRADIENT].seconds / costs[COPY].seconds
        work = f"{count:,} rows, Parquet to Parquet, streaming"
        yield work, f"{AGAINST_COPY:g}x the copy", verdict(f"{ratio:.2f}x", ratio <= AGAINST_COPY)


def of_groups(results: Mapping[Case, Mapping[int, Medians]]) -> Iterator[tuple[str, str, str]]:
    """List the same of groups."""
    for case, by_count in results.items():
        limit = BY_AGAINST[case.yardstick]
        for count, medians in by_count.items():
            ratio = medians[BY] / medians[case.yardstick]
            work = f"{case.rows:,} rows, {case.title}: {count:,} groups"
            yield work, f"{limit:g}x {case.yardstick}", verdict(f"{ratio:.2f}x", ratio <= limit)


def of_cells(results: Mapping[bool, Mapping[int, Medians]]) -> Iterator[tuple[str, str, str]]:
    """List the same of cells."""
    for x, by_width in results.items():
        for width, medians in by_width.items():
            for name in (ARRAY, LIST):
                ratio = medians[name] / medians[FLAT]
                work = f"{name}, cells of {width:,}{', with x' if x else ''}"
                if width >= WIDE:
                    limit = INSIDE_AGAINST_FLAT
                    yield work, f"{limit:g}x {FLAT}", verdict(f"{ratio:.2f}x", ratio <= limit)


def of_grids(results: Mapping[str, Medians]) -> Iterator[tuple[str, str, str]]:
    """List the same of fields on a grid."""
    for title, medians in results.items():
        ratio = medians[PARTIALS] / medians[SORT]
        limit = PARTIALS_AGAINST_SORT
        yield f"partials, {title}", f"{limit:g}x {SORT}", verdict(f"{ratio:.2f}x", ratio <= limit)


def verdict(measured: str, reached: object) -> str:
    """Mark what falls short."""
    return measured if reached else f"**{measured}, missed**"
