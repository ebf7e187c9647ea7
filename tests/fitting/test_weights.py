"""Weights of rows, of terms and of sums that are recognised as such: against rows repeated and statsmodels."""

import copy
import pickle

import numpy as np
import pytest
import statsmodels.api as sm

import autoopt
from autoopt.errors import TracingError, UsageError

RNG = np.random.default_rng(3)
X = np.column_stack([np.ones(60), RNG.normal(size=(60, 2))])
CHOICES = (RNG.random(60) < 1 / (1 + np.exp(-(X @ [0.3, 1.0, -0.5])))).astype(float)
Y = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.normal(size=60)
TIMES = RNG.integers(0, 4, 60)
SHARES = RNG.uniform(0.5, 2.0, 60)
GROUPS = np.arange(60) // 5
NLL = "negative log-likelihood"


def logit(b, X, y):
    eta = X @ b
    return np.logaddexp(0, eta) - y * eta


def logit_sum(b, X, y):
    eta = X @ b
    return np.sum(np.logaddexp(0, eta)) - y @ eta


def logit_loop(b, X, y):
    total = 0.0
    for row, one in zip(X, y, strict=True):
        total += np.log1p(np.exp(row @ b)) - one * (row @ b)
    return total


def normal(p, X, y):
    r = y - X @ p["b"]
    return np.log(p["s"]) + 0.5 * (r / p["s"]) ** 2 + 0.5 * np.log(2 * np.pi)


def normal_sum(p, X, y):
    n = len(y)
    return -(n * np.log(p["s"]) + 0.5 * np.sum((y - X @ p["b"]) ** 2) / p["s"] ** 2 + n / 2 * np.log(2 * np.pi))


def squares(b, X, y):
    return np.sum((y - X @ b) ** 2)


SUMS = {
    "a difference of sums": (logit_sum, logit, np.zeros(3), CHOICES, NLL),
    "a loop": (logit_loop, logit, np.zeros(3), CHOICES, NLL),
    "n log s": (normal_sum, normal, {"b": np.zeros(3), "s": 1.0}, Y, "log-likelihood"),
}


def errors(covariance):
    return np.sqrt(np.diag(covariance))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", SUMS)
def test_weighted_sums_are_those_of_rows_repeated(name):
    total, terms, x0, y, kind = SUMS[name]
    found = autoopt.fit(total, x0, (X, y), kind=kind, weights=TIMES)
    by_terms = autoopt.fit(terms, x0, (X, y), kind=NLL, weights=TIMES)
    again = autoopt.fit(terms, x0, (np.repeat(X, TIMES, 0), np.repeat(y, TIMES)), kind=NLL)
    groups = np.repeat(GROUPS, TIMES)
    for one in (found, by_terms):
        np.testing.assert_allclose(one.params, again.params, rtol=1e-7)
        np.testing.assert_allclose([one.llf, one.aic, one.bic], [again.llf, again.aic, again.bic], rtol=1e-10)
        for covariance in ("observed", "opg", "robust", "HC1"):
            np.testing.assert_allclose(
                errors(one.cov_params(covariance)), errors(again.cov_params(covariance)), rtol=1e-6
            )
        clustered = errors(one.cov_params("cluster", GROUPS)), errors(again.cov_params("cluster", groups))
        np.testing.assert_allclose(*clustered, rtol=1e-6)
        assert one.nobs == 60 and one.wnobs == again.nobs == TIMES.sum()
    assert found.to_dict()["wnobs"] == TIMES.sum()
    assert found.result.verification.passed and f"sum of weights  {TIMES.sum()}" in found.summary()


def test_frequencies_are_those_of_statsmodels():
    theirs = sm.GLM(CHOICES, X, sm.families.Binomial(), freq_weights=SHARES)
    found = autoopt.fit(logit_sum, np.zeros(3), (X, CHOICES), kind=NLL, weights=SHARES)
    expected = theirs.fit(tol=1e-14)
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-8)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-8)
    np.testing.assert_allclose([found.llf, found.bic], [expected.llf, expected.bic_llf], rtol=1e-10)
    robust = theirs.fit(tol=1e-14, cov_type="HC0")
    np.testing.assert_allclose(errors(found.cov_params("robust")), robust.bse, rtol=1e-7)
    half = 1 / (1 + np.exp(-X @ found.params))
    scores = (SHARES * (half - CHOICES))[:, None] * X
    inverse = np.linalg.inv(X.T @ ((SHARES * half * (1 - half))[:, None] * X))
    drawn = inverse @ scores.T @ scores @ inverse * 60 / 59 * (SHARES.sum() - 1) / (SHARES.sum() - 3)
    np.testing.assert_allclose(found.cov_params("cluster", np.arange(60)), drawn, rtol=1e-6)


