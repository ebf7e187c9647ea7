"""The picture of the estimates with their intervals, one above the other (a forest plot)."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.reports.figures import FIRST, INK, LETTERS, MUTED, elided, write
from autoopt.reports.subject import Subject
from autoopt.reports.table import picture

MOST = 80
"""So many parameters are drawn, the first ones."""

ALIKE = 200.0
"""Where the farthest end of an interval is farther than half of the others by this, all are in standard errors."""


def _lacks(subject: Subject) -> str:
    if np.isfinite(subject.intervals).all(axis=1).any():
        return ""
    return f"it has no standard errors{': ' if subject.why else ''}{subject.why}"


def _caption(subject: Subject) -> str:
    parts = [f"Intervals of {subject.of_level()}"]
    if not _are_alike(subject):
        parts.append("in standard errors, as their units differ by many powers of ten")
    count = len(subject.names)
    if count > MOST:
        parts.append(f"the first {MOST} of {count}")
    return ", ".join(parts) + "."


def _are_alike(subject: Subject) -> bool:
    reach = np.abs(subject.intervals).max(axis=1)[:MOST]
    reach = reach[np.isfinite(reach) & (reach > 0)]
    return not reach.size or reach.max() <= ALIKE * np.sort(reach)[(reach.size - 1) // 2]


def _height(subject: Subject) -> float:
    return 0.75 + 0.17 * max(3, min(len(subject.names), MOST))


@picture("coefficients", lacks=_lacks, caption=_caption, height=_height)
def coefficients(subject: Subject, axes: Any, panel: Any) -> None:
    """Estimates with their intervals, in the order of the parameters."""
    count = min(len(subject.names), MOST)
    at, names = np.arange(count), [elided(name) for name in subject.names[:count]]
    middle, ends, label = subject.params[:count], subject.intervals[:count], "estimate"
    if not _are_alike(subject):
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
