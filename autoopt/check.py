"""Verification: the compiled value against the original function, the gradient against a numerical secant.

Knows an objective only by its methods; nothing here trusts derived code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.constraints.summed import Summed
from autoopt.errors import UsageError, VerificationError
from autoopt.objectives.compared import found_before, remember
from autoopt.objectives.differentiable import Differentiable
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import resumable
from autoopt.origin import definition
from autoopt.stages import during
from autoopt.tables.elsewhere import ON_WORKERS, refuse_collections
from autoopt.users_code import NO_VALUE
from autoopt.verification.brief import compare_briefly
from autoopt.verification.certificate import CANNOT_TELL, DISAGREES, Verification
from autoopt.verification.location import entry, parting
from autoopt.verification.points import CLOSE, Counted, compare
from autoopt.verification.products import direction, product_finding
from autoopt.verification.rounding import is_single, spread
from autoopt.verification.secants import (
    AT_THE_START,
    CONCLUSIVE,
    SLOPE_TOLERANCE,
    Evaluated,
    compared,
    directions,
    units,
)
from autoopt.verification.segments import slope_beside
from autoopt.verification.values import CALCULATED, allowances, compare_values
from autoopt.wording import name_of

_REMEDY = (
    "if the objective reads anything that changes between calls (files, random numbers, counters), pass that through "
    'args; else pass jac="finite-difference", and report this objective as a bug of autoopt.'
)
_CORRECT = "correct {}, or leave it out: the exact derivatives are derived."


def remedy(given_jac: Any) -> str:
    """Return what to do about a wrong slope: the user's own is theirs to correct."""
    return _REMEDY if given_jac is None else _CORRECT.format(name_of(given_jac, "jac"))


@during("comparing with the original function")
def verify(
    objective: Differentiable,
    x: np.ndarray,
    mode: str | bool = "start",
    evaluated: Evaluated | None = None,
    limits: Any = None,
) -> Verification | None:
    """Return the comparison at `x`, flat, shape (n,); None if `mode` is "off" or False.

    `evaluated` is value and gradient there, if they are known; compiled code is evaluated within `limits`.

    Raises
    ------
    VerificationError
        If the value or the gradient is wrong, saying which.
    ObjectiveError
        If the objective is not finite at `x`.
    UsageError
        If `mode` is none of "start", "periodic", "off", False.
    """
    if not is_on(mode):
        return None
    begin = time.perf_counter()
    if hasattr(objective, "sample"):  # of data that are not in memory: what is compared is the code of some rows
        objective, evaluated = objective.sample, None
    evaluated = evaluated or objective.value_and_grad(x)
    found = _seen_again(objective, x, evaluated) or compare(objective, x, evaluated=evaluated, limits=limits)
    if not found.passed:
        given = getattr(objective, "given_jac", None)
        message, where = _located(objective, x, found, evaluated)
        error = VerificationError(message, where, remedy(given))
        error.is_located = True
        raise error
    found = replace(found, seconds=time.perf_counter() - begin)
    if isinstance(objective, Objective):
        objective.is_verified = found.conclusive
        if found.conclusive:
            remember(objective, x, *evaluated, found)
    return found


def _located(objective: Any, x: np.ndarray, found: Verification, evaluated: Evaluated) -> tuple[str, Any]:
    """Return the message with the parameter whose slope is off, and the line where the code parts from the function."""
    message, given = found.message, getattr(objective, "given_jac", None)
    if "gradient" in {one.what for one in found.findings if one.verdict == DISAGREES}:
        with suppress(Exception):  # the search is for a message: what it meets must not hide that
            message = f"{message} {entry(objective, x, evaluated[1])}".rstrip()
    if given is not None:
        return message, definition(given)
    if (place := parting(objective, x)) is None:
        return message, None
    lead = "The first line where they part" if place.where is not None else "The first step where they part"
    return f"{message}\n{lead}: {place.text}.", place.where


