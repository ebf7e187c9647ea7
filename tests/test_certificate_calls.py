"""How often the user's function is called for the certificate, and that no alarm is false: over the models of tests."""

from __future__ import annotations

import numpy as np
import pytest
from plain_objectives import OBJECTIVES
from smooth_problems import SMOOTH

import autoopt
from autoopt.objectives.objective import Objective
from autoopt.parameters import Structure
from autoopt.verification.brief import compare_briefly
from autoopt.verification.points import Counted, compare

MODELS = {name: (f, x0, args) for name, (f, x0, *args) in OBJECTIVES.items()}
MODELS |= {name: (row.f, row.x0, ()) for name, row in SMOOTH.items()}

START, SOLUTION = 6, 2
"""The most calls of the user's function at each."""

FAR = {"hs25": 11, "brown_badly_scaled": 7}
"""The calls at the start of those whose values change over much more, or much less, than the size of the parameters."""


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.sampled(3)
def test_calls_of_the_original_at_the_start(name):
    f, x0, args = MODELS[name]
    with np.errstate(all="ignore"):
        found = compare(Objective(f, x0, tuple(args)), Structure.of(x0).flatten(x0).astype(float))
    assert found.passed and found.conclusive and found.evaluations <= FAR.get(name, START)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.sampled(4)
def test_calls_of_the_original_at_the_solution(name):
    f, x0, args = MODELS[name]
    with np.errstate(all="ignore"):
        result = autoopt.minimize(f, x0, tuple(args))
        objective, x = Objective(f, x0, tuple(args)), result.x_flat
        counted, floor = Counted(objective), min(1.0, abs(objective.original(Structure.of(x0).flatten(x0))))
        found = compare_briefly(counted, x, "the solution", floor, None, objective.value_and_grad(x))
    assert result.verification.passed and found.passed and counted.evaluations <= SOLUTION
