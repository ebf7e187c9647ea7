"""Derivatives of michaelis (/tmp/p/try/many.py:54).

Written by autoopt 0.1.0 for:
p: shape (2,)
data: dict

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def value_and_grad(p, data):
    """Return the value and the gradient at `p`."""
    vmax, km = p
    data_v = data["v"]
    data_s = data["s"]
    product = 2.0 * data_s
    product_2 = -2.0 * data_s
    # return ((data["v"] - vmax * data["s"] / (km + data["s"])) ** 2).sum()
    t1 = km + data_s
    difference = data_v - vmax * data_s / t1
    value = difference @ difference
    ratio = difference / t1
    gradient = np.array([product_2 @ ratio, vmax * ((product / t1) @ ratio)])
    return value, gradient


def grad(p, data):
    """Return the gradient alone."""
    return value_and_grad(p, data)[1]


def hess(p, data):
    """Return the Hessian, shape (2, 2), at `p`."""
    vmax, km = p
    data_v = data["v"]
    data_s = data["s"]
    # return ((data["v"] - vmax * data["s"] / (km + data["s"])) ** 2).sum()
    t1 = km + data_s
    ratio = data_s / t1
    product = vmax * ratio
    ratio2 = product / t1
    ratio3 = (data_v - product) / t1
    product2 = 2.0 * ratio
    hessian = np.zeros((2, 2))
    hessian[0, 0] = ratio @ product2
    hessian[0, 1] = (-2.0 * (ratio * ratio2)).sum() + ratio3 @ product2
    hessian[1, 1] = (2.0 * (ratio2 * ratio2) - 4.0 * (ratio2 * ratio3)).sum()
    hessian[1, 0] = hessian[0, 1]
    return hessian


def linearize(p, data):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    vmax, km = p
    data_v = data["v"]
    data_s = data["s"]
    product = -4.0 * data_s
    product_2 = -2.0 * data_s
    product_3 = -data_s
    # return ((data["v"] - vmax * data["s"] / (km + data["s"])) ** 2).sum()
    ahead = km + data_s
    difference = data_v - vmax * data_s / ahead
    ratio = vmax / ahead
    ratio2 = difference / ahead
    product_4 = ratio2 * ratio * product
    ratio3 = data_s / ahead
    product_5 = 2.0 * ratio3 * difference
    ratio_2 = ratio * product_2 / ahead
    product_6 = ratio * product_3
    product_7 = ratio3 @ ratio_2
    product_8 = 2.0 * ratio2
    ratio_3 = 2.0 / ahead
    ratio = ratio3

    def product(direction):
        ratio2 = direction[1] / ahead
        product_9 = ratio2 * product_6
        total = (product_9 * ratio_2 + direction[0] / ahead * product_5 + ratio2 * product_4).sum()
        product2 = ((direction[0] * ratio + product_9) * ratio_3 + ratio2 * product_8) @ data_s
        return np.array([product2, direction[0] * product_7 + total])

    return product


def hvp(p, direction, data):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, data)(direction)


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
    data_ = {"v": rng.uniform(0.006, 0.994, size=30), "s": rng.uniform(0.01, 0.957, size=30)}
    x = np.array([1.0, 2.0]) + 0.01 * rng.normal(size=2)
    return x, (data_,)


if __name__ == "__main__":
    self_test(*example())
