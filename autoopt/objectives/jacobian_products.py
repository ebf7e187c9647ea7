"""The derivative of an array-valued objective at a point as a linear map, and its transpose: of one vector or many."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autoopt.errors import UsageError
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.products import Products


class JacobianProducts:
    """The products with the Jacobians of one objective.

    Parameters
    ----------
    dispatch : Dispatch
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self.dispatch = dispatch
        self._pushes, self._pulls = Products(dispatch, "pushforward_columns"), Products(dispatch, "pullback_columns")

    def pushed(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        """Return the Jacobian times `p`, shape (n,) or (n, k)."""
        if p.ndim == 1:
            return self.dispatch.run("pushforward", x, p)
        return self._pushes.at(x, p, prod(self.result_shape(x)))

    def pulled(self, x: np.ndarray, w: Any) -> np.ndarray:
        """Return the transposed Jacobian times the weights `w`: f's shape, or flat, shape (m,), or (m, k)."""
        w, shape = np.asarray(w, dtype=np.float64), self.result_shape(x)
        count = prod(shape)
        if w.shape in ((count,), shape):
            return self.dispatch.run("pullback", x, w.reshape(-1))
        if w.ndim == 2 and w.shape[0] == count:
            return self._pulls.at(x, w, x.size)
        raise UsageError(
            f"The weights have shape {w.shape}, but f's result has shape {shape}.",
            remedy="pass one weight for each entry of the result, or a matrix with a row for each.",
        )

    def result_shape(self, x: np.ndarray) -> tuple[int, ...]:
        """Return the shape of f's result at `x`: where it may be another one, from its value there."""
        path = self.dispatch.paths[0]
        tape = path.trace.tape
        if len(self.dispatch.paths) > 1 or tape.guards or not path.trace.watched.complete:
            return self.dispatch.original.result(x).shape
        return tape.steps[tape.output].shape
