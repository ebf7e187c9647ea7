"""SciPy's integrals of sampled functions."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
import scipy.integrate

from autoopt.rules.operands import along, axis_index, real, shape, tensor
from autoopt.rules.reductions import diff, trapezoid
from autoopt.rules.table import Unsupported, rule

rule(scipy.integrate.trapezoid)(trapezoid)


@rule(scipy.integrate.cumulative_trapezoid)
def cumulative_trapezoid(y, x=None, dx=1.0, axis=-1, initial=None):
    y = real(y)
    axis = axis_index(axis, y.ndim)
    widths = tensor(dx) if x is None else diff(x, axis=-1 if tensor(x).ndim == 1 else axis)
    if widths.ndim == 1:
        widths = widths.reshape([-1 if i == axis else 1 for i in range(y.ndim)])
    heights = y[along(axis, slice(1, None))] + y[along(axis, slice(None, -1))]
    out = pt.cumsum(widths * heights / 2.0, axis=axis)
    if initial is None:
        return out
    return pt.concatenate([pt.zeros([1 if i == axis else n for i, n in enumerate(shape(y))]), out], axis=axis)


@rule(scipy.integrate.simpson)
def simpson(y, x=None, dx=1.0, axis=-1):
    """Simpson's rule at an odd number of points with equal spacing."""
    y = real(y)
    axis = axis_index(axis, y.ndim)
    count = shape(y)[axis]
    if x is not None or count % 2 == 0:
        raise Unsupported("scipy.integrate.simpson with x= or an even number of points", "use np.trapezoid")
    weights = np.ones(count)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    weights = tensor(weights.reshape([-1 if i == axis else 1 for i in range(y.ndim)]))
    return pt.sum(y * weights, axis=axis) * (tensor(dx) / 3.0)
