"""Collections of Dask as tables: their partitions are the chunks, and stay on the workers that have them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from autoopt.clusters.chunks import Chunk, Table, lengths
from autoopt.tables.elsewhere import is_collection


def partitions(client: Any, module: Any, data: Mapping[str, Any], axes: Mapping[str, int]) -> tuple[Table, list[str]]:
    """Compute the partitions of collections on their workers; return them as a table, and the address of each.

    Rows are cut where those of the first collection are. Series and frames become arrays; arrays of NumPy are cut
    alike. `named` of the module of the workers makes one chunk of names and arrays; Dask keeps the way to it, and makes
    it again if it is lost.
    """
    from distributed import wait

    arrays = _cut_alike(client, module, data, axes)
    lengths(arrays, axes)
    blocks = [client.compute(list(array.to_delayed().ravel())) for array in arrays.values()]
    sizes = next(array.chunks[axes.get(name, 0)] for name, array in arrays.items())
    starts = list(accumulate(sizes, initial=0))
    chunks, futures = [], []
    for number, parts in enumerate(zip(*blocks, strict=True)):
        if sizes[number]:
            futures.append(client.submit(module.named, list(arrays), *parts, pure=False))
            chunks.append(Chunk(starts[number], starts[number + 1], ("future", futures[-1])))
    wait(futures)
    for future in futures:
        if future.status == "error":
            future.result()  # raises what a partition raised
    places = client.who_has(futures)
    return Table(tuple(chunks)), [places[future.key][0] for future in futures]


def _cut_alike(client: Any, module: Any, data: Mapping[str, Any], axes: Mapping[str, int]) -> dict[str, Any]:
    """Return data as arrays of Dask whose rows are cut at the same places, and nothing else of them."""
    from dask import array as dask_array

    arrays = {name: _as_array(client, module, value) for name, value in data.items()}
    first = next(name for name in data if is_collection(data[name]))
    rows = arrays[first].chunks[axes.get(first, 0)]
    cut = {}
    for name, array in arrays.items():
        axis = axes.get(name, 0)
        cuts = {k: rows if k == axis and sum(rows) == length else -1 for k, length in enumerate(array.shape)}
        cut[name] = array.rechunk(cuts) if is_collection(array) else dask_array.from_array(array, chunks=cuts)
    return cut


def _as_array(client: Any, module: Any, value: Any) -> Any:
    """Return an array of Dask whose partitions have known lengths, or one of NumPy."""
    if not is_collection(value):
        return np.asarray(value)
    if hasattr(value, "to_dask_array"):
        return _of_frame(client, module, value)
    if any(np.isnan(length) for lengths_along in value.chunks for length in lengths_along):
        value.compute_chunk_sizes()
    return value


def _of_frame(client: Any, module: Any, frame: Any) -> Any:
    """Return a series or a frame as an array, of the partitions that are read.

    Files may be read several at once: there are then fewer partitions than the frame has, which Dask's own
    `to_dask_array(lengths=True)` takes for an error.
    """
    from dask import array as dask_array
    from dask import delayed

    parts = client.map(module.numbers, client.compute(frame.to_delayed()), pure=False)
    shapes = client.gather(client.map(module.shape_and_type, parts, pure=False))
    return dask_array.concatenate(
        [
            dask_array.from_delayed(delayed(part), shape, dtype=kind)
            for part, (shape, kind) in zip(parts, shapes, strict=True)
        ]
    )
