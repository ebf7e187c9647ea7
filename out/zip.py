"""Derivatives of zip_model (/tmp/p/try/many.py:22).

Written by autoopt 0.1.0 for:
p: shape (5,)
X: shape (120, 4)
c: shape (120,)

What the data alone decide is computed in each call; to have it computed once, pass
prepared=prepare(X, c).

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np
import scipy.special


def prepare(X, c):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    mask = c == 0
    gammaln_c = scipy.special.gammaln(c + 1)
    chosen = np.where(mask, 0.0, -c)
    chosen_2 = np.where(mask, 0.0, 1.0)
    total = chosen_2.sum()
    chosen_3 = np.where(mask, 0.0, 1.0)
    chosen_2_2 = np.where(mask, 1.0, 0.0)
    total_2 = chosen_3.sum()
    chosen_4 = np.where(mask, 0.0, 1.0)
    total_3 = chosen_4.sum()
    return {
        "mask": mask,
        "gammaln_c": gammaln_c,
        "chosen": chosen,
        "chosen_2": chosen_2,
        "total": total,
        "chosen_3": chosen_3,
        "chosen_2_2": chosen_2_2,
        "total_2": total_2,
        "chosen_4": chosen_4,
        "total_3": total_3,
    }


def value_and_grad(p, X, c, *, prepared=None):
    """Return the value and the gradient at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (5,):
        raise ValueError(f"p has 5 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(X, c)
    mask = prepared["mask"]
    gammaln_c = prepared["gammaln_c"]
    chosen = prepared["chosen"]
    chosen_2 = prepared["chosen_2"]
    total = prepared["total"]
    gamma0, b = p[0], p[1:]
    # mu = np.exp(X @ b)
    Xb = X @ b
    mu = np.exp(Xb)
    # return -np.sum(np.where(c == 0, np.log(pi + (1 - pi) * np.exp(-mu)), np.log1p(-pi) + c ...
    exp = np.exp(-mu)
    softplus_gamma0 = np.logaddexp(0.0, gamma0)
    exp2 = np.exp(gamma0 - softplus_gamma0)
    difference = 1.0 - exp2
    product = difference * exp
    t1 = exp2 + product
    value = -np.where(mask, np.log(t1), c * Xb - softplus_gamma0 - mu - gammaln_c).sum()
    ratio = -1.0 / t1
    difference2 = np.where(mask, ratio, 0.0).sum() - np.where(mask, ratio * exp, 0.0).sum()
    product2 = X.T @ ((np.where(mask, product / t1, 0.0) + chosen_2) * mu + chosen)
    gradient = np.concatenate([[difference2 * exp2 * difference + total * exp2], product2])
    return value, gradient


def grad(p, X, c, *, prepared=None):
    """Return the gradient alone."""
    return value_and_grad(p, X, c, prepared=prepared)[1]


def hess(p, X, c, *, prepared=None):
    """Return the Hessian, shape (5, 5), at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (5,):
        raise ValueError(f"p has 5 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(X, c)
    mask = prepared["mask"]
    chosen_3 = prepared["chosen_3"]
    chosen_2_2 = prepared["chosen_2_2"]
    total_2 = prepared["total_2"]
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    gamma0, b = p[0], p[1:]
    # mu = np.exp(X @ b)
    mu = np.exp(X @ b)
    # pi = special.expit(gamma0)
    pi = scipy.special.expit(gamma0)
    # return -np.sum(np.where(c == 0, np.log(pi + (1 - pi) * np.exp(-mu)), np.log1p(-pi) + c ...
    difference = 1.0 - pi
    exp = np.exp(-mu)
    product = difference * exp
    t1 = pi + product
    ratio = -1.0 / t1
    product2 = exp * ratio
    product3 = -difference
    product4 = exp[:, None] * X
    product5 = difference * product4
    product6 = ratio * mu
    ratio2 = mu * product2 / t1
    product7 = ratio2[:, None] * product5
    product8 = mu[:, None] * (product3 * product7 + product6[:, None] * product5)
    product9 = ((np.where(mask, product3 * product2, 0.0) + chosen_3) * mu)[:, None] * X
    product10 = pi * difference
    minus = -(product10 * ((product7 + (-product6)[:, None] * product4).T @ chosen_2_2))
    ratio3 = (product10 - pi * product) / t1 / t1
    difference2 = np.where(mask, ratio3, 0.0).sum() - np.where(mask, exp * ratio3, 0.0).sum()
    difference3 = np.where(mask, ratio, 0.0).sum() - np.where(mask, product2, 0.0).sum()
    product11 = product10 * difference3 * difference
    product12 = -(product10 * difference3 * pi)
    t2 = product10 * total_2 + product12 + product11 + difference2 * pi * difference
    hessian = np.zeros((5, 5))
    hessian[0, 0] = t2
    hessian[0, 1:] = difference * pi * difference * (X.T @ np.where(mask, ratio2, 0.0)) + minus
    hessian[1:, 1:] = X.T @ (np.where(mask[:, None], product8, 0.0) + product9)
    hessian[1:, :1] = hessian[:1, 1:].T
    return hessian


def linearize(p, X, c, *, prepared=None):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    p = np.asarray(p, dtype=float)
    if p.shape != (5,):
        raise ValueError(f"p has 5 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(X, c)
    mask = prepared["mask"]
    chosen_4 = prepared["chosen_4"]
    total_3 = prepared["total_3"]
    b = p[1:]
    # mu = np.exp(X @ b)
    mu = np.exp(X @ b)
    # return -np.sum(np.where(c == 0, np.log(pi + (1 - pi) * np.exp(-mu)), np.log1p(-pi) + c ...
    exp = np.exp(-mu)
    gamma0 = p[0]
    # pi = special.expit(gamma0)
    sigmoid = scipy.special.expit(gamma0)
    # return -np.sum(np.where(c == 0, np.log(pi + (1 - pi) * np.exp(-mu)), np.log1p(-pi) + c ...
    difference = 1.0 - sigmoid
    ahead = sigmoid + difference * exp
    ratio = -1.0 / ahead
    product = (np.where(mask, -(difference * ratio * exp), 0.0) + chosen_4) * mu
    product_2 = -mu
    product_3 = -(difference * mu * ratio * exp)
    product_4 = -ratio
    ratio2 = difference / ahead
    product_5 = -(difference * mu * exp)
    product_6 = -(difference * sigmoid * exp)
    product_7 = total_3 * sigmoid * difference
    difference2 = np.where(mask, ratio, 0.0).sum() - np.where(mask, ratio * exp, 0.0).sum()
    product_8 = -(difference2 * sigmoid * sigmoid * difference)
    product_9 = difference * difference2 * sigmoid * difference
    product_10 = sigmoid * difference
    ratio_2 = mu * exp / ahead
    ratio_3 = exp / ahead / ahead
    ratio = ratio2

    def product_11(direction):
        product2 = X @ direction[1:]
        direction0 = direction[0]
        t2 = direction0 * difference * sigmoid + direction0 * product_6 + product2 * product_5
        ratio2 = t2 / ahead
        product3 = (ratio2 * ratio + direction0 * difference * sigmoid * product_4) * exp
        t3 = np.where(mask, (product3 + product2 * product_3) * product_2, 0.0) + product2 * product
        t4 = np.where(mask, t2 * ratio_3, 0.0).sum() + np.where(mask, product2 * ratio_2, 0.0).sum()
        product4 = (np.where(mask, ratio2 / ahead, 0.0).sum() - t4) * product_10
        t5 = product4 + direction0 * product_9 + direction0 * product_8 + direction0 * product_7
        return np.concatenate([[t5], X.T @ t3])

    return product_11


def hvp(p, direction, X, c, *, prepared=None):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, X, c, prepared=prepared)(direction)


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
    c = rng.integers(0, 8, size=60).astype(float)
    x = np.array([0.0, 0.0, 0.0, 0.0, 0.0]) + 0.01 * rng.normal(size=5)
    return x, (X, c)


if __name__ == "__main__":
    self_test(*example())