def is_on(mode: str | bool) -> bool:
    """Whether `verify=` asks for a comparison; UsageError if it is not understood."""
    if mode not in ("off", False, "start", True, PERIODIC):
        raise UsageError(
            f"verify={mode!r} is not understood.", remedy='pass verify="start", verify="periodic" or verify="off".'
        )
    return mode not in ("off", False)


def _seen_again(objective: Any, x: np.ndarray, evaluated: Evaluated) -> Verification | None:
    """Return the comparison at `x` of code that was verified before, with other data or at another start.

    It takes two calls of the original, or four; none where the code gives what it gave when it was compared at `x`:
    that the function itself is still the same is seen at the solution. None where that does not settle it.
    """
    if not getattr(objective, "is_verified", False):
        return None
    if (known := found_before(objective, x, *evaluated)) is not None:
        return known.at("x0", 0)
    counted = Counted(objective)
    original = counted.original(x)
    if not np.isfinite(original):
        return None
    p = directions(objective, x, np.random.default_rng(0))
    value = compare_values(objective, x, evaluated[0], original, 0.0, "x0")
    for secant, error in AT_THE_START:
        found = compared(secant(counted.original, x, p, original), p, evaluated, original, 0.0, value)
        if found.passed and found.secant_error <= error * abs(found.secant):
            numbers = f"slope {found.slope:.10g} along a direction where the original function has {found.secant:.10g}"
            message = f"The value and the gradient agree with the original function ({numbers})."
            return replace(found, message=message, evaluations=counted.evaluations)
    return None


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
    begin = time.perf_counter()
    if hasattr(objective, "sample"):
        objective, evaluated = objective.sample, None
    try:
        at_x = (evaluated or objective.value_and_grad)(x)
        found = verify_solution(objective, x, min(1.0, abs(initial)), limits, at_x)
    except NO_VALUE:
        return start
    found = replace(found, at_solution=True, seconds=time.perf_counter() - begin)
    if not found.passed and np.isfinite(found.value_error) and (reason := _unresolved(objective, x)):
        found = _not_told(found, reason)
    if found.passed:
        return start.joined(found)
    said = f"Not verified at the solution. {found.message}"
    if np.isfinite(found.value_error):  # else the original has no value there, and no slope to be wrong
        message, where = _located(objective, x, found, at_x)
        said = f"Not verified at the solution. {message}" + (f"\n{where}\n" if where is not None else "")
        said += f" To fix this: {remedy(getattr(objective, 'given_jac', None))}"
    result.update(message=f"{said} ({result.message})" if result.success else f"{result.message} {said}", success=False)
    whole = start.joined(found)
    found = replace(found, findings=whole.findings, evaluations=whole.evaluations, seconds=whole.seconds)
    return replace(found, iterates=start.iterates)


def _unresolved(objective: Any, x: np.ndarray) -> str:
    """Return why what disagrees at a point does not tell that anything is wrong; "" if it does."""
    if np.max(np.abs(x), initial=0.0) >= _WHOLE:
        return "the parameters are so large that the function is their rounding"
    original = objective.original(x)
    return "the value is rounding" if spread(objective, x, original)[0] > _ROUNDED * abs(original) else ""


_WHOLE, _ROUNDED = 2.0**53, 1e-3
"""From here on all numbers are whole ones, np.rint(x) is x and a sine has no period; this part of a value is much."""


def _not_told(found: Verification, reason: str) -> Verification:
    """Return what was found with nothing of it told as wrong."""
    findings = (
        replace(one, verdict=CANNOT_TELL, reason=reason) if one.verdict == DISAGREES else one for one in found.findings
    )
    return replace(found, passed=True, conclusive=False, message=f"There {reason}.", findings=tuple(findings))


def verify_solution(
    objective: Any, x: np.ndarray, floor: float, limits: Any = None, evaluated: Evaluated | None = None
) -> Verification:
    """Return the comparison of value and slope with the original at the solution `x`, flat, shape (n,).

    What it takes is said in `compare_briefly`.
    """
    counted, at_x = Counted(objective), _known(objective, x, evaluated)
    found = compare_briefly(counted, x, SOLUTION, floor, limits, at_x)
    is_whole = found.direction is not None and found.direction.all() and np.isfinite(found.secant)
    if found.passed and found.conclusive and is_whole:
        remember(objective, x, *at_x, found)
    return found.at(SOLUTION, counted.evaluations)


