"""A recurrence as a step: its body is a program of its own, swept once for each iteration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autoopt.tape.recurrence import MOST, Recurrence
from autoopt.tape.tape import Step

if TYPE_CHECKING:
    from autoopt.execution.eager.program import Program, Values


class LoopValues(tuple):
    """The results of a loop, with the values of all steps of each iteration."""

    iterations: list[Values]


class LoopTangents(dict):
    """The tangents of a loop's results by position, with those of all steps of each iteration."""

    iterations: list[Values]


class LoopCotangents(dict):
    """The cotangents of a loop's results by position; once swept, with those of all steps of each iteration."""

    iterations: list[Values]


class Loop:
    """The derivatives of a loop, of a fixed number of iterations or until a condition holds."""

    def __init__(self, program: Program, index: int, step: Step) -> None:
        loop = step.operation
        assert isinstance(loop, Recurrence)
        self.program, self.index, self.step, self.loop = program, index, step, loop
        operands = len(step.inputs)
        self.fixed = loop.carries + loop.sequences
        given: Values = [None] * len(loop.body)
        for k, inner in enumerate(loop.body[operands:], start=operands):
            if inner.operation is None:
                given[k] = inner.template.value
        varies = [program.varies[source] for source in step.inputs]
        while True:  # a carry varies if what it becomes does
            body = _varying(loop, varies)
            more = [k for k, update in enumerate(loop.updates) if body[update] and not varies[k]]
            if not more:
                break
            for k in more:
                varies[k] = True
        self.varies = varies
        wanted = {*loop.updates, *loop.outputs}
        if loop.until:
            wanted |= {loop.until.step, *loop.until.ties, *(k for k, _ in loop.until.checks)}
        inputs = {k for k, moves in enumerate(varies) if moves}
        self.body = type(program)(loop.body, given, inputs, wanted, {})
        self.size = len(loop.body) + 1
        self.floats = [k for k, source in enumerate(step.inputs) if varies[k] and program.varies[source]]

    # Values -----------------------------------------------------------------------------------------------------------

    def forward(self, values: Values) -> LoopValues:
        """Run the loop, keeping the values of all iterations."""
        loop = self.loop
        operands = [values[source] for source in self.step.inputs]
        carries = [np.asarray(operand, dtype=float)[()] for operand in operands[: loop.carries]]
        return self._repeated(carries, operands) if loop.until else self._counted(carries, operands)

    def _iteration(self, carries: list, operands: list, t: int) -> Values:
        loop = self.loop
        values = [*self.body.given, None]
        values[: loop.carries] = carries
        for k in range(loop.carries, self.fixed):
            values[k] = operands[k][t]
        values[self.fixed : len(operands)] = operands[self.fixed :]
        self.body.forward(values)
        return values

    def _counted(self, carries: list, operands: list) -> LoopValues:
        loop = self.loop
        kept, iterations = [carries], []
        assert loop.count is not None  # where nothing else ends it
        for t in range(loop.count):
            values = self._iteration(carries, operands, t)
            carries = [values[update] for update in loop.updates]
            kept.append(carries)
            iterations.append(values)
        paths = kept[-1] if loop.segment else [np.array(column) for column in zip(*kept, strict=True)]
        outputs = [np.array([values[output] for values in iterations]) for output in loop.outputs]
        return self._with((*paths, *outputs), iterations)

    def _repeated(self, carries: list, operands: list) -> LoopValues:
        loop, until, iterations = self.loop, self.loop.until, []
        assert until is not None
        held = [True] * len(until.checks)
        ties = 0
        for count in range(1, MOST):
            values = self._iteration(carries, operands, 0)
            iterations.append(values)
            held = [good and bool(values[k]) == answer for good, (k, answer) in zip(held, until.checks, strict=True)]
            ties += sum(int(values[k]) for k in until.ties) - until.always
            if bool(values[until.step]) == until.answer:
                more = (ties,) if until.ties else ()
                return self._with((count, *held, *(values[k] for k in loop.outputs), *more), iterations)
            carries = [values[update] for update in loop.updates]
        raise RuntimeError(f"The loop has not ended after {MOST} iterations.")

    def _with(self, results: tuple, iterations: list[Values]) -> LoopValues:
        found = LoopValues(results)
        found.iterations = iterations
        return found

    # Cotangents -------------------------------------------------------------------------------------------------------

    def pull(self, cotangent: dict, values: Values, cotangents: Values) -> None:
        """Sweep the iterations backwards; what varies in all of them is added up."""
        swept = self._swept(cotangent, values[self.index], None, None)
        self._hand_on(swept, cotangents)
        kept = LoopCotangents(cotangent)
        kept.iterations = swept[2]
        if cotangents[self.index] is not None:  # they are kept for second derivatives
            cotangents[self.index] = kept

    def second(self, cotangent: Any, change: Any, values: Values, tangents: Values, changes: Values) -> None:
        known = tangents[self.index]
        if known is None:
            if change is not None:
                self._hand_on(self._swept(change, values[self.index], None, None), changes)
            return
        first = None if cotangent is None else cotangent.iterations
        self._hand_on(self._swept(change or {}, values[self.index], first, known.iterations), changes)

    def _swept(self, cotangent: dict, found: LoopValues, first: list | None, tangents: list | None) -> tuple:
        """Return the cotangents of the operands that are the same in each iteration, of sequences, and all.

        With the cotangents and tangents of all iterations, how they change.
        """
        loop, body, count = self.loop, self.body, len(found.iterations)
        sums: dict[int, Any] = {}
        rows: dict[int, list] = {k: [None] * count for k in range(loop.carries, self.fixed) if self.varies[k]}
        carried: list[Any] = [self._at_end(cotangent, k, count) for k in range(loop.carries)]
        kept: list[Values] = [[] for _ in range(count)]
        for t in range(count - 1, -1, -1):
            values, row = found.iterations[t], [None] * self.size
            for k, part in enumerate(carried):
                if part is not None and body.varies[loop.updates[k]]:
                    body.receive(row, loop.updates[k], part)
            for place, part in self._outputs(cotangent, t, count):
                if body.varies[place]:
                    body.receive(row, place, part)
            if tangents is None:
                body.backward(values, row, keep=True)
            else:
                before = [None] * self.size if first is None else first[t]
                body.changes(values, before, tangents[t], row)
            kept[t] = row
            carried = [self._before(cotangent, k, t, row[k]) for k in range(loop.carries)]
            for k in range(loop.carries, len(self.step.inputs)):
                if row[k] is None:
                    continue
                if k < self.fixed:
                    rows[k][t] = row[k]
                else:
                    sums[k] = row[k] if k not in sums else sums[k] + row[k]
        return carried, {**sums, **self._stacked(rows)}, kept

    def _at_end(self, cotangent: dict, k: int, count: int) -> Any:
        """Return the cotangent of a carry after the last iteration."""
        if self.loop.until or k not in cotangent:
            return None
        return cotangent[k] if self.loop.segment else cotangent[k][count]

    def _before(self, cotangent: dict, k: int, t: int, part: Any) -> Any:
        """Return the cotangent of a carry before iteration t, of which its trajectory has a part, too."""
        if self.loop.until or self.loop.segment or k not in cotangent:
            return part
        own = cotangent[k][t]
        return own if part is None else part + own

    def _outputs(self, cotangent: dict, t: int, count: int) -> list[tuple[int, Any]]:
        loop = self.loop
        if loop.until:
            first = 1 + len(loop.until.checks)
            last = t == count - 1
            return [(k, cotangent[first + n]) for n, k in enumerate(loop.outputs) if last and first + n in cotangent]
        return [
            (k, cotangent[loop.carries + n][t]) for n, k in enumerate(loop.outputs) if loop.carries + n in cotangent
        ]

    def _stacked(self, rows: dict[int, list]) -> dict[int, Any]:
        found = {}
        for k, parts in rows.items():
            shape = self.loop.body[k].shape
            if any(part is not None for part in parts):
                found[k] = np.array([np.zeros(shape) if part is None else part for part in parts])
        return found

    def _hand_on(self, swept: tuple, cotangents: Values) -> None:
        carried, others, _ = swept
        for k, part in [*enumerate(carried), *others.items()]:
            source = self.step.inputs[k]
            if part is not None and self.program.varies[source]:
                shape = self.program.steps[source].shape
                self.program.receive(cotangents, source, np.reshape(part, shape)[()])

    # Tangents ---------------------------------------------------------------------------------------------------------

    def push(self, values: Values, tangents: Values) -> LoopTangents | None:
        """Return the tangents of the results, and of all steps in each iteration."""
        loop, found = self.loop, values[self.index]
        given = [tangents[source] for source in self.step.inputs]
        if all(tangent is None for tangent in given):
            return None
        carried, kept, iterations = given[: loop.carries], [given[: loop.carries]], []
        for t, row in enumerate(found.iterations):
            moving: Values = [None] * self.size
            moving[: loop.carries] = carried
            for k in range(loop.carries, len(given)):
                if given[k] is not None:
                    moving[k] = given[k][t] if k < self.fixed else given[k]
            self.body.tangents(row, moving)
            carried = [moving[update] for update in loop.updates]
            kept.append(carried)
            iterations.append(moving)
        result = LoopTangents(self._results(kept, iterations))
        result.iterations = iterations
        return result

    def _results(self, kept: list[list], iterations: list[Values]) -> dict[int, Any]:
        loop, found = self.loop, {}
        if loop.until:
            first = 1 + len(loop.until.checks)
            return {first + n: iterations[-1][k] for n, k in enumerate(loop.outputs) if iterations[-1][k] is not None}
        for k in range(loop.carries):
            column = [row[k] for row in kept]
            if loop.segment:
                if column[-1] is not None:
                    found[k] = column[-1]
            elif any(part is not None for part in column):
                found[k] = _array(column, loop.body[k].shape)
        for n, output in enumerate(loop.outputs):
            column = [row[output] for row in iterations]
            if any(part is not None for part in column):
                found[loop.carries + n] = _array(column, loop.body[output].shape)
        return found


def _array(parts: list, shape: tuple[int, ...]) -> np.ndarray:
    return np.array([np.zeros(shape) if part is None else part for part in parts])


def _varying(loop: Recurrence, varies: list[bool]) -> list[bool]:
    """Return which steps of the body vary if these operands do."""
    found = [*varies, *[False] * (len(loop.body) - len(varies))]
    for k, step in enumerate(loop.body[len(varies) :], start=len(varies)):
        found[k] = step.dtype.kind in "fO" and any(found[source] for source in step.inputs)
    return found
