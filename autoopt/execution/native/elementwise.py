"""Functions of numbers, entry by entry: NumPy's and SciPy's callables to instructions."""

from __future__ import annotations

import ctypes
import functools
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.special

from autoopt.execution.native import angles, exponentials, gammas, logarithms, normals
from autoopt.execution.native.arrays import (
    Array,
    NotLowered,
    Number,
    broadcast,
    broadcast_shape,
    joined_cuts,
    joined_kind,
    lift,
)
from autoopt.execution.native.code import TYPES, Code, Index, literal
from autoopt.execution.native.doubles import Double, Test, written

Emit = Callable[..., str]
FLOATS: dict[Any, Emit] = {}
"""Functions of doubles that give a double: `emit(code, *texts)`."""

NUMBERS: dict[Any, Callable] = {}
"""Functions whose result has the kind of the operands together: `emit(code, kind, *texts)`."""

COMPARISONS = {
    np.less: ("olt", "slt"), np.less_equal: ("ole", "sle"), np.greater: ("ogt", "sgt"),
    np.greater_equal: ("oge", "sge"), np.equal: ("oeq", "eq"), np.not_equal: ("une", "ne"),
}  # fmt: skip
TESTS: dict[Any, Emit] = {}
"""Functions of doubles that give a boolean."""

LIBM = {
    np.arcsin: "asin", np.arccos: "acos", np.arctan: "atan",
    np.sinh: "sinh", np.cosh: "cosh", np.arcsinh: "asinh", np.arccosh: "acosh", np.arctanh: "atanh",
    np.arctan2: "atan2", np.hypot: "hypot", np.cbrt: "cbrt",
}  # fmt: skip
FORMULAS: dict[Any, Callable[..., Double]] = {
    np.exp: exponentials.exp, np.exp2: exponentials.exp2, np.expm1: exponentials.expm1, np.tanh: exponentials.tanh,
    scipy.special.expit: exponentials.expit, np.log: logarithms.log, np.log2: logarithms.log2,
    np.log10: logarithms.log10, np.log1p: logarithms.log1p, np.logaddexp: logarithms.logaddexp,
    np.sin: angles.sin, np.cos: angles.cos, np.tan: angles.tan,
    scipy.special.gammaln: gammas.gammaln, scipy.special.psi: gammas.digamma,
    scipy.special.erf: normals.erf, scipy.special.erfc: normals.erfc, scipy.special.erfcx: normals.erfcx,
    scipy.special.ndtr: normals.ndtr, scipy.special.log_ndtr: normals.log_ndtr,
}  # fmt: skip
"""Functions that are written out, so that LLVM does several entries at once."""

UNKNOWN: dict[Any, Callable[..., Test]] = dict.fromkeys((np.sin, np.cos, np.tan), angles.is_far)
UNKNOWN |= dict.fromkeys((scipy.special.gammaln, scipy.special.psi), gammas.is_negative)
"""Where those have no code: there the machine code fails, and the text is run instead."""
INTRINSICS = {np.sqrt: "sqrt", np.fabs: "fabs", np.floor: "floor", np.ceil: "ceil", np.trunc: "trunc",
              np.rint: "rint", np.round: "rint", np.copysign: "copysign"}  # fmt: skip
COSTS = dict.fromkeys((np.add, np.subtract, np.multiply, np.negative, np.positive, np.square, *COMPARISONS), 1)
DEAR = 8
"""Operations that functions are taken for that COSTS does not have."""

KEEPING_WHOLE = {np.maximum, np.minimum, np.clip, np.sign, np.power, np.floor, np.ceil, np.trunc, np.rint, np.round}


def apply(code: Code, function: Any, operands: Sequence[Any]) -> Array | Number:
    """Return what an elementwise function gives, broadcast."""
    values = [lift(code, operand) for operand in operands]
    of_numbers = all(isinstance(value, Number) for value in values)
    emit, kind = _emitter(code, function, [value.kind for value in values], of_numbers)
    shape = broadcast_shape(*(value.shape for value in values))
    numbers = [value for value in values if isinstance(value, Number)]
    if len(numbers) == len(values):
        inside = function in (np.add, np.multiply) and all(number.inside for number in numbers)
        return Number(kind, emit(*(number.text for number in numbers)), inside and kind == "i")
    spread = [broadcast(code, value, shape) for value in values]

    def at(places: Sequence[Index]) -> str:
        return emit(*(value.at(places) for value in spread))

    reads = frozenset().union(*(value.reads for value in spread))
    cost = COSTS.get(function, DEAR) + sum(value.cost for value in spread)
    return Array(kind, shape, at, reads, None, cost, joined_cuts(spread))


