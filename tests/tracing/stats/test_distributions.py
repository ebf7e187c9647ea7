"""Every distribution of scipy.stats with a row: values against SciPy's own, slopes against differences of SciPy's own.

A row without shapes here fails `test_every_row_has_shapes`.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from scipy import stats
from scipy.stats import norm

from autoopt import differences
from autoopt.errors import TracingError, UnsupportedFunctionError
from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.tracing.stats.distributions import _AT_ENDS, _WITH_POINT, AVAILABLE
from autoopt.tracing.stats.lifetimes import DISTRIBUTIONS
from autoopt.tracing.trace import trace

SHAPES = {
    "norm": (),
    "halfnorm": (),
    "lognorm": (0.7,),
    "truncnorm": (-0.8, 1.9),
    "skewnorm": (2.5,),
    "t": (4.3,),
    "cauchy": (),
    "halfcauchy": (),
    "laplace": (),
    "logistic": (),
    "gumbel_r": (),
    "gumbel_l": (),
    "expon": (),
    "gamma": (2.3,),
    "chi2": (5.1,),
    "invgamma": (3.2,),
    "beta": (2.2, 3.4),
    "f": (5.3, 7.7),
    "weibull_min": (1.8,),
    "pareto": (2.6,),
    "uniform": (),
    "rayleigh": (),
    "vonmises": (1.7,),
    "invgauss": (0.8,),
    "lomax": (2.1,),
    "fisk": (2.4,),
    "genpareto": (0.3,),
    "genextreme": (-0.2,),
    "gompertz": (0.7,),
    "exponweib": (1.3, 1.7),
    "gengamma": (1.4, 1.8),
    "invweibull": (2.3,),
    "weibull_max": (1.8,),
    "burr12": (2.1, 1.4),
    "loguniform": (0.2, 3.0),
    "powerlaw": (1.6,),
    "maxwell": (),
    "chi": (3.4,),
    "levy": (),
    "nakagami": (1.3,),
    "moyal": (),
    "halflogistic": (),
    "hypsecant": (),
    "genlogistic": (1.7,),
    "gennorm": (1.6,),
    "betaprime": (2.3, 3.1),
    "johnsonsu": (0.4, 1.3),
    "laplace_asymmetric": (1.4,),
    "wald": (),
    "gibrat": (),
    "rice": (0.8,),
    "foldnorm": (0.9,),
    "truncexpon": (2.5,),
    "dgamma": (1.9,),
    "dweibull": (1.8,),
    "loglaplace": (2.2,),
    "skewcauchy": (0.3,),
    "triang": (0.4,),
    "reciprocal": (0.2, 3.0),
    "exponnorm": (1.5,),
    "arcsine": (),
    "bradford": (0.9,),
    "semicircular": (),
    "loggamma": (1.4,),
    "fatiguelife": (1.2,),
    "halfgennorm": (1.3,),
    "burr": (2.5, 1.3),
    "johnsonsb": (0.4, 1.3),
    "powernorm": (2.3,),
    "logser": (0.6,),
    "planck": (0.7,),
    "yulesimon": (2.4,),
    "skellam": (3.1, 1.7),
    "poisson": (3.7,),
    "binom": (7.0, 0.35),
    "bernoulli": (0.3,),
    "nbinom": (4.5, 0.4),
    "geom": (0.35,),
    "betabinom": (6.0, 1.7, 2.3),
}
OTHERS = {  # more shapes for the values alone
    "truncnorm": [(1.2, 3.0), (-9.0, -8.0), (-np.inf, 0.45), (-1.0, np.inf), (30.0, np.inf)],
    "gamma": [(1.0,), (0.4,), (900.0,)],
    "genpareto": [(0.0,), (-0.4,), (1e-10,)],
    "genextreme": [(0.0,), (0.3,)],
    "t": [(0.5,), (1.0,), (2.0,), (800.0,)],
    "beta": [(1.0, 1.0), (0.5, 0.5), (80.0, 1.0)],
    "weibull_min": [(1.0,), (0.6,)],
    "chi2": [(2.0,), (1.0,)],
    "f": [(2.0, 1.5)],
    "pareto": [(0.9,)],
    "invgamma": [(0.8,)],
    "poisson": [(0.0,), (300.0,)],
    "binom": [(0.0, 0.5), (5.0, 0.0), (5.0, 1.0)],
    "bernoulli": [(0.0,), (1.0,)],
    "nbinom": [(0.6, 1.0)],
    "geom": [(1.0,)],
    "skewnorm": [(0.0,), (-40.0,)],
    "lognorm": [(3.0,)],
    "vonmises": [(0.0,), (900.0,)],
}
POINTS = np.array([-1000.0, -3.1, -1.0, -0.4, 0.0, 0.2, 0.5, 1.0, 1.3, 2.0, 7.0, 1000.0])
SHARES = np.array([-0.1, 0.0, 1e-9, 0.2, 0.5, 0.97, 1.0, 1.2])
LOC, SCALE = 0.3, 1.7

METHODS = [(name, method) for name, row in DISTRIBUTIONS.items() for method in AVAILABLE if AVAILABLE[method](row)]


def traced_value(f, x: np.ndarray, *args):
    """Return what `f` gives on traced arguments."""
    found = []

    def kept(x, *args):
        result = f(x, *args)
        found.append(result.value)
        return result

    with np.errstate(all="ignore"):
        trace(kept, Structure.of(x), x, args, scalar=False)
    return found[0]


def located(name: str, loc: float = LOC) -> tuple:
    """Return the values of loc and scale: a discrete distribution takes an integer and has no scale."""
    return (2.0,) if DISTRIBUTIONS[name].discrete else (loc, SCALE)


def scipys(name: str, method: str, *args):
    with np.errstate(all="ignore"):
        return np.asarray(getattr(getattr(stats, name), method)(*args))


def points(name: str, method: str) -> np.ndarray:
    """Return points inside, outside and on the ends of the support, in SciPy's units."""
    if method in ("ppf", "isf"):
        return SHARES
    loc, *scale = located(name)
    return np.concatenate([loc + POINTS * (scale or [1.0])[0], loc + np.arange(0.0, 9.0)])


