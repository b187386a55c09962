"""
Contenders of other packages, which may not be installed, or not work with the newest Polars.

One that cannot take part is left out, with its reason: on stderr at once, and where the report compares with it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Call = Callable[[], Any]

# The reasons, by contender.
LEFT_OUT: dict[str, str] = {}


def usable(peers: Mapping[str, Callable[[], Call]], check: Callable[[str, Any], None]) -> dict[str, Call]:
    """Prepare peers, call each once and check its answer; leave out those that fail."""
    calls = {}
    for name, prepare in peers.items():
        if name in LEFT_OUT:
            continue
        try:
            call = prepare()
            check(name, call())
        # A package of others may fail in any way; the panic of a plugin is no `Exception`.
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001
            LEFT_OUT[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            print(f"… {name} is left out: {LEFT_OUT[name]}", file=sys.stderr, flush=True)
        else:
            calls[name] = call
    return calls
