"""READERS: which function reads which files. And data that are at hand: frames and mappings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.errors import DataError, UsageError
from autoopt.tables import several
from autoopt.tables.arrays import named_arrays, single_array
from autoopt.tables.columnar import feather, parquet, without_numbers
from autoopt.tables.dataset import Dataset
from autoopt.tables.labels import refuse_other_labels, without_mask
from autoopt.tables.records import json_lines, json_records
from autoopt.tables.source import COMPRESSIONS, SIGNATURES, Source, told_by
from autoopt.tables.text import TextTable, refuse_duplicates, text_file, text_table
from autoopt.tables.values import is_whole
from autoopt.wording import listed, near

OPTIONS = ("delimiter", "encoding", "decimal", "thousands")
"""How a text file is to be read, where it does not tell by itself."""


@dataclass(frozen=True)
class Reader:
    """A kind of file.

    Parameters
    ----------
    suffixes : tuple of str
        Lower case, with the dot.
    description : str
        One line, without a full stop.
    read : callable
        (Source, options) -> Dataset.
    options : tuple of str
        Those of OPTIONS that it understands.
    delimiter : str
        What separates columns of text if the options do not say; "" of what is no text with columns.
    """

    suffixes: tuple[str, ...]
    description: str
    read: Callable[[Source, Mapping[str, str]], Dataset]
    options: tuple[str, ...] = ()
    delimiter: str = ""


def _text(delimiter: str) -> Callable[[Source, Mapping[str, str]], Dataset]:
    return lambda source, options: text_table(source, delimiter, options)


READERS = (
    Reader((".csv",), "columns separated by commas, named in the first line", _text(","), OPTIONS, ","),
    Reader((".tsv", ".tab"), "columns separated by tabs, named in the first line", _text("\t"), OPTIONS, "\t"),
    Reader((".parquet", ".pq"), "Parquet (extra parquet)", parquet),
    Reader((".feather", ".arrow"), "Feather, Arrow's own file (extra parquet)", feather),
    Reader((".jsonl", ".ndjson"), "a JSON record to a line", json_lines, ("encoding",)),
    Reader((".json",), "an array of JSON records", json_records, ("encoding",)),
    Reader((".npz",), "NumPy's named arrays", named_arrays),
    Reader((".npy",), "one of NumPy's arrays, or the fields of a structured one", single_array),
)

_RECORDS = (".json", ".jsonl")
_PLAIN = (".txt", ".dat")
_BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}


def load(path: str | Path, reading: Mapping[str, str] | None = None, like: Dataset | None = None) -> Dataset:
    """Return the named columns or arrays of a file.

    Parameters
    ----------
    path : str or Path
        A file of one of the READERS by its suffix, which may be compressed (.gz, .bz2, .xz, .zst); "-" for stdin; a
        pattern such as "part-*.parquet", or a folder, for tables in several files, one after the other.
    reading : mapping, optional
        How a text file is read: "delimiter", "encoding", "decimal", "thousands".
    like : Dataset, optional
        Of another file, which says how this one is read if it is of the same kind, where `reading` says nothing.

    Raises
    ------
    DataError
        If the file is missing, empty, damaged, or of another kind.
    """
    if (several_files := several.at(path, lambda file: load(file, reading, like))) is not None:
        return several_files
    source, reader, options = _chosen(path, reading)
    if like is not None and like.form is not None and like.form[0] == reader.suffixes[0]:
        options = {**like.form[1], **options}
    try:
        return replace(reader.read(source, options), form=(reader.suffixes[0], options))
    except OSError as error:
        raise source.unreadable(error) from error


def text_at(path: str | Path, reading: Mapping[str, str] | None = None) -> TextTable | None:
    """Return a text file with columns, opened to be read in pieces; None for files of other kinds."""
    source, reader, options = _chosen(path, reading)
    return text_file(source, reader.delimiter, options) if reader.delimiter else None


def _chosen(path: str | Path, reading: Mapping[str, str] | None) -> tuple[Source, Reader, dict[str, str]]:
    """Return a file, what reads it, and how it is to be read."""
    options = {name: value for name, value in (reading or {}).items() if value is not None}
    if unknown := [name for name in options if name not in OPTIONS]:
        raise UsageError(
            f"reading has {unknown[0]!r}.{near(unknown[0], OPTIONS)}", remedy=f"give {', '.join(OPTIONS)}."
        )
    source = Source.of(path)
    reader = _reader_of(source, options)
    if useless := [name for name in options if name not in reader.options]:
        raise UsageError(
            f"{source.name} is read without {listed(useless)}: {reader.description}.", remedy="leave it out."
        )
    return source, reader, options


def _reader_of(source: Source, options: Mapping[str, str]) -> Reader:
    """Return the reader for a file's suffix, unless its first bytes say that it is something else.

    What has a delimiter is text, whatever its suffix; plain text and stdin have the delimiter of their first line.
    """
    suffix = source.suffix
    if "delimiter" in options and (suffix not in _BY_SUFFIX or source.is_stdin):
        suffix = ".csv"
    elif suffix in _PLAIN:
        suffix = told_by(source.head(4096))
    reader = _BY_SUFFIX.get(suffix)
    if reader is None:
        suffix = source.path.suffix
        kind = f"ends in {source.suffix!r}" if source.suffix else "has no extension" if not suffix else "is of no kind"
        known = ", ".join(_BY_SUFFIX)
        raise DataError(
            f"The data file {source.name} {kind}.",
            remedy=f"give a file of the kind {known}, compressed ({', '.join(c.suffix for c in COMPRESSIONS)}) or not; "
            "if it is text with columns, say what separates them: --delimiter ';' (reading={'delimiter': ';'}).",
        )
    begins = source.head(4096)
    if source.compression is None:
        for compression in COMPRESSIONS:
            if begins.startswith(compression.begins):
                raise DataError(
                    f"{source.name} is compressed.", remedy=f"name it {source.path.name}{compression.suffix}."
                )
    if not begins:
        raise DataError(f"The data file {source.name} is empty.", remedy="give a file with data.")
    is_text = bool(reader.options)
    for signature, suffix in SIGNATURES.items():
        if begins.startswith(signature) and is_text:
            raise DataError(
                f"{source.name} is no text, but begins as {suffix} files do.",
                remedy=f"rename it to {suffix} if it is one.",
            )
    if "delimiter" in reader.options and "delimiter" not in options and (told := told_by(begins)) in _RECORDS:
        raise DataError(
            f"{source.name} is no table of text, but begins as {_RECORDS[0]} files do.",
            remedy=f"rename it to {told} if it is one, or say what separates its columns: --delimiter ','.",
        )
    return reader


# Data at hand ---------------------------------------------------------------------------------------------------------


def _of_pandas(frame: Any) -> Dataset:
    names = [str(name) for name in frame.columns]
    refuse_duplicates("The data frame", names)
    return Dataset.of("The data frame", {name: frame.iloc[:, i] for i, name in enumerate(names)}, table=True)


def _of_polars(frame: Any) -> Dataset:
    if not hasattr(frame, "get_column"):
        raise DataError(
            "The data are a lazy frame.",
            remedy="pass frame.collect(), or autoopt.batches(frame) to read it in batches.",
        )
    return Dataset(
        "The data frame",
        without_numbers(frame.columns),
        lambda names: {name: _from_polars(frame[name]) for name in names},
        True,
    )


def _from_polars(series: Any) -> Any:
    import pandas as pd

    kind = str(series.dtype)
    if kind.startswith("Enum"):
        return pd.Series(pd.Categorical(series.to_list(), categories=series.dtype.categories.to_list(), ordered=True))
    if series.dtype.is_numeric() and not kind.startswith("Decimal"):
        return pd.Series(series.to_numpy())
    return pd.Series(series.to_list(), dtype=bool if kind == "Boolean" and not series.null_count() else object)


def _of_pyarrow(table: Any) -> Dataset:
    names = without_numbers(table.column_names)
    refuse_duplicates("The data frame", names)
    return Dataset(
        "The data frame", names, lambda wanted: {name: table.column(name).to_pandas() for name in wanted}, True
    )


FRAMES: dict[str, Callable[[Any], Dataset]] = {"polars": _of_polars, "pyarrow": _of_pyarrow}
"""Libraries of frames that are no pandas -> their columns."""


def _array(value: Any, name: str) -> Any:
    """Return an array of a mapping, or what the objective reads as a whole."""
    if is_whole(value):
        return value
    try:
        return np.asarray(without_mask(value))
    except ValueError as error:
        raise DataError(
            f"The array {name} of the data is no array: it holds others of different lengths.",
            remedy="pass the data as a tuple, in the order of the objective's arguments, which takes lists of arrays.",
        ) from error


def rows_of_frame(frame: Any, rows: np.ndarray) -> Any:
    """Return some rows of a frame, by their numbers, as a frame of its library."""
    if hasattr(frame, "iloc"):
        return frame.iloc[rows]
    return frame.take(rows) if hasattr(frame, "take") else frame[rows]


def is_frame(data: object) -> bool:
    """Return whether something is a table of named columns of some library."""
    return type(data).__module__.partition(".")[0] in FRAMES or (hasattr(data, "columns") and hasattr(data, "iloc"))


def dataset(data: object, reading: Mapping[str, str] | None = None, like: Dataset | None = None) -> Dataset:
    """Return a Dataset of what the user has at hand: a path, a mapping of names to arrays, or a data frame.

    Of a path `like` says how another file of its kind was read, as for `load`.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, str | Path):
        return load(data, reading, like)
    if reading:
        raise UsageError("reading= says how a file is read, and the data are no file.", remedy="leave it out.")
    if is_frame(data):
        return FRAMES.get(type(data).__module__.partition(".")[0], _of_pandas)(data)
    if isinstance(data, Mapping):
        refuse_other_labels(data)
        return Dataset.of("The data", {str(name): _array(value, str(name)) for name, value in data.items()})
    raise DataError(
        f"The data are of type {type(data).__name__}.",
        remedy="give a file name, a dict of names to arrays, a data frame, a tuple in the objective's order, or "
        "autoopt.batches of what makes batches of rows.",
    )
