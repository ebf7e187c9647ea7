"""What a search of SciPy finds, as one step of the tape: the equation is traced once, at the root that was found.

    brentq(lambda z: z**3 + np.exp(p[0]) * z - y, lo, hi)

    a fresh unknown     with the value of the root; the user's function of it is traced: steps that depend on it
    the equation        these steps, what they read besides being operands         `autoopt.tape.root.Root`
    the step            Root(lo, hi, operands)

An equation that takes a branch, has kinks, or may raise is another one elsewhere than at the root, where the search
goes; then there is no such step, and `roots.py` has another way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autoopt.tape.batching.batching import SMALL, vectorise
from autoopt.tape.kinks import find_kinks
from autoopt.tape.recurrence import Known
from autoopt.tape.root import Root
from autoopt.tape.tape import CONSTANT, PARAMETER, Leaf, Step, Tape
from autoopt.tracing.recording import failing
from autoopt.tracing.recording.recorder import Recorder

LONGEST = 400
"""An equation of more steps, its loops being array steps, is not searched step by step."""

_FLOAT = np.dtype(float)
_SMOOTH_BUT_AT_AN_END = (np.sqrt, np.cbrt)
"""Their slope is infinite where they have a kink, so it is seen."""


def unknown() -> float:
    """Stand for the unknown of an equation; what reads it outside of the equation cannot be followed."""
    raise RuntimeError("what the equation of a root was asked for is not known outside of it")


unknown.__name__, unknown.__module__ = "the unknown of a root outside of its equation", ""  # as a refusal calls it


def root_step(
    tracer: Recorder,
    search: str,
    functions: Mapping[str, Callable],
    starts: Sequence[Any],
    options: Mapping[str, Any],
    found: Any,
) -> Any:
    """Return the root as a step of the tape; None if its equation is no straight run of smooth steps.

    Parameters
    ----------
    tracer : Recorder
    search : str
        The function of scipy.optimize.
    functions : mapping of str to callable
        What it is given, by the names of its options, the equation itself under "".
    starts : sequence
        Where it starts, traced or not.
    options : mapping
    found : float or ndarray
        What it has found in this run.
    """
    if not all(_is_plain(value) for value in options.values()) or np.asarray(found).dtype != _FLOAT:
        return None
    mark, noted = len(tracer.steps), _Noted(tracer)
    z = tracer.record(unknown, (), ((), {}), np.array(found)[()], PARAMETER)
    values = {name: tracer.whole(function(z)) for name, function in functions.items()}
    results = {name: value.current() for name, value in values.items() if type(value) is tracer.array}
    noted.drop_roots()
    if noted.more() or len(results) < len(values):
        noted.take_back()
        return None
    traced = _Equation(tracer.tape, mark)
    body = traced.body(list(results.values()))
    if body is None or len(body) > LONGEST or np.shape(values[""].value) != np.shape(found):
        return None
    inputs = [_step_of(tracer, start) for start in starts]
    root = Root(
        search,
        tuple(sorted(options.items())),
        len(starts),
        tuple(body),
        tuple((name, traced.number[step]) for name, step in results.items()),
        search == "fixed_point",
    )
    step = tracer.record(root, (*inputs, *traced.operands), None, np.array(found)[()], PARAMETER)
    failing.keep(tracer, step)
    return step


def is_root(tracer: Recorder, value: Any) -> bool:
    """Whether a traced value is the root that such a step finds."""
    return type(value) is tracer.array and isinstance(tracer.steps[value.current()].operation, Root)


class _Equation:
    """The steps from the unknown, step `first`, to the equation's values."""

    def __init__(self, tape: Tape, first: int) -> None:
        self.tape, self.steps, self.first = tape, tape.steps, first
        self.operands: list[int] = []
        self.number: dict[int, int] = {}  # step of the tape -> step of the body

    def body(self, results: Sequence[int]) -> list[Step] | None:
        """Return the body of a `Root`; None if there can be none."""
        moving = {self.first}
        for index in range(self.first + 1, len(self.steps)):
            if not moving.isdisjoint(self.steps[index].inputs):
                moving.add(index)
        needed: set[int] = set()
        waiting = [step for step in results if step in moving]
        while waiting:
            index = waiting.pop()
            if index not in needed:
                needed.add(index)
                waiting += [source for source in self.steps[index].inputs if source in moving]
        inner = sorted(needed - {self.first})
        if len(waiting := [step for step in results if step not in moving]) == len(results):
            return None
        read = [source for index in inner for source in self.steps[index].inputs if source not in moving]
        self.operands = list(dict.fromkeys([*read, *waiting]))
        if not all(_is_smooth(self.steps[index]) for index in inner) or any(
            self.steps[index].dtype.kind not in "fib" for index in self.operands
        ):
            return None
        if len(inner) >= SMALL and len(results) == 1:
            return self._short(inner, results[0])
        leaves = [self.first, *self.operands]
        self.number = {index: k for k, index in enumerate([*leaves, *inner])}
        body = [self.steps[index]._replace(operation=None, inputs=(), template=None) for index in leaves]
        for index in inner:
            inputs = tuple(self.number[source] for source in self.steps[index].inputs)
            body.append(self.steps[index]._replace(inputs=inputs))
        return body

    def _short(self, inner: Sequence[int], result: int) -> list[Step]:
        """Return the body with its own loops as array steps; numbers among the operands become part of it."""
        tape, number = Tape(), {}
        numbers = {k for k in self.operands if self.steps[k].operation is None and k in self.tape.values}
        numbers = {k for k in numbers if self.steps[k].level == CONSTANT and self.steps[k].shape == ()}
        self.operands = [k for k in self.operands if k not in numbers]
        for place, index in enumerate([self.first, *self.operands, *sorted(numbers), *inner]):
            step, number[index] = self.steps[index], place
            if index in numbers:
                tape.values[place] = self.tape.values[index]
            elif place <= len(self.operands):
                leaf = Leaf(f"operand_{place}", "argument" if place else "parameter")
                step = step._replace(operation=None, inputs=(), template=leaf)
                tape.values |= {place: None} if place else {}
            else:
                step = step._replace(inputs=tuple(number[source] for source in step.inputs))
            tape.steps.append(step)
        tape.output = number[result]
        tape = vectorise(tape)
        order = sorted(tape.leaves(), key=lambda index: int(tape.steps[index].template.name.split("_")[1]))
        order += [index for index in range(len(tape.steps)) if index not in set(order)]
        placed = {index: k for k, index in enumerate(order)}
        self.number = {result: placed[tape.output]}
        return [self._entered(tape, index, placed) for index in order]

    @staticmethod
    def _entered(tape: Tape, index: int, placed: Mapping[int, int]) -> Step:
        step = tape.steps[index]
        if isinstance(step.template, Leaf):
            return step._replace(template=None)
        if step.operation is None:
            return step._replace(template=Known(tape.values[index]))
        return step._replace(inputs=tuple(placed[source] for source in step.inputs))


