"""Arrays made outside of the objective that it fills anew in each call: buffers.

    class Model:
        def __init__(self, y): self.y, self.r = y, np.zeros(y.size)
        def loss(self, p):
            self.r[:] = self.y - p[0]        # the first write: from here on `self.r` is as if made in this call
            return self.r @ self.r

A run that writes into an array from outside is done a second time, with the arrays from outside as traced ones that may
become buffers. What an earlier call left in a buffer must not be read: its numbers are `STALE` until they are written,
and whatever asks for the step of an array with such numbers is refused. So is a write after a read of what was there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import CONSTANT

_BITS = 0x7FF8_0000_DEAD_BEEF
STALE = np.array(_BITS, np.uint64).view(float)[()]
"""A NaN that no calculation makes."""

_REMEDY = "make the array inside the objective, or write all of it there before it is read."


def _refusal(happened: str, tracer: Any) -> TracingError:
    """Return the error for an array whose numbers one call would hand to the next."""
    error = TracingError(happened, tracer.location(), _REMEDY)
    error.carried_over = True  # type: ignore[attr-defined]
    return error


def is_of_buffers(error: BaseException) -> bool:
    """Whether an error says why an array from outside is no buffer."""
    return hasattr(error, "carried_over")


class Buffer:
    """An array from outside that may become a buffer."""

    def __init__(self, array: Any, original: np.ndarray, name: str) -> None:
        self.array, self.original, self.name = array, original, "an array" if not name or name.isdigit() else repr(name)
        self.read = self.written = False

    def check(self, numbers: Any) -> None:
        """Note that entries of the array are read, or raise if they are those of an earlier call."""
        if not self.written:
            self.read = True
        elif _is_stale(numbers):
            raise _refusal(
                f"The objective reads entries of {self.name}, made outside of it, that this call has not written.",
                self.array.tracer,
            )


class Buffers:
    """The buffers of one run, by the identity of their traced arrays."""

    def __init__(self) -> None:
        self.known: dict[int, Buffer] = {}
        self._quiet = False

    def enter(self, array: Any, original: np.ndarray, name: str) -> Any:
        """Return a traced array of `original`, its numbers made its own, as one that may be written into."""
        array.value, array.cells = original.copy("K"), {}  # cells: so that each reader asks `settle`
        self.known[id(array)] = Buffer(array, original, name)
        for other in self.known.values():
            if other.written:
                self._refuse_shared(other, original, array.tracer)
        return array

    def of(self, array: Any) -> Buffer | None:
        """Return the buffer that `array` is or is a view of."""
        return self.known.get(id(array.origin.root if array.origin else array))

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Evaluate what looks at whole arrays but reads no entry."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def check(self, array: Any, numbers: Any = None) -> None:
        """See to it that what is read of `array` is of this call."""
        buffer = None if self._quiet else self.of(array)
        if buffer is not None:
            buffer.check(array.value if numbers is None else numbers)

    def start(self, array: Any) -> None:
        """Make what is written into a buffer, if it is one and not yet written to."""
        buffer = self.of(array)
        if buffer is None or buffer.written:
            return
        root, tracer = buffer.array, array.tracer
        if buffer.read:
            raise _refusal(
                f"The objective writes into {buffer.name}, made outside of it, after it has read what was there.",
                tracer,
            )
        arrays = [value for value in tracer.tape.values.values() if isinstance(value, np.ndarray)]
        for other in [*(one.original for one in self.known.values()), *arrays]:
            self._refuse_shared(buffer, other, tracer)
        buffer.written = True
        root.value[...] = STALE
        root.step, root.level = tracer.call(np.zeros, (root.shape,), {}).step, CONSTANT
        root.version += 1

    def _refuse_shared(self, buffer: Buffer, other: np.ndarray, tracer: Any) -> None:
        if other is not buffer.original and np.may_share_memory(other, buffer.original):
            raise _refusal(
                f"The objective writes into {buffer.name}, made outside of it, whose memory another array shares.",
                tracer,
            )


def _is_stale(numbers: Any) -> bool:
    return bool(np.any(np.ascontiguousarray(numbers, dtype=float).view(np.uint64) == _BITS))
