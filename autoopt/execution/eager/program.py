"""A tape as instructions, and the sweeps along them: values, cotangents, tangents, and how cotangents change.

    x0 = x[0]              values[1] = values[0][0]                 cotangents[0][0] += cotangents[1]
    u = np.exp(x0)         values[2] = np.exp(values[1])            cotangents[1] += cotangents[2] * values[2]
    f = u * c              values[3] = values[2] * values[c]        cotangents[2] += cotangents[3] * values[c]

An instruction is a function with the numbers of what it reads, so that a small step costs little more than NumPy needs
for it. Most are of one of three forms that the loops of the sweeps know; the others take the lists themselves.
Cotangents of arrays that are read or written in part are *gathered*: one array each, which is added to in place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np

from autoopt.execution.eager.derivatives import FLOAT, KINDS_OF_STEP, Derivatives, is_elementwise, require_steps
from autoopt.execution.eager.forward import caller, has_slot
from autoopt.execution.eager.table import MOVES, PARTIAL, WRITING
from autoopt.tape.operations import component, pack, total
from autoopt.tape.tape import CONSTANT, PARAMETER, Slot, Step, fill

Values = list[Any]
"""By step; of what a sweep has not reached None."""

Pull = Callable[[Any, Values, Values], None]
"""`pull(cotangent, values, cotangents)` adds what a cotangent of one step makes of cotangents at its operands."""

Push = Callable[[Values, Values], Any]
"""`push(values, tangents)` returns the tangent of one step, None where it does not change."""

Second = Callable[[Any, Any, Values, Values, Values], None]
"""`second(cotangent, change, values, tangents, changes)` adds how the cotangents at the operands change."""

_GENERAL = -1

_FRESH = WRITING | {pack, total}
"""Whose arrays nobody else has, besides what is done entry by entry."""


class Linear:
    """The derivatives of one step that does not multiply what varies: its pullback is that of its changes as well.

    `forward`, if there is one, is how it is evaluated.
    """

    def __init__(self, pull: Pull, push: Push, forward: Callable[[Values], Any] | None = None) -> None:
        self.pull, self.push, self.forward = pull, push, forward

    def second(self, cotangent: Any, change: Any, values: Values, tangents: Values, changes: Values) -> None:
        if change is not None:
            self.pull(change, values, changes)


class Program:
    """The steps of a tape, or of a loop's body, that are evaluated one by one.

    Parameters
    ----------
    steps : sequence of Step
    values : list
        Those of the steps that are not evaluated, None for those that are, and for inputs.
    varying : set of int
        The inputs in which derivatives are taken.
    wanted : set of int
        The steps whose values are read after a sweep.
    asked : dict of int to list of int
        The questions about a step's value, by number: right after it is known, `values[-1]` is called with the number
        and the value, and may end the sweep.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        values: Values,
        varying: set[int],
        wanted: set[int],
        asked: Mapping[int, Sequence[int]],
    ) -> None:
        self.steps, self.given = steps, values
        self.several = {step.inputs[0] for step in steps if step.operation is component}
        self.varies = self._varying(varying)
        self.gathered, self.rewritten = self._in_part(wanted)
        self.instructions: list[tuple[int, Callable, int, int]] = []
        self.pulls: list[tuple[int, Callable, int, int, int]] = []
        self._parts: dict[int, Any] = {}
        for index, step in enumerate(steps):
            if step.operation is not None and values[index] is None:
                self._enter(index, step)
                for number in asked.get(index, ()):
                    self.instructions.append((len(steps), _asking(index, number), -1, -1))
        self.pulls.reverse()

    def _enter(self, index: int, step: Step) -> None:
        """Add the instruction of a step, and its entry of the backward sweep if it varies."""
        moves = any(self.varies[source] for source in step.inputs)
        if self.varies[index] and not moves:  # what they read has no slope
            self.varies[index] = False
        elif moves and not self.varies[index]:
            require_steps(step)
        entry = self._quick(step) if self.varies[index] else None
        if entry is not None:
            self.instructions.append(self._instruction(index, step))
            if entry:
                self.pulls.append((index, *entry))
            else:
                self.varies[index] = False
            return
        move = MOVES.get(step.operation) or MOVES.get(type(step.operation))
        part = None if move is None else move(self, index, step)
        if part is not None and part.forward is not None:
            self.instructions.append((index, part.forward, -1, -1))
        else:
            self.instructions.append(self._instruction(index, step))
        if self.varies[index]:
            part = self._parts[index] = part or self._derived(index, step)
            self.pulls.append((index, part.pull, _GENERAL, -1, -1))

    def part(self, index: int) -> Any:
        """Return the derivatives of a step that varies; those of quick steps are made when they are asked for."""
        found = self._parts.get(index)
        if found is None:
            found = self._parts[index] = self._derived(index, self.steps[index])
        return found

    def _quick(self, step: Step) -> tuple | None:
        """Return the rest of a step's entry, if its form is one that the sweeps know; () if it has no slope."""
        operation, inputs = step.operation, step.inputs
        if step.template is not None or type(operation) is not np.ufunc or len(inputs) > 2 or operation is np.power:
            return None
        targets, code = [], ""
        for source in inputs:
            operand = self.steps[source]
            if self.varies[source]:
                if operand.shape != step.shape or self.gathered[source]:
                    return None
                targets.append(source)
                code += "v"
            elif operand.dtype == FLOAT or (operand.level == CONSTANT and type(self.given[source]) is int):
                code += "g"
            else:
                return None
        if not targets or not is_elementwise(step):
            return None
        pull = _quick_pull(operation, code)
        if pull is None:
            return ()
        if pull is _in_part:
            return None
        if code in ("v", "vv"):
            return pull, *targets, *((-1,) if len(targets) == 1 else ()), -1
        return pull, targets[0], _GIVEN if code == "vg" else _GIVEN_FIRST, inputs[code.index("g")]

    def _varying(self, varying: set[int]) -> list[bool]:
        varies = [False] * len(self.steps)
        for index, step in enumerate(self.steps):
            if step.operation is None:
                varies[index] = index in varying
            elif step.dtype.kind == "f" or index in self.several:
                for source in step.inputs:
                    if varies[source]:
                        varies[index] = True
                        break
        return varies

    def _in_part(self, wanted: set[int]) -> tuple[bytearray, list[int]]:
        """Return which steps' cotangents are gathered, and by array which step may write into it."""
        gathered, rewritten = bytearray(len(self.steps)), [0] * len(self.steps)
        last: dict[int, int] = {}
        spoiled = set(wanted)
        for index, step in enumerate(self.steps):
            if step.operation in PARTIAL:
                source = step.inputs[0] if step.inputs else -1
                gathered[source] = 1
                if step.operation in WRITING:
                    gathered[index] = 1
                for source in step.inputs[1:]:
                    spoiled.add(source)
            else:
                spoiled.update(step.inputs)
            for source in step.inputs:
                last[source] = index
        for index, step in enumerate(self.steps):
            if step.operation not in WRITING or type(step.template[0][0]) is not Slot:
                continue
            source = step.inputs[step.template[0][0].position]
            written = self.steps[source]
            fresh = written.operation in _FRESH or (is_elementwise(written) and not self.varies[source])
            if fresh and self.given[source] is None and source not in spoiled and last[source] == index:
                rewritten[source] = index
        return gathered, rewritten

    def _instruction(self, index: int, step: Step) -> tuple[int, Callable, int, int]:
        function, inputs = caller(step), step.inputs
        if len(inputs) == 2:
            return index, function, *inputs
        if len(inputs) == 1:
            return index, function, inputs[0], -1

        def run(values: Values) -> Any:
            return function(*[values[source] for source in inputs])

        return index, run, -1, -1

    def _derived(self, index: int, step: Step) -> Derived:
        """Return the derivatives of a step that are the printed functions of its kind."""
        operands = [self.steps[source] for source in step.inputs]
        varies = [self.varies[source] for source in step.inputs]
        values = [self.given[source] for source in step.inputs]
        first = KINDS_OF_STEP.of(step, operands, varies, values, 1)
        return Derived(self, index, step, first, lambda: KINDS_OF_STEP.of(step, operands, varies, values, 2))

    def settled(self, template: Any, step: Step) -> Any:
        """Return a part of a step's template with the values of the inputs that depend on nothing in their places."""
        if not has_slot(template):
            return template
        known = [
            self.given[source] if self.steps[source].level == CONSTANT and self.given[source] is not None else Slot(k)
            for k, source in enumerate(step.inputs)
        ]
        return fill(template, known)

    # Sweeps -----------------------------------------------------------------------------------------------------------

    def forward(self, values: Values) -> None:
        """Evaluate all steps; `values` has the inputs, and one place more than there are steps."""
        for index, function, one, other in self.instructions:
            if other >= 0:
                values[index] = function(values[one], values[other])
            elif one >= 0:
                values[index] = function(values[one])
            else:
                values[index] = function(values)

    def backward(self, values: Values, cotangents: Values, keep: bool = False) -> None:
        """Add to the cotangents of the inputs what those that are there make of them.

        Those of the steps are gone afterwards, unless they are kept.
        """
        for index, pull, one, other, given in self.pulls:
            cotangent = cotangents[index]
            if cotangent is None:
                continue
            if not keep:
                cotangents[index] = None
            if one == _GENERAL:
                pull(cotangent, values, cotangents)
                continue
            if other >= 0:
                part, more = pull(cotangent, values[index], values[one], values[other])
                known = cotangents[other]
                cotangents[other] = more if known is None else known + more
            elif other == -1:
                part = pull(cotangent, values[index], values[one])
            elif other == _GIVEN:
                part = pull(cotangent, values[index], values[one], values[given])
            else:
                part = pull(cotangent, values[index], values[given], values[one])
            known = cotangents[one]
            cotangents[one] = part if known is None else known + part

    def tangents(self, values: Values, tangents: Values) -> None:
        """Fill in how the steps change as the inputs do."""
        for index, *_ in reversed(self.pulls):
            tangents[index] = self.part(index).push(values, tangents)

    def changes(self, values: Values, cotangents: Values, tangents: Values, changes: Values) -> None:
        """Add to the changes of the inputs' cotangents what the steps make of them; `cotangents` are those kept."""
        for index, *_ in self.pulls:
            cotangent, change = cotangents[index], changes[index]
            if cotangent is not None or change is not None:
                changes[index] = None
                self.part(index).second(cotangent, change, values, tangents, changes)

    def receive(self, cotangents: Values, source: int, part: Any) -> None:
        """Add a part to the cotangent of a step, which may be kept as it is; a gathered one has an array of its own."""
        known = cotangents[source]
        if known is None:
            cotangents[source] = np.array(part, dtype=float) if self.gathered[source] else part
        elif self.gathered[source]:
            known += part
        else:
            cotangents[source] = known + part


