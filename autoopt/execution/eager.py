"""Derivatives of one run of the objective, step by step along its tape, without compiling the path.

What an objective costs whose path changes at nearly every call. Each kind of step is a small objective of its own, of
its inputs and the cotangents of its results, whose derivatives come from the same rules and the same source cache as
those of a whole tape; so a step of a known kind costs a few function calls. Nothing is vectorised here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autoopt.execution.engines import NumpyFunctions
from autoopt.graph.kinds import KINDS
from autoopt.tape.digest import template_text
from autoopt.tape.operations import component, pack, put, put_add
from autoopt.tape.tape import CONSTANT, DATA, PARAMETER, Leaf, Slot, Step, Tape, call, fill

_FLOAT = np.dtype(float)
_MOST_RULES = 2000


def _differentiable(step: Step) -> bool:
    return step.level == PARAMETER and step.dtype == _FLOAT


class EagerCache:
    """The kinds of step that have been met, with their derivatives: what one run leaves to the next."""

    def __init__(self) -> None:
        self.rules: dict[Any, _StepRule] = {}

    def rule(self, tape: Tape, step: Step, values: Sequence[Any]) -> _StepRule:
        """Return the derivatives of `step`, made when a step of its kind is first met."""
        operands = tuple(_role(tape, step, source, values[source]) for source in step.inputs)
        template = step.template if step.template is None else template_text(step.template)
        key = step.operation, template, operands
        rule = self.rules.get(key)
        if rule is None:
            while len(self.rules) >= _MOST_RULES:
                self.rules.pop(next(iter(self.rules)))
            rule = self.rules[key] = _StepRule(step, operands, values)
        return rule


class EagerRun:
    """One run of a tape at one point.

    Parameters
    ----------
    tape : Tape
        As traced at `x`, so that its guards hold.
    x : ndarray, shape (n,)
    cache : EagerCache
        Keeps the kinds of step from one run to the next.
    """

    def __init__(self, tape: Tape, x: np.ndarray, cache: EagerCache) -> None:
        self.tape = tape
        self.cache = cache
        self.values = _replay(tape, x)
        self.cotangents: dict[int, Any] = {}  # once there is a gradient

    @property
    def value(self) -> Any:
        """What the objective returns, a number unless it is array-valued."""
        return self.values[self.tape.output]

    def gradient(self) -> np.ndarray:
        """Return the gradient, shape (n,)."""
        return self.pulled(np.ones(()))

    def pulled(self, weights: np.ndarray) -> np.ndarray:
        """Return the gradient of the sum of the tape's results times `weights`, shape (n,)."""
        self.cotangents = {self.tape.output: weights}
        for index in self._differentiable_steps(self.cotangents):
            step = self.tape.steps[index]
            for source, cotangent in self._pull(step, self.cotangents[index]):
                _add(self.cotangents, source, cotangent)
        return self._flat(self.cotangents)

    def product(self, direction: np.ndarray) -> np.ndarray:
        """Return the Hessian times `direction`, shape (n,): the change of the gradient along it."""
        if not self.cotangents:
            self.gradient()
        tangents = self._tangents(direction)
        second_cotangents: dict[int, Any] = {}
        for index in self._differentiable_steps(self.cotangents):
            step = self.tape.steps[index]
            second = second_cotangents.get(index)
            for source, part in self._second_pull(step, self.cotangents[index], second, tangents):
                _add(second_cotangents, source, part)
        return self._flat(second_cotangents)

    def hessian(self) -> np.ndarray:
        """Return the Hessian, shape (n, n)."""
        return np.array([self.product(unit) for unit in np.eye(self.tape.steps[0].shape[0])])

    def jacobian(self) -> np.ndarray:
        """Return the derivatives of an array-valued objective, shape (m, n)."""
        shape = self.tape.steps[self.tape.output].shape
        rows = [self.pulled(unit.reshape(shape)) for unit in np.eye(prod(shape))]
        return np.array(rows).reshape(prod(shape), self.tape.steps[0].shape[0])

    def derivative(self, kind: str, *direction: np.ndarray) -> np.ndarray:
        """Return the derivative of one of KINDS, without the value."""
        method = KINDS[kind].eager
        assert method is not None, kind
        return getattr(self, method)(*direction)

    def _differentiable_steps(self, cotangents: dict[int, Any]) -> Any:
        """Yield the steps that `cotangents` has reached, last first; it may grow meanwhile."""
        steps = self.tape.steps
        for index in range(self.tape.output, 0, -1):
            if index in cotangents and steps[index].level == PARAMETER:
                yield index

    def _flat(self, cotangents: dict[int, Any]) -> np.ndarray:
        return np.array(cotangents.get(0, np.zeros(self.tape.steps[0].shape)), dtype=float)

    def _inputs(self, step: Step) -> list[Any]:
        return [self.values[source] for source in step.inputs]

    def _pull(self, step: Step, cotangent: Any) -> list[tuple[int, Any]]:
        """Return what `cotangent` at the result of a step makes of cotangents at its inputs."""
        if step.operation is component:
            return [(step.inputs[0], {step.template[0][1]: cotangent})]
        arrangement = _arrangement(step)
        if arrangement is not None:
            pulled = arrangement.pull(step, self._inputs(step), cotangent)
        else:
            pulled = self.cache.rule(self.tape, step, self.values).pull(self._inputs(step), cotangent)
        return [(step.inputs[k], part) for k, part in pulled if _differentiable(self.tape.steps[step.inputs[k]])]

    def _tangents(self, direction: np.ndarray) -> dict[int, Any]:
        """Return how the results of all steps change along `direction`."""
        tangents: dict[int, Any] = {0: np.asarray(direction, dtype=float)}
        for index, step in enumerate(self.tape.steps[: self.tape.output + 1]):
            if index in tangents or not any(source in tangents for source in step.inputs):
                continue
            if index not in self.cotangents:
                continue
            of_inputs = [tangents.get(source) for source in step.inputs]
            arrangement = _arrangement(step)
            if step.operation is component:
                whole = of_inputs[0]
                assert whole is not None  # its only input has one
                tangent = whole.get(step.template[0][1])
            elif arrangement is not None:
                tangent = arrangement.push(step, self._inputs(step), of_inputs)
            else:
                tangent = self.cache.rule(self.tape, step, self.values).push(self._inputs(step), of_inputs)
            if tangent is not None:
                tangents[index] = tangent
        return tangents

    def _second_pull(self, step: Step, cotangent: Any, second: Any, tangents: dict[int, Any]) -> list[tuple[int, Any]]:
        """Return how the cotangents that a step hands to its inputs change."""
        if step.operation is component or _arrangement(step) is not None:
            return [] if second is None else self._pull(step, second)
        of_inputs = [tangents.get(source) for source in step.inputs]
        rule = self.cache.rule(self.tape, step, self.values)
        pulled = rule.second_pull(self._inputs(step), cotangent, of_inputs, second)
        return [(step.inputs[k], part) for k, part in pulled]


