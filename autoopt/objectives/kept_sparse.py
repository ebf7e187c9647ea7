"""Whether a matrix of derivatives is worth keeping sparse, as solvers ask before a run."""

from __future__ import annotations

from typing import Any

from autoopt.errors import AutooptError
from autoopt.objectives.objective import Objective
from autoopt.objectives.sparsity import SHARE, Sparsity

SMALLEST = 100
"""With fewer parameters full matrices are as quick."""


def kept_sparse(objective: Any, kind: str) -> Sparsity | None:
    """Return where the "hessian" or "jacobian" of an objective may differ from 0 on the path taken last, if that pays.

    None if it is not known, or if the matrix is small or rather full.
    """
    own = getattr(objective, "inner", objective)  # of other variables, see autoopt.variables
    if not isinstance(own, Objective) or objective.size < SMALLEST:
        return None
    try:
        pattern = objective.sparsity(kind)
    except AutooptError:
        return None
    return pattern if pattern.density <= SHARE else None
