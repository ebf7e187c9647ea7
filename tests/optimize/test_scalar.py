"""minimize_scalar: SciPy's searches, ended by exact slopes and curvature."""

import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.errors import ObjectiveError, UsageError


def quartic(x):
    """Of SciPy's documentation: minima at -2 and at (1 + sqrt 17)/4."""
    return (x - 2) * x * (x + 2) ** 2


MINIMUM = (1 + np.sqrt(17)) / 4


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, MINIMUM),
        ({"method": "Golden"}, MINIMUM),
        ({"bracket": (-3, -1)}, MINIMUM),
        ({"bracket": (0.0, 1.0, 2.0), "method": "brent"}, MINIMUM),
        ({"bounds": (-3, -1)}, -2.0),
        ({"bounds": (-3, -1), "method": "bounded"}, -2.0),
    ],
)
def test_minimum_is_scipys_with_all_digits(given, expected):
    ours, theirs = autoopt.minimize_scalar(quartic, **given), optimize.minimize_scalar(quartic, **given)
    assert ours.success and isinstance(ours.x, float)
    assert ours.x == pytest.approx(expected, rel=2e-15)
    assert ours.x == pytest.approx(theirs.x, abs=1e-5) and ours.nit - theirs.nit in (0, 1)
    assert set(theirs) <= set(ours)


def test_bound_that_holds_the_minimum_is_reached():
    result = autoopt.minimize_scalar(quartic, bounds=(0.5, 0.9))
    assert result.success and result.x == 0.9
    assert optimize.minimize_scalar(quartic, bounds=(0.5, 0.9)).x != 0.9


def test_data_tolerances_and_limits():
    f = lambda x, c: (x - c) ** 2 + x**4  # noqa: E731
    assert autoopt.minimize_scalar(f, args=2.0).x == pytest.approx(optimize.minimize_scalar(f, args=(2.0,)).x, abs=1e-7)
    cut = autoopt.minimize_scalar(lambda x: np.cosh(x - 3.1), options={"maxiter": 2})
    assert not cut.success and cut.nit == 2
    assert autoopt.minimize_scalar(f, args=2.0, tol=1e-2).nit < autoopt.minimize_scalar(f, args=2.0).nit


@pytest.mark.parametrize("given", [{"method": "brent"}, {"method": "golden"}, {"bounds": (-1, 1)}])
@pytest.mark.parametrize(
    ("f", "slopes"),
    [
        (lambda x: np.abs(x - 0.3), (-1, 1)),
        (lambda x: np.abs(x - 0.3) + x**2, (-0.4, 1.6)),
        (lambda x: np.maximum(x - 0.3, 2 * (0.3 - x)), (-2, 1)),
        (lambda x: 1e-20 * np.where(x < 0.3, 0.3 - x, 5 * (x - 0.3)), (-1e-20, 5e-20)),
        (lambda x: 1e12 + 1e6 * np.abs(x - 0.3), (-1e6, 1e6)),
    ],
)
def test_minimum_at_a_kink_is_one_with_all_digits(f, slopes, given):
    result = autoopt.minimize_scalar(f, **given)
    assert result.success, result.message
    assert result.x == pytest.approx(0.3, rel=2e-16)
    assert f"its slope is {slopes[0]:.4g} before and {slopes[1]:.4g} behind it" in result.message


def test_kink_with_infinite_slopes_and_one_beside_which_f_falls_on():
    assert autoopt.minimize_scalar(lambda x: np.sqrt(np.abs(x - 0.3)), bounds=(0, 1)).x == pytest.approx(0.3, rel=2e-16)
    falling = autoopt.minimize_scalar(lambda x: np.minimum(-x, -2 * (x - 0.3)), bounds=(0, 1))
    assert falling.success and falling.x == 1.0 and "kink" not in falling.message


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: 2 * x, -1.0),
        (lambda x: -2e-30 * x, 1.5),
        (lambda x: np.sqrt(x + 1), -1.0),
        (lambda x: -np.exp(x), 1.5),
    ],
)
def test_minimum_at_an_end_is_that_end(f, expected):
    result = autoopt.minimize_scalar(f, bounds=(-1, 1.5))
    assert result.success and result.x == expected, result.message


@pytest.mark.parametrize("given", [{"method": "brent"}, {"method": "golden"}, {"bounds": (-1, 1)}])
def test_constant_and_unbounded_lines_end_without_an_error(given):
    assert autoopt.minimize_scalar(lambda x: 0 * x + 3.0, **given).fun == 3.0
    assert autoopt.minimize_scalar(lambda x: 2 * x, **given).success == ("bounds" in given)


def test_undefined_points_are_stepped_back_from():
    result = autoopt.minimize_scalar(lambda x: x - np.log(x), bracket=(0.5, 0.7))
    assert result.success and result.x == pytest.approx(1.0, rel=1e-14)


def test_what_has_no_minimum_is_no_success():
    for f in (lambda x: x**3, lambda x: -(x**2)):
        assert not autoopt.minimize_scalar(f).success


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "newton"}, "There is no method 'newton'"),
        ({"method": "bounded"}, "needs bounds"),
        ({"method": "brent", "bounds": (0, 1)}, "takes no bounds"),
        ({"bounds": (0, 1), "bracket": (0, 1)}, "takes no bracket"),
        ({"bounds": (1, 0)}, "1 < 0 does not hold"),
        ({"bounds": (0, np.inf)}, "not finite"),
        ({"bracket": 3.0}, "bracket=3.0 is not understood"),
        ({"options": {"xatol": 1.0}}, "has no option 'xatol'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        autoopt.minimize_scalar(quartic, **given)


def test_function_that_has_no_value_anywhere():
    with pytest.raises(ObjectiveError, match="nan at x0"):
        autoopt.minimize_scalar(lambda x: x * np.nan)
