"""Verification of constraints: values and derivatives against the user's functions, at x0 and at the solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt import differences
from autoopt.check import verify_jacobian
from autoopt.constraints.constraint import Constraint
from autoopt.errors import VerificationError
from autoopt.origin import definition
from autoopt.stages import during
from autoopt.users_code import NO_VALUE
from autoopt.verification.secants import SLOPE_TOLERANCE


@during("comparing the constraints with the user's functions")
def verify_constraints(
    constraints: list[Constraint], x: np.ndarray, mode: str | bool = "start", limits: Any = None
) -> None:
    """Compare values and Jacobians of constraints at `x` with the user's functions, unless `mode` is "off".

    What is compiled or given is evaluated within `limits`, if there are any.

    Raises
    ------
    VerificationError
        If one is wrong, with its name and the largest difference.
    """
    functions = [] if mode in ("off", False) else [constraint.function for constraint in constraints]
    for function in functions:
        if function.is_compared:
            verify_jacobian(function, x, limits)
        if function.supplies_second:
            verify_curvature(function, x)


def refuse_wrong_jacobians(constraints: list[Constraint], x: np.ndarray, result: Any, limits: Any = None) -> None:
    """Have `result` be no success where a Jacobian that the user gives is not the constraint's at the solution `x`.

    One that agrees at x0 may not elsewhere: a square's slope that is that of a line through x0.
    """
    for constraint in constraints:
        function = constraint.function
        if not result.success or function.given_jac is None:
            continue
        try:
            verify_jacobian(function, x, limits)
        except VerificationError as error:
            message = f"Not verified at the solution. {error.happened} To fix this: {error.remedy}"
            result.update(success=False, status=_WRONG, message=f"{message} ({result.message})")
        except NO_VALUE:
            continue  # what raises beside the solution says nothing of the slope there


_WRONG = 204


def verify_curvature(function: Any, x: np.ndarray) -> None:
    """Compare the user's second derivatives of a constraint with differences of the Jacobian, along one direction."""
    rng = np.random.default_rng(4)
    v = rng.uniform(0.5, 1.0, function.count or 0) * rng.choice([-1.0, 1.0], function.count or 0)
    p = differences.step_scale(x) * rng.uniform(-1.0, 1.0, x.size)
    given = function.hessp(x, v, p)
    numerical, error = differences.hessp(lambda y: np.asarray(v @ function.jacobian(y)).reshape(-1), x, p)
    distance = np.abs(given - numerical)
    if (distance <= 5 * np.max(error) + SLOPE_TOLERANCE * np.max(np.abs(numerical), initial=1e-8)).all():
        return
    i = int(np.argmax(distance))
    raise VerificationError(
        f"hess of {function.name} is wrong: times a direction it gives {given[i]:.10g} for "
        f"{function.structure.names[i]}, but differences of the Jacobian give {numerical[i]:.10g}.",
        definition(function.given_hess),
        "let hess(x, v) return the sum of v[k] times the Hessian of value k, or leave it out for the exact one.",
    )
