"""The Hessian at one point as products with directions: exact, and nothing is compiled for it where that can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within
from autoopt.users_code import NO_VALUE

_FULL = 500
"""Full Hessians of up to so many parameters are taken where the method has compiled them."""

_EXACT, _DIFFERENCES = 1e-13, 1e-6
_STEP = np.finfo(np.float64).eps ** (1 / 3)


@dataclass(frozen=True)
class SecondOrder:
    """`product(p)` is H(x) p, shape (n,), to the relative `accuracy`, NaN where it is not defined."""

    product: Callable[[np.ndarray], np.ndarray]
    accuracy: float

    def columns(self, which: np.ndarray, size: int) -> np.ndarray:
        """Return the rows and columns `which` of the Hessian, shape (m, m), made symmetric."""
        matrix = np.empty((len(which), len(which)))
        unit = np.zeros(size)
        for row, index in enumerate(which):
            unit[index] = 1.0
            matrix[row] = self.product(unit)[which]
            unit[index] = 0.0
        return (matrix + matrix.T) / 2


def second_order(problem: Any, x: np.ndarray) -> SecondOrder:
    """Return the Hessian at `x`: what the method has compiled, products along the tape, or differences of gradients."""
    exact = _EXACT if getattr(problem.objective, "exact", True) else _DIFFERENCES
    if problem.second == "hess" and x.size <= _FULL:
        hessian = problem.hess(x)
        return SecondOrder(lambda p: hessian @ p, exact)
    if problem.second == "hessp":
        return SecondOrder(lambda p: problem.hessp(x, p), exact)
    differences = SecondOrder(lambda p: _difference(problem, x, p), _DIFFERENCES)
    along_tape = getattr(problem.objective, "product_at", lambda x: None)(x)
    if along_tape is None:
        return differences
    return SecondOrder(_defined(along_tape, x.size), exact)


def _defined(product: Callable, size: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the product, NaN where it raises."""

    def careful(p: np.ndarray) -> np.ndarray:
        try:
            return product(p)
        except NO_VALUE:
            return np.full(size, np.nan)

    return careful


def _difference(problem: Any, x: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Return the central difference of gradients along `p`, one-sided where a bound is near."""
    h = _STEP / np.max(np.abs(p) / np.maximum(np.abs(x), 1.0), initial=np.finfo(np.float64).tiny)
    sides = [within(problem.limits, side) for side in (x + h * p, x - h * p)]
    if not all(problem.is_defined(side) for side in sides):
        return np.full(x.size, np.nan)
    ahead, behind = (problem.jac(side) for side in sides)
    moved = (sides[0] - sides[1]) @ p
    length = float(p @ p)
    return (ahead - behind) * (length / moved) if moved else np.zeros(x.size)
