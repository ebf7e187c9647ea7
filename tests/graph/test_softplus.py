"""The stable forms of softplus and sigmoid: the exported derivatives are right at zeros, too."""

import inspect

import numpy as np
import pytest

import autoopt
from autoopt.objectives.objective import printed

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(9, 3))
Y = (X[:, 0] > 0) * 1.0
W = 1.0 + Y


def size(z):
    return np.exp(-np.abs(z))


SOFTPLUS = {
    "maximum": lambda z: np.sum(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))),
    "where": lambda z: np.sum(np.where(z > 0, z, 0) + np.log(1 + np.exp(-abs(z)))),
    "where turned": lambda z: np.sum(np.where(z <= 0, 0, z) + np.log(1 + np.exp(-abs(z)))),
    "mask": lambda z: np.sum(z * (z > 0) + np.log1p(np.exp(-abs(z)))),
    "clip": lambda z: np.sum(np.clip(z, 0, None) + np.log1p(size(z))),
    "half": lambda z: np.sum((z + abs(z)) / 2 + np.log1p(np.exp(-abs(z)))),
    "two sums": lambda z: np.maximum(0, z).sum() + np.log1p(np.exp(-np.abs(z))).sum(),
    "root of a square": lambda z: np.sum(np.maximum(z, 0) + np.log1p(np.exp(-np.sqrt(z**2)))),
}
APART = {
    "two means": lambda z: len(Y) * (np.mean(np.maximum(z, 0)) + np.mean(np.log1p(np.exp(-np.abs(z))))),
    "fmax": lambda z: np.sum(np.fmax(z, 0) + np.log1p(np.exp(-np.fabs(z)))),
    "rows": lambda z: sum(max(v, 0) + np.log1p(np.exp(-abs(v))) for v in z),
    "halves": lambda z: 0.5 * np.sum(np.abs(z)) + 0.5 * np.sum(z) + np.sum(np.log1p(np.exp(-np.abs(z)))),
    "sigmoid": lambda z: -np.sum(np.log(np.where(z >= 0, size(z), 1) / (1 + size(z)))),
}
WEIGHTED = {
    "product": lambda z: np.sum(W * (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))))),
    "products": lambda z: np.sum(W * np.maximum(z, 0) - z * Y + W * np.log1p(np.exp(-np.abs(z)))) + z @ Y,
    "dot": lambda z: W @ (np.where(z > 0, z, 0) + np.log1p(np.exp(-np.abs(z)))),
}
SIGMOID = {
    "abs": lambda z: np.sum(np.where(z >= 0, 1 / (1 + size(z)), size(z) / (1 + size(z)))),
    "plain": lambda z: np.sum(np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))),
    "turned": lambda z: np.sum(np.where(z < 0, np.exp(z) / (1 + np.exp(z)), 1 / (1 + np.exp(-z)))),
    "numerator": lambda z: np.sum(np.where(z >= 0, 1, size(z)) / (1 + size(z))),
    "rest": lambda z: np.sum(np.where(z > 0, 1 / (1 + size(z)), 1 - 1 / (1 + size(z)))),
    "tanh": lambda z: np.sum(0.5 * (1 + np.tanh(z / 2))),
}


