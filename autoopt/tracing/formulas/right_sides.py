"""The user's functions of time and state in a differential equation, as bodies that can be run at other states.

    def f(t, y): return [p[1] * y[0], ...]          t' = +t, y' = +y stand for the arguments; the steps that lead from
                                                    them to the result are cut out, p[1] is an operand of theirs

A branch that asks of the time alone becomes a mask: the function is traced once for each way through it that SciPy
takes. Elsewhere the result is NaN, and the objective is traced anew. Where the result may jump at a place that moves
with the parameters or the state, the jump would add to the slope: this is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autoopt.tape.digest import LITERAL
from autoopt.tape.equation import running
from autoopt.tape.recurrence import Known
from autoopt.tape.slopes import STEPPED
from autoopt.tape.tape import CONSTANT, PARAMETER, Guard, Slot, Step
from autoopt.tracing.recording import refusals
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.recording.values import Values
from autoopt.tracing.standins.constructors import as_array

_FLOAT, _BOOL = np.dtype(float), np.dtype(bool)
_JUMPING = STEPPED | {np.remainder, np.fmod, np.copysign}
MOST_BRANCHES = 32
"""A function with more ways through its branches is refused."""


class Way(NamedTuple):
    """One way through a function's branches: its steps, in the order of the trace.

    Attributes
    ----------
    steps : list of int
    guards : list of Guard
        The answers that tell it from the others.
    result, time, state : int
    """

    steps: list[int]
    guards: list[Guard]
    result: int
    time: int
    state: int


class RightSide:
    """A function of the user's, of time and state.

    Parameters
    ----------
    tracer : Recorder
    function : callable
        Takes time and state alone.
    shape : tuple of int or None
        Of its result; None for a number.
    what : str
        What calls it, for complaints.

    Attributes
    ----------
    ways : list of Way
    """

    def __init__(self, tracer: Recorder, function: Callable, shape: tuple[int, ...], what: str) -> None:
        self.tracer, self.function, self.shape, self.what = tracer, function, shape, what
        self.ways: list[Way] = []
        self.plain: list[Callable] = []
        self.values = Values(tracer)

    def __call__(self, t: Any, y: Any) -> Any:
        """Return the value at plain numbers, by a way that is known or a new one."""
        for value in self.plain:
            found = value(t, y)
            if found is not None:
                return found
        return self.enter(t, y)

    def enter(self, t: Any, y: Any) -> Any:
        """Trace the function at plain numbers and return its value there."""
        tracer = self.tracer
        guards, ties = len(tracer.tape.guards), len(tracer.tape.equalities)
        unfollowed = dict(tracer.tape.unfollowed)
        time = tracer.record(np.positive, (tracer.constant(float(t)),), None, np.float64(t), PARAMETER)
        given = np.array(y, dtype=float)
        state = tracer.record(np.positive, (tracer.constant(given),), None, given, PARAMETER)
        start, ends = state.step, (time.step, state.step)
        result = as_array(tracer, self.function(time, state))
        result = result if result.dtype == _FLOAT else result.cast(float)
        if result.shape != self.shape:
            result = np.reshape(result, self.shape)
        way = self._way(result.current(), ends, start, tracer.tape.guards[guards:])
        inside = {id(guard) for guard in way.guards}
        tracer.tape.guards[guards:] = [guard for guard in tracer.tape.guards[guards:] if id(guard) not in inside]
        del tracer.tape.equalities[ties:]
        tracer.tape.unfollowed = unfollowed
        if len(self.ways) == MOST_BRANCHES:
            self._refuse("has more ways through its branches than are followed", "use np.where or np.interp")
        self.ways.append(way)
        self.plain.append(self._runner(way))
        return np.array(result.value)

    def _way(self, result: int, ends: tuple[int, int], start: int, guards: list[Guard]) -> Way:
        steps = self.tracer.steps
        depends, moving = set(ends), {ends[1]}
        for index in range(start + 1, len(steps)):
            inputs = steps[index].inputs
            if depends.isdisjoint(inputs):
                continue
            depends.add(index)
            if any(k in moving or (steps[k].level == PARAMETER and k not in depends) for k in inputs):
                moving.add(index)
                self._refuse_jump(index)
        for index in depends:  # on the tape itself none of this is read
            steps[index] = steps[index]._replace(level=CONSTANT)
        own = [guard for guard in guards if guard.step in depends]
        for guard in own:
            if guard.kind != "bool" or steps[guard.step].dtype != _BOOL or steps[guard.step].shape:
                self._refuse("takes a whole number or a set of positions of the time", "use np.where or np.interp")
        needed = {result, *(guard.step for guard in own)}
        for index in range(len(steps) - 1, start, -1):
            if index in needed and index in depends:
                needed.update(steps[index].inputs)
        return Way(sorted(k for k in needed if k in depends and k > start), own, result, *ends)

    def _refuse_jump(self, index: int) -> None:
        step = self.tracer.steps[index]
        if step.dtype.kind in "iub" or step.operation in _JUMPING:
            self._refuse(
                "compares or rounds values that move with the parameters or the state, where it may jump",
                "use np.maximum, np.clip or scipy.special.expit there, or solve the pieces one after the other",
                step,
            )

    def _refuse(self, happens: str, remedy: str, step: Step | None = None) -> None:
        problem = refusals.call(
            self.tracer, f"{self.what} with a function that {happens}", f"{remedy}, or pass jac='finite-difference'"
        )
        if step is not None and step.location is not None:
            problem = type(problem)(problem.happened, step.location, problem.remedy)
        raise problem

    def _runner(self, way: Way) -> Callable:
        """Return what runs one way at plain numbers: the value, None where the function goes another way."""
        given = outside(self.tracer, [way])
        steps, _, numbers = body(self.tracer, [way], given, self.shape)
        known = self.values.of(given)
        fixed = [known[index] for index in given]
        asked = [guard.answer for guard in way.guards]
        run = running(steps, [numbers[way.result], *(numbers[guard.step] for guard in way.guards)])

        def value(t: float, y: np.ndarray) -> Any:
            found, *answers = run(t, y, *fixed)
            return found if all(bool(one) == answer for one, answer in zip(answers, asked, strict=True)) else None

        return value


def outside(tracer: Recorder, ways: Sequence[Way]) -> list[int]:
    """Return the steps that the functions read, but for time, state and small constants."""
    found: dict[int, None] = {}
    for way in ways:
        inside = {way.time, way.state, *way.steps}
        read = [source for index in way.steps for source in tracer.steps[index].inputs]
        for index in (*read, way.result, *(guard.step for guard in way.guards)):
            if index not in inside and not _is_small(tracer, index):
                found[index] = None
    return list(found)


def _is_small(tracer: Recorder, index: int) -> bool:
    step = tracer.steps[index]
    return step.operation is None and step.level == CONSTANT and np.size(tracer.tape.values[index]) <= LITERAL


def body(
    tracer: Recorder, ways: Sequence[Way], given: Sequence[int], shape: tuple[int, ...]
) -> tuple[list[Step], int, dict[int, int]]:
    """Return the steps of a function, the one of its result, and the numbers of the trace's steps among them."""
    steps = [tracer.steps[ways[0].time], tracer.steps[ways[0].state], *(tracer.steps[index] for index in given)]
    steps = [Step(None, (), None, step.shape, step.dtype, PARAMETER, None) for step in steps]
    numbers = {index: 2 + k for k, index in enumerate(given)}

    def append(operation: Any, inputs: tuple, template: Any, shape: tuple, dtype: np.dtype, site: Any = None) -> int:
        steps.append(Step(operation, inputs, template, shape, dtype, PARAMETER, site))
        return len(steps) - 1

    def number(index: int) -> int:
        if index not in numbers:
            value = tracer.tape.values[index]
            numbers[index] = append(None, (), Known(value), np.shape(value), np.asarray(value).dtype)
        return numbers[index]

    result = append(None, (), Known(np.full(shape, np.nan)), shape, _FLOAT) if ways[0].guards else -1
    for way in reversed(ways):
        numbers |= {way.time: 0, way.state: 1}
        for index in way.steps:
            step = tracer.steps[index]
            inputs = tuple([number(source) for source in step.inputs])
            numbers[index] = append(step.operation, inputs, step.template, step.shape, step.dtype, step.site)
        own, match = number(way.result), -1
        for guard in way.guards:
            holds = number(guard.step)
            if not guard.answer:
                holds = append(np.logical_not, (holds,), None, (), _BOOL)
            match = holds if match < 0 else append(np.logical_and, (match, holds), None, (), _BOOL)
        chosen = ((Slot(0), Slot(1), Slot(2)), {})
        result = own if match < 0 else append(np.where, (match, own, result), chosen, shape, _FLOAT)
    return steps, result, numbers
