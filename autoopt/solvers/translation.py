"""Points and directions of a problem as messages show them: in the user's parameters, whatever the solver moves."""

from __future__ import annotations

from typing import Any

import numpy as np


def variables(problem: Any) -> Any:
    """Return the change of variables that a problem is stated in, see `autoopt.variables`; None if there is none."""
    return getattr(problem.objective, "variables", None)


def variable_names(problem: Any) -> list[str]:
    """Return the names of what the solver moves."""
    return problem.names or [f"x[{i}]" for i in range(problem.x0.size)]


def names(problem: Any) -> list[str]:
    """Return the names of the user's parameters."""
    change = variables(problem)
    return variable_names(problem) if change is None else list(change.names)


def parameters(problem: Any, x: np.ndarray) -> np.ndarray:
    """Return the user's parameters, shape (n,), where the solver is at `x`."""
    change = variables(problem)
    return x if change is None else change.parameters(x)


def variables_of(problem: Any, x: np.ndarray) -> np.ndarray:
    """Return where the solver is, shape (m,), at the user's parameters `x`."""
    change = variables(problem)
    return x if change is None else change.variables(x)


def direction(problem: Any, x: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return how the user's parameters change, shape (n,), where the solver goes from `x` in the direction `ahead`."""
    change = variables(problem)
    return ahead if change is None else change.pushed(x, ahead)
