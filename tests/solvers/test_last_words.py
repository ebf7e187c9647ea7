"""What a message ends with: nothing that contradicts the verdict, no verdict twice, the cause where it is known."""

import re

import numpy as np
import pytest

import autoopt
from autoopt import Parameter, Parameters, solvers
from autoopt.wording import aside

GIVING_UP = re.compile(r"(?i)not necessarily|precision loss|failed|positive directional|singular|incompatible")
FREE = [name for name, row in solvers.SOLVERS.items() if not row.needs]


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", FREE)
def test_success_carries_no_reason_for_giving_up(method):
    for f, x0 in ((rosenbrock, [-1.0, 1.0]), (lambda x: 1e9 + np.sum((x - 3) ** 4 + x**2), [1.0, 2.0])):
        result = autoopt.minimize(f, x0, method=method)
        assert not (result.success and GIVING_UP.search(result.message)), result.message
    if "constraints" in solvers.SOLVERS[method].takes:
        disc = {"type": "ineq", "fun": lambda x: 1 - x @ x}
        result = autoopt.minimize(rosenbrock, [-0.5, 0.5], method=method, constraints=disc)
        assert not (result.success and GIVING_UP.search(result.message)), result.message


@pytest.mark.parametrize("method", [None, *FREE])
def test_loose_tolerance_is_named(method):
    result = autoopt.minimize(rosenbrock, np.full(4, -1.0), method=method, tol=1e3)
    if rosenbrock(result.x) > 1e-6 and "saddle" not in result.message and "MAXFUN" not in result.message:
        assert "tolerance that was set" in result.message and "did not show" not in result.message


@pytest.mark.parametrize("method", FREE)
def test_limit_is_the_cause_where_it_was_reached(method):
    limit = 30 if method in ("cobyla", "cobyqa", "nelder-mead") else 2
    result = autoopt.minimize(rosenbrock, np.full(4, -1.0), method=method, options={"maxiter": limit})
    assert not result.success and "The limit of iterations or evaluations was reached" in result.message
    assert re.search(r"To fix this: raise max", result.diagnosis[0])


def test_verdicts_are_not_nested():
    result = autoopt.minimize(lambda p: (p["a"] - 3.0) ** 2, Parameters(a=Parameter(0.5, transform="logit")))
    assert result.message.count("onverged:") == 1, result.message
    assert aside("Converged: the gradient is 0.") == "" and aside("Not converged: x.") == " (x.)"
