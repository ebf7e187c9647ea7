"""The estimators beside logistic and Poisson regression against statsmodels and scikit-learn, on real data."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autoopt.models import MODELS, GammaRegression, LinearRegression, NegativeBinomialRegression
from autoopt.models.validation import IdentificationWarning

sm = pytest.importorskip("statsmodels.api")
linear_model = pytest.importorskip("sklearn.linear_model")

DATA = Path(__file__).parents[2] / "examples" / "data"
LOG = sm.families.links.Log()


def visits():
    """Return covariates of the first 3000 person-years, as a table, and the counts."""
    table = pd.read_csv(DATA / "rand_health.csv", nrows=3000)
    return table[["lncoins", "physlm", "disea", "hlthg"]], table["mdvis"].to_numpy(float)


def scotland():
    """Return covariates of the districts that voted on taxes in 1997, and the share of yes."""
    data = sm.datasets.scotland.load_pandas()
    return data.exog, data.endog.to_numpy()


def longley():
    """Return nearly collinear covariates of employment, and employment."""
    data = sm.datasets.longley.load_pandas()
    return data.exog, data.endog.to_numpy()


def standardised(X):
    """Return the columns in standard deviations from their mean."""
    return (X - X.mean()) / X.std()


def frequencies(rows):
    """Return frequencies from 1 to 3 and a small offset."""
    rng = np.random.default_rng(3)
    return rng.integers(1, 4, rows).astype(float), 0.3 * rng.normal(size=rows)


def converged(fit, **options):
    """Return the fit of a peer, whose warnings that it went too far are none of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(**options)


# Peers: (model, X, y, offset) -> (estimates, standard errors, log-likelihood) -----------------------------------------


def negative_binomial(model, X, y, offset):
    peer = sm.NegativeBinomial(y, sm.add_constant(X), offset=offset)
    start = 0.99 * model.params  # from its own start it does not arrive where there is an offset
    peer = converged(peer.fit, start_params=start, disp=0, method="newton", maxiter=200, tol=1e-12)
    return peer.params, peer.bse, peer.llf


def gamma(model, X, y, offset):
    """With the dispersion of maximum likelihood, whose own standard error is a closed form."""
    peer = sm.GLM(y, sm.add_constant(X), sm.families.Gamma(LOG), offset=offset)
    peer = converged(peer.fit, scale=model.dispersion_, tol=1e-14, method="newton", optim_hessian="oim")
    shape, step = 1 / model.dispersion_, 1e-4
    from scipy.special import polygamma

    information = len(y) * (polygamma(1, shape) - 1 / shape) * shape**4
    slope = [
        sm.families.Gamma(LOG).loglike(y, peer.mu, scale=model.dispersion_ * (1 + sign * step)) for sign in (1, -1)
    ]
    assert abs(slope[0] - slope[1]) < 1e-4 * len(y) * step  # the dispersion is that of maximum likelihood
    return [*peer.params, model.dispersion_], [*peer.bse, information**-0.5], peer.llf


def least_squares(model, X, y, offset):
    peer = sm.OLS(y - offset, sm.add_constant(X)).fit()
    np.testing.assert_allclose(model.scale, peer.scale, rtol=1e-9)
    np.testing.assert_allclose(model.conf_int(0.1), peer.conf_int(0.1), rtol=1e-6)
    np.testing.assert_allclose([model.aic, model.bic], [peer.aic, peer.bic], rtol=1e-10)
    return peer.params, peer.bse, peer.llf


PEERS = {
    "negative-binomial": (NegativeBinomialRegression(), visits, negative_binomial),
    "gamma": (GammaRegression(), scotland, gamma),
    "linear": (LinearRegression(), longley, least_squares),
}
"""A row for each model or option: the estimator, its data, its peer."""


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("name", PEERS)
def test_estimates_and_standard_errors_are_those_of_the_peer(name, offset):
    model, data, peer = PEERS[name]
    X, y = data()
    given = frequencies(len(y))[1] if offset else np.zeros(len(y))
    model.fit(X, y, offset=given)
    params, bse, llf = peer(model, X, y, given)
    np.testing.assert_allclose(model.params, params, rtol=1e-7)
    np.testing.assert_allclose(model.bse, bse, rtol=1e-6)
    np.testing.assert_allclose(model.llf, llf, rtol=1e-9, equal_nan=True)
    assert model.names_[: X.shape[1] + 1] == ["intercept", *X.columns]


@pytest.mark.parametrize("name", PEERS)
def test_a_row_that_counts_thrice_is_three_rows(name):
    model, data, _ = PEERS[name]
    X, y = data()
    weights, offset = frequencies(len(y))
    often = np.repeat(np.arange(len(y)), weights.astype(int))
    model.fit(X, y, weights, offset=offset)
    weighted = model.params, model.bse, model.llf, model.nobs, model.score(X, y, weights, offset=offset)
    model.fit(X.iloc[often], y[often], offset=offset[often])
    repeated = (
        model.params,
        model.bse,
        model.llf,
        model.nobs,
        model.score(X.iloc[often], y[often], offset=offset[often]),
    )
    for ours, theirs in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


