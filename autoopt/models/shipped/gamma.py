"""Written by `python -m autoopt.models.shipping`, not by hand."""

# ruff: noqa
# fmt: off

import numpy as np
import scipy.special


def slopes_prepare(eta, y):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    return np.log(y)


def slopes(point, eta, y, *, prepared=None):
    """Return the Jacobian, a column for each parameter, at `point`."""
    point = np.asarray(point, dtype=float)
    if point.shape != (2,):
        raise ValueError(f"point has 2 entries, not shape {point.shape}.")
    if prepared is None:
        prepared = slopes_prepare(eta, y)
    log_y = prepared
    n = len(eta)
    point1 = point[1]
    inverse_point1 = 1.0 / point1
    difference = log_y - (eta + point[0])
    square = inverse_point1 * inverse_point1
    mask = inverse_point1 > 50.0
    square_point1 = point1 * point1
    ratio = -1.0 / square_point1
    ratio2 = -scipy.special.psi(inverse_point1) / square_point1
    chosen = np.where(mask, 0.0, ratio2 + ratio - (ratio - np.log(inverse_point1) / square_point1))
    difference2 = 0.03333333333333333 - 0.009523809523809525 / square
    ratio3 = -0.01904761904761905 / (point1 * point1 * point1 * square * square * square)
    t1 = ratio3 + 2.0 * difference2 / (point1 * point1 * point1 * square * square)
    t2 = (
        0.5 / point1
        + 0.08333333333333333 * (1.0 - difference2 / square)
        - 0.08333333333333333 * t1 * point1
    )
    result = np.zeros((n, 2))
    result[:, 1] = (
        np.where(mask, t2, 0.0) + chosen - (np.expm1(difference) - difference) / square_point1
    )
    result[:, 0] = (1.0 - np.exp(difference)) / point1
    return result


def curvatures_prepare(eta, y, prepared=None):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    return np.log(y)


def curvatures(point, eta, y, prepared=None, *, prepared_2=None):
    """Return the Jacobian, a column for each parameter, at `point`."""
    if prepared is not None:
        raise ValueError(f"This code was written for prepared = None, not {prepared!r}.")
    point = np.asarray(point, dtype=float)
    if point.shape != (2,):
        raise ValueError(f"point has 2 entries, not shape {point.shape}.")
    if prepared_2 is None:
        prepared_2 = curvatures_prepare(eta, y, prepared)
    log_y = prepared_2
    n = len(eta)
    point1 = point[1]
    inverse_point1 = 1.0 / point1
    difference = log_y - (eta + point[0])
    exp_difference = np.exp(difference)
    square_point1 = point1 * point1
    ratio = -(1.0 - exp_difference) / square_point1
    square = square_point1 * square_point1
    product = point1 * square_point1
    ratio2 = scipy.special.polygamma(1.0, inverse_point1) / (point1 * point1 * square_point1)
    ratio3 = 2.0 * point1 * scipy.special.psi(inverse_point1) / square
    difference2 = 0.03333333333333333 - 0.009523809523809525 * square_point1
    t1 = 2.0 * difference2 * point1 - 0.01904761904761905 * product
    t2 = (
        2.0 * difference2 - 0.05714285714285715 * square_point1 - 0.0380952380952381 * square_point1
    )
    difference3 = (
        -0.5 / square_point1
        - 0.08333333333333333 * t1
        - (0.08333333333333333 * t2 * point1 + 0.08333333333333333 * t1)
    )
    t3 = ratio2 + ratio3 - 1.0 / product - 2.0 * point1 * np.log(inverse_point1) / square
    ratio4 = 2.0 * point1 * (np.expm1(difference) - difference) / square
    result = np.zeros((2 * n, 2))
    result[1::2, 1] = np.where(inverse_point1 > 50.0, difference3, t3) + ratio4
    result[1::2, 0] = ratio
    result[: 2 * n - 1 : 2, 0] = exp_difference / point1
    result[: 2 * n - 1 : 2, 1] = ratio
    return result
