"""COBYQA moves a start that is near to bounds onto them; where f is higher there, what was lower is not thrown away."""

import numpy as np
import pytest

import autoopt


@pytest.mark.parametrize("start", [[0.1, 0.1], [0.01, 0.01], [0.1, 0.2], [0.3, 0.1]])
@pytest.mark.parametrize("more", [0, 1])
def test_a_product_in_a_ball_is_as_large_as_it_can_be(start, more):
    x0 = [*start, *[0.1] * more]
    ball = {"type": "ineq", "fun": lambda x: 1 - x @ x}
    r = autoopt.minimize(lambda x: -np.prod(x), x0, bounds=[(0, 1)] * len(x0), constraints=ball, method="cobyqa")
    assert r.success, r.message
    assert r.fun == pytest.approx(-(len(x0) ** (-len(x0) / 2)), rel=1e-9)


def test_a_run_that_is_stopped_by_its_limit_is_no_higher_than_a_start_that_meets_the_constraints():
    ball = {"type": "ineq", "fun": lambda x: 1 - x @ x}
    for limit in (8, 12, 20):
        r = autoopt.minimize(
            lambda x: -x[0] * x[1], [0.1, 0.1], bounds=[(0, 1)] * 2, constraints=ball, method="cobyqa",
            options={"maxfev": limit},
        )  # fmt: skip
        assert r.fun <= -0.01 + 1e-12 and r.x @ r.x <= 1 + 1e-8
