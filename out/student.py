"""Derivatives of student (/tmp/p/try/many.py:14).

Written by autoopt 0.1.0 for:
p: shape (6,)
X: shape (120, 4)
y: shape (120,)

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np
import scipy.special


class PathChanged(Exception):
    """The objective takes another branch at this point than the one that this code was made for."""


def value_and_grad(p, X, y):
    """Return the value and the gradient at `p`."""
    b_0, b_1, b_2, b_3, log_s, log_nu = p
    n = len(y)
    product = 0.5 * n
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    # nu = np.exp(log_nu) + 2
    exp_log_nu = np.exp(log_nu)
    if not (exp_log_nu + 2 > 0):
        raise PathChanged("/tmp/p/try/many.py:18: return -stats.t.logpdf(z, nu).sum() + len(y) * log_s")
    nu = 2.0 + exp_log_nu
    exp = np.exp(-log_s)
    # z = (y - X @ np.array(b)) / np.exp(log_s)
    z = (y - X @ np.array([b_0, b_1, b_2, b_3])) * exp
    # return -stats.t.logpdf(z, nu).sum() + len(y) * log_s
    ratio = z**2 / nu
    log1p_ratio = np.log1p(ratio)
    t1 = 3.0 + exp_log_nu
    product2 = 0.5 * nu
    total = (-0.5 * np.log(nu) - scipy.special.betaln(product2, 0.5) - 0.5 * t1 * log1p_ratio).sum()
    value = 1.0 * n * log_s - total
    t2 = 1.0 + ratio
    total2 = (ratio / t2).sum()
    product3 = (scipy.special.psi(product2) - scipy.special.psi(0.5 + product2)) * product
    t3 = 0.5 * n / nu + product3 + 0.5 * log1p_ratio.sum() - 0.5 * (t1 / nu * total2)
    t4 = (-(t1 * (exp / nu * (X.T @ (z / t2)))))[:, None]
    t5 = 1.0 * n - t1 * total2
    gradient = np.array([t4[0][0], t4[1][0], t4[2][0], t4[3][0], t5, t3 * exp_log_nu])
    return value, gradient


def grad(p, X, y):
    """Return the gradient alone."""
    return value_and_grad(p, X, y)[1]


def hess(p, X, y):
    """Return the Hessian, shape (6, 6), at `p`."""
    b_0, b_1, b_2, b_3, log_s, log_nu = p
    if len(y) != 120:
        raise ValueError(f"This code was written for 120 rows of y, not {len(y)}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    if len(X) != 120:
        raise ValueError(f"This code was written for 120 rows of X, not {len(X)}.")
    # nu = np.exp(log_nu) + 2
    exp_log_nu = np.exp(log_nu)
    if not (exp_log_nu + 2 > 0):
        raise PathChanged("/tmp/p/try/many.py:18: return -stats.t.logpdf(z, nu).sum() + len(y) * log_s")
    nu = 2.0 + exp_log_nu
    # z = (y - X @ np.array(b)) / np.exp(log_s)
    difference = y - X @ np.array([b_0, b_1, b_2, b_3])
    exp = np.exp(-log_s)
    product = difference * exp
    square_product = product**2
    # return -stats.t.logpdf(z, nu).sum() + len(y) * log_s
    ratio = square_product / nu
    product2 = 0.5 * nu
    t1 = 0.5 + product2
    product3 = exp_log_nu * scipy.special.polygamma(1.0, product2)
    product4 = 60.0 * (product3 - exp_log_nu * scipy.special.polygamma(1.0, t1))
    t2 = 1.0 + ratio
    ratio2 = difference / nu
    ratio3 = ratio2 / t2
    ratio4 = exp / nu
    ratio5 = ratio4 * ratio4 * difference / t2
    product5 = exp_log_nu * t2
    product6 = -(exp_log_nu * square_product)
    t4 = 3.0 + exp_log_nu
    ratio6 = t4 / nu
    product7 = -0.5 * difference
    product8 = 0.5 * ratio6 * ((product6 + 2.0 * nu * product5) * ratio5 * ratio3)
    product9 = 0.5 * (product4 + exp_log_nu / nu * (-120.0 / nu))
    product10 = 2.0 * ((exp_log_nu * (ratio5 * product7) + product8).sum() + product9)
    ratio7 = product / t2
    product11 = ratio6 * ratio7
    product12 = ratio4 * product11
    product13 = 60.0 * (scipy.special.psi(product2) - scipy.special.psi(t1))
    t5 = 60.0 / nu + product13 + product12 @ product7 + 0.5 * np.log1p(ratio).sum()
    product14 = 0.5 * (exp_log_nu * (-(difference * ratio5)).sum() + product10) * exp_log_nu
    product15 = (product6 / nu + product5) * product11
    product16 = ratio7 * ratio2
    X_part = X[:, 3]
    ratio8 = exp / t2 / nu
    t6 = ratio8 * product15 - (exp_log_nu * exp * ratio7) / nu
    X_part2 = X[:, 2]
    X_part3 = X[:, 1]
    X_part4 = X[:, 0]
    product17 = ratio7 * product12
    product18 = t4 * product16
    product19 = -((2.0 * (difference * difference * product17) - product18).sum() * exp)
    product20 = -2.0 * product17
    product21 = t4 * (exp * product)
    t7 = (product21 + product21) / nu / t2 + product * product20
    product22 = exp * product20
    product23 = exp * (t4 * ratio8)
    t8 = X_part * product23 + X_part * product22
    t9 = X_part2 * product23 + X_part2 * product22
    t10 = X_part3 * product23 + X_part3 * product22
    hessian = np.zeros((6, 6))
    hessian[0, 0] = (X_part4 * product23 + X_part4 * product22) @ X_part4
    hessian[0, 1] = t10 @ X_part4
    hessian[1, 1] = t10 @ X_part3
    hessian[0, 2] = t9 @ X_part4
    hessian[1, 2] = t9 @ X_part3
    hessian[2, 2] = t9 @ X_part2
    hessian[0, 3] = t8 @ X_part4
    hessian[1, 3] = t8 @ X_part3
    hessian[2, 3] = t8 @ X_part2
    hessian[3, 3] = t8 @ X_part
    hessian[0, 4] = t7 @ X_part4
    hessian[1, 4] = t7 @ X_part3
    hessian[2, 4] = t7 @ X_part2
    hessian[3, 4] = t7 @ X_part
    hessian[4, 4] = exp * product18.sum() + product19
    hessian[0, 5] = t6 @ X_part4
    hessian[1, 5] = t6 @ X_part3
    hessian[2, 5] = t6 @ X_part2
    hessian[3, 5] = t6 @ X_part
    hessian[4, 5] = -((exp_log_nu * product16 - product15 * ratio3).sum() * exp)
    hessian[5, 5] = exp_log_nu * t5 + product14
    hessian[1:, :1] = hessian[:1, 1:].T
    hessian[2:, 1:2] = hessian[1:2, 2:].T
    hessian[3:, 2:3] = hessian[2:3, 3:].T
    hessian[4:, 3:4] = hessian[3:4, 4:].T
    hessian[5, 4] = hessian[4, 5]
    return hessian


def linearize(p, X, y):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    b_0, b_1, b_2, b_3, log_s, log_nu = p
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    n = len(y)
    # nu = np.exp(log_nu) + 2
    exp = np.exp(log_nu)
    if not (exp + 2 > 0):
        raise PathChanged("/tmp/p/try/many.py:18: return -stats.t.logpdf(z, nu).sum() + len(y) * log_s")
    ahead = 2.0 + exp
    exp_2 = np.exp(-log_s)
    # z = (y - X @ np.array(b)) / np.exp(log_s)
    difference = y - X @ np.array([b_0, b_1, b_2, b_3])
    z = difference * exp_2
    # return -stats.t.logpdf(z, nu).sum() + len(y) * log_s
    square = z**2
    ratio = square / ahead
    ahead_2 = 1.0 + ratio
    ratio2 = exp_2 / ahead
    t2 = 3.0 + exp
    ratio3 = t2 / ahead
    product = 0.5 * ahead
    t3 = 0.5 + product
    total = (-0.5 * ratio3 * ratio2 * exp_2 * difference * difference / ahead_2).sum()
    product2 = 0.5 * n * (scipy.special.psi(product) - scipy.special.psi(t3))
    product3 = (0.5 * n / ahead + product2 + total + 0.5 * np.log1p(ratio).sum()) * exp
    product_2 = 2.0 * ahead
    ratio4 = exp / ahead
    total2 = (0.5 * ratio4 * ratio3 * (ratio2 * ratio2) * difference * difference / ahead_2).sum()
    product_3 = -(0.5 * n) * exp * scipy.special.polygamma(1.0, t3)
    product_4 = 0.5 * n * exp * scipy.special.polygamma(1.0, product)
    product_5 = ratio4 * (-(0.5 * n) / ahead)
    ratio5 = -(ratio2 * t2 * difference) / ahead / ahead_2
    product_6 = -exp_2
    product_7 = -(exp_2 * difference)
    product_8 = product_7 @ ratio5
    product_9 = 0.5 * exp
    ratio_2 = -0.5 * (t2 / ahead_2) / ahead_2
    product_10 = -(ratio4 * ratio2 * exp_2 * difference * difference)
    product_11 = 2.0 * exp_2 * difference
    ratio_3 = product_11 / ahead
    ratio_4 = -1.0 / ahead
    ratio_5 = 0.5 / ahead_2
    product_12 = product_10 @ ratio_5
    product_13 = (product_7 * ratio_5) @ ratio_3
    product4 = ahead_2 * ahead
    product_14 = (t2 * exp_2 * difference * difference / product4).sum() * exp_2
    ratio_6 = -(t2 * exp_2 * difference) / product4
    ratio_7 = t2 / product4
    product_15 = -0.5 * ratio4 * ratio3
    ratio_8 = exp_2 * t2 * exp_2 * difference / product4
    product = product3
    total = total2
    ratio = ratio5

    def product_16(direction):
        direction5 = direction[5]
        filled = np.array([direction[0], direction[1], direction[2], direction[3]])
        product2 = X @ filled
        product3 = product2 * product_6
        direction4 = direction[4]
        t1 = product3 + direction4 * product_7
        t2 = (t1 * ratio_3 + direction5 * product_10) * ratio_2 + direction5 * product_9 / ahead_2
        t3 = direction4 * product_13 + direction5 * product_12 + (product3 * ratio_3) @ ratio_5
        product4 = 0.5 * (direction5 * product_4 + direction5 * product_3)
        t4 = direction4 * product_8 + product3 @ ratio
        product5 = ratio_4 * ((t2 @ square) / ahead)
        t5 = t3 + product5 + t4 + direction5 * product_5 + product4 + direction5 * total * product_2
        minus_direction4 = -direction4
        t6 = (t2 / ahead + direction5 * product_15 / ahead_2) * product_11 + t1 * ratio_7
        t7 = (X.T @ -(t6 * exp_2 + minus_direction4 * ratio_8))[:, None]
        minus = -((t6 @ difference + product2 @ ratio_6) * exp_2 + minus_direction4 * product_14)
        t8 = t5 * exp + direction5 * product
        return np.array([t7[0][0], t7[1][0], t7[2][0], t7[3][0], minus, t8])

    return product_16


def hvp(p, direction, X, y):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, X, y)(direction)


def slope_of(function, x, direction):
    """Return the slope of `function` along `direction` by differences, and its estimated error."""
    table, best = [], (np.nan, np.inf)
    for k in range(7):
        h = 0.02 / 2**k
        row = [(function(x + h * direction) - function(x - h * direction)) / (2 * h)]
        for j, before in enumerate(table):
            row.append(row[j] + (row[j] - before) / (4 ** (j + 1) - 1))
        error = np.max(np.abs(row[-1] - table[-1])) if table else np.inf
        if error < best[1]:
            best = row[-1], error
        table = row
    return best


def compare(name, found, function, x, direction):
    """Raise an error if `found` is not the slope of `function` along `direction`."""
    slope, error = slope_of(function, x, direction)
    distance, size = np.max(np.abs(found - slope)), np.max(np.abs(slope))
    if not distance <= 10 * error + 1e-9 * (1 + size):
        raise AssertionError(f"{name}: {found}, but differences give {slope} +- {error:.1g}")
    print(f"{name} agrees with differences to {distance / max(size, 1e-300):.0e}")


def self_test(x, data):
    """Compare the derivatives at the vector `x` with differences."""
    rng = np.random.default_rng(1)
    for _ in range(3):
        direction = rng.normal(size=x.size)
        compare(
            "value_and_grad",
            value_and_grad(x, *data)[1] @ direction,
            lambda x: value_and_grad(x, *data)[0],
            x,
            direction,
        )
        compare("hess", hess(x, *data) @ direction, lambda x: grad(x, *data), x, direction)
        compare("hvp", hvp(x, direction, *data), lambda x: grad(x, *data), x, direction)


def example():
    """Return made-up parameters, a vector, and data like those that this was written for."""
    rng = np.random.default_rng(0)
    X = rng.normal(-0.006868, 0.9596, size=(120, 4))
    y = rng.normal(-0.1364, 1.035, size=120)
    x = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]) + 0.01 * rng.normal(size=6)
    return x, (X, y)


if __name__ == "__main__":
    self_test(*example())
