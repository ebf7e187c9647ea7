"""Searches of SciPy inside objectives, and `autoopt.fixed_point`: one step of the tape, against closed forms."""

import subprocess
import sys

import mpmath
import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.objectives.dispatch import Dispatch
from autoopt.objectives.objective import Objective
from autoopt.tape.root import Root


@pytest.fixture
def traces(monkeypatch):
    """The points at which an objective is traced."""
    points = []
    original = Dispatch.traced

    def traced(self, x):
        points.append(x.copy())
        return original(self, x)

    monkeypatch.setattr(Dispatch, "traced", traced)
    return points


def roots_of(objective):
    return [step.operation for step in objective.dispatch.paths[0].trace.tape.steps if isinstance(step.operation, Root)]


# Single roots ---------------------------------------------------------------------------------------------------------


def cube(z, a, b):
    return a * z**3 - b


def slope(z, a, b):
    return 3 * a * z**2


SEARCHES = {
    "brentq": lambda a, b: optimize.brentq(cube, 0, 5, args=(a, b)),
    "brenth": lambda a, b: optimize.brenth(cube, 0, 5, (a, b)),
    "ridder": lambda a, b: optimize.ridder(lambda z: cube(z, a, b), 0, 5),
    "bisect": lambda a, b: optimize.bisect(lambda z: cube(z, a, b), 0, 5),
    "toms748": lambda a, b: optimize.toms748(lambda z: cube(z, a, b), 0.1, 5),
    "moving bracket": lambda a, b: optimize.brentq(cube, a / 10, 4 + b, args=(a, b)),
    "secant": lambda a, b: optimize.newton(cube, 1.0, args=(a, b)),
    "newton": lambda a, b: optimize.newton(cube, 1.0 + a / 10, slope, (a, b)),
    "halley": lambda a, b: optimize.newton(cube, 1.0, slope, (a, b), fprime2=lambda z, a, b: 6 * a * z),
    "root_scalar": lambda a, b: optimize.root_scalar(cube, args=(a, b), bracket=(0, 5)).root,
    "fsolve": lambda a, b: optimize.fsolve(cube, [1.0], args=(a, b))[0],
    "fsolve with slopes": lambda a, b: optimize.fsolve(cube, 1.0, (a, b), lambda z, a, b: slope(z, a, b)[:, None])[0],
    "root": lambda a, b: optimize.root(lambda z: cube(z, a, b), 1.0, tol=1e-10).x[0],
    "root by lm": lambda a, b: optimize.root(lambda z: cube(z, a, b), 1.0, method="lm").x[0],
    "fixed_point": lambda a, b: optimize.fixed_point(lambda z: (b / a / z**2 + 2 * z) / 3, 1.0),
    "autoopt.fixed_point": lambda a, b: autoopt.fixed_point(lambda z, c: (c / z**2 + 2 * z) / 3, 1.0, args=(b / a,)),
    "iteration": lambda a, b: autoopt.fixed_point(
        lambda z: z - 0.1 * cube(z, a, b), 1.0, method="iteration", maxiter=2000, xtol=1e-10
    ),
}  # fmt: skip


@pytest.mark.slow_for("fsolve with slopes")
@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.sampled(5)
def test_derivatives_are_those_of_the_closed_form_at_every_point(name: str, traces) -> None:
    search = SEARCHES[name]
    objective = Objective(lambda p: np.sin(search(np.exp(p[0]), p[1])), np.array([0.1, 1.5]))
    for u, b in ((0.1, 1.5), (0.3, 0.7), (-0.2, 2.5), (0.1, 1.5)):
        z, x = np.cbrt(b * np.exp(-u)), np.array([u, b])
        first = np.array([-z / 3, z / (3 * b)])
        second = np.array([[z / 9, -z / (9 * b)], [-z / (9 * b), -2 * z / (9 * b**2)]])
        np.testing.assert_allclose(objective.value(x), np.sin(z), rtol=2e-8)
        np.testing.assert_allclose(objective.grad(x), np.cos(z) * first, rtol=3e-8)
        hessian = np.cos(z) * second - np.sin(z) * np.outer(first, first)
        np.testing.assert_allclose(objective.hess(x), hessian, rtol=3e-7, atol=1e-9)
        np.testing.assert_allclose(objective.hessp(x, np.array([1.0, -2.0])), hessian @ [1.0, -2.0], rtol=3e-7)
    assert len(traces) == 1 and len(roots_of(objective)) == 1


