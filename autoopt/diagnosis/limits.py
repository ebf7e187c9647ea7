"""Runs that ended for want of iterations, at bounds, without a feasible point, or for what is not known."""

from __future__ import annotations

import re

import numpy as np

from autoopt.diagnosis.evidence import Evidence
from autoopt.diagnosis.table import Diagnosis, cause, numbers
from autoopt.solvers.constrained import INFEASIBLE
from autoopt.solvers.convergence import gradient_tolerance, is_stationary
from autoopt.variables.escapes import AT_INFINITY, KEEP, LEAVE
from autoopt.wording import times

_LIMIT = re.compile(
    r"(?i)maximum number of|exceeds limit|iteration limit|max\. number|limit of iterations|reached limit|maxfun times"
)
_EVALUATIONS = re.compile(r"(?i)evaluations|maxfun")
_SET = "stopped by the tolerance that was set"
_FELL = 1e-9


@cause("infeasible", 15)
def infeasible(evidence: Evidence) -> Diagnosis | None:
    """No point was found where all constraints are met."""
    missed = []
    for constraint in evidence.problem.constraints:
        value = constraint.value(evidence.z)
        gap = np.maximum(constraint.lower - value, value - constraint.upper)
        if gap.size and (most := float(np.max(gap))) > 1e-6:
            k = int(np.argmax(gap))
            missed.append((most, f"{constraint.entry(k)} is {value[k]:.6g}, off by {most:.3g}"))
    if not missed:
        return None
    shown = "; ".join(text for _, text in sorted(missed, reverse=True)[:3])
    happened = f"No point was found that meets the constraints: where the run ended, the constraint {shown}"
    remedy = "see whether the constraints contradict each other or the bounds, or start from a point that meets them."
    return Diagnosis(happened + ".", (), remedy, is_said=evidence.result.status == INFEASIBLE)


@cause("search cut short", 46)
def cut_short(evidence: Evidence) -> Diagnosis | None:
    """A global search was ended by its limit, or by its callback, at what is a minimum around it."""
    result, problem = evidence.result, evidence.problem
    if not result.get("cut_short") or not is_stationary(problem, evidence.z, gradient_tolerance(problem)):
        return None
    happened = (
        f"The search was cut short after {result.nit} iterations and {problem.nfev} evaluations: where it ended is a "
        "minimum of the objective around it, but lower ones may not have been reached yet"
    )
    return Diagnosis(happened + ".", (), "raise maxiter or maxfun, or take the minimum as it is.")


@cause("limit of iterations", 78)
def too_few(evidence: Evidence) -> Diagnosis | None:
    """The run was ended by a limit while f was still falling."""
    if not _LIMIT.search(evidence.result.message) or evidence.result.status == INFEASIBLE:
        return None
    lower, promised = _lower_ahead(evidence), evidence.promised
    if lower is not None:
        gain = f"one more step lowers it by {evidence.here - lower:.1e}"
    elif promised is not None and promised > 1e-12 * abs(evidence.here):
        gain = f"a Newton step promises {promised:.1e} more"
    else:
        return None
    counted = _EVALUATIONS.search(evidence.result.message)
    limit = f"{evidence.problem.nfev} evaluations" if counted else f"{times(evidence.result.nit, 'iteration')}"
    option = "maxfun in options" if counted else "maxiter in options"
    option = "max_nfev" if hasattr(evidence.problem.objective, "residuals") else option
    happened = (
        f"The limit of iterations or evaluations was reached, after {limit}, while progress was still being made: "
        f"f fell from {evidence.problem.initial_value:.6g} to {evidence.here:.6g}, and {gain}"
    )
    return Diagnosis(happened + ".", (), f"raise {option}, or start from where this run ended.")


