"""Discrete Fourier transforms of traced arrays: all by one primitive on real and imaginary parts, `dft`.

Transforms of data alone are steps of their own, as of any other function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape.names import qualified
from autoopt.tape.operations import dft
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.arrays import functions
from autoopt.tracing.complex.array import FUNCTIONS, ComplexArray, as_complex, pair, refusal
from autoopt.tracing.recording.recorder import Recorder


def _transform(tracer: Recorder, a: Any, n: Any, axis: int, norm: Any, inverse: bool) -> Any:
    """Return the transform of `n` points along `axis`."""
    z = _sized(as_complex(tracer, a), n, axis).filled()
    n = z.shape[axis]
    z = np.moveaxis(z, axis, -1)
    both = tracer.call(dft, (z.re, z.im), {"inverse": True} if inverse else {})
    found = pair(tracer, both[..., 0, :], both[..., 1, :])
    scale = {"backward": 1.0 / n if inverse else 1.0, "forward": 1.0 if inverse else 1.0 / n, "ortho": n**-0.5}
    if norm not in (None, *scale):
        raise refusal(tracer, f"np.fft with norm={norm!r}")
    return np.moveaxis(found * scale[norm or "backward"], -1, axis)


def _sized(z: Any, n: Any, axis: int) -> Any:
    """Return `z` cut, or filled up with zeros, to `n` along `axis`."""
    if n is None or n == z.shape[axis]:
        return z
    n, lead = int(n), (slice(None),) * (axis % z.ndim)
    if n < z.shape[axis]:
        return z[(*lead, slice(n))]
    shape = list(z.shape)
    shape[axis] = n - z.shape[axis]
    return np.concatenate([z, np.zeros(shape)], axis=axis)


def _fft(tracer, a, n=None, axis=-1, norm=None):
    return _transform(tracer, a, n, axis, norm, inverse=False)


def _ifft(tracer, a, n=None, axis=-1, norm=None):
    return _transform(tracer, a, n, axis, norm, inverse=True)


def _rfft(tracer, a, n=None, axis=-1, norm=None):
    if type(a) is ComplexArray:
        raise TypeError("ufunc 'rfft_n_even' did not contain a loop with signature matching types")
    found = _fft(tracer, a, n, axis, norm)
    return found[(slice(None),) * (axis % found.ndim) + (slice(found.shape[axis] // 2 + 1),)]


def _irfft(tracer, a, n=None, axis=-1, norm=None):
    """The real part of the inverse transform with the entries that have a mirror image counted twice."""
    z = as_complex(tracer, a)
    n = 2 * (z.shape[axis] - 1) if n is None else int(n)
    half = n // 2 + 1
    weights = np.full(half, 2.0)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[-1] = 1.0
    weights = weights.reshape((-1, *[1] * (z.ndim - axis % z.ndim - 1)))
    return _ifft(tracer, _sized(z, half, axis) * weights, n, axis, norm).real


def _many(tracer: Recorder, a: Any, s: Any, axes: Any, norm: Any, inverse: bool) -> Any:
    """Return the transform along several axes."""
    axes = tuple(range(-len(s), 0)) if axes is None and s is not None else axes
    axes = tuple(range(np.ndim(a))) if axes is None else axes
    for axis, n in zip(axes, s if s is not None else [None] * len(axes), strict=True):
        a = _transform(tracer, a, n, axis, norm, inverse)
    return a


def _rfftn(tracer, a, s=None, axes=None, norm=None):
    axes = tuple(range(np.ndim(a)))[-len(s) if s is not None else 0 :] if axes is None else tuple(axes)
    sizes = list(s) if s is not None else [None] * len(axes)
    return _many(tracer, _rfft(tracer, a, sizes[-1], axes[-1], norm), sizes[:-1], axes[:-1], norm, inverse=False)


def _irfftn(tracer, a, s=None, axes=None, norm=None):
    axes = tuple(range(np.ndim(a)))[-len(s) if s is not None else 0 :] if axes is None else tuple(axes)
    sizes = list(s) if s is not None else [None] * len(axes)
    return _irfft(tracer, _many(tracer, a, sizes[:-1], axes[:-1], norm, inverse=True), sizes[-1], axes[-1], norm)


def _shift(tracer: Recorder, x: Any, axes: Any, back: bool) -> Any:
    """Return `x` rolled by half its length along `axes`, the longer half first if `back`."""
    axes = range(np.ndim(x)) if axes is None else (axes,) if isinstance(axes, int) else axes
    for axis in axes:
        n = x.shape[axis]
        x = np.roll(x, (n + 1) // 2 if back else n // 2, axis=axis)
    return x


_TWO = (-2, -1)
TRANSFORMS: dict[Callable, Callable] = {
    np.fft.fft: _fft,
    np.fft.ifft: _ifft,
    np.fft.rfft: _rfft,
    np.fft.irfft: _irfft,
    np.fft.fftn: lambda tracer, a, s=None, axes=None, norm=None: _many(tracer, a, s, axes, norm, inverse=False),
    np.fft.ifftn: lambda tracer, a, s=None, axes=None, norm=None: _many(tracer, a, s, axes, norm, inverse=True),
    np.fft.fft2: lambda tracer, a, s=None, axes=_TWO, norm=None: _many(tracer, a, s, axes, norm, inverse=False),
    np.fft.ifft2: lambda tracer, a, s=None, axes=_TWO, norm=None: _many(tracer, a, s, axes, norm, inverse=True),
    np.fft.fftshift: lambda tracer, x, axes=None: _shift(tracer, x, axes, back=False),
    np.fft.ifftshift: lambda tracer, x, axes=None: _shift(tracer, x, axes, back=True),
    np.fft.rfftn: _rfftn,
    np.fft.irfftn: _irfftn,
    np.fft.rfft2: lambda tracer, a, s=None, axes=_TWO, norm=None: _rfftn(tracer, a, s, axes, norm),
    np.fft.irfft2: lambda tracer, a, s=None, axes=_TWO, norm=None: _irfftn(tracer, a, s, axes, norm),
}


def _of_parameters(original: Callable, transform: Callable) -> Callable:
    """Return a handler that leaves transforms of data alone to NumPy."""

    def handle(tracer, a, *args, **kwargs):
        if kwargs.pop("out", None) is not None:
            raise refusal(tracer, f"np.fft.{original.__name__} with out=")
        if tracer.level(a) == PARAMETER:
            return transform(tracer, tracer.whole(a), *args, **kwargs)
        a = a.joined(original.__name__) if type(a) is ComplexArray else a
        return tracer.call(original, (a, *args), kwargs)

    return handle


for _original, _own in TRANSFORMS.items():
    functions.HANDLERS[_original] = FUNCTIONS[_original] = _of_parameters(_original, _own)


_REAL = ("dct", "idct", "dst", "idst")


def of_scipy(tracer: Recorder, original: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Evaluate a function of scipy.fft: by NumPy's of that name; a cosine or sine transform by the matrix of it.

    Raises
    ------
    UnsupportedFunctionError
        If there is neither, or an option that NumPy lacks is given.
    """
    name, x = original.__name__, tracer.whole(x)
    if name in _REAL and type(x) is not ComplexArray:
        options = inspect.signature(original).bind(x, *args, **kwargs).arguments
        axis = options.pop("axis", -1)
        del options["x"]
        matrix = original(np.eye(x.shape[axis]), axis=-1, **options)
        return np.moveaxis(np.moveaxis(x, axis, -1) @ matrix, -1, axis)
    own = TRANSFORMS.get(getattr(np.fft, name, None))
    if own is None or kwargs.get("plan") is not None:
        raise refusal(tracer, qualified(original))
    options = inspect.signature(original).bind(x, *args, **kwargs).arguments
    wanted = {key: value for key, value in options.items() if key not in ("x", "overwrite_x", "workers", "plan")}
    return own(tracer, x, **wanted)
