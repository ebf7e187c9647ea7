"""The logarithm of the gamma function and its derivatives, as straight-line code for positive arguments.

From 2.5 on they are Stirling's formula with a polynomial of 1 / x**2; below, a polynomial about 1.5 or 2, to which the
recurrence Gamma(x + 1) = x Gamma(x) leads. Fits are minimax. For negative arguments the code fails and leaves the
function to SciPy.
"""

from __future__ import annotations

import math

from autoopt.execution.native.doubles import Double, Test, exact_product, exact_sum, fma, polynomial, select
from autoopt.execution.native.logarithms import natural

LARGE = 2.5
"""From here on Stirling's formula holds."""

ONE_LESS_EULER = float.fromhex("0x1.b0ee6072093cep-2"), float.fromhex("0x1.6cb90701fbfabp-58")
HALF_LOG_TWO_PI = float.fromhex("0x1.d67f1c864beb5p-1"), float.fromhex("-0x1.65b5a1b7ff5dfp-55")
ROOT = float.fromhex("0x1.762d86356be3fp+0"), float.fromhex("0x1.b86a722197829p-54")
"""1 - Euler's constant, the slope at 2; log(2 pi) / 2; the zero of the digamma function; each in two parts."""

STIRLING = (
    0.08333333333333333, -0.0027777777777710636, 0.0007936507914881045, -0.0005952377668118289, 0.0008417221662490387,
    -0.0019159173222882174, 0.006347781092629731, -0.02778019291783206, 0.14121372400004228, -0.7192003241128606,
    3.219362833209331, -11.400582907929671, 28.919718232971064, -45.921268892668415, 33.979366862218164,
)  # fmt: skip
"""x (log Gamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2), in 1 / x**2; error of the logarithm 2**-63."""

AT_TWO = (
    0.3224670334241132, -0.06735230105319825, 0.02058080842778495, -0.007385551028659612, 0.002890510330717188,
    -0.0011927539122782455, 0.0005096695254841015, -0.0002231547458954111, 9.94574997082677e-05,
    -4.4926400810256834e-05, 2.0507356130155532e-05, -9.438151302461862e-06, 4.373859882080086e-06,
    -2.0460488187871187e-06, 9.596640144441229e-07, -4.2809134750343465e-07, 1.995876002649469e-07,
    -1.3604020197710834e-07, 6.661299387955906e-08,
)  # fmt: skip
"""(log Gamma(2 + t) / t - 1 + Euler's constant) / t for |t| <= 1/2; error of the logarithm 2**-66."""

DIGAMMA_STIRLING = (
    0.08333333333333326, -0.008333333333258407, 0.003968253943727299, -0.004166662829528608, 0.007575407998276123,
    -0.021072065800379944, 0.08247261006140817, -0.4168362960846397, 2.424832875085877, -14.235136548612118,
    75.16672966529828, -326.78937529210924, 1086.3391711244417, -2546.2610754450775, 3713.0374416035065,
    -2520.227191994134,
)  # fmt: skip
"""x**2 (log(x) - 1 / (2 x) - digamma(x)), in 1 / x**2; error 2**-63."""

DIGAMMA = (
    0.9510558760318328, -0.4236274212814606, 0.24054248424078778, -0.14840492305388006, 0.09498872445276275,
    -0.06192213327556206, 0.04076083394882331, -0.026975796656856177, 0.01790724806166636, -0.011908220169970255,
    0.007927026575075664, -0.005279936415424518, 0.0035180508999871673, -0.0023455016487271283, 0.0015637859976080654,
    -0.0010364226134385007, 0.0006889252302619118, -0.00048606453494801603, 0.00032992605962561377,
    -0.0001446031805561421, 8.648014973532172e-05, -0.0001783739431684834, 0.0001261308288729671,
)  # fmt: skip
"""digamma(x) / (x - root), in x - 1.5 from -1/2 to 1/2; error 2**-58."""

TRIGAMMA_STIRLING = (
    0.16666666666666521, -0.03333333333177295, 0.023809523297978027, -0.03333325310767613, 0.07575024023457676,
    -0.2526762504953526, 1.1483710161159781, -6.524195367544573, 41.22159451971213, -255.23985898184387,
    1393.1492037049472, -6184.130327046278, 20838.151253097, -49293.60452648896, 72350.34562633804, -49342.41108236417,
)  # fmt: skip
"""x**3 (trigamma(x) - 1 / x - 1 / (2 x**2)), in 1 / x**2; error of the function 2**-58."""

