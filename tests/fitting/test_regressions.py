"""The estimators beside logistic and Poisson regression against statsmodels and scikit-learn, on real data."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autoopt.models import (
    MODELS,
    GammaRegression,
    HuberRegression,
    LinearRegression,
    NegativeBinomialRegression,
    QuantileRegression,
    StudentRegression,
    TweedieRegression,
)
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


def stackloss():
    """Return covariates of a plant with outliers, and its loss."""
    data = sm.datasets.stackloss.load_pandas()
    return data.exog, data.endog.to_numpy()


def engel():
    """Return what households spend on food, and their income."""
    data = sm.datasets.engel.load_pandas()
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


def tweedie(model, X, y, offset):
    """With Pearson's dispersion and the expected information, as every GLM."""
    special = {0: sm.families.Gaussian, 2: sm.families.Gamma, 3: sm.families.InverseGaussian}
    family = special[model.power](LOG) if model.power in special else sm.families.Tweedie(LOG, var_power=model.power)
    peer = sm.GLM(y, sm.add_constant(X), family, offset=offset)
    peer = converged(peer.fit, scale="X2", tol=1e-13, maxiter=200)
    np.testing.assert_allclose(model.scale, peer.scale, rtol=1e-8)
    theirs = converged(lambda: peer.deviance)
    deviance = model._deviances(y, model.predict(X, offset=offset)).sum()
    np.testing.assert_allclose(deviance, theirs, rtol=1e-9)
    return peer.params, peer.bse, np.nan if model.power in (1, 2.5) else peer.llf


def student(model, X, y, offset):
    """Of fixed df, whose standard errors there are rough differences."""
    from scipy.special import loggamma
    from statsmodels.miscmodels.tmodel import TLinearModel
    from statsmodels.tools.numdiff import approx_hess

    design = sm.add_constant(X).to_numpy()
    n = design.shape[1]

    def value(params):
        df = params[-1] if model.df is None else model.df
        scale, z = params[n], (y - offset - design @ params[:n]) / params[n]
        constant = np.log(scale) + 0.5 * np.log(np.pi * df) + loggamma(df / 2) - loggamma((df + 1) / 2)
        return np.sum(constant + (df + 1) / 2 * np.log1p(z**2 / df))

    rough, rougher = (approx_hess(model.params / model.bse, lambda x: value(x * model.bse), h) for h in (2e-3, 4e-3))
    hessian = (4 * rough - rougher) / 3
    errors = model.bse * np.sqrt(np.diag(np.linalg.inv(hessian)))
    if model.df is None:
        steps = [(value(model.params + 1e-5 * s), value(model.params - 1e-5 * s)) for s in np.diag(errors)]
        np.testing.assert_allclose(np.diff(steps), 0, atol=1e-10)  # a maximum
        return model.params, errors, -value(model.params)
    peer = TLinearModel(y - offset, design, fix_df=model.df)
    peer = converged(peer.fit, start_params=0.99 * model.params, disp=0, method="bfgs", gtol=1e-9)
    return peer.params, errors, peer.llf


def huber(model, X, y, offset):
    peer = sm.RLM(y - offset, sm.add_constant(X), M=sm.robust.norms.HuberT(model.tuning))
    peer = peer.fit(tol=1e-14, maxiter=5000)
    np.testing.assert_allclose(model.scale_, peer.scale, rtol=1e-9)
    return peer.params, peer.bse, np.nan


def quantile(model, X, y, offset):
    """Statsmodels stops at 1e-6 of the exact solution, on whose side it counts the observations on the plane."""
    peer = sm.QuantReg(y - offset, sm.add_constant(X))
    peer = converged(peer.fit, q=model.quantile, p_tol=1e-12, max_iter=3000)
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-5)
    np.testing.assert_allclose([model.sparsity_, model.bandwidth_], [peer.sparsity, peer.bandwidth], rtol=1e-6)
    design = sm.add_constant(X).to_numpy()
    residuals = y - offset - design @ model.params
    on_plane = np.argsort(np.abs(residuals))[: design.shape[1]]
    np.testing.assert_allclose(residuals[on_plane], 0, atol=1e-10 * np.abs(y).max())
    residuals[on_plane] = 0.0
    shares = np.where(residuals > 0, model.quantile, 1 - model.quantile) ** 2 * peer.sparsity**2
    bread = np.linalg.inv(design.T @ design)
    errors = np.sqrt(np.diag(bread @ (design.T * shares) @ design @ bread))
    np.testing.assert_allclose(errors, peer.bse, rtol=0.02)
    return np.linalg.solve(design[on_plane], (y - offset)[on_plane]), errors, np.nan


PEERS = {
    "negative-binomial": (NegativeBinomialRegression(), visits, negative_binomial),
    "gamma": (GammaRegression(), scotland, gamma),
    "linear": (LinearRegression(), longley, least_squares),
    "tweedie": (TweedieRegression(power=1.5), visits, tweedie),
    "tweedie, 1": (TweedieRegression(power=1), visits, tweedie),
    "tweedie, 1.9": (TweedieRegression(power=1.9), visits, tweedie),
    "tweedie, 0": (TweedieRegression(power=0), scotland, tweedie),
    "tweedie, 2": (TweedieRegression(power=2), scotland, tweedie),
    "tweedie, 2.5": (TweedieRegression(power=2.5), scotland, tweedie),
    "tweedie, 3": (TweedieRegression(power=3), scotland, tweedie),
    "student": (StudentRegression(), stackloss, student),
    "student, 4": (StudentRegression(df=4), stackloss, student),
    "huber": (HuberRegression(), stackloss, huber),
    "huber, 2": (HuberRegression(tuning=2.0), engel, huber),
    "quantile": (QuantileRegression(), engel, quantile),
    "quantile, 0.25": (QuantileRegression(quantile=0.25), engel, quantile),
    "quantile, 0.9": (QuantileRegression(quantile=0.9), engel, quantile),
}
"""A row for each model or option: the estimator, its data, its peer."""


