"""Arrays that a loop sets anew: memories that change places, so that nothing is copied.

    for t in range(100):                       p, q, s point to three memories; state is in p, state2 in q
        y = state2.copy()
        y[1:-1] = state[:-2] + state[2:]       y has no memory yet
        state, state2 = y, state.copy()        y is computed into s; then state is in s, state2 in p, and q is to spare

A copy of what an iteration starts from is that memory itself, as nobody writes into it before it is to spare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autoopt.execution.native.arrays import Array, Layout, NotLowered, broadcast, fill, lift, row_major, view
from autoopt.execution.native.code import Code, Memory


class Rotation:
    """The arrays of one kind and shape that a loop sets.

    Parameters
    ----------
    code : Code
    starts : mapping of str to Array
        What their names stand for before the loop.
    """

    def __init__(self, code: Code, starts: Mapping[str, Array]) -> None:
        self.code, self.names = code, tuple(starts)
        first = next(iter(starts.values()))
        self.kind, self.shape, self.size = first.kind, first.shape, first.size
        self.pointers: list[str] = []  # where the pointers are kept from one iteration to the next
        self.spare: list[str] = []
        self.arrays: dict[str, Array] = {}
        for start in starts.values():
            self.pointers.append(self._pointer())
            fill(code, self._at(self.pointers[-1]), start)

    def _pointer(self) -> str:
        """Return where the pointer to a new memory is."""
        memory = self.code.handed_in(self.kind, self.size)
        where = self.code.name("p")
        self.code.entry += [f"  {where} = alloca ptr", f"  store ptr {memory.pointer}, ptr {where}"]
        return where

    def _at(self, where: str) -> Array:
        pointer = self.code.put(f"load ptr, ptr {where}")
        return view(self.code, Layout(Memory(pointer, self.kind, self.size), 0, row_major(self.shape)), self.shape)

    def enter(self) -> dict[str, Array]:
        """Return what the names stand for at the beginning of an iteration, or behind the loop."""
        self.turned = False
        self.arrays = {name: self._at(where) for name, where in zip(self.names, self.pointers, strict=True)}
        return self.arrays

    def turn(self, values: Mapping[str, Any]) -> dict[str, Array]:
        """Set all names, with values in terms of the old; return what they stand for."""
        if self.turned:
            raise NotLowered("arrays that an iteration sets twice")
        self.turned = True
        old = {array.placed.memory.pointer: array for array in self.arrays.values()}
        moved: dict[str, Array] = {}
        for name, value in values.items():
            source = value.original if isinstance(value, Array) else None
            if source is not None and any(source is array for array in old.values()):
                moved[name] = old.pop(source.placed.memory.pointer)
        while len(self.spare) < len(values) - len(moved):
            self.spare.append(self._pointer())
        spare = [self._at(where) for where in self.spare]
        for name, value in values.items():
            if name in moved:
                continue
            new = lift(self.code, value)
            if new.kind != self.kind or new.shape != self.shape:
                raise NotLowered(f"the name {name} for values of different kinds")
            moved[name] = spare.pop()
            fill(self.code, moved[name], broadcast(self.code, new, self.shape))
        self._keep(self.pointers, [moved[name] for name in self.names])
        self._keep(self.spare, [*spare, *old.values()])
        self.arrays = {name: moved[name] for name in self.names}
        return self.arrays

    def _keep(self, places: Sequence[str], arrays: Sequence[Array]) -> None:
        for where, array in zip(places, arrays, strict=True):
            self.code.lines.append(f"  store ptr {array.placed.memory.pointer}, ptr {where}")
