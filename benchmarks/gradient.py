"""Measure the gradient of columns against what there was before: `--quick` takes under a minute, writes no file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import flat
import machine
import streaming
import tables
import targets
import wide
from agreement import Disagreement
from rounds import interleave

from polars_grad import _internal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rounds import Contenders, Medians
    from streaming import Cost

REPORT = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
ROWS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
ROWS_QUICK = (100_000,)
STREAMED = (10_000_000, 30_000_000)
# Beyond this many rows some cases go without the slow contenders.
SLOW_UP_TO = 1_000_000


def main() -> None:
    """Check, time, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes and rounds; prints, but writes no file")
    quick = parser.parse_args().quick
    # A build that does not say what it is does not pass for a release.
    if getattr(_internal, "DEBUG", True):
        sys.exit("polars_grad is a debug build, or does not say: nothing timed. Install a release wheel: `make bench`")
    try:
        document = report(quick=quick)
    except Disagreement as error:
        sys.exit(f"the answers differ, so nothing here is worth timing: {error}")
    print(document)
    if not quick:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(document, encoding="utf-8")


def report(*, quick: bool) -> str:
    """Run all measurements and write them down as one Markdown page."""
    flat.settle_allocator()
    for case in flat.CASES:
        flat.check(case, flat.frame(case, 1_000))
    flats = {case: dict(time_flat(case, quick=quick)) for case in flat.CASES}
    wides = time_wide(quick=quick)
    streams = dict(time_streams(quick=quick))
    sections = [
        machine.header(),
        "## Numbers to reach",
        tables.met(targets.rows(flats[flat.CASES[0]], streams)),
        "## One column",
        tables.ABOUT_COLUMNS,
        *(part for case, results in flats.items() for part in (f"### {case.title}", tables.medians(results))),
        f"## {wide.COLUMNS:,} columns of {wide.ROWS:,} rows against one x",
        tables.medians({wide.ROWS: wides}),
        "## From Parquet to Parquet on the streaming engine",
        tables.ABOUT_STREAMS,
        tables.streams(streams),
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


def timed(contenders: Contenders, *, seconds: float, quick: bool) -> Medians:
    """Give a quick run a fifth of the time, and fewer rounds."""
    return interleave(contenders, seconds=seconds / 5 if quick else seconds, fewest=6 if quick else 25)


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
