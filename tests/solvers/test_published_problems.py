"""The published problems: each value that is printed is the value of a minimum, found by some method."""

from __future__ import annotations

import numpy as np
import pytest
from more_functions import MORE
from smooth_problems import SMOOTH

from autoopt import minimize

BOUNDED = ("l-bfgs-b", "tnc", "slsqp")
UNBOUNDED = ("trust-exact", "bfgs", "slsqp", "newton-sparse")
WITH_MINIMUM = [name for name, problem in SMOOTH.items() if problem.kind != "infinity" and name != "mgh10 start 1"]


def test_there_are_enough() -> None:
    assert len(WITH_MINIMUM) >= 150 and {*MORE} <= {*SMOOTH}
    assert sum(problem.bounds is not None for problem in SMOOTH.values()) >= 18


@pytest.mark.parametrize("name", SMOOTH)
def test_start_is_allowed_and_above_the_minimum(name) -> None:
    problem = SMOOTH[name]
    value = problem.f(problem.x0)
    assert np.ndim(value) == 0 and np.isfinite(value) and all(value > one for one in problem.values[:1])
    for x, (low, high) in zip(problem.x0, problem.bounds or [(None, None)] * len(problem.x0), strict=True):
        assert (low is None or low <= x) and (high is None or x <= high)


@pytest.mark.slow_for("roszman1 start 1")
@pytest.mark.sampled(24)
@pytest.mark.parametrize("name", WITH_MINIMUM)
def test_published_value_is_reached(name) -> None:
    problem = SMOOTH[name]
    values = []
    for method in BOUNDED if problem.bounds else UNBOUNDED:
        values.append(minimize(problem.f, problem.x0, method=method, bounds=problem.bounds).fun)
        nothing = 1e-10 * min(1.0, problem.f(problem.x0))
        if any(abs(values[-1] - one) <= (1e-9 * abs(one) or nothing) for one in problem.values):
            return
    pytest.fail(f"{values} are none of {problem.values}")
