"""Profile intervals against closed forms, and profiles solved by hand with SciPy."""

import functools

import numpy as np
import pytest
from scipy import optimize, stats

import autoopt
from autoopt import Parameter, Parameters
from autoopt.errors import InferenceError, UsageError
from autoopt.inference.reaching import JUMP, LIMIT, LOST, OPEN, REACHED, Node, reach

Y = np.array([1.2, 0.3, 2.2, 1.9, 0.7])
NLL = "negative log-likelihood"
CHI2 = stats.chi2.ppf(0.95, 1)


def normal(p, y):
    return np.log(p["s"]) + 0.5 * ((y - p["m"]) / p["s"]) ** 2


RAT43 = np.array([
    16.08, 33.83, 65.8, 97.2, 191.55, 326.2, 386.87, 520.53, 590.03, 651.92, 724.93, 699.56, 689.96, 637.56, 717.41,
])  # fmt: skip


@functools.cache
def normals(transform=None):
    """Return the fit of a normal distribution."""
    return autoopt.fit(normal, Parameters(m=0.0, s=Parameter(1.0, transform=transform)), (Y,), kind=NLL)


COUNTS = np.array([26, 17, 13, 12, 20, 5, 9, 8, 5, 4, 8.0])


def poisson(p):
    eta = p["a"] + p["b"] * np.arange(11.0)
    return np.exp(eta) - COUNTS * eta


CONCENTRATION = np.repeat([0.02, 0.06, 0.11, 0.22, 0.56, 1.1], 2)
VELOCITY = np.array([76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200.0])


def michaelis(p):
    return VELOCITY - p["Vm"] * CONCENTRATION / (p["K"] + CONCENTRATION)


# By hand --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", [None, "log"])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_mean_of_normal_data_has_its_closed_form(transform, level):
    half = np.sqrt(np.var(Y) * np.expm1(stats.chi2.ppf(level, 1) / len(Y)))
    ends = normals(transform).profile("m").interval(level)
    np.testing.assert_allclose(ends, Y.mean() + half * np.array([-1, 1]), rtol=1e-8)


def test_scale_of_normal_data_has_its_closed_form_on_both_scales():
    s = np.std(Y)
    deviance = lambda b: 2 * len(Y) * (np.log(b / s) + 0.5 * (s / b) ** 2 - 0.5) - CHI2  # noqa: E731
    ends = optimize.brentq(deviance, 0.1 * s, s), optimize.brentq(deviance, s, 9 * s)
    for transform in (None, "log"):
        np.testing.assert_allclose(normals(transform).profile("s").interval(), ends, rtol=1e-8)


def test_one_parameter_has_the_interval_of_its_likelihood():
    counts = np.array([3.0, 5.0, 4.0])
    fitted = autoopt.fit(lambda rate, y: rate - y * np.log(rate), 1.0, (counts,), kind=NLL)
    deviance = lambda b: 2 * (3 * (b - 4) - 12 * np.log(b / 4)) - CHI2  # noqa: E731
    ends = optimize.brentq(deviance, 0.5, 4), optimize.brentq(deviance, 4, 20)
    np.testing.assert_allclose(fitted.profile(0).interval(), ends, rtol=1e-9)


def test_statistics_are_those_of_the_objective_solved_by_hand():
    fitted = autoopt.fit(michaelis, {"Vm": 200.0, "K": 0.05}, kind="least squares")
    profile = fitted.profile("K")
    for value, statistic, params in zip(profile.values, profile.statistics, profile.params, strict=True):
        rate = CONCENTRATION / (value + CONCENTRATION)
        height = VELOCITY @ rate / (rate @ rate)
        squares = np.sum((VELOCITY - height * rate) ** 2)
        np.testing.assert_allclose(statistic, (squares - fitted.result.fun) / fitted.scale, atol=1e-8)
        np.testing.assert_allclose(params, [height, value], rtol=1e-7)
    assert (np.diff(profile.values) > 0).all() and (np.diff(profile.zeta) > 0).all()
    np.testing.assert_allclose(profile.zeta**2, profile.statistics)


