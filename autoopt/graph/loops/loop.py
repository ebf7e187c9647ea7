"""A loop as one PyTensor operation, whose derivatives are loops again.

`Loop` has the whole trajectory of its carries as results, the initial values included. With these at hand everything
else that an iteration computes is computed for all iterations at once, by array operations outside of the loop: what
does not depend on the carries before it, what the carries do not depend on after it. So a loop's body is only what must
be done in sequence, and its pullback is a loop, in the other direction, over the adjoints.

    for t in range(12): h = np.tanh(p[1] * h + np.exp(p[0] * y[t]))                the user's; h at the end is returned

    u = np.exp(p[0] * y)                                                            no carry in it: `hoisted`
    for t in range(12): h = np.tanh(p1 * h + u[t]); path[t + 1] = h                 the Loop: carry h, sequence u, p1

    d = 1.0 - np.tanh(p1 * path[:-1] + u)**2; e = d * p1                            no adjoint in it: `hoisted` again
    for t in range(11, -1, -1): a = a * e[t] + g[t]; back[t] = a                    its pullback, a Loop in reverse
    gradient[0] = (back[1:] * d * u) @ y; gradient[1] = (back[1:] * d) @ path[:-1]  what reads adjoints only: `mapped`

Before it is hoisted the body is rewritten as PyTensor rewrites graphs, after it no more: what is in a loop is printed
as it stands. Within `loop` the inputs of a body are other variables than the loop's operands; mappings lead from one to
the other, so that bodies can be cloned, cut and joined without regard to where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedGrad
from pytensor.graph.basic import Apply, Variable, equal_computations
from pytensor.graph.op import Op
from pytensor.graph.replace import _vectorize_node, clone_replace, vectorize_graph
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.loops.adjoints import adjoints_of, parted, pulled, with_known
from autoopt.graph.loops.bodies import Body, hoisted, mapped, rewritten
from autoopt.graph.rewrites.grouping import group_by_dependence
from autoopt.ops import stacks  # noqa: F401  (registers stacked forms)
from autoopt.ops.patterns import applied, applied_to, is_zero
from autoopt.ops.releases import infers_shape
from autoopt.tape.recurrence import MOST


class Ending(NamedTuple):
    """What ends a loop: the body's `condition` once it is `answer`; `place` is the loop's among those of the tape."""

    condition: Variable
    answer: bool
    place: int | None


class Loop(Op):
    """`count` iterations of a body over carries.

    Inputs are the initial carries, then arrays with one entry for each iteration along axis 0, then what is the same in
    every iteration. Results are the trajectories of the carries, of length `count + 1`. Forward, entry 0 is the initial
    value and entry t + 1 is the body at entry t and the sequences' entry t; with `reverse` the initial value is the
    last entry and entry t is the body at entry t + 1 and the sequences' entry t.

    A loop whose number of iterations is not known ahead either has an `ending`, and the number as one more result, or
    it is given the number as its last input, which the body does not read.

    Parameters
    ----------
    count : int or None
        None if it is not known ahead.
    carries, sequences : int
    inputs : sequence of Variable
        The body's, in the order of the operation's.
    updates : sequence of Variable
        The carries' next values.
    reverse : bool
    ending : Ending, optional
    ends : frozenset of int, optional
        The carries of which only the last value is a result, in place of the trajectory.
    """

    def __init__(
        self,
        count: int | None,
        carries: int,
        sequences: int,
        inputs: Sequence[Variable],
        updates: Sequence[Variable],
        reverse: bool,
        ending: Ending | None = None,
        ends: frozenset[int] = frozenset(),
    ) -> None:
        self.count, self.carries, self.sequences, self.reverse = count, carries, sequences, reverse
        self.ending, self.ends = ending, ends
        self.inputs, self.updates = tuple(inputs), tuple(updates)
        self._run: Callable | None = None

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not Loop or self._head() != other._head() or len(self.inputs) != len(other.inputs):
            return False
        if [v.type for v in self.inputs] != [v.type for v in other.inputs]:
            return False
        return equal_computations([*self.results], [*other.results], list(self.inputs), list(other.inputs))

    def __hash__(self) -> int:
        return hash(self._head())

    def _head(self) -> tuple:
        ending = (self.ending.answer, self.ending.place) if self.ending else None
        return self.count, self.carries, self.sequences, self.reverse, ending, self.ends

    def __str__(self) -> str:
        return f"Loop{{{self.count}{', reverse' if self.reverse else ''}}}"

    @property
    def results(self) -> list[Variable]:
        """What the body computes: the carries' next values, and what ends the loop."""
        return [*self.updates, self.ending.condition] if self.ending else list(self.updates)

    def make_node(self, *inputs: Variable) -> Apply:
        operands = [pt.as_tensor(v) for v in inputs]
        length = None if self.count is None else self.count + 1
        carries = self.inputs[: self.carries]
        shapes = [v.type.shape if k in self.ends else (length, *v.type.shape) for k, v in enumerate(carries)]
        outputs = [pt.tensor(_path(v), dtype="float64", shape=s) for v, s in zip(carries, shapes, strict=True)]
        return Apply(self, operands, [*outputs, pt.lscalar("count")] if self.ending else outputs)

    def iterations(self, node: Apply) -> int | TensorVariable:
        """Return the number of iterations."""
        if self.count is not None:
            return self.count
        return pt.as_tensor(node.outputs[-1] if self.ending else node.inputs[-1])

    def _compiled(self) -> Callable:
        """Return one iteration as a function, made when first asked for."""
        if self._run is None:
            mode = Mode(linker="py", optimizer="None")
            self._run = pytensor.function(list(self.inputs), self.results, mode=mode, on_unused_input="ignore")
        return self._run

    def perform(self, node: Apply, inputs: Sequence, output_storage: list) -> None:
        """Run the loop in PyTensor's own way: no code of autoopt's does, it prints loops."""
        if self.ending:
            self._repeat(inputs, output_storage, self.ending.answer)
            return
        iteration = self._compiled()
        count = int(inputs[-1]) if self.count is None else self.count
        initial, rest = inputs[: self.carries], inputs[self.carries :]
        arrays, fixed = rest[: self.sequences], rest[self.sequences :]
        trajectories = [np.empty((count + 1, *np.shape(value))) for value in initial]
        first, step = (count, -1) if self.reverse else (0, 1)
        for trajectory, value in zip(trajectories, initial, strict=True):
            trajectory[first] = value
        for t in reversed(range(count)) if self.reverse else range(count):
            old = t + 1 if self.reverse else t
            values = iteration(*(x[old] for x in trajectories), *(x[t] for x in arrays), *fixed)
            for trajectory, value in zip(trajectories, values, strict=True):
                trajectory[old + step] = value
        last = 0 if self.reverse else count
        for k, trajectory in enumerate(trajectories):
            output_storage[k][0] = trajectory[last] if k in self.ends else trajectory

    def _repeat(self, inputs: Sequence, output_storage: list, answer: bool) -> None:
        iteration = self._compiled()
        carries, fixed = list(inputs[: self.carries]), inputs[self.carries :]
        kept = [[value] for value in carries]
        going = True
        while going and len(kept[0]) <= MOST:
            *carries, condition = iteration(*carries, *fixed)
            for row, value in zip(kept, carries, strict=True):
                row.append(value)
            going = bool(condition) != answer
        for storage, value in zip(output_storage, [*map(np.array, kept), np.asarray(len(kept[0]) - 1)], strict=True):
            storage[0] = value

    @infers_shape
    def infer_shape(self, node: Apply, shapes: Sequence) -> list[tuple]:
        count = self.iterations(node)
        trajectories = [s if k in self.ends else (count + 1, *s) for k, s in enumerate(shapes[: self.carries])]
        return [*trajectories, ()] if self.ending else trajectories

    def again(self, count: int | Variable, body: Body) -> list[TensorVariable]:
        """Return the trajectories of a loop of the same kind with another body."""
        return loop(count, body.initial, body.sequences, body.fixed, body.updates, self.reverse)

    def shortened(self, inputs: Sequence[Variable]) -> list[TensorVariable] | None:
        """Return the trajectories without what the last iteration makes; None if their number is not known."""
        if type(self) is not Loop or self.count is None or self.ending or self.count < 2:
            return None
        carries, sequences, fixed = self.parts(inputs)
        rest = [pt.as_tensor(array)[1:] if self.reverse else pt.as_tensor(array)[:-1] for array in sequences]
        op = Loop(self.count - 1, self.carries, self.sequences, self.inputs, self.updates, self.reverse)
        return applied_to(op, [*carries, *rest, *fixed])

    def without_zeros(self, inputs: Sequence[Variable]) -> list[TensorVariable] | None:
        """Return the trajectories of a loop that is not given arrays of zeros; None if it is given none."""
        _, outer, _ = self.parts(inputs)
        _, sequences, _ = self.parts(self.inputs)
        zeros: dict[Variable, Variable] = {
            v: pt.zeros(v.type.shape) for v, array in zip(sequences, outer, strict=True) if _is_zeros(array)
        }
        if type(self) is not Loop or self.count is None or self.ending or not zeros:
            return None
        places = [v for v in self.inputs if v not in zeros]
        updates = rewritten(places, clone_replace(list(self.updates), zeros), "between")
        kept = [outer for v, outer in zip(self.inputs, inputs, strict=True) if v not in zeros]
        op = Loop(self.count, self.carries, self.sequences - len(zeros), places, updates, self.reverse)
        return applied_to(op, kept)

    def parts(self, inputs: Sequence) -> tuple[Sequence, Sequence, Sequence]:
        """Return `inputs` as initial carries, sequences, and invariants."""
        first, second = self.carries, self.carries + self.sequences
        return inputs[:first], inputs[first:second], inputs[second:]

    def before(self, trajectory: Variable) -> TensorVariable:
        """Return the carry that each iteration starts from, in the order of the sequences."""
        path = pt.as_tensor(trajectory)
        return path[1:] if self.reverse else path[:-1]

    def after(self, trajectory: Variable) -> TensorVariable:
        """Return the carry that each iteration ends with, in the order of the sequences."""
        path = pt.as_tensor(trajectory)
        return path[:-1] if self.reverse else path[1:]

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
        count = self.iterations(outputs[0].owner)
        outputs = outputs[: self.carries]
        # One iteration backwards, in terms of its own variables: the slopes, from the adjoints of the carries.
        adjoints = adjoints_of(carries)
        smooth = [v for v in self.inputs if v.type.dtype == "float64"]
        updates = rewritten(self.inputs, self.updates, "first") if self.ending else self.updates
        known = {v: v.type() for v in updates if v.owner}  # what the loop has computed need not be computed again
        slopes = dict(zip(smooth, with_known(pulled(updates, adjoints, smooth), known), strict=True))
        # Cotangents of trajectories: of the last entry it is where the adjoint starts, of others it comes on top.
        last, first = (0, -1) if self.reverse else (-1, 0)
        final, given = zip(*map(parted, carries, cotangents, [last] * self.carries), strict=True)
        direct = {v: v.type() for v, g in zip(carries, given, strict=True) if g is not None}
        before = [slopes[v] + direct[v] if v in direct else slopes[v] for v in carries]
        # What those variables are outside: entries of trajectories, before and after each iteration, and operands.
        arrays = {v: self.before(out) for v, out in zip(carries, outputs, strict=True)}
        arrays |= dict(zip(sequences, outer_sequences, strict=True))
        arrays |= {known[v]: self.after(out) for v, out in zip(updates, outputs, strict=True) if v in known}
        own = arrays | {direct[v]: self.before(g) for v, g in zip(carries, given, strict=True) if g is not None}
        constants = dict(zip(fixed, outer_fixed, strict=True))
        initial = dict(zip(adjoints, final, strict=True))
        back = loop(count, initial, own, constants, before, reverse=not self.reverse)
        # With all adjoints at hand, what is left is no loop.
        after = {a: self.after(out) for a, out in zip(adjoints, back, strict=True)}
        wanted = [slopes[v] for v in (*sequences, *fixed) if v in slopes]
        found = iter(mapped(count, arrays | after, constants, wanted))
        results: list[Variable] = [out[first] for out in back]
        for v in (*sequences, *fixed):
            if v not in slopes:
                results.append(pytensor.gradient.disconnected_type())
            else:
                slope = next(found)
                results.append(slope if v in arrays else pt.sum(slope, axis=0))
        return results

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        smooth = [True] * self.carries + [False] * bool(self.ending)
        return [[v.type.dtype == "float64" and entry for entry in smooth] for v in self.inputs]


