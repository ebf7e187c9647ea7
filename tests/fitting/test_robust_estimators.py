"""Covariances of the estimators by every convention, against statsmodels and R's sandwich, MASS and survival."""

import numpy as np
import pytest

from autoopt import Estimator
from autoopt.errors import UsageError, VerificationError
from autoopt.models import (
    MODELS,
    CoxRegression,
    GammaRegression,
    HuberRegression,
    LinearRegression,
    LogisticRegression,
    LogLinearRegression,
    NegativeBinomialRegression,
    OrderedRegression,
    QuantileRegression,
    StudentRegression,
    TweedieRegression,
    cox,
    intervals,
    risk_sets,
)
from autoopt.models.concordance import concordance
from autoopt.models.rows import Rows
from autoopt.models.validation import IdentificationWarning

sm = pytest.importorskip("statsmodels.api")
sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(1)
ROWS = 120
X = RNG.normal(size=(ROWS, 2))
Z = sm.add_constant(X)
ETA = Z @ [0.2, 0.3, -0.4]
GROUPS = RNG.integers(0, 15, ROWS)
OFTEN = RNG.integers(0, 3, ROWS)
REPEATED = np.repeat(np.arange(ROWS), OFTEN)
LABELS = np.array([f"clinic {g}" for g in GROUPS])

BINARY = (ETA + RNG.logistic(size=ROWS) > 0).astype(float)
COUNTS = RNG.poisson(np.exp(ETA) * RNG.gamma(2, 0.5, ROWS)).astype(float)
AMOUNTS = RNG.gamma(2, np.exp(ETA) / 2)
REAL = ETA + RNG.standard_t(4, ROWS) * (1 + X[:, 0] ** 2)
GRADES = np.digitize(ETA + RNG.logistic(size=ROWS), [-0.5, 1])

FIRM = {"disp": 0, "tol": 1e-14, "maxiter": 100, "method": "newton"}
LOG = sm.families.links.Log()
PEERS = {
    "logistic": (LogisticRegression, BINARY, lambda y, **how: sm.Logit(y, Z).fit(**FIRM, **how)),
    "multinomial": (LogisticRegression, GRADES, lambda y, **how: sm.MNLogit(y, Z).fit(**FIRM, **how)),
    "loglinear": (LogLinearRegression, COUNTS, lambda y, **how: sm.Poisson(y, Z).fit(**FIRM, **how)),
    "negative binomial": (
        NegativeBinomialRegression,
        COUNTS,
        lambda y, **how: sm.NegativeBinomial(y, Z).fit(
            start_params=0.99 * NegativeBinomialRegression().fit(X, y).params, **FIRM, **how
        ),
    ),
    "linear": (LinearRegression, REAL, lambda y, **how: sm.OLS(y, Z).fit(use_t=True, **how)),
    "tweedie": (
        TweedieRegression,
        AMOUNTS,
        lambda y, **how: sm.GLM(y, Z, sm.families.Tweedie(LOG, var_power=1.5)).fit(tol=1e-14, **how),
    ),
}
THEIRS = {name: {"cov_type": name} for name in ("HC0", "HC1", "HC2", "HC3")}
THEIRS["robust"] = {"cov_type": "HC0"}
THEIRS["cluster"] = {"cov_type": "cluster", "cov_kwds": {"groups": GROUPS}}


def groups_of(kind, groups=LABELS):
    return groups if kind == "cluster" else None


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # steps of statsmodels
@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in PEERS for kind in ("robust", "cluster")]
    + [("linear", kind) for kind in ("HC0", "HC1", "HC2", "HC3")],
)
def test_covariances_are_those_of_statsmodels(name, kind):
    model, y, peer = PEERS[name]
    ours, theirs = model(covariance=kind).fit(X, y, groups=groups_of(kind)), peer(y, **THEIRS[kind])
    np.testing.assert_allclose(ours.params, np.asarray(theirs.params).T.ravel(), rtol=1e-7)
    np.testing.assert_allclose(ours.bse, np.asarray(theirs.bse).T.ravel(), rtol=1e-8)
    np.testing.assert_allclose(ours.pvalues, np.asarray(theirs.pvalues).T.ravel(), rtol=1e-6, atol=1e-14)


