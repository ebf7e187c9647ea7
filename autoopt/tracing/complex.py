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
from autoopt.tracing import functions
from autoopt.tracing.array import TracedArray

UFUNCS: dict[Callable, Callable] = {}
FUNCTIONS: dict[Callable, Callable] = {}
_ROUNDING = 1e-14
_REMEDY = "write the calculation with real and imaginary parts, or pass jac='finite-difference'."


class ComplexArray(TracedArray):
    """A complex number or array of one trace; a subclass so that Python and NumPy ask it first beside a real one.

    Parameters
    ----------
    re, im : TracedArray
        The parts, of one shape; one of them may be the plain number 0.0.
    """

    __slots__ = ("im", "re")

    def __init__(self, tracer: Any, re: Any, im: Any) -> None:
        self.tracer, self.re, self.im = tracer, re, im

    level = property(lambda self: max(getattr(part, "level", CONSTANT) for part in (self.re, self.im)))
    shape = property(lambda self: np.shape(_held(self)))
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
        if not isinstance(_held(self).value, np.ndarray):
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
        return ComplexArray(self.tracer, _copy(self.re), _copy(self.im))

    def cast(self, dtype):
        if np.dtype(dtype).kind != "c":
            raise refusal(self.tracer, "a conversion of complex values to real ones")
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
        self.tracer.shown = True
        return self.value

    # Dispatch ---------------------------------------------------------------------------------------------------------

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "outer" and not kwargs:
            left, right = (as_complex(self.tracer, part) for part in inputs)
            return elementwise(self.tracer, ufunc, (left.reshape(left.shape + (1,) * right.ndim), right))
        if method == "reduce" and ufunc is np.add:
            return call(self.tracer, np.sum, inputs, {"axis": 0, **kwargs})
        if method != "__call__" or kwargs:
            raise refusal(self.tracer, f"np.{ufunc.__name__} with options or as .{method}")
        return elementwise(self.tracer, ufunc, inputs)

    def __array_function__(self, function, types, args, kwargs):
        return call(self.tracer, function, args, kwargs)

    def __getattr__(self, name):
        function = getattr(np, {"conj": "conjugate"}.get(name, name), None)
        if name in _METHODS:
            return lambda *args, **kwargs: _METHODS[name](self, *args, **kwargs)
        if (name in functions.METHODS and function in FUNCTIONS) or function is np.conjugate:
            return lambda *args, **kwargs: function(self, *args, **kwargs)
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'complex' object has no attribute {name!r}")
        return getattr(self.joined(f".{name} of a complex array"), name)

    def __len__(self):
        return len(_held(self).value)

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


def _held(z: ComplexArray) -> Any:
    """Return a part that is a traced array."""
    return z.re if type(z.re) is TracedArray else z.im


def refusal(tracer: Any, what: str) -> UnsupportedFunctionError:
    """Return the error for what is not done with complex values."""
    return UnsupportedFunctionError(
        f"The objective calls {what}, with complex values that depend on the parameters.", tracer.location(), _REMEDY
    )


# Parts ----------------------------------------------------------------------------------------------------------------


def parts(tracer: Any, value: Any) -> tuple[Any, Any]:
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
    return tuple(0.0 if _absent(part) else part for part in found)


def _absent(part: Any) -> bool:
    """Whether a part is zero whatever the parameters are."""
    return type(part) is not TracedArray and not np.any(part)


def pair(tracer: Any, re: Any, im: Any) -> Any:
    """Return re + im j."""
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    made = [_fitted(tracer, part, shape) for part in (re, im)]
    if not any(type(part) is TracedArray for part in made):
        made[0] = tracer.call(np.zeros, (shape,), {})
    return ComplexArray(tracer, *made)


def _fitted(tracer: Any, part: Any, shape: tuple[int, ...]) -> Any:
    if _absent(part):
        return float(np.ravel(part)[0]) if np.size(part) else 0.0  # with its sign
    if type(part) is not TracedArray:
        part = np.asarray(part, dtype=float)[()]
        part = TracedArray(tracer, tracer.constant(part), np.array(part)[()], CONSTANT)
    if part.dtype.kind != "f":
        part = part.cast(float)
    return part if part.shape == shape else np.broadcast_to(part, shape).duplicate()


