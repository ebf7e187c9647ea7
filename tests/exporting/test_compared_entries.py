"""Entries of modules of derivatives, each compared beside its own rounding: nothing large hides what is wrong."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from autoopt.exporting.comparison import compare

X = np.random.default_rng(0).normal(size=(60, 3))
Y = np.random.default_rng(1).poisson(2.0, size=60).astype(float)
START = np.array([0.5, 0.3])


def scaled(p, s):
    return s[0] * (np.exp(p[0]) - p[0]) + s[1] * (np.exp(p[1]) - 2 * p[1]) + s[2]


def handed(slope: float = 2.0, bend: float = 1.0, of_value: float = 1.0) -> dict:
    """The derivatives of `scaled`, right as it is called without numbers."""

    def grad(p, s):
        return np.array([s[0] * (np.exp(p[0]) - 1), s[1] * (np.exp(p[1]) - slope)])

    def hess(p, s):
        return np.diag([s[0] * np.exp(p[0]), bend * s[1] * np.exp(p[1])])

    return {
        "value_and_grad": lambda p, s: (of_value * scaled(p, s), grad(p, s)),
        "grad": grad,
        "hess": hess,
        "hvp": lambda p, d, s: hess(p, s) @ d,
    }


SCALES = {
    "even": [1.0, 1.0, 0.0],
    "constant": [1.0, 1.0, 1e10],
    "steep 1e7": [1e7, 1.0, 0.0],
    "steep 1e9": [1e9, 1.0, 0.0],
    "flat": [1.0, 1e-8, 0.0],
}


@pytest.mark.parametrize("scale", SCALES)
def test_nothing_large_hides_an_entry_that_is_wrong(scale) -> None:
    args = (np.array(SCALES[scale]),)
    right = compare(scaled, START, args, handed())
    assert right and min(right.digits.values()) > 12, str(right)
    wrong = compare(scaled, START, args, handed(slope=3.0))
    assert {one.function for one in wrong.differences} == {"value_and_grad", "grad"}
    assert "by x[1]" in wrong.differences[0].what and wrong.differences[0].point == "x0"
    wrong = compare(scaled, START, args, handed(bend=1.001))
    assert {one.function for one in wrong.differences} == {"hess", "hvp"}, str(wrong)
    wrong = compare(scaled, START, args, handed(of_value=1 + 1e-6))
    assert [one.function for one in wrong.differences] == ["value_and_grad"]
    assert "the value is" in wrong.differences[0].what


def test_products_are_compared_in_a_direction_that_moves_all() -> None:
    hess = lambda p: np.diag([2.0, 2.0 + 1e-3, 2.0, 2.0])  # noqa: E731
    module = {"value_and_grad": lambda p: (p @ p, 2 * p), "hvp": lambda p, d: hess(p) @ d}
    found = compare(lambda p: p @ p, np.ones(4), (), module)
    assert [one.function for one in found.differences] == ["hvp"] and "x[1]" in str(found)


def negative_binomial(p, X, y):
    mu, k = np.exp(X @ p[:3]), np.exp(p[3])
    return np.sum((y + k) * np.log(k + mu) - y * (X @ p[:3]) - k * np.log(k)) + p @ p


def slopes_of_negative_binomial(p, X, y):
    mu, k = np.exp(X @ p[:3]), np.exp(p[3])
    a = (y + k) / (k + mu)
    by_k = k * np.sum(np.log(k + mu) + a - np.log(k) - 1)
    return np.concatenate([X.T @ (a * mu - y), [by_k]]) + 2 * p


def softplus(w, X, y):
    z = X @ w
    return np.sum(np.log(1 + np.exp(z)) - (y > 1) * z)


def slopes_of_softplus(w, X, y):
    e = np.exp(X @ w)
    return X.T @ (e / (1 + e) - (y > 1))


def complement(w, X, y):
    q = 1 / (1 + np.exp(-X @ w))
    return -np.sum(np.where(y > 1, np.log(q + 1e-12), np.log(1 - q + 1e-12)))


def slopes_of_complement(w, X, y):
    q = 1 / (1 + np.exp(-X @ w))
    return X.T @ (q * (1 - q) * np.where(y > 1, -1 / (q + 1e-12), 1 / (1 - q + 1e-12)))


def lasso(w, X, y):
    r = X @ w - y
    return r @ r / 2 + 3 * np.sum(np.abs(w)) + np.sum(np.maximum(w, 0.0))


def slopes_of_lasso(w, X, y):
    return X.T @ (X @ w - y) + 3 * np.where(w >= 0, 1.0, -1.0) + (w >= 0)


RIGHT = {
    "negative binomial": (negative_binomial, slopes_of_negative_binomial, np.array([0.1, 0.2, 0.3, 0.4])),
    "softplus as written": (softplus, slopes_of_softplus, np.array([0.1, 0.2, 0.3])),
    "probabilities from 1": (complement, slopes_of_complement, np.array([0.1, 0.2, 0.3])),
    "a side of each kink": (lasso, slopes_of_lasso, np.array([0.1, 0.2, 0.3])),
    "least squares at its end": (
        lambda w, X, y: np.sum((X @ w - X @ np.ones(3)) ** 2) + 1e8,
        lambda w, X, y: 2 * (X.T @ X @ w - X.T @ (X @ np.ones(3))),
        np.ones(3),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_formulas_written_as_objectives_are_raise_no_alarm(name) -> None:
    """Where the objective itself is not finite nothing is wrong; and no warning of NumPy's gets out."""
    f, grad, x0 = RIGHT[name]
    module = {"value_and_grad": lambda p, X, y: (f(p, X, y), grad(p, X, y)), "grad": grad}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare(f, x0, (X, Y), module)
    assert found, str(found)
    if name in ("negative binomial", "softplus as written"):
        assert "extreme" in found.skipped and min(found.digits.values()) > 9, str(found)


def test_what_is_not_a_number_where_the_objective_is_one_is_wrong() -> None:
    module = {"grad": lambda w, X, y: slopes_of_softplus(w, X, y)}
    found = compare(lambda w, X, y: np.sum(np.logaddexp(0, X @ w) - (y > 1) * (X @ w)), np.full(3, 0.1), (X, Y), module)
    assert not found and found.differences[0].point == "extreme" and "is nan" in found.differences[0].what
