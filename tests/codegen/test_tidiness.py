"""What a person would not write: double minuses, additions of negatives, vectors of one, entries one by one."""

import re

import numpy as np
import pytensor.tensor as pt
import pytest

import autoopt
from autoopt.codegen.code import (
    PRODUCT,
    Code,
    expression,
    infix,
    literal,
    negative,
    plus,
    power,
    product,
    starts_negative,
)
from autoopt.codegen.entries import displayed
from autoopt.codegen.listing import list_function

VALUES = {"a": 1.7, "b": -0.3, "n": 12, "x": np.array([0.5, -2.0])}
A, B, N = Code("a"), Code("b"), Code("n")
RATIO = infix("/", PRODUCT, negative(A), B)


@pytest.mark.parametrize(
    "code, text",
    [
        (negative(literal(-2.0)), "2.0"),
        (negative(negative(A)), "a"),
        (negative(infix("*", PRODUCT, literal(-2.0), A)), "2.0 * a"),
        (negative(RATIO), "a / b"),
        (negative(Code("a % b", PRODUCT)), "-(a % b)"),
        (negative(infix("%", PRODUCT, negative(A), B)), "-(-a % b)"),
        (negative(expression("a - b")), "-(a - b)"),
        (plus(A, RATIO), "a - a / b"),
        (plus(A, negative(expression("a + b"))), "a - (a + b)"),
        (plus(A, infix("%", PRODUCT, negative(A), B)), "a + -a % b"),
        (product([literal(0.5), negative(expression("1.0 * n"))]), "-0.5 * n"),
        (product([literal(-0.5), literal(-50.0)]), "0.5 * 50.0"),
        (product([negative(A), negative(B)]), "a * b"),
        (product([A, negative(B)]), "-(a * b)"),
        (product([literal(-0.5), A]), "-0.5 * a"),
        (power(A, literal(2)), "a**2"),
        (power(expression("a * b"), literal(2)), "(a * b) ** 2"),
        (power(expression("x[0]"), literal(2)), "x[0] ** 2"),
    ],
)
def test_signs_stand_once(code, text) -> None:
    assert code.text == text
    eval(text, {}, VALUES)


@pytest.mark.parametrize("text", ["-a % b", "-a // b", "-a - b", "-a < b"])
def test_a_minus_that_is_of_the_first_part_alone_is_not_taken_out(text) -> None:
    level = {"<": 1, "-": 5}.get(text.split()[1], PRODUCT)
    code = Code(text, level)
    assert not starts_negative(code)
    assert eval(negative(code).text, {}, VALUES) == -eval(text, {}, VALUES)


@pytest.mark.parametrize(
    "lines, expected",
    [
        (["f = np.zeros(3)", "f[1] += a", "f[0] -= b", "g = f"], ["f = np.array([-b, a, 0.0])", "g = f"]),
        (["f = np.zeros(2)", "f[0] -= a + b"], ["f = np.array([-(a + b), 0.0])"]),
        (["f = np.zeros(2)", "f[0] += a", "f[0] += b"], None),
        (["f = np.zeros(2)", "f[0] += a", "f[1:] += b"], None),
        (["f = np.zeros(2)", "f[0] += a", "f[1] += f[0]"], None),
        (["f = np.zeros(9)", "f[0] += a"], None),
        (["f = np.zeros(n)", "f[0] += a"], None),
    ],
)
def test_entries_that_are_written_once_stand_side_by_side(lines, expected) -> None:
    assert displayed(lines, 88) == (lines if expected is None else expected)
    before, after = dict(VALUES, np=np), dict(VALUES, np=np)
    exec("\n".join(lines), before)
    exec("\n".join(displayed(lines, 88)), after)
    np.testing.assert_array_equal(before["f"], after["f"])


def test_joins_have_no_vectors_of_one() -> None:
    x = pt.vector("x")
    total, mean = x.sum(), x[0] * x[1]
    joined = pt.concatenate([2.0 * x, total[None], mean[None]])
    text = list_function("f", [(x, "x")], [joined]).text
    assert "np.full" not in text
    scope = {"np": np}
    exec(text, scope)
    given = np.array([0.5, -2.0, 3.0])
    np.testing.assert_allclose(scope["f"](given), [1.0, -4.0, 6.0, 1.5, -1.0])


@pytest.mark.slow
def test_wide_joins_name_the_numbers() -> None:
    def objective(p, x):
        beta, s, t = p[:2], p[2], p[3]
        r = x @ beta - s
        return np.sum(np.log1p(r**2 / t) * np.exp(s)) + np.sum(np.cos(r * t) * np.sin(s + r)) + np.exp(t) * np.sin(s)

    x = np.arange(12.0).reshape(6, 2) / 7
    p = np.array([0.3, -0.2, 0.4, 1.5])
    text = autoopt.Objective(objective, p, (x,)).source()
    assert "np.full((1,)" not in text
    assert not re.search(r"--|\+ -", text)
    scope: dict = {}
    exec(text, scope)
    expected = autoopt.Objective(objective, p, (x,)).grad(p)
    step = 1e-6
    differences = [(objective(p + step * e, x) - objective(p - step * e, x)) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(expected, differences, rtol=1e-7, atol=1e-8)
