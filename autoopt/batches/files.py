"""Files as streams: one, those that a pattern or a list names, or those in a folder, as if they were one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoopt.batches import arrays, arrow
from autoopt.batches.streams import Stream
from autoopt.batches.text import of_text
from autoopt.errors import DataError, UsageError
from autoopt.tables.readers import text_at
from autoopt.tables.several import files_at, filled, refuse_other_columns, told_by_folders
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
    files = files_at(path)
    if files is None:
        return _of_file(path, str(path), key, reading)
    return of_paths(files, str(path), key, reading, path)


def of_paths(
    paths: Sequence[Path], name: str, key: str | None, reading: Mapping[str, str] | None, folder: Path | None = None
) -> Stream:
    """Return the stream of files that follow one another; below a folder, names such as year=2020 are columns."""

    def stream_of(path: Path) -> Stream:
        stream = _of_file(path, str(path), key, reading)
        return stream if folder is None else _partitioned(stream, told_by_folders(path, folder))

    return joined(filled(paths, stream_of), name)


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


def _partitioned(stream: Stream, told: Mapping[str, Any]) -> Stream:
    """Return the stream of a file with columns that have one value each."""
    survey = stream.surveyed
    if not told or "constants" not in stream.parts[0].recipe:
        return stream
    parts = tuple(replace(part, recipe={**part.recipe, "constants": dict(told)}) for part in stream.parts)
    kinds = {
        name: "O" if isinstance(value, str) else "i" if isinstance(value, int) else "f" for name, value in told.items()
    }
    widths = {**stream.widths, **dict.fromkeys(told, 8)}

    def surveyed(columns: Sequence[str]) -> Stream:
        assert survey is not None
        return _partitioned(survey([name for name in columns if name not in told]), told)

    return replace(
        stream,
        widths=widths,
        kinds={**stream.kinds, **kinds},
        parts=parts,
        surveyed=None if survey is None else surveyed,
    )


# Several as one -------------------------------------------------------------------------------------------------------


def joined(streams: Sequence[Stream], name: str) -> Stream:
    """Return streams one after the other, which must have the same columns."""
    first = streams[0]
    for other in streams[1:]:
        refuse_other_columns(first.name, first.names, other.name, other.names)
    owners = {part: stream for stream in streams for part in [stream.parts[0].name]}

    def surveyed(columns: Sequence[str]) -> Stream:
        def survey(stream: Stream) -> Stream:
            return stream.surveyed(columns) if stream.surveyed else stream

        every = filled(streams, survey)
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
