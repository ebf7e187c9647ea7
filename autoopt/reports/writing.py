"""Sections as one HTML page, which needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autoopt.extras import imported
from autoopt.reports.blocks import Section

HERE = Path(__file__).parent

HEADLINES = {
    "converged": ("good", "Converged"),
    "not converged": ("bad", "Not converged: these are not estimates"),
    "not verified": ("bad", "Not verified: the derivatives and the objective differ, so do not use these numbers"),
    "not identified": ("poor", "Not identified: the data do not fix the parameters, so there are no standard errors"),
    "interrupted": ("poor", "Interrupted: this is the best point so far"),
}
"""What stands at the top, by status, and how good that is."""


def written(title: str, tone: str, headline: str, reason: str, made: Sequence[Section]) -> str:
    """Return the page of sections, with a headline and how good that is."""
    jinja2 = imported("jinja2", "report", "A report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html").render(
        title=title,
        tone=tone,
        headline=headline,
        reason=reason,
        sections=made,
        style=(HERE / "page.css").read_text(encoding="utf-8"),
    )
