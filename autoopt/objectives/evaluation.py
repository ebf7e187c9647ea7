"""What one path gives at a point, and whether that is what the objective has there.

The compiled code of a path is run; where that alone does not settle a derivative, others are asked in turn:

    kinks are met                           one_sided       the limits on both sides
    a derivative that is not finite         spectra, then one_sided
    Python's numbers, NaN or inf            the path is not taken: Python may have raised, and the objective gone on
    texts, whole numbers of parameters      unfollowed      the first gradient beside the objective's values
    numbers found equal                     equalities      the same, and the branch that holds around
    numbers found by decisions              decisions       the same, for each order

Nothing here chooses the path: `dispatch.py` does.
"""

from __future__ import annotations

from contextvars import copy_context
from enum import Enum
from typing import Any, Final, Protocol

import numpy as np

from autoopt.errors import TracingError
from autoopt.execution.engines import Compiled
from autoopt.graph.kinds import KINDS
from autoopt.objectives import changes, decisions, equalities, one_sided, spectra, unfollowed
from autoopt.objectives.compilation import Compiler
from autoopt.objectives.differentiable import Branching
from autoopt.objectives.original import Original
from autoopt.objectives.paths import Path


class Answer(Enum):
    """What a path may give in place of a number."""

    NOT_TAKEN = "the objective does not take this path at this point"


NOT_TAKEN: Final = Answer.NOT_TAKEN

QUIET = copy_context()
"""Where NumPy's warnings are off: entering a copy costs a tenth of what np.errstate does."""
QUIET.run(np.seterr, all="ignore")


class Paths(Branching, Protocol):
    """What is asked of the objective whose path is evaluated."""

    @property
    def original(self) -> Original: ...

    @property
    def compiler(self) -> Compiler: ...


def on_path(paths: Paths, path: Path, kind: str, x: np.ndarray, *direction: np.ndarray, settle: bool = True) -> Any:
    """Return what `path` gives at `x`; NOT_TAKEN if the objective does not take it there.

    Where kinks are met both sides are looked at, unless `settle` is False: then the conventions count.
    """
    compiled = path.compiled.get(kind) or paths.compiler.compiled(path, kind)
    if path.trace.tape.caught and not np.array_equal(x, path.point):
        return NOT_TAKEN
    try:
        try:
            result = compiled.run(x, *direction)
        except compiled.tied as met:
            if not settle:
                return compiled.by_convention(x, *direction)
            result = one_sided.settled(paths, compiled, kind, x, met.args[0], *direction)
            if compiled.stationary:  # as long as the data are what they are
                path.keep()
    except _changes(compiled):
        return NOT_TAKEN
    row = KINDS[kind]
    if row.order and not one_sided.is_finite(row.derivative(result)):
        result = spectra.settled(compiled, kind, x, result, *direction)
        if settle and not one_sided.is_finite(row.derivative(result)):
            result = one_sided.settled(paths, compiled, kind, x, 0, *direction)
    return _witnessed(paths, path, kind, x, result, *direction) if settle else result


def beside(paths: Any, x: np.ndarray) -> Any:
    """Return value and gradient on the path of the dispatch that was taken last; None if it is not taken at `x`.

    Nothing is traced or compiled for it, and kinks have the slopes of their rules.
    """
    path = paths.paths[0]
    if paths.eager is not None or "value_and_grad" not in path.compiled:
        return None
    result = QUIET.copy().run(on_path, paths, path, "value_and_grad", x, settle=False)
    return None if result is NOT_TAKEN else result


def with_other_counts(
    paths: Paths, path: Path, kind: str, x: np.ndarray, *direction: np.ndarray, settle: bool = True
) -> Any:
    """Return what `path` gives where its loops take numbers of iterations that each have been met, but not together.

    A trace would show this path, unless the objective uses the numbers in a way that the tape does not show; then its
    value would be another one. So they are allowed, from now on, if the value here is that of the user's function.
    """
    asked = path.asked(kind)
    if asked is None or path.trace.tape.equalities:
        return NOT_TAKEN
    try:
        with path.admitted(asked):
            result = on_path(paths, path, kind, x, *direction, settle=settle)
            if result is NOT_TAKEN or not agrees(paths, path, x):
                raise _Otherwise
    except _Otherwise:
        return NOT_TAKEN
    return result


class _Otherwise(Exception):
    """The objective goes another way."""


