"""Closed forms of a likelihood's derivatives, compared with differences of the likelihood for the data at hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autoopt import differences
from autoopt.errors import VerificationError

SOME = 1000
"""Rows, of which the comparison takes about as many."""


def agreeing_sums(name: str, value: Callable, second_order: Callable, x: np.ndarray, sizes: np.ndarray) -> None:
    """Raise a VerificationError unless gradient and Hessian agree with differences along a random direction.

    Parameters
    ----------
    name : str
        Of the likelihood.
    value : callable
        x -> number: the likelihood in plain NumPy.
    second_order : callable
        x -> value, gradient (n,), Hessian (n, n).
    x : ndarray, shape (n,)
    sizes : ndarray, shape (n,)
        Steps over which the likelihood changes, by about one in a predictor.
    """
    direction = sizes * np.random.default_rng(0).uniform(0.5, 1.5, x.size) / np.sqrt(x.size)
    own, gradient, hessian = second_order(x)
    compared = (
        ("value", own, value(x), 0.0),
        ("slope", float(gradient @ direction), *differences.directional(value, x, direction)),
        (
            "curvature",
            float(direction @ hessian @ direction),
            *differences.directional(lambda near: float(second_order(near)[1] @ direction), x, direction),
        ),
    )
    for what, found, expected, error in compared:
        if not abs(found - expected) <= 10 * error + 1e-6 * (1 + abs(expected)):
            raise VerificationError(
                f"The {what} of {name} is {found:.10g} by its closed form, but differences give {expected:.10g}.",
                remedy="use another method, such as method='l-bfgs-b', and report this.",
            )
