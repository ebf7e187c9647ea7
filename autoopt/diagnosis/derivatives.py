"""Derivatives that the user gives and that are not those of the function: jac, hess, hessp, those of constraints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.check_constraints import verify_constraints
from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause
from autoopt.errors import Location, VerificationError
from autoopt.origin import definition
from autoopt.wording import name_of

_MOST = 30
"""Parameters whose slopes are compared one by one; of more, as many of those with the largest slopes."""

_ROOM = 1e-5


@cause("wrong jac", 30, of_start=True)
def jac_is_wrong(evidence: Evidence) -> Diagnosis | None:
    """The gradient that jac gives is not how the values change."""
    given = getattr(evidence.objective, "given_jac", None)
    if given is None or not np.isfinite(evidence.slope).all():
        return None
    if not _differs(evidence):
        return None
    slope = evidence.slope
    entries = np.argsort(-np.abs(slope), kind="stable")[:_MOST]
    evidence.left += 24 * len(entries)
    numerical, errors = np.array([_slope(evidence, int(i)) for i in entries]).T
    own = slope[entries]
    wrong = np.abs(own - numerical) > 10 * errors + _ROOM * np.maximum(np.abs(own), np.abs(numerical)) + 1e-9
    if not wrong.any():
        return None
    k = int(np.argmax(np.where(wrong, np.abs(own - numerical) / (np.abs(numerical) + errors), 0.0)))
    happened = (
        f"The gradient that {name_of(given, 'jac')} gives is wrong{_place(evidence)}: "
        f"for {evidence.names[entries[k]]} it is {own[k]:.8g}, "
        f"but the objective has the slope {numerical[k]:.8g} +- {errors[k]:.1e} there"
    )
    others = [evidence.names[entries[j]] for j in np.flatnonzero(wrong) if j != k]
    happened += f"; {', '.join(others[:5])} {'is' if len(others) == 1 else 'are'} wrong, too" if others else ""
    happened += _factor(own, numerical)
    remedy = f"correct it, or leave {name_of(given, 'jac')} out: the exact gradient is derived."
    return Diagnosis(f"{happened}.", _where(given), remedy)


def _differs(evidence: Evidence) -> bool:
    """Whether the gradient is not the slope along a direction to which all entries contribute."""
    signs = np.where(evidence.slope < 0, -1.0, 1.0)
    p = signs * evidence.unit * np.random.default_rng(3).uniform(0.5, 1.0, signs.size)
    if not any(np.isfinite(evidence.value(evidence.x + h * p)) for h in (2.0**-6, -(2.0**-12))):
        return False
    evidence.left += 22
    numerical, error = differences.directional(evidence.value, evidence.x, p)
    own = float(evidence.slope @ p)
    return bool(abs(own - numerical) > 10 * error + _ROOM * max(abs(own), abs(numerical)))


def _slope(evidence: Evidence, i: int) -> tuple[float, float]:
    unit = np.zeros(evidence.x.size)
    unit[i] = evidence.unit[i]
    slope, error = differences.directional(evidence.value, evidence.x, unit)
    return slope / evidence.unit[i], error / evidence.unit[i]


def _factor(own: np.ndarray, numerical: np.ndarray) -> str:
    """Return in words that all of jac is one number times the gradient, empty if it is not."""
    large = np.abs(numerical) > 1e-6 * np.max(np.abs(numerical), initial=0.0)
    if large.sum() < 2:
        return ""
    ratios = own[large] / numerical[large]
    if not np.allclose(ratios, ratios[0], rtol=1e-5) or np.isclose(ratios, 1.0, rtol=1e-3).all():
        return ""
    if np.isclose(ratios[0], -1.0, rtol=1e-4):
        return "; all of it has the opposite sign"
    return f"; all of it is {ratios[0]:.6g} times the gradient, as where one is of a sum and the other of a mean"


@cause("wrong hess", 32)
def hess_is_wrong(evidence: Evidence) -> Diagnosis | None:
    """The Hessian that hess gives is not how the gradient changes."""
    given = getattr(evidence.objective, "given_hess", None)
    if given is None:
        return None
    for x in (evidence.x, evidence.x0):
        own = np.asarray(evidence.objective.hess(x, sparse=False), dtype=float)
        numerical, error = _rows(evidence, x)
        if not (np.isfinite(own).all() and np.isfinite(numerical).all()):
            continue
        distance = np.abs(own - numerical)
        wrong = distance > error + 1e-3 * np.abs(numerical) + 1e-4 * np.max(np.abs(numerical), initial=0.0)
        if wrong.any():
            i, j = (int(k) for k in np.unravel_index(np.argmax(np.where(wrong, distance, 0.0)), distance.shape))
            names = evidence.names
            happened = (
                f"{name_of(given, 'hess')} is wrong: its entry ({names[i]}, {names[j]}) is {own[i, j]:.6g}, but "
                f"the gradient for {names[i]} changes by {numerical[i, j]:.6g} with {names[j]}."
            )
            remedy = f"correct it, or leave {name_of(given, 'hess')} out: the exact Hessian is derived."
            return Diagnosis(happened, _where(given), remedy)
    return None


def _rows(evidence: Evidence, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the Hessian by central differences of gradients, shape (n, n), and what half the step changes."""
    unit = differences.step_scale(x)
    evidence.left += 4 * x.size

    def columns(h: float) -> np.ndarray:
        steps = np.diag(h * unit)
        pairs = [(evidence.gradient(x + step), evidence.gradient(x - step)) for step in steps]
        return np.array([(ahead - behind) / (2 * h) for ahead, behind in pairs]).T / unit

    wide, narrow = columns(1e-4), columns(5e-5)
    return narrow, 10 * np.abs(wide - narrow)


