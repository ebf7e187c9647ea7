"""The objective: its derivatives against differences and closed forms; paths, engines, transforms, exported source."""

from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
import threading
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import scipy.special
from scipy.optimize import rosen, rosen_der, rosen_hess
from scipy.special import expit

import autoopt
from autoopt import differences
from autoopt.errors import ObjectiveError, UsageError
from autoopt.objectives.objective import Objective
from autoopt.solvers import SOLVERS

RNG = np.random.default_rng(3)
X = RNG.normal(size=(12, 3))
Y = (RNG.uniform(size=12) > 0.5).astype(float)
COUNTS = RNG.poisson(2.0, size=12).astype(float)
GROUPS = np.arange(12) % 4
SPD = X.T @ X + np.eye(3)
THREE = np.array([0.5, 1.5, 2.5])


# The objectives -------------------------------------------------------------------------------------------------------


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_loop(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def logistic(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - y * z)


def poisson(beta, X, counts):
    eta = X @ beta
    return np.sum(np.exp(eta) - counts * eta + scipy.special.gammaln(counts + 1))


def softmax_regression(W, X, groups):
    scores = X @ W
    return np.mean(scipy.special.logsumexp(scores, axis=1) - scores[np.arange(len(X)), groups])


def network(p, X, y):
    hidden = np.tanh(X @ p["W"] + p["b"])
    return np.mean((hidden @ p["v"] - y) ** 2) + 0.1 * sum(np.sum(part**2) for part in p.values())


def gaussian_process(theta, X, y):
    length, noise = np.exp(theta)
    distance = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)
    K = np.exp(-0.5 * distance / length**2) + noise * np.eye(len(y))
    L = np.linalg.cholesky(K)
    return 0.5 * y @ np.linalg.solve(K, y) + np.log(np.diag(L)).sum()


def multivariate_normal(p, X):
    mean, log_scale, correlation = p
    A = np.array([[1.0, correlation[0], 0.0], [correlation[0], 1.0, correlation[1]], [0.0, correlation[1], 1.0]])
    S = A * np.exp(log_scale)[:, None] * np.exp(log_scale)
    centred = X - mean
    sign, logdet = np.linalg.slogdet(S)
    return 0.5 * (np.einsum("ij,jk,ik->", centred, np.linalg.inv(S), centred) + len(X) * logdet) * sign


def garch(p, returns):
    omega, alpha, beta = np.exp(p["omega"]), expit(p["alpha"]), 0.9 * expit(p["beta"])
    variance = np.empty(len(returns))
    variance[0] = omega
    for t in range(1, len(returns)):
        variance[t] = omega + alpha * returns[t - 1] ** 2 + beta * variance[t - 1]
    return 0.5 * np.sum(np.log(variance) + returns**2 / variance)


def mixture(p, y):
    (weight, means), spread = p
    logs = [math.log(float(weight)) - 0.5 * (y - m) ** 2 / spread**2 - np.log(spread) for m in means]
    return -np.logaddexp(logs[0], logs[1]).sum()


def gamma_likelihood(x, y):
    shape, rate = math.exp(x[0]), math.exp(x[1])
    return -np.sum(shape * np.log(rate) - scipy.special.gammaln(shape) + (shape - 1) * np.log(y) - rate * y)


def huber(x, X, y):
    r = X @ x - y
    return np.sum(np.where(np.abs(r) <= 0.5, 0.5 * r**2, 0.5 * (np.abs(r) - 0.25)))


def generator(x):
    return sum(v**2 * math.sin(v) for v in x) + max(x) * min(x) + math.hypot(*x)


def chained(x):
    y = np.zeros((3, 3))
    y[0] = x
    y[1:, 0] = x[:2] ** 2
    y.T[2] += np.exp(-x)
    return np.linalg.norm(y) + np.trace(y @ y)


def scalar(x):
    return math.exp(-x) * np.sin(x) ** 2


