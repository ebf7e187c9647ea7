"""What takes the place of Python's own functions of numbers: builtins such as `float` and `max`, `math` and `cmath`."""

from __future__ import annotations

import builtins
import cmath
import math
from collections.abc import Callable
from functools import partial

import numpy as np

from autoopt.errors import TracingError
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions, methods
from autoopt.tracing.recording import clocks
from autoopt.tracing.standins.constructors import float_of
from autoopt.tracing.standins.table import STAND_INS, TYPES, stands_in
from autoopt.tracing.standins.types import real

# Python's builtins ----------------------------------------------------------------------------------------------------


def _float(tracer, value=0.0):
    if hasattr(type(value), "as_traced") and tracer.level(own := value.as_traced()) == PARAMETER:
        value = own  # a table or matrix of one number
    if type(value) is not tracer.array:
        if isinstance(value, str) and tracer.shown:
            raise TracingError(
                "A number is read from text after a value that depends on the parameters was turned into text, "
                "which would lose its derivative.",
                tracer.location(),
                "use the value itself, rounded with np.round if need be.",
            )
        own = float_of(tracer, value)
        return _float(tracer, own) if type(own) is tracer.array else float(value)
    if value.size != 1:
        raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
    picked = methods.METHODS["item"](value)
    if picked.dtype.kind != "f":
        picked = picked.cast(float)
    return methods.scalar(picked)


def _complex(tracer, real=0.0, imag=0.0):
    if not tracer.holds_traced((real, imag)):
        return complex(real) if isinstance(real, str) else complex(real, imag)
    joined = real if type(imag) in (int, float) and imag == 0 else real + 1j * imag
    return joined if type(joined) is tracer.pair or np.iscomplexobj(joined) else joined + 0j


def _extreme(original: Callable, ufunc: Callable) -> Callable:
    """Return the stand-in for `max` or `min`: of scalars that depend on the parameters, the ufunc, without a branch."""

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
        if type(start) is not tracer.array or start.dtype.kind == "b":
            start = 0 + start
        elif start.ndim:
            start = start.duplicate()  # as 0 + start would be: a new array
    for value in values:
        start = start + value
    return start


def _type(tracer, *args, **options):
    if len(args) != 1:
        return type(*real(args), **options)
    kind = args[0].__class__ if type(args[0]) is tracer.array else type(args[0])
    return tracer.types.get(kind, kind)


TYPES[type] = _type


@stands_in(builtins.pow)
def _pow(tracer, base, exp, mod=None):
    return base**exp if mod is None else pow(base, exp, mod)


# math -----------------------------------------------------------------------------------------------------------------

_MATH = {
    "exp": np.exp, "expm1": np.expm1, "exp2": np.exp2, "log": np.log, "log1p": np.log1p, "log2": np.log2,
    "log10": np.log10, "sqrt": np.sqrt, "cbrt": np.cbrt, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "pow": np.power, "fabs": np.fabs,
    "degrees": np.degrees, "radians": np.radians, "fmod": np.fmod, "copysign": np.copysign, "isnan": np.isnan,
    "isinf": np.isinf, "isfinite": np.isfinite,
}  # fmt: skip
_SPECIAL = {"lgamma": "gammaln", "gamma": "gamma", "erf": "erf", "erfc": "erfc"}


def _math(name: str) -> Callable:
    """Return the stand-in for a function of `math`: its numbers and errors are math's, its derivative NumPy's."""
    original = getattr(math, name)

    def compute(tracer, *args):
        if not any(type(part) is tracer.array for part in args):
            args = float_of(tracer, args)
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


def _cmath(name: str) -> Callable:
    """Return the stand-in for a function of `cmath`."""
    original = getattr(cmath, name)
    function = np.angle if name == "phase" else getattr(np, name)

    def compute(tracer, z, *base):
        if not tracer.holds_traced((z, base)):
            return original(z, *base)
        found = function(_complex(tracer, z))
        return found / compute(tracer, base[0]) if base else found

    return compute


for _name in ("exp", "log", "log10", "sqrt", "sin", "cos", "sinh", "cosh", "tanh", "phase"):
    STAND_INS[getattr(cmath, _name)] = _cmath(_name)
STAND_INS[cmath.polar] = lambda tracer, z: (abs(z), STAND_INS[cmath.phase](tracer, z))
STAND_INS[cmath.rect] = lambda tracer, r, phi: r * STAND_INS[cmath.exp](tracer, 1j * phi)


@stands_in(math.isclose)
def _isclose(tracer, a, b, *, rel_tol=1e-09, abs_tol=0.0):
    if not tracer.holds_traced((a, b)):
        return math.isclose(a, b, rel_tol=rel_tol, abs_tol=abs_tol)
    gap = abs(a - b)
    return any(bool(gap <= limit) for limit in (rel_tol * abs(b), rel_tol * abs(a), abs_tol)) or bool(a == b)


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


def exact(kind: type) -> Callable:
    """Return the stand-in for `Fraction` or `Decimal`, which a trace does not follow."""

    def make(tracer, *args, **kwargs):
        if tracer.level((args, kwargs)) == PARAMETER:
            raise TracingError(
                f"The objective makes a {kind.__name__} of a value that depends on the parameters: this is lost.",
                tracer.location(),
                "calculate with floats.",
            )
        tracer.tape.data_decided = tracer.tape.data_decided or tracer.holds_traced((args, kwargs))
        return kind(*tracer.concrete(args), **tracer.concrete(kwargs))

    return make


TYPES.update({float: _float, complex: _complex})
STAND_INS.update({clock: partial(clocks.read, clock) for clock in clocks.CLOCKS})
