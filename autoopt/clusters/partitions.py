"""Collections of Dask as tables: their partitions are the chunks, and stay on the workers that have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from autoopt.clusters.chunks import Chunk, Table, lengths


def is_collection(data: object) -> bool:
    """Whether data are an array, a series or a frame of Dask; it is not imported for that."""
    return hasattr(data, "__dask_graph__") and type(data).__module__.startswith("dask")


def partitions(
    client: Any, named: Callable, data: Mapping[str, Any], axes: Mapping[str, int]
) -> tuple[Table, list[str]]:
    """Compute the partitions of collections on their workers; return them as a table, and the address of each.

    Rows are cut where those of the first collection are. Series and frames become arrays; arrays of NumPy are cut
    alike. `named` makes one chunk of names and arrays; Dask keeps the way to it, and makes it again if it is lost.
    """
    from distributed import wait

    arrays = _cut_alike(data, axes)
    lengths(arrays, axes)
    blocks = [client.compute(list(array.to_delayed().ravel())) for array in arrays.values()]
    sizes = next(array.chunks[axes.get(name, 0)] for name, array in arrays.items())
    starts = list(accumulate(sizes, initial=0))
    chunks, futures = [], []
    for number, parts in enumerate(zip(*blocks, strict=True)):
        if sizes[number]:
            futures.append(client.submit(named, list(arrays), *parts, pure=False))
            chunks.append(Chunk(starts[number], starts[number + 1], ("future", futures[-1])))
    wait(futures)
    for future in futures:
        if future.status == "error":
            future.result()  # raises what a partition raised
    places = client.who_has(futures)
    return Table(tuple(chunks)), [places[future.key][0] for future in futures]


def _cut_alike(data: Mapping[str, Any], axes: Mapping[str, int]) -> dict[str, Any]:
    """Return data as arrays of Dask whose rows are cut at the same places, and nothing else of them."""
    from dask import array as dask_array

    arrays = {name: _as_array(value) for name, value in data.items()}
    first = next(name for name in data if is_collection(data[name]))
    rows = arrays[first].chunks[axes.get(first, 0)]
    cut = {}
    for name, array in arrays.items():
        axis = axes.get(name, 0)
        cuts = {k: rows if k == axis and sum(rows) == length else -1 for k, length in enumerate(array.shape)}
        cut[name] = array.rechunk(cuts) if is_collection(array) else dask_array.from_array(array, chunks=cuts)
    return cut


def _as_array(value: Any) -> Any:
    """Return an array of Dask whose partitions have known lengths, or one of NumPy."""
    if not is_collection(value):
        return np.asarray(value)
    if hasattr(value, "to_dask_array"):
        return value.to_dask_array(lengths=True)
    if any(np.isnan(length) for lengths_along in value.chunks for length in lengths_along):
        value.compute_chunk_sizes()
    return value
