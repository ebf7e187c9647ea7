"""What an objective has been through: whether a derivative of it needs no deriving, and how often it was minimised."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.execution import engines, ladder
from autoopt.graph.kinds import KINDS
from autoopt.tape.batching.batching import vectorise


def innermost(objective: Any) -> Any:
    """Return the objective behind changes of variables and the user's own derivatives."""
    while (inner := getattr(objective, "inner", None)) is not None:
        objective = inner
    return objective


def seconds_to_derive(objective: Any, kind: str) -> float:
    """Return what deriving one kind of derivative may take: 0 where that is done or kept; infinite where unknown."""
    inner = innermost(objective)
    dispatch = getattr(inner, "dispatch", None)
    if dispatch is None:  # the user's own, or differences
        return 0.0 if callable(getattr(inner, "given_hess", None)) else np.inf
    path = dispatch.paths[0]
    if kind in path.compiled:
        return 0.0
    tape = vectorise(path.tape)
    return 0.0 if engines.is_known(tape, kind) else ladder.estimated(tape, KINDS[kind])


def used_before(objective: Any) -> bool:
    """Whether the function was minimised before; from now on it was."""
    inner = innermost(objective)
    before = bool(getattr(inner, "is_minimised", False))
    inner.is_minimised = True
    return before
