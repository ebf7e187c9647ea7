"""Constraints that cannot be met: x is where they are missed least, and the message says so once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from autoopt import minimize
from autoopt.solvers import SOLVERS

METHODS = [name for name, row in SOLVERS.items() if "constraints" in row.takes]


def distance(x):
    return (x[0] - 2.0) ** 2 + (x[1] - 1.0) ** 2


# Each row: constraints as (type, function), x0, bounds, by how much each value changes when x moves by max(|x0|, 1).
CANNOT = {
    "disk and line": ([("ineq", lambda x: 1 - x @ x), ("eq", lambda x: np.sum(x) - 5)], [0.5, 0.1], None, [1.2, 2.0]),
    "two disks": (
        [("ineq", lambda x: 1 - x @ x), ("ineq", lambda x: 1 - (x - 3.0) @ (x - 3.0))], [0.5, 1.0], None, [3.0, 9.0],
    ),
    "square and bound": ([("eq", lambda x: x[0] ** 2 + x[1] + 1.0)], [0.5, 0.5], [(0, 3), (0, 3)], [2.0]),
    "parabola": ([("ineq", lambda x: -1.0 - x[0] ** 2), ("eq", lambda x: x[1] - 2.0)], [2.0, 1.0], None, [8.0, 1.0]),
}  # fmt: skip


@pytest.mark.slow_for("parabola-cobyqa", "two disks-trust-constr")
@pytest.mark.sampled(4)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CANNOT)
def test_x_is_where_the_sum_of_squares_of_what_is_missed_is_least(name, method):
    rows, x0, bounds, sizes = CANNOT[name]

    def missed(x):
        values = [fun(x) if kind == "eq" else min(fun(x), 0.0) for kind, fun in rows]
        return float(np.sum((np.array(values) / sizes) ** 2))

    options = {"xatol": 1e-9, "fatol": 1e-15}
    starts = x0, [0.5, 0.7], [1.5, 1.5]
    found = [optimize.minimize(missed, z, method="Nelder-Mead", bounds=bounds, options=options) for z in starts]
    constraints = [{"type": kind, "fun": fun} for kind, fun in rows]
    with np.errstate(all="ignore"):
        result = minimize(distance, x0, method=method, constraints=constraints, bounds=bounds)
    assert not result.success and "missed least" in result.message
    assert missed(result.x) == pytest.approx(min(one.fun for one in found), rel=1e-6)
    assert result.message.count("constraints[0] is") == 1 and "No point was found" not in result.message
    assert "maxfun" not in result.message + "".join(result.diagnosis)


def test_no_lower_bound_on_the_constraints_is_said_once():
    result = minimize(
        lambda x: -x[0] + x[1] ** 2, [0.5, 0.1], constraints={"type": "ineq", "fun": lambda x: x[0]}, method="slsqp"
    )
    assert not result.success
    assert result.message.count("not bounded below") == 1 and "Why:" not in result.message
