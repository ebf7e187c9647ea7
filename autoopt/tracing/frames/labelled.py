"""What the stand-ins for the tables of pandas and of polars have in common."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.tape import CONSTANT, Leaf
from autoopt.tracing.outside.origins import COMPUTED, Pieces, joined
from autoopt.tracing.recording.recorder import Recorder

_RESERVED = {"np", "scipy", "value", "gradient", "direction"}


class Labelled:
    """The objects of one library in one trace; stand-ins for columns and tables have `as_traced` and `_follows`."""

    def __init__(self, tracer: Recorder, free_name: Callable[[str], str]) -> None:
        self.tracer, self.free_name = tracer, free_name
        self.columns: dict[tuple[int, Any], tuple[Any, Any]] = {}
        self.pieces = Pieces()

    def wrap(self, value: Any, name: Any = None) -> Any:
        """Return the stand-in for what the library gave; `name` is that of the variable that held it."""
        raise NotImplementedError

    def call(self, function: Callable, args: tuple, kwargs: dict) -> Any:
        """Call a function or class of the library."""
        raise NotImplementedError

    def leaf(self, label: Any, values: np.ndarray, original: Any) -> Any:
        """Return the values of `original` as an input named after a column; themselves if they are no numbers."""
        if values.dtype.kind not in "fiub":
            return values
        name = re.sub(r"\W+", "_", str(label)).strip("_") or "data"
        name = "data_" + name if name[0].isdigit() else name
        name = name + "_" if keyword.iskeyword(name) or name in _RESERVED else name
        origin = joined([self.pieces.of(original), ".to_numpy()"])
        return self.tracer.leaf(Leaf(self.free_name(name), "captured"), values, origin or (COMPUTED,))

    def changed(self, original: Any) -> None:
        """Note that data have been changed in this trace."""
        self.columns.clear()
        self.pieces.forget(original)

    def follows(self, value: Any) -> bool:
        """Whether a value of the trace, other than the library's data, is in `value`."""
        kind = type(value)
        if hasattr(kind, "_follows"):
            return value._follows
        if kind is self.tracer.array:
            return value.level != CONSTANT
        if kind in (list, tuple):
            return any(map(self.follows, value))
        return kind is dict and any(map(self.follows, value.values()))

    def traced(self, value: Any) -> Any:
        """Return `value` for NumPy: stand-ins as their traced values."""
        kind = type(value)
        if hasattr(kind, "_follows"):
            return value.as_traced()
        if kind in (list, tuple):
            return kind([self.traced(part) for part in value])
        return {key: self.traced(part) for key, part in value.items()} if kind is dict else value


def agree(plain: Any, numbers: Any) -> bool:
    """Whether the library's result and NumPy's are the same numbers in the same shape."""
    return np.shape(plain) == np.shape(numbers) and np.allclose(
        np.asarray(plain, dtype=float), np.asarray(numbers, dtype=float), 1e-9, 1e-12, True
    )
