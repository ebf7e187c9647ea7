"""Every model against statsmodels, scikit-learn and glum, and as a citizen of scikit-learn's tools."""

import pkgutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autoopt import models
from autoopt.errors import AutooptError, UsageError
from autoopt.models import MODELS, LogisticRegression, LogLinearRegression
from autoopt.models.validation import ConvergenceWarning, IdentificationWarning

sm = pytest.importorskip("statsmodels.api")
linear_model = pytest.importorskip("sklearn.linear_model")

DATA = Path(__file__).parents[2] / "examples" / "data"


def tumours():
    """Return covariates in very different units, as a table, and the labels."""
    table = pd.read_csv(DATA / "breast_cancer.csv")
    return table[["mean_texture", "mean_area", "mean_smoothness", "mean_symmetry"]], table["malignant"].to_numpy()


def visits():
    """Return covariates of the first 3000 person-years, as a table, and the counts."""
    table = pd.read_csv(DATA / "rand_health.csv", nrows=3000)
    return table[["lncoins", "physlm", "disea", "hlthg"]], table["mdvis"].to_numpy()


SAMPLES = {"logistic": tumours, "loglinear": visits}
FAMILIES = {"logistic": sm.families.Binomial, "loglinear": sm.families.Poisson}
PENALISED = {
    "logistic": lambda alpha, rows: linear_model.LogisticRegression(C=1 / alpha, tol=1e-10, max_iter=1000),
    "loglinear": lambda alpha, rows: linear_model.PoissonRegressor(alpha=alpha / rows, tol=1e-10, max_iter=1000),
}

every_model = pytest.mark.parametrize("name", sorted(SAMPLES))


def standardised(X):
    """Return the columns in standard deviations from their mean, as an array."""
    return ((X - X.mean()) / X.std()).to_numpy()