def _replay(tape: Tape, x: np.ndarray) -> list[Any]:
    """Return the values of all steps, by the calls that the user made."""
    values: list[Any] = []
    for index, step in enumerate(tape.steps):
        if step.operation is not None:
            values.append(call(step, [values[source] for source in step.inputs]))
        else:
            values.append(x if index == 0 else tape.values[index])
    return values


def _add(cotangents: dict[int, Any], index: int, cotangent: Any) -> None:
    """Add a cotangent to those of a step; those of a function with several results are kept by position."""
    known = cotangents.get(index)
    if known is None:
        cotangents[index] = dict(cotangent) if type(cotangent) is dict else cotangent
    elif type(known) is dict:
        for position, part in cotangent.items():
            known[position] = known[position] + part if position in known else part
    else:
        cotangents[index] = known + cotangent


# One kind of step -----------------------------------------------------------------------------------------------------


class _Role(NamedTuple):
    """What an operand is to the derivative of its step: "varies", "given" with each call, or "fixed" at `content`."""

    kind: str
    shape: tuple[int, ...]
    dtype: str
    content: Any = None


def _role(tape: Tape, step: Step, source: int, value: Any) -> _Role:
    operand = tape.steps[source]
    shape, dtype = operand.shape, operand.dtype.str
    if _differentiable(operand):
        return _Role("varies", shape, dtype)
    if operand.level != CONSTANT:
        return _Role("given", shape, dtype)
    if isinstance(step.operation, np.ufunc) and step.operation is not np.power and operand.dtype == _FLOAT:
        return _Role("given", shape, dtype)
    content = (type(value), repr(value)) if np.ndim(value) == 0 else np.asarray(value).tobytes()
    return _Role("fixed", shape, dtype, content)


