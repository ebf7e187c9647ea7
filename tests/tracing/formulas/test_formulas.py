"""Every formula against the function that it stands for: value, and derivatives against differences, to second order.

The objective is a weighted sum of what the function returns; float arrays among the arguments depend on its parameters,
in part linearly, so that a function that is linear in them has curvature, too.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from derivative_checks import check_gradient, check_hessp, check_value
from formula_cases import CASES, OBJECTS, REFUSED, Case, Data
from scipy import optimize
from scipy.integrate import dblquad, odeint, quad, solve_ivp
from scipy.linalg import solve_circulant

from autoopt import differences
from autoopt.errors import UnsupportedFunctionError
from autoopt.objectives.objective import Objective
from autoopt.tape.names import qualified
from autoopt.tracing import formulas
from autoopt.tracing.formulas import load_all


def arrays(args: Any) -> list[np.ndarray]:
    """Return the float arrays in `args` that are differentiated, in order."""
    if isinstance(args, np.ndarray):
        return [args] if args.dtype == float else []
    if isinstance(args, list | tuple):
        return [found for part in args for found in arrays(part)]
    return arrays(list(args.values())) if isinstance(args, dict) else []


def refilled(args: Any, parts: list) -> Any:
    """Return `args` with the next of `parts` in place of each float array."""
    if isinstance(args, np.ndarray):
        return parts.pop(0) if args.dtype == float else args
    if isinstance(args, Data):
        return args.value
    if isinstance(args, list | tuple):
        return type(args)(refilled(part, parts) for part in args)
    return {key: refilled(part, parts) for key, part in args.items()} if isinstance(args, dict) else args


def outputs(found: Any) -> list:
    return [part for whole in found for part in outputs(whole)] if isinstance(found, list | tuple) else [found]


@dataclass
class Weighted:
    """The objective of a case: a function of the flat vector of all its float arrays."""

    case: Case
    starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.given = arrays((self.case.args, self.case.kwargs))
        self.starts = np.cumsum([0, *(part.size for part in self.given)]).tolist()
        self.x0 = np.concatenate([part.ravel() for part in self.given])

    def __call__(self, x: np.ndarray) -> Any:
        bounds = zip(self.starts, self.starts[1:], self.given, strict=False)
        parts = [x[start:stop].reshape(part.shape) for start, stop, part in bounds]
        args, kwargs = refilled((self.case.args, self.case.kwargs), parts)
        total = np.sum(x**2) / 10
        for found in outputs(self.case.call(self.case.function, *args, **kwargs)):
            total = total + np.sum(np.sin(np.arange(np.size(found)) + 1.0) * np.ravel(found + 0.1 * found**2))
        return total


@pytest.mark.slow_for("lfilter(2,)(3,)(12,)[0.3 0.2]", "linregress(12,)(12,)0")
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.sampled(6)
def test_formula(case: Case) -> None:
    with np.errstate(all="ignore"):
        f = Weighted(case)
        objective = Objective(f, f.x0)
        check_value(objective, f.x0)
        check_gradient(objective, f.x0, 0.0)


@pytest.mark.parametrize("case", [case for case in CASES if not case.kink], ids=str)
@pytest.mark.sampled(30)
def test_formula_to_second_order(case: Case) -> None:
    with np.errstate(all="ignore"):
        f = Weighted(case)
        check_hessp(Objective(f, f.x0), f.x0, np.random.default_rng(1).normal(size=f.x0.size), 0.0)


def test_every_formula_has_a_case() -> None:
    covered = {case.function for case in CASES} | {function for function, *_ in REFUSED}
    assert sorted(qualified(function) for function in load_all() if function not in covered) == []


@pytest.mark.parametrize("function, args, kwargs, words", REFUSED, ids=[row[-1] for row in REFUSED])
def test_refusal_names_the_function_and_the_line(function: Any, args: tuple, kwargs: dict, words: str) -> None:
    f = Weighted(Case(function, args, kwargs))
    with pytest.raises(UnsupportedFunctionError, match=words) as refusal:
        Objective(f, f.x0).grad(f.x0)
    assert refusal.value.where and refusal.value.remedy


def test_formula_leaves_data_to_the_function_itself() -> None:
    from scipy.signal import lfilter

    y = np.random.default_rng(0).normal(size=20)

    def f(x, y):
        return np.sum((lfilter([1.0, 0.5], [1.0, -0.3], y) - x[0]) ** 2)

    assert "lfilter" in Objective(f, np.array([0.1]), (y,)).source()


@pytest.mark.parametrize("name", OBJECTS)
def test_interpolant_made_outside(name: str) -> None:
    curve = OBJECTS[name]

    def f(x):
        return np.sum(np.cos(curve(x))) + np.sum(curve(np.array([0.3, 2.2])) * x[:2])

    x = np.array([0.4, 1.0 / 3, 2.7, 4.5])
    objective = Objective(f, x)
    check_value(objective, x)
    check_gradient(objective, x, 0.0)
    check_hessp(objective, x, np.array([1.0, -0.5, 0.7, 0.3]), 0.0)


# Integrals of the user's functions ------------------------------------------------------------------------------------

INTEGRALS = {
    "finite": lambda p: quad(lambda u: np.exp(-(p[0] ** 2) * u) * np.cos(p[1] * u), 0, 2)[0],
    "arguments": lambda p: quad(lambda u, a, b: a * u + np.sin(b * u), -1, 2, args=(p[0], p[1]))[0] ** 2,
    "limits": lambda p: quad(lambda u: np.exp(-u) * p[1], p[0], 1 + p[1] ** 2)[0],
    "empty": lambda p: quad(np.cos, p[0], p[0])[0] + quad(lambda u: u**2, 0.5, p[0])[0],
    "reversed": lambda p: quad(lambda u: np.exp(p[1] * u), 2, p[0])[0],
    "half line": lambda p: quad(lambda u: np.exp(-(1 + p[0] ** 2) * u), 0, np.inf)[0],
    "other half": lambda p: quad(lambda u: np.exp((1 + p[0] ** 2) * u), -np.inf, p[1])[0],
    "line": lambda p: quad(lambda u: np.exp(-((u - p[0]) ** 2) / 2) * u**2, -np.inf, np.inf)[0],
    "math": lambda p: quad(lambda u: math.exp(-p[0] * u) / (1 + u * u), 0, 1)[0],
    "peak": lambda p: quad(lambda u: 1 / (1e-4 + (u - p[0]) ** 2), 0, 1)[0] / 100,
    "two": lambda p: dblquad(lambda y, u: np.exp(-p[0] * y * u), 0, 1, lambda u: 0.0, lambda u: u * p[1])[0],
    "singular at an end": lambda p: quad(lambda u: p[0] * np.sqrt(u) * np.exp(p[1] * u), 0, 1)[0],
    "in pieces": lambda p: quad(lambda u: p[1] - u, 0, p[1])[0] + p[0] * quad(lambda u: u - p[1], p[1], 1)[0],
    "narrow": lambda p: quad(lambda u: np.exp(-((u - p[0] / 9) ** 2) / 2e-3), -5, 5, limit=99)[0] * p[1],
    "complex root": lambda p: quad(lambda u: np.real(np.exp(-np.sqrt(p[0] + 1j * p[1] * u))), -1, 2)[0],
    "complex logarithm": lambda p: quad(lambda u: np.real(np.log(p[0] + 1j * p[1] * u) * np.exp(1j * u)), 0, 2)[0],
    "nested": lambda p: quad(lambda u: quad(lambda v: np.sin(p[0] * u * v), 0, u)[0], 0, 1)[0],
}


@pytest.mark.slow_for("narrow", "arguments")
@pytest.mark.parametrize("name", INTEGRALS)
@pytest.mark.sampled(3)
def test_integral_agrees_with_differences(name: str) -> None:
    x = np.array([0.5, 0.3])
    objective = Objective(INTEGRALS[name], x)
    for point in (x, np.array([0.5, 0.8])):
        np.testing.assert_allclose(objective.value(point), objective.original(point), rtol=1e-7)
        check_gradient(objective, point, 1e-9)
        check_hessp(objective, point, np.array([1.0, -0.5]), 1e-9)


@pytest.mark.slow
def test_integral_takes_new_intervals_where_the_old_do_not_do() -> None:
    objective = Objective(INTEGRALS["peak"], np.array([0.5, 0.0]))
    for place in (0.5, 0.21, 0.83, 0.97):
        x = np.array([place, 0.0])
        np.testing.assert_allclose(objective.value(x), objective.original(x), rtol=1e-7)
        exact = (1 / (1e-4 + place**2) - 1 / (1e-4 + (1 - place) ** 2)) / 100
        np.testing.assert_allclose(objective.grad(x)[0], exact, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "integral, words",
    [
        (lambda p: quad(lambda u: max(u - p[0], 0.0), 0, 1)[0], "kink, a jump or a branch"),
        (lambda p: quad(lambda u: np.where(u < p[0], 1.0, p[1] * u), 0, 1)[0], "kink, a jump or a branch"),
        (lambda p: quad(lambda u: u**2 if u < p[0] else p[1], 0, 1)[0], "kink, a jump or a branch"),
        (lambda p: quad(lambda u: np.sqrt((u - p[0]) ** 2), 0, 1)[0], "kink, a jump or a branch"),  # at a middle
        (lambda p: quad(lambda u: p[0] * np.sqrt((u - p[1]) ** 2), 0, 1)[0], "kink, a jump or a branch"),
        (lambda p: quad(lambda u: np.exp(-u) * np.cbrt((u - p[1]) ** 2), 0, 1)[0], "kink, a jump or a branch"),
        (lambda p: quad(lambda u: (u - p[1]) / np.sqrt((u - p[1]) ** 2), 0, 1)[0], "kink, a jump or a branch"),
        (lambda p: quad(lambda u: u**-0.5 * np.exp(p[0] * u), 0, 1)[0], "polynomials do not follow"),
        (lambda p: quad(lambda u: p[0] * u, 0, 1, weight="cos", wvar=1.0)[0], "quad with weight, wvar="),
    ],
)
def test_integral_that_nodes_do_not_follow_is_refused(integral: Any, words: str) -> None:
    with pytest.raises(UnsupportedFunctionError, match=words) as refusal:
        Objective(integral, np.array([0.5, 0.3])).grad(np.array([0.5, 0.3]))
    assert refusal.value.where


@pytest.mark.slow
def test_complex_root_that_comes_to_cross_the_negative_numbers_is_refused() -> None:
    objective = Objective(lambda p: quad(lambda u: np.imag(np.sqrt(p[0] + 1j * (u - p[1]))), 0, 1)[0], np.ones(2))
    for x in ([1.0, 0.3], [-0.5, -0.1]):
        check_gradient(objective, np.array(x), 1e-9)
    for x in ([-0.5, 0.3], [-1.0, 0.71]):
        with pytest.raises(UnsupportedFunctionError, match=r"kink, a jump|a negative real number"):
            objective.grad(np.array(x))


def test_integral_over_data_is_scipys_own() -> None:
    objective = Objective(lambda p: p[0] * quad(lambda u: abs(u - 0.3), 0, 1)[0], np.array([0.5]))
    np.testing.assert_allclose(objective.grad(np.array([0.5])), 0.29, rtol=1e-12)


# Roots ----------------------------------------------------------------------------------------------------------------


def _cubic(z, a, b):
    return z**3 + z - a * np.exp(b * z)


def _slope(z, a, b):
    return 3 * z**2 + 1 - a * b * np.exp(b * z)


def _with_slope(z, a, b):
    return _cubic(z, a, b), _slope(z, a, b)


def _curvature(z, a, b):
    return 6 * z - a * b**2 * np.exp(b * z)


def _with_jacobian(z, a, b):
    return _cubic(z, a, b), _slope(z, a, b).reshape(1, 1)


def _if_converged(found):
    return found.root if found.converged else 7.0


ROOTS = {
    "brentq": lambda p: optimize.brentq(lambda z: _cubic(z, p[0], p[1]), -2, 2) ** 2,
    "brenth": lambda p: optimize.brenth(lambda z: _cubic(z, p[0], p[1]), -2, 2) ** 2,
    "ridder": lambda p: optimize.ridder(lambda z: _cubic(z, p[0], p[1]), -2, 2) ** 2,
    "bisect": lambda p: optimize.bisect(lambda z: _cubic(z, p[0], p[1]), -2, 2) ** 2,
    "toms748": lambda p: optimize.toms748(lambda z: _cubic(z, p[0], p[1]), -2, 2) ** 2,
    "arguments": lambda p: optimize.brentq(_cubic, -2, 2, args=(p[0], p[1])),
    "newton": lambda p: optimize.newton(lambda z: _cubic(z, p[0], p[1]), 0.3),
    "fsolve": lambda p: np.sum(optimize.fsolve(lambda z: [z[0] ** 3 + z[1] - p[0], z[1] - z[0] * p[1]], [1, 1]) ** 2),
    "root": lambda p: optimize.root(lambda z: _cubic(z, p[0], p[1]), 0.5).x[0],
    "of data": lambda p: p[0] * p[1] * optimize.brentq(lambda z: z**3 + z - 1, 0, 2),
}


@pytest.mark.parametrize("name", ROOTS)
@pytest.mark.sampled(5)
def test_root_agrees_with_differences(name: str) -> None:
    x = np.array([0.5, 0.3])
    objective = Objective(ROOTS[name], x)
    for point in (x, np.array([0.9, -0.2])):
        np.testing.assert_allclose(objective.value(point), objective.original(point), rtol=1e-7)
        check_gradient(objective, point, 2e-11)
    hessian, error = differences.hessian(objective.grad, x)
    np.testing.assert_allclose(objective.hess(x), hessian, rtol=1e-6, atol=np.max(10 * error) + 1e-8)


def test_root_is_always_the_one_that_scipy_finds() -> None:
    """Where there are several the steps would go on with the first, however the search went."""

    def cubic(z, c):
        return z**3 - 3 * z - c

    searches = {
        "brentq": lambda p: optimize.brentq(cubic, -4.0, 4.1, args=(p[0],)),
        "newton": lambda p: optimize.newton(cubic, 2.0 + p[0], args=(p[0],)),
        "newton with its slope": lambda p: optimize.newton(cubic, p[0] * 0.5 + 1, lambda z, c: 3 * z**2 - 3, (p[0],)),
        "fsolve": lambda p: optimize.fsolve(cubic, 0.9, args=(p[0],))[0],
        "root": lambda p: optimize.root(cubic, -0.8, args=(p[0],)).x[0],
    }
    for f in searches.values():
        objective = Objective(f, np.array([0.5]))
        for c in (0.5, -1.5, 0.1, -1.9):
            x = np.array([c])
            z = f(x)
            np.testing.assert_allclose(objective.value(x), z, rtol=1e-7)
            np.testing.assert_allclose(objective.grad(x), 1 / (3 * z**2 - 3), rtol=1e-6)


def test_root_beyond_the_bracket_is_the_users_error_again() -> None:
    objective = Objective(ROOTS["brentq"], np.array([0.5, 0.3]))
    objective.grad(np.array([0.5, 0.3]))
    with pytest.raises(ValueError, match="different signs"):
        objective.value(np.array([50.0, 0.0]))


REPORTED = {
    "bracket": lambda p: optimize.root_scalar(_cubic, args=(p[0], p[1]), bracket=[-2, 2]).root,
    "secant": lambda p: optimize.root_scalar(_cubic, args=(p[0], p[1]), x0=0.3, x1=0.4)["root"],
    "newton without slope": lambda p: optimize.root_scalar(_cubic, args=(p[0], p[1]), x0=0.3, method="newton").root,
    "slope beside": lambda p: optimize.root_scalar(_with_slope, args=(p[0], p[1]), x0=0.3, fprime=True).root,
    "halley": lambda p: _if_converged(
        optimize.root_scalar(_cubic, args=(p[0], p[1]), x0=p[0], fprime=_slope, fprime2=_curvature)
    ),
    "brentq": lambda p: optimize.brentq(_cubic, -2, 2, args=(p[0], p[1]), full_output=True)[1].root,
    "many": lambda p: optimize.newton(lambda z: _cubic(z, p[0], p[1]), np.ones(2), full_output=True).root[1],
    "fsolve": lambda p: optimize.fsolve(_cubic, 0.3, (p[0], p[1]), _slope, full_output=True)[0][0],
    "lm": lambda p: optimize.root(lambda z: [_cubic(z[0], *p), z[1] - z[0]], [1, 1], method="lm").x[1],
    "slopes beside": lambda p: optimize.root(_with_jacobian, [0.3], (p[0], p[1]), jac=True).x[0],
}


@pytest.mark.parametrize("name", REPORTED)
@pytest.mark.sampled(3)
def test_root_of_a_report_moves_as_its_equation_does(name: str) -> None:
    objective = Objective(REPORTED[name], np.array([0.5, 0.3]))
    for x in (np.array([0.5, 0.3]), np.array([0.9, -0.2])):
        a, b = x
        z = objective.value(x)
        np.testing.assert_allclose(z, objective.original(x), rtol=1e-7)
        np.testing.assert_allclose(objective.grad(x), np.exp(b * z) / _slope(z, a, b) * np.array([1, a * z]), rtol=1e-9)


def test_count_of_iterations_is_that_of_each_point() -> None:
    """The number of iterations is a constant where it is read, but one of its point."""

    def f(p):
        found = optimize.root_scalar(lambda z: z**3 - p[0], bracket=[0, 4])
        return found.root * found.iterations

    objective = Objective(f, np.array([2.0]))
    counts = set()
    for x in (2.0, 3.3, 40.0):
        found = optimize.root_scalar(lambda z, x=x: z**3 - x, bracket=[0, 4])
        counts.add(found.iterations)
        slope = found.iterations / (3 * found.root**2)
        np.testing.assert_allclose(objective.grad(np.array([x])), slope, rtol=1e-9)
    assert len(counts) > 1


def test_search_that_fails_without_raising_is_followed_where_it_does_not() -> None:
    def penalised(p):
        found = optimize.root_scalar(lambda z: z**3 - p[0], x0=1.0, fprime=lambda z: 3 * z**2, maxiter=6)
        return found.root if found.converged else 100 + p[0] ** 2

    objective = Objective(penalised, np.array([2.0]))
    for x, slope in ((2.0, 2.0 ** (-2 / 3) / 3), (300.0, 600.0), (1.5, 1.5 ** (-2 / 3) / 3)):
        np.testing.assert_allclose(objective.grad(np.array([x])), slope, rtol=1e-9)


def test_what_has_no_root_to_follow_is_refused() -> None:
    def f(p):
        return optimize.root(lambda z: (z[0] - p[0]) * np.ones(2), [0.0], method="lm").x[0]

    with pytest.raises(UnsupportedFunctionError, match="more equations than") as refusal:
        Objective(f, np.array([0.5, 0.3])).grad(np.array([0.5, 0.3]))
    assert refusal.value.where and refusal.value.remedy


def test_differential_equation_of_data_is_scipys_own() -> None:
    def f(p):
        return (
            p[0] * solve_ivp(lambda t, y: -y, (0, 1), [1.0]).y[0, -1]
            + p[1] * odeint(lambda y, t: -y, 1.0, [0, 1])[-1, 0]
        )

    np.testing.assert_allclose(Objective(f, np.ones(2)).grad(np.ones(2)), np.exp(-1), rtol=2e-3)


def test_functions_compiled_by_numba_are_followed_as_python() -> None:
    import numba

    @numba.njit
    def squares(x):
        total = 0.0
        for i in range(x.shape[0]):
            total += x[i] ** 2
        return total

    @numba.vectorize
    def twice(x):
        return 2.0 * x

    x = np.array([0.5, -1.0])
    gradient = Objective(lambda p: squares(p) + np.sum(twice(p)) + squares.py_func(p), x).grad(x)
    np.testing.assert_allclose(gradient, 4 * x + 2)


def test_formula_that_the_installed_library_does_not_agree_with_is_refused() -> None:
    def stacked(x):
        return np.sum(solve_circulant(np.outer(x, x) + 4 * np.eye(3), x))

    with pytest.raises(UnsupportedFunctionError, match="releases of its library differ in"):
        Objective(stacked, np.array([0.3, 0.7, 1.1]))


def test_every_file_of_formulas_is_loaded() -> None:
    rooms = {file.stem for file in Path(formulas.__file__).parent.glob("*.py")} - {"__init__", "table", "curves"}
    load_all()
    assert {room for room in rooms if f"autoopt.tracing.formulas.{room}" not in sys.modules} == set()
