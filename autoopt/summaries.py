"""The one layout of summaries: facts in two columns, what needs a sentence, the table of parameters, notes.

Plain data in, text out; fits and estimators fill it, and nothing here knows either.

    ==============================================================================
    LogisticRegression(alpha=0.1)
    ------------------------------------------------------------------------------
    observations    32                     log-likelihood  -12.8896
    parameters      2                      AIC             29.7793
    status          converged after 5 iterations
    covariance      observed information, exact Hessian
    ------------------------------------------------------------------------------
                estimate  std. error       z  P>|z|    2.5 %   97.5 %
    intercept    -13.021       4.931   -2.64  0.0083  -22.686   -3.356
    ==============================================================================
    Note: ...
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

WIDTH = 78
"""Columns of a summary: it fits into a terminal of 80."""

_LABEL = 16
_HALF = 39
_SHOWN = 60  # parameters in a printed table


@dataclass(frozen=True)
class Coefficients:
    """The table of parameters.

    Attributes
    ----------
    names : sequence of n str
    estimates : ndarray, shape (n,)
    errors, ratios, pvalues : ndarray, shape (n,)
        Standard errors, estimates over them, and the probabilities of larger ones; NaN where they are not known.
    intervals : ndarray, shape (n, 2)
    level : float, in (0, 1)
        Of the intervals.
    use_t : bool
        Whether the ratios are Student's t, and not normal.
    states : sequence of n str
        Why a parameter has no standard error, "fixed", "at a bound"; empty where it has one.
    """

    names: Sequence[str]
    estimates: np.ndarray
    errors: np.ndarray
    ratios: np.ndarray
    pvalues: np.ndarray
    intervals: np.ndarray
    level: float = 0.95
    use_t: bool = False
    states: Sequence[str] = ()


@dataclass(frozen=True)
class Summary:
    """What a summary says.

    Attributes
    ----------
    title : str
        The model.
    facts : sequence of (str, str)
        Labels with short values, which stand in two columns.
    lines : sequence of (str, str)
        Labels with what takes a line, or several.
    table : Coefficients, or rows of str with the head first, or None
    notes : sequence of str
        What the reader must know.
    more : str
        Where all parameters are found if the table has not room for them.
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()
    lines: Sequence[tuple[str, str]] = ()
    table: Coefficients | Sequence[Sequence[str]] | None = None
    notes: Sequence[str] = field(default=())
    more: str = "params has all"

    def __str__(self) -> str:
        rows = _fitting(self.table) if isinstance(self.table, Coefficients) else list(self.table or [])
        double, single = "=" * WIDTH, "-" * WIDTH
        parts = [double, *_folded(self.title, breaks=True), single]
        parts += [*_pairs(self.facts), *(line for label, text in self.lines for line in _line(label, text))]
        if rows:
            parts += [single] if self.facts or self.lines else []
            parts += aligned(rows[: _SHOWN + 1])
            parts += [f"... and {len(rows) - _SHOWN - 1} more; {self.more}"] if len(rows) > _SHOWN + 1 else []
        parts.append(double)
        parts += [line for note in self.notes for line in wrapped(f"Note: {note}")]
        return "\n".join(line.rstrip() for line in parts)


def _fitting(table: Coefficients) -> list[list[str]]:
    """Return the table as text, of shorter numbers where those of all digits are too long to stand side by side."""
    rows = rows_of(table)
    return rows if _room(rows) >= 0 else rows_of(table, is_short=True)


# The table ------------------------------------------------------------------------------------------------------------


def rows_of(table: Coefficients, is_short: bool = False) -> list[list[str]]:
    """Return the table of parameters as text, the head first, the digits of each row being those that its error has.

    Where they are to be short, numbers of more than 12 characters have six digits.
    """
    letter = "t" if table.use_t else "z"
    rows = [["", "estimate", "std. error", letter, f"P>|{letter}|", *ends(table.level)]]
    states = table.states or [""] * len(table.names)
    for k, name in enumerate(table.names):
        error = float(table.errors[k])
        shown = [float(value) for value in (table.estimates[k], error, *table.intervals[k])]
        numbers = [digits(value, error) for value in shown]
        if is_short:
            numbers = [text if len(text) <= 12 else f"{value:.6g}" for text, value in zip(numbers, shown, strict=True)]
        estimate, error_text, low, high = numbers
        error_text = states[k] or error_text
        rows.append([name, estimate, error_text, ratio(table.ratios[k]), probability(table.pvalues[k]), low, high])
    return rows


