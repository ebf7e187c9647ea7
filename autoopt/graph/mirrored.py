"""Which arrays of the data are symmetric matrices by how they are computed, as the distances between points are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytensor.tensor as pt
import scipy.linalg
from pytensor.graph.basic import Variable

from autoopt.graph.rewrites.symmetric import Symmetry, is_identity
from autoopt.rules import find
from autoopt.tape.names import qualified
from autoopt.tape.tape import CONSTANT, PARAMETER, Tape, call

_ASKING = {
    np.linalg.cholesky, np.linalg.solve, np.linalg.inv, np.linalg.slogdet, np.linalg.det, scipy.linalg.cholesky,
    scipy.linalg.cho_factor, scipy.linalg.solve, scipy.linalg.inv, scipy.linalg.det,
}  # fmt: skip
"""Operations on matrices whose derivatives are simpler where these are symmetric."""

IDENTITIES = (np.eye, np.identity)


def mark_symmetric(tape: Tape, inputs: Mapping[int, Variable]) -> None:
    """Note which inputs of a graph are symmetric for all data, or identities, if that matters: in their tags."""
    square = [k for k in inputs if len(shape := tape.steps[k].shape) == 2 and shape[0] == shape[1] > 1]
    if not square or not any(step.level == PARAMETER and step.operation in _ASKING for step in tape.steps):
        return
    data, known = _Data(tape), Symmetry()
    for index in square:
        made = pt.as_tensor(data.variable(index))
        inputs[index].tag.symmetric = known.is_matrix(made)
        inputs[index].tag.identity = is_identity(made)


class _Data:
    """The steps below the parameters as PyTensor sees them."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.variables: dict[int, Any] = {}

    def variable(self, index: int) -> Any:
        """Return a variable, or plain value, for a step."""
        if index not in self.variables:
            self.variables[index] = self.made(index)
        return self.variables[index]

    def made(self, index: int) -> Any:
        step = self.tape.steps[index]
        if step.operation is None:
            value: Any = self.tape.values.get(index)
            if step.level == CONSTANT and np.ndim(value) == 0:
                return value
        else:
            try:
                operands = [self.variable(source) for source in step.inputs]
                made = self.called(index, operands)
                if isinstance(made, Variable) and made.type.shape == step.shape:
                    return made
            except Exception:  # nothing is known of it then
                pass
        unknown = pt.tensor(dtype=str(step.dtype) if step.dtype.kind in "fib" else "float64", shape=step.shape)
        unknown.tag.symmetric = step.operation is not None and qualified(step.operation).endswith("distance.squareform")
        return unknown

    def called(self, index: int, operands: list) -> Any:
        step = self.tape.steps[index]
        if step.operation in IDENTITIES and step.shape[0] == step.shape[1]:
            return pt.eye(step.shape[0])
        rule = find(step.operation)
        return None if rule is None else call(step, operands, rule.build)
