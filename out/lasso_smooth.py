"""Derivatives of lasso_smooth (/tmp/p/try/many.py:57).

Written by autoopt 0.1.0 for:
beta: shape (4,)
X: shape (120, 4)
y: shape (120,)

What the data alone decide is computed in each call; to have it computed once, pass
prepared=prepare(X, y).

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def prepare(X, y):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    n = len(X)
    return 2 / n * (X.T @ X)


def value_and_grad(beta, X, y):
    """Return the value and the gradient at `beta`."""
    beta = np.asarray(beta, dtype=float)
    n = len(y)
    # return ((y - X @ beta) ** 2).mean() + 0.1 * np.sqrt(beta**2 + 1e-6).sum()
    t1 = 1e-06 + beta**2
    difference = y - X @ beta
    root_t1 = np.sqrt(t1)
    value = 1 / n * (difference @ difference) + 0.1 * root_t1.sum()
    gradient = 0.1 * beta / root_t1 - 2 / n * (X.T @ difference)
    return value, gradient


def grad(beta, X, y):
    """Return the gradient alone."""
    return value_and_grad(beta, X, y)[1]


def hess(beta, X, y, *, prepared=None):
    """Return the Hessian, shape (4, 4), at `beta`."""
    beta = np.asarray(beta, dtype=float)
    if beta.shape != (4,):
        raise ValueError(f"beta has 4 entries, not shape {beta.shape}.")
    if prepared is None:
        prepared = prepare(X, y)
    product = prepared
    # return ((y - X @ beta) ** 2).mean() + 0.1 * np.sqrt(beta**2 + 1e-6).sum()
    square_beta = beta**2
    t1 = 1e-06 + square_beta
    root_t1 = np.sqrt(t1)
    hessian = product.copy()
    i = np.arange(4)
    hessian[i, i] += 0.1 / root_t1 - 0.1 * (square_beta / root_t1) / root_t1 / root_t1
    return hessian


def linearize(beta, X, y):
    """Return the function that multiplies the Hessian at `beta` by a direction."""
    beta = np.asarray(beta, dtype=float)
    # return ((y - X @ beta) ** 2).mean() + 0.1 * np.sqrt(beta**2 + 1e-6).sum()
    t1 = 1e-06 + beta**2
    root_t1 = np.sqrt(t1)
    ratio = 0.1 / root_t1
    ratio_2 = -0.1 * (beta / root_t1) ** 2 / root_t1

    def product(direction):
        n = len(X)
        return X.T @ (2 / n * (X @ direction)) + direction * ratio_2 + direction * ratio

    return product


def hvp(beta, direction, X, y):
    """Return the product of the Hessian with `direction` at `beta`."""
    return linearize(beta, X, y)(direction)


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
    X = rng.normal(-0.006868, 0.9596, size=(60, 4))
    y = rng.normal(-0.1364, 1.035, size=60)
    x = np.array([0.0, 0.0, 0.0, 0.0]) + 0.01 * rng.normal(size=4)
    return x, (X, y)


if __name__ == "__main__":
    self_test(*example())
