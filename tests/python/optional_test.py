"""Nothing but Polars is needed, until it is asked for; then an error says what to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

OPTIONAL = ["dask", "distributed", "numpy", "pandas", "pyarrow", "tqdm"]


def test_importing_loads_none_of_them(run: Run) -> None:
    done = run(f"import sys, polars_grad, polars_grad.dask; assert not {{*{OPTIONAL}}} & {{*sys.modules}}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("missing", ["dask", "dask.dataframe"])
def test_dask_names_its_extra(missing: str, run: Run) -> None:
    done = run(
        f"import sys; sys.modules[{missing!r}] = None\n"
        "import polars_grad as pg, polars_grad.dask\n"
        "polars_grad.dask.with_columns(None, dy=pg.gradient('y', 'x'))\n"
    )
    *_, last = done.stderr.splitlines()
    assert last == (
        "ImportError: `polars_grad.dask` needs dask, which cannot be imported; "
        "install it with `pip install polars-grad[dask]`"
    )
