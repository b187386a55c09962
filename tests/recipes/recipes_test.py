"""The programs for other engines in `docs/larger-than-memory.md` run as they stand, and give the answer of Polars."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import polars_grad as pg

PAGE = Path(__file__).parents[2] / "docs" / "larger-than-memory.md"
ENGINES = {"dask": 2, "duckdb": 1, "daft": 1, "ray": 2}


def blocks(of: str) -> list[str]:
    return re.findall(rf"^```{of}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_recipe(engine: str, tmp_path: Path) -> None:
    script = tmp_path / "recipe.py"
    script.write_text("\n".join([*blocks("python"), *blocks(f"python {engine}")]), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    expected = pl.read_parquet(tmp_path / "sorted.parquet").with_columns(dy_dt=pg.gradient("y", x="t", by="id"))
    folders = [*tmp_path.glob(f"{engine}*")]
    assert len(folders) == len(blocks(f"python {engine}")) == ENGINES[engine]
    for folder in folders:
        slopes = pl.read_parquet(folder / "*.parquet")
        # Dask writes its index.
        assert_frame_equal(slopes.select(expected.columns).sort("id", "t"), expected, check_exact=True)


def test_every_recipe_is_run() -> None:
    named = set(re.findall(r"^```python (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    # Spark's are run by its own tests, which need Java.
    assert named - {"spark"} == {*ENGINES}
