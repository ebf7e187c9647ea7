"""Ordered regression against statsmodels, proportional hazards against statsmodels and lifelines."""

import mpmath
import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.models import CoxRegression, LogisticRegression, OrderedRegression, cox, ordered, risk_sets
from autoopt.models.validation import IdentificationWarning

sm = pytest.importorskip("statsmodels.api")

# Ordered classes ------------------------------------------------------------------------------------------------------


def parties():
    """Return covariates of voters and on which side of seven they stand."""
    table = sm.datasets.anes96.load_pandas().data
    return table[["logpopul", "age", "educ", "income"]], table["PID"].to_numpy().astype(int)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.sampled(2)
def test_ordered_classes_are_those_of_statsmodels(link):
    from statsmodels.miscmodels.ordinal_model import OrderedModel
    from statsmodels.tools.numdiff import approx_hess

    X, y = parties()
    model = OrderedRegression(link=link).fit(X, y)
    model_of_steps = OrderedModel(y, X, distr=link)

    def steps(params):
        return np.concatenate([params[:5], np.log(np.diff(params[4:]))])

    np.testing.assert_allclose(model.llf, model_of_steps.loglike(steps(model.params)), rtol=1e-12)
    near = [model_of_steps.loglike(steps(model.params + sign * 1e-5 * unit * model.bse))
            for unit in np.eye(10) for sign in (1, -1)]  # fmt: skip
    np.testing.assert_allclose(np.subtract(near[::2], near[1::2]), 0, atol=1e-8)  # their slope is 0 here
    hessian = approx_hess(model.params / model.bse, lambda x: -model_of_steps.loglike(steps(x * model.bse)), 1e-3)
    np.testing.assert_allclose(np.sqrt(np.diag(np.linalg.inv(hessian))), 1, rtol=1e-5)
    np.testing.assert_allclose(
        model.predict_proba(X.iloc[:50]), model_of_steps.predict(steps(model.params))[:50], rtol=1e-9
    )
    assert model.names_ == [*X.columns, "0|1", "1|2", "2|3", "3|4", "4|5", "5|6"]
    assert (np.diff(model.thresholds_) > 0).all()


def test_two_ordered_classes_are_logistic_regression():
    X, y = parties()
    model, peer = OrderedRegression().fit(X, y > 3), LogisticRegression().fit(X, y > 3)
    np.testing.assert_allclose(model.params, [*peer.params[1:], -peer.params[0]], rtol=1e-7)
    np.testing.assert_allclose(model.bse, [*peer.bse[1:], peer.bse[0]], rtol=1e-7)
    np.testing.assert_allclose([model.llf, model.score(X, y > 3)], [peer.llf, peer.score(X, y > 3)], rtol=1e-10)


@pytest.mark.slow
def test_labels_have_the_order_that_they_are_given():
    X, y = parties()
    expected = OrderedRegression().fit(X, np.minimum(y, 2))
    labels = np.array(["low", "middle", "high"])[np.minimum(y, 2)]
    for model, response in (
        (OrderedRegression(order=["low", "middle", "high"]), labels),
        (OrderedRegression(), pd.Series(pd.Categorical(labels, ["low", "middle", "high"], ordered=True))),
    ):
        model.fit(X, response)
        assert model.classes_.tolist() == ["low", "middle", "high"]
        assert model.names_[-2:] == ["low|middle", "middle|high"]
        np.testing.assert_allclose(model.params, expected.params)
        assert model.score(X, response) == expected.score(X, np.minimum(y, 2))
    with pytest.raises(ValueError, match="not in the order: high"):
        OrderedRegression(order=["low", "middle"]).fit(X, labels)
    with pytest.raises(ValueError, match="link is 'cauchit'"):
        OrderedRegression(link="cauchit").fit(X, labels)


@pytest.mark.slow
def test_weights_and_offset_of_ordered_classes():
    X, y = parties()
    rng = np.random.default_rng(0)
    weights, offset = rng.integers(1, 4, len(y)), rng.normal(size=len(y))
    often = np.repeat(np.arange(len(y)), weights)
    model = OrderedRegression(alpha=2.0).fit(X, y, weights, offset=offset)
    peer = OrderedRegression(alpha=2.0).fit(X.iloc[often], y[often], offset=offset[often])
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-7)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-7)
    free = OrderedRegression().fit(X.assign(known=offset), y)
    held = OrderedRegression().fit(X, y, offset=free.coef_[-1] * offset)
    np.testing.assert_allclose(held.params, np.delete(free.params, 4), rtol=1e-6)


