"""Primitives that NumPy writes as statements, here as functions that return a new value.

A tape step's operation is a NumPy or SciPy callable, or one of these. They are ordinary NumPy functions, so a step can
always be evaluated; `rules/primitives.py` has their derivatives.
"""

from __future__ import annotations

from functools import reduce

import numpy as np


def put(x, index, value):
    """Return a copy of `x` in which `x[index] = value`."""
    out = np.array(x)
    out[index] = value
    return out


def are_distinct(shape, index):
    """Return whether `x[index] = value` writes no entry of an `x` of this shape twice."""
    picked = np.arange(int(np.prod(shape))).reshape(shape)[index]
    return len(np.unique(picked)) == picked.size


def put_add(x, index, value):
    """Return a copy of `x` in which `value` is added at `index`, repeated positions counted each time."""
    out = np.array(x)
    np.add.at(out, index, value)
    return out


def pack(shape, *elements):
    """Return the scalars (or equal-shaped arrays) `elements` as one array of `shape`, in C order."""
    return np.reshape(np.stack([np.asarray(element) for element in elements]), shape)


def astype(x, dtype):
    """Return `x` converted to `dtype`."""
    return np.asarray(x).astype(dtype)[()]


def component(values, position):
    """Return one of a function's several results."""
    return values[position]


def held(x):
    """Return `x` as a number that no slope leads to."""
    return x


def refined(first, second):
    """Return `second`, which is `first` but for second derivatives: where none are wanted `first` is computed."""
    return second


def total(*terms, minus=()):
    """Return the sum of `terms` less those of `minus`."""
    if not minus:
        return reduce(np.add, terms, 0.0)
    return reduce(np.subtract, minus, reduce(np.add, terms, 0.0))


def product(*factors):
    """Return the product of `factors`."""
    return reduce(np.multiply, factors, 1.0)


def greatest(*candidates):
    """Return the largest of `candidates`, entry by entry."""
    return reduce(np.maximum, candidates)


def least(*candidates):
    """Return the smallest of `candidates`, entry by entry."""
    return reduce(np.minimum, candidates)


def dft(re, im, inverse=False):
    """Return the transform of re + im j along the last axis, its real and imaginary part one above the other.

    Of shape (..., 2, n); the inverse is not divided by n.
    """
    spectrum = (np.fft.ifft if inverse else np.fft.fft)(re + 1j * im, norm="forward" if inverse else None)
    return np.stack([spectrum.real, spectrum.imag], axis=-2)


def sparse_product(A, x):
    """Return `A @ x` for a sparse matrix of SciPy, which is data, and a vector or matrix x."""
    return A @ x


def sparse_transposed_product(A, x):
    """Return `A.T @ x` for a sparse matrix of SciPy, which is data, and a vector or matrix x."""
    return A.T @ x


def faddeeva_real(x, y):
    """Return the real part of scipy.special.wofz(x + 1j * y)."""
    return _special().wofz(x + 1j * y).real


def faddeeva_imaginary(x, y):
    """Return the imaginary part of scipy.special.wofz(x + 1j * y)."""
    return _special().wofz(x + 1j * y).imag


def lambert_real(x, y, k):
    """Return the real part of scipy.special.lambertw(x + 1j * y, k)."""
    return _special().lambertw(x + 1j * y, k).real


def lambert_imaginary(x, y, k):
    """Return the imaginary part of scipy.special.lambertw(x + 1j * y, k)."""
    return _special().lambertw(x + 1j * y, k).imag


def _special():
    from scipy import special

    return special
