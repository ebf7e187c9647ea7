"""Log-linear models of contingency tables against statsmodels, SciPy, and published figures."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from autoopt.errors import AutooptError, UsageError
from autoopt.models import ContingencyTable
from autoopt.models.validation import IdentificationWarning

sm = pytest.importorskip("statsmodels.api")

ADMISSIONS = pd.read_csv(Path(__file__).parents[2] / "examples" / "data" / "berkeley_admissions.csv")
WITHIN = "department*gender + department*admitted"


def admissions(margins):
    return ContingencyTable(margins).fit(ADMISSIONS, count="count")


@pytest.mark.parametrize(
    ("margins", "formula"),
    [
        (WITHIN, "department*gender + department*C(admitted)"),
        ("gender + admitted*department", "gender + C(admitted)*department"),
        ("department*gender + gender*admitted + admitted*department", "(department + gender + C(admitted))**2"),
        (None, "department + gender + C(admitted)"),
    ],
)
def test_estimates_tests_and_residuals_are_those_of_statsmodels(margins, formula):
    model = admissions(margins)
    peer = sm.GLM.from_formula(f"count ~ {formula}", ADMISSIONS, family=sm.families.Poisson()).fit(tol=1e-13)
    np.testing.assert_allclose(model.G2, peer.deviance, rtol=1e-9)
    np.testing.assert_allclose(model.X2, peer.pearson_chi2, rtol=1e-7)
    assert model.df_resid == peer.df_resid
    assert model.llf == pytest.approx(peer.llf, rel=1e-12)
    rows = ADMISSIONS.pivot_table(index=["department", "gender", "admitted"], values="count", sort=True).index
    order = pd.MultiIndex.from_frame(ADMISSIONS[["department", "gender", "admitted"]]).get_indexer(rows)
    np.testing.assert_allclose(model.expected_.ravel(), peer.fittedvalues.to_numpy()[order], rtol=1e-9)
    shown = {"pearson": peer.resid_pearson, "deviance": peer.resid_deviance}
    shown["adjusted"] = peer.get_influence().resid_studentized
    for kind, residuals in shown.items():
        np.testing.assert_allclose(model.residuals(kind).ravel(), np.asarray(residuals)[order], rtol=1e-6, atol=1e-7)
    names = dict(zip(model.terms_, zip(model.params, model.bse, strict=True), strict=True))
    ours = [names["intercept"], names["department[F]"], names["admitted[1]"]]
    theirs = [(peer.params[name], peer.bse[name]) for name in ("Intercept", "department[T.F]", "C(admitted)[T.1]")]
    np.testing.assert_allclose(ours, theirs, rtol=1e-7)


def test_published_tests_of_the_admissions_are_found():
    """Agresti (2013), Categorical Data Analysis, 3rd edition, section 9.4: G2 = 21.7 on 6, 20.2 on 5."""
    assert (round(admissions(WITHIN).G2, 1), admissions(WITHIN).df_resid) == (21.7, 6)
    pairs = admissions("department*gender + gender*admitted + admitted*department")
    assert (round(pairs.G2, 1), pairs.df_resid) == (20.2, 5)


@pytest.mark.parametrize("statistic", ["G2", "X2"])
def test_independence_of_two_factors_is_scipys_test(statistic):
    counts = np.array([[10, 20, 30], [6, 9, 17]])
    model = ContingencyTable().fit(counts)
    kind = {"G2": "log-likelihood", "X2": "pearson"}[statistic]
    peer = stats.chi2_contingency(counts, correction=False, lambda_=kind)
    assert getattr(model, statistic) == pytest.approx(peer.statistic, rel=1e-10)
    assert {"G2": model.pvalue, "X2": model.pvalue_X2}[statistic] == pytest.approx(peer.pvalue, rel=1e-9)
    np.testing.assert_allclose(model.expected_, peer.expected_freq, rtol=1e-12)


def test_rows_of_a_frame_are_counted_and_categories_keep_their_order():
    rows = ADMISSIONS.loc[ADMISSIONS.index.repeat(ADMISSIONS["count"])].drop(columns="count")
    rows["gender"] = pd.Categorical(rows["gender"], ["male", "female"])
    model = ContingencyTable(WITHIN).fit(rows)
    assert model.levels_[1] == ["male", "female"]
    np.testing.assert_allclose(model.G2, admissions(WITHIN).G2, rtol=1e-12)
    assert "gender[female]" in model.summary()


def test_structural_zeros_are_left_out():
    """Quasi-independence off the diagonal of a square table, whose means have a closed form by symmetry."""
    counts = np.array([[0, 10, 10], [10, 0, 10], [10, 10, 0]])
    model = ContingencyTable().fit(counts, structural_zeros=np.eye(3, dtype=bool))
    assert model.df_resid == 1
    np.testing.assert_allclose(model.G2, 0, atol=1e-9)
    assert np.isnan(np.diag(model.expected_)).all()
    np.testing.assert_allclose(model.expected_[~np.eye(3, dtype=bool)], 10, rtol=1e-9)


def test_the_saturated_model_reproduces_all():
    model = ContingencyTable("A*B").fit([[1, 2], [3, 4]])
    assert model.df_resid == 0
    assert np.isnan(model.pvalue)
    assert np.isnan(model.residuals()).all()
    odds = model.params[-1]
    assert odds == pytest.approx(np.log(4 / 6), rel=1e-8)
    assert model.bse[-1] == pytest.approx(np.sqrt(1 + 1 / 2 + 1 / 3 + 1 / 4), rel=1e-8)


def test_nested_models_are_compared_by_their_deviances():
    statistic, freedom, pvalue = admissions("gender + admitted*department").lr_test(admissions(WITHIN))
    assert freedom == 5
    assert statistic == pytest.approx(admissions("gender + admitted*department").G2 - admissions(WITHIN).G2)
    assert pvalue == pytest.approx(stats.chi2.sf(statistic, 5))
    with pytest.raises(UsageError, match="not nested"):
        admissions(WITHIN).lr_test(admissions("gender + admitted*department"))


def test_empty_margins_are_told_by_name():
    with pytest.warns(IdentificationWarning, match=r"B\[1\]"):
        model = ContingencyTable().fit([[1, 0], [3, 0]])
    assert np.isnan(model.bse).all()


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: admissions("gendre"), "no factor 'gendre'. Did you mean gender"),
        (lambda: ContingencyTable().fit(ADMISSIONS, count="counts"), "no column 'counts'. Did you mean count"),
        (lambda: ContingencyTable().fit([[1, -2], [3, 4]]), "y is negative"),
        (lambda: ContingencyTable().fit([[1, 2], [3, 4]], names=["a"]), "1 names"),
        (lambda: ContingencyTable().fit([[1, 2], [3, 4]], structural_zeros=[True]), "structural_zeros has shape"),
        (lambda: admissions(WITHIN).residuals("studentised"), "use adjusted, deviance, pearson"),
    ],
)
def test_what_is_no_table_is_refused(action, message):
    with pytest.raises(AutooptError, match=message):
        action()
    assert not hasattr(ContingencyTable(), "params")