def test_value_is_the_one_that_scipy_finds() -> None:
    objective = Objective(lambda p: optimize.brentq(cube, 0, 5, args=(p[0], p[1])), np.ones(2))
    for x in np.random.default_rng(0).uniform(0.5, 2, size=(20, 2)):
        assert objective.value(x) == pytest.approx(optimize.brentq(cube, 0, 5, args=(x[0], x[1])), rel=1e-14)


def test_rough_search_is_differentiated_where_the_root_is() -> None:
    """It ends up to 1e-5 from the root; the derivatives there would be as far off."""
    objective = Objective(lambda p: autoopt.fixed_point(lambda z: np.cos(p[0] * z), 0.6, xtol=1e-4), np.array([0.9]))
    with mpmath.workdps(30):
        derivative = mpmath.diff(lambda a: mpmath.findroot(lambda z: mpmath.cos(a * z) - z, 0.7), 0.9)
        curvature = mpmath.diff(lambda a: mpmath.findroot(lambda z: mpmath.cos(a * z) - z, 0.7), 0.9, 2)
    assert len(roots_of(objective)) == 1
    assert objective.grad(np.array([0.9]))[0] == pytest.approx(float(derivative), rel=1e-9)
    assert objective.hess(np.array([0.9]))[0, 0] == pytest.approx(float(curvature), rel=1e-8)


# Systems --------------------------------------------------------------------------------------------------------------

A = np.random.default_rng(1).normal(size=(5, 5)) / 6
C = np.random.default_rng(2).normal(size=5)


def linear(p):
    return np.sum(autoopt.fixed_point(lambda z: p[0] * (A @ z) + p[1] * C, np.zeros(5), method="iteration") ** 2)


def solved(p):
    return np.sum(optimize.fsolve(lambda z: z - p[0] * (A @ z) - p[1] * C, np.zeros(5)) ** 2)


@pytest.mark.parametrize("f", [linear, solved])
def test_systems_are_differentiated_as_their_solution(f, traces) -> None:
    objective = Objective(f, np.array([0.4, 0.3]))
    for a, b in ((0.4, 0.3), (0.7, -1.1)):
        inverse = np.linalg.inv(np.eye(5) - a * A)
        z = b * inverse @ C
        along_a = inverse @ A @ z
        along_b = z / b
        slopes = np.column_stack([along_a, along_b])
        seconds = {(0, 0): 2 * inverse @ A @ along_a, (0, 1): inverse @ A @ along_b, (1, 1): np.zeros(5)}
        hessian = [
            [2 * slopes[:, i] @ slopes[:, j] + 2 * z @ seconds[min(i, j), max(i, j)] for j in (0, 1)] for i in (0, 1)
        ]
        x = np.array([a, b])
        np.testing.assert_allclose(objective.grad(x), 2 * slopes.T @ z, rtol=1e-7)
        np.testing.assert_allclose(objective.hess(x), hessian, rtol=1e-6)
    assert len(traces) == 1


@pytest.mark.slow
def test_value_iteration_is_a_fixed_point() -> None:
    """V = log(exp(u0 + 0.9 V) + exp(u1 + 0.9 V)): V is 10 log(exp(u0) + exp(u1))."""

    def f(p):
        return np.sum(autoopt.fixed_point(lambda V: np.logaddexp(p[0] + 0.9 * V, p[1] + 0.9 * V), np.zeros(3)))

    objective = Objective(f, np.array([0.2, 0.5]))
    for x in (np.array([0.2, 0.5]), np.array([-1.0, 0.3])):
        share = np.exp(x) / np.exp(x).sum()
        np.testing.assert_allclose(objective.grad(x), 30 * share, rtol=1e-7)
        np.testing.assert_allclose(objective.hess(x), 30 * (np.diag(share) - np.outer(share, share)), rtol=1e-6)


