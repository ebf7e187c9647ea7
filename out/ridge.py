"""Derivatives of ridge (/tmp/p/try/many.py:7).

Written by autoopt 0.1.0 for:
beta: shape (4,)
X: shape (120, 4)
y: shape (120,)
lam: float

What the data alone decide is computed in each call; to have it computed once, pass
prepared=prepare(X, y, lam).

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def prepare(X, y, lam=0.5):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    n = len(X)
    hessian = 1 / n * (X.T @ X)
    i = np.arange(4)
    hessian[i, i] += 2.0 * lam
    return hessian


def value_and_grad(beta, X, y, lam=0.5):
    """Return the value and the gradient at `beta`."""
    beta = np.asarray(beta, dtype=float)
    product = 2.0 * lam
    n = len(y)
    product2 = beta @ beta
    # r = y - X @ beta
    r = y - X @ beta
    # return r @ r / (2 * len(y)) + lam * np.linalg.norm(beta) ** 2
    value = 1 / (2 * n) * (r @ r) + lam * product2
    gradient = beta * product - 1 / n * (X.T @ r)
    return value, gradient


def grad(beta, X, y, lam=0.5):
    """Return the gradient alone."""
    return value_and_grad(beta, X, y, lam)[1]


def hess(beta, X, y, lam=0.5, *, prepared=None):
    """Return the Hessian, shape (4, 4), at `beta`."""
    if prepared is None:
        prepared = prepare(X, y, lam)
    hessian = prepared
    return hessian.copy()


def linearize(beta, X, y, lam=0.5):
    """Return the function that multiplies the Hessian at `beta` by a direction."""
    product = 2.0 * lam

    def product_2(direction):
        n = len(X)
        return X.T @ (1 / n * (X @ direction)) + direction * product

    return product_2


def hvp(beta, direction, X, y, lam=0.5):
    """Return the product of the Hessian with `direction` at `beta`."""
    return linearize(beta, X, y, lam)(direction)


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
    lam = 0.5
    x = np.array([0.0, 0.0, 0.0, 0.0]) + 0.01 * rng.normal(size=4)
    return x, (X, y, lam)


if __name__ == "__main__":
    self_test(*example())
