"""Derivatives step by step along the tape, against the compiled ones, which are vectorised and rewritten as a whole."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.optimize
from corpus import CASES

import autoopt
from autoopt.errors import PathsWarning
from autoopt.execution.eager import derivatives
from autoopt.execution.eager.functions import EagerFunctions
from autoopt.execution.eager.sweeps import EagerRun, Sweeps
from autoopt.objectives import dispatch
from benchmarks.loop_programs import PROGRAMS


def eager_run(objective: autoopt.Objective, x: np.ndarray) -> EagerRun:
    return Sweeps(objective.dispatch.original.trace(x).tape).at(x)


def check(function, x0, args) -> None:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        objective = autoopt.Objective(function, x0, args)
        x = objective.structure.flatten(x0).astype(float)
        run = eager_run(objective, x)
        p = np.random.default_rng(1).normal(size=x.size)
        gradient, product = objective.grad(x), objective.hessp(x, p)
        assert run.value == pytest.approx(objective.original(x), rel=1e-12)
        agree(run.gradient(), gradient)
        agree(run.product(p), product)
        tape = objective.dispatch.original.trace(x).tape
        functions = [EagerFunctions(tape, kind, "", ties=False) for kind in ("value_and_grad", "hessp", "hess")]
        agree(functions[0].run(x)[1], gradient)
        agree(functions[1].run(x, p), product)
        agree(functions[2].run(x) @ p, product)


def agree(found: np.ndarray, expected: np.ndarray) -> None:
    if np.all(np.isfinite(found)) or not np.all(np.isfinite(expected)):
        size = 1 + np.max(np.abs(expected), initial=0.0)
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-9 * size)


@pytest.mark.slow_for("mixture_cure", "sorted_l_moments")
@pytest.mark.parametrize("case", [case for case in CASES if not case.xfail][::11], ids=lambda case: case.name)
@pytest.mark.sampled(10)
def test_corpus(case):
    check(case.f, case.x0, case.args)


@pytest.mark.parametrize("name", ["rosenbrock", "ragged"])
def test_loops_that_compiled_code_vectorises(name):
    check(*PROGRAMS[name][:3])


def several_results(x):
    w, vectors = np.linalg.eigh(np.outer(x, x) + np.diag([1.0, 2.0, 3.0]))
    return np.sum(w * x) + vectors[0, 0] ** 2 + np.linalg.slogdet(np.outer(x, x) + np.eye(3))[1]


def written(x):
    y = np.zeros((3, 2))
    y[:, 0] = x
    y[1] *= x[:2]
    y[[0, 0, 2], 1] = x**2
    np.add.at(y, ([0, 0, 1], [1, 1, 0]), np.sin(x))
    y[y > 1.0] = x[0]
    y[2] += 0.5 * x[1]
    return np.sum(y**2 * np.arange(6.0).reshape(3, 2)) + np.sum(np.array([x[1], y[0, 1]]) ** 3)


def integers(x):
    order = np.argsort(x)
    return np.sum(x[order] * np.arange(3)) ** 2 + (x > 0).sum() * x[0] + np.sum(np.where(x > 0.4, x**2, x))


def data(x, A, k, c):
    return np.sum(np.exp(A @ x * c)[k]) + x @ A @ x


@pytest.mark.slow_for("several_results")
@pytest.mark.parametrize("function", [several_results, written, integers])
def test_steps(function):
    check(function, np.array([0.3, 0.7, 1.1]), ())


def test_data():
    check(data, np.array([0.3, 0.7, 1.1]), (np.arange(9.0).reshape(3, 3) / 9, np.array([0, 2, 2]), 0.5))


def test_steps_of_a_known_kind_are_not_derived_again(monkeypatch):
    objective = autoopt.Objective(written, np.array([0.3, 0.7, 1.1]))
    run = eager_run(objective, np.array([0.3, 0.7, 1.1]))
    run.product(np.ones(3))
    monkeypatch.setattr(derivatives, "derived", None)
    x = np.array([0.2, 0.9, 0.4])
    np.testing.assert_allclose(eager_run(objective, x).product(np.ones(3)), objective.hessp(x, np.ones(3)))


# Beyond the cap of paths ----------------------------------------------------------------------------------------------


def bisected(x):
    """The root of r^3 + x0 r = 5 + x1^2 by bisection, and two steps of Newton's, by which it depends on x."""
    low, high = 0.0, 10.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        if middle**3 + x[0] * middle - 5 - x[1] ** 2 > 0:
            high = middle
        else:
            low = middle
    root = middle
    for _ in range(2):
        root = root - (root**3 + x[0] * root - 5 - x[1] ** 2) / (3 * root**2 + x[0])
    return (root - 1.2) ** 2 + 0.1 * np.sum((x - 0.3) ** 2)


@pytest.fixture
def low_cap(monkeypatch):
    monkeypatch.setattr(dispatch, "MAX_PATHS", 4)
    monkeypatch.setattr(dispatch, "KEPT_PATHS", 2)


