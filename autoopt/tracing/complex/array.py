"""Complex values that depend on the parameters: pairs of real traced arrays.

The arithmetic is carried out on the real and the imaginary part by ordinary traced operations, so that derivatives and
source come from those. A complex value of the data alone stays one traced array until it meets one of these.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.tape.names import qualified
from autoopt.tape.tape import CONSTANT, PARAMETER
from autoopt.tracing.arrays import functions, methods, ufuncs
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.arrays.types import real as real_types
from autoopt.tracing.recording.recorder import Recorder

UFUNCS: dict[Callable, Callable] = {}
OF_SCIPY: dict[str, Callable] = {}
"""Ufuncs of SciPy by name: SciPy is not loaded before the objective does so."""

FUNCTIONS: dict[Callable, Callable] = {}
ROUNDING = 1e-14
_REMEDY = "write the calculation with real and imaginary parts, or pass jac='finite-difference'."


def handles(*originals: Callable) -> Callable:
    """Return a decorator that enters what NumPy's functions `originals` do with complex values in FUNCTIONS."""

    def register(handler: Callable) -> Callable:
        FUNCTIONS.update(dict.fromkeys(originals, handler))
        return handler

    return register


class ComplexArray(TracedArray):
    """A complex number or array of one trace; a subclass so that Python and NumPy ask it first beside a real one.

    Parameters
    ----------
    re, im : TracedArray
        The parts, of one shape; one of them may be the plain number 0.0.
    """

    __slots__ = ("im", "re")

    def __init__(self, tracer: Recorder, re: Any, im: Any) -> None:
        self.tracer, self.re, self.im = tracer, re, im

    level = property(lambda self: max(getattr(part, "level", CONSTANT) for part in (self.re, self.im)))
    shape = property(lambda self: np.shape(held(self)))
    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape)))
    dtype = property(lambda self: np.dtype(complex))
    nbytes = property(lambda self: 16 * self.size)
    itemsize = property(lambda self: 16)
    flat = property(lambda self: iter(self.ravel()))
    T = property(lambda self: call(self.tracer, np.transpose, (self,), {}))
    mT = property(lambda self: call(self.tracer, np.swapaxes, (self, -1, -2), {}))
    real = property(lambda self: self.filled().re, lambda self, value: self.filled().re.__setitem__(..., value))
    imag = property(lambda self: self.filled().im, lambda self, value: self.filled().im.__setitem__(..., value))

    @property
    def value(self):
        """The complex numbers of this run."""
        re, im = (getattr(part, "value", part) for part in (self.re, self.im))
        if not isinstance(held(self).value, np.ndarray):
            kind = np.complex128 if isinstance(re, np.generic) or isinstance(im, np.generic) else complex
            return kind(complex(re, im))
        joined = np.empty(self.shape, complex)
        joined.real, joined.imag = re, im
        return joined

    @property
    def __class__(self):
        return type(self.value)

    def filled(self) -> ComplexArray:
        """Return this with both parts traced arrays, so that parts of it can be views."""
        for name in ("re", "im"):
            if type(getattr(self, name)) is not TracedArray:
                setattr(self, name, self.tracer.call(np.zeros, (self.shape,), {}) if self.shape else 0.0)
        return self

    def joined(self, what: str) -> Any:
        """Return this as one traced array of complex numbers, which only what depends on data alone can be.

        Raises
        ------
        UnsupportedFunctionError
            That `what` is not done, if it depends on the parameters.
        """
        if self.level == PARAMETER:
            raise refusal(self.tracer, what)
        z = self.filled()
        return self.tracer.elementwise(np.add, (z.re, self.tracer.elementwise(np.multiply, (1j, z.im))))

    def current(self) -> int:
        return self.joined("a complex value here").current()

    def duplicate(self) -> ComplexArray:
        return ComplexArray(self.tracer, copied(self.re), copied(self.im))

    def cast(self, dtype):
        if np.dtype(dtype).kind != "c":
            raise refusal(self.tracer, "a conversion of complex values to real ones")
        if np.dtype(dtype) != complex:
            raise refusal(self.tracer, f"a conversion to {np.dtype(dtype).name}")
        return self.duplicate()

    # Conversions to Python --------------------------------------------------------------------------------------------

    def _refuse_conversion(self, target: str) -> None:
        raise TracingError(
            f"A complex value that depends on the parameters is turned into {target}.",
            self.tracer.location(),
            "take its real part, its imaginary part or its absolute value first.",
        )

    def __float__(self):
        self._refuse_conversion("a Python float")

    def __int__(self):
        self._refuse_conversion("a Python integer")

    __index__ = __trunc__ = __floor__ = __ceil__ = __int__

    def __round__(self, ndigits=None):
        self._refuse_conversion("a rounded number")

    def __complex__(self):
        self._refuse_conversion("a Python complex number")

    def __array__(self, dtype=None, copy=None):
        self._refuse_conversion("an array")

    def __hash__(self):
        self._refuse_conversion("a dictionary key or set member")

    def __bool__(self):
        return bool(self != 0)

    def _shown(self):
        return self.tracer.show(self)

    # Dispatch ---------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        kwargs.pop("casting", None)
        target, where = kwargs.pop("out", None), kwargs.pop("where", True)
        if method == "outer":
            inputs, method = ufuncs.outer_operands(self.tracer, *inputs), "__call__"
        result = self._of_ufunc(ufunc, method, inputs, kwargs)
        if target is None and where is not True:
            raise refusal(self.tracer, f"np.{ufunc.__name__} with where= but without out=")
        if where is not True:
            result = np.where(where, result, *target)
        return result if target is None else functions.store(self.tracer, target, result)

    def _of_ufunc(self, ufunc, method, inputs, kwargs):
        """Evaluate a ufunc's call or reduction, of which an operand or the array to write to is complex."""
        if method == "reduce" and ufunc in (np.add, np.multiply):
            kwargs = {"axis": inputs[1] if len(inputs) > 1 else 0, **kwargs}
            return call(self.tracer, np.sum if ufunc is np.add else np.prod, inputs[:1], kwargs)
        if method != "__call__" or kwargs.pop("dtype", complex) is not complex or kwargs:
            raise refusal(self.tracer, f"np.{ufunc.__name__} with options or as .{method}")
        if any(type(part) is ComplexArray for part in inputs):
            return elementwise(self.tracer, ufunc, inputs)
        return self.tracer.elementwise(ufunc, inputs)

    def __array_function__(self, function, types, args, kwargs):
        return call(self.tracer, function, args, kwargs)

    def __getattr__(self, name):
        function = getattr(np, {"conj": "conjugate"}.get(name, name), None)
        if name in _METHODS:
            return lambda *args, **kwargs: _METHODS[name](self, *args, **kwargs)
        if (name in methods.METHODS and function in FUNCTIONS) or function is np.conjugate:
            return lambda *args, **kwargs: function(self, *args, **kwargs)
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'complex' object has no attribute {name!r}")
        return getattr(self.joined(f".{name} of a complex array"), name)

    def __len__(self):
        return len(held(self).value)

    def __getitem__(self, index):
        self.filled()
        return pair(self.tracer, self.re[index], self.im[index])

    def __setitem__(self, index, value):
        re, im = parts(self.tracer, value)
        self.filled()
        self.re[index] = re
        self.im[index] = im

    def __contains__(self, item):
        return any(bool(part == item) for part in self)


