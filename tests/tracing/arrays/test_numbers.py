"""Numbers that are no floats: whole numbers of any size, truth values, keys and results; against the plain function."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autoopt
from autoopt import differences

POINTS = ([0.7, 0.3], [1.2, 0.9])
COUNTS = np.arange(40).astype(np.uint64) + np.uint64(2**63)
MIXED = np.array([2**63 + 7, 2**64 - 1, 5], dtype=np.uint64)


def compare(f, points=POINTS):
    """Compare value and gradient with those of the plain function, on one objective."""
    objective = autoopt.objective(f, np.array(points[0]))
    for x in map(np.array, points):
        value, gradient = objective.value_and_grad(x)
        slopes, error = differences.gradient(lambda x: float(f(x)), x)
        np.testing.assert_allclose(value, float(f(x)), rtol=1e-11)
        np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=np.max(error) + 1e-9)


def damped(x):
    a = x[0]
    for k in range(40):
        a = np.tanh(0.5 * a + x[1] / math.factorial(k) + 2**66 * 1e-20)
    return a


def doubling(x):
    a = 2**70
    for _ in range(20):
        a = 0.5 * a + x[1] * x[0]
    return a * 1e-15


def hashed(x):
    bits = np.arange(5).astype(np.uint64) * np.uint64(6364136223846793005) & 0xFFFFFFFFFFFFFFFF
    return np.sum((bits >> np.uint64(11)).astype(float) / 2**53 * x[0]) + x[1]


LARGE = {
    "exponential series": lambda x: sum(x[0] ** k / math.factorial(k) for k in range(30)) * x[1],
    "sine series": lambda x: sum((-1) ** k * x[0] ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(15)) * x[1],
    "binomials": lambda x: sum(math.comb(70, k) * 1e-20 * x[0] ** k for k in range(5, 40)),
    "powers of two": lambda x: sum(x[0] * 2**k * 1e-20 for k in range(70)) + x[1],
    "negative": lambda x: np.sum(x * (-(2**65))) * 1e-18,
    "minuend": lambda x: 2**70 - x[0] * 1e20,
    "compared": lambda x: x[0] * x[1] if x[0] < 2**70 else 0.0,
    "branch of where": lambda x: np.where(x > 0.5, 2**70, x).sum() * 1e-20,
    "limits of clip": lambda x: np.clip(x, -(2**70), 2**70).sum() ** 2,
    "smallest": lambda x: np.minimum(x, 2**70).sum() ** 2,
    "in a list": lambda x: np.sum([2**65, x[0]]) * 1e-19 * x[1],
    "in an array": lambda x: np.prod(np.array([math.factorial(21), x[0]])) * 1e-19,
    "product with a list": lambda x: x.dot([2**70, 1]) * 1e-20,
    "base of a power": lambda x: (2**70) ** x[0] * 1e-20,
    "root": lambda x: math.sqrt(2**40 + 2**70 * x[0]) * 1e-10,
    "polynomial": lambda x: np.polyval([2**70, 1, 2], x[0]) * 1e-20,
    "63 bits and one more": lambda x: x[0] * (1 << 63) * 1e-18 + x[1] * (2**63 - 1) * 1e-18,
    "unsigned scalar": lambda x: np.sum(x * np.uint64(2**63 + 5)) * 1e-18,
    "unsigned array": lambda x: np.sum(MIXED * x[0]) * 1e-18 + x[1] * MIXED[1] * 1e-18,
    "unsigned data": lambda x: np.sum(COUNTS * x[0]) * 1e-18 + x[1] * COUNTS[0] * 1e-18,
    "unsigned in a loop": lambda x: sum(count * x[0] * 1e-18 for count in COUNTS) * x[1],
    "in a recurrence": damped,
    "start of a recurrence": doubling,
    "unsigned arithmetic of data": hashed,
}


@pytest.mark.parametrize("f", LARGE.values(), ids=LARGE)
def test_whole_numbers_of_more_than_63_bits_are_floats_beside_floats(f) -> None:
    compare(f)


def test_an_array_of_python_numbers_is_refused_with_the_line() -> None:
    with pytest.raises(autoopt.AutooptError, match=r"array of objects(.|\n)*test_numbers.py(.|\n)*astype\(float\)"):
        autoopt.grad(lambda x: np.sum(x / np.array([2**70, 3])))(np.ones(2))


def test_a_whole_number_that_no_float_holds_is_the_users_own_error() -> None:
    with pytest.raises(OverflowError):
        autoopt.grad(lambda x: x[0] * math.factorial(200))(np.ones(2))


KEYS = {
    "numbers": ({1: 1.0, 2: 2.0}, lambda d: d[1] ** 2 * d[2] + d[2], [4.0, 2.0]),
    "broken numbers": ({0.5: 1.0, -2: 2.0}, lambda d: d[0.5] ** 2 + d[-2] * 3, [2.0, 3.0]),
    "tuples": ({(0, 1): 1.0, (2, "a"): 2.0}, lambda d: d[0, 1] ** 2 + d[2, "a"] * 3, [2.0, 3.0]),
    "constants": ({True: 1.0, None: 2.0}, lambda d: d[True] ** 2 + d[None] * 3, [2.0, 3.0]),
    "keywords": ({"class": 1.0, "np": 2.0}, lambda d: d["class"] ** 2 + np.exp(d["np"] - 2), [2.0, 1.0]),
    "signs": ({"": 1.0, "+": 2.0}, lambda d: d[""] ** 2 + d["+"] * 3, [2.0, 3.0]),
    "one name for two": ({"a b": 1.0, "a-b": 2.0}, lambda d: d["a b"] ** 2 + d["a-b"] * 3, [2.0, 3.0]),
    "letters that Python takes for others": ({"ﬁ": 1.0, "fi": 2.0}, lambda d: d["ﬁ"] ** 2 + d["fi"] * 3, [2.0, 3.0]),
    "no letters of a name": ({"β²": 1.0, "3rd": 2.0}, lambda d: d["β²"] ** 2 + d["3rd"] * 3, [2.0, 3.0]),
    "quotes": ({'a"""b': 1.0, "c\\": 2.0}, lambda d: d['a"""b'] ** 2 + d["c\\"] * 3, [2.0, 3.0]),
    "lines": ({"a\nb": 1.0, 'c"': 2.0}, lambda d: d["a\nb"] ** 2 + d['c"'] * 3, [2.0, 3.0]),
    "nested": ({1: {2: 1.0, "if": [2.0]}}, lambda d: d[1][2] ** 2 + d[1]["if"][0] * 3, [2.0, 3.0]),
}


@pytest.mark.parametrize(("x0", "f", "slopes"), KEYS.values(), ids=KEYS)
def test_parameters_may_be_a_dict_of_any_keys(x0, f, slopes) -> None:
    objective = autoopt.objective(f, x0)
    np.testing.assert_allclose(objective.grad(x0), slopes)
    compile(objective.source(), "source", "exec")


@pytest.mark.parametrize("result", [True, np.bool_(True), 1, np.int64(1), np.uint8(1), 1.0, np.array([1])])
def test_constants_of_any_type_have_no_slope(result) -> None:
    objective = autoopt.objective(lambda x: result, [1.0, 2.0])
    value, gradient = objective.value_and_grad([1.0, 2.0])
    assert value == 1.0
    np.testing.assert_array_equal(gradient, [0, 0])
    np.testing.assert_array_equal(objective.hess([1.0, 2.0]), np.zeros((2, 2)))


def test_a_jacobian_has_rows_of_any_type() -> None:
    rows = autoopt.jacobian(lambda x: [True, 2 * x[0], 3, 2**70])([1.0, 2.0])
    np.testing.assert_array_equal(rows, [[0, 0], [2, 0], [0, 0], [0, 0]])


def rounded_by(convert):
    def f(x):
        try:
            count = convert(np.log(x[0]) / x[1])
        except ValueError:
            count = 7
        except OverflowError:
            count = 5
        return count * np.sum(x**2)

    return f


@pytest.mark.parametrize("first", range(4))
@pytest.mark.parametrize("convert", [int, round, math.floor, math.ceil, math.trunc], ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_conversion_that_fails_is_an_answer_like_any_other(convert, first) -> None:
    f = rounded_by(convert)
    points = [[3.5, 0.4], [-1.0, 3.0], [0.0, 0.7], [9.0, 1.0], [2.0, 0.0]]
    points = points[first:] + points[:first] + points[:2]
    objective = autoopt.objective(f, np.array(points[0]))
    for x in map(np.array, points):
        value, gradient = objective.value_and_grad(x)
        assert value == pytest.approx(f(x), rel=1e-13)
        np.testing.assert_allclose(gradient, 2 * x * f(x) / np.sum(x**2))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_conversion_that_fails_uncaught_is_the_users_own_error() -> None:
    objective = autoopt.objective(lambda x: int(x[0] / x[1]) * x[0], [1.0, 0.4])
    assert objective.value([1.0, 0.4]) == 2.0
    with pytest.raises(OverflowError, match="infinity"):
        objective.grad([1.0, 0.0])
    assert objective.value([1.0, 0.3]) == 3.0
