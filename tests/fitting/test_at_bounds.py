"""Parameters at their bounds, and beside them in any unit; tests of hypotheses there."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

import autoopt
from autoopt.errors import InferenceError
from autoopt.fitting.held import free
from autoopt.inference.hypotheses import at_bounds, likelihood_ratio
from autoopt.parameters import Structure
from autoopt.solvers.bounds import Limits
from autoopt.variables.variables import Variables

NLL = "negative log-likelihood"
CONCENTRATION = np.array([0, 1, 2, 5, 10, 20, 50, 100, 200.0])
BOUND = np.array([0.02, 0.38, 0.61, 1.07, 1.36, 1.60, 1.80, 1.88, 1.99])


def binding(unit, start, **given):
    """Return the fit of a binding curve, its dissociation constant in `unit`."""

    def residuals(p, c, y):
        return y - p[0] * c / (p[1] + c)

    return autoopt.fit(residuals, [1.0, start * unit], (CONCENTRATION * unit, BOUND), kind="least squares", **given)


@pytest.mark.parametrize(
    ("unit", "start"), [(1e-9, 10.0), *(pytest.param(unit, 10.0, marks=pytest.mark.slow) for unit in (1e-12, 1e9, 1.0))]
)
def test_small_units_are_no_bound(unit, start):
    """R: nls(y ~ B * x / (K + x), algorithm = "port", lower = c(0, 1e-6)) in nM."""
    fitted = binding(unit, start, bounds=[(None, None), (0, None)])
    np.testing.assert_allclose(fitted.params / [1, unit], [1.98294489, 4.45643705], rtol=1e-7)
    np.testing.assert_allclose(fitted.bse / [1, unit], [0.0174098042, 0.1783441648], rtol=1e-6)
    assert fitted.notes == ()
    free = binding(unit, start)
    np.testing.assert_allclose(fitted.profile(1).interval(), free.profile(1).interval(), rtol=1e-8)


FALLING = np.arange(6.0), np.array([1.0, 0.7, 0.8, 0.3, 0.2, 0.1])


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("method", ["trf", "dogbox"])
def test_a_bound_that_holds_residuals_is_one_in_any_unit(unit, method):
    start, bounds = [0.1, 0.5 * unit], [(None, None), (0.0, None)]

    def residuals(p, x, y):
        return y - p[0] - p[1] / unit * x

    fitted = autoopt.fit(residuals, start, FALLING, method, kind="least squares", bounds=bounds)
    assert abs(fitted.params[1]) <= 1e-8 * unit
    np.testing.assert_allclose(fitted.bse, [np.sqrt(fitted.scale / 6), np.nan], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("method", ["l-bfgs-b", None])
def test_a_bound_that_holds_is_one_in_any_unit(unit, method):
    def normal(p, x, y):
        return 0.5 * ((y - p["a"] - p["slope"] / unit * x) / 0.1) ** 2

    start, slope = {"a": 0.1, "slope": 0.5 * unit}, (0.0, None)
    fitted = autoopt.fit(normal, start, FALLING, method, kind=NLL, bounds={"a": (None, None), "slope": slope})
    assert abs(fitted.params[1]) <= 1e-8 * unit
    np.testing.assert_allclose(fitted.bse, [0.1 / np.sqrt(6), np.nan], rtol=1e-6)
    assert fitted.notes == ("slope is at a bound: the standard errors of the others take it as fixed.",)
    low, high = fitted.profile("slope").interval()
    assert low == fitted.params[1] and 0 < high < unit
    with pytest.raises(InferenceError, match="at a bound"):
        start = {"a": 2.5, "slope": 0.0}
        limits = {"a": (2.0, None), "slope": slope}
        autoopt.fit(normal, start, FALLING, method, kind=NLL, bounds=limits, fixed=["a"]).score_test()


GROUPS = np.random.default_rng(3).normal(size=(12, 5)) + 0.8 * np.random.default_rng(4).normal(size=(12, 1))


def random_intercept(p, y):
    """Return minus the log-likelihood of groups of 5 with a common normal intercept of the variance tau."""
    m, total, within = y.shape[1], p["tau"], np.exp(p["log_v"])
    left = y - p["m"]
    across = np.sum(left, axis=1) ** 2 * total / (within * (within + m * total))
    log_det = (m - 1) * p["log_v"] + np.log(within + m * total)
    return 0.5 * (log_det + np.sum(left**2, axis=1) / within - across)


@pytest.mark.slow
def test_variance_at_its_bound_follows_a_mixture():
    start, bounds = {"m": 0.0, "log_v": 0.0, "tau": 0.1}, {"m": None, "log_v": None, "tau": (0.0, None)}
    given = {"kind": NLL, "bounds": bounds}
    large = autoopt.fit(random_intercept, start, (GROUPS,), **given)
    one = large.lr_test(autoopt.fit(random_intercept, start, (GROUPS,), fixed={"tau": 0.0}, **given))
    np.testing.assert_allclose(one.pvalue, stats.chi2.sf(one.statistic, 1))
    assert f"half chi2(0) and half chi2(1), of which p = {stats.chi2.sf(one.statistic, 1) / 2:.4f}" in one.note
    assert str(one).endswith("(Self and Liang 1987).") and "tau is held at its bound" in str(one)
    two = large.lr_test(autoopt.fit(random_intercept, start, (GROUPS,), fixed={"tau": 0.0, "m": 0.0}, **given))
    mixed = (stats.chi2.sf(two.statistic, 1) + stats.chi2.sf(two.statistic, 2)) / 2
    assert f"half chi2(1) and half chi2(2), of which p = {mixed:.4f}" in two.note
    inside = large.lr_test(autoopt.fit(random_intercept, start, (GROUPS,), fixed={"tau": 0.1}, **given))
    assert not inside.note


def test_one_degree_at_a_bound_is_half_of_it():
    test = at_bounds(likelihood_ratio(-10.0, -8.5, 1, "tau as fixed"), ["tau"])
    assert test.note.endswith(
        f"half chi2(0) and half chi2(1), of which p = {stats.chi2.sf(3.0, 1) / 2:.4f} (Self and Liang 1987)."
    )
    several = at_bounds(likelihood_ratio(-10.0, -8.5, 2, "a and b as fixed"), ["a", "b"])
    assert several.note.startswith("a, b are held at bounds") and "p is too large" in several.note
    assert at_bounds(likelihood_ratio(-10.0, -8.5, 1, "a as fixed"), []).note == ""


@pytest.mark.parametrize(
    ("room", "error", "slope", "expected"),
    [
        (0.0, 1.0, 0.0, False),  # at it
        (4e-9, 2e-10, 0.0, True),  # twenty standard errors inside, in small units
        (1e-12, 1e-3, 0.0, False),  # a billionth of one
        (1e-6, 1e-3, 10.0, False),  # beside it, where a method has stopped: the likelihood still rises towards it
        (1e-6, 1e-3, -10.0, True),  # away from it
        (1.0, 1e-3, 10.0, True),
        (1e-9, np.nan, 0.0, False),  # no curvature
    ],
)
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_at_a_bound_is_told_by_standard_errors(room, error, slope, expected, side):
    structure = Structure.of(np.zeros(1))
    limits = Limits(*([np.zeros(1), np.full(1, np.inf)] if side == 0 else [np.full(1, -np.inf), np.zeros(1)]))
    case = SimpleNamespace(limits=limits, variables=Variables.free(structure.names))
    u, sign = (np.array([room]), 1.0) if side == 0 else (np.array([-room]), -1.0)
    information = np.array([[1 / error**2 if np.isfinite(error) else 0.0]])
    assert free(case, u, information, np.array([sign * slope])) == [expected]
