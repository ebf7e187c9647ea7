"""Directions among the parameters: how they are written, and whether a likelihood rises along them for ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autoopt.errors import InferenceError


def combination(direction: np.ndarray, names: Sequence[str], sizes: np.ndarray | None = None) -> str:
    """Return a direction as text, scaled so that its largest entry is 1 or -1, without the entries below 1e-4.

    Parameters
    ----------
    direction : ndarray, shape (n,)
        In units of the parameters.
    names : sequence of n str
        Of the parameters.
    sizes : ndarray, shape (n,), optional
        Units in which entries are compared: of parameters that differ by many powers of ten none is then left out
        because of its unit.

    Examples
    --------
    >>> combination(np.array([2.0, -1.0, 0.0]), ["a", "b", "c"])
    'a - 0.5 * b'
    """
    compared = np.abs(direction if sizes is None else direction / sizes)
    inside = np.flatnonzero(compared >= 1e-4 * compared.max())
    direction, terms = direction / np.abs(direction).max(), ""
    for weight, name in ((direction[k], names[k]) for k in inside[:_MOST]):
        sign = ("-" if weight < 0 else "") if not terms else (" - " if weight < 0 else " + ")
        factor = f"{abs(weight):.4g}"
        terms += sign + (name if factor == "1" else f"{factor} * {name}")
    return terms if len(inside) <= _MOST else f"{terms} + ... ({len(inside)} parameters)"


_MOST = 8
"""So many parameters of a combination are shown."""


def endless(
    value: Callable[[np.ndarray], float],
    x: np.ndarray,
    directions: Sequence[np.ndarray],
    hessian: np.ndarray | None = None,
) -> np.ndarray | None:
    """Return the direction, shape (n,), along which a negative log-likelihood still falls far beyond `x`; None if none.

    Notes
    -----
    As where two classes are separated by a plane, or a variance goes to 0 with a perfect fit: f(x) > f(x + d) >=
    f(x + 3 d), but for rounding, for a step d as large as the parameters, along which the curvature at x promises
    nothing (d'H d < 1e-3, where the Hessian is given).
    """
    here = value(x)
    size = max(1.0, float(np.max(np.abs(x))))
    for direction in directions:
        largest = np.max(np.abs(direction), initial=0.0)
        if not (np.isfinite(largest) and largest > 0):
            continue
        unit = direction / largest
        for step in (size * unit, -size * unit):
            with np.errstate(all="ignore"):
                if hessian is not None and not abs(step @ hessian @ step) < 1e-3:
                    break
                near = value(x + step)
                far = value(x + 3 * step)
                if here - near > _VISIBLE * abs(here) and far - near <= _VISIBLE * abs(here):
                    return step
    return None


_VISIBLE = 1e-13
"""A relative decrease of the likelihood that is no rounding of its sum."""


def no_maximum(direction: np.ndarray, names: Sequence[str]) -> InferenceError:
    """Return the error of a likelihood that rises for ever along `direction`."""
    return InferenceError(
        "The likelihood has no maximum: far beyond the estimates, which are where the solver stopped, it still rises "
        f"along\n  {combination(direction, names)}",
        remedy="leave out a parameter of this combination, bound it, or add a penalty. If the response has two "
        "classes, the combination separates them: it predicts some responses perfectly.",
    )


def upwards(direction: np.ndarray) -> np.ndarray:
    """Return the direction, (n,), or its opposite: the one whose first sizeable entry is positive."""
    first = np.argmax(np.abs(direction) > 0.1 * np.abs(direction).max())
    return direction * np.sign(direction[first])
