"""The excerpt of an objective's tape that is the run of one function of the user's, of which a derivative is taken.

    def f(x):                                  x' = +x, which stands for g's argument
        def g(y): return np.sum(y**3)          the steps of g, from x' on: a tape of its own
        return np.sum(grad(g)(x) ** 2)         what reads 3 * x**2, of that tape, see `inner.py`

g runs as the rest of the objective does, so that its branches are guards like any other and what it reads is followed.
The steps that lead from x' to its value are cut out; what they read of the steps before is data to them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autoopt.errors import Location, ObjectiveError, TracingError
from autoopt.parameters import Structure
from autoopt.tape.digest import is_uniform
from autoopt.tape.searches.bisection import bisecting
from autoopt.tape.searches.comparisons import asked
from autoopt.tape.simplify import live, without_empty
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Leaf, Step, Tape
from autoopt.tracing.recording.values import Values
from autoopt.tracing.trace import output_step

_FLOAT = np.dtype(float)
WRITTEN_OUT = "write this derivative as a formula of its own, or pass jac='finite-difference'."
_KEPT = "use np.floor, compute anew what is looked up by it, or pass jac='finite-difference'."
_ROOT = "find the number with scipy.optimize.brentq, or pass jac='finite-difference'."


class Excerpt:
    """A function that is traced within an objective, from a copy of its argument to its value.

    Parameters
    ----------
    tracer : Tracer
        Of the objective.
    values : Values
        Of the objective's steps.
    function : callable
        The user's.
    run : callable
        Takes the argument, in the structure that the user gave it, and returns the value.
    structure : Structure
        Of the argument.
    vector : TracedArray, shape (n,)
        The argument.
    scalar : bool
        Whether the value must be a number.

    Attributes
    ----------
    value : TracedArray
    tape : Tape
        From the argument, "x", to the value; what it reads of steps before are arguments of it.
    literal : Tape
        The same with all numbers as constants.
    given : dict of str to int
        The steps before that are read, by the names of those arguments.
    numbers : dict of str to float
        The numbers that are arguments of `tape` alone, by name.
    """

    def __init__(
        self,
        tracer: Any,
        values: Values,
        function: Callable,
        run: Callable,
        structure: Structure,
        vector: Any,
        scalar: bool = True,
    ) -> None:
        self.tracer, self.vector, self.site = tracer, vector, tracer.site()
        source, guards, ties = vector.current(), len(tracer.tape.guards), len(tracer.tape.equalities)
        copy = tracer.record(np.positive, (source,), None, np.array(vector.value), PARAMETER)
        self.start = copy.step
        unfollowed, tracer.tape.unfollowed = tracer.tape.unfollowed, {}
        try:
            value = run(structure.unflatten(copy))
        finally:
            made, tracer.tape.unfollowed = tracer.tape.unfollowed, unfollowed | tracer.tape.unfollowed
        try:
            self.output = output_step(tracer, value, function, scalar)
        except ObjectiveError as problem:
            happened = problem.happened.replace("The objective", "A function of which the objective takes a derivative")
            places = [*problem.where, *self._places()]
            raise ObjectiveError(happened, places, problem.remedy) from None
        self._depends = self._dependents()
        tape = self._cut(guards, values)
        self._refuse_decisions(tape, guards, ties, made)
        self.literal = without_empty(live(replace(tape, guards=[])))
        self.tape, self.numbers = _loosened(self.literal)
        if vector.level < PARAMETER:
            self._lower(guards)
        self.value = tracer.array(tracer, self.output, tracer.concrete(value), tracer.steps[self.output].level)

    def _dependents(self) -> set[int]:
        """Return the steps that depend on the copy of the argument, with it."""
        found = {self.start}
        for index in range(self.start + 1, len(self.tracer.steps)):
            if not found.isdisjoint(self.tracer.steps[index].inputs):
                found.add(index)
        return found

    def _cut(self, first: int, kept: Values) -> Tape:
        """Return the tape from the argument to the value, with the guards from the number `first` on.

        What is read of steps before, but for constants, is an argument of the tape.
        """
        steps = self.tracer.steps
        guards = [guard for guard in self.tracer.tape.guards[first:] if guard.step in self._depends]
        inside = {self.output, *(guard.step for guard in guards)}
        for index in range(len(steps) - 1, self.start, -1):
            if index in inside and index in self._depends:
                inside.update(steps[index].inputs)
        for index in range(len(steps) - 1, -1, -1):
            if index in inside and index not in self._depends and _is_taken_in(steps[index]):
                inside.update(steps[index].inputs)
        outside = [k for k in sorted(inside) if k not in self._depends and not _is_taken_in(steps[k])]
        self.given = {f"given_{k}": index for k, index in enumerate(outside)}
        values = kept.of(outside)
        names = {index: name for name, index in self.given.items()}
        order = [self.start, *(index for index in sorted(inside) if index != self.start)]
        number = {index: k for k, index in enumerate(order)}
        tape = Tape()
        for k, index in enumerate(order):
            step = steps[index]
            if index == self.start:
                step = Step(None, (), Leaf("x", "parameter"), step.shape, _FLOAT, PARAMETER, None)
            elif index in names:
                step = Step(None, (), Leaf(names[index], "argument"), step.shape, step.dtype, DATA, None)
                tape.values[k] = values[index]
            elif step.operation is None:
                tape.values[k] = self.tracer.tape.values[index]
            elif index not in self._depends and step.level == PARAMETER:
                step = step._replace(level=DATA)
            step = step._replace(inputs=tuple([number[source] for source in step.inputs]))
            tape.steps.append(step)
        tape.guards = [guard._replace(step=number[guard.step]) for guard in guards]
        tape.output = number[self.output]
        return tape

    def _refuse_decisions(self, tape: Tape, first: int, ties: int, made: dict[Any, None]) -> None:
        """Raise where decisions may carry what no step shows: memos, branches of single points, searches.

        `made` are the lines that made texts, or whole numbers by the guards from the number `first` on.
        """
        others = {g.site for g in self.tracer.tape.guards[first:] if g.step not in self._depends}
        if made.keys() - (others - {guard.site for guard in tape.guards}):
            raise self.refusal("of a function that makes a text or a whole number of its argument", _KEPT)
        for site in self.tracer.tape.equalities[ties:]:
            if any(self.tracer.steps[index].site == site for index in self._depends):
                raise self.refusal("of a function that finds numbers equal, which may be a branch of this point alone")
        if asked(tape) or bisecting(tape):
            raise self.refusal("of a function that finds a number by decisions, which have no derivative", _ROOT)

    def _lower(self, first: int) -> None:
        """Let the steps depend on what they do where the argument depends on no parameter."""
        steps, tape = self.tracer.steps, self.tracer.tape
        steps[self.start] = steps[self.start]._replace(level=self.vector.level)
        for index in sorted(self._depends)[1:]:
            level = max(steps[source].level for source in steps[index].inputs)
            steps[index] = steps[index]._replace(level=level)
        tape.data_decided = tape.data_decided or any(steps[g.step].level == DATA for g in tape.guards[first:])
        tape.guards[first:] = [guard for guard in tape.guards[first:] if steps[guard.step].level == PARAMETER]

    def refusal(self, what: str, remedy: str = WRITTEN_OUT) -> TracingError:
        """Return the error that the derivative of this function is not followed."""
        return TracingError(f"The objective takes a derivative {what}: this is not followed.", self._places(), remedy)

    def _places(self) -> list[Location]:
        """Return the user's line that takes the derivative."""
        return [Location.of_instruction(*self.site)] if self.site else []


