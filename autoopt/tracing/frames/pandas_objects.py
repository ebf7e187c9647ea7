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
        result = getattr(self.original, name)
        return Call(self.frames, result, name) if callable(result) else self.frames.wrap(result)

    def __getitem__(self, key: Any) -> Any:
        return self.frames.wrap(self.original[self.frames.settled(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.frames.follows(value):
            raise self.frames.refusal("an assignment to a part", "it changes the data")
        self.original[self.frames.settled(key)] = self.frames.plain(value)

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
        result = self.method(*frames.plain(args), **frames.plain(kwargs))
        lazy = not isinstance(result, np.ndarray) and hasattr(result, "__next__")
        return map(frames.wrap, result) if lazy else frames.wrap(result)
