"""NumPy's functions of samples: orders, polynomials by their coefficients, grids, windows, counts."""

from __future__ import annotations

import numpy as np

from autoopt.tape.signatures import Unsupported
from autoopt.tracing.formulas.table import formula

# Orders ---------------------------------------------------------------------------------------------------------------


@formula(np.partition)
def partition(a, kth, axis=-1):
    """NumPy leaves open in which order the entries on each side of kth come; here all are in ascending order."""
    return np.sort(a, axis=axis)


@formula(np.argpartition)
def argpartition(a, kth, axis=-1):
    return np.argsort(a, axis=axis)


@formula(np.unwrap)
def unwrap(p, discont=None, axis=-1, *, period=2 * np.pi):
    """p plus whole periods, so that neighbours differ by no more than `discont`; the number of periods has slope 0."""
    steps = np.diff(p, axis=axis)
    half = period / 2
    wrapped = np.mod(steps + half, period) - half
    wrapped = np.where((wrapped == -half) & (steps > 0), half, wrapped)
    jumps = np.where(np.abs(steps) < (half if discont is None else max(discont, half)), 0.0, wrapped - steps)
    first = np.zeros_like(np.take(p, [0], axis=axis), dtype=float)
    return p + np.concatenate([first, np.cumsum(jumps, axis=axis)], axis=axis)


@formula(np.trim_zeros)
def trim_zeros(filt, trim="fb", axis=None):
    if np.ndim(filt) != 1:
        raise Unsupported("np.trim_zeros of more than one axis", "cut the array by slices")
    found = np.flatnonzero(filt)
    if not len(found):
        return filt[:0]
    start = found[0] if "f" in trim.lower() else 0
    return filt[start : found[-1] + 1 if "b" in trim.lower() else len(filt)]


@formula(np.nanquantile)
def nanquantile(a, q, axis=None, method="linear", keepdims=False):
    """The quantiles of what is a number, row by row."""
    axes = range(a.ndim) if axis is None else [k % a.ndim for k in np.atleast_1d(axis)]
    kept = [k for k in range(a.ndim) if k not in axes]
    lengths = tuple(a.shape[k] for k in kept)
    rows = np.reshape(np.transpose(a, (*kept, *axes)), (int(np.prod(lengths)), -1))
    found = [
        np.quantile(row[~np.isnan(row)], q, method=method) if np.any(~np.isnan(row)) else _no_numbers(q) for row in rows
    ]
    made = np.reshape(np.stack(found, axis=-1), np.shape(q) + lengths)
    return np.expand_dims(made, tuple(np.ndim(q) + k for k in sorted(axes))) if keepdims else made


def _no_numbers(q):
    return np.full(np.shape(q), np.nan)


@formula(np.nanpercentile)
def nanpercentile(a, q, axis=None, method="linear", keepdims=False):
    return nanquantile(a, np.asarray(q) / 100, axis, method, keepdims)


@formula(np.nanmedian)
def nanmedian(a, axis=None, keepdims=False):
    return nanquantile(a, 0.5, axis, keepdims=keepdims)


# Polynomials, highest power first -------------------------------------------------------------------------------------


@formula(np.polyadd)
def polyadd(a1, a2):
    a1, a2 = _coefficients(a1), _coefficients(a2)
    lengthened = [_longer(part, max(len(a1), len(a2))) for part in (a1, a2)]
    return lengthened[0] + lengthened[1]


@formula(np.polysub)
def polysub(a1, a2):
    return polyadd(a1, -_coefficients(a2))


@formula(np.polymul)
def polymul(a1, a2):
    return np.convolve(_coefficients(a1), _coefficients(a2))


def _coefficients(p):
    if isinstance(p, np.poly1d):
        raise Unsupported("a function of np.poly1d objects", "use their operators, as in p * q, or their .coeffs")
    return np.atleast_1d(p)


def _longer(p, length):
    return np.concatenate([np.zeros(length - len(p)), p]) if len(p) < length else p


