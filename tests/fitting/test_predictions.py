"""Predictions and their bands against closed forms and statsmodels."""

import numpy as np
import pytest
from scipy import stats

import autoopt
from autoopt.errors import ModelError, UsageError

RNG = np.random.default_rng(5)
X = np.column_stack([np.ones(30), RNG.normal(size=30)])
Y = X @ [1.0, 2.0] + RNG.normal(size=30)
NEW = np.array([[1.0, -1.0], [1.0, 4.0]])


def residuals(b, X, y):
    return y - X @ b


def line(b, X):
    return X @ b


@pytest.mark.slow
def test_bands_of_a_line_are_those_of_linear_regression():
    import statsmodels.api as sm

    fitted = autoopt.fit(residuals, np.zeros(2), (X, Y), kind="least squares")
    theirs = sm.OLS(Y, X).fit().get_prediction(NEW)
    for ours in (fitted.predict((NEW,), of=line), fitted.predict({"X": NEW, "other": Y}, of=line, level=0.95)):
        np.testing.assert_allclose(ours.mean, theirs.predicted_mean, rtol=1e-9)
        np.testing.assert_allclose(ours.se, theirs.se_mean, rtol=1e-8)
        np.testing.assert_allclose(ours.conf_int(), theirs.conf_int(), rtol=1e-8)
        np.testing.assert_allclose(ours.conf_int(observation=True), theirs.conf_int(obs=True), rtol=1e-8)
        np.testing.assert_allclose(ours.conf_int(0.5), theirs.conf_int(alpha=0.5), rtol=1e-8)
    own = fitted.predict(of=line)
    np.testing.assert_allclose(own.mean, X @ fitted.params)
    assert set(own.to_dict()) == {"mean", "se", "lower", "upper"}


def test_gradients_of_what_is_predicted_are_exact():
    """The rate of a Poisson regression: the standard error of exp(eta) is exp(eta) that of eta."""
    counts = RNG.poisson(np.exp(X @ [0.5, 0.3]))

    def likelihood(p, X, y):
        eta = p["a"] * X[:, 0] + p["b"] * X[:, 1]
        return np.sum(np.exp(eta) - y * eta)

    fitted = autoopt.fit(likelihood, {"a": 0.0, "b": 0.0}, (X, counts), kind="negative log-likelihood")
    rate = fitted.predict({"x": NEW[:, 1]}, of=lambda p, x: np.exp(p["a"] + p["b"] * x))
    covariance = np.linalg.inv(X.T @ (X * np.exp(X @ fitted.params)[:, None]))
    errors = np.sqrt(np.einsum("ij,jk,ik->i", NEW, covariance, NEW))
    np.testing.assert_allclose(rate.se, rate.mean * errors, rtol=1e-7)
    half = stats.norm.ppf(0.975) * rate.se
    np.testing.assert_allclose(rate.conf_int(), np.column_stack([rate.mean - half, rate.mean + half]))
    ratio = fitted.predict(of=lambda p: p["a"] / p["b"])
    gradient = np.array([1 / fitted.params[1], -fitted.params[0] / fitted.params[1] ** 2])
    np.testing.assert_allclose(ratio.se, np.sqrt(gradient @ covariance @ gradient), rtol=1e-7)
    assert ratio.mean.shape == () and ratio.conf_int().shape == (2,)
    with pytest.raises(UsageError, match="need the variance about the mean"):
        rate.conf_int(observation=True)


COUNTS = np.random.default_rng(6).poisson(np.exp(X @ [0.5, 0.3]))
CHANCES = (np.random.default_rng(7).random(30) < 1 / (1 + np.exp(-X @ [0.3, 1.2]))).astype(float)
FAR = np.array([[1.0, -1.0], [1.0, 4.0], [1.0, -60.0], [1.0, 80.0]])  # where probabilities are 0 and 1 to rounding

RESPONSES = {
    "logit": (CHANCES, lambda z, y: np.logaddexp(0, z) - y * z, lambda b, X: 1 / (1 + np.exp(-(X @ b))), "Binomial"),
    "log": (COUNTS, lambda z, y: np.exp(z) - y * z, lambda b, X: np.exp(X @ b), "Poisson"),
}


