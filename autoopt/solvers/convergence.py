"""Whether a run that could get no further is at a minimum as far as double precision can tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import AutooptError
from autoopt.solvers.bounds import within
from autoopt.solvers.certificate import Certificate
from autoopt.solvers.constraints import ACTIVE, active_normals
from autoopt.solvers.curvature import product
from autoopt.solvers.multipliers import multipliers
from autoopt.solvers.points import Point, is_steady
from autoopt.solvers.rays import level_along
from autoopt.solvers.translation import names, parameters

RELATIVE_GRADIENT = 1e-9
RELATIVE_STEP = 1e-8
_FINISHING_STEP = 1e-3
_BLURRED_STEP = 0.1
FEASIBILITY = 1e-8
_ROUNDINGS = 10 * np.finfo(np.float64).eps
_DENSE = 500


def gradient_tolerance(problem: Any) -> float:
    """Return the default `gtol`: 1e-8, times |f(x0)| where that is below 1 (an objective may be tiny by its units)."""
    return max(1e-8 * min(1.0, abs(problem.initial_value) or 1.0), 1e-16)


def iteration_limit(problem: Any) -> int:
    """Return the default `maxiter`: 200 for each parameter, but at least 1000."""
    return max(1000, 200 * problem.x0.size)


def finish(problem: Any, x: np.ndarray, gtol: float) -> tuple[np.ndarray, str | None]:
    """Return the solution at or by `x`, where a run could get no further, and in words why it is one; None if not.

    Notes
    -----
    With g the gradient, cut to the distance from the bound that it points to, `x` is a solution if

    1. max|g_i| <= gtol, or
    2. max|g_i| max(|x_i|, 1) <= 1e-9 max(|f|, min(1, |f(x0)|)), the relative gradient, or
    3. H is positive definite, the Newton step d = H^-1 g is below 1e-3 max(|x_i|, 1), and x - d passes 1 or 2 (it is
       then the solution); or d is below 1e-8 max(|x_i|, 1), or promises a decrease g.d / 2 below ten roundings of f.
       (H is the Hessian of the entries that no bound holds, up to 500 of them: exact for methods that use second
       derivatives, else by differences of gradients, as deriving it would take longer than the run.)
    4. f solves differential equations, d is below 0.1 max(|x_i|, 1), and g.d / 2 is less than |f - f*|, where f* solves
       them to a hundredth of the tolerances; or
    5. |f| <= 1e-18 |f(x0)| and max|g_i| max(|x_i|, 1) <= 1e-8 |f(x0)|: residuals that vanish, whatever their number.

    Comparing values of f finds x to half its digits; the gradient, which the Newton step uses, has them all.

    References
    ----------
    Dennis, J. E. and Schnabel, R. B. (1983). Numerical Methods for Unconstrained Optimization, section 7.2.
    """
    if reason := _small_gradient(problem, x, gtol):
        return x, reason
    value, gradient = problem.fun(x), problem.projected_gradient(x)
    free = gradient == problem.jac(x)
    step = _newton_step(problem, x, free, gradient[free])
    size = np.maximum(np.abs(x[free]), 1.0)
    blur = blurred(problem, x, value)
    if step is None or not np.max(np.abs(step) / size) <= (_BLURRED_STEP if blur else _FINISHING_STEP):
        return x, _exact_fit(problem, x)
    if gradient[free] @ step / 2 <= blur:
        return x, "what a Newton step promises is less than the tolerance to which f solves its equations leaves open"
    moved = x.copy()
    moved[free] -= step
    moved = within(problem.limits, moved)
    rounding = _ROUNDINGS * abs(value)
    before, after = _largest(problem, x), _largest(problem, moved)
    noise = _NOISE * abs(value) if after < before / 10 else rounding
    better = problem.fun(moved) <= value + noise and after < before
    shown = f"the Newton step from where f no longer fell is {np.max(np.abs(step)):.1e}"
    if better and (reason := _small_gradient(problem, moved, gtol)):
        return moved, f"{shown}, and after it {reason}"
    if np.all(np.abs(step) <= RELATIVE_STEP * size) or gradient[free] @ step / 2 <= rounding:
        return (moved if better else x), shown
    return x, _exact_fit(problem, x)


def blurred(problem: Any, x: np.ndarray, value: float) -> float:
    """Return by how much f at `x` would be another if it solved its differential equations closer."""
    closer = getattr(problem.objective, "closer", lambda x: None)(x)
    return abs(closer(x) - value) if closer else 0.0


_NOISE = 1e-11
"""Relative noise of f, where its terms cancel, within which a much smaller gradient counts as an improvement."""


def _small_gradient(problem: Any, x: np.ndarray, gtol: float) -> str | None:
    """Return in words that the gradient is small, in itself or relative to the value."""
    value, gradient = problem.fun(x), problem.projected_gradient(x)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        return None
    if (largest := np.max(np.abs(gradient))) <= gtol:
        return f"the largest entry of the gradient is {largest:.1e}"
    scale = max(abs(value), min(1.0, abs(problem.initial_value)))
    relative = np.max(np.abs(gradient) * np.maximum(np.abs(x), 1.0)) / scale if scale else np.inf
    return f"the gradient relative to the value is {relative:.1e}" if relative <= RELATIVE_GRADIENT else None


def _exact_fit(problem: Any, x: np.ndarray) -> str | None:
    """Return in words that the value is rounding beside that of x0, as sums of squares are where nothing is left."""
    initial, value = abs(problem.initial_value), abs(problem.fun(x))
    slope = np.max(np.abs(problem.projected_gradient(x)) * np.maximum(np.abs(x), 1.0), initial=0.0)
    exact = value <= EXACT * initial and slope <= 1e-8 * initial
    return f"the value is {value:.1e}, rounding beside that at the start" if exact else None


EXACT = 1e-18
"""A value of this size beside that at x0 is what rounding leaves of residuals squared, with all but two digits lost."""


def is_stationary(problem: Any, x: np.ndarray, gtol: float) -> bool:
    """Whether the gradient is so small at `x` that f rises or falls by its curvature, and not on the way down."""
    gradient = np.max(np.abs(problem.projected_gradient(x)) * np.maximum(np.abs(x), 1.0), initial=0.0)
    return bool(gradient <= max(gtol, 1e-5 * max(abs(problem.fun(x)), min(1.0, abs(problem.initial_value)))))


def _largest(problem: Any, x: np.ndarray) -> float:
    return float(np.max(np.abs(problem.projected_gradient(x))))


def _newton_step(problem: Any, x: np.ndarray, free: np.ndarray, g: np.ndarray) -> np.ndarray | None:
    """Return H^-1 g over the free entries, None where H is not positive definite, too large, or of a rough gradient."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    if not (0 < g.size <= _DENSE and np.isfinite(g).all() and getattr(problem.objective, "exact", True)):
        return None
    try:
        return cho_solve(cho_factor(_hessian(problem, x, np.flatnonzero(free))), g)
    except (LinAlgError, ValueError, AutooptError):
        return None