def test_weighted_sums_of_squares_are_those_of_wls():
    found = autoopt.fit(squares, np.zeros(3), (X, Y), kind="least squares", weights=SHARES)
    residuals = autoopt.fit(lambda b, X, y: y - X @ b, np.zeros(3), (X, Y), kind="least squares", weights=SHARES)
    model = sm.WLS(Y, X, SHARES)
    for kind, options in (
        ("observed", {}), ("robust", {"cov_type": "HC0"}), ("HC1", {"cov_type": "HC1"}),
        ("cluster", {"cov_type": "cluster", "cov_kwds": {"groups": GROUPS}}),
    ):  # fmt: skip
        theirs = model.fit(**options)
        covariance = errors(found.cov_params(kind, GROUPS if kind == "cluster" else None))
        np.testing.assert_allclose(covariance, theirs.bse, rtol=1e-8)
        for ours in (found, residuals):
            np.testing.assert_allclose(ours.params, theirs.params, rtol=1e-8)
            np.testing.assert_allclose([ours.llf, ours.bic], [theirs.llf, theirs.bic], rtol=1e-10)
            assert ours.nobs == ours.wnobs == 60
    np.testing.assert_allclose(found.profile(1).interval(), residuals.conf_int()[1], rtol=1e-7)


def test_weights_of_one_change_nothing():
    call = {"kind": NLL, "covariance": "robust"}
    found = autoopt.fit(logit_sum, np.zeros(3), (X, CHOICES), weights=np.ones(60), **call)
    plain = autoopt.fit(logit_sum, np.zeros(3), (X, CHOICES), **call)
    np.testing.assert_allclose(found.covariance, plain.covariance, rtol=1e-6)
    np.testing.assert_allclose([found.llf, found.bic], [plain.llf, plain.bic], rtol=1e-12)


def ridge(b, X, y):
    return logit_sum(b, X, y) + 0.5 * np.sum(b**2)


NUMBER = 60


def with_number_from_elsewhere(p, X, y):
    return NUMBER * np.log(p["s"]) + 0.5 * np.sum((y - X @ p["b"]) ** 2) / p["s"] ** 2


def concentrated(b, X, y):
    return len(y) / 2 * np.log(np.sum((y - X @ b) ** 2))


def derived(b, X, y):
    return logit_sum(b, X, y), np.zeros(3)


@pytest.mark.parametrize(
    ("function", "x0", "options", "kind", "said"),
    [
        (concentrated, np.zeros(3), {}, TracingError, r"goes through log.\n.*test_weights.py:\d+"),
        (ridge, np.zeros(3), {}, TracingError, r"reads no row: whether it counts once.*\n.*test_weights.py:\d+"),
        (with_number_from_elsewhere, {"b": np.zeros(3), "s": 1.0}, {}, TracingError, r"NUMBER \* np.log"),
        (logit_sum, np.zeros(3), {"weights": np.ones(59)}, UsageError, r"59 weights, and data of shapes \(60, 3\)"),
        (logit_sum, np.zeros(3), {"penalty": "firth"}, UsageError, "weights beside penalty='firth'"),
        (logit_sum, np.zeros(3), {"weights": -SHARES}, UsageError, "negative entries"),
        (logit_sum, np.zeros(3), {"kind": "minimise"}, UsageError, "returns a number"),
    ],
)
def test_what_cannot_be_weighted_is_refused_before_it_is_solved(function, x0, options, kind, said):
    progress = []
    call = {"kind": NLL, "weights": SHARES, "progress": progress.append} | options
    with pytest.raises(kind, match=said) as error:
        autoopt.fit(function, x0, (X, CHOICES), **call)
    assert not progress and error.value.remedy


def test_derivatives_without_weights_are_refused():
    model = type("M", (), {"objective": staticmethod(logit_sum), "x0": np.zeros(3), "jac": lambda *given: np.zeros(3)})
    with pytest.raises(UsageError, match="derivatives of the objective of M, which have none"):
        autoopt.fit(model, data=(X, CHOICES), kind=NLL, weights=SHARES)


def test_copies_keep_their_weights():
    found = autoopt.fit(logit_sum, np.zeros(3), (X, CHOICES), kind=NLL, weights=SHARES)
    value = found.case.objective(found.params, X, CHOICES)
    for made in (copy.deepcopy(found.case.objective), pickle.loads(pickle.dumps(found.case.objective))):
        assert made(found.params, X, CHOICES) == value
    objective = found.case.objective.__objective__(np.zeros(3), (X, CHOICES), "auto")
    assert copy.deepcopy(objective).value(found.params) == objective.value(found.params) == value
