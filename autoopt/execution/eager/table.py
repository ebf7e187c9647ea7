"""The steps that have derivatives of their own: filled by `moves.py`, asked by `program.py`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from autoopt.tape.operations import put, put_add

MOVES: dict[Any, Callable] = {}
"""By operation, or by its type: takes a program, the step's number and the step; returns its derivatives, or None."""

WRITING = frozenset((put, put_add))

PARTIAL = WRITING | {operator.getitem}
"""Those that read or write a part of their first input."""


def moves(*operations: Any) -> Callable[[Callable], Callable]:
    """Register what makes the derivatives of the steps of these operations."""

    def enter(made: Callable) -> Callable:
        MOVES.update(dict.fromkeys(operations, made))
        return made

    return enter
