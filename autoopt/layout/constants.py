"""Numbers and texts as they are written; long texts in pieces, one to a line."""

from __future__ import annotations

import re


def constant(text: str) -> str:
    """Return a number without needless signs, a text in double quotes if nothing in it need be escaped for it."""
    if text[:1].isdigit() and text[1:2] not in ("x", "b", "o"):
        return text.lower().replace("e+", "e")
    found = _QUOTED.fullmatch(text)
    return f'{found[1]}"{found[2]}"' if found else text


_QUOTED = re.compile(r"""([fF]?)'((?!'')[^'"\\\n]*)'""")
_TEXT = re.compile(r"""([fF]?)(["'])(?!\2\2)(.*)\2""")
_ATOM = re.compile(r"\\.|\{\{|\}\}|\{|\}|[^\\{}]")


def pieces(text: str, width: int) -> list[str]:
    """Return a text as texts that stand next to each other, broken behind spaces."""
    found = _TEXT.fullmatch(text)
    if not found or len(text) <= width:
        return [text]
    prefix, quote, body = found.groups()
    lines, words = [""], [""]
    depth = 0
    for atom in _ATOM.findall(body):
        depth += bool(prefix) * ((atom == "{") - (atom == "}"))
        words[-1] += atom
        if atom == " " and not depth:
            words.append("")
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + len(prefix) + 2 > width:
            lines.append("")
        lines[-1] += word
    return [constant(f"{prefix if '{' in line else ''}{quote}{line}{quote}") for line in lines if line]
