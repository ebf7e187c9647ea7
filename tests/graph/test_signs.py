"""Absolute values and maxima of what cannot be negative have no kink at 0, and others have."""

from __future__ import annotations

import numpy as np
import pytest

import autoopt

X = np.array([0.0, 1.0, -2.0])
SMOOTH = {
    "absolute square": (lambda x: np.sum(np.abs(x**2)), [2.0, 2.0, 2.0]),
    "absolute product": (lambda x: np.sum(abs(3 * x * x)), [6.0, 6.0, 6.0]),
    "maximum with 0": (lambda x: np.sum(np.maximum(x**2, 0)), [2.0, 2.0, 2.0]),
    "maximum with an array of zeros": (lambda x: np.sum(np.maximum(np.zeros(3), x**2)), [2.0, 2.0, 2.0]),
    "Python's max": (lambda x: max(0.0, x[0] ** 2), [2.0, 0.0, 0.0]),
    "clip": (lambda x: np.sum(np.clip(x**2, 0, 100)), [2.0, 2.0, 2.0]),
    "sum, exponential and parts": (lambda x: np.abs(np.sum(np.exp(x)[:1] ** 0 * x[:1] ** 2)), [2.0, 0.0, 0.0]),
    "parts read twice": (lambda x: np.abs((x * x[0])[-3] + x[0] * x[0]), [4.0, 0.0, 0.0]),
    "loop": (lambda x: sum(abs(x[i] * x[i]) for i in range(3)), [2.0, 2.0, 2.0]),
    "quotient": (lambda x: np.sum(np.abs(x**2 / (1 + x**4))), [2.0, -2.0, 1154 / 4913]),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_at_zero(name):
    f, diagonal = SMOOTH[name]
    np.testing.assert_allclose(np.diag(autoopt.hessian(f)(X)), diagonal, atol=1e-12, rtol=1e-7)


def test_other_absolute_values_keep_their_kink():
    """The slope at 0 is shared, whatever stands beside it."""
    for f in (lambda x: np.abs(x**3 - x).sum(), lambda x: np.abs(-(x**2)).sum(), lambda x: np.maximum(x, 0).sum()):
        points = np.array([0.5, 1.0, -2.0])
        steps = np.eye(3) * 1e-6
        differences = [(f(points + h) - f(points - h)) / 2e-6 for h in steps]
        np.testing.assert_allclose(autoopt.grad(f)(points), differences, atol=1e-5)
    np.testing.assert_allclose(autoopt.grad(lambda x: np.sum(np.maximum(x**2, 1.0)))(np.array([1.0, 2.0])), [1.0, 4.0])
