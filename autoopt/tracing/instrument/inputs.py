"""Arrays that a run finds outside, as inputs of its tape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autoopt.parameters import is_masked
from autoopt.tape.names import fresh
from autoopt.tape.tape import CONSTANT, Leaf
from autoopt.tracing.arrays import matrix
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
        if self.tracer.buffers is None:
            if type(value) is not self.tracer.array:
                self.notes.note(value)
            return value
        if type(value) is not np.ndarray or value.dtype != float:
            return value
        traced = self.tracer.array(self.tracer, self.tracer.constant(value), value, CONSTANT)
        self.substitutes[id(value)] = value, self.tracer.buffers.enter(traced, value, name)
        return traced

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
