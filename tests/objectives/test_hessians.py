"""Hessians of objectives of many kinds: right, never refused, and handed out as source that stands by itself."""

import inspect
import re

import numpy as np
import pytest
from hessian_cases import CASES

import autoopt
from autoopt import differences
from autoopt.objectives.objective import printed


def computed(text, function, x, args):
    """Return what the source of a Hessian gives in a namespace of its own."""
    namespace: dict = {}
    exec(compile(text, "exported", "exec"), namespace)
    known = dict(zip(list(inspect.signature(function).parameters)[1:], args, strict=True))
    with np.errstate(all="ignore"):
        if "prepare" in namespace:
            known |= namespace["prepare"](*(known[name] for name in inspect.signature(namespace["prepare"]).parameters))
        names = list(inspect.signature(namespace["hess"]).parameters)[1:]
        return namespace["hess"](x, *(known[name] for name in names))


@pytest.mark.sampled(15)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_hessian_is_that_of_differences_and_of_its_source(case) -> None:
    objective = autoopt.objective(case.f, case.x0, *case.args)
    for x in (case.x0, case.x0 * 0.9 + 0.01):
        expected, error = differences.hessian(objective.grad, x)
        found = objective.hess(x)
        assert found.shape == (x.size, x.size) and found.flags.writeable
        size = np.abs(expected).max()
        assert np.all(np.abs(found - expected) <= 5 * error + (1e-8 + 30 * case.noise) * size)
        np.testing.assert_allclose(found, found.T, atol=1e-11 * size + case.noise * size)
    text = printed(case.f, case.x0, case.args, "hessian")
    assert "base64" not in text and "autoopt" not in "".join(re.findall("^ *(?:import|from) .*$", text, re.MULTILINE))
    there = computed(text, case.f, case.x0, case.args)
    np.testing.assert_allclose(there, objective.hess(case.x0), rtol=1e-9, atol=1e-9 * np.abs(there).max())


def test_constant_hessian_of_entries_prints_numbers_that_are_reshaped() -> None:
    def beale(x):
        squares = 2 * x[0] ** 2 + 2 * x[1] ** 2 + x[2] ** 2
        return 9 - 8 * x[0] - 6 * x[1] - 4 * x[2] + squares + 2 * x[0] * x[1] + 2 * x[0] * x[2]

    assert np.array_equal(autoopt.hessian(beale)(np.full(3, 0.5)), [[4, 2, 2], [2, 4, 0], [2, 0, 2]])
