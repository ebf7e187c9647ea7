"""Derivatives that the user gives and that are right at x0 alone: at a slope of 0 any factor is right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import NonlinearConstraint

import autoopt
from autoopt.errors import VerificationError

T = np.linspace(0.1, 1.0, 9)


def distance(x):
    return (x[0] - 2.0) ** 2 + (x[1] - 1.0) ** 2


def disk(factor):
    return {"type": "ineq", "fun": lambda x: 1.0 - x @ x, "jac": lambda x: factor * x}


def cubes(factor):
    """x^3 + y^3 <= 1 with its Jacobian, and `factor` times its second derivatives."""
    return NonlinearConstraint(
        lambda x: np.sum(x**3), -np.inf, 1.0, jac=lambda x: 3.0 * x**2, hess=lambda x, v: v[0] * np.diag(factor * x)
    )


def constrained(constraint, method="slsqp", x0=(0.0, 0.0)):
    return autoopt.minimize(distance, list(x0), method=method, constraints=constraint)


def squares(factor):
    return autoopt.least_squares(lambda x: x**2 - 2.0, [0.0, 0.0], jac=lambda x: factor * np.diag(x))


def fitted(factor):
    return autoopt.curve_fit(
        lambda t, a, b: a + b * b * t, T, 1.0 + 2.0 * T, p0=[1.0, 0.0],
        jac=lambda t, a, b: np.stack([np.ones_like(t), factor * b * t], axis=1),
    )  # fmt: skip


def rooted(factor):
    return autoopt.root(
        lambda x: np.array([x[0] - 1.0, x[0] + x[1] ** 2]), [0.5, 0.0], jac=lambda x: [[1.0, 0.0], [1.0, factor * x[1]]]
    )


def quartic(factor):
    return autoopt.minimize(lambda x: np.sum(x**4 - x**2), [0.0, 0.0], jac=lambda x: factor * x**3 - 2.0 * x)


def root(x):
    return np.emath.sqrt(0.01 - x[0]).real if x[0] <= 0.01 else np.nan


def root_slope(x):
    return [-0.5 / np.emath.sqrt(0.01 - x[0]).real if x[0] < 0.01 else np.nan, 0.0]


WRONG = {
    "disk": (lambda: constrained(disk(2.0)), "Jacobian of constraints[0] that jac gives"),
    "disk, trust-constr": (lambda: constrained(disk(2.0), "trust-constr"), "Jacobian of constraints[0] that jac gives"),
    "disk, cobyqa": (lambda: constrained(disk(-1.0), "cobyqa"), "Jacobian of constraints[0] that jac gives"),
    "one entry hidden": (lambda: constrained(disk(2.0), x0=(0.0, 1e-9)), "Jacobian of constraints[0] that jac gives"),
    "hess of a constraint": (lambda: constrained(cubes(5.0), "trust-constr"), "hess of constraints[0]"),
    "objective": (lambda: quartic(5.0), "gradient that jac gives"),
    "least_squares": (lambda: squares(-2.0), "Jacobian of fun that jac gives"),
    "curve_fit": (lambda: fitted(-2.0), "Jacobian of f that jac gives"),
    "root": (lambda: rooted(-2.0), "Jacobian of fun that jac gives"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_right_at_x0_alone_is_refused_with_its_line(case):
    run, what = WRONG[case]
    with pytest.raises(VerificationError) as told:
        run()
    text = str(told.value)
    assert what in text and "wrong" in text and "test_given_derivatives.py:" in text
    assert "leave it out" in text and "bug of autoopt" not in text and "random numbers" not in text


RIGHT = {
    "disk": lambda: constrained(disk(-2.0)),
    "hess of a constraint": lambda: constrained(cubes(6.0), "trust-constr"),
    "objective": lambda: quartic(4.0),
    "edge of the domain": lambda: constrained({"type": "ineq", "fun": root, "jac": root_slope}),
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right_passes(case):
    RIGHT[case]()


def test_nothing_is_compared_beside_x0_where_verify_is_off():
    result = autoopt.minimize(distance, [0.0, 0.0], constraints=disk(2.0), verify="off", options={"maxiter": 20})
    assert not result.success and "that jac gives is wrong" in result.message


def test_it_keeps_within_the_bounds():
    seen = []

    def jac(x):
        seen.append(x[1])
        return -2.0 * x

    constraint = {"type": "ineq", "fun": lambda x: 1.0 - x @ x, "jac": jac}
    assert autoopt.minimize(distance, [0.5, 0.0], bounds=[(0, 1), (0, 0.4)], constraints=constraint).success
    assert min(seen) >= 0.0 and max(seen) <= 0.4


def test_a_failed_run_names_the_jac_that_is_wrong_where_it_ended():
    """Right where x0 is, and nowhere that the run leads to."""
    constraint = {
        "type": "ineq",
        "fun": lambda x: 1.0 - x @ x,
        "jac": lambda x: -2.0 * x if np.max(np.abs(x - 0.1)) < 0.05 else 2.0 * x,
    }
    result = autoopt.minimize(distance, [0.1, 0.1], constraints=constraint, options={"maxiter": 60})
    assert not result.success and "Jacobian of constraints[0] that jac gives is wrong" in result.message
    assert "test_given_derivatives.py" in result.diagnosis[0]
