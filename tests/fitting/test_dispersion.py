"""Counts that vary more than those of a Poisson likelihood: told with the estimates, whoever wrote the likelihood."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.inference.dispersion import dispersion, remark
from autoopt.models import LogLinearRegression


def premiums():
    """Return amounts of money in whole euros: R's quasipoisson has the dispersion DISPERSION of them."""
    rng = np.random.default_rng(1)
    age, group = rng.normal(45, 12, 300), rng.integers(0, 2, 300)
    amount = np.exp(8 + 0.01 * (age - 45) + rng.normal(size=300) * 0.7).round()
    return pd.DataFrame({"age": age.round(1), "group": group, "premium": amount})


DISPERSION = 2387.235
"""summary(glm(premium ~ age + g, quasipoisson, d))$dispersion in R 4.4."""


def counts(m=200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=m)
    return pd.DataFrame({"x": x, "y": rng.poisson(np.exp(0.5 + 0.3 * x))})


def mean(p, x):
    return np.exp(p["a"] + p["b"] * x)


class Own:
    """A Poisson likelihood of the user's own, without log(y!)."""

    x0 = {"a": 0.0, "b": 0.0}  # noqa: RUF012 - as users write it
    kind, predict = "negative log-likelihood", staticmethod(mean)

    @staticmethod
    def objective(p, x, y):
        return mean(p, x) - y * np.log(mean(p, x))


def own(frame, response="y"):
    return autoopt.fit(Own, data={"x": frame.iloc[:, 0].to_numpy() / 50, "y": frame[response].to_numpy(float)})


def test_dispersion_is_that_of_r():
    frame = premiums()
    model = LogLinearRegression().fit(frame[["age", "group"]], frame["premium"])
    found = dispersion(frame["premium"].to_numpy(), model.predict(frame[["age", "group"]]), 3)
    assert found == pytest.approx(DISPERSION, rel=1e-6)
    twice = dispersion(*np.repeat([frame["premium"], model.predict(frame[["age", "group"]])], 2, axis=1), 3)
    weighted = dispersion(frame["premium"].to_numpy(), model.predict(frame[["age", "group"]]), 3, np.full(300, 2.0))
    assert weighted == pytest.approx(twice, rel=1e-12)


def test_counts_that_vary_more_are_told_by_estimator_name_and_own_likelihood():
    frame = premiums()
    said = "The counts vary 2.39e+03 times"
    model = LogLinearRegression().fit(frame[["age", "group"]], frame["premium"])
    named = autoopt.fit("loglinear", data=frame, formula="premium ~ age + group")
    assert said in model.summary() and any(said in note and "--robust" in note for note in named.notes)
    assert any("too small" in note for note in own(frame, "premium").notes)
    twice = autoopt.fit("loglinear", data=frame.assign(w=2.0), formula="premium ~ age + group", weights="w")
    assert any("The counts vary 2.38e+03 times" in note for note in twice.notes)  # of 597 degrees of freedom
    model = LogLinearRegression(covariance="robust").fit(frame[["age", "group"]], frame["premium"])
    robust = autoopt.fit("loglinear", data=frame, formula="premium ~ age + group", covariance="robust")
    assert all("allow for that" in " ".join(text.split()) for text in (model.summary(), robust.notes[-1]))


@pytest.mark.parametrize("form", ["array", "list", "table", "csr", "coo"])
def test_of_many_rows_some_are_looked_at(form, monkeypatch):
    import scipy.sparse as sp

    monkeypatch.setattr("autoopt.models.loglinear.MOST_ROWS", 100)
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(250, 2)), rng.negative_binomial(0.5, 0.05, 250)
    made = {"array": np.array, "list": np.ndarray.tolist, "table": lambda X: pd.DataFrame(X, columns=["a", "b"])}
    made |= {"csr": sp.csr_array, "coo": sp.coo_array}
    text = LogLinearRegression().fit(made[form](X), y.tolist() if form == "list" else y, np.ones(250)).summary()
    assert "too small" in " ".join(text.split())


def test_counts_of_the_likelihood_are_not_remarked_upon():
    frame = counts()
    fits = autoopt.fit("loglinear", data=frame, formula="y ~ x"), own(frame)
    assert not any(
        "vary" in text for text in (LogLinearRegression().fit(frame[["x"]], frame["y"]).summary(), *map(str, fits))
    )


@pytest.mark.whole
@pytest.mark.parametrize(
    ("y", "said"),
    [
        (np.full(200, 5.0), "too large"),  # all the same: no variance
        (np.repeat([0.0, 10.0], 100), "too small"),
        (np.repeat([3.0, 8.0], 2), ""),  # four rows: it may be chance
        (np.random.default_rng(0).poisson(5.0, 200).astype(float), ""),
        (np.zeros(200), ""),
    ],
)
def test_what_is_far_from_one_beyond_chance_is_told(y, said):
    found = remark(y, np.full(y.size, 5.0 if y.any() else 0.0), 1)
    assert said in found and bool(found) == bool(said)