def _known(objective: Any, x: np.ndarray, evaluated: Evaluated | None) -> Evaluated:
    return evaluated or objective.value_and_grad(x)


SOLUTION, PERIODIC = "the solution", "periodic"


# Second derivatives ---------------------------------------------------------------------------------------------------


def verified_products(
    objective: Any, seconds: tuple, names: dict[str, np.ndarray], result: Any, start: Verification
) -> Verification:
    """Return `start` with how `seconds`, Hessians or products that a run kept, agree with differences of gradients.

    `names` are points by what they are called, the solution among them. Where one is wrong, `result` is no success.
    """
    if not getattr(objective, "exact", True):
        return start
    if hasattr(objective, "sample"):
        objective = objective.sample
        seconds = tuple((x, p, objective.hess(x) if p is None else None) for x, p, _ in seconds)
    begin, findings = time.perf_counter(), []
    for x, p, found in (*seconds, *_across(objective, seconds, names[SOLUTION])):
        place = next((name for name, y in names.items() if np.array_equal(x, y)), "an iterate")
        try:
            found = objective.hessp(x, p) if found is None else found
            findings.append(product_finding(objective, x, p, found, place))
        except NO_VALUE:
            continue  # what raises beside a point says nothing of it
    whole = start.joined(Verification(True, findings=tuple(findings), seconds=time.perf_counter() - begin))
    wrong = next((one for one in findings if one.verdict == DISAGREES), None)
    if wrong is None:
        return whole
    result.update(message=f"Not verified at {wrong.place}. {wrong.reason} ({result.message})", success=False)
    return replace(whole, passed=False, message=wrong.reason)


def _across(objective: Any, seconds: tuple, x: np.ndarray) -> list[tuple]:
    """Return the solution `x` with a direction in which all entries move, for second derivatives that the user gives.

    Those of a run may be axes, along which nothing is seen of the other columns, and of points short of the solution.
    At x0 such a direction has been compared ahead of the run; a Hessian kept at the solution is, as it is.
    """
    is_given = getattr(objective, "given_hess", None) or getattr(objective, "given_hessp", None)
    if not seconds or is_given is None or any(p is None and np.array_equal(x, y) for y, p, _ in seconds):
        return []
    return [(x, direction(x, units(objective, x)), None)]


@during("comparing derivatives that were given")
def verify_given_hessian(objective: Any, x: np.ndarray) -> None:
    """Compare the user's Hessian, or product with it, at `x`; VerificationError if it is wrong."""
    given = getattr(objective, "given_hessp", None) or getattr(objective, "given_hess", None)
    if given is None:
        return
    p = direction(x, units(objective, x))
    one = product_finding(objective, x, p, objective.hessp(x, p), "x0")
    if one.verdict == DISAGREES:
        name = name_of(given, "hess" if getattr(objective, "given_hessp", None) is None else "hessp")
        error = VerificationError(
            _entry_of_hessian(objective, x) or one.reason,
            definition(given),
            f'correct {name}, or leave it out: it is derived. Pass verify="off" for an approximation.',
        )
        error.is_located = True
        raise error


def _entry_of_hessian(objective: Any, x: np.ndarray) -> str:
    """Return which entry of the Hessian that is given is off by most, "" if it is not known or has too many."""
    given = getattr(objective, "given_hess", None)
    if given is None or getattr(objective, "given_hessp", None) is not None or x.size > _FEW:
        return ""  # products are what was compared, where they are given
    hessian, sizes = objective.hess(x), units(objective, x)
    numerical = differences.rough_hessian(lambda y: slope_beside(objective, y), x)
    off = np.nan_to_num(np.abs(hessian - numerical) * np.outer(sizes, sizes))
    i, j = (int(k) for k in np.unravel_index(np.argmax(off), off.shape))
    names = objective.structure.names
    if f"{hessian[i, j]:.7g}" == f"{numerical[i, j]:.7g}":  # so rough a Hessian does not show it
        return ""
    return (
        f"The Hessian that {name_of(given, 'hess')} gives is wrong: for {names[i]} and {names[j]} it has "
        f"{hessian[i, j]:.10g}, but differences of the gradient give {numerical[i, j]:.7g}."
    )


