"""Points and directions of a problem as messages show them: in the user's parameters, whatever the solver moves."""

from __future__ import annotations

from typing import Any

import numpy as np


def names(problem: Any) -> list[str]:
    """Return the names of the user's parameters."""
    variables = getattr(problem.objective, "variables", None)
    if variables is not None:
        return list(variables.names)
    return problem.names or [f"x[{i}]" for i in range(problem.x0.size)]


def parameters(problem: Any, x: np.ndarray) -> np.ndarray:
    """Return the user's parameters, shape (n,), where the solver is at `x`."""
    variables = getattr(problem.objective, "variables", None)
    return x if variables is None else variables.parameters(x)


def direction(problem: Any, x: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return how the user's parameters change, shape (n,), where the solver goes from `x` in the direction `ahead`."""
    variables = getattr(problem.objective, "variables", None)
    return ahead if variables is None else variables.pushed(x, ahead)
