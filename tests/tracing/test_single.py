"""Single precision: followed in double, said once, and compared within the rounding of float32."""

from __future__ import annotations

import numpy as np
import pytest

import autoopt
from autoopt.errors import SinglePrecisionWarning, TracingError

X = np.array([1.1, 0.55])
D = np.linspace(0.1, 1.0, 5).astype(np.float32)


def _filled(x):
    B = np.empty(2, dtype=np.float32)
    B[:] = x
    return np.sum(B**2)


def _like(x):
    B = np.zeros_like(D[:2])
    B[:] = x
    return np.sum(B**2)


MADE = {
    "empty": _filled,
    "zeros_like": _like,
    "full": lambda x: np.sum((np.full(2, 0.0, np.float32) + x) ** 2),
    "astype": lambda x: np.sum(x.astype(np.float32) ** 2),
    "array": lambda x: np.sum(np.array([x[0], x[1]], dtype=np.float32) ** 2),
    "asarray": lambda x: np.sum(np.asarray(x, dtype="float32") ** 2),
    "scalar": lambda x: np.float32(x[0]) ** 2 + x[1] ** 2,
    "eye": lambda x: np.sum((np.eye(2, dtype="f4") @ x) ** 2),
}


@pytest.mark.parametrize("f", MADE.values(), ids=MADE)
def test_arrays_of_single_precision_are_followed_in_double(f) -> None:
    with pytest.warns(SinglePrecisionWarning, match=r"float32[\s\S]*test_single.py") as caught:
        objective = autoopt.objective(f, X)
        value, gradient = objective.value_and_grad(X)
    assert len(caught) == 1
    np.testing.assert_allclose(value, f(X), rtol=1e-6)
    np.testing.assert_allclose(gradient, 2 * X, rtol=1e-12)
    np.testing.assert_allclose(objective.hessp(X, X), 2 * X, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::autoopt.errors.SinglePrecisionWarning")
def test_the_check_is_within_single_precision() -> None:
    assert autoopt.minimize(lambda x: np.sum((x.astype(np.float32) - D[:2]) ** 2), X).success


def test_data_of_single_precision_need_no_word() -> None:
    value, gradient = autoopt.value_and_grad(lambda x: np.sum((D * x[0] - x[1]) ** 2))(X)
    residual = D * X[0] - X[1]
    np.testing.assert_allclose(value, np.sum(residual**2), rtol=1e-12)
    np.testing.assert_allclose(gradient, [2 * np.sum(residual * D), -2 * np.sum(residual)], rtol=1e-12)


def test_half_precision_is_refused() -> None:
    with pytest.raises(TracingError, match="float16"):
        autoopt.grad(lambda x: np.sum(x.astype(np.float16)))(X)
