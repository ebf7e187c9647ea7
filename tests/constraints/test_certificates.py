"""Verdicts under constraints: what is called a minimum is one, and what is none is not, whatever SciPy says of it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint

from autoopt import minimize
from autoopt.errors import ObjectiveError
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes and row.uses]


def equal(fun):
    return {"type": "eq", "fun": fun}


def inside(fun):
    return {"type": "ineq", "fun": fun}


CIRCLE = equal(lambda x: x @ x - 1)
CORNER = inside(lambda x: [-x[0] - x[1] + 2, -(x[0] ** 2) + x[1]])


def towards(x):
    return (x[0] - 2) ** 2 + (x[1] - 1) ** 2


# What is none ---------------------------------------------------------------------------------------------------------

NOT_A_MINIMUM = {
    "third power along a parabola": (
        lambda x: x[0] ** 3 + x[1] - x[0] ** 2, [0.0, 0.0], equal(lambda x: x[1] - x[0] ** 2), None, "falls",
    ),
    "linear program without an end": (
        lambda x: -x[0] - x[1], [0.0, 0.0], LinearConstraint([[1.0, -1.0]], -1, 1), None, "not bounded below",
    ),
    "excluding lines": (
        lambda x: -(x[0] ** 3), [1.0, 1.0], [equal(lambda x: x[0] + x[1] - 1), equal(lambda x: x[0] + x[1] - 2)], None,
        "constraints[0], constraints[1] contradict each other",
    ),
    "line beyond bounds": (
        lambda x: x[0], [0.5, 0.5], LinearConstraint([[1.0, 1.0]], 3, np.inf), [(0, 1), (0, 1)],
        "constraints[0], the bound of x[0], the bound of x[1] contradict each other",
    ),
    "circle and half plane": (
        lambda x: x[0], [1.0, 1.0], [CIRCLE, inside(lambda x: x[0] - 2)], None, "the constraints cannot be met near x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NOT_A_MINIMUM)
@pytest.mark.slow
def test_what_is_no_minimum_is_no_success(name, method):
    f, x0, constraints, bounds, said = NOT_A_MINIMUM[name]
    result = minimize(f, np.array(x0), method=method, constraints=constraints, bounds=bounds)
    assert not result.success and result.status != 0
    assert said in result.message, result.message


SADDLES = {
    "line": (lambda x: x[0] ** 4 - x[0] * x[1], [0.0, 0.0], equal(lambda x: x[0] - x[1]), -0.25),
    "sphere": (lambda x: x @ (np.array([1.0, 2, 3]) * x), [0.0, 0, 1], CIRCLE, 1.0),
    "simplex": (
        lambda p: -p @ p, [1 / 3] * 3, [equal(lambda p: p.sum() - 1), inside(lambda p: p)], -1.0
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SADDLES)
def test_saddle_along_constraints_is_left(name, method):
    f, x0, constraints, lowest = SADDLES[name]
    result = minimize(f, np.array(x0), method=method, constraints=constraints)
    assert result.success and result.fun == pytest.approx(lowest, rel=1e-12), result.message


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.slow
def test_infeasible_constraints_are_named_with_what_they_are_missed_by(method):
    """The point of least squared violation of x0 >= 2 and x0^2 = 1 has 4 x0^3 - 4 x0 + 2 (x0 - 2) s = 0 by sizes s."""
    result = minimize(lambda x: x @ x, [0.5, 0.1], method=method, constraints=[CIRCLE, inside(lambda x: x[0] - 2)])
    for name, value in (("constraints[0]", result.x @ result.x - 1), ("constraints[1]", result.x[0] - 2)):
        assert f"{name} is not met there: it is {value:.6g}, where" in result.message
    assert 1.0 < result.x[0] < 2.0 and abs(result.x[1]) < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_direction_out_of_a_corner_that_holds_nothing_is_found(method):
    """At 0 both constraints are met with room on one side; the curvature is negative between them alone."""
    result = minimize(lambda x: (x @ x) ** 2 - x[0] * x[1], [0.0, 0.0], method=method, constraints=inside(lambda x: x))
    assert result.fun == pytest.approx(-1 / 16) if result.success else "saddle point" in result.message
    held = minimize(lambda x: x[0] * x[1], [0.0, 0.0], method=method, constraints=inside(lambda x: x))
    assert held.success and held.fun == pytest.approx(0.0, abs=1e-12)


# What is one ----------------------------------------------------------------------------------------------------------

MINIMA = {
    "corner": (towards, [2.0, 2.0], CORNER, None, [1, 1]),
    "corner, small": (lambda x: 1e-12 * towards(x), [2.0, 2.0], CORNER, None, [1, 1]),
    "small constraint": (
        towards, [2.0, 2.0], inside(lambda x: 1e-10 * np.array([-x[0] - x[1] + 2, -(x[0] ** 2) + x[1]])), None, [1, 1],
    ),
    "parameters of 1e-9": (
        lambda x: (1e9 * x[0] - 2) ** 2 + (1e9 * x[1] - 1) ** 2, [2e-9, 2e-9],
        inside(lambda x: [-x[0] - x[1] + 2e-9, -1e9 * x[0] ** 2 + x[1]]), None, [1e-9, 1e-9],
    ),
    "linear program": (
        lambda x: -x[0] - 2 * x[1], [0.1, 0.1], LinearConstraint([[1.0, 1.0], [1, 3]], -np.inf, [4, 6]),
        [(0, 3), (0, None)], [3, 1],
    ),
    "held by nothing": (lambda x: x @ x, [1.0, 1.0], inside(lambda x: x[0]), None, [0, 0]),
    "far along a circle": (lambda x: -x[0], [1.0, 1.0], equal(lambda x: x @ x - 1e6), None, [1000, 0]),
    "double root": (lambda x: (x[0] - 1) ** 2 + x[1] ** 2, [1.0, 1.0], equal(lambda x: x[0] ** 2), None, [0, 0]),
    "greatest of two": (
        lambda x: x[2], [1.0, 2, 9], inside(lambda x: x[2] - np.maximum((x[0] - 1) ** 2, (x[1] + 1) ** 2)), None,
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MINIMA)
def test_minimum_is_a_success_with_all_its_digits(name):
    f, x0, constraints, bounds, solution = MINIMA[name]
    result = minimize(f, np.array(x0), constraints=constraints, bounds=bounds)
    assert result.success, result.message
    if solution is not None:
        size = np.max(np.abs(solution)) or 1.0
        assert np.allclose(result.x, solution, rtol=1e-12, atol=1e-9 * size)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_and_constraints_that_hold_are_at_their_limits_to_the_last_bit(method):
    bounded = minimize(
        lambda x: np.sum((x - 2) ** 2), [0.3, 0.3], method=method, bounds=[(0, 0.7), (0, 5)],
        constraints=NonlinearConstraint(lambda x: x[0] + x[1] ** 2, -np.inf, 1.7),
    )  # fmt: skip
    assert bounded.success and bounded.x[0] == 0.7 and bounded.x[1] == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("units", [1e-12, 1e-6, 1e6, 1e12])
def test_units_of_the_objective_do_not_matter(units, method):
    result = minimize(lambda x: units * towards(x), [-20.0, 30.0], method=method, constraints=CORNER)
    assert result.success and np.allclose(result.x, [1, 1], rtol=1e-12), result.message
    assert np.allclose(result.multipliers[0], [units * 2 / 3, units * 2 / 3], rtol=1e-8)


def test_failure_of_scipys_is_not_final():
    """SciPy's SLSQP is stopped after one iteration, close to the solution; Newton's method ends there."""
    given = {"constraints": CORNER, "method": "slsqp"}
    stopped = minimize(towards, [1.01, 1.0], options={"maxiter": 1}, **given)
    assert stopped.success and np.allclose(stopped.x, [1, 1], rtol=1e-14)


def test_run_that_went_in_circles_ends_after_a_dozen_evaluations():
    """HS7, where a line search on values alone took 10 904."""
    result = minimize(
        lambda x: np.log(1 + x[0] ** 2) - x[1],
        [2.0, 2.0],
        constraints=equal(lambda x: (1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4),
    )
    assert result.success and result.fun == pytest.approx(-np.sqrt(3), rel=1e-15) and result.nfev <= 25


# Multipliers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_multipliers_make_up_the_gradient_with_the_signs_that_are_documented(method):
    """min |x - (2, 1, -1, 3)|^2 with x0 + x1 = 1, x2^2 <= 0.25, 0 <= x3 <= 1: at (1, 0, -0.5, 1), by hand."""
    result = minimize(
        lambda x: np.sum((x - np.array([2.0, 1, -1, 3])) ** 2), [0.5, 0.5, 0.1, 0.5], method=method,
        bounds=[(None, None)] * 3 + [(0, 1)],
        constraints=[
            {"type": "eq", "fun": lambda x: x[0] + x[1] - 1},
            NonlinearConstraint(lambda x: [x[2] ** 2, x[0] * x[2]], -np.inf, [0.25, 50.0]),
        ],
    )  # fmt: skip
    assert result.success and result.x == pytest.approx([1, 0, -0.5, 1], abs=1e-9)
    equality, upper, bounds = result.multipliers
    assert equality == pytest.approx([-2.0]) and upper == pytest.approx([-1.0, 0.0], abs=1e-9)
    assert bounds == pytest.approx([0, 0, 0, -4.0], abs=1e-9)
    names = [["constraints[0]"], ["constraints[1][0]", "constraints[1][1]"], ["x[0]", "x[1]", "x[2]", "x[3]"]]
    assert result.multiplier_names == names
    made = equality[0] * np.array([1, 1, 0, 0]) + upper[0] * np.array([0, 0, 2 * result.x[2], 0]) + bounds
    assert made == pytest.approx(result.jac, abs=1e-8) and result.gradient_norm < 1e-8


def test_multipliers_of_bounds_alone():
    result = minimize(lambda x: np.sum((x - 2) ** 2), [0.5, 0.5], bounds=[(0, 1), (None, 5)])
    assert len(result.multipliers) == 1 and result.multipliers[0] == pytest.approx([-2.0, 0.0], abs=1e-6)
    assert "multipliers" not in minimize(lambda x: np.sum((x - 2) ** 2), [0.5, 0.5])


def test_multipliers_are_those_that_ipopt_finds():
    ipyopt = pytest.importorskip("ipyopt")
    weights = np.zeros(2)
    runner = ipyopt.Problem(
        n=2, x_l=np.full(2, -9.0), x_u=np.full(2, 9.0), m=2, g_l=np.zeros(2), g_u=np.full(2, 2e19),
        sparsity_indices_jac_g=(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])), sparsity_indices_h=None,
        eval_f=lambda x: float(towards(x)),
        eval_grad_f=lambda x, out: out.__setitem__(slice(None), [2 * (x[0] - 2), 2 * (x[1] - 1)]),
        eval_g=lambda x, out: out.__setitem__(slice(None), [2 - x[0] - x[1], x[1] - x[0] ** 2]),
        eval_jac_g=lambda x, out: out.__setitem__(slice(None), [-1, -1, -2 * x[0], 1]),
        ipopt_options={"print_level": 0, "sb": "yes", "hessian_approximation": "limited-memory", "tol": 1e-10},
    )  # fmt: skip
    runner.solve(np.array([2.0, 2.0]), mult_g=weights)
    result = minimize(towards, [2.0, 2.0], constraints=CORNER)
    assert np.allclose(result.multipliers[0], [2 / 3, 2 / 3], rtol=1e-9)
    assert np.allclose(-weights, result.multipliers[0], rtol=1e-6)  # Ipopt adds them where these are taken off


# What is asked besides ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_constant_objective_asks_for_any_point_that_meets_the_constraints(method):
    result = minimize(lambda x: 0.0, [1.0, 3.0], method=method, constraints=[CIRCLE, inside(lambda x: x[0] - 0.2)])
    assert result.success and result.x @ result.x == pytest.approx(1.0, rel=1e-12) and result.x[0] > 0.2 - 1e-8
    with pytest.raises(ObjectiveError, match="does not depend on the parameters"):
        minimize(lambda x: 0.0, [1.0, 3.0])


@pytest.mark.slow_for("trust-constr")
@pytest.mark.parametrize("method", METHODS)
def test_edge_of_where_the_objective_is_defined_is_no_minimum(method):
    """Nothing holds f there but that it ends; Ipopt took 50 000 trial points and 90 seconds for this."""

    def f(x):
        if x[0] + x[1] > 1.2:
            raise ValueError("outside")
        return -x[0] - x[1]

    result = minimize(f, [0.5, 0.5], method=method, constraints=inside(lambda x: x[0] * x[1] - 0.1))
    assert not result.success and result.fun > -1.2 - 1e-9 and result.nundefined > 0 and result.nfev < 3000


def test_jacobian_that_is_right_at_the_start_alone_is_no_success():
    """The slope of x0^2 + x1 that is given is that at (1, 1) everywhere."""
    parabola = {"type": "ineq", "fun": lambda x: x[0] ** 2 + x[1] - 3, "jac": lambda x: np.array([2.0, 1.0])}
    given = {"x0": np.ones(2), "constraints": parabola}
    result = minimize(lambda x: np.sum((x - np.array([0.3, 0.2])) ** 2), **given)
    assert not result.success and "constraints[0]" in result.message


@pytest.mark.parametrize("method", ["cobyla", "cobyqa"])
def test_methods_by_values_alone_end_with_all_digits(method):
    result = minimize(towards, [2.0, 2.0], method=method, constraints=CORNER)
    assert result.success and np.allclose(result.x, [1, 1], rtol=1e-14) and result.njev < 0.5 * result.nfev
    circle = minimize(lambda x: x[0] + 2 * x[1], [0.5, 0.1], method=method, constraints=CIRCLE)
    assert circle.success and np.allclose(circle.x, -np.array([1, 2]) / 5**0.5, rtol=1e-12)


# Many parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["trust-constr", "ipopt"])
def test_more_parameters_than_a_matrix_is_made_for(method):
    """min sum w_i (x_i - 1)^2 on sum x = 0: by hand x_i = 1 - n / w_i / sum(1 / w), and the multiplier."""
    n = 700
    w = np.linspace(1.0, 3.0, n)
    plane = LinearConstraint(np.ones((1, n)), 0, 0)
    result = minimize(lambda x: np.sum(w * (x - 1) ** 2), np.zeros(n), method=method, constraints=plane)
    assert result.success, result.message
    assert np.allclose(result.x, 1 - n / w / np.sum(1 / w), atol=1e-9)
    assert result.multipliers[0] == pytest.approx([-2 * n / np.sum(1 / w)], rel=1e-9)


@pytest.mark.parametrize("method", ["trust-constr", "ipopt"])
@pytest.mark.slow
def test_saddle_of_many_parameters_is_no_success(method):
    """Along x_3 the objective curves down, and where it is left it ends at x_3^2 = 1 / 2."""
    n, third = 600, np.eye(600)[2]
    plane = equal(lambda x: np.sum(x) - x[2])
    result = minimize(
        lambda x: np.sum(x**2) - 2 * (third @ x) ** 2 + (third @ x) ** 4, np.zeros(n), method=method, constraints=plane
    )
    if result.success:
        assert result.fun == pytest.approx(-0.25) and abs(result.x[2]) == pytest.approx(0.5**0.5)
    else:
        assert "saddle point" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_no_cause_is_told_that_leaves_the_constraints_out(method):
    """-x0^3 is not bounded below, but on the lines, which exclude each other, it is."""
    f, x0, constraints, _, _ = NOT_A_MINIMUM["excluding lines"]
    result = minimize(f, np.array(x0), method=method, constraints=constraints)
    assert not any("not bounded below" in cause for cause in [*result.diagnosis, result.message])


@pytest.mark.parametrize("unit", [1e-4, 1e-8, 1e-12])
def test_parameter_that_began_at_0_in_small_units_is_held_by_the_constraint(unit):
    """The nearest point of the disc to (2, 1) is (2, 1) / sqrt(5)."""
    result = minimize(
        lambda x: (x[0] / unit - 2) ** 2 + (x[1] - 1) ** 2,
        np.zeros(2),
        constraints={"type": "ineq", "fun": lambda x: 1 - (x[0] / unit) ** 2 - x[1] ** 2},
    )
    assert result.success
    assert np.allclose([result.x[0] / unit, result.x[1]], np.array([2, 1]) / np.sqrt(5), rtol=1e-8)