def _hessian(problem: Any, x: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return the Hessian over the entries `free`, by what the method has compiled: Hessians, products or gradients."""
    if problem.second == "hess":
        return problem.hess(x)[np.ix_(free, free)]
    gradient = problem.jac(x)
    hessian = np.array([product(problem, x, gradient, unit)[free] for unit in np.eye(x.size)[free]])
    return (hessian + hessian.T) / 2


def remaining_gradient(problem: Any, x: np.ndarray) -> np.ndarray:
    """Return the gradient at `x`, shape (n,), without what bounds and constraints that are active hold up."""
    if not problem.constraints:
        return problem.projected_gradient(x)
    gradient = problem.jac(x)
    normals = active_normals(problem.constraints, problem.limits, x, FEASIBILITY, ACTIVE)
    if normals is None or not normals.shape[0] or not np.isfinite(gradient).all():
        return gradient
    return gradient - multipliers(normals, gradient) @ normals


def without_bound(problem: Any, x: np.ndarray) -> str | None:
    """Return in words that f seems to have no minimum: it fell far below, or x went far off; None if it did not."""
    lowest, distance = problem.best_value, np.max(np.abs(x - problem.x0), initial=0.0)
    if problem.abyss is not None:
        return f"the objective reaches -inf{_at(problem, problem.abyss)}"
    if lowest < problem.initial_value - FAR * max(1.0, abs(problem.initial_value)):
        return f"the objective fell to {lowest:.3g} and falls on"
    far = FAR * max(1.0, float(np.max(np.abs(problem.x0), initial=0.0)))
    return (
        f"the objective falls on at parameters as large as {np.max(np.abs(parameters(problem, x))):.1e}"
        if distance > far
        else None
    )


def _at(problem: Any, x: np.ndarray) -> str:
    """Return ", at x[0] = 0", empty where that is too long."""
    if x.size > _NAMED:
        return ""
    pairs = zip(names(problem), parameters(problem, x), strict=True)
    return ", at " + ", ".join(f"{name} = {value:.6g}" for name, value in pairs)


_NAMED = 4


def never_rises(problem: Any, x: np.ndarray, found: Certificate) -> tuple[np.ndarray, float] | None:
    """Return a direction, shape (n,), along which f falls or stays however far one goes, and to what; None if none is.

    Looked at is what the certificate of `x` tells, or its Newton step if that is not small.
    """
    point = Point(problem, x)
    step = found.direction if found.status == "infinite" else found.step
    if step is None or (found.status != "infinite" and is_steady(point.size, step)):
        return None
    last = level_along(point, step)
    if last is None:
        return None
    fallen = problem.initial_value - point.value
    is_endless = last < problem.initial_value - FAR * max(1.0, abs(problem.initial_value))
    if is_endless or found.status == "infinite":
        return step, last
    if point.value - last > _ALL_BUT * fallen or not _levels_off(point, step):
        return None
    return step, last


def lower_onwards(problem: Any, x: np.ndarray) -> str | None:
    """Return what f comes to beyond `x`, seen from x0, if it falls visibly and does not rise however far one goes.

    It is looked at where second derivatives are not finite, as those of log(1 - p) where p is nearly 1.
    """
    point = Point(problem, x)
    if not (point.is_finite and (x != problem.x0).any()):
        return None
    last = level_along(point, x - problem.x0)
    return f"{last:.6g}" if last is not None and last < point.value - point.noise else None


def _levels_off(point: Point, step: np.ndarray) -> bool:
    """Whether the slope along a step is less by far where the step, taken many times, leads: f tends to a limit."""
    far = point.within(point.x + 100 / float(np.max(np.abs(step) / point.size)) * step)
    if not point.problem.is_defined(far):
        return True
    here, there = abs(float(point.gradient @ step)), abs(float(point.problem.jac(far) @ step))
    return bool(there <= _LEVEL * here or here <= point.noise)


_ALL_BUT = 1e-6
"""What is left to fall is little beside this part of what f fell: else a run goes on."""

_LEVEL = 0.1
"""A slope that falls to this part of itself shows that f tends to a limit; towards a far minimum it stays."""

FAR = 1e8
"""Parameters that go, or values that fall, by this many times the size of x0 (or 1) show that there is no minimum."""
