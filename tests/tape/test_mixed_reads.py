"""Entries of one array that are read as x[i] by a loop and as x[i,] by a reduction."""

import numpy as np

import autoopt


def test_a_loop_beside_a_reduction_that_is_followed_by_entries() -> None:
    def f(x, y):
        return sum(x[i % 3] ** 2 * v for i, v in enumerate(y)) + np.logaddexp.reduce(y) * x[0] ** 2

    x, y = np.array([0.3, -0.5, 0.8]), np.array([7.0, 5.0, 4.0, 2.0, 2.0, 1.0])
    weights = y[:3] + y[3:] + np.array([np.log(np.exp(y).sum()), 0.0, 0.0])
    np.testing.assert_allclose(autoopt.objective(f, x, y).grad(x), 2 * weights * x, rtol=1e-12)
