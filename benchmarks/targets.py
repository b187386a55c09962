"""Numbers to reach: limits for ratios of times, and for memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peers import LEFT_OUT
from streaming_run import FRAMES, PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rounds import Medians
    from streaming import Cost

    Row = tuple[str, str, str]

# From Parquet to Parquet, against the same query with as many columns of `y * t`.
STREAMING_TIME = 1.4
STREAMING_BYTES = 600e6


@dataclass(frozen=True)
class Target:
    """The most time that a contender may take at one size, as a multiple of the time of another."""

    size: str
    contender: str
    limit: float
    baseline: str

    def row(self, work: str, medians: Medians) -> Row:
        """Compare the limit with what was measured."""
        work = f"{work}, {self.size}: {self.contender}"
        limit = f"1/{1 / self.limit:g} of" if self.limit < 1 else f"{self.limit:g}x"
        limit = f"{limit} {self.baseline}"
        if self.baseline in LEFT_OUT:
            return work, limit, f"not measured: {LEFT_OUT[self.baseline]}"
        ratio = medians[self.contender] / medians[self.baseline]
        measured = f"1/{1 / ratio:.1f}" if self.limit < 1 else f"{ratio:.2f}x"
        return work, limit, verdict(measured, reached=ratio <= self.limit)


def of_streams(results: Mapping[int, Mapping[str, Cost]]) -> Iterator[Row]:
    """Compare the streaming part with its limits of time and memory."""
    for rows, costs in results.items():
        for count, contender in FRAMES.items():
            work = f"Parquet to Parquet, {rows:,} rows: {contender}"
            ratio = costs[contender].seconds / costs[PRODUCTS[count]].seconds
            reached = ratio <= STREAMING_TIME
            yield work, f"{STREAMING_TIME:g}x {PRODUCTS[count]}", verdict(f"{ratio:.2f}x", reached=reached)
            peak = costs[contender].peak_bytes
            reached = peak <= STREAMING_BYTES
            yield work, f"{STREAMING_BYTES / 1e6:,.0f} MB", verdict(f"{peak / 1e6:,.0f} MB", reached=reached)


def verdict(measured: str, *, reached: bool) -> str:
    """Mark a number that is not reached."""
    return measured if reached else f"**{measured}, missed**"
