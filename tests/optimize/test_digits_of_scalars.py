"""One parameter: all digits of minima, within bounds, whatever the tolerance; multiple roots and brackets' advice."""

import numpy as np
import pytest

import autoopt
from autoopt.errors import RootError

MINIMA = {
    "cosh": (lambda x: np.cosh(x - 1 / 3), 1 / 3),
    "small units": (lambda x: (x - np.pi) ** 2 * 1e-8, np.pi),
    "large units": (lambda x: 1e8 * np.exp(x) - 3e8 * x, np.log(3)),
    "entropy": (lambda x: x * np.log(x), np.exp(-1)),
    "near 0": (lambda x: (x - 1e-6) ** 2 + 1, 1e-6),
    "sine": (lambda x: -np.sin(x), np.pi / 2),
    "at a bound": (lambda x: np.exp(x), 0.05),
}
CALLS = {
    "brent": {"method": "brent", "bracket": (0.1, 0.5)},
    "golden": {"method": "golden", "bracket": (0.1, 0.5)},
    "golden, loose": {"method": "golden", "bracket": (0.1, 0.5), "tol": 1e-3},
    "brent, loose": {"method": "brent", "bracket": (0.1, 0.5), "options": {"xtol": 1e-2}},
    "bounded": {"bounds": (0.05, 4.0)},
    "bounded, loose": {"bounds": (0.05, 4.0), "options": {"xatol": 1e-2}},
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", MINIMA)
def test_minimum_has_all_its_digits(name, call):
    function, minimum = MINIMA[name]
    is_bounded = "bounds" in CALLS[call]
    if (name == "at a bound" and not is_bounded) or (name == "near 0" and is_bounded):
        return  # there is none, or it is outside
    result = autoopt.minimize_scalar(function, **CALLS[call])
    assert result.success, result.message
    assert abs(result.x - minimum) <= 4e-15 * abs(minimum)


def test_tolerance_decides_how_long_is_searched():
    counts = [autoopt.minimize_scalar(MINIMA["cosh"][0], method="golden", tol=tol).nfev for tol in (1e-2, 1e-8)]
    assert counts[0] < counts[1] - 10


MULTIPLE = {
    "double": (lambda x: (x - 1) ** 2, [3.0], [1.0]),
    "triple": (lambda x: (x - 1) ** 3, [3.0], [1.0]),
    "double of two": (lambda x: np.array([(x[0] - 1) ** 2, x[1] - x[0]]), [3.0, 0.0], [1.0, 1.0]),
    "Powell's": (
        lambda x: np.array(
            [x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10**0.5 * (x[0] - x[3]) ** 2]
        ),
        [3.0, -1.0, 0.0, 1.0],
        [0.0] * 4,
    ),
}
SIMPLE = {
    "far in its units": (lambda x: np.exp(x) - 1e-8, [2.0]),
    "of two": (lambda x: np.array([x[0] ** 2 + x[1] - 3, np.exp(x[0]) - x[1]]), [4.0, 9.0]),
    "at 0": (lambda x: np.sin(x), [0.5]),
}


@pytest.mark.parametrize("method", [None, "hybr", "lm", "newton"])
@pytest.mark.parametrize("name", MULTIPLE)
def test_multiple_root_is_called_one(name, method):
    equations, start, root = MULTIPLE[name]
    result = autoopt.root(equations, start, method=method)
    assert result.success and "multiple root" in result.message
    assert np.allclose(result.x, root, atol=1e-7)


@pytest.mark.parametrize("method", [None, "hybr", "lm", "newton"])
@pytest.mark.parametrize("name", SIMPLE)
def test_simple_root_is_not(name, method):
    equations, start = SIMPLE[name]
    result = autoopt.root(equations, start, method=method)
    assert result.success and "multiple" not in result.message, result.message


def test_advice_is_for_the_search_that_was_called():
    with pytest.raises(RootError) as caught:
        autoopt.brentq(lambda x: np.sign(x) + 0.5, -1.0, 1.3)
    assert "bracket in which f is continuous" in caught.value.remedy and "autoopt.brentq" not in caught.value.remedy
    with pytest.raises(RootError, match="maxiter"):
        autoopt.brentq(lambda x: x**3 - 2, -1.0, 13.0, maxiter=2)
    with pytest.raises(RootError) as caught:
        autoopt.newton(lambda x: x**2 + 1, 1.0)
    assert "autoopt.brentq" in caught.value.remedy


ASYMPTOTES = {
    "exponential": lambda x: np.exp(-x),
    "bell": lambda x: np.exp(-(x**2)) * (2 + x),
    "rounding": lambda x: 1 - np.tanh(x),
    "of many": lambda x: np.exp(-x) * (1 + 0 * np.sum(x)),
}
FAR_ROOTS = {
    "exponential": (lambda x: np.exp(x) - 1, [30.0], 0.0),
    "triple": (lambda x: (x - 1) ** 3, [1e3], 1.0),
    "rectifier": (lambda x: np.maximum(0, 3 - x), [0.0], 3.0),
}


@pytest.mark.parametrize("method", [None, "hybr", "lm", "newton"])
@pytest.mark.parametrize("name", ASYMPTOTES)
def test_values_that_underflow_are_no_root(name, method):
    result = autoopt.root(ASYMPTOTES[name], np.full(30 if name == "of many" else 1, 1.0), method=method)
    assert not result.success, result.message


@pytest.mark.parametrize("method", [None, "newton"])
@pytest.mark.parametrize("name", FAR_ROOTS)
def test_root_far_from_the_start_is_one(name, method):
    equations, start, root = FAR_ROOTS[name]
    result = autoopt.root(equations, start, method=method)
    assert result.success and np.allclose(result.x, root, atol=1e-4), result.message
