"""One way through an objective's branches, with what has been compiled for it and what it read.

Tells whether it still holds for what is outside and takes other data; whether it is taken at a point, it does not know.
"""

from __future__ import annotations

import copy
from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from types import CellType
from typing import Any

import numpy as np

from autoopt.execution.counts import Numbers
from autoopt.execution.interface import Compiled, rebound, unbound
from autoopt.tape.batching.together import repeating
from autoopt.tape.digest import constant_names, digest
from autoopt.tape.tape import Leaf, Tape
from autoopt.tracing.outside.watching import Watch, are_kept, is_fixed, is_kept, kept_bytes
from autoopt.tracing.trace import Trace, data_leaves


class Path:
    """A trace of the objective, and others that differ from it only in how many iterations loops took.

    Parameters
    ----------
    recorded : Trace
    point : ndarray
        Where it was recorded.
    repeats : bool
        Whether loops that end on a condition may be run as such.
    budget : float
        How many bytes of arrays are kept, to see whether they are written into.

    Attributes
    ----------
    trace : Trace
    tape : Tape
        What is compiled.
    counts : set of tuple of int
        The iterations that the loops may take; empty if there are no such loops.
    compiled : dict of str to Compiled
        By kind of derivative.
    is_plain : bool
        Whether the compiled value and derivatives count as they are: nothing is caught, compared or settled besides.
    trusted : int
        At how many points the derivative was found right, where the objective finds numbers equal.
    compared : bool
        Whether its first gradient has been compared with the values, where texts or whole numbers lead away from them.
    orders : dict of int to int
        How often derivatives of an order have been compared with the values, where decisions may lead away from them.
    second, product_compared : bool or None
        Whether its Hessian is how the gradient changes, None if unknown; whether its first product was compared so.
    finite : ndarray or None
        The latest point at which the value was found finite.
    watched : Watch or None
        What the trace read outside; None if that is nothing.
    is_complete : bool
        Whether every change of that can be noticed.
    along_tape : (Compiled, Tape) or None
        Products with the Hessian for which no code is derived, and the tape whose data they have.
    is_unchanged : callable
        Whether that is as it was, but for arrays, and this can be said.
    kept : tuple of (ndarray, bytes)
        Arrays of which something has been computed, with what was in them.
    """

    second: bool | None = None
    product_compared = False
    along_tape: Any = None

    def __init__(self, recorded: Trace, point: np.ndarray, repeats: bool, budget: float) -> None:
        self.trace, self.point, self._budget = recorded, point, budget
        self.tape: Tape = repeating(recorded.tape) if repeats and not recorded.tape.caught else recorded.tape
        self.counts = {self.tape.counts} if self.tape.counts else set()
        self.compiled: dict[str, Compiled] = {}
        self.trusted = 0
        self.compared = not recorded.tape.unfollowed
        tape = recorded.tape
        self.is_plain = self.compared and not (tape.caught or tape.python_numbers or tape.equalities or tape.decided)
        self.orders: dict[int, int] = {}
        self.finite: np.ndarray | None = None
        self._more: list[Trace] = []  # the traces of further numbers of iterations, without their tapes
        self._look_at(recorded.watched)
        self.kept: tuple[tuple[np.ndarray, bytearray], ...] = ()
        self._kept: dict[int, tuple[np.ndarray, bytearray]] = {}
        self._code = [id(array) for array, _ in recorded.watched.arrays]
        self._values = recorded.tape.values, self.tape.values
        self._found: Mapping[str, Any] = {}  # other inputs from outside than those of the trace, by name

    @cached_property
    def _identity(self) -> tuple:
        return digest(self.tape), self.tape.python_numbers, self.tape.data_decided

    def is_like(self, other: Path) -> bool:
        """Whether the paths differ in nothing but the numbers of iterations."""
        return bool(self.counts and other.counts) and self.is_same_code(other)

    def is_same_code(self, other: Path) -> bool:
        """Whether the paths differ in nothing but the data, and what was kept of the run."""
        if self._identity != other._identity:
            return False
        one, two = self.tape.values, other.tape.values
        return all(np.array_equal(one[k], two[k], equal_nan=True) for k in constant_names(self.tape))

    def take(self, other: Path) -> None:
        """Let the loops take the numbers of iterations of a path that is like this one."""
        self._more.append(replace(other.trace, tape=self.trace.tape))
        self._admit(self.counts | other.counts)

    def _admit(self, counts: set[Numbers]) -> None:
        self.counts = counts
        for compiled in self.compiled.values():
            compiled.admit(counts)

    def asked(self, kind: str) -> Numbers | None:
        """Return the numbers of iterations that the loops took last, if each has been met, but not all together."""
        compiled = self.compiled.get(kind)
        asked = compiled.asked if compiled is not None and self.counts else None
        if asked is None or asked in self.counts:
            return None
        met = set().union(*self.counts)
        return asked if len(asked) > 1 and met.issuperset(asked) else None

    @contextmanager
    def admitted(self, asked: Numbers) -> Iterator[None]:
        """Let the loops take these numbers of iterations; no longer, if this is left by raising."""
        before = self.counts
        self._admit(before | {asked})
        try:
            yield
        except BaseException:
            self._admit(before)
            raise

    def unroll(self) -> None:
        """Compile the trace as it was recorded from now on."""
        self.tape, self.counts = self.trace.tape, set()
        self._values = self._values[0], self._values[0]
        self.__dict__.pop("_leaves", None)
        self.compiled.clear()
        self.along_tape = None

    @property
    def is_eager(self) -> bool:
        """Whether something of it is evaluated step by step."""
        return any(getattr(compiled, "is_eager", False) for compiled in self.compiled.values())

    def twin(self) -> Path:
        """Return a path of the same code, to which other data can be bound."""
        other = copy.copy(self)
        other.along_tape = None
        other.counts, other._more, other._kept = set(self.counts), list(self._more), dict(self._kept)
        other.orders = dict(self.orders)
        other.compiled = {kind: rebound(compiled, self.tape) for kind, compiled in dict(self.compiled).items()}
        return other

    def holds(self) -> bool:
        """Whether everything outside that the trace read, and did not change, is as it was, but for arrays."""
        return self.watched is None or self.watched.holds()

    def still_holds(self) -> bool:
        """Whether the path holds for other data of the same shapes, everything outside being as it was."""
        if self.tape.data_decided or not all(is_kept(*self._kept[key]) for key in self._code if key in self._kept):
            return False
        return all(recorded.watched.complete and recorded.watched.holds() for recorded in (self.trace, *self._more))

    # Data -------------------------------------------------------------------------------------------------------------

    @cached_property
    def _leaves(self) -> tuple[list[tuple[Leaf, int]], ...]:
        """The name and step of each input of the tape that was recorded, and of the one that is compiled."""
        tapes = self.trace.tape, self.tape
        return tuple([(leaf, index) for index, leaf in tape.leaves().items() if index] for tape in tapes)

    def keep(self, everything: bool = False) -> None:
        """Remember what is in arrays of which something has been computed, smallest first, within the budget."""
        arrays = [*self.trace.watched.arrays, *((array, None) for array in _read(self, everything))]
        size = sum(len(kept) for _, kept in self._kept.values())
        for array, kept in sorted(arrays, key=lambda entry: entry[0].nbytes):
            if id(array) in self._kept:
                continue
            size += array.nbytes
            if size > self._budget:
                break
            self._kept[id(array)] = array, kept_bytes(array) if kept is None else kept
        self.kept = tuple(self._kept.values())

    def is_kept(self) -> bool:
        """Whether those arrays hold what they held."""
        return are_kept(self.kept)

    def refresh(self) -> bool:
        """Compute anew what was computed of arrays that have been written into; False if that takes another trace."""
        if not self.still_holds():
            return False
        self._bind(self.trace.tape.values, self.tape.values)
        return True

    def rebind(self, args: tuple) -> None:
        """Take other data."""
        data = data_leaves(args)
        values = []
        for leaves, own in zip(self._leaves, self._values, strict=True):
            arguments = (index for leaf, index in leaves if leaf.kind == "argument")
            others = {index: self._found[leaf.name] for leaf, index in leaves if leaf.name in self._found}
            values.append(ChainMap(dict(zip(arguments, data, strict=True)) | others, own))
        recorded, compiled = values
        self._bind(recorded, compiled)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The trace that is compiled, and those that are like it."""
        return (self.trace, *self._more)

    def captured(self) -> dict[str, Any]:
        """Return the inputs that were found outside, by name."""
        return {leaf.name: self.tape.values[k] for leaf, k in self._leaves[1] if leaf.kind == "captured"}

    def _look_at(self, watched: Watch) -> None:
        self.watched, self.is_complete = watched or None, watched.complete
        self.is_unchanged = watched.holds if watched.complete else _never

    def let_go(self, captured: Collection[str], watches: Sequence[Watch]) -> None:
        """Let go of the data, of inputs found outside, and of what the traces watch, to be taken again."""
        is_same = self._values[0] is self._values[1]
        pairs = zip(self._leaves, self._values, strict=True)
        first, second = (_without(leaves, own, captured) for leaves, own in pairs)
        self._values, self._found = (first, first if is_same else second), {}
        self.compiled = {kind: code for kind, bound in self.compiled.items() if (code := unbound(bound)) is not None}
        self.along_tape = self.along_tape and (unbound(self.along_tape[0]), None)
        self._watch(watches)
        self.watched, self.is_unchanged = None, _never  # until it is taken up
        self._put(*self._values)

    def take_up(
        self,
        args: tuple,
        captured: Mapping[str, Any],
        watches: Sequence[Watch],
        varying: tuple[tuple[CellType, str], ...],
        budget: float,
    ) -> None:
        """Take what `let_go` has let go of, or other data."""
        self._budget, self._found = budget, captured
        self._watch(watches, varying)
        self._look_at(self.trace.watched)
        self.rebind(args)

    def _watch(self, watches: Sequence[Watch], varying: tuple[tuple[CellType, str], ...] = ()) -> None:
        """Have the traces watch other things."""
        self.trace, *self._more = (
            replace(recorded, watched=watch, captured=(), varying=varying)
            for recorded, watch in zip(self.traces, watches, strict=True)
        )

    def _bind(self, recorded: Any, compiled: Any) -> None:
        self._put(recorded, compiled)
        for function in self.compiled.values():
            function.bind(self.tape)
        self.keep()

    def _put(self, recorded: Any, compiled: Any) -> None:
        unchanged = self.tape is self.trace.tape
        self.trace = replace(self.trace, tape=replace(self.trace.tape, values=recorded))
        self.tape = self.trace.tape if unchanged else replace(self.tape, values=compiled)
        self._more = [replace(recorded, tape=self.trace.tape) for recorded in self._more]
        self.finite, self._kept, self.kept = None, {}, ()


def _read(path: Path, everything: bool) -> Iterator[np.ndarray]:
    """Yield the data of which something has been computed beforehand, or all."""
    names = frozenset().union(*(compiled.reads for compiled in path.compiled.values()))
    for leaf, index in path._leaves[1]:
        array = path.tape.values[index]
        wanted = everything or path.tape.data_decided or leaf.name in names
        if wanted and isinstance(array, np.ndarray) and not array.dtype.hasobject and not is_fixed(array):
            yield array


def _without(leaves: list[tuple[Leaf, int]], own: Any, captured: Collection[str]) -> dict[int, Any]:
    """Return the values of a tape but for arguments and inputs found outside."""
    gone = {index for leaf, index in leaves if leaf.kind == "argument" or leaf.name in captured}
    return {index: value for index, value in own.items() if index not in gone}


def _never() -> bool:
    return False
