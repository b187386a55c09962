"""MathJax from the package `sphinx-mathjax-offline`, served with the site: only the files that a page loads."""

from __future__ import annotations

import shutil
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGE = "sphinx-mathjax-offline"
NEEDED = ("tex-chtml.js", "/woff-v2/", "/ui/safe.js", "LICENSE")
ROOT = "static/mathjax/"


def copy(app: Sphinx, exception: Exception | None) -> None:
    """Copy what is needed."""
    if exception is not None or app.builder.format != "html":
        return
    for file in files(PACKAGE) or ():
        name = file.as_posix()
        if ROOT in name and any(part in name for part in NEEDED):
            target = Path(app.outdir) / "_static" / "mathjax" / name.split(ROOT)[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(file.locate()), target)


def setup(app: Sphinx) -> dict[str, bool]:
    """Point the pages to the copy."""
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.config.mathjax3_config = {"options": {"enableMenu": False}}
    app.connect("build-finished", copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
