"""Tables of lines of code and their results, which become blocks on a narrow page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from IPython.display import display

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def show(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Show a table. A cell that begins with a backtick is code; its last line may be a result."""
    rows = list(rows)
    body = "".join(f"<tr>{''.join(map(_cell, head, row))}</tr>" for row in rows)
    titles = "".join(f"<th>{escape(name)}</th>" for name in head)
    table = f'<table class="table pairs"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'
    plain = "\n\n".join("\n".join(f"{name}: {text}" for name, text in zip(head, row, strict=True)) for row in rows)
    display({"text/html": table, "text/plain": plain}, raw=True)


def _cell(name: str, text: str) -> str:
    if text.startswith("`"):
        code, _, result = text[1:].partition("`")
        text = f"<code>{escape(code)}</code>{escape(result)}"
    else:
        text = escape(text)
    return f'<td data-name="{escape(name)}">{text}</td>'
