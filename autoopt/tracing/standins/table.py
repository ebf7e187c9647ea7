"""What the instrumented copy of the user's function sees in place of Python's and NumPy's own names.

Only names that NumPy's dispatch protocols do not reach need a stand-in: constructors, `math`, `float` and a few
builtins. Each row is `stand_in(tracer, *args, **kwargs)` for the callable that it stands for; other files fill them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

STAND_INS: dict[Callable, Callable] = {}
TYPES: dict[type, Callable] = {}
"""What a call of a type, as in `float(x)`, is; `types.py` makes of it what serves as the type otherwise, too."""


def stands_in(*originals: Callable) -> Callable:
    """Return a decorator that registers `stand_in(tracer, *args, **kwargs)` for `originals`."""

    def register(stand_in: Callable) -> Callable:
        STAND_INS.update(dict.fromkeys(originals, stand_in))
        return stand_in

    return register


def may_hash(value: Any) -> bool:
    """Whether `value` is a function or class that can be looked up in a table."""
    if not callable(value):
        return False
    try:
        hash(value)
    except TypeError:  # a callable object with an array among its fields
        return False
    return True


def has_stand_in(value: Any) -> bool:
    """Whether a function or class has a row of its own."""
    return may_hash(value) and (value in STAND_INS or value in TYPES)
