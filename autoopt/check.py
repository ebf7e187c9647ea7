"""Verification: the compiled value against the original function, the gradient against a numerical secant.

Knows an objective only by its methods; nothing here trusts derived code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.constraints.summed import Summed
from autoopt.errors import AutooptError, ObjectiveError, UsageError, VerificationError
from autoopt.objectives.compared import found_before, remember
from autoopt.objectives.differentiable import Differentiable
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import resumable
from autoopt.origin import definition
from autoopt.stages import during
from autoopt.verification import (
    AT_THE_START,
    CONCLUSIVE,
    SINGLE_TOLERANCE,
    SLOPE_FLOOR,
    SLOPE_TOLERANCE,
    SOLUTION_STEP,
    VALUE_TOLERANCE,
    Evaluated,
    Verification,
    compared,
    directions,
    extrapolated,
    fine,
    is_same_value,
    nears,
    units,
)

_EPSILON = np.finfo(np.float64).eps
_REMEDY = (
    "if the objective reads anything that changes between calls (files, random numbers, counters), pass that through "
    'args; else pass jac="finite-difference", and report this objective as a bug of autoopt.'
)
_CORRECT = "correct jac, or leave it out: the exact derivatives are derived."


def remedy(given_jac: Any) -> str:
    """Return what to do about a wrong slope: the user's own is theirs to correct."""
    return _REMEDY if given_jac is None else _CORRECT


@during("comparing with the original function")
def verify(
    objective: Differentiable, x: np.ndarray, mode: str | bool = "start", evaluated: Evaluated | None = None
) -> Verification | None:
    """Return the comparison at `x`, flat, shape (n,); None if `mode` is "off" or False.

    `evaluated` is value and gradient there, if they are known.

    Raises
    ------
    VerificationError
        If the value or the gradient is wrong, saying which.
    ObjectiveError
        If the objective is not finite at `x`.
    UsageError
        If `mode` is none of "start", "off", False.
    """
    if not is_on(mode):
        return None
    evaluated = evaluated or objective.value_and_grad(x)
    found = _seen_again(objective, x, evaluated) or compare(objective, x, evaluated=evaluated)
    if not found.passed:
        raise VerificationError(found.message, remedy=remedy(getattr(objective, "given_jac", None)))
    if isinstance(objective, Objective):
        objective.is_verified = found.conclusive
        if found.conclusive:
            remember(objective, x, *evaluated, found)
    return found


def is_on(mode: str | bool) -> bool:
    """Whether `verify=` asks for a comparison; UsageError if it is not understood."""
    if mode not in ("off", False, "start", True):
        raise UsageError(f"verify={mode!r} is not understood.", remedy='pass verify="start" or verify="off".')
    return mode not in ("off", False)


def _seen_again(objective: Any, x: np.ndarray, evaluated: Evaluated) -> Verification | None:
    """Return the comparison at `x` of code that was verified before, with other data or at another start.

    It takes two calls of the original, or four; none where the code gives what it gave when it was compared at `x`:
    that the function itself is still the same is seen at the solution. None where that does not settle it.
    """
    if not getattr(objective, "is_verified", False):
        return None
    if (known := found_before(objective, x, *evaluated)) is not None:
        return known
    original = objective.original(x)
    if not np.isfinite(original):
        return None
    p = directions(objective, x, np.random.default_rng(0))
    for secant, error in AT_THE_START:
        found = compared(secant(objective.original, x, p, original), p, evaluated, original, 0.0)
        if found.passed and found.secant_error <= error * abs(found.secant):
            numbers = f"slope {found.slope:.10g} along a direction where the original function has {found.secant:.10g}"
            return replace(found, message=f"The value and the gradient agree with the original function ({numbers}).")
    return None


