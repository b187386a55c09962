"""The page "Add an operator" adds one: its Rust file compiles, and gives the numbers that the page shows."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "add-an-operator.md"
_LINES = re.DOTALL | re.MULTILINE

pytestmark = pytest.mark.skipif(
    shutil.which("cargo") is None or not PAGE.exists(), reason="needs the sources, their page, and cargo"
)

# A live feed is the face that needs neither Polars nor Arrow, and a consumer builds without what tests depend on.
MANIFEST = """
[package]
name = "consumer-page"
edition = "2024"

[dependencies]
polars-grad = { path = "../../..", default-features = false }
"""
PROGRAM = """
use polars_grad::{Domain, Live, Swing};

fn main() {
    let y = [YS];
    let mut live = Live::new(Swing::new(), &Domain::new()).expect("the default options");
    let mut finished = Vec::new();
    let points = y.into_iter().enumerate().map(|(row, y)| ((), Some(row as f64), Some(y)));
    live.extend(points, &mut finished).expect("x rises");
    finished.extend(live.finish());
    let swings: Vec<_> = finished.iter().map(|swing| swing.value().expect("enough rows")).collect();
    assert_eq!(swings, [SWINGS]);
    // The difference of two infinities is no number, whatever the operator makes of it.
    let mut live = Live::new(Swing::new(), &Domain::new()).expect("the default options");
    let mut finished = Vec::new();
    let points = [f64::INFINITY; 2].into_iter().enumerate().map(|(row, y)| ((), Some(row as f64), Some(y)));
    live.extend(points, &mut finished).expect("x rises");
    finished.extend(live.finish());
    assert!(finished.iter().all(|swing| swing.value().expect("two rows").is_nan()));
}
"""


def block(after: str) -> str:
    """Return the code that follows a text on the page."""
    match = re.search(rf"{re.escape(after)}:?\n\n```\w+\n(.*?)^```", PAGE.read_text("utf-8"), _LINES)
    assert match, after
    return match[1]


def numbers(name: str) -> str:
    match = re.search(rf"^{name}\s+([\d. ]+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert match, name
    return ", ".join(match[1].split())


def test_the_operator_of_the_page(tmp_path: Path) -> None:
    for name in ("Cargo.toml", "Cargo.lock", "README.md", "src", "benches", "examples", "tests"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    operators = tmp_path / "src" / "operators"
    (operators / "swing.rs").write_text(block("`src/operators/swing.rs`"), "utf-8")
    registry = operators / "mod.rs"
    (line,) = [line for line in block("In `src/operators/mod.rs`").splitlines() if "Swing" in line]
    text = registry.read_text("utf-8")
    if line not in text:
        text = text.replace("    by rows: {\n", f"    by rows: {{\n{line}\n", 1)
    registry.write_text(text, "utf-8")
    consumer = tmp_path / "tests" / "consumers" / "page"
    (consumer / "src").mkdir(parents=True)
    (consumer / "Cargo.toml").write_text(MANIFEST, "utf-8")
    program = PROGRAM.replace("YS", numbers("y")).replace("SWINGS", numbers("swing"))
    (consumer / "src" / "main.rs").write_text(program, "utf-8")
    command = ["cargo", "run", "--quiet", "--package", "consumer-page", "--target-dir", str(ROOT / "target" / "page")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout


def test_the_function_of_the_page() -> None:
    """It is registered, and has the arguments that all operators have."""
    code = block("`python/polars_grad/operators/swing.py`")
    compile(code, "swing.py", "exec")
    assert re.findall(r"^    <(\w+)>$", code, re.MULTILINE) == ["y", "x", "domain", "errors", "notes"]
