"""What the names of one call stand for, and which of these arrays have memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autoopt.execution.native.arrays import Array, NotLowered, Number, is_read_by, lift, stored
from autoopt.execution.native.code import Code, Memory
from autoopt.execution.native.indexing import part
from autoopt.execution.native.pieces import overlaid, parts_of
from autoopt.execution.native.rotation import Rotation
from autoopt.execution.native.uses import Uses

CHEAP = 3
"""Operations, reads of memory among them, that an array's entry may take to be computed wherever it is read."""


class Names:
    """The names of one call.

    Numbers with a name are in memory of their own, so that a loop may set them; LLVM makes registers of it. Arrays that
    are still to be computed wait for the statement that reads them, if they may.
    """

    def __init__(self, code: Code, values: dict[str, Any], uses: Uses) -> None:
        self.code, self.values, self.uses = code, values, uses
        self.inside: set[str] = set()  # numbers that count places
        self.left = dict(uses.reads)  # how often names that are set once will still be met
        self.rotations: list[Rotation] = []  # of the loop around

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def read(self, name: str) -> Any:
        """Return what a name stands for."""
        known = self.values[name]
        if isinstance(known, Memory):
            return Number(known.kind, self.code.load(known, 0), name in self.inside)
        if not isinstance(known, Array) or known.layout is not None:
            return known
        self.left[name] -= 1
        if self.left[name] == 0:
            return self.values.pop(name)
        return known if self._is_cheap(name, known) else self.place(name)

    def bind(self, name: str, value: Any) -> None:
        """Have a name stand for a value."""
        known = self.values.get(name)
        if isinstance(known, Memory) and self.code.depth:  # a number that a loop may set
            number = lift(self.code, value)
            if not isinstance(number, Number) or known.kind != number.kind:
                raise NotLowered(f"the name {name} for values of different kinds")
            self.code.store(known, 0, number.text)
            return
        if isinstance(value, Number):
            self.values[name] = self.code.cell(value.kind, value.text)
            (self.inside.add if value.inside else self.inside.discard)(name)
            return
        self.values[name] = value
        waits = name in self.uses.passing or name in self.uses.composed
        if isinstance(value, Array) and value.layout is None and not waits and not self._is_cheap(name, value):
            self.place(name)

    def turn(self, values: dict[str, Any]) -> dict[str, Any]:
        """Set the arrays that the loop around hands on; return the other names and values."""
        for rotation in self.rotations:
            mine = {name: values.pop(name) for name in rotation.names if name in values}
            if mine and len(mine) < len(rotation.names):
                raise NotLowered("arrays that a loop sets one by one")
            if mine:
                self.values |= rotation.turn(mine)
        return values

    def _is_cheap(self, name: str, value: Array) -> bool:
        return value.cost <= CHEAP and value.cuts is None and name in self.uses.entrywise

    def place(self, name: str) -> Any:
        """Put what a name stands for into memory if it is an array without."""
        value = self.values[name]
        if isinstance(value, np.ndarray):
            value = lift(self.code, value)
        if isinstance(value, Array) and (value.layout is None or value is not self.values[name]):
            self.values[name] = stored(self.code, value)
        return self.values[name]

    def settle(self, array: Array | None = None) -> None:
        """Put into memory what is still to be computed; with `array`, what is computed from that."""
        for name, value in self.values.items():
            waiting = isinstance(value, Array) and value.layout is None
            if waiting and (array is None or is_read_by(array, value)):
                self.place(name)

    def compose(self, name: str, index: Any, value: Callable[[Array], Any]) -> bool:
        """Write what `value` makes of a part into an array that has no memory yet; False if it has, or must."""
        array = self.values.get(name)
        if name not in self.uses.composed or not isinstance(array, Array) or array.layout is not None:
            return False
        chosen = parts_of(self.code, index, array)
        if chosen is None:
            return False
        self.left[name] -= 1
        self.values[name] = overlaid(self.code, array, chosen, lift(self.code, value(part(self.code, array, chosen))))
        return True

    def prepare(self, names: Sequence[str]) -> list[Rotation]:
        """Put numbers that a loop sets into memory, arrays into memories that change places; refuse other values."""
        arrays: dict[tuple, dict[str, Array]] = {}
        for name in dict.fromkeys(names):
            known = self.values.get(name)
            if isinstance(known, float | Number):
                number = lift(self.code, known)
                assert isinstance(number, Number)
                self.values[name] = self.code.cell(number.kind, number.text)
            elif isinstance(known, Array | np.ndarray):
                array = lift(self.code, known)
                assert isinstance(array, Array)
                arrays.setdefault((array.kind, array.shape), {})[name] = array
            elif known is not None and not isinstance(known, Memory):
                raise NotLowered(f"a loop that sets {name}")
            self.inside.discard(name)
        return [Rotation(self.code, starts) for starts in arrays.values()]