def compare(
    objective: Any,
    x: np.ndarray,
    seed: int = 0,
    place: str = "x0",
    floor: float = 0.0,
    evaluated: Evaluated | None = None,
) -> Verification:
    """Return how value and gradient of `objective` at `x`, called `place`, compare with its original function.

    Values are compared relative to `floor`, too, and slopes to 1e-7 of it. `evaluated` is value and gradient at `x`, if
    they are known.
    """
    rng = np.random.default_rng(seed)
    original, (compiled, gradient) = objective.original(x), evaluated or objective.value_and_grad(x)
    require_finite(objective, original)
    value_error = abs(compiled - original)
    allowed = SINGLE_TOLERANCE if objective.single else VALUE_TOLERANCE
    tolerance = allowed * max(abs(original), floor)
    if not value_error <= tolerance:
        if (again := objective.original(x)) != original and not np.isnan(again):
            message = f"The objective gives different values for the same parameters: {original!r}, then {again!r}."
            return Verification(False, value_error, message=message)
        if not value_error <= tolerance + 100 * _roughness(objective.original, x, original, rng):
            message = (
                f"The value of the compiled objective is wrong: {compiled!r}, but the original gives {original!r}."
            )
            return Verification(False, value_error, message=message)
    if not np.isfinite(gradient).all():
        i = int(np.argmin(np.isfinite(gradient)))
        raise ObjectiveError(
            f"The gradient is {gradient[i]} at {place} along {objective.structure.names[i]}.",
            remedy="start from a point where the objective has a slope.",
        )
    if closer := objective.closer(x):
        found = _compare_solved(objective, x, closer, rng)
        if found.passed:
            return replace(found, value_error=value_error)
    found = replace(_compare_slopes(objective, x, rng, floor=floor), value_error=value_error)
    return found if found.passed else _look_again(objective, x, found, rng, place, floor)


@during("comparing with the original function")
def verified_solution(
    objective: Any,
    x: np.ndarray,
    result: Any,
    start: Verification,
    initial: float,
    limits: Any = None,
    evaluated: Callable | None = None,
) -> Verification:
    """Return `start`, the solution `x` compared too; where that does not pass, its own, and `result` is no success.

    Values and slopes that do not matter beside `initial`, the value at x0, up to 1, are not looked at: where little is
    left of an objective, its terms have cancelled, in the original more than in the stabilised code. Where the original
    raises beside the solution the slope says nothing; one that is not defined at the solution itself is no success.
    """
    try:
        at_x = (evaluated or objective.value_and_grad)(x)
        found = verify_solution(objective, x, min(1.0, abs(initial)), limits, at_x)
    except (ArithmeticError, ValueError, RuntimeError, AutooptError):
        return start
    if found.passed:
        return replace(start, at_solution=True)
    said = f"Not verified at the solution. {found.message}"
    if np.isfinite(found.value_error):  # else the original has no value there, and no slope to be wrong
        said += f" To fix this: {remedy(getattr(objective, 'given_jac', None))}"
    result.update(message=f"{said} ({result.message})" if result.success else f"{result.message} {said}", success=False)
    return replace(found, at_solution=True)


def verify_solution(
    objective: Any, x: np.ndarray, floor: float, limits: Any = None, evaluated: Evaluated | None = None
) -> Verification:
    """Return the comparison of value and slope with the original at the solution `x`, flat, shape (n,).

    It takes three calls of the original, or seven; one where the code gives what it gave when it was compared at `x`.
    Only where these do not fit, as beside a kink or where the objective is rough, all of `compare` is done. Entries
    within a step of their `limits` are left where they are. The last call of the original is that at `x`, if all fits.
    """
    at_x: Evaluated = evaluated or objective.value_and_grad(x)
    known, measured = found_before(objective, x, *at_x), None
    if known is None:
        if objective.closer(x):
            return compare(objective, x, 2, "the solution", floor, at_x)
        p = directions(objective, x, np.random.default_rng(2))
        if limits is not None:
            room = np.minimum(x - limits.lower, limits.upper - x)
            p = np.where(room > SOLUTION_STEP * np.abs(p), p, 0.0)
        measured = fine(objective.original, x, p, at_x[0])
    try:
        original = objective.original(x)
    except Exception as error:
        return Verification(False, message=f"There the original function raises {type(error).__name__}: {error}.")
    if np.isnan(original) and np.isfinite(at_x[0]):
        return Verification(
            False, message="There the original function is NaN, and only the code derived from it is not."
        )
    if known is not None and is_same_value(at_x[0], original, floor):
        return known
    for secant in (measured, None) if measured else ():
        found = compared(secant or extrapolated(objective.original, x, p, original), p, at_x, original, floor)
        if found.passed:
            if p.all() and np.isfinite(found.secant):
                remember(objective, x, *at_x, found)
            return found
    return compare(objective, x, 2, "the solution", floor, at_x)


