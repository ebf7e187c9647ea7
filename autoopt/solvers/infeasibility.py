"""Constraints that are not met: which, by how much, and whether any point near by, or any at all, meets them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoopt.solvers.bounds import within
from autoopt.solvers.conditions import DENSE, REMAINS, Conditions
from autoopt.solvers.problem import Stuck
from autoopt.users_code import NO_VALUE
from autoopt.wording import listed

_MOST = 200
_SHARE = 1e-3
_LEFT = 1e-5
_NAMED = 4


@dataclass(frozen=True)
class Nearest:
    """Where constraints are missed least: `met` if all are met there, `stationary` if no step from there misses less.

    `missed` is the sum of the squares of what the constraints are missed by, each relative to its size at x0.
    """

    x: np.ndarray
    conditions: Conditions
    met: bool
    stationary: bool
    missed: float


def nearest(problem: Any, x: np.ndarray) -> Nearest | None:
    """Return the point where the constraints are missed least, from `x` or from x0; None if it cannot be looked for.

    From both, so that it is the same whatever the method has made of constraints that cannot be met.
    """
    found = [one for start in (x, problem.x0) if (one := _nearest(problem, start)) is not None]
    least = min(found, key=lambda one: (not one.met, one.missed), default=None)
    for _ in range(_TRIES if x.size <= DENSE else 0):
        ahead = None if least is None or least.met else _tried_aside(problem, least)
        if ahead is None:
            break
        least = ahead
    return least


_TRIES = 3


def _tried_aside(problem: Any, least: Nearest) -> Nearest | None:
    """Return where steps lead from beside a point, along the least curvature of what is missed; None if not farther.

    Where a constraint has no slope, as in the middle of what it excludes, no step of first order leads out.
    """
    missed, slopes, start = _missed(problem, least.x)
    x, unit, limits = least.x, start.unit, problem.limits

    def steepest(y: np.ndarray) -> np.ndarray:
        return unit * np.asarray(slopes(y).T @ missed(y))

    with contextlib.suppress(Stuck, *NO_VALUE):
        here = steepest(x)
        columns = np.array([(steepest(x + _STEP * unit * one) - here) / _STEP for one in np.eye(x.size)])
        bends, directions = np.linalg.eigh((columns + columns.T) / 2)
        if not bends[0] < -_LEVEL * np.max(np.abs(bends)):
            return None
        sides = [
            within(limits, x + side * length * unit * directions[:, 0]) for length in _LENGTHS for side in (1.0, -1.0)
        ]
        lowest = min(sides, key=lambda y: float(np.sum(missed(y) ** 2)))
        if np.sum(missed(lowest) ** 2) < np.sum(missed(x) ** 2):
            return _nearest(problem, lowest)
    return None


_STEP, _LEVEL, _LENGTHS = 1e-5, 1e-6, (1e-1, 1e-2, 1e-3)


def _nearest(problem: Any, x: np.ndarray) -> Nearest | None:
    """Return where steps from `x` lead that miss the constraints less and less.

    Notes
    -----
    Least squares of max(lower - c, 0, c - upper) within the bounds, whose square has a slope everywhere.
    """
    from scipy.optimize import least_squares

    missed, slopes, start = _missed(problem, x)
    limits = problem.limits
    bounds = (-np.inf, np.inf) if limits is None else (limits.lower, np.nextafter(limits.upper, np.inf))
    with contextlib.suppress(Stuck, *NO_VALUE):
        options = {"x_scale": start.unit, "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": _MOST}
        found = least_squares(missed, x, slopes, bounds, **options)
        y = within(limits, found.x)
        there = Conditions.at(problem, y)
        left = float(found.fun @ found.fun)
        return Nearest(y, there, there.is_feasible, _is_stationary(found, start.unit), left)
    return None


def _is_stationary(found: Any, unit: np.ndarray) -> bool:
    """Whether what is missed falls along no step within the bounds, but for a small part of its slopes."""
    jacobian = found.jac * unit if not hasattr(found.jac, "multiply") else found.jac.multiply(unit[None, :])
    terms = np.append(abs(jacobian).T @ np.abs(found.fun), np.abs(found.fun))  # slopes relative to their sizes were 1
    free = found.active_mask == 0
    slopes = np.abs(np.asarray(found.grad) * unit)
    return bool((slopes[free] <= _LEFT * np.max(terms)).all())


def _missed(problem: Any, x: np.ndarray) -> tuple[Callable, Callable, Conditions]:
    """Return what the constraints are missed by, relative to sizes, and its slopes, as functions; and what `x` is."""
    start = Conditions.at(problem, x)
    count = sum(start.counts)
    sizes = np.where(start.floors > 0, start.floors / REMAINS, 1.0)

    def at(y: np.ndarray) -> Conditions:
        return Conditions.at(problem, y)

    def missed(y: np.ndarray) -> np.ndarray:
        return (-at(y).missed / sizes)[:count]

    def slopes(y: np.ndarray) -> Any:
        there = at(y)
        rows = (np.where(there.missed != 0, 1.0, 0.0) / sizes)[:count]
        own = there.slopes[:count]
        return own.multiply(rows[:, None]).tocsr() if hasattr(own, "tocsr") else own * rows[:, None]

    return missed, slopes, start


def what_is_missed(problem: Any, conditions: Conditions) -> str:
    """Return the sentences on the rows that are violated, the worst first; empty if none is."""
    order = np.argsort(-conditions.violation)
    worst = float(np.max(conditions.violation, initial=0.0))
    rows = [int(k) for k in order if conditions.violation[k] > max(_SHARE * worst, 1e-8)]
    sentences = []
    for k in rows[:_NAMED]:
        value, lower, upper = conditions.values[k], conditions.lower[k], conditions.upper[k]
        wanted = f"{lower:g} <= c <= {upper:g}"
        entry = row_name(problem, conditions, k)
        sentences.append(f"{entry} is not met there: it is {value:.6g}, where {wanted}.")
    more = f" {len(rows) - _NAMED} more are not met." if len(rows) > _NAMED else ""
    return " ".join(sentences) + more


def row_name(problem: Any, conditions: Conditions, k: int) -> str:
    """Return what a message calls a row: a value of a constraint, or the bound of a parameter."""
    start = 0
    for one in problem.constraints:
        if k < start + one.count:
            entry = one.entry(k - start)
            return entry.replace("value", "Value", 1) if entry.startswith("value [") else entry
        start += one.count
    names = problem.names or [f"x[{i}]" for i in range(problem.x0.size)]
    return f"The bound of {names[conditions.bounded[k - start]]}"


def contradiction(problem: Any, conditions: Conditions) -> str | None:
    """Return in words which linear constraints and bounds exclude each other; None if these can all be met.

    Notes
    -----
    Linear programming on the least sum of what the rows are missed by, relative to their sizes; the rows that have a
    price there make up, weighted by it, an inequality that no point meets (Farkas).
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    linear = np.concatenate([*(_affine(problem, one) for one in problem.constraints)])
    linear = np.concatenate([linear, np.ones(conditions.bounded.size, bool)])
    matrix = csr_array(conditions.slopes)
    level = conditions.values - matrix @ conditions.x
    low = np.flatnonzero(linear & np.isfinite(conditions.lower))
    high = np.flatnonzero(linear & np.isfinite(conditions.upper))
    rows, signs = np.concatenate([low, high]), np.concatenate([np.ones(low.size), -np.ones(high.size)])
    if not rows.size:
        return None
    limit = np.concatenate([conditions.lower[low], -conditions.upper[high]])
    weights = signs / conditions.sizes[rows]
    left = hstack([-matrix[rows].multiply(weights[:, None]), -eye_array(rows.size)], format="csr")
    right = weights * level[rows] - limit / conditions.sizes[rows]
    n = problem.x0.size
    found = linprog(
        np.concatenate([np.zeros(n), np.ones(rows.size)]), vstack([left]), right,
        bounds=[(None, None)] * n + [(0, None)] * rows.size, method="highs",
    )  # fmt: skip
    if found.status != 0 or not found.fun > 1e-7:
        return None
    priced = rows[np.abs(found.ineqlin.marginals) > 1e-7]
    names = list(dict.fromkeys(row_name(problem, conditions, int(k)) for k in sorted(priced)))
    names = [name[0].lower() + name[1:] for name in names]
    return f"{listed(names)} contradict each other: no point meets {'both' if len(names) == 2 else 'all'} of them."


def _affine(problem: Any, one: Any) -> np.ndarray:
    """Return which values of a constraint are linear, by its matrix or by slopes and values at points at random."""
    linear = np.ones(one.count, bool)
    if one.function.linear:
        return linear
    rng = np.random.default_rng(11)
    x = problem.x0
    with contextlib.suppress(*NO_VALUE):
        slopes, value = one.slopes(x), one.value(x)
        for _ in range(2):
            step = np.maximum(np.abs(x), 1.0) * rng.uniform(-2.0, 2.0, x.size)
            size = np.abs(slopes) @ (np.abs(x) + np.abs(step)) + np.abs(value)
            linear &= (one.slopes(x + step) == slopes).all(axis=1)
            linear &= np.abs(one.value(x + step) - value - slopes @ step) <= 1e-12 * size
        return linear
    return np.zeros(one.count, bool)
