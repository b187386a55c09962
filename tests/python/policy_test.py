"""The support policy names the versions that the packages ask for and that the workflows test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"

pytestmark = pytest.mark.skipif(not (ROOT / "SUPPORT.md").exists(), reason="needs the sources")


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def found(pattern: str, name: str) -> str:
    match = re.search(pattern, text(name), re.MULTILINE)
    assert match, (pattern, name)
    return match[1]


@pytest.mark.parametrize(
    ("asked", "where", "policy"),
    [
        (r'"polars>=([\d.]+)"', "pyproject.toml", r"Polars (1\.\d+), the last"),
        (r'requires-python = ">=([\d.]+)"', "pyproject.toml", r"^- Python ([\d.]+) and every later"),
        (r'^rust-version = "([\d.]+)"', "Cargo.toml", r"^- Rust ([\d.]+) and later"),
        (r'^polars = { version = "([\d.]+)"', "Cargo.toml", r"one Polars release, ([\d.]+),"),
        (r'^arrow-array = { version = "([\d.]+)"', "Cargo.toml", r"one Arrow release, (\d+)"),
        (r'spark = \["pyspark\[sql\]>=(\d+)', "pyproject.toml", r"PySpark (\d+)"),
        (r'dask = \["dask\[dataframe\]>=([\d.]+)"', "pyproject.toml", r"Dask from ([\d.]+) on"),
        (r"POLARS := polars==(2[\d.]+)$", "Makefile", r"on (2\.\d\.\d)$"),
    ],
)
def test_the_policy_says_what_is_asked_for(asked: str, where: str, policy: str) -> None:
    assert found(policy, "SUPPORT.md") == found(asked, where)


def test_the_targets_that_the_policy_names_are_there() -> None:
    named = set(re.findall(r"`(test-[\w.]+)`", text("SUPPORT.md")))
    assert named
    assert named <= set(re.findall(r"^(test-[\w.]+):", text("Makefile"), re.MULTILINE))


def test_workflows_call_targets_that_are_there() -> None:
    targets = set(re.findall(r"^([\w.-]+):(?!=)", text("Makefile"), re.MULTILINE))
    for workflow in WORKFLOWS.glob("*.yml"):
        content = workflow.read_text("utf-8")
        called = {
            name
            for line in re.findall(r"run: make ([\w. -]+?)(?: \w+=.*)?$", content, re.MULTILINE)
            for name in line.split()
        }
        listed = set(re.findall(r"^ +- (test-[\w.]+|docs|example)$", content, re.MULTILINE))
        assert called | listed <= targets, workflow.name


def test_every_action_is_pinned_by_the_hash_of_a_commit() -> None:
    uses = [
        use for workflow in WORKFLOWS.glob("*.yml") for use in re.findall(r"uses: (.+)", workflow.read_text("utf-8"))
    ]
    assert uses
    # One commit for each action, wherever it is used, with the version that it is.
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in uses)
    assert len(set(uses)) == len({use.partition("@")[0] for use in uses})