@pytest.mark.parametrize(("between", "F"), [(ordered.between_logits, "logit"), (ordered.between_probits, "probit")])
def test_probabilities_of_far_intervals_keep_their_digits(between, F):
    def distribution(x):
        return 1 / (1 + mpmath.exp(-x)) if F == "logit" else mpmath.ncdf(x)

    ends = [(-30.0, -29.5), (29.5, 30.0), (-1.0, 1e-9), (0.2, 0.2 + 1e-7), (-8.0, 9.0)]
    with mpmath.workdps(400):
        expected = [float(mpmath.log(distribution(mpmath.mpf(b)) - distribution(mpmath.mpf(a)))) for a, b in ends]
    found = between(*(np.array(side) for side in zip(*ends, strict=True)))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-15)


@pytest.mark.slow
def test_separated_ordered_classes_are_told():
    with pytest.warns(IdentificationWarning, match="along"):
        model = OrderedRegression().fit(np.arange(9.0)[:, np.newaxis], np.repeat([0, 1, 2], 3))
    assert not model.converged_ and np.isnan(model.bse).all()


# Times ----------------------------------------------------------------------------------------------------------------


def hearts():
    """Return ages at a transplantation, times of survival in units of 60 days, with ties, and who died."""
    table = sm.datasets.heart.load_pandas().data
    return table[["age"]], np.ceil(table["survival"].to_numpy() / 60), table["censors"].to_numpy()


def strata_of(rows):
    return np.arange(rows) % 2


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.sampled(4)
def test_hazards_are_those_of_statsmodels(ties, stratified):
    X, time, event = hearts()
    X = X.assign(square=(X["age"] - 45) ** 2)
    offset = np.random.default_rng(0).normal(size=len(time))
    strata = strata_of(len(time)) if stratified else None
    model = CoxRegression(ties=ties).fit(X, time, event=event, strata=strata, offset=offset)
    peer = sm.PHReg(time, X, status=event, ties=ties, strata=strata, offset=offset).fit(disp=0)
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-7)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-7)
    np.testing.assert_allclose(model.llf, peer.llf, rtol=1e-12)
    assert model.names_ == ["age", "square"]


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.sampled(2)
def test_baseline_hazards_are_those_of_statsmodels(stratified):
    """Which has at each time what was before it."""
    X, time, event = hearts()
    strata = strata_of(len(time)) if stratified else None
    model = CoxRegression(ties="breslow").fit(X, time, event=event, strata=strata)
    peer = sm.PHReg(time, X, status=event, ties="breslow", strata=strata).fit(disp=0)
    for label, (at, hazard, _) in enumerate(peer.baseline_cumulative_hazard):
        found = model.predict_cumulative_hazard([[0.0]], at, strata=[label] if stratified else None)
        np.testing.assert_allclose(found[0, :-1], hazard[1:], rtol=1e-9)


# CoxPHFitter().fit(table, "survival", "censors", fit_options={"precision": 1e-12}, ...) of lifelines 0.30.3: the
# coefficient, its standard error, the log-likelihood and the concordance. w = 1 + i % 3 / 2, s = i % 2 in row i.
LIFELINES = {
    "plain": (0.06155002201726763, 0.023040855010829888, -158.16917009516072, 0.6392483056069008),
    "weights": (0.06466844287095001, 0.018716951031069646, -257.24769682113947, None),
    "strata": (0.060943097527420005, 0.02395003107939907, -127.99428280246627, None),
}


@pytest.mark.parametrize("name", LIFELINES)
def test_efrons_hazards_are_those_of_lifelines(name):
    X, time, event = hearts()
    rows = np.arange(len(time))
    given = {"plain": {}, "weights": {"sample_weight": 1 + rows % 3 / 2}, "strata": {"strata": rows % 2}}[name]
    model = CoxRegression().fit(X, time, event=event, **given)
    coefficient, error, llf, concordance = LIFELINES[name]
    np.testing.assert_allclose(model.params, coefficient, rtol=1e-7)
    np.testing.assert_allclose(model.bse, error, rtol=1e-7)
    np.testing.assert_allclose(model.llf, llf, rtol=1e-10)
    if concordance is not None:
        np.testing.assert_allclose(model.score(X, time, event=event), concordance, rtol=1e-12)


