"""The chart of the part on groups: time against the number of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
from groups import BY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from case import Case
    from matplotlib.axes import Axes
    from rounds import Medians

# The least distance of two labels, as a ratio of times.
APART = 1.9
COLOURS = ("0.6", "tab:red", "tab:orange", "tab:blue", "tab:green", "tab:purple")


def draw(results: Mapping[Case, Mapping[str, Medians]], path: Path) -> None:
    """Draw a panel per case."""
    mpl.use("agg")
    figure, panels = plt.subplots(1, len(results), sharey=True, figsize=(12, 4.5), layout="constrained", squeeze=False)
    for axes, (case, sizes) in zip(panels[0], results.items(), strict=True):
        axes.set(xscale="log", yscale="log", xlabel="groups", title=case.title)
        axes.spines[["top", "right"]].set_visible(False)
        lines(axes, {case.sizes[label]: medians for label, medians in sizes.items()})
    panels[0][0].set_ylabel("seconds")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def lines(axes: Axes, by_count: Mapping[int, Medians]) -> None:
    """Draw a line per contender, its name beside its end."""
    names = max(by_count.values(), key=len)
    lowest, labels = 0.0, []
    for name, colour in zip(names, COLOURS, strict=True):
        points = [(count, medians[name]) for count, medians in by_count.items() if name in medians]
        axes.plot(*zip(*points, strict=True), ".-", color=colour, linewidth=2.5 if name == BY else 1.2)
        labels.append((points[-1], name, colour))
    for (count, seconds), name, colour in sorted(labels, key=lambda label: label[0][1]):
        if count < max(by_count):
            # The name of a line that ends early is on its left, out of the way of longer lines.
            axes.annotate(f"{name}  ", (count, seconds), color=colour, ha="right", va="center", fontsize=9)
            continue
        lowest = max(seconds, lowest * APART)
        axes.annotate(f"  {name}", (count, lowest), color=colour, va="center", fontsize=9, annotation_clip=False)
