"""The directive `thumbnails`: a card for each page, with the first picture on it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging
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


def card(title: str, text: str, uri: str, picture: str) -> str:
    """Write a card in HTML."""
    picture = picture.replace('class="picture"', 'class="picture" aria-hidden="true"', 1)
    return (
        f'<a class="thumbnail" href="{uri}">{picture}<strong>{html.escape(title)}</strong>'
        f"<span>{html.escape(text)}</span></a>"
    )


def listed(entries: list[tuple[str, str, str]]) -> nodes.bullet_list:
    """List pages where there are no pictures, as in `llms.txt`."""
    items = nodes.bullet_list()
    for title, text, uri in entries:
        link = nodes.reference("", title, refuri=uri, internal=True)
        items += nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(f": {text}")))
    return items


def resolve(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Put the cards in their place."""
    for place in list(doctree.findall(Cards)):
        entries, cards = [], []
        for name in place["names"]:
            picture = first_picture(app.env, name)
            if picture is None:
                logging.getLogger(__name__).warning("no picture on the page %s, which is to have a thumbnail", name)
                continue
            text = first_paragraph(app.env, name).split(". ")[0].rstrip(".:") + "."
            entries.append((app.env.titles[name].astext(), text, app.builder.get_relative_uri(docname, name)))
            cards.append(card(*entries[-1], picture))
        if app.builder.format == "html":
            place.replace_self(nodes.raw("", f'<div class="thumbnails">{"".join(cards)}</div>', format="html"))
        else:
            place.replace_self(listed(entries))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(Cards)
    app.add_directive("thumbnails", Thumbnails)
    app.connect("doctree-resolved", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
