"""Files -> named arrays, and named arrays -> the objective's data arguments.

Knows neither objectives nor solvers: only argument names.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from autoopt.errors import DataError
from autoopt.fitting.tables import column, fault_of, lines, read_table, refuse_duplicates, value_faults
from autoopt.wording import count, listed, near


@dataclass(frozen=True)
class Dataset:
    """Named arrays as they stand in one source; `take` checks the ones that are used.

    Parameters
    ----------
    source : str
        The file they came from, for messages.
    arrays : dict of str to ndarray
        In the order of the file; text columns have dtype object.
    table : bool
        True if the arrays are the columns of a table, all of one length.
    delimiter : str, optional
        What separates the columns of the file, if it is a text file: faults are then told by line.
    """

    source: str
    arrays: dict[str, np.ndarray]
    table: bool = False
    delimiter: str | None = None

    @property
    def names(self) -> list[str]:
        return list(self.arrays)

    @cached_property
    def text(self) -> list[str]:
        """The columns that hold text: fewer than half of the values that are there are numbers."""
        return [name for name, array in self.arrays.items() if _is_text(array)]

    def take(self, names: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the named arrays as float64, int64 or bool.

        Raises
        ------
        DataError
            If one is not there, is text, or has missing or non-numeric values; all such faults in one message.
        """
        names = list(names)
        if absent := [name for name in names if name not in self.arrays]:
            raise DataError(
                f"{self.source} has no {self._called(absent)}.{near(absent[0], self.names)}",
                remedy=f"use one of what it has: {listed(self.names)}.",
            )
        if faulty := [name for name in names if not _is_clean(self.arrays[name])]:
            raise DataError(self._explain(faulty), remedy="correct these values, or leave them out.")
        return {name: _numeric(self.arrays[name], keep="" if self.table else "b") for name in names}

    def _called(self, names: Sequence[str]) -> str:
        what = "column" if self.table else "array"
        return f"{what if len(names) == 1 else what + 's'} {listed(names)}"

    def _explain(self, names: Sequence[str]) -> str:
        """Return the sentence that names the first faults in these arrays, and how many there are."""
        if text := [name for name in names if name in self.text]:
            return f"{self.source} has text in the {self._called(text)}, where numbers are needed."
        faults = list(self._faults(names))
        return f"{self.source} has {count(faults, 'missing or non-numeric value')}:\n{lines(faults)}"

    def _faults(self, names: Sequence[str]) -> Iterator[str]:
        if self.delimiter is not None:
            yield from value_faults(self.source, self.delimiter, names)
            return
        for name in names:
            for index, value in np.ndenumerate(self.arrays[name]):
                if fault_of(value):
                    position = index[0] if len(index) == 1 else index
                    yield f"{self._called([name])}, {'row' if self.table else 'index'} {position}: {fault_of(value)}"


