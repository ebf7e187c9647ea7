"""The pictures of residuals: against what was fitted, and against normal quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from autoopt.reports.figures import FIRST, MUTED, SECOND, few, write
from autoopt.reports.subject import Residuals, Subject
from autoopt.reports.table import picture

MOST = 1200
"""So many residuals are drawn: the largest, and others evenly spaced."""


def _lacks(subject: Subject) -> str:
    if subject.spread is not None:
        return ""
    return "its residuals are not known: have the objective return them (least squares), or its terms by row"


def _caption(subject: Subject) -> str:
    spread = _spread(subject)
    count, parts = len(spread.values), []
    if spread.fitted is None:
        parts.append("What was fitted cannot be told from the residuals: they stand in the order of the rows.")
    if count > MOST:
        parts.append(f"{MOST} of {count} are drawn, the largest among them.")
    return " ".join(parts)


def _spread(subject: Subject) -> Residuals:
    assert subject.spread is not None
    return subject.spread


@picture("residuals", lacks=_lacks, caption=_caption)
def residuals(subject: Subject, axes: Any, panel: Any) -> None:
    """Residuals against fitted values: without a trend and of one width, if the model is right."""
    spread = _spread(subject)
    rows = few(len(spread.values), MOST, spread.values)
    x = np.arange(1, len(spread.values) + 1) if spread.fitted is None else spread.fitted
    axes.axhline(0.0, color=MUTED, lw=0.8, ls=(0, (3, 2)))
    axes.plot(x[rows], spread.values[rows], "o", color=FIRST, ms=2.2, mec="none", alpha=0.75)
    write(axes, x="row" if spread.fitted is None else spread.against, y=spread.called)


@picture("quantiles", lacks=_lacks)
def quantiles(subject: Subject, axes: Any, panel: Any) -> None:
    """Residuals against the quantiles of a normal distribution: on the line, if they are normal."""
    spread = _spread(subject)
    values = np.sort(spread.values)
    count = len(values)
    normal = ndtri((np.arange(1, count + 1) - 0.375) / (count + 0.25))  # Blom's positions
    rows = few(count, MOST, normal)
    ends = normal[[0, -1]]
    axes.plot(ends, ends, color=SECOND, lw=1.0)
    axes.plot(normal[rows], values[rows], "o", color=FIRST, ms=2.2, mec="none", alpha=0.75)
    write(axes, x="normal quantile", y=spread.called)
