"""Functions of angles as straight-line code: sin, cos, tan.

The angle is n pi/2 + r with |r| <= pi/4, where r is carried as two doubles and pi/2 as three, which is right up to
`LIMIT`. Beyond, the code fails and leaves the function to NumPy.
"""

from __future__ import annotations

import math

from autoopt.execution.native.doubles import (
    Bits,
    Double,
    Test,
    exact_product,
    exact_sum,
    fma,
    polynomial,
    quick_sum,
    select,
)
from autoopt.execution.native.exponentials import quotient

LIMIT = 2.0**30
"""The largest angle: n is exact, and 160 digits of pi/2 leave 68 of an r as small as it can be, about 2**-62."""

HALF_PI = (math.pi / 2, float.fromhex("0x1.1a62633145c07p-54"), float.fromhex("-0x1.f1976b7ed8fbcp-110"))
"""pi/2 in three parts; the product of n with the first differs from the angle by what a double holds exactly."""

SINE = (
    -0.16666666666666666, 0.008333333333333325, -0.0001984126984125593, 2.755731921426154e-06, -2.5052104860266333e-08,
    1.605835362435417e-10, -7.57781673830322e-13,
)  # fmt: skip
"""Minimax polynomial in z = r**2 of (sin(r) / r - 1) / z; error of the sine 2**-68."""

COSINE = (
    0.04166666666666665, -0.0013888888888882722, 2.4801587294521732e-05, -2.7557315698786375e-07,
    2.0875891210010817e-09, -1.1367592775997398e-11,
)  # fmt: skip
"""Minimax polynomial in z = r**2 of (cos(r) - 1 + z / 2) / z**2; error of the cosine 2**-62."""

WHOLE = 1.5 * 2.0**52
"""Added to a number it leaves the nearest whole number in the last bits."""


def is_far(x: Double) -> Test:
    """Whether an angle is beyond what is computed here."""
    return (abs(x) > LIMIT) & (abs(x) < math.inf)


def quarters(x: Double) -> tuple[Double, Double, Bits]:
    """Return r as two doubles and n in the last bits."""
    shifted = fma(x, 2 / math.pi, WHOLE)
    n = shifted - WHOLE
    step, step_rest = exact_product(n, HALF_PI[1])
    r, rest = exact_sum(fma(n, -HALF_PI[0], x), -step)
    return *quick_sum(r, fma(n, -HALF_PI[2], rest - step_rest)), shifted.bits()


def sine(r: Double, rest: Double) -> tuple[Double, Double]:
    """Return sin(r + rest) as two doubles."""
    square = r * r
    return r, fma(r * square, polynomial(square, SINE), fma(-0.5 * square, rest, rest))


def cosine(r: Double, rest: Double) -> tuple[Double, Double]:
    """Return cos(r + rest) as two doubles."""
    half, lost = exact_product(0.5 * r, r)
    high, low = quick_sum(1.0, -half)
    square = 2.0 * half
    return high, low - fma(r, rest, lost) + square * square * polynomial(square, COSINE)


def sin(x: Double) -> Double:
    """Return the sine."""
    return select(abs(x) < 2.0**-27, x, _turned(x, 0))


def cos(x: Double) -> Double:
    """Return the cosine."""
    return _turned(x, 1)


def _turned(x: Double, turns: int) -> Double:
    """Return the sine of an angle to which quarters of a turn are added."""
    r, rest, n = quarters(x)
    quarter = n + turns
    (sine_high, sine_low), (cosine_high, cosine_low) = sine(r, rest), cosine(r, rest)
    value = select(quarter.odd(), cosine_high + cosine_low, sine_high + sine_low)
    return (value.bits() ^ ((quarter & 2) << 62)).double()


def tan(x: Double) -> Double:
    """Return the tangent, or minus the cotangent of what is left after an odd number of quarters."""
    r, rest, n = quarters(x)
    odd = n.odd()
    (sine_high, sine_low), (cosine_high, cosine_low) = quick_sum(*sine(r, rest)), quick_sum(*cosine(r, rest))
    top, bottom = select(odd, cosine_high, sine_high), select(odd, -sine_high, cosine_high)
    value = quotient(top, select(odd, cosine_low, sine_low), bottom, select(odd, -sine_low, cosine_low))
    return select(abs(x) < 2.0**-27, x, value)