def as_complex(tracer: Any, value: Any) -> Any:
    """Return anything as a complex array of the trace."""
    if type(value) is ComplexArray:
        return value
    re, im = parts(tracer, value)
    return pair(tracer, np.broadcast_to(re, np.shape(value)) if _absent(re) and _absent(im) else _copy(re), _copy(im))


def _copy(part: Any) -> Any:
    """Return a part that shares no memory."""
    return part.duplicate() if type(part) is TracedArray else part


def nested(tracer: Any, value: Any) -> Any:
    """Return a nest of lists of numbers, some complex, as one array."""

    def part(value, k):
        if type(value) in (list, tuple):
            return [part(one, k) for one in value]
        found = parts(tracer, value)[k]
        return np.zeros(np.shape(value))[()] if _absent(found) else found

    made = [part(value, k) for k in (0, 1)]
    return pair(tracer, *(tracer.nested(one) if tracer.holds_traced(one) else np.array(one) for one in made))


def zeros(tracer: Any, shape: Any) -> ComplexArray:
    """Return zeros that complex values can be written into."""
    return ComplexArray(tracer, *(tracer.call(np.zeros, (shape,), {}) for _ in range(2)))


# Arithmetic on parts, which leaves out what is zero -------------------------------------------------------------------


def _plus(a: Any, b: Any) -> Any:
    if _absent(a) == _absent(b):
        return a + b
    return _copy(b) if _absent(a) else _copy(a)


def _minus(a: Any, b: Any) -> Any:
    if _absent(a) == _absent(b):
        return a - b
    return -b if _absent(a) else _copy(a)


def _times(a: Any, b: Any, product: Callable = operator.mul) -> Any:
    if _absent(a) or _absent(b):
        return 0.0
    if product is operator.mul:
        for one, other in ((a, b), (b, a)):
            if type(one) is not TracedArray and np.ndim(one) == 0 and one in (1.0, -1.0):
                return _copy(other) if one == 1.0 else -other
    return product(a, b)


def _product(tracer: Any, z: Any, w: Any, product: Callable = operator.mul) -> Any:
    """Return what is linear in each of z and w, such as their product."""
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    re = _minus(_times(a, c, product), _times(b, d, product))
    im = _plus(_times(a, d, product), _times(b, c, product))
    if _absent(re) and _absent(im):
        re = product(np.zeros(np.shape(z)), np.zeros(np.shape(w)))
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    if product is operator.mul and shape != (full := np.broadcast_shapes(np.shape(z), np.shape(w))):
        re = np.broadcast_to(re, full)
    return pair(tracer, re, im)


def _ufunc(*ufuncs: Callable) -> Callable:
    def register(function: Callable) -> Callable:
        UFUNCS.update(dict.fromkeys(ufuncs, function))
        return function

    return register


def elementwise(tracer: Any, ufunc: Callable, inputs: tuple) -> Any:
    """Do a ufunc of which an operand is complex."""
    found = UFUNCS.get(ufunc)
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


