"""Ask each row of the table in its order, and put what they say into the result."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from autoopt.diagnosis import (  # noqa: F401 - each file enters its rows
    curvature,
    derivatives,
    identified,
    idle,
    limits,
    repeated,
    rough,
    shapes,
    unbounded,
    undefined,
)
from autoopt.diagnosis.evidence import Evidence, Spent
from autoopt.diagnosis.table import DIAGNOSES, Cause, Diagnosis

LAST = "not known"
_BESIDES = 3
"""Evaluations that are left for what was seen besides the cause."""

_MOST = 3
"""Diagnoses that are given: more than the cause and what else was seen is no help."""


def diagnose(problem: Any, z: np.ndarray, result: Any, seconds: float = 0.0) -> list[Diagnosis]:
    """Return why a run failed, the cause first; of one that ended well what is suspicious. Empty if nothing shows.

    It may cost twice the `seconds` that the run has taken.
    """
    causes = [row for row in rows() if row.of_success or not result.success]
    return _asked(causes, Evidence.of(problem, z, result, seconds))


def explain_start(objective: Any, x0: np.ndarray) -> list[Diagnosis]:
    """Return why a run could not begin at `x0`, the cause first."""
    return _asked([row for row in rows() if row.of_start], Evidence(objective, x0))


def rows() -> list[Cause]:
    """Return the table in its order."""
    return sorted(DIAGNOSES.values(), key=lambda row: row.rank)


def described(result: Any, found: list[Diagnosis]) -> None:
    """Put diagnoses into the result: all in `diagnosis`, the first in short in `message`."""
    result.diagnosis = [str(one) for one in found]
    if not found or found[0].is_said or (found[0].replaces and _UNBOUNDED.match(result.message)):
        return
    if found[0].replaces and _AT_INFINITY.match(result.message):
        result.message = f"Not converged: {found[0].short}"
    else:
        result.message = f"{result.message.rstrip()} {'But' if result.success else 'Why'}: {found[0].short}"


_AT_INFINITY = re.compile(r"Not converged: the (objective (does not rise|falls)|run went off) ")
"""How the verdict begins that there is no minimum in sight."""

_UNBOUNDED = re.compile("Not converged: the objective is not bounded below on the constraints")
"""What the verdict says under constraints is said along these."""


def _is_told(diagnosis: Diagnosis, found: list[Diagnosis]) -> bool:
    """Whether one of those before says all that the verdict does: one statement that there is no minimum is enough."""
    return (diagnosis.replaces or diagnosis.is_said) and any(one.replaces for one in found)


def _asked(causes: list[Cause], evidence: Evidence) -> list[Diagnosis]:
    found: list[Diagnosis] = []
    for row in causes:
        try:
            with np.errstate(all="ignore"):
                diagnosis = row.function(evidence)
        except (Spent, Exception):  # evidence that cannot be had, or that costs too much, shows nothing
            continue
        if diagnosis is not None and not (found and (row.name == LAST or _is_told(diagnosis, found))):
            found.append(diagnosis)
            evidence.left = min(evidence.left, _BESIDES)
        if len(found) == _MOST:
            break
    return found
