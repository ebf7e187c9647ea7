"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def slopes(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (1,):
        raise ValueError(f"point has 1 entry, not shape {point.shape}.")
    return -(y[:, None] - (eta[:, None] + point[0]))


def curvatures(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    n = len(eta)
    return np.ones((n, 1))
