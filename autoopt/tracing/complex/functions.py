"""What NumPy's ufuncs and functions do with complex values, for the tables of array.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autoopt.tape.names import qualified
from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.complex.array import (
    FUNCTIONS,
    ROUNDING,
    UFUNCS,
    ComplexArray,
    absent,
    as_complex,
    broadcast,
    call,
    copied,
    handles,
    held,
    minus,
    pair,
    parts,
    plus,
    product_of_parts,
    refusal,
    times,
    zeros,
)
from autoopt.tracing.complex.formulas import einsum_chain
from autoopt.tracing.recording.recorder import Recorder

# Universal functions --------------------------------------------------------------------------------------------------


def _ufunc(*ufuncs: Callable) -> Callable:
    def register(function: Callable) -> Callable:
        UFUNCS.update(dict.fromkeys(ufuncs, function))
        return function

    return register


@_ufunc(np.add)
def _add(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    return broadcast(tracer, plus(a, c), plus(b, d), z, w)


@_ufunc(np.subtract)
def _subtract(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    return broadcast(tracer, minus(a, c), minus(b, d), z, w)


@_ufunc(np.multiply)
def _multiply(tracer, z, w):
    return product_of_parts(tracer, z, w)


@_ufunc(np.matmul)
def _matmul(tracer, z, w):
    return product_of_parts(tracer, z, w, np.matmul)


@_ufunc(np.true_divide)
def _divide(tracer, z, w):
    (a, b), (c, d) = parts(tracer, z), parts(tracer, w)
    if absent(d):
        return broadcast(tracer, a / c, b / c, z, w)
    size = plus(times(c, c), d * d)
    numerator = product_of_parts(tracer, z, _conjugate(tracer, w))
    return broadcast(tracer, numerator.re / size, numerator.im / size, z, w)


@_ufunc(np.negative)
def _negative(tracer, z):
    return ComplexArray(tracer, -z.re, -z.im)


@_ufunc(np.positive)
def _positive(tracer, z):
    return z.duplicate()


@_ufunc(np.conjugate)
def _conjugate(tracer, z):
    z = as_complex(tracer, z)
    return ComplexArray(tracer, copied(z.re), -z.im)


@_ufunc(np.absolute)
def _absolute(tracer, z):
    if absent(z.im) or absent(z.re):
        return abs(held(z))
    return np.hypot(z.re, z.im)


@_ufunc(np.square)
def _square(tracer, z):
    return product_of_parts(tracer, z, z)


@_ufunc(np.reciprocal)
def _reciprocal(tracer, z):
    return _divide(tracer, 1.0, z)


@_ufunc(np.exp)
def _exp(tracer, z):
    z = as_complex(tracer, z)
    if absent(z.im):
        return pair(tracer, np.exp(z.re), 0.0)
    re, im = np.cos(z.im), np.sin(z.im)
    if absent(z.re):
        return pair(tracer, re, im)
    size = np.exp(z.re)
    return pair(tracer, size * re, size * im)


@_ufunc(np.log)
def _log(tracer, z):
    z = as_complex(tracer, z)
    return pair(tracer, np.log(_absolute(tracer, z)), _angle(tracer, z))


@_ufunc(np.log10)
def _log10(tracer, z):
    return product_of_parts(tracer, _log(tracer, z), 1 / np.log(10.0))


def _angle(tracer: Recorder, z: Any, deg: bool = False) -> Any:
    z = as_complex(tracer, z)
    if absent(z.im):
        angle = np.where(z.re < 0, np.copysign(np.pi, z.im), 0.0)[()]
    else:
        _refuse_cut(tracer, z)
        with _analytic(tracer, z):
            angle = np.sign(z.im) * (np.pi / 2) if absent(z.re) else np.arctan2(z.im, z.re)
    return angle * (180 / np.pi) if deg else angle


def _refuse_cut(tracer: Recorder, z: ComplexArray) -> None:
    """Raise where a negative real number's root or angle would depend on the sign that rounding gave to a zero."""
    if absent(z.re) or not np.any(abs(z.im.value) <= ROUNDING * abs(z.re.value)):
        return
    if np.any(np.logical_and(abs(z.im) <= ROUNDING * abs(z.re), z.re < 0)):
        raise refusal(tracer, "a root, logarithm or angle of a negative real number within an array")


@_ufunc(np.sqrt)
def _sqrt(tracer, z):
    """The principal root: t + im/(2 t) j to the right, |im|/(2 t) + copysign(t, im) j to the left."""
    z = as_complex(tracer, z)
    if absent(z.im):
        root, right = np.sqrt(abs(z.re)), z.re >= 0
        return pair(tracer, np.where(right, root, 0.0)[()], np.where(right, 0.0, np.copysign(1.0, z.im) * root)[()])
    _refuse_cut(tracer, z)
    with _analytic(tracer, z):
        size = 0.5 * (_absolute(tracer, z) + abs(z.re))
        away = size > 0
        root = np.where(away, np.sqrt(np.where(away, size, 1.0)), 0.0)
        other = z.im / np.where(away, 2 * root, 1.0)
        right = z.re >= 0
        return pair(tracer, np.where(right, root, abs(other))[()], np.where(right, other, np.copysign(root, z.im))[()])


