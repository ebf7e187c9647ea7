"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np
import scipy.special


def slopes(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (1,):
        raise ValueError(f"point has 1 entry, not shape {point.shape}.")
    return scipy.special.expit(eta[:, None] + point[0]) - y[:, None]


def curvatures(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (1,):
        raise ValueError(f"point has 1 entry, not shape {point.shape}.")
    sigmoid = scipy.special.expit(eta[:, None] + point[0])
    return sigmoid * (1.0 - sigmoid)
