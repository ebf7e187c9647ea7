"""Formulas and constants that users register."""

import math

import numpy as np
import pytest

import autoopt
from autoopt.errors import TracingError, UsageError
from autoopt.tracing.instrument import extension


@pytest.fixture(autouse=True)
def _restored(monkeypatch):
    monkeypatch.setattr(extension, "USER_FORMULAS", dict(extension.USER_FORMULAS))
    monkeypatch.setattr(extension, "CONSTANTS", set(extension.CONSTANTS))


def compiled_cube(x):
    """Stands for a compiled function: refuses what is no plain float."""
    return float.__pow__(x, 3.0)


def test_formula_is_differentiated_in_place_of_the_function():
    autoopt.formula(compiled_cube)(lambda x: x**3)
    gradient = autoopt.grad(lambda x: compiled_cube(x[0]) + 2 * x[1])(np.array([2.0, 1.0]))
    np.testing.assert_allclose(gradient, [12.0, 2.0])


def test_function_stays_what_it_is_outside_of_autoopt():
    autoopt.formula(compiled_cube)(lambda x: x**3)
    assert compiled_cube(2.0) == 8.0


def test_formula_of_a_numpy_function():
    autoopt.formula(np.linalg.lstsq)(lambda a, b, rcond=None: (np.linalg.solve(a.T @ a, a.T @ b), None, None, None))
    X = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])

    def objective(y):
        return np.sum(np.linalg.lstsq(X, y, rcond=None)[0] ** 2)

    y = np.array([1.0, 2.0, 4.0])
    hat = np.linalg.pinv(X)
    np.testing.assert_allclose(autoopt.grad(objective)(y), 2 * hat.T @ hat @ y, rtol=1e-12)


def test_constant_function_gets_plain_numbers():
    seen = []

    @autoopt.constant
    def table(data):
        seen.append(type(data))
        return np.sort(data)

    found = autoopt.grad(lambda x, data: x @ table(data))(np.ones(2), np.array([3.0, 1.0]))
    np.testing.assert_allclose(found, [1.0, 3.0])
    assert seen == [np.ndarray]


def test_changed_data_of_a_constant_function_are_seen():
    table = autoopt.constant(lambda data: math.fsum(data))
    evaluate = autoopt.grad(lambda x, data: x[0] * table(data))
    assert evaluate(np.ones(1), np.array([1.0, 2.0]))[0] == 3.0
    assert evaluate(np.ones(1), np.array([2.0, 2.0]))[0] == 4.0


def test_constant_function_of_the_parameters_is_refused():
    table = autoopt.constant(compiled_cube)
    with pytest.raises(TracingError, match="compiled_cube is marked as constant"):
        autoopt.grad(lambda x: table(x[0]))(np.ones(1))


@pytest.mark.parametrize("register", [autoopt.formula, autoopt.constant])
def test_what_is_no_function_is_refused(register):
    with pytest.raises(UsageError, match="not a function"):
        register([1, 2])


def test_the_last_value_of_an_interactive_session_is_no_obstacle(monkeypatch):
    monkeypatch.setattr("builtins._", np.arange(3.0), raising=False)
    assert autoopt.grad(lambda x: x[0] ** 2)(np.array([3.0]))[0] == 6.0


def test_copy_of_data_may_be_written_into():
    def objective(w, X):
        X = X.copy()
        X[:, 1] = X[:, 1] - X[:, 1].mean()
        return np.sum((X @ w) ** 2)

    X = np.array([[1.0, 2.0], [1.0, 4.0]])
    kept = X.copy()
    np.testing.assert_allclose(autoopt.grad(objective)(np.ones(2), X), [4.0, 4.0])
    np.testing.assert_array_equal(X, kept)


def test_earlier_name_says_what_it_has_become():
    with pytest.warns(DeprecationWarning, match=r"autoopt\.rule is called autoopt\.formula now"):
        assert autoopt.rule is autoopt.formula
