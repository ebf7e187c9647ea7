"""The cost of least squares around a point, in coordinates in which J'J is the identity.

With J = QR (columns scaled, so that units of the parameters do not matter) and steps x - R^-1 z, the gradient of the
cost is c = Q'v and its Hessian M = Q'WQ + R^-T S R^-1, S = sum v_i d2 r_i/dx2. A Newton step is M^-1 c. Nothing of it
squares the condition of J, as J'J does: of parameters that are nearly collinear it has the digits that residuals hold.

References
----------
Bates, D. M. and Watts, D. G. (1988). Nonlinear Regression Analysis and Its Applications, sections 2.2 and 7.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.solvers.points import sizes
from autoopt.solvers.problem import Problem

_EPS = np.finfo(np.float64).eps
_FULL, _KRYLOV = 12, 6
"""With so many parameters M is computed as a whole; with more, on so many directions of a Krylov space."""

_SHIFT = 1e-3
"""Steps of differences of J'v, beside the residuals: in units of standard errors, more or less."""

_LARGEST = 5e7
"""Entries of a Jacobian that may be written out and factored."""


class Whitened:
    """Gradient and curvature of the cost at `x` over the entries `free`.

    Parameters
    ----------
    problem : Problem
        Of a `SumOfSquares`.
    x : ndarray, shape (n,)
    free : ndarray of bool, shape (n,)

    Attributes
    ----------
    full_rank : bool
        Whether R is regular to double precision; the rest is of use only then.
    independent : ndarray of bool, shape (n,)
        Free entries whose columns of J are independent: as many as its rank.
    gradient : ndarray, shape (p,)
        c.
    length : float
        |v|, that of the residuals.
    noise : float
        What rounding of the residuals leaves of |c|.
    """

    def __init__(self, problem: Problem, x: np.ndarray, free: np.ndarray) -> None:
        from scipy.linalg import qr

        squares = self._squares = problem.objective
        self._limits, self._x, self._free = problem.limits, x, free
        residuals = squares.residuals.value(x)
        self.cost, self._v, self._w = squares.loss.of_residuals(residuals)
        self.length = float(np.linalg.norm(self._v))
        jacobian = squares.residuals.dense_jacobian(x)[:, free]
        self._here = jacobian.T @ self._v
        self._lengths = np.linalg.norm(jacobian, axis=0)
        scaled = np.where(self._lengths > 0, jacobian, 0.0) / np.where(self._lengths > 0, self._lengths, 1.0)
        self._q, self._r, self._order = qr(scaled, mode="economic", pivoting=True)
        diagonal = np.abs(np.diag(self._r))
        rank = int(np.sum(diagonal > max(jacobian.shape) * _EPS * diagonal[0])) if diagonal[0] > 0 else 0
        self.full_rank = rank == jacobian.shape[1]
        self.independent = np.zeros(free.size, dtype=bool)
        self.independent[np.flatnonzero(free)[self._order[:rank]]] = True
        if not self.full_rank:
            return
        self.gradient = self._q.T @ self._v
        terms = np.linalg.norm(np.abs(jacobian) @ np.abs(x[free]))
        self.noise = float(_EPS * (self.length + terms))
        self._reach = max(_SHIFT * self.length, _SHIFT**2 * float(terms))
        self.size = sizes(x, problem.x0)[free]

    @staticmethod
    def fits(squares: Any) -> bool:
        """Whether the Jacobian is small enough to be factored."""
        return (squares.residuals.count or 0) * squares.size <= _LARGEST

    def curvature(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return M on directions V: V'MV (k, k) and V (p, k); None where it cannot be had. M is 1 off V."""
        count = self.gradient.size
        if count <= _FULL:
            basis = np.eye(count)
            columns = [self.times(unit) for unit in basis]
            if any(column is None for column in columns):
                return None
            curvature = np.array(columns)
            return (curvature + curvature.T) / 2, basis
        return self._krylov(count)

    def newton(self, curvature: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return M^-1 c, shape (p,), for what `curvature` gave; the shortest such step where M is singular."""
        reduced, basis = curvature
        inside = basis.T @ self.gradient
        try:
            across = np.linalg.solve(reduced, inside)
        except np.linalg.LinAlgError:
            across = np.linalg.lstsq(reduced, inside)[0]
        return basis @ across + (self.gradient - basis @ inside)

    def step(self, curvature: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return the Newton step of all parameters, shape (n,), 0 for those that are not free."""
        step = np.zeros(self._x.size)
        step[self._free] = -self.parameters(self.newton(curvature))
        return step

    def left(self, curvature: tuple[np.ndarray, np.ndarray]) -> float:
        """Return (c'M^-1 c)^0.5, beside which |v| is the length of the residuals; inf where M is not regular.

        It is |c| where M is 1. Where J is all but singular, it is M that says what there is to gain.
        """
        promised = float(self.gradient @ self.newton(curvature))
        return float(np.sqrt(promised)) if promised >= 0 else np.inf

    def _krylov(self, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return M on the Krylov space of the gradient, to which something random is added."""
        random = np.random.default_rng(0).normal(size=count)
        ahead = self.gradient / (np.linalg.norm(self.gradient) or 1.0) + 0.3 * random / np.linalg.norm(random)
        basis, products = np.zeros((0, count)), np.zeros((0, count))
        for _ in range(_KRYLOV):
            rest = ahead - basis.T @ (basis @ ahead)
            rest = rest - basis.T @ (basis @ rest)
            if not np.linalg.norm(rest) > 1e-6 * np.linalg.norm(ahead):
                break
            unit = rest / np.linalg.norm(rest)
            product = self.times(unit)
            if product is None:
                return None
            basis, products, ahead = np.vstack([basis, unit]), np.vstack([products, product]), product
        curvature = basis @ products.T
        return (curvature + curvature.T) / 2, basis.T

    def times(self, z: np.ndarray) -> np.ndarray | None:
        """Return M z, shape (p,), S by differences of J'v; None where these do not exist."""
        from scipy.linalg import solve_triangular

        bent = self._bent(self.parameters(z))
        if bent is None:
            return None
        turned = solve_triangular(self._r, (bent / self._lengths)[self._order], trans="T")
        product = self._q.T @ (self._w * (self._q @ z)) + turned
        return product if np.isfinite(product).all() else None

    def _bent(self, p: np.ndarray) -> np.ndarray | None:
        """Return S times the direction `p` of the free entries, shape (p,)."""
        moving = p != 0
        room = np.min(_SHIFT * self.size[moving] / np.abs(p[moving]), initial=np.inf)
        h = min(self._reach, float(room))
        if not h > 0 or not np.isfinite(h):
            return np.zeros(p.size)
        step = np.zeros(self._x.size)
        step[self._free] = h * p
        for side in (1.0, -1.0):
            if self._allows(self._x + side * step) and (slope := self._slope(self._x + side * step)) is not None:
                return side * (slope - self._here) / h
        return None

    def _slope(self, x: np.ndarray) -> np.ndarray | None:
        """Return J'v at `x` for the v of this point, over the free entries; None where there is none."""
        from autoopt.users_code import UNDEFINED

        try:
            with np.errstate(all="ignore"):
                slope = np.asarray(self._squares.residuals.jacobian_beside(x).T @ self._v).reshape(-1)[self._free]
        except UNDEFINED:
            return None
        return slope if np.isfinite(slope).all() else None

    def _allows(self, x: np.ndarray) -> bool:
        return self._limits is None or self._limits.allow(x)

    def parameters(self, z: np.ndarray) -> np.ndarray:
        """Return R^-1 z in the units of the free entries, shape (p,)."""
        from scipy.linalg import solve_triangular

        p = np.empty(z.size)
        p[self._order] = solve_triangular(self._r, z)
        return p / self._lengths
