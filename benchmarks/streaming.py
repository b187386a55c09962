"""From Parquet to Parquet: wall time and peak memory, each run in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import polars as pl
from agreement import agree
from streaming_run import COPY, FRAMES, GRADIENT, MAKE, PRODUCTS, WHOLE

RUN = Path(__file__).with_name("streaming_run.py")
TIMES = 3


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    seconds: float
    peak_bytes: float


def measure(rows: int) -> dict[str, Cost]:
    """Check the answers in a first round, which is the warm-up, then take medians of alternating rounds."""
    names = (COPY, *PRODUCTS.values(), *FRAMES.values(), GRADIENT, WHOLE)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.parquet")
        run(MAKE, str(rows), source)
        targets = {name: Path(folder, f"{number}.parquet") for number, name in enumerate(names)}
        for name, target in targets.items():
            run(name, str(source), target)
        check(rows, targets)
        rounds = [{name: run(name, str(source), target) for name, target in targets.items()} for _ in range(TIMES)]
    return {name: middle([costs[name] for costs in rounds]) for name in names}


def run(what: str, source: str, target: Path) -> Cost:
    """Run one query in a new process."""
    command = [sys.executable, str(RUN), what, source, str(target)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(**json.loads(done.stdout))


def check(rows: int, targets: dict[str, Path]) -> None:
    """Stop unless the gradients agree, row by row, and stand beside the same x."""
    names = (*FRAMES.values(), GRADIENT, WHOLE)
    answers = {name: pl.read_parquet(targets[name], columns=["t", "y"]) for name in names}
    agree(f"streaming, {rows:,} rows", answers, tolerance=1e-9)


def middle(costs: list[Cost]) -> Cost:
    """Take the median of time and of memory."""
    return Cost(median(cost.seconds for cost in costs), median(cost.peak_bytes for cost in costs))
