"""The picture of the curvature at the solution: the eigenvalues of the scaled Hessian, the flattest one named."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.inference import combination, upwards
from autoopt.inference.information import FLAT
from autoopt.reports.figures import BAD, FIRST, INK, MUTED, elided, legend, logarithmic, write
from autoopt.reports.subject import Subject
from autoopt.reports.table import picture


def _lacks(subject: Subject) -> str:
    if subject.spectrum is not None and np.isfinite(subject.spectrum[1]).all():
        return ""
    return f"its Hessian is not known{': ' if subject.why else ''}{subject.why}"


def scaled(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues, ascending, of a Hessian scaled to a unit diagonal, and the flattest direction, (n,)."""
    curvature = np.diag(matrix)
    scale = 1 / np.sqrt(np.where(curvature > 0, curvature, 1.0))
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    return values, scale * vectors[:, 0]


def _caption(subject: Subject) -> str:
    assert subject.spectrum is not None
    names, matrix = subject.spectrum
    values, flattest = scaled(matrix)
    said = combination(upwards(flattest), [elided(name) for name in names])
    if values[0] <= FLAT * len(values):
        return f"It is flat, or falls, along {said}: parameters that are not identified, or no minimum."
    ratio = values[-1] / values[0]
    return f"Flattest along {said}. The largest eigenvalue is {ratio:.3g} times the least."


@picture("spectrum", lacks=_lacks, caption=_caption)
def spectrum(subject: Subject, axes: Any, panel: Any) -> None:
    """Eigenvalues of the Hessian scaled to a unit diagonal: how well directions are determined, apart from units."""
    assert subject.spectrum is not None
    values = scaled(subject.spectrum[1])[0][::-1]
    number, sizes = np.arange(1, len(values) + 1), np.maximum(np.abs(values), 1e-18)
    rises = values > 0
    axes.axhline(1.0, color=MUTED, lw=0.8, ls=(0, (3, 2)))
    least = 10.0 ** np.floor(np.log10(sizes.min()) - 0.3)
    axes.vlines(number, least, sizes, color=MUTED, lw=0.8)
    axes.plot(number[rises], sizes[rises], "o", color=FIRST, ms=3.5)
    if not rises.all():
        axes.plot(number[~rises], sizes[~rises], "v", color=BAD, ms=4.5, label="not positive: its size")
        legend(axes)
    logarithmic(axes.yaxis)
    axes.set_ylim(bottom=least)
    axes.set_xlim(0.4, len(values) + 0.6)
    axes.xaxis.get_major_locator().set_params(integer=True)
    write(axes, x="number", y="eigenvalue of the scaled Hessian")
    axes.yaxis.label.set_color(INK)
