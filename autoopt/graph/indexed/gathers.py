"""Factors that are read at positions along both of their axes, one axis after the other.

W.T[c].T[r]          crossed(W, r, c)
W[r].T[c]            crossed(W.T, c, r)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.variable import TensorVariable

from autoopt.ops.crossed import crossed
from autoopt.ops.patterns import applied, rank
from autoopt.ops.releases import GATHERS


def with_joint_reads(variables: Sequence[Variable]) -> list[Variable]:
    """Return `variables` with every matrix that is read along both axes read at once."""
    new = {v: joint for v in ancestors(variables) if (joint := _read_together(v)) is not None}
    return clone_replace(list(variables), new) if new else list(variables)


def _read_together(variable: Variable) -> Variable | None:
    """Return rows of a transpose of rows as what is read at once; None if it is anything else."""
    outer = _rows(variable)
    below = _turned(outer[0]) if outer else None
    inner = _rows(below) if below is not None else None
    if outer is None or inner is None:
        return None
    plain = _turned(inner[0])
    matrix = cast(TensorVariable, inner[0]).dimshuffle(1, 0) if plain is None else plain
    return applied(crossed, matrix, outer[1], inner[1])


def _turned(variable: Variable) -> Variable | None:
    """Return what a matrix is the transpose of."""
    node = variable.owner
    return node.inputs[0] if node and isinstance(node.op, DimShuffle) and node.op.new_order == (1, 0) else None


def _rows(variable: Variable) -> tuple[Variable, Variable] | None:
    """Return the matrix and the positions that rows are read at."""
    node = variable.owner
    if node is None or not isinstance(node.op, GATHERS) or len(node.inputs) != 2 or rank(node.inputs[1]) != 1:
        return None
    if rank(node.inputs[0]) != 2 or getattr(node.op, "idx_list", (0,)) != (0,) or node.inputs[1].type.dtype == "bool":
        return None
    return node.inputs[0], node.inputs[1]
