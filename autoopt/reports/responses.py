"""Which of the data is the response, found by what the model makes of changes in it.

A function of residuals, or of terms, says nothing of what it explains. But residuals change with the response by
something that no parameter has a part in, and of two outcomes 0 and 1 the probabilities make 1:

    y - a * exp(-b * t)       moves with y by 1 whatever a and b are, with t by what depends on them: y is the response
    log(1 + exp(eta)) - y * eta       exp(-term) at y and at 1 - y make 1 in each row: y is a response of 0 and 1

Found so, or not at all: nothing is guessed from names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_TOLERANCE = 1e-7


def fitted_values(residuals: Callable, params: Callable, args: Sequence[Any], values: np.ndarray) -> np.ndarray | None:
    """Return what was fitted, shape (m,): the response less its part of the residual; None if no response is found.

    Parameters
    ----------
    residuals : callable
        (params, *args) -> array of m numbers.
    params : callable
        (factor) -> the parameters, all away from the estimates by this factor of their size; 0 for these.
    args : sequence
        The data.
    values : ndarray, shape (m,)
        The residuals at the estimates.
    """
    responses = []
    for position, arg in enumerate(args):
        y = _numbers(arg, values.size)
        if y is None:
            continue
        step = float(np.std(y)) or 1.0

        def moved(x: Any, by: float, position: int = position, y: np.ndarray = y) -> np.ndarray:
            changed = [*args]
            changed[position] = (y + by).reshape(np.shape(args[position]))
            return _flat(residuals(x, *changed))

        slopes = (moved(params(0.0), step) - values) / step
        others = [(moved(params(0.0), -2 * step) - values) / (-2 * step)]
        away = params(0.05)
        others.append((moved(away, step) - moved(away, 0.0)) / step)
        size = np.abs(slopes).max()
        if np.abs(slopes).min() > 0 and all(np.abs(other - slopes).max() <= _TOLERANCE * size for other in others):
            responses.append(y - values / slopes)
    return responses[0] if len(responses) == 1 else None


def probabilities_of_one(terms: Callable, x: Any, args: Sequence[Any]) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the probabilities of 1 and the response, both shape (m,); None if no response of 0 and 1 is found.

    Parameters
    ----------
    terms : callable
        (params, *args) -> m terms of a negative log-likelihood.
    x : parameters
    args : sequence
        The data.
    """
    outcomes = [(position, y) for position, arg in enumerate(args) if (y := _outcomes(arg)) is not None]
    values = _flat(terms(x, *args)) if outcomes else np.empty(0)
    for position, y in outcomes:
        arg, changed = args[position], [*args]
        if y.size != values.size or not (values >= -_TOLERANCE).all():
            continue
        changed[position] = (1 - y).astype(np.asarray(arg).dtype).reshape(np.shape(arg))
        others = _flat(terms(x, *changed))
        if np.abs(np.exp(-values) + np.exp(-others) - 1).max() <= _TOLERANCE:
            return np.exp(-np.where(y == 1, values, others)), y
    return None


def _outcomes(arg: Any) -> np.ndarray | None:
    """Return data of both 0 and 1 and nothing else as numbers, shape (m,); None if it is something else."""
    y = _numbers(arg)
    if y is None or not np.isin(y[:100], (0, 1)).all():  # of a matrix that is no response, the first are enough
        return None
    return y if ((y == 0) | (y == 1)).all() and y.min() < y.max() else None


def _numbers(arg: Any, count: int | None = None) -> np.ndarray | None:
    """Return data as (count,) numbers; None if it is something else."""
    if not (isinstance(arg, np.ndarray | list) or type(arg).__name__ == "Series"):
        return None
    y = np.asarray(arg)
    fits = y.dtype.kind in "biuf" and y.size > 1 and count in (None, y.size)
    return np.asarray(y, float).reshape(-1) if fits else None


def _flat(values: Any) -> np.ndarray:
    return np.asarray(values, float).reshape(-1)
