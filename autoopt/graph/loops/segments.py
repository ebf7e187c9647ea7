"""Loops that keep their carries only at the beginning of segments; the derivatives run each segment a second time.

Nothing is computed for all segments at once, as this would need the memory that the segments are there to save.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Variable
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from autoopt.graph.loops.loop import Loop, adjoints_of, loop, mapped, parted, pulled, rewritten


@dataclass(frozen=True)
class Body:
    """One iteration, and what its inputs are outside of it.

    Attributes
    ----------
    initial, sequences, fixed : mapping of Variable to Variable
        From the body's inputs to first values, arrays with an entry for each iteration, values.
    updates, outputs : sequence of Variable
        The carries' next values, and what is collected.
    """

    initial: Mapping[Variable, Variable]
    sequences: Mapping[Variable, Variable]
    fixed: Mapping[Variable, Variable]
    updates: Sequence[Variable]
    outputs: Sequence[Variable]


def collected(count: int, body: Body) -> tuple[Variable, ...]:
    """Return the trajectories and outputs of a loop, all that does not depend on the carries computed at once."""
    trajectories = loop(count, body.initial, body.sequences, body.fixed, body.updates)
    known = {v: v.type() for v in body.updates if v.owner}
    given = {**body.sequences, **{v: path[:-1] for v, path in zip(body.initial, trajectories, strict=True)}}
    given |= {known[v]: path[1:] for v, path in zip(body.updates, trajectories, strict=True) if v in known}
    return (*trajectories, *mapped(count, given, body.fixed, clone_replace(body.outputs, known)))


def segmented(count: int, length: int, body: Body) -> tuple[Variable, ...]:
    """Return the last carries and the outputs of a loop in segments of `length` iterations and what is left over."""
    whole = count // length
    initial = {v.type(name=v.name): outer for v, outer in body.initial.items()}
    sequences = {
        pt.tensor(dtype=outer.type.dtype, shape=(length, *v.type.shape)): _folded(outer, whole, length)
        for v, outer in body.sequences.items()
    }
    fixed = {v.type(): outer for v, outer in body.fixed.items()}
    last, outputs = _stretch(length, body, initial, sequences, fixed)
    kept = {out.type.clone(dtype="float64")(): pt.zeros(out.type.shape) for out in outputs}  # carries that none reads
    updates = [*last, *(out.astype("float64") for out in outputs)]
    paths = segments(whole, initial | kept, sequences, fixed, updates)
    last = [path[-1] for path in paths[: len(initial)]]
    found = [
        path[1:].reshape((whole * length, *out.type.shape[1:])).astype(out.type.dtype)
        for path, out in zip(paths[len(initial) :], outputs, strict=True)
    ]
    if count > whole * length:
        rest = {v: outer[whole * length :] for v, outer in body.sequences.items()}
        last, outputs = _stretch(count - whole * length, body, last, rest.values(), body.fixed.values())
        found = [pt.concatenate(pair) for pair in zip(found, outputs, strict=True)]
    return (*last, *found)


def _folded(array: Variable, whole: int, length: int) -> Variable:
    """Return the entries of a sequence as (segments, length, ...)."""
    return array[: whole * length].reshape((whole, length, *array.type.shape[1:]))


def _stretch(count: int, body: Body, *outer: Sequence[Variable]) -> tuple[list[Variable], list[Variable]]:
    """Return the last carries and the outputs of `count` iterations with other carries, sequences and values."""
    parts = [dict(zip(part, given, strict=True)) for part, given in zip(_inputs(body), outer, strict=True)]
    found = collected(count, replace(body, initial=parts[0], sequences=parts[1], fixed=parts[2]))
    carries = len(body.initial)
    return [path[-1] for path in found[:carries]], list(found[carries:])


def _inputs(body: Body) -> tuple[Mapping, Mapping, Mapping]:
    return body.initial, body.sequences, body.fixed


def segments(
    count: int,
    initial: Mapping[Variable, Variable],
    sequences: Mapping[Variable, Variable],
    fixed: Mapping[Variable, Variable],
    updates: Sequence[Variable],
    reverse: bool = False,
) -> list[Variable]:
    """Return the trajectories of a loop of which nothing is computed outside."""
    inner = [*initial, *sequences, *fixed]
    return _bare(count, initial, sequences, fixed, rewritten(inner, updates, "between"), reverse)


def _bare(
    count: int, initial: Mapping, sequences: Mapping, fixed: Mapping, updates: Sequence[Variable], reverse: bool
) -> list[Variable]:
    """Return the trajectories of a loop as it is, but for inputs that the body does not read."""
    used = set(ancestors(updates, blockers=[*initial, *sequences, *fixed]))
    sequences = {v: outer for v, outer in sequences.items() if v in used}
    fixed = {v: outer for v, outer in fixed.items() if v in used}
    op = Segments(count, len(initial), len(sequences), [*initial, *sequences, *fixed], updates, reverse)
    starts = [outer.astype("float64") for outer in initial.values()]
    return op(*starts, *sequences.values(), *fixed.values(), return_list=True)


class Segments(Loop):
    """A loop whose iterations are segments of another: its pullback computes nothing for all iterations at once.

    Carries that no update reads are what the iterations return, one for each.
    """

    def again(self, count: int, *body) -> list[Variable]:
        """Return the trajectories of a loop of the same kind with another body: initial carries, ..., updates."""
        return segments(count, *body, self.reverse)

    def needed(self, read: Collection[int]) -> list[int]:
        """Return the carries that the trajectories `read` of some need."""
        found, waiting = set(), list(read)
        while waiting:
            carry = waiting.pop()
            if carry not in found:
                found.add(carry)
                sources = set(ancestors([self.updates[carry]], blockers=self.inputs))
                waiting += [k for k, v in enumerate(self.inputs[: self.carries]) if v in sources]
        return sorted(found)

    def trimmed(self, inputs: Sequence[Variable], read: Collection[int]) -> dict[int, Variable]:
        """Return the trajectories `read`, and those that they need, of a loop that does no more."""
        kept = self.needed(read)
        carries, sequences, fixed = self.parts(list(zip(self.inputs, inputs, strict=True)))
        updates = [self.updates[k] for k in kept]
        parts = [dict(carries[k] for k in kept), dict(sequences), dict(fixed)]
        return dict(zip(kept, _bare(self.count, *parts, updates, self.reverse), strict=True))

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable], cotangents: Sequence[Variable]
    ) -> list[Variable]:
        """Return the derivatives with respect to the inputs.

        Notes
        -----
        As in `Loop`; but the sums over the iterations for what is the same in all of them are carries, and so are, read
        by none, the derivatives by the sequences.
        """
        seen = [k for k, g in enumerate(cotangents) if not isinstance(g.type, DisconnectedType)]
        if len(self.needed(seen)) < self.carries:
            return self._pullback_of(seen, inputs, cotangents)
        carries, sequences, fixed = self.parts(self.inputs)
        outer = dict(zip(self.inputs, inputs, strict=True))
        path = dict(zip(carries, outputs, strict=True))
        cotangent = dict(zip(carries, cotangents, strict=True))
        adjoint = dict(zip(carries, adjoints_of(carries), strict=True))
        smooth = [v for v in self.inputs if v.type.dtype == "float64"]
        slopes = dict(zip(smooth, pulled(self.updates, list(adjoint.values()), smooth), strict=True))
        read = set(ancestors(self.updates, blockers=self.inputs))
        states, returned = [v for v in carries if v in read], [v for v in carries if v not in read]
        sums = {v: v.type() for v in fixed if v in slopes}
        kept = {v: v.type() for v in sequences if v in slopes}
        last, first = (0, -1) if self.reverse else (-1, 0)
        ends = {v: parted(v, cotangent[v], last) for v in states}
        direct = {v: v.type() for v, (_, more) in ends.items() if more is not None}

        initial = {adjoint[v]: end for v, (end, _) in ends.items()}
        initial |= {carry: pt.zeros(v.type.shape) for v, carry in (sums | kept).items()}
        arrays = {v: self.before(path[v]) for v in states} | {v: outer[v] for v in sequences}
        arrays |= {direct[v]: self.before(ends[v][1]) for v in direct}
        unseen = [v for v in returned if isinstance(cotangent[v].type, DisconnectedType)]
        arrays |= {adjoint[v]: self.after(cotangent[v]) for v in returned if v not in unseen}
        updates = [slopes[v] + direct[v] if v in direct else slopes[v] for v in states]
        updates += [*(carry + slopes[v] for v, carry in sums.items()), *(slopes[v] for v in kept)]
        updates = clone_replace(updates, {adjoint[v]: pt.zeros(v.type.shape) for v in unseen})
        constants = {v: outer[v] for v in fixed}
        paths = segments(self.count, initial, arrays, constants, updates, not self.reverse)

        found = {v: back[first] for v, back in zip([*states, *sums], paths, strict=False)}
        found |= {v: self.before(back) for v, back in zip(kept, paths[len(found) :], strict=True)}
        found |= {v: outer[v].zeros_like() for v in returned}
        return [found[v] if v in found else disconnected_type() for v in self.inputs]

    def _pullback_of(self, seen: list[int], inputs: Sequence[Variable], cotangents: Sequence[Variable]) -> list:
        """Return the derivatives where only some trajectories are read: those of a loop that makes no others."""
        paths = self.trimmed(inputs, seen)
        given = [cotangents[k] for k in paths]
        node = next(iter(paths.values())).owner
        slopes = node.op.pullback(node.inputs, node.outputs, given)
        found = dict(zip(node.op.inputs, slopes, strict=True))
        return [
            found[v] if v in found else outer.zeros_like() if v.type.dtype == "float64" else disconnected_type()
            for v, outer in zip(self.inputs, inputs, strict=True)
        ]
