"""Whether f falls from a point where its gradient vanishes: a saddle or a maximum is no solution.

What costs nothing to compile: differences of gradients give the directions, values the proof. Along directions without
curvature f may fall on one side alone, by a third power.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers.freedom import Free, Tangent, box, freedom

_STEP = 1e-6
_FEWEST_STEPS, _MOST_STEPS = 4, 40
_RISING = 1e-6
_FLAT = 1e-3
"""A curvature below this part of the largest may be none: differences of gradients and a run's early end blur it."""

_GROWTH = 20.0
"""A fall by a third power grows 1000 times when the step grows 10 times; that of a convex function grows 10 times."""

_VISIBLE = 1e-8
"""A fall must come to this part of the largest curvature: less is the rounding of terms that cancel."""

_DENSE = 200


@dataclass(frozen=True)
class Descent:
    """A direction, shape (n,), along which f falls from a stationary point; on both sides if it is `curved`."""

    direction: np.ndarray
    curved: bool


def falling(problem: Any, x: np.ndarray) -> Descent | None:
    """Return how f falls from the stationary point `x`, None if that does not show.

    Notes
    -----
    The direction of least curvature is that of the Hessian, or of Lanczos steps on products with it, in units of
    max(|x_i|, 1): exact where the method has compiled them, else differences of gradients. Under constraints it is
    the Lagrangian's, on the plane that touches what is active. It counts if second differences of the *values* along
    it are negative at two lengths of step. A run that did not move pays at most 40 products; others a tenth of the
    evaluations that they had made, and 4 at least: from a point that the solver went down to, f falls in symmetric
    cases alone. Along directions whose curvature is about 0 values show whether f falls on one side.
    """
    free = freedom(problem, x)
    if free is None or not np.isfinite(free.value):
        return None
    affordable = _MOST_STEPS if problem.nit <= 1 else max(_FEWEST_STEPS, problem.nfev // 10)
    curvatures, directions = _curvatures(problem, free, min(free.size, affordable, _MOST_STEPS))
    if not len(curvatures):
        return None
    if curvatures[0] <= _RISING * curvatures[-1]:
        direction = free.along(directions[0])
        if _falls(free, direction):
            return Descent(direction, True)
    one_sided = _down_one_side(free, curvatures, directions, affordable)
    return None if one_sided is None else Descent(one_sided, False)


def _curvatures(problem: Any, free: Free | Tangent, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return curvatures, ascending, and their directions (k, m) in the coordinates of `free`; none if not finite."""
    x = free.x
    if problem.second == "hess" and x.size <= _DENSE:
        hessian, basis = problem.hess(x), np.eye(free.size)
        units = (free.along(unit) for unit in basis)
        projected = np.array([free.of(hessian @ unit - free.bent(unit)) for unit in units])
    else:
        projected, basis = _krylov(problem, free, steps)
    if not (len(basis) and np.isfinite(projected).all()):
        return np.zeros(0), np.zeros((0, free.size))
    curvatures, directions = np.linalg.eigh((projected + projected.T) / 2)
    return curvatures, directions.T @ basis


def _krylov(problem: Any, free: Free | Tangent, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the Hessian on the directions of `steps` Lanczos steps, (k, k), and these directions, (k, m)."""
    rng = np.random.default_rng(0)
    basis, products = np.zeros((0, free.size)), np.zeros((0, free.size))
    gradient = problem.jac(free.x)
    ahead = rng.normal(size=free.size)
    for _ in range(steps):
        rest = _orthogonal(ahead, basis)
        if not np.linalg.norm(rest) > 1e-8 * np.linalg.norm(ahead):  # the directions so far are closed under H
            rest = _orthogonal(rng.normal(size=free.size), basis)
        unit = rest / np.linalg.norm(rest)
        direction = free.along(unit)
        ahead = free.of(product(problem, free.x, gradient, direction) - free.bent(direction))
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
        h = h if np.array_equal(np.clip(ahead, *box(problem)), ahead) else -h
    return (_slope(problem, x + h * direction) - gradient) / h


def _slope(problem: Any, x: np.ndarray) -> np.ndarray:
    return problem.jac(x if problem.limits is None else np.clip(x, *box(problem)))


def _orthogonal(vector: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return what is left of `vector` beside the rows of `basis`, taken off twice for the sake of rounding."""
    vector = vector - (basis @ vector) @ basis
    return vector - (basis @ vector) @ basis


def _falls(free: Free | Tangent, direction: np.ndarray) -> bool:
    """Whether second differences of f along `direction` (one-sided at a bound) are negative at two lengths of step."""
    direction = direction / np.max(np.abs(direction) / free.unit)

    def bend(h: float) -> float:
        steps = [sign * h * direction for sign in (1, -1)]
        bends = [free.at(step) - free.value - free.gradient @ step for step in steps]
        bends = [bend for bend in bends if not np.isnan(bend)]
        return min(bends, default=0.0) if len(bends) < 2 else sum(bends) / 2

    return any(bend(h) < -free.noise and bend(h / 10) < -free.noise for h in (1e-3, 1e-2))


def _down_one_side(
    free: Free | Tangent, curvatures: np.ndarray, directions: np.ndarray, affordable: int
) -> np.ndarray | None:
    """Return a direction without curvature along which f falls on one side, None if none shows."""
    largest = max(abs(curvatures[0]), abs(curvatures[-1]))
    count = max(1, np.count_nonzero(curvatures <= _FLAT * largest))
    rising = directions[count:], curvatures[count:]
    ways = [free.at]
    if free.straight and len(rising[0]) and affordable >= 2 * _FEWEST_STEPS:
        ways.append(lambda step: _bottom(free, step, *rising))
    for z in _null_directions(directions[:count], min(affordable, _MOST_STEPS) // 4):
        direction = free.along(z)
        direction = direction / np.max(np.abs(direction) / free.unit)
        for ahead in (direction, -direction):
            if any(descends(value, free, ahead, _GROWTH, _VISIBLE * largest) for value in ways):
                return ahead
    return None


def _null_directions(null: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Yield directions in the space of the rows of `null`: two at random, which see any third power, and the rows."""
    random = np.random.default_rng(2)
    if len(null) > 1:
        yield from (random.normal(size=len(null)) @ null for _ in range(2))
    yield from null[: max(1, most)]


def _bottom(free: Free | Tangent, step: np.ndarray, directions: np.ndarray, curvatures: np.ndarray) -> float:
    """Return f beside the end of a step, after a Newton step along the directions in which f rises.

    A valley that is curved falls along its bottom, and rises along every straight line.
    """
    if np.isnan(free.at(step)):
        return np.nan
    slopes = directions @ free.of(free.problem.jac(free.x + step))
    aside = free.along((slopes / curvatures) @ directions)
    if not np.max(np.abs(aside) / free.unit) <= np.max(np.abs(step) / free.unit):  # another valley, or no curvature
        return np.nan
    return free.at(step - aside)


def descends(
    value: Any, free: Any, direction: np.ndarray, growth: float, least: float, lengths: tuple = (1e-2, 1e-3)
) -> bool:
    """Whether f falls ahead along `direction`, more than its slope says, and by no less than `growth` for 10 times.

    Parameters
    ----------
    value : callable
        f at the end of a step, shape (n,), NaN where it has none.
    growth : float
        Above 10 for what falls by a power above the first: no convex function does. About 3 for one with a kink.
    least : float
        The curvature, in the units of `free`, that a fall must exceed.
    lengths : tuple of float
        Of the longer step of each pair. It must be longer than what a stalled run may be from the point where slope and
        curvature vanish.

    Notes
    -----
    Nearer by f may not rise: then `x` is a minimum, if in a narrow hollow.
    """
    slope = free.gradient @ direction

    def fall(h: float) -> tuple[float, float]:
        fallen = free.value - value(h * direction)
        return fallen, fallen + slope * h

    for h in lengths:
        far, far_bend = fall(h)
        if not (min(far, far_bend) > free.noise and far_bend > least * h**2 / 2):
            continue
        near, near_bend = fall(h / 10)
        if not (min(near, near_bend) > free.noise and far >= growth * near):
            continue
        if all(not fall(h / scale)[0] < -free.noise for scale in (100, 1000)):
            return True
    return False