def test_every_row_has_shapes():
    assert set(SHAPES) == set(DISTRIBUTIONS)
    assert {name: getattr(stats, name).numargs for name in SHAPES} == {
        name: len(shapes) for name, shapes in SHAPES.items()
    }


@pytest.mark.parametrize("name, method", METHODS)
def test_values_are_scipys(name, method):
    distribution = getattr(stats, name)
    for shapes in (SHAPES[name], *OTHERS.get(name, [])):
        everything = np.array([*shapes, *located(name)])
        traced = np.flatnonzero(np.isfinite(everything))
        data = (points(name, method),) if method in _WITH_POINT else ()

        def f(p, *data):
            given = list(everything)  # noqa: B023
            for k, i in enumerate(traced):  # noqa: B023
                given[i] = p[k]
            return getattr(distribution, method)(*data, *given)

        expected = scipys(name, method, *data, *everything)
        got = np.asarray(traced_value(f, everything[traced], *data), dtype=float)
        assert got.shape == expected.shape
        if (name, method) in UNDERFLOW:
            expected = np.where(np.isneginf(expected) & np.isfinite(got) & (got < -700), got, expected)
        tolerance = INEXACT.get((name, method), 1e-12)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=1e-13, err_msg=str(shapes))


UNDERFLOW = {("halfnorm", "logsf"), ("laplace", "logpdf"), ("laplace", "logcdf"), ("laplace", "logsf")}
UNDERFLOW |= {("gompertz", "logsf"), ("hypsecant", "logpdf"), ("rice", "logpdf"), ("foldnorm", "logpdf")}
"""SciPy takes the logarithm of what has underflowed to 0; ours goes on."""
INEXACT = {("fisk", "logsf"): 1e-10, ("powernorm", "ppf"): 1e-7}
INEXACT |= {(name, "isf"): 1e-7 for name in ("f", "truncnorm", "moyal", "betaprime", "exponweib", "burr")}
"""SciPy subtracts from 1 first."""


@pytest.mark.parametrize("name", SHAPES)
def test_invalid_parameters_give_nan(name):
    distribution, row = getattr(stats, name), DISTRIBUTIONS[name]
    method = "logpmf" if row.discrete else "logpdf"
    x = np.array([1.0, 2.0])
    good = np.array([*SHAPES[name], *located(name)])
    for position in range(len(good)):
        if position == len(SHAPES[name]):
            continue
        p = good.copy()
        p[position] = -1.5
        expected = scipys(name, method, x, *p)
        got = traced_value(lambda p: getattr(distribution, method)(x, *[p[i] for i in range(len(p))]), p)
        assert np.array_equal(np.isnan(got), np.isnan(expected)), (position, got, expected)


