"""Parameters that are held or tied: the solution is that of the objective with them written into it."""

import numpy as np
import pytest
from scipy.optimize import LinearConstraint, NonlinearConstraint, approx_fprime

import autoopt
from autoopt.errors import ObjectiveError, UsageError
from autoopt.minimize import minimize
from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.solvers import SOLVERS, Interrupted
from autoopt.variables.fixed import read_fixed
from autoopt.variables.functions import ChangedObjective

X0 = {"a": 1.0, "b": 2.0, "c": np.array([0.5, -0.5, 1.5])}
NAMES = ["a", "b", "c[0]", "c[1]", "c[2]"]


def banana(p):
    return (p["a"] - 3) ** 2 + 10 * (p["b"] - p["a"] ** 2) ** 2 + np.sum((p["c"] - p["a"]) ** 2) + np.exp(p["c"][0])


def as_vector(x):
    return np.array([x["a"], x["b"], *x["c"]])


# Reading --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fixed", "held", "at"),
    [
        ("b", [1], [2.0]),
        (1, [1], [2.0]),
        (-1, [4], [1.5]),
        (["b", "c[1]"], [1, 3], [2.0, -0.5]),
        (["c"], [2, 3, 4], X0["c"]),
        ({"b": 7}, [1], [7.0]),
        ({"b": True, "a": False}, [1], [2.0]),
        ({"c": np.array([True, False, True])}, [2, 4], [0.5, 1.5]),
        ({"c": [1.0, 2.0, 3.0]}, [2, 3, 4], [1.0, 2.0, 3.0]),
        ({"c": 0.0, "a": 4.0}, [0, 2, 3, 4], [4.0, 0.0, 0.0, 0.0]),
        (np.array([False, True, False, False, True]), [1, 4], [2.0, 1.5]),
        ([False, True, False, False, True], [1, 4], [2.0, 1.5]),
        ([{"b": 7}, "c[0]", 4], [1, 2, 4], [7.0, 0.5, 1.5]),
        ([np.array([False, True, False, False, False]), {"a": 4.0}], [0, 1], [4.0, 2.0]),
    ],
)
def test_what_is_held_and_where(fixed, held, at):
    structure = Structure.of(X0)
    variables, flat = read_fixed([fixed], structure, structure.flatten(X0))
    assert variables.held.tolist() == held and flat[held].tolist() == list(at)
    assert variables.variable_names == [name for i, name in enumerate(NAMES) if i not in held]
    assert np.array_equal(variables.parameters(variables.variables(flat)), flat)


def test_names_of_a_nest_stand_for_all_below():
    structure = Structure.of({"layer": {"w": np.zeros((2, 2)), "b": 1.0}, "layer2": 0.0})
    variables, _ = read_fixed([{"layer": {"w": True}, "layer2": 3.0}], structure, np.arange(6.0))
    assert variables.variable_names == ["layer.b"]
    assert read_fixed([["layer"]], structure, np.arange(6.0))[0].variable_names == ["layer2"]


@pytest.mark.parametrize(
    ("text", "factor", "offset"),
    [("a", 1, 0), ("2 * a", 2, 0), ("a * 2 - 1", 2, -1), ("1 - a", -1, 1), ("-a / 4 + 1e-1", -0.25, 0.1)]
    + [("2 * (a + 1)", 2, 2), ("3 * a - a", 2, 0)],
)
def test_a_tie_is_a_straight_line(text, factor, offset):
    structure = Structure.of(X0)
    variables, flat = read_fixed([{"b": text}], structure, structure.flatten(X0))
    assert flat[1] == pytest.approx(factor * 1.0 + offset) and variables.size == 4
    z = np.array([5.0, 0, 0, 0])
    assert variables.parameters(z)[1] == pytest.approx(factor * 5.0 + offset)


