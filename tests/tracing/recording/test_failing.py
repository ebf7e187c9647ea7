"""Exceptions and warnings as branches: that a calculation returned, or did not, is an answer like any other."""

from __future__ import annotations

import ast
import contextlib
import functools
import math
import warnings
from contextlib import suppress

import numpy as np
import pytest
import scipy.linalg
from scipy import interpolate, optimize, stats

import autoopt

LinAlgError = np.linalg.LinAlgError


def matrix(p):
    return np.array([[1.0, p[0]], [p[0], 1.0]])


def is_positive_definite(A):
    try:
        np.linalg.cholesky(A)
    except LinAlgError:
        return False
    return True


def attempt(calculate, *errors, other=5.0):
    """Return an objective that takes the cube where `calculate` returns, a square where it raises."""

    def objective(p):
        try:
            calculate(p)
        except errors:
            return other * p[0] ** 2
        return p[0] ** 3

    return objective


def suppressed(p):
    k = 5.0
    with suppress(ValueError):
        math.log(p[0])
        k = 2.0
    return k * p[0] ** 2


def absorbed(p):
    try:
        s = math.log(p[0])
    except ValueError:
        s = -9.0
    return max(s, -1.0) * p[0]


def nan_absorbed(p):
    try:
        L = np.linalg.cholesky(matrix(p))
    except LinAlgError:
        return 100 + p[0] ** 2
    return np.nansum(np.log(np.diag(L))) + p[0] ** 3


def jitter(p):
    A = matrix(p)
    for k in range(10):
        with suppress(LinAlgError):
            L = np.linalg.cholesky(A + (10.0 ** (k - 5) if k else 0.0) * np.eye(2))
            break
    return 2 * np.sum(np.log(np.diag(L))) + p[0]


def in_a_loop(p):
    total = 0.0
    for k in range(30):
        try:
            np.linalg.cholesky(np.array([[1.0 + k, p[0]], [p[0], 1.0]]))
            total = total + p[0] ** 2 * k
        except LinAlgError:
            total = total + p[0]
    return total


def recorded(p):
    with warnings.catch_warnings(record=True) as met:
        warnings.simplefilter("always")
        np.log(p[0])
    return 100 + p[0] ** 2 if met else p[0] ** 3


def as_errors(p):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            np.sqrt(p[0])
        except RuntimeWarning:
            return 100 + p[0] ** 2
    return p[0] ** 3


def errstate(p):
    with np.errstate(divide="raise", invalid="raise"):
        try:
            np.log(p[0])
        except FloatingPointError:
            return 100 + p[0] ** 2
    return p[0] ** 3


@np.errstate(invalid="raise")
def errstate_around(p):
    try:
        np.sqrt(p[0])
    except FloatingPointError:
        return p[0] ** 2
    return p[0] ** 3


@np.errstate(all="ignore")
def quiet_around(p):
    try:
        math.log(p[0])
    except ValueError:
        return p[0] ** 2
    return p[0] ** 3


def seterr(p):
    old = np.seterr(over="raise")
    try:
        np.exp(p[0] * 400)
        return p[0] ** 3
    except FloatingPointError:
        return 100 + p[0] ** 2
    finally:
        np.seterr(**old)


def root_or(p):
    try:
        u = optimize.brentq(lambda u: u**3 + u - p[0], 0.0, 1.0)
    except ValueError:
        u = 2.0
    return u * p[0] ** 2


def newton_or(p):
    try:
        u = optimize.newton(lambda u: u * u + 1 - p[0], 1.3, maxiter=20)
    except RuntimeError:
        u = 2.0
    return u * p[0] ** 2


def normal_density(p):
    try:
        return -stats.multivariate_normal.logpdf(np.array([0.1, 0.2]), np.zeros(2), matrix(p))
    except (LinAlgError, ValueError):
        return 1000 + p[0] ** 2


def asserted(p):
    try:
        np.testing.assert_array_less(p, 1.0)
    except AssertionError:
        return p[0] ** 2
    return p[0] ** 3


def fallback(f):
    @functools.wraps(f)
    def wrapped(p):
        try:
            return f(p)
        except (ValueError, ArithmeticError):
            return 3.0 * p[0]

    return wrapped


@fallback
def decorated(p):
    math.log(p[0])
    return p[0] ** 2


@contextlib.contextmanager
def quiet():
    with suppress(ValueError):
        yield


def managed(p):
    k = 1.0
    with quiet():
        math.sqrt(p[0])
        k = 4.0
    return k * p[0] ** 2


def for_else(p):
    for shift in (0.0, 1.01, 3.0):
        try:
            np.linalg.cholesky(matrix(p) + shift * np.eye(2))
            break
        except LinAlgError:
            continue
    else:
        return p[0] ** 2
    return (shift + 1) * p[0] ** 2


def counted(p):
    n = 0
    for k in range(20):
        try:
            math.sqrt(p[0] - 0.101 * k)
        except ValueError:
            break
        n += 1
    return n * p[0] ** 2


def message_read(p):
    try:
        if p[0] < 0:
            raise ValueError(f"{p[0]:.0f} is not allowed")
        return p[0] ** 3
    except ValueError as problem:
        return float(str(problem).startswith("-3")) * p[0] + p[0] ** 2


class Model:
    def __init__(self):
        self.scale = 2.0

    def is_valid(self, p):
        try:
            scipy.linalg.cholesky(matrix(p), lower=True)
        except LinAlgError:
            return False
        return True

    def __call__(self, p):
        return self.scale * p[0] ** 2 if self.is_valid(p) else 10 + p[0]


