"""Models that the data do not identify: no numbers are invented, and the combination that is flat is named."""

import re

import numpy as np
import pytest

import autoopt
from autoopt.inference import combination, covariance

NLL, LS = "negative log-likelihood", "least squares"
RNG = np.random.default_rng(2)
N = 60
X = RNG.normal(size=N)
Y = 1 + 2 * X + RNG.normal(size=N)
B = (RNG.random(N) < 1 / (1 + np.exp(-X))).astype(float)
COUNTS = RNG.poisson(np.exp(0.3 + 0.2 * X)).astype(float)
COLLINEAR = np.column_stack([np.ones(N), X, 2 * X + 1])
GROUPS = np.column_stack([np.ones(N), *(np.arange(N) % 3 == k for k in range(3))]).astype(float)
SCALED = COLLINEAR * np.array([1.0, 1e8, 1e8])


def logistic(eta):
    return np.logaddexp(0, eta) - B * eta


MODELS = {
    "collinear columns": (lambda p: logistic(COLLINEAR @ p), np.zeros(3), NLL, r"0\.5 \* p\[0\] \+ p\[1\] - 0\.5 \*"),
    "collinear columns, squares": (lambda p: Y - COLLINEAR @ p, np.zeros(3), LS, r"0\.5 \* p\[0\] \+ p\[1\] - 0\.5 \*"),
    "collinear and badly scaled": (lambda p: Y - SCALED @ p, np.zeros(3), LS, r"p\[0\] \+ 2e-08 \* p\[1\] - 1e-08 \*"),
    "collinear, as one sum": (lambda p: np.sum(logistic(COLLINEAR @ p)), np.zeros(3), NLL, r"0\.5 \* p\[0\] \+ p\[1\]"),
    "redundant intercepts": (
        lambda p: np.exp(GROUPS @ p) - COUNTS * (GROUPS @ p),
        np.zeros(4),
        NLL,
        r"p\[0\] - p\[1\] - p\[2\] - p\[3\]",
    ),
    "redundant intercepts, squares": (lambda p: Y - GROUPS @ p, np.zeros(4), LS, r"p\[0\] - p\[1\] - p\[2\] - p\[3\]"),
    "two intercepts": (lambda p: logistic(p["a"] + p["b"] + p["s"] * X), {"a": 0.0, "b": 0.0, "s": 0.0}, NLL, "a - b"),
    "product": (
        lambda p: np.exp(p["a"] * p["b"]) - COUNTS * p["a"] * p["b"],
        {"a": 1.0, "b": 0.5},
        NLL,
        r"(.* \* )?a [-+] .*b",
    ),
    "ratio": (lambda p: 0.5 * (Y - p["a"] / p["b"] * X) ** 2, {"a": 1.0, "b": 1.0}, NLL, r"a \+ .* b"),
    "difference, squares": (lambda p: Y - (p["a"] - p["b"]) * X, {"a": 1.0, "b": 1.0}, LS, r"a \+ b"),
    "unused": (lambda p: 0.5 * (Y - p["a"] * X) ** 2, {"a": 1.0, "u": 1.0}, NLL, "u"),
    "unused, squares": (lambda p: Y - p["a"] * X, {"a": 1.0, "u": 1.0}, LS, "u"),
    "mixture of equal components": (
        lambda p: -np.log((p["w"] + (1 - p["w"])) * np.exp(-0.5 * (Y - p["m"]) ** 2)),
        {"m": 0.1, "w": 0.3},
        NLL,
        "w",
    ),
    "far out": (lambda p: 0.5 * (Y - np.exp(p["a"] - p["b"]) * X) ** 2, {"a": 800.0, "b": 799.0}, NLL, r"a \+ b"),
    "far out, squares": (lambda p: Y - np.exp(p["a"] - p["b"]) * X, {"a": -800.0, "b": -799.0}, LS, r"a \+ b"),
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", MODELS)
def test_flat_combination_is_named_and_no_number_invented(name):
    function, start, kind, direction = MODELS[name]
    fitted = autoopt.fit(function, start, kind=kind)
    assert fitted.status == "not identified"
    assert np.isnan(fitted.bse).all() and fitted.covariance is None
    assert re.search(rf"\n  {direction}", fitted.problem.happened), fitted.problem.happened
    assert np.isnan(fitted.conf_int()).all()
    assert "drop or fix one of the parameters" in fitted.summary()


def test_ratio_of_residuals_is_flat_without_end():
    """Its valley is a ray, along which a run may go off: then the fit has not converged, and says along what."""
    fitted = autoopt.fit(lambda p: Y - p["a"] / p["b"] * X, {"a": 1.0, "b": 1.0}, kind=LS)
    assert fitted.status in ("not identified", "not converged") and np.isnan(fitted.bse).all()
    assert re.search(r"a \+ 0\.\d+ \* b", str(fitted.problem or fitted.result.message))


def test_combination_leaves_out_what_is_nothing_in_its_own_unit():
    direction = np.array([1.0, 1e-8, 1e-13])
    assert combination(direction, ["a", "b", "c"]) == "a"
    assert combination(direction, ["a", "b", "c"], np.array([1.0, 1e-8, 1e-8])) == "a + 1e-08 * b"
    with pytest.raises(Exception, match=r"a - 1e-08 \* b"):
        covariance(np.array([[1.0, 1e8], [1e8, 1e16]]), ["a", "b"])


def test_variance_that_is_not_known_is_no_fault_of_the_model():
    fitted = autoopt.fit(lambda p: abs(np.sum((Y - p[0] - p[1] * X) ** 2)), np.zeros(2), kind=LS)
    assert fitted.status == "converged" and any("Pass nobs=" in note for note in fitted.notes)
    known = autoopt.fit(lambda p: abs(np.sum((Y - p[0] - p[1] * X) ** 2)), np.zeros(2), kind=LS, nobs=N)
    assert np.isfinite(known.bse).all()
    exact = autoopt.fit(lambda p: Y[:2] - p[0] - p[1] * X[:2], np.zeros(2), kind=LS)
    assert exact.status == "converged" and any("leave no variance" in note for note in exact.notes)
