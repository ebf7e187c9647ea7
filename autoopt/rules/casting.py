"""Integers and single precision among the operands of a calculation in double precision.

    y * z                       y of uint8, z of float64: NumPy makes float64 of y first
    X.T @ (p - y)               its derivative, equal in real numbers to
    X.T @ (p + (-y))            which is wrong if it is uint8 that is negated

NumPy casts an operand where it meets another type; algebra moves it to where it meets one of its own, where -y, y * y
and y + y wrap round. So what an operation of NumPy casts is cast, in the graph, before it: what is regrouped then is
float64. What the user calculates of integers alone stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, cast

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from autoopt.ops.operands import converted
from autoopt.tape.operations import greatest, least, pack, product, put, put_add, total
from autoopt.tape.tape import PARAMETER, Slot, Step, Tape

_JOINED: frozenset[Callable] = frozenset(
    getattr(np, name)
    for name in (
        *("concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "append", "array", "asarray", "insert"),
        *("dot", "inner", "outer", "vdot", "tensordot", "einsum", "kron", "cross", "convolve", "correlate", "trace"),
        *("where", "select", "choose", "clip", "average", "trapezoid", "interp", "polyval", "block", "diff", "cov"),
    )
) | {total, product, greatest, least, pack, put, put_add, np.linalg.solve, np.linalg.multi_dot}
"""Functions that are no ufuncs and give all arrays that they are given the type of their result."""

_KEPT: dict[Any, tuple[int, ...]] = {np.where: (0,), np.select: (0,), np.choose: (0,), put: (1,), put_add: (1,)}
"""Their arguments that are conditions or positions."""


def cast_in(step: Step, dtypes: Sequence[np.dtype]) -> frozenset[int]:
    """Return which operands of a step, of these types, NumPy casts to float64 before it calculates."""
    narrow = [k for k, dtype in enumerate(dtypes) if dtype.kind in "biuf" and dtype != np.float64]
    if not narrow:
        return frozenset()
    if isinstance(step.operation, np.ufunc):
        loop = _loop(step.operation, tuple(dtypes[: step.operation.nin]))
        return frozenset(k for k in narrow if k < len(loop) and loop[k] == np.float64)
    if step.operation not in _JOINED or step.dtype != np.float64:
        return frozenset()
    kept = _KEPT.get(step.operation, ())
    if step.template is None:
        return frozenset(k for k in narrow if k not in kept)
    positions = {slot.position for place in kept for slot in _slots(step.template[0][place : place + 1])}
    return frozenset(narrow) - positions


def _slots(part: Any) -> Iterator[Slot]:
    if type(part) is Slot:
        yield part
    elif isinstance(part, slice):
        yield from _slots((part.start, part.stop, part.step))
    elif isinstance(part, tuple | list):
        for item in part:
            yield from _slots(item)


@cache
def _loop(ufunc: np.ufunc, dtypes: tuple[np.dtype, ...]) -> tuple[np.dtype, ...]:
    """Return the types in which a ufunc calculates; none if it does not take these."""
    try:
        return ufunc.resolve_dtypes((*dtypes, *[None] * (ufunc.nin - len(dtypes)), *[None] * ufunc.nout))
    except (TypeError, ValueError):
        return ()


def in_floats(step: Step, operands: Sequence[Any]) -> list[Any]:
    """Return the operands of a step, those in float64 that NumPy casts to it."""
    dtypes = [np.dtype(v.type.dtype) if hasattr(v, "type") and hasattr(v.type, "dtype") else _FLOAT for v in operands]
    cast_ = cast_in(step, dtypes)
    found = [_float(v) if k in cast_ and not _is_mask(v) else v for k, v in enumerate(operands)]
    return [int(v) if isinstance(v, np.integer) and v.dtype != np.int64 else v for v in found]


_FLOAT = np.dtype(np.float64)


def _is_mask(variable: Variable) -> bool:
    """Whether a variable is one of booleans, which the rules tell from numbers."""
    return bool(variable.type.dtype == "bool")


def _float(variable: Variable) -> Variable:
    if variable.type.dtype == "int64" and isinstance(variable, pt.TensorConstant):
        return variable  # which is wide enough for what is written in a program
    return cast(Variable, converted(cast(Any, variable), "float64"))


def read_as_floats(tape: Tape) -> set[int]:
    """Return the steps below parameter level whose every reader calculates with them in float64."""
    found: dict[int, bool] = {}
    for step in tape.steps:
        if step.level != PARAMETER:
            continue
        cast_ = cast_in(step, [tape.steps[source].dtype for source in step.inputs])
        for k, source in enumerate(step.inputs):
            if tape.steps[source].level != PARAMETER:
                found[source] = found.get(source, True) and k in cast_
    return {source for source, always in found.items() if always}