def test_point_behind_an_edge_is_no_place_to_begin_from():
    """NIST's Rat43: the Wald interval of its shape reaches below 0, where b2 and b3 run off to a plateau."""
    x, y = np.arange(1.0, 16), RAT43
    growth = lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)) ** (1 / b[3])  # noqa: E731
    fitted = autoopt.fit(lambda b, x, y: y - growth(b, x), [700, 5, 0.75, 1.3], (x, y), kind="least squares")
    profile = fitted.profile(3)
    for end in profile.interval():
        others = optimize.least_squares(lambda b, k=end: y - growth([*b, k], x), fitted.params[:3], x_scale="jac")
        statistic = (2 * others.cost - fitted.result.fun) / fitted.scale
        np.testing.assert_allclose(statistic, stats.t.ppf(0.975, 11) ** 2, rtol=1e-6)
    assert len(profile.values) < 15 and not profile.notes


def test_straight_lines_have_exact_wald_intervals():
    X = np.column_stack([np.ones(5), np.arange(5.0)])
    fitted = autoopt.fit(lambda b, y: y - X @ b, np.zeros(2), (Y,), kind="least squares")
    half = stats.t.ppf(0.975, 3) * fitted.bse
    expected = np.column_stack([fitted.params - half, fitted.params + half])
    np.testing.assert_allclose(fitted.conf_int(method="profile"), expected, rtol=1e-8)
    assert [len(profile.values) for profile in fitted.profiles.values()] == [3, 3]


# What is held, tied and constrained -----------------------------------------------------------------------------------


def test_what_is_fixed_has_no_profile_and_stays():
    fitted = autoopt.fit(normal, {"m": 0.0, "s": 1.0}, (Y,), kind=NLL, fixed={"s": 2.0})
    half = np.sqrt(CHI2 / len(Y)) * 2
    np.testing.assert_allclose(fitted.conf_int(method="profile"), [[Y.mean() - half, Y.mean() + half], [np.nan] * 2])
    with pytest.raises(UsageError, match="s is fixed"):
        fitted.profile("s")


@pytest.mark.parametrize("tie", ["a", "-2 * a + 1"])
def test_ties_are_profiled_with_what_they_follow(tie):
    def objective(p, y):
        return 0.5 * (y - p["a"] - p["c"]) ** 2 + 0.5 * (y * p["b"]) ** 2

    start = {"a": 0.1, "b": 0.0, "c": 0.0}
    fitted = autoopt.fit(objective, start, (Y,), kind=NLL, fixed={"b": tie})
    factor, offset = (1.0, 0.0) if tie == "a" else (-2.0, 1.0)
    a, b = fitted.profile("a").interval(), fitted.profile("b").interval()
    np.testing.assert_allclose(b, np.sort(offset + factor * a), rtol=1e-8)
    np.testing.assert_allclose(a, fitted.conf_int()[0], rtol=1e-7)  # a parabola


def test_constraints_hold_on_the_way():
    class Model:
        objective, x0, kind = staticmethod(normal), {"m": 0.0, "s": 1.0}, NLL
        constraints = {"type": "ineq", "fun": lambda p: 0.9 - p["s"]}  # noqa: RUF012

    ends = autoopt.fit(Model, data=(Y,)).profile("m").interval()
    deviance = lambda m, s: 2 * len(Y) * np.log(s / np.std(Y)) + np.sum((Y - m) ** 2) / s**2 - len(Y) - CHI2  # noqa: E731
    for end, side in zip(ends, (-1, 1), strict=True):
        expected = optimize.brentq(lambda d, k=side: deviance(Y.mean() + k * d, 0.9), 0.1, 5)
        np.testing.assert_allclose(end, Y.mean() + side * expected, rtol=1e-6)


# Ends that are not there ----------------------------------------------------------------------------------------------


