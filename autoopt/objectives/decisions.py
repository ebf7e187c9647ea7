"""Loops whose decisions may carry what they find: the derivatives of a path against the objective's values.

A value that depends on parameters through comparisons, signs or saturated functions alone has no slope on the tape, and
what a search leaves where it is flat, such as a minimum, has a slope but no curvature. Where such a loop ends in a root
that was recognised, its derivatives are on the tape; this sees to it that they are, or that the loop is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.errors import Location, TracingError
from autoopt.graph.kinds import KINDS
from autoopt.objectives.paths import Path
from autoopt.tape.searches.comparisons import COMPARISONS

_NARROW = 2.0**-8
"""The first step of differences of a function that may be known to a tolerance only."""

_WIDTHS = (1.0, 0.65, 0.7, 0.85)
"""Multiples of it that are tried in turn: at some point the objective may not be defined."""

_POINTS = 3
"""Number of points at which a path is compared: what decisions carry may count for nothing at some."""

_DECIDED = (
    "The objective finds a number by decisions, which have no derivative",
    "find the number with scipy.optimize.brentq (a minimum as the root of the slope), end with two Newton steps "
    "(v = v - f(v) / df(v), twice), or pass jac='finite-difference'.",
)
UNFOLLOWED = (
    "The objective makes a text or a whole number of its parameters, and what it finds by that has no derivative",
    "compute the value anew in each call, or look it up by data alone; search by brentq; or "
    "pass jac='finite-difference'.",
)


def wants(path: Path, kind: str) -> bool:
    """Whether derivatives of a kind are still to be compared on a path: a few times for each order."""
    order, tape = KINDS[kind].order, path.trace.tape
    if not order or KINDS[kind].of_array or path.orders.get(order, 0) >= _POINTS:
        return False
    return bool(tape.decided or (tape.unfollowed and order == 2))


def compare(values: Callable, path: Path, kind: str, x: np.ndarray, found: Any, *direction: np.ndarray) -> None:
    """Raise if the first, or second, derivative that was found at `x` is not what `values` show along one direction.

    Nothing is said where the values have no such derivative, the same ahead and behind.

    Raises
    ------
    TracingError
        With the line that decides.
    """
    order, tape = KINDS[kind].order, path.trace.tape
    precise = order not in path.orders and (tape.caught or _compares(tape))
    path.orders[order] = path.orders.get(order, 0) + 1
    along = direction[0] if direction else np.random.default_rng(0).normal(size=x.size)
    scale = np.linalg.norm(along / differences.step_scale(x))
    derivative = KINDS[kind].derivative(found)
    derivative = along @ derivative if order == 2 and not direction else derivative
    derived = float(float(derivative @ along) / scale**order)
    if not np.isfinite(derived):
        return
    what, shown = {1: ("slope", slope), 2: ("second derivative", curvature)}[order]
    with np.errstate(all="ignore"):
        right = shown(values, x, along / scale, derived, precise)
    if right is None:
        return
    path.orders.clear()
    (happened, remedy), place = (_DECIDED, tape.decided) if tape.decided else (UNFOLLOWED, next(iter(tape.unfollowed)))
    raise TracingError(
        f"{happened}: along one direction its values have {what} {right:.6g}, what is derived {derived:.6g}.",
        Location.of_instruction(*place),
        remedy,
    )


def _compares(tape: Any) -> bool:
    """Whether the place that decides does so by comparisons; they alone are asked for the last digit."""
    return any(step.site == tape.decided and step.operation in COMPARISONS for step in tape.steps)


def slope(f: Callable, x: np.ndarray, direction: np.ndarray, derived: float, precise: bool = True) -> float | None:
    """Return the slope of the values along `direction` if it is surely not the derived one, else None.

    Four values suffice where they agree with it. Else the slopes ahead and behind must agree, and, to be `precise`,
    differences from two first steps on with one another, ten times better than with what is derived: near a kink, and
    where a search ends at a tolerance, differences tell little.
    """
    wide, narrow = (differences.secant(f, x, direction, h) for h in (_NARROW, _NARROW / 2))
    if abs((4 * narrow - wide) / 3 - derived) <= 0.05 * abs(wide - narrow) + 1e-7 * abs(narrow):
        return None
    for part in _WIDTHS:
        ahead, behind, rough = differences.one_sided(f, x, direction, part * _NARROW)
        if np.isfinite(rough):
            break
    if not abs(ahead - behind) <= 4 * rough + 1e-2 * abs(ahead):
        return None
    if abs(derived - ahead) > 10 * rough + 1e-2 * abs(ahead):
        return ahead
    if not precise or not _is_smooth(f, x, direction, abs(ahead) + abs(derived)):
        return None
    found = [differences.directional(f, x, part * direction) for part in (1.0, 0.15)]
    (one, error), (other, another) = found[0], (found[1][0] / 0.15, found[1][1] / 0.15)
    off = min(abs(one - derived), abs(other - derived))
    return one if off > 10 * (abs(one - other) + error + another) + 1e-6 * (abs(one) + abs(derived)) else None


def _is_smooth(f: Callable, x: np.ndarray, direction: np.ndarray, steep: float) -> bool:
    """Whether f(x) is that of the function close by: central differences do not ask for it."""
    here, h = float(differences.value_at(f, x)), 2.0**-16
    return abs(_second(f, x, here, h * direction)) <= 1e-3 * h * steep + 1e-14 * abs(here)


def curvature(f: Callable, x: np.ndarray, direction: np.ndarray, derived: float, precise: bool = True) -> float | None:
    """Return the second derivative of the values along `direction` if it is surely not the derived one, else None."""
    here = differences.value_at(f, x)
    if not precise and abs(_second(f, x, here, 2.0**-7 * direction) * 2.0**14 - derived) <= 1e-3 * abs(derived):
        return None
    steps = 2.0 ** -np.arange(4.0, 8.0)
    ends = [(differences.value_at(f, x + h * direction), differences.value_at(f, x - h * direction)) for h in steps]
    rows = [float(ahead - 2 * here + behind) / h**2 for (ahead, behind), h in zip(ends, steps, strict=True)]
    first, second, third = ((4 * below - above) / 3 for above, below in pairwise(rows))
    error = abs(first - second) + abs(second - third) + 1e-15 * abs(float(here)) / steps[-1] ** 2
    off = abs(third - derived)
    if not off > 10 * error + 1e-5 * (abs(third) + abs(derived)):
        return None

    def on_one_side(sign: float) -> float:
        near = [differences.value_at(f, x + k * sign * steps[-1] / 2 * direction) for k in (1.0, 2.0, 4.0)]
        fine, coarse = near[1] - 2 * near[0] + here, (near[2] - 2 * near[1] + here) / 4
        return float(2 * fine - coarse) / (steps[-1] / 2) ** 2

    return third if abs(on_one_side(1.0) - on_one_side(-1.0)) <= 0.05 * off else None


def _second(f: Callable, x: np.ndarray, here: Any, step: np.ndarray) -> float:
    return float(differences.value_at(f, x + step) - 2 * here + differences.value_at(f, x - step))
