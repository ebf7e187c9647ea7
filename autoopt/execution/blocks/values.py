"""What is known of a value in a printed function: a sample of it, for some of the rows, and the axis of the rows.

X (n, 3)        sample (m, 3), axis 0            m of the n rows
X @ w           sample (m,), axis 0
X.T             sample (3, m), axis 1
w               sample (3,), axis None           free: the same for all rows
r @ r           a number, axis None, level 1     free, but known only once the rows were passed over once
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


class NotInBlocks(Exception):
    """A function is not computed block by block; the text says what it does with its rows."""

    def __init__(self, reason: str, line: str = "") -> None:
        super().__init__(reason)
        self.reason, self.line = reason, line


class FixedRows(NotInBlocks):
    """A function is written for one number of rows."""


@dataclass(frozen=True)
class Value:
    """A value.

    Attributes
    ----------
    sample
        What it is for the sampled rows; of any type.
    axis : int or None
        The axis along which entry i is of row i; None for what is the same for all rows.
    level : int
        The pass in which it is computed, from 1 on; of what has no axis, the passes that must be done before.
    is_positions : bool
        Whether it is the numbers of the rows, 0 to n - 1.
    is_count : bool
        Whether it is the number of rows.
    parts : tuple of Value or None
        Of a tuple or list: what is in it.
    """

    sample: Any
    axis: int | None = None
    level: int = 0
    is_positions: bool = False
    is_count: bool = False
    parts: tuple[Value, ...] | None = None

    @property
    def is_free(self) -> bool:
        """Whether it is the same for all rows."""
        return self.axis is None and (self.parts is None or all(part.is_free for part in self.parts))

    @property
    def array(self) -> np.ndarray:
        """The sample as an array."""
        return np.asarray(self.sample)

    @property
    def from_right(self) -> int:
        """The axis of the rows, counted from the last one, which is -1."""
        assert self.axis is not None
        return self.axis - self.array.ndim

    def at(self, level: int) -> Value:
        """Return the value with another level."""
        return replace(self, level=level)


NUMBERED = "it computes with the numbers of the rows, which each batch and block has for itself"
"""Why positions are refused elsewhere than between brackets."""


def without_positions(values: Sequence[Value]) -> None:
    """Refuse the numbers of the rows among values that are computed with: in a block they begin at 0 again."""
    if any(value.is_positions for value in flat(values)):
        raise NotInBlocks(NUMBERED)


def flat(values: Sequence[Value]) -> list[Value]:
    """Return the values, those in tuples and lists one by one."""
    found: list[Value] = []
    for value in values:
        found += flat(value.parts) if value.parts is not None else [value]
    return found


def level_of(values: Sequence[Value]) -> int:
    """Return the level of what is computed of values: of the same pass as its rows, or after what is free."""
    found = flat(values)
    return max((value.level + (value.axis is None) for value in found), default=1)


def free_level(values: Sequence[Value]) -> int:
    """Return how many passes must be done before what is computed of free values."""
    return max((value.level for value in flat(values)), default=0)