def _is_zeros(array: Variable) -> bool:
    return array.type.dtype == "float64" and None not in array.type.shape and is_zero(array)


def _path(carry: Variable) -> str | None:
    """Return what the trajectory of a carry is called."""
    return f"{carry.name}_path" if carry.name and carry.type.ndim == 0 else carry.name


def loop(
    count: int | Variable | None,
    initial: Mapping[Variable, Variable],
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: Sequence[Variable],
    reverse: bool = False,
    ending: Ending | None = None,
) -> list[TensorVariable]:
    """Return the trajectories of a loop whose body is rewritten, and reduced to what depends on the carries.

    With an ending the body keeps the user's own arithmetic, rounding included, as when it ends is a matter of rounding.

    Parameters
    ----------
    count : int, Variable or None
        None with an ending: then the number of iterations is one more result, and there are no sequences.
    initial, sequences, fixed : mapping of Variable to Variable
        From the body's inputs to what they are outside: first values, arrays with an entry for each iteration, values.
    updates : sequence of Variable
        The carries' next values, in terms of the body's inputs.
    reverse : bool
    ending : Ending, optional
    """
    inner = [*initial, *sequences, *fixed]
    updates = [*updates, ending.condition] if ending else list(updates)
    updates = rewritten(inner, updates, "guards" if ending else "between")
    if not ending:
        updates = group_by_dependence(updates, set(initial), {*sequences, *fixed})
    updates, sequences, fixed = hoisted(count, list(initial), sequences, fixed, updates)
    used = set(ancestors(updates, blockers=[*initial, *sequences, *fixed]))
    sequences = {v: outer for v, outer in sequences.items() if v in used}
    fixed = {v: outer for v, outer in fixed.items() if v in used}
    if isinstance(count, Variable):
        fixed[pt.lscalar()] = count
    inner = [*initial, *sequences, *fixed]
    if ending:
        *updates, condition = updates
        ending = ending._replace(condition=condition)
    known = count if isinstance(count, int) else None
    op = Loop(known, len(initial), len(sequences), inner, updates, reverse, ending)
    starts = [
        pt.as_tensor(outer, dtype="float64") if outer.type.dtype != "float64" else outer for outer in initial.values()
    ]
    return applied_to(op, [*starts, *sequences.values(), *fixed.values()])


