"""Single values and whole columns: what is a number, what is missing, what is text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

_MOST = np.iinfo(np.int64).max

MISSING = {"", "na", "n/a", "nan", "null", "none", "#n/a", "<na>", "nat"}
"""What pandas reads as a missing value, in lower case."""


def is_missing(value: object) -> bool:
    """Return whether nothing is known of a value."""
    if value is None or (isinstance(value, str) and value.strip().lower() in MISSING):
        return True
    if isinstance(value, float | np.floating):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType")  # pandas' own, which is not imported for this


def fault_of(value: object, infinite: bool = True) -> str:
    """Return what is wrong with one value, empty if it is a number."""
    if is_missing(value):
        return "missing"
    try:
        number = float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        plain_value = value.item() if isinstance(value, np.generic) else value
        return f"{plain_value!r} is not a number"
    if math.isnan(number):
        return "missing"
    return "infinite" if infinite and math.isinf(number) else ""


def is_whole(value: object) -> bool:
    """Whether the objective reads something by names or as a matrix of its own: a frame, a mapping, sparse."""
    return isinstance(value, Mapping) or hasattr(value, "columns") or hasattr(value, "tocsr")


def plain(column: Any) -> Any:
    """Return a pandas column as an array: numbers and booleans as such, anything else as objects."""
    if not (hasattr(column, "iloc") and hasattr(column, "dtype")):
        return column
    kind = getattr(column.dtype, "kind", "O")
    if kind in "biuf" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if kind in "biuf":  # pandas' own types, which know missing values
        return column.to_numpy() if not column.isna().any() else column.to_numpy(dtype=float, na_value=np.nan)
    return column.to_numpy(dtype=object)


def faults_in(array: Any, infinite: bool) -> np.ndarray | None:
    """Return which values are no numbers, of the shape of `array`; None for what is not looked into."""
    if is_whole(array) or array.dtype.kind in "biu":
        return None
    if array.dtype.kind == "f":
        return ~np.isfinite(array) if infinite else np.isnan(array)
    return _by_value(array, lambda value: bool(fault_of(value, infinite)))


def missing_in(array: Any) -> np.ndarray:
    """Return which values are missing, of the shape of `array`."""
    if array.dtype.kind == "f":
        return np.isnan(array)
    if array.dtype.kind in "biu":
        return np.zeros(array.shape, bool)
    return _by_value(array, is_missing)


def _by_value(array: np.ndarray, test: Any) -> np.ndarray:
    """Return `test` of every value; of values that occur often it is asked once."""
    codes, values = distinct(array)
    return np.array([*map(test, values), test(None)], bool)[codes].reshape(array.shape)


def distinct(array: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    """Return the number of each entry's value, in C order, and the values; -1 for None, NaN and the like."""
    import pandas as pd

    flat = array.ravel()
    try:
        codes, values = pd.factorize(flat)
    except TypeError:  # of values that have no hash, as lists in JSON
        return np.arange(flat.size), list(flat)
    return codes, list(values)


def is_text(array: Any) -> bool:
    """Return whether a column holds text: fewer than half of the values that are there are numbers."""
    if is_whole(array) or array.dtype.kind in "biuf":
        return False
    there = array[~missing_in(array)].ravel()
    return len(there) > 0 and 2 * int(np.sum(~_by_value(there, lambda value: bool(fault_of(value))))) < len(there)


def is_date(array: Any) -> bool:
    """Return whether a column of objects holds dates."""
    first = next((value for value in array.flat if not is_missing(value)), None) if array.dtype.kind == "O" else None
    return hasattr(first, "year") and not isinstance(first, str)


def numbers(array: Any, keep: str = "") -> Any:
    """Return a clean array as float64 or int64; what is `keep` of NumPy's kinds, or is read as a whole, as it is."""
    if is_whole(array) or array.dtype.kind in keep:
        return array
    is_whole_number = array.dtype.kind in "biu" and not (array.dtype.kind == "u" and array.size and array.max() > _MOST)
    return np.asarray(array, dtype=np.int64 if is_whole_number else np.float64, order="C")
