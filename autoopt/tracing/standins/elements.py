"""Functions of NumPy that go through the elements of an array: for the user's function, or as an iterator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions, indices
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.constructors import as_array
from autoopt.tracing.standins.table import stands_in
from autoopt.tracing.standins.types import real


class Vectorized:
    """Stands in for a function made by np.vectorize: calls the user's function once for each element.

    As there, the results are of the types `otypes`, by default of the first result's: whole numbers if that is one.
    With `otypes` None they are what they are, as np.frompyfunc leaves them.
    """

    def __init__(self, tracer: Recorder, pyfunc: Callable, otypes: Any = "", excluded: Any = ()) -> None:
        self.tracer, self.pyfunc, self.otypes, self.excluded = tracer, pyfunc, otypes, set(excluded or ())

    def __call__(self, *args, **kwargs):
        given = {**dict(enumerate(args)), **kwargs}
        arrays = {key: as_array(self.tracer, part) for key, part in given.items() if key not in self.excluded}
        shape = np.broadcast_shapes(*(array.shape for array in arrays.values()))
        flat = [
            functions.call_function(self.tracer, np.broadcast_to, (array, shape), {}).ravel()
            for array in arrays.values()
        ]
        found = []
        for elements in zip(*flat, strict=True):
            given.update(zip(arrays, elements, strict=True))
            positional = [given[k] for k in range(len(args))]
            found.append(self.pyfunc(*positional, **{name: given[name] for name in kwargs}))
        if found and isinstance(found[0], tuple):
            return tuple(self._shaped(part, shape, k) for k, part in enumerate(zip(*found, strict=True)))
        return self._shaped(found, shape, 0)

    def _shaped(self, found: Any, shape: tuple[int, ...], k: int) -> Any:
        made = as_array(self.tracer, list(found))
        if self.otypes is not None and found:
            kind = self.otypes[k] if self.otypes else np.asarray(self.tracer.concrete(found[0])).dtype
            made = made if made.dtype == kind else made.cast(kind)
        return made.reshape(shape) if shape else made.reshape(())[()]


@stands_in(np.vectorize)
def _vectorize(tracer, pyfunc=None, otypes=None, doc=None, excluded=None, cache=False, signature=None):
    if pyfunc is None or not callable(pyfunc):
        return lambda function: _vectorize(tracer, function, otypes, doc, excluded, cache, signature)
    if signature is not None:
        raise TracingError(
            "np.vectorize with a signature is not followed.", tracer.location(), "write the loop over the rows."
        )
    return Vectorized(tracer, pyfunc, real(otypes) or "", excluded)


@stands_in(np.frompyfunc)
def _frompyfunc(tracer, func, nin, nout, **kwargs):
    return Vectorized(tracer, func, otypes=None)


@stands_in(np.apply_along_axis)
def _apply_along_axis(tracer, func1d, axis, arr, *args, **kwargs):
    if type(arr) is not tracer.array and not tracer.holds_traced(args):
        return np.apply_along_axis(func1d, axis, arr, *args, **kwargs)
    arr = functions.call_function(tracer, np.moveaxis, (as_array(tracer, arr), axis, -1), {})
    rows = arr.reshape(-1, arr.shape[-1])
    found = [func1d(row, *args, **kwargs) for row in rows]
    made = as_array(tracer, found)
    made = made.reshape(arr.shape[:-1] + made.shape[1:])
    if np.ndim(found[0]) == 0:
        return made
    return functions.call_function(tracer, np.moveaxis, (made, -1, axis), {})


@stands_in(np.ndenumerate)
def _ndenumerate(tracer, arr):
    arr = as_array(tracer, arr)
    return ((index, arr[index]) for index in np.ndindex(arr.shape))


@stands_in(np.nditer)
def _nditer(tracer, op, *args, **kwargs):
    """Iteration over the entries of one array, in the order of its memory; with options, of what is not traced."""
    if not tracer.holds_traced(op):
        return np.nditer(op, *args, **kwargs)
    if tracer.level(op) < PARAMETER and "op_flags" not in kwargs and len(args) < 2:
        return np.nditer(indices.decided(tracer, op), *args, **kwargs)
    if args or kwargs or type(op) is not tracer.array:
        raise TracingError(
            "np.nditer with options or of several arrays is not followed.",
            tracer.location(),
            "iterate over x.flat, or zip the arrays' .flat.",
        )
    forwards = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in op.value.strides)
    return iter(op[forwards].ravel("K"))


@stands_in(np.piecewise)
def _piecewise(tracer, x, condlist, funclist, *args, **kwargs):
    x = as_array(tracer, x)
    conditions = [as_array(tracer, part) for part in (condlist if isinstance(condlist, list | tuple) else [condlist])]
    pieces = list(funclist)
    made = functions.HANDLERS[np.zeros_like](tracer, x)
    if len(pieces) == len(conditions) + 1:
        made[...] = pieces.pop() if not callable(pieces[-1]) else pieces.pop()(x, *args, **kwargs)
    for condition, piece in zip(conditions, pieces, strict=True):
        if callable(piece):
            made[condition] = piece(x[condition], *args, **kwargs)
        else:
            made[condition] = piece
    return made