# sqrt(diag(sandwich::vcovHC(glm(y ~ GPA + TUCE + PSI, binomial), type))) of spector; of stackloss that of
# sandwich(rlm(y ~ ., acc = 1e-14)). R 4.5 with sandwich 3.1 and MASS 7.3.
SPECTOR = {
    "HC0": (5.19758541009389, 1.26754598199730, 0.11792226774355, 0.96441920960785),
    "HC1": (5.55645252659036, 1.35506365331881, 0.12606420690509, 1.03100750273597),
    "HC2": (5.61458356984075, 1.39844289533513, 0.13428959343963, 1.03593980481720),
    "HC3": (6.08255328511537, 1.55175762043235, 0.15388461122542, 1.11639134196270),
}
STACKLOSS = (5.103507613627515, 0.140349215402846, 0.340455567619719, 0.065622405886743)


@pytest.mark.parametrize("kind", SPECTOR)
def test_leverages_of_classes_are_those_of_r(kind):
    data = sm.datasets.spector.load_pandas()
    found = LogisticRegression(covariance=kind).fit(data.exog, data.endog)
    np.testing.assert_allclose(found.bse, SPECTOR[kind], rtol=1e-7)


def test_robust_errors_of_hubers_loss_are_those_of_r():
    data = sm.datasets.stackloss.load_pandas()
    found = HuberRegression(covariance="robust").fit(data.exog, data.endog)
    np.testing.assert_allclose(found.bse, STACKLOSS, rtol=1e-4)  # MASS has 0.6745 for the quantile of the scale
    design = sm.add_constant(data.exog).to_numpy()
    z = (data.endog.to_numpy() - found.predict(data.exog)) / found.scale_
    bread = np.linalg.inv((design * (np.abs(z) <= 1.345)[:, None]).T @ design)
    scores = (found.scale_ * np.clip(z, -1.345, 1.345))[:, None] * design
    np.testing.assert_allclose(found.cov_params(), bread @ scores.T @ scores @ bread, rtol=1e-9)


# sqrt(diag()) of sandwich() and of vcovCL(cluster = i %% 50), which has the factor G / (G - 1) alone, of
# ordinal::clm(factor(PID) ~ logpopul + age + educ + income, gradTol = 1e-12), thresholds first. ordinal 2023.12.
CLM = {
    "logit": (
        (0.2857761288043311, 0.2880976212831758, 0.2899064388607464, 0.2901929804160994, 0.2923658794003145,
         0.2974572994137869, 0.0186733386554176, 0.0037501733022422, 0.0382582702872590, 0.0097421084646885),
        (0.2966667321774127, 0.2958670776133012, 0.2972445472292670, 0.2934974642272385, 0.2964349778088285,
         0.3144179589998979, 0.0192699134664134, 0.0036773695207023, 0.0388137282107274, 0.0095663632584812),
    ),
    "probit": (
        (0.1723285093729439, 0.1733117827002674, 0.1741370010095528, 0.1742668230153437, 0.1753394850701568,
         0.1779276234772511, 0.0109986966078744, 0.0022065693578326, 0.0231189622497445, 0.0060037557448765),
        (0.1794104913487100, 0.1792036793944387, 0.1799460246960098, 0.1772404274497613, 0.1791060986976502,
         0.1889444014594399, 0.0114230660810219, 0.0022019834414253, 0.0233010785362490, 0.0058260259980689),
    ),
}  # fmt: skip


@pytest.mark.parametrize("link", CLM)
def test_robust_errors_of_ordered_classes_are_those_of_r(link):
    table = sm.datasets.anes96.load_pandas().data
    covariates, y = table[["logpopul", "age", "educ", "income"]], table["PID"].to_numpy().astype(int)
    robust, clustered = (np.roll(errors, -6) for errors in CLM[link])
    found = OrderedRegression(link=link, covariance="robust").fit(covariates, y)
    np.testing.assert_allclose(found.bse, robust, rtol=1e-8)
    found = OrderedRegression(link=link).fit(covariates, y, groups=np.arange(len(y)) % 50)
    rows, size = len(y), len(found.params)
    np.testing.assert_allclose(found.bse * np.sqrt((rows - size) / (rows - 1)), clustered, rtol=1e-8)


