"""The cases of test_rules.py: how each function is called, at random, tied, zero and far points."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.integrate
import scipy.special as special

from autoopt.rules import load_all
from autoopt.rules.table import name
from autoopt.tape import operations
from autoopt.tape.windows import windows

RULES = load_all()


@dataclass(frozen=True)
class Data:
    """An array that is an input of the rule but not differentiated."""

    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """One call. Float arrays are differentiated; integer arrays, boolean arrays and `Data` are variables, too.

    At a `kink` the slope is the mean of the slopes on both sides and the curvature is finite.
    """

    function: Callable
    args: tuple
    kwargs: dict = field(default_factory=dict)
    kink: bool = False
    order: int = 2
    step: float = 0.02
    tolerance: float = 1e-12
    direction: tuple = ()

    @property
    def expected(self) -> Any:
        """What NumPy gives."""
        with np.errstate(all="ignore"):
            args, kwargs = plain(self.args), plain(self.kwargs)
            return self.function(*args, **kwargs)

    @property
    def key(self) -> str:
        """What the compiled rule depends on."""
        return f"{name(self.function)}{describe(self.args)}{describe(self.kwargs)}{self.order}"

    def __str__(self) -> str:
        return f"{name(self.function)}{describe(self.args)}"


def plain(args: Any) -> Any:
    if isinstance(args, Data):
        return args.value
    if isinstance(args, list | tuple):
        return type(args)(plain(part) for part in args)
    return {key: plain(part) for key, part in args.items()} if isinstance(args, dict) else args


def describe(args: Any) -> str:
    if isinstance(args, np.ndarray):
        return f"{args.dtype}{list(args.shape)}"
    if isinstance(args, Data):
        return f"data {describe(args.value)}"
    if isinstance(args, list | tuple):
        return f"({', '.join(map(describe, args))})"
    if isinstance(args, dict):
        return ", ".join(f"{key}={describe(part)}" for key, part in args.items())
    return repr(args)


CASES: list[Case] = []


def case(function: Callable, *args: Any, options: dict | None = None, **kwargs: Any) -> None:
    CASES.append(Case(function, args, kwargs, **{"order": RULES[function].order, **(options or {})}))


def kink(function: Callable, *args: Any, **kwargs: Any) -> None:
    case(function, *args, options={"kink": True}, **kwargs)


def a(*values: Any) -> np.ndarray:
    return np.array(values, float)


RNG = np.random.default_rng(0)
M = RNG.normal(size=(3, 4))
V = RNG.normal(size=4)
P = RNG.uniform(0.2, 1.5, size=5)
EMPTY = np.zeros(0)
MASK = np.array([True, False, True, True])
COUNTS = np.array([2, 0, 1, 3])

# Elementwise ---------------------------------------------------------------------------------------------------------
REAL = (a(-1.3, 0.2, 0.0, 0.9, 2.1),)
FAR = (a(-800.0, 800.0, -30.0, 30.0, 1e-8),)
POSITIVE = (P, a(1e-3 * 50, 800.0, 3.0, 1.0, 1.5))
UNIT = (a(-0.9, -0.2, 0.0, 0.5, 0.8),)
TAME = REAL + (a(-30.0, 10.0, 0.5, -5.0, 3.0),)

UNARY = {
    (np.exp, np.exp2, np.expm1, np.sinh, np.cosh): REAL,
    (np.log, np.log2, np.log10, np.log1p, np.sqrt, np.reciprocal, np.cbrt): POSITIVE,
    (np.square, np.negative, np.positive, np.sin, np.cos, np.arctan, np.tanh, np.arcsinh): REAL + FAR,
    (np.deg2rad, np.radians, np.rad2deg, np.degrees, np.conjugate): REAL + FAR,
    (np.tan, np.arcsin, np.arctanh, np.arccos): UNIT,
    (np.arccosh,): (1 + P,),
    (np.absolute, np.fabs): (a(-1.3, 0.2, 3.0, 0.9, 2.1), a(-800.0, 800.0, -1.0, 1.0, 5.0)),
    (np.sinc, special.sinc): REAL + (a(-800.0, 30.0, 0.158, 0.16, 1e-9),),
    (np.sign, np.floor, np.ceil, np.trunc, np.rint, np.fix, np.signbit): (a(-1.3, 0.2, 0.0, 2.5, -3.5),),
    (np.isnan, np.isinf, np.isfinite, np.logical_not): (a(np.nan, np.inf, -np.inf, 0.0, 1.0),),
    (np.real, np.real_if_close): REAL,
    (np.modf,): (a(-1.3, 0.2, 0.7, 2.4, -3.6),),
    (np.round,): (a(-1.3, 0.5, 1.5, 2.5, -3.456),),
}


def unary(table: dict) -> None:
    """Add the functions of one argument of a table, at its points, at a number and at an empty array."""
    for functions, points in table.items():
        for function in functions:
            for point in points:
                case(function, point)
            case(function, np.array(points[0][1]), options={"order": 0})
            case(function, EMPTY, options={"order": 0})


unary(UNARY)
for function in (np.exp, np.sqrt, np.tanh, np.square, np.absolute, np.negative, np.sign, np.floor):
    case(function, np.array([1, 2, 3]))
for function in (np.exp, np.expm1, np.exp2):
    case(function, a(-800.0, -30.0, 5.0, 0.0, 10.0))
kink(np.absolute, a(0.0, 0.0, 1.0))
kink(np.fabs, a(0.0))
case(np.cbrt, a(-8.0, -1.0, 27.0))
case(np.log1p, a(-0.9, 1e-12, 3.0))

REALS = ((a(-1.3, 0.2, 0.0, 0.9), a(0.7, -0.4, 1.1, 2.0)), (a(-800.0, 800.0, 1.0, -1.0), a(800.0, -800.0, 3.0, -2.0)))
TIED = (a(1.0, 0.0, -2.0, 800.0), a(1.0, 0.0, -2.0, 800.0))
BINARY = {
    (np.add, np.subtract, np.multiply, np.true_divide, np.arctan2, np.hypot, np.logaddexp, np.logaddexp2): REALS,
    (np.maximum, np.minimum, np.fmax, np.fmin): REALS,
    (np.mod, np.fmod, np.divmod): ((a(5.3, -5.3, 2.2, 7.0), a(2.0, 2.1, -1.5, -3.0)),),
    (np.floor_divide,): ((a(5.3, -5.3, 2.2, 7.0), a(2.0, 2.1, -1.5, -3.0)),),
    (np.power, np.float_power): ((a(0.3, 1.2, 2.0, 5.0), a(-1.5, 0.0, 2.0, 0.5)),),
    (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal): REALS + (TIED,),
    (np.logical_and, np.logical_or, np.logical_xor): (REALS[0], (a(0.0, 0.0, 1.0, 2.0), a(0.0, 1.0, 0.0, 1.0))),
    (np.copysign,): ((a(-1.3, 0.2, -0.7, 0.9), a(0.7, -0.4, 3.0, -2.0)),),
    (np.heaviside,): ((a(-1.0, 0.0, 2.0, np.nan), a(0.5, 0.5, 0.5, 0.5)),),
}
for functions, points in BINARY.items():
    for function in functions:
        for x, y in points:
            case(function, x, y)
        x, y = points[0]
        case(function, x[:, None], y[:1])
        case(function, x, 1.5)
        case(function, 2.5, y)
        case(function, x, 2)
        case(function, EMPTY, y[:1], options={"order": 0})
for function in (np.logaddexp, np.logaddexp2, np.true_divide):
    case(function, a(1.0, 1.0, -2.0, 800.0), a(1.0, 1.0, -2.0, 800.0))
for function in (np.maximum, np.minimum, np.fmax, np.fmin):
    kink(function, *TIED)
    kink(function, a(0.0, 1.0), 0.0)
    case(function, a(np.nan, 1.0), a(2.0, 3.0), options={"order": 0})
for function in (np.add, np.multiply, np.subtract, np.true_divide, np.maximum, np.power, np.mod, np.arctan2):
    case(function, V, COUNTS + 1)
    case(function, COUNTS, COUNTS + 1)
for function in (np.add, np.multiply, np.maximum, np.minimum, np.logical_and):
    case(function, MASK, ~MASK)
case(np.multiply, MASK, V)
for function in (np.bitwise_and, np.bitwise_or, np.bitwise_xor):
    case(function, MASK, ~MASK)
    case(function, COUNTS, COUNTS + 1)
case(np.invert, MASK)
case(np.arctan2, a(1.0, -1.0, 0.5), a(-800.0, 1e-3, 2.0), options={"step": 1e-4})
for exponent in (0, 1, 2, 3, 4, 2.5, 1.0, 2.0, 3.0):
    case(np.power, a(0.6, 1.0, 2.0, 9.0), exponent)
for exponent in (0, 1, 2, 3, 5, 2.0):
    case(np.power, a(-1.5, 0.0, 2.0), exponent)
    case(np.power, a(-1.5, 0.0, 2.0), Data(np.full(3, float(exponent))))
case(np.power, a(-1.5, 0.5, 2.0), -3)
case(np.power, V[:, None], np.arange(4))
case(np.power, a(-1.5, 0.0)[:, None], np.array([0, 1, 2, 3]))
case(np.power, 2, a(0.5, -3.0, 0.0))
case(np.power, a(2.0, 0.5), a(3.0, 0.0))
kink(np.hypot, a(0.0), a(0.0))
case(np.hypot, a(1e200, 3.0), a(1e200, 4.0), options={"order": 0})
case(np.ldexp, V, COUNTS)
case(np.clip, V, -0.5, 0.5)
case(np.clip, V, None, 0.5)
case(np.clip, V, a(-0.1, -0.2, -0.3, -0.4), np.inf)
case(np.clip, V, min=0.1)
kink(np.clip, a(0.0, 0.5, 1.0), 0, 1)
case(np.where, MASK, V, 0)
case(np.where, MASK, V, -V)
case(np.where, MASK, M, V)
case(np.where, V, V, 1)
case(np.where, MASK, COUNTS, 1)
case(np.nan_to_num, a(1.0, -2.0))
case(np.nan_to_num, a(np.nan, np.inf, -np.inf), nan=1.0, posinf=2.0, options={"order": 0})
case(np.round, a(1.2345, -0.5), 2)
case(np.round, a(1234.5), -2)
case(np.isclose, a(1.0, 2.0), a(1.0 + 1e-9, 2.1))

for function in list(RULES):
    owner = getattr(function, "__self__", None)
    if function.__name__ == "outer" and isinstance(owner, np.ufunc):
        if "i->" in "".join(kind[1:] for kind in owner.types) and "dd->d" not in owner.types:
            case(function, *((V, COUNTS) if owner is np.ldexp else (COUNTS, MASK)))
        else:
            first = np.array([1, 2]) if RULES[owner].note else a(0.35, 0.85, 0.4)
            operands = (a(0.45, 0.7), first - 1) if RULES[owner].note.endswith("in phi") else (first, a(0.45, 0.7))
            case(function, *operands, options={"order": min(1, RULES[owner].order)})

# Reductions ----------------------------------------------------------------------------------------------------------
T = RNG.normal(size=(2, 3, 4))
for function in (np.sum, np.prod, np.mean, np.var, np.std, np.max, np.min, np.ptp, np.median, np.average,
                 np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin,
                 np.all, np.any, np.count_nonzero):  # fmt: skip
    case(function, V)
    case(function, M, axis=0)
    case(function, M, axis=-1, keepdims=True)
    if function not in (np.average, np.median):
        case(function, T, axis=(0, -1))
for function in (np.sum, np.prod, np.mean, np.max, np.min, np.nansum, np.all, np.any):
    case(function, COUNTS)
    case(function, MASK)
    case(function, np.array(1.5))
for function in (np.sum, np.prod, np.nansum, np.nanprod, np.all, np.any):
    case(function, EMPTY)
for function in (np.argmax, np.argmin):
    case(function, V)
    case(function, M, axis=0)
    case(function, M, axis=-1, keepdims=True)
    case(function, a(1.0, 1.0, 0.0, 0.0))
    case(function, MASK)
for function in (np.nansum, np.nanmean, np.nanvar, np.nanmax, np.nanmin, np.nanprod):
    case(function, a(1.0, np.nan, 3.0, np.nan), options={"order": 0})
case(np.sum, V, dtype=float)
case(np.sum, M, initial=1.5)
case(np.sum, COUNTS, dtype=float)
case(np.var, V, ddof=1)
case(np.std, M, axis=0, ddof=1)
kink(np.std, a(1.0, 1.0))
for zeros in (a(0.0, 2.0, 3.0), a(0.0, 0.0, 3.0), a(0.0, 0.0, 0.0), a(800.0, -800.0, 1.0)):
    case(np.prod, zeros)
    case(np.cumprod, zeros)
case(np.prod, RNG.uniform(0.5, 1.5, size=9))
kink(np.max, a(1.0, 1.0, 0.0))
kink(np.min, a(2.0, 1.0, 1.0))
case(np.max, a(-800.0, 800.0, 3.0))
for function in (np.quantile, np.percentile):
    scale = 1 if function is np.quantile else 100
    case(function, V, 0.3 * scale)
    case(function, M, [0.1 * scale, 0.5 * scale, 1.0 * scale], axis=1)
    case(function, M, 0.25 * scale, axis=0, keepdims=True)
    case(function, M, [0.25 * scale, 0.0], keepdims=True)
case(np.median, a(3.0, 1.0, 2.0, 9.0, 5.0))
case(np.average, V, weights=Data(a(1.0, 2.0, 3.0, 4.0)))
case(np.average, M, axis=1, weights=a(1.0, 2.0, 3.0, 4.0))
case(np.average, M, axis=0, weights=np.abs(M))
for function in (np.cumsum, np.cumprod):
    case(function, V)
    case(function, M)
    case(function, M, axis=0)
    case(function, M, axis=-1)
    case(function, EMPTY)
    case(function, COUNTS)
    case(function, MASK)
for function in (np.add.accumulate, np.multiply.accumulate):
    case(function, M)
    case(function, M, axis=1)
for function in (np.add.reduce, np.multiply.reduce):
    case(function, M)
    case(function, M, axis=1)
    case(function, V)
for function in (np.maximum.reduce, np.minimum.reduce, np.logical_and.reduce, np.logical_or.reduce):
    case(function, V)
    case(function, M, axis=0)
    case(function, M)
case(np.diff, V)
case(np.diff, M, n=2)
case(np.diff, M, axis=0)
case(np.diff, V, prepend=0.0, append=a(1.0, 2.0))
case(np.ediff1d, M)
for function in (np.trapezoid, scipy.integrate.trapezoid):
    case(function, V)
    case(function, M, dx=0.5, axis=0)
    case(function, V, a(0.0, 1.0, 3.0, 4.0))
    case(function, M, x=a(0.0, 1.0, 3.0, 4.0))
    case(function, M, x=a(0.0, 1.0, 3.0), axis=0)
    case(function, M, x=np.cumsum(M * M, axis=1))

# What a reduction leaves out, and what it starts from ----------------------------------------------------------------
PART = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, False]])
for function in (np.sum, np.prod, np.mean, np.var, np.std):
    case(function, M, axis=1, where=PART)
    case(function, M, where=PART[0], keepdims=True)
case(np.sum, M, where=PART, initial=np.array(1.5), axis=0)
case(np.prod, M, initial=2.0)
case(np.add.reduce, M, 1, where=PART)
case(np.multiply.reduce, M, 0, initial=np.array(0.5))
for function in (np.max, np.min, np.maximum.reduce, np.minimum.reduce):
    case(function, M, axis=1, initial=-0.35, where=PART)
    case(function, M, axis=0, initial=np.array(0.2), keepdims=True)
case(np.max, EMPTY, initial=2.0)
case(np.min, np.zeros((0, 3)), axis=0, initial=2.0)
for function in (np.all, np.any):
    case(function, M > 0, axis=1, where=PART)
case(np.var, M, axis=1, correction=1)
case(np.std, M, axis=1, mean=np.mean(M, axis=1, keepdims=True))
case(np.average, M, axis=1, weights=P[:4], returned=True)
case(np.average, M, axis=0, returned=True)
for function in (np.nanmax, np.nanmin):
    case(function, np.where(PART, M, np.nan)[:, :2], axis=1)
for method in ("lower", "higher", "nearest", "midpoint", "hazen", "weibull", "median_unbiased", "inverted_cdf"):
    case(np.quantile, V, [0.3, 0.8], method=method)
case(np.ediff1d, V, to_begin=np.array(0.5), to_end=[1.0, 2.0])
case(np.cov, M, fweights=[1, 2, 0, 1])
case(np.cov, M, aweights=P[:4])
case(np.cov, M, fweights=[1, 2, 0, 1], aweights=P[:4], bias=True)
case(np.linalg.norm, V, 0)
case(np.take, V, [5, -2], mode="wrap")
case(np.take, V, [5, -2], mode="clip")
case(np.insert, V, [0, 2, 2], a(1.0, 2.0, 3.0))
case(np.insert, V, [1, 3], 0.5)
case(np.pad, M, ((1, 0), (0, 2)), constant_values=((1.0, 2.0), (3.0, 4.0)))
case(np.pad, V, (1, 2), constant_values=a(0.5, 1.5))
case(np.sort, V, kind="stable")
case(np.argsort, M, axis=1, stable=True)
if "descending" in inspect.signature(np.sort).parameters:  # from NumPy 2.5 on
    case(np.sort, M, axis=0, descending=True)
    case(np.sort, M, axis=None, descending=True)
    case(np.sort, np.array([3, 1, 3, -2]), descending=True)
    case(np.argsort, M, axis=1, descending=True)
    case(np.argsort, np.array([1.0, 0.5, 1.0, 0.5]), stable=True, descending=True)
case(np.nan_to_num, a(1.0, np.nan, np.inf), nan=np.array(0.5), posinf=2.0)

# Indexing ------------------------------------------------------------------------------------------------------------
SLICES = [0, -1, slice(1, 3), slice(None, None, -1), (0, 1), (slice(None), 2), None, Ellipsis, (Ellipsis, 0), ()]
SLICES += [(slice(None), None), ([0, 2, 0],), (slice(None), [1, -1]), ([0, 1], [2, 3]), (np.int64(1), slice(1, None))]
SLICES += [slice(2, None, -2)]
for index in SLICES:
    case(operator.getitem, M, index)
    case(operations.put, M, index, np.array(0.7))
    case(operations.put_add, M, index, np.array(0.7))
case(operator.getitem, M, (np.array([0, 1, 1]), slice(None)))
case(operator.getitem, M, np.array([[0, 1], [2, -1]]))
case(operator.getitem, V, [True, False, True, True])
case(operator.getitem, M, (slice(None), [True, False, True, True]))
case(operator.getitem, V, MASK)
case(operations.put, V, slice(1, 3), a(1.0, 2.0))
case(operations.put, V, slice(1, 3), a(1.0, 2.0)[None])
case(operations.put, M, 1, V)
case(operations.put, M, (slice(None), 1), 3)
case(operations.put, V, [True, False, True, True], a(1.0, 2.0, 3.0))
case(operations.put, COUNTS, 1, 7)
case(operations.put_add, V, [0, 0, 1], a(1.0, 2.0, 3.0))
case(operations.put_add, V, np.array([0, 0, 1]), 1.5)
case(operations.put, V, np.array([0, 0, 1]), a(1.0, 2.0, 3.0))
case(operations.put, V, [0, 0, 1], a(1.0, 2.0, 3.0))
case(operations.put, V, MASK, np.array(2.0))
case(operations.pack, (2, 2), np.array(1.0), 2.0, np.array(3.0), 4)
case(operations.pack, (2, 4), V, V)
case(windows, M, ((0, 2, 1, 1), (1, 3, 1, 1)))
case(windows, V, ((0, 2, 1, 2),))
case(windows, V, ((0, 2, 2, 1),))
case(windows, V, ((0, 3, 1, 1),))
case(operations.astype, V, float)
case(operations.astype, V, int, options={"order": 0})
case(operations.astype, V, bool, options={"order": 0})
case(operations.astype, MASK, float)
case(np.take, M, [0, 5])
case(np.take, M, np.array([0, 1, 1]), axis=1)
case(np.take, M, 2, axis=-1)
case(np.take_along_axis, M, np.argsort(M, axis=1), axis=1)
case(np.take_along_axis, M, np.argsort(M, axis=0)[:2], axis=0)
case(np.take_along_axis, V, np.array([1, 1]), axis=None)
case(np.compress, [True, False, True], M, axis=0)
case(np.extract, [True, False, True, True], V)
case(np.select, [MASK, ~MASK], [V, 2 * V], 0)
case(np.select, [V > 0], [V], default=1.5)
case(np.choose, np.array([0, 1, 0, 1]), [V, 2 * V])

# Refusals: the function, how it is called, and what the message must say ---------------------------------------------
REFUSED: list[tuple] = [
    (np.sum, (V,), {"dtype": np.float32}, "np.sum with dtype=float32"),
    (np.exp, (V,), {"where": MASK}, "np.exp with where="),
    (np.exp, (V,), {"dtype": np.float32}, "np.exp with dtype="),
    (np.exp, (MASK,), {}, "np.exp of booleans"),
    (np.exp, (V, V), {}, "np.exp with 2 operands"),
    (np.quantile, (V, np.array([0.5])), {}, "np.quantile at a level"),
    (np.quantile, (V, 0.5), {"weights": V}, "np.quantile with weights="),
    (np.where, (V,), {}, "np.where with one argument"),
    (np.choose, (COUNTS, [V, V]), {"mode": "clip"}, "np.choose with mode='clip'"),
    (np.compress, (MASK, V), {}, "np.compress with a computed condition"),
    (operator.getitem, (V, True), {}, "indexing with True"),
    (operator.getitem, (V, V), {}, "floating-point"),
    (operations.put, (V.astype(np.float32), 0, np.array(0.5)), {}, "writing float64 into an array of float32"),
    (operations.put_add, (COUNTS, 0, np.array(1)), {}, "adding into an array of int64"),
    (operations.astype, (V, np.float32), {}, "conversion to float32"),
    (operations.put, (M, (None, [0, 0]), 1.0), {}, "None and arrays"),
    (np.insert, (V, np.array([0, 1]), 1.0), {}, "np.insert of several"),
    (np.pad, (V, 1), {"mode": "mean"}, "np.pad with mode='mean'"),
]