PENALISED = {
    "gamma": lambda model: linear_model.GammaRegressor(alpha=5.0 * model.dispersion_ / model.nobs, tol=1e-12),
    "linear": lambda model: linear_model.Ridge(alpha=5.0, tol=1e-12),
}


@pytest.mark.parametrize("name", PENALISED)
def test_penalised_optimum_is_that_of_scikit_learn(name):
    estimator, data, _ = PEERS[name]
    X, y = data()
    X = standardised(X)
    model = estimator.set_params(alpha=5.0).fit(X, y)
    estimator.set_params(alpha=0.0)
    peer = PENALISED[name](model).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-5)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X), peer.predict(X), rtol=1e-5)
    np.testing.assert_allclose(model.score(X, y), peer.score(X, y), rtol=1e-5)


def test_figures_that_nist_certifies_are_found():
    """Longley's data; https://www.itl.nist.gov/div898/strd/lls/data/LINKS/DATA/Longley.dat."""
    certified = [-3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683]
    certified += [-1.03322686717359, -0.0511041056535807, 1829.15146461355]
    errors = [890420.383607373, 84.9149257747669, 0.0334910077722432, 0.488399681651699]
    errors += [0.214274163161675, 0.226073200069370, 455.478499142212]
    model = LinearRegression().fit(*longley())
    np.testing.assert_allclose(model.params, certified, rtol=1e-9)
    np.testing.assert_allclose(model.bse, errors, rtol=1e-7)


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_units_of_the_response_do_not_matter(unit):
    X, y = longley()
    model, other = LinearRegression().fit(X, y), LinearRegression().fit(X, unit * y)
    np.testing.assert_allclose(other.params / unit, model.params, rtol=1e-6)
    np.testing.assert_allclose(other.bse / unit, model.bse, rtol=1e-9)
    X, y = scotland()
    model, other = GammaRegression().fit(X, y), GammaRegression().fit(X, unit * y)
    np.testing.assert_allclose(other.params[1:], model.params[1:], rtol=1e-7)
    np.testing.assert_allclose(other.bse, model.bse, rtol=1e-7)


@pytest.mark.parametrize("scatter", [1e-2, 1e-3, 1e-4])
def test_gamma_responses_that_hardly_scatter_keep_their_digits(scatter):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    noise = rng.normal(size=400)
    model = GammaRegression().fit(X, np.exp(X @ [1.0, 2.0]) * (1 + scatter * noise))
    design = sm.add_constant(X)
    residuals = noise - design @ np.linalg.lstsq(design, noise)[0]
    np.testing.assert_allclose(model.dispersion_, scatter**2 * np.mean(residuals**2), rtol=10 * scatter + 1e-3)
    np.testing.assert_allclose(model.bse[-1], model.dispersion_ * np.sqrt(2 / 400), rtol=1e-2)


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (NegativeBinomialRegression(), [3, 4, 3, 4, 3, 4, 3, 4], "scatter no more than Poisson's.*\n.*LogLinear"),
        (NegativeBinomialRegression(), [0, 0, 0, 0, 0, 0, 0, 0], "along\n  dispersion"),
        (GammaRegression(), np.exp(np.arange(8.0)), "the means are the responses"),
        (LinearRegression(), np.arange(8.0), None),
    ],
)
def test_likelihoods_without_a_maximum_are_told(model, y, message):
    X = np.arange(8.0)[:, np.newaxis]
    if message is None:
        model.fit(X, y)
        np.testing.assert_allclose(model.params, [0, 1], atol=1e-12)
        return
    with pytest.warns(IdentificationWarning, match=message):
        model.fit(X, y)
    assert not model.converged_ and np.isnan(model.bse).all()


@pytest.mark.parametrize("name", PEERS)
def test_collinear_columns_are_named(name):
    model, data, _ = PEERS[name]
    X, y = data()
    first = X.columns[0]
    with pytest.warns(IdentificationWarning, match="twice"):
        model.fit(X.assign(twice=2 * X[first]), y)
    assert np.isnan(model.bse).all()


def test_models_with_peers_elsewhere_are_the_others():
    assert {*PEERS, "logistic", "loglinear"} >= set(MODELS)


@pytest.mark.parametrize(
    ("y", "message"), [([0.0, 1, 2], "y is not positive in 1 row"), ([-1.0, 1, 2], "not positive")]
)
def test_responses_that_are_not_positive_refused(y, message):
    with pytest.raises(ValueError, match=message):
        GammaRegression().fit([[0.0], [1.0], [2.0]], y)
