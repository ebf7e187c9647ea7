"""The picture of the estimates with their intervals, one above the other (a forest plot)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.reports.figures import FIRST, INK, LETTERS, MUTED, elided, write
from autoopt.reports.subject import Subject
from autoopt.reports.table import picture

MOST = 80
"""So many parameters are drawn, the first ones."""

VISIBLE = 0.02
"""Of the width of the picture: an interval that is narrower is a dot, and all are in standard errors if that helps."""


def _lacks(subject: Subject) -> str:
    if np.isfinite(subject.intervals).all(axis=1).any():
        return ""
    return f"it has no standard errors{': ' if subject.why else ''}{subject.why}"


def _caption(subject: Subject) -> str:
    parts = [f"Intervals of {subject.of_level()}"]
    if _in_errors(subject):
        parts.append("in standard errors, as some are too narrow to be seen beside the others")
    count = len(subject.names)
    if count > MOST:
        parts.append(f"the first {MOST} of {count}")
    return ", ".join(parts) + "."


def _in_errors(subject: Subject) -> bool:
    """Whether the narrowest interval is a dot in its own unit, and twice as wide in standard errors."""
    ends = subject.intervals[:MOST]
    errors = subject.bse[: len(ends), None]
    known = np.isfinite(ends).all(axis=1) & (errors[:, 0] > 0)
    narrowest = _narrowest(ends[known])
    return narrowest < VISIBLE and 2 * narrowest < _narrowest(ends[known] / errors[known])


def _narrowest(ends: np.ndarray) -> float:
    """Return how much of the picture, which has the zero in it, the narrowest interval takes."""
    if not len(ends):
        return 1.0
    return float(np.ptp(ends, axis=1).min() / (max(ends.max(), 0.0) - min(ends.min(), 0.0)))


def _height(subject: Subject) -> float:
    return 0.75 + 0.17 * max(3, min(len(subject.names), MOST))


@picture("coefficients", lacks=_lacks, caption=_caption, height=_height)
def coefficients(subject: Subject, axes: Any, panel: Any) -> None:
    """Estimates with their intervals, in the order of the parameters."""
    count = min(len(subject.names), MOST)
    at, names = np.arange(count), [elided(name) for name in subject.names[:count]]
    middle, ends, label = subject.params[:count], subject.intervals[:count], "estimate"
    if _in_errors(subject):
        with np.errstate(divide="ignore", invalid="ignore"):
            middle, ends, label = (
                middle / subject.bse[:count],
                ends / subject.bse[:count, None],
                "estimate / std. error",
            )
    known = np.isfinite(ends).all(axis=1)
    axes.axvline(0.0, color=MUTED, lw=0.8, ls=(0, (3, 2)))
    axes.hlines(at[known], *ends[known].T, color=FIRST, lw=1.4)
    axes.plot(middle[known], at[known], "o", color=FIRST, ms=3.5)
    drawn = np.isfinite(middle)
    axes.plot(middle[~known & drawn], at[~known & drawn], "o", mfc="none", mec=INK, ms=3.5)
    axes.set_yticks(at)
    axes.set_ylim(count - 0.4, -0.6)
    write(axes, x=f"{label}, interval of {subject.of_level()}")
    axes.set_yticklabels(names, fontsize=LETTERS - (1 if count > 30 else 0), parse_math=False)
    axes.tick_params(axis="y", length=0)
