"""Objectives that reach -inf: the result is the best finite point, and the message says where."""

import numpy as np
import pytest

import autoopt


@pytest.mark.parametrize("method", [None, "bfgs", "l-bfgs-b", "nelder-mead", "newton-cg", "trust-exact", "powell"])
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.log(x[0]) + x[1] ** 2,
        lambda x: -np.exp(x[0]) + x[1] ** 2,
        lambda x: np.log(np.abs(x[0] - 2)) + (x[1] - 1) ** 2,
        lambda x: -1 / x[0] ** 2 + x[1] ** 2,
    ],
)
def test_best_finite_point_is_kept(f, method):
    x0 = np.array([1.0, 0.5])
    result = autoopt.minimize(f, x0, method=method)
    assert not result.success and np.isfinite(result.fun) and np.isfinite(result.x).all()
    assert result.fun <= f(x0) and result.fun == pytest.approx(f(result.x), rel=1e-12)
    assert ". the " not in result.message, result.message


def test_message_says_where_it_is_minus_infinity_and_by_which_operation():
    result = autoopt.minimize(lambda x: np.log(x[0]) + x[1] ** 2, [1.0, 0.5])
    assert result.message.startswith("Not converged: the objective reaches -inf, at x[0] = 0, x[1] = ")
    assert "Why: The objective reaches -inf: np.log of 0 is -inf" in result.message
    assert "no value" not in result.message


def test_bounded_logarithm_is_not_touched_by_it():
    result = autoopt.minimize(lambda x: np.log(x[0]) + x[1] ** 2, [1.0, 0.5], bounds=[(0.1, 2), (None, None)])
    assert result.success and result.x == pytest.approx([0.1, 0.0], abs=1e-8)
