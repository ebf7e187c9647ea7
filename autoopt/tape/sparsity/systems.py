"""Rules of linear algebra: one matrix of a stack has nothing to do with the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from autoopt.tape.sparsity.reductions import along
from autoopt.tape.sparsity.rules import NAMES, Given, Operand, Several, Unknown, follows

_OF_MATRIX = (
    *(np.linalg.inv, np.linalg.det, np.linalg.slogdet, np.linalg.cholesky, np.linalg.pinv, np.linalg.eigvalsh),
    *(np.linalg.eigh, np.linalg.svd, np.linalg.svdvals, np.linalg.qr, np.linalg.matrix_power),
)


@follows(*_OF_MATRIX)
def of_matrix(walk: Any, given: Given) -> Any:
    """All entries of a matrix meet, and all of the results depend on them."""
    matrix = given.args[0]
    if not isinstance(matrix, Operand):
        raise Unknown
    return _stacked(walk, given, [(matrix, 2)])


@follows(np.linalg.solve)
def solve(walk: Any, given: Given) -> Any:
    """A matrix with its right-hand side."""
    matrix, right = given.args
    axes = 1 if isinstance(right, Operand) and len(walk.steps[right.step].shape) == 1 else 2
    return _stacked(walk, given, [(matrix, 2), (right, axes)])


def _stacked(walk: Any, given: Given, operands: list[tuple[Any, int]]) -> Any:
    """Return what depends on the last axes of operands, stacked along the others."""
    lead = np.zeros((), dtype=np.int64)
    for operand, axes in operands:
        if not isinstance(operand, Operand):
            continue
        count = len(walk.steps[operand.step].shape)
        kept = along(walk, operand.step, tuple(range(count - axes, count)))
        lead = walk.pool.union(lead, kept.reshape(kept.shape[: count - axes]))
    walk.interactions.within(lead)
    if given.step.dtype.kind == "O":
        return Several(lead)
    return lead.reshape(lead.shape + (1,) * (len(given.step.shape) - lead.ndim))


NAMES.update({"inv": of_matrix, "det": of_matrix, "cholesky": of_matrix, "expm": of_matrix, "pinvh": of_matrix})
