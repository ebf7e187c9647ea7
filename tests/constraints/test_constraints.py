"""Constraints are derived as objectives are: right against closed forms, few calls, and what cannot be is said."""

from __future__ import annotations

import numpy as np
import pytest
from constrained_problems import PROBLEMS
from scipy.optimize import BFGS, SR1, LinearConstraint, NonlinearConstraint, rosen
from scipy.sparse import coo_array, csr_array, dia_matrix

from autoopt import minimize
from autoopt.constraints.forms import read
from autoopt.errors import VerificationError
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes and row.uses]
START = np.array([0.5, -0.25, 2.0])


def two(x, a=2.0):
    return [x[0] * x[1] - a, np.sum(x**2) - 1.0]


def constraints_of(problem, as_dict):
    """Return a problem's constraints as dicts or as SciPy's objects."""
    kinds = [("eq", problem.equal, 0.0), ("ineq", problem.inside, np.inf)]
    if as_dict:
        return [{"type": kind, "fun": fun} for kind, fun, _ in kinds if fun]
    return [NonlinearConstraint(fun, 0.0, upper) for _, fun, upper in kinds if fun]


# Solutions ------------------------------------------------------------------------------------------------------------


@pytest.mark.slow_for("80-trust-constr")
@pytest.mark.sampled(3)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", PROBLEMS)
def test_published_problem_is_solved(number, method):
    problem = PROBLEMS[number]
    result = minimize(
        problem.f, np.array(problem.x0), method=method, bounds=problem.bounds,
        constraints=constraints_of(problem, as_dict=number % 2),
    )  # fmt: skip
    assert result.success, result.message
    values = (problem.lowest, *problem.other)
    assert min(abs(result.fun - value) / max(1.0, abs(value)) for value in values) < 1e-7
    assert result.notes == []
    if problem.equal:
        assert np.max(np.abs(problem.equal(result.x))) < 1e-7
    if problem.inside:
        assert np.min(problem.inside(result.x)) > -1e-7


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.slow
def test_constraint_of_200_parameters_is_called_a_few_times(method):
    calls = []

    def ball(x):
        calls.append(x)
        return 150.0 - x @ x

    result = minimize(
        lambda x: np.sum((x - 1.2) ** 2) + np.sum((x[1:] - x[:-1] ** 2) ** 2), np.full(200, 0.5), method=method,
        constraints={"type": "ineq", "fun": ball},
    )  # fmt: skip
    assert result.success and result.fun == pytest.approx(24.96128151746, rel=1e-9)
    assert len(calls) < 20


@pytest.mark.parametrize("method", METHODS)
def test_one_evaluation_serves_value_and_jacobian_of_a_point(method, monkeypatch):
    from autoopt.constraints.function import ConstraintFunction

    asked = []
    for name in ("value", "jacobian"):
        own = getattr(ConstraintFunction, name)
        monkeypatch.setattr(
            ConstraintFunction, name, lambda self, x, own=own, name=name: asked.append((name, *x)) or own(self, x)
        )
    result = minimize(
        rosen, [-1.2, 1.0], method=method, constraints=NonlinearConstraint(lambda x: x @ x, 0.1, 1.0), verify="off"
    )
    assert result.success
    solving = asked[asked.index(("value", -1.2, 1.0)) :]
    steps = [point for point in solving if point[0] == "jacobian"]
    assert len(set(steps)) >= len(steps) - 3  # at the start, and at the solution, again


@pytest.mark.parametrize("method", METHODS)
def test_both_sides_and_equalities_of_one_constraint(method):
    """min sum (x - 2)^2 with x0 + x1 in [-1, 1], x0 - x2 = 1, x1 in [0, inf): by hand (1, 0, 0)."""
    mixed = NonlinearConstraint(lambda x: [x[0] + x[1], x[0] - x[2], x[1]], [-1, 1, 0], [1, 1, np.inf])
    result = minimize(
        lambda x: np.sum((x - np.array([2.0, -1, 2])) ** 2), np.zeros(3), method=method, constraints=mixed
    )
    assert result.success and result.x == pytest.approx([1, 0, 0], abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("form", [np.asarray, csr_array, coo_array, dia_matrix])
def test_linear_constraints_of_both_kinds(method, form):
    matrix = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, -1.0]])
    plane = LinearConstraint(form(matrix), [1, 0], [1, np.inf])
    result = minimize(lambda x: x @ x, [3.0, 2.0, 1.0], method=method, constraints=plane)
    assert result.success and result.x == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_structured_parameters_and_data(method):
    """min sum w^2 + s^2 with w . a + s = 3: the shortest vector is 3 (a, 1) / |(a, 1)|^2."""
    a = np.array([1.0, 2.0])
    plane = {"type": "eq", "fun": lambda p, a, total: p["w"] @ a + p["s"] - total, "args": (a, 3.0)}
    start = {"w": np.array([1.0, 0.0]), "s": 0.5}
    result = minimize(lambda p: np.sum(p["w"] ** 2) + p["s"] ** 2, start, method=method, constraints=plane)
    assert result.success and result.x["w"] == pytest.approx([0.5, 1.0]) and result.x["s"] == pytest.approx(0.5)