def interior(name: str, method: str) -> np.ndarray:
    if method in ("ppf", "isf"):
        return np.array([0.13, 0.4, 0.81])
    shapes, place = SHAPES[name], located(name)
    if name == "bernoulli":
        return np.full(3, place[0])
    return np.sort(scipys(name, "ppf", np.array([0.11, 0.42, 0.83]), *shapes, *place))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.sampled(15)
def test_slopes_are_differences(name):
    """All methods of a distribution at once, with respect to the points, the shape parameters, loc and scale."""
    distribution, discrete = getattr(stats, name), DISTRIBUTIONS[name].discrete
    methods = [method for other, method in METHODS if other == name]
    shapes, place = SHAPES[name], located(name)
    fixed = 1 if name in ("binom", "betabinom") else 0
    at = {method: interior(name, method) for method in methods if method in _WITH_POINT}
    free = len(shapes) - fixed
    start = np.array([*shapes[fixed:], *(() if discrete else (*place, 0.1))])

    def f(p, distribution, at):
        total = 0.0
        for k, method in enumerate(methods):
            given = (*shapes[:fixed], *[p[i] for i in range(free)])
            given = (*given, *(place if discrete else (p[free], p[free + 1])))
            if method in at:
                moved = at[method] if discrete else at[method] + 0.05 * p[free + 2]
                found = np.sum(getattr(distribution, method)(moved, *given) * np.array([1.0, 0.7, 1.4]))
            else:
                found = getattr(distribution, method)(*given)
            total = total + (1.0 + k / 7) * found
        return total + 0.0 * np.sum(p)

    objective = Objective(f, start, (distribution, at))
    value, gradient = objective.value_and_grad(start)
    np.testing.assert_allclose(value, f(start, distribution, at), rtol=1e-12)
    expected, error = differences.gradient(lambda p: f(p, distribution, at), start)
    assert np.all(error < 1e-6 * (1 + np.abs(expected)))
    np.testing.assert_allclose(
        gradient, expected, rtol=0, atol=np.max(20 * error) + 1e-9 * np.max(1 + np.abs(expected))
    )


@pytest.mark.slow_for("halfnorm")
@pytest.mark.parametrize(
    "name",
    [
        name
        for name, row in DISTRIBUTIONS.items()
        if name
        in (
            "gamma",
            "beta",
            "truncnorm",
            "pareto",
            "poisson",
            "lognorm",
            "uniform",
            "weibull_min",
            "expon",
            "invgamma",
            "f",
            "halfnorm",
            "binom",
        )
    ],
)
@pytest.mark.sampled(3)
def test_outside_the_support_the_slope_is_zero(name):
    row, distribution = DISTRIBUTIONS[name], getattr(stats, name)
    methods = [
        method for other, method in METHODS if other == name and method in (*_AT_ENDS, "pdf", "logpdf", "pmf", "logpmf")
    ]
    shapes, place = SHAPES[name], located(name)
    held = len(shapes) if name == "binom" else 0
    low = distribution.support(*shapes, *place)[0]
    free = (*shapes[held:], *(() if row.discrete else place), 0.0)
    p, fixed = np.array(free), place if row.discrete else ()

    def f(p, method):
        given = (*shapes[:held], *[p[i] for i in range(len(p) - 1)], *fixed)
        return getattr(distribution, method)(low - 1.0, *given) + 0.0 * p[len(p) - 1]

    for method in methods:
        objective = Objective(f, p, (method,))
        value, gradient = objective.value_and_grad(p)
        assert value == f(p, method)
        assert np.all(gradient == 0), (method, gradient)
    assert row.low != -np.inf


