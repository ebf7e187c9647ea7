"""Profiles whose other parameters have several minima: nls's biexponential on R's data Indometh.

The ends are those of the least sum of squares over a grid of the other rate, of which the amplitudes follow by linear
least squares; where an amplitude is held, over a grid of both rates, with the best five refined. R's optim from 25
starts at random has the same. SSbiexp is A1 exp(-exp(lrc1) t) + A2 exp(-exp(lrc2) t).
"""

import functools

import numpy as np
import pytest
from scipy import optimize, stats

import autoopt

HOURS = np.array([0.25, 0.5, 0.75, 1, 1.25, 2, 3, 4, 5, 6, 8])
INDOMETH = {
    1: [1.5, 0.94, 0.78, 0.48, 0.37, 0.19, 0.12, 0.11, 0.08, 0.07, 0.05],
    2: [2.03, 1.63, 0.71, 0.70, 0.64, 0.36, 0.32, 0.20, 0.25, 0.12, 0.08],
    4: [1.85, 1.39, 1.02, 0.89, 0.59, 0.40, 0.16, 0.11, 0.10, 0.07, 0.07],
    5: [2.05, 1.04, 0.81, 0.39, 0.30, 0.23, 0.13, 0.11, 0.08, 0.10, 0.06],
}


def amplitudes(p, t, y):
    return y - p["A1"] * np.exp(-np.exp(p["lrc1"]) * t) - p["A2"] * np.exp(-np.exp(p["lrc2"]) * t)


def logarithms(p, t, y):
    return y - np.exp(p["A1"] - np.exp(p["lrc1"]) * t) - np.exp(p["A2"] - np.exp(p["lrc2"]) * t)


STARTS = {
    amplitudes: {"A1": 2.0, "lrc1": 1.0, "A2": 0.5, "lrc2": -1.0},
    logarithms: {"A1": 1.0, "lrc1": 1.0, "A2": -1.0, "lrc2": -1.0},
}


@functools.cache
def fitted(model, subject):
    return autoopt.fit(model, STARTS[model], (HOURS, np.array(INDOMETH[subject])), kind="least squares")


@pytest.mark.parametrize(
    ("model", "subject", "name", "ends"),
    [
        (logarithms, 1, "lrc1", (0.337878, 1.025847)),
        pytest.param(logarithms, 1, "A2", (-3.033491, -0.359694), marks=pytest.mark.slow),
        pytest.param(amplitudes, 1, "A2", (0.048147, 0.697890), marks=pytest.mark.slow),
        pytest.param(amplitudes, 2, "A2", (0.070179, 1.546886), marks=pytest.mark.slow),
        pytest.param(logarithms, 2, "lrc1", (0.189683, 1.696550), marks=pytest.mark.slow),
        pytest.param(logarithms, 2, "A2", (-2.656705, 0.436244), marks=pytest.mark.slow),
        pytest.param(logarithms, 2, "lrc2", (-np.inf, -0.285689), marks=pytest.mark.slow),
        pytest.param(amplitudes, 4, "A1", (0.036706, 2.479843), marks=pytest.mark.slow),
        pytest.param(amplitudes, 4, "A2", (0.036706, 2.479843), marks=pytest.mark.slow),
        pytest.param(amplitudes, 4, "lrc1", (-0.003929, 1.377240), marks=pytest.mark.slow),
        pytest.param(amplitudes, 4, "lrc2", (-np.inf, -0.231969), marks=pytest.mark.slow),
        pytest.param(amplitudes, 5, "A2", (0.064038, 1.011520), marks=pytest.mark.slow),
        pytest.param(logarithms, 5, "A2", (-2.748272, 0.011454), marks=pytest.mark.slow),
    ],
)
def test_ends_are_those_of_the_lowest_branch(model, subject, name, ends):
    profile = fitted(model, subject).profile(name)
    np.testing.assert_allclose(profile.interval(), ends, atol=2e-6)
    cut = stats.t.ppf(0.975, 7)
    for end in profile.interval()[np.isfinite(ends)]:
        nearest = np.argmin(np.abs(profile.values - end))
        assert abs(abs(profile.zeta[nearest]) - cut) < 1e-3
    assert all("open below" in note for note in profile.notes)


def test_reference_is_the_least_over_a_grid():
    """That of lrc1 in subject 1, by linear least squares at each rate of the other exponential."""
    y, fit = np.array(INDOMETH[1]), fitted(logarithms, 1)
    rates = np.exp(np.linspace(-14, 7, 800))

    def zeta(lrc1):
        bases = (np.column_stack([np.exp(-np.exp(lrc1) * HOURS), np.exp(-rate * HOURS)]) for rate in rates)
        least = min(optimize.nnls(basis, y)[1] ** 2 for basis in bases)
        return np.sqrt((least - fit.result.fun) / fit.scale)

    cut = stats.t.ppf(0.975, 7)
    assert [zeta(lrc1) < cut for lrc1 in (0.337, 0.339, 1.0255, 1.0262)] == [False, True, True, False]


def test_where_a_profile_jumps_is_no_end_and_is_said():
    """Beyond a = 1 the objective is higher by 4 for all b: twice that is a jump over the level."""

    def torn(p, y):
        return 0.5 * p["a"] ** 2 + (p["b"] - y) ** 2 + np.where(p["a"] > 1, 4.0, 0.0)

    profile = autoopt.fit(torn, {"a": 0.3, "b": 0.0}, (np.array([1.0]),), kind="negative log-likelihood").profile("a")
    low, high = profile.interval()
    np.testing.assert_allclose(low, -stats.norm.ppf(0.975), rtol=1e-6)
    assert np.isnan(high)
    assert profile.notes == ["a: not known above 1, where the deviance jumps from 1 over 3.841."]
