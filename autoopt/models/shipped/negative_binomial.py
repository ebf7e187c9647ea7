"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np
import scipy.special


def slopes(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (2,):
        raise ValueError(f"point has 2 entries, not shape {point.shape}.")
    minus = -np.asarray(y, dtype=float)
    ahead = y - 0.5
    n = len(eta)
    point1 = point[1]
    inverse_point1 = 1.0 / point1
    t1 = point[0] + np.log(point1) + eta
    softplus_t1 = np.maximum(t1, 0.0) + np.log1p(np.exp(-np.abs(t1)))
    product = y * point1
    t4 = y + inverse_point1
    square_t4 = t4**2
    difference = 0.03333333333333333 - 0.009523809523809525 / square_t4
    square = inverse_point1 * inverse_point1
    product2 = np.exp(t1 - softplus_t1) * t4
    square_point1 = point1 * point1
    ratio = -scipy.special.psi(t4) / square_point1
    difference2 = 0.03333333333333333 - 0.009523809523809525 / square
    ratio2 = -0.01904761904761905 / (point1 * point1 * point1 * square * square * square)
    t6 = ratio2 + 2.0 * difference2 / (point1 * point1 * point1 * square * square)
    ratio3 = -0.01904761904761905 * t4 / (point1 * point1 * square_t4 * square_t4 * square_t4)
    t7 = ratio3 + 2.0 * t4 * difference / (point1 * point1 * square_t4 * square_t4)
    ratio4 = minus / point1
    ratio5 = 0.08333333333333333 * (1.0 - difference / square_t4) / (point1 * point1 * t4 * t4)
    ratio6 = y * (inverse_point1 + ahead) / (1.0 + product)
    product3 = -1.0 / square_point1 * np.log1p(product)
    t10 = product3 + ratio6 + ratio4 + ratio5 - 0.08333333333333333 * t7 / t4
    difference3 = t10 - (
        0.08333333333333333 * (1.0 - difference2 / square) - 0.08333333333333333 * t6 * point1
    )
    difference4 = ratio - -scipy.special.psi(inverse_point1) / square_point1
    minus2 = -np.where(inverse_point1 > 50.0, difference3, difference4)
    result = np.zeros((n, 2))
    result[:, 1] = product2 / point1 + ratio4 + minus2 - 1.0 / square_point1 * softplus_t1
    result[:, 0] = product2 - y
    return result


def curvatures(point, eta, y):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (2,):
        raise ValueError(f"point has 2 entries, not shape {point.shape}.")
    minus_y = -y
    difference = y - 0.5
    y = np.asarray(y, dtype=float)
    minus = -np.asarray(minus_y, dtype=float)
    product = -(y * y)
    minus_2 = -y
    n = len(eta)
    point1 = point[1]
    inverse_point1 = 1.0 / point1
    t1 = point[0] + np.log(point1) + eta
    product2 = y * point1
    t4 = y + inverse_point1
    square_t4 = t4**2
    difference2 = 0.03333333333333333 - 0.009523809523809525 / square_t4
    softplus_t1 = np.maximum(t1, 0.0) + np.log1p(np.exp(-np.abs(t1)))
    exp = np.exp(t1 - softplus_t1)
    product3 = exp * t4
    product4 = -0.01904761904761905 * t4
    square_point1 = point1 * point1
    product5 = square_point1 * square_t4 * square_t4
    t6 = 1.0 + product2
    ratio = -1.0 / square_point1
    minus_exp = -exp
    t7 = (inverse_point1 + minus_exp / point1) * product3 + ratio * exp
    product6 = (1.0 - exp) * product3
    square = square_point1 * square_point1
    product7 = point1 * square_point1
    ratio2 = 2.0 * point1 * scipy.special.psi(inverse_point1) / square
    ratio3 = 2.0 * point1 * scipy.special.psi(t4) / square
    t9 = scipy.special.polygamma(1.0, t4) / square + ratio3
    difference3 = 0.03333333333333333 - 0.009523809523809525 * square_point1
    t10 = 2.0 * difference3 * point1 - 0.01904761904761905 * product7
    product8 = 0.08333333333333333 * (
        product4 / (product5 * square_t4) + 2.0 * t4 * difference2 / product5
    )
    product9 = (2.0 * point1 * square_t4 - 2.0 * square_point1 * t4 / square_point1) * square_t4
    t11 = product9 - 2.0 * square_point1 * t4 * square_t4 / square_point1
    product10 = square_point1 * square_point1 * square_t4 * square_t4 * square_t4 * square_t4
    product11 = point1 * point1 * square_t4 * square_t4
    t12 = -2.0 * difference2 / square_point1 - 0.0380952380952381 * t4 * t4 / product11
    product12 = (
        square_point1
        * square_point1
        * square_t4
        * square_t4
        * square_t4
        * square_t4
        * square_t4
        * square_t4
    )
    t13 = t11 * square_t4 - 2.0 * square_point1 * t4 * square_t4 * square_t4 / square_point1
    ratio4 = 0.01904761904761905 / (
        point1 * point1 * square_point1 * square_t4 * square_t4 * square_t4
    )
    ratio5 = t12 / (square_point1 * square_t4 * square_t4)
    ratio6 = -2.0 * t11 * t4 * difference2 / product10
    ratio7 = (
        0.08333333333333333
        * (ratio4 + 0.01904761904761905 * t13 * t4 / product12 + ratio5 + ratio6)
        / t4
    )
    t14 = (
        2.0 * difference3 - 0.05714285714285715 * square_point1 - 0.0380952380952381 * square_point1
    )
    t15 = (2.0 * point1 * t4 + ratio * square_point1) * t4 + ratio * (square_point1 * t4)
    product13 = -0.08333333333333333 * t15 * (1.0 - difference2 / square_t4)
    ratio8 = product4 / (point1 * point1 * square_t4 * square_t4 * square_t4)
    ratio9 = minus / square_point1
    ratio10 = (
        -0.08333333333333333
        * (ratio8 + 2.0 * t4 * difference2 / product11)
        / (square_point1 * t4 * t4)
    )
    ratio11 = product13 / (square_point1 * square_point1 * t4 * t4 * t4 * t4)
    ratio12 = (inverse_point1 + difference) * product / t6**2
    ratio13 = 2.0 * point1 * np.log1p(product2) / square
    ratio14 = minus_2 / (point1 * point1 * t6)
    ratio15 = minus_2 / (t6 * square_point1)
    t18 = (
        0.08333333333333333 * t14 * point1
        + 0.08333333333333333 * t10
        + ratio13
        + ratio15
        + ratio14
        + ratio12
        + ratio9
        + ratio10
        + ratio11
    )
    difference4 = t18 - (
        ratio7 + product8 / (point1 * point1 * t4 * t4) - 0.08333333333333333 * t10
    )
    difference5 = t9 - (scipy.special.polygamma(1.0, inverse_point1) / square + ratio2)
    minus2 = -np.where(inverse_point1 > 50.0, difference4, difference5)
    minus3 = -(exp / product7 - 2.0 * point1 * softplus_t1 / square)
    result = np.zeros((2 * n, 2))
    result[1::2, 0] = product6 / point1 + minus_exp / square_point1
    result[1::2, 1] = t7 / point1 + ratio9 + minus2 + minus3 - (exp * t4) / square_point1
    result[: 2 * n - 1 : 2, 0] = product6
    result[: 2 * n - 1 : 2, 1] = t7
    return result
