"""Covariance, standard errors and intervals against closed forms and statsmodels."""

import numpy as np
import pytest
from scipy.linalg import hilbert
from scipy.stats import norm

from autoopt.errors import InferenceError, UsageError
from autoopt.inference import covariance, standard_errors, wald_intervals


def test_covariance_is_inverse_of_hessian():
    root = np.random.default_rng(0).normal(size=(5, 5))
    hessian = root @ root.T + np.eye(5)
    np.testing.assert_allclose(covariance(hessian) @ hessian, np.eye(5), atol=1e-12)


def test_covariance_is_exactly_symmetric():
    found = covariance(hilbert(6) + np.triu(np.full((6, 6), 1e-14)))
    assert (found == found.T).all()


def test_covariance_keeps_digits_of_badly_scaled_parameters():
    correlation = np.array([[1.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 1.0]])
    units = np.array([1e-12, 1.0, 1e15])
    expected = np.linalg.inv(correlation) * np.outer(units, units)
    np.testing.assert_allclose(covariance(correlation / np.outer(units, units)), expected, rtol=1e-13)


def test_standard_errors_are_roots_of_variances():
    assert standard_errors(np.diag([4.0, 9.0])).tolist() == [2.0, 3.0]


def test_flat_direction_named():
    X = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [3.0, 6.0, 5.0]])
    with pytest.raises(InferenceError) as error:
        covariance(X.T @ X, ["length", "width", "height"])
    assert str(error.value) == (
        "The Hessian is not positive definite at the solution: the objective does not rise along\n"
        "  length - 0.5 * width\n"
        "To fix this: drop or fix one of the parameters in each combination, or add a penalty: the data do not"
        " fix it."
    )


def test_parameter_without_effect_named():
    with pytest.raises(InferenceError, match=r"rise along\n  x\[1\]\n"):
        covariance(np.diag([3.0, 0.0]))


def test_saddle_refused():
    with pytest.raises(InferenceError, match="this is no minimum"):
        covariance(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_hessian_that_is_not_finite_refused():
    with pytest.raises(InferenceError, match=r"first at \(a, b\)\."):
        covariance(np.array([[1.0, np.nan], [np.nan, 1.0]]), ["a", "b"])


@pytest.mark.parametrize("hessian", [np.ones(3), np.ones((2, 3)), 1.0])
def test_hessian_that_is_not_square_refused(hessian):
    with pytest.raises(UsageError, match="pass a square matrix"):
        covariance(hessian)


def test_number_of_names_checked():
    with pytest.raises(UsageError, match="3 names for 2 parameters"):
        covariance(np.eye(2), "abc")


def test_wald_intervals_cover_by_level():
    found = wald_intervals(np.array([1.0, -2.0]), np.array([0.1, 3.0]), level=0.9)
    expected = np.array([norm.interval(0.9, 1.0, 0.1), norm.interval(0.9, -2.0, 3.0)])
    np.testing.assert_allclose(found, expected, rtol=1e-13)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_level_outside_unit_interval_refused(level):
    with pytest.raises(UsageError, match="between 0 and 1"):
        wald_intervals(np.zeros(1), np.ones(1), level)