def require_finite(objective: Differentiable, value: float) -> None:
    """Raise ObjectiveError if `value`, the objective at x0, is NaN or infinite; what is wrong in its data is named."""
    if np.isfinite(value):
        return
    from autoopt.objectives.suspects import not_finite

    if lines := not_finite(objective.function, objective.args):
        raise ObjectiveError(
            "\n".join([f"The objective is {value} at x0, and its data hold values that are not finite:", *lines]),
            remedy="leave these rows out (np.isfinite finds them) or put numbers in their place.",
        )
    raise ObjectiveError(
        f"The objective is {value} at x0.",
        remedy="start from a point where it is finite, or see which term is not by calling it on x0 yourself.",
    )


def _compare_slopes(
    objective: Differentiable, x: np.ndarray, rng: Any, scale: Any = 1.0, roughness: float = 0.0, floor: float = 0.0
) -> Verification:
    """Return the comparison of the gradient with a secant along a random direction that no cancellation hides."""
    value, gradient = objective.value_and_grad(x)
    signs = np.where(gradient == 0, rng.choice([-1.0, 1.0], x.size), np.sign(gradient))
    p = scale * signs * rng.uniform(0.5, 1.0, x.size) * units(objective, x)
    slope = float(gradient @ p)
    secant, error = differences.directional(objective.original, x, p, SLOPE_TOLERANCE / 10, roughness)
    size = max(abs(secant), float(np.abs(gradient) @ np.abs(p)))
    allowance = 5 * error + SLOPE_TOLERANCE * size + SLOPE_FLOOR * floor * np.max(scale)
    passed = not abs(slope - secant) > allowance
    conclusive = bool(allowance <= CONCLUSIVE * max(size, 1e-4 * np.max(scale) * abs(value)))
    if (
        passed and not conclusive
    ):  # at a stationary point the slope is 0, and so may be the value: compare with the rise
        conclusive = bool(allowance <= CONCLUSIVE * _rise(objective.original, x, p, value))
    source = objective.gradient_source
    numbers = f"{slope:.10g} along a direction where the original function has slope {secant:.10g} +- {error:.1e}"
    if not passed:
        message = f"The {source} is wrong: {numbers}."
    elif conclusive:
        message = f"The value and the gradient agree with the original function (slope {numbers})."
    else:
        message = f"The value agrees; the gradient could not be checked well, as the objective is rough: {numbers}."
    return Verification(passed, np.nan, slope, secant, error, False, conclusive, p, message)


def _compare_solved(objective: Differentiable, x: np.ndarray, closer: Callable, rng: Any) -> Verification:
    """Return the comparison of the gradient with a secant of values whose equations are solved `closer`.

    What the objective's own secant is off is left for the tolerance that it asks for.
    """
    gradient = objective.value_and_grad(x)[1]
    signs = np.where(gradient == 0, rng.choice([-1.0, 1.0], x.size), np.sign(gradient))
    p = signs * rng.uniform(0.5, 1.0, x.size) * units(objective, x)
    slope, size = float(gradient @ p), float(np.abs(gradient) @ np.abs(p))
    secant, spread = extrapolated(closer, x, p)
    error = spread
    if abs(slope - secant) > error + SLOPE_TOLERANCE * size:
        error += 2 * abs(extrapolated(objective.original, x, p)[0] - secant)
    passed = abs(slope - secant) <= error + SLOPE_TOLERANCE * size
    numbers = f"{slope:.10g} along a direction where the equations, solved closer, give {secant:.10g} +- {error:.1e}"
    message = f"The value agrees with the original function, and the gradient to the tolerance: {numbers}."
    return Verification(bool(passed), np.nan, slope, secant, error, False, True, p, message)


