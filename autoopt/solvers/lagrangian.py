"""The Lagrangian at a point: multipliers, the plane that touches what holds the point, and curvature along it.

L(x) = f(x) - sum_k m_k c_k(x),    m_k >= 0 where c_k is at its lower limit, <= 0 at its upper one
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers.conditions import FEASIBLE, Conditions
from autoopt.solvers.multipliers import multipliers

_STEP, _ROUGH_STEP = 1e-6, 1e-4
_RANK = 1e-9
"""Normals that differ by less than this depend on one another."""

_FINE_RANK = 1e-14
_IDLE = 1e-10
"""A multiplier of this size beside the gradient is rounding."""


@dataclass(frozen=True)
class Forces:
    """What makes up the gradient at a point.

    Attributes
    ----------
    multipliers : ndarray, shape (K,)
        One for each row of the conditions, 0 where it does not hold the point.
    residual : ndarray, shape (n,)
        The gradient of the Lagrangian.
    terms : ndarray, shape (n,)
        The sizes of the numbers that each entry of the residual is the sum of.
    working : ndarray of int
        The rows that hold the point: equalities, those with a multiplier, and those that are violated.
    missed : ndarray, shape (k,)
        What is to be added to the values of the working rows, to be at their limits.
    """

    multipliers: np.ndarray
    residual: np.ndarray
    terms: np.ndarray
    working: np.ndarray
    missed: np.ndarray


@dataclass(frozen=True)
class Point:
    """A point with f, its gradient, shape (n,), what is asked of it, and what holds it."""

    value: float
    gradient: np.ndarray
    conditions: Conditions
    force: Forces

    @classmethod
    def at(cls, problem: Any, x: np.ndarray, near: float) -> Point | None:
        """Return the point at `x`, held by what is within `near` of a limit; None where derivatives are not finite."""
        if not problem.is_defined(x):
            return None
        value, gradient = problem.fun(x), problem.jac(x)
        conditions = Conditions.at(problem, x)
        slopes = conditions.slopes.data if hasattr(conditions.slopes, "tocsr") else conditions.slopes
        if not (np.isfinite(gradient).all() and np.isfinite(slopes).all()):
            return None
        return cls(value, gradient, conditions, forces(conditions, gradient, near))


def forces(conditions: Conditions, gradient: np.ndarray, near: float) -> Forces:
    """Return the multipliers of the rows within `near` of a limit that leave the least of `gradient`, of right sign."""
    low, high = conditions.near(near)
    equal = conditions.equal
    up, down = np.flatnonzero(low | equal), np.flatnonzero(high | equal)
    rows, signs = np.concatenate([up, down]), np.concatenate([np.ones(up.size), -np.ones(down.size)])
    found = np.zeros(equal.size)
    scaled = _scaled(conditions.slopes[rows], conditions.unit)
    lengths = _lengths(scaled)
    if rows.size:
        normals = _times(scaled, signs / lengths)
        np.add.at(found, rows, signs * multipliers(normals, gradient * conditions.unit) / lengths + 0.0)
    sizes = np.zeros(equal.size)
    sizes[rows] = lengths
    idle = np.abs(found) * sizes <= _IDLE * np.max(np.abs(gradient) * conditions.unit, initial=0.0)
    found[idle & ~equal] = 0.0
    working = np.flatnonzero(equal | (found != 0) | (conditions.violation > FEASIBLE))
    found = _refined(conditions, gradient, found, working)
    residual = gradient - np.asarray(found @ conditions.slopes)
    terms = np.abs(gradient) + np.asarray(np.abs(found) @ abs(conditions.slopes))
    target = np.where(found > 0, conditions.lower, np.where(found < 0, conditions.upper, conditions.values))
    target = np.where(
        (found == 0) | ~np.isfinite(target), np.clip(conditions.values, conditions.lower, conditions.upper), target
    )
    return Forces(found, residual, terms, working, (target - conditions.values)[working])


def _refined(conditions: Conditions, gradient: np.ndarray, found: np.ndarray, working: np.ndarray) -> np.ndarray:
    """Return the multipliers by least squares on the working rows, where these keep their signs."""
    if not working.size or hasattr(conditions.slopes, "tocsr"):
        return found
    normals = conditions.slopes[working] * conditions.unit
    lengths = _lengths(normals)
    exact = np.linalg.lstsq((normals / lengths[:, None]).T, gradient * conditions.unit, rcond=_RANK)[0] / lengths
    signed = conditions.equal[working] | (exact * found[working] > 0)
    if not signed.all():
        return found
    refined = np.zeros_like(found)
    refined[working] = exact
    return refined


def _scaled(slopes: Any, unit: np.ndarray) -> Any:
    return slopes.multiply(unit).tocsr() if hasattr(slopes, "tocsr") else slopes * unit


def _lengths(rows: Any) -> np.ndarray:
    squares = rows.multiply(rows).sum(axis=1) if hasattr(rows, "tocsr") else (rows * rows).sum(axis=1)
    lengths = np.sqrt(np.asarray(squares).reshape(-1))
    return np.where(lengths > 0, lengths, 1.0)


def _times(rows: Any, factors: np.ndarray) -> Any:
    return rows.multiply(factors[:, None]).tocsr() if hasattr(rows, "tocsr") else rows * factors[:, None]


class Tangent:
    """The plane that touches the working rows, in units of the parameters; for up to some hundred parameters.

    Attributes
    ----------
    plane : ndarray, shape (n, q)
        An orthonormal basis of the directions, in units of the parameters.
    is_cusp : bool
        Whether some rows are almost parallel, but not quite: what tells them apart is taken to lie in the plane.
    """

    def __init__(self, conditions: Conditions, working: np.ndarray) -> None:
        self.unit, self.working = conditions.unit, working
        rows = conditions.slopes[working]
        rows = (rows.toarray() if hasattr(rows, "toarray") else rows) * self.unit
        self._lengths = _lengths(rows)
        _, singular, directions = np.linalg.svd(rows / self._lengths[:, None])
        largest = np.max(singular, initial=0.0)
        rank = int(np.count_nonzero(singular > _RANK * largest))
        self.is_cusp = np.count_nonzero(singular > _FINE_RANK * largest) > rank
        self.plane = directions[rank:].T
        self._rows = rows / self._lengths[:, None]
        self._back = np.linalg.pinv(self._rows, rcond=_RANK)

    @property
    def size(self) -> int:
        """The dimension of the plane, q."""
        return self.plane.shape[1]

    def along(self, z: np.ndarray) -> np.ndarray:
        """Return the direction, shape (n,), of coordinates in the plane."""
        return self.unit * (self.plane @ z)

    def slopes(self, gradient: np.ndarray) -> np.ndarray:
        """Return slopes along the plane, shape (q,)."""
        return self.plane.T @ (self.unit * gradient)

    def onto(self, missed: np.ndarray) -> np.ndarray:
        """Return the shortest step, shape (n,), that adds `missed` to the values of the working rows."""
        return self.unit * (self._back @ (missed / self._lengths))

    def closely_onto(self, missed: np.ndarray) -> np.ndarray:
        """Return the step that tells rows apart that are almost parallel: in a cusp it is long."""
        return self.unit * (np.linalg.pinv(self._rows, rcond=_FINE_RANK) @ (missed / self._lengths))


def curvatures(problem: Any, point: Point, tangent: Tangent) -> np.ndarray | None:
    """Return the Hessian of the Lagrangian on a plane, shape (q, q); None where it cannot be evaluated.

    Exact where the method has compiled second derivatives of all that counts, else by differences of gradients.
    """
    directions = tangent.unit[:, None] * tangent.plane
    x = point.conditions.x
    if (hessian := exact_hessian(problem, x, point.force.multipliers)) is not None:
        products = hessian @ directions
    else:
        product = Differences(problem, point)
        columns = [product(direction) for direction in directions.T]
        if any(column is None for column in columns):
            return None
        products = np.array(columns).reshape(-1, x.size).T
    projected = directions.T @ products
    return (projected + projected.T) / 2 if np.isfinite(projected).all() else None


def exact_hessian(problem: Any, x: np.ndarray, weights: np.ndarray) -> Any:
    """Return the Hessian of the Lagrangian, where it is compiled as matrices; else None."""
    parts = list(_parts(problem, weights))
    compiled = all(one.function.linear or one.function.compiled or not v.any() for one, v in parts)
    if not compiled or not (problem.second == "hess" or (problem.second and problem.curvature is not None)):
        return None
    total = problem.hess(x) if problem.second == "hess" else problem.sparse_hess(x)
    for one, v in parts:
        if v.any() and not one.function.linear:
            total = total - _matrix(problem.held_curvature(one, x, v))
    return total


def exact_product(problem: Any, x: np.ndarray, weights: np.ndarray) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the Hessian of the Lagrangian as a function of directions, where products are compiled; else None."""
    curved = [(one, v) for one, v in _parts(problem, weights) if v.any() and not one.function.linear]
    if problem.second != "hessp" or not all(one.function.compiled or one.function.supplies_second for one, _ in curved):
        return None

    def product(p: np.ndarray) -> np.ndarray:
        total = problem.hessp(x, p)
        for one, v in curved:
            total = total - one.function.hessp(x, v, p)
        return total

    return product