@formula(np.polyder)
def polyder(p, m=1):
    p = _coefficients(p)
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@formula(np.polyint)
def polyint(p, m=1, k=None):
    p, constants = _coefficients(p), np.zeros(m) if k is None else np.broadcast_to(k, m)
    for i in range(int(m)):
        p = np.concatenate([p / np.arange(len(p), 0, -1), constants[i : i + 1]])
    return p


@formula(np.poly)
def poly(seq_of_zeros):
    if np.ndim(seq_of_zeros) != 1:
        raise Unsupported("np.poly of a matrix", "use the eigenvalues, as in np.poly(np.linalg.eigvalsh(A))")
    made = np.ones(1)
    for k in range(len(seq_of_zeros)):
        made = np.concatenate([made, [0.0]]) - np.concatenate([[0.0], made * seq_of_zeros[k]])
    return made


@formula(np.polyfit)
def polyfit(x, y, deg, rcond=None, w=None):
    """The least squares fit, by columns of one length as NumPy has it."""
    columns, y = np.vander(x, deg + 1), np.asanyarray(y) if type(y) is list else y
    if w is not None:
        columns, y = columns * w[:, None], y * (w if np.ndim(y) == 1 else w[:, None])
    scale = np.sqrt(np.sum(columns * columns, axis=0))
    found = np.linalg.pinv(columns / scale) @ y
    return found / (scale if np.ndim(y) == 1 else scale[:, None])


# Grids and windows ----------------------------------------------------------------------------------------------------


@formula(np.geomspace)
def geomspace(start, stop, num=50, endpoint=True):
    """For ends of one sign, as e^(a + (b - a) t)."""
    if np.any(start * stop <= 0):
        raise Unsupported("np.geomspace with ends of different signs", "write it as np.exp of a grid")
    made = np.sign(start) * np.exp(np.linspace(np.log(np.abs(start)), np.log(np.abs(stop)), num, endpoint=endpoint))
    if num < 2 or not endpoint:
        return made
    first, last = (np.broadcast_to(part, made.shape[1:])[None] for part in (start, stop))
    return np.concatenate([first, made[1:-1], last])


@formula(np.logspace)
def logspace(start, stop, num=50, endpoint=True, base=10.0):
    return np.power(base, np.linspace(start, stop, num, endpoint=endpoint))


@formula(np.resize)
def resize(a, new_shape):
    count = int(np.prod(new_shape))
    return np.reshape(np.take(np.ravel(a), np.arange(count) % a.size), new_shape)


# Counts and sums ------------------------------------------------------------------------------------------------------


@formula(np.cumulative_sum)
def cumulative_sum(x, axis=None, include_initial=False):
    return _accumulated(np.cumsum, np.zeros_like, x, axis, include_initial)


@formula(np.cumulative_prod)
def cumulative_prod(x, axis=None, include_initial=False):
    return _accumulated(np.cumprod, np.ones_like, x, axis, include_initial)


def _accumulated(function, start, x, axis, include_initial):
    axis = 0 if axis is None else axis
    made = function(x, axis=axis)
    if not include_initial:
        return made
    return np.concatenate([start(np.take(x, [0], axis=axis)), made], axis=axis)


@formula(np.nancumsum)
def nancumsum(a, axis=None):
    return np.cumsum(np.where(np.isnan(a), 0.0, a), axis=axis)


@formula(np.nancumprod)
def nancumprod(a, axis=None):
    return np.cumprod(np.where(np.isnan(a), 1.0, a), axis=axis)


@formula(np.apply_over_axes)
def apply_over_axes(func, a, axes):
    for axis in np.atleast_1d(axes):
        reduced = func(a, int(axis))
        a = reduced if reduced.ndim == a.ndim else np.expand_dims(reduced, int(axis))
    return a


@formula(np.i0)
def i0(x):
    from scipy import special

    return special.i0(x)
