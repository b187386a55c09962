"""What every executed page begins with: how frames and errors are shown, and where data is."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from IPython import get_ipython

import polars_grad

if TYPE_CHECKING:
    from collections.abc import Callable


def table(frame: pl.DataFrame) -> str:
    """Show a frame as Polars does, without its style sheet."""
    text = frame._repr_html_()
    return re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def message_only(show: Callable[..., None]) -> Callable[..., None]:
    """Show of an error its class and its message, without the expression that Polars adds, and without our folders."""
    # Absolute, or relative to the environment.
    module = re.compile(rf"[\w/\\][\w./\\-]*{Path(polars_grad.__file__).parent.name}[/\\]_internal[^\s:]*:")

    def shown(kind: type[BaseException], value: BaseException, lines: list[str]) -> None:
        text = "\n".join(lines).partition("\n\nThis error occurred in the following expression")[0]
        show(kind, value, module.sub("", text).splitlines())

    return shown


def set_up() -> None:
    """Prepare the session."""
    shell = get_ipython()
    shell.run_line_magic("xmode", "Minimal")
    shell.display_formatter.formatters["text/html"].for_type(pl.DataFrame, table)
    shell._showtraceback = message_only(shell._showtraceback)  # noqa: SLF001, there is no public hook
    pl.Config.set_tbl_width_chars(100)
    pl.Config.set_tbl_rows(12)
    # Of the code on the pages; Polars and matplotlib warn in the name of their caller.
    warnings.filterwarnings("error", module="__main__")


def link_data() -> None:
    """Let paths of the examples be those of a clone."""
    Path("examples").mkdir(exist_ok=True)
    if not Path("examples/data").exists():
        Path("examples/data").symlink_to(Path(os.environ["POLARS_GRAD_ROOT"]) / "examples" / "data")


set_up()
link_data()
