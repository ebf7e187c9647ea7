"""Stand-ins for pandas objects that are neither Series nor DataFrame, such as indexers and groups of data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class Other:
    """Stands in for a pandas object that is neither Series nor DataFrame, such as an indexer or groups."""

    def __init__(self, frames: Any, original: Any) -> None:
        self.frames, self.original = frames, original

    def __getattr__(self, name: str) -> Any:
        result, pieces = getattr(self.original, name), self.frames.pieces
        pieces.note(result, pieces.of(self.original), f".{name}")
        return Call(self.frames, result, name) if callable(result) else self.frames.wrap(result)

    def __getitem__(self, key: Any) -> Any:
        pieces, part = self.frames.pieces, self.original[self.frames.settled(key)]
        return self.frames.wrap(pieces.note(part, pieces.of(self.original), pieces.subscript(key)))

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.frames.follows(value):
            raise self.frames.refusal("an assignment to a part", "it changes the data")
        self.original[self.frames.settled(key)] = self.frames.plain(value)
        self.frames.changed(getattr(self.original, "obj", self.original))  # an indexer writes into its table

    def __iter__(self) -> Iterator:
        return map(self.frames.wrap, self.original)

    def __len__(self) -> int:
        return len(self.original)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Call(self.frames, self.original, type(self.original).__name__)(*args, **kwargs)


class Call:
    """A method of a pandas object that holds data alone."""

    def __init__(self, frames: Any, method: Callable, name: str) -> None:
        self.frames, self.method, self.name = frames, method, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        frames = self.frames
        if frames.follows((args, kwargs)):
            raise frames.refusal(f".{self.name}")
        result, pieces = self.method(*frames.plain(args), **frames.plain(kwargs)), frames.pieces
        owner = getattr(self.method, "__self__", None)
        pieces.note(result, pieces.of(owner), f".{self.name}", pieces.arguments(args, kwargs))
        if result is None or self.name in _CHANGING:
            frames.changed(owner)
        lazy = not isinstance(result, np.ndarray) and hasattr(result, "__next__")
        return map(frames.wrap, result) if lazy else frames.wrap(result)


_CHANGING = frozenset(("pop",))
"""Methods that change their table and give something all the same."""