def weights_and_offset(rows):
    """Return frequencies from 0 to 3 and a small offset."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 4, rows).astype(float), 0.3 * rng.normal(size=rows)


def test_every_file_with_a_model_is_imported_and_its_estimator_public():
    files = {module.name for module in pkgutil.iter_modules(models.__path__) if not module.ispkg}
    with_model = {f"autoopt.models.{name}" for name in files if "\nadd(" in source_of(name)}
    assert {row.estimator.__module__ for row in MODELS.values()} == with_model
    assert {row.estimator.__name__ for row in MODELS.values()} <= set(models.__all__)


def source_of(name):
    """Return the text of a file of autoopt/models."""
    return (Path(models.__file__).parent / f"{name}.py").read_text(encoding="utf-8")


def test_these_models_have_their_peers():
    """The others have theirs in test_regressions.py."""
    assert set(MODELS) >= set(SAMPLES) == set(FAMILIES) == set(PENALISED)


@every_model
@pytest.mark.parametrize("intercept", [True, False])
def test_estimates_and_standard_errors_are_those_of_statsmodels(name, intercept):
    X, y = SAMPLES[name]()
    X = standardised(X) if not intercept else X
    weights, offset = weights_and_offset(len(y))
    model = MODELS[name].estimator(fit_intercept=intercept).fit(X, y, weights, offset=offset)
    design = sm.add_constant(X) if intercept else X
    peer = sm.GLM(y, design, FAMILIES[name](), offset=offset, freq_weights=weights).fit(tol=1e-13, maxiter=100)
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-7)
    for ours in ["bse", "tvalues", "llf", "aic"]:
        np.testing.assert_allclose(getattr(model, ours), getattr(peer, ours), rtol=1e-7)
    np.testing.assert_allclose(model.pvalues, peer.pvalues, rtol=1e-4, atol=1e-300)
    np.testing.assert_allclose(model.conf_int(0.1), peer.conf_int(0.1), rtol=1e-6)
    np.testing.assert_allclose(model.cov_params(), peer.cov_params(), rtol=1e-6)


@every_model
def test_penalised_optimum_is_that_of_scikit_learn(name):
    X, y = SAMPLES[name]()
    X = standardised(X)
    model = MODELS[name].estimator(alpha=5.0).fit(X, y)
    peer = PENALISED[name](5.0, len(y)).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, rtol=1e-5)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, rtol=1e-5)
    assert np.shape(model.coef_) == np.shape(peer.coef_)
    assert np.shape(model.intercept_) == np.shape(peer.intercept_)
    np.testing.assert_allclose(model.predict(X), peer.predict(X), rtol=1e-4)
    assert model.score(X, y) == pytest.approx(peer.score(X, y), rel=1e-5)


@every_model
@pytest.mark.filterwarnings("default")
def test_penalised_optimum_is_that_of_glum(name):
    glum = pytest.importorskip("glum")
    X, y = SAMPLES[name]()
    X = standardised(X)
    family = {"logistic": "binomial", "loglinear": "poisson"}[name]
    peer = glum.GeneralizedLinearRegressor(
        family=family, alpha=5.0 / len(y), l1_ratio=0, gradient_tol=1e-11, scale_predictors=False
    ).fit(X, y)
    model = MODELS[name].estimator(alpha=5.0).fit(X, y)
    np.testing.assert_allclose(np.ravel(model.coef_), peer.coef_, rtol=1e-7)


@every_model
@pytest.mark.parametrize("method", ["l-bfgs-b", "bfgs", "trust-exact"])
def test_every_method_reaches_the_same_optimum(name, method):
    X, y = SAMPLES[name]()
    expected = MODELS[name].estimator().fit(X, y).params
    np.testing.assert_allclose(MODELS[name].estimator(method=method).fit(X, y).params, expected, rtol=1e-6)


@every_model
def test_units_of_a_covariate_do_not_matter(name):
    X, y = SAMPLES[name]()
    plain = MODELS[name].estimator().fit(X, y)
    units = np.array([1e-9, 1.0, 1e6, 1e3])
    scaled = MODELS[name].estimator().fit(X * units, y)
    np.testing.assert_allclose(scaled.params[1:] * units, plain.params[1:], rtol=1e-9)
    np.testing.assert_allclose(scaled.bse[1:] * units, plain.bse[1:], rtol=1e-9)


def test_exposure_is_an_offset_of_its_logarithm():
    X, y = visits()
    years = np.random.default_rng(0).uniform(0.5, 2, len(y))
    model = LogLinearRegression().fit(X, y, exposure=years)
    peer = LogLinearRegression().fit(X, y, offset=np.log(years))
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-12)
    np.testing.assert_allclose(model.predict(X, exposure=years), years * model.predict(X), rtol=1e-12)
    assert model.score(X, y, exposure=years) == pytest.approx(peer.score(X, y, offset=np.log(years)))


def test_labels_of_any_type_come_back():
    X, y = tumours()
    labels = np.where(y == 1, "malignant", "benign")
    model = LogisticRegression().fit(X, labels)
    assert model.classes_.tolist() == ["benign", "malignant"]
    assert set(model.predict(X)) == {"benign", "malignant"}
    np.testing.assert_allclose(model.params, LogisticRegression().fit(X, y).params)


def test_log_probabilities_do_not_underflow():
    model = LogisticRegression(alpha=1.0).fit([[0.0], [1.0]], [0, 1])
    found = model.predict_log_proba([[1e4], [-1e4]])
    assert np.isfinite(found).all()
    assert found.min() < -800


def test_summary_names_the_columns():
    X, y = tumours()
    text = LogisticRegression().fit(X, y).summary()
    table = text.partition("%\n")[2].splitlines()[:-1]
    assert [line.split()[0] for line in table] == ["intercept", *X.columns]
    assert "covariance      observed information, exact Hessian" in text and max(map(len, text.splitlines())) == 78


def test_estimators_serve_scikit_learn_pipelines_and_searches():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = tumours()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__alpha": [0.1, 1e4]}, cv=3
    ).fit(X, y)
    assert search.best_params_ == {"logisticregression__alpha": 0.1}
    assert clone(LogLinearRegression(alpha=2.0)).alpha == 2.0
    assert repr(LogLinearRegression(alpha=2.0)) == "LogLinearRegression(alpha=2.0)"


@pytest.mark.parametrize(
    ("model", "y", "direction"),
    [
        (LogisticRegression(), [0, 0, 0, 1, 1, 1], "along\n  .*x0"),
        (LogLinearRegression(), [0, 0, 0, 2, 3, 1], "along\n  -intercept [+] x0\n"),
        (LogLinearRegression(), [0, 0, 0, 0, 0, 0], "along\n  -intercept\n"),
    ],
)
def test_separated_data_warned_of(model, y, direction):
    X = np.array([[0.0], [0.0], [0.0], [1.0], [1.0], [1.0]])
    with pytest.warns(IdentificationWarning, match=direction):
        model.fit(X, y)
    assert not model.converged_
    assert np.isnan(model.bse).all()
    assert "do not use these estimates" in model.summary()


def test_perfect_prediction_without_separation_is_not_warned_of():
    X = np.concatenate([np.linspace(-60, -1, 40), [-0.5, 0.5, 0.4, -0.4], np.linspace(1, 60, 40)])
    y = np.concatenate([np.zeros(40), [1, 0, 1, 0], np.ones(40)])
    model = LogisticRegression(method="trust-exact").fit(X[:, np.newaxis], y)
    assert model.converged_
    assert model.decision_function(X[:, np.newaxis]).max() > 40


def test_collinear_columns_named():
    X, y = tumours()
    X = X.assign(twice=2 * X["mean_area"])
    with pytest.warns(IdentificationWarning, match=r"along\n  mean_area - 0\.5 \* twice\n"):
        model = LogisticRegression().fit(X, y)
    assert np.isnan(model.bse).all()


def test_stopping_early_warned_of():
    X, y = tumours()
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        model = LogisticRegression(max_iter=1).fit(X, y)
    assert not model.converged_


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda X, y: LogisticRegression().fit(X, y[:-1]), "X has 569 rows, y 568"),
        (lambda X, y: LogisticRegression().fit(X, y * 0), "y has 1 class, 0: nothing to tell apart"),
        (lambda X, y: LogisticRegression().fit(X.shift(1), y), r"contains NaN in 1 row \(counted from 0\): 0"),
        (lambda X, y: LogisticRegression().fit(X.assign(grade="high"), y), "encode or leave out grade"),
        (lambda X, y: LogisticRegression().fit(X, y, -np.ones(569)), "sample_weight is negative in 569 rows"),
        (lambda X, y: LogisticRegression().fit(X, y, np.zeros(569)), "sample_weight is zero in every row"),
        (lambda X, y: LogLinearRegression().fit(X, y - 1), "y is negative in 357 rows"),
        (lambda X, y: LogLinearRegression().fit(X, y, exposure=y), "exposure is not positive in 357 rows"),
        (lambda X, y: LogisticRegression(alpha=-1).fit(X, y), "alpha is -1"),
        (lambda X, y: LogisticRegression(tol=0).fit(X, y), "tol is 0"),
        (lambda X, y: LogisticRegression().set_params(C=1), "Invalid parameter C for LogisticRegression"),
        (lambda X, y: LogisticRegression().fit(X, y).predict(X[["mean_area"]]), "yet now missing:\n- mean_smoothness"),
        (lambda X, y: LogisticRegression().fit(X, y).predict(np.ones((1, 3))), "X has 3 features, but"),
    ],
)
def test_bad_input_refused(action, message):
    with pytest.raises(ValueError, match=message) as error:
        action(*tumours())
    assert isinstance(error.value, AutooptError)
    assert "To fix this: " in str(error.value)


def test_unfitted_estimator_says_so():
    with pytest.raises(ValueError, match="not fitted yet"):
        LogisticRegression().predict([[1.0]])
    assert not hasattr(LogisticRegression(), "params")


def test_unknown_method_refused():
    with pytest.raises(UsageError, match="newton-cg"):
        LogisticRegression(method="newton-gc").fit(*tumours())


@pytest.mark.slow
def test_models_import_no_heavy_package():
    import subprocess
    import sys

    code = "import sys, autoopt.models; print({'pandas', 'sklearn', 'statsmodels', 'pytensor'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
