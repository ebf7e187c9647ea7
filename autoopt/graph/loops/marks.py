"""What the user calls the values of one iteration, and the lines that compute them: kept with a loop's variables.

PyTensor's rewrites hand the marks on as they do the origins of the tape's steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytensor.graph.basic import Variable

from autoopt.tape.assignments import assigned_name
from autoopt.tape.statements import place_of
from autoopt.tape.tape import Step


@dataclass(frozen=True)
class Mark:
    """The variable of the user's that a value is stored in, "" if in none, and the line."""

    name: str
    text: str


def mark(variable: object, step: Step) -> None:
    """Note on a variable what the user calls the result of a step of a loop's body."""
    if isinstance(variable, Variable) and variable.owner is not None and step.site is not None:
        place = place_of(step)
        variable.tag.trace = [Mark(assigned_name(step) or "", place.quoted if place else "")]


def mark_of(variable: Variable) -> Mark | None:
    """Return what is noted on a variable."""
    return next((entry for entry in getattr(variable.tag, "trace", ()) if isinstance(entry, Mark)), None)


def hand_on(olds: Iterable[Variable], news: Iterable[Variable]) -> None:
    """Note on variables what is noted on those that they take the place of."""
    for old, new in zip(olds, news, strict=True):
        found = mark_of(old)
        if found is not None and mark_of(new) is None and new.owner is not None:
            new.tag.trace = [*(getattr(new.tag, "trace", None) or []), found]
