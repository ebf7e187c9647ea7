"""Why a fit failed, as its report says it: the diagnoses of the run, by the names that the model has for parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

WHY = " Why: "
"""What leads from SciPy's message to the cause, in `result.message`."""


def name(result: Any, plain: Sequence[str], names: Sequence[str]) -> None:
    """Give a result's message, notes and diagnoses the names that the model has for parameters."""
    result.message = in_names(result.message, plain, names)
    if "notes" in result:
        result.notes = [in_names(text, plain, names) for text in result.notes]
    result.diagnosis = [in_names(text, plain, names) for text in result.get("diagnosis", [])]


def in_names(text: str, plain: Sequence[str], names: Sequence[str]) -> str:
    """Return a text with other names of parameters.

    Examples
    --------
    >>> in_names("it falls along x[1]\\n    np.log(x[1])", ["x[0]", "x[1]"], ["mu", "sigma"])
    'it falls along sigma\\n    np.log(x[1])'
    """
    other = {one: two for one, two in zip(plain, names, strict=True) if one != two}
    if not other:
        return text
    pattern = re.compile(r"(?<![\w.])(?:" + "|".join(map(re.escape, sorted(other, key=len, reverse=True))) + r")(?!\w)")
    lines = text.split("\n")
    return "\n".join(
        line if line.startswith("  ") else pattern.sub(lambda found: other[found.group()], line) for line in lines
    )


def without_cause(message: str) -> str:
    """Return a message without the cause, which stands among the notes."""
    return message.partition(WHY)[0]
