"""Tables of `docs/benchmarks.md` as numbers, for pictures."""

from __future__ import annotations

import re
from pathlib import Path

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}


def benchmark(title: str, *, within: str) -> tuple[list[float], dict[str, list[float | None]]]:
    """Read the table below a title: the sizes of its columns, and the seconds of each row."""
    text = (Path(__file__).parents[1] / "benchmarks.md").read_text(encoding="utf-8")
    part = text.split(f"\n## {within}\n")[1].split("\n## ")[0]
    lines = [line for line in part.split(f"\n### {title}\n")[1].split("\n### ")[0].splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    sizes = [float(re.sub(r"[^\d]", "", cell)) for cell in head[1:]]
    return sizes, {name: [_seconds(cell) for cell in cells] for name, *cells in rows}


def _seconds(cell: str) -> float | None:
    found = re.match(r"([\d.,]+) (\S+?),", cell)
    return float(found[1].replace(",", "")) * UNITS[found[2]] if found else None