# Many, nested, in loops -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_root_for_each_of_two_hundred_rows(traces) -> None:
    def f(p, y):
        total = 0.0
        for yi in y:
            total = total + optimize.brentq(lambda z, yi=yi: z**3 - np.exp(p[0]) * yi - p[1], 0.0, 10.0)
        return total

    y = np.linspace(0.5, 3, 200)
    objective = Objective(f, np.array([0.1, 0.2]), (y,))
    for data in (y, y**2):
        assert objective.rebind((data,))
        for x in (np.array([0.1, 0.2]), np.array([0.4, 1.0])):
            inside = np.exp(x[0]) * data + x[1]
            gradient = [np.sum(inside ** (-2 / 3) * (inside - x[1])) / 3, np.sum(inside ** (-2 / 3)) / 3]
            assert objective.value(x) == pytest.approx(np.cbrt(inside).sum(), rel=1e-11)
            np.testing.assert_allclose(objective.grad(x), gradient, rtol=1e-10)
            assert objective.hess(x)[1, 1] == pytest.approx(-2 / 9 * np.sum(inside ** (-5 / 3)), rel=1e-9)
    assert len(traces) == 1
    assert objective.source().count("scipy.optimize.brentq(") == 1


def test_root_within_a_recurrence(traces) -> None:
    """An implicit Euler step: z = x - h z**3."""

    def f(p):
        x = p[0]
        for _ in range(30):
            x = optimize.newton(lambda z, x=x: z + p[1] * z**3 - x, x)
        return x

    def forward(x, h):
        for _ in range(30):
            start = x
            x = mpmath.findroot(lambda z: z + h * z**3 - start, start)  # noqa: B023
        return x

    objective = Objective(f, np.array([1.5, 0.1]))
    for x in (np.array([1.5, 0.1]), np.array([0.8, 0.3])):
        with mpmath.workdps(25):
            first = [float(mpmath.diff(forward, tuple(x), n)) for n in ((1, 0), (0, 1))]
            second = float(mpmath.diff(forward, tuple(x), (1, 1)))
        np.testing.assert_allclose(objective.grad(x), first, rtol=1e-9)
        assert objective.hess(x)[0, 1] == pytest.approx(second, rel=1e-7)
    assert len(traces) == 1


def test_root_whose_equation_has_a_fixed_point(traces) -> None:
    """w = 1 + z with z = w cos(a z) / 4 + b."""

    def f(p):
        def excess(w):
            return w - 1 - autoopt.fixed_point(lambda z: w * np.cos(p[0] * z) / 4 + p[1], 0.5, xtol=1e-13)

        return optimize.brentq(excess, -5.0, 5.0)

    def closed(a, b):
        return 1 + mpmath.findroot(lambda z: (1 + z) * mpmath.cos(a * z) / 4 + b - z, 0.5)

    objective = Objective(f, np.array([0.4, 0.3]))
    for x in (np.array([0.4, 0.3]), np.array([0.9, 0.1])):
        with mpmath.workdps(25):
            first = [float(mpmath.diff(closed, tuple(x), n)) for n in ((1, 0), (0, 1))]
        np.testing.assert_allclose(objective.grad(x), first, rtol=1e-9)
    assert len(traces) == 1


# Where there is no such step ------------------------------------------------------------------------------------------


def test_equation_with_a_branch_or_a_kink_is_followed_at_its_point(traces) -> None:
    equations = (
        lambda z, a: z**3 - a if z > 0.5 else z - a,
        lambda z, a: np.maximum(z, 0.1) ** 3 - a,
        lambda z, a: np.abs(z) ** 3 - a,
    )
    for equation in equations:
        objective = Objective(
            lambda p, equation=equation: optimize.brentq(equation, -0.05, 5, args=(p[0],)), np.ones(1)
        )
        for a in (1.0, 2.0):
            np.testing.assert_allclose(objective.grad(np.array([a])), a ** (-2 / 3) / 3, rtol=1e-9)
        assert not roots_of(objective)


def test_bracket_without_a_root_is_the_users_error_or_branch() -> None:
    def guarded(p):
        try:
            return optimize.brentq(cube, 0.0, 2.0, args=(1.0, p[0])) ** 2
        except ValueError:
            return 5.0 - p[0]

    objective = Objective(guarded, np.array([1.0]))
    for b, value, derivative in ((1.0, 1.0, 2 / 3), (20.0, -15.0, -1.0), (8.0 / 27, 4 / 9, 1.0), (30.0, -25.0, -1.0)):
        assert objective.value(np.array([b])) == pytest.approx(value, rel=1e-10)
        assert objective.grad(np.array([b]))[0] == pytest.approx(derivative, rel=1e-9)
    plain = Objective(lambda p: optimize.brentq(cube, 0.0, 2.0, args=(1.0, p[0])), np.array([1.0]))
    plain.grad(np.array([1.0]))
    with pytest.raises(ValueError, match="different signs"):
        plain.value(np.array([20.0]))


