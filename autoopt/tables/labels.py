"""Arrays that say more than their numbers: which entries are masked, which row is whose. Neither is lost unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autoopt.errors import AutooptError, DataError
from autoopt.wording import times


def without_mask(values: Any) -> Any:
    """Return a masked array with NaN, or None among objects, where it is masked; anything else as it is."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if not np.ma.getmaskarray(values).any():
        return values.data
    if values.dtype.kind in "biufc":
        return np.ma.filled(values.astype(complex if values.dtype.kind == "c" else float), np.nan)
    return np.ma.filled(values.astype(object), None)


def refuse_masked(values: Any, name: str, error: type[AutooptError] = DataError) -> None:
    """Raise an error for an array with masked entries, whose rows could only be left out of all arrays together."""
    if not isinstance(values, np.ma.MaskedArray) or not (masked := np.ma.getmaskarray(values)).any():
        return
    first = np.argwhere(masked)[0]
    raise error(
        f"{name} is masked in {times(int(masked.sum()), 'entry').replace('entrys', 'entries')}, first in row "
        f"{int(first[0])}.",
        remedy="leave these rows out of all arrays, or fill them: .filled(...).",
    )


def refuse_other_labels(columns: Mapping[str, Any]) -> None:
    """Refuse pandas series of one length whose rows are not the same: taken by their places they would be mixed up."""
    first: dict[int, tuple[str, Any]] = {}
    for name, column in columns.items():
        labels = _labels(column)
        if labels is None:
            continue
        of, others = first.setdefault(len(labels), (name, labels))
        if not others.equals(labels):
            raise DataError(
                f"The rows of {of} and {name} have different labels: {_shown(others)} and {_shown(labels)}.",
                remedy="give them as columns of one frame; or as arrays, .to_numpy(), if their places are what counts.",
            )


def refuse_labels_unlike(data: Any, values: Mapping[str, Any]) -> None:
    """Refuse series for the rows of data that have other labels than these."""
    parts = data.values() if isinstance(data, Mapping) else data if isinstance(data, tuple | list) else (data,)
    known = next((part for part in parts if _labels(part) is not None), None)
    for name, value in values.items():
        refuse_other_labels({"the data": known, name: value})


def _labels(column: Any) -> Any:
    """Return pandas' index of a series or a frame, None of anything else."""
    return column.index if hasattr(column, "iloc") and hasattr(column, "reindex") else None


def _shown(labels: Any) -> str:
    return f"{', '.join(map(str, labels[:3].tolist()))}{', ...' if len(labels) > 3 else ''}"