# coxph(..., eps = 1e-14) of survival 3.8: coefficients and sqrt(diag(var)) of robust = TRUE, cluster = i %/% 4, of
# strata i %% 2 with weights 1 + i %% 3 / 2 and these clusters; with entry the log-likelihood, too.
SURVIVAL = {
    ("efron", "robust", False): ((0.0623303116094777, 0.0021200717875813), (0.0180201438883471, 0.0011490684866407)),
    ("efron", "cluster", False): ((0.0623303116094777, 0.0021200717875813), (0.0151490481296778, 0.0012652104578078)),
    ("efron", "strata", False): ((0.0681156802411431, 0.0026438803965905), (0.0151027154352243, 0.0011945791607502)),
    ("efron", "robust", True): ((0.0416684142427817, 0.0016229649985511), (0.0171248035138503, 0.0011992526109051)),
    ("efron", "observed", True): ((0.0416684142427817, 0.0016229649985511), (0.0198767358184284, 0.0014583226697031)),
    ("efron", "strata", True): ((0.0448065961270766, 0.0018188814837158), (0.0145981060419086, 0.0011976875937158)),
    ("breslow", "robust", False): ((0.0527367732164605, 0.0015523037147733), (0.0165934213511449, 0.0011514016785646)),
    ("breslow", "strata", False): ((0.0571628757629806, 0.0020272323536973), (0.0148674725030022, 0.0012395153908751)),
    ("breslow", "robust", True): ((0.0339311048102405, 0.0011471352321559), (0.0149246412710488, 0.0011438048582758)),
    ("breslow", "strata", True): ((0.0360031338597108, 0.0013782928392166), (0.0134984634357451, 0.0011260023627087)),
}


def hearts():
    """Return ages and their squares, times with ties, who died, and when the rows enter."""
    table = sm.datasets.heart.load_pandas().data
    rows, time = np.arange(len(table)), np.ceil(table["survival"].to_numpy() / 60)
    covariates = table[["age"]].assign(square=(table["age"] - 45) ** 2)
    late = np.where(rows % 3 == 0, 0, np.floor(time / 3) * (rows % 3) / 2)
    return covariates, time, table["censors"].to_numpy(), np.minimum(late, time - 1)


