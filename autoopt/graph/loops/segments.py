"""Loops that keep their carries only at the beginning of segments; the derivatives run each segment a second time.

Nothing is computed for all segments at once, as this would need the memory that the segments are there to save.

    c[t + 1] = F(c[t], x[t], k), 1000 times                      a `Loop`: c is an array of 1001 entries

    C[s + 1] = F(F(... F(C[s], X[s, 0], k) ...), X[s, 31], k)    `Segments`, 31 of them: C has 32 entries;
                                                                 the iteration is a `Loop` of 32, by itself

Forward, an iteration of `Segments` runs its loop and forgets the way there. Its pullback is `Segments` in the other
direction, whose iteration runs the same loop again from C[s], and then that loop's own pullback. So at any time the
carries of one segment are there, and one carry for each segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors
from pytensor.tensor.variable import TensorVariable

from autoopt.graph.loops.adjoints import adjoints_of, parted, pulled
from autoopt.graph.loops.bodies import Body, mapped, rewritten
from autoopt.graph.loops.loop import Loop, loop
from autoopt.ops.patterns import applied_to


def collected(count: int, body: Body) -> tuple[Variable, ...]:
    """Return the trajectories and outputs of a loop, all that does not depend on the carries computed at once."""
    trajectories = loop(count, body.initial, body.sequences, body.fixed, body.updates) if body.initial else []
    known: dict[Variable, Variable] = {v: v.type() for v in body.updates if v.owner}
    given = {**body.sequences, **{v: path[:-1] for v, path in zip(body.initial, trajectories, strict=True)}}
    given |= {known[v]: path[1:] for v, path in zip(body.updates, trajectories, strict=True) if v in known}
    return (*trajectories, *mapped(count, given, body.fixed, clone_replace(body.outputs, known)))


def segmented(count: int, length: int, body: Body) -> tuple[Variable, ...]:
    """Return the last carries and the outputs of a loop in segments of `length` iterations and what is left over."""
    whole = count // length
    initial: dict[Variable, Variable] = {v.type(name=v.name): outer for v, outer in body.initial.items()}
    sequences: dict[Variable, Variable] = {
        pt.tensor(dtype=outer.type.dtype, shape=(length, *v.type.shape)): _folded(outer, whole, length)
        for v, outer in body.sequences.items()
    }
    fixed: dict[Variable, Variable] = {v.type(): outer for v, outer in body.fixed.items()}
    last, outputs = _stretch(length, body, initial, sequences, fixed)
    kept: dict[Variable, Variable] = {  # carries that none reads
        out.type.clone(dtype="float64")(): pt.zeros(out.type.shape) for out in outputs
    }
    updates = [*last, *(pt.cast(out, "float64") for out in outputs)]
    paths = segments(whole, initial | kept, sequences, fixed, updates)
    last = [path[-1] for path in paths[: len(initial)]]
    found: list[Variable] = [
        path[1:].reshape((whole * length, *out.type.shape[1:])).astype(out.type.dtype)
        for path, out in zip(paths[len(initial) :], outputs, strict=True)
    ]
    if count > whole * length:
        rest = [pt.as_tensor(outer)[whole * length :] for outer in body.sequences.values()]
        last, outputs = _stretch(count - whole * length, body, last, rest, body.fixed.values())
        found = [pt.concatenate(pair) for pair in zip(found, outputs, strict=True)]
    return (*last, *found)


def _folded(array: Variable, whole: int, length: int) -> Variable:
    """Return the entries of a sequence as (segments, length, ...)."""
    return pt.as_tensor(array)[: whole * length].reshape((whole, length, *array.type.shape[1:]))


def _stretch(
    count: int, body: Body, initial: Iterable[Variable], sequences: Iterable[Variable], fixed: Iterable[Variable]
) -> tuple[list[Variable], list[Variable]]:
    """Return the last carries and the outputs of `count` iterations with other carries, sequences and values."""
    again = replace(
        body,
        initial=dict(zip(body.initial, initial, strict=True)),
        sequences=dict(zip(body.sequences, sequences, strict=True)),
        fixed=dict(zip(body.fixed, fixed, strict=True)),
    )
    found = collected(count, again)
    carries = len(body.initial)
    return [pt.as_tensor(path)[-1] for path in found[:carries]], list(found[carries:])


def segments(
    count: int | Variable | None,
    initial: Mapping[Variable, Variable],
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: Sequence[Variable],
    reverse: bool = False,
) -> list[TensorVariable]:
    """Return the trajectories of a loop of which nothing is computed outside."""
    inner = [*initial, *sequences, *fixed]
    return _bare(count, initial, sequences, fixed, rewritten(inner, updates, "between"), reverse)


def _bare(
    count: int | Variable | None,
    initial: Mapping[Variable, Variable],
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: Sequence[Variable],
    reverse: bool,
) -> list[TensorVariable]:
    """Return the trajectories of a loop as it is, but for inputs that the body does not read."""
    assert isinstance(count, int)  # what has no number of iterations known ahead has no segments
    used = set(ancestors(updates, blockers=[*initial, *sequences, *fixed]))
    sequences = {v: outer for v, outer in sequences.items() if v in used}
    fixed = {v: outer for v, outer in fixed.items() if v in used}
    op = Segments(count, len(initial), len(sequences), [*initial, *sequences, *fixed], updates, reverse)
    starts = [pt.cast(outer, "float64") for outer in initial.values()]
    return applied_to(op, [*starts, *sequences.values(), *fixed.values()])


class Segments(Loop):
    """A loop whose iterations are segments of another: its pullback computes nothing for all iterations at once.

    Carries that no update reads are what the iterations return, one for each.
    """

    def again(self, count: int | Variable, body: Body) -> list[TensorVariable]:
        """Return the trajectories of a loop of the same kind with another body."""
        return segments(count, body.initial, body.sequences, body.fixed, body.updates, self.reverse)

    def needed(self, read: Collection[int]) -> list[int]:
        """Return the carries that the trajectories `read` of some need."""
        found: set[int] = set()
        waiting = list(read)
        while waiting:
            carry = waiting.pop()
            if carry not in found:
                found.add(carry)
                sources = set(ancestors([self.updates[carry]], blockers=self.inputs))
                waiting += [k for k, v in enumerate(self.inputs[: self.carries]) if v in sources]
        return sorted(found)

    def trimmed(self, inputs: Sequence[Variable], read: Collection[int]) -> dict[int, TensorVariable]:
        """Return the trajectories `read`, and those that they need, of a loop that does no more."""
        kept = self.needed(read)
        carries, sequences, fixed = self.parts(list(zip(self.inputs, inputs, strict=True)))
        updates = [self.updates[k] for k in kept]
        initial = dict(carries[k] for k in kept)
        paths = _bare(self.count, initial, dict(sequences), dict(fixed), updates, self.reverse)
        return dict(zip(kept, paths, strict=True))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the derivatives with respect to the inputs.

        Notes
        -----
        As in `Loop`, a loop in the other direction over the adjoints; but nothing is computed for all iterations at
        once, so the sums over the iterations for what is the same in all of them are carries of that loop, and so are,
        read by none, the derivatives by the sequences:

            forward       c' = F(c, x, k)        r' = R(c, x, k)  for each iteration, read by none
            backward      a  = g + (dF/dc)' a' + (dR/dc)' b'        g, b' the cotangents of the results c and r'
                          dk = dk' + (dF/dk)' a' + (dR/dk)' b'      a carry that ends as the derivative by k
                          dx =       (dF/dx)' a' + (dR/dx)' b'      a carry whose trajectory is the derivative by x
        """
        seen = [k for k, g in enumerate(cotangents) if not isinstance(g.type, DisconnectedType)]
        if len(self.needed(seen)) < self.carries:
            return self._pullback_of(seen, inputs, cotangents)
        carries, sequences, fixed = self.parts(self.inputs)
        outer = dict(zip(self.inputs, inputs, strict=True))
        path = dict(zip(carries, outputs, strict=True))
        cotangent = dict(zip(carries, cotangents, strict=True))
        back = _Backward(self)
        last, first = (0, -1) if self.reverse else (-1, 0)
        ends = {v: parted(v, cotangent[v], last) for v in back.states}
        entries = {v: more for v, (_, more) in ends.items() if more is not None}
        direct: dict[Variable, Variable] = {v: v.type() for v in entries}
        unseen = [v for v in back.returned if isinstance(cotangent[v].type, DisconnectedType)]

        initial: dict[Variable, Variable] = {back.adjoint[v]: end for v, (end, _) in ends.items()}
        initial |= {carry: pt.zeros(v.type.shape) for v, carry in (back.sums | back.kept).items()}
        arrays: dict[Variable, Variable] = {v: self.before(path[v]) for v in back.states}
        arrays |= {v: outer[v] for v in sequences}
        arrays |= {direct[v]: self.before(more) for v, more in entries.items()}
        arrays |= {back.adjoint[v]: self.after(cotangent[v]) for v in back.returned if v not in unseen}
        constants = {v: outer[v] for v in fixed}
        updates = back.updates(direct, unseen)
        paths = segments(self.count, initial, arrays, constants, updates, not self.reverse)

        found: dict[Variable, Variable] = {
            v: trajectory[first] for v, trajectory in zip([*back.states, *back.sums], paths, strict=False)
        }
        found |= {v: self.before(slope) for v, slope in zip(back.kept, paths[len(found) :], strict=True)}
        found |= {v: pt.zeros_like(outer[v]) for v in back.returned}
        return [found[v] if v in found else disconnected_type() for v in self.inputs]

    def _pullback_of(self, seen: list[int], inputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list:
        """Return the derivatives where only some trajectories are read: those of a loop that makes no others."""
        paths = self.trimmed(inputs, seen)
        given = [cotangents[k] for k in paths]
        node = next(iter(paths.values())).owner
        slopes = node.op.pullback(node.inputs, node.outputs, given)
        found = dict(zip(node.op.inputs, slopes, strict=True))
        return [
            found[v] if v in found else pt.zeros_like(outer) if v.type.dtype == "float64" else disconnected_type()
            for v, outer in zip(self.inputs, inputs, strict=True)
        ]


class _Backward:
    """One iteration of a pullback: what it carries, and the slopes of the iteration forward of which it is made.

    Attributes
    ----------
    states, returned : list of Variable
        The carries forward that an iteration reads, and those that it only writes.
    adjoint : dict of Variable to Variable
        From a carry forward to the derivative by its next value.
    slopes : dict of Variable to Variable
        From an input of the iteration forward to the derivative by it, in terms of inputs and adjoints.
    sums, kept : dict of Variable to Variable
        From what is the same in every iteration, and from an entry of a sequence, to the carry backward that holds the
        derivative by it.
    """

    def __init__(self, op: Segments) -> None:
        carries, sequences, fixed = op.parts(op.inputs)
        self.adjoint: dict[Variable, Variable] = dict(zip(carries, adjoints_of(carries), strict=True))
        smooth = [v for v in op.inputs if v.type.dtype == "float64"]
        self.slopes = dict(zip(smooth, pulled(op.updates, list(self.adjoint.values()), smooth), strict=True))
        read = set(ancestors(op.updates, blockers=op.inputs))
        self.states, self.returned = [v for v in carries if v in read], [v for v in carries if v not in read]
        self.sums: dict[Variable, Variable] = {v: v.type() for v in fixed if v in self.slopes}
        self.kept: dict[Variable, Variable] = {v: v.type() for v in sequences if v in self.slopes}

    def updates(self, direct: Mapping[Variable, Variable], unseen: Sequence[Variable]) -> list[Variable]:
        """Return the next values of the carries backward.

        `direct` has the cotangents of states' entries; those of the results `unseen`, which nothing reads, are 0.
        """
        slopes = self.slopes
        updates: list[Variable] = [pt.add(slopes[v], direct[v]) if v in direct else slopes[v] for v in self.states]
        updates += [pt.add(carry, slopes[v]) for v, carry in self.sums.items()]
        updates += [slopes[v] for v in self.kept]
        zeros: dict[Variable, Variable] = {self.adjoint[v]: pt.zeros(v.type.shape) for v in unseen}
        return clone_replace(updates, zeros)
