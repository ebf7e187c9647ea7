"""Functions of sampled data: polynomials, interpolation, convolution, differences, integrals, covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

from autoopt.rules.linalg import matmul
from autoopt.rules.operands import along, axes, broadcast, real, shape, static, tensor
from autoopt.rules.reductions import root
from autoopt.rules.shapes import concatenate, matrix_transpose
from autoopt.rules.table import RULES, Unsupported, rule


@rule(np.polyval)
def polyval(p, x):
    """The polynomial with coefficients `p`, highest power first, by Horner's scheme."""
    p, x = real(p), real(x)
    out = pt.zeros_like(x)
    for i in range(shape(p)[0]):
        out = out * x + p[i]
    return out


@rule(np.polynomial.polynomial.polyval)
def polynomial(x, c, tensor=True):
    """The polynomial with coefficients `c`, lowest power first."""
    c = real(c)
    if c.ndim != 1:
        raise Unsupported("np.polynomial.polynomial.polyval of several polynomials", "evaluate them one by one")
    return polyval(c[::-1], x)


@rule(np.vander)
def vander(x, N=None, increasing=False):
    x = real(x)
    count = shape(x)[0] if N is None else N
    powers = np.arange(count) if increasing else np.arange(count)[::-1]
    return RULES[np.power].build(x.reshape((-1, 1)), powers.astype(float))


@rule(np.searchsorted, order=0)
def searchsorted(a, v, side="left"):
    return pt.searchsorted(tensor(a), tensor(v), side=side)


@rule(np.digitize, order=0)
def digitize(x, bins, right=False):
    if (bins := static(bins)) is None or np.any(np.diff(bins) < 0):
        raise Unsupported("np.digitize with computed or decreasing bins", "use np.searchsorted")
    return pt.searchsorted(tensor(bins), tensor(x), side="left" if right else "right")


@rule(np.interp)
def interp(x, xp, fp, left=None, right=None):
    """Piecewise linear interpolation; at a knot the slope is that of the piece on its right."""
    x, xp, fp = real(x), real(xp), real(fp)
    last = shape(xp)[0] - 1
    left, right = fp[0] if left is None else tensor(left), fp[-1] if right is None else tensor(right)
    if last == 0:
        return pt.switch(pt.lt(x, xp[0]), left, pt.switch(pt.gt(x, xp[0]), right, fp[0]))
    piece = pt.clip(pt.searchsorted(xp, x, side="right") - 1, 0, last - 1)
    start, width = xp[piece], xp[piece + 1] - xp[piece]
    inside = fp[piece] + (fp[piece + 1] - fp[piece]) / width * (x - start)
    return pt.switch(pt.lt(x, xp[0]), left, pt.switch(pt.gt(x, xp[-1]), right, inside))


@rule(np.convolve)
def convolve(a, v, mode="full"):
    a, v = real(a), real(v)
    if shape(v)[0] > shape(a)[0]:
        a, v = v, a
    n, m = shape(a)[0], shape(v)[0]
    first, count = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    padded = pt.concatenate([pt.zeros(m - 1), a, pt.zeros(m - 1)]) if m > 1 else a
    windows = first + np.arange(count)[:, None] + np.arange(m)
    return pt.dot(padded[pt.constant(windows)], v[::-1])


@rule(np.correlate)
def correlate(a, v, mode="valid"):
    a, v = real(a), real(v)
    if shape(v)[0] > shape(a)[0]:
        raise Unsupported("np.correlate with the longer array second", "exchange the arrays and reverse the result")
    if mode == "same" and shape(v)[0] % 2 == 0:
        raise Unsupported("np.correlate with mode='same' and an even length", "use mode='full' and a slice")
    return convolve(a, v[::-1], mode)


@rule(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """Central differences inside and one-sided ones at the ends; equal spacing along each axis."""
    f = real(f)
    picked = axes(axis, f.ndim)
    spacings = varargs if len(varargs) == len(picked) else list(varargs or [1.0]) * len(picked)
    if any(tensor(spacing).ndim for spacing in spacings) or edge_order != 1:
        raise Unsupported("np.gradient with coordinates or edge_order=2", "pass the spacing as a number")
    out = tuple(_slope(f, i, tensor(spacing)) for i, spacing in zip(picked, spacings, strict=True))
    return out[0] if len(out) == 1 else out


def _slope(f: Any, axis: int, spacing: Any) -> Any:
    def part(start: int | None, stop: int | None) -> Any:
        return f[along(axis, slice(start, stop))]

    inner = (part(2, None) - part(None, -2)) / (2.0 * spacing)
    ends = (part(1, 2) - part(0, 1)) / spacing, (part(-1, None) - part(-2, -1)) / spacing
    return pt.concatenate([ends[0], inner, ends[1]], axis=axis)


@rule(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None):
    m = m if y is None else concatenate([_rows(m, rowvar), _rows(y, rowvar)])
    m = _rows(m, rowvar or y is not None)
    free = shape(m)[1] - (ddof if ddof is not None else 0 if bias else 1)
    centred = m - pt.mean(m, axis=1, keepdims=True)
    out = matmul(centred, matrix_transpose(centred)) / tensor(float(free))
    return out.reshape(np.squeeze(np.empty(shape(out), bool)).shape) if 1 in shape(out) else out


def _rows(x: Any, rowvar: bool) -> Any:
    """Return `x` with one variable per row."""
    x = real(x)
    return x.reshape((1, -1)) if x.ndim < 2 else x if rowvar else x.transpose()


@rule(np.corrcoef)
def corrcoef(x, y=None, rowvar=True):
    covariance = cov(x, y, rowvar)
    if covariance.ndim == 0:
        return covariance / covariance
    scales = root(pt.diagonal(covariance))
    return covariance / scales[:, None] / scales[None, :]


@rule(np.allclose, order=0)
def allclose(a, b, rtol=1e-05, atol=1e-08):
    return pt.all(RULES[np.isclose].build(a, b, rtol, atol))


@rule(np.array_equal, order=0)
def array_equal(a1, a2):
    a1, a2 = tensor(a1), tensor(a2)
    return pt.all(pt.eq(*broadcast(a1, a2))) if shape(a1) == shape(a2) else tensor(False)
