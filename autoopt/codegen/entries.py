"""Short vectors whose entries are written one by one as displays of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autoopt.codegen.code import columns

MOST = 8
"""The most entries that are written side by side."""

_ZEROS = re.compile(r"(\w+) = np\.zeros\((\d+)\)")


def displayed(lines: Sequence[str], width: int) -> list[str]:
    """Return the statements with displays for vectors of zeros to whose entries, each once, something is added.

    filled = np.zeros(3); filled[1] += a; filled[0] -= b  ->  filled = np.array([-b, a, 0.0])
    """
    kept: list[str] = []
    k = 0
    while k < len(lines):
        begun = _ZEROS.fullmatch(lines[k])
        name, size = (begun[1], int(begun[2])) if begun else ("", 0)
        entries: dict[int, str] = {}
        end = k + 1
        while begun and end < len(lines):
            write = re.fullmatch(rf"{name}\[(\d+)\] ([+-]?)= (.*)", lines[end])
            if not write or int(write[1]) in entries or re.search(rf"\b{name}\b", write[3]):
                break
            entries[int(write[1])] = write[3] if write[2] != "-" else f"-({write[3]})"
            end += 1
        shown = f"{name} = np.array([{', '.join(_entry(entries.get(j, '0.0')) for j in range(size))}])"
        again = end < len(lines) and lines[end].startswith(f"{name}[")
        if entries and not again and size <= MOST and columns(shown) <= width:
            kept.append(shown)
            k = end
        else:
            kept.append(lines[k])
            k += 1
    return kept


def _entry(text: str) -> str:
    """Return an entry without the parentheses that its sign does not need."""
    inner = text[2:-1] if text.startswith("-(") and text.endswith(")") else ""
    return f"-{inner}" if re.fullmatch(r"[\w.]+(\([\w.]*\))?", inner) else text
