"""Text files with columns -> arrays, and where in such a file a value is missing or no number.

pandas reads; when something is wrong the file is read again, line by line, to say where.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from autoopt.errors import DataError
from autoopt.wording import count, listed

_SHOWN = 5  # faults listed in a message before "and ... more"
_MISSING = {"", "na", "n/a", "nan", "null", "none", "#n/a", "<na>"}  # what pandas reads as a missing value, lower-case


def read_table(path: Path, delimiter: str) -> dict[str, np.ndarray]:
    """Return the columns of a text file by name, in file order; DataError if it is no table with names."""
    import warnings

    import pandas as pd

    with _opened(path) as file:
        header = next(filter(None, csv.reader(file, delimiter=delimiter)), [])
    _check_header(path, header, delimiter)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(path, sep=delimiter, index_col=False, low_memory=False)
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        _check_lengths(path, delimiter, len(header))
        raise DataError(f"{path} cannot be read as a table: {error}", remedy="correct the file.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text: {error}.", remedy="save it as UTF-8.") from error
    if not len(frame):
        raise DataError(f"{path} has column names and no rows.", remedy="give a file with data.")
    if frame.isna().any(axis=None):
        _check_lengths(path, delimiter, len(header))
    return {name.strip(): column(frame.iloc[:, i]) for i, name in enumerate(header)}


def _check_header(path: Path, header: list[str], delimiter: str) -> None:
    names = [name.strip() for name in header]
    if not names:
        raise DataError(f"The data file {path} is empty.", remedy="give a file with data.")
    if not any(fault_of(name) for name in names):
        raise DataError(f"The first line of {path} holds numbers.", remedy="put the names of the columns there.")
    if len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in names[0]), None)):
        raise DataError(
            f"{path} has a single column {names[0]!r}; its columns seem to be separated by {other!r}.",
            remedy="separate them by commas (.csv) or tabs (.tsv).",
        )
    if "" in names:
        raise DataError(
            f"Column {names.index('') + 1} of {path} has no name.", remedy="name every column in the first line."
        )
    refuse_duplicates(str(path), names)


def refuse_duplicates(source: str, names: list[str]) -> None:
    """Raise DataError if two columns have one name."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{source} has more than one column {listed(twice)}.", remedy="give each a name of its own.")


def _check_lengths(path: Path, delimiter: str, width: int) -> None:
    """Refuse a text file with lines longer or shorter than its header."""
    faults = []
    with _opened(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        for row in reader:
            if row and len(row) != width:
                faults.append(f"line {reader.line_num}: {len(row)} values")
    if faults:
        raise DataError(
            f"{path} has {count(faults, 'line')} of another length than the first, which names {width} columns:\n"
            f"{lines(faults)}",
            remedy="give each line one value for each column.",
        )


def value_faults(source: str, delimiter: str, names: Sequence[str]) -> Iterator[str]:
    """Yield 'line 5, column 'age': ...' for each bad value of the named columns, reading the file again."""
    with _opened(Path(source)) as file:
        reader = csv.reader(file, delimiter=delimiter)
        rows = filter(None, reader)
        header = [name.strip() for name in next(rows)]
        positions = [(name, header.index(name)) for name in names]
        for row in rows:
            for name, position in positions:
                if fault := fault_of(row[position].strip()):
                    yield f"line {reader.line_num}, column {name}: {fault}"


def _opened(path: Path):
    return path.open(encoding="utf-8-sig", newline="", errors="replace")


def column(series) -> np.ndarray:
    """Return a pandas column as an array: numbers and booleans as such, anything else as objects."""
    kind = series.dtype.kind
    return series.to_numpy() if kind in "biuf" and isinstance(series.dtype, np.dtype) else series.to_numpy(dtype=object)


def fault_of(value: object) -> str:
    """Return what is wrong with one value, empty if it is a number."""
    if value is None or (isinstance(value, str) and value.strip().lower() in _MISSING):
        return "missing"
    try:
        return "missing" if math.isnan(float(value)) else ""  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        return f"{value!r} is not a number"


def lines(faults: Sequence[str]) -> str:
    """Return the first faults, one to a line."""
    more = [f"... and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    return "\n".join(f"  {fault}" for fault in [*faults[:_SHOWN], *more])
