"""Models by their names, with offset, exposure and penalty: the estimates and errors of the estimators."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import autoopt
from autoopt import models
from autoopt.cli.main import main
from autoopt.errors import AutooptError, DataError, ModelError, UsageError

M = 240
FORMULA = "sex + age"


def data():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"age": rng.normal(0, 1, M).round(2), "sex": rng.choice(["f", "m"], M)})
    z = frame["age"].to_numpy() + (frame["sex"] == "m") * 0.5
    frame["days"], frame["off"] = rng.uniform(0.5, 3, M), rng.normal(0, 0.2, M)
    frame["dead"] = (rng.random(M) < 1 / (1 + np.exp(-z - frame["off"]))).astype(int)
    mean = np.exp(z / 2) * frame["days"]
    frame["visits"], frame["falls"] = rng.poisson(mean), rng.poisson(mean * rng.gamma(2, 0.5, M))
    frame["cost"], frame["change"] = mean * rng.gamma(3, 1 / 3, M), z + rng.standard_t(4, M) + frame["off"]
    utility = np.column_stack([np.zeros(M), z / 2, -z]) + rng.gumbel(size=(M, 3))
    frame["choice"] = np.array(["bus", "car", "walk"])[np.argmax(utility, axis=1)]
    grades = ["bad", "fair", "good"]
    frame["grade"] = pd.Categorical.from_codes(np.digitize(z + rng.logistic(size=M), [-1, 1]), grades, ordered=True)
    frame["time"], frame["event"] = rng.exponential(np.exp(-z / 2)).round(2), (rng.random(M) < 0.7).astype(int)
    frame["centre"] = rng.integers(0, 3, M)
    return frame


FRAME = data()
X = np.column_stack([FRAME["sex"] == "m", FRAME["age"]]).astype(float)

CASES = {
    "logistic with offset": ("logistic", "dead", {"offset": "off"}, models.LogisticRegression()),
    "logistic, penalised": ("logistic", "dead", {"alpha": "2"}, models.LogisticRegression(alpha=2)),
    "three classes": ("logistic", "choice", {}, models.LogisticRegression()),
    "three classes, penalised": ("logistic", "choice", {"alpha": 3}, models.LogisticRegression(alpha=3)),
    "loglinear": ("loglinear", "visits", {"exposure": "days", "offset": "off"}, models.LogLinearRegression()),
    "loglinear, penalised": (
        "loglinear",
        "visits",
        {"exposure": "days", "alpha": 0.5},
        models.LogLinearRegression(alpha=0.5),
    ),
    "negative binomial": ("negative-binomial", "falls", {"exposure": "days"}, models.NegativeBinomialRegression()),
    "gamma": ("gamma", "cost", {"exposure": "days"}, models.GammaRegression()),
    "linear": ("linear", "change", {"offset": "off"}, models.LinearRegression()),
    "student": ("student", "change", {"offset": "off"}, models.StudentRegression()),
    "ordered logit": ("ordered", "grade", {"offset": "off"}, models.OrderedRegression()),
    "ordered probit, penalised": (
        "ordered",
        "grade",
        {"link": "probit", "alpha": 1},
        models.OrderedRegression(link="probit", alpha=1),
    ),
    "cox": ("cox", "time", {"event": "event"}, models.CoxRegression()),
    "cox by strata": (
        "cox",
        "time",
        {"event": "event", "strata": "centre", "ties": "breslow", "alpha": 1},
        models.CoxRegression(ties="breslow", alpha=1),
    ),
}


def both(name):
    model, response, settings, estimator = CASES[name]
    given = {key: FRAME[column] for key, column in settings.items() if key in ("offset", "exposure", "event", "strata")}
    found = autoopt.fit(model, data=FRAME, formula=f"{response} ~ {FORMULA}", settings=settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return found, estimator.fit(X, FRAME[response], **given), given


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", CASES)
def test_estimates_are_those_of_the_estimator(name):
    found, estimator, _ = both(name)
    assert found.status == "converged" and len(found.names) == len(estimator.params)
    np.testing.assert_allclose(found.params, estimator.params, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.bse, estimator.bse, rtol=1e-6)
    np.testing.assert_allclose(found.llf, estimator.llf, rtol=1e-9)


PREDICTED = {
    "loglinear": "predict",
    "student": "predict",
    "cox": "predict",
    "three classes": "predict_proba",
    "ordered logit": "predict_proba",
}


@pytest.mark.slow_for("ordered logit", "three classes")
@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", PREDICTED)
def test_predictions_for_other_rows_are_those_of_the_estimator(name):
    found, estimator, given = both(name)
    few = FRAME.iloc[5:12].drop(columns=[CASES[name][1], "event"])
    offsets = {key: column.iloc[5:12] for key, column in given.items() if key in ("offset", "exposure")}
    wanted = getattr(estimator, PREDICTED[name])(X[5:12], **offsets)
    predicted = found.predict(few)
    np.testing.assert_allclose(predicted.mean, wanted, rtol=1e-6, atol=1e-8)
    assert np.isfinite(predicted.se).all()


def test_every_likelihood_of_the_estimators_has_its_name():
    without = {name for name, row in models.MODELS.items() if row.form is None}
    assert without == {"huber", "quantile", "tweedie"}, "these are no log-likelihoods"
    assert {case[0] for case in CASES.values()} == set(models.MODELS) - without


REFUSED = {
    "misspelt": ("logistc", {}, ModelError, "Did you mean logistic"),
    "all are listed": ("logistc", {}, ModelError, "loglinear, cox, gamma, linear, logistic, negative-binomial"),
    "no likelihood": ("huber", {}, ModelError, "is no likelihood.*use autoopt.models.HuberRegression"),
    "no such setting": ("logistic", {"exposure": "days"}, UsageError, "no setting exposure.*one of offset, alpha"),
    "a near setting": ("loglinear", {"exposre": "days"}, UsageError, "Did you mean exposure"),
    "no such column": ("loglinear", {"exposure": "dayz"}, DataError, "dayz.*Did you mean days"),
    "no number": ("logistic", {"alpha": "much"}, UsageError, "alpha is 'much'"),
    "negative": ("logistic", {"alpha": -1}, UsageError, "zero or positive"),
    "no column": ("logistic", {"offset": 3.0}, UsageError, "offset is 3.0, where the name of a column"),
    "no such word": ("ordered", {"link": "probits"}, UsageError, "Did you mean probit"),
    "not positive": ("loglinear", {"exposure": "off"}, DataError, "exposure off is zero or negative"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused(name):
    model, settings, kind, said = REFUSED[name]
    with pytest.raises(kind, match=f"(?s){said}"):
        autoopt.fit(model, data=FRAME, formula=f"dead ~ {FORMULA}", settings=settings)


def test_offset_of_three_classes_and_two_penalties_are_refused():
    with pytest.raises(AutooptError, match="y has 3 classes"):
        autoopt.fit("logistic", data=FRAME, formula=f"choice ~ {FORMULA}", settings={"offset": "off"})
    with pytest.raises(UsageError, match="penalty='firth' and alpha"):
        autoopt.fit("logistic", data=FRAME, formula=f"dead ~ {FORMULA}", settings={"alpha": 1}, penalty="firth")


@pytest.mark.parametrize("data", [(X, FRAME["dead"].to_numpy()), {"X": X, "y": FRAME["dead"].to_numpy()}])
def test_arrays_need_no_formula(data):
    found = autoopt.fit("logistic", data=data, settings={"alpha": 1})
    wanted = models.LogisticRegression(alpha=1, fit_intercept=False).fit(X, FRAME["dead"])
    assert found.names == ("x[0]", "x[1]")
    np.testing.assert_allclose(found.params, wanted.params, rtol=1e-6)


def test_log_likelihood_of_an_interrupted_fit_has_no_penalty():
    def stop(event):
        if event.iteration == 2:
            raise KeyboardInterrupt

    call = {"data": FRAME, "formula": f"dead ~ {FORMULA}", "settings": {"alpha": 50}}
    with pytest.raises(KeyboardInterrupt) as stopped:
        autoopt.fit("logistic", progress=stop, **call)
    left, beta = stopped.value.fit, stopped.value.fit.params[1:]
    assert left.status == "interrupted" and np.isnan(left.bse).all()
    assert left.result.fun + left.llf == pytest.approx(25 * np.sum(beta**2)) and np.sum(beta**2) > 0


def test_rows_that_lack_an_exposure_are_left_out():
    frame = FRAME.assign(days=FRAME["days"].where(FRAME.index != 3))
    call = {"formula": f"visits ~ {FORMULA}", "settings": {"exposure": "days"}}
    with pytest.raises(DataError, match="days"):
        autoopt.fit("loglinear", data=frame, **call)
    assert autoopt.fit("loglinear", data=frame, missing="drop", **call).nobs == M - 1


def test_the_command_line_lists_and_fits_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("d.csv", index=False)
    listed = json.loads(CliRunner().invoke(main, ["models", "--json"]).stdout)
    assert {one["model"] for one in listed} == {case[0] for case in CASES.values()}
    args = ["fit", "loglinear", "--data", "d.csv", "--formula", f"visits ~ {FORMULA}", "--set", "exposure=days"]
    outcome = CliRunner().invoke(main, [*args, "--quiet", "-o", "out.json"])
    assert outcome.exit_code == 0, outcome.output
    told = json.loads((tmp_path / "out.json").read_text())
    wanted = models.LogLinearRegression().fit(X, FRAME["visits"], exposure=FRAME["days"])
    np.testing.assert_allclose(told["params"], wanted.params, rtol=1e-6)
    outcome = CliRunner().invoke(main, ["predict", "out.json", "--quiet"])
    assert outcome.exit_code == 0 and outcome.stdout.count("\n") == M + 1
