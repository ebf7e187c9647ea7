"""The number of observations, and what is said of objectives that are no sum of theirs."""

import re

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import curve_fit

import autoopt
from autoopt.errors import UsageError

RNG = np.random.default_rng(1)
N = 30
X = RNG.normal(size=N)
Y = 1 + 2 * X + RNG.normal(size=N)
GAPS = np.where(np.arange(N) % 3 == 0, np.nan, Y)
OK = ~np.isnan(GAPS)
LS, NLL = "least squares", "negative log-likelihood"


def residuals(b, x, y):
    return y - b[0] - b[1] * x


def term(p, x, y):
    return p[2] + 0.5 * (residuals(p, x, y) / np.exp(p[2])) ** 2


@pytest.mark.parametrize(
    "objective",
    [
        lambda b, x, y: np.nansum(residuals(b, x, y) ** 2),
        lambda b, x, y: np.sum(residuals(b, x[OK], y[OK]) ** 2),
        lambda b, x, y: np.sum(np.where(np.isnan(y), 0.0, residuals(b, x, y)) ** 2),
    ],
)
def test_rows_that_are_left_out_of_a_sum_of_squares_are_no_observations(objective):
    found = autoopt.fit(objective, [0.0, 0.0], (X, GAPS), kind=LS)
    expected = sm.OLS(Y[OK], sm.add_constant(X[OK])).fit()
    assert found.nobs == expected.nobs and found.notes == ()
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-9)
    np.testing.assert_allclose([found.llf, found.aic, found.bic], [expected.llf, expected.aic, expected.bic], rtol=1e-9)


def test_sum_of_squares_of_a_table_has_an_observation_in_each_entry():
    t = np.arange(6.0)
    table = np.exp(-0.3 * t)[:, None] + 0.01 * RNG.normal(size=(6, 4))

    def objective(p, t, table):
        return np.sum((table - (p[0] * np.exp(-p[1] * t))[:, None]) ** 2)

    found = autoopt.fit(objective, [1.0, 0.1], (t, table), kind=LS)
    _, covariance = curve_fit(lambda t, a, b: a * np.exp(-b * t), np.repeat(t, 4), table.ravel(), [1.0, 0.1])
    assert found.nobs == 24
    np.testing.assert_allclose(found.bse, np.sqrt(np.diag(covariance)), rtol=5e-3)  # the Hessian, and J'J


def test_number_of_observations_that_is_not_seen_is_asked_for():
    def objective(b, x, y):
        return y @ y - 2 * y @ (b[0] + b[1] * x) + np.sum((b[0] + b[1] * x) ** 2)

    found = autoopt.fit(objective, [0.0, 0.0], (X, Y), kind=LS)
    assert found.nobs is None and np.isnan(found.bse).all() and np.isnan(found.llf)
    assert any(
        re.search(r"goes through subtract \(.*test_observations.py:\d+\)\. Pass nobs=", one) for one in found.notes
    )
    known = autoopt.fit(objective, [0.0, 0.0], (X, Y), kind=LS, nobs=N)
    np.testing.assert_allclose(known.bse, sm.OLS(Y, sm.add_constant(X)).fit().bse, rtol=1e-7)


@pytest.mark.parametrize("nobs", [-5, 0, 12.5, True, "30", np.nan])
def test_number_of_observations_is_a_whole_one(nobs):
    with pytest.raises(UsageError, match=r"nobs is .*\n.*whole number above zero"):
        autoopt.fit(residuals, [0.0, 0.0], (X, Y), kind=LS, nobs=nobs)


def test_negative_sum_of_squares_is_none():
    found = autoopt.fit(lambda b, x, y: np.sum(residuals(b, x, y) ** 2) - 200, [0.0, 0.0], (X, Y), kind=LS, nobs=N)
    assert any("no sum of squares is negative" in note for note in found.notes) and np.isnan(found.bse).all()


def test_perfect_fit_is_told():
    found = autoopt.fit(residuals, [0.0, 0.0], (X, 1 + 2 * X), kind=LS)
    assert any("The fit is perfect" in note for note in found.notes)
    small = autoopt.fit(residuals, [0.0, 0.0], (X, 1 + 2 * X + 1e-9 * RNG.normal(size=N)), kind=LS)
    assert not any("perfect" in note for note in small.notes)