TABLE = [1.0, 2.0, 3.0]
NAMED = {0: 3.0, 1: 4.0}

PROGRAMS = {
    "cholesky": attempt(lambda p: np.linalg.cholesky(matrix(p)), LinAlgError),
    "question": lambda p: p[0] ** 3 if is_positive_definite(matrix(p)) else 100 + p[0] ** 2,
    "cho_factor": attempt(lambda p: scipy.linalg.cho_factor(matrix(p)), LinAlgError),
    "inv": attempt(lambda p: np.linalg.inv(matrix(np.round(p))), LinAlgError),
    "solve": attempt(lambda p: np.linalg.solve(np.diag(np.maximum([p[0], 1.0], 0.0)), np.ones(2)), LinAlgError),
    "eigh of NaN": attempt(lambda p: np.linalg.eigh(np.log(p[0]) * np.eye(2)), LinAlgError),
    "svd of NaN": attempt(lambda p: np.linalg.svd(np.sqrt(p[0]) * np.eye(2)), LinAlgError),
    "check_finite": attempt(lambda p: scipy.linalg.solve(np.log(p[0]) * np.eye(2), np.ones(2)), ValueError),
    "math.log": attempt(lambda p: math.log(p[0]), ValueError),
    "math.exp": attempt(lambda p: math.exp(400 * p[0]), OverflowError),
    "math.sqrt": attempt(lambda p: [math.sqrt(p[0]) for _ in range(3)], ValueError),
    "math.gamma": attempt(lambda p: math.gamma(100 * abs(p[0])), OverflowError),
    "division": attempt(lambda p: 1 / float(max(p[0], 0.0)), ZeroDivisionError),
    "power": attempt(lambda p: (float(p[0]) - 1.5) ** -200, OverflowError),
    "bare": attempt(lambda p: math.log(p[0]), Exception),
    "int of NaN": attempt(lambda p: int(np.log(p[0])), ValueError),
    "round of NaN": attempt(lambda p: round(np.log(p[0])), ValueError),
    "list": attempt(lambda p: TABLE[int(p[0]) + 1], IndexError),
    "dictionary": attempt(lambda p: NAMED[int(p[0])], KeyError),
    "range of a curve": attempt(lambda p: interpolate.interp1d([0, 1.0], [1.0, 3.0])(p[0]), ValueError),
    "suppress": suppressed,
    "decorator": decorated,
    "context manager": managed,
    "for else": for_else,
    "counted": counted,
    "message": message_read,
    "method": Model(),
    "absorbed": absorbed,
    "NaN absorbed": nan_absorbed,
    "jitter": jitter,
    "loop": in_a_loop,
    "warnings recorded": recorded,
    "warnings as errors": as_errors,
    "errstate": errstate,
    "seterr": seterr,
    "errstate around": errstate_around,
    "quiet around": quiet_around,
    "brentq": root_or,
    "newton": newton_or,
    "density": normal_density,
    "assertion": asserted,
}
POINTS = [0.55, 2.1, 0.3, -3.2, 0.9, 1.52, -0.4]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("first", [0, 1, 3])
@pytest.mark.parametrize("name", PROGRAMS)
def test_each_point_has_the_branch_that_the_original_takes(name, first):
    f = PROGRAMS[name]
    objective = autoopt.objective(f, [POINTS[first]])
    for point in POINTS + POINTS[::-1]:
        x = np.array([point])
        slope = (float(f(x + 1e-5)) - float(f(x - 1e-5))) / 2e-5
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(float(f(x)), rel=1e-9)
        assert gradient[0] == pytest.approx(slope, rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", ["cholesky", "question", "cho_factor", "math.log", "math.exp", "NaN absorbed", "loop"])
def test_where_nothing_is_raised_nothing_is_traced_anew(name, monkeypatch):
    objective = autoopt.objective(PROGRAMS[name], [0.5])
    objective.value_and_grad([0.5])
    monkeypatch.setattr(objective.dispatch, "traced", None)
    for point in (0.2, 0.55, 0.9):
        x = np.array([point])
        assert objective.value_and_grad(x)[0] == pytest.approx(float(PROGRAMS[name](x)))


def test_decomposition_that_is_asked_and_used_is_done_once():
    tree = ast.parse(autoopt.objective(nan_absorbed, [0.5]).source())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and "cholesky" in ast.unparse(node.func)]
    assert len(calls) == 1


def test_decomposition_that_nothing_reads_raises_as_in_the_original():
    def validated(p):
        np.linalg.cholesky(matrix(p))
        return p[0] ** 2

    objective = autoopt.objective(validated, [0.5])
    assert objective.value([0.6]) == pytest.approx(0.36)
    with pytest.raises(LinAlgError):
        objective.value([2.0])


@pytest.mark.parametrize("error", [FloatingPointError, RuntimeWarning])
def test_modes_and_filters_set_before_are_heeded(error):
    def named(p):
        try:
            np.log(p[0])
        except (FloatingPointError, RuntimeWarning):
            return 5 * p[0] ** 2
        return p[0] ** 3

    with np.errstate(invalid="raise" if error is FloatingPointError else "warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        objective = autoopt.objective(named, [0.5])
        for point, value, slope in ((0.5, 0.125, 0.75), (-0.5, 1.25, -5.0), (0.4, 0.064, 0.48)):
            assert objective.value_and_grad([point]) == (pytest.approx(value), pytest.approx([slope]))
