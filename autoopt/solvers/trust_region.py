"""Newton's method in a trust region that has the scales of the parameters, within bounds.

SciPy's trust regions are balls of at most 1000 in the parameters as they are. Here lengths are measured in units of
1 / sqrt(|H_ii|), so that none has to creep whatever the units of the parameters are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers.convergence import gradient_tolerance, iteration_limit
from autoopt.solvers.problem import Problem
from autoopt.solvers.subproblem import step_in_ball, step_in_box
from autoopt.solvers.table import solver

_ACCEPTED, _POOR, _GOOD, _GROWTH = 1e-4, 0.25, 0.75, 2.5
"""Steps are taken that bring this part of the fall promised; below and above which the radius shrinks and grows."""

_FAR = 1e16
"""Parameters that are so many times as large as at x0 (or 1) go to infinity."""

_LARGEST = 1e50  # whose square can be computed
_ROUNDING = 1e-14
_PROMISE = 1e-10
"""The gradient may be small by its units: what a Newton step promises must be below this part of the value, too."""

_EXACT = 1e-18
"""... or below this part of the value at x0, where residuals vanish."""


@solver(
    "trust-region",
    takes={"bounds"},
    uses={"gradient", "hess"},
    options={"gtol": gradient_tolerance, "maxiter": iteration_limit},
    tol=("gtol",),
    stalls={2},
)
def trust_region(problem: Problem, options: dict):
    """Newton in a trust region with the scales of the parameters, and bounds; fewest iterations, to some hundred."""
    with np.errstate(all="ignore"):  # far off, what overflows is looked at
        return _run(problem, options)


def _run(problem: Problem, options: dict) -> Any:
    from scipy.optimize import OptimizeResult

    first, at = problem.nit, _Iterate(problem, problem.start)
    scale, radius, status = np.zeros(at.x.size), np.inf, 1
    while problem.nit - first < options["maxiter"]:
        at.measure(scale)
        if not (np.isfinite(at.hessian).all() and np.isfinite(at.slopes).all()):
            status = 3
            break
        radius = _first_radius(at, scale) if radius == np.inf else radius
        moved, radius = _moved(at, radius, options["gtol"])
        if moved is None:
            status = 0 if at.steepest <= options["gtol"] else 2
            break
        at = moved
        problem.iterated(at.x)
        if np.max(np.abs(at.x)) > _FAR * max(1.0, float(np.max(np.abs(problem.x0)))):
            status = 2
            break
    message = _MESSAGES[status]
    return OptimizeResult(x=at.x, fun=at.value, success=status == 0, status=status, message=message, nit=problem.nit)


_MESSAGES = {
    0: "The gradient is below gtol.",
    1: "Maximum number of iterations has been exceeded.",
    2: "No step that makes the value smaller was found.",
    3: "The Hessian is not finite.",
}


_TRIALS = 100
"""So many times a radius shrinks, to a half at least, before nothing is left of it."""


_LEAST = 1e-140
"""A radius whose square is 0 is none: at a kink at 0 steps become ever shorter."""


@dataclass(frozen=True)
class _Step:
    """A step to `x`, in the units of the region `z`, and how much lower the quadratic is there."""

    x: np.ndarray
    z: np.ndarray
    slope: float
    promise: float
    length: float


class _Iterate:
    """A point with its value and gradient, and what is measured there: the quadratic in the units of the region."""

    def __init__(self, problem: Problem, x: np.ndarray) -> None:
        self.problem, self.x = problem, x
        self.value, self.gradient = problem.fun(x), problem.jac(x)
        self.steepest = float(np.max(np.abs(self.downhill)))

    @property
    def downhill(self) -> np.ndarray:
        """The gradient, shape (n,), cut to the distance from the bound that it points to."""
        limits = self.problem.limits
        return self.gradient if limits is None else limits.projected(self.x, self.gradient)

    def measure(self, scale: np.ndarray) -> None:
        """Take the Hessian; `scale`, shape (n,), becomes the largest sqrt(|H_ii|) so far."""
        hessian = self.problem.hess(self.x)
        with np.errstate(all="ignore"):  # what is not finite ends the run
            np.maximum(scale, np.sqrt(np.abs(hessian.diagonal())), out=scale)
            self.unit = 1.0 / np.where(scale > 0, scale, 1.0)
            self.slopes = self.gradient * self.unit
            self.hessian = hessian * self.unit * self.unit[:, None]

    def step(self, radius: float) -> _Step:
        """Return the step for a radius, within the bounds."""
        limits = self.problem.limits
        if limits is None:
            z = step_in_ball(self.slopes, self.hessian, radius)
            x = self.x + self.unit * z
        else:
            box = (limits.lower - self.x) / self.unit, (limits.upper - self.x) / self.unit
            z = step_in_box(self.slopes, self.hessian, radius, box)
            x = np.clip(self.x + self.unit * z, limits.lower, limits.upper)
        slope = float(self.slopes @ z)
        return _Step(x, z, slope, -(slope + float(z @ self.hessian @ z) / 2), float(np.sqrt(z @ z)))


def _first_radius(at: _Iterate, scale: np.ndarray) -> float:
    """Return the length of the steepest step, or where there is no slope a tenth of the parameters, or 1."""
    lengths = (np.linalg.norm(at.slopes), 0.1 * np.linalg.norm(scale * np.maximum(np.abs(at.x), 1.0)))
    return float(next((length for length in lengths if length > 0), 1.0))


def _moved(at: _Iterate, radius: float, gtol: float) -> tuple[_Iterate | None, float]:
    """Return the next iterate, None where there is none or need be none, and the radius to go on with."""
    problem = at.problem
    for _ in range(_TRIALS):
        if radius < _LEAST:
            return None, radius
        step = at.step(radius)
        is_loose = gtol > gradient_tolerance(problem)  # what the user set is all that is asked
        if at.steepest <= gtol and (is_loose or _is_nothing(at, step.promise)):
            return None, radius
        if np.array_equal(step.x, at.x) or not step.promise > 0:
            return None, radius
        new = _Iterate(problem, step.x)
        fall, noise = at.value - new.value, _ROUNDING * abs(at.value)
        if step.promise <= noise and abs(fall) <= noise and problem.is_defined(new.x):
            # values are rounding: the gradient decides
            before, after = (float(np.max(np.abs(one.downhill * at.unit))) for one in (at, new))
            return (new if after <= before / 2 else None), radius
        ratio = fall / step.promise
        if not ratio >= _POOR:
            radius = min(radius, step.length) * _shrunk(fall, step.slope)
        elif ratio > _GOOD:
            radius = min(max(radius, _GROWTH * step.length), _LARGEST)
        if ratio > _ACCEPTED:
            return new, radius
    return None, radius


def _is_nothing(at: _Iterate, promise: float) -> bool:
    """Whether what a Newton step promises is nothing beside the value, or beside that at x0."""
    return promise <= max(_PROMISE * abs(at.value), _EXACT * abs(at.problem.initial_value))


def _shrunk(fall: float, slope: float) -> float:
    """Return what part of the step remains: to where a parabola through both values is lowest, a tenth to a half."""
    bend = -fall - slope  # the value at the end, above the tangent
    return float(np.clip(-slope / (2 * bend), 0.1, 0.5)) if np.isfinite(bend) and bend > 0 else 0.25