@_vectorize_node.register(Loop)
def _vectorize_loop(op: Loop, node: Apply, *batched: Variable) -> list[Variable]:
    """Return the trajectories for a stack of inputs: a loop whose carries are stacks."""
    extra = [new.type.ndim - old.type.ndim for new, old in zip(batched, node.inputs, strict=True)]
    axes = max(extra)
    if axes == 0:
        return op.make_node(*batched).outputs
    if op.ending or (op.count is None and extra[-1]):
        raise NotImplementedError("a stack of loops that end on a condition")
    batch: list[int | None] = [1] * axes
    sizes: list[Any] = [1] * axes  # the same, where they are not known the lengths of an input
    for new, more in zip(batched, extra, strict=True):
        for k, length in enumerate(new.type.shape[:more]):
            if length != 1:
                batch[axes - more + k] = length
                sizes[axes - more + k] = cast(TensorVariable, new).shape[k] if length is None else length
    carries, sequences, fixed = op.parts(op.inputs)
    starts, arrays, constants = op.parts(batched)
    _, more_arrays, _ = op.parts(extra)
    stacked: dict[Variable, Variable] = {}
    initial: dict[Variable, Variable] = {}
    for v, start in zip(carries, starts, strict=True):
        stacked[v] = pt.tensor(v.name, dtype=v.type.dtype, shape=(*batch, *v.type.shape))
        initial[stacked[v]] = _spread(start, batch, (*sizes, *v.type.shape))
    given: dict[Variable, Variable] = {}
    for v, array, more in zip(sequences, arrays, more_arrays, strict=True):
        stacked[v] = pt.tensor(dtype=v.type.dtype, shape=(*array.type.shape[:more], *v.type.shape))
        given[stacked[v]] = pt.moveaxis(array, more, 0) if more else array
    kept: dict[Variable, Variable] = {}
    for v, value in zip(fixed, constants, strict=True):
        stacked[v] = pt.tensor(dtype=v.type.dtype, shape=value.type.shape)
        kept[stacked[v]] = value
    news = vectorize_graph(list(op.updates), stacked)
    updates = [
        _spread(
            new,
            batch,
            tuple(
                cast(TensorVariable, v).shape[k] if n is None else n for k, n in enumerate((*batch, *old.type.shape))
            ),
        )
        for new, old, v in zip(news, op.updates, initial, strict=True)
    ]
    count: int | Variable
    if op.count is None:
        _, count = kept.popitem()
    else:
        count = op.count
    results = op.again(count, Body(initial, given, kept, updates))
    return [pt.moveaxis(result, 0, axes) for result in results]


def _spread(array: Any, batch: Sequence[int | None], sizes: tuple) -> Any:
    """Return an array for every member of a stack, as it is if it has them all."""
    if None in batch and array.type.ndim == len(sizes) and not any(array.type.broadcastable[: len(batch)]):
        return array
    return pt.specify_shape(pt.broadcast_to(array, sizes), [n if isinstance(n, int) else None for n in sizes])


@_vectorize_node.register(DisconnectedGrad)
def _vectorize_disconnected(op: DisconnectedGrad, node: Apply, x: Variable) -> list[Variable]:
    return [applied(op, x)]
