"""The traced array: a duck array that carries real numbers and records what is done to it.

`value` holds the numbers exactly as NumPy would have them, views and all; `step` is the tape's account of them. Writing
goes to both, see `views.py`. What Python makes of an array (a number, a text, a branch) is in `conversions.py`.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

import numpy as np

from autoopt.errors import UnsupportedFunctionError
from autoopt.origin import is_library
from autoopt.tape.operations import astype
from autoopt.tape.tape import PARAMETER, Slot
from autoopt.tracing.arrays import functions, methods, reading, ufuncs, views, writing
from autoopt.tracing.arrays.conversions import Conversions
from autoopt.tracing.arrays.operators import ARITHMETIC, COMPARISONS, binary, equality
from autoopt.tracing.arrays.types import is_single
from autoopt.tracing.recording.recorder import Recorder

_LAYOUT = frozenset(("flags", "strides"))
"""Attributes that tell how an array lies in memory, not what is in it."""


class TracedArray(Conversions):
    """A number or array of one trace.

    Parameters
    ----------
    tracer : Tracer
        The recorder of the trace.
    step : int
        Its step on the tape.
    value : ndarray, NumPy scalar, float, int or bool
        What it is in this run.
    level : int
        CONSTANT, DATA or PARAMETER: what it depends on.
    """

    __slots__ = ("cells", "level", "origin", "step", "tracer", "value", "version")
    __array_priority__ = 1000.0

    def __init__(self, tracer: Recorder, step: int, value: Any, level: int) -> None:
        self.tracer = tracer
        self.step = step
        self.value = value
        self.level = level
        self.origin = None
        self.cells = None
        self.version = 0

    def current(self) -> int:
        """Return the step that holds the present contents, after writes here or through another view."""
        if self.origin is not None or self.cells is not None:
            reading.settle(self)
        return self.step

    # Dispatch ---------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and not kwargs:
            return self.tracer.elementwise(ufunc, inputs)
        return ufuncs.call_ufunc(self.tracer, ufunc, method, inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return functions.call_function(self.tracer, function, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        self._refuse_conversion("an array")
        return np.array(self.tracer.guard(self, "array", np.array(self.value)), dtype=dtype)

    # What it looks like -----------------------------------------------------------------------------------------------

    @property
    def __class__(self):
        return type(self.value)

    @property
    def shape(self):
        shape, decisions = np.shape(self.value), self.tracer.decisions
        if decisions is None or not shape or is_library(sys._getframe(1).f_code):
            return shape
        return (decisions.count(self.tracer, shape[0]), *shape[1:])

    @shape.setter
    def shape(self, shape):
        source, value = self.current(), self.value.reshape(shape)
        if not np.may_share_memory(value, self.value):
            raise AttributeError("incompatible shape for in-place modification; use .reshape() to make a copy")
        self.step, self.value = self.tracer.derive(np.reshape, source, (shape,), {}, value, self.level), value
        if self.origin is not None:
            views.attach_by_memory(self, self.origin.root)

    @property
    def ndim(self):
        return np.ndim(self.value)

    @property
    def size(self):
        decisions = self.tracer.decisions
        if decisions is None or not self.ndim or is_library(sys._getframe(1).f_code):
            return np.size(self.value)
        return decisions.count(self.tracer, len(self.value), self.value[:1].size)

    @property
    def dtype(self):
        return self.tracer.steps[self.step].dtype

    @property
    def nbytes(self):
        return self.value.nbytes

    @property
    def itemsize(self):
        return self.value.itemsize

    @property
    def T(self):
        return functions.call_function(self.tracer, np.transpose, (self,), {})

    @property
    def mT(self):
        return functions.call_function(self.tracer, np.swapaxes, (self, -1, -2), {})

    @property
    def real(self):
        return self if self.dtype.kind in "fiub" else functions.call_function(self.tracer, np.real, (self,), {})

    @real.setter
    def real(self, value):
        self[...] = value

    @property
    def imag(self):
        return functions.call_function(self.tracer, np.imag, (self,), {})

    @property
    def flat(self):
        return writing.Flat(self)

    @flat.setter
    def flat(self, values):
        values = functions.call_function(self.tracer, np.ravel, (self.tracer.lift(self.tracer.whole(values)),), {})
        self.flat[...] = values[np.arange(self.size) % values.size]

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self.value)))

    def __contains__(self, item):
        return bool(functions.call_function(self.tracer, np.any, (self == item,), {}))

    def __getattr__(self, name):
        method = methods.METHODS.get(name)
        if method is not None and hasattr(self.value, name):
            return methods.Method(self, method)
        if name.startswith("__") or not hasattr(self.value, name):
            raise AttributeError(f"{type(self.value).__name__!r} object has no attribute {name!r}")
        if name in _LAYOUT:
            return getattr(self.value, name)
        if self.level == PARAMETER:
            raise UnsupportedFunctionError(
                f"The objective uses .{name} of an array, which autoopt cannot differentiate.",
                self.tracer.location(),
                "use the NumPy function that does the same, or pass jac='finite-difference'.",
            )
        self.tracer.guard(self, "array", None)
        return getattr(self.value, name)

    # Reading, writing and copying parts -------------------------------------------------------------------------------

    def __getitem__(self, index):
        return reading.read(self, index)

    def __setitem__(self, index, value):
        writing.write(self, index, value)

    def __copy__(self):
        return self.duplicate()

    def __deepcopy__(self, memo):
        return self.duplicate()

    def duplicate(self, order="K"):
        """Return a copy: the same step, numbers of its own."""
        value = self.value.copy(order) if isinstance(self.value, np.ndarray) else self.value
        return TracedArray(self.tracer, self.current(), value, self.level)

    def cast(self, dtype):
        """Return a copy of another dtype; a conversion between floats keeps the derivative."""
        dtype = np.dtype(dtype)
        if dtype == self.dtype:
            return self.duplicate()
        if self.level == PARAMETER and self.dtype.kind == "f" and is_single(dtype):
            self.tracer.note_single()
            return self.duplicate()
        if dtype.kind == "c" and dtype != np.dtype(complex) and self.level == PARAMETER:
            raise UnsupportedFunctionError(
                f"The objective uses conversion to {dtype.name}, which autoopt cannot differentiate.",
                self.tracer.location(),
                "keep the computation in complex128.",
            )
        if dtype.kind == "c" and self.level == PARAMETER:
            return self.tracer.pair(self.tracer, self.duplicate(), 0.0)
        value = astype(self.value, dtype)
        return self.tracer.record(astype, (self.current(),), ((Slot(0), dtype), {}), value, self.level)

    # Operators --------------------------------------------------------------------------------------------------------

    def __matmul__(self, other):
        return self.tracer.elementwise(np.matmul, (self, other))

    def __rmatmul__(self, other):
        return self.tracer.elementwise(np.matmul, (other, self))

    def __imatmul__(self, other):
        return writing.update(self, self @ other)

    def __neg__(self):
        return self.tracer.elementwise(np.negative, (self,), operator.neg)

    def __pos__(self):
        return self.tracer.elementwise(np.positive, (self,), operator.pos)

    def __abs__(self):
        return self.tracer.elementwise(np.absolute, (self,), operator.abs)

    def __invert__(self):
        return self.tracer.elementwise(np.invert, (self,), operator.invert)

    def __divmod__(self, other):
        return self // other, self % other

    def __rdivmod__(self, other):
        return other // self, other % self

    def __pow__(self, other, modulus=None):
        return self.tracer.elementwise(np.power, (self, other), operator.pow)

    def __rpow__(self, other):
        return self.tracer.elementwise(np.power, (other, self), operator.pow)

    def __ipow__(self, other):
        return writing.update(self, self**other)


for _name, _ufunc in ARITHMETIC.items():
    _compute = getattr(operator, f"__{_name}__")
    for _prefix, _function in zip(("", "r", "i"), binary(_ufunc, _compute), strict=True):
        setattr(TracedArray, f"__{_prefix}{_name}__", _function)
for _name, _ufunc in COMPARISONS.items():
    setattr(TracedArray, f"__{_name}__", binary(_ufunc, getattr(operator, f"__{_name}__"))[0])


for _name in ("eq", "ne"):
    setattr(TracedArray, f"__{_name}__", equality(COMPARISONS[_name], getattr(operator, f"__{_name}__")))
