"""SciPy's integrals of sampled functions."""

from __future__ import annotations

import pytensor.tensor as pt
import scipy.integrate

from autoopt.ops.operands import along, axis_index, real, shape, tensor
from autoopt.rules.reductions import diff, trapezoid
from autoopt.rules.table import rule

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
