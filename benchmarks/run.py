"""Measure operators against other ways to the same numbers, and write docs/benchmarks.md and docs/speed.svg."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cells
import flat
import formulas
import grids
import groups
import machine
import nesting
import operators
import rings
import streaming
import tables
import targets
import wide
from agreement import Disagreement
from case import LARGEST, Case, Part
from rounds import interleave

from polars_grad import _internal
from polars_grad._engine.operator import OPERATORS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rounds import Contenders, Medians
    from streaming import Cost

DOCS = Path(__file__).resolve().parents[1] / "docs"
STREAMED = (10_000_000, 30_000_000)
# Contenders are compared on this many rows before anything is timed.
SMALL = 10_000
# A run of fewer rows takes this part of the time.
SHORT = 0.1


def main() -> None:
    """Check, time, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, help="a trial: at most this many rows, little time, writes no file")
    rows = parser.parse_args().rows
    # A build that does not say what it is may be a debug build.
    if getattr(_internal, "DEBUG", True):
        sys.exit("polars_grad is a debug build, or does not say: nothing timed. Install a release wheel: `make bench`")
    if missing := OPERATORS.keys() - operators.CASES_BY_OPERATOR.keys():
        sys.exit(f"no cases for {', '.join(sorted(missing))}: add them in benchmarks/operators.py")
    try:
        document = report(rows or LARGEST, trial=rows is not None)
    except Disagreement as error:
        sys.exit(f"the answers differ, so nothing is timed: {error}")
    print(document)
    if rows is None:
        DOCS.mkdir(exist_ok=True)
        (DOCS / "benchmarks.md").write_text(document, encoding="utf-8")
        subprocess.run([sys.executable, DOCS / "_site" / "bars.py"], check=True)


def report(largest: int, *, trial: bool) -> str:
    """Measure all parts; return the page."""
    flat.settle_allocator()
    parts = [
        *operators.PARTS,
        rings.PART,
        nesting.PART,
        MANY_COLUMNS,
        *groups.PARTS,
        cells.PART,
        grids.PART,
        formulas.PART,
    ]
    for part in parts:
        for case in part.cases(min(SMALL, largest)):
            check(case)
    measured = {part: {case: dict(measure(case, trial=trial)) for case in part.cases(largest)} for part in parts}
    streams = dict(measure_streams(largest, trial=trial))
    rows = [
        target.row(case.title, sizes[target.size])
        for cases in measured.values()
        for case, sizes in cases.items()
        for target in case.targets
    ]
    sections = [
        machine.header(),
        "## Numbers to reach",
        tables.reached([*rows, *targets.of_streams(streams)]),
        *(tables.part(part, cases) for part, cases in measured.items()),
        tables.streams(streams),
    ]
    return "\n\n".join(sections) + "\n"


def check(case: Case) -> None:
    """Compare the answers at all sizes."""
    progress(f"checking {case.title}")
    for size in case.sizes.values():
        case.contenders(size)


def measure(case: Case, *, trial: bool) -> Iterator[tuple[str, Medians]]:
    """Time a case at each size."""
    for label, size in case.sizes.items():
        progress(f"{case.title}, {label}")
        contenders = case.contenders(size)
        seconds, rounds = (case.seconds * SHORT, 2) if trial else (case.seconds, case.rounds)
        medians = interleave(contenders, seconds=seconds, fewest=rounds)
        # A run that ends early has told what it had measured.
        first = next(iter(medians.values()))
        progress("    " + ", ".join(f"{name} {median / first:.2f}x" for name, median in medians.items()))
        yield label, medians


def measure_streams(largest: int, *, trial: bool) -> Iterator[tuple[int, dict[str, Cost]]]:
    """Measure the streaming engine at each size."""
    for rows in (largest,) if trial else STREAMED:
        progress(f"streaming, {rows:,} rows")
        yield rows, streaming.measure(rows)


def many_columns(rows: int) -> list[Case]:
    """Return the case of many columns, whose size is the same in every run."""
    label = f"{wide.ROWS:,} rows"
    target = targets.Target(label, "grad.with_columns", 2, flat.OURS)
    return [Case(f"{wide.COLUMNS:,} columns", {label: rows}, of_many_columns, [target], seconds=3)]


def of_many_columns(_rows: int) -> Contenders:
    """Return the contenders on many columns, once their answers agree."""
    contenders = wide.contenders(wide.frame())
    wide.check(contenders)
    return contenders


MANY_COLUMNS = Part("Many columns", "Columns of noise against one x, in one query.", many_columns)


def progress(what: str) -> None:
    """Report on stderr what is under way."""
    print(f"… {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