@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("name", PEERS)
@pytest.mark.sampled(2)
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
@pytest.mark.sampled(4)
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
    "tweedie": lambda model: linear_model.TweedieRegressor(power=1.5, alpha=5.0 / 3000, link="log", tol=1e-12),
    "tweedie, 3": lambda model: linear_model.TweedieRegressor(power=3, alpha=5.0 / 32, link="log", tol=1e-12),
}


@pytest.mark.parametrize("name", PENALISED)
@pytest.mark.sampled(3)
def test_penalised_optimum_is_that_of_scikit_learn(name):
    estimator, data, _ = PEERS[name]
    X, y = data()
    X = standardised(X)
    model = estimator.set_params(alpha=5.0).fit(X, y)
    estimator.set_params(alpha=0.0)
    peer = PENALISED[name](model).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-5, atol=1e-7)
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


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", sorted(set(MODELS) - {"logistic", "loglinear"}))
def test_units_and_origins_of_covariates_do_not_matter(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    eta = 0.3 + X @ [0.2, -0.1, 0.3] + rng.logistic(size=150)
    y = {"ordered": np.digitize(eta, [-1, 0, 1]), "negative-binomial": rng.poisson(np.exp(eta))}.get(name, np.exp(eta))
    plain, units = MODELS[name].estimator().fit(X, y), np.array([1e-7, 1.0, 1e7])
    first = int(plain.fit_intercept)
    ours = plain.params[first : first + 3], plain.bse[first : first + 3]
    for other, factor in ((X * units, units), (X + [0, 1e4, 1e6], 1.0)):
        model = MODELS[name].estimator().fit(other, y)
        np.testing.assert_allclose(model.params[first : first + 3] * factor, ours[0], rtol=1e-7)
        np.testing.assert_allclose(model.bse[first : first + 3] * factor, ours[1], rtol=1e-7)
        np.testing.assert_allclose(model.llf, plain.llf, rtol=1e-9, equal_nan=True)


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
        (StudentRegression(), np.arange(8.0), "a plane goes through too many"),
        (StudentRegression(), [0.3, 0.7, 2.4, 2.6, 4.4, 4.6, 6.3, 6.7], "no heavier tails than normal ones"),
        (HuberRegression(), [0.0, 1, 2, 3, 4, 5, 6, 99], "more than half"),
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
@pytest.mark.sampled(4)
def test_collinear_columns_are_named(name):
    model, data, _ = PEERS[name]
    X, y = data()
    first = X.columns[0]
    with pytest.warns(IdentificationWarning, match="twice"):
        model.fit(X.assign(twice=2 * X[first]), y)
    assert np.isnan(model.bse).all()


def test_models_with_peers_elsewhere_are_the_others():
    """Those of test_models.py and test_ordered_and_times.py."""
    assert {*PEERS, "logistic", "loglinear", "ordered", "cox"} >= set(MODELS)


def test_hubers_joint_scale_is_that_of_scikit_learn():
    X, y = stackloss()
    X = standardised(X)
    model = HuberRegression(scale="concomitant", tuning=1.35).fit(X, y)
    peer = linear_model.HuberRegressor(epsilon=1.35, alpha=0, tol=1e-10, max_iter=100000).fit(X, y)
    np.testing.assert_allclose(model.params, [peer.intercept_, *peer.coef_], rtol=1e-5)
    np.testing.assert_allclose(model.scale_, peer.scale_, rtol=1e-5)
    residuals = np.abs(y - model.predict(X)) / model.scale_
    np.testing.assert_allclose(np.sum(np.minimum(residuals, 1.35) ** 2), len(y), rtol=1e-10)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.75])
def test_quantiles_are_those_of_scikit_learn(q):
    X, y = engel()
    model = QuantileRegression(quantile=q).fit(X, y)
    peer = linear_model.QuantileRegressor(quantile=q, alpha=0, solver="highs").fit(X, y)
    np.testing.assert_allclose(model.params, [peer.intercept_, *peer.coef_], rtol=1e-6)
    assert 0 < model.score(X, y) < 1


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (TweedieRegression(power=0.5), "power is 0.5"),
        (StudentRegression(df=-1), "df is -1"),
        (HuberRegression(tuning=0), "tuning is 0"),
        (HuberRegression(scale="iqr"), "use mad, concomitant"),
        (HuberRegression(scale="concomitant", tuning=0.5), "above 1"),
        (QuantileRegression(quantile=1), "quantile is 1"),
    ],
)
def test_options_outside_their_range_refused(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*engel())


@pytest.mark.parametrize(
    ("y", "message"), [([0.0, 1, 2], "y is not positive in 1 row"), ([-1.0, 1, 2], "not positive")]
)
def test_responses_that_are_not_positive_refused(y, message):
    with pytest.raises(ValueError, match=message):
        GammaRegression().fit([[0.0], [1.0], [2.0]], y)
