"""What the instrumented copy of the user's function sees in place of Python's and NumPy's own names.

Only names that NumPy's dispatch protocols do not reach need a stand-in: constructors, `math`, `float` and a few builtins.
Each row is `stand_in(tracer, *args, **kwargs)` for the callable that it stands for.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing import functions

STAND_INS: dict[Callable, Callable] = {}


def stands_in(*originals: Callable) -> Callable:
    """Return a decorator that registers `stand_in(tracer, *args, **kwargs)` for `originals`."""

    def register(stand_in: Callable) -> Callable:
        STAND_INS.update(dict.fromkeys(originals, stand_in))
        return stand_in

    return register


# NumPy's constructors -------------------------------------------------------------------------------------------------


def _constructor(original: Callable) -> Callable:
    """Return a stand-in that makes the array as a step of its own, so that it can be written into."""

    def construct(tracer, *args, **kwargs):
        kwargs.pop("like", None)
        if tracer.holds_traced((args, kwargs)):
            args, kwargs = _decided(tracer, args), _decided(tracer, kwargs)
        made = np.zeros if original is np.empty else original
        return tracer.call(made, real(args), real(kwargs))

    return construct


def _decided(tracer: Any, value: Any) -> Any:
    """Return `value` with traced sizes as Python integers."""
    kind = type(value)
    if kind is tracer.array:
        return int(value) if value.dtype.kind in "iub" else tracer.decide(value, "float", value.value)
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
        bounds = [tracer.concrete(part) for part in args]
        count = int(tracer.decide(args[0], "int", len(np.arange(*bounds))))
        start, step = (0.0, 1.0) if len(args) == 1 else (args[0], args[2] if len(args) > 2 else 1.0)
        return start + step * np.arange(count)
    return _constructor(np.arange)(tracer, *args, **kwargs)


@stands_in(np.linspace)
def _linspace(tracer, *args, **kwargs):
    if tracer.holds_traced((args[:2], kwargs.get("start"), kwargs.get("stop"))):
        return functions.HANDLERS[np.linspace](tracer, *args, **kwargs)
    return _constructor(np.linspace)(tracer, *args, **kwargs)


@stands_in(np.full)
def _full(tracer, shape, fill_value, dtype=None, order="C", **kwargs):
    return functions.full(tracer, _decided(tracer, shape), fill_value, real(dtype))


@stands_in(np.array)
def _array(tracer, object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, like=None):
    made = _as_array(tracer, object, real(dtype))
    if copy and made is object:
        made = made.duplicate()
    while made.ndim < ndmin:
        made = made[None]
    return made


@stands_in(np.asarray, np.asanyarray, np.ascontiguousarray, np.asfortranarray, np.asarray_chkfinite, np.require)
def _asarray(tracer, a, dtype=None, order=None, **kwargs):
    return _as_array(tracer, a, real(dtype))


def _as_array(tracer: Any, value: Any, dtype: Any = None) -> Any:
    """Return anything array-like as a traced array with an ndarray for its value."""
    if type(value) is tracer.array:
        if not isinstance(value.value, np.ndarray):
            return tracer.nested(value, dtype)
        return value if dtype is None or value.dtype == dtype else value.cast(dtype)
    if tracer.holds_traced(value):
        return tracer.nested(value, dtype)
    plain = np.array(value, dtype=dtype)
    if plain.dtype.kind not in "fiub":
        return plain
    return tracer.array(tracer, tracer.constant(plain.copy()), plain, 0)


@stands_in(np.fromiter)
def _fromiter(tracer, iter, dtype, count=-1, *, like=None):
    values = [value for value, _ in zip(iter, range(count), strict=False)] if count >= 0 else list(iter)
    return _as_array(tracer, values, real(dtype))


def _number(kind: type) -> Callable:
    """Return the stand-in for a NumPy scalar type used as a conversion, as in np.float64(x)."""

    def convert(tracer, value=0, *args):
        if type(value) is tracer.array:
            return value.cast(kind)
        if tracer.holds_traced(value):
            return tracer.nested(value, kind)
        return kind(value, *args)

    return convert


# Python's builtins ----------------------------------------------------------------------------------------------------


class _Kind(type):
    """Lets a stand-in for a builtin type serve as the type: in isinstance, as dtype=, with its own methods."""

    def __instancecheck__(cls, value):
        return isinstance(value, cls.original)

    def __subclasscheck__(cls, kind):
        return issubclass(kind, cls.original)

    def __getattr__(cls, name):
        return getattr(type.__getattribute__(cls, "original"), name)

    def __eq__(cls, other):
        return other is cls or other is cls.original

    def __hash__(cls):
        return hash(cls.original)

    def __call__(cls, *args, **kwargs):
        return cls.convert(cls.tracer, *args, **kwargs)


def type_stand_in(tracer: Any, original: type, convert: Callable) -> type:
    """Return a stand-in for the type `original` that converts by `convert(tracer, value)`."""
    body = {"original": original, "tracer": tracer, "convert": staticmethod(convert)}
    if issubclass(original, np.generic) or original in (float, int, bool, complex):
        body["dtype"] = np.dtype(original)
    return _Kind(original.__name__, (), body)


def real(value: Any) -> Any:
    """Return `value` with stand-ins for types replaced by the types."""
    if type(value) is _Kind:
        return value.original
    if type(value) in (tuple, list):
        return type(value)([real(part) for part in value])
    if type(value) is dict:
        return {key: real(part) for key, part in value.items()}
    return value


def _float(tracer, value=0.0):
    if type(value) is not tracer.array:
        return float(value)
    if value.size != 1:
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
    picked = functions.METHODS["item"](value)
    if picked.dtype.kind != "f":
        picked = picked.cast(float)
    return functions.scalar(picked)


TYPES: dict[type, Callable] = {
    float: _float,
    **{kind: _number(kind) for kind in (np.float64, np.float32, np.int64, np.int32, np.bool_)},
}


def _extreme(original: Callable, ufunc: Callable) -> Callable:
    """Return the stand-in for `max` or `min`: of scalars that depend on the parameters, the ufunc, so without a branch."""

    def choose(tracer, *args, **kwargs):
        values = args if len(args) > 1 else list(args[0])
        traced = [value for value in values if type(value) is tracer.array]
        if kwargs or not any(value.level == PARAMETER and value.ndim == 0 for value in traced):
            return original(values, **kwargs)
        result = values[0]
        for value in values[1:]:
            result = tracer.elementwise(ufunc, (result, value), original)
        return result

    return choose


STAND_INS[builtins.max] = _extreme(builtins.max, np.maximum)
STAND_INS[builtins.min] = _extreme(builtins.min, np.minimum)


@stands_in(builtins.sum)
def _sum(tracer, values, start=0):
    values = iter(values)
    if type(start) is int and start == 0:
        start = next(values, 0)
    for value in values:
        start = start + value
    return start


@stands_in(builtins.type)
def _type(tracer, *args):
    return args[0].__class__ if len(args) == 1 else type(*args)


@stands_in(builtins.pow)
def _pow(tracer, base, exp, mod=None):
    return base**exp if mod is None else pow(base, exp, mod)


# math -----------------------------------------------------------------------------------------------------------------

_MATH = {
    "exp": np.exp, "expm1": np.expm1, "exp2": np.exp2, "log": np.log, "log1p": np.log1p, "log2": np.log2, "log10": np.log10,
    "sqrt": np.sqrt, "cbrt": np.cbrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh,
    "acosh": np.arccosh, "atanh": np.arctanh, "pow": np.power, "fabs": np.fabs, "degrees": np.degrees, "radians": np.radians,
    "fmod": np.fmod, "copysign": np.copysign, "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite,
}  # fmt: skip
_SPECIAL = {"lgamma": "gammaln", "gamma": "gamma", "erf": "erf", "erfc": "erfc"}


def _math(name: str) -> Callable:
    """Return the stand-in for a function of `math`: its numbers and errors are math's, its derivative NumPy's."""
    original = getattr(math, name)

    def compute(tracer, *args):
        if not any(type(part) is tracer.array for part in args):
            return original(*args)
        if name == "log" and len(args) == 2:
            return compute(tracer, args[0]) / compute(tracer, args[1])
        args = tuple(_float(tracer, part) if type(part) is tracer.array else part for part in args)
        return tracer.elementwise(_operation(name), args, original)

    return compute


def _operation(name: str) -> Callable:
    """Return the ufunc that a function of `math` is recorded as."""
    if name in _SPECIAL:
        import scipy.special

        return getattr(scipy.special, _SPECIAL[name])
    return _MATH[name]


for _name in (*_MATH, *_SPECIAL):
    STAND_INS[getattr(math, _name)] = _math(_name)


@stands_in(math.hypot)
def _hypot(tracer, *coordinates):
    if not tracer.holds_traced(coordinates):
        return math.hypot(*coordinates)
    return _float(tracer, functions.call_function(tracer, np.linalg.norm, (tracer.nested(list(coordinates)),), {}))


@stands_in(math.fsum)
def _fsum(tracer, values):
    values = list(values)
    return _sum(tracer, values, 0.0) if tracer.holds_traced(values) else math.fsum(values)


@stands_in(math.prod)
def _prod(tracer, values, *, start=1):
    for value in values:
        start = start * value
    return start


@stands_in(math.dist)
def _dist(tracer, p, q):
    return _hypot(tracer, *(a - b for a, b in zip(p, q, strict=True)))


# Parts of np that are not functions -----------------------------------------------------------------------------------


class _Joiner:
    """Stands in for np.r_ and np.c_."""

    def __init__(self, tracer: Any, original: Any) -> None:
        self.tracer, self.original = tracer, original

    def __getitem__(self, key):
        parts = key if type(key) is tuple else (key,)
        if not self.tracer.holds_traced(parts):
            return self.original[key]
        if any(isinstance(part, str) for part in parts):
            raise TracingError("np.r_ with a string is not followed.", self.tracer.location(), "use np.concatenate.")
        parts = [self.original[part] if type(part) is slice else _as_array(self.tracer, part) for part in parts]
        if self.original is np.c_:
            return functions.call_function(self.tracer, np.column_stack, (parts,), {})
        parts = [part.reshape(1) if part.ndim == 0 else part for part in parts]
        return functions.call_function(self.tracer, np.concatenate, (parts,), {})


def object_stand_in(tracer: Any, value: Any) -> Any:
    """Return the stand-in for a NumPy object that is neither function nor type, or None."""
    return _Joiner(tracer, value) if value is np.r_ or value is np.c_ else None


def opaque(tracer: Any, original: Callable) -> Callable:
    """Return a stand-in for a SciPy function in Python: one step if a traced array is among its arguments."""

    def recorded(*args, **kwargs):
        if tracer.holds_traced((args, kwargs)):
            return tracer.call(original, real(args), real(kwargs))
        return original(*args, **kwargs)

    return recorded

