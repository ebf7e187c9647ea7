"""Whether a negative log-likelihood near its minimum is what standard errors take it for: a quadratic with its Hessian.

Two things show that it is not, however exact the Hessian: a gradient that still promises much, and values one standard
error away that are far from the half by which a quadratic rises there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autoopt import differences

STATIONARY = 0.1
"""Standard errors by which a Newton step may still move the estimates."""

LEAST, MOST = 0.05, 20.0
"""Rises as parts of those of a quadratic, beyond which its Hessian says nothing of a likelihood."""


def newton_step(inverse: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the step that is left, shape (n,), and its length in standard errors, sqrt(g' H^-1 g).

    The length does not depend on the units of the parameters.

    Examples
    --------
    >>> newton_step(np.diag([4.0, 1e-8]), np.array([0.5, 1e4]))
    (array([-2.e+00, -1.e-04]), 1.4142135623730951)
    """
    step = -inverse @ gradient
    return step, float(np.sqrt(max(-gradient @ step, 0.0)))


def rises(
    values: Callable, x: np.ndarray, inverse: np.ndarray, directions: np.ndarray, unit: float, step: float = 1.0
) -> np.ndarray:
    """Return how a negative log-likelihood rises from its minimum, as a part of what a quadratic does.

    Parameters
    ----------
    values : callable
        The objective, of a list of points like `x`; what it returns, of each, is `unit` times the negative
        log-likelihood.
    x : ndarray, shape (n,)
    inverse : ndarray, shape (n, n)
        Of its Hessian at `x`.
    directions : ndarray, shape (k, n)
        Linear combinations c of the parameters; the way is H^-1 c, along which c changes most for what f rises.
    unit : float
    step : float
        In standard errors of the combinations.

    Returns
    -------
    ndarray, shape (k, 2)
        Ahead and behind; 1 of a quadratic, NaN where the objective is not defined, or rounding hides such a rise.

    Examples
    --------
    >>> rises(lambda points: [x @ x / 2 for x in points], np.zeros(2), np.eye(2), np.eye(2), 1.0)
    array([[1., 1.],
           [1., 1.]])
    """
    here = values([x])[0]
    if not _ROUNDING * abs(here) <= LEAST * step**2 / 2 * unit:
        return np.full((len(directions), 2), np.nan)
    with np.errstate(all="ignore"):
        ways = [inverse @ combination for combination in directions]
        ways = [step * way / np.sqrt(one @ way) for one, way in zip(directions, ways, strict=True)]
        found = values([x + side * way for way in ways for side in (1.0, -1.0)])
        return (np.reshape(found, (-1, 2)) - here) / (unit * step**2 / 2)


def excess(values: Callable, x: np.ndarray, inverse: np.ndarray, direction: np.ndarray, unit: float) -> float:
    """Return how many times as much as the curvature says values rise that are as close as can be told apart.

    Arguments as for `rises`; 1 where the values are noise, too.
    """
    step = max(_CLOSE, float(np.sqrt(2 * _TOLD * _ROUNDING * abs(values([x])[0]) / unit)))
    found = float(np.min(rises(values, x, inverse, direction[np.newaxis], unit, step))) if step < 1.0 else 1.0
    if not found > MOST:
        return 1.0
    noise = differences.noise(
        lambda near: values([near])[0], x, inverse @ direction / np.sqrt(direction @ inverse @ direction)
    )
    return found if found * unit * step**2 / 2 > _NOISES * noise else 1.0


_ROUNDING, _TOLD, _CLOSE, _NOISES = 1e-14, 1e4, 1e-3, 100
"""Relative rounding of a sum over rows, how many times that shows, over which step at least, and what of noise."""
