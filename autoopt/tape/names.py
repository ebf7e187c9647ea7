"""What a step's operation is called, in messages, in printed source and in cache keys; names that are still free."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable

import numpy as np

_INDEXING = {operator.getitem: "indexing"}


def fresh(hint: str, taken: set[str], stem: str = "") -> str:
    """Return `hint`, or if it is taken `stem` (by default the hint) with a number, and take it."""
    name, count = hint, 1
    while name in taken:
        count += 1
        name = f"{stem or hint}_{count}"
    taken.add(name)
    return name


def qualified(function: Callable) -> str:
    """Return the function as a user writes it, such as np.sum, np.add.reduceat or scipy.special.gammaln."""
    if function in _INDEXING:
        return _INDEXING[function]
    own = getattr(function, "__name__", None) or type(function).__name__
    owner = None if isinstance(function, type) else getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"{qualified(owner)}.{own}"
    if isinstance(function, np.ufunc):
        return f"np.{own}" if getattr(np, own, None) is function else f"scipy.special.{own}"
    module = getattr(function, "__module__", None) or ""
    if module.startswith("numpy"):
        for place in ("linalg", "fft"):
            if getattr(getattr(np, place), own, None) is function:
                return f"np.{place}.{own}"
        if hasattr(np, own):
            return f"np.{own}"
        return ".".join(["np", *(part for part in module.split(".")[1:] if not part.startswith("_")), own])
    if owner is not None and not isinstance(owner, type(sys)):
        return f"{module}.{type(owner).__name__}.{own}"
    public = ".".join(part for part in module.split(".") if not part.startswith("_"))
    return f"{public}.{own}" if public else own
