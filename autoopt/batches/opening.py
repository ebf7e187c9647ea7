"""What users give as data -> the stream of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autoopt.batches import arrays, arrow, files, iterables
from autoopt.batches.streams import Stream
from autoopt.errors import UsageError
from autoopt.tables.elsewhere import ON_WORKERS, is_collection, refuse_collections

_BY_LIBRARY: dict[tuple[str, str], Callable[[Any], Stream]] = {
    ("pandas", "DataFrame"): arrays.of_pandas,
    ("polars", "DataFrame"): arrays.of_polars,
    ("polars", "LazyFrame"): arrow.of_lazy,
    ("pyarrow", "Table"): arrays.of_arrow,
    ("pyarrow", "Dataset"): arrow.of_dataset,
    ("zarr", "Array"): arrays.of_zarr,
    ("zarr", "Group"): arrays.of_zarr,
    ("h5py", "Dataset"): arrays.of_hdf5,
    ("h5py", "Group"): arrays.of_hdf5,
}
"""The library of an object and the name of its class, or of one above it -> its stream."""


def opened(source: Any, key: str | None, reading: Mapping[str, str] | None, once: bool) -> Stream:
    """Return the stream of a source; UsageError if it is of no known kind."""
    if isinstance(source, str | Path):
        return files.of_path(source, key, reading)
    if isinstance(source, list | tuple) and source and all(isinstance(each, str | Path) for each in source):
        return files.of_paths([Path(each) for each in source], f"{source[0]}, ...", key, reading)
    for name, given in (("key", key), ("reading", reading)):
        if given:
            raise UsageError(f"{name}= is for files, and the data are none.", remedy="leave it out.")
    for kind in type(source).__mro__:
        if stream := _BY_LIBRARY.get((kind.__module__.partition(".")[0].lstrip("_"), kind.__name__)):
            return stream(source)
    if is_collection(source):
        refuse_collections(source, ON_WORKERS)
    if isinstance(source, Mapping):
        return arrays.of_mapping(source)
    if isinstance(source, np.ndarray):
        return arrays.of_array(source)
    if isinstance(source, tuple):
        return arrays.of_sequence(source)
    if callable(source) or hasattr(source, "__iter__"):
        return iterables.of_iterable(source, once)
    raise UsageError(
        f"The source is of type {type(source).__name__}.",
        remedy="give a path, a pattern, arrays, a frame, a data set, or a function that makes batches.",
    )
