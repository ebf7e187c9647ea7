"""Points without curvature from which f falls along curved valleys or into corners, and those that are minima.

Truths are by hand: each that falls is given with the curve that shows it.
"""

import numpy as np
import pytest

from autoopt import minimize
from autoopt.solvers import SOLVERS

TURNED = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
UNITS = np.array([1e4, 1e-3])


def peano(a, b):
    """On b = 2 a^2 it is -a^4; along every straight line through 0 it rises."""
    return (b - a**2) * (b - 3 * a**2)


def turned(x):
    """With z = TURNED x and z_2 = -z_0 z_1 it is (0.1 (1 + 1)^2 - 1) t^4 at z_0 = z_1 = t."""
    z = TURNED @ x
    return z[2] ** 2 + 2 * z[2] * z[0] * z[1] + 0.1 * (z[0] ** 2 + z[1] ** 2) ** 2


FALLS = {  # f, x0, bounds, f at the point without curvature
    "seventh power": (lambda x: (x[0] - x[1] ** 2) ** 2 + x[1] ** 7, [1.0, 1.0], None, 0.0),
    "seventh power with a value": (lambda x: 10 + (x[0] - x[1] ** 2) ** 2 + x[1] ** 7, [1.0, 1.0], None, 10.0),
    "not a quadratic across": (lambda x: np.sinh(x[0] - x[1] ** 2) ** 2 + x[1] ** 5, [1.0, 1.0], None, 0.0),
    "four valleys": (lambda x: np.sum((x[:4] - x[4:] ** 2) ** 2) + np.sum(x[4:] ** 7), np.ones(8), None, 0.0),
    "fourth power": (lambda x: x[0] ** 2 + x[0] * x[1] ** 2 + 0.2 * x[1] ** 4, [1.0, 0.0], None, 0.0),
    "Peano": (lambda x: peano(*x), [0.0, 1.0], None, 0.0),
    "Peano off the origin": (lambda x: 1e3 + peano(x[0] - 2, x[1] + 1), [2.0, 0.0], None, 1e3),
    "Peano in mixed units": (lambda x: peano(*(x * UNITS)), [0.0, 1e3], None, 0.0),
    "Peano in a plane": (lambda x: peano(np.hypot(*x[:2] + 1.0), x[2]), [-1.0, -1.0 + 1e-3, 1.0], None, 0.0),
    "turned": (turned, TURNED.T @ [0.0, 0.0, 1.0], None, 0.0),
    "inflexion": (lambda x: (x[0] - 1) ** 7 + (x[1] + 1) ** 2, [3.0, 0.0], None, 0.0),
    "beside a bound": (lambda x: x[2] + peano(*x[:2]), [0.0, 1.0, 1.0], [(None, None)] * 2 + [(0, None)], 0.0),
    "along a bound": (lambda x: x[0] ** 2 - x[0] * x[1] ** 2 + 0.2 * x[1] ** 4, [1.0, 0.0], [(0, None), (0, 2)], 0.0),
    "corner": (lambda x: -x[0] * x[1] * x[2], np.zeros(3), [(0, 1)] * 3, 0.0),
    "corner of four": (lambda x: -np.prod(x), np.zeros(4), [(0, 1)] * 4, 0.0),
    "corner of both sides": (lambda x: x[0] * x[1] * x[2], np.zeros(3), [(0, 1), (-1, 0), (0, 2)], 0.0),
    "corner in mixed units": (lambda x: -np.prod(x), np.zeros(3), [(0, 1e6), (0, 1e-6), (0, 1)], 0.0),
    "corner with a value": (lambda x: 1 - np.prod(x - 1), np.ones(3), [(1, 2)] * 3, 1.0),
}

MINIMA = {
    "quartic": (lambda x: x[0] ** 2 + x[1] ** 4, [1.0, 1.0], None),
    "quartic at its bottom": (lambda x: x[0] ** 2 + x[1] ** 4, [1.0, 0.0], None),
    "eighth power": (lambda x: (x[0] - x[1] ** 2) ** 2 + x[1] ** 8, [1.0, 1.0], None),
    "curved, but rising": (lambda x: x[0] ** 2 + x[0] * x[1] ** 2 + 0.3 * x[1] ** 4, [1.0, 0.0], None),
    "curved and level": (lambda x: (x[0] + x[1] ** 2 / 2) ** 2, [1.0, 0.5], None),
    "corner": (lambda x: x[0] * x[1] * x[2], np.zeros(3), [(0, 1)] * 3),
    "hollow": (lambda x: x[0] ** 2 + x[1] ** 4 - 10 * x[1] ** 5 + 40 * x[1] ** 6, [1.0, 0.02], None),
    "quartic with a value": (lambda x: 1e3 + np.sum((x - 1) ** 4), np.zeros(3), None),
    "sixth power": (lambda x: np.sum((x - 1) ** 6), np.zeros(3), None),
}

DERIVATIVES = [None, *(name for name, solver in SOLVERS.items() if solver.uses and solver.is_installed)]


def _takes(method, bounds):
    return method is None or bounds is None or "bounds" in SOLVERS[method].takes


@pytest.mark.slow_for("Peano in a plane-newton-sparse")
@pytest.mark.sampled(16)
@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name in FALLS for method in DERIVATIVES if _takes(method, FALLS[name][2])]
)
def test_valley_that_falls_is_no_minimum(name, method):
    f, x0, bounds, value = FALLS[name]
    with np.errstate(all="ignore"):  # SciPy's own overflows, where there is no minimum
        result = minimize(f, x0, bounds=bounds, method=method)
    assert not result.success or result.fun < value - 1e-6, result.message


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name in MINIMA for method in DERIVATIVES if _takes(method, MINIMA[name][2])]
)
def test_valley_that_rises_is_a_minimum(name, method):
    f, x0, bounds = MINIMA[name]
    result = minimize(f, x0, bounds=bounds, method=method)
    assert "saddle" not in result.message and "inflexion" not in result.message
    assert result.success or method in ("tnc", "trust-krylov", "dogleg"), result.message


@pytest.mark.parametrize("method", [None, "l-bfgs-b", "newton-cg", "trust-exact"])
@pytest.mark.parametrize("far", [0.0, 1e-2, 0.1])
def test_saddle_is_left_though_the_value_at_the_start_was_huge(method, far):
    """cosh 100 at the start says nothing of rounding at the saddle, nor of the size of what has been 0 all the time."""
    result = minimize(
        lambda x: np.cosh(x[0] / 1e3) + np.cosh(1e3 * x[1]) + np.cos(2 * x[0] / 1e3), [0.0, far], method=method
    )
    t = np.abs(result.x[0]) / 1e3
    assert result.success and np.sinh(t) == pytest.approx(2 * np.sin(2 * t), abs=1e-4) and t > 1
