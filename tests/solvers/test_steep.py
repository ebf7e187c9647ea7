"""Minima on a bound into which the slope is infinite: the value is finite, and f falls to there."""

import numpy as np
import pytest

import autoopt
from autoopt import solvers

WITH_BOUNDS = [None, *sorted(name for name, row in solvers.SOLVERS.items() if "bounds" in row.takes and not row.needs)]


@pytest.mark.parametrize("method", WITH_BOUNDS)
@pytest.mark.parametrize(
    ("f", "x0", "bounds", "expected"),
    [
        (lambda x: x[0] ** 0.5 + (x[1] - 0.3) ** 2, [0.5, 0.5], [(0, 1), (0, 1)], [0.0, 0.3]),
        (lambda x: np.sqrt(2 - x[0]) + np.cosh(x[1] - 0.3), [1.0, 1.0], [(0, 2), (-2, 2)], [2.0, 0.3]),
    ],
)
def test_infinite_slope_holds_a_parameter_at_its_bound(f, x0, bounds, expected, method):
    result = autoopt.minimize(f, x0, bounds=bounds, method=method)
    assert result.success, result.message
    assert result.x == pytest.approx(expected, abs=1e-6)


def test_result_shows_the_slope_as_it_is():
    result = autoopt.minimize(lambda x: np.sqrt(x[0]) + (x[1] - 0.3) ** 2, [0.5, 0.5], bounds=[(0, 1), (0, 1)])
    assert result.x[0] == 0 and result.x[1] == pytest.approx(0.3, abs=1e-14)
    assert result.jac[0] == np.inf and result.gradient_norm < 1e-14
    assert result.multipliers[-1][0] == np.inf


def test_start_at_the_bound_and_units_of_the_objective():
    for unit in (1e-9, 1e9):
        f = lambda x, unit=unit: unit * (np.sqrt(x[0]) + (x[1] - 0.3) ** 4 + x[1] ** 2)  # noqa: E731
        result = autoopt.minimize(f, [0.0, 1.0], bounds=[(0, None), (None, None)])
        assert result.success and result.x[0] == 0, result.message
        assert 4 * (result.x[1] - 0.3) ** 3 + 2 * result.x[1] == pytest.approx(0, abs=1e-5)


def test_infinite_slope_away_from_a_bound_holds_nothing():
    result = autoopt.minimize(lambda x: x[0] - np.sqrt(x[0]) + x[1] ** 2, [0.5, 1.0], bounds=[(0, 1), (-1, 1)])
    assert result.success and result.x == pytest.approx([0.25, 0.0], abs=1e-7)


@pytest.mark.parametrize("method", WITH_BOUNDS)
def test_bounds_that_are_all_infinite_have_no_multipliers(method):
    free = [(None, None), (-np.inf, np.inf)]
    result = autoopt.minimize(lambda x: (x[0] - 2) ** 2 + np.cosh(x[1] - 0.3), [1.0, 1.0], bounds=free, method=method)
    assert result.success and result.x == pytest.approx([2.0, 0.3], abs=1e-5)
    assert all(not np.any(part) for part in result.get("multipliers") or ())