_GIVEN, _GIVEN_FIRST = -2, -3


@cache
def _quick_pull(operation: np.ufunc, code: str) -> Callable | None:
    """Return the pullback of a ufunc of numbers that vary or are given, by letter; None if it has no slope."""
    step = Step(operation, tuple(range(len(code))), None, (), FLOAT, PARAMETER, None)
    operands = [Step(None, (), None, (), FLOAT, PARAMETER, None)] * len(code)
    kind = KINDS_OF_STEP.of(step, operands, [letter == "v" for letter in code], [None] * len(code), 1)
    pull = kind.functions["pull"]
    if not kind.entrywise:
        return _in_part
    with np.errstate(all="ignore"):
        parts = pull(*np.full(2 + len(code), 0.5))
    parts = parts if isinstance(parts, tuple) else (parts,)
    if all(part is None for part in parts):
        return None
    return _in_part if any(part is None for part in parts) else pull


def _in_part(*operands: Any) -> None:
    """Stands for the pullback of what has a slope in some of what varies alone."""


def _asking(index: int, number: int) -> Callable[[Values], Any]:
    def ask(values: Values) -> Any:
        question = values[-1]
        question(number, values[index])
        return question

    return ask


class Derived:
    """One step whose derivatives are the printed functions of its kind."""

    def __init__(
        self, program: Program, index: int, step: Step, first: Derivatives, further: Callable[[], Derivatives]
    ) -> None:
        self.program, self.index, self.further = program, index, further
        self.function, self.shape = first.functions["pull"], step.shape
        self.several = index in program.several
        self.read = [step.inputs[k] for k in first.read]
        self.varying = first.varying
        self.sources = [step.inputs[k] for k in first.varying]
        shapes = [program.steps[source].shape for source in self.sources]
        self.elementwise = is_elementwise(step) and first.entrywise
        self.narrower = [shape if self.elementwise and shape != step.shape else None for shape in shapes]
        self.shapes = shapes

    def pull(self, cotangent: Any, values: Values, cotangents: Values) -> None:
        self._hand_on(self.pulled(cotangent, values), cotangents)

    def pulled(self, cotangent: Any, values: Values) -> tuple:
        """Return the parts of the cotangents of what varies, where that was broadcast in the result's shape."""
        operands = [values[k] for k in self.read]
        if self.several:
            given, results = self._several(cotangent, values[self.index])
            parts = self.function(*given, *results, *operands)
        else:
            parts = self.function(cotangent, values[self.index], *operands)
        return parts if len(self.sources) > 1 else (parts,)

    def _hand_on(self, parts: tuple, cotangents: Values) -> None:
        for source, shape, part in zip(self.sources, self.narrower, parts, strict=True):
            if part is not None:
                self.program.receive(cotangents, source, part if shape is None else narrowed(part, shape))

    @cached_property
    def _second_order(self) -> tuple[Callable, Callable, list[int]]:
        """The functions of second order, and the steps that they read."""
        found = self.further()
        if not found.entrywise:
            self.narrower = [None] * len(self.sources)
        inputs = self.program.steps[self.index].inputs
        return found.functions["push"], found.functions["second"], [inputs[k] for k in found.read]

    def push(self, values: Values, tangents: Values) -> Any:
        given = self._tangents(tangents)
        if given is None:
            return None
        push, _, read = self._second_order
        operands = [values[k] for k in read]
        if self.several:
            results = self._several({}, values[self.index])[1]
            pushed = push(*results, *operands, *given)
            pushed = pushed if isinstance(pushed, tuple) else (pushed,)
            floats = self._floats(values[self.index])
            return {k: part for k, part in zip(floats, pushed, strict=True) if part is not None}
        pushed = push(values[self.index], *operands, *given)
        if pushed is None or not self.elementwise or np.shape(pushed) == self.shape:
            return pushed
        return np.broadcast_to(pushed, self.shape)

    def second(self, cotangent: Any, change: Any, values: Values, tangents: Values, changes: Values) -> None:
        if change is not None:
            self.pull(change, values, changes)
        parts = self.moved(cotangent, values, tangents) if cotangent is not None else None
        if parts is not None:
            self._hand_on(parts, changes)

    def moved(self, cotangent: Any, values: Values, tangents: Values) -> tuple | None:
        """Return how the parts of the cotangents change as the operands do; None if these do not."""
        given = self._tangents(tangents)
        if given is None:
            return None
        _, second, read = self._second_order
        operands = [values[k] for k in read]
        if self.several:
            cotangents, results = self._several(cotangent, values[self.index])
            parts = second(*cotangents, *results, *operands, *given)
        else:
            parts = second(cotangent, values[self.index], *operands, *given)
        return parts if len(self.sources) > 1 else (parts,)

    def _tangents(self, tangents: Values) -> list | None:
        """Return the tangents of what varies, zeros where there is none; None if nothing changes."""
        given = [tangents[source] for source in self.sources]
        if all(tangent is None for tangent in given):
            return None
        if self.elementwise:
            return [0.0 if tangent is None else tangent for tangent in given]
        return [
            np.zeros(shape) if tangent is None else tangent for tangent, shape in zip(given, self.shapes, strict=True)
        ]

    def _floats(self, results: Sequence[Any]) -> list[int]:
        return [k for k, result in enumerate(results) if np.asarray(result).dtype == FLOAT]

    def _several(self, cotangent: dict[int, Any], results: Sequence[Any]) -> tuple[list, list]:
        """Return the cotangents, zeros where there is none, and the results, of a function with several."""
        floats = self._floats(results)
        found = [results[k] for k in floats]
        given = [cotangent.get(k) for k in floats]
        zeros = [
            np.zeros(np.shape(result)) if part is None else part for part, result in zip(given, found, strict=True)
        ]
        return zeros, found


def narrowed(part: Any, shape: tuple[int, ...]) -> Any:
    """Return the cotangent at an operand of `shape` that was broadcast."""
    if not shape:
        return part.sum()
    extra = np.ndim(part) - len(shape)
    stretched = tuple(k + extra for k, length in enumerate(shape) if length == 1 and part.shape[k + extra] != 1)
    return np.sum(part, axis=(*range(extra), *stretched)).reshape(shape)