def _rise(f: Callable, x: np.ndarray, p: np.ndarray, value: float) -> float:
    """Return the mean of |f(x + h p) - f(x)| / h at the first step of `differences`, 0 where f is not finite."""
    h = differences.FIRST_STEP
    rises = np.array([np.abs(differences.value_at(f, x + side * h * p) - value) / h for side in (1, -1)])
    return float(np.mean(rises)) if np.isfinite(rises).all() else 0.0


def _look_again(
    objective: Differentiable, x: np.ndarray, found: Verification, rng: Any, place: str, floor: float
) -> Verification:
    """Return the verdict on a slope that does not fit: noise, a shorter ladder of steps or a kink may explain it.

    So may steps of 1 for parameters of 1e-6, which lead beyond poles: these are moved by parts of themselves.
    """
    p = found.direction
    assert p is not None  # slopes were compared along it
    roughness = differences.noise(objective.original, x, p)
    for scale in (1.0, 2.0**-10):
        again = _compare_slopes(objective, x, rng, scale, roughness, floor)
        if again.passed and (again.conclusive or scale == 1.0):
            return replace(again, value_error=found.value_error)
    relative = np.where(x, np.minimum(np.abs(x) / units(objective, x), 1.0), 1e-4)
    for own in (relative, np.minimum(relative, _by_slopes(objective, x))):
        again = _compare_slopes(objective, x, np.random.default_rng(1), own, floor=floor)
        if again.passed and again.conclusive:
            return replace(again, value_error=found.value_error)
    ahead, behind, error = differences.one_sided(objective.original, x, p)
    if not abs(ahead - behind) > 10 * error + 1e-4 * max(abs(ahead), abs(behind)):
        size = float(np.abs(objective.value_and_grad(x)[1]) @ np.abs(p))
        if not nears(objective.original, x, found, objective.original(x), size):
            return found
        message = f"The value agrees, and the gradient as well over steps that are short enough ({found.slope:.6g})."
        return replace(found, passed=True, conclusive=False, message=message)
    nearby = x + 1e-3 * units(objective, x) * rng.uniform(-1.0, 1.0, x.size)
    there = _compare_slopes(objective, nearby, rng, 2.0**-10, floor=floor)
    slopes = f"slopes {behind:.6g} and {ahead:.6g}"
    message = f"There is a kink at {place} along the direction ({slopes}). Close by: {there.message}"
    return replace(there, value_error=found.value_error, kink=True, message=message)


def _by_slopes(objective: Differentiable, x: np.ndarray) -> np.ndarray:
    """Return the parts of the parameters' sizes by which each, by its slope, changes f by a hundredth of it."""
    value, gradient = objective.value_and_grad(x)
    changes = np.maximum(np.abs(gradient) * units(objective, x), 1e-2 * (abs(value) or 1.0))
    return 1e-2 * (abs(value) or 1.0) / changes


def _roughness(f: Callable, x: np.ndarray, value: float, rng: Any) -> float:
    """Return how far f moves when x moves by about one rounding: what its terms lose by cancelling."""
    shifts = (x + 2 * _EPSILON * differences.step_scale(x) * rng.choice([-1.0, 1.0], x.size) for _ in range(4))
    moved = np.array([f(shifted) for shifted in shifts])
    return float(np.max(np.abs(moved - value), initial=0.0, where=np.isfinite(moved)))


# Constraints ----------------------------------------------------------------------------------------------------------


