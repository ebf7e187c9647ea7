"""What decides in the state of the process: the folder, the environment, how numbers are shown and rounded.

It is found by the names in an objective's code: one that says `getcwd` depends on the folder, and another does not.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def _printing() -> dict:
    return {name: part for name, part in np.get_printoptions().items() if not callable(part)}


def _decimal_context() -> tuple:
    """Return how decimal numbers are rounded; what was rounded so far, which the context tells too, decides nothing."""
    context = sys.modules["decimal"].getcontext() if "decimal" in sys.modules else None
    return () if context is None else (context.prec, context.rounding, context.Emin, context.Emax, context.clamp)


def _conventions() -> Any:
    return sys.modules["locale"].localeconv() if "locale" in sys.modules else 0


STATES: dict[tuple[str, ...], Callable[[], Any]] = {
    ("getcwd", "cwd", "abspath", "resolve", "absolute"): os.getcwd,
    ("get_printoptions", "printoptions", "array2string", "array_str", "array_repr"): _printing,
    ("getrecursionlimit",): sys.getrecursionlimit,
    ("Decimal", "getcontext", "localcontext"): _decimal_context,
    ("getlocale", "localeconv", "locale"): _conventions,
}
"""What is read by functions, by their names: the folder, how numbers are shown and rounded, Python's limits."""

ENVIRONMENT = frozenset(("environ", "environb", "getenv", "getenvb", "expandvars", "expanduser"))
"""The names by which the variables of the environment are read."""

DESCRIPTIONS = ("__name__", "__qualname__", "__doc__", "__annotations__")
"""What a function or class says of itself."""


def description(value: Any, name: str) -> Any:
    """Return what a function or class says of itself under a name."""
    part = getattr(value, name, None)
    return dict(part) if isinstance(part, dict) else part


def is_read(read: Callable[[], Any]) -> Callable[[], bool]:
    """Return what says whether `read()` gives what it gives now."""
    return functools.partial(_gives, read, read())


def _gives(read: Callable[[], Any], before: Any) -> bool:
    return read() == before
