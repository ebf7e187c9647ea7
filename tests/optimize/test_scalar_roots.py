"""Roots of functions of one number: SciPy's with slopes by hand, poles and jumps, derivatives through the root."""

import numpy as np
import pytest
from scipy import optimize

import autoopt
from autoopt.errors import AutooptError, RootError, UsageError
from autoopt.solvers import Interrupted

BRACKETING = ("bisect", "brentq", "brenth", "ridder", "toms748")


def cubic(x, c=2.0):
    return x**3 - c


ROOT = 2.0 ** (1 / 3)


@pytest.mark.parametrize("method", BRACKETING)
def test_brackets_end_as_in_scipy(method):
    ours = autoopt.root_scalar(cubic, args=(3.0,), bracket=(0.0, 3.0), method=method)
    theirs = optimize.root_scalar(cubic, args=(3.0,), bracket=(0.0, 3.0), method=method)
    assert ours.converged and ours.root == theirs.root and ours.iterations == theirs.iterations
    assert ours.root == pytest.approx(3.0 ** (1 / 3), rel=1e-11)


@pytest.mark.parametrize("method", ["newton", "halley"])
def test_derived_slopes_take_the_steps_of_those_by_hand(method):
    second = {"fprime2": lambda x: 6 * x} if method == "halley" else {}
    ours = autoopt.root_scalar(cubic, x0=5.0, method=method)
    theirs = optimize.root_scalar(cubic, x0=5.0, method=method, fprime=lambda x: 3 * x**2, **second)
    assert ours.converged and ours.iterations == theirs.iterations
    assert ours.root == pytest.approx(ROOT, rel=1e-15)


@pytest.mark.parametrize(
    ("given", "method"),
    [({"bracket": (0, 2)}, "brentq"), ({"x0": 1.0}, "newton"), ({"x0": 1.0, "x1": 2.0}, "secant"),
     ({"x0": 1.0, "fprime2": lambda x: 6 * x}, "halley")],
)  # fmt: skip
def test_method_is_chosen_as_in_scipy(given, method):
    result = autoopt.root_scalar(cubic, **given)
    assert result.method == method and result.root == pytest.approx(ROOT, rel=1e-10)


def test_function_that_returns_its_slope():
    result = autoopt.root_scalar(lambda x: (cubic(x), 3 * x**2), x0=1.0, fprime=True)
    assert result.converged and result.root == pytest.approx(ROOT, rel=1e-15)


# What is no root ------------------------------------------------------------------------------------------------------

NO_ROOTS = {
    "pole": (lambda x: 1.0 / x, -1.0, 1.1),
    "tangent": (np.tan, 1.0, 2.0),
    "jump": (lambda x: np.sign(x) + 0.1 * x, -1.0, 1.1),
}


@pytest.mark.parametrize("name", NO_ROOTS)
def test_change_of_sign_without_a_root_is_no_root(name):
    f, a, b = NO_ROOTS[name]
    assert optimize.brentq(f, a, b, full_output=True)[1].converged  # SciPy says it is one
    with pytest.raises(RootError, match=r"no root at x = .*(pole|jump)") as caught:
        autoopt.brentq(f, a, b)
    assert isinstance(caught.value, RuntimeError) and isinstance(caught.value, AutooptError)
    root, report = autoopt.brentq(f, a, b, full_output=True, disp=False)
    assert not report.converged and root == report.root
    assert not autoopt.root_scalar(f, bracket=(a, b)).converged


ROOTS = {
    "flat units": (lambda x: 1e-20 * (x - 1e5), 0.0, 3e5, 1e5),
    "steep": (lambda x: np.expm1(50 * (x - 1)), -1.0, 3.0, 1.0),
    "triple, rounded": (lambda x: x**3 - 3 * x**2 + 3 * x - 1, 0.0, 3.0, 1.0),
    "square root": (lambda x: np.sign(x - 1) * np.sqrt(np.abs(x - 1)), 0.0, 3.0, 1.0),
    "kink": (lambda x: (x - 1) * (2.0 if x > 1 else 1e-3), 0.0, 3.0, 1.0),
    "at an end": (lambda x: x - 1, 1.0, 3.0, 1.0),
}


@pytest.mark.parametrize("name", ROOTS)
def test_roots_are_not_taken_for_jumps(name):
    f, a, b, expected = ROOTS[name]
    assert autoopt.brentq(f, a, b) == pytest.approx(expected, rel=1e-4)


def test_bracket_without_a_change_of_sign_is_scipys_error():
    with pytest.raises(ValueError, match="different signs"):
        autoopt.brentq(lambda x: x**2 + 1, -1, 1)


# newton ---------------------------------------------------------------------------------------------------------------


def test_newton_with_derived_slopes():
    ours, report = autoopt.newton(cubic, 5.0, full_output=True)
    theirs, scipys = optimize.newton(cubic, 5.0, fprime=lambda x: 3 * x**2, full_output=True)
    assert ours == theirs and report.iterations == scipys.iterations


def test_newton_of_an_array_takes_the_slope_of_each_entry():
    targets = np.array([2.0, 3.0, 10.0])
    ours = autoopt.newton(cubic, np.ones(3), args=(targets,))
    assert np.allclose(ours, np.cbrt(targets), rtol=1e-14)


