"""Derivatives that the user gives, compared at a point beside x0 as well.

At x0 a slope of 0 may hide that they are wrong: any factor times 2 x is right at x = 0. Where no slope is 0 there, x0
tells enough, and the solution is compared later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import numpy as np

from autoopt.check import remedy, verify_jacobian, verify_solution
from autoopt.check_constraints import verify_curvature
from autoopt.constraints.constraint import Constraint
from autoopt.constraints.summed import Summed
from autoopt.errors import VerificationError
from autoopt.origin import definition
from autoopt.stages import during
from autoopt.users_code import NO_VALUE

_SHARES = 0.25, 2.0**-6
"""How far beside x0, in parts of the parameters' sizes; the second where the first is not defined."""

_HIDDEN = 1e-6
"""A slope of this part of the largest one shows nothing."""

_BESIDE = " This shows beside x0; at x0 itself slopes of 0 hide it."


@during("comparing derivatives that were given")
def verify_given_gradient(objective: Any, x: np.ndarray, gradient: np.ndarray, limits: Any = None) -> None:
    """Compare the user's gradient of `objective` beside `x`, where it is `gradient`."""
    given = getattr(objective, "given_jac", None)
    if given is None or not _hides(gradient, x):
        return

    def compared(y: np.ndarray) -> None:
        found = verify_solution(objective, y, 1.0, limits)
        if not found.passed and np.isfinite(found.secant):
            raise VerificationError(found.message + _BESIDE, definition(given), remedy(given))

    _first_defined(compared, _places(x, limits))


def verify_given_jacobian(function: Any, x: np.ndarray, limits: Any = None) -> None:
    """Compare the user's Jacobian of constraints or residuals, and their Hessian, beside `x`.

    Raises
    ------
    VerificationError
        If one is wrong there.
    """
    if function.given_jac is None and not getattr(function, "supplies_second", False):
        return
    function = copy(function)  # which keeps its counts, and the values at x0
    slopes = function.jacobian(x)
    if not _hides(slopes.toarray() if hasattr(slopes, "toarray") else slopes, x):
        return

    def compared(y: np.ndarray) -> None:
        if not np.isfinite(function.original(y)).all():
            raise ArithmeticError
        if function.given_jac is not None and not verify_solution(Summed(function, y), y, 1.0, limits).passed:
            _beside(verify_jacobian, function, y)
        if getattr(function, "supplies_second", False):
            _beside(verify_curvature, function, y)

    _first_defined(compared, _places(x, limits))


@during("comparing derivatives that were given")
def verify_given_constraints(constraints: list[Constraint], view: Any) -> None:
    """Compare what the user gives for `constraints` beside the start of a View, as functions of what is moved."""
    own, z = view.compared(constraints)
    for constraint in own:
        verify_given_jacobian(constraint.function, z, view.compared_limits)


def _beside(verify: Callable, function: Any, y: np.ndarray) -> None:
    try:
        verify(function, y)
    except VerificationError as error:
        raise VerificationError(error.happened + _BESIDE, error.where, error.remedy) from None


def _hides(slopes: np.ndarray, x: np.ndarray) -> bool:
    """Whether a slope along a parameter is about 0, times the size of this."""
    sizes = np.abs(slopes) * _sizes(x)
    return bool((sizes <= _HIDDEN * np.max(sizes, initial=0.0)).any())


def _sizes(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, 1.0, np.abs(x))


def _places(x: np.ndarray, limits: Any) -> Iterator[np.ndarray]:
    """Yield points beside `x` and within its limits."""
    rng = np.random.default_rng(6)
    step = _sizes(x) * rng.uniform(0.5, 1.0, x.size) * rng.choice([-1.0, 1.0], x.size)
    for share in _SHARES:
        y = x + share * step
        if limits is not None:
            y = np.where((y < limits.lower) | (y > limits.upper), x - share * step, y)
            y = np.clip(y, limits.lower, limits.upper)
        yield y


def _first_defined(compared: Callable, places: Iterator[np.ndarray]) -> None:
    """Compare at the first place where nothing else raises."""
    for y in places:
        try:
            with np.errstate(all="ignore"):
                return compared(y)
        except VerificationError:
            raise
        except NO_VALUE:
            continue
    return None
