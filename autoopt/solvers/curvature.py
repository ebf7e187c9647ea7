"""Whether f falls from a point where its gradient vanishes: a saddle or a maximum is no solution.

What costs nothing to compile: differences of gradients give the direction, values the proof.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_STEP = 1e-6
_FEWEST_STEPS, _MOST_STEPS = 4, 40
_RISING = 1e-6
_ROUNDINGS = 16 * np.finfo(np.float64).eps


def falling(problem: Any, x: np.ndarray) -> np.ndarray | None:
    """Return a direction, shape (n,), along which f curves downwards at the stationary point `x`; None if none shows.

    Notes
    -----
    The direction of least curvature is that of the Hessian, or of Lanczos steps on products with it, in units of
    max(|x_i|, 1): exact where the method has compiled them, else differences of gradients. It counts if second
    differences of the *values* along it are negative at two lengths of step. A run that did not move pays at most 40
    products; others a tenth of the evaluations that they had made, and 4 at least: from a point that the solver went
    down to, f falls in symmetric cases alone.
    """
    value, gradient = problem.fun(x), problem.jac(x)
    if not np.isfinite(value):
        return None
    free = np.ones(x.size, bool) if problem.limits is None else _may_move(problem, x, gradient)
    count = int(free.sum())
    if not count or (problem.constraints and _is_held(problem, x)):
        return None
    scale = np.maximum(np.abs(x), 1.0) * free
    affordable = _MOST_STEPS if problem.nit <= 1 else max(_FEWEST_STEPS, problem.nfev // 10)
    direction = _least_curved(problem, x, gradient, scale, min(count, affordable, _MOST_STEPS))
    return direction if direction is not None and _falls(problem, x, value, gradient, direction) else None


def _slope(problem: Any, x: np.ndarray) -> np.ndarray:
    return problem.jac(x if problem.limits is None else np.clip(x, problem.limits.lower, problem.limits.upper))


def _may_move(problem: Any, x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return which entries no bound holds, shape (n,): those with room on both sides, or none to gain by the slope."""
    room = 1e-2 * np.maximum(np.abs(x), 1.0)
    held = (x - problem.limits.lower < room) | (problem.limits.upper - x < room)
    fixed = problem.limits.upper - problem.limits.lower <= 0
    return ~fixed & (~held | (np.abs(gradient) <= 1e-12 * max(1.0, abs(problem.initial_value))))


def _is_held(problem: Any, x: np.ndarray) -> bool:
    """Whether a constraint is active at `x`, or near: curvature then counts along the constraint alone."""
    from autoopt.solvers.constraints import active_normals

    normals = active_normals(problem.constraints, None, x, 1e-2)
    return normals is None or len(normals) > 0


def _least_curved(
    problem: Any, x: np.ndarray, gradient: np.ndarray, scale: np.ndarray, steps: int
) -> np.ndarray | None:
    """Return the direction of least curvature, in units of `scale` (0: held fixed); None if f rises along all."""
    if problem.second == "hess" and x.size <= _DENSE:
        projected, basis = np.outer(scale, scale) * problem.hess(x), np.eye(x.size)
        projected, basis = projected[np.ix_(scale > 0, scale > 0)], basis[scale > 0]
    else:
        projected, basis = _krylov(problem, x, gradient, scale, steps)
    if not (len(basis) and np.isfinite(projected).all()):
        return None
    curvatures, directions = np.linalg.eigh((projected + projected.T) / 2)
    if curvatures[0] > _RISING * curvatures[-1]:
        return None
    return scale * (directions[:, 0] @ basis)


def _krylov(
    problem: Any, x: np.ndarray, gradient: np.ndarray, scale: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the Hessian on the directions of `steps` Lanczos steps, (k, k), and these directions, (k, n)."""
    rng = np.random.default_rng(0)
    basis, products = np.zeros((0, x.size)), np.zeros((0, x.size))
    ahead = rng.normal(size=x.size)
    for _ in range(steps):
        rest = _orthogonal(ahead, basis)
        if not np.linalg.norm(rest) > 1e-8 * np.linalg.norm(ahead):  # the directions so far are closed under H
            rest = _orthogonal(rng.normal(size=x.size) * (scale > 0), basis)
        rest = rest * (scale > 0)
        unit = rest / np.linalg.norm(rest)
        ahead = scale * product(problem, x, gradient, scale * unit)
        if not np.isfinite(ahead).all():
            break
        basis, products = np.vstack([basis, unit]), np.vstack([products, ahead])
    return basis @ products.T, basis


def product(problem: Any, x: np.ndarray, gradient: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the Hessian at `x` times `direction`, shape (n,): exact where that is compiled, else by one more gradient.

    A forward difference, or a backward one where a bound is ahead: five digits, enough to see signs and for one Newton
    step of 1e-3, after which the gradient is judged.
    """
    if problem.second == "hessp":
        return problem.hessp(x, direction)
    h = _STEP / np.max(np.abs(direction) / np.maximum(np.abs(x), 1.0))
    if problem.limits is not None:
        ahead = x + h * direction
        h = h if np.array_equal(np.clip(ahead, *_box(problem)), ahead) else -h
    return (_slope(problem, x + h * direction) - gradient) / h


_DENSE = 200


def _orthogonal(vector: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return what is left of `vector` beside the rows of `basis`, taken off twice for the sake of rounding."""
    vector = vector - (basis @ vector) @ basis
    return vector - (basis @ vector) @ basis


def _falls(problem: Any, x: np.ndarray, value: float, gradient: np.ndarray, direction: np.ndarray) -> bool:
    """Whether second differences of f along `direction` (one-sided at a bound) are negative at two lengths of step."""
    direction = direction / np.max(np.abs(direction) / np.maximum(np.abs(x), 1.0))

    def bend(h: float) -> float:
        bends = []
        for sign in (1, -1):
            shifted = x + sign * h * direction
            if problem.limits is not None and (np.clip(shifted, *_box(problem)) != shifted).any():
                continue
            if problem.is_defined(shifted):
                bends.append(problem.fun(shifted) - value - gradient @ (shifted - x))
        return min(bends, default=0.0) if len(bends) < 2 else sum(bends) / 2

    noise = _ROUNDINGS * abs(value)
    return any(bend(h) < -noise and bend(h / 10) < -noise for h in (1e-3, 1e-2))


def _box(problem: Any) -> tuple[np.ndarray, np.ndarray]:
    return problem.limits.lower, problem.limits.upper
