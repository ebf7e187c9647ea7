"""Arrays and frames as streams, sliced without copies: in memory, mapped from files, of Zarr and HDF5."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.batches.parts import Part, stamp_of
from autoopt.batches.recipes import opened, plain
from autoopt.batches.streams import Stream
from autoopt.errors import DataError
from autoopt.extras import imported
from autoopt.tables.columnar import without_numbers
from autoopt.tables.labels import refuse_other_labels
from autoopt.tables.readers import load
from autoopt.tables.values import is_text, thing_in
from autoopt.wording import in_midst, listed

_LOOKED = 1000
"""Rows that tell whether a column of objects is text."""


def of_arrays(arrays: Mapping[str, Any], name: str, table: bool = False, path: Path | None = None) -> Stream:
    """Return the stream of arrays, or columns, of one length.

    Parameters
    ----------
    arrays : mapping of str to object
        What can be sliced by rows: arrays, series, chunked arrays, those of Zarr and HDF5; or recipes of them.
    name : str
    table : bool
    path : Path, optional
        The file that they are in.
    """
    with contextlib.ExitStack() as files:
        live = {column: opened(array, files) for column, array in arrays.items()}
        lengths = {column: _length(array, column, name) for column, array in live.items()}
        if len(set(lengths.values())) != 1:
            told = listed([f"{column} has {length}" for column, length in lengths.items()])
            raise DataError(
                f"The arrays of {in_midst(name)} have no common number of rows: {told}."
                if lengths
                else f"{name} has no arrays.",
                remedy="give those that have a row for each observation, by name: {'X': X, 'y': y}.",
            )
        rows = next(iter(lengths.values()))
        if not rows:
            raise DataError(f"{name} has no rows.", remedy="give data with rows.")
        first = {column: plain(array, 0, 1) for column, array in live.items()}
        kinds = {column: kind for column, array in live.items() if (kind := _kind(array, first[column]))}
        steps = [
            chunks[0] for array in live.values() if (chunks := getattr(array, "chunks", None)) and _is_size(chunks)
        ]
    recipe = {"kind": "arrays", "arrays": dict(arrays), "begin": 0, "stop": rows}
    if path is not None:
        recipe["path"] = str(path)
    part = Part(name, recipe, rows, stamp=() if path is None else stamp_of(path))
    widths = {column: max(1, array.nbytes) for column, array in first.items()}
    return Stream(name, widths, (part,), kinds, table, max(steps, default=1))


def _kind(array: Any, first: np.ndarray) -> str:
    """Return NumPy's kind of a column, "O" for text and the like; "" of objects that may be numbers."""
    kind = first.dtype.kind
    if kind in "fibcu":
        return "i" if kind == "u" else kind
    some = plain(array, 0, _LOOKED)
    return "O" if thing_in(some) or is_text(some) else ""


def _is_size(chunks: Any) -> bool:
    return isinstance(chunks, tuple) and isinstance(chunks[0], int)


def _length(array: Any, column: str, name: str) -> int:
    try:
        return int(array.shape[0]) if hasattr(array, "shape") else len(array)
    except (TypeError, IndexError) as error:
        raise DataError(
            f"{column} of {in_midst(name)} has no rows.", remedy="give arrays with a row for each observation."
        ) from error
    except ValueError as error:  # of arrays of Dask whose lengths are not known, which are NaN
        raise DataError(
            f"{column} of {in_midst(name)} has an unknown number of rows.",
            remedy="have it counted before: array.compute_chunk_sizes().",
        ) from error


def of_mapping(data: Mapping[str, Any]) -> Stream:
    """Return the stream of arrays by their names."""
    refuse_other_labels(data)
    names = {str(name): value if hasattr(value, "shape") or hasattr(value, "iloc") or hasattr(value, "chunks")
             else np.asarray(value) for name, value in data.items()}  # fmt: skip
    return of_arrays(names, "The data")


def of_sequence(data: Sequence[Any]) -> Stream:
    """Return the stream of arrays in the order of the objective's arguments."""
    stream = of_mapping({f"data[{place}]": array for place, array in enumerate(data)})
    return replace(stream, is_positional=True)


def of_array(data: np.ndarray) -> Stream:
    """Return the stream of one array, or of the fields of a structured one."""
    if data.dtype.names:
        return of_arrays({name: data[name] for name in data.dtype.names}, "The data", data.ndim == 1)
    return of_sequence([data])


def of_pandas(frame: Any) -> Stream:
    """Return the stream of the columns of a frame."""
    names = [str(name) for name in frame.columns]
    _refuse_twice(names)
    return of_arrays({name: frame.iloc[:, place] for place, name in enumerate(names)}, "The data frame", True)


def of_polars(frame: Any) -> Stream:
    """Return the stream of the columns of a frame of polars."""
    return of_arrays({name: frame[name] for name in without_numbers(frame.columns)}, "The data frame", True)


def of_arrow(table: Any) -> Stream:
    """Return the stream of the columns of a table of pyarrow."""
    names = list(table.column_names)
    _refuse_twice(names)
    return of_arrays({name: table.column(name) for name in without_numbers(names)}, "The data frame", True)


def _refuse_twice(names: Sequence[str]) -> None:
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise DataError(
            f"The data frame has more than one column {listed(twice)}.", remedy="give each a name of its own."
        )


