"""What the arrays of an objective are called in its source: by their arguments, attributes and keys."""

from __future__ import annotations

import inspect
import keyword
import re
import unicodedata
from collections.abc import Callable

from autoopt.tape.names import fresh


def argument_names(function: Callable, count: int) -> list[str]:
    """Return identifiers for the positional arguments of `function`: its own names where it has them."""
    own, _ = signature_names(function)
    taken = {name for name in own[:count] if name not in RESERVED}
    names = [name if name not in RESERVED else fresh(f"{name}_", taken) for name in own[:count]]
    return names + [fresh(f"data_{k}" if k else "x", taken) for k in range(len(names), count)]


def argument_texts(function: Callable, count: int) -> list[str]:
    """Return expressions for the positional arguments of `function` by its own names; empty where it has none."""
    own, rest = signature_names(function)
    return own[:count] + [f"{rest}[{k}]" if rest else "" for k in range(count - len(own))]


def signature_names(function: Callable) -> tuple[list[str], str]:
    """Return the names of a function's positional arguments, and that of a tuple of all further ones or nothing."""
    try:
        parts = list(inspect.signature(function).parameters.values())
    except Exception:  # it has no signature, or an object's own `__getattr__` raises what it likes
        return [], ""
    own = [part.name for part in parts if part.kind in (part.POSITIONAL_ONLY, part.POSITIONAL_OR_KEYWORD)]
    return own, next((part.name for part in parts if part.kind is part.VAR_POSITIONAL), "")


def array_name(path: str) -> str:
    """Return what an array is called that is found under a path such as "data_X"."""
    name = identifier(path)
    return name if name.isidentifier() and name not in RESERVED else f"array_{name}"


RESERVED = {"np", "scipy", "value", "gradient", "direction", *keyword.kwlist}


def identifier(path: str) -> str:
    """Return a path such as "a.b" or "x[0]" as a Python name, or the end of one."""
    return re.sub(r"\W+", "_", unicodedata.normalize("NFKC", path)).strip("_")
