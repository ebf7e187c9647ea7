"""Constant arrays as text: their structure where they have one (`structures.py`), else a display of their numbers."""

from __future__ import annotations

import numpy as np

from autoopt.codegen import repetitions  # noqa: F401  (fills STRUCTURES)
from autoopt.codegen.code import literal
from autoopt.codegen.structures import SPARSE, Search

_STEMS = {"reshaped": "pattern", "scattered": "pattern", "chosen": "pattern", "negated": "pattern"}
"""How the names of those begin whose structure says little of what they are."""


def constant_text(value: np.ndarray) -> tuple[str, str]:
    """Return how the name of a constant array may begin, and the expression that makes it."""
    with np.errstate(all="ignore"):
        found = Search().found(value)
        if found is None and value.dtype == np.float64:
            found = Search(display=display).found(value, SPARSE)
    if found is not None:
        return _STEMS.get(found[0], found[0]), found[1].text
    return ("index" if value.dtype.kind in "iu" else "table"), display(value)


def inline_text(value: np.ndarray) -> str:
    """Return the expression that makes an array, on one line: what stands within a statement, of any length."""
    return " ".join(constant_text(value)[1].split()).replace("( [", "([").replace("] )", "])")


def display(value: np.ndarray) -> str:
    """Return the call that makes an array of its numbers, with all digits, in lines if it is long."""
    if value.ndim > 1 and 1 in value.shape[:-1]:
        flat = display(value.reshape(tuple(n for n in value.shape[:-1] if n != 1) + value.shape[-1:]))
        return f"{flat}.reshape{value.shape!r}"
    shown = np.array2string(
        value,
        threshold=value.size + 1,
        separator=", ",
        max_line_width=110,
        formatter={"float_kind": lambda number: literal(float(number)).text},
    )
    dtype = "" if value.dtype in (float, int, bool) and value.size else f", dtype={value.dtype.name!r}"
    if "\n" not in shown:
        return f"np.array({shown}{dtype})"
    return f"np.array(\n{shown}{dtype}\n)".replace("\n", "\n    ").removesuffix("    )") + ")"


def is_display(text: str) -> bool:
    """Whether the text of an array has all its numbers."""
    return text.startswith("np.array(")
