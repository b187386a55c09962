"""The picture of the README: `docs/speed.svg`, from the table in `docs/benchmarks.md`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tables import benchmark

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = {
    "y + t": "y + t",
    "grad.gradient": "pg.gradient",
    "numpy.gradient": "numpy.gradient",
    "map_batches(numpy.gradient)": "map_batches(numpy.gradient)",
    "shift expression": "the formula by shift()",
}
STYLE = """
text { font: 13px sans-serif; fill: #1f2328 }
rect { fill: #9aa4af }
.ours { fill: #1f6bb8 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  rect { fill: #6e7681 }
  .ours { fill: #6cb2f5 }
}
"""
WIDTH, LABEL, ROW = 720, 210, 26


def svg(seconds: Mapping[str, float]) -> str:
    """Draw a bar for each name, with its time."""
    longest = max(seconds.values())
    room = WIDTH - LABEL - 80
    parts = []
    for row, (name, value) in enumerate(seconds.items()):
        y, length = 30 + row * ROW, max(1.0, room * value / longest)
        ours = ' class="ours"' if name.startswith("pg.") else ""
        parts.append(f'<text x="{LABEL - 10}" y="{y + 14}" text-anchor="end">{name}</text>')
        parts.append(f'<rect{ours} x="{LABEL}" y="{y}" width="{length:.1f}" height="18" rx="2"/>')
        parts.append(f'<text x="{LABEL + length + 6:.1f}" y="{y + 14}">{value * 1e3:.0f} ms</text>')
    height = 36 + ROW * len(seconds)
    title = "10 million rows, Float64 over an irregular Float64 x"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{title}">\n<style>{STYLE}</style>\n'
        f'<text x="{LABEL}" y="18" font-weight="bold">{title}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def drawn() -> str:
    """Draw the last column of the first table of one column."""
    _, rows = benchmark("Float64, irregular x", within="`gradient` of one column")
    return svg({own: rows[name][-1] for name, own in NAMES.items() if rows[name][-1] is not None})


if __name__ == "__main__":
    (Path(__file__).parents[1] / "speed.svg").write_text(drawn(), encoding="utf-8")
