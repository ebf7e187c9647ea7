"""The text of printed derivatives: what of it is for a run alone, and goes when it is handed out or may not hinder.

This works on text, where `codegen` has statements: what the cache keeps, and another process reads, is the one text of
a module with everything that a run may need, and each of its forms is made of that text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

import numpy as np

SHOWN = 5000
"""The most numbers that the objective computes itself that are written into a source that is handed out."""

_COUNTS = re.compile(r"^COUNTS = .*?(?=  #)", re.MULTILINE)
_CHECK = re.compile(r"\n +if [^\n]*:\n +raise PathChanged\([^\n]*")
_TIES = re.compile(
    r"\n +if \(ties := [^\n]*\n +raise Tied\(ties\)|class Tied\(.*?\n\n\n|^TIES = [^\n]*\n\n\n",
    re.DOTALL | re.MULTILINE,
)
_SIGNATURE = re.compile(r"^(def \w+\()([^()]*)(\):)", re.MULTILINE)
NAMELESS = re.compile(r"constant(_\d+)?")
"""What arrays are called that the objective computes itself."""


def with_counts(text: str, counts: Collection[tuple[int, ...]]) -> str:
    """Return the text with these numbers of iterations as those that the loops may take."""
    return _COUNTS.sub(f"COUNTS = {set(counts)}", text)


def with_constants(text: str, constants: Mapping[str, Any]) -> str:
    """Return the text with arrays that the objective computes of nothing as constants of the module, if they are short.

    Those that stay arguments are named in a comment, with their shapes. What the user has a name for is data.
    """
    from autoopt.codegen.constants import constant_text, is_display

    written, count = [], 0
    for name, value in constants.items():
        if not NAMELESS.fullmatch(name) or not re.search(rf"\b{name}\b", text):
            continue
        array = np.asarray(value)
        shown = constant_text(array)[1] if array.dtype.kind in "fiub" else ""
        count += array.size if is_display(shown) else 0
        if count > SHOWN or not shown:
            written.append(f"# {name}: an array of shape {array.shape} that the objective computes.")
            continue
        written.append(f"{name} = {shown}")
        text = _SIGNATURE.sub(partial(_without, name, text), text)
    if not written:
        return text
    head = list(re.finditer(r"^(import|from) .*\n", text, re.MULTILINE))[-1].end()
    return text[:head] + "\n" + "\n".join(written) + "\n" + text[head:]


def _without(name: str, text: str, definition: re.Match) -> str:
    """Return the first line of a function without one of its arguments, unless the text calls it with that."""
    start, arguments, end = definition.groups()
    if len(re.findall(rf"\b{start[4:-1]}\b", text)) > 1:
        return definition.group()
    return start + ", ".join(part for part in arguments.split(", ") if part != name) + end


def unchecked(text: str) -> str:
    """Return the text without the tests of which branch is taken."""
    return _CHECK.sub("", text)


def without_ties(text: str) -> str:
    """Return the text without the test whether kinks are met, and what that alone needs; itself if there is none."""
    if "Tied" not in text:
        return text
    lines = _TIES.sub("", text).split("\n")
    while unused := _unused("\n".join(lines)):
        lines = [line for number, line in enumerate(lines, start=1) if number not in unused]
    return "\n".join(lines)


def _unused(text: str) -> set[int]:
    """Return the lines of the assignments to names that their function does not read."""
    found: set[int] = set()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
        read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
        for statement in function.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            if isinstance(target, ast.Name) and target.id not in read:
                found.update(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return found
