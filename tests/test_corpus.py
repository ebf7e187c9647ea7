"""Every objective of the corpus: the value against the original, the derivatives against differences of the original.

Slopes are compared with Ridders' differences of the user's own function, Hessian-vector products with differences of
the gradient, and the curvature along the direction with second differences of the function itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from corpus import CASES, Case

from autoopt import differences
from autoopt.objectives.objective import Objective


def curvature(f, x: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """Return p' H p of `f` at `x` by extrapolated second differences, and an estimate of its error."""
    here, rows = f(x), []
    best, best_error = np.nan, np.inf
    for level in range(9):
        h = 2.0 ** -(3 + level)
        ahead, behind = f(x + h * p), f(x - h * p)
        row = [(ahead - 2 * here + behind) / h**2]
        for order, above in enumerate(rows[:3], start=1):
            row.append(row[-1] + (row[-1] - above) / (4.0**order - 1))
            error = max(abs(row[-1] - row[-2]), abs(row[-1] - above)) + 16 * np.finfo(float).eps * abs(here) / h**2
            if error < best_error:
                best, best_error = row[-1], error
        rows = row
    return best, best_error


def check_value(objective: Objective, x: np.ndarray) -> None:
    expected = objective.original(x)
    assert np.isfinite(expected), "a point where the objective is not finite tests nothing"
    np.testing.assert_allclose(objective.value(x), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(objective.value_and_grad(x)[0], expected, rtol=1e-12, atol=1e-12)


def check_gradient(objective: Objective, x: np.ndarray, noise: float) -> None:
    gradient = objective.grad(x)
    slopes = [
        differences.directional(objective.original, x, step, roughness=noise)
        for step in np.diag(differences.step_scale(x))
    ]
    expected, errors = np.array(slopes).T / differences.step_scale(x)
    size = np.max(np.abs(expected)) + abs(objective.original(x)) * 1e-2 + 1e-12
    assert np.all(errors < 1e-4 * size + 100 * noise), f"differences too rough to tell: {errors / size}"
    assert np.all(np.abs(gradient - expected) <= 10 * errors + 1e-9 * size), (
        f"{gradient} against {expected} +- {errors}"
    )


def check_hessp(objective: Objective, x: np.ndarray, p: np.ndarray, noise: float) -> None:
    product = objective.hessp(x, p)
    expected, errors = differences.hessp(objective.grad, x, p)
    size = np.max(np.abs(expected)) + np.max(np.abs(objective.grad(x))) * 1e-3 + 1e-12
    assert np.all(np.isfinite(product)), f"not finite: {product}"
    assert np.all(np.abs(product - expected) <= 10 * errors + 1e-8 * size), f"{product} against {expected} +- {errors}"
    bend, error = curvature(objective.original, x, p)
    if error < 1e-2 * size and not noise:
        assert abs(product @ p - bend) <= 10 * error + 1e-6 * size, f"{product @ p} along p against {bend} +- {error}"


def params() -> list:
    """Return the cases as pytest parameters; those that fail today are expected to, strictly."""
    known = {True: [], False: []}
    for case in CASES:
        marks = [pytest.mark.xfail(strict=True, reason=case.xfail)] if case.xfail else []
        known[bool(marks)].append(pytest.param(case, id=case.name, marks=marks))
    return known[False] + known[True]


@pytest.mark.parametrize("case", params())
@pytest.mark.sampled(6)
def test_objective_agrees_with_differences(case: Case) -> None:
    with np.errstate(all="ignore"):
        objective = Objective(case.f, case.x0, case.args)
        rng = np.random.default_rng(len(case.name))
        x0 = objective.structure.flatten(case.x0).astype(float)
        near = x0 + 0.05 * rng.normal(size=x0.size) * differences.step_scale(x0)
        p = rng.normal(size=x0.size)
        first = objective.grad(x0).copy()
        for x in [x0, near, *(objective.structure.flatten(point) for point in case.points)]:
            check_value(objective, x)
            check_gradient(objective, x, case.noise)
            check_hessp(objective, x, p, case.noise)
        assert np.array_equal(objective.grad(x0), first), "the gradient at x0 is another one the second time"
        for x in map(objective.structure.flatten, case.kinks):
            check_value(objective, x)
            check_gradient(objective, x, case.noise)


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names) >= 120


class Wrong:
    """An objective whose gradient and product are too large by a factor."""

    def __init__(self, factor: float) -> None:
        self.true = Objective(lambda x: np.sum(np.exp(x) * x[::-1]), np.array([0.3, -0.4]))
        self.original, self.factor = self.true.original, factor

    def grad(self, x: np.ndarray) -> np.ndarray:
        return self.factor * self.true.grad(x)

    def hessp(self, x: np.ndarray, p: np.ndarray) -> np.ndarray:
        return self.factor * self.true.hessp(x, p)


def test_a_derivative_wrong_by_a_thousandth_is_noticed() -> None:
    x, p = np.array([0.3, -0.4]), np.array([1.0, 0.5])
    check_gradient(Wrong(1.0), x, 0.0)
    check_hessp(Wrong(1.0), x, p, 0.0)
    with pytest.raises(AssertionError):
        check_gradient(Wrong(1.001), x, 0.0)
    with pytest.raises(AssertionError):
        check_hessp(Wrong(1.001), x, p, 0.0)
