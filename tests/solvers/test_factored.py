"""Newton's method on a sparse factorisation: few steps where conjugate gradients take many."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csc_array

from autoopt import minimize
from autoopt.errors import UsageError
from autoopt.solvers.factored import _newton_step, _solved

RNG = np.random.default_rng(0)


def test_smoother_with_a_large_penalty_takes_few_factorisations():
    """Condition 1e7: Newton-CG takes tens of thousands of products here."""
    y = np.sin(np.linspace(0, 9, 600)) + RNG.normal(size=600)

    def loss(x):
        return np.sum(np.logaddexp(0, x - y) + np.logaddexp(0, y - x)) + 1e6 * np.sum(np.diff(x, 2) ** 2)

    result = minimize(loss, np.zeros(600), method="newton-sparse")
    assert result.success and result.nit < 10 and result.gradient_norm < 1e-7
    assert result.nhev - result.nhvp < 20 and result.nhvp < 60  # products are the certificate's


@pytest.mark.slow
def test_full_hessian_of_many_parameters_is_refused():
    X = RNG.normal(size=(3, 2500))
    with pytest.raises(UsageError, match="The Hessian of 2500 parameters is not sparse"):
        minimize(lambda x: np.sum(np.cosh(X @ x)) + 0.1 * np.sum(x) ** 2, np.full(2500, 0.01), method="newton-sparse")


@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_step_goes_down_whatever_the_signs_of_the_curvature(size):
    for trial in range(10):
        half = RNG.normal(size=(size, size)) * (RNG.random((size, size)) < 0.3)
        hessian, gradient = half + half.T, RNG.normal(size=size)
        step, shift = _newton_step(csc_array(hessian), gradient, 0.1 * trial)
        assert step @ gradient < 0
        if np.linalg.eigvalsh(hessian)[0] > 1e-8:
            assert shift == 0 and np.allclose(hessian @ step, -gradient)


@pytest.mark.parametrize("size", [1, 3, 30])
def test_factorisation_knows_what_is_positive_definite(size):
    for _ in range(20):
        half = RNG.normal(size=(size, size)) * (RNG.random((size, size)) < 0.4)
        matrix = half + half.T + RNG.uniform(0, 3) * np.eye(size)
        lowest = np.linalg.eigvalsh(matrix)[0]
        if abs(lowest) > 1e-9:
            assert (_solved(csc_array(matrix), np.ones(size)) is not None) == (lowest > 0)


def test_saddle_is_left_along_negative_curvature():
    result = minimize(
        lambda x: np.sum((x**2 - 1) ** 2) + 0.1 * np.sum(np.diff(x) ** 2), np.full(150, 0.1), method="newton-sparse"
    )
    assert result.success and result.fun == pytest.approx(0, abs=1e-12)