def test_newton_of_a_system_is_refused():
    with pytest.raises(UsageError, match=r"(?s)entries depend on the same ones of x alone.*autoopt.root"):
        autoopt.newton(lambda x: x * x[::-1] - 2.0, np.ones(2))


def test_halley_with_a_derived_second_derivative():
    _, report = autoopt.newton(cubic, 5.0, fprime2=True, full_output=True)
    _, scipys = optimize.newton(cubic, 5.0, lambda x: 3 * x**2, fprime2=lambda x: 6 * x, full_output=True)
    assert report.method == "halley" and report.iterations == scipys.iterations


def test_newton_without_a_root_says_so():
    with pytest.raises(RootError, match="newton found no root"):
        autoopt.newton(lambda x: x**2 + 1.0, 0.3)


def test_secant_where_the_function_cannot_be_followed():
    seen = {}

    def f(x):
        return seen.setdefault(float(str(float(x))), float(x) ** 3 - 2.0)

    assert autoopt.newton(f, 1.0, x1=2.0) == pytest.approx(ROOT)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "neither a bracket nor a start"),
        ({"method": "brent", "x0": 1.0}, "There is no method 'brent'"),
        ({"method": "bisect", "x0": 1.0}, "needs a bracket"),
        ({"method": "newton", "bracket": (0, 2)}, "needs a start"),
        ({"bracket": (0, 2), "fprime": lambda x: x}, "does not use fprime"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(given, message):
    with pytest.raises(UsageError, match=message):
        autoopt.root_scalar(cubic, **given)


# Inside of objectives -------------------------------------------------------------------------------------------------

INSIDE = {
    "brentq": lambda p: autoopt.brentq(lambda z: z**3 + p[0] * z - p[1], 0.0, 2.0) ** 2,
    "newton": lambda p: autoopt.newton(lambda z: z**3 + p[0] * z - p[1], 1.0) ** 2,
    "root_scalar": lambda p: autoopt.root_scalar(lambda z: z**3 + p[0] * z - p[1], bracket=[0.0, 2.0]).root ** 2,
    "root": lambda p: np.sum(autoopt.root(lambda z: z**3 + p[0] * z - p[1], np.ones(1)).x ** 2),
    "fixed_point": lambda p: autoopt.fixed_point(lambda z: (p[1] - z**3) / p[0] * 0.3 + 0.7 * z, 0.5) ** 2,
}


@pytest.mark.parametrize("name", INSIDE)
def test_root_inside_an_objective_moves_as_its_equation_says(name):
    p = np.array([0.9, 0.7])
    z = optimize.brentq(lambda z: z**3 + p[0] * z - p[1], 0.0, 2.0, xtol=1e-15)
    slope = 2 * z / (3 * z**2 + p[0])
    assert np.allclose(autoopt.grad(INSIDE[name])(p), [-z * slope, slope], rtol=1e-7)


@pytest.mark.parametrize("method", ["brentq", "bisect", "brenth", "ridder", "toms748"])
def test_bracket_without_a_change_of_sign_says_what_f_is_at_its_ends(method):
    for error in (ValueError, RootError):  # SciPy raises the first
        with pytest.raises(error, match="f is 1 at x = 0 and 2 at x = 1") as caught:
            autoopt.root_scalar(lambda x: x * x + 1, bracket=(0, 1), method=method)
        assert "test_scalar_roots.py" in str(caught.value) and "give a, b such that" in str(caught.value)


@pytest.mark.parametrize("f", [lambda x: np.log(x - 0.5), lambda x: x - 1.0 if x != 1 else np.nan])
def test_nan_in_a_bracket_is_an_error_of_scipys_kind_that_says_where(f):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="NaN"):
        optimize.brentq(f, 0, 2)
    with pytest.raises(ValueError, match=r"f is nan at x = [01]\.\n") as caught:
        autoopt.brentq(f, 0, 2)
    assert isinstance(caught.value, RootError) and "give a bracket in all of which f has values" in str(caught.value)


def test_too_few_iterations_are_said_to_be_too_few():
    with pytest.raises(RootError, match=r"not converged in 2 iterations\.\n(.*\n)*.*raise maxiter"):
        autoopt.brentq(lambda x: x**3 - 2, 0, 2, maxiter=2)
    with pytest.raises(ValueError, match="the user's own"):
        autoopt.brentq(lambda x: float("the user's own"), 0, 2)


@pytest.mark.parametrize(
    ("call", "distance"),
    [
        (lambda f: autoopt.brentq(lambda x: f(x) ** 3 - 2, 0, 2), lambda x: abs(x - 2 ** (1 / 3))),
        (lambda f: autoopt.newton(lambda x: f(x) ** 3 - 2, 5.0, lambda x: 3 * x**2), lambda x: abs(x - 2 ** (1 / 3))),
        (lambda f: autoopt.fixed_point(lambda x: np.cos(f(x)), 3.0, method="iteration"), lambda x: abs(np.cos(x) - x)),
    ],
)
def test_interrupted_search_keeps_its_best_point(call, distance):
    asked = []

    def watched(x):
        asked.append(float(x))
        if len(asked) == 6:
            raise KeyboardInterrupt
        return x

    with pytest.raises(Interrupted, match=r"Interrupted after 5 iterations and 5 evaluations") as caught:
        call(watched)
    assert caught.value.result.nfev == 5 and not caught.value.result.success
    assert distance(caught.value.result.x) == min(map(distance, asked[:5]))
