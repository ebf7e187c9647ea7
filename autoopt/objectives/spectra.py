"""Derivatives where eigenvalues or singular values are equal, or nearly so: the limit of those of matrices close by.

The slopes of vectors divide by differences of values, and are NaN where these are 0. A symmetric function of the
values, such as their sum of squares, or V f(e) V', is smooth there all the same. Beside the point in the parameters the
values may be equal too:

    w -> sum(svd([[w0, w1], [-w1, w0]])**2)         # both are |w|, whatever w is

So the same code is run with matrices A + h E in place of A, whose values are apart, and extrapolated to h = 0 from both
sides, for two different E. Where the limits agree, that is the derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.graph.kinds import KINDS
from autoopt.objectives import one_sided

_STEPS = tuple(2.0 ** -(4 + 1.25 * k) for k in range(7))
_SEEDS = (0, 1)
_AGREE = 1e-6


class _Linalg:
    """np.linalg, of matrices beside those that it is given."""

    def __init__(self) -> None:
        self.shift, self.seed = 0.0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(np.linalg, name)

    def eigh(self, a: Any, *args: Any, **kwargs: Any) -> Any:
        change = self._change(a)
        return np.linalg.eigh(a + change + np.swapaxes(change, -1, -2), *args, **kwargs)

    def svd(self, a: Any, *args: Any, **kwargs: Any) -> Any:
        return np.linalg.svd(a + self._change(a), *args, **kwargs)

    def _change(self, a: Any) -> np.ndarray:
        size = np.max(np.abs(a), axis=(-2, -1), keepdims=True, initial=0.0)
        one = np.random.default_rng(self.seed).uniform(-1.0, 1.0, np.shape(a)[-2:])
        return self.shift * np.where(size > 0, size, 1.0) * one


class _Numpy:
    """np, with such a `linalg`."""

    def __init__(self) -> None:
        self.linalg = _Linalg()

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def settled(compiled: Any, kind: str, x: np.ndarray, found: Any, *direction: np.ndarray) -> Any:
    """Return a derivative whose entries are not all finite with those that matrices close by show."""
    if not any(f"np.linalg.{name}(" in compiled.text for name in ("eigh", "svd")) or not hasattr(compiled, "through"):
        return found
    numpy = _Numpy()

    def beside(shift: float) -> np.ndarray | None:
        numpy.linalg.shift = shift
        try:
            value = np.asarray(KINDS[kind].derivative(compiled.through(numpy)(x, *direction)))
        except Exception:  # a matrix close by may be none that the objective takes
            return None
        return value if np.all(np.isfinite(value)) else None

    limits = []
    for numpy.linalg.seed in _SEEDS:
        for sign in (1.0, -1.0):
            limit = one_sided.extrapolated(lambda h, sign=sign: beside(sign * h), _STEPS)
            if limit is None:
                return found
            limits.append(limit[0])
    size = 1.0 + np.max(np.abs(limits[0]), initial=0.0)
    if np.max(np.ptp(limits, axis=0), initial=0.0) > _AGREE * size:
        return found
    own = np.asarray(KINDS[kind].derivative(found))
    best = np.where(np.isfinite(own), own, np.mean(limits, axis=0))
    return KINDS[kind].with_derivative(found, best)
