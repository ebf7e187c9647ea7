"""What runs say of themselves on published problems: no success is false, and failures are failures.

The whole table with its figures is `python -m benchmarks.solver_table`; a sample of it runs here.
"""

from __future__ import annotations

import pytest
from smooth_problems import SMOOTH

from benchmarks.solver_runs import AUTO, methods_for, run

DERIVATIVES = ("bfgs", "l-bfgs-b", "newton-cg", "trust-exact", "trust-region", "trust-constr", "slsqp", AUTO)
"""Methods whose failures are looked at, too; those of values alone stop at their limits."""

CASES = [(name, method) for name, problem in SMOOTH.items() for method in methods_for(problem) if method in DERIVATIVES]


@pytest.mark.slow_for("mgh10 start 1-trust-constr")
@pytest.mark.sampled(40)
@pytest.mark.parametrize(("name", "method"), CASES)
def test_verdict_is_right(name, method):
    one = run(name, method)
    if one.false == "failure" and "limit of iterations" in one.message:
        return  # it is near enough to the published value to count as solved, and was still on its way
    assert not one.false, f"{one.false} is false: {one.value} of {SMOOTH[name].values}: {one.message}"


@pytest.mark.parametrize("name", [name for name, problem in SMOOTH.items() if problem.kind == "infinity"])
@pytest.mark.parametrize("method", DERIVATIVES)
def test_minimum_at_infinity_is_no_success(name, method):
    if method in methods_for(SMOOTH[name]):
        assert not run(name, method).success
