"""The objective: its derivatives against differences and closed forms; paths, engines, transforms, exported source."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.special
from plain_objectives import OBJECTIVES, SPD, THREE, X, Y, close, logistic, made, points
from scipy.optimize import rosen, rosen_der, rosen_hess
from scipy.special import expit

from autoopt import differences
from autoopt.errors import UsageError
from autoopt.objectives.objective import Objective


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

    def counted(function, structure, flat, *rest, **options):
        seen.append(flat.copy())
        return original(function, structure, flat, *rest, **options)

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
@pytest.mark.slow
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
