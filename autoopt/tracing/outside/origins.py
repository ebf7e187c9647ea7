"""How what a library of tables gives is had from the user's objects, as pieces of text with these between them.

late = df[df["age"] > 50]           # ("", df, "[np.greater(", df, '["age"], 50)]'), np being an object as well
late.groupby("g")["y"].mean()       # ("", df, "[np.greater(", df, '["age"], 50)].groupby("g")["y"].mean()')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autoopt.origin import DATA_LIBRARIES

Origin = tuple[Any, ...]
"""Pieces of text, and between them the objects whose expressions stand there."""

COMPUTED = "?"
"""Stands for the origin of what a library computes of the user's objects, where it cannot be written."""

MOST = 400
"""An origin of more characters is not kept: nobody reads it."""

_NOTED = (*DATA_LIBRARIES, "numpy")
"""Where the classes are defined of whose objects origins are noted."""


def index_text(key: Any) -> str | None:
    """Return a key as Python text, None if it is no plain value."""
    if type(key) is str:
        return repr(key) if '"' in key or "\\" in key or not key.isprintable() else f'"{key}"'
    if isinstance(key, np.integer | np.bool_ | np.float64):
        key = key.item()
    if key is None or type(key) in (int, bool) or (type(key) is float and np.isfinite(key)):
        return repr(key)
    if type(key) is slice:
        ends = [index_text(part) for part in (key.start, key.stop, key.step)]
        return None if None in ends else f"slice({', '.join(map(str, ends))})"
    if type(key) in (tuple, list):
        parts = [index_text(part) for part in key]
        if None in parts:
            return None
        inner = ", ".join(map(str, parts))
        return f"[{inner}]" if type(key) is list else f"({inner},)" if len(parts) == 1 else f"({inner})"
    return None


class Pieces:
    """The origins of objects of a library in one trace, by identity; objects without one are the user's own."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Origin | None]] = {}

    def of(self, original: Any) -> Origin | None:
        """Return the origin of an object of the library."""
        known = self._known.get(id(original))
        return ("", original, "") if known is None else known[1]

    def note(self, made: Any, *pieces: Any) -> Any:
        """Return what was made of objects, with its origin noted; None among the pieces says that it has none."""
        if hasattr(type(made), "__module__") and type(made).__module__.startswith(_NOTED):
            self._known.setdefault(id(made), (made, _short(joined(pieces))))
        return made

    def forget(self, original: Any) -> None:
        """Note that an object has been changed in this trace, so that it is not what it was had as."""
        self._known[id(original)] = original, None

    def argument(self, value: Any) -> Origin | None:
        """Return a value as an argument of a call, or as a key."""
        original = getattr(value, "_original", None) if hasattr(type(value), "_follows") else None
        if original is None:
            original = getattr(value, "original", None) if type(value).__name__ == "Other" else None
        if original is not None:
            return self.of(original)
        if type(value) in (list, tuple):
            return self._sequence(value)
        if type(value) is dict:
            entries = [joined([self.argument(key), ": ", self.argument(part)]) for key, part in value.items()]
            return joined(["{", *_separated(entries), "}"])
        if type(value) is type and value in _TYPES:
            return (value.__name__,)
        text = index_text(value)
        return None if text is None else (text,)

    def _sequence(self, value: Any) -> Origin | None:
        opened, closed = ("[", "]") if type(value) is list else ("(", ",)" if len(value) == 1 else ")")
        return joined([opened, *_separated([self.argument(part) for part in value]), closed])

    def arguments(self, args: Iterable[Any], kwargs: dict) -> Origin | None:
        """Return the arguments of a call, parentheses included."""
        parts = [self.argument(part) for part in args]
        parts += [joined([f"{name}=", self.argument(part)]) for name, part in kwargs.items()]
        return joined(["(", *_separated(parts), ")"])

    def subscript(self, key: Any) -> Origin | None:
        """Return a key in brackets, behind what it is of."""
        parts = [_slice(part) or self.argument(part) for part in (key if type(key) is tuple and key else (key,))]
        return joined(["[", *_separated(parts), "]"])

    def operation(self, function: Callable, operands: Iterable[Any]) -> Origin | None:
        """Return a call of a NumPy function."""
        return joined([("", np, f".{function.__name__}"), self.arguments(operands, {})])


_TYPES = (float, int, bool, str)


def _slice(key: Any) -> Origin | None:
    if type(key) is not slice:
        return None
    ends = ["" if part is None else index_text(part) for part in (key.start, key.stop)]
    step = "" if key.step is None else f":{index_text(key.step)}"
    return None if None in ends else (f"{ends[0]}:{ends[1]}{step}",)


def _separated(parts: list) -> list:
    return [piece for k, part in enumerate(parts) for piece in ((", ", part) if k else (part,))]


def joined(pieces: Iterable[Any]) -> Origin | None:
    """Return texts and origins as one origin, None if one of them is."""
    parts: list[Any] = [""]
    for piece in pieces:
        if piece is None:
            return None
        first, *rest = (piece,) if isinstance(piece, str) else piece
        parts[-1] += first
        parts.extend(rest)
    return tuple(parts)


def _short(origin: Origin | None) -> Origin | None:
    return origin if origin is not None and sum(len(part) for part in origin[::2]) <= MOST else None
