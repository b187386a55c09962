"""
Pages as they are written, as Sphinx reads them.

Pages are plain Markdown that also reads well without the site. Code blocks of `python` become cells that the build
executes, so that what they show is what they give; the outputs written down in sessions (`>>>`) and in `text` blocks
are for readers of the source, and `tests/python/docs_test.py` compares them.
"""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

# Pages whose code is part of a larger program, or needs a cluster.
NOT_EXECUTED = {"add-an-operator", "benchmarks", "rust"}

# Files outside of this folder that are pages.
PAGES = {
    "README.md": "index.md",
    "DESIGN.md": "design.md",
    "CHANGELOG.md": "changes.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "SUPPORT.md": "policy.md",
    "tests/README.md": "tests.md",
    "benchmarks/README.md": "measuring.md",
    "examples/data/README.md": "data.md",
}

PICTURES = {".png", ".svg"}

HEAD = """---
file_format: mystnb
kernelspec:
  name: python3
---
"""
SET_UP = """```{code-cell}
:tags: [remove-cell]
import notebook
```
"""
SET_UP_PICTURES = SET_UP.replace("notebook\n", "notebook, drawing\n")
_WHOLE = re.compile(r"^```\{whole\} (\S+)\n```$", re.MULTILINE)
_BLOCK = re.compile(r"^```python\n(.*?)^```\n(\n*```text\n.*?^```\n)?", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def read(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn a page into a notebook, and links to files into links to pages."""
    page = app.env.doc2path(docname)
    text = source[0]
    folder = Path(page).parent
    whole = _WHOLE.search(text)
    if whole:
        # The whole of a file outside of this folder, which is not about running code.
        path = ROOT / whole[1]
        app.env.note_dependency(str(path))
        text = _WHOLE.sub(lambda _: linked(path.read_text(encoding="utf-8"), path.parent, folder), text)
    else:
        text = linked(text, folder, folder)
    if not whole and docname not in NOT_EXECUTED and Path(page).suffix == ".md":
        text = executed(text)
    source[0] = text


def linked(text: str, origin: Path, folder: Path) -> str:
    """Resolve links of a file in `origin` for a page in `folder`; what is no page is offered as a download."""
    docs = ROOT / "docs"

    def link(match: re.Match[str]) -> str:
        target = (origin / match[1]).resolve()
        anchor = match[2] or ""
        if target.is_relative_to(ROOT):
            name = target.relative_to(ROOT).as_posix()
            if name in PAGES and (docs / PAGES[name]).exists():
                target = docs / PAGES[name]
        up = "../" * len(folder.relative_to(docs).parts)
        if target.is_relative_to(docs):
            return f"]({up}{target.relative_to(docs).as_posix()}{anchor})"
        if target.suffix in PICTURES:
            return f"]({up}../{target.relative_to(ROOT).as_posix()})"
        return f"](<path:{up}../{target.relative_to(ROOT).as_posix()}>)"

    return _LINK.sub(link, text)


def executed(text: str) -> str:
    """Make code blocks cells, if there are any."""
    cells, count = _BLOCK.subn(lambda match: "".join(_cells(match[1], shows=bool(match[2]))), text)
    if not count and "{code-cell}" not in text:
        return text
    return f"{HEAD}\n{SET_UP_PICTURES if 'matplotlib' in cells else SET_UP}\n{cells}"


def _cells(code: str, *, shows: bool) -> Iterator[str]:
    if ">>>" not in code:
        last = ast.parse(code).body[-1]
        if shows and isinstance(last, ast.Assign):
            code = f"{code.rstrip()}\n{ast.unparse(last.targets[0])}\n"
        yield _cell(code)
        return
    together = ""
    for example in doctest.DocTestParser().get_examples(code):
        together += example.source
        if example.exc_msg is not None:
            yield _cell(together, "raises-exception")
            together = ""
        elif example.want:
            yield _cell(together)
            together = ""
    if together:
        yield _cell(together)


def _cell(code: str, *tags: str) -> str:
    options = f":tags: [{', '.join(tags)}]\n" if tags else ""
    return f"```{{code-cell}}\n{options}{code.rstrip()}\n```\n\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
