"""The width of what is shown, and texts that are cut to fit a column."""

from __future__ import annotations

WIDTH = 100
"""Columns of the text."""


def cut(content: str, width: int) -> str:
    """Return a text of at most so many characters: a longer one ends in an ellipsis.

    >>> cut("z = X @ w", 10), cut("gradient = X.T @ r", 10)
    ('z = X @ w', 'gradient …')
    """
    return content if len(content) <= width else f"{content[: width - 2]} …"
