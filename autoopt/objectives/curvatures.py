"""Whether a Hessian that was derived as a whole is that of the gradient: compared once for each path.

Along a direction in which all parameters move, a block that is missing or misplaced shows.
"""

from __future__ import annotations

import numpy as np

from autoopt.objectives import changes
from autoopt.objectives.dispatch import Dispatch


def is_that_of_gradient(dispatch: Dispatch, x: np.ndarray, hessian: np.ndarray) -> bool:
    """Whether `hessian`, shape (n, n), if it is finite, is how the gradient changes at `x`, to first order."""
    random = np.random.default_rng(0)
    direction = random.choice([-1.0, 1.0], x.size) * random.uniform(0.5, 1.0, x.size) * np.maximum(1.0, np.abs(x))

    def gradient(y: np.ndarray) -> np.ndarray:
        return dispatch.by_convention("value_and_grad", y)[1]

    with np.errstate(all="ignore"):
        own, size = hessian @ direction, np.abs(hessian) @ np.abs(direction)
        if not np.isfinite(size).all() or changes.agrees(gradient, x, direction, own, size):
            return True
        return changes.is_same(own, dispatch.run("hessp", x, direction), size)