@pytest.mark.slow
def test_interval_is_two_quantiles():
    def f(p):
        low, high = stats.t.interval(0.9, p[0], loc=p[1], scale=p[2])
        return low * high + stats.norm(p[1], p[2]).interval(p[0] / 9)[1] ** 2

    def g(p):
        ends = [stats.t.ppf(q, p[0], p[1], p[2]) for q in ((1 - 0.9) / 2, (1 + 0.9) / 2)]
        return ends[0] * ends[1] + stats.norm.ppf((1 + p[0] / 9) / 2, p[1], p[2]) ** 2

    p = np.array([4.0, 0.3, 1.2])
    found, same = Objective(f, p), Objective(g, p)
    np.testing.assert_allclose(found.value(p), f(p), rtol=1e-12)
    np.testing.assert_allclose(found.grad(p), same.grad(p), rtol=1e-10)
    expected, error = differences.gradient(f, p)
    np.testing.assert_allclose(found.grad(p), expected, rtol=0, atol=np.max(20 * error) + 1e-9)


# Other uses -----------------------------------------------------------------------------------------------------------

Y = np.array([0.4, -1.2, 2.2, 0.9])
COV = np.array([[1.3, 0.4, 0.1], [0.4, 0.9, -0.2], [0.1, -0.2, 0.7]])
LP = norm.logpdf
FROZEN = stats.norm(0.2, 1.4)
FACTOR = np.array([[1.0, 0.0, 0.0], [0.3, 0.8, 0.0], [-0.2, 0.1, 1.2]])


def _frozen(p):
    return (
        -stats.norm(p[0], scale=p[1]).logpdf(Y).sum() - FROZEN.logpdf(p).sum() + stats.gamma(2.0).mean() + FROZEN.std()
    )


def _names(p):
    import scipy.stats as st

    return (
        norm.logpdf(Y, loc=p[0], scale=p[1]).sum()
        + LP(Y, p[0]).sum()
        + st.t.logpdf(x=Y, df=p[1] + 3).sum()
        + st.poisson.logpmf(k=[1, 2], mu=p[1]).sum()
        + scipy.stats.beta(b=2.0, a=p[1]).logpdf(0.3)
    )


def _whole_numbers(p):
    return (
        np.sum(stats.nbinom.logpmf(np.array([0, 3, 1]), p[1], 0.4))
        + stats.expon.logpdf(np.array([1, 4]), scale=p[1]).sum()
    )


def _loop(p):
    total = 0.0
    for y in Y:
        total -= stats.norm.logpdf(y, p[0], p[1]) + np.log(
            0.3 * stats.norm.pdf(y) + 0.7 * stats.laplace.pdf(y, p[0], p[1])
        )
    return total


def _tails(p):
    return (
        stats.norm.logcdf(-800 * p[1])
        + stats.norm.logsf(800 * p[1])
        + stats.logistic.logpdf(1000 * p[0])
        + stats.norm.logsf(-900 * p[1])
    )


def _normal(p):
    cov = np.diag([1.0, 2.0, 3.0]) * p[1] + 0.3
    x = np.array([[0.1, 0.2, 0.3], [1.0, -1.0, 0.5]])
    normal = stats.multivariate_normal
    return (
        normal.logpdf(x, [p[0], 0.0, p[1]], cov).sum()
        + normal.logpdf(p[:2] * 2, cov=COV[:2, :2])
        + normal(np.zeros(3), COV).logpdf([p[0], p[1], 1.0])
        + normal.pdf(x[0], mean=np.ones(3) * p[0], cov=p[1])
        + normal.logpdf(Y, p[0], p[1]).sum()
        + normal.logpdf(x, np.zeros(3), [1.0, p[1], 2.0])[1]
    )


def _student(p):
    return stats.multivariate_t.logpdf(
        [0.3, 0.1, 0.2], loc=[p[0], 0, 1], shape=COV * p[1], df=p[1] + 2
    ) + stats.multivariate_t(df=5, shape=COV).logpdf(p[0] * np.ones(3))


def _simplex(p):
    share = np.exp(p) / np.sum(np.exp(p))
    alpha = np.array([p[1], 2.0])
    return (
        stats.dirichlet.logpdf(share, [1.5, 2.5])
        + stats.dirichlet([1.5, 2.5]).logpdf(share)
        + stats.dirichlet.logpdf(np.array([0.3]), alpha)
        + np.sum(stats.dirichlet.logpdf(np.array([[0.3, 0.2], [0.7, 0.8]]), alpha))
        + stats.multinomial.logpmf([3, 4], 7, share)
        + stats.multinomial.logpmf(np.array([[3, 4], [0, 7]]), n=7, p=share).sum()
        + stats.dirichlet.mean(alpha)[0]
    )


