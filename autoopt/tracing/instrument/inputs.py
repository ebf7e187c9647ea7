"""Arrays that a run finds outside, as inputs of its tape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autoopt.parameters import is_masked
from autoopt.tape.digest import LITERAL
from autoopt.tape.names import fresh
from autoopt.tape.tape import CONSTANT, Leaf
from autoopt.tracing.arrays import matrix
from autoopt.tracing.naming import array_name, identifier
from autoopt.tracing.outside.notes import Notes
from autoopt.tracing.recording.recorder import Recorder


def has_other_algebra(value: Any) -> bool:
    """Whether `value` is an array whose operators mean something else: a masked one, or a matrix."""
    return isinstance(value, np.matrix) or is_masked(value)


class Inputs:
    """The inputs of the tape of one trace, by distinct names.

    Parameters
    ----------
    tracer : Tracer
    substitutes : dict
        By identity, the things that have a substitute, with it.
    notes : Notes
    """

    def __init__(self, tracer: Recorder, substitutes: dict[int, tuple[Any, Any]], notes: Notes) -> None:
        self.tracer, self.substitutes, self.notes = tracer, substitutes, notes
        self._names: set[str] = set()
        self._lists: dict[int, tuple[Any, Any]] = {}

    def free_name(self, name: str) -> str:
        """Return `name`, numbered if an earlier input has it."""
        return fresh(name, self._names)

    def reserve(self, names: Iterable[str]) -> None:
        """Keep `names` for the tape's arguments."""
        self._names.update(names)

    def array(self, value: np.ndarray, name: str) -> Any:
        """Return the input for an array that is found under a name."""
        self.notes.beside_array(value)
        if value.dtype.kind not in "fiub":
            self.notes.note(value)
            return value
        leaf = self.tracer.leaf(Leaf(self.free_name(name or "constant"), "captured"), value)
        if self.tracer.buffers is not None and value.dtype == float:
            self.tracer.buffers.enter(leaf, value, name)
        return leaf

    def part(self, value: np.ndarray, name: str) -> Any:
        """Return what stands for an array in an object or container: itself, a constant where it is used.

        In a run that follows arrays which are written into it is a traced array, as it may be such a buffer.
        """
        if self.tracer.as_data and type(value) is np.ndarray and value.ndim:
            traced = self.array(value, _name(name))
            self.substitutes[id(value)] = value, traced
            return traced
        if self.tracer.buffers is None:
            if type(value) is not self.tracer.array:
                self.notes.note(value)
            return value
        if type(value) is not np.ndarray or value.dtype != float:
            return value
        traced = self.tracer.array(self.tracer, self.tracer.constant(value), value, CONSTANT)
        self.substitutes[id(value)] = value, self.tracer.buffers.enter(traced, value, name)
        return traced

    def numbers(self, value: list | tuple, name: str) -> Any:
        """Return what stands for a list of numbers, or of rows of them: one of the entries of an input."""
        if id(value) in self._lists:
            return self._lists[id(value)][1]
        array = np.array(value)
        self.notes.note(value)
        leaf = Leaf(self.free_name(_name(name)), "captured")
        rows = self.tracer.leaf(leaf, array, ("np.array(", value, ")"))
        nest = _nest(rows, type(value), array.ndim)
        self._lists[id(value)] = value, nest
        return nest

    def of_other_algebra(self, value: Any) -> Any:
        """Return the stand-in for a masked array or np.matrix."""
        from autoopt.tracing.arrays import masked  # loads numpy.ma

        if type(value) in (self.tracer.array, masked.Masked, matrix.MatrixArray) or value is np.ma.masked:
            return value
        self.notes.note(value)
        self.tracer.tape.data_decided = True
        if isinstance(value, np.matrix):
            traced = matrix.matrix(self.tracer, value)
        else:
            self.notes.note(vars(value))
            self.notes.note(np.ma.getmaskarray(value) if value._mask is np.ma.nomask else value._mask)
            traced = masked.masked(self.tracer, value)
        self.substitutes[id(value)] = value, traced
        return traced


def _name(name: str) -> str:
    """Return what an input is called whose key in a container is no name."""
    return array_name(name) if not name or name[0].isalpha() else f"data_{identifier(name)}"


def _nest(rows: Any, kind: type, depth: int) -> Any:
    """Return the entries of a traced array as a nest of lists or tuples."""
    return kind(rows[k] if depth == 1 else _nest(rows[k], kind, depth - 1) for k in range(len(rows)))


def is_data(value: Any) -> bool:
    """Whether a list or tuple holds numbers, or rows of them, as data do: a few whole numbers may be positions."""
    if type(value) not in (list, tuple) or not _LEAST <= len(value) <= _MOST:
        return False
    first = value[0]
    if type(first) is type(value) and first and type(first[0]) in _NUMBERS:
        if not all(type(row) is type(value) and len(row) == len(first) for row in value):
            return False
        entries = [entry for row in value for entry in row]
    else:
        entries = list(value)
    kinds = set(map(type, entries))
    return kinds <= _NUMBERS and (len(value) > LITERAL or not kinds.isdisjoint(_REAL))


_REAL = frozenset((float, np.float64))
_NUMBERS = _REAL | {int, np.int64}
_LEAST, _MOST = 3, 20_000
"""The entries of a list that are followed one by one."""
