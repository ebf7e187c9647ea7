"""Units of the parameters do not matter with `scale="auto"`; sizes that are given are those of the run."""

import numpy as np
import pytest
from scipy.special import expit

from autoopt.errors import UsageError
from autoopt.minimize import minimize
from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.solvers import SOLVERS
from autoopt.variables.functions import ChangedObjective
from autoopt.variables.scales import automatic, diagonal
from autoopt.variables.variables import Variables

UNITS = [1e-6, 1e-3, 1e3, 1e6]


def rosenbrock(x, unit):
    return 100 * (x[1] * unit - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


# dogleg needs Hessians that are positive definite everywhere, cobyla more than 10 000 values in any unit.
@pytest.mark.parametrize("method", [name for name in SOLVERS if name not in ("dogleg", "cobyla")])
@pytest.mark.parametrize("unit", UNITS)
def test_units_of_rosenbrocks_function_do_not_matter(method, unit):
    result = minimize(rosenbrock, [-1.2, 1 / unit], args=(unit,), method=method, scale="auto")
    assert result.success, result.message
    assert np.allclose(result.x * [1, unit], 1, rtol=1e-6)


def logistic_data():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 5))
    y = (rng.uniform(size=300) < expit(X @ [0.5, -1.0, 0.8, 0.0, 0.3])).astype(float)
    return X, y


def logistic(beta, X, y):
    eta = X @ beta
    return np.sum(np.logaddexp(0, eta) - y * eta)


def irls(X, y):
    """Return the maximum of the likelihood by Fisher scoring."""
    beta = np.zeros(X.shape[1])
    for _ in range(30):
        p = expit(X @ beta)
        beta += np.linalg.solve(X.T @ (X * (p * (1 - p))[:, None]), X.T @ (y - p))
    return beta


@pytest.mark.parametrize("method", SOLVERS)
def test_units_of_logistic_columns_do_not_matter(method):
    X, y = logistic_data()
    sizes = 10.0 ** np.array([-8, -4, 0, 4, 8])
    result = minimize(logistic, np.zeros(5), args=(X * sizes, y), method=method, scale="auto")
    assert result.success, result.message
    assert np.allclose(result.x * sizes, irls(X, y), rtol=1e-6, atol=1e-8)


def test_bounds_and_constraints_are_met_in_any_unit():
    for unit in UNITS:
        below = minimize(rosenbrock, [-1.2, 1 / unit], args=(unit,), bounds=[(None, 0.5), (None, None)], scale="auto")
        assert below.success and below.x[0] == 0.5 and below.x[1] * unit == pytest.approx(0.25, rel=1e-7)
        held = {"type": "eq", "fun": lambda x, unit=unit: x[0] - 2 * x[1] * unit}
        for method in ("slsqp", "trust-constr"):
            result = minimize(rosenbrock, [1.0, 1 / unit], (unit,), method, constraints=held, scale="auto")
            assert result.success and result.x[0] == pytest.approx(2 * result.x[1] * unit, rel=1e-7), result.message


# Sizes ----------------------------------------------------------------------------------------------------------------


def sizes_of(f, x0, widths=None):
    objective, x0 = Objective(f, x0), np.asarray(x0, float)
    return automatic(objective, x0, np.full(x0.size, np.inf) if widths is None else np.asarray(widths))


def test_sizes_follow_the_units_exactly():
    plain = sizes_of(lambda x: rosenbrock(x, 1.0), [-1.2, 1.0])
    for unit in UNITS:
        assert np.allclose(sizes_of(lambda x, u=unit: rosenbrock(x, u), [-1.2, 1 / unit]), plain / [1, unit])
    curvature = np.array([1200 * 1.44 - 400 + 2, 200.0])
    assert np.allclose(plain**2 * curvature, (plain**2 * curvature)[0])


def test_the_step_of_newtons_along_the_axes_has_length_one():
    f = lambda x: 3 * (x[0] - 1) ** 2 + 4e6 * (x[1] - 1e-3) ** 2  # noqa: E731
    assert np.linalg.norm(np.array([1.0, 1e-3]) / sizes_of(f, [0.0, 0.0])) == pytest.approx(1.0)


