"""A summary as notebooks show it: a few rows of HTML in their own colours, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from autoopt.summaries import Coefficients, Summary, rows_of

MOST = 60
"""Parameters in the table."""


def html(summary: Summary) -> str:
    """Return the summary as HTML; needs no package."""
    table = summary.table
    rows = rows_of(table) if isinstance(table, Coefficients) else [list(row) for row in table or []]
    parts = [f"<p><b>{escape(summary.title)}</b></p>"]
    facts = [*summary.facts, *summary.lines]
    parts.append(_table([], [[label, text] for label, text in facts]))
    if rows:
        parts.append(_table(rows[0], rows[1 : MOST + 1]))
    if len(rows) > MOST + 1:
        parts.append(f"<p>... and {len(rows) - MOST - 1} more; {escape(summary.more)}</p>")
    parts += [f"<p style='white-space: pre-wrap'>Note: {escape(note)}</p>" for note in summary.notes]
    return f"<div style='max-width: 60em'>{''.join(parts)}</div>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows under a head, numbers to the right; without a head all are texts."""

    def line(cells: Sequence[str], tag: str) -> str:
        sides = ["left"] + ["right" if head else "left"] * len(cells)
        return "".join(
            f"<{tag} style='text-align: {side}'>{escape(cell)}</{tag}>"
            for side, cell in zip(sides, cells, strict=False)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    top = f"<thead><tr>{line(head, 'th')}</tr></thead>" if head else ""
    return f"<table>{top}<tbody>{body}</tbody></table>"
