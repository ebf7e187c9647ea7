"""Loops over one number that it enters linearly: as a triangular system they are what the loop is, derivatives too."""

import re

import numpy as np
import pytest
import scipy.linalg

import autoopt
from autoopt.codegen.printers.loops import LINEAR
from autoopt.objectives.objective import Objective

RNG = np.random.default_rng(3)
Y = RNG.normal(size=24)
NAMESPACE = {"np": np, "scipy": scipy}
exec(LINEAR.text, NAMESPACE)


def by_loop(x, factor):
    h = [np.float64(x[0])]
    for term, one in zip(x[1:], np.broadcast_to(factor, len(x) - 1), strict=True):
        h.append(one * h[-1] + term)
    return np.array(h)


ROWS = {
    "ordinary": RNG.normal(size=50),
    "two": np.array([0.5, -0.25]),
    "one": np.array([0.5]),
    "infinite": np.array([1.0, np.inf, 1.0, 2.0, -1.0]),
    "both infinities": np.array([1.0, np.inf, 1.0, -np.inf, -1.0]),
    "first infinite": np.array([-np.inf, 1.0, 2.0]),
    "not a number": np.array([1.0, 2.0, np.nan, 2.0, -1.0]),
    "zeros": np.array([0.0, -0.0, 0.0, 1.0, 0.0]),
    "tiny": 5e-324 * np.arange(1, 7.0),
    "huge": np.array([1e308, 1e308, -1e308, 1.0]),
    "far": 1e12 + RNG.normal(size=30),
}
FACTORS = [0.0, -0.0, 1.0, -1.0, 0.7, -1.3, 1e3, 1e-300, 1e300, np.nan, np.inf]


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_solution_is_that_of_the_loop(rows):
    x = ROWS[rows]
    for factor in [*FACTORS, RNG.normal(size=len(x) - 1)]:
        if np.any(x[:-1] == 0.0) and not np.all(np.isfinite(factor)):
            continue  # BLAS takes 0 times anything for 0
        found = NAMESPACE["linear_recurrence"](x, factor)
        rounding = len(x) * np.finfo(float).eps  # BLAS may round once less at each step
        np.testing.assert_allclose(found, by_loop(x, factor), rtol=max(1e-15, rounding), atol=0.0)


def garch(p, y):
    h, total = np.var(y), 0.0
    for t in range(len(y)):
        total += (y[t] ** 2 - h) ** 2
        h = p[0] + 0.1 * y[t] ** 2 + p[1] * h
    return total


def residuals(p, y):
    e, total = 0.0, 0.0
    for t in range(1, len(y)):
        e = y[t] - p[0] * y[t - 1] - p[1] * e
        total += e**2
    return total


def smoothed(p, y):
    s, total = y[0], 0.0
    for t in range(len(y)):
        total += (y[t] - s) ** 2 * p[1]
        s = s + p[0] * (y[t] - s)
    return total


def weighted(p, y):
    s, total = p[1], 0.0
    for value in y:
        s = (1 - p[0]) * s + p[0] * value
        total += (value - s) ** 3
    return total


def backwards(p, y):
    s, total = 0.5, 0.0
    for t in range(len(y) - 1, -1, -1):
        s = y[t] - p[0] * s / 4
        total += s**2 * p[1]
    return total


def factors_in_time(p, y):
    h, total = p[1], 0.0
    for t in range(len(y)):
        h = np.sin(p[0] * y[t]) * h + y[t]
        total += h**2
    return total


def nonlinear(p, y):
    h, total = 0.1, 0.0
    for value in y:
        h = np.tanh(p[0] * h + p[1] * value)
        total += (h - value) ** 2
    return total


def last_alone(p, y):
    s = p[1]
    for value in y:
        s = p[0] * s + value
    return s**3


LOOPS = [garch, residuals, smoothed, weighted, backwards, factors_in_time, nonlinear, last_alone]
POINTS = [(0.3, 0.4), (1.0, 1.0), (-0.9, 0.2), (1.4, -1.2), (0.0, 0.0), (1e-9, 2.0)]


def complex_step(f, x, y):
    return np.array([f(x + 1e-200j * e, y).imag / 1e-200 for e in np.eye(2)])


def hessian(f, x, y, h=1e-3):
    """Of eighth order, by differences of complex steps."""
    weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
    rows = [
        sum(w * (complex_step(f, x + k * h * e, y) - complex_step(f, x - k * h * e, y)) for k, w in weights.items()) / h
        for e in np.eye(2)
    ]
    return np.array(rows)


@pytest.mark.parametrize("f", LOOPS, ids=lambda f: f.__name__)
def test_derivatives_at_several_points(f):
    objective = Objective(f, np.array(POINTS[0]), (Y,), engine="numpy")
    for point in POINTS:
        x = np.array(point)
        value, gradient = objective.value_and_grad(x)
        expected, second = complex_step(f, x, Y), hessian(f, x, Y)
        np.testing.assert_allclose(value, f(x, Y), rtol=1e-13)
        np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13 * np.abs(expected).max())
        size = np.abs(second).max() + 1e-6
        np.testing.assert_allclose(objective.hess(x), second, rtol=1e-7, atol=1e-7 * size)
        np.testing.assert_allclose(objective.hessp(x, [0.5, -1.0]), second @ [0.5, -1.0], rtol=1e-7, atol=1e-7 * size)


@pytest.mark.parametrize(
    ("f", "loops"), [(garch, 0), (residuals, 0), (smoothed, 0), (weighted, 0), (factors_in_time, 0), (nonlinear, 1)]
)
def test_linear_loops_have_no_statement(f, loops):
    text = autoopt.source(f, np.array(POINTS[0]), (Y,))
    functions = text[: text.index("def slope_of(")]
    assert len(re.findall(r"^    for ", functions, re.MULTILINE)) == loops
    assert functions.count("def linear_recurrence(") == 1


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_rows_that_are_not_finite_give_what_the_loop_gives():
    for entry in (np.inf, -np.inf, np.nan):
        y = np.where(np.arange(24) == 7, entry, Y)
        objective = Objective(residuals, np.array(POINTS[0]), (Y,), engine="numpy")
        objective.rebind((y,))
        for x in np.array(POINTS):
            np.testing.assert_equal(objective.value(x), residuals(x, y))


@pytest.mark.parametrize("length", [8, 9, 10, 200])
def test_short_and_long_loops(length):
    y, x = np.resize(Y, length), np.array([0.3, -0.8])
    objective = Objective(residuals, x, (y,), engine="numpy")
    np.testing.assert_allclose(objective.value_and_grad(x)[1], complex_step(residuals, x, y), rtol=1e-11)