def _lower_ahead(evidence: Evidence) -> float | None:
    """Return a lower value a step ahead along the slope, None if there is none that is visible."""
    slope = evidence.slope
    size = float(np.max(np.abs(slope) / evidence.unit, initial=0.0))
    evidence.left += 8
    if not (np.isfinite(size) and size > 0):
        return None
    values = [evidence.value(evidence.inside(evidence.x - h / size * slope)) for h in 10.0 ** np.arange(-7, 1)]
    lowest = min((value for value in values if np.isfinite(value)), default=np.inf)
    return lowest if lowest < evidence.here - _FELL * max(abs(evidence.here), 1e-300) else None


@cause("tolerance below rounding", 94)
def tolerance_below_rounding(evidence: Evidence) -> Diagnosis | None:
    """The gradient is what rounding leaves of it: no tolerance below that can be met."""
    ulp = np.spacing(evidence.x)
    random = np.random.default_rng(8)
    moved = [evidence.gradient(evidence.x + ulp * random.choice([-1.0, 1.0], ulp.size)) for _ in range(3)]
    rounding = float(np.median([np.max(np.abs(gradient - evidence.slope)) for gradient in moved]))
    left = evidence.result.gradient_norm
    size = max(abs(evidence.here), min(1.0, abs(evidence.problem.initial_value)))
    small = left * np.max(evidence.unit) <= 1e-6 * size
    if not (small and np.isfinite(rounding) and 0 < left <= 10 * rounding):
        return None
    happened = (
        f"The gradient is rounding where the run ended: its largest entry is {left:.1e}, and moving the parameters by "
        f"one rounding changes it by {rounding:.1e}. No gtol below that can be met"
    )
    return Diagnosis(happened + ".", (), "leave gtol, ftol and tol out, or set them above that.")


@cause("at bounds", 110)
def at_bounds(evidence: Evidence) -> Diagnosis | None:
    """Parameters that bounds hold, and beyond which f would fall."""
    limits = evidence.limits
    if limits is None:
        return None
    low = (evidence.x <= limits.lower) & (evidence.slope > 0)
    high = (evidence.x >= limits.upper) & (evidence.slope < 0)
    held = np.flatnonzero(low | high)
    left = np.max(np.abs(np.where(low | high, 0.0, evidence.slope)) * evidence.unit, initial=0.0)
    if not len(held) or left > 1e-4 * max(abs(evidence.here), min(1.0, abs(evidence.problem.initial_value))):
        return None
    pairs = numbers([evidence.names[k] for k in held], evidence.x[held])
    happened = f"Bounds hold {pairs}, where the objective would fall beyond them"
    return Diagnosis(happened + ".", (), "see whether the bounds are wide enough for these parameters.")


@cause("limit of a transform", 4)
def transformed(evidence: Evidence) -> Diagnosis | None:
    """Parameters that go to a limit of their transform, as the verdict has found."""
    message = evidence.result.message
    if AT_INFINITY not in message:
        return None
    happened = message.removeprefix("Not converged: ").split(AT_INFINITY)[0] + AT_INFINITY
    return Diagnosis(happened, (), LEAVE if LEAVE[1:] in message else KEEP, is_said=True)


@cause("not known", 1000)
def measured(evidence: Evidence) -> Diagnosis | None:
    """What was measured, where none of the causes shows."""
    slope = evidence.slope
    k = int(np.argmax(np.abs(slope)))
    if _SET in evidence.result.message:
        happened = "The tolerance that was set is met where f still falls by far."
        return Diagnosis(happened, (), "leave tol out, or set it in the units of f and of the parameters.")
    begins = "The limit of iterations or evaluations was reached; why the run took so long did not show"
    begins = begins if _LIMIT.search(evidence.result.message) else "The cause did not show"
    happened = (
        f"{begins}; where the run ended f is {evidence.result.fun:.8g}, and its largest slope "
        f"{slope[k]:.2e} for {evidence.names[k]}"
    )
    return Diagnosis(happened + ".", (), 'try another method, such as "trust-exact", another start, or a longer run.')
