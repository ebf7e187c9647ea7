"""The error function and the normal distribution as straight-line code: erf, erfc, erfcx, ndtr, log_ndtr.

The tails are exp(-z**2) W(z), where W = erfcx falls like 1 / z and takes one polynomial for all z >= 0.
"""

from __future__ import annotations

import math

from autoopt.execution.native.doubles import Double, exact_product, fma, polynomial, quick_sum, select
from autoopt.execution.native.exponentials import exp, power, scaled
from autoopt.execution.native.logarithms import natural

SCALED_TAIL = (
    1.2530080582697296, -0.1356211061245812, -0.04756229435344885, 0.1296451587027621, -0.11927366341540419,
    0.06830802734393568, -0.023770514916815737, 0.0025293918166266072, 0.0018886903413567883, -0.0007798322761398019,
    -0.00010515969771099856, 0.00012509936991755637, 4.949113817001867e-06, -2.010061670482328e-05,
    -7.306225742347345e-07, 3.472502852404591e-06, 3.5542182229491827e-07, -6.167531783448707e-07,
    -1.40108422701227e-07, 1.0194599261252643e-07, 4.081127449668334e-08, -1.3358021689252806e-08,
    -8.118165666189805e-09, 9.942951771070177e-10, 8.222984291088392e-10,
)  # fmt: skip
"""(1 + 2 z) W(z), in 2 z / (z + 3) - 1 from -1 to 1; error 2**-57."""

CENTRE = (
    -0.37612638903183754, 0.11283791670955005, -0.02686617064509656, 0.005223977624976773, -0.0008548326988284796,
    0.00012055331330185025, -1.4925599398867158e-05, 1.6461050990643349e-06, -1.635070075273057e-07,
    1.4661509430185616e-08, -1.1376553335423001e-09, 5.95894080533829e-11,
)  # fmt: skip
"""(erf(z) / z - 2 / sqrt(pi)) / z**2, in z**2 from 0 to 1; error of erf(z) / z 2**-61."""

SLOPE = float.fromhex("0x1.20dd750429b6dp+0"), float.fromhex("0x1.1ae3a914fed80p-56")
"""2 / sqrt(pi), the slope of erf at 0, in two parts."""


def scaled_tail(z: Double) -> Double:
    """Return W(z) = exp(z**2) (1 - erf(z)) for z >= 0."""
    near = select(z > 1e20, 1e20, z)
    tail = 0.5 * polynomial(2.0 * near / (near + 3.0) - 1.0, SCALED_TAIL) / (0.5 + z)
    return select(z < 1e-17, 1.0, tail)


def _tail(z: Double) -> Double:
    """Return 1 - erf(z) for z >= 0."""
    square, rest = exact_product(*[select(z > 28.0, 28.0, z)] * 2)
    mantissa, shifted = power(-square, -rest)
    return scaled(mantissa * scaled_tail(z), shifted)


def _centre(z: Double) -> tuple[Double, Double]:
    """Return erf(z) for |z| <= 1 as two doubles."""
    high, low = exact_product(z, SLOPE[0])
    return high, fma(z, SLOPE[1], low) + z * (z * z) * polynomial(z * z, CENTRE)


def erf(x: Double) -> Double:
    """Return 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x."""
    high, low = _centre(x)
    return select(abs(x) < 1.0, high + low, 1.0 - _tail(abs(x))).with_sign_of(x)


def erfc(x: Double) -> Double:
    """Return 1 - erf(x)."""
    high, low = _centre(x)
    tail = _tail(abs(x))
    return select(abs(x) < 0.5, (1.0 - high) - low, select(x < 0.0, 2.0 - tail, tail))


def erfcx(x: Double) -> Double:
    """Return exp(x**2) (1 - erf(x)), which is 2 exp(x**2) less that of -x."""
    tail = scaled_tail(abs(x))
    square, rest = exact_product(*[x.within(-27.0, 0.0)] * 2)
    return select(x < 0.0, 2.0 * exp(square, rest) - tail, tail)


def _normal_tail(x: Double) -> tuple[Double, Double]:
    """Return the normal distribution below -|x|, and its W(|x| / sqrt(2)) / 2."""
    u = abs(x)
    near = select(u > 40.0, 40.0, u)
    square, rest = exact_product(0.5 * near, near)
    mantissa, shifted = power(-square, -rest)
    half = 0.5 * scaled_tail(u * math.sqrt(0.5))
    return scaled(mantissa * half, shifted), half


def ndtr(x: Double) -> Double:
    """Return the normal distribution function."""
    tail, _ = _normal_tail(x)
    high, low = _centre(x * math.sqrt(0.5))
    centre = fma(high, 0.5, fma(low, 0.5, 0.5))
    return select(abs(x) < 0.7, centre, select(x < 0.0, tail, 1.0 - tail))


def log_ndtr(x: Double) -> Double:
    """Return the logarithm of the normal distribution function: that of W and of exp(-x**2 / 2), or of 1 - tail."""
    below = x < 0.0
    tail, half = _normal_tail(x)
    rest_of_one = quick_sum(1.0, -tail)
    logarithm, log_rest = natural(select(below, half, rest_of_one[0]), select(below, 0.0, rest_of_one[1]))
    square, square_rest = exact_product(-0.5 * x, x)
    total, lost = quick_sum(square, logarithm)
    value = total + (lost + square_rest + log_rest)
    negative = select(square > -math.inf, value, square)
    return select(below, negative, select(tail > 0.0, logarithm + log_rest, -tail))
