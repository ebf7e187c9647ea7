"""Derivatives of ordered (/tmp/p/try/many.py:38).

Written by autoopt 0.1.0 for:
p: shape (7,)
X: shape (120, 4)
k: shape (120,)

What the data alone decide is computed in each call; to have it computed once, pass
prepared=prepare(X, k).

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np
import scipy.special


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


def prepare(X, k):
    """Return what the data alone decide, to be computed once: the functions below take it."""
    chosen = np.where(k < 0, 4 + k, k)
    t1 = np.zeros(3)[None]
    t1[0, 0] += 1.0
    running_t1 = t1.cumsum(axis=1)
    filled = np.zeros(4)
    filled2 = filled[None].copy()
    filled2[np.array([0]), np.array([0, 1, 2])] += running_t1[0, :]
    taken = filled2[:, k]
    filled3 = filled[None].copy()
    filled3[np.array([0]), np.array([1, 2, 3])] += running_t1[0, :]
    taken_2 = filled3[:, k]
    return chosen, taken, taken_2


def value_and_grad(p, X, k):
    """Return the value and the gradient at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (7,):
        raise ValueError(f"p has 7 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    beta = p[:4]
    # beta, cut = p[:4], np.cumsum(np.concatenate([p[4:5], np.exp(p[5:])]))
    exp = np.exp(p[5:])
    cut = np.concatenate([p[4:5], exp]).cumsum()
    # eta = X @ beta
    eta = X @ beta
    # upper = np.append(cut, np.inf)[k] - eta
    upper = np.concatenate([cut, [np.inf]])[k] - eta
    # lower = np.append(-np.inf, cut)[k] - eta
    lower = np.concatenate([[-np.inf], cut])[k] - eta
    # return -np.log(special.expit(upper) - special.expit(lower)).sum()
    sigmoid_upper = scipy.special.expit(upper)
    sigmoid_lower = scipy.special.expit(lower)
    difference = sigmoid_upper - sigmoid_lower
    value = -np.log(difference).sum()
    ratio = -1.0 / difference
    product = -(ratio * sigmoid_lower * (1.0 - sigmoid_lower))
    filled = np.zeros(4)
    filled2 = filled.copy()
    np.add.at(filled2, k, product)
    product2 = ratio * sigmoid_upper * (1.0 - sigmoid_upper)
    filled3 = filled.copy()
    np.add.at(filled3, k, product2)
    running = (filled3[2::-1] + filled2[:0:-1]).cumsum()
    gradient = np.concatenate([X.T @ (-product2 - product), running[:-2:-1], running[-2::-1] * exp])
    return value, gradient


def grad(p, X, k):
    """Return the gradient alone."""
    return value_and_grad(p, X, k)[1]


def hess(p, X, k, *, prepared=None):
    """Return the Hessian, shape (7, 7), at `p`."""
    p = np.asarray(p, dtype=float)
    if p.shape != (7,):
        raise ValueError(f"p has 7 entries, not shape {p.shape}.")
    if prepared is None:
        prepared = prepare(X, k)
    chosen, taken, taken_2 = prepared
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    beta = p[:4]
    # beta, cut = p[:4], np.cumsum(np.concatenate([p[4:5], np.exp(p[5:])]))
    exp = np.exp(p[5:])
    cut = np.concatenate([p[4:5], exp]).cumsum()
    # eta = X @ beta
    eta = X @ beta
    # upper = np.append(cut, np.inf)[k] - eta
    upper = np.concatenate([cut, [np.inf]])[k] - eta
    # lower = np.append(-np.inf, cut)[k] - eta
    lower = np.concatenate([[-np.inf], cut])[k] - eta
    # return -np.log(special.expit(upper) - special.expit(lower)).sum()
    sigmoid_upper = scipy.special.expit(upper)
    sigmoid_lower = scipy.special.expit(lower)
    difference = sigmoid_upper - sigmoid_lower
    ratio = sigmoid_lower / difference
    difference2 = 1.0 - sigmoid_lower
    product = difference2 * ratio
    filled = np.zeros(4)
    filled2 = filled.copy()
    np.add.at(filled2, k, product)
    ratio2 = sigmoid_upper / difference
    difference3 = 1.0 - sigmoid_upper
    product2 = difference3 * ratio2
    product3 = -product2
    filled3 = filled.copy()
    np.add.at(filled3, k, product3)
    filled4 = np.zeros((2, 3))
    filled4[np.array([0, 1]), np.array([1, 2])] += exp
    running_filled4 = filled4.cumsum(axis=1)
    filled5 = np.zeros((2, 4))
    filled6 = filled5.copy()
    np.add.at(filled6, (np.array([[0], [1]]), np.array([[0, 1, 2]])), running_filled4)
    product4 = difference3 * sigmoid_upper
    product5 = product4[:, None] * filled6[:, k].T
    ratio3 = -1.0 / difference
    filled7 = filled5.copy()
    np.add.at(filled7, (np.array([[0], [1]]), np.array([[1, 2, 3]])), running_filled4)
    product6 = difference2 * sigmoid_lower
    product7 = product6[:, None] * filled7[:, k].T
    ratio4 = (product5 - product7) / difference[:, None]
    product8 = difference3[:, None] * (ratio2[:, None] * ratio4 + ratio3[:, None] * product5)
    t1 = product8 + ratio2[:, None] * product5
    filled8 = filled5.copy()
    np.add.at(filled8, (np.array([[0], [1]]), chosen[None]), t1.T)
    product9 = ratio3[:, None] * product7
    product10 = difference2[:, None] * ((-ratio)[:, None] * ratio4 - product9)
    t2 = product10 + sigmoid_lower[:, None] * product9
    filled9 = filled5.copy()
    np.add.at(filled9, (np.array([[0], [1]]), chosen[None]), t2.T)
    running = (filled9[:, :0:-1].T + filled8[:, 2::-1].T).cumsum(axis=0)
    ratio5 = ratio2 / difference
    product11 = taken_2[0, :] * sigmoid_lower
    t3 = taken[0, :] * product4 - difference2 * product11
    product12 = difference3 * (taken[0, :] * product3 + t3 * ratio5)
    t4 = sigmoid_upper * taken[0, :] * product2 + product12
    filled10 = np.zeros(4)
    filled11 = filled10[None].copy()
    np.add.at(filled11, (np.array([0]), chosen), t4)
    product13 = ratio * ratio3
    product14 = -product
    t5 = product11 * product14 + difference2 * (taken_2[0, :] * product + t3 * product13)
    filled12 = filled10[None].copy()
    np.add.at(filled12, (np.array([0]), chosen), t5)
    t6 = product6 - product4
    product15 = -(sigmoid_lower * product + difference2 * (product14 + t6 * product13))
    hessian = np.zeros((7, 7))
    hessian[:4, :4] = gram(product15 - (sigmoid_upper * product3 + difference3 * (product2 + t6 * ratio5)), X)
    hessian[:4, 4] = X.T @ (-t5 - t4)
    hessian[4, 4] = (filled12[:, :0:-1][0, :] + filled11[:, 2::-1][0, :]).cumsum()[2:][0]
    hessian[:4, 5:] = X.T @ (-t1 - t2)
    hessian[4, 5:] = running[2:][0, :]
    hessian[5:, 5:] = exp[:, None] * running[1::-1]
    i = np.arange(2)
    hessian[i + 5, i + 5] += (filled3[2::-1] + filled2[:0:-1]).cumsum()[-2::-1] * exp
    hessian[4:, :4] = hessian[:4, 4:].T
    hessian[5:, 4:5] = hessian[4:5, 5:].T
    return hessian


def linearize(p, X, k):
    """Return the function that multiplies the Hessian at `p` by a direction."""
    p = np.asarray(p, dtype=float)
    if p.shape != (7,):
        raise ValueError(f"p has 7 entries, not shape {p.shape}.")
    if X.shape[1] != 4:
        raise ValueError(f"This code was written for 4 columns of X, not {X.shape[1]}.")
    # beta, cut = p[:4], np.cumsum(np.concatenate([p[4:5], np.exp(p[5:])]))
    exp = np.exp(p[5:])
    beta = p[:4]
    cut = np.concatenate([p[4:5], exp]).cumsum()
    # eta = X @ beta
    eta = X @ beta
    # upper = np.append(cut, np.inf)[k] - eta
    upper = np.concatenate([cut, [np.inf]])[k] - eta
    # lower = np.append(-np.inf, cut)[k] - eta
    lower = np.concatenate([[-np.inf], cut])[k] - eta
    # return -np.log(special.expit(upper) - special.expit(lower)).sum()
    sigmoid_upper = scipy.special.expit(upper)
    sigmoid_lower = scipy.special.expit(lower)
    difference = sigmoid_upper - sigmoid_lower
    difference2 = 1.0 - sigmoid_lower
    filled = np.zeros(4)
    filled2 = filled.copy()
    np.add.at(filled2, k, sigmoid_lower * difference2 / difference)
    difference3 = 1.0 - sigmoid_upper
    filled3 = filled.copy()
    np.add.at(filled3, k, -1.0 / difference * sigmoid_upper * difference3)
    product = (filled3[2::-1] + filled2[:0:-1]).cumsum()[-2::-1] * exp
    ratio = -(sigmoid_lower * sigmoid_lower * difference2) / difference
    ratio_2 = difference2 * sigmoid_lower * difference2 / difference
    ratio_3 = -(sigmoid_lower / difference * difference2) / difference
    product_2 = -(difference2 * sigmoid_lower)
    product_3 = difference3 * sigmoid_upper
    ratio_4 = sigmoid_upper * sigmoid_upper * difference3 / difference
    ratio_5 = -(difference3 * sigmoid_upper * difference3) / difference
    ratio_6 = sigmoid_upper / difference * difference3 / difference

    def product_4(direction):
        product2 = X @ direction[:4]
        running = np.concatenate([direction[4:5], direction[5:] * exp]).cumsum()
        difference = np.concatenate([[0.0], running])[k] - product2
        difference2 = np.concatenate([running, [0.0]])[k] - product2
        t1 = difference2 * product_3 + difference * product_2
        t2 = t1 * ratio_3 + difference * ratio_2 + difference * ratio
        filled = np.zeros(4)
        filled2 = filled.copy()
        np.add.at(filled2, k, t2)
        t3 = t1 * ratio_6 + difference2 * ratio_5 + difference2 * ratio_4
        filled3 = filled.copy()
        np.add.at(filled3, k, t3)
        running2 = (filled3[2::-1] + filled2[:0:-1]).cumsum()
        t4 = running2[-2::-1] * exp + direction[5:] * product
        return np.concatenate([X.T @ (-t3 - t2), running2[:-2:-1], t4])

    return product_4


def hvp(p, direction, X, k):
    """Return the product of the Hessian with `direction` at `p`."""
    return linearize(p, X, k)(direction)


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
    k = rng.integers(0, 4, size=60)
    x = np.array([0.0, 0.0, 0.0, 0.0, -1.0, 0.1, 0.2]) + 0.01 * rng.normal(size=7)
    return x, (X, k)


if __name__ == "__main__":
    self_test(*example())