def test_ties_of_ties_are_followed_and_what_is_tied_to_the_held_is_held():
    structure = Structure.of({"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0})
    variables, flat = read_fixed([{"b": "2 * a", "c": "b + 1"}], structure, np.ones(4))
    assert flat.tolist() == [1, 2, 3, 1] and variables.variable_names == ["a", "d"]
    assert variables.parameters(np.array([5.0, 0.0])).tolist() == [5, 10, 11, 0]
    variables, _ = read_fixed([{"b": "2 * a + 1", "c": "3 * b - 2"}], structure, np.ones(4))
    assert variables.parameters(np.array([5.0, 0.0])).tolist() == [5, 11, 31, 0]
    variables, flat = read_fixed([{"a": 4.0, "b": "2 * a", "c": "b + 1"}], structure, np.ones(4))
    assert flat.tolist() == [4, 8, 9, 1] and variables.variable_names == ["d"]


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        (["C"], r"fixed: there is no parameter 'C'. Did you mean c\?"),
        ([9], "fixed: there is no parameter number 9"),
        ({"a": "b", "b": "a"}, "ties go in a circle, a -> b -> a"),
        ({"b": "a ** 2"}, r"'a \*\* 2' is no straight line"),
        ({"b": "a + c[0]"}, "is no straight line in one parameter"),
        ({"b": "a +"}, "is no straight line"),
        ({"b": "0 * a"}, "is no straight line"),
        ({"b": "zz"}, "there is no parameter 'zz'"),
        ({"b": "c"}, "b has 1 entries, but 'c' has 3"),
        ({"c": [1.0, 2.0]}, "value of c has 2 entries"),
        ({"b": np.nan}, "value of b is nan"),
        ({"b": None}, "b=None is not understood"),
        ({"a": 1.0, "b": True, "c": True}, "Every parameter is fixed"),
        (np.array([True]), "fixed has 1 entries, but x0 has 5"),
        (3.5, "fixed=3.5 is not understood"),
        ([None], "None is no name of a parameter"),
    ],
)
def test_what_is_not_understood_is_refused(fixed, message):
    with pytest.raises(UsageError, match=message):
        minimize(banana, X0, fixed=fixed)


# Derivatives ----------------------------------------------------------------------------------------------------------

CHANGES = [["b"], {"b": 7.0, "c": [False, True, False]}, {"b": "2 * a"}, {"c": "1 - a"}, {"c[1]": "c[0]", "c[2]": "-b"}]


@pytest.mark.parametrize("fixed", CHANGES, ids=str)
@pytest.mark.parametrize("size", [1.0, 1e3])
def test_derivatives_in_the_variables_are_those_of_the_composition(fixed, size):
    structure = Structure.of(X0)
    variables, flat = read_fixed([fixed], structure, structure.flatten(X0))
    variables = variables.scaled(size ** np.linspace(-1, 1, variables.size))
    objective = ChangedObjective(Objective(banana, X0), variables)
    z = variables.variables(flat) * 1.1

    def value(z):
        return banana(structure.unflatten(variables.parameters(z)))

    def gradient(z):
        steps = np.diag(1e-6 / variables.scale)
        return np.array([(value(z + h) - value(z - h)) / (2 * h.max()) for h in steps])

    assert objective.value(z) == objective.value_and_grad(z)[0] == pytest.approx(value(z))
    assert np.allclose(objective.grad(z) / variables.scale, gradient(z) / variables.scale, rtol=1e-6, atol=1e-6)
    hessian = objective.hess(z)
    numerical = np.array(
        [(objective.grad(z + h) - objective.grad(z - h)) / (2 * h.max()) for h in np.diag(1e-5 / variables.scale)]
    )
    units = np.outer(variables.scale, variables.scale)
    assert np.allclose(hessian / units, numerical / units, rtol=1e-6, atol=1e-5)
    p = np.linspace(1, 2, z.size)
    assert np.allclose(objective.hessp(z, p), hessian @ p)
    assert np.allclose(objective.hessp(z, np.stack([p, -p], axis=1)), np.stack([hessian @ p, -hessian @ p], axis=1))
    assert np.allclose(objective.hess(z, sparse=True).toarray(), hessian)


@pytest.mark.parametrize("method", SOLVERS)
def test_every_method_leaves_what_is_held(method):
    def inner(p):
        return banana({"a": p[0], "b": 2.0, "c": np.array([p[1], 1 - p[0], p[2]])})

    wanted = minimize(inner, [1.0, 0.5, 1.5], method="newton-cg")
    result = minimize(banana, X0, method=method, fixed={"b": True, "c[1]": "1 - a"})
    assert result.success, result.message
    assert result.x["b"] == 2.0 and result.x["c"][1] == 1 - result.x["a"]
    assert np.allclose([result.x["a"], *result.x["c"][[0, 2]]], wanted.x, atol=1e-7)
    gradient = approx_fprime(result.x_flat, lambda x: banana({"a": x[0], "b": x[1], "c": x[2:]}), 1e-8)
    assert np.allclose(result.jac, gradient, atol=1e-5) and abs(result.jac[1]) > 0.1
    assert result.gradient_norm < 1e-5


