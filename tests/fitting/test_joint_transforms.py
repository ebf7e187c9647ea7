"""Fits of shares, orders and matrices: their scores, what may be held of them, and where they come to their limits."""

import re

import numpy as np
import pytest
from scipy import stats

import autoopt
from autoopt import Parameter, Parameters
from autoopt.errors import UsageError

NLL = "negative log-likelihood"
RNG = np.random.default_rng(1)
MIXED = np.concatenate([RNG.normal(-2, 1, 80), RNG.normal(0, 1, 60), RNG.normal(2.1, 1, 160)])
PAIRS = np.random.default_rng(14).multivariate_normal([0, 0.2], [[1, 0.5], [0.5, 1]], size=80)
EQUAL = np.full(3, 1 / 3)


def density(s, d, y):
    return s[0] * np.exp(-0.5 * (y + 2) ** 2) + s[1] * np.exp(-0.5 * y**2) + s[2] * np.exp(-0.5 * (y - 2 - d) ** 2)


def mixture(p, y):
    return -np.log(density(p["share"], p["d"], y))


def logits(p, y):
    weights = np.exp(np.concatenate([np.zeros(1), p[:2]]))
    return -np.log(density(weights / np.sum(weights), p[2], y))


def normal(p, Y):
    left = Y - p["m"]
    return 0.5 * (np.linalg.slogdet(p["S"])[1] + np.sum(left * np.linalg.solve(p["S"], left.T).T, axis=1))


@pytest.mark.slow
def test_scores_of_a_mixture_are_those_of_its_logits():
    start = Parameters(share=Parameter(EQUAL, transform="simplex"), d=0.0)
    test = autoopt.fit(mixture, start, (MIXED,), kind=NLL, fixed={"d": 0.0}).score_test()
    same = autoopt.fit(logits, np.zeros(3), (MIXED,), kind=NLL, fixed={2: 0.0}).score_test()
    assert test.df == 1 and test.hypothesis == "d as fixed or tied"
    np.testing.assert_allclose(test.statistic, same.statistic, rtol=1e-6)


@pytest.mark.slow
def test_scores_of_a_whole_simplex_have_a_degree_less_than_shares():
    """By hand: those of the first two shares, of which the third is 1 less their sum."""
    counts = np.array([20.0, 30.0, 50.0])
    start = Parameters(s=Parameter(EQUAL, transform="simplex"), a=0.0)
    fitted = autoopt.fit(
        lambda p, n, y: 0.5 * (y - p["a"]) ** 2 - n * np.log(p["s"]), start, (counts, counts), kind=NLL, fixed=["s"]
    )
    test, gradient = fitted.score_test(), 3 * (counts[2] - counts[:2])
    assert test.df == 2
    information = 9 * (np.diag(counts[:2]) + counts[2])
    np.testing.assert_allclose(test.statistic, gradient @ np.linalg.solve(information, gradient), rtol=1e-9)


@pytest.mark.slow
def test_scores_of_a_mean_beside_a_covariance():
    start = Parameters(m=np.zeros(2), S=Parameter(np.eye(2), transform="covariance"))
    test = autoopt.fit(normal, start, (PAIRS,), kind=NLL, fixed={"m": 0.0}).score_test()
    S, g = PAIRS.T @ PAIRS / 80, PAIRS.sum(axis=0)

    def free(q):  # minus the log-likelihood in the mean and the matrix's three entries
        left = PAIRS - q[:2]
        matrix = np.array([[q[2], q[3]], [q[3], q[4]]])
        return 40 * np.linalg.slogdet(matrix)[1] + 0.5 * np.sum(left * np.linalg.solve(matrix, left.T).T)

    q, h = np.array([0, 0, S[0, 0], S[0, 1], S[1, 1]]), 1e-3
    units = h * np.eye(5)
    H = [[free(q + a + b) - free(q + a - b) - free(q - a + b) + free(q - a - b) for b in units] for a in units]
    gradient = np.concatenate([-np.linalg.solve(S, g), np.zeros(3)])
    assert test.df == 2
    np.testing.assert_allclose(
        test.statistic, gradient @ np.linalg.solve(np.array(H) / (4 * h**2), gradient), rtol=1e-4
    )


@pytest.mark.parametrize("transform", ["correlation", "covariance"])
@pytest.mark.parametrize("fixed", [{"S[0, 1]": 0.0}, {"S[1, 0]": 0.0}, {"S[0, 1]": "m[0]"}, {"S[0, 1]": "2 * S[1, 0]"}])
def test_no_single_entry_of_a_matrix_is_held(transform, fixed):
    start = Parameters(m=np.zeros(2), S=Parameter(np.eye(2), transform=transform))
    if transform == "correlation" and "S[1, 0]" in fixed:  # which is all of it
        return
    with pytest.raises(UsageError, match="some entries of S are held or tied"):
        autoopt.fit(normal, start, (PAIRS,), kind=NLL, fixed=fixed)


@pytest.mark.slow
def test_a_matrix_that_is_held_whole_stays():
    start = Parameters(m=np.zeros(2), S=Parameter(np.eye(2), transform="correlation"))
    fitted = autoopt.fit(normal, start, (PAIRS,), kind=NLL, fixed=["S"])
    np.testing.assert_allclose(fitted.params, [*PAIRS.mean(axis=0), 1, 0, 0, 1], atol=1e-8)


