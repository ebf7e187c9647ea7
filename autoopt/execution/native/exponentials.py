"""Exponentials as straight-line code: exp, exp2, expm1, tanh, expit.

All are 2**n * (1 + p) with |r| <= ln(2) / 2 left of the argument and p = exp(r) - 1 by a polynomial. Numbers are
carried as two doubles, `high + low`, where one would cost digits. `tests/execution/test_native_functions.py` has what
each may be wrong by.
"""

from __future__ import annotations

import math

from autoopt.execution.native.doubles import Double, Test, exact_product, fma, polynomial, quick_sum, select

LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42fefa3800p-1"), float.fromhex("0x1.ef35793c76730p-45")
"""ln(2) in two parts; the first has 42 digits, so that its product with an exponent is exact."""

ROUNDS = 1.5 * 2.0**52 + 2046
"""Added to a number it leaves the nearest whole number, plus 2046, in the last bits: the first twelve powers of two are
twice the bias of exponents, so that half of it is the biased exponent of half of the power."""

EXPONENTIAL = (
    0.5, 0.16666666666666685, 0.04166666666666673, 0.008333333333316685, 0.001388888888885868, 0.00019841269897193938,
    2.4801587373354238e-05, 2.755723409965905e-06, 2.755723364496123e-07, 2.5112288371867226e-08,
    2.092686533041127e-09,
)  # fmt: skip
"""Minimax polynomial of (exp(r) - 1 - r) / r**2 for |r| <= ln(2) / 2; error of exp(r) 2**-64."""

SMALL = 2.0**-54
"""Below, expm1(x), log1p(x) and tanh(x) are x to half a unit in the last place."""


def reduced(x: Double) -> tuple[Double, Double, Double]:
    """Return r and what rounding takes from it, x = n ln(2) + r, and n with the bits of `ROUNDS`."""
    shifted = fma(x, 1 / math.log(2), ROUNDS)
    n = shifted - ROUNDS
    coarse = fma(n, -LN2_HIGH, x)
    r = fma(n, -LN2_LOW, coarse)
    return r, fma(n, -LN2_LOW, coarse - r), shifted


def excess(r: Double, rest: Double) -> tuple[Double, Double]:
    """Return exp(r + rest) - 1 for |r| <= ln(2) / 2 as two doubles, r + r**2 / 2 and what is below a tenth of it."""
    half, lost = exact_product(0.5 * r, r)
    high, low = quick_sum(r, half)
    return high, low + fma(half, 2.0 * r * polynomial(r, EXPONENTIAL[1:]), lost + rest)


def scaled(value: Double, shifted: Double) -> Double:
    """Return value * 2**n, in two steps, of which only the last may round or overflow."""
    bits = shifted.bits()
    half = bits >> 1
    return value * (half << 52).double() * ((bits - half) << 52).double()


def power(x: Double, more: Double | float = 0.0) -> tuple[Double, Double]:
    """Return the m of e**(x + more) = 2**n m, and n with the bits of `ROUNDS`, for x from -1000 to 1000."""
    r, rest, shifted = reduced(x)
    r, rest = (r, rest) if more == 0.0 else quick_sum(r, rest + more)
    high, low = quick_sum(1.0, r)
    return high + fma(r * r, polynomial(r, EXPONENTIAL), low + rest), shifted


def exp(x: Double, more: Double | float = 0.0) -> Double:
    """Return e**(x + more); `more` is what rounding has taken from x."""
    return scaled(*power(x.within(-746.0, 710.0), more))


def exp2(x: Double) -> Double:
    """Return 2**x."""
    x = x.within(-1076.0, 1024.0)
    shifted = x + ROUNDS
    fraction = x - (shifted - ROUNDS)
    r, rest = exact_product(fraction, math.log(2))
    rest = fma(fraction, LN2_HIGH - math.log(2) + LN2_LOW, rest)
    high, low = quick_sum(1.0, r)
    return scaled(high + fma(r * r, polynomial(r, EXPONENTIAL), low + rest), shifted)


def less_one(x: Double) -> tuple[Double, Double]:
    """Return (e**x - 1) / 2 as two doubles, for x from -50 to 710."""
    r, rest, shifted = reduced(x)
    high, low = excess(r, rest)
    half = ((shifted.bits() - 1024) << 52).double()  # 2**(n - 1)
    whole = half - 0.5
    total = fma(half, high, whole)
    return total, fma(half, low, fma(half, high, whole - total)) + ((half - whole) - 0.5)


def expm1(x: Double) -> Double:
    """Return e**x - 1."""
    high, low = less_one(x.within(-50.0, 709.8))
    return select(_tiny(x), x, 2.0 * (high + low))


def _tiny(x: Double) -> Test:
    return abs(x) < SMALL


def tanh(x: Double) -> Double:
    """Return (1 - e**-2|x|) / (1 + e**-2|x|), with the sign of x."""
    high, low = quick_sum(*less_one((-2.0 * abs(x)).within(-50.0, 0.0)))
    return select(_tiny(x), x, quotient(-high, -low, *quick_sum(1.0, high), low).with_sign_of(x))


def quotient(top: Double, top_rest: Double | float, bottom: Double, *rests: Double) -> Double:
    """Return the quotient of two numbers whose lower parts are given; by a step of Newton's method."""
    inverse = 1.0 / bottom
    first = top * inverse
    remainder = fma(-first, bottom, top) + top_rest
    for rest in rests:
        remainder = fma(-first, rest, remainder)
    return fma(remainder, inverse, first)


def expit(x: Double) -> Double:
    """Return 1 / (1 + e**-x), as e**x / (1 + e**x) for negative x, where it is small."""
    power = exp(-abs(x))
    return quotient(select(x < 0.0, power, 1.0), 0.0, *quick_sum(1.0, power))
