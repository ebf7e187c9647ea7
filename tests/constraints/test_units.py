"""The units of constraints and of the objective change neither what a run comes to nor what it says of it."""

from __future__ import annotations

import numpy as np
import pytest
from constrained_problems import PROBLEMS

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes and row.uses]
UNITS = (1e-12, 1e-6, 1e6, 1e12)


def solved(number, method, of_f=1.0, of_c=1.0):
    """Return the result of a published problem in other units."""
    problem = PROBLEMS[number]
    kinds = [("eq", problem.equal), ("ineq", problem.inside)]
    return minimize(
        lambda x: of_f * problem.f(x), np.array(problem.x0), method=method, bounds=problem.bounds,
        constraints=[{"type": kind, "fun": lambda x, c=c: of_c * np.array(c(x))} for kind, c in kinds if c],
    )  # fmt: skip


def is_right(number, result, of_f=1.0):
    problem = PROBLEMS[number]
    values = (problem.lowest, *problem.other)
    met = not problem.equal or np.max(np.abs(problem.equal(result.x))) < 1e-6
    met = met and (not problem.inside or np.min(problem.inside(result.x)) > -1e-6)
    return bool(met and min(abs(result.fun / of_f - value) / max(1.0, abs(value)) for value in values) < 1e-6)


@pytest.mark.sampled(40)
@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", PROBLEMS)
def test_units_of_constraints_do_not_matter(number, method, units):
    result = solved(number, method, of_c=units)
    assert result.success == is_right(number, result), result.message
    # trust-constr does not come back from where it is thrown on HS12.
    assert result.success or (number, method) == (12, "trust-constr"), result.message


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("method", METHODS)
def test_units_of_constraints_and_objective_do_not_matter_on_hs71(method, units):
    for units_of in ({"of_c": units}, {"of_f": units}):
        result = solved(71, method, **units_of)
        assert result.success and is_right(71, result, units_of.get("of_f", 1.0)), result.message


def test_multipliers_are_in_the_units_of_the_constraints():
    plain, small = solved(71, "slsqp"), solved(71, "slsqp", of_c=1e-12)
    for expected, given in zip(plain.multipliers[:2], small.multipliers[:2], strict=True):
        np.testing.assert_allclose(given * 1e-12, expected, rtol=1e-6)


def equal(fun):
    return {"type": "eq", "fun": fun}


def inside(fun):
    return {"type": "ineq", "fun": fun}


def beside(x):
    return (x[0] + 1) ** 2 + x[1] ** 2


VANISHING = {
    "equality": lambda s: equal(lambda x: s * (x[0] - x[1] ** 2)),
    "inequality": lambda s: inside(lambda x: s * (x[0] - x[1] ** 2)),
}


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", VANISHING)
def test_value_that_is_0_at_parameters_that_are_0_is_met_by_rounding(kind, method, units):
    result = minimize(beside, [0.0, 0.5], method=method, constraints=VANISHING[kind](units))
    assert result.success and result.fun == pytest.approx(1.0, rel=1e-9), result.message


IMPOSSIBLE = {
    "lines": lambda s: [equal(lambda x: s * (x[0] + x[1] - 1)), equal(lambda x: s * (x[0] + x[1] - 2))],
    "circle and half plane": lambda s: [equal(lambda x: s * (x @ x - 1)), inside(lambda x: s * (x[0] - 2))],
}


@pytest.mark.slow_for("circle and half plane-trust-constr-1000000000000.0")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_what_cannot_be_met_is_said_in_any_units(kind, method, units):
    result = minimize(lambda x: x @ x, [1.0, 0.5], method=method, constraints=IMPOSSIBLE[kind](units))
    assert not result.success
    assert "contradict each other" in result.message or "cannot be met" in result.message


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("method", METHODS)
def test_start_that_is_far_outside_is_no_matter(method, units):
    given = [equal(lambda x: units * (x @ x - 4)), inside(lambda x: units * (x[1] - 1))]
    result = minimize(lambda x: (x[0] - 1) ** 2 + x[1] ** 2, [100.0, -300.0], method=method, constraints=given)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [np.sqrt(3.0), 1.0], rtol=1e-7)