@pytest.mark.parametrize(("ties", "kind", "late"), SURVIVAL)
def test_robust_errors_and_late_entry_of_hazards_are_those_of_r(ties, kind, late):
    covariates, time, event, entry = hearts()
    rows = np.arange(len(time))
    given = {"groups": rows // 4} if kind in ("cluster", "strata") else {}
    if kind == "strata":
        given |= {"strata": rows % 2, "sample_weight": 1 + rows % 3 / 2}
    model = CoxRegression(ties=ties, covariance=kind if kind in ("robust", "observed") else None)
    model.fit(covariates, time, event=event, entry=entry if late else None, **given)
    params, errors = SURVIVAL[ties, kind, late]
    np.testing.assert_allclose(model.params, params, rtol=1e-7)
    np.testing.assert_allclose(model.bse, errors, rtol=1e-7)


def test_baseline_of_late_entry_is_that_of_r():
    covariates, time, event, entry = hearts()
    model = CoxRegression().fit(covariates, time, event=event, entry=entry)
    np.testing.assert_allclose(model.llf, -145.82721327321, rtol=1e-12)
    np.testing.assert_allclose(model.predict_cumulative_hazard([[0.0, 0.0]], 30.0), 0.2509275663777, rtol=1e-9)


def test_rows_that_enter_where_another_ends_are_one():
    covariates, time, event, _ = hearts()
    whole = CoxRegression(covariance="cluster").fit(covariates, time, event=event, groups=np.arange(len(time)))
    cut = np.floor(time / 2)
    split = cut > 0
    X2, time2 = np.vstack([covariates, covariates[split]]), np.concatenate([time, cut[split]])
    event2, entry2 = np.concatenate([event, 0 * event[split]]), np.concatenate([cut, 0 * cut[split]])
    groups = np.concatenate([np.arange(len(time)), np.flatnonzero(split)])
    for ties in ("efron", "breslow"):
        whole = CoxRegression(ties=ties).fit(covariates, time, event=event, groups=np.arange(len(time)))
        found = CoxRegression(ties=ties).fit(X2, time2, event=event2, entry=entry2, groups=groups)
        np.testing.assert_allclose(found.params, whole.params, rtol=1e-8)
        np.testing.assert_allclose(found.bse, whole.bse, rtol=1e-7)


# Whole weights, penalties, other methods ------------------------------------------------------------------------------

RESPONSES = {
    LogisticRegression: BINARY, LogLinearRegression: COUNTS, NegativeBinomialRegression: COUNTS,
    GammaRegression: AMOUNTS,
    TweedieRegression: AMOUNTS, LinearRegression: REAL, StudentRegression: REAL, HuberRegression: REAL,
    OrderedRegression: GRADES, QuantileRegression: REAL, CoxRegression: AMOUNTS,
}  # fmt: skip


@pytest.mark.parametrize(("model", "kind"), [(model, kind) for model in RESPONSES for kind in model._conventions[1:]])
@pytest.mark.sampled(5)
def test_rows_that_count_several_times_are_so_many_rows(model, kind):
    y = RESPONSES[model]
    ours = model(covariance=kind).fit(X, y, OFTEN, groups=groups_of(kind))
    peer = model(covariance=kind).fit(X[REPEATED], y[REPEATED], groups=groups_of(kind, LABELS[REPEATED]))
    np.testing.assert_allclose(ours.bse, peer.bse, rtol=1e-6)
    assert (ours.bse != model().fit(X, y, OFTEN).bse).all()


@pytest.mark.parametrize("model", RESPONSES)
@pytest.mark.sampled(6)
def test_scores_sum_to_the_gradient_of_the_penalty(model, monkeypatch):
    if model is QuantileRegression:
        return
    seen = []
    evidence = model._evidence

    def seeing(self, convention, problem, found):
        params = np.concatenate([found.x[: problem.coefficients], list(self.ancillary_.values())])
        seen.extend(self._scores(problem, params))
        return evidence(self, convention, problem, found)

    monkeypatch.setattr(model, "_evidence", seeing)
    fitted = model(covariance="robust", alpha=2.0).fit(X, RESPONSES[model])
    scores = np.concatenate(seen)
    first, size = int(bool(fitted.fit_intercept)), fitted.coef_.size
    expected = np.zeros(scores.shape[1])
    expected[first : first + size] = -2.0 * fitted.coef_.ravel()
    np.testing.assert_allclose(scores.sum(axis=0), expected, atol=1e-6 * np.abs(scores).sum(axis=0).max())


def test_blocks_of_rows_make_no_difference(monkeypatch):
    whole = [LogisticRegression(covariance=kind).fit(X, GRADES, OFTEN, groups=groups_of(kind)).bse
             for kind in ("robust", "opg", "cluster")]  # fmt: skip
    scores = Rows.scores
    monkeypatch.setattr(
        Rows, "scores", lambda self, x: (part for block in scores(self, x) for part in np.array_split(block, 7))
    )
    for kind, errors in zip(("robust", "opg", "cluster"), whole, strict=True):
        found = LogisticRegression(covariance=kind).fit(X, GRADES, OFTEN, groups=groups_of(kind))
        np.testing.assert_allclose(found.bse, errors, rtol=1e-9)


@pytest.mark.parametrize(
    ("model", "method"), [(LogisticRegression, "bfgs"), (OrderedRegression, "bfgs"), (CoxRegression, "bfgs")]
)
@pytest.mark.slow
def test_other_methods_have_the_same_covariances(model, method):
    y = RESPONSES[model]
    ours = model(covariance="cluster", method=method, tol=1e-9).fit(X, y, groups=LABELS)
    peer = model(covariance="cluster").fit(X, y, groups=LABELS)
    np.testing.assert_allclose(ours.bse, peer.bse, rtol=1e-5)


def test_columns_far_from_zero_and_sparse_ones_have_the_same_errors():
    shifted = X + [1e6, 0.0]
    for model in (LogisticRegression, OrderedRegression, LinearRegression):
        y = RESPONSES[model]
        plain = model(covariance="robust").fit(X, y)
        coefficients = [plain.names_.index(name) for name in ("x0", "x1")]
        far = model(covariance="robust").fit(shifted, y)
        thin = model(covariance="robust").fit(sparse.csr_array(X), y)
        np.testing.assert_allclose(far.bse[coefficients], plain.bse[coefficients], rtol=1e-6)
        np.testing.assert_allclose(thin.bse, plain.bse, rtol=1e-7)


# Quantiles, models of one's own, and what is refused ------------------------------------------------------------------


def test_clusters_of_quantiles_are_the_sandwich_of_their_sums():
    model = QuantileRegression(quantile=0.3).fit(X, REAL, groups=LABELS)
    residuals = REAL - model.predict(X)
    slope = np.where(residuals > 1e-9, -0.3, 0.7) * model.sparsity_
    sums = np.array([(slope[:, None] * Z)[g == GROUPS].sum(axis=0) for g in np.unique(GROUPS)])
    bread, count = np.linalg.inv(Z.T @ Z), len(sums)
    factor = count / (count - 1) * (ROWS - 1) / (ROWS - 3)
    np.testing.assert_allclose(model.cov_params(), factor * bread @ sums.T @ sums @ bread, rtol=1e-9)
    assert "cluster-robust (sandwich), 15 groups" in model.summary()


def test_an_estimator_of_any_model_takes_groups():
    def residuals(b, X, y):
        return y - b[0] - X @ b[1:]

    model = Estimator(residuals, x0=np.zeros(3), kind="least squares").fit(X, REAL, groups=LABELS)
    np.testing.assert_allclose(model.bse, LinearRegression().fit(X, REAL, groups=LABELS).bse, rtol=1e-7)
    model = Estimator(residuals, x0=np.zeros(3), kind="least squares", covariance="HC3").fit(X, REAL)
    np.testing.assert_allclose(model.bse, LinearRegression(covariance="HC3").fit(X, REAL).bse, rtol=1e-7)


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (lambda: LogisticRegression(covariance="robus").fit(X, BINARY), UsageError, "Did you mean robust"),
        (lambda: LogisticRegression(covariance="cluster").fit(X, BINARY), UsageError, "pass groups="),
        (lambda: LogisticRegression(covariance="HC1").fit(X, BINARY, groups=LABELS), UsageError, "does not use them"),
        (lambda: LogisticRegression(covariance="HC3").fit(X, GRADES), UsageError, "for two classes"),
        (lambda: QuantileRegression(covariance="observed").fit(X, REAL), UsageError, "no likelihood.*robust, cluster"),
        (lambda: GammaRegression(covariance="HC2").fit(X, AMOUNTS), UsageError, "GammaRegression has no"),
        (lambda: LogisticRegression(covariance="opg", alpha=1.0).fit(X, BINARY), UsageError, "nothing of the penalty"),
        (lambda: OrderedRegression().fit(X, GRADES, GRADES != 1), ValueError, "class 1 has no row whose weight"),
        (lambda: LinearRegression().fit(X, REAL, groups=LABELS[1:]), ValueError, "groups 119"),
        (lambda: LinearRegression().fit(X, REAL, groups=np.ones(ROWS)), ValueError, "All rows are of one group"),
        (lambda: LinearRegression().fit(X, REAL, groups=[None, *LABELS[1:]]), ValueError, "has no label in 1 row"),
        (lambda: CoxRegression().fit(X, AMOUNTS, entry=AMOUNTS), ValueError, "entry is not before y in 120 rows"),
        (lambda: CoxRegression().fit(sparse.csr_array(X), AMOUNTS), TypeError, r"pass X.toarray\(\), which takes"),
    ],
)
def test_covariances_that_cannot_be_had_are_refused(action, error, message):
    with pytest.raises(error, match=f"(?s){message}"):
        action()


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_takes_its_conventions(name):
    model = MODELS[name].estimator
    assert model().get_params()["covariance"] is None
    assert model._conventions[-1] == "cluster" and "robust" in model._conventions


