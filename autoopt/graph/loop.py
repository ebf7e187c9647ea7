"""A loop as one PyTensor operation, whose derivatives are loops again.

`Loop` has the whole trajectory of its carries as results, the initial values included. With these at hand everything
else that an iteration computes is computed for all iterations at once, by array operations outside of the loop: what
does not depend on the carries before it, what the carries do not depend on after it. So a loop's body is only what must
be done in sequence, and its pullback is a loop, in the other direction, over the adjoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedGrad
from pytensor.graph.basic import Apply, Variable, equal_computations
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node, clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors, io_toposort
from pytensor.tensor.elemwise import DimShuffle

from autoopt.graph.rewriting import group_by_dependence, rewrite
from autoopt.rules.table import Rule, Unsupported, find
from autoopt.tape.operations import component, greatest, least, product, total
from autoopt.tape.recurrence import Known, Recurrence
from autoopt.tape.tape import call


class Loop(Op):
    """`count` iterations of a body over carries.

    Inputs are the initial carries, then arrays with one entry for each iteration along axis 0, then what is the same in
    every iteration. Results are the trajectories of the carries, of length `count + 1`. Forward, entry 0 is the initial
    value and entry t + 1 is the body at entry t and the sequences' entry t; with `reverse` the initial value is the
    last entry and entry t is the body at entry t + 1 and the sequences' entry t.

    Parameters
    ----------
    count : int
    carries, sequences : int
    inputs : sequence of Variable
        The body's, in the order of the operation's.
    updates : sequence of Variable
        The carries' next values.
    reverse : bool
    """

    def __init__(
        self,
        count: int,
        carries: int,
        sequences: int,
        inputs: Sequence[Variable],
        updates: Sequence[Variable],
        reverse: bool,
    ) -> None:
        self.count, self.carries, self.sequences, self.reverse = count, carries, sequences, reverse
        self.inputs, self.updates = tuple(inputs), tuple(updates)
        self._run: Callable | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not Loop or self._head() != other._head() or len(self.inputs) != len(other.inputs):
            return False
        if [v.type for v in self.inputs] != [v.type for v in other.inputs]:
            return False
        return equal_computations(list(self.updates), list(other.updates), list(self.inputs), list(other.inputs))

    def __hash__(self) -> int:
        return hash(self._head())

    def _head(self) -> tuple:
        return self.count, self.carries, self.sequences, self.reverse

    def __str__(self) -> str:
        return f"Loop{{{self.count}{', reverse' if self.reverse else ''}}}"

    def make_node(self, *inputs: Variable) -> Apply:
        operands = [pt.as_tensor(v) for v in inputs]
        shapes = [(self.count + 1, *v.type.shape) for v in self.inputs[: self.carries]]
        return Apply(self, operands, [pt.tensor(dtype="float64", shape=shape) for shape in shapes])

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        if self._run is None:
            mode = Mode(linker="py", optimizer=None)
            self._run = pytensor.function(list(self.inputs), list(self.updates), mode=mode, on_unused_input="ignore")
        initial, rest = inputs[: self.carries], inputs[self.carries :]
        arrays, fixed = rest[: self.sequences], rest[self.sequences :]
        trajectories = [np.empty((self.count + 1, *np.shape(value))) for value in initial]
        first, step = (self.count, -1) if self.reverse else (0, 1)
        for trajectory, value in zip(trajectories, initial, strict=True):
            trajectory[first] = value
        for t in reversed(range(self.count)) if self.reverse else range(self.count):
            old = t + 1 if self.reverse else t
            values = self._run(*(x[old] for x in trajectories), *(x[t] for x in arrays), *fixed)
            for trajectory, value in zip(trajectories, values, strict=True):
                trajectory[old + step] = value
        for storage, trajectory in zip(output_storage, trajectories, strict=True):
            storage[0] = trajectory

    def infer_shape(self, fgraph, node: Apply, shapes: Sequence) -> list[tuple]:
        return [(self.count + 1, *shape) for shape in shapes[: self.carries]]

    def parts(self, inputs: Sequence) -> tuple[Sequence, Sequence, Sequence]:
        """Return `inputs` as initial carries, sequences, and invariants."""
        first, second = self.carries, self.carries + self.sequences
        return inputs[:first], inputs[first:second], inputs[second:]

    def before(self, trajectory: Variable) -> Variable:
        """Return the carry that each iteration starts from, in the order of the sequences."""
        return trajectory[1:] if self.reverse else trajectory[:-1]

    def after(self, trajectory: Variable) -> Variable:
        """Return the carry that each iteration ends with, in the order of the sequences."""
        return trajectory[:-1] if self.reverse else trajectory[1:]

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the derivatives with respect to the inputs.

        Notes
        -----
        With c' = F(c, x, k) and the adjoint a' of c': a = g + (dF/dc)' a', where g is the cotangent of c as a result;
        then dx = (dF/dx)' a' and dk is the sum over the iterations of (dF/dk)' a'.
        """
        _, outer_sequences, outer_fixed = self.parts(inputs)
        carries, sequences, fixed = self.parts(self.inputs)
        given = [
            pt.zeros(out.type.shape) if isinstance(g.type, pytensor.gradient.DisconnectedType) else g
            for g, out in zip(cotangents, outputs, strict=True)
        ]
        adjoints = [v.type() for v in carries]
        smooth = [v for v in self.inputs if v.type.dtype == "float64"]
        known = {v: v.type() for v in self.updates if v.owner}  # what the loop has computed need not be computed again
        slopes = dict(zip(smooth, clone_replace(_pulled(self.updates, adjoints, smooth), known), strict=True))
        direct = [v.type() for v in carries]
        updates = [slopes[v] + g for v, g in zip(carries, direct, strict=True)]
        arrays = {v: self.before(out) for v, out in zip(carries, outputs, strict=True)}
        arrays |= dict(zip(sequences, outer_sequences, strict=True))
        arrays |= {known[v]: self.after(out) for v, out in zip(self.updates, outputs, strict=True) if v in known}
        own = arrays | {v: self.before(g) for v, g in zip(direct, given, strict=True)}
        constants = dict(zip(fixed, outer_fixed, strict=True))
        last, first = (0, -1) if self.reverse else (-1, 0)
        initial = dict(zip(adjoints, [g[last] for g in given], strict=True))
        back = loop(self.count, initial, own, constants, updates, reverse=not self.reverse)
        after = {a: self.after(out) for a, out in zip(adjoints, back, strict=True)}
        wanted = [slopes[v] for v in (*sequences, *fixed) if v in slopes]
        found = iter(mapped(self.count, arrays | after, constants, wanted))
        results = [out[first] for out in back]
        for v in (*sequences, *fixed):
            if v not in slopes:
                results.append(pytensor.gradient.disconnected_type())
            else:
                slope = next(found)
                results.append(slope if v in arrays else slope.sum(axis=0))
        return results

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        return [[v.type.dtype == "float64"] * len(node.outputs) for v in self.inputs]


