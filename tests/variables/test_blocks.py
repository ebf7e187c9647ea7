"""Transforms of several parameters together: exact to second order, and their estimates those of closed forms."""

import mpmath
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

import autoopt
from autoopt import Parameter, Parameters
from autoopt.errors import UsageError
from autoopt.objectives.objective import Objective
from autoopt.variables.blocks import BLOCKS
from autoopt.variables.functions import ChangedObjective
from autoopt.variables.start import Start

RNG = np.random.default_rng(3)
NLL = "negative log-likelihood"


def complex_shares(w):
    return np.exp(w) / (1 + np.sum(np.exp(w)))


def complex_matrix(offset, row):
    """Return the entries of L L' that are moved, of complex variables, row by row."""

    def entries(w):
        p = round((np.sqrt(8 * len(w) + 1) - 1) / 2) - offset
        factor, end = np.zeros((p, p), complex), 0
        for i in range(p):
            own = w[end : end + i + 1 + offset]
            end += len(own)
            factor[i, : i + 1] = row(own)
        return (factor @ factor.T)[np.tril_indices(p, offset)]

    return entries


def unit_row(own):
    a = np.append(own, 1.0)
    return a / np.sqrt(np.sum(a * a))


COMPLEX = {
    "simplex": (complex_shares, 4),
    "ordered": (lambda w: np.cumsum(np.concatenate([w[:1], np.exp(w[1:])])), 4),
    "correlation": (complex_matrix(-1, unit_row), 6),
    "covariance": (complex_matrix(0, lambda own: np.append(own[:-1], np.exp(own[-1]))), 6),
}


@pytest.mark.parametrize("size", [1.0, 5.0])
@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_have_their_derivatives_and_their_inverse(name, size):
    kind, (written_out, count) = BLOCKS[name], COMPLEX[name]
    w, weights = size * RNG.normal(size=count), RNG.normal(size=count)
    np.testing.assert_allclose(kind.value(w), written_out(w).real, rtol=1e-12)
    slopes = np.stack([written_out(w + 1e-30j * unit).imag / 1e-30 for unit in np.eye(count)], axis=1)
    np.testing.assert_allclose(kind.jacobian(w), slopes, rtol=1e-9, atol=1e-13 * np.abs(slopes).max())
    along = lambda v: weights @ kind.jacobian(v)  # noqa: E731 - which is compared with complex steps above
    h = 1e-5
    bends = [
        (8 * (along(w + h * u) - along(w - h * u)) - along(w + 2 * h * u) + along(w - 2 * h * u)) / (12 * h)
        for u in np.eye(count)
    ]
    np.testing.assert_allclose(kind.bend(w, weights), bends, rtol=1e-8, atol=1e-8 * np.abs(slopes).max())
    np.testing.assert_allclose(kind.inverse(kind.value(w)), w, rtol=1e-6, atol=1e-6 * size)


def test_far_points_stay_in_their_range():
    for name, (_, count) in COMPLEX.items():
        for w in (np.full(count, 300.0), np.full(count, -300.0)):
            kind = BLOCKS[name]
            assert np.isfinite(kind.value(w)).all() and np.isfinite(kind.jacobian(w)).all()
    w = np.array([800.0, -800.0])
    share = mpmath.exp(800) / (1 + mpmath.exp(800) + mpmath.exp(-800))
    np.testing.assert_allclose(BLOCKS["simplex"].value(w), [float(share), 0.0])


def four_parts(p):
    return (
        np.sum(p["shares"] ** 2 * np.array([1.0, 2, 3]))
        + np.sum(np.sin(p["cuts"]) * p["shares"][2])
        + np.sum(np.exp(p["R"]) * np.array([[0.0, 1, 2], [3, 0, 4], [5, 6, 0]])) * p["scale"]
        + np.linalg.slogdet(p["S"])[1] * p["cuts"][1]
        + np.sum(p["S"] @ p["S"])
    )


TABLE = Parameters(
    shares=Parameter(np.array([0.2, 0.5, 0.3]), transform="simplex"),
    scale=Parameter(0.7, transform="positive"),
    cuts=Parameter(np.array([-1.0, 0.5, 0.7]), transform="ordered"),
    R=Parameter(np.array([[1.0, 0.3, -0.2], [0.3, 1.0, 0.4], [-0.2, 0.4, 1.0]]), transform="correlation"),
    S=Parameter(np.array([[2.0, 0.5], [0.5, 1.0]]), transform="covariance"),
)


