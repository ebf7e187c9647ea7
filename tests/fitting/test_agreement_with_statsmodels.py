"""Fits of plain likelihoods to real data against statsmodels: estimates to 1e-7, every standard error to 1e-6.

The data are those that statsmodels and scikit-learn ship. Least squares also against NIST's certified values.
"""

import functools

import numpy as np
import pytest
import statsmodels.api as sm
from nist_strd import MODELS, digits, reference
from scipy.special import gammaln, ndtr, xlogy
from sklearn.datasets import load_breast_cancer, load_diabetes

import autoopt


def logit(b, X, y):
    eta = X @ b
    return np.sum(np.logaddexp(0, eta)) - y @ eta


def probit(b, X, y):
    sign = 2 * y - 1
    return -np.sum(np.log(ndtr(sign * (X @ b))))


def poisson(b, X, y):
    eta = X @ b
    return np.sum(np.exp(eta) - y * eta + gammaln(y + 1))


def negative_binomial(p, X, y):
    """NB2, as statsmodels has it: the last parameter is alpha, the variance mu + alpha mu^2."""
    mu, size = np.exp(X @ p[:-1]), 1 / p[-1]
    chosen = gammaln(y + size) - gammaln(size) - gammaln(y + 1)
    return -np.sum(chosen + size * np.log(size / (size + mu)) + xlogy(y, mu / (size + mu)))


def binomial(b, X, y):
    """Successes and failures."""
    eta = X @ b
    return np.sum(y.sum(axis=1) * np.logaddexp(0, eta) - y[:, 0] * eta)


def squared(b, X, y):
    return y - X @ b


def affairs():
    data = sm.datasets.fair.load_pandas().data
    names = ["rate_marriage", "age", "yrs_married", "religious"]
    return sm.add_constant(data[names]).to_numpy(float), (data["affairs"] > 0).to_numpy(float), data["occupation"]


def doctors():
    data = sm.datasets.randhie.load_pandas().data.iloc[:3000]
    X = sm.add_constant(data[["lncoins", "idp", "disea", "hlthg"]]).to_numpy(float)
    return X, data["mdvis"].to_numpy(float), np.arange(3000) // 5


def tumours():
    X, y = load_breast_cancer(return_X_y=True)
    X = sm.add_constant(X[:, [1, 4, 9]])
    return X, y.astype(float), np.arange(len(y)) // 7


def schools():
    data = sm.datasets.star98.load()
    X = sm.add_constant(np.asarray(data.exog)[:, :8])
    return X, np.asarray(data.endog, float), np.arange(len(X)) // 10


def patients():
    X, y = load_diabetes(return_X_y=True)
    return sm.add_constant(X), y, np.arange(len(y)) // 9


def strikes():
    data = sm.datasets.copper.load_pandas().data
    X = sm.add_constant(data.drop(columns="WORLDCONSUMPTION")).to_numpy(float)
    return X, data["WORLDCONSUMPTION"].to_numpy(float), np.arange(len(X)) // 3


LIKELIHOOD = "negative log-likelihood"
CASES = {
    "logit of affairs": (affairs, logit, LIKELIHOOD, sm.Logit),
    "logit of tumours": (tumours, logit, LIKELIHOOD, sm.Logit),
    "probit of affairs": (affairs, probit, LIKELIHOOD, sm.Probit),
    "Poisson of visits": (doctors, poisson, LIKELIHOOD, sm.Poisson),
    "negative binomial of visits": (doctors, negative_binomial, LIKELIHOOD, sm.NegativeBinomial),
    "binomial of schools": (schools, binomial, LIKELIHOOD, lambda y, X: sm.GLM(y, X, sm.families.Binomial())),
    "least squares of patients": (patients, squared, "least squares", sm.OLS),
    "least squares of copper": (strikes, squared, "least squares", sm.OLS),
}


@functools.cache
def fitted(name):
    data, objective, kind, model = CASES[name]
    X, y, groups = data()
    x0 = np.zeros(X.shape[1])
    if objective is negative_binomial:
        x0 = np.append(x0, 1.0)
    return autoopt.fit(objective, x0, (X, y), kind=kind), model(y, X), groups


def theirs(model, **options):
    if isinstance(model, sm.OLS):
        return model.fit(**options)
    if isinstance(model, sm.GLM):
        return model.fit(tol=1e-14, maxiter=200, **options)
    start = None
    if isinstance(model, sm.NegativeBinomial):
        start = model.fit(disp=0, method="bfgs", maxiter=500, warn_convergence=False).params
    return model.fit(start, disp=0, method="newton", maxiter=200, tol=1e-14, warn_convergence=False, **options)


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_likelihoods(name):
    found, model, _ = fitted(name)
    expected = theirs(model)
    assert found.status == "converged"
    np.testing.assert_allclose(found.params, expected.params, rtol=1e-7)
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-6)
    if name != "binomial of schools":  # whose constant statsmodels adds
        assert found.llf == pytest.approx(expected.llf, rel=1e-9)


@pytest.mark.slow_for("negative binomial of visits")
@pytest.mark.parametrize("name", CASES)
def test_robust_and_clustered_standard_errors(name):
    found, model, groups = fitted(name)
    groups = np.asarray(groups)
    for kind, options in [
        ("robust", {"cov_type": "HC0"}),
        ("cluster", {"cov_type": "cluster", "cov_kwds": {"groups": groups}}),
    ]:
        errors = np.sqrt(np.diag(found.cov_params(kind, groups if kind == "cluster" else None)))
        np.testing.assert_allclose(errors, theirs(model, **options).bse, rtol=1e-6)


def test_logit_with_a_column_in_other_units_has_the_standard_errors_of_the_column():
    X, y, _ = affairs()
    scale = np.array([1.0, 1.0, 1e7, 1.0, 1.0])
    one = autoopt.fit(logit, np.zeros(5), (X, y), kind=LIKELIHOOD)
    other = autoopt.fit(logit, np.zeros(5), (X * scale, y), kind=LIKELIHOOD)
    np.testing.assert_allclose(other.bse * scale, one.bse, rtol=1e-8)
    np.testing.assert_allclose(
        np.sqrt(np.diag(other.cov_params("robust"))) * scale, np.sqrt(np.diag(one.cov_params("robust"))), rtol=1e-8
    )


@pytest.mark.sampled(12)
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_certified_values_and_deviations_of_nist(name, start):
    data, model = reference(name), MODELS[name]
    with np.errstate(all="ignore"):
        found = autoopt.fit(
            lambda b, x, y: y - model(x, *b), data.starts[start], (data.x, data.y), kind="least squares"
        )
    assert found.status == "converged" and digits(found.params, data.certified) >= 10
    assert digits(found.bse, data.deviations) >= (6 if name != "Lanczos1" else 3)  # its residuals are of 1e-13