Beta = namedtuple("Beta", "a b")
POSITIVE = np.abs(Y - 0.3) + 0.1
RETURNS = RNG.normal(size=8)
OBJECTIVES: dict[str, tuple] = {
    "rosenbrock": (rosenbrock, np.array([-1.2, 1.0, 0.7, 1.1])),
    "rosenbrock in a loop": (rosenbrock_loop, np.array([-1.2, 1.0, 0.7, 1.1])),
    "logistic": (logistic, np.zeros(3), X, Y),
    "poisson": (poisson, np.array([0.1, -0.2, 0.3]), X, COUNTS),
    "softmax regression": (softmax_regression, 0.1 * RNG.normal(size=(3, 4)), X, GROUPS),
    "network": (network, {"W": RNG.normal(size=(3, 2)), "b": np.zeros(2), "v": np.array([0.3, -0.5])}, X, Y),
    "gaussian process": (gaussian_process, np.array([0.2, -0.5]), X[:5], Y[:5]),
    "multivariate normal": (multivariate_normal, [np.zeros(3), 0.1 * np.ones(3), (0.2, -0.1)], X),
    "garch": (garch, {"omega": 0.1, "alpha": np.array(-1.0), "beta": 0.5}, RETURNS),
    "mixture": (mixture, ([0.4, np.array([-1.0, 1.0])], 1.5), RETURNS),
    "gamma": (gamma_likelihood, np.array([0.3, 0.1]), POSITIVE),
    "huber": (huber, np.array([0.1, 0.2, -0.3]), X, Y),
    "generator": (generator, THREE),
    "chained writes": (chained, THREE),
    "number": (scalar, 0.7),
    "named tuple": (lambda p: np.sum(p.a**3) * p.b, Beta(np.array([1.0, 2.0]), 3.0)),
}


@functools.cache
def made(name: str) -> Objective:
    f, x0, *args = OBJECTIVES[name]
    return Objective(f, x0, tuple(args))


def points(name: str) -> list[np.ndarray]:
    objective = made(name)
    start = objective.structure.flatten(OBJECTIVES[name][1])
    return [start, start + 0.1 * np.random.default_rng(len(name)).normal(size=start.size)]


def close(found: Any, expected: Any, error: Any, tolerance: float) -> None:
    """`found` must be within 10 errors of the differences, and these must be good enough to tell."""
    size = np.max(np.abs(expected)) + 1e-10
    assert np.all(np.isfinite(found)) and np.shape(found) == np.shape(expected)
    assert np.all(error < 1e-4 * size), "differences too rough to tell"
    assert np.all(np.abs(found - expected) <= 10 * error + tolerance * size), f"{found} against {expected}"


@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_is_the_functions(name) -> None:
    for x in points(name):
        expected = made(name).original(x)
        assert made(name).value(x) == pytest.approx(expected, rel=1e-12)
        assert made(name).value_and_grad(x)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_gradient_agrees_with_differences(name) -> None:
    for x in points(name):
        close(made(name).grad(x), *differences.gradient(made(name).original, x), 1e-9)


SLOW_HESSIANS = {"gaussian process"}
"""Whose products are tested only: deriving the Hessian takes most of the time of this file."""


@pytest.mark.parametrize("name", [pytest.param(name) for name in OBJECTIVES if name not in SLOW_HESSIANS])
@pytest.mark.sampled(3)
def test_hessian_agrees_with_differences(name) -> None:
    x = points(name)[1]
    found = made(name).hess(x)
    close(found, *differences.hessian(made(name).grad, x), 1e-8)
    np.testing.assert_allclose(found, found.T, rtol=1e-11, atol=1e-11 * np.max(np.abs(found)))


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.sampled(3)
def test_product_agrees_with_differences(name) -> None:
    x = points(name)[1]
    for seed in range(2):
        p = np.random.default_rng(seed).normal(size=x.size)
        close(made(name).hessp(x, p), *differences.hessp(made(name).grad, x, p), 1e-8)


def test_differences_tell_a_derivative_that_is_wrong_by_a_thousandth() -> None:
    x = points("logistic")[1]
    slope, error = differences.gradient(made("logistic").original, x)
    with pytest.raises(AssertionError):
        close(1.001 * made("logistic").grad(x), slope, error, 1e-9)


# Closed forms ---------------------------------------------------------------------------------------------------------


