"""From sweeps along the tape to derived code: the same numbers on every rung, and no rung that is waited for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import autoopt
from autoopt import differences
from autoopt.errors import TracingError
from autoopt.execution import ladder
from autoopt.execution.eager.functions import EagerFunctions
from autoopt.execution.eager.sweeps import Sweeps
from autoopt.execution.ladder import Ladder

X = np.array([0.3, 0.7, 1.1])


@pytest.fixture
def impatient(monkeypatch):
    """Whatever is asked for is evaluated along the tape first."""
    monkeypatch.setattr(ladder, "PATIENCE", -1.0)
    monkeypatch.setattr(ladder.engines, "is_known", lambda tape, kind: False)


def functions(objective: autoopt.Objective, kind: str = "value_and_grad") -> Ladder:
    found = objective.dispatch.paths[0].compiled[kind]
    assert isinstance(found, Ladder)
    return found


def smooth(x):
    return np.sum(np.exp(x) * np.sin(x[::-1])) + x[0] ** 3 * x[1]


def smooth_slope(x):
    return np.exp(x) * np.sin(x[::-1]) + np.exp(x[::-1]) * np.cos(x) + [3 * x[0] ** 2 * x[1], x[0] ** 3, 0.0]


LINKS = (np.sin, np.tanh, np.arctan, np.arcsinh, np.cos, np.square, np.sinh, np.expm1)
ORDER = np.random.default_rng(0).integers(len(LINKS), size=700)


def irregular(x):
    """A chain of other functions in each link, which no pass makes shorter."""
    y = x[0]
    for k in ORDER:
        y = LINKS[k](0.5 * y + 0.01 * x[1]) + 0.01 * x[2]
    return y * y + x[1] ** 2 + x[2] ** 2


# No refusal, no wait --------------------------------------------------------------------------------------------------


def test_a_short_objective_is_derived_at_once():
    objective = autoopt.Objective(smooth, X)
    objective.grad(X)
    assert not isinstance(objective.dispatch.paths[0].compiled["value_and_grad"], Ladder)


def test_a_long_irregular_loop_is_not_refused():
    objective = autoopt.Objective(irregular, X)
    value, gradient = objective.value_and_grad(X)
    assert functions(objective).cost == np.inf
    assert value == pytest.approx(irregular(X), rel=1e-12)
    steps = 1e-20j * np.eye(3)
    np.testing.assert_allclose(gradient, [irregular(X + step).imag / 1e-20 for step in steps], rtol=1e-10)
    curvature = [(objective.grad(X + 1e-5 * e) - objective.grad(X - 1e-5 * e)) / 2e-5 for e in np.eye(3)]
    np.testing.assert_allclose(objective.hess(X), curvature, rtol=1e-5, atol=1e-7)


def test_the_result_notes_what_is_evaluated_step_by_step():
    found = autoopt.minimize(irregular, X, method="l-bfgs-b", options={"maxiter": 2})
    assert len(found.notes) == 1
    line = irregular.__code__.co_firstlineno + 4
    assert found.notes[0].startswith(
        "Evaluated step by step, which is slower than compiled code: a loop of the objective"
    )
    assert f"{__file__}:{line})" in found.notes[0]
    assert autoopt.minimize(smooth, X, options={"maxiter": 2}).notes == []


def test_there_is_no_source_of_what_is_too_long():
    with pytest.raises(TracingError, match="one source") as caught:
        autoopt.Objective(irregular, X).source()
    assert "test_ladder.py" in str(caught.value)


# Rising ---------------------------------------------------------------------------------------------------------------


def test_derived_code_takes_over_when_as_much_time_is_spent(impatient):
    objective = autoopt.Objective(smooth, X)
    before = objective.value_and_grad(X)
    found = functions(objective)
    assert found.is_eager and 0 < found.spent < found.cost < np.inf
    found.spent = found.cost
    again = objective.value_and_grad(X)
    assert not found.is_eager
    for one, other in zip(before, again, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
    np.testing.assert_allclose(objective.grad(X + 0.1), smooth_slope(X + 0.1), rtol=1e-13)


def test_the_source_is_that_of_derived_code(impatient):
    objective = autoopt.Objective(smooth, X)
    objective.grad(X)
    assert "np.exp" in objective.source() and not functions(objective).is_eager


def test_what_is_not_finite_along_the_tape_is_derived(impatient):
    """The slope of log(1 + exp(x)) at 800 is inf / inf step by step."""
    objective = autoopt.Objective(lambda x: np.sum(np.log(1 + np.exp(x))), X)
    np.testing.assert_allclose(objective.grad(np.array([800.0, 0.0, -800.0])), [1.0, 0.5, 0.0])
    assert not functions(objective).is_eager


@pytest.mark.parametrize("kind", ["hess", "hessp"])
def test_second_derivatives_on_both_rungs(impatient, kind):
    objective = autoopt.Objective(smooth, X)
    derivative = {"hess": lambda x: objective.hess(x) @ X, "hessp": lambda x: objective.hessp(x, X)}[kind]
    points = [X, X + 0.3, -X]
    eager = [derivative(x) for x in points]
    functions(objective, kind).derive()
    for one, x in zip(eager, points, strict=True):
        np.testing.assert_allclose(one, derivative(x), rtol=1e-12, atol=1e-13)
        change = (smooth_slope(x + 1e-5 * X) - smooth_slope(x - 1e-5 * X)) / 2e-5
        np.testing.assert_allclose(one, change, rtol=1e-6, atol=1e-7)


def test_other_data_on_both_rungs(impatient):
    x, y = np.array([0.5, 0.2]), np.linspace(-1, 1, 7)
    objective = autoopt.Objective(lambda x, y, k: np.sum((x[0] * y - x[1]) ** 2) * k, x, (y, 1.0))
    for _ in range(2):
        for data, k in ((y, 1.0), (3 * y + 1, 2.0)):
            assert objective.rebind((data, k))
            r = x[0] * data - x[1]
            np.testing.assert_allclose(objective.grad(x), [2 * k * np.sum(r * data), -2 * k * np.sum(r)], rtol=1e-12)
        functions(objective).derive()


# Guards, ties, masks --------------------------------------------------------------------------------------------------


def branching(x):
    return x[0] ** 2 * x[1] if x[0] > 0.5 else np.sin(x[0]) + x[1] * x[2]


def test_other_branches(impatient):
    objective = autoopt.Objective(branching, X)
    for x in (X, X + 0.5, X, np.array([0.5, 1.0, 1.0])):
        up = x[0] > 0.5
        expected = [2 * x[0] * x[1], x[0] ** 2, 0.0] if up else [np.cos(x[0]), x[2], x[1]]
        np.testing.assert_allclose(objective.grad(x), expected, rtol=1e-14)


def newton(x):
    u = 1.0 + x[0] * 0
    for _ in range(50):
        step = (u * u - x[0]) / (2 * u)
        u = u - step
        if abs(step) < 1e-12:
            break
    return u * x[1] + x[2]


def test_loops_until_a_condition(impatient):
    objective = autoopt.Objective(newton, X)
    for first in (0.3, 4.0, 400.0, 0.3):
        x = np.array([first, 0.7, 1.1])
        np.testing.assert_allclose(objective.grad(x), [0.7 / (2 * first**0.5), first**0.5, 1.0], rtol=1e-9)
        np.testing.assert_allclose(objective.hessp(x, X)[1], X[0] / (2 * first**0.5), rtol=1e-9)


def test_kinks_are_seen_from_both_sides(impatient):
    objective = autoopt.Objective(lambda x: np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))), X)
    x = np.array([0.0, 1.0, -1.0])
    np.testing.assert_allclose(objective.grad(x), 1 / (1 + np.exp(-x)), rtol=1e-7)
    np.testing.assert_allclose(
        np.diag(objective.hess(x)), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))) ** 2, rtol=1e-6
    )


def rooted(x):
    return np.sum(np.where(x > 0, np.sqrt(x), x**2))


def logged(x):
    total = 0.0
    for k in range(3):
        total = total + np.where(x[k] > 0, np.log(x[k]), x[k] * 2)
    return total * total


def moved(x):
    return np.sum(np.where(x > 0, (x**1.5).reshape(3, 1).T[0], 0.0))


def joined(x):
    return np.sum(np.where(x[:, None] > 0, np.log(x)[:, None] * x, x[:, None] * 3))


@pytest.mark.parametrize("function", [rooted, logged, moved, joined])
@pytest.mark.parametrize("x", [[1.0, -1.0, 2.0], [-1.0, -2.0, 0.5], [-1.0, 0.0, 2.0]], ids=str)
def test_a_branch_that_is_not_taken_spoils_nothing(function, x):
    x, p = np.array(x), np.array([1.0, -0.5, 2.0])
    with np.errstate(all="ignore"):
        objective = autoopt.Objective(function, np.array(x))
        tape = objective.dispatch.original.trace(x).tape
        gradient, product = objective.grad(x), objective.hessp(x, p)
        np.testing.assert_allclose(EagerFunctions(tape, "value_and_grad", "").run(x)[1], gradient, rtol=1e-12)
        np.testing.assert_allclose(EagerFunctions(tape, "hessp", "").run(x, p), product, rtol=1e-12)


def test_what_is_infinite_is_not_taken_for_masked():
    """The slope of sqrt(x) sqrt(x) at 0 is 1; step by step it is 0 times inf, which is not known to be 0."""
    tape = autoopt.Objective(lambda x: np.sqrt(x[0]) * np.sqrt(x[0]), X[:1]).dispatch.paths[0].trace.tape
    with np.errstate(all="ignore"):
        assert np.isnan(EagerFunctions(tape, "value_and_grad", "").run(np.zeros(1))[1])


# Lengths --------------------------------------------------------------------------------------------------------------

W = np.array([1.0, 2.0, 3.0, 4.0])
OF_LENGTHS = {
    "roll along an axis": lambda x: (np.roll(x * x, 2, axis=0) ** 2) @ W,
    "fftshift": lambda x: (np.fft.fftshift(x * x) ** 2) @ W,
    "outer": lambda x: (np.outer(x, x * x) @ W) @ W,
    "determinant": lambda x: np.linalg.det(np.outer(x, x) + np.eye(4) * 2),
    "convolution": lambda x: np.convolve(x, x * x) @ np.arange(7),
    "gradient": lambda x: np.sum(np.gradient(x * x) * W),
    "upper triangle": lambda x: np.sum(np.triu(np.outer(x, x)) * np.outer(W, W)),
    "quantiles": lambda x: np.sum(np.percentile(x * x, [20, 70])),
    "cumulative": lambda x: (np.cumsum(x * x) ** 2) @ W,
    "gamma distribution": lambda x: np.sum(scipy.special.gammaincinv(x + 1.0, x)),
}


@pytest.mark.parametrize("name", OF_LENGTHS)
@pytest.mark.slow
def test_functions_that_ask_for_lengths(name):
    """Where a rule takes a length that is not known for something else, the derivatives are those for each length."""
    function, x = OF_LENGTHS[name], np.array([0.3, 0.5, 0.2, 0.9])
    sweeps = Sweeps(autoopt.Objective(function, x).dispatch.paths[0].trace.tape)
    run = sweeps.at(x)
    slopes, error = differences.gradient(function, x)
    np.testing.assert_allclose(run.gradient(), slopes, rtol=1e-6, atol=10 * np.max(error) + 1e-9)
    h = 1e-5
    change = (sweeps.at(x + h * W).gradient() - sweeps.at(x - h * W).gradient()) / (2 * h)
    np.testing.assert_allclose(run.product(W), change, rtol=1e-5, atol=1e-6)


def test_an_array_that_its_own_pullback_reads_is_not_written_into():
    def function(x):
        v = np.exp(x)
        v[1:] += 3.0
        return np.sum(v * v)

    run = Sweeps(autoopt.Objective(function, X).dispatch.paths[0].trace.tape).at(X)
    np.testing.assert_allclose(run.gradient(), 2 * (np.exp(X) + [0, 3, 3]) * np.exp(X), rtol=1e-14)


def test_quotients_of_what_is_large():
    """The square of a divisor overflows where the quotient is far from it."""

    def share(x):
        return np.exp(x)[0] / np.exp(x).sum() + np.log(np.exp(x[1]) + 3.0)

    x = np.array([700.0, 699.0])
    run = Sweeps(autoopt.Objective(share, x).dispatch.paths[0].trace.tape).at(x)
    p = 1 / (1 + np.exp(-1.0))
    slope, curvature = p * (1 - p), p * (1 - p) * (1 - 2 * p)
    np.testing.assert_allclose(run.gradient(), [slope, 1 - slope], rtol=1e-12)
    np.testing.assert_allclose(run.hessian(), curvature * np.array([[1, -1], [-1, 1]]), rtol=1e-9)


def copied(x):
    v = np.array([x[0], x[1], x[2]])
    u = v.copy()
    u[1] *= 2.0
    v[0] = x[1] * x[2]
    u[0], u[1] = u[1], u[0]
    return np.sum(u**2) + np.sum(v**3)


def shifted(x):
    a = np.outer(x, x)
    b = a.copy()
    for i in range(1, 3):
        a[i] = np.sin(a[i - 1]) + a[i]
        b[i - 1] = a[i] * b[i]
    return np.sum(a * b) + np.sum(b[1] ** 2)


@pytest.mark.parametrize("function", [copied, shifted])
def test_copies_are_written_into_by_themselves(function):
    run = Sweeps(autoopt.Objective(function, X).dispatch.paths[0].trace.tape).at(X)
    slopes, _ = differences.gradient(function, X)
    assert run.value == pytest.approx(function(X), rel=1e-14)
    np.testing.assert_allclose(run.gradient(), slopes, rtol=1e-8)


@pytest.mark.slow
def test_a_hessian_of_a_long_chain_is_its_products() -> None:
    """As a whole it would take minutes to derive."""
    from autoopt.graph.kinds import LONG, at_once
    from autoopt.tape.batching.batching import vectorise

    def f(x):
        y = x
        for name in ("sin", "tanh", "cos", "arctan", "expm1", "sinh"):
            for other in ("cos", "tanh", "square", "sin", "arctan"):
                y = getattr(np, name)(0.3 * y) + getattr(np, other)(y) * x[0]
        return np.sum(y)

    x = np.array([0.3, -0.2])
    objective = autoopt.objective(f, x)
    assert not at_once(vectorise(objective.dispatch.paths[0].tape)) and LONG < 150
    expected, error = differences.hessian(objective.grad, x)
    np.testing.assert_allclose(objective.hess(x), expected, atol=5 * error.max() + 1e-9)
    assert "hessp(unit, " in objective.source("hessian")
