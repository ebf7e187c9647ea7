"""Smooth monotone functions that map all real numbers into the range of a parameter, with two derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Kind:
    """A row of TRANSFORMS: x(w), dx/dw, d2x/dw2 and w(x), each of (w or x, lower, upper), elementwise.

    `range` has the limits that hold where the user gives none, `closed` says which sides are limits that the function
    keeps to by itself: (below, above).
    """

    value: Callable
    slope: Callable
    bend: Callable
    inverse: Callable
    range: tuple[float, float]
    closed: tuple[bool, bool]


def _expit(w: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return expit(w)


def _logistic_inverse(x: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.log(x - low) - np.log(high - x)


TRANSFORMS = {
    # x = low + exp(w): x > low, by default 0
    "log": Kind(
        lambda w, low, high: low + np.exp(w),
        lambda w, low, high: np.exp(w),
        lambda w, low, high: np.exp(w),
        lambda x, low, high: np.log(x - low),
        (0.0, np.inf),
        (True, False),
    ),
    # x = low + (high - low) / (1 + exp(-w)): low < x < high, by default 0 and 1
    "logit": Kind(
        lambda w, low, high: low + (high - low) * _expit(w),
        lambda w, low, high: (high - low) * _expit(w) * _expit(-w),
        lambda w, low, high: (high - low) * _expit(w) * _expit(-w) * (_expit(-w) - _expit(w)),
        _logistic_inverse,
        (0.0, 1.0),
        (True, True),
    ),
}


TRANSFORMS |= {"positive": TRANSFORMS["log"], "interval": TRANSFORMS["logit"]}


@dataclass(frozen=True, eq=False)
class Transform:
    """One kind for the variables at `where`, shape (k,), with their limits, shape (k,) each."""

    kind: Kind
    where: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def value(self, w: np.ndarray) -> np.ndarray:
        return self.kind.value(w, self.lower, self.upper)

    def slope(self, w: np.ndarray) -> np.ndarray:
        return self.kind.slope(w, self.lower, self.upper)

    def bend(self, w: np.ndarray) -> np.ndarray:
        return self.kind.bend(w, self.lower, self.upper)

    def inverse(self, x: np.ndarray) -> np.ndarray:
        """Return w at `x`, infinite at the ends of the range and beyond them."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.kind.inverse(np.clip(x, self.lower, self.upper), self.lower, self.upper)
