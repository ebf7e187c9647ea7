"""Steps that only move or add up numbers, of which every index and every number of terms would be a kind of its own.

A row of MOVES for each, which returns None if the derivatives are those of a printed function after all. What has
`forward` is evaluated by it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autoopt.execution.eager.forward import has_slot
from autoopt.execution.eager.loops import Loop
from autoopt.execution.eager.program import Linear, Program, Push, Values, narrowed
from autoopt.execution.eager.table import MOVES, moves
from autoopt.tape.operations import component, pack, put, put_add, total
from autoopt.tape.recurrence import Recurrence
from autoopt.tape.tape import Slot, Step, fill

MOVES[Recurrence] = Loop


# Results of functions with several ------------------------------------------------------------------------------------


@moves(component)
def _component(program: Program, index: int, step: Step) -> Linear:
    (whole,), position = step.inputs, step.template[0][1]

    def pull(cotangent: Any, values: Values, cotangents: Values) -> None:
        known = cotangents[whole]
        if known is None:
            cotangents[whole] = {position: cotangent}
        else:
            known[position] = known[position] + cotangent if position in known else cotangent

    def push(values: Values, tangents: Values) -> Any:
        known = tangents[whole]
        return None if known is None else known.get(position)

    return Linear(pull, push)


# Reading and writing --------------------------------------------------------------------------------------------------


class _Read(Linear):
    """A read at an index; of an array that is written into later, a copy."""

    def __init__(self, program: Program, index: int, step: Step) -> None:
        (whole, place), _ = step.template
        source = step.inputs[whole.position]
        shape, inputs = program.steps[source].shape, step.inputs
        place = program.settled(place, step)
        moving, adds = has_slot(place), _is_distinct(shape, place)
        forward: Callable | None = None
        if not moving:
            if program.rewritten[source] and step.shape and _is_basic(place):

                def forward(values):
                    return values[source][place].copy()
            else:

                def forward(values):
                    return values[source][place]
        elif program.rewritten[source]:

            def forward(values):
                return np.array(values[source][fill(place, [values[k] for k in inputs])])[()]

        def pull(cotangent: Any, values: Values, cotangents: Values) -> None:
            spread = cotangents[source]
            if spread is None:
                spread = cotangents[source] = np.zeros(shape)
            if moving:
                np.add.at(spread, fill(place, [values[k] for k in inputs]), cotangent)
            elif adds:
                spread[place] += cotangent
            else:
                np.add.at(spread, place, cotangent)

        def push(values: Values, tangents: Values) -> Any:
            tangent = tangents[source]
            if tangent is None:
                return None
            return tangent[fill(place, [values[k] for k in inputs])] if moving else tangent[place]

        super().__init__(pull, push, forward)


@moves(operator.getitem)
def _getitem(program: Program, index: int, step: Step) -> Linear | None:
    return _Read(program, index, step) if type(step.template[0][0]) is Slot else None


def _is_basic(place: Any) -> bool:
    return all(
        part is None or part is Ellipsis or (isinstance(part, slice | int | np.integer) and type(part) is not bool)
        for part in (place if isinstance(place, tuple) else (place,))
    )


def _is_distinct(shape: tuple[int, ...], place: Any) -> bool:
    """Whether an index without inputs picks no entry twice."""
    if has_slot(place):
        return False
    if _is_basic(place) or all(np.size(part) == 1 for part in (place if isinstance(place, tuple) else (place,))):
        return True
    picked = np.arange(prod(shape)).reshape(shape)[place]
    return len(np.unique(picked)) == picked.size


class _Write:
    """`put(x, index, value)` and `put_add`: where an index writes an entry twice, the last value counts, or all."""

    def __init__(self, program: Program, index: int, step: Step) -> None:
        self.program, self.step, self.index = program, step, index
        (array, place, value), _ = step.template
        self.place = program.settled(place, step)
        self.array = step.inputs[array.position] if type(array) is Slot else None
        self.value = step.inputs[value.position] if type(value) is Slot else None
        self.fixed = None if self.array is not None else array, None if self.value is not None else value
        self.adds = step.operation is put_add
        self.moving = has_slot(self.place)
        self.distinct = _is_distinct(step.shape, self.place)
        last = self.array is not None and program.rewritten[self.array] == index
        self.forward = self._in_place if last else None

    def _at(self, values: Values) -> Any:
        return fill(self.place, [values[k] for k in self.step.inputs]) if self.moving else self.place

    def _in_place(self, values: Values) -> Any:
        assert self.array is not None
        array, place = values[self.array], self._at(values)
        written: Any = self.fixed[1] if self.value is None else values[self.value]
        if self.adds:
            np.add.at(array, place, written)
        else:
            array[place] = written
        return array

    def pull(self, cotangent: Any, values: Values, cotangents: Values) -> None:
        """Hand the gathered cotangent on, which nobody else has."""
        program, place = self.program, self._at(values)
        if self.value is not None and program.varies[self.value]:
            shape = program.steps[self.value].shape
            if self.adds or self.distinct or (self.moving and _is_basic(place)):
                part = np.array(cotangent[place])
                program.receive(cotangents, self.value, part[()] if part.shape == shape else _fitted(part, shape))
            else:
                program.receive(cotangents, self.value, _last(cotangent, place, shape))
        if self.array is not None and program.varies[self.array]:
            if not self.adds:
                cotangent[place] = 0.0
            if cotangents[self.array] is None:
                cotangents[self.array] = cotangent
            else:
                program.receive(cotangents, self.array, cotangent)

    def second(self, cotangent: Any, change: Any, values: Values, tangents: Values, changes: Values) -> None:
        if change is not None:
            self.pull(change, values, changes)

    def push(self, values: Values, tangents: Values) -> Any:
        before = None if self.array is None else tangents[self.array]
        written = None if self.value is None else tangents[self.value]
        if before is None and written is None:
            return None
        tangent = np.zeros(self.step.shape) if before is None else np.array(before, dtype=float)
        place = self._at(values)
        if not self.adds:
            tangent[place] = 0.0 if written is None else written
        elif written is not None:
            np.add.at(tangent, place, written)
        return tangent


def _fitted(part: np.ndarray, shape: tuple[int, ...]) -> Any:
    """Return a cotangent of what was written at that of a value that broadcast, or had axes of one entry more."""
    if part.size == prod(shape):
        return part.reshape(shape)
    return narrowed(part, shape)


def _last(cotangent: np.ndarray, place: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the cotangent of a value of which the entries written last count."""
    picked = np.arange(cotangent.size).reshape(cotangent.shape)[place]
    owners = np.full(cotangent.size, -1)
    owners[picked.ravel()] = np.arange(picked.size)
    spread = np.zeros(picked.size)
    held = owners >= 0
    spread[owners[held]] = cotangent.ravel()[held]
    return _fitted(spread.reshape(picked.shape), shape)