def test_rosenbrock_is_scipys() -> None:
    for name in ("rosenbrock", "rosenbrock in a loop"):
        for x in points(name):
            objective = made(name)
            assert objective.value(x) == pytest.approx(rosen(x), rel=1e-13)
            np.testing.assert_allclose(objective.grad(x), rosen_der(x), rtol=1e-12, atol=1e-11)
            np.testing.assert_allclose(objective.hess(x), rosen_hess(x), rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("scale", [0.0, 1.0, 1000.0], ids=["w=0", "ordinary", "logits of +-1000"])
def test_logistic_second_derivatives_are_finite_and_right(scale) -> None:
    design = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    y = np.array([1.0, 0.0, 1.0, 0.0])
    w = scale * np.array([1.0, -1.0])
    objective = Objective(logistic, np.zeros(2), (design, y))
    z = design @ w
    s = expit(z)
    assert objective.value(w) == pytest.approx(np.sum(np.logaddexp(0, z) - y * z), rel=1e-14)
    np.testing.assert_allclose(objective.grad(w), design.T @ (s - y), rtol=1e-12, atol=1e-15)
    expected = design.T @ ((s * expit(-z))[:, None] * design)
    np.testing.assert_allclose(objective.hess(w), expected, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(objective.hessp(w, np.ones(2)), expected @ np.ones(2), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("at", [[1000.0, -1000.0, 0.0], [1000.0, 1000.0, 1000.0], [0.0, 0.0, 0.0], [-1000.0, 0.0, 0.0]])
def test_logsumexp_second_derivatives_are_finite_and_right(at) -> None:
    x = np.array(at)
    s = np.exp(x - scipy.special.logsumexp(x))
    for f in (
        lambda x: scipy.special.logsumexp(x),
        lambda x: np.log(np.sum(np.exp(x - np.max(x)))) + np.max(x),
        lambda x: np.logaddexp(np.logaddexp(x[0], x[1]), x[2]),
    ):
        objective = Objective(f, x)
        assert objective.value(x) == pytest.approx(scipy.special.logsumexp(x), rel=1e-15)
        np.testing.assert_allclose(objective.grad(x), s, rtol=1e-13, atol=1e-300)
        np.testing.assert_allclose(objective.hess(x), np.diag(s) - np.outer(s, s), rtol=1e-12, atol=1e-15)


KINKS = {
    "abs": (lambda x: np.abs(x).sum(), [0.0, 0.0, 0.0]),
    "norm": (lambda x: np.linalg.norm(x), [0.0, 0.0, 0.0]),
    "maximum": (lambda x: np.maximum(x, 0.0).sum(), [0.5, 0.5, 0.5]),
    "builtin max": (lambda x: max(x[0], 0.0), [0.5, 0.0, 0.0]),
    "max of a tie": (lambda x: np.max(x), [1 / 3, 1 / 3, 1 / 3]),
    "branch that is not taken": (lambda x: np.where(x > 0, np.sqrt(np.abs(x)) / x, 2.0 * x).sum(), [2.0, 2.0, 2.0]),
}


@pytest.mark.parametrize("name", KINKS)
def test_derivatives_at_ties_are_finite_and_share(name) -> None:
    f, expected = KINKS[name]
    objective = Objective(f, np.ones(3))
    np.testing.assert_allclose(objective.grad(np.zeros(3)), expected, rtol=1e-14)
    assert np.all(np.isfinite(objective.hess(np.zeros(3))))
    assert np.all(np.isfinite(objective.hessp(np.zeros(3), np.ones(3))))


# Values and shapes ----------------------------------------------------------------------------------------------------


def test_structures_and_flat_vectors_give_the_same() -> None:
    x0 = OBJECTIVES["network"][1]
    objective = made("network")
    flat = objective.structure.flatten(x0)
    assert objective.value(x0) == objective.value(flat)
    np.testing.assert_array_equal(objective.grad(x0), objective.grad(flat))
    np.testing.assert_array_equal(objective.hessp(x0, x0), objective.hessp(flat, flat))
    assert isinstance(objective.value(x0), float) and objective.grad(x0).shape == (objective.size,) == (10,)


def test_value_of_another_structure_is_refused_with_both_shapes() -> None:
    with pytest.raises(UsageError, match=r"expected shape \(3,\), got \(2,\)"):
        made("logistic").value(np.zeros(2))


FRESH = {
    "linear": (lambda x, c: c @ x, THREE.copy()),
    "sum of products": (lambda x, c: (c * x).sum(), THREE.copy()),
    "half a square": (lambda x: 0.5 * (x @ x),),
    "quadratic": (lambda x, A: x @ A @ x, SPD),
    "least squares": (lambda x, A: ((A @ x) ** 2).sum(), X),
    "sum": (lambda x: x.sum(),),
    "constant": (lambda x: 3.0,),
    "one entry": (lambda x: x[1],),
}


@pytest.mark.parametrize("name", FRESH)
def test_results_are_fresh_writable_arrays(name) -> None:
    f, *args = FRESH[name]
    objective, x, p = Objective(f, THREE, tuple(args)), THREE.copy(), np.ones(3)
    kept = [part.copy() for part in args]
    for kind in (
        objective.grad,
        lambda x: objective.value_and_grad(x)[1],
        objective.hess,
        lambda x: objective.hessp(x, p),
    ):
        first = kind(x)
        before = first.copy()
        assert type(first) is np.ndarray and first.dtype == np.float64
        assert not any(np.shares_memory(first, other) for other in (x, p, *args))
        first[...] = 99.0
        np.testing.assert_array_equal(kind(x), before)
    assert np.array_equal(x, THREE) and np.array_equal(p, np.ones(3))
    assert all(np.array_equal(one, other) for one, other in zip(kept, args, strict=True))


def test_constant_arrays_in_the_code_are_not_handed_out() -> None:
    objective = Objective(lambda x: np.array([1.0, 2.0, 3.0]) @ x, THREE)
    objective.grad(THREE)[...] = 99.0
    np.testing.assert_array_equal(objective.grad(THREE), [1.0, 2.0, 3.0])
    objective.hess(THREE)[...] = 99.0
    np.testing.assert_array_equal(objective.hess(THREE), np.zeros((3, 3)))


# Paths ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def traces(monkeypatch) -> list:
    """The points at which the objective is traced from now on."""
    module, seen = sys.modules["autoopt.objectives.original"], []
    original = module.trace

    def counted(function, structure, flat, *rest):
        seen.append(flat.copy())
        return original(function, structure, flat, *rest)

    monkeypatch.setattr(module, "trace", counted)
    return seen


def test_a_twin_has_the_paths_and_is_not_traced(traces) -> None:
    objective = Objective(lambda x, a: np.sum(a * x**2), THREE, (np.ones(3),))
    twin = objective.twin()
    assert len(traces) == 1
    assert twin.rebind((np.full(3, 2.0),))
    np.testing.assert_array_equal(twin.grad(THREE), 4 * THREE)
    np.testing.assert_array_equal(objective.grad(THREE), 2 * THREE)
    assert len(traces) == 1


def branching(x):
    if x[0] > 0:
        return x[0] ** 2 + x[1]
    return 3.0 * x[0] - x[1] ** 2


def test_two_branches_are_traced_once_each(traces) -> None:
    objective = Objective(branching, np.array([1.0, 2.0]))
    for k in range(1000):
        x = np.array([(-1.0) ** k * (1 + k), 2.0])
        value, gradient = objective.value_and_grad(x)
        assert value == branching(x)
        np.testing.assert_array_equal(gradient, [2 * x[0], 1.0] if x[0] > 0 else [3.0, -4.0])
    assert len(traces) == 2


def test_second_derivatives_follow_the_branch(traces) -> None:
    objective = Objective(branching, np.array([1.0, 2.0]))
    for first in (1.0, -1.0, 2.0, -2.0):
        expected = np.diag([2.0, 0.0]) if first > 0 else np.diag([0.0, -2.0])
        np.testing.assert_array_equal(objective.hess(np.array([first, 2.0])), expected)
        np.testing.assert_array_equal(objective.hessp(np.array([first, 2.0]), np.ones(2)), expected @ np.ones(2))
    assert len(traces) == 2


def test_number_of_steps_of_a_loop_follows_the_values(traces) -> None:
    def newton_root(x):
        r = 1.0
        while abs(r * r - x[0]) > 1e-12:
            r = 0.5 * (r + x[0] / r)
        return r * x[1]

    objective = Objective(newton_root, np.array([2.0, 1.0]))
    for value in (2.0, 50.0, 3.0, 0.1, 60.0):
        x = np.array([value, 3.0])
        assert objective.value(x) == pytest.approx(newton_root(x), rel=1e-14)
        np.testing.assert_allclose(objective.grad(x), [1.5 / np.sqrt(value), np.sqrt(value)], rtol=1e-6)


def test_mask_that_depends_on_the_parameters_follows_them() -> None:
    f = lambda x: (x[x > 1] ** 2).sum() + x[np.argsort(x)][0]  # noqa: E731
    objective = Objective(f, THREE)
    for x in (THREE, -THREE, THREE[::-1].copy(), np.zeros(3), 2 * THREE):
        assert objective.value(x) == f(x)


def test_branch_at_a_tie_is_the_functions() -> None:
    objective = Objective(lambda x: x[0] ** 2 if x[0] > 0 else -x[0], np.array([1.0]))
    assert objective.value_and_grad(np.zeros(1)) == (0.0, np.array([-1.0]))
    objective = Objective(lambda x: x[0] ** 2 if x[0] >= 0 else -x[0], np.array([1.0]))
    assert objective.value_and_grad(np.zeros(1)) == (0.0, np.array([0.0]))


def test_branch_decided_by_rounding_is_as_good_as_the_functions() -> None:
    def f(x):
        return x[0] if (x[0] + 0.1) + 0.2 >= 0.7 else 0.5 * x[0] + 0.2

    objective = Objective(f, np.array([0.5]))
    for steps in range(-8, 9):
        x = np.array([0.4 + steps * 2.0**-54])
        assert objective.value(x) == pytest.approx(f(x), rel=1e-14)


def test_guards_at_points_that_are_not_numbers_follow_the_function() -> None:
    objective = Objective(branching, np.array([1.0, 2.0]))
    assert np.isnan(objective.value(np.array([np.nan, 1.0])))
    assert objective.value(np.array([1.0, 2.0])) == 3.0


# Products -------------------------------------------------------------------------------------------------------------


def test_product_is_linearised_once_for_each_point() -> None:
    objective = Objective(logistic, np.zeros(3), (X, Y))
    x = np.array([0.1, 0.2, 0.3])
    objective.hessp(x, np.ones(3))
    (path,) = objective.dispatch.paths
    run = path.compiled["hessp"]
    linearize = run.namespace["linearize"]
    profile = []

    def watch(frame, event, argument):
        if event == "call" and frame.f_code is linearize.__code__:
            profile.append(1)

    sys.setprofile(watch)
    try:
        for k in range(10):
            objective.hessp(x, np.eye(3)[k % 3])
        same = len(profile)
        objective.hessp(x + 1, np.ones(3))
        objective.hessp(x + 1, np.zeros(3))
        objective.hessp(x, np.ones(3))
    finally:
        sys.setprofile(None)
    assert (same, len(profile)) == (0, 2)


def test_product_sees_a_point_that_was_written_into() -> None:
    objective = Objective(lambda x: (x**3).sum(), THREE)
    x = THREE.copy()
    objective.hessp(x, np.ones(3))
    x[0] = 7.0
    np.testing.assert_allclose(objective.hessp(x, np.ones(3)), 6 * x)


# Engines --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logistic", "named tuple"])
def test_numba_agrees_with_numpy(name) -> None:
    f, x0, *args = OBJECTIVES[name]
    compiled = Objective(f, x0, tuple(args), engine="numba")
    for x in points(name):
        assert compiled.value_and_grad(x)[0] == pytest.approx(made(name).value(x), rel=1e-12)
        np.testing.assert_allclose(compiled.grad(x), made(name).grad(x), rtol=1e-12, atol=1e-13)
    p = np.random.default_rng(0).normal(size=x.size)
    np.testing.assert_allclose(compiled.hessp(x, p), made(name).hessp(x, p), rtol=1e-12, atol=1e-13)


def test_numba_follows_branches() -> None:
    objective = Objective(branching, np.array([1.0, 2.0]), engine="numba")
    for first in (1.0, -1.0, 2.0, -2.0):
        x = np.array([first, 2.0])
        assert objective.value(x) == branching(x)


def test_numpy_is_the_default_engine() -> None:
    source = Objective(logistic, np.zeros(3), (X, Y), engine="numpy").source()
    assert Objective(logistic, np.zeros(3), (X, Y)).source() == source


# Transforms -----------------------------------------------------------------------------------------------------------


def test_gradient_has_the_structure_of_the_argument() -> None:
    found = autoopt.grad(lambda p: (p["a"] ** 2).sum() * p["b"][0] + p["b"][1])({"a": np.ones((2, 2)), "b": [3.0, 1.0]})
    assert list(found) == ["a", "b"] and found["b"] == [4.0, 1.0]
    np.testing.assert_array_equal(found["a"], np.full((2, 2), 6.0))


def test_gradient_of_a_number_is_a_number() -> None:
    found = autoopt.grad(lambda x: x**3)(2.0)
    assert np.shape(found) == () and found == 12.0
    assert autoopt.hessian(lambda x: x**3)(2.0) == 12.0 and autoopt.jacobian(lambda x: x**3)(2.0) == 12.0


def test_integers_are_taken_as_numbers() -> None:
    np.testing.assert_array_equal(autoopt.grad(lambda x: (x**2).sum())(np.array([1, 2])), [2.0, 4.0])


def test_argnums_names_the_argument() -> None:
    f = lambda a, b, c: (a @ b) ** 2 * c  # noqa: E731
    a, b = THREE, np.array([1.0, -1.0, 2.0])
    for argnums, other in ((0, b), (1, a)):
        np.testing.assert_allclose(autoopt.grad(f, argnums)(a, b, 3.0), 6 * (a @ b) * other)
        np.testing.assert_allclose(autoopt.hessian(f, argnums)(a, b, 3.0), 6 * np.outer(other, other))
        value, gradient = autoopt.value_and_grad(f, argnums=argnums)(a, b, 3.0)
        assert value == f(a, b, 3.0) and gradient.shape == (3,)
    assert autoopt.grad(f, argnums=2)(a, b, 3.0) == (a @ b) ** 2
    p = np.array([1.0, 0.0, 1.0])
    np.testing.assert_allclose(autoopt.hvp(f, argnums=1)(a, b, p, 3.0), 6 * a * (a @ p))
    np.testing.assert_allclose(autoopt.hvp(f)(a, p, b, 3.0), 6 * b * (b @ p))
    np.testing.assert_allclose(autoopt.jacobian(lambda A, x: A @ x, argnums=1)(X, THREE), X)


def test_hessian_has_the_shapes_of_jax() -> None:
    A = RNG.normal(size=(2, 3))
    found = autoopt.hessian(lambda M: (M**3).sum())(A)
    assert found.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(found, np.einsum("ij,ik,jl->ijkl", 6 * A, np.eye(2), np.eye(3)))
    nest = autoopt.hessian(lambda p: (p["M"] ** 2).sum() * p["s"])({"M": A, "s": 2.0})
    assert {row: {column: np.shape(block) for column, block in part.items()} for row, part in nest.items()} == {
        "M": {"M": (2, 3, 2, 3), "s": (2, 3)},
        "s": {"M": (2, 3), "s": ()},
    }
    np.testing.assert_allclose(nest["M"]["s"], 2 * A)
    np.testing.assert_allclose(nest["s"]["M"], 2 * A)


def test_jacobian_has_the_shapes_of_jax() -> None:
    A = RNG.normal(size=(2, 3))
    f = lambda M: M @ THREE  # noqa: E731
    found = autoopt.jacobian(f)(A)
    assert found.shape == (2, 2, 3)
    np.testing.assert_allclose(found, np.einsum("ik,j->ikj", np.eye(2), THREE))
    nest = autoopt.jacobian(lambda p: np.outer(p["a"], p["b"]))({"a": THREE, "b": np.ones(2)})
    assert nest["a"].shape == (3, 2, 3) and nest["b"].shape == (3, 2, 2)
    np.testing.assert_allclose(nest["b"], np.einsum("i,jk->ijk", THREE, np.eye(2)))
    np.testing.assert_allclose(autoopt.jacobian(lambda x: [x[0] * x[1], x[2]])(THREE), [[1.5, 0.5, 0], [0, 0, 1]])


def test_jacobian_follows_branches_and_differences() -> None:
    f = lambda x: np.sin(x) * x[0] if x[0] > 0 else np.cumsum(x) ** 2  # noqa: E731
    evaluate = autoopt.jacobian(f)
    for x in (THREE, -THREE, 2 * THREE):
        slopes, error = differences.jacobian(f, x)
        close(evaluate(x), slopes, error, 1e-9)


def test_product_has_the_structure_of_the_argument() -> None:
    f = lambda p: (p["a"] ** 3).sum() * p["b"]  # noqa: E731
    p, direction = {"a": THREE, "b": 2.0}, {"a": np.ones(3), "b": 1.0}
    found = autoopt.hvp(f)(p, direction)
    np.testing.assert_allclose(found["a"], 6 * THREE * 2.0 + 3 * THREE**2)
    assert found["b"] == pytest.approx((3 * THREE**2).sum())


def test_transforms_of_one_function_keep_apart() -> None:
    f = lambda x, d: (x * d).sum() ** 2  # noqa: E731
    gradient = autoopt.grad(f)
    small, large = gradient(THREE, 1.0), gradient(np.ones(4), np.arange(4.0))
    assert small.shape == (3,) and large.shape == (4,)
    np.testing.assert_allclose(gradient(THREE, 1.0), small)


def test_gradients_kept_by_the_caller_are_not_overwritten() -> None:
    gradient = autoopt.grad(lambda x: (x**2).sum())
    first = gradient(THREE)
    gradient(10 * THREE)
    np.testing.assert_array_equal(first, 2 * THREE)


def test_two_threads_take_gradients_at_once() -> None:
    found: dict[int, Any] = {}

    def work(k):
        try:
            found[k] = autoopt.grad(lambda x: np.sum(np.sin(k * x) * np.array([x[0], 1.0, k])))(THREE)
        except BaseException as problem:
            found[k] = problem

    threads = [threading.Thread(target=work, args=(k,)) for k in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (2, 3):
        f = lambda x, k=k: np.sum(np.sin(k * x) * np.array([x[0], 1.0, k]))  # noqa: E731
        close(found[k], *differences.gradient(f, THREE), 1e-9)


# Solvers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", SOLVERS)
def test_every_method_minimises_across_a_branch(method) -> None:
    """Smooth once across the line x[0] = 0, with the start on one side of it and the minimum on the other."""

    def f(x):
        bend = x[0] ** 2 if x[0] > 0 else 3.0 * x[0] ** 2
        return bend + (x[0] + 1.0) ** 2 + np.sum((x[1:] - 2.0) ** 2)

    result = autoopt.minimize(f, np.array([1.5, 0.5]), method=method)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [-0.25, 2.0], rtol=1e-6)


@pytest.mark.parametrize("method", SOLVERS)
def test_every_method_minimises_rosenbrock_unmodified(method) -> None:
    result = autoopt.minimize(rosenbrock, np.array([-1.2, 1.0]), method=method)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [1.0, 1.0], rtol=1e-7)


# Source ---------------------------------------------------------------------------------------------------------------

_ALONE = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("autoopt", "pytensor", "numba", "pandas", "jax"):
            raise ImportError(name + " is not there")
sys.meta_path.insert(0, Refuse())
import numpy as np
import exported
data = dict(np.load("data.npz"))
x, direction = data.pop("x"), data.pop("direction")
function = getattr(exported, sys.argv[1])
def names(function):
    code = function.__code__
    return code.co_varnames[:code.co_argcount]
def pick(function, known):
    return {name: known[name] for name in names(function) if name in known}
if hasattr(exported, "prepare"):
    data |= exported.prepare(**pick(exported.prepare, data))
if hasattr(exported, "linearize"):
    point = names(exported.linearize)[0]
    data |= {point: x} | exported.linearize(x, **pick(exported.linearize, data))
    found = function(direction, **pick(function, data))
else:
    found = function(x, **pick(function, data))
np.savez("found.npz", *(found if isinstance(found, tuple) else (found,)))
assert not {"autoopt", "pytensor", "numba"} & set(sys.modules)
"""

_FUNCTIONS = {"value": "value", "gradient": "value_and_grad", "hessian": "hess", "hvp": "hessp"}


def run_alone(folder, text, name, x, direction, **data) -> list[np.ndarray]:
    """Run an exported module in a process of its own, where NumPy and SciPy are all there is."""
    (folder / "exported.py").write_text(text)
    (folder / "alone.py").write_text(_ALONE)
    np.savez(folder / "data.npz", x=x, direction=direction, **data)
    done = subprocess.run(
        [sys.executable, "alone.py", name],
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr
    with np.load(folder / "found.npz") as found:
        return list(found.values())


@pytest.mark.parametrize("derivatives", _FUNCTIONS)
def test_exported_source_runs_alone(derivatives, tmp_path) -> None:
    def f(beta, X, counts):
        weights = np.log(counts + 1.0)
        if beta[0] > 5:
            return beta.sum()
        return poisson(beta, X, counts) + np.sum(weights * scipy.special.log_ndtr(X @ beta))

    x, direction = np.array([0.1, -0.2, 0.3]), np.array([1.0, 2.0, -1.0])
    objective = Objective(f, x, (X, COUNTS))
    text = objective.source(derivatives)
    found = run_alone(tmp_path, text, _FUNCTIONS[derivatives], x, direction, X=X, counts=COUNTS)
    expected = {
        "value": lambda: [objective.value(x)],
        "gradient": lambda: objective.value_and_grad(x),
        "hessian": lambda: [objective.hess(x)],
        "hvp": lambda: [objective.hessp(x, direction)],
    }[derivatives]()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_exported_source_uses_the_users_names() -> None:
    text = made("logistic").source()
    assert "def value_and_grad(w, X, y):" in text and "z = X @ w" in text and "import autoopt" not in text


def test_public_source_is_the_objectives(tmp_path) -> None:
    text = sys.modules["autoopt.objectives.objective"].source(logistic, np.zeros(3), (X, Y), derivatives="hessian")
    assert text == made("logistic").source("hessian") and "def hess(w, X" in text


def test_source_is_a_function_after_anything_was_derived() -> None:
    made("logistic").grad(np.zeros(3))
    assert "def value_and_grad" in autoopt.source(logistic, np.zeros(3), (X, Y))


def test_objective_takes_its_data_as_arguments() -> None:
    objective = autoopt.objective(logistic, np.zeros(3), X, Y, engine="numpy")
    assert isinstance(objective, autoopt.Objective) and objective.value(np.zeros(3)) == pytest.approx(12 * np.log(2))
    assert set(objective.timings) == {"trace", "compile"} and objective.timings["trace"] > 0


# Odd objectives -------------------------------------------------------------------------------------------------------


def test_complex_result_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="complex"):
        Objective(lambda x: x[0] + 1j, THREE).grad(THREE)


def test_list_of_arrays_is_data() -> None:
    objective = Objective(lambda x, parts: sum((x * part).sum() for part in parts), THREE, ([np.ones(3), THREE],))
    np.testing.assert_allclose(objective.grad(THREE), 1 + THREE)


def test_library_function_is_an_objective() -> None:
    np.testing.assert_allclose(autoopt.grad(scipy.special.logsumexp)(np.zeros(2)), [0.5, 0.5])


# At zero --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f, x, hessian",
    [
        (lambda x: np.sum(x**1.5), [0.0, 1.0], [[np.inf, 0.0], [0.0, 0.75]]),
        (lambda x: np.sum(np.sqrt(x)), [0.0, 1.0], [[-np.inf, 0.0], [0.0, -0.25]]),
        (lambda x: np.sum(np.maximum(x, 0.0) ** 1.5), [-1.0, 1.0], [[0.0, 0.0], [0.0, 0.75]]),
        (lambda x: np.sum(np.maximum(x, 0.0) ** 0.5), [-1.0, 1.0], [[0.0, 0.0], [0.0, -0.25]]),
        (lambda x: np.sum(np.log(np.maximum(x, 0.0) + (x <= 0))), [-1.0, 2.0], [[0.0, 0.0], [0.0, -0.25]]),
        (
            lambda x: np.sum(np.minimum(x, 0.0) ** 2 + np.sqrt(np.maximum(x, 0.0))),
            [-1.0, 1.0],
            [[2, 0.0], [0.0, -0.25]],
        ),
    ],
)
def test_hessian_beside_an_infinite_or_a_cut_off_slope(f, x, hessian) -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(autoopt.hessian(f)(np.array(x)), hessian, atol=1e-15)


def test_slope_of_a_cube_root_at_zero_is_infinite() -> None:
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(autoopt.grad(lambda x: np.sum(np.cbrt(x)))(np.array([0.0, 1.0])), [np.inf, 1 / 3])


# Keywords -------------------------------------------------------------------------------------------------------------


def scaled(x, a, k=2.0, *, power=2):
    return k * np.sum((a * x) ** power)


def test_transforms_take_keywords():
    x, a = np.array([0.5, 1.5]), np.array([1.0, 2.0])
    gradient = autoopt.grad(scaled)
    np.testing.assert_allclose(gradient(x, a), 4 * a**2 * x)
    np.testing.assert_allclose(gradient(x, a, k=3), 6 * a**2 * x)
    np.testing.assert_allclose(gradient(x, a=a, k=5.0), 10 * a**2 * x)
    np.testing.assert_allclose(gradient(x, k=np.array(5.0), a=2 * a), 40 * a**2 * x)
    np.testing.assert_allclose(gradient(x, a, power=3), 6 * a**3 * x**2)
    assert autoopt.value_and_grad(scaled)(x, a, power=3)[0] == pytest.approx(scaled(x, a, power=3))
    np.testing.assert_allclose(autoopt.hvp(scaled)(x, a, a, k=1.0), 2 * a**3)
    np.testing.assert_allclose(autoopt.hessian(scaled, argnums=1)(x, a, power=2), np.diag(4 * x**2))
    np.testing.assert_allclose(autoopt.jacobian(lambda x, k: k * x)(x, k=3.0), 3 * np.eye(2))


def test_keywords_of_other_data_are_bound_again_not_traced_again():
    runs = []

    def f(x, k):
        runs.append(1)
        return np.sum(k * x**2)

    gradient = autoopt.grad(f)
    gradient(THREE, k=1.0)
    count = len(runs)
    np.testing.assert_allclose(gradient(THREE, k=4.0), 8 * THREE)
    assert len(runs) == count


def test_a_keyword_that_the_function_does_not_take_is_the_users_error():
    with pytest.raises(TypeError, match="unexpected keyword argument 'q'"):
        autoopt.grad(scaled)(THREE, THREE, q=1)


def test_copysign_of_a_number_with_itself_is_that_number():
    np.testing.assert_allclose(autoopt.grad(lambda x: np.copysign(x, x).sum())(np.array([0.0, -1.0, 2.0])), 1)


def test_division_without_rest_by_one_is_a_step():
    x = np.array([1.7, -2.3])
    value, gradient = autoopt.value_and_grad(lambda x: np.sum(x // 1 * x))(x)
    assert value == np.sum(np.floor(x) * x)
    np.testing.assert_array_equal(gradient, np.floor(x))
