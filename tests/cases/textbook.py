"""The textbook's logistic loss, whose logarithms overflow unless PyTensor's patterns find them.

As a script it fails where they do not, as in an environment that lacks what PyTensor takes for granted.
"""

import numpy as np

import autoopt

X = np.column_stack([np.ones(8), np.linspace(-2000.0, 2000.0, 8)])
Y = np.arange(8) % 2.0


def loss(w):
    p = 1 / (1 + np.exp(-X @ w))
    return -np.sum(Y * np.log(p) + (1 - Y) * np.log(1 - p))


def stable(w):
    z = X @ w
    return np.sum(np.logaddexp(0, z) - Y * z)


def main() -> None:
    w = np.array([0.3, 1.0])
    value, gradient = autoopt.value_and_grad(loss)(w)
    expected = autoopt.value_and_grad(stable)(w)
    np.testing.assert_allclose(value, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-12)


if __name__ == "__main__":
    main()
