"""Derivatives of ar_loop (/tmp/p/try/many.py:47).

Written by autoopt 0.1.0 for:
p: shape (2,)
y: shape (120,)

What the data alone decide is computed in each call; to have it computed once, pass
prepared=prepare(y).

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np
import scipy.linalg


def linear_recurrence(x, factor):
    """Return h with h[0] = x[0] and h[t] = factor[t - 1] * h[t - 1] + x[t]."""
    bands = np.zeros((len(x), 2))
    bands[:-1, 1] = -factor
    return scipy.linalg.blas.dtbsv(1, bands.T, x, lower=1, diag=1)


def linear_recurrence_(x, factor):
    """Return h with h[0] = x[0] and h[t] = factor[t - 1] * h[t - 1] + x[t]."""
    bands = np.zeros((len(x), 2))
    bands[:-1, 1] = -factor
    return scipy.linalg.blas.dtbsv(1, bands.T, x, lower=1, diag=1)


def prepare(y):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    joined = np.concatenate([np.reshape(0.0, (1,)), y[:-1]])
    product = -joined
    return {"joined": joined, "product": product}


def value_and_grad(p, y, *, prepared=None):
    """Return the value and the gradient at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (2,):
        raise ValueError(f"p has 2 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(y)
    joined = prepared["joined"]
    n = len(y)
    # e = v - p[0] * prev - p[1] * e
    e_path = linear_recurrence(np.append(0.0, y - p[0] * joined), -p[1])
    e_path_tail = e_path[1:]
    # return s / len(y)
    value = 1 / n * (e_path_tail @ e_path_tail)
    e_slope_path = linear_recurrence((2 / n * e_path_tail)[::-1], -p[1])[::-1]
    gradient = np.array([-(e_slope_path @ joined), -(e_slope_path @ e_path[:-1])])
    return value, gradient


def grad(p, y, *, prepared=None):
    """Return the gradient alone."""
    return value_and_grad(p, y, prepared=prepared)[1]


def linearize(p, y, *, prepared=None):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    p = np.asarray(p, dtype=float)
    if p.shape != (2,):
        raise ValueError(f"p has 2 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(y)
    joined = prepared["joined"]
    product = prepared["product"]
    n = len(y)
    minus = -p[1]
    # e = v - p[0] * prev - p[1] * e
    path = linear_recurrence(np.append(0.0, y - p[0] * joined), -p[1])
    filled = np.zeros(n + 1)
    filled[1:] += 2 / n * path[1:]
    path_2 = linear_recurrence(filled[::-1], minus)[::-1]
    product_2 = -path[:-1]
    product_3 = -path_2[1:]

    def product_4(direction):
        n = len(y)
        path2 = np.append(0.0, direction[0] * product + direction[1] * product_2)
        e_slope_slope_path = linear_recurrence_(path2, minus)
        product2 = 2 / n * e_slope_slope_path[1:]
        path3 = np.append(product2[n - 1], (product2[0 : n - 1] + (direction[1] * product_3)[1:n])[::-1])
        e_slope_path = linear_recurrence_(path3, minus)[::-1]
        result = np.zeros(2)
        result[0] -= e_slope_path @ joined
        result[1] += -(e_slope_path @ path[:-1]) - e_slope_slope_path[:-1] @ path_2[1:]
        return result

    return product_4


def hvp(p, direction, y, *, prepared=None):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, y, prepared=prepared)(direction)


def hess(p, y, *, prepared=None):
    """Return the Hessian, shape (2, 2), at `p`."""
    product = linearize(p, y, prepared=prepared)
    return np.array([product(unit) for unit in np.eye(2)])


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
    y = rng.normal(-0.1364, 1.035, size=60)
    x = np.array([0.3, 0.2]) + 0.01 * rng.normal(size=2)
    return x, (y,)


if __name__ == "__main__":
    self_test(*example())
