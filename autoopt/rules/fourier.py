"""The discrete Fourier transform of pairs of real and imaginary parts.

The matrix F of the transform is symmetric, so the pullback of y = F z, the parts counted as real numbers, is conj(F):
the transform in the other direction.
"""

from __future__ import annotations

import pytensor.tensor as pt

from autoopt.ops.fourier import Fourier
from autoopt.ops.operands import real
from autoopt.rules.table import rule
from autoopt.tape import operations


@rule(operations.dft)
def dft(re, im, inverse=False):
    return Fourier(inverse)(pt.stack([real(re), real(im)], axis=-2))
