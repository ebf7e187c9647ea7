"""Sums, means, extremes, order statistics and running totals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad
from pytensor.scalar.basic import Sqr
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.math import Dot, Sum

from autoopt.ops.operands import (
    along,
    axes,
    axis_index,
    broadcast,
    discrete,
    keep,
    real,
    shape,
    size,
    squares_to,
    static,
    tensor,
    to_end,
)
from autoopt.ops.reductions import CumulativeProduct, Largest, Product, Smallest
from autoopt.ops.scalars import maximum, minimum
from autoopt.rules.table import Unsupported, name, rule


def root(x: Any) -> Any:
    """Square root of x >= 0 with slope 0, not infinity, at 0: for norms and standard deviations."""
    positive = pt.gt(x, 0)
    return squares_to(pt.switch(positive, pt.sqrt(pt.switch(positive, x, 1.0)), 0.0), x)


def is_sum_of_squares(x: Any) -> bool:
    """Return True if `x` is written as a sum of squares, whose root is a norm."""
    node = x.owner
    if node is None:
        return False
    if isinstance(node.op, Sum):
        inner = node.inputs[0].owner
        return inner is not None and isinstance(inner.op, Elemwise) and isinstance(inner.op.scalar_op, Sqr)
    while node is not None and isinstance(node.op, DimShuffle):
        node = node.inputs[0].owner
    return node is not None and isinstance(getattr(node.op, "core_op", node.op), Dot) and _same(*node.inputs)


def _same(a: Any, b: Any) -> bool:
    """Return True if two operands of a product are one vector."""
    for _ in range(2):
        a = a.owner.inputs[0] if a.owner is not None and isinstance(a.owner.op, DimShuffle) else a
        b = b.owner.inputs[0] if b.owner is not None and isinstance(b.owner.op, DimShuffle) else b
    return a is b


def operand(a: Any, dtype: Any, function: Any) -> Any:
    """Return `a` in the type that `dtype=` asks for, which must be float64 or nothing."""
    if dtype is None:
        return tensor(a)
    if np.dtype(dtype) != np.float64:
        raise Unsupported(f"{name(function)} with dtype={np.dtype(dtype)}", "leave out dtype=")
    return real(a)


def _chosen(a: Any, where: Any, neutral: Any) -> Any:
    """Return `a` with `neutral` in the place of what `where` leaves out."""
    if where is True:
        return a
    where = tensor(where)
    return pt.switch(where if where.dtype == "bool" else pt.neq(where, 0), a, neutral)


def _count(a: Any, where: Any, axis: Any, keepdims: bool) -> Any:
    """Return how many elements `where` takes along `axis`."""
    where = pt.broadcast_to(tensor(where), shape(a))
    return pt.sum(where.astype("float64"), axis=axes(axis, a.ndim), keepdims=keepdims)


@rule(np.sum)
def total(a, axis=None, dtype=None, keepdims=False, initial=None, where=True):
    a = _chosen(operand(a, dtype, np.sum), where, 0)
    out = pt.sum(a, axis=axes(axis, a.ndim), keepdims=keepdims)
    return out if initial is None else out + tensor(initial)


@rule(np.prod)
def product(a, axis=None, dtype=None, keepdims=False, initial=None, where=True):
    """The product, with derivatives that are exact where elements are zero."""
    a = _chosen(operand(a, dtype, np.prod), where, 1)
    picked = axes(axis, a.ndim)
    out = keep(Product(picked)(a) if picked else a, picked, keepdims)
    return out if initial is None else out * tensor(initial)


@rule(np.mean)
def mean(a, axis=None, dtype=None, keepdims=False, where=True):
    a = operand(a, dtype, np.mean)
    if where is True:
        return pt.mean(a, axis=axes(axis, a.ndim), keepdims=keepdims)
    return total(a, axis, keepdims=keepdims, where=where) / _count(a, where, axis, keepdims)


@rule(np.var)
def variance(a, axis=None, dtype=None, ddof=0, keepdims=False, where=True, mean=None, correction=None):
    a = real(operand(a, dtype, np.var))
    picked = axes(axis, a.ndim)
    ddof = ddof if correction is None else correction
    if where is True:
        count = tensor(float(np.prod([shape(a)[i] for i in picked]) - ddof))
        centre = pt.mean(a, axis=picked, keepdims=True)
    else:
        count = _count(a, where, axis, keepdims) - ddof
        centre = total(a, picked, keepdims=True, where=where) / _count(a, where, axis, True)
    deviations = _chosen(a - (centre if mean is None else tensor(mean)), where, 0.0)
    return pt.sum(pt.sqr(deviations), axis=picked, keepdims=keepdims) / count


@rule(np.std)
def deviation(a, axis=None, dtype=None, ddof=0, keepdims=False, where=True, mean=None, correction=None):
    """The standard deviation, with slope 0 where all elements are equal."""
    return root(variance(a, axis, dtype, ddof, keepdims, where, mean, correction))


def _extreme(op: type, a: Any, axis: Any, keepdims: bool, initial: Any = None, where: Any = True) -> Any:
    a = tensor(a)
    picked = axes(axis, a.ndim)
    if initial is None:
        if a.dtype == "bool":
            return (pt.any if op is Largest else pt.all)(a, axis=picked, keepdims=keepdims)
        return keep(op(picked)(a) if picked else a, picked, keepdims)
    initial = tensor(initial)
    if 0 in (shape(a)[i] for i in picked):
        return pt.sum(a, axis=picked, keepdims=keepdims) + initial
    found = _extreme(op, _chosen(a, where, initial), axis, keepdims)
    return (maximum if op is Largest else minimum)(found, initial)


@rule(np.max)
def largest(a, axis=None, keepdims=False, initial=None, where=True):
    """The largest element; those that tie share the slope equally."""
    return _extreme(Largest, a, axis, keepdims, initial, where)


@rule(np.min)
def smallest(a, axis=None, keepdims=False, initial=None, where=True):
    """The smallest element; those that tie share the slope equally."""
    return _extreme(Smallest, a, axis, keepdims, initial, where)


@rule(np.ptp)
def span(a, axis=None, keepdims=False):
    return largest(a, axis, keepdims) - smallest(a, axis, keepdims)


@rule(np.quantile)
def quantile(a, q, axis=None, method="linear", keepdims=False):
    """Interpolation between the sorted elements, at the place where NumPy finds the quantile of 0, 1, 2, ....

    Where elements tie, the slope goes to one of them.
    """
    q = static(q)
    if q is None:
        raise Unsupported("np.quantile at a level that is computed", "give the levels as numbers")
    a = tensor(a)
    ordered = pt.sort(to_end(a, axis), axis=-1)
    where = np.asarray(np.quantile(np.arange(shape(ordered)[-1], dtype=float), q, method=method))
    below = np.floor(where).astype(int)
    above = np.minimum(below + 1, shape(ordered)[-1] - 1)
    low, high = _pick(ordered, below), _pick(ordered, above)
    out = low + (high - low) * tensor(where - below)
    out = pt.moveaxis(out, tuple(range(-below.ndim, 0)), tuple(range(below.ndim))) if below.ndim else out
    return pt.expand_dims(out, tuple(below.ndim + i for i in axes(axis, a.ndim))) if keepdims else out


def _pick(x: Any, index: np.ndarray) -> Any:
    """Return x[..., index], by a plain slice where `index` is one number."""
    return x[..., int(index)] if index.ndim == 0 else pt.take(x, index, axis=-1)


@rule(np.percentile)
def percentile(a, q, axis=None, method="linear", keepdims=False):
    q = static(q)
    return quantile(a, None if q is None else np.asarray(q, float) / 100, axis, method, keepdims)


@rule(np.median)
def median(a, axis=None, keepdims=False):
    return quantile(a, 0.5, axis, keepdims=keepdims)


@rule(np.average)
def average(a, axis=None, weights=None, returned=False, keepdims=False):
    a = tensor(a)
    if weights is None:
        found = pt.mean(a, axis=axes(axis, a.ndim), keepdims=keepdims)
        return (found, tensor(np.full(shape(found), size(a) / max(size(found), 1)))) if returned else found
    weights = tensor(weights)
    if shape(weights) != shape(a):
        picked = axes(axis, a.ndim)
        weights = weights.reshape([shape(a)[i] if i in picked else 1 for i in range(a.ndim)])
        a, weights = broadcast(a, weights)
    picked = axes(axis, a.ndim)
    sums = pt.sum(weights, axis=picked, keepdims=keepdims)
    found = pt.sum(a * weights, axis=picked, keepdims=keepdims) / sums
    return (found, real(sums)) if returned else found


def _present(a: Any) -> tuple[Any, Any]:
    """Return where `a` is a number, and `a` with zeros elsewhere."""
    a = tensor(a)
    if discrete(a):
        return pt.ones_like(a, dtype="bool"), a
    present = pt.invert(pt.isnan(a))
    return present, pt.switch(present, a, 0.0)


@rule(np.nansum)
def nansum(a, axis=None, keepdims=False):
    return total(_present(a)[1], axis, keepdims=keepdims)


@rule(np.nanprod)
def nanprod(a, axis=None, keepdims=False):
    a = tensor(a)
    return product(a if discrete(a) else pt.switch(pt.isnan(a), 1.0, a), axis, keepdims=keepdims)


@rule(np.nanmean)
def nanmean(a, axis=None, keepdims=False):
    present, a = _present(a)
    return total(a, axis, keepdims=keepdims) / total(present, axis, keepdims=keepdims)


@rule(np.nanvar)
def nanvar(a, axis=None, ddof=0, keepdims=False):
    present, a = _present(a)
    count = total(present, axis, keepdims=True)
    deviations = pt.switch(present, a - total(a, axis, keepdims=True) / count, 0.0)
    return total(pt.sqr(deviations), axis, keepdims=keepdims) / (total(present, axis, keepdims=keepdims) - ddof)


@rule(np.nanstd)
def nanstd(a, axis=None, ddof=0, keepdims=False):
    return root(nanvar(a, axis, ddof, keepdims))


@rule(np.nanmax)
def nanmax(a, axis=None, keepdims=False):
    return _known_extreme(Largest, a, axis, keepdims)


@rule(np.nanmin)
def nanmin(a, axis=None, keepdims=False):
    return _known_extreme(Smallest, a, axis, keepdims)


def _known_extreme(op: type, a: Any, axis: Any, keepdims: bool) -> Any:
    """Return the extreme of what is a number; NaN where nothing is."""
    a = tensor(a)
    if discrete(a):
        return _extreme(op, a, axis, keepdims)
    missing = pt.isnan(a)
    found = _extreme(op, pt.switch(missing, -np.inf if op is Largest else np.inf, a), axis, keepdims)
    return pt.switch(pt.all(missing, axis=axes(axis, a.ndim), keepdims=keepdims), np.nan, found)


def _running(a: Any, axis: int | None) -> tuple[Any, int]:
    """Return `a` and the axis to run along; flat if there is none, integers for booleans."""
    a = tensor(a)
    a = a.astype("int64") if a.dtype == "bool" else a
    return (a.reshape((size(a),)), 0) if axis is None or a.ndim == 0 else (a, axis_index(axis, a.ndim))


@rule(np.cumsum)
def cumsum(a, axis=None, dtype=None):
    return pt.cumsum(*_running(operand(a, dtype, np.cumsum), axis))


@rule(np.cumprod)
def cumprod(a, axis=None, dtype=None):
    """Running products, with derivatives that are exact where elements are zero."""
    a, axis = _running(operand(a, dtype, np.cumprod), axis)
    return CumulativeProduct(axis)(a)


@rule(np.diff)
def diff(a, n=1, axis=-1, prepend=None, append=None):
    a = tensor(a)
    axis = axis_index(axis, a.ndim)
    parts = [tensor(part) for part in (prepend, a, append) if part is not None]
    if len(parts) > 1:
        one = (*shape(a)[:axis], 1, *shape(a)[axis + 1 :])
        a = pt.concatenate([part if part.ndim else pt.broadcast_to(part, one) for part in parts], axis=axis)
    for _ in range(n):
        a = a[along(axis, slice(1, None))] - a[along(axis, slice(None, -1))]
    return a


@rule(np.ediff1d)
def ediff1d(ary, to_end=None, to_begin=None):
    parts = [to_begin, diff(tensor(ary).flatten()), to_end]
    return pt.concatenate([tensor(part).flatten().astype(parts[1].dtype) for part in parts if part is not None])


@rule(np.trapezoid)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = real(y)
    axis = axis_index(axis, y.ndim)
    if x is None:
        widths = tensor(dx)
    else:
        widths = diff(x) if tensor(x).ndim == 1 else diff(x, axis=axis)
        if widths.ndim == 1:
            widths = widths.reshape([-1 if i == axis else 1 for i in range(y.ndim)])
    heights = y[along(axis, slice(1, None))] + y[along(axis, slice(None, -1))]
    return pt.sum(widths * heights / 2.0, axis=axis)


@rule(np.all, order=0)
def every(a, axis=None, keepdims=False, where=True):
    a = tensor(a)
    return pt.all(_chosen(pt.neq(a, 0), where, tensor(True)), axis=axes(axis, a.ndim), keepdims=keepdims)


@rule(np.any, order=0)
def some(a, axis=None, keepdims=False, where=True):
    a = tensor(a)
    return pt.any(_chosen(pt.neq(a, 0), where, tensor(False)), axis=axes(axis, a.ndim), keepdims=keepdims)


@rule(np.count_nonzero, order=0)
def count_nonzero(a, axis=None, keepdims=False):
    a = tensor(a)
    return pt.sum(a if a.dtype == "bool" else pt.neq(a, 0), axis=axes(axis, a.ndim), keepdims=keepdims)


@rule(np.argmax, order=0)
def argmax(a, axis=None, keepdims=False):
    return pt.argmax(disconnected_grad(tensor(a)), axis=axis, keepdims=keepdims)


@rule(np.argmin, order=0)
def argmin(a, axis=None, keepdims=False):
    a = disconnected_grad(tensor(a))
    return pt.argmin(a.astype("int64") if a.dtype == "bool" else a, axis=axis, keepdims=keepdims)


def _over_first(build):
    """Return a reduction in the form of a ufunc's `reduce`, which works along the first axis unless told otherwise."""

    def reduce(array, axis=0, dtype=None, keepdims=False, initial=None, where=True):
        options = {"where": where} if initial is None else {"initial": initial, "where": where}
        if build in (largest, smallest) and initial is None and where is True:
            options = {}
        return build(operand(array, dtype, build), axis, keepdims=keepdims, **options)

    return reduce


for function, build in {
    np.add: total,
    np.multiply: product,
    np.maximum: largest,
    np.minimum: smallest,
    np.logical_and: every,
    np.logical_or: some,
}.items():
    rule(function.reduce, order=0 if build in (every, some) else 2)(_over_first(build))


@rule(np.add.accumulate)
def add_accumulate(array, axis=0):
    return cumsum(array, axis)


@rule(np.multiply.accumulate)
def multiply_accumulate(array, axis=0):
    return cumprod(array, axis)