def _witnessed(paths: Paths, path: Path, kind: str, x: np.ndarray, result: Any, *direction: np.ndarray) -> Any:
    """Return the result on a path, compared with the objective's own values where it may not be what these have."""
    tape, original, row = path.trace.tape, paths.original, KINDS[kind]
    if tape.python_numbers:  # where NumPy gives inf or NaN, Python may have raised, and the objective gone on
        if row.valued:
            if not np.isfinite(row.value(result)).all():
                return NOT_TAKEN
        elif original.scalar and not _is_finite(paths, path, x):
            return NOT_TAKEN
    if not path.compared and row.order:
        _compare_first(paths, path, kind, x, result)
    if tape.equalities and row.order:
        result = equalities.settled(paths, path, kind, x, result, *direction)
    if original.scalar and decisions.wants(path, kind):
        try:
            decisions.compare(original.value, path, kind, x, result, *direction)
        except TracingError:
            path.compiled.clear()
            raise
    if row.order == 2 and row.directed and not path.product_compared and "value_and_grad" in path.compiled:
        path.product_compared = True
        with np.errstate(all="ignore"):
            result = _compared_product(paths, path, kind, x, result, *direction)
    return result


def _compared_product(
    paths: Paths, path: Path, kind: str, x: np.ndarray, product: np.ndarray, direction: np.ndarray
) -> np.ndarray:
    """Return the first product on a path; step by step, from now on, if that and the gradients say another one."""

    def gradient(y: np.ndarray) -> np.ndarray | None:
        found = on_path(paths, path, "value_and_grad", y, settle=False)
        return None if found is NOT_TAKEN else found[1]

    length = np.abs(direction).max(initial=0.0)
    if direction.ndim > 1 or not length or not np.isfinite(product).all() or not np.isfinite(length):
        return product
    scale = max(1.0, np.abs(x).max()) / length
    size = np.abs(scale * product) + np.abs(scale * product).max()
    if changes.agrees(gradient, x, scale * direction, scale * product, size):
        return product
    try:
        stepwise = paths.compiler.stepwise(path, kind)
        other = stepwise.run(x, direction)
    except Exception:  # nothing to decide by
        return product
    if changes.is_same(product, other, size / scale):
        return product
    size = np.abs(scale * other) + np.abs(scale * other).max()
    if not np.isfinite(other).all() or not changes.agrees(gradient, x, scale * direction, scale * other, size):
        return product
    path.compiled[kind] = stepwise
    return other


def _compare_first(paths: Paths, path: Path, kind: str, x: np.ndarray, result: Any) -> None:
    """Compare the first gradient of a path on which texts or whole numbers were made of the parameters."""
    path.compared = True
    original = paths.original
    first = "value_and_grad" if original.scalar else "jacobian"
    own = result if kind == first and np.array_equal(x, path.point) else on_path(paths, path, first, path.point)
    if own is NOT_TAKEN:
        return
    try:
        unfollowed.compare(original.array, path, KINDS[first].derivative(own))
    except TracingError:
        path.compared = False
        raise


def _is_finite(paths: Paths, path: Path, x: np.ndarray) -> bool:
    """Whether the value on `path` is finite at `x`: looked at once for all derivatives of a point."""
    if path.finite is not None and np.array_equal(path.finite, x):
        return True
    if on_path(paths, path, "value", x) is NOT_TAKEN:
        return False
    path.finite = x.copy()
    return True


def agrees(paths: Paths, path: Path, x: np.ndarray) -> bool:
    """Whether the value on `path` is that of the user's function; True if the path is not taken at `x`."""
    with np.errstate(all="ignore"):
        derived = on_path(paths, path, "value", x, settle=False)
        if derived is NOT_TAKEN:
            return True
        try:
            own = paths.original.array(x)
        except Exception:  # which comes up where it is the user's point
            return True
        return bool(np.allclose(derived, own, rtol=1e-8, atol=1e-12, equal_nan=True))


def meets_kinks(path: Path, x: np.ndarray) -> bool:
    """Whether the gradient on `path` meets kinks at `x`, or numbers that are equal, that are not so everywhere."""
    compiled = path.compiled.get("value_and_grad")
    if compiled is None or path.trace.tape.equalities:
        return bool(path.trace.tape.equalities)
    if not compiled.tied:  # there are none
        return False
    try:
        QUIET.copy().run(compiled.run, x)
    except compiled.tied:
        return True
    except Exception:  # another path is taken there
        return False
    return False


def _changes(compiled: Compiled) -> tuple[type[Exception], ...]:
    """Return the exceptions that say that the objective goes another way, or raises.

    Besides those of the guards: int() of NaN, a position beyond the end, a search that finds no root.
    """
    changed = (compiled.changed,) if isinstance(compiled.changed, type) else compiled.changed
    return (*changed, np.linalg.LinAlgError, ValueError, OverflowError, IndexError, RuntimeError)
