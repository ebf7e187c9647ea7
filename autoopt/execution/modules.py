"""Printed source as a module that is run, whose lines tracebacks can show, and what its functions are."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np


def executed(text: str, kind: str) -> dict[str, Any]:
    """Run the source as a module whose lines tracebacks can show, and return its namespace."""
    file = f"<autoopt {kind} {abs(hash(text)):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "autoopt_derivatives"}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return namespace


def source_of(function: FunctionType) -> str:
    """Return the text of a printed function."""
    lines = linecache.getlines(function.__code__.co_filename)
    return "".join(inspect.getblock(lines[function.__code__.co_firstlineno - 1 :]))


def arguments_of(function: Callable) -> tuple[str, ...]:
    """Return the names of what a printed function takes."""
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


def owner_of(value: Any) -> Any:
    """Return the array whose memory a view shows."""
    while isinstance(value, np.ndarray) and value.base is not None:
        value = value.base
    return value