def test_closed_forms_that_are_wrong_are_seen(monkeypatch):
    bend = cox.RiskSets.second_order
    monkeypatch.setattr(
        cox.RiskSets, "second_order", lambda self, x: (lambda v, g, h: (v, g, 1.001 * h))(*bend(self, x))
    )
    with pytest.raises(VerificationError, match="curvature of the partial likelihood"):
        CoxRegression().fit(X, AMOUNTS)
    terms = intervals.Intervals.terms
    monkeypatch.setattr(
        intervals.Intervals, "terms", lambda self, x: (lambda v, g, h: (v, 1.001 * g, h))(*terms(self, x))
    )
    with pytest.raises(VerificationError, match="slope of ordered_logit"):
        OrderedRegression().fit(X, GRADES)


# Classes with an order ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [None, ["none", "some", "many"]])
def test_class_weights_of_ordered_classes_are_weights_of_rows(order):
    y = GRADES if order is None else np.array(order)[GRADES]
    weight = {label: w for label, w in zip(np.unique(GRADES) if order is None else order, (1.0, 3.0, 2.0), strict=True)}
    model = OrderedRegression(order=order, class_weight=weight).fit(X, y)
    peer = OrderedRegression().fit(X, GRADES, np.array([1.0, 3.0, 2.0])[GRADES])
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-9)
    balanced = OrderedRegression(order=order, class_weight="balanced").fit(X, y)
    shares = ROWS / (3 * np.bincount(GRADES))
    np.testing.assert_allclose(balanced.params, OrderedRegression().fit(X, GRADES, shares[GRADES]).params, rtol=1e-9)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_sparse_covariates_of_ordered_classes(link):
    few = np.where(np.abs(X) > 1, X, 0.0)
    model = OrderedRegression(link=link, alpha=0.5).fit(sparse.csr_array(few), GRADES)
    peer = OrderedRegression(link=link, alpha=0.5).fit(few, GRADES)
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-8)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-8)
    np.testing.assert_allclose(model.predict_proba(sparse.csr_array(few)), peer.predict_proba(few))