def _pulled(outputs: Sequence[Variable], adjoints: Sequence[Variable], wrt: Sequence[Variable]) -> list[Variable]:
    """Return the derivatives of sum(outputs * adjoints) with respect to `wrt`.

    A known gradient replaces what comes from further down; a copy of each output, which nothing reads, keeps both.
    """
    known = {pt.tensor_copy(out): adjoint for out, adjoint in zip(outputs, adjoints, strict=True)}
    return pytensor.grad(None, list(wrt), known_grads=known, disconnected_inputs="ignore", return_disconnected="zero")


def loop(
    count: int,
    initial: Mapping[Variable, Variable],
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: Sequence[Variable],
    reverse: bool = False,
) -> list[Variable]:
    """Return the trajectories of a loop whose body is rewritten, and reduced to what depends on the carries.

    Parameters
    ----------
    count : int
    initial, sequences, fixed : mapping of Variable to Variable
        From the body's inputs to what they are outside: first values, arrays with an entry for each iteration, values.
    updates : sequence of Variable
        The carries' next values, in terms of the body's inputs.
    reverse : bool
    """
    inner = [*initial, *sequences, *fixed]
    simple = rewrite(inner, list(updates), "between")
    updates = clone_replace(simple.outputs, dict(zip(simple.inputs, inner, strict=True)))
    updates = group_by_dependence(updates, set(initial), {*sequences, *fixed})
    updates, sequences, fixed = _hoisted(count, list(initial), sequences, fixed, updates)
    used = set(ancestors(updates, blockers=[*initial, *sequences, *fixed]))
    sequences = {v: outer for v, outer in sequences.items() if v in used}
    fixed = {v: outer for v, outer in fixed.items() if v in used}
    inner = [*initial, *sequences, *fixed]
    op = Loop(count, len(initial), len(sequences), inner, updates, reverse)
    starts = [
        pt.as_tensor(outer, dtype="float64") if outer.type.dtype != "float64" else outer for outer in initial.values()
    ]
    return op(*starts, *sequences.values(), *fixed.values(), return_list=True)


