"""Firth's penalty against published figures and the modified score solved by hand."""

from pathlib import Path

import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.errors import InferenceError, UsageError
from autoopt.fitting.comparison import ratio_tests

NLL = "negative log-likelihood"
NV, PI, EH, HG = np.loadtxt(Path(__file__).parents[1] / "data" / "endometrial.csv", delimiter=",", skiprows=1).T
X = np.column_stack([np.ones(79), NV, PI, EH])
NAMES = ["intercept", "NV", "PI", "EH"]


def logistic(b, X, y):
    eta = X @ b
    return np.logaddexp(0, eta) - y * eta


def firth(X, y):
    """Return the solution of Firth's modified score for a logistic regression, X'(y - p + h (1/2 - p)) = 0."""

    def score(b):
        p = 1 / (1 + np.exp(-X @ b))
        w = p * (1 - p)
        h = np.einsum("ij,jk,ik->i", X, np.linalg.inv(X.T @ (X * w[:, None])), X) * w
        return X.T @ (y - p + h * (0.5 - p))

    return optimize.root(score, np.zeros(X.shape[1]), tol=1e-13).x


def test_endometrial_cancer_is_as_published():
    """logistf 1.26, logistf(HG ~ NV + PI + EH, endometrial), as in Heinze and Schemper (2002); errors as in brglm2."""
    fitted = autoopt.fit(logistic, np.zeros(4), (X, HG), kind=NLL, penalty="firth", names=NAMES)
    np.testing.assert_allclose(fitted.params, [3.77456, 2.92927, -0.03475, -2.60416], atol=5e-6)
    np.testing.assert_allclose(fitted.bse, [1.48869, 1.55076, 0.03958, 0.77602], atol=5e-6)
    published = [[1.08254, 7.20928], [0.60972, 7.85463], [-0.12446, 0.04045], [-4.36518, -1.23272]]
    np.testing.assert_allclose(fitted.conf_int(method="profile"), published, atol=1e-5)
    likelihood = -np.sum(logistic(fitted.params, X, HG))
    np.testing.assert_allclose(fitted.llf, likelihood, rtol=1e-12)
    np.testing.assert_allclose(-2 * likelihood, 56.5754, atol=5e-5)  # brglm's deviance
    np.testing.assert_allclose(2 * fitted.result.fun, 48.0745, atol=5e-5)  # and its penalized one
    assert any("Firth" in note for note in fitted.notes)


def endometrial(X=X, names=NAMES, **options):
    return autoopt.fit(logistic, np.zeros(len(names)), (X, HG), kind=NLL, penalty="firth", names=names, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("held", "statistic"), [pytest.param((1,), 6.7985, marks=pytest.mark.slow), ((1, 2, 3), 43.65582)]
)
def test_likelihood_ratios_are_those_of_the_penalised_likelihood(held, statistic):
    """logistf 1.26 prints 6.7985, 0.7468, 17.7594 for NV, PI, EH, and 43.65582 on 3 df, p = 1.78586e-09, for all."""
    larger = endometrial()

    def penalised(b):
        p = 1 / (1 + np.exp(-X @ b))
        return np.sum(logistic(b, X, HG)) - 0.5 * np.linalg.slogdet(X.T @ (X * (p * (1 - p))[:, None]))[1]

    free = [k for k in range(4) if k not in held]
    by_hand = optimize.minimize(lambda b: penalised(np.eye(4)[:, free] @ b), larger.params[free], tol=1e-10)
    test = endometrial(fixed=dict.fromkeys((NAMES[k] for k in held), 0.0)).lr_test(larger)
    np.testing.assert_allclose(test.statistic, 2 * (by_hand.fun - penalised(larger.params)), rtol=1e-7)
    np.testing.assert_allclose(test.statistic, statistic, atol=5e-5)
    assert str(test).startswith("penalised likelihood-ratio test of NV")


@pytest.mark.slow
def test_likelihood_ratios_do_not_depend_on_units():
    for held in (("PI", 0.0), ("NV", 1.5)):
        tests = [
            endometrial(X * units).lr_test(
                endometrial(X * units, fixed={held[0]: held[1] / units[NAMES.index(held[0])]})
            )
            for units in (np.ones(4), np.array([1, 100.0, 0.1, 7.0]))
        ]
        np.testing.assert_allclose(tests[0].statistic, tests[1].statistic, rtol=1e-6)


@pytest.mark.slow
def test_likelihood_ratios_of_other_penalised_models_are_refused():
    larger, smaller = endometrial(), endometrial(X[:, :3], NAMES[:3])
    assert not ratio_tests({"larger": larger, "smaller": smaller})
    plain = autoopt.fit(logistic, np.zeros(3), (X[:, [0, 2, 3]], HG), kind=NLL, names=["intercept", "PI", "EH"])
    for other in (smaller, plain):
        with pytest.raises(UsageError, match=r"not fits of one penalised objective.*\n.*fixed="):
            larger.lr_test(other)
    with pytest.raises(InferenceError, match=r"use lr_test"):
        endometrial(fixed={"PI": 0.0}).score_test()


@pytest.mark.slow
def test_estimates_solve_the_modified_score_with_what_is_fixed_left_out():
    def parts(p, X, y):
        return np.sum(logistic(np.stack([p["a"], *p["b"]]), X, y))

    start = {"a": 0.0, "b": np.zeros(3)}
    fitted = autoopt.fit(parts, start, (X, HG), kind=NLL, penalty="firth")
    np.testing.assert_allclose(fitted.params, firth(X, HG), rtol=1e-6)
    fitted = autoopt.fit(parts, start, (X, HG), kind=NLL, penalty="firth", fixed={"b[1]": 0.0})
    np.testing.assert_allclose(fitted.params[[0, 1, 3]], firth(X[:, [0, 1, 3]], HG), rtol=1e-6)
    tied = autoopt.fit(parts, start, (X, HG), kind=NLL, penalty="firth", fixed={"b[1]": "b[2]"})
    both = np.column_stack([X[:, :2], X[:, 2] + X[:, 3]])
    np.testing.assert_allclose(tied.params[:3], firth(both, HG), rtol=1e-6)


@pytest.mark.slow
def test_counts_have_the_penalty_of_their_weights():
    """A Poisson mean: Firth's estimate adds half a count, sum(y) + 1/2, to all."""
    counts = np.array([3.0, 0.0, 2.0, 1.0])
    fitted = autoopt.fit(lambda p, y: np.exp(p) - y * p, 0.0, (counts,), kind=NLL, penalty="firth")
    np.testing.assert_allclose(np.exp(fitted.params), (counts.sum() + 0.5) / 4, rtol=1e-9)


def test_what_makes_no_sense_is_refused():
    for options, said in (
        ({"penalty": "frith", "kind": NLL}, "'frith'.*firth"),
        ({"penalty": "firth", "kind": "minimise"}, "one of likelihoods"),
    ):
        with pytest.raises(UsageError, match=said):
            autoopt.fit(lambda b, X, y: np.sum(logistic(b, X, y)), np.zeros(4), (X, HG), **options)
    model = type("M", (), {"objective": staticmethod(lambda b: np.sum(b**2)), "x0": 0.0, "jac": lambda b: 2 * b})
    with pytest.raises(UsageError, match="derivatives of the objective beside penalty"):
        autoopt.fit(model, kind=NLL, penalty="firth")