def test_profile_that_does_not_rise_is_open_and_says_so():
    def rise(p, t, y):
        return y - p["height"] * (1 - np.exp(-p["rate"] * t))

    data = np.arange(1.0, 6.0), np.array([0.8, 1.1, 0.95, 1.05, 1.02])
    fitted = autoopt.fit(rise, {"height": 1.0, "rate": 1.0}, data, kind="least squares")
    profile = fitted.profile("rate")
    immediate = np.sum((data[1] - data[1].mean()) ** 2)
    assert profile.interval()[1] == np.inf and 0.8 < profile.interval()[0] < 0.83
    assert f"comes to {(immediate - fitted.result.fun) / fitted.scale:.4g}, short of 10.13" in profile.notes[0]


def test_open_end_of_a_transformed_parameter_is_its_limit():
    def between(p, y):  # the variance between groups, which the data do without
        return 0.5 * np.log(1 + p["tau"]) + 0.5 * y**2 / (1 + p["tau"])

    fitted = autoopt.fit(between, Parameters(tau=Parameter(0.5, transform="log")), (Y * 1.1,), kind=NLL)
    low, high = fitted.profile("tau").interval()
    assert low == 0.0 and 5 < high < 20
    assert "tau: open below: on the way to 0" in fitted.profile("tau").notes[0]


def test_estimate_at_its_bound_has_an_interval_on_the_other_side():
    fitted = autoopt.fit(poisson, {"a": 2.0, "b": 0.0}, kind=NLL, bounds={"a": (None, None), "b": (-0.125, None)})
    free = autoopt.fit(poisson, {"a": 2.0, "b": -0.1}, kind=NLL)
    profile = fitted.profile("b")
    level = stats.chi2.cdf(CHI2 + 2 * (fitted.result.fun - free.result.fun), 1)
    np.testing.assert_allclose(profile.interval(), [-0.125, free.profile("b").interval(level)[1]], rtol=1e-7)
    assert profile.notes == ["b: the estimate is at its limit -0.125."]


def test_what_is_not_identified_is_open_on_both_sides():
    fitted = autoopt.fit(lambda p, y: 0.5 * (y - p["a"] - p["b"]) ** 2, {"a": 0.0, "b": 0.0}, (Y,), kind=NLL)
    assert fitted.status == "not identified"
    np.testing.assert_array_equal(fitted.conf_int(method="profile"), [[-np.inf, np.inf]] * 2)


@pytest.mark.slow
def test_profile_that_is_lost_is_not_known_and_says_why():
    def edged(p, y):
        if p["m"] > 2.0:
            raise ValueError("no such mean")
        return normal(p, y)

    profile = autoopt.fit(edged, {"m": 0.0, "s": 1.0}, (Y,), kind=NLL).profile("m")
    assert np.isnan(profile.interval()[1]) and np.isfinite(profile.interval()[0])
    assert profile.notes[0].startswith("m: not known above 2") and "no such mean" in profile.notes[0]


def test_lower_value_on_the_way_is_said_and_offered():
    def two_pits(p, y):
        return 10 * (1 - np.exp(-0.5 * (p["a"] - 0) ** 2) - 1.2 * np.exp(-0.5 * (p["a"] - 4) ** 2)) + (p["b"] - y) ** 2

    fitted = autoopt.fit(two_pits, {"a": 0.1, "b": 0.0}, (Y[:1],), kind=NLL, method="bfgs")
    profile = fitted.profile("a", level=1 - 1e-8)
    with pytest.raises(InferenceError, match=r"less than the fit's.*at no minimum"):
        profile.interval()
    again = autoopt.fit(two_pits, profile.better, (Y[:1],), kind=NLL)
    assert again.result.fun < fitted.result.fun and abs(again.params[0] - 4) < 0.1


# Calls ----------------------------------------------------------------------------------------------------------------