@pytest.mark.parametrize("intercept", [True, False])
def test_sparse_covariates_of_quantiles(intercept):
    few = np.where(np.abs(X) > 0.3, X, 0.0)
    model = QuantileRegression(quantile=0.3, fit_intercept=intercept)
    dense, thin = (model.fit(given, REAL, OFTEN, groups=LABELS).params for given in (few, sparse.csr_matrix(few)))
    np.testing.assert_allclose(thin, dense, rtol=1e-9)
    errors = model.bse
    np.testing.assert_allclose(errors, model.fit(few, REAL, OFTEN, groups=LABELS).bse, rtol=1e-8)
    np.testing.assert_allclose(model.predict(sparse.csr_array(few)), model.predict(few))


# Times ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 17, 60])
def test_concordance_is_that_of_all_pairs(rows):
    rng = np.random.default_rng(rows)
    time, dead = rng.integers(1, 12, rows).astype(float), rng.random(rows) < 0.6
    risk, weights = rng.integers(0, 9, rows).astype(float), rng.integers(0, 3, rows).astype(float)
    right = pairs = 0.0
    for i in np.flatnonzero(dead):
        for j in range(rows):
            if time[j] > time[i] or (time[j] == time[i] and not dead[j]):
                pairs += weights[i] * weights[j]
                right += weights[i] * weights[j] * (float(risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    expected = right / pairs if pairs else np.nan
    np.testing.assert_allclose(concordance(time, dead, risk, weights), expected, rtol=1e-12)


def test_many_strata_are_those_that_are_summed_one_by_one(monkeypatch):
    covariates, time, event, entry = hearts()
    strata = np.arange(len(time)) // 3
    for late in (None, entry):
        fits = []
        for many in (2, 1000):
            monkeypatch.setattr(risk_sets, "MANY_STRATA", many)
            model = CoxRegression(covariance="robust")
            fits.append(model.fit(covariates, time, event=event, strata=strata, entry=late))
        np.testing.assert_allclose(fits[0].params, fits[1].params, rtol=1e-9)
        np.testing.assert_allclose(fits[0].bse, fits[1].bse, rtol=1e-9)


@pytest.mark.slow
def test_a_risk_beyond_the_range_of_numbers_leaves_the_others_as_they_are():
    far = np.vstack([[3000.0, 0.0], X])
    time = np.concatenate([[1e-9], AMOUNTS / np.exp(X[:, 0])])
    model, peer = CoxRegression().fit(far, time), CoxRegression().fit(X, time[1:])
    assert 3000 * model.coef_[0] > 600
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-6)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-6)
    with pytest.warns(IdentificationWarning, match="too far apart for the scores"):
        assert np.isnan(CoxRegression(covariance="robust").fit(far, time).bse).all()


def test_leverages_of_1_leave_the_estimates():
    alone = np.column_stack([np.arange(ROWS) == 3, X[:, 0]]).astype(float)
    with pytest.warns(IdentificationWarning, match="decides a parameter alone"):
        model = LinearRegression(covariance="HC3").fit(alone, REAL)
    assert np.isnan(model.bse).all() and np.isfinite(model.params).all() and model.converged_
