"""The base of the estimators: scikit-learn's checks, classes, sparse data, derivatives that ship, what is beside."""

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from autoopt.errors import InferenceError, VerificationError
from autoopt.models import MODELS, LogisticRegression, LogLinearRegression, derived, shipping
from autoopt.models.ancillary import Ancillary
from autoopt.models.regression import Regression
from autoopt.models.validation import IdentificationWarning

sm = pytest.importorskip("statsmodels.api")
pytest.importorskip("sklearn")
sparse = pytest.importorskip("scipy.sparse")

every_model = pytest.mark.parametrize("name", sorted(MODELS))
CLASSES = np.repeat(["apple", "pear", "plum"], 60)


def fruits(rows=180, columns=3):
    """Return covariates and three overlapping classes."""
    rng = np.random.default_rng(8)
    return rng.normal(size=(rows, columns)) + 0.5 * np.eye(columns)[np.repeat([0, 1, 2], 60)], CLASSES


def counts(rows=150):
    rng = np.random.default_rng(5)
    X = rng.normal(size=(rows, 2))
    return X, rng.poisson(np.exp(0.3 + X @ [0.5, -0.4])).astype(float)


# scikit-learn's checks ------------------------------------------------------------------------------------------------


def checks_of(estimator, names=None):
    """Return scikit-learn's checks of an estimator, those with these names."""
    from sklearn.utils.estimator_checks import estimator_checks_generator

    found = [check for _, check in estimator_checks_generator(estimator)]
    return [check for check in found if names is None or check.func.__name__ in names]


