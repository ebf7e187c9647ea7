"""Functions of scipy.special that SciPy itself computes from others, and Lambert's W, whose values are complex."""

from __future__ import annotations

import numpy as np
from scipy import special

from autoopt.errors import UnsupportedFunctionError
from autoopt.tape import operations
from autoopt.tape.signatures import Unsupported
from autoopt.tape.tape import PARAMETER
from autoopt.tracing.complex.special import of_parts
from autoopt.tracing.formulas.table import formula
from autoopt.tracing.standins.table import stands_in

# Lambert's W ----------------------------------------------------------------------------------------------------------


@stands_in(special.lambertw)
def _lambertw(tracer, z, k=0, tol=1e-8):
    if tracer.level((z, k)) != PARAMETER:
        return tracer.call(special.lambertw, (z, k), {})
    if not isinstance(k, int | np.integer):
        raise UnsupportedFunctionError(
            "The objective calls scipy.special.lambertw of several branches, which autoopt cannot differentiate.",
            tracer.location(),
            "pass one whole number k.",
        )
    return of_parts(tracer, tracer.whole(z), operations.lambert_real, operations.lambert_imaginary, int(k))


# Spherical Bessel functions -------------------------------------------------------------------------------------------


def _spherical(own, cylindrical, sign):
    """Enter a spherical function f_n = sqrt(pi / (2 z)) times a cylindrical one of order n + 1/2.

    Its slope is n f_n / z + sign * f_(n + 1).
    """

    def value(n, z):
        return np.sqrt(np.pi / 2 / z) * cylindrical(n + 0.5, z)

    @formula(own)
    def follow(n, z, derivative=False):
        if not isinstance(n, int | np.integer):
            raise Unsupported(f"scipy.special.{own.__name__} of a computed order", "pass a whole number")
        if not np.all(z > 0):
            raise Unsupported(f"scipy.special.{own.__name__} at or below 0", "use its series there")
        return n * value(n, z) / z + sign * value(n + 1, z) if derivative else value(n, z)


for _own, _cylindrical, _sign in (
    (special.spherical_jn, special.jv, -1.0),
    (special.spherical_yn, special.yv, -1.0),
    (special.spherical_in, special.iv, 1.0),
    (special.spherical_kn, special.kv, -1.0),
):
    _spherical(_own, _cylindrical, _sign)
