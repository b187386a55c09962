"""The numbers to reach, and whether they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flat import NUMPY, OURS, YARDSTICK
from streaming_run import COPY, GRADIENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rounds import Medians
    from streaming import Cost

AGAINST_YARDSTICK = {10_000_000: 1.2, 100_000: 1.6, 1_000: 3.0}
AGAINST_NUMPY = 12
AGAINST_COPY = 1.6


def rows(flat: Mapping[int, Medians], streams: Mapping[int, Mapping[str, Cost]]) -> Iterator[tuple[str, str, str]]:
    """List work, target and measured."""
    for count, limit in AGAINST_YARDSTICK.items():
        ratio = flat[count][OURS] / flat[count][YARDSTICK]
        yield f"{count:,} rows, irregular x", f"{limit:g}x `{YARDSTICK}`", verdict(f"{ratio:.2f}x", ratio <= limit)
    largest = flat[max(flat)]
    speed = largest[NUMPY] / largest[OURS]
    target = f"1/{AGAINST_NUMPY} of `{NUMPY}`"
    yield f"{max(flat):,} rows, irregular x", target, verdict(f"1/{speed:.1f}", speed >= AGAINST_NUMPY)
    for count, costs in streams.items():
        ratio = costs[GRADIENT].seconds / costs[COPY].seconds
        work = f"{count:,} rows, Parquet to Parquet, streaming"
        yield work, f"{AGAINST_COPY:g}x the copy", verdict(f"{ratio:.2f}x", ratio <= AGAINST_COPY)


def verdict(measured: str, reached: object) -> str:
    """Mark what falls short."""
    return measured if reached else f"**{measured}, missed**"
