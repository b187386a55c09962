"""What a benchmark consists of: parts of cases, each measured at several sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rounds import Contenders
    from targets import Target

LARGEST = 10_000_000


@dataclass(frozen=True, eq=False)
class Case:
    """One kind of work at several sizes."""

    title: str
    sizes: Mapping[str, Any]
    """What `contenders` takes, by the label of the size."""
    contenders: Callable[[Any], Contenders]
    """Makes the data of a size, compares the answers, and returns the calls to time. The first is the baseline."""
    targets: Sequence[Target] = ()
    seconds: float = 2.0
    rounds: int = 11
    """The fewest rounds, however long they take."""


@dataclass(frozen=True, eq=False)
class Part:
    """A section of the report."""

    title: str
    about: str
    cases: Callable[[int], Sequence[Case]]
    """Returns the cases on data of at most this many rows."""


def by_rows(largest: int, *counts: int) -> dict[str, int]:
    """Label numbers of rows, without those above the largest."""
    return {f"{rows:,} rows": rows for rows in counts if rows <= largest}
