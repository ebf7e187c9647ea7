"""Products with a constant that picks an entry, as Z = [1, 0] of a state space model does: reads of it.

    np.array([1.0, 0.0]) @ P                 P[0]
    P @ np.array([1.0, 0.0])                 P[:, 0]

Their slopes are writes at one place then, and no products with rows of zeros.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.graph.basic import Constant, Variable
from pytensor.graph.fg import FunctionGraph
from pytensor.tensor.elemwise import DimShuffle
from pytensor.tensor.math import Dot
from pytensor.tensor.variable import TensorVariable

from autoopt.ops.patterns import is_elementwise


def pick_rows(graph: FunctionGraph) -> None:
    """Replace products of matrices, one of which is a row or column of zeros but for a 1, and constant."""
    for node in graph.toposort():
        if not isinstance(node.op, Dot) or node.outputs[0].type.dtype != "float64":
            continue
        left, right = cast("list[TensorVariable]", node.inputs)
        row, column = _place(left, 0), _place(right, 1)
        if row is not None:
            graph.replace(node.outputs[0], _entry(right, row, 0))
        elif column is not None:
            graph.replace(node.outputs[0], _entry(left, column, 1))


def _place(picking: Variable, axis: int) -> int | None:
    """Return where the 1 of a constant row (axis 0) or column (axis 1) is; None if it is none."""
    node = picking.owner
    if node and isinstance(node.op, DimShuffle) and node.op.new_order == (("x", 0) if axis == 0 else (0, "x")):
        picking = node.inputs[0]
    if is_elementwise(picking, ps.Cast):
        picking = picking.owner.inputs[0]
    if not isinstance(picking, Constant) or picking.type.ndim not in (1, 2):
        return None
    if picking.type.ndim == 2 and picking.data.shape[axis] != 1:
        return None
    entries = picking.data.ravel()
    place = int(np.argmax(entries)) if entries.size else 0
    return place if np.array_equal(entries, np.arange(entries.size) == place) and entries.size > 1 else None


def _entry(matrix: TensorVariable, place: int, axis: int) -> Variable:
    """Return one row (axis 0) or column of a matrix of float64, as a matrix."""
    node = matrix.owner
    if node and isinstance(node.op, DimShuffle) and node.op.new_order == ((0, "x") if axis == 0 else ("x", 0)):
        return pt.cast(node.inputs[0][place], "float64")[None, None]
    found = pt.cast(matrix[place] if axis == 0 else matrix[:, place], "float64")
    return found[None] if axis == 0 else found[:, None]
