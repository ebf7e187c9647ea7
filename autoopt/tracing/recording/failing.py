"""Calculations that may raise: that one returned is an answer that Python got, and the objective may go on otherwise.

    try:
        np.linalg.cholesky(A)               a step that nothing reads, and that raises where A is not positive definite
    except np.linalg.LinAlgError:
        return 100.0

What fails by raising in the original raises or is NaN in the code that is printed of the tape. So "it returned" becomes
the question whether the result is finite, a guard like any other, which keeps the step alive. It is asked where the
user's code would catch the exception, and of steps that nothing else reads. What has no such form - the calculation has
no rule, or is a search of SciPy's - makes the record one that holds at its own point only.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

import numpy as np

from autoopt.origin import is_library
from autoopt.tape.simplify import needed_steps
from autoopt.tracing.recording.recorder import Recorder

RETURNING = frozenset((np.add, np.subtract, np.multiply, np.negative, np.positive, np.absolute, np.maximum, np.minimum))
"""What Python's numbers do without ever raising; all else on them may."""

_TOTAL = frozenset(
    ("norm", "det", "slogdet", "trace", "diagonal", "outer", "matmul", "multi_dot", "cross", "vecdot", "tensordot",
     "matrix_transpose", "vector_norm", "matrix_norm", "block_diag", "toeplitz", "hankel", "circulant", "kron",
     "khatri_rao")
)  # fmt: skip
"""Functions of the rooms of linear algebra that return whatever the numbers are."""

FINITE = frozenset(
    ("cholesky", "cho_factor", "cho_solve", "inv", "solve", "solve_triangular", "eigh", "eigvalsh", "eig", "eigvals",
     "svd", "svdvals", "pinv", "pinvh", "qr", "polar", "lu", "lu_factor", "lu_solve", "matrix_power", "matrix_rank",
     "expm", "sqrtm", "logm", "fractional_matrix_power", "signm", "cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm")
)  # fmt: skip
"""Functions that have a rule, whose result is finite if they return."""


_CALLER = 3
"""How many frames above is who called the tracer."""


def may_raise(function: Callable) -> bool:
    """Whether a function may raise because of the numbers that it is given."""
    module = getattr(function, "__module__", None) or ""
    return module.startswith(("numpy.linalg", "scipy.linalg")) and function.__name__ not in _TOTAL


def returned(tracer: Recorder, function: Callable, result: Any, operands: Any = ()) -> None:
    """Note that a function of arrays that depend on the parameters, which may raise, has returned `result`."""
    handled = is_handled(tracer, _CALLER)
    if function.__name__ not in FINITE:
        tracer.tape.caught = tracer.tape.caught or handled
        return
    first = result[0] if isinstance(result, tuple | list) else result
    if type(first) is not tracer.array or first.dtype.kind != "f":  # a rank, or complex numbers
        first = next((part for part in operands if type(part) is tracer.array and part.dtype.kind == "f"), None)
    if first is None:
        tracer.tape.caught = tracer.tape.caught or handled
    elif handled:
        _guard(tracer, first)
    else:
        tracer.attempts.append(first)


def returned_number(tracer: Recorder, result: Any) -> None:
    """Note that an operation on Python's numbers that depend on the parameters, which may raise, has returned."""
    if is_handled(tracer, _CALLER):
        _guard(tracer, result)
    else:
        tracer.attempts.append(result)


def keep(tracer: Recorder, result: Any) -> None:
    """Note that a search of SciPy's, which raises where it finds nothing, has returned `result`."""
    if is_handled(tracer, _CALLER):
        _guard(tracer, result)
    else:
        tracer.attempts.append(result)


def _guard(tracer: Recorder, result: Any) -> None:
    """Add the guard that `result` is finite; where it is not although nothing was raised, nothing follows from it.

    Of an array the sum is asked, which loops on a tape have in common with what they compute otherwise.
    """
    total = np.sum(result) if result.ndim else result
    if not np.isfinite(total.value):
        tracer.tape.caught = True
        return
    tracer.guard(tracer.elementwise(np.isfinite, (total,)), "finite" if result.ndim else "bool", True)


def keep_unread(tracer: Recorder) -> None:
    """Guard what may raise and has no reader, the run over: it was calculated to see whether it can be."""
    if not tracer.attempts:
        return
    needed = needed_steps(tracer.tape)
    for result in tracer.attempts:
        if not needed[result.step]:
            _guard(tracer, result)


# Where an exception would be caught -----------------------------------------------------------------------------------

_ranges: dict[int, tuple[CodeType, list[tuple[int, int]]]] = {}


def is_handled(tracer: Recorder, above: int = 1) -> bool:
    """Whether the user's code would catch an exception that is raised now: it is within a `try` or `with`."""
    frame, outside = sys._getframe(above), tracer.outside
    while frame is not None and id(frame) != outside:
        code = frame.f_code
        if code.co_exceptiontable and not is_library(code):
            place = frame.f_lasti
            if any(start <= place < end for start, end in _handlers(code)):
                return True
        frame = frame.f_back
    return False


def _handlers(code: CodeType) -> list[tuple[int, int]]:
    """Return the ranges of instructions that a handler of the user's guards; Python adds others of its own."""
    known = _ranges.get(id(code))
    if known is None or known[0] is not code:
        starts = {place.offset for place in dis.get_instructions(code) if place.opname == "PUSH_EXC_INFO"}
        entries = dis._parse_exception_table(code)  # type: ignore[attr-defined]
        known = _ranges[id(code)] = (code, [(e.start, e.end) for e in entries if e.target in starts])
    return known[1]