@pytest.mark.parametrize("scale", RESPONSES)
def test_bands_on_the_scale_of_the_link_are_those_of_statsmodels(scale):
    import statsmodels.api as sm

    y, terms, mean, family = RESPONSES[scale]

    class Model:
        objective, x0, kind = staticmethod(lambda b, X, y: terms(X @ b, y)), np.zeros(2), "negative log-likelihood"
        predict, predict_scale = staticmethod(mean), scale

    fitted = autoopt.fit(Model, data={"X": X, "y": y})
    theirs = sm.GLM(y, X, getattr(sm.families, family)()).fit(tol=1e-14).get_prediction(FAR).summary_frame(0.1)
    for ours in (fitted.predict({"X": FAR}, level=0.9), fitted.predict({"X": FAR}, of=mean, scale=scale, level=0.9)):
        np.testing.assert_allclose(ours.mean, theirs["mean"], rtol=1e-6)
        np.testing.assert_allclose(ours.se, theirs["mean_se"], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(ours.conf_int(), theirs[["mean_ci_lower", "mean_ci_upper"]], rtol=1e-5)
        assert list(ours.to_dict()) == ["mean", "se", "lower", "upper"]
    other = fitted.predict({"X": FAR[:1]}, scale="identity").conf_int()[0]
    np.testing.assert_allclose(other, fitted.predict({"X": FAR[:1]}, of=mean).conf_int()[0])
    assert not np.allclose(other, fitted.predict({"X": FAR[:1]}).conf_int()[0], rtol=0.01)


def test_scales_of_ones_own_are_mapped_back_in_order():
    fitted = autoopt.fit(
        lambda b, X, y: np.exp(X @ b) - y * (X @ b), np.zeros(2), (X, COUNTS), kind="negative log-likelihood"
    )
    mean = lambda b, X: np.exp(X @ b)  # noqa: E731
    logs = fitted.predict({"X": NEW}, of=mean, scale="log").conf_int()
    for pair in ((lambda m: np.log(m), np.exp), (lambda m: -3 * np.log(m), lambda w: np.exp(-w / 3))):
        np.testing.assert_allclose(fitted.predict({"X": NEW}, of=mean, scale=pair).conf_int(), logs, rtol=1e-9)
    roots = fitted.predict({"X": NEW}, of=mean, scale=(np.sqrt, np.square))
    half = stats.norm.ppf(0.975) * roots.se / (2 * np.sqrt(roots.mean))
    expected = (np.sqrt(roots.mean)[:, None] + half[:, None] * [-1, 1]) ** 2
    np.testing.assert_allclose(roots.conf_int(), expected, rtol=1e-9)
    single = fitted.predict((), of=lambda b: np.exp(b[0]), scale="log")
    assert single.conf_int().shape == (2,)


def test_scales_that_make_no_sense_are_refused():
    fitted = autoopt.fit(residuals, np.zeros(2), (X, Y), kind="least squares")
    for scale, said in (
        ("logti", "Did you mean logit"),
        (3, "neither a name nor a pair of functions"),
        ("log", r"line is -1.* in row 0.\n.*'identity'"),
    ):
        with pytest.raises(UsageError, match=said):
            fitted.predict((NEW,), of=line, scale=scale)
    with pytest.raises(UsageError, match="the scale of the bands is that of means"):
        fitted.predict((NEW[1:],), of=line, scale="log").conf_int(observation=True)
    model = type("M", (), {"objective": staticmethod(residuals), "x0": np.zeros(2), "predict_scale": "logti"})
    with pytest.raises(ModelError, match=r"predict_scale in M.*Did you mean logit"):
        autoopt.fit(model, data=(X, Y))


def test_what_is_fixed_or_at_a_bound_is_taken_as_it_is():
    for options in ({"fixed": {0: 1.5}}, {"bounds": [(1.5, 9.0), (None, None)]}):
        fitted = autoopt.fit(residuals, np.array([1.6, 0.0]), (X, Y), kind="least squares", **options)
        assert fitted.params[0] == pytest.approx(1.5)
        found = fitted.predict((NEW,), of=line)
        np.testing.assert_allclose(found.se, np.abs(NEW[:, 1]) * fitted.bse[1], rtol=1e-9)


def test_model_says_what_is_predicted():
    class Model:
        objective, x0, kind = staticmethod(residuals), np.zeros(2), "least squares"
        predict = staticmethod(line)

    fitted = autoopt.fit(Model, data={"X": X, "y": Y})
    np.testing.assert_allclose(fitted.predict().mean, X @ fitted.params)
    np.testing.assert_allclose(fitted.predict({"X": NEW}).mean, NEW @ fitted.params)
    Model.predict = 3.0
    with pytest.raises(ModelError, match="no function of the parameters"):
        autoopt.fit(Model, data={"X": X, "y": Y})


def test_columns_of_a_target_and_of_formulas_are_made_as_for_the_fit():
    import pandas as pd

    frame = pd.DataFrame({"age": X[:, 1], "region": np.where(X[:, 1] > 0, "north", "south"), "y": Y})
    fitted = autoopt.fit(residuals, None, frame, kind="least squares", formula="y ~ age + C(region)")
    new = pd.DataFrame({"region": ["south", "south"], "age": [0.5, 1.0]})
    a, age, south = fitted.params
    np.testing.assert_allclose(fitted.predict(new, of=line).mean, a + south + age * new["age"])
    gaps = fitted.predict(pd.DataFrame({"region": ["south", None], "age": [0.5, 1.0]}), of=line, missing="drop")
    np.testing.assert_allclose(gaps.mean, a + south + age * 0.5)
    assert gaps.notes[0].startswith("1 of 2 rows is left out")
    fitted = autoopt.fit(residuals, np.zeros(1), frame, kind="least squares", target="y")
    np.testing.assert_allclose(fitted.predict(new, of=line).mean, fitted.params[0] * new["age"])
    gaps = fitted.predict(pd.DataFrame({"age": [np.nan, 1.0]}), of=line, missing="drop")
    np.testing.assert_allclose(gaps.mean, fitted.params[:1])


def test_calls_that_make_no_sense_are_refused():
    fitted = autoopt.fit(residuals, np.zeros(2), (X, Y), kind="least squares")
    for call, said in (
        (lambda: fitted.predict(), "does not say what is to be predicted"),
        (lambda: fitted.predict(of=lambda b, z: z @ b), "takes z, which the fit has not"),
        (lambda: fitted.predict((NEW, NEW), of=line), "is given 2"),
    ):
        with pytest.raises(UsageError, match=said):
            call()