def test_search_whose_result_is_not_read_still_raises() -> None:
    def f(p):
        optimize.brentq(cube, 0.0, 2.0, args=(1.0, p[0]))
        return p[0] ** 2

    objective = Objective(f, np.array([1.0]))
    assert objective.grad(np.array([3.0]))[0] == 6.0
    with pytest.raises(ValueError, match="different signs"):
        objective.value(np.array([20.0]))


def test_iteration_that_does_not_converge_raises_as_scipys_does() -> None:
    with pytest.raises(RuntimeError, match="Failed to converge after 500 iterations"):
        autoopt.fixed_point(lambda z: z + 1, 0.0, method="iteration")
    objective = Objective(
        lambda p: autoopt.fixed_point(lambda z: p[0] * z + 1, 0.0, method="iteration"), np.array([0.5])
    )
    assert objective.grad(np.array([0.5]))[0] == pytest.approx(4.0, rel=1e-7)
    with pytest.raises(RuntimeError, match="Failed to converge"):
        objective.value(np.array([1.5]))


def test_fixed_point_outside_of_objectives_is_scipys() -> None:
    def g(x, c):
        return np.cos(c * x)

    assert autoopt.fixed_point(g, 0.5, args=(1.0,)) == optimize.fixed_point(g, 0.5, args=(1.0,))
    start, c = np.full(3, 0.5), np.array([0.5, 1.0, 1.1])
    np.testing.assert_array_equal(autoopt.fixed_point(g, start, c), optimize.fixed_point(g, start, (c,)))
    assert isinstance(autoopt.fixed_point(g, 0.5, (1.0,)), float)


# What comes of it -----------------------------------------------------------------------------------------------------


def test_source_runs_without_autoopt(tmp_path) -> None:
    objective = Objective(lambda p: SEARCHES["newton"](p[0], p[1]) ** 2 + linear(p), np.array([0.7, 1.5]))
    x = np.array([0.7, 1.5])
    objective.grad(x)
    file = tmp_path / "exported.py"
    module = objective.source()
    given = ", ".join(f"np.array({array.tolist()})" for array in (x, A, C))
    file.write_text(
        f"{module}\nprint(*value_and_grad({given})[1].tolist())\nimport sys\nassert 'autoopt' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-I", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose([float(number) for number in done.stdout.split()], objective.grad(x), rtol=1e-14)


def test_constant_that_loops_are_given_stays_their_argument() -> None:
    """Of the exported text: it had been taken from the function's signature, and left where it is called."""

    def f(p):
        x = p[0]
        for t in range(30):
            x = optimize.newton(lambda z: z - 0.3 * np.sin(z) - p[1] * x - 0.1 * t, x)  # noqa: B023
        return x**2

    objective = Objective(f, np.array([0.3, 0.5]))
    namespace: dict = {}
    exec(objective.source(), namespace)
    np.testing.assert_allclose(
        namespace["value_and_grad"](np.array([0.3, 0.5]))[1], objective.grad(np.array([0.3, 0.5]))
    )


def test_solve_ends_where_scipys_differences_end() -> None:
    rng = np.random.default_rng(3)
    dose = rng.uniform(0.5, 3, size=40)

    def binding(p, dose, y):
        """The free concentration solves c + B c / (K + c) = dose."""
        total = 0.0
        for d, observed in zip(dose, y, strict=True):
            c = optimize.brentq(lambda c, d=d: c + np.exp(p[0]) * c / (np.exp(p[1]) + c) - d, 0.0, 10.0)
            total = total + (np.log(c) - observed) ** 2
        return total

    truth = np.array([0.3, -0.5])
    y = np.log([optimize.brentq(lambda c, d=d: c + np.exp(0.3) * c / (np.exp(-0.5) + c) - d, 0, 10) for d in dose])
    y += 0.05 * rng.normal(size=40)
    ours = autoopt.minimize(binding, np.zeros(2), (dose, y))
    theirs = optimize.minimize(binding, np.zeros(2), (dose, y), tol=1e-10)
    assert ours.success
    assert ours.fun <= theirs.fun * (1 + 1e-9)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-4)
    np.testing.assert_allclose(ours.x, truth, atol=0.3)