@cause("wrong hessp", 33)
def hessp_is_wrong(evidence: Evidence) -> Diagnosis | None:
    """The products that hessp gives are not how the gradient changes along a direction."""
    given = getattr(evidence.objective, "given_hessp", None)
    if given is None:
        return None
    for x in (evidence.x, evidence.x0):
        p = differences.step_scale(x) * np.random.default_rng(1).uniform(0.5, 1.0, x.size)
        own = np.asarray(evidence.objective.hessp(x, p), dtype=float)
        evidence.left += 24
        numerical, error = differences.hessp(evidence.gradient, x, p)
        distance = np.abs(own - numerical)
        wrong = distance > 10 * error + 1e-4 * np.max(np.abs(numerical), initial=0.0)
        if np.isfinite(numerical).all() and wrong.any():
            i = int(np.argmax(np.where(wrong, distance, 0.0)))
            happened = (
                f"{name_of(given, 'hessp')} is wrong: times a direction it gives {own[i]:.6g} for "
                f"{evidence.names[i]}, but the gradient changes by {numerical[i]:.6g} along it."
            )
            remedy = f"correct it, or leave {name_of(given, 'hessp')} out: exact products are derived."
            return Diagnosis(happened, _where(given), remedy)
    return None


@cause("wrong derivatives of constraints", 13)
def constraint_is_wrong(evidence: Evidence) -> Diagnosis | None:
    """The derivatives that are given for a constraint are not its own where the run ended."""
    if not evidence.problem.constraints:
        return None
    given = [one for one in evidence.problem.constraints if _supplies(one.function)]
    for place in (evidence.z, evidence.problem.latest):  # x may be another point than where the method came to
        try:
            verify_constraints(given, place)
        except VerificationError as error:
            return Diagnosis(error.happened, error.where, error.remedy or "")
    return None


def _supplies(function: Any) -> bool:
    return getattr(function, "given_jac", None) is not None or getattr(function, "supplies_second", False)


def _place(evidence: Evidence) -> str:
    return " at x0" if evidence.result is None else " where the run ended"


def _where(given: Callable | None) -> tuple[Location, ...]:
    place = definition(given) if callable(given) else None
    return (place,) if place is not None else ()