TRIGAMMA = (
    0.6449340668482264, -0.4041138063191885, 0.24696970113341415, -0.1477110205735012, 0.08671530992230694,
    -0.0500956642896902, 0.02854149338208491, -0.016067142681402736, 0.008951176254930008, -0.004941884468626184,
    0.0027069502710455853, -0.0014725805567802556, 0.0007962454380317746, -0.0004280703033784801,
    0.00022909688575629855, -0.0001230328456610141, 6.55042723751907e-05, -3.177522199695664e-05,
    1.6456438915237136e-05, -1.3812567180160833e-05, 7.5000884559813e-06,
)  # fmt: skip
"""trigamma(2 + t) for |t| <= 1/2; error 2**-59."""


def is_negative(x: Double) -> Test:
    """Whether there is no code for an argument."""
    return x < 0.0


def gammaln(x: Double) -> Double:
    """Return log(Gamma(x)), from log(x (x + 1)), log(x), 0 or, from 2.5 on, log(x) again."""
    near_zero, near_one, large = x < 0.5, x < 1.5, x > LARGE
    t = x - select(near_zero, 0.0, select(near_one, 1.0, 2.0))
    factor = select(near_zero, fma(x, x, x), select(near_one | large, x, 1.0))
    logarithm, log_rest = natural(factor, select(near_zero, fma(x, x, x - factor), 0.0))
    slope, slope_rest = exact_product(t, ONE_LESS_EULER[0])
    small, small_rest = exact_sum(slope, -logarithm)
    small_rest = small_rest - log_rest + fma(t, ONE_LESS_EULER[1], slope_rest)
    small = small + fma(t * t, polynomial(t, AT_TWO), small_rest)
    value = select(large, _stirling(x, logarithm, log_rest), small)
    return select(x < math.inf, select(x > 0.0, value, math.inf), x)


def _stirling(x: Double, logarithm: Double, log_rest: Double) -> Double:
    """Return (x - 1/2) (log(x) - 1) + (log(2 pi) - 1) / 2 + 1 / (12 x) - ..., for x above 2.5."""
    less = logarithm - 1.0
    less_rest = ((logarithm - less) - 1.0) + log_rest
    most, most_rest = exact_product(x - 0.5, less)
    inverse = 1.0 / x
    total, rest = exact_sum(HALF_LOG_TWO_PI[0] - 0.5, most)
    rest = rest + fma(x - 0.5, less_rest, most_rest + HALF_LOG_TWO_PI[1])
    return select(most < math.inf, total + fma(inverse, polynomial(inverse * inverse, STIRLING), rest), most)


def digamma(x: Double) -> Double:
    """Return the derivative of log(Gamma(x)); its argument is brought to 1 to 2 by one step, or is above 2.5."""
    below, above, large = x < 1.0, x > 2.0, x > LARGE
    inverse, inverse_rest = _inverse(select(large, x, select(above, x - 1.0, x)))
    step = select(below, -1.0, select(above, 1.0, 0.0))
    y = x - step
    slope = polynomial(y - 1.5, DIGAMMA)
    near, near_rest = exact_product(y - ROOT[0], slope)
    near, lost = exact_sum(near, step * inverse)
    near = near + select(abs(near) < math.inf, lost + near_rest + fma(step, inverse_rest, -ROOT[1] * slope), 0.0)
    logarithm, log_rest = natural(select(large, x, 1.0))
    square = inverse * inverse
    far = logarithm - fma(square, polynomial(square, DIGAMMA_STIRLING), fma(inverse, 0.5, -log_rest))
    return select(x < math.inf, select(large, far, near), x)


def _inverse(x: Double) -> tuple[Double, Double]:
    """Return 1 / x as two doubles."""
    inverse = 1.0 / x
    return inverse, fma(-inverse, x, 1.0) * inverse


def trigamma(x: Double) -> Double:
    """Return the second derivative of log(Gamma(x)); below 2.5 that at 1.5 to 2.5, and 1 / x**2 + 1 / (x + 1)**2."""
    near_zero, near_one, large = x < 0.5, x < 1.5, x > LARGE
    inverse, inverse_rest = _inverse(x)
    square, square_rest = exact_product(inverse, inverse)
    second = 1.0 / (x + 1.0)
    near = polynomial(x - select(near_zero, 0.0, select(near_one, 1.0, 2.0)), TRIGAMMA)
    near = near + select(near_zero, second * second, 0.0)
    steps, lost = exact_sum(near, square)
    rest = fma(2.0 * inverse, inverse_rest, square_rest) + lost
    stepped = steps + select(steps < math.inf, rest, 0.0)
    far = fma(square * inverse, polynomial(square, TRIGAMMA_STIRLING), 0.5 * square) + inverse
    value = select(large, far, select(near_one, stepped, near))
    return select(x < math.inf, value, select(x.equals(math.inf), 0.0, x))
