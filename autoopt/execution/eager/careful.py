"""Sweeps in which the branch that `np.where` has not taken cannot spoil the other one.

    np.where(x > 0, np.sqrt(x), 0.0)         at x = -1: the cotangent of the root is 0, its slope NaN; 0 * NaN is NaN

A cotangent that `np.where` has masked is 0 whatever it is multiplied by. So masks go with the cotangents: through all
that is done entry by entry, through reads, shapes and packs; what sums up, or is not known here, ends them. The quick
sweeps of `program.py` know no masks; these are for points at which they give what is not finite.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autoopt.execution.eager.program import Derived, Program, Values, narrowed
from autoopt.tape.operations import pack
from autoopt.tape.tape import Slot, Step, fill

_SPREADING = frozenset(
    (np.sum, np.mean, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.broadcast_to, np.reshape,
     np.ravel, np.concatenate, np.stack, np.hstack, np.vstack, np.column_stack, np.flip, np.roll, np.diag, np.diagonal,
     np.repeat, np.tile, pack)
)  # fmt: skip
"""Those whose results are sums of entries, so that a pulled mask is positive where an entry counts."""


class _Sparse(dict):
    """What a step hands on, by operand: None where there is nothing yet."""

    def __missing__(self, key: int) -> None:
        return None


class Careful:
    """The backward sweeps of one run, with masks.

    Attributes
    ----------
    live : list
        By step: where its cotangent counts, an array of booleans or True; False where none does.
    """

    def __init__(self, program: Program, values: Values) -> None:
        self.program, self.values = program, values
        self.live: list[Any] = [False] * len(values)

    def backward(self, cotangents: Values) -> None:
        """Do what `Program.backward` does, keeping the cotangents."""
        for index, cotangent in enumerate(cotangents):
            if cotangent is not None:
                self.live[index] = True
        for index, *_ in self.program.pulls:
            cotangent, part = cotangents[index], self.program.part(index)
            if cotangent is None or not np.any(self.live[index]):
                cotangents[index] = None
                continue
            if isinstance(part, Derived) and part.elementwise:
                masks = self._masks(index, part)
                self._hand_on(part, masks, part.pulled(cotangent, self.values), cotangents)
                for source, shape, mask in zip(part.sources, part.narrower, masks, strict=True):
                    self._join(source, mask if mask is True or shape is None else narrowed(mask, shape) > 0)
                continue
            scratch = _Sparse({index: cotangent})
            part.pull(cotangent, self.values, scratch)
            cotangents[index] = scratch.pop(index)  # that of a loop now has those of its iterations
            for source, found in scratch.items():
                self._receive(source, found, cotangents)
                self._join(source, self._mask(index, source))

    def changes(self, cotangents: Values, tangents: Values, changes: Values) -> None:
        """Do what `Program.changes` does, after `backward`."""
        for index, *_ in self.program.pulls:
            cotangent, change, part = cotangents[index], changes[index], self.program.part(index)
            if cotangent is None:  # masked altogether
                continue
            if isinstance(part, Derived) and part.elementwise:
                masks = self._masks(index, part)
                if change is not None:
                    self._hand_on(part, masks, part.pulled(change, self.values), changes)
                moved = part.moved(cotangent, self.values, tangents)
                if moved is not None:
                    self._hand_on(part, masks, moved, changes)
                continue
            scratch = _Sparse()
            part.second(cotangent, change, self.values, tangents, scratch)
            for source, found in scratch.items():
                self._receive(source, found, changes)

    def _masks(self, index: int, part: Derived) -> list[Any]:
        """Return where the cotangents of what varies count: with `np.where`, on the branch that is taken."""
        step, live = self.program.steps[index], self.live[index]
        if step.operation is not np.where:
            return [live] * len(part.sources)
        condition, one, _ = (part.position for part in _slots(step))
        taken = np.broadcast_to(np.asarray(self.values[step.inputs[condition]], dtype=bool), step.shape)
        return [live & (taken if place == one else ~taken) for place in part.varying]

    def _hand_on(self, part: Derived, masks: list[Any], parts: Any, cotangents: Values) -> None:
        for source, shape, mask, found in zip(part.sources, part.narrower, masks, parts, strict=True):
            if found is None or not np.any(mask):
                continue
            kept = found if mask is True else np.where(mask, found, 0.0)[()]
            self._receive(source, kept if shape is None else narrowed(kept, shape), cotangents)

    def _receive(self, source: int, part: Any, cotangents: Values) -> None:
        known = cotangents[source]
        if known is not None and isinstance(part, dict):  # of a function with several results
            for position, one in part.items():
                known[position] = known[position] + one if position in known else one
        elif isinstance(part, dict):
            cotangents[source] = part
        else:
            self.program.receive(cotangents, source, part)

    def _mask(self, index: int, source: int) -> Any:
        """Return where the cotangent of an operand counts, of a step that is not done entry by entry."""
        step, live = self.program.steps[index], self.live[index]
        shape = self.program.steps[source].shape
        if step.operation is operator.getitem:
            spread = np.zeros(shape, bool)
            spread[fill(step.template[0][1], [self.values[k] for k in step.inputs])] |= live
            return spread
        if step.operation not in _SPREADING or live is True:
            return True
        scratch = _Sparse()
        self.program.part(index).pull(np.asarray(live, dtype=float), self.values, scratch)
        return scratch[source] > 0

    def _join(self, source: int, mask: Any) -> None:
        """Add to where the cotangent of a step counts."""
        known = self.live[source]
        if known is not True:
            joined = mask if known is False or mask is True else known | mask
            self.live[source] = True if joined is not True and np.all(joined) else joined


def _slots(step: Step) -> list[Slot]:
    """Return the three arguments of `np.where`, numbers as slots of no input."""
    given = tuple(map(Slot, range(3))) if step.template is None else step.template[0]
    return [part if type(part) is Slot else Slot(-1) for part in given]
