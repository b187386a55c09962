"""The version of the package, and what a report of an error is to contain."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import polars_grad as pg

if TYPE_CHECKING:
    from conftest import Run


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    assert pg.show_versions() is None
    lines = [line.partition(":") for line in capsys.readouterr().out.splitlines()]
    assert len({len(name) + len(version) - len(version.lstrip()) for name, _, version in lines}) == 1
    return {name: version.strip() for name, _, version in lines}


def test_the_version_is_that_of_the_installed_package() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+(-\w+(\.\d+)?)?", pg.__version__)
    try:
        installed = metadata.version("polars-grad")
    except metadata.PackageNotFoundError:
        pytest.skip("the package is imported from its sources, it is not installed")
    # Cargo writes 1.0.0-rc.1 where Python writes 1.0.0rc1.
    assert re.sub(r"-(a|b|rc)\w*?\.?(?=\d+$)", r"\1", pg.__version__) == installed


def test_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    versions = shown(capsys)
    assert list(versions)[:8] == [
        "polars-grad", "polars", "runtime", "index type", "registers", "threads", "Python", "platform",
    ]  # fmt: skip
    assert versions["polars-grad"] == pg.__version__
    assert versions["polars"] == pl.__version__
    assert versions["index type"] == str(pl.get_index_type())
    assert versions["platform"] == platform.platform()
    assert versions["Python"].startswith(platform.python_version())
    assert versions["numpy"] == metadata.version("numpy")
    # The runtime has the version of Polars.
    package, version = versions["runtime"].split()
    assert version == pl.__version__ == metadata.version(package)
    # The one for old processors may have either index.
    own = {"32": "UInt32", "64": "UInt64"}.get(package.removeprefix("polars-runtime-"), versions["index type"])
    assert versions["index type"] == own


def test_registers_are_those_of_the_processor(capsys: pytest.CaptureFixture[str]) -> None:
    info = Path("/proc/cpuinfo")
    if not info.exists() or platform.machine() != "x86_64":
        pytest.skip("the processor is asked through /proc/cpuinfo")
    flags = set(re.search(r"^flags\s*: (.*)", info.read_text("utf-8"), re.MULTILINE)[1].split())
    expected = "SSE2"
    if {"avx2", "fma"} <= flags:
        expected = "AVX-512" if {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags else "AVX2"
    assert shown(capsys)["registers"] == expected


@pytest.mark.parametrize("limit", ["1", "3", None])
def test_threads_are_those_allowed(limit: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    if limit is not None:
        environment["POLARS_MAX_THREADS"] = limit
    program = "import os, polars_grad as pg; pg.show_versions(); print('cores:', len(os.sched_getaffinity(0)))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    threads, cores = (
        int(re.search(rf"^{name}: +(\d+)$", done.stdout, re.MULTILINE)[1]) for name in ("threads", "cores")
    )
    assert threads == (cores if limit is None else int(limit))


def test_nothing_is_imported_for_it(run: Run) -> None:
    program = (
        "import sys, polars_grad as pg; before = {*sys.modules}; pg.show_versions(); "
        "print({'numpy', 'pandas', 'pyarrow', 'dask', 'distributed', 'pyspark'} & ({*sys.modules} - before))"
    )
    done = run(program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "set()"
