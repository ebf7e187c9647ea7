"""Functions of sampled data: polynomials, interpolation, convolution, differences, integrals, covariance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt

from autoopt.ops.operands import along, axes, broadcast, real, shape, static, tensor
from autoopt.rules.linalg import matmul
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
def interp(x, xp, fp, left=None, right=None, period=None):
    """Piecewise linear interpolation; at a knot the slope is that of the piece on its right."""
    x, xp, fp = real(x), real(xp), real(fp)
    if period is not None:
        return interp(*_one_period(x, xp, fp, abs(period)))
    last = shape(xp)[0] - 1
    left, right = fp[0] if left is None else tensor(left), fp[-1] if right is None else tensor(right)
    if last == 0:
        return pt.switch(pt.lt(x, xp[0]), left, pt.switch(pt.gt(x, xp[0]), right, fp[0]))
    piece = pt.clip(pt.searchsorted(xp, x, side="right") - 1, 0, last - 1)
    start, width = xp[piece], xp[piece + 1] - xp[piece]
    inside = fp[piece] + (fp[piece + 1] - fp[piece]) / width * (x - start)
    return pt.switch(pt.lt(x, xp[0]), left, pt.switch(pt.gt(x, xp[-1]), right, inside))


def _one_period(x: Any, xp: Any, fp: Any, period: float) -> tuple:
    """Return points and knots brought into one period, with a knot of the neighbouring ones on each side."""
    x, xp = x % tensor(period), xp % tensor(period)
    order = pt.argsort(xp)
    xp, fp = xp[order], fp[order]
    return x, pt.concatenate([xp[-1:] - period, xp, xp[:1] + period]), pt.concatenate([fp[-1:], fp, fp[:1]])


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
    """A convolution with the second array reversed; NumPy takes its own middle part of it where the first is longer."""
    a, v = real(a), real(v)
    n, m = shape(a)[0], shape(v)[0]
    if mode != "same":
        return convolve(a, v[::-1], mode)
    first = (min(n, m) - 1) // 2 if n >= m else n // 2
    return convolve(a, v[::-1], "full")[first : first + max(n, m)]


@rule(np.gradient)
def gradient(f, *varargs, axis=None, edge_order=1):
    """Differences over three points inside and over two or three at the ends, by the spacing or the coordinates."""
    f = real(f)
    picked = axes(axis, f.ndim)
    spacings = varargs if len(varargs) == len(picked) else list(varargs or [1.0]) * len(picked)
    out = tuple(_slope(f, i, real(spacing), edge_order) for i, spacing in zip(picked, spacings, strict=True))
    return out[0] if len(out) == 1 else out


def _slope(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    def part(start: int | None, stop: int | None) -> Any:
        return f[along(axis, slice(start, stop))]

    if spacing.ndim == 0:
        inner = (part(2, None) - part(None, -2)) / (2.0 * spacing)
        widths = [spacing] * 4
    else:
        width = (spacing[1:] - spacing[:-1]).reshape([-1 if i == axis else 1 for i in range(f.ndim)])
        before, after = width[along(axis, slice(None, -1))], width[along(axis, slice(1, None))]
        rises = (part(1, None) - part(None, -1)) / width
        left, right = rises[along(axis, slice(None, -1))], rises[along(axis, slice(1, None))]
        inner = (after * left + before * right) / (before + after)
        widths = [width[along(axis, slice(k, k + 1 or None))] for k in (0, 1, -1, -2)]
        if shape(f)[axis] == 2:
            widths[1] = widths[3] = widths[0]
    return pt.concatenate([_end(part, widths[:2], edge_order, 1), inner, _end(part, widths[2:], edge_order, -1)], axis)


def _end(part: Any, widths: list, edge_order: int, side: int) -> Any:
    """Return the slope at the start (side 1) or the end (side -1) of an axis."""
    f0, f1, f2 = (part(k, k + 1 or None) for k in ((0, 1, 2) if side > 0 else (-1, -2, -3)))
    h0, h1 = widths
    near = (f1 - f0) / h0
    if edge_order == 1:
        return near * float(side)
    return (near + (near - (f2 - f1) / h1) * h0 / (h0 + h1)) * float(side)


@rule(np.cov)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None):
    m = m if y is None else concatenate([_rows(m, rowvar), _rows(y, rowvar)])
    m = _rows(m, rowvar or y is not None)
    ddof = ddof if ddof is not None else 0 if bias else 1
    if fweights is None and aweights is None:
        centred = m - pt.mean(m, axis=1, keepdims=True)
        out = matmul(centred, matrix_transpose(centred)) / tensor(float(shape(m)[1] - ddof))
    else:
        weights = (1 if fweights is None else tensor(fweights)) * (1.0 if aweights is None else real(aweights))
        centred = m - matmul(m, weights)[:, None] / pt.sum(weights)
        lost = ddof if aweights is None else ddof * pt.sum(weights * real(aweights)) / pt.sum(weights)
        out = matmul(centred * weights, matrix_transpose(centred)) / (pt.sum(weights) - lost)
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
