"""Comparisons of numbers that move with the parameters: where they are equal, a branch may be of that point alone.

Such places are noted on the tape; the derivative there is compared (`objectives/equalities.py`) before it is given out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoopt.tape.tape import PARAMETER
from autoopt.tracing.recording.recorder import Recorder

_STAIRS = frozenset((np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round, np.floor_divide, np.heaviside))
"""What has whole numbers as results is equal to one everywhere."""

_SMALL = 1e-3


def by_equality(tracer: Recorder, ufunc: Callable, inputs: Sequence[Any], result: Any) -> None:
    """Guard that numbers become equal, or stay so, as they do at single points; note that they are."""
    moving = [operand for operand in inputs if type(operand) is tracer.array and operand.level == PARAMETER]
    steps = [tracer.steps[operand.step] for operand in moving]
    if any(step.dtype.kind != "f" or step.operation in _STAIRS for step in steps):
        return
    if len(moving) == 2 and (
        moving[0].step == moving[1].step or (ufunc is np.not_equal and _comes_to_rest(tracer, *moving))
    ):
        return
    equal = np.any(result.value if ufunc is np.equal else np.logical_not(result.value))
    if result.ndim:
        result = tracer.call(np.any if ufunc is np.equal else np.all, (result,), {})
    tracer.guard(result, "bool", bool(result.value))
    if equal:
        tracer.tape.equalities.append(tracer.site())


def _comes_to_rest(tracer: Recorder, one: Any, other: Any) -> bool:
    """Whether two numbers were close when they were last compared here, as those are that converge."""
    site, size = tracer.site(), np.max(np.abs(one.value), initial=0.0)
    before, tracer.gaps[site] = tracer.gaps.get(site, np.inf), np.max(np.abs(one.value - other.value), initial=0.0)
    return bool(before <= _SMALL * size)


def by_size(tracer: Recorder, ufunc: Callable, inputs: Sequence[Any], result: Any) -> None:
    """Note a distance that is 0 when it is first compared: a loop that goes on until it is small ends too early."""
    site = tracer.steps[result.step].site
    if site not in tracer.compared and not result.ndim:
        one, other = inputs if tracer.level(inputs[0]) == PARAMETER else reversed(inputs)
        if tracer.concrete(one) == 0.0 < abs(tracer.concrete(other)) <= _SMALL:
            tracer.tape.equalities.append(site)
    tracer.compared.add(site)


COMPARISONS: dict[Callable, Callable] = {
    np.equal: by_equality,
    np.not_equal: by_equality,
    np.less: by_size,
    np.less_equal: by_size,
    np.greater: by_size,
    np.greater_equal: by_size,
}
