"""The derivatives of common steps, which no process need derive.

The other files of this room are written by `python -m autoopt.execution.eager.shipping`; a test writes them again and
compares. Those that need SciPy are loaded when such a step is met.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from autoopt.execution.eager.shipped.index import FILES


def find(key: str) -> dict[str, Callable] | None:
    """Return the functions `pull`, `push` and `second` of a kind of step; None if it does not ship."""
    file = FILES.get(key)
    return None if file is None else import_module(f"{__name__}.{file}").STEPS[key]
