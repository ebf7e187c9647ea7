"""Functions of scipy.special of a complex argument: pairs of real functions of its parts.

Those are the primitives of tape/operations.py, so this needs no SciPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autoopt.tape import operations
from autoopt.tracing.complex.array import OF_SCIPY, as_complex, pair
from autoopt.tracing.recording.recorder import Recorder


def of_parts(tracer: Recorder, z: Any, real: Callable, imaginary: Callable, *more: Any) -> Any:
    """Return a function of a complex argument by its two parts."""
    z = as_complex(tracer, z)
    re, im = (part if np.shape(part) == z.shape else part + np.zeros(z.shape) for part in (z.re, z.im))
    return pair(tracer, *(tracer.elementwise(part, (re, im, *more)) for part in (real, imaginary)))


def _wofz(tracer, z):
    """Faddeeva's w."""
    return of_parts(tracer, z, operations.faddeeva_real, operations.faddeeva_imaginary)


OF_SCIPY["wofz"] = _wofz
