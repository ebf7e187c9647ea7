"""`fit` of functions from Python: each kind of objective, against closed forms."""

import math

import numpy as np
import pytest

import autoopt
from autoopt.errors import ModelError, UsageError
from autoopt.fitting.kinds import KINDS

RNG = np.random.default_rng(3)
X = np.column_stack([np.ones(40), RNG.normal(size=(40, 2))])
Y = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.normal(size=40)
WEIGHTS = RNG.uniform(0.5, 2.0, size=40)


def residuals(b, X, y):
    return y - X @ b


def normal_terms(p, X, y):
    return 0.5 * ((y - X @ p["b"]) / np.exp(p["s"])) ** 2 + p["s"] + 0.5 * np.log(2 * np.pi)


def ordinary(weights=None):
    """Return estimates, standard errors and log-likelihood of least squares, by linear algebra."""
    w = np.ones(len(Y)) if weights is None else weights
    cov = np.linalg.inv(X.T @ (X * w[:, None]))
    b = cov @ X.T @ (w * Y)
    rss = w @ (Y - X @ b) ** 2
    errors = np.sqrt(np.diag(cov) * rss / (len(Y) - 3))
    return b, errors, -len(Y) / 2 * (np.log(2 * np.pi * rss / len(Y)) + 1)


OBJECTIVES = {
    "residuals": residuals,
    "their sum of squares": lambda b, X, y: np.sum((y - X @ b) ** 2),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_least_squares(name):
    b, errors, llf = ordinary()
    found = autoopt.fit(OBJECTIVES[name], np.zeros(3), (X, Y), kind="least squares")
    np.testing.assert_allclose(found.params, b, rtol=1e-9)
    np.testing.assert_allclose(found.bse, errors, rtol=1e-8)
    assert found.llf == pytest.approx(llf, rel=1e-12) and found.nobs == 40 and found.status == "converged"
    assert found.aic == pytest.approx(6 - 2 * llf) and found.bic == pytest.approx(3 * np.log(40) - 2 * llf)


def test_weighted_least_squares():
    b, errors, _ = ordinary(WEIGHTS)
    found = autoopt.fit(residuals, np.zeros(3), (X, Y), kind="least squares", weights=WEIGHTS)
    np.testing.assert_allclose(found.params, b, rtol=1e-9)
    np.testing.assert_allclose(found.bse, errors, rtol=1e-8)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("summed", [True, False])
def test_likelihoods(sign, summed):
    def objective(p, X, y):
        return sign * (np.sum(normal_terms(p, X, y)) if summed else normal_terms(p, X, y))

    kind = "negative log-likelihood" if sign == 1 else "log-likelihood"
    found = autoopt.fit(objective, {"b": np.zeros(3), "s": 0.0}, (X, Y), kind=kind)
    b, errors, llf = ordinary()
    np.testing.assert_allclose(found.params[:3], b, rtol=1e-7)
    np.testing.assert_allclose(found.bse[:3], errors * np.sqrt(37 / 40), rtol=1e-6)
    assert found.llf == pytest.approx(llf, rel=1e-10) and found.nobs == 40 and found.names[3] == "s"


def test_weights_of_terms_count_rows():
    counts = np.arange(40) % 3
    found = autoopt.fit(
        normal_terms, {"b": np.zeros(3), "s": 0.0}, (X, Y), kind="negative log-likelihood", weights=counts
    )
    again = autoopt.fit(
        normal_terms, {"b": np.zeros(3), "s": 0.0}, (np.repeat(X, counts, 0), np.repeat(Y, counts)),
        kind="negative log-likelihood",
    )  # fmt: skip
    np.testing.assert_allclose(found.params, again.params, rtol=1e-7)
    np.testing.assert_allclose(found.bse, again.bse, rtol=1e-6)


@pytest.mark.parametrize("kind", [None, "minimise"])
def test_nothing_is_inferred_of_other_objectives(kind):
    found = autoopt.fit(OBJECTIVES["their sum of squares"], np.zeros(3), (X, Y), kind=kind)
    assert found.covariance is None and np.isnan(found.llf) and np.isnan(found.bse).all()


def test_classes_and_attributes_of_the_call():
    class Growth:
        kind = "least squares"
        names = ("a", "b", "c")
        x0 = np.zeros(3)
        data = (X, Y)

        def objective(self, b, X, y):
            return y - X @ b

    found = autoopt.fit(Growth)
    assert found.names == ("a", "b", "c") and found.source == "Growth"
    other = autoopt.fit(Growth, np.ones(3), names=["p", "q", "r"], fixed={"r": 0.5})
    assert other.names == ("p", "q", "r") and np.isnan(other.bse[2]) and other.params[2] == 0.5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"x0": None}, "no start"),
        ({"x0": "data.csv"}, "pass the data third"),
        ({"kind": "nll"}, "kind is 'nll'"),
        ({"kind": "least squares", "weights": np.ones(3)}, r"weights has shape \(3,\)"),
        ({"kind": "least squares", "weights": -WEIGHTS}, "negative entries"),
        ({"kind": "minimise"}, "not a scalar"),
    ],
)
def test_calls_that_are_not_understood(call, said):
    with pytest.raises((UsageError, ModelError), match=said):
        autoopt.fit(residuals, **({"x0": np.zeros(3)} | call), data=(X, Y))


def test_every_kind_says_what_it_is():
    assert all(kind.description and not kind.description.endswith(".") for kind in KINDS.values())


@pytest.mark.parametrize("kind", ["log-likelihood", "negative log-likelihood", "least squares"])
def test_functions_that_return_arrays_are_followed_into(kind):
    """What NumPy's protocols do not reach, math and writing into arrays, is followed behind every kind of objective."""
    sign = 1.0 if kind == "log-likelihood" else -1.0

    def by_loop(p, y):
        terms = np.zeros(len(y))
        for i in range(len(y)):
            terms[i] = sign * (-p[1] - 0.5 * ((y[i] - p[0]) / math.exp(p[1])) ** 2)
        return terms if kind != "least squares" else y - math.exp(p[0])

    fitted = autoopt.fit(by_loop, [0.0, 0.0], (np.array([1.0, 2.0, 3.0]),), kind=kind)
    expected = [np.log(2.0), 0.0] if kind == "least squares" else [2.0, np.log(np.sqrt(2 / 3))]
    np.testing.assert_allclose(fitted.params, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    ("shapes", "rows"), [(((6, 2, 2),), None), (((6, 2), (6,)), 6), (((6,), (6,)), 6), (((6,), (5,)), None), ((), None)]
)
def test_observations_of_a_sum_are_the_length_of_its_vectors(shapes, rows):
    def objective(p, *data):
        return (p - 1.0) ** 2 + sum(np.sum((p - one) ** 2) for one in data)

    found = autoopt.fit(objective, 0.0, tuple(np.ones(shape) for shape in shapes), kind="negative log-likelihood")
    assert found.nobs == rows and np.isnan(found.bic) == (rows is None)
