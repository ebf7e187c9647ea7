"""Exported modules take what the objective takes, by its names, whatever the modules' own are."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import autoopt

X = np.random.default_rng(3).normal(size=(12, 2))
Y = np.random.default_rng(4).normal(size=12)
W = np.linspace(1.0, 2.0, 12)
P = np.array([0.3, 0.1])


def helper_names(gram, prepare, prepared, flatten):
    z = prepare @ gram
    return np.sum(flatten * np.logaddexp(0, z) - prepared * z) + 0.5 * gram @ gram


def function_names(p, linearize, value_and_grad, check_shapes):
    z = np.tanh(linearize @ p["prepare"]) + p["flatten"]
    return np.sum(check_shapes * (value_and_grad - z) ** 2)


def own_arguments(p, direction, value, gradient):
    flat = np.tanh(direction @ p["flat"]) + p["hess"]
    return np.sum(gradient * (value - flat) ** 2)


def value_twice(p, value, value_, hessian):
    return np.sum(hessian * (value_ - np.sin(value @ p)) ** 2)


def further(p, *data):
    matrix, y, w = data
    return np.sum(w * (y - np.sin(matrix @ p)) ** 2)


def further_by_a_taken_name(data_1, *data):
    return np.sum(data[2] * (data[1] - np.sin(data[0] @ data_1)) ** 2)


OBJECTIVES = {
    helper_names: P,
    function_names: {"flatten": 0.2, "prepare": P},
    own_arguments: {"flat": P, "hess": 0.5},
    value_twice: P,
    further: P,
    further_by_a_taken_name: P,
}


@pytest.mark.slow
@pytest.mark.parametrize("f", OBJECTIVES)
def test_modules_are_called_as_the_objective_is(f) -> None:
    x0 = OBJECTIVES[f]
    module: dict = {"__name__": "module"}
    exec(autoopt.source(f, x0, (X, Y, W), ("gradient", "hessian", "hvp")), module)

    sizes = [np.size(part) for part in x0.values()] if isinstance(x0, dict) else []

    def flattened(q):
        return np.hstack([q[key] for key in x0]) if sizes else q

    def nested(flat):
        parts = np.split(flat, np.cumsum(sizes)[:-1]) if sizes else []
        return {key: part if part.size > 1 else part[0] for key, part in zip(x0, parts, strict=True)} if sizes else flat

    point = flattened(x0)
    direction = np.arange(1.0, 1 + point.size)
    for other in ((X, Y, W), (X[:9], Y[3:], W[:9])):

        def gradient(flat, other=other):
            return flattened(module["grad"](nested(flat), *other))

        steps = 1e-5 * np.eye(point.size)
        slopes = [(f(nested(point + h), *other) - f(nested(point - h), *other)) / 2e-5 for h in steps]
        rows = np.array([(gradient(point + h) - gradient(point - h)) / 2e-5 for h in steps])
        assert module["value_and_grad"](x0, *other)[0] == pytest.approx(f(x0, *other), rel=1e-12)
        np.testing.assert_allclose(gradient(point), slopes, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(module["hess"](x0, *other), rows, rtol=1e-4, atol=1e-5)
        product = flattened(module["hvp"](x0, nested(direction), *other))
        np.testing.assert_allclose(product, rows @ direction, rtol=1e-4, atol=1e-5)
    given = list(inspect.signature(f).parameters)
    taken = [name for name, p in inspect.signature(module["grad"]).parameters.items() if p.kind != p.KEYWORD_ONLY]
    assert taken == given if "data" not in given else len(taken) == 4


def test_products_from_the_left_of_data_called_weights() -> None:
    def residuals(p, direction, weights):
        return weights - np.exp(direction @ p)

    module: dict = {"__name__": "module"}
    exec(autoopt.source(residuals, P, (X, Y), ("jacobian", "jvp", "vjp")), module)
    jacobian = -np.exp(X @ P)[:, None] * X
    np.testing.assert_allclose(module["jacobian"](P, X, Y), jacobian)
    np.testing.assert_allclose(module["jvp"](P, P + 1, X, Y), jacobian @ (P + 1))
    np.testing.assert_allclose(module["vjp"](P, W, X, Y), W @ jacobian)
