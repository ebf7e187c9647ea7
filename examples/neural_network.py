"""The exact Hessian of a neural network: its eigenvalues, and Newton's method in a trust region beside L-BFGS.

A network 2-10-6-1 learns a surface from 300 noisy points. A small ridge makes its minima isolated points. To run it::

    python examples/neural_network.py
"""

from itertools import pairwise

import numpy as np

import autoopt

SIZES = (2, 10, 6, 1)


def start(rng):
    """Return the weights and biases of each layer, drawn at random."""
    return [{"W": rng.normal(size=(i, o)) / np.sqrt(i), "b": np.zeros(o)} for i, o in pairwise(SIZES)]


def network(layers, X):
    """Return what the network says of each row of X."""
    for layer in layers[:-1]:
        X = np.tanh(X @ layer["W"] + layer["b"])
    return (X @ layers[-1]["W"] + layers[-1]["b"])[:, 0]


def loss(layers, X, y):
    """Return half the mean squared error, and the ridge."""
    ridge = sum(np.sum(part**2) for layer in layers for part in layer.values())
    return 0.5 * np.mean((network(layers, X) - y) ** 2) + 0.5e-3 * ridge


def curvature(objective, x, direction, step=1e-3):
    """Return the second derivative of the plain loss along a direction, by differences (of fourth order)."""
    weights = np.array([-1, 16, -30, 16, -1]) / 12
    return weights @ [objective.original(x + k * step * direction) for k in range(-2, 3)] / step**2


def report(label, objective, x):
    """Print what the Hessian at `x` looks like; return its eigenvalues, the smallest first."""
    eigenvalues, vectors = np.linalg.eigh(objective.hess(x))
    for k in (0, -1):
        by_differences = curvature(objective, x, vectors[:, k])
        assert abs(eigenvalues[k] - by_differences) < 1e-5 * (1 + abs(eigenvalues[k])), (eigenvalues[k], by_differences)
    negative = np.sum(eigenvalues < 0)
    print(f"{label}: {x.size} eigenvalues from {eigenvalues[0]:.2e} to {eigenvalues[-1]:.2e}, {negative} negative")
    return eigenvalues


def main():
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, size=(300, 2))
    y = np.sin(2 * X[:, 0]) * X[:, 1] + 0.05 * rng.normal(size=300)
    x0 = start(rng)

    objective = autoopt.objective(loss, x0, X, y)
    flat = objective.structure.flatten
    at_start = report("at the start", objective, flat(x0))
    assert at_start[0] < 0  # not convex there

    # Newton's method in a trust region uses the negative curvature, and ends where the gradient is zero to rounding.
    options = {"gtol": 1e-8, "maxiter": 1000}
    newton = autoopt.minimize(loss, x0, (X, y), method="trust-exact", options=options)
    lbfgs = autoopt.minimize(loss, x0, (X, y), method="l-bfgs-b", options=options)
    for label, result in (("trust-exact", newton), ("l-bfgs-b", lbfgs)):
        size = np.max(np.abs(objective.grad(result.x)))
        print(f"{label}: loss {result.fun:.10f} after {result.nit} iterations, gradient {size:.1e}; {result.message}")

    eigenvalues = report("at the minimum", objective, flat(newton.x))
    assert newton.success
    assert eigenvalues[0] > 0  # a minimum, and an isolated one
    assert newton.nit < lbfgs.nit
    # Along directions in which the loss hardly bends it is the ridge alone that holds the weights.
    print(f"directions in which the data say next to nothing: {np.sum(eigenvalues < 2e-3)} of {len(eigenvalues)}")


if __name__ == "__main__":
    main()
