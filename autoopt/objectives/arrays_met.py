"""Arrays on a tape that are hardly meant: a column against a row, whole numbers of few bits that may wrap around."""

from __future__ import annotations

import numpy as np

from autoopt.tape.tape import PARAMETER, Leaf, Step, Tape

_ARITHMETIC = (np.add, np.subtract, np.multiply)
_OF_RESIDUALS = frozenset(
    (
        *(*_ARITHMETIC, np.square, np.power, np.absolute, np.negative, np.true_divide, np.minimum, np.maximum),
        *(np.where, np.less, np.greater, np.less_equal, np.greater_equal),
    )
)
_OF_MARGINS = _OF_RESIDUALS | {np.exp, np.log1p, np.logaddexp}
"""What losses are made of, of differences and of products; a kernel of all pairs has exponentials of differences."""

_NARROW = ("int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64")
_SUMS = ("sum", "mean", "average", "std", "var", "nansum", "nanmean", "dot", "vdot")
_MOST = 5000
"""Steps of a tape that are looked at: those of an objective that is written out are fewer."""


def are_suspicious(tape: Tape) -> bool:
    """Whether a column meets a row on the tape, or whole numbers of few bits are calculated with."""
    steps = tape.steps[:_MOST]
    return any(overflowing(step) or (_is_of_square(step) and is_square(tape, k)) for k, step in enumerate(steps))


def overflowing(step: Step) -> bool:
    """Whether a step is arithmetic on whole numbers that may wrap around."""
    return step.dtype.kind in "iu" and step.operation in _ARITHMETIC and step.dtype.name in _NARROW


def _is_of_square(step: Step) -> bool:
    return len(step.inputs) == 2 and len(step.shape) == 2 and step.shape[0] == step.shape[1] > 1


def is_square(tape: Tape, index: int) -> bool:
    """Whether step `index` takes (n,) from (n, 1), or the like, of the data, and all entries are then added up.

    A distance of all pairs does that, too, of one array with itself, or of one with another axis that is written out:
    what counts is a column that was passed as one, or is a product with one.
    """
    step, steps = tape.steps[index], tape.steps
    if not (_is_of_square(step) and step.level == PARAMETER and step.operation in (np.subtract, np.add, np.multiply)):
        return False
    count = step.shape[0]
    if {steps[source].shape for source in step.inputs} != {(count, 1), (count,)}:
        return False
    column = next(source for source in step.inputs if steps[source].shape == (count, 1))
    return _is_given(tape, column) and _is_added_up(tape, index)


def _is_given(tape: Tape, index: int) -> bool:
    """Whether a column is one of the data, or computed entry by entry or by a product with a matrix of columns."""
    step = tape.steps[index]
    if step.operation is None:
        return isinstance(step.template, Leaf)
    if getattr(step.operation, "__name__", "") in ("matmul", "dot"):
        return True
    if not isinstance(step.operation, np.ufunc):
        return False
    return any(tape.steps[k].shape == step.shape and _is_given(tape, k) for k in step.inputs)


def _is_added_up(tape: Tape, index: int) -> bool:
    """Whether nothing becomes of the entries of a step but sums of all of them, entry by entry before."""
    shape = tape.steps[index].shape
    entrywise = _OF_MARGINS if tape.steps[index].operation is np.multiply else _OF_RESIDUALS
    waiting, summed = {index}, False
    for k, step in enumerate(tape.steps[index + 1 :], start=index + 1):
        if waiting.isdisjoint(step.inputs):
            continue
        if step.shape == shape and step.operation in entrywise:
            waiting.add(k)
        elif step.shape == () and (getattr(step.operation, "__name__", "") in (*_SUMS, "reduce")):
            summed = True
        else:
            return False
    return summed
