"""`plot`: the pictures of a fit, by name, on figures of their own or on axes that are given."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from autoopt.errors import UsageError
from autoopt.reports.calibration import calibration
from autoopt.reports.coefficients import coefficients
from autoopt.reports.convergence import convergence
from autoopt.reports.figures import INK, LETTERS, figure
from autoopt.reports.profile import profile
from autoopt.reports.spectrum import spectrum
from autoopt.reports.spread import quantiles, residuals
from autoopt.reports.subject import Subject
from autoopt.reports.table import Picture
from autoopt.wording import near

PICTURES = {row.name: row for row in (coefficients, convergence, spectrum, residuals, quantiles, calibration, profile)}
"""In the order in which they stand in a figure and a report."""


def plot(subject: Subject, kind: str | None = None, ax: Any = None, names: Sequence[str] | None = None) -> Any:
    """Return the figure with a picture of the subject, or with all that cost nothing; or the axes that were given.

    Parameters
    ----------
    subject : Subject
    kind : str, optional
        A name in PICTURES.
    ax : matplotlib.axes.Axes, optional
        Where it is drawn; a kind with several axes needs a figure.
    names : sequence of str, optional
        The parameters that are drawn, where a picture is one of each.

    Raises
    ------
    UsageError
        If there is no such kind, or the subject lacks what it shows; names the kinds that can be drawn.
    """
    drawn = [_checked(subject, kind)] if kind is not None else _cheap(subject)
    panels = [(row, panel) for row in drawn for panel in row.panels(subject, names)]
    if ax is None:
        made, axes = figure([row.height(subject) for row, _ in panels])
    elif len(panels) == 1:
        made, axes = ax, [ax]
    else:
        raise UsageError(
            f"There are {len(panels)} pictures for the axes that were given.",
            remedy="name one kind, and one parameter (names=[...]) for a profile, or leave ax out.",
        )
    for (row, panel), place in zip(panels, axes, strict=True):
        row.draw(subject, place, panel)
        if ax is None and (said := row.caption(subject)):
            lines = textwrap.wrap(said, 56, max_lines=4, placeholder=" ...")
            place.set_title("\n".join(lines), loc="left", fontsize=LETTERS, color=INK, parse_math=False)
    return made


def able(subject: Subject) -> list[str]:
    """Return the names of the pictures that the subject has what it takes for."""
    return [name for name, row in PICTURES.items() if not row.lacks(subject)]


def _checked(subject: Subject, kind: str) -> Picture:
    if kind not in PICTURES:
        raise UsageError(f"kind is {kind!r}.{near(str(kind), PICTURES)}", remedy=f"choose one of {_said(subject)}.")
    if why := PICTURES[kind].lacks(subject):
        raise UsageError(
            f"{subject.title} has no picture {kind!r}, as {why}.", remedy=f"choose among what it has: {_said(subject)}."
        )
    return PICTURES[kind]


def _cheap(subject: Subject) -> list[Picture]:
    drawn = [PICTURES[name] for name in able(subject) if not PICTURES[name].is_dear]
    if not drawn:
        reasons = "; ".join(f"{name}: {row.lacks(subject)}" for name, row in PICTURES.items())
        raise UsageError(f"There is nothing to draw of {subject.title} ({reasons}).", remedy="see its summary().")
    return drawn


def _said(subject: Subject) -> str:
    return ", ".join(able(subject)) or "none; see its summary()"