def load(path: str | Path) -> Dataset:
    """Return the named arrays of a file.

    Parameters
    ----------
    path : str or Path
        A .csv (comma, first line names the columns), .tsv (tab), .npz (named arrays) or .npy file (one array, under
        the file's own name, or the fields of a structured one).

    Raises
    ------
    DataError
        If the file is missing, empty, damaged, or of another kind.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if path.is_dir() or (reader is None and path.exists()):
        kind = "is a folder" if path.is_dir() else f"ends in {path.suffix!r}" if path.suffix else "has no extension"
        raise DataError(f"The data file {path} {kind}.", remedy=f"give a file of the kind {', '.join(_READERS)}.")
    if not path.exists():
        raise DataError(
            f"There is no data file {path}.{near(path.name, _files(path.parent))}",
            remedy=f"check the name; the working folder is {Path.cwd()}.",
        )
    if path.stat().st_size == 0:
        raise DataError(f"The data file {path} is empty.", remedy="give a file with data.")
    if reader is None:
        raise DataError(f"The kind of {path} is not known.", remedy=f"give one of {', '.join(_READERS)}.")
    try:
        return reader(path)
    except (OSError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}.", remedy="check the file and its permissions.") from error


class _Frame(Protocol):
    """What is read of a data frame."""

    @property
    def columns(self) -> Iterable[object]: ...

    @property
    def iloc(self) -> Any: ...


def dataset(data: object) -> Dataset:
    """Return a Dataset of what the user has at hand: a path, a mapping of names to arrays, or a data frame."""
    if isinstance(data, Dataset):
        return data
    if isinstance(data, str | Path):
        return load(data)
    if hasattr(data, "columns") and hasattr(data, "to_numpy"):
        frame = cast(_Frame, data)
        names = [str(name) for name in data.columns]
        refuse_duplicates("The data frame", names)
        return Dataset("The data frame", {name: column(frame.iloc[:, i]) for i, name in enumerate(names)}, table=True)
    if isinstance(data, Mapping):
        arrays = {str(name): value if _is_whole(value) else np.asarray(value) for name, value in data.items()}
        return Dataset("The data", arrays)
    raise DataError(
        f"The data are of type {type(data).__name__}.",
        remedy="give a file name, a dict of names to arrays, a data frame, or a tuple in the objective's order.",
    )


def bind(
    data: Dataset, names: Sequence[str], target: str | None = None, optional: Iterable[str] = ()
) -> dict[str, np.ndarray]:
    """Return the objective's data arguments, by name.

    Parameters
    ----------
    data : Dataset
    names : sequence of str
        The objective's data arguments in order, without the parameters.
    target : str, optional
        The column that becomes the last argument; the first argument is then the matrix, shape (rows, columns), of
        all numeric columns nobody else took, in file order; arguments between are columns of their own names.
        Without it, each argument is the column or array of its name.
    optional : iterable of str
        Those of `names` that have a default, and may be missing.

    Raises
    ------
    DataError
        If an argument has no counterpart, or more than one; says what the file has and what the objective wants.
    """
    if target is not None:
        return _bind_target(data, names, target)
    optional = set(optional)
    if len(names) == 1 and len(data.arrays) == 1 and not data.table:
        return dict(zip(names, data.take(data.names).values(), strict=True))
    wanted = [name for name in names if name in data.arrays or name not in optional]
    if absent := [name for name in wanted if name not in data.arrays]:
        remedy = "name the objective's arguments after them"
        remedy += ", or name the column to explain with --target (target= in Python)." if data.table else "."
        raise DataError(f"{_mismatch(data, names)} Nothing there is called {listed(absent)}.", remedy=remedy)
    return data.take(wanted)


def matrix_columns(data: Dataset, names: Sequence[str], target: str) -> list[str]:
    """Return the columns that make the first argument when `target` is the last, in file order."""
    taken = {target, *names[1:-1]}
    return [name for name in data.names if name not in taken and name not in data.text]


def _bind_target(data: Dataset, names: Sequence[str], target: str) -> dict[str, np.ndarray]:
    if not data.table:
        raise DataError(
            f"{data.source} is no table, so no column of it can be the target {target!r}.",
            remedy="leave the target out; the arrays are bound by their names.",
        )
    if len(names) < 2:
        raise DataError(
            f"{_mismatch(data, names)} With a target it needs two at least: the matrix of the other columns, "
            f"and the column {target!r}.",
            remedy="write objective(params, X, y), or leave the target out.",
        )
    data.take([target])  # a misspelt target is told before anything else
    if clash := [name for name in (names[0], names[-1]) if name in data.arrays and name != target]:
        raise DataError(
            f"The argument {listed(clash)} of the objective is also a column of {data.source}, so with the target "
            f"{target!r} it could mean either.",
            remedy="rename the argument, or leave the target out to bind every argument to the column of its name.",
        )
    named = data.take([*names[1:-1], target])
    columns = matrix_columns(data, names, target)
    if not columns:
        raise DataError(f"{data.source} has no numeric column besides {target!r}.", remedy="check the file.")
    matrix = np.column_stack(list(data.take(columns).values())).astype(float)
    middle = {name: named[name] for name in names[1:-1]}
    return {names[0]: matrix, **middle, names[-1]: named[target]}


def _mismatch(data: Dataset, names: Sequence[str]) -> str:
    return f"The objective takes the data {listed(names) or 'none'}; {data.source} has {listed(data.names)}."


def _read_npz(path: Path) -> Dataset:
    arrays = _load(path)
    if isinstance(arrays, np.ndarray):
        raise DataError(f"{path} holds a single array.", remedy="rename it to .npy.")
    with arrays:
        return Dataset(str(path), {name: _unpickled(path, lambda name=name: arrays[name]) for name in arrays.files})


def _read_npy(path: Path) -> Dataset:
    array = _load(path)
    if not isinstance(array, np.ndarray):
        raise DataError(f"{path} holds several named arrays.", remedy="rename it to .npz.")
    if array.dtype.names:
        return Dataset(str(path), {name: array[name] for name in array.dtype.names}, table=array.ndim == 1)
    return Dataset(str(path), {path.stem: array})


def _load(path: Path):
    return _unpickled(path, lambda: np.load(path, allow_pickle=False))


def _unpickled(path: Path, read):
    """Return `read()`; NumPy's many ways to say that the file is no good become one message."""
    import zipfile
    import zlib

    try:
        return read()
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"{path} cannot be read as NumPy arrays: {error}",
            remedy="save plain numeric arrays with np.savez or np.save; arrays of objects are not read.",
        ) from error


def _read_text(path: Path, delimiter: str) -> Dataset:
    return Dataset(str(path), read_table(path, delimiter), table=True, delimiter=delimiter)


_READERS = {
    ".csv": lambda path: _read_text(path, ","),
    ".tsv": lambda path: _read_text(path, "\t"),
    ".npz": _read_npz,
    ".npy": _read_npy,
}


def _is_whole(value: object) -> bool:
    """Whether the objective reads something by names or as a matrix of its own: a frame, a mapping, sparse."""
    return isinstance(value, Mapping) or hasattr(value, "columns") or hasattr(value, "tocsr")


def _numeric(array: np.ndarray, keep: str = "") -> np.ndarray:
    if _is_whole(array) or array.dtype.kind in keep:
        return array
    return np.asarray(array, dtype=np.int64 if array.dtype.kind in "biu" else np.float64, order="C")


def _is_clean(array: np.ndarray) -> bool:
    if _is_whole(array) or array.dtype.kind in "biu":
        return True
    if array.dtype.kind == "f":
        return not np.isnan(array).any()
    return not any(fault_of(value) for value in array.flat)


def _is_text(array: np.ndarray) -> bool:
    if _is_whole(array) or array.dtype.kind in "biuf":
        return False
    faults = [fault for value in array.flat if (fault := fault_of(value)) != "missing"]
    return faults.count("") * 2 < len(faults)


def _files(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.is_file()] if folder.is_dir() else []
