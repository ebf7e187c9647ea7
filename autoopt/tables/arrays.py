"""NumPy's own files: named arrays, or one."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autoopt.errors import DataError
from autoopt.tables.dataset import Dataset
from autoopt.tables.source import Source


def named_arrays(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the arrays of an .npz file."""
    arrays = _load(source)
    if isinstance(arrays, np.ndarray):
        raise DataError(f"{source.name} holds a single array.", remedy="rename it to .npy.")
    with arrays:
        return Dataset.of(
            source.name, {name: _unpickled(source, lambda name=name: arrays[name]) for name in arrays.files}
        )


def single_array(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the array of an .npy file, under the file's own name, or the fields of a structured one."""
    array = _load(source)
    if not isinstance(array, np.ndarray):
        raise DataError(f"{source.name} holds several named arrays.", remedy="rename it to .npz.")
    if array.dtype.names:
        return Dataset.of(source.name, {name: array[name] for name in array.dtype.names}, table=array.ndim == 1)
    return Dataset.of(source.name, {source.path.name.partition(".")[0]: array})


def _load(source: Source) -> Any:
    if source.compression is None:
        return _unpickled(source, lambda: np.load(source.path, allow_pickle=False))
    import io

    with source.opened() as file:
        whole = io.BytesIO(file.read())
    return _unpickled(source, lambda: np.load(whole, allow_pickle=False))


def _unpickled(source: Source, read: Callable) -> Any:
    """Return `read()`; NumPy's many ways to say that the file is no good become one message."""
    try:
        return read()
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, PermissionError):
            raise source.unreadable(error) from error
        raise DataError(
            f"{source.name} cannot be read as NumPy arrays: {error}",
            remedy="save plain numeric arrays with np.savez or np.save; arrays of objects are not read.",
        ) from error
