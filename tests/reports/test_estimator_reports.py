"""The report of an estimator: the sections that it has, its derivatives, and that all in it is text."""

import re

import numpy as np
import pandas as pd
import pytest
from drawn_data import X, Y

import autoopt
from autoopt.models import CoxRegression, LogisticRegression, OrderedRegression, QuantileRegression
from autoopt.reports import estimators
from autoopt.reports.writing import HEADLINES

HOSTILE = "<script>alert(1)</script>"
COVARIATES = pd.DataFrame({HOSTILE: X[:, 1], "dose": X[:, 2]})


def sections_of(page):
    return re.findall(r'<section id="(\w+)"', page)


def test_an_estimator_has_a_report_with_its_data_and_without(tmp_path):
    model = LogisticRegression(covariance="robust").fit(COVARIATES, Y)
    page = model.report(tmp_path / "page.html", X=COVARIATES, y=Y)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    assert sections_of(page) == [
        "summary", "coefficients", "spectrum", "residuals", "calibration", "derivatives", "model", "data",
        "environment",
    ]  # fmt: skip
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page
    assert "scipy.special.expit" in page and "np.logaddexp(0, eta) - y * eta" in page
    assert "robust (sandwich, HC0)" in page and HEADLINES["converged"][1] in page
    assert "could not be made" not in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "text"),
    [(OrderedRegression(), "shares[0]"), (CoxRegression(), "means.T @ means"), (QuantileRegression(), "")],
)
def test_closed_forms_stand_in_the_report(model, text):
    page = model.fit(X[:, 1:], Y + 1.0).report()
    assert text in page and "could not be made" not in page
    assert ("derivatives" in sections_of(page)) == bool(text) and "model" in sections_of(page)
    assert "Estimators do not keep their data" in page


@pytest.mark.slow
def test_an_estimator_of_a_model_has_the_report_of_its_fit():
    model = autoopt.Estimator(lambda b, X, y: y - X @ b, x0=np.zeros(3), kind="least squares").fit(X, Y)
    assert "certificate" in sections_of(model.report())


@pytest.mark.filterwarnings("ignore::autoopt.models.validation.IdentificationWarning")
def test_an_estimator_that_is_not_identified_says_so_at_the_top():
    model = LogisticRegression().fit(np.arange(8.0)[:, np.newaxis], np.arange(8) > 3)
    page = model.report()
    assert '<p class="verdict">Not converged, or not identified' in page and "could not be made" not in page


def test_the_curvature_of_robust_fits_is_that_of_the_likelihood():
    usual, robust = (LogisticRegression(covariance=kind).fit(1e3 + X[:, 1:], Y) for kind in (None, "robust"))
    spectra = [estimators.subject_of(one).spectrum[1] for one in (usual, robust)]
    np.testing.assert_allclose(*spectra, rtol=1e-6)
    assert estimators.subject_of(QuantileRegression().fit(X[:, 1:], Y)).spectrum is None
    assert estimators.subject_of(CoxRegression().fit(X[:, 1:], Y + 1), X[:, 1:], Y + 1).spread is None