QUICK = {
    "check_estimator_cloneable", "check_estimator_tags_renamed", "check_valid_tag_types", "check_estimator_repr",
    "check_no_attributes_set_in_init", "check_estimators_unfitted", "check_mixin_order", "check_get_params_invariance",
    "check_n_features_in", "check_estimators_dtypes", "check_set_params", "check_dont_overwrite_parameters",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@every_model
def test_quick_checks_of_scikit_learn_pass(name):
    estimator = MODELS[name].estimator()
    checks = checks_of(estimator, QUICK)
    assert len(checks) >= len(QUICK) - 1
    for check in checks:
        check(estimator)


NO_MAXIMUM = {("cox", 0.0): {"check_sample_weight_equivalence_on_dense_data": "30 columns of 15 rows order the times"}}
"""Checks whose data have no maximum, by model and penalty: where the solver stops is no estimate, and warned of."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@every_model
def test_every_check_of_scikit_learn_passes(name, alpha):
    from sklearn.utils.estimator_checks import check_estimator

    estimator = MODELS[name].estimator()
    if "alpha" in estimator.get_params():
        estimator.set_params(alpha=alpha)
    elif alpha:
        return
    expected = NO_MAXIMUM.get((name, alpha))
    results = check_estimator(estimator, on_skip=None, on_fail=None, expected_failed_checks=expected)
    assert [(one["check_name"], one["exception"]) for one in results if one["status"] == "failed"] == []


@pytest.mark.slow
def test_estimators_are_base_estimators_where_scikit_learn_is_loaded():
    from sklearn.base import BaseEstimator, is_classifier, is_regressor

    assert isinstance(LogisticRegression(), BaseEstimator)
    assert is_classifier(LogisticRegression()) and is_regressor(LogLinearRegression())
    from sklearn import config_context
    from sklearn.model_selection import GridSearchCV

    X, y = fruits()
    with config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=3).fit(X, y, sample_weight=np.ones(len(y)))


@pytest.mark.slow
def test_estimators_do_not_load_scikit_learn():
    code = (
        "import sys, numpy as np, autoopt.models as models\n"
        "m = models.LogisticRegression().fit(np.arange(6.0)[:, None], [0, 1, 0, 1, 0, 1])\n"
        "p = models.LogLinearRegression().fit(np.arange(6.0)[:, None], [0, 1, 0, 1, 0, 1])\n"
        "print(repr(m), len(m._repr_html_()) < 2000, {'sklearn', 'pytensor', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "LogisticRegression() True set()", done.stderr


def test_pickled_estimators_predict_the_same():
    X, y = fruits()
    model = LogisticRegression().fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.summary() == model.summary()


def test_markup_of_estimators_is_escaped():
    X, y = counts()
    table = pd.DataFrame(X, columns=["<script>alert(1)</script>", "b & c"])
    text = LogLinearRegression(method="newton").fit(table, y)._repr_html_()
    assert "<script" not in text and "&lt;script&gt;" in text and "b &amp; c" in text
    assert (
        LogLinearRegression(method="<b>")._repr_html_()
        == "<pre>LogLinearRegression(method=&#x27;&lt;b&gt;&#x27;)</pre>"
    )


# Several classes ------------------------------------------------------------------------------------------------------


def test_several_classes_are_those_of_statsmodels():
    X, y = fruits()
    model = LogisticRegression().fit(X, y)
    peer = sm.MNLogit(np.searchsorted(np.unique(y), y), sm.add_constant(X)).fit(disp=0, tol=1e-13, method="newton")
    np.testing.assert_allclose(model.params, peer.params.T.ravel(), rtol=1e-7)
    np.testing.assert_allclose(model.bse, peer.bse.T.ravel(), rtol=1e-7)
    np.testing.assert_allclose([model.llf, model.aic, model.bic], [peer.llf, peer.aic, peer.bic], rtol=1e-10)
    np.testing.assert_allclose(model.cov_params(), peer.cov_params(), rtol=1e-6, atol=1e-12)
    assert model.names_[:2] == ["pear: intercept", "pear: x0"]


@pytest.mark.parametrize("intercept", [True, False])
def test_penalised_classes_are_those_of_scikit_learn(intercept):
    from sklearn.linear_model import LogisticRegression as Peer

    X, y = fruits()
    weights = np.random.default_rng(0).integers(1, 4, len(y))
    model = LogisticRegression(alpha=2.0, fit_intercept=intercept).fit(X, y, weights)
    peer = Peer(C=0.5, fit_intercept=intercept, tol=1e-12, max_iter=10000).fit(X, y, weights)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)
    np.testing.assert_allclose(model.intercept_, peer.intercept_, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(X), peer.predict_proba(X), atol=1e-7)
    np.testing.assert_array_equal(model.predict(X), peer.predict(X))
    gradient = LogisticRegression(alpha=2.0, fit_intercept=intercept, method="l-bfgs-b").fit(X, y, weights)
    np.testing.assert_allclose(model.params, gradient.params, rtol=1e-5)
    np.testing.assert_allclose(model.bse, gradient.bse, rtol=1e-6)


@pytest.mark.parametrize("class_weight", ["balanced", {"apple": 3.0, "plum": 0.5}])
@pytest.mark.parametrize("classes", [2, 3])
def test_weights_of_classes_are_those_of_scikit_learn(class_weight, classes):
    from sklearn.linear_model import LogisticRegression as Peer

    X, y = fruits()
    X, y = X[: 40 + 60 * (classes - 1)], y[: 40 + 60 * (classes - 1)]
    if classes == 2:
        class_weight = class_weight if isinstance(class_weight, str) else {"apple": 3.0}
    model = LogisticRegression(alpha=1.0, class_weight=class_weight).fit(X, y)
    peer = Peer(C=1.0, class_weight=class_weight, tol=1e-12, max_iter=10000).fit(X, y)
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=1e-6)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [("equal", "class_weight is 'equal'"), ({"fig": 2.0}, "'fig', which is no class"), ({"pear": -1}, "negative")],
)
def test_weights_that_are_none_refused(class_weight, message):
    with pytest.raises(ValueError, match=message):
        LogisticRegression(class_weight=class_weight).fit(*fruits())


def test_offset_of_several_classes_has_a_column_for_each():
    X, y = fruits()
    X = sparse.csr_array(X)
    free = LogisticRegression().fit(X, y)
    known = X[:, 2:].toarray() * free.coef_[:, 2] + 7.0  # what all classes share changes nothing
    for method in (None, "l-bfgs-b"):
        held = LogisticRegression(method=method).fit(X[:, :2], y, offset=known)
        tolerance = 1e-8 if method is None else 1e-4
        np.testing.assert_allclose(held.coef_, free.coef_[:, :2], rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(
            held.predict_proba(X[:, :2], offset=known), free.predict_proba(X), rtol=tolerance, atol=tolerance
        )
    bfgs = LogisticRegression(method="bfgs").fit(X[:, :2].toarray(), y, offset=known)
    np.testing.assert_allclose(bfgs.llf, free.llf, rtol=1e-9)
    with pytest.raises(ValueError, match="y has 3 classes: one that all of them share"):
        LogisticRegression().fit(X, y, offset=np.ones(len(y)))
    with pytest.raises(ValueError, match="offset contains NaN in 1 row"):
        LogisticRegression().fit(X, y, offset=np.vstack([[np.nan, 0, 0], known[1:]]))


# Data -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
@pytest.mark.parametrize(("estimator", "data"), [(LogisticRegression, fruits), (LogLinearRegression, counts)])
def test_sparse_data_give_what_dense_ones_do(estimator, data, layout):
    X, y = data()
    X = np.where(np.abs(X) < 0.3, 0.0, X)
    dense, found = estimator().fit(X, y), estimator().fit(sparse.coo_array(X).asformat(layout), y)
    np.testing.assert_allclose(found.params, dense.params, rtol=1e-9)
    np.testing.assert_allclose(found.bse, dense.bse, rtol=1e-9)
    if estimator is LogLinearRegression:
        np.testing.assert_allclose(found.predict(sparse.csr_array(X)), dense.predict(X))
    else:
        np.testing.assert_allclose(found.predict_proba(sparse.csr_array(X)), dense.predict_proba(X))


def test_missing_entries_of_sparse_data_named():
    X = sparse.csr_array(np.array([[0.0, 1.0], [np.nan, 0.0], [1.0, 1.0]]))
    with pytest.raises(ValueError, match=r"contains NaN in 1 row \(counted from 0\): 1\."):
        LogLinearRegression().fit(X, [1, 2, 3])


def test_methods_without_sparse_data_say_so():
    with pytest.raises(TypeError, match="method='bfgs' does not take"):
        LogLinearRegression(method="bfgs").fit(sparse.csr_array(np.eye(3)), [1, 2, 3])


@pytest.mark.parametrize("data", [fruits, lambda: (fruits()[0][:120], CLASSES[:120])])
def test_so_many_columns_that_no_hessian_is_computed(data, monkeypatch):
    X, y = data()
    few = LogisticRegression(alpha=0.5).fit(X, y)
    given = LogisticRegression(alpha=0.5, method="l-bfgs-b", tol=1e-10).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(given.params, few.params, rtol=1e-6)
    np.testing.assert_allclose(given.bse, few.bse, rtol=1e-6)
    monkeypatch.setattr("autoopt.models.regression.LARGEST", 2)
    monkeypatch.setattr("autoopt.models.problem.LARGEST", 2)
    many = LogisticRegression(alpha=0.5, tol=1e-10).fit(X, y)
    np.testing.assert_allclose(many.params, few.params, rtol=1e-6)
    assert many.method_ == "l-bfgs-b" and np.isnan(many.bse).all() and "not computed" in many.summary()
    with pytest.raises(InferenceError, match="method='newton'"):
        many.cov_params()


def test_columns_of_polars_are_named():
    polars = pytest.importorskip("polars")
    X, y = counts()
    model = LogLinearRegression().fit(polars.DataFrame({"dose": X[:, 0], "age": X[:, 1]}), y)
    assert model.names_ == ["intercept", "dose", "age"]


def test_many_rows_begin_with_a_part_and_end_with_all():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120_000, 2))
    y = (rng.random(120_000) < 1 / (1 + np.exp(0.5 - X @ [1.0, -0.5]))).astype(float)
    model = LogisticRegression().fit(X, y)
    peer = sm.Logit(y, sm.add_constant(X)).fit(disp=0, tol=1e-12)
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-9)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-9)


@pytest.mark.parametrize("far", [1e4, 1e6, 1e9])
@pytest.mark.parametrize(("estimator", "data"), [(LogisticRegression, fruits), (LogLinearRegression, counts)])
def test_columns_far_from_zero_lose_no_digits(estimator, data, far):
    X, y = data()
    near = np.round(X * 2**16) / 2**16  # so that nothing is lost by adding
    expected, found = estimator().fit(near, y), estimator().fit(near + [far, *[0.0] * (X.shape[1] - 1)], y)
    size = X.shape[1] + 1
    own = np.arange(len(expected.params)) % size > 0
    np.testing.assert_allclose(found.params[own], expected.params[own], rtol=1e-9)
    np.testing.assert_allclose(found.bse[own], expected.bse[own], rtol=1e-9)
    jump = np.kron(
        np.eye(len(expected.params) // size), np.eye(size) - far * np.outer(np.eye(size)[0], np.eye(size)[1])
    )
    np.testing.assert_allclose(found.cov_params(), jump @ expected.cov_params() @ jump.T, rtol=1e-8)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-9)


def test_a_constant_with_rounding_is_not_identified():
    X, y = counts()
    noise = 1 + 1e-15 * np.arange(len(y))
    with pytest.warns(IdentificationWarning, match="x2"):
        LogLinearRegression().fit(np.column_stack([X, 3.0 * noise]), y)


# Derivatives by row ---------------------------------------------------------------------------------------------------


@pytest.mark.slow_for("negative-binomial", "student")
@pytest.mark.parametrize("name", sorted(name for name, model in MODELS.items() if model.terms_by_row))
@pytest.mark.sampled(2)
def test_derivatives_that_ship_are_those_that_autoopt_prints(name):
    file = shipping.name_of(MODELS[name]) + ".py"
    kept = (shipping.FOLDER / file).read_text(encoding="utf-8")
    assert kept == shipping.text_of(MODELS[name]), "run `python -m autoopt.models.shipping`"


@pytest.mark.parametrize("name", sorted(name for name, model in MODELS.items() if model.terms_by_row))
def test_derivatives_that_ship_agree_with_differences(name):
    model = MODELS[name]
    rng = np.random.default_rng(2)
    y = rng.choice(np.array(model.sample), 40)
    ancillary = np.array(model.ancillary)
    derivatives = derived.row_derivatives(shipping.name_of(model), model.likelihood, y, ancillary)
    derived.agreeing(derivatives, rng.normal(size=40), y, ancillary)
    assert derivatives.second(rng.normal(size=3), y[:3], ancillary).shape == (3, 1 + ancillary.size, 1 + ancillary.size)


@pytest.mark.parametrize("order", ["slopes", "curvatures"])
def test_a_wrong_derivative_is_seen(order):
    X, y = counts()
    right = derived.row_derivatives("loglinear", MODELS["loglinear"].likelihood, y, np.zeros(0))
    wrong = replace(right, **{order: lambda *args: 1.001 * getattr(right, order)(*args)})
    with pytest.raises(VerificationError, match="slope" if order == "slopes" else "curvature"):
        derived.agreeing(wrong, X[:, 0], y, np.zeros(0))


# Parameters beside the coefficients -----------------------------------------------------------------------------------


def gaussian(eta, y, sigma):
    return 0.5 * ((y - eta) / sigma) ** 2 + np.log(sigma)


class Gaussian(Regression):
    """Normal errors, with their standard deviation."""

    _terms = staticmethod(gaussian)
    _estimator_type = "regressor"

    def fit(self, X, y, sample_weight=None, *, offset=None):
        self._fit(X, y, sample_weight, offset)
        return self

    def _ancillaries(self, y, offset, weights):
        return (Ancillary("sigma", 3.0 * float(np.std(y)), positive=True),)


@pytest.mark.slow_for("newton")
@pytest.mark.parametrize("method", ["newton", "bfgs"])
def test_parameters_beside_the_coefficients_have_standard_errors(method):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = 1.0 + X @ [2.0, -1.0] + 0.7 * rng.normal(size=80)
    model = Gaussian(method=method).fit(X, y)
    peer = sm.OLS(y, sm.add_constant(X)).fit()
    sigma = np.sqrt(peer.ssr / 80)
    assert model.names_ == ["intercept", "x0", "x1", "sigma"]
    np.testing.assert_allclose(model.params, [*peer.params, sigma], rtol=1e-7)
    np.testing.assert_allclose(model.bse, [*(peer.bse * np.sqrt(77 / 80)), sigma / np.sqrt(160)], rtol=1e-6)
    assert model.ancillary_ == {"sigma": pytest.approx(sigma)}
    assert model.llf - 40 * np.log(2 * np.pi) == pytest.approx(peer.llf, rel=1e-10)
