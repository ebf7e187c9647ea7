"""What the arrays of an objective are called in its source: by their arguments, attributes and keys."""

from __future__ import annotations

import inspect
import keyword
import re
import unicodedata
from collections.abc import Callable, Iterable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autoopt.tracing.outside.watching import attribute


def argument_names(function: Callable, count: int) -> list[str]:
    """Return identifiers for the positional arguments of `function`: its own names where it has them."""
    try:
        own = [
            p.name
            for p in inspect.signature(function).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except Exception:  # it has no signature, or an object's own `__getattr__` raises what it likes
        own = []
    names = [name if name not in RESERVED else name + "_" for name in own[:count]]
    names += [f"data_{k}" if k else "x" for k in range(len(names), count)]
    return names


def array_names(function: Callable, data: Iterable[tuple[str, Any]], captured: dict) -> dict[int, str]:
    """Return what the arrays below the data, what was captured and the method's own object are called, by identity."""
    found: dict[int, str] = {}
    for name, value in data:
        _name_arrays(value, name, found)
    for (_, name), (_, value) in captured.items():
        _name_arrays(value, name, found)
    for name, value in _parts(attribute(function, "__self__")):
        _name_arrays(value, str(name), found)
    return found


def _name_arrays(value: Any, name: str, found: dict[int, str], depth: int = 3) -> None:
    if isinstance(value, np.ndarray):
        name = identifier(name)
        found.setdefault(id(value), name if name.isidentifier() and name not in RESERVED else f"array_{name}")
    elif depth:
        for key, part in _parts(value):
            _name_arrays(part, f"{name}_{key}", found, depth - 1)


def _parts(value: Any) -> Iterable[tuple[Any, Any]]:
    """Return what a container or a plain object holds, by key."""
    if isinstance(value, dict):
        return list(value.items())[:_MOST_PARTS]
    if isinstance(value, list | tuple):
        return list(zip(getattr(type(value), "_fields", range(len(value))), value, strict=True))[:_MOST_PARTS]
    if isinstance(value, type | ModuleType | FunctionType):
        return []
    return list(attribute(value, "__dict__", {}).items())[:_MOST_PARTS]


_MOST_PARTS = 100


RESERVED = {"np", "scipy", "value", "gradient", "direction", *keyword.kwlist}


def identifier(path: str) -> str:
    """Return a path such as "a.b" or "x[0]" as a Python name, or the end of one."""
    return re.sub(r"\W+", "_", unicodedata.normalize("NFKC", path)).strip("_")