def _emitter(code: Code, function: Any, kinds: Sequence[str], of_numbers: bool = False) -> tuple[Emit, str]:
    """Return what emits a function of numbers of these kinds, and the kind of its result.

    A number by itself, as recurrences have them, is for libm, whose tables take less time than a formula.
    """
    if function in NUMBERS:
        kind = joined_kind(kinds)
        return lambda *texts: NUMBERS[function](code, kind, *_converted(code, texts, kinds, kind)), kind
    if function in COMPARISONS:
        kind = joined_kind(kinds)
        ordered, whole = COMPARISONS[function]
        test = (
            f"fcmp {ordered} double"
            if kind == "f"
            else f"icmp {whole.replace('s', 'u') if kind == 'b' else whole} {TYPES[kind]}"
        )
        return lambda *texts: code.put(f"{test} {', '.join(_converted(code, texts, kinds, kind))}"), "b"
    if function in TESTS:
        return lambda *texts: TESTS[function](code, *_converted(code, texts, kinds, "f")), "b"
    if function in KEEPING_WHOLE and joined_kind(kinds) != "f":
        raise NotLowered(f"{function.__name__} of whole numbers")
    emit = (SINGLE.get(function) if of_numbers else None) or FLOATS.get(function) or _special(function)
    return lambda *texts: emit(code, *_converted(code, texts, kinds, "f")), "f"


def _converted(code: Code, texts: Sequence[str], kinds: Sequence[str], kind: str) -> list[str]:
    return [code.convert(text, have, kind) for text, have in zip(texts, kinds, strict=True)]


@functools.cache
def _special(function: Any) -> Emit:
    """Return what calls one of scipy.special's functions of doubles, by the address that Cython code is given."""
    name = getattr(function, "__name__", "")
    if not isinstance(function, np.ufunc) or getattr(scipy.special, name, None) is not function:
        raise NotLowered(name or str(function))
    from scipy.special import cython_special

    assert function is not None  # nothing has no name
    signature = rf"double \({', '.join(['double'] * function.nin)}, int __pyx_skip_dispatch\)"
    for key, capsule in cython_special.__pyx_capi__.items():
        if re.fullmatch(rf"(__pyx_fuse_\d+)?{name}", key):
            found = re.search(r'"(.*)"', str(capsule))
            if found and re.fullmatch(signature, found[1]):
                return functools.partial(_call_special, f"autoopt_{name}", _address(capsule, found[1]))
    raise NotLowered(name)


SPECIAL_ADDRESSES: dict[str, int] = {}


def _address(capsule: Any, signature: str) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return get(capsule, signature.encode())


def _call_special(name: str, address: int, code: Code, *texts: str) -> str:
    SPECIAL_ADDRESSES[name] = address
    types = ", ".join([*["double"] * len(texts), "i32"])
    code.externals.setdefault(name, f"declare double @{name}({types}) nounwind willreturn memory(none)")
    return code.put(f"call double @{name}({', '.join(f'double {text}' for text in texts)}, i32 0)")


# The table ------------------------------------------------------------------------------------------------------------


def emits(table: dict, *functions: Any) -> Callable[[Callable], Callable]:
    """Register what emits `functions`."""

    def register(emit: Callable) -> Callable:
        table.update(dict.fromkeys(functions, emit))
        return emit

    return register


def _libm(name: str, code: Code, *texts: str) -> str:
    return code.call(name, *texts)


def intrinsic(name: str, code: Code, *texts: str) -> str:
    """Return the result of one of LLVM's own functions."""
    return code.call(f"llvm.{name}.f64", *texts)


SINGLE: dict[Any, Emit] = {
    function: functools.partial(_libm, name)
    for function, name in {
        np.exp: "exp", np.exp2: "exp2", np.expm1: "expm1", np.tanh: "tanh", np.log: "log", np.log2: "log2",
        np.log10: "log10", np.log1p: "log1p", np.sin: "sin", np.cos: "cos", np.tan: "tan",
    }.items()
}  # fmt: skip
"""What emits functions of one number."""

