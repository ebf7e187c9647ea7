"""Derivatives of random_effects (/tmp/p/try/many.py:27).

Written by autoopt 0.1.0 for:
p: shape (12,)
X: shape (120, 4)
y: shape (120,)
g: shape (120,)

What the data alone decide is computed in each call; to have it computed once, pass
prepared=prepare(X, y, g).

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def prepare(X, y, g):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    ahead = np.where(g < 0, 6 + g, g) + 4
    product = X.T @ X
    return ahead, product


def value_and_grad(p, X, y, g):
    """Return the value and the gradient at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (12,):
        raise ValueError(f"p has 12 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    n = len(y)
    beta, b, ls, lt = p[:4], p[4:10], p[10], p[11]
    # r = (y - X @ beta - b[g]) / np.exp(ls)
    difference = y - X @ beta - b[g]
    exp = np.exp(-ls)
    r = difference * exp
    # return 0.5 * (r**2).sum() + y.size * ls + 0.5 * ((b / np.exp(lt))**2).sum() + b.size * lt
    product = b * np.exp(-lt)
    value = 0.5 * (r @ r) + 1.0 * n * ls + 0.5 * (product @ product) + 6.0 * lt
    product2 = np.exp(-lt) * product
    product3 = -(exp * r)
    filled = product2.copy()
    np.add.at(filled, g, product3)
    t2 = 1.0 * n + difference @ product3
    gradient = np.concatenate([X.T @ product3, filled, [t2], [6.0 - b @ product2]])
    return value, gradient


def grad(p, X, y, g):
    """Return the gradient alone."""
    return value_and_grad(p, X, y, g)[1]


def hess(p, X, y, g, *, prepared=None):
    """Return the Hessian, shape (12, 12), at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (12,):
        raise ValueError(f"p has 12 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(X, y, g)
    ahead, product = prepared
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    n = len(y)
    beta, b, ls, lt = p[:4], p[4:10], p[10], p[11]
    # r = (y - X @ beta - b[g]) / np.exp(ls)
    difference = y - X @ beta - b[g]
    exp = np.exp(-lt)
    bb = b @ b
    exp2 = np.exp(-ls)
    product2 = difference @ difference
    product3 = difference * exp2
    product4 = exp2 * exp2
    hessian = np.zeros((12, 12))
    hessian[:4, :4] = product4 * product
    product5 = product4 * X.T
    np.add.at(hessian, (np.arange(0, 4, 1)[:, None], ahead), product5)
    np.add.at(hessian, (ahead[:, None], np.arange(0, 4, 1)), product5.T)
    t3 = (2.0 * exp2 * (X.T @ product3))[:, None]
    hessian[:4, 10:11] += t3
    hessian[10:11, :4] += t3.T
    t4 = (2.0 * exp2 * product3)[:, None]
    np.add.at(hessian, (ahead[:, None], np.arange(10, 11, 1)), t4)
    np.add.at(hessian, (np.arange(10, 11, 1)[:, None], ahead), t4.T)
    hessian[10, 10] += exp2 * exp2 * product2 + exp2 * product2 * exp2
    t5 = (-2.0 * exp * exp * b)[:, None]
    hessian[4:10, 11:] += t5
    hessian[11:, 4:10] += t5.T
    hessian[11, 11] += exp * exp * bb + exp * bb * exp
    i = np.arange(6)
    hessian[i + 4, i + 4] += exp * exp
    np.add.at(hessian, (ahead, ahead), np.full(n, np.full((1,), product4)))
    return hessian


def linearize(p, X, y, g):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    p = np.asarray(p, dtype=float)
    if p.shape != (12,):
        raise ValueError(f"p has 12 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    lt = p[11]
    exp = np.exp(-lt)
    b = p[4:10]
    product = -(exp * (b @ b) * exp)
    product_2 = -(exp * b)
    ls = p[10]
    exp_2 = np.exp(-ls)
    beta = p[:4]
    # r = (y - X @ beta - b[g]) / np.exp(ls)
    difference = y - X @ beta - b[g]
    product_3 = -(exp_2 * (difference @ difference) * exp_2)
    product_4 = -(exp_2 * difference)
    product_5 = -(exp_2 * exp_2 * difference)
    product_6 = -(exp * exp * b)

    def product_7(direction):
        b = p[4:10]
        direction_part = direction[4:10]
        t2 = direction_part * exp + direction[11] * product_2
        minus = -((t2 @ b + exp * (direction_part @ b)) * exp + direction[11] * product)
        difference2 = -(X @ direction[:4]) - direction_part[g]
        t4 = difference2 * exp_2 + direction[10] * product_4
        product2 = (t4 @ difference + exp_2 * (difference2 @ difference)) * exp_2
        minus2 = -(t4 * exp_2 + direction[10] * product_5)
        t5 = direction[11] * product_6 + t2 * exp
        np.add.at(t5, g, minus2)
        return np.concatenate([X.T @ minus2, t5, [-(product2 + direction[10] * product_3)], [minus]])

    return product_7


def hvp(p, direction, X, y, g):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, X, y, g)(direction)


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
    g = rng.integers(0, 6, size=60)
    x = rng.normal(0.1, 1.388e-17, size=12)
    return x, (X, y, g)


if __name__ == "__main__":
    self_test(*example())
