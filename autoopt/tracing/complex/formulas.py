"""Functions of complex values by formulas in others of them, for the tables of array.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tracing.arrays.array import TracedArray
from autoopt.tracing.complex.array import FUNCTIONS, UFUNCS, as_complex, call, handles, pair, parts, refusal
from autoopt.tracing.recording.recorder import Recorder

# Universal functions --------------------------------------------------------------------------------------------------


def _ufunc(ufunc: Callable) -> Callable:
    def register(formula: Callable) -> Callable:
        UFUNCS[ufunc] = lambda tracer, z: formula(as_complex(tracer, z).filled())
        return formula

    return register


_ufunc(np.exp2)(lambda z: np.exp(np.log(2.0) * z))
_ufunc(np.log2)(lambda z: np.log(z) / np.log(2.0))


@_ufunc(np.expm1)
def _expm1(z):
    """exp(x) cos(y) - 1 + j exp(x) sin(y), where exp(x) cos(y) - 1 = expm1(x) cos(y) - 2 sin(y/2)^2."""
    return pair(z.tracer, np.expm1(z.re) * np.cos(z.im) - 2 * np.sin(z.im / 2) ** 2, np.exp(z.re) * np.sin(z.im))


@_ufunc(np.log1p)
def _log1p(z):
    """|1 + z|^2 = 1 + x (2 + x) + y^2, without the loss of small x."""
    return pair(z.tracer, 0.5 * np.log1p(z.re * (2 + z.re) + z.im**2), np.log(1 + z).im)


@_ufunc(np.tan)
def _tan(z):
    """tan z = -j tanh(j z)."""
    return -1j * np.tanh(1j * z)


@_ufunc(np.arcsinh)
def _arcsinh(z):
    """arcsinh z = -j arcsin(j z)."""
    return -1j * np.arcsin(1j * z)


@_ufunc(np.arcsin)
def _arcsin(z):
    """By Kahan (1987): Re = atan(x / Re(sqrt(1 - z) sqrt(1 + z))), Im = asinh(Im(conj(sqrt(1 - z)) sqrt(1 + z)))."""
    a, b = np.sqrt(1 - z), np.sqrt(1 + z)
    return pair(z.tracer, np.arctan2(z.re, (a * b).re), np.arcsinh((np.conj(a) * b).im))


@_ufunc(np.arccos)
def _arccos(z):
    return np.pi / 2 - np.arcsin(z)


@_ufunc(np.arccosh)
def _arccosh(z):
    """By Kahan (1987): Re = asinh(Re(conj(sqrt(z - 1)) sqrt(z + 1))), Im = 2 atan(Im sqrt(z - 1) / Re sqrt(z + 1))."""
    a, b = np.sqrt(z - 1), np.sqrt(z + 1)
    return pair(z.tracer, np.arcsinh((np.conj(a) * b).re), 2 * np.arctan2(a.im, b.re))


@_ufunc(np.arctanh)
def _arctanh(z):
    return 0.5 * (np.log1p(z) - np.log1p(-z))


@_ufunc(np.arctan)
def _arctan(z):
    return -1j * np.arctanh(1j * z)


# Functions ------------------------------------------------------------------------------------------------------------


@handles(np.prod)
def _prod(tracer, a, axis=None, keepdims=False):
    a = as_complex(tracer, a)
    axes = range(a.ndim) if axis is None else (axis,) if np.ndim(axis) == 0 else axis
    axes = sorted({one % a.ndim for one in axes}) if a.ndim else []
    moved = np.moveaxis(a, axes, range(len(axes))).reshape((-1, *(n for k, n in enumerate(a.shape) if k not in axes)))
    result = 1.0 + 0.0 * moved.sum(axis=0) if len(moved) == 0 else moved[0]
    for part in moved[1:] if len(moved) > 1 else ():
        result = result * part
    return result.reshape([1 if k in axes else n for k, n in enumerate(a.shape)]) if keepdims else result


@handles(np.cumprod)
def _cumprod(tracer, a, axis=None):
    a = a.ravel() if axis is None else np.moveaxis(a, axis, 0)
    rows = [a[0]]
    for part in a[1:]:
        rows.append(rows[-1] * part)
    return np.stack(rows) if axis is None else np.moveaxis(np.stack(rows), 0, axis)


@handles(np.var)
def _var(tracer, a, axis=None, *, ddof=0, keepdims=False):
    """The mean square of the distance from the mean."""
    a = as_complex(tracer, a).filled()
    parts_ = (a.re, a.im)
    return sum(np.var(part, axis=axis, ddof=ddof, keepdims=keepdims) for part in parts_)


@handles(np.std)
def _std(tracer, a, axis=None, *, ddof=0, keepdims=False):
    return np.sqrt(_var(tracer, a, axis, ddof=ddof, keepdims=keepdims))


def _extreme(tracer: Recorder, z: Any, axis: Any, keepdims: bool, choose: Callable) -> Any:
    """Return the entry of largest or smallest real part, among equals of imaginary part: a choice that is guarded."""
    z = as_complex(tracer, z).filled()
    if keepdims or (axis is not None and z.ndim != 1):
        raise refusal(tracer, "np.max or np.min of complex values along an axis")
    z = z.ravel()
    z = z[np.flatnonzero(z.re == choose(z.re))]
    return z[0] if len(z) == 1 else z[int(np.flatnonzero(z.im == choose(z.im))[0])]


FUNCTIONS[np.max] = lambda tracer, a, axis=None, *, keepdims=False: _extreme(tracer, a, axis, keepdims, np.max)
FUNCTIONS[np.min] = lambda tracer, a, axis=None, *, keepdims=False: _extreme(tracer, a, axis, keepdims, np.min)


@handles(np.sort)
def _sort(tracer, a, axis=-1):
    """By real parts, among equals by imaginary parts: an order that holds at its point."""
    if a.ndim != 1:
        raise refusal(tracer, "np.sort of tables of complex values")
    order = np.argsort(a.value)
    if np.any(a.value[order[1:]] == a.value[order[:-1]]):
        raise refusal(tracer, "np.sort of complex values of which some are equal")
    tracer.tape.caught = True
    return a[order]


FUNCTIONS[np.sort_complex] = _sort


@handles(np.tensordot, np.linalg.tensordot)
def _tensordot(tracer, a, b, axes=2):
    from autoopt.tracing.complex.array import product_of_parts

    return product_of_parts(tracer, a, b, lambda x, y: np.tensordot(x, y, axes=axes))


@handles(np.linalg.multi_dot)
def _multi_dot(tracer, arrays):
    product, *others = arrays
    for one in others:
        product = np.dot(product, one)
    return product


@handles(np.linalg.matrix_power)
def _matrix_power(tracer, a, n):
    if n < 0:
        a, n = np.linalg.inv(a), -n
    result, square = None, a
    while n:
        if n % 2:
            result = square if result is None else result @ square
        square, n = (square @ square if n > 1 else square), n // 2
    return pair(tracer, *np.broadcast_arrays(np.eye(len(a)), 0.0 * a.re)) if result is None else result


@handles(np.average)
def _average(tracer, a, axis=None, weights=None):
    if weights is None:
        return np.mean(a, axis=axis)
    if axis is not None and np.ndim(a) > 1:
        raise refusal(tracer, "np.average with axis= and weights=")
    return (
        np.sum(a * np.asarray(weights)) / np.sum(weights)
        if not _traced(weights)
        else np.sum(a * weights) / np.sum(weights)
    )


@handles(np.trapezoid)
def _trapezoid(tracer, y, x=None, dx=1.0, axis=-1):
    re, im = parts(tracer, as_complex(tracer, y).filled())
    return pair(tracer, np.trapezoid(re, x, dx, axis), np.trapezoid(im, x, dx, axis))


@handles(np.linalg.det)
def _det(tracer, a):
    """By elimination without choice of rows for 1 to 3 rows: their explicit formulas."""
    a = as_complex(tracer, a)
    if a.ndim != 2 or len(a) > 3:
        raise refusal(tracer, "np.linalg.det of more than three rows, or of stacks")
    if len(a) == 1:
        return a[0, 0]
    if len(a) == 2:
        return a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    return sum(a[0, k] * (a[1, k - 2] * a[2, k - 1] - a[1, k - 1] * a[2, k - 2]) for k in range(3))


def _traced(value: Any) -> bool:
    return isinstance(value, TracedArray)


def einsum_chain(tracer: Recorder, subscripts: str, *operands: Any) -> Any:
    """np.einsum of three operands or more, two at a time."""
    if not isinstance(subscripts, str) or "..." in subscripts:
        raise refusal(tracer, "np.einsum of more than two arrays with an ellipsis or lists")
    inputs, _, output = subscripts.replace(" ", "").partition("->")
    labels = inputs.split(",")
    if "->" not in subscripts:
        output = "".join(sorted(letter for letter in set(inputs) - {","} if inputs.count(letter) == 1))
    first, label = operands[0], labels[0]
    for k in range(1, len(operands)):
        rest = set(output).union(*labels[k + 1 :])
        joint = "".join(dict.fromkeys(label + labels[k]))
        kept = output if k == len(operands) - 1 else "".join(letter for letter in joint if letter in rest)
        first = call(tracer, np.einsum, (f"{label},{labels[k]}->{kept}", first, operands[k]), {})
        label = kept
    return first
