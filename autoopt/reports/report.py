"""`report`: a fit as one HTML page."""

from __future__ import annotations

from typing import Any

from autoopt.reports.fits import subject_of
from autoopt.reports.sections import Page, sections
from autoopt.reports.writing import HEADLINES, written
from autoopt.summaries import Summary


def html(fitted: Any, summary: Summary) -> str:
    """Return the page of a fit."""
    page = Page(fitted, subject_of(fitted), summary)
    return written(summary.title, *HEADLINES[fitted.status], _reason(fitted), sections(page))


def _reason(fitted: Any) -> str:
    """Return why a fit is no success, the cause first; empty for one that is."""
    if fitted.status == "converged":
        return ""
    told = [str(text) for text in fitted.result.get("diagnosis") or ()]
    if fitted.problem is not None:
        told.append(str(fitted.problem))
    return "\n\n".join(dict.fromkeys(told or [str(fitted.result.message)]))
