"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np
import scipy.special


def slopes(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (3,):
        raise ValueError(f"point has 3 entries, not shape {point.shape}.")
    n = len(eta)
    point2 = point[2]
    difference = y - (eta + point[0])
    point1 = point[1]
    t1 = 1.0 + point2
    square = (difference / point1) ** 2
    ratio = square / point2
    t2 = 1.0 + ratio
    ratio2 = -0.5 * t1 * square / (point2 * point2 * t2)
    product = 0.5 * np.log1p(ratio)
    t6 = (
        0.5 / point2
        + 0.5 * scipy.special.psi(0.5 * point2)
        + product
        + ratio2
        - 0.5 * scipy.special.psi(0.5 * t1)
    )
    result = np.zeros((n, 3))
    result[:, 1] = 1.0 / point1 - (t1 * difference * difference) / (
        point1 * point1 * point1 * point2 * t2
    )
    result[:, 2] = t6
    result[:, 0] = -(t1 * difference) / (point1 * point1 * point2 * t2)
    return result


def curvatures(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (3,):
        raise ValueError(f"point has 3 entries, not shape {point.shape}.")
    n = len(eta)
    point2 = point[2]
    difference = y - (eta + point[0])
    point1 = point[1]
    t1 = 1.0 + point2
    square = (difference / point1) ** 2
    t4 = 1.0 + square / point2
    square_point2 = point2 * point2
    square_point1 = point1 * point1
    product = square_point1 * point2 * square_point1 * point2 * t4 * t4
    product2 = -2.0 * square_point1 * difference * difference
    product3 = t1 * (2.0 * point1 * point2 * t4 + product2 / (point1 * square_point1)) * difference
    product4 = point1 * point1 * point2 * square_point1 * point2 * t4 * t4
    product5 = square_point1 * point2 * t4
    minus_difference = -difference
    ratio = t1 * (square_point1 * t4 - (square_point1 * square) / point2) * difference / product
    product6 = point1 * point1 * point1 * point2 * square_point2 * t4 * t4
    ratio2 = t1 * difference * difference / (point1 * point1 * point1 * square_point2 * t4)
    ratio3 = -(difference * difference) / (point1 * point1 * point1 * point2 * t4)
    ratio4 = -(t1 * difference * square) / (point1 * point1 * point2 * square_point2 * t4 * t4)
    ratio5 = difference * t1 / (point1 * point1 * square_point2 * t4)
    product7 = 0.5 * t1 * (2.0 * point2 * t4 - (square_point2 * square) / square_point2) * square
    product8 = -0.5 * square
    ratio6 = product7 / (square_point2 * square_point2 * t4 * t4)
    ratio7 = product8 / (point2 * point2 * t4)
    ratio8 = product8 / (square_point2 * t4)
    t11 = (
        0.25 * scipy.special.polygamma(1.0, 0.5 * point2)
        + ratio7
        + ratio8
        + ratio6
        - 0.5 / square_point2
        - 0.25 * scipy.special.polygamma(1.0, 0.5 * t1)
    )
    product9 = point1 * point1 * point2 * square_point1 * point1 * point2 * t4 * t4
    product10 = square_point1 * point1 * point2 * t4
    ratio9 = 2.0 * t1 * difference * difference * difference / product9
    product11 = square_point1 * point1 * point2 * square_point1 * point1 * point2 * t4 * t4
    t12 = square_point1 * point1 * t4 - (square_point1 * point1 * square) / point2
    t13 = (2.0 * square_point1 + square_point1) * point2 * t4 + product2 / square_point1
    result = np.zeros((3 * n, 3))
    result[1 : 3 * n - 1 : 3, 1] = (
        t1 * t13 * difference * difference / product11 - 1.0 / square_point1
    )
    result[1 : 3 * n - 1 : 3, 2] = -(
        difference**2 / product10 - (t1 * t12 * difference * difference) / product11
    )
    result[1 : 3 * n - 1 : 3, 0] = -(ratio9 - 2.0 * t1 * difference / product10)
    result[2::3, 2] = t11
    result[2::3, 0] = minus_difference / (point1 * point1 * point2 * t4) + ratio5 + ratio4
    result[2::3, 1] = ratio3 + ratio2 - (t1 * difference * difference * square) / product6
    result[: 3 * n - 2 : 3, 2] = minus_difference / product5 + ratio
    result[: 3 * n - 2 : 3, 0] = t1 / product5 - 2.0 * t1 * difference * difference / product4
    result[: 3 * n - 2 : 3, 1] = product3 / product
    return result