def test_a_constant_beside_the_objective_changes_no_size():
    f = lambda x, c: 3 * (x[0] - 1) ** 2 + 4e6 * (x[1] - 1e-3) ** 2 + c  # noqa: E731
    assert np.allclose(sizes_of(lambda x: f(x, 0.0), [0.0, 0.0]), sizes_of(lambda x: f(x, 1e12), [0.0, 0.0]), rtol=1e-3)


def test_where_there_is_no_curvature_the_slope_says_it_and_else_the_others():
    sizes = sizes_of(lambda x: (x[0] - 2) ** 2 + 1e3 * x[1] + 0 * x[2] + np.exp(0.0 * x[3]), [0.0, 0.0, 0.0, 7.0])
    assert sizes[0] == pytest.approx(2.0)  # F is 4, the fall to x[0] = 2
    assert sizes[1] == pytest.approx(8e-3) and sizes[3] == 7.0
    assert sizes[2] == np.median(sizes[[0, 1, 3]])


def test_no_size_is_above_what_the_limits_leave():
    assert sizes_of(lambda x: x @ x, [1.0, 2.0], [0.5, np.inf])[0] == 0.5


def test_diagonal_of_a_large_hessian_is_found_by_products():
    n, rng = 600, np.random.default_rng(0)
    size = 10.0 ** rng.uniform(-8, 8, n)
    A = rng.normal(size=(60, n)) * size / 8
    f = lambda x: np.sum((A @ x) ** 2) / 2 + np.sum((size * x) ** 2) / 2  # noqa: E731
    found = diagonal(Objective(f, np.zeros(n)), np.zeros(n))
    ratio = found / (size**2 + np.sum(A**2, axis=0))
    assert np.all((ratio > 0.1) & (ratio < 10))


@pytest.mark.parametrize(
    ("scale", "wanted"),
    [
        (8.0, [8, 8, 8]),
        ({"a": 0.5, "c": [2.0, 4.0]}, [0.5, 2, 4]),
        ({"c[1]": 1024}, [1, 1, 1024]),
        ([0.25, 1.0, 16.0], [0.25, 1, 16]),
        ({"a": 1.0, "c": np.array([2.0, 4.0])}, [1, 2, 4]),
        ({"c": 3.1}, [1, 4, 4]),
    ],
)
def test_sizes_that_are_given_are_powers_of_two_near_by(scale, wanted):
    from autoopt.variables.scales import scaled
    from autoopt.variables.start import Start

    variables = scaled(Start.of({"a": 1.0, "c": np.zeros(2)}), scale, None, None)
    assert variables.scale.tolist() == wanted


@pytest.mark.parametrize("scale", [1.0, None, False, {"a": 1.0}])
def test_sizes_of_one_change_nothing(scale):
    from autoopt.variables.scales import scaled
    from autoopt.variables.start import Start

    assert scaled(Start.of({"a": 1.0}), scale, None, None) is None


@pytest.mark.parametrize(
    ("scale", "message"),
    [
        ("automatic", "scale='automatic' is not understood"),
        ([1.0, 2.0, 3.0], "expected shape|does not fit"),
        ([1.0, -2.0], r"scale: the size of x\[1\] is -2"),
        (0.0, "is 0"),
        ({"x[7]": 1.0}, "scale: there is no parameter 'x"),
        (object(), "does not fit x0"),
    ],
)
def test_sizes_that_are_none_are_refused(scale, message):
    with pytest.raises(UsageError, match=message):
        minimize(lambda x: x @ x, [1.0, 2.0], scale=scale)


def test_options_of_the_method_are_meant_in_the_sizes():
    f = lambda x: (x[0] * 1024 - 1) ** 2 + (x[1] - 1) ** 2  # noqa: E731
    result = minimize(f, [0.0, 0.0], method="trust-exact", scale=[1 / 1024, 1.0], options={"gtol": 1e-3})
    plain = minimize(lambda x: f(x / [1024, 1]), [0.0, 0.0], method="trust-exact", options={"gtol": 1e-3})
    assert (result.nit, result.fun) == (plain.nit, plain.fun) and result.gradient_norm == plain.gradient_norm


def test_structure_of_the_variables_is_by_name():
    variables = Variables.free(["a", "beta[0]"]).scaled(np.array([2.0, 4.0]))
    changed = ChangedObjective(Objective(lambda x: x @ x, [1.0, 1.0]), variables)
    assert changed.structure.names == ["a", "beta[0]"] and isinstance(changed.structure, Structure)
