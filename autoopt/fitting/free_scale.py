"""Estimates on the scales of their transforms, on which they are free, and Wald intervals mapped back from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.wording import listed

_WORDS = {"log": "log({0})", "positive": "log({0})", "logit": "logit({0})", "interval": "logit({0})"}


@dataclass(frozen=True)
class FreeScale:
    """What has a transform, on its scale.

    Parameters
    ----------
    names : tuple of k str
        Such as "log(tau)"; of what has limits of its own, log(x - lower) and log((x - lower) / (upper - x)).
    places : ndarray of int, shape (k,)
        Their numbers among the parameters.
    estimates, bse : ndarray, shape (k,)
    level : float, in (0, 1)
    df : float
        Degrees of freedom of Student's quantile; infinite for a normal one.
    """

    names: tuple[str, ...]
    places: np.ndarray
    estimates: np.ndarray
    bse: np.ndarray
    level: float = 0.95
    df: float = np.inf

    def conf_int(self, level: float | None = None) -> np.ndarray:
        """Return Wald intervals on this scale, shape (k, 2)."""
        from autoopt.inference import wald_intervals

        return wald_intervals(self.estimates, self.bse, self.level if level is None else level, self.df)


def free_scale(fitted: Any) -> FreeScale:
    """Return the estimates of a fit that have a transform, on its scale.

    Notes
    -----
    Standard errors on the two scales are those of the delta method, se(w) = se(x) / t'(w), which at a minimum is what
    either scale's own information gives.
    """
    names, places, estimates, errors = [], [], [], []
    for kind, one in _scales(fitted):
        w = one.inverse(fitted.params[one.where])
        with np.errstate(all="ignore"):
            errors.append(fitted.bse[one.where] / np.abs(one.slope(w)))
        estimates.append(w)
        places.append(one.where)
        names += [_WORDS[kind].format(fitted.names[i]) for i in one.where]
    joined = [np.concatenate([np.zeros(0), *parts]) for parts in (estimates, errors)]
    where = np.concatenate([np.zeros(0, int), *places])
    return FreeScale(tuple(names), where, joined[0], joined[1], fitted.level, fitted.df_inference)


def wald(fitted: Any, level: float) -> np.ndarray:
    """Return Wald intervals of a fit, shape (n, 2): of what has a transform, or is tied to such, those of its scale."""
    from autoopt.inference import wald_intervals

    ends = wald_intervals(fitted.params, fitted.bse, level, fitted.df_inference)
    free = free_scale(fitted) if _scales(fitted) else None
    for _, one in _scales(fitted):
        assert free is not None
        inside = np.isin(free.places, one.where)
        for side in (0, 1):
            ends[one.where, side] = one.value(free.conf_int(level)[inside, side])
    for i, home in _followers(fitted):
        variables = fitted.case.start.variables
        ends[i] = np.sort(variables.offset[i] + variables.factor[i] * ends[home])
    return ends


def _followers(fitted: Any) -> list[tuple[int, int]]:
    """Return the parameters that are tied to one that has a transform, each with the number of that."""
    scales, variables = _scales(fitted), None if fitted.case is None else fitted.case.start.variables
    if not scales or variables is None:
        return []
    places = np.concatenate([one.where for _, one in scales])
    moving = [(int(i), int(variables.home[variables.source[i]])) for i in np.flatnonzero(variables.source >= 0)]
    return [(i, home) for i, home in moving if home in places and i not in places]


def note(fitted: Any) -> list[str]:
    """Return the sentence on intervals that are mapped back."""
    if fitted.covariance is None or not (scales := _scales(fitted)):
        return []
    places = [*(i for _, one in scales for i in one.where), *(i for i, _ in _followers(fitted))]
    names = [fitted.names[i] for i in places if np.isfinite(fitted.bse[i])]
    verb = "The interval is that" if len(names) == 1 else "Intervals are those"
    return [f"{listed(names)}: {verb.lower()} of the transform's scale, mapped back."] if names else []


def _scales(fitted: Any) -> list:
    return [] if fitted.case is None else fitted.case.start.scales()