def test_calls_that_make_no_sense_are_refused():
    fitted = normals()
    for call, said in (
        (lambda: fitted.profile("mm"), "no parameter 'mm'"),
        (lambda: fitted.profile(7), "no parameter 7"),
        (lambda: fitted.conf_int(method="wild"), "'wild'"),
        (lambda: fitted.profile("m").interval(95), "level is 95"),
    ):
        with pytest.raises(UsageError, match=said):
            call()
    plain = autoopt.fit(lambda x: (x - 1) ** 2, 0.0)
    with pytest.raises(InferenceError, match=r"kind of .* is 'minimise'"):
        plain.profile(0)


def test_profiles_are_kept():
    fitted = normals()
    first = fitted.profile("m")
    count = len(first.values)
    assert fitted.profile("m") is first and len(first.values) == count
    first.interval(0.8)
    assert len(first.values) > count


# The search -----------------------------------------------------------------------------------------------------------

CURVES = {
    "straight": (lambda d: d, lambda d: 1.0, np.inf, REACHED, 2.0),
    "steep": (np.expm1, np.exp, np.inf, REACHED, np.log(3)),
    "slow": (np.log1p, lambda d: 1 / (1 + d), np.inf, REACHED, np.exp(2) - 1),
    "root": (np.sqrt, lambda d: 0.5 / np.sqrt(d), np.inf, REACHED, 4.0),
    "power": (lambda d: d**5, lambda d: 5 * d**4, np.inf, REACHED, 2**0.2),
    "saturating": (lambda d: 1.9 * d / (1 + d), lambda d: 1.9 / (1 + d) ** 2, np.inf, OPEN, None),
    "levelling off": (lambda d: 1.9 * -np.expm1(-d), lambda d: 1.9 * np.exp(-d), np.inf, OPEN, None),
    "levelling off, then none": (
        lambda d: 1.9 * -np.expm1(-d) if d < 500 else None, lambda d: 1.9 * np.exp(-d), np.inf, OPEN, None,
    ),
    "flat": (lambda d: 0.0, lambda d: 0.0, np.inf, OPEN, None),
    "limited": (lambda d: d, lambda d: 1.0, 1.5, LIMIT, 1.5),
    "just there": (lambda d: d, lambda d: 1.0, 2.0, REACHED, 2.0),
    "cut": (lambda d: d if d < 1.5 else None, lambda d: 1.0, np.inf, LOST, 1.5),
    "a jump to a plateau": (lambda d: d if d < 1 else 36.0, lambda d: float(d < 1), np.inf, JUMP, 1.0),
    "a jump": (lambda d: d + 5 * (d > 1), lambda d: 1.0, np.inf, JUMP, 1.0),
    "there and back": (
        lambda d: 2.5 * np.sin(d) if d < 3 else d, lambda d: 2.5 * np.cos(d) if d < 3 else 1.0, np.inf, REACHED,
        np.arcsin(0.8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("first", [1e-3, 1.0, 50.0])
def test_search_ends_as_the_curve_does(name, first):
    value, slope, limit, how, distance = CURVES[name]

    known = [Node(0.0, 0.0, 0.0)]

    def at(d):
        if (here := value(d)) is None:
            return None
        known.append(Node(d, here, slope(d)))
        return known[-1]

    found = reach(at, 2.0, first, limit, lambda: known)
    assert found.how == how
    if distance is not None:
        np.testing.assert_allclose(found.distance, distance, rtol=2e-6)


def test_hump_between_two_points_is_looked_at():
    """The slopes at 1 and 2 have about the sum that a straight line between them has, too."""
    known = [Node(0.0, 0.0, 1.9), Node(1.0, 1.9, 1.9), Node(2.0, 0.9, -3.8)]

    def at(d):
        rising = d <= 1.3
        known.append(Node(d, 1.9 * d if rising else 2.47 - 2.243 * (d - 1.3), 1.9 if rising else -2.243))
        return known[-1]

    found = reach(at, 2.0, 1.0, np.inf, lambda: known)
    assert found.how == REACHED
    np.testing.assert_allclose(found.distance, 2 / 1.9, rtol=1e-6)
