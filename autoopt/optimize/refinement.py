"""The last steps to a least squares solution, and whether it is one: Newton's, in coordinates that lose no digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.optimize.whitened import Whitened
from autoopt.solvers.bounds import within
from autoopt.solvers.points import is_steady, sizes
from autoopt.solvers.problem import Problem
from autoopt.users_code import NO_VALUE

_EPS = np.finfo(np.float64).eps
_STEPS = 30
_LEAST = 1e-6
"""A curvature of M, which is 1 for linear residuals, below which it may be none."""

_RELATIVE = 1e-8
"""|c| beside |v| at a solution: its parameters are off by so many standard errors, times the root of m - n."""

_SNAP = 1e-6
"""A parameter so near to its bound, beside its size, is on it where the slope points there."""


@dataclass(frozen=True)
class Refined:
    """Where the last steps led, and what they say of it.

    Attributes
    ----------
    x : ndarray, shape (n,)
    reason : str or None
        In words why `x` is a minimum; None if that does not show.
    full : bool
        Whether all free parameters are determined: columns of J that depend on others were not moved, and a further
        step would be small beside the sizes of parameters, too, where it is beside their standard errors.
    """

    x: np.ndarray
    reason: str | None
    full: bool = True


def refined(problem: Problem, x: np.ndarray) -> Refined:
    """Return the point that Newton steps on the cost reach from `x`, and whether it is a minimum.

    Parameters
    ----------
    problem : Problem
        Of a `SumOfSquares`.
    x : ndarray, shape (n,)

    Notes
    -----
    Parameters at bounds that hold them are left there, the rest are free. A step is taken where it lowers |c|, and does
    not raise the cost by more than rounding. A minimum has a Jacobian of full rank, M positive definite and
    |c| <= 1e-8 |v|, or what rounding of the residuals leaves of it.
    """
    squares = problem.objective
    if not (Whitened.fits(squares) and problem.is_defined(x)):
        return Refined(x, None)
    best: tuple[float, np.ndarray, Whitened, float, np.ndarray | None] | None = None
    curvature, slow, moved, full = None, 0, 0.0, True
    try:
        for _ in range(_STEPS):
            x, free = held(problem, x)
            if not free.any():
                return Refined(x, "the bounds hold every parameter")
            model = Whitened(problem, x, free)
            if not model.full_rank and model.independent.any():
                model, free, full = Whitened(problem, x, model.independent), model.independent, False
            if not model.full_rank:
                break
            if curvature is None or curvature[1].shape[0] != free.sum() or moved > _LEAST:
                curvature = model.curvature()
            least = np.nan if curvature is None else float(np.linalg.eigvalsh(curvature[0])[0])
            size = np.inf if curvature is None or not least > 0 else model.left(curvature)
            onwards = None if curvature is None else model.step(curvature)
            if best is None or size < best[0]:
                slow = slow + 1 if best is not None and size > 0.5 * best[0] else 0
                best = size, x, model, least, onwards
            else:
                slow += 1
            if not least > _LEAST or slow > 2 or size <= model.noise:
                break
            ahead = _taken(problem, model, curvature, x)
            if ahead is None:
                break
            x, moved = ahead
    except NO_VALUE:
        pass
    if best is None:
        return Refined(x, None)
    size, x, model, least, onwards = best
    allowed = max(_RELATIVE * model.length, 10 * model.noise)
    if least > _LEAST and size <= allowed:
        return Refined(x, _reason(size, model, least), full and is_steady(sizes(x, problem.x0), onwards))
    return Refined(x, None)


def _reason(size: float, model: Whitened, least: float) -> str:
    relative = f"more than {size / model.length:.1e} of their length" if model.length else "anything"
    if size > _RELATIVE * model.length:
        relative = "more than their rounding"
    curved = "as much as" if f"{least:.2g}" == "1" else f"at least {least:.2g} times as much as"
    return (
        f"to first order no change of the parameters lowers the residuals by {relative}, and the cost curves "
        f"upwards along all of them, {curved} J'J does"
    )


def _taken(problem: Problem, model: Whitened, curvature: Any, x: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return the end of a Newton step that does not raise the cost, and its length beside the residuals'."""
    step, length = model.step(curvature), float(np.linalg.norm(model.newton(curvature))) / (model.length or 1.0)
    rounding = 100 * _EPS * model.cost + 10 * model.noise * (model.length + model.noise)
    for _ in range(4):
        ahead = within(problem.limits, x + step)
        if problem.is_defined(ahead) and problem.fun(ahead) <= model.cost + rounding:
            return ahead, length
        step, length = step / 4, length / 4
    return None


def held(problem: Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `x` with entries on the bounds that hold them, and which are free."""
    limits = problem.limits
    if limits is None:
        return x, np.ones(x.size, dtype=bool)
    begun = np.where(problem.x0 == 0, 1.0, np.minimum(1.0, np.abs(problem.x0)))  # units may be small
    gradient = problem.jac(x)
    near = _SNAP * np.maximum(np.abs(x), 1e-3 * np.minimum(begun, limits.upper - limits.lower))
    below, above = (x - limits.lower <= near) & (gradient > 0), (limits.upper - x <= near) & (gradient < 0)
    moved = np.where(below, limits.lower, np.where(above, limits.upper, x))
    return moved, ~(below | above)


def inside(problem: Problem, x: np.ndarray) -> bool:
    """Whether a point is within the bounds."""
    return problem.limits is None or problem.limits.allow(x)
