"""What a recurrence of the tape becomes: a `Loop`, and what it collects computed for all iterations at once.

The body of an operation that holds steps, a recurrence or a root, is entered by the same rules as the tape itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace

from autoopt.graph.loops.bodies import mapped
from autoopt.graph.loops.loop import Ending, loop
from autoopt.graph.loops.marks import mark
from autoopt.graph.loops.roots import find_root
from autoopt.graph.loops.segments import Body, collected, segmented
from autoopt.graph.rewrites.rewriting import rewrite
from autoopt.rules import Rule, Unsupported, find
from autoopt.rules.casting import in_floats
from autoopt.tape.assignments import assigned_name
from autoopt.tape.operations import component, greatest, least, product, total
from autoopt.tape.recurrence import Known, Recurrence, Until
from autoopt.tape.stores import filled_name
from autoopt.tape.tape import Step, call


def build_recurrence(recurrence: Recurrence, *given: Any) -> tuple[Variable, ...]:
    """Return the trajectories and collected values of a tape's recurrence."""
    operands = [pt.as_tensor(operand) for operand in given]
    inner: list[Variable] = [
        pt.tensor(dtype=str(step.dtype), shape=step.shape) for step in recurrence.body[: len(operands)]
    ]
    values: list = list(inner)
    for step in recurrence.body[len(operands) :]:
        values.append(step.template.value if isinstance(step.template, Known) else apply_step(step, values))
        mark(values[-1], step)
    until = recurrence.until
    asked = [until.step, *until.ties, *(k for k, _ in until.checks)] if until else []
    updates: list[Variable] = [pt.as_tensor(values[k]) for k in recurrence.updates]
    outputs: list[Variable] = [pt.as_tensor(values[k]) for k in (*asked, *recurrence.outputs)]
    simple = rewrite(inner, [*updates, *outputs], "guards" if until else "first")
    simplified = clone_replace(simple.outputs, dict(zip(simple.inputs, inner, strict=True)))
    updates, outputs = simplified[: len(updates)], simplified[len(updates) :]
    first, second = recurrence.carries, recurrence.carries + recurrence.sequences
    initial: dict[Variable, Variable] = dict(zip(inner[:first], operands[:first], strict=True))
    sequences: dict[Variable, Variable] = dict(zip(inner[first:second], operands[first:second], strict=True))
    fixed: dict[Variable, Variable] = dict(zip(inner[second:], operands[second:], strict=True))
    for v, step, update in zip(initial, recurrence.body, recurrence.updates, strict=False):
        v.name = assigned_name(step) or filled_name(recurrence.body[update])
    if until:
        return _until(until, initial, fixed, updates, outputs)
    assert recurrence.count is not None  # as nothing else ends it
    body = Body(initial, sequences, fixed, updates, outputs)
    if recurrence.segment:
        return segmented(recurrence.count, recurrence.segment, body)
    return collected(recurrence.count, body)


def _until(
    until: Until,
    initial: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: Sequence[Variable],
    outputs: Sequence[Variable],
) -> tuple[Variable, ...]:
    """Return the number of iterations, what holds in all of them, the outputs of the last, and the ties of all."""
    condition, *outputs = outputs
    ties, outputs = outputs[: len(until.ties)], outputs[len(until.ties) :]
    ending = Ending(condition, until.answer, until.place)
    *trajectories, count = loop(None, initial, {}, fixed, updates, ending=ending)
    known: dict[Variable, Variable] = {v: v.type() for v in updates if v.owner}
    checks, outputs = outputs[: len(until.checks)], clone_replace(outputs[len(until.checks) :], known)
    before: dict[Variable, Variable] = {v: path[:-1] for v, path in zip(initial, trajectories, strict=True)}
    last: dict[Variable, Variable] = {v: path[-2] for v, path in zip(initial, trajectories, strict=True)}
    last |= {known[v]: path[-1] for v, path in zip(updates, trajectories, strict=True) if v in known}
    held = [
        pt.all(found if answer else pt.invert(found), axis=0)
        for found, (_, answer) in zip(mapped(count, before, fixed, checks), until.checks, strict=True)
    ]
    more: list[Variable] = []
    if ties:
        more.append(sum(pt.sum(met) for met in mapped(count, before, fixed, ties)) - until.always * count)
    return (count, *held, *clone_replace(outputs, {**fixed, **last}), *more)


def apply_step(step: Step, values: list) -> Any:
    """Return a step of the body in PyTensor."""
    if step.operation is component:
        return values[step.inputs[0]][step.template[0][1]]
    if step.operation in _JOINED:
        return _joined(step, values)
    rule = find_holding(step.operation) or find(step.operation)
    if rule is None:
        raise Unsupported(getattr(step.operation, "__name__", str(step.operation)))
    return call(step, in_floats(step, [values[source] for source in step.inputs]), rule.build)


_JOINED: dict[Callable | None, Callable] = {total: pt.add, product: pt.mul, greatest: pt.maximum, least: pt.minimum}


def _joined(step: Step, values: list) -> Variable:
    """Return a chain that `tape.flatten` made one step: within an iteration it is short."""
    combine = _JOINED[step.operation]
    plus = call(
        step, in_floats(step, [values[source] for source in step.inputs]), lambda *terms, minus=(): (terms, minus)
    )
    terms, minus = plus
    made = reduce(combine, map(pt.as_tensor, terms)) if terms else pt.zeros(())
    return made - reduce(combine, map(pt.as_tensor, minus)) if minus else made


BUILDERS: dict[type, Callable] = {Recurrence: build_recurrence}
"""What makes PyTensor variables of the tape's operations that have parts, by their class."""


def find_holding(operation: object) -> Rule | None:
    """Return the rule of a tape operation that holds steps: a recurrence, a root, a differential equation."""
    build = BUILDERS.get(type(operation))
    if build is not None and callable(operation):
        return Rule(operation, partial(build, operation))
    return find_root(operation, apply_step)