@contextmanager
def _analytic(tracer: Recorder, z: ComplexArray) -> Iterator[None]:
    """Note for an integral that is traced that these steps have no kink but where z crosses the negative numbers."""
    mark, site = len(tracer.steps), tracer.site()
    yield
    if tracer.analytic is not None and not absent(z.re):
        tracer.analytic.append((range(mark, len(tracer.steps)), site, z))


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
                result = z if result is None else product_of_parts(tracer, result, z)
            z, count = product_of_parts(tracer, z, z) if count > 1 else z, count // 2
        return result.duplicate() if result is not None else broadcast(tracer, 1.0 + 0.0 * held(z), 0.0, z)
    if type(w) is float and w == 0.5:
        return _sqrt(tracer, z)
    return _exp(tracer, product_of_parts(tracer, w, _log(tracer, z)))


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
    np.diag, np.broadcast_to, np.repeat, np.tile, np.take, np.copy, np.gradient, np.tril, np.triu, np.matrix_transpose,
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
    FUNCTIONS[_bilinear] = lambda tracer, a, b, *args, _bilinear=_bilinear: product_of_parts(
        tracer, a, b, lambda x, y: _bilinear(x, y, *args)
    )
FUNCTIONS[np.vdot] = lambda tracer, a, b: product_of_parts(
    tracer, _conjugate(tracer, np.ravel(a)), as_complex(tracer, b).ravel(), np.dot
)
FUNCTIONS[np.isreal] = lambda tracer, x: np.equal(x.filled().im, 0)
FUNCTIONS[np.iscomplex] = lambda tracer, x: np.not_equal(x.filled().im, 0)


@handles(np.real_if_close)
def _real_if_close(tracer, a, tol=100):
    size = tol * np.finfo(float).eps if tol > 1 else tol
    return a.filled().re if absent(a.im) or bool(np.all(abs(a.im) < size)) else a


FUNCTIONS[np.iscomplexobj] = lambda tracer, x: True
FUNCTIONS[np.isrealobj] = lambda tracer, x: False
FUNCTIONS[np.shape] = lambda tracer, a: a.shape
FUNCTIONS[np.ndim] = lambda tracer, a: a.ndim
FUNCTIONS[np.size] = lambda tracer, a, axis=None: a.size if axis is None else a.shape[axis]


@handles(np.where)
def _where(tracer, condition, x, y):
    (a, b), (c, d) = parts(tracer, x), parts(tracer, y)
    return pair(tracer, np.where(condition, a, c), 0.0 if absent(b) and absent(d) else np.where(condition, b, d))


@handles(np.zeros_like, np.empty_like)
def _zeros_like(tracer, a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    shape = a.shape if shape is None else shape
    return zeros(tracer, shape) if np.dtype(dtype or complex).kind == "c" else tracer.call(np.zeros, (shape, dtype), {})


@handles(np.ones_like)
def _ones_like(tracer, a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    made = _zeros_like(tracer, a, dtype, order, subok, shape)
    made[...] = 1.0
    return made


@handles(np.polyval)
def _polyval(tracer, p, x):
    value = 0.0
    for coefficient in p:
        value = value * x + coefficient
    return value


@handles(np.einsum)
def _einsum(tracer, subscripts, *operands):
    if len(operands) == 1:
        return _part_by_part(lambda part: np.einsum(subscripts, part))(tracer, *operands)
    if len(operands) != 2 or not isinstance(subscripts, str):
        return einsum_chain(tracer, subscripts, *operands)
    return product_of_parts(tracer, *operands, lambda x, y: np.einsum(subscripts, x, y))


@handles(np.linalg.norm)
def _norm(tracer, x, ord=None, axis=None, keepdims=False):
    return np.linalg.norm(_absolute(tracer, x), ord, axis, keepdims)


@handles(np.linalg.solve)
def _solve(tracer, a, b):
    """The real system [[Re, -Im], [Im, Re]] of twice the size."""
    a, b = as_complex(tracer, a).filled(), as_complex(tracer, b).filled()
    if a.ndim != 2:
        raise refusal(tracer, "np.linalg.solve of stacked matrices")
    matrix = np.concatenate([np.concatenate([a.re, -a.im], axis=1), np.concatenate([a.im, a.re], axis=1)])
    found = np.linalg.solve(matrix, np.concatenate([b.re, b.im]))
    return pair(tracer, found[: len(a)], found[len(a) :])


@handles(np.linalg.inv)
def _inv(tracer, a):
    return _solve(tracer, a, np.eye(len(a)))
