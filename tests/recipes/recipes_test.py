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


def test_slopes_in_windows_are_those_of_sql() -> None:
    """`regr_slope` of DuckDB over the same windows: of rows, of a length of x, and in groups."""
    import duckdb

    rows = pl.int_range(400)
    frame = pl.select(k=rows % 3, t=(rows * 1.5 + (rows * 7 % 5) / 4), y=((rows * 31) % 101) / 7 + rows / 50)
    query = """
        select t,
            regr_slope(y, t) over (order by t rows between 20 preceding and current row) as by_rows,
            regr_slope(y, t) over (order by t rows between 10 preceding and 10 following) as centred,
            regr_slope(y, t) over (order by t range between 30.0 preceding and current row) as by_length,
            regr_slope(y, t) over (partition by k order by t rows between 8 preceding and current row) as by_group
        from frame order by t
    """
    # Of a single pair DuckDB's slope is NaN.
    expected = duckdb.sql(query).pl().with_columns(pl.exclude("t").fill_nan(None))
    got = frame.select(
        "t",
        by_rows=pg.rolling_slope("y", x="t", window_size=21, min_samples=2),
        centred=pg.rolling_slope("y", x="t", window_size=21, center=True, min_samples=2),
        by_length=pg.rolling_slope("y", x="t", window_size=30.0, closed="both"),
        by_group=pg.rolling_slope("y", x="t", window_size=9, min_samples=2, by="k"),
    )
    # SQL's sums of squares lose digits.
    assert_frame_equal(got, expected, rel_tol=1e-7, abs_tol=1e-9)
