"""Values compared by what rounding may come to in them: wrong by little, cancelled, or in single precision."""

from __future__ import annotations

import numpy as np
import pytest

import autoopt
from autoopt.objectives.objective import Objective
from autoopt.verification.brief import compare_briefly
from autoopt.verification.points import Counted, compare
from autoopt.verification.rounding import DOUBLE, spread
from autoopt.verification.values import compare_values

X = np.array([0.8, 0.4])


def smooth(x):
    return np.sum(np.exp(x)) + x[0] * x[1]


def cancelled(x):
    return np.sum(1e8 + np.exp(x)) - 2e8


def in_a_loop(x):
    total = 1e6
    for k in range(50):
        total = total + np.sin(k * x[0]) * x[1]
    return total - 1e6


def single(x):
    return np.sum((np.float32(0.3) * x.astype(np.float32)) ** 2)


def of_branches(x):
    return np.exp(x[0]) - 1.0 if x[1] > 0 else x[0] ** 2 + 1e4 - 1e4


@pytest.mark.filterwarnings("ignore::autoopt.errors.SinglePrecisionWarning")
@pytest.mark.parametrize("f", [smooth, cancelled, in_a_loop, single, of_branches])
def test_values_agree_as_well_as_the_function_allows(f):
    objective = Objective(f, X)
    for x in (X, -X, X + 1e-9, 30.0 * X):
        compiled, original = objective.value(x), objective.original(x)
        found = compare_values(objective, x, compiled, original, 0.0, "x0")
        assert found.verdict == "agrees" and found.is_sharp


@pytest.mark.parametrize("f, digits", [(smooth, 13), (cancelled, 6), (in_a_loop, 7), (of_branches, 13)])
def test_a_value_is_told_from_one_that_is_off_by_more_than_rounding(f, digits):
    """The spread of each is what it is known to be: two draws of the same numbers, and not a thousand times that."""
    objective = Objective(f, X)
    original = objective.original(X)
    (noise,) = spread(objective, X, original)
    assert 10.0 ** -(digits + 3) < noise / abs(original) < 10.0**-digits
    wrong = original + 200 * noise
    assert compare_values(objective, X, original + 0.5 * noise, original, 0.0, "x0").verdict == "agrees"
    assert compare_values(objective, X, wrong, original, 0.0, "x0").verdict in ("cannot tell", "disagrees")
    assert compare_values(objective, X, original * 1.001, original, 0.0, "x0").verdict == "disagrees"


def test_spread_is_that_of_values_in_exact_arithmetic():
    """sum(a) - sum(b), whose terms lose six digits: the sum in other orders moves by no more than a few spreads."""
    rng = np.random.default_rng(0)
    a = 1e6 * rng.normal(size=200)

    def f(x):
        return np.sum(a * x[0]) - np.sum(a[::-1] * x[0]) + x[1]

    objective = Objective(f, X)
    original = objective.original(X)
    (noise,) = spread(objective, X, original)
    exact = X[1]
    others = [sum(rng.permutation(np.concatenate([a, -a]) * X[0])) + X[1] for _ in range(20)]
    assert max(abs(other - exact) for other in others) < 32 * noise < 1e-4
    assert noise > DOUBLE * 1e6


def test_a_value_that_is_wrong_by_little_is_no_agreement():
    """The compiled value is off by 1e-11: not wrong by so much that nothing else explains it, but no agreement."""
    objective = Objective(smooth, X)
    right = objective.value_and_grad

    def off(x):
        value, gradient = right(x)
        return value * (1 + 1e-11), gradient

    objective.value_and_grad = objective.on_known_path = off
    found = compare(objective, X)
    assert found.passed and not found.conclusive and found.verdict == "cannot tell"
    assert "10 digits agree, fewer than rounding leaves" in found.message
    briefly = compare_briefly(Counted(objective), X, "the solution", 1.0, None, off(X))
    assert briefly.passed and not briefly.conclusive and "fewer than rounding" in str(briefly)


@pytest.mark.parametrize("factor", [1 + 1e-8, 1.001, -1.0, np.nan])
def test_a_value_that_is_wrong_is_an_error(factor):
    objective = Objective(smooth, X)
    right = objective.value_and_grad
    objective.value_and_grad = objective.on_known_path = lambda x: (right(x)[0] * factor, right(x)[1])
    found = compare(objective, X)
    assert not found.passed and "The value of the compiled objective is wrong" in found.message


def test_residuals_are_compared_by_their_rounding():
    """Residuals that cancel to their last digits, beside ones that do not."""
    t = np.linspace(0.0, 3.0, 30)

    def residuals(p):
        return np.concatenate([1e9 + p[0] * np.exp(-p[1] * t) - 1e9 - np.exp(-t), p - 1.0])

    result = autoopt.least_squares(residuals, [0.5, 0.7])
    assert result.verification.passed and result.success


def test_noise_of_the_original_is_no_fault_of_the_code():
    """The original loses nine digits that the code does not: it agrees as far as that allows."""
    result = autoopt.minimize(
        lambda x: (1e9 + (x[0] - 1) ** 2 + 0.5 * np.sin(x[1]) ** 2) - 1e9, [2.0, 1.0], method="bfgs"
    )
    assert result.success and result.x == pytest.approx([1.0, 0.0], abs=1e-7)
    assert "agrees to 7 digits, as well as the function allows" in str(result.verification)
