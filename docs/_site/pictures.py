"""The directive `thumbnails`: a card for each page, with the first picture on it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

SVG = re.compile(r"<svg.*?</svg>", re.DOTALL)


class Cards(nodes.General, nodes.Element):
    """Stands for the cards until all pages are read."""


class Thumbnails(SphinxDirective):
    """Cards with the pictures of pages, which are named one a line, relative to the page."""

    has_content = True

    def run(self) -> list[Node]:
        """Leave a place for the cards."""
        folder, _, _ = self.env.docname.rpartition("/")
        names = [f"{folder}/{name}".lstrip("/") for name in map(str.strip, self.content) if name]
        return [Cards(names=names)]


def first_picture(env: BuildEnvironment, name: str) -> str | None:
    """Find the first picture among the outputs of a page."""
    for node in env.get_doctree(name).findall(nodes.raw):
        found = SVG.search(node.astext())
        if found:
            return found[0]
    return None


def first_paragraph(env: BuildEnvironment, name: str) -> str:
    """Return the text below the title of a page."""
    paragraph = next(iter(env.get_doctree(name).findall(nodes.paragraph)), None)
    return "" if paragraph is None else paragraph.astext()


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the cards in their place."""
    for place in list(doctree.findall(Cards)):
        cards = []
        for name in place["names"]:
            title = html.escape(app.env.titles[name].astext())
            uri = app.builder.get_relative_uri(docname, name)
            picture = first_picture(app.env, name)
            if picture is None:
                msg = f"no picture on the page {name}, which is to have a thumbnail"
                raise ValueError(msg)
            text = html.escape(first_paragraph(app.env, name).split(". ")[0].rstrip(".:") + ".")
            picture = picture.replace('class="picture"', 'class="picture" aria-hidden="true"', 1)
            cards.append(
                f'<a class="card thumbnail" href="{uri}">{picture}<strong>{title}</strong><span>{text}</span></a>'
            )
        place.replace_self(nodes.raw("", f'<div class="thumbnails">{"".join(cards)}</div>', format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(Cards)
    app.add_directive("thumbnails", Thumbnails)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
