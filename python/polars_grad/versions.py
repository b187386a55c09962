"""What is installed, for reports of errors."""

from __future__ import annotations

import sys

import polars as pl

from polars_grad import _internal
from polars_grad._internal import __version__

__all__ = ["__version__", "show_versions"]

# Packages that results may come from or go to. None of them is imported for its version.
_OPTIONAL = ("dask", "distributed", "numpy", "pandas", "pyarrow", "pyspark")


def show_versions() -> None:
    """
    Print the versions and the properties of the machine that results and speed depend on.

    Include what it prints in a report of an error.

    Notes
    -----
    It prints, one a line:

    - the version of this package, also in `polars_grad.__version__`;
    - that of Polars, the runtime that Polars has loaded (32-bit or 64-bit row index, or the one for old processors),
      and the dtype of a row index;
    - the widest vector registers that the loops of this package use on this processor;
    - the most threads that a call may use: `POLARS_MAX_THREADS`, or else the number of processors;
    - Python and the platform;
    - the versions of optional packages.

    Examples
    --------
    >>> import polars_grad as pg
    >>> pg.show_versions()
    polars-grad:  ...
    polars:       ...
    runtime:      polars-runtime-...
    index type:   UInt...
    registers:    ...
    threads:      ...
    Python:       ...
    platform:     ...
    dask:         ...
    distributed:  ...
    numpy:        ...
    pandas:       ...
    pyarrow:      ...
    pyspark:      ...
    """
    lines = _versions()
    width = max(map(len, lines)) + 2
    for name, version in lines.items():
        print(f"{name + ':':<{width}}{version}")  # noqa: T201, what it is for


def _versions() -> dict[str, str]:
    # Slow to import, and seldom needed.
    import platform  # noqa: PLC0415

    return {
        "polars-grad": __version__,
        "polars": pl.__version__,
        "runtime": _runtime(),
        "index type": str(pl.get_index_type()),
        "registers": _internal.registers(),
        "threads": str(_internal.threads()),
        "Python": f"{platform.python_version()}, {platform.python_implementation()}",
        "platform": platform.platform(),
        **{name: _version(name) for name in _OPTIONAL},
    }


def _runtime() -> str:
    # Of several that are installed, Polars imports one.
    loaded = [name for name in sys.modules if name.startswith("_polars_runtime_") and "." not in name]
    packages = [name.removeprefix("_").replace("_", "-") for name in loaded]
    return ", ".join(f"{package} {_version(package)}" for package in packages) or "unknown"


def _version(package: str) -> str:
    from importlib import metadata  # noqa: PLC0415

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
