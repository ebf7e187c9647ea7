"""Single values and whole columns: what is a number, what is missing, what is text or something else."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.tables.syntax import MISSING, Syntax

_MOST = np.iinfo(np.int64).max

NESTED = "lists or records"

THINGS: dict[str, tuple[str, tuple[type, ...], str]] = {
    "complex numbers": ("c", (complex, np.complexfloating), "give real and imaginary parts by themselves."),
    "durations": ("m", (datetime.timedelta, np.timedelta64), "make numbers of them: divide them by a unit of time."),
    "dates": ("M", (datetime.date, np.datetime64), "make numbers of them in a column of its own."),
    "times": ("", (datetime.time,), "make numbers of them in a column of its own."),
    NESTED: ("", (list, tuple, set, Mapping, np.ndarray), "give each entry a column of its own."),
}
"""What is neither number nor text -> NumPy's kind of such arrays, the types of such values, what to do about them."""


def is_missing(value: object) -> bool:
    """Return whether nothing is known of a value: a word such as NA is text by itself."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, float | np.floating | complex | np.complexfloating):
        return bool(np.isnan(value))
    return type(value).__name__ in ("NAType", "NaTType")  # pandas' own, which is not imported for this


def fault_of(value: object, infinite: bool = True, syntax: Syntax | None = None) -> str:
    """Return what is wrong with one value, empty if it is a number; without a syntax text is none."""
    number = _number(value, syntax)
    if is_missing(value) or (number is None and _is_word(value, syntax)):
        return "missing"
    if number is None:
        return f"{value.item() if isinstance(value, np.generic) else value!r} is not a number"
    if math.isnan(number):
        return "missing"
    return "infinite" if infinite and math.isinf(number) else ""


def _number(value: object, syntax: Syntax | None) -> float | None:
    if isinstance(value, str):
        return None if syntax is None else syntax.number(value)
    if isinstance(value, bytes | complex | np.complexfloating | np.timedelta64 | np.datetime64 | np.ndarray):
        return None  # some of which would become floats, and lose a part
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        return None


def _is_word(value: object, syntax: Syntax | None) -> bool:
    """Whether a value is a word for a missing number in a text file."""
    return syntax is not None and isinstance(value, str) and value.strip().lower() in MISSING


def is_whole(value: object) -> bool:
    """Whether the objective reads something by names or as a matrix of its own: a frame, a mapping, sparse."""
    return isinstance(value, Mapping) or hasattr(value, "columns") or hasattr(value, "tocsr")


def shape_of(value: Any) -> tuple[int, ...]:
    """Return the shape of an array or a number; () of a list of arrays of different lengths, which has none."""
    try:
        return tuple(np.shape(value))
    except ValueError:
        return ()


def plain(column: Any) -> Any:
    """Return a pandas column as an array: numbers and booleans as such, anything else as objects."""
    if not (hasattr(column, "iloc") and hasattr(column, "dtype")):
        return column
    kind = getattr(column.dtype, "kind", "O")
    if kind in "biufc" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    if kind in "biuf":  # pandas' own types, which know missing values
        return column.to_numpy() if not column.isna().any() else column.to_numpy(dtype=float, na_value=np.nan)
    return column.to_numpy(dtype=object)


def faults_in(array: Any, infinite: bool, syntax: Syntax | None = None, keep: str = "") -> np.ndarray | None:
    """Return which values are no numbers, of the shape of `array`; None for what is not looked into.

    What is `keep` of NumPy's kinds may be complex.
    """
    if is_whole(array) or array.dtype.kind in "biu":
        return None
    if array.dtype.kind == "f" or array.dtype.kind in set(keep) & {"c"}:
        return ~np.isfinite(array) if infinite else np.isnan(array)
    return _by_value(array, lambda value: bool(fault_of(value, infinite, syntax)))


def lacks(syntax: Syntax | None) -> Callable[[object], bool]:
    """Return the test whether a value is missing: among numbers that are text, so is a word that stands for it."""
    return is_missing if syntax is None else lambda value: is_missing(value) or _is_word(value, syntax)


def missing_in(array: Any, syntax: Syntax | None = None) -> np.ndarray:
    """Return which values are missing, of the shape of `array`; `syntax` as for `lacks`."""
    if array.dtype.kind in "fc":
        return np.isnan(array)
    if array.dtype.kind in "biu":
        return np.zeros(array.shape, bool)
    return _by_value(array, lacks(syntax))


def infinite_in(array: Any, syntax: Syntax | None = None) -> np.ndarray:
    """Return which values of a column of numbers are infinite, of the shape of `array`."""
    if array.dtype.kind in "fc":
        return np.isinf(array)
    if array.dtype.kind in "biumM":
        return np.zeros(array.shape, bool)
    return _by_value(array, lambda value: math.isinf(_number(value, syntax) or 0.0))


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


def is_text(array: Any, syntax: Syntax | None = None) -> bool:
    """Return whether a column holds text: fewer than half of the values that are there are numbers."""
    if is_whole(array) or array.dtype.kind in "biufcmM" or thing_in(array):
        return False
    codes, values = distinct(array)
    often = np.bincount(codes[codes >= 0], minlength=len(values))
    is_there = np.array([not is_missing(value) for value in values], bool)
    is_word = np.array([_is_word(value, syntax) for value in values], bool)
    if (is_there & ~is_word).any():  # else words alone are text
        is_there &= ~is_word
    is_number = np.array([not fault_of(value, syntax=syntax) for value in values], bool)
    return bool(is_there.any()) and 2 * int(often[is_there & is_number].sum()) < int(often[is_there].sum())


def thing_in(array: Any) -> str:
    """Return which of THINGS a column holds, by its first value; "" for numbers and text."""
    if is_whole(array):
        return ""
    first = None if array.dtype.kind != "O" else next((value for value in array.flat if not is_missing(value)), None)
    for name, (kind, types, _) in THINGS.items():
        if array.dtype.kind in kind or isinstance(first, types):
            return name
    return "dates" if hasattr(first, "year") else ""  # a pandas period


def numbers(array: Any, keep: str = "", syntax: Syntax | None = None) -> Any:
    """Return a clean array as float64 or int64; what is `keep` of NumPy's kinds, or is read as a whole, as it is."""
    if is_whole(array) or array.dtype.kind in keep:
        return array
    if array.dtype.kind == "O" and syntax is not None:
        codes, values = distinct(array)
        array = np.array([_number(value, syntax) for value in values], float)[codes].reshape(array.shape)
    is_whole_number = array.dtype.kind in "biu" and not (array.dtype.kind == "u" and array.size and array.max() > _MOST)
    return np.asarray(array, dtype=np.int64 if is_whole_number else np.float64, order="C")
