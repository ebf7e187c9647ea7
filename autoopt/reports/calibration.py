"""The picture of calibration: how often what was predicted with a probability has come, in bins."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from autoopt.reports.figures import FIRST, MUTED, write
from autoopt.reports.subject import Probabilities, Subject
from autoopt.reports.table import picture
from autoopt.wording import times

BINS, FEWEST = 10, 5
"""At most so many bins, and in each at least so many rows."""


def _lacks(subject: Subject) -> str:
    if subject.chances is not None:
        return ""
    return "it has no response of 0 and 1 with a probability by row: have the objective return its terms by row"


def binned(chances: Probabilities, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return of each bin of about as many rows the mean prediction, the observed share, its interval (k, 2), the count.

    References
    ----------
    Wilson, E. B. (1927). J. Am. Stat. Assoc. 22, 209-212, for the intervals.
    """
    order = np.argsort(chances.predicted, kind="stable")
    bins = np.array_split(order, max(1, min(BINS, len(order) // FEWEST)))
    counts = np.array([rows.size for rows in bins])
    predicted = np.array([chances.predicted[rows].mean() for rows in bins])
    observed = np.array([chances.observed[rows].mean() for rows in bins])
    z = ndtri((1 + level) / 2)
    middle = (observed + z**2 / (2 * counts)) / (1 + z**2 / counts)
    half = z / (1 + z**2 / counts) * np.sqrt(observed * (1 - observed) / counts + z**2 / (4 * counts**2))
    return predicted, observed, np.column_stack([middle - half, middle + half]), counts


def _caption(subject: Subject) -> str:
    assert subject.chances is not None
    counts = binned(subject.chances, subject.level)[3]
    bins = f"{times(len(counts), 'bin')} of about {times(int(counts[0]), 'row')}"
    return f"{bins}; intervals of {subject.of_level()} (Wilson)."


@picture("calibration", lacks=_lacks, caption=_caption)
def calibration(subject: Subject, axes: Any, panel: Any) -> None:
    """Observed shares against predicted probabilities: on the diagonal, if probabilities are right."""
    assert subject.chances is not None
    predicted, observed, ends, _ = binned(subject.chances, subject.level)
    axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (3, 2)))
    axes.vlines(predicted, *ends.T, color=FIRST, lw=1.4)
    axes.plot(predicted, observed, "o", color=FIRST, ms=3.5)
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    write(axes, x="predicted probability", y="observed share")
