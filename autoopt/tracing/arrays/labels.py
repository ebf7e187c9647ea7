"""Functions that sort out which values there are: what they give has no slope, but its shape depends on the values.

`len(np.unique(labels))` reads nothing that a tape computes. So labels that depend on the parameters, being whole
numbers or truth values, are asked for as they are, a guard; of other numbers the record holds at its own point only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays.functions import HANDLERS, call_function, handles
from autoopt.tracing.arrays.indices import decided
from autoopt.tracing.recording.recorder import Recorder

_SORTING_OUT = (
    "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "setdiff1d", "intersect1d", "union1d",
    "setxor1d", "bincount", "histogram", "histogram2d", "histogramdd", "histogram_bin_edges", "isin", "in1d", "lexsort",
    "packbits", "unpackbits",
)  # fmt: skip


def _sorting_out(function: Callable, handler: Callable | None) -> Callable:
    """Return the handler of a function of labels; `handler` has what else there is."""

    def sort_out(tracer: Recorder, *args: Any, **kwargs: Any) -> Any:
        moving = [part for part in _arrays(tracer, (args, kwargs)) if part.level == PARAMETER]
        if moving and all(part.dtype.kind in "iub" for part in moving):
            given = {name: decided(tracer, part) for name, part in kwargs.items()}
            return _lifted(tracer, function(*decided(tracer, args), **given))
        if handler is not None:
            return handler(tracer, *args, **kwargs)
        tracer.tape.caught = tracer.tape.caught or bool(moving)
        return tracer.call(function, args, kwargs)

    return sort_out


for _name in _SORTING_OUT:
    if hasattr(np, _name):
        HANDLERS[getattr(np, _name)] = _sorting_out(getattr(np, _name), HANDLERS.get(getattr(np, _name)))


def _arrays(tracer: Recorder, value: Any) -> list[Any]:
    """Return the traced arrays in a nest of containers."""
    if isinstance(value, tuple | list):
        return [array for part in value for array in _arrays(tracer, part)]
    if isinstance(value, dict):
        return _arrays(tracer, list(value.values()))
    return [value] if type(value) in (tracer.array, tracer.pair) else []


def _lifted(tracer: Recorder, found: Any) -> Any:
    """Return arrays of numbers as traced constants, so that they can be written into as others are."""
    if isinstance(found, tuple):
        parts = [_lifted(tracer, part) for part in found]
        return type(found)(*parts) if hasattr(found, "_fields") else tuple(parts)
    if isinstance(found, np.ndarray) and found.dtype.kind in "fiub":
        return tracer.array(tracer, tracer.constant(found), found, 0)
    return found


@handles(np.digitize)
def _digitize(tracer, x, bins, right=False):
    """Positions among edges, as np.searchsorted finds them once it is known which way the edges go."""
    if tracer.level(bins) == PARAMETER or tracer.level(x) < PARAMETER:
        return tracer.call(np.digitize, (x, bins, right), {})
    edges, side = np.asarray(decided(tracer, bins)), "left" if right else "right"
    np.digitize(0.0, edges)  # which raises if they go both ways
    if len(edges) and edges[0] > edges[-1]:
        return len(edges) - call_function(tracer, np.searchsorted, (bins[::-1], x, side), {})
    return call_function(tracer, np.searchsorted, (bins, x, side), {})