def _is_smooth(step: Step) -> bool:
    kinked = find_kinks(step.operation) is not None and step.operation not in _SMOOTH_BUT_AT_AN_END
    return step.dtype == _FLOAT and not kinked


class _Noted:
    """What a run has noted besides steps, and what has come to it since."""

    def __init__(self, tracer: Recorder) -> None:
        self.tracer = tracer
        self.before = self._lengths()
        self.caught = tracer.tape.caught

    def _lists(self) -> tuple[list, ...]:
        tape = self.tracer.tape
        return tape.guards, tape.equalities, self.tracer.attempts

    def _lengths(self) -> list[int]:
        return [*map(len, self._lists()), len(self.tracer.tape.unfollowed)]

    def drop_roots(self) -> None:
        """Forget that searches within the equation have returned: the search around them raises where they do."""
        attempts, first = self.tracer.attempts, self.before[2]
        attempts[first:] = [value for value in attempts[first:] if not is_root(self.tracer, value)]

    def more(self) -> bool:
        return self._lengths() != self.before or self.tracer.tape.caught != self.caught

    def take_back(self) -> None:
        for notes, length in zip(self._lists(), self.before, strict=False):
            del notes[length:]
        tape = self.tracer.tape
        tape.caught = self.caught
        for place in list(tape.unfollowed)[self.before[-1] :]:
            del tape.unfollowed[place]


def _is_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(_is_plain(part) for part in value.values())
    return value is None or type(value) in (bool, int, float, str)


def _step_of(tracer: Recorder, value: Any) -> int:
    """Return the step of where a search starts."""
    value = tracer.whole(value)
    if type(value) is tracer.array:
        return value.current()
    return tracer.constant(float(value) if np.ndim(value) == 0 else np.asarray(value, dtype=float))
