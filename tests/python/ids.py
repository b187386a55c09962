"""Names of parameters in names of tests."""

from __future__ import annotations

import re

# The address of a function or an expression, the identity of a random dtype.
_OF_THIS_PROCESS = re.compile(r" at 0x[0-9a-fA-F]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def shown(value: object) -> str:
    """As `str`, but the same in every process: those that share the tests of a run have to agree on their names."""
    return _OF_THIS_PROCESS.sub("", str(value))