def _hoisted(
    count: int, carries: Sequence[Variable], sequences: Mapping, fixed: Mapping, updates: list[Variable]
) -> tuple[list[Variable], dict, dict]:
    """Return the body with what does not depend on the carries computed outside, for all iterations at once."""
    inner = [*carries, *sequences, *fixed]
    depends: set[Variable] = set(carries)
    order = io_toposort(inner, updates)
    for node in order:
        if depends.intersection(node.inputs):
            depends.update(node.outputs)
    found: dict[Variable, None] = {}

    def frontier(variable: Variable) -> None:
        if variable in depends or variable.owner is None or variable in fixed or variable in sequences:
            return
        if isinstance(variable.owner.op, DimShuffle):
            frontier(variable.owner.inputs[0])
        else:
            found[variable] = None

    for node in order:
        if depends.intersection(node.inputs):
            for variable in node.inputs:
                frontier(variable)
    for variable in updates:
        frontier(variable)
    if not found:
        return updates, dict(sequences), dict(fixed)
    varying = [v for v in found if set(sequences).intersection(ancestors([v], blockers=inner))]
    constant = [v for v in found if v not in varying]
    places = {v: v.type() for v in found}
    outer_varying = mapped(count, sequences, fixed, varying) if varying else []
    outer_constant = clone_replace(constant, dict(fixed)) if constant else []
    sequences = dict(sequences) | {places[v]: outer for v, outer in zip(varying, outer_varying, strict=True)}
    fixed = dict(fixed) | {places[v]: outer for v, outer in zip(constant, outer_constant, strict=True)}
    return clone_replace(updates, places), sequences, fixed


def mapped(
    count: int, sequences: Mapping[Variable, Variable], fixed: Mapping[Variable, Variable], outputs: Sequence[Variable]
) -> list[Variable]:
    """Return `outputs`, in terms of entries of sequences, for all entries at once."""
    inner = [*sequences, *fixed]
    varying = [out for out in outputs if set(sequences).intersection(ancestors([out], blockers=inner))]
    stacked = dict(zip(varying, vectorize_graph(varying, {**sequences, **fixed}), strict=True)) if varying else {}
    rest = [out for out in outputs if out not in stacked]
    for out, once in zip(rest, clone_replace(rest, dict(fixed)), strict=True):
        stacked[out] = pt.alloc(once, count, *out.type.shape)
    return [stacked[out] for out in outputs]


@_vectorize_node.register(Loop)
def _vectorize_loop(op: Loop, node: Apply, *batched: Variable) -> list[Variable]:
    """Return the trajectories for a stack of inputs: a loop whose carries are stacks."""
    extra = [new.type.ndim - old.type.ndim for new, old in zip(batched, node.inputs, strict=True)]
    axes = max(extra)
    if axes == 0:
        return op.make_node(*batched).outputs
    batch = [1] * axes
    for new, more in zip(batched, extra, strict=True):
        for k, length in enumerate(new.type.shape[:more]):
            if length != 1:
                batch[axes - more + k] = length
    carries, sequences, fixed = op.parts(op.inputs)
    starts, arrays, constants = op.parts(batched)
    _, more_arrays, _ = op.parts(extra)
    stacked: dict[Variable, Variable] = {}
    initial: dict[Variable, Variable] = {}
    for v, start in zip(carries, starts, strict=True):
        stacked[v] = pt.tensor(dtype=v.type.dtype, shape=(*batch, *v.type.shape))
        initial[stacked[v]] = pt.broadcast_to(start, (*batch, *v.type.shape))
    given: dict[Variable, Variable] = {}
    for v, array, more in zip(sequences, arrays, more_arrays, strict=True):
        stacked[v] = pt.tensor(dtype=v.type.dtype, shape=(*array.type.shape[:more], *v.type.shape))
        given[stacked[v]] = pt.moveaxis(array, more, 0) if more else array
    kept: dict[Variable, Variable] = {}
    for v, value in zip(fixed, constants, strict=True):
        stacked[v] = pt.tensor(dtype=v.type.dtype, shape=value.type.shape)
        kept[stacked[v]] = value
    updates = [
        pt.broadcast_to(new, (*batch, *old.type.shape))
        for new, old in zip(vectorize_graph(list(op.updates), stacked), op.updates, strict=True)
    ]
    results = loop(op.count, initial, given, kept, updates, op.reverse)
    return [pt.moveaxis(result, 0, axes) for result in results]


