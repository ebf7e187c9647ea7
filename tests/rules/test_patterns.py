"""Every case of every rule, asked for its pattern: no entry of its Jacobian or of a Hessian may be missing."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from rule_calls import CALLED, as_vectors, parameters

from autoopt.errors import UnsupportedFunctionError
from autoopt.execution.eager.sweeps import Sweeps
from autoopt.parameters import Structure
from autoopt.tape.sparsity import propagation
from autoopt.tracing.trace import trace


def missing(kind: str, f, x: np.ndarray) -> int:
    tape = trace(f, Structure.of(x), x, (), scalar=kind == "hessian").tape
    mask = getattr(propagation, kind)(tape).pattern.matrix().toarray()
    found = 0
    for k, scale in enumerate((0.0, 0.01, 0.05)):
        try:
            matrix = getattr(Sweeps(tape).at(x + scale * np.random.default_rng(k).normal(size=x.size)), kind)()
        except UnsupportedFunctionError:  # the value has a rule, the derivative as it is called here has none
            return 0
        found += np.count_nonzero((matrix != 0) & np.isfinite(matrix) & ~mask)
    return found


@pytest.mark.slow_for(
    "scipy.special.gdtrc(float64[3], float64[3], float64[3])", "scipy.special.chdtr.outer(float64[3], float64[2])"
)
@pytest.mark.parametrize("case", CALLED, ids=str)
@pytest.mark.sampled(60)
def test_no_entry_is_missing(case) -> None:
    f, x = as_vectors(case), parameters(case)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert missing("jacobian", f, x) == 0
        assert missing("hessian", lambda x: np.sum(np.sin(f(x))), x) == 0


def test_the_table_is_that_of_the_rules() -> None:
    assert len(CALLED) > 1000
    assert {np.dot, np.inner, np.matmul, np.einsum, np.cumsum, np.take} <= {case.function for case in CALLED}
