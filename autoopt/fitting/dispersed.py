"""Fits of counts by a Poisson likelihood, whoever wrote it: recognised by its terms, and whether counts vary so."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammaln

from autoopt.fitting.modelfile import positional
from autoopt.inference.dispersion import remark
from autoopt.tables.values import shape_of

_ROUNDING = 1e-9


def note(fitted: Any, case: Any) -> list[str]:
    """Return the sentence on the dispersion of a fit of counts, none where it is no Poisson fit, or as it should be.

    A fit is one if the model says what it predicts, of data that the objective takes, and each term of the objective is
    mean - y log(mean), with log(y!) or without, for a vector y of whole numbers among the data.
    """
    counts = [array for one in case.call["args"] if (array := _counts(one, case.rows)) is not None]
    if case.predict is None or case.minimised.terms is None or not counts:
        return []
    x, args = case.start.structure.unflatten(fitted.params), case.call["args"]
    names = [one.name for one in positional(case.predict)[1:]]
    if not set(names) <= set(case.bound.arguments):
        return []
    try:
        mean = np.asarray(case.predict(x, *(case.bound.arguments[name] for name in names)), float)
        terms = np.asarray(case.minimised.terms(x, *args), float).reshape(-1)
    except Exception:  # of the user's own, of which predictions tell
        return []
    weights = np.ones(terms.size) if case.minimised.weights is None else case.minimised.weights
    kept, robust = weights > 0, fitted.convention != "observed"
    for y in counts:
        if mean.shape == y.shape == terms.shape and _is_poisson(terms[kept] / weights[kept], y[kept], mean[kept]):
            said = remark(y[kept], mean[kept], fitted.df_model, weights[kept], is_robust=robust)
            return [said] if said else []
    return []


def _counts(one: Any, rows: int | None) -> np.ndarray | None:
    """Return data as a vector of whole numbers from 0 on with a value for each row; None if they are none."""
    if not shape_of(one):
        return None
    array = np.asarray(one)
    if array.ndim != 1 or array.dtype.kind not in "iuf" or array.size != rows:
        return None
    y = array.astype(float)
    return y if ((y >= 0) & (y == np.rint(y))).all() and y.max() > 1 else None


def _is_poisson(terms: np.ndarray, y: np.ndarray, mean: np.ndarray) -> bool:
    """Whether terms of rows are those of a Poisson likelihood with this mean, with log(y!) or without."""
    if not (mean > 0).all():
        return False
    left = terms - (mean - y * np.log(mean))
    size = np.abs(terms) + mean + y * np.abs(np.log(mean)) + gammaln(y + 1)
    return any(bool((np.abs(left - constant) <= _ROUNDING * (1 + size)).all()) for constant in (0.0, gammaln(y + 1)))