# Files ----------------------------------------------------------------------------------------------------------------


def npy(path: Path, name: str, key: str | None) -> Stream:
    """Return the stream of an .npy file, by its memory map."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{name} cannot be read as a NumPy array: {error}", remedy="save it with np.save.") from error
    if not isinstance(array, np.ndarray):
        raise DataError(f"{name} holds several named arrays.", remedy="rename it to .npz.")
    if array.ndim == 0:
        raise DataError(f"{name} holds a single number.", remedy="give an array with rows.")
    recipe = mapped(array)
    if array.dtype.names:
        fields = {field: {**recipe, "field": field} for field in array.dtype.names}
        return of_arrays(fields, name, array.ndim == 1, path)
    return of_arrays({path.name.partition(".")[0]: recipe}, name, path=path)


def mapped(array: Any) -> Any:
    """Return the recipe of a memory map, which opens it anew; anything else, or a part with gaps, as it is."""
    if not isinstance(array, np.memmap) or array.filename is None or array.mode == "c":
        return array
    root: Any = array
    while isinstance(root.base, np.memmap):
        root = root.base
    order = "C" if array.flags.c_contiguous else "F" if array.flags.f_contiguous else None
    if order is None:
        return array
    offset = int(root.offset + array.ctypes.data - root.ctypes.data)
    descr = array.dtype.descr if array.dtype.names else array.dtype.str
    return {
        "kind": "memmap", "path": str(Path(array.filename).resolve()), "dtype": descr, "offset": offset,
        "shape": list(array.shape), "order": order,
    }  # fmt: skip


def npz(path: Path, name: str, key: str | None) -> Stream:
    """Return the stream of an .npz file, whose arrays are read whole."""
    return of_arrays(load(path).arrays, name, path=path)


def zarr(path: Path, name: str, key: str | None) -> Stream:
    """Return the stream of an array of Zarr, or of the arrays of a group."""
    module = imported("zarr", "zarr", "A Zarr store")
    try:
        group = module.open(str(path), mode="r")
        group = group[key] if key else group
    except (KeyError, ValueError, OSError) as error:
        raise _no_such(name, key, error) from error
    names = sorted(group.array_keys()) if hasattr(group, "array_keys") else [""]
    prefix = key or ""
    arrays = {
        entry or _last(key, path): {
            "kind": "zarr", "path": str(path.resolve()), "key": "/".join(filter(None, [prefix, entry])),
        } for entry in names
    }  # fmt: skip
    return of_arrays(arrays, name, path=path)


def hdf5(path: Path, name: str, key: str | None) -> Stream:
    """Return the stream of a data set of HDF5, or of those of a group."""
    module = imported("h5py", "hdf5", "An HDF5 file")
    try:
        with module.File(path, "r") as file:
            group = file[key or "/"]
            names = (
                [entry for entry in group if isinstance(group[entry], module.Dataset)]
                if hasattr(group, "keys")
                else [""]
            )
            prefix = group.name.rstrip("/")
    except (KeyError, OSError) as error:
        raise _no_such(name, key, error) from error
    arrays = {
        entry or _last(key, path): {
            "kind": "hdf5", "path": str(path.resolve()), "key": f"{prefix}/{entry}" if entry else prefix,
        } for entry in names
    }  # fmt: skip
    return of_arrays(arrays, name, path=path)


def _last(key: str | None, path: Path) -> str:
    return key.rstrip("/").rpartition("/")[2] if key else path.name.partition(".")[0]


def _no_such(name: str, key: str | None, error: Exception) -> DataError:
    if key and isinstance(error, KeyError):
        return DataError(f"{name} has no {key!r}.", remedy="give the name of one of its groups or arrays as key=.")
    return DataError(f"{name} cannot be read: {error}.", remedy="check that it is whole, and what its name says.")


# What others have opened ----------------------------------------------------------------------------------------------


def of_zarr(opened: Any) -> Stream:
    """Return the stream of an array of Zarr, or of the arrays of a group."""
    if hasattr(opened, "array_keys"):
        return of_arrays({name: opened[name] for name in sorted(opened.array_keys())}, f"The group {opened.name}")
    return of_sequence([opened])


def of_hdf5(opened: Any) -> Stream:
    """Return the stream of a data set of HDF5, or of those of a group."""
    if hasattr(opened, "keys"):
        arrays = {name: opened[name] for name in opened if hasattr(opened[name], "shape")}
        return of_arrays(arrays, f"The group {opened.name}")
    return of_sequence([opened])


def recipe_of(array: Any, begin: int, stop: int) -> Any:
    """Return an array as a recipe that opens it anew on another machine, or these rows of it if it has no file."""
    room = type(array).__module__.partition(".")[0]
    if room == "h5py":
        return {"kind": "hdf5", "path": str(Path(array.file.filename).resolve()), "key": array.name}
    if room == "zarr" and (root := getattr(array.store, "root", None)) is not None:
        return {"kind": "zarr", "path": str(Path(root).resolve()), "key": array.path}
    recipe = mapped(array)
    return (
        recipe if isinstance(recipe, Mapping) else {"kind": "rows", "first": begin, "rows": plain(array, begin, stop)}
    )
