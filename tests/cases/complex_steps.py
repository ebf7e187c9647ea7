"""Derivatives of plain functions that are analytic in their parameters, by steps into the complex plane."""

from __future__ import annotations

import numpy as np

import autoopt


def complex_step(f, x):
    """Return the gradient of a function that is analytic in its parameters, exact to rounding."""
    flat = np.asarray(x, dtype=complex).ravel()
    units = 1e-30j * np.eye(flat.size)
    return np.array([np.imag(f((flat + unit).reshape(np.shape(x)))) / 1e-30 for unit in units])


def compare(f, points):
    """Compare value, gradient and a product with the Hessian, at each point, with those of the plain function."""
    objective = autoopt.objective(f, np.array(points[0]))
    for x in map(np.array, points):
        value, gradient = objective.value_and_grad(x)
        np.testing.assert_allclose(value, np.real(f(x)), rtol=1e-11)
        np.testing.assert_allclose(gradient, complex_step(f, x), rtol=1e-9, atol=1e-11)
        p = np.cos(np.arange(x.size)).reshape(x.shape)
        slopes = [complex_step(f, x + h * p) for h in (-2e-4, -1e-4, 1e-4, 2e-4)]
        product = (slopes[0] - 8 * slopes[1] + 8 * slopes[2] - slopes[3]) / 12e-4
        np.testing.assert_allclose(objective.hessp(x, p), product, rtol=1e-6, atol=1e-6 * (1 + np.abs(product).max()))


def jacobian(f, x):
    """Return the derivatives of an array-valued function, of the shapes of its result and of `x`."""
    flat = np.asarray(x, dtype=complex).ravel()
    units = 1e-30j * np.eye(flat.size)
    columns = [np.imag(np.asarray(f((flat + unit).reshape(np.shape(x))))) / 1e-30 for unit in units]
    return np.stack(columns, axis=-1).reshape(np.shape(columns[0]) + np.shape(x))