def slope(x):
    """Return the gradient of `bisected` by the implicit function."""
    root = scipy.optimize.brentq(lambda r: r**3 + x[0] * r - 5 - x[1] ** 2, 0, 10, xtol=1e-15)
    change = np.array([-root, 2 * x[1]]) / (3 * root**2 + x[0])
    return 2 * (root - 1.2) * change + 0.2 * (x - 0.3)


def switched(x):
    total = np.sum(x**3)
    for k in range(10):
        total = total + (k + 1) * x[1] ** 2 if np.sin(3.0**k * x[0]) > 0 else total - x[0] ** 2
    return total


def switched_slope(x):
    up = np.sin(3.0 ** np.arange(10) * x[0]) > 0
    return 3 * x**2 + np.array([-2 * x[0] * np.sum(~up), 2 * x[1] * np.sum(np.arange(1, 11)[up])])


@pytest.mark.slow
def test_a_thousand_paths(low_cap):
    objective = autoopt.Objective(switched, np.array([1.0, 1.0]))
    points = np.random.default_rng(0).uniform(0.5, 2.0, (1000, 2))
    with pytest.warns(PathsWarning, match="np.sin") as caught:
        for k, x in enumerate(points):
            value, gradient = objective.value_and_grad(x)
            assert value == pytest.approx(switched(x), rel=1e-12)
            np.testing.assert_allclose(gradient, switched_slope(x), rtol=1e-9)
            if k % 50 == 0:
                up = np.sin(3.0 ** np.arange(10) * x[0]) > 0
                curve = 6 * x + np.array([-2.0 * np.sum(~up), 2.0 * np.sum(np.arange(1, 11)[up])])
                np.testing.assert_allclose(objective.hessp(x, np.array([1.0, -0.5])), curve * [1.0, -0.5], rtol=1e-9)
    assert len(caught) == 1
    assert len(objective.dispatch.paths) == 2


def test_bisection_is_minimised(low_cap):
    found = autoopt.minimize(bisected, np.array([1.0, 1.0]), method="l-bfgs-b", options={"gtol": 1e-7})
    assert found.success
    np.testing.assert_allclose(slope(found.x), 0, atol=1e-6)


def counted(x):
    total = 0.0
    for k in range(int(x[0])):
        total = total + (k + 1) * x[1] ** 2 * x[2]
    return total


def test_all_derivatives_beyond_the_cap(low_cap):
    objective = autoopt.Objective(counted, np.ones(3))
    with pytest.warns(PathsWarning):
        for steps in range(9):
            objective.value(np.array([steps, 1.0, 1.0]))
    x, weight = np.array([12.0, 0.5, 0.7]), 78
    assert objective.value(x) == pytest.approx(weight * 0.5**2 * 0.7)
    np.testing.assert_allclose(objective.grad(x), weight * np.array([0, 2 * 0.5 * 0.7, 0.25]))
    expected = weight * np.array([[0, 0, 0], [0, 1.4, 1.0], [0, 1.0, 0]])
    np.testing.assert_allclose(objective.hess(x), expected)
    np.testing.assert_allclose(objective.hessp(x, np.array([1.0, 2.0, 3.0])), expected @ [1.0, 2.0, 3.0])


def test_jacobian_beyond_the_cap(low_cap):
    derivative = autoopt.jacobian(lambda x: np.array([x[1] ** k for k in range(1, 1 + int(x[0]))]))
    derivative(np.array([1.0, 2.0]))
    with pytest.warns(PathsWarning):
        for count in range(1, 9):
            found = derivative(np.array([count, 2.0]))
    np.testing.assert_allclose(found[:, 1], [k * 2.0 ** (k - 1) for k in range(1, 9)])


def test_what_cancels_only_when_compiled_is_compiled(low_cap):
    """The slope of log(1 + exp(x)) at 800 is inf / inf step by step."""

    def softplus(x):
        return np.log(1 + np.exp(x[1])) * int(x[0])

    objective = autoopt.Objective(softplus, np.ones(2))
    with pytest.warns(PathsWarning):
        for count in range(9):
            objective.value(np.array([count, 1.0]))
    np.testing.assert_allclose(objective.grad(np.array([20.0, -800.0])), 0)
    np.testing.assert_allclose(objective.grad(np.array([21.0, 3.0])), [0, 21 / (1 + np.exp(-3.0))])


def test_other_data_beyond_the_cap(low_cap):
    derivative = autoopt.grad(lambda x, c: c * x[1] ** 2 * int(x[0]))
    with pytest.warns(PathsWarning):
        for count in range(9):
            derivative(np.array([count, 1.0]), 2.0)
    x = np.array([30.0, 1.5])
    np.testing.assert_allclose(derivative(x, 2.0), [0, 180.0])
    np.testing.assert_allclose(derivative(x, 3.0), [0, 270.0])