@pytest.mark.parametrize("method", METHODS)
def test_trial_points_where_a_constraint_is_not_defined_are_stepped_back_from(method):
    def inside(x):
        if x[0] <= 0:
            raise ValueError("no logarithm")
        return np.log(x[0]) + 1 - x[1] ** 2

    result = minimize(
        lambda x: (x[0] + 1) ** 2 + (x[1] - 0.5) ** 2, [2.0, 0.1], method=method,
        constraints={"type": "ineq", "fun": inside},
    )  # fmt: skip
    assert result.success, result.message
    assert np.log(result.x[0]) + 1 - result.x[1] ** 2 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_constraints_that_exclude_each_other_are_named(method):
    constraints = [{"type": "ineq", "fun": lambda x: x[0] - 1}, NonlinearConstraint(lambda x: [x[1], -x[0]], -9.0, 9.0)]
    constraints.append({"type": "ineq", "fun": lambda x: -x[0]})
    result = minimize(lambda x: x @ x, [0.9, 1.0], method=method, constraints=constraints)
    assert not result.success
    assert "constraints[0] is not met there" in result.message or "constraints[2] is not met there" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_limits_that_are_none(method):
    free = NonlinearConstraint(lambda x: x[0] * x[1], -np.inf, np.inf)
    result = minimize(lambda x: np.sum((x - 1) ** 2), [2.0, 3.0], method=method, constraints=free)
    assert result.success and result.x == pytest.approx([1, 1])


@pytest.mark.parametrize("method", METHODS)
def test_arrays_and_numbers_as_parameters(method):
    result = minimize(lambda x: x**2, 2.0, method=method, constraints={"type": "ineq", "fun": lambda x: x - 1})
    assert result.success and np.shape(result.x) == () and result.x == pytest.approx(1.0)
    trace = {"type": "eq", "fun": lambda x: np.trace(x) - 3, "jac": lambda x: np.eye(2)}
    result = minimize(lambda x: np.sum(x**2), np.ones((2, 2)), method=method, constraints=trace)
    assert result.success and result.x == pytest.approx(1.5 * np.eye(2), abs=1e-7)


# Derivatives ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dict", "object", "fixed"])
def test_jacobian_and_curvature_are_those_of_the_formula(form):
    given = {
        "dict": {"type": "eq", "fun": two, "args": (2.0,)},
        "object": NonlinearConstraint(two, 0, 0),
        "fixed": NonlinearConstraint(two, 0, 0, hess=SR1()),
    }[form]
    [constraint] = read(given, START)
    for x in (START, 3 * START, np.zeros(3), -800 * START):
        assert np.allclose(constraint.value(x), two(x), rtol=1e-13)
        assert np.allclose(constraint.slopes(x), [[x[1], x[0], 0], 2 * x], rtol=1e-13)
        for v in (np.array([1.0, 0.0]), np.array([-0.5, 2.0])):
            curvature = v[0] * np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]) + 2 * v[1] * np.eye(3)
            assert np.allclose(constraint.function.hessian(x, v), curvature, atol=1e-13)
            assert np.allclose(constraint.function.hessp(x, v, START), curvature @ START, atol=1e-13)


@pytest.mark.parametrize("jac", ["2-point", None, "finite-difference", "3-point", "cs"])
def test_names_of_jacobians(jac):
    [constraint] = read({"type": "eq", "fun": two, "jac": jac} if jac else NonlinearConstraint(two, 0, 0), START)
    assert np.allclose(constraint.slopes(START), [[-0.25, 0.5, 0], 2 * START], rtol=1e-9)
    exact = jac is None
    assert (constraint.function.derived is not None) == exact
    assert constraint.function.has_second(True) == exact


def test_scipys_default_of_a_nonlinear_constraint_means_exact():
    [constraint] = read(NonlinearConstraint(two, 0, 0, jac="2-point", hess=BFGS()), START)
    assert constraint.function.derived is not None and constraint.strategy is None
    [constraint] = read(NonlinearConstraint(two, 0, 0, hess=SR1()), START)
    assert isinstance(constraint.strategy, SR1)


@pytest.mark.parametrize("method", METHODS)
def test_constraint_that_cannot_be_followed_has_differences_and_a_note(method):
    def opaque(x):
        return 1.0 - np.sum(np.frombuffer(np.asarray(x).tobytes()) ** 2)

    result = minimize(lambda x: -x[0] - x[1], [0.1, 0.2], method=method, constraints={"type": "ineq", "fun": opaque})
    assert result.success and result.x == pytest.approx([0.5**0.5] * 2, rel=1e-6)
    [note] = result.notes
    assert note.startswith("constraints[0] is differentiated by differences: ") and "test_constraints.py:" in note


