"""What takes the place of NumPy's constructors, which its protocols do not reach, and of its types as conversions."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autoopt.errors import TracingError
from autoopt.tape.tape import DATA, PARAMETER
from autoopt.tracing.arrays import defined, functions, matrix, reading
from autoopt.tracing.recording.recorder import Recorder
from autoopt.tracing.standins.table import STAND_INS, TYPES, stands_in
from autoopt.tracing.standins.types import is_single, real


def _constructor(original: Callable) -> Callable:
    """Return a stand-in that makes the array as a step of its own, so that it can be written into."""

    def construct(tracer, *args, **kwargs):
        kwargs.pop("like", None)
        if tracer.holds_traced((args, kwargs)):
            args, kwargs = _decided(tracer, args), _decided(tracer, kwargs)
        made = np.zeros if original is np.empty else original
        place = _DTYPE_AFTER.get(original, 1)
        kind = real(kwargs.get("dtype", args[place] if len(args) > place else None))
        if is_single(kind):
            tracer.note_single()
            single = made(*real(args), **real(kwargs))
            return tracer.call(np.array, (single, float), {}, compute=lambda *given: single.astype(float))
        if made in (np.zeros, np.ones) and kind is not None and np.dtype(kind) == np.complex128:
            return complex_array(tracer, args[0] if args else kwargs["shape"], 0 if made is np.zeros else 1)
        return tracer.call(made, real(args), real(kwargs))

    return construct


_DTYPE_AFTER = {np.eye: 3, np.tri: 3, np.arange: 3, np.linspace: 5}
"""Where constructors take the dtype by position, if not second."""


def complex_array(tracer: Recorder, shape: Any, value: Any) -> Any:
    """Return a complex array filled with `value` that can be written into."""
    parts = [tracer.call(np.zeros, (real(_decided(tracer, shape)),), {}) for _ in range(2)]
    made = tracer.pair(tracer, *parts)
    if type(value) is not int or value:
        made[...] = value
    return made


def _decided(tracer: Recorder, value: Any) -> Any:
    """Return `value` with traced sizes as Python integers."""
    kind = type(value)
    if kind is tracer.array:
        return int(value) if value.dtype.kind in "iub" else tracer.guard(value, "float", value.value)
    if kind in (tuple, list):
        return kind([_decided(tracer, part) for part in value])
    if kind is dict:
        return {key: _decided(tracer, part) for key, part in value.items()}
    return value


for _original in (np.zeros, np.ones, np.empty, np.eye, np.identity, np.tri, np.indices):
    STAND_INS[_original] = _constructor(_original)


@stands_in(np.arange)
def _arange(tracer, *args, **kwargs):
    if any(type(part) is tracer.array and part.level == PARAMETER and part.dtype.kind == "f" for part in args):
        start, step = (0.0, 1.0) if len(args) == 1 else (args[0], args[2] if len(args) > 2 else 1.0)
        count = int(functions.call_function(tracer, np.ceil, ((args[len(args) > 1] - start) / step,), {}))
        count = max(count, 0)
        return start + step * np.arange(count)
    return _constructor(np.arange)(tracer, *args, **kwargs)


@stands_in(np.linspace)
def _linspace(tracer, *args, **kwargs):
    if tracer.holds_traced((args[:2], kwargs.get("start"), kwargs.get("stop"))):
        return functions.HANDLERS[np.linspace](tracer, *args, **kwargs)
    return _constructor(np.linspace)(tracer, *args, **kwargs)


@stands_in(np.full)
def _full(tracer, shape, fill_value, dtype=None, order="C", **kwargs):
    kind = real(dtype)
    if type(fill_value) in (complex, np.complex128, tracer.pair) or (kind is not None and np.dtype(kind).kind == "c"):
        return complex_array(tracer, shape, fill_value)
    made = _ordered(defined.full(tracer, _decided(tracer, shape), fill_value, kind), order)
    return _doubled(tracer, made) if is_single(kind) else made


def _in_double(tracer: Recorder, dtype: Any) -> Any:
    """Return a dtype, double precision for single."""
    if not is_single(dtype):
        return dtype
    tracer.note_single()
    return float


def _doubled(tracer: Recorder, array: Any) -> Any:
    """Return an array of single precision as one of double precision, into which traced values can be written."""
    tracer.note_single()
    return array.cast(float) if type(array) is tracer.array else array


@stands_in(np.array)
def _array(tracer, object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, like=None):
    made = as_array(tracer, object, real(dtype))
    if copy is True and made is object:
        made = made.duplicate(order)
    made = _ordered(made, order)
    while made.ndim < ndmin:
        made = made[None]
    return made


@stands_in(np.asarray, np.asanyarray, np.asarray_chkfinite)
def _asarray(tracer, a, dtype=None, order=None, **kwargs):
    return _ordered(as_array(tracer, a, real(dtype)), order)


@stands_in(np.ascontiguousarray)
def _ascontiguousarray(tracer, a, dtype=None, *, like=None):
    return _ordered(np.atleast_1d(as_array(tracer, a, real(dtype))), "C")


@stands_in(np.require)
def _require(tracer, a, dtype=None, requirements=None, *, like=None):
    wanted = {str(flag).upper() for flag in requirements or ()}
    columns, rows = {"F", "FORTRAN", "F_CONTIGUOUS"}, {"C", "CONTIGUOUS", "C_CONTIGUOUS"}
    order = "F" if wanted & columns else "C" if wanted & rows else None
    return _ordered(as_array(tracer, a, real(dtype)), order)


@stands_in(np.asfortranarray)
def _asfortranarray(tracer, a, dtype=None, *, like=None):
    return _ordered(np.atleast_1d(as_array(tracer, a, real(dtype))), "F")


def _ordered(array: Any, order: str | None) -> Any:
    """Return the array itself, or a copy where NumPy would make one to have it in `order`."""
    value = getattr(array, "value", array)
    return array.duplicate(order) if order in ("C", "F") and np.asarray(value, order=order) is not value else array


def as_array(tracer: Recorder, value: Any, dtype: Any = None) -> Any:
    """Return anything array-like as a traced array with an ndarray for its value."""
    if hasattr(type(value), "as_traced"):  # a table of pandas, or a sum over a sparse matrix
        value = value.as_traced()
    if type(value) is tracer.array:
        if not isinstance(value.value, np.ndarray):
            return tracer.nested(value, dtype)
        return value if dtype is None or value.dtype == dtype else value.cast(dtype)
    if type(value) is tracer.pair:
        return value if dtype is None else value.cast(dtype)
    if tracer.holds_traced(value):
        return tracer.nested(value, _in_double(tracer, dtype))
    try:
        plain = np.array(value, dtype=dtype)
    except TypeError:
        if (floats := float_of(tracer, value)) is value or not tracer.holds_traced(floats):
            raise
        return tracer.nested(floats, _in_double(tracer, dtype))
    if is_single(dtype):
        tracer.note_single()
        plain = plain.astype(float)
    if plain.dtype == complex:  # parts of its own, so that it can be written into
        return tracer.pair(tracer, *(as_array(tracer, part.copy()) for part in (plain.real, plain.imag)))
    if plain.dtype.kind not in "fiub":
        return plain
    return tracer.array(tracer, tracer.constant(plain.copy()), plain, 0)


@stands_in(as_strided)
def _as_strided(tracer, x, shape=None, strides=None, subok=False, writeable=True, **kwargs):
    """A view of memory: of which entries of the array it consists depends on how that lies there."""
    if type(x) is not tracer.array:
        return as_strided(x, shape, strides, subok, writeable, **kwargs)
    value = as_strided(x.value, _decided(tracer, shape), _decided(tracer, strides), writeable=writeable)
    tracer.tape.data_decided = tracer.tape.data_decided or x.level == DATA
    try:
        return reading.memory_view(x, value)
    except ValueError as error:
        raise TracingError(
            f"np.lib.stride_tricks.as_strided: {error}.", tracer.location(), "take strides that stay within the array."
        ) from error


@stands_in(np.fromiter)
def _fromiter(tracer, iter, dtype, count=-1, *, like=None):
    values = [value for value, _ in zip(iter, range(count), strict=False)] if count >= 0 else list(iter)
    return as_array(tracer, values, real(dtype))


def _number(kind: type) -> Callable:
    """Return the stand-in for a NumPy scalar type used as a conversion, as in np.float64(x)."""

    def convert(tracer, value=0, *args):
        if type(value) is tracer.array:
            return value.cast(kind)
        if tracer.holds_traced(value):
            return tracer.nested(value, _in_double(tracer, kind))
        value = float_of(tracer, value)
        return value.cast(kind) if type(value) is tracer.array else kind(value, *args)

    return convert


def float_of(tracer: Recorder, value: Any) -> Any:
    """Return an object of the user's as the traced value that its `__float__` gives, anything else as it is.

    Objects in lists are such, too.
    """
    if type(value) in (list, tuple):
        return type(value)([float_of(tracer, part) for part in value])
    method = getattr(type(value), "__float__", None)
    found = method(value) if isinstance(method, FunctionType) else None
    return found if type(found) is tracer.array else value


def _empty(tracer: Recorder, shape: Any, dtype: Any = float, buffer: Any = None, *rest: Any, **options: Any) -> Any:
    """np.ndarray as the constructor of an array that is filled afterwards."""
    if buffer is not None or rest or set(options) - {"order"}:
        return np.ndarray(shape, real(dtype), buffer, *rest, **options)
    return _constructor(np.empty)(tracer, shape, dtype)


@stands_in(np.asmatrix)
def _asmatrix(tracer, data, dtype=None):
    return matrix.made(tracer, data, dtype, copy=False)


TYPES[np.ndarray] = _empty
TYPES.update({kind: _number(kind) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)})
