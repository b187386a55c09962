"""The head of the report: processor, versions, date."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

TITLE = """\
# Benchmarks

Written by `make bench`; `benchmarks/README.md` says what is measured and how. **Compare ratios, not times**: a ratio is
taken within one run on one machine and carries over to another, a time does not."""


def header() -> str:
    """Write the head of the report."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("polars-grad", "polars", "numpy", "pandas"))
    date = datetime.now(tz=timezone.utc).date()
    return f"{TITLE}\n\n{processor()}, {os.cpu_count()} cores · {packages}, Python {platform.python_version()} · {date}"


def processor() -> str:
    """Name the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
