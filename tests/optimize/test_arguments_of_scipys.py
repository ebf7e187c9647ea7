"""SciPy's calling habits: each argument of each of its functions is taken in its place, or refused with what to do."""

import inspect

import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.errors import ObjectiveError, UsageError
from autoopt.optimize.arguments import ADVICE

DOORS = (
    "least_squares", "curve_fit", "root", "root_scalar", "brentq", "newton", "fixed_point", "minimize_scalar",
    "differential_evolution", "dual_annealing", "basinhopping", "shgo", "direct", "minimize",
)  # fmt: skip
OTHER_DEFAULTS = {
    ("least_squares", "jac"), ("least_squares", "method"), ("least_squares", "ftol"), ("least_squares", "xtol"),
    ("least_squares", "gtol"), ("root", "method"), ("basinhopping", "T"),
}  # fmt: skip
"""Where "as exact as it gets", or a choice that is made, stands in place of SciPy's default."""

TIMES = np.linspace(0, 1, 10)
HEIGHTS = 2 * np.exp(-TIMES)


def model(t, a, rate):
    return a * np.exp(-rate * t)


def rosenbrock(x):
    return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])


@pytest.mark.parametrize("door", DOORS)
def test_arguments_of_scipys_stand_where_scipy_has_them(door):
    ours, theirs = (inspect.signature(getattr(module, door)).parameters for module in (autoopt, optimize))
    assert not {*theirs} - {*ours}
    in_place = [name for name, one in theirs.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    in_place = [name for name in in_place if ours[name].kind is not inspect.Parameter.KEYWORD_ONLY]
    assert [name for name, one in ours.items() if name in in_place] == in_place
    unlike = {(door, name) for name, one in theirs.items() if ours[name].default != one.default}
    assert unlike <= OTHER_DEFAULTS


CALLS = {
    "least_squares": lambda **options: autoopt.least_squares(rosenbrock, [0.0, 0.0], **options),
    "curve_fit": lambda **options: autoopt.curve_fit(model, TIMES, HEIGHTS, [1.0, 1.0], **options),
    "root": lambda **options: autoopt.root(rosenbrock, [0.0, 0.0], **options),
    "minimize_scalar": lambda **options: autoopt.minimize_scalar(lambda x: (x - 1) ** 2, **options),
}


@pytest.mark.parametrize(("door", "argument"), [(door, name) for door, rows in ADVICE.items() for name in rows])
def test_argument_of_another_door_is_refused_with_what_to_do(door, argument):
    with pytest.raises(UsageError) as caught:
        CALLS[door](**{argument: 1})
    assert repr(argument) in str(caught.value) and ADVICE[door][argument] in str(caught.value)


@pytest.mark.parametrize("door", CALLS)
def test_misspelt_argument_has_its_near_name(door):
    with pytest.raises(UsageError, match="Did you mean"):
        CALLS[door](**{"optoins" if door == "minimize_scalar" else "methd": "lm"})


REFUSED = {
    "lm with bounds": {"method": "lm", "bounds": (0, 5)},
    "no callback": {"callback": 3},
    "verbose": {"verbose": "a"},
    "half an evaluation": {"max_nfev": 2.5},
    "no loss": {"loss": "foo"},
    "no method": {"method": "foo"},
    "no sizes": {"x_scale": "foo"},
    "no differences": {"diff_step": 1e-6},
    "no workers": {"workers": 2},
    "no steps of lm": {"method": "lm", "tr_solver": "lsmr"},
    "no jac": {"jac": "4-point"},
}


@pytest.mark.parametrize("name", REFUSED)
def test_value_that_is_not_understood_is_refused(name):
    with pytest.raises(UsageError, match="To fix this"):
        autoopt.least_squares(rosenbrock, [0.0, 0.0], **REFUSED[name])


@pytest.mark.parametrize(
    "options", [{"jac": "2-point"}, {"jac": "3-point"}, {"jac": "cs"}, {"check_finite": False}, {"nan_policy": "omit"}]
)
def test_habits_of_curve_fit_lead_to_the_same_fit(options):
    assert np.allclose(autoopt.curve_fit(model, TIMES, HEIGHTS, **options)[0], [2, 1], rtol=1e-9)


@pytest.mark.parametrize(
    "start",
    [
        {"rate": 1.0, "a": 1.0},
        autoopt.Parameters(rate=1.0, a=1.0),
        autoopt.Parameters(rate=1.0).add("a", 1.0, 0.0, 9.0),
    ],
)
def test_start_of_a_curve_may_be_given_by_name(start):
    popt, pcov = autoopt.curve_fit(model, TIMES, HEIGHTS + 0.01 * np.sin(40 * TIMES), start)
    expected, covariance = optimize.curve_fit(model, TIMES, HEIGHTS + 0.01 * np.sin(40 * TIMES), [1.0, 1.0])
    assert np.allclose(popt, expected, rtol=1e-6) and np.allclose(pcov, covariance, rtol=1e-4)


def test_bounds_of_a_table_hold_by_name():
    table = autoopt.Parameters(rate=1.0).add("a", 1.0, 0.0, 1.5)
    assert autoopt.curve_fit(model, TIMES, HEIGHTS, table)[0][0] == 1.5


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"a": 1.0, "k": 1.0}, "names a, k"),
        (autoopt.Parameters(a=1.0).add("rate", 1.0, fixed=True), "fixed"),
        ("abc", "no number"),
        ([1.0, 1.0, 1.0], "3 entries"),
    ],
)
def test_start_that_does_not_fit_is_refused(start, words):
    with pytest.raises(UsageError, match=words):
        autoopt.curve_fit(model, TIMES, HEIGHTS, start)


@pytest.mark.parametrize("x", [TIMES, np.array([TIMES, TIMES])])
def test_lengths_that_differ_are_told(x):
    with pytest.raises(ObjectiveError, match="xdata has 10 values, ydata 9"):
        autoopt.curve_fit(model, x, HEIGHTS[:-1], [1.0, 1.0])


@pytest.mark.parametrize("method", ["lm", "trf", "dogbox", None])
@pytest.mark.parametrize("limit", range(1, 20, 3))
def test_limit_of_evaluations_keeps_the_best_point(method, limit):
    costs = []

    def watch(x):
        costs.append(0.5 * np.sum(rosenbrock(x) ** 2))

    result = autoopt.least_squares(rosenbrock, [-1.2, 1.0], method=method, max_nfev=limit, callback=watch)
    assert result.cost <= min(costs, default=12.1) * (1 + 1e-12)
    assert result.success == (result.cost < 1e-20)
