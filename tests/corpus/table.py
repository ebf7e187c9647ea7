"""The row of the corpus: one objective, where it is run, and what is special about it. Knows nothing of autoopt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Case:
    """One objective as a scientist writes it.

    Attributes
    ----------
    f : callable, f(x, *args) -> scalar
    points : tuple
        Awkward points of x0's structure where f is smooth: saturated, tied, zero, far.
    kinks : tuple
        Points where only the value and the gradient are compared: there the slope is the mean of both sides.
    tags : str
        The styles that it shows, space-separated.
    xfail : str
        Why autoopt does not pass it today, "" if it does.
    noise : float
        Of f itself, in absolute terms, where it iterates to a tolerance.
    """

    name: str
    f: Callable
    x0: Any
    args: tuple = ()
    points: tuple = ()
    kinks: tuple = ()
    tags: str = ""
    xfail: str = ""
    noise: float = 0.0

    def __str__(self) -> str:
        return self.name