@pytest.mark.parametrize("f", [_frozen, _names, _whole_numbers, _loop, _tails, _normal, _student, _simplex])
@pytest.mark.sampled(3)
def test_uses(f):
    p = np.array([0.35, 0.8])
    objective = Objective(f, p)
    value, gradient = objective.value_and_grad(p)
    np.testing.assert_allclose(value, f(p), rtol=1e-12)
    expected, error = differences.gradient(f, p)
    np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=np.max(20 * error) + 1e-9)
    direction = np.array([0.7, -0.4])
    product, error = differences.hessp(objective.grad, p, direction)
    np.testing.assert_allclose(objective.hessp(p, direction), product, rtol=1e-7, atol=np.max(20 * error) + 1e-8)


def test_multinomial_is_scipys_outside_and_for_shares_that_are_none():
    counts = np.array([[3.0, 4.0], [2.0, 4.0], [-1.0, 8.0], [2.5, 4.5]])
    for share in (0.3, -0.2, 1.2):
        p = np.array([share, 1 - share])
        expected = stats.multinomial.logpmf(counts, 7, p)
        np.testing.assert_allclose(
            traced_value(lambda p: stats.multinomial.logpmf(counts, 7, p), p), expected, rtol=1e-12
        )


def test_a_parameter_that_becomes_invalid_gives_nan_and_back():
    objective = Objective(
        lambda p: np.sum(stats.gamma.logpdf(np.array([0.5, 2.0]), p[0], scale=p[1])), np.array([2.0, 1.0])
    )
    assert np.isfinite(objective.value(np.array([2.0, 1.0])))
    assert np.isnan(objective.value(np.array([-2.5, 1.0])))
    assert np.isnan(objective.value(np.array([2.5, -1.0])))
    assert np.isfinite(objective.value(np.array([2.1, 1.0])))


def test_data_take_any_method():
    data = np.array([0.1, 0.7, 0.4])

    def f(p, data):
        return np.sum((p[0] - stats.levy_stable.cdf(data, 1.5, 0.0)) ** 2) + np.sum(stats.norm.ppf(data) * p[0])

    objective = Objective(f, np.array([0.3]), (data,))
    np.testing.assert_allclose(objective.value(np.array([0.3])), f(np.array([0.3]), data), rtol=1e-12)
    assert not objective.rebind((data / 2,))


def test_a_method_without_row_is_refused_by_name():
    with pytest.raises(UnsupportedFunctionError, match=r"scipy\.stats\.levy_stable\.logpdf") as refusal:
        Objective(lambda p: np.sum(stats.levy_stable.logpdf(Y, 1.5, 0.0, loc=p[0])), np.array([0.3]))
    assert "levy_stable.logpdf(Y" in str(refusal.value)
    with pytest.raises(UnsupportedFunctionError, match=r"scipy\.stats\.norm\.expect"):
        Objective(lambda p: stats.norm(p[0]).expect(lambda x: x), np.array([0.3]))


def test_drawing_is_refused():
    with pytest.raises(TracingError, match="random numbers"):
        Objective(lambda p: np.sum(p - stats.norm.rvs(size=3)), np.array([0.3]))
    with pytest.raises(TracingError):
        Objective(lambda p: np.sum(stats.norm.rvs(p[0], size=3)), np.array([0.3]))


@pytest.mark.slow
def test_a_loop_asks_once_whether_the_parameters_are_valid():
    def f(p):
        total = 0.0
        for y in np.abs(Y):
            total = total - stats.gamma.logpdf(y, p[0], scale=np.exp(p[1]))
        return total

    p = np.array([2.0, 0.3])
    objective = Objective(f, p)
    np.testing.assert_allclose(objective.value(p), f(p), rtol=1e-12)
    assert objective.source().count("raise PathChanged") == 2


def test_quantile_of_the_laplace_distribution_has_a_slope_at_its_median():
    def f(p):
        return stats.laplace.ppf(p[0]) + stats.laplace.isf(p[1])

    np.testing.assert_allclose(Objective(f, np.array([0.5, 0.5])).grad(np.array([0.5, 0.5])), [2.0, -2.0])
