"""Parameters that go to a limit that their transform reaches at infinity only: no minimum is there to be found."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.objectives.differentiable import Derivatives
from autoopt.variables.variables import Variables
from autoopt.wording import aside

_NEAR = 1e-3
"""A parameter is looked at where it is as near to a limit as this part of the distance between the two, or of 1."""


def require_inside(result: Any, objective: Derivatives, variables: Variables, z: np.ndarray) -> None:
    """Make `result`, at `z` in the variables, no success if f falls on to a limit that a transform does not reach.

    It is on it by rounding, or near, and f still falls where it is a fourth, and a sixteenth, as far off. A minimum
    that is near a limit has f rise on this side.
    """
    sentences = []
    for transform in variables.transforms:
        where, (below, above) = transform.where, transform.kind.closed
        values = transform.value(variables.scale[where] * z[where])
        size = np.where(np.isfinite(transform.upper - transform.lower), transform.upper - transform.lower, 1.0)
        for is_there, sign, limits in ((below, -1.0, transform.lower), (above, 1.0, transform.upper)):
            for k in np.flatnonzero(np.abs(values - limits) <= _NEAR * size) if is_there else ():
                if values[k] == limits[k] or _falls_on(objective, z, where[k], sign / variables.scale[where[k]]):
                    name = variables.variable_names[where[k]]
                    sentences.append(
                        f"{name} goes to its limit {limits[k]:g} (it is {values[k]:.6g}), which its transform reaches "
                        "at infinity only. Leave the transform out: limits alone may be reached."
                    )
    if sentences:
        result.update(success=False, message=f"Not converged: {' '.join(sentences)}{aside(result.message)}")


def _falls_on(objective: Derivatives, z: np.ndarray, j: int, unit: float) -> bool:
    """Whether f falls on the way of variable `j` to its limit: at a fourth and a sixteenth of the distance to it."""
    for closer in (4.0, 16.0):
        ahead = z.copy()
        ahead[j] += unit * np.log(closer)
        try:
            slope = unit * objective.value_and_grad(ahead)[1][j]
        except Exception:  # f is not defined there, so it does not fall
            return False
        if not slope < 0:
            return False
    return True
