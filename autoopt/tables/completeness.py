"""Rows with missing or infinite values, left out on request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoopt.errors import DataError, UsageError
from autoopt.tables.dataset import Dataset
from autoopt.tables.values import is_whole, plain
from autoopt.wording import listed, near, times

WAYS = ("raise", "drop")
"""What may be done with rows that lack a value."""

_SHOWN = 5  # rows named in a note


def check(missing: str) -> None:
    """Raise UsageError if `missing` is none of WAYS."""
    if missing not in WAYS:
        raise UsageError(f"missing is {missing!r}.{near(str(missing), WAYS)}", remedy=f"give {' or '.join(WAYS)}.")


def complete_rows(data: Dataset, names: Sequence[str]) -> tuple[np.ndarray | None, str]:
    """Return the rows that have a value in all of these columns, and a sentence on the others.

    None and "" if there are no others, or no arrays with rows.
    """
    columns = {name: plain(column) for name, column in data.fetch(names).items()}
    columns = {name: array for name, array in columns.items() if not is_whole(array) and np.ndim(array)}
    lengths = {len(array) for array in columns.values()}
    if len(lengths) != 1:
        if not lengths:
            return None, ""
        raise DataError(
            f"{data.source} has arrays of {listed([str(length) for length in sorted(lengths)])} rows: none can be left "
            "out of all.",
            remedy="give arrays of one length, or leave rows out before.",
        )
    lacking = {name: _lacking(data, name) for name in columns}
    out = np.any(list(lacking.values()), axis=0)
    if not out.any():
        return None, ""
    where = [name for name, mask in lacking.items() if mask.any()]
    rows = np.flatnonzero(out)
    places = listed(data.places(rows[:_SHOWN].tolist())) + (", ..." if len(rows) > _SHOWN else "")
    if out.all():
        raise DataError(
            f"All {len(out)} rows of {data.source} have missing or infinite values in {listed(where)}.",
            remedy="leave such a column out instead.",
        )
    verb = "is" if len(rows) == 1 else "are"
    said = f"{len(rows)} of {times(len(out), 'row')} {verb} left out, having missing or infinite values in"
    return np.flatnonzero(~out), f"{said} {listed(where)}: {places}."


def _lacking(data: Dataset, name: str) -> np.ndarray:
    """Return the rows without a value, shape (rows,)."""
    mask = data.missing(name) | data.infinite(name)
    return mask.reshape(len(mask), -1).any(axis=1)