def test_multipliers_weigh_the_second_derivatives():
    """Between two curves: the Hessian of the Lagrangian is indefinite without the constraint's part."""
    curved = NonlinearConstraint(lambda x: x[0] ** 2 + x[1] ** 2, 1.0, 1.0)
    result = minimize(lambda x: -0.5 * x[0] ** 2 - 2 * x[1], [0.1, 0.9], method="trust-constr", constraints=curved)
    assert result.success and result.x == pytest.approx([0.0, 1.0], abs=1e-5)


# What the user supplies -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_users_jacobian_and_hessian_are_used(method):
    asked = set()

    def jac(x):
        asked.add("jac")
        return 2 * x

    def hess(x, v):
        asked.add("hess")
        return csr_array(2 * v[0] * np.eye(2))

    ball = NonlinearConstraint(lambda x: x @ x, -np.inf, 1.0, jac=jac, hess=hess)
    result = minimize(rosen, [-0.2, 0.3], method=method, constraints=ball, verify="off")
    assert result.success and result.x == pytest.approx([0.78641515, 0.61769831], rel=1e-5)
    assert asked == ({"jac"} if method == "slsqp" else {"jac", "hess"})


@pytest.mark.parametrize(
    ("jac", "said"),
    [
        (
            lambda x: [[x[1], x[0], 0.0], 2.002 * x],
            "the slope of value [1] along x[2] is 4.004, but the function has 4",
        ),
        (lambda x: [[x[1], -x[0], 0.0], 2 * x], "the slope of value [0] along x[1] is -0.5, but the function has 0.5"),
        (lambda x: np.zeros((2, 3)), "the slope of value [1] along x[2] is 0, but the function has 4"),
    ],
)
def test_wrong_jacobian_is_told_by_its_largest_difference(jac, said):
    constraints = [{"type": "ineq", "fun": lambda x: 9.0 - x[0]}, {"type": "ineq", "fun": two, "jac": jac}]
    with pytest.raises(VerificationError) as caught:
        minimize(lambda x: x @ x, START, constraints=constraints)
    assert f"The Jacobian of constraints[1] that jac gives is wrong: {said}" in str(caught.value)
    assert "test_constraints.py:" in str(caught.value) and "To fix this: " in str(caught.value)
    minimize(lambda x: x @ x, START, constraints=constraints, verify="off")


def test_small_row_does_not_hide_behind_a_large_one():
    def fun(x):
        return np.array([1e8 * x[0], 1e-6 * x[1] ** 2])

    right = lambda x: np.array([[1e8, 0, 0], [0, 2e-6 * x[1], 0]])  # noqa: E731
    wrong = lambda x: np.array([[1e8, 0, 0], [0, 2.01e-6 * x[1], 0]])  # noqa: E731
    minimize(lambda x: x @ x, START, constraints=NonlinearConstraint(fun, -np.inf, np.inf, jac=right))
    with pytest.raises(VerificationError, match=r"the slope of value \[1\] along x\[1\] is -5.025e-07"):
        minimize(lambda x: x @ x, START, constraints=NonlinearConstraint(fun, -np.inf, np.inf, jac=wrong))


def test_kink_at_the_start_is_no_false_alarm():
    folded = {"type": "ineq", "fun": lambda x: 3.0 - np.sum(np.abs(x))}
    assert minimize(lambda x: np.sum((x - 1.5) ** 2), np.zeros(3), constraints=folded).success


def test_wrong_hessian_of_a_constraint():
    wrong = NonlinearConstraint(two, 0, 9, jac=lambda x: [[x[1], x[0], 0], 2 * x], hess=lambda x, v: v[1] * np.eye(3))
    with pytest.raises(VerificationError, match=r"^hess of constraints\[0\] is wrong: times a direction it gives"):
        minimize(lambda x: x @ x, START, constraints=wrong)


# From call to call ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_numbers_and_data_of_the_next_call_are_taken(method):
    """The nearest point of a ball to (3, 4) has its radius; the ball's centre is data, its radius an outer variable."""
    for radius, centre in [(1.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.5, -1.0)]:
        ball = {"type": "ineq", "fun": lambda x, c: radius**2 - np.sum((x - c) ** 2), "args": (np.full(2, centre),)}  # noqa: B023
        result = minimize(
            lambda x: np.sum((x - np.array([3.0, 4.0])) ** 2), np.zeros(2), method=method, constraints=ball
        )
        towards = np.array([3.0, 4.0]) - centre
        assert result.success
        assert result.x == pytest.approx(centre + radius * towards / np.linalg.norm(towards), abs=1e-6)


@pytest.mark.parametrize(("engine", "method"), [("numpy", "trust-constr"), ("numba", "slsqp")])
@pytest.mark.slow
def test_engines(engine, method):
    ball = NonlinearConstraint(lambda x: x @ x, -np.inf, 1.0)
    result = minimize(rosen, [-0.2, 0.3], method=method, engine=engine, constraints=ball)
    assert result.success and result.x == pytest.approx([0.78641515, 0.61769831], rel=1e-5)
