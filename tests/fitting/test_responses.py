"""Responses that a model takes with a word, or not at all; and objectives of which nobody says what they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autoopt
from autoopt.errors import DataError
from autoopt.models import GammaRegression, LogLinearRegression, NegativeBinomialRegression

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"x": RNG.normal(size=60), "three": RNG.choice(["a", "b", "c"], 60), "two": RNG.choice(["no", "yes"], 60)}
)


@pytest.mark.whole
@pytest.mark.parametrize("given", [{"formula": "three ~ x"}, {"target": "three", "categories": ["three"]}])
@pytest.mark.parametrize("model", ["linear", "loglinear", "negative-binomial"])
def test_three_names_are_no_numbers(model, given):
    """R's lm and glm, and statsmodels, refuse them as well."""
    with pytest.raises(DataError, match=r"three in .* has 3 categories, a, b, c, and \S+ is a model of numbers"):
        autoopt.fit(model, data=FRAME, **given)


def test_two_names_are_zero_and_one():
    found = autoopt.fit("logistic", data=FRAME, formula="two ~ x")
    assert "two is taken as numbers: 0 no, 1 yes." in found.notes
    line = autoopt.fit("linear", data=FRAME, formula="two ~ x")
    y = (FRAME["two"] == "yes").to_numpy(float)
    np.testing.assert_allclose(line.params, np.polyfit(FRAME["x"], y, 1)[::-1], rtol=1e-9)


def test_counts_that_are_no_whole_numbers_are_told():
    frame = FRAME.assign(y=np.where(np.arange(60) < 7, 0.5, RNG.poisson(2.0, 60)))
    said = "7 of 60 counts are no whole numbers"
    for estimator in (LogLinearRegression(), NegativeBinomialRegression()):
        whole = frame.assign(y=RNG.negative_binomial(1, 0.2, 60))
        assert "whole" not in estimator.fit(whole[["x"]], whole["y"]).summary()
        assert said in " ".join(estimator.fit(whole[["x"]], whole["y"].where(np.arange(60) > 6, 0.5)).summary().split())
    assert any(said in note for note in autoopt.fit("loglinear", data=frame, formula="y ~ x").notes)
    assert "whole" not in GammaRegression().fit(frame[["x"]], frame["y"] + 1).summary()


def nll(p, x, y):
    return np.sum((y - p[0] - p[1] * x) ** 2)


def test_without_a_kind_one_note_says_what_it_would_give():
    data = {"x": np.arange(5.0), "y": np.array([1.0, 3.0, 2.0, 5.0, 4.0])}
    (note,) = autoopt.fit(nll, [0.0, 0.0], data).notes
    assert note.startswith("No standard errors, no AIC") and "'least squares'" in note
    for kind in autoopt.fitting.kinds.KINDS:
        assert not any("kind" in note for note in autoopt.fit(nll, [0.0, 0.0], data, kind=kind).notes)
    assert autoopt.fit(lambda p: np.sum((p - 1.0) ** 2), [0.0, 0.0]).notes == ()  # there are no data to infer from


def test_weights_are_what_their_note_says():
    """Of frequencies the standard errors are those of rows repeated; of inverse variances those of scaled residuals."""
    x = np.arange(12.0)
    y, weights = 1 + 2 * x + np.sin(9 * x), np.array([1, 2, 3] * 4)
    frame = pd.DataFrame({"x": x, "y": y, "w": weights})
    least = autoopt.fit("linear", data=frame, formula="y ~ x", weights="w")
    assert any(note.startswith("Weights are inverse variances") for note in least.notes)
    design = np.column_stack([np.ones(12), x])
    scale = weights @ (y - design @ least.params) ** 2 / 10
    np.testing.assert_allclose(least.cov_params(), scale * np.linalg.inv(design.T * weights @ design), rtol=1e-8)
    counts = frame.assign(y=np.round(np.abs(y)))
    likely = autoopt.fit("loglinear", data=counts, formula="y ~ x", weights="w")
    repeated = autoopt.fit("loglinear", data=counts.loc[counts.index.repeat(weights)], formula="y ~ x")
    assert any(note.startswith("Weights count rows") for note in likely.notes)
    np.testing.assert_allclose(likely.bse, repeated.bse, rtol=1e-6)
    estimator = LogLinearRegression().fit(counts[["x"]], counts["y"], sample_weight=weights)
    np.testing.assert_allclose(estimator.bse, repeated.bse, rtol=1e-6)
