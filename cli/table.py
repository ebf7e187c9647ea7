"""Rows of numbers as aligned columns, as commands print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def number(value: Any, form: str) -> str:
    """Return a number as text, "-" if it is not known."""
    return "-" if value is None or np.isnan(value) else format(value, form)


def plain(value: Any) -> float | None:
    """Return a number as JSON holds it, None if it is not finite."""
    return float(value) if value is not None and np.isfinite(value) else None


def lines(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return rows, the head first, in columns two spaces apart: the first `left` of them to the left, others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [
                "",
                *(
                    cell.ljust(width) if place < left else cell.rjust(width)
                    for place, (cell, width) in enumerate(zip(row, widths, strict=True))
                ),
            ]
        ).rstrip()
        for row in rows
    )