def test_the_same_trace_serves_whatever_is_held(monkeypatch):
    calls = []

    def fun(x):
        calls.append(x)
        return (x[0] - 1) ** 2 * (1 + x[1] ** 2) + (x[1] - 2) ** 2

    minimize(fun, [0.0, 1.0], verify="off")
    before = len(calls)
    result = minimize(fun, [0.0, 1.0], fixed=[1], verify="off")
    assert result.timings["trace"] == 0.0 or len(calls) - before <= 2
    assert np.allclose(result.x, [1.0, 1.0])


# What is in the user's parameters -------------------------------------------------------------------------------------


def test_callback_progress_and_message_see_the_users_parameters():
    seen = []
    result = minimize(banana, X0, fixed={"b": 7.0}, callback=lambda p: seen.append(p), method="bfgs", scale={"a": 1e3})
    assert len(seen) == result.nit and all(set(p) == {"a", "b", "c"} and p["b"] == 7.0 for p in seen)
    assert np.allclose(as_vector(seen[-1]), result.x_flat, rtol=1e-6)
    saddle = minimize(lambda p: p["a"] ** 2 - p["b"] ** 2 + p["c"] ** 2, {"a": 0.0, "b": 0.0, "c": 1.0}, fixed=["c"])
    assert not saddle.success and "along b" in saddle.message


def test_direction_in_a_message_is_in_the_users_units():
    def saddle(p):
        return (p["a"] / 1000 - p["b"]) ** 2 - (p["a"] / 1000 + p["b"]) ** 2

    result = minimize(saddle, {"a": 0.0, "b": 0.0}, scale={"a": 1024.0})
    assert not result.success
    assert "a + 0.0009766 * b" in result.message.replace("-a - ", "a + "), result.message


def test_interruption_gives_the_users_parameters():
    def callback(p):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        minimize(banana, X0, fixed={"b": 7.0}, callback=callback)
    assert caught.value.result.x["b"] == 7.0 and caught.value.result.x_flat.shape == (5,)


def test_inverse_hessian_is_in_the_users_parameters():
    def bowl(x):
        return 2 * x[0] ** 2 + 0.5e6 * x[1] ** 2 + (x[2] - x[1]) ** 2

    result = minimize(bowl, [1.0, 1.0, 1.0], method="bfgs", fixed=[2], scale=[1.0, 1e-3, 1.0])
    assert np.allclose(result.hess_inv, np.diag([1 / 4, 1 / (1e6 + 2), 0]), rtol=1e-2, atol=1e-8)
    limited = minimize(bowl, [1.0, 1.0, 1.0], method="l-bfgs-b", fixed=[2], scale=[1.0, 1e-3, 1.0])
    assert limited.hess_inv.shape == (3, 3) and limited.hess_inv @ [0, 0, 1.0] == pytest.approx([0, 0, 0])


# Bounds and constraints -----------------------------------------------------------------------------------------------


def test_bounds_are_those_of_the_parameters():
    result = minimize(banana, X0, fixed={"b": 4.0}, bounds={"a": (None, 1.5)}, scale={"a": 1e-3})
    assert result.success and result.x["a"] == 1.5
    for limit, most in ({"a": (-5, 1.75), "b": (1.0, 4.0)}, 1.75), ({"a": (-5, 1.75), "b": (1.0, 3.0)}, 1.5):
        tied = minimize(banana, X0, fixed={"b": "2 * a"}, bounds=limit)
        assert tied.success and tied.x["a"] == most and tied.x["b"] == 2 * most
    with pytest.raises(UsageError, match=r"starts outside|exclude one another"):
        minimize(banana, X0, fixed={"b": "2 * a"}, bounds={"a": (1.0, 2.0), "b": (-1.0, 1.0)})


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [({"b": (-8.0, -2.0)}, 9.0), ({"b": (None, -2.5)}, 10.0), ({"b": (-20, 4), "a": (0, 8.5)}, 8.5)],
)
def test_limits_of_what_falls_with_another_are_turned_around(limits, wanted):
    start = {"a": 7.0, "b": 0.0} if wanted == 8.5 else {"a": 11.0, "b": 0.0}
    far = minimize(lambda p: (p["a"] - wanted) ** 2 + 0 * p["b"], start, fixed={"b": "5 - a"} | {}, bounds=limits)
    assert far.success and far.x["a"] == pytest.approx(wanted) and far.x["b"] == 5 - far.x["a"]
    past = {(-8.0, -2.0): (7.0, 13.0), (None, -2.5): (7.5, np.inf), (-20, 4): (1.0, 8.5)}[limits["b"]]
    for target, end in ((-50.0, past[0]), (50.0, past[1])):
        result = minimize(lambda p, t=target: (p["a"] - t) ** 2, start, fixed={"b": "5 - a"}, bounds=limits)
        assert result.success and result.x["a"] == pytest.approx(min(end, 50.0))