def exported(f, derivatives, x):
    """Return what the exported module of a derivative gives."""
    namespace: dict = {}
    exec(printed(f, np.zeros(3), derivatives=derivatives), namespace)
    known = {"X": X, "Y": Y, "W": W}
    if "prepare" in namespace:
        known |= namespace["prepare"](*(known[name] for name in inspect.signature(namespace["prepare"]).parameters))
    function = namespace["hess" if derivatives == "hessian" else "value_and_grad"]
    return function(x, *(known[name] for name in [*inspect.signature(function).parameters][1:]))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def check(form, slope, curvature):
    """Compare what is exported, at 0 and elsewhere, with the derivatives of the smooth function of one number."""

    def f(w):
        return form(X @ w)

    for x in (np.zeros(3), np.array([0.0, 0.3, -0.2])):
        z = X @ x
        np.testing.assert_allclose(exported(f, "gradient", x)[1], X.T @ slope(z), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(exported(f, "hessian", x), (X.T * curvature(z)) @ X, rtol=1e-10, atol=1e-12)
    return printed(f, np.zeros(3))


@pytest.mark.slow_for("clip", "sigmoid", "where", "where turned")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", SOFTPLUS | APART)
def test_stable_softplus_is_smooth_in_what_is_exported(name) -> None:
    text = check((SOFTPLUS | APART)[name], sigmoid, lambda z: sigmoid(z) * (1 - sigmoid(z)))
    if name in SOFTPLUS:
        assert "np.sign" not in text and "np.where" not in text


@pytest.mark.slow_for("dot", "products")
@pytest.mark.parametrize("name", WEIGHTED)
def test_weighted_softplus_is_smooth_in_what_is_exported(name) -> None:
    check(WEIGHTED[name], lambda z: W * sigmoid(z), lambda z: W * sigmoid(z) * (1 - sigmoid(z)))


@pytest.mark.parametrize("name", SIGMOID)
def test_stable_sigmoid_is_one_sigmoid(name) -> None:
    def slope(z):
        return sigmoid(z) * (1 - sigmoid(z))

    text = check(SIGMOID[name], slope, lambda z: slope(z) * (1 - 2 * sigmoid(z)))
    assert "np.where" not in text and "np.sign" not in text


@pytest.mark.slow
def test_log_cosh_and_the_larger_of_two_are_smooth_in_what_is_exported() -> None:
    def log_cosh(z):
        return np.sum(np.abs(z) + np.log1p(np.exp(-2 * np.abs(z))))

    def larger(z):
        return np.sum(np.maximum(z, -z) + np.log1p(np.exp(-np.abs(z + z))))

    for form in (log_cosh, larger):
        check(form, np.tanh, lambda z: 1 / np.cosh(z) ** 2)


LIKE = {
    "other weight": lambda z: np.sum(2 * np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))),
    "other scale": lambda z: np.sum(np.maximum(z, 0) + np.log1p(np.exp(-2 * np.abs(z)))),
    "other sign": lambda z: np.sum(np.where(z < 0, z, 0) + np.log1p(np.exp(-np.abs(z)))),
    "difference": lambda z: np.sum(np.maximum(z, 0) - np.log1p(np.exp(-np.abs(z)))),
    "other bound": lambda z: np.sum(np.maximum(z, 0.1) + np.log1p(np.exp(-np.abs(z)))),
    "other branches": lambda z: np.sum(np.where(z >= 0, size(z) / (1 + size(z)), 1 / (1 + size(z)))),
    "same branch": lambda z: np.sum(np.where(z >= 0, 1 / (1 + size(z)), 1 / (1 + size(2 * z)))),
    "shifted": lambda z: np.sum(np.where(z >= 0.1, 1 / (1 + np.exp(-z)), size(z) / (1 + size(z)))),
    "half of another": lambda z: np.sum(0.5 * (z + np.abs(2 * z)) + np.log1p(np.exp(-np.abs(z)))),
    "tanh": lambda z: np.sum(0.5 * (2 + np.tanh(z / 2)) + 0.25 * (1 + np.tanh(z / 2))),
}


@pytest.mark.parametrize("name", LIKE)
def test_what_only_looks_alike_keeps_its_values_and_slopes(name) -> None:
    def f(w):
        return LIKE[name](X @ w)

    x, h = np.array([0.4, 0.3, -0.2]), 1e-6
    objective = autoopt.objective(f, np.zeros(3))
    np.testing.assert_allclose(objective.value(x), f(x), rtol=1e-14)
    slopes = [(f(x + h * unit) - f(x - h * unit)) / (2 * h) for unit in np.eye(3)]
    np.testing.assert_allclose(objective.grad(x), slopes, rtol=1e-7, atol=1e-8)
