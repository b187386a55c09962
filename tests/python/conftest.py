"""What all tests share. Loaded before any test imports Polars."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# The streaming engine cuts a frame into batches of 100 000 rows unless told otherwise. Batches of eight rows let small
# frames cross batch borders; what runs in a process of its own (`run`) has batches of the usual size.
os.environ.setdefault("POLARS_IDEAL_MORSEL_SIZE", "8")

settings.register_profile(
    "tests",
    deadline=None,
    max_examples=80,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse names that only this process has, before one that shares the tests does not know them."""
    for item in items:
        if " at 0x" in item.nodeid:
            msg = f"{item.nodeid}: the name of the test has an address in it; give `ids=shown`, from ids.py"
            raise pytest.UsageError(msg)


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["in-memory", "streaming"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each of the engines that run a lazy query."""
    return request.param


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a Python program, given as text or as a file, in a process of its own, with warnings as errors."""

    def run(program: str | Path, *arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        source = [str(program)] if isinstance(program, Path) else ["-c", program]
        return subprocess.run(
            [sys.executable, "-W", "error", *source, *map(str, arguments)],
            env={name: value for name, value in os.environ.items() if name != "POLARS_IDEAL_MORSEL_SIZE"},
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run
