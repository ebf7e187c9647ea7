"""Functions of one element at a time: NumPy's ufuncs and what is built of them."""

from __future__ import annotations

from math import log, pi

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.scalar.basic import GT, Abs, Add, Cast, Cosh, Mul, Sqr
from pytensor.tensor.elemwise import DimShuffle, Elemwise

from autoopt.ops import scalars
from autoopt.ops.operands import broadcast, discrete, real, squared, squares_to, static, tensor
from autoopt.rules.reductions import is_sum_of_squares, root
from autoopt.rules.table import Unsupported, rule

for function, expression in {
    np.exp: pt.exp,
    np.cbrt: scalars.cbrt,
    np.exp2: lambda x: pt.exp(x * tensor(log(2))),
    np.expm1: pt.expm1,
    np.log: lambda x: _log_cosh(x) if _is(x, Cosh) else pt.log(x),
    np.log2: pt.log2,
    np.log10: pt.log10,
    np.log1p: pt.log1p,
    np.square: squared,
    np.reciprocal: pt.reciprocal,
    np.negative: pt.neg,
    np.positive: lambda x: x,
    np.sin: pt.sin,
    np.cos: pt.cos,
    np.tan: pt.tan,
    np.arcsin: pt.arcsin,
    np.arccos: pt.arccos,
    np.arctan: pt.arctan,
    np.arctan2: pt.arctan2,
    np.sinh: pt.sinh,
    np.cosh: pt.cosh,
    np.tanh: pt.tanh,
    np.arcsinh: pt.arcsinh,
    np.arccosh: pt.arccosh,
    np.arctanh: pt.arctanh,
    np.deg2rad: lambda x: x * tensor(pi / 180),
    np.radians: lambda x: x * tensor(pi / 180),
    np.rad2deg: lambda x: x * tensor(180 / pi),
    np.degrees: lambda x: x * tensor(180 / pi),
    np.subtract: pt.sub,
    np.true_divide: pt.true_div,
    np.conjugate: lambda x: x,
}.items():
    rule(function)(expression)

for function, expression in {
    np.equal: pt.eq,
    np.not_equal: pt.neq,
    np.less: pt.lt,
    np.less_equal: pt.le,
    np.greater: pt.gt,
    np.greater_equal: pt.ge,
    np.logical_and: lambda x, y: pt.and_(truth(x), truth(y)),
    np.logical_or: lambda x, y: pt.or_(truth(x), truth(y)),
    np.logical_xor: lambda x, y: pt.xor(truth(x), truth(y)),
    np.logical_not: lambda x: pt.invert(truth(x)),
    np.bitwise_and: pt.and_,
    np.bitwise_or: pt.or_,
    np.bitwise_xor: pt.xor,
    np.invert: pt.invert,
    np.isnan: pt.isnan,
    np.isinf: pt.isinf,
    np.isfinite: lambda x: pt.invert(pt.or_(pt.isnan(x), pt.isinf(x))),
    np.sign: pt.sign,
    np.signbit: lambda x: pt.lt(x, 0),
    np.floor: lambda x: x if discrete(x) else pt.floor(x),
    np.ceil: lambda x: x if discrete(x) else pt.ceil(x),
    np.trunc: lambda x: x if discrete(x) else pt.trunc(x),
    np.rint: pt.round_half_to_even,
    np.floor_divide: pt.floor_div,
}.items():
    rule(function, order=0)(expression)


def _is(x, kind):
    """Whether `x` is written as an elementwise operation of this kind."""
    return x.owner is not None and isinstance(x.owner.op, Elemwise) and isinstance(x.owner.op.scalar_op, kind)


def _adds_squares(x):
    """Whether `x` is written as squares added up, as in x**2 + y**2."""
    parts = [part.owner.inputs[0] if _widened(part) else part for part in x.owner.inputs] if _is(x, Add) else []
    return bool(parts) and all(_is(part, Sqr) or _adds_squares(part) for part in parts)


def _is_held_above_zero(x):
    """Whether `x` is maximum(u, 0), clip(u, 0, c), u (u > 0) or |u|: a distance squared that rounds below 0."""
    if _is(x, Abs):
        return True
    operands = x.owner.inputs if x.owner is not None else []
    if _is(x, type(scalars.maximum.scalar_op)):
        return any(_is_zero(part) for part in operands)
    if _is(x, type(scalars.minimum.scalar_op)):
        return any(_is_held_above_zero(part) for part in operands)
    return _is(x, Mul) and any(_is(part, GT) and _is_zero(part.owner.inputs[1]) for part in operands)


