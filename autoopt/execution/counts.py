"""How many iterations the loops that end on a condition may take, as the printed code asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Numbers = tuple[int, ...]
"""The number of iterations of each loop of a tape."""


class Counts(set[Numbers]):
    """The numbers that are allowed, together; what was asked for last may be allowed next.

    Attributes
    ----------
    asked : tuple of int or None
    """

    def __init__(self, allowed: Iterable[Numbers]) -> None:
        super().__init__(allowed)
        self.asked: Numbers | None = None

    def __contains__(self, counts: Any) -> bool:
        self.asked = tuple(map(int, counts))
        return super().__contains__(counts)
