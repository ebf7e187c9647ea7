"""Derivatives of mvn (/tmp/p/try/many.py:31).

Written by autoopt 0.1.0 for:
p: shape (14,)
X: shape (120, 4)

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def value_and_grad(p, X):
    """Return the value and the gradient at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (14,):
        raise ValueError(f"p has 14 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    n = len(X)
    index = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
    index2 = np.array([0, 0, 1, 0, 1, 2, 0, 1, 2, 3])
    filled = np.zeros((4, 4))
    # L[np.tril_indices(4)] = p[:10]
    filled[index, index2] = p[:10]
    mu = p[10:]
    # d = X - mu
    d = X - mu
    # S = L @ L.T + 0.1 * np.eye(4)
    S = filled @ filled.T + 0.1 * np.eye(4)
    # return 0.5 * X.shape[0] * np.linalg.slogdet(S)[1] + 0.5 * np.einsum("ij,ij->", d @ ...
    _, logdet = np.linalg.slogdet(S)
    inverse_S = np.linalg.inv(S)
    reshaped = d.reshape(4 * n)
    reshaped2 = (d @ inverse_S).reshape(4 * n)
    value = 0.5 * n * logdet + 0.5 * (reshaped2 @ reshaped)
    reshaped3 = (0.5 * reshaped).reshape(n, 4)
    difference = 0.5 * n * inverse_S - inverse_S @ ((d.T @ reshaped3) @ inverse_S)
    minus = -(reshaped3 @ inverse_S + (0.5 * reshaped2).reshape(n, 4)).sum(axis=0)
    gradient = np.concatenate([(difference @ filled + difference.T @ filled)[index, index2], minus])
    return value, gradient


def grad(p, X):
    """Return the gradient alone."""
    return value_and_grad(p, X)[1]


def hess(p, X):
    """Return the Hessian, shape (14, 14), at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (14,):
        raise ValueError(f"p has 14 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    n = len(X)
    index = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
    index2 = np.array([0, 0, 1, 0, 1, 2, 0, 1, 2, 3])
    filled = np.zeros((4, 4))
    # L[np.tril_indices(4)] = p[:10]
    filled[index, index2] = p[:10]
    mu = p[10:]
    # d = X - mu
    d = X - mu
    # S = L @ L.T + 0.1 * np.eye(4)
    S = filled @ filled.T + 0.1 * np.eye(4)
    # return 0.5 * X.shape[0] * np.linalg.slogdet(S)[1] + 0.5 * np.einsum("ij,ij->", d @ ...
    inverse_S = np.linalg.inv(S)
    taken = filled.T[index2]
    reshaped = (0.5 * d.reshape(4 * n)).reshape(n, 4)
    total_reshaped = reshaped.sum(axis=0)
    taken2 = inverse_S[index]
    product = ((taken2 @ total_reshaped)[:, None] * taken) @ inverse_S
    total = d.T.sum(axis=1)
    product2 = 0.5 * (((taken2 @ total)[:, None] * taken) @ inverse_S)
    product3 = (0.5 * (taken @ (inverse_S @ total)))[:, None] * taken2
    product4 = d.T @ reshaped
    product5 = product4 @ inverse_S
    product6 = inverse_S @ product5
    difference = 0.5 * n * inverse_S - product6
    minus = -filled.T[None]
    filled2 = np.broadcast_to(minus.transpose(0, 2, 1), (4, 4, 4))
    product7 = taken @ inverse_S
    product8 = taken2 @ (product4.T @ inverse_S)
    reshaped2 = np.broadcast_to(minus.transpose(2, 0, 1), (4, 4, 4)).reshape(4, 16)
    product9 = taken @ ((inverse_S @ product4.T) @ inverse_S)
    product10 = -taken2
    product11 = taken @ product6
    product12 = -(product7 @ reshaped2).reshape(10, 4, 4)
    product13 = taken2 @ product5
    product14 = product7 @ np.broadcast_to(filled[:, None, :], (4, 4, 4)).reshape(4, 16)
    product15 = (-(0.5 * n) * taken2)[:, :, None] * product14.reshape(10, 4, 4)
    product16 = (taken2 * product7.T[:, :, None]) @ np.broadcast_to(filled, (4, 4, 4))
    product17 = -(0.5 * n) * product16.transpose(1, 0, 2)
    minus2 = -((product13 * product7.T[:, :, None]) @ filled2).transpose(1, 0, 2)
    product18 = product10[:, :, None] * (product11 @ reshaped2).reshape(10, 4, 4)
    minus3 = -((product8 * product7.T[:, :, None]) @ filled2).transpose(1, 0, 2)
    minus4 = -((taken2 * product11.T[:, :, None]) @ filled2).transpose(1, 0, 2)
    product19 = product10[:, :, None] * (product9 @ reshaped2).reshape(10, 4, 4)
    minus5 = -((taken2 * product9.T[:, :, None]) @ filled2).transpose(1, 0, 2)
    product20 = product13[:, :, None] * product12
    product21 = product8[:, :, None] * product12
    t1 = (
        product17
        + product17
        + product15
        + minus2
        + product18
        + minus5
        + product21
        + product15
        + product20
        + minus4
        + product19
        + minus3
    )
    np.add.at(
        t1,
        (
            np.array([[0], [1], [2], [3], [4], [5], [6], [7], [8], [9]]),
            np.array([[0, 1, 2, 3]]),
            np.array([[0], [0], [1], [0], [1], [2], [0], [1], [2], [3]]),
        ),
        difference[index] + difference.T[index],
    )
    hessian = np.zeros((14, 14))
    hessian[:10, :10] = t1[:, index, index2].T
    hessian[:10, 10:] = (taken @ (inverse_S @ total_reshaped))[:, None] * taken2 + product3 + product2 + product
    hessian[10:, 10:] = 1.0 * n * inverse_S
    hessian[10:, :10] = hessian[:10, 10:].T
    return hessian


def linearize(p, X):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    p = np.asarray(p, dtype=float)
    if p.shape != (14,):
        raise ValueError(f"p has 14 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    n = len(X)
    filled = np.zeros((4, 4))
    # L[np.tril_indices(4)] = p[:10]
    filled[np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3]), np.array([0, 0, 1, 0, 1, 2, 0, 1, 2, 3])] = p[:10]
    # S = L @ L.T + 0.1 * np.eye(4)
    S = filled @ filled.T + 0.1 * np.eye(4)
    # return 0.5 * X.shape[0] * np.linalg.slogdet(S)[1] + 0.5 * np.einsum("ij,ij->", d @ ...
    inverse = np.linalg.inv(S)
    mu = p[10:]
    # d = X - mu
    difference = X - mu
    product = 0.5 * difference.reshape(4 * n)
    product_2 = difference.T @ product.reshape(n, 4)
    product_3 = product_2 @ inverse
    difference_2 = 0.5 * n * inverse - inverse @ product_3

    def product_4(direction):
        n = len(X)
        minus = -direction[10:]
        filled2 = np.broadcast_to(minus[None], (n, 4))
        reshaped = (0.5 * filled2.reshape(4 * n)).reshape(n, 4)
        index = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
        index2 = np.array([0, 0, 1, 0, 1, 2, 0, 1, 2, 3])
        filled3 = np.zeros((4, 4))
        filled3[index, index2] += direction[:10]
        product2 = filled @ filled3.T
        t1 = product2 + product2.T
        minus_t1 = -t1
        product3 = minus_t1 @ inverse
        product4 = inverse @ product3
        reshaped2 = product.reshape(n, 4)
        reshaped3 = (0.5 * (difference @ product4 + filled2 @ inverse).reshape(4 * n)).reshape(n, 4)
        t2 = np.broadcast_to(minus[:, None], (4, n)) @ reshaped2 + difference.T @ reshaped
        minus2 = -(inverse @ ((product3 @ product_2 + product_3 @ minus_t1) @ inverse))
        t3 = minus2 - inverse @ ((0.5 * n * t1) @ inverse) - inverse @ (t2 @ inverse)
        t4 = t3 @ filled + t3.T @ filled + difference_2.T @ filled3 + difference_2 @ filled3
        minus3 = -(reshaped2 @ product4 + reshaped3 + reshaped @ inverse).sum(axis=0)
        return np.concatenate([t4[index, index2], minus3])

    return product_4


def hvp(p, direction, X):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, X)(direction)


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
    x = rng.normal(0.2857, 0.4518, size=14)
    return x, (X,)


if __name__ == "__main__":
    self_test(*example())
