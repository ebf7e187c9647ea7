"""Slopes compared by a complex step where the original allows it, and by steps as large as its noise asks for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import autoopt
from autoopt.objectives.objective import Objective
from autoopt.verification import complex_step
from autoopt.verification.brief import compare_briefly
from autoopt.verification.points import Counted, compare
from autoopt.verification.segments import downhill

T = np.linspace(0.1, 3.0, 20)
SMALL = np.array([500.0, 1e-4])
X = np.array([0.8, 0.4])


def beside_a_large_constant(x):
    return 1e8 + np.sum(np.exp(x)) * x[1]


def with_a_small_parameter(x):
    return np.sum((x[0] * (1.0 - np.exp(-x[1] * 1e3 * T)) - 100.0 * T) ** 2)


def in_a_filled_list(x):
    return 1e8 + sum([np.sin(k * x[0]) * x[1] for k in range(5)])


def of_a_solved_system(x):
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    return 1e8 + np.linalg.solve(A * x[0], np.stack([x[1], x[1] ** 2])) @ np.array([1.0, 2.0])


ANALYTIC = {f.__name__: (f, X) for f in (beside_a_large_constant, in_a_filled_list, of_a_solved_system)}
ANALYTIC["with_a_small_parameter"] = with_a_small_parameter, SMALL

OTHERS = {
    "absolute value": lambda x: 1e8 + np.sum(np.abs(x) * np.exp(x)),
    "norm": lambda x: 1e8 + np.linalg.norm(x - 3.0) + x[0],
    "maximum": lambda x: 1e8 + np.sum(np.maximum(x, 0.3) ** 2),
    "comparison": lambda x: 1e8 + (x[0] ** 2 if x[0] > 0 else -x[0]) + x[1],
    "mask": lambda x: 1e8 + np.sum(x[x > 0.5] ** 2) + x[1],
    "real part": lambda x: 1e8 + np.sum(x.real**2) + x[1],
    "real part by a function": lambda x: 1e8 + np.sum(np.real(x) ** 2) + x[1],
    "conjugate": lambda x: 1e8 + np.vdot(x, x) + x[1],
    "conjugate of the array": lambda x: 1e8 + np.sum(x * x.conj()) + x[1],
    "cast": lambda x: 1e8 + np.sum(x.astype(float) ** 2) + x[1],
    "array of floats": lambda x: 1e8 + np.sum(np.asarray(x, dtype=float) ** 2) + x[1],
    "float": lambda x: 1e8 + float(x[0]) ** 2 + x[1],
    "sign": lambda x: 1e8 + np.sign(x[0]) * x[0] ** 2 + x[1],
    "special function": lambda x: 1e8 + np.sum(special.gammaln(x + 1.0)),
    "phase": lambda x: 1e8 + np.arctan2(x[0], x[1]) + np.hypot(x[0], x[1]),
}


def filled(x):
    out = np.zeros(2)
    out[0], out[1] = x[0] ** 2, x[1]
    return 1e8 + np.sum(out)


OTHERS["written into real numbers"] = filled


def wrong(objective: Objective, factor: float) -> Objective:
    """Return the objective with a gradient of which an entry is off."""
    right = objective.value_and_grad

    def off(x):
        value, gradient = right(x)
        return value, gradient * np.where(np.arange(gradient.size) == 1, factor, 1.0)

    objective.value_and_grad = objective.on_known_path = off
    return objective


@pytest.mark.parametrize("name", ANALYTIC)
def test_a_complex_step_shows_the_digits_that_differences_cannot(name):
    f, x = ANALYTIC[name]
    objective = Objective(f, x)
    found = compare(objective, x)
    (slope,) = (one for one in found.findings if one.what == "gradient")
    assert found.passed and found.conclusive and "complex step" in found.message
    assert slope.digits >= 12 and found.evaluations <= 6


@pytest.mark.parametrize("name", ANALYTIC)
def test_at_the_solution_too(name):
    f, x = ANALYTIC[name]
    objective = Objective(f, x)
    counted = Counted(objective)
    found = compare_briefly(counted, x, "the solution", 1.0, None, objective.value_and_grad(x))
    assert found.passed and found.conclusive and counted.evaluations <= 5


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_analytic_is_compared_by_differences(name):
    """No alarm, whatever the function makes of complex numbers, and no agreement by a slope that is not one."""
    objective = Objective(OTHERS[name], X)
    for x in (X, X[::-1] + 0.3):
        evaluated = objective.value_and_grad(x)
        found = compare(objective, x)
        p = downhill(objective, x, evaluated[1], np.random.default_rng(7))
        exact = complex_step.compared(objective, x, p, evaluated, objective.original(x), 0.0, "x0")
        assert found.passed and compare_briefly(objective, x, "the solution", 1.0, None, evaluated).passed
        assert exact is None


@pytest.mark.parametrize("name", [*ANALYTIC, *OTHERS])
@pytest.mark.parametrize("factor", [1.05, -1.0, 0.0])
def test_a_wrong_gradient_is_found_all_the_same(name, factor):
    f, x = ANALYTIC.get(name) or (OTHERS[name], X)
    found = compare(wrong(Objective(f, x), factor), x)
    assert not found.passed and "is wrong" in found.message


def test_steps_are_as_large_as_noise_asks_for():
    def single(x):
        return np.sum(np.float32(0.3) * np.exp(x.astype(np.float32)))

    with pytest.warns(autoopt.errors.SinglePrecisionWarning):
        objective = Objective(single, X)
        found = compare(objective, X)
    (slope,) = (one for one in found.findings if one.what == "gradient")
    assert found.passed and found.conclusive and slope.digits >= 4
    assert not compare(wrong(objective, 1.01), X).passed


def test_changed_variables_and_residuals_have_complex_steps():
    found = autoopt.minimize(beside_a_large_constant, X, scale=[2.0, 0.5], method="bfgs").verification
    assert found.passed
    result = autoopt.least_squares(lambda p: p[0] * (1.0 - np.exp(-p[1] * 1e3 * T)) - 100.0 * T, SMALL)
    assert result.verification.passed and result.verification.conclusive


def test_a_kink_is_seen_though_others_are_near():
    """At 0 the slope is that ahead; a thousand kinks that lie behind, from 1e-5 on, hide it from longer steps."""
    places = -np.geomspace(1e-5, 1e-2, 1000)

    def f(x):
        return np.sum(np.maximum(places - x[0], 0.0)) + np.maximum(-x[0], 0.0) * 3.0 + 0.1 * x[0] + x[1]

    objective = Objective(f, np.zeros(2))
    for x in (np.zeros(2), np.array([1e-12, 0.0]), np.array([-1e-12, 0.0])):
        found = compare(objective, x)
        assert found.passed, found.message


def test_what_disagrees_where_all_numbers_are_whole_is_no_alarm():
    with np.errstate(all="ignore"):
        result = autoopt.minimize(lambda x: -np.sum(x**2) + np.rint(x[0]) * x[1], np.array([0.3, -0.4]))
    assert not result.success and result.verification.passed and "gradient is wrong" not in result.message


def of_a_large_column(scale):
    rng = np.random.default_rng(0)
    column, y = scale * rng.lognormal(0.3, 0.5, 300), rng.poisson(0.2, 300).astype(float)

    def objective(x):
        z = x[0] + x[1] * column
        return np.sum(np.logaddexp(0.0, z) - y * z)  # no complex step goes through it

    return objective


@pytest.mark.parametrize("scale", [1.0, 1e4, 1e6, 1e8])
def test_gradients_of_large_columns_are_compared_at_a_minimum_too(scale):
    objective = of_a_large_column(scale)
    result = autoopt.minimize(objective, np.zeros(2))
    findings = [one for one in result.verification.findings if one.what == "gradient"]
    assert findings and all(one.verdict == "agrees" and one.digits >= 4 for one in findings)
    at_minimum = Objective(objective, result.x)
    found = compare(at_minimum, result.x)
    assert found.passed and not found.untold
    for factor in (0.0, -1.0, 1.1):
        x = result.x + np.array([0.0, 1e-4 / scale])
        assert not compare(wrong(Objective(objective, x), factor), x).passed


def test_what_could_not_be_compared_is_said():
    found = compare(Objective(lambda x: 1e16 + np.sum(np.maximum(x, 0.3) ** 2), X), X)
    assert found.untold.startswith("nothing can be told of its gradient at x0")
