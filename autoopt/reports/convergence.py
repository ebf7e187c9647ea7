"""The picture of a run: how far the value was from its best, and how large the gradient, at each iterate."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.reports.figures import FIRST, SECOND, legend, logarithmic, write
from autoopt.reports.subject import Subject
from autoopt.reports.table import picture


def _lacks(subject: Subject) -> str:
    return "" if len(subject.history) > 1 else "its run has no more than one iterate on record"


def _caption(subject: Subject) -> str:
    number, _, slope, seconds = subject.history[-1]
    ended = f", where the gradient is {slope:.2g}" if np.isfinite(slope) else ""
    return f"{number:.0f} iterations in {seconds:.3g} seconds{ended}."


@picture("convergence", lacks=_lacks, caption=_caption)
def convergence(subject: Subject, axes: Any, panel: Any) -> None:
    """Value minus the best one, and gradient norm, by iteration, on a logarithmic scale."""
    number, value, slope, _ = subject.history.T
    marker = "o" if len(number) <= 60 else ""
    best = np.nanmin(value)
    for heights, color, said in ((value - best, FIRST, "value - best value"), (slope, SECOND, "gradient norm")):
        is_drawn = np.isfinite(heights) & (heights > 0)
        if is_drawn.any():
            axes.plot(number[is_drawn], heights[is_drawn], color=color, marker=marker, ms=2.5, lw=1.2, label=said)
    logarithmic(axes.yaxis)
    axes.xaxis.get_major_locator().set_params(integer=True)
    write(axes, x="iteration")
    legend(axes)