@pytest.mark.parametrize(
    ("convention", "factor", "said"),
    [("observed", np.sqrt(N), "5.48 times too large"), ("opg", N, "30 times too large"), ("robust", 1.0, "are not.")],
)
def test_mean_of_a_likelihood_is_told(convention, factor, said):
    """What the note says of standard errors is what they are beside those of the sum."""
    mean = autoopt.fit(lambda p, x, y: np.mean(term(p, x, y)), np.zeros(3), (X, Y), kind=NLL, covariance=convention)
    full = autoopt.fit(lambda p, x, y: np.sum(term(p, x, y)), np.zeros(3), (X, Y), kind=NLL, covariance=convention)
    np.testing.assert_allclose(mean.bse, factor * full.bse, rtol=1e-5)
    (note,) = mean.notes
    assert said in note and "mean over 30 rows" in note and "test_observations.py" in note and full.notes == ()


def test_mean_of_squares_has_the_standard_errors_of_their_sum():
    found = autoopt.fit(lambda b, x, y: np.mean(residuals(b, x, y) ** 2), [0.0, 0.0], (X, Y), kind=LS)
    np.testing.assert_allclose(found.bse, sm.OLS(Y, sm.add_constant(X)).fit().bse, rtol=1e-9)
    assert found.nobs == N and "standard errors are." in found.notes[0]


def test_rows_of_one_frame_are_observations():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"x": X, "y": Y})
    found = autoopt.fit(lambda p, d: np.sum(term(p, d["x"], d["y"])), np.zeros(3), (frame,), kind=NLL)
    assert found.nobs == N and found.bic == pytest.approx(3 * np.log(N) - 2 * found.llf)


@pytest.mark.slow
def test_rows_of_weight_zero_are_no_observations():
    """As in R, whose lm leaves them out of the degrees of freedom and of logLik; statsmodels without them."""
    w = np.where(np.arange(N) % 6 == 0, 0.0, 1 + X**2)
    table, groups, there = Y[:, None] + RNG.normal(size=(N, 3)), np.arange(N) // 3, w > 0
    expected = sm.WLS(Y[there], sm.add_constant(X[there]), weights=w[there]).fit()
    for objective in (residuals, lambda b, x, y: np.sum(residuals(b, x, y) ** 2)):
        found = autoopt.fit(objective, [0.0, 0.0], (X, Y), kind=LS, weights=w)
        assert found.nobs == expected.nobs
        np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-8)
        np.testing.assert_allclose([found.llf, found.aic, found.bic], [expected.llf, expected.aic, expected.bic])
        robust = expected.get_robustcov_results("HC1"), expected.get_robustcov_results("cluster", groups=groups[there])
        for peer, ours in zip(robust, (found.cov_params("HC1"), found.cov_params(groups=groups)), strict=True):
            np.testing.assert_allclose(np.sqrt(np.diag(ours)), peer.bse, rtol=1e-7)

    def squares(b, x, table):
        return np.sum((table - b[0] - b[1] * x[:, None]) ** 2)

    found = autoopt.fit(squares, [0.0, 0.0], (X, table), kind=LS, weights=w)
    long = sm.add_constant(np.repeat(X[there], 3))
    expected = sm.WLS(table[there].ravel(), long, weights=np.repeat(w[there], 3)).fit()
    np.testing.assert_allclose(found.bse, expected.bse, rtol=1e-8)
    assert found.nobs == 75 and found.llf == pytest.approx(expected.llf)
    with pytest.raises(UsageError, match="rows of different weights"):
        other = autoopt.fit(squares, [0.0, 0.0], (X, table), kind=LS, weights=2 * w, fixed={1: 0.0})
        found.lr_test(other)


def test_rows_that_a_mask_leaves_out_of_a_likelihood_are_no_observations():
    label = np.where(OK, Y > 1, np.nan)
    design, there = sm.add_constant(X), OK

    def masked(b, X, y):
        eta = X[there] @ b
        return np.sum(np.logaddexp(0, eta)) - y[there] @ eta

    def halves(b, X, y):  # of which each reads some
        eta = X @ b
        return np.sum(np.logaddexp(0, -eta[y == 1])) + np.sum(np.logaddexp(0, eta[y == 0]))

    expected = sm.Logit(label[OK], design[OK]).fit(disp=0)
    found = [autoopt.fit(one, np.zeros(2), (design, label), kind=NLL) for one in (masked, halves)]
    for one in found:
        np.testing.assert_allclose([one.llf, one.bic], [expected.llf, expected.bic], rtol=1e-8)
    assert found[0].nobs == OK.sum()
    drawn = np.arange(N) // 2  # rows that count twice
    again = autoopt.fit(lambda b, X, y: np.sum((y[drawn] - X[drawn] @ b) ** 2), np.zeros(2), (design, Y), kind=NLL)
    assert again.nobs == N
    assert autoopt.fit(halves, np.zeros(2), (design, (Y > 1) * 1.0), kind=NLL).nobs == N