FLOATS |= {f: written(formula.__name__, formula, UNKNOWN.get(f)) for f, formula in FORMULAS.items()}
FLOATS |= {function: functools.partial(_libm, name) for function, name in LIBM.items()}
FLOATS |= {function: functools.partial(intrinsic, name) for function, name in INTRINSICS.items()}


def _arithmetic(floating: str, whole: str, code: Code, kind: str, a: str, b: str) -> str:
    if kind == "b":
        raise NotLowered("arithmetic of booleans")
    return code.put(f"{floating} double {a}, {b}" if kind == "f" else f"{whole} i64 {a}, {b}")


for _function, _python, _floating, _whole in (
    (np.add, operator.add, "fadd", "add"),
    (np.subtract, operator.sub, "fsub", "sub"),
    (np.multiply, operator.mul, "fmul", "mul"),
):
    NUMBERS[_function] = functools.partial(_arithmetic, _floating, _whole)


@emits(FLOATS, np.true_divide)
def _divide(code: Code, a: str, b: str) -> str:
    return code.put(f"fdiv double {a}, {b}")


@emits(FLOATS, np.reciprocal)
def _reciprocal(code: Code, x: str) -> str:
    return code.put(f"fdiv double {literal(1.0, 'f')}, {x}")


@emits(NUMBERS, np.negative)
def _negative(code: Code, kind: str, x: str) -> str:
    if kind == "b":
        raise NotLowered("minus of booleans")
    return code.put(f"fneg double {x}" if kind == "f" else f"sub i64 0, {x}")


@emits(NUMBERS, np.positive)
def _positive(code: Code, kind: str, x: str) -> str:
    return x


@emits(NUMBERS, np.square)
def _square(code: Code, kind: str, x: str) -> str:
    return _arithmetic("fmul", "mul", code, kind, x, x)


@emits(NUMBERS, np.absolute)
def _absolute(code: Code, kind: str, x: str) -> str:
    if kind != "f":
        raise NotLowered("abs of whole numbers")
    return intrinsic("fabs", code, x)


@emits(FLOATS, np.maximum)
def maximum(code: Code, a: str, b: str) -> str:
    """The larger; NaN if one is."""
    return _extreme("oge", code, a, b)


@emits(FLOATS, np.minimum)
def minimum(code: Code, a: str, b: str) -> str:
    """The smaller; NaN if one is."""
    return _extreme("ole", code, a, b)


def _extreme(test: str, code: Code, a: str, b: str) -> str:
    better = code.put(f"fcmp {test} double {a}, {b}")
    unordered = code.put(f"fcmp uno double {a}, {a}")
    return code.put(f"select i1 {code.put(f'or i1 {better}, {unordered}')}, double {a}, double {b}")


@emits(FLOATS, np.clip)
def _clip(code: Code, x: str, low: str, high: str) -> str:
    return minimum(code, maximum(code, x, low), high)


@emits(FLOATS, np.sign)
def _sign(code: Code, x: str) -> str:
    zero = literal(0.0, "f")
    up = code.put(f"uitofp i1 {code.put(f'fcmp ogt double {x}, {zero}')} to double")
    down = code.put(f"uitofp i1 {code.put(f'fcmp olt double {x}, {zero}')} to double")
    plain = code.put(f"fsub double {up}, {down}")
    return code.put(f"select i1 {code.put(f'fcmp uno double {x}, {x}')}, double {x}, double {plain}")


@emits(FLOATS, np.power, np.float_power)
def _power(code: Code, x: str, exponent: str) -> str:
    whole = {literal(k, "f"): k for k in (0.5, 1.0, 2.0, 3.0, 4.0)}.get(exponent)
    if whole == 0.5:
        return intrinsic("sqrt", code, x)
    if whole is None:
        return code.call("pow", x, exponent)
    found = x
    for _ in range(int(whole) - 1):
        found = code.put(f"fmul double {found}, {x}")
    return found


_TRIGAMMA = written("trigamma", gammas.trigamma, gammas.is_negative)


