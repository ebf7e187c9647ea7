"""The traced array: a duck array that carries real numbers and records what is done to it.

`value` holds the numbers exactly as NumPy would have them, views and all; `step` is the tape's account of them. Writing
goes to both, see `views.py`.
"""

from __future__ import annotations

import operator
import os
import sys
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.origin import is_library
from autoopt.tape.operations import astype
from autoopt.tape.tape import PARAMETER, Slot
from autoopt.tracing.arrays import functions, methods, views
from autoopt.tracing.arrays.operators import ARITHMETIC, BINARY_OP, COMPARISONS, REMAINDERS, binary, equality
from autoopt.tracing.standins.types import is_single

_LAYOUT = frozenset(("flags", "strides"))
"""Attributes that tell how an array lies in memory, not what is in it."""

_CONVERT = "write the calculation with NumPy functions, or pass jac='finite-difference'."


class TracedArray:
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

    def __init__(self, tracer: Any, step: int, value: Any, level: int) -> None:
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
            views.settle(self)
        return self.step

    # Dispatch ---------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and not kwargs:
            return self.tracer.elementwise(ufunc, inputs)
        return functions.call_ufunc(self.tracer, ufunc, method, inputs, kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return functions.call_function(self.tracer, function, args, kwargs)

    def __array__(self, dtype=None, copy=None):
        self._refuse_conversion("an array")
        return np.array(self.tracer.guard(self, "array", np.array(self.value)), dtype=dtype)

    # Conversions to Python --------------------------------------------------------------------------------------------

    def _refuse_conversion(self, target: str) -> None:
        """Raise if turning this into a plain number would drop a derivative."""
        self.tracer.require_running(self)
        if self.level == PARAMETER and self.dtype.kind not in "bi":
            self.tracer.wrote_outside = True
            if _is_masking(sys._getframe(2)):
                self.tracer.refuse_masked()
            if self.tracer.is_assigned():
                raise TracingError(
                    "A value that depends on the parameters is written into an array that is not followed.",
                    self.tracer.location(),
                    "make the array inside the objective, by np.zeros, np.empty or np.array.",
                )
            raise TracingError(
                f"A value that depends on the parameters is turned into {target}, which would lose its derivative.",
                self.tracer.location(),
                _CONVERT,
            )

    def __float__(self):
        if _is_text_formatting(sys._getframe(1)):
            return float(self.tracer.show(self))
        self._refuse_conversion("a Python float")
        return self.tracer.guard(self, "float", float(self.value))

    def __complex__(self):
        self._refuse_conversion("a Python complex number")
        return self.tracer.guard(self, "float", complex(self.value))

    def __bool__(self):
        if self.level == PARAMETER and self.dtype.kind == "f" and self.size == 1:  # it asks whether this is 0
            return bool(self.tracer.elementwise(np.not_equal, (self, 0.0)).reshape(()))
        answer = bool(self.value)
        return self.tracer.guard(self, "bool", answer)

    def _whole(self, convert):
        """Return the whole number that `convert` makes of the value; that it makes none is an answer as well."""
        try:
            return convert(self.value)
        except (ValueError, OverflowError):
            for question in (np.isnan, np.isinf):
                if question(self.value):
                    bool(self.tracer.elementwise(question, (self,)))
            raise

    def __int__(self):
        return self.tracer.guard(self, "int", self._whole(int))

    def __trunc__(self):
        return self.tracer.guard(self, "int", self._whole(int))

    def __index__(self):
        answer = operator.index(self.value)
        return self.tracer.guard(self, "int", answer)

    def __hash__(self):
        answer = hash(self.value)
        self._refuse_conversion("a dictionary key or set member")
        return self.tracer.guard(self, "int", answer)

    def __round__(self, ndigits=None):
        if ndigits is None:
            rounded = functions.call_function(self.tracer, np.round, (self,), {})
            return self.tracer.guard(rounded, "int", self._whole(round))
        return functions.call_function(self.tracer, np.round, (self, ndigits), {})

    def __floor__(self):
        return int(self.tracer.elementwise(np.floor, (self,)))

    def __ceil__(self):
        return int(self.tracer.elementwise(np.ceil, (self,)))

    def __repr__(self):
        return repr(self.tracer.show(self))

    def __str__(self):
        return str(self.tracer.show(self))

    def __format__(self, spec):
        return format(self.tracer.show(self), spec)

    def __reduce__(self):
        self._refuse_conversion("bytes")
        raise TypeError("a traced value cannot be pickled")

    def __bytes__(self):
        return self.tobytes()

    # What it looks like -----------------------------------------------------------------------------------------------

    @property
    def __class__(self):
        return type(self.value)

    @property
    def shape(self):
        return np.shape(self.value)

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
        return np.size(self.value)

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
        return views.Flat(self)

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
        return views.read(self, index)

    def __setitem__(self, index, value):
        views.write(self, index, value)

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
        return views.update(self, self @ other)

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
        return views.update(self, self**other)


def _is_masking(frame: Any) -> bool:
    """Whether NumPy's masked arrays ask, who come first in an operation of both."""
    while frame is not None and is_library(frame.f_code):
        if frame.f_code.co_filename.startswith(_MASKED):
            return True
        frame = frame.f_back
    return False


_MASKED = os.path.dirname(np.ma.__file__)


def _is_text_formatting(frame: Any) -> bool:
    """Whether the caller is at a `%`: only "%g" % x asks for a float there, as a traced number has a `%` of its own."""
    code, place = frame.f_code.co_code, frame.f_lasti
    return code[place] == BINARY_OP and code[place + 1] in REMAINDERS


for _name, _ufunc in ARITHMETIC.items():
    _compute = getattr(operator, f"__{_name}__")
    for _prefix, _function in zip(("", "r", "i"), binary(_ufunc, _compute), strict=True):
        setattr(TracedArray, f"__{_prefix}{_name}__", _function)
for _name, _ufunc in COMPARISONS.items():
    setattr(TracedArray, f"__{_name}__", binary(_ufunc, getattr(operator, f"__{_name}__"))[0])


for _name in ("eq", "ne"):
    setattr(TracedArray, f"__{_name}__", equality(COMPARISONS[_name], getattr(operator, f"__{_name}__")))
