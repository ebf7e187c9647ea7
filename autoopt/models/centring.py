"""Columns far from zero: moved there for the fit, beside an intercept, so that the digits of their spread are kept.

A column 1e6 + z, such as a time stamp, is to 12 digits a multiple of the intercept: standard errors, even of columns
that they are none of, would have 4 digits. With Z = X - shift the predictor is the same:

    X coef + intercept = Z coef + (intercept + shift' coef)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FAR = 300.0
"""A mean of so many standard deviations costs five of the 16 digits of a Hessian."""
_ROUNDING = 1e-12
"""A spread of so much of the mean is rounding of a constant, which stays one."""
_SEEN = 1000
"""About how many rows are looked at."""


@dataclass(frozen=True)
class Centring:
    """How columns were moved.

    Attributes
    ----------
    shift : ndarray, shape (n,)
        What was subtracted from each column: 0 from those that are not far from zero.
    """

    shift: np.ndarray

    @classmethod
    def of(cls, X: Any) -> Centring | None:
        """Return what is to be subtracted from a matrix, None if nothing is; sparse matrices stay as they are."""
        if hasattr(X, "tocsr"):
            return None
        some = X[:: max(1, len(X) // _SEEN)]
        means = some.mean(axis=0)
        spread = np.sqrt(np.mean((some - means) ** 2, axis=0))
        size = np.abs(means)
        shift = np.where((size > FAR * spread) & (spread > _ROUNDING * size), means, 0.0)
        return cls(shift) if shift.any() else None

    def map(self, size: int, predictors: int) -> np.ndarray:
        """Return the matrix, (size, size), that turns parameters for X - shift into those for X."""
        across, each = np.eye(size), len(self.shift) + 1
        for start in range(0, predictors * each, each):
            across[start, start + 1 : start + each] = -self.shift
        return across
