"""The tape of an objective's terms by row, of the tape of its value."""

from __future__ import annotations

from collections import Counter

from autoopt.tape.batching.batching import vectorise
from autoopt.tape.rows import straight  # noqa: F401  (fills the table of rules)
from autoopt.tape.rows.splitting import NotByRow, Splitting
from autoopt.tape.tape import Tape

__all__ = ["NotByRow", "by_row", "rows_of"]


def rows_of(tape: Tape) -> int | None:
    """Return how many rows the data of a tape have: the length that most of them begin with, the largest of several."""
    shapes = [tape.steps[index].shape for index in tape.leaves() if index]
    lengths = Counter(shape[0] for shape in shapes if shape and shape[0] > 1)
    return max(lengths, key=lambda length: (lengths[length], length), default=None)


def by_row(tape: Tape, rows: int | None = None) -> Tape:
    """Return the tape whose value is an array of terms, shape (n,), that sum to the value of `tape`.

    Parameters
    ----------
    tape : Tape
        Of a number.
    rows : int, optional
        n; by default that of `rows_of`.

    Raises
    ------
    NotByRow
        If the value is not recognised as a sum over rows.
    """
    vectorised = vectorise(tape)
    rows = rows_of(vectorised) if rows is None else rows
    if rows is None:
        raise NotByRow("the objective reads no data that have rows")
    return Splitting(vectorised, rows).result()
