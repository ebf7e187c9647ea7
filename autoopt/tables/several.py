"""Files that follow one another, named by a pattern or by their folder, as one data set."""

from __future__ import annotations

import functools
import glob
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from autoopt.errors import DataError, NoRowsError
from autoopt.tables.dataset import Dataset
from autoopt.tables.source import STDIN, suffixes_of
from autoopt.wording import listed

T, R = TypeVar("T"), TypeVar("R")

_PARTITION = re.compile(r"([^/=]+)=([^/=]+)")
_STORES = (".zarr",)
"""What folders are called that are one file to those who know them."""


def files_at(path: str | Path) -> list[Path] | None:
    """Return the files that a pattern names, or that are in a folder and below, part-2 before part-10; else None.

    Hidden ones in a folder, and those whose names begin with _, hold notes and are left out.
    """
    path = Path(path)
    if str(path) == STDIN or path.is_file() or path.suffix.lower() in _STORES:
        return None
    if path.is_dir():
        return _in_folder(path)
    if not any(mark in str(path) for mark in "*?["):
        return None
    names = sorted(glob.glob(str(path), recursive=True), key=_in_order)
    if not names:
        raise DataError(f"No file is called {path}.", remedy=f"check the pattern; the working folder is {Path.cwd()}.")
    return [Path(name) for name in names]


def _in_folder(folder: Path) -> list[Path]:
    files = [
        file for file in folder.rglob("*")
        if file.is_file() and not any(part.startswith(("_", ".")) for part in file.relative_to(folder).parts)
    ]  # fmt: skip
    if not files:
        raise DataError(f"The folder {folder} has no data files.", remedy="give a folder with Parquet or CSV files.")
    kinds = sorted({suffixes_of(file.name)[0] for file in files})
    if len(kinds) > 1:
        raise DataError(
            f"The folder {folder} has files of more than one kind: {listed(kinds)}.",
            remedy=f"say which: '{folder}/**/*{kinds[0]}'.",
        )
    return sorted(files, key=lambda file: _in_order(str(file)))


def _in_order(name: str) -> list[tuple[int, int, str]]:
    """Return what sorts part-2 before part-10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def told_by_folders(file: Path, folder: str | Path) -> dict[str, Any]:
    """Return the columns that the folders below `folder` tell, as year=2020: numbers where they look like some.

    >>> told_by_folders(Path("all/year=2020/town=Ulm/part.parquet"), "all")
    {'year': 2020, 'town': 'Ulm'}
    """
    if not file.is_relative_to(folder):  # it was named by a pattern
        return {}
    return {name: _value(text) for name, text in _PARTITION.findall(file.relative_to(folder).parent.as_posix())}


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def refuse_other_columns(first: str, names: Sequence[str], other: str, others: Sequence[str]) -> None:
    """Raise DataError if two files, of these names, have not the same columns."""
    lacking, more = ([name for name in one if name not in two] for one, two in ((names, others), (others, names)))
    if lacking or more:
        what = f"has no {listed(lacking)}" if lacking else f"also has {listed(more)}"
        raise DataError(f"{other} has other columns than {first}: it {what}.", remedy="give files of the same columns.")


def as_one(datasets: Sequence[Dataset], name: str) -> Dataset:
    """Return tables one after the other as one, whose columns are read when they are asked for.

    Parameters
    ----------
    datasets : sequence of Dataset
    name : str
        For messages.
    """
    first = datasets[0]
    for other in datasets:
        if not other.table:
            raise DataError(
                f"{other.source} has arrays of lengths of their own, which cannot follow those of another file.",
                remedy="give one such file, or tables: Parquet or CSV.",
            )
        refuse_other_columns(first.source, first.names, other.source, other.names)
    places = _Places(datasets)
    texts = [each.as_text for each in datasets]
    return replace(
        first,
        source=name,
        read=lambda names: _read(datasets, names),
        places=places,
        told=[said for each in datasets for said in each.told],
        as_text=None if None in texts else lambda names: _joined([text(names) for text in texts if text], names),
        _held={},
        _text={},
    )


def partitioned(data: Dataset, told: Mapping[str, Any]) -> Dataset:
    """Return a table with columns that have one value each."""
    if not told or not data.table:
        return data

    def read(names: Sequence[str]) -> dict[str, Any]:
        columns = dict(data.fetch([name for name in names if name not in told]))
        return columns | {name: np.array([told[name]] * data.rows) for name in names if name in told}

    return replace(data, names=[*data.names, *told], read=read, as_text=None, _held={}, _text={})


class _Places:
    """The rows of several tables, as messages call them: with the name of their file."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self._datasets = datasets

    def __call__(self, rows: Sequence[int]) -> list[str]:
        """Return "part-2.csv, line 5" for each row, numbered from 0, ascending."""
        found: list[str] = []
        begin = 0
        for each in filled(self._datasets, _with_rows):
            inner = [row - begin for row in rows if begin <= row < begin + each.rows]
            found += [f"{each.source}, {place}" for place in each.places(inner)] if inner else []
            begin += each.rows
        return found


def _read(datasets: Sequence[Dataset], names: Sequence[str]) -> dict[str, Any]:
    """Return columns of all tables; as text where text files have numbers in some and text in others."""
    columns = _joined(filled(datasets, lambda each: each.fetch(names)), names)
    for name in names:
        several = [column[name] for column in filled(datasets, functools.partial(Dataset.fetch, names=[name]))]
        kinds = {getattr(column.dtype, "kind", "O") == "O" for column in several}
        if len(kinds) > 1 and all(each.as_text for each in datasets):
            columns |= _joined([each.as_text([name]) for each in filled(datasets, _with_rows) if each.as_text], [name])
    return columns


def _with_rows(table: Dataset) -> Dataset:
    """Return a table; NoRowsError if it has no rows."""
    if not table.rows:
        raise NoRowsError(f"{table.source} has columns and no rows.", remedy="give a file with data.")
    return table


def filled(tables: Iterable[T], read: Callable[[T], R]) -> list[R]:
    """Return what is read of tables, without those that have no rows: some of many workers write such files.

    Raises
    ------
    NoRowsError
        If none of them has rows.
    """
    found, empty = [], None
    for table in tables:
        try:
            found.append(read(table))
        except NoRowsError as error:
            empty = error
    if empty is not None and not found:
        raise empty
    return found


def _joined(columns: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    columns = list(columns)
    return {name: _one_after_the_other([each[name] for each in columns]) for name in names}


def _one_after_the_other(parts: list[Any]) -> Any:
    if all(isinstance(part, np.ndarray) for part in parts):
        kinds = {part.dtype.kind for part in parts}
        is_mixed = len(kinds) > 1 and bool(kinds & {"O", "U", "b"})
        return np.concatenate([part.astype(object) for part in parts] if is_mixed else parts)
    import pandas as pd

    return pd.concat([pd.Series(part) for part in parts], ignore_index=True)


Load = Callable[[Path], Dataset]


def at(path: str | Path, load: Load) -> Dataset | None:
    """Return the files of a pattern or a folder, each read by `load`, as one data set; None if it is one file."""
    files = files_at(path)
    if files is None:
        return None
    return as_one([partitioned(load(file), told_by_folders(file, path)) for file in files], str(path))
