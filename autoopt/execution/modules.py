"""Printed source as a module that is run, whose lines tracebacks can show."""

from __future__ import annotations

import linecache
from typing import Any


def executed(text: str, kind: str) -> dict[str, Any]:
    """Run the source as a module whose lines tracebacks can show, and return its namespace."""
    file = f"<autoopt {kind} {abs(hash(text)):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": "autoopt_derivatives"}
    exec(compile(text, file, "exec", dont_inherit=True), namespace)
    return namespace