def _matrix(matrix: Any) -> Any:
    is_operator = hasattr(matrix, "matvec") and not hasattr(matrix, "tocoo")
    return matrix @ np.eye(matrix.shape[0]) if is_operator else matrix


def _parts(problem: Any, weights: np.ndarray) -> Iterator[tuple[Any, np.ndarray]]:
    start = 0
    for one in problem.constraints:
        yield one, weights[start : start + one.count]
        start += one.count


class Differences:
    """The Hessian of the Lagrangian times a direction, by its gradient at a second point within the bounds."""

    def __init__(self, problem: Any, point: Point) -> None:
        conditions, weights = point.conditions, point.force.multipliers
        self._problem, self._conditions, self._weights = problem, conditions, weights
        count = sum(conditions.counts)
        self._here = point.gradient - np.asarray(weights[:count] @ conditions.slopes[:count])
        self._step = _STEP if getattr(problem.objective, "exact", True) else _ROUGH_STEP

    def __call__(self, direction: np.ndarray) -> np.ndarray | None:
        """Return the product, shape (n,); None where the problem is not defined on either side."""
        problem, x, limits = self._problem, self._conditions.x, self._problem.limits
        h = self._step / np.max(np.abs(direction) / self._conditions.unit, initial=0.0)
        for signed in (h, -h):
            moved = x + signed * direction
            if limits is not None and ((moved < limits.lower).any() or (moved > limits.upper).any()):
                continue
            if problem.is_defined(moved):
                ahead = problem.jac(moved)
                for one, v in _parts(problem, self._weights):
                    if v.any():
                        ahead = ahead - np.asarray(v @ one.jacobian(moved))
                return (ahead - self._here) / signed
        return None