def test_chain_rule_is_exact_to_second_order():
    start = Start.of(TABLE)
    variables = start.variables
    assert variables.size == 2 + 1 + 3 + 3 + 3
    objective = ChangedObjective(Objective(four_parts, start.x0), variables)
    z, p = variables.variables(start.flat) + 0.1 * RNG.normal(size=12), RNG.normal(size=(12, 2))
    h = 1e-5

    def slope(f, unit):
        return (8 * (f(z + h * unit) - f(z - h * unit)) - f(z + 2 * h * unit) + f(z - 2 * h * unit)) / (12 * h)

    np.testing.assert_allclose(objective.grad(z), [slope(objective.value, u) for u in np.eye(12)], rtol=1e-8, atol=1e-9)
    hessian = np.array([slope(objective.grad, unit) for unit in np.eye(12)])
    np.testing.assert_allclose(objective.hess(z), hessian, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(objective.hess(z, sparse=True).toarray(), hessian, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(np.stack([objective.hessp(z, one) for one in p.T], 1), hessian @ p, rtol=1e-6, atol=1e-7)
    pushed = [slope(variables.parameters, unit) for unit in np.eye(12)]
    np.testing.assert_allclose(variables.pushed(z, np.eye(12)).T, pushed, rtol=1e-8, atol=1e-9)
    x = variables.parameters(z)
    np.testing.assert_allclose(variables.variables(x), z, rtol=1e-9)
    value = start.structure.unflatten(x)
    assert abs(value["shares"].sum() - 1) < 1e-14 and (np.diff(value["cuts"]) > 0).all()
    assert np.array_equal(value["R"], value["R"].T) and (np.linalg.eigvalsh(value["S"]) > 0).all()


# Fits -----------------------------------------------------------------------------------------------------------------


def test_shares_of_counts_have_the_covariance_of_a_multinomial():
    counts = np.array([10.0, 20.0, 5.0, 65.0])
    start = Parameters(pi=Parameter(np.full(4, 0.25), transform="simplex"))
    fitted = autoopt.fit(lambda p: -counts * np.log(p["pi"]), start, kind=NLL)
    share = counts / 100
    np.testing.assert_allclose(fitted.params, share, rtol=1e-7)
    np.testing.assert_allclose(fitted.cov_params(), (np.diag(share) - np.outer(share, share)) / 100, atol=1e-9)
    assert fitted.df_model == 3
    free = fitted.free_scale()
    assert free.names[3] == "logit(pi[3])" and any("transform's scale" in note for note in fitted.notes)
    np.testing.assert_allclose(free.bse, 1 / np.sqrt(100 * share * (1 - share)), rtol=1e-6)  # of a binomial
    ends = np.log(share / (1 - share))[:, None] + np.array([-1, 1]) * (1.959963984540054 * free.bse)[:, None]
    np.testing.assert_allclose(fitted.conf_int(), 1 / (1 + np.exp(-ends)), rtol=1e-6)


def root_on_both_sides(deviance, estimate, low, high):
    """Return where a deviance comes to the quantile of 95 %, below and above an estimate."""
    beyond = lambda b: deviance(b) - chi2.ppf(0.95, 1)  # noqa: E731
    return [brentq(beyond, low, estimate, xtol=1e-12), brentq(beyond, estimate, high, xtol=1e-12)]


@pytest.mark.slow
def test_profiles_of_shares_are_those_of_binomials():
    counts = np.array([10.0, 85.0, 5.0])
    start = Parameters(pi=Parameter(np.full(3, 1 / 3), transform="simplex"))
    fitted = autoopt.fit(lambda p: -counts * np.log(p["pi"]), start, kind=NLL)
    for c, ends in zip(counts, fitted.conf_int(method="profile"), strict=True):
        deviance = lambda b, c=c: 2 * (c * np.log(c / 100 / b) + (100 - c) * np.log((1 - c / 100) / (1 - b)))  # noqa: E731
        np.testing.assert_allclose(ends, root_on_both_sides(deviance, c / 100, 1e-9, 1 - 1e-9), rtol=1e-6)


@pytest.mark.slow
def test_profiles_of_matrices_have_their_closed_forms():
    z = RNG.normal(size=(30, 2)) @ np.array([[1.0, 0.7], [0.0, 1.2]])
    z -= z.mean(axis=0)
    S, r, n = np.cov(z.T, bias=True), np.corrcoef(z.T)[0, 1], len(z)

    def normal(S):
        return 0.5 * np.sum(z * np.linalg.solve(S, z.T).T) + 0.5 * n * np.linalg.slogdet(S)[1]

    fitted = autoopt.fit(lambda p: normal(p["S"]), Parameters(S=Parameter(np.eye(2), transform="covariance")), kind=NLL)
    deviance = lambda v: n * (np.log(v / S[0, 0]) + S[0, 0] / v - 1)  # noqa: E731
    np.testing.assert_allclose(
        fitted.profile("S[0, 0]").interval(), root_on_both_sides(deviance, S[0, 0], 0.1, 9), rtol=1e-6
    )
    rows = {"s": Parameter(np.ones(2), transform="log"), "R": Parameter(np.eye(2), transform="correlation")}
    fitted = autoopt.fit(lambda p: normal(p["R"] * np.outer(p["s"], p["s"])), Parameters(rows), kind=NLL)
    deviance = lambda b: n * np.log((1 - b * r) ** 2 / ((1 - b**2) * (1 - r**2)))  # noqa: E731
    np.testing.assert_allclose(
        fitted.profile("R[1, 0]").interval(), root_on_both_sides(deviance, r, -0.99, 0.99), rtol=1e-6
    )
    with pytest.raises(UsageError, match=r"R\[0, 0\] is fixed"):
        fitted.profile("R[0, 0]")


@pytest.mark.slow
def test_covariance_of_normal_data_has_its_closed_form():
    z = RNG.normal(size=(60, 2)) @ np.array([[1.0, 0.5], [0.0, 1.2]])

    def normal(p, z):
        e = z - p["m"]
        return 0.5 * np.sum(e * np.linalg.solve(p["S"], e.T).T, axis=1) + 0.5 * np.linalg.slogdet(p["S"])[1]

    start = Parameters(m=np.zeros(2), S=Parameter(np.eye(2), transform="covariance"))
    fitted = autoopt.fit(normal, start, (z,), kind=NLL)
    S = np.cov(z.T, bias=True)
    np.testing.assert_allclose(fitted.result.x["S"], S, rtol=1e-7)
    errors = np.sqrt((np.outer(np.diag(S), np.diag(S)) + S**2) / 60)
    np.testing.assert_allclose(fitted.bse[2:].reshape(2, 2), errors, rtol=1e-6)


@pytest.mark.slow
def test_correlations_and_thresholds_are_those_of_others():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    z = RNG.normal(size=(80, 3)) @ np.array([[1.0, 0.5, 0.1], [0.0, 1.2, -0.4], [0.0, 0.0, 1.0]])
    z -= z.mean(axis=0)

    def normal(p, z):
        S = p["R"] * np.outer(p["s"], p["s"])
        return 0.5 * np.sum(z * np.linalg.solve(S, z.T).T) + 0.5 * len(z) * np.linalg.slogdet(S)[1]

    rows = {"s": Parameter(np.ones(3), transform="positive"), "R": Parameter(np.eye(3), transform="correlation")}
    fitted = autoopt.fit(normal, Parameters(rows), (z,), kind=NLL, nobs=80)
    R = np.corrcoef(z.T)
    np.testing.assert_allclose(fitted.result.x["R"], R, rtol=1e-6)
    errors = np.where(np.eye(3), np.nan, (1 - R**2) / np.sqrt(80))
    np.testing.assert_allclose(fitted.bse[3:].reshape(3, 3), errors, rtol=1e-5)

    x = RNG.normal(size=150)
    y = np.digitize(x + RNG.logistic(size=150), [-1.0, 0.5, 2.0])

    def ordered(p, x, y):
        cuts = np.concatenate([[-np.inf], p["c"], [np.inf]])
        upper, lower = (1 / (1 + np.exp(p["b"] * x - cuts[k])) for k in (y + 1, y))
        return -np.log(upper - lower)

    start = Parameters(b=0.0, c=Parameter(np.array([-1.0, 0.0, 1.0]), transform="ordered"))
    fitted = autoopt.fit(ordered, start, (x, y), kind=NLL)
    theirs = OrderedModel(y, x[:, None], distr="logit").fit(disp=0, method="newton")
    np.testing.assert_allclose(
        fitted.params[1:], theirs.model.transform_threshold_params(theirs.params)[1:-1], rtol=1e-6
    )
    np.testing.assert_allclose(fitted.bse[0], theirs.bse[0], rtol=1e-4)


def test_a_block_is_held_whole():
    start = Parameters(pi=Parameter(np.array([0.5, 0.2, 0.3]), transform="simplex"), b=0.0)

    def objective(p):
        return (p["b"] - 1) ** 2 - np.sum(np.array([1.0, 2, 3]) * np.log(p["pi"]))

    result = autoopt.minimize(objective, start, fixed=["pi"])
    np.testing.assert_allclose(result.x["pi"], [0.5, 0.2, 0.3])
    np.testing.assert_allclose(autoopt.minimize(objective, start).x["pi"], [1 / 6, 1 / 3, 1 / 2], rtol=1e-6)
    for fixed in (["pi[0]"], ["pi[2]"], {"b": "pi[2]"}, {"pi[0]": "b"}):
        with pytest.raises(UsageError, match="some entries of pi are held or tied, which is a vector of positive"):
            autoopt.minimize(objective, start, fixed=fixed)


@pytest.mark.parametrize(
    ("transform", "value"),
    [
        ("simplex", [0.5, 0.6]),
        ("simplex", [1.0, 0.0]),
        ("simplex", 1.0),
        ("ordered", [1.0, 1.0]),
        ("correlation", [[1.0, 2.0], [2.0, 1.0]]),
        ("correlation", [[2.0, 0.0], [0.0, 1.0]]),
        ("covariance", [[1.0, 0.5], [0.4, 1.0]]),
        ("covariance", [1.0, 2.0]),
    ],
)
def test_values_that_a_block_cannot_have_are_refused(transform, value):
    with pytest.raises(UsageError, match=f"p has the transform {transform}, and its value is not a"):
        Parameters(p=Parameter(np.array(value), transform=transform))


def test_limits_beside_a_block_are_refused():
    with pytest.raises(UsageError, match="limits beside the transform ordered"):
        Parameters(c=Parameter(np.array([0.0, 1.0]), lower=-1.0, transform="ordered"))
