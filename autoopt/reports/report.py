"""`report`: a fit as one HTML page, which needs no network, no script and no other file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autoopt.extras import imported
from autoopt.reports.fits import subject_of
from autoopt.reports.sections import Page, sections
from autoopt.summaries import Summary

HERE = Path(__file__).parent

HEADLINES = {
    "converged": ("good", "Converged"),
    "not converged": ("bad", "Not converged: these are not estimates"),
    "not verified": ("bad", "Not verified: the derivatives and the objective differ, so do not use these numbers"),
    "not identified": ("poor", "Not identified: the data do not fix the parameters, so there are no standard errors"),
    "interrupted": ("poor", "Interrupted: this is the best point so far"),
}
"""What stands at the top, by status, and how good that is."""


def html(fitted: Any, summary: Summary) -> str:
    """Return the page of a fit."""
    jinja2 = imported("jinja2", "report", "A report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    page = Page(fitted, subject_of(fitted), summary)
    tone, headline = HEADLINES[fitted.status]
    return environment.get_template("page.html").render(
        title=summary.title,
        tone=tone,
        headline=headline,
        reason=_reason(fitted),
        sections=sections(page),
        style=(HERE / "page.css").read_text(encoding="utf-8"),
    )


def _reason(fitted: Any) -> str:
    """Return why a fit is no success, the cause first; empty for one that is."""
    if fitted.status == "converged":
        return ""
    told = [str(text) for text in fitted.result.get("diagnosis") or ()]
    if fitted.problem is not None:
        told.append(str(fitted.problem))
    return "\n\n".join(dict.fromkeys(told or [str(fitted.result.message)]))