def held(z: ComplexArray) -> Any:
    """Return a part that is a traced array."""
    return z.re if type(z.re) is TracedArray else z.im


def refusal(tracer: Recorder, what: str) -> UnsupportedFunctionError:
    """Return the error for what is not done with complex values."""
    return UnsupportedFunctionError(
        f"The objective calls {what}, with complex values that depend on the parameters.", tracer.location(), _REMEDY
    )


# Parts ----------------------------------------------------------------------------------------------------------------


def parts(tracer: Recorder, value: Any) -> tuple[Any, Any]:
    """Return the real and the imaginary part of anything, 0.0 for a part that is absent."""
    kind = type(value)
    if kind is ComplexArray:
        return value.re, value.im
    if kind in (list, tuple) and tracer.holds_traced(value):
        value = tracer.nested(value)
        if type(value) is ComplexArray:
            return value.re, value.im
    if type(value) is TracedArray:
        if value.dtype.kind != "c":
            return value, 0.0
        if value.level != CONSTANT:
            return tuple(functions.call_function(tracer, part, (value,), {}) for part in (np.real, np.imag))
        value = value.value
    value = tracer.plain_array(value)
    found = (np.real(value), np.imag(value)) if np.iscomplexobj(value) else (value, 0.0)
    return tuple(0.0 if absent(part) else part for part in found)