@_vectorize_node.register(DisconnectedGrad)
def _vectorize_disconnected(op: DisconnectedGrad, node: Apply, x: Variable) -> list[Variable]:
    return [op(x)]


# From the tape --------------------------------------------------------------------------------------------------------


def build_recurrence(recurrence: Recurrence, *operands) -> tuple[Variable, ...]:
    """Return the trajectories and collected values of a tape's recurrence."""
    operands = [pt.as_tensor(operand) for operand in operands]
    inner = [pt.tensor(dtype=str(step.dtype), shape=step.shape) for step in recurrence.body[: len(operands)]]
    values: list = list(inner)
    for step in recurrence.body[len(operands) :]:
        values.append(step.template.value if isinstance(step.template, Known) else _apply(step, values))
    updates = [pt.as_tensor(values[k]) for k in recurrence.updates]
    outputs = [pt.as_tensor(values[k]) for k in recurrence.outputs]
    simple = rewrite(inner, [*updates, *outputs], "first")
    simplified = clone_replace(simple.outputs, dict(zip(simple.inputs, inner, strict=True)))
    updates, outputs = simplified[: len(updates)], simplified[len(updates) :]
    first, second = recurrence.carries, recurrence.carries + recurrence.sequences
    initial = dict(zip(inner[:first], operands[:first], strict=True))
    sequences = dict(zip(inner[first:second], operands[first:second], strict=True))
    fixed = dict(zip(inner[second:], operands[second:], strict=True))
    trajectories = loop(recurrence.count, initial, sequences, fixed, updates)
    known = {v: v.type() for v in updates if v.owner}
    given = sequences | {v: trajectory[:-1] for v, trajectory in zip(initial, trajectories, strict=True)}
    given |= {known[v]: trajectory[1:] for v, trajectory in zip(updates, trajectories, strict=True) if v in known}
    return (*trajectories, *mapped(recurrence.count, given, fixed, clone_replace(outputs, known)))


def _apply(step, values: list):
    """Return a step of the body in PyTensor."""
    if step.operation is component:
        return values[step.inputs[0]][step.template[0][1]]
    if step.operation in _JOINED:
        return _joined(step, values)
    rule = find_recurrence(step.operation) or find(step.operation)
    if rule is None:
        raise Unsupported(getattr(step.operation, "__name__", str(step.operation)))
    return call(step, [values[source] for source in step.inputs], rule.build)


_JOINED: dict[Callable, Callable] = {total: pt.add, product: pt.mul, greatest: pt.maximum, least: pt.minimum}


def _joined(step, values: list) -> Variable:
    """Return a chain that `tape.flatten` made one step: within an iteration it is short."""
    combine = _JOINED[step.operation]
    plus = call(step, [values[source] for source in step.inputs], lambda *terms, minus=(): (terms, minus))
    terms, minus = plus
    made = reduce(combine, map(pt.as_tensor, terms)) if terms else pt.zeros(())
    return made - reduce(combine, map(pt.as_tensor, minus)) if minus else made


def find_recurrence(operation: object) -> Rule | None:
    """Return the rule of a tape operation that is a recurrence."""
    return Rule(operation, partial(build_recurrence, operation)) if isinstance(operation, Recurrence) else None
