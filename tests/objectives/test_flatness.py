"""Objectives whose value has no slope at the start: refused by minimize with the line, while their gradient is 0."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autoopt

X0 = np.array([1.5, 2.0])
DATA = np.array([1.0, 3.0, 0.5])


def whole(x):
    return int(np.sum(x**2))


def whole_as_a_float(x):
    return float(round(np.sum(x**2))) / 2


def floor_of_math(x):
    return math.floor(x[0]) * 2.0


def sum_of_whole_numbers(x):
    return sum(int(v) for v in x) * 1.5


def rounded(x):
    return np.round(np.sum(x**2), 2)


def floored(x):
    return 0.5 * np.floor(x).sum()


def divided_without_rest(x):
    return x[0] // 1 + x[1] // 0.1


def converted(x):
    return np.sum(x.astype(int) ** 2)


def counted(x):
    return np.sum(x > 0)


def error_rate(x):
    return 1 - np.mean((DATA[:2] * x > 2) == np.array([True, False]))


def one_of_two(x):
    return np.where(x > 1, 1.0, 2.0).sum()


def placed(x):
    return np.argsort(x) @ np.array([1.0, 2.0])


def truth(x):
    return x[0] > 0


def length(x):
    return len(x[x > 0])


def counted_by_branches(x):
    return sum(1 for v in x if v > 0)


def penalty(x):
    if x[0] > 1:
        return 1e10
    return x[0] ** 2


def data_alone(x):
    return DATA.sum()


def given_up(x):
    try:
        np.linalg.cholesky(np.array([[1, x[0]], [x[0], 1]]))
    except np.linalg.LinAlgError:
        return 1e10
    return x[0] ** 2


FLAT = [
    (whole, "made whole .6 at x0", r"int\(np.sum\(x\*\*2\)\)"),
    (whole_as_a_float, "made whole", r"round\(np.sum\(x\*\*2\)\)"),
    (floor_of_math, "made whole", r"math.floor\(x\[0\]\)"),
    (sum_of_whole_numbers, "made whole", r"int\(v\) for v in x"),
    (rounded, "steps alone, here by np.round", r"np.round\(np.sum"),
    (floored, "steps alone, here by np.floor", r"np.floor\(x\)"),
    (divided_without_rest, "steps alone, here by np.floor_divide", r"x\[0\] // 1"),
    (converted, "steps alone, here by astype", r"x.astype\(int\)"),
    (counted, "steps alone, here by np.greater", "np.sum"),
    (error_rate, "steps alone, here by np.greater", "np.mean"),
    (one_of_two, "steps alone, here by np.greater", "np.where"),
    (placed, "steps alone, here by np.argsort", "np.argsort"),
    (truth, "steps alone, here by np.greater", r"x\[0\] > 0"),
    (length, "2, which depends on the parameters by decisions alone", r"len\(x\[x > 0\]\)"),
    (counted_by_branches, "decisions alone", "if v > 0"),
    (penalty, "1e.10, which depends on the parameters by decisions alone", r"if x\[0\] > 1"),
    (data_alone, "returns 4.5 at x0, which does not depend", "def data_alone"),
    (lambda x: 3, "returns 3 at x0, which does not depend", "lambda x: 3"),
    (lambda x: True, "returns 1 at x0, which does not depend", "lambda x: True"),
]


@pytest.mark.parametrize(("f", "happened", "line"), FLAT, ids=[f.__name__ for f, _, _ in FLAT])
def test_minimize_refuses_a_value_without_slope_and_its_gradient_is_zero(f, happened, line) -> None:
    with pytest.raises(
        autoopt.AutooptError, match=rf"{happened}(.|\n)*test_flatness.py(.|\n)*{line}(.|\n)*To fix this"
    ):
        autoopt.minimize(f, X0)
    np.testing.assert_array_equal(autoopt.grad(f)(X0), [0, 0])


def test_an_objective_that_gives_up_at_the_start_is_refused() -> None:
    with pytest.raises(autoopt.AutooptError, match=r"1e\+10(.|\n)*start"):
        autoopt.minimize(given_up, X0)
    assert autoopt.minimize(given_up, X0 / 4).x[0] == pytest.approx(0, abs=1e-6)


def test_a_whole_number_is_refused_with_finite_differences_too() -> None:
    with pytest.raises(autoopt.AutooptError, match="made whole"):
        autoopt.minimize(whole, X0, jac="finite-difference")


def test_a_given_gradient_is_taken_at_its_word() -> None:
    found = autoopt.minimize(whole, X0, jac=lambda x: 2 * x, verify="off")
    np.testing.assert_allclose(found.x, 0, atol=1e-6)


SLOPED = {
    "one term": (lambda x: np.floor(x[1]) + x[0] ** 2, [0, 2.0]),
    "zero where it starts": (lambda x: np.maximum(0.0, 1 - x[0]) ** 2 + x[1] ** 2, [1.5, 0]),
    "weighted by a comparison": (lambda x: (x[0] > -9) * x[0] ** 2 + x[1] ** 2, [0, 0]),
    "chosen by a place": (lambda x: x[np.argmin(x)] ** 2, [0, 2.0]),
    "chosen by where": (lambda x: np.where(x > 0, x**2, 3 * x**2).sum(), [0, 0]),
    "one branch": (lambda x: x[0] ** 2 if x[1] > 0 else 3.0, [0, 2.0]),
    "constant in fact": (lambda x: x[0] - x[0], [1.5, 2.0]),
    "complex": (lambda x: np.abs(x[0] + 1j * x[1]) ** 2, [0, 0]),
    "several results": (lambda x: np.linalg.slogdet(np.outer(x, x) + np.eye(2))[1], [0, 0]),
}


@pytest.mark.parametrize(("f", "minimum"), SLOPED.values(), ids=SLOPED)
def test_whatever_has_a_slope_is_minimised(f, minimum) -> None:
    np.testing.assert_allclose(autoopt.minimize(f, X0, method="bfgs").x, minimum, atol=1e-4)


def test_fit_refuses_it_with_the_line_of_the_model_file(tmp_path) -> None:
    path = tmp_path / "model.py"
    path.write_text("import numpy as np\nx0 = np.ones(2)\ndef objective(x):\n    return round(np.sum(x**2))\n")
    with pytest.raises(autoopt.AutooptError, match=r"made whole(.|\n)*model.py:4(.|\n)*round"):
        autoopt.fit(path)