def of_counts(p, n):
    return -n * np.log(p["s"])


def of_order(p, n):  # two rates that the data have the other way about
    return np.exp(p["s"]) - n[:2] * p["s"]


def of_matrix(p, n):
    return (p["s"][0, 0] - 1) ** 2 + (p["s"][1, 0] - 1) ** 2 + p["s"][1, 1] + 0.0 * n


AT_LIMITS = {
    "share": ("simplex", EQUAL, of_counts, [0.0, 20, 70], r"s\[0\] goes to its limit 0"),
    "last share": ("simplex", EQUAL, of_counts, [20.0, 70, 0], r"s\[2\] goes to its limit 0"),
    "order": ("ordered", np.array([0.0, 1.0]), of_order, [9.0, 3, 0], r"s\[1\] goes to the one before it"),
    "correlation": (
        "correlation", np.eye(2), lambda p, n: 0.0 * n - p["s"][1, 0], [0.0, 0, 0],
        r"the matrix of s\[1, 0\] goes to a singular one",
    ),
    "covariance": (
        "covariance", np.eye(2), of_matrix, [0.0, 0, 0],
        r"the matrix of s\[1, 1\] goes to a singular one",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [name if name == "share" else pytest.param(name, marks=pytest.mark.slow) for name in AT_LIMITS]
)
def test_a_limit_of_a_transform_is_no_success(case):
    transform, value, objective, counts, said = AT_LIMITS[case]
    start = Parameters(s=Parameter(value, transform=transform))
    fitted = autoopt.fit(objective, start, (np.array(counts),), kind=NLL)
    assert fitted.status == "not converged" and np.isnan(fitted.bse).all()
    text = " ".join(fitted.notes)
    assert re.search(said, text) and "reaches at infinity only" in text
    assert "separation" not in text and "did not show" not in text


@pytest.mark.slow
def test_small_shares_are_inside():
    counts = np.array([1.0, 3000, 7000])
    fitted = autoopt.fit(of_counts, Parameters(s=Parameter(EQUAL, transform="simplex")), (counts,), kind=NLL)
    shares = counts / counts.sum()
    assert fitted.status == "converged"
    np.testing.assert_allclose(fitted.params, shares, rtol=1e-6)
    np.testing.assert_allclose(fitted.bse, np.sqrt(shares * (1 - shares) / counts.sum()), rtol=1e-5)


@pytest.mark.slow
def test_component_that_is_not_there_is_no_separation():
    y = np.concatenate([RNG.normal(0, 1, 100), RNG.normal(4, 1, 100)])

    def parts(p, y):
        w = p["w"]
        return -np.log(sum(w[k] * stats.norm.pdf(y, mean, 1) for k, mean in enumerate((0.0, 4.0, 20.0))))

    fitted = autoopt.fit(parts, Parameters(w=Parameter(EQUAL, transform="simplex")), (y,), kind=NLL)
    assert fitted.notes[0].startswith("w[2] goes to its limit 0")
    assert not any("separation" in note or "firth" in note for note in fitted.notes)


@pytest.mark.slow
def test_standard_deviation_that_goes_to_0_separates_no_classes():
    """lme4 calls the fit singular: its standard deviation is 0, the fixed effects are -0.3248054, 0.3507732."""
    from scipy import special

    nodes, weights = np.polynomial.hermite.hermgauss(15)
    rng, group = np.random.default_rng(6), np.repeat(np.arange(12), 6)
    x = rng.normal(size=72)
    y = (rng.logistic(size=72) < 0.5 * x).astype(float)
    members = (group == np.arange(12)[:, np.newaxis]).astype(float)

    def groups(p, x, y):
        eta = (p[0] + p[1] * x)[:, np.newaxis] + np.sqrt(2) * np.exp(p[2]) * nodes
        each = members @ (y[:, np.newaxis] * eta - np.logaddexp(0, eta))
        return -special.logsumexp(each + np.log(weights / np.sqrt(np.pi)), axis=1)

    fitted = autoopt.fit(groups, np.zeros(3), (x, y), kind=NLL)
    assert fitted.status == "not converged"
    np.testing.assert_allclose(fitted.params[:2], [-0.3248054, 0.3507732], atol=1e-4)
    assert "separated" not in " ".join(fitted.notes) and "at infinity" in fitted.notes[0]


def test_what_is_tied_to_a_transformed_parameter_has_its_interval():
    rng = np.random.default_rng(8)
    x = rng.normal(size=60)
    y = 0.3 - 0.2 * x + rng.normal(size=60)
    start = Parameters(a=Parameter(1.0, transform="log"), b=0.5)
    fitted = autoopt.fit(
        lambda p, x, y: y - p["a"] - p["b"] * x, start, (x, y), kind="least squares", fixed={"b": "1 - a / 2"}
    )
    a, b = fitted.conf_int()
    half = stats.t.ppf(0.975, 59) * fitted.bse[0] / fitted.params[0]
    np.testing.assert_allclose(a, fitted.params[0] * np.exp([-half, half]), rtol=1e-9)
    np.testing.assert_allclose(b, 1 - a[::-1] / 2, rtol=1e-12)
    assert "a, b: intervals are those of the transform's scale, mapped back." in fitted.notes
