"""autoopt.Estimator: any model as a citizen of scikit-learn's tools."""

import pickle

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt import Estimator
from autoopt.errors import AutooptError
from autoopt.models import LogisticRegression

sm = pytest.importorskip("statsmodels.api")
pytest.importorskip("sklearn")

FILE = """
import numpy as np

kind = "negative log-likelihood"


def x0(X, y):
    return np.zeros(X.shape[1])


def objective(params, X, y):
    eta = X @ params
    return np.logaddexp(0, eta) - y * eta


def predict(params, X):
    return 1 / (1 + np.exp(-X @ params))
"""


def residuals(params, X, y):
    return y - X @ params[1:] - params[0]


def line(params, X):
    return X @ params[1:] + params[0]


def start(X, y):
    return np.zeros(X.shape[1] + 1)


def linear(**options):
    return Estimator(residuals, x0=start, kind="least squares", prediction=line, **options)


def sample(rows=60):
    rng = np.random.default_rng(4)
    X = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["dose", "age"])
    return X, 1 + X.to_numpy() @ [2.0, -1.0] + 0.3 * rng.normal(size=rows)


def test_inference_is_that_of_statsmodels():
    X, y = sample()
    model, peer = linear().fit(X, y), sm.OLS(y, sm.add_constant(X)).fit()
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-8)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-8)
    np.testing.assert_allclose(model.pvalues, peer.pvalues, rtol=1e-5)
    np.testing.assert_allclose(model.cov_params(), peer.cov_params(), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose([model.llf, model.aic, model.bic], [peer.llf, peer.aic, peer.bic], rtol=1e-8)
    np.testing.assert_allclose(model.predict(X), peer.fittedvalues, rtol=1e-8)
    assert model.score(X, y) == pytest.approx(peer.rsquared) and model.converged_
    assert model.summary() == model.fit_.summary()


def test_weights_are_those_of_statsmodels():
    X, y = sample()
    weights = np.random.default_rng(0).uniform(0.5, 2, len(y))
    peer = sm.WLS(y, sm.add_constant(X), weights=weights).fit()
    np.testing.assert_allclose(linear().fit(X, y, weights).params, peer.params, rtol=1e-7)


def test_a_model_file_becomes_a_classifier(tmp_path):
    (tmp_path / "model.py").write_text(FILE)
    X, y = sample()
    labels = np.where(y > 1, "high", "low")
    labels[:9] = "low"
    model = Estimator(tmp_path / "model.py", classifier=True).fit(X, labels)
    peer = LogisticRegression(fit_intercept=False).fit(X, labels)
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-7)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-7)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), rtol=1e-7)
    assert model.predict(X).tolist() == peer.predict(X).tolist() and model.score(X, labels) == peer.score(X, labels)
    assert model.names_ == ["dose", "age"]
    again = pickle.loads(pickle.dumps(model))
    assert again.predict(X).tolist() == model.predict(X).tolist() and again.summary() == model.summary()


def test_pipelines_and_searches_take_models():
    from sklearn.base import clone, is_regressor
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = sample()
    assert is_regressor(linear()) and clone(linear(tol=1e-9)).tol == 1e-9
    assert cross_val_score(make_pipeline(StandardScaler(), linear()), X, y, cv=3).min() > 0.9
    search = GridSearchCV(linear(), {"fixed": [None, {0: 5.0}]}, cv=3).fit(X, y)
    assert search.best_params_ == {"fixed": None}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_every_check_of_scikit_learn_passes():
    from sklearn.utils.estimator_checks import check_estimator

    unidentified = {"check_sample_weight_equivalence_on_dense_data": "11 parameters of 15 rows, some of weight 0"}
    results = check_estimator(linear(), on_skip=None, on_fail=None, expected_failed_checks=unidentified)
    assert [(one["check_name"], one["exception"]) for one in results if one["status"] == "failed"] == []


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda X, y: Estimator().fit(X, y), "There is no model"),
        (lambda X, y: Estimator(residuals).fit(X, y), "There is no start"),
        (lambda X, y: linear().predict(X), "not fitted yet"),
        (lambda X, y: linear().fit(X, y).predict(X[["age"]]), "yet now missing:\n- dose"),
        (lambda X, y: Estimator(residuals, x0=start, kind="least squares").fit(X, y).predict(X), "has no predictions"),
        (lambda X, y: linear().set_params(prediction=lambda p, X: 1.0).fit(X, y).predict(X), r"have shape \(\)"),
        (lambda X, y: linear().fit(X, y[:-1]), "X has 60 rows, y 59"),
        (
            lambda X, y: Estimator(lambda p, X, y: p @ p, x0=[1.0, 2.0]).fit(X, y, y**2),
            "no row can be weighted",
        ),
    ],
)
def test_what_cannot_be_is_said(action, message):
    with pytest.raises((AutooptError, ValueError), match=message):
        action(*sample())


def test_estimator_is_public():
    assert not hasattr(linear(), "predict_proba")
    assert autoopt.Estimator is Estimator
    assert repr(Estimator("model.py")) == "Estimator(model='model.py')"
