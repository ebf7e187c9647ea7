"""What a call of the tape is given: a step, an array or number in the code, or a list of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autoopt.closed_form.making import add, equal, mul
from autoopt.closed_form.tree import Array, Node, Number
from autoopt.tape.tape import CONSTANT, PARAMETER

Reader = Any  # of `reading`, which reads this file

At = tuple[Node, ...]


class Operand:
    """What a call is given: a step of the tape, or an array or number in the code."""

    def __init__(self, reader: Reader, index: int | None, given: Any = None) -> None:
        self.reader, self.index, self.given = reader, index, given

    @property
    def value(self) -> Any:
        """What it is; of data, for the parameters have none."""
        return self.given if self.index is None else self.reader.known(self.index)

    @property
    def level(self) -> int:
        return CONSTANT if self.index is None else self.reader.tape.steps[self.index].level

    @property
    def moves(self) -> bool:
        return self.level == PARAMETER

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.given) if self.index is None else self.reader.tape.steps[self.index].shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def entry(self, at: At) -> Node:
        """Return an entry of it."""
        if self.index is None:
            return self.reader.constant(self.given, at)
        return self.reader.entry(self.index, at)

    def stretched(self, shape: Sequence[int], at: At) -> Node:
        """Return what stands at `at` if it is stretched to `shape`."""
        own = at[len(at) - self.ndim :] if self.ndim else ()
        lengths = shape[len(shape) - self.ndim :] if self.ndim else ()
        return self.entry(
            tuple(Number(0.0) if n == 1 < m else k for k, n, m in zip(own, self.shape, lengths, strict=True))
        )

    def array(self) -> Array:
        """Return it as something that has a symbol."""
        return self.reader.array(self)


class Listed(Operand):
    """A list of arrays or numbers of one shape, as the array that NumPy makes of it."""

    def __init__(self, reader: Reader, parts: Sequence[Any]) -> None:
        super().__init__(reader, None)
        self.parts = [lifted(reader, part) for part in parts]

    @property
    def value(self) -> Any:
        return np.array([part.value for part in self.parts])

    @property
    def level(self) -> int:
        return max(part.level for part in self.parts)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts), *self.parts[0].shape)

    def entry(self, at: At) -> Node:
        chosen = (equal(at[0], Number(float(k))) for k in range(len(self.parts)))
        return add(*(mul(one, part.entry(at[1:])) for one, part in zip(chosen, self.parts, strict=True)))


def lifted(reader: Reader, part: Any) -> Operand:
    if isinstance(part, list | tuple) and any(_has_steps(one) for one in part):
        return Listed(reader, part)
    return part if isinstance(part, Operand) else Operand(reader, None, part)


def _has_steps(part: Any) -> bool:
    return any(map(_has_steps, part)) if isinstance(part, list | tuple) else isinstance(part, Operand)
