"""Slopes of the original function by one call with complex parameters, exact to rounding, where it allows that.

    f(x + i h p) = f(x) + i h f'(x) p + O(h^2)        h = 2^-100: nothing cancels, and nothing is left out

It does where all that the recorded run computes of the parameters is analytic (no absolute value, no maximum, no
comparison), and the function takes complex numbers: some calls raise, or make numbers real, with a warning. As what a
function does with complex numbers may still not be what it does with real ones (`x.real`), a slope that differs is no
evidence: the differences are asked then.

References
----------
Squire, W. and Trapp, G. (1998). SIAM Review 40(1), 110-112.
"""

from __future__ import annotations

import operator
import warnings
from typing import Any

import numpy as np

from autoopt import differences
from autoopt.tape.operations import pack, product, put, put_add, total
from autoopt.tape.tape import PARAMETER
from autoopt.tape.windows import windows
from autoopt.verification.certificate import Verification
from autoopt.verification.rounding import DOUBLE, spread
from autoopt.verification.secants import SLOPE_FLOOR, SLOPE_TOLERANCE, Evaluated, of_slope, units

_STEP = 2.0**-100
_SAME = 1e-9
_ROUNDINGS = 16

_ENTRYWISE = (
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.power, np.square, np.sqrt, np.reciprocal,
    np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh,
    np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh,
)  # fmt: skip
_OF_ARRAYS = (
    np.matmul, np.dot, np.inner, np.outer, np.tensordot, np.einsum, np.kron, np.vander, np.polyval, np.convolve,
    np.sum, np.mean, np.prod, np.cumsum, np.cumprod, np.diff, np.trace, np.linalg.solve, np.linalg.inv, np.linalg.det,
    np.linalg.matrix_power, np.reshape, np.ravel, np.transpose, np.moveaxis, np.swapaxes, np.expand_dims, np.squeeze,
    np.concatenate, np.stack, np.broadcast_to, np.tile, np.repeat, np.take, np.diag, np.diagonal, np.flip, np.roll,
    np.triu, np.tril, operator.getitem, put, put_add, pack, total, product, windows,
)  # fmt: skip
ANALYTIC: frozenset[Any] = frozenset((*_ENTRYWISE, *_OF_ARRAYS))
"""Functions that do with complex numbers near the real ones what is analytic, if they take any."""


def slope_of(objective: Any, x: np.ndarray, p: np.ndarray, original: float) -> tuple[float, float] | None:
    """Return the slope of the original along `p` at `x`, where it is `original`, and its error; None if not to be had.

    It takes one call.
    """
    function = getattr(objective, "complex_original", None)
    if function is None or not is_analytic(objective):
        return None
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            found = np.asarray(function(x + 1j * _STEP * p))
    except Exception:  # it is not made for such numbers
        return None
    if found.shape != () or found.dtype.kind != "c" or not np.isfinite(found):
        return None
    if abs(found.real - original) > _SAME * abs(original):
        return None
    along = float(found.imag) / _STEP
    return along, _ROUNDINGS * DOUBLE * abs(along)


def is_analytic(objective: Any) -> bool:
    """Whether the run that is recorded has taken no decision by the parameters, and computes analytic functions."""
    dispatch = getattr(objective, "dispatch", None)
    if dispatch is None or len(dispatch.paths) != 1:
        return False
    tape = dispatch.paths[0].trace.tape
    if tape.guards or tape.equalities or tape.unfollowed:
        return False
    return all(step.operation is None or step.level != PARAMETER or step.operation in ANALYTIC for step in tape.steps)


def compared(
    objective: Any, x: np.ndarray, p: np.ndarray, evaluated: Evaluated, original: float, floor: float, place: str
) -> Verification | None:
    """Return that the slope along `p` is that of the original by a complex step, if it is; None if that is not known.

    A difference over a part of each parameter has to say about the same: what it would be for numbers that are real.
    """
    measured = slope_of(objective, x, p, original)
    if measured is None:
        return None
    (compiled, gradient), slack = evaluated, SLOPE_FLOOR * floor
    slope, size = float(gradient @ p), float(np.abs(gradient) @ np.abs(p))
    q = p * np.where(x, np.minimum(np.abs(x) / units(objective, x), 1.0), 1.0)
    if abs(slope - measured[0]) > SLOPE_TOLERANCE * size + slack:
        return None
    ahead, behind = (differences.value_at(objective.original, x + side * _NEAR * q) for side in (1.0, -1.0))
    near, rise = (ahead - behind) / (2 * _NEAR), (abs(ahead - original) + abs(behind - original)) / (2 * _NEAR)
    roughly = _ROUGHLY * (float(np.abs(gradient) @ np.abs(q)) + rise)  # the rise is all there is at a minimum
    roughly += (32 * spread(objective, x, original)[0] + DOUBLE * abs(original)) / _NEAR + slack
    if not abs(near - float(gradient @ q)) <= roughly:
        return None
    numbers = f"slope {slope:.10g} along a direction where a complex step gives {measured[0]:.10g}"
    message = f"The value and the gradient agree with the original function ({numbers})."
    one = of_slope(slope - measured[0], measured[1], size + slack, place)
    return Verification(True, abs(compiled - original), slope, *measured, direction=p, message=message, findings=(one,))


_NEAR, _ROUGHLY = 2.0**-10, 1e-2
"""The step of that difference, in parts of the parameters, and what it may leave out."""