class _StepRule:
    """The derivatives of one kind of step: of phi(x, v) = sum of v times the step's results.

    `x` are the operands that vary and `v` the cotangents at the results, side by side in one vector. The gradient of
    phi in x is the pullback; its Hessian times (x', v') is, in v, the pushforward of x', and in x the change of the
    pullback.
    """

    def __init__(self, step: Step, roles: Sequence[_Role], values: Sequence[Any]) -> None:
        self.varying = [k for k, role in enumerate(roles) if role.kind == "varies"]
        self.given = [k for k, role in enumerate(roles) if role.kind == "given"]
        operands = [values[source] for source in step.inputs]
        result = call(step, operands)
        self.several = isinstance(result, tuple | list)
        results = list(result) if self.several else [result]
        self.results = [k for k, part in enumerate(results) if np.asarray(part).dtype == _FLOAT]
        self.shapes = [roles[k].shape for k in self.varying] + [np.shape(results[k]) for k in self.results]
        self.ends = np.cumsum([prod(shape) for shape in self.shapes]).tolist()
        self.tape, self.leaves = self._tape(step, roles, operands)
        self.functions: dict[str, NumpyFunctions] = {}

    def _tape(self, step: Step, roles: Sequence[_Role], operands: Sequence[Any]) -> tuple[Tape, list[int]]:
        """Return the tape of phi and where the given operands are on it."""
        tape = Tape()

        def enter(operation: Callable | None, inputs: tuple, template: Any, shape: tuple, *kind: Any) -> int:
            dtype, level = kind or (_FLOAT, PARAMETER)
            tape.steps.append(Step(operation, inputs, template, shape, dtype, level, step.site))
            return len(tape.steps) - 1

        vector = enter(None, (), Leaf("x", "parameter"), (self.ends[-1],))
        parts = []
        for shape, end in zip(self.shapes, self.ends, strict=True):
            span = slice(end - prod(shape), end) if shape else end - 1
            part = enter(operator.getitem, (vector,), ((Slot(0), span), {}), (prod(shape),) if shape else ())
            parts.append(
                enter(np.reshape, (part,), ((Slot(0), shape), {}), shape) if len(shape) != 1 and shape else part
            )
        places: dict[int, int] = dict(zip(self.varying, parts, strict=False))
        for k, role in enumerate(roles):
            if k not in places:
                given = k in self.given
                leaf = Leaf(f"given_{k}", "argument") if given else None
                level = DATA if given else CONSTANT
                places[k] = enter(None, (), leaf, role.shape, np.dtype(role.dtype), level)
                tape.values[places[k]] = operands[k]
        inputs = tuple(places[k] for k in range(len(roles)))
        result = enter(step.operation, inputs, step.template, step.shape, step.dtype, PARAMETER)
        terms = []
        for k, cotangent in zip(self.results, parts[len(self.varying) :], strict=True):
            shape = tape.steps[cotangent].shape
            one = enter(component, (result,), ((Slot(0), k), {}), shape) if self.several else result
            product = enter(np.multiply, (one, cotangent), None, shape)
            terms.append(enter(np.sum, (product,), ((Slot(0),), {}), ()) if shape else product)
        total = terms[0]
        for term in terms[1:]:
            total = enter(np.add, (total, term), None, ())
        tape.output = total
        return tape, [places[k] for k in self.given]

    def pull(self, operands: Sequence[Any], cotangent: Any) -> list[tuple[int, Any]]:
        """Return the cotangents at the operands that vary, by position."""
        gradient = self._bound("value_and_grad", operands)(self._point(operands, cotangent))[1]
        return list(zip(self.varying, self._split(gradient), strict=False))

    def push(self, operands: Sequence[Any], tangents: Sequence[Any]) -> Any:
        """Return how the results change when the operands do."""
        change = self._bound("hessp", operands)(self._point(operands, None), self._direction(tangents, None))
        parts = self._split(change)[len(self.varying) :]
        return dict(zip(self.results, parts, strict=True)) if self.several else parts[0]

    def second_pull(
        self, operands: Sequence[Any], cotangent: Any, tangents: Sequence[Any], second: Any
    ) -> list[tuple[int, Any]]:
        """Return how the cotangents at the operands change when the operands and the cotangent do."""
        change = self._bound("hessp", operands)(self._point(operands, cotangent), self._direction(tangents, second))
        return list(zip(self.varying, self._split(change), strict=False))

    def _bound(self, kind: str, operands: Sequence[Any]) -> Callable:
        functions = self.functions.get(kind)
        if functions is None or self.given:
            for leaf, k in zip(self.leaves, self.given, strict=True):
                self.tape.values[leaf] = operands[k]
            if functions is None:
                functions = self.functions[kind] = NumpyFunctions(self.tape, kind, "One step of an objective.")
            else:
                functions.bind(self.tape)
        return functions.run

    def _point(self, operands: Sequence[Any], cotangent: Any) -> np.ndarray:
        return self._joined([operands[k] for k in self.varying], cotangent)

    def _direction(self, tangents: Sequence[Any], second: Any) -> np.ndarray:
        return self._joined([tangents[k] for k in self.varying], second)

    def _joined(self, varying: Sequence[Any], cotangent: Any) -> np.ndarray:
        """Return operands and cotangents as one vector, zero where there is None."""
        cotangents = [cotangent] if type(cotangent) is not dict else [cotangent.get(k) for k in self.results]
        if cotangent is None:
            cotangents = [None] * len(self.results)
        flat = np.zeros(self.ends[-1])
        for part, shape, end in zip([*varying, *cotangents], self.shapes, self.ends, strict=True):
            if part is not None:
                flat[end - prod(shape) : end] = np.ravel(part)
        return flat

    def _split(self, flat: np.ndarray) -> list[np.ndarray]:
        return [flat[end - prod(shape) : end].reshape(shape) for shape, end in zip(self.shapes, self.ends, strict=True)]