@pytest.mark.parametrize(
    ("fixed", "message"),
    [({"b": 9.0}, "bounds: b starts outside its limits"), ({"b": "a - 10"}, "bounds: b starts outside its limits")],
)
def test_held_outside_its_limits_is_refused(fixed, message):
    with pytest.raises(UsageError, match=message):
        minimize(banana, X0, fixed=fixed, bounds={"b": (0.0, 5.0)})


CONSTRAINTS = [
    {"type": "ineq", "fun": lambda p: 4.0 - p["a"] ** 2 - p["b"]},
    NonlinearConstraint(lambda p: p["a"] ** 2 + p["b"], -np.inf, 4.0),
]


@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if "constraints" in row.takes])
@pytest.mark.parametrize("constraint", CONSTRAINTS, ids=["dict", "object"])
@pytest.mark.parametrize("scale", [None, {"a": 1e-2, "c": 10.0}], ids=["plain", "scaled"])
def test_constraints_are_functions_of_the_parameters(method, constraint, scale):
    result = minimize(banana, X0, method=method, fixed={"b": 3.0}, constraints=constraint, scale=scale)
    assert result.success, result.message
    assert result.x["a"] == pytest.approx(1.0, abs=1e-7) and result.x["b"] == 3.0


@pytest.mark.parametrize("method", [name for name, row in SOLVERS.items() if "constraints" in row.takes])
def test_linear_constraints_have_what_is_held_on_their_other_side(method):
    matrix = np.array([[1.0, 1.0, 0, 0, 0]])
    result = minimize(
        banana,
        X0,
        method=method,
        fixed={"b": 3.0},
        bounds={"a": (0.0, None)},
        constraints=LinearConstraint(matrix, -np.inf, 3.5),
        scale={"a": 8.0},
    )
    assert result.success, result.message
    assert result.x["a"] == pytest.approx(0.5, abs=1e-7)


# Verification ---------------------------------------------------------------------------------------------------------


def test_what_is_held_where_there_is_no_slope_is_not_asked_for_one():
    def root(x):
        if x[1] != 0.0:
            raise RuntimeError("not at this point")
        return (x[0] - 1) ** 2 + np.sqrt(np.abs(x[1]))

    result = minimize(root, [0.0, 0.0], fixed=[1])
    assert result.success and result.verification.passed
    assert result.x.tolist() == pytest.approx([1.0, 0.0])


def test_constraints_are_not_stepped_away_from_what_is_held_either():
    def ring(x):
        if x[1] != 2.0:
            raise RuntimeError("not at this point")
        return 4.0 - x[0] ** 2 * x[1]

    constraint = {"type": "ineq", "fun": ring}
    result = minimize(lambda x: (x[0] - 3) ** 2 + x[1], [1.0, 2.0], fixed=[1], constraints=constraint, scale=[8.0, 1.0])
    assert result.success and result.x.tolist() == pytest.approx([np.sqrt(2), 2.0])
    wrong = constraint | {"jac": lambda x: np.array([-4.04 * x[0], 0.0])}
    with pytest.raises(
        autoopt.AutooptError, match=r"slope of value \[0\] along x\[0\] is -4.04, but the function has -4"
    ):
        minimize(lambda x: (x[0] - 3) ** 2 + x[1], [1.0, 2.0], fixed=[1], constraints=wrong, scale=[8.0, 1.0])


def test_error_at_the_start_is_that_of_the_objective():
    with pytest.raises(ObjectiveError, match="nan at x0"), np.errstate(invalid="ignore"):
        minimize(lambda x: np.log(x[0]) + x[1] ** 2, [-1.0, 1.0], fixed=[1], scale="auto")


def test_user_derivatives_are_in_the_users_parameters():
    jac = lambda x: np.array([2 * (x[0] - x[1]), -2 * (x[0] - x[1]) + 2 * x[1]])  # noqa: E731
    hess = lambda x: np.array([[2.0, -2.0], [-2.0, 4.0]])  # noqa: E731
    fun = lambda x: (x[0] - x[1]) ** 2 + x[1] ** 2  # noqa: E731
    for method in ("bfgs", "trust-exact"):
        result = minimize(fun, [1.0, 2.0], jac=jac, hess=hess, fixed=[1], method=method, scale=[1e3, 1.0])
        assert result.success and result.x.tolist() == pytest.approx([2.0, 2.0])
    with pytest.raises(autoopt.AutooptError, match="gradient that jac gives is wrong"):
        minimize(fun, [1.0, 2.0], jac=lambda x: 1.01 * jac(x), fixed=[1], scale=[1e3, 1.0])
