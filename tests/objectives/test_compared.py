"""Code that was compared with its function costs few calls of it from then on, and is found wrong as before."""

import numpy as np
import pytest

import autoopt
from autoopt.check import Verification, verify, verify_solution
from autoopt.errors import VerificationError
from autoopt.objectives.original import Original
from autoopt.objectives.retained import forget
from autoopt.verification.certificate import Finding
from autoopt.verification.secants import AT_THE_START, compared, directions

POINT = np.array([0.3, -0.2])


def normal(p, y):
    return np.mean(0.5 * ((y - p[0]) * np.exp(-p[1])) ** 2) + p[1]


def sample(seed=0, rows=50):
    return np.random.default_rng(seed).normal(1.0, 2.0, rows)


@pytest.fixture
def points(monkeypatch):
    """The points at which the user's function is called as it is."""
    forget()
    found, result = [], Original._result

    def noted(self, x):
        found.append(np.array(x))
        return result(self, x)

    monkeypatch.setattr(Original, "_result", noted)
    return found


def test_the_same_call_again_takes_one_call_of_the_function(points):
    y = sample()
    first = autoopt.minimize(normal, POINT, args=(y,))
    points.clear()
    again = autoopt.minimize(normal, POINT, args=(y,))
    assert again.success and again.verification.passed and again.verification.at_solution
    np.testing.assert_array_equal(again.x, first.x)
    assert len(points) == 1 and np.array_equal(points[0], again.x)


def test_other_data_take_five_calls_of_the_function(points):
    autoopt.minimize(normal, POINT, args=(sample(),))
    points.clear()
    again = autoopt.minimize(normal, POINT, args=(sample(1),))
    assert again.success and again.verification.at_solution
    assert len(points) <= 5
    np.testing.assert_array_equal(points[-1], again.x)


def test_what_the_function_keeps_is_that_of_the_solution():
    kept = []

    def keeping(p, y):
        kept[:] = [p]
        return normal(p, y)

    for seed in (0, 0, 1):
        found = autoopt.minimize(keeping, POINT, args=(sample(seed),))
        np.testing.assert_array_equal(kept[0], found.x)


def known(y):
    """Return an objective that was compared at a point and at its solution."""
    objective = autoopt.objective(normal, POINT, y)
    verify(objective, POINT)
    solution = np.array([y.mean(), np.log(y.std())])
    assert verify_solution(objective, solution, 1.0).passed
    return objective, solution


def wrong(objective, by=1e-4, entry=1):
    """Have the objective give a gradient of which one entry is wrong, from now on."""
    value_and_grad = objective.value_and_grad

    def changed(x):
        value, gradient = value_and_grad(x)
        gradient = gradient.copy()
        gradient[entry] += by
        return value, gradient

    objective.value_and_grad = changed


@pytest.mark.parametrize("entry", [0, 1])
def test_a_gradient_that_has_become_wrong_is_found_where_it_was_compared(entry):
    objective, solution = known(sample())
    wrong(objective, entry=entry)
    with pytest.raises(VerificationError, match="is wrong"):
        verify(objective, POINT)
    assert not verify_solution(objective, solution, 1.0).passed


@pytest.mark.parametrize("entry", [0, 1])
def test_a_gradient_that_is_wrong_with_other_data_is_found(entry):
    objective, _ = known(sample())
    assert objective.rebind((sample(1),))
    wrong(objective, entry=entry)
    with pytest.raises(VerificationError, match="is wrong"):
        verify(objective, POINT)


def test_a_function_that_has_become_another_is_found_at_the_solution():
    y = sample()
    objective, solution = known(y)
    original = objective.original
    objective.original = lambda x: original(x) + 1e-6
    assert not verify_solution(objective, solution, 1.0).passed


def test_directions_that_bounds_held_are_compared_once_they_are_free():
    y = sample()
    objective = autoopt.objective(normal, POINT, y)
    solution = np.array([y.mean(), np.log(y.std())])
    held = type("Limits", (), {"lower": solution, "upper": solution})
    assert verify_solution(objective, solution, 1.0, held).passed
    original = objective.original
    objective.original = lambda x: original(x) + 0.1 * (x[0] - solution[0])
    assert not verify_solution(objective, solution, 1.0).passed


@pytest.mark.parametrize("number", range(len(AT_THE_START)))
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_every_secant_tells_a_slope_from_one_that_is_wrong(number, scale):
    """exp(x0) + exp(x1) at 0: each partial slope is 1; 1e-5 is ten times what is allowed."""
    secant, allowed = AT_THE_START[number]
    p, x = directions(None, np.zeros(2), np.random.default_rng(5)), np.zeros(2)
    measured, error = secant(lambda x: scale * np.exp(x).sum(), x, p, 2.0 * scale)
    assert error <= max(allowed, 1e-4) * abs(measured)
    value = Finding("value", "x0", 0.0, 0.0)
    outcomes = [
        compared((measured, 0.0), p, (2.0 * scale, scale * np.array([1.0, 1.0 + off])), 2.0 * scale, 0.0, value)
        for off in (0.0, 1e-5)
    ]
    assert [type(found) for found in outcomes] == [Verification] * 2
    assert [found.passed for found in outcomes] == [True, False]