def ends(level: float) -> tuple[str, str]:
    """Return what the columns of an interval are called.

    Examples
    --------
    >>> ends(0.95)
    ('2.5 %', '97.5 %')
    """
    return f"{50 * (1 - level):.4g} %", f"{50 * (1 + level):.4g} %"


def digits(value: float, error: float) -> str:
    """Return a number with as many decimals as its standard error needs for four digits; "-" for NaN.

    Examples
    --------
    >>> digits(-13.0213468, 4.93132), digits(1234.56789, 0.00012345), digits(3.2e12, 4.5e9), digits(1.0, np.nan)
    ('-13.021', '1234.5678900', '3.200000e+12', '1')
    """
    if np.isnan(value):
        return "-"
    if not (np.isfinite(value) and np.isfinite(error) and error > 0):
        return f"{value:.6g}"
    decimals = 3 - int(np.floor(np.log10(error)))
    size = max(abs(value), error)
    if decimals > 7 or size >= 1e7:
        exponent = int(np.floor(np.log10(size)))
        return f"{value:.{min(max(decimals + exponent, 4), 12)}e}"
    return f"{value:.{max(decimals, 0)}f}"


def ratio(value: float) -> str:
    """Return an estimate in standard errors; "-" if it is not known."""
    if not np.isfinite(value):
        return "-"
    return f"{value:.2f}" if abs(value) < 10_000 else f"{value:.3g}"


def probability(value: float) -> str:
    """Return a probability; "<1e-16" in place of 0, as none is known below, "-" if it is not known.

    Examples
    --------
    >>> probability(0.04321), probability(3.21e-7), probability(0.0)
    ('0.0432', '3.2e-07', '<1e-16')
    """
    if np.isnan(value):
        return "-"
    if value < 1e-16:
        return "<1e-16"
    return f"{value:.4f}" if value >= 1e-4 else f"{value:.1e}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as lines: the first column to the left, numbers to the right.

    A name for which WIDTH has no room beside its numbers stands above them.
    """
    widths, room = _widths(rows), _room(rows)
    left = max((len(row[0]) for row in rows if len(row[0]) <= room), default=0)
    lines = []
    for name, *cells in rows:
        if len(name) > room:
            lines += _folded(name, breaks=True)
        numbers = [cell.rjust(width) for cell, width in zip(cells, widths, strict=True)]
        lines.append("  ".join([(name if len(name) <= room else "").ljust(left), *numbers]))
    return lines


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return how wide the columns of numbers are."""
    return [max(map(len, column)) for column in zip(*(row[1:] for row in rows), strict=True)]


def _room(rows: Sequence[Sequence[str]]) -> int:
    """Return how long names may be beside the numbers of rows."""
    widths = _widths(rows)
    return WIDTH - sum(widths) - 2 * len(widths)


# Facts and notes ------------------------------------------------------------------------------------------------------


def _pairs(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return the facts in two columns, the first half to the left."""
    texts = [f"{label:<{_LABEL}}{value}" for label, value in facts]
    if any(len(text) >= _HALF for text in texts):
        return [line for label, value in facts for line in _line(label, value)]
    half = (len(texts) + 1) // 2
    right = [*texts[half:], ""]
    return [f"{one:<{_HALF}}{other}" for one, other in zip(texts[:half], right[:half], strict=True)]


def _line(label: str, text: str) -> list[str]:
    """Return 'label   text', further lines of the text indented below the first."""
    first, *rest = [part for line in text.splitlines() or [""] for part in _folded(line, WIDTH - _LABEL)]
    return [f"{label:<{_LABEL}}{first}", *(f"{'':{_LABEL}}{line}" for line in rest)]


def wrapped(text: str) -> list[str]:
    """Return a note in lines of at most WIDTH columns; lines of code and of combinations stay as they are."""
    return [part for line in text.splitlines() or [""] for part in ([line] if line[:1] == " " else _folded(line))]


def _folded(line: str, width: int = WIDTH, breaks: bool = False) -> list[str]:
    return textwrap.wrap(line, width, break_long_words=breaks, break_on_hyphens=False) or [""]