def verify_jacobian(function: Any, x: np.ndarray) -> Verification:
    """Return how values and Jacobian of constraints or residuals compare at `x`; VerificationError if wrong."""
    summed = Summed(function, x)
    own, compiled = function.original(x), function.value(x)
    allowed = (SINGLE_TOLERANCE if summed.single else VALUE_TOLERANCE) * np.maximum(np.abs(own), summed.scales)
    if not (np.abs(own - compiled) <= allowed).all():
        k = int(np.argmax(np.abs(own - compiled) / allowed))
        happened = f"Value [{k}] of {function.name} is wrong: {compiled[k]!r}, but the function gives {own[k]!r}."
        raise VerificationError(happened, definition(function.fun), _REMEDY)
    evaluated = summed.value_and_grad(x)
    found = _seen_again(summed, x, evaluated) or compare(summed, x, floor=1.0, evaluated=evaluated)
    if found.passed:
        if function.derived is not None:
            function.derived.is_verified = found.conclusive
        return found
    given = function.jacobian(x)
    given = given.toarray() if hasattr(given, "toarray") else given
    size = summed.units(x)
    numerical, errors = differences.jacobian(lambda u: function.original(size * u), x / size)
    numerical, errors = (found.reshape(given.shape) / size for found in (numerical, errors))
    distance = np.where(np.abs(given - numerical) > 5 * errors, np.abs(given - numerical), 0.0)
    message = found.message
    if distance.any():
        k, i = (int(place) for place in np.unravel_index(np.argmax(distance), distance.shape))
        message = (
            f"The {function.jacobian_source} is wrong: the slope of value [{k}] along {function.structure.names[i]} is "
            f"{given[k, i]:.10g}, but the function has {numerical[k, i]:.10g} +- {errors[k, i]:.1e}."
        )
    given_jac = function.given_jac
    raise VerificationError(message, definition(given_jac or function.fun), remedy(given_jac))


@dataclass(frozen=True)
class Check:
    """The outcome of `autoopt.check`: true if all is well; `str()` is the report."""

    verification: Verification
    hessp_error: float
    hessp_tolerance: float

    def __bool__(self) -> bool:
        return self.verification.passed and not self.hessp_error > self.hessp_tolerance

    def __str__(self) -> str:
        wrong = self.hessp_error > self.hessp_tolerance
        second = (
            f"The Hessian-vector product {'is wrong' if wrong else 'agrees with differences of the gradient'}: "
            f"off by {self.hessp_error:.1e}, allowed {self.hessp_tolerance:.1e}."
        )
        return f"{self.verification.message}\n{second}\n{'All is well.' if self else 'Something is wrong.'}"


def check(f: Callable, x0: Any, args: Any = (), *, engine: str = "auto") -> Check:
    """Compare the derivatives of `f` at `x0` with numerical ones, print a report, and return it.

    Parameters
    ----------
    f : callable, f(params, *args) -> scalar
    x0 : scalar, array or nest of them
    args : tuple, or one array
    engine : str
        As in `minimize`.

    Returns
    -------
    Check
        True if value, gradient and Hessian-vector product are right.

    Raises
    ------
    ObjectiveError
        If the objective is not finite at `x0`.
    """
    with resumable(f, x0, args if isinstance(args, tuple) else (args,), engine) as objective:
        report = check_objective(objective, objective.structure.flatten(x0))
    print(report)
    return report


def check_objective(objective: Differentiable, x: np.ndarray) -> Check:
    """Return the comparison of value, gradient and Hessian-vector product of `objective` at flat `x`."""
    found = compare(objective, x)
    p = differences.step_scale(x) * np.random.default_rng(1).uniform(-1.0, 1.0, x.size)
    exact, (numerical, error) = objective.hessp(x, p), differences.hessp(objective.grad, x, p)
    distance = np.max(np.abs(exact - numerical)) if np.isfinite(exact).all() else np.inf
    allowed = 5 * np.max(error) + SLOPE_TOLERANCE * np.max(np.abs(numerical))
    return Check(found, float(distance), float(allowed))