# Arrangements ---------------------------------------------------------------------------------------------------------


class Arrangement(NamedTuple):
    """Steps that only move numbers to other places, of which every index would be a kind of its own."""

    pull: Callable[[Step, list, Any], list[tuple[int, Any]]]
    push: Callable[[Step, list, list], Any]


def _pull_getitem(step: Step, inputs: list, cotangent: Any) -> list[tuple[int, Any]]:
    (whole, index), _ = step.template
    spread = np.zeros(np.shape(inputs[whole.position]))
    np.add.at(spread, fill(index, inputs), cotangent)
    return [(whole.position, spread)]


def _push_getitem(step: Step, inputs: list, tangents: list) -> Any:
    (whole, index), _ = step.template
    return tangents[whole.position][fill(index, inputs)]


def _pull_put(step: Step, inputs: list, cotangent: Any) -> list[tuple[int, Any]]:
    """Return the cotangents of x and the value in `put(x, index, value)`: where it is written, the last one counts."""
    (x, index, value), _ = step.template
    index = fill(index, inputs)
    cotangent = np.asarray(cotangent, dtype=float)
    found = []
    if type(x) is Slot:
        kept = cotangent.copy()
        kept[index] = 0.0
        found.append((x.position, kept))
    if type(value) is Slot:
        shape = np.shape(inputs[value.position])
        numbers = np.full(cotangent.shape, -1)
        numbers[index] = np.arange(prod(shape)).reshape(shape)
        spread = np.zeros(prod(shape))
        np.add.at(spread, numbers[numbers >= 0], cotangent[numbers >= 0])
        found.append((value.position, spread.reshape(shape)))
    return found


def _pull_put_add(step: Step, inputs: list, cotangent: Any) -> list[tuple[int, Any]]:
    (x, index, value), _ = step.template
    found = [(x.position, cotangent)] if type(x) is Slot else []
    if type(value) is Slot:
        found.append((value.position, _unbroadcast(cotangent[fill(index, inputs)], np.shape(inputs[value.position]))))
    return found


def _unbroadcast(cotangent: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the cotangent at an array of `shape` that was broadcast to that of `cotangent`."""
    extra = np.ndim(cotangent) - len(shape)
    stretched = tuple(k + extra for k, length in enumerate(shape) if length == 1)
    return np.sum(cotangent, axis=(*range(extra), *stretched)).reshape(shape)


def _push_write(step: Step, inputs: list, tangents: list) -> Any:
    (x, index, value), _ = step.template
    index = fill(index, inputs)
    written = _tangent_of(value, tangents)
    tangent = (
        np.zeros(step.shape) if _tangent_of(x, tangents) is None else np.array(_tangent_of(x, tangents), dtype=float)
    )
    if step.operation is put:
        tangent[index] = 0.0 if written is None else written
    elif written is not None:
        np.add.at(tangent, index, written)
    return tangent


def _tangent_of(slot: Any, tangents: list) -> Any:
    return tangents[slot.position] if type(slot) is Slot else None


def _pull_pack(step: Step, inputs: list, cotangent: Any) -> list[tuple[int, Any]]:
    parts = np.reshape(cotangent, (len(inputs), *np.shape(inputs[0])))
    return list(enumerate(parts))


def _push_pack(step: Step, inputs: list, tangents: list) -> Any:
    shape = np.shape(inputs[0])
    return np.reshape([np.zeros(shape) if tangent is None else tangent for tangent in tangents], step.shape)


ARRANGEMENTS: dict[Callable, Arrangement] = {
    operator.getitem: Arrangement(_pull_getitem, _push_getitem),
    put: Arrangement(_pull_put, _push_write),
    put_add: Arrangement(_pull_put_add, _push_write),
    pack: Arrangement(_pull_pack, _push_pack),
}


def _arrangement(step: Step) -> Arrangement | None:
    return None if step.operation is None else ARRANGEMENTS.get(step.operation)
