"""Derivatives of huber (/tmp/p/try/many.py:10).

Written by autoopt 0.1.0 for:
beta: shape (4,)
X: shape (120, 4)
y: shape (120,)
delta: float

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def gram(w, A):
    """Return the sum of w[i] times the outer product of row i of A with itself."""
    size = A.shape[1]
    total = np.zeros((size, size))
    roots, negative = np.sqrt(np.abs(w)), w < 0.0
    step = max(131072 // max(size, 1), 1)
    for start in range(0, len(w), step):
        part = slice(start, start + step)
        rows = A[part] * roots[part, None]
        below = negative[part]
        if below.all():
            total -= rows.T @ rows
        elif below.any() and size < 64:
            total += (rows.T * np.where(below, -1.0, 1.0)) @ rows
        elif below.any():
            above, below = rows[~below], rows[below]
            total += above.T @ above - below.T @ below
        else:
            total += rows.T @ rows
    return total


def value_and_grad(beta, X, y, delta=1.0):
    """Return the value and the gradient at `beta`."""
    beta = np.asarray(beta, dtype=float)
    # return np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta)).sum()
    product = 0.5 * delta
    # r = y - X.dot(beta)
    r = y - X @ beta
    # a = np.abs(r)
    a = np.abs(r)
    # return np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta)).sum()
    mask = a <= delta
    value = np.where(mask, 0.5 * r**2, delta * (a - product)).sum()
    gradient = -(X.T @ np.where(mask, r, delta * np.sign(r)))
    return value, gradient


def grad(beta, X, y, delta=1.0):
    """Return the gradient alone."""
    return value_and_grad(beta, X, y, delta)[1]


def hess(beta, X, y, delta=1.0):
    """Return the Hessian, shape (4, 4), at `beta`."""
    beta = np.asarray(beta, dtype=float)
    # r = y - X.dot(beta)
    r = y - X @ beta
    # a = np.abs(r)
    a = np.abs(r)
    # return np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta)).sum()
    return gram(np.where(a <= delta, 1.0, 0.0), X)


def linearize(beta, X, y, delta=1.0):
    """Return the function that multiplies the Hessian at `beta` by a direction."""
    beta = np.asarray(beta, dtype=float)
    # r = y - X.dot(beta)
    r = y - X @ beta
    # a = np.abs(r)
    a = np.abs(r)
    # return np.where(a <= delta, 0.5 * r**2, delta * (a - 0.5 * delta)).sum()
    mask = a <= delta

    def product(direction):
        return X.T @ np.where(mask, X @ direction, 0.0)

    return product


def hvp(beta, direction, X, y, delta=1.0):
    """Return the product of the Hessian with `direction` at `beta`."""
    return linearize(beta, X, y, delta)(direction)


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
    delta = 1.0
    x = np.array([0.0, 0.0, 0.0, 0.0]) + 0.01 * rng.normal(size=4)
    return x, (X, y, delta)


if __name__ == "__main__":
    self_test(*example())
