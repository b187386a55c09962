"""The API has a page for each public function and method; one without a page is a warning, and so an error."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from sphinx.util import logging

import polars_grad as pg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

NAMESPACES = {"Expr": pg.ExprGrad, "Series": pg.SeriesGrad, "LazyFrame": pg.LazyFrameGrad}
# What a namespace says about itself.
OWN = {"returns", "subject", "texts"}


def expected() -> Iterator[str]:
    """Name the pages."""
    for name in pg.__all__:
        if inspect.isfunction(getattr(pg, name)):
            yield f"polars_grad.{name}"
    for kind, namespace in NAMESPACES.items():
        for name in set(dir(namespace)) - OWN:
            if not name.startswith("_"):
                yield f"polars.{kind}.grad.{name}"


def check(_: Sphinx, env: BuildEnvironment) -> None:
    """Compare with the pages that there are."""
    for name in sorted(expected()):
        if f"api/generated/{name}" not in env.found_docs:
            logging.getLogger(__name__).warning("no page for %s: name it in docs/api", name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the check."""
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
