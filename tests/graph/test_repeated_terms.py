"""What derivatives would add to themselves is doubled, and rows stay free where the start is a kink."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autoopt
from autoopt.objectives.objective import printed

RNG = np.random.default_rng(8)
X, Y = RNG.normal(size=(30, 3)), RNG.normal(size=30)

WRITTEN = {
    "at": lambda r: r @ r,
    "dot": lambda r: r.dot(r),
    "np.dot": lambda r: np.dot(r, r),
    "inner": lambda r: np.inner(r, r),
    "norm": lambda r: np.linalg.norm(r) ** 2,
    "T": lambda r: r.T @ r,
    "sum": lambda r: (r * r).sum(),
}


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("w", [np.zeros(3), np.array([0.3, -0.2, 800.0])], ids=["zeros", "large"])
def test_derivatives_are_those_of_the_closed_form(name, w) -> None:
    def f(w, X, y):
        return WRITTEN[name](y - X @ w) / (2 * len(y)) + 0.25 * WRITTEN[name](w)

    objective = autoopt.objective(f, np.zeros(3), X, Y)
    value, gradient = objective.value_and_grad(w)
    np.testing.assert_allclose(value, np.sum((Y - X @ w) ** 2) / 60 + 0.25 * np.sum(w**2), rtol=1e-13)
    np.testing.assert_allclose(gradient, X.T @ (X @ w - Y) / 30 + 0.5 * w, rtol=1e-12)
    np.testing.assert_allclose(objective.hess(w), X.T @ X / 30 + 0.5 * np.eye(3), rtol=1e-12)


def test_nothing_is_added_to_itself() -> None:
    text = printed(lambda w, X, y: (y - X @ w) @ (y - X @ w) / len(y), np.zeros(3), (X, Y))
    assert "r @ r" in text or "difference @ difference" in text
    assert "product + product" not in text.replace("2", "")


def test_a_number_on_a_diagonal_is_written_as_one() -> None:
    def f(w, X, y, lam):
        return np.sum((y - X @ w) ** 2) + lam * w @ w

    text = printed(f, np.zeros(3), (X, Y, 0.5), "hessian")
    assert re.search(r"hessian\[i, i\] \+= 2.0 \* (lam|np.float64\(lam\))\n", text)
    assert "np.full" not in text


@pytest.mark.parametrize("start", [np.zeros(3), np.ones(3)], ids=["kink", "beside"])
def test_a_start_at_a_kink_leaves_rows_free(start) -> None:
    """At zeros a norm has no derivative of its own, so that nothing can be tried there; its square has."""

    def f(w, X, y):
        return np.mean((y - X @ w) ** 2) + np.linalg.norm(w) ** 2

    text = autoopt.source(f, start, (X, Y), "hessian")
    assert "was written for" not in text
    assert "1 / n" in text or "2 / n" in text


def test_a_number_on_a_diagonal_of_one_entry_is_no_matrix() -> None:
    """The product of four parameters, as in problem 71 of Hock and Schittkowski, has blocks of one entry everywhere."""
    x = np.array([1.0, 5.0, 3.0, 2.0])
    objective = autoopt.objective(lambda x, scale: scale * np.prod(x) + x @ x, x, 0.5)
    rest = np.array([[np.prod(np.delete(x, [i, j])) if i != j else 4.0 for j in range(4)] for i in range(4)])
    np.testing.assert_allclose(objective.hess(x), 0.5 * rest, rtol=1e-12)
    products = autoopt.objective(lambda x, scale: scale * x[0] * x[1] * x[2] * x[3] + x @ x, x, 0.5)
    np.testing.assert_allclose(products.hess(x), 0.5 * rest, rtol=1e-12)
