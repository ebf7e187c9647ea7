"""NumPy's own files: named arrays, or one."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
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
    return Dataset.of(source.name, arrays)


def single_array(source: Source, options: Mapping[str, str]) -> Dataset:
    """Return the array of an .npy file, under the file's own name, or the fields of a structured one."""
    array = _load(source)
    if not isinstance(array, np.ndarray):
        raise DataError(f"{source.name} holds several named arrays.", remedy="rename it to .npz.")
    if array.dtype.names:
        return Dataset.of(source.name, {name: array[name] for name in array.dtype.names}, table=array.ndim == 1)
    return Dataset.of(source.name, {source.path.name.partition(".")[0]: array})


def _load(source: Source) -> Any:
    """Return the array, or a dict of them; NumPy's many ways to say that the file is no good become one message."""
    with source.opened() as file:
        whole = file if source.compression is None else io.BytesIO(file.read())
        try:
            arrays = np.load(whole, allow_pickle=False)
            return arrays if isinstance(arrays, np.ndarray) else {name: arrays[name] for name in arrays.files}
        except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(
                f"{source.name} cannot be read as NumPy arrays: {error}",
                remedy="save plain numeric arrays with np.savez or np.save; arrays of objects are not read.",
            ) from error
