"""scipy.signal and scipy.ndimage: convolutions, recursive filters, and what is linear in the signal."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.signal

from autoopt.tape.signatures import Unsupported
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays.indices import decided
from autoopt.tracing.formulas.table import formula

# Convolutions ---------------------------------------------------------------------------------------------------------


def _full(a, v):
    """Return the whole convolution: the larger array shifted by each position of the smaller one."""
    if np.ndim(a) == 1:
        return np.convolve(a, v)
    if np.size(v) > np.size(a):
        a, v = v, a
    padded = np.pad(a, [(n - 1, n - 1) for n in v.shape])
    shape = [n + m - 1 for n, m in zip(a.shape, v.shape, strict=True)]
    out = 0.0
    for place in itertools.product(*map(range, v.shape)):
        starts = (m - 1 - i for m, i in zip(v.shape, place, strict=True))
        out = out + v[place] * padded[tuple(slice(k, k + n) for k, n in zip(starts, shape, strict=True))]
    return out


def _part(full, mode, first, second):
    """Return the part of a whole convolution that SciPy's `mode` asks for."""
    if mode == "full":
        return full
    if mode == "same":
        starts = [(n - m) // 2 for n, m in zip(full.shape, first, strict=True)]
        return full[tuple(slice(k, k + m) for k, m in zip(starts, first, strict=True))]
    if mode != "valid":
        raise Unsupported(f"a convolution of scipy.signal with mode={mode!r}", "use 'full', 'same' or 'valid'")
    small = [min(n, m) for n, m in zip(first, second, strict=True)]
    lengths = [abs(n - m) + 1 for n, m in zip(first, second, strict=True)]
    return full[tuple(slice(m - 1, m - 1 + n) for m, n in zip(small, lengths, strict=True))]


@formula(scipy.signal.convolve, scipy.signal.fftconvolve, scipy.signal.oaconvolve)
def convolve(in1, in2, mode="full", method="auto"):
    return _part(_full(in1, in2), mode, np.shape(in1), np.shape(in2))


@formula(scipy.signal.correlate)
def correlate(in1, in2, mode="full", method="auto"):
    if mode == "valid" and any(n < m for n, m in zip(np.shape(in1), np.shape(in2), strict=True)):
        raise Unsupported("scipy.signal.correlate with the larger array second", "exchange them and reverse the result")
    return convolve(in1, np.flip(in2), mode)


_AROUND = {"wrap": "wrap", "symm": "symmetric"}


@formula(scipy.signal.convolve2d)
def convolve2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    """As convolve; other boundaries are put around the array first."""
    if boundary == "fill" and not np.ndim(fillvalue) and not fillvalue:
        return convolve(in1, in2, mode)
    sides = [(m - 1, m - 1) for m in in2.shape]
    options = {"constant_values": fillvalue} if boundary == "fill" else {"mode": _AROUND[boundary]}
    whole = np.pad(in1, sides, **options)
    full = _part(_full(whole, in2), "valid", whole.shape, in2.shape)
    return _part(full, mode, in1.shape, in2.shape)


@formula(scipy.signal.correlate2d)
def correlate2d(in1, in2, mode="full", boundary="fill", fillvalue=0):
    if mode == "valid" and any(n < m for n, m in zip(in1.shape, in2.shape, strict=True)):
        raise Unsupported("scipy.signal.correlate2d with the larger array second", "exchange them")
    if mode != "same":
        return convolve2d(in1, np.flip(in2), mode, boundary, fillvalue)
    full = convolve2d(in1, np.flip(in2), "full", boundary, fillvalue)
    return full[tuple(slice(m // 2, m // 2 + n) for m, n in zip(in2.shape, in1.shape, strict=True))]


# Recursive filters ----------------------------------------------------------------------------------------------------


@formula(scipy.signal.lfilter)
def lfilter(b, a, x, axis=-1, zi=None):
    """a[0] y[n] = b[0] x[n] + b[1] x[n - 1] + ... - a[1] y[n - 1] - ..., the state `zi` added to the first ones."""
    b, a = np.atleast_1d(b), np.atleast_1d(a)
    b, a = b / a[0], a / a[0]
    x = np.moveaxis(x, axis, 0)
    order, count = max(len(a), len(b)) - 1, x.shape[0]
    if zi is not None and count < order:
        raise Unsupported("scipy.signal.lfilter with zi= of a signal shorter than the filter", "leave out zi")
    ahead = _delayed_sum(b, x)
    if zi is not None:
        state = np.moveaxis(zi, axis, 0)
        ahead = np.concatenate([ahead[: len(state)] + state, ahead[len(state) :]])
    y = _recursion(a, ahead)
    if zi is None:
        return np.moveaxis(y, 0, axis)
    return np.moveaxis(y, 0, axis), np.moveaxis(_final_state(b, a, x, y, order), 0, axis)


def _delayed_sum(b, x):
    """Return the sum over k of b[k] x[n - k] along the first axis."""
    if np.ndim(x) == 1:
        return np.convolve(x, b)[: len(x)]
    out = b[0] * x
    for k in range(1, min(len(b), len(x))):
        out = out + np.concatenate([np.zeros((k, *x.shape[1:])), b[k] * x[:-k]])
    return out


def _recursion(a, ahead):
    """Return y with y[n] = ahead[n] - a[1] y[n - 1] - a[2] y[n - 2] - ..."""
    if len(a) == 1:
        return ahead
    y = []
    for n in range(ahead.shape[0]):
        now = ahead[n]
        for k in range(1, min(len(a), n + 1)):
            now = now - a[k] * y[n - k]
        y.append(now)
    return np.stack(y)


def _final_state(b, a, x, y, order):
    """Return what is left to add to the outputs that follow."""
    states, count = [], x.shape[0]
    for i in range(order):
        terms = [b[k] * x[count + i - k] for k in range(i + 1, len(b))]
        terms += [-a[k] * y[count + i - k] for k in range(i + 1, len(a))]
        states.append(sum(terms[1:], terms[0]) if terms else np.zeros(x.shape[1:]))
    return np.stack(states) if states else np.zeros((0, *x.shape[1:]))


# What is linear in the signal: the products with SciPy's own answers to the unit vectors ------------------------------

_LONGEST = 3000


def _linear(original: Callable, name: str) -> Callable:
    """Return the formula of a function that is linear in the argument `name`, along its `axis`."""

    def transform(*args, **kwargs):
        arguments = inspect.signature(original).bind(*args, **kwargs).arguments
        x, options = arguments.pop(name), arguments
        axis = options.pop("axis", -1)
        options = _settled(original, options)
        n = _checked_length(original, x.shape[axis])
        base = original(**{name: np.zeros((n, 1))}, axis=0, **options)  # not 0 with cval=
        matrix = original(**{name: np.eye(n)}, axis=0, **options) - base
        found = np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)
        return found + np.moveaxis(base.reshape(-1, *[1] * (x.ndim - 1)), 0, axis) if np.any(base) else found

    return transform


def _linear_image(original: Callable) -> Callable:
    """Return the formula of a function of scipy.ndimage that is linear in its first argument, of any shape."""

    def transform(input, *args, **kwargs):
        args, kwargs = _settled(original, args), _settled(original, kwargs)
        n = _checked_length(original, np.size(input))
        base = original(np.zeros(input.shape), *args, **kwargs)  # not 0 with cval=
        rows = [np.ravel(original(unit.reshape(input.shape), *args, **kwargs) - base) for unit in np.eye(n)]
        found = np.reshape(np.ravel(input) @ np.stack(rows), base.shape)
        return found + base if np.any(base) else found

    return transform


def _checked_length(original: Callable, n: int) -> int:
    if n > _LONGEST:
        raise Unsupported(f"{original.__module__}.{original.__name__} of {n} values", "pass jac='finite-difference'")
    return n


def _settled(original: Callable, options: Any) -> Any:
    """Return options as plain values; those that depend on the parameters are refused."""
    if isinstance(options, dict):
        return {key: _settled(original, part) for key, part in options.items()}
    if isinstance(options, tuple | list):
        return type(options)([_settled(original, part) for part in options])
    if not hasattr(type(options), "current"):
        return options
    if options.level == PARAMETER:
        raise Unsupported(f"scipy's {original.__name__} with computed options", "pass plain numbers")
    return decided(options.tracer, options)


_OF_SIGNALS = {
    "filtfilt": "x", "sosfiltfilt": "x", "sosfilt": "x", "detrend": "data", "savgol_filter": "x", "resample": "x",
    "resample_poly": "x", "decimate": "x",
}  # fmt: skip
for _name, _argument in _OF_SIGNALS.items():
    _original = getattr(scipy.signal, _name)
    formula(_original, note="as a product with a matrix")(_linear(_original, _argument))

_OF_IMAGES = (
    "gaussian_filter", "gaussian_filter1d", "uniform_filter", "uniform_filter1d", "convolve", "convolve1d", "correlate",
    "correlate1d", "gaussian_laplace", "laplace", "sobel", "prewitt", "shift", "zoom", "rotate", "spline_filter",
    "map_coordinates", "affine_transform",
)  # fmt: skip
for _name in _OF_IMAGES:
    _original = getattr(scipy.ndimage, _name)
    formula(_original, note="as a product with a matrix")(_linear_image(_original))


@formula(scipy.signal.hilbert)
def hilbert(x, N=None, axis=-1):
    """x and, for its imaginary part, the product with SciPy's own answer to the unit vectors."""
    if N is not None and x.shape[axis] != N:
        raise Unsupported("scipy.signal.hilbert with N=", "pad the signal before")
    matrix = np.imag(scipy.signal.hilbert(np.eye(_checked_length(scipy.signal.hilbert, x.shape[axis])), axis=0))
    return x + 1j * np.moveaxis(np.tensordot(matrix, x, axes=(1, axis)), 0, axis)
