"""Measure the gradient of columns against what there was before: `--quick` takes under a minute, writes no file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import dimensions
import flat
import grouped
import machine
import picture
import streaming
import tables
import targets
import wide
from agreement import Disagreement
from rounds import interleave

from polars_grad import _internal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rounds import Contenders, Medians
    from streaming import Cost

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROWS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
ROWS_QUICK = (100_000,)
STREAMED = (10_000_000, 30_000_000)
# Beyond this many rows some cases go without the slow contenders.
SLOW_UP_TO = 1_000_000


@dataclass(frozen=True)
class Results:
    """All that was measured."""

    flats: Mapping[flat.Case, Mapping[int, Medians]]
    wides: Medians
    groups: Mapping[grouped.Case, Mapping[int, Medians]]
    slow_groups: Mapping[grouped.Case, Mapping[int, Medians]]
    cells: Mapping[bool, Mapping[int, Medians]]
    grids: Mapping[str, Medians]
    streams: Mapping[int, Mapping[str, Cost]]


def main() -> None:
    """Check, time, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds; prints, but writes no file")
    quick = parser.parse_args().quick
    # A build that does not say what it is does not pass for a release.
    if getattr(_internal, "DEBUG", True):
        sys.exit("polars_grad is a debug build, or does not say: nothing timed. Install a release wheel: `make bench`")
    try:
        results = measure(quick=quick)
    except Disagreement as error:
        sys.exit(f"the answers differ, so nothing here is worth timing: {error}")
    document = report(results)
    print(document)
    if not quick:
        DOCS.mkdir(exist_ok=True)
        (DOCS / "benchmarks.md").write_text(document, encoding="utf-8")
        picture.draw(results.slow_groups, DOCS / "grouped.png")


def measure(*, quick: bool) -> Results:
    """Run all measurements."""
    flat.settle_allocator()
    for case in flat.CASES:
        flat.check(case, flat.frame(case, 1_000))
    return Results(
        flats={case: dict(time_flat(case, quick=quick)) for case in flat.CASES},
        wides=time_wide(quick=quick),
        groups=time_groups(grouped.CASES, quick=quick),
        slow_groups=time_groups(grouped.CASES_WITH_SLOW, quick=quick),
        cells={x: dict(time_cells(x=x, quick=quick)) for x in (False, True)},
        grids=dict(time_grids(quick=quick)),
        streams=dict(time_streams(quick=quick)),
    )


def report(results: Results) -> str:
    """Write everything down as one Markdown page."""
    reached = (
        *targets.rows(results.flats[flat.CASES[0]], results.streams),
        *targets.of_groups(results.groups),
        *targets.of_cells(results.cells),
        *targets.of_grids(results.grids),
    )
    sections = [
        machine.header(),
        "## Numbers to reach",
        tables.met(reached),
        "## One column",
        tables.ABOUT_COLUMNS,
        *(part for case, medians in results.flats.items() for part in (f"### {case.title}", tables.medians(medians))),
        f"## {wide.COLUMNS:,} columns of {wide.ROWS:,} rows against one x",
        tables.medians({wide.ROWS: results.wides}),
        "## Groups",
        tables.ABOUT_GROUPS,
        *tables.groups(results.groups),
        "## Groups, and everybody else",
        tables.ABOUT_SLOW_GROUPS,
        *tables.groups(results.slow_groups),
        "## Arrays in cells",
        tables.ABOUT_CELLS,
        *(tables.medians(medians, "values a cell") for medians in results.cells.values()),
        "## Fields on a grid",
        tables.ABOUT_GRIDS,
        tables.columns(results.grids),
        "## From Parquet to Parquet on the streaming engine",
        tables.ABOUT_STREAMS,
        tables.streams(results.streams),
    ]
    return "\n\n".join(sections) + "\n"


def time_flat(case: flat.Case, *, quick: bool) -> Iterator[tuple[int, Medians]]:
    """Time one case, size by size."""
    first = case is flat.CASES[0]
    for rows in ROWS_QUICK if quick and not first else ROWS:
        progress(f"{case.title}, {rows:,} rows")
        frame = flat.frame(case, rows)
        contenders = flat.contenders(case, frame, slow=first or case.lazy or rows <= SLOW_UP_TO)
        flat.check(case, frame, contenders)
        yield rows, timed(contenders, seconds=3 if first else 1, quick=quick)


def time_wide(*, quick: bool) -> Medians:
    """Time the frame of many columns."""
    progress(f"{wide.COLUMNS:,} columns")
    contenders = wide.contenders(wide.frame())
    wide.check(contenders)
    return timed(contenders, seconds=3, quick=quick)


def time_groups(cases: Iterable[grouped.Case], *, quick: bool) -> dict[grouped.Case, dict[int, Medians]]:
    """Time cases of groups."""
    chosen = map(grouped.shortened, cases) if quick else cases
    return {case: dict(time_grouped(case, quick=quick)) for case in chosen}


def time_grouped(case: grouped.Case, *, quick: bool) -> Iterator[tuple[int, Medians]]:
    """Time one case, by number of groups; who is slow is called less often, and apart from the others."""
    for groups in case.groups:
        progress(f"{case.rows:,} rows, {case.title}: {groups:,} groups")
        data = grouped.frame(case, groups)
        contenders = grouped.contenders(case, data, groups)
        grouped.check(case, data, contenders)
        fast = {name: call for name, call in contenders.items() if name not in grouped.SLOW}
        slow = {name: call for name, call in contenders.items() if name in grouped.SLOW}
        yield groups, timed(fast, seconds=2, quick=quick, fewest=11) | interleave(slow, seconds=0, fewest=1)


def time_cells(*, x: bool, quick: bool) -> Iterator[tuple[int, Medians]]:
    """Time cells, width by width."""
    for width in dimensions.WIDTHS:
        progress(f"cells of {width:,} values, {'with' if x else 'without'} x")
        contenders = dimensions.of_cells(width, x=x)
        dimensions.check_cells(width, contenders)
        yield width, timed(contenders, seconds=2, quick=quick, fewest=11)


def time_grids(*, quick: bool) -> Iterator[tuple[str, Medians]]:
    """Time fields, shape by shape and order by order."""
    for shape in dimensions.SHAPES:
        for shuffled in (False, True):
            title = f"{' x '.join(map(str, shape))}, {'shuffled' if shuffled else 'in order'}"
            progress(f"a grid of {title}")
            contenders = dimensions.of_grid(shape, shuffled=shuffled)
            yield title, timed(contenders, seconds=2, quick=quick, fewest=5)


def timed(contenders: Contenders, *, seconds: float, quick: bool, fewest: int = 25) -> Medians:
    """Give a quick run a fifth of the time, and fewer rounds."""
    return interleave(contenders, seconds=seconds / 5 if quick else seconds, fewest=6 if quick else fewest)


def time_streams(*, quick: bool) -> Iterator[tuple[int, dict[str, Cost]]]:
    """Time the streaming engine, size by size."""
    for rows in STREAMED[:1] if quick else STREAMED:
        progress(f"streaming, {rows:,} rows")
        yield rows, streaming.measure(rows)


def progress(what: str) -> None:
    """Say on stderr what is under way."""
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
