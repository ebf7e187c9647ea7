"""The real and the imaginary part of analytic functions of scipy.special, as real functions of two real arguments.

The slopes of f = u + j v at z = x + j y are u_x = v_y = Re f' and v_x = -u_y = Im f'. Far from 0 Faddeeva's w' is a
series in 1 / z^2, as -2 z w + 2 j / sqrt(pi) cancels there.

References
----------
NIST Digital Library of Mathematical Functions, 4.13.4, 7.10.2 and 7.12.1.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import pytensor.scalar as ps
import pytensor.tensor as pt
from pytensor.tensor.elemwise import Elemwise

from autoopt.ops.scalars import scalar
from autoopt.tape import operations


class Part(ps.ScalarOp):
    """One part of a complex function: `written` is its name in scipy.special and the part."""

    written: tuple[str, str]


def _part(function: Any, written: tuple[str, str], *slopes: Any) -> Any:
    made = scalar(function, *slopes, base=Part, public="")
    type(made.scalar_op).written = written
    return made


def _times(a: tuple, b: tuple) -> tuple:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _over(a: tuple, b: tuple) -> tuple:
    size = b[0] * b[0] + b[1] * b[1]
    return (a[0] * b[0] + a[1] * b[1]) / size, (a[1] * b[0] - a[0] * b[1]) / size


# Faddeeva's function: w' = -2 z w + 2 j / sqrt(pi) --------------------------------------------------------------------

_SERIES = [1.0]
for _k in range(1, 8):
    _SERIES.append(_SERIES[-1] * (2 * _k + 1) / 2)


class Faddeeva(Elemwise):
    """A part of w, with slopes as graphs of tensors: those of scalars are written out anew wherever they are read."""

    def _bgrad(self, inputs: list, outputs: list, cotangents: list) -> list:
        re, im = _faddeeva_slope(*inputs)
        slopes = (re, -im) if self.scalar_op.written[1] == "real" else (im, re)
        return [cotangents[0] * slope for slope in slopes]


def _faddeeva_slope(x: Any, y: Any) -> tuple:
    near = _times((-2 * x, -2 * y), (faddeeva_real(x, y), faddeeva_imaginary(x, y)))
    far = pt.and_(pt.gt(x * x + y * y, 400.0), pt.ge(y, 0.0))
    there = pt.switch(far, x, 30.0), pt.switch(far, y, 1.0)
    inverse = _over((1.0, 0.0), _times(there, there))
    total = (_SERIES[-1], 0.0)
    for coefficient in _SERIES[-2::-1]:
        total = _times(total, inverse)
        total = total[0] + coefficient, total[1]
    total = _times(total, inverse)
    away = total[1] / sqrt(pi), -total[0] / sqrt(pi)  # -j / sqrt(pi) times the series
    return pt.switch(far, away[0], near[0]), pt.switch(far, away[1], near[1] + 2 / sqrt(pi))


faddeeva_real, faddeeva_imaginary = (
    Faddeeva(_part(function, ("wofz", part), None, None).scalar_op, name=function.__name__)
    for function, part in ((operations.faddeeva_real, "real"), (operations.faddeeva_imaginary, "imag"))
)

# Lambert's function: W' = exp(-W) / (1 + W) ---------------------------------------------------------------------------


def _lambert_slope(x: Any, y: Any, k: Any) -> tuple:
    u, v = lambert_real.scalar_op(x, y, k), lambert_imaginary.scalar_op(x, y, k)
    size = ps.exp(-u)
    return _over((size * ps.cos(v), -size * ps.sin(v)), (1 + u, v))


lambert_real = _part(
    operations.lambert_real,
    ("lambertw", "real"),
    lambda x, y, k, out: _lambert_slope(x, y, k)[0],
    lambda x, y, k, out: -_lambert_slope(x, y, k)[1],
    lambda x, y, k, out: ps.constant(0.0, dtype="float64"),
)
lambert_imaginary = _part(
    operations.lambert_imaginary,
    ("lambertw", "imag"),
    lambda x, y, k, out: _lambert_slope(x, y, k)[1],
    lambda x, y, k, out: _lambert_slope(x, y, k)[0],
    lambda x, y, k, out: ps.constant(0.0, dtype="float64"),
)
