"""The text of printed derivatives: what of it is for a run alone, and goes when it is handed out or may not hinder."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

_COUNTS = re.compile(r"^COUNTS = .*?(?=  #)", re.MULTILINE)
_CHECK = re.compile(r"\n +if [^\n]*:\n +raise PathChanged\([^\n]*")
_TIES = re.compile(
    r"\n +if \(ties := [^\n]*\n +raise Tied\(ties\)|class Tied\(.*?\n\n\n|^TIES = [^\n]*\n\n\n",
    re.DOTALL | re.MULTILINE,
)


def with_counts(text: str, counts: Collection[tuple[int, ...]]) -> str:
    """Return the text with these numbers of iterations as those that the loops may take."""
    return _COUNTS.sub(f"COUNTS = {set(counts)}", text)


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