def _is_zero(x):
    """Whether `x` is the constant 0, of any type and shape."""
    while _widened(x) or _is(x, Cast):
        x = x.owner.inputs[0]
    value = static(x)
    return value is not None and bool(np.all(value == 0))


def _widened(x):
    return x.owner is not None and isinstance(x.owner.op, DimShuffle)


def _distance(x):
    """The root of a sum of squares, with slope 0 at 0, as that of a norm."""
    return squares_to(scalars.distance(x), x)


def _log_cosh(x):
    """log(cosh u) = log(exp u + exp -u) - log 2, which does not overflow."""
    (u,) = x.owner.inputs
    return scalars.logaddexp(u, -u) - tensor(log(2))


def truth(x):
    """Return `x` as booleans."""
    return x if x.dtype == "bool" else pt.neq(x, 0)


@rule(np.add)
def add(x, y):
    return pt.or_(x, y) if x.dtype == y.dtype == "bool" else pt.add(x, y)


@rule(np.multiply)
def multiply(x, y):
    return pt.and_(x, y) if x.dtype == y.dtype == "bool" else pt.mul(x, y)


@rule(np.power, np.float_power)
def power(x, y):
    """x^y with 0^0 = 1 and slope y x^(y - 1), which is 0 for y = 0, at x = 0 too."""
    exponent = static(y)
    if exponent is not None and exponent.size == 1 and not discrete(x):
        n = exponent.item()
        if n == 1:
            return x if y.ndim <= x.ndim else pt.shape_padleft(x, y.ndim - x.ndim)
        if n == 2:
            return squared(x) if y.ndim <= x.ndim else pt.shape_padleft(squared(x), y.ndim - x.ndim)
        if n > 1 and _is(x, Abs):
            return pt.pow(scalars.size(x.owner.inputs[0]), y)
        if n != 0:
            return pt.pow(x, y)
    return pt.pow(x, y) if discrete(x) and discrete(y) else scalars.power(x, y)


@rule(np.sqrt)
def square_root(x):
    """The root; that of squares added up, or held above 0, is a distance, with slope 0 at 0."""
    if is_sum_of_squares(x):
        return root(x)
    if _adds_squares(x):
        return _distance(x)
    return scalars.distance(x) if _is_held_above_zero(x) else pt.sqrt(x)


@rule(np.absolute, np.fabs)
def absolute(x):
    """|x|, with slope 0 at 0."""
    return x if x.dtype == "bool" else squares_to(pt.abs(x), pt.sqr(x))


@rule(np.maximum)
def maximum(x, y):
    """The larger of two; at a tie each has half the slope."""
    if x.dtype == y.dtype == "bool":
        return pt.or_(x, y)
    return pt.maximum(x, y) if discrete(x) and discrete(y) else scalars.maximum(x, y)


@rule(np.minimum)
def minimum(x, y):
    """The smaller of two; at a tie each has half the slope."""
    if x.dtype == y.dtype == "bool":
        return pt.and_(x, y)
    return pt.minimum(x, y) if discrete(x) and discrete(y) else scalars.minimum(x, y)


@rule(np.fmax)
def fmax(x, y):
    return pt.switch(pt.isnan(x), y, pt.switch(pt.isnan(y), x, maximum(x, y)))


@rule(np.fmin)
def fmin(x, y):
    return pt.switch(pt.isnan(x), y, pt.switch(pt.isnan(y), x, minimum(x, y)))


@rule(np.clip)
def clip(a, a_min=None, a_max=None, min=None, max=None):
    """`a` held between two bounds; on a bound it has half the slope."""
    lower, upper = (min if a_min is None else a_min), (max if a_max is None else a_max)
    out = tensor(a)
    out = out if lower is None else maximum(*_alike(out, tensor(lower)))
    return out if upper is None else minimum(*_alike(out, tensor(upper)))


def _alike(x, y):
    """Return two operands in their common type."""
    common = np.result_type(x.dtype, y.dtype)
    return [part if part.dtype == common else part.astype(str(common)) for part in (x, y)]


@rule(np.mod)
def mod(x, y):
    """x - y floor(x / y): slope 1 in x, and -floor(x / y) in y, between the jumps."""
    return pt.mod(x, y)


@rule(np.fmod)
def fmod(x, y):
    """x - y trunc(x / y): the remainder with the sign of x."""
    magnitude = pt.mod(pt.abs(x), pt.abs(y))
    return pt.switch(pt.lt(x, 0), -magnitude, magnitude)


