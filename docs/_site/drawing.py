"""
Pictures on executed pages.

They are SVG inside of the page. Their text has the colour of the page's text, and lines have colours that the style
sheet defines for light and for dark pages, so that one picture fits both.
"""

from __future__ import annotations

import html
import io
import re
from itertools import count

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure

PICTURES = count()

# Stand-ins that are replaced in the SVG.
TEXT = "#0a0b0c"
FAINT = "#0a0b0d"
SERIES = ("#2f6db1", "#d4691e", "#2a8c5a", "#a2479f", "#8a7a1f", "#c43b4e")
COLOURS = {
    TEXT: "currentColor",
    FAINT: "var(--picture-faint, #999999)",
    **{colour: f"var(--picture-{number}, {colour})" for number, colour in enumerate(SERIES)},
}

STYLE = {
    "axes.edgecolor": FAINT,
    "axes.facecolor": "none",
    "axes.formatter.useoffset": False,
    "axes.grid": False,
    "axes.labelcolor": TEXT,
    "axes.prop_cycle": mpl.cycler(color=SERIES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "date.converter": "concise",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "figure.figsize": (7.6, 3.2),
    "font.size": 11,
    "grid.color": FAINT,
    "legend.frameon": False,
    "legend.labelcolor": TEXT,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "text.color": TEXT,
    "xtick.color": FAINT,
    "xtick.labelcolor": TEXT,
    "ytick.color": FAINT,
    "ytick.labelcolor": TEXT,
}


def described(figure: Figure) -> str:
    """Say in words what a picture shows: its titles and its axes."""
    parts = [figure.get_label()] if figure.get_label() else []
    if not parts:
        for axes in figure.axes:
            title = axes.get_title(loc="left") or axes.get_title()
            named = [name for name in (axes.get_ylabel(), axes.get_xlabel()) if name]
            lines = [text.get_text() for text in (axes.get_legend().get_texts() if axes.get_legend() else ())]
            parts.append("; ".join([*filter(None, [title, " against ".join(named), ", ".join(lines)])]))
    return "picture: " + " | ".join(filter(None, parts))


def drawn(figure: Figure) -> str:
    """Draw a figure as SVG for a page."""
    file = io.StringIO()
    # Identifiers within a page, and on a page of thumbnails, must differ between pictures.
    label = html.escape(described(figure), quote=True)
    with mpl.rc_context({"svg.hashsalt": f"{label} {next(PICTURES)}"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(
        r'<g id="(figure|axes|patch|text|xtick|ytick|line2d|matplotlib\.\w+|legend|PathCollection|'
        r'FillBetweenPolyCollection|LineCollection|QuadMesh|Quiver)_?\d*">',
        "<g>",
        text,
    )
    # Coordinates to a hundredth of a point: in attributes, not in text.
    text = re.sub(r'="[^"]*"', lambda attribute: re.sub(r"(\d+\.\d\d)\d+", r"\1", attribute[0]), text)
    text = re.sub(r'font: (\d+)px [^;"]*', r"font: \1px var(--pst-font-family-base, sans-serif)", text)
    text = re.sub(r"font-family: [^;\"]*", "font-family: var(--pst-font-family-base, sans-serif)", text)
    for stand_in, colour in COLOURS.items():
        text = text.replace(stand_in, colour)
    # A size that follows the page, with the shape of the view box.
    width, height = (float(number) for number in re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups())
    size = f'width="{width * 4 / 3:.0f}" height="{height * 4 / 3:.0f}"'
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"|height="[\d.]+pt"(.*?)width="[\d.]+pt"', size, text, count=1)
    text = text.replace("<svg ", f'<svg role="img" aria-label="{label}" class="picture" ', 1)
    return re.sub(r">\s+<", "><", text)


def show_figures() -> None:
    """Show the figures that a cell has drawn."""
    for number in plt.get_fignums():
        display(plt.figure(number))
    plt.close("all")


def set_up() -> None:
    """Prepare the session."""
    shell = get_ipython()
    mpl.use("agg")
    mpl.rcParams.update(STYLE)
    shell.events.register("post_execute", show_figures)
    formatters = shell.display_formatter
    formatters.formatters["text/html"].for_type(Figure, drawn)
    formatters.formatters["text/plain"].for_type(
        Figure, lambda figure, printer, _cycle: printer.text(described(figure))
    )
    # What calls of matplotlib return is of no interest.
    for unseen in (mpl.legend.Legend, mpl.text.Text, mpl.colorbar.Colorbar):
        formatters.ipython_display_formatter.for_type(unseen, lambda _: None)


set_up()