def absent(part: Any) -> bool:
    """Whether a part is zero whatever the parameters are."""
    return type(part) is not TracedArray and not np.any(part)


def pair(tracer: Recorder, re: Any, im: Any) -> Any:
    """Return re + im j."""
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    made = [_fitted(tracer, part, shape) for part in (re, im)]
    if not any(type(part) is TracedArray for part in made):
        made[0] = tracer.call(np.zeros, (shape,), {})
    return ComplexArray(tracer, *made)


def _fitted(tracer: Recorder, part: Any, shape: tuple[int, ...]) -> Any:
    if absent(part):
        return float(np.ravel(part)[0]) if np.size(part) else 0.0  # with its sign
    if type(part) is not TracedArray:
        part = np.asarray(part, dtype=float)[()]
        part = TracedArray(tracer, tracer.constant(part), np.array(part)[()], CONSTANT)
    if part.dtype.kind != "f":
        part = part.cast(float)
    return part if part.shape == shape else np.broadcast_to(part, shape).duplicate()


def as_complex(tracer: Recorder, value: Any) -> Any:
    """Return anything as a complex array of the trace."""
    if type(value) is ComplexArray:
        return value
    re, im = parts(tracer, value)
    return pair(tracer, np.broadcast_to(re, np.shape(value)) if absent(re) and absent(im) else copied(re), copied(im))


def copied(part: Any) -> Any:
    """Return a part that shares no memory."""
    return part.duplicate() if type(part) is TracedArray else part


def nested(tracer: Recorder, value: Any) -> Any:
    """Return a nest of lists of numbers, some complex, as one array."""

    def part(value, k):
        if type(value) in (list, tuple):
            return [part(one, k) for one in value]
        found = parts(tracer, value)[k]
        return np.zeros(np.shape(value))[()] if absent(found) else found

    made = [part(value, k) for k in (0, 1)]
    return pair(tracer, *(tracer.nested(one) if tracer.holds_traced(one) else np.array(one) for one in made))


def zeros(tracer: Recorder, shape: Any) -> ComplexArray:
    """Return zeros that complex values can be written into."""
    return ComplexArray(tracer, *(tracer.call(np.zeros, (shape,), {}) for _ in range(2)))


# Arithmetic on parts, which leaves out what is zero -------------------------------------------------------------------


def plus(a: Any, b: Any) -> Any:
    if absent(a) == absent(b):
        return a + b
    return copied(b) if absent(a) else copied(a)


def minus(a: Any, b: Any) -> Any:
    if absent(a) == absent(b):
        return a - b
    return -b if absent(a) else copied(a)


def times(a: Any, b: Any, product: Callable = operator.mul) -> Any:
    if absent(a) or absent(b):
        return 0.0
    if product is operator.mul:
        for one, other in ((a, b), (b, a)):
            if type(one) is not TracedArray and np.ndim(one) == 0 and one in (1.0, -1.0):
                return copied(other) if one == 1.0 else -other
    return product(a, b)


def product_of_parts(tracer: Recorder, z: Any, w: Any, product: Callable = operator.mul) -> Any:
    """Return what is linear in each of z and w, such as their product."""
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    re = minus(times(a, c, product), times(b, d, product))
    im = plus(times(a, d, product), times(b, c, product))
    if absent(re) and absent(im):
        re = product(np.zeros(np.shape(z)), np.zeros(np.shape(w)))
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    if product is operator.mul and shape != (full := np.broadcast_shapes(np.shape(z), np.shape(w))):
        re = np.broadcast_to(re, full)
    return pair(tracer, re, im)


def elementwise(tracer: Recorder, ufunc: Callable, inputs: tuple) -> Any:
    """Evaluate a ufunc of which an operand is complex."""
    found = UFUNCS.get(ufunc) or OF_SCIPY.get(ufunc.__name__)
    if found is None:
        return tracer.elementwise(ufunc, _joined(inputs, qualified(ufunc)))
    return found(tracer, *inputs)


