"""Where a point may move: the directions that no bound and no constraint holds, and the way along them.

Coordinates z, shape (m,), are those of the free directions in units of max(|x_i|, 1). Under constraints they span the
plane that touches what is active, f stands for the Lagrangian, and a step along the plane is brought back to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.solvers.constraints import ACTIVE, Held, held
from autoopt.solvers.points import ROUNDINGS, rounded

_IDLE = 1e-6
"""A multiplier of this size beside the gradient holds nothing: the constraint is one-sided, no more."""

_CORRECTIONS = 8
_LARGEST = 500
_BEND = 1e-3


def freedom(problem: Any, x: np.ndarray, evaluate: Callable | None = None) -> Free | Tangent | None:
    """Return where `x` may move; None if nowhere, or if it is not a stationary point of the Lagrangian.

    Values are those of `evaluate`, by default the problem's own, NaN where there are none.
    """
    evaluate = evaluate or problem.value
    if not problem.constraints:
        free = Free(problem, x, evaluate)
        return free if free.size else None
    if x.size > _LARGEST:
        return None
    what = held(problem.constraints, problem.limits, x, ACTIVE)
    if what is None:
        return None
    tangent = Tangent(problem, x, what, evaluate)
    return tangent if tangent.size and tangent.stationary else None


class Free:
    """The parameters that no bound holds: those with room on both sides, or none to gain by the slope.

    Attributes
    ----------
    size : int
        The number of free directions, m.
    value, noise : float
        f at the point, and what rounding may do to it.
    gradient : ndarray, shape (n,)
    """

    straight = True  # a step along a free direction needs no correction

    def __init__(self, problem: Any, x: np.ndarray, evaluate: Callable) -> None:
        self.problem, self.x, self.evaluate = problem, x, evaluate
        self.gradient, self.value = problem.jac(x), evaluate(x)
        self.noise = ROUNDINGS * rounded(problem, self.value)
        self.unit = np.maximum(np.abs(x), 1.0)
        self.free = np.ones(x.size, bool) if problem.limits is None else self._may_move()
        self.size = int(self.free.sum())

    def _may_move(self) -> np.ndarray:
        limits, room = self.problem.limits, 1e-2 * self.unit
        near = (self.x - limits.lower < room) | (limits.upper - self.x < room)
        fixed = limits.upper - limits.lower <= 0
        return ~fixed & (~near | (np.abs(self.gradient) <= 1e-12 * max(1.0, abs(self.problem.initial_value))))

    def along(self, z: np.ndarray) -> np.ndarray:
        """Return the direction, shape (n,), of the coordinates `z`."""
        direction = np.zeros(self.x.size)
        direction[self.free] = self.unit[self.free] * z
        return direction

    def within(self, direction: np.ndarray) -> np.ndarray:
        """Return the free part of a direction, shape (n,)."""
        return direction * self.free

    def of(self, slopes: np.ndarray) -> np.ndarray:
        """Return the slopes in z of what has `slopes`, shape (n,), in the parameters."""
        return (self.unit * slopes)[self.free]

    def bent(self, direction: np.ndarray) -> np.ndarray | float:
        """Return what constraints, times their multipliers, add to the Hessian times `direction`: nothing."""
        return 0.0

    def at(self, step: np.ndarray) -> float:
        """Return f at the end of a step, shape (n,); NaN where it is not defined or a bound is passed."""
        shifted = self.x + step
        if self.problem.limits is not None and (np.clip(shifted, *box(self.problem)) != shifted).any():
            return np.nan
        return self.evaluate(shifted)


class Tangent:
    """The plane that touches the active constraints; attributes and methods as those of `Free`, f the Lagrangian.

    Notes
    -----
    With N the normals of what is active and c its values, l = argmin |g - N^T l| with l >= 0 but for equalities, and
    L(x) = f(x) - l . c(x). A constraint whose multiplier is 0 holds nothing: a step may leave it on its inner side.
    Since a step along the plane is brought back to c(x), and L does not feel what is left of that to first order, L
    falls along it where f falls along the constraints.
    """

    straight = False

    def __init__(self, problem: Any, x: np.ndarray, what: Held, evaluate: Callable) -> None:
        from scipy.linalg import null_space
        from scipy.optimize import nnls

        self.problem, self.x, self.what, self.evaluate = problem, x, what, evaluate
        gradient, value = problem.jac(x), evaluate(x)
        self.unit = np.maximum(np.abs(x), 1.0)
        normals, equal = what.normals * self.unit, what.equal
        self.multipliers = np.zeros(len(normals))
        if len(normals):
            weights = nnls(np.concatenate([normals, -normals[equal]]).T, gradient * self.unit)[0]
            self.multipliers[:] = weights[: len(normals)]
            self.multipliers[equal] -= weights[len(normals) :]
        steepest = np.max(np.abs(gradient) * self.unit, initial=0.0)
        lengths = np.linalg.norm(normals, axis=1)
        strict = equal | (np.abs(self.multipliers) * lengths > _IDLE * steepest)
        self.multipliers[~strict] = 0.0
        self.strict, self.start = strict, what.values(x)
        self.plane = null_space(normals[strict]) if strict.any() else np.eye(x.size)
        self.basis = self.unit[:, None] * self.plane
        self.back = self.unit[:, None] * np.linalg.pinv(normals[strict])
        self.size = self.plane.shape[1]
        self.gradient = gradient - self.multipliers @ what.normals
        self.value = value
        self.noise = ROUNDINGS * (
            rounded(problem, value) + np.abs(self.multipliers) @ np.maximum(np.abs(self.start), 1.0)
        )
        scale = max(abs(value), min(1.0, abs(problem.initial_value)), steepest)
        self.stationary = bool(np.max(np.abs(self.gradient) * self.unit) <= 1e-5 * scale)
        self.linear = self._is_linear()

    def _is_linear(self) -> bool:
        """Whether the active constraints do not bend along a direction taken at random."""
        p = _BEND * self.unit * np.random.default_rng(1).uniform(-1.0, 1.0, self.x.size)
        with np.errstate(all="ignore"):
            ahead, behind = self.what.values(self.x + p), self.what.values(self.x - p)
        bend = np.abs(ahead - 2 * self.start + behind)
        return bool(np.all(bend <= 1e-13 * (1.0 + np.abs(ahead) + np.abs(behind))))

    def along(self, z: np.ndarray) -> np.ndarray:
        return self.basis @ z

    def within(self, direction: np.ndarray) -> np.ndarray:
        return self.basis @ (self.plane.T @ (direction / self.unit))

    def of(self, slopes: np.ndarray) -> np.ndarray:
        return self.basis.T @ slopes

    def bent(self, direction: np.ndarray) -> np.ndarray | float:
        if self.linear or not self.multipliers.any():
            return 0.0
        if (exact := self.what.curved(self.multipliers, direction)) is not None:
            return exact
        p = _BEND / np.max(np.abs(direction) / self.unit) * direction
        ahead, behind = (self.multipliers @ self.what.slopes(self.x + q) for q in (p, -p))
        return (ahead - behind) / (2 * _BEND) * np.max(np.abs(direction) / self.unit)

    def at(self, step: np.ndarray) -> float:
        shifted = self.x + step
        for _ in range(0 if self.linear else _CORRECTIONS):
            off = (self.what.values(shifted) - self.start)[self.strict]
            if not np.isfinite(off).all():
                return np.nan
            shifted = shifted - self.back @ off
        left = self.what.values(shifted) - self.start
        far = np.max(np.abs(left[self.strict]) / np.maximum(np.abs(self.start[self.strict]), 1.0), initial=0.0)
        if not (far <= 1e-10 and self.what.allowed(shifted)):
            return np.nan
        return self.evaluate(shifted) - self.multipliers @ left


def box(problem: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper limits."""
    return problem.limits.lower, problem.limits.upper
