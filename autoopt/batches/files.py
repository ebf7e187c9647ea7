"""Files as streams: one, those that a pattern or a list names, or those in a folder, as if they were one."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoopt.batches import arrays, arrow
from autoopt.batches.streams import Stream
from autoopt.batches.text import of_text
from autoopt.errors import DataError, UsageError
from autoopt.tables.readers import text_at
from autoopt.tables.source import STDIN
from autoopt.wording import listed, near

FORMATS: dict[str, Callable[[Path, str, str | None], Stream]] = {
    ".parquet": arrow.parquet,
    ".pq": arrow.parquet,
    ".feather": arrow.feather,
    ".arrow": arrow.feather,
    ".npy": arrays.npy,
    ".npz": arrays.npz,
    ".zarr": arrays.zarr,
    ".h5": arrays.hdf5,
    ".hdf5": arrays.hdf5,
}
"""Suffix -> (path, its name in messages, key) -> the stream of one file; all others are text."""

_KEYED = (".zarr", ".h5", ".hdf5")
_WHOLE = (".json", ".jsonl", ".ndjson")
_PARTITION = re.compile(r"([^/=]+)=([^/=]+)")


def of_path(path: str | Path, key: str | None, reading: Mapping[str, str] | None) -> Stream:
    """Return the stream of a file, a folder, or the files that a pattern names.

    Parameters
    ----------
    path : str or Path
    key : str or None
        Which group or array of a store of Zarr or a file of HDF5.
    reading : mapping or None
        How text files are read.
    """
    path = Path(path)
    if str(path) == STDIN or path.is_file() or path.suffix.lower() == ".zarr":
        return _of_file(path, str(path), key, reading)
    if path.is_dir():
        return of_paths(_in_folder(path), str(path), key, reading, path)
    if any(mark in str(path) for mark in "*?["):
        names = sorted(glob.glob(str(path), recursive=True), key=_in_order)
        if not names:
            raise DataError(
                f"No file is called {path}.", remedy=f"check the pattern; the working folder is {Path.cwd()}."
            )
        return of_paths([Path(name) for name in names], str(path), key, reading)
    return _of_file(path, str(path), key, reading)


def of_paths(
    paths: Sequence[Path], name: str, key: str | None, reading: Mapping[str, str] | None, folder: Path | None = None
) -> Stream:
    """Return the stream of files that follow one another; below a folder, names such as year=2020 are columns."""
    streams = []
    for path in paths:
        stream = _of_file(path, str(path), key, reading)
        streams.append(stream if folder is None else _partitioned(stream, path.relative_to(folder)))
    return joined(streams, name)


def _of_file(path: Path, name: str, key: str | None, reading: Mapping[str, str] | None) -> Stream:
    suffix = path.suffix.lower()
    if key is not None and suffix not in _KEYED:
        raise UsageError(f"{name} has no groups, and key is {key!r}.", remedy="leave key out.")
    if suffix in _WHOLE:
        raise DataError(f"{name} cannot be read in batches.", remedy="write it as Parquet or CSV.")
    open_file = FORMATS.get(suffix)
    if open_file is None:
        table = text_at(path, reading)
        assert table is not None  # all other kinds are in FORMATS
        return of_text(table, table.layout.source.name)
    if reading:
        raise UsageError(f"{name} is read without {listed(list(reading))}.", remedy="leave it out: it is for text.")
    if not path.exists():
        beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise DataError(
            f"There is no data file {name}.{near(path.name, beside)}",
            remedy=f"check the name; the working folder is {Path.cwd()}.",
        )
    return open_file(path, name, key)


def _in_folder(folder: Path) -> list[Path]:
    """Return the files below a folder in the order of their names, but for hidden ones and those with notes (_...)."""
    files = [
        file for file in folder.rglob("*")
        if file.is_file() and not any(part.startswith(("_", ".")) for part in file.relative_to(folder).parts)
    ]  # fmt: skip
    if not files:
        raise DataError(f"The folder {folder} has no data files.", remedy="give a folder with Parquet or CSV files.")
    kinds = {file.suffix.lower() for file in files}
    if len(kinds) > 1:
        raise DataError(
            f"The folder {folder} has files of more than one kind: {listed(sorted(kinds))}.",
            remedy=f"say which: '{folder}/**/*{sorted(kinds)[0]}'.",
        )
    return sorted(files, key=lambda file: _in_order(str(file)))


def _in_order(name: str) -> list[tuple[int, int, str]]:
    """Return what sorts part-2 before part-10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def _partitioned(stream: Stream, path: Path) -> Stream:
    """Return the stream of a file with the columns that its folders tell, as year=2020."""
    told = {name: _value(text) for name, text in _PARTITION.findall(path.parent.as_posix())}
    if not told or "constants" not in stream.parts[0].recipe:
        return stream
    parts = tuple(replace(part, recipe={**part.recipe, "constants": told}) for part in stream.parts)
    kinds = {
        name: "O" if isinstance(value, str) else "i" if isinstance(value, int) else "f" for name, value in told.items()
    }
    return replace(
        stream, widths={**stream.widths, **dict.fromkeys(told, 8)}, kinds={**stream.kinds, **kinds}, parts=parts
    )


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


# Several as one -------------------------------------------------------------------------------------------------------


def joined(streams: Sequence[Stream], name: str) -> Stream:
    """Return streams one after the other, which must have the same columns."""
    first = streams[0]
    for other in streams[1:]:
        lacking = [column for column in first.names if column not in other.widths]
        more = [column for column in other.names if column not in first.widths]
        if lacking or more:
            what = f"has no {listed(lacking)}" if lacking else f"also has {listed(more)}"
            raise DataError(
                f"{other.name} has other columns than {first.name}: it {what}.",
                remedy="give files with the same columns.",
            )
    owners = {part: stream for stream in streams for part in [stream.parts[0].name]}

    def surveyed(columns: Sequence[str]) -> Stream:
        every = [stream.surveyed(columns) if stream.surveyed else stream for stream in streams]
        return joined([_with_floats(stream, every) for stream in every], name)

    return replace(
        first,
        name=name,
        parts=tuple(part for stream in streams for part in stream.parts),
        kinds=_common([stream.kinds for stream in streams]),
        step=max(stream.step for stream in streams),
        places=lambda part, rows: owners[part.name].places(part, rows),
        surveyed=surveyed if any(stream.surveyed for stream in streams) else None,
    )


def _with_floats(stream: Stream, others: Sequence[Stream]) -> Stream:
    """Return a text file as one whose columns are float64 where those of another file are: text has no types."""
    types = stream.parts[0].recipe.get("types", {})
    floats = {name for name in types if any(other.kinds.get(name) == "f" for other in others)}
    if not floats:
        return stream
    parts = tuple(
        replace(part, recipe={**part.recipe, "types": {**types, **dict.fromkeys(floats, "float64")}})
        for part in stream.parts
    )
    return replace(stream, parts=parts, kinds={**stream.kinds, **dict.fromkeys(floats, "f")})


def _common(kinds: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the kinds that all have; text where one is."""
    names = {name for each in kinds for name in each}
    every = {name: {each.get(name, "") for each in kinds} for name in names}
    return {
        name: "O" if "O" in each else next(iter(each)) for name, each in every.items() if "O" in each or len(each) == 1
    }
