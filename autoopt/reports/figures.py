"""Figures of matplotlib, without pyplot: their colours, how axes are dressed, and SVG for a page.

figure() -> Figure -> svg(figure, "spectrum")     ids begin with the name, colours are variables of the page's CSS
"""

from __future__ import annotations

import functools
import io
import re
import warnings
from collections.abc import Sequence
from typing import Any

from autoopt.extras import imported

INK, MUTED, FIRST, SECOND, BAD = "#24292f", "#8c959f", "#0a66c2", "#b35900", "#c5283d"
"""Colours of text, of what stands back, of one thing and another, and of what is wrong: readable on white, and apart
for those who do not see red and green apart. In SVG they are variables, which the page sets for light and dark."""

VARIABLES = {INK: "ink", MUTED: "muted", FIRST: "first", SECOND: "second", BAD: "bad"}

WIDTH = 3.9
"""Of one axes with its labels, in inches: 281 points, so that letters of 8 points are read on a phone, too."""

LETTERS = 8.0
"""Points."""


def figure(heights: Sequence[float], most: int = 2) -> tuple[Any, list[Any]]:
    """Return a Figure with an axes for each of `heights` (inches), and these; nothing is told to pyplot.

    They stand in at most so many columns, each in the one that is shortest so far.
    """
    columns: list[list[int]] = [[] for _ in range(max(1, min(most, len(heights))))]
    lengths = [0.0] * len(columns)
    for number, height in enumerate(heights):
        shortest = min(range(len(columns)), key=lengths.__getitem__)
        columns[shortest].append(number)
        lengths[shortest] += height
    made = _figures()(figsize=(WIDTH * len(columns), max(lengths)), layout="constrained")
    made.patch.set_alpha(0.0)
    made.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    places: dict[int, Any] = {}
    for part, column, length in zip(made.add_gridspec(1, len(columns)), columns, lengths, strict=True):
        ratios = [heights[number] for number in column] + [max(max(lengths) - length, 1e-3)]
        below = part.subgridspec(len(ratios), 1, height_ratios=ratios)
        places |= dict(zip(column, below, strict=False))
    return made, [made.add_subplot(places[number]) for number in range(len(heights))]


@functools.cache
def _figures() -> type:
    """Return matplotlib's Figure, which notebooks show."""
    base: Any = imported("matplotlib.figure", "plot", "A picture").Figure

    class Figure(base):
        def _repr_svg_(self) -> str:
            """Return the figure as notebooks show it, on white."""
            buffer = io.StringIO()
            self.savefig(buffer, format="svg", facecolor="white", metadata={"Date": None})
            return buffer.getvalue()

    return Figure


def dress(axes: Any) -> None:
    """Give axes our colours and letters, without a box."""
    axes.patch.set_alpha(0.0)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=LETTERS, length=3)
    for side, spine in axes.spines.items():
        spine.set_color(MUTED)
        spine.set_visible(side in ("left", "bottom"))
    for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
        label.set(color=INK, fontsize=LETTERS, parse_math=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_offset_text().set(color=INK, fontsize=LETTERS)


def write(axes: Any, *, x: str = "", y: str = "", title: str = "") -> None:
    """Label axes; what is written is text, whatever it looks like."""
    axes.set_xlabel(x, parse_math=False)
    axes.set_ylabel(y, parse_math=False)
    axes.set_title(title, parse_math=False)
    dress(axes)


def legend(axes: Any, **where: Any) -> None:
    """Tell what the lines of axes are."""
    axes.legend(frameon=False, fontsize=LETTERS, labelcolor=INK, handlelength=1.4, **where)


def logarithmic(axis: Any) -> None:
    """Make an axis logarithmic, its labels plain text: 1e-3."""
    ticker = imported("matplotlib.ticker", "plot", "A picture")
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(ticker.LogLocator(numticks=7))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: power(value)))
    axis.set_minor_formatter(ticker.NullFormatter())
    axis.set_minor_locator(ticker.NullLocator())


def power(value: float) -> str:
    """Return a power of ten as it is written on axes.

    >>> power(0.001), power(1e10), power(10.0), power(0.01)
    ('1e-3', '1e10', '10', '0.01')
    """
    if 0.01 <= value <= 1000:
        return f"{value:g}"
    number, exponent = f"{value:.0e}".split("e")
    return f"{number}e{int(exponent)}"


def elided(name: str, most: int = 22) -> str:
    """Return a name in at most so many letters, on one line.

    >>> elided("a_very_long_name_of_a_parameter", 15), elided("short")
    ('a_very_…arameter', 'short')
    """
    name = "".join(letter if letter.isprintable() else "·" for letter in str(name))
    half = most // 2
    return name if len(name) <= most else f"{name[:half]}…{name[-(most - half) :]}"


def svg(made: Any, name: str, said: str) -> str:
    """Return a figure as an SVG element for a page.

    Parameters
    ----------
    made : Figure
    name : str
        With which its ids begin; letters and hyphens, another one for each figure of a page.
    said : str
        What it shows, for those who do not see it.
    """
    from html import escape

    matplotlib = imported("matplotlib", "plot", "A picture")
    buffer = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": name, "font.family": ["sans-serif"]}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # readers have fonts of their own
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        made.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.S)
    text = re.sub(r'\b(id=")([^"]+")', rf"\1{name}-\2", text)
    text = re.sub(r"(url\(#|xlink:href=\"#)", rf"\1{name}-", text).replace("xlink:href", "href")
    text = text.replace("stroke: #000000; stroke-opacity: 0", "stroke: none")
    for color, variable in VARIABLES.items():
        text = text.replace(color, f"var(--{variable})")
    text = re.sub(r"(font(?:-family)?:[^;\"']*)'[^;\"]*", r"\1system-ui, sans-serif", text)
    inside = text[text.index(">") + 1 :]
    width, height = (float(inches) * 72 for inches in made.get_size_inches())
    size = f'viewBox="0 0 {width:g} {height:g}" style="max-width: {1.75 * width:.0f}px"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(said, quote=True)}">{inside}'


def few(count: int, most: int, sizes: Any) -> Any:
    """Return which of `count` points are drawn: all, or the largest by `sizes`, (count,), and others evenly spaced."""
    import numpy as np

    if count <= most:
        return range(count)
    largest = np.argsort(-np.abs(sizes), kind="stable")[: most // 4]
    even = np.linspace(0, count - 1, most - len(largest)).round().astype(int)
    return np.union1d(largest, even)
