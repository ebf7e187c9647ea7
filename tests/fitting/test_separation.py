"""Separation is found, told apart from other failures, and named, for likelihoods of all kinds of responses."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import special

import autoopt
from autoopt.solvers.recession import recession

NLL = "negative log-likelihood"
NV, PI, EH, HG = np.loadtxt(Path(__file__).parents[1] / "data" / "endometrial.csv", delimiter=",", skiprows=1).T
X = np.column_stack([np.ones(79), NV, PI, EH])
RNG = np.random.default_rng(0)
N = 50
GROUP = np.arange(N) % 5
D = np.column_stack([np.ones(N), *(k == GROUP for k in range(1, 5))]).astype(float)
A = RNG.normal(size=N)
COUNTS = np.where(GROUP == 2, 0.0, RNG.poisson(3, size=N))
ORDER = np.digitize(A, [-0.5, 0.5])
CLASS = np.where(GROUP == 4, 2, RNG.integers(0, 2, size=N))
APART = np.column_stack([np.ones(N), A, RNG.normal(size=N)])


def logistic(eta, y):
    return np.logaddexp(0, eta) - y * eta


def ordered(p):
    cuts, eta = np.concatenate([[-np.inf], p["c"], [np.inf]]), p["b"] * A
    return -np.log(special.expit(cuts[ORDER + 1] - eta) - special.expit(cuts[ORDER] - eta))


def multinomial(p):
    eta = np.column_stack([np.zeros(N), D @ p["a"], D @ p["b"]])
    return special.logsumexp(eta, axis=1) - eta[np.arange(N), CLASS]


QUASI = r"p\[1\]\nthe likelihood of no row falls, and that of 13 of 79 rises for ever: quasi-complete separation"
SEPARATED = {
    "logit": (lambda p: logistic(X @ p, HG), np.zeros(4), QUASI),
    "as one sum": (lambda p: np.sum(logistic(X @ p, HG)), np.zeros(4), QUASI),
    "badly scaled": (lambda p: logistic((X * np.array([1, 1e7, 1e-7, 1])) @ p, HG), np.zeros(4), QUASI),
    "probit": (lambda p: -special.log_ndtr((2 * HG - 1) * (X @ p)), np.zeros(4), QUASI),
    "complementary log-log": (
        lambda p: -np.where(HG == 1, np.log(-np.expm1(-np.exp(X @ p))), -np.exp(X @ p)),
        np.zeros(4),
        QUASI,
    ),
    "complete": (
        lambda p: logistic(APART @ p, A > 0.2),
        np.zeros(3),
        r"\+ p\[1\] .*\n.*50 of 50 .* complete separation",
    ),
    "Poisson": (lambda p: np.exp(D @ p) - COUNTS * (D @ p), np.zeros(5), r"-p\[2\]\n.*10 of 50 .* quasi-complete"),
    "ordered": (ordered, {"b": 0.0, "c": np.array([-1.0, 1.0])}, r"b .* c\[0\] .* c\[1\]\n.*50 of 50 .* complete"),
    "multinomial": (
        multinomial,
        {"a": np.zeros(5), "b": np.zeros(5)},
        r"0\.5 \* b\[4\]\n.* 40 of 50 .* quasi-complete",
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", SEPARATED)
def test_separation_is_named_and_no_number_invented(name):
    function, start, said = SEPARATED[name]
    fitted = autoopt.fit(function, start, kind=NLL)
    assert fitted.status != "converged" and np.isnan(fitted.bse).all()
    told = fitted.notes[0] if fitted.problem is None else str(fitted.problem)
    assert re.search(said, told), told
    assert "penalty='firth'" in told


@pytest.mark.parametrize("bounds", [None, [(None, None), (None, 3.0), (None, None), (None, None)]])
def test_what_is_not_separated_is_not_said_to_be(bounds):
    columns = X[:, [0, 2, 3]] if bounds is None else X
    fitted = autoopt.fit(lambda p: logistic(columns @ p, HG), np.zeros(columns.shape[1]), kind=NLL, bounds=bounds)
    assert fitted.status == "converged" and not any("separation" in note for note in fitted.notes)


@pytest.mark.slow
def test_perfect_fit_is_no_separation():
    def normal(p):
        return p["s"] + 0.5 * ((2 * A - p["b"] * A) / np.exp(p["s"])) ** 2

    fitted = autoopt.fit(normal, {"b": 0.0, "s": 0.0}, kind=NLL)
    assert fitted.status != "converged" and not any("separation" in note for note in fitted.notes)


def test_direction_is_found_where_there_is_one():
    rows = np.array([[-1.0, 0.0], [0.0, -2.0], [1e-9, -1e-9]])
    found = recession(rows, -np.ones(2), np.ones(2))
    assert (rows @ found <= 0).all() and (rows @ found).min() < 0
    assert recession(np.vstack([rows, -rows]), -np.ones(2), np.ones(2)) is None
    assert recession(np.array([[1.0, -1.0], [-1.0, 1.0], [-1.0, 0.0]]), -np.ones(2), np.ones(2)).tolist() == [1.0, 1.0]
    assert recession(np.array([[-1.0, 0.0]]), np.array([-1.0, -1.0]), np.array([0.0, 1.0])) is None
    assert recession(np.zeros((0, 2)), -np.ones(2), np.ones(2)) is None