@pytest.mark.parametrize("ties", ["breslow", "efron"])
@pytest.mark.slow
def test_whole_weights_are_rows_that_are_repeated(ties):
    X, time, event = hearts()
    weights = np.arange(len(time)) % 3
    often = np.repeat(np.arange(len(time)), weights)
    model = CoxRegression(ties=ties, alpha=3.0).fit(X, time, weights, event=event)
    peer = CoxRegression(ties=ties, alpha=3.0).fit(X.iloc[often], time[often], event=event[often])
    np.testing.assert_allclose(model.params, peer.params, rtol=1e-9)
    np.testing.assert_allclose(model.bse, peer.bse, rtol=1e-9)


@pytest.mark.slow
def test_survival_without_covariates_that_matter_is_that_of_the_counts():
    """Four at risk, of whom two die at once: Breslow's step is 2 / 4, Efron's 1 / 4 + 1 / 3."""
    X, time, event = np.zeros((4, 1)), [1.0, 1.0, 2.0, 3.0], [1, 1, 0, 1]
    for ties, step in (("breslow", 2 / 4), ("efron", 1 / 4 + 1 / 3)):
        model = CoxRegression(ties=ties, alpha=1.0).fit(X, time, event=event)
        found = model.predict_cumulative_hazard([[0.0]], [0.5, 1.0, 2.5, 3.0])[0]
        np.testing.assert_allclose(found, [0, step, step, step + 1], rtol=1e-12)
        np.testing.assert_allclose(model.predict_survival_function([[0.0]], 1.0), np.exp(-step))


@pytest.mark.parametrize("b", [1.0, -1.0, 0.01])
@pytest.mark.sampled(3)
def test_hazards_as_far_as_800_keep_their_digits(b):
    eta = np.array([800.0, -800.0, 0.0, 1.0, 900.0])
    y = risk_sets.columns(np.array([5.0, 4.0, 3.0, 3.0, 1.0]), np.ones(5, bool), np.zeros(5, int), "efron")

    def exact(b):
        risks = [mpmath.exp(mpmath.mpf(value) * b) for value in eta]
        sums = [sum(risks[:k]) for k in (1, 2, 4, 5)]
        hazards = [*sums, sums[2] - (risks[2] + risks[3]) / 2]
        return sum(mpmath.log(hazard) for hazard in hazards) - mpmath.mpf(float(eta.sum())) * b

    def found(params):
        return cox.negative_log_likelihood(params, eta[:, np.newaxis], y, np.zeros(5), np.ones(5))

    with mpmath.workdps(800):
        value, slope = float(exact(mpmath.mpf(b))), float(mpmath.diff(exact, mpmath.mpf(b)))
    np.testing.assert_allclose(found(np.array([b])), value, rtol=1e-12)
    np.testing.assert_allclose(autoopt.grad(found)(np.array([b])), slope, rtol=1e-12)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda X, t, e: CoxRegression(ties="exact").fit(X, t), "use efron, breslow"),
        (lambda X, t, e: CoxRegression().fit(X, t, event=0 * e), "There is no event"),
        (lambda X, t, e: CoxRegression().fit(X, t, strata=e[:-1]), "strata"),
        (
            lambda X, t, e: CoxRegression().fit(X, t, strata=strata_of(len(t))).predict_cumulative_hazard(X, [1.0]),
            "pass strata=",
        ),
        (
            lambda X, t, e: (
                CoxRegression()
                .fit(X, t, strata=strata_of(len(t)))
                .predict_survival_function(X, [1.0], strata=[7] * len(t))
            ),
            "7 is no stratum",
        ),
    ],
)
def test_times_that_cannot_be_used_refused(action, message):
    with pytest.raises(ValueError, match=message):
        action(*hearts())


@pytest.mark.slow
def test_covariates_that_order_the_events_are_told():
    with pytest.warns(IdentificationWarning, match="along\n  -?x0"):
        CoxRegression().fit(np.arange(8.0)[:, np.newaxis], np.arange(8.0))
