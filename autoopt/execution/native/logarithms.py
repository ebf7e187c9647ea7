"""Logarithms as straight-line code: log, log2, log10, log1p, and logaddexp.

All are k ln(2) + log(1 + f) with 1 + f from sqrt(1/2) to sqrt(2), and, as fdlibm has it,
log(1 + f) = f - f**2 / 2 + s (f**2 / 2 + R(s**2)) with s = f / (2 + f), where R is log((1 + s) / (1 - s)) / s - 2.
"""

from __future__ import annotations

import math

from autoopt.execution.native.doubles import (
    Bits,
    Double,
    exact_product,
    exact_sum,
    fma,
    polynomial,
    quick_sum,
    select,
)
from autoopt.execution.native.exponentials import LN2_HIGH, LN2_LOW, SMALL, exp

ONE, ROOT, MANTISSA = 0x3FF0000000000000, 0x3FE6A09E667F3BCD, 0x000FFFFFFFFFFFFF
"""The bits of 1 and of sqrt(1/2); where the fraction stands."""

LOGARITHM = (
    0.6666666666666666, 0.4000000000000481, 0.2857142856935893, 0.2222222262564001, 0.1818177619939897,
    0.15387104834847962, 0.1324916891787103, 0.13264308443933814,
)  # fmt: skip
"""Minimax polynomial of R(z) / z for z = s**2 <= 0.0295; error of R 2**-65."""

LOGARITHM_TO_TWO = (
    0.6666666666666667, 0.3999999999999625, 0.28571428572238566, 0.22222222141141787, 0.18181822703245815,
    0.1538446114026887, 0.1333671089380998, 0.11716384196800636, 0.1097328543877926, 0.06978954390708898,
    0.16511512549374627,
)  # fmt: skip
"""The same for z <= 1/9, which is f <= 1; error of R 2**-63."""

LOG2_E = float.fromhex("0x1.71547652b82fep+0"), float.fromhex("0x1.777d0ffda0d24p-56")
LOG10_E = float.fromhex("0x1.bcb7b1526e50ep-2"), float.fromhex("0x1.95355baaafad3p-57")
LOG10_2 = float.fromhex("0x1.34413509f7800p-2"), float.fromhex("0x1.fef311f12b358p-46")
"""Each in two parts; the first of log10(2) has 42 digits, so that its product with an exponent is exact."""

SMALLEST = 2.0**-1022
"""The smallest number that has all its digits."""


def split(x: Double) -> tuple[Double, Bits, Double]:
    """Return k, k + 1023 and f with x = 2**k (1 + f), for numbers above `SMALLEST`."""
    shifted = x.bits() + (ONE - ROOT)
    biased = shifted >> 52
    k = (biased | 0x4330000000000000).double() - (2.0**52 + 1023)  # as the last digits of 2**52
    return k, biased, ((shifted & MANTISSA) + ROOT).double() - 1.0


def inverse_power(biased: Bits) -> Double:
    """Return 2**(1 - k) of k + 1023, which is 0 for the largest."""
    return ((2047 - biased) << 52).double()


def curvature(f: Double, coefficients: tuple[float, ...]) -> tuple[Double, Double]:
    """Return f**2 / 2, and log(1 + f) - f + f**2 / 2."""
    half = 0.5 * f * f
    s = f / (2.0 + f)
    square = s * s
    return half, s * fma(square, polynomial(square, coefficients), half)


def checked(x: Double, logarithm: Double, zero: float = 0.0) -> Double:
    """Return the logarithm, of which x is distant from `zero`, with what it is at and beyond it, and at infinity."""
    inside = select(x < math.inf, logarithm, x)  # infinity, and NaN
    return select(x > zero, inside, select(x.equals(zero), -math.inf, select(x < zero, math.nan, x)))


def log(x: Double) -> Double:
    """Return the natural logarithm."""
    k, f = _split_any(x)
    half, rest = curvature(f, LOGARITHM)
    return checked(x, fma(k, LN2_HIGH, f - (half - fma(k, LN2_LOW, rest))))


def _split_any(x: Double) -> tuple[Double, Double]:
    """Return k and f, for any positive number."""
    small = x < SMALLEST
    k, _, f = split(select(small, x * 2.0**54, x))
    return k - select(small, 54.0, 0.0), f


def log1p(x: Double) -> Double:
    """Return log(1 + x); what rounding takes from 1 + x is put back to f."""
    one_more, lost = exact_sum(1.0, x)
    k, biased, fraction = split(one_more)
    f, left = exact_sum(fraction, 0.5 * lost * inverse_power(biased))
    half, rest = curvature(f, LOGARITHM)
    value = fma(k, LN2_HIGH, f - (half - (fma(k, LN2_LOW, rest) + left)))
    return select(abs(x) < SMALL, x, checked(x, value, -1.0))


def mantissa(f: Double, left: Double | float = 0.0) -> tuple[Double, Double]:
    """Return log(1 + f) as two doubles; `left` is what rounding has taken from f."""
    half, rest = curvature(f, LOGARITHM)
    high, low = quick_sum(f, -half)
    return high, low - fma(0.5 * f, f, -half) + (rest + left)


def natural(x: Double, rest: Double | float = 0.0) -> tuple[Double, Double]:
    """Return log(x + rest) as two doubles, for positive numbers that are finite."""
    small = x < SMALLEST
    k, biased, fraction = split(select(small, x * 2.0**54, x))
    f, left = (fraction, 0.0) if rest == 0.0 else exact_sum(fraction, 0.5 * rest * inverse_power(biased))
    high, low = mantissa(f, left)
    k = k - select(small, 54.0, 0.0)
    total, lost = quick_sum(k * LN2_HIGH, high)
    return total, lost + fma(k, LN2_LOW, low)


def _in_other_units(x: Double, unit: tuple[float, float], step: tuple[float, float]) -> Double:
    """Return log(x) times the sum of `unit`; a power of two counts the sum of `step`."""
    k, f = _split_any(x)
    high, low = mantissa(f)
    scaled, lost = exact_product(high, unit[0])
    lost = fma(low, unit[0], fma(high, unit[1], lost))
    total, left = quick_sum(k * step[0], scaled)
    return checked(x, total + (left + fma(k, step[1], lost)))


def log2(x: Double) -> Double:
    """Return the logarithm to base 2; whole for powers of two."""
    return _in_other_units(x, LOG2_E, (1.0, 0.0))


def log10(x: Double) -> Double:
    """Return the logarithm to base 10."""
    return _in_other_units(x, LOG10_E, LOG10_2)


def log1p_of_power(x: Double) -> Double:
    """Return log(1 + e**x) for x <= 0, log(1 + f) with f from 0 to 1, which needs no exponent."""
    high, low = _one_and_power(x)
    return high + low


def _one_and_power(x: Double) -> tuple[Double, Double]:
    """Return log(1 + e**x) for x <= 0 as two doubles."""
    f = exp(x)
    half, rest = curvature(f, LOGARITHM_TO_TWO)
    high, low = quick_sum(f, -half)
    return high, low - fma(0.5 * f, f, -half) + rest


def logaddexp(a: Double, b: Double) -> Double:
    """Return log(e**a + e**b), the larger and what the other adds; at equal infinities NumPy's a + log(2)."""
    gap = abs(a - b)
    high, low = _one_and_power(-gap)
    total, lost = exact_sum(select(a > b, a, b), high)
    value = total + (lost + low)
    return select(a.equals(b), a + math.log(2), select(gap.equals(math.inf), total, value))
