"""The table of causes, and what one says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from autoopt.errors import Location


@dataclass(frozen=True)
class Diagnosis:
    """Why a run failed.

    Attributes
    ----------
    happened : str
        One or more full sentences with what was measured; the first of them stands in `result.message`.
    where : tuple of Location
        The user's lines.
    remedy : str
        What to do.
    is_said : bool
        Whether the message of the result says it already.
    replaces : bool
        Whether it says all that the verdict does, and more.
    """

    happened: str
    where: tuple[Location, ...] = ()
    remedy: str = ""
    is_said: bool = False
    replaces: bool = False

    def __str__(self) -> str:
        lines = [self.happened, *map(str, self.where)]
        return "\n".join([*lines, f"To fix this: {self.remedy}"] if self.remedy else lines)

    @property
    def short(self) -> str:
        """What happened, and the first line, in one line."""
        place = f" ({str(self.where[0]).split(chr(10))[0].strip()})" if self.where else ""
        return self.happened.split("\n")[0].removesuffix(".") + place + "."


@dataclass(frozen=True)
class Cause:
    """A row: `function(evidence)` returns a Diagnosis, or None where what it measures does not show its cause.

    `rank` is the place in the order: what would explain the others comes first. `of_start` says that it is asked where
    a run could not begin, too, `of_success` where one ended well and the objective looks suspicious.
    """

    name: str
    function: Callable[[Any], Diagnosis | None]
    rank: int
    of_start: bool = False
    of_success: bool = False


DIAGNOSES: dict[str, Cause] = {}


def cause(name: str, rank: int, **when: bool) -> Callable[[Callable], Callable]:
    """Return a decorator that adds a function to DIAGNOSES."""

    def add(function: Callable) -> Callable:
        DIAGNOSES[name] = Cause(name, function, rank, **when)
        return function

    return add


def numbers(names: Iterable[str], values: Iterable[float], most: int = 6) -> str:
    """Return "a = 1.5, b = -2", the first `most` of them."""
    pairs = [f"{name} = {value:.6g}" for name, value in zip(names, values, strict=True)]
    return ", ".join(pairs[:most]) + (f", and {len(pairs) - most} more" if len(pairs) > most else "")
