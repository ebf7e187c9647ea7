"""The functions of More, Garbow and Hillstrom as residuals: each run reaches a printed minimum and says so."""

import re

import numpy as np
import pytest
from residual_problems import PROBLEMS

import autoopt


@pytest.mark.parametrize(
    "method", [None, pytest.param("trf", marks=pytest.mark.slow), pytest.param("lm", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_printed_minimum_is_reached_and_said_to_be_one(name, method):
    problem = PROBLEMS[name]
    with np.errstate(all="ignore"):
        result = autoopt.least_squares(problem.fun, problem.x0, method=method)
    squares = 2 * result.cost
    assert result.success, result.message
    assert any(abs(squares - printed) <= 2e-5 * printed + 1e-13 for printed in problem.minima), squares


ASTRAY = {
    "beale": "",
    "jennrich_sampson": "lost its effect|at infinity",
    "bard": "at infinity",
    "box": "lost its effect|at infinity",
    "osborne_2": "",
}
"""Starts at ten times the usual ones from which the cost falls towards infinity, or a plateau, and what is said."""


@pytest.mark.parametrize("method", [None, "trf", "dogbox"])
@pytest.mark.parametrize("name", ASTRAY)
def test_a_run_that_went_astray_is_no_success(name, method):
    problem = PROBLEMS[name]
    with np.errstate(all="ignore"):
        result = autoopt.least_squares(problem.fun, 10 * problem.x0, method=method)
    reached = any(abs(2 * result.cost - printed) <= 2e-5 * printed + 1e-13 for printed in problem.minima)
    assert result.success == reached, result.message
    if not reached:
        assert method is not None or re.search(ASTRAY[name], result.message)
        assert result.diagnosis


@pytest.mark.parametrize("method", [None, "lm", "trf", "dogbox"])
def test_residual_that_vanishes_at_infinity_alone_is_no_fit(method):
    result = autoopt.least_squares(lambda p: np.array([1 / (1 + p[0] ** 2), 1.0]), [1.0], method=method)
    assert not result.success and "infinity" in result.message
