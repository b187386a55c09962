"""Packages that only some functions need: imported when these are called."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(module: str, *, needed_by: str, install: str) -> Any:
    """Import a module, or say how to install what has it."""
    try:
        return import_module(module)
    except ImportError as error:
        msg = f"{needed_by} needs {module.partition('.')[0]}, which cannot be imported; install it with `{install}`"
        raise ImportError(msg) from error
