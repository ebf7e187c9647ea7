"""Every objective of the corpus: the value against the original, the derivatives against differences of the original.

Slopes are compared with Ridders' differences of the user's own function, Hessian-vector products with differences of
the gradient, and the curvature along the direction with second differences of the function itself.
"""

from __future__ import annotations

import numpy as np
import pytest
from corpus import CASES, Case
from derivative_checks import check_gradient, check_hessp, check_value

from autoopt import differences
from autoopt.objectives.objective import Objective
from autoopt.objectives.retained import resumable


def params() -> list:
    """Return the cases as pytest parameters; those that fail today are expected to, strictly."""
    known = {True: [], False: []}
    for case in CASES:
        marks = [pytest.mark.xfail(strict=True, reason=case.xfail)] if case.xfail else []
        known[bool(marks)].append(pytest.param(case, id=case.name, marks=marks))
    return known[False] + known[True]


@pytest.mark.slow_for("smooth_changepoint", "special_zoo")
@pytest.mark.parametrize("case", params())
@pytest.mark.sampled(24)
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


@pytest.mark.slow_for("spectroscopist")
@pytest.mark.parametrize("case", params())
@pytest.mark.sampled(24)
def test_objective_that_is_known_agrees_at_another_start(case: Case) -> None:
    """What one call has found out of it is used by the next, whatever that is."""
    with np.errstate(all="ignore"):
        with resumable(case.f, case.x0, case.args) as objective:
            x0 = objective.structure.flatten(case.x0).astype(float)
            first = objective.value_and_grad(x0)
        near = x0 + 0.05 * np.random.default_rng(0).normal(size=x0.size) * differences.step_scale(x0)
        with resumable(case.f, objective.structure.unflatten(near), case.args) as again:
            check_value(again, near)
            check_gradient(again, near, case.noise)
            np.testing.assert_allclose(again.value_and_grad(x0)[0], first[0], rtol=1e-10)
            np.testing.assert_allclose(again.value_and_grad(x0)[1], first[1], rtol=1e-8, atol=1e-10)


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