def _joined(value: Any, what: str) -> Any:
    """Return `value` with complex values of the data as single arrays."""
    if type(value) is ComplexArray:
        return value.joined(what)
    if type(value) in (tuple, list):
        return type(value)([_joined(part, what) for part in value])
    return value


def broadcast(tracer: Recorder, re: Any, im: Any, *operands: Any) -> Any:
    """Return re + im j in the shape that the operands have together."""
    shape = np.broadcast_shapes(*map(np.shape, operands))
    if absent(re) and absent(im):
        return zeros(tracer, shape)
    made = pair(tracer, re, im)
    return made if made.shape == shape else call(tracer, np.broadcast_to, (made, shape), {}).duplicate()


def call(tracer: Recorder, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Evaluate a function of NumPy of which an argument is complex."""
    args, kwargs = real_types(args), real_types(kwargs)
    if isinstance(function, np.ufunc) and not kwargs:
        return elementwise(tracer, function, args)
    args, target = functions.without_out(function, args, kwargs)
    if target is not None:
        do = call if _holds_complex((args, kwargs)) else functions.call_function
        return functions.store(tracer, target, do(tracer, function, args, kwargs))
    found = FUNCTIONS.get(function)
    if found is None:
        if tracer.level((args, kwargs)) == PARAMETER:
            raise refusal(tracer, qualified(function))
        return functions.call_function(tracer, function, _joined(args, ""), kwargs)
    return found(tracer, *args, **kwargs)


def _holds_complex(value: Any) -> bool:
    """Whether a complex array of the trace is in a nest of lists, tuples and dictionaries."""
    if type(value) in (tuple, list):
        return any(map(_holds_complex, value))
    return type(value) is ComplexArray or (type(value) is dict and any(map(_holds_complex, value.values())))


# Methods that are not functions of NumPy ------------------------------------------------------------------------------

_METHODS: dict[str, Callable] = {
    "reshape": lambda z, *shape: np.reshape(z, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda z, *axes: np.transpose(z, (axes[0] if len(axes) == 1 else axes) or None),
    "flatten": lambda z: np.ravel(z).duplicate(),
    "copy": lambda z: z.duplicate(),
    "astype": lambda z, dtype, **options: z.cast(real_types(dtype)),
    "item": lambda z, *index: z.reshape(-1)[index[0] if index else 0] if z.ndim else z,
    "tolist": lambda z: [part.tolist() for part in z] if z.ndim else z,
    "fill": lambda z, value: z.__setitem__(..., value),
    "sort": lambda z, axis=-1: z.__setitem__(..., np.sort(z, axis)),
}


def _update(z: Any, result: Any) -> Any:
    """Finish `z op= ...`: in place for arrays."""
    if not isinstance(held(z).value, np.ndarray):
        return result
    z[...] = result
    return z


def _operators(ufunc: Callable) -> tuple[Callable, Callable, Callable]:
    def forward(self, other):
        return elementwise(self.tracer, ufunc, (self, other))

    def reflected(self, other):
        return elementwise(self.tracer, ufunc, (other, self))

    def in_place(self, other):
        return _update(self, elementwise(self.tracer, ufunc, (self, other)))

    return forward, reflected, in_place


_OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "matmul": np.matmul,
    "pow": np.power, "floordiv": np.floor_divide, "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}  # fmt: skip
for _name, _operation in _OPERATORS.items():
    for _prefix, _made in zip(("", "r", "i"), _operators(_operation), strict=True):
        setattr(ComplexArray, f"__{_prefix}{_name}__", _made)
for _name, _operation in (("lt", np.less), ("le", np.less_equal), ("gt", np.greater), ("ge", np.greater_equal),
                          ("eq", np.equal), ("ne", np.not_equal)):  # fmt: skip
    setattr(ComplexArray, f"__{_name}__", _operators(_operation)[0])
for _name, _operation in (("neg", np.negative), ("pos", np.positive), ("abs", np.absolute), ("invert", np.invert)):
    setattr(ComplexArray, f"__{_name}__", lambda z, _operation=_operation: elementwise(z.tracer, _operation, (z,)))