@moves(put, put_add)
def _write(program: Program, index: int, step: Step) -> _Write:
    return _Write(program, index, step)


# Joining, shapes, sums ------------------------------------------------------------------------------------------------


@moves(pack)
def _pack(program: Program, index: int, step: Step) -> Linear | None:
    elements = step.template[0][1:]
    if not all(type(element) is Slot for element in elements):
        return None
    sources = [step.inputs[element.position] for element in elements]
    shape = program.steps[sources[0]].shape
    flat = step.shape == (len(sources),) and step.dtype == float

    def forward(values: Values) -> np.ndarray:
        return np.array([values[source] for source in sources], dtype=float)

    varying = [(k, source) for k, source in enumerate(sources) if program.varies[source]]
    if any(program.steps[source].shape != shape for source in sources):
        return None

    def pull(cotangent: Any, values: Values, cotangents: Values) -> None:
        parts = np.reshape(cotangent, (len(sources), *shape))
        for k, source in varying:
            program.receive(cotangents, source, parts[k])

    def push(values: Values, tangents: Values) -> Any:
        given = [tangents[source] for source in sources]
        if all(tangent is None for tangent in given):
            return None
        return np.reshape([np.zeros(shape) if tangent is None else tangent for tangent in given], step.shape)

    return Linear(pull, push, forward if flat else None)


@moves(np.reshape, np.ravel)
def _reshape(program: Program, index: int, step: Step) -> Linear | None:
    (source, *_), shape = step.inputs, program.steps[step.inputs[0]].shape
    args, options = step.template or ((Slot(0),), {})
    if len(step.inputs) > 1 or "order" in options or len(args) > 2:
        return None

    def pull(cotangent: Any, values: Values, cotangents: Values) -> None:
        program.receive(cotangents, source, np.reshape(cotangent, shape))

    return Linear(pull, _same(source, lambda tangent: np.reshape(tangent, step.shape)))


@moves(total)
def _total(program: Program, index: int, step: Step) -> Linear | None:
    args: Any = tuple(map(Slot, range(len(step.inputs)))) if step.template is None else step.template[0]
    less: Any = () if step.template is None else step.template[1].get("minus", ())
    signed = [(part, 1.0) for part in args] + [(part, -1.0) for part in less]
    terms = [(step.inputs[part.position], sign) for part, sign in signed if type(part) is Slot]
    terms = [(source, sign) for source, sign in terms if program.varies[source]]
    shapes = [program.steps[source].shape for source, _ in terms]

    def pull(cotangent: Any, values: Values, cotangents: Values) -> None:
        for (source, sign), shape in zip(terms, shapes, strict=True):
            part = cotangent if sign > 0 else -cotangent
            program.receive(cotangents, source, part if shape == step.shape else narrowed(part, shape))

    def push(values: Values, tangents: Values) -> Any:
        found = None
        for source, sign in terms:
            tangent = tangents[source]
            if tangent is not None:
                found = sign * tangent if found is None else found + sign * tangent
        return found if found is None or np.shape(found) == step.shape else np.broadcast_to(found, step.shape)

    return Linear(pull, push)


def _same(source: int, function: Callable) -> Push:
    def push(values: Values, tangents: Values) -> Any:
        tangent = tangents[source]
        return None if tangent is None else function(tangent)

    return push
