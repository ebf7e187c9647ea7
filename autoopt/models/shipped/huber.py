"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np


def slopes(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    y_part = y[:, 0]
    y_part_2 = y[:, 1]
    product_2 = -np.asarray(y_part_2, dtype=float)
    difference = y_part - (eta + point)
    abs_difference = np.abs(difference)
    chosen = np.where(abs_difference <= y_part_2, -difference, np.sign(difference) * product_2)
    return chosen[:, None]


def curvatures(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    y_part = y[:, 0]
    y_part_2 = y[:, 1]
    difference = y_part - (eta + point)
    abs_difference = np.abs(difference)
    return np.where(abs_difference <= y_part_2, 1.0, 0.0)[:, None]