@rule(np.divmod)
def divmod_(x, y):
    return pt.floor_div(x, y), pt.mod(x, y)


@rule(np.modf)
def modf(x):
    whole = pt.trunc(x)
    return x - whole, whole


@rule(np.hypot)
def hypot(x, y):
    """sqrt(x^2 + y^2), scaled so that it does not overflow, with slope 0 at the origin."""
    scale = pt.maximum(pt.abs(x), pt.abs(y))
    away = pt.gt(scale, 0)
    unit = _scale(pt.switch(away, scale, 1.0))
    squares = pt.sqr(x / unit) + pt.sqr(y / unit)
    length = pt.switch(away, unit * pt.sqrt(pt.switch(away, squares, 1.0)), 0.0)
    return squares_to(length, pt.sqr(x) + pt.sqr(y))


def _scale(x):
    """Return `x` as a factor that has no derivative, because it cancels."""
    return pt.switch(pt.isinf(x), 1.0, disconnected_grad(x))


@rule(np.logaddexp)
def logaddexp(x, y):
    """log(exp x + exp y), never overflowing, with slope 1/2 each at a tie, and 0 where both are -inf."""
    for one, other in ((x, y), (y, x)):
        if one.ndim <= other.ndim and static(one) is not None and np.all(static(one) == 0):
            return pt.softplus(other)
    return scalars.logaddexp(x, y)


@rule(np.logaddexp2)
def logaddexp2(x, y):
    """log2(2^x + 2^y), never overflowing."""
    return y + pt.softplus((x - y) * tensor(log(2))) * tensor(1 / log(2))


@rule(np.copysign)
def copysign(x, y):
    """|x| with the sign of y, which is x where both are the same."""
    return x if x is y else pt.switch(negative(y), -pt.abs(x), pt.abs(x))


def negative(x):
    """Return where `x` is below zero or is the negative zero."""
    return pt.or_(pt.lt(x, 0), pt.and_(pt.eq(x, 0), pt.lt(pt.reciprocal(x), 0)))


@rule(np.heaviside, order=0)
def heaviside(x, y):
    return pt.switch(pt.lt(x, 0), 0.0, pt.switch(pt.eq(x, 0), y, pt.switch(pt.gt(x, 0), 1.0, x)))


@rule(np.ldexp)
def ldexp(x, i):
    return x * pt.pow(tensor(2.0), i)


@rule(np.where)
def where(condition, x=None, y=None):
    if x is None or y is None:
        raise Unsupported("np.where with one argument", "use np.where(condition, x, y)")
    x, y = _alike(tensor(x), tensor(y))
    return pt.switch(truth(tensor(condition)), x, y)


@rule(np.sinc)
def sinc(x):
    """sin(pi x) / (pi x); near 0 by its series, whose derivatives need no division."""
    z = real(x) * tensor(pi)
    near = pt.lt(pt.abs(z), 0.5)
    small, far = pt.sqr(pt.switch(near, z, 0.0)), pt.switch(near, 1.0, z)
    series = tensor(1.0)
    for k in range(8, 0, -1):
        series = 1 - small * series / (2.0 * k * (2 * k + 1))
    return pt.switch(near, series, pt.sin(far) / far)


@rule(np.nan_to_num)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    x = tensor(x)
    largest = np.finfo(float).max
    x = pt.switch(pt.isnan(x), real(nan), x)
    x = pt.switch(pt.eq(x, np.inf), real(largest if posinf is None else posinf), x)
    return pt.switch(pt.eq(x, -np.inf), real(-largest if neginf is None else neginf), x)


@rule(np.round, order=0)
def round_(a, decimals=0):
    a = tensor(a)
    if discrete(a) and decimals >= 0:
        return a
    factor = tensor(10.0 ** abs(decimals))
    scaled = a if decimals == 0 else a * factor if decimals > 0 else a / factor
    rounded = pt.round_half_to_even(scaled)
    return rounded if decimals == 0 else rounded / factor if decimals > 0 else rounded * factor


@rule(np.fix, order=0)
def fix(x):
    return pt.trunc(real(x))


@rule(np.real)
def real_part(val):
    return tensor(val)


@rule(np.real_if_close)
def real_if_close(a):
    return tensor(a)


@rule(np.isclose, order=0)
def isclose(a, b, rtol=1e-05, atol=1e-08):
    a, b = broadcast(real(a), real(b))
    return pt.or_(pt.eq(a, b), pt.and_(pt.isfinite(b), pt.le(pt.abs(a - b), atol + rtol * pt.abs(b))))
