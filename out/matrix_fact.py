"""Derivatives of matrix_fact (/tmp/p/try/many.py:44).

Written by autoopt 0.1.0 for:
P: 24 numbers
R: shape (7, 5)

Run as a program, it compares the derivatives with differences of the value.
"""

import numpy as np


def flatten(P):
    """Return the parameters as a vector, shape (24,)."""
    return np.hstack([np.ravel(P["U"]), np.ravel(P["V"])])


def unflatten(flat):
    """Return the parameters that a vector holds."""
    return {"U": flat[:14].reshape(7, 2), "V": flat[14:24].reshape(5, 2)}


def value_and_grad(P, R):
    """Return the value and the gradient at `P`."""
    if R.shape[1] != 5:
        raise ValueError(f"This code was written for 5 columns of R, not {R.shape[1]}.")
    if len(R) != 7:
        raise ValueError(f"This code was written for 7 rows of R, not {len(R)}.")
    U, V = P["U"], P["V"]
    # return 0.5 * np.sum((R - U @ V.T) ** 2) + 0.1 * (np.sum(U**2) + np.sum(V**2))
    difference = R - U @ V.T
    value = 0.5 * np.vdot(difference, difference) + 0.1 * (np.vdot(U, U) + np.vdot(V, V))
    minus_difference = -difference
    gradient = {"U": minus_difference @ V + 0.2 * U, "V": minus_difference.T @ U + 0.2 * V}
    return value, gradient


def grad(P, R):
    """Return the gradient alone."""
    return value_and_grad(P, R)[1]


def hess(P, R):
    """Return the Hessian, shape (24, 24), at `P`."""
    if R.shape[1] != 5:
        raise ValueError(f"This code was written for 5 columns of R, not {R.shape[1]}.")
    if len(R) != 7:
        raise ValueError(f"This code was written for 7 rows of R, not {len(R)}.")
    U, V = P["U"], P["V"]
    hessian = np.zeros((24, 24))
    hessian[:14, 14:] = (U[:, None, None, :] * V.T[:, :, None]).reshape(14, 10)
    blocks = hessian[:14, :14].reshape(7, 2, 7, 2)
    i = np.arange(7)
    blocks[i, :, i, :] = (V.T @ V)[None]
    i2 = np.arange(14)
    hessian[i2, i2] += 0.2
    blocks2 = hessian[:14, 14:].reshape(7, 2, 5, 2)
    i3 = np.arange(2)
    blocks2[:, i3, :, i3] += (-(R - U @ V.T))[None]
    blocks3 = hessian[14:, 14:].reshape(5, 2, 5, 2)
    i4 = np.arange(5)
    blocks3[i4, :, i4, :] = (U.T @ U)[None]
    i5 = np.arange(10)
    hessian[i5 + 14, i5 + 14] += 0.2
    hessian[14:, :14] = hessian[:14, 14:].T
    # return 0.5 * np.sum((R - U @ V.T) ** 2) + 0.1 * (np.sum(U**2) + np.sum(V**2))
    return hessian


def linearize(P, R):
    """Return the function that multiplies the Hessian at `P` by a direction."""
    flat = flatten(P)
    if R.shape[1] != 5:
        raise ValueError(f"This code was written for 5 columns of R, not {R.shape[1]}.")
    if len(R) != 7:
        raise ValueError(f"This code was written for 7 rows of R, not {len(R)}.")
    U = flat[:14].reshape(7, 2)
    V = flat[14:].reshape(5, 2)
    # return 0.5 * np.sum((R - U @ V.T) ** 2) + 0.1 * (np.sum(U**2) + np.sum(V**2))
    minus = -(R - U @ V.T)

    def product(direction):
        direction = flatten(direction)
        U = flat[:14].reshape(7, 2)
        V = flat[14:].reshape(5, 2)
        reshaped = direction[14:].reshape(5, 2)
        reshaped2 = direction[:14].reshape(7, 2)
        t1 = reshaped2 @ V.T + U @ reshaped.T
        reshaped3 = (t1.T @ U + minus.T @ reshaped2 + 0.2 * reshaped).reshape(10)
        reshaped4 = (t1 @ V + 0.2 * reshaped2 + minus @ reshaped).reshape(14)
        return unflatten(np.concatenate([reshaped4, reshaped3]))

    return product


def hvp(P, direction, R):
    """Return the product of the Hessian with `direction` at `P`."""
    return linearize(P, R)(direction)


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
            flatten(value_and_grad(unflatten(x), *data)[1]) @ direction,
            lambda x: value_and_grad(unflatten(x), *data)[0],
            x,
            direction,
        )
        compare(
            "hess",
            hess(unflatten(x), *data) @ direction,
            lambda x: flatten(grad(unflatten(x), *data)),
            x,
            direction,
        )
        compare(
            "hvp",
            flatten(hvp(unflatten(x), unflatten(direction), *data)),
            lambda x: flatten(grad(unflatten(x), *data)),
            x,
            direction,
        )


def example():
    """Return made-up parameters, a vector, and data like those that this was written for."""
    rng = np.random.default_rng(0)
    R = rng.normal(0.004718, 0.9059, size=(7, 5))
    x = rng.normal(0.1492, 0.9208, size=24)
    return x, (R,)


if __name__ == "__main__":
    self_test(*example())