def _is_taken_in(step: Step) -> bool:
    """Whether a step from outside is one of the inner tape: a constant, or a part that is read of an array."""
    return step.level == CONSTANT or (step.operation is operator.getitem and len(step.inputs) == 1)


def _loosened(tape: Tape) -> tuple[Tape, dict[str, Any]]:
    """Return the tape with arguments for numbers that the user's text does not hold, and these by name.

    A loop over numbers then takes the same derivative in each iteration, and one piece of code serves for all.
    """
    steps, kept = tape.steps, set()
    for step in steps:
        for place, source in enumerate(step.inputs):
            exponent = step.operation is np.power and place == 1
            if exponent or step.level != PARAMETER or _is_written(tape.values.get(source), step.site):
                kept.add(source)
    loose = [
        index
        for index, step in enumerate(steps)
        if step.operation is None and step.level == CONSTANT and step.dtype == _FLOAT and index not in kept
    ]
    names = {index: f"number_{k}" for k, index in enumerate(loose) if index != tape.output}
    if not names:
        return tape, {}
    steps = [
        step._replace(template=Leaf(names[index], "argument"), level=DATA) if index in names else step
        for index, step in enumerate(steps)
    ]
    return replace(tape, steps=steps), {name: tape.values[index] for index, name in names.items()}


def _is_written(value: Any, site: Any) -> bool:
    """Whether a constant is a number of the code at `site`, a whole one, or an array of equal numbers."""
    if not isinstance(value, np.ndarray | float):
        return False  # no constant, or none of floats
    if np.ndim(value):
        return not np.size(value) or is_uniform(value)
    return site is None or value == np.round(value) or float(value) in site[0].co_consts
