"""Which line of an edited module is wrong: the first whose variable has another value than in the module as derived.

theirs                                ours
    z = X @ w                             z = X @ w                  the same
    p = 1 / (1 + np.exp(z))    <-         p = 1 / (1 + np.exp(-z))   another value: this line
    gradient = X.T @ (p - y)              gradient = X.T @ (p - y)   as it must be, then
"""

from __future__ import annotations

import difflib
import linecache
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Assigned:
    """A value that a variable has had, and the line that gave it."""

    line: int
    name: str
    value: Any


def assignments(function: Callable, arguments: Iterable[Any], file: str) -> list[Assigned]:
    """Return what the variables of functions of a file are, one after another, while `function` runs."""
    found: list[Assigned] = []
    before: dict[Any, tuple[int, dict[str, Any]]] = {}

    def look(frame: Any) -> None:
        line, known = before[frame]
        for name, value in frame.f_locals.items():
            if isinstance(value, int | float | np.ndarray | np.generic) and not _same(known.get(name), value):
                known[name] = np.array(value)
                found.append(Assigned(line, name, known[name]))

    def trace(frame: Any, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != file:
            return None
        if event == "call":
            before[frame] = frame.f_lineno, {name: np.array(value) for name, value in _numbers(frame.f_locals)}
        else:
            look(frame)
            before[frame] = frame.f_lineno, before[frame][1]
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        function(*arguments)
    except Exception:  # what it had assigned before tells
        pass
    finally:
        sys.settrace(previous)
    return found


def _numbers(names: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    return [(k, v) for k, v in names.items() if isinstance(v, int | float | np.ndarray | np.generic)]


def _same(known: Any, value: Any) -> bool:
    try:
        return known is not None and np.array_equal(known, value, equal_nan=True)
    except TypeError:
        return known is not None and np.array_equal(known, value)


def first_wrong(theirs: list[Assigned], ours: list[Assigned], changed: set[int]) -> int | None:
    """Return the first line of theirs that gives a variable another value than ours has; of `changed` lines, if any."""
    values: dict[str, list[Any]] = {}
    for one in ours:
        values.setdefault(one.name, []).append(one.value)
    differing = [one.line for one in theirs if one.name in values and not _is_among(one.value, values[one.name])]
    return next(
        (line for line in differing if line in changed), min(changed) if changed else next(iter(differing), None)
    )


def _is_among(value: Any, known: list[Any]) -> bool:
    for other in known:
        if np.shape(other) == np.shape(value):
            size = float(np.max(np.abs(other), initial=0.0))
            if np.allclose(value, other, rtol=1e-8, atol=1e-9 * size, equal_nan=True):
                return True
    return False


def changed_lines(file: Path, text: str) -> set[int]:
    """Return the numbers of the lines of a file that do not stand in `text`; comments and blank lines left out."""
    own = [line.strip() for line in file.read_text(encoding="utf-8").split("\n")]
    matcher = difflib.SequenceMatcher(None, [line.strip() for line in text.split("\n")], own, autojunk=False)
    changed = {j + 1 for tag, _, _, j0, j1 in matcher.get_opcodes() if tag != "equal" for j in range(j0, j1)}
    return {line for line in changed if own[line - 1] and not own[line - 1].startswith(("#", '"""'))}


def shown(file: str, line: int) -> str:
    """Return a line of a file with its place."""
    return f"{file}:{line}: {linecache.getline(str(Path(file).absolute()), line).strip()}"
