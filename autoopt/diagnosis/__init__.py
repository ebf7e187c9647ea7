"""Why a run failed, in the user's terms: one row of `DIAGNOSES` for each cause, each from what it measures.

Knows problems and results, not how they came. What asks is imported when a run has failed, or looks suspicious.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.errors import AutooptError, ObjectiveError, VerificationError
from autoopt.objectives.arrays_met import are_suspicious
from autoopt.solvers.run import INTERRUPTED, STOPPED
from autoopt.users_code import misfit, shapes_at

FLAT = "f does not change along"
"""What the verdict says of a minimum that a direction without curvature leads through."""


def diagnosed(problem: Any, z: np.ndarray, result: Any, seconds: float = 0.0) -> bool:
    """Put into `result` why it is no success: `diagnosis`, a list of str, the first of them in `message`, too.

    Return whether it was asked. The list is empty where a run ended well, was ended by the user, or nothing shows.

    Parameters
    ----------
    problem : Problem
        In the solver's variables, which ended at `z`.
    result : OptimizeResult
        In the user's parameters.
    seconds : float
        How long the run took.
    """
    result.diagnosis = []
    if result.status in (STOPPED, INTERRUPTED) or (result.success and not _is_suspicious(problem, result)):
        return False
    from autoopt.diagnosis.diagnose import described, diagnose

    described(result, diagnose(problem, z, result, seconds))
    return True


def _is_suspicious(problem: Any, result: Any) -> bool:
    """Whether there is something in what the objective calculates that is hardly meant, though the run ended well."""
    if FLAT in result.message or (result.nit <= 1 and not np.any(result.jac)):
        return True
    found = problem.certified
    if found is not None and found.complete and not found.definite:
        return True
    dispatch = getattr(problem.objective, "dispatch", None)
    return dispatch is not None and are_suspicious(dispatch.paths[0].trace.tape)


def explained(error: Exception, objective: Any, x0: np.ndarray, function: Any = None, args: tuple = ()) -> Exception:
    """Return an error that says more than `error`, why a run could not begin at the flat `x0`; itself if none does."""
    if (told := misfit(error, function, args) if function is not None else None) is not None:
        return told
    if not isinstance(error, AutooptError) and (shapes := shapes_at(error)):
        error.add_note(shapes.strip())
    has_line = error.where and not getattr(error, "is_located", False) if isinstance(error, AutooptError) else True
    if not isinstance(error, ObjectiveError | VerificationError) or has_line or objective is None:
        return error
    from autoopt.diagnosis.diagnose import explain_start

    found = explain_start(objective, x0)
    if not found:
        return error
    said: AutooptError = type(error)(found[0].happened, found[0].where, found[0].remedy)
    said.__cause__ = error.__cause__  # in place of the error, which says less
    return said
