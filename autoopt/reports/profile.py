"""The picture of profiles: the signed root of the statistic against the parameter, with the line of Wald's interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.reports.figures import BAD, FIRST, MUTED, SECOND, elided, legend, write
from autoopt.reports.subject import Subject
from autoopt.reports.table import picture

MOST = 12
"""So many parameters are profiled without being named: each takes solves."""


def _lacks(subject: Subject) -> str:
    return "" if subject.profile is not None else f"it has no profiles{': ' if subject.why else ''}{subject.why}"


def _panels(subject: Subject, names: Sequence[str] | None) -> Sequence[Any]:
    """Return the profiles of the parameters that are named, or that were asked for before, or of all."""
    assert subject.profile is not None
    named = [names] if isinstance(names, str) else list(names or subject.profiled or subject.estimated)
    if names is None and len(named) > MOST:
        raise UsageError(f"There are {len(named)} parameters to profile.", remedy="name some: names=[...].")
    return [subject.profile(name) for name in named]


def _smooth(values: np.ndarray, roots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.interpolate import PchipInterpolator

    if len(values) < 3:
        return values, roots
    fine = np.linspace(values[0], values[-1], 121)
    return fine, PchipInterpolator(values, roots)(fine)


@picture("profile", lacks=_lacks, panels=_panels, is_dear=True)
def profile(subject: Subject, axes: Any, panel: Any) -> None:
    """The signed root of the likelihood ratio against a parameter: straight where Wald's interval is right."""
    values, roots = np.asarray(panel.values), np.asarray(panel.zeta)
    keep = np.concatenate([[True], np.diff(values) > 0]) & np.isfinite(roots)
    values, roots = values[keep], roots[keep]
    error = float(subject.bse[list(subject.names).index(panel.name)])
    ends = np.asarray(panel.interval(subject.level))
    quantile = panel.curve.quantile(subject.level)
    for height in (-quantile, quantile):
        axes.axhline(height, color=MUTED, lw=0.8, ls=(0, (3, 2)))
    if np.isfinite(error) and error > 0:
        axes.plot(values, (values - panel.estimate) / error, color=SECOND, lw=1.0, label="Wald")
    axes.plot(*_smooth(values, roots), color=FIRST, lw=1.4, label="profile")
    axes.plot(values, roots, "o", color=FIRST, ms=2.5)
    for end in ends[np.isfinite(ends)]:
        axes.axvline(end, color=MUTED, lw=0.8)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, -2.5 * quantile), min(top, 2.5 * quantile))
    if not np.isfinite(ends).all():
        write(axes, x=f"{elided(panel.name, 40)}: an end is not reached", y="signed root")
        axes.xaxis.label.set_color(BAD)
    else:
        write(axes, x=f"{elided(panel.name, 22)}: {ends[0]:.5g} to {ends[1]:.5g}", y="signed root")
    legend(axes, loc=(0.02, 0.66))
