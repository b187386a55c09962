"""Where executed pages are kept, and how their kernels start."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

import polars_grad

PACKAGES = ("polars", "numpy", "matplotlib", "pandas", "scipy", "xarray", "duckdb", "findiff")


def fingerprint() -> str:
    """Hash what outputs depend on besides the text of a page: the package, helpers, data, what pages import."""
    package = Path(polars_grad.__file__).parent
    helpers = Path(__file__).parent
    docs = helpers.parent
    read = [path for pattern in ("*.py", "*.so", "*.pyd") for path in package.rglob(pattern)]
    read += [helpers / name for name in ("notebook.py", "drawing.py", "pairs.py", "tables.py")]
    read.append(docs / "benchmarks.md")
    read += [path for path in (docs.parent / "examples" / "data").iterdir() if path.is_file()]
    digest = hashlib.sha256(" ".join(version(name) for name in PACKAGES).encode())
    for path in sorted(read):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def quiet_kernel(folder: Path) -> Path:
    """Write settings for kernels, without their warning that they listen on this machine's loopback."""
    settings = folder / "profile_default" / "ipython_kernel_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("c.IPKernelApp.log_level = 40\nc.HistoryManager.enabled = False\n", encoding="utf-8")
    return folder