@emits(FLOATS, scipy.special.polygamma)
def _polygamma(code: Code, order: str, x: str) -> str:
    if order == literal(0.0, "f"):
        return FLOATS[scipy.special.psi](code, x)
    if order != literal(1.0, "f"):
        raise NotLowered("a higher derivative of the gamma function")
    return _TRIGAMMA(code, x)


_LOG1P = FLOATS[np.log1p]
_LOG1P_OF_POWER = written("log1p_of_power", logarithms.log1p_of_power)


@emits(FLOATS, np.log1p)
def _log1p(code: Code, x: str) -> str:
    """log(1 + x), in a softplus that of 1 + e**-|z|."""
    register, exponent = x, x
    for pattern in (r"call double @exp\(double (%\w+)\)", r"fneg double (%\w+)"):
        made = re.match(pattern, code.instructions.get(register, ""))
        if made is None:
            return _LOG1P(code, x)
        register, exponent = made[1], register
    if "@llvm.fabs" in code.instructions.get(register, ""):
        return _LOG1P_OF_POWER(code, exponent)
    return _LOG1P(code, x)


@emits(TESTS, np.isnan)
def _isnan(code: Code, x: str) -> str:
    return code.put(f"fcmp uno double {x}, {x}")


@emits(TESTS, np.isinf)
def _isinf(code: Code, x: str) -> str:
    return code.put(f"fcmp oeq double {intrinsic('fabs', code, x)}, {literal(np.inf, 'f')}")


@emits(TESTS, np.isfinite)
def _isfinite(code: Code, x: str) -> str:
    return code.put(f"fcmp olt double {intrinsic('fabs', code, x)}, {literal(np.inf, 'f')}")


@emits(TESTS, np.signbit)
def _signbit(code: Code, x: str) -> str:
    one = code.call("llvm.copysign.f64", literal(1.0, "f"), x)
    return code.put(f"fcmp olt double {one}, {literal(0.0, 'f')}")


def _bitwise(name: str, code: Code, kind: str, a: str, b: str) -> str:
    if kind == "f":
        raise NotLowered("bits of floats")
    return code.put(f"{name} {TYPES[kind]} {a}, {b}")


_BITS: dict[np.ufunc, str] = {np.bitwise_and: "and", np.bitwise_or: "or", np.bitwise_xor: "xor"}
NUMBERS |= {function: functools.partial(_bitwise, name) for function, name in _BITS.items()}


@emits(NUMBERS, np.invert, np.logical_not)
def _invert(code: Code, kind: str, x: str) -> str:
    if kind != "b":
        raise NotLowered("bits of numbers")
    return code.put(f"xor i1 {x}, true")


def where(code: Code, condition: Any, yes: Any, no: Any) -> Array | Number:
    """Return `np.where(condition, yes, no)`; both are computed."""
    test, yes, no = (lift(code, value) for value in (condition, yes, no))
    kind = joined_kind([yes.kind, no.kind])

    def emit(*texts: str) -> str:
        chosen = code.convert(texts[0], test.kind, "b")
        one, other = (code.convert(t, v.kind, kind) for t, v in zip(texts[1:], (yes, no), strict=True))
        return code.put(f"select i1 {chosen}, {TYPES[kind]} {one}, {TYPES[kind]} {other}")

    shape = broadcast_shape(test.shape, yes.shape, no.shape)
    if shape == ():
        return Number(kind, emit(*(v.text if isinstance(v, Number) else v.at(()) for v in (test, yes, no))))
    spread = [broadcast(code, value, shape) for value in (test, yes, no)]
    reads = frozenset().union(*(value.reads for value in spread))
    cost = 1 + sum(value.cost for value in spread)
    return Array(
        kind,
        shape,
        lambda places: emit(*(value.at(places) for value in spread)),
        reads,
        None,
        cost,
        joined_cuts(spread),
    )


def as_kind(code: Code, value: Array | Number, kind: str) -> Array | Number:
    """Return a value converted, as `astype` does."""
    if isinstance(value, Number):
        return Number(kind, code.convert(value.text, value.kind, kind), value.inside and kind == "i")
    return Array(
        kind,
        value.shape,
        lambda places: code.convert(value.at(places), value.kind, kind),
        value.reads,
        None,
        value.cost,
        value.cuts,
    )