@_ufunc(np.add)
def _add(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    return _broadcast(tracer, _plus(a, c), _plus(b, d), z, w)


@_ufunc(np.subtract)
def _subtract(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    return _broadcast(tracer, _minus(a, c), _minus(b, d), z, w)


def _broadcast(tracer: Any, re: Any, im: Any, *operands: Any) -> Any:
    """Return re + im j in the shape that the operands have together."""
    shape = np.broadcast_shapes(*map(np.shape, operands))
    if _absent(re) and _absent(im):
        return zeros(tracer, shape)
    made = pair(tracer, re, im)
    return made if made.shape == shape else call(tracer, np.broadcast_to, (made, shape), {}).duplicate()


@_ufunc(np.multiply)
def _multiply(tracer, z, w):
    return _product(tracer, z, w)


@_ufunc(np.matmul)
def _matmul(tracer, z, w):
    return _product(tracer, z, w, np.matmul)


@_ufunc(np.true_divide)
def _divide(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    if _absent(d):
        return _broadcast(tracer, a / c, b / c, z, w)
    size = _plus(_times(c, c), d * d)
    numerator = _product(tracer, z, _conjugate(tracer, w))
    return _broadcast(tracer, numerator.re / size, numerator.im / size, z, w)


@_ufunc(np.negative)
def _negative(tracer, z):
    return ComplexArray(tracer, -z.re, -z.im)


@_ufunc(np.positive)
def _positive(tracer, z):
    return z.duplicate()


@_ufunc(np.conjugate)
def _conjugate(tracer, z):
    z = as_complex(tracer, z)
    return ComplexArray(tracer, _copy(z.re), -z.im)


@_ufunc(np.absolute)
def _absolute(tracer, z):
    if _absent(z.im) or _absent(z.re):
        return abs(_held(z))
    return np.hypot(z.re, z.im)


@_ufunc(np.square)
def _square(tracer, z):
    return _product(tracer, z, z)


@_ufunc(np.reciprocal)
def _reciprocal(tracer, z):
    return _divide(tracer, 1.0, z)


@_ufunc(np.exp)
def _exp(tracer, z):
    z = as_complex(tracer, z)
    if _absent(z.im):
        return pair(tracer, np.exp(z.re), 0.0)
    re, im = np.cos(z.im), np.sin(z.im)
    if _absent(z.re):
        return pair(tracer, re, im)
    size = np.exp(z.re)
    return pair(tracer, size * re, size * im)


@_ufunc(np.log)
def _log(tracer, z):
    z = as_complex(tracer, z)
    return pair(tracer, np.log(_absolute(tracer, z)), _angle(tracer, z))


@_ufunc(np.log10)
def _log10(tracer, z):
    return _product(tracer, _log(tracer, z), 1 / np.log(10.0))


def _angle(tracer: Any, z: Any, deg: bool = False) -> Any:
    z = as_complex(tracer, z)
    if _absent(z.im):
        angle = np.where(z.re < 0, np.copysign(np.pi, z.im), 0.0)[()]
    else:
        _refuse_cut(tracer, z)
        angle = np.sign(z.im) * (np.pi / 2) if _absent(z.re) else np.arctan2(z.im, z.re)
    return angle * (180 / np.pi) if deg else angle


def _refuse_cut(tracer: Any, z: ComplexArray) -> None:
    """Raise where a negative real number's root or angle would hang on the sign that rounding gave to a zero."""
    if _absent(z.re) or not np.any(abs(z.im.value) <= _ROUNDING * abs(z.re.value)):
        return
    if np.any(np.logical_and(abs(z.im) <= _ROUNDING * abs(z.re), z.re < 0)):
        raise refusal(tracer, "a root, logarithm or angle of a negative real number within an array")


@_ufunc(np.sqrt)
def _sqrt(tracer, z):
    """The principal root: t + im/(2 t) j to the right, |im|/(2 t) + copysign(t, im) j to the left."""
    z = as_complex(tracer, z)
    if _absent(z.im):
        root, right = np.sqrt(abs(z.re)), z.re >= 0
        return pair(tracer, np.where(right, root, 0.0)[()], np.where(right, 0.0, np.copysign(1.0, z.im) * root)[()])
    _refuse_cut(tracer, z)
    size = 0.5 * (_absolute(tracer, z) + abs(z.re))
    away = size > 0
    root = np.where(away, np.sqrt(np.where(away, size, 1.0)), 0.0)
    other = z.im / np.where(away, 2 * root, 1.0)
    right = z.re >= 0
    return pair(tracer, np.where(right, root, abs(other))[()], np.where(right, other, np.copysign(root, z.im))[()])


@_ufunc(np.power)
def _power(tracer, z, w):
    if type(w) not in (TracedArray, ComplexArray) and np.ndim(w) == 0 and w == int(np.real(w)) and abs(w) <= 64:
        count = int(np.real(w))
        if count < 0:
            return _reciprocal(tracer, _power(tracer, z, -count))
        z = as_complex(tracer, z)
        result = None
        while count:
            if count % 2:
                result = z if result is None else _product(tracer, result, z)
            z, count = _product(tracer, z, z) if count > 1 else z, count // 2
        return result.duplicate() if result is not None else _broadcast(tracer, 1.0 + 0.0 * _held(z), 0.0, z)
    if type(w) is float and w == 0.5:
        return _sqrt(tracer, z)
    return _exp(tracer, _product(tracer, w, _log(tracer, z)))


@_ufunc(np.cosh)
def _cosh(tracer, z):
    return pair(tracer, np.cosh(z.re) * np.cos(z.im), np.sinh(z.re) * np.sin(z.im))


@_ufunc(np.sinh)
def _sinh(tracer, z):
    return pair(tracer, np.sinh(z.re) * np.cos(z.im), np.cosh(z.re) * np.sin(z.im))


@_ufunc(np.cos)
def _cos(tracer, z):
    return pair(tracer, np.cos(z.re) * np.cosh(z.im), -(np.sin(z.re) * np.sinh(z.im)))


@_ufunc(np.sin)
def _sin(tracer, z):
    return pair(tracer, np.sin(z.re) * np.cosh(z.im), np.cos(z.re) * np.sinh(z.im))


@_ufunc(np.tanh)
def _tanh(tracer, z):
    """(t + j sin y cos y (1 - t^2)) / (cos^2 y + t^2 sin^2 y) with t = tanh x, which does not overflow."""
    t, cos, sin = np.tanh(z.re), np.cos(z.im), np.sin(z.im)
    size = cos**2 + (t * sin) ** 2
    return pair(tracer, t / size, sin * cos * (1 - t**2) / size)


@_ufunc(np.equal)
def _equal(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    return np.logical_and(np.equal(a, c), np.equal(b, d))


@_ufunc(np.not_equal)
def _not_equal(tracer, z, w):
    return np.logical_not(_equal(tracer, z, w))


for _test, _join in ((np.isnan, np.logical_or), (np.isinf, np.logical_or), (np.isfinite, np.logical_and)):
    UFUNCS[_test] = lambda tracer, z, _test=_test, _join=_join: _join(_test(z.re), _test(z.im))


# Functions ------------------------------------------------------------------------------------------------------------


def call(tracer: Any, function: Callable, args: tuple, kwargs: dict) -> Any:
    """Do a function of NumPy of which an argument is complex."""
    args, kwargs = functions.real(args), functions.real(kwargs)
    if isinstance(function, np.ufunc) and not kwargs:
        return elementwise(tracer, function, args)
    found = FUNCTIONS.get(function)
    if found is None or kwargs.get("out") is not None:
        if tracer.level((args, kwargs)) == PARAMETER:
            raise refusal(tracer, qualified(function))
        return functions.call_function(tracer, function, _joined(args, ""), kwargs)
    return found(tracer, *args, **kwargs)


def _function(*originals: Callable) -> Callable:
    def register(function: Callable) -> Callable:
        FUNCTIONS.update(dict.fromkeys(originals, function))
        return function

    return register


def _part_by_part(function: Callable) -> Callable:
    """Return a linear function of one array, of both parts."""

    def apply(tracer, z, *args, **kwargs):
        if kwargs.pop("dtype", None) not in (None, np.dtype(complex), complex):
            raise refusal(tracer, f"{qualified(function)} with dtype=")
        z = as_complex(tracer, z).filled()
        return pair(tracer, *(function(part, *args, **kwargs) for part in (z.re, z.im)))

    return apply


_LINEAR = (
    np.sum, np.mean, np.cumsum, np.diff, np.trace, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis,
    np.squeeze, np.expand_dims, np.atleast_1d, np.atleast_2d, np.flip, np.flipud, np.fliplr, np.roll, np.diagonal,
    np.diag, np.broadcast_to, np.repeat, np.tile, np.take, np.copy, np.tril, np.triu, np.matrix_transpose,
)  # fmt: skip
for _linear in _LINEAR:
    FUNCTIONS[_linear] = _part_by_part(_linear)


def _of_sequences(function: Callable) -> Callable:
    """Return a function of a sequence of arrays, of both parts."""

    def apply(tracer, arrays, *args, **kwargs):
        arrays = [as_complex(tracer, one).filled() for one in arrays]
        return pair(tracer, *(function([getattr(z, k) for z in arrays], *args, **kwargs) for k in ("re", "im")))

    return apply


for _joining in (np.concatenate, np.stack, np.vstack, np.hstack, np.dstack, np.column_stack):
    FUNCTIONS[_joining] = _of_sequences(_joining)
FUNCTIONS[np.append] = lambda tracer, arr, values, axis=None: call(
    tracer, np.concatenate, ([as_complex(tracer, part) if axis is not None else as_complex(tracer, part).ravel()
                              for part in (arr, values)],), {"axis": axis or 0},
)  # fmt: skip
FUNCTIONS[np.real] = lambda tracer, val: val.real
FUNCTIONS[np.imag] = lambda tracer, val: val.imag
FUNCTIONS[np.angle] = lambda tracer, z, deg=False: _angle(tracer, z, deg)
for _bilinear in (np.dot, np.inner, np.outer, np.convolve, np.kron):
    FUNCTIONS[_bilinear] = lambda tracer, a, b, *args, _bilinear=_bilinear: _product(
        tracer, a, b, lambda x, y: _bilinear(x, y, *args)
    )
FUNCTIONS[np.vdot] = lambda tracer, a, b: _product(
    tracer, _conjugate(tracer, np.ravel(a)), as_complex(tracer, b).ravel(), np.dot
)
FUNCTIONS[np.iscomplexobj] = lambda tracer, x: True
FUNCTIONS[np.isrealobj] = lambda tracer, x: False
FUNCTIONS[np.shape] = lambda tracer, a: a.shape
FUNCTIONS[np.ndim] = lambda tracer, a: a.ndim
FUNCTIONS[np.size] = lambda tracer, a, axis=None: a.size if axis is None else a.shape[axis]


@_function(np.where)
def _where(tracer, condition, x, y):
    (a, b), (c, d) = parts(tracer, x), parts(tracer, y)
    return pair(tracer, np.where(condition, a, c), 0.0 if _absent(b) and _absent(d) else np.where(condition, b, d))


@_function(np.zeros_like, np.empty_like)
def _zeros_like(tracer, a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    shape = a.shape if shape is None else shape
    return zeros(tracer, shape) if np.dtype(dtype or complex).kind == "c" else tracer.call(np.zeros, (shape, dtype), {})


@_function(np.ones_like)
def _ones_like(tracer, a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    made = _zeros_like(tracer, a, dtype, order, subok, shape)
    made[...] = 1.0
    return made


@_function(np.polyval)
def _polyval(tracer, p, x):
    value = 0.0
    for coefficient in p:
        value = value * x + coefficient
    return value


@_function(np.einsum)
def _einsum(tracer, subscripts, *operands):
    if len(operands) == 1:
        return _part_by_part(lambda part: np.einsum(subscripts, part))(tracer, *operands)
    if len(operands) != 2 or not isinstance(subscripts, str):
        raise refusal(tracer, "np.einsum of other than two arrays")
    return _product(tracer, *operands, lambda x, y: np.einsum(subscripts, x, y))


@_function(np.prod)
def _prod(tracer, a, axis=None):
    if axis is not None and np.ndim(a) > 1:
        raise refusal(tracer, "np.prod with axis=")
    result = 1.0
    for part in a.ravel():
        result = result * part
    return result


@_function(np.linalg.norm)
def _norm(tracer, x, ord=None, axis=None, keepdims=False):
    return np.linalg.norm(_absolute(tracer, x), ord, axis, keepdims)


@_function(np.linalg.solve)
def _solve(tracer, a, b):
    """The real system [[Re, -Im], [Im, Re]] of twice the size."""
    a, b = as_complex(tracer, a).filled(), as_complex(tracer, b).filled()
    if a.ndim != 2:
        raise refusal(tracer, "np.linalg.solve of stacked matrices")
    matrix = np.concatenate([np.concatenate([a.re, -a.im], axis=1), np.concatenate([a.im, a.re], axis=1)])
    found = np.linalg.solve(matrix, np.concatenate([b.re, b.im]))
    return pair(tracer, found[: len(a)], found[len(a) :])


@_function(np.linalg.inv)
def _inv(tracer, a):
    return _solve(tracer, a, np.eye(len(a)))


# Methods that are not functions of NumPy ------------------------------------------------------------------------------

_METHODS: dict[str, Callable] = {
    "reshape": lambda z, *shape: np.reshape(z, shape[0] if len(shape) == 1 else shape),
    "transpose": lambda z, *axes: np.transpose(z, (axes[0] if len(axes) == 1 else axes) or None),
    "flatten": lambda z: np.ravel(z).duplicate(),
    "copy": lambda z: z.duplicate(),
    "astype": lambda z, dtype, **options: z.cast(functions.real(dtype)),
    "item": lambda z, *index: z.reshape(-1)[index[0] if index else 0] if z.ndim else z,
    "tolist": lambda z: [part.tolist() for part in z] if z.ndim else z,
    "fill": lambda z, value: z.__setitem__(..., value),
}


def _update(z: Any, result: Any) -> Any:
    """Finish `z op= ...`: in place for arrays."""
    if not isinstance(_held(z).value, np.ndarray):
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