_FEW = 100
"""Of so many parameters all entries are compared, once one is known to be wrong."""

# Constraints ----------------------------------------------------------------------------------------------------------


def verify_jacobian(function: Any, x: np.ndarray, limits: Any = None) -> Verification:
    """Return how values and Jacobian of constraints or residuals compare at `x`; VerificationError if wrong.

    They are evaluated within `limits`, if there are any.
    """
    begin, summed = time.perf_counter(), Summed(function, x)
    own, compiled = function.original(x), function.value(x)
    sizes = np.maximum(np.abs(own), summed.scales)
    allowed = CALCULATED[is_single(summed)] * sizes
    if not (np.abs(own - compiled) <= allowed).all():
        allowed = np.maximum(allowed, allowances(summed, x, own, sizes))
    if not (np.abs(own - compiled) <= allowed).all():
        k = int(np.argmax(np.abs(own - compiled) / allowed))
        happened = f"Value [{k}] of {function.name} is wrong: {compiled[k]!r}, but the function gives {own[k]!r}."
        raise VerificationError(happened, definition(function.fun), _REMEDY)
    evaluated = summed.value_and_grad(x)
    found = _seen_again(summed, x, evaluated) or compare(summed, x, floor=1.0, evaluated=evaluated, limits=limits)
    if found.passed:
        if function.derived is not None:
            function.derived.is_verified = found.conclusive
        return replace(found, seconds=time.perf_counter() - begin)
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

    def to_dict(self) -> dict[str, Any]:
        """Return all that was found as plain values that JSON can hold; None stands for what is not known."""
        errors = {"hessp_error": self.hessp_error, "hessp_tolerance": self.hessp_tolerance}
        known = {name: error if np.isfinite(error) else None for name, error in errors.items()}
        return {"passed": bool(self), "verification": self.verification.to_dict(), **known}


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
    refuse_collections(args, ON_WORKERS)
    with resumable(f, x0, args if isinstance(args, tuple) else (args,), engine) as objective:
        report = check_objective(objective, objective.structure.flatten(x0))
    print(report)
    return report


def check_objective(objective: Differentiable, x: np.ndarray) -> Check:
    """Return the comparison of value, gradient and Hessian-vector product of `objective` at flat `x`."""
    found = compare(objective, x)
    p = differences.step_scale(x) * np.random.default_rng(1).uniform(-1.0, 1.0, x.size)
    distance, allowed, size = _product_errors(objective, x, p)
    if allowed > CONCLUSIVE * size:  # at a kink differences tell nothing of it; beside it they do
        with suppress(*NO_VALUE):
            there = _product_errors(objective, x + CLOSE * direction(x, units(objective, x)), 2.0**-10 * p)
            if there[0] > there[1] and there[1] <= CONCLUSIVE * there[2]:
                distance, allowed, size = there
    if distance > allowed and (bend := abs(float(p @ objective.hessp(x, p)))) > 1.0:
        # Where a column is large, p leads far beyond where the gradient is straight.
        nearer = _product_errors(objective, x, p / np.sqrt(bend), differences.directional)
        if nearer[1] <= CONCLUSIVE * nearer[2]:
            distance, allowed, size = nearer
    return Check(found, distance, allowed)


def _product_errors(
    objective: Differentiable, x: np.ndarray, p: np.ndarray, measured: Callable | None = None
) -> tuple[float, float, float]:
    """Return how far the Hessian at `x` times `p` is from differences of gradients, how far it may be, and its size."""
    exact, (numerical, error) = objective.hessp(x, p), (measured or differences.hessp)(objective.grad, x, p)
    distance = float(np.max(np.abs(exact - numerical))) if np.isfinite(exact).all() else np.inf
    size = float(np.max(np.abs(numerical)))
    return distance, float(5 * np.max(error) + SLOPE_TOLERANCE * size), size
